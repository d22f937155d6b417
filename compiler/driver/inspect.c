// `inspect`: what a bundle's kernels compute, why they are as they are, and where their numbers lie.
#include "compiler/built.h"
#include "compiler/driver/common.h"
#include "compiler/ir/op.h"
#include "compiler/kernel/schedule.h"
#include "runtime/base/file.h"

static const Option options[] = {
    {"program", 0, OPTION_TEXT, false, "NAME", "lists this program only"},
    {"memory", 0, OPTION_FLAG, false, NULL, "prints the memory map"},
    {"decisions", 0, OPTION_FLAG, false, NULL, "prints the log of fusion: what was joined, what was refused, and why"},
};

typedef struct {
    Arguments *arguments;
    const char *bundle;
    const Program *program;
    Built look;
    uint32_t found;
} View;

static const Kernel *kernel_of(const CompiledPhase *compiled, const Dispatch *dispatch) {
    for (uint32_t i = 0; i < compiled->kernels->kernels.count; i++) {
        const Kernel *kernel = &compiled->kernels->kernels.items[i];
        for (uint32_t k = 0; k < kernel->stores.count; k++)
            if (dispatch->value_count > 0 && kernel->stores.items[k].id == dispatch->values[0])
                return kernel;
    }
    return NULL;
}

static const char *groups_text(Arena *arena, const uint32_t groups[3]) {
    if (groups[2] > 1)
        return arena_format(arena, "%ux%ux%u", groups[0], groups[1], groups[2]);
    return groups[1] > 1 ? arena_format(arena, "%ux%u", groups[0], groups[1]) : arena_format(arena, "%u", groups[0]);
}

// Calls visit for each dispatch of each phase.
static void each_dispatch(View *view, void (*visit)(View *, const ProgramEntry *, const ProgramPhase *, const CompiledPhase *, uint32_t)) {
    const char *only = arguments_text(view->arguments, "program");
    for (uint32_t i = 0; i < view->program->entries.count; i++) {
        const ProgramEntry *entry = &view->program->entries.items[i];
        if (only && strcmp(only, entry->name) != 0)
            continue;
        for (uint32_t k = 0; k < entry->phases.count; k++)
            for (uint32_t d = 0; d < entry->phases.items[k].dispatches.count; d++)
                visit(view, entry, &entry->phases.items[k], &view->look.compiled->phases[i][k], d);
    }
}

static void print_dispatch(View *view, const ProgramEntry *entry, const ProgramPhase *phase, const CompiledPhase *compiled,
                           uint32_t index) {
    Arena *arena = view->arguments->arena;
    const Dispatch *dispatch = &phase->dispatches.items[index];
    const Kernel *kernel = kernel_of(compiled, dispatch);
    if (index == 0) {
        printf("%s/%s: %u dispatches, scratch %s (lower bound %s)\n", entry->name, phase->name, phase->dispatches.count,
               text_bytes(arena, phase->scratch_size), text_bytes(arena, phase->scratch_lower_bound));
        printf("  %4s  %-40s %-14s %-12s %9s %11s %11s  %s\n", "wave", "kernel", "class", "schedule", "groups", "bytes", "FLOP", "origin");
    }
    printf("  %4u  %-40s %-14s %-12s %9s %11s %11s  %s\n", dispatch->wave, view->program->kernels.items[dispatch->kernel].name,
           work_class_names[dispatch->work_class], kernel ? kernel->schedule.family->name : "", groups_text(arena, dispatch->groups),
           text_bytes(arena, (uint64_t)dispatch->bytes), dispatch->flops > 0 ? text_flops(arena, dispatch->flops) : "", dispatch->label);
    if (kernel && kernel->reason)
        printf("        because %s\n", kernel->reason);
}

// ---- one kernel, value or node

static int show_kernel(View *view, const ProgramKernel *kernel) {
    const char *path =
        file_join(view->arguments->arena, view->bundle, arena_format(view->arguments->arena, "kernels/%s.comp", kernel->name));
    size_t size = 0;
    const char *text = file_read(view->arguments->arena, path, &size, view->arguments->diag);
    if (!text)
        return 1;
    fwrite(text, 1, size, stdout);
    return 0;
}

// By its whole name or by the number that it begins with.
static const ProgramKernel *find_kernel(const Program *program, const char *name) {
    for (uint32_t i = 0; i < program->kernels.count; i++) {
        const char *known = program->kernels.items[i].name;
        size_t number = strcspn(known, "_");
        if (strcmp(known, name) == 0 || (strlen(name) == number && memcmp(known, name, number) == 0))
            return &program->kernels.items[i];
    }
    return NULL;
}

static bool node_matches(const View *view, const Graph *graph, uint32_t id) {
    const char *wanted = view->arguments->operands.items[1];
    if (wanted[0] == '%')
        return strcmp(wanted + 1, arena_format(view->arguments->arena, "%u", id)) == 0;
    const char *pointer = graph->nodes.items[id].origin.pointer;
    return pointer && strcmp(pointer, wanted) == 0;
}

