// Vocabulary: see vocabulary.h.
#include "compiler/vocabulary.h"
#include "runtime/base/bug.h"
#include "compiler/ir/op.h"
#include "compiler/layers/layer.h"
#include "compiler/layers/spec.h"
#include "compiler/optimizers/optimizer.h"
#include "compiler/read/functions.h"
#include "compiler/read/node_kind.h"

static const char *class_text(OpClass op_class) {
    switch (op_class) {
    case CLASS_SOURCE:
        return "sources: already in memory, or computed from the index alone";
    case CLASS_VIEW:
        return "views: rename indices, cost nothing by themselves";
    case CLASS_MAP:
        return "maps: one element from the same element of each argument";
    case CLASS_REDUCE:
        return "reductions: fold axes away";
    case CLASS_CONTRACT:
        return "contractions: sum products";
    case CLASS_COMPOSITE:
        return "composites: ops that mean the same as others, which compute them unless a kernel of their own does";
    case CLASS_SET:
        return "sets: a flat parameter set from its parts, and back";
    case CLASS_META:
        return "meta: gone before kernels are made";
    }
    bug("there is no class %d of ops", (int)op_class);
}

static const char *kind_text(AttrKind kind) {
    switch (kind) {
    case ATTR_INT:
        return "integer";
    case ATTR_NUMBER:
        return "number";
    case ATTR_INTS:
        return "integers";
    case ATTR_TEXT:
        return "text";
    }
    bug("there is no kind %d of attributes", (int)kind);
}

static void print_row(Text *out, const OpDef *def) { text_format(out, "  %-22s %s\n", def->name, def->summary); }

static void print_details(Text *out, Op op) {
    const OpDef *def = op_def(op);
    text_format(out, "%s: %s\n  op           of the compiler\n", def->name, def->summary);
    text_format(out, "  class        %s\n", class_text(def->op_class));
    if (def->arg_count == ANY_COUNT)
        text_format(out, "  arguments    one or more\n");
    else
        text_format(out, "  arguments    %u\n", def->arg_count);
    for (uint32_t i = 0; i < op_attr_count(op); i++)
        text_format(out, "  %-12s %s: %s\n", i == 0 ? "attributes" : "", attr_name(op_attr(op, i)), kind_text(attr_kind(op_attr(op, i))));
    if (def->word_kind != WORD_INTERNAL)
        text_format(out, "  %-12s %s\n", def->word_kind == WORD_OPERATOR ? "operator" : "function", def->word);
    text_format(out, "  gradient     %s\n", def->vjp || def->expand ? "yes, made of ops" : "none flows");
    if (def->glsl)
        text_format(out, "  GLSL         %s\n", def->glsl);
    for (uint32_t i = 0; i < def->example_count; i++) {
        const OpExample *example = &def->examples[i];
        text_format(out, "  %-12s", i == 0 ? "examples" : "");
        for (uint32_t k = 0; k < example->arg_count; k++)
            text_format(out, " %s", type_text(out->arena, &example->args[k]));
        for (uint32_t k = 0; k < op_attr_count(op); k++) {
            Text text = text_create(out->arena);
            attr_print(&text, &example->attrs[k]);
            text_format(out, " %s=%s", attr_name(op_attr(op, k)), text.data);
        }
        text_append(out, "\n");
    }
}

// ---- the language: layers, functions, optimizers, kinds of nodes

// { "op": "split", "in": "x", "size": …, "axis": … }: what must be there; then what may.
static void print_node(Text *out, const FunctionInfo *function) {
    const char *options = function_options(out->arena, function->name);
    text_format(out, "  node         { \"op\": \"%s\", \"in\": %s", function->name, text_starts_with(function->arguments, "parts") ? "[\"a\", \"b\", …]" : "\"x\"");
    for (int pass = 0; pass < 2; pass++) {
        const char *joint = pass ? "; it may have " : ", ";
        for (const char *at = options; *at; at += strspn(at, " !")) {
            size_t length = strcspn(at, " !");
            bool is_required = at[length] == '!';
            if (is_required == !pass) {
                text_format(out, is_required ? "%s\"%.*s\": …" : "%s\"%.*s\"", joint, (int)length, at);
                joint = ", ";
            }
            at += length;
        }
        text_append(out, pass ? "\n" : " }");
    }
}

