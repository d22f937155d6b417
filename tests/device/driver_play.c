// Play on a device: the order of phases, repetitions and results, how many are in flight, what a moment holds, beginnings anew, stops.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "runtime/session/play.h"
#include "tests/device/op_suite.h"
#include <unistd.h>

// A counts its repetitions in a state of the program, and hands on what it is fed; b says what was counted.
static const char GRAPH[] =
    "{\"gcc-graph\": 1, \"data\": {\"d\": {\"batch\": 2, \"fields\": {\"x\": {\"shape\": [2]}}}}, \"programs\": {\"p\": {\"mode\": \"eval\", \"state\": {\"count\": "
    "{\"shape\": [1]}}, \"phases\": [{\"name\": \"a\", \"repeat\": 3, \"feed\": {\"x\": \"d.x\"}, \"nodes\": [{\"expr\": \"count + 1\", \"as\": \"next\"}, {\"set\": "
    "\"count\", \"to\": \"next\"}, {\"emit\": \"seen\", \"value\": \"1000*next + sum(x)\", \"format\": \"tensor\"}]}, {\"name\": \"b\", \"nodes\": [{\"emit\": \"all\", "
    "\"value\": \"count\", \"format\": \"tensor\"}]}]}}}";

typedef struct {
    Arena *arena;
    Diag *diag;
    OpSuite suite;
    Device *device;
    Session *session;
    const ProgramEntry *entry;
    Play play;
    float x[4];
    const void *feeds[1];
    uint32_t most;           // that were in flight when something was fed
    uint32_t fed, taken, ran;
    uint32_t counted;        // repetitions of a since the states began
    uint32_t fails_at;       // of feed or take: the number of the call; 0: never
    bool take_fails, stops;
} Bed;

static float code_of(const Moment *moment) { return (float)(10 * moment->step + moment->repetition); }

static bool feed(void *context, PlayTurn *turn, Diag *diag) {
    Bed *bed = context;
    uint32_t waiting = session_in_flight(bed->session);
    bed->most = waiting > bed->most ? waiting : bed->most;
    turn->feeds = NULL;
    if (turn->phase == 0) {
        bed->x[0] = code_of(&turn->moment);
        turn->feeds = bed->feeds;
        turn->moment.records = 1;
    }
    if (++bed->fed != bed->fails_at || bed->take_fails)
        return true;
    diag_error(diag, NULL, "no more food");
    return false;
}

static bool take(void *context, const SessionResult *result, Diag *diag) {
    Bed *bed = context;
    const Moment *moment = &result->moment;
    uint32_t a = session_play_repeats(&bed->play, 0), each = a + 1, step = bed->taken / each, place = bed->taken % each;
    ck_assert_ptr_eq(result->phase, &bed->entry->phases.items[place == a]);
    ck_assert_uint_eq(moment->step, step);
    ck_assert_uint_eq(moment->repetition, place == a ? 0 : place);
    ck_assert(moment->steps == 7 && moment->epoch_steps == 2 && moment->epoch == step / 2);
    ck_assert_uint_eq(moment->records, place == a ? 0 : 1);
    ck_assert_uint_eq(result->tag, 100 + step);
    bed->counted += place < a;
    float value = *(const float *)result->values[0], wanted = place < a ? 1000 * (float)bed->counted + code_of(moment) : (float)bed->counted;
    ck_assert_float_eq(value, wanted);
    bed->play.is_stopping = bed->stops;
    if (++bed->taken != bed->fails_at || !bed->take_fails)
        return true;
    diag_error(diag, NULL, "enough");
    return false;
}

static void make_bed(Bed *bed) {
    *bed = (Bed){.arena = arena_create(), .suite = op_suite_create()};
    bed->diag = diag_create(bed->arena);
    bed->device = op_suite_device(&bed->suite);
    Module *module = op_suite_read(bed->arena, GRAPH, bed->diag);
    CompileOptions options = {.target = device_info(bed->device)->target};
    Compiled *compiled = compile_module(bed->arena, module, &options, NULL, bed->diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(bed->diag, bed->arena));
    bed->session = session_create(bed->arena, bed->device, compiled->program, &(SessionOptions){.slots = 2}, bed->diag);
    ck_assert_msg(bed->session && session_initialise(bed->session, bed->diag), "%s", diag_text(bed->diag, bed->arena));
    bed->entry = &compiled->program->entries.items[0];
    bed->feeds[0] = bed->x;
    bed->play =
        (Play){.session = bed->session, .entry = bed->entry, .steps = 7, .epoch_steps = 2, .feed = feed, .take = take, .context = bed};
}

