// `train`: the options of a training run.
#include "runtime/train/train.h"
#include "compiler/driver/schedules.h"
#include "compiler/summary.h"
#include "compiler/tune/record.h"
#include "runtime/train/interrupt.h"
#include "runtime/vk/measure.h"

static const Option options[] = {
    {"data", 0, OPTION_TEXT, true, "SPEC", "a data set, [NAME=]mnist, images:DIR, npz:FILE ... (see gcc-graph data)"},
    {"out", 'o', OPTION_TEXT, false, "RUN", "the folder for checkpoints, metrics, loss curve and previews"},
    {"program", 0, OPTION_TEXT, false, "NAME", "the program (default: the first that trains)"},
    {"steps", 0, OPTION_COUNT, false, "N", "the total, as schedules see it (default: the program's own); with --resume another one"},
    {"epochs", 0, OPTION_COUNT, false, "N", "the total in epochs"},
    {"stop-at", 0, OPTION_COUNT, false, "N", "ends after this step of the same total"},
    {"resume", 0, OPTION_FLAG, false, NULL, "goes on with RUN at its newest checkpoint, to the same total unless --steps says another"},
    {"fork", 0, OPTION_TEXT, false, "RUN|FILE", "a new run begins with this one's states as far as they fit: the graph may have changed"},
    {"save-every", 0, OPTION_COUNT, false, "N", "steps between checkpoints (default: about every five minutes)"},
    {"keep", 0, OPTION_COUNT, false, "K", "checkpoints that are kept (default 3)"},
    {"sample-every", 0, OPTION_COUNT, false, "N", "steps between previews (default: one at the end)"},
    {"sample-program", 0, OPTION_TEXT, false, "NAME", "the program of the previews"},
    {"sample-count", 0, OPTION_COUNT, false, "N", "images of a preview (default: one run of the program)"},
    {"init", 0, OPTION_TEXT, true, "NAME=RUN|FILE", "weights of a network or of a part of it (G.ca) from another run or a file"},
    {"names", 0, OPTION_TEXT, false, "MAP.json", "the names in those files: an object, our name -> theirs (as for export)"},
    SCHEDULES_OPTION,
    {"profile", 0, OPTION_FLAG, false, NULL, "times every kernel and prints the most expensive at the end"},
    {"dry-run", 0, OPTION_FLAG, false, NULL, "prints the plan - memory, steps, time - and trains nothing"},
    COMMON_DEVICE_OPTIONS,
    COMMON_SEED_OPTION,
};

static bool fill(Arguments *arguments, const ProgramEntry *entry, const Program *program, TrainOptions *out) {
    Run *run = &out->run;
    run->bundle = arguments->operands.items[0];
    run->digest = program->digest;
    run->entry = entry ? entry->name : NULL;
    run->data = arguments_all(arguments, "data", &run->data_count);
    run->inits = arguments_all(arguments, "init", &run->init_count);
    run->names = arguments_text(arguments, "names");
    run->has_seed = arguments_has(arguments, "seed");
    run->seed = arguments_seed(arguments, "seed", 0);
    run->steps = arguments_count(arguments, "steps", 0);
    run->epochs = arguments_count(arguments, "epochs", 0);
    run->save_every = arguments_count(arguments, "save-every", 0);
    run->keep = arguments_count(arguments, "keep", 0);
    run->sample_every = arguments_count(arguments, "sample-every", 0);
    run->sample_count = arguments_count(arguments, "sample-count", 0);
    run->sample_entry = arguments_text(arguments, "sample-program");
    out->out = arguments_text(arguments, "out");
    out->resume = arguments_has(arguments, "resume");
    out->fork = arguments_text(arguments, "fork");
    out->stop_at = arguments_count(arguments, "stop-at", 0);
    out->profile = arguments_has(arguments, "profile");
    out->device = (DeviceOptions){.choice = arguments_text(arguments, "device"),
                                  .validation = arguments_has(arguments, "validation"),
                                  .trace = arguments_has(arguments, "trace")};
    out->log = stderr;
    if (run->sample_every && !run->sample_entry) {
        const ProgramEntry *sampler = common_entry(arguments, program, NULL, false);
        run->sample_entry = sampler ? sampler->name : NULL;
        return sampler != NULL;
    }
    return true;
}

