// Document: a file with its includes - what its names stand for, and which values its lets get.
#include "compiler/read/reader.h"
#include "runtime/base/file.h"

enum { TEXT_FILE_MAX = 1 << 26 };

// ---- lets and what is given for them

Given *given_find(const GivenList *given, const char *name) {
    for (uint32_t i = 0; i < given->items.count; i++)
        if (!strcmp(given->items.items[i]->name, name))
            return given->items.items[i];
    return NULL;
}

static Given *given_add(Reader *reader, GivenList *given, const char *name, Later *later) {
    Given *item = ARENA_NEW(reader->arena, Given, 1);
    *item = (Given){.name = name, .later = later};
    array_push(reader->arena, &given->items, item);
    return item;
}

Later *later_create(Reader *reader, const char *name, const Json *json, Scope *scope) {
    Later *later = ARENA_NEW(reader->arena, Later, 1);
    *later = (Later){.json = json, .scope = scope, .name = name};
    return later;
}

void lets_declare(Reader *reader, const Json *let, Scope *scope, const GivenList *given, const char *path, bool is_own) {
    for (const Json *item = let ? let->first : NULL; item; item = item->next) {
        Given *found = given ? given_find(given, path[0] ? arena_format(reader->arena, "%s%s", path, item->key) : item->key) : NULL;
        Later *later = found ? found->later : later_create(reader, item->key, item, scope);
        if (!later->scope)
            later->scope = scope;
        if (found)
            found->used = true;
        if (is_own)
            array_push(reader->arena, &reader->lets, later);
        scope_set(reader, scope, item->key, (Datum){.kind = DATUM_LATER, .later = later});
    }
}

// ---- files

// "a/b.json" and "../c.json" -> "c.json"
static const char *normalised(Arena *arena, const char *folder, const char *path) {
    const char *whole = !strcmp(folder, ".") ? path : file_join(arena, folder, path);
    ARRAY(const char *) parts = {0};
    Text text = text_create(arena);
    for (const char *at = whole; *at;) {
        size_t length = strcspn(at, "/");
        const char *part = arena_copy_bytes(arena, at, length);
        if (!strcmp(part, "..") && parts.count && strcmp(parts.items[parts.count - 1], ".."))
            parts.count--;
        else if (length && strcmp(part, "."))
            array_push(arena, &parts, part);
        at += length + (at[length] == '/');
    }
    for (uint32_t i = 0; i < parts.count; i++)
        text_format(&text, "%s%s", i || whole[0] == '/' ? "/" : "", parts.items[i]);
    return text.data;
}

static const Json *load(Reader *reader, const char *name, const Json *place) {
    for (uint32_t i = 0; i < reader->files.count; i++)
        if (!strcmp(reader->files.items[i].name, name))
            return reader->files.items[i].json;
    const Json *json = NULL;
    if (reader->bundle) {
        for (json = reader->bundle->first; json && strcmp(json->key, name);)
            json = json->next;
        if (!json)
            reader_error_at(reader, place, "the file \"%s\" is not in the bundle", name);
    } else {
        const char *path = !strcmp(reader->folder, ".") ? name : file_join(reader->arena, reader->folder, name);
        if (!file_exists(path))
            reader_error_at(reader, place, "no file \"%s\"", path);
        else
            json = json_read(reader->arena, path, reader->diag);
    }
    if (json)
        array_push(reader->arena, &reader->files, ((struct SourceFile){name, json}));
    return json;
}

// The folder of the file that holds this value, from the main document's.
static const char *folder_of(Reader *reader, const Json *json) {
    for (; json->parent;)
        json = json->parent;
    for (uint32_t i = 0; i < reader->files.count; i++)
        if (reader->files.items[i].json == json)
            return file_folder(reader->arena, reader->files.items[i].name);
    return ".";
}

