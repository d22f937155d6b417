// Turns on a device: a phase that has no turn is neither fed nor submitted, whatever waits for what; conditions are asked once a step.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "runtime/session/play.h"
#include "tests/device/op_suite.h"
#include <unistd.h>

// A lazy penalty, each 16 steps; a phase that a report of the first calls in two steps of five; and an end.
static const char GRAPH[] =
    "{\"gcc-graph\": 1, \"data\": {\"d\": {\"batch\": 2, \"fields\": {\"x\": {\"shape\": [2]}}}}, \"state\": {\"w\": {\"shape\": [2]}, \"ran\": {\"shape\": []}}, "
    "\"programs\": {\"p\": {\"mode\": \"train\", \"stop\": \"fit.count >= 40\", \"phases\": ["
    "{\"name\": \"fit\", \"feed\": {\"x\": \"d.x\"}, \"nodes\": [{\"set\": \"w\", \"to\": \"0.9*w + mean(x, 0)\"}, {\"expr\": \"step + 1\", \"as\": \"count\"}], \"report\": [\"count\"]}, "
    "{\"name\": \"lazy\", \"every\": 16, \"feed\": {\"x\": \"d.x\"}, \"nodes\": [{\"set\": \"w\", \"to\": \"w - 0.01*mean(x, 0)\"}, {\"expr\": \"sum(w)\", \"as\": \"s\"}], \"report\": [\"s\"]}, "
    "{\"name\": \"called\", \"when\": \"fit.count % 5 < 2\", \"repeat\": 2, \"nodes\": [{\"set\": \"ran\", \"to\": \"ran + 1\"}], \"report\": [\"ran\"]}]}}}";

enum { FIT, LAZY, CALLED, CONDITIONS, PHASES, STEPS = 40 };

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
    uint32_t fed[PHASES], taken[PHASES], lasts;
} Bed;

static bool feed(void *context, PlayTurn *turn, Diag *diag) {
    (void)diag;
    Bed *bed = context;
    ck_assert_uint_eq(turn->run, turn->phase == FIT ? turn->moment.step : turn->phase == LAZY ? turn->moment.step / 16 : bed->fed[CALLED] / 2);
    bed->fed[turn->phase]++;
    turn->feeds = turn->phase == CALLED ? NULL : bed->feeds;
    return true;
}

static bool take(void *context, const SessionResult *result, Diag *diag) {
    (void)diag;
    Bed *bed = context;
    bed->taken[result->phase - bed->entry->phases.items]++;
    bed->lasts += session_play_is_last(&bed->play, result);
    return true;
}

static void make_bed(Bed *bed, uint32_t in_flight) {
    *bed = (Bed){.arena = arena_create(), .suite = op_suite_create(), .x = {1, 2, 3, 4}};
    bed->diag = diag_create(bed->arena);
    bed->device = op_suite_device(&bed->suite);
    Module *module = op_suite_read(bed->arena, GRAPH, bed->diag);
    CompileOptions options = {.target = device_info(bed->device)->target};
    Compiled *compiled = compile_module(bed->arena, module, &options, NULL, bed->diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(bed->diag, bed->arena));
    bed->session = session_create(bed->arena, bed->device, compiled->program, &(SessionOptions){.profile = true}, bed->diag);
    ck_assert_msg(bed->session && session_initialise(bed->session, bed->diag), "%s", diag_text(bed->diag, bed->arena));
    bed->entry = &compiled->program->entries.items[0];
    bed->feeds[0] = bed->x;
    bed->play = (Play){.session = bed->session, .entry = bed->entry, .steps = 100, .in_flight = in_flight, .feed = feed, .take = take, .context = bed};
}

static void end_bed(Bed *bed) {
    session_destroy(&bed->session);
    op_suite_end(&bed->suite, bed->device);
    arena_destroy(&bed->arena);
}

// Submissions of a phase so far; each runs all of its dispatches once.
static uint32_t submissions(const Bed *bed, uint32_t phase) {
    uint32_t runs;
    return session_profile(bed->session, &bed->entry->phases.items[phase], &runs) ? runs : UINT32_MAX;
}

START_TEST(who_has_no_turn_costs_nothing) {
    Bed bed;
    make_bed(&bed, (uint32_t)_i);
    ck_assert_msg(session_play_begin(&bed.play, bed.arena, 0, bed.diag), "%s", diag_text(bed.diag, bed.arena));
    uint32_t step = 0;
    for (; step < 100 && !session_play_is_stopped(&bed.play); step++)
        ck_assert_msg(session_play(&bed.play, step, bed.diag), "%s", diag_text(bed.diag, bed.arena));
    ck_assert_uint_eq(step, STEPS);
    ck_assert_uint_eq(session_in_flight(bed.session), 0); // conditions were waited for
    uint32_t called = 2 * 16; // repeated: step 0, and what follows a count that 5 divides with a rest of 0 or 1, of 39
    const uint32_t wanted[PHASES] = {STEPS, 3, called, STEPS};
    for (uint32_t i = 0; i < PHASES; i++) {
        ck_assert_msg(bed.taken[i] == (i == CONDITIONS ? 0 : wanted[i]), "phase %u: %u results", i, bed.taken[i]);
        ck_assert_msg(bed.fed[i] == (i == CONDITIONS ? 0 : wanted[i]), "phase %u: fed %u times", i, bed.fed[i]);
        if (submissions(&bed, i) != UINT32_MAX) // a device without a clock keeps no profile
            ck_assert_msg(submissions(&bed, i) == wanted[i], "phase %u: %u submissions", i, submissions(&bed, i));
    }
    ck_assert_uint_eq(bed.lasts, STEPS);
    end_bed(&bed);
}
END_TEST

// Begun in the middle, with the states as they are: the conditions of the step before are asked again, and the runs are counted on.
START_TEST(the_middle_is_a_beginning) {
    Bed bed;
    make_bed(&bed, 3);
    ck_assert(session_play_begin(&bed.play, bed.arena, 0, bed.diag));
    for (uint32_t step = 0; step < 21; step++)
        ck_assert(session_play(&bed.play, step, bed.diag));
    for (uint32_t step = 21; step < STEPS; step++) {
        Turns *before = bed.play.turns;
        ck_assert(session_play_begin(&bed.play, bed.arena, step, bed.diag));
        ck_assert(bed.play.turns->holds[CALLED] == before->holds[CALLED] && bed.play.turns->runs[CALLED] == before->runs[CALLED]);
        ck_assert(!session_play_is_stopped(&bed.play));
        ck_assert(session_play(&bed.play, step, bed.diag));
    }
    ck_assert(session_play_is_stopped(&bed.play));
    ck_assert(session_play_begin(&bed.play, bed.arena, STEPS, bed.diag) && session_play_is_stopped(&bed.play));
    ck_assert_uint_eq(bed.taken[CALLED], 32);
    end_bed(&bed);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_loop_test(tests, who_has_no_turn_costs_nothing, 1, 4);
    tcase_add_test(tests, the_middle_is_a_beginning);
}

int main(void) { return op_suite_main("turns", add); }
