// Mutants of long sums, at full size: every loop of the kernels that sum ends a three hundredth early (at least one turn), and what a loop
// of vec4s leaves over is dropped. `verify` must see each of them, by terms that are alike and by terms that cancel.
#include "tests/end_to_end/command.h"
#include <ctype.h>

// Sums of 100,000; matrix products, a large and a small one, with a long inner axis that leaves a tail; weight gradients over many rows, over many images that are
// summed in slices, and over few images of many pixels.
static const char DOCUMENT[] =
    "{\"gcc-graph\": 1, \"name\": \"sums\",\n"
    " \"data\": {%s, %s},\n"
    " \"networks\": {\n"
    "  \"f\": {\"dims\": [\"n\"], \"inputs\": {\"x\": [\"n\", 8, 12, 12]},\n"
    "   \"nodes\": [{\"op\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"pad\": 1}]},\n"
    "  \"h\": {\"dims\": [\"n\"], \"inputs\": {\"x\": [\"n\", 4, 96, 96]},\n"
    "   \"nodes\": [{\"op\": \"conv2d\", \"channels\": 4, \"kernel\": 3, \"pad\": 1}]}},\n"
    " \"optimizers\": {\"opt_f\": {\"of\": \"f\", \"sgd\": {\"lr\": 1}}, \"opt_h\": {\"of\": \"h\", \"sgd\": {\"lr\": 1}}},\n"
    " \"programs\": {%s, %s}}\n";
static const char DATA[] =
    "\"%s\": {\"batch\": 1, \"fields\": {\"long\": {\"shape\": [12, 100000], \"range\": [%s, 1]},\n"
    "  \"a\": {\"shape\": [256, 4099], \"range\": [%s, 1]},\n"
    "  \"b\": {\"shape\": [4099, 64], \"range\": [%s, 1]}, \"rows\": {\"shape\": [30000, 8], \"range\": [%s, 1]},\n"
    "  \"images\": {\"shape\": [64, 8, 12, 12], \"range\": [%s, 1]}, \"pixels\": {\"shape\": [2, 4, 96, 96], \"range\": [%s, 1]}}}";
static const char PROGRAM[] =
    "\"%s\": {\"phases\": [{\"name\": \"one\", \"feed\": {\n"
    "   \"long\": \"%s.long\", \"a\": \"%s.a\", \"b\": \"%s.b\",\n"
    "   \"rows\": \"%s.rows\", \"images\": \"%s.images\", \"pixels\": \"%s.pixels\"},\n"
    "  \"nodes\": [{\"emit\": \"sum\", \"value\": \"sum(long[0], 1)\", \"format\": \"tensor\"},\n"
    "   {\"emit\": \"product\", \"value\": \"matmul(a[0], b[0])\", \"format\": \"tensor\"},\n"
    "   {\"emit\": \"small\", \"value\": \"matmul(a[0, :4], b[0, :, :8])\", \"format\": \"tensor\"},\n"
    "   {\"emit\": \"outer\", \"value\": \"matmul(transpose(rows[0], [1, 0]), flip(rows[0], 1))\", \"format\": \"tensor\"},\n"
    "   {\"call\": \"f\", \"in\": {\"x\": \"images[0]\"}, \"as\": \"y\"}, {\"call\": \"h\", \"in\": {\"x\": \"pixels[0]\"}, \"as\": \"z\"},\n"
    "   {\"expr\": \"sum(y*flip(images[0], 1)) + sum(z*flip(pixels[0], 1))\", \"as\": \"loss\"},\n"
    "   {\"update\": \"opt_f\", \"minimize\": \"loss\"}, {\"update\": \"opt_h\", \"minimize\": \"loss\"}]}]}";
static const char *const inputs[] = {"alike", "cancelling"};

typedef struct {
    const char *bundle, *path, *name, *source;
    uint32_t mutants;
} Hunt;

static const char *document(void) {
    const char *data[2], *programs[2];
    for (int i = 0; i < 2; i++) {
        const char *low = i ? "-1" : "1", *name = inputs[i];
        data[i] = arena_format(arena, DATA, name, low, low, low, low, low, low);
        programs[i] = arena_format(arena, PROGRAM, name, name, name, name, name, name, name);
    }
    return arena_format(arena, DOCUMENT, data[0], data[1], programs[0], programs[1]);
}

