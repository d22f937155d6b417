// Train: prepares a run, walks its steps, saves. One Training is one call; what a lost device takes with it is made anew by set_up.
#include "runtime/train/curve.h"
#include "runtime/sample/feeding.h"
#include "runtime/sample/emits.h"
#include "runtime/train/fork.h"
#include "runtime/train/interrupt.h"
#include "runtime/train/progress.h"
#include "runtime/train/replay.h"
#include "runtime/run/folder.h"
#include "runtime/sample/sample.h"
#include "runtime/train/parts.h"
#include "runtime/train/watch.h"
#include "runtime/sample/weights.h"
#include <inttypes.h>

enum { IN_FLIGHT = 3, SHOWN = 10 };
static const double SAVE_SECONDS = 300; // where save_every does not say
static const double CURVE_SECONDS = 30; // where curve_seconds does not say

typedef struct {
    Arena *arena; // the whole call's
    const Program *program;
    const TrainOptions *options;
    TrainPlan plan;
    RunFolder folder;
    ForkReport forked; // summary NULL: nothing was taken from another run
    const char *checkpoint; // the last one written or read
    Progress *progress;
    Curve *curve;
    double saved_at;       // progress_seconds
    double seconds_before; // that the run took before this call
    // Until the device is lost:
    Arena *session_arena;
    Device *device;
    Session *session;
    Loader *loader;
    Metrics *metrics;
    uint32_t first_step, submitted, done, saved; // steps; done: all results taken; saved: in the newest checkpoint
    Play play;
    Arena *emit_arena; // of one step
    Emits *emits;
    Watch watch;
} Training;

// ---- results

static bool write_emits(Training *training, uint32_t step, Diag *diag) {
    if (emits_is_empty(training->emits))
        return true;
    const ImageText texts[] = {{"digest", training->program->digest},
                               {"program", training->plan.entry->name},
                               {"step", arena_format(training->emit_arena, "%u", step)},
                               {"seed", arena_format(training->emit_arena, "%" PRIu64, training->plan.run.seed)}};
    EmitsOutput output = {.folder = file_join(training->emit_arena, training->options->out, "emits"),
                          .prefix = arena_format(training->emit_arena, "step-%06u-", step),
                          .texts = texts,
                          .text_count = 4};
    bool ok = emits_write(training->emits, &output, diag);
    arena_reset(training->emit_arena);
    training->emits = emits_create(training->emit_arena);
    return ok;
}

static bool feed(void *context, PlayTurn *turn, Diag *diag) { return feeding_next(((Training *)context)->loader, turn, diag); }

// All results of a step were taken.
static bool end_step(Training *training, uint32_t step, Diag *diag) {
    training->done = step + 1;
    progress_step(training->progress, training->done, training->metrics);
    return metrics_flush(training->metrics, diag) && write_emits(training, step, diag); // flushed so that others can watch
}

// Whether the phase runs in some steps only, so that its time is no usual step's; and what the pace calls it then.
static bool has_pace(const TrainPlan *plan, uint32_t phase, PaceKind *kind) {
    *kind = (PaceKind)(PACE_PHASE + phase);
    return phase < PACE_PHASES && (plan->every[phase] > 1 || plan->entry->phases.items[phase].when);
}

static void follow_pace(Training *training, const SessionResult *result) {
    PaceKind kind;
    const ProgramPhase *phases = training->plan.entry->phases.items;
    uint32_t phase = (uint32_t)(result->phase - phases), leader = phase;
    while (leader > 0 && accumulate_is_led(phases[leader].part)) // a part of it
        leader--;
    if (has_pace(&training->plan, leader, &kind))
        progress_phase(training->progress, kind, phase == leader && result->moment.repetition == 0);
    else
        progress_result(training->progress);
}

static bool take(void *context, const SessionResult *result, Diag *diag) {
    Training *training = context;
    follow_pace(training, result);
    double seconds = training->seconds_before + progress_seconds(training->progress);
    if (!metrics_add(training->metrics, result, seconds, diag) || !watch_reports(&training->watch, result, training->progress))
        return false;
    emits_add(training->emits, result, 0, result->moment.records);
    return !session_play_is_last(&training->play, result) || end_step(training, result->moment.step, diag);
}

