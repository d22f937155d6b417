// Pickle: numbers, bytes and texts as the file spells them.
#include "runtime/tensor/pickle_parts.h"
#include "runtime/base/text.h"
#include <errno.h>
#include <stdlib.h>

enum { NUMBER_TEXT_MAX = 64 };

const uint8_t *pickle_bytes(PickleReader *reader, uint64_t size) { // NULL: reported
    if (size > reader->size - reader->at) {
        pickle_broken(reader, "truncated: %llu bytes announced, %zu left", (unsigned long long)size, reader->size - reader->at);
        return NULL;
    }
    const uint8_t *bytes = reader->bytes + reader->at;
    reader->at += (size_t)size;
    return bytes;
}

bool pickle_number(PickleReader *reader, uint32_t size, uint64_t *out) {
    const uint8_t *bytes = pickle_bytes(reader, size);
    *out = 0;
    for (uint32_t i = 0; bytes && i < size; i++)
        *out |= (uint64_t)bytes[i] << (8 * i);
    return bytes != NULL;
}

// Up to the end of the line, which is skipped.
bool pickle_line(PickleReader *reader, const char **line, size_t *size) {
    const uint8_t *start = reader->bytes + reader->at, *end = memchr(start, '\n', reader->size - reader->at);
    if (!end)
        return pickle_broken(reader, "truncated: a line without an end");
    *line = (const char *)start;
    *size = (size_t)(end - start);
    reader->at += *size + 1;
    return true;
}

static bool read_number_line(PickleReader *reader, char text[NUMBER_TEXT_MAX]) {
    const char *line = NULL;
    size_t size = 0;
    if (!pickle_line(reader, &line, &size))
        return false;
    if (size == 0 || size >= NUMBER_TEXT_MAX || memchr(line, 0, size))
        return pickle_broken(reader, "a line of %zu bytes is no number", size);
    memcpy(text, line, size);
    text[size] = 0;
    return true;
}

bool pickle_push_integer(PickleReader *reader, int64_t integer) {
    return pickle_push(reader, &(PickleValue){.kind = PICKLE_INTEGER, .integer = integer}, PICKLE_ROLE_NONE);
}

bool pickle_push_bool(PickleReader *reader, bool truth) {
    return pickle_push(reader, &(PickleValue){.kind = PICKLE_BOOL, .integer = truth}, PICKLE_ROLE_NONE);
}

bool pickle_push_bytes(PickleReader *reader, PickleKind kind, const void *start, size_t size) {
    return pickle_push(reader, &(PickleValue){.kind = kind, .bytes = {start, size}}, PICKLE_ROLE_NONE);
}

static bool push_text(PickleReader *reader, const char *start, size_t size) {
    for (size_t i = 0, step; i < size; i += step)
        if ((step = text_utf8_size(start + i, size - i)) == 0)
            return pickle_broken(reader, "a text that is not UTF-8");
    return pickle_push_bytes(reader, PICKLE_TEXT, start, size);
}

// Bytes or text behind a length of `width` bytes.
bool pickle_counted(PickleReader *reader, uint32_t width, PickleKind kind) {
    uint64_t size;
    if (!pickle_number(reader, width, &size))
        return false;
    const uint8_t *bytes = pickle_bytes(reader, size);
    if (!bytes)
        return false;
    return kind == PICKLE_TEXT ? push_text(reader, (const char *)bytes, (size_t)size)
                               : pickle_push_bytes(reader, kind, bytes, (size_t)size);
}

