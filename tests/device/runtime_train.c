// Training on a device: a hand-written program of two kernels. Resuming, stopping, signals, wild numbers, a lost device, previews, full
// disks.
#include "runtime/run/checkpoint.h"
#include "runtime/show/image.h"
#include "runtime/sample/sample.h"
#include "runtime/train/train.h"
#include "tests/device/vk_drivers.h"
#include "tests/support/folder.h"
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

// w follows the data and a draw of step and seed; the loss is NaN from step `wild` on. A count that moves only in every other step.
static const char train_glsl[] = "#version 450\n"
                                 "layout(local_size_x = 1) in;\n"
                                 "layout(binding = 0) readonly buffer N { uint numbers[]; };\n"
                                 "layout(binding = 1) readonly buffer X { float x[]; };\n"
                                 "layout(binding = 2) buffer W { float w[]; };\n"
                                 "layout(binding = 3) buffer C { int count[]; };\n"
                                 "layout(binding = 4) writeonly buffer L { vec4 loss[]; };\n"
                                 "layout(push_constant) uniform P { uint wild; };\n"
                                 "void main() {\n"
                                 "    float s = 0.0;\n"
                                 "    for (uint i = 0u; i < 8u; i++) s += x[i];\n"
                                 "    uint step = numbers[2];\n"
                                 "    float draw = float((step * 2654435761u + numbers[0] * 97u + numbers[6]) >> 16u) / 65536.0;\n"
                                 "    for (uint i = 0u; i < 4u; i++) w[i] = w[i] * 0.9 + s * 0.013 + draw * float(i + 1u);\n"
                                 "    if (step % 2u == 0u) count[0] += 1;\n"
                                 "    loss[0] = vec4(step >= wild ? uintBitsToFloat(0x7fc00000u) : w[0], 0.0, 0.0, 0.0);\n"
                                 "}\n";
// An image of w, and a state of its own that grows.
static const char sample_glsl[] = "#version 450\n"
                                  "layout(local_size_x = 1) in;\n"
                                  "layout(binding = 0) readonly buffer W { float w[]; };\n"
                                  "layout(binding = 1) buffer S { float state[]; };\n"
                                  "layout(binding = 2) writeonly buffer I { float image[]; };\n"
                                  "void main() {\n"
                                  "    state[0] += 0.25;\n"
                                  "    for (uint i = 0u; i < 16u; i++) image[i] = i % 4u < 2u ? w[i % 4u] * 0.1 + state[0] - 0.5 : 0.0;\n"
                                  "}\n";

enum { NONE = 1000000 };
static Program *program;

static void add_kernel(Program *to, const char *name, const char *glsl, const BindingKind *bindings, uint32_t count, uint32_t push_words) {
    ProgramKernel kernel = {
        .name = name, .workgroup = {1, 1, 1}, .push_words = push_words, .digest = program_kernel_digest(arena, glsl, strlen(glsl))};
    for (uint32_t i = 0; i < count; i++)
        array_push(arena, &kernel.bindings, bindings[i]);
    array_push(arena, &to->kernels, kernel);
    const char *comp = program_kernel_path(arena, to->folder, name, ".comp"), *spv = program_kernel_path(arena, to->folder, name, ".spv");
    ck_assert(file_write(comp, glsl, strlen(glsl), diag));
    ck_assert_int_eq(system(arena_format(arena, "glslangValidator -V --quiet --target-env vulkan1.2 -o %s %s", spv, comp)), 0);
}

static ProgramTensor place(ElementType type, uint32_t rank, const uint32_t *dims, uint32_t memory, uint64_t offset) {
    ProgramTensor tensor = {.type = type, .layout = layout_make(rank, dims, NULL)};
    tensor.range = (Range){memory, offset, program_tensor_size(&tensor)};
    return tensor;
}

