// `check`: reads a graph and prints its errors and warnings.
#include "compiler/driver/common.h"

static const Option options[] = {COMMON_GRAPH_OPTIONS};

static int run(Arguments *arguments) {
    const char *path = arguments->operands.items[0];
    Module *module = common_read_module(arguments, path, false, NULL);
    if (!module)
        return 1;
    uint32_t nodes = 0;
    for (uint32_t i = 0; i < module->programs.count; i++)
        for (uint32_t k = 0; k < module->programs.items[i].phases.count; k++)
            nodes += module->programs.items[i].phases.items[k].graph->nodes.count - 1;
    printf("%s: good: %u networks, %u programs, %u nodes\n", path, module->networks.count, module->programs.count, nodes);
    return 0;
}

const Command check_command = {
    .usage = "GRAPH.json|BUNDLE [-D NAME=VALUE]... [--preset NAME]",
    .description =
        "Reads the graph as `compile` would, up to and including all shapes, and prints errors and warnings with file, line, column\n"
        "and JSON pointer. Nothing is written.",
    .examples = "check graphs/ddpm_mnist.json\ncheck graphs/ddpm_mnist.json -D width=64 --preset check",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
