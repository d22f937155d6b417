// Sessions: a hand-written program of three kernels, through its bundle, on each driver with the validation layer on.
#include "runtime/base/file.h"
#include "runtime/base/pool.h"
#include "runtime/base/random.h"
#include "runtime/session/parts.h"
#include "tests/device/vk_drivers.h"
#include <math.h>

enum { W_COUNT = 1024, ADDS = 9, STATE, CONSTANT, SCRATCH, FEED, RESULT };

static const char sum_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 1) in;\n"
    "layout(binding = 0) readonly buffer N { uint numbers[]; };\n"
    "layout(binding = 1) uniform textureBuffer x;\n"
    "layout(binding = 2) writeonly buffer T { vec4 t[]; };\n"
    "void main() {\n"
    "    float s = float(numbers[2]);\n"
    "    for (int i = 0; i < 10; i++) { vec4 v = texelFetch(x, i); s += v.x + 10.0 * v.y + 100.0 * v.z + 1000.0 * v.w; }\n"
    "    t[0] = vec4(s, 0.0, 0.0, 0.0);\n"
    "}\n";
static const char add_glsl[] = "#version 450\n"
                               "layout(local_size_x = 8) in;\n"
                               "layout(binding = 0) readonly buffer T { float t[]; };\n"
                               "layout(binding = 1) readonly buffer C { float c[]; };\n"
                               "layout(binding = 2) buffer W { float w[]; }; // in place\n"
                               "layout(push_constant) uniform P { float scale; uint offset; };\n"
                               "void main() {\n"
                               "    uint i = gl_GlobalInvocationID.x;\n"
                               "    w[i] += t[0] * scale + c[offset + i % 4u];\n"
                               "}\n";
static const char report_glsl[] = "#version 450\n"
                                  "layout(local_size_x = 1) in;\n"
                                  "layout(binding = 0) readonly buffer N { uint numbers[]; };\n"
                                  "layout(binding = 1) readonly buffer W { float w[]; };\n"
                                  "layout(binding = 2) readonly buffer Z { float z[]; };\n"
                                  "layout(binding = 3) writeonly buffer L { vec4 loss[]; };\n"
                                  "layout(binding = 4) writeonly buffer M { ivec4 moment[]; };\n"
                                  "layout(binding = 5) writeonly buffer D { uvec4 due[]; };\n"
                                  "void main() {\n"
                                  "    loss[0] = vec4(w[0] + w[1023] + z[0] + 2.0 * z[1] + 3.0 * z[2], 0.0, 0.0, 0.0);\n"
                                  "    moment[0] = ivec4(numbers[2], numbers[6], numbers[0], numbers[1]);\n"
                                  "    due[0] = uvec4(numbers[2] % 3u == 0u ? 1u : 0u, 0u, 0u, 0u);\n"
                                  "}\n";

// ---- the program

static void add_kernel(Arena *arena, Program *program, const char *folder, const char *name, const char *glsl, uint32_t workgroup,
                       const BindingKind *bindings, uint32_t count, uint32_t push_words, Diag *diag) {
    ProgramKernel kernel = {.name = name, .workgroup = {workgroup, 1, 1}, .push_words = push_words};
    kernel.digest = program_kernel_digest(arena, glsl, strlen(glsl));
    for (uint32_t i = 0; i < count; i++)
        array_push(arena, &kernel.bindings, bindings[i]);
    array_push(arena, &program->kernels, kernel);
    const char *comp = program_kernel_path(arena, folder, name, ".comp"), *spv = program_kernel_path(arena, folder, name, ".spv");
    ck_assert(file_write(comp, glsl, strlen(glsl), diag));
    ck_assert_int_eq(system(arena_format(arena, "glslangValidator -V --quiet --target-env vulkan1.2 -o %s %s", spv, comp)), 0);
}

static void add_dispatch(Arena *arena, ProgramPhase *phase, uint32_t kernel, uint32_t wave, uint32_t groups, const Range *ranges,
                         uint32_t count, const uint32_t *push, uint32_t push_words) {
    Step dispatch = {.kernel = kernel, .groups = {groups, 1, 1}, .wave = wave, .label = "%1", .work_class = WORK_MAP, .bytes = 4.0 * groups};
    for (uint32_t i = 0; i < count; i++)
        array_push(arena, &dispatch.ranges, ranges[i]);
    for (uint32_t i = 0; i < push_words; i++)
        array_push(arena, &dispatch.push, push[i]);
    array_push(arena, &phase->steps, dispatch);
}

