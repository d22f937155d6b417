// Damaged documents and expressions: refused with messages, or read into a module whose graphs all verify.
#include "compiler/read/expression.h"
#include "compiler/read/read.h"
#include "tests/fuzz/mutate.h"

// ---- expressions

static uint32_t walk(Fuzzer *fuzzer, const Tree *tree, size_t size) {
    uint32_t nodes = 1;
    if (tree->offset > size)
        fuzz_fail(fuzzer, "a token at %u of %zu characters", tree->offset, size);
    for (uint32_t i = 0; i < tree->children.count; i++)
        if (tree->children.items[i])
            nodes += walk(fuzzer, tree->children.items[i], size);
    return nodes;
}

static bool taste_expression(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)size; // a text ends at its 0
    ExpressionProblem problem = {0};
    const Tree *tree = expression_parse(arena, bytes, &problem);
    if (tree) {
        walk(fuzzer, tree, strlen(bytes));
        return true;
    }
    if (!problem.message || problem.offset > strlen(bytes))
        fuzz_fail(fuzzer, "refused without a message, or at %u of %zu characters", problem.offset, strlen(bytes));
    diag_error(diag, NULL, "%s", problem.message);
    return false;
}

static void fuzz_expressions(FuzzTime time) {
    static const char *const words[] = {"**",      "//", "^",        "[:",   ":]",   "[None, ", "and",     "or",
                                        "not ",    "$",  "((((((((", "))))", "----", "f(",      ", axis)", "1e",
                                        "1e400",   "0x", "<=",       "==",   ".ema", "d[k+1]",  "true",    "99999999999999999999",
                                        "\xc3\xa9"};
    static const char *const samples[] = {
        "mean((eps - eps_hat)^2)",
        "along(sqrt(alpha_bar[t]), x0)*x0 + -x^2 // 3 % 2",
        "select(a <= 0.8 and not b or c != d, [1, 2.5, -3e-4], $[:, None, 1:-1:2, ...])",
        "f.ema",
        "x[0, ::2, -1:][None]",
        "d[k+1]",
        "2^3^2 - (1 - -1)",
        "max(shape(x, 1), len([1, 2]))",
    };
    Fuzzer *fuzzer = fuzzer_create("expression", words, sizeof words / sizeof *words);
    for (uint32_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        ExpressionProblem problem;
        if (expression_parse(fuzzer->arena, samples[i], &problem))
            fuzzer_add_text(fuzzer, "expression.txt", samples[i]);
    }
    fuzzer_run(&fuzzer, taste_expression, time.seconds, time.first, time.count);
}

// ---- documents

static bool taste_document(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)bytes, (void)size;
    ReadOptions options = {.path = fuzzer->path, .keep_values = fuzzer->seed % 2 == 1};
    options.preset = text_starts_with(file_name(fuzzer->path), "preset_") ? "check" : NULL;
    const Module *module = read_document(arena, &options, diag);
    if (!module)
        return false;
    for (uint32_t p = 0; p < module->programs.count; p++)
        for (uint32_t i = 0; i < module->programs.items[p].phases.count; i++) {
            Text problems = text_create(arena);
            const Phase *phase = &module->programs.items[p].phases.items[i];
            if (!graph_verify(phase->graph, &problems))
                fuzz_fail(fuzzer, "%s/%s does not verify: %s", module->programs.items[p].name, phase->name, problems.data);
        }
    if (!module->resolved)
        fuzz_fail(fuzzer, "there is no resolved document");
    return true;
}

static void copy(Fuzzer *fuzzer, const char *from, const char *to) {
    size_t size;
    const char *text = file_read(fuzzer->arena, file_join(fuzzer->arena, GG_SOURCE_DIR, from), &size, fuzzer->diag);
    if (text)
        fuzz_write(fuzzer, to, text, size);
}

