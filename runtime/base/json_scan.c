// Scan: recursive descent over the text; each function stands at the first byte of what it reads and ends behind it.
#include "runtime/base/json_scan.h"
#include "runtime/base/text.h"
#include <ctype.h>

enum { NUMBER_LENGTH_MAX = 60 }; // cJSON reads no longer ones

typedef struct {
    Arena *arena;
    const char *file, *text;
    size_t length, at;
    // Line and column of the byte at `marked`; moved forward only, so that all positions together cost one walk over the text.
    size_t marked;
    uint32_t line, column;
    uint32_t depth;
    JsonSpots *spots;
    Diag *diag;
} Scanner;

static bool scan_value(Scanner *scanner, uint32_t key_line, uint32_t key_column);

static void mark(Scanner *scanner, size_t offset) {
    for (; scanner->marked < offset; scanner->marked++) {
        unsigned char byte = (unsigned char)scanner->text[scanner->marked];
        if (byte == '\n') {
            scanner->line++;
            scanner->column = 1;
        } else if ((byte & 0xC0) != 0x80) {
            scanner->column++;
        }
    }
}

__attribute__((format(printf, 3, 4))) static bool mistake(Scanner *scanner, size_t offset, const char *format, ...) {
    mark(scanner, offset);
    Place place = {.file = scanner->file, .line = scanner->line, .column = scanner->column};
    va_list list;
    va_start(list, format);
    diag_error(scanner->diag, &place, "%s", arena_format_list(scanner->arena, format, list));
    va_end(list);
    return false;
}

static int peek(const Scanner *scanner) { return scanner->at < scanner->length ? (unsigned char)scanner->text[scanner->at] : -1; }

static const char *found(const Scanner *scanner) {
    int byte = peek(scanner);
    if (byte < 0)
        return "the end of the text";
    size_t size = text_utf8_size(scanner->text + scanner->at, scanner->length - scanner->at);
    if (size == 0)
        return arena_format(scanner->arena, "byte 0x%02x, which is not UTF-8", (unsigned)byte);
    if (byte < 0x20 || byte == 0x7F)
        return arena_format(scanner->arena, "control character 0x%02x", (unsigned)byte);
    return arena_format(scanner->arena, "'%.*s'", (int)size, scanner->text + scanner->at);
}

static void skip_space(Scanner *scanner) {
    for (int byte = peek(scanner); byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; byte = peek(scanner))
        scanner->at++;
}

static bool skip(Scanner *scanner, char wanted) {
    if (peek(scanner) != wanted)
        return false;
    scanner->at++;
    return true;
}

// The four digits behind \u, or -1.
static long read_unit(Scanner *scanner) {
    long unit = 0;
    for (int i = 0; i < 4; i++, scanner->at++) {
        int byte = peek(scanner);
        int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                    : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                    : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool scan_escape(Scanner *scanner) {
    size_t start = scanner->at++;
    int byte = peek(scanner);
    if (byte > 0 && strchr("\"\\/bfnrt", byte)) {
        scanner->at++;
        return true;
    }
    if (!skip(scanner, 'u'))
        return mistake(scanner, start, "unknown escape in a string: after '\\' comes one of \" \\ / b f n r t u, found %s", found(scanner));
    long unit = read_unit(scanner);
    if (unit < 0)
        return mistake(scanner, start, "'\\u' needs four hexadecimal digits");
    if (unit == 0)
        return mistake(scanner, start, "a string may not hold the character \\u0000");
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    bool has_second = unit <= 0xDBFF && skip(scanner, '\\') && skip(scanner, 'u');
    long second = has_second ? read_unit(scanner) : -1;
    if (second < 0xDC00 || second > 0xDFFF)
        return mistake(scanner, start, "half of a surrogate pair: a character beyond \\uffff is written as two escapes");
    return true;
}

static bool scan_string(Scanner *scanner) {
    size_t start = scanner->at++;
    while (scanner->at < scanner->length) {
        int byte = peek(scanner);
        if (byte == '"') {
            scanner->at++;
            return true;
        }
        if (byte == '\\') {
            if (!scan_escape(scanner))
                return false;
            continue;
        }
        if (byte == '\n' || byte == '\r')
            return mistake(scanner, start, "the string does not end on its line");
        if (byte < 0x20)
            return mistake(scanner, scanner->at, "a string may not hold %s as it is; write \\u%04x", found(scanner), (unsigned)byte);
        size_t size = text_utf8_size(scanner->text + scanner->at, scanner->length - scanner->at);
        if (size == 0)
            return mistake(scanner, scanner->at, "the string holds %s", found(scanner));
        scanner->at += size;
    }
    return mistake(scanner, start, "the string does not end");
}

static bool skip_digits(Scanner *scanner) {
    size_t start = scanner->at;
    while (peek(scanner) >= '0' && peek(scanner) <= '9')
        scanner->at++;
    return scanner->at > start;
}

static bool scan_number(Scanner *scanner) {
    size_t start = scanner->at;
    skip(scanner, '-');
    if (skip(scanner, '0')) {
        if (skip_digits(scanner))
            return mistake(scanner, start, "a number may not begin with 0 and a further digit");
    } else if (!skip_digits(scanner)) {
        return mistake(scanner, scanner->at, "expected a digit, found %s", found(scanner));
    }
    if (skip(scanner, '.') && !skip_digits(scanner))
        return mistake(scanner, scanner->at, "expected a digit after '.', found %s", found(scanner));
    if (skip(scanner, 'e') || skip(scanner, 'E')) {
        if (!skip(scanner, '+'))
            skip(scanner, '-');
        if (!skip_digits(scanner))
            return mistake(scanner, scanner->at, "expected the exponent's digits, found %s", found(scanner));
    }
    if (scanner->at - start > NUMBER_LENGTH_MAX)
        return mistake(scanner, start, "a number may not be longer than %d characters", NUMBER_LENGTH_MAX);
    return true;
}

static bool scan_word(Scanner *scanner) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t size = strlen(words[i]);
        if (scanner->length - scanner->at >= size && memcmp(scanner->text + scanner->at, words[i], size) == 0) {
            scanner->at += size;
            return true;
        }
    }
    size_t size = 0;
    for (size_t more = 1; more && size < 20 && scanner->at + size < scanner->length; size += more) {
        more = text_utf8_size(scanner->text + scanner->at + size, scanner->length - scanner->at - size);
        if (more == 1 && !isalpha((unsigned char)scanner->text[scanner->at + size]))
            more = 0;
    }
    if (size > 1)
        return mistake(scanner, scanner->at, "expected a value, found %.*s (a text needs quotes)", (int)size, scanner->text + scanner->at);
    return mistake(scanner, scanner->at, "expected a value, found %s", found(scanner));
}

