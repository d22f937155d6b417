// Session: numbers in and out of device memory, and the states' initial values.
#include "runtime/base/random.h"
#include "runtime/session/parts.h"
#include <math.h>
#include <stdlib.h>

// ---- bytes

bool session_errand_begin(Session *session, Diag *diag) {
    if (!session_finish(session, diag) || !commands_restart(session->device, session->errand, diag))
        return false;
    commands_barrier(session->device, session->errand, BARRIER_START);
    return true;
}

bool session_errand_run(Session *session, Diag *diag) {
    uint64_t ticket;
    commands_barrier(session->device, session->errand, BARRIER_HOST);
    if (!commands_end(session->device, session->errand, diag))
        return false;
    if (queue_submit(session->device, session->queue, &session->errand, 1, &ticket, diag) &&
        queue_wait(session->device, session->queue, ticket, diag))
        return true;
    session->is_lost = true;
    return false;
}

static bool check_range(const Session *session, const Range *range, Diag *diag) {
    const Program *program = session->program;
    if (range->memory < program->memories.count && range->offset <= program->memories.items[range->memory].size &&
        range->size <= program->memories.items[range->memory].size - range->offset)
        return true;
    diag_error(diag, NULL, "the range [%u, %llu, %llu] is not inside a memory of %s", range->memory, (unsigned long long)range->offset,
               (unsigned long long)range->size, program->name);
    return false;
}

bool session_write_range(Session *session, const Range *range, const void *bytes, Diag *diag) {
    if (!check_range(session, range, diag) || !session_finish(session, diag))
        return false;
    Buffer *memory = session->memories[range->memory];
    char *mapped = buffer_bytes(memory);
    if (mapped) {
        memcpy(mapped + range->offset, bytes, range->size);
        return true;
    }
    for (uint64_t done = 0; done < range->size;) {
        uint64_t size = range->size - done < STAGING_SIZE ? range->size - done : STAGING_SIZE;
        memcpy(buffer_bytes(session->staging_up), (const char *)bytes + done, size);
        if (!session_errand_begin(session, diag))
            return false;
        commands_copy(session->device, session->errand, session->staging_up, 0, memory, range->offset + done, size);
        if (!session_errand_run(session, diag))
            return false;
        done += size;
    }
    return true;
}

bool session_read_range(Session *session, const Range *range, void *bytes, Diag *diag) {
    if (!check_range(session, range, diag) || !session_finish(session, diag))
        return false;
    Buffer *memory = session->memories[range->memory];
    const char *mapped = buffer_bytes(memory);
    if (mapped) {
        memcpy(bytes, mapped + range->offset, range->size);
        return true;
    }
    for (uint64_t done = 0; done < range->size;) {
        uint64_t size = range->size - done < STAGING_SIZE ? range->size - done : STAGING_SIZE;
        if (!session_errand_begin(session, diag))
            return false;
        commands_copy(session->device, session->errand, memory, range->offset + done, session->staging_down, 0, size);
        if (!session_errand_run(session, diag))
            return false;
        memcpy((char *)bytes + done, buffer_bytes(session->staging_down), size);
        done += size;
    }
    return true;
}

static Range tensor_range(const ProgramTensor *tensor) {
    return (Range){tensor->range.memory, tensor->range.offset, program_tensor_size(tensor)};
}

static bool write_tensor(Session *session, const ProgramTensor *tensor, const void *words, Diag *diag) {
    Range range = tensor_range(tensor);
    void *physical = malloc(range.size);
    if (!physical)
        abort();
    layout_store(&tensor->layout, tensor->type, words, physical);
    bool good = session_write_range(session, &range, physical, diag);
    free(physical);
    return good;
}

// ---- names

static bool names_input(const ProgramEntry *entry, const ProgramFeed *input, const char *name) {
    size_t length = strlen(entry->name);
    if (strcmp(input->name, name) == 0)
        return true;
    return strncmp(name, entry->name, length) == 0 && name[length] == '.' && strcmp(name + length + 1, input->name) == 0;
}

