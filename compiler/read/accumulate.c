// Accumulate: a phase of several batches a repetition, read into two graphs - of a batch, and of what follows the last - with sums between them,
// and the small ones that add these.
#include "compiler/ir/op.h"
#include "compiler/read/reader.h"

// What crosses from the batches to the end: its value there, and the state that holds its sum.
typedef struct {
    Value value;
    uint32_t state;
    const char *name, *stem; // of its states, behind what they are; stem: State.stem of a set's
} Sum;

struct Accumulation {
    uint32_t batches;
    const char *path; // "train.denoise."
    Stage *batch, *finish;
    const Json *node; // of the phase, that is being read
    ARRAY(Sum) sums;
    ARRAY(const Json *) changed; // by state: the node that gives it another value after the last batch, or NULL
    bool asks, needs_finish;     // asks: a mistake is noted in needs_finish and not reported
    ARRAY(bool) is_known;        // by value of the batch: the same in all batches of a repetition
};

Accumulation *accumulate_create(Reader *reader, uint32_t batches, const char *path) {
    Accumulation *accumulation = ARENA_NEW(reader->arena, Accumulation, 1);
    *accumulation = (Accumulation){.batches = batches, .path = path, .batch = reader->stage, .finish = stage_create(reader, STAGE_PHASE)};
    return accumulation;
}

bool accumulate_is_batch(const Reader *reader) { return reader->accumulation && reader->stage == reader->accumulation->batch; }

static bool is_finish(const Reader *reader) { return reader->accumulation && reader->stage == reader->accumulation->finish; }

void accumulate_enter(Reader *reader) {
    Accumulation *accumulation = reader->accumulation;
    accumulation->finish->graph->origin = accumulation->batch->graph->origin;
    accumulation->finish->graph->place = accumulation->batch->graph->place;
    reader->stage = accumulation->finish;
}

void accumulate_leave(Reader *reader) {
    reader_flush(reader);
    reader->stage = reader->accumulation->batch;
}

// ---- what an update changes

void accumulate_change(Reader *reader, uint32_t state, const Json *node) {
    Accumulation *accumulation = reader->accumulation;
    while (accumulation->changed.count <= state)
        array_push(reader->arena, &accumulation->changed, NULL);
    accumulation->changed.items[state] = node;
}

static bool is_changed(const Reader *reader, uint32_t state) {
    const Accumulation *accumulation = reader->accumulation;
    return accumulation && state < accumulation->changed.count && accumulation->changed.items[state];
}

bool accumulate_is_changed(const Reader *reader, Datum target) {
    const Network *owner = target.kind == DATUM_NETWORK ? parameters_owner(target.network) : NULL;
    for (uint32_t i = 0; owner && i < owner->sets.count; i++)
        if (is_changed(reader, owner->sets.items[i]->state))
            return true;
    return target.kind == DATUM_STATE && is_changed(reader, target.state.index);
}

// True where the mistake is that what is asked for is known after the last batch only: noted, or to be reported.
static bool note_late(Accumulation *accumulation) {
    accumulation->needs_finish = true;
    return accumulation->asks;
}

void accumulate_note(Reader *reader, const Json *node) {
    if (accumulate_is_batch(reader))
        reader->accumulation->node = node;
}

void accumulate_check_read(Reader *reader, uint32_t state) {
    Accumulation *accumulation = reader->accumulation;
    if (!accumulate_is_batch(reader) || !is_changed(reader, state) || note_late(accumulation))
        return;
    const Json *by = accumulation->changed.items[state];
    reader_error_at(reader, accumulation->node,
                    "\"%s\" gets its new value (line %u) after the last of the %u batches that this phase accumulates: what sees it "
                    "belongs into a phase of its own",
                    reader->module->states.items[state].name, by->line, accumulation->batches);
    for (uint32_t i = 0; i < accumulation->changed.count; i++) // once is enough
        if (accumulation->changed.items[i] == by)
            accumulation->changed.items[i] = NULL;
}

bool accumulate_check_measure(Reader *reader, const char *optimizer, const char *name) {
    if (!accumulate_is_batch(reader))
        return false;
    for (uint32_t i = 0; i < reader->accumulation->finish->measures.count; i++)
        if (reader->accumulation->finish->measures.items[i].optimizer->name == optimizer && !note_late(reader->accumulation))
            reader_error(reader,
                         "\"%s.%s\" is known after the last of the %u batches that this phase accumulates: its reports, the \"when\" of a "
                         "later update and a \"set\" may use it, other nodes may not",
                         optimizer, name, reader->accumulation->batches);
    return reader->accumulation->needs_finish;
}

