// A reduce kernel: sibling reductions over one space, then maps of their results. Where the innermost axis is kept, an invocation makes a
// vec4 of results; where it is folded, one result, from four partial ones.
#include "compiler/emit/glsl.h"
#include <math.h>

typedef struct {
    Emitter *emitter;
    Value arg;
    Type space;            // of the argument
    Layout layout;         // of the argument
    bool folded[MAX_RANK];
    bool inner_folded;
    bool has_other_than_sums;
    bool tree;             // a workgroup shares the elements of one result
    Index index[MAX_RANK]; // of the argument, while inside the loops
    Index kept[MAX_RANK];  // of a result
    uint32_t kept_rank;
    double count;          // elements folded into one
} Fold;

static const char *type_of(const Fold *fold, DType dtype) {
    return glsl_type(dtype, !fold->inner_folded || fold->space.rank > 0);
}

// The layout of results without the extra axis of moments.
static Layout kept_layout(const Fold *fold) {
    uint32_t dims[MAX_RANK], rank = 0, number[MAX_RANK];
    uint8_t order[MAX_RANK];
    for (uint32_t axis = 0; axis < fold->layout.rank; axis++) {
        number[axis] = rank;
        if (!fold->folded[axis])
            dims[rank++] = fold->layout.dims[axis];
    }
    uint32_t place = 0;
    for (uint32_t i = 0; i < fold->layout.rank; i++)
        if (!fold->folded[fold->layout.order[i]])
            order[place++] = (uint8_t)number[fold->layout.order[i]];
    return layout_make(rank, dims, order);
}

static uint32_t steps_of(const Fold *fold, uint32_t place) {
    uint32_t extent = fold->layout.dims[fold->layout.order[place]];
    return place == fold->layout.rank - 1u ? (extent + 3) / 4 : extent;
}

// One loop over all folded axes, of which every lane takes its share.
static uint32_t open_shared_loop(Fold *fold, EmitScope *scopes) {
    Emitter *emitter = fold->emitter;
    uint64_t total = 1;
    for (uint32_t place = 0; place < fold->layout.rank; place++)
        total *= fold->folded[fold->layout.order[place]] ? steps_of(fold, place) : 1;
    const char *name = emit_name(emitter, "r");
    scopes[0] = emit_open(emitter, arena_format(emitter->arena, "for (int %s = lane_id; %s < %llu; %s += %u) {", name, name, (unsigned long long)total, name,
                                                schedule_lanes(&emitter->kernel->schedule)));
    Index rest = index_variable(emitter->pool, name, 0, (int64_t)total - 1);
    for (uint32_t place = fold->layout.rank; place-- > 0;) {
        uint32_t axis = fold->layout.order[place];
        if (!fold->folded[axis])
            continue;
        Index part = index_modulo(emitter->pool, rest, steps_of(fold, place));
        rest = index_divide(emitter->pool, rest, steps_of(fold, place));
        fold->index[axis] = place == fold->layout.rank - 1u ? index_add(emitter->pool, index_scale(emitter->pool, part, 4), emitter->lane) : part;
    }
    return 1;
}

// Opens the loops over the folded axes, outermost first; fills fold->index. Returns how many were opened.
static uint32_t open_loops(Fold *fold, EmitScope *scopes, const char *prefix) {
    Emitter *emitter = fold->emitter;
    if (fold->tree)
        return open_shared_loop(fold, scopes);
    uint32_t opened = 0;
    for (uint32_t place = 0; place < fold->layout.rank; place++) {
        uint32_t axis = fold->layout.order[place], extent = fold->layout.dims[axis];
        if (!fold->folded[axis])
            continue;
        bool inner = place == fold->layout.rank - 1u;
        uint32_t steps = inner ? (extent + 3) / 4 : extent;
        Index variable = index_constant(0);
        if (steps > 1) {
            const char *name = emit_name(emitter, prefix);
            scopes[opened++] = emit_open(emitter, arena_format(emitter->arena, "for (int %s = 0; %s < %u; %s++) {", name, name, steps, name));
            variable = index_variable(emitter->pool, name, 0, (int64_t)steps - 1);
        }
        fold->index[axis] = inner ? index_add(emitter->pool, index_scale(emitter->pool, variable, 4), emitter->lane) : variable;
    }
    return opened;
}

