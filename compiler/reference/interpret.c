// Interpret: steps, phases and repetitions, with states in double between them.
#include "compiler/reference/interpret.h"
#include "compiler/ir/differentiate.h"
#include <math.h>

typedef struct {
    const Interpretation *run;
    Arena *arena; // of one repetition
    Diag *diag;
    const Phase *phase;
    const Graph *graph; // of the phase, differentiated
    Turns *turns;       // NULL: a phase alone, in each step
    uint32_t epoch_steps;
    uint32_t step, repetition, index; // see Moment
    uint32_t turn;                    // how often the phase ran before
    const char *moment; // "3.0"
    bool failed;
} Running;

static const Feed *find_feed(const Running *running, const char *name) {
    for (uint32_t i = 0; i < running->phase->feeds.count; i++)
        if (strcmp(running->phase->feeds.items[i].name, name) == 0)
            return &running->phase->feeds.items[i];
    for (uint32_t i = 0; i < running->run->entry->inputs.count; i++)
        if (strcmp(running->run->entry->inputs.items[i].name, name) == 0)
            return &running->run->entry->inputs.items[i];
    return NULL;
}

static const Tensor *keep(Running *running, const Tensor *tensor) {
    Tensor *copy = ARENA_NEW(running->arena, Tensor, 1);
    *copy = *tensor;
    return copy;
}

static const Tensor *source_state(void *context, const char *name) { return states_get(((Running *)context)->run->states, name); }

static bool read_batch(Running *running, const Feed *feed, Tensor *out) {
    Batches *data = running->run->data;
    uint32_t phase = (uint32_t)(running->phase - running->run->entry->phases.items);
    if (!batches_seek(data, running->turn, phase, running->repetition, running->diag))
        return false;
    *out = tensor_create(running->arena, &feed->type);
    batches_elements_to_tensor(data->batch.feeds[feed - running->phase->feeds.items], out);
    return true;
}

static bool read_input(Running *running, const Feed *feed, const char *full, Tensor *out) {
    HostTensor given = inputs_tensor(running->arena, &running->run->inputs->items[feed - running->run->entry->inputs.items], 0);
    return dump_tensor_from(running->arena, full, &given, &feed->type, out, running->diag);
}

static bool read_feed(Running *running, const Feed *feed, const char *full, Tensor *out) {
    const HostTensor *given = dump_find(running->run->files, "feeds", full, running->moment);
    const Field *field = module_field(running->run->module, feed);
    if (given)
        return dump_labels_fit(full, given, field ? field->below : 0, running->diag) &&
               dump_tensor_from(running->arena, full, given, &feed->type, out, running->diag);
    if (running->run->data->loader)
        return read_batch(running, feed, out);
    diag_error(running->diag, NULL, "nothing is given for the feed \"%s\": --set %s=FILE.npy, or --data SPEC", feed->name, feed->name);
    return false;
}

static const Tensor *source_feed(void *context, const char *name) {
    Running *running = context;
    const Interpretation *run = running->run;
    const Feed *feed = find_feed(running, name);
    if (!feed)
        return NULL;
    const char *full = feed->data ? arena_format(running->arena, "%s.%s.%s", run->entry->name, running->phase->name, name)
                                  : arena_format(running->arena, "%s.%s", run->entry->name, name);
    Tensor tensor = {0};
    if (!(feed->data ? read_feed : read_input)(running, feed, full, &tensor)) {
        running->failed = true;
        return NULL;
    }
    HostTensor host = dump_tensor_to(running->arena, &tensor);
    running->failed = !dump_put(run->files, "feeds", full, running->moment, &host) || running->failed;
    return keep(running, &tensor);
}

static bool is_draw(const Node *node) {
    return node->op == OP_random_normal || node->op == OP_random_uniform || node->op == OP_random_integer;
}

