// Functions of images: padding, pools, sizes, patches.
#include "compiler/layers/build.h"
#include "compiler/read/function_impl.h"
#include "compiler/read/stage.h"
#include <math.h>

Datum function_pad(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_tensor(reader, name, args[0]);
    if (!x.id)
        return datum_error();
    Type type = graph_type(graph, x);
    if (args[1].kind != DATUM_LIST || args[1].list->items.count > type.rank)
        return reader_error(reader, "%s: a list of [low, high] for at most the %u axes of %s expected", name, type.rank,
                            type_text(reader->arena, &type));
    uint32_t count = args[1].list->items.count;
    BorderMode mode = args[2].kind == DATUM_TEXT ? border_find(args[2].text) : BORDER_ZEROS;
    int64_t low[MAX_RANK] = {0}, high[MAX_RANK] = {0};
    for (uint32_t i = 0; i < count; i++) {
        int64_t pair[2];
        uint32_t axis = type.rank - count + i, pair_count;
        if (!argument_integers(reader, name, "pads", args[1].list->items.items[i], 2, pair, &pair_count))
            return datum_error();
        if (pair_count != 2)
            return reader_error(reader, "%s: [low, high] expected for each axis", name);
        int64_t start = pair[0] < 0 ? -pair[0] : 0, stop = type.dims[axis] + (pair[1] < 0 ? pair[1] : 0);
        if (start >= stop)
            return reader_error(reader, "%s: [%lld, %lld] leaves nothing of axis %u of %s", name, (long long)pair[0], (long long)pair[1],
                                axis, type_text(reader->arena, &type));
        x = build_slice(graph, x, axis, start, stop, 1);
        low[axis] = pair[0] > 0 ? pair[0] : 0;
        high[axis] = pair[1] > 0 ? pair[1] : 0;
    }
    if (mode == BORDER_ZEROS)
        return datum_tensor(build_pad(graph, x, low, high, NULL));
    const char *problem = NULL;
    for (uint32_t axis = type.rank - count; axis < type.rank && !problem; axis++)
        x = border_pad(graph, x, axis, low[axis], high[axis], mode, &problem);
    return problem ? reader_error(reader, "%s: %s", name, problem) : datum_tensor(x);
}

// One integer, or of images two; `is_line`: of [n, c, w], which is an image of height 1.
static bool sizes_of(Reader *reader, const char *name, const char *what, Datum arg, bool is_line, int64_t low, const int64_t fallback[2],
                     int64_t out[2]) {
    uint32_t count = 2;
    out[0] = fallback[0];
    out[1] = fallback[1];
    if (arg.kind == DATUM_NONE)
        return true;
    if (arg.kind == DATUM_LIST && arg.list->items.count && arg.list->items.items[0].kind == DATUM_LIST) {
        bool is_mean = text_starts_with(name, "avg") && !strcmp(what, "pad"); // of the largest, padding is no 0
        reader_error(reader, "%s: \"%s\" is %s%s", name, what, is_line ? "one integer" : "one integer, or a list of two (height, width)",
                     is_mean ? "; sides that differ are given by pad(x, [[low, high], …])" : "");
        return false;
    }
    if (!argument_integers(reader, name, what, arg, is_line ? 1 : 2, out, &count))
        return false;
    if (count == 1)
        out[1] = out[0];
    if (count == 0 || out[0] < low || out[1] < low || out[0] > 65535 || out[1] > 65535) {
        reader_error(
            reader, is_line ? "%s: \"%s\" is one integer of at least %lld" : "%s: \"%s\" is one integer of at least %lld, or a list of two",
            name, what, (long long)low);
        return false;
    }
    if (is_line)
        out[0] = low;
    return true;
}

static bool truth_of(Reader *reader, const char *name, const char *what, Datum arg, bool fallback, bool *out) {
    *out = arg.kind == DATUM_NONE ? fallback : is_static_number(arg) && datum_double(arg) != 0;
    if (arg.kind == DATUM_NONE || is_static_number(arg))
        return true;
    reader_error(reader, "%s: \"%s\" is true or false, known when compiling, not %s", name, what, datum_word(reader, arg));
    return false;
}

