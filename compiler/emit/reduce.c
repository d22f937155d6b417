// A reduce kernel: sibling reductions over one space, then maps of their results. Where the innermost axis is kept, an invocation makes a
// vec4 of results; where it is folded, one result, from four partial ones.
#include "compiler/emit/glsl.h"
#include "compiler/emit/reduce_parts.h"

// The layout of results without the extra axis of moments.
static Layout kept_of(const Layout *space, const bool *folded) {
    uint32_t dims[MAX_RANK], rank = 0, number[MAX_RANK];
    uint8_t order[MAX_RANK];
    for (uint32_t axis = 0; axis < space->rank; axis++) {
        number[axis] = rank;
        if (!folded[axis])
            dims[rank++] = space->dims[axis];
    }
    uint32_t place = 0;
    for (uint32_t i = 0; i < space->rank; i++)
        if (!folded[space->order[i]])
            order[place++] = (uint8_t)number[space->order[i]];
    return layout_make(rank, dims, order);
}

static Layout kept_layout(const Fold *fold) { return kept_of(&fold->layout, fold->folded); }

static bool folds_inner(const Layout *space, const bool *folded) { return space->rank == 0 || folded[space->order[space->rank - 1]]; }

static uint64_t invocations_of(const Layout *kept, bool inner_folded) { return layout_count(kept) / (inner_folded ? 1 : 4); }

uint64_t emit_reduce_invocations(const KernelList *list, const Kernel *kernel) {
    const Node *node = graph_node(list->graph, kernel->roots.items[0]);
    const Layout *space = &list->layouts[node->args[0].id];
    bool folded[MAX_RANK] = {0};
    for (uint32_t axis = 0; axis < space->rank; axis++)
        folded[axis] = op_folds(node, axis);
    Layout kept = kept_of(space, folded);
    return invocations_of(&kept, folds_inner(space, folded));
}

static uint32_t steps_of(const Fold *fold, uint32_t place) {
    uint32_t extent = fold->layout.dims[fold->layout.order[place]];
    return place == fold->layout.rank - 1u ? (extent + 3) / 4 : extent;
}

// Of the loops from an axis in.
static uint64_t turns_of(const Fold *fold, uint32_t place) {
    uint64_t turns = 1;
    for (; place < fold->layout.rank; place++)
        turns *= fold->folded[fold->layout.order[place]] ? steps_of(fold, place) : 1;
    return turns;
}

// One loop over all folded axes, of which every lane takes its share: the first pass's is the template's.
static uint32_t open_shared_loop(Fold *fold, EmitScope *scopes, bool second_pass) {
    Emitter *emitter = fold->emitter;
    uint64_t total = turns_of(fold, 0);
    const char *name = "r", *elements = emit_constant(emitter, "ELEMENTS", (int64_t)total);
    if (second_pass) {
        name = emit_name(emitter, "r");
        scopes[0] = emit_open(emitter, arena_format(emitter->arena, "for (int %s = lane_id; %s < %s; %s += LANES) {", name, name, elements, name));
    }
    Index rest = index_variable(emitter->pool, name, 0, (int64_t)total - 1);
    for (uint32_t place = fold->layout.rank; place-- > 0;) {
        uint32_t axis = fold->layout.order[place];
        if (!fold->folded[axis])
            continue;
        Index part = index_modulo(emitter->pool, rest, steps_of(fold, place));
        rest = index_divide(emitter->pool, rest, steps_of(fold, place));
        fold->index[axis] = place == fold->layout.rank - 1u ? index_add(emitter->pool, index_scale(emitter->pool, part, 4), emitter->lane) : part;
    }
    return second_pass;
}