// ---- crossing

static bool is_input(const Reader *reader, const char *name) {
    for (uint32_t i = 0; i < reader->phase->feeds.count; i++)
        if (!strcmp(reader->phase->feeds.items[i].name, name))
            return false;
    return true;
}

static bool is_known_source(const Reader *reader, const Node *node) {
    switch ((int)node->op) {
    case OP_constant:
    case OP_table:
    case OP_iota:
        return true;
    case OP_number:
        return strcmp(attr_of(node, ATTR_name)->text, "records") != 0;
    case OP_feed:
        return is_input(reader, attr_of(node, ATTR_name)->text);
    case OP_state: // what a phase before this one reported; of others a batch may leave another value to the next
        return module_state(reader->module, attr_of(node, ATTR_name)->text)->kind == STATE_CONDITION;
    default:
        return false;
    }
}

// Whether all batches of a repetition have the same value: one of numbers, inputs, tables and earlier reports alone.
static bool is_known(Reader *reader, Value value) {
    Accumulation *accumulation = reader->accumulation;
    const Graph *graph = accumulation->batch->graph;
    while (accumulation->is_known.count <= value.id) {
        const Node *node = &graph->nodes.items[accumulation->is_known.count];
        bool known = node->arg_count > 0 || is_known_source(reader, node);
        for (uint32_t i = 0; i < node->arg_count && known; i++)
            known = accumulation->is_known.items[node->args[i].id];
        array_push(reader->arena, &accumulation->is_known, known && node->op != OP_NONE);
    }
    return accumulation->is_known.items[value.id];
}

// The same value, computed again at the end.
static Value copy_known(Reader *reader, Value value) {
    const Graph *from = reader->accumulation->batch->graph;
    Arena *scratch = arena_create();
    bool *wanted = ARENA_NEW(scratch, bool, value.id + 1);
    Value *moved = ARENA_NEW(scratch, Value, value.id + 1);
    wanted[value.id] = true;
    for (uint32_t id = value.id; id > 0; id--)
        for (uint32_t i = 0; wanted[id] && i < from->nodes.items[id].arg_count; i++)
            wanted[from->nodes.items[id].args[i].id] = true;
    for (uint32_t id = 1; id <= value.id; id++)
        if (wanted[id])
            moved[id] = graph_copy_node(reader->accumulation->finish->graph, &from->nodes.items[id], moved);
    Value copy = moved[value.id];
    arena_destroy(&scratch);
    return copy;
}

static uint32_t declare(Reader *reader, const Sum *sum, const char *what, State like) {
    const Accumulation *accumulation = reader->accumulation;
    const char *name = arena_format(reader->arena, "%s%s.%s", accumulation->path, what, sum->name);
    if (diag_error_count(reader->diag) && module_state_index(reader->module, name) != UINT32_MAX) // of a second update, which is the mistake
        name = arena_format(reader->arena, "%s (again)", name);
    uint32_t index = state_declare(reader, name, STATE_SUM, like.type, (Init){.kind = INIT_CONSTANT}, like.network);
    if (sum->stem)
        reader->module->states.items[index].stem = arena_format(reader->arena, "%s%s.%s", accumulation->path, what, sum->stem);
    return index;
}

// The mean over the batches, at the end; of a set's gradient or of a scalar.
static Value mean_of(Reader *reader, Value value, const OptimizerDecl *optimizer, const NetworkSet *set) {
    Accumulation *accumulation = reader->accumulation;
    uint32_t at = 0;
    while (at < accumulation->sums.count && accumulation->sums.items[at].value.id != value.id)
        at++;
    if (at == accumulation->sums.count) {
        State like = {.type = graph_type(accumulation->batch->graph, value), .network = set ? set->network->name : NULL};
        Sum sum = {.value = value};
        sum.name = set ? arena_format(reader->arena, "%s.%s", optimizer->name, reader->module->states.items[set->state].name)
                       : arena_format(reader->arena, "mean.%u", at);
        sum.stem = set ? arena_format(reader->arena, "%s.%s", optimizer->name, set->network->name) : NULL;
        sum.state = declare(reader, &sum, "sum", like);
        array_push(reader->arena, &accumulation->sums, sum);
    }
    Stage *outer = reader->stage;
    reader->stage = accumulation->batch;
    stage_write(reader, accumulation->sums.items[at].state, value);
    reader->stage = accumulation->finish;
    Value sum = stage_read(reader, accumulation->sums.items[at].state);
    Value mean = build_number(accumulation->finish->graph, OP_mul, sum, 1.0 / accumulation->batches);
    reader->stage = outer;
    return mean;
}

