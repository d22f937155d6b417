// Template: fills the slots of a file in shaders/. Templates are legal GLSL as they stand: a line `//@NAME` is a slot, which is replaced by the text
// given for it (indented like the slot); lines that end in `//@default` are there only to make the raw file compile, and are dropped.
#pragma once
#include "runtime/base/diag.h"
#include "runtime/base/text.h"

typedef struct {
    const char *name; // "body"
    const char *text; // lines
} Slot;

// The text of shaders/NAME, which is built into the program ("map.comp"); aborts when there is none.
const char *template_source(const char *name);
// A slot of the file that `slots` does not name, or the other way round, is a bug and aborts. Slot "" text removes the line.
void template_fill(Text *out, const char *name, const Slot *slots, uint32_t slot_count);
