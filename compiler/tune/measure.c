// Measure: candidates one dispatch at a time, in turns with what they would replace; then whole steps.
#include "compiler/tune/parts.h"
#include "runtime/base/clock.h"
#include <math.h>
#include <stdlib.h>

enum {
    TURNS = 2,          // of a candidate with the schedule that it would replace
    RUNS = 2,           // of a dispatch in a turn, the best of which counts
    STEP_TURNS_MIN = 3, // of whole steps
    STEP_TURNS_MAX = 10,
    SIDES_MAX = 8,
    LOST_MAX = 3,
};
static const double DROPPED = 1.5;      // times the leader's time
static const double LONG = 0.1;         // seconds of a dispatch that is run but once in a turn
static const double STEP_SECONDS = 6;   // of one measurement of whole steps, beyond the least number of turns
static const double TURN_SECONDS = 0.1; // at least
static const double GAIN = 0.99;        // of the step's time: what is above is noise
static const double MOST = 0.8;         // of the turns must agree

bool measure_is_over(const Tune *tune, double end) {
    return clock_seconds() >= end || (tune->options->interrupted && *tune->options->interrupted);
}

// A lost device is made anew, a few times.
static bool recover(Tune *tune) {
    if (!device_is_lost(tune->device))
        return true;
    device_destroy(&tune->device);
    tune->device = ++tune->lost > LOST_MAX ? NULL : device_create(tune->arena, &tune->options->device, diag_create(tune->arena));
    return tune->device != NULL;
}

// ---- single dispatches

static void fail(Tune *tune, Trial *trial) {
    trial->state = TRIAL_FAILED;
    tune->result->failed++;
}

// False: a dispatch could not be run.
static bool time_trial(Session *session, const Variants *variants, uint32_t variant, Contest *contest, Trial *trial, Diag *diag) {
    const ProgramEntry *entries = variants->program.entries.items;
    Spot spot = contest->spots.items[0];
    const ProgramPhase *base = &entries[0].phases.items[spot.phase], *phase = &entries[variant].phases.items[spot.phase];
    double own = 0, best = 0, warm;
    uint32_t runs = 1;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        double a, b;
        if ((turn == 0 && !session_run_dispatch(session, base, spot.step, NULL, 1, &warm, diag)) || !session_run_dispatch(session, base, spot.step, NULL, runs, &a, diag))
            return false;
        if ((turn == 0 && !session_run_dispatch(session, phase, spot.step, NULL, 1, &warm, diag)) || !session_run_dispatch(session, phase, spot.step, NULL, runs, &b, diag))
            return false;
        own = turn == 0 || a < own ? a : own;
        best = turn == 0 || b < best ? b : best;
        double leader = contest->leader ? contest->leader->ratio : 1;
        if (best > DROPPED * leader * own) {
            trial->state = TRIAL_SLOW;
            return true;
        }
        runs = own < LONG ? RUNS : 1;
    }
    trial->ratio = own > 0 ? best / own : 1;
    trial->state = TRIAL_GOOD;
    return true;
}

// What one variant tries.
typedef struct {
    Contest *contest;
    Trial *trial;
} Choice;

typedef ARRAY(Choice) Choices;

static const Winners *winners_of(Arena *arena, const Choice *choices, uint32_t count) {
    Winners *winners = ARENA_NEW(arena, Winners, 1);
    for (uint32_t i = 0; i < count; i++)
        winners_set(arena, winners, choices[i].contest->work, choices[i].trial->text);
    return winners;
}

// Builds choices as a variant; of those that do not compile together, halves. What compiles gets entries in `variants`; `entry` says by choice which.
static void build(Tune *tune, Variants *variants, const Choice *choices, uint32_t count, uint32_t *entry) {
    if (count == 0)
        return;
    if (variants_add(tune, variants, winners_of(variants->arena, choices, count), diag_create(variants->arena))) {
        for (uint32_t i = 0; i < count; i++)
            entry[i] = variants->program.entries.count - 1;
        return;
    }
    if (count == 1) {
        fail(tune, choices[0].trial);
        return;
    }
    build(tune, variants, choices, count / 2, entry);
    build(tune, variants, choices + count / 2, count - count / 2, entry + count / 2);
}

static void put_back(const Choice *choices, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (choices[i].trial->state == TRIAL_CHOSEN) {
            choices[i].trial->state = TRIAL_NEW;
            choices[i].contest->chosen_count--;
        }
}

// Times all choices in one session. False: it could not be made, or broke; then what was not measured is put back, the culprit has failed.
static bool time_choices(Tune *tune, Variants *variants, const Choice *choices, uint32_t count, const uint32_t *entry) {
    Diag *diag = diag_create(variants->arena);
    Session *session = variants_open(tune, variants, false, diag);
    bool good = session != NULL;
    for (uint32_t i = 0; i < count && good && !measure_is_over(tune, tune->search_end); i++) {
        Trial *trial = choices[i].trial;
        if (trial->state != TRIAL_CHOSEN)
            continue;
        activity_count(tune->options->activity, "tuning: candidate", tune->result->tried + 1, 0);
        tune->result->tried++;
        good = time_trial(session, variants, entry[i], choices[i].contest, trial, diag);
        if (!good)
            fail(tune, trial);
        Contest *contest = choices[i].contest;
        if (trial->state == TRIAL_GOOD && trial->ratio < (contest->leader ? contest->leader->ratio : 1))
            contest->leader = trial;
    }
    session_destroy(&session);
    return good;
}

