// Check: which keys each construct may have, and which kind of value each takes. Nothing is computed here, so that everything that follows
// may rely on it.
//
// A list of keys is written "name:kinds! …" with '!' after required ones. Kinds:
//   t text   n number   b true or false   o object   a array   e expression (text, number or bool)   s shape (array or expression)
//   i initialiser (text or object)   v value (expression or array)   w values by name, position or one (expression, array or object)   x
//   anything
#include "compiler/layers/spec.h"
#include "compiler/read/functions.h"
#include "compiler/read/reader.h"
#include "runtime/base/name.h"

static const char *const kind_names[] = {"op",    "expr", "call",   "block",    "for",  "random", "gradient", "parameter",
                                         "state", "set",  "update", "snapshot", "step", "commit", "emit"};

// Keys of each kind of node, beside "if" and "doc"; those with a result also have "as" and "push".
static const char *const node_keys[NODE_KIND_COUNT] = {
    [NODE_OP] = "op:t! in:w as:t push:t",
    [NODE_EXPR] = "expr:e! as:t push:t",
    [NODE_CALL] = "call:t! in:w weights:t mode:t keep_state:b as:t push:t",
    [NODE_BLOCK] = "block:t! in:w with:o as:t push:t",
    [NODE_FOR] = "for:t! below:e! reverse:b nodes:a! let:o",
    [NODE_RANDOM] = "random:t! shape:s like:t below:e as:t push:t",
    [NODE_GRADIENT] = "gradient:e! of:t! as:t push:t",
    [NODE_PARAMETER] = "parameter:t! shape:s! init:i as:t push:t",
    [NODE_STATE] = "state:t! shape:s! init:i as:t push:t",
    [NODE_SET] = "set:t! to:e!",
    [NODE_UPDATE] = "update:t! minimize:e! when:e",
    [NODE_SNAPSHOT] = "snapshot:t! as:t! push:t",
    [NODE_STEP] = "step:t! from:t! minimize:e! as:t! push:t",
    [NODE_COMMIT] = "commit:t!",
    [NODE_EMIT] = "emit:t! value:e! format:t at:e",
};

const char *node_kind_name(NodeKind kind) { return kind_names[kind]; }

NodeKind check_node_kind(const Json *node) {
    uint32_t kind = 0;
    while (kind < NODE_KIND_COUNT && !json_get(node, kind_names[kind]))
        kind++;
    return (NodeKind)kind;
}

// ---- keys

typedef struct {
    const char *name;
    size_t length;
    const char *kinds;
    size_t kind_count;
    bool is_required;
} Key;

static bool next_key(const char **list, Key *key) {
    const char *at = *list + strspn(*list, " ");
    if (!*at)
        return false;
    key->name = at;
    key->length = strcspn(at, ": ");
    at += key->length;
    key->kinds = at + (*at == ':');
    key->kind_count = strcspn(key->kinds, "! ");
    key->is_required = key->kinds[key->kind_count] == '!';
    *list = key->kinds + key->kind_count + key->is_required;
    return true;
}

static const char *kind_text(char kind) {
    switch (kind) {
    case 't':
        return "text";
    case 'n':
        return "a number";
    case 'b':
        return "true or false";
    case 'o':
        return "an object";
    case 'a':
        return "an array";
    case 'e':
        return "an expression (text or a number)";
    case 's':
        return "a shape (an array of sizes)";
    case 'i':
        return "an initialiser (a word or an object)";
    case 'v':
        return "an expression or an array";
    default:
        return "an expression, an array or an object";
    }
}

