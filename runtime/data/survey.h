// Survey: what one wants to know of a data set before it is trained on, beside its fields: the classes of its records, how large its
// pictures are, and how fast it is read.
#pragma once
#include "runtime/data/dataset.h"

// A line for each split that has labels: how many classes and how many records of each, by name where they have names. Looks at no picture.
bool survey_classes(Text *text, const Dataset *dataset, Diag *diag);
// The smallest and the largest picture, as they are stored, and how many records are broken, each told as a warning: of all splits, all
// where they take no longer than `seconds`, else as many as that allows, drawn at random. Nothing where there are no pictures.
void survey_pictures(Text *text, const Dataset *dataset, double seconds, Diag *diag);
// Reads records of a split for `seconds`, drawn and at random as a training does, with as many threads as the machine has cores; then the
// same records again, and then decodes their pictures and does nothing with them.
bool survey_speed(Text *text, const Dataset *dataset, uint32_t split, double seconds, Diag *diag);