static const Json *read_text(Reader *reader, const char *path, const char *instead, const Json *place) {
    size_t size;
    char *bytes = file_exists(path) ? file_read(reader->arena, path, &size, reader->diag) : NULL;
    if (!bytes) {
        reader_error_at(reader, place, "no file \"%s\"%s", path, instead);
        return NULL;
    }
    if (size > TEXT_FILE_MAX || strlen(bytes) != size) {
        reader_error_at(reader, place, size > TEXT_FILE_MAX ? "\"%s\" is larger than 64 MiB" : "\"%s\" is no text: it holds zero bytes", path);
        return NULL;
    }
    Json *json = ARENA_NEW(reader->arena, Json, 1);
    *json = (Json){.kind = JSON_STRING, .string = bytes, .file = arena_copy_text(reader->arena, path), .line = 1, .column = 1};
    return json;
}

const Json *document_text(Reader *reader, const Json *path, const char *instead, const char **name) {
    *name = normalised(reader->arena, folder_of(reader, path), path->string);
    const Json *json = NULL;
    for (uint32_t i = 0; i < reader->files.count; i++)
        if (!strcmp(reader->files.items[i].name, *name))
            json = reader->files.items[i].json;
    bool is_known = json != NULL;
    if (!json && reader->bundle && !(json = json_get(reader->bundle, *name)))
        reader_error_at(reader, path, "the file \"%s\" is not in the bundle", *name);
    if (!json && !reader->bundle)
        json = read_text(reader, !strcmp(reader->folder, ".") ? *name : file_join(reader->arena, reader->folder, *name), instead, path);
    if (json && json->kind != JSON_STRING) {
        reader_error_at(reader, path, "\"%s\" is a document, and a text is needed", *name);
        return NULL;
    }
    if (json && !is_known)
        array_push(reader->arena, &reader->files, ((struct SourceFile){*name, json}));
    return json;
}

// ---- declarations

static bool declare(Reader *reader, Document *document, const char *name, Datum datum, const Json *json) {
    for (uint32_t i = 0; i < document->scope.names.items.count; i++)
        if (!strcmp(document->scope.names.items.items[i].name, name))
            return reader_error_at(
                reader, json,
                "the name \"%s\" is already taken in this document (lets, tables, states, networks and includes share one name space)",
                name);
    scope_set(reader, &document->scope, name, datum);
    return true;
}

static const Json *datum_json(Datum datum) {
    switch (datum.kind) {
    case DATUM_LATER:
        return datum.later->json;
    case DATUM_TABLE:
        return datum.table->json;
    case DATUM_NETWORK:
        return datum.network->declared;
    case DATUM_DOCUMENT:
        return datum.document->json;
    default:
        return NULL;
    }
}

#define FIND(array, key, out)                                                                                                              \
    do {                                                                                                                                   \
        (out) = NULL;                                                                                                                      \
        for (uint32_t index_ = 0; index_ < (array).count; index_++)                                                                        \
            if (!strcmp((array).items[index_].name, key))                                                                                  \
                (out) = &(array).items[index_];                                                                                            \
    } while (0)

static bool twice(Reader *reader, const Json *json, const char *word, const char *name) {
    return reader_error_at(reader, json, "%s \"%s\" is declared twice", word, name);
}

