// Documents: parameter counts, names, precedence of lets, presets and -D, initialisers, the input as one file, warnings.
#include "compiler/ir/op.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "tests/support/inputs.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

static Arena *arena;
static Diag *diag;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
}

static void tear_down(void) { arena_destroy(&arena); }

static const Module *read_graph(const char *path, const char *preset, const char *const *defines, uint32_t count) {
    ReadOptions options = {.path = path, .preset = preset, .defines = defines, .define_count = count};
    const Module *module = read_document(arena, &options, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    return module;
}

static const Module *read_text(const char *text, const char *const *defines, uint32_t count) {
    char path[] = "/tmp/gcc-graph-document-XXXXXX.json";
    ck_assert(mkstemps(path, 5) >= 0 && file_write(path, text, strlen(text), diag));
    ReadOptions options = {.path = path, .defines = defines, .define_count = count};
    const Module *module = read_document(arena, &options, diag);
    remove(path);
    return module;
}

static uint64_t count_of(const Module *module, const char *prefix) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < module->sets.count; i++)
        if (text_starts_with(module->sets.items[i].network, prefix))
            count += module->sets.items[i].count;
    return count;
}

static const struct {
    const char *graph, *preset;
    const char *defines[4];
    uint32_t define_count;
    uint64_t g, d; // networks G…, D…
} counts[] = {
    {"stackgan_stage1", NULL, {"GF=192", "DF=96", "C=128"}, 3, 20020832, 12407425},
    {"stackgan_stage2", NULL, {"GF=192", "DF=96", "C=128", "R=2"}, 4, 37130480, 159889538},
    {"stackgan_stage1", NULL, {"GF=128", "DF=64", "C=128"}, 3, 10301248, 5715713},
    {"stackgan_stage2", NULL, {"GF=128", "DF=64", "C=128", "R=4"}, 4, 26290080, 71269122},
    {"stackgan_stage1", "coco", {NULL}, 0, 20020832, 12407425},
    {"stackgan_stage2", "coco", {NULL}, 0, 37130480, 159889538}, // s1.G is not among G…
    {"unrolled_gan", NULL, {NULL}, 0, 49666, 513},
    {"spectral_norm", NULL, {NULL}, 0, 259745, 36513},
};

// One document that says "exact" is enough, whichever it is; and the input as one file says it too.
START_TEST(exact_of_any_document_holds_for_all) {
    char folder[] = "/tmp/gcc-graph-exact-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    static const char *const says[] = {"", "\"exact\": false, ", "\"exact\": true, "};
    const char *parts[] = {"main.json", "plain.json", "apart.json"};
    for (uint32_t pick = 0; pick < 27; pick++) {
        bool expected = false;
        for (uint32_t i = 0, rest = pick; i < 3; i++, rest /= 3) {
            const char *text = arena_format(arena, "{\"gcc-graph\": 1, %s%s \"let\": {}}", says[rest % 3],
                                            i ? "" : "\"include\": [\"plain.json\", {\"file\": \"apart.json\", \"as\": \"a\"}],");
            ck_assert(file_write(file_join(arena, folder, parts[i]), text, strlen(text), diag));
            expected |= rest % 3 == 2;
        }
        const Module *module = read_graph(file_join(arena, folder, "main.json"), NULL, NULL, 0);
        ck_assert_msg(module->is_exact == expected, "combination %u", pick);
        const char *whole = file_join(arena, folder, "whole.json");
        ck_assert(file_write(whole, module->resolved, strlen(module->resolved), diag));
        ck_assert_msg(read_graph(whole, NULL, NULL, 0)->is_exact == expected, "combination %u, as one file", pick);
    }
    ck_assert(file_remove_tree(folder, diag));
}
END_TEST

START_TEST(a_schema_is_for_editors) {
    const Module *module = read_text("{\"$schema\": \"graphs/schema.json\", \"gcc-graph\": 1, \"let\": {}}", NULL, 0);
    ck_assert_msg(module && !diag_error_count(diag), "%s", diag_text(diag, arena));
}
END_TEST