static const ProgramTensor *find_tensor(Session *session, const char *name, Diag *diag) {
    const Program *program = session->program;
    const ProgramState *state = program_state(program, name);
    if (state)
        return &state->tensor;
    const ProgramTensor *found = NULL;
    for (uint32_t i = 0; i < program->entries.count; i++) {
        const ProgramEntry *entry = &program->entries.items[i];
        for (uint32_t k = 0; k < entry->inputs.count; k++) {
            // The programs that the session was made for come first: "z" is theirs.
            if (names_input(entry, &entry->inputs.items[k], name) && (!found || session_is_used(session, entry)))
                found = &entry->inputs.items[k].tensor;
        }
    }
    if (found)
        return found;
    Arena *arena = arena_create();
    const char **known = ARENA_NEW(arena, const char *, program->states.count);
    for (uint32_t i = 0; i < program->states.count; i++)
        known[i] = program->states.items[i].name;
    const char *nearest = text_nearest(name, known, program->states.count);
    diag_error(diag, NULL, "%s has no state or input \"%s\"%s%s%s", program->name, name, nearest ? "; did you mean \"" : "",
               nearest ? nearest : "", nearest ? "\"?" : "");
    arena_destroy(&arena);
    return NULL;
}

static bool check_shape(const Layout *layout, const char *name, const HostTensor *tensor, Diag *diag) {
    uint64_t dims[LAYOUT_RANK_MAX], count = 1;
    bool same = tensor->rank == layout->rank;
    for (uint32_t i = 0; i < layout->rank; i++) {
        dims[i] = layout->dims[i];
        same = same && dims[i] == tensor->dims[i];
    }
    for (uint32_t i = 0; i < tensor->rank && i < HOST_RANK_MAX; i++)
        count *= tensor->dims[i];
    bool is_scalar = layout_logical_count(layout) == 1 && count == 1; // [] and [1] are the same number
    Arena *arena = arena_create();
    if (!same && !is_scalar)
        diag_error(diag, NULL, "%s has the shape [%s]; the tensor given has [%s]", name, host_dims_text(arena, layout->rank, dims),
                   host_dims_text(arena, tensor->rank < HOST_RANK_MAX ? tensor->rank : HOST_RANK_MAX, tensor->dims));
    else if (tensor->size / element_bytes(tensor->dtype) < count)
        diag_error(diag, NULL, "%s: the tensor given holds only %zu bytes", name, tensor->size);
    else
        same = is_scalar = true;
    arena_destroy(&arena);
    return same && is_scalar;
}

bool session_set(Session *session, const char *name, const HostTensor *tensor, Diag *diag) {
    const ProgramTensor *target = find_tensor(session, name, diag);
    if (!target || !check_shape(&target->layout, name, tensor, diag))
        return false;
    if (tensor->dtype == ELEMENT_F32 && element_row(target->type)->word == ELEMENT_F32) // words already
        return write_tensor(session, target, tensor->data, diag);
    uint64_t count = layout_logical_count(&target->layout);
    Arena *arena = arena_create();
    uint32_t *words = ARENA_NEW(arena, uint32_t, count);
    for (uint64_t i = 0; i < count; i++)
        words[i] = element_word(target->type, host_number(tensor, i));
    bool good = write_tensor(session, target, words, diag);
    arena_destroy(&arena);
    return good;
}

bool session_get(Session *session, Arena *arena, const char *name, HostTensor *out, Diag *diag) {
    const ProgramTensor *source = find_tensor(session, name, diag);
    if (!source)
        return false;
    Range range = tensor_range(source);
    uint64_t count = layout_logical_count(&source->layout);
    uint32_t *words = ARENA_NEW(arena, uint32_t, count);
    void *physical = malloc(range.size);
    if (!physical)
        abort();
    bool good = session_read_range(session, &range, physical, diag);
    if (good)
        layout_load(&source->layout, source->type, physical, words);
    free(physical);
    ElementType host = element_row(source->type)->host;
    *out = (HostTensor){.name = arena_copy_text(arena, name), .dtype = host, .rank = source->layout.rank, .data = words};
    for (uint32_t i = 0; i < source->layout.rank; i++)
        out->dims[i] = source->layout.dims[i];
    out->size = (size_t)count * element_bytes(host);
    for (uint64_t i = 0; i < count && element_bytes(host) < ELEMENT_WORD; i++) // bytes and truth values shrink in place
        element_put(host, words, i, element_word_number(source->type, words[i]));
    return good;
}

