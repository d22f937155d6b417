// Interpret: runs a graph in double, node by node, with each op's reference; gives back memory of values nobody needs any more.
#include "compiler/ir/interpret.h"
#include "compiler/ir/expansion.h"
#include "runtime/base/bug.h"
#include "runtime/base/random.h"
#include <stdlib.h>

Tensor tensor_create(Arena *arena, const Type *type) { return (Tensor){.type = *type, .data = ARENA_NEW(arena, double, type_count(type))}; }

static const Tensor *give_argument(void *context, const char *name) { return ((const Tensor *const *)context)[strtoul(name, NULL, 10)]; }

// A composite has the values of its expansion.
static void run_expansion(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    Arena *scratch = arena_create();
    Value result;
    const Graph *inner = expansion_graph(scratch, graph, node, &result);
    bool *needed = ARENA_NEW(scratch, bool, inner->nodes.count);
    needed[result.id] = true;
    Sources sources = {.context = (void *)(uintptr_t)args, .feed = give_argument};
    const Tensor *values = interpret(scratch, inner, &sources, needed, diag_create(scratch));
    CHECK(values);
    memcpy(out->data, values[result.id].data, type_count(&out->type) * sizeof *out->data);
    arena_destroy(&scratch);
}

static void run_op(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    const OpDef *def = op_def(node->op);
    if (def->expand)
        run_expansion(graph, node, args, out);
    else
        def->reference(graph, node, args, out);
}

Tensor interpret_node(Arena *arena, const Graph *graph, const Node *node, const Tensor *const *args) {
    Tensor out = tensor_create(arena, &node->type);
    CHECK(op_def(node->op)->reference || op_def(node->op)->expand);
    run_op(graph, node, args, &out);
    return out;
}

// ---- sources

static int32_t number_of(const Sources *sources, const char *name) {
    if (strcmp(name, "step") == 0)
        return sources->step;
    if (strcmp(name, "steps") == 0)
        return sources->steps;
    if (strcmp(name, "epoch") == 0)
        return sources->epoch;
    if (strcmp(name, "epoch_steps") == 0)
        return sources->epoch_steps;
    if (strcmp(name, "records") == 0)
        return sources->records;
    if (strcmp(name, "index") == 0)
        return sources->index;
    return sources->repetition;
}

static void draw(const Node *node, const Sources *sources, Tensor *out) {
    uint64_t name = random_name(attr_of(node, ATTR_name)->text), count = type_count(&out->type);
    for (uint64_t i = 0; i < count; i++) {
        RandomWords words = random_element(sources->seed, name, (uint32_t)sources->step, (uint32_t)sources->repetition, (uint32_t)i);
        if (node->op == OP_random_normal)
            out->data[i] = random_normal(words);
        else if (node->op == OP_random_uniform)
            out->data[i] = (double)random_uniform(words);
        else
            out->data[i] = random_below(words, (uint32_t)attr_of(node, ATTR_below)->integer);
    }
}

static bool copy_given(const Graph *graph, const Node *node, const Tensor *given, Tensor *out, Diag *diag) {
    const char *what = op_def(node->op)->name, *name = attr_of(node, ATTR_name)->text;
    if (!given) {
        diag_error(diag, NULL, "no numbers for %s \"%s\"", what, name);
        return false;
    }
    if (type_count(&given->type) != type_count(&out->type)) {
        diag_error(diag, NULL, "%s \"%s\" is %s, got %s", what, name, type_text(graph->arena, &out->type),
                   type_text(graph->arena, &given->type));
        return false;
    }
    memcpy(out->data, given->data, type_count(&out->type) * sizeof *out->data);
    return true;
}

// Values that no reference computes.
static bool fill_source(const Graph *graph, const Node *node, const Sources *sources, Tensor *out, Diag *diag) {
    const char *name = node->attr_count ? attr_of(node, ATTR_name)->text : NULL;
    const Tensor *given;
    if (node->op == OP_state)
        return copy_given(graph, node, sources->state ? sources->state(sources->context, name) : NULL, out, diag);
    if (node->op == OP_feed)
        return copy_given(graph, node, sources->feed ? sources->feed(sources->context, name) : NULL, out, diag);
    if (node->op == OP_number) {
        out->data[0] = number_of(sources, name);
        return true;
    }
    CHECK(node->op == OP_random_normal || node->op == OP_random_uniform || node->op == OP_random_integer);
    given = sources->draw ? sources->draw(sources->context, name) : NULL;
    if (given)
        return copy_given(graph, node, given, out, diag);
    draw(node, sources, out);
    return true;
}

