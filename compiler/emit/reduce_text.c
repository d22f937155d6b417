// The text of reductions, filled in (compiler/ir/reduction.h).
#include "compiler/emit/glsl.h"
#include "compiler/emit/reduce_parts.h"
#include "runtime/base/bug.h"
#include <math.h>

const char *reduce_type(const Fold *fold, DType dtype) {
    return glsl_type(dtype, !fold->inner_folded || fold->space.rank > 0);
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

// By a power of two; the sum of squares of what is scaled times this is their mean.
static double scale_of(const Fold *fold) { return exp2(-ceil(log2(fold->count) / 2)); }
static double unscale_of(const Fold *fold) { return 1 / (fold->count * scale_of(fold) * scale_of(fold)); }

enum { WORD_MAX = 24 };

Filling reduce_filling(Fold *fold, Value root) {
    return (Filling){.fold = fold, .root = root, .reduction = op_def(graph_node(fold->emitter->graph, root)->op)->reduction};
}

const char *reduce_choose(const Fold *fold, FoldText text) { return fold->inner_folded && text.folded ? text.folded : text.text; }

static const char *local_name(Filling *filling, const char *word) {
    uint32_t i = 0;
    while (i < REDUCE_LOCALS_MAX && filling->locals[i].word && strcmp(filling->locals[i].word, word))
        i++;
    CHECK(i < REDUCE_LOCALS_MAX);
    if (!filling->locals[i].word) {
        filling->locals[i].word = word;
        filling->locals[i].name = emit_name(filling->fold->emitter, word);
    }
    return filling->locals[i].name;
}

// What is left of an accumulator's four lanes: their sum or largest, or all of them where each is a result.
static const char *whole(const Fold *fold, const char *name, bool is_sum) {
    Emitter *emitter = fold->emitter;
    Arena *arena = emitter->arena;
    if (!fold->inner_folded)
        return name;
    if (is_sum)
        return arena_format(arena, "(%s.x + %s.y) + (%s.z + %s.w)", name, name, name, name);
    return larger(emitter, larger(emitter, arena_format(arena, "%s.x", name), arena_format(arena, "%s.y", name)),
                  larger(emitter, arena_format(arena, "%s.z", name), arena_format(arena, "%s.w", name)));
}

static const char *greater(const Filling *filling, const char *a) {
    Arena *arena = filling->fold->emitter->arena;
    if (filling->fold->space.dtype != DTYPE_F32)
        return arena_format(arena, "greaterThan(%s, %s)", filling->x, a);
    return arena_format(arena, "mix(greaterThan(%s, %s), not(isnan(%s)), isnan(%s))", filling->x, a, a, filling->x);
}

static const char *number_word(const Filling *filling, const char *word) {
    const Fold *fold = filling->fold;
    Arena *arena = fold->emitter->arena;
    if (!strcmp(word, "inverse_count"))
        return glsl_number(arena, DTYPE_F32, 1 / fold->count);
    if (!strcmp(word, "scale"))
        return glsl_number(arena, DTYPE_F32, scale_of(fold));
    if (!strcmp(word, "unscale"))
        return glsl_number(arena, DTYPE_F32, unscale_of(fold));
    return strcmp(word, "limit") ? NULL : glsl_number(arena, DTYPE_F32, 0.5 * sqrt(unscale_of(fold)));
}

static const char *word_text(Filling *filling, const char *word) {
    Fold *fold = filling->fold;
    Arena *arena = fold->emitter->arena;
    const Node *node = graph_node(fold->emitter->graph, filling->root);
    const char *a = arena_format(arena, "a%u", filling->root.id), *b = arena_format(arena, "b%u", filling->root.id), *number = number_word(filling, word);
    bool is_accumulator = word[0] >= 'a' && word[0] <= 'c' && !word[1];
    if (is_accumulator || !strcmp(word, "id"))
        return arena_format(arena, "%s%u", is_accumulator ? word : "", filling->root.id);
    if (!strcmp(word, "x"))
        return filling->x;
    if (!strcmp(word, "first"))
        return filling->first;
    if (!strcmp(word, "T"))
        return reduce_type(fold, fold->space.dtype);
    if (!strcmp(word, "R"))
        return glsl_type(node->type.dtype, !fold->inner_folded);
    if (!strcmp(word, "E"))
        return glsl_type(fold->space.dtype, false);
    if (!strcmp(word, "lowest"))
        return lowest_of(fold->emitter, fold->space.dtype);
    if (!strcmp(word, "position"))
        return position(fold, (uint32_t)attr_of(node, ATTR_axis)->integer);
    if (!strcmp(word, "greater"))
        return greater(filling, a);
    if (text_starts_with(word, "or_nan_"))
        return fold->space.dtype == DTYPE_F32 ? arena_format(arena, " || isnan(%s.%s)", a, word + strlen("or_nan_")) : "";
    if (!strcmp(word, "sum_a") || !strcmp(word, "sum_b"))
        return whole(fold, word[4] == 'a' ? a : b, true);
    if (!strcmp(word, "max_a"))
        return whole(fold, a, false);
    return number ? number : local_name(filling, arena_copy_text(arena, word));
}

const char *reduce_fill(Filling *filling, const char *template) {
    Text text = text_create(filling->fold->emitter->arena);
    for (const char *at = template; *at;) {
        size_t length = strcspn(at, "$");
        text_append_bytes(&text, at, length);
        at += length;
        if (!*at)
            break;
        char word[WORD_MAX] = "";
        length = strspn(++at, "abcdefghijklmnopqrstuvwxyzETR_");
        CHECK(length > 0 && length < WORD_MAX);
        memcpy(word, at, length);
        text_append(&text, word_text(filling, word));
        at += length;
    }
    return text.data;
}

void reduce_lines(Filling *filling, const char *template) {
    while (template && *template) {
        size_t length = strcspn(template, "\n");
        emit_line(filling->fold->emitter, "%s", reduce_fill(filling, arena_copy_bytes(filling->fold->emitter->arena, template, length)));
        template += length + (template[length] == '\n');
    }
}