// ---- saving

static bool save(Training *training, Diag *diag) {
    if (training->saved == training->done && training->checkpoint)
        return true;
    progress_doing(training->progress, "saving a checkpoint");
    Arena *arena = arena_create();
    HostTensor *tensors;
    uint32_t count;
    const Run *run = &training->plan.run;
    CheckpointInfo info = {.digest = training->program->digest,
                           .entry = training->plan.entry->name,
                           .step = training->done,
                           .steps = training->plan.steps,
                           .seed = run->seed,
                           .data_position = loader_position(training->loader, arena, training->done),
                           .schedules = run->schedules,
                           .encoder = run->encoder,
                           .program = training->program};
    bool ok = weights_get(training->session, training->program, arena, &tensors, &count, diag);
    if (!ok && !session_is_lost(training->session))
        diag_error(diag, NULL, "step %u is not saved; the last finite checkpoint is %s", training->done,
                   training->checkpoint ? training->checkpoint : "none: the run began with seed and data alone");
    ok = ok && metrics_flush(training->metrics, diag) && checkpoint_write(training->options->out, &info, tensors, count, run->keep, diag);
    if (ok) {
        training->saved = training->done;
        training->saved_at = progress_seconds(training->progress);
        training->checkpoint = checkpoint_path(training->arena, training->options->out, training->done);
    }
    arena_destroy(&arena);
    return ok;
}

static const char *curve_title(const Training *training) { return training->program->name ? training->program->name : "training"; }

static const char *curve_subtitle(const Training *training, Arena *arena) {
    const char *records = training->plan.step_records ? arena_format(arena, ", %u records a step", training->plan.step_records) : "";
    return arena_format(arena, "%s, %s of %s steps, seed %" PRIu64 "%s", training->plan.entry->name, text_thousands(arena, training->done),
                        text_thousands(arena, training->plan.steps), training->plan.run.seed, records);
}

static bool draw_curve(Training *training, Diag *diag) {
    Arena *arena = arena_create();
    bool ok = curve_draw(training->curve, training->metrics, curve_title(training), curve_subtitle(training, arena), diag);
    arena_destroy(&arena);
    return ok;
}

static void follow_curve(Training *training) {
    double seconds = progress_seconds(training->progress);
    if (training->done == 0 || !curve_is_due(training->curve, seconds))
        return;
    Arena *arena = arena_create();
    curve_follow(training->curve, training->metrics, curve_title(training), curve_subtitle(training, arena), seconds);
    arena_destroy(&arena);
}

// A preview draws as step 0, so it always shows the same noise; what its program writes beyond its own states is put back.
static bool preview(Training *training, uint32_t sample_count, Diag *diag) {
    progress_doing(training->progress, "making a preview");
    Arena *arena = arena_create();
    bool is_pure = sample_writes(training->program, training->plan.sample_entry) == NULL;
    HostTensor *tensors;
    uint32_t count = 0;
    SampleOptions options = {.entry = training->plan.sample_entry->name,
                             .count = sample_count,
                             .datasets = training->plan.sample_datasets,
                             .seed = training->plan.run.seed,
                             .texts = training->plan.texts.count ? &training->plan.texts : NULL,
                             .classes = training->plan.run.classes,
                             .weights = {.steps = training->done}};
    options.output.folder = file_join(arena, training->options->out, "previews");
    options.output.prefix = arena_format(arena, "step-%06u-", training->done);
    bool ok = is_pure || weights_get(training->session, training->program, arena, &tensors, &count, diag);
    ok = ok && sample_run(training->session, training->program, &options, diag);
    for (uint32_t i = 0; ok && i < count; i++)
        ok = session_set(training->session, tensors[i].name, &tensors[i], diag);
    if (ok)
        progress_say_files(training->progress, arena_format(arena, "preview of step %u", training->done), options.output.folder,
                           options.output.prefix);
    arena_destroy(&arena);
    return ok;
}

// ---- steps

static bool is_due(uint32_t every, uint32_t step) { return every && step % every == 0; }

