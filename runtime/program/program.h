// Program: the contract between compiler and runtime - what a bundle directory holds. No Vulkan, no graph.
//   program.json   everything below    constants.bin   the constant arena    kernels/NAME.comp, .spv    plan.txt    graph.json
#pragma once
#include "runtime/base/json.h"
#include "runtime/base/tokens.h"
#include "runtime/program/accumulate.h"
#include "runtime/program/augment.h"
#include "runtime/program/every.h"
#include "runtime/program/layout.h"
#include "runtime/program/target.h"
#include "runtime/program/words.h"

// Format 1 (gcc-graph 0.1.0) knows no number of records, which those of format 2 may read; in both a phase has dispatches, from format 3 on steps,
// each of a kind. All are read. A kind that a reader does not know is an error that names the writer's version, so that new kinds are no new
// format. Format 4 has phases that run at times only or are a part of one that accumulates, programs that stop by what they report, what
// becomes of a data set's pictures ("augment") and texts as numbers ("tokens" of fields and inputs, and the lists that they name).
// Format 5 has kernels of the class chain.
enum { PROGRAM_FORMAT = 5, PROGRAM_FORMAT_OLDEST = 1 };

// One allocation; of scratch there may be several. Offsets inside it are multiples of Target.offset_alignment.
typedef struct {
    MemoryKind kind;
    uint64_t size; // bytes
} Memory;

// A range of bytes in a memory.
typedef struct {
    uint32_t memory; // index into Program.memories
    uint64_t offset, size;
} Range;

bool range_overlaps(const Range *a, const Range *b); // some byte lies in both; an empty range overlaps nothing that it does not lie inside

typedef struct {
    ElementType type;
    Layout layout;
    Range range; // as large as its elements, or larger
} ProgramTensor;

// A compiled shader: kernels/NAME.comp and .spv. Equal bodies are one kernel, whatever their tensors.
typedef struct {
    const char *name;   // "007_conv2d_add"
    const char *digest; // of the canonical body (the GLSL without its provenance comments)
    KernelClass kernel_class;
    uint32_t workgroup[3];
    ARRAY(BindingKind) bindings; // binding i of set 0
    uint32_t push_words;         // push constants, a word each
    bool needs_subgroup_ballot;  // subgroupBroadcast
    uint32_t shared_bytes;       // of a workgroup
    const uint32_t *spirv;       // the .spv's words; NULL: not loaded (a program that was not read from a folder may set them)
    size_t spirv_size;           // bytes
    const char *spirv_digest;    // of the .spv; NULL: program_write takes it of the file, where there is one
} ProgramKernel;

// One step of a phase. Kinds to come take their place here: an exchange between workers is a kind with ranges that it sums in place.
typedef struct {
    StepKind kind;
    ARRAY(Range) ranges; // see StepKind
    // Of a dispatch:
    uint32_t kernel;
    uint32_t groups[3];
    ARRAY(uint32_t) push;
    // Of a fill:
    uint32_t word;
    uint32_t wave;        // steps of one wave do not depend on each other; a barrier stands between waves
    const char *label;    // "%12 conv2d /networks/unet/nodes/3"
    const char *schedule; // how it is computed, "rows:lanes=8,texel=1,rows=16,columns=2"; NULL: not said
    WorkClass work_class; // for bench
    double flops;         // of contractions: 2 x multiply-adds, unpadded, direct; else 0
    double bytes;         // read and written, each tensor once
    uint32_t *values;     // graph values that it stores, in the order of the ranges that it writes (for verify)
    ElementType *value_types; // of values; NULL: not said
    uint32_t value_count;
} Step;

// A state as the user sees it: one named tensor of a checkpoint. A flat parameter set is many of these.
typedef struct {
    const char *name;     // "unet.conv2d.weight", "opt.m.unet.conv2d.weight", "opt.count", "sample.x"
    StateKind kind;
    const char *network;  // owner of a parameter or running state, or NULL
    ProgramTensor tensor; // in a MEMORY_STATE
    InitKind init;
    double init_a, init_b; // constant: a; normal: mean, standard deviation; uniform: low, high
    uint32_t init_factor; // icnr, where not 0: factor^2 rows of the first axis in a row are one draw
    const char *init_copy; // name of the state that it starts as a copy of
    const char *rule;      // of a count: whose moments its optimizer keeps, "adam"; NULL: not said
} ProgramState;

