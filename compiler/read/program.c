// Program: data sets, and programs with their phases, each built into one graph.
#include "compiler/ir/op.h"
#include "compiler/read/conditions.h"
#include <math.h>

// ---- data sets

static bool read_range(Reader *reader, const Json *range, Scope *scope, Field *out) {
    Datum list = evaluate_static(reader, range, scope);
    if (list.kind == DATUM_ERROR)
        return false;
    if (list.list->items.count != 2 || !is_static_number(list.list->items.items[0]) || !is_static_number(list.list->items.items[1]))
        return reader_error_at(reader, range, "[low, high] expected");
    out->has_range = true;
    out->low = datum_double(list.list->items.items[0]);
    out->high = datum_double(list.list->items.items[1]);
    return true;
}

static bool read_field(Reader *reader, const Json *json, Scope *scope, Field *out) {
    const Json *dtype = json_get(json, "dtype"), *range = json_get(json, "range"), *below = json_get(json, "below");
    uint32_t rank, dims[MAX_RANK];
    DType type = DTYPE_F32;
    int64_t count = 0;
    *out = (Field){.name = json->key};
    if (!evaluate_dims(reader, json_get(json, "shape"), scope, &rank, dims))
        return false;
    if (rank == MAX_RANK)
        return reader_error_at(reader, json_get(json, "shape"), "%u axes; a record has at most %d, as its batch has one more", rank, MAX_RANK - 1);
    if (dtype && !dtype_parse(dtype->string, &type))
        return reader_error_at(reader, dtype, "unknown dtype \"%s\"%s", dtype->string,
                               reader_suggest_words(reader, dtype->string, element_names, DTYPE_COUNT));
    if (below && !evaluate_integer(reader, below, scope, 1, &count))
        return false;
    if (range && !read_range(reader, range, scope, out))
        return false;
    out->type = type_make(type, rank, dims);
    out->below = (uint32_t)count;
    return tokens_read(reader, json, 1, out);
}

void data_read(Reader *reader) {
    for (uint32_t i = 0; i < reader->main->data.count; i++) {
        DataDecl *decl = &reader->main->data.items[i];
        Scope *scope = &decl->document->scope;
        DataSet data = {.name = decl->name};
        int64_t batch = 1;
        if (evaluate_integer(reader, json_get(decl->json, "batch"), scope, 1, &batch))
            data.batch = (uint32_t)batch;
        for (const Json *item = json_get(decl->json, "fields")->first; item; item = item->next) {
            Field field;
            if (read_field(reader, item, scope, &field))
                array_push(reader->arena, &data.fields, field);
        }
        const Json *augment = json_get(decl->json, "augment");
        if (augment && pictures_read(reader, augment, scope, &data))
            pictures_check(reader, augment, &data);
        decl->index = reader->module->data.count;
        array_push(reader->arena, &reader->module->data, data);
    }
}

// "images.image"
static const Field *find_field(Reader *reader, const Json *json, const DataSet **data) {
    ARRAY(const char *) names = {0};
    for (uint32_t i = 0; i < reader->module->data.count; i++) {
        *data = &reader->module->data.items[i];
        for (uint32_t k = 0; k < (*data)->fields.count; k++) {
            const char *name = arena_format(reader->arena, "%s.%s", (*data)->name, (*data)->fields.items[k].name);
            if (!strcmp(name, json->string))
                return &(*data)->fields.items[k];
            array_push(reader->arena, &names, name);
        }
    }
    reader_error_at(reader, json, "no data \"%s\"%s", json->string, reader_suggest_words(reader, json->string, names.items, names.count));
    return NULL;
}

// ---- feeds

Value program_feed(Reader *reader, const Feed *feed) {
    int64_t ints[MAX_RANK];
    for (uint32_t i = 0; i < feed->type.rank; i++)
        ints[i] = feed->type.dims[i];
    Attr attrs[] = {attr_text(feed->name), attr_text(dtype_name(feed->type.dtype)), attr_ints(ints, feed->type.rank)};
    return graph_add(reader->stage->graph, OP_feed, NULL, 0, attrs, 3);
}

// One of two words.
static bool read_choice(Reader *reader, const Json *json, const char *first, const char *second, bool *is_second) {
    *is_second = json && !strcmp(json->string, second);
    if (!json || *is_second || !strcmp(json->string, first))
        return true;
    return reader_error_at(reader, json, "\"%s\" or \"%s\" expected, not \"%s\"", first, second, json->string);
}

