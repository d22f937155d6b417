// Needs: planned kernels of every phase. Gives: the Program - memories, kernels (equal ones once), steps, states, feeds, results.
#include "compiler/passes/emit.h"
#include "compiler/passes/transfer.h"
#include "compiler/emit/canonical.h"
#include "compiler/emit/glsl.h"
#include "runtime/base/name_table.h"

typedef struct {
    Arena *arena, *scratch; // scratch: of one kernel
    const Module *module;
    const PassContext *context;
    Emitted *out;
    Program *program;
    uint64_t *state_offsets, *table_offsets; // UINT64_MAX: not placed
    NameTable *kernels;                      // by canonical text
    NameTable *states;                       // by name
    Text constants;
} Emit;

// ---- memory

static uint64_t align(const Emit *emit, uint64_t size) {
    uint64_t grain = emit->context->target->offset_alignment;
    return (size + grain - 1) / grain * grain;
}

static Range take(Emit *emit, MemoryKind kind, uint64_t size) {
    Memory *memory = &emit->program->memories.items[kind];
    Range range = {(uint32_t)kind, memory->size, size};
    memory->size += align(emit, size);
    return range;
}

// ---- states

static void push_state(Emit *emit, const State *state, const char *name, const Type *type, Layout layout, uint64_t offset, const Init *init, const char *copy) {
    ProgramState out = {.name = name, .kind = state->kind, .network = state->network, .init = init->kind, .init_a = init->a, .init_b = init->b,
                        .init_factor = init->factor, .init_copy = copy, .rule = state->rule};
    out.tensor = (ProgramTensor){dtype_element(type->dtype), layout, {MEMORY_STATE, offset, layout_size(&layout, dtype_element(type->dtype))}};
    array_push(emit->arena, &emit->program->states, out);
}

static void place_states(Emit *emit) {
    const Module *module = emit->module;
    emit->state_offsets = ARENA_NEW(emit->arena, uint64_t, module->states.count + 1);
    for (uint32_t s = 0; s < module->states.count; s++) {
        const State *state = &module->states.items[s];
        Layout layout = layout_of_state(state, emit->context->sets);
        Range range = take(emit, MEMORY_STATE, layout_size(&layout, dtype_element(state->type.dtype)));
        emit->state_offsets[s] = range.offset;
        name_table_add(emit->states, state->name, s);
        if (!state->type.set) {
            push_state(emit, state, state->name, &state->type, layout, range.offset, &state->init, state->init.copy);
            continue;
        }
        const Set *set = &module->sets.items[state->type.set - 1];
        const SetLayout *places = &emit->context->sets[state->type.set - 1];
        for (uint32_t p = 0; p < set->parts.count; p++) {
            const Part *part = &set->parts.items[p];
            bool is_by_part = state->kind == STATE_PARAMETERS && state->init.kind != INIT_COPY;
            const Init *init = is_by_part ? &part->init : &state->init;
            push_state(emit, state, module_part_name(emit->arena, state, set, part), &part->type, places->layouts[p], range.offset + places->offsets[p], init,
                       init->kind != INIT_COPY ? NULL : is_by_part ? init->copy : part->name);
        }
    }
}

// ---- tables

static uint64_t place_table(Emit *emit, uint32_t index) {
    if (emit->table_offsets[index] != UINT64_MAX)
        return emit->table_offsets[index];
    const Table *table = &emit->module->tables.items[index];
    uint64_t count = type_count(&table->type);
    Layout layout = layout_make(table->type.rank, table->type.dims, NULL);
    uint32_t *logical = ARENA_NEW(emit->arena, uint32_t, count);
    ElementType type = dtype_element(table->type.dtype);
    for (uint64_t i = 0; i < count; i++)
        logical[i] = element_word(type, table->data[i]);
    uint64_t size = layout_size(&layout, type);
    void *physical = ARENA_NEW(emit->arena, char, align(emit, size));
    layout_store(&layout, type, logical, physical);
    emit->table_offsets[index] = take(emit, MEMORY_CONSTANT, size).offset;
    text_append_bytes(&emit->constants, physical, align(emit, size));
    return emit->table_offsets[index];
}

// ---- ranges

typedef struct {
    KernelList *list;
    const GraphProgram *entry;
    ProgramEntry *program_entry;
    ProgramPhase *phase;
    Range *results; // by value id of a result's root; size 0: not placed
    EmitTables *tables;
} PhaseEmit;

static Range feed_range(const PhaseEmit *at, const char *name) {
    for (uint32_t i = 0; i < at->phase->feeds.count; i++)
        if (!strcmp(at->phase->feeds.items[i].name, name))
            return at->phase->feeds.items[i].tensor.range;
    for (uint32_t i = 0; i < at->program_entry->inputs.count; i++)
        if (!strcmp(at->program_entry->inputs.items[i].name, name))
            return at->program_entry->inputs.items[i].tensor.range;
    return (Range){0};
}

