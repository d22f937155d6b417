// From graph to bundle and back: compile, inspect, verify (which must see a broken kernel), run on a device against run --interpret.
#include "runtime/tensor/tensor_file.h"
#include "tests/end_to_end/command.h"
#include "tests/end_to_end/small_graph.h"
#include <math.h>
#include <signal.h>

static const char *graph, *bundle;

static void compile_small(const char *more) {
    graph = in_folder("small.json");
    bundle = in_folder("small.ggb");
    write_text(graph, SMALL_GRAPH);
    expect_code(0, "compile %s -o %s %s", graph, bundle, more);
}

START_TEST(compile_twice_gives_equal_bytes) {
    compile_small("");
    expect_out("programs");
    expect_code(0, "compile %s -o %s", graph, in_folder("again.ggb"));
    ck_assert_int_eq(system(arena_format(arena, "diff -r %s %s", bundle, in_folder("again.ggb"))), 0);
}
END_TEST

START_TEST(bundle_is_replaced_but_nothing_else) {
    compile_small("");
    expect_code(0, "compile %s -o %s", graph, bundle);
    ck_assert(file_make_folders(in_folder("mine"), diag));
    write_text(in_folder("mine/notes.txt"), "precious");
    expect_code(1, "compile %s -o %s", graph, in_folder("mine"));
    ck_assert_str_eq(read_all(in_folder("mine/notes.txt")), "precious");
    write_text(file_join(arena, bundle, "notes.txt"), "precious");
    expect_code(1, "compile %s -o %s", graph, bundle);
    expect_err("small.ggb: is there, and holds notes.txt, which would be lost; nothing was written");
}
END_TEST

// Killed while it compiles or while it writes: the old bundle is there, or the new one.
START_TEST(killed_compilers_leave_a_bundle) {
    const char *other = in_folder("other.ggb"), *copy = in_folder("copy.ggb");
    compile_small("-D width=12");
    expect_code(0, "compile %s -o %s -D width=8", graph, other);
    ck_assert_int_eq(system(arena_format(arena, "cp -r %s %s", bundle, copy)), 0);
    const char *compile = arena_format(arena, "%s/gcc-graph compile %s -o %s >/dev/null 2>&1", GG_BINARY_DIR, graph, copy);
    uint32_t word = 99;
    for (uint32_t i = 0; i < 24; i++) {
        word = word * 1664525u + 1013904223u;
        pid_t child = fork();
        if (child == 0) {
            execl("/bin/sh", "sh", "-c", arena_format(arena, "exec %s -D width=%u", compile, i % 2 ? 12 : 8), (char *)NULL);
            _exit(127);
        }
        usleep(i * 10000 + (word >> 8 & 0x3fff));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        int same = system(arena_format(arena, "diff -r %s %s >/dev/null || diff -r %s %s >/dev/null", bundle, copy, other, copy));
        ck_assert_msg(same == 0, "kill %u left something else", i);
    }
    expect_code(0, "compile %s -o %s -D width=12", graph, copy);
    ck_assert_int_eq(system(arena_format(arena, "diff -r %s %s && ! ls -d %s.* 2>/dev/null", bundle, copy, copy)), 0);
}
END_TEST

// A limit of 8 KiB a file: some file of the bundle is larger.
START_TEST(no_room_leaves_the_old_bundle) {
    const char *copy = in_folder("copy.ggb");
    compile_small("");
    ck_assert_int_eq(system(arena_format(arena, "cp -r %s %s", bundle, copy)), 0);
    int code = system(arena_format(arena, "trap '' XFSZ; ulimit -f 8; %s/gcc-graph compile %s -o %s -D width=8 2>%s >/dev/null", GG_BINARY_DIR, graph, copy, in_folder("said")));
    ck_assert_int_ne(code, 0);
    ck_assert_msg(strstr(read_all(in_folder("said")), "cannot write: File too large"), "%s", read_all(in_folder("said")));
    ck_assert_int_eq(system(arena_format(arena, "diff -r %s %s && ! ls -d %s.* 2>/dev/null", bundle, copy, copy)), 0);
}
END_TEST