// A plain include's names become the document's own; one file reached twice is one.
static bool merge(Reader *reader, Document *document, const Document *child, const Json *let, const Json *place) {
    bool is_good = true;
    for (uint32_t i = 0; i < child->scope.names.items.count; i++) {
        const Named *named = &child->scope.names.items.items[i];
        if (json_get(let, named->name))
            continue;
        const Datum *old = NULL;
        for (uint32_t k = 0; k < document->scope.names.items.count; k++)
            if (!strcmp(document->scope.names.items.items[k].name, named->name))
                old = &document->scope.names.items.items[k].datum;
        bool is_same =
            old && old->kind == named->datum.kind &&
            (old->kind == DATUM_STATE ? old->state.index == named->datum.state.index : datum_json(*old) == datum_json(named->datum));
        if (old && !is_same)
            is_good = twice(reader, place, "the name", named->name);
        else if (!old)
            scope_set(reader, &document->scope, named->name, named->datum);
    }
    for (uint32_t i = 0; i < child->blocks.count; i++) {
        const BlockDecl *block = &child->blocks.items[i], *old;
        FIND(document->blocks, block->name, old);
        if (old && old->json != block->json)
            is_good = twice(reader, place, "block", block->name);
        else if (!old)
            array_push(reader->arena, &document->blocks, *block);
    }
    for (uint32_t i = 0; i < child->networks.count; i++) {
        const struct NamedNetwork *network = &child->networks.items[i], *old;
        FIND(document->networks, network->name, old);
        if (!old)
            array_push(reader->arena, &document->networks, *network);
    }
    for (uint32_t i = 0; i < child->optimizers.count; i++) {
        const struct NamedOptimizer *optimizer = &child->optimizers.items[i], *old;
        FIND(document->optimizers, optimizer->name, old);
        if (old && old->optimizer->json != optimizer->optimizer->json)
            is_good = twice(reader, place, "optimizer", optimizer->name);
        else if (!old)
            array_push(reader->arena, &document->optimizers, *optimizer);
    }
    for (uint32_t i = 0; i < child->data.count; i++) {
        const DataDecl *data = &child->data.items[i], *old;
        FIND(document->data, data->name, old);
        if (old && old->json != data->json)
            is_good = twice(reader, place, "data set", data->name);
        else if (!old)
            array_push(reader->arena, &document->data, *data);
    }
    for (uint32_t i = 0; i < child->children.count; i++)
        array_push(reader->arena, &document->children, child->children.items[i]);
    return is_good;
}

// Programs are taken only where they are asked for by name.
static bool take_program(Reader *reader, Document *document, const Json *program, const Json *place) {
    for (uint32_t i = 0; i < document->programs.count; i++)
        if (document->programs.items[i] == program)
            return true;
        else if (!strcmp(document->programs.items[i]->key, program->key))
            return twice(reader, place, "program", program->key);
    array_push(reader->arena, &document->programs, program);
    return true;
}

static bool take_programs(Reader *reader, Document *document, const Document *child, const Json *names) {
    bool is_good = true;
    for (const Json *name = names ? names->first : NULL; name; name = name->next) {
        const Json *program = document_program(reader, child, name->string, name);
        is_good = program && take_program(reader, document, program, name) && is_good;
    }
    return is_good;
}

static bool check_with(Reader *reader, const GivenList *inner) {
    for (uint32_t i = 0; i < inner->items.count; i++)
        if (!inner->items.items[i]->used)
            return reader_error_at(reader, inner->items.items[i]->later->json, "the included document has no let \"%s\"",
                                   inner->items.items[i]->name);
    return true;
}

static bool include(Reader *reader, Document *document, const Json *json) {
    const Json *file = json->kind == JSON_STRING ? json : json_get(json, "file"), *as = json_get(json, "as"),
               *with = json_get(json, "with"), *programs = json_get(json, "programs");
    const Json *let = json_get(document->json, "let");
    if (as && programs)
        return reader_error_at(reader, programs, "programs can be taken only from a document that is included without \"as\"");
    const char *name = normalised(reader->arena, file_folder(reader->arena, document->name), file->string);
    GivenList own = {0}, inner = {0}, passed = {0}; // own: of "with"; passed: of our own given, under the names that they have there
    for (const Json *item = with ? with->first : NULL; item; item = item->next)
        given_add(reader, &own, item->key, later_create(reader, item->key, item, &document->scope));
    if (as) {
        const char *start = arena_format(reader->arena, "%s.", as->string);
        for (uint32_t i = 0; i < document->given.items.count; i++) {
            Given *given = document->given.items.items[i];
            if (text_starts_with(given->name, start))
                array_push(reader->arena, &inner.items, given_add(reader, &passed, given->name + strlen(start), given->later));
        }
    } else {
        for (uint32_t i = 0; i < document->given.items.count; i++)
            if (!json_get(let, document->given.items.items[i]->name))
                array_push(reader->arena, &inner.items, document->given.items.items[i]);
        for (const Json *item = let ? let->first : NULL; item; item = item->next)
            if (!given_find(&inner, item->key))
                given_add(reader, &inner, item->key, scope_find(&document->scope, item->key)->later)->used = true;
    }
    for (uint32_t i = 0; i < own.items.count; i++)
        if (!given_find(&inner, own.items.items[i]->name))
            array_push(reader->arena, &inner.items, own.items.items[i]);
        else
            own.items.items[i]->used = true;
    if (!limit_document(reader, file))
        return false;
    Document *child =
        document_load(reader, file, name, &inner,
                      as ? arena_format(reader->arena, "%s%s.", document->prefix, as->string) : document->prefix, document, NULL);
    limit_leave(reader);
    if (!child || !check_with(reader, &own))
        return false;
    for (uint32_t i = 0; as && i < passed.items.count; i++)
        for (uint32_t k = 0; k < document->given.items.count; k++)
            if (document->given.items.items[k]->later == passed.items.items[i]->later)
                document->given.items.items[k]->used |= passed.items.items[i]->used;
    for (uint32_t i = 0; i < child->known.count; i++)
        array_push(reader->arena, &document->known,
                   as ? arena_format(reader->arena, "%s.%s", as->string, child->known.items[i]) : child->known.items[i]);
    if (!as)
        return take_programs(reader, document, child, programs) && merge(reader, document, child, let, json);
    array_push(reader->arena, &document->children, ((struct NamedDocument){as->string, child}));
    return declare(reader, document, as->string, (Datum){.kind = DATUM_DOCUMENT, .document = child}, json);
}