// ---- initial values

static double draw(const ProgramState *state, uint64_t seed, uint64_t name, uint64_t element) {
    RandomWords words = random_element(seed, name, 0, 0, (uint32_t)element);
    if (state->init == INIT_NORMAL)
        return state->init_a + state->init_b * random_normal(words);
    return state->init_a + (state->init_b - state->init_a) * (double)random_uniform(words);
}

static void draw_all(const ProgramState *state, uint64_t seed, ElementType type, uint32_t *out) {
    const Layout *layout = &state->tensor.layout;
    uint64_t count = layout_logical_count(layout), name = random_name(state->name);
    if (state->init == INIT_CONSTANT) {
        uint32_t word = element_word(type, state->init_a);
        for (uint64_t i = 0; i < count; i++)
            out[i] = word;
        return;
    }
    uint64_t block = 1, inner = count; // icnr: `block` output channels in a row are the same draw
    if (state->init_factor > 0 && layout->rank > 0) {
        block = (uint64_t)state->init_factor * state->init_factor;
        inner = count / layout->dims[0];
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t element = i / inner / block * inner + i % inner;
        out[i] = element_word(type, draw(state, seed, name, element));
    }
}

// What a copy leads to, so that it need not be read back.
static const ProgramState *drawn_state(const Session *session, const ProgramState *state) {
    const ProgramState *root = state;
    for (uint32_t i = 0; root && root->init == INIT_COPY && i <= session->program->states.count; i++)
        root = root->init_copy ? program_state(session->program, root->init_copy) : NULL;
    bool fits = root && root->init != INIT_COPY &&
                layout_logical_count(&root->tensor.layout) == layout_logical_count(&state->tensor.layout);
    return fits ? root : NULL;
}

static bool initialise(Session *session, const ProgramState *state, Diag *diag) {
    const ProgramState *root = drawn_state(session, state);
    if (!root) {
        diag_error(diag, NULL, "state %s starts as a copy of nothing", state->name);
        return false;
    }
    uint32_t *words = malloc(layout_logical_count(&state->tensor.layout) * sizeof *words);
    if (!words)
        abort();
    draw_all(root, session->options.seed, state->tensor.type, words);
    bool good = write_tensor(session, &state->tensor, words, diag);
    free(words);
    return good;
}

static bool initialise_input(Session *session, const ProgramFeed *input, Diag *diag) {
    const Layout *layout = &input->tensor.layout;
    uint64_t count = layout_logical_count(layout), each = layout->rank ? count / layout->dims[0] : count;
    uint32_t *words = malloc(count * sizeof *words);
    if (!words)
        abort();
    for (uint64_t i = 0; i < count; i++)
        words[i] = element_word(input->tensor.type, input->defaults[i / each % input->default_count]);
    bool good = write_tensor(session, &input->tensor, words, diag);
    free(words);
    return good;
}

bool session_initialise(Session *session, Diag *diag) {
    const Program *program = session->program;
    for (uint32_t i = 0; i < program->states.count; i++) {
        if (!initialise(session, &program->states.items[i], diag))
            return false;
    }
    for (uint32_t i = 0; i < program->entries.count; i++)
        for (uint32_t k = 0; k < program->entries.items[i].inputs.count; k++) {
            const ProgramFeed *input = &program->entries.items[i].inputs.items[k];
            if (input->default_count && !initialise_input(session, input, diag))
                return false;
        }
    return true;
}

bool session_reset_entry(Session *session, const char *entry, Diag *diag) {
    size_t length = strlen(entry);
    if (!program_entry(session->program, entry)) {
        diag_error(diag, NULL, "%s has no program \"%s\"", session->program->name, entry);
        return false;
    }
    for (uint32_t i = 0; i < session->program->states.count; i++) {
        const ProgramState *state = &session->program->states.items[i];
        bool is_own = state->kind == STATE_PROGRAM && strncmp(state->name, entry, length) == 0 && state->name[length] == '.';
        if (is_own && !initialise(session, state, diag))
            return false;
    }
    return true;
}
