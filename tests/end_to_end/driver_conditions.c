// Conditions: phases that run at times only, and trainings that end by what they report - the same interpreted, resumed and killed.
#include "tests/end_to_end/command.h"
#include <math.h>
#include <time.h>

// A phase each 16 steps (a penalty), one whose interval follows from the run's length, one that a report of another calls, and an end. The two
// others that are fed take points of their own, in order.
static const char GRAPH[] =
    "{ \"gcc-graph\": 1, \"name\": \"timely\",\n"
    "  \"data\": { \"points\": { \"batch\": 8, \"fields\": { \"point\": { \"shape\": [2] } } } },\n"
    "  \"state\": { \"best\": { \"shape\": [], \"init\": { \"constant\": 1e9 } }, \"waited\": { \"shape\": [] }, \"seen\": { \"shape\": [] } },\n"
    "  \"networks\": { \"f\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 2] }, \"nodes\": [ { \"op\": \"linear\", \"features\": 8 }, { \"op\": \"dropout\", \"rate\": 0.2 },\n"
    "    { \"op\": \"relu\" }, { \"op\": \"linear\", \"features\": 2 } ] } },\n"
    "  \"optimizers\": { \"opt\": { \"of\": \"f\", \"adam\": { \"lr\": 0.02 } } },\n"
    "  \"programs\": { \"train\": { \"mode\": \"train\", \"steps\": 60, \"stop\": \"validate.stalled and step > 5\", \"phases\": [\n"
    "    { \"name\": \"fit\", \"feed\": { \"x\": \"points.point\" }, \"nodes\": [ { \"call\": \"f\", \"in\": \"x\", \"as\": \"y\" }, { \"expr\": \"mean((y - x)^2)\", \"as\": \"loss\" },\n"
    "      { \"update\": \"opt\", \"minimize\": \"loss\" } ], \"report\": [\"loss\", \"opt.lr\"] },\n"
    "    { \"name\": \"lazy\", \"every\": 16, \"feed\": { \"x\": \"points.point\" }, \"nodes\": [ { \"call\": \"f\", \"in\": \"x\", \"as\": \"y\" },\n"
    "      { \"expr\": \"0.01*mean(y^2)\", \"as\": \"loss\" }, { \"update\": \"opt\", \"minimize\": \"loss\" } ], \"report\": [\"loss\"] },\n"
    "    { \"name\": \"called\", \"when\": \"fit.loss < 1.5 and fit.loss > 0.5\", \"feed\": { \"x\": { \"from\": \"points.point\", \"order\": \"sequential\" } },\n"
    "      \"nodes\": [ { \"expr\": \"sum(x)\", \"as\": \"s\" }, { \"set\": \"seen\", \"to\": \"seen + s\" } ], \"report\": [\"s\"] },\n"
    "    { \"name\": \"validate\", \"mode\": \"eval\", \"every\": \"max(1, steps // 20)\", \"repeat\": 2,\n"
    "      \"feed\": { \"x\": { \"from\": \"points.point\", \"order\": \"sequential\" } }, \"nodes\": [ { \"call\": \"f\", \"in\": \"x\", \"as\": \"y\" },\n"
    "      { \"expr\": \"mean((y - x)^2)\", \"as\": \"loss\" }, { \"expr\": \"loss < best\", \"as\": \"better\" },\n"
    "      { \"set\": \"waited\", \"to\": \"select(better, 0.0, waited + 1)\" }, { \"set\": \"best\", \"to\": \"min(best, loss)\" },\n"
    "      { \"expr\": \"waited >= 4\", \"as\": \"stalled\" } ], \"report\": [\"loss\", \"stalled\"] } ] } } }\n";

static const char *bundle;

static void compile_graph(const char *name, const char *text) {
    const char *path = in_folder(arena_format(arena, "%s.json", name));
    bundle = in_folder(arena_format(arena, "%s.ggb", name));
    write_text(path, text);
    expect_code(0, "compile %s -o %s", path, bundle);
}

static uint32_t lines_with(const char *text, const char *piece) {
    uint32_t count = 0;
    for (; (text = strstr(text, piece)); text += strlen(piece))
        count++;
    return count;
}

static void same_end(const char *run, const char *other, uint32_t step) {
    const char *names[] = {arena_format(arena, "checkpoint-%06u.safetensors", step), "metrics.csv"};
    for (uint32_t i = 0; i < 2; i++)
        ck_assert_msg(system(arena_format(arena, "cmp %s/%s %s/%s", in_folder(run), names[i], in_folder(other), names[i])) == 0, "%s of %s and %s", names[i], run, other);
}

