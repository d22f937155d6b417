// Accumulate: the order in which the parts of an accumulating phase run. One phase of the document, on K batches a repetition, is several of
// the program in a row:
//   batch     for each of the K: leaves what is accumulated in the sums
//   add l     sum := level l + sum
//   keep l    level l := sum           l = 0 … levels - 1
//   finish    after the last: takes the sums of all K
// The levels are the digits of a binary counter: level l holds a sum of 2^l batches, so that K are added in a balanced tree, and
// ceil(log2 K) + 1 sums are all that is ever held.
#pragma once
#include "runtime/program/words.h"
#include <stdbool.h>
#include <stdint.h>

enum { ACCUMULATE_MAX = 1 << 16 }; // batches of a repetition

uint32_t accumulate_levels(uint32_t batches); // ceil(log2 batches)
// Does this part run after batch number `done`, 1 … batches? Of those that do, adds come first, by level; then the keep; then the finish.
bool accumulate_runs(PhasePart part, uint32_t level, uint32_t batches, uint32_t done);
uint32_t accumulate_times(PhasePart part, uint32_t level, uint32_t batches); // how often it runs in one repetition; of PART_WHOLE: 1
bool accumulate_is_led(PhasePart part); // runs when the batch before it says so, not by itself