static void add_dispatch(ProgramPhase *phase, uint32_t kernel, const Range *ranges, uint32_t count, const uint32_t *push) {
    Step dispatch = {.kernel = kernel, .groups = {1, 1, 1}, .label = "%1", .work_class = WORK_MAP, .bytes = 16};
    for (uint32_t i = 0; i < count; i++)
        array_push(arena, &dispatch.ranges, ranges[i]);
    if (push) {
        static uint32_t values[] = {1, 2, 3};
        static ElementType types[] = {ELEMENT_F32, ELEMENT_I32, ELEMENT_F32};
        dispatch.values = values, dispatch.value_types = types, dispatch.value_count = 3;
        array_push(arena, &dispatch.push, *push);
    }
    array_push(arena, &phase->steps, dispatch);
}

static void add_state(Program *to, const char *name, StateKind kind, ProgramTensor at, double value) {
    ProgramState state = {.name = name,
                          .kind = kind,
                          .network = kind == STATE_PARAMETERS ? "net" : NULL,
                          .tensor = at,
                          .init = INIT_CONSTANT,
                          .init_a = value};
    array_push(arena, &to->states, state);
}

enum { STATE, FEED, RESULT };

static Program *make_program(const char *name, uint32_t wild) {
    const char *bundle = file_join(arena, folder, name);
    ck_assert(file_make_folders(file_join(arena, bundle, "kernels"), diag));
    const Range numbers = {FEED, 0, 64};
    Program made = {.name = "hand_made",
                    .digest = arena_format(arena, "wild at %u", wild),
                    .folder = bundle,
                    .target = target_default(TARGET_CPU),
                    .numbers = numbers};
    const Memory memories[] = {{MEMORY_STATE, 1024}, {MEMORY_FEED, 512}, {MEMORY_RESULT, 1024}};
    for (uint32_t i = 0; i < 3; i++)
        array_push(arena, &made.memories, memories[i]);
    add_kernel(&made, "000_train", train_glsl,
               (const BindingKind[]){BINDING_READ, BINDING_READ, BINDING_WRITE, BINDING_WRITE, BINDING_WRITE}, 5, 1);
    add_kernel(&made, "001_sample", sample_glsl, (const BindingKind[]){BINDING_READ, BINDING_WRITE, BINDING_WRITE}, 3, 0);
    const uint32_t four = 4, row[] = {2, 3}, image[] = {2, 1, 2, 2};
    add_state(&made, "net.w", STATE_PARAMETERS, place(ELEMENT_F32, 1, &four, STATE, 0), 0.5);
    add_state(&made, "opt.count", STATE_COUNT, place(ELEMENT_I32, 0, NULL, STATE, 256), 0);
    add_state(&made, "sample.s", STATE_PROGRAM, place(ELEMENT_F32, 0, NULL, STATE, 512), 0);
    ProgramData data = {.name = "points", .batch = 2, .field_count = 1, .fields = arena_alloc(arena, sizeof *data.fields)};
    data.fields[0].name = "point";
    data.fields[0].rank = 1;
    data.fields[0].dims[0] = 3;
    array_push(arena, &made.data, data);
    ProgramEntry train = {.name = "train", .training = true, .steps = 20}, sample = {.name = "sample"};
    ProgramPhase fit = {.name = "fit", .repeat = 2}, draw = {.name = "draw", .repeat = 2};
    ProgramFeed feed = {.name = "x",
                        .data = "points",
                        .field = "point",
                        .split = "train",
                        .shuffled = true,
                        .batch = 2,
                        .tensor = place(ELEMENT_F32, 2, row, FEED, 256)};
    array_push(arena, &fit.feeds, feed);
    array_push(arena, &fit.results, ((ProgramResult){.name = "loss", .tensor = place(ELEMENT_F32, 0, NULL, RESULT, 0)}));
    array_push(arena, &draw.results,
               ((ProgramResult){.name = "image", .format = RESULT_IMAGE, .tensor = place(ELEMENT_F32, 4, image, RESULT, 256)}));
    const Range w = made.states.items[0].tensor.range;
    add_dispatch(&fit, 0,
                 (const Range[]){numbers, feed.tensor.range, w, made.states.items[1].tensor.range, fit.results.items[0].tensor.range}, 5,
                 &wild);
    add_dispatch(&draw, 1, (const Range[]){w, made.states.items[2].tensor.range, draw.results.items[0].tensor.range}, 3, NULL);
    array_push(arena, &train.phases, fit);
    array_push(arena, &sample.phases, draw);
    array_push(arena, &made.entries, train);
    array_push(arena, &made.entries, sample);
    ck_assert_msg(program_write(&made, bundle, diag), "%s", diag_text(diag, arena));
    Program *read = program_read(arena, bundle, diag);
    ck_assert_msg(read != NULL, "%s", diag_text(diag, arena));
    return read;
}

