// Write: a program as program.json - one line an item, so that versions can be compared line by line - and constants.bin.
#include "runtime/base/file.h"
#include "runtime/program/target_file.h"

// program.json is assembled from one-line items, which the line writer makes.
typedef struct {
    Arena *arena;
    Text text;
    uint32_t depth;
    bool has_items; // the open object or list already has one
} Sheet;

static void new_item(Sheet *sheet, const char *key) {
    text_append(&sheet->text, sheet->has_items ? ",\n" : "\n");
    for (uint32_t i = 0; i < sheet->depth; i++)
        text_append(&sheet->text, "  ");
    if (key)
        text_format(&sheet->text, "\"%s\": ", key);
    sheet->has_items = true;
}

static void open_group(Sheet *sheet, const char *key, const char *bracket) {
    new_item(sheet, key);
    text_append(&sheet->text, bracket);
    sheet->depth++;
    sheet->has_items = false;
}

static void close_group(Sheet *sheet, const char *bracket) {
    sheet->depth--;
    if (sheet->has_items) {
        text_append(&sheet->text, "\n");
        for (uint32_t i = 0; i < sheet->depth; i++)
            text_append(&sheet->text, "  ");
    }
    text_append(&sheet->text, bracket);
    sheet->has_items = true;
}

static void put_line(Sheet *sheet, const char *key, JsonWriter *line) {
    const char *text = json_writer_text(line);
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    new_item(sheet, key);
    text_append_bytes(&sheet->text, text, length);
}

static void put_text(Sheet *sheet, const char *key, const char *value) {
    JsonWriter *line = json_line_writer_create(sheet->arena);
    if (value)
        json_write_text(line, NULL, value);
    else
        json_write_null(line, NULL);
    put_line(sheet, key, line);
}

static void put_bool(Sheet *sheet, const char *key, bool value) {
    JsonWriter *line = json_line_writer_create(sheet->arena);
    json_write_bool(line, NULL, value);
    put_line(sheet, key, line);
}

static void put_uint(Sheet *sheet, const char *key, uint64_t value) {
    JsonWriter *line = json_line_writer_create(sheet->arena);
    json_write_uint(line, NULL, value);
    put_line(sheet, key, line);
}

static void optional_text(JsonWriter *line, const char *key, const char *value) {
    if (value)
        json_write_text(line, key, value);
}

static void write_words(JsonWriter *line, const char *key, const uint32_t *words, uint32_t count) {
    json_begin_array(line, key);
    for (uint32_t i = 0; i < count; i++)
        json_write_uint(line, NULL, words[i]);
    json_end_array(line);
}

static void write_range(JsonWriter *line, const char *key, const Range *range) {
    json_begin_array(line, key);
    json_write_uint(line, NULL, range->memory);
    json_write_uint(line, NULL, range->offset);
    json_write_uint(line, NULL, range->size);
    json_end_array(line);
}

static void write_tensor(JsonWriter *line, const ProgramTensor *tensor) {
    uint32_t order[LAYOUT_RANK_MAX];
    for (uint32_t i = 0; i < tensor->layout.rank; i++)
        order[i] = tensor->layout.order[i];
    json_write_text(line, "type", element_name(tensor->type));
    write_words(line, "dims", tensor->layout.dims, tensor->layout.rank);
    write_words(line, "order", order, tensor->layout.rank);
    write_range(line, "at", &tensor->range);
}

static void write_target(Sheet *sheet, const Target *target) {
    JsonWriter *line = json_line_writer_create(sheet->arena);
    json_begin_object(line, NULL);
    target_write(line, target, false);
    json_end_object(line);
    put_line(sheet, "target", line);
}

