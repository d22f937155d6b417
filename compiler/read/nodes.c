// Nodes: runs a list of nodes in text order. Each may set "$", a name and a list of its scope's owner.
#include "compiler/read/reader.h"

// ---- names given by "as"

// "h" or "h[k + 1]"; false after an error.
static bool read_target(Reader *reader, const Json *json, Scope *scope, const char **name, bool *has_index, int64_t *index) {
    ReaderPlace old = reader_enter(reader, json, json->string);
    const Tree *tree = evaluate_parse(reader, json);
    const Tree *base = tree && tree->kind == TREE_INDEX && tree->children.count == 2 ? tree->children.items[0] : tree;
    bool is_good = tree && base->kind == TREE_NAME && strcmp(base->name, "$");
    if (tree && !is_good)
        reader_error(reader, "neither a name nor a name with one index");
    *has_index = base != tree;
    if (is_good && *has_index)
        is_good = datum_integer(reader, evaluate_tree(reader, tree->children.items[1], scope), index);
    if (is_good)
        *name = base->name;
    reader_leave(reader, old);
    return is_good;
}

static void bind(Reader *reader, const Json *as, Datum datum, Scope *scope) {
    const char *name;
    bool has_index;
    int64_t index;
    if (!read_target(reader, as, scope, &name, &has_index, &index))
        return;
    if (!has_index) {
        scope_set(reader, scope->owner, name, datum);
        return;
    }
    Datum *old = NULL;
    for (uint32_t i = 0; i < scope->owner->names.items.count; i++)
        if (!strcmp(scope->owner->names.items.items[i].name, name))
            old = &scope->owner->names.items.items[i].datum;
    if (old && old->kind != DATUM_FAMILY) {
        if (old->kind != DATUM_ERROR)
            reader_error_at(reader, as, "\"%s\" is already a name without index", name);
        return;
    }
    if (!old) {
        scope_set(reader, scope->owner, name, (Datum){.kind = DATUM_FAMILY, .family = ARENA_NEW(reader->arena, FamilyList, 1)});
        bind(reader, as, datum, scope);
        return;
    }
    for (uint32_t i = 0; i < old->family->items.count; i++)
        if (old->family->items.items[i].index == index) {
            old->family->items.items[i].datum = datum;
            return;
        }
    array_push(reader->arena, &old->family->items, ((Indexed){index, datum}));
}

static void push(Reader *reader, const char *name, Datum datum, Scope *owner) {
    for (uint32_t i = 0; i < owner->lists.count; i++)
        if (!strcmp(owner->lists.items[i].name, name)) {
            array_push(reader->arena, &owner->lists.items[i].list.items, datum);
            return;
        }
    array_push(reader->arena, &owner->lists, ((struct Pushed){.name = name}));
    array_push(reader->arena, &owner->lists.items[owner->lists.count - 1].list.items, datum);
}

// ---- labels: a node's step in name paths

typedef struct {
    const char *text;
    uint32_t count;
} Seen;

typedef struct {
    ARRAY(Seen) items;
} SeenList;

static bool may_own(NodeKind kind) {
    return kind == NODE_OP || kind == NODE_CALL || kind == NODE_BLOCK || kind == NODE_FOR || kind == NODE_RANDOM ||
           kind == NODE_PARAMETER || kind == NODE_STATE;
}

// How many nodes of this text came before in the list.
static uint32_t count_seen(Reader *reader, SeenList *seen, const char *text) {
    for (uint32_t i = 0; i < seen->items.count; i++)
        if (!strcmp(seen->items.items[i].text, text))
            return ++seen->items.items[i].count;
    array_push(reader->arena, &seen->items, ((Seen){text, 0}));
    return 0;
}

// "conv2d", "conv2d_1"; h[3] gives "h.3". NULL after an error.
static const char *make_label(Reader *reader, const Json *as, const char *text, uint32_t number, Scope *scope) {
    if (as) {
        const char *name;
        bool has_index;
        int64_t index;
        if (!read_target(reader, as, scope, &name, &has_index, &index))
            return NULL;
        text = has_index ? arena_format(reader->arena, "%s.%lld", name, (long long)index) : name;
    }
    return number ? arena_format(reader->arena, "%s_%u", text, number) : text;
}

// ---- kinds that are small