static ProgramTensor tensor(ElementType type, uint32_t rank, const uint32_t *dims, const uint8_t *order, uint32_t memory, uint64_t offset) {
    ProgramTensor out = {.type = type, .layout = layout_make(rank, dims, order)};
    out.range = (Range){memory - STATE, offset, program_tensor_size(&out)};
    return out;
}

static void add_state(Arena *arena, Program *program, const char *name, StateKind kind, ProgramTensor at, InitKind init, double a,
                      double b, uint32_t factor, const char *copy) {
    ProgramState state = {
        .name = name, .kind = kind, .tensor = at, .init = init, .init_a = a, .init_b = b, .init_factor = factor, .init_copy = copy};
    array_push(arena, &program->states, state);
}

static const Range w_range = {0, 0, 4 * W_COUNT}, v_range = {0, 4096, 4 * W_COUNT}, c_range = {CONSTANT - STATE, 0, 32};
static const Range copied_range = {0, 16384, 4 * W_COUNT}, filled_range = {0, 20480, 64};
static const Range t_range = {SCRATCH - STATE, 256, 16}, numbers_range = {FEED - STATE, 0, 64};

static void add_phase(Arena *arena, ProgramEntry *entry) {
    ProgramPhase phase = {.name = "step", .repeat = 1, .scratch_size = 272, .scratch_lower_bound = 16};
    ProgramFeed x = {.name = "x", .data = "images", .field = "image", .split = "train", .batch = 2};
    x.tensor = tensor(ELEMENT_F32, 3, (uint32_t[]){2, 3, 5}, (uint8_t[]){0, 2, 1}, FEED, 256);
    array_push(arena, &phase.feeds, x);
    ProgramResult loss = {.name = "loss", .tensor = tensor(ELEMENT_F32, 0, NULL, NULL, RESULT, 0)};
    ProgramResult moment = {.name = "moment", .format = RESULT_ROWS, .has_condition = true};
    moment.tensor = tensor(ELEMENT_I32, 1, (uint32_t[]){4}, NULL, RESULT, 256);
    moment.condition = tensor(ELEMENT_BOOL, 0, NULL, NULL, RESULT, 512);
    array_push(arena, &phase.results, loss);
    array_push(arena, &phase.results, moment);
    add_dispatch(arena, &phase, 0, 0, 1, (Range[]){numbers_range, x.tensor.range, t_range}, 3, NULL, 0);
    const float two = 2, three = 3;
    uint32_t push[2] = {0, 0}, other[2] = {0, 4};
    memcpy(&push[0], &two, 4);
    memcpy(&other[0], &three, 4);
    for (uint32_t i = 0; i < ADDS; i++) {
        add_dispatch(arena, &phase, 1, 1 + i, W_COUNT / 8, (Range[]){t_range, c_range, w_range}, 3, push, 2);
        add_dispatch(arena, &phase, 1, 1 + i, W_COUNT / 8, (Range[]){t_range, c_range, v_range}, 3, other, 2);
    }
    Range z = entry->inputs.items[0].tensor.range;
    Step copy = {.kind = STEP_COPY, .wave = ADDS + 1, .label = "%2", .work_class = WORK_COPY}, fill = {.kind = STEP_FILL, .wave = ADDS + 1, .label = "%3", .work_class = WORK_FILL};
    const float filled = 2.5F;
    memcpy(&fill.word, &filled, sizeof filled);
    array_push(arena, &copy.ranges, w_range);
    array_push(arena, &copy.ranges, copied_range);
    array_push(arena, &fill.ranges, filled_range);
    array_push(arena, &phase.steps, copy);
    array_push(arena, &phase.steps, fill);
    add_dispatch(arena, &phase, 2, ADDS + 2, 1,
                 (Range[]){numbers_range, copied_range, z, loss.tensor.range, moment.tensor.range, moment.condition.range}, 6, NULL, 0);
    array_push(arena, &entry->phases, phase);
}