START_TEST(parameters_are_the_published_ones) {
    const Module *module =
        read_graph(arena_format(arena, "graphs/%s.json", counts[_i].graph), counts[_i].preset, counts[_i].defines, counts[_i].define_count);
    ck_assert_uint_eq(count_of(module, "G"), counts[_i].g);
    ck_assert_uint_eq(count_of(module, "D"), counts[_i].d);
}
END_TEST

START_TEST(layers_add_up_to_their_network) {
    const Module *module = read_graph("graphs/ddpm_mnist.json", NULL, NULL, 0);
    const NetworkInfo *unet = &module->networks.items[0];
    uint64_t parameters = 0, macs = 0;
    ck_assert_str_eq(unet->shown, "x [n, 1, 28, 28], t [n] -> [n, 1, 28, 28]");
    for (uint32_t i = 0; i < unet->layers.count; i++) {
        parameters += unet->layers.items[i].parameters;
        macs += unet->layers.items[i].macs;
        if (!strcmp(unet->layers.items[i].path, "unet.conv2d")) // 14 x 14 pixels, 3 x 3 x 4 to 24 channels
            ck_assert_uint_eq(unet->layers.items[i].macs, 14 * 14 * 9 * 4 * 24);
    }
    ck_assert_uint_eq(parameters, 368428);
    ck_assert_uint_gt(macs, 1000000);
}
END_TEST

START_TEST(names_are_paths) {
    const Module *module = read_graph("graphs/stackgan_stage2.json", "check", NULL, 0);
    ck_assert_ptr_nonnull(module_state(module, "s1.G"));
    ck_assert_ptr_nonnull(module_state(module, "s1.G.i.0.up.batch_norm.mean"));
    ck_assert_ptr_nonnull(module_state(module, "d.m.D_cond"));
    ck_assert_ptr_nonnull(module_state(module, "g.count"));
    ck_assert_uint_eq(module_program(module, "sample_text")->inputs.items[0].type.dims[0], 1024); // one text
    ck_assert_uint_eq(module_program(module, "train")->steps, 82800);
    const Set *set = &module->sets.items[module_state(module, "s1.G")->type.set - 1];
    ck_assert_str_eq(set->parts.items[0].name, "s1.G.ca.linear.weight");
    ck_assert_str_eq(set->parts.items[5].name, "s1.G.i.0.up.conv2d.weight");
    ck_assert_str_eq(module_program(module, "train")->requires_trained.items[0], "s1.G");
}
END_TEST

START_TEST(defines_win_over_presets_over_with_over_lets) {
    static const char *const defines[] = {"batch=9", "batch=3", "s1.DF=5", "GF1=2*3", "sample.count=7", "sample_text.count=6"};
    const Module *module = read_graph("graphs/stackgan_stage2.json", "check", defines, 6); // the last batch counts
    ck_assert_uint_eq(module->data.items[0].batch, 3);
    ck_assert_uint_eq(module_program(module, "sample")->inputs.items[0].type.dims[0], 7);
    const Set *set = &module->sets.items[module_state(module, "s1.G")->type.set - 1];
    ck_assert_uint_eq(set->parts.items[2].type.dims[0], 8 * 6 * 16); // linear of s1.G: 8 GF 16, GF by "with" from GF1
    ReadOptions wrong = {.path = "graphs/stackgan_stage2.json", .defines = (const char *const[]){"s1.GG=1"}, .define_count = 1};
    ck_assert_ptr_null(read_document(arena, &wrong, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "no let \"s1.GG\"; did you mean \"s1.GF\"?"));
}
END_TEST

START_TEST(small_presets_train) {
    static const char *const graphs[] = {"stackgan_stage1", "stackgan_stage2", "stackgan_stage2_pixelshuffle"};
    const Module *module = read_graph(arena_format(arena, "graphs/%s.json", graphs[_i]), "small", NULL, 0);
    const GraphProgram *train = module_program(module, "train");
    ck_assert_uint_eq(train->steps, _i == 0 ? 16000 : 2500);
    ck_assert_uint_eq(train->phases.items[0].feeds.items[0].batch, _i == 0 ? 16 : 8);
    uint32_t reports = 0;
    const Graph *graph = train->phases.items[0].graph;
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        reports += graph->outputs.items[i].kind == OUTPUT_REPORT;
    ck_assert_uint_eq(reports, _i == 0 ? 6 : 8);
}
END_TEST

