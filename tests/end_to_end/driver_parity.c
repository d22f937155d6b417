// One training step of StackGAN against plain PyTorch modules (fixtures/, recorded by record_stackgan.py, which says what is in them), by
// the interpreter and on the device. Weights come in and go out under PyTorch's names by graphs/names/.
#include "runtime/run/names.h"
#include "tests/end_to_end/command.h"
#include <math.h>

static TensorFile torch;
static Names names;
static int stage;
static uint32_t size; // of the stage's images
enum { LOW = 64 };    // of those in the fixture

static const char *fixture(void) {
    return arena_format(arena, GG_SOURCE_DIR "/tests/end_to_end/fixtures/stackgan_stage%d.torch.safetensors", stage);
}
static const char *map(void) { return arena_format(arena, GG_SOURCE_DIR "/graphs/names/stackgan_stage%d_pytorch.json", stage); }
static const char *metadata(const char *key) { return tensor_file_metadata(&torch, key); }

static void open_fixture(int number) {
    stage = number;
    size = stage == 1 ? 64 : 256;
    ck_assert_msg(safetensors_read(arena, fixture(), &torch, diag) && names_read(arena, map(), &names, diag), "%s", diag_text(diag, arena));
}

static const HostTensor *torch_tensor(const char *name) {
    const HostTensor *tensor = tensor_file_find(&torch, name);
    ck_assert_msg(tensor != NULL, "the fixture has no \"%s\"", name);
    return tensor;
}

// ---- what goes in

static void put(const char *input, const char *name, HostTensor tensor) {
    const char *path = file_join(arena, in_folder(input), arena_format(arena, "%s.npy", name));
    ck_assert_msg(npy_write(path, &tensor, diag), "%s", diag_text(diag, arena));
}

static HostTensor image_of(const HostTensor *pixels) {
    uint32_t count = (uint32_t)pixels->dims[0], factor = size / LOW;
    size_t bytes = sizeof(float) * count * 3 * size * size;
    float *data = arena_alloc(arena, bytes);
    for (uint32_t i = 0; i < count * 3; i++)
        for (uint32_t y = 0; y < size; y++)
            for (uint32_t x = 0; x < size; x++)
                data[(i * size + y) * size + x] =
                    (float)(((const uint8_t *)pixels->data)[(i * LOW + y / factor) * LOW + x / factor] / 127.5 - 1);
    return (HostTensor){.dtype = ELEMENT_F32, .rank = 4, .dims = {count, 3, size, size}, .data = data, .size = bytes};
}

static HostTensor filled(const HostTensor *like, float value) {
    HostTensor tensor = *like;
    float *data = arena_alloc(arena, like->size);
    for (size_t i = 0; i < like->size / sizeof *data; i++)
        data[i] = value;
    tensor.data = data;
    return tensor;
}

static bool is_trained(const char *ours) {
    return !text_starts_with(ours, "s1.") && !text_ends_with(ours, ".mean") && !text_ends_with(ours, ".variance");
}

