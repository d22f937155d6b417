// `eval`: measures of samples.
#include "compiler/driver/common.h"
#include "runtime/eval/classify.h"
#include "compiler/driver/eval_colour.h"
#include "compiler/driver/eval_modes.h"
#include "runtime/base/json.h"
#include "runtime/sample/sample.h"

static const Option options[] = {
    {"images", 0, OPTION_TEXT, false, "FILE.npy", "the samples [n, channels, height, width], as `sample --tensors` writes them"},
    {"from", 0, OPTION_TEXT, false, "RUN|FILE", "the weights: the classifier's, or of the network that is measured"},
    {"data", 0, OPTION_TEXT, true, "SPEC",
     "real images, [NAME=]mnist, idx:DIR ... (see gcc-graph data); colour: cub:DIR; modes: ring, grid (default: the run's)"},
    {"count", 0, OPTION_COUNT, false, "N",
     "classify: real images (default: all of the split); samples to make: colour (default: 1024), modes (2500)"},
    {"program", 0, OPTION_TEXT, false, "NAME", "the program (default: classify; colour, modes: the first that samples)"},
    {"out", 0, OPTION_TEXT, false, "DIR", "colour, modes: writes pictures and figures there"},
    COMMON_SEED_OPTION,
    {"json", 0, OPTION_FLAG, false, NULL, "prints JSON"},
    COMMON_DEVICE_OPTIONS,
};

static void print_text(const char *what, const EvalClassify *result) {
    if (result->count == 0)
        return;
    printf("%s: %u images, confidence >= 0.9 in %.3f, entropy of predicted classes %.2f nats", what, result->count,
           (double)result->confident / result->count, result->entropy);
    if (result->labelled > 0)
        printf(", %.2f %% right", 100.0 * result->right / result->labelled);
    printf("\n  predicted:");
    for (uint32_t i = 0; i < result->classes; i++)
        printf(" %u", result->predicted[i]);
    putchar('\n');
}

static void write_json(JsonWriter *json, const char *key, const EvalClassify *result) {
    if (result->count == 0)
        return;
    json_begin_object(json, key);
    json_write_uint(json, "count", result->count);
    json_write_number(json, "confident", (double)result->confident / result->count);
    json_write_number(json, "entropy", result->entropy);
    if (result->labelled > 0)
        json_write_number(json, "accuracy", (double)result->right / result->labelled);
    json_begin_array(json, "predicted");
    for (uint32_t i = 0; i < result->classes; i++)
        json_write_uint(json, NULL, result->predicted[i]);
    json_end_array(json);
    json_end_object(json);
}

static bool classify_data(Arguments *arguments, const EvalClassifier *classifier, EvalClassify *out) {
    uint32_t count = 0;
    const char **specs = arguments_all(arguments, "data", &count);
    if (count == 0)
        return true;
    Dataset **datasets = dataset_open_all(arguments->arena, classifier->program, classifier->entry, specs, count, arguments->diag);
    for (uint32_t i = 0; datasets && i < classifier->program->data.count; i++)
        if (strcmp(classifier->program->data.items[i].name, classifier->phase->feeds.items[classifier->image].data) == 0)
            return eval_classify_data(arguments->arena, classifier, datasets[i], arguments_count(arguments, "count", 0), out,
                                      arguments->diag);
    return false;
}

static bool classify_images(Arguments *arguments, const EvalClassifier *classifier, EvalClassify *out) {
    const char *path = arguments_text(arguments, "images");
    HostTensor images;
    if (!path)
        return true;
    if (!npy_read(arguments->arena, path, &images, arguments->diag))
        return false;
    images.name = path;
    return eval_classify_images(arguments->arena, classifier, &images, out, arguments->diag);
}

static bool classify(Arguments *arguments, Device *device, const Program *program, EvalClassify *samples, EvalClassify *real) {
    const char *name = arguments_text(arguments, "program");
    const ProgramEntry *entry = common_entry(arguments, program, name ? name : "classify", false);
    EvalClassifier classifier;
    SampleWeights weights;
    if (!entry || !eval_classifier_find(program, entry, &classifier, arguments->diag))
        return false;
    SessionOptions session = {.only_entry = entry->name};
    classifier.session = session_create(arguments->arena, device, program, &session, arguments->diag);
    bool good = classifier.session && session_initialise(classifier.session, arguments->diag) &&
                sample_load(arguments->arena, classifier.session, program, arguments_text(arguments, "from"), &weights, arguments->diag) &&
                classify_images(arguments, &classifier, samples) && classify_data(arguments, &classifier, real);
    session_destroy(&classifier.session);
    return good;
}

static int eval_classify(Arguments *arguments) {
    if (!arguments_has(arguments, "from"))
        return arguments_wrong(arguments, "--from RUN is missing: the classifier's weights");
    if (!arguments_has(arguments, "images") && !arguments_has(arguments, "data"))
        return arguments_wrong(arguments, "neither --images nor --data: there is nothing to classify");
    EvalClassify *samples = ARENA_NEW(arguments->arena, EvalClassify, 1), *real = ARENA_NEW(arguments->arena, EvalClassify, 1);
    const Program *program = common_read_bundle(arguments, arguments->operands.items[1]);
    Device *device = program ? common_device(arguments, NULL) : NULL;
    bool good = device && classify(arguments, device, program, samples, real);
    common_check_validation(arguments, device);
    device_destroy(&device);
    if (!good)
        return 1;
    if (arguments_has(arguments, "json")) {
        JsonWriter *json = json_writer_create(arguments->arena);
        json_begin_object(json, NULL);
        write_json(json, "samples", samples);
        write_json(json, "real", real);
        json_end_object(json);
        fputs(json_writer_text(json), stdout);
    } else {
        print_text("samples", samples);
        print_text("real", real);
    }
    return 0;
}

static const struct {
    const char *name, *summary;
    int (*run)(Arguments *arguments);
} measures[] = {
#define MEASURE(name, usage, summary) {#name, summary, eval_##name},
#include "compiler/driver/measures.def"
#undef MEASURE
};
enum { MEASURE_COUNT = sizeof measures / sizeof *measures };

// A paragraph each, with the name in a column of its own.
static void print_measures(FILE *stream) {
    for (uint32_t i = 0; i < MEASURE_COUNT; i++) {
        const char *name = measures[i].name, *line = measures[i].summary;
        for (; line; name = "") {
            size_t length = strcspn(line, "\n");
            fprintf(stream, "%-9s %.*s\n", name, (int)length, line);
            line = line[length] ? line + length + 1 : NULL;
        }
    }
}

static int run(Arguments *arguments) {
    const char *measure = arguments->operands.items[0], *known[MEASURE_COUNT];
    for (uint32_t i = 0; i < MEASURE_COUNT; i++) {
        known[i] = measures[i].name;
        if (strcmp(measure, measures[i].name) == 0)
            return measures[i].run(arguments);
    }
    return arguments_wrong(arguments, "there is no measure \"%s\"%s", measure,
                           text_suggestion(arguments->arena, measure, known, MEASURE_COUNT));
}

const Command eval_command = {
    .usage =
#define MEASURE(name, usage, summary) #name " " usage "\n"
#include "compiler/driver/measures.def"
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
