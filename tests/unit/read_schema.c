// graphs/schema.json: every shipped graph is valid by it, and it knows what the reader's tables know. A validator of the part of JSON
// Schema (draft 07) that the schema uses. GG_UPDATE_GOLDEN=1 rewrites its lists of elementwise functions, and adds layers and optimizers.
#include "compiler/ir/op.h"
#include "compiler/layers/layer.h"
#include "compiler/layers/spec.h"
#include "compiler/optimizers/optimizer.h"
#include "compiler/read/functions.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include <check.h>
#include <stdlib.h>

static Arena *arena;
static Diag *diag;
static const Json *schema;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
    schema = json_read(arena, "graphs/schema.json", diag);
    ck_assert_msg(schema != NULL, "%s", diag_text(diag, arena));
}

static void tear_down(void) { arena_destroy(&arena); }

// ---- the validator

// How many messages an editor shows: each rule that is not kept is one, and so is a choice of which nothing fits.
static uint32_t mistakes(const Json *json, const Json *rule);
static const Json *last_mistake, *last_rule; // of the last call: what was wrong, and by which rule

static bool is_valid(const Json *json, const Json *rule) {
    const Json *outer_mistake = last_mistake, *outer_rule = last_rule;
    bool valid = mistakes(json, rule) == 0;
    last_mistake = outer_mistake;
    last_rule = outer_rule;
    return valid;
}

static uint32_t mistake(bool is_wrong, const Json *json, const Json *rule) {
    if (is_wrong) {
        last_mistake = json;
        last_rule = rule;
    }
    return is_wrong;
}

static bool is_type(const Json *json, const char *type) {
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object"};
    return !strcmp(names[json->kind], type);
}

static bool is_equal(const Json *a, const Json *b) {
    if (a->kind != b->kind)
        return false;
    return a->kind == JSON_STRING ? !strcmp(a->string, b->string) : a->number == b->number;
}

static bool is_one_of(const Json *json, const Json *list, bool (*holds)(const Json *, const Json *)) {
    for (const Json *item = list->first; item; item = item->next)
        if (holds(json, item))
            return true;
    return false;
}

static bool has_type(const Json *json, const Json *type) { return is_type(json, type->string); }

static uint32_t check_members(const Json *json, const Json *rule) {
    const Json *properties = json_get(rule, "properties"), *other = json_get(rule, "additionalProperties"),
               *required = json_get(rule, "required");
    uint32_t count = 0;
    for (const Json *member = json->first; member; member = member->next) {
        const Json *own = properties ? json_get(properties, member->key) : NULL;
        if (own || (other && other->kind == JSON_OBJECT))
            count += mistakes(member, own ? own : other);
        else
            count += mistake(other && other->kind == JSON_BOOL && other->number == 0, member, rule);
    }
    for (const Json *name = required ? required->first : NULL; name; name = name->next)
        count += mistake(!json_get(json, name->string), json, name);
    const Json *low = json_get(rule, "minProperties"), *high = json_get(rule, "maxProperties");
    return count + mistake((low && json->count < low->number) || (high && json->count > high->number), json, rule);
}

static uint32_t check_items(const Json *json, const Json *rule) {
    const Json *items = json_get(rule, "items"), *low = json_get(rule, "minItems"), *high = json_get(rule, "maxItems");
    uint32_t count = mistake((low && json->count < low->number) || (high && json->count > high->number), json, rule);
    for (const Json *item = items ? json->first : NULL; item; item = item->next)
        count += mistakes(item, items);
    return count;
}

static void check_words(const Json *rule) {
    static const char *const known[] = {"$schema",       "title",       "description", "type",     "properties", "additionalProperties",
                                        "required",      "definitions", "minItems",    "maxItems", "items",      "minProperties",
                                        "maxProperties", "enum",        "const",       "anyOf",    "$ref",       "if",
                                        "then",          "else",        "allOf",       "not"};
    for (const Json *key = rule->first; key; key = key->next) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known = is_known || !strcmp(known[i], key->key);
        ck_assert_msg(is_known, "the validator does not know \"%s\"", key->key);
    }
}

