// Families: the table of schedules.def - every way in which a kernel may be computed.
#pragma once
#include "compiler/kernel/schedule.h"
#include "runtime/base/diag.h"

#define FAMILY(name) extern const Family name##_family;
#include "compiler/schedules/schedules.def"
#undef FAMILY

// The parameters of every family. Some need several lanes.
#define FAMILY_LANES {"lanes", "invocations of a workgroup", {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}, 11}
#define FAMILY_LANES_FROM_2 {"lanes", "invocations of a workgroup", {2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}, 10}
#define FAMILY_LANES_FROM_4 {"lanes", "invocations of a workgroup", {4, 8, 16, 32, 64, 128, 256, 512, 1024}, 9}
#define FAMILY_SUBGROUP {"lanes", "invocations of a workgroup, which is one subgroup", {4, 8, 16, 32, 64}, 5}
#define FAMILY_TEXEL {"texel", "1: f32 operands are loaded as texels, 0: from storage", {0, 1}, 2}

const Family *const *families_all(uint32_t *count);
const Family *families_find(const char *name); // NULL: there is none
// Of "rows:rows=4,columns=2" the family, which must compute kernels of the class; NULL: *why says what would be right.
const Family *families_parse(Arena *arena, const char *text, KernelClass kernel_class, const char **why);
// Sets the parameters that the text gives numbers for. False: *why says which are known, or which numbers are legal.
bool families_parse_params(Arena *arena, const char *text, Schedule *schedule, const char **why);