// What one word means there; each may be several things, "sum" an op and a function.
static bool explain_language(Text *out, const char *name) {
    bool found = false;
    const LayerDef *layer = layer_find(name);
    if (layer) {
        text_format(out, "%s: %s\n  layer        { \"op\": \"%s\", … }, with weights of its own, made of ops\n  options      %s\n", name, layer->summary, name,
                    spec_shown(out->arena, layer->options, " "));
        found = true;
    }
    const FunctionInfo *function = function_find(name);
    if (function) {
        text_format(out, "%s: %s\n  function     of expressions, %s(%s)%s\n", name, function->summary, name,
                    spec_shown(out->arena, function->arguments, ", "), function_is_op(function) ? ", and an op of nodes" : "");
        if (function_is_op(function))
            print_node(out, function);
        found = true;
    }
    uint32_t count = 0;
    const OptimizerRule *rules = optimizer_rules(&count);
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(rules[i].name, name)) {
            text_format(out, "%s: %s\n  optimizer    { \"of\": NETWORK, \"%s\": { … } }\n  options      %s\n", name, rules[i].summary, name, rules[i].options);
            found = true;
        }
    for (NodeKind kind = 0; kind < NODE_KIND_COUNT; kind++)
        if (!strcmp(node_kind_name(kind), name)) {
            text_format(out, "%s: a kind of node, { \"%s\": … }; graphs/README.md explains it\n", name, name);
            found = true;
        }
    return found;
}

static void print_language(Text *out) {
    uint32_t count = 0;
    const LayerDef *layers = layer_defs(&count);
    text_format(out, "\nlayers: nodes with weights of their own, made of ops\n");
    for (uint32_t i = 0; i < count; i++)
        text_format(out, "  %-22s %s\n  %-22s     options: %s\n", layers[i].name, layers[i].summary, "",
                    spec_shown(out->arena, layers[i].options, " "));
    const FunctionInfo *functions = function_list(&count);
    text_format(out, "\nfunctions: of expressions; each is also an op of nodes, unless a layer has its name\n");
    for (uint32_t i = 0; i < count; i++)
        text_format(out, "  %-16s %-20s %s\n", functions[i].name, spec_shown(out->arena, functions[i].arguments, " "), functions[i].summary);
    const OptimizerRule *rules = optimizer_rules(&count);
    text_format(out, "\noptimizers\n");
    for (uint32_t i = 0; i < count; i++)
        text_format(out, "  %-22s %s\n  %-22s     options: %s\n", rules[i].name, rules[i].summary, "", rules[i].options);
}

// A word that the language has too is listed there alone.
static bool is_of_language(const char *name) { return layer_find(name) || function_find(name); }

void vocabulary_list(Text *out) {
    for (OpClass op_class = CLASS_SOURCE; op_class <= CLASS_META; op_class++) {
        text_format(out, "%s%s\n", op_class == CLASS_SOURCE ? "" : "\n", class_text(op_class));
        bool has_more = false;
        for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
            if (op_def((Op)op)->op_class != op_class)
                continue;
            has_more |= is_of_language(op_def((Op)op)->name);
            if (!is_of_language(op_def((Op)op)->name))
                print_row(out, op_def((Op)op));
        }
        if (has_more)
            text_format(out, "  and some of the layers and functions below\n");
    }
    print_language(out);
}

const char *vocabulary_suggestion(Arena *arena, const char *name) {
    ARRAY(const char *) known = {0};
    uint32_t count = 0;
    const LayerDef *layers = layer_defs(&count);
    for (uint32_t i = 0; i < count; i++)
        array_push(arena, &known, layers[i].name);
    const FunctionInfo *functions = function_list(&count);
    for (uint32_t i = 0; i < count; i++)
        array_push(arena, &known, functions[i].name);
    const OptimizerRule *rules = optimizer_rules(&count);
    for (uint32_t i = 0; i < count; i++)
        array_push(arena, &known, rules[i].name);
    for (NodeKind kind = 0; kind < NODE_KIND_COUNT; kind++)
        array_push(arena, &known, node_kind_name(kind));
    for (int i = OP_NONE + 1; i < OP_COUNT; i++) {
        bool is_known = is_of_language(op_def((Op)i)->name);
        for (uint32_t k = 0; k < known.count && !is_known; k++) // "state" is a kind of node, too
            is_known = strcmp(known.items[k], op_def((Op)i)->name) == 0;
        if (!is_known)
            array_push(arena, &known, op_def((Op)i)->name);
    }
    return text_suggestion(arena, name, known.items, known.count);
}

bool vocabulary_explain(Text *out, const char *name) {
    Op op;
    bool is_word = explain_language(out, name), is_op = op_find(name, &op);
    if (is_op)
        print_details(out, op);
    return is_word || is_op;
}
