// Evaluate: JSON values and expressions to values of the language.
#include "compiler/read/functions.h"
#include "compiler/read/reader.h"
#include <math.h>

// ---- entry points

const Tree *evaluate_parse(Reader *reader, const Json *json) {
    ExpressionProblem problem;
    const Tree *tree = parsed_tree(reader, json->string, &problem);
    if (!tree) {
        reader_offset(reader, problem.offset);
        reader_error(reader, "%s", problem.message);
    }
    return tree;
}

static Datum evaluate_list(Reader *reader, const Json *json, Scope *scope) {
    DatumList *list = ARENA_NEW(reader->arena, DatumList, 1);
    bool is_good = true;
    for (const Json *item = json->first; item; item = item->next) {
        Datum datum = evaluate(reader, item, scope);
        is_good = is_good && datum.kind != DATUM_ERROR;
        array_push(reader->arena, &list->items, datum);
    }
    return is_good ? (Datum){.kind = DATUM_LIST, .list = list} : datum_error();
}

Datum evaluate(Reader *reader, const Json *json, Scope *scope) {
    switch (json->kind) {
    case JSON_NULL:
        return datum_none();
    case JSON_BOOL:
        return datum_bool(json->number != 0);
    case JSON_NUMBER:
        return json->is_integer && fabs(json->number) < 9e15 ? datum_int((int64_t)json->number) : datum_number(json->number);
    case JSON_ARRAY:
        return evaluate_list(reader, json, scope);
    case JSON_OBJECT:
        reader_error_at(reader, json, "an expression, a number or a list expected, not an object");
        return datum_error();
    case JSON_STRING:
        break;
    }
    ReaderPlace old = reader_enter(reader, json, json->string);
    const Tree *tree = evaluate_parse(reader, json);
    Datum datum = tree ? evaluate_tree(reader, tree, scope) : datum_error();
    reader_leave(reader, old);
    return datum;
}

static bool is_static(Datum datum) {
    if (datum.kind == DATUM_LIST) {
        for (uint32_t i = 0; i < datum.list->items.count; i++)
            if (!is_static(datum.list->items.items[i]))
                return false;
        return true;
    }
    return is_static_number(datum) || datum.kind == DATUM_NONE || datum.kind == DATUM_TEXT;
}

Datum evaluate_static(Reader *reader, const Json *json, Scope *scope) {
    Datum datum = evaluate(reader, json, scope);
    if (datum.kind == DATUM_ERROR || is_static(datum))
        return datum;
    reader_error_at(reader, json, "\"%s\" must be known when compiling; it is %s, known at run time",
                    json->kind == JSON_STRING ? json->string : "…", datum_word(reader, datum));
    return datum_error();
}

Datum datum_reported(Reader *reader, Datum datum) {
    if (datum.kind != DATUM_INT && datum.kind != DATUM_NUMBER)
        return datum;
    Value value = arithmetic_tensor(reader, datum, &(Type){.dtype = DTYPE_F32});
    return value.id ? datum_tensor(value) : datum_error();
}

bool datum_integer(Reader *reader, Datum datum, int64_t *out) {
    if (datum.kind == DATUM_ERROR)
        return false;
    if (datum.kind != DATUM_INT && !(datum.kind == DATUM_NUMBER && datum.number == floor(datum.number) && fabs(datum.number) < 9e15)) {
        reader_error(reader,
                     datum.kind == DATUM_TENSOR ? "an integer known when compiling expected; this is %s, known at run time"
                                                : "%s is no integer",
                     datum_word(reader, datum));
        return false;
    }
    *out = datum.kind == DATUM_INT ? datum.integer : (int64_t)datum.number;
    return true;
}

bool evaluate_integer(Reader *reader, const Json *json, Scope *scope, int64_t low, int64_t *out) {
    Datum datum = evaluate_static(reader, json, scope);
    if (datum.kind == DATUM_ERROR)
        return false;
    ReaderPlace old = reader_enter(reader, json, json->kind == JSON_STRING ? json->string : NULL);
    bool is_good = datum_integer(reader, datum, out);
    if (is_good && (*out < low || *out > INT32_MAX)) {
        reader_error(reader, "%lld: an integer of %s expected", (long long)*out, text_bound(reader->arena, *out, low, INT32_MAX));
        is_good = false;
    }
    reader_leave(reader, old);
    return is_good;
}