static void close_loops(Fold *fold, EmitScope *scopes, uint32_t opened) {
    while (opened-- > 0)
        emit_close(fold->emitter, scopes[opened], true);
}

// Padding and gaps of a set; where only zeros are there, a sum need not look.
static const char *masked_set(Fold *fold, Code code, const char *neutral) {
    Emitter *emitter = fold->emitter;
    Index rest;
    int64_t stride;
    index_split(emitter->pool, fold->index[0], emitter->lane_atom, &stride, &rest);
    const char *there = emit_set_mask(emitter, fold->space.set, emit_index(emitter, index_divide(emitter->pool, rest, 4)));
    return arena_format(emitter->arena, "mix(%s, %s, notEqual(%s, vec4(0.0)))", neutral, code.text, there);
}

// Lanes of the innermost, folded axis that are padding count as `neutral`.
static const char *masked(Fold *fold, Code code, const char *neutral) {
    Emitter *emitter = fold->emitter;
    if (fold->space.set && (emit_set_has_gaps(emitter, fold->space.set) || fold->has_other_than_sums))
        return masked_set(fold, emit_vector(emitter, code), neutral);
    uint32_t axis = fold->layout.rank ? fold->layout.order[fold->layout.rank - 1] : 0;
    code = emit_vector(emitter, code);
    if (!fold->inner_folded || fold->layout.rank == 0 || fold->layout.dims[axis] % 4 == 0)
        return code.text;
    Index rest;
    int64_t stride;
    index_split(emitter->pool, fold->index[axis], emitter->lane_atom, &stride, &rest);
    return arena_format(emitter->arena, "mix(%s, %s, lessThan(ivec4(%s) + ivec4(0, 1, 2, 3), ivec4(%u)))", neutral, code.text, emit_index(emitter, rest),
                        fold->layout.dims[axis]);
}

// The position along argmax's axis as an int expression, ivec4 where that is the lane's axis.
static const char *position(Fold *fold, uint32_t axis) {
    Emitter *emitter = fold->emitter;
    Index rest;
    int64_t stride;
    index_split(emitter->pool, fold->index[axis], emitter->lane_atom, &stride, &rest);
    return arena_format(emitter->arena, stride ? "ivec4(%s) + ivec4(0, 1, 2, 3)" : "ivec4(%s)", emit_index(emitter, rest));
}

static const char *lowest_of(Emitter *emitter, DType dtype) {
    if (dtype != DTYPE_F32)
        return dtype == DTYPE_I32 ? "ivec4(-2147483647 - 1)" : "uvec4(0u)";
    return arena_format(emitter->arena, "vec4(%s)", emit_special(emitter, -INFINITY));
}

// NaN goes through.
static const char *larger(Emitter *emitter, const char *a, const char *b) {
    emit_functions(emitter, "map_extreme.glsl");
    return arena_format(emitter->arena, "map_maximum(%s, %s)", a, b);
}

// Moments are of numbers that are scaled before they are squared, by a power of two, so that squares of large numbers stay in range: the sum
// of squares times this is their mean.
static double moments_scale(const Fold *fold) { return exp2(-ceil(log2(fold->count) / 2)); }
static double moments_unscale(const Fold *fold) { return 1 / (fold->count * moments_scale(fold) * moments_scale(fold)); }

