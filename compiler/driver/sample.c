// `sample`: a sampling program on trained weights, and its pictures.
#include "compiler/driver/schedules.h"
#include "runtime/sample/request.h"

static const Option options[] = {
    {"from", 0, OPTION_TEXT, false, "RUN|FILE", "a run (its newest checkpoint), or a .safetensors file"},
    {"out", 'o', OPTION_TEXT, false, "DIR", "the folder for what the program emits"},
    {"count", 0, OPTION_COUNT, false, "N", "records wanted (images, rows): the program runs as often as that needs (default: once)"},
    {"program", 0, OPTION_TEXT, false, "NAME", "the program (default: sample, else the only one that emits images or rows)"},
    {"set", 0, OPTION_TEXT, true, "NAME=VALUE", "gives an input of the program"},
    {"data", 0, OPTION_TEXT, true, "SPEC", "a data set, [NAME=]mnist, images:DIR … (see gcc-graph data)"},
    {"text", 0, OPTION_TEXT, true, "CAPTION", "what the images shall show; of several the images take turns"},
    {"embedding", 0, OPTION_TEXT, false, "FILE.npy", "vectors of texts instead, [count, size] or [size] floats"},
    {"encoder", 0, OPTION_TEXT, false, "NAME", "the text encoder that made --embedding (default: char-CNN-RNN)"},
    {"interpolate", 0, OPTION_COUNT, false, "N", "N steps from one text to another, with the same noise"},
    {"columns", 0, OPTION_COUNT, false, "N", "pictures in a row of a grid (default: by class where labels are given, else nearly square)"},
    {"force", 0, OPTION_FLAG, false, NULL, "replaces files of an earlier sampling; without it they stop this one"},
    {"singles", 0, OPTION_FLAG, false, NULL, "also writes each image of a grid by itself"},
    {"tensors", 0, OPTION_FLAG, false, NULL, "also writes images as .npy"},
    SCHEDULES_OPTION,
    COMMON_DEVICE_OPTIONS,
    COMMON_SEED_OPTION,
};

static void progress(void *context, uint32_t done, uint32_t total) { activity_progress(context, "sampling: repetition", done, total); }

static SampleRequest request_of(Arguments *arguments) {
    SampleRequest request = {.from = arguments_text(arguments, "from"),
                             .embedding = arguments_text(arguments, "embedding"),
                             .encoder = arguments_text(arguments, "encoder"),
                             .interpolate = arguments_count(arguments, "interpolate", 0),
                             .count = arguments_count(arguments, "count", 0),
                             .output = {.folder = arguments_text(arguments, "out"),
                                        .columns = arguments_count(arguments, "columns", 0),
                                        .singles = arguments_has(arguments, "singles"),
                                        .tensors = arguments_has(arguments, "tensors"),
                                        .log = stdout},
                             .may_replace = arguments_has(arguments, "force"),
                             .seed = arguments_seed(arguments, "seed", 0),
                             .reports = stdout,
                             .progress = progress,
                             .progress_pipelines = activity_pipelines,
                             .progress_context = arguments->activity};
    request.sets = arguments_all(arguments, "set", &request.set_count);
    request.data = arguments_all(arguments, "data", &request.data_count);
    request.texts = arguments_all(arguments, "text", &request.text_count);
    return request;
}

static bool run_request(Arguments *arguments, const SampleRequest *request) {
    const Program *program = common_read_bundle(arguments, arguments->operands.items[0]);
    const char *name = arguments_text(arguments, "program");
    const ProgramEntry *entry = !program ? NULL
                                : name   ? common_entry(arguments, program, name, false)
                                         : request_entry(arguments->arena, program, arguments->diag);
    Schedules schedules;
    Inputs inputs;
    if (!entry || !schedules_open(arguments, program, entry->name, NULL, &schedules))
        return false;
    program = schedules.built.program;
    entry = program_entry(program, entry->name);
    bool good = request_check(arguments->arena, request, program, entry, &inputs, arguments->diag);
    Device *device = good ? common_device(arguments, entry) : NULL;
    if (!device)
        return false;
    common_check_class(arguments, program, device);
    good = request_run(arguments->arena, request, device, program, entry, &inputs, arguments->diag);
    common_check_validation(arguments, device);
    device_destroy(&device);
    return good;
}

static int run(Arguments *arguments) {
    SampleRequest request = request_of(arguments);
    if (!request.output.folder)
        return arguments_wrong(arguments, "--out DIR is missing: where shall the images go?");
    if (request.encoder && !request.embedding)
        return arguments_wrong(arguments, "--encoder says who made the vectors of --embedding FILE.npy, which is missing");
    return run_request(arguments, &request) ? 0 : 1;
}

const Command sample_command = {
    .usage = "BUNDLE --from RUN|FILE.safetensors --out DIR [--count N] [--program NAME] [--data SPEC]\n"
             "BUNDLE --from RUN --out DIR --set NAME=VALUE ...\n"
             "BUNDLE --from RUN --out DIR --text CAPTION ... [--interpolate N]",
    .description =
        "Runs a sampling program on trained weights. What it emits goes to DIR: images as PNG (a grid, or a strip where an image is\n"
        "emitted several times), rows and tensors as .npy. Run k of several draws its random numbers as step k.\n"
        "Inputs of the program are given by --set NAME=VALUE (or PROGRAM.NAME=VALUE). " COMMON_INPUT_HELP "\n"
        "Of pictures and of the rows of a file, as many results are written as there are of them, in as many runs as that takes.\n"
        "A program with an input \"text\" makes images of texts: of captions (--text, as tokens or by the encoder that the weights were trained with), "
        "of\n"
        "vectors (--embedding), or of the captions of a data set's test split (--data). It also gets figure.png and figure.html: texts\n"
        "beside what was made of them. --interpolate goes from one of two texts to the other, a column a step, a row for each noise.",
    .examples = "sample build/ddpm.ggb --from runs/ddpm --out samples\n"
                "sample build/ddpm.ggb --from runs/ddpm --out samples --program sample_ddim --count 256 --seed 7\n"
                "sample build/upscale.ggb --from runs/upscale --out large --set low=photos\n"
                "sample build/digits.ggb --from runs/digits --out sevens --set label=7 --count 64\n"
                "sample build/stage2.ggb --from runs/stage2 --out samples --text \"this bird is blue with a white belly\"\n"
                "sample build/stage2.ggb --from runs/stage2 --out samples --text \"a red bird\" --text \"a blue bird\" --interpolate 8",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
