// Adam's first steps, and those after millions, on the device: the bias correction of every beta at every count, as a table or by expm1.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "runtime/session/session.h"
#include "tests/device/op_suite.h"
#include <math.h>
#include <unistd.h>

// One weight with the gradient 1 and no moments before: the step is lr (1 - b1) / c1 / (sqrt((1 - b2) / c2) + eps).
static double wanted(double beta_1, double beta_2, double count) {
    double c1 = -expm1(count * log(beta_1)), c2 = -expm1(count * log(beta_2));
    return -0.01 * (1 - beta_1) / c1 / (sqrt((1 - beta_2) / c2) + 1e-8);
}

static double step_of(Device *device, const char *betas, int32_t count) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    const char *text = arena_format(arena,
                                    "{\"gcc-graph\": 1, \"networks\": {\"n\": {\"inputs\": {\"x\": [1]}, \"nodes\": [{\"parameter\": \"w\", \"shape\": [1], \"init\": \"zeros\"}, "
                                    "{\"expr\": \"sum(w*x)\"}]}}, \"optimizers\": {\"o\": {\"of\": \"n\", \"adam\": {\"lr\": 0.01, %s}}}, \"programs\": {\"p\": {\"mode\": \"train\", "
                                    "\"phases\": [{\"name\": \"a\", \"nodes\": [{\"call\": \"n\", \"in\": \"fill(1.0, [1])\", \"as\": \"l\"}, {\"update\": \"o\", \"minimize\": \"l\"}]}]}}}",
                                    betas);
    Module *module = op_suite_read(arena, text, diag);
    Compiled *compiled = compile_module(arena, module, &(CompileOptions){.target = device_info(device)->target}, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    Session *session = session_create(arena, device, compiled->program, &(SessionOptions){0}, diag);
    ck_assert_msg(session != NULL && session_initialise(session, diag), "%s", diag_text(diag, arena));
    HostTensor before, after;
    ck_assert(session_get(session, arena, "o.count", &before, diag));
    int32_t earlier = count - 1;
    before.data = &earlier;
    ck_assert_msg(session_set(session, "o.count", &before, diag), "%s", diag_text(diag, arena));
    const ProgramEntry *entry = &compiled->program->entries.items[0];
    Moment moment = op_suite_moment();
    SessionResult result;
    bool got;
    ck_assert(session_submit(session, entry, &entry->phases.items[0], &moment, NULL, 0, diag));
    ck_assert(session_take(session, true, &result, &got, diag));
    ck_assert(session_get(session, arena, "n.w", &after, diag));
    float step;
    memcpy(&step, after.data, sizeof step);
    session_destroy(&session);
    arena_destroy(&arena);
    return (double)step;
}

START_TEST(bias_corrections) {
    static const struct {
        const char *betas;
        double beta_1, beta_2;
    } cases[] = {{"\"beta_1\": 0.9, \"beta_2\": 0.999", 0.9, 0.999},
                 {"\"beta_1\": 0.5, \"beta_2\": 0.9999", 0.5, 0.9999},
                 {"\"beta_1\": 0.99999, \"beta_2\": 0.999999", 0.99999, 0.999999},
                 {"\"beta_1\": \"min(0.9, step + 1.0)\", \"beta_2\": \"min(0.99999, step + 1.0)\"", 0.9, 0.99999}};
    static const int32_t counts[] = {1, 2, 10, 1000, 1 << 16, (1 << 20) + 5, 1 << 22, 1 << 30};
    OpSuite suite = op_suite_create();
    Device *device = op_suite_device(&suite);
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint32_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            bool at_run_time = strstr(cases[i].betas, "step") != NULL; // then beta itself is an f32
            double beta_1 = at_run_time ? (double)(float)cases[i].beta_1 : cases[i].beta_1, beta_2 = at_run_time ? (double)(float)cases[i].beta_2 : cases[i].beta_2;
            double got = step_of(device, cases[i].betas, counts[k]), right = wanted(beta_1, beta_2, counts[k]);
            ck_assert_msg(fabs(got - right) <= 3e-6 * fabs(right), "%s, count %d: %.9g instead of %.9g", cases[i].betas, counts[k], got, right);
        }
    op_suite_end(&suite, device);
}
END_TEST

static void add(TCase *tests) { tcase_add_test(tests, bias_corrections); }

int main(void) { return op_suite_main("counts of updates", add); }