bool pickle_long(PickleReader *reader, uint32_t width) {
    uint64_t size, number = 0;
    const uint8_t *bytes;
    if (!pickle_number(reader, width, &size) || !(bytes = pickle_bytes(reader, size)))
        return false;
    if (size > sizeof number)
        return pickle_broken(reader, "an integer of more than 64 bits");
    for (uint64_t i = 0; i < size; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    if (size && size < sizeof number && bytes[size - 1] & 0x80)
        number |= ~UINT64_C(0) << (8 * size);
    return pickle_push_integer(reader, (int64_t)number);
}

bool pickle_integer_line(PickleReader *reader, bool is_long) {
    char text[NUMBER_TEXT_MAX], *end;
    if (!read_number_line(reader, text))
        return false;
    if (!is_long && (strcmp(text, "00") == 0 || strcmp(text, "01") == 0))
        return pickle_push_bool(reader, text[1] == '1');
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (is_long && *end == 'L')
        end++;
    if (errno || *end || end == text)
        return pickle_broken(reader, "\"%s\" is no integer of 64 bits", text);
    return pickle_push_integer(reader, number);
}

bool pickle_real_line(PickleReader *reader) {
    char text[NUMBER_TEXT_MAX], *end;
    if (!read_number_line(reader, text))
        return false;
    double real = strtod(text, &end);
    if (*end || end == text)
        return pickle_broken(reader, "\"%s\" is no number", text);
    return pickle_push(reader, &(PickleValue){.kind = PICKLE_REAL, .real = real}, PICKLE_ROLE_NONE);
}

bool pickle_real(PickleReader *reader) {
    const uint8_t *bytes = pickle_bytes(reader, 8);
    uint64_t bits = 0;
    double real;
    if (!bytes)
        return false;
    for (uint32_t i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    memcpy(&real, &bits, sizeof real);
    return pickle_push(reader, &(PickleValue){.kind = PICKLE_REAL, .real = real}, PICKLE_ROLE_NONE);
}

bool pickle_memo_line(PickleReader *reader, uint64_t *index) {
    char text[NUMBER_TEXT_MAX], *end;
    if (!read_number_line(reader, text))
        return false;
    *index = strtoull(text, &end, 10);
    return (*end == 0 && text[0] >= '0' && text[0] <= '9') || pickle_broken(reader, "\"%s\" is no memo place", text);
}

static bool read_hex(const char *text, const char *end, uint32_t digits, uint32_t *out) {
    *out = 0;
    for (uint32_t i = 0; i < digits; i++) {
        if (text + i >= end)
            return false;
        char c = text[i];
        if (c >= '0' && c <= '9')
            *out = *out << 4 | (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            *out = *out << 4 | (uint32_t)((c | 32) - 'a' + 10);
        else
            return false;
    }
    return true;
}

// One escape of Python's repr, past its backslash; how much of it was used, 0: none.
static size_t unescape(const char *at, const char *end, char *out) {
    static const char names[] = "\\'\"abfnrtv", values[] = "\\'\"\a\b\f\n\r\t\v";
    uint32_t code;
    if (at >= end)
        return 0;
    const char *name = *at ? strchr(names, *at) : NULL;
    if (name) {
        *out = values[name - names];
        return 1;
    }
    if (*at == 'x' && read_hex(at + 1, end, 2, &code)) {
        *out = (char)code;
        return 3;
    }
    size_t digits = 0;
    for (code = 0; digits < 3 && at + digits < end && at[digits] >= '0' && at[digits] <= '7'; digits++)
        code = code * 8 + (uint32_t)(at[digits] - '0');
    *out = (char)code;
    return digits;
}

// A str of Python 2 as repr writes it: 'it\'s \x00'.
bool pickle_quoted(PickleReader *reader) {
    const char *line = NULL;
    size_t size = 0, count = 0;
    if (!pickle_line(reader, &line, &size))
        return false;
    if (size < 2 || (line[0] != '\'' && line[0] != '"') || line[size - 1] != line[0])
        return pickle_broken(reader, "a string without its quotes");
    char *bytes = pickle_take(reader, size);
    if (!bytes)
        return false;
    for (const char *at = line + 1, *end = line + size - 1; at < end;) {
        size_t used = 1;
        if (*at == '\\')
            used = 1 + unescape(at + 1, end, &bytes[count++]);
        else
            bytes[count++] = *at;
        if (*at == '\\' && used == 1)
            return pickle_broken(reader, "a string with an unknown escape");
        at += used;
    }
    return pickle_push_bytes(reader, PICKLE_BYTES, bytes, count);
}

static size_t put_utf8(char *out, uint32_t code) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00 >> size) | code);
    return size;
}

// Text in raw-unicode-escape: Latin-1, with \uXXXX and \UXXXXXXXX.
bool pickle_unicode_line(PickleReader *reader) {
    const char *line = NULL;
    size_t size = 0, count = 0;
    if (!pickle_line(reader, &line, &size))
        return false;
    char *bytes = pickle_take(reader, 2 * size);
    if (!bytes)
        return false;
    for (const char *at = line, *end = line + size; at < end;) {
        uint32_t code = (uint8_t)*at, digits = at + 1 < end && at[1] == 'u' ? 4 : at + 1 < end && at[1] == 'U' ? 8 : 0;
        bool is_escape = code == '\\' && digits > 0;
        if (is_escape && (!read_hex(at + 2, end, digits, &code) || code > 0x10ffff))
            return pickle_broken(reader, "a text with a broken escape");
        count += put_utf8(bytes + count, code);
        at += is_escape ? 2 + digits : 1;
    }
    return push_text(reader, bytes, count);
}