static bool fits(char kind, JsonKind json) {
    switch (kind) {
    case 't':
        return json == JSON_STRING;
    case 'n':
        return json == JSON_NUMBER;
    case 'b':
        return json == JSON_BOOL;
    case 'o':
        return json == JSON_OBJECT;
    case 'a':
        return json == JSON_ARRAY;
    case 'e':
        return json == JSON_STRING || json == JSON_NUMBER || json == JSON_BOOL;
    case 's':
        return json == JSON_STRING || json == JSON_ARRAY;
    case 'i':
        return json == JSON_STRING || json == JSON_OBJECT;
    case 'v':
        return json == JSON_STRING || json == JSON_NUMBER || json == JSON_BOOL || json == JSON_ARRAY;
    case 'w':
        return json != JSON_NULL;
    default:
        return true;
    }
}

static bool check_member(Reader *reader, const Json *member, const char *allowed) {
    ARRAY(const char *) names = {0};
    Key key;
    for (const char *list = allowed; next_key(&list, &key);) {
        if (strlen(member->key) == key.length && !strncmp(member->key, key.name, key.length)) {
            bool is_fit = false;
            for (size_t i = 0; i < key.kind_count; i++)
                is_fit = is_fit || fits(key.kinds[i], member->kind);
            bool is_names = !strcmp(member->key, "as") && member->kind == JSON_ARRAY;
            return is_fit || reader_error_at(reader, member, "%s expected, not %s%s", kind_text(key.kinds[0]), json_kind_name(member->kind),
                                             is_names ? ": what is in a list is NAME[0], NAME[1] … of its one name" : "");
        }
        array_push(reader->arena, &names, arena_copy_bytes(reader->arena, key.name, key.length));
    }
    return reader_error_at(reader, member, "unknown key \"%s\"%s", member->key,
                           reader_suggest_words(reader, member->key, names.items, names.count));
}

bool check_object(Reader *reader, const Json *json, const char *allowed) {
    if (json->kind != JSON_OBJECT)
        return reader_error_at(reader, json, "an object expected, not %s", json_kind_name(json->kind));
    bool is_good = true;
    for (const Json *member = json->first; member; member = member->next)
        is_good = check_member(reader, member, allowed) && is_good;
    Key key;
    for (const char *list = allowed; next_key(&list, &key);) {
        const char *name = arena_copy_bytes(reader->arena, key.name, key.length);
        if (key.is_required && !json_get(json, name))
            is_good = reader_error_at(reader, json, "\"%s\" is missing", name);
    }
    return is_good;
}

// ---- names

static bool check_name(Reader *reader, const Json *json, const char *name) {
    const char *mistake = name_mistake(name);
    return !mistake || reader_error_at(reader, json, "\"%s\": %s: it may become the name of a file", text_excerpt(reader->arena, name, 0),
                                       mistake);
}

// What an object or a list of texts declares.
static bool check_names(Reader *reader, const Json *list) {
    bool is_good = true;
    for (const Json *item = list && (list->kind == JSON_OBJECT || list->kind == JSON_ARRAY) ? list->first : NULL; item; item = item->next)
        if (item->key || item->kind == JSON_STRING)
            is_good = check_name(reader, item, item->key ? item->key : item->string) && is_good;
    return is_good;
}

