// Checkpoints: round trip, damage, full disk, which are kept, what fits a program; run.json.
#include "runtime/run/checkpoint.h"
#include "runtime/run/run.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>

static Program *program;
static HostTensor tensors[8];
static uint32_t tensor_count;

static void add_state(const char *name, StateKind kind, const char *network, ElementType type, uint32_t rank, const uint32_t *dims) {
    ProgramState state = {.name = name, .kind = kind, .network = network};
    state.tensor.type = type;
    state.tensor.layout.rank = (uint8_t)rank;
    uint32_t count = 1;
    HostTensor tensor = {.name = name, .dtype = type == ELEMENT_F32 ? ELEMENT_F32 : ELEMENT_I32, .rank = rank};
    for (uint32_t i = 0; i < rank; i++) {
        state.tensor.layout.dims[i] = dims[i];
        tensor.dims[i] = dims[i];
        count *= dims[i];
    }
    array_push(arena, &program->states, state);
    float *values = ARENA_NEW(arena, float, count);
    for (uint32_t i = 0; i < count; i++)
        values[i] = (float)(i + 10 * program->states.count);
    tensor.data = values;
    tensor.size = count * 4;
    if (checkpoint_keeps(&state))
        tensors[tensor_count++] = tensor;
}

static void set_up(void) {
    folder_set_up();
    program = ARENA_NEW(arena, Program, 1);
    program->digest = "graph";
    tensor_count = 0;
    add_state("s1.G.conv2d.weight", STATE_PARAMETERS, "s1.G", ELEMENT_F32, 4, (const uint32_t[]){2, 3, 1, 1});
    add_state("s1.G.norm.mean", STATE_RUNNING, "s1.G", ELEMENT_F32, 1, (const uint32_t[]){3});
    add_state("D.bias", STATE_PARAMETERS, "D", ELEMENT_F32, 1, (const uint32_t[]){5});
    add_state("opt.m.D.bias", STATE_MOMENT, NULL, ELEMENT_F32, 1, (const uint32_t[]){5});
    add_state("opt.ema.D.bias", STATE_EMA, NULL, ELEMENT_F32, 1, (const uint32_t[]){5});
    add_state("opt.count", STATE_COUNT, NULL, ELEMENT_I32, 0, NULL);
    add_state("sample.x", STATE_PROGRAM, NULL, ELEMENT_F32, 1, (const uint32_t[]){7});
}

static void tear_down(void) {
    file_fail_at(0);
    folder_tear_down();
}

static CheckpointInfo info_at(uint32_t step) {
    return (CheckpointInfo){.digest = "graph",
                            .entry = "train",
                            .step = step,
                            .steps = 1000,
                            .seed = UINT64_MAX - 3,
                            .data_position = "images.train: epoch 1, batch 2 of 6",
                            .schedules = "a\nb"};
}

static bool save(uint32_t step, uint32_t keep, Diag *to) {
    CheckpointInfo info = info_at(step);
    return checkpoint_write(folder, &info, tensors, tensor_count, keep, to);
}

START_TEST(round_trip) {
    ck_assert(save(120, 0, diag));
    Checkpoint read;
    ck_assert_msg(checkpoint_read_from(arena, folder, &read, diag), "%s", diag_text(diag, arena));
    ck_assert_str_eq(file_name(read.path), "checkpoint-000120.safetensors");
    ck_assert_uint_eq(read.info.step, 120);
    ck_assert_uint_eq(read.info.steps, 1000);
    ck_assert_uint_eq(read.info.seed, UINT64_MAX - 3);
    ck_assert_str_eq(read.info.digest, "graph");
    ck_assert_str_eq(read.info.schedules, "a\nb");
    ck_assert_uint_eq(read.file.tensors.count, tensor_count);
    for (uint32_t i = 0; i < tensor_count; i++) {
        const HostTensor *tensor = tensor_file_find(&read.file, tensors[i].name);
        ck_assert_ptr_nonnull(tensor);
        ck_assert_uint_eq(tensor->size, tensors[i].size);
        ck_assert_mem_eq(tensor->data, tensors[i].data, tensor->size);
    }
    ck_assert(checkpoint_match(&read, program, CHECKPOINT_EXACT, diag));
    ck_assert_uint_eq(diag_error_count(diag), 0);
    ck_assert(save(120, 0, diag)); // the same numbers make the same bytes
    size_t size, again;
    const char *a = file_read(arena, read.path, &size, diag);
    ck_assert(save(120, 0, diag));
    const char *b = file_read(arena, read.path, &again, diag);
    ck_assert_uint_eq(size, again);
    ck_assert_mem_eq(a, b, size);
}
END_TEST

