// What training graphs promise, judged by the interpreter in double: gradients through look-ahead steps and penalties equal central
// differences, a skipped update changes no bit, frozen statistics do not move, and noising in one step is noising step by step.
#include "compiler/ir/differentiate.h"
#include "compiler/ir/interpret.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
    Arena *arena;
    Diag *diag;
    const Module *module;
    const Phase *phase;
    const Graph *graph;
    Tensor *states;
    double draw; // every draw, where it is a number
    int32_t step, repetition;
} Run;

static double number(uint64_t stream, uint64_t element) {
    uint64_t x = stream * 0x9e3779b97f4a7c15u + element * 0xbf58476d1ce4e5b9u + 1;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (double)((x ^ (x >> 31)) >> 40) / 16777216 * 2 - 1;
}

static const Tensor *give_state(void *context, const char *name) {
    Run *run = context;
    return &run->states[module_state_index(run->module, name)];
}

static const Tensor *give_feed(void *context, const char *name) {
    Run *run = context;
    uint32_t i = 0;
    while (strcmp(run->phase->feeds.items[i].name, name))
        i++;
    Tensor *tensor = ARENA_NEW(run->arena, Tensor, 1);
    *tensor = tensor_create(run->arena, &run->phase->feeds.items[i].type);
    for (uint64_t k = 0; k < type_count(&tensor->type); k++)
        tensor->data[k] = number(1000, k);
    return tensor;
}

static const Tensor *give_draw(void *context, const char *name) {
    Run *run = context;
    if (isnan(run->draw))
        return NULL;
    for (uint32_t id = 1; id < run->graph->nodes.count; id++) {
        const Node *node = &run->graph->nodes.items[id];
        if (node->op != OP_random_normal || strcmp(attr_of(node, ATTR_name)->text, name))
            continue;
        Tensor *tensor = ARENA_NEW(run->arena, Tensor, 1);
        *tensor = tensor_create(run->arena, &node->type);
        for (uint64_t i = 0; i < type_count(&node->type); i++)
            tensor->data[i] = run->draw;
        return tensor;
    }
    return NULL;
}

static void fill(const Run *run, uint32_t index) {
    const State *state = &run->module->states.items[index];
    Tensor *tensor = &run->states[index];
    const Set *set = state->type.set ? &run->module->sets.items[state->type.set - 1] : NULL;
    uint64_t count = type_count(&state->type);
    for (uint64_t i = 0; i < count; i++) {
        double x = number(index, i);
        tensor->data[i] = state->kind == STATE_COUNT                                      ? 3
                          : strstr(state->name, ".v.") || strstr(state->name, "variance") ? 1e-4 * (1.5 + x)
                                                                                          : 0.01 * x;
    }
    for (uint32_t k = 0; state->kind == STATE_PARAMETERS && k < set->parts.count; k++) {
        const Part *part = &set->parts.items[k];
        double rows = (double)(type_count(&part->type) / part->type.dims[0]);
        for (uint64_t i = 0; i < type_count(&part->type); i++)
            tensor->data[part->offset + i] = number(index, part->offset + i) * (part->type.rank > 1 ? sqrt(3 / rows) : 0.3) +
                                             (text_ends_with(part->name, "scale") ? 1 : 0);
    }
}

// Reads graphs/NAME.json at preset `check` with a piece of its text replaced.
static Run start(const char *name, const char *const *replacements, const char *const *defines, uint32_t define_count, const char *program,
                 uint32_t phase) {
    Run run = {.arena = arena_create(), .draw = NAN, .step = 7};
    run.diag = diag_create(run.arena);
    const char *path = arena_format(run.arena, "graphs/%s.json", name);
    char copy[] = "/tmp/gcc-graph-training-XXXXXX.json";
    if (replacements) {
        size_t size;
        const char *text = file_read(run.arena, path, &size, run.diag);
        Text changed = text_create(run.arena);
        for (const char *at = text; *at;) {
            if (!strncmp(at, replacements[0], strlen(replacements[0]))) {
                text_append(&changed, replacements[1]);
                at += strlen(replacements[0]);
            } else if (!strncmp(at, "\"blocks/", 8)) {
                text_append(&changed, "\"" GG_SOURCE_DIR "/graphs/blocks/");
                at += 8;
            } else {
                text_append_bytes(&changed, at++, 1);
            }
        }
        ck_assert_msg(strcmp(changed.data, text), "\"%s\" is not in %s", replacements[0], path);
        ck_assert(mkstemps(copy, 5) >= 0 && file_write(copy, changed.data, changed.length, run.diag));
        path = copy;
    }
    ReadOptions options = {.path = path,
                           .preset = "check",
                           .defines = defines,
                           .define_count = define_count,
                           .programs = &program,
                           .program_count = 1,
                           .keep_values = true};
    run.module = read_document(run.arena, &options, run.diag);
    if (replacements)
        remove(copy);
    ck_assert_msg(run.module != NULL, "%s", diag_text(run.diag, run.arena));
    run.phase = &module_program(run.module, program)->phases.items[phase];
    run.graph = differentiate_graph(run.arena, run.phase->graph);
    run.states = ARENA_NEW(run.arena, Tensor, run.module->states.count);
    for (uint32_t i = 0; i < run.module->states.count; i++) {
        run.states[i] = tensor_create(run.arena, &run.module->states.items[i].type);
        fill(&run, i);
    }
    return run;
}