// "step 34 of 60": the step, of the last command.
static uint32_t last_step(void) {
    const char *at = strstr(out, ": step ");
    ck_assert_msg(at != NULL, "%s", out);
    return (uint32_t)strtoul(at + 7, NULL, 10);
}

// Reports of `run` line by line, on the device and interpreted: the same ones, in the same order, and alike.
static void expect_alike(const char *device, const char *judge) {
    while (*device && *judge) {
        size_t a = strcspn(device, "\n"), b = strcspn(judge, "\n"), name = strcspn(device, " ");
        ck_assert_msg(strncmp(device, judge, name) == 0, "%.*s\n%.*s", (int)a, device, (int)b, judge);
        bool is_report = memchr(device, '@', name) != NULL;
        double x = is_report ? strtod(device + name, NULL) : 0, y = is_report ? strtod(judge + name, NULL) : 0;
        ck_assert_msg(fabs(x - y) <= 1e-4 * fmax(1, fabs(y)), "%.*s\n%.*s", (int)a, device, (int)b, judge);
        device += a + (device[a] == '\n');
        judge += b + (judge[b] == '\n');
    }
    ck_assert(*device == *judge);
}

START_TEST(the_judge_plays_the_same) {
    compile_graph("timely", GRAPH);
    expect_code(0, "run %s train --data ring --steps 60", bundle);
    char *device = out;
    expect_code(0, "run %s train --data ring --steps 60 --interpret", bundle);
    expect_out("stopped after step ");
    expect_out(", since \"stop\" is true: validate.stalled and step > 5");
    expect_alike(device, out);
    // From the middle of a training, whose states say where the phases stand.
    expect_code(0, "train %s --data ring --out %s --stop-at 17", bundle, in_folder("part"));
    expect_code(0, "run %s train --data ring --steps 43 --from %s", bundle, in_folder("part"));
    char *rest = out;
    const char *there = strstr(device, "train.fit.loss@17.0");
    ck_assert(there && strcmp(there, rest) == 0);
    expect_code(0, "run %s train --data ring --steps 43 --from %s --interpret", bundle, in_folder("part"));
    expect_alike(rest, out);
    // A phase alone runs in each step, and nothing else does.
    expect_code(0, "run %s train/lazy --data ring --steps 3", bundle);
    ck_assert(lines_with(out, "train.lazy.loss@") == 3 && lines_with(out, "train.fit") == 0);
    expect_code(0, "verify %s", bundle);
    expect_code(0, "summary %s", bundle);
    expect_out("fit, lazy (every 16 steps), called (when fit.loss < 1.5 and fit.loss > 0.5), validate x 2 (mode eval, every max(1, steps // 20) steps), conditions (computes when and stop); 60 steps; stops when validate.stalled and step > 5");
}
END_TEST

// A phase each 16 steps is submitted a sixteenth as often, and the others as often as they are called.
START_TEST(phases_have_their_own_steps) {
    compile_graph("timely", GRAPH);
    expect_code(0, "train %s --data ring --out %s --seed 2", bundle, in_folder("whole"));
    uint32_t steps = last_step();
    const char *csv = read_all(in_folder("whole/metrics.csv"));
    ck_assert_msg(steps > 17 && steps < 60, "%u", steps);
    ck_assert_uint_eq(lines_with(csv, ",fit,"), steps);
    ck_assert_uint_eq(lines_with(csv, ",lazy,"), (steps + 15) / 16);
    ck_assert_uint_eq(lines_with(csv, ",validate,0,"), (steps + 2) / 3);
    ck_assert_uint_eq(lines_with(csv, ",validate,1,"), (steps + 2) / 3);
    uint32_t called = 1; // in step 0, before there was a report
    for (uint32_t step = 0; step + 1 < steps; step++) {
        const char *row = strstr(csv, arena_format(arena, "\n%u,0,fit,0,", step));
        ck_assert_ptr_nonnull(row);
        double loss = strtod(strstr(row, "fit,0,") + 6, NULL);
        bool is_called = loss < 1.5 && loss > 0.5;
        called += is_called;
        ck_assert_msg((strstr(csv, arena_format(arena, "\n%u,0,called,", step + 1)) != NULL) == is_called, "step %u, after a loss of %g", step + 1, loss);
    }
    ck_assert_uint_eq(lines_with(csv, ",called,"), called);
    expect_code(0, "train %s --data ring --out %s --dry-run", bundle, in_folder("none"));
    expect_out("phase    lazy every 16 steps\n");
    expect_out("phase    called when fit.loss < 1.5 and fit.loss > 0.5\n");
    expect_out("phase    validate every 3 steps (max(1, steps // 20))\n");
    // What is an interval at 60 steps is none at 10; other lets than those of the run's length are the compiler's.
    compile_graph("short", arena_format(arena, "{\"gcc-graph\": 1, \"let\": {\"parts\": 20}, \"state\": {\"w\": {\"shape\": []}}, \"programs\": {\"train\": {\"mode\": \"train\", \"phases\": "
                                               "[{\"name\": \"a\", \"every\": \"steps // parts\", \"nodes\": [{\"set\": \"w\", \"to\": \"w + 1\"}], \"report\": [\"w\"]}]}}}"));
    expect_code(1, "train %s --steps 19 --out %s", bundle, in_folder("short"));
    expect_err("phase \"a\" of program \"train\" would run every 0 steps: \"steps // 20\" with steps = 19 and epoch_steps = 1");
    // Steps in which nothing runs are steps.
    expect_code(0, "train %s --steps 100 --out %s", bundle, in_folder("short"));
    ck_assert_uint_eq(last_step(), 100);
    csv = read_all(in_folder("short/metrics.csv"));
    ck_assert(lines_with(csv, ",a,") == 20 && strstr(csv, "\n95,95,a,0,20\n"));
}
END_TEST

