// Compile: the compiler's public entry. Runs the pass table on every phase of a module and fills a Program.
#pragma once
#include "compiler/ir/module.h"
#include "compiler/kernel/operand.h"
#include "compiler/kernel/winners.h"
#include "compiler/ops/winograd.h"
#include "runtime/program/program.h"

typedef struct {
    Target target;
    bool no_fuse;            // every map a kernel of its own
    bool no_chain;           // no chains of kernels that follow each other
    bool reference_schedule; // the simplest schedule everywhere
    OperandChoice operands;  // whether operands of contractions are computed where they are read
    WinogradChoice winograd; // which convolutions are computed by transformed tiles
    const char *const *schedules; // KERNEL=FAMILY[:PARAM=VALUE,...]: see given.h
    uint32_t schedule_count;
    const Winners *winners;  // schedules in place of the estimate's, by kernels' work, where they fit; kernels then say their work. NULL: none
    const Program *like;     // takes the schedules that it records, where the kernels are the same and they fit; NULL: none
    bool debug_info;         // -g: source inside the SPIR-V
    bool no_spirv;           // for those who look at the program but do not run it: it gets no SPIR-V, and no bundle is written
    const char *dump;        // a pass's name or "all"; printed to dump_stream
    const char *stop_after;  // a pass's name: nothing is written, compile_module returns NULL without an error
    FILE *dump_stream;
    // As what a value of scratch is stored: one of the stored forms of its type. Asked of those that can be stored as something else than
    // themselves (see store_elements); NULL: nothing is.
    ElementType (*stored_as)(void *context, const Graph *graph, Value value);
    void *stored_context;
    void (*progress)(void *context, const char *what, uint32_t done, uint32_t total); // "compiling 12/87"; may be NULL
    void *progress_context;
} CompileOptions;

// A phase after the last graph pass and as kernels: what verify, inspect and bench look at.
typedef struct {
    const Graph *graph;
    const KernelList *kernels;
} CompiledPhase;

typedef struct {
    Program *program;
    CompiledPhase **phases; // [index of program.entries][index of its phases]
    const char **sources;   // GLSL by kernel index
    uint32_t cached_count;  // kernels whose SPIR-V was in the cache
    double read_seconds, pass_seconds, spirv_seconds;
} Compiled;

// `folder`: the bundle directory to write (replaced in one step when it is a bundle or absent; any other existing thing is an error; see folder.h), or NULL: nothing is
// written. The program holds its SPIR-V unless no_spirv, so that a session can be made of it at once. NULL after an error, and after --stop-after.
Compiled *compile_module(Arena *arena, const Module *module, const CompileOptions *options, const char *folder, Diag *diag);
// Rebuilds the kernels of a bundle whose .comp differs from its digest; renews digests, sizes of workgroups, what they share and how many are dispatched. The count of rebuilt kernels goes to `rebuilt`.
bool compile_rebuild(Arena *arena, const char *folder, bool debug_info, uint32_t *rebuilt, Diag *diag);

// The pass table, for --help and --dump.
typedef struct {
    const char *name, *level, *summary;
} PassInfo;
const PassInfo *compile_passes(uint32_t *count);
