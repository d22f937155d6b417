// Conditions: see conditions.h.
#include "compiler/read/conditions.h"
#include "compiler/ir/op.h"

static const char PHASE_NAME[] = "conditions";

// ---- which reports they read

static const Json *find_phase(const Json *program, const char *name) {
    for (const Json *phase = json_get(program, "phases")->first; phase; phase = phase->next)
        if (!strcmp(json_get(phase, "name")->string, name))
            return phase;
    return NULL;
}

// "validate.loss" of a chain of names; NULL: it is none.
static const char *chain_text(Arena *arena, const Tree *tree) {
    if (tree->kind == TREE_NAME)
        return tree->name;
    const char *base = tree->kind == TREE_ATTR ? chain_text(arena, tree->children.items[0]) : NULL;
    return base ? arena_format(arena, "%s.%s", base, tree->name) : NULL;
}

static bool reports(const Json *phase, const char *name) {
    const Json *list = json_get(phase, "report");
    for (const Json *item = list ? list->first : NULL; item; item = item->next)
        if (!strcmp(item->string, name))
            return true;
    return false;
}

// Who reads it: a condition, whose chains all mean reports where they begin with a phase; or a node of a phase, in which only those do that a
// phase before it reports, and all else means what it meant.
typedef struct {
    const Json *place;
    const Json *phase; // NULL: a condition
} Looking;

// A report by its own name, in a condition where nothing else has it.
static void check_bare(Reader *reader, Conditions *conditions, const char *name, const Json *place) {
    for (const Json *phase = json_get(conditions->json, "phases")->first; phase; phase = phase->next)
        if (reports(phase, name) && !scope_find(conditions->scope, name) && !evaluate_is_number(name) &&
            !find_phase(conditions->json, name)) {
            reader_error_at(reader, place, "unknown name \"%s\"; did you mean \"%s.%s\", the report of the phase?", name,
                            json_get(phase, "name")->string, name);
            conditions->is_wrong = true;
            return;
        }
}

static void note_report(Reader *reader, Conditions *conditions, const char *chain, const Looking *looking) {
    const char *dot = strchr(chain, '.');
    if (!dot && !looking->phase)
        check_bare(reader, conditions, chain, looking->place);
    const char *phase = dot ? arena_copy_bytes(reader->arena, chain, (size_t)(dot - chain)) : NULL;
    const Json *json = phase ? find_phase(conditions->json, phase) : NULL;
    if (!json || (looking->phase && (json == looking->phase || !reports(json, dot + 1))))
        return;
    for (const Json *at = json; looking->phase && at != looking->phase; at = at->next)
        if (!at)
            return;
    ConditionReport *report = NULL;
    for (uint32_t i = 0; i < conditions->reports.count && !report; i++)
        if (!strcmp(conditions->reports.items[i].phase, phase) && !strcmp(conditions->reports.items[i].name, dot + 1))
            report = &conditions->reports.items[i];
    if (!report) {
        array_push(reader->arena, &conditions->reports, ((ConditionReport){.phase = phase, .name = dot + 1, .place = looking->place}));
        report = &conditions->reports.items[conditions->reports.count - 1];
    }
    report->is_for_nodes = report->is_for_nodes || looking->phase;
}

static void note_reports(Reader *reader, Conditions *conditions, const Tree *tree, const Looking *looking) {
    const char *chain = chain_text(reader->arena, tree);
    if (chain)
        note_report(reader, conditions, chain, looking);
    for (uint32_t i = 0; !chain && i < tree->children.count; i++)
        if (tree->children.items[i])
            note_reports(reader, conditions, tree->children.items[i], looking);
}

static void note_text(Reader *reader, Conditions *conditions, const Json *json, const Json *phase) {
    ExpressionProblem problem;
    const Tree *tree = json->kind == JSON_STRING ? parsed_tree(reader, json->string, &problem) : NULL;
    if (tree) // else it is reported where it is computed
        note_reports(reader, conditions, tree, &(Looking){json, phase});
}

