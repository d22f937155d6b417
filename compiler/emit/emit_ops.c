// What each class of op means as GLSL: maps are expressions, views change the index, sources are read or computed from the index.
#include "compiler/emit/emitter.h"
#include "runtime/base/random.h"

// One evaluation a lane, for what a vec4 cannot say.
static Code emit_by_lane(Emitter *emitter, Value value, const Index *index) {
    Type type = graph_type(emitter->graph, value);
    const char *parts[4];
    for (int lane = 0; lane < 4; lane++) {
        Index one[MAX_RANK];
        for (uint32_t axis = 0; axis < type.rank; axis++)
            one[axis] = index_substitute(emitter->pool, index[axis], emitter->lane_atom, index_constant(lane));
        parts[lane] = emit_value(emitter, value, one).text;
    }
    return emit_register(
        emitter, value, type.dtype, true,
        arena_format(emitter->arena, "%s(%s, %s, %s, %s)", glsl_type(type.dtype, true), parts[0], parts[1], parts[2], parts[3]));
}

enum { EMIT_DEPTH_MAX = 128 }; // values within one another; longer chains of maps are emitted from below

static bool any_lane(const Emitter *emitter, const Index *index, uint32_t rank) {
    for (uint32_t axis = 0; axis < rank; axis++)
        if (index_mentions(index[axis], emitter->lane_atom))
            return true;
    return false;
}

// ---- maps

static const char *fill(Emitter *emitter, const char *glsl, const Code *args, const char *component) {
    Text text = text_create(emitter->arena);
    for (const char *at = glsl; *at; at++) {
        if (*at == '$' && at[1] >= 'x' && at[1] <= 'z') {
            const Code *arg = &args[at[1] - 'x'];
            text_append(&text, arg->text);
            if (arg->is_vector)
                text_append(&text, component);
            at++;
        } else {
            text_append_bytes(&text, at, 1);
        }
    }
    return text.data;
}

// Compilers fold products and quotients of a zero whatever stands beside it, infinities and NaN too.
static bool folds_zeros(const Node *node) {
    return node->type.dtype == DTYPE_F32 && op_def(node->op)->glsl_folds;
}

static Code map_argument(Emitter *emitter, const Node *node, uint32_t i, const Index *index) {
    double number;
    if (folds_zeros(node) && is_constant(emitter->graph, node->args[i], &number) && (float)number == 0)
        return (Code){emit_special(emitter, number), DTYPE_F32, false};
    return emit_value(emitter, node->args[i], index);
}

static Code emit_map(Emitter *emitter, Value value, const Index *index) {
    const Node *node = graph_node(emitter->graph, value);
    const OpDef *def = op_def(node->op);
    Code args[3] = {0};
    bool is_vector = false;
    for (uint32_t i = 0; i < node->arg_count; i++) {
        args[i] = map_argument(emitter, node, i, index);
        is_vector |= args[i].is_vector;
    }
    if (def->glsl_helper)
        emit_functions(emitter, def->glsl_helper);
    DType dtype = node->type.dtype;
    if (!is_vector || !def->glsl_scalar) {
        if (is_vector)
            for (uint32_t i = 0; i < node->arg_count; i++)
                args[i] = emit_vector(emitter, args[i]);
        return emit_register(emitter, value, dtype, is_vector, fill(emitter, def->glsl, args, ""));
    }
    return emit_register(emitter, value, dtype, true,
                         arena_format(emitter->arena, "%s(%s, %s, %s, %s)", glsl_type(dtype, true), fill(emitter, def->glsl, args, ".x"),
                                      fill(emitter, def->glsl, args, ".y"), fill(emitter, def->glsl, args, ".z"),
                                      fill(emitter, def->glsl, args, ".w")));
}

// ---- views

static Code emit_broadcast(Emitter *emitter, const Node *node, const Index *index) {
    const Type arg = graph_type(emitter->graph, node->args[0]);
    Index inner[MAX_RANK];
    for (uint32_t axis = 0; axis < arg.rank; axis++)
        inner[axis] = arg.dims[axis] == 1 ? index_constant(0) : index[node->type.rank - arg.rank + axis];
    return emit_value(emitter, node->args[0], inner);
}

