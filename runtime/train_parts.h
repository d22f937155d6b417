// Train's parts: what train.c and train_plan.c share. Only for them.
#pragma once
#include "runtime/train.h"

// A training as it will be, found out without a device and without writing anything.
typedef struct {
    Run run;                                  // all of it filled in
    const ProgramEntry *entry, *sample_entry; // sample_entry NULL: no previews
    Dataset **datasets, **sample_datasets;
    uint32_t steps, end_step, epoch_steps, step_records;
} TrainPlan;

bool train_prepare(Arena *arena, const Program *program, const TrainOptions *options, TrainPlan *plan, Diag *diag);