static bool read_feed(Reader *reader, const Json *json, Scope *scope, Feed *out) {
    const Json *from = json->kind == JSON_STRING ? json : json_get(json, "from"), *split = json_get(json, "split"),
               *batch = json_get(json, "batch");
    const DataSet *data;
    const Field *field = find_field(reader, from, &data);
    bool is_sequential;
    int64_t size = data ? data->batch : 0;
    if (!field || !read_choice(reader, json_get(json, "order"), "shuffled", "sequential", &is_sequential) ||
        !read_choice(reader, json_get(json, "last"), "drop", "pad", &out->pad) ||
        (batch && !evaluate_integer(reader, batch, scope, 1, &size)))
        return false;
    out->name = json->key;
    out->data = data->name;
    out->field = field->name;
    out->split = split ? split->string : "train";
    out->shuffled = !is_sequential;
    out->batch = (uint32_t)size;
    out->type = (Type){.dtype = field->type.dtype, .rank = (uint8_t)(field->type.rank + 1), .dims = {(uint32_t)size}};
    memcpy(out->type.dims + 1, field->type.dims, sizeof *field->type.dims * field->type.rank);
    return true;
}

// Pictures of another split than "train" are mostly there to validate with, and meant as they are.
static void warn_drawn(Reader *reader, const Json *json, const Feed *feed) {
    const DataSet *data = NULL;
    find_field(reader, json->kind == JSON_STRING ? json : json_get(json, "from"), &data);
    bool is_picture = feed->type.dtype == DTYPE_F32 && feed->type.rank == 4;
    if (!data->has_augment || !is_picture || !feed->shuffled || json_get(json, "order") || !strcmp(feed->split, "train"))
        return;
    Place place = json_place(reader->arena, json);
    diag_warning(reader->diag, &place,
                 "pictures of \"%s\" are cropped, mirrored and coloured at random, as all in shuffled order; \"order\": \"sequential\" takes them "
                 "as they are, \"order\": \"shuffled\" says that it is meant",
                 feed->split);
}

static bool read_feeds(Reader *reader, const Json *feeds, Scope *program_scope, Scope *scope, Phase *phase) {
    bool is_good = true;
    for (const Json *item = feeds ? feeds->first : NULL; item; item = item->next) {
        Feed feed = {0};
        Datum datum = datum_error();
        if (read_feed(reader, item, program_scope, &feed)) {
            array_push(reader->arena, &phase->feeds, feed);
            warn_drawn(reader, item, &feed);
            datum = datum_tensor(program_feed(reader, &feed));
        } else {
            is_good = false;
        }
        scope_set(reader, scope, item->key, datum);
    }
    for (uint32_t i = 1; i < phase->feeds.count; i++)
        for (uint32_t k = 0; k < i; k++) {
            const Feed *a = &phase->feeds.items[k], *b = &phase->feeds.items[i];
            if (!strcmp(a->data, b->data) &&
                (a->batch != b->batch || strcmp(a->split, b->split) || a->shuffled != b->shuffled || a->pad != b->pad))
                is_good = reader_error_at(
                    reader, json_get(feeds, b->name),
                    "feeds of one phase from one data set are the same records: \"%s\" and \"%s\" differ in batch, split, order or last",
                    a->name, b->name);
        }
    return is_good;
}

// ---- what leaves a phase

static void show_value(Reader *reader, const char *name, Datum datum) {
    Graph *graph = reader->stage->graph;
    if (datum.kind == DATUM_TENSOR)
        graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = name, .value = datum.tensor});
    for (uint32_t i = 0; datum.kind == DATUM_RECORD && i < datum.record->items.count; i++)
        show_value(reader, arena_format(reader->arena, "%s.%s", name, datum.record->items.items[i].name),
                   datum.record->items.items[i].datum);
    for (uint32_t i = 0; datum.kind == DATUM_FAMILY && i < datum.family->items.count; i++)
        show_value(reader, arena_format(reader->arena, "%s.%lld", name, (long long)datum.family->items.items[i].index),
                   datum.family->items.items[i].datum);
    for (uint32_t i = 0; datum.kind == DATUM_SET && i < datum.set->items.count; i++) {
        SetValue set = datum.set->items.items[i];
        const Set *parts = &reader->module->sets.items[set.set - 1];
        for (uint32_t k = 0; k < parts->parts.count; k++)
            show_value(reader, arena_format(reader->arena, "%s.%s", name, parts->parts.items[k].name),
                       datum_tensor(set_part(reader, set, k)));
    }
}

