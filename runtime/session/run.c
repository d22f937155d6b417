// Session: submission, results, single dispatches.
#include "runtime/session/parts.h"
#include "runtime/base/clock.h"

static bool check_alive(Session *session, Diag *diag) {
    if (!session_is_lost(session))
        return true;
    diag_error(diag, NULL, "%s: the device was lost; the session must be created anew", device_info(session->device)->name);
    return false;
}

bool session_is_lost(const Session *session) { return session->is_lost || device_is_lost(session->device); }

// ---- results

static Record *new_record(Session *session, PhaseState *phase) {
    Record *record = phase->spare;
    if (record) {
        phase->spare = record->next;
        record->next = NULL;
        return record;
    }
    uint32_t count = phase->phase->results.count;
    record = ARENA_NEW(session->arena, Record, 1);
    record->phase = phase;
    record->values = ARENA_NEW(session->arena, const void *, count);
    record->storage = ARENA_NEW(session->arena, void *, count);
    for (uint32_t i = 0; i < count; i++)
        record->storage[i] = arena_alloc(session->arena, layout_logical_count(&phase->phase->results.items[i].tensor.layout) * ELEMENT_WORD);
    return record;
}

static bool is_true(const ProgramTensor *condition, const char *bytes) {
    uint32_t word;
    element_load(condition->type, bytes, 1, &word, 1);
    return element_word_number(condition->type, word) != 0;
}

static double stamp_seconds(const Session *session, const char *bytes) {
    uint64_t stamps[2];
    memcpy(stamps, bytes, sizeof stamps);
    return stamps_seconds(session->device, stamps[0], stamps[1]);
}

static void store_record(Session *session, const Slot *slot) {
    PhaseState *phase = slot->phase;
    const char *bytes = buffer_bytes(slot->readback);
    Record *record = new_record(session, phase);
    record->moment = slot->moment;
    record->tag = slot->tag;
    record->seconds = slot->stamps ? stamp_seconds(session, bytes + READBACK_STAMPS) : 0;
    for (uint32_t i = 0; i < phase->phase->results.count; i++) {
        const ProgramResult *result = &phase->phase->results.items[i];
        record->values[i] = NULL;
        if (result->has_condition && !is_true(&result->condition, bytes + phase->result_offsets[2 * i + 1]))
            continue;
        layout_load(&result->tensor.layout, result->tensor.type, bytes + phase->result_offsets[2 * i], record->storage[i]);
        record->values[i] = record->storage[i];
    }
    for (uint32_t i = 0; phase->stamps && i < phase->phase->steps.count; i++)
        phase->seconds[i] += stamp_seconds(session, bytes + phase->profile_offset + 16 * (uint64_t)i);
    phase->runs++;
    if (session->last_record)
        session->last_record->next = record;
    else
        session->first_record = record;
    session->last_record = record;
    session->record_count++;
}

// Moves the oldest slot's results to the records; waits for it.
static bool harvest(Session *session, Diag *diag) {
    Slot *slot = &session->slots[session->first_slot];
    if (!queue_wait(session->device, session->queue, slot->ticket, diag)) {
        session->is_lost = true;
        return false;
    }
    uint32_t number;
    memcpy(&number, buffer_bytes(slot->readback), sizeof number);
    if (number != slot->number) {
        session->is_lost = true;
        diag_error(diag, NULL, "%s: the device was lost: the driver reported success, but step %u of %s/%s was not completed",
                   device_info(session->device)->name, slot->moment.step, slot->phase->entry->name, slot->phase->phase->name);
        return false;
    }
    store_record(session, slot);
    session->first_slot = (session->first_slot + 1) % session->slot_count;
    session->busy_slots--;
    return true;
}

bool session_finish(Session *session, Diag *diag) {
    if (!check_alive(session, diag))
        return false;
    while (session->busy_slots > 0) {
        if (!harvest(session, diag))
            return false;
    }
    return true;
}

uint32_t session_in_flight(const Session *session) { return session->busy_slots + session->record_count; }

bool session_take(Session *session, bool wait, SessionResult *out, bool *got, Diag *diag) {
    *got = false;
    if (session->taken) {
        session->taken->next = session->taken->phase->spare;
        session->taken->phase->spare = session->taken;
        session->taken = NULL;
    }
    if (!session->first_record && session->busy_slots > 0) {
        if (!check_alive(session, diag))
            return false;
        uint64_t done = UINT64_MAX;
        if (!wait && !queue_done(session->device, session->queue, &done, diag)) {
            session->is_lost = true;
            return false;
        }
        if (done < session->slots[session->first_slot].ticket)
            return true;
        if (!harvest(session, diag))
            return false;
    }
    Record *record = session->first_record;
    if (!record)
        return true;
    session->first_record = record->next;
    if (!session->first_record)
        session->last_record = NULL;
    session->record_count--;
    session->taken = record;
    *out = (SessionResult){.entry = record->phase->entry,
                           .phase = record->phase->phase,
                           .moment = record->moment,
                           .tag = record->tag,
                           .device_seconds = record->seconds,
                           .values = record->values};
    *got = true;
    return true;
}

// ---- submission

