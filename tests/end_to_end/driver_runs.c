// Runs: prolonged, forked, locked; what is in a run's folder stays there; numbers that are 0.
#include "runtime/base/json.h"
#include "runtime/run/checkpoint.h"
#include "tests/end_to_end/command.h"
#include "tests/end_to_end/small_graph.h"
#include <math.h>
#include <time.h>

static const char *bundle;

// The small graph with one piece of it changed.
static const char *compile_changed(const char *name, const char *piece, const char *by) {
    const char *at = strstr(SMALL_GRAPH, piece);
    ck_assert_ptr_nonnull(at);
    const char *json = in_folder(arena_format(arena, "%s.json", name)), *made = in_folder(arena_format(arena, "%s.ggb", name));
    write_text(json, arena_format(arena, "%.*s%s%s", (int)(at - SMALL_GRAPH), SMALL_GRAPH, by, at + strlen(piece)));
    expect_code(0, "compile %s -o %s", json, made);
    return made;
}

static void compile_small(void) { bundle = compile_changed("small", "1e-3", "1e-3"); }

static bool same(const char *run, const char *other, const char *name) {
    return system(arena_format(arena, "cmp -s %s/%s %s/%s", in_folder(run), name, in_folder(other), name)) == 0;
}

static bool in_file(const char *name, const char *piece) { return strstr(read_all(in_folder(name)), piece) != NULL; }

static float first_value(const char *checkpoint, const char *state) {
    TensorFile file;
    ck_assert_msg(safetensors_read(arena, in_folder(checkpoint), &file, diag), "%s", diag_text(diag, arena));
    const HostTensor *tensor = tensor_file_find(&file, state);
    ck_assert_msg(tensor && tensor->size >= 4, "%s has no %s", checkpoint, state);
    float value;
    memcpy(&value, tensor->data, sizeof value);
    return value;
}

// Where nothing depends on the total, a prolonged run is the long one.
START_TEST(a_prolonged_run_is_a_longer_one) {
    const char *plain = compile_changed("plain", "1e-3 * cosine(step, steps)", "1e-3");
    expect_code(0, "train %s --data random:64 --out %s --seed 5 --steps 18", plain, in_folder("whole"));
    expect_code(0, "train %s --data random:64 --out %s --seed 5 --steps 7", plain, in_folder("parts"));
    expect_code(0, "train %s --out %s --resume --steps 12 --stop-at 10", plain, in_folder("parts")); // a finished one
    expect_err("the total is 12 steps now, no longer 7: schedules over \"steps\" see 12 from step 7 on");
    expect_code(0, "train %s --out %s --resume --steps 18", plain, in_folder("parts")); // and a stopped one
    ck_assert(same("whole", "parts", "metrics.csv"));
    const char *last = "checkpoint-000018.safetensors";
    ck_assert_float_eq(first_value(arena_format(arena, "whole/%s", last), "f.conv2d.weight"),
                       first_value(arena_format(arena, "parts/%s", last), "f.conv2d.weight"));
    ck_assert(same("whole", "parts", last)); // metadata too: both say 18 steps
}
END_TEST

