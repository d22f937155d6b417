// Schedules: which schedules a command runs a bundle with - those that it holds, tuned ones, the simplest, or a file's.
#pragma once
#include "compiler/built.h"
#include "compiler/driver/common.h"

#define SCHEDULES_OPTION                                                                                                                   \
    { "schedule", 0, OPTION_TEXT, false, "default|tuned|reference|FILE", "the bundle's own schedules, those that `tune` found, the simplest, or a file of `tune -o` (default: tuned)" }

typedef struct {
    Built built;         // module and compiled are NULL where it is the bundle as it is
    const char *text;    // for a run's record: winners_text, "reference", or NULL: the bundle's own
    bool may_tune;       // the program was never tuned on this device, and may be where there is a schedules_plain of it
    DeviceInfo device;   // of what was or may be tuned
} Schedules;

// The bundle of the command's first operand, by --schedule; where that is not given by the environment's GG_SCHEDULE; else tuned. `entry` is the
// program that will run, NULL: the first that trains. `stored` is what a run recorded, NULL: there is no run. False: reported.
bool schedules_open(Arguments *arguments, const Program *bundle, const char *entry, const char *stored, Schedules *out);
// The same with these winners besides.
bool schedules_build(Arguments *arguments, const Program *bundle, const Winners *winners, Schedules *out);
// The bundle's graph compiled without options, for its works; NULL: it may not be tuned, since it is exact or holds other kernels, or (reported) an error.
const Compiled *schedules_plain(Arguments *arguments, const Program *bundle);
DeviceOptions schedules_device(Arguments *arguments, const ProgramEntry *entry);

// The dispatches of the program at `index` that do a work: the first, and how many. step NULL: none does.
typedef struct {
    const Step *step;
    uint32_t count;
} SchedulesUse;
SchedulesUse schedules_use(const Compiled *compiled, uint32_t index, const char *work);
