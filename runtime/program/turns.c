// Turns: see turns.h.
#include "runtime/program/turns.h"

static uint32_t index_of(const ProgramPhase *conditions, const ProgramResult *result) {
    return result ? (uint32_t)(result - conditions->results.items) : UINT32_MAX;
}

Turns *turns_create(Arena *arena, const ProgramEntry *entry, uint32_t steps, uint32_t epoch_steps, const uint32_t *runs, Diag *diag) {
    uint32_t count = entry->phases.count, *every = ARENA_NEW(arena, uint32_t, count), *when = ARENA_NEW(arena, uint32_t, count);
    if (!program_every(entry, steps, epoch_steps, every, diag))
        return NULL;
    Turns *turns = ARENA_NEW(arena, Turns, 1);
    *turns = (Turns){.entry = entry,
                     .conditions = program_conditions(entry),
                     .every = every,
                     .holds = ARENA_NEW(arena, bool, count),
                     .runs = ARENA_NEW(arena, uint32_t, count),
                     .when = when,
                     .stop = UINT32_MAX};
    if (entry->stop)
        turns->stop = index_of(turns->conditions, program_condition(arena, entry, NULL));
    for (uint32_t i = 0; i < count; i++) {
        const ProgramPhase *phase = &entry->phases.items[i];
        turns->holds[i] = true;
        turns->runs[i] = runs ? runs[i] : 0;
        when[i] = phase->when ? index_of(turns->conditions, program_condition(arena, entry, phase)) : UINT32_MAX;
        if (i > 0 && accumulate_is_led(phase->part)) // its turns are the batch's
            when[i] = when[i - 1];
    }
    return turns;
}

bool turns_has(const Turns *turns, uint32_t step, uint32_t phase) {
    if (!turns)
        return true;
    return !turns->entry->phases.items[phase].is_conditions && step % turns->every[phase] == 0 && turns->holds[phase];
}

static uint32_t multiples_below(uint32_t step, uint32_t every) { return step / every + (step % every != 0); }

uint32_t turns_before(const Turns *turns, uint32_t step, uint32_t phase) {
    if (!turns)
        return step;
    return turns->when[phase] != UINT32_MAX ? turns->runs[phase] : multiples_below(step, turns->every[phase]);
}

uint32_t turns_before_end(const Turns *turns, uint32_t step, uint32_t end_step, uint32_t phase) {
    if (end_step <= step)
        return turns_before(turns, step, phase);
    if (!turns)
        return end_step;
    return turns_before(turns, step, phase) + multiples_below(end_step, turns->every[phase]) - multiples_below(step, turns->every[phase]);
}

void turns_count(Turns *turns, uint32_t phase) { turns->runs[phase]++; }

static bool is_true(const ProgramResult *result, const void *value) {
    return element_word_number(result->tensor.type, *(const uint32_t *)value) != 0;
}

void turns_take(Turns *turns, const void *const *values) {
    const ProgramResult *results = turns->conditions->results.items;
    for (uint32_t i = 0; i < turns->entry->phases.count; i++)
        if (turns->when[i] != UINT32_MAX)
            turns->holds[i] = is_true(&results[turns->when[i]], values[turns->when[i]]);
    turns->is_stopped = turns->stop != UINT32_MAX && is_true(&results[turns->stop], values[turns->stop]);
}