START_TEST(the_totals_are_recorded) {
    compile_small();
    const char *run = in_folder("run");
    expect_code(0, "train %s --data random:64 --out %s --steps 6", bundle, run);
    expect_code(0, "train %s --out %s --resume", bundle, run);
    expect_err("the run was at its end: go on with --resume --steps N");
    expect_code(0, "train %s --out %s --resume --epochs 2 --stop-at 8", bundle, run); // 64 records, 8 a step
    expect_out("step 8 of 16");
    expect_code(0, "train %s --out %s --resume --steps 10", bundle, run); // fewer than planned, more than done
    expect_out("step 10 of 10");
    static const uint32_t totals[][2] = {{0, 6}, {6, 16}, {8, 10}};
    const Json *json = json_read(arena, in_folder("run/run.json"), diag), *list = json ? json_get(json, "totals") : NULL;
    ck_assert(list && list->count == 3);
    const Json *item = list->first;
    for (uint32_t i = 0; i < 3; i++, item = item->next) {
        uint64_t from = 0, steps = 0;
        ck_assert(json_uint(item, "from", &from, diag) && json_uint(item, "steps", &steps, diag));
        ck_assert_uint_eq(from, totals[i][0]);
        ck_assert_uint_eq(steps, totals[i][1]);
    }
    expect_code(1, "train %s --out %s --resume --steps 9", bundle, run);
    expect_err("the run has done 10 steps already, and a total of 9 is before that");
    expect_code(1, "train %s --out %s --resume --steps 20 --stop-at 4", bundle, run);
    expect_err("--stop-at 4 is before that");
    expect_code(1, "train %s --out %s --resume --epochs 600000000", bundle, run);
    expect_err("--epochs 600000000 are 4800000000 steps of 8 an epoch; a run may have 4294967295");
}
END_TEST

// Its clock goes on as well.
START_TEST(seconds_go_on) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --steps 8 --stop-at 4", bundle, in_folder("run"));
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("run"));
    double last = -1;
    uint32_t rows = 0;
    for (const char *at = read_all(in_folder("run/metrics.jsonl")); (at = strstr(at, "\"seconds\": ")); rows++) {
        at += strlen("\"seconds\": ");
        double seconds = strtod(at, NULL);
        ck_assert_msg(seconds >= last, "row %u: %g s after %g s", rows, seconds, last);
        last = seconds;
    }
    ck_assert_uint_eq(rows, 8);
}
END_TEST

START_TEST(a_changed_graph_goes_on_from_another_run) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --steps 6", bundle, in_folder("old"));
    // One layer more, another rate.
    const char *changed = compile_changed("changed", "{ \"op\": \"upsample_nearest\", \"factor\": 2 },",
                                          "{ \"op\": \"upsample_nearest\", \"factor\": 2 }, { \"op\": \"conv2d\", \"channels\": \"width\", "
                                          "\"kernel\": 3, \"pad\": 1, \"as\": \"extra\" },");
    expect_code(0, "train %s --out %s --fork %s --steps 4 --dry-run", changed, in_folder("new"), in_folder("old"));
    expect_out("fork     begins with what fits of ");
    ck_assert(!file_exists(in_folder("new")));
    expect_code(0, "train %s --out %s --fork %s --steps 4 --stop-at 2", changed, in_folder("new"), in_folder("old"));
    expect_err("forked from ");
    expect_err("checkpoint-000006.safetensors, step 6: ");
    expect_err("begin anew (");
    expect_err("f.extra.weight [12,12,3,3]");
    ck_assert(in_file("new/fork.txt", "opt.m.f.conv2d.weight") && in_file("new/fork.txt", "f.extra.weight"));
    ck_assert(in_file("new/run.json", "checkpoint-000006.safetensors"));
    static const char *const states[] = {"f.conv2d.weight", "opt.m.f.conv2d.weight", "opt.ema.f.conv2d.weight", "f.batch_norm.mean"};
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_float_eq(first_value("new/checkpoint-000000.safetensors", states[i]),
                           first_value("old/checkpoint-000006.safetensors", states[i]));
    ck_assert_float_eq(first_value("new/checkpoint-000000.safetensors", "opt.m.f.extra.weight"), 0);
    // Of weights alone: averages begin as copies of them.
    expect_code(0, "export %s -o %s", in_folder("old"), in_folder("weights.safetensors"));
    expect_code(0, "train %s --data random:64 --out %s --fork %s --steps 4 --stop-at 1", bundle, in_folder("weights"),
                in_folder("weights.safetensors"));
    ck_assert_float_eq(first_value("weights/checkpoint-000000.safetensors", "opt.ema.f.conv2d.weight"),
                       first_value("old/checkpoint-000006.safetensors", "f.conv2d.weight"));
    ck_assert_float_ne(first_value("old/checkpoint-000006.safetensors", "opt.ema.f.conv2d.weight"),
                       first_value("old/checkpoint-000006.safetensors", "f.conv2d.weight"));
    // The other run is needed no more.
    ck_assert(file_remove_tree(in_folder("old"), diag));
    expect_code(0, "train %s --out %s --resume", changed, in_folder("new"));
    expect_out("step 4 of 4");
}
END_TEST