// What the run recorded of its schedules, where one is resumed; and its program's name.
static const char *stored_schedules(Arguments *arguments, const char **entry) {
    const char *folder = arguments_text(arguments, "out");
    Run stored;
    if (!arguments_has(arguments, "resume") || !run_exists(folder) || !run_read(arguments->arena, folder, &stored, diag_create(arguments->arena)))
        return NULL; // what is wrong with it is told by who resumes it
    *entry = *entry ? *entry : stored.entry;
    return stored.schedules ? stored.schedules : "";
}

// ---- tuning before a run begins

enum { TUNE_LEAST = 10, TUNE_MOST = 600 }; // seconds
static const double TUNE_SHARE = 0.05;     // of the training's time

// About how long the tuning may take; 0: it is not worth while.
static double tuning_seconds(Arguments *arguments, const ProgramEntry *entry, const Schedules *schedules, uint32_t *steps) {
    TrainOptions train = {0};
    DeviceModel model = schedules->device.target.model;
    Diag *trial = diag_create(arguments->arena); // what is wrong is told by train_run
    double step;
    measure_kept(arguments->arena, &schedules->device, &model, trial);
    if (!fill(arguments, entry, schedules->built.program, &train) ||
        !train_estimate(arguments->arena, schedules->built.program, &train, &model, steps, &step, trial))
        return 0;
    double seconds = TUNE_SHARE * *steps * step;
    return seconds < TUNE_LEAST ? 0 : seconds < TUNE_MOST ? seconds : TUNE_MOST;
}

// Searches, keeps what it finds, and says so. False: the user wants no training any more.
static bool tune_first(Arguments *arguments, const Program *bundle, const ProgramEntry *entry, Schedules *schedules) {
    Arena *arena = arguments->arena;
    uint32_t steps = 0;
    double seconds = tuning_seconds(arguments, entry, schedules, &steps);
    Module *module = seconds > 0 ? common_read_module(arguments, arguments->operands.items[0], false, entry->name) : NULL;
    InterruptHandlers handlers;
    TuneResult result;
    TuneOptions tune = {.entry = entry->name, .seconds = seconds, .share = TUNE_SHARE, .steps = steps, .seed = arguments_seed(arguments, "seed", 0),
                        .known = record_works(record_read(arena, &schedules->device, diag_create(arena))),
                        .device = schedules_device(arguments, entry), .interrupted = interrupt_flag(), .activity = arguments->activity};
    if (!module || !schedules_plain(arguments, bundle))
        return diag_error_count(arguments->diag) == 0;
    activity_end(arguments->activity);
    fprintf(stderr, "tuning first, since nobody has tuned %s here: at most %.0f s, a twentieth of the training (--schedule default trains without)\n", entry->name, seconds);
    arguments_flush(arguments);
    interrupt_catch(&handlers);
    bool good = tune_program(arena, module, &bundle->target, &tune, &result, diag_create(arena)), is_over = interrupt_came();
    interrupt_restore(&handlers);
    if (is_over) {
        diag_error(arguments->diag, NULL, "interrupted while tuning: nothing was trained, and nothing is kept");
        return false;
    }
    if (!good)
        return true; // it will not train either, and say why
    record_keep(arena, &schedules->device, bundle->name, entry->name, &result, arguments->diag);
    fprintf(stderr, "tuned in %.0f s: %s\n", result.seconds,
            result.winners.count ? arena_format(arena, "a step takes %.4g ms instead of %.4g ms", result.after * 1e3, result.before * 1e3) : "nothing makes a step faster");
    return schedules_open(arguments, bundle, entry->name, NULL, schedules);
}

static bool open_program(Arguments *arguments, Schedules *out) {
    const Program *bundle = common_read_bundle(arguments, arguments->operands.items[0]);
    const char *name = arguments_text(arguments, "program"), *stored = bundle ? stored_schedules(arguments, &name) : NULL;
    if (!bundle || !schedules_open(arguments, bundle, name, stored, out))
        return false;
    const ProgramEntry *entry = name ? program_entry(bundle, name) : common_entry(arguments, bundle, NULL, true);
    if (!out->may_tune || !entry || arguments_has(arguments, "resume") || arguments_has(arguments, "dry-run"))
        return true;
    return tune_first(arguments, bundle, entry, out);
}