static const char *write_bundle(Arena *arena, Diag *diag) {
    static const float constants[64] = {1, 2, 3, 4, 10, 20, 30, 40};
    char *folder = arena_copy_text(arena, "/tmp/gcc-graph-bundle-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert(file_make_folders(arena_format(arena, "%s/kernels", folder), diag));
    Program program = {.name = "hand made", .digest = "0", .target = target_default(TARGET_CPU), .numbers = numbers_range};
    const Memory memories[] = {
        {MEMORY_STATE, 24576}, {MEMORY_CONSTANT, sizeof constants}, {MEMORY_SCRATCH, 272}, {MEMORY_FEED, 1024}, {MEMORY_RESULT, 528}};
    for (int i = 0; i < 5; i++)
        array_push(arena, &program.memories, memories[i]);
    program.constants = constants;
    program.constants_size = sizeof constants;
    add_kernel(arena, &program, folder, "000_sum", sum_glsl, 1, (BindingKind[]){BINDING_READ, BINDING_TEXEL, BINDING_WRITE}, 3, 0, diag);
    add_kernel(arena, &program, folder, "001_add", add_glsl, 8, (BindingKind[]){BINDING_READ, BINDING_READ, BINDING_WRITE}, 3, 2, diag);
    add_kernel(arena, &program, folder, "002_report", report_glsl, 1,
               (BindingKind[]){BINDING_READ, BINDING_READ, BINDING_READ, BINDING_WRITE, BINDING_WRITE, BINDING_WRITE}, 6, 0, diag);
    uint32_t w = W_COUNT, odd[] = {3, 5, 2}, wide[] = {8, 3};
    add_state(arena, &program, "w", STATE_PARAMETERS, tensor(ELEMENT_F32, 1, &w, NULL, STATE, 0), INIT_CONSTANT, 0, 0, 0, NULL);
    add_state(arena, &program, "v", STATE_PARAMETERS, tensor(ELEMENT_F32, 1, &w, NULL, STATE, 4096), INIT_CONSTANT, 7, 0, 0, NULL);
    add_state(arena, &program, "n", STATE_PARAMETERS, tensor(ELEMENT_F32, 3, odd, (uint8_t[]){2, 0, 1}, STATE, 8192), INIT_NORMAL, 1, 2, 0, NULL);
    add_state(arena, &program, "e", STATE_EMA, tensor(ELEMENT_F32, 3, odd, NULL, STATE, 8704), INIT_COPY, 0, 0, 0, "n");
    add_state(arena, &program, "u", STATE_PARAMETERS, tensor(ELEMENT_F32, 2, wide, NULL, STATE, 9216), INIT_UNIFORM, -1, 3, 0, NULL);
    add_state(arena, &program, "k", STATE_PARAMETERS, tensor(ELEMENT_F32, 2, wide, NULL, STATE, 9472), INIT_UNIFORM, -1, 3, 2, NULL);
    add_state(arena, &program, "count", STATE_COUNT, tensor(ELEMENT_I32, 0, NULL, NULL, STATE, 9728), INIT_CONSTANT, 5, 0, 0, NULL);
    add_state(arena, &program, "train.x", STATE_PROGRAM, tensor(ELEMENT_F32, 2, wide, NULL, STATE, 9984), INIT_UNIFORM, 0, 1, 0, NULL);
    add_state(arena, &program, "copied", STATE_RUNNING, tensor(ELEMENT_F32, 1, &w, NULL, STATE, 16384), INIT_CONSTANT, 9, 0, 0, NULL);
    add_state(arena, &program, "filled", STATE_RUNNING, tensor(ELEMENT_F32, 1, (uint32_t[]){16}, NULL, STATE, 20480), INIT_CONSTANT, 9, 0, 0, NULL);
    add_state(arena, &program, "h", STATE_RUNNING, tensor(ELEMENT_F16, 2, (uint32_t[]){3, 5}, (uint8_t[]){1, 0}, STATE, 10240), INIT_CONSTANT, 1.0 / 3, 0, 0, NULL);
    add_state(arena, &program, "b", STATE_RUNNING, tensor(ELEMENT_BF16, 1, &w, NULL, STATE, 10496), INIT_CONSTANT, -2, 0, 0, NULL);
    ProgramEntry entry = {.name = "train", .training = true, .steps = 10}, empty = {.name = "other"};
    ProgramFeed z = {.name = "z", .batch = 1, .tensor = tensor(ELEMENT_F32, 1, (uint32_t[]){3}, NULL, FEED, 512)};
    array_push(arena, &entry.inputs, z);
    add_phase(arena, &entry);
    array_push(arena, &program.entries, entry);
    array_push(arena, &program.entries, empty);
    ck_assert_msg(program_write(&program, folder, diag), "%s", diag_text(diag, arena));
    return folder;
}

// ---- what the host expects of it

typedef struct {
    float w[W_COUNT], v[W_COUNT];
} Model;

static void fill_x(uint32_t step, float *x) {
    for (uint32_t i = 0; i < 30; i++)
        x[i] = (float)((i * 7 + step) % 5);
}

static float model_step(Model *model, uint32_t step) {
    static const float c[] = {1, 2, 3, 4}, d[] = {10, 20, 30, 40}, channel[] = {1, 10, 100};
    float x[30], t = (float)step;
    fill_x(step, x);
    for (uint32_t i = 0; i < 30; i++)
        t += x[i] * channel[i / 5 % 3];
    for (uint32_t k = 0; k < ADDS; k++) {
        for (uint32_t i = 0; i < W_COUNT; i++) {
            model->w[i] += t * 2 + c[i % 4];
            model->v[i] += t * 3 + d[i % 4];
        }
    }
    return model->w[0] + model->w[1023];
}

// ---- tests

typedef struct {
    Arena *arena;
    Diag *diag;
    uint32_t messages;
    Device *device;
    const char *folder;
    Program *program;
    Session *session;
} Bed;

static Bed make_bed(const DeviceOptions *device_options, const SessionOptions *options) {
    Bed bed = {.arena = arena_create()};
    bed.diag = diag_create(bed.arena);
    bed.folder = write_bundle(bed.arena, bed.diag);
    bed.program = program_read(bed.arena, bed.folder, bed.diag);
    ck_assert_msg(bed.program != NULL, "%s", diag_text(bed.diag, bed.arena));
    Text problems = text_create(bed.arena);
    ck_assert_msg(program_verify(bed.program, &problems), "%s", problems.data);
    bed.device = device_create(bed.arena, device_options, bed.diag);
    ck_assert_msg(bed.device != NULL, "%s", diag_text(bed.diag, bed.arena));
    bed.session = session_create(bed.arena, bed.device, bed.program, options, bed.diag);
    ck_assert_msg(bed.session != NULL, "%s", diag_text(bed.diag, bed.arena));
    return bed;
}

static void end_bed(Bed *bed) {
    session_destroy(&bed->session);
    ck_assert_ptr_null(bed->session);
    ck_assert_msg(device_validation_messages(bed->device) == 0, "%.500s", device_validation_text(bed->device));
    device_destroy(&bed->device);
    ck_assert(file_remove_tree(bed->folder, bed->diag));
    arena_destroy(&bed->arena);
}

static void check_tensor(Bed *bed, const char *name, const float *expected, uint64_t count) {
    HostTensor got;
    ck_assert_msg(session_get(bed->session, bed->arena, name, &got, bed->diag), "%s", diag_text(bed->diag, bed->arena));
    ck_assert_uint_eq(got.size, count * sizeof(float));
    ck_assert_int_eq(got.dtype, ELEMENT_F32);
    for (uint64_t i = 0; i < count; i++)
        ck_assert_float_eq(((const float *)got.data)[i], expected[i]);
}

static void check_result(Bed *bed, const SessionResult *result, uint32_t step, float loss) {
    ck_assert_uint_eq(result->tag, 1000 + step);
    ck_assert_uint_eq(result->moment.step, step);
    ck_assert_ptr_eq(result->entry, &bed->program->entries.items[0]);
    ck_assert_float_eq(*(const float *)result->values[0], loss + 1 + 4 + 9);
    ck_assert_int_eq(result->values[1] != NULL, step % 3 == 0);
    if (!result->values[1])
        return;
    const int32_t *moment = result->values[1];
    ck_assert_int_eq(moment[0], (int32_t)step);
    ck_assert_int_eq(moment[1], (int32_t)(step * 2));
    ck_assert_int_eq(moment[2], 0x1234);
    ck_assert_int_eq(moment[3], 0x77);
}

// Ten steps with all slots full; results are taken late, so that some wait on the host.
static void run_steps(Bed *bed) {
    enum { STEPS = 10 };
    Model model = {0};
    for (uint32_t i = 0; i < W_COUNT; i++)
        model.v[i] = 7;
    float z[] = {1, 2, 3}, losses[STEPS];
    HostTensor input = {.dtype = ELEMENT_F32, .rank = 1, .dims = {3}, .data = z, .size = sizeof z};
    ck_assert(session_initialise(bed->session, bed->diag));
    ck_assert(session_set(bed->session, "train.z", &input, bed->diag));
    const ProgramEntry *entry = &bed->program->entries.items[0];
    uint32_t taken = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        float x[30];
        fill_x(step, x);
        losses[step] = model_step(&model, step);
        Moment moment = {.step = step, .steps = STEPS, .repetition = step * 2};
        const void *feeds[] = {x};
        ck_assert_msg(session_submit(bed->session, entry, entry->phases.items, &moment, feeds, 1000 + step, bed->diag), "%s",
                      diag_text(bed->diag, bed->arena));
        memset(x, 0x55, sizeof x); // they were copied
        SessionResult result;
        bool got;
        if (step == 5) {
            ck_assert_uint_eq(session_in_flight(bed->session), 6);
            ck_assert(session_take(bed->session, true, &result, &got, bed->diag) && got);
            check_result(bed, &result, taken, losses[taken]);
            taken++;
        }
    }
    check_tensor(bed, "w", model.w, W_COUNT);
    check_tensor(bed, "v", model.v, W_COUNT);
    check_tensor(bed, "copied", model.w, W_COUNT);
    float filled[16];
    for (uint32_t i = 0; i < 16; i++)
        filled[i] = 2.5F;
    check_tensor(bed, "filled", filled, 16);
    SessionResult result;
    bool got;
    for (; taken < STEPS; taken++) {
        ck_assert(session_take(bed->session, taken % 2, &result, &got, bed->diag) && got);
        check_result(bed, &result, taken, losses[taken]);
    }
    ck_assert(session_take(bed->session, true, &result, &got, bed->diag) && !got);
    ck_assert_uint_eq(session_in_flight(bed->session), 0);
}