static void note_condition(Reader *reader, Conditions *conditions, const Json *json) {
    if (json)
        note_text(reader, conditions, json, NULL);
    conditions->is_there = conditions->is_there || json;
}

static void note_nodes(Reader *reader, Conditions *conditions, const Json *json, const Json *phase) {
    if (json->kind == JSON_STRING && strchr(json->string, '.'))
        note_text(reader, conditions, json, phase);
    for (const Json *item = json->kind == JSON_ARRAY || json->kind == JSON_OBJECT ? json->first : NULL; item; item = item->next)
        note_nodes(reader, conditions, item, phase);
}

static bool needs_training(Reader *reader, const Json *json, const char *key, const GraphProgram *program) {
    const Json *member = json_get(json, key);
    return !member || program->training ||
           reader_error_at(reader, member, "\"%s\" is of programs that train, whose steps follow each other: \"mode\": \"train\" is missing",
                           key);
}

bool conditions_find(Reader *reader, const Json *json, GraphProgram *program, Scope *scope, Conditions *out) {
    *out = (Conditions){.program = program, .json = json, .scope = scope};
    if (!needs_training(reader, json, "stop", program))
        return false;
    note_condition(reader, out, json_get(json, "stop"));
    for (const Json *phase = json_get(json, "phases")->first; phase; phase = phase->next)
        note_condition(reader, out, json_get(phase, "when"));
    for (const Json *phase = json_get(json, "phases")->first; phase && program->training; phase = phase->next)
        if (phase != json_get(json, "phases")->first)
            note_nodes(reader, out, json_get(phase, "nodes"), phase);
    const Json *taken = out->is_there ? find_phase(json, PHASE_NAME) : NULL;
    if (out->is_wrong)
        return false;
    return !taken || reader_error_at(reader, json_get(taken, "name"),
                                     "a program with \"when\" or \"stop\" has a phase of its own called \"%s\", which computes them: choose "
                                     "another name",
                                     PHASE_NAME);
}

// ---- a phase's turns

typedef struct {
    Reader *reader;
    const Json *json;
    Every *out;
    uint32_t depth;
} Formula;

static bool add_term(Formula *formula, EveryKind kind, int32_t number) {
    array_push(formula->reader->arena, &formula->out->terms, ((EveryTerm){kind, number}));
    return formula->out->terms.count <= EVERY_TERMS_MAX ||
           reader_error_at(formula->reader, formula->json, "the formula is too long: at most %d numbers and signs", EVERY_TERMS_MAX);
}

static bool cannot_stand(Formula *formula, const char *what) {
    return reader_error_at(formula->reader, formula->json,
                           "%s cannot stand in \"every\", which is known before the run: integers, \"steps\", \"epoch_steps\", + - * // %% "
                           "min and max can",
                           what);
}

static bool add_value(Formula *formula, Value value);

static bool add_operation(Formula *formula, const Node *node, EveryKind kind) {
    formula->depth++;
    bool is_good = formula->depth < EVERY_DEPTH_MAX || reader_error_at(formula->reader, formula->json, "the formula is too deep");
    is_good = is_good && add_value(formula, node->args[0]) && add_value(formula, node->args[1]) && add_term(formula, kind, 0);
    formula->depth--;
    return is_good;
}

static bool add_number(Formula *formula, const Node *node) {
    const char *name = attr_of(node, ATTR_name)->text;
    if (!strcmp(name, "steps") || !strcmp(name, "epoch_steps"))
        return add_term(formula, name[0] == 's' ? EVERY_STEPS : EVERY_EPOCH_STEPS, 0);
    return cannot_stand(formula, arena_format(formula->reader->arena, "\"%s\"", name));
}