typedef struct {
    const char *name;                 // "x0"
    const char *data, *field, *split; // "images", "image", "train"; data NULL: a program's input, set by the user
    bool shuffled, pad;
    uint32_t batch;
    ProgramTensor tensor; // in a MEMORY_FEED
    // Of a program's input:
    bool has_range;
    double low, high;       // what black and white of a picture become
    uint32_t below;         // integers are 0 … below - 1 (0: not said)
    const double *defaults; // a number fills, several repeat along the first axis
    uint32_t default_count; // 0: it must be given
    const Tokens *tokens;   // a text as numbers; NULL: it is none
} ProgramFeed;

typedef struct {
    const char *name;     // "loss", "samples"
    ResultFormat format;
    ProgramTensor tensor; // in a MEMORY_RESULT
    bool has_condition;
    ProgramTensor condition; // a scalar: emit only where it is not 0
    bool counts_skips; // a report: how many updates changed nothing, since their gradients were not finite
} ProgramResult;

typedef struct {
    const char *name;
    uint32_t repeat; // 0: "epoch"
    bool is_eval;    // in a program that trains: its networks are as when sampling, and it updates none
    // It runs in the steps that `every` divides, where `when` holds too. Both say so of a whole step; its batches count its own runs.
    Every every;
    // The expression, for people; NULL: there is none. It holds before the first step, and then where the last step's phase of conditions gave
    // "NAME.when" a number that is not 0. The i32 state "PROGRAM.runs.NAME" counts the phase's runs.
    const char *when;
    // Nobody's own phase, but the last of a program that has a "when" or "stop": it computes them at the end of each step, and the host waits
    // for its results, "NAME.when" and "stop".
    bool is_conditions;
    PhasePart part;
    uint32_t batches;  // of a repetition, where it is a part; of a whole phase: 0
    uint32_t level;    // of an add or keep
    const char *title; // of the document's phase; NULL: the name
    ARRAY(ProgramFeed) feeds;
    ARRAY(Step) steps; // in order; waves ascend
    ARRAY(ProgramResult) results;
    uint64_t scratch_size, scratch_lower_bound; // bytes: planned, and the largest set of live values
} ProgramPhase;

typedef struct {
    const char *name;
    bool training;
    bool skips; // updates whose gradients are not finite change nothing, and reports need not be finite
    uint32_t steps; // default length of a training; 0: not said
    const char *stop; // the expression, for people, that ends a training where its last step's phase of conditions finds it true; NULL: none
    const char **requires_trained;
    uint32_t requires_count;
    ARRAY(ProgramFeed) inputs; // given by the user once a run (tensor in MEMORY_FEED of each phase that reads it)
    ARRAY(ProgramPhase) phases;
} ProgramEntry;

typedef struct {
    const char *name;
    uint32_t batch;
    bool has_augment; // else the reader's own way
    ProgramAugment augment;
    struct {
        const char *name;
        ElementType type;
        uint32_t rank, dims[LAYOUT_RANK_MAX];
        bool has_range;
        double low, high;
        uint32_t below;
        const Tokens *tokens; // of the record's text; NULL: it is none of texts
    } * fields;
    uint32_t field_count;
} ProgramData;

// Words of the numbers' tensor, which kernels read as uint numbers[].
typedef enum {
    NUMBER_SEED_LOW,
    NUMBER_SEED_HIGH,
    NUMBER_STEP,
    NUMBER_STEPS,
    NUMBER_EPOCH,
    NUMBER_EPOCH_STEPS,
    NUMBER_REPETITION, // of draws: each batch of an accumulating phase is one
    NUMBER_RECORDS, // of the repetition's batch, without those that fill it up
    NUMBER_INDEX,   // the document's repetition
    NUMBER_COUNT = 16
} Number;

