// Tuning: what is found makes a program no slower and computes the same; candidates that compute wrong numbers, do not compile, are slow or break
// the device never win and never end the search; records survive damage and two processes; a run goes on with the schedules that it began with.
#include "compiler/built.h"
#include "compiler/read/read.h"
#include "compiler/tune/record.h"
#include "runtime/vk/measure.h"
#include "tests/end_to_end/command.h"
#include "tests/end_to_end/small_graph.h"

static DeviceInfo info;
static Module *module;
static const char *bundle;

static void set_up(void) {
    setup();
    setenv("XDG_CACHE_HOME", in_folder("cache"), 1);
    setenv("GG_SCHEDULE", "tuned", 1);
    setenv("LP_NUM_THREADS", "2", 1); // records are of so many
    write_text(in_folder("small.json"), SMALL_GRAPH);
    bundle = in_folder("small.ggb");
    module = read_document(arena, &(ReadOptions){.path = in_folder("small.json")}, diag);
    Device *device = device_create(arena, &(DeviceOptions){0}, diag);
    ck_assert_msg(module && device, "%s", diag_text(diag, arena));
    info = *device_info(device);
    device_destroy(&device);
}

static void tear_down(void) { teardown(); }

static TuneResult tuned(uint32_t rounds, void (*spoil)(void *, Arena *, const Winners *, Program *)) {
    TuneResult result;
    TuneOptions options = {.entry = "train", .seconds = 1000, .rounds = rounds, .spoil = spoil};
    bool good = tune_program(arena, module, &info.target, &options, &result, diag);
    ck_assert_msg(good, "%s", diag_text(diag, arena));
    ck_assert_uint_eq(diag_error_count(diag), 0);
    return result;
}

START_TEST(it_finds_what_is_no_slower_and_right) {
    TuneResult result = tuned(2, NULL);
    ck_assert_uint_gt(result.works, 0);
    ck_assert_uint_gt(result.tried, 0);
    ck_assert_uint_eq(result.wrong, 0);
    ck_assert(result.before > 0 && result.after > 0 && result.after <= result.before);
    ck_assert(result.winners.count == 0 || result.after < result.before);
}
END_TEST

// ---- candidates that go wrong

static uint32_t spoilt;

static bool is_candidate(const Winners *winners, const Step *step) {
    for (uint32_t i = 0; i < winners->count; i++)
        if (step->kind == STEP_DISPATCH && step->schedule && strcmp(step->schedule, winners->items[i].schedule) == 0)
            return true;
    return false;
}

// Calls `damage` with each dispatch that may be a candidate's.
static void spoil_steps(const Winners *winners, Program *program, void (*damage)(Program *program, Step *step)) {
    spoilt += winners->count > 0;
    for (uint32_t i = 0; i < program->entries.count; i++)
        for (uint32_t k = 0; k < program->entries.items[i].phases.count; k++) {
            ProgramPhase *phase = &program->entries.items[i].phases.items[k];
            for (uint32_t d = 0; d < phase->steps.count; d++)
                if (is_candidate(winners, &phase->steps.items[d]))
                    damage(program, &phase->steps.items[d]);
        }
}

static void leave_work_out(Program *program, Step *step) {
    (void)program;
    step->groups[0] = step->groups[0] > 1 ? (step->groups[0] + 1) / 2 : 1;
}
static void wrong(void *context, Arena *scratch, const Winners *winners, Program *program) {
    (void)context, (void)scratch;
    spoil_steps(winners, program, leave_work_out);
}

static void lose_code(Program *program, Step *step) { program->kernels.items[step->kernel].spirv = NULL, program->kernels.items[step->kernel].spirv_digest = "none"; }
static void uncompiled(void *context, Arena *scratch, const Winners *winners, Program *program) {
    (void)context, (void)scratch;
    spoil_steps(winners, program, lose_code);
}

static void add_groups(Program *program, Step *step) { step->groups[0] = program->target.groups_max; }
static void slow(void *context, Arena *scratch, const Winners *winners, Program *program) {
    (void)context, (void)scratch;
    spoil_steps(winners, program, add_groups);
}