static uint32_t mistakes(const Json *json, const Json *rule) {
    check_words(rule);
    const Json *ref = json_get(rule, "$ref"), *type = json_get(rule, "type"), *values = json_get(rule, "enum"), *value = json_get(rule, "const"),
               *any = json_get(rule, "anyOf"), *all = json_get(rule, "allOf"), *not = json_get(rule, "not"), *condition = json_get(rule, "if");
    if (ref) {
        const Json *target = json_get(json_get(schema, "definitions"), ref->string + strlen("#/definitions/"));
        ck_assert_msg(target != NULL, "no %s", ref->string);
        return mistakes(json, target);
    }
    uint32_t count = mistake(type && (type->kind == JSON_ARRAY ? !is_one_of(json, type, has_type) : !is_type(json, type->string)), json, rule);
    for (const Json *part = all ? all->first : NULL; part; part = part->next)
        count += mistakes(json, part);
    if (condition) {
        const Json *branch = json_get(rule, is_valid(json, condition) ? "then" : "else");
        count += branch ? mistakes(json, branch) : 0;
    }
    count += json->kind == JSON_OBJECT ? check_members(json, rule) : json->kind == JSON_ARRAY ? check_items(json, rule) : 0;
    return count + mistake((values && !is_one_of(json, values, is_equal)) || (value && !is_equal(json, value)) ||
                               (any && !is_one_of(json, any, is_valid)) || (not && is_valid(json, not)),
                           json, rule);
}

// ---- tests

static uint32_t check_folder(const char *folder) {
    uint32_t count, valid = 0;
    const char **names = file_list(arena, folder, &count, diag);
    for (uint32_t i = 0; i < count; i++) {
        if (!text_ends_with(names[i], ".json") || !strcmp(names[i], "schema.json") || names[i][0] == '.')
            continue;
        const Json *json = json_read(arena, file_join(arena, folder, names[i]), diag);
        ck_assert_msg(json != NULL, "%s", diag_text(diag, arena));
        ck_assert_msg(is_valid(json, schema), "%s/%s is not valid by the schema", folder, names[i]);
        valid++;
    }
    return valid;
}

START_TEST(shipped_graphs_are_valid) {
    ck_assert_uint_ge(check_folder("graphs"), 9);
    ck_assert_uint_ge(check_folder("graphs/blocks"), 2);
}
END_TEST

START_TEST(mistakes_of_keys_are_not_valid) {
    static const char *const names[] = {"key_of_document", "key_of_layer", "key_of_network", "node_kind",   "unknown_op",
                                        "key_missing",     "initialiser",  "version",        "random_kind", "icnr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const Json *json = json_read(arena, arena_format(arena, "tests/golden/mistake_%s.json", names[i]), diag);
        ck_assert_msg(json && !is_valid(json, schema), "%s is valid", names[i]);
    }
}
END_TEST

static const struct {
    const char *node, *word; // word: of the list of those that are right, or the missing one; NULL: a key too much
} single[] = {
    {"{\"op\": \"conv3d\", \"channels\": 3}", "conv2d"},
    {"{\"op\": 3}", "linear"},
    {"{\"op\": \"conv2d\", \"chanels\": 3}", NULL},
    {"{\"op\": \"group_norm\"}", "groups"},
    {"{\"opp\": \"conv2d\"}", "op"},
    {"{\"expr\": \"x\", \"in\": \"y\"}", NULL},
    {"{\"block\": \"b\", \"with\": 3}", NULL},
    {"{\"for\": \"i\", \"below\": 2, \"nodes\": [{\"op\": \"conv3d\"}]}", "conv2d"},
    {"\"relu\"", NULL},
};

// Whether a word is in a rule's list, or in that of one of its choices.
static bool offers(const Json *rule, const char *word) {
    const Json *ref = json_get(rule, "$ref"), *list = json_get(rule, "enum"), *any = json_get(rule, "anyOf");
    if (ref)
        return offers(json_get(json_get(schema, "definitions"), ref->string + strlen("#/definitions/")), word);
    for (const Json *item = list ? list->first : NULL; item; item = item->next)
        if (!strcmp(item->string, word))
            return true;
    for (const Json *item = any ? any->first : NULL; item; item = item->next)
        if (offers(item, word))
            return true;
    return false;
}