static void end_bed(Bed *bed) {
    session_destroy(&bed->session);
    op_suite_end(&bed->suite, bed->device);
    arena_destroy(&bed->arena);
}

static bool play_steps(Bed *bed, uint32_t first, uint32_t end) {
    for (uint32_t step = first; step < end; step++) {
        bed->play.tag = 100 + step;
        if (!session_play(&bed->play, step, bed->diag))
            return false;
    }
    return true;
}

START_TEST(results_come_in_order) {
    Bed bed;
    make_bed(&bed);
    for (uint32_t most = 0; most < 5; most++) {
        bed.taken = bed.most = bed.counted = 0;
        bed.play.in_flight = most;
        ck_assert(session_play_anew(&bed.play, bed.diag));
        ck_assert_msg(play_steps(&bed, 0, 6), "%s", diag_text(bed.diag, bed.arena));
        ck_assert_uint_lt(bed.most, most == 1 ? 1 : most ? most + 1 : 4);
        ck_assert_uint_eq(most == 1 ? 24 : bed.taken + session_in_flight(bed.session), 24);
        ck_assert(session_play_finish(&bed.play, bed.diag));
        ck_assert_uint_eq(bed.taken, 24);
        ck_assert_uint_eq(session_in_flight(bed.session), 0);
    }
    end_bed(&bed);
}
END_TEST

START_TEST(states_begin_anew_and_repeats_are_the_callers) {
    Bed bed;
    make_bed(&bed);
    static const uint32_t repeats[] = {5, 1};
    ck_assert_uint_eq(session_play_repeats(&bed.play, 0), 3);
    ck_assert_uint_eq(session_play_repeats(&bed.play, 1), 1);
    bed.play.repeats = repeats;
    ck_assert(play_steps(&bed, 0, 2) && session_play_anew(&bed.play, bed.diag));
    ck_assert_uint_eq(bed.taken, 12);
    bed.counted = 0; // what was taken before belongs to the run before
    ck_assert(play_steps(&bed, 2, 3) && session_play_finish(&bed.play, bed.diag));
    ck_assert_uint_eq(bed.taken, 18);
    bed.play.take = NULL;
    ck_assert(session_play_phase(&bed.play, 3, 1, bed.diag) && session_play_finish(&bed.play, bed.diag)); // b alone, dropped
    ck_assert_uint_eq(session_in_flight(bed.session), 0);
    ck_assert_uint_eq(bed.taken, 18);
    end_bed(&bed);
}
END_TEST

static bool run_turn(void *context, const PlayTurn *turn, Diag *diag) {
    (void)diag;
    Bed *bed = context;
    ck_assert_uint_eq(session_in_flight(bed->session), 0);
    ck_assert(turn->phase == 1 || turn->feeds == bed->feeds);
    bed->play.is_stopping = ++bed->ran == 6; // in the second step
    return true;
}

START_TEST(another_way_to_run_and_stops) {
    Bed bed;
    make_bed(&bed);
    ck_assert(play_steps(&bed, 0, 1)); // what is in flight is taken before the other way begins
    bed.play.run = run_turn;
    ck_assert(play_steps(&bed, 1, 5));
    ck_assert(bed.ran == 6 && bed.taken == 4 && bed.fed == 10);
    bed.play.run = NULL;
    bed.play.is_stopping = false;
    bed.stops = true;
    bed.taken = bed.fed = bed.counted = 0;
    bed.play.in_flight = 1;
    ck_assert(session_play_anew(&bed.play, bed.diag) && play_steps(&bed, 0, 5));
    ck_assert(bed.taken == 1 && bed.fed == 1);
    end_bed(&bed);
}
END_TEST

START_TEST(failures_of_the_caller_end_it) {
    for (uint32_t call = 1; call < 12; call++)
        for (uint32_t way = 0; way < 2; way++) {
            Bed bed;
            make_bed(&bed);
            bed.fails_at = call;
            bed.take_fails = way;
            ck_assert(!play_steps(&bed, 0, 3) || !session_play_finish(&bed.play, bed.diag));
            ck_assert_uint_eq(way ? bed.taken : bed.fed, call);
            ck_assert_str_eq(diag_text(bed.diag, bed.arena), way ? "error: enough\n" : "error: no more food\n");
            end_bed(&bed);
        }
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, results_come_in_order);
    tcase_add_test(tests, states_begin_anew_and_repeats_are_the_callers);
    tcase_add_test(tests, another_way_to_run_and_stops);
    tcase_add_test(tests, failures_of_the_caller_end_it);
}

int main(void) { return op_suite_main("play", add); }