// What Adam calls m is an average, what SGD calls m a sum: neither begins with the other's, nor Adam's count without its moments.
START_TEST(moments_of_another_rule_begin_anew) {
    compile_small();
    const char *sgd = compile_changed("sgd", "\"adam\": { \"lr\": \"1e-3 * cosine(step, steps)\" }",
                                      "\"sgd\": { \"lr\": 1e-3, \"momentum\": 0.9 }");
    expect_code(0, "train %s --data random:64 --out %s --steps 3", bundle, in_folder("adam"));
    expect_code(0, "train %s --out %s --fork %s --steps 3", sgd, in_folder("sgd"), in_folder("adam"));
    expect_err("opt.m.f.conv2d.weight [12,3,3,3], there of another rule");
    // RMSProp's moments have the names of Adam's; AdamW's are Adam's.
    const char *rmsprop = compile_changed("rmsprop", "\"adam\": { \"lr\": \"1e-3 * cosine(step, steps)\" }",
                                          "\"rmsprop\": { \"lr\": 1e-3, \"momentum\": 0.9 }");
    expect_code(0, "train %s --out %s --fork %s --steps 3 --stop-at 1", rmsprop, in_folder("rmsprop"), in_folder("adam"));
    expect_err("opt.v.f.conv2d.weight [12,3,3,3], there of another rule");
    const char *adamw = compile_changed("adamw", "\"adam\": { \"lr\"", "\"adamw\": { \"lr\"");
    expect_code(0, "train %s --out %s --fork %s --steps 3 --stop-at 1", adamw, in_folder("adamw"), in_folder("adam"));
    ck_assert_msg(strstr(err, "begin anew") == NULL, "%s", err);
    expect_code(0, "train %s --out %s --data random:64 --fork %s --steps 3", bundle, in_folder("back"), in_folder("sgd"));
    static const char *const starts[] = {"sgd/checkpoint-000000.safetensors", "back/checkpoint-000000.safetensors"};
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_float_eq(first_value(starts[i], "opt.m.f.conv2d.weight"), 0);
        ck_assert_float_eq(first_value(starts[i], "opt.count"), 0); // an integer's 0 is a float's
    }
    ck_assert_float_ne(first_value("sgd/checkpoint-000003.safetensors", "opt.m.f.conv2d.weight"), 0);
    ck_assert_float_eq(first_value(starts[1], "opt.ema.f.conv2d.weight"),
                       first_value("sgd/checkpoint-000003.safetensors", "opt.ema.f.conv2d.weight"));
}
END_TEST

// What must be trained are weights, not what an optimizer keeps beside them.
START_TEST(required_weights_are_enough) {
    compile_small();
    const char *needy = compile_changed("needy", "\"mode\": \"train\",", "\"mode\": \"train\", \"requires\": [\"f\"],");
    expect_code(0, "train %s --data random:64 --out %s --steps 3", bundle, in_folder("old"));
    expect_code(0, "export %s -o %s", in_folder("old"), in_folder("weights.safetensors"));
    expect_code(1, "train %s --data random:64 --out %s --steps 2", needy, in_folder("new"));
    expect_code(0, "train %s --data random:64 --out %s --fork %s --steps 2", needy, in_folder("new"), in_folder("weights.safetensors"));
    const char *narrow = compile_changed("narrow", "\"mode\": \"train\",", "\"mode\": \"train\", \"requires\": [\"f\"],");
    expect_code(0, "compile %s -o %s -D width=8", in_folder("narrow.json"), narrow);
    expect_code(1, "train %s --data random:64 --out %s --fork %s --steps 2", narrow, in_folder("narrow"), in_folder("old"));
    expect_err("\"f\" must be trained before, and \"f.conv2d.weight\" has another shape there");
}
END_TEST

