// Tune: the search - which works are worth it, rounds of candidates, the judgement of the leaders, and of the whole step.
#include "compiler/tune/parts.h"
#include "compiler/verify/run.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include <math.h>
#include <stdlib.h>

enum { ROUND = 4, TRIALS_LEAST = 3, TRIALS_MOST = 40, FINALISTS = 5 };
static const double SMALL_SHARE = 0.004;   // of the step: a work that takes less is left as it is
static const double TRIALS_OF_SHARE = 150; // trials of a work that were all of the step
static const double SEARCH_SHARE = 0.65;   // of the time: what is left is for judging
static const double HOPEFUL = 1.1;         // of the time of what it has, alone: less exact than among others
static const double LEAD = 0.97;           // of the time of what it has: less is noise
static const double SAMPLED_FLOPS = 3e7;   // beyond, contractions are judged at some of their elements

bool tune_may(const Program *program) { return !program->is_exact; }

const char *tune_key(Arena *arena, const Compiled *compiled, uint32_t entry) {
    Text text = text_create(arena);
    const ProgramEntry *program = &compiled->program->entries.items[entry];
    for (uint32_t i = 0; i < program->phases.count; i++) {
        const KernelList *list = compiled->phases[entry][i].kernels;
        text_format(&text, "phase %u\n", program->phases.items[i].repeat);
        for (uint32_t k = 0; k < list->kernels.count; k++)
            text_format(&text, "%s\n", list->kernels.items[k].work ? list->kernels.items[k].work : "");
    }
    return digest_bytes(arena, text.data, text.length);
}

// ---- works

static Contest *contest_of(Tune *tune, const char *work) {
    for (uint32_t i = 0; i < tune->contests.count; i++)
        if (!strcmp(tune->contests.items[i].work, work))
            return &tune->contests.items[i];
    array_push(tune->arena, &tune->contests, ((Contest){.work = work}));
    return &tune->contests.items[tune->contests.count - 1];
}

static bool stores(const Kernel *kernel, const Step *step) {
    for (uint32_t i = 0; i < kernel->stores.count && step->value_count > 0; i++)
        if (kernel->stores.items[i].id == step->values[0])
            return true;
    return false;
}

static void find_works(Tune *tune) {
    for (uint32_t i = 0; i < tune->entry->phases.count; i++) {
        const ProgramPhase *phase = &tune->entry->phases.items[i];
        const KernelList *list = tune->base->phases[tune->entry_index][i].kernels;
        for (uint32_t k = 0; k < list->kernels.count; k++) {
            const Kernel *kernel = &list->kernels.items[k];
            if (!kernel->work)
                continue;
            Contest *contest = contest_of(tune, kernel->work);
            if (!contest->kernel)
                contest->list = list, contest->kernel = kernel;
            for (uint32_t d = 0; d < phase->steps.count; d++)
                if (phase->steps.items[d].kind == STEP_DISPATCH && stores(kernel, &phase->steps.items[d]))
                    array_push(tune->arena, &contest->spots, ((Spot){i, d}));
        }
    }
}

static int by_seconds(const void *a, const void *b) {
    const Contest *x = a, *y = b;
    return x->seconds != y->seconds ? (x->seconds > y->seconds ? -1 : 1) : strcmp(x->work, y->work);
}

// Those that take a share of the step that is worth the time, the longest first.
static void choose_works(Tune *tune, const double *seconds) {
    double all = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tune->contests.count; i++)
        all += tune->contests.items[i].seconds = seconds[i];
    for (uint32_t i = 0; i < tune->contests.count; i++) {
        Contest contest = tune->contests.items[i];
        contest.share = all > 0 ? contest.seconds / all : 0;
        if (contest.share < SMALL_SHARE || !contest.spots.count)
            continue;
        double most = TRIALS_LEAST + TRIALS_OF_SHARE * contest.share;
        contest.chosen_max = most < TRIALS_MOST ? (uint32_t)most : TRIALS_MOST;
        candidates_list(tune->arena, tune->target, tune->options->known, &contest);
        if (contest.trial_count)
            tune->contests.items[kept++] = contest;
    }
    tune->contests.count = kept;
    if (kept)
        qsort(tune->contests.items, kept, sizeof *tune->contests.items, by_seconds);
    tune->result->works = kept;
}

// ---- judgement

static Winners leaders_of(const Tune *tune) {
    Winners winners = {0};
    for (uint32_t i = 0; i < tune->contests.count; i++)
        if (tune->contests.items[i].leader)
            winners_set(tune->arena, &winners, tune->contests.items[i].work, tune->contests.items[i].leader->text);
    return winners;
}

