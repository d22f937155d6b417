// Every elementwise op and reduction at awkward numbers - zeros of both signs, tiny, denormal, huge, infinite, NaN, the ends of integers - as
// data and as constants, on the device against the judge rounded to f32. Infinities, NaN and zeros must agree; denormals may be flushed,
// in what goes in and in what comes out.
#include "tests/device/op_suite.h"
#include <float.h>
#include <math.h>

static const double floats[] = {0,       -0.0,     1,     -1,      0.5,      -2.5,     INFINITY, -INFINITY, NAN,  2,     3,    1e-30,        -1e-30,        FLT_MIN,      -FLT_MIN,
                                1e-40,   -1e-40,   FLT_MAX, -FLT_MAX, 0.99999, 1e5,    88.5,     -104.5,    1e19, -1e19, 7,    2147483648.0, -2147483904.0, 4294967296.0};
enum { COSTLY_COUNT = 9 }; // constants that are tried with ops whose kernels take drivers long
static const double signed_integers[] = {0, 1, -1, 2, -2, 7, -13, 46341, INT32_MAX, INT32_MIN, INT32_MIN + 1};
static const double unsigned_integers[] = {0, 1, 2, 7, 65537, 2147483647, 2147483648, UINT32_MAX};
static const double truths[] = {0, 1};

static const double *awkward(DType dtype, uint32_t *count) {
#define NUMBERS(list) (*count = sizeof(list) / sizeof *(list), (list))
    switch (dtype) {
    case DTYPE_F32:
        return NUMBERS(floats);
    case DTYPE_I32:
        return NUMBERS(signed_integers);
    case DTYPE_U32:
        return NUMBERS(unsigned_integers);
    case DTYPE_BOOL:
    case DTYPE_U8:
    case DTYPE_COUNT:
        break;
    }
    return NUMBERS(truths);
}

// What an output is: op applied to arguments, each a feed's tensor or a constant.
typedef struct {
    Op op;
    const Tensor *args[3];
    Attr attrs[1];
    uint32_t arg_count, attr_count;
} Applied;

typedef struct {
    ARRAY(Applied) outputs;
} Outputs;

static Tensor *rounded(Arena *arena, const Type *type) {
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    *tensor = tensor_create(arena, type);
    return tensor;
}

// Element e of argument `which` counts through all combinations.
static Tensor *combinations(Arena *arena, const DType *dtypes, uint32_t arg_count, uint32_t which) {
    uint32_t total = 1, repeat = 1, count;
    for (uint32_t i = 0; i < arg_count; i++) {
        awkward(dtypes[i], &count);
        repeat *= i < which ? count : 1;
        total *= count;
    }
    Type type = type_make(dtypes[which], 1, &total);
    Tensor *tensor = rounded(arena, &type);
    const double *numbers = awkward(dtypes[which], &count);
    for (uint32_t e = 0; e < total; e++) {
        double number = numbers[e / repeat % count];
        tensor->data[e] = dtypes[which] == DTYPE_F32 ? (double)(float)number : number;
    }
    return tensor;
}

static void put_output(OpSuite *suite, OpCase *the_case, Outputs *outputs, Op op, const Value *args, const Applied *applied) {
    Value value = graph_add(the_case->graph, op, args, applied->arg_count, applied->attrs, applied->attr_count);
    ck_assert_msg(value.id != 0, "%s is refused", op_def(op)->name);
    op_case_emit(suite, the_case, value);
    array_push(suite->arena, &outputs->outputs, *applied);
}

static void end_case(OpSuite *suite, OpCase *the_case, const Outputs *outputs) {
    Outputs *kept = ARENA_NEW(suite->arena, Outputs, 1);
    *kept = *outputs;
    the_case->more = kept;
    op_case_end(suite, the_case);
}

static void add_map(OpSuite *suite, Op op, const DType *dtypes) {
    const OpDef *def = op_def(op);
    Arena *arena = suite->arena;
    OpCase the_case = op_case_begin(suite, arena_format(arena, "%s of %s", def->name, dtype_name(dtypes[def->arg_count - 1])));
    Outputs outputs = {0};
    Applied applied = {.op = op, .arg_count = def->arg_count};
    Value args[3];
    for (uint32_t i = 0; i < def->arg_count; i++) {
        applied.args[i] = combinations(arena, dtypes, def->arg_count, i);
        args[i] = op_case_feed(suite, &the_case, applied.args[i]);
    }
    put_output(suite, &the_case, &outputs, op, args, &applied);
    end_case(suite, &the_case, &outputs);
}

