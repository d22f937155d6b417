// Program: names, look-ups, and the digest of a kernel's body.
#include "runtime/program/program.h"
#include "runtime/base/bug.h"
#include "runtime/base/file.h"
#include "runtime/program/work.h"

uint64_t program_tensor_size(const ProgramTensor *tensor) { return layout_size(&tensor->layout, tensor->type); }

const char *program_step_name(const Program *program, const Step *step) {
    return step->kind == STEP_DISPATCH ? program->kernels.items[step->kernel].name : step_kind_names[step->kind];
}

bool program_step_writes(const Program *program, const Step *step, uint32_t range) {
    switch (step->kind) {
    case STEP_DISPATCH:
        return program->kernels.items[step->kernel].bindings.items[range] == BINDING_WRITE;
    case STEP_COPY:
        return range == 1;
    case STEP_FILL:
        return true;
    }
    bug("a step of kind %d", (int)step->kind);
}

bool range_overlaps(const Range *a, const Range *b) {
    return a->memory == b->memory && a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

const ProgramEntry *program_entry(const Program *program, const char *name) {
    for (uint32_t i = 0; i < program->entries.count; i++) {
        if (strcmp(program->entries.items[i].name, name) == 0)
            return &program->entries.items[i];
    }
    return NULL;
}

uint32_t program_below(const Program *program, const ProgramFeed *feed) {
    for (uint32_t i = 0; feed->data && i < program->data.count; i++)
        for (uint32_t k = 0; strcmp(program->data.items[i].name, feed->data) == 0 && k < program->data.items[i].field_count; k++)
            if (strcmp(program->data.items[i].fields[k].name, feed->field) == 0)
                return program->data.items[i].fields[k].below;
    return feed->below;
}

const ProgramState *program_state(const Program *program, const char *name) {
    for (uint32_t i = 0; i < program->states.count; i++) {
        if (strcmp(program->states.items[i].name, name) == 0)
            return &program->states.items[i];
    }
    return NULL;
}

const char *program_phase_title(const ProgramPhase *phase) { return phase->title ? phase->title : phase->name; }

uint32_t program_phase_times(const ProgramPhase *phase) {
    return phase->part == PART_WHOLE ? 1 : accumulate_times(phase->part, phase->level, phase->batches);
}

static const ProgramFeed *first_feed(const ProgramEntry *entry) {
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t i = 0; i < entry->phases.items[p].feeds.count; i++)
            if (entry->phases.items[p].feeds.items[i].data)
                return &entry->phases.items[p].feeds.items[i];
    return NULL;
}

static bool is_image(const Program *program, const ProgramFeed *feed) {
    for (uint32_t i = 0; i < program->data.count; i++)
        for (uint32_t k = 0; strcmp(program->data.items[i].name, feed->data) == 0 && k < program->data.items[i].field_count; k++)
            if (strcmp(program->data.items[i].fields[k].name, feed->field) == 0) {
                const uint32_t *dims = program->data.items[i].fields[k].dims;
                return program->data.items[i].fields[k].rank == 3 && (dims[0] == 1 || dims[0] == 3) && dims[1] > 1 && dims[2] > 1;
            }
    return false;
}

const char *program_record_word(const Program *program, const ProgramEntry *entry) {
    const ProgramFeed *feed = first_feed(entry);
    return feed && is_image(program, feed) ? "images" : "records";
}

bool program_every(const ProgramEntry *entry, uint32_t steps, uint32_t epoch_steps, uint32_t *out, Diag *diag) {
    bool is_good = true;
    for (uint32_t p = 0; p < entry->phases.count; p++) {
        const ProgramPhase *phase = &entry->phases.items[p];
        int64_t value = phase->every.terms.count ? every_value(&phase->every, steps, epoch_steps) : 1;
        out[p] = p > 0 && accumulate_is_led(phase->part) ? out[p - 1] : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
        if (value >= 1)
            continue;
        Arena *arena = arena_create();
        diag_error(diag, NULL,
                   "phase \"%s\" of program \"%s\" would run every %lld steps: \"%s\" with steps = %u and epoch_steps = %u; 1 or more is "
                   "needed, as max(1, …) makes it",
                   phase->name, entry->name, (long long)value, every_text(arena, &phase->every), steps, epoch_steps);
        arena_destroy(&arena);
        is_good = false;
    }
    return is_good;
}

