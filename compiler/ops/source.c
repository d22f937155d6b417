// Sources: values that are there before anything is computed, or that follow from an element's index alone.
#include "compiler/ops/ops.h"

// The dtype that a text attribute names.
static bool parse_dtype(Graph *graph, const Node *node, const Attr *attr, DType *out) {
    return dtype_parse(attr->text, out) || graph_error(graph, node, "no dtype \"%s\"; there are f32, i32, u32, bool and u8", attr->text);
}

// ---- constant

static bool infer_constant(Graph *graph, const Node *node, Type *out) {
    DType dtype;
    if (!parse_dtype(graph, node, attr_of(node, ATTR_dtype), &dtype))
        return false;
    *out = type_scalar(dtype);
    return true;
}

static void reference_constant(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph, (void)args;
    out->data[0] = attr_of(node, ATTR_value)->number;
}

const OpDef op_constant = {
    .name = "constant",
    .summary = "a number",
    .op_class = CLASS_SOURCE,
    .infer = infer_constant,
    .reference = reference_constant,
    .example_count = 3,
    .examples = {{.attrs = {EXAMPLE_NUMBER(0.1), EXAMPLE_TEXT("f32")}},
                 {.attrs = {EXAMPLE_NUMBER(-7), EXAMPLE_TEXT("i32")}},
                 {.attrs = {EXAMPLE_NUMBER(1), EXAMPLE_TEXT("bool")}}},
};

// ---- table, state, feed, number: what the module and the run give

static bool infer_table(Graph *graph, const Node *node, Type *out) {
    int64_t index = attr_of(node, ATTR_index)->integer;
    if (!graph->module || index < 0 || index >= graph->module->tables.count)
        return graph_error(graph, node, "no table %lld", (long long)index);
    *out = graph->module->tables.items[index].type;
    return true;
}

static void reference_table(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)args;
    const Table *table = &graph->module->tables.items[attr_of(node, ATTR_index)->integer];
    memcpy(out->data, table->data, type_count(&table->type) * sizeof *out->data);
}

const OpDef op_table = {
    .name = "table",
    .summary = "numbers computed when compiling",
    .op_class = CLASS_SOURCE,
    .infer = infer_table,
    .reference = reference_table,
    .example_count = 1,
    .examples = {{.attrs = {EXAMPLE_INT(0)}}},
};

static bool infer_state(Graph *graph, const Node *node, Type *out) {
    const State *state = graph->module ? module_state(graph->module, attr_of(node, ATTR_name)->text) : NULL;
    if (!state)
        return graph_error(graph, node, "no state \"%s\"", attr_of(node, ATTR_name)->text);
    *out = state->type;
    return true;
}

const OpDef op_state = {
    .name = "state",
    .summary = "a state's value when the phase begins",
    .op_class = CLASS_SOURCE,
    .infer = infer_state,
    .example_count = 1,
    .examples = {{.attrs = {EXAMPLE_TEXT("s")}}},
};

static bool infer_feed(Graph *graph, const Node *node, Type *out) {
    DType dtype;
    return parse_dtype(graph, node, attr_of(node, ATTR_dtype), &dtype) && shape_from_ints(graph, node, dtype, attr_of(node, ATTR_dims), out);
}

const OpDef op_feed = {
    .name = "feed",
    .summary = "this repetition's batch, or a program's input",
    .op_class = CLASS_SOURCE,
    .infer = infer_feed,
    .example_count = 2,
    .examples = {{.attrs = {EXAMPLE_TEXT("x0"), EXAMPLE_TEXT("f32"), EXAMPLE_INTS(2, 1, 5, 5)}},
                 {.attrs = {EXAMPLE_TEXT("label"), EXAMPLE_TEXT("u8"), EXAMPLE_INTS(2)}}},
};

static bool infer_number(Graph *graph, const Node *node, Type *out) {
    static const char *const names[] = {"step", "steps", "epoch", "epoch_steps", "repetition", "index", "records"};
    const char *name = attr_of(node, ATTR_name)->text;
    *out = type_scalar(DTYPE_I32);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return graph_error(graph, node, "no number \"%s\"%s", name, text_suggestion(graph->arena, name, names, sizeof names / sizeof *names));
}

const OpDef op_number = {
    .name = "number",
    .summary = "step, steps, epoch, epoch_steps, repetition, index or records, known on the device",
    .op_class = CLASS_SOURCE,
    .infer = infer_number,
    .example_count = 1,
    .examples = {{.attrs = {EXAMPLE_TEXT("step")}}},
};

// ---- iota

static bool infer_iota(Graph *graph, const Node *node, Type *out) {
    if (!shape_from_ints(graph, node, DTYPE_I32, attr_of(node, ATTR_dims), out))
        return false;
    int64_t axis = attr_of(node, ATTR_axis)->integer;
    if (axis < 0 || axis >= out->rank)
        return graph_error(graph, node, "no axis %lld in %s", (long long)axis, type_text(graph->arena, out));
    return true;
}

static void reference_iota(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph, (void)args;
    uint64_t strides[MAX_RANK], count = type_count(&out->type);
    row_major_strides(&out->type, strides);
    int64_t axis = attr_of(node, ATTR_axis)->integer;
    for (uint64_t i = 0; i < count; i++)
        out->data[i] = (double)(i / strides[axis] % out->type.dims[axis]);
}

const OpDef op_iota = {
    .name = "iota",
    .summary = "the index along an axis",
    .op_class = CLASS_SOURCE,
    .infer = infer_iota,
    .reference = reference_iota,
    .example_count = 2,
    .examples = {{.attrs = {EXAMPLE_INT(0), EXAMPLE_INTS(5)}}, {.attrs = {EXAMPLE_INT(1), EXAMPLE_INTS(2, 3, 4)}}},
};

// ---- random draws (interpret.c draws them)

static bool infer_random(Graph *graph, const Node *node, Type *out) {
    return shape_from_ints(graph, node, DTYPE_F32, attr_of(node, ATTR_dims), out);
}

static bool infer_random_integer(Graph *graph, const Node *node, Type *out) {
    int64_t below = attr_of(node, ATTR_below)->integer;
    if (below < 1 || below > INT32_MAX)
        return graph_error(graph, node, "below must be at least 1, got %lld", (long long)below);
    return shape_from_ints(graph, node, DTYPE_I32, attr_of(node, ATTR_dims), out);
}

const OpDef op_random_normal = {
    .name = "random_normal",
    .summary = "normal numbers of mean 0 and variance 1",
    .op_class = CLASS_SOURCE,
    .infer = infer_random,
    .example_count = 1,
    .examples = {{.attrs = {EXAMPLE_TEXT("train.a.eps"), EXAMPLE_INTS(3, 5)}}},
};

const OpDef op_random_uniform = {
    .name = "random_uniform",
    .summary = "uniform numbers in [0, 1)",
    .op_class = CLASS_SOURCE,
    .infer = infer_random,
    .example_count = 1,
    .examples = {{.attrs = {EXAMPLE_TEXT("train.a.u"), EXAMPLE_INTS(3, 5)}}},
};

const OpDef op_random_integer = {
    .name = "random_integer",
    .summary = "integers from 0 to below - 1, uniform",
    .op_class = CLASS_SOURCE,
    .infer = infer_random_integer,
    .example_count = 1,
    .examples = {{.attrs = {EXAMPLE_TEXT("train.a.t"), EXAMPLE_INTS(7), EXAMPLE_INT(10)}}},
};