// A wrong node is one message that says what would be right, not one for each kind of node that it is not.
START_TEST(a_mistake_is_one_message) {
    const char *text = arena_format(arena, "{\"$schema\": \"schema.json\", \"gcc-graph\": 1, \"networks\": {\"n\": {\"inputs\": {\"x\": [3]}, \"nodes\": [%s]}}}",
                                    single[_i].node);
    const Json *json = json_parse(arena, "single.json", text, strlen(text), diag);
    ck_assert_msg(json != NULL, "%s", diag_text(diag, arena));
    ck_assert_uint_eq(mistakes(json, schema), 1);
    bool is_listed = single[_i].word == NULL || (last_rule->kind == JSON_STRING && !strcmp(last_rule->string, single[_i].word));
    ck_assert_msg(is_listed || offers(last_rule, single[_i].word), "%s", single[_i].node);
    ck_assert_ptr_nonnull(strstr(json_pointer(arena, last_mistake), "/networks/n/nodes/0"));
}
END_TEST

// The definition of an op, or NULL.
static const Json *find_op(const char *name) {
    for (const Json *item = json_get(schema, "definitions")->first; item; item = item->next) {
        if (!strcmp(item->key, "op")) // which of them it is
            continue;
        const Json *op = json_get(json_get(item, "properties"), "op");
        if (op && offers(op, name))
            return item;
    }
    return NULL;
}

static uint32_t word_count(const SpecItem *item) {
    uint32_t count = 1;
    for (size_t i = 0; i < item->kinds_length; i++)
        count += item->kinds[i] == '|';
    return count;
}

// `options` is "a b! c:x|y" (compiler/layers/spec.h).
static void check_options(const char *what, const Json *rule, const char *options) {
    const Json *properties = json_get(rule, "properties"), *required = json_get(rule, "required");
    SpecItem item;
    while (spec_next(&options, &item)) {
        const char *name = arena_copy_bytes(arena, item.name, item.length);
        bool is_listed = false;
        for (const Json *one = required ? required->first : NULL; one; one = one->next)
            is_listed = is_listed || !strcmp(one->string, name);
        const Json *property = json_get(properties, name), *words = json_get(property, "enum");
        ck_assert_msg(property && is_listed == item.is_required, "graphs/schema.json: \"%s\" of %s", name, what);
        ck_assert_msg(!words == !spec_is_word(&item), "graphs/schema.json: \"%s\" of %s should have a list of words, or none", name, what);
        uint32_t known = 0;
        for (const Json *word = words ? words->first : NULL; word; word = word->next)
            known += spec_takes(&item, word->string);
        ck_assert_msg(!words || known == word_count(&item), "graphs/schema.json: \"%s\" of %s should be %s", name, what, spec_words(arena, &item));
    }
}

// The list that an editor offers has it, and it leads to the rules of its own.
static void check_choice(const char *name) {
    bool is_listed = offers(json_get(json_get(json_get(json_get(schema, "definitions"), "op"), "properties"), "op"), name);
    const char *text = arena_format(arena, "{\"op\": \"%s\", \"no such option\": 1}", name);
    const Json *node = json_parse(arena, "node.json", text, strlen(text), diag), *rule = json_get(json_get(schema, "definitions"), "node");
    ck_assert_msg(is_listed && mistakes(node, rule) > 0, "graphs/schema.json: \"%s\" is not among the ops of a node", name);
}

// The line of the schema that lists the elementwise functions of `arg_count` arguments, as the rows of elementwise.def have it.
static const char *elementwise_line(uint32_t arg_count) {
    Text names = text_create(arena);
    uint32_t count;
    const FunctionInfo *functions = function_list(&count);
    for (uint32_t i = 0; i < count; i++)
        if (functions[i].op != OP_NONE && op_def(functions[i].op)->arg_count == arg_count)
            text_format(&names, "%s\"%s\"", names.length ? ", " : "", functions[i].name);
    return arena_format(arena, "    \"elementwise_%u\": {%s},\n", arg_count,
                        names.length ? arena_format(arena, "\"enum\": [%s]", names.data) : "\"not\": {}");
}

