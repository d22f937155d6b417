// Verify values: draws states and feeds, and moves tensors between logical doubles and device memory.
#include "compiler/verify/values.h"
#include "compiler/passes/passes.h"
#include "runtime/base/bug.h"
#include "runtime/base/random.h"
#include <math.h>

double verify_noise(uint64_t seed, uint64_t number) {
    RandomWords words = random_element(seed, number >> 32, 0, 0, (uint32_t)number);
    return 2 * (words.words[0] * 0x1p-32) - 1;
}

static double normal(uint64_t seed, uint64_t name, uint64_t number) {
    return random_normal(random_element(seed, name, 0, 1, (uint32_t)number));
}

void verify_round(Tensor *tensor) {
    uint64_t count = type_count(&tensor->type);
    if (tensor->type.dtype == DTYPE_F32)
        for (uint64_t i = 0; i < count; i++)
            tensor->data[i] = element_round(ELEMENT_F32, tensor->data[i]);
}

// ---- states

static const Set *set_of(const Module *module, const Type *type) { return type->set ? &module->sets.items[type->set - 1] : NULL; }

// An optimizer's first moment may have any sign ("opt.m.unet"); all other moments are means of squares.
static bool is_first_moment(const State *state) { return strstr(state->name, ".m.") != NULL; }

static void disturb(const State *state, uint64_t seed, uint32_t attempt, double *out, uint64_t count) {
    uint64_t name = random_name(state->name);
    for (uint64_t i = 0; i < count; i++)
        switch (state->kind) {
        case STATE_PARAMETERS:
        case STATE_EMA:
            out[i] += 0.02 * normal(seed, name, i);
            break;
        case STATE_PROGRAM:
        case STATE_SUM:
            out[i] += normal(seed, name, i);
            break;
        case STATE_RUNNING: // keeps variances positive
            out[i] += attempt == 0 ? 0.1 * fabs(normal(seed, name, i)) : exp(2 * normal(seed + attempt, name, i));
            break;
        case STATE_MOMENT:
            out[i] = is_first_moment(state) ? 0.01 * normal(seed, name, i) : 1e-6 + 1e-4 * fabs(normal(seed, name, i));
            break;
        case STATE_COUNT:
            out[i] = 3;
            break;
        case STATE_CONDITION:
            out[i] = state->type.dtype == DTYPE_F32 ? out[i] + normal(seed, name, i) : 3;
            break;
        }
}

static Tensor *keep(VerifyPhase *phase, const char *name, const Type *type) {
    array_push(phase->arena, &phase->names, name);
    array_push(phase->arena, &phase->tensors, tensor_create(phase->arena, type));
    return &phase->tensors.items[phase->tensors.count - 1];
}

static const Tensor *kept(const VerifyPhase *phase, const char *name) {
    for (uint32_t i = 0; i < phase->names.count; i++)
        if (strcmp(phase->names.items[i], name) == 0)
            return &phase->tensors.items[i];
    return NULL;
}

const Tensor *verify_state(VerifyPhase *phase, const char *name) {
    const char *key = arena_format(phase->arena, "state %s", name);
    const Tensor *known = kept(phase, key);
    const State *state = known ? NULL : module_state(phase->module, name);
    if (known || !state)
        return known;
    Tensor *tensor = keep(phase, key, &state->type);
    if (!phase->initial.module)
        phase->initial = states_create(phase->arena, phase->module, phase->seed);
    memcpy(tensor->data, states_get(&phase->initial, name)->data, sizeof(double) * type_count(&state->type));
    disturb(state, phase->seed + 1, phase->attempt, tensor->data, type_count(&state->type));
    verify_round(tensor);
    return tensor;
}

// ---- feeds

static const Feed *find_feed(const VerifyPhase *phase, const char *name) {
    for (uint32_t i = 0; i < phase->phase->feeds.count; i++)
        if (strcmp(phase->phase->feeds.items[i].name, name) == 0)
            return &phase->phase->feeds.items[i];
    for (uint32_t i = 0; i < phase->entry->inputs.count; i++)
        if (strcmp(phase->entry->inputs.items[i].name, name) == 0)
            return &phase->entry->inputs.items[i];
    return NULL;
}

