// Weights under PyTorch's names: out by `export --names`, back by `export --import` and by weights_init_named, bit for bit; and refusals.
#include "runtime/sample/weights.h"
#include "tests/end_to_end/command.h"

#define SMALL "--preset check -D E=16 -D Z=8 -D C=4 -D GF=4 -D DF=4"

static const char *map(int stage) { return arena_format(arena, "graphs/names/stackgan_stage%d_pytorch.json", stage); }

static TensorFile read_tensors(const char *path) {
    TensorFile file;
    ck_assert_msg(safetensors_read(arena, path, &file, diag), "%s", diag_text(diag, arena));
    return file;
}

static void same_tensor(const HostTensor *a, const HostTensor *b, const char *name) {
    ck_assert_msg(a && b, "no \"%s\"", name);
    ck_assert_msg(a->dtype == b->dtype && a->rank == b->rank && a->size == b->size &&
                      memcmp(a->dims, b->dims, sizeof *a->dims * a->rank) == 0 && memcmp(a->data, b->data, a->size) == 0,
                  "\"%s\" is another tensor", name);
}

// All states of a graph with other numbers than it begins with, as a file of ours.
static const char *some_weights(const char *graph, const char *sizes) {
    expect_code(0, "run graphs/%s.json sample %s --interpret --seed 11 --set sample.text=%s --get %s", graph, sizes, in_folder("text.npy"),
                in_folder("states"));
    uint32_t count = 0;
    const char *before = in_folder("states/before"), **files = file_list(arena, before, &count, diag);
    ARRAY(HostTensor) tensors = {0};
    for (uint32_t i = 0; i < count; i++) {
        HostTensor tensor;
        ck_assert_msg(npy_read(arena, file_join(arena, before, files[i]), &tensor, diag), "%s", diag_text(diag, arena));
        float *data = arena_alloc(arena, tensor.size);
        for (size_t k = 0; tensor.dtype == ELEMENT_F64 && k < tensor.size / sizeof(double); k++)
            data[k] = (float)((const double *)tensor.data)[k];
        if (tensor.dtype == ELEMENT_F64) { // the interpreter's
            tensor.dtype = ELEMENT_F32;
            tensor.data = data;
            tensor.size /= 2;
        }
        array_push(arena, &tensors, tensor);
    }
    const char *path = in_folder("ours.safetensors");
    ck_assert_msg(count > 40 && safetensors_write(arena, path, tensors.items, tensors.count, NULL, NULL, 0, diag), "%s",
                  diag_text(diag, arena));
    return path;
}

static void write_texts(uint32_t count, uint32_t width) {
    float *data = arena_alloc(arena, sizeof(float) * count * width);
    for (uint32_t i = 0; i < count * width; i++)
        data[i] = (float)(i % 7) - 3;
    HostTensor tensor = {.dtype = ELEMENT_F32, .rank = 2, .dims = {count, width}, .data = data, .size = sizeof(float) * count * width};
    ck_assert(npy_write(in_folder("text.npy"), &tensor, diag));
}

static const struct {
    const char *graph, *sizes;
    int stage;
    uint32_t texts;
} graphs[] = {
    {"stackgan_stage1", SMALL, 1, 16},
    {"stackgan_stage2", SMALL " -D GF1=4 -D R=3", 2, 4},
};

