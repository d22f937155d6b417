// Network: calls and blocks, and the rehearsal in a throwaway graph that finds a network's parameters, state and layers before any phase
// is built.
#include "compiler/read/reader.h"

enum { REHEARSED_SIZE = 8 }; // of dimension variables in the rehearsal

typedef struct {
    ARRAY(const char *) items;
} Names;

static Names input_names(Reader *reader, const Json *inputs) {
    Names names = {0};
    for (const Json *item = inputs ? inputs->first : NULL; item; item = item->next)
        array_push(reader->arena, &names.items, item->key ? item->key : item->string);
    return names;
}

// The "in" of a node: one expression, a list in the order of the inputs, or an object by name. NULL after an error.
static Datum *arguments(Reader *reader, const Json *node, const Names *names, Scope *scope, const char *what) {
    const Json *in = json_get(node, "in");
    uint32_t count = names->items.count;
    const Json **given = ARENA_NEW(reader->arena, const Json *, count + 1);
    Datum *args = ARENA_NEW(reader->arena, Datum, count + 1);
    Json last = {.kind = JSON_STRING,
                 .string = "$",
                 .file = node->file,
                 .line = node->line,
                 .column = node->column,
                 .parent = node->parent,
                 .key = node->key,
                 .index = node->index};
    bool is_complete = true;
    for (const Json *item = in && in->kind == JSON_OBJECT ? in->first : NULL; item; item = item->next) {
        bool is_known = false;
        for (uint32_t i = 0; i < count; i++)
            if (!strcmp(names->items.items[i], item->key)) {
                given[i] = item;
                is_known = true;
            }
        if (!is_known) {
            reader_error_at(reader, item, "%s has no input \"%s\"%s", what, item->key,
                            reader_suggest_words(reader, item->key, names->items.items, count));
            return NULL;
        }
    }
    if (in && in->kind == JSON_ARRAY) {
        is_complete = in->count == count;
        for (uint32_t i = 0; is_complete && i < count; i++)
            given[i] = json_at(in, i);
    } else if (!in || in->kind != JSON_OBJECT) {
        is_complete = count == 1;
        given[0] = in ? in : &last;
    }
    Text wanted = text_create(reader->arena);
    for (uint32_t i = 0; i < count; i++) {
        is_complete = is_complete && given[i];
        text_format(&wanted, "%s%s", i ? ", " : "", names->items.items[i]);
    }
    if (!is_complete) {
        reader_error_at(reader, in ? in : node, "%s needs the input%s %s", what, count == 1 ? "" : "s", wanted.data);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) // left to right, though a pop failed
        args[i] = evaluate(reader, given[i], scope);
    for (uint32_t i = 0; i < count; i++)
        if (args[i].kind == DATUM_ERROR)
            return NULL;
    return args;
}

// Runs a network's or block's nodes and gives its outputs.
static Datum inside(Reader *reader, const Json *json, const Names *names, const Datum *args, Scope *scope, Frame *frame) {
    const Json *init = json_get(json, "init"), *outputs = json_get(json, "outputs");
    for (uint32_t i = 0; i < names->items.count; i++)
        scope_set(reader, scope, names->items.items[i], args[i]);
    scope_set(reader, scope, "training", datum_bool(frame->call->training));
    uint32_t errors = diag_error_count(reader->diag);
    if (names->items.count)
        scope_set(reader, scope, "$", args[0]);
    if (init && !initialisers_read(reader, init, scope, &frame->init))
        return datum_error();
    nodes_run(reader, json_get(json, "nodes"), scope, frame);
    Datum result = datum_error();
    if (outputs) {
        NamedList *record = ARENA_NEW(reader->arena, NamedList, 1);
        for (const Json *item = outputs->first; item; item = item->next)
            array_push(reader->arena, &record->items, ((Named){item->key, evaluate(reader, item, scope)}));
        result = (Datum){.kind = DATUM_RECORD, .record = record};
    } else {
        Datum *last = scope_find(scope, "$");
        if (!last)
            reader_error_at(reader, json, "it has no result: it needs an input, a node or \"outputs\"");
        else
            result = evaluate_resolve(reader, *last);
    }
    if (diag_error_count(reader->diag) == errors) // else a pop may have failed
        scope_end(reader, scope, json);
    return result;
}

// ---- calls

static const Json *shape_of(const Json *input) { return input->kind == JSON_OBJECT ? json_get(input, "shape") : input; }