START_TEST(a_fork_that_takes_nothing_is_an_error) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --steps 2", bundle, in_folder("old"));
    write_text(in_folder("other.json"),
               "{ \"gcc-graph\": 1, \"data\": { \"p\": { \"batch\": 4, \"fields\": { \"v\": { \"shape\": [2] } } } },\n"
               "  \"networks\": { \"g\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 2] }, \"nodes\": [ { \"op\": \"linear\", "
               "\"features\": 1 } ] } },\n"
               "  \"optimizers\": { \"o\": { \"of\": \"g\", \"sgd\": { \"lr\": 0.1 } } },\n"
               "  \"programs\": { \"train\": { \"mode\": \"train\", \"steps\": 2, \"phases\": [ { \"name\": \"a\", \"feed\": { \"x\": \"p.v\" }, "
               "\"nodes\": [ { \"call\": \"g\", \"in\": \"x\" }, { \"expr\": \"mean($^2)\", \"as\": \"loss\" }, { \"update\": \"o\", "
               "\"minimize\": \"loss\" } ], \"report\": [\"loss\"] } ] } } }\n");
    expect_code(0, "compile %s -o %s", in_folder("other.json"), in_folder("other.ggb"));
    expect_code(1, "train %s --data random:64 --out %s --fork %s", in_folder("other.ggb"), in_folder("new"), in_folder("old"));
    expect_err("is a state of this graph, by name and shape");
    ck_assert(!file_exists(in_folder("new")));
}
END_TEST

static void wait_for(const char *path) {
    for (uint32_t i = 0; i < 3000 && !file_exists(path); i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    ck_assert_msg(file_exists(path), "%s does not come", path);
}

START_TEST(one_training_at_a_time) {
    compile_small();
    const char *run = in_folder("run");
    pid_t first = start_gcc_graph("train %s --data random:64 --out %s --steps 1000000 --save-every 5", bundle, run);
    wait_for(in_folder("run/checkpoint-000005.safetensors"));
    expect_code(1, "train %s --out %s --resume --stop-at 1000", bundle, run);
    expect_err(arena_format(arena, "process %ld on ", (long)first));
    expect_err("is training this run");
    kill(first, SIGKILL); // its lock stays behind, and is none
    waitpid(first, NULL, 0);
    ck_assert(file_exists(in_folder("run/lock")));
    uint32_t count;
    const uint32_t *steps = checkpoint_list(arena, run, &count);
    ck_assert_uint_gt(count, 0);
    expect_code(0, "train %s --out %s --resume --stop-at %u", bundle, run, steps[count - 1] + 3);
    ck_assert(!file_exists(in_folder("run/lock")));
}
END_TEST

// Only what gcc-graph wrote is ever removed.
START_TEST(files_of_others_stay) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --steps 8 --stop-at 2", bundle, in_folder("run"));
    static const char *const mine[] = {"notes.tmp", "thesis.pdf.12-3.tmp", "checkpoint-000001.safetensors", "run.json.2024-11-28.tmp"};
    for (uint32_t i = 0; i < 4; i++)
        write_text(in_folder(arena_format(arena, "run/%s", mine[i])), "mine");
    write_text(in_folder("run/metrics.csv.4711-0.tmp"), "half-written");
    expect_code(0, "train %s --out %s --resume --save-every 1 --keep 1", bundle, in_folder("run"));
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_msg(in_file(arena_format(arena, "run/%s", mine[i]), "mine"), "%s is gone", mine[i]);
    ck_assert(!file_exists(in_folder("run/metrics.csv.4711-0.tmp")));
    ck_assert(!file_exists(in_folder("run/checkpoint-000007.safetensors")));
    ck_assert(file_exists(in_folder("run/checkpoint-000008.safetensors")));
    ck_assert(!file_exists(in_folder("run/lock")));
}
END_TEST