// By hand and by PyTorch (SGD, rate 0.06, momentum 0.5, of w from 4 toward 1; validated against 2 each 3 steps): the best is found in step 12,
// three further looks are worse, and step 21 is the last one.
START_TEST(early_stop) {
    write_text(in_folder("early.json"),
               arena_format(arena,
                            "{\"gcc-graph\": 1, \"name\": \"early\", \"include\": [\"%s/graphs/blocks/training.json\"], \"networks\": {\"f\": {\"inputs\": {\"x\": []}, \"nodes\": [{\"parameter\": \"w\", "
                            "\"shape\": [3], \"init\": {\"constant\": 4}}, {\"expr\": \"mean((w - x)^2)\"}]}}, \"optimizers\": {\"opt\": {\"of\": \"f\", \"sgd\": {\"lr\": 0.06, \"momentum\": 0.5}}},\n"
                            "\"programs\": {\"train\": {\"mode\": \"train\", \"steps\": 200, \"stop\": \"validate.early.stalled\", \"phases\": [{\"name\": \"fit\", \"nodes\": [{\"call\": \"f\", \"in\": "
                            "\"fill(1.0, [])\", \"as\": \"loss\"}, {\"update\": \"opt\", \"minimize\": \"loss\"}], \"report\": [\"loss\"]}, {\"name\": \"validate\", \"mode\": \"eval\", \"every\": 3, \"nodes\": [{\"call\": "
                            "\"f\", \"in\": \"fill(2.0, [])\", \"as\": \"loss\"}, {\"block\": \"early_stop\", \"in\": \"loss\", \"with\": {\"patience\": 3}, \"as\": \"early\"}], \"report\": [\"loss\", \"early.stalled\", "
                            "\"early.best\"]}]}}}",
                            GG_SOURCE_DIR));
    bundle = in_folder("early.ggb");
    expect_code(0, "compile %s -o %s", in_folder("early.json"), bundle);
    expect_code(0, "train %s --out %s", bundle, in_folder("early"));
    expect_out("step 22 of 200: stopped after step 22, since \"stop\" is true: validate.early.stalled");
    const char *row = strstr(read_all(in_folder("early/metrics.csv")), "\n21,21,validate,0,");
    ck_assert_ptr_nonnull(row);
    double loss, stalled, best;
    ck_assert_int_eq(sscanf(row, "\n21,21,validate,0,%lf,%lf,%lf", &loss, &stalled, &best), 3);
    ck_assert(fabs(loss - 0.3116551339626312) < 1e-6 && stalled == 1 && fabs(best - 0.0003272312169428915) < 1e-8);
    ck_assert_ptr_nonnull(strstr(read_all(in_folder("early/run.json")), "\"why\": \"validate.early.stalled\""));
    // It is finished, whatever its total; another run begins where it ended, and counts anew.
    expect_code(0, "train %s --out %s --resume --steps 300", bundle, in_folder("early"));
    expect_out("step 22 of 300: stopped after step 22");
    expect_err("the run is finished, and another one goes on from it with --fork");
    expect_code(0, "train %s --out %s --resume --dry-run", bundle, in_folder("early"));
    expect_out("finished stopped after step 22, since \"stop\" is true: validate.early.stalled\n");
    expect_code(0, "train %s --out %s --fork %s --steps 30", bundle, in_folder("forked"), in_folder("early"));
    ck_assert_uint_eq(last_step(), 10); // worse from the second look on
    // What it kept of its reports is no weight.
    for (int all = 0; all < 2; all++) {
        expect_code(0, "export %s -o %s %s", in_folder("early"), in_folder("early.safetensors"), all ? "--all" : "");
        ck_assert((system(arena_format(arena, "grep -q train.report.validate.early.stalled %s", in_folder("early.safetensors"))) == 0) == all);
        ck_assert(system(arena_format(arena, "grep -q f.w %s", in_folder("early.safetensors"))) == 0);
    }
    // A run that was killed between its last checkpoint and the word that it is finished finds out again.
    expect_code(0, "train %s --out %s --stop-at 21", bundle, in_folder("late"));
    expect_code(0, "train %s --out %s --resume --stop-at 22", bundle, in_folder("late"));
    expect_code(0, "run %s train --steps 5 --from %s", bundle, in_folder("late"));
    ck_assert_str_eq(out, "stopped after step 22, since \"stop\" is true: validate.early.stalled\n");
    same_end("early", "late", 22);
}
END_TEST

