// Train's plan: everything that can be found wrong, or said, before a device or the run's folder is touched; and --dry-run.
#include "runtime/base/activity.h"
#include "runtime/data/loader.h"
#include "runtime/base/machine.h"
#include "runtime/train/fork.h"
#include "runtime/run/folder.h"
#include "runtime/train/parts.h"
#include "runtime/sample/weights.h"
#include "runtime/vk/measure.h"
#include <inttypes.h>

enum { KEEP = 3, SHOW_REPETITIONS = 100 };

static bool find_entry(Arena *arena, const Program *program, const char *name, const ProgramEntry **out, Diag *diag) {
    *out = program_entry(program, name);
    if (*out)
        return true;
    const char **names = ARENA_NEW(arena, const char *, program->entries.count + 1);
    for (uint32_t i = 0; i < program->entries.count; i++)
        names[i] = program->entries.items[i].name;
    diag_error(diag, NULL, "the bundle has no program \"%s\"%s", name, text_suggestion(arena, name, names, program->entries.count));
    return false;
}

static bool check_requires(Arena *arena, TrainPlan *plan, Diag *diag) {
    bool ok = true;
    plan->needed = ARENA_NEW(arena, const char *, plan->entry->requires_count + 1);
    for (uint32_t i = 0; i < plan->entry->requires_count; i++) {
        const char *name = plan->entry->requires_trained[i];
        if (weights_spec_names(plan->run.inits, plan->run.init_count, name))
            continue;
        plan->needed[plan->needed_count++] = name;
        if (plan->run.fork.checkpoint) // fork_take sees whether it is there
            continue;
        diag_error(diag, NULL, "program \"%s\" needs \"%s\" trained before: give it with --init %s=RUN", plan->entry->name, name, name);
        ok = false;
    }
    return ok;
}

// Steps of the newest checkpoint; one that turns out to be damaged only makes it fewer.
static uint32_t steps_done(Arena *arena, const char *folder) {
    uint32_t count;
    const uint32_t *steps = checkpoint_list(arena, folder, &count);
    return count ? steps[count - 1] : 0;
}

static bool resume(Arena *arena, const TrainOptions *options, TrainPlan *plan, Diag *diag) {
    Run stored;
    if (!run_exists(options->out)) {
        diag_error(diag, &(Place){.file = options->out}, "there is no run to resume%s; a new one begins without --resume",
                   file_exists(options->out) ? " in this folder" : "");
        return false;
    }
    if (!run_read(arena, options->out, &stored, diag) || !run_merge(&plan->run, &stored, options->out, diag))
        return false;
    plan->steps_before = stored.steps;
    return true;
}

static bool check_folder(Arena *arena, const TrainOptions *options, TrainPlan *plan, Diag *diag) {
    if (options->resume)
        return resume(arena, options, plan, diag);
    if (run_exists(options->out)) {
        diag_error(diag, &(Place){.file = options->out}, "a run is there already: go on with --resume, or choose another --out");
        return false;
    }
    if (!file_exists(options->out) || run_folder_is_empty(options->out))
        return true;
    diag_error(diag, &(Place){.file = options->out}, "it exists and holds no run; choose another --out");
    return false;
}

// The data of the other run, where none is given.
static bool find_fork(Arena *arena, const TrainOptions *options, TrainPlan *plan, Diag *diag) {
    Run other;
    if (!options->fork)
        return true;
    if (!fork_find(arena, options->fork, &plan->run.fork, diag))
        return false;
    if (plan->run.data_count || !run_exists(options->fork))
        return true;
    if (!run_read(arena, options->fork, &other, diag))
        return false;
    plan->run.data = other.data;
    plan->run.data_count = other.data_count;
    return true;
}