static bool save_is_due(const Training *training, uint32_t step) {
    if (training->plan.run.save_every)
        return is_due(training->plan.run.save_every, step);
    return progress_seconds(training->progress) - training->saved_at >= SAVE_SECONDS;
}

// A step in which no phase has its turn gives no result that would say that it is done.
static bool play_step(Training *training, uint32_t step, Diag *diag) {
    if (!session_play(&training->play, step, diag))
        return false;
    training->submitted = step + 1;
    return training->done > step || session_in_flight(training->session) > 0 || end_step(training, step, diag);
}

static bool finish_steps(Training *training, Diag *diag) {
    return session_play_finish(&training->play, diag) &&
           (training->done == training->submitted || end_step(training, training->submitted - 1, diag));
}

static bool run_steps(Training *training, Diag *diag) {
    const Play *play = &training->play;
    for (uint32_t step = training->submitted; step < training->plan.end_step && !interrupt_came() && !session_play_is_stopped(play); step++) {
        if (!play_step(training, step, diag))
            return false;
        follow_curve(training);
        bool saves = step + 1 < training->plan.end_step && save_is_due(training, step + 1);
        bool samples = is_due(training->plan.run.sample_every, step + 1);
        if (!saves && !samples)
            continue;
        if (!finish_steps(training, diag))
            return false;
        progress_pause(training->progress, PACE_SAVE);
        if (saves && !(save(training, diag) && draw_curve(training, diag)))
            return false;
        if (saves)
            progress_resume(training->progress);
        progress_pause(training->progress, PACE_PREVIEW);
        if (samples && !preview(training, training->plan.run.sample_count, diag))
            return false;
        if (samples)
            progress_resume(training->progress);
    }
    if (!finish_steps(training, diag) || !save(training, diag) || !draw_curve(training, diag))
        return false;
    bool shows = training->plan.is_only_at_end && training->done == training->plan.steps && training->first_step < training->done;
    return !shows || preview(training, SHOWN, diag);
}

// ---- setting up

static void tear_down(Training *training) {
    loader_destroy(&training->loader);
    metrics_close(&training->metrics);
    session_destroy(&training->session);
    device_destroy(&training->device);
    arena_destroy(&training->emit_arena);
    arena_destroy(&training->session_arena);
}

static bool load(Training *training, Diag *diag) {
    uint32_t count;
    Arena *arena = arena_create();
    checkpoint_list(arena, training->options->out, &count);
    Checkpoint checkpoint;
    bool ok = session_initialise(training->session, diag);
    if (ok && count > 0) {
        ok = checkpoint_read_latest(arena, training->options->out, &checkpoint, diag) &&
             weights_set(training->session, training->program, &checkpoint, CHECKPOINT_EXACT, diag);
        if (ok) {
            training->first_step = training->saved = checkpoint.info.step;
            training->checkpoint = arena_copy_text(training->arena, checkpoint.path);
        }
        if (ok && (checkpoint.info.seed != training->plan.run.seed || strcmp(checkpoint.info.digest, training->program->digest) != 0)) {
            diag_error(diag, &(Place){.file = checkpoint.path}, "it belongs to another run (graph or seed differ from run.json)");
            ok = false;
        }
    } else {
        const Run *run = &training->plan.run;
        Names names;
        if (ok && run->fork.checkpoint)
            ok = fork_take(training->session, training->program, &run->fork, run->encoder, training->plan.needed,
                           training->plan.needed_count, training->arena, &training->forked, diag);
        ok = ok && (!run->names || names_read(arena, run->names, &names, diag));
        for (uint32_t i = 0; ok && i < run->init_count; i++)
            ok = weights_init_named(training->session, training->program, run->inits[i], run->names ? &names : NULL, run->encoder, diag);
    }
    arena_destroy(&arena);
    return ok;
}