static bool add_value(Formula *formula, Value value) {
    static const struct {
        Op op;
        EveryKind kind;
    } kinds[] = {{OP_add, EVERY_ADD},             {OP_sub, EVERY_SUB},     {OP_mul, EVERY_MUL},    {OP_floor_div, EVERY_FLOOR_DIV},
                 {OP_floor_mod, EVERY_MOD},       {OP_minimum, EVERY_MIN}, {OP_maximum, EVERY_MAX}};
    const Graph *graph = formula->reader->stage->graph;
    const Node *node = graph_node(graph, value);
    if (node->type.rank != 0 || node->type.dtype != DTYPE_I32)
        return cannot_stand(formula, type_text(formula->reader->arena, &node->type));
    if (node->op == OP_constant)
        return add_term(formula, EVERY_NUMBER, (int32_t)attr_of(node, ATTR_value)->number);
    if (node->op == OP_number)
        return add_number(formula, node);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (node->op == kinds[i].op)
            return add_operation(formula, node, kinds[i].kind);
    return cannot_stand(formula, arena_format(formula->reader->arena, "\"%s\"", op_def(node->op)->name));
}

// The language's own reader makes values of it; these are put down as a formula for the host.
static bool read_every(Reader *reader, const Json *json, Scope *scope, Every *out) {
    Datum datum = evaluate(reader, json, scope);
    if (datum.kind == DATUM_ERROR)
        return false;
    int64_t number = 0;
    if (datum.kind != DATUM_TENSOR)
        return evaluate_integer(reader, json, scope, 1, &number) &&
               add_term(&(Formula){.reader = reader, .json = json, .out = out}, EVERY_NUMBER, (int32_t)number);
    return add_value(&(Formula){.reader = reader, .json = json, .out = out}, datum.tensor);
}

static const char *condition_text(const Json *json) {
    return json->kind == JSON_STRING ? json->string : json->number != 0 ? "true" : "false"; // a number is refused where it is computed
}

bool conditions_turns(Reader *reader, const Json *json, const GraphProgram *program, Scope *scope, Phase *out) {
    const Json *mode = json_get(json, "mode"), *every = json_get(json, "every"), *when = json_get(json, "when");
    if (mode && strcmp(mode->string, "train") && strcmp(mode->string, "eval"))
        return reader_error_at(reader, mode, "\"train\" or \"eval\" expected, not \"%s\"", mode->string);
    out->is_eval = mode && !strcmp(mode->string, "eval");
    if (!needs_training(reader, json, "every", program) || !needs_training(reader, json, "when", program))
        return false;
    out->when = when ? condition_text(when) : NULL;
    return !every || read_every(reader, every, scope, &out->every);
}

// ---- what is kept

static uint32_t declare(Reader *reader, const char *name, DType dtype) {
    return state_declare(reader, name, STATE_CONDITION, type_scalar(dtype), (Init){.kind = INIT_CONSTANT}, NULL);
}

static Value repetition(Graph *graph) { return graph_add(graph, OP_number, NULL, 0, (Attr[]){attr_text("repetition")}, 1); }

// The mean so far, which begins anew with each run of the phase.
static Value mean_so_far(Graph *graph, Value former, Value value) {
    Value r = repetition(graph), count = build_cast(graph, build_number(graph, OP_add, r, 1), DTYPE_F32);
    Value moved = build_binary(graph, OP_add, former, build_binary(graph, OP_div, build_binary(graph, OP_sub, value, former), count));
    return build_select(graph, build_number(graph, OP_eq, r, 0), value, moved);
}

