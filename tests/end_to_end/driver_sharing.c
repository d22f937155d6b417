// Networks that share, copy and tie parameters, and parts of an optimizer: three training steps against PyTorch (record_sharing.py says how
// the numbers were made), resuming, and what is not computed for frozen parameters.
#include "compiler/ir/differentiate.h"
#include "compiler/read/read.h"
#include "compiler/reference/states.h"
#include "tests/end_to_end/command.h"
#include <math.h>

enum { STEPS = 3, REPORTS_MAX = 8 };

static const char *fixture(const char *name) { return arena_format(arena, GG_SOURCE_DIR "/tests/end_to_end/fixtures/%s.json", name); }

static const char *replaced(const char *text, const char *old, const char *new) {
    const char *at = strstr(text, old);
    ck_assert_msg(at != NULL, "no %s", old);
    return arena_format(arena, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

static const Module *read_module(const char *path) {
    ReadOptions options = {.path = path};
    const Module *module = read_document(arena, &options, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    return module;
}

// ---- steps by the interpreter

static double initial(const char *name, uint64_t k) {
    uint32_t sum = 0;
    for (const char *at = name; *at; at++)
        sum += (unsigned char)*at;
    return 0.4 * sin(0.3 * (sum % 17) + 0.7 * (double)k);
}

// Parameters as record_sharing.py has them; what begins as a copy (as it did, drawn) copies them.
static States fill_states(const Module *module) {
    States states = states_create(arena, module, 3);
    StateParts parts = states_parts(&states, NULL);
    for (uint32_t i = 0; i < module->states.count; i++) {
        const State *state = &module->states.items[i];
        if (state->init.kind == INIT_COPY)
            ck_assert_mem_eq(states.tensors[i].data, states_get(&states, state->init.copy)->data,
                             sizeof(double) * type_count(&state->type));
    }
    for (uint32_t i = 0; i < parts.count; i++)
        for (uint64_t k = 0; parts.items[i].state->kind == STATE_PARAMETERS && k < type_count(&parts.items[i].type); k++)
            parts.items[i].data[k] = initial(parts.items[i].name, k);
    for (uint32_t i = 0; i < module->states.count; i++) {
        const State *state = &module->states.items[i];
        if (state->init.kind == INIT_COPY)
            states_set(&states, state->name, states_get(&states, state->init.copy));
    }
    return states;
}

static const Tensor *fed; // of every feed
static const Tensor *give_feed(void *context, const char *name) {
    (void)context, (void)name;
    return fed;
}

static const Tensor *give_state(void *context, const char *name) { return states_get(context, name); }

// One step; its reports, in their order.
static void take_step(States *states, const Graph *graph, int32_t step, double *reports) {
    Sources sources = {
        .context = states, .state = give_state, .feed = give_feed, .seed = 3, .step = step, .steps = STEPS, .epoch_steps = 1};
    const Tensor *values = interpret(arena, graph, &sources, NULL, diag);
    ck_assert_msg(values != NULL, "%s", diag_text(diag, arena));
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        if (graph->outputs.items[i].kind == OUTPUT_REPORT)
            reports[count++] = values[graph->outputs.items[i].value.id].data[0];
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        if (graph->outputs.items[i].kind == OUTPUT_STATE)
            states_set(states, graph->outputs.items[i].name, &values[graph->outputs.items[i].value.id]);
}

static const struct {
    const char *name;
    uint32_t count;
    double reports[STEPS][REPORTS_MAX];
} recorded[] = {
    {"shared_flow", // the loss, the worst error of flow and inverse, the size of the gradient by both, what the averaged inverse makes
     4,
     {{1.50976188155723, 0, 2.93474501850451, 0.537886318504938},
      {1.11055467348458, 0, 2.52124441695016, 0.54581085828224},
      {0.551376830486028, 0, 1.92522725708467, 0.536917776196966}}},
    {"tied", // the loss, the size of the gradient by the embedding that is also the last layer, a loss with averaged weights
     3,
     {{5.16957175911521, 0.140007826010035, 1.91582597879085},
      {4.90022957869399, 0.102225737331157, 1.73682525811159},
      {4.68666008908143, 0.119348045782192, 1.55571711831091}}},
    {"target", // the loss, norms of the network, the target and the predictor, what the average makes, the gradient's norm before clipping
     6,
     {{0.0985981759212278, 2.60170345359167, 2.60405571473604, 1.50741680109865, 4.12579199639061, 0.477494499851104},
      {0.0879176653754679, 2.58954289052699, 2.59178409143472, 1.58430505156297, 3.51967842217333, 0.592643546653114},
      {0.0262480009054038, 2.5903999708655, 2.57793130725438, 1.65073372914259, 2.63828648068325, 0.320067983833504}}},
};
enum { RECORDED = sizeof recorded / sizeof *recorded };
static const char *const graphs[] = {"shared_flow", "tied", "target", "copies"};
enum { GRAPHS = sizeof graphs / sizeof *graphs };

START_TEST(steps_are_as_pytorch_takes_them) {
    const Module *module = read_module(fixture(recorded[_i].name));
    const Graph *graph = differentiate_graph(arena, module_program(module, "train")->phases.items[0].graph);
    States states = fill_states(module);
    for (int32_t step = 0; step < STEPS; step++) {
        double reports[REPORTS_MAX] = {0};
        take_step(&states, graph, step, reports);
        for (uint32_t i = 0; i < recorded[_i].count; i++)
            ck_assert_msg(fabs(reports[i] - recorded[_i].reports[step][i]) < 1e-12, "%s, step %d, report %u: %.15g, PyTorch has %.15g",
                          recorded[_i].name, step, i, reports[i], recorded[_i].reports[step][i]);
    }
}
END_TEST

static uint32_t report_index(const Module *module, const char *name) {
    const Graph *graph = module_program(module, "train")->phases.items[0].graph;
    uint32_t index = 0;
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        if (graph->outputs.items[i].kind == OUTPUT_REPORT && strcmp(graph->outputs.items[i].name, name) == 0)
            return index;
        else
            index += graph->outputs.items[i].kind == OUTPUT_REPORT;
    ck_abort_msg("no report %s", name);
}

// Copies begin equal and go their ways; mixtures are mixtures; what a set says is what a call with it computes.
START_TEST(networks_of_one_template_mix) {
    const Module *module = read_module(fixture("copies"));
    const Graph *graph = differentiate_graph(arena, module_program(module, "train")->phases.items[0].graph);
    States states = states_create(arena, module, 3);
    for (int32_t step = 0; step < STEPS; step++) {
        double reports[REPORTS_MAX] = {0};
        take_step(&states, graph, step, reports);
        double apart = reports[report_index(module, "apart")], lag = reports[report_index(module, "lag")];
        ck_assert_msg(step ? apart > 1e-3 : apart == 0, "step %d: apart by %g", step, apart);
        ck_assert_double_lt(reports[report_index(module, "mixed")], 1e-12);
        ck_assert_double_eq(reports[report_index(module, "same")], 0);
        ck_assert_double_gt(reports[report_index(module, "trained")], 1e-3);
        ck_assert_double_gt(reports[report_index(module, "slope")], 1e-3);
        ck_assert_double_gt(lag, 1e-3); // of the one parameter that has an average
        ck_assert_double_lt(lag, 0.1);
    }
    ck_assert_ptr_nonnull(module_state(module, "net.norm.mean"));
    ck_assert_ptr_null(module_state(module, "again.norm.mean"));
    ck_assert_str_eq(module_state(module, "slow.norm.mean")->init.copy, "net.norm.mean");
}
END_TEST

// A record of an optimizer that has a part of a network: what is computed of both is of that part, whichever stands first; a call and a set
// leave the rest. Of w = 4 alone, that is; b is 7.
START_TEST(records_of_a_part_go_with_the_whole) {
    write_text(in_folder("g.json"),
               "{\"gcc-graph\": 1, \"networks\": {\"f\": {\"inputs\": {}, \"nodes\": [{\"parameter\": \"w\", \"shape\": [1], \"init\": {\"constant\": 4}}, {\"parameter\": \"b\", \"shape\": [1], \"init\": {\"constant\": 7}},"
               "{\"expr\": \"sum(10*w + b)\"}]}}, \"optimizers\": {\"opt\": {\"of\": \"f.w\", \"sgd\": {\"lr\": 0.1}}}, \"programs\": {\"train\": {\"mode\": \"train\", \"phases\": [{\"name\": \"p\", \"nodes\": ["
               "{\"snapshot\": \"opt\", \"as\": \"old\"}, {\"call\": \"f\", \"in\": {}, \"as\": \"y\"}, {\"set\": \"f\", \"to\": \"3*f\"}, {\"expr\": \"norm(f - old)\", \"as\": \"ab\"}, {\"expr\": \"norm(old - f)\", \"as\": \"ba\"},"
               "{\"call\": \"f\", \"in\": {}, \"weights\": \"0.5*f + 0.5*old\", \"as\": \"mixed\"}, {\"set\": \"f\", \"to\": \"old\"}, {\"call\": \"f\", \"in\": {}, \"as\": \"back\"}],"
               "\"report\": [\"y\", \"ab\", \"ba\", \"mixed\", \"back\"]}]}}}");
    expect_code(0, "run %s train --interpret", in_folder("g.json"));
    static const char *const lines[] = {".y@0.0 47\n", ".ab@0.0 8\n", ".ba@0.0 8\n", ".mixed@0.0 101\n", ".back@0.0 61\n"};
    for (uint32_t i = 0; i < 5; i++)
        expect_out(lines[i]);
}
END_TEST

static const double *begins_as(const StateParts *parts, const char *name) {
    for (uint32_t i = 0; i < parts->count; i++)
        if (strcmp(parts->items[i].name, name) == 0)
            return parts->items[i].data;
    ck_abort_msg("no %s", name);
}

// Of a network, of a copy of it that no optimizer has, of one of that of which an optimizer has a part, and of one of that.
START_TEST(copies_of_copies_begin_alike) {
    const Module *module = read_module(fixture("copies"));
    States states = states_create(arena, module, 3);
    StateParts parts = states_parts(&states, NULL);
    static const char *const paths[] = {"a.weight", "norm.scale", "b.weight", "b.bias"}, *const copies[] = {"slow", "rival", "later", "last"};
    static const uint32_t counts[] = {15, 5, 10, 2};
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t k = 0; k < 4; k++)
            ck_assert_mem_eq(begins_as(&parts, arena_format(arena, "%s.%s", copies[k], paths[i])),
                             begins_as(&parts, arena_format(arena, "net.%s", paths[i])), counts[i] * sizeof(double));
    ck_assert_double_ne(begins_as(&parts, "net.b.bias")[0], 0);
}
END_TEST

// A row that says what the rule says anyway changes nothing, in looking ahead either: the sets are others, the numbers are not.
START_TEST(rows_that_change_nothing_change_no_number) {
    size_t size;
    static const char *const rules[] = {"adam", "lamb", "lion"}; // a step as long as the weight is one for each parameter, in whatever set
    const char *text = file_read(arena, GG_SOURCE_DIR "/graphs/unrolled_gan.json", &size, diag), *d = "\"of\": \"D\", ";
    text = replaced(text, "\"adam\": {\"lr\": 0.0001", arena_format(arena, "\"%s\": {\"lr\": 0.0001", rules[_i]));
    const char *parted = replaced(text, d, "\"of\": [\"D.linear_1\", \"D.linear\"], \"parts\": ["
                                          "{\"of\": \"*.bias\", \"lr\": 0.0001}, {\"of\": \"D.linear\", \"beta_1\": 0.5}], ");
    double reports[2][REPORTS_MAX] = {0};
    for (int i = 0; i < 2; i++) {
        write_text(in_folder("g.json"), i ? parted : text);
        ReadOptions options = {.path = in_folder("g.json"), .preset = "check"};
        const Module *module = read_document(arena, &options, diag);
        ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
        const Phase *phase = &module_program(module, "train")->phases.items[0];
        Tensor feed = tensor_create(arena, &phase->feeds.items[0].type);
        for (uint64_t k = 0; k < type_count(&feed.type); k++)
            feed.data[k] = initial("feed", k);
        fed = &feed;
        States states = fill_states(module);
        ck_assert_uint_eq(module->sets.count, i ? 4 : 2); // D's in three
        const Graph *graph = differentiate_graph(arena, phase->graph);
        for (int32_t step = 0; step < STEPS; step++)
            take_step(&states, graph, step, reports[i]);
    }
    for (uint32_t i = 0; i < REPORTS_MAX; i++)
        ck_assert_msg(fabs(reports[0][i] - reports[1][i]) < 1e-12, "report %u: %.15g and %.15g", i, reports[0][i], reports[1][i]);
    ck_assert_double_gt(fabs(reports[0][0]), 1e-3);
}
END_TEST

// ---- what is there and what is not

static uint64_t saved(const Module *module, const char *start) {
    States states = states_create(arena, module, 3);
    StateParts parts = states_parts(&states, NULL);
    uint64_t count = 0;
    for (uint32_t i = 0; i < parts.count; i++)
        count += text_starts_with(parts.items[i].name, start) ? type_count(&parts.items[i].type) : 0;
    return count;
}

START_TEST(states_are_those_of_the_parameters) {
    const Module *target = read_module(fixture("target")), *flow = read_module(fixture("shared_flow")),
                 *copies = read_module(fixture("copies"));
    ck_assert_uint_eq(saved(target, "net."), 84);
    ck_assert_uint_eq(saved(target, "target."), 84);
    ck_assert_uint_eq(saved(target, "opt.m."), 84); // of 64 of net, and 20 of p
    ck_assert_uint_eq(saved(target, "opt.v.net.body.weight"), 30);
    ck_assert_uint_eq(saved(target, "opt.ema.net.head.bias"), 4);
    ck_assert_uint_eq(saved(target, "opt.m.net.stem"), 0);
    ck_assert_uint_eq(saved(flow, "flow."), 92);
    ck_assert_uint_eq(saved(flow, "inverse."), 0);
    ck_assert_uint_eq(saved(flow, "opt.m."), 92);
    ck_assert_uint_eq(saved(copies, "two.m.rival."), 37); // a copy that is trained
    ck_assert_uint_eq(saved(copies, "one.m."), 5);        // momentum where a row gives it
    ck_assert_uint_eq(saved(copies, "again."), 0);
}
END_TEST

static uint32_t contractions(const Graph *graph) {
    uint32_t count = 0;
    for (uint32_t id = 1; id < graph->nodes.count; id++)
        count += graph->nodes.items[id].op == OP_matmul;
    return count;
}

static const char FROZEN[] =
    "{\"gcc-graph\": 1, \"networks\": {\"f\": {\"dims\": [\"n\"], \"inputs\": {\"x\": [\"n\", 3]}, \"nodes\": ["
    "{\"op\": \"linear\", \"features\": 4, \"as\": \"a\"}, {\"op\": \"tanh\"},"
    "{\"op\": \"linear\", \"features\": 5, \"as\": \"b\"}, {\"op\": \"tanh\"},"
    "{\"op\": \"linear\", \"features\": 2, \"as\": \"bc\"}]}},"
    "\"optimizers\": {\"o\": {\"of\": [%s], \"adam\": {\"lr\": 0.1}}}, \"programs\": {\"train\": {\"mode\": \"train\","
    "\"phases\": [{\"name\": \"p\", \"nodes\": [{\"random\": \"normal\", \"shape\": [6, 3]}, {\"call\": \"f\"},"
    "{\"expr\": \"mean($^2)\", \"as\": \"l\"}, {\"update\": \"o\", \"minimize\": \"l\"}], \"report\": [\"l\"]}]}}}";

// Three layers forward; backward by the weight of each that is trained, and by the input of each that a trained one stands before.
START_TEST(nothing_is_computed_for_frozen_parameters) {
    static const struct {
        const char *of;
        uint32_t matmuls;
    } rows[] = {
        {"\"f\"", 3 + 3 + 2},         {"\"f.b\", \"f.bc\"", 3 + 2 + 1}, {"\"f.b\"", 3 + 1 + 1},
        {"\"f.bc*\"", 3 + 1},         {"\"f.b.bias\"", 3 + 0 + 1},      {"\"*.bc.bias\"", 3},
        {"\"*\"", 8},                 {"\"*a*t\"", 3 + 1 + 2},          {"\"f.**.b*s\"", 3 + 0 + 2},
    };
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *path = in_folder("frozen.json");
        write_text(path, arena_format(arena, FROZEN, rows[i].of));
        const Graph *graph = module_program(read_module(path), "train")->phases.items[0].graph;
        Value *moved;
        uint32_t found = contractions(graph_copy(arena, differentiate_graph(arena, graph), &moved)); // of what outputs reach
        ck_assert_msg(found == rows[i].matmuls, "%s: %u matrix products, %u expected", rows[i].of, found, rows[i].matmuls);
    }
}
END_TEST

START_TEST(the_summary_counts_once) {
    size_t size;
    const char *row = "{ \"of\": \"p\", \"lr\": 0.2, \"beta_1\": 0.8 }";
    const char *text = replaced(file_read(arena, fixture("target"), &size, diag), row, "{ \"of\": \"p.l.bias\", \"lr\": 0.2 }");
    write_text(in_folder("late.json"), text);
    expect_code(0, "check %s", in_folder("late.json"));
    expect_err("/optimizers/opt/parts/1: the rows before this have all that it matches: p.l.bias");
    expect_code(0, "summary %s", fixture("shared_flow"));
    expect_out("parameters: 92; ");
    expect_out("parameters: 0 of its own; it shares those of flow; ");
    expect_out("optimizer opt: sgd of flow; 92 parameters; EMA\n");
    expect_code(0, "summary %s", fixture("target"));
    expect_out("parameters: 84; 20 no optimizer has; ");
    expect_out("parameters: 84, at first those of net; 84 no optimizer has; ");
    expect_out("optimizer opt: adamw of net.body, net.h*, p; 84 parameters; EMA\n  *.bias: weight_decay 0; 14 parameters\n"
               "  p: lr 0.2, beta_1 0.8; 16 parameters\n");
    expect_code(0, "summary %s --json", fixture("target"));
    expect_out("\"frozen\": 20");
}
END_TEST

// Each kind of options takes one set of dispatches, however many parameters it has.
START_TEST(updates_are_few) {
    const Module *module = read_module(fixture("target"));
    uint32_t sets = 0;
    for (uint32_t i = 0; i < module->states.count; i++)
        sets += module->states.items[i].kind == STATE_MOMENT;
    ck_assert_uint_eq(sets, 2 * 4); // m and v of: net's weights, net's biases, p's weight, p's bias
}
END_TEST

// ---- on the device

static double report(const char *name, int step) {
    const char *line = strstr(out, arena_format(arena, "%s@%d.0 ", name, step));
    ck_assert_msg(line != NULL, "no %s of step %d: %s", name, step, out);
    return atof(strchr(line, ' '));
}

START_TEST(the_device_agrees) {
    const char *bundle = in_folder("g.ggb"), *name = graphs[_i];
    expect_code(0, "compile %s -o %s", fixture(name), bundle);
    expect_code(0, "verify %s", bundle);
    expect_code(0, "run %s train --steps 3 --interpret", bundle);
    double losses[STEPS];
    for (int i = 0; i < STEPS; i++)
        losses[i] = report("loss", i);
    expect_code(0, "run %s train --steps 3", bundle);
    for (int i = 0; i < STEPS; i++)
        ck_assert_msg(fabs(report("loss", i) - losses[i]) < 1e-5 * (1 + fabs(losses[i])), "%s, step %d: %g, interpreted %g", name, i,
                      report("loss", i), losses[i]);
}
END_TEST

START_TEST(a_resumed_run_ends_bit_for_bit) {
    const char *bundle = in_folder("g.ggb");
    expect_code(0, "compile %s -o %s", fixture(graphs[_i]), bundle);
    expect_code(0, "train %s --out %s --steps 6", bundle, in_folder("whole"));
    expect_code(0, "train %s --out %s --steps 6 --stop-at 2", bundle, in_folder("parts"));
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("parts"));
    ck_assert_int_eq(system(arena_format(arena, "cmp %s/checkpoint-000006.safetensors %s/checkpoint-000006.safetensors", in_folder("whole"),
                                         in_folder("parts"))),
                     0);
}
END_TEST