// No cut and no changed byte goes unnoticed.
START_TEST(damage) {
    ck_assert(save(1, 0, diag));
    const char *path = checkpoint_path(arena, folder, 1), *other = file_join(arena, folder, "other.safetensors");
    size_t size;
    char *bytes = file_read(arena, path, &size, diag);
    Arena *inner_arena = arena_create();
    Checkpoint read;
    for (size_t cut = 0; cut < size; cut += 1 + cut / 40) {
        arena_reset(inner_arena);
        Diag *inner = diag_create(inner_arena);
        ck_assert(file_write(other, bytes, cut, diag));
        ck_assert(!checkpoint_read(inner_arena, other, &read, inner));
        ck_assert_uint_ge(diag_error_count(inner), 1);
    }
    for (size_t at = 0; at < size; at++) {
        arena_reset(inner_arena);
        Diag *inner = diag_create(inner_arena);
        bytes[at] ^= 0x04;
        ck_assert(file_write(other, bytes, size, diag));
        bool ok = checkpoint_read(inner_arena, other, &read, inner);
        ck_assert_msg(!ok || bytes[at] == ('\n' ^ 0x04) || bytes[at] == (' ' ^ 0x04), "byte %zu of %zu was changed", at, size);
        ck_assert(ok == (diag_error_count(inner) == 0));
        bytes[at] ^= 0x04;
    }
    arena_destroy(&inner_arena);
}
END_TEST