// glslang's work shows in the cache of what it made.
START_TEST(who_only_looks_makes_no_spirv) {
    compile_small("");
    const char *cache = in_folder("cache");
    setenv("XDG_CACHE_HOME", cache, 1);
    expect_code(0, "summary %s --target cpu", graph);
    expect_code(0, "summary %s", bundle);
    expect_code(0, "inspect %s", bundle);
    expect_code(0, "inspect %s 000", bundle);
    expect_code(0, "run %s sample/noise --interpret", graph);
    ck_assert(!file_exists(file_join(arena, cache, "gcc-graph/spirv")));
    expect_code(0, "compile %s -o %s", graph, in_folder("again.ggb"));
    ck_assert(file_exists(file_join(arena, cache, "gcc-graph/spirv")));
    unsetenv("XDG_CACHE_HOME");
}
END_TEST

START_TEST(inspect_shows_kernels_values_and_nodes) {
    compile_small("");
    expect_code(0, "inspect %s", bundle);
    expect_out("train/denoise: ");
    expect_out("conv2d");
    expect_code(0, "inspect %s 000", bundle);
    expect_out("#version 4");
    expect_code(0, "inspect %s --memory", bundle);
    expect_code(0, "inspect %s --decisions", bundle);
    expect_out(" stays out of kernel of %");
    expect_out(" is stored: computed in the kernels of all that need it");
    expect_code(0, "inspect %s /networks/f/nodes/0", bundle);
    expect_out("conv2d");
    expect_code(1, "inspect %s 99_nothing", bundle);
    expect_err("has no kernel, value or node \"99_nothing\"");
    expect_code(0, "summary %s", bundle);
    expect_out("memory plan");
}
END_TEST

START_TEST(verify_agrees) {
    compile_small("");
    expect_code(0, "verify %s --target all --validation", bundle);
    expect_out("agree with the reference");
}
END_TEST

// Zero is an edge value: the logarithm is skipped there, what the same kernel stores beside it is compared.
START_TEST(verify_compares_what_stays_in_its_domain) {
    write_text(in_folder("edges.json"),
               "{\"gcc-graph\": 1, \"name\": \"edges\", \"presets\": {\"check\": {}},\n"
               " \"data\": {\"d\": {\"batch\": 4, \"fields\": {\"x\": {\"shape\": [8], \"range\": [-1, 1]}}}},\n"
               " \"programs\": {\"p\": {\"phases\": [{\"name\": \"one\", \"feed\": {\"x\": \"d.x\"}, \"nodes\": [\n"
               "   {\"emit\": \"a\", \"value\": \"log(abs(x))\", \"format\": \"tensor\"},\n"
               "   {\"emit\": \"b\", \"value\": \"2*x + 1\", \"format\": \"tensor\"}]}]}}}\n");
    bundle = in_folder("edges.ggb");
    expect_code(0, "compile %s -o %s", in_folder("edges.json"), bundle);
    expect_out(" 1 kernels");
    expect_code(0, "verify %s --size check --all", bundle);
    expect_out(" 2  "); // runs: with captured inputs and with edge values
    expect_code(0, "inspect %s %%1", bundle);
    expect_out("(feed) at ");
    expect_code(0, "inspect %s %%3", bundle);
    expect_out("(result) at ");
}
END_TEST

// One phase of these nodes agrees with the reference on the device, by the kernels of each class.
static void verify_nodes(const char *nodes) {
    const char *document = in_folder("nodes.json");
    write_text(document, arena_format(arena, "{\"gcc-graph\": 1, \"programs\": {\"p\": {\"phases\": [{\"name\": \"one\", \"nodes\": [\n%s]}]}}}\n", nodes));
    bundle = in_folder("nodes.ggb");
    expect_code(0, "compile %s -o %s", document, bundle);
    expect_code(0, "verify %s --target all", bundle);
    expect_out("agree with the reference");
}

// More parts than a class binds buffers, beside other values; a running product is such a concat.
START_TEST(concats_of_many_parts_agree) {
    verify_nodes("{\"random\": \"normal\", \"shape\": [127], \"as\": \"x\"},\n"
                 "{\"expr\": \"tanh(x)*cumprod(sin(x)) + x\", \"as\": \"y\"},\n"
                 "{\"gradient\": \"sum(sin(y))\", \"of\": \"x\", \"as\": \"g\"},\n"
                 "{\"expr\": \"concat([x[:3], exp(x[3:5]), y[5:11], x[11:12], g[12:13], y[13:20], x[20:21], sin(g[21:40]), x[40:43], y[43:]], 0)\"},\n"
                 "{\"emit\": \"c\", \"value\": \"$*x\", \"format\": \"tensor\"}");
}
END_TEST