// The mean over several times the same batch is what one has: through sums of each set, for updates, averages and targets.
START_TEST(accumulated_batches_of_one_kind_change_no_number) {
    size_t size;
    const char *text = file_read(arena, fixture("target"), &size, diag), *said[2] = {0};
    const char *late = strstr(text, ",\n          { \"call\": \"net\", \"in\": \"reshape(one, [4, 3])\", \"weights\""), *end = strstr(text, "\n        ],");
    ck_assert(late && end && late < end);
    text = arena_format(arena, "%.*s%s", (int)(late - text), text, end); // what sees the new values belongs into reports
    text = replaced(text, "\"size\", \"slow\", \"last\", \"mean\"", "\"norm(net)\", \"norm(target)\", \"norm(p)\", \"norm(net.ema)\"");
    for (int i = 0; i < 2; i++) {
        write_text(in_folder("g.json"), i ? replaced(text, "\"name\": \"views\"", "\"name\": \"views\", \"accumulate\": 4") : text);
        expect_code(0, "compile %s -o %s", in_folder("g.json"), in_folder("g.ggb"));
        expect_code(0, "run %s train --steps 3 --interpret", in_folder("g.ggb"));
        said[i] = out;
    }
    ck_assert_ptr_nonnull(strstr(said[0], "norm(target)@2.0"));
    ck_assert_str_eq(said[0], said[1]);
    expect_code(0, "verify %s", in_folder("g.ggb"));
}
END_TEST