static const uint64_t seed = UINT64_C(0x7700001234);

static const struct {
    DeviceOptions device;
    SessionOptions session;
} variants[] = {
    {{.validation = true}, {0}},
    {{.validation = true}, {.slots = 1}},
    {{.validation = true}, {.guards = true, .slots = 5}},
    {{.validation = true, .discrete = true}, {0}},
    {{.validation = true}, {.segment_dispatches = 1}},
    {{.validation = true}, {.segment_dispatches = 4, .piece_groups = 50}},
    {{.validation = true, .discrete = true}, {.profile = true, .piece_groups = 7, .only_entry = "train"}},
};

START_TEST(steps) {
    SessionOptions options = variants[_i].session;
    options.seed = seed;
    Bed bed = make_bed(&variants[_i].device, &options);
    run_steps(&bed);
    uint32_t runs;
    const double *seconds = session_profile(bed.session, bed.program->entries.items[0].phases.items, &runs);
    if (options.profile && seconds) {
        double sum = 0;
        for (uint32_t i = 0; i < bed.program->entries.items[0].phases.items[0].steps.count; i++)
            sum += seconds[i];
        ck_assert_uint_eq(runs, 10);
        printf("profile: %.3f ms in %u runs\n", sum * 1e3, runs);
    }
    end_bed(&bed);
}
END_TEST

