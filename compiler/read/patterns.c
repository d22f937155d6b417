// Patterns: which parameters an optimizer has, and by which row of its "parts" - networks' names, the beginnings of parameters' names up
// to a dot, and names in which "*" stands for any text.
#include "compiler/read/reader.h"

typedef ARRAY(OptimizerDecl *) OptimizerList;
typedef ARRAY(Network *) NetworkList;

// ---- patterns

// The text matches from its first to its last character.
static bool matches_glob(const char *glob, const char *text) {
    const char *star = NULL, *again = NULL;
    while (*text)
        if (*glob == '*') {
            star = glob++;
            again = text;
        } else if (*glob == *text) {
            glob++;
            text++;
        } else if (star) { // the star takes one more
            glob = star + 1;
            text = ++again;
        } else {
            return false;
        }
    while (*glob == '*')
        glob++;
    return !*glob;
}

bool patterns_match(const Pattern *pattern, const char *parameter) {
    if (pattern->is_glob)
        return matches_glob(pattern->text, parameter);
    size_t length = strlen(pattern->text);
    return !strncmp(pattern->text, parameter, length) && (!parameter[length] || parameter[length] == '.');
}

static bool list_matches(const PatternList *list, const char *parameter) {
    for (uint32_t i = 0; i < list->items.count; i++)
        if (patterns_match(&list->items.items[i], parameter))
            return true;
    return false;
}

// The network with which the name begins, and the rest.
static Network *network_of(Reader *reader, Document *document, const char *name, const char **rest) {
    size_t length = strlen(name);
    for (;;) {
        Network *network = document_network(reader, document, arena_copy_bytes(reader->arena, name, length), NULL);
        *rest = name + length;
        if (network)
            return network;
        while (length && name[length - 1] != '.')
            length--;
        if (!length)
            return NULL;
        length--;
    }
}

static void resolve_list(Reader *reader, const OptimizerDecl *optimizer, const Json *of, PatternList *out) {
    for (const Json *item = of->kind == JSON_STRING ? of : of->first; item; item = of->kind == JSON_STRING ? NULL : item->next) {
        Pattern pattern = {.json = item, .is_glob = strchr(item->string, '*') != NULL};
        const char *rest = "";
        pattern.text = arena_format(reader->arena, "%s%s", optimizer->document->prefix, item->string);
        if (!pattern.is_glob)
            pattern.network = network_of(reader, optimizer->document, item->string, &rest);
        if (pattern.network)
            pattern.text = arena_format(reader->arena, "%s%s", parameters_owner(pattern.network)->name, rest);
        array_push(reader->arena, &out->items, pattern);
    }
}

static void resolve(Reader *reader, OptimizerDecl *optimizer) {
    const Json *parts = json_get(optimizer->json, "parts");
    if (optimizer->resolved)
        return;
    optimizer->resolved = true;
    resolve_list(reader, optimizer, json_get(optimizer->json, "of"), &optimizer->of);
    for (const Json *part = parts ? parts->first : NULL; part; part = part->next) {
        OptimizerRow *row = ARENA_NEW(reader->arena, OptimizerRow, 1);
        row->json = part;
        resolve_list(reader, optimizer, json_get(part, "of"), &row->of);
        array_push(reader->arena, &optimizer->rows, row);
    }
}

// ---- claims

// Adds those of the document and then those of what it includes by another name: on what both want, the including document's wins.
static bool claim_from(Reader *reader, Document *document, const char *parameter, NetworkSet *out) {
    for (uint32_t i = 0; i < document->optimizers.count; i++) {
        OptimizerDecl *optimizer = document->optimizers.items[i].optimizer;
        resolve(reader, optimizer);
        if (optimizer == out->optimizer || !list_matches(&optimizer->of, parameter))
            continue;
        if (out->optimizer)
            return reader_error_at(reader, json_get(optimizer->json, "of"),
                                   "\"%s\" is optimized by \"%s\" already; a parameter has one optimizer", parameter, out->optimizer->name);
        out->optimizer = optimizer;
        for (uint32_t k = 0; !out->row && k < optimizer->rows.count; k++)
            out->row = list_matches(&optimizer->rows.items[k]->of, parameter) ? optimizer->rows.items[k] : NULL;
    }
    for (uint32_t i = 0; !out->optimizer && i < document->children.count; i++)
        if (!claim_from(reader, document->children.items[i].document, parameter, out))
            return false;
    return true;
}