Value *accumulate_gradients(Reader *reader, const OptimizerDecl *optimizer, const Value *gradients) {
    Value *means = ARENA_NEW(reader->arena, Value, optimizer->sets.count);
    for (uint32_t i = 0; i < optimizer->sets.count; i++)
        means[i] = mean_of(reader, gradients[i], optimizer, optimizer->sets.items[i]);
    return means;
}

static Datum cross_list(Reader *reader, const char *name, const DatumList *list) {
    DatumList *crossed = ARENA_NEW(reader->arena, DatumList, 1);
    for (uint32_t i = 0; i < list->items.count; i++) {
        Datum item = accumulate_cross(reader, name, list->items.items[i]);
        if (item.kind == DATUM_ERROR)
            return item;
        array_push(reader->arena, &crossed->items, item);
    }
    return (Datum){.kind = DATUM_LIST, .list = crossed};
}

Datum accumulate_inner(Reader *reader, Datum outer, const char *name, Datum inner) {
    return outer.is_of_batches ? accumulate_cross(reader, name, inner) : inner;
}

Datum accumulate_cross(Reader *reader, const char *name, Datum datum) {
    if (is_finish(reader) && datum.kind == DATUM_LIST)
        return cross_list(reader, name, datum.list);
    datum.is_of_batches = is_finish(reader);
    if (!is_finish(reader) || (datum.kind != DATUM_TENSOR && datum.kind != DATUM_SET))
        return datum;
    uint32_t batches = reader->accumulation->batches;
    if (datum.kind == DATUM_SET)
        return reader_error(reader, "\"%s\" is a parameter set of each of %u batches; after the last, only means of f32 scalars are known",
                            name, batches);
    if (is_known(reader, datum.tensor))
        return datum_tensor(copy_known(reader, datum.tensor));
    Type type = graph_type(reader->accumulation->batch->graph, datum.tensor);
    if (type.rank || type.dtype != DTYPE_F32)
        return reader_error(reader,
                            "\"%s\" is %s of each of %u batches; after the last, only means of f32 scalars are known: give the one that "
                            "you mean a name before%s",
                            name, type_text(reader->arena, &type), batches, type.rank ? "" : ", with f32(…)");
    return datum_tensor(mean_of(reader, datum.tensor, NULL, NULL));
}

// ---- expressions of either

// How much is left of each list that nodes pushed to.
static uint32_t *count_pushed(Reader *reader, const Scope *owner) {
    uint32_t *counts = ARENA_NEW(reader->arena, uint32_t, owner->lists.count + 1);
    for (uint32_t i = 0; i < owner->lists.count; i++)
        counts[i] = owner->lists.items[i].list.items.count;
    return counts;
}

// In a batch, where what is known after the last one only shows that it is late.
static bool evaluate_early(Reader *reader, const Json *json, Scope *scope, Datum *out) {
    Accumulation *accumulation = reader->accumulation;
    const uint32_t *counts = count_pushed(reader, scope->owner);
    accumulation->asks = true;
    accumulation->needs_finish = false;
    *out = evaluate(reader, json, scope);
    accumulation->asks = false;
    for (uint32_t i = 0; accumulation->needs_finish && i < scope->owner->lists.count; i++) // what was popped in vain
        scope->owner->lists.items[i].list.items.count = counts[i];
    return !accumulation->needs_finish;
}

bool accumulate_evaluate(Reader *reader, const Json *json, Scope *scope, bool is_late, Datum *out) {
    if (!accumulate_is_batch(reader)) {
        *out = evaluate(reader, json, scope);
        return false;
    }
    if (!is_late && evaluate_early(reader, json, scope, out))
        return false;
    reader->accumulation->needs_finish = false;
    accumulate_enter(reader);
    *out = evaluate(reader, json, scope);
    return true;
}

// A scalar of each batch, which is reported as its mean; or one of what follows the last.
static Datum read_report(Reader *reader, const Json *json, Scope *scope) {
    Datum datum;
    bool is_late = accumulate_evaluate(reader, json, scope, false, &datum);
    Graph *graph = reader->stage->graph;
    datum = datum_reported(reader, datum);
    Type type = datum.kind == DATUM_TENSOR ? graph_type(graph, datum.tensor) : (Type){.rank = 1, .dims = {2}};
    if (datum.kind != DATUM_ERROR && type_count(&type) != 1) {
        reader_error_at(reader, json, "\"%s\" is no scalar but %s", json->string, datum_word(reader, datum));
        datum = datum_error();
    }
    if (datum.kind == DATUM_TENSOR)
        datum.tensor = build_reshape(graph, datum.tensor, 0, NULL);
    if (!is_late) {
        accumulate_enter(reader);
        ReaderPlace old = reader_enter(reader, json, NULL);
        datum = accumulate_cross(reader, json->string, datum);
        reader_leave(reader, old);
    }
    accumulate_leave(reader);
    return datum;
}

