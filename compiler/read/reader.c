// Reader: errors with their places, scopes, and read_document itself.
#include "compiler/read/reader.h"
#include "compiler/read/foreign.h"
#include "runtime/base/file.h"

// ---- places and errors

ReaderPlace reader_enter(Reader *reader, const Json *json, const char *text) {
    ReaderPlace old = {reader->at, reader->text, reader->offset, reader->columns, reader->place};
    reader->at = json;
    reader->text = text;
    reader->offset = reader->columns = 0;
    reader->place = json ? json_place(reader->arena, json) : (Place){0};
    if (text && json && json->kind == JSON_STRING)
        reader->place.column++; // behind the quotation mark
    if (reader->stage)
        reader->stage->graph->place = reader->place;
    return old;
}

static bool begins_character(char byte) { return ((unsigned char)byte & 0xC0) != 0x80; }

void reader_offset(Reader *reader, uint32_t offset) {
    if (!reader->text)
        reader->columns = reader->offset = offset;
    while (reader->offset < offset) // columns count characters, offsets bytes
        reader->columns += begins_character(reader->text[reader->offset++]);
    while (reader->offset > offset)
        reader->columns -= begins_character(reader->text[--reader->offset]);
    if (reader->stage) {
        reader->stage->graph->place = reader->place;
        reader->stage->graph->place.column += reader->columns;
    }
}

void reader_leave(Reader *reader, ReaderPlace place) {
    reader_flush(reader);
    reader->at = place.at;
    reader->text = place.text;
    reader->offset = place.offset;
    reader->columns = place.columns;
    reader->place = place.place;
    if (reader->stage)
        reader->stage->graph->place = reader->place;
}

// One mistake is told once, however often its node is reached.
static bool is_new(Reader *reader, const char *message) {
    for (uint32_t i = 0; i < reader->told.count; i++)
        if (!strcmp(reader->told.items[i], message))
            return false;
    array_push(reader->arena, &reader->told, message);
    return true;
}

static void report(Reader *reader, Place place, const char *message) {
    if (is_new(reader, arena_format(reader->arena, "%s:%u:%u:%s", place.file ? place.file : "", place.line, place.column, message)))
        diag_error(reader->diag, &place, "%s", message);
}

Datum reader_error(Reader *reader, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *message = arena_format_list(reader->arena, format, list);
    va_end(list);
    Place place = reader->place;
    place.column += reader->columns;
    if (reader->text)
        message = arena_format(reader->arena, "\"%s\": %s", text_excerpt(reader->arena, reader->text, reader->offset), message);
    report(reader, place, message);
    return datum_error();
}

bool reader_error_at(Reader *reader, const Json *json, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *message = arena_format_list(reader->arena, format, list);
    va_end(list);
    report(reader, json ? json_place(reader->arena, json) : (Place){.file = reader->options->path}, message);
    return false;
}

bool reader_stopped(const Reader *reader) { return reader->exhausted || !reader->budget || diag_is_full(reader->diag); }

void reader_flush(Reader *reader) {
    Stage *stage = reader->stage;
    if (!stage || !stage->graph->failed)
        return;
    if (diag_error_count(reader->scratch) && is_new(reader, diag_text(reader->scratch, reader->arena)))
        diag_merge(reader->diag, reader->scratch);
    reader->scratch = diag_create(reader->arena);
    stage->graph->diag = reader->scratch;
    stage->graph->failed = false;
}

const char *reader_suggest_words(Reader *reader, const char *word, const char *const *words, uint32_t count) {
    const char *foreign = foreign_suggestion(reader->arena, word, words, count);
    return foreign ? foreign : count ? text_suggestion(reader->arena, word, words, count) : "; there are none";
}

// ---- scopes

Scope *scope_create(Reader *reader, Scope *parent, bool is_for) {
    Scope *scope = ARENA_NEW(reader->arena, Scope, 1);
    scope->parent = parent;
    scope->owner = is_for ? parent->owner : scope;
    scope->document = parent ? parent->document : NULL;
    return scope;
}

static Datum *find_own(Scope *scope, const char *name) {
    for (uint32_t i = 0; i < scope->names.items.count; i++)
        if (!strcmp(scope->names.items.items[i].name, name))
            return &scope->names.items.items[i].datum;
    return NULL;
}

Datum *scope_find(Scope *scope, const char *name) {
    for (; scope; scope = scope->parent) {
        Datum *found = find_own(scope, name);
        if (found)
            return found;
    }
    return NULL;
}

