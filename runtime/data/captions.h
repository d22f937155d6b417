// Captions: fields that are made of a record's caption, whatever the data set.
#pragma once
#include "runtime/data/dataset.h"

// Is this field made of captions, where the records have some? Tokens are, and of a data set that stores no vectors of its own ("encoder" of
// the Dataset is NULL) f32 [size of the built-in encoder]. A reader with captions passes over such fields when it checks what is declared,
// and is not asked for them.
bool captions_make(const Dataset *dataset, uint32_t field);
// Writes the caption into a field, as `captions_make` says; NULL is a record without one: nothing but padding.
void captions_write(const ProgramData *declared, uint32_t field, const char *caption, void *out);
// Of a data set that has been opened: from now on its fetch makes those fields, of the caption of the draw, and its encoder is the built-in
// one where vectors are among them. Without captions nothing changes: the reader's own data is what fills such fields.
void captions_serve(Dataset *dataset);