// Submissions of the first phase on a device of the class gpu, so many times as fast as that class is known for.
static uint32_t submissions(double speed) {
    DeviceModel model = model_default(TARGET_GPU);
    model.multiply_adds *= speed, model.memory_bytes *= speed, model.cache_bytes *= speed;
    Bed bed = make_bed(&(DeviceOptions){.validation = true}, &(SessionOptions){.seed = seed, .model = &model});
    uint32_t count = session_phase(bed.session, bed.program->entries.items[0].phases.items)->segments.count;
    run_steps(&bed); // and computes what it must
    end_bed(&bed);
    return count;
}

// The slower a device was measured to be, the shorter its submissions; one that seems fast is given no longer ones than its class.
START_TEST(a_slow_device_has_short_submissions) {
    uint32_t usual = submissions(1), fast = submissions(1000), slow = submissions(1e-7), slower = submissions(1e-9);
    printf("submissions: %u, %u on a slow device, %u on a slower one\n", usual, slow, slower);
    ck_assert_uint_eq(fast, usual);
    ck_assert_uint_gt(slow, usual);
    ck_assert_uint_gt(slower, slow);
}
END_TEST

// Digests that are kept of kernels that were launched ahead: of each driver a file of 8 bytes each.
static size_t launched(Arena *arena, const char *instead) {
    const char *folder = file_join(arena, file_cache_folder(arena), "launched");
    uint32_t count = 0;
    size_t size = 0;
    Diag *diag = diag_create(arena);
    const char **names = file_exists(folder) ? file_list(arena, folder, &count, diag) : NULL;
    if (count == 0)
        return 0;
    ck_assert_uint_eq(count, 1);
    const char *path = file_join(arena, folder, names[0]);
    ck_assert_ptr_nonnull(file_read(arena, path, &size, diag));
    if (instead)
        ck_assert(file_write(path, instead, strlen(instead), diag));
    return size / sizeof(uint64_t);
}