static void set_up(void) {
    folder_set_up();
    program = make_program("bundle", NONE);
}

static void tear_down(void) {
    file_fail_at(0);
    device_fail_at(0);
    folder_tear_down();
}

static const char *in_folder(const char *name) { return file_join(arena, folder, name); }

static TrainOptions make_options(const char *run) {
    static const char *const specs[] = {"random:11"};
    return (TrainOptions){
        .run = {.data = specs, .data_count = 1, .has_seed = true, .seed = 5}, .out = in_folder(run), .device = {.validation = true}};
}

static TrainResult train(const TrainOptions *options) {
    TrainResult result;
    Diag *inner = diag_create(arena);
    ck_assert_msg(train_run(arena, program, options, &result, inner), "%s", diag_text(inner, arena));
    return result;
}

static const char *bytes_of(const char *run, const char *name, size_t *size) {
    const char *bytes = file_read(arena, file_join(arena, in_folder(run), name), size, diag);
    ck_assert_msg(bytes != NULL, "%s", diag_text(diag, arena));
    return bytes;
}

static void ck_same_file(const char *a, const char *b, const char *name) {
    size_t a_size, b_size;
    const char *a_bytes = bytes_of(a, name, &a_size), *b_bytes = bytes_of(b, name, &b_size);
    ck_assert_msg(a_size == b_size && memcmp(a_bytes, b_bytes, a_size) == 0, "%s of %s and %s differ", name, a, b);
}

static void ck_same_runs(const char *a, const char *b) {
    ck_same_file(a, b, "checkpoint-000020.safetensors");
    ck_same_file(a, b, "metrics.csv");
}

START_TEST(resume_is_bit_identical) {
    TrainOptions whole = make_options("whole"), half = make_options("half");
    TrainResult result = train(&whole);
    ck_assert(result.steps_done == 20 && result.steps == 20 && !result.was_interrupted);
    ck_assert_str_eq(file_name(result.checkpoint), "checkpoint-000020.safetensors");
    ck_assert(file_exists(file_join(arena, whole.out, "loss.png")));
    half.stop_at = 10;
    half.run.save_every = 4;
    half.run.keep = 2;
    half.run.sample_every = 5; // previews disturb nothing
    result = train(&half);
    ck_assert_uint_eq(result.steps_done, 10);
    uint32_t count;
    const uint32_t *steps = checkpoint_list(arena, half.out, &count);
    ck_assert(count == 2 && steps[0] == 8 && steps[1] == 10);
    ck_assert(file_exists(file_join(arena, half.out, "previews/step-000005-image.png")));
    for (uint32_t stop = 13; stop <= 26; stop += 7) {
        TrainOptions again = {.out = half.out, .resume = true, .stop_at = stop, .device = {.validation = true}}; // nothing else is said
        ck_assert_uint_eq(train(&again).steps_done, stop < 20 ? stop : 20);
    }
    ck_same_runs("whole", "half");
    TrainOptions done = {.out = half.out, .resume = true};
    ck_assert_uint_eq(train(&done).steps_done, 20);
    ck_same_runs("whole", "half");
}
END_TEST