// The names that the members of these keys declare.
static bool check_names_in(Reader *reader, const Json *json, const char *const *keys, uint32_t count) {
    bool is_good = true;
    for (uint32_t i = 0; i < count; i++)
        is_good = check_names(reader, json_get(json, keys[i])) && is_good;
    return is_good;
}
#define CHECK_NAMES_IN(reader, json, ...)                                                                                                  \
    check_names_in(reader, json, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

// ---- nodes

// "x axis kernel! weight:@" as keys "x:v axis:v kernel:v! weight:e"; "init" is an initialiser.
static const char *option_keys(Reader *reader, const char *options) {
    Text text = text_create(reader->arena);
    SpecItem item;
    while (spec_next(&options, &item)) {
        bool is_initialiser = item.length >= 4 && !strncmp(item.name + item.length - 4, "init", 4);
        text_format(&text, " %.*s:%s%s", (int)item.length, item.name, is_initialiser ? "i" : spec_takes(&item, "@") ? "e" : "v",
                    item.is_required ? "!" : "");
    }
    return text.data;
}

static bool check_op(Reader *reader, const Json *node, const char **options) {
    const Json *op = json_get(node, "op");
    if (op->kind != JSON_STRING)
        return reader_error_at(reader, op, "text expected, not %s", json_kind_name(op->kind));
    const LayerDef *layer = layer_find(op->string);
    const char *parameters = layer ? layer->options : function_options(reader->arena, op->string);
    if (parameters) {
        *options = option_keys(reader, parameters);
        return true;
    }
    ARRAY(const char *) names = {0};
    uint32_t count;
    const LayerDef *defs = layer_defs(&count);
    for (uint32_t i = 0; i < count; i++)
        array_push(reader->arena, &names, defs[i].name);
    const FunctionInfo *functions = function_list(&count);
    for (uint32_t i = 0; i < count; i++)
        array_push(reader->arena, &names, functions[i].name);
    return reader_error_at(reader, op, "unknown op \"%s\"%s", op->string,
                           reader_suggest_words(reader, op->string, names.items, names.count));
}

// Several inputs, as PyTorch has them, of a function whose further arguments are keys.
static bool check_inputs(Reader *reader, const Json *node) {
    const char *name = json_get(node, "op")->string;
    const FunctionInfo *function = layer_find(name) ? NULL : function_find(name);
    const Json *in = json_get(node, "in");
    if (!function || !in || in->kind != JSON_ARRAY || in->count < 2)
        return true;
    const char *options = function_options(reader->arena, name), *at = function->arguments;
    bool is_missing = false;
    SpecItem item;
    for (const char *rest = options; spec_next(&rest, &item);)
        is_missing = is_missing || (item.is_required && !json_get(node, arena_copy_bytes(reader->arena, item.name, item.length)));
    spec_next(&at, &item);
    if (!is_missing || (item.length == strlen("parts") && !strncmp(item.name, "parts", item.length)))
        return true;
    return reader_error_at(reader, in, "%s: \"in\" is its first argument (%.*s) alone; the others are keys of the node: %s", name, (int)item.length,
                           item.name, spec_shown(reader->arena, at, ", "));
}

// An op that is a layer and not the function of its name, with an option of the function.
static bool check_meant(Reader *reader, const Json *node) {
    const char *name = json_get(node, "op")->string;
    const LayerDef *layer = layer_find(name);
    const FunctionInfo *function = function_find(name);
    SpecItem item;
    for (const Json *member = layer && function ? node->first : NULL; member; member = member->next)
        if (!spec_find(layer->options, member->key, &item) && spec_find(function_options(reader->arena, name), member->key, &item))
            return reader_error_at(reader, member, "the layer \"%s\" has no \"%s\"; the function is { \"expr\": \"%s(%s)\" }", name, member->key, name,
                                   spec_shown(reader->arena, function->arguments, ", "));
    return true;
}

static bool check_nodes(Reader *reader, const Json *nodes);

static bool check_node(Reader *reader, const Json *node) {
    if (node->kind != JSON_OBJECT)
        return reader_error_at(reader, node, "a node is an object, not %s", json_kind_name(node->kind));
    NodeKind kind = check_node_kind(node);
    if (kind == NODE_KIND_COUNT) {
        const char *near = NULL;
        for (const Json *member = node->first; member && !near; member = member->next)
            near = text_nearest(member->key, kind_names, NODE_KIND_COUNT);
        return reader_error_at(reader, node,
                               "a node needs one of op, expr, call, block, for, random, gradient, parameter, state, set, update, snapshot, "
                               "step, commit, emit%s",
                               near ? arena_format(reader->arena, "; did you mean \"%s\"?", near) : "");
    }
    const char *options = "";
    if (kind == NODE_OP && (!check_op(reader, node, &options) || !check_meant(reader, node) || !check_inputs(reader, node)))
        return false;
    if (!check_object(reader, node, arena_format(reader->arena, "%s if:e doc:t%s", node_keys[kind], options)))
        return false;
    if (kind == NODE_EMIT && !json_get(node, "format"))
        return reader_error_at(reader, node, "\"format\" is missing%s",
                               text_suggestion(reader->arena, "", &result_format_names[RESULT_IMAGE], RESULT_FORMAT_COUNT - RESULT_IMAGE));
    if (kind == NODE_EMIT || kind == NODE_PARAMETER || kind == NODE_STATE) {
        const Json *name = json_get(node, node_kind_name(kind));
        return check_name(reader, name, name->string);
    }
    return kind != NODE_FOR || check_nodes(reader, json_get(node, "nodes"));
}

static bool check_nodes(Reader *reader, const Json *nodes) {
    bool is_good = true;
    for (const Json *node = nodes->first; node; node = node->next)
        is_good = check_node(reader, node) && is_good;
    return is_good;
}

// ---- documents

static bool check_each(Reader *reader, const Json *object, bool (*check)(Reader *, const Json *)) {
    bool is_good = true;
    for (const Json *member = object && object->kind == JSON_OBJECT ? object->first : NULL; member; member = member->next)
        is_good = check(reader, member) && is_good;
    return is_good;
}

static bool check_inside(Reader *reader, const Json *thing, const char *keys) {
    if (!check_object(reader, thing, keys))
        return false;
    const Json *init = json_get(thing, "init");
    bool is_good = CHECK_NAMES_IN(reader, thing, "inputs", "let", "outputs");
    is_good = (!init || check_object(reader, init, "weight:i bias:i scale:i shift:i")) && is_good;
    return check_nodes(reader, json_get(thing, "nodes")) && is_good;
}

static bool check_block(Reader *reader, const Json *block) {
    const Json *inputs = json_get(block, "inputs");
    for (const Json *input = inputs && inputs->kind == JSON_ARRAY ? inputs->first : NULL; input; input = input->next)
        if (input->kind != JSON_STRING)
            return reader_error_at(reader, input, "the name of an input expected");
    return check_inside(reader, block, "doc:t inputs:a let:o init:o nodes:a! outputs:o");
}

static bool check_input(Reader *reader, const Json *input) {
    if (input->kind == JSON_ARRAY || input->kind == JSON_STRING)
        return true;
    return check_object(reader, input, "shape:s! dtype:t");
}

// "tokens" of a field or of a program's input.
static bool check_tokens(Reader *reader, const Json *json) {
    const Json *tokens = json_get(json, "tokens");
    return !tokens || check_object(reader, tokens, "of:t!");
}

static bool check_program_input(Reader *reader, const Json *input) {
    if (input->kind == JSON_ARRAY || input->kind == JSON_STRING)
        return true;
    return check_object(reader, input, "shape:s! dtype:t range:a below:e tokens:o default:v doc:t") && check_tokens(reader, input);
}

static const Json *input_shape(const Json *input) { return input->kind == JSON_OBJECT ? json_get(input, "shape") : input; }

static bool check_network(Reader *reader, const Json *network) {
    const Json *share = json_get(network, "share"), *copy = json_get(network, "copy");
    if (share && copy)
        return reader_error_at(reader, copy, "a network either shares parameters (\"share\") or begins as a copy of them (\"copy\")");
    if (json_get(network, "use"))
        return check_object(reader, network, "doc:t use:t! with:o copy:b share:t");
    if (copy)
        return reader_error_at(reader, copy, "\"copy\" is of a network that uses another: {\"use\": \"NETWORK\", \"copy\": true}");
    if (!check_inside(reader, network, "doc:t share:t dims:a inputs:o! let:o init:o nodes:a! outputs:o") ||
        !check_each(reader, json_get(network, "inputs"), check_input))
        return false;
    const Json *dims = json_get(network, "dims");
    for (const Json *dim = dims ? dims->first : NULL; dim; dim = dim->next) {
        bool is_found = false;
        if (dim->kind != JSON_STRING)
            return reader_error_at(reader, dim, "the name of a dimension expected");
        for (const Json *input = json_get(network, "inputs")->first; input; input = input->next)
            for (const Json *axis = input_shape(input)->first; axis; axis = axis->next)
                is_found = is_found || (axis->kind == JSON_STRING && !strcmp(axis->string, dim->string));
        if (!is_found)
            return reader_error_at(reader, dim, "no input has an axis \"%s\"", dim->string);
    }
    return true;
}

static bool check_field(Reader *reader, const Json *field) {
    const Json *augment = json_get(field, "augment");
    if (augment)
        return reader_error_at(reader, augment, "\"augment\" is of a source, for all its pictures: it stands beside \"fields\"");
    return check_object(reader, field, "shape:s! range:a dtype:t below:e tokens:o") && check_tokens(reader, field);
}

static bool check_data(Reader *reader, const Json *data) {
    const Json *augment = json_get(data, "augment");
    return check_object(reader, data, "doc:t batch:e! fields:o! augment:o") && CHECK_NAMES_IN(reader, data, "fields") &&
           check_each(reader, json_get(data, "fields"), check_field) &&
           (!augment || check_object(reader, augment, "doc:t resize:v crop:v flip:e colour:e"));
}

static bool check_patterns(Reader *reader, const Json *json) {
    for (const Json *of = json_get(json, "of")->first; of; of = of->next)
        if (of->kind != JSON_STRING)
            return reader_error_at(reader, of, "the name of a network, or a pattern of parameters' names expected");
    return true;
}

static bool check_optimizer(Reader *reader, const Json *json) {
    uint32_t count, given = 0;
    const OptimizerRule *rules = optimizer_rules(&count), *rule = NULL;
    Text keys = text_create(reader->arena), names = text_create(reader->arena);
    text_append(&keys, "doc:t of:ta! parts:a clip_norm:e clip_value:e ema:e");
    for (uint32_t i = 0; i < count; i++) {
        text_format(&keys, " %s:o", rules[i].name);
        text_format(&names, "%s%s", i ? ", " : "", rules[i].name);
        if (json_get(json, rules[i].name)) {
            rule = &rules[i];
            given++;
        }
    }
    if (!check_object(reader, json, keys.data))
        return false;
    if (given != 1)
        return reader_error_at(reader, json, "exactly one of %s expected", names.data);
    if (!check_patterns(reader, json))
        return false;
    Text options = text_create(reader->arena), own = text_create(reader->arena);
    text_append(&own, "doc:t of:ta!");
    for (const char *at = rule->options; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " !");
        text_format(&options, " %.*s:e", (int)length, at);
        text_format(&own, " %.*s:e", (int)length, at);
        at += length;
        if (*at == '!')
            text_append_bytes(&options, at++, 1);
    }
    const Json *parts = json_get(json, "parts");
    for (const Json *part = parts ? parts->first : NULL; part; part = part->next)
        if (!check_object(reader, part, own.data) || !check_patterns(reader, part))
            return false;
    return check_object(reader, json_get(json, rule->name), options.data);
}