// What `run` leaves is no part of a training: a resume would go on from it, and one that is there already could be overwritten.
START_TEST(run_saves_beside_trainings) {
    compile_small();
    expect_code(0, "train %s --data random:64 --out %s --steps 4 --save-every 2", bundle, in_folder("run"));
    ck_assert(system(arena_format(arena, "cp %s/checkpoint-000004.safetensors %s", in_folder("run"), in_folder("before"))) == 0);
    expect_code(1, "run %s train --data random:64 --from %s/checkpoint-000002.safetensors --steps 2 --seed 7 --save %s", bundle,
                in_folder("run"), in_folder("run"));
    expect_err("a training's run is there");
    ck_assert(system(arena_format(arena, "cmp -s %s %s/checkpoint-000004.safetensors", in_folder("before"), in_folder("run"))) == 0);
    for (uint32_t i = 0; i < 2; i++) // its own it may replace
        expect_code(0, "run %s train --data random:64 --from %s --save %s", bundle, in_folder("run"), in_folder("apart"));
    ck_assert(file_exists(in_folder("apart/checkpoint-000005.safetensors")));
}
END_TEST

// A file that only bears the lock's name is neither written nor removed.
START_TEST(a_lock_of_others_stays) {
    compile_small();
    ck_assert(file_make_folders(in_folder("run"), diag));
    write_text(in_folder("run/lock"), "mine");
    expect_code(1, "train %s --data random:64 --out %s --steps 2", bundle, in_folder("run"));
    expect_err("run/lock: gcc-graph did not make this file");
    ck_assert(in_file("run/lock", "mine"));
    ck_assert(file_remove_tree(in_folder("run/lock"), diag));
    expect_code(0, "train %s --data random:64 --out %s --steps 2", bundle, in_folder("run"));
    write_text(in_folder("run/lock"), "mine");
    expect_code(1, "train %s --out %s --resume --steps 3", bundle, in_folder("run"));
    ck_assert(in_file("run/lock", "mine"));
    write_text(in_folder("run/lock"), "process 1 on another machine\n"); // one that was killed
    expect_code(0, "train %s --out %s --resume --steps 3", bundle, in_folder("run"));
}
END_TEST

// Losses that are infinite in step 3, an input that is in step 5: two updates that change nothing, statistics that stay.
static const char WILD[] = "select(step == 3, exp(f32(step)*100), 1) * mean((y - x0)^2)";

static const char *compile_wild(const char *name, const char *loss, const char *mode) {
    compile_changed("first", "\"mode\": \"train\", ", mode);
    const char *text = read_all(in_folder("first.json"));
    const char *at = strstr(text, "mean((y - x0)^2)"), *when = strstr(text, ", \"when\": \"step % 3 != 1\""),
               *report = strstr(text, "\"report\": [\"loss\"]");
    ck_assert(at && when && report && at < when && when < report);
    const char *after = at + strlen("mean((y - x0)^2)"), *behind = when + strlen(", \"when\": \"step % 3 != 1\"");
    write_text(in_folder(arena_format(arena, "%s.json", name)),
               arena_format(arena, "%.*s%s%.*s%.*s\"report\": [\"loss\", \"opt.lr\", \"opt.norm\"]%s", (int)(at - text), text, loss,
                            (int)(when - after), after, (int)(report - behind), behind, report + strlen("\"report\": [\"loss\"]")));
    const char *made = in_folder(arena_format(arena, "%s.ggb", name));
    expect_code(0, "compile %s -o %s", in_folder(arena_format(arena, "%s.json", name)), made);
    return made;
}

