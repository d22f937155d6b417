// Sets: parameter sets as values. A set is one flat value per network; arithmetic is done on the flat value where zeros stay zeros
// (a set's padding must), else part by part.
#include "compiler/read/reader.h"

const SetValue *set_find(const SetDatum *set, uint32_t id) {
    for (uint32_t i = 0; i < set->items.count; i++)
        if (set->items.items[i].set == id)
            return &set->items.items[i];
    return NULL;
}

Value set_part(Reader *reader, SetValue set, uint32_t part) { return build_unpack(reader->stage->graph, set.flat, part); }

Value set_pack(Reader *reader, uint32_t set, const Value *parts) {
    return build_pack(reader->stage->graph, set, parts, reader->module->sets.items[set - 1].parts.count);
}

Value set_repack(Reader *reader, SetValue set) {
    Graph *graph = reader->stage->graph;
    if (!set.flat.id || graph_node(graph, set.flat)->op == OP_pack)
        return set.flat;
    uint32_t count = reader->module->sets.items[set.set - 1].parts.count;
    Value *parts = ARENA_NEW(reader->arena, Value, count);
    for (uint32_t i = 0; i < count; i++)
        parts[i] = set_part(reader, set, i);
    return set_pack(reader, set.set, parts);
}

Value set_scalar(Reader *reader, uint32_t set, Value scalar) {
    Type type = {.dtype = DTYPE_F32, .rank = 1, .set = (uint16_t)set, .dims = {(uint32_t)reader->module->sets.items[set - 1].count}};
    return build_broadcast(reader->stage->graph, scalar, &type);
}

Datum set_of_network(Reader *reader, Network *network) {
    SetDatum *set = ARENA_NEW(reader->arena, SetDatum, 1);
    if (reader->stage->kind == STAGE_TABLE)
        return reader_error(reader, "parameters are known at run time only");
    if (!network_build(reader, network, reader->at))
        return datum_error();
    network = parameters_owner(network);
    if (network->building)
        return reader_error(reader, "the parameters of \"%s\" are not yet known inside it", network->name);
    for (uint32_t i = 0; i < network->sets.count; i++) {
        const NetworkSet *own = network->sets.items[i];
        array_push(reader->arena, &set->items, ((SetValue){own->set, stage_read(reader, own->state)}));
    }
    return (Datum){.kind = DATUM_SET, .set = set};
}

// ---- one network's numbers as another's

static const Set *parts_of(const Reader *reader, SetValue set) { return &reader->module->sets.items[set.set - 1]; }

// The part at this path behind the network's name.
static bool find_path(const Reader *reader, const SetDatum *set, const char *path, SetValue *value, uint32_t *part) {
    for (uint32_t i = 0; i < set->items.count; i++) {
        const Set *parts = parts_of(reader, set->items.items[i]);
        for (*part = 0; *part < parts->parts.count; ++*part)
            if (!strcmp(parts->parts.items[*part].name + strlen(parts->network), path)) {
                *value = set->items.items[i];
                return true;
            }
    }
    return false;
}

// Whether all parameters are of one network, so that paths in it say which is which.
static bool is_of_one(const Reader *reader, const SetDatum *set) {
    for (uint32_t i = 1; i < set->items.count; i++)
        if (strcmp(parts_of(reader, set->items.items[i])->network, parts_of(reader, set->items.items[0])->network))
            return false;
    return set->items.count;
}

// The first parameter of one set that the other has not, or of another shape; NULL: they agree.
static const char *difference(Reader *reader, const SetDatum *set, const SetDatum *other) {
    for (uint32_t i = 0; i < set->items.count; i++) {
        const Set *parts = parts_of(reader, set->items.items[i]);
        for (uint32_t k = 0; k < parts->parts.count; k++) {
            const Part *ours = &parts->parts.items[k];
            SetValue value;
            uint32_t part;
            if (!find_path(reader, other, ours->name + strlen(parts->network), &value, &part))
                return arena_format(reader->arena, "\"%s\" has \"%s\" (%s), \"%s\" has no \"%s\"%s", parts->network, ours->name,
                                    type_text(reader->arena, &ours->type), parts_of(reader, other->items.items[0])->network,
                                    ours->name + strlen(parts->network) + 1,
                                    other->record ? " here: a record of an optimizer holds what that has" : "");
            const Part *theirs = &parts_of(reader, value)->parts.items[part];
            if (!type_equal(&ours->type, &theirs->type))
                return arena_format(reader->arena, "\"%s\" is %s, \"%s\" is %s", ours->name, type_text(reader->arena, &ours->type),
                                    theirs->name, type_text(reader->arena, &theirs->type));
        }
    }
    return NULL;
}

static bool has_all(const SetDatum *set, const SetDatum *like) {
    for (uint32_t i = 0; i < like->items.count; i++)
        if (!set_find(set, like->items.items[i].set))
            return false;
    return true;
}