static void print_place(const View *view, const Buffer *buffer) {
    const Range *range = &buffer->range;
    const char *size = text_bytes(view->arguments->arena, buffer->size);
    if (range->size == 0)
        printf("      %s in no memory: nothing reads it\n", size);
    else
        printf("      %s in memory %u (%s) at %llu\n", size, range->memory, memory_kind_names[view->program->memories.items[range->memory].kind],
               (unsigned long long)range->offset);
}

static void print_value(View *view, const ProgramPhase *phase, const CompiledPhase *compiled, uint32_t id) {
    Arena *arena = view->arguments->arena;
    const Node *node = &compiled->graph->nodes.items[id];
    const Buffer *buffer = &compiled->kernels->buffers[id];
    Text text = text_create(arena);
    for (uint32_t i = 0; i < node->arg_count; i++)
        text_format(&text, " %%%u", node->args[i].id);
    printf("  %%%u = %s%s : %s  ; %s%s%s\n", id, op_def(node->op)->name, text.data, type_text(arena, &node->type),
           node->origin.pointer ? node->origin.pointer : "", node->origin.maker ? " made by " : "",
           node->origin.maker ? node->origin.maker : "");
    if (buffer->kind == BUFFER_NONE)
        printf("      in no buffer: computed where it is used\n");
    else
        print_place(view, buffer);
    for (uint32_t i = 0; i < phase->dispatches.count; i++) {
        const Kernel *kernel = kernel_of(compiled, &phase->dispatches.items[i]);
        const char *name = view->program->kernels.items[phase->dispatches.items[i].kernel].name;
        for (uint32_t k = 0; kernel && k < kernel->stores.count; k++)
            if (kernel->stores.items[k].id == id)
                printf("      stored by %s in wave %u\n", name, phase->dispatches.items[i].wave);
        for (uint32_t k = 0; kernel && k < kernel->loads.count; k++)
            if (kernel->loads.items[k].id == id)
                printf("      loaded by %s in wave %u\n", name, phase->dispatches.items[i].wave);
    }
}

static int show_nodes(View *view) {
    for (uint32_t i = 0; i < view->program->entries.count; i++) {
        const ProgramEntry *entry = &view->program->entries.items[i];
        for (uint32_t k = 0; k < entry->phases.count; k++) {
            const CompiledPhase *compiled = &view->look.compiled->phases[i][k];
            bool headed = false;
            for (uint32_t id = 1; id < compiled->graph->nodes.count; id++) {
                if (!node_matches(view, compiled->graph, id))
                    continue;
                if (!headed)
                    printf("%s/%s\n", entry->name, entry->phases.items[k].name);
                headed = true;
                view->found++;
                print_value(view, &entry->phases.items[k], compiled, id);
            }
        }
    }
    if (view->found > 0)
        return 0;
    const char *wanted = view->arguments->operands.items[1];
    const char **known = ARENA_NEW(view->arguments->arena, const char *, view->program->kernels.count + 1);
    for (uint32_t i = 0; i < view->program->kernels.count; i++)
        known[i] = view->program->kernels.items[i].name;
    const char *nearest = text_nearest(wanted, known, view->program->kernels.count);
    diag_error(
        view->arguments->diag, &(Place){.file = view->bundle},
        "has no kernel, value or node \"%s\"%s%s%s; kernels are listed by `gcc-graph inspect`, values are written %%12 and nodes as JSON "
        "pointers, /networks/unet/nodes/3",
        wanted, nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    return 1;
}

// ---- the command

static void print_decisions(const View *view) {
    for (uint32_t i = 0; i < view->program->entries.count; i++)
        for (uint32_t k = 0; k < view->program->entries.items[i].phases.count; k++) {
            const KernelList *list = view->look.compiled->phases[i][k].kernels;
            printf("%s/%s\n", view->program->entries.items[i].name, view->program->entries.items[i].phases.items[k].name);
            for (uint32_t d = 0; d < list->decisions.count; d++)
                printf("  %s\n", list->decisions.items[d]);
        }
}

static int run(Arguments *arguments) {
    View view = {.arguments = arguments, .bundle = arguments->operands.items[0]};
    view.program = common_read_bundle(arguments, view.bundle);
    if (!view.program)
        return 1;
    if (arguments_has(arguments, "memory")) {
        Text text = text_create(arguments->arena);
        program_print_plan(&text, view.program);
        fputs(text.data, stdout);
        return 0;
    }
    const ProgramKernel *kernel = arguments->operands.count == 2 ? find_kernel(view.program, arguments->operands.items[1]) : NULL;
    if (kernel)
        return show_kernel(&view, kernel);
    const char *only = arguments_text(arguments, "program");
    if (only && !common_entry(arguments, view.program, only, false))
        return 1;
    if (!built_look(arguments->arena, view.bundle, view.program, &view.look, arguments->diag))
        return 1;
    if (arguments->operands.count == 2)
        return show_nodes(&view);
    if (arguments_has(arguments, "decisions"))
        print_decisions(&view);
    else
        each_dispatch(&view, print_dispatch);
    return 0;
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
