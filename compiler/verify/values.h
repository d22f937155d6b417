// Verify values: the numbers that a phase is verified with - states and feeds drawn from a seed - and their form in device memory.
#pragma once
#include "compiler/compile.h"
#include "compiler/reference/states.h"

typedef struct {
    Arena *arena;
    const Module *module;
    const Program *program;
    const GraphProgram *entry; // of the module
    const Phase *phase;
    const CompiledPhase *compiled;
    const ProgramPhase *planned;
    uint64_t seed;
    uint32_t attempt;      // which drawing of running states, see verify_state
    States initial;     // made on demand
    ARRAY(Tensor) tensors; // made on demand, kept
    ARRAY(const char *) names;
} VerifyPhase;

// Sources that draw from the phase; step, epoch and repetition are somewhere in the middle of a run.
Sources verify_sources(VerifyPhase *phase);
// A state in the middle of a training: initial numbers with noise, moments that are not zero, variances that are positive. Running states
// may depend on each other in ways that nobody declares (a sum and a sum of squares): where the numbers of one attempt leave an op's
// domain, the next one draws them with other magnitudes.
const Tensor *verify_state(VerifyPhase *phase, const char *name);
const Tensor *verify_feed(VerifyPhase *phase, const char *name); // feeds and inputs

// The range of a value that a buffer holds; of a constant's, memory without size.
Range verify_range(const VerifyPhase *phase, Value value);
bool verify_is_constant(const VerifyPhase *phase, Value value);
// Logical doubles to the bytes of the value's range (padding zero), and back. The latter counts padding elements that are not zero.
void verify_pack(const VerifyPhase *phase, Value value, const Tensor *tensor, void *bytes);
void verify_unpack(const VerifyPhase *phase, Value value, const void *bytes, Tensor *out, uint64_t *bad_padding);
void verify_round(Tensor *tensor); // f32 tensors to f32 precision
ElementType verify_stored(const VerifyPhase *phase, Value value); // as what its buffer holds it
// A value in -1 … 1, the same for the same arguments.
double verify_noise(uint64_t seed, uint64_t number);
