// Csv: tables as text (RFC 4180), row by row: the first row names the columns. Commas, or, where the first row has none, semicolons or tabs
// part the cells; quoted cells may hold these, quotes (doubled) and line ends; lines end with LF or CR LF; empty lines count for nothing.
#pragma once
#include "runtime/base/diag.h"

typedef struct {
    const char *path; // for messages
    char *at;         // what is left of the text; cells are cut out of it in place
    char separator;
    uint32_t line; // the next row's
    uint32_t column_count;
    const char **columns; // their names, without blanks around them; each occurs once
} Csv;

typedef struct {
    uint32_t line;
    char **cells; // column_count; without blanks around them where they are not quoted
} CsvRow;

// Takes the text over: all cells lie in it. False (reported) where it is no UTF-8, holds a 0 byte, or has no first row.
bool csv_open(Arena *arena, const char *path, char *text, size_t size, Csv *out, Diag *diag);
// The next row; `row->cells` is used again for each (NULL at the first call). False at the end, or, with *ok false, where the row is wrong.
bool csv_next(Arena *arena, Csv *csv, CsvRow *row, bool *ok, Diag *diag);
bool csv_find(const Csv *csv, const char *const *names, uint32_t count,
              uint32_t *column); // the first of the names that is a column, whatever its case
