// Temporary: compiles into a folder that nobody else knows; finds the compiler's view of an existing bundle.
#include "compiler/driver/temporary.h"
#include "runtime/base/file.h"
#include <errno.h>
#include <stdlib.h>

bool temporary_create(Arguments *arguments, const Module *module, const CompileOptions *options, Temporary *out) {
    Arena *arena = arguments->arena;
    const char *cache = file_cache_folder(arena);
    if (!file_make_folders(cache, arguments->diag))
        return false;
    char *folder = arena_copy_text(arena, file_join(arena, cache, "temporary-XXXXXX"));
    if (!mkdtemp(folder)) {
        diag_error(arguments->diag, &(Place){.file = folder}, "cannot be made: %s", strerror(errno));
        return false;
    }
    const char *bundle = file_join(arena, folder, "bundle");
    *out = (Temporary){.module = module, .folder = folder};
    out->compiled = compile_module(arena, module, options, bundle, arguments->diag);
    out->program = out->compiled ? program_read(arena, bundle, arguments->diag) : NULL;
    if (!out->program)
        temporary_destroy(arguments, out);
    return out->program != NULL;
}

void temporary_destroy(Arguments *arguments, Temporary *temporary) {
    if (temporary->folder && !file_remove_tree(temporary->folder, arguments->diag))
        diag_warning(arguments->diag, &(Place){.file = temporary->folder}, "is left behind");
    temporary->folder = NULL;
}

static bool same_range(const Range *a, const Range *b) { return a->memory == b->memory && a->offset == b->offset && a->size == b->size; }

static bool same_dispatch(const Dispatch *a, const Dispatch *b) {
    if (strcmp(a->label, b->label) != 0 || a->value_count != b->value_count || a->ranges.count != b->ranges.count ||
        memcmp(a->groups, b->groups, sizeof a->groups) != 0)
        return false;
    for (uint32_t i = 0; i < a->value_count; i++)
        if (a->values[i] != b->values[i])
            return false;
    for (uint32_t i = 0; i < a->ranges.count; i++)
        if (!same_range(&a->ranges.items[i], &b->ranges.items[i]))
            return false;
    return true;
}

// Edited kernels differ in their bodies only, so bodies are not compared.
static bool same_structure(const Program *a, const Program *b) {
    if (a->entries.count != b->entries.count)
        return false;
    for (uint32_t i = 0; i < a->entries.count; i++) {
        const ProgramEntry *x = &a->entries.items[i], *y = &b->entries.items[i];
        if (strcmp(x->name, y->name) != 0 || x->phases.count != y->phases.count)
            return false;
        for (uint32_t k = 0; k < x->phases.count; k++) {
            const ProgramPhase *p = &x->phases.items[k], *q = &y->phases.items[k];
            if (p->dispatches.count != q->dispatches.count)
                return false;
            for (uint32_t d = 0; d < p->dispatches.count; d++)
                if (!same_dispatch(&p->dispatches.items[d], &q->dispatches.items[d]))
                    return false;
        }
    }
    return true;
}

bool temporary_look(Arguments *arguments, const char *bundle, const Program *program, Temporary *out) {
    Module *module = common_read_preset(arguments, bundle, NULL);
    if (!module)
        return false;
    for (uint32_t variant = 0; variant < 4; variant++) {
        CompileOptions options = {.target = program->target, .no_fuse = variant & 1, .reference_schedule = variant & 2};
        Compiled *compiled = compile_module(arguments->arena, module, &options, NULL, arguments->diag);
        if (!compiled)
            return false;
        if (!same_structure(program, compiled->program))
            continue;
        *out = (Temporary){.module = module, .compiled = compiled, .program = program};
        return true;
    }
    diag_error(arguments->diag, &(Place){.file = bundle}, "was compiled by another version of gcc-graph; compile it anew");
    return false;
}
