// Preview: pictures of a data set's records with what they are called.
#pragma once
#include "runtime/data/dataset.h"

// Whether records have a class with a name, or a caption.
bool preview_has_names(const Dataset *dataset);
// A PNG with a row for each of `count` records, spread over the split: class and caption, and the pictures of all its picture fields, each `draws` times: the
// first as nothing is drawn (the middle), the others as trainings would draw it. Fewer rows where they do not fit into a picture.
bool preview_write(const Dataset *dataset, const char *split, uint32_t count, uint32_t draws, const char *path, Diag *diag);