// Scratch is as large as its last buffer needs it.
static Range scratch_range(Emit *emit, const Buffer *buffer) {
    Range range = plan_scratch_range(emit->context->target, buffer->offset, buffer->size);
    uint64_t end = range.offset + align(emit, buffer->size);
    while (emit->program->memories.count <= range.memory)
        array_push(emit->arena, &emit->program->memories, ((Memory){MEMORY_SCRATCH, 0}));
    Memory *memory = &emit->program->memories.items[range.memory];
    memory->size = end > memory->size ? end : memory->size;
    return range;
}

static Range range_of(Emit *emit, PhaseEmit *at, Value value) {
    const Buffer *buffer = &at->list->buffers[value.id];
    Range range = {0};
    uint64_t inside = 0, size = buffer->size;
    while (buffer->kind == BUFFER_PART) {
        inside += buffer->offset;
        buffer = &at->list->buffers[buffer->parent];
    }
    switch (buffer->kind) {
    case BUFFER_SCRATCH: range = scratch_range(emit, buffer); break;
    case BUFFER_STATE: range.memory = MEMORY_STATE, range.offset = emit->state_offsets[name_table_find(emit->states, buffer->name)]; break;
    case BUFFER_FEED: range.memory = MEMORY_FEED, range.offset = feed_range(at, buffer->name).offset; break;
    case BUFFER_CONSTANT:
        range.memory = MEMORY_CONSTANT;
        range.offset = place_table(emit, (uint32_t)attr_of(graph_node(at->list->graph, buffer->value), ATTR_index)->integer);
        break;
    case BUFFER_RESULT: range.memory = MEMORY_RESULT, range.offset = at->results[buffer->value.id].offset; break;
    case BUFFER_NONE:
    case BUFFER_PART: break;
    }
    range.offset += inside;
    range.size = size;
    return range;
}

static bool is_placed(const Emit *emit, const KernelList *list, const Buffer *buffer) {
    while (buffer->kind == BUFFER_PART)
        buffer = &list->buffers[buffer->parent];
    return buffer->kind != BUFFER_CONSTANT || emit->table_offsets[attr_of(graph_node(list->graph, buffer->value), ATTR_index)->integer] != UINT64_MAX;
}

// ---- kernels and dispatches

static uint32_t add_kernel(Emit *emit, const Kernel *kernel, const Shader *shader) {
    const char *canonical = canonical_text(emit->scratch, shader->source);
    uint32_t known = name_table_find(emit->kernels, canonical);
    if (known != UINT32_MAX)
        return known;
    ProgramKernel out = {.name = arena_format(emit->arena, "%03u_%s", emit->program->kernels.count, shader->name), .kernel_class = kernel->kernel_class,
                         .workgroup = {shader->workgroup[0], 1, 1}, .needs_subgroup_ballot = shader->needs_subgroup_ballot, .shared_bytes = shader->shared_bytes};
    for (uint32_t i = 0; i < shader->bindings.count; i++)
        array_push(emit->arena, &out.bindings, shader->bindings.items[i].kind);
    array_push(emit->arena, &emit->out->sources, arena_copy_text(emit->arena, shader->source));
    array_push(emit->arena, &emit->program->kernels, out);
    name_table_add(emit->kernels, arena_copy_text(emit->arena, canonical), emit->program->kernels.count - 1);
    return emit->program->kernels.count - 1;
}

static Range window_of(Range range, ElementType type, EmitWindow window) {
    uint64_t vector = element_vector(type);
    return (Range){range.memory, range.offset + vector * window.first, vector * window.count};
}

// False where it would be onto itself: a kernel then stores in place.
static bool add_transfer(Emit *emit, PhaseEmit *at, const Kernel *kernel, const Transfer *transfer) {
    Value value = kernel->stores.items[0];
    Range to = range_of(emit, at, value), from = transfer->kind == STEP_COPY ? range_of(emit, at, transfer->from) : to;
    const Node *root = graph_node(at->list->graph, kernel->root);
    Step step = {.kind = transfer->kind, .kernel = UINT32_MAX, .word = transfer->word, .wave = kernel->wave};
    if (transfer->kind == STEP_COPY && range_overlaps(&from, &to))
        return false;
    if (transfer->kind == STEP_COPY)
        array_push(emit->arena, &step.ranges, from);
    array_push(emit->arena, &step.ranges, to);
    step.work_class = transfer->kind == STEP_COPY ? WORK_COPY : WORK_FILL;
    step.bytes = (double)to.size * step.ranges.count;
    step.label = arena_format(emit->arena, "%%%u %s %s", kernel->root.id, step_kind_names[step.kind], root->origin.pointer ? root->origin.pointer : "");
    step.values = ARENA_NEW(emit->arena, uint32_t, 1);
    step.value_types = ARENA_NEW(emit->arena, ElementType, 1);
    step.values[step.value_count++] = value.id;
    step.value_types[0] = at->list->buffers[value.id].element;
    array_push(emit->arena, &at->phase->steps, step);
    return true;
}