static void lead_again(Contest *contest) {
    contest->leader = NULL;
    for (uint32_t i = 0; i < contest->trial_count; i++) {
        Trial *trial = &contest->trials[i];
        bool leads = trial->state == TRIAL_GOOD && trial->in_step > 0 && trial->in_step < LEAD;
        if (leads && (!contest->leader || trial->in_step < contest->leader->in_step))
            contest->leader = trial;
    }
}

// Kernels of the works that have a leader, as values that they store.
static Value *led_values(const Tune *tune, const Compiled *compiled, Arena *arena, uint32_t *count) {
    ARRAY(Value) values = {0};
    for (uint32_t i = 0; i < tune->entry->phases.count; i++) {
        const KernelList *list = compiled->phases[tune->entry_index][i].kernels;
        for (uint32_t k = 0; k < list->kernels.count; k++)
            for (uint32_t c = 0; c < tune->contests.count && list->kernels.items[k].work; c++)
                if (tune->contests.items[c].leader && !strcmp(tune->contests.items[c].work, list->kernels.items[k].work))
                    array_push(arena, &values, list->kernels.items[k].stores.items[0]);
    }
    *count = values.count;
    return values.items;
}

static bool has_label(const Tune *tune, const Contest *contest, const VerifyResult *result) {
    for (uint32_t i = 0; i < contest->spots.count; i++) {
        Spot spot = contest->spots.items[i];
        const ProgramPhase *phase = &tune->entry->phases.items[spot.phase];
        if (!strcmp(phase->name, result->phase) && phase->steps.items[spot.step].label && !strcmp(phase->steps.items[spot.step].label, result->label))
            return true;
    }
    return false;
}

// A leader that computes something wrong leads no longer. How many there were goes to *wrong. False: nothing could be judged.
static bool judge(Tune *tune, uint32_t *wrong, Diag *diag) {
    Arena *arena = arena_create();
    Winners leaders = leaders_of(tune);
    Built built;
    VerifyResults results = {0};
    VerifyChoice choice = {.seed = tune->options->seed, .flops_max = SAMPLED_FLOPS, .only_program = tune->entry->name};
    choice.modes[VERIFY_DEVICE] = choice.modes[VERIFY_DEVICE_EDGES] = true;
    CompileOptions compile = {.target = *tune->target, .winners = &leaders};
    *wrong = 0;
    bool good = built_make(arena, tune->module, &compile, &built, diag);
    if (good && tune->options->spoil)
        tune->options->spoil(tune->options->spoil_context, arena, &leaders, built.compiled->program);
    if (good)
        choice.only = led_values(tune, built.compiled, arena, &choice.only_count);
    good = good && verify_run(arena, tune->device, &built, &choice, &results, tune->options->activity, diag);
    for (uint32_t i = 0; i < results.count && good; i++)
        for (uint32_t c = 0; c < tune->contests.count && results.items[i].problem; c++) {
            Contest *contest = &tune->contests.items[c];
            if (!contest->leader || contest->leader->state == TRIAL_WRONG || !has_label(tune, contest, &results.items[i]))
                continue;
            contest->leader->state = TRIAL_WRONG;
            ++*wrong;
        }
    for (uint32_t c = 0; c < tune->contests.count && *wrong; c++)
        if (tune->contests.items[c].leader && tune->contests.items[c].leader->state == TRIAL_WRONG)
            lead_again(&tune->contests.items[c]);
    tune->result->wrong += *wrong;
    arena_destroy(&arena);
    return good;
}

// Until all leaders compute what they should; of a work whose leaders never do, there is none.
static bool judge_all(Tune *tune, Diag *diag) {
    for (uint32_t i = 0; leaders_of(tune).count; i++) {
        uint32_t wrong;
        activity_begin(tune->options->activity, "tuning: judging what is fastest");
        if (!judge(tune, &wrong, diag))
            return false;
        if (!wrong)
            return true;
    }
    return true;
}

// The best so many of each contest, by what they took alone, go on.
static Winners finalists(Tune *tune, Trial **chosen) {
    Winners winners = {0};
    for (uint32_t i = 0; i < tune->contests.count; i++) {
        Contest *contest = &tune->contests.items[i];
        chosen[i] = NULL;
        for (uint32_t k = 0; k < contest->trial_count; k++) {
            Trial *trial = &contest->trials[k];
            if (trial->state == TRIAL_GOOD && trial->in_step == 0 && trial->ratio < HOPEFUL && (!chosen[i] || trial->ratio < chosen[i]->ratio))
                chosen[i] = trial;
        }
        if (!chosen[i])
            continue;
        chosen[i]->in_step = INFINITY; // is chosen
        winners_set(tune->arena, &winners, contest->work, chosen[i]->text);
    }
    return winners;
}

