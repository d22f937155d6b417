// Limits: what one kernel would compute of too many values, or of too many buffers, is stored in between.
#include "compiler/passes/fuse_parts.h"
#include <stdlib.h>

// Computed where it is used.
static bool is_inline(const Fuse *fuse, uint32_t id) { return !fuse_has_buffer(fuse, id) && node_at(fuse, id)->op != OP_unpack; }

void fuse_refuse(Fuse *fuse, uint32_t id, uint32_t root, const char *reason) {
    array_push(fuse->list->arena, &fuse->list->decisions, arena_format(fuse->list->arena, "%%%u stays out of kernel of %%%u: %s", id, root, reason));
}

static void store(Fuse *fuse, uint32_t id, const char *reason) {
    fuse->stored[id] = true;
    array_push(fuse->list->arena, &fuse->list->decisions, arena_format(fuse->list->arena, "%%%u is stored: %s", id, reason));
}

// ---- sizes

static uint32_t count_inline(Fuse *fuse, uint32_t id) {
    uint32_t count = 1;
    for (uint32_t i = 0; i < node_at(fuse, id)->arg_count; i++) {
        uint32_t arg = node_at(fuse, id)->args[i].id;
        if (is_inline(fuse, arg) && fuse_visit(fuse, arg, 1))
            count += count_inline(fuse, arg);
    }
    return count;
}

void fuse_limit_sizes(Fuse *fuse) {
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        const Node *node = node_at(fuse, id);
        if (!fuse->reached[id])
            continue;
        uint32_t size = 1; // what is shared counts twice at first
        for (uint32_t i = 0; i < node->arg_count; i++)
            size += is_inline(fuse, node->args[i].id) ? fuse->sizes[node->args[i].id] : 0;
        if (size > FUSE_STORE_SIZE_MAX) {
            fuse->visit++;
            size = count_inline(fuse, id);
        }
        fuse->sizes[id] = size;
        bool storable = class_at(fuse, id) == CLASS_MAP || (class_at(fuse, id) == CLASS_VIEW && !fuse_is_alias(fuse, id));
        if (size > FUSE_STORE_SIZE_MAX && storable && is_inline(fuse, id))
            store(fuse, id, "with all that it is made of, a kernel would compute too much");
    }
}

// ---- bindings

// The values computed inline below a store, and the buffers that each of them needs.
typedef struct {
    Fuse *fuse;
    Arena *arena;
    Indices below;        // in the order of a walk down from the store, which is the first
    uint32_t *place;      // by value id: where `below` or `leaves` has it; valid where visited
    Indices leaves;
    uint64_t *needs;      // by place in `below`: a bit for each leaf
    uint32_t words;       // of such a set
} Tree;

static void walk(Tree *tree, uint32_t id) {
    Fuse *fuse = tree->fuse;
    tree->place[id] = tree->below.count;
    array_push(tree->arena, &tree->below, id);
    for (uint32_t i = 0; i < node_at(fuse, id)->arg_count; i++) {
        uint32_t arg = node_at(fuse, id)->args[i].id;
        if (!fuse_visit(fuse, arg, 1))
            continue;
        if (is_inline(fuse, arg)) {
            walk(tree, arg);
            continue;
        }
        tree->place[arg] = tree->leaves.count;
        array_push(tree->arena, &tree->leaves, arg);
    }
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint64_t *needs_of(const Tree *tree, uint32_t id) { return tree->needs + (size_t)tree->place[id] * tree->words; }

// From the arguments up.
static void find_needs(Tree *tree) {
    uint32_t *order = (uint32_t *)(void *)arena_copy_bytes(tree->arena, tree->below.items, tree->below.count * sizeof *tree->below.items);
    qsort(order, tree->below.count, sizeof *order, ascending);
    tree->words = tree->leaves.count / 64 + 1;
    tree->needs = ARENA_NEW(tree->arena, uint64_t, (size_t)tree->below.count * tree->words);
    for (uint32_t i = 0; i < tree->below.count; i++) {
        const Node *node = node_at(tree->fuse, order[i]);
        uint64_t *needs = needs_of(tree, order[i]);
        for (uint32_t a = 0; a < node->arg_count; a++) {
            uint32_t arg = node->args[a].id;
            if (is_inline(tree->fuse, arg))
                for (uint32_t w = 0; w < tree->words; w++)
                    needs[w] |= needs_of(tree, arg)[w];
            else
                needs[tree->place[arg] / 64] |= UINT64_C(1) << tree->place[arg] % 64;
        }
    }
}

static uint32_t count_needs(const Tree *tree, uint32_t id) {
    uint32_t count = 0;
    for (uint32_t w = 0; w < tree->words; w++)
        count += (uint32_t)__builtin_popcountll(needs_of(tree, id)[w]);
    return count;
}

// Where the store `id` needs more than `most` buffers: the inlined map or concat below it with the most that still fits one kernel; else 0.
static uint32_t widest_below(Fuse *fuse, uint32_t id, uint32_t most, Arena *scratch, uint32_t *place) {
    Tree tree = {.fuse = fuse, .arena = scratch, .place = place};
    fuse->visit++;
    walk(&tree, id);
    if (tree.leaves.count <= most)
        return 0;
    find_needs(&tree);
    uint32_t best = 0, best_count = 1;
    for (uint32_t i = 1; i < tree.below.count; i++) {
        uint32_t value = tree.below.items[i], count = class_at(fuse, value) == CLASS_MAP || node_at(fuse, value)->op == OP_concat ? count_needs(&tree, value) : 0;
        if (count > best_count && count <= most) {
            best = value;
            best_count = count;
        }
    }
    return best;
}

void fuse_limit_bindings(Fuse *fuse) {
    uint32_t most = kernel_loads_max(fuse->context->target), best;
    Arena *scratch = arena_create();
    uint32_t *place = ARENA_NEW(fuse->list->arena, uint32_t, fuse->graph->nodes.count);
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        if (!fuse->reached[id] || !fuse->stored[id] || class_at(fuse, id) == CLASS_SET)
            continue;
        for (; (best = widest_below(fuse, id, most, scratch, place)); arena_reset(scratch))
            store(fuse, best, "a kernel that computed it too would bind too many buffers");
        arena_reset(scratch);
    }
    arena_destroy(&scratch);
}
