// The op matrix: every op of the table by its examples. Shapes are inferred and mutated shapes rejected, first and second derivatives
// agree with central differences, equal nodes are one node. Nothing to edit for a new op.
#include "tests/support/compare.h"
#include <check.h>
#include <stdlib.h>

typedef struct {
    Arena *arena;
    const OpDef *def;
    Op op;
    const OpExample *example;
    uint32_t number;
    Graph *graph;
    Inputs inputs;
    Value args[4];
    const char *names[4];
    Value result;
} Case;

static Case case_start(Arena *arena, Op op, uint32_t number) {
    Case test = {.arena = arena, .def = op_def(op), .op = op, .number = number};
    test.example = &test.def->examples[number];
    test.graph = graph_create(arena, inputs_module(arena));
    test.graph->diag = diag_create(arena);
    Tensor *tensors = inputs_draw(arena, test.example, 17 + number);
    for (uint32_t i = 0; i < test.example->arg_count; i++) {
        test.names[i] = test.example->args[i].set ? "net" : inputs_name(arena, "a", i);
        test.args[i] = inputs_source(test.graph, test.names[i], &test.example->args[i]);
        inputs_give(&test.inputs, test.names[i], &tensors[i]);
    }
    test.result = graph_add(test.graph, op, test.args, test.example->arg_count, test.example->attrs, op_attr_count(op));
    ck_assert_msg(test.result.id != 0, "%s example %u: %s", test.def->name, number, diag_text(test.graph->diag, arena));
    return test;
}

// ---- form

static void check_form(const OpDef *def) {
    ck_assert_msg(def->example_count > 0, "%s has no examples", def->name);
    ck_assert_msg(def->example_count <= MAX_EXAMPLES, "%s has too many examples", def->name);
    ck_assert_msg(def->summary && *def->summary, "%s has no summary", def->name);
    ck_assert_msg(def->infer, "%s has no infer", def->name);
    Op found = OP_NONE;
    ck_assert(op_find(def->name, &found));
    ck_assert_str_eq(op_def(found)->name, def->name);
    ck_assert_msg((def->op_class == CLASS_REDUCE) == (def->reduction != NULL), "%s: reductions say how they fold, nothing else does", def->name);
    if (def->op_class == CLASS_MAP)
        ck_assert_msg(def->glsl && def->cost > 0, "%s has no GLSL or no cost", def->name);
    if (def->op_class != CLASS_SOURCE && def->op_class != CLASS_META)
        ck_assert_msg((def->reference != NULL) != (def->expand != NULL), "%s has no reference, or an expansion, too", def->name);
    ck_assert_msg((def->op_class == CLASS_COMPOSITE) == (def->expand != NULL) && !(def->expand && def->vjp), "%s: expansions are for composites, instead of gradients",
                  def->name);
}

static void check_graph(Case *test) {
    Value again = graph_add(test->graph, test->op, test->args, test->example->arg_count, test->example->attrs, op_attr_count(test->op));
    ck_assert_msg(again.id == test->result.id, "%s: an equal node became a second one", test->def->name);
    Text text = text_create(test->arena), problems = text_create(test->arena);
    graph_print(&text, test->graph);
    ck_assert_ptr_nonnull(strstr(text.data, test->def->name));
    ck_assert_msg(graph_verify(test->graph, &problems), "%s: %s", test->def->name, problems.data);
}

// f(0, …, 0) = 0 exactly where the row says so.
static void check_zero(const OpDef *def, Op op) {
    if (def->op_class != CLASS_MAP)
        return;
    Arena *arena = arena_create();
    Graph *graph = graph_create(arena, NULL);
    Value args[4];
    const Tensor *tensors[4];
    for (uint32_t i = 0; i < def->arg_count; i++) {
        Type type = def->examples[0].args[i];
        args[i] = inputs_source(graph, inputs_name(arena, "a", i), &type);
        Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
        *tensor = tensor_create(arena, &type);
        tensors[i] = tensor;
    }
    Value result = graph_add(graph, op, args, def->arg_count, NULL, 0);
    Tensor out = interpret_node(arena, graph, graph_node(graph, result), tensors);
    ck_assert_msg((out.data[0] == 0) == op_keeps_zero(def), "%s of zeros is %g", def->name, out.data[0]);
    arena_destroy(&arena);
}

// f(x, y) = f(y, x) exactly where the row says so.
static void check_order(const Case *test) {
    if (test->def->op_class != CLASS_MAP || test->def->arg_count != 2 || type_count(&test->example->args[0]) < 8)
        return;
    const Tensor *x = test->inputs.tensors[0], *y = test->inputs.tensors[1];
    const Node *node = graph_node(test->graph, test->result);
    Tensor out = interpret_node(test->arena, test->graph, node, (const Tensor *[]){x, y});
    Tensor turned = interpret_node(test->arena, test->graph, node, (const Tensor *[]){y, x});
    bool is_same = !memcmp(out.data, turned.data, type_count(&out.type) * sizeof *out.data);
    ck_assert_msg(is_same == test->def->commutes, "%s %s", test->def->name, is_same ? "commutes" : "does not commute");
}