static const char *checkpoint_at(const char *run, uint32_t step) { return arena_format(arena, "%s/checkpoint-%06u.safetensors", run, step); }

static void ck_same_state(const char *run, uint32_t a, uint32_t b, const char *state, bool is_same) {
    float x = first_value(checkpoint_at(run, a), state), y = first_value(checkpoint_at(run, b), state);
    ck_assert_msg((x == y) == is_same, "%s: %g after step %u, %g after step %u", state, x, a, y, b);
}

START_TEST(wild_updates_are_skipped) {
    static const char *const kept[] = {"f.conv2d.weight", "opt.m.f.conv2d.weight", "opt.v.f.conv2d.weight", "opt.ema.f.conv2d.weight"};
    const char *made = compile_wild("wild", WILD, "\"mode\": \"train\", \"not_finite\": \"skip\", ");
    expect_code(0, "train %s --data random:64 --out %s --seed 3 --steps 8 --save-every 1 --keep 10", made, in_folder("run"));
    expect_err("step 3: gradients that are not finite, the update changes nothing (opt.skipped, 1 in all)");
    for (uint32_t i = 0; i < 4; i++) {
        ck_same_state("run", 3, 4, kept[i], true);
        ck_same_state("run", 4, 5, kept[i], false);
    }
    ck_assert(in_file("run/metrics.csv", "step,epoch,phase,repetition,loss,opt.lr,opt.norm,opt.skipped\n"));
    ck_assert(in_file("run/metrics.csv", "\n3,0,denoise,0,inf,"));
    // What it says of the norm and the rate.
    const char *row = strstr(read_all(in_folder("run/metrics.csv")), "\n4,0,denoise,0,");
    float loss, rate, norm, skipped;
    ck_assert_int_eq(sscanf(row, "\n4,0,denoise,0,%f,%f,%f,%f", &loss, &rate, &norm, &skipped), 4);
    ck_assert_float_eq_tol(rate, 1e-3f * 0.5f * (1 + cosf(3.14159265f * 4 / 8)), 1e-7f);
    ck_assert(norm > 0 && skipped == 0);
    // The same without "skip" stops; a guard of one's own does not help there, and does here.
    made = compile_wild("stops", WILD, "\"mode\": \"train\", ");
    expect_code(1, "train %s --data random:64 --out %s --seed 3 --steps 8", made, in_folder("stopped"));
    expect_err("step 3: loss of phase denoise is inf");
}
END_TEST

START_TEST(wild_statistics_are_not_kept) {
    const char *made = compile_wild("wild", "mean((y - x0)^2)", "\"mode\": \"train\", \"not_finite\": \"skip\", ");
    char *text = read_all(in_folder("wild.json"));
    const char *input = "x0 + 0.5*eps", *at = strstr(text, input);
    write_text(in_folder("input.json"), arena_format(arena, "%.*s(x0 + 0.5*eps) * exp(select(step == 5, 100.0, 0.0))%s", (int)(at - text), text, at + strlen(input)));
    made = in_folder("input.ggb");
    expect_code(0, "compile %s -o %s", in_folder("input.json"), made);
    expect_code(0, "train %s --data random:64 --out %s --seed 3 --steps 8 --save-every 1 --keep 10", made, in_folder("run"));
    static const char *const kept[] = {"f.batch_norm.mean", "f.batch_norm.variance", "f.conv2d.weight"};
    for (uint32_t i = 0; i < 3; i++) {
        ck_same_state("run", 5, 6, kept[i], true);
        ck_same_state("run", 6, 7, kept[i], false);
    }
}
END_TEST

START_TEST(wild_without_end_stops) {
    const char *made = compile_wild("wild", "mean((y - x0)^2) * exp(select(step >= 5, 100.0, 0.0))", "\"mode\": \"train\", \"not_finite\": \"skip\", ");
    expect_code(1, "train %s --data random:64 --out %s --seed 3 --steps 80 --save-every 2", made, in_folder("run"));
    expect_err("step 24: opt.skipped is above 0 for the 20th time in a row");
    expect_err("the first value that is not finite is written by");
    ck_assert(file_exists(in_folder("run/checkpoint-000024.safetensors")));
}
END_TEST

