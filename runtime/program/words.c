// Words: the tables of names.
#include "runtime/program/words.h"

#define WORDS_TEXT(name, text) [name] = text,

const char *const state_kind_names[STATE_KIND_COUNT] = {STATE_KINDS(WORDS_TEXT)};
const char *const init_kind_names[INIT_KIND_COUNT] = {INIT_KINDS(WORDS_TEXT)};
const char *const result_format_names[RESULT_FORMAT_COUNT] = {RESULT_FORMATS(WORDS_TEXT)};
const char *const work_class_names[WORK_CLASS_COUNT] = {WORK_CLASSES(WORDS_TEXT)};
const char *const step_kind_names[STEP_KIND_COUNT] = {STEP_KINDS(WORDS_TEXT)};
const char *const phase_part_names[PHASE_PART_COUNT] = {PHASE_PARTS(WORDS_TEXT)};
const char *const memory_kind_names[MEMORY_KIND_COUNT] = {MEMORY_KINDS(WORDS_TEXT)};
const char *const kernel_class_names[KERNEL_CLASS_COUNT] = {KERNEL_CLASSES(WORDS_TEXT)};
const char *const binding_kind_names[BINDING_KIND_COUNT] = {BINDING_KINDS(WORDS_TEXT)};