static const Tensor *source_draw(void *context, const char *name) {
    Running *running = context;
    const HostTensor *given = dump_find(running->run->files, "draws", name, running->moment);
    if (!given)
        return NULL;
    const Graph *graph = running->graph;
    for (uint32_t id = 1; id < graph->nodes.count; id++) { // the draw's own type
        const Node *node = &graph->nodes.items[id];
        Tensor tensor = {0};
        if (!is_draw(node) || strcmp(attr_of(node, ATTR_name)->text, name) != 0)
            continue;
        if (dump_tensor_from(running->arena, name, given, &node->type, &tensor, running->diag))
            return keep(running, &tensor);
        running->failed = true;
        return NULL;
    }
    return NULL;
}

static bool put(Running *running, const char *kind, const char *name, const Tensor *tensor) {
    HostTensor host = dump_tensor_to(running->arena, tensor);
    host.name = name;
    return dump_put(running->run->files, kind, name, running->moment, &host);
}

static void print_emit(const Running *running, const Output *output, const Tensor *tensor) {
    uint64_t count = type_count(&tensor->type);
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < count; i++)
        sum += tensor->data[i];
    for (uint64_t i = 0; i < count; i++)
        squares += (tensor->data[i] - sum / (double)count) * (tensor->data[i] - sum / (double)count);
    fprintf(running->run->log, "emit %s@%s %s %s mean %.6g std %.6g\n", output->name, running->moment, result_format_names[output->format], type_text(running->arena, &tensor->type),
           sum / (double)count, sqrt(squares / (double)count));
}

// "values/train.both.fake" is of kind values.
static bool put_value(Running *running, const char *name, const Tensor *tensor) {
    const char *slash = strchr(name, '/');
    if (!slash)
        return put(running, "values", name, tensor);
    return put(running, arena_copy_bytes(running->arena, name, (size_t)(slash - name)), slash + 1, tensor);
}

static bool take_output(Running *running, const Output *output, const Tensor *values) {
    const Tensor *tensor = &values[output->value.id];
    const char *title = running->phase->title ? running->phase->title : running->phase->name;
    const char *name = arena_format(running->arena, "%s.%s.%s", running->run->entry->name, title, output->name);
    switch (output->kind) {
    case OUTPUT_STATE:
        return true; // stored when all outputs are computed
    case OUTPUT_REPORT:
        fprintf(running->run->log, "%s@%s %.9g\n", name, running->moment, isnan(tensor->data[0]) ? fabs(tensor->data[0]) : tensor->data[0]);
        return put(running, "report", name, tensor);
    case OUTPUT_EMIT:
        if (output->at.id && values[output->at.id].data[0] == 0)
            return true;
        print_emit(running, output, tensor);
        return put(running, "emits", output->name, tensor);
    case OUTPUT_VALUE:
        return put_value(running, output->name, tensor);
    }
    return true;
}

// The draws that the phase makes are dumped, too, so that another implementation can be given the same.
static void need_draws(Running *running, bool *needed) {
    const bool *reached = graph_reached(running->arena, running->graph);
    for (uint32_t id = 1; running->run->files->folder && id < running->graph->nodes.count; id++)
        needed[id] = needed[id] || (reached[id] && is_draw(&running->graph->nodes.items[id]));
}

static bool put_draws(Running *running, const Tensor *values) {
    for (uint32_t id = 1; running->run->files->folder && id < running->graph->nodes.count; id++) {
        const Node *node = &running->graph->nodes.items[id];
        if (is_draw(node) && values[id].data && !put(running, "draws", attr_of(node, ATTR_name)->text, &values[id]))
            return false;
    }
    return true;
}

static const Tensor *compute(Running *running, uint32_t records) {
    const Interpretation *run = running->run;
    const Graph *graph = running->graph;
    bool *needed = ARENA_NEW(running->arena, bool, graph->nodes.count);
    for (uint32_t i = 0; i < graph->outputs.count; i++) {
        needed[graph->outputs.items[i].value.id] = true;
        needed[graph->outputs.items[i].at.id] = true;
    }
    need_draws(running, needed);
    Sources sources = {.context = running,
                       .state = source_state,
                       .feed = source_feed,
                       .draw = source_draw,
                       .seed = run->seed,
                       .step = (int32_t)running->step,
                       .steps = (int32_t)(run->first_step + run->steps),
                       .epoch = (int32_t)(running->step / running->epoch_steps),
                       .epoch_steps = (int32_t)running->epoch_steps,
                       .repetition = (int32_t)running->repetition,
                       .index = (int32_t)running->index,
                       .records = (int32_t)records};
    return interpret(running->arena, graph, &sources, needed, running->diag);
}