static bool check_state(Reader *reader, const Json *state) { return check_object(reader, state, "doc:t shape:s! init:i"); }

static bool check_feed(Reader *reader, const Json *feed) {
    if (feed->kind == JSON_STRING)
        return true;
    if (!check_object(reader, feed, "from:t! split:t order:t last:t batch:e"))
        return false;
    const Json *split = json_get(feed, "split");
    return !split || check_name(reader, split, split->string);
}

static bool check_texts(Reader *reader, const Json *list) {
    for (const Json *item = list ? list->first : NULL; item; item = item->next)
        if (item->kind != JSON_STRING)
            return reader_error_at(reader, item, "text expected, not %s", json_kind_name(item->kind));
    return true;
}

static bool check_program(Reader *reader, const Json *program) {
    if (!check_object(reader, program, "doc:t mode:t not_finite:t steps:e stop:e let:o state:o inputs:o requires:a phases:a!") ||
        !CHECK_NAMES_IN(reader, program, "let", "state", "inputs") || !check_each(reader, json_get(program, "state"), check_state) ||
        !check_each(reader, json_get(program, "inputs"), check_program_input) || !check_texts(reader, json_get(program, "requires")))
        return false;
    bool is_good = true;
    const Json *phases = json_get(program, "phases");
    if (!phases->first)
        return reader_error_at(reader, phases, "no phase is here; a program has one at least: [{\"name\": \"step\", \"nodes\": [ … ]}]");
    for (const Json *phase = phases->first; phase; phase = phase->next) {
        if (!check_object(reader, phase, "doc:t name:t! mode:t every:e when:e repeat:e accumulate:e index:t feed:o nodes:a! report:a")) {
            is_good = false;
            continue;
        }
        const Json *name = json_get(phase, "name");
        is_good = check_name(reader, name, name->string) && is_good;
        is_good = CHECK_NAMES_IN(reader, phase, "feed") && is_good;
        is_good = check_each(reader, json_get(phase, "feed"), check_feed) && is_good;
        is_good = check_nodes(reader, json_get(phase, "nodes")) && check_texts(reader, json_get(phase, "report")) && is_good;
        for (const Json *other = phases->first; other != phase; other = other->next)
            if (json_get(other, "name") && json_get(other, "name")->kind == JSON_STRING &&
                !strcmp(json_get(other, "name")->string, name->string))
                is_good = reader_error_at(reader, name, "two phases are called \"%s\"", name->string);
    }
    return is_good;
}