static bool dtype_of(Reader *reader, const Json *input, DType *out) {
    const Json *dtype = input->kind == JSON_OBJECT ? json_get(input, "dtype") : NULL;
    *out = DTYPE_F32;
    if (dtype && !dtype_parse(dtype->string, out))
        return reader_error_at(reader, dtype, "unknown dtype \"%s\"%s", dtype->string,
                               reader_suggest_words(reader, dtype->string, element_names, DTYPE_COUNT));
    return true;
}

static bool is_dim(const Network *network, const Json *axis) {
    const Json *dims = json_get(network->json, "dims");
    for (const Json *dim = axis->kind == JSON_STRING && dims ? dims->first : NULL; dim; dim = dim->next)
        if (!strcmp(dim->string, axis->string))
            return true;
    return false;
}

static const char *wanted_text(Reader *reader, const Json *input, DType dtype) {
    Text text = text_create(reader->arena);
    const Json *shape = shape_of(input);
    text_format(&text, "%s[", dtype_name(dtype));
    if (shape->kind == JSON_STRING)
        text_append(&text, shape->string);
    for (const Json *axis = shape->kind == JSON_ARRAY ? shape->first : NULL; axis; axis = axis->next)
        if (axis->kind == JSON_STRING)
            text_format(&text, "%s%s", axis->index ? ", " : "", axis->string);
        else
            text_format(&text, "%s%.10g", axis->index ? ", " : "", axis->number);
    text_append(&text, "]");
    return text.data;
}

// Binds the dimension variables: the first input axis that is one alone says its size.
static void bind_dims(Reader *reader, const Network *network, const Datum *args, Scope *scope) {
    const Json *dims = json_get(network->json, "dims");
    for (const Json *dim = dims ? dims->first : NULL; dim; dim = dim->next) {
        uint32_t i = 0;
        bool is_bound = false;
        for (const Json *input = json_get(network->json, "inputs")->first; input && !is_bound; input = input->next, i++) {
            Type type = args[i].kind == DATUM_TENSOR ? graph_type(reader->stage->graph, args[i].tensor) : (Type){0};
            for (const Json *axis = shape_of(input)->first; axis && !is_bound; axis = axis->next)
                if (axis->index < type.rank && axis->kind == JSON_STRING && !strcmp(axis->string, dim->string)) {
                    scope_set(reader, scope, dim->string, datum_int(type.dims[axis->index]));
                    is_bound = true;
                }
        }
    }
}

static bool check_inputs(Reader *reader, const Network *network, const Datum *args, Scope *scope) {
    uint32_t i = 0;
    for (const Json *input = json_get(network->json, "inputs")->first; input; input = input->next, i++) {
        uint32_t rank, dims[MAX_RANK];
        DType dtype;
        if (!dtype_of(reader, input, &dtype))
            return false;
        bool is_tensor = args[i].kind == DATUM_TENSOR;
        if (is_tensor && !evaluate_dims(reader, shape_of(input), scope, &rank, dims))
            return false;
        Type found = is_tensor ? graph_type(reader->stage->graph, args[i].tensor) : (Type){0},
             wanted = is_tensor ? type_make(dtype, rank, dims) : found;
        if (!is_tensor || !type_equal(&wanted, &found)) {
            reader_error(reader, "input \"%s\" of %s: %s expected, not %s", input->key, network->name, wanted_text(reader, input, dtype),
                         datum_word(reader, args[i]));
            return false;
        }
    }
    return true;
}

Datum network_call(Reader *reader, Network *network, const Datum *args, const SetDatum *given, bool training, bool keep,
                   const char *draws) {
    Scope *scope = scope_create(reader, &network->document->scope, false);
    lets_declare(reader, json_get(network->json, "let"), scope, &network->given, "", false);
    bind_dims(reader, network, args, scope);
    if (!check_inputs(reader, network, args, scope))
        return datum_error();
    Call *call = ARENA_NEW(reader->arena, Call, 1);
    *call = (Call){.network = network, .given = given, .training = training, .keep = keep};
    Frame frame = {.call = call, .document = network->document, .path = "", .draws = draws};
    Names names = input_names(reader, json_get(network->json, "inputs"));
    Call *outer = reader->call;
    reader->call = call;
    Datum result = inside(reader, network->json, &names, args, scope, &frame);
    reader->call = outer;
    return result;
}