// One element, computed as a vec4 whose other lanes are padding, and read by single lanes.
START_TEST(single_elements_agree) {
    verify_nodes("{\"random\": \"normal\", \"shape\": [1], \"as\": \"s\"},\n"
                 "{\"expr\": \"pad(s, [[1, 2]])\", \"as\": \"wide\"},\n"
                 "{\"gradient\": \"sum(tanh(wide)) + sum(s*s)\", \"of\": \"s\", \"as\": \"slope\"},\n"
                 "{\"emit\": \"slope\", \"value\": \"slope\", \"format\": \"tensor\"}");
}
END_TEST

// Indices that run backwards are divided: by the factor of an image, by an axis of a reshaped one.
START_TEST(flips_of_divided_indices_agree) {
    verify_nodes("{\"random\": \"normal\", \"shape\": [1, 4, 3, 4], \"as\": \"x\"},\n"
                 "{\"emit\": \"a\", \"value\": \"flip(upsample_nearest(x, 2), 3)\", \"format\": \"tensor\"},\n"
                 "{\"emit\": \"b\", \"value\": \"flip(pixel_shuffle(x, 2), -1)\", \"format\": \"tensor\"},\n"
                 "{\"emit\": \"c\", \"value\": \"flip(upsample_nearest(x, 3), [2, 3])\", \"format\": \"tensor\"},\n"
                 "{\"random\": \"normal\", \"shape\": [3, 5], \"as\": \"y\"},\n"
                 "{\"emit\": \"d\", \"value\": \"flip(reshape(y, [15]), 0)\", \"format\": \"tensor\"},\n"
                 "{\"emit\": \"e\", \"value\": \"flip(reshape(broadcast(y[:, None], [3, 4, 5]), [12, 5]), 0)\", \"format\": \"tensor\"}");
}
END_TEST

// Nothing is left of 112 terms but what rounding makes of them, which is far more than rounding makes of the result.
START_TEST(sums_that_cancel_agree) {
    verify_nodes("{\"random\": \"normal\", \"shape\": [7, 56], \"as\": \"x\"},\n"
                 "{\"random\": \"normal\", \"shape\": [56, 9], \"as\": \"w\"},\n"
                 "{\"emit\": \"rest\", \"value\": \"matmul(concat([x, x], 1), concat([w, -w], 0))\", \"format\": \"tensor\"}");
    expect_out("(terms cancel)");
}
END_TEST

// Flips the first sign between two registers of a kernel's body and rebuilds it.
static bool break_kernel(const char *name) {
    const char *path = file_join(arena, bundle, arena_format(arena, "kernels/%s", name));
    char *source = read_all(path), *sign = strstr(source, " + v");
    if (!sign)
        return false;
    sign[1] = '-';
    write_text(path, source);
    return true;
}

START_TEST(verify_sees_a_broken_kernel) {
    compile_small("");
    uint32_t count = 0;
    const char **names = file_list(arena, file_join(arena, bundle, "kernels"), &count, diag);
    bool broken = false;
    for (uint32_t i = 0; i < count && !broken; i++)
        broken = text_ends_with(names[i], ".comp") && break_kernel(names[i]);
    ck_assert(broken);
    expect_code(1, "verify %s --size full", bundle); // not rebuilt yet: the digest does not fit
    expect_code(0, "compile %s", bundle);
    expect_out("1 kernels rebuilt");
    expect_code(1, "verify %s --size full --bisect", bundle);
    expect_out("FAILED");
    expect_out("to blame is the bundle: it is right when compiled anew");
    expect_err("do not compute what the reference computes");
}
END_TEST