START_TEST(the_input_as_one_file_reads_the_same) {
    static const char *const defines[] = {"batch=3"};
    const Module *module = read_graph("graphs/latent_diffusion.json", "check", defines, 1);
    char path[] = "/tmp/gcc-graph-resolved-XXXXXX.json";
    ck_assert(mkstemps(path, 5) >= 0 && file_write(path, module->resolved, strlen(module->resolved), diag));
    const Module *again = read_graph(path, NULL, NULL, 0);
    ck_assert_str_eq(module->resolved, again->resolved);
    for (uint32_t i = 0; i < module->programs.count; i++)
        for (uint32_t k = 0; k < module->programs.items[i].phases.count; k++) {
            Text a = text_create(arena), b = text_create(arena);
            graph_print(&a, module->programs.items[i].phases.items[k].graph);
            graph_print(&b, again->programs.items[i].phases.items[k].graph);
            ck_assert_str_eq(a.data, b.data);
        }
    static const char *const other[] = {"batch=5"};
    ck_assert_uint_eq(read_graph(path, NULL, other, 1)->data.items[0].batch, 5);
    remove(path);
}
END_TEST

START_TEST(graphs_are_well_formed) {
    static const char *const graphs[] = {"balance",
                                         "ddpm_mnist",
                                         "features",
                                         "latent_diffusion",
                                         "mnist_feature_matching",
                                         "mnist_gan",
                                         "mnist_mgan",
                                         "mnist_minibatch",
                                         "mnist_unrolled",
                                         "mnist_wgan",
                                         "ring_balance",
                                         "ring_feature_matching",
                                         "ring_gan",
                                         "ring_mgan",
                                         "ring_minibatch",
                                         "ring_spectral_norm",
                                         "ring_unrolled",
                                         "ring_wgan",
                                         "ring_wgan_gp",
                                         "spectral_norm",
                                         "stackgan_stage1",
                                         "stackgan_stage2",
                                         "stackgan_stage2_pixelshuffle",
                                         "unrolled_gan",
                                         "wgan_gp"};
    const Module *module = read_graph(arena_format(arena, "graphs/%s.json", graphs[_i]), NULL, NULL, 0);
    ck_assert_msg(diag_text(diag, arena)[0] == 0, "%s", diag_text(diag, arena));
    ck_assert_ptr_nonnull(module->doc);
    for (uint32_t i = 0; i < module->programs.count; i++)
        for (uint32_t k = 0; k < module->programs.items[i].phases.count; k++) {
            Text problems = text_create(arena);
            ck_assert_msg(graph_verify(module->programs.items[i].phases.items[k].graph, &problems), "%s", problems.data);
        }
}
END_TEST

START_TEST(initialisers_by_part) {
    const Module *module =
        read_text("{\"gcc-graph\": 1, \"blocks\": {\"own\": {\"inputs\": [\"x\"], \"init\": {\"weight\": {\"constant\": 3}}, \"nodes\": "
                  "[{\"op\": \"linear\", \"features\": 3}]},\n"
                  "  \"none\": {\"inputs\": [\"x\"], \"nodes\": [{\"op\": \"linear\", \"features\": 3}]}},\n"
                  " \"networks\": {\"f\": {\"dims\": [\"n\"], \"inputs\": {\"x\": [\"n\", 3]}, \"init\": {\"weight\": \"ones\", \"bias\": "
                  "{\"constant\": \"1 + 1\"}}, \"nodes\": [\n"
                  "  {\"op\": \"linear\", \"features\": 3}, {\"op\": \"linear\", \"features\": 3, \"init\": {\"bias\": \"ones\"}}, "
                  "{\"op\": \"linear\", \"features\": 3, \"init\": \"zeros\"},\n"
                  "  {\"block\": \"own\"}, {\"block\": \"none\"}, {\"op\": \"linear\", \"features\": 3, \"init\": \"kaiming_normal\"}]}}}",
                  NULL, 0);
    static const double wanted[] = {1, 2, 1, 1, 0, 0, 3, 2, 1, 2};
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    for (uint32_t i = 0; i < 10; i++)
        ck_assert_double_eq(module->sets.items[0].parts.items[i].init.a, wanted[i]);
    ck_assert_double_eq_tol(module->sets.items[0].parts.items[10].init.b, sqrt(2.0 / 3), 1e-15);
    ck_assert_str_eq(module->sets.items[0].parts.items[8].name, "f.none.linear.weight");
}
END_TEST