// A look-ahead of two steps, of which the second is wild: what is committed is neither.
START_TEST(wild_commits_are_skipped) {
    static const char ahead[] =
        "{ \"gcc-graph\": 1, \"name\": \"ahead\", \"let\": { \"scale\": 1 },\n"
        "  \"networks\": { \"f\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 3] }, \"nodes\": [ { \"op\": \"linear\", \"features\": 2 } ] } },\n"
        "  \"optimizers\": { \"opt\": { \"of\": \"f\", \"adam\": { \"lr\": 0.1 } } },\n"
        "  \"programs\": { \"p\": { \"mode\": \"train\", \"not_finite\": \"skip\", \"phases\": [ { \"name\": \"q\", \"nodes\": [\n"
        "    { \"random\": \"normal\", \"shape\": [4, 3], \"as\": \"x\" }, { \"snapshot\": \"opt\", \"as\": \"s[0]\" },\n"
        "    { \"for\": \"k\", \"below\": 2, \"nodes\": [ { \"call\": \"f\", \"weights\": \"s[k]\", \"in\": \"x\", \"as\": \"y[k]\" },\n"
        "      { \"expr\": \"mean(y[k]^2) * exp(f32(step + 1) * scale * k)\", \"as\": \"l[k]\" },\n"
        "      { \"step\": \"opt\", \"from\": \"s[k]\", \"minimize\": \"l[k]\", \"as\": \"s[k+1]\" } ] },\n"
        "    { \"commit\": \"s[2]\" } ], \"report\": [\"opt.skipped\"] } ] } } }\n";
    static const char *const scales[] = {"1", "100"};
    float count[2];
    write_text(in_folder("ahead.json"), ahead);
    for (uint32_t i = 0; i < 2; i++) {
        expect_code(0, "run %s p -D scale=%s --get opt.skipped=%s --get opt.count=%s", in_folder("ahead.json"), scales[i], in_folder("skipped.npy"),
                    in_folder("count.npy"));
        HostTensor skipped, steps;
        ck_assert(npy_read(arena, in_folder("skipped.npy"), &skipped, diag) && npy_read(arena, in_folder("count.npy"), &steps, diag));
        count[i] = (float)*(const int32_t *)steps.data;
        ck_assert_float_eq(*(const float *)skipped.data, (float)i);
    }
    ck_assert(count[0] == 2 && count[1] == 0);
}
END_TEST

// A NaN has no sign in what is printed, whoever computed it.
START_TEST(a_nan_has_no_sign) {
    const char *wild = compile_changed("nan", "mean((y - x0)^2)", "mean((y - x0)^2) + f32(step)/f32(step)");
    static const char *const ways[] = {"", "--interpret"};
    for (uint32_t i = 0; i < 2; i++) {
        expect_code(0, "run %s train --data random:64 --steps 2 %s", wild, ways[i]);
        expect_out("train.denoise.loss@0.0 nan\n");
    }
}
END_TEST