static void add_dispatch(Emit *emit, PhaseEmit *at, const Kernel *kernel, uint32_t window) {
    Shader shader;
    glsl_kernel(emit->scratch, at->tables, at->list, kernel, emit->context->target, window, &shader);
    const Node *root = graph_node(at->list->graph, kernel->root);
    Step dispatch = {.kernel = add_kernel(emit, kernel, &shader), .groups = {shader.groups[0], shader.groups[1], shader.groups[2]}, .wave = kernel->wave,
                         .schedule = schedule_text(emit->arena, &kernel->schedule), .work_class = shader.work_class, .flops = shader.flops, .bytes = shader.bytes};
    dispatch.label = arena_format(emit->arena, "%%%u %s %s", kernel->root.id, shader.name, root->origin.pointer ? root->origin.pointer : "");
    dispatch.values = ARENA_NEW(emit->arena, uint32_t, kernel->stores.count + 1);
    dispatch.value_types = ARENA_NEW(emit->arena, ElementType, kernel->stores.count + 1);
    for (uint32_t i = 0; i < shader.bindings.count; i++) {
        const EmitBinding *binding = &shader.bindings.items[i];
        Range range = binding->is_numbers ? emit->program->numbers : range_of(emit, at, binding->value);
        bool windowed = shader.window.count && !binding->is_numbers && graph_type(at->list->graph, binding->value).set;
        array_push(emit->arena, &dispatch.ranges, windowed ? window_of(range, at->list->buffers[binding->value.id].element, shader.window) : range);
        if (binding->kind == BINDING_WRITE) {
            dispatch.value_types[dispatch.value_count] = at->list->buffers[binding->value.id].element;
            dispatch.values[dispatch.value_count++] = binding->value.id;
        }
    }
    array_push(emit->arena, &at->phase->steps, dispatch);
    arena_reset(emit->scratch);
}

// ---- phases

static ProgramFeed feed_of(Emit *emit, const Feed *feed) {
    Layout layout = layout_default(&feed->type);
    ProgramFeed out = {.name = feed->name, .data = feed->data, .field = feed->field, .split = feed->split, .shuffled = feed->shuffled, .pad = feed->pad, .batch = feed->batch};
    out.has_range = feed->declared.has_range, out.low = feed->declared.low, out.high = feed->declared.high, out.below = feed->declared.below, out.tokens = feed->declared.tokens;
    out.defaults = feed->defaults, out.default_count = feed->default_count;
    out.tensor = (ProgramTensor){dtype_element(feed->type.dtype), layout, take(emit, MEMORY_FEED, layout_size(&layout, dtype_element(feed->type.dtype)))};
    return out;
}

static ProgramTensor result_tensor(Emit *emit, PhaseEmit *at, Value value, uint64_t *end) {
    Value root = buffer_root(at->list, value);
    Buffer *buffer = &at->list->buffers[root.id];
    if (buffer->kind == BUFFER_RESULT && !at->results[root.id].size) {
        at->results[root.id] = (Range){MEMORY_RESULT, *end, buffer->size};
        *end += align(emit, buffer->size);
    }
    return (ProgramTensor){at->list->buffers[root.id].element, at->list->layouts[value.id], range_of(emit, at, value)};
}

static void add_results(Emit *emit, PhaseEmit *at) {
    const Graph *graph = at->list->graph;
    uint64_t end = 0;
    at->results = ARENA_NEW(emit->arena, Range, graph->nodes.count);
    for (uint32_t i = 0; i < graph->outputs.count; i++) {
        const Output *output = &graph->outputs.items[i];
        if (output->kind != OUTPUT_REPORT && output->kind != OUTPUT_EMIT)
            continue;
        ProgramResult result = {.name = output->name, .format = output->format, .has_condition = output->at.id != 0, .counts_skips = output->counts_skips};
        result.tensor = result_tensor(emit, at, output->value, &end);
        if (result.has_condition)
            result.condition = result_tensor(emit, at, output->at, &end);
        array_push(emit->arena, &at->phase->results, result);
    }
    Memory *memory = &emit->program->memories.items[MEMORY_RESULT];
    memory->size = end > memory->size ? end : memory->size;
}

// For those who look at the phase. Tables that no kernel reads stay without a place.
static void note_ranges(Emit *emit, PhaseEmit *at) {
    for (uint32_t id = 1; id < at->list->graph->nodes.count; id++) {
        Buffer *buffer = &at->list->buffers[id];
        if (buffer->kind != BUFFER_NONE && is_placed(emit, at->list, buffer))
            buffer->range = range_of(emit, at, (Value){id});
    }
}