START_TEST(newest_whole_one) {
    for (uint32_t step = 1; step <= 3; step++)
        ck_assert(save(step * 50, 0, diag));
    size_t size;
    const char *bytes = file_read(arena, checkpoint_path(arena, folder, 150), &size, diag);
    ck_assert(file_write(checkpoint_path(arena, folder, 150), bytes, size / 2, diag));
    ck_assert(file_write(checkpoint_path(arena, folder, 160), bytes, size, diag)); // another step's under a wrong number
    Checkpoint read;
    ck_assert(checkpoint_read_latest(arena, folder, &read, diag));
    ck_assert_uint_eq(read.info.step, 100);
    ck_assert_uint_eq(diag_error_count(diag), 0);
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "warning:"));
    for (uint32_t step = 1; step <= 2; step++)
        ck_assert(file_write(checkpoint_path(arena, folder, step * 50), "x", 1, diag));
    ck_assert(!checkpoint_read_latest(arena, folder, &read, diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
    ck_assert(!checkpoint_read_from(arena, file_join(arena, folder, "none"), &read, diag));
}
END_TEST

START_TEST(keep_the_newest) {
    const uint32_t *steps;
    uint32_t count;
    for (uint32_t step = 10; step <= 50; step += 10)
        ck_assert(save(step, 2, diag));
    steps = checkpoint_list(arena, folder, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(steps[0], 40);
    ck_assert_uint_eq(steps[1], 50);
    ck_assert(save(45, 2, diag)); // resumed from an older one: what is newer stays, it may be all there is
    steps = checkpoint_list(arena, folder, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert(save(3000000, 0, diag) && save(999999, 0, diag));
    steps = checkpoint_list(arena, folder, &count);
    ck_assert_uint_eq(steps[count - 1], 3000000);
    ck_assert_uint_eq(steps[count - 2], 999999);
    checkpoint_list(arena, "/nowhere", &count);
    ck_assert_uint_eq(count, 0);
}
END_TEST

// Whatever file operation fails, the previous checkpoint can be read.
START_TEST(full_disk) {
    ck_assert(save(10, 1, diag));
    for (uint32_t n = 1;; n++) {
        Diag *inner = diag_create(arena);
        file_fail_at(n);
        bool ok = save(20, 1, inner);
        file_fail_at(0);
        Checkpoint read;
        ck_assert(checkpoint_read_latest(arena, folder, &read, diag));
        ck_assert_uint_eq(read.info.step, ok ? 20 : 10);
        ck_assert(ok == (diag_error_count(inner) == 0));
        uint32_t files;
        file_list(arena, folder, &files, diag);
        ck_assert_uint_eq(files, 1); // no temporary file stays
        if (ok)
            break;
        ck_assert_uint_lt(n, 100);
    }
    ck_assert_uint_eq(diag_error_count(diag), 0);
}
END_TEST

static void ck_mismatch(const Checkpoint *checkpoint, CheckpointMatch match, const char *text) {
    Diag *inner = diag_create(arena);
    bool ok = checkpoint_match(checkpoint, program, match, inner);
    ck_assert(ok == (text == NULL));
    if (text)
        ck_assert_msg(strstr(diag_text(inner, arena), text) != NULL, "%s", diag_text(inner, arena));
}

START_TEST(what_fits) {
    ck_assert(save(1, 0, diag));
    Checkpoint read;
    ck_assert(checkpoint_read_latest(arena, folder, &read, diag));
    program->states.items[2].tensor.layout.dims[0] = 6;
    ck_mismatch(&read, CHECKPOINT_EXACT, "\"D.bias\" is f32[5] there, and \"D.bias\" f32[6] in this graph");
    ck_mismatch(&read, CHECKPOINT_WEIGHTS, "\"D.bias\" is f32[5]");
    program->states.items[2].tensor.layout.dims[0] = 5;
    program->states.items[5].tensor.type = ELEMENT_F32;
    ck_mismatch(&read, CHECKPOINT_EXACT, "\"opt.count\" is i32[] there, and \"opt.count\" f32[] in this graph");
    program->states.items[5].tensor.type = ELEMENT_I32;
    program->states.items[3].name = "opt.v.D.bias";
    ck_mismatch(&read, CHECKPOINT_EXACT, "it has no \"opt.v.D.bias\"");
    ck_mismatch(&read, CHECKPOINT_EXACT, "no state \"opt.m.D.bias\"");
    ck_mismatch(&read, CHECKPOINT_WEIGHTS, NULL); // a moment is not needed to sample
    program->states.items[4].name = "opt.ema.D.scale";
    ck_mismatch(&read, CHECKPOINT_WEIGHTS, "it has no \"opt.ema.D.scale\"");
}
END_TEST

START_TEST(select_a_network) {
    tensors[0].name = "G.conv2d.weight"; // the other run calls its network "G"
    tensors[1].name = "G.norm.mean";
    ck_assert(save(1, 0, diag));
    Checkpoint read;
    ck_assert(checkpoint_read_latest(arena, folder, &read, diag));
    CheckpointPair *pairs;
    uint32_t count;
    ck_assert(checkpoint_select(arena, &read, program, "s1.G", &pairs, &count, diag));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(pairs[1].tensor.name, "s1.G.norm.mean");
    ck_assert_ptr_eq(pairs[1].state, &program->states.items[1]);
    ck_assert(checkpoint_select(arena, &read, program, "s1.G.norm", &pairs, &count, diag)); // a part
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(pairs[0].tensor.name, "s1.G.norm.mean");
    ck_assert(checkpoint_select(arena, &read, program, "D", &pairs, &count, diag));
    ck_assert_uint_eq(count, 1);
    ck_assert(checkpoint_select(arena, &read, program, "opt.count", &pairs, &count, diag));
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(diag_error_count(diag), 0);
    ck_assert(!checkpoint_select(arena, &read, program, "s1.F", &pairs, &count, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "no network of that name with parameters of its own, and no such state"));
    ck_assert(!checkpoint_select(arena, &read, program, "s1.G.nor", &pairs, &count, diag)); // no whole name
    program->states.items[1].tensor.layout.dims[0] = 4;
    ck_assert(!checkpoint_select(arena, &read, program, "s1.G", &pairs, &count, diag));
    tensor_count = 1;
    ck_assert(save(2, 0, diag) && checkpoint_read_latest(arena, folder, &read, diag));
    ck_assert(!checkpoint_select(arena, &read, program, "s1.G", &pairs, &count, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "it has no \"s1.G.norm.mean\", which --init s1.G needs"));
}
END_TEST

START_TEST(foreign_file) {
    const char *path = file_join(arena, folder, "torch.safetensors"), *key = "format", *value = "pt";
    ck_assert(safetensors_write(arena, path, tensors, tensor_count, NULL, NULL, 0, diag));
    Checkpoint read;
    ck_assert(checkpoint_read_from(arena, path, &read, diag));
    ck_assert_ptr_null(read.info.digest);
    ck_assert(checkpoint_match(&read, program, CHECKPOINT_WEIGHTS, diag));
    ck_assert(safetensors_write(arena, path, tensors, tensor_count, &key, &value, 1, diag)); // as PyTorch's own writer does
    ck_assert_msg(checkpoint_read_from(arena, path, &read, diag), "%s", diag_text(diag, arena));
    key = "gcc-graph";
    value = "checkpoint 2";
    ck_assert(safetensors_write(arena, path, tensors, tensor_count, &key, &value, 1, diag));
    ck_assert(!checkpoint_read_from(arena, path, &read, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "format 2 is newer than this gcc-graph " GG_VERSION ", which reads format 1: a newer gcc-graph reads it"));
}
END_TEST

// What a run was: every total from its step on; where its states came from.
START_TEST(run_totals) {
    Run run = {.bundle = "b", .digest = "d", .entry = "train", .has_seed = true, .steps = 10, .schedules = "",
               .fork = {"/runs/old/checkpoint-000006.safetensors", 6, "e"}}, read;
    static const uint32_t notes[][2] = {{0, 10}, {4, 10}, {10, 30}, {20, 40}, {15, 25}, {15, 35}};
    static const RunTotal totals[] = {{0, 10}, {10, 30}, {15, 35}};
    for (uint32_t i = 0; i < 6; i++) {
        run.steps = notes[i][1];
        run_note_total(arena, &run, notes[i][0]);
    }
    ck_assert(run_write(folder, &run, diag) && run_read(arena, folder, &read, diag));
    ck_assert_uint_eq(read.total_count, 3);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert(read.totals[i].from == totals[i].from && read.totals[i].steps == totals[i].steps);
    ck_assert_str_eq(read.fork.checkpoint, run.fork.checkpoint);
    ck_assert(read.fork.step == 6 && !strcmp(read.fork.digest, "e"));
    // One written before totals were recorded.
    const char *old = "{\"gcc-graph-run\": 1, \"bundle\": \"b\", \"digest\": \"d\", \"program\": \"train\", \"data\": [], \"init\": [], \"seed\": "
                      "\"1\", \"steps\": 7, \"save_every\": 0, \"keep\": 3, \"sample_every\": 0, \"sample_count\": 0}";
    ck_assert(file_write(file_join(arena, folder, "run.json"), old, strlen(old), diag) && run_read(arena, folder, &read, diag));
    ck_assert(read.total_count == 1 && read.totals[0].from == 0 && read.totals[0].steps == 7 && !read.fork.checkpoint);
}
END_TEST

// What labels mean stays with the run, whatever its classes are called.
START_TEST(classes) {
    static const char *const names[] = {"cat", "\xc3\xa4 \"b\"", "", "dog"};
    const Classes lists[] = {{"pets", names, 4}, {"none", names, 0}};
    Run run = {.bundle = "/b", .digest = "d", .entry = "train", .classes = {lists, 2}}, read;
    ck_assert(run_write(folder, &run, diag) && run_read(arena, folder, &read, diag));
    ck_assert(read.classes.count == 2 && read.classes.items[0].count == 4 && read.classes.items[1].count == 0);
    ck_assert_str_eq(read.classes.items[0].data, "pets");
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_str_eq(read.classes.items[0].names[i], names[i]);
    ck_assert_uint_eq(classes_of_run(arena, folder).count, 2);
    ck_assert_uint_eq(classes_of_run(arena, file_join(arena, folder, "checkpoint-000001.safetensors")).count, 2);
    ck_assert_uint_eq(classes_of_run(arena, "/nowhere/x.safetensors").count, 0);
    ck_assert(classes_check(&read.classes, &run.classes, diag) && classes_check(&(ClassLists){0}, &run.classes, diag));
    const Classes fewer = {"pets", names, 3}, moved = {"pets", names + 1, 3}, other = {"birds", names + 1, 3};
    ck_assert(classes_check(&(ClassLists){&other, 1}, &run.classes, diag));
    Diag *inner = diag_create(arena);
    ck_assert(!classes_check(&(ClassLists){&fewer, 1}, &run.classes, inner) && !classes_check(&(ClassLists){&moved, 1}, &run.classes, inner));
    ck_assert_str_eq(diag_text(inner, arena), "error: the run began with \"dog\" as class 3 of the data set \"pets\"; now that is \"none\"\n"
                                              "error: the run began with \"cat\" as class 0 of the data set \"pets\"; now that is \"\xc3\xa4 \"b\"\"\n");
    size_t size;
    const char *path = file_join(arena, folder, "run.json"), *whole = file_read(arena, path, &size, diag), *at = strstr(whole, "[\"cat\"");
    static const char *const wrong[] = {"[3", "7, \"x\": [\"cat\""};
    for (uint32_t i = 0; i < 2; i++) {
        const char *text = arena_format(arena, "%.*s%s%s", (int)(at - whole), whole, wrong[i], at + strlen("[\"cat\""));
        inner = diag_create(arena);
        ck_assert(file_write(path, text, strlen(text), diag) && !run_read(arena, folder, &read, inner));
        ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "\"classes\" must be lists of texts by data set"));
    }
}
END_TEST

START_TEST(run_file) {
    const char *data[] = {"images=mnist", "other=idx:\"x\""}, *inits[] = {"s1.G=runs/a"};
    Run run = {.bundle = "/b",
               .digest = "d",
               .entry = "train",
               .data = data,
               .data_count = 2,
               .inits = inits,
               .init_count = 1,
               .has_seed = true,
               .seed = UINT64_MAX,
               .steps = 20,
               .save_every = 5,
               .keep = 3,
               .schedules = "x"},
        read;
    ck_assert(!run_exists(folder));
    ck_assert(run_write(folder, &run, diag) && run_exists(folder) && run_read(arena, folder, &read, diag));
    ck_assert_str_eq(read.data[1], data[1]);
    ck_assert(read.seed == UINT64_MAX && read.steps == 20 && read.init_count == 1 && read.keep == 3);
    ck_assert_ptr_null(read.sample_entry);
    Run none = {.save_every = 7, .digest = "d"};
    ck_assert(run_merge(&none, &read, folder, diag));
    ck_assert(none.steps == 20 && none.save_every == 7 && none.seed == UINT64_MAX && none.data_count == 2);
    Run longer = {.steps = 30, .digest = "d"}, epochs = {.epochs = 4, .digest = "d"};
    ck_assert(run_merge(&longer, &read, folder, diag) && longer.steps == 30);
    ck_assert(run_merge(&epochs, &read, folder, diag) && epochs.steps == 0 && epochs.epochs == 4); // the caller knows what that is
    ck_assert_uint_eq(diag_error_count(diag), 0);
    const Run wrong[] = {{.digest = "e"},
                         {.entry = "sample"},
                         {.has_seed = true, .seed = 1},
                         {.data = data, .data_count = 1},
                         {.inits = data, .init_count = 1}};
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Run given = wrong[i];
        Diag *inner = diag_create(arena);
        ck_assert(!run_merge(&given, &read, folder, inner));
        ck_assert_uint_eq(diag_error_count(inner), 1);
    }
    const char *from = file_join(arena, folder, "photos"), *to = file_join(arena, folder, "moved"); // neither is there
    const char *const before[] = {arena_format(arena, "x=images:%s?sides", from)}, *const after[] = {arena_format(arena, "x=images:%s?sides", to)};
    const char *const again[] = {arena_format(arena, "x=images:%s/../moved?sides", to)}, *const whole_pictures[] = {arena_format(arena, "x=images:%s", to)};
    const Run began = {.digest = "d", .data = before, .data_count = 1};
    Run moved = {.digest = "d", .data = after, .data_count = 1}, other = {.digest = "d", .data = whole_pictures, .data_count = 1};
    ck_assert(!run_merge(&moved, &began, folder, diag_create(arena)));
    ck_assert(file_make_folders(to, diag));
    Diag *told = diag_create(arena);
    ck_assert(run_merge(&moved, &began, folder, told) && diag_error_count(told) == 0);
    ck_assert_ptr_nonnull(strstr(diag_text(told, arena), "where nothing is any more: it goes on with x=images:"));
    ck_assert_str_eq(moved.data[0], after[0]);
    ck_assert(!run_merge(&other, &began, folder, diag_create(arena)));
    Run path = {.digest = "d", .data = again, .data_count = 1};
    told = diag_create(arena);
    ck_assert(run_merge(&path, &moved, folder, told));
    ck_assert_str_eq(diag_text(told, arena), "");
    ck_assert(file_make_folders(from, diag));
    moved.data = after;
    ck_assert(!run_merge(&moved, &began, folder, diag_create(arena))); // which of the two?
    const char *broken[] = {"", "{", "[]", "{\"gcc-graph-run\": 2}", "{\"gcc-graph-run\": 1}", "{\"gcc-graph-run\": 1, \"bundle\": 3}"};
    size_t size;
    const char *whole = file_read(arena, file_join(arena, folder, "run.json"), &size, diag), *entry = strstr(whole, "\"train\"");
    Diag *inner = diag_create(arena);
    whole = arena_format(arena, "%.*s\"../train\"%s", (int)(entry - whole), whole, entry + strlen("\"train\""));
    ck_assert(file_write(file_join(arena, folder, "run.json"), whole, strlen(whole), diag) && !run_read(arena, folder, &read, inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "/program: a name may not begin with a dot"));
    for (uint32_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        inner = diag_create(arena);
        ck_assert(file_write(file_join(arena, folder, "run.json"), broken[i], strlen(broken[i]), diag));
        ck_assert(!run_read(arena, folder, &read, inner));
        ck_assert_uint_ge(diag_error_count(inner), 1);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("checkpoint");
    TCase *tests = tcase_create("checkpoint");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, round_trip);
    tcase_add_test(tests, damage);
    tcase_add_test(tests, newest_whole_one);
    tcase_add_test(tests, keep_the_newest);
    tcase_add_test(tests, full_disk);
    tcase_add_test(tests, what_fits);
    tcase_add_test(tests, select_a_network);
    tcase_add_test(tests, foreign_file);
    tcase_add_test(tests, run_totals);
    tcase_add_test(tests, classes);
    tcase_add_test(tests, run_file);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