START_TEST(damaged_newest_checkpoint) {
    TrainOptions whole = make_options("whole"), half = make_options("half"), again = {.out = half.out, .resume = true};
    train(&whole);
    half.stop_at = 10;
    half.run.save_every = 3;
    train(&half);
    const char *newest = file_join(arena, half.out, "checkpoint-000010.safetensors");
    ck_assert(file_write(newest, "damage", 6, diag));
    ck_assert_uint_eq(train(&again).steps_done, 20);
    ck_same_runs("whole", "half");
}
END_TEST

static uint32_t newest_step(const char *run) {
    uint32_t count = 0;
    const uint32_t *steps = file_exists(run) ? checkpoint_list(arena, run, &count) : NULL;
    return count > 0 ? steps[count - 1] : 0;
}

static void wait_a_little(void) { nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); }

// Killed without warning, also while it writes; then resumed. When depends on what is saved, since machines are of any speed.
START_TEST(killed) {
    TrainOptions whole = make_options("whole");
    whole.run.steps = 400;
    uint32_t caught = 0;
    train(&whole);
    for (uint32_t i = 0; i < 4; i++) {
        const char *name = arena_format(arena, "killed%u", i);
        TrainOptions options = make_options(name);
        options.run.steps = 400;
        options.run.save_every = 2;
        pid_t child = fork();
        if (child == 0) {
            TrainResult result;
            _exit(train_run(arena, program, &options, &result, diag) ? 0 : 1);
        }
        int status = 0;
        while (newest_step(options.out) < 2 + 50 * i && waitpid(child, &status, WNOHANG) == 0)
            wait_a_little();
        if (kill(child, SIGKILL) == 0)
            waitpid(child, &status, 0);
        caught += WIFSIGNALED(status);
        options.resume = true;
        options.run.save_every = 100;
        ck_assert_uint_eq(train(&options).steps_done, 400);
        ck_same_file("whole", name, "checkpoint-000400.safetensors");
        ck_same_file("whole", name, "metrics.csv");
    }
    ck_assert_uint_gt(caught, 0);
}
END_TEST

// The last step that the run's metrics tell of, counted from 1.
static uint32_t told_step(const char *run) {
    const char *path = file_join(arena, run, "metrics.jsonl"), *last = NULL;
    size_t size;
    const char *metrics = file_exists(path) ? file_read(arena, path, &size, diag) : NULL;
    for (const char *at = metrics; at && (at = strstr(at, "{\"step\": ")) != NULL; at++)
        last = at;
    return last ? (uint32_t)atoi(last + strlen("{\"step\": ")) + 1 : 0;
}

START_TEST(interrupted) {
    TrainOptions options = make_options("run");
    options.run.steps = 1000000;
    const int signals[] = {SIGINT, SIGTERM};
    uint32_t before = 0;
    for (uint32_t i = 0; i < 2; i++) {
        pid_t parent = getpid(), child = fork();
        if (child == 0) {
            while (told_step(options.out) <= before && getppid() == parent)
                wait_a_little();
            if (getppid() == parent)
                kill(parent, signals[i]);
            _exit(0);
        }
        options.resume = i > 0;
        TrainResult result = train(&options);
        waitpid(child, NULL, 0);
        ck_assert(result.was_interrupted && result.steps_done > before && result.steps_done < 1000000);
        before = result.steps_done;
        ck_assert(file_exists(result.checkpoint));
    }
}
END_TEST

static void ck_fails(const TrainOptions *options, const char *because) {
    TrainResult result;
    Diag *inner = diag_create(arena);
    ck_assert(!train_run(arena, program, options, &result, inner));
    ck_assert_msg(strstr(diag_text(inner, arena), because) != NULL, "\"%s\" expected in: %s", because, diag_text(inner, arena));
}