static const Tensor *go(Run *run) {
    Sources sources = {.context = run,
                       .state = give_state,
                       .feed = give_feed,
                       .draw = give_draw,
                       .seed = 5,
                       .step = run->step,
                       .steps = 100,
                       .epoch_steps = 10,
                       .repetition = run->repetition};
    bool *needed = ARENA_NEW(run->arena, bool, run->graph->nodes.count);
    for (uint32_t i = 0; i < run->graph->outputs.count; i++)
        needed[run->graph->outputs.items[i].value.id] = true;
    const Tensor *values = interpret(run->arena, run->graph, &sources, needed, run->diag);
    ck_assert_msg(values != NULL, "%s", diag_text(run->diag, run->arena));
    return values;
}

static const Tensor *output(const Run *run, const Tensor *values, OutputKind kind, const char *name) {
    for (uint32_t i = 0; i < run->graph->outputs.count; i++)
        if (run->graph->outputs.items[i].kind == kind && !strcmp(run->graph->outputs.items[i].name, name))
            return &values[run->graph->outputs.items[i].value.id];
    return NULL;
}

// ---- gradients

// The worst difference between an update's gradient and central differences of the report, over a random direction in each part,
// relative to the gradient; `norm` is the gradient's size.
static double against_differences(Run *run, const char *optimizer, const char *network, const char *report, double *norm) {
    const State *state = module_state(run->module, network);
    const Set *set = &run->module->sets.items[state->type.set - 1];
    double *parameters = run->states[module_state_index(run->module, network)].data, worst = 0, squares = 0;
    const Tensor *values = go(run);
    for (uint32_t k = 0; k < set->parts.count; k++) {
        const Tensor *gradient =
            output(run, values, OUTPUT_VALUE, arena_format(run->arena, "gradients/%s.%s", optimizer, set->parts.items[k].name));
        for (uint64_t i = 0; i < type_count(&gradient->type); i++)
            squares += gradient->data[i] * gradient->data[i];
    }
    *norm = sqrt(squares);
    for (uint32_t k = 0; k < set->parts.count; k++) {
        const Part *part = &set->parts.items[k];
        const Tensor *gradient = output(run, values, OUTPUT_VALUE, arena_format(run->arena, "gradients/%s.%s", optimizer, part->name));
        uint64_t count = type_count(&part->type);
        double length = 0, slope = 0, loss[2], h = 1e-6, own = 0;
        for (uint64_t i = 0; i < count; i++)
            length += number(77 + k, i) * number(77 + k, i);
        for (uint64_t i = 0; i < count; i++) {
            slope += gradient->data[i] * number(77 + k, i) / sqrt(length);
            own += gradient->data[i] * gradient->data[i];
        }
        for (int side = 0; side < 2; side++) {
            double move = side ? h : -h;
            for (uint64_t i = 0; i < count; i++)
                parameters[part->offset + i] += move * number(77 + k, i) / sqrt(length);
            loss[side] = output(run, go(run), text_starts_with(report, "values/") ? OUTPUT_VALUE : OUTPUT_REPORT, report)->data[0];
            for (uint64_t i = 0; i < count; i++)
                parameters[part->offset + i] -= move * number(77 + k, i) / sqrt(length);
        }
        double error = fabs((loss[1] - loss[0]) / (2 * h) - slope) / (sqrt(own) + 1e-3 * *norm);
        worst = error > worst ? error : worst;
    }
    return worst;
}