// Accumulators of a root are called a<id>, b<id>.
static void declare(Fold *fold, Value root) {
    Emitter *emitter = fold->emitter;
    const Node *node = graph_node(emitter->graph, root);
    DType dtype = fold->space.dtype;
    const char *type = type_of(fold, dtype);
    uint32_t id = root.id;
    switch ((int)node->op) {
    case OP_reduce_sum: emit_line(emitter, "%s a%u = %s(0); // sum: %%%u", type, id, type, id); break;
    case OP_reduce_max: emit_line(emitter, "%s a%u = %s; // max: %%%u", type, id, lowest_of(emitter, dtype), id); break;
    case OP_logsumexp:
        emit_line(emitter, "vec4 a%u = %s; // largest: %%%u", id, lowest_of(emitter, DTYPE_F32), id);
        emit_line(emitter, "vec4 b%u = vec4(0.0); // sum of exponentials", id);
        break;
    case OP_argmax:
        emit_line(emitter, "%s a%u = %s; // largest: %%%u", type, id, lowest_of(emitter, dtype), id);
        emit_line(emitter, "ivec4 b%u = ivec4(0); // its position", id);
        break;
    case OP_moments: {
        // Differences from the first element: no cancellation, and no division in the loop.
        EmitScope scope = emit_open(emitter, NULL);
        for (uint32_t axis = 0; axis < fold->layout.rank; axis++)
            if (fold->folded[axis])
                fold->index[axis] = index_constant(0);
        Code first = emit_vector(emitter, emit_value(emitter, node->args[0], fold->index));
        emit_line(emitter, "vec4 c%u = %s; // first element: %%%u", id, first.text, id);
        emit_line(emitter, "c%u = mix(c%u, vec4(0.0), isinf(c%u));", id, id, id);
        emit_line(emitter, "vec4 a%u = vec4(0.0), b%u = vec4(0.0); // mean difference from it, and the sum of squares of scaled ones", id, id);
        emit_close(emitter, scope, false);
        break;
    }
    default: graph_bug(emitter->graph, root, "no reduction");
    }
}

static void accumulate(Fold *fold, Value root, bool second_pass) {
    Emitter *emitter = fold->emitter;
    const Node *node = graph_node(emitter->graph, root);
    uint32_t id = root.id;
    Code code = emit_value(emitter, node->args[0], fold->index);
    switch ((int)node->op) {
    case OP_reduce_sum: emit_line(emitter, "a%u += %s;", id, masked(fold, code, arena_format(emitter->arena, "%s(0)", type_of(fold, fold->space.dtype)))); break;
    case OP_reduce_max:
        emit_line(emitter, "a%u = %s;", id, larger(emitter, masked(fold, code, lowest_of(emitter, fold->space.dtype)), arena_format(emitter->arena, "a%u", id)));
        break;
    case OP_logsumexp:
        emit_functions(emitter, "map_exp.glsl");
        if (second_pass)
            emit_line(emitter, "b%u += map_exp(%s - a%u);", id, masked(fold, code, lowest_of(emitter, DTYPE_F32)), id);
        else
            emit_line(emitter, "a%u = max(a%u, %s);", id, id, masked(fold, code, lowest_of(emitter, DTYPE_F32)));
        break;
    case OP_argmax: {
        const char *value = masked(fold, code, lowest_of(emitter, fold->space.dtype)), *better = emit_name(emitter, "better");
        if (fold->space.dtype == DTYPE_F32) // the first NaN is the largest
            emit_line(emitter, "bvec4 %s = mix(greaterThan(%s, a%u), not(isnan(a%u)), isnan(%s));", better, value, id, id, value);
        else
            emit_line(emitter, "bvec4 %s = greaterThan(%s, a%u);", better, value, id);
        emit_line(emitter, "b%u = mix(b%u, %s, %s);", id, id, position(fold, (uint32_t)attr_of(node, ATTR_axis)->integer), better);
        emit_line(emitter, "a%u = mix(a%u, %s, %s);", id, id, value, better);
        break;
    }
    case OP_moments: {
        const char *difference = emit_name(emitter, "difference");
        emit_line(emitter, "vec4 %s = %s;", difference, masked(fold, (Code){arena_format(emitter->arena, "%s - c%u", emit_vector(emitter, code).text, id), DTYPE_F32, true}, "vec4(0.0)"));
        emit_line(emitter, "a%u += %s * %s;", id, difference, glsl_number(emitter->arena, DTYPE_F32, 1 / fold->count));
        emit_line(emitter, "%s *= %s;", difference, glsl_number(emitter->arena, DTYPE_F32, moments_scale(fold)));
        emit_line(emitter, "b%u += %s * %s;", id, difference, difference);
        break;
    }
    default: graph_bug(emitter->graph, root, "no reduction");
    }
}