// A value that is not finite is no best one, neither before the others nor among them.
START_TEST(early_stop_waits_for_numbers) {
    write_text(in_folder("wild.json"), arena_format(arena,
                                                    "{\"gcc-graph\": 1, \"name\": \"wild\", \"include\": [\"%s/graphs/blocks/training.json\"], \"tables\": {\"values\": [-1, 9, 8, 7, -1, 6, -1, 6, 5]}, \"programs\": {\"train\": {\"mode\": \"train\", "
                                                    "\"not_finite\": \"skip\", \"steps\": 9, \"stop\": \"look.early.stalled\", \"phases\": [{\"name\": \"look\", \"nodes\": [{\"expr\": \"sqrt(f32(values[step]))\", \"as\": \"value\"}, {\"block\": "
                                                    "\"early_stop\", \"in\": \"value\", \"with\": {\"patience\": 2}, \"as\": \"early\"}], \"report\": [\"early.stalled\", \"early.best\", \"early.waited\"]}]}}}",
                                                    GG_SOURCE_DIR));
    expect_code(0, "run %s train --steps 9 --interpret", in_folder("wild.json"));
    expect_out("train.look.early.best@1.0 3\n");
    expect_out("train.look.early.waited@4.0 1\n");
    expect_out("train.look.early.waited@5.0 0\n");
    expect_out("stopped after step 8, since");
}
END_TEST

// Validation in several repetitions, whose mean a phase behind them reads: their own weights in the reports say what it is.
static const char EPOCHS[] =
    "{ \"gcc-graph\": 1, \"name\": \"epochs\", \"include\": [\"%s/graphs/blocks/training.json\"], \"data\": { \"points\": { \"batch\": 10, \"fields\": { \"point\": { \"shape\": [2] } } } },\n"
    "  \"networks\": { \"f\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 2] }, \"nodes\": [ { \"op\": \"linear\", \"features\": 8 }, { \"op\": \"relu\" }, { \"op\": \"linear\", \"features\": 2 } ] } },\n"
    "  \"optimizers\": { \"opt\": { \"of\": \"f\", \"adam\": { \"lr\": 0.05 } } },\n"
    "  \"programs\": { \"train\": { \"mode\": \"train\", \"steps\": 400, \"stop\": \"patience.early.stalled\", \"phases\": [\n"
    "    { \"name\": \"fit\", \"feed\": { \"x\": \"points.point\" }, \"nodes\": [ { \"call\": \"f\", \"in\": \"x\", \"as\": \"y\" }, { \"expr\": \"mean((y-x)^2)\", \"as\": \"loss\" }, { \"update\": \"opt\", \"minimize\": \"loss\" } ] },\n"
    "    { \"name\": \"validate\", \"mode\": \"eval\", \"every\": \"epoch_steps\", \"repeat\": \"epoch\", \"feed\": { \"x\": { \"from\": \"points.point\", \"split\": \"test\", \"order\": \"sequential\" } },\n"
    "      \"nodes\": [ { \"call\": \"f\", \"in\": \"x\", \"as\": \"y\" }, { \"expr\": \"mean((y-x)^2)\", \"as\": \"loss\" }, { \"expr\": \"loss > 1\", \"as\": \"large\" } ], \"report\": [\"loss\", \"large\"] },\n"
    "    { \"name\": \"patience\", \"every\": \"epoch_steps\", \"nodes\": [ { \"expr\": \"validate.loss\", \"as\": \"mean\" }, { \"block\": \"early_stop\", \"in\": \"mean\", \"with\": { \"patience\": 2 }, \"as\": \"early\" },\n"
    "      { \"expr\": \"select(validate.large, 1.0, 0.0)\", \"as\": \"large\" } ], \"report\": [\"mean\", \"early.stalled\", \"large\"] } ] } } }\n";

