// Session: creation and destruction. Everything that a program needs on a device is made here, once.
#include "runtime/session/launch.h"
#include "runtime/session/parts.h"
#include "runtime/vk/measure.h"

static uint64_t align_up(uint64_t size, uint64_t to) { return (size + to - 1) / to * to; }

bool session_is_used(const Session *session, const ProgramEntry *entry) {
    const char *only = session->options.only_entry, *also = session->options.also_entry;
    return (!only && !also) || (only && strcmp(entry->name, only) == 0) || (also && strcmp(entry->name, also) == 0);
}

PhaseState *session_phase(Session *session, const ProgramPhase *phase) {
    for (uint32_t i = 0; i < session->phases.count; i++) {
        if (session->phases.items[i].phase == phase)
            return session->phases.items[i].is_used ? &session->phases.items[i] : NULL;
    }
    return NULL;
}

// ---- does it fit?

// "; its shared_bytes_max is 16384, the target's 32768": each limit of the device that is smaller than what the compiler could count on.
static const char *smaller_limits(Arena *arena, const Target *own, const Target *wanted) {
    Text text = text_create(arena);
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        if (!capability_suffices(i, own, wanted))
            text_format(&text, "; its %s is %llu, the target's %llu", capability_def(i)->name, (unsigned long long)target_value(own, i),
                        (unsigned long long)target_value(wanted, i));
    return text.data;
}

static bool check_fit(const Session *session, Diag *diag) {
    const DeviceInfo *info = device_info(session->device);
    Arena *arena = arena_create();
    // The program's own target is a promise of the compiler; what counts is this device's.
    Program fitted = *session->program;
    fitted.target = info->target;
    Text problems = text_create(arena);
    bool good = program_verify(&fitted, &problems);
    if (!good) {
        char *end = strchr(problems.data, '\n');
        if (end)
            *end = 0;
        diag_error(diag, NULL, "%s, compiled for %s, does not fit the device %s: %s%s; compile the graph for it: "
                   "gcc-graph compile … --target %u",
                   session->program->name, target_text(arena, &session->program->target), info->name, problems.data,
                   smaller_limits(arena, &info->target, &session->program->target), info->index);
    }
    for (uint32_t i = 0; good && i < fitted.kernels.count; i++) {
        if (!fitted.kernels.items[i].needs_subgroup_ballot || info->target.subgroup_size == session->program->target.subgroup_size)
            continue;
        diag_error(diag, NULL, "%s: kernel %s is made for subgroups of %u, those of %s have %u; compile the graph for it: --target %u",
                   session->program->name, fitted.kernels.items[i].name, session->program->target.subgroup_size, info->name,
                   info->target.subgroup_size, info->index);
        good = false;
    }
    arena_destroy(&arena);
    return good;
}

static bool check_memory(const Session *session, Diag *diag) {
    uint64_t needed = 0, left = device_memory_left(session->device);
    for (uint32_t i = 0; i < session->program->memories.count; i++)
        needed += session->program->memories.items[i].size;
    if (needed <= left)
        return true;
    Arena *arena = arena_create();
    diag_error(diag, NULL, "%s needs %s of memory, but %s has %s left of %s; a smaller batch needs less (-D batch=…)",
               session->program->name, text_bytes(arena, needed), device_info(session->device)->name, text_bytes(arena, left),
               text_bytes(arena, device_info(session->device)->memory_total));
    arena_destroy(&arena);
    return false;
}

static bool check_names(const Session *session, Diag *diag) {
    const char *names[] = {session->options.only_entry, session->options.also_entry};
    for (uint32_t i = 0; i < 2; i++) {
        if (names[i] && !program_entry(session->program, names[i])) {
            diag_error(diag, NULL, "%s has no program \"%s\"", session->program->name, names[i]);
            return false;
        }
    }
    return true;
}

// ---- memory