// x op c and c op x for every awkward c, which compilers like to fold.
static void add_constants(OpSuite *suite, Op op, DType dtype) {
    const OpDef *def = op_def(op);
    Arena *arena = suite->arena;
    uint32_t count;
    const double *numbers = awkward(dtype, &count);
    const Tensor *x = combinations(arena, &dtype, 1, 0);
    uint32_t at_once = def->cost > 20 ? 2 : 6; // what one kernel may hold without taking drivers long
    if (def->cost > 20)
        count = COSTLY_COUNT;
    OpCase the_case;
    Outputs outputs = {0};
    Value feed;
    for (uint32_t i = 0; i < count; i++) {
        if (i % at_once == 0) {
            the_case = op_case_begin(suite, arena_format(arena, "%s of %s and constants", def->name, dtype_name(dtype)));
            outputs = (Outputs){0};
            feed = op_case_feed(suite, &the_case, x);
        }
        Value constant = build_full(the_case.graph, &x->type, numbers[i]);
        Tensor *c = rounded(arena, &x->type);
        for (uint32_t e = 0; e < type_count(&c->type); e++)
            c->data[e] = dtype == DTYPE_F32 ? (double)(float)numbers[i] : numbers[i];
        put_output(suite, &the_case, &outputs, op, (Value[]){feed, constant}, &(Applied){.op = op, .args = {x, c}, .arg_count = 2});
        put_output(suite, &the_case, &outputs, op, (Value[]){constant, feed}, &(Applied){.op = op, .args = {c, x}, .arg_count = 2});
        if (i % at_once == at_once - 1 || i + 1 == count)
            end_case(suite, &the_case, &outputs);
    }
}

static void add_maps(OpSuite *suite) {
    for (int op = 1; op < OP_COUNT; op++) {
        const OpDef *def = op_def((Op)op);
        for (uint32_t i = 0, known = 0; def->op_class == CLASS_MAP && i < def->example_count; i++) {
            const OpExample *example = &def->examples[i];
            DType dtypes[3], last = example->args[def->arg_count - 1].dtype;
            if (known >> last & 1 || last == DTYPE_U8)
                continue;
            known |= 1u << last;
            for (uint32_t k = 0; k < def->arg_count; k++)
                dtypes[k] = example->args[k].dtype;
            add_map(suite, (Op)op, dtypes);
            if (def->arg_count == 2)
                add_constants(suite, (Op)op, last);
        }
    }
}

// Rows of ordinary numbers with one or two awkward ones among them, and rows of one awkward number.
static Tensor *rows(Arena *arena, uint32_t width) {
    static const double chosen[] = {0, -0.0, FLT_MIN, 1e-40, 3e37, -3e37, INFINITY, -INFINITY, NAN, 3, 1e19, -1e19};
    enum { CHOSEN = sizeof chosen / sizeof *chosen };
    uint32_t dims[] = {CHOSEN * CHOSEN + 2 * CHOSEN, width};
    Type type = type_make(DTYPE_F32, 2, dims);
    Tensor *tensor = rounded(arena, &type);
    for (uint32_t row = 0; row < dims[0]; row++)
        for (uint32_t i = 0; i < width; i++) {
            double number = (i * 7 % 5) / 4.0;
            if (row < CHOSEN * CHOSEN)
                number = i == row % width ? chosen[row / CHOSEN] : i == (row / 2 + 3) % width ? chosen[row % CHOSEN] : number;
            else if (row < CHOSEN * CHOSEN + CHOSEN)
                number = chosen[row - CHOSEN * CHOSEN];
            else
                number = i == 0 ? chosen[row - CHOSEN * CHOSEN - CHOSEN] : number;
            tensor->data[row * width + i] = (double)(float)number;
        }
    return tensor;
}

