// Resuming: a training that was stopped, or killed at any moment and any number of times, ends bit for bit as one that ran through.
#include "runtime/base/random.h"
#include "runtime/tensor/tensor_file.h"
#include "tests/end_to_end/command.h"
#include <time.h>

// Two optimizers, of which one updates only where the data says so; running statistics; a network's own state; dropout; an EMA; a
// document's state; phases that repeat; rates that depend on the epoch.
static const char GRAPH[] =
    "{\n"
    "  \"gcc-graph\": 1,\n"
    "  \"name\": \"resumed\",\n"
    "  \"let\": { \"accumulate\": 1 },\n"
    "  \"data\": { \"points\": { \"batch\": 16, \"fields\": { \"point\": { \"shape\": [2] } } } },\n"
    "  \"state\": { \"level\": { \"shape\": [], \"init\": { \"constant\": 0.5 } } },\n"
    "  \"networks\": {\n"
    "    \"G\": { \"dims\": [\"n\"], \"inputs\": { \"z\": [\"n\", 5] }, \"nodes\": [\n"
    "      { \"op\": \"linear\", \"in\": \"z\", \"features\": 12 }, { \"op\": \"batch_norm\" }, { \"op\": \"relu\" }, { \"op\": "
    "\"dropout\", "
    "\"rate\": 0.25 },\n"
    "      { \"op\": \"linear\", \"features\": 2 } ] },\n"
    "    \"D\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 2] }, \"nodes\": [\n"
    "      { \"state\": \"u\", \"shape\": [12], \"init\": { \"normal\": [0, 1] } },\n"
    "      { \"op\": \"linear\", \"in\": \"x\", \"features\": 12 }, { \"op\": \"batch_norm\", \"momentum\": 0.3 }, { \"op\": "
    "\"leaky_relu\" "
    "},\n"
    "      { \"set\": \"u\", \"to\": \"0.9*u + 0.1*mean($, 0)\" },\n"
    "      { \"op\": \"linear\", \"in\": \"$ + 0.01*u\", \"features\": 1 }, { \"expr\": \"$[:, 0]\" } ] }\n"
    "  },\n"
    "  \"optimizers\": {\n"
    "    \"d\": { \"of\": \"D\", \"adam\": { \"lr\": \"1e-3 * 0.5^epoch\" } },\n"
    "    \"g\": { \"of\": \"G\", \"sgd\": { \"lr\": \"1e-2 * cosine(step, steps)\", \"momentum\": 0.9 }, \"ema\": 0.9, \"clip_norm\": 1 }\n"
    "  },\n"
    "  \"programs\": { \"train\": { \"mode\": \"train\", \"steps\": 20, \"phases\": [\n"
    "    { \"name\": \"critic\", \"repeat\": 2, \"accumulate\": \"accumulate\", \"feed\": { \"real\": \"points.point\" }, \"nodes\": [\n"
    "      { \"random\": \"normal\", \"shape\": [16, 5], \"as\": \"z\" },\n"
    "      { \"call\": \"G\", \"in\": \"z\", \"as\": \"fake\" },\n"
    "      { \"call\": \"D\", \"in\": \"real\", \"as\": \"p\" }, { \"call\": \"D\", \"in\": \"detach(fake)\", \"as\": \"q\" },\n"
    "      { \"expr\": \"bce_logits(p, 1) + bce_logits(q, 0)\", \"as\": \"loss_d\" },\n"
    "      { \"set\": \"level\", \"to\": \"0.8*level + 0.2*loss_d\" },\n"
    "      { \"update\": \"d\", \"minimize\": \"loss_d\", \"when\": \"loss_d >= level\" } ],\n"
    "      \"report\": [\"loss_d\", \"level\"] },\n"
    "    { \"name\": \"generator\", \"nodes\": [\n"
    "      { \"random\": \"normal\", \"shape\": [16, 5], \"as\": \"z\" },\n"
    "      { \"call\": \"G\", \"in\": \"z\", \"as\": \"fake\" },\n"
    "      { \"call\": \"D\", \"in\": \"fake\", \"keep_state\": true, \"as\": \"s\" },\n"
    "      { \"expr\": \"bce_logits(s, 1)\", \"as\": \"loss_g\" },\n"
    "      { \"update\": \"g\", \"minimize\": \"loss_g\", \"when\": \"step % 3 != 1\" } ],\n"
    "      \"report\": [\"loss_g\"] }\n"
    "  ] } }\n"
    "}\n";

static const char *bundle;

// The critic takes so many batches at once.
static void compile_graph(uint32_t accumulate) {
    bundle = in_folder("resumed.ggb");
    write_text(in_folder("resumed.json"), GRAPH);
    expect_code(0, "compile %s -D accumulate=%u -o %s", in_folder("resumed.json"), accumulate, bundle);
}

static bool same_files(const char *run, const char *other, const char *name) {
    return system(arena_format(arena, "cmp %s/%s %s/%s", in_folder(run), name, in_folder(other), name)) == 0;
}

static void same_end(const char *run, const char *other, uint32_t step) {
    const char *checkpoint = arena_format(arena, "checkpoint-%06u.safetensors", step);
    ck_assert_msg(same_files(run, other, checkpoint), "%s differs between %s and %s", checkpoint, run, other);
    ck_assert_msg(same_files(run, other, "metrics.csv"), "metrics.csv differs between %s and %s", run, other);
}

