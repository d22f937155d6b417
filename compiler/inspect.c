// Inspect: see inspect.h.
#include "compiler/inspect.h"
#include "compiler/ir/op.h"
#include "compiler/kernel/schedule.h"

typedef struct {
    Text *out;
    const Built *built;
    const Program *program;
    uint32_t found;
} View;

static const Kernel *kernel_of(const CompiledPhase *compiled, const Step *dispatch) {
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

// "rows" of "rows:lanes=8,…".
static const char *family_of(Arena *arena, const Step *dispatch) {
    return dispatch->schedule ? arena_format(arena, "%.*s", (int)strcspn(dispatch->schedule, ":"), dispatch->schedule) : "";
}

// The runner-up of a choice: what the estimate put next, or where the choice was another's, first.
static void print_schedule(const View *view, const Step *dispatch, const Kernel *kernel) {
    if (!kernel || !kernel->runner_up.family || !dispatch->schedule)
        return;
    text_format(view->out, "        computed as %s; runner-up %s\n", dispatch->schedule, schedule_text(view->out->arena, &kernel->runner_up));
}

static void print_dispatch(View *view, const ProgramEntry *entry, const ProgramPhase *phase, const CompiledPhase *compiled,
                           uint32_t index) {
    Arena *arena = view->out->arena;
    const Step *dispatch = &phase->steps.items[index];
    const Kernel *kernel = kernel_of(compiled, dispatch);
    if (index == 0) {
        text_format(view->out, "%s/%s: %u steps, scratch %s (lower bound %s)%s\n", entry->name, phase->name, phase->steps.count,
               text_bytes(arena, phase->scratch_size), text_bytes(arena, phase->scratch_lower_bound), program_turns_text(arena, phase));
        text_format(view->out, "  %4s  %-40s %-14s %-12s %9s %11s %11s  %s\n", "wave", "kernel", "class", "schedule", "groups", "bytes", "FLOP", "origin");
    }
    text_format(view->out, "  %4u  %-40s %-14s %-12s %9s %11s %11s  %s\n", dispatch->wave, program_step_name(view->program, dispatch),
           work_class_names[dispatch->work_class], family_of(arena, dispatch), dispatch->kind == STEP_DISPATCH ? groups_text(arena, dispatch->groups) : "",
           text_bytes(arena, (uint64_t)dispatch->bytes), dispatch->flops > 0 ? text_flops(arena, dispatch->flops) : "", dispatch->label);
    print_schedule(view, dispatch, kernel);
    if (kernel && kernel->reason)
        text_format(view->out, "        because %s\n", kernel->reason);
}

const ProgramKernel *inspect_find_kernel(const Program *program, const char *name) {
    for (uint32_t i = 0; i < program->kernels.count; i++) {
        const char *known = program->kernels.items[i].name;
        size_t number = strcspn(known, "_");
        if (strcmp(known, name) == 0 || (strlen(name) == number && memcmp(known, name, number) == 0))
            return &program->kernels.items[i];
    }
    return NULL;
}

static bool node_matches(const View *view, const char *wanted, const Graph *graph, uint32_t id) {
    if (wanted[0] == '%')
        return strcmp(wanted + 1, arena_format(view->out->arena, "%u", id)) == 0;
    const char *pointer = graph->nodes.items[id].origin.pointer;
    return pointer && strcmp(pointer, wanted) == 0;
}

static void print_place(const View *view, const Buffer *buffer) {
    const Range *range = &buffer->range;
    const char *size = text_bytes(view->out->arena, buffer->size);
    if (range->size == 0)
        text_format(view->out, "      %s in no memory: nothing reads it\n", size);
    else
        text_format(view->out, "      %s in memory %u (%s) at %llu\n", size, range->memory, memory_kind_names[view->program->memories.items[range->memory].kind],
               (unsigned long long)range->offset);
}

static void print_value(View *view, const ProgramPhase *phase, const CompiledPhase *compiled, uint32_t id) {
    Arena *arena = view->out->arena;
    const Node *node = &compiled->graph->nodes.items[id];
    const Buffer *buffer = &compiled->kernels->buffers[id];
    Text text = text_create(arena);
    for (uint32_t i = 0; i < node->arg_count; i++)
        text_format(&text, " %%%u", node->args[i].id);
    text_format(view->out, "  %%%u = %s%s : %s  ; %s%s%s\n", id, op_def(node->op)->name, text.data, type_text(arena, &node->type),
           node->origin.pointer ? node->origin.pointer : "", node->origin.maker ? " made by " : "",
           node->origin.maker ? node->origin.maker : "");
    if (buffer->kind == BUFFER_NONE)
        text_format(view->out, "      in no buffer: computed where it is used\n");
    else
        print_place(view, buffer);
    for (uint32_t i = 0; i < phase->steps.count; i++) {
        const Kernel *kernel = kernel_of(compiled, &phase->steps.items[i]);
        const char *name = program_step_name(view->program, &phase->steps.items[i]);
        for (uint32_t k = 0; kernel && k < kernel->stores.count; k++)
            if (kernel->stores.items[k].id == id)
                text_format(view->out, "      stored by %s in wave %u\n", name, phase->steps.items[i].wave);
        for (uint32_t k = 0; kernel && k < kernel->loads.count; k++)
            if (kernel->loads.items[k].id == id)
                text_format(view->out, "      loaded by %s in wave %u\n", name, phase->steps.items[i].wave);
    }
}

bool inspect_node(Text *out, const Built *built, const char *name) {
    View view = {.out = out, .built = built, .program = built->program};
    for (uint32_t i = 0; i < view.program->entries.count; i++) {
        const ProgramEntry *entry = &view.program->entries.items[i];
        for (uint32_t k = 0; k < entry->phases.count; k++) {
            const CompiledPhase *compiled = &built->compiled->phases[i][k];
            bool headed = false;
            for (uint32_t id = 1; id < compiled->graph->nodes.count; id++) {
                if (!node_matches(&view, name, compiled->graph, id))
                    continue;
                if (!headed)
                    text_format(out, "%s/%s\n", entry->name, entry->phases.items[k].name);
                headed = true;
                view.found++;
                print_value(&view, &entry->phases.items[k], compiled, id);
            }
        }
    }
    return view.found > 0;
}

const char *inspect_suggestion(Arena *arena, const Program *program, const char *name) {
    const char **known = ARENA_NEW(arena, const char *, program->kernels.count + 1);
    for (uint32_t i = 0; i < program->kernels.count; i++)
        known[i] = program->kernels.items[i].name;
    const char *nearest = text_nearest(name, known, program->kernels.count);
    return nearest ? arena_format(arena, "; did you mean %s?", nearest) : "";
}

void inspect_kernels(Text *out, const Built *built, const char *only) {
    View view = {.out = out, .built = built, .program = built->program};
    for (uint32_t i = 0; i < view.program->entries.count; i++) {
        const ProgramEntry *entry = &view.program->entries.items[i];
        for (uint32_t k = 0; k < entry->phases.count && (!only || strcmp(only, entry->name) == 0); k++)
            for (uint32_t d = 0; d < entry->phases.items[k].steps.count; d++)
                print_dispatch(&view, entry, &entry->phases.items[k], &built->compiled->phases[i][k], d);
    }
}

void inspect_decisions(Text *out, const Built *built) {
    const Program *program = built->program;
    for (uint32_t i = 0; i < program->entries.count; i++)
        for (uint32_t k = 0; k < program->entries.items[i].phases.count; k++) {
            const KernelList *list = built->compiled->phases[i][k].kernels;
            text_format(out, "%s/%s\n", program->entries.items[i].name, program->entries.items[i].phases.items[k].name);
            for (uint32_t d = 0; d < list->decisions.count; d++)
                text_format(out, "  %s\n", list->decisions.items[d]);
        }
}
