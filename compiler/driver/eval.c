// `eval`: measures of samples.
#include "compiler/driver/common.h"
#include "runtime/eval/measure.h"

static const Option options[] = {
    {"images", 0, OPTION_TEXT, false, "FILE.npy", "the samples [n, channels, height, width], as `sample --tensors` writes them"},
    {"from", 0, OPTION_TEXT, false, "RUN|FILE", "the weights: the classifier's, or of the network that is measured"},
    {"data", 0, OPTION_TEXT, true, "SPEC",
     "real images, [NAME=]mnist, images:DIR ... (see gcc-graph data); colour: cub:DIR; modes: ring, grid (default: the run's)"},
    {"count", 0, OPTION_COUNT, false, "N",
     "classify: real images (default: all of the split); samples to make: colour (default: 1024), modes (2500)"},
    {"program", 0, OPTION_TEXT, false, "NAME", "the program (default: classify; colour, modes: the first that samples)"},
    {"out", 0, OPTION_TEXT, false, "DIR", "writes what is found there as MEASURE.json; colour, modes: and pictures"},
    COMMON_SEED_OPTION,
    {"json", 0, OPTION_FLAG, false, NULL, "prints JSON"},
    COMMON_DEVICE_OPTIONS,
};

static const struct {
    const char *summary;
    const Measure *measure;
} rows[] = {
#define MEASURE(name, usage, summary) {summary, &name##_measure},
#include "runtime/eval/measures.def"
#undef MEASURE
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

// A paragraph each, with the name in a column of its own.
static void print_measures(FILE *stream) {
    for (uint32_t i = 0; i < ROW_COUNT; i++) {
        const char *name = rows[i].measure->name, *line = rows[i].summary;
        for (; line; name = "") {
            size_t length = strcspn(line, "\n");
            fprintf(stream, "%-9s %.*s\n", name, (int)length, line);
            line = line[length] ? line + length + 1 : NULL;
        }
    }
}

static MeasureOptions options_of(Arguments *arguments) {
    MeasureOptions given = {.from = arguments_text(arguments, "from"),
                            .program = arguments_text(arguments, "program"),
                            .images = arguments_text(arguments, "images"),
                            .count = arguments_count(arguments, "count", 0),
                            .seed = arguments_seed(arguments, "seed", 0),
                            .out = arguments_text(arguments, "out")};
    given.data = arguments_all(arguments, "data", &given.data_count);
    return given;
}

static bool measure_bundle(Arguments *arguments, const Measure *measure, Measuring *measuring) {
    measuring->program = common_read_bundle(arguments, arguments->operands.items[1]);
    const char *name = measuring->options->program ? measuring->options->program : measure->program;
    measuring->entry = measuring->program ? common_entry(arguments, measuring->program, name, false) : NULL;
    Device *device = measuring->entry && measure->prepare(measuring) ? common_device(arguments, measuring->entry) : NULL;
    bool good = device && measure_run(measure, measuring, device);
    common_check_validation(arguments, device);
    device_destroy(&device);
    return good;
}

static int run_measure(Arguments *arguments, const Measure *measure) {
    MeasureOptions given = options_of(arguments);
    const char *mistake = measure->mistake(&given);
    if (mistake)
        return arguments_wrong(arguments, "%s", mistake);
    Measuring measuring = {
        .arena = arguments->arena, .options = &given, .activity = arguments->activity, .diag = arguments->diag};
    if (!measure_bundle(arguments, measure, &measuring))
        return 1;
    Text text = text_create(arguments->arena);
    if (arguments_has(arguments, "json"))
        text_append(&text, measure_json(measure, &measuring));
    else
        measure->print(&measuring, &text);
    fputs(text.data, stdout);
    return 0;
}

static int run(Arguments *arguments) {
    const char *name = arguments->operands.items[0], *known[ROW_COUNT];
    for (uint32_t i = 0; i < ROW_COUNT; i++) {
        known[i] = rows[i].measure->name;
        if (strcmp(name, known[i]) == 0)
            return run_measure(arguments, rows[i].measure);
    }
    return arguments_wrong(arguments, "there is no measure \"%s\"%s", name, text_suggestion(arguments->arena, name, known, ROW_COUNT));
}

const Command eval_command = {
    .usage =
#define MEASURE(name, usage, summary) #name " " usage "\n"
#include "runtime/eval/measures.def"
#undef MEASURE
        ,
    .description = "",
    .more_help = print_measures,
    .examples = "sample build/ddpm.ggb --from runs/ddpm --program sample_ddim --count 256 --tensors --out samples\n"
                "eval classify build/classifier.ggb --from runs/classifier --images samples/samples.npy --data mnist\n"
                "eval colour build/stage1.ggb --from runs/stage1 --data cub:birds --program sample\n"
                "eval modes build/gan_ring.ggb --from runs/ring --out runs/ring/eval",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};