// A member's `"key":`, with the key's position.
static bool scan_key(Scanner *scanner, uint32_t *line, uint32_t *column) {
    if (peek(scanner) != '"')
        return mistake(scanner, scanner->at, "expected a key in double quotes, found %s", found(scanner));
    mark(scanner, scanner->at);
    *line = scanner->line;
    *column = scanner->column;
    if (!scan_string(scanner))
        return false;
    skip_space(scanner);
    if (!skip(scanner, ':'))
        return mistake(scanner, scanner->at, "expected ':' after the key, found %s", found(scanner));
    skip_space(scanner);
    return true;
}

// An array or an object.
static bool scan_container(Scanner *scanner, char close) {
    size_t open = scanner->at++;
    if (++scanner->depth > JSON_DEPTH_MAX)
        return mistake(scanner, open, "nested more than %d levels deep", JSON_DEPTH_MAX);
    skip_space(scanner);
    for (bool is_first = true; !skip(scanner, close); is_first = false) {
        if (!is_first) {
            size_t comma = scanner->at;
            if (!skip(scanner, ','))
                return mistake(scanner, scanner->at, "expected ',' or '%c', found %s", close, found(scanner));
            skip_space(scanner);
            if (peek(scanner) == close)
                return mistake(scanner, comma, "no ',' may stand before '%c'", close);
        }
        uint32_t line = 0, column = 0;
        if (close == '}' && !scan_key(scanner, &line, &column))
            return false;
        if (!scan_value(scanner, line, column))
            return false;
        skip_space(scanner);
    }
    scanner->depth--;
    return true;
}

static bool scan_value(Scanner *scanner, uint32_t key_line, uint32_t key_column) {
    mark(scanner, scanner->at);
    uint32_t index = scanner->spots->count;
    size_t start = scanner->at;
    JsonSpot spot = {scanner->line, scanner->column, key_line, key_column, (uint32_t)start, 0};
    array_push(scanner->arena, scanner->spots, spot);
    bool fine;
    int byte = peek(scanner);
    if (byte == '{')
        fine = scan_container(scanner, '}');
    else if (byte == '[')
        fine = scan_container(scanner, ']');
    else if (byte == '"')
        fine = scan_string(scanner);
    else if (byte == '-' || (byte >= '0' && byte <= '9'))
        fine = scan_number(scanner);
    else
        fine = scan_word(scanner);
    scanner->spots->items[index].size = (uint32_t)(scanner->at - start);
    return fine;
}

bool json_scan(Arena *arena, const char *file, uint32_t line, const char *text, size_t length, JsonSpots *spots, Diag *diag) {
    Scanner scanner = {.arena = arena, .file = file, .text = text, .length = length, .line = line, .column = 1, .spots = spots, .diag = diag};
    if (length >= INT32_MAX)
        return mistake(&scanner, 0, "JSON text of 2 GiB or more");
    skip_space(&scanner);
    if (!scan_value(&scanner, 0, 0))
        return false;
    skip_space(&scanner);
    if (scanner.at < length)
        return mistake(&scanner, scanner.at, "expected the end of the text, found %s", found(&scanner));
    return true;
}