bool evaluate_dims(Reader *reader, const Json *json, Scope *scope, uint32_t *rank, uint32_t *dims) {
    Datum shape = evaluate_static(reader, json, scope);
    if (shape.kind == DATUM_ERROR)
        return false;
    if (shape.kind != DATUM_LIST)
        return reader_error_at(reader, json, "a shape is a list of sizes, not %s", datum_word(reader, shape));
    if (shape.list->items.count > MAX_RANK)
        return reader_error_at(reader, json, "%u axes; a tensor has at most %d", shape.list->items.count, MAX_RANK);
    *rank = shape.list->items.count;
    for (uint32_t i = 0; i < *rank; i++) {
        const Json *item = json->kind == JSON_ARRAY ? json_at(json, i) : json;
        int64_t size;
        ReaderPlace old = reader_enter(reader, item, item->kind == JSON_STRING ? item->string : NULL);
        bool is_good = datum_integer(reader, shape.list->items.items[i], &size);
        if (is_good && (size < 1 || size > INT32_MAX)) {
            reader_error(reader, "an axis of %lld: a size of %s expected", (long long)size, text_bound(reader->arena, size, 1, INT32_MAX));
            is_good = false;
        }
        reader_leave(reader, old);
        if (!is_good)
            return false;
        dims[i] = (uint32_t)size;
    }
    return true;
}

bool evaluate_truth(Reader *reader, const Json *json, Scope *scope, bool *out) {
    Datum datum = evaluate_static(reader, json, scope);
    if (datum.kind == DATUM_ERROR)
        return false;
    if (!is_static_number(datum))
        return reader_error_at(reader, json, "true or false expected, not %s", datum_word(reader, datum));
    *out = datum_double(datum) != 0;
    return true;
}

Value evaluate_tensor(Reader *reader, const Json *json, Scope *scope) {
    Datum datum = evaluate(reader, json, scope);
    if (datum.kind == DATUM_ERROR || datum.kind == DATUM_TENSOR)
        return datum.kind == DATUM_TENSOR ? datum.tensor : (Value){0};
    if (is_static_number(datum))
        return arithmetic_tensor(reader, datum, NULL);
    if (datum.kind == DATUM_LIST) {
        ReaderPlace old = reader_enter(reader, json, json->string);
        Value value = literal_tensor(reader, datum.list, NULL);
        reader_leave(reader, old);
        return value;
    }
    reader_error_at(reader, json, "a tensor expected, not %s", datum_word(reader, datum));
    return (Value){0};
}

// ---- indexing

static Datum index_family(Reader *reader, Datum base, const DatumList *items) {
    int64_t index;
    if (items->items.count != 1)
        return reader_error(reader, "one index expected");
    if (!datum_integer(reader, items->items.items[0], &index))
        return datum_error();
    if (base.kind == DATUM_FAMILY) {
        Text known = text_create(reader->arena);
        for (uint32_t i = 0; i < base.family->items.count; i++) {
            if (base.family->items.items[i].index == index)
                return accumulate_inner(reader, base, "an indexed name", base.family->items.items[i].datum);
            text_format(&known, "%s%lld", i ? ", " : "", (long long)base.family->items.items[i].index);
        }
        return reader_error(reader, "no [%lld]; known: %s", (long long)index, known.data);
    }
    int64_t count = base.list->items.count;
    if (index < -count || index >= count)
        return reader_error(reader, "no [%lld] in a list of %lld", (long long)index, (long long)count);
    return base.list->items.items[index < 0 ? index + count : index];
}

// A slice's bound, as Python's: negative ones count from the end, all are clipped.
static bool slice_bound(Reader *reader, const Tree *tree, Scope *scope, int64_t size, int64_t fallback, int64_t *out) {
    *out = fallback;
    if (!tree)
        return true;
    if (!datum_integer(reader, evaluate_tree(reader, tree, scope), out))
        return false;
    *out = *out < 0 ? *out + size : *out;
    *out = *out < 0 ? 0 : *out > size ? size : *out;
    return true;
}

static bool slice_axis(Reader *reader, Value *x, uint32_t axis, const Tree *item, Scope *scope) {
    Type type = graph_type(reader->stage->graph, *x);
    int64_t size = type.dims[axis], start, stop, step = 1;
    if (!slice_bound(reader, item->children.items[0], scope, size, 0, &start) ||
        !slice_bound(reader, item->children.items[1], scope, size, size, &stop))
        return false;
    if (item->children.items[2] && !datum_integer(reader, evaluate_tree(reader, item->children.items[2], scope), &step))
        return false;
    if (step < 1 || start >= stop) {
        reader_error(reader, "the slice %lld:%lld:%lld of axis %u of %s is empty", (long long)start, (long long)stop, (long long)step, axis,
                     datum_word(reader, datum_tensor(*x)));
        return false;
    }
    *x = build_slice(reader->stage->graph, *x, axis, start, stop, step);
    return x->id != 0;
}