static void report_all(Reader *reader, const Json *report, Scope *scope) {
    Graph *graph = reader->stage->graph;
    for (const Json *item = report ? report->first : NULL; item; item = item->next) {
        Datum datum = datum_reported(reader, evaluate(reader, item, scope));
        Type type = datum.kind == DATUM_TENSOR ? graph_type(graph, datum.tensor) : (Type){.rank = 1, .dims = {2}};
        if (datum.kind == DATUM_ERROR)
            continue;
        if (type_count(&type) != 1)
            reader_error_at(reader, item, "\"%s\" is no scalar but %s", item->string, datum_word(reader, datum));
        else
            graph_output(graph,
                         (Output){.kind = OUTPUT_REPORT, .name = item->string, .value = build_reshape(graph, datum.tensor, 0, NULL)});
    }
}

// Running statistics keep what they were where a batch would make them something that is not finite: no later batch mends that.
static Value keep_finite(Reader *reader, uint32_t state, Value value) {
    const State *declared = &reader->module->states.items[state];
    Graph *graph = reader->stage->graph;
    if (!reader->phase->skips || declared->kind != STATE_RUNNING || !declared->network || declared->type.dtype != DTYPE_F32)
        return value;
    return build_select(graph, build_unary(graph, OP_is_finite, value), value, reader->stage->initial.items[state]);
}

static void store_states(Reader *reader, Stage *stage) {
    Stage *outer = reader->stage;
    reader->stage = stage;
    for (uint32_t i = 0; i < stage->current.count; i++)
        if (stage->current.items[i].id && stage->current.items[i].id != stage->initial.items[i].id)
            graph_output(stage->graph, (Output){.kind = OUTPUT_STATE,
                                                .name = reader->module->states.items[i].name,
                                                .value = keep_finite(reader, i, stage->current.items[i])});
    reader->stage = outer;
}

// ---- programs

typedef struct {
    const Json *json;
    GraphProgram *program;
    Scope *scope;
    Conditions *conditions;
} ProgramPlace;

static bool read_repeat(Reader *reader, const Json *json, Scope *scope, uint32_t batches, uint32_t *out) {
    const Json *repeat = json_get(json, "repeat");
    int64_t times = 1;
    if (repeat && repeat->kind == JSON_STRING && !strcmp(repeat->string, "epoch")) {
        const Json *feed = json_get(json, "feed");
        *out = 0;
        return (feed && feed->count) || reader_error_at(reader, repeat, "\"repeat\": \"epoch\" needs a feed");
    }
    if (repeat && !evaluate_integer(reader, repeat, scope, 1, &times))
        return false;
    if (times * batches > INT32_MAX)
        return reader_error_at(reader, repeat, "%s repetitions of %u batches; a step has at most %s batches of a phase",
                               text_thousands(reader->arena, (uint64_t)times), batches, text_thousands(reader->arena, INT32_MAX));
    *out = (uint32_t)times;
    return true;
}

// How many batches a repetition takes.
static bool read_accumulate(Reader *reader, const Json *json, Scope *scope, uint32_t *out) {
    const Json *accumulate = json_get(json, "accumulate");
    const char *own = arena_format(reader->arena, "%s.", json_get(json, "name")->string);
    int64_t batches = 1;
    if (accumulate && !evaluate_integer(reader, accumulate, scope, 1, &batches))
        return false;
    if (batches > ACCUMULATE_MAX)
        return reader_error_at(reader, accumulate, "%lld batches a repetition; at most %d are accumulated", (long long)batches,
                               ACCUMULATE_MAX);
    for (const Json *other = json->parent->first; other && batches > 1; other = other->next)
        if (text_starts_with(json_get(other, "name")->string, own))
            return reader_error_at(reader, json_get(other, "name"),
                                   "a phase that accumulates has parts whose names begin with \"%s\": call this phase otherwise", own);
    *out = batches > 1 ? (uint32_t)batches : 0;
    return true;
}

static void push_phase(Reader *reader, GraphProgram *program, Phase *phase) {
    Value *moved;
    if (reader->accumulation) {
        accumulate_phases(reader, program, phase);
        return;
    }
    reader->stage->graph->diag = NULL;
    phase->graph = graph_copy(reader->arena, reader->stage->graph, &moved);
    array_push(reader->arena, &program->phases, *phase);
}