static void write_kernels(Sheet *sheet, const Program *program, const char *folder, Diag *diag) {
    open_group(sheet, "kernels", "[");
    for (uint32_t i = 0; i < program->kernels.count; i++) {
        const ProgramKernel *kernel = &program->kernels.items[i];
        const char *spirv_digest = kernel->spirv_digest;
        const char *path = program_kernel_path(sheet->arena, folder, kernel->name, ".spv");
        if (!spirv_digest && file_exists(path)) {
            size_t size;
            const char *bytes = file_read(sheet->arena, path, &size, diag);
            spirv_digest = bytes ? digest_bytes(sheet->arena, bytes, size) : NULL;
        }
        JsonWriter *line = json_line_writer_create(sheet->arena);
        json_begin_object(line, NULL);
        json_write_text(line, "name", kernel->name);
        json_write_text(line, "class", kernel_class_names[kernel->kernel_class]);
        write_words(line, "workgroup", kernel->workgroup, 3);
        json_begin_array(line, "bindings");
        for (uint32_t k = 0; k < kernel->bindings.count; k++)
            json_write_text(line, NULL, binding_kind_names[kernel->bindings.items[k]]);
        json_end_array(line);
        json_write_uint(line, "push_words", kernel->push_words);
        json_write_bool(line, "needs_subgroup_ballot", kernel->needs_subgroup_ballot);
        json_write_uint(line, "shared_bytes", kernel->shared_bytes);
        json_write_text(line, "digest", kernel->digest);
        optional_text(line, "spirv_digest", spirv_digest);
        json_end_object(line);
        put_line(sheet, NULL, line);
    }
    close_group(sheet, "]");
}

static void write_states(Sheet *sheet, const Program *program) {
    open_group(sheet, "states", "[");
    for (uint32_t i = 0; i < program->states.count; i++) {
        const ProgramState *state = &program->states.items[i];
        JsonWriter *line = json_line_writer_create(sheet->arena);
        json_begin_object(line, NULL);
        json_write_text(line, "name", state->name);
        json_write_text(line, "kind", state_kind_names[state->kind]);
        optional_text(line, "network", state->network);
        write_tensor(line, &state->tensor);
        json_write_text(line, "init", init_kind_names[state->init]);
        json_write_number(line, "a", state->init_a);
        json_write_number(line, "b", state->init_b);
        if (state->init_factor)
            json_write_uint(line, "factor", state->init_factor);
        optional_text(line, "copy", state->init_copy);
        optional_text(line, "rule", state->rule);
        json_end_object(line);
        put_line(sheet, NULL, line);
    }
    close_group(sheet, "]");
}

static void write_augment(JsonWriter *line, const ProgramAugment *augment) {
    json_begin_object(line, "augment");
    write_words(line, "resize", augment->resize, 2);
    write_words(line, "crop", augment->crop, 2);
    json_write_bool(line, "flip", augment->flip);
    json_write_number(line, "colour", augment->colour);
    json_end_object(line);
}

typedef ARRAY(const Tokens *) TokenLists;

static void note_tokens(Arena *arena, TokenLists *lists, const Tokens *tokens) {
    bool is_known = !tokens;
    for (uint32_t i = 0; i < lists->count; i++)
        is_known = is_known || strcmp(lists->items[i]->of, tokens->of) == 0;
    if (!is_known)
        array_push(arena, lists, tokens);
}

// The lists that fields and inputs name; no member where there are none.
static void write_tokens(Sheet *sheet, const Program *program) {
    TokenLists lists = {0};
    for (uint32_t i = 0; i < program->data.count; i++)
        for (uint32_t k = 0; k < program->data.items[i].field_count; k++)
            note_tokens(sheet->arena, &lists, program->data.items[i].fields[k].tokens);
    for (uint32_t i = 0; i < program->entries.count; i++)
        for (uint32_t k = 0; k < program->entries.items[i].inputs.count; k++)
            note_tokens(sheet->arena, &lists, program->entries.items[i].inputs.items[k].tokens);
    if (!lists.count)
        return;
    open_group(sheet, "tokens", "[");
    for (uint32_t i = 0; i < lists.count; i++) {
        JsonWriter *line = json_line_writer_create(sheet->arena);
        json_begin_object(line, NULL);
        json_write_text(line, "of", lists.items[i]->of);
        json_begin_array(line, "words");
        for (uint32_t k = 0; k < lists.items[i]->count; k++)
            json_write_text(line, NULL, lists.items[i]->words[k]);
        json_end_array(line);
        json_end_object(line);
        put_line(sheet, NULL, line);
    }
    close_group(sheet, "]");
}