// Largest difference over the largest magnitude of two .npy files.
static double difference(const char *a, const char *b) {
    HostTensor x, y;
    ck_assert_msg(npy_read(arena, a, &x, diag) && npy_read(arena, b, &y, diag), "%s", diag_text(diag, arena));
    uint64_t count = x.size / element_bytes(x.dtype);
    ck_assert_uint_eq(count, y.size / element_bytes(y.dtype));
    ck_assert_int_eq(x.dtype, ELEMENT_F32);
    ck_assert_int_eq(y.dtype, ELEMENT_F64);
    double worst = 0, scale = 1e-6;
    for (uint64_t i = 0; i < count; i++) {
        double wanted = ((const double *)y.data)[i], got = (double)((const float *)x.data)[i];
        worst = fmax(worst, isnan(got) ? INFINITY : fabs(got - wanted));
        scale = fmax(scale, fabs(wanted));
    }
    return worst / scale;
}

START_TEST(device_equals_interpreter) {
    compile_small("");
    expect_code(0, "run %s train --steps 3 --data random:64 --seed 5 --get %s", bundle, in_folder("device"));
    char *device_out = out;
    expect_code(0, "run %s train --steps 3 --data random:64 --seed 5 --interpret --get %s", bundle, in_folder("judge"));
    ck_assert_msg(strncmp(out, "train.denoise.loss@0.0 ", 23) == 0 && strncmp(device_out, out, 23) == 0, "%s%s", device_out, out);
    static const char *const files[] = {
        "after/f.conv2d.weight",       "after/f.conv2d_2.bias",      "after/f.batch_norm.variance",        "after/opt.ema.f.conv2d.weight",
        "after/opt.v.f.conv2d.weight", "values/train.denoise.y@2.0", "gradients/opt.f.conv2d_1.weight@2.0"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        double error = difference(file_join(arena, in_folder("device"), arena_format(arena, "%s.npy", files[i])),
                                  file_join(arena, in_folder("judge"), arena_format(arena, "%s.npy", files[i])));
        // Adam divides by the root of squared gradients: its first steps know little more than the gradient's sign.
        ck_assert_msg(error < 1e-2, "%s differs by %g of its largest number", files[i], error);
    }
}
END_TEST

START_TEST(a_folder_comes_in_as_it_went_out) {
    compile_small("");
    expect_code(0, "run %s train --data random:64 --seed 5 --interpret --get %s", bundle, in_folder("first"));
    expect_code(0, "run %s train --seed 9 --interpret --set %s --get %s --get loss=%s", bundle, in_folder("first"), in_folder("second"),
                in_folder("loss.npy"));
    ck_assert_int_eq(system(arena_format(arena, "cd %s && diff -r first/after second/after && diff -r first/values second/values", folder)),
                     0);
    ck_assert(file_exists(in_folder("loss.npy")));
}
END_TEST

START_TEST(run_says_what_is_missing) {
    compile_small("");
    expect_code(1, "run %s train --interpret", bundle);
    expect_err("nothing is given for the feed \"x0\": --set x0=FILE.npy, or --data SPEC");
    expect_code(1, "run %s tarin --interpret", bundle);
    expect_err("did you mean \"train\"?");
    expect_code(1, "run %s train/denose --interpret --data random:64", bundle);
    expect_err("did you mean \"denoise\"?");
    expect_code(1, "run %s train --interpret --data random:64 --get lss=%s", bundle, in_folder("x.npy"));
    expect_err("--get lss: nothing of that name came out");
    ck_assert(!file_exists(in_folder("x.npy")));
}
END_TEST

// `verify --bisect` finds a value by its number in variants without fusion: these must begin with the same graph.
START_TEST(fusion_begins_with_the_same_graph) {
    static const char words[] = "compile graphs/mnist_gan.json --preset check --stop-after=simplify --dump=simplify -o";
    expect_code(0, "%s %s", words, in_folder("none.ggb"));
    const char *fused = arena_copy_text(arena, out);
    ck_assert_ptr_nonnull(strstr(fused, "(prepare)"));
    expect_code(0, "%s %s --no-fuse", words, in_folder("none.ggb"));
    ck_assert_str_eq(out, fused);
}
END_TEST

// Divisors that were stored have zeros in the padding of a set, which the quotient must not make NaN of.
START_TEST(padding_is_zero_without_fusion) {
    expect_code(0, "compile graphs/ring_gan.json --preset check --no-fuse -o %s", in_folder("none.ggb"));
    expect_code(0, "verify %s --size full", in_folder("none.ggb"));
}
END_TEST