static void fill_numbers(const Session *session, const ProgramPhase *phase, const Moment *moment, uint32_t *numbers) {
    memset(numbers, 0, NUMBER_COUNT * sizeof *numbers);
    numbers[NUMBER_SEED_LOW] = (uint32_t)session->options.seed;
    numbers[NUMBER_SEED_HIGH] = (uint32_t)(session->options.seed >> 32);
    numbers[NUMBER_STEP] = moment->step;
    numbers[NUMBER_STEPS] = moment->steps;
    numbers[NUMBER_EPOCH] = moment->epoch;
    numbers[NUMBER_EPOCH_STEPS] = moment->epoch_steps;
    numbers[NUMBER_REPETITION] = moment->repetition;
    numbers[NUMBER_INDEX] = moment->index;
    numbers[NUMBER_RECORDS] = moment->records ? moment->records : program_batch(phase);
}

// Where a driver's clock watches submissions, as on GPUs, each segment is one of its own.
static bool send(Session *session, PhaseState *phase, uint32_t slot, uint64_t *ticket, Diag *diag) {
    bool is_split = session->model.submission_seconds > 0 || session->options.segment_dispatches > 0;
    uint32_t segments = phase->segments.count, count = 0;
    Commands parts[32];
    parts[count++] = phase->prefixes[slot];
    for (uint32_t i = 0; i < segments; i++) {
        parts[count++] = phase->segments.items[i];
        if (!is_split && count < 31)
            continue;
        if (i + 1 < segments) {
            if (!queue_submit(session->device, session->queue, parts, count, NULL, diag))
                return false;
            count = 0;
        }
    }
    parts[count++] = phase->suffixes[slot];
    return queue_submit(session->device, session->queue, parts, count, ticket, diag);
}

bool session_submit(Session *session, const ProgramEntry *entry, const ProgramPhase *phase, const Moment *moment, const void *const *feeds,
                    uint64_t tag, Diag *diag) {
    PhaseState *state = session_phase(session, phase);
    if (!state) {
        diag_error(diag, NULL, "program %s was not asked for when this session was created", entry->name);
        return false;
    }
    if (!check_alive(session, diag) || (session->busy_slots == session->slot_count && !harvest(session, diag)))
        return false;
    uint32_t index = (session->first_slot + session->busy_slots) % session->slot_count;
    Slot *slot = &session->slots[index];
    slot->phase = state;
    slot->moment = *moment;
    slot->tag = tag;
    slot->number = ++session->submitted;
    char *upload = buffer_bytes(slot->upload);
    uint32_t numbers[NUMBER_COUNT];
    fill_numbers(session, phase, moment, numbers);
    memcpy(upload, numbers, sizeof numbers);
    memcpy(upload + UPLOAD_NUMBER, &slot->number, sizeof slot->number);
    for (uint32_t i = 0; i < phase->feeds.count; i++)
        layout_store(&phase->feeds.items[i].tensor.layout, phase->feeds.items[i].tensor.type, feeds[i], upload + state->feed_offsets[i]);
    memset(buffer_bytes(slot->readback), 0, sizeof slot->number);
    if (!send(session, state, index, &slot->ticket, diag)) {
        session->is_lost = true; // parts of it may run: the states are neither old nor new
        return false;
    }
    session->busy_slots++;
    return true;
}

// ---- single dispatches

static bool run_once(Session *session, PhaseState *phase, uint32_t dispatch, double *seconds, Diag *diag) {
    Device *device = session->device;
    Stamps *stamps = device_info(device)->is_cpu ? NULL : session->errand_stamps; // a CPU device's clock is the host's
    if (!session_errand_begin(session, diag))
        return false;
    if (stamps) {
        commands_reset_stamps(device, session->errand, stamps);
        commands_stamp(device, session->errand, stamps, 0);
    }
    for (uint32_t i = 0; i < phase->pieces.count; i++) {
        if (phase->pieces.items[i].dispatch == dispatch)
            session_record_piece(session, session->errand, phase, &phase->pieces.items[i]);
    }
    Buffer *readback = session->slots[0].readback; // nothing is in flight
    if (stamps) {
        commands_stamp(device, session->errand, stamps, 1);
        commands_copy_stamps(device, session->errand, stamps, 2, readback, READBACK_STAMPS);
    }
    double start = clock_seconds();
    if (!session_errand_run(session, diag))
        return false;
    *seconds = stamps ? stamp_seconds(session, (const char *)buffer_bytes(readback) + READBACK_STAMPS) : clock_seconds() - start;
    return true;
}

bool session_run_dispatch(Session *session, const ProgramPhase *phase, uint32_t dispatch, const Moment *moment, uint32_t times,
                          double *seconds, Diag *diag) {
    PhaseState *state = session_phase(session, phase);
    if (!state || dispatch >= phase->steps.count) {
        diag_error(diag, NULL, "this session has no dispatch %u of phase %s", dispatch, phase->name);
        return false;
    }
    if (!session_finish(session, diag))
        return false;
    if (moment) {
        uint32_t numbers[NUMBER_COUNT];
        fill_numbers(session, phase, moment, numbers);
        Range range = {session->program->numbers.memory, session->program->numbers.offset, sizeof numbers};
        if (!session_write_range(session, &range, numbers, diag))
            return false;
    }
    double best = 0;
    for (uint32_t i = 0; i < times; i++) {
        double once;
        if (!run_once(session, state, dispatch, &once, diag))
            return false;
        best = i == 0 || once < best ? once : best;
    }
    if (seconds)
        *seconds = best;
    return true;
}

const double *session_profile(const Session *session, const ProgramPhase *phase, uint32_t *runs) {
    for (uint32_t i = 0; i < session->phases.count; i++) {
        const PhaseState *state = &session->phases.items[i];
        if (state->phase != phase || !state->stamps)
            continue;
        *runs = state->runs;
        return state->seconds;
    }
    *runs = 0;
    return NULL;
}