static bool create_memories(Session *session, Diag *diag) {
    const Program *program = session->program;
    session->memories = ARENA_NEW(session->arena, Buffer *, program->memories.count);
    bool needs_staging = false;
    for (uint32_t i = 0; i < program->memories.count; i++) {
        const char *name = arena_format(session->arena, "memory %u (%s)", i, memory_kind_names[program->memories.items[i].kind]);
        session->memories[i] =
            buffer_create(session->arena, session->device, BUFFER_DEVICE, align_up(program->memories.items[i].size, 16), name, diag);
        if (!session->memories[i])
            return false;
        needs_staging = needs_staging || !buffer_bytes(session->memories[i]);
    }
    if (!needs_staging)
        return true;
    session->staging_up = buffer_create(session->arena, session->device, BUFFER_UPLOAD, STAGING_SIZE, "staging up", diag);
    session->staging_down =
        session->staging_up ? buffer_create(session->arena, session->device, BUFFER_READBACK, STAGING_SIZE, "staging down", diag) : NULL;
    return session->staging_down != NULL;
}

static bool fill_memories(Session *session, Diag *diag) {
    const Program *program = session->program;
    const char *constants = program->constants;
    if (!session_errand_begin(session, diag))
        return false;
    for (uint32_t i = 0; i < program->memories.count; i++) {
        MemoryKind kind = program->memories.items[i].kind;
        if (kind == MEMORY_STATE || kind == MEMORY_FEED)
            commands_fill(session->device, session->errand, session->memories[i], 0, buffer_size(session->memories[i]), 0);
    }
    commands_fill(session->device, session->errand, session->progress, 0, buffer_size(session->progress), 0);
    if (!session_errand_run(session, diag))
        return false;
    for (uint32_t i = 0; i < program->memories.count; i++) {
        if (program->memories.items[i].kind != MEMORY_CONSTANT)
            continue;
        Range range = {i, 0, program->memories.items[i].size};
        if (!session_write_range(session, &range, constants, diag))
            return false;
        constants += range.size;
    }
    return true;
}

// ---- phases

static void lay_out_phase(Session *session, PhaseState *state, uint64_t *upload, uint64_t *readback) {
    const ProgramPhase *phase = state->phase;
    uint64_t at = UPLOAD_FEEDS;
    state->feed_offsets = ARENA_NEW(session->arena, uint64_t, phase->feeds.count);
    for (uint32_t i = 0; i < phase->feeds.count; i++) {
        state->feed_offsets[i] = at;
        at = align_up(at + program_tensor_size(&phase->feeds.items[i].tensor), 64);
    }
    *upload = at > *upload ? at : *upload;
    at = READBACK_RESULTS;
    state->result_offsets = ARENA_NEW(session->arena, uint64_t, phase->results.count * 2u);
    for (uint32_t i = 0; i < phase->results.count; i++) {
        const ProgramResult *result = &phase->results.items[i];
        state->result_offsets[2 * i] = at;
        at = align_up(at + program_tensor_size(&result->tensor), 64);
        state->result_offsets[2 * i + 1] = at;
        at += result->has_condition ? 64 : 0;
    }
    state->profile_offset = at;
    if (session->options.profile)
        at += 16 * (uint64_t)phase->steps.count;
    *readback = at > *readback ? at : *readback;
}

static void list_phases(Session *session, uint64_t *upload, uint64_t *readback) {
    const Program *program = session->program;
    for (uint32_t i = 0; i < program->entries.count; i++) {
        const ProgramEntry *entry = &program->entries.items[i];
        for (uint32_t k = 0; k < entry->phases.count; k++) {
            PhaseState state = {.entry = entry, .phase = &entry->phases.items[k], .is_used = session_is_used(session, entry)};
            if (state.is_used) {
                lay_out_phase(session, &state, upload, readback);
                session_plan_pieces(session, &state);
            }
            array_push(session->arena, &session->phases, state);
        }
    }
}