START_TEST(verify_says_that_it_has_nothing_to_do) {
    const char *path = in_folder("plain.json");
    bundle = in_folder("plain.ggb");
    write_text(path, "{\"gcc-graph\": 1, \"programs\": {\"p\": {\"phases\": [{\"name\": \"a\", \"nodes\": [\n"
                     "   {\"random\": \"normal\", \"shape\": [4], \"as\": \"x\"}, {\"emit\": \"x\", \"value\": \"2*x\", \"format\": \"tensor\"}]}]}}}\n");
    expect_code(0, "compile %s -o %s", path, bundle);
    expect_code(1, "verify %s --size check", bundle);
    expect_err("the graph has no preset \"check\", which --size check asks for");
    expect_code(0, "verify %s", bundle);
    expect_err("so only its full size is verified");
}
END_TEST

START_TEST(every_phase_is_dumped_up_to_a_pass) {
    expect_code(0, "compile graphs/ddpm_mnist.json --preset check -o %s --dump=layout --stop-after=layout", in_folder("none.ggb"));
    expect_out("==== layout: train/denoise");
    expect_out("==== layout: sample/step");
    ck_assert_ptr_null(strstr(out, "==== fuse"));
    ck_assert(!file_exists(in_folder("none.ggb")));
    static const char *const passes[] = {"read", "prepare", "differentiate", "expand", "simplify", "split", "layout", "fuse", "schedule", "plan"},
                             *const phases[] = {"train/denoise", "sample/noise", "sample/step", "sample/finish", "sample_ddim/noise", "sample_ddim/step",
                                                "sample_ddim/finish", "forward_process/pick", "forward_process/show"};
    for (uint32_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        expect_code(0, "compile graphs/ddpm_mnist.json --preset check --dump=%s --stop-after=%s", passes[i], passes[i]);
        for (uint32_t k = 0; k < sizeof phases / sizeof *phases; k++)
            expect_out(arena_format(arena, "==== %s: %s\n", passes[i], phases[k]));
    }
    expect_code(0, "compile graphs/ddpm_mnist.json --preset check --dump=emit --stop-after=emit");
    for (uint32_t k = 0; k < sizeof phases / sizeof *phases; k++)
        expect_out(strchr(phases[k], '/') + 1);
    expect_out("==== emit: program/ddpm_mnist\n");
}
END_TEST

// What is in a folder and below, sorted; two texts that are equal: nothing was written.
static const char *everything_in(const char *path) {
    ck_assert_int_eq(system(arena_format(arena, "find %s | sort >/tmp/gg_found_%d", path, (int)getpid())), 0);
    const char *list = arena_format(arena, "/tmp/gg_found_%d", (int)getpid()), *text = read_all(list);
    unlink(list);
    return text;
}