typedef struct {
    const char *name, *digest; // of the resolved document
    const char *folder;        // the bundle it was read from, or NULL
    const char *version;       // of the gcc-graph that wrote it; NULL: one before 0.2.0, or it was not read from a bundle
    bool is_exact;             // no kernel's float arithmetic may be contracted: see exact.h
    Target target;
    Range numbers; // NUMBER_COUNT words in a MEMORY_FEED
    ARRAY(Memory) memories;
    ARRAY(ProgramKernel) kernels;
    ARRAY(ProgramState) states;
    ARRAY(ProgramData) data;
    ARRAY(ProgramEntry) entries; // the named programs
    const void *constants;       // contents of the constant memories, one after the other
    uint64_t constants_size;
} Program;

// ---- read.c: refuses another format version, damaged JSON, ranges outside their memory, kernels whose files do not fit their digest.
Program *program_read(Arena *arena, const char *folder, Diag *diag);
// The same without the kernels' files, which may be edited or damaged: for the compiler that rebuilds them.
Program *program_read_edited(Arena *arena, const char *folder, Diag *diag);
// ---- write.c: program.json and constants.bin; kernels' files are the compiler's business.
bool program_write(const Program *program, const char *folder, Diag *diag);
bool program_write_unsynced(const Program *program, const char *folder, Diag *diag); // into a folder that is synced as a whole
// ---- verify.c: replays each phase's steps with versions of every byte range: no read of a range that nothing wrote, no two
// accesses of one wave that conflict, ranges inside memories and aligned, push constants and bindings as the kernel declares, and of an
// exact program SPIR-V (where it is loaded) that forbids contraction.
bool program_verify(const Program *program, Text *problems);
// ---- print.c: plan.txt, a memory map for people.
void program_print_plan(Text *text, const Program *program);

// ---- program.c
// The digest of a kernel's canonical body: its GLSL without comments (`//` to the end of the line), without the blanks before them and
// without lines that are then empty.
const char *program_kernel_digest(Arena *arena, const char *glsl, size_t length);
const char *program_kernel_path(Arena *arena, const char *folder, const char *kernel, const char *extension); // "FOLDER/kernels/NAME.comp"
const char *program_step_name(const Program *program, const Step *step);       // its kernel's, or of what is none its kind's
bool program_step_writes(const Program *program, const Step *step, uint32_t range); // writes the range of that number; else it reads it
uint64_t program_tensor_size(const ProgramTensor *tensor);                    // bytes that its elements take
const ProgramEntry *program_entry(const Program *program, const char *name); // NULL when absent
const ProgramState *program_state(const Program *program, const char *name); // NULL when absent
const char *program_phase_title(const ProgramPhase *phase); // its name in the document
uint32_t program_phase_times(const ProgramPhase *phase);    // how often it runs in one repetition of the document's phase
const char *program_record_word(const Program *program, const ProgramEntry *entry); // "images" where the first feed is some, else "records"
// Each so many steps a phase runs, by phase. False where that is less than 1 in a run of these lengths (reported).
bool program_every(const ProgramEntry *entry, uint32_t steps, uint32_t epoch_steps, uint32_t *out, Diag *diag);
const ProgramPhase *program_conditions(const ProgramEntry *entry);            // NULL: it has none
const char *program_runs_name(Arena *arena, const ProgramEntry *entry, const ProgramPhase *phase); // of the state that counts its runs
const ProgramResult *program_condition(Arena *arena, const ProgramEntry *entry, const ProgramPhase *phase); // its when's; NULL phase: stop's
const char *program_turns_text(Arena *arena, const ProgramPhase *phase);      // ", every 2*epoch_steps, when validate.loss > 1"; "": in each step
// "stopped after step 120: validate.stalled", where so many steps are done.
const char *program_stop_text(Arena *arena, const ProgramEntry *entry, uint32_t done);
uint32_t program_batch(const ProgramPhase *phase);                             // of its first feed from a data set; 0: it has none
uint32_t program_below(const Program *program, const ProgramFeed *feed); // what the data set or the input declares of labels; 0: nothing
// About how long a device takes for it, once it runs.
double program_dispatch_seconds(const Step *step, const DeviceModel *model);
// Whether a driver that computes on `cores` cores should compute this program by one: its dispatches are so small that handing each to
// several threads takes longer than they save. (An estimate; a driver for a GPU has nothing to choose.)
bool program_suits_one_thread(const ProgramEntry *entry, uint32_t cores);
