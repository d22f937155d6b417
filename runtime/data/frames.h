// Frames: the pictures of a data set, of any size, as the fields that a graph declares. A reader decodes (Dataset.picture); here are the
// rest: which record takes the place of a broken one, what is kept of decoded pictures, and what augment.h makes of them.
#pragma once
#include "runtime/data/dataset.h"

// Once a reader has opened the data set: checks the fields that are pictures against the graph's declaration and what it wants done with
// them, and takes the place of the reader's fetch, caption and broken. Does nothing to a data set without pictures whose graph wants
// nothing.
bool frames_attach(Arena *arena, Dataset *dataset, Diag *diag);
// A field that is no picture, of the record itself whether its pictures are good or not: without looking at them.
bool frames_fetch_plain(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, void *out, Diag *diag);