// Kernels are launched ahead once on a machine, whoever creates the session; what was computed is the same. A list that is damaged, or a failure
// while they are launched, costs nothing but time.
START_TEST(kernels_are_launched_ahead) {
    const SessionOptions options = {.seed = seed, .launch_bytes = 1, .piece_groups = 50};
    Bed bed = make_bed(&(DeviceOptions){.validation = true}, &options);
    bool is_meant = device_info(bed.device)->compiles_at_launch && pool_workers(POOL_COMPUTES) > 1;
    size_t all = is_meant ? 3 : 0;
    run_steps(&bed);
    ck_assert_uint_eq(launched(bed.arena, NULL), all);
    end_bed(&bed);
    bed = make_bed(&(DeviceOptions){.validation = true}, &options);
    ck_assert_uint_eq(launched(bed.arena, "damage!"), all); // nothing was to be done
    end_bed(&bed);
    bed = make_bed(&(DeviceOptions){.validation = true}, &options);
    ck_assert_uint_eq(launched(bed.arena, "damage!"), all);
    for (uint32_t n = 1; is_meant && n < 200; n += 7) { // wherever it fails: a session that is made computes
        device_fail_at(n);
        Session *session = session_create(bed.arena, bed.device, bed.program, &options, diag_create(bed.arena));
        device_fail_at(0);
        session_destroy(&session);
        ck_assert_uint_eq(launched(bed.arena, "damage!") % 3, 0);
    }
    run_steps(&bed);
    end_bed(&bed);
}
END_TEST

START_TEST(initial_values) {
    Bed bed = make_bed(&(DeviceOptions){.discrete = _i}, &(SessionOptions){.seed = seed});
    float n[30], u[24], k[24], x[24];
    for (uint32_t i = 0; i < 30; i++)
        n[i] = (float)(1 + 2 * random_normal(random_element(seed, random_name("n"), 0, 0, i)));
    for (uint32_t i = 0; i < 24; i++) {
        u[i] = (float)(-1 + 4 * (double)random_uniform(random_element(seed, random_name("u"), 0, 0, i)));
        k[i] = (float)(-1 + 4 * (double)random_uniform(random_element(seed, random_name("k"), 0, 0, i / 3 / 4 * 3 + i % 3)));
        x[i] = random_uniform(random_element(seed, random_name("train.x"), 0, 0, i));
    }
    ck_assert(session_initialise(bed.session, bed.diag));
    check_tensor(&bed, "n", n, 30);
    check_tensor(&bed, "e", n, 30);
    check_tensor(&bed, "u", u, 24);
    check_tensor(&bed, "k", k, 24);
    check_tensor(&bed, "train.x", x, 24);
    double zeros[24] = {0};
    int64_t five = -5;
    HostTensor other = {.dtype = ELEMENT_F64, .rank = 2, .dims = {8, 3}, .data = zeros, .size = sizeof zeros}, got;
    ck_assert(session_get(bed.session, bed.arena, "count", &got, bed.diag));
    ck_assert(got.dtype == ELEMENT_I32 && got.rank == 0 && *(const int32_t *)got.data == 5);
    ck_assert(session_set(bed.session, "count", &(HostTensor){.dtype = ELEMENT_I64, .data = &five, .size = 8}, bed.diag));
    ck_assert(session_get(bed.session, bed.arena, "count", &got, bed.diag) && *(const int32_t *)got.data == -5);
    ck_assert(session_set(bed.session, "train.x", &other, bed.diag) && session_set(bed.session, "u", &other, bed.diag));
    ck_assert(session_reset_entry(bed.session, "train", bed.diag));
    check_tensor(&bed, "train.x", x, 24);
    check_tensor(&bed, "u", (float[24]){0}, 24);
    ck_assert_uint_eq(diag_error_count(bed.diag), 0);
    ck_assert(!session_set(bed.session, "w", &other, bed.diag));
    ck_assert_ptr_nonnull(strstr(diag_text(bed.diag, bed.arena), "w has the shape [1024]; the tensor given has [8,3]"));
    ck_assert(!session_get(bed.session, bed.arena, "cuont", &got, bed.diag));
    ck_assert_ptr_nonnull(strstr(diag_text(bed.diag, bed.arena), "did you mean \"count\"?"));
    end_bed(&bed);
}
END_TEST

