// Training by the command line: progress files, resuming bit for bit (also after SIGKILL and SIGINT), sampling, export, refusals.
#include "runtime/tensor/tensor_file.h"
#include "tests/end_to_end/command.h"
#include "tests/end_to_end/small_graph.h"
#include <fcntl.h>
#include <signal.h>
#include <time.h>

static const char *bundle;

static void compile_small(void) {
    bundle = in_folder("small.ggb");
    write_text(in_folder("small.json"), SMALL_GRAPH);
    expect_code(0, "compile %s -o %s", in_folder("small.json"), bundle);
}

static void same_files(const char *run, const char *other, const char *name) {
    int code = system(arena_format(arena, "cmp %s/%s %s/%s", in_folder(run), name, in_folder(other), name));
    ck_assert_msg(code == 0, "%s differs between %s and %s", name, run, other);
}

static void same_end(const char *run, const char *other) {
    same_files(run, other, "checkpoint-000020.safetensors");
    same_files(run, other, "metrics.csv");
}

START_TEST(resume_is_bit_identical) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --seed 3", bundle, in_folder("whole"));
    expect_code(0, "train %s --data random:64 --out %s --seed 3 --stop-at 10", bundle, in_folder("halves"));
    expect_out("step 10 of 20");
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("halves"));
    expect_out("step 20 of 20");
    same_end("whole", "halves");
    ck_assert(file_exists(in_folder("whole/loss.png")));
    ck_assert(file_exists(in_folder("whole/metrics.jsonl")));
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("halves")); // finished: nothing to do
    same_end("whole", "halves");
}
END_TEST

// Starts a training by itself; the process id of gcc-graph.
static pid_t start(const char *run, const char *more) {
    return start_gcc_graph("train %s --data random:64 --out %s --seed 3 --keep 2 %s", bundle, in_folder(run), more);
}

static void pause_for(long milliseconds) { nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL); }

// Waits until the run has a file of this name (a shell's pattern) with something in it, or has ended, and `wait` ms more, then sends the
// signal; how the process ended.
static int stop(pid_t child, const char *run, const char *file, int signal_number, int times, long wait) {
    const char *is_there = arena_format(arena, "for file in %s/%s; do [ -s \"$file\" ] && exit 0; done; exit 1", in_folder(run), file);
    int status = 0;
    while (system(is_there) != 0) {
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
        pause_for(20);
    }
    pause_for(wait);
    for (int i = 0; i < times; i++) {
        pause_for(i ? 1 : 0);
        kill(child, signal_number);
    }
    waitpid(child, &status, 0);
    return status;
}

// On the device too: where "when" does not hold, parameters, moments, the count and the EMA keep every bit; the rest of the step counts.
START_TEST(a_skipped_update_changes_no_bit) {
    static const char when[] = "\"when\": \"step % 3 != 1\"";
    const char *graph = arena_copy_text(arena, SMALL_GRAPH), *place = strstr(graph, when);
    ck_assert_ptr_nonnull(place);
    write_text(in_folder("rest.json"),
               arena_format(arena, "%.*s\"when\": \"loss < 0 or step < 3\"%s", (int)(place - graph), graph, place + strlen(when)));
    bundle = in_folder("rest.ggb");
    expect_code(0, "compile %s -o %s", in_folder("rest.json"), bundle);
    expect_code(0, "train %s --data random:64 --out %s --steps 6 --save-every 3", bundle, in_folder("rest"));
    TensorFile before, after;
    ck_assert_msg(safetensors_read(arena, in_folder("rest/checkpoint-000003.safetensors"), &before, diag) &&
                      safetensors_read(arena, in_folder("rest/checkpoint-000006.safetensors"), &after, diag),
                  "%s", diag_text(diag, arena));
    uint32_t same = 0, moved = 0;
    for (uint32_t i = 0; i < before.tensors.count; i++) {
        const HostTensor *old = &before.tensors.items[i], *now = tensor_file_find(&after, old->name);
        ck_assert_msg(now && now->size == old->size, "%s", old->name);
        bool is_statistic = strstr(old->name, "batch_norm.mean") || strstr(old->name, "batch_norm.variance");
        bool is_same = !memcmp(old->data, now->data, old->size);
        ck_assert_msg(is_same != is_statistic, "%s", old->name);
        same += is_same;
        moved += !is_same;
    }
    ck_assert_uint_eq(moved, 2);
    ck_assert_uint_gt(same, 4 * 8); // weights, two moments, EMA; the count
}
END_TEST

