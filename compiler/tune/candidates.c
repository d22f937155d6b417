// Candidates: the space of schedules of one kernel, and the order in which it is searched.
#include "compiler/passes/passes.h"
#include "compiler/tune/parts.h"
#include <stdlib.h>

enum { TRIALS_MAX = 512 };           // of a contest
static const double HOPELESS = 6;    // times the best estimate

typedef struct {
    KernelView view;
    const Target *target;
    ARRAY(Trial) trials;
    Arena *scratch;
} Space;

// Lanes beyond or short of whole subgroups are idle.
static double idle(const Schedule *schedule, const Target *target) {
    uint32_t lanes = schedule_lanes(schedule), subgroup = target->subgroup_size ? target->subgroup_size : 1;
    return (double)((lanes + subgroup - 1) / subgroup * subgroup) / lanes;
}

static void add(Space *space, const Schedule *schedule, bool is_usual) {
    for (uint32_t i = 0; i < space->trials.count; i++)
        if (schedule_equal(&space->trials.items[i].schedule, schedule))
            return;
    Work work = schedule->family->work(&space->view, schedule);
    double estimate = model_seconds(&work, &space->target->model) * idle(schedule, space->target);
    array_push(space->scratch, &space->trials, ((Trial){.schedule = *schedule, .estimate = estimate, .is_usual = is_usual}));
}

static void visit(Space *space, Schedule *schedule, uint32_t param) {
    const Family *family = schedule->family;
    const char *why;
    for (uint32_t i = 0; param < SCHEDULE_PARAMS_MAX && param < family->param_count && i < family->params[param].count; i++) {
        schedule->values[param] = family->params[param].values[i];
        visit(space, schedule, param + 1);
    }
    if (param == family->param_count && schedule_fits(&space->view, schedule, space->target, &why))
        add(space, schedule, false);
}

static void add_usual(Space *space, const Family *family) {
    Schedule schedule;
    for (uint32_t i = 0; i < family->candidate_count; i++)
        if (schedule_settle(&space->view, space->target, family, &family->candidates[i], &schedule))
            add(space, &schedule, true);
}

static int by_estimate(const void *a, const void *b) {
    const Trial *x = a, *y = b;
    if (x->estimate != y->estimate)
        return x->estimate < y->estimate ? -1 : 1;
    return memcmp(x->schedule.values, y->schedule.values, sizeof x->schedule.values);
}

void candidates_list(Arena *arena, const Target *target, const Winners *known, Contest *contest) {
    uint32_t count;
    const Family *const *families = families_all(&count);
    Space space = {.target = target, .scratch = arena_create()};
    KernelList list = *contest->list; // why something does not fit is told there, and nobody reads it
    list.arena = space.scratch;
    space.view = schedule_view(&list, contest->kernel, contest->kernel->root);
    for (uint32_t f = 0; f < count; f++)
        if (families[f]->kernel_class == contest->kernel->kernel_class && !families[f]->is_last_resort) {
            add_usual(&space, families[f]);
            visit(&space, &(Schedule){.family = families[f]}, 0);
        }
    if (space.trials.count)
        qsort(space.trials.items, space.trials.count, sizeof *space.trials.items, by_estimate);
    const char *winner = winners_find(known, contest->work);
    contest->trials = ARENA_NEW(arena, Trial, TRIALS_MAX + 1);
    for (uint32_t i = 0; i < space.trials.count && contest->trial_count < TRIALS_MAX; i++) {
        Trial trial = space.trials.items[i];
        trial.text = schedule_text(arena, &trial.schedule);
        bool is_asked = trial.is_usual || (winner && !strcmp(winner, trial.text));
        if (!schedule_equal(&trial.schedule, &contest->kernel->schedule) && (is_asked || trial.estimate <= HOPELESS * space.trials.items[0].estimate))
            contest->trials[contest->trial_count++] = trial;
    }
    arena_destroy(&space.scratch);
}

// Whether they differ in one parameter only, and in that by one of the numbers that it may have.
static bool are_neighbours(const Schedule *a, const Schedule *b) {
    uint32_t differing = 0;
    for (uint32_t p = 0; a->family == b->family && p < a->family->param_count; p++) {
        const Param *param = &a->family->params[p];
        uint32_t i = 0, k = 0;
        while (i < param->count && param->values[i] != a->values[p])
            i++;
        while (k < param->count && param->values[k] != b->values[p])
            k++;
        differing += i == k ? 0 : i + 1 == k || k + 1 == i ? 1 : 2;
    }
    return a->family == b->family && differing == 1;
}

Trial *candidates_next(const Contest *contest, const Winners *known) {
    const char *winner = winners_find(known, contest->work);
    const Schedule *leader = contest->leader ? &contest->leader->schedule : &contest->kernel->schedule;
    Trial *best = NULL;
    uint32_t best_rank = UINT32_MAX;
    for (uint32_t i = 0; i < contest->trial_count; i++) {
        Trial *trial = &contest->trials[i];
        if (trial->state != TRIAL_NEW)
            continue;
        uint32_t rank = winner && !strcmp(winner, trial->text) ? 0 : trial->is_usual ? 1 : are_neighbours(leader, &trial->schedule) ? 2 : 3;
        if (rank < best_rank)
            best = trial, best_rank = rank;
    }
    return best;
}