const SetDatum *set_as(Reader *reader, const SetDatum *set, const SetDatum *like) {
    if (has_all(set, like))
        return set;
    const char *misfit = !is_of_one(reader, set) || !is_of_one(reader, like) ? "each is of one network" : difference(reader, like, set);
    misfit = misfit ? misfit : difference(reader, set, like);
    if (misfit) {
        reader_error(reader, "parameter sets of two networks go together where paths and shapes agree: %s", misfit);
        return NULL;
    }
    SetDatum *result = ARENA_NEW(reader->arena, SetDatum, 1);
    for (uint32_t i = 0; i < like->items.count; i++) {
        uint32_t id = like->items.items[i].set;
        const Set *parts = &reader->module->sets.items[id - 1];
        Value *values = ARENA_NEW(reader->arena, Value, parts->parts.count);
        for (uint32_t k = 0; k < parts->parts.count; k++) {
            SetValue value = {0};
            uint32_t part = 0;
            if (find_path(reader, set, parts->parts.items[k].name + strlen(parts->network), &value, &part))
                values[k] = set_part(reader, value, part);
        }
        array_push(reader->arena, &result->items, ((SetValue){id, set_pack(reader, id, values)}));
    }
    return result;
}

const SetDatum *set_for(Reader *reader, const SetDatum *set, Network *network) {
    SetDatum own = {0};
    network = parameters_owner(network);
    bool has_any = false;
    for (uint32_t i = 0; i < network->sets.count; i++) {
        has_any = has_any || set_find(set, network->sets.items[i]->set);
        array_push(reader->arena, &own.items, ((SetValue){.set = network->sets.items[i]->set}));
    }
    return has_any ? set : set_as(reader, set, &own);
}

// Does the sign leave 0 op 0 (or 0 op scalar) at 0?
static bool keeps_zero(Sign sign, Datum a, Datum b) {
    if (a.kind == DATUM_SET && b.kind == DATUM_SET)
        return sign == SIGN_ADD || sign == SIGN_SUB || sign == SIGN_MUL;
    if (a.kind == DATUM_SET)
        return sign == SIGN_MUL || sign == SIGN_DIV || (sign == SIGN_POW && is_static_number(b) && datum_double(b) > 0);
    return sign == SIGN_MUL;
}

static bool operands_fit(Reader *reader, Sign sign, Datum a, Datum b) {
    if (sign < SIGN_ADD || sign == SIGN_FLOOR_DIV || sign == SIGN_MOD) {
        reader_error(reader, "\"%s\" does not work on parameter sets", sign_text(sign));
        return false;
    }
    Datum other = a.kind == DATUM_SET ? b : a;
    if (other.kind != DATUM_SET && other.kind != DATUM_TENSOR && !is_static_number(other)) {
        reader_error(reader, "a parameter set, a number or a scalar expected beside \"%s\", not %s", sign_text(sign),
                     datum_word(reader, other));
        return false;
    }
    if (other.kind == DATUM_TENSOR && graph_type(reader->stage->graph, other.tensor).rank) {
        reader_error(reader, "a scalar expected beside a parameter set, not %s", datum_word(reader, other));
        return false;
    }
    return true;
}

static Value binary_by_parts(Reader *reader, Sign sign, Datum a, Datum b, uint32_t set) {
    uint32_t count = reader->module->sets.items[set - 1].parts.count;
    Value *parts = ARENA_NEW(reader->arena, Value, count);
    for (uint32_t i = 0; i < count; i++) {
        Datum x = a.kind == DATUM_SET ? datum_tensor(set_part(reader, *set_find(a.set, set), i)) : a;
        Datum y = b.kind == DATUM_SET ? datum_tensor(set_part(reader, *set_find(b.set, set), i)) : b;
        Datum part = arithmetic_binary(reader, sign, x, y);
        if (part.kind != DATUM_TENSOR)
            return (Value){0};
        parts[i] = part.tensor;
    }
    return set_pack(reader, set, parts);
}

static Value binary_flat(Reader *reader, Sign sign, Datum a, Datum b, uint32_t set) {
    Graph *graph = reader->stage->graph;
    Value x = a.kind == DATUM_SET ? set_repack(reader, *set_find(a.set, set)) : (Value){0};
    if (sign == SIGN_POW) {
        Datum power = arithmetic_binary(reader, SIGN_POW, datum_tensor(x), b);
        return power.kind == DATUM_TENSOR ? power.tensor : (Value){0};
    }
    Type scalar = type_scalar(DTYPE_F32);
    Value y =
        b.kind == DATUM_SET ? set_repack(reader, *set_find(b.set, set)) : set_scalar(reader, set, arithmetic_tensor(reader, b, &scalar));
    if (!x.id)
        x = set_scalar(reader, set, arithmetic_tensor(reader, a, &scalar));
    Op op = sign == SIGN_ADD ? OP_add : sign == SIGN_SUB ? OP_sub : sign == SIGN_MUL ? OP_mul : OP_div;
    return build_binary(graph, op, x, y);
}

