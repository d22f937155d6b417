// Version: see version.h.
#include "runtime/base/version.h"
#include "runtime/base/text.h"

const char *version_misfit(Arena *arena, double format, uint32_t oldest, uint32_t newest, const char *writer) {
    if (format >= oldest && format <= newest && format == (double)(uint32_t)format)
        return NULL;
    const char *reads = arena_format(arena, newest > oldest ? "formats %u to %u" : "format %u", oldest, newest);
    const char *of = writer ? arena_format(arena, " of gcc-graph %.40s", writer) : "";
    if (format > newest)
        return arena_format(arena, "format %g%s is newer than this gcc-graph " GG_VERSION ", which reads %s: %s reads it", format, of,
                            reads, writer ? arena_format(arena, "gcc-graph %.40s or later", writer) : "a newer gcc-graph");
    return arena_format(arena, "format %g%s is none that this gcc-graph " GG_VERSION " knows, which reads %s", format, of, reads);
}
