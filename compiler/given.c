// Given: finds the kernels that texts name.
#include "compiler/given.h"
#include <fnmatch.h>
#include <stdlib.h>

static GivenSchedules **empty(Arena *arena, const Program *program) {
    GivenSchedules **given = ARENA_NEW(arena, GivenSchedules *, program->entries.count + 1);
    for (uint32_t i = 0; i < program->entries.count; i++)
        given[i] = ARENA_NEW(arena, GivenSchedules, program->entries.items[i].phases.count + 1);
    return given;
}

// Labels begin with the root: "%12 conv2d …".
static uint32_t root_of(const Step *dispatch) { return dispatch->label && *dispatch->label == '%' ? (uint32_t)strtoul(dispatch->label + 1, NULL, 10) : 0; }

GivenSchedules **given_by_program(Arena *arena, const Program *program) {
    GivenSchedules **given = empty(arena, program);
    for (uint32_t i = 0; i < program->entries.count; i++)
        for (uint32_t k = 0; k < program->entries.items[i].phases.count; k++) {
            const ProgramPhase *phase = &program->entries.items[i].phases.items[k];
            for (uint32_t d = 0; d < phase->steps.count; d++)
                if (phase->steps.items[d].schedule)
                    array_push(arena, &given[i][k], ((GivenSchedule){root_of(&phase->steps.items[d]), phase->steps.items[d].schedule, NULL, &phase->steps.items[d]}));
        }
    return given;
}

static bool is_meant(Arena *arena, const Program *program, const char *where, const Step *dispatch, const char *kernel) {
    if (dispatch->kind != STEP_DISPATCH)
        return false;
    const char *name = program->kernels.items[dispatch->kernel].name, *value = arena_format(arena, "%%%u", root_of(dispatch));
    size_t number = strcspn(name, "_");
    return fnmatch(kernel, name, 0) == 0 || fnmatch(kernel, value, 0) == 0 || fnmatch(kernel, arena_format(arena, "%s/%s", where, value), 0) == 0 ||
           (strlen(kernel) == number && strncmp(kernel, name, number) == 0);
}

static uint32_t take(Arena *arena, const Program *program, const char *option, const char *kernel, const char *text, GivenSchedules **given) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < program->entries.count; i++)
        for (uint32_t k = 0; k < program->entries.items[i].phases.count; k++) {
            const ProgramPhase *phase = &program->entries.items[i].phases.items[k];
            const char *where = arena_format(arena, "%s/%s", program->entries.items[i].name, phase->name);
            for (uint32_t d = 0; d < phase->steps.count; d++) {
                if (!is_meant(arena, program, where, &phase->steps.items[d], kernel))
                    continue;
                array_push(arena, &given[i][k], ((GivenSchedule){root_of(&phase->steps.items[d]), text, option, NULL}));
                count++;
            }
        }
    return count;
}

GivenSchedules **given_by_options(Arena *arena, const Program *plain, const char *const *options, uint32_t count, Diag *diag) {
    GivenSchedules **given = empty(arena, plain);
    const char **names = ARENA_NEW(arena, const char *, plain->kernels.count + 1);
    for (uint32_t k = 0; k < plain->kernels.count; k++)
        names[k] = plain->kernels.items[k].name;
    for (uint32_t i = 0; i < count; i++) {
        const char *equals = strchr(options[i], '=');
        if (!equals) {
            diag_error(diag, NULL, "--schedule %s: is neither \"reference\" nor KERNEL=FAMILY[:PARAM=VALUE,...]", options[i]);
            return NULL;
        }
        const char *kernel = arena_format(arena, "%.*s", (int)(equals - options[i]), options[i]), *nearest = text_nearest(kernel, names, plain->kernels.count);
        if (take(arena, plain, options[i], kernel, equals + 1, given))
            continue;
        diag_error(diag, NULL, "--schedule %s: there is no kernel \"%s\"%s; without --schedule, `gcc-graph inspect BUNDLE` lists them", options[i], kernel,
                   nearest ? arena_format(arena, "; did you mean \"%s\"?", nearest) : "");
        return NULL;
    }
    return given;
}