// A bundle may be made by hand: no name in it leads out of the folder that is to be written.
START_TEST(names_lead_nowhere_else) {
    static const char *const wanted[] = {"\"name\": \"picture\"", "\"name\": \"p\"", "\"name\": \"000_"},
                             *const given[] = {"\"name\": \"../../evil\"", "\"name\": \"../evil\"", "\"name\": \"../../x000_"};
    const char *named = in_folder("named.json"), *hand_made = in_folder("named.ggb"), *sheet = file_join(arena, hand_made, "program.json");
    write_text(named, "{\"gcc-graph\": 1, \"programs\": {\"p\": {\"phases\": [{\"name\": \"a\", \"nodes\": [{\"random\": \"normal\", \"shape\": [2, 1, 4, 4]},\n"
                      "  {\"expr\": \"sum($) / 3\", \"as\": \"s\"}, {\"emit\": \"picture\", \"value\": \"$ * fill(1.0, [2, 1, 4, 4])\", \"format\": \"image\"}],\n"
                      "  \"report\": [\"s/2\", \"s\"]}]}}}\n");
    expect_code(0, "compile %s -o %s", named, hand_made);
    const char *whole = read_all(sheet);
    expect_code(0, "sample %s --out %s", hand_made, in_folder("deep/er/out"));
    expect_code(0, "run %s p --get %s", hand_made, in_folder("deep/er/files"));
    ck_assert_msg(file_exists(in_folder("deep/er/files/report/p.a.s%2F2@0.0.npy")), "%s", everything_in(folder));
    expect_code(0, "run %s p --interpret --get %s", hand_made, in_folder("deep/er/files2"));
    ck_assert_msg(file_exists(in_folder("deep/er/files2/report/p.a.s%2F2@0.0.npy")), "%s", everything_in(folder));
    const char *before = everything_in(folder);
    for (uint32_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *at = strstr(whole, wanted[i]);
        ck_assert_msg(at != NULL, "%s", wanted[i]);
        write_text(sheet, arena_format(arena, "%.*s%s%s", (int)(at - whole), whole, given[i], at + strlen(wanted[i])));
        expect_code(1, "sample %s --out %s", hand_made, in_folder("deep/er/out"));
        expect_err("name: a name may not begin with a dot");
        expect_code(1, "compile %s", hand_made);
        ck_assert_str_eq(everything_in(folder), before);
    }
    const char *source = file_join(arena, hand_made, "graph.json"), *text = read_all(source), *at = strstr(text, "\"picture\"");
    write_text(source, arena_format(arena, "%.*s\"../../evil\"%s", (int)(at - text), text, at + strlen("\"picture\"")));
    expect_code(1, "run %s p --get %s", hand_made, in_folder("deep/er/files")); // compiles it again
    expect_err("/emit: \"../../evil\": a name may not begin with a dot");
    ck_assert_str_eq(everything_in(folder), before);
}
END_TEST

// A shader's text with another local_size.
static const char *resized(const char *path, uint32_t size) {
    const char *text = read_all(path), *at = strstr(text, "local_size_x = ");
    ck_assert_msg(at != NULL, "%s", text);
    at += strlen("local_size_x = ");
    return arena_format(arena, "%.*s%u%s", (int)(at - text), text, size, at + strspn(at, "0123456789"));
}

START_TEST(a_rebuilt_kernel_has_a_new_workgroup) {
    const char *source = in_folder("map.json"), *made = in_folder("map.ggb"), *sheet = file_join(arena, made, "program.json");
    write_text(source, "{\"gcc-graph\": 1, \"name\": \"map\", \"programs\": {\"p\": {\"phases\": [{\"name\": \"a\", \"nodes\": [\n"
                       "  {\"random\": \"normal\", \"shape\": [1000, 100], \"as\": \"x\"}, {\"emit\": \"y\", \"value\": \"tanh(x)\", \"format\": \"tensor\"}]}]}}}\n");
    expect_code(0, "compile %s -o %s --target any", source, made);
    uint32_t count;
    const char *kernels = file_join(arena, made, "kernels"), *kernel = file_join(arena, kernels, file_list(arena, kernels, &count, diag)[0]);
    ck_assert_msg(count == 2 && text_ends_with(kernel, ".comp") && strstr(read_all(sheet), "\"workgroup\": [64, 1, 1]"), "%s", kernel);
    ck_assert_ptr_nonnull(strstr(read_all(sheet), "\"groups\": [391, 1, 1]")); // 25,000 vectors
    expect_code(0, "run %s p --get y=%s", made, in_folder("first.npy"));
    write_text(kernel, resized(kernel, 16));
    expect_code(0, "compile %s", made);
    expect_out("1 kernels rebuilt");
    ck_assert_msg(strstr(read_all(sheet), "\"workgroup\": [16, 1, 1]") != NULL, "%s", read_all(sheet));
    ck_assert_msg(strstr(read_all(sheet), "\"groups\": [1564, 1, 1]") != NULL, "%s", read_all(sheet));
    expect_code(0, "sample %s --program p --out %s", made, in_folder("second"));
    expect_code(0, "inspect %s", made);
    expect_code(0, "verify %s", made);
    const char *before = read_all(sheet);
    write_text(kernel, resized(kernel, 512));
    expect_code(1, "compile %s", made);
    expect_err("invocations of a workgroup: 512, but at most 128 is allowed");
    ck_assert_str_eq(read_all(sheet), before);
}
END_TEST