// After the loops: results as registers, remembered at their index.
static void finish(Fold *fold, Value root) {
    Emitter *emitter = fold->emitter;
    const Node *node = graph_node(emitter->graph, root);
    uint32_t id = root.id;
    bool folded = fold->inner_folded;
    DType dtype = node->type.dtype;
    Arena *arena = emitter->arena;
    const char *a = arena_format(arena, "a%u", id), *b = arena_format(arena, "b%u", id);
    const char *sum_a = folded ? arena_format(arena, "(%s.x + %s.y) + (%s.z + %s.w)", a, a, a, a) : a;
    const char *sum_b = folded ? arena_format(arena, "(%s.x + %s.y) + (%s.z + %s.w)", b, b, b, b) : b;
    const char *max_a = a;
    if (folded && (node->op == OP_reduce_max || node->op == OP_argmax))
        max_a = larger(emitter, larger(emitter, arena_format(arena, "%s.x", a), arena_format(arena, "%s.y", a)),
                       larger(emitter, arena_format(arena, "%s.z", a), arena_format(arena, "%s.w", a)));
    switch ((int)node->op) {
    case OP_reduce_sum: emit_remember(emitter, root, fold->kept, emit_register(emitter, root, dtype, !folded, sum_a)); break;
    case OP_reduce_max: emit_remember(emitter, root, fold->kept, emit_register(emitter, root, dtype, !folded, max_a)); break;
    case OP_logsumexp:
        emit_functions(emitter, "map_log.glsl");
        sum_b = folded ? arena_format(arena, "map_log(%s)", sum_b) : arena_format(arena, "vec4(map_log(%s.x), map_log(%s.y), map_log(%s.z), map_log(%s.w))", b, b, b, b);
        emit_remember(emitter, root, fold->kept, emit_register(emitter, root, dtype, !folded, arena_format(arena, "%s%s + %s", a, folded ? ".x" : "", sum_b)));
        break;
    case OP_argmax:
        if (!folded) {
            emit_remember(emitter, root, fold->kept, emit_register(emitter, root, dtype, true, b));
        } else {
            const char *best = emit_name(emitter, "best");
            emit_line(emitter, "%s %s = %s;", glsl_type(fold->space.dtype, false), best, max_a);
            const char *lane[4];
            for (int i = 0; i < 4; i++) {
                const char *is_nan = fold->space.dtype == DTYPE_F32 ? arena_format(arena, " || isnan(%s.%c)", a, "xyzw"[i]) : "";
                lane[i] = arena_format(arena, "(%s.%c == %s%s ? %s.%c : 2147483647)", a, "xyzw"[i], best, is_nan, b, "xyzw"[i]);
            }
            emit_remember(emitter, root, fold->kept,
                          emit_register(emitter, root, dtype, false, arena_format(arena, "min(min(%s, %s), min(%s, %s))", lane[0], lane[1], lane[2], lane[3])));
        }
        break;
    case OP_moments: {
        const char *apart = emit_name(emitter, "apart"), *type = glsl_type(DTYPE_F32, !folded), *unscale = glsl_number(arena, DTYPE_F32, moments_unscale(fold));
        const char *squares = emit_name(emitter, "squares");
        emit_line(emitter, "%s %s = %s, %s = %s;", type, apart, sum_a, squares, sum_b);
        Index index[MAX_RANK];
        for (uint32_t axis = 0; axis < fold->kept_rank; axis++)
            index[axis + 1] = fold->kept[axis];
        index[0] = index_constant(0);
        emit_remember(emitter, root, index,
                      emit_register(emitter, root, dtype, !folded, arena_format(arena, "c%u%s + %s", id, folded ? ".x" : "", apart)));
        index[0] = index_constant(1);
        emit_remember(emitter, root, index,
                      emit_register(emitter, root, dtype, !folded,
                                    larger(emitter, arena_format(arena, "mix(%s * %s - %s * %s, %s - abs(%s), isinf(%s))", squares, unscale, apart, apart, squares, apart, squares),
                                           arena_format(arena, "%s(0.0)", type))));
        break;
    }
    default: graph_bug(emitter->graph, root, "no reduction");
    }
}

// An array with one element a lane, unless it is declared already. TREE_LANE_BYTES_MAX says what all of a kernel may take.
static void share(Emitter *emitter, const char *type, const char *name) {
    uint32_t lanes = schedule_lanes(&emitter->kernel->schedule);
    const char *line = arena_format(emitter->arena, "shared %s %s[%u];\n", type, name, lanes);
    if (strstr(emitter->functions.data, line))
        return;
    text_append(&emitter->functions, line);
    emitter->shared_bytes += lanes * (strchr(type, '4') ? 16 : 4);
}

