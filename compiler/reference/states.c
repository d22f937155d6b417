// Run states: initial values, and the names under which states are saved.
#include "compiler/reference/states.h"
#include "runtime/base/bug.h"

static const Set *set_of(const Module *module, const State *state) {
    return state->type.set ? &module->sets.items[state->type.set - 1] : NULL;
}

static void initialise(States *states, uint32_t index, uint64_t seed) {
    const State *state = &states->module->states.items[index];
    const Set *set = set_of(states->module, state);
    Tensor *tensor = &states->tensors[index];
    *tensor = tensor_create(states->arena, &state->type);
    bool copies = state->init.kind == INIT_COPY || state->kind == STATE_PARAMETERS || state->kind == STATE_EMA;
    if (!set || !copies) {
        if (state->init.kind != INIT_COPY)
            init_fill(&state->init, &state->type, state->name, seed, tensor->data);
        return;
    }
    for (uint32_t i = 0; i < set->parts.count; i++) {
        const Part *part = &set->parts.items[i];
        uint64_t offset = part->offset;
        while (part->init.kind == INIT_COPY) // of a part that is declared before
            part = module_part(states->arena, states->module, part->init.copy);
        init_fill(&part->init, &part->type, part->name, seed, tensor->data + offset);
    }
}

States states_create(Arena *arena, const Module *module, uint64_t seed) {
    States states = {.arena = arena, .module = module, .tensors = ARENA_NEW(arena, Tensor, module->states.count + 1)};
    for (uint32_t i = 0; i < module->states.count; i++)
        initialise(&states, i, seed);
    for (uint32_t i = 0; i < module->states.count; i++) { // copies, when what they copy is there
        const State *state = &module->states.items[i];
        const Tensor *from = state->init.kind == INIT_COPY && state->init.copy ? states_get(&states, state->init.copy) : NULL;
        if (from)
            memcpy(states.tensors[i].data, from->data, sizeof(double) * type_count(&state->type));
    }
    return states;
}

const Tensor *states_get(const States *states, const char *name) {
    uint32_t index = module_state_index(states->module, name);
    return index == UINT32_MAX ? NULL : &states->tensors[index];
}

void states_set(States *states, const char *name, const Tensor *tensor) {
    uint32_t index = module_state_index(states->module, name);
    CHECK(index != UINT32_MAX);
    memcpy(states->tensors[index].data, tensor->data, sizeof(double) * type_count(&tensor->type));
}

StateParts states_parts(const States *states, const char *entry) {
    StateParts parts = {0};
    const char *prefix = entry ? arena_format(states->arena, "%s.", entry) : NULL;
    for (uint32_t i = 0; i < states->module->states.count; i++) {
        const State *state = &states->module->states.items[i];
        const Set *set = set_of(states->module, state);
        double *data = states->tensors[i].data;
        if (state->kind == STATE_SUM || (state->kind == STATE_PROGRAM && prefix && !text_starts_with(state->name, prefix)))
            continue;
        if (!set) {
            array_push(states->arena, &parts, ((StatePart){state->name, state, state->type, data}));
            continue;
        }
        for (uint32_t k = 0; k < set->parts.count; k++) {
            const Part *part = &set->parts.items[k];
            array_push(states->arena, &parts,
                       ((StatePart){module_part_name(states->arena, state, set, part), state, part->type, data + part->offset}));
        }
    }
    return parts;
}
