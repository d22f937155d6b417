// Operand: of a contraction, either loaded from memory or computed wherever the contraction reads it.
#pragma once
#include "compiler/kernel/kernel.h"

// AUTO: an estimate says which are computed. COMPUTED: all that can be. STORED: none.
typedef enum { OPERANDS_AUTO, OPERANDS_COMPUTED, OPERANDS_STORED } OperandChoice;

// What one vec4 of an operand takes. Of one in memory all is 0.
enum { OPERAND_NODES_MAX = 512 }; // counting ends there

typedef struct {
    bool is_computed;
    uint32_t nodes; // values that are computed for it
    double adds;    // their arithmetic, in additions of a vec4
    double loads;   // of what is in memory
} Operand;

// Counts what a value takes that is computed down to those for which in_memory holds. A constant is no load; what changes which axis lies
// innermost loads four elements for each vec4.
Operand operand_count(const KernelList *list, Value value, bool (*in_memory)(const void *context, Value value), const void *context);
// Of a contraction whose kernel list has buffers.
Operand operand_of(const KernelList *list, Value value);
bool kernel_computes(const KernelList *list, Value operand);
// Whether a vec4 of a view is four loads of single elements: a view on the way down to what is no view moves neighbours apart.
bool operand_is_scattered(const KernelList *list, Value value);