// Axes first … last of `to` from axes of `from` of the same product.
static void reshape_segment(Emitter *emitter, const Type *from, uint32_t first, uint32_t last, const Index *index, const Type *to, uint32_t to_first, uint32_t to_last,
                            Index *out) {
    Index linear = index_constant(0);
    uint32_t wide = 0, to_wide = 0;
    for (uint32_t axis = first; axis < last; axis++)
        wide += from->dims[axis] > 1;
    for (uint32_t axis = to_first; axis < to_last; axis++)
        to_wide += to->dims[axis] > 1;
    for (uint32_t axis = first; axis < last; axis++)
        if (from->dims[axis] > 1)
            linear = index_add(emitter->pool, index_scale(emitter->pool, linear, from->dims[axis]), index[axis]);
    bool direct = wide == 1 && to_wide == 1; // the same axis: no remainder, which padding lanes would keep from vanishing
    for (uint32_t axis = to_last; axis-- > to_first;) {
        if (to->dims[axis] == 1) {
            out[axis] = index_constant(0);
        } else if (direct) {
            out[axis] = linear;
        } else {
            out[axis] = --to_wide ? index_modulo(emitter->pool, linear, to->dims[axis]) : linear;
            linear = index_divide(emitter->pool, linear, to->dims[axis]);
        }
    }
}

// A reshape falls into segments of axes with equal products; only inside one are indices mixed.
static Code emit_reshape(Emitter *emitter, const Node *node, const Index *index) {
    const Type arg = graph_type(emitter->graph, node->args[0]);
    Index inner[MAX_RANK];
    uint32_t a = 0, b = 0;
    while (a < node->type.rank || b < arg.rank) {
        uint32_t first = a, to_first = b;
        uint64_t have = 1, want = 1;
        do {
            if (have <= want && a < node->type.rank)
                have *= node->type.dims[a++];
            else if (b < arg.rank)
                want *= arg.dims[b++];
            else
                have *= node->type.dims[a++];
        } while (have != want || (a == first && b == to_first));
        reshape_segment(emitter, &node->type, first, a, index, &arg, to_first, b, inner);
    }
    return emit_value(emitter, node->args[0], inner);
}

static Code emit_transpose(Emitter *emitter, const Node *node, const Index *index) {
    Index inner[MAX_RANK];
    for (uint32_t axis = 0; axis < node->type.rank; axis++)
        inner[attr_of(node, ATTR_order)->ints[axis]] = index[axis];
    return emit_value(emitter, node->args[0], inner);
}

static Code emit_slice(Emitter *emitter, const Node *node, const Index *index) {
    Index inner[MAX_RANK];
    for (uint32_t axis = 0; axis < node->type.rank; axis++)
        inner[axis] = index_add_constant(emitter->pool, index_scale(emitter->pool, index[axis], attr_of(node, ATTR_steps)->ints[axis]),
                                         attr_of(node, ATTR_starts)->ints[axis]);
    return emit_value(emitter, node->args[0], inner);
}

static Code emit_flip(Emitter *emitter, const Node *node, const Index *index) {
    Index inner[MAX_RANK];
    for (uint32_t axis = 0; axis < node->type.rank; axis++)
        inner[axis] = index[axis];
    for (uint32_t i = 0; i < attr_of(node, ATTR_axes)->count; i++) {
        int64_t axis = attr_of(node, ATTR_axes)->ints[i];
        inner[axis] = index_add_constant(emitter->pool, index_scale(emitter->pool, index[axis], -1), (int64_t)node->type.dims[axis] - 1);
    }
    return emit_value(emitter, node->args[0], inner);
}

// The index without its lane where that is lane + a multiple of 4, so that four lanes share one decision about a border at multiples of 4.
static bool aligned_lane(Emitter *emitter, Index index, Index *first) {
    int64_t stride;
    return index_split(emitter->pool, index, emitter->lane_atom, &stride, first) && stride == 1 && index_is_multiple(*first, 4);
}

// `condition ? inside : outside` for one scalar condition.
static Code emit_choice(Emitter *emitter, Value value, const char *condition, Code inside, Code outside) {
    DType dtype = graph_type(emitter->graph, value).dtype;
    bool is_vector = inside.is_vector || outside.is_vector;
    if (is_vector) {
        inside = emit_vector(emitter, inside);
        outside = emit_vector(emitter, outside);
    }
    return emit_register(emitter, value, dtype, is_vector,
                         arena_format(emitter->arena, "%s ? %s : %s", condition, inside.text, outside.text));
}