static bool train(Arguments *arguments, const Schedules *schedules) {
    const Program *program = schedules->built.program;
    const char *name = arguments_text(arguments, "program");
    // A resumed run knows its program; a new one trains the first that trains.
    const ProgramEntry *entry = name || !arguments_has(arguments, "resume") ? common_entry(arguments, program, name, true) : NULL;
    TrainOptions train = {0};
    TrainResult result;
    Text plan = text_create(arguments->arena);
    if (diag_error_count(arguments->diag) > 0 || !fill(arguments, entry, program, &train))
        return false;
    train.run.schedules = schedules->text;
    if (arguments_has(arguments, "dry-run")) {
        activity_end(arguments->activity);
        bool good = train_plan(arguments->arena, program, &train, &plan, arguments->diag);
        fputs(plan.data, stdout);
        return good;
    }
    Module *module = common_read_preset(arguments, arguments->operands.items[0], NULL);
    if (!module)
        return false;
    train.architecture = summary_text(arguments->arena, module, program);
    arguments_flush(arguments); // warnings come before the first step
    if (!train_run(arguments->arena, program, &train, &result, arguments->diag))
        return false;
    printf("%s: step %u of %u%s%s\n", train.out, result.steps_done, result.steps, result.stopped ? ": " : "", result.stopped ? result.stopped : "");
    return true;
}

static int run(Arguments *arguments) {
    if (!arguments_text(arguments, "out"))
        return arguments_wrong(arguments, "--out RUN is missing: where shall the run go?");
    if (arguments_has(arguments, "steps") && arguments_has(arguments, "epochs"))
        return arguments_wrong(arguments, "--steps and --epochs are both given; either says how long");
    if (arguments_has(arguments, "resume") && arguments_has(arguments, "fork"))
        return arguments_wrong(arguments, "--resume goes on with a run, --fork begins another one: which?");
    Schedules opened;
    activity_begin(arguments->activity, "reading the bundle");
    bool good = open_program(arguments, &opened) && train(arguments, &opened);
    return good ? 0 : 1;
}

const Command train_command = {
    .usage = "BUNDLE --data SPEC --out RUN [--steps N|--epochs N] [options]\n"
             "BUNDLE --out RUN --resume [--steps N|--epochs N] [--stop-at N]\n"
             "BUNDLE --out RUN --fork OTHER [options]",
    .description =
        "Trains a bundle. RUN gets checkpoints (safetensors), metrics.jsonl, metrics.csv, the loss curves loss.png (anew every 30\n"
        "seconds; reports of very different size in panels of their own), architecture.txt and previews; at the end one of 10 images,\n"
        "where a program can make them of noise, its inputs' defaults and the data's texts. A run that exists is never\n"
        "overwritten: --resume goes on with it, bit for bit as if it had never stopped. Ctrl-C finishes the step, saves, and says\n"
        "how to resume; --data then says where a data set lies that was moved. --resume --steps N prolongs a run, finished or\n"
        "not: states, data order and counts go on, and schedules over `steps` see the new total from then on, which run.json\n"
        "records. A run that its program's \"stop\" has ended is finished: run.json says why, and --resume says so. --fork begins\n"
        "a new run of a changed graph, at step 0, with the weights, moments, averages and counts of another: what has no equal\n"
        "there (moments of another rule are none) begins anew, and fork.txt names it.",
    .examples = "train build/ddpm.ggb --data mnist --out runs/ddpm\n"
                "train build/ddpm.ggb --data mnist --out runs/ddpm --steps 2000 --sample-every 200 --sample-program sample_ddim\n"
                "train build/ddpm.ggb --out runs/ddpm --resume\n"
                "train build/ddpm.ggb --out runs/ddpm --resume --steps 60000\n"
                "train build/ddpm_wide.ggb --out runs/ddpm_wide --fork runs/ddpm",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
