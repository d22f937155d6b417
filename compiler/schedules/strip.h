// Strip: what families share whose lanes have neighbouring pixels of a line (strip.c, depthwise.c).
#pragma once
#include "compiler/schedules/rows.h"

// The body of a kernel; returns how many workgroups there are.
uint64_t strip_emit(const Rows *rows);
// The most pixels of a lane, but no more than `pixels`, that divide lines and reach no further than a text may.
uint32_t strip_longest(const Contract *contract, uint32_t pixels);
// Pixels that a lane reads, divided by taps.
double strip_reads_a_tap(const Rows *rows);
// Of the text for a line of taps: vec4s of pixels that a lane reads, and the taps that they meet.
void strip_count_reads(const Rows *rows, uint32_t *pixels, uint32_t *taps);
// Why lanes cannot have so many neighbouring pixels; NULL: they can.
const char *strip_misfit(const KernelView *view, uint32_t pixels);