// A folder as `run --set` takes it. The device draws by itself: its numbers have the same names and seed.
static void make_input(const char *input, bool with_draws) {
    static const char *const folders[] = {"", "/before", "/feeds", "/draws"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        ck_assert(file_make_folders(arena_format(arena, "%s%s", in_folder(input), folders[i]), diag));
    int32_t count = atoi(metadata("count"));
    for (int i = 0; i < 2; i++)
        put(input, i ? "before/g.count" : "before/d.count", (HostTensor){.dtype = ELEMENT_I32, .data = &count, .size = sizeof count});
    for (uint32_t i = 0; i < torch.tensors.count; i++) {
        const HostTensor *tensor = &torch.tensors.items[i];
        const char *slash = strchr(tensor->name, '/');
        if (text_starts_with(tensor->name, "draws/") && with_draws)
            put(input, arena_format(arena, "draws/train.both.%s@0.0", slash + 1), *tensor);
        if (!text_starts_with(tensor->name, "before/"))
            continue;
        const char *ours = names_ours(arena, &names, slash + 1);
        ck_assert_msg(strcmp(ours, slash + 1) != 0, "%s has no name of ours", tensor->name);
        put(input, arena_format(arena, "before/%s", ours), *tensor);
        if (!is_trained(ours))
            continue;
        char optimizer = text_starts_with(ours, "G.") ? 'g' : 'd';
        put(input, arena_format(arena, "before/%c.m.%s", optimizer, ours), filled(tensor, 0));
        put(input, arena_format(arena, "before/%c.v.%s", optimizer, ours), filled(tensor, strtof(metadata("v"), NULL)));
    }
    put(input, "feeds/train.both.real@0.0", image_of(torch_tensor("feeds/image")));
    put(input, "feeds/train.both.text@0.0", *torch_tensor("feeds/text"));
}

// ---- what comes out

static HostTensor got(const char *output, const char *name) {
    HostTensor tensor;
    const char *path = file_join(arena, in_folder(output), arena_format(arena, "%s.npy", name));
    ck_assert_msg(npy_read(arena, path, &tensor, diag), "%s", diag_text(diag, arena));
    return tensor;
}

static double number(const HostTensor *tensor, size_t i) {
    return tensor->dtype == ELEMENT_F64 ? ((const double *)tensor->data)[i] : (double)((const float *)tensor->data)[i];
}

static size_t count_of(const HostTensor *tensor) { return tensor->size / element_bytes(tensor->dtype); }

static void compare_reports(const char *output, double tolerance) {
    uint32_t compared = 0;
    for (uint32_t i = 0; i < torch.tensors.count; i++) {
        const HostTensor *wanted = &torch.tensors.items[i];
        if (!text_starts_with(wanted->name, "report/"))
            continue;
        HostTensor report = got(output, arena_format(arena, "report/train.both.%s@0.0", wanted->name + 7));
        double have = number(&report, 0), want = number(wanted, 0);
        ck_assert_msg(fabs(have - want) < tolerance * fabs(want), "%s: %.9g, PyTorch has %.9g", wanted->name, have, want);
        compared++;
    }
    ck_assert_uint_eq(compared, stage == 1 ? 6 : 8);
}

static uint32_t rows_of_the_stage(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < names.rows.count; i++)
        count += !text_starts_with(names.rows.items[i].ours, "s1.");
    return count;
}

// Each number may miss by this share of the tensor's largest change, and by the rounding of f32 numbers.
static void compare_after(const char *output, double tolerance) {
    uint32_t compared = 0, wrong = 0;
    double all = 0;
    for (uint32_t i = 0; i < torch.tensors.count; i++) {
        const HostTensor *wanted = &torch.tensors.items[i];
        if (!text_starts_with(wanted->name, "after/"))
            continue;
        const char *theirs = wanted->name + 6, *ours = names_ours(arena, &names, theirs);
        const HostTensor *before = torch_tensor(arena_format(arena, "before/%s", theirs));
        HostTensor after = got(output, arena_format(arena, "after/%s", ours));
        ck_assert_uint_eq(count_of(&after), count_of(wanted));
        double largest = 0, worst = 0;
        for (size_t k = 0; k < count_of(wanted); k++)
            largest = fmax(largest, fabs(number(wanted, k) - number(before, k)));
        ck_assert_msg(largest > 0, "%s does not change", theirs);
        for (size_t k = 0; k < count_of(wanted); k++) {
            double error = fabs(number(&after, k) - number(wanted, k)) - 1.3e-7 * fabs(number(wanted, k));
            worst = isnan(error) || error > worst ? error : worst;
        }
        compared++;
        all = fmax(all, worst / largest);
        if (!(worst <= tolerance * largest) && wrong++ < 12)
            fprintf(stderr, "  %s (%s): off by %.2g of its largest change, %.2g\n", ours, theirs, worst / largest, largest);
    }
    ck_assert_uint_eq(compared, rows_of_the_stage());
    ck_assert_msg(wrong == 0, "%u of %u tensors differ, the worst by %.2g of its largest change", wrong, compared, all);
}

static void replay(int number_of_stage, const char *how, bool with_draws, double report_tolerance, double after_tolerance) {
    open_fixture(number_of_stage);
    make_input("in", with_draws);
    expect_code(0, "run graphs/stackgan_stage%d.json train --preset check %s --seed %s --set %s --get %s %s", stage, metadata("define"),
                metadata("seed"), in_folder("in"), in_folder("out"), how);
    compare_reports("out", report_tolerance);
    compare_after("out", after_tolerance);
}

START_TEST(interpreter_equals_pytorch) { replay(_i, "--interpret", true, 2e-7, 1e-7); }
END_TEST

START_TEST(device_equals_pytorch) {
    if (has_device())
        replay(_i, "--device 0", false, 2e-5, 2e-3);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("parity");
    TCase *tests = tcase_create("stackgan");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, interpreter_equals_pytorch, 1, 3);
    tcase_add_loop_test(tests, device_equals_pytorch, 1, 3);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