// ---- the rehearsal

static void show_type(Reader *reader, Text *text, Datum datum, const char *dim) {
    Type type = datum.kind == DATUM_TENSOR ? graph_type(reader->stage->graph, datum.tensor) : (Type){0};
    text_append(text, "[");
    for (uint32_t i = 0; i < type.rank; i++)
        if (dim && i == 0 && type.dims[i] == REHEARSED_SIZE)
            text_append(text, dim);
        else
            text_format(text, "%s%u", i ? ", " : "", type.dims[i]);
    text_append(text, "]");
}

// "x [n, 1, 28, 28], t [n] -> [n, 1, 28, 28]"
static const char *show(Reader *reader, const Network *network, const Datum *args, Datum result) {
    const Json *dims = json_get(network->json, "dims");
    const char *dim = dims && dims->count ? dims->first->string : NULL;
    Text text = text_create(reader->arena);
    uint32_t i = 0;
    for (const Json *input = json_get(network->json, "inputs")->first; input; input = input->next, i++) {
        Type type = graph_type(reader->stage->graph, args[i].tensor);
        text_format(&text, "%s%s [", i ? ", " : "", input->key);
        for (const Json *axis = shape_of(input)->first; axis; axis = axis->next)
            if (is_dim(network, axis))
                text_format(&text, "%s%s", axis->index ? ", " : "", axis->string);
            else
                text_format(&text, "%s%u", axis->index ? ", " : "", axis->index < type.rank ? type.dims[axis->index] : 0);
        text_append(&text, "]");
    }
    text_append(&text, " -> ");
    if (result.kind != DATUM_RECORD)
        show_type(reader, &text, result, dim);
    for (uint32_t k = 0; result.kind == DATUM_RECORD && k < result.record->items.count; k++) {
        text_format(&text, "%s%s ", k ? ", " : "", result.record->items.items[k].name);
        show_type(reader, &text, result.record->items.items[k].datum, dim);
    }
    return text.data;
}

static Datum *rehearsal_inputs(Reader *reader, const Network *network) {
    Scope *scope = scope_create(reader, &network->document->scope, false);
    const Json *inputs = json_get(network->json, "inputs"), *dims = json_get(network->json, "dims");
    Datum *args = ARENA_NEW(reader->arena, Datum, inputs->count + 1);
    lets_declare(reader, json_get(network->json, "let"), scope, &network->given, "", false);
    for (const Json *dim = dims ? dims->first : NULL; dim; dim = dim->next)
        scope_set(reader, scope, dim->string, datum_int(REHEARSED_SIZE));
    uint32_t i = 0;
    for (const Json *input = inputs->first; input; input = input->next, i++) {
        uint32_t rank, sizes[MAX_RANK];
        int64_t ints[MAX_RANK];
        DType dtype;
        if (!dtype_of(reader, input, &dtype) || !evaluate_dims(reader, shape_of(input), scope, &rank, sizes))
            return NULL;
        for (uint32_t k = 0; k < rank; k++)
            ints[k] = sizes[k];
        Attr attrs[] = {attr_text(arena_format(reader->arena, "input %s", input->key)), attr_text(dtype_name(dtype)),
                        attr_ints(ints, rank)};
        args[i] = datum_tensor(graph_add(reader->stage->graph, OP_feed, NULL, 0, attrs, 3));
    }
    return args;
}

static void rehearse(Reader *reader, Network *network) {
    Datum *args = rehearsal_inputs(reader, network);
    Network *outer = reader->listed;
    for (uint32_t pass = 0; args && pass < 2; pass++) {
        uint32_t errors = diag_error_count(reader->diag);
        reader->listed = pass == 0 ? network : NULL;
        Datum result = network_call(reader, network, args, NULL, pass == 0, true, "build.");
        reader_flush(reader);
        if (diag_error_count(reader->diag) > errors || result.kind == DATUM_ERROR) {
            args = NULL;
            break;
        }
        network->info.shown = show(reader, network, args, result);
    }
    reader->listed = outer;
    network->failed = !args;
}

// What it shares or copies is known before it is built itself.
static bool build_before(Reader *reader, const Network *network) {
    Network *first = network->owner ? network->owner : network->source;
    if (!first)
        return true;
    if (!network_build(reader, first, network->declared))
        return false;
    return !first->building || reader_error_at(reader, network->declared, "the parameters of \"%s\" are not yet known inside it", first->name);
}

