// Session: recording. A phase becomes segments (shared by all slots) between a prefix, which loads a slot's numbers and feeds, and a
// suffix, which brings its results back. The completion number walks with them: the prefix puts it into word 0 of the progress buffer, each
// segment copies it from its own word to the next when its work is done, the suffix returns the last word. So it arrives only if all ran.
#include "runtime/session/parts.h"
#include "runtime/vk/spirv.h"

// By the class's figures, which are those of a slow device of it, or by the device's own where it is slower still: submissions must stay below
// the seconds after which drivers reset it, and a measurement is of its best moments.
static double cautious_seconds(const Session *session, const Step *step) {
    double usual = program_dispatch_seconds(step, &device_info(session->device)->target.model), own = program_dispatch_seconds(step, &session->model);
    return own > usual ? own : usual;
}

static uint32_t piece_count(const Session *session, const Step *dispatch, double seconds, uint32_t axis) {
    double wanted = 1;
    if (dispatch->kind != STEP_DISPATCH)
        return 1;
    const ProgramKernel *kernel = &session->program->kernels.items[dispatch->kernel];
    if (session->options.piece_groups)
        wanted = (double)dispatch->groups[0] * dispatch->groups[1] * dispatch->groups[2] / session->options.piece_groups;
    else if (session->model.submission_seconds > 0)
        wanted = seconds / session->model.submission_seconds;
    if (wanted <= 1 || !kernel->spirv || spirv_reads_group_count(kernel->spirv, kernel->spirv_size))
        return 1;
    uint32_t most = dispatch->groups[axis];
    return wanted >= most ? most : (uint32_t)wanted + 1;
}

void session_plan_pieces(Session *session, PhaseState *phase) {
    for (uint32_t i = 0; i < phase->phase->steps.count; i++) {
        const Step *dispatch = &phase->phase->steps.items[i];
        double seconds = cautious_seconds(session, dispatch);
        uint32_t axis = 0;
        for (uint32_t k = 1; k < 3; k++)
            axis = dispatch->groups[k] > dispatch->groups[axis] ? k : axis;
        uint32_t count = piece_count(session, dispatch, seconds, axis), total = dispatch->groups[axis];
        for (uint32_t k = 0; k < count; k++) {
            Piece piece = {.dispatch = i, .is_cut = count > 1, .seconds = seconds / count};
            memcpy(piece.groups, dispatch->groups, sizeof piece.groups);
            piece.base[axis] = (uint32_t)((uint64_t)total * k / count);
            piece.groups[axis] = (uint32_t)((uint64_t)total * (k + 1) / count) - piece.base[axis];
            array_push(session->arena, &phase->pieces, piece);
        }
        if (count > 1)
            session->kernels_cut[dispatch->kernel] = true;
    }
}

static void record_transfer(Session *session, Commands commands, const Step *step) {
    const Range *first = &step->ranges.items[0], *last = &step->ranges.items[step->ranges.count - 1];
    Buffer *to = session->memories[last->memory];
    if (step->kind == STEP_COPY)
        commands_copy(session->device, commands, session->memories[first->memory], first->offset, to, last->offset, last->size);
    else
        commands_fill(session->device, commands, to, last->offset, last->size, step->word);
}

void session_record_piece(Session *session, Commands commands, const PhaseState *phase, const Piece *piece) {
    const Step *dispatch = &phase->phase->steps.items[piece->dispatch];
    if (dispatch->kind != STEP_DISPATCH) {
        record_transfer(session, commands, dispatch);
        return;
    }
    CommandDispatch command = {.pipeline = session->pipelines[dispatch->kernel],
                               .set = phase->sets[piece->dispatch],
                               .push = dispatch->push.items,
                               .push_words = dispatch->push.count,
                               .is_cut = piece->is_cut};
    memcpy(command.base, piece->base, sizeof command.base);
    memcpy(command.groups, piece->groups, sizeof command.groups);
    commands_dispatch(session->device, commands, &command);
}

// ---- segments

