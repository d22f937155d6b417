// Field: typed access to the members of program.json, for read.c. What is wrong is reported at its place; the answer is then 0, "", NULL or
// empty, so that reading goes on.
#pragma once
#include "runtime/program/program.h"

typedef struct {
    Arena *arena;
    Diag *diag;
    Program *program; // its memories are read before any range
    uint32_t format; // of the file
    ARRAY(const Tokens *) tokens; // the lists that it holds
    bool may_be_edited;
} Fields;

__attribute__((format(printf, 3, 4))) void field_complain(Fields *fields, const Json *json, const char *format, ...);
uint64_t field_uint(Fields *fields, const Json *object, const char *key, uint64_t most);
uint32_t field_word(Fields *fields, const Json *object, const char *key);
// Sizes and offsets are at most 2^52: sums of two of them never overflow, and all are exact in a JSON number.
uint64_t field_size(Fields *fields, const Json *object, const char *key);
const char *field_text(Fields *fields, const Json *object, const char *key);
// The same of what may become the name of a file (see runtime/base/name.h).
const char *field_name(Fields *fields, const Json *object, const char *key);
const char *field_optional_name(Fields *fields, const Json *object, const char *key);
const char *field_optional_text(Fields *fields, const Json *object, const char *key); // NULL when absent or null
double field_number(Fields *fields, const Json *object, const char *key);
bool field_bool(Fields *fields, const Json *object, const char *key);
const Json *field_list(Fields *fields, const Json *object, const char *key); // NULL when there is no list
// Words of a list, at most `most`; how many there are.
uint32_t field_words(Fields *fields, const Json *object, const char *key, uint32_t *out, uint32_t most);
uint32_t *field_all_words(Fields *fields, const Json *object, const char *key, uint32_t *count);
void field_triple(Fields *fields, const Json *object, const char *key, uint32_t *out); // 3 words, none of them 0
// The index of a string (or of the member `key`) among `names`.
uint32_t field_choice(Fields *fields, const Json *json, const char *const *names, uint32_t count);
uint32_t field_named(Fields *fields, const Json *object, const char *key, const char *const *names, uint32_t count);
ElementType field_element(Fields *fields, const Json *json); // one that a device stores
ElementType field_element_type(Fields *fields, const Json *object); // the member "type"
Range field_range(Fields *fields, const Json *json);                             // inside its memory, or all 0
// The list that the member "tokens" names, of numbers of this type below `below`; NULL where there is no such member.
const Tokens *field_tokens(Fields *fields, const Json *object, ElementType type, uint32_t below);
ProgramTensor field_tensor(Fields *fields, const Json *object, MemoryKind kind); // inside a memory of this kind
