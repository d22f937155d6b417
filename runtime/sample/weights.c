// Weights: see weights.h.
#include "runtime/sample/weights.h"
#include "runtime/sample/texts.h"
#include <math.h>

static bool is_finite(const HostTensor *tensor) {
    const float *values = tensor->data;
    for (size_t i = 0; tensor->dtype == ELEMENT_F32 && i < tensor->size / sizeof *values; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

// A document's own states may well hold an infinity ("the best so far").
static bool must_be_finite(const ProgramState *state) {
    return state->kind == STATE_PARAMETERS || state->kind == STATE_MOMENT || state->kind == STATE_EMA || state->network;
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
        const ProgramState *from = state; // an average of a copy follows what the copy does
        for (uint32_t k = 0; k < program->states.count && from && from != pair->state; k++)
            from = from->init == INIT_COPY && from->init_copy ? program_state(program, from->init_copy) : NULL;
        if (state != pair->state && from == pair->state && !session_set(session, state->name, &pair->tensor, diag))
            return false;
    }
    return true;
}

// What they call a state of network `name`; also where the file's map calls the network by the last step of it: "s1.G" as "G".
static const HostTensor *find_named(Arena *arena, const TensorFile *file, const Names *names, const char *name, const char *state) {
    const HostTensor *tensor = tensor_file_find(file, names_theirs(arena, names, state));
    const char *dot = strrchr(name, '.');
    return tensor || !dot ? tensor : tensor_file_find(file, names_theirs(arena, names, state + (dot + 1 - name)));
}

enum { SHOWN_MISFITS = 3 };

// As checkpoint_select, of a file under their names; messages give both.
static bool select_named(Arena *arena, const Checkpoint *checkpoint, const Program *program, const char *name, const Names *names,
                         CheckpointPair **pairs, uint32_t *pair_count, Diag *diag) {
    const Place place = {.file = checkpoint->path};
    uint32_t errors = diag_error_count(diag), misfits = 0;
    Diag *quiet = diag_create(arena);
    ARRAY(CheckpointPair) found = {0};
    bool is_network = false;
    for (uint32_t i = 0; i < program->states.count && !diag_is_full(diag); i++) {
        const ProgramState *state = &program->states.items[i];
        bool is_weight = state->kind == STATE_PARAMETERS || state->kind == STATE_RUNNING;
        if (!is_weight || !state->network || strcmp(state->network, name) != 0)
            continue;
        is_network = true;
        const HostTensor *tensor = find_named(arena, &checkpoint->file, names, name, state->name);
        if (!tensor) {
            diag_error(diag, &place, "it has no \"%s\", which %s gives for \"%s\"", names_theirs(arena, names, state->name), names->path,
                       state->name);
        } else if (!checkpoint_fits(tensor, state, checkpoint->path, misfits < SHOWN_MISFITS ? diag : quiet)) {
            misfits++;
        } else {
            CheckpointPair pair = {state, *tensor};
            pair.tensor.name = state->name;
            array_push(arena, &found, pair);
        }
    }
    if (misfits)
        diag_error(diag, &place, "%u of its shapes are others; compile the graph with the sizes of this file (--preset, -D NAME=VALUE)",
                   misfits);
    if (!is_network)
        diag_error(diag, NULL, "--init %s: this graph has no network of that name", name);
    *pairs = found.items;
    *pair_count = found.count;
    return diag_error_count(diag) == errors;
}

bool weights_init(Session *session, const Program *program, const char *spec, Diag *diag) {
    return weights_init_named(session, program, spec, NULL, NULL, diag);
}

bool weights_init_named(Session *session, const Program *program, const char *spec, const Names *names, const char *encoder, Diag *diag) {
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
              texts_check_encoder(encoder, checkpoint.info.encoder, equals + 1, diag) &&
              (names ? select_named(arena, &checkpoint, program, name, names, &pairs, &count, diag)
                     : checkpoint_select(arena, &checkpoint, program, name, &pairs, &count, diag));
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