// A total, or an end, that lies behind what the run has done.
static bool check_end(Arena *arena, const TrainOptions *options, const TrainPlan *plan, Diag *diag) {
    uint32_t done = options->resume ? steps_done(arena, options->out) : 0;
    bool is_total = plan->steps < done;
    if (!is_total && (!options->stop_at || options->stop_at >= done))
        return true;
    diag_error(diag, &(Place){.file = options->out}, "the run has done %u steps already, and %s %u is before that", done,
               is_total ? "a total of" : "--stop-at", is_total ? plan->steps : options->stop_at);
    return false;
}

static bool count_steps(Arena *kept, const Program *program, const TrainOptions *options, TrainPlan *plan, Diag *diag) {
    Run *run = &plan->run;
    Arena *arena = arena_create();
    LoaderOptions none = {.program = program, .entry = plan->entry, .datasets = plan->datasets, .seed = run->seed};
    Loader *loader = loader_create(arena, &none, diag);
    bool ok = loader != NULL;
    if (ok) {
        plan->epoch_steps = loader_epoch_steps(loader);
        plan->step_records = loader_step_records(loader);
        plan->epochs = loader_describe(loader, kept);
        plan->unit = program_record_word(program, plan->entry);
        uint64_t all = (uint64_t)run->epochs * plan->epoch_steps;
        if (!run->steps && all > UINT32_MAX) {
            diag_error(diag, NULL, "--epochs %u are %" PRIu64 " steps of %u an epoch; a run may have %u", run->epochs, all,
                       plan->epoch_steps, UINT32_MAX);
            ok = false;
        }
        run->steps = run->steps ? run->steps : run->epochs ? (uint32_t)all : plan->entry->steps;
    }
    loader_destroy(&loader);
    arena_destroy(&arena);
    if (ok && !run->steps) {
        diag_error(diag, NULL, "program \"%s\" does not say how many steps it takes: --steps N or --epochs N", plan->entry->name);
        return false;
    }
    plan->steps = run->steps;
    plan->every = ARENA_NEW(kept, uint32_t, plan->entry->phases.count);
    ok = ok && program_every(plan->entry, plan->steps, plan->epoch_steps, plan->every, diag);
    plan->steps_before = options->resume ? plan->steps_before : plan->steps;
    plan->end_step = options->stop_at && options->stop_at < run->steps ? options->stop_at : run->steps;
    run->keep = run->keep ? run->keep : KEEP;
    return ok;
}

// The one text encoder of the training's data.
static bool find_encoder(const Program *program, TrainPlan *plan, Diag *diag) {
    const Dataset *first = NULL;
    for (uint32_t i = 0; i < program->data.count; i++) {
        const Dataset *dataset = plan->datasets[i];
        if (!dataset || !dataset->encoder)
            continue;
        if (first && strcmp(first->encoder, dataset->encoder) != 0) {
            diag_error(diag, NULL, "%s has texts of the encoder %s, %s of the encoder %s: a network can learn one of them only",
                       first->spec, first->encoder, dataset->spec, dataset->encoder);
            return false;
        }
        first = first ? first : dataset;
    }
    if (first && plan->run.encoder && strcmp(first->encoder, plan->run.encoder) != 0) {
        diag_error(diag, NULL, "the run began with texts of the encoder %s; %s has those of %s now", plan->run.encoder, first->spec,
                   first->encoder);
        return false;
    }
    plan->run.encoder = first ? first->encoder : plan->run.encoder;
    return true;
}

// What labels mean, as far as the data sets' classes have names.
static bool find_classes(Arena *arena, const Program *program, TrainPlan *plan, Diag *diag) {
    Classes *items = ARENA_NEW(arena, Classes, program->data.count + 1u);
    ClassLists found = {.items = items};
    for (uint32_t i = 0; i < program->data.count; i++) {
        const Dataset *dataset = plan->datasets[i];
        if (!dataset || !dataset->class_names)
            continue;
        const char **names = ARENA_NEW(arena, const char *, dataset->class_count + 1u);
        for (uint32_t k = 0; k < dataset->class_count; k++)
            names[k] = text_printable(arena, dataset->class_names[k]);
        items[found.count++] = (Classes){dataset->name, names, dataset->class_count};
    }
    if (!classes_check(&found, &plan->run.classes, diag))
        return false;
    plan->run.classes = found;
    return true;
}