START_TEST(names_go_out_and_come_back) {
    write_texts(graphs[_i].texts, 16);
    const char *ours = some_weights(graphs[_i].graph, graphs[_i].sizes), *torch = in_folder("torch.safetensors");
    const char *names = map(graphs[_i].stage), *again = in_folder("again.safetensors");
    expect_code(0, "export %s -o %s --names %s", ours, torch, names);
    expect_code(0, "export %s --import -o %s --names %s", torch, again, names);
    TensorFile first = read_tensors(ours), exported = read_tensors(torch), second = read_tensors(again);
    Names map_of_names;
    ck_assert(names_read(arena, names, &map_of_names, diag));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < first.tensors.count; i++) {
        const HostTensor *tensor = &first.tensors.items[i];
        const char *theirs = names_theirs(arena, &map_of_names, tensor->name);
        if (text_starts_with(tensor->name, "d.") || text_starts_with(tensor->name, "g."))
            continue; // the optimizers'
        ck_assert_msg(strcmp(theirs, tensor->name) != 0, "%s has no name in PyTorch", tensor->name);
        same_tensor(tensor, tensor_file_find(&exported, theirs), theirs);
        same_tensor(tensor, tensor_file_find(&second, tensor->name), tensor->name);
        kept++;
    }
    ck_assert_uint_eq(exported.tensors.count, kept);
    ck_assert_uint_eq(second.tensors.count, kept);
}
END_TEST

