// The convolution family: conv2d, and its gradients by x and by w, which are convolutions, too. The three are the three ways to leave one
// tensor out of  sum over n, co, ci, oy, ox, ky, kx of  x[n, ci, oy s + ky d - p, ox s + kx d - p] w[co, ci, ky, kx] g[n, co, oy, ox],
// so the gradient of each is made of the other two.
#include "compiler/ops/ops.h"
#pragma GCC optimize("O3") // the judge's loops must be quick in debug builds too

// Everything that a convolution's loops know. Index 0 is y, 1 is x.
typedef struct {
    uint32_t n, ci, co, groups, slices;
    uint32_t in[2], out[2], kernel[2];
    int64_t stride[2], pad[2], dilation[2];
} Conv;

// ---- shapes

static bool read_attrs(Graph *graph, const Node *node, Conv *conv) {
    static const AttrName names[] = {ATTR_stride, ATTR_pad, ATTR_dilation};
    static const int64_t least[] = {1, 0, 1};
    int64_t *fields[] = {conv->stride, conv->pad, conv->dilation};
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t axis = 0; axis < 2; axis++) {
            const Attr *attr = attr_of(node, names[i]);
            if (attr->count != 2 || attr->ints[axis] < least[i] || attr->ints[axis] > ELEMENTS_MAX)
                return graph_error(graph, node, "%s must be two numbers of at least %lld", attr_name(names[i]), (long long)least[i]);
            fields[i][axis] = attr->ints[axis];
        }
    int64_t groups = attr_of(node, ATTR_groups)->integer;
    if (groups < 1 || groups > ELEMENTS_MAX)
        return graph_error(graph, node, "groups must be at least 1, got %lld", (long long)groups);
    conv->groups = (uint32_t)groups;
    conv->slices = 1;
    return true;
}

static bool read_extents(Graph *graph, const Node *node, const Attr *attr, const char *name, uint32_t *out) {
    for (uint32_t axis = 0; axis < 2; axis++) {
        if (attr->count != 2 || attr->ints[axis] < 1 || attr->ints[axis] > ELEMENTS_MAX)
            return graph_error(graph, node, "%s must be two numbers of at least 1", name);
        out[axis] = (uint32_t)attr->ints[axis];
    }
    return true;
}

static bool is_image(Graph *graph, const Node *node, uint32_t arg, const char *what) {
    Type type = arg_type(graph, node, arg);
    if (!needs_f32(graph, node, arg))
        return false;
    return type.rank == 4 || graph_error(graph, node, "%s, got %s", what, shown(graph, node->args[arg]));
}

// conv->in and conv->kernel are set; gives conv->out.
static bool find_out(Graph *graph, const Node *node, Conv *conv) {
    for (uint32_t axis = 0; axis < 2; axis++) {
        int64_t reach = conv->dilation[axis] * (conv->kernel[axis] - 1) + 1, padded = conv->in[axis] + 2 * conv->pad[axis];
        if (padded < reach)
            return graph_error(graph, node, "a kernel of %u x %u does not fit into %u x %u padded by %lld x %lld", conv->kernel[0],
                               conv->kernel[1], conv->in[0], conv->in[1], (long long)conv->pad[0], (long long)conv->pad[1]);
        int64_t out = (padded - reach) / conv->stride[axis] + 1;
        if (out > ELEMENTS_MAX)
            return graph_error(graph, node, "the result would have %s elements along an axis; a tensor has at most %s",
                               text_thousands(graph->arena, (uint64_t)out), text_thousands(graph->arena, ELEMENTS_MAX));
        conv->out[axis] = (uint32_t)out;
    }
    return true;
}

static bool check_groups(Graph *graph, const Node *node, const Conv *conv) {
    if (conv->ci % conv->groups || conv->co % conv->groups)
        return graph_error(graph, node, "%u groups do not divide %u and %u channels", conv->groups, conv->ci, conv->co);
    return true;
}

