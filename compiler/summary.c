// Summary: what a graph holds and what it costs, as tables or JSON.
#include "compiler/summary.h"
#include "runtime/base/json.h"

// Those that no optimizer has; where there is none at all, nothing is said of it.
static uint64_t frozen_of(const Module *module, const NetworkInfo *network) {
    return module->optimizers.count ? network->count - network->optimized : 0;
}

static uint64_t macs_of(const NetworkInfo *network) {
    uint64_t macs = 0;
    for (uint32_t i = 0; i < network->layers.count; i++)
        macs += network->layers.items[i].macs;
    return macs;
}

static double phase_flops(const ProgramPhase *phase) {
    double flops = 0;
    for (uint32_t i = 0; i < phase->steps.count; i++)
        flops += phase->steps.items[i].flops;
    return flops;
}

static uint64_t memory_size(const Program *program, MemoryKind kind) {
    uint64_t size = 0;
    for (uint32_t i = 0; i < program->memories.count; i++)
        size += program->memories.items[i].kind == kind ? program->memories.items[i].size : 0;
    return size;
}

static const struct {
    MemoryKind kind;
    const char *name, *text;
} memory_rows[] = {
    {MEMORY_STATE, "state", "state: parameters, moments, averages, running statistics, sums of gradients"},
    {MEMORY_SCRATCH, "scratch", "scratch: values inside a phase, planned"},
    {MEMORY_CONSTANT, "constant", "constants: tables"},
    {MEMORY_FEED, "feed", "feeds and inputs"},
    {MEMORY_RESULT, "result", "results: reports and emits"},
};
enum { MEMORY_ROWS = sizeof memory_rows / sizeof *memory_rows };

// ---- text

static void append_network(Text *text, const Module *module, const NetworkInfo *network) {
    Arena *arena = text->arena;
    text_format(text, "\nnetwork %s: %s\n", network->name, network->shown ? network->shown : "");
    int width = 5;
    for (uint32_t i = 0; i < network->layers.count; i++) {
        int length = (int)strlen(network->layers.items[i].path);
        width = length > width ? length : width;
    }
    if (network->layers.count > 0)
        text_format(text, "  %-*s  %-20s %-24s %14s %14s\n", width, "layer", "kind", "shape (8 records)", "parameters", "FLOP/record");
    for (uint32_t i = 0; i < network->layers.count; i++) {
        const LayerRow *row = &network->layers.items[i];
        text_format(text, "  %-*s  %-20s %-24s %14s %14s\n", width, row->path, row->op, text_shape(arena, "", row->type.rank, row->type.dims),
                    row->parameters ? text_thousands(arena, row->parameters) : "", row->macs ? text_thousands(arena, 2 * row->macs) : "");
    }
    text_format(text, "  parameters: %s", text_thousands(arena, network->count));
    if (network->shares)
        text_format(text, " of its own; it shares those of %s", network->shares);
    if (network->copy)
        text_format(text, ", at first those of %s", network->copy);
    if (frozen_of(module, network))
        text_format(text, "; %s no optimizer has", text_thousands(arena, frozen_of(module, network)));
    if (network->state_count)
        text_format(text, "; running state: %s", text_thousands(arena, network->state_count));
    text_format(text, "; %s a record\n", text_flops(arena, 2 * (double)macs_of(network)));
}

enum { DEFAULTS_SHOWN = 4 };

// "; input label i32[20] below 10, default 0, 1, 2"
static void append_input(Text *text, const Feed *input) {
    text_format(text, "; input %s %s", input->name, type_text(text->arena, &input->type));
    if (input->declared.below)
        text_format(text, " below %u", input->declared.below);
    if (input->declared.tokens)
        text_format(text, ", tokens of \"%s\"", input->declared.tokens->of);
    if (input->declared.has_range)
        text_format(text, " from %g to %g", input->declared.low, input->declared.high);
    for (uint32_t i = 0; i < input->default_count && i < DEFAULTS_SHOWN; i++)
        text_format(text, "%s %g", i ? "," : ", default", input->defaults[i]);
    if (input->default_count > DEFAULTS_SHOWN)
        text_append(text, " …");
}