START_TEST(wild_numbers) {
    program = make_program("wild", 7);
    TrainOptions options = make_options("run");
    options.run.save_every = 3;
    ck_fails(&options, "step 7: loss of phase fit is nan; replayed from ");
    ck_fails(&options, "a run is there already");
    options.resume = true;
    ck_fails(&options, "checkpoint-000006.safetensors: the first value that is not finite is written by 000_train (%1) in step 7");
    TrainOptions fresh = make_options("fresh"); // no checkpoint yet
    ck_fails(&fresh, "replayed from the initial state: the first value that is not finite is written by 000_train (%1) in step 7");
    uint32_t count;
    const uint32_t *steps = checkpoint_list(arena, options.out, &count);
    ck_assert(count == 2 && steps[1] == 6);
}
END_TEST

// A training that ends badly draws nothing at its end, and saves nothing here: what is there was drawn on the way.
START_TEST(curve_follows) {
    program = make_program("wild", 200);
    TrainOptions options = make_options("run"), rare = make_options("rare");
    options.run.steps = rare.run.steps = 400;
    options.curve_seconds = 1e-9;
    ck_fails(&options, "step 200: loss of phase fit is nan");
    Image image;
    ck_assert(image_read(arena, in_folder("run/loss.png"), &image, NULL, NULL, diag));
    ck_fails(&rare, "step 200: loss of phase fit is nan"); // within 30 seconds
    ck_assert(!file_exists(in_folder("rare/loss.png")));
}
END_TEST

// A run killed before its run.json was in place has nothing to go on from: it begins anew.
START_TEST(killed_before_it_began) {
    const char *leftover = "run.json.123-0.tmp";
    TrainOptions fresh = make_options("fresh"), resumed = make_options("fresh");
    ck_assert(file_make_folders(fresh.out, diag) && file_write(file_join(arena, fresh.out, leftover), "{", 1, diag));
    resumed.resume = true;
    ck_fails(&resumed, "there is no run to resume in this folder");
    ck_assert_uint_eq(train(&fresh).steps_done, 20);
    ck_assert(!file_exists(file_join(arena, fresh.out, leftover)));
    TrainOptions options = make_options("other");
    ck_assert(file_make_folders(options.out, diag) && file_write(file_join(arena, options.out, "notes.txt"), "{", 1, diag));
    ck_fails(&options, "holds no run");
}
END_TEST

START_TEST(refusals) {
    TrainOptions options = make_options("run");
    options.run.data_count = 0;
    ck_fails(&options, "--data points=");
    options = make_options("run");
    options.run.entry = "trian";
    ck_fails(&options, "did you mean \"train\"?");
    options = make_options("run");
    options.run.inits = (const char *const[]){"net=nowhere"};
    options.run.init_count = 1;
    ck_fails(&options, "nowhere");
    options = make_options("run");
    options.device.choice = "no such device";
    ck_fails(&options, "no such device");
    ck_assert(!file_exists(options.out)); // nothing half-written
    options = make_options("bundle");
    ck_fails(&options, "holds no run");
    options = make_options("run");
    options.stop_at = 2;
    train(&options);
    ck_fails(&options, "--resume");
    options.resume = true;
    options.run.seed = 6;
    ck_fails(&options, "--seed 5, not 6");
    program = make_program("other", 500);
    options.run.seed = 5;
    ck_fails(&options, "another graph");
    Text plan = text_create(arena);
    options = make_options("planned");
    ck_assert(train_plan(arena, program, &options, &plan, diag));
    ck_assert_ptr_nonnull(strstr(plan.data, "steps    20"));
    ck_assert(!file_exists(options.out));
}
END_TEST

START_TEST(started_from_another_run) {
    TrainOptions first = make_options("first"), second = make_options("second");
    train(&first);
    second.run.inits = (const char *const[]){arena_format(arena, "net=%s", first.out)};
    second.run.init_count = 1;
    second.run.steps = 1;
    train(&second);
    Checkpoint a, b;
    ck_assert(checkpoint_read_from(arena, first.out, &a, diag) && checkpoint_read_from(arena, second.out, &b, diag));
    ck_assert_int_eq(*(const int32_t *)tensor_file_find(&b.file, "opt.count")->data, 2); // the optimizer began anew
    ck_assert_float_ne(*(const float *)tensor_file_find(&b.file, "net.w")->data, *(const float *)tensor_file_find(&a.file, "net.w")->data);
}
END_TEST

