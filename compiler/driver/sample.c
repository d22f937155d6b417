// `sample`: a sampling program on trained weights, and its pictures.
#include "compiler/driver/sampling.h"

static const Option options[] = {
    {"from", 0, OPTION_TEXT, false, "RUN|FILE", "a run (its newest checkpoint), or a .safetensors file"},
    {"out", 'o', OPTION_TEXT, false, "DIR", "the folder for what the program emits"},
    {"count", 0, OPTION_COUNT, false, "N", "images wanted: the program runs as often as that needs (default: once)"},
    {"program", 0, OPTION_TEXT, false, "NAME", "the program (default: the first that evaluates)"},
    SAMPLING_DATA_OPTION,
    {"singles", 0, OPTION_FLAG, false, NULL, "also writes each image of a grid by itself"},
    {"tensors", 0, OPTION_FLAG, false, NULL, "also writes images as .npy"},
    COMMON_DEVICE_OPTIONS,
    COMMON_SEED_OPTION,
};

static int run(Arguments *arguments) {
    Sampling sampling = {.bundle = arguments->operands.items[0],
                         .program = arguments_text(arguments, "program"),
                         .from = arguments_text(arguments, "from"),
                         .folder = arguments_text(arguments, "out"),
                         .count = arguments_count(arguments, "count", 0),
                         .singles = arguments_has(arguments, "singles"),
                         .tensors = arguments_has(arguments, "tensors"),
                         .seed = arguments_seed(arguments, "seed", 0),
                         .log = stdout,
                         .reports = stdout};
    if (!sampling.folder)
        return arguments_wrong(arguments, "--out DIR is missing: where shall the images go?");
    return sampling_run(arguments, &sampling) ? 0 : 1;
}

const Command sample_command = {
    .usage = "BUNDLE --from RUN|FILE.safetensors --out DIR [--count N] [--program NAME] [--data SPEC]",
    .description =
        "Runs a sampling program on trained weights. What it emits goes to DIR: images as PNG (a grid, or a strip where an image is\n"
        "emitted several times), rows and tensors as .npy. Run k of several draws its random numbers as step k.",
    .examples = "sample build/ddpm.ggb --from runs/ddpm --out samples\n"
                "sample build/ddpm.ggb --from runs/ddpm --out samples --program sample_ddim --count 256 --seed 7",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