// Of a run under another `of`, what the new one has moments of goes on, the rest begins anew or stays behind.
START_TEST(another_choice_of_parameters_keeps_what_fits) {
    size_t size;
    const char *text = replaced(file_read(arena, fixture("target"), &size, diag), "[\"net.body\", \"net.h*\", \"p\"]", "[\"net\"]");
    write_text(in_folder("other.json"), replaced(text, ", { \"of\": \"p\", \"lr\": 0.2, \"beta_1\": 0.8 }", ""));
    expect_code(0, "compile %s -o %s", fixture("target"), in_folder("g.ggb"));
    expect_code(0, "compile %s -o %s", in_folder("other.json"), in_folder("h.ggb"));
    expect_code(0, "train %s --out %s --steps 2", in_folder("g.ggb"), in_folder("run"));
    expect_code(0, "train %s --out %s --fork %s --steps 2", in_folder("h.ggb"), in_folder("fork"), in_folder("run"));
    expect_err("27 of 33 states taken (14 of kind parameter, 8 of kind moment, 4 of kind ema, 1 of kind count)");
    expect_err("begin anew (6): opt.m.net.stem.weight [5,3]; opt.m.net.stem.bias [5]");
    expect_err("no such state (6): opt.m.p.l.weight; opt.m.p.l.bias");
}
END_TEST

