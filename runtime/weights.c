// Weights: see weights.h.
#include "runtime/weights.h"
#include <math.h>

static bool is_finite(const HostTensor *tensor) {
    const float *values = tensor->data;
    for (size_t i = 0; tensor->dtype == HOST_F32 && i < tensor->size / sizeof *values; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

// A document's own states may well hold an infinity ("the best so far").
static bool must_be_finite(const ProgramState *state) {
    return strcmp(state->kind, "parameter") == 0 || strcmp(state->kind, "moment") == 0 || strcmp(state->kind, "ema") == 0 || state->network;
}

bool weights_get(Session *session, const Program *program, Arena *arena, HostTensor **tensors, uint32_t *tensor_count, Diag *diag) {
    *tensors = ARENA_NEW(arena, HostTensor, program->states.count);
    *tensor_count = 0;
    for (uint32_t i = 0; i < program->states.count; i++) {
        const ProgramState *state = &program->states.items[i];
        if (!checkpoint_keeps(state))
            continue;
        HostTensor *tensor = &(*tensors)[*tensor_count];
        if (!session_get(session, arena, state->name, tensor, diag))
            return false;
        tensor->name = state->name;
        if (must_be_finite(state) && !is_finite(tensor)) {
            diag_error(diag, NULL, "the state \"%s\" holds values that are not finite", state->name);
            return false;
        }
        ++*tensor_count;
    }
    return true;
}

bool weights_set(Session *session, const Program *program, const Checkpoint *checkpoint, CheckpointMatch match, Diag *diag) {
    if (!checkpoint_match(checkpoint, program, match, diag))
        return false;
    for (uint32_t i = 0; i < program->states.count; i++) {
        const ProgramState *state = &program->states.items[i];
        const HostTensor *tensor = checkpoint_keeps(state) ? tensor_file_find(&checkpoint->file, state->name) : NULL;
        if (tensor && !session_set(session, state->name, tensor, diag))
            return false;
    }
    return true;
}

static bool copy_to_followers(Session *session, const Program *program, const CheckpointPair *pair, Diag *diag) {
    for (uint32_t i = 0; i < program->states.count; i++) {
        const ProgramState *state = &program->states.items[i];
        bool follows =
            state->init && strcmp(state->init, "copy") == 0 && state->init_copy && strcmp(state->init_copy, pair->state->name) == 0;
        if (follows && !session_set(session, state->name, &pair->tensor, diag))
            return false;
    }
    return true;
}

bool weights_init(Session *session, const Program *program, const char *spec, Diag *diag) {
    const char *equals = strchr(spec, '=');
    if (!equals || equals == spec || !equals[1]) {
        diag_error(diag, NULL, "--init %s: expected NAME=RUN or NAME=FILE.safetensors", spec);
        return false;
    }
    Arena *arena = arena_create();
    Checkpoint checkpoint;
    CheckpointPair *pairs;
    uint32_t count = 0;
    const char *name = arena_copy_bytes(arena, spec, (size_t)(equals - spec));
    bool ok = checkpoint_read_from(arena, equals + 1, &checkpoint, diag) &&
              checkpoint_select(arena, &checkpoint, program, name, &pairs, &count, diag);
    for (uint32_t i = 0; ok && i < count; i++)
        ok = session_set(session, pairs[i].state->name, &pairs[i].tensor, diag) && copy_to_followers(session, program, &pairs[i], diag);
    arena_destroy(&arena);
    return ok;
}

bool weights_spec_names(const char *const *specs, uint32_t spec_count, const char *name) {
    for (uint32_t i = 0; i < spec_count; i++) {
        size_t length = strcspn(specs[i], "=");
        if (strlen(name) == length && strncmp(specs[i], name, length) == 0)
            return true;
    }
    return false;
}
