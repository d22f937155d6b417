// `run`: any program, any tensor in and out, on a device or interpreted.
#include "compiler/built.h"
#include "compiler/driver/common.h"
#include "compiler/reference/device.h"
#include "compiler/reference/interpret.h"
#include "runtime/run/run.h"
#include "runtime/sample/weights.h"

static const Option options[] = {
    {"set", 0, OPTION_TEXT, true, "NAME=VALUE|DIR", "an input, or a state, feed or draw as FILE.npy; or a folder of them, named as a dump"},
    {"get", 0, OPTION_TEXT, true, "NAME=FILE|DIR", "writes a state, report, emit, value or gradient as .npy; or all into a folder"},
    {"from", 0, OPTION_TEXT, false, "RUN|FILE", "starts from a run's newest checkpoint, or from a .safetensors file"},
    {"save", 0, OPTION_TEXT, false, "DIR", "writes a checkpoint of the end, into no training's folder"},
    {"steps", 0, OPTION_COUNT, false, "N", "how many steps (default 1)"},
    {"data", 0, OPTION_TEXT, true, "SPEC", "a data set for the feeds, [NAME=]mnist, idx:DIR ... (see gcc-graph data)"},
    {"interpret", 0, OPTION_FLAG, false, NULL, "runs in double precision on the CPU, without a device"},
    COMMON_DEVICE_OPTIONS,
    COMMON_GRAPH_OPTIONS,
    COMMON_SEED_OPTION,
};

typedef struct {
    Arguments *arguments;
    const char *path; // bundle or graph
    const char *program, *phase;
    uint64_t seed;
    uint32_t first_step, steps;
    Dump files;
    bool has_checkpoint;
    Checkpoint checkpoint;
} Work;

static bool check_phase(const Work *work, const ProgramEntry *entry) {
    const char **known = ARENA_NEW(work->arguments->arena, const char *, entry->phases.count + 1);
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        known[i] = entry->phases.items[i].name;
        if (!work->phase || strcmp(work->phase, known[i]) == 0)
            return true;
    }
    diag_error(work->arguments->diag, NULL, "the program \"%s\" has no phase \"%s\"%s", entry->name, work->phase,
               text_suggestion(work->arguments->arena, work->phase, known, entry->phases.count));
    return false;
}

static bool save(const Work *work, const ProgramEntry *entry, const char *digest, const HostTensor *tensors, uint32_t count) {
    const char *folder = arguments_text(work->arguments, "save");
    CheckpointInfo info = {.digest = digest,
                           .entry = entry->name,
                           .step = work->first_step + work->steps,
                           .steps = work->first_step + work->steps,
                           .seed = work->seed,
                           .data_position = "",
                           .schedules = ""};
    if (!file_make_folders(folder, work->arguments->diag) || !checkpoint_write(folder, &info, tensors, count, 0, work->arguments->diag))
        return false;
    printf("%s\n", checkpoint_path(work->arguments->arena, folder, info.step));
    return true;
}

static bool open_batches(const Work *work, const Program *program, const ProgramEntry *entry, Batches *out) {
    BatchesOptions wanted = {.program = program,
                              .entry = entry,
                              .seed = work->seed,
                              .first = work->first_step,
                              .end = work->first_step + work->steps};
    wanted.specs = arguments_all(work->arguments, "data", &wanted.spec_count);
    return batches_open(work->arguments->arena, &wanted, out, work->arguments->diag);
}

// ---- interpreted

static bool load_states(const Work *work, StateParts *parts) {
    for (uint32_t i = 0; work->has_checkpoint && i < parts->count; i++) {
        StatePart *part = &parts->items[i];
        const HostTensor *tensor = tensor_file_find(&work->checkpoint.file, part->name);
        Tensor given;
        if (!tensor && part->state->kind == STATE_PARAMETERS) {
            diag_error(work->arguments->diag, &(Place){.file = work->checkpoint.path}, "holds no %s", part->name);
            return false;
        }
        if (!tensor)
            continue;
        if (!dump_tensor_from(work->arguments->arena, part->name, tensor, &part->type, &given, work->arguments->diag))
            return false;
        memcpy(part->data, given.data, sizeof(double) * type_count(&part->type));
    }
    return true;
}

// Checkpoints hold single precision.
static bool save_interpreted(const Work *work, const ProgramEntry *entry, const char *digest, const StateParts *parts) {
    HostTensor *tensors = ARENA_NEW(work->arguments->arena, HostTensor, parts->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < parts->count; i++) {
        const StatePart *part = &parts->items[i];
        if (part->state->kind == STATE_PROGRAM)
            continue;
        Tensor tensor = {part->type, part->data};
        HostTensor host = dump_tensor_to(work->arguments->arena, &tensor);
        if (host.dtype == HOST_F64) {
            float *single = ARENA_NEW(work->arguments->arena, float, type_count(&part->type));
            for (uint64_t k = 0; k < type_count(&part->type); k++)
                single[k] = (float)part->data[k];
            host.dtype = HOST_F32;
            host.data = single;
            host.size /= 2;
        }
        host.name = part->name;
        tensors[count++] = host;
    }
    return save(work, entry, digest, tensors, count);
}

// Data sets and entry names are the program's business; of a graph it is made in memory.
static const Program *plan_of(const Work *work, const Module *module) {
    if (common_is_bundle(work->path))
        return common_read_bundle(work->arguments, work->path);
    CompileOptions compile = {.target = target_default(TARGET_ANY), .no_spirv = true};
    Compiled *compiled = compile_module(work->arguments->arena, module, &compile, NULL, work->arguments->diag);
    return compiled ? compiled->program : NULL;
}