static void add_phase(Emit *emit, const GraphProgram *program, const Phase *phase, KernelList *list, ProgramEntry *entry) {
    ProgramPhase out = {.name = phase->name, .repeat = phase->repeat, .is_eval = phase->is_eval, .every = phase->every, .when = phase->when, .is_conditions = phase->is_conditions,
                        .part = phase->part, .batches = phase->batches, .level = phase->level, .title = phase->title, .scratch_size = list->scratch_size, .scratch_lower_bound = list->scratch_lower_bound};
    for (uint32_t i = 0; i < phase->feeds.count; i++)
        array_push(emit->arena, &out.feeds, feed_of(emit, &phase->feeds.items[i]));
    PhaseEmit at = {.list = list, .entry = program, .program_entry = entry, .phase = &out};
    at.tables = emit_tables(emit->arena, list);
    add_results(emit, &at);
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        Transfer transfer;
        if (!emit->context->reference_schedule && transfer_of(list, kernel, &transfer) && add_transfer(emit, &at, kernel, &transfer))
            continue;
        for (uint32_t window = 0; window < glsl_window_count(list, kernel, emit->context->target); window++)
            add_dispatch(emit, &at, kernel, window);
    }
    note_ranges(emit, &at);
    array_push(emit->arena, &entry->phases, out);
}

static void add_data(Emit *emit) {
    for (uint32_t d = 0; d < emit->module->data.count; d++) {
        const DataSet *data = &emit->module->data.items[d];
        ProgramData out = {.name = data->name, .batch = data->batch, .field_count = data->fields.count, .has_augment = data->has_augment, .augment = data->augment};
        out.fields = arena_alloc(emit->arena, sizeof *out.fields * (data->fields.count + 1));
        for (uint32_t f = 0; f < data->fields.count; f++) {
            const Field *field = &data->fields.items[f];
            out.fields[f].name = field->name, out.fields[f].type = dtype_element(field->type.dtype), out.fields[f].rank = field->type.rank;
            memcpy(out.fields[f].dims, field->type.dims, sizeof field->type.dims);
            out.fields[f].has_range = field->has_range, out.fields[f].low = field->low, out.fields[f].high = field->high, out.fields[f].below = field->below;
            out.fields[f].tokens = field->tokens;
        }
        array_push(emit->arena, &emit->program->data, out);
    }
}

void emit_program(Arena *arena, const Module *module, KernelList *const *const *phases, const PassContext *context, Emitted *out) {
    Emit emit = {.arena = arena, .scratch = arena_create(), .module = module, .context = context, .out = out};
    Program *program = out->program = emit.program = ARENA_NEW(arena, Program, 1);
    program->name = module->name;
    program->is_exact = module->is_exact;
    program->target = *context->target;
    for (int kind = 0; kind < MEMORY_KIND_COUNT; kind++)
        array_push(arena, &program->memories, ((Memory){(MemoryKind)kind, 0}));
    emit.constants = text_create(arena);
    emit.kernels = name_table_create(arena);
    emit.states = name_table_create(arena);
    emit.table_offsets = ARENA_NEW(arena, uint64_t, module->tables.count + 1);
    memset(emit.table_offsets, 0xff, sizeof(uint64_t) * (module->tables.count + 1));
    program->numbers = take(&emit, MEMORY_FEED, NUMBER_COUNT * ELEMENT_WORD);
    place_states(&emit);
    add_data(&emit);
    for (uint32_t p = 0; p < module->programs.count; p++) {
        const GraphProgram *from = &module->programs.items[p];
        ProgramEntry entry = {.name = from->name, .training = from->training, .skips = from->skips, .steps = from->steps, .stop = from->stop, .requires_trained = from->requires_trained.items,
                              .requires_count = from->requires_trained.count};
        for (uint32_t i = 0; i < from->inputs.count; i++)
            array_push(arena, &entry.inputs, feed_of(&emit, &from->inputs.items[i]));
        for (uint32_t i = 0; i < from->phases.count; i++)
            add_phase(&emit, from, &from->phases.items[i], phases[p][i], &entry);
        array_push(arena, &program->entries, entry);
    }
    arena_destroy(&emit.scratch);
    // No memory is empty: a device cannot allocate nothing.
    for (uint32_t m = 0; m < program->memories.count; m++)
        if (program->memories.items[m].size == 0)
            program->memories.items[m].size = align(&emit, ELEMENT_WORD);
    while (emit.constants.length < program->memories.items[MEMORY_CONSTANT].size)
        text_append_bytes(&emit.constants, (const char[ELEMENT_WORD]){0}, ELEMENT_WORD);
    program->constants = emit.constants.data;
    program->constants_size = emit.constants.length;
}