// ---- mutations: whatever is accepted can be computed; whatever is rejected is reported

typedef struct {
    Type types[4];
    Attr attrs[MAX_ATTRS];
    uint32_t arg_count;
} Mutant;

static uint32_t mutant_count, rejected_count;

static bool try_mutant(const Case *test, const Mutant *mutant) {
    Arena *arena = arena_create();
    Graph *graph = graph_create(arena, inputs_module(arena));
    graph->diag = diag_create(arena);
    Inputs inputs = {0};
    Value args[5] = {{0}};
    for (uint32_t i = 0; i < mutant->arg_count; i++) {
        const char *name = mutant->types[i].set ? "net" : inputs_name(arena, "a", i);
        Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
        *tensor = tensor_create(arena, &mutant->types[i]);
        args[i] = inputs_source(graph, name, &mutant->types[i]);
        inputs_give(&inputs, name, tensor);
    }
    Value result = graph_add(graph, test->op, args, mutant->arg_count, mutant->attrs, op_attr_count(test->op));
    bool accepted = result.id != 0;
    mutant_count++;
    rejected_count += !accepted;
    ck_assert_msg(graph->failed == !accepted, "%s: failed is not set", test->def->name);
    ck_assert_msg((diag_error_count(graph->diag) > 0) == !accepted, "%s: rejected without a message, or the reverse", test->def->name);
    if (!accepted)
        ck_assert_msg(strstr(diag_text(graph->diag, arena), test->def->name), "%s: %s", test->def->name, diag_text(graph->diag, arena));
    if (accepted && (test->def->reference || test->def->expand)) {
        Sources sources = inputs_sources(&inputs);
        ck_assert_ptr_nonnull(interpret(arena, graph, &sources, NULL, graph->diag));
    }
    arena_destroy(&arena);
    return accepted;
}

static void mutate_types(const Case *test, const Mutant *original) {
    bool is_nary_map = test->def->op_class == CLASS_MAP && test->def->arg_count > 1;
    for (uint32_t arg = 0; arg < original->arg_count; arg++) {
        if (original->types[arg].set)
            continue;
        for (uint32_t axis = 0; axis < original->types[arg].rank; axis++) {
            Mutant mutant = *original;
            mutant.types[arg].dims[axis]++;
            bool accepted = try_mutant(test, &mutant);
            ck_assert_msg(!is_nary_map || !accepted, "%s takes shapes that differ", test->def->name);
        }
        for (uint32_t dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            Mutant mutant = *original;
            mutant.types[arg].dtype = (DType)dtype;
            try_mutant(test, &mutant);
        }
        Mutant mutant = *original;
        mutant.types[arg].dims[mutant.types[arg].rank++] = 1;
        bool accepted = try_mutant(test, &mutant);
        ck_assert_msg(!is_nary_map || !accepted, "%s takes ranks that differ", test->def->name);
        mutant = *original;
        if (mutant.types[arg].rank > 0) {
            mutant.types[arg].dims[--mutant.types[arg].rank] = 0;
            try_mutant(test, &mutant);
        }
    }
    Mutant mutant = *original;
    mutant.arg_count = original->arg_count + (original->arg_count < 4 ? 1 : 0);
    mutant.types[3] = original->arg_count < 4 ? type_scalar(DTYPE_F32) : mutant.types[3];
    bool accepted = try_mutant(test, &mutant);
    ck_assert_msg(!accepted || test->def->arg_count == ANY_COUNT, "%s takes any number of arguments", test->def->name);
}

static void mutate_attrs(const Case *test, const Mutant *original) {
    static const int64_t odd[] = {-1, 0, 1000, (int64_t)1 << 40};
    for (uint32_t i = 0; i < op_attr_count(test->op); i++) {
        const Attr *attr = &original->attrs[i];
        Mutant mutant = *original;
        if (attr->kind == ATTR_TEXT) {
            mutant.attrs[i] = attr_text("nonsense");
            try_mutant(test, &mutant);
        }
        for (uint32_t j = 0; j < 4 && attr->kind == ATTR_INT; j++) {
            mutant.attrs[i] = attr_int(odd[j]);
            bool accepted = try_mutant(test, &mutant);
            ck_assert_msg(!accepted || odd[j] >= 0, "%s takes %s = -1", test->def->name, attr_name(op_attr(test->op, i)));
        }
        for (uint32_t k = 0; k < attr->count && attr->kind == ATTR_INTS; k++)
            for (uint32_t j = 0; j < 4; j++) {
                int64_t ints[8];
                memcpy(ints, attr->ints, attr->count * sizeof *ints);
                ints[k] = odd[j];
                mutant.attrs[i] = attr_ints(ints, attr->count);
                bool accepted = try_mutant(test, &mutant);
                ck_assert_msg(!accepted || (odd[j] >= 0 && j < 3), "%s takes %lld in %s", test->def->name, (long long)odd[j],
                              attr_name(op_attr(test->op, i)));
            }
        if (attr->kind == ATTR_INTS && attr->count > 0) {
            mutant.attrs[i] = attr_ints(attr->ints, attr->count - 1);
            try_mutant(test, &mutant);
        }
    }
}