static double draw(const Type *type, const Field *field, uint64_t seed, uint64_t name, uint64_t number) {
    double uniform = random_uniform(random_element(seed, name, 0, 0, (uint32_t)number));
    switch (type->dtype) {
    case DTYPE_F32:
        return field && field->has_range ? field->low + (field->high - field->low) * uniform : normal(seed, name, number);
    case DTYPE_BOOL:
        return uniform < 0.5;
    case DTYPE_U8:
        return floor(256 * uniform);
    case DTYPE_I32:
    case DTYPE_U32:
        return floor((field && field->below ? field->below : 10) * uniform);
    case DTYPE_COUNT:
        break;
    }
    bug("numbers are drawn for the type %d", (int)type->dtype);
}

const Tensor *verify_feed(VerifyPhase *phase, const char *name) {
    const char *key = arena_format(phase->arena, "feed %s", name);
    const Tensor *known = kept(phase, key);
    const Feed *feed = known ? NULL : find_feed(phase, name);
    if (known || !feed)
        return known;
    Tensor *tensor = keep(phase, key, &feed->type);
    const Field *field = module_field(phase->module, feed);
    for (uint64_t i = 0, count = type_count(&feed->type); i < count; i++)
        tensor->data[i] = draw(&feed->type, field, phase->seed + 2, random_name(name), i);
    verify_round(tensor);
    return tensor;
}

static const Tensor *source_state(void *context, const char *name) { return verify_state(context, name); }
static const Tensor *source_feed(void *context, const char *name) { return verify_feed(context, name); }

Sources verify_sources(VerifyPhase *phase) {
    int32_t repetition = phase->planned->repeat == 1 ? 0 : 1;
    uint32_t batch = program_batch(phase->planned);
    return (Sources){.context = phase,
                     .state = source_state,
                     .feed = source_feed,
                     .seed = phase->seed,
                     .step = 5,
                     .steps = 12,
                     .epoch = 1,
                     .epoch_steps = 4,
                     .repetition = repetition,
                     .index = repetition,
                     .records = (int32_t)(batch - batch / 3)}; // some fill it up
}

// ---- device memory

// The state of the first part of a set's state begins where the set does.
static uint64_t state_offset(const VerifyPhase *phase, const char *name) {
    const State *state = module_state(phase->module, name);
    const Set *set = set_of(phase->module, &state->type);
    const char *first = set ? module_part_name(phase->arena, state, set, &set->parts.items[0]) : name;
    const ProgramState *placed = program_state(phase->program, first);
    CHECK(placed);
    return placed->tensor.range.offset;
}

static uint64_t feed_offset(const VerifyPhase *phase, const char *name) {
    const ProgramEntry *entry = program_entry(phase->program, phase->entry->name);
    for (uint32_t i = 0; i < phase->planned->feeds.count; i++)
        if (strcmp(phase->planned->feeds.items[i].name, name) == 0)
            return phase->planned->feeds.items[i].tensor.range.offset;
    for (uint32_t i = 0; i < entry->inputs.count; i++)
        if (strcmp(entry->inputs.items[i].name, name) == 0)
            return entry->inputs.items[i].tensor.range.offset;
    bug("feed \"%s\" has no place", name);
}

// The buffer that a value's memory belongs to, and where in it the value begins.
static const Buffer *whole_buffer(const VerifyPhase *phase, Value value, uint64_t *inside) {
    const Buffer *buffers = phase->compiled->kernels->buffers, *buffer = &buffers[value.id];
    for (*inside = 0; buffer->kind == BUFFER_PART; buffer = &buffers[buffer->parent])
        *inside += buffer->offset;
    return buffer;
}

// Results are in the order of the graph's reports and emits.
static uint64_t result_offset(const VerifyPhase *phase, const Buffer *wanted) {
    const Graph *graph = phase->compiled->graph;
    for (uint32_t i = 0, result = 0; i < graph->outputs.count; i++) {
        const Output *output = &graph->outputs.items[i];
        uint64_t inside = 0;
        if (output->kind != OUTPUT_REPORT && output->kind != OUTPUT_EMIT)
            continue;
        const ProgramResult *placed = &phase->planned->results.items[result++];
        if (whole_buffer(phase, output->value, &inside) == wanted)
            return placed->tensor.range.offset - inside;
        if (output->at.id && whole_buffer(phase, output->at, &inside) == wanted)
            return placed->condition.range.offset - inside;
    }
    graph_bug(graph, wanted->value, "a result has no place");
}

ElementType verify_stored(const VerifyPhase *phase, Value value) { return phase->compiled->kernels->buffers[value.id].element; }

bool verify_is_constant(const VerifyPhase *phase, Value value) {
    uint64_t inside = 0;
    return whole_buffer(phase, value, &inside)->kind == BUFFER_CONSTANT;
}

