// `train`: the options of a training run.
#include "runtime/train/train.h"
#include "compiler/built.h"
#include "compiler/driver/common.h"
#include "compiler/summary.h"

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
    {"schedule", 0, OPTION_TEXT, false, "reference", "the simplest kernels (default: those that the bundle holds)"},
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

// --schedule reference: the bundle's graph compiled anew.
static bool open_program(Arguments *arguments, const char *schedule, Built *out) {
    const char *bundle = arguments->operands.items[0];
    *out = (Built){.program = common_read_bundle(arguments, bundle)};
    if (!out->program || !schedule || strcmp(schedule, "reference") != 0)
        return out->program != NULL;
    Module *module = common_read_preset(arguments, bundle, NULL);
    CompileOptions compile = {.target = out->program->target,
                              .reference_schedule = true,
                              .progress = activity_progress,
                              .progress_context = arguments->activity};
    return module && built_make(arguments->arena, module, &compile, out, arguments->diag);
}

static bool train(Arguments *arguments, const Program *program) {
    const char *name = arguments_text(arguments, "program");
    // A resumed run knows its program; a new one trains the first that trains.
    const ProgramEntry *entry = name || !arguments_has(arguments, "resume") ? common_entry(arguments, program, name, true) : NULL;
    TrainOptions train = {0};
    TrainResult result;
    Text plan = text_create(arguments->arena);
    if (diag_error_count(arguments->diag) > 0 || !fill(arguments, entry, program, &train))
        return false;
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
    const char *schedule = arguments_text(arguments, "schedule");
    if (!arguments_text(arguments, "out"))
        return arguments_wrong(arguments, "--out RUN is missing: where shall the run go?");
    if (arguments_has(arguments, "steps") && arguments_has(arguments, "epochs"))
        return arguments_wrong(arguments, "--steps and --epochs are both given; either says how long");
    if (schedule && strcmp(schedule, "tuned") == 0)
        return arguments_wrong(arguments, "--schedule tuned: no tuner exists yet; without --schedule, kernels are those that the bundle holds");
    if (schedule && strcmp(schedule, "reference") != 0)
        return arguments_wrong(arguments, "--schedule: \"%s\" is unknown; known: reference", schedule);
    if (arguments_has(arguments, "resume") && arguments_has(arguments, "fork"))
        return arguments_wrong(arguments, "--resume goes on with a run, --fork begins another one: which?");
    Built opened;
    activity_begin(arguments->activity, "reading the bundle");
    bool good = open_program(arguments, schedule, &opened) && train(arguments, opened.program);
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
