// Csv: see csv.h.
#include "runtime/data/csv.h"
#include "runtime/base/text.h"
#include <strings.h>

enum { COLUMNS_MAX = 100000 };

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Ends at `end`, which is cut off; blanks around it too.
static char *trim(char *start, char *end) {
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    *end = 0;
    return start;
}

// A quoted cell, `at` behind its first quote; its text moves to the front as doubled quotes become single ones. NULL: it does not end.
static char *read_quoted(Csv *csv, char *at, char **cell) {
    char *out = *cell = at;
    for (; *at; at++) {
        csv->line += *at == '\n';
        if (*at == '"' && at[1] != '"') {
            *out = 0;
            return at + 1;
        }
        at += *at == '"';
        *out++ = *at;
    }
    return NULL;
}

static bool wrong(const Csv *csv, uint32_t line, Diag *diag, const char *what) {
    diag_error(diag, &(Place){.file = csv->path, .line = line}, "%s", what);
    return false;
}

// One cell off the text; *is_last where its line ends behind it.
static bool read_cell(Csv *csv, uint32_t row_line, char **cell, bool *is_last, Diag *diag) {
    char *at = csv->at, *end;
    while (is_blank(*at) && *at != csv->separator)
        at++;
    if (*at == '"') {
        end = read_quoted(csv, at + 1, cell);
        if (!end)
            return wrong(csv, row_line, diag, "a quoted cell of this row does not end");
        while (is_blank(*end) && *end != csv->separator)
            end++;
        if (*end && *end != csv->separator && *end != '\n' && !(*end == '\r' && end[1] == '\n'))
            return wrong(csv, row_line, diag, "text behind the quote that ends a cell; a quote inside a cell is written twice");
    } else
        end = csv->at + strcspn(csv->at, (char[]){csv->separator, '\n', 0});
    char last = *end;
    char *next = last ? end + 1 : end;
    if (last == '\r') { // only behind a quoted cell
        last = '\n';
        next = end + 2;
    }
    if (*at != '"')
        *cell = trim(csv->at, end > csv->at && end[-1] == '\r' && last != csv->separator ? end - 1 : end);
    csv->line += last == '\n';
    csv->at = next;
    *is_last = last != csv->separator;
    return true;
}

static void skip_empty_lines(Csv *csv) {
    for (;;) {
        size_t blanks = strspn(csv->at, " \r");
        if (csv->at[blanks] != '\n') {
            if (csv->at[blanks] == 0)
                csv->at += blanks;
            return;
        }
        csv->at += blanks + 1;
        csv->line++;
    }
}

static bool check_text(const Csv *csv, const char *text, size_t size, Diag *diag) {
    uint32_t line = 1;
    for (size_t at = 0; at < size;) {
        size_t step = text_utf8_size(text + at, size - at);
        if (step == 0 || text[at] == 0)
            return wrong(csv, line, diag, step ? "a 0 byte, which no text holds" : "no UTF-8");
        line += text[at] == '\n';
        at += step;
    }
    return true;
}

static char find_separator(const char *line) {
    size_t length = strcspn(line, "\n");
    for (const char *separator = ",;\t"; *separator; separator++)
        if (memchr(line, *separator, length))
            return *separator;
    return ',';
}

bool csv_open(Arena *arena, const char *path, char *text, size_t size, Csv *out, Diag *diag) {
    *out = (Csv){.path = path, .at = text, .line = 1};
    if (!check_text(out, text, size, diag))
        return false;
    if (text_starts_with(text, "\xEF\xBB\xBF")) // byte order mark
        out->at += 3;
    skip_empty_lines(out);
    if (!*out->at)
        return wrong(out, 0, diag, "is empty; expected a first row with the names of the columns");
    out->separator = find_separator(out->at);
    ARRAY(const char *) columns = {0};
    uint32_t line = out->line;
    for (bool is_last = false; !is_last;) {
        char *name;
        if (!read_cell(out, line, &name, &is_last, diag))
            return false;
        for (uint32_t i = 0; i < columns.count && *name && columns.count < 1000; i++)
            if (strcmp(columns.items[i], name) == 0) {
                diag_error(diag, &(Place){.file = path, .line = line}, "two columns are called \"%s\"", text_printable(arena, name));
                return false;
            }
        if (columns.count == COLUMNS_MAX)
            return wrong(out, line, diag, "more than 100,000 columns");
        array_push(arena, &columns, name);
    }
    out->columns = columns.items;
    out->column_count = columns.count;
    return true;
}

bool csv_next(Arena *arena, Csv *csv, CsvRow *row, bool *ok, Diag *diag) {
    skip_empty_lines(csv);
    if (!*csv->at)
        return false;
    if (!row->cells)
        row->cells = ARENA_NEW(arena, char *, csv->column_count);
    row->line = csv->line;
    uint32_t count = 0;
    for (bool is_last = false; !is_last; count++) {
        char *cell;
        if (!read_cell(csv, row->line, &cell, &is_last, diag))
            return *ok = false;
        if (count < csv->column_count)
            row->cells[count] = cell;
    }
    if (count == csv->column_count)
        return true;
    diag_error(diag, &(Place){.file = csv->path, .line = row->line}, "%u cell%s, but the first row names %u column%s", count, count == 1 ? "" : "s",
               csv->column_count, csv->column_count == 1 ? "" : "s");
    return *ok = false;
}

bool csv_find(const Csv *csv, const char *const *names, uint32_t count, uint32_t *column) {
    for (uint32_t n = 0; n < count; n++)
        for (uint32_t i = 0; i < csv->column_count; i++)
            if (strcasecmp(csv->columns[i], names[n]) == 0) {
                *column = i;
                return true;
            }
    return false;
}