bool network_build(Reader *reader, Network *network, const Json *place) {
    if (network->built || network->building)
        return !network->failed;
    Stage *outer = reader->stage;
    ReaderPlace old = reader_enter(reader, place, NULL);
    network->building = true;
    network->info.name = network->name;
    network->found.network = network->name;
    reader->stage = stage_create(reader, STAGE_REHEARSAL);
    reader_enter(reader, network->declared, NULL);
    if (build_before(reader, network))
        rehearse(reader, network);
    else
        network->failed = true;
    network->building = false;
    network->built = true;
    network->failed = network->failed || !parameters_settle(reader, network);
    array_push(reader->arena, &reader->module->networks, network->info);
    reader->stage = outer;
    reader_leave(reader, old);
    return !network->failed;
}

// ---- nodes

Datum node_call(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label) {
    const Json *name = json_get(node, "call"), *mode = json_get(node, "mode"), *keep = json_get(node, "keep_state"),
               *weights = json_get(node, "weights");
    Network *network = document_network(reader, frame->document, name->string, NULL);
    if (!network) // a block in a plain include calls a network of the main document
        network = document_network(reader, reader->main, name->string, name);
    if (!network)
        return datum_error();
    if (network->building)
        return reader_error(reader, "the network \"%s\" calls itself", network->name);
    Names names = input_names(reader, json_get(network->json, "inputs"));
    Datum *args = arguments(reader, node, &names, scope, arena_format(reader->arena, "network \"%s\"", network->name));
    bool training = frame->call->training;
    if (mode && strcmp(mode->string, "train") && strcmp(mode->string, "eval"))
        return reader_error_at(reader, mode, "\"train\" or \"eval\" expected, not \"%s\"", mode->string), datum_error();
    if (mode)
        training = !strcmp(mode->string, "train");
    Datum given = weights ? evaluate(reader, weights, scope) : datum_none();
    if (!network_build(reader, network, name) || !args || given.kind == DATUM_ERROR)
        return datum_error();
    if (weights && given.kind != DATUM_SET) {
        reader_error_at(reader, weights, "\"weights\" is a parameter set (a network, its .ema, a snapshot or step), not %s",
                        datum_word(reader, given));
        return datum_error();
    }
    return network_call(reader, network, args, weights ? set_for(reader, given.set, network) : NULL, training, keep && keep->number != 0,
                        arena_format(reader->arena, "%s%s.", frame->draws, label));
}

BlockDecl *network_block(Reader *reader, Document *document, const Network *network, const char *name, const Json *place) {
    BlockDecl *block = document_block(reader, document, name, NULL);
    if (!block && network)
        block = document_block(reader, network->document, name, NULL);
    return block ? block : document_block(reader, reader->main, name, place);
}

Datum node_block(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label) {
    const Json *name = json_get(node, "block"), *with = json_get(node, "with");
    BlockDecl *block = network_block(reader, frame->document, frame->call->network, name->string, name);
    if (!block)
        return datum_error();
    const Json *let = json_get(block->json, "let");
    Names lets = input_names(reader, let), names = input_names(reader, json_get(block->json, "inputs"));
    GivenList given = {0};
    for (const Json *item = with ? with->first : NULL; item; item = item->next) {
        if (!json_get(let, item->key)) {
            reader_error_at(reader, item, "block \"%s\" has no let \"%s\"%s", name->string, item->key,
                            reader_suggest_words(reader, item->key, lets.items.items, lets.items.count));
            return datum_error();
        }
        Datum value = evaluate_static(reader, item, scope);
        if (value.kind == DATUM_ERROR)
            return value;
        Given *one = ARENA_NEW(reader->arena, Given, 1);
        *one = (Given){.name = item->key, .later = later_create(reader, item->key, item, NULL)};
        one->later->given = value;
        array_push(reader->arena, &given.items, one);
    }
    Datum *args =
        names.items.count ? arguments(reader, node, &names, scope, arena_format(reader->arena, "block \"%s\"", name->string)) : NULL;
    if (names.items.count && !args)
        return datum_error();
    Scope *own = scope_create(reader, &block->document->scope, false);
    lets_declare(reader, let, own, &given, "", false);
    Frame inner = frame_at(reader, frame, label);
    inner.document = block->document;
    return inside(reader, block->json, &names, args, own, &inner);
}