// States of two bytes an element: numbers are rounded as they go in, lie in the layout's order, and come out as f32.
START_TEST(stored_forms) {
    Bed bed = make_bed(&(DeviceOptions){.validation = true}, &(SessionOptions){.seed = seed});
    const ElementType types[] = {ELEMENT_F16, ELEMENT_BF16};
    const char *names[] = {"h", "b"};
    uint64_t counts[] = {15, W_COUNT};
    ck_assert_msg(session_initialise(bed.session, bed.diag), "%s", diag_text(bed.diag, bed.arena));
    for (uint32_t k = 0; k < 2; k++) {
        const ProgramState *state = program_state(bed.program, names[k]);
        float numbers[W_COUNT], rounded[W_COUNT];
        for (uint64_t i = 0; i < counts[k]; i++)
            rounded[i] = (float)element_round(types[k], k ? -2 : 1.0 / 3);
        check_tensor(&bed, names[k], rounded, counts[k]);
        for (uint64_t i = 0; i < counts[k]; i++)
            numbers[i] = (float)(i * i) / 7 - 3, rounded[i] = (float)element_round(types[k], (double)numbers[i]);
        HostTensor given = {.dtype = ELEMENT_F32, .rank = state->tensor.layout.rank, .data = numbers, .size = counts[k] * sizeof *numbers};
        for (uint32_t i = 0; i < given.rank; i++)
            given.dims[i] = state->tensor.layout.dims[i];
        ck_assert_msg(session_set(bed.session, names[k], &given, bed.diag), "%s", diag_text(bed.diag, bed.arena));
        check_tensor(&bed, names[k], rounded, counts[k]);
        ck_assert_uint_eq(state->tensor.range.size, k ? 2 * W_COUNT : 2 * 5 * 4); // rows of three are padded to four
        char bytes[2 * W_COUNT];
        ck_assert(session_read_range(bed.session, &state->tensor.range, bytes, bed.diag));
        ck_assert_double_eq(element_number(types[k], bytes, 5), (double)rounded[k ? 5 : 6]); // [1, 1] of [3, 5], the first axis innermost
        ck_assert_double_eq(element_number(types[k], bytes, 3), k ? (double)rounded[3] : 0);
    }
    end_bed(&bed);
}
END_TEST

START_TEST(single_dispatches) {
    Bed bed = make_bed(&(DeviceOptions){.validation = true, .discrete = _i}, &(SessionOptions){.piece_groups = 30});
    const ProgramPhase *phase = bed.program->entries.items[0].phases.items;
    float t[4] = {5}, w[W_COUNT], x[40] = {0};
    x[5] = 2; // second pixel, second channel
    double seconds = -1;
    for (uint32_t i = 0; i < W_COUNT; i++)
        w[i] = (float)i;
    ck_assert(session_write_range(bed.session, &t_range, t, bed.diag) && session_write_range(bed.session, &w_range, w, bed.diag));
    ck_assert(session_run_dispatch(bed.session, phase, 1, NULL, 3, &seconds, bed.diag));
    ck_assert(seconds > 0);
    ck_assert(session_read_range(bed.session, &w_range, w, bed.diag));
    for (uint32_t i = 0; i < W_COUNT; i++)
        ck_assert_float_eq(w[i], (float)i + 3 * (10 + (float)(i % 4) + 1));
    ck_assert(session_write_range(bed.session, &phase->feeds.items[0].tensor.range, x, bed.diag));
    ck_assert(session_run_dispatch(bed.session, phase, 0, &(Moment){.step = 9}, 1, NULL, bed.diag));
    ck_assert(session_read_range(bed.session, &t_range, t, bed.diag));
    ck_assert_float_eq(t[0], 29);
    ck_assert(!session_run_dispatch(bed.session, phase, 99, NULL, 1, NULL, bed.diag));
    ck_assert(!session_read_range(bed.session, &(Range){0, 24572, 8}, t, bed.diag));
    end_bed(&bed);
}
END_TEST