// A call of Vulkan fails while candidates are measured.
static void lost(void *context, Arena *scratch, const Winners *winners, Program *program) {
    (void)context, (void)scratch, (void)program;
    spoilt += winners->count > 0;
    if (spoilt == 2)
        device_fail_at(2000);
}

START_TEST(bad_candidates_never_win_and_never_end_it) {
    static void (*const ways[])(void *, Arena *, const Winners *, Program *) = {wrong, uncompiled, slow};
    spoilt = 0;
    TuneResult result = tuned(1, ways[_i]);
    ck_assert_uint_gt(spoilt, 0);
    ck_assert_uint_eq(result.winners.count, 0);
    ck_assert(result.before == result.after);
    ck_assert(ways[_i] != uncompiled || result.failed > 0);
}
END_TEST

START_TEST(a_failing_device_ends_nothing) {
    spoilt = 0;
    TuneResult result = tuned(1, lost);
    device_fail_at(0);
    ck_assert_uint_gt(spoilt, 1);
    ck_assert_uint_gt(result.tried, 0);
}
END_TEST

// ---- records

static TuneResult made_up(const char *program, const char *work, const char *schedule) {
    TuneResult result = {.program = program, .before = 2, .after = 1};
    winners_set(arena, &result.winners, work, schedule);
    return result;
}

START_TEST(records_are_kept_and_damage_is_told) {
    TuneResult result = made_up("p", "0123456789abcdef0123456789abcdef", "rows:lanes=8");
    Winners found;
    ck_assert_ptr_null(record_read(arena, &info, diag));
    record_keep(arena, &info, "g", "train", &result, diag);
    result = made_up("q", "fedcba9876543210fedcba9876543210", "strip:lanes=8");
    record_keep(arena, &info, "g", "sample", &result, diag);
    const Record *record = record_read(arena, &info, diag);
    ck_assert_msg(record && record_program(record, "p", &found) && found.count == 1, "%s", diag_text(diag, arena));
    ck_assert_str_eq(found.items[0].schedule, "rows:lanes=8");
    ck_assert_uint_eq(record_works(record)->count, 2);
    ck_assert(!record_program(record, "r", &found));

    DeviceInfo other = info; // a new driver, of the same version number
    snprintf(other.driver, sizeof other.driver, "another driver");
    ck_assert_ptr_null(record_read(arena, &other, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "it is of another device or driver: what was tuned is not used"));
    other = info, other.driver_version++;
    ck_assert_ptr_null(record_read(arena, &other, diag));

    size_t size;
    char *text = file_read(arena, record_path(arena, &info), &size, diag);
    for (size_t cut = 0; cut < size - 2; cut += size / 7 + 1) {
        ck_assert(file_write(record_path(arena, &info), text, cut, diag));
        Diag *trial = diag_create(arena);
        ck_assert_ptr_null(record_read(arena, &info, trial));
        ck_assert_ptr_nonnull(strstr(diag_text(trial, arena), "is not used"));
        ck_assert_uint_eq(diag_error_count(trial), 0);
    }
    record_keep(arena, &info, "g", "sample", &result, diag); // over the damaged one
    ck_assert(record_program(record_read(arena, &info, diag), "q", &found));
}
END_TEST

START_TEST(two_processes_lose_nothing) {
    enum { PROCESSES = 3, RECORDS = 12 };
    pid_t children[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        if (children[p] == 0) {
            for (int i = 0; i < RECORDS; i++) {
                TuneResult result = made_up(arena_format(arena, "p%d-%d", p, i), "0123456789abcdef0123456789abcdef", "rows:lanes=8");
                record_keep(arena, &info, "g", "train", &result, diag);
            }
            _exit(0);
        }
    }
    for (int p = 0; p < PROCESSES; p++)
        waitpid(children[p], NULL, 0);
    const Record *record = record_read(arena, &info, diag);
    for (int p = 0; p < PROCESSES; p++)
        for (int i = 0; i < RECORDS; i++) {
            Winners found;
            ck_assert_msg(record_program(record, arena_format(arena, "p%d-%d", p, i), &found), "p%d-%d is lost", p, i);
        }
}
END_TEST

