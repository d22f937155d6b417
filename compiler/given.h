// Given: schedules that are not the estimate's to choose - which kernels they are for, phase by phase.
#pragma once
#include "compiler/passes/passes.h"

typedef ARRAY(GivenSchedule) GivenSchedules;

// What a bundle records: [index of its entries][index of their phases].
GivenSchedules **given_by_program(Arena *arena, const Program *program);
// What the user asks for by `count` texts KERNEL=FAMILY[:PARAM=VALUE,...]; KERNEL is a name or number of a kernel of `plain`, the same program as
// the estimate would have it, or %12, or PROGRAM/PHASE/%12, or a pattern of one of these with * ? []. NULL: a mistake, reported; whether families and numbers are right is said when
// they are taken.
GivenSchedules **given_by_options(Arena *arena, const Program *plain, const char *const *options, uint32_t count, Diag *diag);