static Type image_type(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return type_make(DTYPE_F32, 4, (uint32_t[]){a, b, c, d}); }

// A gradient's image must be what the forward convolution gives.
static bool check_gradient(Graph *graph, const Node *node, uint32_t arg, const Conv *conv) {
    Type wanted = image_type(conv->n, conv->co, conv->out[0], conv->out[1]), got = arg_type(graph, node, arg);
    return type_equal(&wanted, &got) ||
           graph_error(graph, node, "the gradient should be %s, got %s", type_text(graph->arena, &wanted), shown(graph, node->args[arg]));
}

static bool read_conv2d(Graph *graph, const Node *node, Conv *conv) {
    if (!is_image(graph, node, 0, "wants [n, channels, height, width]") ||
        !is_image(graph, node, 1, "wants a weight [out, in / groups, height, width]") || !read_attrs(graph, node, conv))
        return false;
    Type x = arg_type(graph, node, 0), w = arg_type(graph, node, 1);
    conv->n = x.dims[0], conv->ci = x.dims[1], conv->co = w.dims[0];
    for (uint32_t axis = 0; axis < 2; axis++)
        conv->in[axis] = x.dims[2 + axis], conv->kernel[axis] = w.dims[2 + axis];
    if (!check_groups(graph, node, conv) || !find_out(graph, node, conv))
        return false;
    return w.dims[1] == conv->ci / conv->groups ||
           graph_error(graph, node, "%s has %u channels, in %u groups; the weight is %s", shown(graph, node->args[0]), conv->ci,
                       conv->groups, shown(graph, node->args[1]));
}

static bool read_conv2d_input(Graph *graph, const Node *node, Conv *conv) {
    if (!is_image(graph, node, 0, "wants a gradient [n, channels, height, width]") ||
        !is_image(graph, node, 1, "wants a weight [out, in / groups, height, width]") || !read_attrs(graph, node, conv) ||
        !read_extents(graph, node, attr_of(node, ATTR_size), "size", conv->in))
        return false;
    Type g = arg_type(graph, node, 0), w = arg_type(graph, node, 1);
    conv->n = g.dims[0], conv->ci = w.dims[1] * conv->groups, conv->co = w.dims[0];
    conv->kernel[0] = w.dims[2], conv->kernel[1] = w.dims[3];
    return check_groups(graph, node, conv) && find_out(graph, node, conv) && check_gradient(graph, node, 0, conv);
}

static bool read_conv2d_weight(Graph *graph, const Node *node, Conv *conv) {
    if (!is_image(graph, node, 0, "wants [n, channels, height, width]") ||
        !is_image(graph, node, 1, "wants a gradient [n, channels, height, width]") || !read_attrs(graph, node, conv) ||
        !read_extents(graph, node, attr_of(node, ATTR_kernel), "kernel", conv->kernel))
        return false;
    Type x = arg_type(graph, node, 0), g = arg_type(graph, node, 1);
    int64_t slices = attr_of(node, ATTR_slices)->integer;
    conv->n = x.dims[0], conv->ci = x.dims[1], conv->co = g.dims[1];
    conv->in[0] = x.dims[2], conv->in[1] = x.dims[3];
    if (slices < 1 || slices > conv->n || conv->n % slices)
        return graph_error(graph, node, "%lld slices do not divide a batch of %u", (long long)slices, conv->n);
    conv->slices = (uint32_t)slices;
    return check_groups(graph, node, conv) && find_out(graph, node, conv) && check_gradient(graph, node, 1, conv);
}

static bool infer_conv2d(Graph *graph, const Node *node, Type *out) {
    Conv conv;
    if (!read_conv2d(graph, node, &conv))
        return false;
    *out = image_type(conv.n, conv.co, conv.out[0], conv.out[1]);
    return true;
}