static void append_programs(Text *text, const Module *module) {
    for (uint32_t i = 0; i < module->programs.count; i++) {
        const GraphProgram *entry = &module->programs.items[i];
        text_format(text, "program %s (%s):", entry->name, entry->training ? "training" : "evaluation");
        for (uint32_t k = 0; k < entry->phases.count; k++) {
            const Phase *phase = &entry->phases.items[k];
            if (accumulate_is_led(phase->part))
                continue;
            text_format(text, "%s %s", k ? "," : "", phase->name);
            if (phase->repeat == 0)
                text_format(text, " x epoch");
            else if (phase->repeat > 1)
                text_format(text, " x %u", phase->repeat);
            if (phase->batches)
                text_format(text, " of %u batches", phase->batches);
            const char *turns = program_turns_text(text->arena, &(ProgramPhase){.is_eval = phase->is_eval, .every = phase->every, .when = phase->when, .is_conditions = phase->is_conditions});
            if (*turns) // without its comma
                text_format(text, " (%s)", turns + 2);
        }
        if (entry->steps)
            text_format(text, "; %u steps", entry->steps);
        if (entry->stop)
            text_format(text, "; stops when %s", entry->stop);
        for (uint32_t k = 0; k < entry->requires_trained.count; k++)
            text_format(text, "%s %s", k ? "," : "; requires", entry->requires_trained.items[k]);
        for (uint32_t k = 0; k < entry->inputs.count; k++)
            append_input(text, &entry->inputs.items[k]);
        text_append(text, "\n");
    }
}

static void append_plan(Text *text, const Program *program) {
    Arena *arena = text->arena;
    text_format(text, "\nmemory plan (for %s)\n", target_text(text->arena, &program->target));
    for (uint32_t i = 0; i < MEMORY_ROWS; i++)
        text_format(text, "  %12s  %s\n", text_bytes(arena, memory_size(program, memory_rows[i].kind)), memory_rows[i].text);
    for (uint32_t i = 0; i < program->entries.count; i++)
        for (uint32_t k = 0; k < program->entries.items[i].phases.count; k++) {
            const ProgramEntry *entry = &program->entries.items[i];
            const ProgramPhase *phase = &entry->phases.items[k];
            text_format(text, "  %s/%s: %u steps, %s in contractions, scratch %s (lower bound %s)\n", entry->name, phase->name,
                        phase->steps.count, text_flops(arena, phase_flops(phase)), text_bytes(arena, phase->scratch_size),
                        text_bytes(arena, phase->scratch_lower_bound));
        }
}

static void append_summary(Text *text, const Module *module, const Program *program) {
    Arena *arena = text->arena;
    text_format(text, "%s%s%s\n", module->name, module->doc ? ": " : "", module->doc ? module->doc : "");
    if (module->is_exact)
        text_append(text, "exact: only multiplies and adds in f32, in the order of the schedules, none contracted\n");
    for (uint32_t i = 0; i < module->networks.count; i++)
        append_network(text, module, &module->networks.items[i]);
    if (module->optimizers.count || module->programs.count)
        text_append(text, "\n");
    for (uint32_t i = 0; i < module->optimizers.count; i++) {
        const OptimizerInfo *optimizer = &module->optimizers.items[i];
        text_format(text, "optimizer %s: %s of", optimizer->name, optimizer->rule);
        for (uint32_t k = 0; k < optimizer->of.count; k++)
            text_format(text, "%s %s", k ? "," : "", optimizer->of.items[k]);
        text_format(text, "; %s parameters%s\n", text_thousands(arena, optimizer->count), optimizer->has_ema ? "; EMA" : "");
        for (uint32_t k = 0; k < optimizer->parts.count; k++) {
            const PartRow *row = &optimizer->parts.items[k];
            text_format(text, "  %s: %s; %s parameters\n", row->of, row->said, text_thousands(arena, row->count));
        }
    }
    append_programs(text, module);
    if (program)
        append_plan(text, program);
}

const char *summary_text(Arena *arena, const Module *module, const Program *program) {
    Text text = text_create(arena);
    append_summary(&text, module, program);
    return text.data;
}

// ---- JSON