static bool create_slots(Session *session, uint64_t upload, uint64_t readback, Diag *diag) {
    session->slot_count = session->options.slots ? session->options.slots : 3;
    session->slots = ARENA_NEW(session->arena, Slot, session->slot_count);
    for (uint32_t i = 0; i < session->slot_count; i++) {
        Slot *slot = &session->slots[i];
        slot->upload =
            buffer_create(session->arena, session->device, BUFFER_UPLOAD, upload, arena_format(session->arena, "slot %u up", i), diag);
        if (!slot->upload)
            return false;
        slot->readback = buffer_create(session->arena, session->device, BUFFER_READBACK, readback,
                                       arena_format(session->arena, "slot %u down", i), diag);
        if (!slot->readback)
            return false;
        if (stamps_are_available(session->device) && !(slot->stamps = stamps_create(session->arena, session->device, 2, diag)))
            return false;
    }
    return true;
}

PipelineSource session_pipeline_source(const Session *session, uint32_t index) {
    PipelineSource source = pipeline_source(&session->program->kernels.items[index]);
    source.is_cut = session->kernels_cut[index];
    return source;
}

static bool create_pipelines(Session *session, Diag *diag) {
    const Program *program = session->program;
    uint32_t count = 0;
    bool *is_needed = ARENA_NEW(session->arena, bool, program->kernels.count);
    for (uint32_t i = 0; i < session->phases.count; i++) {
        const PhaseState *state = &session->phases.items[i];
        for (uint32_t k = 0; state->is_used && k < state->phase->steps.count; k++)
            if (state->phase->steps.items[k].kind == STEP_DISPATCH)
                is_needed[state->phase->steps.items[k].kernel] = true;
    }
    PipelineSource *sources = ARENA_NEW(session->arena, PipelineSource, program->kernels.count);
    Pipeline **made = ARENA_NEW(session->arena, Pipeline *, program->kernels.count);
    for (uint32_t i = 0; i < program->kernels.count; i++) {
        const ProgramKernel *kernel = &program->kernels.items[i];
        if (!is_needed[i])
            continue;
        if (!kernel->spirv) {
            diag_error(diag, NULL, "%s: the SPIR-V of kernel %s was not loaded", program->name, kernel->name);
            return false;
        }
        sources[count++] = session_pipeline_source(session, i);
    }
    session_launch_kernels(session);
    if (!pipelines_create(session->arena, session->device, sources, count, session->options.progress, session->options.progress_context,
                          made, diag))
        return false;
    for (uint32_t i = 0, k = 0; i < program->kernels.count; i++)
        session->pipelines[i] = is_needed[i] ? made[k++] : NULL;
    return true;
}

static bool create_bindings(Session *session, Diag *diag) {
    uint32_t sets = 0, storage = 0, texel = 0;
    for (uint32_t i = 0; i < session->phases.count; i++) {
        const PhaseState *state = &session->phases.items[i];
        for (uint32_t k = 0; state->is_used && k < state->phase->steps.count; k++) {
            if (state->phase->steps.items[k].kind != STEP_DISPATCH)
                continue;
            const ProgramKernel *kernel = &session->program->kernels.items[state->phase->steps.items[k].kernel];
            sets++;
            for (uint32_t b = 0; b < kernel->bindings.count; b++)
                *(kernel->bindings.items[b] == BINDING_TEXEL ? &texel : &storage) += 1;
        }
    }
    session->bindings = bindings_create(session->arena, session->device, sets, storage, texel, diag);
    if (!session->bindings)
        return false;
    for (uint32_t i = 0; i < session->phases.count; i++) {
        PhaseState *state = &session->phases.items[i];
        state->sets = ARENA_NEW(session->arena, BindingSet, state->phase->steps.count);
        for (uint32_t k = 0; state->is_used && k < state->phase->steps.count; k++) {
            const Step *dispatch = &state->phase->steps.items[k];
            if (dispatch->kind == STEP_DISPATCH &&
                !bindings_add(session->arena, session->device, session->bindings, session->pipelines[dispatch->kernel],
                              session->program->kernels.items[dispatch->kernel].bindings.items, dispatch->ranges.items,
                              dispatch->ranges.count, session->memories, &state->sets[k], diag))
                return false;
        }
    }
    return true;
}