static bool run_repetition(Running *running) {
    const Interpretation *run = running->run;
    const Graph *graph = running->graph;
    Arena *arena = running->arena;
    running->moment = arena_format(arena, "%u.%u", running->step, running->repetition);
    uint32_t records, batch = running->phase->feeds.count ? running->phase->feeds.items[0].batch : 0;
    uint32_t phase = (uint32_t)(running->phase - run->entry->phases.items);
    if (!batches_records(run->data, batch, running->turn, phase, running->repetition, &records, running->diag))
        return false;
    const Tensor *values = compute(running, records);
    if (!values || running->failed || !put_draws(running, values))
        return false;
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        if (!take_output(running, &graph->outputs.items[i], values))
            return false;
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        if (graph->outputs.items[i].kind == OUTPUT_STATE)
            states_set(run->states, graph->outputs.items[i].name, &values[graph->outputs.items[i].value.id]);
    return true;
}

static uint32_t repeats_of(const Interpretation *run, uint32_t phase) {
    if (run->data->loader)
        return loader_repeats(run->data->loader, phase);
    return run->entry->phases.items[phase].repeat ? run->entry->phases.items[phase].repeat : 1;
}

static bool has_turn(const Running *running, uint32_t phase) {
    const Interpretation *run = running->run;
    return run->phase ? strcmp(run->phase, run->entry->phases.items[phase].name) == 0 : turns_has(running->turns, running->step, phase);
}

// One repetition, or of an accumulating phase one run of a part.
static bool run_turn(Running *running, const Graph *const *graphs, uint32_t phase, uint32_t repetition) {
    running->phase = &running->run->entry->phases.items[phase];
    running->graph = graphs[phase];
    running->repetition = repetition;
    running->arena = arena_create();
    bool good = run_repetition(running);
    arena_destroy(&running->arena);
    return good;
}

// As session_play does it.
static bool run_batches(Running *running, const Graph *const *graphs, uint32_t batch) {
    const GraphProgram *entry = running->run->entry;
    uint32_t count = entry->phases.items[batch].batches;
    for (uint32_t done = 1; done <= count; done++) {
        if (!run_turn(running, graphs, batch, running->index * count + done - 1))
            return false;
        for (uint32_t i = batch + 1; i < entry->phases.count && accumulate_is_led(entry->phases.items[i].part); i++) {
            const Phase *part = &entry->phases.items[i];
            if (accumulate_runs(part->part, part->level, count, done) && !run_turn(running, graphs, i, running->index))
                return false;
        }
    }
    return true;
}

static bool run_phase(Running *running, const Graph *const *graphs, uint32_t phase) {
    PhasePart part = running->run->entry->phases.items[phase].part;
    running->turn = turns_before(running->turns, running->step, phase);
    for (running->index = 0; running->index < repeats_of(running->run, phase); running->index++)
        if (!(part == PART_BATCH ? run_batches(running, graphs, phase) : run_turn(running, graphs, phase, running->index)))
            return false;
    if (running->turns)
        turns_count(running->turns, phase);
    return true;
}