START_TEST(killed_runs_resume) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --seed 3", bundle, in_folder("whole"));
    for (int i = 0; i < 3; i++) {
        const char *run = arena_format(arena, "killed_%d", i);
        stop(start(run, "--save-every 1"), run, "checkpoint-*.safetensors", SIGKILL, 1, 7 + 31 * i);
        expect_code(0, "train %s --out %s --resume", bundle, in_folder(run));
        same_end("whole", run);
    }
}
END_TEST

// The step that the last line of the metrics belongs to, counted from 1.
static int last_step(const char *run) {
    const char *metrics = read_all(file_join(arena, in_folder(run), "metrics.jsonl")), *last = metrics;
    for (const char *at = metrics; (at = strstr(at, "{\"step\": ")) != NULL; at++)
        last = at;
    return *last ? atoi(last + strlen("{\"step\": ")) + 1 : 0;
}

// Without the interruption these runs would save after minutes only.
START_TEST(interrupt_saves_and_says_how_to_resume) {
    compile_small();
    for (int times = 1; times <= 3; times++) { // `timeout` and shells send one request twice
        const char *run = arena_format(arena, "interrupted_%d", times);
        int status = stop(start(run, "--steps 1000000 --save-every 1000000"), run, "metrics.jsonl", SIGINT, times, 0);
        ck_assert_msg(WIFEXITED(status), "ended by signal %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        int steps = last_step(run);
        ck_assert_int_gt(steps, 0);
        ck_assert(file_exists(file_join(arena, in_folder(run), arena_format(arena, "checkpoint-%06d.safetensors", steps))));
        expect_code(0, "train %s --out %s --resume --stop-at %d", bundle, in_folder(run), steps + 5);
        expect_out(arena_format(arena, "step %d of 1000000", steps + 5));
    }
}
END_TEST

START_TEST(a_run_is_never_overwritten) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --stop-at 2", bundle, in_folder("run"));
    expect_code(1, "train %s --data random:64 --out %s", bundle, in_folder("run"));
    expect_err("--resume");
    expect_code(1, "train %s --out %s --resume --seed 9", bundle, in_folder("run"));
    expect_err("seed");
    expect_code(2, "train %s --data random:64", bundle);
    expect_code(2, "train %s --data random:64 --out %s --steps 3 --epochs 3", bundle, in_folder("other"));
    expect_code(1, "train %s --out %s", bundle, in_folder("other"));
    ck_assert(!file_exists(in_folder("other/run.json")));
}
END_TEST

START_TEST(dry_run_trains_nothing) {
    compile_small();
    expect_code(0, "train %s --data random:64 --dry-run --out %s", bundle, in_folder("run"));
    expect_out("20");
    ck_assert(!file_exists(in_folder("run")));
}
END_TEST

START_TEST(samples_come_out) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --stop-at 3", bundle, in_folder("run"));
    expect_code(0, "sample %s --from %s --out %s --count 10 --tensors --seed 4", bundle, in_folder("run"), in_folder("samples"));
    ck_assert(file_exists(in_folder("samples/samples.png")));
    ck_assert(file_exists(in_folder("samples/samples.npy")));
    expect_code(0, "sample %s --from %s --out %s --count 10 --tensors --seed 4", bundle, in_folder("run"), in_folder("again"));
    same_files("samples", "again", "samples.npy");
    same_files("samples", "again", "samples.png");
    expect_code(1, "sample %s --out %s", bundle, in_folder("none"));
    expect_err("needs trained weights");
    expect_code(2, "sample %s --from %s", bundle, in_folder("run"));
}
END_TEST