static void write_data(Sheet *sheet, const Program *program) {
    open_group(sheet, "data", "[");
    for (uint32_t i = 0; i < program->data.count; i++) {
        const ProgramData *data = &program->data.items[i];
        JsonWriter *line = json_line_writer_create(sheet->arena);
        json_begin_object(line, NULL);
        json_write_text(line, "name", data->name);
        json_write_uint(line, "batch", data->batch);
        if (data->has_augment)
            write_augment(line, &data->augment);
        json_begin_array(line, "fields");
        for (uint32_t k = 0; k < data->field_count; k++) {
            json_begin_object(line, NULL);
            json_write_text(line, "name", data->fields[k].name);
            json_write_text(line, "type", element_name(data->fields[k].type));
            write_words(line, "dims", data->fields[k].dims, data->fields[k].rank);
            if (data->fields[k].has_range) {
                json_begin_array(line, "range");
                json_write_number(line, NULL, data->fields[k].low);
                json_write_number(line, NULL, data->fields[k].high);
                json_end_array(line);
            }
            if (data->fields[k].below)
                json_write_uint(line, "below", data->fields[k].below);
            if (data->fields[k].tokens)
                json_write_text(line, "tokens", data->fields[k].tokens->of);
            json_end_object(line);
        }
        json_end_array(line);
        json_end_object(line);
        put_line(sheet, NULL, line);
    }
    close_group(sheet, "]");
}

// What a program's input declares; absent where it says nothing, as in bundles from before it could.
static void write_input(JsonWriter *line, const ProgramFeed *input) {
    if (input->has_range) {
        json_begin_array(line, "range");
        json_write_number(line, NULL, input->low);
        json_write_number(line, NULL, input->high);
        json_end_array(line);
    }
    if (input->below)
        json_write_uint(line, "below", input->below);
    if (input->tokens)
        json_write_text(line, "tokens", input->tokens->of);
    if (!input->default_count)
        return;
    json_begin_array(line, "default");
    for (uint32_t i = 0; i < input->default_count; i++)
        json_write_number(line, NULL, input->defaults[i]);
    json_end_array(line);
}

static void write_feeds(Sheet *sheet, const char *key, const ProgramFeed *feeds, uint32_t count) {
    open_group(sheet, key, "[");
    for (uint32_t i = 0; i < count; i++) {
        JsonWriter *line = json_line_writer_create(sheet->arena);
        json_begin_object(line, NULL);
        json_write_text(line, "name", feeds[i].name);
        optional_text(line, "data", feeds[i].data);
        optional_text(line, "field", feeds[i].field);
        optional_text(line, "split", feeds[i].split);
        json_write_bool(line, "shuffled", feeds[i].shuffled);
        json_write_bool(line, "pad", feeds[i].pad);
        json_write_uint(line, "batch", feeds[i].batch);
        write_tensor(line, &feeds[i].tensor);
        write_input(line, &feeds[i]);
        json_end_object(line);
        put_line(sheet, NULL, line);
    }
    close_group(sheet, "]");
}

