// Layers as nodes: { "op": … } with its options, and what layers ask of their host.
#include "compiler/ir/expansion.h"
#include "compiler/layers/spec.h"
#include "compiler/read/functions.h"
#include "compiler/read/reader.h"

typedef struct {
    Reader *reader;
    const char *name;  // of the layer
    Frame frame;       // at the node
    const char *spare; // the option without which it would need no weights of its own, or NULL
} Owner;

static void report(void *context, const char *message) {
    const Owner *owner = context;
    reader_error(owner->reader, "%s", message);
}

static Value parameter(void *context, const char *name, const Init *init, uint32_t rank, const uint32_t *dims) {
    Owner *owner = context;
    if (owner->frame.call->network || !owner->spare)
        return frame_parameter(owner->reader, &owner->frame, name, init, rank, dims);
    reader_error(owner->reader, "%s: its %s would belong to a network, and this node is in none: write \"%s\": false, or move it into one", owner->name,
                 name, owner->spare);
    return (Value){0};
}

static Value state(void *context, const char *name, double initial, uint32_t rank, const uint32_t *dims) {
    Owner *owner = context;
    StateRef state;
    if (!owner->frame.call->network) {
        reader_error(owner->reader, "weights and layer state belong to a network: move this node into one");
        return (Value){0};
    }
    if (!frame_state(owner->reader, &owner->frame, name, &(Init){.kind = INIT_CONSTANT, .a = initial}, rank, dims, &state))
        return (Value){0};
    return state_read(owner->reader, state);
}

static void store(void *context, const char *name, Value value) {
    Owner *owner = context;
    const char *full = arena_format(owner->reader->arena, "%s.%s%s", parameters_owner(owner->frame.call->network)->name, owner->frame.path, name);
    uint32_t index = module_state_index(owner->reader->module, full);
    state_write(owner->reader, (StateRef){index, owner->frame.call}, value);
}

static Value uniform(void *context, const Type *like) {
    Owner *owner = context;
    return frame_draw(owner->reader, &owner->frame, OP_random_uniform, like->rank, like->dims, 0);
}

static const LayerHost host = {report, parameter, state, store, uniform};

// ---- options

// An integral number is an integer where a count is asked.
static Datum whole(Reader *reader, Datum datum) {
    if (datum.kind == DATUM_NUMBER && datum.number == (double)(int64_t)datum.number)
        return datum_int((int64_t)datum.number);
    if (datum.kind != DATUM_LIST)
        return datum;
    DatumList *list = ARENA_NEW(reader->arena, DatumList, 1);
    for (uint32_t i = 0; i < datum.list->items.count; i++)
        array_push(reader->arena, &list->items, whole(reader, datum.list->items.items[i]));
    return (Datum){.kind = DATUM_LIST, .list = list};
}

// One number, or those of a list.
static bool read_numbers(Reader *reader, const Json *json, Datum datum, LayerOption *out) {
    out->is_list = datum.kind == DATUM_LIST;
    out->count = out->is_list ? datum.list->items.count : 1;
    double *numbers = ARENA_NEW(reader->arena, double, out->count + 1);
    for (uint32_t i = 0; i < out->count; i++) {
        Datum item = out->is_list ? datum.list->items.items[i] : datum;
        if (!is_static_number(item))
            return reader_error_at(reader, json, "a number expected, not %s", datum_word(reader, item));
        numbers[i] = datum_double(item);
        out->is_bool = out->is_bool || item.kind == DATUM_BOOL;
    }
    out->numbers = numbers;
    return true;
}