// What was fast alone is measured among the other dispatches of a step, where caches hold other things.
static bool measure_finalists(Tune *tune, Diag *diag) {
    uint32_t count = 0, contests = tune->contests.count;
    Winners winners[FINALISTS];
    Trial **chosen[FINALISTS];
    double step, *seconds[1 + FINALISTS];
    for (uint32_t i = 0; i <= FINALISTS; i++)
        seconds[i] = ARENA_NEW(tune->arena, double, contests + 1);
    for (uint32_t i = 0; i < FINALISTS; i++) {
        chosen[count] = ARENA_NEW(tune->arena, Trial *, contests + 1);
        winners[count] = finalists(tune, chosen[count]);
        count += winners[count].count > 0;
    }
    if (!count)
        return true;
    activity_begin(tune->options->activity, "tuning: measuring whole steps");
    if (!measure_in_step(tune, winners, count, seconds, &step, diag))
        return false;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t c = 0; c < contests; c++)
            if (chosen[i][c] && seconds[0][c] > 0)
                chosen[i][c]->in_step = seconds[1 + i][c] / seconds[0][c];
    return true;
}

static bool finish(Tune *tune, Diag *diag) {
    TuneResult *out = tune->result;
    bool faster = false;
    if (!measure_finalists(tune, diag))
        return false;
    for (uint32_t i = 0; i < tune->contests.count; i++)
        lead_again(&tune->contests.items[i]);
    if (!judge_all(tune, diag))
        return false;
    Winners leaders = leaders_of(tune);
    if (!leaders.count)
        return true;
    activity_begin(tune->options->activity, "tuning: measuring whole steps");
    if (!measure_steps(tune, &leaders, &out->before, &out->after, &faster, diag))
        return false;
    if (faster)
        out->winners = leaders;
    else
        out->after = out->before;
    return true;
}

// ---- the search

static void plan_time(Tune *tune, double step) {
    const TuneOptions *options = tune->options;
    double seconds = options->seconds, share = options->share * options->steps * step;
    if (options->share > 0 && share < seconds)
        seconds = share;
    tune->end = tune->begin + seconds;
    tune->search_end = tune->begin + SEARCH_SHARE * seconds;
}

static bool search(Tune *tune, Diag *diag) {
    double step, *seconds = ARENA_NEW(tune->arena, double, tune->contests.count + 1);
    activity_begin(tune->options->activity, "tuning: measuring the program as it is");
    if (!measure_in_step(tune, NULL, 0, &seconds, &step, diag))
        return false;
    tune->result->before = tune->result->after = step;
    plan_time(tune, step);
    choose_works(tune, seconds);
    uint32_t left = tune->options->rounds ? tune->options->rounds : UINT32_MAX;
    for (uint32_t count = ROUND; left > 0 && !measure_is_over(tune, tune->search_end); left -= count) {
        count = left < ROUND ? left : ROUND;
        if (!measure_round(tune, count))
            break;
    }
    if (!tune->device)
        return true; // nothing is known well enough
    Diag *trial = diag_create(tune->arena);
    if (!finish(tune, trial)) // the device was lost, or the memory is too small: what wins nothing changes nothing
        tune->result->winners = (Winners){0};
    return true;
}

static bool find_entry(Tune *tune, const char *name, Diag *diag) {
    const Program *program = tune->base->program;
    while (tune->entry_index < program->entries.count && strcmp(program->entries.items[tune->entry_index].name, name))
        tune->entry_index++;
    if (tune->entry_index == program->entries.count) {
        diag_error(diag, NULL, "%s has no program \"%s\"", program->name, name);
        return false;
    }
    tune->entry = &program->entries.items[tune->entry_index];
    tune->every = ARENA_NEW(tune->arena, uint32_t, tune->entry->phases.count + 1u);
    return program_every(tune->entry, tune->entry->steps ? tune->entry->steps : STEPS_TOTAL, STEPS_TOTAL, tune->every, diag);
}

bool tune_program(Arena *arena, const Module *module, const Target *target, const TuneOptions *options, TuneResult *out, Diag *diag) {
    static const Winners none;
    *out = (TuneResult){0};
    TuneOptions own = *options;
    own.known = own.known ? own.known : &none;
    Tune tune = {.arena = arena, .module = module, .target = target, .options = &own, .result = out, .begin = clock_seconds()};
    CompileOptions compile = {.target = *target, .winners = &none, .progress = activity_progress, .progress_context = options->activity};
    tune.base = compile_module(arena, module, &compile, NULL, diag);
    if (!tune.base || !find_entry(&tune, options->entry, diag))
        return false;
    out->program = tune_key(arena, tune.base, tune.entry_index);
    bool good = true;
    if (tune_may(tune.base->program)) {
        tune.device = device_create(arena, &own.device, diag);
        find_works(&tune);
        good = tune.device && search(&tune, diag);
        device_destroy(&tune.device);
    }
    activity_end(options->activity);
    out->seconds = clock_seconds() - tune.begin;
    return good;
}