// How many records there are: "images: 2,712 in train, 288 in test". A run that goes on with others is told of it.
static void find_records(Arena *arena, const Program *program, TrainPlan *plan, Diag *diag) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < program->data.count; i++) {
        const Dataset *dataset = plan->datasets[i];
        for (uint32_t s = 0; dataset && s < dataset->split_count; s++)
            text_format(&text, "%s%s%s in %s", s == 0 && text.length ? "; " : "", s ? ", " : arena_format(arena, "%s: ", dataset->name),
                        text_thousands(arena, dataset->splits[s].count), dataset->splits[s].name);
    }
    const char *now = text.length ? text.data : NULL, *before = plan->run.records;
    if (now && before && strcmp(now, before) != 0)
        diag_warning(diag, NULL, "the records are not those that the run began with, so it does not go on as it would have: %s; before, %s", now,
                     before);
    plan->run.records = now;
}

// Texts for a program that takes some: those of the first test records, the same in every preview. NULL: there are none.
static const Dataset *find_texts(const Program *program, const TrainPlan *plan, const ProgramFeed *input) {
    for (uint32_t i = 0; i < program->data.count; i++)
        if (plan->datasets[i] && (plan->datasets[i]->encoder || input->tokens) && texts_field(plan->datasets[i]->declared, input) != UINT32_MAX)
            return plan->datasets[i];
    return NULL;
}

// An input that nobody gives while a network trains; NULL: there is none.
static const ProgramFeed *missing_input(const ProgramEntry *entry, const ProgramFeed *text) {
    for (uint32_t i = 0; i < entry->inputs.count; i++)
        if (&entry->inputs.items[i] != text && !entry->inputs.items[i].default_count)
            return &entry->inputs.items[i];
    return NULL;
}

static bool check_inputs(const ProgramEntry *entry, const ProgramFeed *text, Diag *diag) {
    const ProgramFeed *missing = missing_input(entry, text);
    if (missing)
        diag_error(diag, NULL, "nothing can be given for the input \"%s\" of the program \"%s\" while training: declare a \"default\"",
                   missing->name, entry->name);
    return !missing;
}

// Can a program make pictures out of nothing but noise, defaults and the texts at hand, and quickly?
static bool can_show(const Program *program, const TrainPlan *plan, const ProgramEntry *entry) {
    const ProgramFeed *input = texts_input(entry);
    uint32_t repetitions = 0;
    bool emits_images = false, is_fed = false;
    for (uint32_t p = 0; p < entry->phases.count; p++) {
        const ProgramPhase *phase = &entry->phases.items[p];
        repetitions += phase->repeat ? phase->repeat : SHOW_REPETITIONS + 1;
        for (uint32_t i = 0; i < phase->feeds.count; i++)
            is_fed |= phase->feeds.items[i].data != NULL;
        for (uint32_t i = 0; i < phase->results.count; i++)
            emits_images |= phase->results.items[i].format == RESULT_IMAGE;
    }
    return !entry->training && emits_images && !is_fed && repetitions <= SHOW_REPETITIONS && !missing_input(entry, input) &&
           (!input || input->default_count || find_texts(program, plan, input));
}

