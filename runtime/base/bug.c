// Bug: the last words.
#include "runtime/base/bug.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void bug_at(const char *file, int line, const char *format, ...) {
    va_list list;
    fflush(stdout);
    fprintf(stderr, "gcc-graph: bug: %s:%d: ", file, line);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    abort();
}
