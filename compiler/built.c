// Built: compiles in memory; finds the compiler's view of an existing bundle.
#include "compiler/built.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"

bool built_make(Arena *arena, const Module *module, const CompileOptions *options, Built *out, Diag *diag) {
    *out = (Built){.module = module};
    out->compiled = compile_module(arena, module, options, NULL, diag);
    out->program = out->compiled ? out->compiled->program : NULL;
    return out->program != NULL;
}

static bool same_range(const Range *a, const Range *b) { return a->memory == b->memory && a->offset == b->offset && a->size == b->size; }

// A kernel that was edited may have workgroups of another size, and then as many of them as it takes.
static bool same_groups(const Step *a, const ProgramKernel *kernel, const Step *b, const ProgramKernel *other) {
    return memcmp(kernel->workgroup, other->workgroup, sizeof kernel->workgroup) != 0 || memcmp(a->groups, b->groups, sizeof a->groups) == 0;
}

static bool same_dispatch(const Step *a, const Step *b) {
    if (a->kind != b->kind || a->word != b->word || strcmp(a->label, b->label) != 0 || a->value_count != b->value_count || a->ranges.count != b->ranges.count)
        return false;
    for (uint32_t i = 0; i < a->value_count; i++)
        if (a->values[i] != b->values[i])
            return false;
    for (uint32_t i = 0; i < a->ranges.count; i++)
        if (!same_range(&a->ranges.items[i], &b->ranges.items[i]))
            return false;
    return true;
}

// Edited kernels differ in their bodies and workgroups only, so those are not compared.
static bool same_structure(const Program *a, const Program *b) {
    if (a->entries.count != b->entries.count)
        return false;
    for (uint32_t i = 0; i < a->entries.count; i++) {
        const ProgramEntry *x = &a->entries.items[i], *y = &b->entries.items[i];
        if (strcmp(x->name, y->name) != 0 || x->phases.count != y->phases.count)
            return false;
        for (uint32_t k = 0; k < x->phases.count; k++) {
            const ProgramPhase *p = &x->phases.items[k], *q = &y->phases.items[k];
            if (p->steps.count != q->steps.count)
                return false;
            for (uint32_t d = 0; d < p->steps.count; d++) {
                const Step *one = &p->steps.items[d], *other = &q->steps.items[d];
                if (!same_dispatch(one, other))
                    return false;
                if (one->kind == STEP_DISPATCH && !same_groups(one, &a->kernels.items[one->kernel], other, &b->kernels.items[other->kernel]))
                    return false;
            }
        }
    }
    return true;
}

static bool is_transformed(const Program *program) {
    for (uint32_t i = 0; i < program->entries.count; i++)
        for (uint32_t k = 0; k < program->entries.items[i].phases.count; k++) {
            const ProgramPhase *phase = &program->entries.items[i].phases.items[k];
            for (uint32_t d = 0; d < phase->steps.count; d++)
                if (phase->steps.items[d].label && strstr(phase->steps.items[d].label, " winograd_"))
                    return true;
        }
    return false;
}

bool built_look(Arena *arena, const char *bundle, const Program *program, Built *out, Diag *diag) {
    ReadOptions read = {.path = file_join(arena, bundle, "graph.json")};
    Module *module = read_document(arena, &read, diag);
    if (!module)
        return false;
    // By tiles as estimated, or of one size; or without any, as estimated or not.
    uint32_t tiles = is_transformed(program) ? 3 : 2;
    for (uint32_t number = 0; number < 12 * tiles; number++) {
        uint32_t variant = number % 12;
        WinogradChoice winograd = number < 12 ? WINOGRAD_AUTO : tiles == 2 ? WINOGRAD_NEVER : number < 24 ? WINOGRAD_TILE_2 : WINOGRAD_TILE_4;
        static const OperandChoice choices[3] = {OPERANDS_AUTO, OPERANDS_COMPUTED, OPERANDS_STORED};
        CompileOptions options = {.target = program->target, .no_fuse = variant & 1, .reference_schedule = variant & 2, .operands = choices[variant / 4], .winograd = winograd, .no_spirv = true, .like = program};
        if ((options.no_fuse && options.operands) || (options.reference_schedule && winograd))
            continue;
        Compiled *compiled = compile_module(arena, module, &options, NULL, diag);
        if (!compiled)
            return false;
        if (!same_structure(program, compiled->program))
            continue;
        *out = (Built){.module = module, .compiled = compiled, .program = program};
        return true;
    }
    const char *writer = "an older gcc-graph than 0.2.0";
    if (program->version)
        writer = arena_format(arena, "gcc-graph %s", program->version);
    diag_error(diag, &(Place){.file = bundle},
               "was compiled by %s, and this gcc-graph " GG_VERSION " makes other kernels of its graph: it trains and samples, but only what "
               "compiled it can look into it; or compile it anew: gcc-graph compile %s/graph.json -o BUNDLE",
               writer, bundle);
    return false;
}