static void write_step(Sheet *sheet, const Program *program, const Step *step) {
    JsonWriter *line = json_line_writer_create(sheet->arena);
    json_begin_object(line, NULL);
    json_write_text(line, "kind", step_kind_names[step->kind]);
    json_write_uint(line, "wave", step->wave);
    if (step->kind == STEP_DISPATCH) {
        json_write_text(line, "kernel", program->kernels.items[step->kernel].name);
        write_words(line, "groups", step->groups, 3);
    }
    json_begin_array(line, "ranges");
    for (uint32_t i = 0; i < step->ranges.count; i++)
        write_range(line, NULL, &step->ranges.items[i]);
    json_end_array(line);
    if (step->kind == STEP_DISPATCH)
        write_words(line, "push", step->push.items, step->push.count);
    if (step->kind == STEP_FILL)
        json_write_uint(line, "word", step->word);
    json_write_text(line, "label", step->label);
    if (step->schedule)
        json_write_text(line, "schedule", step->schedule);
    json_write_text(line, "op_class", work_class_names[step->work_class]);
    json_write_number(line, "flops", step->flops);
    json_write_number(line, "bytes", step->bytes);
    write_words(line, "values", step->values, step->value_count);
    if (step->value_types) {
        json_begin_array(line, "value_types");
        for (uint32_t i = 0; i < step->value_count; i++)
            json_write_text(line, NULL, element_name(step->value_types[i]));
        json_end_array(line);
    }
    json_end_object(line);
    put_line(sheet, NULL, line);
}

static void write_results(Sheet *sheet, const ProgramPhase *phase) {
    open_group(sheet, "results", "[");
    for (uint32_t i = 0; i < phase->results.count; i++) {
        const ProgramResult *result = &phase->results.items[i];
        JsonWriter *line = json_line_writer_create(sheet->arena);
        json_begin_object(line, NULL);
        json_write_text(line, "name", result->name);
        if (result->format != RESULT_REPORT)
            json_write_text(line, "format", result_format_names[result->format]);
        write_tensor(line, &result->tensor);
        if (result->has_condition) {
            json_begin_object(line, "condition");
            write_tensor(line, &result->condition);
            json_end_object(line);
        }
        if (result->counts_skips)
            json_write_bool(line, "counts_skips", true);
        json_end_object(line);
        put_line(sheet, NULL, line);
    }
    close_group(sheet, "]");
}

static void write_turns(Sheet *sheet, const ProgramPhase *phase) {
    if (phase->is_eval)
        put_text(sheet, "mode", "eval");
    JsonWriter *line = json_line_writer_create(sheet->arena);
    json_begin_array(line, NULL);
    for (uint32_t i = 0; i < phase->every.terms.count; i++) {
        const EveryTerm *term = &phase->every.terms.items[i];
        if (term->kind == EVERY_NUMBER)
            json_write_number(line, NULL, term->number);
        else
            json_write_text(line, NULL, every_kind_names[term->kind]);
    }
    json_end_array(line);
    if (phase->every.terms.count)
        put_line(sheet, "every", line);
    if (phase->when)
        put_text(sheet, "when", phase->when);
    if (phase->is_conditions)
        put_bool(sheet, "conditions", true);
}

static void write_phase(Sheet *sheet, const Program *program, const ProgramPhase *phase) {
    open_group(sheet, NULL, "{");
    put_text(sheet, "name", phase->name);
    put_uint(sheet, "repeat", phase->repeat);
    write_turns(sheet, phase);
    if (phase->part != PART_WHOLE) {
        put_text(sheet, "part", phase_part_names[phase->part]);
        put_text(sheet, "title", program_phase_title(phase));
        put_uint(sheet, "batches", phase->batches);
        put_uint(sheet, "level", phase->level);
    }
    put_uint(sheet, "scratch_size", phase->scratch_size);
    put_uint(sheet, "scratch_lower_bound", phase->scratch_lower_bound);
    write_feeds(sheet, "feeds", phase->feeds.items, phase->feeds.count);
    open_group(sheet, "steps", "[");
    for (uint32_t i = 0; i < phase->steps.count; i++)
        write_step(sheet, program, &phase->steps.items[i]);
    close_group(sheet, "]");
    write_results(sheet, phase);
    close_group(sheet, "}");
}