static bool infer_conv2d_input(Graph *graph, const Node *node, Type *out) {
    Conv conv;
    if (!read_conv2d_input(graph, node, &conv))
        return false;
    *out = image_type(conv.n, conv.ci, conv.in[0], conv.in[1]);
    return true;
}

static bool infer_conv2d_weight(Graph *graph, const Node *node, Type *out) {
    Conv conv;
    if (!read_conv2d_weight(graph, node, &conv))
        return false;
    *out = image_type(conv.co, conv.ci / conv.groups, conv.kernel[0], conv.kernel[1]);
    if (conv.slices > 1)
        *out = type_make(DTYPE_F32, 5, (uint32_t[]){conv.slices, out->dims[0], out->dims[1], out->dims[2], out->dims[3]});
    return true;
}

// ---- gradients

// `like`: a member of the family with the same stride, pad, dilation and groups, which are the first of each.
static Value forward(Graph *graph, Value x, Value w, const Node *like) {
    Attr all[] = {*attr_of(like, ATTR_stride), *attr_of(like, ATTR_pad), *attr_of(like, ATTR_dilation), *attr_of(like, ATTR_groups)};
    return graph_add(graph, OP_conv2d, (Value[]){x, w}, 2, all, 4);
}

static Value by_input(Graph *graph, Value g, Value w, const Node *like, Type x) {
    Attr all[] = {*attr_of(like, ATTR_stride), *attr_of(like, ATTR_pad), *attr_of(like, ATTR_dilation), *attr_of(like, ATTR_groups),
                  attr_ints((int64_t[]){x.dims[2], x.dims[3]}, 2)};
    return graph_add(graph, OP_conv2d_input, (Value[]){g, w}, 2, all, 5);
}

static Value by_weight(Graph *graph, Value x, Value g, const Node *like, Type w) {
    Attr all[] = {*attr_of(like, ATTR_stride), *attr_of(like, ATTR_pad), *attr_of(like, ATTR_dilation), *attr_of(like, ATTR_groups),
                  attr_ints((int64_t[]){w.dims[2], w.dims[3]}, 2), attr_int(1)};
    return graph_add(graph, OP_conv2d_weight, (Value[]){x, g}, 2, all, 6);
}

static void vjp_conv2d(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    Value x = node.args[0], w = node.args[1];
    grads[0] = by_input(graph, grad, w, &node, graph_type(graph, x));
    grads[1] = by_weight(graph, x, grad, &node, graph_type(graph, w));
}

static void vjp_conv2d_input(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    Value g = node.args[0], w = node.args[1];
    grads[0] = forward(graph, grad, w, &node);
    grads[1] = by_weight(graph, grad, g, &node, graph_type(graph, w));
}

// Each slice of the batch has a gradient of its own.
static void vjp_conv2d_weight(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    Type x = graph_type(graph, node.args[0]), w = graph_type(graph, grad);
    uint32_t slices = (uint32_t)attr_of(&node, ATTR_slices)->integer, records = x.dims[0] / slices;
    Value *parts = ARENA_NEW(graph->arena, Value, 2 * slices);
    for (uint32_t i = 0; i < slices; i++) {
        Value part = grad;
        if (slices > 1)
            part = build_reshape(graph, build_slice(graph, grad, 0, i, i + 1, 1), 4, w.dims + 1);
        Value x_part = build_slice(graph, node.args[0], 0, i * records, (i + 1) * records, 1);
        Value g_part = build_slice(graph, node.args[1], 0, i * records, (i + 1) * records, 1);
        parts[i] = by_input(graph, g_part, part, &node, x);
        parts[slices + i] = forward(graph, x_part, part, &node);
    }
    grads[0] = build_concat(graph, parts, slices, 0);
    grads[1] = build_concat(graph, parts + slices, slices, 0);
}

// ---- references: rows of the image are the inner loop; taps that fall into the padding are never visited

// Outputs o with 0 <= o s + k d - p < extent are those from `first` to before `end`; `at` is where the first of them reads.
typedef struct {
    int64_t first, end, at;
} Span;