void accumulate_report(Reader *reader, const Json *report, Scope *scope) {
    Graph *graph = reader->accumulation->finish->graph;
    for (const Json *item = report ? report->first : NULL; item; item = item->next) {
        Datum datum = read_report(reader, item, scope);
        if (datum.kind == DATUM_TENSOR)
            graph_output(graph, (Output){.kind = OUTPUT_REPORT, .name = item->string, .value = datum.tensor});
    }
}

// ---- the phases of the program

static void push_phase(Reader *reader, GraphProgram *program, const Phase *like, PhasePart part, uint32_t level, Graph *graph) {
    const char *name = phase_part_names[part];
    Phase phase = *like;
    Value *moved;
    graph->diag = NULL;
    phase.part = part;
    phase.level = level;
    phase.title = like->name;
    phase.graph = graph_copy(reader->arena, graph, &moved);
    if (part != PART_BATCH) {
        memset(&phase.feeds, 0, sizeof phase.feeds);
        memset(&phase.every, 0, sizeof phase.every); // its turns are the batch's
        phase.when = NULL;
        phase.name = part == PART_FINISH ? arena_format(reader->arena, "%s.%s", like->name, name)
                                         : arena_format(reader->arena, "%s.%s.%u", like->name, name, level);
    }
    array_push(reader->arena, &program->phases, phase);
}

static Value state_of(Reader *reader, Graph *graph, uint32_t state) {
    Attr name = attr_text(reader->module->states.items[state].name);
    return graph_add(graph, OP_state, NULL, 0, &name, 1);
}

// Of all sums: to := from, or to := from + to.
static Graph *move_sums(Reader *reader, const uint32_t *levels, PhasePart part, const char *pointer) {
    Accumulation *accumulation = reader->accumulation;
    Graph *graph = graph_create(reader->arena, reader->module);
    graph->origin = (Origin){.pointer = pointer};
    for (uint32_t i = 0; i < accumulation->sums.count; i++) {
        uint32_t sum = accumulation->sums.items[i].state, to = part == PART_ADD ? sum : levels[i];
        Value value = state_of(reader, graph, sum);
        if (part == PART_ADD)
            value = build_binary(graph, OP_add, state_of(reader, graph, levels[i]), value);
        graph_output(graph, (Output){.kind = OUTPUT_STATE, .name = reader->module->states.items[to].name, .value = value});
    }
    return graph;
}

// The states of a level, by sum.
static uint32_t *declare_level(Reader *reader, uint32_t level) {
    Accumulation *accumulation = reader->accumulation;
    uint32_t *states = ARENA_NEW(reader->arena, uint32_t, accumulation->sums.count + 1);
    for (uint32_t i = 0; i < accumulation->sums.count; i++)
        states[i] = declare(reader, &accumulation->sums.items[i], arena_format(reader->arena, "level.%u", level),
                            reader->module->states.items[accumulation->sums.items[i].state]);
    return states;
}

void accumulate_phases(Reader *reader, GraphProgram *program, const Phase *phase) {
    Accumulation *accumulation = reader->accumulation;
    uint32_t levels = accumulate_levels(accumulation->batches), **states = ARENA_NEW(reader->arena, uint32_t *, levels + 1);
    for (uint32_t i = 0; i < levels; i++)
        states[i] = declare_level(reader, i);
    push_phase(reader, program, phase, PART_BATCH, 0, accumulation->batch->graph);
    for (uint32_t i = 0; i < levels; i++)
        push_phase(reader, program, phase, PART_ADD, i, move_sums(reader, states[i], PART_ADD, phase->pointer));
    for (uint32_t i = 0; i < levels; i++)
        push_phase(reader, program, phase, PART_KEEP, i, move_sums(reader, states[i], PART_KEEP, phase->pointer));
    push_phase(reader, program, phase, PART_FINISH, 0, accumulation->finish->graph);
}

Stage *accumulate_finish(const Reader *reader) { return reader->accumulation ? reader->accumulation->finish : NULL; }

bool accumulate_is_empty(const Reader *reader) { return reader->accumulation->sums.count == 0; }