static void add_reductions(OpSuite *suite) {
    static const uint32_t widths[] = {5, 8, 300};
    for (int op = 1; op < OP_COUNT; op++)
        for (uint32_t k = 0; op_def((Op)op)->op_class == CLASS_REDUCE && k < 6; k++) {
            Tensor *x = rows(suite->arena, widths[k / 2]);
            if (k % 2) { // folded along the other axis
                Tensor *turned = rounded(suite->arena, &(Type){.dtype = DTYPE_F32, .rank = 2, .dims = {x->type.dims[1], x->type.dims[0]}});
                for (uint32_t a = 0; a < x->type.dims[0]; a++)
                    for (uint32_t b = 0; b < x->type.dims[1]; b++)
                        turned->data[b * x->type.dims[0] + a] = x->data[a * x->type.dims[1] + b];
                x = turned;
            }
            int64_t axis = k % 2 ? 0 : 1;
            OpCase the_case = op_case_begin(suite, arena_format(suite->arena, "%s of %u along axis %d", op_def((Op)op)->name, widths[k / 2], (int)axis));
            Outputs outputs = {0};
            Applied applied = {.op = (Op)op, .args = {x}, .arg_count = 1, .attr_count = 1};
            int64_t *axes = ARENA_NEW(suite->arena, int64_t, 1);
            axes[0] = axis;
            applied.attrs[0] = op_attr((Op)op, 0) == ATTR_axis ? attr_int(axis) : attr_ints(axes, 1);
            Value feed = op_case_feed(suite, &the_case, x);
            put_output(suite, &the_case, &outputs, (Op)op, &feed, &applied);
            end_case(suite, &the_case, &outputs);
        }
}

// ---- what is right

static double flushed(double number) { return fabs(number) < FLT_MIN ? copysign(0, number) : number; }

// The judge's result, with the arguments in `flush` (a bit each) without denormals.
static Tensor judge(Arena *arena, const Applied *applied, uint32_t flush) {
    Graph *graph = graph_create(arena, NULL);
    Value args[3];
    const Tensor *tensors[3];
    for (uint32_t i = 0; i < applied->arg_count; i++) {
        const Tensor *given = applied->args[i];
        int64_t dims[MAX_RANK];
        for (uint32_t axis = 0; axis < given->type.rank; axis++)
            dims[axis] = given->type.dims[axis];
        Attr attrs[3] = {attr_text(arena_format(arena, "x%u", i)), attr_text(dtype_name(given->type.dtype)), attr_ints(dims, given->type.rank)};
        args[i] = graph_add(graph, OP_feed, NULL, 0, attrs, 3);
        Tensor *copy = rounded(arena, &given->type);
        for (uint64_t e = 0; e < type_count(&given->type); e++)
            copy->data[e] = flush >> i & 1 && given->type.dtype == DTYPE_F32 ? flushed(given->data[e]) : given->data[e];
        tensors[i] = copy;
    }
    Value value = graph_add(graph, applied->op, args, applied->arg_count, applied->attrs, applied->attr_count);
    return interpret_node(arena, graph, graph_node(graph, value), tensors);
}

static double tolerance_of(const Applied *applied) {
    const OpDef *def = op_def(applied->op);
    uint32_t width = applied->args[0]->type.dims[applied->attrs[0].kind == ATTR_INT ? applied->attrs[0].integer : def->op_class == CLASS_MAP ? 0 : applied->attrs[0].ints[0]];
    return def->op_class == CLASS_MAP ? 2e-7 * fmin(fmax(def->cost, 1), 8) : 1e-6 + 6e-8 * width; // terms that are alike are all rounded the same way
}

// The terms of a row may cancel, or their squares may be lost beside larger ones: what is left is measured by the largest term.
static double scale_of(const Applied *applied, uint64_t element, double wanted) {
    double scale = fabs(wanted);
    if (applied->op == OP_bce)
        return fmax(scale, fmin(fabs(applied->args[1]->data[element]), FLT_MAX));
    if (op_def(applied->op)->op_class == CLASS_MAP || applied->op == OP_reduce_max)
        return scale;
    const Tensor *x = applied->args[0];
    bool inner = applied->op == OP_argmax ? applied->attrs[0].integer == 1 : applied->attrs[0].ints[0] == 1;
    uint32_t columns = x->type.dims[1], width = inner ? columns : x->type.dims[0], results = inner ? x->type.dims[0] : columns;
    bool is_second = applied->op == OP_moments && element >= results;
    for (uint32_t i = 0; i < width; i++) {
        double term = fabs(x->data[inner ? element % results * columns + i : i * columns + element % results]);
        scale = isfinite(term) && !is_second ? fmax(scale, term) : scale;
    }
    return scale;
}