// What a network uses or shares is declared before it, so that none depends on itself.
static Network *network_before(Reader *reader, Document *document, const Json *name) {
    const Json *declared = json_get(json_get(document->json, "networks"), name->string);
    if (!document_network(reader, document, name->string, NULL) && declared) {
        if (!strcmp(name->parent->key, name->string))
            reader_error_at(reader, name, "\"%s\" is this network itself", name->string);
        else if (declared->index > name->parent->index) // else a mistake of its own is reported
            reader_error_at(reader, name, "the network \"%s\" is declared after this: what a network uses or shares stands before it",
                            name->string);
        return NULL;
    }
    return document_network(reader, document, name->string, name);
}

static bool declare_network(Reader *reader, Document *document, const Json *json) {
    const Json *use = json_get(json, "use"), *with = json_get(json, "with"), *share = json_get(json, "share"), *copy = json_get(json, "copy");
    Network *network = ARENA_NEW(reader->arena, Network, 1);
    *network = (Network){.json = json, .document = document, .declared = json};
    if (share) {
        Network *owner = network_before(reader, document, share);
        if (!owner)
            return false;
        network->owner = owner->owner ? owner->owner : owner;
    }
    if (use) {
        Network *source = network_before(reader, document, use);
        if (!source)
            return false;
        if (copy && copy->number != 0 && source->owner)
            return reader_error_at(reader, copy, "\"%s\" has no parameters of its own: it shares those of \"%s\"; copy that", use->string,
                                   source->owner->name);
        network->source = copy && copy->number != 0 ? source : NULL;
        network->json = source->json;
        network->document = source->document;
        const Json *let = json_get(source->json, "let");
        ARRAY(const char *) names = {0};
        for (const Json *item = let ? let->first : NULL; item; item = item->next)
            array_push(reader->arena, &names, item->key);
        for (const Json *item = with ? with->first : NULL; item; item = item->next) {
            if (!json_get(let, item->key))
                return reader_error_at(reader, item, "network \"%s\" has no let \"%s\"%s", use->string, item->key,
                                       reader_suggest_words(reader, item->key, names.items, names.count));
            given_add(reader, &network->given, item->key, later_create(reader, item->key, item, &document->scope));
        }
    }
    network->name = arena_format(reader->arena, "%s%s", document->prefix, json->key);
    if (!declare(reader, document, json->key, (Datum){.kind = DATUM_NETWORK, .network = network}, json))
        return false;
    array_push(reader->arena, &document->networks, ((struct NamedNetwork){json->key, network}));
    return true;
}

