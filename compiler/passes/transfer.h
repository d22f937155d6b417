// Transfer: kernels that only copy or fill memory. They need no shader: a program has steps for them.
#pragma once
#include "compiler/kernel/kernel.h"

typedef struct {
    StepKind kind; // not STEP_DISPATCH
    Value from;    // of a copy: the value whose memory is copied
    uint32_t word; // of a fill
} Transfer;

// Whether all that a planned kernel does is to move the bytes of one buffer to another, or to give all words of one, padding too, one value.
bool transfer_of(const KernelList *list, const Kernel *kernel, Transfer *out);