// ---- a convolution before a pixel shuffle

static const Tensor *give_initial(void *context, const char *name) {
    const Module *module = context;
    const Set *set = &module->sets.items[module->states.items[module_state_index(module, name)].type.set - 1];
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    *tensor = tensor_create(arena, &(Type){.dtype = DTYPE_F32, .rank = 1, .dims = {(uint32_t)set->count}});
    for (uint32_t i = 0; i < set->parts.count; i++) {
        const Part *part = &set->parts.items[i];
        init_fill(&part->init, &part->type, part->name, 3, tensor->data + part->offset);
    }
    return tensor;
}

static const Tensor *give_noise(void *context, const char *name) {
    const Module *module = context;
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    *tensor = tensor_create(arena, &module->programs.items[0].inputs.items[0].type);
    init_fill(&(Init){.kind = INIT_NORMAL, .b = 1}, &tensor->type, name, 4, tensor->data);
    return tensor;
}

static const struct {
    const char *init;
    InitKind kind;
    double a, b;
} icnr_cases[] = {
    {"{\"icnr\": 2}", INIT_UNIFORM, -1.0 / 6, 1.0 / 6}, // fan-in 4 * 9, as the layer's default
    {"{\"icnr\": \"1 + 1\", \"of\": {\"normal\": [0.5, 0.02]}}", INIT_NORMAL, 0.5, 0.02},
    {"{\"icnr\": 2, \"of\": \"xavier_normal\"}", INIT_NORMAL, 0, 0.1781742}, // fan-out of the 3 channels drawn
    {"{\"weight\": {\"icnr\": 2}, \"bias\": \"zeros\"}", INIT_UNIFORM, -1.0 / 6, 1.0 / 6},
};

START_TEST(icnr_begins_as_nearest_upsampling) {
    const Module *module = read_text(
        arena_format(arena,
                     "{\"gcc-graph\": 1, \"networks\": {\"f\": {\"dims\": [\"n\"], \"inputs\": {\"x\": [\"n\", 4, 5, 3]}, \"nodes\": [\n"
                     "  {\"op\": \"conv2d\", \"channels\": 12, \"kernel\": 3, \"pad\": 1, \"init\": %s},\n"
                     "  {\"op\": \"pixel_shuffle\", \"factor\": 2}]}},\n"
                     " \"programs\": {\"p\": {\"inputs\": {\"x\": [2, 4, 5, 3]}, \"phases\": [{\"name\": \"q\", \"nodes\": [\n"
                     "  {\"call\": \"f\", \"in\": \"x\"}, {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}]}]}}}",
                     icnr_cases[_i].init),
        NULL, 0);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    const Part *part = &module->sets.items[0].parts.items[0];
    ck_assert_str_eq(part->name, "f.conv2d.weight");
    ck_assert_uint_eq(part->init.kind, icnr_cases[_i].kind);
    ck_assert_uint_eq(part->init.factor, 2);
    ck_assert_double_eq_tol(part->init.a, icnr_cases[_i].a, 1e-7);
    ck_assert_double_eq_tol(part->init.b, icnr_cases[_i].b, 1e-7);
    const double *weight = give_initial((void *)(uintptr_t)module, "f")->data;
    for (uint32_t i = 0; i < 12 * 36; i++)
        ck_assert_double_eq(weight[i], weight[i / 144 * 144 + i % 36]);
    ck_assert_double_ne(weight[0], weight[144]);
    const Graph *graph = module->programs.items[0].phases.items[0].graph;
    Sources sources = {.context = (void *)(uintptr_t)module, .state = give_initial, .feed = give_noise, .steps = 1, .epoch_steps = 1};
    const Tensor *values = interpret(arena, graph, &sources, NULL, diag);
    ck_assert_msg(values != NULL, "%s", diag_text(diag, arena));
    const Tensor *y = &values[graph->outputs.items[0].value.id];
    ck_assert_uint_eq(type_count(&y->type), 2 * 3 * 10 * 6);
    for (uint32_t i = 0; i < 2 * 3 * 10 * 6; i++) // each 2 x 2 pixels are one
        ck_assert_double_eq(y->data[i], y->data[i / 12 * 12 + i % 6 / 2 * 2]);
    ck_assert_double_ne(y->data[0], y->data[2]);
}
END_TEST