static bool declare_state(Reader *reader, Document *document, const Json *json) {
    const char *name = arena_format(reader->arena, "%s%s", document->prefix, json->key);
    uint32_t index = module_state_index(reader->module, name);
    if (index == UINT32_MAX) {
        index = reader->module->states.count;
        array_push(reader->arena, &reader->module->states,
                   ((State){.name = name, .kind = STATE_RUNNING, .pointer = json_pointer(reader->arena, json)}));
        array_push(reader->arena, &reader->states, ((struct StateDecl){name, json, document, index}));
    }
    return declare(reader, document, json->key, (Datum){.kind = DATUM_STATE, .state = {.index = index}}, json);
}

static bool declare_all(Reader *reader, Document *document) {
    const Json *json = document->json, *tables = json_get(json, "tables"), *states = json_get(json, "state"),
               *blocks = json_get(json, "blocks");
    const Json *networks = json_get(json, "networks"), *optimizers = json_get(json, "optimizers"), *data = json_get(json, "data");
    bool is_good = true;
    for (const Json *item = tables ? tables->first : NULL; item; item = item->next) {
        TableDecl *table = ARENA_NEW(reader->arena, TableDecl, 1);
        *table = (TableDecl){.name = arena_format(reader->arena, "%s%s", document->prefix, item->key), .json = item, .document = document};
        is_good = declare(reader, document, item->key, (Datum){.kind = DATUM_TABLE, .table = table}, item) && is_good;
    }
    for (const Json *item = states ? states->first : NULL; item; item = item->next)
        is_good = declare_state(reader, document, item) && is_good;
    for (const Json *item = blocks ? blocks->first : NULL; item; item = item->next) {
        const BlockDecl *old;
        FIND(document->blocks, item->key, old);
        if (old)
            is_good = twice(reader, item, "block", item->key);
        else
            array_push(reader->arena, &document->blocks, ((BlockDecl){item->key, item, document}));
    }
    for (const Json *item = networks ? networks->first : NULL; item; item = item->next)
        is_good = declare_network(reader, document, item) && is_good;
    for (const Json *item = optimizers ? optimizers->first : NULL; item; item = item->next) {
        const struct NamedOptimizer *old;
        FIND(document->optimizers, item->key, old);
        OptimizerDecl *optimizer = ARENA_NEW(reader->arena, OptimizerDecl, 1);
        *optimizer = (OptimizerDecl){
            .name = arena_format(reader->arena, "%s%s", document->prefix, item->key), .key = item->key, .json = item, .document = document};
        if (old)
            is_good = twice(reader, item, "optimizer", item->key);
        else
            array_push(reader->arena, &document->optimizers, ((struct NamedOptimizer){item->key, optimizer}));
    }
    for (const Json *item = data ? data->first : NULL; item; item = item->next) {
        const DataDecl *old;
        FIND(document->data, item->key, old);
        if (old)
            is_good = twice(reader, item, "data set", item->key);
        else
            array_push(reader->arena, &document->data, ((DataDecl){.name = item->key, .json = item, .document = document}));
    }
    return is_good;
}

// Adds the preset's numbers to what is given; what is given already wins.
static bool add_preset(Reader *reader, Document *document, const char *preset) {
    const Json *presets = json_get(document->json, "presets"), *chosen = json_get(presets, preset);
    if (!chosen && strcmp(preset, "check")) {
        ARRAY(const char *) names = {0};
        array_push(reader->arena, &names, "check");
        for (const Json *item = presets ? presets->first : NULL; item; item = item->next)
            array_push(reader->arena, &names, item->key);
        return reader_error_at(reader, presets ? presets : document->json, "no preset \"%s\"%s", preset,
                               reader_suggest_words(reader, preset, names.items, names.count));
    }
    for (const Json *item = chosen ? chosen->first : NULL; item; item = item->next)
        if (!given_find(&document->given, item->key))
            given_add(reader, &document->given, item->key, later_create(reader, item->key, item, NULL));
    return true;
}

// What is given for programs' lets is looked up again when the program is read.
static void know_programs(Reader *reader, Document *document) {
    for (uint32_t p = 0; p < document->programs.count; p++) {
        const Json *program = document->programs.items[p], *let = json_get(program, "let");
        for (const Json *item = let ? let->first : NULL; item; item = item->next) {
            const char *name = arena_format(reader->arena, "%s.%s", program->key, item->key);
            Given *given = given_find(&document->given, name);
            if (given)
                given->used = true;
            array_push(reader->arena, &document->known, name);
        }
    }
}