// A pool of [n, c, w] is one of images of height 1.
Datum function_pool(Reader *reader, const char *name, const Datum *args) {
    static const int64_t one[2] = {1, 1}, zero[2] = {0, 0};
    Graph *graph = reader->stage->graph;
    Value x = argument_float(reader, name, args[0]), y;
    int64_t size[2], stride[2], pad[2];
    if (!x.id)
        return datum_error();
    bool is_max = text_starts_with(name, "max"), is_line = text_ends_with(name, "1d"), counts_pad = true;
    Type type = graph_type(graph, x);
    if (type.rank != (is_line ? 3 : 4))
        return reader_error(reader, is_line ? "%s: [n, c, w] expected, not %s" : "%s: an image [n, c, h, w] expected, not %s", name,
                            type_text(reader->arena, &type));
    if (!sizes_of(reader, name, "kernel", args[1], is_line, 1, one, size) ||
        !sizes_of(reader, name, "stride", args[2], is_line, 1, size, stride) ||
        !sizes_of(reader, name, "pad", args[3], is_line, 0, zero, pad) ||
        (!is_max && !truth_of(reader, name, "count_include_pad", args[4], true, &counts_pad)))
        return datum_error();
    const char *problem = NULL;
    if (is_line)
        x = build_reshape(graph, x, 4, (uint32_t[]){type.dims[0], type.dims[1], 1, type.dims[2]});
    y = is_max ? pool_max(graph, x, size, stride, pad, &problem) : pool_average(graph, x, size, stride, pad, counts_pad, &problem);
    if (problem)
        return reader_error(reader, "%s of %s: %s", name, type_text(reader->arena, &type), problem);
    type.dims[type.rank - 1] = graph_type(graph, y).dims[3];
    return datum_tensor(is_line ? build_reshape(graph, y, 3, type.dims) : y);
}

Datum function_image(Reader *reader, const char *name, const Datum *args) {
    static const int64_t one[2] = {1, 1};
    Graph *graph = reader->stage->graph;
    Value x = argument_float(reader, name, args[0]);
    int64_t size[2];
    if (!x.id)
        return datum_error();
    Type type = graph_type(graph, x);
    bool is_shuffle = !strcmp(name, "pixel_shuffle"), is_unshuffle = !strcmp(name, "pixel_unshuffle");
    if (type.rank != 4)
        return reader_error(reader, "%s: an image [n, c, h, w] expected, not %s", name, type_text(reader->arena, &type));
    if (!sizes_of(reader, name, "factor", args[1], false, 1, one, size))
        return datum_error();
    if (!is_shuffle && !is_unshuffle)
        return datum_tensor(pool_upsample(graph, x, size));
    int64_t f = size[0];
    if (size[1] != f || (is_shuffle ? type.dims[1] % (f * f) : type.dims[2] % f || type.dims[3] % f))
        return reader_error(reader,
                            is_shuffle ? "%s: factor %lld needs a multiple of its square as channels, not %s"
                                       : "%s: factor %lld does not divide height and width of %s",
                            name, (long long)f, type_text(reader->arena, &type));
    return datum_tensor(is_shuffle ? pool_shuffle(graph, x, (uint32_t)f) : pool_unshuffle(graph, x, (uint32_t)f));
}

// ---- patches

Datum function_patchify(Reader *reader, const char *name, const Datum *args) {
    static const int64_t one[2] = {1, 1};
    Graph *graph = reader->stage->graph;
    Value x = argument_float(reader, name, args[0]);
    int64_t size[2];
    if (!x.id)
        return datum_error();
    Type type = graph_type(graph, x);
    if (type.rank != 4)
        return reader_error(reader, "%s: an image [n, c, h, w] expected, not %s", name, type_text(reader->arena, &type));
    if (!sizes_of(reader, name, "size", args[1], false, 1, one, size))
        return datum_error();
    if (type.dims[2] % size[0] || type.dims[3] % size[1])
        return reader_error(reader, "%s: patches of %lld x %lld do not divide %s", name, (long long)size[0], (long long)size[1],
                            type_text(reader->arena, &type));
    return datum_tensor(pool_patches(graph, x, size));
}