// A call fails somewhere on the way: the run ends well, or with an error; what it leaves can be resumed to the same end.
START_TEST(failing_calls) {
    TrainOptions whole = make_options("whole");
    whole.device.validation = false;
    train(&whole);
    uint32_t good = 0, failed = 0, lost = 0;
    for (uint32_t n = 1; n < 900; n += 1 + n / 4) {
        for (int what = 0; what < 2; what++) {
            const char *name = arena_format(arena, "run%d-%u", what, n);
            TrainOptions options = make_options(name);
            options.device.validation = false;
            options.run.save_every = 2;
            TrainResult result;
            Diag *inner = diag_create(arena);
            (what ? device_fail_at : file_fail_at)(n);
            bool ok = train_run(arena, program, &options, &result, inner);
            file_fail_at(0);
            device_fail_at(0);
            ck_assert_msg(ok || diag_error_count(inner) > 0, "failed without a word, call %u", n);
            good += ok;
            lost += strstr(diag_text(inner, arena), "the device was lost after") != NULL;
            failed += !ok;
            options.resume = run_exists(options.out); // or it ended before it began
            ck_assert_uint_eq(train(&options).steps_done, 20);
            ck_same_runs("whole", name);
        }
    }
    printf("failing calls: %u runs went on, %u ended, %u lost the device\n", good, failed, lost);
    ck_assert_uint_gt(failed, 5);
    ck_assert_uint_gt(lost, 0);
}
END_TEST

START_TEST(samples) {
    TrainOptions options = make_options("run");
    train(&options);
    Device *device = device_create(arena, &options.device, diag);
    Session *session = session_create(arena, device, program, &(SessionOptions){.seed = 1, .only_entry = "sample"}, diag);
    ck_assert_ptr_nonnull(session);
    SampleOptions sample = {.entry = "sample", .count = 5, .seed = 1, .output = {.folder = in_folder("samples"), .tensors = true}};
    ck_assert(session_initialise(session, diag) && sample_load(arena, session, program, options.out, &sample.weights, diag));
    ck_assert_msg(sample_run(session, program, &sample, diag), "%s", diag_text(diag, arena));
    HostTensor image;
    ck_assert(npy_read(arena, in_folder("samples/image.npy"), &image, diag));
    ck_assert(image.dims[0] == 5 && image.dims[1] == 2); // three runs of two images at two times, the sixth dropped
    const float *values = image.data;
    ck_assert_float_eq_tol(values[4] - values[0], 0.25f, 1e-6f); // the program's state grows with time …
    ck_assert_float_eq(values[0], values[16]);                   // … and begins anew in each run
    ImageText *texts;
    uint32_t count;
    Image picture;
    ck_assert(image_read(arena, in_folder("samples/image.png"), &picture, &texts, &count, diag));
    ck_assert_str_eq(texts[0].text, program->digest);
    ck_assert_str_eq(texts[2].text, "20");
    sample.entry = "smaple";
    ck_assert(!sample_run(session, program, &sample, diag));
    session_destroy(&session);
    ck_assert_uint_eq(device_validation_messages(device), 0);
    device_destroy(&device);
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("train");
    TCase *tests = tcase_create("train");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, resume_is_bit_identical);
    tcase_add_test(tests, damaged_newest_checkpoint);
    tcase_add_test(tests, killed);
    tcase_add_test(tests, killed_before_it_began);
    tcase_add_test(tests, interrupted);
    tcase_add_test(tests, wild_numbers);
    tcase_add_test(tests, curve_follows);
    tcase_add_test(tests, refusals);
    tcase_add_test(tests, started_from_another_run);
    tcase_add_test(tests, failing_calls);
    tcase_add_test(tests, samples);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) { return run_on_drivers(make_suite); }