// A file of one network is enough for a map of several, and what PyTorch counts is left out.
START_TEST(a_part_of_a_map_is_enough) {
    write_text(in_folder("names.json"), "{ \"G.a.weight\": \"x.0.weight\", \"G.r.*.b\": \"x.*.r\", \"D.a.weight\": \"y.0.weight\" }\n");
    float numbers[4] = {1, 2, 3, 4};
    int64_t steps = 9;
    HostTensor tensors[] = {
        {.name = "x.0.weight", .dtype = ELEMENT_F32, .rank = 1, .dims = {4}, .data = numbers, .size = sizeof numbers},
        {.name = "x.17.r", .dtype = ELEMENT_F32, .rank = 1, .dims = {4}, .data = numbers, .size = sizeof numbers},
        {.name = "x.1.num_batches_tracked", .dtype = ELEMENT_I64, .data = &steps, .size = sizeof steps},
        {.name = "else", .dtype = ELEMENT_F32, .rank = 1, .dims = {4}, .data = numbers, .size = sizeof numbers},
    };
    ck_assert(safetensors_write(arena, in_folder("torch.safetensors"), tensors, 4, NULL, NULL, 0, diag));
    expect_code(0, "export %s --import -o %s --names %s", in_folder("torch.safetensors"), in_folder("ours.safetensors"),
                in_folder("names.json"));
    TensorFile ours = read_tensors(in_folder("ours.safetensors"));
    ck_assert_uint_eq(ours.tensors.count, 3);
    ck_assert_ptr_nonnull(tensor_file_find(&ours, "G.a.weight"));
    ck_assert_ptr_nonnull(tensor_file_find(&ours, "G.r.17.b"));
    ck_assert_ptr_nonnull(tensor_file_find(&ours, "else"));
    static const struct {
        const char *map, *says;
    } wrong[] = {
        {"[]", "expected an object { our name: other name }, found an array"},
        {"{ \"G.a.weight\": 3 }", "expected a name, found a number"},
        {"{ \"G.a.weight\": \"x.0.weight\", \"G.b.weight\": \"x.0.weight\" }", "\"x.0.weight\" is the name of \"G.a.weight\" already"},
        {"{ \"G.*.weight\": \"x.0.weight\" }", "expected one '*' in both names or none"},
        {"{ \"G.a.weight\": \"x.0.weight\", \"G.b.weight\": \"x.9.weight\" }", "there is no tensor \"x.9.weight\""},
        {"{ \"G.a.weight\": \"z\" }", "there is no tensor \"z\""},
        {"{ \"else\": \"x.0.weight\" }", "two tensors would be called \"else\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_text(in_folder("names.json"), wrong[i].map);
        expect_code(1, "export %s --import -o %s --names %s", in_folder("torch.safetensors"), in_folder("none.safetensors"),
                    in_folder("names.json"));
        expect_err("names.json");
        expect_err(wrong[i].says);
        ck_assert(!file_exists(in_folder("none.safetensors")));
    }
}
END_TEST

// ---- into a session

typedef struct {
    Program *program;
    Device *device;
    Session *session;
} Bed;

static Bed open_bundle(const char *path) {
    Bed bed = {.program = program_read(arena, path, diag)};
    bed.device = bed.program ? device_create(arena, &(DeviceOptions){0}, diag) : NULL;
    bed.session = bed.device ? session_create(arena, bed.device, bed.program, &(SessionOptions){.only_entry = "sample"}, diag) : NULL;
    ck_assert_msg(bed.session && session_initialise(bed.session, diag), "%s", diag_text(diag, arena));
    return bed;
}

static void close_bundle(Bed *bed) {
    session_destroy(&bed->session);
    device_destroy(&bed->device);
}

static void refused(const Bed *bed, const char *spec, const Names *names, const char *const *says, size_t says_count) {
    Diag *errors = diag_create(arena);
    ck_assert(!weights_init_named(bed->session, bed->program, spec, names, NULL, errors));
    const char *text = diag_text(errors, arena);
    for (size_t i = 0; i < says_count; i++)
        ck_assert_msg(strstr(text, says[i]) != NULL, "\"%s\" is not in: %s", says[i], text);
}

START_TEST(weights_come_in_by_a_map) {
    if (!has_device())
        return;
    write_texts(16, 16);
    const char *ours = some_weights("stackgan_stage1", SMALL), *torch = in_folder("torch.safetensors");
    expect_code(0, "export %s -o %s --names %s", ours, torch, map(1));
    expect_code(0, "compile graphs/stackgan_stage2.json %s -D GF1=4 -D sample.count=1 --target 0 -o %s", SMALL, in_folder("two.ggb"));
    expect_code(0, "compile graphs/stackgan_stage1.json %s -D DF=6 --target 0 -o %s", SMALL, in_folder("one.ggb"));
    TensorFile first = read_tensors(ours);
    Names names, stage_2;
    ck_assert(names_read(arena, map(1), &names, diag) && names_read(arena, map(2), &stage_2, diag));
    Bed bed = open_bundle(in_folder("two.ggb")); // its s1.G is the file's G
    ck_assert_msg(weights_init_named(bed.session, bed.program, arena_format(arena, "s1.G=%s", torch), &names, NULL, diag), "%s",
                  diag_text(diag, arena));
    uint32_t compared = 0;
    for (uint32_t i = 0; i < bed.program->states.count; i++) {
        const ProgramState *state = &bed.program->states.items[i];
        HostTensor tensor;
        if (!state->network || strcmp(state->network, "s1.G") != 0)
            continue;
        ck_assert(session_get(bed.session, arena, state->name, &tensor, diag));
        same_tensor(tensor_file_find(&first, state->name + 3), &tensor, state->name);
        compared++;
    }
    ck_assert_uint_eq(compared, 28);
    refused(&bed, arena_format(arena, "G=%s", torch), &stage_2,
            (const char *[]){"torch.safetensors: it has no \"encoder.0.weight\", which graphs/names/stackgan_stage2_pytorch.json gives for "
                             "\"G.conv2d.weight\""},
            1);
    refused(&bed, arena_format(arena, "H=%s", torch), &names, (const char *[]){"--init H: this graph has no network of that name"}, 1);
    close_bundle(&bed);
    bed = open_bundle(in_folder("one.ggb"));
    refused(&bed, arena_format(arena, "D_features=%s", torch), &names,
            (const char *[]){
                "\"encode_img.3.running_mean\" is f32[8] there, and \"D_features.i.0.conv_bn_lrelu.batch_norm.mean\" f32[12] in this "
                "graph",
                "-D NAME=VALUE"},
            2);
    close_bundle(&bed);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("export");
    TCase *tests = tcase_create("export");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, names_go_out_and_come_back, 0, sizeof graphs / sizeof *graphs);
    tcase_add_test(tests, a_part_of_a_map_is_enough);
    tcase_add_test(tests, weights_come_in_by_a_map);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