START_TEST(refusals) {
    Bed bed = make_bed(NULL, &(SessionOptions){.only_entry = "other"});
    const ProgramEntry *entry = &bed.program->entries.items[0];
    ck_assert(!session_submit(bed.session, entry, entry->phases.items, &(Moment){0}, NULL, 0, bed.diag));
    ck_assert_ptr_null(session_create(bed.arena, bed.device, bed.program, &(SessionOptions){.only_entry = "nothing"}, bed.diag));
    Program broken = *bed.program;
    broken.target.subgroup_size = 1024;
    broken.kernels.items[0].needs_subgroup_ballot = true;
    ck_assert_ptr_null(session_create(bed.arena, bed.device, &broken, NULL, bed.diag));
    broken.kernels.items[0].needs_subgroup_ballot = false;
    broken.memories.items[2].size = UINT64_C(1) << 40;
    ck_assert_ptr_null(session_create(bed.arena, bed.device, &broken, NULL, bed.diag));
    ck_assert_ptr_nonnull(strstr(diag_text(bed.diag, bed.arena), "1024"));
    bed.program->memories.items[2].size = 272;
    bed.program->entries.items[0].phases.items[0].steps.items[3].groups[1] = UINT32_MAX;
    bed.program->target.device = "a larger device";
    ck_assert_ptr_null(session_create(bed.arena, bed.device, bed.program, NULL, bed.diag));
    const char *told = diag_text(bed.diag, bed.arena);
    static const char *const parts[] = {
        "hand made, compiled for a larger device, a device of the class cpu, does not fit the device ",
        "workgroups along one axis: 4294967295, but at most 65535 is allowed", "; compile the graph for it: gcc-graph compile … --target 0"};
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_msg(strstr(told, parts[i]) != NULL, "\"%s\" is not in: %s", parts[i], told);
    bed.program->entries.items[0].phases.items[0].steps.items[3].groups[1] = 1;
    uint32_t own = device_info(bed.device)->target.shared_bytes_max;
    bed.program->target.shared_bytes_max = bed.program->kernels.items[0].shared_bytes = 1u << 30;
    ck_assert_ptr_null(session_create(bed.arena, bed.device, bed.program, NULL, bed.diag));
    told = diag_text(bed.diag, bed.arena);
    ck_assert_ptr_nonnull(strstr(told, arena_format(bed.arena, "bytes that a workgroup shares: 1073741824, but at most %u is allowed", own)));
    ck_assert_ptr_nonnull(strstr(told, arena_format(bed.arena, "; its shared_bytes_max is %u, the target's 1073741824", own)));
    end_bed(&bed);
}
END_TEST

// Everything that a run does, with the n-th Vulkan call failing: an error is told, nothing is left behind.
static bool try_run(Arena *arena, const char *folder, const DeviceOptions *device_options, Diag *diag) {
    Program *program = program_read(arena, folder, diag);
    Device *device = program ? device_create(arena, device_options, diag) : NULL;
    Session *session =
        device ? session_create(arena, device, program, &(SessionOptions){.seed = seed, .slots = 2, .profile = true}, diag) : NULL;
    bool good = session && session_initialise(session, diag), got = true;
    for (uint32_t step = 0; good && step < 4; step++) {
        float x[30] = {0};
        const void *feeds[] = {x};
        const ProgramEntry *entry = &program->entries.items[0];
        good = session_submit(session, entry, entry->phases.items, &(Moment){.step = step}, feeds, step, diag);
    }
    for (uint32_t step = 0; good && step < 4; step++) {
        SessionResult result;
        good = session_take(session, step > 0, &result, &got, diag);
        step -= good && !got;
    }
    HostTensor tensor_out;
    good = good && session_get(session, arena, "w", &tensor_out, diag);
    ck_assert(good || !session || !session_is_lost(session) || !session_finish(session, diag));
    session_destroy(&session);
    device_destroy(&device);
    return good;
}

START_TEST(failing_calls) {
    Arena *kept = arena_create();
    const char *folder = write_bundle(kept, diag_create(kept));
    bool succeeded = false;
    uint32_t n = 1;
    for (; !succeeded && n < 2000; n++) {
        Arena *arena = arena_create();
        Diag *diag = diag_create(arena);
        uint32_t messages = 0;
        // Validation reports objects that are left when the device goes; it is slow, so not every time.
        DeviceOptions options = {.validation = n % 5 == 0, .discrete = n % 2, .validation_messages = &messages};
        device_fail_at(n);
        succeeded = try_run(arena, folder, &options, diag);
        device_fail_at(0);
        ck_assert_msg(succeeded == (diag_error_count(diag) == 0), "%u: %s", n, diag_text(diag, arena));
        ck_assert_uint_eq(messages, 0);
        arena_destroy(&arena);
    }
    printf("failing calls: %u\n", n - 1);
    ck_assert(succeeded && n > 50);
    ck_assert(file_remove_tree(folder, diag_create(kept)));
    arena_destroy(&kept);
}
END_TEST

static Suite *make(void) {
    Suite *suite = suite_create("session");
    TCase *cases = tcase_create("session");
    tcase_set_timeout(cases, 0);
    tcase_add_test(cases, a_slow_device_has_short_submissions);
    tcase_add_test(cases, kernels_are_launched_ahead);
    tcase_add_loop_test(cases, steps, 0, sizeof variants / sizeof *variants);
    tcase_add_loop_test(cases, initial_values, 0, 2);
    tcase_add_test(cases, stored_forms);
    tcase_add_loop_test(cases, single_dispatches, 0, 2);
    tcase_add_test(cases, refusals);
    tcase_add_test(cases, failing_calls);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void) { return run_on_drivers(make); }