static Datum node_random(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label) {
    const Json *kind = json_get(node, "random"), *shape = json_get(node, "shape"), *like = json_get(node, "like"),
               *below = json_get(node, "below");
    bool is_integer = !strcmp(kind->string, "integer");
    if ((strcmp(kind->string, "normal") && strcmp(kind->string, "uniform") && !is_integer) || !shape == !like || !below == is_integer) {
        reader_error_at(reader, kind,
                        "\"random\" is \"normal\", \"uniform\" or \"integer\" (with \"below\"), with either \"shape\" or \"like\"");
        return datum_error();
    }
    uint32_t rank = 0, dims[MAX_RANK];
    int64_t count = 0;
    if (shape && !evaluate_dims(reader, shape, scope, &rank, dims))
        return datum_error();
    if (like) {
        Value value = evaluate_tensor(reader, like, scope);
        if (!value.id)
            return datum_error();
        Type type = graph_type(reader->stage->graph, value);
        rank = type.rank;
        memcpy(dims, type.dims, sizeof dims);
    }
    if (is_integer && !evaluate_integer(reader, below, scope, 1, &count))
        return datum_error();
    Frame inner = frame_at(reader, frame, label);
    Op op = is_integer ? OP_random_integer : !strcmp(kind->string, "normal") ? OP_random_normal : OP_random_uniform;
    return datum_tensor(frame_draw(reader, &inner, op, rank, dims, count));
}

static bool shape_and_init(Reader *reader, const Json *node, Scope *scope, uint32_t *rank, uint32_t *dims, Init *out) {
    const Json *init = json_get(node, "init");
    Initialiser initial = {0};
    if (!evaluate_dims(reader, json_get(node, "shape"), scope, rank, dims) || (init && !initialiser_read(reader, init, scope, &initial)))
        return false;
    const char *misfit = init_resolve(reader->arena, &initial, *rank, dims, out);
    return !misfit || reader_error_at(reader, init, "%s", misfit);
}

static Datum node_parameter(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label) {
    uint32_t rank, dims[MAX_RANK];
    Init init;
    if (!shape_and_init(reader, node, scope, &rank, dims, &init))
        return datum_error();
    Datum datum = datum_tensor(frame_parameter(reader, frame, label, &init, rank, dims));
    scope_set(reader, scope->owner, json_get(node, "parameter")->string, datum);
    return datum;
}

static Datum node_state(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label) {
    uint32_t rank, dims[MAX_RANK];
    Init init;
    StateRef state;
    if (!shape_and_init(reader, node, scope, &rank, dims, &init) || !frame_state(reader, frame, label, &init, rank, dims, &state))
        return datum_error();
    scope_set(reader, scope->owner, json_get(node, "state")->string, (Datum){.kind = DATUM_STATE, .state = state});
    return datum_tensor(state_read(reader, state));
}

static void set_weights(Reader *reader, const Json *node, Network *network, Datum value) {
    if (value.kind != DATUM_SET) {
        reader_error_at(reader, json_get(node, "to"), "a parameter set of \"%s\" expected, not %s", network->name,
                        datum_word(reader, value));
        return;
    }
    network = parameters_owner(network);
    ReaderPlace old = reader_enter(reader, json_get(node, "to"), NULL);
    const SetDatum *to = network_build(reader, network, node) ? set_for(reader, value.set, network) : NULL;
    reader_leave(reader, old);
    for (uint32_t i = 0; to && i < network->sets.count; i++) { // a record of an optimizer may hold no more than it optimizes
        const SetValue *set = set_find(to, network->sets.items[i]->set);
        if (set)
            stage_write(reader, network->sets.items[i]->state, graph_add(reader->stage->graph, OP_detach, &set->flat, 1, NULL, 0));
    }
}