// Once, of pictures alone, and not where it is said.
START_TEST(drawn_pictures_of_a_test_are_warned_of) {
    static const struct {
        const char *more;
        bool is_told;
    } cases[] = {{", \"split\": \"test\"", true},
                 {"", false},
                 {", \"split\": \"test\", \"order\": \"shuffled\"", false},
                 {", \"split\": \"test\", \"order\": \"sequential\"", false}};
    for (uint32_t i = 0; i < 4; i++) {
        const char *text = arena_format(
            arena,
            "{\"gcc-graph\": 1, \"data\": {\"d\": {\"batch\": 2, \"augment\": {\"crop\": 4}, \"fields\": {\"x\": {\"shape\": [3, 4, 4]}, \"y\": "
            "{\"shape\": [], \"dtype\": \"i32\"}}}}, \"programs\": {\"p\": {\"phases\": [{\"name\": \"q\", \"feed\": {\"x\": {\"from\": \"d.x\"%s}, "
            "\"y\": {\"from\": \"d.y\"%s}}, \"nodes\": [{\"emit\": \"e\", \"value\": \"sum(x) + f32(sum(y))\", \"format\": \"tensor\"}]}]}}}",
            cases[i].more, cases[i].more);
        diag = diag_create(arena);
        ck_assert_msg(read_text(text, NULL, 0) != NULL, "%s", diag_text(diag, arena));
        const char *said = strstr(diag_text(diag, arena), "/programs/p/phases/0/feed/x: pictures of \"test\" are cropped");
        ck_assert_msg((said != NULL) == cases[i].is_told, "%s", diag_text(diag, arena));
        ck_assert(!said || !strstr(strstr(said, "are cropped") + 1, "are cropped"));
    }
}
END_TEST

START_TEST(what_is_never_used_is_warned_of) {
    const Module *module =
        read_text("{\"gcc-graph\": 1, \"let\": {\"a\": 1, \"b\": \"a\"}, \"state\": {\"s\": {\"shape\": []}},\n"
                  " \"programs\": {\"p\": {\"phases\": [{\"name\": \"q\", \"nodes\": [{\"set\": \"s\", \"to\": \"a + step*0.5\"}]}]}}}",
                  NULL, 0);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    const char *text = diag_text(diag, arena);
    ck_assert_ptr_nonnull(strstr(text, "warning: "));
    ck_assert_ptr_nonnull(strstr(text, "let \"b\" is never used"));
    ck_assert_ptr_nonnull(strstr(text, "state \"s\" is never read"));
    ck_assert_ptr_null(strstr(text, "let \"a\""));
}
END_TEST

// Every function is an op of nodes too, whose options may be tensors: the same nodes as of an expression, which are interned.
START_TEST(options_of_functions_may_be_tensors) {
    const Module *module =
        read_text("{\"gcc-graph\": 1, \"programs\": {\"p\": {\"inputs\": {\"q\": [3, 4], \"k\": [5, 4]}, \"phases\": [{\"name\": \"f\", \"nodes\": [\n"
                  "{\"op\": \"where\", \"in\": \"q > 0\", \"a\": \"q\", \"b\": \"2*k[:3]\", \"as\": \"a\"},\n"
                  "{\"expr\": \"where(q > 0, q, 2*k[:3])\", \"as\": \"b\"},\n"
                  "{\"emit\": \"y\", \"value\": \"a + b\", \"format\": \"tensor\"}]}]}}}",
                  NULL, 0);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    const Graph *graph = module->programs.items[0].phases.items[0].graph;
    uint32_t count = 0;
    for (uint32_t id = 1; id < graph->nodes.count; id++)
        count += graph->nodes.items[id].op == OP_select;
    ck_assert_uint_eq(count, 1);
}
END_TEST

