// Bench report: what was measured, for people and as JSON.
#pragma once
#include "runtime/bench/bench.h"

void bench_report(Text *out, const DeviceInfo *info, const ProgramEntry *entry, const Bench *bench);
const char *bench_report_json(Arena *arena, const DeviceInfo *info, const Bench *bench);
