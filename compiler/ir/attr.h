// Attr: a constant of a node - an integer, number, list of integers or text. Which op has which, and in which order: ops.def.
#pragma once
#include "compiler/ir/type.h"

typedef enum { ATTR_INT, ATTR_NUMBER, ATTR_INTS, ATTR_TEXT } AttrKind;

typedef enum {
#define ATTRIBUTE(name, kind) ATTR_##name,
#include "compiler/ir/attributes.def"
#undef ATTRIBUTE
} AttrName;

typedef struct {
    AttrKind kind;
    uint32_t count;      // ATTR_INTS
    int64_t integer;     // ATTR_INT
    double number;       // ATTR_NUMBER
    const int64_t *ints; // ATTR_INTS; borrowed until graph_add copies it into the graph's arena
    const char *text;    // ATTR_TEXT
} Attr;

const char *attr_name(AttrName name);
AttrKind attr_kind(AttrName name);
Attr attr_int(int64_t integer);
Attr attr_number(double number);
Attr attr_ints(const int64_t *ints, uint32_t count);
Attr attr_text(const char *text);
bool attr_equal(const Attr *a, const Attr *b); // numbers by bits, so that -0 differs from 0 and a NaN equals itself
void attr_print(Text *text, const Attr *attr); // 3, 0.5, [0,1], "name"