// Device, session with its states, loader and metrics, all standing at the same step.
static bool set_up(Training *training, bool was_lost, Diag *diag) {
    const TrainOptions *options = training->options;
    training->session_arena = arena_create();
    training->emit_arena = arena_create();
    training->emits = emits_create(training->emit_arena);
    progress_doing(training->progress, "opening the device");
    training->first_step = training->saved = 0;
    training->device = train_device(training->session_arena, &training->plan, options, diag);
    if (!training->device)
        return false;
    const DeviceModel *model = &device_info(training->device)->target.model;
    SessionOptions session = {.seed = training->plan.run.seed,
                              .only_entry = training->plan.entry->name,
                              .profile = options->profile,
                              .slots = IN_FLIGHT,
                              .progress = progress_count,
                              .progress_context = training->progress,
                              .also_entry = training->plan.sample_entry ? training->plan.sample_entry->name : NULL,
                              .segment_dispatches = was_lost ? (uint32_t)model->retry_dispatches : 0};
    training->session = session_create(training->session_arena, training->device, training->program, &session, diag);
    if (!training->session)
        return false;
    progress_doing(training->progress, "filling the states");
    if (!load(training, diag))
        return false;
    training->submitted = training->done = training->first_step;
    LoaderOptions loading = {.program = training->program,
                             .entry = training->plan.entry,
                             .datasets = training->plan.datasets,
                             .seed = training->plan.run.seed,
                             .first_step = training->first_step,
                             .end_step = training->plan.end_step,
                             .steps = training->plan.steps,
                             .runs = session_play_past(training->session, training->plan.entry, training->session_arena, diag)};
    training->loader = !loading.runs ? NULL : loader_create(training->session_arena, &loading, diag);
    if (!training->loader)
        return false;
    training->play = (Play){.session = training->session,
                            .entry = training->plan.entry,
                            .steps = training->plan.steps,
                            .in_flight = IN_FLIGHT,
                            .feed = feed,
                            .take = take,
                            .context = training};
    feeding_prepare(&training->play, training->session_arena, training->loader);
    return session_play_begin(&training->play, training->session_arena, training->first_step, diag);
}

static bool begin_metrics(Training *training, Diag *diag) {
    training->metrics = metrics_open(training->session_arena, training->options->out, training->plan.entry, training->first_step, diag);
    return training->metrics != NULL;
}

static void print_profile(Training *training) {
    for (uint32_t p = 0; training->options->profile && p < training->plan.entry->phases.count; p++) {
        const ProgramPhase *phase = &training->plan.entry->phases.items[p];
        uint32_t runs;
        const double *seconds = session_profile(training->session, phase, &runs);
        bool *is_shown = ARENA_NEW(training->arena, bool, phase->steps.count);
        for (uint32_t rank = 0; seconds && runs && rank < 12 && rank < phase->steps.count; rank++) {
            uint32_t best = UINT32_MAX;
            for (uint32_t i = 0; i < phase->steps.count; i++)
                if (!is_shown[i] && (best == UINT32_MAX || seconds[i] > seconds[best]))
                    best = i;
            is_shown[best] = true;
            progress_say(training->progress, "%s  %8.3f ms  %s", phase->name, seconds[best] * 1e3 / runs,
                         phase->steps.items[best].label);
        }
    }
}

// The states go back to where the last finite checkpoint stands; which kernel's output is not finite first, from there.
static void explain_wild(Training *training, Diag *diag) {
    Diag *inner = diag_create(training->arena);
    ReplayBad bad = {0};
    ReplayOptions options = {.entry = training->plan.entry,
                             .datasets = training->plan.datasets,
                             .seed = training->plan.run.seed,
                             .step = training->watch.step,
                             .steps = training->plan.steps,
                             .epoch_steps = training->plan.epoch_steps,
                             .interrupted = interrupt_flag()};
    const char *wild = training->watch.what;
    progress_pause(training->progress, PACE_OTHER);
    progress_doing(training->progress, "replaying");
    progress_say(training->progress, "%s; replaying from %s to find where it comes from", wild,
                 training->checkpoint ? training->checkpoint : "the initial state");
    loader_destroy(&training->loader); // its thread reads the same data
    bool ok = session_finish(training->session, inner) && load(training, inner);
    options.first_step = training->first_step;
    ok = ok && replay_find_bad(training->session, training->program, &options, &bad, inner);
    if (ok && bad.dispatch) {
        diag_error(diag, NULL,
                   "%s; replayed from %s: the first value that is not finite is written by %s (%s) in step %u, element %" PRIu64
                   " of %" PRIu64,
                   wild, training->checkpoint ? training->checkpoint : "the initial state", bad.kernel, bad.dispatch->label, bad.step,
                   bad.element, bad.count);
        return;
    }
    const char *why = ok ? "all that it stored was finite" : diag_text(inner, training->arena);
    diag_error(diag, NULL, "%s; stopped. %s%s. A replay did not find where it comes from: %.*s", wild,
               training->checkpoint ? "The last finite checkpoint is "
                                    : "There is no checkpoint yet; the run began with seed and data alone",
               training->checkpoint ? training->checkpoint : "", (int)strcspn(why, "\n"), why);
}