// Builds and times them, all in one session. False: it could not be made, or broke.
static bool build_and_time(Tune *tune, const Choice *choices, uint32_t count, bool *has_culprit) {
    Arena *arena = arena_create();
    Variants variants;
    uint32_t *entry = ARENA_NEW(arena, uint32_t, count + 1), last;
    variants_begin(arena, tune, &variants);
    for (uint32_t first = 0; first < count; first = last) { // a variant for each round: none has two trials of a contest
        for (last = first + 1; last < count && choices[last].contest > choices[last - 1].contest;)
            last++;
        build(tune, &variants, &choices[first], last - first, &entry[first]);
    }
    uint32_t failed = tune->result->failed;
    bool good = time_choices(tune, &variants, choices, count, entry);
    *has_culprit = tune->result->failed > failed;
    arena_destroy(&arena);
    return good;
}

// What alone is to blame for a session that cannot be made is found by halves. False: the device is gone for good.
static bool try_choices(Tune *tune, const Choice *choices, uint32_t count) {
    bool has_culprit;
    bool good = build_and_time(tune, choices, count, &has_culprit);
    if (!good && !recover(tune))
        return false;
    if (!good && !has_culprit && count == 1)
        fail(tune, choices[0].trial);
    if (!good && !has_culprit && count > 1)
        return try_choices(tune, choices, count / 2) && try_choices(tune, choices + count / 2, count - count / 2);
    put_back(choices, count);
    return true;
}

bool measure_round(Tune *tune, uint32_t count) {
    Choices choices = {0};
    for (uint32_t round = 0; round < count; round++)
        for (uint32_t i = 0; i < tune->contests.count; i++) {
            Contest *contest = &tune->contests.items[i];
            Trial *trial = contest->chosen_count < contest->chosen_max ? candidates_next(contest, tune->options->known) : NULL;
            if (!trial)
                continue;
            trial->state = TRIAL_CHOSEN;
            contest->chosen_count++;
            array_push(tune->arena, &choices, ((Choice){contest, trial}));
        }
    return choices.count > 0 && try_choices(tune, choices.items, choices.count);
}

// ---- whole steps

typedef struct {
    Steps steps;
} Side;

static bool begin_side(Arena *arena, const Tune *tune, Session *session, const Variants *variants, uint32_t entry, Side *out, Diag *diag) {
    const ProgramEntry *one = &variants->program.entries.items[entry];
    return steps_begin(arena, session, &variants->program, one, tune->options->seed, &out->steps, diag);
}

// A step, or several that are short; the seconds of one as of a training, in which some phases run in some steps only, and some many times in each.
static bool run_side(const Tune *tune, Side *side, uint32_t turn, double *seconds, Diag *diag) {
    uint32_t count = 0;
    double start = clock_seconds();
    *seconds = 0;
    do {
        for (uint32_t i = 0; i < tune->entry->phases.count; i++) {
            if (!steps_run(&side->steps, i, turn, diag))
                return false;
            *seconds += side->steps.seconds[i] * steps_repeats(&tune->entry->phases.items[i]) / tune->every[i];
        }
        count++;
    } while (clock_seconds() - start < TURN_SECONDS);
    *seconds /= count;
    return true;
}

typedef struct {
    double *before, *after;
    uint32_t count;
} Series;

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *numbers, uint32_t count) {
    qsort(numbers, count, sizeof *numbers, by_number);
    return count % 2 ? numbers[count / 2] : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

// Of the sides of `variants`, one step each, in which drivers compile.
static bool warm_up(Tune *tune, Session *session, const Variants *variants, Side *sides, Diag *diag) {
    double seconds;
    for (uint32_t i = 0; i < variants->program.entries.count; i++)
        if (!begin_side(variants->arena, tune, session, variants, i, &sides[i], diag) || !run_side(tune, &sides[i], 0, &seconds, diag))
            return false;
    return true;
}

// Turns of a step without and, where `variants` has a second entry, one with.
static bool run_turns(Tune *tune, const Variants *variants, Side *sides, Series *out, Diag *diag) {
    Arena *arena = variants->arena;
    *out = (Series){.before = ARENA_NEW(arena, double, STEP_TURNS_MAX), .after = ARENA_NEW(arena, double, STEP_TURNS_MAX)};
    double start = clock_seconds();
    for (; out->count < STEP_TURNS_MAX && (out->count < STEP_TURNS_MIN || clock_seconds() - start < STEP_SECONDS); out->count++)
        for (uint32_t i = 0; i < variants->program.entries.count; i++)
            if (!run_side(tune, &sides[i], out->count + 1, i ? &out->after[out->count] : &out->before[out->count], diag))
                return false;
    return true;
}

// What the profile of an entry said at a time.
typedef struct {
    double **seconds; // by phase, by dispatch
    uint32_t *runs;   // by phase
} Snapshot;

static Snapshot snapshot(Arena *arena, const Session *session, const ProgramEntry *entry) {
    Snapshot out = {ARENA_NEW(arena, double *, entry->phases.count + 1u), ARENA_NEW(arena, uint32_t, entry->phases.count + 1u)};
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        uint32_t count = entry->phases.items[i].steps.count;
        const double *seconds = session_profile(session, &entry->phases.items[i], &out.runs[i]);
        out.seconds[i] = ARENA_NEW(arena, double, count + 1u);
        if (seconds)
            memcpy(out.seconds[i], seconds, sizeof *seconds * count);
    }
    return out;
}