START_TEST(weights_go_out_and_come_back) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --stop-at 3", bundle, in_folder("run"));
    write_text(in_folder("names.json"), "{ \"f.conv2d.weight\": \"encoder.0.weight\" }\n");
    expect_code(0, "export %s -o %s --names %s", in_folder("run"), in_folder("torch.safetensors"), in_folder("names.json"));
    expect_code(0, "export %s --import --names %s -o %s", in_folder("torch.safetensors"), in_folder("names.json"),
                in_folder("ours.safetensors"));
    expect_code(0, "export %s -o %s", in_folder("run"), in_folder("plain.safetensors"));
    expect_code(0, "train %s --data random:64 --out %s --stop-at 1 --init f=%s", bundle, in_folder("second"),
                in_folder("ours.safetensors"));
    expect_code(0, "export %s -o %s --ema", in_folder("run"), in_folder("ema.safetensors"));
    ck_assert_int_ne(system(arena_format(arena, "cmp -s %s %s", in_folder("plain.safetensors"), in_folder("ema.safetensors"))), 0);
    write_text(in_folder("wrong.json"), "{ \"f.conv9.weight\": \"x\" }\n");
    expect_code(1, "export %s -o %s --names %s", in_folder("run"), in_folder("none.safetensors"), in_folder("wrong.json"));
    expect_err("wrong.json:1:");
    ck_assert(!file_exists(in_folder("none.safetensors")));
}
END_TEST

// A loss that is NaN from a step on: the message names the node, from the beginning and from a checkpoint.
// As graphs/README.md says, on random pictures.
START_TEST(latent_diffusion_goes_program_by_program) {
    const char *ldm = in_folder("ldm.ggb"), *measured = in_folder("measured");
    expect_code(0, "compile graphs/latent_diffusion.json --preset check -D vae_steps=3 -D ldm_steps=4 -o %s", ldm);
    expect_code(0, "train %s --program train_vae --data random --out %s", ldm, in_folder("vae"));
    expect_code(0, "run %s measure --data random --from %s --save %s", ldm, in_folder("vae"), measured);
    expect_code(1, "train %s --program train --data random --out %s --init encoder=%s", ldm, in_folder("early"), measured);
    expect_err("needs \"latent_sum\" trained before");
    expect_code(0, "train %s --program train --data random --out %s --init encoder=%s --init decoder=%s --init latent_sum=%s --init latent_sum2=%s --init latent_n=%s",
                ldm, in_folder("ldm"), measured, measured, measured, measured, measured);
    ck_assert(file_exists(in_folder("vae/checkpoint-000003.safetensors")) && file_exists(in_folder("ldm/checkpoint-000004.safetensors")));
    expect_code(0, "sample %s --program sample --from %s --out %s", ldm, in_folder("ldm"), in_folder("samples"));
}
END_TEST

START_TEST(the_first_nan_is_named) {
    const char *sound = "mean((y - x0)^2)", *at = strstr(SMALL_GRAPH, sound);
    write_text(in_folder("wild.json"),
               arena_format(arena, "%.*s%s + log(5.5 - step)%s", (int)(at - SMALL_GRAPH), SMALL_GRAPH, sound, at + strlen(sound)));
    expect_code(0, "compile %s -o %s", in_folder("wild.json"), in_folder("wild.ggb"));
    expect_code(1, "train %s --data random:64 --out %s --seed 3", in_folder("wild.ggb"), in_folder("run"));
    expect_err("replayed from the initial state: the first value that is not finite is written by");
    expect_code(1, "train %s --data random:64 --out %s --seed 3 --save-every 4", in_folder("wild.ggb"), in_folder("saved"));
    expect_err("checkpoint-000004.safetensors: the first value");
    expect_err("log /programs/train/phases/0/nodes/2) in step 6");
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("train");
    TCase *tests = tcase_create("train");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, resume_is_bit_identical);
    tcase_add_test(tests, a_skipped_update_changes_no_bit);
    tcase_add_test(tests, killed_runs_resume);
    tcase_add_test(tests, interrupt_saves_and_says_how_to_resume);
    tcase_add_test(tests, a_run_is_never_overwritten);
    tcase_add_test(tests, dry_run_trains_nothing);
    tcase_add_test(tests, samples_come_out);
    tcase_add_test(tests, weights_go_out_and_come_back);
    tcase_add_test(tests, latent_diffusion_goes_program_by_program);
    tcase_add_test(tests, the_first_nan_is_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