static bool plan_previews(Arena *arena, const Program *program, TrainPlan *plan, Diag *diag) {
    const Run *run = &plan->run;
    for (uint32_t i = 0; i < program->entries.count && !run->sample_every && !plan->sample_entry; i++)
        if (can_show(program, plan, &program->entries.items[i]))
            plan->sample_entry = &program->entries.items[i];
    if (!plan->sample_entry)
        return true;
    plan->is_only_at_end = !run->sample_every;
    plan->sample_datasets = dataset_open_all(arena, program, plan->sample_entry, run->data, run->data_count, diag);
    const ProgramFeed *input = texts_input(plan->sample_entry);
    if (!plan->sample_datasets || !input)
        return plan->sample_datasets && check_inputs(plan->sample_entry, NULL, diag);
    const Dataset *dataset = find_texts(program, plan, input);
    if (!check_inputs(plan->sample_entry, input, diag))
        return false;
    if (!dataset && input->default_count)
        return true;
    if (!dataset) {
        diag_error(diag, NULL, "the program \"%s\" makes previews of %s; the training's data has none",
                   plan->sample_entry->name, texts_kind(arena, input));
        return false;
    }
    uint32_t rows = texts_per_run(input), count = run->sample_count > rows ? run->sample_count : rows;
    return texts_of_data(arena, dataset, count, run->seed, true, input, &plan->texts, diag);
}

bool train_prepare(Arena *arena, const Program *program, const TrainOptions *options, TrainPlan *plan, Diag *diag) {
    Run *run = &plan->run;
    *plan = (TrainPlan){.run = options->run};
    run->digest = program->digest;
    if (!check_folder(arena, options, plan, diag) || !find_fork(arena, options, plan, diag))
        return false;
    run->entry = run->entry ? run->entry : "train";
    if (!run->bundle && program->folder)
        run->bundle = file_real_path(arena, program->folder);
    run->bundle = run->bundle ? run->bundle : program->folder ? program->folder : "";
    if (!find_entry(arena, program, run->entry, &plan->entry, diag) || !check_requires(arena, plan, diag) ||
        !check_inputs(plan->entry, NULL, diag))
        return false;
    run->sample_entry = run->sample_entry || !run->sample_every ? run->sample_entry : "sample";
    if (run->sample_every && !find_entry(arena, program, run->sample_entry, &plan->sample_entry, diag))
        return false;
    plan->datasets = dataset_open_all(arena, program, plan->entry, run->data, run->data_count, diag);
    if (!plan->datasets || !find_encoder(program, plan, diag) || !find_classes(arena, program, plan, diag))
        return false;
    find_records(arena, program, plan, diag);
    return plan_previews(arena, program, plan, diag) &&
           count_steps(arena, program, options, plan, diag) && check_end(arena, options, plan, diag);
}

// In the mean over steps. A phase with a `when` counts as if that were always true.
static double estimate_step(const TrainPlan *plan, const DeviceModel *model) {
    double seconds = 0;
    for (uint32_t p = 0; p < plan->entry->phases.count; p++) {
        const ProgramPhase *phase = &plan->entry->phases.items[p];
        double once = 0;
        for (uint32_t d = 0; d < phase->steps.count; d++)
            once += program_dispatch_seconds(&phase->steps.items[d], model);
        seconds += once * program_phase_times(phase) * (phase->repeat ? phase->repeat : plan->epoch_steps) / plan->every[p];
    }
    return seconds;
}

bool train_estimate(Arena *arena, const Program *program, const TrainOptions *options, const DeviceModel *model, uint32_t *steps, double *seconds, Diag *diag) {
    TrainPlan plan;
    if (!train_prepare(arena, program, options, &plan, diag))
        return false;
    *steps = plan.end_step;
    *seconds = estimate_step(&plan, model);
    return true;
}

// Phases that run in some steps only. True: how often one of them does, nobody knows before.
static bool print_turns(Text *out, const TrainPlan *plan) {
    bool is_open = false;
    for (uint32_t i = 0; i < plan->entry->phases.count; i++) {
        const ProgramPhase *phase = &plan->entry->phases.items[i];
        const char *formula = phase->every.terms.count > 1 ? arena_format(out->arena, " (%s)", every_text(out->arena, &phase->every)) : "";
        if (!phase->every.terms.count && !phase->when)
            continue;
        text_format(out, "phase    %s", phase->name);
        if (phase->every.terms.count)
            text_format(out, " every %u steps%s", plan->every[i], formula);
        if (phase->when)
            text_format(out, " when %s", phase->when);
        text_append(out, "\n");
        is_open = is_open || phase->when;
    }
    if (plan->entry->stop)
        text_format(out, "stops    when %s\n", plan->entry->stop);
    return is_open;
}