START_TEST(unrolled_steps_carry_gradients) {
    double norm, still;
    // Large steps of the discriminator, so that looking ahead matters.
    Run run = start("unrolled_gan", (const char *const[]){"\"lr\": 0.0001", "\"lr\": 0.01"}, NULL, 0, "train", 0);
    double error = against_differences(&run, "g", "G", "loss_g", &norm);
    ck_assert_msg(error < 1e-6, "worst error %g", error);
    arena_destroy(&run.arena);
    run = start("unrolled_gan", (const char *const[]){"\"lr\": 0.0001", "\"lr\": 0.0"}, NULL, 0, "train", 0);
    against_differences(&run, "g", "G", "loss_g", &still);
    ck_assert_msg(fabs(norm - still) > 1e-3 * norm, "the look-ahead does not matter: %g and %g", norm, still);
    arena_destroy(&run.arena);
}
END_TEST

// A loss after one step, minimised by the values before it (model-agnostic meta-learning): the step's own path, p - lr …, counts too.
START_TEST(an_update_reaches_through_a_step_of_its_own) {
    double norm;
    Run run =
        start("unrolled_gan", (const char *const[]){"\"if\": \"K > 0\", \"commit\": \"d[1]\"", "\"update\": \"d\", \"minimize\": \"l[1]\""},
              NULL, 0, "train", 0);
    double error = against_differences(&run, "d", "D", "values/train.both.l.1", &norm);
    ck_assert_msg(error < 1e-6 && norm > 1e-3, "worst error %g of %g", error, norm);
    arena_destroy(&run.arena);
}
END_TEST

// A convolutional critic with layer norm and leaky ReLU; and one with instance norm and softplus.
START_TEST(gradient_penalty_carries_gradients) {
    double norm;
    static const char *const smooth[] = {"smooth=1"};
    Run run = start("wgan_gp", NULL, smooth, (uint32_t)_i, "train", 0);
    double error = against_differences(&run, "c", "critic", "loss", &norm);
    ck_assert_msg(error < 1e-6 && norm > 1e-3, "worst error %g of %g", error, norm);
    arena_destroy(&run.arena);
}
END_TEST

// ---- updates and states

// How many of an optimizer's and network's states changed in any bit.
static uint32_t count_changes(Run *run, const char *optimizer, const char *network) {
    const Tensor *values = go(run);
    const char *prefix = arena_format(run->arena, "%s.", optimizer);
    uint32_t changes = 0;
    for (uint32_t i = 0; i < run->module->states.count; i++) {
        const State *state = &run->module->states.items[i];
        const Tensor *after = output(run, values, OUTPUT_STATE, state->name);
        if ((strcmp(state->name, network) && !text_starts_with(state->name, prefix)) || !after)
            continue;
        changes += memcmp(after->data, run->states[i].data, type_count(&state->type) * sizeof(double)) != 0;
    }
    return changes;
}

START_TEST(a_skipped_update_changes_no_bit) {
    static const char *const with_ema[] = {"\"c\": {\"of\": \"critic\",", "\"c\": {\"of\": \"critic\", \"ema\": 0.9,"};
    static const char *const never[] = {"threshold=-1"}, *const always[] = {"threshold=2"};
    Run run = start("balance", with_ema, never, 1, "train", 0);
    ck_assert_uint_eq(count_changes(&run, "c", "critic"), 0);
    arena_destroy(&run.arena);
    run = start("balance", with_ema, never, 1, "train", 1);
    ck_assert_uint_eq(count_changes(&run, "g", "G"), 4); // parameters, m, v, count
    arena_destroy(&run.arena);
    run = start("balance", with_ema, always, 1, "train", 0);
    ck_assert_uint_eq(count_changes(&run, "c", "critic"), 5); // and the EMA
    arena_destroy(&run.arena);
}
END_TEST

START_TEST(kept_statistics_do_not_move) {
    static const char *const small[] = {"E=32", "batch=2", "size=64", "GF=4", "GF1=4", "DF=4"};
    Run run = start("stackgan_stage2", NULL, small, 6, "train", 0);
    uint32_t own = 0, frozen = 0, states = 0;
    for (uint32_t i = 0; i < run.graph->outputs.count; i++)
        if (run.graph->outputs.items[i].kind == OUTPUT_STATE) {
            frozen += text_starts_with(run.graph->outputs.items[i].name, "s1.");
            own += text_ends_with(run.graph->outputs.items[i].name, ".variance");
        }
    for (uint32_t i = 0; i < run.module->states.count; i++)
        states += text_starts_with(run.module->states.items[i].name, "s1.");
    ck_assert_uint_eq(frozen, 0);
    ck_assert_uint_gt(states, 8);
    ck_assert_uint_gt(own, 8);
    arena_destroy(&run.arena);
}
END_TEST