START_TEST(labels_out_of_range_are_refused) {
    const char *path = in_folder("labels.json"), *labels = in_folder("y.npy");
    write_text(path, "{\"gcc-graph\": 1, \"data\": {\"d\": {\"batch\": 3, \"fields\": {\"y\": {\"shape\": [], \"dtype\": \"i32\", \"below\": 4}}}},\n"
                     " \"programs\": {\"p\": {\"phases\": [{\"name\": \"a\", \"feed\": {\"y\": \"d.y\"}, \"nodes\": [\n"
                     "   {\"expr\": \"cross_entropy(fill(1.0, [3, 4]), y)\", \"as\": \"l\"}], \"report\": [\"l\"]}]}}}\n");
    static const int32_t data[][3] = {{0, 3, 1}, {0, 4, 1}, {-1, 2, 1}};
    for (uint32_t i = 0; i < 6; i++) {
        HostTensor tensor = {.name = "y", .dtype = ELEMENT_I32, .rank = 1, .dims = {3}, .size = sizeof data[0], .data = data[i / 2]};
        ck_assert_msg(npy_write(labels, &tensor, diag), "%s", diag_text(diag, arena));
        expect_code(i / 2 ? 1 : 0, "run %s p --set y=%s %s", path, labels, i % 2 ? "--interpret" : "");
        if (i / 2)
            expect_err(i / 2 == 1 ? "p.a.y: element 1 is 4, but the graph declares it from 0 to 3" : "p.a.y: element 0 is -1, but the graph declares it from 0 to 3");
        else
            expect_out("p.a.l@0.0 1.386294");
    }
}
END_TEST

// Products and sums of an exact program are rounded one by one, whatever the driver would like to make one operation of.
START_TEST(exact_programs_round_each_result) {
    enum { COUNT = 256 };
    float data[3][COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        data[0][i] = 1 + (float)(i + 1) / 4099;
        data[1][i] = 1 + (float)(3 * i + 7) / 8191;
        volatile float product = data[0][i] * data[1][i];
        data[2][i] = -product; // what contraction leaves of the sum is the product's rounding error
    }
    for (uint32_t i = 0; i < 3; i++) {
        HostTensor tensor = {.name = "x", .dtype = ELEMENT_F32, .rank = 2, .dims = {1, COUNT}, .size = sizeof data[i], .data = data[i]};
        ck_assert_msg(npy_write(in_folder(arena_format(arena, "%c.npy", "xyz"[i])), &tensor, diag), "%s", diag_text(diag, arena));
    }
    const char *exact = in_folder("exact.json");
    bundle = in_folder("exact.ggb");
    write_text(exact, "{\"gcc-graph\": 1, \"name\": \"exact\", \"exact\": true,\n"
                      " \"data\": {\"d\": {\"batch\": 1, \"fields\": {\"x\": {\"shape\": [256]}, \"y\": {\"shape\": [256]},\n"
                      "                                             \"z\": {\"shape\": [256]}}}},\n"
                      " \"programs\": {\"p\": {\"phases\": [{\"name\": \"one\", \"nodes\": [\n"
                      "   {\"emit\": \"a\", \"value\": \"x*y + z\", \"format\": \"tensor\"}],\n"
                      "   \"feed\": {\"x\": \"d.x\", \"y\": \"d.y\", \"z\": \"d.z\"}}]}}}\n");
    expect_code(0, "summary %s", exact);
    expect_out("\nexact: ");
    static const char *const targets[] = {"cpu", "gpu", "any"};
    for (uint32_t i = 0; i < 3; i++) {
        expect_code(0, "compile %s -o %s --target %s", exact, bundle, targets[i]);
        ck_assert_ptr_nonnull(strstr(read_all(in_folder("exact.ggb/program.json")), "\"exact\": true,\n"));
        expect_code(0, "inspect %s 000", bundle);
        expect_out("// exact: ");
        expect_code(0, "run %s p --set x=%s --set y=%s --set z=%s --get a=%s", bundle, in_folder("x.npy"), in_folder("y.npy"),
                    in_folder("z.npy"), in_folder("a.npy"));
        HostTensor a;
        ck_assert_msg(npy_read(arena, in_folder("a.npy"), &a, diag), "%s", diag_text(diag, arena));
        for (uint32_t k = 0; k < COUNT; k++)
            ck_assert_float_eq(((const float *)a.data)[k], 0);
    }
}
END_TEST