// The number behind the phase's repetition, in the step's row and the column of that number (from 0) behind "repetition".
static double cell(const char *csv, uint32_t step, const char *phase, uint32_t repetition, uint32_t column) {
    const char *row = strstr(csv, arena_format(arena, "\n%u,%u,%s,%u,", step, step / 5, phase, repetition));
    ck_assert_msg(row != NULL, "step %u: no row of %s", step, phase);
    row = strstr(row, phase) + strlen(phase) + 1;
    for (uint32_t i = 0; i <= column; i++)
        row = strchr(row, ',') + 1;
    return strtod(row, NULL);
}

START_TEST(a_phase_reads_reports) {
    compile_graph("epochs", arena_format(arena, EPOCHS, GG_SOURCE_DIR));
    expect_code(0, "train %s --data random:50 --out %s", bundle, in_folder("epochs"));
    uint32_t steps = last_step();
    const char *csv = read_all(in_folder("epochs/metrics.csv"));
    ck_assert_msg(text_starts_with(csv, "step,epoch,phase,repetition,loss,large,mean,early.stalled\n"), "%.80s", csv);
    ck_assert_msg(steps > 20 && steps < 400 && steps % 5 == 1, "%u", steps);
    for (uint32_t step = 0; step < steps; step += 5) {
        double sum = 0;
        for (uint32_t i = 0; i < 5; i++)
            sum += cell(csv, step, "validate", i, 0);
        double mean = cell(csv, step, "patience", 0, 2);
        ck_assert_msg(fabs(mean - sum / 5) < 1e-6 * (1 + sum), "step %u: %g, not %g", step, mean, sum / 5);
        ck_assert(cell(csv, step, "patience", 0, 1) == cell(csv, step, "validate", 4, 1)); // a truth is the last one
        ck_assert_int_eq(cell(csv, step, "patience", 0, 3) != 0, step + 1 == steps);
    }
    expect_code(0, "train %s --data random:50 --out %s --stop-at 9", bundle, in_folder("halves"));
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("halves"));
    same_end("epochs", "halves", steps);
    expect_code(0, "run %s train --data random:50 --steps 30", bundle);
    char *device = out;
    expect_code(0, "run %s train --data random:50 --steps 30 --interpret", bundle);
    expect_alike(device, out);
}
END_TEST

static void pause_for(uint32_t milliseconds) { nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L}, NULL); }

START_TEST(stopped_and_killed_runs_resume) {
    compile_graph("timely", GRAPH);
    expect_code(0, "train %s --data ring --out %s --seed 5", bundle, in_folder("whole"));
    uint32_t steps = last_step();
    expect_code(0, "train %s --data ring --out %s --seed 5 --stop-at 1", bundle, in_folder("pieces"));
    for (uint32_t stop = 2; stop < steps; stop += 1 + stop / 2)
        expect_code(0, "train %s --out %s --resume --stop-at %u", bundle, in_folder("pieces"), stop);
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("pieces"));
    same_end("whole", "pieces", steps);
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("pieces"));
    expect_out("stopped after step");
    const char *killed = in_folder("killed");
    for (uint32_t i = 0; i < 4; i++) {
        bool begun = file_exists(in_folder("killed/run.json"));
        pid_t child = begun ? start_gcc_graph("train %s --out %s --resume --save-every 1", bundle, killed)
                            : start_gcc_graph("train %s --data ring --out %s --seed 5 --save-every 1", bundle, killed);
        pause_for(60 + 45 * i);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    bool begun = file_exists(in_folder("killed/run.json"));
    expect_code(0, begun ? "train %s --out %s --resume" : "train %s --out %s --data ring --seed 5", bundle, killed);
    same_end("whole", "killed", steps);
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("conditions");
    TCase *tests = tcase_create("conditions");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, the_judge_plays_the_same);
    tcase_add_test(tests, phases_have_their_own_steps);
    tcase_add_test(tests, early_stop);
    tcase_add_test(tests, early_stop_waits_for_numbers);
    tcase_add_test(tests, a_phase_reads_reports);
    tcase_add_test(tests, stopped_and_killed_runs_resume);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