// [[1, 2], [0, 3]] as 1, 2, 0, 3.
static bool read_pairs(Reader *reader, const Json *json, Datum datum, LayerOption *out) {
    DatumList *flat = ARENA_NEW(reader->arena, DatumList, 1);
    for (uint32_t i = 0; i < datum.list->items.count; i++) {
        Datum pair = datum.list->items.items[i];
        if (pair.kind != DATUM_LIST || pair.list->items.count != 2)
            return reader_error_at(reader, json, "[low, high] expected for each axis, not %s", datum_word(reader, pair));
        array_push(reader->arena, &flat->items, pair.list->items.items[0]);
        array_push(reader->arena, &flat->items, pair.list->items.items[1]);
    }
    out->is_paired = true;
    return read_numbers(reader, json, (Datum){.kind = DATUM_LIST, .list = flat}, out);
}

static bool read_option(Reader *reader, const SpecItem *item, const Json *json, Scope *scope, LayerOption *out) {
    *out = (LayerOption){.name = json->key};
    if (spec_takes(item, "@")) {
        out->value = evaluate_tensor(reader, json, scope);
        return out->value.id != 0;
    }
    if (json->kind == JSON_STRING && spec_takes(item, json->string)) {
        out->word = json->string;
        return true;
    }
    if (spec_is_word(item))
        return reader_error_at(reader, json, "\"%s\" is %s%s", json->key, spec_words(reader->arena, item),
                               json->kind == JSON_STRING ? arena_format(reader->arena, ", not \"%s\"", json->string) : "");
    Datum datum = evaluate_static(reader, json, scope);
    if (datum.kind == DATUM_ERROR)
        return false;
    bool is_paired = spec_takes(item, "**") && datum.kind == DATUM_LIST && datum.list->items.count && datum.list->items.items[0].kind == DATUM_LIST;
    return is_paired ? read_pairs(reader, json, datum, out) : read_numbers(reader, json, datum, out);
}

static bool is_option(const char *options, const char *key) {
    SpecItem item;
    return spec_find(options, key, &item);
}

static bool is_initialiser(const char *key) { return !strcmp(key, "init") || !strcmp(key, "out_init"); }

static Datum run_layer(Reader *reader, const LayerDef *def, const Json *node, Value x, Scope *scope, const Frame *frame,
                       const char *label) {
    Owner owner = {reader, def->name, frame_at(reader, frame, label), NULL};
    if (json_get(node, "weight") && is_option(def->options, "bias"))
        owner.spare = "bias";
    else if (is_option(def->options, "affine") && !is_option(def->options, "momentum")) // running statistics are state in any case
        owner.spare = "affine";
    Layer layer = {.graph = reader->stage->graph,
                   .arena = reader->arena,
                   .training = frame->call->training,
                   .name = def->name,
                   .host = &host,
                   .context = &owner};
    ARRAY(LayerOption) options = {0};
    layer.init = layer.out_init = frame->init;
    for (const Json *member = node->first; member; member = member->next) {
        LayerOption option;
        SpecItem item;
        if (!spec_find(def->options, member->key, &item))
            continue;
        if (is_initialiser(member->key)) {
            if (!initialisers_read(reader, member, scope, strcmp(member->key, "init") ? &layer.out_init : &layer.init))
                return datum_error();
            continue;
        }
        if (!read_option(reader, &item, member, scope, &option))
            return datum_error();
        array_push(reader->arena, &options, option);
    }
    layer.options = options.items;
    layer.option_count = options.count;
    Value y = def->build(&layer, x);
    return layer.failed ? datum_error() : datum_tensor(y);
}

static Datum run_function(Reader *reader, const FunctionInfo *info, const Json *node, Datum x, Scope *scope) {
    Datum args[8] = {x};
    uint32_t count = 1, given = 1;
    const char *at = info->arguments;
    SpecItem item;
    spec_next(&at, &item); // the input
    for (; spec_next(&at, &item); count++) {
        const Json *member = json_get(node, arena_copy_bytes(reader->arena, item.name, item.length));
        args[count] = datum_none();
        if (!member)
            continue;
        if (member->kind == JSON_STRING && spec_is_text(&item))
            args[count] = datum_text(member->string);
        else
            args[count] = whole(reader, evaluate(reader, member, scope));
        if (args[count].kind == DATUM_ERROR)
            return datum_error();
        given = count + 1;
    }
    return function_apply(reader, info->name, args, given);
}