// ---- the run

typedef struct {
    const Graph *graph;
    const bool *needed; // NULL: all
    bool *wanted;       // needed, or an argument of what is wanted
    uint32_t *uses;     // by wanted nodes that have not run yet
    Tensor *values;
} Run;

static bool is_needed(const Run *run, uint32_t id) { return !run->needed || run->needed[id]; }

static void count_uses(Run *run) {
    for (uint32_t id = run->graph->nodes.count - 1; id > 0; id--) {
        const Node *node = &run->graph->nodes.items[id];
        run->wanted[id] = run->wanted[id] || is_needed(run, id);
        for (uint32_t i = 0; run->wanted[id] && i < node->arg_count; i++) {
            run->wanted[node->args[i].id] = true;
            run->uses[node->args[i].id]++;
        }
    }
}

static void release(Run *run, uint32_t id) {
    if (!is_needed(run, id)) {
        free(run->values[id].data);
        run->values[id].data = NULL;
    }
}

static bool run_node(Arena *arena, Run *run, uint32_t id, const Sources *sources, const Tensor **args, Diag *diag) {
    const Node *node = &run->graph->nodes.items[id];
    Tensor *out = &run->values[id];
    if (is_needed(run, id))
        *out = tensor_create(arena, &node->type);
    else
        *out = (Tensor){.type = node->type, .data = calloc(type_count(&node->type), sizeof(double))};
    if (!out->data) {
        fprintf(stderr, "gcc-graph: out of host memory\n");
        abort();
    }
    for (uint32_t i = 0; i < node->arg_count; i++)
        args[i] = &run->values[node->args[i].id];
    bool ok = true;
    if (op_def(node->op)->reference || op_def(node->op)->expand)
        run_op(run->graph, node, args, out);
    else
        ok = fill_source(run->graph, node, sources, out, diag);
    for (uint32_t i = 0; i < node->arg_count; i++)
        if (--run->uses[node->args[i].id] == 0)
            release(run, node->args[i].id);
    return ok;
}

Tensor *interpret(Arena *arena, const Graph *graph, const Sources *sources, const bool *needed, Diag *diag) {
    uint32_t count = graph->nodes.count, most_args = 0;
    Run run = {.graph = graph,
               .needed = needed,
               .wanted = ARENA_NEW(arena, bool, count),
               .uses = ARENA_NEW(arena, uint32_t, count),
               .values = ARENA_NEW(arena, Tensor, count)};
    count_uses(&run);
    for (uint32_t id = 1; id < count; id++)
        if (graph->nodes.items[id].arg_count > most_args)
            most_args = graph->nodes.items[id].arg_count;
    const Tensor **args = ARENA_NEW(arena, const Tensor *, most_args);
    bool ok = true;
    for (uint32_t id = 1; id < count; id++)
        if (run.wanted[id])
            ok = run_node(arena, &run, id, sources, args, diag) && ok;
    return ok ? run.values : NULL;
}

// ---- initial numbers

void init_fill(const Init *init, const Type *type, const char *name, uint64_t seed, double *out) {
    uint64_t stream = random_name(name), count = type_count(type), row = type->rank ? count / type->dims[0] : 1;
    uint64_t repeats = init->factor ? (uint64_t)init->factor * init->factor : 1;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t element = repeats > 1 ? i / row / repeats * row + i % row : i;
        RandomWords words = random_element(seed, stream, 0, 0, (uint32_t)element);
        double number = init->a;
        switch (init->kind) {
        case INIT_CONSTANT:
            break;
        case INIT_NORMAL:
            number = init->a + init->b * random_normal(words);
            break;
        case INIT_UNIFORM:
            number = init->a + (init->b - init->a) * (double)random_uniform(words);
            break;
        case INIT_COPY:
            number = 0; // the caller copies
            break;
        }
        out[i] = (double)(float)number;
    }
}
