// Winners: schedules that were measured to be the fastest, by what a kernel computes - not by its name, so that equal kernels of other graphs
// share them.
#pragma once
#include "compiler/kernel/kernel.h"
#include "runtime/base/diag.h"

typedef struct {
    const char *work;     // winners_digest
    const char *schedule; // "rows:lanes=8,texel=1,rows=16,columns=2"
} Winner;

typedef ARRAY(Winner) Winners;

// What the kernel computes - ops, attributes, shapes, layouts, what is fused - for which class of targets; how, it does not say.
const char *winners_digest(const KernelList *list, const Kernel *kernel, const Target *target);
const char *winners_find(const Winners *winners, const char *work); // the schedule; NULL: it has none
void winners_set(Arena *arena, Winners *winners, const char *work, const char *schedule); // in place of what it had
// As text: a line "DIGEST SCHEDULE" each; lines that begin with # are for people.
const char *winners_text(Arena *arena, const Winners *winners);
// `file` is for messages. False: a line is none (reported).
bool winners_parse(Arena *arena, const char *file, const char *text, Winners *out, Diag *diag);
