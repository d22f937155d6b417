// `inspect`: what a bundle's kernels compute, why they are as they are, and where their numbers lie.
#include "compiler/driver/common.h"
#include "compiler/inspect.h"
#include "runtime/base/file.h"

static const Option options[] = {
    {"program", 0, OPTION_TEXT, false, "NAME", "lists this program only"},
    {"memory", 0, OPTION_FLAG, false, NULL, "prints the memory map"},
    {"decisions", 0, OPTION_FLAG, false, NULL, "prints the log of fusion: what was joined, what was refused, and why"},
};

static int show_kernel(Arguments *arguments, const char *bundle, const ProgramKernel *kernel) {
    const char *path = file_join(arguments->arena, bundle, arena_format(arguments->arena, "kernels/%s.comp", kernel->name));
    size_t size = 0;
    const char *text = file_read(arguments->arena, path, &size, arguments->diag);
    if (!text)
        return 1;
    fwrite(text, 1, size, stdout);
    return 0;
}

static int show(Arguments *arguments, const char *bundle, const Program *program) {
    Text text = text_create(arguments->arena);
    Built look;
    if (!built_look(arguments->arena, bundle, program, &look, arguments->diag))
        return 1;
    const char *wanted = arguments->operands.count == 2 ? arguments->operands.items[1] : NULL;
    bool found = !wanted || inspect_node(&text, &look, wanted);
    if (!wanted && arguments_has(arguments, "decisions"))
        inspect_decisions(&text, &look);
    else if (!wanted)
        inspect_kernels(&text, &look, arguments_text(arguments, "program"));
    fputs(text.data, stdout);
    if (!found)
        diag_error(
            arguments->diag, &(Place){.file = bundle},
            "has no kernel, value or node \"%s\"%s; kernels are listed by `gcc-graph inspect`, values are written %%12 and nodes as JSON "
            "pointers, /networks/unet/nodes/3",
            wanted, inspect_suggestion(arguments->arena, program, wanted));
    return found ? 0 : 1;
}

static int run(Arguments *arguments) {
    const char *bundle = arguments->operands.items[0], *only = arguments_text(arguments, "program");
    const Program *program = common_read_bundle(arguments, bundle);
    if (!program)
        return 1;
    if (arguments_has(arguments, "memory")) {
        Text text = text_create(arguments->arena);
        program_print_plan(&text, program);
        fputs(text.data, stdout);
        return 0;
    }
    const ProgramKernel *kernel = arguments->operands.count == 2 ? inspect_find_kernel(program, arguments->operands.items[1]) : NULL;
    if (kernel)
        return show_kernel(arguments, bundle, kernel);
    return only && !common_entry(arguments, program, only, false) ? 1 : show(arguments, bundle, program);
}

const Command inspect_command = {
    .usage = "BUNDLE [KERNEL|%VALUE|NODE]",
    .description =
        "Lists the kernels of every phase in order: wave, schedule, bytes, FLOPs, the nodes that they compute and why these are one\n"
        "kernel. A kernel's name or number shows its shader; %12 or a JSON pointer shows what became of a value or a node.",
    .examples = "inspect build/ddpm.ggb\ninspect build/ddpm.ggb 007\ninspect build/ddpm.ggb %12\n"
                "inspect build/ddpm.ggb /networks/unet/nodes/3\ninspect build/ddpm.ggb --memory",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
