// Task: see task.h.
#include "compiler/reference/task.h"
#include "compiler/reference/device.h"
#include "compiler/reference/interpret.h"
#include "runtime/base/file.h"
#include "runtime/sample/weights.h"

bool task_check(Arena *arena, const Task *task, Diag *diag) {
    const ProgramEntry *entry = task->entry;
    const char **known = ARENA_NEW(arena, const char *, entry->phases.count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        if (accumulate_is_led(entry->phases.items[i].part))
            continue;
        known[count++] = entry->phases.items[i].name;
        if (!task->phase || strcmp(task->phase, known[count - 1]) == 0)
            return true;
    }
    diag_error(diag, NULL, "the program \"%s\" has no phase \"%s\"%s", entry->name, task->phase,
               text_suggestion(arena, task->phase, known, count));
    return false;
}

static bool save(Arena *arena, const Task *task, const char *digest, const HostTensor *tensors, uint32_t count, Diag *diag) {
    CheckpointInfo info = {.digest = digest,
                           .entry = task->entry->name,
                           .step = task->first_step + task->steps,
                           .steps = task->first_step + task->steps,
                           .seed = task->seed,
                           .data_position = "",
                           .schedules = ""};
    if (!file_make_folders(task->save, diag) || !checkpoint_write(task->save, &info, tensors, count, 0, diag))
        return false;
    fprintf(task->log, "%s\n", checkpoint_path(arena, task->save, info.step));
    return true;
}

static bool open_batches(Arena *arena, const Task *task, const Program *program, Batches *out, Diag *diag) {
    BatchesOptions wanted = {.program = program,
                             .entry = task->entry,
                             .specs = task->data,
                             .spec_count = task->data_count,
                             .seed = task->seed,
                             .first = task->first_step,
                             .end = task->first_step + task->steps,
                             .is_plain = task->phase != NULL};
    return batches_open(arena, &wanted, out, diag);
}

// ---- interpreted

static bool load_states(Arena *arena, const Checkpoint *start, StateParts *parts, Diag *diag) {
    for (uint32_t i = 0; start && i < parts->count; i++) {
        StatePart *part = &parts->items[i];
        const HostTensor *tensor = tensor_file_find(&start->file, part->name);
        Tensor given;
        if (!tensor && part->state->kind == STATE_PARAMETERS) {
            diag_error(diag, &(Place){.file = start->path}, "holds no %s", part->name);
            return false;
        }
        if (!tensor)
            continue;
        if (!dump_tensor_from(arena, part->name, tensor, &part->type, &given, diag))
            return false;
        memcpy(part->data, given.data, sizeof(double) * type_count(&part->type));
    }
    return true;
}

// Checkpoints hold single precision.
static bool save_interpreted(Arena *arena, const Task *task, const char *digest, const StateParts *parts, Diag *diag) {
    HostTensor *tensors = ARENA_NEW(arena, HostTensor, parts->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < parts->count; i++) {
        const StatePart *part = &parts->items[i];
        if (part->state->kind == STATE_PROGRAM)
            continue;
        Tensor tensor = {part->type, part->data};
        HostTensor host = dump_tensor_to(arena, &tensor);
        if (host.dtype == ELEMENT_F64) {
            float *single = ARENA_NEW(arena, float, type_count(&part->type));
            for (uint64_t k = 0; k < type_count(&part->type); k++)
                single[k] = (float)part->data[k];
            host.dtype = ELEMENT_F32;
            host.data = single;
            host.size = sizeof *single * type_count(&part->type);
        }
        host.name = part->name;
        tensors[count++] = host;
    }
    return save(arena, task, digest, tensors, count, diag);
}

bool task_interpret(Arena *arena, const Task *task, const Module *module, const Program *program, Diag *diag) {
    Batches data;
    Inputs inputs;
    ClassLists classes = task->start ? classes_of_run(arena, task->start->path) : (ClassLists){0};
    if (!dump_inputs(task->files, program, task->entry, &classes, &inputs) || !open_batches(arena, task, program, &data, diag))
        return false;
    States states = states_create(arena, module, task->seed);
    StateParts parts = states_parts(&states, task->entry->name);
    Interpretation run = {.module = module,
                          .entry = module_program(module, task->entry->name),
                          .planned = task->entry,
                          .phase = task->phase,
                          .files = task->files,
                          .seed = task->seed,
                          .first_step = task->first_step,
                          .steps = task->steps,
                          .states = &states,
                          .data = &data,
                          .inputs = &inputs,
                          .log = task->log};
    bool good = load_states(arena, task->start, &parts, diag) && interpret_program(arena, &run, diag);
    batches_close(&data);
    return good && (!task->save || save_interpreted(arena, task, program->digest, &parts, diag));
}

// ---- on a device

bool task_run(Arena *arena, const Task *task, Device *device, const Program *program, Diag *diag) {
    Batches data;
    Inputs inputs;
    ClassLists classes = task->start ? classes_of_run(arena, task->start->path) : (ClassLists){0};
    if (!dump_inputs(task->files, program, task->entry, &classes, &inputs) || !open_batches(arena, task, program, &data, diag))
        return false;
    SessionOptions session_options = {.seed = task->seed, .only_entry = task->entry->name};
    Session *session = session_create(arena, device, program, &session_options, diag);
    DeviceRun run = {.program = program,
                     .entry = task->entry,
                     .phase = task->phase,
                     .files = task->files,
                     .data = &data,
                     .inputs = &inputs,
                     .session = session,
                     .first_step = task->first_step,
                     .steps = task->steps,
                     .log = task->log};
    bool good = session && session_initialise(session, diag) &&
                (!task->start || weights_set(session, program, task->start, CHECKPOINT_WEIGHTS, diag)) && device_run(arena, &run, diag);
    HostTensor *tensors = NULL;
    uint32_t count = 0;
    if (good && task->save)
        good = weights_get(session, program, arena, &tensors, &count, diag) && save(arena, task, program->digest, tensors, count, diag);
    session_destroy(&session);
    batches_close(&data);
    return good;
}

void task_emit_values(Module *module) {
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