static Code emit_pad(Emitter *emitter, Value value, const Index *index) {
    const Node *node = graph_node(emitter->graph, value);
    const Type arg = graph_type(emitter->graph, node->args[0]);
    Index inner[MAX_RANK];
    Text condition = text_create(emitter->arena);
    for (uint32_t axis = 0; axis < arg.rank; axis++) {
        int64_t low = attr_of(node, ATTR_low)->ints[axis], step = attr_of(node, ATTR_interior)->ints[axis] + 1, extent = arg.dims[axis];
        inner[axis] = index[axis];
        if (extent == node->type.dims[axis])
            continue;
        Index from = index_add_constant(emitter->pool, index[axis], -low), first = from;
        int64_t lowest, highest;
        bool by_lane = index_mentions(from, emitter->lane_atom);
        if (by_lane && (step != 1 || low % 4 || extent % 4 || !aligned_lane(emitter, from, &first)))
            return emit_by_lane(emitter, value, index);
        index_bounds(first, &lowest, &highest);
        const char *at = emit_index(emitter, first), *name = emit_name(emitter, "i");
        emit_line(emitter, "int %s = %s;", name, at);
        const char *joint = condition.length ? " && " : "";
        if (lowest < 0) {
            text_format(&condition, "%s%s >= 0", joint, name);
            joint = " && ";
        }
        if (highest >= extent * step - (step - 1)) {
            text_format(&condition, "%s%s < %lld", joint, name, (long long)(extent * step - (step - 1)));
            joint = " && ";
        }
        if (step > 1)
            text_format(&condition, "%s%s %% %lld == 0", joint, name, (long long)step);
        int64_t last = by_lane ? extent - 4 : extent - 1;
        const char *inside = step > 1 ? arena_format(emitter->arena, "clamp(%s / %lld, 0, %lld)", name, (long long)step, (long long)last)
                                      : arena_format(emitter->arena, "clamp(%s, 0, %lld)", name, (long long)last);
        if (by_lane) {
            Index quarter = emit_opaque_index(emitter, arena_format(emitter->arena, "(%s) / 4", inside), 0, last / 4);
            inner[axis] = index_add(emitter->pool, index_scale(emitter->pool, quarter, 4), emitter->lane);
        } else {
            inner[axis] = emit_opaque_index(emitter, inside, 0, last);
        }
    }
    Code code = emit_value(emitter, node->args[0], inner);
    if (!condition.length)
        return code;
    Code zero = {glsl_number(emitter->arena, arg.dtype, 0), arg.dtype, false};
    return emit_choice(emitter, value, condition.data, code, zero);
}

static Code emit_concat(Emitter *emitter, Value value, const Index *index) {
    const Node *node = graph_node(emitter->graph, value);
    int64_t axis = attr_of(node, ATTR_axis)->integer, offset = 0, lowest, highest;
    Index first = index[axis];
    bool by_lane = index_mentions(index[axis], emitter->lane_atom);
    if (by_lane && !aligned_lane(emitter, index[axis], &first))
        return emit_by_lane(emitter, value, index);
    for (uint32_t part = 0; by_lane && part + 1 < node->arg_count; part++)
        if (graph_type(emitter->graph, node->args[part]).dims[axis] % 4)
            return emit_by_lane(emitter, value, index);
    index_bounds(first, &lowest, &highest);
    Code code = {0};
    for (uint32_t part = 0; part < node->arg_count; part++) {
        int64_t extent = graph_type(emitter->graph, node->args[part]).dims[axis];
        bool before = lowest >= offset + extent, after = part > 0 && highest < offset; // a lane beyond a flipped axis is below all
        if (!(before && part + 1 < node->arg_count) && !after) {
            Index inner[MAX_RANK];
            for (uint32_t i = 0; i < node->type.rank; i++)
                inner[i] = index[i];
            inner[axis] = index_add_constant(emitter->pool, index[axis], -offset);
            if (lowest < offset || highest >= offset + extent) {
                int64_t last = by_lane ? (extent + 3) / 4 - 1 : extent - 1;
                const char *local = emit_index(emitter, index_add_constant(emitter->pool, first, -offset));
                Index clamped = emit_opaque_index(
                    emitter,
                    arena_format(emitter->arena, by_lane ? "clamp((%s) / 4, 0, %lld)" : "clamp(%s, 0, %lld)", local, (long long)last), 0,
                    last);
                inner[axis] = by_lane ? index_add(emitter->pool, index_scale(emitter->pool, clamped, 4), emitter->lane) : clamped;
            }
            Code mine = emit_value(emitter, node->args[part], inner);
            if (code.text)
                code = emit_choice(emitter, value,
                                   arena_format(emitter->arena, "%s >= %lld", emit_index(emitter, first), (long long)offset), mine, code);
            else
                code = mine;
        }
        offset += extent;
    }
    return code;
}