// Without a grid it is a square one.
Datum function_unpatchify(Reader *reader, const char *name, const Datum *args) {
    static const int64_t one[2] = {1, 1};
    Graph *graph = reader->stage->graph;
    Value x = argument_float(reader, name, args[0]);
    int64_t size[2], grid[2];
    if (!x.id)
        return datum_error();
    Type type = graph_type(graph, x);
    if (type.rank != 3)
        return reader_error(reader, "%s: patches [n, count, c h w] expected, not %s", name, type_text(reader->arena, &type));
    int64_t side = llround(sqrt(type.dims[1])), square[2] = {side, side};
    if (!sizes_of(reader, name, "size", args[1], false, 1, one, size) || !sizes_of(reader, name, "grid", args[2], false, 1, square, grid))
        return datum_error();
    if (grid[0] * grid[1] != type.dims[1])
        return reader_error(reader, "%s: a grid of %lld x %lld is not the %u patches of %s%s", name, (long long)grid[0], (long long)grid[1],
                            type.dims[1], type_text(reader->arena, &type),
                            args[2].kind == DATUM_NONE ? "; say how many rows and columns: \"grid\"" : "");
    if (type.dims[2] % (size[0] * size[1]))
        return reader_error(reader, "%s: patches of %lld x %lld pixels do not divide the %u numbers of each of %s", name,
                            (long long)size[0], (long long)size[1], type.dims[2], type_text(reader->arena, &type));
    return datum_tensor(pool_unpatches(graph, x, size, grid));
}

// ---- resize

typedef struct {
    uint32_t axes; // the last ones of x
    uint32_t out[MAX_RANK];
    double scale[MAX_RANK]; // pixels of x for one of the result
    ResizeMode mode;
    bool antialias;
} Resize;

static bool read_size(Reader *reader, const char *name, Datum size, const uint32_t *in, Resize *resize) {
    int64_t given[MAX_RANK];
    uint32_t count;
    if (!argument_integers(reader, name, "size", size, MAX_RANK, given, &count))
        return false;
    bool fits = count == 1 || count == resize->axes;
    for (uint32_t i = 0; fits && i < resize->axes; i++) {
        int64_t one = given[count == 1 ? 0 : i];
        fits = one >= 1 && one <= 65535;
        resize->out[i] = (uint32_t)one;
        resize->scale[i] = (double)in[i] / (double)one;
    }
    if (!fits)
        reader_error(reader, "%s: \"size\" is one integer of 1 to 65535, or a list of %u", name, resize->axes);
    return fits;
}

static bool read_factor(Reader *reader, const char *name, Datum factor, const uint32_t *in, Resize *resize) {
    uint32_t count = factor.kind == DATUM_LIST ? factor.list->items.count : 1;
    bool fits = count == 1 || count == resize->axes;
    for (uint32_t i = 0; fits && i < resize->axes; i++) {
        Datum one = factor.kind == DATUM_LIST ? factor.list->items.items[count == 1 ? 0 : i] : factor;
        double number = is_static_number(one) ? datum_double(one) : 0, out = floor(in[i] * number);
        fits = number > 0 && out >= 1 && out <= 65535;
        resize->out[i] = fits ? (uint32_t)out : 1;
        bool is_whole = resize->mode == RESIZE_AREA || fabs(resize->out[i] / number - in[i]) < 1e-9 * in[i];
        resize->scale[i] = is_whole ? (double)in[i] / resize->out[i] : 1 / number;
    }
    if (!fits)
        reader_error(reader, "%s: \"factor\" is one number, or a list of %u, that are known when compiling and leave 1 to 65535 pixels",
                     name, resize->axes);
    return fits;
}

// Of the pixels as they are: repeated, every so many-th, or chosen by an index.
static Value nearest(Reader *reader, Value x, uint32_t axis, uint32_t out, double scale) {
    Graph *graph = reader->stage->graph;
    Type type = graph_type(graph, x);
    uint32_t in = type.dims[axis], order[MAX_RANK], rank = type.rank, dims[MAX_RANK];
    if (in % out == 0 && scale == in / out)
        return build_slice(graph, x, axis, 0, (int64_t)(out - 1) * (in / out) + 1, in / out);
    memcpy(dims, type.dims, sizeof dims);
    dims[axis] = out;
    if (out % in == 0 && fabs(scale * out - in) < 1e-9 * in && rank < MAX_RANK) {
        uint32_t split[MAX_RANK] = {0}, wide[MAX_RANK] = {0};
        for (uint32_t i = 0; i <= rank; i++) {
            split[i] = i <= axis ? type.dims[i] : i == axis + 1 ? 1 : type.dims[i - 1];
            wide[i] = i == axis + 1 ? out / in : split[i];
        }
        return build_reshape(graph, build_broadcast_dims(graph, build_reshape(graph, x, rank + 1, split), rank + 1, wide), rank, dims);
    }
    double *index = ARENA_NEW(reader->arena, double, out);
    for (uint32_t i = 0; i < out; i++)
        index[i] = resize_source(in, out, scale, i);
    Value rows = build_cast(
        graph, table_internal(reader, arena_format(reader->arena, "nearest %u to %u by %.17g", in, out, scale), index, out), DTYPE_I32);
    for (uint32_t i = 0; i < rank; i++)
        order[i] = i == 0 ? axis : i == axis ? 0 : i; // its own inverse
    return build_transpose(graph, build_gather(graph, build_transpose(graph, x, order), rows), order);
}