static void print_memory(Text *out, const Program *program, Device *device) {
    uint64_t sums[MEMORY_KIND_COUNT] = {0}, total = 0;
    for (uint32_t i = 0; i < program->memories.count; i++) {
        sums[program->memories.items[i].kind] += program->memories.items[i].size;
        total += program->memories.items[i].size;
    }
    text_format(out, "memory   %s needed (state %s, scratch %s, constants %s); %s left on %s\n", text_bytes(out->arena, total),
                text_bytes(out->arena, sums[MEMORY_STATE]), text_bytes(out->arena, sums[MEMORY_SCRATCH]),
                text_bytes(out->arena, sums[MEMORY_CONSTANT]), text_bytes(out->arena, device_memory_left(device)),
                device_info(device)->name);
}

Device *train_device(Arena *arena, const TrainPlan *plan, const TrainOptions *options, Diag *diag) {
    DeviceOptions device = options->device;
    device.one_thread = program_suits_one_thread(plan->entry, machine_cores());
    return device_create(arena, &device, diag);
}

bool train_plan(Arena *arena, const Program *program, const TrainOptions *options, Text *out, Diag *diag) {
    TrainPlan plan;
    Activity *activity = activity_create(arena, options->log, 0);
    activity_begin(activity, "opening the data");
    DeviceModel model;
    Device *device = train_prepare(arena, program, options, &plan, diag) ? train_device(arena, &plan, options, diag) : NULL;
    activity_begin(activity, "measuring the device");
    bool is_measured = device && (measure_kept(arena, device_info(device), &model, diag) || measure_device(arena, device, NULL, &model, diag));
    activity_destroy(&activity);
    if (!is_measured) {
        device_destroy(&device);
        return false;
    }
    text_format(out, "program  %s of %s\n", plan.entry->name, program->name ? program->name : "the bundle");
    for (uint32_t i = 0; i < program->data.count; i++)
        if (plan.datasets[i])
            text_format(out, "data     %s = %s\n", plan.datasets[i]->name, plan.datasets[i]->spec);
    for (const char *line = plan.epochs; *line; line += strcspn(line, "\n"), line += *line == '\n')
        text_format(out, "epoch    %.*s\n", (int)strcspn(line, "\n"), line);
    if (plan.run.fork.checkpoint)
        text_format(out, "fork     begins with what fits of %s\n", plan.run.fork.checkpoint);
    if (plan.run.stopped)
        text_format(out, "finished %s\n", program_stop_text(arena, plan.entry, plan.run.stopped_at));
    text_format(out, "steps    %s", text_thousands(arena, plan.end_step));
    if (plan.end_step < plan.steps)
        text_format(out, " of %s", text_thousands(arena, plan.steps));
    text_format(out, ", %u an epoch, %u records a step\n", plan.epoch_steps, plan.step_records);
    bool is_open = print_turns(out, &plan);
    const char *every = plan.run.save_every ? arena_format(arena, "every %u steps", plan.run.save_every) : "about every five minutes";
    text_format(out, "saves    %s, the last %u kept\n", every, plan.run.keep);
    print_memory(out, program, device);
    double step = estimate_step(&plan, &model);
    text_format(out, "time     about %.3g s a step, %.3g min in all (estimated from measured peaks of %.0f GFLOP/s and %.0f GB/s%s)\n", step,
                step * plan.end_step / 60, model.multiply_adds * 2e-9, model.memory_bytes * 1e-9,
                is_open ? "; phases with a \"when\" counted as if it always held" : "");
    device_destroy(&device);
    return true;
}