// Walks the steps; where the device is lost, once more from the last checkpoint.
static bool walk(Training *training, Diag *diag) {
    Diag *inner = diag_create(training->arena);
    if (run_steps(training, inner)) {
        diag_merge(diag, inner);
        return true;
    }
    if (training->watch.what || !session_is_lost(training->session)) {
        diag_merge(diag, inner);
        if (training->watch.what)
            explain_wild(training, diag);
        return false;
    }
    const char *why = diag_text(inner, training->arena);
    tear_down(training);
    diag_warning(diag, NULL, "the device was lost after step %u (%.*s); going on once from %s with smaller pieces of work", training->done,
                 (int)strcspn(why, "\n"), why, training->checkpoint ? training->checkpoint : "the beginning");
    progress_say(training->progress, "the device was lost; beginning anew from %s", training->checkpoint ? training->checkpoint : "step 0");
    if (!set_up(training, true, diag) || !begin_metrics(training, diag))
        return false;
    progress_restart(training->progress, training->first_step);
    bool ok = run_steps(training, diag);
    if (!ok && training->watch.what)
        explain_wild(training, diag);
    else if (!ok && session_is_lost(training->session))
        diag_error(diag, NULL, "the device was lost a second time; the last good checkpoint is %s: go on with --resume",
                   training->checkpoint ? training->checkpoint : "none");
    return ok;
}

static bool write_architecture(const Training *training, Diag *diag) {
    const char *text = training->options->architecture;
    return !text || file_write(file_join(training->arena, training->options->out, "architecture.txt"), text, strlen(text), diag);
}

// What was forked is saved at once, so that the run needs the other one no more.
static bool keep_fork(Training *training, Diag *diag) {
    if (!training->forked.summary)
        return true;
    const char *path = file_join(training->arena, training->options->out, "fork.txt");
    return file_write(path, training->forked.list, strlen(training->forked.list), diag) && save(training, diag);
}

static void say_beginning(Training *training) {
    const TrainPlan *plan = &training->plan;
    if (training->forked.summary)
        progress_say(training->progress, "%s", training->forked.summary);
    if (!training->options->resume)
        return;
    if (plan->steps != plan->steps_before)
        progress_say(training->progress, "the total is %u steps now, no longer %u: schedules over \"steps\" see %u from step %u on", plan->steps,
                     plan->steps_before, plan->steps, training->first_step);
    progress_say(training->progress, "resumes after step %u", training->first_step);
}

static bool begin(Training *training, Diag *diag) {
    const TrainOptions *options = training->options;
    if (!run_folder_take(&training->folder, training->arena, options->out, options->resume, diag) || !set_up(training, false, diag))
        return false;
    run_note_total(training->arena, &training->plan.run, training->first_step);
    if (!run_write(options->out, &training->plan.run, diag) || !write_architecture(training, diag) || !begin_metrics(training, diag))
        return false;
    training->seconds_before = metrics_seconds(training->metrics); // once: a lost device does not stop the clock
    const Run *run = &training->plan.run;
    const TrainPlan *plan = &training->plan;
    progress_plan(training->progress, &(ProgressPlan){training->first_step, plan->end_step, plan->steps, plan->step_records, plan->unit});
    progress_every(training->progress, PACE_SAVE, run->save_every, run->save_every ? 0 : SAVE_SECONDS);
    progress_every(training->progress, PACE_PREVIEW, run->sample_every, 0);
    for (uint32_t i = 0; i < plan->entry->phases.count; i++) {
        PaceKind kind;
        if (has_pace(plan, i, &kind) && !accumulate_is_led(plan->entry->phases.items[i].part))
            progress_every(training->progress, kind, plan->entry->phases.items[i].when ? 0 : plan->every[i], 0);
    }
    training->curve = curve_create(training->arena, file_join(training->arena, options->out, "loss.png"),
                                   options->curve_seconds > 0 ? options->curve_seconds : CURVE_SECONDS);
    run_folder_remove_unfinished(&training->folder);
    if (*training->plan.epochs)
        progress_say(training->progress, "%s", training->plan.epochs);
    say_beginning(training);
    return keep_fork(training, diag);
}