static Span span_of(const Conv *conv, uint32_t axis, uint32_t tap) {
    int64_t stride = conv->stride[axis], shift = tap * conv->dilation[axis] - conv->pad[axis], last = (int64_t)conv->in[axis] - 1 - shift;
    Span span = {.first = shift < 0 ? (-shift + stride - 1) / stride : 0, .end = last < 0 ? 0 : last / stride + 1};
    span.end = span.end < conv->out[axis] ? span.end : conv->out[axis];
    span.at = span.first * stride + shift;
    return span;
}

static void add_scaled(double *to, int64_t to_step, const double *from, int64_t from_step, double factor, int64_t count) {
    if (to_step == 1 && from_step == 1) {
        for (int64_t i = 0; i < count; i++)
            to[i] += factor * from[i];
        return;
    }
    for (int64_t i = 0; i < count; i++)
        to[i * to_step] += factor * from[i * from_step];
}

static double dot(const double *a, int64_t a_step, const double *b, int64_t count) {
    double sums[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (int64_t j = 0; j < 4; j++)
            sums[j] += a[(i + j) * a_step] * b[i + j];
    for (; i < count; i++)
        sums[0] += a[i * a_step] * b[i];
    return sums[0] + sums[1] + sums[2] + sums[3];
}

// What one pair of planes does with one tap row ky: x and g are planes, w the row of taps.
typedef void (*TapRow)(const Conv *conv, uint32_t ky, double *x, double *w, double *g);

static void tap_forward(const Conv *conv, uint32_t ky, double *x, double *w, double *g) {
    Span rows = span_of(conv, 0, ky);
    for (int64_t oy = rows.first; oy < rows.end; oy++)
        for (uint32_t kx = 0; kx < conv->kernel[1]; kx++) {
            Span span = span_of(conv, 1, kx);
            const double *row = x + (rows.at + (oy - rows.first) * conv->stride[0]) * conv->in[1];
            add_scaled(g + oy * conv->out[1] + span.first, 1, row + span.at, conv->stride[1], w[kx], span.end - span.first);
        }
}

static void tap_input(const Conv *conv, uint32_t ky, double *x, double *w, double *g) {
    Span rows = span_of(conv, 0, ky);
    for (int64_t oy = rows.first; oy < rows.end; oy++)
        for (uint32_t kx = 0; kx < conv->kernel[1]; kx++) {
            Span span = span_of(conv, 1, kx);
            double *row = x + (rows.at + (oy - rows.first) * conv->stride[0]) * conv->in[1];
            add_scaled(row + span.at, conv->stride[1], g + oy * conv->out[1] + span.first, 1, w[kx], span.end - span.first);
        }
}

static void tap_weight(const Conv *conv, uint32_t ky, double *x, double *w, double *g) {
    Span rows = span_of(conv, 0, ky);
    for (int64_t oy = rows.first; oy < rows.end; oy++)
        for (uint32_t kx = 0; kx < conv->kernel[1]; kx++) {
            Span span = span_of(conv, 1, kx);
            const double *row = x + (rows.at + (oy - rows.first) * conv->stride[0]) * conv->in[1];
            w[kx] += dot(row + span.at, conv->stride[1], g + oy * conv->out[1] + span.first, span.end - span.first);
        }
}

static void walk(const Conv *conv, double *x, double *w, double *g, TapRow tap_row) {
    uint64_t in_plane = (uint64_t)conv->in[0] * conv->in[1], out_plane = (uint64_t)conv->out[0] * conv->out[1];
    uint64_t ci = conv->ci / conv->groups, co = conv->co / conv->groups, taps = (uint64_t)conv->kernel[0] * conv->kernel[1];
    for (uint64_t n = 0; n < conv->n; n++)
        for (uint64_t o = 0; o < conv->co; o++)
            for (uint64_t i = 0; i < ci; i++) {
                double *x_plane = x + (n * conv->ci + o / co * ci + i) * in_plane;
                double *w_plane = w + (n / (conv->n / conv->slices) * conv->co * ci + o * ci + i) * taps;
                for (uint32_t ky = 0; ky < conv->kernel[0]; ky++)
                    tap_row(conv, ky, x_plane, w_plane + (uint64_t)ky * conv->kernel[1], g + (n * conv->co + o) * out_plane);
            }
}

// The graph is only written to when a message is made, and a node of a graph makes none.
static Conv conv_of(const Graph *graph, const Node *node, bool (*read)(Graph *, const Node *, Conv *)) {
    Conv conv = {0};
    Graph scratch = *graph;
    read(&scratch, node, &conv);
    return conv;
}

static void reference_conv2d(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    Conv conv = conv_of(graph, node, read_conv2d);
    walk(&conv, args[0]->data, args[1]->data, out->data, tap_forward);
}

static void reference_conv2d_input(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    Conv conv = conv_of(graph, node, read_conv2d_input);
    walk(&conv, out->data, args[1]->data, args[0]->data, tap_input);
}

static void reference_conv2d_weight(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    Conv conv = conv_of(graph, node, read_conv2d_weight);
    walk(&conv, args[0]->data, out->data, args[1]->data, tap_weight);
}

// ---- the ops

#define CONV_ATTRS(sh, sw, ph, pw, dh, dw, groups) EXAMPLE_INTS(sh, sw), EXAMPLE_INTS(ph, pw), EXAMPLE_INTS(dh, dw), EXAMPLE_INT(groups)

const OpDef op_conv2d = {
    .name = "conv2d",
    .summary = "correlation of [n, ci, h, w] with [co, ci / groups, kh, kw]",
    .op_class = CLASS_CONTRACT,
    .arg_count = 2,
    .infer = infer_conv2d,
    .vjp = vjp_conv2d,
    .reference = reference_conv2d,
    .example_count = 8,
    .examples = {{{F32(2, 3, 5, 5), F32(4, 3, 3, 3)}, 2, {CONV_ATTRS(1, 1, 1, 1, 1, 1, 1)}, -1, 1, 0},
                 {{F32(2, 3, 6, 7), F32(4, 3, 4, 4)}, 2, {CONV_ATTRS(2, 2, 1, 1, 1, 1, 1)}, -1, 1, 0},
                 {{F32(1, 2, 6, 6), F32(3, 2, 3, 3)}, 2, {CONV_ATTRS(2, 2, 1, 1, 1, 1, 1)}, -1, 1, 0},
                 {{F32(1, 2, 7, 8), F32(2, 2, 3, 2)}, 2, {CONV_ATTRS(1, 2, 2, 0, 2, 3, 1)}, -1, 1, 0},
                 {{F32(2, 4, 5, 4), F32(6, 2, 3, 3)}, 2, {CONV_ATTRS(1, 1, 1, 1, 1, 1, 2)}, -1, 1, 0},
                 {{F32(1, 4, 6, 5), F32(4, 1, 3, 3)}, 2, {CONV_ATTRS(2, 1, 1, 2, 1, 1, 4)}, -1, 1, 0},
                 {{F32(3, 5, 4, 4), F32(7, 5, 1, 1)}, 2, {CONV_ATTRS(1, 1, 0, 0, 1, 1, 1)}, -1, 1, 0},
                 {{F32(2, 3, 1, 9), F32(1, 3, 1, 4)}, 2, {CONV_ATTRS(4, 4, 0, 0, 1, 1, 1)}, -1, 1, 0}},
};

const OpDef op_conv2d_input = {
    .name = "conv2d_input",
    .summary = "conv2d's gradient by its image; also a transposed convolution",
    .op_class = CLASS_CONTRACT,
    .arg_count = 2,
    .infer = infer_conv2d_input,
    .vjp = vjp_conv2d_input,
    .reference = reference_conv2d_input,
    .example_count = 6,
    .examples = {{{F32(2, 4, 5, 5), F32(4, 3, 3, 3)}, 2, {CONV_ATTRS(1, 1, 1, 1, 1, 1, 1), EXAMPLE_INTS(5, 5)}, -1, 1, 0},
                 {{F32(2, 4, 3, 3), F32(4, 3, 4, 4)}, 2, {CONV_ATTRS(2, 2, 1, 1, 1, 1, 1), EXAMPLE_INTS(6, 7)}, -1, 1, 0},
                 {{F32(1, 2, 7, 3), F32(2, 2, 3, 2)}, 2, {CONV_ATTRS(1, 2, 2, 0, 2, 3, 1), EXAMPLE_INTS(7, 8)}, -1, 1, 0},
                 {{F32(1, 6, 3, 2), F32(6, 2, 3, 3)}, 2, {CONV_ATTRS(2, 2, 1, 1, 1, 1, 2), EXAMPLE_INTS(5, 4)}, -1, 1, 0},
                 {{F32(2, 1, 1, 2), F32(1, 3, 1, 4)}, 2, {CONV_ATTRS(4, 4, 0, 0, 1, 1, 1), EXAMPLE_INTS(1, 9)}, -1, 1, 0},
                 {{F32(3, 5, 4, 4), F32(5, 7, 1, 1)}, 2, {CONV_ATTRS(1, 1, 0, 0, 1, 1, 1), EXAMPLE_INTS(4, 4)}, -1, 1, 0}},
};

const OpDef op_conv2d_weight = {
    .name = "conv2d_weight",
    .summary = "conv2d's gradient by its weight, of the whole batch or by slices of it",
    .op_class = CLASS_CONTRACT,
    .arg_count = 2,
    .infer = infer_conv2d_weight,
    .vjp = vjp_conv2d_weight,
    .reference = reference_conv2d_weight,
    .example_count = 7,
    .examples = {{{F32(2, 3, 5, 5), F32(2, 4, 5, 5)}, 2, {CONV_ATTRS(1, 1, 1, 1, 1, 1, 1), EXAMPLE_INTS(3, 3), EXAMPLE_INT(1)}, -1, 1, 0},
                 {{F32(2, 3, 6, 7), F32(2, 4, 3, 3)}, 2, {CONV_ATTRS(2, 2, 1, 1, 1, 1, 1), EXAMPLE_INTS(4, 4), EXAMPLE_INT(1)}, -1, 1, 0},
                 {{F32(1, 2, 7, 8), F32(1, 2, 7, 3)}, 2, {CONV_ATTRS(1, 2, 2, 0, 2, 3, 1), EXAMPLE_INTS(3, 2), EXAMPLE_INT(1)}, -1, 1, 0},
                 {{F32(2, 4, 5, 4), F32(2, 6, 5, 4)}, 2, {CONV_ATTRS(1, 1, 1, 1, 1, 1, 2), EXAMPLE_INTS(3, 3), EXAMPLE_INT(1)}, -1, 1, 0},
                 {{F32(4, 2, 4, 4), F32(4, 3, 2, 2)}, 2, {CONV_ATTRS(2, 2, 1, 1, 1, 1, 1), EXAMPLE_INTS(3, 3), EXAMPLE_INT(2)}, -1, 1, 0},
                 {{F32(2, 3, 1, 9), F32(2, 1, 1, 2)}, 2, {CONV_ATTRS(4, 4, 0, 0, 1, 1, 1), EXAMPLE_INTS(1, 4), EXAMPLE_INT(1)}, -1, 1, 0},
                 {{F32(3, 5, 4, 4), F32(3, 7, 4, 4)}, 2, {CONV_ATTRS(1, 1, 0, 0, 1, 1, 1), EXAMPLE_INTS(1, 1), EXAMPLE_INT(1)}, -1, 1, 0}},
};
