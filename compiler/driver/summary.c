// `summary`: what a graph holds and what it costs, as tables or JSON.
#include "compiler/summary.h"
#include "compiler/driver/common.h"

static const Option options[] = {
    COMMON_GRAPH_OPTIONS,
    {"target", 0, OPTION_TEXT, false, "cpu|gpu|any|D", "class of device of the memory plan (default: the device that would run it)"},
    {"no-plan", 0, OPTION_FLAG, false, NULL, "leaves the memory plan out, which needs the passes"},
    {"json", 0, OPTION_FLAG, false, NULL, "prints JSON"},
};

// The plan of a graph comes from the passes, without shaders; that of a bundle is in it. NULL: there is none to show.
static const Program *find_plan(Arguments *arguments, const char *path, const Module *module, bool *good) {
    if (arguments_has(arguments, "no-plan") || module->programs.count == 0)
        return NULL;
    const Program *program = NULL;
    if (common_is_bundle(path)) {
        program = common_read_bundle(arguments, path);
    } else {
        CompileOptions compile = {.no_spirv = true};
        if (common_target(arguments, arguments_text(arguments, "target"), &compile.target)) {
            Compiled *compiled = compile_module(arguments->arena, module, &compile, NULL, arguments->diag);
            program = compiled ? compiled->program : NULL;
        }
    }
    *good = program != NULL;
    return program;
}

static int run(Arguments *arguments) {
    const char *path = arguments->operands.items[0];
    Module *module = common_read_module(arguments, path, false, NULL);
    if (!module)
        return 1;
    bool good = true;
    const Program *program = find_plan(arguments, path, module, &good);
    fputs((arguments_has(arguments, "json") ? summary_json : summary_text)(arguments->arena, module, program), stdout);
    return good ? 0 : 1;
}

const Command summary_command = {
    .usage = "GRAPH.json|BUNDLE [-D NAME=VALUE]... [--preset NAME] [--json]",
    .description =
        "Prints each network's layers with shapes, parameters and FLOPs of a record (2 for a multiply-add), the parameters of each\n"
        "optimizer, the programs with their phases, and the memory that they need.",
    .examples =
        "summary graphs/ddpm_mnist.json\nsummary graphs/stackgan_stage2.json -D GF=192 -D DF=96 --no-plan\nsummary build/ddpm.ggb --json",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