// An update that a let turns off is reported as one that is false at run time.
START_TEST(an_update_that_never_comes_is_reported) {
    static const char graph[] =
        "{ \"gcc-graph\": 1, \"let\": { \"use\": 1 }, \"optimizers\": { \"o\": { \"of\": \"n\", \"adam\": { \"lr\": 0.25 } } },\n"
        "  \"networks\": { \"n\": { \"dims\": [\"b\"], \"inputs\": { \"x\": [\"b\", 2] }, \"nodes\": [ { \"op\": \"linear\", \"features\": 2 } ] } },\n"
        "  \"programs\": { \"p\": { \"mode\": \"train\", \"not_finite\": \"skip\", \"phases\": [ { \"name\": \"a\", \"nodes\": [\n"
        "    { \"random\": \"normal\", \"shape\": [4, 2] }, { \"call\": \"n\", \"in\": \"$\" }, { \"expr\": \"mean($^2)\", \"as\": \"loss\" },\n"
        "    { \"update\": \"o\", \"minimize\": \"loss\", \"when\": \"use\" } ], \"report\": [\"o.lr\", \"o.norm\", \"o.skipped\"] } ] } } }\n";
    write_text(in_folder("never.json"), graph);
    char *said[2];
    for (uint32_t use = 0; use < 2; use++) {
        expect_code(0, "run %s p -D use=%u --get o.count=%s", in_folder("never.json"), use, in_folder("count.npy"));
        HostTensor count;
        ck_assert(npy_read(arena, in_folder("count.npy"), &count, diag));
        ck_assert_int_eq(*(const int32_t *)count.data, (int32_t)use);
        said[use] = out;
    }
    ck_assert_str_eq(said[0], said[1]);
    ck_assert(strstr(out, "o.lr@0.0 0.25\n") && strstr(out, "o.skipped@0.0 0\n"));
}
END_TEST

START_TEST(nothing_to_resume) {
    compile_small();
    expect_code(1, "train %s --data random:64 --out %s --resume", bundle, in_folder("none"));
    expect_err("there is no run to resume; a new one begins without --resume");
    ck_assert(!file_exists(in_folder("none")));
    expect_code(2, "train %s --out %s --resume --fork %s", bundle, in_folder("none"), in_folder("other"));
    expect_err("which?");
    expect_code(1, "train %s --data random:64 --out %s --fork %s", bundle, in_folder("none"), in_folder("nowhere"));
    expect_err("nowhere");
    ck_assert(!file_exists(in_folder("none")));
}
END_TEST

START_TEST(zero_is_refused) {
    compile_small();
    static const char *const options[] = {"steps",        "epochs",       "stop-at", "save-every", "keep",
                                          "sample-every", "sample-count"};
    for (uint32_t i = 0; i < sizeof options / sizeof *options; i++) {
        expect_code(2, "train %s --data random:64 --out %s --%s 0", bundle, in_folder("run"), options[i]);
        expect_err(arena_format(arena, "--%s: at least 1 expected, not 0", options[i]));
    }
    expect_code(2, "sample %s --from %s --out %s --count 0", bundle, in_folder("run"), in_folder("samples"));
    expect_code(2, "run %s train --steps 0", bundle);
    expect_code(2, "bench %s --seconds 0", bundle);
    expect_code(0, "train %s --data random:64 --out %s --steps 1 --seed 0", bundle, in_folder("run"));
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("runs");
    TCase *tests = tcase_create("runs");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, a_prolonged_run_is_a_longer_one);
    tcase_add_test(tests, the_totals_are_recorded);
    tcase_add_test(tests, seconds_go_on);
    tcase_add_test(tests, a_changed_graph_goes_on_from_another_run);
    tcase_add_test(tests, moments_of_another_rule_begin_anew);
    tcase_add_test(tests, required_weights_are_enough);
    tcase_add_test(tests, a_fork_that_takes_nothing_is_an_error);
    tcase_add_test(tests, a_lock_of_others_stays);
    tcase_add_test(tests, run_saves_beside_trainings);
    tcase_add_test(tests, one_training_at_a_time);
    tcase_add_test(tests, files_of_others_stay);
    tcase_add_test(tests, wild_updates_are_skipped);
    tcase_add_test(tests, wild_statistics_are_not_kept);
    tcase_add_test(tests, wild_without_end_stops);
    tcase_add_test(tests, wild_commits_are_skipped);
    tcase_add_test(tests, a_nan_has_no_sign);
    tcase_add_test(tests, an_update_that_never_comes_is_reported);
    tcase_add_test(tests, nothing_to_resume);
    tcase_add_test(tests, zero_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