static Code emit_gather(Emitter *emitter, Value value, const Index *index) {
    const Node *node = graph_node(emitter->graph, value);
    const Type data = graph_type(emitter->graph, node->args[0]), chosen = graph_type(emitter->graph, node->args[1]);
    if (any_lane(emitter, index, chosen.rank))
        return emit_by_lane(emitter, value, index);
    Code row = emit_value(emitter, node->args[1], index);
    Index inner[MAX_RANK];
    inner[0] = emit_opaque_index(emitter, arena_format(emitter->arena, "clamp(int(%s), 0, %u)", row.text, data.dims[0] - 1), 0,
                                 (int64_t)data.dims[0] - 1);
    for (uint32_t axis = 1; axis < data.rank; axis++)
        inner[axis] = index[chosen.rank + axis - 1];
    return emit_value(emitter, node->args[0], inner);
}

static Code emit_take_along(Emitter *emitter, Value value, const Index *index) {
    const Node *node = graph_node(emitter->graph, value);
    if (any_lane(emitter, index, node->type.rank))
        return emit_by_lane(emitter, value, index);
    uint32_t axis = (uint32_t)attr_of(node, ATTR_axis)->integer, size = graph_type(emitter->graph, node->args[0]).dims[axis];
    Index inner[MAX_RANK];
    for (uint32_t i = 0; i < node->type.rank; i++)
        inner[i] = index[i];
    Code place = emit_value(emitter, node->args[1], index);
    inner[axis] = emit_opaque_index(emitter, arena_format(emitter->arena, "clamp(int(%s), 0, %u)", place.text, size - 1), 0, (int64_t)size - 1);
    return emit_value(emitter, node->args[0], inner);
}

// Element `place` of the order, and the number that stands there.
static const char *emit_key(Emitter *emitter, const Node *node, Index *index, const char *place, const char **element) {
    uint32_t last = node->type.rank - 1u, size = node->type.dims[last];
    index[last] = emit_opaque_index(emitter, place, 0, (int64_t)size - 1);
    *element = emit_value(emitter, node->args[1], index).text;
    index[last] = emit_opaque_index(emitter, arena_format(emitter->arena, "clamp(%s, 0, %u)", *element, size - 1), 0, (int64_t)size - 1);
    return emit_value(emitter, node->args[0], index).text;
}

// See the reference: a bisection for how many elements before this one are of the left block.
static Code emit_merge(Emitter *emitter, Value value, const Index *index) {
    const Node *node = graph_node(emitter->graph, value);
    if (any_lane(emitter, index, node->type.rank))
        return emit_by_lane(emitter, value, index);
    Arena *arena = emitter->arena;
    uint32_t last = node->type.rank - 1u, size = node->type.dims[last];
    long long width = (long long)attr_of(node, ATTR_width)->integer;
    const char *at = emit_name(emitter, "at"), *base = emit_name(emitter, "base"), *left = emit_name(emitter, "left"), *right = emit_name(emitter, "right"),
               *low = emit_name(emitter, "low"), *high = emit_name(emitter, "high"), *result = emit_name(emitter, "merged"), *element, *other;
    Index inner[MAX_RANK];
    memcpy(inner, index, sizeof *inner * node->type.rank);
    emit_line(emitter, "int %s = (%s) %% %lld, %s = (%s) - %s;", at, emit_index(emitter, index[last]), 2 * width, base, emit_index(emitter, index[last]), at);
    emit_line(emitter, "int %s = min(%u - %s, %lld), %s = min(%u - %s - %s, %lld);", left, size, base, width, right, size, base, left, width);
    emit_line(emitter, "int %s = max(%s - %s, 0), %s = min(%s, %s), %s = 0;", low, at, right, high, at, left, result);
    EmitScope loop = emit_open(emitter, arena_format(arena, "while (%s < %s) {", low, high));
    const char *middle = emit_name(emitter, "middle");
    emit_line(emitter, "int %s = (%s + %s) / 2;", middle, low, high);
    const char *a = emit_key(emitter, node, inner, arena_format(arena, "%s + %s", base, middle), &element);
    const char *b = emit_key(emitter, node, inner, arena_format(arena, "%s + %s + %s - 1 - %s", base, left, at, middle), &other);
    emit_line(emitter, "if (%s < %s) %s = %s; else %s = %s + 1;", b, a, high, middle, low, middle);
    emit_close(emitter, loop, true);
    EmitScope scope = emit_open(emitter, "{");
    a = emit_key(emitter, node, inner, arena_format(arena, "%s + min(%s, %s - 1)", base, low, left), &element);
    b = emit_key(emitter, node, inner, arena_format(arena, "min(%s + %s + %s - %s, %u)", base, left, at, low, size - 1), &other);
    emit_line(emitter, "bool is_left = %s - %s >= %s || (%s < %s && %s <= %s);", at, low, right, low, left, a, b);
    emit_line(emitter, "%s = is_left ? %s : %s;", result, element, other);
    emit_close(emitter, scope, true);
    return emit_register(emitter, value, DTYPE_I32, false, result);
}