static Value resized(Reader *reader, const char *name, Value x, uint32_t axis, uint32_t out, double scale, const Resize *resize) {
    enum { WEIGHTS_MAX = 1 << 24 };
    Graph *graph = reader->stage->graph;
    uint32_t in = graph_type(graph, x).dims[axis];
    bool is_linear = resize->mode == RESIZE_BILINEAR && !resize->antialias;
    if (in == out && (scale == 1 || is_linear)) // as PyTorch has it: of 4 pixels by 1.2 are 4, which are these
        return x;
    if (resize->mode == RESIZE_NEAREST)
        return nearest(reader, x, axis, out, scale);
    const char *label =
        arena_format(reader->arena, "resize %d%s %u to %u by %.17g", (int)resize->mode, resize->antialias ? "a" : "", in, out, scale);
    if (resize_is_periodic(reader->arena, in, out, scale, resize->mode, resize->antialias)) {
        Value y = resize_periodic(graph, x, axis, out, scale, resize->mode, resize->antialias);
        if (!resize->antialias)
            return y;
        Value norms = table_internal(reader, arena_format(reader->arena, "norms of %s", label),
                                     resize_norms(reader->arena, in, out, scale, resize->mode), out);
        uint32_t dims[MAX_RANK] = {1, 1, 1, 1, 1, 1};
        dims[axis] = out;
        return build_binary(graph, OP_mul, y, build_reshape(graph, norms, graph_type(graph, y).rank, dims));
    }
    if ((uint64_t)in * out > WEIGHTS_MAX) {
        reader_error(reader, "%s: %u pixels from %u take more than %s weights", name, out, in, text_thousands(reader->arena, WEIGHTS_MAX));
        return (Value){0};
    }
    double *weights = resize_weights(reader->arena, in, out, scale, resize->mode, resize->antialias);
    return resize_axis(graph, x, axis, build_reshape(graph, table_internal(reader, label, weights, in * out), 2, (uint32_t[]){out, in}));
}

// Axis by axis, those that shrink first.
Datum function_resize(Reader *reader, const char *name, const Datum *args) {
    Value x = argument_float(reader, name, args[0]);
    if (!x.id)
        return datum_error();
    Type type = graph_type(reader->stage->graph, x);
    Resize resize = {.axes = type.rank - 2u, .mode = args[3].kind == DATUM_TEXT ? resize_find(args[3].text) : RESIZE_BILINEAR};
    if (type.rank < 3 || type.rank > 5)
        return reader_error(reader, "%s: [n, c, w], [n, c, h, w] or [n, c, d, h, w] expected, not %s", name,
                            type_text(reader->arena, &type));
    if ((args[1].kind == DATUM_NONE) == (args[2].kind == DATUM_NONE))
        return reader_error(reader, "%s: one of \"size\" and \"factor\" expected", name);
    if (!truth_of(reader, name, "antialias", args[4], false, &resize.antialias) ||
        !(args[1].kind == DATUM_NONE ? read_factor(reader, name, args[2], type.dims + 2, &resize)
                                     : read_size(reader, name, args[1], type.dims + 2, &resize)))
        return datum_error();
    if (resize.antialias && resize.mode != RESIZE_BILINEAR && resize.mode != RESIZE_BICUBIC)
        return reader_error(reader, "%s: \"antialias\" is for bilinear and bicubic", name);
    bool is_done[MAX_RANK] = {false};
    for (uint32_t k = 0; k < resize.axes && x.id; k++) {
        uint32_t next = resize.axes;
        for (uint32_t i = resize.axes; i-- > 0;)
            if (!is_done[i] && (next == resize.axes || resize.scale[i] > resize.scale[next]))
                next = i;
        is_done[next] = true;
        x = resized(reader, name, x, next + 2, resize.out[next], resize.scale[next], &resize);
    }
    return datum_tensor(x);
}