// A let stands in a report as what is computed does, of each batch, too.
START_TEST(numbers_are_reported) {
    const char *defines[] = {_i == 0 ? "k=1" : "k=3"};
    const Module *module =
        read_text("{\"gcc-graph\": 1, \"let\": {\"k\": 1, \"lr\": 0.5, \"whole\": 3}, \"optimizers\": {\"o\": {\"of\": \"f\", \"sgd\": {\"lr\": \"lr\"}}},\n"
                  " \"networks\": {\"f\": {\"inputs\": {\"x\": [2, 2]}, \"nodes\": [{\"op\": \"linear\", \"features\": 1}, {\"expr\": \"sum($)\"}]}},\n"
                  " \"programs\": {\"p\": {\"mode\": \"train\", \"stop\": \"q.whole > 4\", \"phases\": [{\"name\": \"q\", \"accumulate\": \"k\", \"nodes\": [\n"
                  "{\"call\": \"f\", \"in\": \"fill(1.0, [2, 2])\", \"as\": \"loss\"}, {\"update\": \"o\", \"minimize\": \"loss\"}],\n"
                  "\"report\": [\"loss\", \"lr\", \"whole\"]}]}}}",
                  defines, 1);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    uint32_t count = 0;
    const GraphProgram *program = &module->programs.items[0];
    for (uint32_t p = 0; p < program->phases.count; p++) {
        const Graph *graph = program->phases.items[p].graph;
        for (uint32_t i = 0; i < graph->outputs.count; i++) {
            const Output *output = &graph->outputs.items[i];
            bool is_number = output->kind == OUTPUT_REPORT && (!strcmp(output->name, "lr") || !strcmp(output->name, "whole"));
            Type type = graph_type(graph, output->value);
            ck_assert(!is_number || (type.rank == 0 && type.dtype == DTYPE_F32));
            count += is_number;
        }
    }
    ck_assert_uint_eq(count, 2);
}
END_TEST

// Reading never crashes, whatever byte of a document is gone.
START_TEST(a_document_cut_or_changed_is_an_error_or_a_document) {
    size_t size;
    const char *text = file_read(arena, "graphs/unrolled_gan.json", &size, diag);
    char path[] = "/tmp/gcc-graph-cut-XXXXXX.json";
    ck_assert(mkstemps(path, 5) >= 0);
    for (size_t at = 20; at < size; at += 13) {
        Arena *own = arena_create();
        Diag *errors = diag_create(own);
        char *changed = arena_copy_bytes(own, text, size);
        changed[at] = "0\"[{}x:,$"[at % 9];
        ck_assert(file_write(path, changed, size, errors));
        ReadOptions options = {.path = path, .preset = "check"};
        const Module *module = read_document(own, &options, errors);
        ck_assert_msg((module == NULL) == (diag_error_count(errors) > 0), "byte %zu", at);
        arena_destroy(&own);
    }
    remove(path);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("read_document");
    TCase *all = tcase_create("documents");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 300);
    tcase_add_test(all, exact_of_any_document_holds_for_all);
    tcase_add_test(all, a_schema_is_for_editors);
    tcase_add_loop_test(all, parameters_are_the_published_ones, 0, sizeof counts / sizeof *counts);
    tcase_add_test(all, layers_add_up_to_their_network);
    tcase_add_test(all, names_are_paths);
    tcase_add_test(all, defines_win_over_presets_over_with_over_lets);
    tcase_add_loop_test(all, small_presets_train, 0, 3);
    tcase_add_test(all, the_input_as_one_file_reads_the_same);
    tcase_add_loop_test(all, graphs_are_well_formed, 0, 25);
    tcase_add_test(all, initialisers_by_part);
    tcase_add_loop_test(all, icnr_begins_as_nearest_upsampling, 0, sizeof icnr_cases / sizeof *icnr_cases);
    tcase_add_test(all, what_is_never_used_is_warned_of);
    tcase_add_test(all, drawn_pictures_of_a_test_are_warned_of);
    tcase_add_test(all, options_of_functions_may_be_tensors);
    tcase_add_loop_test(all, numbers_are_reported, 0, 2);
    tcase_add_test(all, a_document_cut_or_changed_is_an_error_or_a_document);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
