// Every example of every op on the device, against the interpreter in double: fused and not, tiles and reference schedule, each device class.
#include "runtime/base/random.h"
#include "tests/device/op_suite.h"
#include <math.h>

typedef struct {
    Op op;
    uint32_t example;
} Example;

static double input_at(const OpExample *example, DType dtype, uint32_t number, uint32_t element) {
    double u = random_uniform(random_element(11, number, 0, 0, element)), x = example->low + (example->high - example->low) * u;
    if (dtype == DTYPE_BOOL)
        return u < 0.5;
    if (dtype != DTYPE_F32)
        return floor(x);
    if (fabs(x) < example->avoid)
        x = x < 0 ? x - example->avoid : x + example->avoid;
    return (double)(float)x;
}

static void add_case(OpSuite *suite, Op op, uint32_t number) {
    const OpDef *def = op_def(op);
    const OpExample *example = &def->examples[number];
    Arena *arena = suite->arena;
    OpCase the_case = op_case_begin(suite, arena_format(arena, "%s, example %u", def->name, number));
    Value args[OP_FEEDS_MAX];
    for (uint32_t i = 0; i < example->arg_count; i++) {
        Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
        *tensor = tensor_create(arena, &example->args[i]);
        for (uint64_t e = 0; e < type_count(&tensor->type); e++)
            tensor->data[e] = input_at(example, tensor->type.dtype, suite->cases.count * 4 + i, (uint32_t)e);
        args[i] = op_case_feed(suite, &the_case, tensor);
    }
    Value out = graph_add(the_case.graph, op, args, example->arg_count, example->attrs, op_attr_count(op));
    ck_assert_msg(out.id != 0, "%s: example %u is refused", def->name, number);
    op_case_emit(suite, &the_case, out);
    Example *kept = ARENA_NEW(arena, Example, 1);
    *kept = (Example){op, number};
    the_case.more = kept;
    op_case_end(suite, &the_case);
}

static double tolerance_of(const OpDef *def, const OpExample *example) {
    double folded = 1;
    for (uint32_t i = 0; i < example->arg_count; i++)
        folded = fmax(folded, (double)type_count(&example->args[i]));
    if (def->op_class == CLASS_VIEW)
        return 0;
    if (def->op_class == CLASS_MAP)
        return 4e-7 * fmax(def->cost, 1);
    if (def->op_class == CLASS_SOURCE)
        return 1e-5; // normals: a few units in the last place of sine and logarithm
    return 4e-7 * sqrt(folded);
}

static uint32_t compare(void *context, const OpCase *the_case, uint32_t output, const void *got, const char *variant) {
    OpSuite *suite = context;
    const Example *example = the_case->more;
    const OpDef *def = op_def(example->op);
    OpCase copy = *the_case;
    Sources sources = op_suite_sources(&copy);
    Value value = the_case->graph->outputs.items[output].value;
    const Tensor *expected = &interpret(suite->arena, the_case->graph, &sources, NULL, suite->diag)[value.id];
    double scale = 0, tolerance = tolerance_of(def, &def->examples[example->example]);
    uint64_t count = type_count(&expected->type);
    for (uint64_t i = 0; i < count; i++)
        scale = fmax(scale, fabs(expected->data[i]));
    for (uint64_t i = 0; i < count; i++) {
        double number = op_number(expected->type.dtype, got, i);
        if (!(fabs(number - expected->data[i]) <= tolerance * fmax(scale, 1))) {
            fprintf(stderr, "%s (%s): element %llu is %.9g, expected %.9g\n", the_case->name, variant, (unsigned long long)i, number, expected->data[i]);
            return 1;
        }
    }
    return 0;
}

START_TEST(every_example_on_the_device) {
    OpSuite suite = op_suite_create();
    Device *device = op_suite_device(&suite);
    for (int op = 1; op < OP_COUNT; op++) {
        const OpDef *def = op_def((Op)op);
        bool fits = def->op_class != CLASS_SET && def->op_class != CLASS_META && op != OP_state && op != OP_table && op != OP_feed;
        for (uint32_t i = 0; fits && i < def->example_count; i++)
            if (def->examples[i].args[0].dtype != DTYPE_U8 && !(op == OP_broadcast && def->examples[i].attrs[op_attr_place(op, ATTR_set)].integer))
                add_case(&suite, (Op)op, i);
    }
    ck_assert_uint_eq(op_suite_run_all(&suite, device, compare, &suite), 0);
    op_suite_end(&suite, device);
}
END_TEST

static void add(TCase *tests) { tcase_add_test(tests, every_example_on_the_device); }

int main(void) { return op_suite_main("ops on the device", add); }