static Datum index_tensor(Reader *reader, Value base, const Tree *tree, const Datum *values, Scope *scope) {
    Graph *graph = reader->stage->graph;
    Value x = base;
    uint32_t axis = 0, rank = 0, dims[2 * MAX_RANK + 1], count = tree->children.count - 1;
    for (uint32_t i = 0; i < count; i++) {
        const Tree *item = tree->children.items[i + 1];
        Type type = graph_type(graph, x);
        if (rank > MAX_RANK)
            break;
        if (item->kind == TREE_NONE) {
            dims[rank++] = 1;
            continue;
        }
        if (axis >= type.rank)
            return reader_error(reader, "too many indices for %s: %u of them, for %u ax%s", datum_word(reader, datum_tensor(base)), count,
                                graph_type(graph, base).rank, graph_type(graph, base).rank == 1 ? "is" : "es");
        if (item->kind == TREE_SLICE) {
            if (!slice_axis(reader, &x, axis, item, scope))
                return datum_error();
            dims[rank++] = graph_type(graph, x).dims[axis++];
            continue;
        }
        int64_t at, size = type.dims[axis];
        if (!datum_integer(reader, values[i], &at))
            return datum_error();
        if (at < -size || at >= size)
            return reader_error(reader, "index %lld is out of range for axis %u of %s, whose indices are %lld to %lld", (long long)at, axis,
                                datum_word(reader, datum_tensor(base)), (long long)-size, (long long)size - 1);
        at = at < 0 ? at + size : at;
        x = build_slice(graph, x, axis++, at, at + 1, 1);
    }
    Type type = graph_type(graph, x);
    while (axis < type.rank && rank <= MAX_RANK)
        dims[rank++] = type.dims[axis++];
    if (rank > MAX_RANK)
        return reader_error(reader, "the result would have %s%u axes, a tensor has at most %d", axis < type.rank ? "more than " : "", rank, MAX_RANK);
    return datum_tensor(build_reshape(graph, x, rank, dims));
}

static Datum gather(Reader *reader, Value x, Value index) {
    Type type = graph_type(reader->stage->graph, index), data = graph_type(reader->stage->graph, x);
    if (type.dtype != DTYPE_I32)
        return reader_error(reader, "an index is i32, not %s; convert it with i32(…)", type_text(reader->arena, &type));
    if (data.rank == 0 || type.rank + data.rank - 1 > MAX_RANK)
        return reader_error(reader, "%s cannot be indexed by %s", type_text(reader->arena, &data), type_text(reader->arena, &type));
    return datum_tensor(build_gather(reader->stage->graph, x, index));
}

static Datum evaluate_index(Reader *reader, const Tree *tree, Scope *scope) {
    Datum base = evaluate_tree(reader, tree->children.items[0], scope);
    DatumList items = {0};
    if (base.kind == DATUM_ERROR)
        return base;
    bool has_tensor = false;
    for (uint32_t i = 1; i < tree->children.count; i++) {
        const Tree *item = tree->children.items[i];
        Datum value = item->kind == TREE_SLICE || item->kind == TREE_NONE ? datum_none() : evaluate_tree(reader, item, scope);
        if (value.kind == DATUM_ERROR)
            return value;
        has_tensor = has_tensor || value.kind == DATUM_TENSOR;
        array_push(reader->arena, &items.items, value);
    }
    reader_offset(reader, tree->offset);
    if (!items.items.count)
        return reader_error(reader, "an index expected between the brackets");
    if (base.kind == DATUM_LIST && has_tensor)
        base = datum_tensor(literal_tensor(reader, base.list, NULL));
    if (base.kind == DATUM_ERROR)
        return base;
    if (base.kind == DATUM_FAMILY || base.kind == DATUM_LIST)
        return index_family(reader, base, &items);
    if (base.kind != DATUM_TENSOR)
        return reader_error(reader, "%s cannot be indexed", datum_word(reader, base));
    if (has_tensor && items.items.count != 1)
        return reader_error(reader, "a tensor as index stands alone (it gathers on axis 0)");
    if (has_tensor)
        return gather(reader, base.tensor, items.items.items[0].tensor);
    return index_tensor(reader, base.tensor, tree, items.items.items, scope);
}

// ---- trees

