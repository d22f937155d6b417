// Field: typed access to the members of program.json.
#include "runtime/program/field.h"
#include "runtime/base/name.h"

void field_complain(Fields *fields, const Json *json, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *message = arena_format_list(fields->arena, format, list);
    va_end(list);
    Place place = json_place(fields->arena, json);
    diag_error(fields->diag, &place, "%s", message);
}

uint64_t field_uint(Fields *fields, const Json *object, const char *key, uint64_t most) {
    uint64_t number = 0;
    if (!json_uint(object, key, &number, fields->diag))
        return 0;
    if (number > most) {
        field_complain(fields, json_get(object, key), "%s: at most %llu is allowed", key, (unsigned long long)most);
        return 0;
    }
    return number;
}

uint32_t field_word(Fields *fields, const Json *object, const char *key) { return (uint32_t)field_uint(fields, object, key, UINT32_MAX); }

uint64_t field_size(Fields *fields, const Json *object, const char *key) { return field_uint(fields, object, key, TARGET_BYTES_MAX); }

const char *field_text(Fields *fields, const Json *object, const char *key) {
    const char *text = NULL;
    return json_text(object, key, &text, fields->diag) ? text : "";
}

const char *field_name(Fields *fields, const Json *object, const char *key) {
    const char *name = field_text(fields, object, key), *mistake = name_mistake(name);
    const Json *json = json_get(object, key);
    if (mistake && json && json->kind == JSON_STRING)
        field_complain(fields, json, "%s: %s", key, mistake);
    return name;
}

const char *field_optional_name(Fields *fields, const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    return json && json->kind != JSON_NULL ? field_name(fields, object, key) : NULL;
}

const char *field_optional_text(Fields *fields, const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    return json && json->kind != JSON_NULL ? field_text(fields, object, key) : NULL;
}

double field_number(Fields *fields, const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    if (json && json->kind == JSON_NUMBER)
        return json->number;
    field_complain(fields, json ? json : object, "%s: a number is needed", key);
    return 0;
}

bool field_bool(Fields *fields, const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    if (json && json->kind == JSON_BOOL)
        return json->number != 0.0;
    field_complain(fields, json ? json : object, "%s: true or false is needed", key);
    return false;
}

// A member that is a list; NULL (reported) otherwise.
const Json *field_list(Fields *fields, const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    if (json && json->kind == JSON_ARRAY)
        return json;
    field_complain(fields, json ? json : object, "%s: a list is needed", key);
    return NULL;
}

static bool is_word(const Json *json) {
    return json->kind == JSON_NUMBER && json->number >= 0 && json->number <= (double)UINT32_MAX &&
           json->number == (double)(uint32_t)json->number;
}

static bool is_size(const Json *json) {
    const double most = (double)TARGET_BYTES_MAX;
    return json->kind == JSON_NUMBER && json->number >= 0 && json->number <= most && json->number == (double)(uint64_t)json->number;
}

// At most `most` words of a list into `out`.
uint32_t field_words(Fields *fields, const Json *object, const char *key, uint32_t *out, uint32_t most) {
    const Json *list = field_list(fields, object, key);
    if (!list)
        return 0;
    if (list->count > most) {
        field_complain(fields, list, "%s: at most %u numbers are allowed", key, most);
        return 0;
    }
    uint32_t count = 0;
    for (const Json *item = list->first; item; item = item->next, count++) {
        if (!is_word(item)) {
            field_complain(fields, item, "%s: whole numbers from 0 to 4294967295 are needed", key);
            return 0;
        }
        out[count] = (uint32_t)item->number;
    }
    return count;
}

static uint32_t list_count(const Json *object, const char *key) {
    const Json *list = json_get(object, key);
    return list ? list->count : 0;
}

uint32_t *field_all_words(Fields *fields, const Json *object, const char *key, uint32_t *count) {
    uint32_t *words = ARENA_NEW(fields->arena, uint32_t, list_count(object, key) + 1u);
    *count = field_words(fields, object, key, words, UINT32_MAX);
    return words;
}

void field_triple(Fields *fields, const Json *object, const char *key, uint32_t *out) {
    if (field_words(fields, object, key, out, 3) != 3 && json_get(object, key))
        field_complain(fields, json_get(object, key), "%s: 3 numbers are needed", key);
    for (uint32_t i = 0; i < 3; i++) {
        if (out[i] == 0 && json_get(object, key))
            field_complain(fields, json_get(object, key), "%s: none of the 3 numbers may be 0", key);
    }
}

