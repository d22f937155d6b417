// Kernel: how a phase is computed - groups of values that one shader computes, their buffers, and where these lie.
#pragma once
#include "compiler/ir/module.h"
#include "runtime/program/program.h"

static const ElementType SET_ELEMENT = ELEMENT_F32; // what a parameter set is stored as

// How a parameter set lies in memory: its parts one after the other, each in its canonical layout at an aligned offset.
typedef struct {
    Layout *layouts;   // by part
    uint64_t *offsets; // bytes
    uint64_t size;     // bytes
} SetLayout;

// Who holds a value's numbers, if anybody.
typedef enum {
    BUFFER_NONE,     // computed where it is used
    BUFFER_SCRATCH,  // planned
    BUFFER_STATE,    // a state's own memory
    BUFFER_FEED,     // a feed, an input or the numbers
    BUFFER_CONSTANT, // a table
    BUFFER_RESULT,   // a report or emit
    BUFFER_PART,     // a part of another buffer: an argument of pack, or an unpack
} BufferKind;

typedef struct {
    BufferKind kind;
    Value value;
    ElementType element;
    Layout layout;       // of a set: rank 1, the physical elements of all parts
    uint64_t size;       // bytes
    uint32_t parent;     // BUFFER_PART: index of the buffer that it lies in
    uint64_t offset;     // BUFFER_PART: bytes inside the parent; BUFFER_SCRATCH, after planning: bytes inside all scratch
    Range range;         // after emit: where a session holds it; size 0: nowhere
    const char *name;    // of the state, feed, table or result
    uint32_t first_wave, last_wave; // in which it is live (scratch)
} Buffer;

// llvmpipe ends the loops of an invocation, silently, after 65,535 turns in all: longer ones are unrolled or shared out.
// Of the text, for all targets: a bundle may run on another driver than it was made for, and none would say so.
enum { LOOP_TURNS_MAX = 32768 };

// Values that one kernel computes. More would be shaders that take drivers long to compile.
enum { KERNEL_VALUES_MAX = 2048 };

typedef struct Family Family;

enum {
    SCHEDULE_PARAMS_MAX = 6,
    PARAM_LANES = 0, // of every family: invocations of a workgroup
    PARAM_TEXEL = 1, // and whether f32 operands are loaded as texels
    PARAM_OWN = 2,   // a family's own begin here
};

// How a kernel is computed: a family and a number for each of its parameters. See schedule.h.
typedef struct {
    const Family *family; // NULL: not chosen yet
    uint32_t values[SCHEDULE_PARAMS_MAX];
} Schedule;

// Of joined reductions: where its roots and stores end in those of the kernel.
typedef struct {
    uint32_t roots_end, stores_end;
} KernelPart;

typedef struct Kernel Kernel;

struct Kernel {
    KernelClass kernel_class;
    Value root;            // the contraction, the first reduction, or the first stored map; of a chain that of its first link
    ARRAY(Value) roots;    // REDUCE: all reductions over the same space, part by part
    ARRAY(KernelPart) parts; // REDUCE: that plan joined, each of a space of its own; none: it is of one
    ARRAY(Value) stores;   // values that it writes, in the order of their write bindings
    ARRAY(Value) loads;    // values of buffers that it reads and other kernels, or nobody, write
    ARRAY(bool) in_place;  // by load: needed only at the element that is being stored
    ARRAY(Kernel) links;   // CHAIN: kernels that each workgroup runs one after the other, on slices that are its own; their stores are the chain's
    uint64_t slices;       // CHAIN: how many workgroups
    Schedule schedule, runner_up; // the one chosen, and the one that was estimated to be next best, if any
    const char *work;      // winners_digest, where there were winners to choose from; NULL: nobody asked, or the kernel is several joined ones
    bool is_given;         // its schedule: by the user or a record, not by estimates
    const char *reason;    // why these values are one kernel
    uint32_t wave;
};

typedef struct {
    const Graph *graph;
    Arena *arena;
    const SetLayout *sets; // by set - 1
    Buffer *buffers;      // by value id
    Layout *layouts;      // by value id: of every value, stored or not
    ARRAY(Kernel) kernels;
    uint32_t wave_count;
    uint64_t scratch_size, scratch_lower_bound;
    ARRAY(const char *) decisions; // fusion's log
} KernelList;

typedef ARRAY(uint32_t) KernelIndices; // in KernelList.kernels, or of values

// A part of joined reductions as a kernel of its own; of others, which have part 0 alone, the kernel itself.
Kernel kernel_part(const Kernel *kernel, uint32_t part);
bool kernel_stores(const Kernel *kernel, Value value);
// Adds to `found` the values that are computed inside the kernel, ascending. `seen`, by value id, is all false before and after.
void kernel_values(Arena *arena, const KernelList *list, const Kernel *kernel, bool *seen, KernelIndices *found);
// The axis along which chains cut a value into slices: the outermost that is longer than 1, not the one of which a vec4 holds four. -1: there is none.
int kernel_slice_axis(const KernelList *list, Value value);
// The value whose kernel writes the memory that `value` lies in, seen through aliases and unpacks; the value itself where that is given.
Value buffer_root(const KernelList *list, Value value);
// Adds to `found` the kernels that write the memory that `value` lies in; `writer`: by value id, the index of the kernel that stores it + 1.
void buffer_writers(Arena *arena, const KernelList *list, const uint32_t *writer, Value value, KernelIndices *found);
// By value id: the index of the kernel that stores it + 1.
uint32_t *kernel_writers(Arena *arena, const KernelList *list);
// Whether the kernel loads `value` through a texel buffer; else through a storage buffer.
bool kernel_reads_texels(const KernelList *list, const Kernel *kernel, const Target *target, Value value);
// Buffers that a kernel may bind, whichever way it loads them; and those that it may load, one store and perhaps the numbers being bound too.
uint32_t kernel_bindings_max(const Target *target);
uint32_t kernel_loads_max(const Target *target);
// The value whose memory `value` is as a whole, seen through reshapes and transpositions.
Value buffer_base(const KernelList *list, Value value);
void kernel_print(Text *text, const KernelList *list);
// Structure after fuse; where there are schedules: they fit kernels and target; after plan also: no two live buffers overlap, every load follows its store in an earlier wave,
// no update overtakes a reader of the old value.
bool kernel_verify(const KernelList *list, const Target *target, bool planned, Text *problems);
