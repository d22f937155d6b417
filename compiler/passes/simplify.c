// The pass `simplify`.
// Needs: a graph without gradient. Gives: a graph without detach, in which no rule of simplify.def fits. Keeps: meaning, order of outputs.
//
// A sweep copies what outputs reach, in order, and rewrites each new node at its root until nothing fits. What a rule builds is looked at
// by the next sweep; the last one finds nothing to do.
#include "compiler/passes/simplify.h"
#include "compiler/passes/simplify_rules.h"
#include "runtime/base/bug.h"

enum { SWEEPS_MAX = 100, REWRITES_MAX = 1000 };

static const Rule rules[] = {
#define RULE(name, match, result, kind) {#name, match, result, kind},
#define CODED(name, op)
#include "compiler/passes/simplify.def"
#undef RULE
#undef CODED
};
enum { RULE_COUNT = sizeof rules / sizeof *rules };

#define OP_any_map OP_NONE
#define OP_any_view OP_COUNT
static const struct {
    Op op;
    CodedRule apply;
} coded[] = {
#define RULE(name, match, result, kind)
#define CODED(name, op) {OP_##op, rule_##name},
#include "compiler/passes/simplify.def"
#undef RULE
#undef CODED
};
enum { CODED_COUNT = sizeof coded / sizeof *coded };

const Rule *simplify_rules(uint32_t *count) {
    *count = RULE_COUNT;
    return rules;
}

typedef struct {
    const Pattern *matches[RULE_COUNT], *results[RULE_COUNT];
} Patterns;

static bool is_for(Op rule, const OpDef *def, Op op) {
    return rule == op || (rule == OP_any_map && def->op_class == CLASS_MAP) || (rule == OP_any_view && def->op_class == CLASS_VIEW);
}

static Value try_rules(const Patterns *patterns, Graph *graph, Value value) {
    Op op = graph_node(graph, value)->op;
    const OpDef *def = op_def(op);
    Type type = graph_type(graph, value);
    for (uint32_t i = 0; i < CODED_COUNT; i++) {
        Value result = is_for(coded[i].op, def, op) ? coded[i].apply(graph, value) : (Value){0};
        if (result.id && result.id != value.id)
            return result;
    }
    for (uint32_t i = 0; i < RULE_COUNT && def->op_class == CLASS_MAP; i++) {
        Value variables[PATTERN_VARIABLES] = {{0}};
        if (patterns->matches[i]->op == op && pattern_match(patterns->matches[i], graph, value, variables))
            return pattern_build(patterns->results[i], graph, variables, &type);
    }
    return (Value){0};
}

static Value rewrite(const Patterns *patterns, Graph *graph, Value value, bool *changed) {
    graph->origin.maker = graph->origin.maker ? graph->origin.maker : "simplify";
    for (uint32_t count = 0; count < REWRITES_MAX; count++) {
        Type type = graph_type(graph, value);
        Value simpler = try_rules(patterns, graph, value);
        if (!simpler.id)
            return value;
        Type new_type = graph_type(graph, simpler);
        if (!type_equal(&type, &new_type))
            graph_bug(graph, value, "a rule makes %s of it", type_text(graph->arena, &new_type));
        value = simpler;
        *changed = true;
    }
    graph_bug(graph, value, "rules undo each other");
}

static Graph *sweep(Arena *arena, const Graph *from, const Patterns *patterns, bool *changed) {
    Graph *graph = graph_create(arena, from->module);
    bool *reached = graph_reached(arena, from);
    Value *moved = ARENA_NEW(arena, Value, from->nodes.count);
    for (uint32_t id = 1; id < from->nodes.count; id++) {
        const Node *node = &from->nodes.items[id];
        if (!reached[id])
            continue;
        Value value = graph_copy_node(graph, node, moved);
        moved[id] = rewrite(patterns, graph, value, changed);
    }
    graph_copy_outputs(graph, from, moved);
    return graph;
}

Graph *simplify_graph(Arena *arena, const Graph *from) {
    Patterns *patterns = ARENA_NEW(arena, Patterns, 1);
    for (uint32_t i = 0; i < RULE_COUNT; i++) {
        patterns->matches[i] = pattern_parse(arena, rules[i].match);
        patterns->results[i] = pattern_parse(arena, rules[i].result);
    }
    Graph *graph = graph_copy(arena, from, NULL);
    for (uint32_t i = 0; i < SWEEPS_MAX; i++) {
        bool changed = false;
        graph = sweep(arena, graph, patterns, &changed);
        if (!changed)
            return graph_copy(arena, graph, NULL);
    }
    bug("rules undo each other");
}
