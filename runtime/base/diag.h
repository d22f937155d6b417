// Diag: what is told to the user. A function that takes a Diag and returns false or NULL has reported at least one error.
#pragma once
#include "runtime/base/arena.h"
#include <stdbool.h>
#include <stdio.h>

// Where in the user's input. Any part may be missing (NULL or 0).
typedef struct {
    const char *file;
    uint32_t line, column;
    const char *pointer; // JSON pointer
} Place;

typedef struct Diag Diag;

enum { DIAG_ERRORS_SHOWN = 20 }; // further errors are only counted; so many warnings, too

Diag *diag_create(Arena *arena);
// `graphs/unet.json:41:18: /networks/unet/nodes/14: message`. `place` may be NULL (then the message stands alone).
__attribute__((format(printf, 3, 4))) void diag_error(Diag *diag, const Place *place, const char *format, ...);
__attribute__((format(printf, 3, 4))) bool diag_refuse_file(Diag *diag, const char *path, const char *format, ...); // an error of a file; false
__attribute__((format(printf, 3, 4))) void diag_warning(Diag *diag, const Place *place, const char *format, ...);
uint32_t diag_error_count(const Diag *diag);
bool diag_is_full(const Diag *diag); // 20 errors are there: stop reading on
// All messages, a line each, errors as "error: …", warnings as "warning: …"; then "… and N more errors" where some were dropped.
void diag_print(const Diag *diag, FILE *stream);
const char *diag_text(const Diag *diag, Arena *arena);
// Adds the messages of `from` to `to` (e.g. from a worker thread's own Diag).
void diag_merge(Diag *to, const Diag *from);