void scope_set(Reader *reader, Scope *scope, const char *name, Datum datum) {
    Datum *found = find_own(scope, name);
    if (found)
        *found = datum;
    else
        array_push(reader->arena, &scope->names.items, ((Named){name, datum}));
}

bool scope_end(Reader *reader, Scope *scope, const Json *json) {
    bool is_empty = true;
    for (uint32_t i = 0; i < scope->lists.count; i++) {
        uint32_t count = scope->lists.items[i].list.items.count;
        if (count)
            is_empty = reader_error_at(reader, json, "%u pushed to \"%s\" and never popped", count, scope->lists.items[i].name);
    }
    return is_empty;
}

const char *scope_names(Reader *reader, Scope *scope, const char *word) {
    static const char *const numbers[] = {"step", "steps", "epoch", "epoch_steps", "records"};
    ARRAY(const char *) names = {0};
    for (; scope; scope = scope->parent)
        for (uint32_t i = 0; i < scope->names.items.count; i++)
            if (scope->names.items.items[i].name[0] != '$')
                array_push(reader->arena, &names, scope->names.items.items[i].name);
    for (uint32_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        array_push(reader->arena, &names, numbers[i]);
    return reader_suggest_words(reader, word, names.items, names.count);
}

const char *datum_word(Reader *reader, Datum datum) {
    switch (datum.kind) {
    case DATUM_ERROR:
        return "an error";
    case DATUM_NONE:
        return "None";
    case DATUM_BOOL:
        return datum.integer ? "true" : "false";
    case DATUM_INT:
        return arena_format(reader->arena, "%lld", (long long)datum.integer);
    case DATUM_NUMBER:
        return arena_format(reader->arena, "%.10g", datum.number);
    case DATUM_TEXT:
        return arena_format(reader->arena, "the text '%s'", datum.text);
    case DATUM_LIST:
        return arena_format(reader->arena, "a list of %u", datum.list->items.count);
    case DATUM_TENSOR: {
        Type type = graph_type(reader->stage->graph, datum.tensor);
        return type_text(reader->arena, &type);
    }
    case DATUM_RECORD: {
        Text text = text_create(reader->arena);
        for (uint32_t i = 0; i < datum.record->items.count && i < 4; i++)
            text_format(&text, "%s.%s", i ? ", " : "", datum.record->items.items[i].name);
        return arena_format(reader->arena, "a record of named outputs (%s%s)", text.data, datum.record->items.count > 4 ? ", …" : "");
    }
    case DATUM_FAMILY:
        return "a name with indices";
    case DATUM_SET:
        return "a parameter set";
    case DATUM_NETWORK:
        return "a network";
    case DATUM_STATE:
        return "a state";
    case DATUM_TABLE:
        return "a table";
    case DATUM_LATER:
        return "a let";
    case DATUM_DOCUMENT:
        return "an included document";
    case DATUM_OPTIMIZER:
        return "an optimizer";
    }
    return "?";
}

// ---- the whole

// "NAME=VALUE" with VALUE JSON or an expression.
static bool read_define(Reader *reader, const char *define, GivenList *out) {
    const char *equals = strchr(define, '=');
    if (!equals || equals == define)
        return reader_error_at(reader, NULL, "-D %s: NAME=VALUE expected", define);
    const char *name = arena_copy_bytes(reader->arena, define, (size_t)(equals - define)), *text = equals + 1;
    const char *place = arena_format(reader->arena, "-D %s", name);
    Json *json = json_parse(reader->arena, place, text, strlen(text), diag_create(reader->arena));
    if (!json) {
        json = ARENA_NEW(reader->arena, Json, 1);
        *json = (Json){.kind = JSON_STRING, .string = arena_copy_text(reader->arena, text), .file = place, .line = 1, .column = 0};
    }
    Given *given = given_find(out, name); // of two, the last one counts
    if (!given) {
        given = ARENA_NEW(reader->arena, Given, 1);
        array_push(reader->arena, &out->items, given);
    }
    *given = (Given){.name = name, .later = later_create(reader, name, json, NULL)};
    return true;
}

// Reads a bundle's graph.json: its own preset and defines hold where none are given now.
static bool read_bundle(Reader *reader, const Json *json, const char **main, const char **preset, GivenList *defines) {
    const Json *files = json_get(json, "files"), *stored = json_get(json, "define"), *name = json_get(json, "main"),
               *old = json_get(json, "preset");
    if (!files || files->kind != JSON_OBJECT || !name || name->kind != JSON_STRING || !json_get(files, name->string))
        return reader_error_at(reader, json, "\"main\" names one of \"files\"");
    *main = name->string;
    if (!*preset && old && old->kind == JSON_STRING)
        *preset = old->string;
    for (const Json *item = stored && stored->kind == JSON_OBJECT ? stored->first : NULL; item; item = item->next) {
        if (given_find(defines, item->key))
            continue;
        Given *given = ARENA_NEW(reader->arena, Given, 1);
        *given = (Given){.name = item->key, .later = later_create(reader, item->key, item, NULL)};
        array_push(reader->arena, &defines->items, given);
    }
    for (Json *file = files->first; file; file = file->next) // their pointers begin at the document
        file->parent = NULL;
    reader->bundle = files;
    return true;
}

static void warn_unused(Reader *reader) {
    for (uint32_t i = 0; i < reader->lets.count; i++)
        if (!reader->lets.items[i]->used) {
            Place place = json_place(reader->arena, reader->lets.items[i]->json);
            diag_warning(reader->diag, &place, "let \"%s\" is never used", reader->lets.items[i]->name);
        }
    for (uint32_t i = 0; i < reader->states.count; i++) {
        const struct StateDecl *state = &reader->states.items[i];
        if (state->index >= reader->state_read.count || !reader->state_read.items[state->index]) {
            Place place = json_place(reader->arena, state->json);
            diag_warning(reader->diag, &place, "state \"%s\" is never read", state->name);
        }
    }
}

static void read_all(Reader *reader, const Json *json) {
    Document *document = reader->main;
    const Json *programs = json_get(json, "programs");
    if (!document_states(reader))
        return;
    data_read(reader);
    if (!count_document(reader))
        return;
    for (uint32_t i = 0; i < document->networks.count && !reader_stopped(reader); i++)
        network_build(reader, document->networks.items[i].network, document->networks.items[i].network->declared);
    for (uint32_t i = 0; i < document->optimizers.count && !reader_stopped(reader); i++)
        optimizer_prepare(reader, document->optimizers.items[i].optimizer);
    for (uint32_t i = 0; i < reader->options->program_count; i++)
        if (reader->options->programs)
            document_program(reader, document, reader->options->programs[i], programs ? programs : json);
    for (uint32_t p = 0; p < document->programs.count && !reader_stopped(reader); p++) {
        if (program_is_wanted(reader, document->programs.items[p]))
            program_declare(reader, document->programs.items[p]);
    }
    if (!reader->options->programs && !diag_error_count(reader->diag))
        warn_unused(reader);
}

static const Json *read_main(Reader *reader, const char **path, const char **preset, GivenList *defines) {
    const Json *json = json_read(reader->arena, *path, reader->diag);
    reader->folder = file_folder(reader->arena, *path);
    const char *name = file_name(*path);
    if (json && json_get(json, "gcc-graph-input")) {
        if (!read_bundle(reader, json, &name, preset, defines))
            return NULL;
        json = json_get(reader->bundle, name);
    }
    if (json)
        array_push(reader->arena, &reader->files, ((struct SourceFile){name, json}));
    *path = name;
    return json;
}

Module *read_document(Arena *arena, const ReadOptions *options, Diag *diag) {
    Reader *reader = ARENA_NEW(arena, Reader, 1);
    *reader = (Reader){.arena = arena, .diag = diag, .scratch = diag_create(arena), .options = options, .budget = GRAPH_NODES_MAX + 1};
    reader->module = ARENA_NEW(arena, Module, 1);
    reader->exact = ARENA_NEW(arena, Module, 1);
    reader->module->arena = reader->exact->arena = arena;
    reader->module->file = arena_copy_text(arena, options->path);
    uint32_t errors = diag_error_count(diag);
    GivenList defines = {0};
    for (uint32_t i = 0; i < options->define_count; i++)
        if (!read_define(reader, options->defines[i], &defines))
            return NULL;
    const char *path = options->path, *preset = options->preset;
    reader->stage = stage_create(reader, STAGE_TABLE);
    const Json *json = read_main(reader, &path, &preset, &defines);
    if (!json)
        return NULL;
    reader->main = document_load(reader, json, path, &defines, "", NULL, preset);
    if (!reader->main || diag_error_count(diag) > errors)
        return NULL;
    const Json *name = json_get(json, "name"), *doc = json_get(json, "doc");
    reader->module->name = name ? name->string : arena_copy_bytes(arena, path, strlen(path) - (text_ends_with(path, ".json") ? 5 : 0));
    reader->module->doc = doc ? doc->string : NULL;
    read_all(reader, json);
    reader->module->resolved = document_resolved(reader, preset, &defines);
    return diag_error_count(diag) > errors ? NULL : reader->module;
}