static void fuzz_documents(FuzzTime time) {
    static const char *const words[] = {"\"for\": \"i\", \"below\": 3, ",
                                        "\"if\": \"K > 1\", ",
                                        "\"repeat\": \"epoch\", ",
                                        "\"as\": \"x\", ",
                                        "\"$\"",
                                        "\"in\": \"x\", ",
                                        "{\"op\": \"linear\", \"features\": 3}, ",
                                        "{\"expr\": \"sum($)\"}, ",
                                        "\"op\"",
                                        "\"call\"",
                                        "\"set\"",
                                        "\"mode\": \"eval\", ",
                                        "[]",
                                        "{}",
                                        "null",
                                        "\"n\"",
                                        "\"batch\"",
                                        "-1",
                                        "0",
                                        "[3, 3]",
                                        "\"shape\"",
                                        "{\"gradient\": \"sum($)\", \"of\": \"x\"}, ",
                                        "{\"op\": \"batch_norm\"}, ",
                                        "\"weights\": \"f.ema\", ",
                                        "{\"push\": \"h\"}, ",
                                        "pop(h)",
                                        "reshape($, [-1])",
                                        "detach(",
                                        "\"include\": [\"blocks/images.json\"], ",
                                        "\"when\": \"step > 1\", ",
                                        "\"when\": \"fit.loss > 1\", ",
                                        "\"stop\": \"validate.loss_test < 1 or fit.accuracy > 0.5\", ",
                                        "\"every\": \"max(1, steps // 3) % 7\", ",
                                        "fit.loss",
                                        "{\"state\": \"s\", \"shape\": []}, ",
                                        "\"dtype\": \"i32\", \"tokens\": {\"of\": \"bytes\"}, ",
                                        "\"dtype\": \"i32\", \"tokens\": {\"of\": \"ddpm_mnist.json\"}, ",
                                        "{\"block\": \"b\"}, ",
                                        "{\"for\": \"j\", \"below\": 3000, \"nodes\": [",
                                        "\"b\": {\"inputs\": [\"x\"], \"nodes\": [{\"block\": \"b\", \"in\": \"x\"}, {\"block\": \"b\", \"in\": \"x\"}]}, ",
                                        "((((((((((((((((((((((((((((((((((((((((",
                                        "\"K\": \"K + K\", "};
    static const char *const golden[] = {"outer_product", "norm_silu",     "conv_bias_residual", "softmax",
                                         "state_swap",    "unrolled_step", "concat_slice",       "reduction_siblings"};
    Fuzzer *fuzzer = fuzzer_create("document", words, sizeof words / sizeof *words);
    if (!file_make_folders(file_join(fuzzer->arena, fuzzer->folder, "blocks"), fuzzer->diag))
        exit(EXIT_FAILURE);
    copy(fuzzer, "graphs/blocks/images.json", "blocks/images.json");
    copy(fuzzer, "graphs/blocks/common.json", "blocks/common.json");
    copy(fuzzer, "graphs/ddpm_mnist.json", "ddpm_mnist.json");
    for (uint32_t i = 0; i < sizeof golden / sizeof *golden; i++)
        fuzzer_add_file(fuzzer, arena_format(fuzzer->arena, "%s/tests/golden/%s.json", GG_SOURCE_DIR, golden[i]));
    static const char *const fixtures[] = {"everything", "shared_flow", "tied", "target", "copies"};
    for (uint32_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++)
        fuzzer_add_file(fuzzer, arena_format(fuzzer->arena, "%s/tests/end_to_end/fixtures/%s.json", GG_SOURCE_DIR, fixtures[i]));
    copy(fuzzer, "tests/end_to_end/fixtures/copies_part.json", "copies_part.json");
    static const char *const graphs[] = {"balance", "unrolled_gan", "wgan_gp", "spectral_norm", "latent_diffusion", "features"};
    for (uint32_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        size_t size;
        const char *text =
            file_read(fuzzer->arena, arena_format(fuzzer->arena, "%s/graphs/%s.json", GG_SOURCE_DIR, graphs[i]), &size, fuzzer->diag);
        if (text)
            fuzzer_add(fuzzer, arena_format(fuzzer->arena, "preset_%s.json", graphs[i]), text, size);
    }
    fuzzer_run(&fuzzer, taste_document, time.seconds, time.first, time.count);
}

int main(int count, char **arguments) {
    FuzzTime time = fuzz_arguments(count, arguments, 4);
    fuzz_expressions(time);
    fuzz_documents(time);
    return EXIT_SUCCESS;
}
