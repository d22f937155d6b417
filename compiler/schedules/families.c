// Families: the table, and schedules as text.
#include "compiler/schedules/families.h"
#include <ctype.h>
#include <stdlib.h>

static const Family *const families[] = {
#define FAMILY(name) &name##_family,
#include "compiler/schedules/schedules.def"
#undef FAMILY
};

enum { FAMILY_COUNT = sizeof families / sizeof *families };

const Family *const *families_all(uint32_t *count) {
    *count = FAMILY_COUNT;
    return families;
}

const Family *families_find(const char *name) {
    for (uint32_t i = 0; i < FAMILY_COUNT; i++)
        if (!strcmp(families[i]->name, name))
            return families[i];
    return NULL;
}

const Family *families_parse(Arena *arena, const char *text, KernelClass kernel_class, const char **why) {
    const char *name = arena_format(arena, "%.*s", (int)strcspn(text, ":"), text), *known[FAMILY_COUNT];
    const Family *family = families_find(name);
    if (family && family->kernel_class == kernel_class)
        return family;
    uint32_t count = 0;
    Text all = text_create(arena);
    for (uint32_t i = 0; i < FAMILY_COUNT; i++)
        if (families[i]->kernel_class == kernel_class) {
            text_format(&all, "%s%s", count ? ", " : "", families[i]->name);
            known[count++] = families[i]->name;
        }
    if (family)
        *why = arena_format(arena, "%s computes no kernel of the class %s; what does: %s", name, kernel_class_names[kernel_class], all.data);
    else
        *why = arena_format(arena, "there is no family \"%s\"%s", name, text_suggestion(arena, name, known, count));
    return NULL;
}

static uint32_t param_of(const Family *family, const char *name) {
    uint32_t i = 0;
    while (i < family->param_count && strcmp(family->params[i].name, name))
        i++;
    return i;
}

// `given` has a bit for each parameter that was.
static bool parse_param(Arena *arena, const char *text, Schedule *schedule, uint32_t *given, const char **why) {
    const Family *family = schedule->family;
    size_t length = strcspn(text, "=");
    const char *name = arena_format(arena, "%.*s", (int)length, text), *number = text + length + (text[length] == '='), *known[SCHEDULE_PARAMS_MAX];
    uint32_t i = param_of(family, name);
    for (uint32_t k = 0; k < family->param_count; k++)
        known[k] = family->params[k].name;
    if (i == family->param_count) {
        *why = arena_format(arena, "%s has no parameter \"%s\"%s", family->name, name, text_suggestion(arena, name, known, family->param_count));
        return false;
    }
    if (*given >> i & 1) {
        *why = arena_format(arena, "%s is given twice", name);
        return false;
    }
    *given |= 1u << i;
    char *end;
    unsigned long value = strtoul(number, &end, 10);
    for (uint32_t k = 0; isdigit((unsigned char)*number) && !*end && k < family->params[i].count; k++)
        if (family->params[i].values[k] == value) {
            schedule->values[i] = (uint32_t)value;
            return true;
        }
    *why = arena_format(arena, "%s is %s, not \"%s\"", name, schedule_numbers(arena, &family->params[i]), number);
    return false;
}

// A text that gives all parameters but younger ones is older than those.
static void take_from_before(Schedule *schedule, uint32_t given) {
    const Family *family = schedule->family;
    for (uint32_t i = 0; i < family->param_count; i++)
        if (!family->params[i].before && !(given >> i & 1))
            return;
    for (uint32_t i = 0; i < family->param_count; i++)
        if (!(given >> i & 1))
            schedule->values[i] = family->params[i].before;
}

bool families_parse_params(Arena *arena, const char *text, Schedule *schedule, const char **why) {
    uint32_t given = 0;
    text += strcspn(text, ":");
    while (*text) {
        text++;
        size_t length = strcspn(text, ",");
        if (!parse_param(arena, arena_format(arena, "%.*s", (int)length, text), schedule, &given, why))
            return false;
        text += length;
    }
    take_from_before(schedule, given);
    return true;
}