START_TEST(elementwise_functions_are_listed) {
    size_t size;
    char *text = file_read(arena, "graphs/schema.json", &size, diag);
    ck_assert_ptr_nonnull(text);
    for (uint32_t arg_count = 1; arg_count <= 3; arg_count++) {
        const char *line = elementwise_line(arg_count);
        char *at = strstr(text, arena_format(arena, "    \"elementwise_%u\":", arg_count)), *end = at ? strchr(at, '\n') : NULL;
        ck_assert_ptr_nonnull(end);
        if (getenv("GG_UPDATE_GOLDEN"))
            text = (char *)(uintptr_t)arena_format(arena, "%.*s%s%s", (int)(at - text), text, line, end + 1);
        else
            ck_assert_msg(!strncmp(at, line, strlen(line)), "graphs/schema.json should have this line; GG_UPDATE_GOLDEN=1 writes it:\n%s", line);
    }
    if (getenv("GG_UPDATE_GOLDEN"))
        ck_assert(file_write("graphs/schema.json", text, strlen(text), diag));
}
END_TEST

// ---- what is missing, written by the pattern of another: options may be any value, which a person may narrow down

// The text with a piece put in at a place that occurs once.
static const char *insert(const char *text, const char *before, const char *piece) {
    const char *at = strstr(text, before);
    ck_assert_msg(at && !strstr(at + 1, before), "graphs/schema.json: \"%s\" is not there once", before);
    return arena_format(arena, "%.*s%s%s", (int)(at - text), text, piece, at);
}

static const char *option_lines(const char *indent, const char *options, const char *kind) {
    Text lines = text_create(arena);
    SpecItem item;
    while (spec_next(&options, &item)) {
        text_format(&lines, "%s\"%.*s\": {", indent, (int)item.length, item.name);
        if (!spec_is_word(&item)) {
            bool is_initialiser = item.length >= 4 && !strncmp(item.name + item.length - 4, "init", 4);
            text_format(&lines, "\"$ref\": \"#/definitions/%s\"},\n", is_initialiser ? "layer_initialiser" : spec_takes(&item, "@") ? "expression" : kind);
            continue;
        }
        text_append(&lines, "\"enum\": [\"");
        for (size_t i = 0; i < item.kinds_length; i++)
            text_append(&lines, item.kinds[i] == '|' ? "\", \"" : (char[]){item.kinds[i], 0});
        text_append(&lines, "\"]},\n");
    }
    return lines.data;
}

static const char *required_list(const char *first, const char *options) {
    Text list = text_create(arena);
    text_append(&list, first);
    SpecItem item;
    while (spec_next(&options, &item))
        if (item.is_required)
            text_format(&list, "%s\"%.*s\"", list.length ? ", " : "", (int)item.length, item.name);
    return list.data;
}

// The definition of an op, the name in the list of ops, and the way from one to the other: before those of another.
static const char *add_op(const char *text, const char *name, const char *options, const char *summary, const char *before[3]) {
    const char *common = strstr(strstr(text, "\"op_dropout\": {"), "        \"as\":"), *end = strstr(common, "      \"required\"");
    const char *definition = arena_format(arena,
                                          "    \"op_%s\": {\n      \"description\": %s,\n      \"type\": \"object\",\n      \"properties\": {\n        \"op\": {\"enum\": [\"%s\"]},\n"
                                          "        \"in\": {\"$ref\": \"#/definitions/in\"},\n%s%.*s      \"required\": [%s],\n"
                                          "      \"additionalProperties\": false\n    },\n",
                                          name, json_quote(arena, summary), name,
                                          option_lines("        ", options, "value"), (int)(end - common), common, required_list("\"op\"", options));
    text = insert(text, before[0], definition);
    text = insert(text, before[1], arena_format(arena, "\"%s\", ", name));
    return insert(text, before[2],
                  arena_format(arena, "        {\"if\": {\"properties\": {\"op\": {\"enum\": [\"%s\"]}}}, \"then\": {\"$ref\": \"#/definitions/op_%s\"}},\n", name,
                               name));
}

static const char *add_layer(const char *text, const LayerDef *layer) {
    return add_op(text, layer->name, layer->options, arena_format(arena, "%s: %s.", layer->name, layer->summary),
                  (const char *[]){"    \"op_self_attention\": {\n", "\"self_attention\", \"relu\"", "        {\"if\": {\"properties\": {\"op\": {\"enum\": [\"self_attention\"]}}}"});
}