static void keep_report(Reader *reader, const Conditions *conditions, ConditionReport *report, const Phase *phase) {
    Graph *graph = reader->stage->graph;
    ARRAY(const char *) names = {0};
    Value value = {0};
    for (uint32_t i = 0; i < graph->outputs.count && !value.id; i++) {
        const Output *output = &graph->outputs.items[i];
        if (output->kind != OUTPUT_REPORT)
            continue;
        if (!strcmp(output->name, report->name))
            value = output->value;
        array_push(reader->arena, &names, output->name);
    }
    if (!value.id && reports(find_phase(conditions->json, phase->name), report->name))
        return; // what it is of has been reported
    if (!value.id) {
        reader_error_at(reader, report->place, "the phase \"%s\" does not report \"%s\"%s", phase->name, report->name,
                        names.count ? reader_suggest_words(reader, report->name, names.items, names.count)
                                    : arena_format(reader->arena, ": write \"report\": [\"%s\"] there", report->name));
        return;
    }
    Type type = graph_type(graph, value);
    bool is_real = type.dtype == DTYPE_F32;
    report->is_truth = type.dtype == DTYPE_BOOL;
    value = is_real ? value : build_cast(graph, value, DTYPE_I32);
    report->state = declare(reader, arena_format(reader->arena, "%s.report.%s.%s", conditions->program->name, phase->name, report->name),
                            is_real ? DTYPE_F32 : DTYPE_I32);
    report->is_kept = true;
    bool is_mean = is_real && phase->repeat != 1;
    stage_write(reader, report->state, is_mean ? mean_so_far(graph, stage_read(reader, report->state), value) : value);
}

void conditions_keep(Reader *reader, Conditions *conditions, const Phase *phase) {
    Graph *graph = reader->stage->graph;
    for (uint32_t i = 0; i < conditions->reports.count; i++)
        if (!strcmp(conditions->reports.items[i].phase, phase->name))
            keep_report(reader, conditions, &conditions->reports.items[i], phase);
    if (!phase->when)
        return;
    uint32_t runs = declare(reader, arena_format(reader->arena, "%s.runs.%s", conditions->program->name, phase->name), DTYPE_I32);
    Value one = phase->repeat == 1 ? build_constant(graph, DTYPE_I32, 1)
                                   : build_cast(graph, build_number(graph, OP_eq, repetition(graph), 0), DTYPE_I32);
    stage_write(reader, runs, build_binary(graph, OP_add, stage_read(reader, runs), one));
}

// ---- the phase that computes them

static Datum report_datum(Reader *reader, const ConditionReport *report) {
    Value value = stage_read(reader, report->state);
    return datum_tensor(report->is_truth ? build_cast(reader->stage->graph, value, DTYPE_BOOL) : value);
}

// "opt.lr" of the record of a phase: a record in it.
static void add_to_record(Reader *reader, NamedList *record, const char *name, Datum datum) {
    const char *dot = strchr(name, '.');
    const char *head = dot ? arena_copy_bytes(reader->arena, name, (size_t)(dot - name)) : name;
    NamedList *inner = NULL;
    for (uint32_t i = 0; dot && i < record->items.count && !inner; i++)
        if (!strcmp(record->items.items[i].name, head) && record->items.items[i].datum.kind == DATUM_RECORD)
            inner = record->items.items[i].datum.record;
    if (dot && !inner) {
        inner = ARENA_NEW(reader->arena, NamedList, 1);
        array_push(reader->arena, &record->items, ((Named){head, {.kind = DATUM_RECORD, .record = inner}}));
    }
    if (dot)
        add_to_record(reader, inner, dot + 1, datum);
    else
        array_push(reader->arena, &record->items, ((Named){name, datum}));
}

// What is kept of a phase's reports, by name: all of it, or what nodes read.
static Datum reports_of(Reader *reader, const Conditions *conditions, const char *phase, bool is_for_nodes) {
    NamedList *record = ARENA_NEW(reader->arena, NamedList, 1);
    for (uint32_t i = 0; i < conditions->reports.count; i++) {
        const ConditionReport *report = &conditions->reports.items[i];
        if (report->is_kept && !strcmp(report->phase, phase) && (report->is_for_nodes || !is_for_nodes))
            add_to_record(reader, record, report->name, report_datum(reader, report));
    }
    return (Datum){.kind = DATUM_RECORD, .record = record};
}

void conditions_show(Reader *reader, const Conditions *conditions, Scope *scope) {
    for (uint32_t i = 0; i < conditions->reports.count; i++)
        if (conditions->reports.items[i].is_for_nodes && conditions->reports.items[i].is_kept)
            scope_set(reader, scope, conditions->reports.items[i].phase, reports_of(reader, conditions, conditions->reports.items[i].phase, true));
}

