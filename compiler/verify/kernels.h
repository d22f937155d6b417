// Verify kernels: runs each dispatch of a phase alone on a device and compares what it stores with the reference.
#pragma once
#include "compiler/verify/reference.h"
#include "runtime/session/session.h"

typedef enum {
    VERIFY_CAPTURED, // inputs captured from the interpreter; all elements compared
    VERIFY_EDGES,    // the same with edge values of each input's range mixed in
    VERIFY_DEVICE,   // the phase in order, inputs as they lie on the device (for full sizes); large contractions are sampled
    VERIFY_DEVICE_EDGES, // the same with edge values mixed into what each kernel in question reads
    VERIFY_MODES
} VerifyMode;

typedef struct {
    const char *kernel, *label; // of the dispatch
    WorkClass work_class;
    const char *program, *phase;
    VerifyMode mode;
    Value value;                   // the worst stored value
    double share;                  // error / allowed of the number that is worst by this measure; above 1 is wrong; negative: none compared
    double error, allowed, wanted; // of this number: |device - reference|, what rounding explains (verify_bound.h), and the reference
    uint64_t unjudged;             // numbers that were not compared: beyond single precision, or so close to the border of an op's domain that
                                   // rounding may leave it
    const char *problem; // NULL: good
    bool skipped;        // too large to interpret, or all that it stores outside its domain
    bool is_wild;        // the reference itself is not a number somewhere
} VerifyResult;

typedef ARRAY(VerifyResult) VerifyResults;

typedef struct {
    Arena *arena; // of results and texts
    Session *session;
    double flops_max;      // VERIFY_DEVICE: contractions beyond are sampled
    uint64_t elements_max; // kernels with larger tensors are skipped
    const Value *only;     // kernels that store one of these; NULL: all
    uint32_t only_count;
    void (*progress)(void *context, const char *what, uint32_t done, uint32_t total);
    void *progress_context;
} VerifyRun;

// False when the device or the interpreter fails (reported); differences are results.
bool verify_kernels(const VerifyRun *run, VerifyPhase *phase, VerifyMode mode, VerifyResults *results, Diag *diag);
const char *verify_mode_name(VerifyMode mode);
