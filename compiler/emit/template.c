// Template: finds the slots and constants of a shader text and fills them.
#include "compiler/emit/template.h"
#include "compiler/emit/template_files.h"
#include "runtime/base/bug.h"
#include <stdio.h>
#include <stdlib.h>

static const char SLOT_MARK[] = "//@", DEFAULT_MARK[] = "//@default", CONSTANT_MARK[] = "//@constant", CONSTANT[] = "const int ";

typedef struct {
    const char *start;
    size_t length; // without the newline
    size_t indent;
    const char *slot; // the slot's name, or NULL
    size_t slot_length;
    const char *constant; // the constant's name, or NULL
    size_t constant_length;
    const char *note; // behind its mark
    bool is_default;
} Line;

const char *template_source(const char *name) {
    for (uint32_t i = 0; i < template_file_count; i++)
        if (strcmp(template_files[i].name, name) == 0)
            return (const char *)template_files[i].text;
    bug("template %s: there is no such file in shaders/", name);
}

static Line read_line(const char *at) {
    Line line = {.start = at, .length = strcspn(at, "\n")};
    size_t end = line.length;
    while (end > 0 && strchr(" \t\r", at[end - 1]))
        end--;
    while (line.indent < end && strchr(" \t", at[line.indent]))
        line.indent++;
    size_t mark = sizeof DEFAULT_MARK - 1;
    line.is_default = end >= mark && memcmp(at + end - mark, DEFAULT_MARK, mark) == 0;
    const char *constant = memmem(at, end, CONSTANT_MARK, sizeof CONSTANT_MARK - 1);
    if (constant && text_starts_with(at + line.indent, CONSTANT)) {
        line.constant = at + line.indent + sizeof CONSTANT - 1;
        line.constant_length = strcspn(line.constant, " ");
        line.note = constant + sizeof CONSTANT_MARK - 1;
    }
    mark = sizeof SLOT_MARK - 1;
    if (!line.is_default && end - line.indent > mark && memcmp(at + line.indent, SLOT_MARK, mark) == 0) {
        line.slot = at + line.indent + mark;
        line.slot_length = end - line.indent - mark;
    }
    return line;
}

static void append_indented(Text *out, const char *text, const char *indent, size_t indent_length) {
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length > 0) {
            text_append_bytes(out, indent, indent_length);
            text_append_bytes(out, text, length);
        }
        text_append(out, "\n");
        text += length + (text[length] == '\n');
    }
}

static bool is_constant(const Line *line, const char *name) {
    return line->constant && strlen(name) == line->constant_length && memcmp(name, line->constant, line->constant_length) == 0;
}

static void append_constant(Text *out, const char *name, const Line *line, const Constant *constants, uint32_t constant_count) {
    for (uint32_t i = 0; i < constant_count; i++)
        if (is_constant(line, constants[i].name)) {
            int note = (int)(line->start + line->length - line->note);
            text_format(out, "const int %s = %lld;%s%.*s\n", constants[i].name, (long long)constants[i].value, note ? " //" : "", note, line->note);
            return;
        }
    bug("template %s: constant \"%.*s\" is not given", name, (int)line->constant_length, line->constant);
}

bool template_has_constant(const char *name, const char *constant) {
    for (const char *at = template_source(name); *at;) {
        Line line = read_line(at);
        if (is_constant(&line, constant))
            return true;
        at += line.length + (at[line.length] == '\n');
    }
    return false;
}

static bool is_slot(const Line *line, const char *name) {
    return strlen(name) == line->slot_length && memcmp(name, line->slot, line->slot_length) == 0;
}

static const Slot *find_slot(const char *name, const Line *line, const Slot *slots, uint32_t slot_count) {
    for (uint32_t i = 0; i < slot_count; i++)
        if (is_slot(line, slots[i].name))
            return &slots[i];
    bug("template %s: slot \"%.*s\" is not filled", name, (int)line->slot_length, line->slot);
}

static bool has_slot(const char *source, const char *name) {
    for (const char *at = source; *at;) {
        Line line = read_line(at);
        if (line.slot && is_slot(&line, name))
            return true;
        at += line.length + (at[line.length] == '\n');
    }
    return false;
}

void template_fill(Text *out, const char *name, const Slot *slots, uint32_t slot_count, const Constant *constants, uint32_t constant_count) {
    const char *source = template_source(name);
    for (uint32_t i = 0; i < slot_count; i++)
        if (!has_slot(source, slots[i].name))
            bug("template %s: it has no slot \"%s\"", name, slots[i].name);
    for (uint32_t i = 0; i < constant_count; i++)
        if (!template_has_constant(name, constants[i].name))
            bug("template %s: it has no constant \"%s\"", name, constants[i].name);
    for (const char *at = source; *at;) {
        Line line = read_line(at);
        at += line.length + (at[line.length] == '\n');
        if (line.is_default)
            continue;
        if (line.slot) {
            append_indented(out, find_slot(name, &line, slots, slot_count)->text, line.start, line.indent);
        } else if (line.constant) {
            append_constant(out, name, &line, constants, constant_count);
        } else {
            text_append_bytes(out, line.start, line.length);
            text_append(out, "\n");
        }
    }
}
