// Padding whose values come from the tensor itself: views, so that gradients flow back into what was repeated.
#include "compiler/layers/build.h"

static const char *const words[] = {"zeros", "reflect", "replicate", "circular"};

BorderMode border_find(const char *word) {
    uint32_t mode = 0;
    while (mode < sizeof words / sizeof *words && strcmp(words[mode], word))
        mode++;
    return (BorderMode)mode;
}

// `count` elements before the first of the axis, or after the last.
static Value outside(Graph *graph, Value x, uint32_t axis, int64_t count, BorderMode mode, bool is_after) {
    Type type = graph_type(graph, x);
    int64_t extent = type.dims[axis];
    switch (mode) {
    case BORDER_REFLECT: {
        int64_t start = is_after ? extent - 1 - count : 1;
        return build_flip(graph, build_slice(graph, x, axis, start, start + count, 1), (int64_t[]){axis}, 1);
    }
    case BORDER_REPLICATE: {
        Value edge = is_after ? build_slice(graph, x, axis, extent - 1, extent, 1) : build_slice(graph, x, axis, 0, 1, 1);
        type.dims[axis] = (uint32_t)count;
        return build_broadcast(graph, edge, &type);
    }
    case BORDER_CIRCULAR:
        return is_after ? build_slice(graph, x, axis, 0, count, 1) : build_slice(graph, x, axis, extent - count, extent, 1);
    case BORDER_ZEROS:
        break;
    }
    type.dims[axis] = (uint32_t)count;
    return build_full(graph, &type, 0);
}

Value border_pad(Graph *graph, Value x, uint32_t axis, int64_t low, int64_t high, BorderMode mode, const char **problem) {
    if (!x.id || (!low && !high))
        return x;
    Type type = graph_type(graph, x);
    if (mode == BORDER_ZEROS) {
        int64_t before[MAX_RANK] = {0}, after[MAX_RANK] = {0};
        before[axis] = low;
        after[axis] = high;
        return build_pad(graph, x, before, after, NULL);
    }
    int64_t most = mode == BORDER_REFLECT    ? type.dims[axis] - 1ll
                   : mode == BORDER_CIRCULAR ? type.dims[axis]
                                             : INT32_MAX,
            more = low > high ? low : high;
    if (more > most) {
        *problem = arena_format(graph->arena, "a padding of %lld by \"%s\" is too wide for axis %u of %s: at most %lld", (long long)more,
                                words[mode], axis, type_text(graph->arena, &type), (long long)most);
        return (Value){0};
    }
    Value parts[3];
    uint32_t count = 0;
    if (low)
        parts[count++] = outside(graph, x, axis, low, mode, false);
    parts[count++] = x;
    if (high)
        parts[count++] = outside(graph, x, axis, high, mode, true);
    return build_concat(graph, parts, count, axis);
}