static void try(Hunt *hunt, const char *what, const char *mutated) {
    write_text(hunt->path, mutated);
    expect_code(0, "compile %s", hunt->bundle);
    for (int i = 0; i < 2; i++) {
        int code = gcc_graph("verify %s --size full --program %s", hunt->bundle, inputs[i]);
        ck_assert_msg(code == 1 && strstr(err, "do not compute"), "%s: terms that are %s do not show that %s\n%s%s", hunt->name, inputs[i],
                      what, out, err);
    }
    hunt->mutants++;
}

// The number of which "const int NAME = 1024;" says that it is called so; 0: none says it, or as an expression.
static long constant_of(const char *source, const char *name) {
    const char *at = strstr(source, arena_format(arena, "const int %s = ", name)), *number = at ? strchr(at, '=') + 2 : "";
    char *end = NULL;
    long value = at ? strtol(number, &end, 10) : 0;
    return at && *end == ';' ? value : 0;
}

// "for (int k = 0; k < CHANNEL_STEPS; k++) {": the last number or name of the condition. Loops over what a lane has beside each other do not sum.
static void shorten_loops(Hunt *hunt) {
    for (const char *loop = hunt->source; (loop = strstr(loop, "for (int ")) != NULL; loop++) {
        static const char unroll[] = "[[unroll]] ";
        const char *less = strstr(loop, " < "), *end = less ? strchr(less, ';') : NULL, *bound = end;
        if (!end || strchr(loop, '\n') < end || !strncmp(loop - (sizeof unroll - 1), unroll, sizeof unroll - 1))
            continue;
        while (isalnum((unsigned char)bound[-1]) || bound[-1] == '_')
            bound--;
        const char *text = arena_copy_bytes(arena, bound, (size_t)(end - bound));
        bool is_number = isdigit((unsigned char)*text), is_known = is_number || constant_of(hunt->source, text);
        long turns = is_number ? strtol(text, NULL, 10) : constant_of(hunt->source, text), lost = turns / 300 > 1 ? turns / 300 : 1;
        if (turns > 1 || !is_known)
            try(hunt, arena_format(arena, "`%.*s` ends %ld early", (int)(end - loop), loop, lost),
                arena_format(arena, "%.*s(%s - %ld)%s", (int)(bound - hunt->source), hunt->source, text, lost, end));
    }
}

// Products of three of four channels: what remains of 4099 after vec4s.
static void drop_tail(Hunt *hunt) {
    const char *product = " += b0.z * w2;\n", *at = strstr(hunt->source, product);
    if (at)
        try(hunt, "the last product of the tail is missing",
            arena_format(arena, "%.*s += vec4(0.0);%s", (int)(at - hunt->source), hunt->source, at + strlen(product) - 1));
}

static void hunt_class(const char *device_class) {
    const char *graph = in_folder("sums.json"), *bundle = in_folder(device_class);
    write_text(graph, document());
    expect_code(0, "compile %s -o %s --target %s", graph, bundle, device_class);
    expect_code(0, "verify %s --size full", bundle);
    uint32_t count = 0, kernels = 0, tails = 0;
    const char **names = file_list(arena, file_join(arena, bundle, "kernels"), &count, diag);
    for (uint32_t i = 0; i < count; i++) {
        bool sums = strstr(names[i], "reduce") || strstr(names[i], "matmul") || strstr(names[i], "weight");
        if (!text_ends_with(names[i], ".comp") || !sums)
            continue;
        Hunt hunt = {.bundle = bundle, .name = names[i]};
        hunt.path = file_join(arena, bundle, arena_format(arena, "kernels/%s", names[i]));
        hunt.source = read_all(hunt.path);
        shorten_loops(&hunt);
        uint32_t before = hunt.mutants;
        drop_tail(&hunt);
        tails += hunt.mutants - before;
        write_text(hunt.path, hunt.source);
        printf("%s %s: %u mutants\n", device_class, names[i], hunt.mutants);
        kernels += hunt.mutants > 0;
    }
    expect_code(0, "compile %s", bundle);
    ck_assert_uint_ge(kernels, 5);
    ck_assert_uint_ge(tails, 1);
}

START_TEST(cpu_sums_lose_nothing_unseen) { hunt_class("cpu"); }
END_TEST
START_TEST(gpu_sums_lose_nothing_unseen) { hunt_class("gpu"); }
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("sums");
    TCase *tests = tcase_create("mutants");
    tcase_set_timeout(tests, 600);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, cpu_sums_lose_nothing_unseen);
    tcase_add_test(tests, gpu_sums_lose_nothing_unseen);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