// Two power iterations would move u twice: keep_state makes one call a step the one that counts.
START_TEST(one_power_iteration_a_step) {
    Run run = start("spectral_norm", NULL, NULL, 0, "train", 0);
    const Tensor *values = go(&run);
    const char *prefix = "D.sn_conv2d";
    for (uint32_t i = 0; i < run.module->states.count; i++) {
        const State *state = &run.module->states.items[i];
        if (!text_starts_with(state->name, prefix) || !text_ends_with(state->name, ".u"))
            continue;
        const Set *set = &run.module->sets.items[module_state(run.module, "D")->type.set - 1];
        const Part *part = NULL;
        for (uint32_t k = 0; k < set->parts.count; k++)
            if (!strncmp(set->parts.items[k].name, state->name, strlen(state->name) - 1) &&
                text_ends_with(set->parts.items[k].name, ".weight"))
                part = &set->parts.items[k];
        const double *w = run.states[module_state_index(run.module, "D")].data + part->offset, *u = run.states[i].data;
        uint32_t rows = part->type.dims[0], columns = (uint32_t)(type_count(&part->type) / rows);
        double *v = ARENA_NEW(run.arena, double, columns), *next = ARENA_NEW(run.arena, double, rows), length = 0;
        for (uint32_t c = 0; c < columns; c++)
            for (uint32_t r = 0; r < rows; r++)
                v[c] += u[r] * w[r * columns + c];
        for (uint32_t r = 0; r < rows; r++) {
            for (uint32_t c = 0; c < columns; c++)
                next[r] += w[r * columns + c] * v[c];
            length += next[r] * next[r];
        }
        const Tensor *after = output(&run, values, OUTPUT_STATE, state->name);
        for (uint32_t r = 0; r < rows; r++)
            ck_assert_double_eq_tol(after->data[r], next[r] / sqrt(length), 1e-9);
    }
    arena_destroy(&run.arena);
}
END_TEST

// ---- diffusion

static const Table *find_table(const Module *module, const char *name) {
    for (uint32_t i = 0; i < module->tables.count; i++)
        if (!strcmp(module->tables.items[i].name, name))
            return &module->tables.items[i];
    return NULL;
}

// x_t = sqrt(alpha_t) x_(t-1) + sqrt(beta_t) e, t times, has the mean and variance of sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) e.
START_TEST(noising_at_once_is_noising_step_by_step) {
    static const char *const longer[] = {"T=1000"};
    Run run = start("ddpm_mnist", NULL, longer, 1, "forward_process", 1);
    ck_assert_ptr_nonnull(find_table(run.module, "alpha_bar"));
    double mean = 1, variance = 0, beta_1 = 1e-4, beta_t = 0.02;
    int32_t t = -1;
    for (run.repetition = 0; run.repetition < 10; run.repetition++) {
        for (int32_t wanted = run.repetition * 999 / 9; t < wanted;) {
            double beta = beta_1 + (beta_t - beta_1) * ++t / 999;
            mean *= sqrt(1 - beta);
            variance = (1 - beta) * variance + beta;
        }
        double first[2];
        for (int draw = 0; draw < 2; draw++) {
            run.draw = draw;
            first[draw] = output(&run, go(&run), OUTPUT_EMIT, "forward")->data[3];
        }
        double x0 = give_state(&run, "forward_process.x0")->data[3];
        ck_assert_double_eq_tol(first[0], mean * x0, 1e-7);
        ck_assert_double_eq_tol(first[1] - first[0], sqrt(variance), 1e-6);
    }
    arena_destroy(&run.arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("read_training");
    TCase *all = tcase_create("promises");
    tcase_set_timeout(all, 600);
    tcase_add_test(all, unrolled_steps_carry_gradients);
    tcase_add_test(all, an_update_reaches_through_a_step_of_its_own);
    tcase_add_loop_test(all, gradient_penalty_carries_gradients, 0, 2);
    tcase_add_test(all, a_skipped_update_changes_no_bit);
    tcase_add_test(all, kept_statistics_do_not_move);
    tcase_add_test(all, one_power_iteration_a_step);
    tcase_add_test(all, noising_at_once_is_noising_step_by_step);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
