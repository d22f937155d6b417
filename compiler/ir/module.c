// Module: look-ups by name.
#include "compiler/ir/module.h"

uint32_t module_state_index(const Module *module, const char *name) {
    for (uint32_t i = 0; i < module->states.count; i++)
        if (strcmp(module->states.items[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

const State *module_state(const Module *module, const char *name) {
    uint32_t index = module_state_index(module, name);
    return index == UINT32_MAX ? NULL : &module->states.items[index];
}

const char *module_part_name(Arena *arena, const State *state, const Set *set, const Part *part) {
    return arena_format(arena, "%s%s", state->stem, part->name + strlen(set->network));
}

const Part *module_part(const Module *module, const char *name) {
    for (uint32_t i = 0; i < module->sets.count; i++) {
        const Set *set = &module->sets.items[i];
        uint32_t part = set->names ? name_table_find(set->names, name) : UINT32_MAX;
        if (part != UINT32_MAX)
            return &set->parts.items[part];
    }
    return NULL;
}

const Field *module_field(const Module *module, const Feed *feed) {
    if (!feed->data)
        return &feed->declared;
    for (uint32_t i = 0; i < module->data.count; i++)
        for (uint32_t k = 0; strcmp(module->data.items[i].name, feed->data) == 0 && k < module->data.items[i].fields.count; k++)
            if (strcmp(module->data.items[i].fields.items[k].name, feed->field) == 0)
                return &module->data.items[i].fields.items[k];
    return NULL;
}

const GraphProgram *module_program(const Module *module, const char *name) {
    for (uint32_t i = 0; i < module->programs.count; i++)
        if (strcmp(module->programs.items[i].name, name) == 0)
            return &module->programs.items[i];
    return NULL;
}
