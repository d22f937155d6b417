// Record: what was tuned, on disk - a file for each device and driver, which any number of processes use at once.
#pragma once
#include "compiler/kernel/winners.h"
#include "compiler/tune/tune.h"
#include "runtime/vk/device.h"

// In file_cache_folder()/schedules, named as measurements of devices are.
// LP_NUM_THREADS, which a CPU driver computes by, is a part of the name.
const char *record_path(Arena *arena, const DeviceInfo *info);
typedef struct Record Record;
// NULL: nothing was tuned there yet, or what is there is damaged or of another driver, which is then said in a warning.
Record *record_read(Arena *arena, const DeviceInfo *info, Diag *diag);
// The winners of a program, by tune_key. False: it was never tuned. That it was, and nothing was faster, is true and none.
bool record_program(const Record *record, const char *key, Winners *out);
const Winners *record_works(const Record *record); // the last ones of each work, whatever the program; none where record is NULL
// Seconds of a step that were measured without and with them, and when: 0, 0 and NULL where nothing was.
void record_told(const Record *record, const char *key, double *before, double *after, const char **when);
// Adds what was found to what is there by now. That it cannot be kept is a warning.
void record_keep(Arena *arena, const DeviceInfo *info, const char *graph, const char *entry, const TuneResult *result, Diag *diag);
