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

// A network may lie in the set of another one, whose parts have that one's name.
const Part *module_part(Arena *arena, const Module *module, const char *name) {
    for (uint32_t i = 0; i < module->states.count; i++) {
        const State *state = &module->states.items[i];
        const Set *set = state->kind == STATE_PARAMETERS && state->type.set ? &module->sets.items[state->type.set - 1] : NULL;
        size_t length = set ? strlen(state->stem) : 0;
        if (!set || strncmp(name, state->stem, length) != 0 || name[length] != '.')
            continue;
        uint32_t part = name_table_find(set->names, arena_format(arena, "%s%s", set->network, name + length));
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