// ---- commands

// Keeps a schedule of the small graph's first convolution that is not the estimate's, as if it had won; the name of the family.
static void keep_another(void) {
    static const Winners none;
    CompileOptions options = {.target = info.target, .winners = &none, .no_spirv = true};
    Compiled *compiled = compile_module(arena, module, &options, NULL, diag);
    ck_assert_ptr_nonnull(compiled);
    for (uint32_t entry = 0; entry < compiled->program->entries.count; entry++)
        for (uint32_t i = 0; i < compiled->phases[entry][0].kernels->kernels.count; i++) {
            const Kernel *kernel = &compiled->phases[entry][0].kernels->kernels.items[i];
            if (kernel->kernel_class != KERNEL_CONTRACT || !kernel->work)
                continue;
            TuneResult result = made_up(tune_key(arena, compiled, entry), kernel->work, "rows:rows=1,columns=1");
            record_keep(arena, &info, "small", compiled->program->entries.items[entry].name, &result, diag);
            break;
        }
}

static char *last_checkpoint(const char *run, size_t *size) {
    return file_read(arena, file_join(arena, in_folder(run), "checkpoint-000020.safetensors"), size, diag);
}

START_TEST(a_run_goes_on_with_what_it_began_with) {
    size_t sizes[3];
    expect_code(0, "compile %s -o %s", in_folder("small.json"), bundle);
    keep_another();
    expect_code(0, "tune %s --show", bundle);
    expect_out("1 kinds of kernels are computed otherwise");
    expect_out("rows:rows=1,columns=1");
    expect_code(0, "train %s --data random --out %s", bundle, in_folder("whole"));
    ck_assert_ptr_nonnull(strstr(read_all(in_folder("whole/run.json")), "rows:rows=1,columns=1"));
    expect_code(0, "train %s --data random --out %s --stop-at 8", bundle, in_folder("parts"));
    file_remove_tree(in_folder("cache/gcc-graph/schedules"), diag); // the cache is gone
    expect_code(0, "train %s --out %s --resume --stop-at 13", bundle, in_folder("parts"));
    TuneResult other = made_up("x", "0123456789abcdef0123456789abcdef", "rows:lanes=8");
    record_keep(arena, &info, "small", "train", &other, diag); // and is another one
    expect_code(0, "train %s --out %s --resume", bundle, in_folder("parts"));
    char *whole = last_checkpoint("whole", &sizes[0]), *parts = last_checkpoint("parts", &sizes[1]);
    ck_assert(whole && parts && sizes[0] == sizes[1] && memcmp(whole, parts, sizes[0]) == 0);
    expect_code(0, "train %s --data random --out %s --schedule default", bundle, in_folder("plain"));
    ck_assert_ptr_null(strstr(read_all(in_folder("plain/run.json")), "rows:"));
    expect_code(1, "train %s --out %s --resume --schedule default --steps 30", bundle, in_folder("whole"));
    expect_err("the run was started with other schedules");
}
END_TEST