Document *document_load(Reader *reader, const Json *place, const char *name, const GivenList *given, const char *prefix,
                        const Document *includer, const char *preset) {
    Document *document = ARENA_NEW(reader->arena, Document, 1);
    for (const Document *up = includer; up; up = up->includer)
        if (!strcmp(up->name, name)) {
            reader_error_at(reader, place, "\"%s\" includes itself%s%s", name, up == includer ? "" : " through ",
                            up == includer ? "" : includer->name);
            return NULL;
        }
    const Json *json = load(reader, name, place);
    if (!json || !check_document(reader, json))
        return NULL;
    *document = (Document){.name = name, .prefix = prefix, .json = json, .includer = includer};
    const Json *exact = json_get(json, "exact");
    reader->module->is_exact |= exact && exact->number != 0; // one document that asks for it is enough
    document->scope.owner = &document->scope;
    document->scope.document = document;
    for (uint32_t i = 0; i < given->items.count; i++)
        array_push(reader->arena, &document->given.items, given->items.items[i]);
    if (preset && !add_preset(reader, document, preset))
        return NULL;
    const Json *let = json_get(json, "let"), *includes = json_get(json, "include"), *programs = json_get(json, "programs");
    lets_declare(reader, let, &document->scope, &document->given, "", !includer);
    for (const Json *item = let ? let->first : NULL; item; item = item->next)
        array_push(reader->arena, &document->known, item->key);
    bool is_good = true;
    for (const Json *item = includes ? includes->first : NULL; item; item = item->next)
        is_good = include(reader, document, item) && is_good;
    for (const Json *program = programs ? programs->first : NULL; program; program = program->next)
        is_good = take_program(reader, document, program, program) && is_good;
    know_programs(reader, document);
    is_good = is_good && declare_all(reader, document);
    for (uint32_t i = 0; !includer && i < document->given.items.count; i++) {
        const Given *item = document->given.items.items[i];
        if (!item->used)
            is_good = reader_error_at(reader, item->later->json, "no let \"%s\"%s", item->name,
                                      reader_suggest_words(reader, item->name, document->known.items, document->known.count));
    }
    return is_good ? document : NULL;
}

bool document_states(Reader *reader) {
    bool is_good = true;
    for (uint32_t i = 0; i < reader->states.count; i++) {
        const struct StateDecl *decl = &reader->states.items[i];
        State *state = &reader->module->states.items[decl->index];
        const Json *init = json_get(decl->json, "init");
        Initialiser initial = {0};
        uint32_t rank, dims[MAX_RANK];
        if (!evaluate_dims(reader, json_get(decl->json, "shape"), &decl->document->scope, &rank, dims) ||
            (init && !initialiser_read(reader, init, &decl->document->scope, &initial))) {
            is_good = false;
            continue;
        }
        state->type = type_make(DTYPE_F32, rank, dims);
        const char *misfit = init_resolve(reader->arena, &initial, rank, dims, &state->init);
        if (misfit)
            is_good = reader_error_at(reader, init, "%s", misfit);
    }
    return is_good;
}

// ---- the input as one file

const char *document_resolved(Reader *reader, const char *preset, const GivenList *defines) {
    JsonWriter *writer = json_writer_create(reader->arena);
    json_begin_object(writer, NULL);
    json_write_int(writer, "gcc-graph-input", 1);
    json_write_text(writer, "main", reader->main->name);
    if (preset)
        json_write_text(writer, "preset", preset);
    json_begin_object(writer, "define");
    for (uint32_t i = 0; i < defines->items.count; i++)
        json_write_tree(writer, defines->items.items[i]->name, defines->items.items[i]->later->json);
    json_end_object(writer);
    json_begin_object(writer, "files");
    for (uint32_t i = 0; i < reader->files.count; i++)
        json_write_tree(writer, reader->files.items[i].name, reader->files.items[i].json);
    json_end_object(writer);
    json_end_object(writer);
    return json_writer_text(writer);
}