static bool create_queue(Session *session, Diag *diag) {
    session->queue = queue_create(session->arena, session->device, diag);
    if (!session->queue || !commands_begin(session->device, session->queue, false, "errand", &session->errand, diag) ||
        !commands_end(session->device, session->errand, diag))
        return false;
    if (stamps_are_available(session->device) && !(session->errand_stamps = stamps_create(session->arena, session->device, 2, diag)))
        return false;
    uint32_t segments_max = 0; // at most one for each piece
    for (uint32_t i = 0; i < session->phases.count; i++)
        segments_max = session->phases.items[i].pieces.count > segments_max ? session->phases.items[i].pieces.count : segments_max;
    session->progress =
        buffer_create(session->arena, session->device, BUFFER_DEVICE, align_up(PROGRESS_WORD * ((uint64_t)segments_max + 1), 16), "progress", diag);
    return session->progress != NULL;
}

static bool record_phases(Session *session, Diag *diag) {
    for (uint32_t i = 0; i < session->phases.count; i++) {
        if (session->phases.items[i].is_used && !session_record_phase(session, &session->phases.items[i], diag))
            return false;
    }
    return true;
}

// What is measured shortens submissions; where these have no limit, nobody asks.
static void choose_model(Session *session, Diag *diag) {
    const DeviceInfo *info = device_info(session->device);
    session->model = session->options.model ? *session->options.model : info->target.model;
    if (!session->options.model && session->model.submission_seconds > 0)
        measure_kept(session->arena, info, &session->model, diag);
}

Session *session_create(Arena *arena, Device *device, const Program *program, const SessionOptions *options, Diag *diag) {
    Session *session = ARENA_NEW(arena, Session, 1);
    session->arena = arena;
    session->device = device;
    session->program = program;
    if (options)
        session->options = *options;
    choose_model(session, diag);
    session->pipelines = ARENA_NEW(arena, Pipeline *, program->kernels.count);
    session->kernels_cut = ARENA_NEW(arena, bool, program->kernels.count);
    uint64_t upload = UPLOAD_FEEDS, readback = READBACK_RESULTS;
    bool good = check_names(session, diag) && check_fit(session, diag) && check_memory(session, diag);
    if (good)
        list_phases(session, &upload, &readback);
    good = good && create_memories(session, diag) && create_queue(session, diag) && create_slots(session, upload, readback, diag) &&
           create_pipelines(session, diag) && create_bindings(session, diag) && record_phases(session, diag) &&
           fill_memories(session, diag);
    if (!good)
        session_destroy(&session);
    return session;
}

void session_destroy(Session **session) {
    if (!session || !*session)
        return;
    Session *dying = *session;
    Device *device = dying->device;
    queue_destroy(device, &dying->queue); // waits
    for (uint32_t i = 0; i < dying->phases.count; i++)
        stamps_destroy(device, &dying->phases.items[i].stamps);
    for (uint32_t i = 0; dying->slots && i < dying->slot_count; i++) {
        buffer_destroy(device, &dying->slots[i].upload);
        buffer_destroy(device, &dying->slots[i].readback);
        stamps_destroy(device, &dying->slots[i].stamps);
    }
    bindings_destroy(device, &dying->bindings);
    for (uint32_t i = 0; i < dying->program->kernels.count; i++)
        pipeline_destroy(device, &dying->pipelines[i]);
    for (uint32_t i = 0; dying->memories && i < dying->program->memories.count; i++)
        buffer_destroy(device, &dying->memories[i]);
    stamps_destroy(device, &dying->errand_stamps);
    buffer_destroy(device, &dying->progress);
    buffer_destroy(device, &dying->staging_up);
    buffer_destroy(device, &dying->staging_down);
    *session = NULL;
}