// ---- sources

static Code emit_iota(Emitter *emitter, Value value, const Index *index) {
    const Node *node = graph_node(emitter->graph, value);
    Index at = index[attr_of(node, ATTR_axis)->integer], rest;
    int64_t stride;
    if (!index_split(emitter->pool, at, emitter->lane_atom, &stride, &rest))
        return emit_by_lane(emitter, value, index);
    const char *text = emit_index(emitter, rest);
    if (!stride)
        return emit_register(emitter, value, DTYPE_I32, false, text);
    return emit_register(emitter, value, DTYPE_I32, true,
                         arena_format(emitter->arena, "ivec4(%s) + %lld * ivec4(0, 1, 2, 3)", text, (long long)stride));
}

static Code emit_number(Emitter *emitter, Value value) {
    static const struct {
        const char *name;
        Number word;
    } words[] = {{"step", NUMBER_STEP},
                 {"steps", NUMBER_STEPS},
                 {"epoch", NUMBER_EPOCH},
                 {"epoch_steps", NUMBER_EPOCH_STEPS},
                 {"repetition", NUMBER_REPETITION},
                 {"index", NUMBER_INDEX},
                 {"records", NUMBER_RECORDS}};
    const char *name = attr_of(graph_node(emitter->graph, value), ATTR_name)->text;
    emit_numbers(emitter);
    for (uint32_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i].name, name))
            return emit_register(emitter, value, DTYPE_I32, false, arena_format(emitter->arena, "int(numbers[%d])", (int)words[i].word));
    graph_bug(emitter->graph, value, "an unknown number");
}

static Code emit_random(Emitter *emitter, Value value, const Index *index) {
    const Node *node = graph_node(emitter->graph, value);
    if (any_lane(emitter, index, node->type.rank))
        return emit_by_lane(emitter, value, index);
    emit_numbers(emitter);
    emitter->uses_random = true;
    Index element = index_constant(0);
    for (uint32_t axis = 0; axis < node->type.rank; axis++)
        element = index_add(emitter->pool, index_scale(emitter->pool, element, node->type.dims[axis]), index[axis]);
    uint64_t name = random_name(attr_of(node, ATTR_name)->text);
    const char *words = arena_format(
        emitter->arena, "philox(uvec4(uint(%s), numbers[%d], numbers[%d], 0u), uvec2(numbers[%d] ^ 0x%08xu, numbers[%d] ^ 0x%08xu))",
        emit_index(emitter, element), NUMBER_STEP, NUMBER_REPETITION, NUMBER_SEED_LOW, (uint32_t)name, NUMBER_SEED_HIGH,
        (uint32_t)(name >> 32));
    if (node->op == OP_random_normal)
        return emit_register(emitter, value, DTYPE_F32, false, arena_format(emitter->arena, "normal_of(%s)", words));
    if (node->op == OP_random_uniform)
        return emit_register(emitter, value, DTYPE_F32, false, arena_format(emitter->arena, "uniform_of(%s)", words));
    return emit_register(emitter, value, DTYPE_I32, false,
                         arena_format(emitter->arena, "int(below_of(%s, %lldu))", words, (long long)attr_of(node, ATTR_below)->integer));
}

