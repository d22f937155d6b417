// The C functions that functions.def names. `name` tells the rows of one function apart; `args` are as many as the row has arguments,
// those left out DATUM_NONE. None is DATUM_ERROR, and none but those that say so is a parameter set.
#pragma once
#include "compiler/read/reader.h"

#define FUNCTION_LIST(F)                                                                                                                   \
    F(activation) F(leaky) F(cast) F(clip) F(choose) F(finite) F(detach) F(shape_of) F(reshape) F(broadcast) F(transpose) F(flip)          \
    F(pad) F(concat) F(stack) F(split) F(roll) F(triangle) F(eye) F(one_hot) F(gather) F(sort) F(topk) F(along) F(image) F(pool)            \
    F(patchify) F(unpatchify) F(resize) F(reduce) F(product_over) F(spread)                                                                \
    F(normalize) F(along_axis) F(scan) F(attention) F(product) F(einsum) F(loss) F(sequence) F(schedule)
#define DECLARE(name) Datum function_##name(Reader *reader, const char *name, const Datum *args);
FUNCTION_LIST(DECLARE)
#undef DECLARE

// ---- shared; each reports and gives {0}, false or 0 where something does not fit
Value argument_tensor(Reader *reader, const char *name, Datum arg); // numbers become scalars
Value argument_float(Reader *reader, const char *name, Datum arg);  // f32
Value *argument_parts(Reader *reader, const char *name, Datum arg, uint32_t *count); // of a list; numbers and lists are as the first tensor of them. NULL: reported
bool argument_integer(Reader *reader, const char *name, const char *what, Datum arg, int64_t low, int64_t *out);
bool argument_integers(Reader *reader, const char *name, const char *what, Datum arg, uint32_t limit, int64_t *out,
                       uint32_t *count);                                                                        // one or a list
bool argument_axes(Reader *reader, const char *name, Datum arg, uint32_t rank, int64_t *axes, uint32_t *count); // sorted, unique; None: all
bool argument_axis(Reader *reader, const char *name, Datum arg, uint32_t rank, uint32_t *axis);