START_TEST(bench_prints_json) {
    setenv("XDG_CACHE_HOME", in_folder("benched"), 1);
    setenv("LP_NUM_THREADS", "1", 1); // what is measured is kept for that number
    compile_small("");
    expect_code(0, "devices --profile --device 0");
    ck_assert(!strstr(out, "\"is_measured\": true"));
    expect_code(0, "bench %s --device 0 --json --seconds 1", bundle);
    static const char *const keys[] = {"\"device\"",  "\"driver\"", "\"peak_gflops\"", "\"peak_gbps\"", "\"step_ms\"",
                                       "\"kernels\"", "\"class\"",  "\"gflop\"",       "\"gb\"",        "\"share\"", "\"peak\""};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        expect_out(keys[i]);
    expect_code(0, "devices --profile --device 0");
    expect_out("\"is_measured\": true");
    expect_code(0, "bench %s --device 0 --step --json --seconds 1", bundle);
    const char *step = strstr(out, "\"step_ms\": ");
    ck_assert_msg(step && strtod(step + strlen("\"step_ms\": "), NULL) > 0 && !strstr(out, "peak") && !strstr(out, "\"class\""), "%s", out);
    expect_code(0, "bench %s --device 0 --step --seconds 1", bundle);
    expect_out(": a step takes ");
    ck_assert_msg(!strstr(out, "the peak") && !strstr(out, "kernel  "), "%s", out);
    unsetenv("LP_NUM_THREADS");
    unsetenv("XDG_CACHE_HOME");
}
END_TEST

// A share is of what the device was seen to reach, and nobody clamps it.
START_TEST(no_share_is_over_one) {
    compile_small("-D width=32 -D batch=32"); // its tensors lie in a cache
    uint32_t count = 0;
    for (uint32_t i = 0; i < 3; i++) {
        expect_code(0, "bench %s --json --seconds 1", bundle);
        for (const char *at = out; (at = strstr(at, "\"share\": ")) != NULL; at += 9, count++) {
            double share = strtod(at + 9, NULL);
            ck_assert_msg(share >= 0 && share <= 1, "%.300s", at);
        }
    }
    ck_assert_uint_gt(count, 30);
    expect_code(0, "bench %s --seconds 1", bundle);
    expect_out("images/s");
    expect_out("multiply-add");
    expect_out("peaks, GB/s");
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("bundle");
    TCase *tests = tcase_create("bundle");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, compile_twice_gives_equal_bytes);
    tcase_add_test(tests, bundle_is_replaced_but_nothing_else);
    tcase_add_test(tests, killed_compilers_leave_a_bundle);
    tcase_add_test(tests, no_room_leaves_the_old_bundle);
    tcase_add_test(tests, who_only_looks_makes_no_spirv);
    tcase_add_test(tests, inspect_shows_kernels_values_and_nodes);
    tcase_add_test(tests, verify_agrees);
    tcase_add_test(tests, verify_compares_what_stays_in_its_domain);
    tcase_add_test(tests, concats_of_many_parts_agree);
    tcase_add_test(tests, single_elements_agree);
    tcase_add_test(tests, flips_of_divided_indices_agree);
    tcase_add_test(tests, sums_that_cancel_agree);
    tcase_add_test(tests, verify_says_that_it_has_nothing_to_do);
    tcase_add_test(tests, every_phase_is_dumped_up_to_a_pass);
    tcase_add_test(tests, labels_out_of_range_are_refused);
    tcase_add_test(tests, names_lead_nowhere_else);
    tcase_add_test(tests, a_rebuilt_kernel_has_a_new_workgroup);
    tcase_add_test(tests, verify_sees_a_broken_kernel);
    tcase_add_test(tests, device_equals_interpreter);
    tcase_add_test(tests, a_folder_comes_in_as_it_went_out);
    tcase_add_test(tests, run_says_what_is_missing);
    tcase_add_test(tests, fusion_begins_with_the_same_graph);
    tcase_add_test(tests, padding_is_zero_without_fusion);
    tcase_add_test(tests, exact_programs_round_each_result);
    tcase_add_test(tests, bench_prints_json);
    tcase_add_test(tests, no_share_is_over_one);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
