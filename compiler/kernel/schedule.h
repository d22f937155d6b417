// Schedule: what a family of schedules is - parameters, legality, counts, code and rounding. compiler/schedules/ holds the families.
#pragma once
#include "compiler/kernel/contract.h"
#include "compiler/kernel/operand.h"
#include "runtime/program/work.h"

typedef struct Emitter Emitter;

// A kernel as a family sees it.
typedef struct {
    const KernelList *list;
    const Kernel *kernel;
    Value value;       // the contraction, or the reduction in question: the root or one of the roots; of maps the root
    Contract contract; // of contractions
    Operand x, w;      // of its operands
} KernelView;

enum { PARAM_VALUES_MAX = 16 };

// The numbers that a parameter may have, ascending: what can be asked for by name, and what tests cover. fits() says which of them a kernel
// and a device allow.
typedef struct {
    const char *name, *summary;
    uint32_t values[PARAM_VALUES_MAX];
    uint32_t count;
    uint32_t before; // what schedules that were written before there was this parameter mean; 0: it has always been there
} Param;

// A schedule that is weighed for kernels of a target class: numbers by parameter; lanes 0: the target's subgroup.
typedef struct {
    TargetClass target_class;
    uint32_t values[SCHEDULE_PARAMS_MAX];
} Candidate;

struct Family {
    const char *name, *summary;
    KernelClass kernel_class;
    Param params[SCHEDULE_PARAMS_MAX]; // the first two are SCHEDULE_COMMON_PARAMS
    uint32_t param_count;
    const Candidate *candidates; // that an estimate chooses from: one or more for each class of targets
    uint32_t candidate_count;
    // Taken where no other family fits: it reads operands wherever they lie, and what that costs is not known well enough to be weighed.
    bool is_last_resort;
    bool is_subgroup; // a workgroup is one whole subgroup, whose lanes give each other what they fetch
    // Whether the kernel can be computed so, within the target's limits: legality has no other place. If not, *why says it: "… is …".
    bool (*fits)(const KernelView *view, const Schedule *schedule, const Target *target, const char **why);
    // Makes of a candidate one that divides the kernel's shape; false: none does. NULL: candidates are taken as they are.
    bool (*settle)(const KernelView *view, Schedule *schedule);
    Work (*work)(const KernelView *view, const Schedule *schedule);
    // Writes the body of emitter->kernel by its schedule; returns how many workgroups run.
    uint64_t (*emit)(Emitter *emitter);
    // How it adds: see schedule_error. NULL: it does not add.
    double (*error)(const KernelView *view, const Schedule *schedule);
    const char *template_name; // in shaders/
};

KernelView schedule_view(const KernelList *list, const Kernel *kernel, Value value);
static inline uint32_t schedule_lanes(const Schedule *schedule) { return schedule->values[PARAM_LANES]; }
// What Family.fits says, and what holds for all families: the class, legal numbers, workgroups that the target can run.
bool schedule_fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why);
// How a scheduled kernel adds: the rounding error of one element of a contraction or reduction that it computes, in units of 2^-24 and of the
// sum of the magnitudes of the element's terms. Never exceeded by terms that are alike; by others with no chance that counts.
double schedule_error(const KernelList *list, const Kernel *kernel, Value value);
const char *schedule_text(Arena *arena, const Schedule *schedule); // "rows:lanes=8,texel=1,rows=16,columns=2"
bool schedule_equal(const Schedule *a, const Schedule *b);
const char *schedule_numbers(Arena *arena, const Param *param); // "1, 2 or 4"