// The program's "stop" is true: the run is finished, and says so.
static bool note_stop(Training *training, Diag *diag) {
    Run *run = &training->plan.run;
    if (!session_play_is_stopped(&training->play))
        return true;
    run->stopped = training->plan.entry->stop;
    run->stopped_at = training->done;
    return run_write(training->options->out, run, diag);
}

static const char *stop_text(Arena *arena, const TrainPlan *plan) {
    return plan->run.stopped ? program_stop_text(arena, plan->entry, plan->run.stopped_at) : NULL;
}

static void say_end(const Training *training) {
    const TrainPlan *plan = &training->plan;
    if (plan->run.stopped)
        progress_say(training->progress, "%s; saved as %s", stop_text(training->arena, plan), training->checkpoint);
    else if (training->done < plan->steps)
        progress_say(training->progress, "stopped after step %u of %u, saved as %s; go on with: gcc-graph train %s --out %s --resume",
                     training->done, plan->steps, training->checkpoint, plan->run.bundle, training->options->out);
    else
        progress_say(training->progress, "done: %s%s", training->checkpoint,
                     training->first_step < training->done ? "" : "; the run was at its end: go on with --resume --steps N");
}

// A run that its program's "stop" has ended.
static bool say_finished(Training *training, TrainResult *result) {
    const TrainPlan *plan = &training->plan;
    uint32_t count;
    const uint32_t *steps = checkpoint_list(training->arena, training->options->out, &count);
    const char *checkpoint = count ? checkpoint_path(training->arena, training->options->out, steps[count - 1]) : NULL;
    *result = (TrainResult){.steps_done = plan->run.stopped_at,
                            .steps = plan->steps,
                            .stopped = stop_text(training->arena, plan),
                            .checkpoint = checkpoint};
    progress_say(training->progress, "%s: %s; the run is finished, and another one goes on from it with --fork %s", training->options->out,
                 result->stopped, training->options->out);
    progress_destroy(&training->progress);
    return true;
}

static void report_broken(const Training *training, Diag *diag) {
    for (uint32_t i = 0; i < training->program->data.count; i++)
        if (training->plan.datasets[i])
            dataset_report_broken(training->plan.datasets[i], diag);
}

bool train_run(Arena *arena, const Program *program, const TrainOptions *options, TrainResult *result, Diag *diag) {
    Training training = {.arena = arena, .program = program, .options = options, .watch = {.arena = arena}};
    *result = (TrainResult){0};
    training.progress = progress_create(arena, options->log);
    progress_doing(training.progress, "opening the data");
    if (!train_prepare(arena, program, options, &training.plan, diag)) {
        progress_destroy(&training.progress);
        return false;
    }
    if (training.plan.run.stopped)
        return say_finished(&training, result);
    InterruptHandlers handlers;
    interrupt_catch(&handlers);
    bool ok = begin(&training, diag) && walk(&training, diag) && note_stop(&training, diag);
    interrupt_restore(&handlers);
    *result = (TrainResult){training.done, training.plan.steps, interrupt_came(), stop_text(arena, &training.plan), training.checkpoint};
    progress_end(training.progress);
    if (ok)
        say_end(&training);
    if (ok)
        print_profile(&training);
    if (ok)
        report_broken(&training, diag);
    curve_destroy(&training.curve);
    if (!ok && training.metrics)
        metrics_flush(training.metrics, diag);
    tear_down(&training);
    run_folder_leave(&training.folder);
    progress_destroy(&training.progress);
    return ok;
}