bool patterns_claim(Reader *reader, const char *parameter, NetworkSet *out) {
    *out = (NetworkSet){0};
    return claim_from(reader, reader->main, parameter, out);
}

// ---- an optimizer's sets

static void list_networks(Reader *reader, const Document *document, NetworkList *out) {
    for (uint32_t i = 0; i < document->networks.count; i++) {
        bool is_there = false;
        for (uint32_t k = 0; k < out->count; k++)
            is_there = is_there || out->items[k] == document->networks.items[i].network;
        if (!is_there)
            array_push(reader->arena, out, document->networks.items[i].network);
    }
    for (uint32_t i = 0; i < document->children.count; i++)
        list_networks(reader, document->children.items[i].document, out);
}

// Whether a parameter of the network may match: what stands before the first star and the network's name agree as far as both go.
static bool may_match(const Pattern *pattern, const Network *network) {
    size_t length = strcspn(pattern->text, "*"), own = strlen(network->name);
    return !strncmp(pattern->text, network->name, length < own ? length : own) && (length <= own || pattern->text[own] == '.');
}

static bool build_for(Reader *reader, const Pattern *pattern, Network *network) {
    if (!network_build(reader, network, pattern->json))
        return false;
    return !network->building ||
           reader_error_at(reader, pattern->json, "the parameters of \"%s\" are not yet known inside it", network->name);
}

// Adds the network's sets that the optimizer has; whether any of its parameters matches.
static bool add_network(Reader *reader, OptimizerDecl *optimizer, const Pattern *pattern, const Network *network) {
    bool is_found = false;
    for (uint32_t i = 0; i < network->found.parts.count; i++)
        is_found = is_found || patterns_match(pattern, network->found.parts.items[i].name);
    for (uint32_t i = 0; is_found && i < network->sets.count; i++) {
        const NetworkSet *own = network->sets.items[i];
        bool is_there = false;
        for (uint32_t k = 0; k < optimizer->sets.count; k++)
            is_there = is_there || optimizer->sets.items[k] == own;
        if (own->optimizer == optimizer && !is_there)
            array_push(reader->arena, &optimizer->sets, own);
    }
    return is_found;
}

static bool add_glob(Reader *reader, OptimizerDecl *optimizer, const Pattern *pattern, const NetworkList *networks) {
    ARRAY(const char *) names = {0};
    bool is_found = false;
    for (uint32_t i = 0; i < networks->count; i++) {
        Network *network = networks->items[i];
        if (network->owner || !may_match(pattern, network))
            continue;
        if (!build_for(reader, pattern, network))
            return false;
        is_found = add_network(reader, optimizer, pattern, network) || is_found;
        for (uint32_t k = 0; k < network->found.parts.count; k++)
            array_push(reader->arena, &names, network->found.parts.items[k].name);
    }
    return is_found || reader_error_at(reader, pattern->json, "no parameter matches \"%s\"%s", pattern->text,
                                       reader_suggest_words(reader, pattern->text, names.items, names.count));
}

// A parameter, or what several begin with.
static const char *suggest_begin(Reader *reader, const Network *network, const char *text) {
    ARRAY(const char *) names = {0};
    for (uint32_t i = 0; i < network->found.parts.count; i++) {
        const char *name = network->found.parts.items[i].name;
        array_push(reader->arena, &names, name);
        for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
            array_push(reader->arena, &names, arena_copy_bytes(reader->arena, name, (size_t)(dot - name)));
    }
    const char *nearest = text_nearest(text, names.items, names.count);
    return nearest ? arena_format(reader->arena, "; did you mean \"%s\"?", nearest) : parameters_suggest(reader, network, text);
}

