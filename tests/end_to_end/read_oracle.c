// One step of every program of every shipped graph, interpreted in double, against what the PyTorch oracle computed from the same numbers
// (fixtures/, recorded by record_oracle.py, which says how inputs are made and what is kept of results).
#include "compiler/ir/differentiate.h"
#include "compiler/ir/interpret.h"
#include "compiler/read/read.h"
#include "runtime/base/json.h"
#include "runtime/tensor/tensor_file.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { SAMPLES = 24 };
#define TOLERANCE 2e-8 // relative to the tensor's mean absolute value, or
#define FLOOR 1e-6     // to this: gradients that are 0 come out as rounding errors

typedef struct {
    Arena *arena;
    const Module *module;
    const GraphProgram *program;
    const Phase *phase;
    const TensorFile *expected;
    uint32_t compared, wrong;
    int32_t step, repetition;
    Tensor *states;
} Replay;

// ---- the inputs, as record_oracle.py makes them

static uint64_t fnv(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static double uniform(const char *name, uint64_t element) {
    uint64_t x = fnv(name) + element * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return (double)(x >> 40) / 16777216;
}

static void make(const char *name, const Type *type, double *out) {
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    uint64_t count = type_count(type);
    bool is_m = strstr(name, ".m."), is_v = strstr(name, ".v.");
    for (uint64_t i = 0; i < count; i++) {
        double u = uniform(name, i), x = u - 0.5;
        if (is_v || !strcmp(last, "variance"))
            x = (is_v ? 0.0001 : 1) * (0.5 + u);
        else if (is_m)
            x = 0.01 * (u - 0.5);
        else if (!strcmp(last, "scale") || !strcmp(last, "latent_n"))
            x = 0.5 + u;
        else if (!strcmp(last, "latent_sum2"))
            x = 40 + u;
        else if (type->rank >= 2 && !strcmp(last, "weight"))
            x = (2 * u - 1) * sqrt(3 / (double)(count / type->dims[0]));
        out[i] = (double)(float)x;
    }
}

static const char *part_name(const Replay *replay, const State *state, const Part *part) {
    if (state->kind == STATE_PARAMETERS)
        return part->name;
    size_t prefix = strlen(state->name) - strlen(state->network); // "opt.m."
    return arena_format(replay->arena, "%.*s%s", (int)prefix, state->name, part->name);
}

static void make_states(Replay *replay) {
    replay->states = ARENA_NEW(replay->arena, Tensor, replay->module->states.count);
    for (uint32_t i = 0; i < replay->module->states.count; i++) {
        const State *state = &replay->module->states.items[i];
        Tensor *tensor = &replay->states[i];
        *tensor = tensor_create(replay->arena, &state->type);
        if (state->kind == STATE_COUNT) {
            tensor->data[0] = 3;
        } else if (state->type.set) {
            const Set *set = &replay->module->sets.items[state->type.set - 1];
            for (uint32_t k = 0; k < set->parts.count; k++)
                make(part_name(replay, state, &set->parts.items[k]), &set->parts.items[k].type, tensor->data + set->parts.items[k].offset);
        } else {
            make(state->name, &state->type, tensor->data);
        }
    }
}

static const Tensor *give_state(void *context, const char *name) {
    Replay *replay = context;
    return &replay->states[module_state_index(replay->module, name)];
}

static const Tensor *give_feed(void *context, const char *name) {
    Replay *replay = context;
    const Feed *feed = NULL;
    for (uint32_t i = 0; i < replay->program->inputs.count; i++)
        if (!strcmp(replay->program->inputs.items[i].name, name))
            feed = &replay->program->inputs.items[i];
    for (uint32_t i = 0; i < replay->phase->feeds.count; i++)
        if (!strcmp(replay->phase->feeds.items[i].name, name))
            feed = &replay->phase->feeds.items[i];
    ck_assert_ptr_nonnull(feed);
    Tensor *tensor = ARENA_NEW(replay->arena, Tensor, 1);
    *tensor = tensor_create(replay->arena, &feed->type);
    const char *full = feed->data ? arena_format(replay->arena, "feeds/%s.%s.%s@%d.%d", replay->program->name, replay->phase->name, name,
                                                 replay->step, replay->repetition)
                                  : arena_format(replay->arena, "feeds/%s.%s@0.0", replay->program->name, name);
    uint32_t below = 0;
    for (uint32_t i = 0; feed->data && i < replay->module->data.count; i++)
        for (uint32_t k = 0; k < replay->module->data.items[i].fields.count; k++)
            if (!strcmp(replay->module->data.items[i].name, feed->data) &&
                !strcmp(replay->module->data.items[i].fields.items[k].name, feed->field))
                below = replay->module->data.items[i].fields.items[k].below;
    for (uint64_t i = 0; i < type_count(&feed->type); i++) // the oracle has an input's default as it has a let
        tensor->data[i] = feed->default_count ? feed->defaults[i % feed->default_count] : feed->type.dtype == DTYPE_F32 ? 2 * uniform(full, i) - 1 : floor(uniform(full, i) * below);
    return tensor;
}

static const Tensor *give_draw(void *context, const char *name) {
    Replay *replay = context;
    const Graph *graph = replay->phase->graph;
    for (uint32_t id = 1; id < graph->nodes.count; id++) {
        const Node *node = &graph->nodes.items[id];
        if ((node->op != OP_random_normal && node->op != OP_random_uniform && node->op != OP_random_integer) ||
            strcmp(attr_of(node, ATTR_name)->text, name))
            continue;
        Tensor *tensor = ARENA_NEW(replay->arena, Tensor, 1);
        *tensor = tensor_create(replay->arena, &node->type);
        const char *full = arena_format(replay->arena, "draws/%s@%d.%d", name, replay->step, replay->repetition);
        for (uint64_t i = 0; i < type_count(&node->type); i++) {
            double u = uniform(full, i);
            tensor->data[i] = node->op == OP_random_normal    ? (double)(float)(3 * u - 1.5)
                              : node->op == OP_random_uniform ? u
                                                              : floor(u * (double)attr_of(node, ATTR_below)->integer);
        }
        return tensor;
    }
    return NULL;
}

// ---- comparison

static void compare(Replay *replay, const char *name, const double *data, uint64_t count) {
    const HostTensor *expected = tensor_file_find(replay->expected, name);
    if (!expected)
        return;
    const double *want = expected->data;
    uint64_t samples = count < SAMPLES ? count : SAMPLES;
    ck_assert_msg(expected->dtype == ELEMENT_F64 && expected->dims[0] == samples + 2, "%s: another size (%llu elements here)", name,
                  (unsigned long long)count);
    double sum = 0, sizes = 0, worst = 0, scale = want[1] / (double)count;
    for (uint64_t i = 0; i < count; i++) {
        sum += data[i];
        sizes += fabs(data[i]);
    }
    worst = fmax(fabs(sum - want[0]), fabs(sizes - want[1])) / (want[1] + FLOOR * (double)count);
    for (uint64_t i = 0; i < samples; i++) {
        double error = fabs(data[i * 2654435761u % count] - want[2 + i]) / (scale + fabs(want[2 + i]) + FLOOR);
        worst = isnan(error) || error > worst ? error : worst;
    }
    replay->compared++;
    if (!(worst < TOLERANCE) && replay->wrong++ < 12)
        fprintf(stderr, "  %s: off by %.2g (sum %.10g, expected %.10g; first %.10g, expected %.10g)\n", name, worst, sum, want[0], data[0],
                want[2]);
}

static void compare_outputs(Replay *replay, const Graph *graph, const Tensor *values) {
    static const char *const kinds[] = {[OUTPUT_REPORT] = "report/", [OUTPUT_EMIT] = "emits/", [OUTPUT_VALUE] = ""};
    for (uint32_t i = 0; i < graph->outputs.count; i++) {
        const Output *output = &graph->outputs.items[i];
        const Tensor *tensor = &values[output->value.id];
        if (output->kind == OUTPUT_STATE || (output->at.id && !values[output->at.id].data[0]))
            continue;
        const char *phase =
            output->kind == OUTPUT_REPORT ? arena_format(replay->arena, "%s.%s.", replay->program->name, replay->phase->name) : "";
        const char *name =
            arena_format(replay->arena, "%s%s%s@%d.%d", kinds[output->kind], phase, output->name, replay->step, replay->repetition);
        ck_assert_msg(tensor_file_find(replay->expected, name) != NULL, "the oracle has no \"%s\"", name);
        compare(replay, name, tensor->data, type_count(&tensor->type));
    }
}

static void store_states(Replay *replay, const Graph *graph, const Tensor *values) {
    for (uint32_t i = 0; i < graph->outputs.count; i++) {
        const Output *output = &graph->outputs.items[i];
        if (output->kind == OUTPUT_STATE)
            memcpy(replay->states[module_state_index(replay->module, output->name)].data, values[output->value.id].data,
                   type_count(&values[output->value.id].type) * sizeof(double));
    }
}

static void compare_states(Replay *replay) {
    for (uint32_t i = 0; i < replay->module->states.count; i++) {
        const State *state = &replay->module->states.items[i];
        const Set *set = state->type.set ? &replay->module->sets.items[state->type.set - 1] : NULL;
        for (uint32_t k = 0; set && k < set->parts.count; k++)
            compare(replay, arena_format(replay->arena, "after/%s", part_name(replay, state, &set->parts.items[k])),
                    replay->states[i].data + set->parts.items[k].offset, type_count(&set->parts.items[k].type));
        if (!set)
            compare(replay, arena_format(replay->arena, "after/%s", state->name), replay->states[i].data, type_count(&state->type));
    }
}

static void run_phase(Replay *replay, const Graph *graph, int32_t epoch_steps, Diag *diag) {
    Arena *arena = arena_create(), *outer = replay->arena;
    replay->arena = arena;
    Sources sources = {.context = replay,
                       .state = give_state,
                       .feed = give_feed,
                       .draw = give_draw,
                       .step = replay->step,
                       .steps = replay->step + 1,
                       .epoch_steps = epoch_steps,
                       .epoch = replay->step / epoch_steps,
                       .repetition = replay->repetition,
                       .records = replay->phase->feeds.count ? (int32_t)replay->phase->feeds.items[0].batch : 0};
    bool *needed = ARENA_NEW(arena, bool, graph->nodes.count);
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        needed[graph->outputs.items[i].value.id] = needed[graph->outputs.items[i].at.id] = true;
    const Tensor *values = interpret(arena, graph, &sources, needed, diag);
    ck_assert_msg(values != NULL, "%s", diag_text(diag, arena));
    compare_outputs(replay, graph, values);
    store_states(replay, graph, values);
    replay->arena = outer;
    arena_destroy(&arena);
}

static void replay_program(const char *graph_name, const char *program_name, const char *fixture) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    TensorFile expected;
    ck_assert_msg(safetensors_read(arena, fixture, &expected, diag), "%s", diag_text(diag, arena));
    const char *define = tensor_file_metadata(&expected, "define");
    Json *json = json_parse(arena, "define", define, strlen(define), diag);
    ARRAY(const char *) defines = {0};
    for (const Json *item = json->first; item; item = item->next)
        array_push(arena, &defines, arena_format(arena, "%s=%.17g", item->key, item->number));
    const char *folder = strcmp(graph_name, "everything") ? "graphs" : "tests/end_to_end/fixtures";
    ReadOptions options = {.path = arena_format(arena, "%s/%s/%s.json", GG_SOURCE_DIR, folder, graph_name),
                           .preset = "check",
                           .defines = defines.items,
                           .define_count = defines.count,
                           .programs = &program_name,
                           .program_count = 1,
                           .keep_values = true};
    const Module *module = read_document(arena, &options, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    Replay replay = {.arena = arena, .module = module, .program = module_program(module, program_name), .expected = &expected};
    replay.step = atoi(tensor_file_metadata(&expected, "step"));
    int32_t epoch_steps = atoi(tensor_file_metadata(&expected, "epoch_steps"));
    make_states(&replay);
    for (uint32_t i = 0; i < replay.program->phases.count; i++) {
        replay.phase = &replay.program->phases.items[i];
        Graph *graph = differentiate_graph(arena, replay.phase->graph);
        int32_t repeat = atoi(tensor_file_metadata(&expected, arena_format(arena, "repeat.%s", replay.phase->name)));
        ck_assert(replay.phase->repeat == 0 || (int32_t)replay.phase->repeat == repeat);
        for (replay.repetition = 0; replay.repetition < repeat; replay.repetition++)
            run_phase(&replay, graph, epoch_steps, diag);
    }
    compare_states(&replay);
    ck_assert_uint_eq(replay.wrong, 0);
    ck_assert_msg(replay.compared >= expected.tensors.count, "%u of %u tensors compared", replay.compared, expected.tensors.count);
    arena_destroy(&arena);
}

static const struct {
    const char *graph, *program;
} cases[] = {
    {"balance", "train"},
    {"balance", "sample"},
    {"ddpm_mnist", "train"},
    {"ddpm_mnist", "sample"},
    {"ddpm_mnist", "sample_ddim"},
    {"ddpm_mnist", "forward_process"},
    {"features", "train"},
    {"features", "features"},
    {"features", "classify"},
    {"latent_diffusion", "train_vae"},
    {"latent_diffusion", "measure"},
    {"latent_diffusion", "train"},
    {"latent_diffusion", "sample"},
    {"mnist_feature_matching", "train"},
    {"mnist_feature_matching", "sample"},
    {"mnist_gan", "train"},
    {"mnist_gan", "sample"},
    {"mnist_mgan", "train"},
    {"mnist_mgan", "sample"},
    {"mnist_minibatch", "train"},
    {"mnist_minibatch", "sample"},
    {"mnist_unrolled", "train"},
    {"mnist_unrolled", "sample"},
    {"mnist_wgan", "train"},
    {"mnist_wgan", "sample"},
    {"ring_balance", "train"},
    {"ring_balance", "sample"},
    {"ring_feature_matching", "train"},
    {"ring_feature_matching", "sample"},
    {"ring_gan", "train"},
    {"ring_gan", "sample"},
    {"ring_mgan", "train"},
    {"ring_mgan", "sample"},
    {"ring_minibatch", "train"},
    {"ring_minibatch", "sample"},
    {"ring_spectral_norm", "train"},
    {"ring_spectral_norm", "sample"},
    {"ring_unrolled", "train"},
    {"ring_unrolled", "sample"},
    {"ring_wgan", "train"},
    {"ring_wgan", "sample"},
    {"ring_wgan_gp", "train"},
    {"ring_wgan_gp", "sample"},
    {"spectral_norm", "train"},
    {"spectral_norm", "sample"},
    {"stackgan_stage1", "train"},
    {"stackgan_stage1", "sample"},
    {"stackgan_stage1", "sample_text"},
    {"stackgan_stage2", "train"},
    {"stackgan_stage2", "sample"},
    {"stackgan_stage2", "sample_text"},
    {"stackgan_stage2_pixelshuffle", "train"},
    {"stackgan_stage2_pixelshuffle", "sample"},
    {"stackgan_stage2_pixelshuffle", "sample_text"},
    {"unrolled_gan", "train"},
    {"wgan_gp", "train"},
    {"wgan_gp", "sample"},
    {"everything", "train"},
    {"everything", "look"},
};

START_TEST(equals_the_oracle) {
    char fixture[512];
    snprintf(fixture, sizeof fixture, "%s/tests/end_to_end/fixtures/%s.%s.safetensors", GG_SOURCE_DIR, cases[_i].graph, cases[_i].program);
    replay_program(cases[_i].graph, cases[_i].program, fixture);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("read_oracle");
    TCase *all = tcase_create("programs");
    tcase_set_timeout(all, 600);
    tcase_add_loop_test(all, equals_the_oracle, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
