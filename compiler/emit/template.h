// Template: fills the slots of a file in shaders/. Templates are legal GLSL as they stand: a line `//@NAME` is a slot, which is replaced by the text
// given for it (indented like the slot); lines that end in `//@default` are there only to make the raw file compile, and are dropped; the number in
// `const int NAME = 4; //@constant what it is` is replaced.
#pragma once
#include "runtime/base/diag.h"
#include "runtime/base/text.h"

typedef struct {
    const char *name; // "body"
    const char *text; // lines
} Slot;

// `const int NAME = value;`
typedef struct {
    const char *name;
    int64_t value;
} Constant;

// The text of shaders/NAME, which is built into the program ("map.comp"); aborts when there is none.
const char *template_source(const char *name);
bool template_has_constant(const char *name, const char *constant);
// A slot or constant of the file that is not given, or the other way round, is a bug and aborts. Slot "" text removes the line.
void template_fill(Text *out, const char *name, const Slot *slots, uint32_t slot_count, const Constant *constants, uint32_t constant_count);
