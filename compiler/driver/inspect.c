// `inspect`: what a bundle's kernels compute, why they are as they are, and where their numbers lie.
#include "compiler/driver/common.h"
#include "compiler/inspect.h"
#include "runtime/base/file.h"
#include "runtime/bench/machine.h"

static const Option options[] = {
    {"program", 0, OPTION_TEXT, false, "NAME", "lists this program only"},
    {"memory", 0, OPTION_FLAG, false, NULL, "prints the memory map"},
    {"decisions", 0, OPTION_FLAG, false, NULL, "prints the log of fusion: what was joined, what was refused, and why"},
    {"isa", 0, OPTION_FLAG, false, NULL, "compiles the kernels on the device: registers, spills, the loop's instructions; of one kernel the machine code"},
    COMMON_DEVICE_OPTIONS,
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

static bool is_in(const ProgramEntry *entry, uint32_t kernel) {
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t i = 0; i < entry->phases.items[p].steps.count; i++)
            if (entry->phases.items[p].steps.items[i].kind == STEP_DISPATCH && entry->phases.items[p].steps.items[i].kernel == kernel)
                return true;
    return false;
}

// Of all kernels, of those of a program (entry not NULL), or of one (wanted not NULL).
static int show_machine(Arguments *arguments, const Program *program, const ProgramEntry *entry, const ProgramKernel *wanted) {
    Device *device = common_device(arguments, entry);
    if (!device)
        return 1;
    MachineKernel *kernels = ARENA_NEW(arguments->arena, MachineKernel, program->kernels.count + 1);
    uint32_t count = 0;
    bool good = true;
    activity_begin(arguments->activity, "compiling");
    for (uint32_t i = 0; i < program->kernels.count && good; i++)
        if (wanted ? wanted == &program->kernels.items[i] : !entry || is_in(entry, i))
            good = machine_look(arguments->arena, device, program, i, &kernels[count++], arguments->diag);
    activity_end(arguments->activity);
    Text text = text_create(arguments->arena);
    if (good && wanted)
        machine_report_kernel(&text, device_info(device), &kernels[0]);
    else if (good)
        machine_report(&text, device_info(device), kernels, count);
    fputs(text.data, stdout);
    common_check_validation(arguments, device);
    device_destroy(&device);
    return good ? 0 : 1;
}

static bool options_go_together(Arguments *arguments, bool is_isa) {
    static const char *const of_devices[] = {"device", "validation", "trace"}, *const others[] = {"memory", "decisions"};
    for (uint32_t i = 0; i < 3 && !is_isa; i++)
        if (arguments_has(arguments, of_devices[i])) {
            diag_error(arguments->diag, NULL, "--%s is for --isa: the rest of inspect needs no device", of_devices[i]);
            return false;
        }
    for (uint32_t i = 0; i < 2 && is_isa; i++)
        if (arguments_has(arguments, others[i])) {
            diag_error(arguments->diag, NULL, "--isa and --%s print different things: ask for one of them", others[i]);
            return false;
        }
    return true;
}

static int run(Arguments *arguments) {
    const char *bundle = arguments->operands.items[0], *only = arguments_text(arguments, "program");
    bool is_isa = arguments_has(arguments, "isa");
    if (!options_go_together(arguments, is_isa))
        return 2;
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
    if (is_isa && arguments->operands.count == 2 && !kernel) {
        diag_error(arguments->diag, &(Place){.file = bundle}, "has no kernel \"%s\"%s", arguments->operands.items[1],
                   inspect_suggestion(arguments->arena, program, arguments->operands.items[1]));
        return 1;
    }
    const ProgramEntry *entry = only ? common_entry(arguments, program, only, false) : NULL;
    if (only && !entry)
        return 1;
    if (is_isa)
        return show_machine(arguments, program, entry, kernel);
    return kernel ? show_kernel(arguments, bundle, kernel) : show(arguments, bundle, program);
}

const Command inspect_command = {
    .usage = "BUNDLE [KERNEL|%VALUE|NODE] [--isa [--device D]]",
    .description =
        "Lists the kernels of every phase in order: wave, schedule, bytes, FLOPs, the nodes that they compute and why these are one\n"
        "kernel. A kernel's name or number shows its shader; %12 or a JSON pointer shows what became of a value or a node.\n"
        "--isa asks a device's compiler what it makes of the kernels, where its driver tells (VK_KHR_pipeline_executable_properties);\n"
        "nothing runs, so a driver without its GPU will do: RADV_FORCE_FAMILY=navi21 gcc-graph inspect build/gpu.ggb --isa --device NAVI21.",
    .examples = "inspect build/ddpm.ggb\ninspect build/ddpm.ggb 007\ninspect build/ddpm.ggb %12\n"
                "inspect build/ddpm.ggb /networks/unet/nodes/3\ninspect build/ddpm.ggb --memory\n"
                "inspect build/ddpm.ggb --isa\ninspect build/ddpm.ggb 007 --isa --device 1",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