static bool run_interpreted(Work *work) {
    Arguments *arguments = work->arguments;
    Module *module = common_read_module(arguments, work->path, dump_wants_values(&work->files), work->program);
    const Program *program = module ? plan_of(work, module) : NULL;
    const ProgramEntry *entry = program ? common_entry(arguments, program, work->program, false) : NULL;
    Batches data;
    Inputs inputs;
    if (!entry || !check_phase(work, entry) || !dump_inputs(&work->files, entry, &inputs) ||
        !open_batches(work, program, entry, &data))
        return false;
    States states = states_create(arguments->arena, module, work->seed);
    StateParts parts = states_parts(&states, entry->name);
    Interpretation run = {.module = module,
                        .entry = module_program(module, entry->name),
                        .phase = work->phase,
                        .files = &work->files,
                        .seed = work->seed,
                        .first_step = work->first_step,
                        .steps = work->steps,
                        .states = &states,
                        .data = &data,
                        .inputs = &inputs};
    bool good = load_states(work, &parts) && interpret_program(arguments->arena, &run, arguments->diag);
    batches_close(&data);
    return good && (!arguments_has(arguments, "save") || save_interpreted(work, entry, program->digest, &parts));
}

// ---- on a device

static bool run_session(Work *work, Device *device, const Program *program, const ProgramEntry *entry) {
    Arguments *arguments = work->arguments;
    Batches data;
    Inputs inputs;
    if (!dump_inputs(&work->files, entry, &inputs) ||
        !open_batches(work, program, entry, &data))
        return false;
    SessionOptions session_options = {.seed = work->seed, .only_entry = entry->name};
    Session *session = session_create(arguments->arena, device, program, &session_options, arguments->diag);
    DeviceRun run = {.program = program,
                     .entry = entry,
                     .phase = work->phase,
                     .files = &work->files,
                     .data = &data,
                     .inputs = &inputs,
                     .session = session,
                     .first_step = work->first_step,
                     .steps = work->steps};
    bool good = session && session_initialise(session, arguments->diag) &&
                (!work->has_checkpoint || weights_set(session, program, &work->checkpoint, CHECKPOINT_WEIGHTS, arguments->diag)) &&
                device_run(arguments->arena, &run, arguments->diag);
    HostTensor *tensors = NULL;
    uint32_t count = 0;
    if (good && arguments_has(arguments, "save"))
        good = weights_get(session, program, arguments->arena, &tensors, &count, arguments->diag) &&
               save(work, entry, program->digest, tensors, count);
    session_destroy(&session);
    batches_close(&data);
    return good;
}

// Named values and gradients become emits, which a device computes.
static void emit_values(Module *module) {
    for (uint32_t i = 0; i < module->programs.count; i++)
        for (uint32_t k = 0; k < module->programs.items[i].phases.count; k++) {
            Graph *phase = module->programs.items[i].phases.items[k].graph;
            for (uint32_t o = 0; o < phase->outputs.count; o++)
                if (phase->outputs.items[o].kind == OUTPUT_VALUE) {
                    phase->outputs.items[o].kind = OUTPUT_EMIT;
                    phase->outputs.items[o].format = RESULT_TENSOR;
                }
        }
}

// Values are only computed where the program is compiled for it.
static bool open_program(Work *work, const Device *device, Built *out) {
    Arguments *arguments = work->arguments;
    bool wants_values = dump_wants_values(&work->files);
    *out = (Built){0};
    if (common_is_bundle(work->path) && !wants_values) {
        out->program = common_read_bundle(arguments, work->path);
        return out->program != NULL;
    }
    Module *module = common_read_module(arguments, work->path, wants_values, work->program);
    CompileOptions compile = {.target = device_info(device)->target, .progress = activity_progress, .progress_context = arguments->activity};
    if (module)
        emit_values(module);
    return module && built_make(arguments->arena, module, &compile, out, arguments->diag);
}

static bool run_on_device(Work *work) {
    Arguments *arguments = work->arguments;
    Device *device = common_device(arguments, NULL);
    Built opened = {0};
    bool good = device && open_program(work, device, &opened);
    const ProgramEntry *entry = good ? common_entry(arguments, opened.program, work->program, false) : NULL;
    good = entry && check_phase(work, entry);
    if (good) {
        common_check_class(arguments, opened.program, device);
        good = run_session(work, device, opened.program, entry);
        common_check_validation(arguments, device);
    }
    device_destroy(&device);
    return good;
}

static int run(Arguments *arguments) {
    const char *name = arguments->operands.items[1], *slash = strchr(name, '/'), *from = arguments_text(arguments, "from");
    Work work = {.arguments = arguments,
                 .path = arguments->operands.items[0],
                 .program = slash ? arena_copy_bytes(arguments->arena, name, (size_t)(slash - name)) : name,
                 .phase = slash ? slash + 1 : NULL,
                 .seed = arguments_seed(arguments, "seed", 0),
                 .steps = arguments_count(arguments, "steps", 1)};
    const char *save_to = arguments_text(arguments, "save");
    if (save_to && run_exists(save_to)) { // --resume would go on from what no training did
        diag_error(arguments->diag, &(Place){.file = save_to},
                   "a training's run is there, and its checkpoints are its own; choose another --save");
        return 1;
    }
    DumpWords given = {0}, wanted = {0};
    given.items = arguments_all(arguments, "set", &given.count);
    wanted.items = arguments_all(arguments, "get", &wanted.count);
    if (!dump_open(arguments->arena, &given, &wanted, &work.files, arguments->diag))
        return 1;
    work.has_checkpoint = from != NULL;
    if (from && !checkpoint_read_from(arguments->arena, from, &work.checkpoint, arguments->diag))
        return 1;
    work.first_step = from && work.checkpoint.info.digest ? work.checkpoint.info.step : 0;
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