// What is seen of a phase from outside, in which there were no mistakes while the errors are `errors`.
static void read_results(Reader *reader, const Json *json, Scope *scope, uint32_t errors) {
    if (!reader->accumulation) {
        report_all(reader, json_get(json, "report"), scope);
        measures_report(reader);
        return;
    }
    accumulate_report(reader, json_get(json, "report"), scope);
    accumulate_enter(reader);
    measures_report(reader);
    accumulate_leave(reader);
    if (accumulate_is_empty(reader) && diag_error_count(reader->diag) == errors)
        reader_error_at(reader, json_get(json, "accumulate"),
                        "nothing is accumulated here: neither an update nor a report takes several batches; \"repeat\" runs a phase on "
                        "each");
}

// Where the reports are computed.
static void keep_conditions(Reader *reader, Conditions *conditions, const Phase *phase) {
    if (reader->accumulation)
        accumulate_enter(reader);
    conditions_keep(reader, conditions, phase);
    if (reader->accumulation)
        accumulate_leave(reader);
}

static void read_phase(Reader *reader, const Json *json, const ProgramPlace *place) {
    const Json *index = json_get(json, "index");
    const Json *mode = json_get(json, "mode"), *updated = reader->updated;
    Phase phase = {
        .name = json_get(json, "name")->string, .pointer = json_pointer(reader->arena, json), .skips = place->program->skips, .trains = place->program->training};
    Stage *outer = reader->stage;
    uint32_t errors = diag_error_count(reader->diag);
    const char *path = arena_format(reader->arena, "%s.%s.", place->program->name, phase.name);
    ReaderPlace old = reader_enter(reader, json, NULL);
    reader->stage = stage_create(reader, STAGE_PHASE);
    reader->phase = &phase;
    Graph *graph = reader->stage->graph;
    graph->origin = (Origin){.pointer = phase.pointer};
    Scope *scope = scope_create(reader, place->scope, false);
    for (uint32_t i = 0; i < place->program->inputs.count; i++)
        scope_set(reader, place->scope, place->program->inputs.items[i].name,
                  datum_tensor(program_feed(reader, &place->program->inputs.items[i])));
    bool is_good = read_accumulate(reader, json, place->scope, &phase.batches);
    reader->accumulation = phase.batches ? accumulate_create(reader, phase.batches, path) : NULL;
    Attr number = attr_text(reader->accumulation ? "index" : "repetition");
    if (index)
        scope_set(reader, scope, index->string, datum_tensor(graph_add(graph, OP_number, NULL, 0, &number, 1)));
    if (is_good && conditions_turns(reader, json, place->program, place->scope, &phase) &&
        read_repeat(reader, json, place->scope, phase.batches, &phase.repeat) &&
        read_feeds(reader, json_get(json, "feed"), place->scope, scope, &phase)) {
        Call call = {.training = mode ? !phase.is_eval : place->program->training};
        if (mode)
            scope_set(reader, scope, "training", datum_bool(call.training));
        Frame frame = {.call = &call, .document = reader->main, .path = "", .draws = path};
        conditions_show(reader, place->conditions, scope);
        nodes_run(reader, json_get(json, "nodes"), scope, &frame);
        read_results(reader, json, scope, errors);
        if (diag_error_count(reader->diag) == errors)
            keep_conditions(reader, place->conditions, &phase);
        reader->updated = call.training && !place->program->training ? updated : reader->updated;
        if (diag_error_count(reader->diag) == errors)
            scope_end(reader, scope, json);
    }
    for (uint32_t i = 0; reader->options->keep_values && i < scope->names.items.count; i++)
        if (strcmp(scope->names.items.items[i].name, "$"))
            show_value(reader, arena_format(reader->arena, "values/%s%s", path, scope->names.items.items[i].name),
                       scope->names.items.items[i].datum);
    store_states(reader, reader->stage);
    if (reader->accumulation)
        store_states(reader, accumulate_finish(reader));
    reader_flush(reader);
    if (diag_error_count(reader->diag) == errors)
        push_phase(reader, place->program, &phase);
    reader->accumulation = NULL;
    reader->phase = NULL;
    reader->stage = outer;
    reader_leave(reader, old);
}