static bool add_named(Reader *reader, OptimizerDecl *optimizer, const Pattern *pattern) {
    if (!pattern->network) {
        document_network(reader, optimizer->document, pattern->json->string, pattern->json);
        return false;
    }
    Network *owner = parameters_owner(pattern->network);
    if (!build_for(reader, pattern, owner))
        return false;
    bool is_whole = !strcmp(owner->name, pattern->text); // a network without parameters may stand among others
    return add_network(reader, optimizer, pattern, owner) || is_whole ||
           reader_error_at(reader, pattern->json, "no parameter is called \"%s\" or begins with \"%s.\"%s", pattern->text, pattern->text,
                           suggest_begin(reader, owner, pattern->text));
}

// ---- "parts"

static const char *row_said(Reader *reader, const Json *json) {
    Text text = text_create(reader->arena);
    for (const Json *item = json->first; item; item = item->next) {
        if (!strcmp(item->key, "of") || !strcmp(item->key, "doc"))
            continue;
        text_format(&text, "%s%s ", text.length ? ", " : "", item->key);
        if (item->kind == JSON_STRING)
            text_append(&text, item->string);
        else if (item->kind == JSON_BOOL)
            text_append(&text, item->number != 0 ? "true" : "false");
        else
            text_format(&text, "%.10g", item->number);
    }
    return text.data;
}

static bool check_row(Reader *reader, const OptimizerDecl *optimizer, const OptimizerRow *row, OptimizerInfo *info) {
    PartRow shown = {.said = row_said(reader, row->json)};
    Text of = text_create(reader->arena);
    for (uint32_t p = 0; p < row->of.items.count; p++) {
        const Pattern *pattern = &row->of.items.items[p];
        ARRAY(const char *) names = {0};
        bool is_found = false;
        for (uint32_t i = 0; i < optimizer->sets.count; i++) {
            const Set *set = &reader->module->sets.items[optimizer->sets.items[i]->set - 1];
            for (uint32_t k = 0; k < set->parts.count; k++) {
                is_found = is_found || patterns_match(pattern, set->parts.items[k].name);
                array_push(reader->arena, &names, set->parts.items[k].name);
            }
        }
        if (!is_found)
            return reader_error_at(reader, pattern->json, "no parameter of \"%s\" matches \"%s\"%s", optimizer->name, pattern->text,
                                   reader_suggest_words(reader, pattern->text, names.items, names.count));
        text_format(&of, "%s%s", p ? ", " : "", pattern->text);
    }
    for (uint32_t i = 0; i < optimizer->sets.count; i++)
        if (optimizer->sets.items[i]->row == row)
            shown.count += reader->module->sets.items[optimizer->sets.items[i]->set - 1].count;
    shown.of = of.data;
    if (!shown.count) {
        Place place = json_place(reader->arena, row->json);
        diag_warning(reader->diag, &place, "the rows before this have all that it matches: %s", of.data);
    }
    array_push(reader->arena, &info->parts, shown);
    return true;
}

bool patterns_gather(Reader *reader, OptimizerDecl *optimizer, OptimizerInfo *info) {
    NetworkList networks = {0};
    resolve(reader, optimizer);
    list_networks(reader, reader->main, &networks);
    for (uint32_t i = 0; i < optimizer->of.items.count; i++) {
        const Pattern *pattern = &optimizer->of.items.items[i];
        if (!(pattern->is_glob ? add_glob(reader, optimizer, pattern, &networks) : add_named(reader, optimizer, pattern)))
            return false;
        array_push(reader->arena, &info->of, pattern->text);
    }
    for (uint32_t i = 0; i < optimizer->sets.count; i++)
        info->count += reader->module->sets.items[optimizer->sets.items[i]->set - 1].count;
    for (uint32_t i = 0; i < optimizer->rows.count; i++)
        if (!check_row(reader, optimizer, optimizer->rows.items[i], info))
            return false;
    return true;
}
