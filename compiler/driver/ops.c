// `ops`: the reference of ops, layers, optimizers and functions, made from the tables that define them.
#include "compiler/driver/arguments.h"
#include "compiler/ir/op.h"
#include "compiler/layers/layer.h"
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
    case CLASS_SET:
        return "sets: a flat parameter set from its parts, and back";
    case CLASS_META:
        return "meta: gone before kernels are made";
    }
    return "";
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
    return "";
}

static void print_row(const OpDef *def) { printf("  %-22s %s\n", def->name, def->summary); }

static void print_details(const OpDef *def, Arena *arena) {
    printf("%s: %s\n  op           of the compiler\n", def->name, def->summary);
    printf("  class        %s\n", class_text(def->op_class));
    if (def->arg_count == ANY_COUNT)
        printf("  arguments    one or more\n");
    else
        printf("  arguments    %u\n", def->arg_count);
    for (uint32_t i = 0; i < def->attr_count; i++)
        printf("  %-12s %s: %s\n", i == 0 ? "attributes" : "", def->attrs[i].name, kind_text(def->attrs[i].kind));
    if (def->word_kind != WORD_INTERNAL)
        printf("  %-12s %s\n", def->word_kind == WORD_OPERATOR ? "operator" : "function", def->word);
    printf("  gradient     %s\n", def->vjp ? "yes, made of ops" : "none flows");
    if (def->glsl)
        printf("  GLSL         %s\n", def->glsl);
    for (uint32_t i = 0; i < def->example_count; i++) {
        const OpExample *example = &def->examples[i];
        printf("  %-12s", i == 0 ? "examples" : "");
        for (uint32_t k = 0; k < example->arg_count; k++)
            printf(" %s", type_text(arena, &example->args[k]));
        for (uint32_t k = 0; k < def->attr_count; k++) {
            Text text = text_create(arena);
            attr_print(&text, &example->attrs[k]);
            printf(" %s=%s", def->attrs[k].name, text.data);
        }
        putchar('\n');
    }
}

// ---- the language: layers, functions, optimizers, kinds of nodes

// What one word means there; each may be several things, "sum" an op and a function.
static bool explain_language(const char *name) {
    bool found = false;
    const LayerDef *layer = layer_find(name);
    if (layer) {
        printf("%s: %s\n  layer        { \"op\": \"%s\", … }, with weights of its own, made of ops\n  options      %s\n", name, layer->summary, name, layer->options);
        found = true;
    }
    const FunctionInfo *function = function_find(name);
    if (function) {
        printf("%s: %s\n  function     of expressions, %s(", name, function->summary, name);
        for (const char *at = function->arguments; *at; at++)
            fputs(*at == ' ' ? ", " : (char[]){*at, 0}, stdout);
        printf("), and an op of nodes\n");
        found = true;
    }
    uint32_t count = 0;
    const OptimizerRule *rules = optimizer_rules(&count);
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(rules[i].name, name)) {
            printf("%s: %s\n  optimizer    { \"of\": NETWORK, \"%s\": { … } }\n  options      %s\n", name, rules[i].summary, name, rules[i].options);
            found = true;
        }
    for (NodeKind kind = 0; kind < NODE_KIND_COUNT; kind++)
        if (!strcmp(node_kind_name(kind), name)) {
            printf("%s: a kind of node, { \"%s\": … }; graphs/README.md explains it\n", name, name);
            found = true;
        }
    return found;
}

static void print_language(void) {
    uint32_t count = 0;
    const LayerDef *layers = layer_defs(&count);
    printf("\nlayers: nodes with weights of their own, made of ops\n");
    for (uint32_t i = 0; i < count; i++)
        printf("  %-22s %s\n  %-22s     options: %s\n", layers[i].name, layers[i].summary, "", layers[i].options);
    const FunctionInfo *functions = function_list(&count);
    printf("\nfunctions: of expressions; each is also an op of nodes\n");
    for (uint32_t i = 0; i < count; i++)
        printf("  %-16s %-20s %s\n", functions[i].name, functions[i].arguments, functions[i].summary);
    const OptimizerRule *rules = optimizer_rules(&count);
    printf("\noptimizers\n");
    for (uint32_t i = 0; i < count; i++)
        printf("  %-22s %s\n  %-22s     options: %s\n", rules[i].name, rules[i].summary, "", rules[i].options);
}

// A word that the language has too is listed there alone.
static bool is_of_language(const char *name) { return layer_find(name) || function_find(name); }

static int print_all(void) {
    for (OpClass op_class = CLASS_SOURCE; op_class <= CLASS_META; op_class++) {
        printf("%s%s\n", op_class == CLASS_SOURCE ? "" : "\n", class_text(op_class));
        bool has_more = false;
        for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
            if (op_def((Op)op)->op_class != op_class)
                continue;
            has_more |= is_of_language(op_def((Op)op)->name);
            if (!is_of_language(op_def((Op)op)->name))
                print_row(op_def((Op)op));
        }
        if (has_more)
            printf("  and some of the layers and functions below\n");
    }
    print_language();
    return 0;
}

static const char *suggestion(Arena *arena, const char *name) {
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

static int run(Arguments *arguments) {
    if (arguments->operands.count == 0)
        return print_all();
    const char *name = arguments->operands.items[0];
    Op op;
    bool found = explain_language(name);
    if (op_find(name, &op))
        print_details(op_def(op), arguments->arena);
    else if (!found)
        diag_error(arguments->diag, NULL, "there is no op, layer, function or optimizer \"%s\"%s", name, suggestion(arguments->arena, name));
    return found || op_find(name, &op) ? 0 : 1;
}

const Command ops_command = {
    .usage = "[NAME]",
    .description =
        "Lists the ops of the compiler by class, and the layers, functions and optimizers of the graph language (graphs/README.md) that\n"
        "expand to them; or explains one of these: options of a layer or optimizer; arguments, attributes, gradient, GLSL and examples of an op.",
    .examples = "ops\nops conv2d\nops adam",
    .operands_min = 0,
    .operands_max = 1,
    .run = run,
};
