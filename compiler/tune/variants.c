// Variants: several schedulings of a program as entries of one.
#include "compiler/tune/parts.h"

void variants_begin(Arena *arena, const Tune *tune, Variants *out) {
    const Program *base = tune->base->program;
    *out = (Variants){.arena = arena, .program = *base};
    memset(&out->program.kernels, 0, sizeof out->program.kernels);
    memset(&out->program.entries, 0, sizeof out->program.entries);
    for (uint32_t i = 0; i < base->kernels.count; i++)
        array_push(arena, &out->program.kernels, base->kernels.items[i]);
    array_push(arena, &out->program.entries, *tune->entry);
    array_push(arena, &out->compiled, tune->base);
}

static bool is_same_range(const Range *a, const Range *b) { return a->memory == b->memory && a->offset == b->offset && a->size == b->size; }

static bool has_same_plan(const ProgramEntry *a, const ProgramEntry *b) {
    if (a->phases.count != b->phases.count)
        return false;
    for (uint32_t i = 0; i < a->phases.count; i++) {
        const ProgramPhase *x = &a->phases.items[i], *y = &b->phases.items[i];
        if (x->steps.count != y->steps.count)
            return false;
        for (uint32_t k = 0; k < x->steps.count; k++) {
            const Step *one = &x->steps.items[k], *other = &y->steps.items[k];
            if (one->kind != other->kind || one->ranges.count != other->ranges.count)
                return false;
            for (uint32_t r = 0; r < one->ranges.count; r++)
                if (!is_same_range(&one->ranges.items[r], &other->ranges.items[r]))
                    return false;
        }
    }
    return true;
}

// Equal kernels are one.
static uint32_t kernel_in(Variants *variants, const ProgramKernel *kernel) {
    for (uint32_t i = 0; i < variants->program.kernels.count; i++) {
        const ProgramKernel *own = &variants->program.kernels.items[i];
        if (!strcmp(own->digest, kernel->digest) && !strcmp(own->spirv_digest, kernel->spirv_digest))
            return i;
    }
    array_push(variants->arena, &variants->program.kernels, *kernel);
    return variants->program.kernels.count - 1;
}

bool variants_add(const Tune *tune, Variants *variants, const Winners *winners, Diag *diag) {
    Arena *arena = variants->arena;
    CompileOptions options = {.target = *tune->target, .winners = winners};
    Compiled *compiled = compile_module(arena, tune->module, &options, NULL, diag);
    if (!compiled)
        return false;
    Program *program = compiled->program;
    ProgramEntry entry = program->entries.items[tune->entry_index];
    if (!has_same_plan(tune->entry, &entry))
        return false;
    if (tune->options->spoil)
        tune->options->spoil(tune->options->spoil_context, arena, winners, program);
    entry.name = arena_format(arena, "%s, variant %u", entry.name, variants->program.entries.count);
    for (uint32_t i = 0; i < entry.phases.count; i++)
        for (uint32_t k = 0; k < entry.phases.items[i].steps.count; k++) {
            Step *step = &entry.phases.items[i].steps.items[k];
            if (step->kind == STEP_DISPATCH)
                step->kernel = kernel_in(variants, &program->kernels.items[step->kernel]);
        }
    array_push(arena, &variants->program.entries, entry);
    array_push(arena, &variants->compiled, compiled);
    return true;
}

Session *variants_open(const Tune *tune, Variants *variants, bool profile, Diag *diag) {
    SessionOptions options = {.seed = tune->options->seed, .profile = profile};
    Session *session = session_create(variants->arena, tune->device, &variants->program, &options, diag);
    if (session && !session_initialise(session, diag))
        session_destroy(&session);
    return session;
}