static void read_requires(Reader *reader, const Json *requires, GraphProgram *program) {
    for (const Json *item = requires ? requires->first : NULL; item; item = item->next) {
        Datum datum = evaluate_raw(reader, item, &reader->main->scope);
        if (datum.kind == DATUM_NETWORK)
            array_push(reader->arena, &program->requires_trained, parameters_owner(datum.network)->name);
        else if (datum.kind == DATUM_STATE)
            array_push(reader->arena, &program->requires_trained, reader->module->states.items[datum.state.index].name);
        else if (datum.kind != DATUM_ERROR)
            reader_error_at(reader, item, "\"%s\" is neither a network nor a state", item->string);
    }
}

static void read_states(Reader *reader, const Json *states, const char *program, Scope *scope) {
    for (const Json *item = states ? states->first : NULL; item; item = item->next) {
        uint32_t rank, dims[MAX_RANK];
        const Json *init = json_get(item, "init");
        Initialiser initial = {0};
        Init resolved;
        ReaderPlace old = reader_enter(reader, item, NULL);
        Datum datum = datum_error();
        if (evaluate_dims(reader, json_get(item, "shape"), scope, &rank, dims) &&
            (!init || initialiser_read(reader, init, scope, &initial))) {
            const char *name = arena_format(reader->arena, "%s.%s", program, item->key);
            const char *misfit = init_resolve(reader->arena, &initial, rank, dims, &resolved);
            if (misfit)
                reader_error_at(reader, init, "%s", misfit);
            else if (module_state_index(reader->module, name) != UINT32_MAX)
                reader_error_at(reader, item, "there is already a state \"%s\"", name);
            else
                datum = (Datum){
                    .kind = DATUM_STATE,
                    .state = {.index = state_declare(reader, name, STATE_PROGRAM, type_make(DTYPE_F32, rank, dims), resolved, NULL)}};
        }
        scope_set(reader, scope, item->key, datum);
        reader_leave(reader, old);
    }
}

// "below", "range", "tokens" and "default" of an input, whose type is known.
static bool read_declared(Reader *reader, const Json *json, Scope *scope, Feed *input) {
    const Json *range = json_get(json, "range"), *below = json_get(json, "below"), *given = json_get(json, "default");
    bool is_real = input->type.dtype == DTYPE_F32;
    int64_t bound = 0;
    if (range && !is_real)
        return reader_error_at(reader, range, "a range is what pictures are mapped to, and those are f32; \"%s\" is %s", input->name,
                               dtype_name(input->type.dtype));
    if (below && is_real)
        return reader_error_at(reader, below, "\"below\" bounds integers; \"%s\" is f32 (\"dtype\": \"i32\" makes it one of integers)",
                               input->name);
    if ((range && !read_range(reader, range, scope, &input->declared)) || (below && !evaluate_integer(reader, below, scope, 1, &bound)))
        return false;
    input->declared.below = (uint32_t)bound;
    input->declared.type = input->type;
    if (!tokens_read(reader, json, 2, &input->declared))
        return false;
    bound = input->declared.below;
    if (!given)
        return true;
    if (!table_numbers(reader, given, scope, &input->defaults, &input->default_count))
        return false;
    if (input->default_count > 1 && input->type.rank == 0)
        return reader_error_at(reader, given, "%u numbers for one: a list goes along the first axis, and \"%s\" has none",
                               input->default_count, input->name);
    for (uint32_t i = 0; i < input->default_count; i++) {
        double number = input->defaults[i];
        if (!isfinite(number))
            return reader_error_at(reader, given, "number %u is %g; a default is finite", i, number);
        if (is_real)
            continue;
        if (number != floor(number) || (input->type.dtype == DTYPE_U32 && number < 0) || (bound && (number < 0 || number >= (double)bound)))
            return reader_error_at(reader, given, "number %u is %.10g; \"%s\" takes integers%s", i, number, input->name,
                                   bound ? arena_format(reader->arena, " from 0 to %lld", (long long)bound - 1) : "");
    }
    return true;
}

static bool read_input(Reader *reader, const Json *json, Scope *scope, Feed *input) {
    const Json *dtype = json->kind == JSON_OBJECT ? json_get(json, "dtype") : NULL;
    uint32_t rank, dims[MAX_RANK];
    DType type = DTYPE_F32;
    if (!evaluate_dims(reader, json->kind == JSON_OBJECT ? json_get(json, "shape") : json, scope, &rank, dims))
        return false;
    if (dtype && (!dtype_parse(dtype->string, &type) || (int)type >= ELEMENT_WORDS))
        return reader_error_at(reader, dtype, "\"%s\" is no dtype of a program's input%s", dtype->string,
                               reader_suggest_words(reader, dtype->string, element_names, ELEMENT_WORDS));
    *input = (Feed){.name = json->key, .type = type_make(type, rank, dims), .batch = rank ? dims[0] : 1};
    return json->kind != JSON_OBJECT || read_declared(reader, json, scope, input);
}