// ---- the node

static uint64_t macs_of(const Graph *graph, const Node *node) {
    if (op_def(node->op)->expand) {
        Arena *scratch = arena_create();
        Value result;
        uint64_t macs = 0;
        const Graph *inner = expansion_graph(scratch, graph, node, &result);
        for (uint32_t id = 1; id < inner->nodes.count; id++)
            macs += macs_of(inner, &inner->nodes.items[id]);
        arena_destroy(&scratch);
        return macs;
    }
    uint64_t count = type_count(&node->type);
    Type a = node->arg_count ? graph_type(graph, node->args[0]) : node->type,
         b = node->arg_count > 1 ? graph_type(graph, node->args[1]) : a;
    if (node->op == OP_matmul)
        return count * a.dims[a.rank - 1];
    if (node->op == OP_conv2d)
        return count * b.dims[1] * b.dims[2] * b.dims[3];
    return node->op == OP_conv2d_input ? type_count(&a) * b.dims[1] * b.dims[2] * b.dims[3] : 0;
}

// A row of `summary`: what the node added to the rehearsal's graph and to the network's parameters.
static void list_layer(Reader *reader, const Json *node, Value y, const char *path, uint32_t first_node, uint64_t first_parameter) {
    Graph *graph = reader->stage->graph;
    Network *network = reader->listed;
    LayerRow row = {.path = path,
                    .op = json_get(node, "op")->string,
                    .type = graph_type(graph, y),
                    .parameters = network->found.count - first_parameter};
    for (uint32_t i = first_node; i < graph->nodes.count; i++)
        row.macs += macs_of(graph, &graph->nodes.items[i]);
    const Json *dims = json_get(network->json, "dims");
    row.macs /= dims && dims->count ? 8 : 1;
    array_push(reader->arena, &network->info.layers, row);
}

Datum node_op(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label) {
    const char *name = json_get(node, "op")->string;
    const Json *in = json_get(node, "in");
    const LayerDef *layer = layer_find(name);
    uint32_t first_node = reader->stage->graph->nodes.count;
    bool is_listed = reader->listed && reader->listed == frame->call->network;
    uint64_t first_parameter = is_listed ? reader->listed->found.count : 0;
    Datum x;
    if (in && in->kind == JSON_OBJECT)
        return reader_error(reader, "%s: \"in\" is an expression or a list of them", name);
    if (in) {
        x = evaluate(reader, in, scope);
    } else {
        Json last = {.kind = JSON_STRING,
                     .string = "$",
                     .key = "in",
                     .parent = node->parent,
                     .file = node->file,
                     .line = node->line,
                     .column = node->column};
        x = evaluate(reader, &last, scope);
    }
    for (uint32_t i = 0; x.kind == DATUM_LIST && i < x.list->items.count; i++)
        if (x.list->items.items[i].kind != DATUM_TENSOR)
            return reader_error(reader, "%s: a tensor expected as input, not %s", name, datum_word(reader, x.list->items.items[i]));
    if (x.kind == DATUM_ERROR)
        return x;
    SpecItem item;
    if (x.kind != DATUM_TENSOR && (layer || x.kind != DATUM_LIST))
        return reader_error(reader, "%s: a tensor expected as input, not %s%s", name, datum_word(reader, x),
                            layer && spec_find(layer->options, "context", &item) ? "; keys and values are of \"context\"" : "");
    Datum y =
        layer ? run_layer(reader, layer, node, x.tensor, scope, frame, label) : run_function(reader, function_find(name), node, x, scope);
    if (is_listed && y.kind == DATUM_TENSOR) {
        const char *path = arena_format(reader->arena, "%s.%s%s", reader->listed->name, frame->path, label);
        list_layer(reader, node, y.tensor, path, first_node, first_parameter);
    }
    return y;
}