static const char *add_function(const char *text, const FunctionInfo *function) {
    const char *summary = arena_format(arena, "%s: %s.", function->name, function->summary);
    return add_op(text, function->name, function_options(arena, function->name), summary,
                  (const char *[]){"    \"op_step_decay\": {\n", "\"step_decay\"\n", "        {\"if\": {\"properties\": {\"op\": {\"enum\": [\"step_decay\"]}}}"});
}

static const char *add_optimizer(const char *text, const OptimizerRule *rule) {
    const char *lines = option_lines("            ", rule->options, "expression");
    text = insert(text, "        \"rmsprop\": {\n",
                  arena_format(arena,
                               "        \"%s\": {\n          \"description\": %s,\n          \"type\": \"object\",\n          \"properties\": {\n%.*s\n          },\n"
                               "          \"required\": [%s],\n          \"additionalProperties\": false\n        },\n",
                               rule->name, json_quote(arena, rule->summary), (int)strlen(lines) - 2, lines, required_list("", rule->options)));
    return insert(text, "{\"required\": [\"rmsprop\"]}", arena_format(arena, "{\"required\": [\"%s\"]}, ", rule->name));
}

static void add_missing(void) {
    size_t size;
    uint32_t count;
    const char *text = file_read(arena, "graphs/schema.json", &size, diag);
    ck_assert_ptr_nonnull(text);
    const LayerDef *layers = layer_defs(&count);
    for (uint32_t i = 0; i < count; i++)
        text = find_op(layers[i].name) ? text : add_layer(text, &layers[i]);
    const FunctionInfo *functions = function_list(&count);
    for (uint32_t i = 0; i < count; i++)
        text = functions[i].op != OP_NONE || !function_is_op(&functions[i]) || find_op(functions[i].name) ? text : add_function(text, &functions[i]);
    const OptimizerRule *rules = optimizer_rules(&count);
    for (uint32_t i = 0; i < count; i++)
        if (!json_get(json_get(json_get(json_get(schema, "definitions"), "optimizer"), "properties"), rules[i].name))
            text = add_optimizer(text, &rules[i]);
    ck_assert(file_write("graphs/schema.json", text, strlen(text), diag));
    schema = json_read(arena, "graphs/schema.json", diag);
    ck_assert_msg(schema != NULL, "%s", diag_text(diag, arena));
}

START_TEST(the_schema_knows_every_op_and_rule) {
    uint32_t count;
    if (getenv("GG_UPDATE_GOLDEN"))
        add_missing();
    const LayerDef *layers = layer_defs(&count);
    for (uint32_t i = 0; i < count; i++) {
        check_choice(layers[i].name);
        ck_assert_msg(find_op(layers[i].name), "graphs/schema.json has no op \"%s\"", layers[i].name);
        check_options(layers[i].name, find_op(layers[i].name), layers[i].options);
    }
    const FunctionInfo *functions = function_list(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (!function_is_op(&functions[i]))
            continue;
        check_choice(functions[i].name);
        ck_assert_msg(find_op(functions[i].name), "graphs/schema.json has no op \"%s\"", functions[i].name);
        check_options(functions[i].name, find_op(functions[i].name), function_options(arena, functions[i].name));
    }
    const OptimizerRule *rules = optimizer_rules(&count);
    const Json *optimizer = json_get(json_get(json_get(schema, "definitions"), "optimizer"), "properties");
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_msg(json_get(optimizer, rules[i].name), "graphs/schema.json has no optimizer \"%s\"", rules[i].name);
        check_options(rules[i].name, json_get(optimizer, rules[i].name), rules[i].options);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("read_schema");
    TCase *all = tcase_create("schema");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, shipped_graphs_are_valid);
    tcase_add_test(all, mistakes_of_keys_are_not_valid);
    tcase_add_loop_test(all, a_mistake_is_one_message, 0, sizeof single / sizeof *single);
    tcase_add_test(all, elementwise_functions_are_listed);
    tcase_add_test(all, the_schema_knows_every_op_and_rule);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