static void check_mutants(const Case *test) {
    Mutant original = {.arg_count = test->example->arg_count};
    memcpy(original.types, test->example->args, sizeof original.types);
    memcpy(original.attrs, test->example->attrs, sizeof original.attrs);
    rejected_count = 0;
    mutate_types(test, &original);
    mutate_attrs(test, &original);
    ck_assert_msg(rejected_count > 0, "%s rejects nothing", test->def->name);
}

// ---- derivatives

// sum(value * random numbers), which are given as the feed `name`.
static Value project(Case *test, Value value, const char *name) {
    Type type = graph_type(test->graph, value);
    Tensor *weights = ARENA_NEW(test->arena, Tensor, 1);
    Type plain = type;
    plain.set = 0;
    *weights = inputs_random(test->arena, &plain, -1, 1, 91 + type_count(&type));
    Value weight = inputs_source(test->graph, name, &plain);
    inputs_give(&test->inputs, name, weights);
    if (type.set) { // no view leads from a tensor to a set but pack
        Value parts[3], flat = weight;
        const Set *set = &test->graph->module->sets.items[0];
        for (uint32_t i = 0; i < 3; i++) {
            const Part *part = &set->parts.items[i];
            Value piece = build_slice(test->graph, flat, 0, (int64_t)part->offset, (int64_t)(part->offset + type_count(&part->type)), 1);
            parts[i] = build_reshape(test->graph, piece, part->type.rank, part->type.dims);
        }
        weight = build_pack(test->graph, 1, parts, 3);
    }
    return build_reduce(test->graph, OP_reduce_sum, build_binary(test->graph, OP_mul, value, weight), NULL, 0);
}

static uint32_t float_args(const Case *test, Value *targets, const char **names) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < test->example->arg_count; i++)
        if (test->example->args[i].dtype == DTYPE_F32) {
            targets[count] = test->args[i];
            names[count++] = test->names[i];
        }
    return count;
}

static void check_derivatives(Case *test) {
    Value targets[5], gradients[4];
    const char *names[5];
    uint32_t count = float_args(test, targets, names);
    if (count == 0 || (!test->def->vjp && !test->def->expand) || graph_type(test->graph, test->result).dtype != DTYPE_F32)
        return;
    Text problem = text_create(test->arena);
    Value scalar = project(test, test->result, "c");
    bool ok = compare_gradients(test->arena, test->graph, scalar, targets, names, count, &test->inputs, &problem);
    ck_assert_msg(ok, "%s example %u: first derivative: %s", test->def->name, test->number, problem.data);
    differentiate(test->graph, scalar, targets, count, gradients);
    Value second = {0};
    for (uint32_t i = 0; i < count; i++) {
        Value part = project(test, gradients[i], inputs_name(test->arena, "d", i));
        second = second.id ? build_binary(test->graph, OP_add, second, part) : part;
    }
    Type cotangent = graph_type(test->graph, test->result);
    cotangent.set = 0;
    targets[count] = inputs_source(test->graph, "c", &cotangent);
    names[count++] = "c";
    ok = compare_gradients(test->arena, test->graph, second, targets, names, count, &test->inputs, &problem);
    ck_assert_msg(ok, "%s example %u: second derivative: %s", test->def->name, test->number, problem.data);
    Text problems = text_create(test->arena);
    ck_assert_msg(graph_verify(test->graph, &problems), "%s: %s", test->def->name, problems.data);
    ck_assert_uint_eq(diag_error_count(test->graph->diag), 0);
}

START_TEST(every_op) {
    Op op = (Op)_i;
    const OpDef *def = op_def(op);
    check_form(def);
    check_zero(def, op);
    for (uint32_t number = 0; number < def->example_count; number++) {
        Arena *arena = arena_create();
        Case test = case_start(arena, op, number);
        check_graph(&test);
        check_order(&test);
        check_derivatives(&test);
        check_mutants(&test);
        arena_destroy(&arena);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("op matrix");
    TCase *all = tcase_create("ops");
    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, every_op, OP_NONE + 1, OP_COUNT);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