// What the other run has not begins as the copy that it is, of what that run trained: also copies of copies, and their averages.
START_TEST(new_copies_copy_what_was_trained) {
    static const char GRAPH[] = "{\"gcc-graph\": 1, \"networks\": {\"f\": {\"inputs\": {}, \"nodes\": [{\"parameter\": \"w\", \"shape\": [1], \"init\": {\"normal\": [0, 1]}}, {\"expr\": \"sum((w - 3)^2)\"}]} %s},"
                                "\"optimizers\": {\"opt\": {\"of\": \"f\", \"sgd\": {\"lr\": 0.1}} %s}, \"programs\": {\"train\": {\"mode\": \"train\", \"phases\": [{\"name\": \"p\", \"nodes\": [{\"call\": \"f\", \"in\": {}, \"as\": \"y\"},"
                                "{\"update\": \"opt\", \"minimize\": \"y\"}], \"report\": [\"norm(f)\" %s]}]}}}";
    write_text(in_folder("a.json"), arena_format(arena, GRAPH, "", "", ""));
    write_text(in_folder("b.json"), arena_format(arena, GRAPH, ", \"g\": {\"use\": \"f\", \"copy\": true}, \"h\": {\"use\": \"g\", \"copy\": true}", ", \"two\": {\"of\": [\"g\", \"h\"], \"sgd\": {\"lr\": 1}, \"ema\": 0.5}",
                                                 ", \"norm(g)\", \"norm(h)\", \"norm(h.ema)\""));
    for (const char *name = "ab"; *name; name++)
        expect_code(0, "compile %s/%c.json -o %s/%c.ggb", in_folder(""), *name, in_folder(""), *name);
    expect_code(0, "train %s --out %s --steps 9", in_folder("a.ggb"), in_folder("run"));
    const char *row = strstr(read_all(in_folder("run/metrics.csv")), "\n8,8,p,0,");
    ck_assert_ptr_nonnull(row);
    double trained = strtod(row + strlen("\n8,8,p,0,"), NULL), numbers[4];
    expect_code(0, "train %s --out %s --fork %s --steps 1", in_folder("b.ggb"), in_folder("fork"), in_folder("run"));
    expect_err("begin anew (5): g.w [1] as f.w; h.w [1] as f.w; two.ema.g.w [1] as f.w");
    row = strstr(read_all(in_folder("fork/metrics.csv")), "\n0,0,p,0,");
    ck_assert(row && sscanf(row, "\n0,0,p,0,%lf,%lf,%lf,%lf", &numbers[0], &numbers[1], &numbers[2], &numbers[3]) == 4);
    for (uint32_t i = 1; i < 4; i++)
        ck_assert_double_eq(numbers[i], trained);
    ck_assert_double_ne(numbers[0], trained);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sharing");
    TCase *judged = tcase_create("judged"), *device = tcase_create("device");
    tcase_add_checked_fixture(judged, setup, teardown);
    tcase_add_loop_test(judged, steps_are_as_pytorch_takes_them, 0, RECORDED);
    tcase_add_test(judged, networks_of_one_template_mix);
    tcase_add_test(judged, records_of_a_part_go_with_the_whole);
    tcase_add_test(judged, copies_of_copies_begin_alike);
    tcase_add_loop_test(judged, rows_that_change_nothing_change_no_number, 0, 3);
    tcase_add_test(judged, states_are_those_of_the_parameters);
    tcase_add_test(judged, nothing_is_computed_for_frozen_parameters);
    tcase_add_test(judged, the_summary_counts_once);
    tcase_add_test(judged, updates_are_few);
    suite_add_tcase(suite, judged);
    tcase_add_checked_fixture(device, setup, teardown);
    tcase_set_timeout(device, 120);
    tcase_add_loop_test(device, the_device_agrees, 0, GRAPHS);
    tcase_add_loop_test(device, a_resumed_run_ends_bit_for_bit, 0, GRAPHS);
    tcase_add_test(device, accumulated_batches_of_one_kind_change_no_number);
    tcase_add_test(device, another_choice_of_parameters_keeps_what_fits);
    tcase_add_test(device, new_copies_copy_what_was_trained);
    if (has_device())
        suite_add_tcase(suite, device);
    return run_suite(suite);
}