static int32_t count_of(const char *run, const char *name) {
    TensorFile file;
    const char *path = in_folder(arena_format(arena, "%s/checkpoint-000020.safetensors", run));
    ck_assert_msg(safetensors_read(arena, path, &file, diag), "%s", diag_text(diag, arena));
    const HostTensor *tensor = tensor_file_find(&file, name);
    ck_assert_msg(tensor && tensor->dtype == ELEMENT_I32 && tensor->size == 4, "%s", name);
    int32_t count;
    memcpy(&count, tensor->data, sizeof count);
    return count;
}

START_TEST(stopped_runs_resume) {
    static const char *const data[] = {"ring", "random:100"};
    compile_graph(_i == 0 ? 1 : 3);
    const char *spec = data[_i];
    expect_code(0, "train %s --data %s --out %s --seed 5 --steps 20", bundle, spec, in_folder("whole"));
    expect_code(0, "train %s --data %s --out %s --seed 5 --steps 20 --stop-at 10", bundle, spec, in_folder("halves"));
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("halves"));
    same_end("whole", "halves", 20);
    // In pieces of every length, with another number of checkpoints kept.
    expect_code(0, "train %s --data %s --out %s --seed 5 --steps 20 --stop-at 1 --save-every 3", bundle, spec, in_folder("pieces"));
    for (uint32_t stop = 2, length = 2; stop < 20; stop += 2 * length++)
        expect_code(0, "train %s --out %s --resume --stop-at %u", bundle, in_folder("pieces"), stop);
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("pieces"));
    same_end("whole", "pieces", 20);
    // Another seed is another training, and both updates were skipped now and then.
    expect_code(0, "train %s --data %s --out %s --seed 6 --steps 20", bundle, spec, in_folder("other"));
    ck_assert_int_ne(system(arena_format(arena, "cmp -s %s %s", in_folder("whole/metrics.csv"), in_folder("other/metrics.csv"))), 0);
    int32_t critic = count_of("whole", "d.count");
    ck_assert_msg(critic > 0 && critic < 40, "the critic was updated %d times", critic);
    ck_assert_int_eq(count_of("whole", "g.count"), 13);
}
END_TEST

static uint64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_for(uint32_t milliseconds) { nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L}, NULL); }

// Runs gcc-graph and kills it after some time; whether it had ended by itself, well.
static bool run_and_kill(const char *words, uint32_t milliseconds) {
    pid_t child = start_gcc_graph("%s", words);
    pause_for(milliseconds);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) == 0, "exit code %d: %s", WEXITSTATUS(status), words);
    return WIFEXITED(status);
}

enum { KILLS = 8, LONG = 200 };

// Killed again and again, at moments from before anything was written to the last step.
START_TEST(killed_runs_resume) {
    compile_graph(3);
    const char *train = arena_format(arena, "train %s --data ring --seed 5 --steps %d --save-every 1 --keep 3", bundle, LONG);
    uint64_t begin = milliseconds_now();
    expect_code(0, "%s --out %s", train, in_folder("whole"));
    uint32_t length = (uint32_t)(milliseconds_now() - begin); // of the whole run, on this machine
    const char *killed = in_folder("killed");
    uint32_t kills = 0, resumed = 0;
    uint64_t seed = (uint64_t)time(NULL);
    printf("killed_runs_resume: seed %llu\n", (unsigned long long)seed);
    bool done = false;
    for (uint32_t i = 0; i < KILLS && !done; i++) {
        uint32_t wait = 5 + random_below(random_element(seed, 1, 0, 0, i), length);
        // Also before the first checkpoint: such a run begins at step 0 again.
        bool begun = file_exists(in_folder("killed/run.json"));
        const char *words = begun ? arena_format(arena, "train %s --out %s --resume --save-every 1", bundle, killed)
                                  : arena_format(arena, "%s --out %s", train, killed);
        done = run_and_kill(words, wait);
        kills += !done;
        resumed += begun;
    }
    if (file_exists(in_folder("killed/run.json")))
        expect_code(0, "train %s --out %s --resume", bundle, killed);
    else
        expect_code(0, "%s --out %s", train, killed); // a machine so slow that nothing was begun
    printf("killed_runs_resume: %u kills, %u resumes\n", kills, resumed);
    same_end("whole", "killed", LONG);
    ck_assert_int_ne(system(arena_format(arena, "ls %s | grep -q '\\.tmp'", killed)), 0); // no half-written file stays behind
}
END_TEST

// A shipped graph with attention, EMA, schedules and draws.
START_TEST(ddpm_resumes) {
    const char *ddpm = in_folder("ddpm.ggb");
    expect_code(0, "compile graphs/ddpm_mnist.json --preset check -o %s", ddpm);
    uint64_t begin = milliseconds_now();
    expect_code(0, "train %s --data random:64 --out %s --seed 7 --steps 20", ddpm, in_folder("whole"));
    uint32_t length = (uint32_t)(milliseconds_now() - begin);
    expect_code(0, "train %s --data random:64 --out %s --seed 7 --steps 20 --stop-at 10", ddpm, in_folder("halves"));
    expect_code(0, "train %s --out %s --resume", ddpm, in_folder("halves"));
    same_end("whole", "halves", 20);
    run_and_kill(arena_format(arena, "train %s --data random:64 --out %s --seed 7 --steps 20 --save-every 1", ddpm, in_folder("killed")),
                 length / 2);
    if (file_exists(in_folder("killed/run.json"))) {
        expect_code(0, "train %s --out %s --resume", ddpm, in_folder("killed"));
        same_end("whole", "killed", 20);
    }
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("resume");
    TCase *tests = tcase_create("resume");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, stopped_runs_resume, 0, 2);
    tcase_add_test(tests, killed_runs_resume);
    tcase_add_test(tests, ddpm_resumes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