// ---- any value

static Code emit_node(Emitter *emitter, Value value, const Index *index) {
    const Node *node = graph_node(emitter->graph, value);
    if (op_def(node->op)->op_class == CLASS_MAP)
        return emit_map(emitter, value, index);
    switch ((int)node->op) {
    case OP_broadcast:
        return emit_broadcast(emitter, node, index);
    case OP_reshape:
        return emit_reshape(emitter, node, index);
    case OP_transpose:
        return emit_transpose(emitter, node, index);
    case OP_slice:
        return emit_slice(emitter, node, index);
    case OP_pad:
        return emit_pad(emitter, value, index);
    case OP_concat:
        return emit_concat(emitter, value, index);
    case OP_flip:
        return emit_flip(emitter, node, index);
    case OP_gather:
        return emit_gather(emitter, value, index);
    case OP_take_along:
        return emit_take_along(emitter, value, index);
    case OP_merge:
        return emit_merge(emitter, value, index);
    case OP_detach:
    case OP_materialise:
        return emit_value(emitter, node->args[0], index);
    case OP_constant:
        return (Code){emit_number_text(emitter, node->type.dtype, attr_of(node, ATTR_value)->number), node->type.dtype, false};
    case OP_iota:
        return emit_iota(emitter, value, index);
    case OP_number:
        return emit_number(emitter, value);
    case OP_random_normal:
    case OP_random_uniform:
    case OP_random_integer:
        return emit_random(emitter, value, index);
    }
    graph_bug(emitter->graph, value, "a value that must be in memory is computed in place");
}

// Is the value one that this kernel itself makes? Then its buffer holds nothing yet.
static bool is_own(const Emitter *emitter, Value value) {
    value = buffer_root(emitter->list, value);
    for (uint32_t i = 0; i < emitter->kernel->stores.count; i++)
        if (emitter->kernel->stores.items[i].id == value.id)
            return true;
    return false;
}

static bool is_loaded(const Emitter *emitter, Value value) {
    return emitter->list->buffers[value.id].kind != BUFFER_NONE && !is_own(emitter, value);
}

// The maps at the same element that a value is made of, from the first on: a chain of them does not recurse as deep as it is long.
static void emit_below(Emitter *emitter, Value value, const Index *index) {
    bool *seen = ARENA_NEW(emitter->arena, bool, value.id + 1);
    ARRAY(Value) waiting = {0};
    uint32_t first = value.id;
    array_push(emitter->arena, &waiting, value);
    while (waiting.count) {
        const Node *node = graph_node(emitter->graph, waiting.items[--waiting.count]);
        for (uint32_t i = 0; i < node->arg_count && op_def(node->op)->op_class == CLASS_MAP; i++) {
            Value arg = node->args[i];
            if (seen[arg.id] || is_loaded(emitter, arg) || op_def(graph_node(emitter->graph, arg)->op)->op_class != CLASS_MAP)
                continue;
            seen[arg.id] = true;
            first = arg.id < first ? arg.id : first;
            array_push(emitter->arena, &waiting, arg);
        }
    }
    for (uint32_t id = first; id < value.id; id++)
        if (seen[id])
            emit_value(emitter, (Value){id}, index);
}

Code emit_value(Emitter *emitter, Value value, const Index *index) {
    Type type = graph_type(emitter->graph, value);
    for (uint32_t i = emitter->memos.count; i-- > 0;) {
        const Memo *memo = &emitter->memos.items[i];
        bool equal = memo->value.id == value.id;
        for (uint32_t axis = 0; equal && axis < type.rank; axis++)
            equal = type.dims[axis] == 1 || index_equal(memo->index[axis], index[axis]); // of one element, lanes are padding
        if (equal && memo->code.is_vector && !any_lane(emitter, index, type.rank)) // its first lane is the element, the others are padding
            return (Code){arena_format(emitter->arena, "%s.x", memo->code.text), memo->code.dtype, false};
        if (equal)
            return memo->code;
    }
    bool in_memory = is_loaded(emitter, value);
    if (emitter->depth++ == EMIT_DEPTH_MAX && !in_memory)
        emit_below(emitter, value, index);
    Code code = in_memory ? emit_load(emitter, value, index) : emit_node(emitter, value, index);
    emitter->depth--;
    emit_remember(emitter, value, index, code);
    return code;
}
