// Passes: from a phase's graph to its planned kernels. compile.c runs them by passes.def.
#pragma once
#include "compiler/kernel/operand.h"
#include "compiler/kernel/schedule.h"
#include "compiler/kernel/winners.h"
#include "compiler/ops/winograd.h"
#include "runtime/program/work.h"

// A schedule that is not the estimate's to choose.
typedef struct {
    uint32_t root;      // value id of the kernel's root
    const char *text;   // "rows:rows=4,columns=2"; what is not said is as the family's best candidate has it
    const char *option; // as the user gave it: what does not fit is reported; NULL: a bundle's record, which is then left aside
    const Step *step;   // of a record: a chain is of those kernels whose values it stores
} GivenSchedule;

typedef struct {
    const Module *module;
    const Target *target;
    const SetLayout *sets; // by set - 1
    bool no_fuse, no_chain, reference_schedule;
    OperandChoice operands; // no_fuse: stored
    const Winners *winners; // schedules in place of the estimate's, where they fit; NULL: none
    WinogradChoice winograd; // reference_schedule: never
    const GivenSchedule *given; // for the phase; of several for one kernel the last counts
    uint32_t given_count;
    ElementType (*stored_as)(void *context, const Graph *graph, Value value); // of CompileOptions
    void *stored_context;
    const bool *copied;    // by output of the phase's graph: the output gets a copy of its own (found necessary by plan); NULL: none
} PassContext;

SetLayout *layout_sets(Arena *arena, const Module *module, const Target *target);
// Canonical layout of a state: what checkpoints and sessions see, independent of schedules.
Layout layout_of_state(const State *state, const SetLayout *sets);
Layout layout_default(const Type *type);

// Needs: a graph without gradient and detach. Gives: a graph in which every operand of a contraction, part of a pack and output can be a buffer
// in the layout that is asked of it; `materialise` where something must move. Keeps: meaning, order of outputs.
KernelList *layout_graph(Arena *arena, const Graph *graph, const PassContext *context);
// Needs: layouts. Gives: kernels, in an order in which they may run; which values have buffers.
void fuse_kernels(KernelList *list, const PassContext *context);
// Needs: kernels with buffers, without schedules. Gives: buffers of scratch in the element types that PassContext.stored_as chooses. It is asked
// of f32 values that kernels store vec4 by vec4: elements that share a uint cannot be stored one by one, as reductions do. Keeps: meaning, but
// for the rounding of what is stored; arithmetic stays f32.
void store_elements(KernelList *list, const PassContext *context);
// Needs: kernels. Gives: a schedule for each. False: none fits the target, which is reported with `where` ("graph: program train, phase all").
bool schedule_kernels(KernelList *list, const PassContext *context, const char *where, Diag *diag);
// The counts of the contraction by the schedule of least estimated cost, were its two operands so. False: no candidate fits. Needs layouts.
bool schedule_estimate(const KernelList *list, Value contraction, const Operand operands[2], const PassContext *context, Work *out);
// What a candidate of the family is for this kernel and target; false: nothing that fits.
bool schedule_settle(const KernelView *view, const Target *target, const Family *family, const Candidate *candidate, Schedule *out);
// The schedule of least estimated cost, whatever was measured or asked for; false: none fits, so that a last resort computes the kernel.
bool schedule_choose(const KernelView *view, const Target *target, Schedule *out);
bool schedule_is_chain(const GivenSchedule *given);
// Gives the kernel what the user or a record wants of it, if anything. False: the user asked for what cannot be, which is reported.
bool schedule_give(const KernelList *list, Kernel *kernel, const PassContext *context, const char *where, Diag *diag);
// Needs: kernels with schedules. Gives: chains, in place of maps and reductions each of which needs of those before it only what lies in its own slice,
// where waiting for their dispatches takes longer than what is lost, and scratch does not grow by it; or those of a record. False: the user asked for what cannot be, which is reported.
bool chain_kernels(KernelList *list, const PassContext *context, const char *where, Diag *diag);
// Needs: kernels with schedules, in the order of their waves. Gives: fewer, small maps of one wave having become one, and small reductions. Called by plan.
void join_kernels(KernelList *list, const PassContext *context);
// Whether the kernel shares a dispatch with others of its kind in its wave.
bool join_may(const KernelList *list, const Kernel *kernel, const PassContext *context);
// Whether the kernel is a reduction that can share a dispatch and loads so little that this may stay in memory until others of its kind run.
bool join_may_wait(const KernelList *list, const Kernel *kernel, const PassContext *context);
// Needs: kernels. Gives: waves, offsets in scratch; small maps and small reductions of one wave are joined. False: output `*copy` needs a memory of its own, since
// its state is still read when it is written (or is read by its own writer elsewhere than at the element it writes).
bool plan_kernels(KernelList *list, const PassContext *context, uint32_t *copy);
// Bytes of scratch that the kernels need at least, each in the first wave in which it can run, and in which wave they need most. Afterwards kernels and buffers have these waves, and nothing is planned yet.
uint64_t plan_peak(KernelList *list, const PassContext *context, uint32_t *wave);
// Where a planned offset in scratch lies: the first Target.allocation_max bytes are memory MEMORY_SCRATCH, the next the first memory behind
// the fixed ones, and so on. No buffer lies in two.
Range plan_scratch_range(const Target *target, uint64_t offset, uint64_t size);
