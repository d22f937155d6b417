// Attr: constants of nodes - make, compare, print.
#include "compiler/ir/attr.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *attr_name(AttrName name) {
    static const char *const names[] = {
#define ATTRIBUTE(name, kind) #name,
#include "compiler/ir/attributes.def"
#undef ATTRIBUTE
    };
    return names[name];
}

AttrKind attr_kind(AttrName name) {
    static const AttrKind kinds[] = {
#define ATTRIBUTE(name, kind) ATTR_##kind,
#include "compiler/ir/attributes.def"
#undef ATTRIBUTE
    };
    return kinds[name];
}

Attr attr_int(int64_t integer) { return (Attr){.kind = ATTR_INT, .integer = integer}; }
Attr attr_number(double number) { return (Attr){.kind = ATTR_NUMBER, .number = number}; }
Attr attr_ints(const int64_t *ints, uint32_t count) { return (Attr){.kind = ATTR_INTS, .ints = ints, .count = count}; }
Attr attr_text(const char *text) { return (Attr){.kind = ATTR_TEXT, .text = text}; }

bool attr_equal(const Attr *a, const Attr *b) {
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case ATTR_INT:
        return a->integer == b->integer;
    case ATTR_NUMBER:
        return memcmp(&a->number, &b->number, sizeof a->number) == 0;
    case ATTR_INTS:
        return a->count == b->count && (a->count == 0 || memcmp(a->ints, b->ints, a->count * sizeof *a->ints) == 0);
    case ATTR_TEXT:
        return strcmp(a->text, b->text) == 0;
    }
    return false;
}

// The shortest decimal that reads back as the same double.
static void print_number(Text *text, double number) {
    char digits[40];
    if (isnan(number)) {
        text_append(text, "nan");
        return;
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    text_append(text, digits);
}

void attr_print(Text *text, const Attr *attr) {
    switch (attr->kind) {
    case ATTR_INT:
        text_format(text, "%lld", (long long)attr->integer);
        break;
    case ATTR_NUMBER:
        print_number(text, attr->number);
        break;
    case ATTR_INTS:
        text_append(text, "[");
        for (uint32_t i = 0; i < attr->count; i++)
            text_format(text, "%s%lld", i ? "," : "", (long long)attr->ints[i]);
        text_append(text, "]");
        break;
    case ATTR_TEXT:
        text_format(text, "\"%s\"", attr->text);
        break;
    }
}