START_TEST(commands_take_what_is_asked_for) {
    expect_code(0, "compile %s -o %s", in_folder("small.json"), bundle);
    expect_code(0, "train %s --data random --out %s", bundle, in_folder("run"));
    keep_another();
    static const char *const schedules[] = {"default", "tuned", "reference"};
    for (size_t i = 0; i < 3; i++) {
        expect_code(0, "sample %s --from %s --out %s --schedule %s", bundle, in_folder("run"), in_folder(schedules[i]), schedules[i]);
        expect_code(0, "verify %s --size full --program train --schedule %s", bundle, schedules[i]);
        expect_out("agree with the reference");
    }
    expect_code(0, "bench %s --seconds 1 --schedule tuned", bundle);
    expect_code(1, "bench %s --schedule fast", bundle);
    expect_err("--schedule: \"fast\" is neither default, tuned, reference nor a file");
    expect_code(0, "tune %s --show --program train -o %s", bundle, in_folder("winners"));
    expect_code(0, "verify %s --size full --program train --schedule %s", bundle, in_folder("winners"));
    write_text(in_folder("winners"), "# nothing of this graph\n0123456789abcdef0123456789abcdef rows:lanes=8\n");
    expect_code(1, "verify %s --schedule %s", bundle, in_folder("winners"));
    expect_err("none of its schedules is for a kernel of small");
    write_text(in_folder("winners"), "rows\n");
    expect_code(1, "verify %s --schedule %s", bundle, in_folder("winners"));
    expect_err("winners:1: is no winner: DIGEST FAMILY:PARAM=VALUE,...");
    write_text(record_path(arena, &info), "{ \"gcc-graph schedules\": 1");
    expect_code(0, "sample %s --from %s --out %s", bundle, in_folder("run"), in_folder("damaged"));
    expect_err("it is damaged: what was tuned is not used");
}
END_TEST

// The model is told that lanes give to each other for nothing: where a driver goes through them one by one, what is compiled is some times slower
// than it could be.
START_TEST(what_is_slow_by_a_wrong_figure_is_found) {
    expect_code(0, "devices --measure");
    const char *kept = measure_path(arena, &info), *text = read_all(kept), *figure = strstr(text, "\"broadcast\": ");
    ck_assert_ptr_nonnull(figure);
    write_text(kept, arena_format(arena, "%.*s\"broadcast\": 0.01%s", (int)(figure - text), text, strchr(figure, ',')));
    expect_code(0, "compile " GG_SOURCE_DIR "/tests/bench/convolution.json -D batch=4 -D channels=32 -D size=16 -D kernel=3 -o %s", bundle);
    bool is_slow = strstr(read_all(in_folder("small.ggb/plan.txt")), "broadcast:lanes") && info.target.model.broadcast > 1;
    expect_code(0, "tune %s --program forward --minutes 1 -o %s", bundle, in_folder("winners"));
    if (!is_slow)
        return;
    expect_out("instead of broadcast:lanes");
    ck_assert_ptr_null(strstr(read_all(in_folder("winners")), "broadcast:lanes"));
    expect_code(0, "tune %s --show", bundle);
    expect_out("instead of broadcast:lanes");
    expect_code(0, "verify %s --program forward --schedule tuned", bundle);
    expect_out("agree with the reference");
}
END_TEST

START_TEST(bundles_of_other_kernels_stay_as_they_are) {
    expect_code(0, "compile %s -o %s --schedule reference", in_folder("small.json"), bundle);
    keep_another();
    expect_code(1, "tune %s", bundle);
    expect_err("holds other kernels than its graph gives without options");
    expect_code(0, "train %s --data random --out %s --steps 2", bundle, in_folder("run"));
    ck_assert_ptr_null(strstr(read_all(in_folder("run/run.json")), "rows:"));
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("tune");
    TCase *test_case = tcase_create("tune");
    tcase_add_checked_fixture(test_case, set_up, tear_down);
    tcase_set_timeout(test_case, 600);
    tcase_add_test(test_case, it_finds_what_is_no_slower_and_right);
    tcase_add_loop_test(test_case, bad_candidates_never_win_and_never_end_it, 0, 3);
    tcase_add_test(test_case, a_failing_device_ends_nothing);
    tcase_add_test(test_case, records_are_kept_and_damage_is_told);
    tcase_add_test(test_case, two_processes_lose_nothing);
    tcase_add_test(test_case, a_run_goes_on_with_what_it_began_with);
    tcase_add_test(test_case, commands_take_what_is_asked_for);
    tcase_add_test(test_case, what_is_slow_by_a_wrong_figure_is_found);
    tcase_add_test(test_case, bundles_of_other_kernels_stay_as_they_are);
    suite_add_tcase(suite, test_case);
    return run_suite(suite);
}
