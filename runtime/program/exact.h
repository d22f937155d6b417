// Exact: float arithmetic in SPIR-V that a driver may not contract - a multiply and an add stay two operations, each rounded.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXACT_HEADER_WORDS = 5, EXACT_OP_DECORATE = 71, EXACT_NO_CONTRACTION = 42 }; // SPIR-V's numbers

// An instruction whose float result the decoration NoContraction keeps as it is (SPIR-V specification, "Arithmetic Instructions").
bool exact_is_arithmetic(uint32_t op);
// Whether every such instruction is decorated. False for what is no SPIR-V.
bool exact_holds(const uint32_t *words, size_t size);