static void set_target(Reader *reader, const Json *node, Datum target, Datum value) {
    const Json *name = json_get(node, "set"), *to = json_get(node, "to");
    if (target.kind == DATUM_ERROR || value.kind == DATUM_ERROR)
        return;
    if (target.kind == DATUM_NETWORK) {
        set_weights(reader, node, target.network, value);
        return;
    }
    if (target.kind != DATUM_STATE) {
        reader_error_at(reader, name, "\"%s\" is neither a state nor a network", name->string);
        return;
    }
    Type wanted = reader->module->states.items[target.state.index].type;
    Value x = arithmetic_tensor(reader, value, &wanted);
    if (!x.id && value.kind == DATUM_LIST)
        return;
    Type found = x.id ? graph_type(reader->stage->graph, x) : (Type){0};
    if (!x.id || !type_equal(&wanted, &found)) {
        reader_error_at(reader, to, "\"%s\" is %s, not %s", name->string, type_text(reader->arena, &wanted),
                        datum_word(reader, x.id ? datum_tensor(x) : value));
        return;
    }
    state_write(reader, target.state, x);
}

// What takes the result of an update, or replaces it, is set where that is done: in a phase that accumulates after the last batch.
static void node_set(Reader *reader, const Json *node, Scope *scope) {
    Datum target = evaluate_raw(reader, json_get(node, "set"), scope), value;
    bool is_late = accumulate_evaluate(reader, json_get(node, "to"), scope, accumulate_is_changed(reader, target), &value);
    set_target(reader, node, target, value);
    if (!is_late)
        return;
    accumulate_leave(reader);
    if (target.kind == DATUM_STATE)
        accumulate_change(reader, target.state.index, node);
    const Network *owner = target.kind == DATUM_NETWORK ? parameters_owner(target.network) : NULL;
    for (uint32_t i = 0; owner && i < owner->sets.count; i++)
        accumulate_change(reader, owner->sets.items[i]->state, node);
}

static void node_emit(Reader *reader, const Json *node, Scope *scope) {
    const Json *format = json_get(node, "format"), *at = json_get(node, "at"), *name = json_get(node, "emit");
    Graph *graph = reader->stage->graph;
    int form = RESULT_IMAGE;
    while (form < RESULT_FORMAT_COUNT && strcmp(format->string, result_format_names[form]) != 0)
        form++;
    bool is_known = form < RESULT_FORMAT_COUNT;
    if (!is_known)
        reader_error_at(reader, format, "unknown format \"%s\"%s", format->string,
                        reader_suggest_words(reader, format->string, &result_format_names[RESULT_IMAGE], RESULT_FORMAT_COUNT - RESULT_IMAGE));
    Value value = evaluate_tensor(reader, json_get(node, "value"), scope), when = {0};
    if (!value.id || !is_known)
        return;
    Type type = graph_type(graph, value);
    if (form == RESULT_IMAGE && (type.rank != 4 || type.dtype != DTYPE_F32 || (type.dims[1] != 1 && type.dims[1] != 3))) {
        reader_error_at(reader, json_get(node, "value"), "an image is f32[n, 1 or 3, h, w], not %s", type_text(reader->arena, &type));
        return;
    }
    if (form == RESULT_ROWS && type.rank == 0) {
        reader_error_at(reader, json_get(node, "value"), "rows expected, not a scalar");
        return;
    }
    if (at) {
        Datum datum = evaluate(reader, at, scope);
        if (datum.kind == DATUM_ERROR || (is_static_number(datum) && datum_double(datum) == 0))
            return;
        if (!is_static_number(datum)) {
            if (datum.kind != DATUM_TENSOR || graph_type(graph, datum.tensor).rank) {
                reader_error_at(reader, at, "true or false expected, not %s", datum_word(reader, datum));
                return;
            }
            when = build_cast(graph, datum.tensor, DTYPE_BOOL);
        }
    }
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        if (graph->outputs.items[i].kind == OUTPUT_EMIT && !strcmp(graph->outputs.items[i].name, name->string)) {
            reader_error_at(reader, name, "this phase already emits \"%s\"", name->string);
            return;
        }
    if (reader->stage->kind == STAGE_PHASE)
        graph_output(
            graph,
            (Output){
                .kind = OUTPUT_EMIT, .name = name->string, .format = (ResultFormat)form, .value = value, .at = when, .origin = graph->origin});
}