// What the program's conditions say at the end of a step.
static bool run_conditions(Running *running, const Graph *const *graphs, uint32_t step) {
    const ProgramPhase *conditions = running->turns ? running->turns->conditions : NULL;
    if (!conditions)
        return true;
    uint32_t index = (uint32_t)(conditions - running->run->planned->phases.items), count = conditions->results.count;
    running->phase = &running->run->entry->phases.items[index];
    running->graph = graphs[index];
    running->step = step;
    running->repetition = running->index = 0;
    running->arena = arena_create();
    const Tensor *values = compute(running, 0);
    const void **words = ARENA_NEW(running->arena, const void *, count);
    for (uint32_t i = 0; values && i < running->graph->outputs.count; i++)
        for (uint32_t k = 0; k < count; k++)
            if (!strcmp(running->graph->outputs.items[i].name, conditions->results.items[k].name)) {
                uint32_t *word = ARENA_NEW(running->arena, uint32_t, 1);
                *word = element_word(conditions->results.items[k].tensor.type, values[running->graph->outputs.items[i].value.id].data[0]);
                words[k] = word;
            }
    if (values)
        turns_take(running->turns, words);
    arena_destroy(&running->arena);
    return values != NULL;
}

static bool run_step(Running *running, const Graph *const *graphs) {
    const GraphProgram *entry = running->run->entry;
    for (uint32_t i = 0; i < entry->phases.count; i++)
        if (!accumulate_is_led(entry->phases.items[i].part) && has_turn(running, i) && !run_phase(running, graphs, i))
            return false;
    return run_conditions(running, graphs, running->step);
}

// Where the run begins: its batches, its turns, and what the last step's conditions said.
static bool begin(Running *running, Arena *arena, const Graph *const *graphs) {
    const Interpretation *run = running->run;
    uint32_t *runs = ARENA_NEW(arena, uint32_t, run->planned->phases.count);
    for (uint32_t i = 0; i < run->planned->phases.count; i++)
        if (run->planned->phases.items[i].when)
            runs[i] = (uint32_t)states_get(run->states, program_runs_name(arena, run->planned, &run->planned->phases.items[i]))->data[0];
    if (!batches_begin(arena, run->data, runs, running->diag))
        return false;
    running->epoch_steps = run->data->loader ? loader_epoch_steps(run->data->loader) : 1;
    if (run->phase)
        return true;
    running->turns = turns_create(arena, run->planned, run->first_step + run->steps, running->epoch_steps, runs, running->diag);
    return running->turns && (run->first_step == 0 || run_conditions(running, graphs, run->first_step - 1));
}

static bool each_state(Running *running, bool take) {
    const Interpretation *run = running->run;
    StateParts parts = states_parts(run->states, run->entry->name);
    for (uint32_t i = 0; i < parts.count; i++) {
        StatePart *part = &parts.items[i];
        Tensor tensor = {part->type, part->data}, given_tensor;
        if (take) {
            const HostTensor *given = dump_find(run->files, "before", part->name, NULL);
            if (given && !dump_tensor_from(running->arena, part->name, given, &part->type, &given_tensor, running->diag))
                return false;
            if (given)
                memcpy(part->data, given_tensor.data, sizeof(double) * type_count(&part->type));
        }
        HostTensor host = dump_tensor_to(running->arena, &tensor);
        if (!dump_put(run->files, take ? "before" : "after", part->name, NULL, &host))
            return false;
    }
    return true;
}

bool interpret_program(Arena *arena, const Interpretation *run, Diag *diag) {
    Running running = {.run = run, .arena = arena, .diag = diag};
    if (!each_state(&running, true))
        return false;
    const Graph **graphs = ARENA_NEW(arena, const Graph *, run->entry->phases.count);
    for (uint32_t i = 0; i < run->entry->phases.count; i++) {
        const Phase *phase = &run->entry->phases.items[i];
        graphs[i] = differentiate_phase(arena, phase->graph, arena_format(arena, "%s/%s", run->entry->name, phase->name), diag);
        if (!graphs[i])
            return false;
    }
    if (!begin(&running, arena, graphs))
        return false;
    uint32_t done = run->first_step;
    for (; done < run->first_step + run->steps && !(running.turns && running.turns->is_stopped); done++) {
        running.step = done;
        if (!run_step(&running, graphs))
            return false;
    }
    if (running.turns && running.turns->is_stopped)
        fprintf(run->log, "%s\n", program_stop_text(arena, run->planned, done));
    running.arena = arena;
    return each_state(&running, false);
}