typedef struct {
    Commands commands;
    uint32_t count; // pieces recorded; 0: no segment is open
    double seconds;
} Open;

static bool open_segment(Session *session, PhaseState *phase, Open *open, Diag *diag) {
    const char *name = arena_format(session->arena, "%s/%s segment %u", phase->entry->name, phase->phase->name, phase->segments.count);
    *open = (Open){0};
    if (!commands_begin(session->device, session->queue, true, name, &open->commands, diag))
        return false;
    commands_barrier(session->device, open->commands, BARRIER_START);
    return true;
}

static bool close_segment(Session *session, PhaseState *phase, Open *open, Diag *diag) {
    uint64_t word = phase->segments.count;
    commands_barrier(session->device, open->commands, BARRIER_STORED);
    commands_copy(session->device, open->commands, session->progress, PROGRESS_WORD * word, session->progress, PROGRESS_WORD * (word + 1),
                  PROGRESS_WORD);
    if (!commands_end(session->device, open->commands, diag))
        return false;
    array_push(session->arena, &phase->segments, open->commands);
    open->count = 0;
    return true;
}

static bool is_full(const Session *session, const Open *open, const Piece *piece, bool starts_wave) {
    const DeviceModel *model = &session->model;
    uint32_t most = session->options.segment_dispatches ? session->options.segment_dispatches : (uint32_t)model->submission_dispatches;
    bool is_long = (most > 0 && open->count >= most) || (model->submission_seconds > 0 && open->seconds + piece->seconds > model->submission_seconds);
    // Best between waves; but a dispatch that had to be cut is worth a segment, and no wave may make one endless.
    return is_long && (starts_wave || piece->is_cut || (most > 0 && open->count / 4 >= most));
}

// Whether a phase has only dispatches: its waves wait for shaders alone.
static bool only_dispatches(const ProgramPhase *phase) {
    for (uint32_t i = 0; i < phase->steps.count; i++)
        if (phase->steps.items[i].kind != STEP_DISPATCH)
            return false;
    return true;
}

static bool record_segments(Session *session, PhaseState *phase, Diag *diag) {
    Device *device = session->device;
    Barrier between = only_dispatches(phase->phase) ? BARRIER_WAVE : BARRIER_START;
    Open open = {0};
    for (uint32_t i = 0; i < phase->pieces.count; i++) {
        const Piece *piece = &phase->pieces.items[i];
        const Step *dispatches = phase->phase->steps.items;
        bool starts_dispatch = i == 0 || phase->pieces.items[i - 1].dispatch != piece->dispatch;
        bool ends_dispatch = i + 1 == phase->pieces.count || phase->pieces.items[i + 1].dispatch != piece->dispatch;
        bool starts_wave = i == 0 || dispatches[piece->dispatch].wave != dispatches[phase->pieces.items[i - 1].dispatch].wave;
        if (open.count > 0 && is_full(session, &open, piece, starts_wave) && !close_segment(session, phase, &open, diag))
            return false;
        if (open.count == 0) {
            if (!open_segment(session, phase, &open, diag))
                return false;
        } else if (starts_wave || (phase->stamps && starts_dispatch)) {
            commands_barrier(device, open.commands, between);
        }
        if (phase->stamps && starts_dispatch)
            commands_stamp(device, open.commands, phase->stamps, 2 * piece->dispatch);
        session_record_piece(session, open.commands, phase, piece);
        if (phase->stamps && ends_dispatch)
            commands_stamp(device, open.commands, phase->stamps, 2 * piece->dispatch + 1);
        open.count++;
        open.seconds += piece->seconds;
    }
    return open.count == 0 || close_segment(session, phase, &open, diag);
}

// ---- prefix and suffix