const ProgramPhase *program_conditions(const ProgramEntry *entry) {
    const ProgramPhase *last = entry->phases.count ? &entry->phases.items[entry->phases.count - 1] : NULL;
    return last && last->is_conditions ? last : NULL;
}

const char *program_runs_name(Arena *arena, const ProgramEntry *entry, const ProgramPhase *phase) {
    return arena_format(arena, "%s.runs.%s", entry->name, phase->name);
}

const ProgramResult *program_condition(Arena *arena, const ProgramEntry *entry, const ProgramPhase *phase) {
    const ProgramPhase *conditions = program_conditions(entry);
    const char *name = phase ? arena_format(arena, "%s.when", phase->name) : "stop";
    for (uint32_t i = 0; conditions && i < conditions->results.count; i++)
        if (strcmp(conditions->results.items[i].name, name) == 0)
            return &conditions->results.items[i];
    return NULL;
}

const char *program_turns_text(Arena *arena, const ProgramPhase *phase) {
    Text text = text_create(arena);
    text_append(&text, phase->is_eval ? ", mode eval" : "");
    if (phase->every.terms.count)
        text_format(&text, ", every %s steps", every_text(arena, &phase->every));
    if (phase->when)
        text_format(&text, ", when %s", phase->when);
    text_append(&text, phase->is_conditions ? ", computes when and stop" : "");
    return text.data;
}

const char *program_stop_text(Arena *arena, const ProgramEntry *entry, uint32_t done) {
    return arena_format(arena, "stopped after step %u, since \"stop\" is true: %s", done, entry->stop);
}

uint32_t program_batch(const ProgramPhase *phase) {
    for (uint32_t i = 0; i < phase->feeds.count; i++)
        if (phase->feeds.items[i].data)
            return phase->feeds.items[i].batch;
    return 0;
}

static Work work_of(const Step *dispatch) { return (Work){.all_multiply_adds = dispatch->flops / 2, .bytes = dispatch->bytes}; }

double program_dispatch_seconds(const Step *dispatch, const DeviceModel *model) {
    Work work = work_of(dispatch);
    work.dispatches = 1;
    return model_seconds(&work, model);
}

// By the class's figures: which device it will be is known only after its driver was loaded, which reads the number of threads.
bool program_suits_one_thread(const ProgramEntry *entry, uint32_t cores) {
    DeviceModel model = model_default(TARGET_CPU);
    double seconds = 0, handing = 0; // by one core
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        const ProgramPhase *phase = &entry->phases.items[i];
        double repeat = (double)(phase->repeat ? phase->repeat : 1) * program_phase_times(phase);
        for (uint32_t k = 0; k < phase->steps.count; k++) {
            Work work = work_of(&phase->steps.items[k]);
            seconds += repeat * model_seconds(&work, &model) * model.cores;
        }
        handing += repeat * phase->steps.count * model.handing_seconds;
    }
    return handing > seconds * (1 - 1.0 / cores);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

const char *program_kernel_digest(Arena *arena, const char *glsl, size_t length) {
    char *body = arena_alloc(arena, length + 1);
    size_t kept = 0;
    for (size_t i = 0; i < length;) {
        size_t end = i, line = kept;
        while (end < length && glsl[end] != '\n')
            end++;
        for (size_t k = i; k < end && !(glsl[k] == '/' && k + 1 < end && glsl[k + 1] == '/'); k++)
            body[kept++] = glsl[k];
        while (kept > line && is_blank(body[kept - 1]))
            kept--;
        if (kept > line)
            body[kept++] = '\n';
        i = end + 1;
    }
    return digest_bytes(arena, body, kept);
}

const char *program_kernel_path(Arena *arena, const char *folder, const char *kernel, const char *extension) {
    return arena_format(arena, "%s/kernels/%s%s", folder, kernel, extension);
}