// Seconds of the work's dispatches in a step, between two snapshots.
static double seconds_of(const Tune *tune, const Snapshot *from, const Snapshot *to, const Contest *contest) {
    double seconds = 0;
    for (uint32_t i = 0; i < contest->spots.count; i++) {
        Spot spot = contest->spots.items[i];
        const ProgramPhase *phase = &tune->entry->phases.items[spot.phase];
        uint32_t runs = to->runs[spot.phase] - from->runs[spot.phase];
        double each = runs ? (to->seconds[spot.phase][spot.step] - from->seconds[spot.phase][spot.step]) / runs : 0;
        seconds += each * steps_repeats(phase) * program_phase_times(phase) / tune->every[spot.phase];
    }
    return seconds;
}

// The median over turns, by contest.
static void take_medians(const Tune *tune, double *const *turns, uint32_t count, double *out) {
    double numbers[STEP_TURNS_MAX];
    for (uint32_t c = 0; c < tune->contests.count; c++) {
        for (uint32_t i = 0; i < count; i++)
            numbers[i] = turns[i][c];
        out[c] = median(numbers, count);
    }
}

bool measure_in_step(Tune *tune, const Winners *winners, uint32_t count, double **seconds, double *step, Diag *diag) {
    Arena *arena = arena_create();
    Variants variants;
    Side sides[SIDES_MAX];
    double *turns[SIDES_MAX][STEP_TURNS_MAX], *out[SIDES_MAX] = {seconds[0]}, steps[STEP_TURNS_MAX];
    uint32_t turn = 0, contests = tune->contests.count;
    variants_begin(arena, tune, &variants);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t c = 0; c < contests; c++)
            seconds[1 + i][c] = INFINITY;
        if (variants.program.entries.count < SIDES_MAX && variants_add(tune, &variants, &winners[i], diag_create(arena)))
            out[variants.program.entries.count - 1] = seconds[1 + i];
    }
    const ProgramEntry *entries = variants.program.entries.items;
    uint32_t side_count = variants.program.entries.count;
    Session *session = variants_open(tune, &variants, true, diag);
    bool good = session && warm_up(tune, session, &variants, sides, diag);
    double start = clock_seconds();
    for (; good && turn < STEP_TURNS_MAX && (turn < STEP_TURNS_MIN || clock_seconds() - start < STEP_SECONDS); turn++)
        for (uint32_t i = 0; i < side_count && good; i++) {
            double took;
            Snapshot from = snapshot(arena, session, &entries[i]);
            good = run_side(tune, &sides[i], turn + 1, &took, diag);
            Snapshot to = snapshot(arena, session, &entries[i]);
            turns[i][turn] = ARENA_NEW(arena, double, contests + 1);
            for (uint32_t c = 0; c < contests; c++)
                turns[i][turn][c] = seconds_of(tune, &from, &to, &tune->contests.items[c]);
            steps[turn] = i == 0 ? took : steps[turn];
        }
    for (uint32_t i = 0; i < side_count && good; i++)
        take_medians(tune, turns[i], turn, out[i]);
    *step = good ? median(steps, turn) : 0;
    session_destroy(&session);
    arena_destroy(&arena);
    return good;
}

bool measure_steps(Tune *tune, const Winners *winners, double *before, double *after, bool *faster, Diag *diag) {
    Arena *arena = arena_create();
    Variants variants;
    Side sides[2];
    Series series;
    variants_begin(arena, tune, &variants);
    Session *session = NULL;
    bool good = variants_add(tune, &variants, winners, diag) && (session = variants_open(tune, &variants, false, diag)) &&
                warm_up(tune, session, &variants, sides, diag) && run_turns(tune, &variants, sides, &series, diag);
    if (good) {
        uint32_t agreeing = 0;
        for (uint32_t i = 0; i < series.count; i++)
            agreeing += series.after[i] < series.before[i];
        *before = median(series.before, series.count), *after = median(series.after, series.count);
        *faster = *after < GAIN * *before && agreeing >= ceil(MOST * series.count);
    }
    session_destroy(&session);
    arena_destroy(&arena);
    return good;
}