static bool record_prefix(Session *session, PhaseState *phase, uint32_t index, Diag *diag) {
    Device *device = session->device;
    Slot *slot = &session->slots[index];
    const Program *program = session->program;
    Commands commands;
    const char *name = arena_format(session->arena, "%s/%s prefix %u", phase->entry->name, phase->phase->name, index);
    if (!commands_begin(device, session->queue, false, name, &commands, diag))
        return false;
    commands_barrier(device, commands, BARRIER_START);
    if (phase->stamps)
        commands_reset_stamps(device, commands, phase->stamps);
    if (slot->stamps) {
        commands_reset_stamps(device, commands, slot->stamps);
        commands_stamp(device, commands, slot->stamps, 0);
    }
    commands_copy(device, commands, slot->upload, 0, session->memories[program->numbers.memory], program->numbers.offset, NUMBER_COUNT * ELEMENT_WORD);
    commands_copy(device, commands, slot->upload, UPLOAD_NUMBER, session->progress, 0, PROGRESS_WORD);
    for (uint32_t i = 0; i < phase->phase->feeds.count; i++) {
        const ProgramTensor *tensor = &phase->phase->feeds.items[i].tensor;
        commands_copy(device, commands, slot->upload, phase->feed_offsets[i], session->memories[tensor->range.memory], tensor->range.offset,
                      program_tensor_size(tensor));
    }
    for (uint32_t i = 0; session->options.guards && i < program->memories.count; i++) {
        if (program->memories.items[i].kind == MEMORY_SCRATCH)
            commands_fill(device, commands, session->memories[i], 0, buffer_size(session->memories[i]), 0x7FC00000); // NaN
    }
    commands_barrier(device, commands, BARRIER_LOADED);
    phase->prefixes[index] = commands;
    return commands_end(device, commands, diag);
}

static bool record_suffix(Session *session, PhaseState *phase, uint32_t index, Diag *diag) {
    Device *device = session->device;
    Slot *slot = &session->slots[index];
    Commands commands;
    const char *name = arena_format(session->arena, "%s/%s suffix %u", phase->entry->name, phase->phase->name, index);
    if (!commands_begin(device, session->queue, false, name, &commands, diag))
        return false;
    commands_barrier(device, commands, BARRIER_STORED);
    for (uint32_t i = 0; i < phase->phase->results.count; i++) {
        const ProgramResult *result = &phase->phase->results.items[i];
        const Range *range = &result->tensor.range, *condition = &result->condition.range;
        commands_copy(device, commands, session->memories[range->memory], range->offset, slot->readback, phase->result_offsets[2 * i],
                      program_tensor_size(&result->tensor));
        if (result->has_condition)
            commands_copy(device, commands, session->memories[condition->memory], condition->offset, slot->readback,
                          phase->result_offsets[2 * i + 1], element_stored(result->condition.type));
    }
    commands_copy(device, commands, session->progress, PROGRESS_WORD * (uint64_t)phase->segments.count, slot->readback, 0, PROGRESS_WORD);
    if (slot->stamps) {
        commands_stamp(device, commands, slot->stamps, 1);
        commands_copy_stamps(device, commands, slot->stamps, 2, slot->readback, READBACK_STAMPS);
    }
    if (phase->stamps)
        commands_copy_stamps(device, commands, phase->stamps, stamps_count(phase->stamps), slot->readback, phase->profile_offset);
    commands_barrier(device, commands, BARRIER_HOST);
    phase->suffixes[index] = commands;
    return commands_end(device, commands, diag);
}

bool session_record_phase(Session *session, PhaseState *phase, Diag *diag) {
    uint32_t dispatches = phase->phase->steps.count;
    phase->seconds = ARENA_NEW(session->arena, double, dispatches);
    if (session->options.profile && dispatches > 0 && stamps_are_available(session->device)) {
        phase->stamps = stamps_create(session->arena, session->device, 2 * dispatches, diag);
        if (!phase->stamps)
            return false;
    }
    if (!record_segments(session, phase, diag))
        return false;
    phase->prefixes = ARENA_NEW(session->arena, Commands, session->slot_count);
    phase->suffixes = ARENA_NEW(session->arena, Commands, session->slot_count);
    for (uint32_t i = 0; i < session->slot_count; i++) {
        if (!record_prefix(session, phase, i, diag) || !record_suffix(session, phase, i, diag))
            return false;
    }
    return true;
}