static Datum pop(Reader *reader, const Tree *tree, Scope *scope) {
    if (tree->children.count != 1 || tree->children.items[0]->kind != TREE_NAME)
        return reader_error(reader, "\"pop\" takes the name of a list");
    const char *name = tree->children.items[0]->name;
    ARRAY(const char *) names = {0};
    Scope *owner = scope->owner;
    for (uint32_t i = 0; i < owner->lists.count; i++) {
        struct Pushed *list = &owner->lists.items[i];
        if (!strcmp(list->name, name)) {
            if (!list->list.items.count)
                return reader_error(reader, "nothing is left to pop from \"%s\"", name);
            return accumulate_cross(reader, name, list->list.items.items[--list->list.items.count]);
        }
        array_push(reader->arena, &names, list->name);
    }
    return reader_error(reader, "nothing was pushed to \"%s\"%s", name, reader_suggest_words(reader, name, names.items, names.count));
}

static Datum evaluate_call(Reader *reader, const Tree *tree, Scope *scope) {
    reader_offset(reader, tree->offset);
    if (!strcmp(tree->name, "pop"))
        return pop(reader, tree, scope);
    ARRAY(Datum) args = {0};
    const FunctionInfo *info = function_find(tree->name);
    for (uint32_t i = 0; i < tree->children.count; i++) {
        const Tree *child = tree->children.items[i];
        bool is_choice = child->kind == TREE_NAME && (function_chooses(info, i) ||
                                                      (function_takes_word(info, i, child->name) && !scope_find(scope, child->name)));
        Datum arg = is_choice ? datum_text(child->name) : evaluate_tree(reader, child, scope);
        if (arg.kind == DATUM_ERROR)
            return arg;
        array_push(reader->arena, &args, arg);
    }
    reader_offset(reader, tree->offset);
    return function_apply(reader, tree->name, args.items, args.count);
}

static Datum evaluate_children(Reader *reader, const Tree *tree, Scope *scope) {
    DatumList *list = ARENA_NEW(reader->arena, DatumList, 1);
    for (uint32_t i = 0; i < tree->children.count; i++) {
        Datum item = evaluate_tree(reader, tree->children.items[i], scope);
        if (item.kind == DATUM_ERROR)
            return item;
        array_push(reader->arena, &list->items, item);
    }
    return (Datum){.kind = DATUM_LIST, .list = list};
}

// a + b - c …: a tree that leans to the left as long as the text is.
static Datum evaluate_row(Reader *reader, const Tree *tree, Scope *scope) {
    ARRAY(const Tree *) row = {0};
    for (; tree->kind == TREE_BINARY; tree = tree->children.items[0])
        array_push(reader->arena, &row, tree);
    Datum a = evaluate_tree(reader, tree, scope);
    while (row.count) {
        tree = row.items[--row.count];
        if (!limit_step(reader))
            return datum_error();
        Datum b = evaluate_tree(reader, tree->children.items[1], scope);
        reader_offset(reader, tree->offset);
        a = arithmetic_binary(reader, tree->sign, a, b);
    }
    return a;
}

static Datum evaluate_inside(Reader *reader, const Tree *tree, Scope *scope) {
    switch (tree->kind) {
    case TREE_NAME:
    case TREE_ATTR: {
        Datum datum = evaluate_name(reader, tree, scope);
        reader_offset(reader, tree->offset);
        return evaluate_resolve(reader, datum);
    }
    case TREE_INDEX:
        return evaluate_index(reader, tree, scope);
    case TREE_CALL:
        return evaluate_call(reader, tree, scope);
    case TREE_LIST:
        return evaluate_children(reader, tree, scope);
    case TREE_UNARY: {
        Datum x = evaluate_tree(reader, tree->children.items[0], scope);
        reader_offset(reader, tree->offset);
        return arithmetic_unary(reader, tree->sign, x);
    }
    case TREE_BINARY:
        return evaluate_row(reader, tree, scope);
    default:
        return datum_error();
    }
}

Datum evaluate_tree(Reader *reader, const Tree *tree, Scope *scope) {
    reader_offset(reader, tree->offset);
    switch (tree->kind) {
    case TREE_NUMBER:
        return tree->is_integer ? datum_int(tree->integer) : datum_number(tree->number);
    case TREE_BOOL:
        return datum_bool(tree->integer != 0);
    case TREE_NONE:
        return datum_none();
    case TREE_TEXT:
        return datum_text(tree->name);
    case TREE_SLICE:
        return reader_error(reader, "a slice stands in brackets");
    default:
        break;
    }
    if (!limit_enter_expression(reader))
        return datum_error();
    Datum datum = evaluate_inside(reader, tree, scope);
    limit_leave_expression(reader);
    return datum;
}
