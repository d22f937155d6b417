// Train's parts: what train.c and train_plan.c share. Only for them.
#pragma once
#include "runtime/sample/texts.h"
#include "runtime/train/train.h"

// A training as it will be, found out without a device and without writing anything.
typedef struct {
    Run run;                                  // all of it filled in
    const ProgramEntry *entry, *sample_entry; // sample_entry NULL: no previews
    Dataset **datasets, **sample_datasets;
    const char **needed; // networks and states that must be trained before and are not given by --init
    uint32_t needed_count;
    Texts texts;         // of the previews; count 0: they take none
    bool is_only_at_end; // the preview: one, of what was trained
    uint32_t steps, end_step, epoch_steps, step_records;
    uint32_t *every; // by phase: it runs each so many steps, where its `when` holds
    uint32_t steps_before; // the total that a resumed run had; else steps
    const char *unit;   // what is trained on: "images", "records"
    const char *epochs; // for people: what an epoch is of each split that is fed; "": nothing is
} TrainPlan;

// The device that the options choose, computing as suits the program.
Device *train_device(Arena *arena, const TrainPlan *plan, const TrainOptions *options, Diag *diag);
bool train_prepare(Arena *arena, const Program *program, const TrainOptions *options, TrainPlan *plan, Diag *diag);