static void read_inputs(Reader *reader, const Json *inputs, GraphProgram *program, Scope *scope) {
    for (const Json *item = inputs ? inputs->first : NULL; item; item = item->next) {
        Feed input;
        scope_set(reader, scope, item->key, datum_error());
        if (read_input(reader, item, scope, &input))
            array_push(reader->arena, &program->inputs, input);
    }
}

static bool reads_input(const Phase *phase, const char *name) {
    for (uint32_t i = 0; i < phase->feeds.count; i++)
        if (!strcmp(phase->feeds.items[i].name, name))
            return false; // a feed of the phase hides it
    for (uint32_t id = 1; id < phase->graph->nodes.count; id++) {
        const Node *node = &phase->graph->nodes.items[id];
        if (node->op == OP_feed && !strcmp(attr_of(node, ATTR_name)->text, name))
            return true;
    }
    return false;
}

static void warn_unused_inputs(Reader *reader, const Json *inputs, const GraphProgram *program) {
    for (const Json *item = inputs ? inputs->first : NULL; item; item = item->next) {
        bool is_read = false;
        for (uint32_t i = 0; i < program->phases.count; i++)
            is_read = is_read || reads_input(&program->phases.items[i], item->key);
        Place place = json_place(reader->arena, item);
        if (!is_read)
            diag_warning(reader->diag, &place, "input \"%s\" is never used", item->key);
    }
}

static void read_not_finite(Reader *reader, const Json *json, GraphProgram *program) {
    const Json *word = json_get(json, "not_finite");
    if (!read_choice(reader, word, "stop", "skip", &program->skips) || !word || program->training)
        return;
    reader_error_at(reader, word, "\"not_finite\" is of programs that train: \"mode\": \"train\" is missing");
}

bool program_is_wanted(const Reader *reader, const Json *json) {
    bool is_wanted = !reader->options->programs;
    for (uint32_t i = 0; !is_wanted && i < reader->options->program_count; i++)
        is_wanted = !strcmp(reader->options->programs[i], json->key);
    return is_wanted;
}

void program_declare(Reader *reader, const Json *json) {
    const Json *mode = json_get(json, "mode"), *steps = json_get(json, "steps");
    GraphProgram program = {.name = json->key};
    Scope *scope = scope_create(reader, &reader->main->scope, false);
    int64_t count = 0;
    reader->updated = NULL;
    lets_declare(reader, json_get(json, "let"), scope, &reader->main->given, arena_format(reader->arena, "%s.", json->key), true);
    if (mode && strcmp(mode->string, "train") && strcmp(mode->string, "eval"))
        reader_error_at(reader, mode, "\"train\" or \"eval\" expected, not \"%s\"", mode->string);
    program.training = mode && !strcmp(mode->string, "train");
    read_not_finite(reader, json, &program);
    scope_set(reader, scope, "training", datum_bool(program.training));
    if (steps && evaluate_integer(reader, steps, scope, 1, &count))
        program.steps = (uint32_t)count;
    read_requires(reader, json_get(json, "requires"), &program);
    read_states(reader, json_get(json, "state"), program.name, scope);
    read_inputs(reader, json_get(json, "inputs"), &program, scope);
    Conditions conditions;
    uint32_t errors = diag_error_count(reader->diag);
    ProgramPlace place = {json, &program, scope, &conditions};
    bool is_good = conditions_find(reader, json, &program, scope, &conditions);
    for (const Json *phase = json_get(json, "phases")->first; is_good && phase && !reader_stopped(reader); phase = phase->next)
        read_phase(reader, phase, &place);
    if (is_good && conditions.is_there && diag_error_count(reader->diag) == errors)
        conditions_build(reader, &conditions);
    if (diag_error_count(reader->diag) == 0)
        warn_unused_inputs(reader, json_get(json, "inputs"), &program);
    if (reader->updated && !program.training) {
        Place at = json_place(reader->arena, mode ? mode : json);
        diag_warning(reader->diag, &at,
                     "program \"%s\" has an update (line %u), but its mode is not \"train\": write \"mode\": \"train\", or dropout and batch "
                     "normalisation act as when sampling",
                     program.name, reader->updated->line);
    }
    array_push(reader->arena, &reader->module->programs, program);
}
