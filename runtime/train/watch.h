// Watch: what a training reports, looked at - numbers that are not finite, updates that were skipped because of them.
#pragma once
#include "runtime/train/progress.h"

// Of one phase's report of skipped updates.
typedef struct {
    const ProgramResult *report;
    uint32_t total, in_a_row; // repetitions
} Skips;

typedef struct {
    Arena *arena; // given by the user
    ARRAY(Skips) skips;
    const char *what; // why training must stop, for people; NULL: it need not
    uint32_t step;    // when that was found
} Watch;

// False: training must stop. Says on `progress` which updates were skipped.
bool watch_reports(Watch *watch, const SessionResult *result, Progress *progress);
