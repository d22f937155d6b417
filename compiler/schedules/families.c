// Families: the table, and schedules as text.
#include "compiler/schedules/families.h"

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