// Opens the loops over the folded axes, outermost first; fills fold->index. Returns how many were opened.
static uint32_t open_loops(Fold *fold, EmitScope *scopes, bool second_pass) {
    Emitter *emitter = fold->emitter;
    if (fold->tree)
        return open_shared_loop(fold, scopes, second_pass);
    uint32_t opened = 0;
    for (uint32_t place = 0; place < fold->layout.rank; place++) {
        uint32_t axis = fold->layout.order[place], steps = steps_of(fold, place);
        if (!fold->folded[axis])
            continue;
        bool inner = place == fold->layout.rank - 1u;
        Index variable = index_constant(0);
        if (steps > 1) {
            const char *name = emit_name(emitter, "r");
            scopes[opened++] = emit_open_loop(emitter, name, arena_format(emitter->arena, "%u", steps), turns_of(fold, place));
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

static void declare(Fold *fold, Value root) {
    Emitter *emitter = fold->emitter;
    Filling filling = reduce_filling(fold, root);
    if (!strstr(filling.reduction->start, "$first")) {
        reduce_lines(&filling, filling.reduction->start);
        return;
    }
    EmitScope scope = emit_open(emitter, NULL);
    for (uint32_t axis = 0; axis < fold->layout.rank; axis++)
        if (fold->folded[axis])
            fold->index[axis] = index_constant(0);
    filling.first = emit_vector(emitter, emit_value(emitter, graph_node(emitter->graph, root)->args[0], fold->index)).text;
    reduce_lines(&filling, filling.reduction->start);
    emit_close(emitter, scope, false);
}

static void accumulate(Fold *fold, Value root, bool second_pass) {
    Emitter *emitter = fold->emitter;
    Filling filling = reduce_filling(fold, root);
    const Reduction *reduction = filling.reduction;
    Code code = emit_value(emitter, graph_node(emitter->graph, root)->args[0], fold->index);
    if (reduction->helper)
        emit_functions(emitter, reduction->helper);
    if (reduction->element) {
        filling.x = emit_vector(emitter, code).text;
        code = (Code){reduce_fill(&filling, reduction->element), DTYPE_F32, true};
    }
    filling.x = masked(fold, code, reduce_fill(&filling, reduction->neutral));
    reduce_lines(&filling, second_pass && reduction->step_again ? reduction->step_again : reduction->step);
}

// After the loops: results as registers, remembered at their index.
static void finish(Fold *fold, Value root) {
    Emitter *emitter = fold->emitter;
    Filling filling = reduce_filling(fold, root);
    const Reduction *reduction = filling.reduction;
    DType dtype = graph_node(emitter->graph, root)->type.dtype;
    bool has_parts = reduction->result_count > 1;
    if (reduction->finish_helper)
        emit_functions(emitter, reduction->finish_helper);
    reduce_lines(&filling, reduce_choose(fold, reduction->finish));
    Index index[MAX_RANK];
    for (uint32_t axis = 0; axis < fold->kept_rank; axis++)
        index[axis + has_parts] = fold->kept[axis];
    for (uint32_t part = 0; part < reduction->result_count; part++) {
        if (has_parts)
            index[0] = index_constant(part);
        const char *result = reduce_fill(&filling, reduce_choose(fold, reduction->results[part]));
        emit_remember(emitter, root, index, emit_register(emitter, root, dtype, !fold->inner_folded, result));
    }
}

// An array with one element a lane, unless it is declared already. TREE_LANE_BYTES_MAX says what all of a kernel may take.
static void share(Emitter *emitter, const char *type, const char *name) {
    uint32_t lanes = schedule_lanes(&emitter->kernel->schedule);
    const char *line = arena_format(emitter->arena, "shared %s %s[LANES];\n", type, name);
    if (strstr(emitter->functions.data, line))
        return;
    text_append(&emitter->functions, line);
    emitter->shared_bytes += lanes * (strchr(type, '4') ? 16 : 4);
}

// The larger of two lanes' values takes its position with it, component by component.
static void combine_positions(Emitter *emitter, const char *type, const char *shared_name) {
    emit_line(emitter, "%s theirs = %s[lane_id + half_count], mine = %s[lane_id];", type, shared_name, shared_name);
    emit_line(emitter, "ivec4 their_position = tree_position[lane_id + half_count], my_position = tree_position[lane_id];");
    for (int lane = 0; lane < 4; lane++)
        emit_line(emitter, "if (map_is_ahead(theirs.%c, their_position.%c, mine.%c, my_position.%c)) mine.%c = theirs.%c, my_position.%c = their_position.%c;",
                  "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane], "xyzw"[lane]);
    emit_line(emitter, "%s[lane_id] = mine;", shared_name);
    emit_line(emitter, "tree_position[lane_id] = my_position;");
}

static const char *combined(Arena *arena, const char *expression, const char *mine, const char *theirs) {
    Text text = text_create(arena);
    for (const char *at = expression; *at;) {
        bool is_mine = text_starts_with(at, "$mine"), is_theirs = text_starts_with(at, "$theirs");
        text_append_bytes(&text, is_mine ? mine : is_theirs ? theirs : at, is_mine ? strlen(mine) : is_theirs ? strlen(theirs) : 1);
        at += is_mine ? strlen("$mine") : is_theirs ? strlen("$theirs") : 1;
    }
    return text.data;
}

// The lanes' accumulators become one, the same in every lane.
static void combine(Filling *filling, const FoldCombine *how) {
    Emitter *emitter = filling->fold->emitter;
    const char *name = reduce_fill(filling, how->name), *type = reduce_fill(filling, how->type), *positions = how->expression ? NULL : reduce_fill(filling, "$b");
    const char *shared_name = arena_format(emitter->arena, "tree_%s", type);
    share(emitter, type, shared_name);
    if (positions)
        share(emitter, "ivec4", "tree_position");
    emit_line(emitter, "%s[lane_id] = %s;", shared_name, name);
    if (positions)
        emit_line(emitter, "tree_position[lane_id] = %s;", positions);
    emit_line(emitter, "barrier();");
    EmitScope loop = emit_open(emitter, "for (int half_count = LANES / 2; half_count > 0; half_count /= 2) {");
    EmitScope branch = emit_open(emitter, "if (lane_id < half_count) {");
    if (how->helper)
        emit_functions(emitter, how->helper);
    const char *other = arena_format(emitter->arena, "%s[lane_id + half_count]", shared_name), *own = arena_format(emitter->arena, "%s[lane_id]", shared_name);
    if (positions)
        combine_positions(emitter, type, shared_name);
    else
        emit_line(emitter, "%s = %s;", own, combined(emitter->arena, how->expression, own, other));
    emit_close(emitter, branch, true);
    emit_line(emitter, "barrier();");
    emit_close(emitter, loop, true);
    emit_line(emitter, "%s = %s[0];", name, shared_name);
    if (positions)
        emit_line(emitter, "%s = tree_position[0];", positions);
    emit_line(emitter, "barrier();");
}

static void combine_root(Fold *fold, Value root, bool second_pass) {
    Filling filling = reduce_filling(fold, root);
    for (uint32_t i = 0; i < filling.reduction->combine_count; i++)
        if (filling.reduction->combines[i].after[second_pass])
            combine(&filling, &filling.reduction->combines[i]);
}

// Along a new first axis.
static uint32_t part_count(const Fold *fold, Value value) {
    const Reduction *reduction = op_def(graph_node(fold->emitter->graph, value)->op)->reduction;
    return reduction ? reduction->result_count : 1;
}

static void store_all(Fold *fold, const char *offset) {
    Emitter *emitter = fold->emitter;
    for (uint32_t turn = 0; turn < 2 * emitter->kernel->stores.count; turn++) { // computes all, then stores
        uint32_t i = turn % emitter->kernel->stores.count;
        Value value = emitter->kernel->stores.items[i];
        uint32_t parts = part_count(fold, value);
        Index index[MAX_RANK];
        for (uint32_t axis = 0; axis < fold->kept_rank; axis++)
            index[axis + (parts > 1)] = fold->kept[axis];
        Layout layout = kept_layout(fold);
        for (uint32_t part = 0; part < parts; part++) {
            if (parts > 1)
                index[0] = index_constant(part);
            Code code = emit_value(emitter, value, index);
            if (turn < emitter->kernel->stores.count)
                continue;
            emit_check_slice(emitter, value, index);
            if (!fold->inner_folded)
                emit_store_vector(emitter, value, index, code);
            else
                emit_store_scalar(emitter, value, part ? arena_format(emitter->arena, "%s + %llu", offset, part * (layout.rank ? (unsigned long long)layout_count(&layout) : 1ull)) : offset, code);
        }
    }
}

// Invocations of the padding of a folded innermost axis: the results' padding is zero.
static void store_padding(Fold *fold, const Layout *layout) {
    Emitter *emitter = fold->emitter;
    uint32_t inner = layout->rank ? layout->dims[layout->order[layout->rank - 1]] : 1;
    if (inner % 4 == 0)
        return;
    EmitScope scope = emit_open(emitter, arena_format(emitter->arena, "if (%s %% %u >= %u) {", fold->result, layout_inner(layout), inner));
    for (uint32_t i = 0; i < emitter->kernel->stores.count; i++) {
        Value value = emitter->kernel->stores.items[i];
        Type type = graph_type(emitter->graph, value);
        Code zero = {glsl_number(emitter->arena, type.dtype, 0), type.dtype, false};
        uint32_t parts = part_count(fold, value);
        if (parts > 1 && layout->rank == 0) { // all parts lie in one vec4
            emit_line(emitter, "if (%s > %u)", fold->result, parts - 1);
            emit_store_scalar(emitter, value, fold->result, zero);
            continue;
        }
        emit_store_scalar(emitter, value, fold->result, zero);
        for (uint32_t part = 1; part < parts; part++)
            emit_store_scalar(emitter, value, arena_format(emitter->arena, "%s + %llu", fold->result, (unsigned long long)(part * layout_count(layout))), zero);
    }
    emit_line(emitter, emitter->chain ? "continue;" : "return;");
    emit_close(emitter, scope, true);
}

static Fold fold_of(Emitter *emitter) {
    Value root = emitter->kernel->roots.items[0];
    const Node *node = graph_node(emitter->graph, root);
    Fold fold = {.emitter = emitter, .arg = node->args[0], .space = graph_type(emitter->graph, node->args[0]), .count = 1, .result = "gid"};
    fold.layout = emitter->list->layouts[fold.arg.id];
    for (uint32_t axis = 0; axis < fold.space.rank; axis++)
        fold.folded[axis] = op_folds(node, axis);
    for (uint32_t axis = 0; axis < fold.layout.rank; axis++)
        fold.count *= fold.folded[axis] ? fold.space.dims[axis] : 1;
    for (uint32_t i = 0; i < emitter->kernel->roots.count; i++)
        fold.has_other_than_sums |= !reduce_filling(&fold, emitter->kernel->roots.items[i]).reduction->adds_zeros;
    fold.inner_folded = folds_inner(&fold.layout, fold.folded);
    return fold;
}

static uint64_t open_results(Fold *fold, const Layout *kept) {
    Emitter *emitter = fold->emitter;
    uint64_t invocations = invocations_of(kept, fold->inner_folded);
    if (!emitter->chain)
        fold->number = index_variable(emitter->pool, fold->result, 0, (int64_t)invocations - 1);
    if (fold->tree) {
        emit_constant(emitter, "RESULTS", (int64_t)invocations);
    } else if (!fold->is_part) {
        emit_line(emitter, "if (gid >= %llu)", (unsigned long long)invocations);
        emit_line(emitter, "    return;");
    }
    fold->kept_rank = kept->rank;
    if (!fold->inner_folded) {
        emit_unravel(emitter, kept, fold->number, fold->kept);
    } else {
        store_padding(fold, kept);
        Index rest = fold->number;
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

static bool takes_two_passes(Fold *fold, Value root) { return reduce_filling(fold, root).reduction->again != AGAIN_NEVER; }

// A tree's text is in slots, a fold's in one.
static void end_slot(Fold *fold, const char *name) {
    if (fold->tree)
        emit_slot(fold->emitter, name);
}

static void fold_pass(Fold *fold, bool second_pass) {
    Emitter *emitter = fold->emitter;
    EmitScope scopes[MAX_RANK];
    EmitScope outer = emit_open(emitter, NULL);
    uint32_t opened = open_loops(fold, scopes, second_pass);
    for (uint32_t i = 0; i < emitter->kernel->roots.count; i++)
        if (!second_pass || takes_two_passes(fold, emitter->kernel->roots.items[i]))
            accumulate(fold, emitter->kernel->roots.items[i], second_pass);
    close_loops(fold, scopes, opened);
    emit_close(emitter, outer, false);
    if (!second_pass)
        end_slot(fold, "step");
    for (uint32_t i = 0; fold->tree && i < emitter->kernel->roots.count; i++)
        if (!second_pass || takes_two_passes(fold, emitter->kernel->roots.items[i]))
            combine_root(fold, emitter->kernel->roots.items[i], second_pass);
}

static void prepare_second_pass(Fold *fold, FoldAgain which) {
    const Kernel *kernel = fold->emitter->kernel;
    for (uint32_t i = 0; i < kernel->roots.count; i++) {
        Filling filling = reduce_filling(fold, kernel->roots.items[i]);
        if (filling.reduction->again == which)
            reduce_lines(&filling, reduce_choose(fold, filling.reduction->before));
    }
}

// Of all that may need a second pass: whether one does. NULL: none may.
static const char *again_condition(Fold *fold, const char **note) {
    Emitter *emitter = fold->emitter;
    const Kernel *kernel = emitter->kernel;
    Text condition = text_create(emitter->arena);
    for (uint32_t i = 0; i < kernel->roots.count; i++) {
        Filling filling = reduce_filling(fold, kernel->roots.items[i]);
        if (filling.reduction->again != AGAIN_IF)
            continue;
        reduce_lines(&filling, reduce_choose(fold, filling.reduction->prelude));
        text_format(&condition, "%s%s", condition.length ? " || " : "", reduce_fill(&filling, reduce_choose(fold, filling.reduction->condition)));
        *note = filling.reduction->again_note;
    }
    return condition.length ? condition.data : NULL;
}

// Whether both passes can be the same text: all take part in both, and none differs.
static bool repeats_one_text(Fold *fold) {
    const Kernel *kernel = fold->emitter->kernel;
    bool all = !fold->tree;
    for (uint32_t i = 0; all && i < kernel->roots.count; i++) {
        const Reduction *reduction = reduce_filling(fold, kernel->roots.items[i]).reduction;
        all = reduction->again == AGAIN_IF && !reduction->step_again;
    }
    return all;
}

static void fold_repeatedly(Fold *fold) {
    Emitter *emitter = fold->emitter;
    const char *pass = emit_name(emitter, "pass"), *note = NULL;
    EmitScope scope = emit_open_loop(emitter, pass, "2", 2 * turns_of(fold, 0));
    fold_pass(fold, false);
    const char *condition = again_condition(fold, &note);
    emit_line(emitter, "if (%s == 1 || !(%s))", pass, condition);
    emit_line(emitter, "    break;");
    emit_line(emitter, "// %s", note);
    prepare_second_pass(fold, AGAIN_IF);
    emit_close(emitter, scope, true);
}

static void fold_again_if(Fold *fold) {
    Emitter *emitter = fold->emitter;
    const char *note = NULL, *condition = again_condition(fold, &note);
    if (!condition)
        return;
    EmitScope scope = emit_open(emitter, arena_format(emitter->arena, "if (%s) { // %s", condition, note));
    prepare_second_pass(fold, AGAIN_IF);
    fold_pass(fold, true);
    emit_close(emitter, scope, true);
}

static uint64_t emit_fold(Fold *fold) {
    Emitter *emitter = fold->emitter;
    Layout kept = kept_layout(fold);
    uint64_t invocations = open_results(fold, &kept);
    const Kernel *kernel = emitter->kernel;
    for (uint32_t i = 0; i < kernel->roots.count; i++)
        declare(fold, kernel->roots.items[i]);
    end_slot(fold, "start");
    if (repeats_one_text(fold)) {
        fold_repeatedly(fold);
    } else {
        fold_pass(fold, false);
        end_slot(fold, "combine");
        fold_again_if(fold);
    }
    if (reduce_filling(fold, kernel->roots.items[0]).reduction->again == AGAIN_ALWAYS) {
        prepare_second_pass(fold, AGAIN_ALWAYS);
        fold_pass(fold, true);
    }
    end_slot(fold, "again");
    for (uint32_t i = 0; i < kernel->roots.count; i++)
        finish(fold, kernel->roots.items[i]);
    end_slot(fold, "finish");
    store_all(fold, fold->result);
    end_slot(fold, "store");
    return invocations;
}

// Reductions that plan joined: workgroups of their own for each.
static uint64_t emit_joined(Emitter *emitter) {
    const Kernel *whole = emitter->kernel;
    uint64_t first = 0, end = 0;
    uint32_t lanes = schedule_lanes(&whole->schedule);
    emit_parts_note(emitter);
    for (uint32_t i = 0; i < whole->parts.count; i++) {
        Kernel part = kernel_part(whole, i);
        emitter->kernel = &part;
        Fold fold = fold_of(emitter);
        Layout kept = kept_layout(&fold);
        fold.is_part = true;
        EmitScope scope = emit_open_part(emitter, first, invocations_of(&kept, fold.inner_folded));
        if (first) {
            fold.result = emit_name(emitter, "result");
            emit_line(emitter, "int %s = gid - %llu;", fold.result, (unsigned long long)first);
        }
        end = first + emit_fold(&fold);
        emit_close(emitter, scope, true);
        first = (end + lanes - 1) / lanes * lanes;
    }
    emitter->kernel = whole;
    return end;
}

void emit_reduce_link(Emitter *emitter) {
    Fold fold = fold_of(emitter);
    Layout kept = kept_layout(&fold);
    fold.is_part = true;
    EmitScope scope = emit_open_link(emitter, invocations_of(&kept, fold.inner_folded), &fold.number);
    if (fold.inner_folded) {
        fold.result = emit_name(emitter, "result");
        emit_line(emitter, "int %s = %s;", fold.result, emit_index(emitter, fold.number));
    }
    emit_fold(&fold);
    emit_close(emitter, scope, true);
}

uint64_t emit_reduce_kernel(Emitter *emitter, bool tree) {
    if (emitter->kernel->parts.count)
        return emit_joined(emitter);
    Fold fold = fold_of(emitter);
    fold.tree = tree;
    if (tree)
        emit_constant(emitter, "LANES", schedule_lanes(&emitter->kernel->schedule));
    return emit_fold(&fold);
}