static Scope *conditions_scope(Reader *reader, const Conditions *conditions) {
    Scope *scope = scope_create(reader, conditions->scope, false);
    for (uint32_t i = 0; i < conditions->program->inputs.count; i++)
        scope_set(reader, scope, conditions->program->inputs.items[i].name,
                  datum_tensor(program_feed(reader, &conditions->program->inputs.items[i])));
    for (const Json *phase = json_get(conditions->json, "phases")->first; phase; phase = phase->next) {
        const char *name = json_get(phase, "name")->string;
        scope_set(reader, scope, name, reports_of(reader, conditions, name, false));
    }
    return scope;
}

static void add_condition(Reader *reader, const Json *json, Scope *scope, const char *name) {
    Graph *graph = reader->stage->graph;
    Datum datum = evaluate(reader, json, scope);
    if (datum.kind == DATUM_BOOL)
        datum = datum_tensor(build_constant(graph, DTYPE_BOOL, (double)datum.integer));
    Type type = datum.kind == DATUM_TENSOR ? graph_type(graph, datum.tensor) : (Type){.rank = 1};
    if (datum.kind == DATUM_ERROR)
        return;
    if (type.rank != 0 || type.dtype != DTYPE_BOOL)
        reader_error_at(reader, json, "true or false expected, not %s: compare it, as in \"PHASE.REPORT < 0.5\"",
                        datum_word(reader, datum));
    else
        graph_output(graph, (Output){.kind = OUTPUT_REPORT, .name = name, .value = datum.tensor});
}

// A resumed run must find what the conditions read.
static void check_sources(Reader *reader, const Graph *graph, const Json *place) {
    for (uint32_t id = 1; id < graph->nodes.count; id++) {
        const Node *node = &graph->nodes.items[id];
        const State *state = node->op == OP_state ? module_state(reader->module, attr_of(node, ATTR_name)->text) : NULL;
        if (node->op == OP_feed)
            reader_error_at(reader, place, "the input \"%s\" is what a person gives, and a condition must survive a resume",
                            attr_of(node, ATTR_name)->text);
        if (state && state->kind == STATE_PROGRAM)
            reader_error_at(reader, place,
                            "the state \"%s\" begins anew with each run, and a condition must survive a resume: declare it in the document's "
                            "\"state\", or report it",
                            state->name);
    }
}

void conditions_build(Reader *reader, Conditions *conditions) {
    const Json *stop = json_get(conditions->json, "stop"), *place = stop;
    Phase phase = {.name = PHASE_NAME, .pointer = json_pointer(reader->arena, conditions->json), .repeat = 1, .is_conditions = true};
    Stage *outer = reader->stage;
    uint32_t errors = diag_error_count(reader->diag);
    ReaderPlace old = reader_enter(reader, conditions->json, NULL);
    reader->stage = stage_create(reader, STAGE_PHASE);
    reader->phase = &phase;
    Graph *graph = reader->stage->graph;
    Scope *scope = conditions_scope(reader, conditions);
    for (const Json *item = json_get(conditions->json, "phases")->first; item; item = item->next) {
        const Json *when = json_get(item, "when");
        graph->origin = (Origin){.pointer = json_pointer(reader->arena, when ? when : item)};
        if (when)
            add_condition(reader, when, scope, arena_format(reader->arena, "%s.when", json_get(item, "name")->string));
        place = place ? place : when;
    }
    graph->origin = (Origin){.pointer = stop ? json_pointer(reader->arena, stop) : phase.pointer};
    if (stop)
        add_condition(reader, stop, scope, "stop");
    reader_flush(reader);
    if (diag_error_count(reader->diag) == errors) {
        Value *moved;
        graph->diag = NULL;
        phase.graph = graph_copy(reader->arena, graph, &moved);
        check_sources(reader, phase.graph, place);
        array_push(reader->arena, &conditions->program->phases, phase);
        conditions->program->stop = stop ? condition_text(stop) : NULL;
    }
    reader->phase = NULL;
    reader->stage = outer;
    reader_leave(reader, old);
}
