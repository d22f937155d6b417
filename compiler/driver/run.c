// `run`: any program, any tensor in and out, on a device or interpreted.
#include "compiler/built.h"
#include "compiler/driver/common.h"
#include "compiler/reference/task.h"
#include "runtime/run/run.h"

static const Option options[] = {
    {"set", 0, OPTION_TEXT, true, "NAME=VALUE|DIR", "an input, or a state, feed or draw as FILE.npy; or a folder of them, named as a dump"},
    {"get", 0, OPTION_TEXT, true, "NAME=FILE|DIR", "writes a state, report, emit, value or gradient as .npy; or all into a folder"},
    {"from", 0, OPTION_TEXT, false, "RUN|FILE", "starts from a run's newest checkpoint, or from a .safetensors file"},
    {"save", 0, OPTION_TEXT, false, "DIR", "writes a checkpoint of the end, into no training's folder"},
    {"steps", 0, OPTION_COUNT, false, "N", "how many steps (default 1)"},
    {"data", 0, OPTION_TEXT, true, "SPEC", "a data set for the feeds, [NAME=]mnist, images:DIR ... (see gcc-graph data)"},
    {"interpret", 0, OPTION_FLAG, false, NULL, "runs in double precision on the CPU, without a device"},
    COMMON_DEVICE_OPTIONS,
    COMMON_GRAPH_OPTIONS,
    COMMON_SEED_OPTION,
};

typedef struct {
    Arguments *arguments;
    const char *path;    // bundle or graph
    const char *program; // its name
    Dump files;
    Task task;
} Work;

// Data sets and entry names are the program's business; of a graph it is made in memory.
static const Program *plan_of(const Work *work, const Module *module) {
    if (common_is_bundle(work->path))
        return common_read_bundle(work->arguments, work->path);
    CompileOptions compile = {.target = target_default(TARGET_ANY), .no_spirv = true};
    Compiled *compiled = compile_module(work->arguments->arena, module, &compile, NULL, work->arguments->diag);
    return compiled ? compiled->program : NULL;
}

static bool find_entry(Work *work, const Program *program) {
    work->task.entry = program ? common_entry(work->arguments, program, work->program, false) : NULL;
    return work->task.entry && task_check(work->arguments->arena, &work->task, work->arguments->diag);
}

static bool run_interpreted(Work *work) {
    Module *module = common_read_module(work->arguments, work->path, dump_wants_values(&work->files), work->program);
    const Program *program = module ? plan_of(work, module) : NULL;
    return find_entry(work, program) && task_interpret(work->arguments->arena, &work->task, module, program, work->arguments->diag);
}

// Values are only computed where the program is compiled for it.
static const Program *open_program(Work *work, const Device *device) {
    Arguments *arguments = work->arguments;
    bool wants_values = dump_wants_values(&work->files);
    if (common_is_bundle(work->path) && !wants_values)
        return common_read_bundle(arguments, work->path);
    Module *module = common_read_module(arguments, work->path, wants_values, work->program);
    CompileOptions compile = {.target = device_info(device)->target, .progress = activity_progress, .progress_context = arguments->activity};
    if (module)
        task_emit_values(module);
    Built built;
    return module && built_make(arguments->arena, module, &compile, &built, arguments->diag) ? built.program : NULL;
}

static bool run_on_device(Work *work) {
    Arguments *arguments = work->arguments;
    Device *device = common_device(arguments, NULL);
    const Program *program = device ? open_program(work, device) : NULL;
    bool good = find_entry(work, program);
    if (good) {
        common_check_class(arguments, program, device);
        good = task_run(arguments->arena, &work->task, device, program, arguments->diag);
        common_check_validation(arguments, device);
    }
    device_destroy(&device);
    return good;
}

static int run(Arguments *arguments) {
    const char *name = arguments->operands.items[1], *slash = strchr(name, '/'), *from = arguments_text(arguments, "from");
    Work work = {.arguments = arguments,
                 .path = arguments->operands.items[0],
                 .program = slash ? arena_copy_bytes(arguments->arena, name, (size_t)(slash - name)) : name};
    work.task = (Task){.phase = slash ? slash + 1 : NULL,
                       .seed = arguments_seed(arguments, "seed", 0),
                       .steps = arguments_count(arguments, "steps", 1),
                       .files = &work.files,
                       .save = arguments_text(arguments, "save"),
                       .log = stdout};
    work.task.data = arguments_all(arguments, "data", &work.task.data_count);
    if (work.task.save && run_exists(work.task.save)) { // --resume would go on from what no training did
        diag_error(arguments->diag, &(Place){.file = work.task.save},
                   "a training's run is there, and its checkpoints are its own; choose another --save");
        return 1;
    }
    DumpWords given = {0}, wanted = {0};
    given.items = arguments_all(arguments, "set", &given.count);
    wanted.items = arguments_all(arguments, "get", &wanted.count);
    if (!dump_open(arguments->arena, &given, &wanted, &work.files, arguments->diag))
        return 1;
    Checkpoint start;
    if (from && !checkpoint_read_from(arguments->arena, from, &start, arguments->diag))
        return 1;
    work.task.start = from ? &start : NULL;
    work.task.first_step = from && start.info.digest ? start.info.step : 0;
    bool good = arguments_has(arguments, "interpret") ? run_interpreted(&work) : run_on_device(&work);
    return good && dump_close(&work.files) ? 0 : 1;
}

const Command run_command = {
    .usage = "BUNDLE|GRAPH.json PROGRAM[/PHASE] [--set NAME=VALUE|DIR]... [--get NAME=FILE|DIR]... [--interpret]",
    .description =
        "Runs a program, or one phase of it, with tensors of yours: states (unet.conv2d.weight), inputs, feeds (x0) and, interpreted,\n"
        "draws. Reports and emits are printed; --get writes them, states, named values (values/train.denoise.x_t) and gradients\n"
        "(gradients/opt.unet.conv2d.weight). A folder holds before/ after/ feeds/ draws/ report/ values/ gradients/ emits/ with names\n"
        "NAME@STEP.REPETITION.npy. A checkpoint that --from names also says at which step to go on.\n" COMMON_INPUT_HELP,
    .examples = "run build/ddpm.ggb train --data mnist --steps 3 --get loss=loss.npy\n"
                "run graphs/wgan_gp.json train --preset check --interpret --set dump --get out\n"
                "run build/upscale.ggb enlarge --set low=photo.jpg --set strength=0.5 --get high=high.npy\n"
                "run build/ddpm.ggb forward_process/show --set forward_process.x0=image.npy --get forward=strip.npy",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};