static void write_network(JsonWriter *json, const Module *module, const NetworkInfo *network) {
    json_begin_object(json, NULL);
    json_write_text(json, "name", network->name);
    json_write_text(json, "shape", network->shown ? network->shown : "");
    json_write_uint(json, "parameters", network->count);
    json_write_uint(json, "frozen", frozen_of(module, network));
    if (network->shares)
        json_write_text(json, "shares", network->shares);
    if (network->copy)
        json_write_text(json, "copy", network->copy);
    json_write_uint(json, "state", network->state_count);
    json_write_uint(json, "flops_per_record", 2 * macs_of(network));
    json_begin_array(json, "layers");
    for (uint32_t i = 0; i < network->layers.count; i++) {
        const LayerRow *row = &network->layers.items[i];
        json_begin_object(json, NULL);
        json_write_text(json, "path", row->path);
        json_write_text(json, "kind", row->op);
        json_begin_array(json, "shape");
        for (uint32_t k = 0; k < row->type.rank; k++)
            json_write_uint(json, NULL, row->type.dims[k]);
        json_end_array(json);
        json_write_uint(json, "parameters", row->parameters);
        json_write_uint(json, "flops_per_record", 2 * row->macs);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
}

static void write_optimizer(JsonWriter *json, const OptimizerInfo *optimizer) {
    json_begin_object(json, NULL);
    json_write_text(json, "name", optimizer->name);
    json_write_text(json, "rule", optimizer->rule);
    json_begin_array(json, "networks");
    for (uint32_t i = 0; i < optimizer->of.count; i++)
        json_write_text(json, NULL, optimizer->of.items[i]);
    json_end_array(json);
    json_begin_array(json, "parts");
    for (uint32_t i = 0; i < optimizer->parts.count; i++) {
        json_begin_object(json, NULL);
        json_write_text(json, "of", optimizer->parts.items[i].of);
        json_write_text(json, "options", optimizer->parts.items[i].said);
        json_write_uint(json, "parameters", optimizer->parts.items[i].count);
        json_end_object(json);
    }
    json_end_array(json);
    json_write_uint(json, "parameters", optimizer->count);
    json_write_bool(json, "ema", optimizer->has_ema);
    json_end_object(json);
}

static void write_input(JsonWriter *json, const Feed *input) {
    json_begin_object(json, NULL);
    json_write_text(json, "name", input->name);
    json_write_text(json, "dtype", dtype_name(input->type.dtype));
    json_begin_array(json, "shape");
    for (uint32_t i = 0; i < input->type.rank; i++)
        json_write_uint(json, NULL, input->type.dims[i]);
    json_end_array(json);
    json_write_bool(json, "required", input->default_count == 0);
    json_end_object(json);
}

static void write_program(JsonWriter *json, const Module *module, const GraphProgram *entry) {
    json_begin_object(json, NULL);
    json_write_text(json, "name", entry->name);
    json_write_bool(json, "training", entry->training);
    json_write_uint(json, "steps", entry->steps);
    json_begin_array(json, "requires");
    for (uint32_t i = 0; i < entry->requires_trained.count; i++)
        json_write_text(json, NULL, entry->requires_trained.items[i]);
    json_end_array(json);
    json_begin_array(json, "inputs");
    for (uint32_t i = 0; i < entry->inputs.count; i++)
        write_input(json, &entry->inputs.items[i]);
    json_end_array(json);
    json_begin_array(json, "phases");
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        if (accumulate_is_led(entry->phases.items[i].part))
            continue;
        json_begin_object(json, NULL);
        json_write_text(json, "name", entry->phases.items[i].name);
        json_write_uint(json, "repeat", entry->phases.items[i].repeat);
        json_write_uint(json, "accumulate", entry->phases.items[i].batches ? entry->phases.items[i].batches : 1);
        if (entry->phases.items[i].every.terms.count)
            json_write_text(json, "every", every_text(module->arena, &entry->phases.items[i].every));
        if (entry->phases.items[i].when)
            json_write_text(json, "when", entry->phases.items[i].when);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
}

static void write_plan(JsonWriter *json, const Program *program) {
    json_begin_object(json, "memory");
    json_write_text(json, "class", target_class_name(program->target.target_class));
    for (uint32_t i = 0; i < MEMORY_ROWS; i++)
        json_write_uint(json, memory_rows[i].name, memory_size(program, memory_rows[i].kind));
    json_begin_array(json, "phases");
    for (uint32_t i = 0; i < program->entries.count; i++)
        for (uint32_t k = 0; k < program->entries.items[i].phases.count; k++) {
            const ProgramPhase *phase = &program->entries.items[i].phases.items[k];
            json_begin_object(json, NULL);
            json_write_text(json, "program", program->entries.items[i].name);
            json_write_text(json, "phase", phase->name);
            json_write_uint(json, "dispatches", phase->steps.count);
            json_write_number(json, "flops", phase_flops(phase));
            json_write_uint(json, "scratch", phase->scratch_size);
            json_write_uint(json, "scratch_lower_bound", phase->scratch_lower_bound);
            json_end_object(json);
        }
    json_end_array(json);
    json_end_object(json);
}

const char *summary_json(Arena *arena, const Module *module, const Program *program) {
    JsonWriter *json = json_writer_create(arena);
    json_begin_object(json, NULL);
    json_write_text(json, "name", module->name);
    json_write_bool(json, "exact", module->is_exact);
    json_begin_array(json, "networks");
    for (uint32_t i = 0; i < module->networks.count; i++)
        write_network(json, module, &module->networks.items[i]);
    json_end_array(json);
    json_begin_array(json, "optimizers");
    for (uint32_t i = 0; i < module->optimizers.count; i++)
        write_optimizer(json, &module->optimizers.items[i]);
    json_end_array(json);
    json_begin_array(json, "programs");
    for (uint32_t i = 0; i < module->programs.count; i++)
        write_program(json, module, &module->programs.items[i]);
    json_end_array(json);
    if (program)
        write_plan(json, program);
    json_end_object(json);
    return json_writer_text(json);
}