uint32_t field_choice(Fields *fields, const Json *json, const char *const *names, uint32_t count) {
    for (uint32_t i = 0; json && json->kind == JSON_STRING && i < count; i++) {
        if (strcmp(json->string, names[i]) == 0)
            return i;
    }
    if (json)
        field_complain(fields, json, "unknown word%s",
                       text_suggestion(fields->arena, json->kind == JSON_STRING ? json->string : "", names, count));
    return 0;
}

uint32_t field_named(Fields *fields, const Json *object, const char *key, const char *const *names, uint32_t count) {
    const Json *json = json_get(object, key);
    if (!json)
        field_complain(fields, object, "%s is missing", key);
    return field_choice(fields, json, names, count);
}

ElementType field_element(Fields *fields, const Json *json) {
    ElementType type = (ElementType)field_choice(fields, json, element_names, ELEMENT_COUNT);
    if (!element_stored(type)) {
        field_complain(fields, json, "no device stores %s", element_name(type));
        return ELEMENT_F32;
    }
    return type;
}

ElementType field_element_type(Fields *fields, const Json *object) {
    const Json *json = json_get(object, "type");
    if (!json)
        field_complain(fields, object, "type is missing");
    return field_element(fields, json);
}

Range field_range(Fields *fields, const Json *json) {
    Range range = {0};
    const Json *memory = json_at(json, 0), *offset = json_at(json, 1), *size = json_at(json, 2);
    if (json->kind != JSON_ARRAY || json->count != 3 || !is_word(memory) || !is_size(offset) || !is_size(size)) {
        field_complain(fields, json, "a range is [memory, offset, size]");
        return range;
    }
    range = (Range){(uint32_t)memory->number, (uint64_t)offset->number, (uint64_t)size->number};
    if (range.memory >= fields->program->memories.count) {
        field_complain(fields, json, "there is no memory %u", range.memory);
        return (Range){0};
    }
    if (range.size == 0 || range.offset + range.size > fields->program->memories.items[range.memory].size) {
        field_complain(fields, json, "the range does not lie inside its memory of %llu bytes",
                       (unsigned long long)fields->program->memories.items[range.memory].size);
        return (Range){0};
    }
    return range;
}

const Tokens *field_tokens(Fields *fields, const Json *object, ElementType type, uint32_t below) {
    const char *of = field_optional_text(fields, object, "tokens");
    for (uint32_t i = 0; of && i < fields->tokens.count; i++) {
        const Tokens *tokens = fields->tokens.items[i];
        if (strcmp(tokens->of, of) != 0)
            continue;
        if (type == ELEMENT_I32 && below == tokens_below(tokens))
            return tokens;
        field_complain(fields, object, "tokens: those of \"%s\" are i32 below %u", of, tokens_below(tokens));
        return NULL;
    }
    if (of)
        field_complain(fields, object, "tokens: there is no list \"%s\"", of);
    return NULL;
}

static bool is_permutation(const uint32_t *order, uint32_t count) {
    uint32_t seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (order[i] >= count)
            return false;
        seen |= 1u << order[i];
    }
    return seen == (1u << count) - 1;
}

ProgramTensor field_tensor(Fields *fields, const Json *object, MemoryKind kind) {
    ProgramTensor tensor = {.type = field_element_type(fields, object)};
    uint32_t dims[LAYOUT_RANK_MAX] = {0}, words[LAYOUT_RANK_MAX] = {0};
    uint32_t rank = field_words(fields, object, "dims", dims, LAYOUT_RANK_MAX);
    uint8_t order[LAYOUT_RANK_MAX] = {0};
    if (field_words(fields, object, "order", words, LAYOUT_RANK_MAX) != rank || !is_permutation(words, rank)) {
        field_complain(fields, object, "order: a permutation of the %u axes is needed", rank);
        return tensor;
    }
    for (uint32_t i = 0; i < rank; i++) {
        order[i] = (uint8_t)words[i];
        if (dims[i] == 0) {
            field_complain(fields, object, "dims: none may be 0");
            return tensor;
        }
    }
    tensor.layout = layout_make(rank, dims, order);
    const Json *at = json_get(object, "at");
    if (!at) {
        field_complain(fields, object, "at is missing");
        return tensor;
    }
    tensor.range = field_range(fields, at);
    if (tensor.range.size == 0)
        return tensor;
    if (program_tensor_size(&tensor) > tensor.range.size)
        field_complain(fields, at, "the tensor needs %llu bytes", (unsigned long long)program_tensor_size(&tensor));
    if (fields->program->memories.items[tensor.range.memory].kind != kind)
        field_complain(fields, at, "the tensor must lie in a memory of kind \"%s\"", memory_kind_names[kind]);
    return tensor;
}