static void write_entry(Sheet *sheet, const Program *program, const ProgramEntry *entry) {
    open_group(sheet, NULL, "{");
    put_text(sheet, "name", entry->name);
    JsonWriter *line = json_line_writer_create(sheet->arena);
    json_write_bool(line, NULL, entry->training);
    put_line(sheet, "training", line);
    if (entry->skips)
        put_text(sheet, "not_finite", "skip");
    put_uint(sheet, "steps", entry->steps);
    if (entry->stop)
        put_text(sheet, "stop", entry->stop);
    line = json_line_writer_create(sheet->arena);
    json_begin_array(line, NULL);
    for (uint32_t i = 0; i < entry->requires_count; i++)
        json_write_text(line, NULL, entry->requires_trained[i]);
    json_end_array(line);
    put_line(sheet, "requires", line);
    write_feeds(sheet, "inputs", entry->inputs.items, entry->inputs.count);
    open_group(sheet, "phases", "[");
    for (uint32_t i = 0; i < entry->phases.count; i++)
        write_phase(sheet, program, &entry->phases.items[i]);
    close_group(sheet, "]");
    close_group(sheet, "}");
}

static void write_memories(Sheet *sheet, const Program *program) {
    open_group(sheet, "memories", "[");
    for (uint32_t i = 0; i < program->memories.count; i++) {
        JsonWriter *line = json_line_writer_create(sheet->arena);
        json_begin_object(line, NULL);
        json_write_text(line, "kind", memory_kind_names[program->memories.items[i].kind]);
        json_write_uint(line, "size", program->memories.items[i].size);
        json_end_object(line);
        put_line(sheet, NULL, line);
    }
    close_group(sheet, "]");
}

static const char *program_text(Arena *arena, const Program *program, const char *folder, Diag *diag) {
    Sheet sheet = {.arena = arena, .text = text_create(arena), .depth = 1};
    text_append(&sheet.text, "{");
    put_uint(&sheet, "gcc-graph program", PROGRAM_FORMAT);
    put_text(&sheet, "version", GG_VERSION);
    put_text(&sheet, "name", program->name);
    put_text(&sheet, "digest", program->digest);
    put_bool(&sheet, "exact", program->is_exact);
    write_target(&sheet, &program->target);
    JsonWriter *line = json_line_writer_create(arena);
    write_range(line, NULL, &program->numbers);
    put_line(&sheet, "numbers", line);
    line = json_line_writer_create(arena);
    json_begin_object(line, NULL);
    json_write_uint(line, "size", program->constants_size);
    json_write_text(line, "digest", digest_bytes(arena, program->constants ? program->constants : "", program->constants_size));
    json_end_object(line);
    put_line(&sheet, "constants", line);
    write_memories(&sheet, program);
    write_kernels(&sheet, program, folder, diag);
    write_states(&sheet, program);
    write_tokens(&sheet, program);
    write_data(&sheet, program);
    open_group(&sheet, "programs", "[");
    for (uint32_t i = 0; i < program->entries.count; i++)
        write_entry(&sheet, program, &program->entries.items[i]);
    close_group(&sheet, "]");
    text_append(&sheet.text, "\n}\n");
    return sheet.text.data;
}

typedef bool (*WriteFile)(const char *path, const void *bytes, size_t size, Diag *diag);

static bool write_files(const Program *program, const char *folder, WriteFile write_file, Diag *diag) {
    Arena *arena = arena_create();
    uint32_t errors = diag_error_count(diag);
    const char *text = program_text(arena, program, folder, diag);
    // constants.bin first: a program.json is only there when everything that it names is.
    bool good = diag_error_count(diag) == errors && file_make_folders(folder, diag) &&
                write_file(file_join(arena, folder, "constants.bin"), program->constants ? program->constants : "", program->constants_size,
                           diag) &&
                write_file(file_join(arena, folder, "program.json"), text, strlen(text), diag);
    arena_destroy(&arena);
    return good;
}

bool program_write(const Program *program, const char *folder, Diag *diag) { return write_files(program, folder, file_write, diag); }

bool program_write_unsynced(const Program *program, const char *folder, Diag *diag) { return write_files(program, folder, file_write_unsynced, diag); }