static void node_for(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label) {
    int64_t below;
    if (!evaluate_integer(reader, json_get(node, "below"), scope, 0, &below))
        return;
    if (below > FOR_TIMES_MAX) {
        reader_error_at(reader, json_get(node, "below"),
                        "%lld repetitions: \"for\" is unrolled when compiling; use a phase's \"repeat\" for so many", (long long)below);
        return;
    }
    const Json *reverse = json_get(node, "reverse");
    for (int64_t turn = 0; turn < below && !reader_stopped(reader) && limit_turn(reader); turn++) {
        int64_t i = reverse && reverse->number != 0 ? below - 1 - turn : turn;
        Scope *inner = scope_create(reader, scope, true);
        scope_set(reader, inner, json_get(node, "for")->string, datum_int(i));
        lets_declare(reader, json_get(node, "let"), inner, NULL, "", false);
        Frame at = frame_at(reader, frame, arena_format(reader->arena, "%s.%lld", label, (long long)i));
        nodes_run(reader, json_get(node, "nodes"), inner, &at);
    }
}

// ---- the list

static Datum run_node(Reader *reader, const Json *node, NodeKind kind, Scope *scope, const Frame *frame, const char *label) {
    switch (kind) {
    case NODE_OP:
        return node_op(reader, node, scope, frame, label);
    case NODE_EXPR:
        return evaluate(reader, json_get(node, "expr"), scope);
    case NODE_CALL:
        return node_call(reader, node, scope, frame, label);
    case NODE_BLOCK:
        return node_block(reader, node, scope, frame, label);
    case NODE_FOR:
        node_for(reader, node, scope, frame, label);
        return datum_none();
    case NODE_RANDOM:
        return node_random(reader, node, scope, frame, label);
    case NODE_GRADIENT:
        return node_gradient(reader, node, scope);
    case NODE_PARAMETER:
        return node_parameter(reader, node, scope, frame, label);
    case NODE_STATE:
        return node_state(reader, node, scope, frame, label);
    case NODE_SET:
        node_set(reader, node, scope);
        return datum_none();
    case NODE_UPDATE:
        node_update(reader, node, scope);
        return datum_none();
    case NODE_SNAPSHOT:
        return node_snapshot(reader, node);
    case NODE_STEP:
        return node_step(reader, node, scope);
    case NODE_COMMIT:
        node_commit(reader, node, scope);
        return datum_none();
    case NODE_EMIT:
        node_emit(reader, node, scope);
        return datum_none();
    case NODE_KIND_COUNT:
        break;
    }
    return datum_error();
}

static void run_one(Reader *reader, const Json *node, Scope *scope, const Frame *frame, SeenList *seen) {
    NodeKind kind = check_node_kind(node);
    const Json *as = json_get(node, "as"), *condition = json_get(node, "if"), *list = json_get(node, "push");
    bool is_named = kind != NODE_PARAMETER && kind != NODE_STATE && kind != NODE_FOR && as;
    const char *text = is_named ? as->string : json_get(node, node_kind_name(kind))->string, *label = NULL;
    uint32_t number = may_own(kind) ? count_seen(reader, seen, text) : 0;
    bool is_wanted = true;
    if (condition && !evaluate_truth(reader, condition, scope, &is_wanted))
        return;
    if (!is_wanted)
        return;
    if (may_own(kind))
        label = make_label(reader, is_named ? as : NULL, text, number, scope);
    Datum datum = may_own(kind) && !label ? datum_error() : run_node(reader, node, kind, scope, frame, label);
    if (datum.kind == DATUM_NONE &&
        (kind == NODE_FOR || kind == NODE_SET || kind == NODE_UPDATE || kind == NODE_COMMIT || kind == NODE_EMIT))
        return;
    scope_set(reader, scope->owner, "$", datum);
    if (as)
        bind(reader, as, datum, scope);
    if (list)
        push(reader, list->string, datum, scope->owner);
}

void nodes_run(Reader *reader, const Json *nodes, Scope *scope, const Frame *frame) {
    SeenList seen = {0};
    if (!limit_enter(reader, "blocks, networks and loops are nested"))
        return;
    for (const Json *node = nodes->first; node && !reader_stopped(reader) && limit_turn(reader); node = node->next) {
        Graph *graph = reader->stage->graph;
        Origin outer = graph->origin;
        ReaderPlace old = reader_enter(reader, node, NULL);
        if (!frame->call->network)
            accumulate_note(reader, node);
        graph->origin = (Origin){.pointer = reader->place.pointer};
        run_one(reader, node, scope, frame, &seen);
        reader_leave(reader, old);
        graph->origin = outer;
    }
    limit_leave(reader);
}