static bool check_include(Reader *reader, const Json *include) {
    if (include->kind == JSON_STRING)
        return true;
    if (!check_object(reader, include, "file:t! as:t with:o programs:a") || !check_texts(reader, json_get(include, "programs")))
        return false;
    const Json *as = json_get(include, "as");
    return !as || check_name(reader, as, as->string);
}

static bool check_preset(Reader *reader, const Json *preset) {
    return preset->kind == JSON_OBJECT || reader_error_at(reader, preset, "a preset gives numbers to lets: an object expected");
}

bool check_document(Reader *reader, const Json *json) {
    if (json->kind == JSON_OBJECT && !json_get(json, "gcc-graph"))
        return reader_error_at(reader, json, "\"gcc-graph\" is missing: write \"gcc-graph\": 1, the version of the language, into the document");
    if (!check_object(
            reader, json,
            "$schema:t gcc-graph:n! name:t doc:t exact:b include:a let:o presets:o tables:o data:o state:o blocks:o networks:o optimizers:o "
            "programs:o"))
        return false;
    if (json_get(json, "gcc-graph")->number != 1)
        return reader_error_at(reader, json_get(json, "gcc-graph"), "version 1 of the language expected: write \"gcc-graph\": 1");
    const Json *includes = json_get(json, "include"), *name = json_get(json, "name");
    bool is_good = !name || check_name(reader, name, name->string);
    is_good = CHECK_NAMES_IN(reader, json, "let", "presets", "tables", "data", "state") && is_good;
    is_good = CHECK_NAMES_IN(reader, json, "blocks", "networks", "optimizers", "programs") && is_good;
    for (const Json *include = includes ? includes->first : NULL; include; include = include->next)
        is_good = check_include(reader, include) && is_good;
    is_good = check_each(reader, json_get(json, "presets"), check_preset) && is_good;
    is_good = check_each(reader, json_get(json, "data"), check_data) && is_good;
    is_good = check_each(reader, json_get(json, "state"), check_state) && is_good;
    is_good = check_each(reader, json_get(json, "blocks"), check_block) && is_good;
    is_good = check_each(reader, json_get(json, "networks"), check_network) && is_good;
    is_good = check_each(reader, json_get(json, "optimizers"), check_optimizer) && is_good;
    return check_each(reader, json_get(json, "programs"), check_program) && is_good;
}