Range verify_range(const VerifyPhase *phase, Value value) {
    uint64_t inside = 0;
    const Buffer *buffer = whole_buffer(phase, value, &inside);
    Range range = {.size = phase->compiled->kernels->buffers[value.id].size};
    switch (buffer->kind) {
    case BUFFER_SCRATCH:
        range = plan_scratch_range(&phase->program->target, buffer->offset, range.size);
        break;
    case BUFFER_STATE:
        range.memory = MEMORY_STATE;
        range.offset = state_offset(phase, buffer->name);
        break;
    case BUFFER_FEED:
        range.memory = MEMORY_FEED;
        range.offset = feed_offset(phase, buffer->name);
        break;
    case BUFFER_RESULT:
        range.memory = MEMORY_RESULT;
        range.offset = result_offset(phase, buffer);
        break;
    case BUFFER_CONSTANT: // written by the host once; only its size 0 matters to us
        return (Range){.memory = MEMORY_CONSTANT};
    case BUFFER_NONE:
    case BUFFER_PART:
        graph_bug(phase->compiled->graph, value, "a value has no buffer");
    }
    range.offset += inside;
    return range;
}

static void pack_layout(const Layout *layout, ElementType type, const double *data, uint64_t count, void *bytes) {
    Arena *scratch = arena_create();
    uint32_t *words = ARENA_NEW(scratch, uint32_t, count + 1);
    for (uint64_t i = 0; i < count; i++)
        words[i] = element_word(type, data[i]);
    layout_store(layout, type, words, bytes);
    arena_destroy(&scratch);
}

// Padding is what a store of the loaded elements does not give back; -0 is zero.
static void unpack_layout(const Layout *layout, ElementType type, const void *bytes, double *out, uint64_t count, uint64_t *bad_padding) {
    uint64_t size = layout_size(layout, type), every = element_stored(type);
    Arena *scratch = arena_create();
    uint32_t *words = ARENA_NEW(scratch, uint32_t, count + 1);
    char *again = arena_alloc(scratch, size + 1), *minus = arena_alloc(scratch, ELEMENT_WORD);
    layout_load(layout, type, bytes, words);
    for (uint64_t i = 0; i < count; i++)
        out[i] = element_word_number(type, words[i]);
    layout_store(layout, type, words, again);
    element_store(type, &(uint32_t){element_word(ELEMENT_F32, -0.0)}, 1, 1, minus);
    for (uint64_t at = 0; at < size; at += every)
        *bad_padding += memcmp((const char *)bytes + at, again + at, every) != 0 && memcmp((const char *)bytes + at, minus, every) != 0;
    arena_destroy(&scratch);
}

static const SetLayout *set_layout(const VerifyPhase *phase, const Type *type) {
    return type->set ? &layout_sets(phase->arena, phase->module, &phase->program->target)[type->set - 1] : NULL;
}

void verify_pack(const VerifyPhase *phase, Value value, const Tensor *tensor, void *bytes) {
    const Buffer *buffer = &phase->compiled->kernels->buffers[value.id];
    const Layout *layout = &phase->compiled->kernels->layouts[value.id];
    const Set *set = set_of(phase->module, &tensor->type);
    memset(bytes, 0, buffer->size);
    if (!set) {
        pack_layout(layout, buffer->element, tensor->data, type_count(&tensor->type), bytes);
        return;
    }
    const SetLayout *places = set_layout(phase, &tensor->type);
    for (uint32_t i = 0; i < set->parts.count; i++) {
        const Part *part = &set->parts.items[i];
        pack_layout(&places->layouts[i], SET_ELEMENT, tensor->data + part->offset, type_count(&part->type),
                    (char *)bytes + places->offsets[i]);
    }
}

void verify_unpack(const VerifyPhase *phase, Value value, const void *bytes, Tensor *out, uint64_t *bad_padding) {
    const Layout *layout = &phase->compiled->kernels->layouts[value.id];
    const Set *set = set_of(phase->module, &out->type);
    *bad_padding = 0;
    if (!set) {
        unpack_layout(layout, phase->compiled->kernels->buffers[value.id].element, bytes, out->data, type_count(&out->type), bad_padding);
        return;
    }
    const SetLayout *places = set_layout(phase, &out->type);
    for (uint32_t i = 0; i < set->parts.count; i++) {
        const Part *part = &set->parts.items[i];
        unpack_layout(&places->layouts[i], SET_ELEMENT, (const char *)bytes + places->offsets[i], out->data + part->offset,
                      type_count(&part->type), bad_padding);
    }
}
