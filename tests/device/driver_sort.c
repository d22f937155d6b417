// Sorting on the device and by the judge against a plain stable sort: rows of every kind of length that blocks and merges meet, with ties, NaN, zeros
// of both signs, infinities and the ends of integers.
#include "tests/device/op_suite.h"
#include <math.h>

static const uint32_t lengths[] = {1, 2, 31, 64, 65, 127, 128, 200, 1009, 4160};
enum { LENGTH_COUNT = sizeof lengths / sizeof *lengths, ROWS = 2 };

typedef struct {
    const Tensor *x;
    bool descending;
} Sorting;

static uint32_t next(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

// A quarter of the numbers are few, so that there are ties.
static double number_of(DType dtype, uint32_t *state) {
    static const double floats[] = {0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 1e30, -1e30, 1.5}, integers[] = {0, 1, -1, INT32_MAX, INT32_MIN, 7},
                        unsigned_integers[] = {0, 1, INT32_MAX, 2147483648.0, UINT32_MAX, 7};
    bool is_chosen = next(state) % 4 == 0;
    uint32_t u = next(state);
    if (dtype == DTYPE_F32)
        return is_chosen ? floats[u % 10] : (double)((float)u / 65536.0f - 128.0f);
    if (dtype == DTYPE_I32)
        return is_chosen ? integers[u % 6] : (double)(int32_t)u - 8388608.0;
    return is_chosen ? unsigned_integers[u % 6] : 255.0 * u;
}

static bool comes_before(double a, double b) { return a < b || (isnan(b) && !isnan(a)); }

// Merges of halves, as plain as can be.
static void sort_stably(const double *x, uint32_t *order, uint32_t *scratch, uint32_t count, bool descending) {
    if (count < 2)
        return;
    uint32_t half = count / 2, i = 0, j = half, n = 0;
    sort_stably(x, order, scratch, half, descending);
    sort_stably(x, order + half, scratch, count - half, descending);
    while (i < half || j < count) {
        bool takes_right = i == half || (j < count && (descending ? comes_before(x[order[i]], x[order[j]]) : comes_before(x[order[j]], x[order[i]])));
        scratch[n++] = takes_right ? order[j++] : order[i++];
    }
    memcpy(order, scratch, count * sizeof *order);
}

static void add_case(OpSuite *suite, DType dtype, uint32_t length, bool descending) {
    Type type = type_make(dtype, 2, (uint32_t[]){ROWS, length});
    Tensor *x = ARENA_NEW(suite->arena, Tensor, 1);
    *x = tensor_create(suite->arena, &type);
    uint32_t state = length * 3 + (uint32_t)dtype;
    for (uint64_t i = 0; i < type_count(&type); i++)
        x->data[i] = number_of(dtype, &state);
    OpCase the_case = op_case_begin(suite, arena_format(suite->arena, "%s%s", type_text(suite->arena, &type), descending ? ", descending" : ""));
    Value value = op_case_feed(suite, &the_case, x);
    op_case_emit(suite, &the_case, build_argsort(the_case.graph, value, 1, descending));
    Sorting *kept = ARENA_NEW(suite->arena, Sorting, 1);
    *kept = (Sorting){x, descending};
    the_case.more = kept;
    op_case_end(suite, &the_case);
}

static uint32_t compare(void *context, const OpCase *the_case, uint32_t output, const void *got, const char *variant) {
    OpSuite *suite = context;
    const Sorting *sorting = the_case->more;
    uint32_t length = sorting->x->type.dims[1], *order = ARENA_NEW(suite->arena, uint32_t, length), *scratch = ARENA_NEW(suite->arena, uint32_t, length);
    OpCase copy = *the_case;
    Sources sources = op_suite_sources(&copy);
    Value value = the_case->graph->outputs.items[output].value;
    const double *judged = interpret(suite->arena, the_case->graph, &sources, NULL, suite->diag)[value.id].data;
    for (uint32_t row = 0; row < ROWS; row++) {
        for (uint32_t i = 0; i < length; i++)
            order[i] = i;
        sort_stably(sorting->x->data + (uint64_t)row * length, order, scratch, length, sorting->descending);
        for (uint32_t i = 0; i < length; i++) {
            double device = op_number(DTYPE_I32, got, (uint64_t)row * length + i), judge = judged[(uint64_t)row * length + i];
            if (device == order[i] && judge == order[i])
                continue;
            fprintf(stderr, "%s (%s): place %u of row %u is taken by %u, the device says %.0f, the judge %.0f\n", the_case->name, variant, i, row, order[i], device, judge);
            return 1;
        }
    }
    return 0;
}

START_TEST(every_length_is_sorted) {
    static const DType dtypes[] = {DTYPE_F32, DTYPE_I32, DTYPE_U32};
    OpSuite suite = op_suite_create();
    Device *device = op_suite_device(&suite);
    for (uint32_t i = 0; i < LENGTH_COUNT; i++)
        for (uint32_t k = 0; k < 3; k++) // integers at some lengths, down at others
            if (k == 0 || i % 3 == k)
                add_case(&suite, dtypes[k], lengths[i], (i + k) % 2);
    ck_assert_uint_eq(op_suite_run_all(&suite, device, compare, &suite), 0);
    op_suite_end(&suite, device);
}
END_TEST

static void add(TCase *tests) { tcase_add_test(tests, every_length_is_sorted); }

int main(void) { return op_suite_main("sorting", add); }