Datum set_binary(Reader *reader, Sign sign, Datum a, Datum b) {
    if (!operands_fit(reader, sign, a, b))
        return datum_error();
    const SetDatum *like = a.kind == DATUM_SET ? a.set : b.set;
    if (a.kind == DATUM_SET && b.kind == DATUM_SET && has_all(a.set, b.set))
        like = b.set; // a record of an optimizer may hold no more than it optimizes: what both have
    else if (a.kind == DATUM_SET && b.kind == DATUM_SET)
        b.set = set_as(reader, b.set, a.set);
    if (b.kind == DATUM_SET && !b.set)
        return datum_error();
    SetDatum *result = ARENA_NEW(reader->arena, SetDatum, 1);
    for (uint32_t i = 0; i < like->items.count; i++) {
        uint32_t set = like->items.items[i].set;
        bool is_flat = keeps_zero(sign, a, b);
        Value flat = is_flat ? binary_flat(reader, sign, a, b, set) : binary_by_parts(reader, sign, a, b, set);
        if (!flat.id)
            return datum_error();
        array_push(reader->arena, &result->items, ((SetValue){set, flat}));
    }
    return (Datum){.kind = DATUM_SET, .set = result};
}

// Functions that are done on the flat value: clip around 0 and the minus sign.
static Value map_flat(Reader *reader, const char *function, SetValue set, const Datum *args, uint32_t count) {
    Graph *graph = reader->stage->graph;
    if (!strcmp(function, "-"))
        return build_unary(graph, OP_neg, set_repack(reader, set));
    if (!strcmp(function, "detach"))
        return graph_add(graph, OP_detach, &set.flat, 1, NULL, 0);
    if (strcmp(function, "clip") || count != 3 || !is_static_number(args[1]) || !is_static_number(args[2]) || datum_double(args[1]) > 0 ||
        datum_double(args[2]) < 0)
        return (Value){0};
    Type type = graph_type(graph, set.flat);
    Value low = build_binary(graph, OP_maximum, set_repack(reader, set), build_full(graph, &type, datum_double(args[1])));
    return build_binary(graph, OP_minimum, low, build_full(graph, &type, datum_double(args[2])));
}

static Value map_by_parts(Reader *reader, const char *function, SetValue set, const Datum *args, uint32_t count) {
    uint32_t parts_count = reader->module->sets.items[set.set - 1].parts.count;
    Value *parts = ARENA_NEW(reader->arena, Value, parts_count);
    Datum *own = ARENA_NEW(reader->arena, Datum, count);
    for (uint32_t i = 0; i < parts_count; i++) {
        memcpy(own, args, sizeof *own * count);
        own[0] = datum_tensor(set_part(reader, set, i));
        Datum part = function_apply(reader, function, own, count);
        if (part.kind == DATUM_ERROR)
            return (Value){0};
        Type type = graph_type(reader->stage->graph, own[0].tensor);
        Type found = part.kind == DATUM_TENSOR ? graph_type(reader->stage->graph, part.tensor) : (Type){0};
        if (part.kind != DATUM_TENSOR || !type_equal(&type, &found)) {
            reader_error(reader, "\"%s\" of a parameter set: only functions that keep each tensor's shape work on sets (and norm)",
                         function);
            return (Value){0};
        }
        parts[i] = part.tensor;
    }
    return set_pack(reader, set.set, parts);
}

Datum set_map(Reader *reader, const char *function, const Datum *args, uint32_t count) {
    SetDatum *result = ARENA_NEW(reader->arena, SetDatum, 1);
    for (uint32_t i = 0; i < args[0].set->items.count; i++) {
        SetValue set = args[0].set->items.items[i];
        Value flat = map_flat(reader, function, set, args, count);
        if (!flat.id)
            flat = map_by_parts(reader, function, set, args, count);
        if (!flat.id)
            return datum_error();
        array_push(reader->arena, &result->items, ((SetValue){set.set, flat}));
    }
    return (Datum){.kind = DATUM_SET, .set = result};
}

Datum set_norm(Reader *reader, const SetDatum *set) {
    Graph *graph = reader->stage->graph;
    Value sum = {0};
    for (uint32_t i = 0; i < set->items.count; i++) {
        Value flat = set_repack(reader, set->items.items[i]);
        Value part = build_reduce(graph, OP_reduce_sum, build_binary(graph, OP_mul, flat, flat), NULL, 0);
        sum = sum.id ? build_binary(graph, OP_add, sum, part) : part;
    }
    return sum.id ? datum_tensor(build_root(graph, sum)) : reader_error(reader, "norm of a set without parameters");
}