// The lanes' accumulators become one, the same in every lane. `better`: of argmax, with positions beside the values.
static void combine(Fold *fold, const char *name, const char *type, const char *operation, const char *position) {
    Emitter *emitter = fold->emitter;
    uint32_t lanes = schedule_lanes(&emitter->kernel->schedule);
    const char *shared_name = arena_format(emitter->arena, "tree_%s", type);
    share(emitter, type, shared_name);
    if (position)
        share(emitter, "ivec4", "tree_position");
    emit_line(emitter, "%s[lane_id] = %s;", shared_name, name);
    if (position)
        emit_line(emitter, "tree_position[lane_id] = %s;", position);
    emit_line(emitter, "barrier();");
    EmitScope loop = emit_open(emitter, arena_format(emitter->arena, "for (int half_count = %u; half_count > 0; half_count /= 2) {", lanes / 2));
    EmitScope branch = emit_open(emitter, "if (lane_id < half_count) {");
    if (position) {
        emit_line(emitter, "%s theirs = %s[lane_id + half_count], mine = %s[lane_id];", type, shared_name, shared_name);
        emit_line(emitter, "ivec4 their_position = tree_position[lane_id + half_count], my_position = tree_position[lane_id];");
        emit_functions(emitter, "map_extreme.glsl");
        for (int lane = 0; lane < 4; lane++)
            emit_line(emitter, "if (map_is_ahead(theirs.%c, their_position.%c, mine.%c, my_position.%c)) mine.%c = theirs.%c, my_position.%c = their_position.%c;",
                      "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane]);
        emit_line(emitter, "%s[lane_id] = mine;", shared_name);
        emit_line(emitter, "tree_position[lane_id] = my_position;");
    } else {
        const char *other = arena_format(emitter->arena, "%s[lane_id + half_count]", shared_name), *own = arena_format(emitter->arena, "%s[lane_id]", shared_name);
        emit_line(emitter, "%s = %s;", own, !strcmp(operation, "+") ? arena_format(emitter->arena, "%s + %s", own, other) : larger(emitter, other, own));
    }
    emit_close(emitter, branch, true);
    emit_line(emitter, "barrier();");
    emit_close(emitter, loop, true);
    emit_line(emitter, "%s = %s[0];", name, shared_name);
    if (position)
        emit_line(emitter, "%s = tree_position[0];", position);
    emit_line(emitter, "barrier();");
}

static void combine_root(Fold *fold, Value root, bool second_pass) {
    Arena *arena = fold->emitter->arena;
    const char *a = arena_format(arena, "a%u", root.id), *b = arena_format(arena, "b%u", root.id), *type = type_of(fold, fold->space.dtype);
    switch ((int)graph_node(fold->emitter->graph, root)->op) {
    case OP_reduce_sum: combine(fold, a, type, "+", NULL); break;
    case OP_reduce_max: combine(fold, a, type, "max", NULL); break;
    case OP_logsumexp: combine(fold, second_pass ? b : a, "vec4", second_pass ? "+" : "max", NULL); break;
    case OP_argmax: combine(fold, a, type, "max", b); break;
    case OP_moments:
        combine(fold, a, "vec4", "+", NULL);
        combine(fold, b, "vec4", "+", NULL);
        break;
    default: graph_bug(fold->emitter->graph, root, "no reduction");
    }
}

static void store_all(Fold *fold, const char *offset) {
    Emitter *emitter = fold->emitter;
    for (uint32_t turn = 0; turn < 2 * emitter->kernel->stores.count; turn++) { // computes all, then stores
        uint32_t i = turn % emitter->kernel->stores.count;
        Value value = emitter->kernel->stores.items[i];
        bool is_moments = graph_node(emitter->graph, value)->op == OP_moments;
        Index index[MAX_RANK];
        for (uint32_t axis = 0; axis < fold->kept_rank; axis++)
            index[axis + is_moments] = fold->kept[axis];
        Layout layout = kept_layout(fold);
        for (uint32_t part = 0; part < (is_moments ? 2u : 1u); part++) {
            if (is_moments)
                index[0] = index_constant(part);
            Code code = emit_value(emitter, value, index);
            if (turn < emitter->kernel->stores.count)
                continue;
            if (!fold->inner_folded)
                emit_store_vector(emitter, value, index, code);
            else
                emit_store_scalar(emitter, value, part ? arena_format(emitter->arena, "%s + %llu", offset, layout.rank ? (unsigned long long)layout_count(&layout) : 1ull) : offset, code);
        }
    }
}

// Invocations of the padding of a folded innermost axis: the results' padding is zero.
static void store_padding(Fold *fold, const Layout *layout) {
    Emitter *emitter = fold->emitter;
    uint32_t inner = layout->rank ? layout->dims[layout->order[layout->rank - 1]] : 1;
    if (inner % 4 == 0)
        return;
    EmitScope scope = emit_open(emitter, arena_format(emitter->arena, "if (gid %% %u >= %u) {", layout_inner(layout), inner));
    for (uint32_t i = 0; i < emitter->kernel->stores.count; i++) {
        Value value = emitter->kernel->stores.items[i];
        Type type = graph_type(emitter->graph, value);
        Code zero = {glsl_number(emitter->arena, type.dtype, 0), type.dtype, false};
        bool is_moments = graph_node(emitter->graph, value)->op == OP_moments;
        if (is_moments && layout->rank == 0) { // mean and deviation lie in one vec4
            emit_line(emitter, "if (gid > 1)");
            emit_store_scalar(emitter, value, "gid", zero);
            continue;
        }
        emit_store_scalar(emitter, value, "gid", zero);
        if (is_moments)
            emit_store_scalar(emitter, value, arena_format(emitter->arena, "gid + %llu", (unsigned long long)layout_count(layout)), zero);
    }
    emit_line(emitter, "return;");
    emit_close(emitter, scope, true);
}

static Fold fold_of(Emitter *emitter) {
    Value root = emitter->kernel->roots.items[0];
    const Node *node = graph_node(emitter->graph, root);
    Fold fold = {.emitter = emitter, .arg = node->args[0], .space = graph_type(emitter->graph, node->args[0]), .count = 1};
    fold.layout = emitter->list->layouts[fold.arg.id];
    if (node->op == OP_argmax)
        fold.folded[attr_of(node, ATTR_axis)->integer] = true;
    else
        for (uint32_t i = 0; i < attr_of(node, ATTR_axes)->count; i++)
            fold.folded[attr_of(node, ATTR_axes)->ints[i]] = true;
    for (uint32_t axis = 0; axis < fold.layout.rank; axis++)
        fold.count *= fold.folded[axis] ? fold.space.dims[axis] : 1;
    for (uint32_t i = 0; i < emitter->kernel->roots.count; i++)
        fold.has_other_than_sums |= graph_node(emitter->graph, emitter->kernel->roots.items[i])->op != OP_reduce_sum;
    fold.inner_folded = fold.layout.rank == 0 || fold.folded[fold.layout.order[fold.layout.rank - 1]];
    return fold;
}

static uint64_t open_results(Fold *fold, const Layout *kept) {
    Emitter *emitter = fold->emitter;
    uint64_t invocations = layout_count(kept) / (fold->inner_folded ? 1 : 4);
    emit_line(emitter, "if (gid >= %llu)", (unsigned long long)invocations);
    emit_line(emitter, "    return;");
    fold->kept_rank = kept->rank;
    if (!fold->inner_folded) {
        emit_unravel(emitter, kept, index_variable(emitter->pool, "gid", 0, (int64_t)invocations - 1), fold->kept);
    } else {
        store_padding(fold, kept);
        Index rest = index_variable(emitter->pool, "gid", 0, (int64_t)invocations - 1);
        for (uint32_t place = kept->rank; place-- > 0;) {
            uint32_t axis = kept->order[place], steps = place == kept->rank - 1u ? layout_inner(kept) : kept->dims[axis];
            fold->kept[axis] = place ? index_modulo(emitter->pool, rest, steps) : rest;
            rest = index_divide(emitter->pool, rest, steps);
        }
    }
    for (uint32_t axis = 0, number = 0; axis < fold->layout.rank; axis++)
        if (!fold->folded[axis])
            fold->index[axis] = fold->kept[number++];
    return invocations;
}

static bool takes_two_passes(const Fold *fold, Value root) {
    Op op = graph_node(fold->emitter->graph, root)->op;
    return op == OP_logsumexp || op == OP_moments;
}

static void fold_pass(Fold *fold, bool second_pass) {
    Emitter *emitter = fold->emitter;
    EmitScope scopes[MAX_RANK];
    EmitScope outer = emit_open(emitter, NULL);
    uint32_t opened = open_loops(fold, scopes, "r");
    for (uint32_t i = 0; i < emitter->kernel->roots.count; i++)
        if (!second_pass || takes_two_passes(fold, emitter->kernel->roots.items[i]))
            accumulate(fold, emitter->kernel->roots.items[i], second_pass);
    close_loops(fold, scopes, opened);
    emit_close(emitter, outer, false);
    for (uint32_t i = 0; fold->tree && i < emitter->kernel->roots.count; i++)
        if (!second_pass || takes_two_passes(fold, emitter->kernel->roots.items[i]))
            combine_root(fold, emitter->kernel->roots.items[i], second_pass);
}

// Where the first element lies far from the mean, the squares of differences cancel: then (and only then) they are taken again from the mean.
// Compared are roots, as the squares may leave the range; a mean that is not finite stays what it is.
static void correct_moments(Fold *fold) {
    Emitter *emitter = fold->emitter;
    const Kernel *kernel = emitter->kernel;
    Text condition = text_create(emitter->arena);
    const char *limit = glsl_number(emitter->arena, DTYPE_F32, 0.5 * sqrt(moments_unscale(fold)));
    for (uint32_t i = 0; i < kernel->roots.count; i++) {
        uint32_t id = kernel->roots.items[i].id;
        if (graph_node(emitter->graph, kernel->roots.items[i])->op != OP_moments)
            continue;
        if (fold->inner_folded)
            emit_line(emitter, "float whole_a%u = (a%u.x + a%u.y) + (a%u.z + a%u.w), whole_b%u = (b%u.x + b%u.y) + (b%u.z + b%u.w);", id, id, id, id, id, id, id, id, id, id);
        const char *joint = condition.length ? " || " : "";
        if (fold->inner_folded)
            text_format(&condition, "%sabs(whole_a%u) > %s * sqrt(whole_b%u)", joint, id, limit, id);
        else
            text_format(&condition, "%sany(greaterThan(abs(a%u), %s * sqrt(b%u)))", joint, id, limit, id);
    }
    if (!condition.length)
        return;
    EmitScope scope = emit_open(emitter, arena_format(emitter->arena, "if (%s) { // the first element was far off: again from the mean", condition.data));
    for (uint32_t i = 0; i < kernel->roots.count; i++) {
        uint32_t id = kernel->roots.items[i].id;
        if (graph_node(emitter->graph, kernel->roots.items[i])->op != OP_moments)
            continue;
        emit_line(emitter, fold->inner_folded ? "c%u += isinf(whole_a%u) ? 0.0 : whole_a%u;" : "c%u += mix(a%u, vec4(0.0), isinf(a%u));", id, id, id);
        emit_line(emitter, "a%u = vec4(0.0); b%u = vec4(0.0);", id, id);
    }
    fold_pass(fold, true);
    emit_close(emitter, scope, true);
}

uint64_t emit_reduce_kernel(Emitter *emitter, bool tree) {
    Fold fold = fold_of(emitter);
    fold.tree = tree;
    Layout kept = kept_layout(&fold);
    uint64_t invocations = open_results(&fold, &kept);
    const Kernel *kernel = emitter->kernel;
    for (uint32_t i = 0; i < kernel->roots.count; i++)
        declare(&fold, kernel->roots.items[i]);
    fold_pass(&fold, false);
    correct_moments(&fold);
    if (graph_node(emitter->graph, kernel->roots.items[0])->op == OP_logsumexp) {
        uint32_t id = kernel->roots.items[0].id;
        if (fold.inner_folded)
            emit_line(emitter, "a%u = vec4(max(max(a%u.x, a%u.y), max(a%u.z, a%u.w)));", id, id, id, id, id);
        emit_line(emitter, "a%u = mix(a%u, vec4(0.0), isinf(a%u)); // inf - inf is no number", id, id, id);
        fold_pass(&fold, true);
    }
    for (uint32_t i = 0; i < kernel->roots.count; i++)
        finish(&fold, kernel->roots.items[i]);
    if (fold.tree) {
        emit_line(emitter, "if (lane_id > 0)");
        emit_line(emitter, "    return;");
    }
    store_all(&fold, "gid");
    return invocations;
}