static bool agrees(const Applied *applied, DType dtype, uint64_t element, double wanted, double got) {
    if (dtype != DTYPE_F32)
        return got == wanted;
    double single = (double)(float)wanted;
    bool is_map = op_def(applied->op)->op_class == CLASS_MAP;
    bool has_free_sign = applied->op == OP_add || applied->op == OP_sub || applied->op == OP_maximum || applied->op == OP_minimum ||
                         applied->op == OP_bce || applied->op == OP_bce_slope;
    if (fabs(single) < FLT_MIN && got != 0 && fabs(got) < FLT_MIN) // a denormal may stand for a zero
        return true;
    if (single == 0 && (!is_map || has_free_sign)) // x + 0 is x, of two zeros either is the larger, and what sums to 0 may have lost terms
        return fabs(got) <= tolerance_of(applied) * scale_of(applied, element, single);
    bool is_turn = applied->op == OP_sin || applied->op == OP_cos;
    if (is_turn && fabs(applied->args[0]->data[element]) > 16384 && isfinite(single)) // Vulkan promises nothing there
        return fabs(got) <= 1;
    if (isnan(single) || isinf(single))
        return isnan(single) ? isnan(got) : got == single;
    if (fabs(single) < FLT_MIN) // may be flushed; zero keeps its sign, but where a step on the way underflows
        return got == 0 && ((wanted != 0 && op_def(applied->op)->cost > 1) || (signbit(got) != 0) == (signbit(single) != 0));
    return fabs(got - single) <= tolerance_of(applied) * scale_of(applied, element, single);
}

static const char *shown(Arena *arena, const Applied *applied, uint64_t element) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < applied->arg_count; i++)
        text_format(&text, "%s%.9g", i ? ", " : "", applied->args[i]->data[element]);
    return op_def(applied->op)->op_class == CLASS_MAP ? text.data : "a row";
}

static uint32_t compare(void *context, const OpCase *the_case, uint32_t output, const void *got, const char *variant) {
    (void)context;
    const Applied *applied = &((const Outputs *)the_case->more)->outputs.items[output];
    Type type = graph_type(the_case->graph, the_case->graph->outputs.items[output].value);
    Arena *arena = arena_create();
    Tensor wanted[8];
    uint32_t variants = 1u << applied->arg_count, failures = 0;
    for (uint32_t flush = 0; flush < variants; flush++)
        wanted[flush] = judge(arena, applied, flush);
    for (uint64_t e = 0; e < type_count(&type); e++) {
        double number = op_number(type.dtype, got, e);
        bool good = false;
        for (uint32_t flush = 0; flush < variants && !good; flush++)
            good = agrees(applied, type.dtype, e, wanted[flush].data[e], number);
        if (!good && failures++ < 6)
            fprintf(stderr, "%s, output %u (%s): element %llu: %s(%s) is %.9g, expected %.9g\n", the_case->name, output, variant, (unsigned long long)e,
                    op_def(applied->op)->name, shown(arena, applied, e), number, wanted[0].data[e]);
    }
    if (failures > 6)
        fprintf(stderr, "%s, output %u (%s): %u elements differ\n", the_case->name, output, variant, failures);
    arena_destroy(&arena);
    return failures > 0;
}

// Maps are the same text in all classes; only loads and stores differ, which other tests compare.
START_TEST(every_map_at_awkward_numbers) {
    OpSuite suite = op_suite_create();
    Device *device = op_suite_device(&suite);
    add_maps(&suite);
    CompileOptions options = {.target = device_info(device)->target};
    ck_assert_uint_eq(op_suite_run(&suite, device, &options, "own class", compare, NULL), 0);
    op_suite_end(&suite, device);
}
END_TEST

START_TEST(every_reduction_at_awkward_numbers) {
    OpSuite suite = op_suite_create();
    Device *device = op_suite_device(&suite);
    add_reductions(&suite);
    ck_assert_uint_eq(op_suite_run_all(&suite, device, compare, NULL), 0);
    op_suite_end(&suite, device);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, every_map_at_awkward_numbers);
    tcase_add_test(tests, every_reduction_at_awkward_numbers);
}

int main(void) { return op_suite_main("ops at awkward numbers", add); }
