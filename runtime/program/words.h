// Words: the choices that program.json spells as words, each an enumeration with one table of names.
#pragma once

#define WORDS_ENUMERATOR(name, text) name,
#define WORDS_ONE(name, text) +1

// What a state is to those who keep and take it.
#define STATE_KINDS(WORD)                                                                                                                \
    WORD(STATE_PARAMETERS, "parameter") /* of a network */                                                                               \
    WORD(STATE_RUNNING, "running")      /* inside a network or block, or of the document */                                              \
    WORD(STATE_MOMENT, "moment")        /* m, v of an optimizer */                                                                       \
    WORD(STATE_EMA, "ema")              /* an average of parameters */                                                                   \
    WORD(STATE_COUNT, "count")          /* an optimizer's i32 count of steps */                                                          \
    WORD(STATE_PROGRAM, "program")      /* of a program: starts anew with every run, not checkpointed */                                 \
    WORD(STATE_CONDITION, "condition")  /* of a program: what its conditions go by, the last reports and counts of runs; checkpointed */ \
    WORD(STATE_SUM, "sum")              /* of an accumulating phase: written in each repetition before it is read; not checkpointed */
typedef enum { STATE_KINDS(WORDS_ENUMERATOR) } StateKind;
enum { STATE_KIND_COUNT = 0 STATE_KINDS(WORDS_ONE) };
extern const char *const state_kind_names[STATE_KIND_COUNT];

// How a state's numbers begin.
#define INIT_KINDS(WORD)                                                                                                                 \
    WORD(INIT_CONSTANT, "constant") WORD(INIT_NORMAL, "normal") WORD(INIT_UNIFORM, "uniform") WORD(INIT_COPY, "copy")
typedef enum { INIT_KINDS(WORDS_ENUMERATOR) } InitKind;
enum { INIT_KIND_COUNT = 0 INIT_KINDS(WORDS_ONE) };
extern const char *const init_kind_names[INIT_KIND_COUNT];

// What becomes of a result: a number that is reported, or something that is emitted.
#define RESULT_FORMATS(WORD)                                                                                                             \
    WORD(RESULT_REPORT, "report") WORD(RESULT_IMAGE, "image") WORD(RESULT_ROWS, "rows") WORD(RESULT_TENSOR, "tensor")
typedef enum { RESULT_FORMATS(WORDS_ENUMERATOR) } ResultFormat;
enum { RESULT_FORMAT_COUNT = 0 RESULT_FORMATS(WORDS_ONE) };
extern const char *const result_format_names[RESULT_FORMAT_COUNT];

// What work a step is, for those who measure: contractions by their op, all else by how it runs.
#define WORK_CLASSES(WORD)                                                                                                               \
    WORD(WORK_MAP, "map")                                                                                                                \
    WORD(WORK_REDUCE, "reduce")                                                                                                          \
    WORD(WORK_MATMUL, "matmul")                                                                                                          \
    WORD(WORK_CONV2D, "conv2d")                                                                                                          \
    WORD(WORK_CONV2D_INPUT, "conv2d_input")                                                                                              \
    WORD(WORK_CONV2D_WEIGHT, "conv2d_weight")                                                                                            \
    WORD(WORK_COPY, "copy")                                                                                                              \
    WORD(WORK_FILL, "fill")
typedef enum { WORK_CLASSES(WORDS_ENUMERATOR) } WorkClass;
enum { WORK_CLASS_COUNT = 0 WORK_CLASSES(WORDS_ONE) };
extern const char *const work_class_names[WORK_CLASS_COUNT];

// What a phase does, one step after the other.
#define STEP_KINDS(WORD)                                                                                                                 \
    WORD(STEP_DISPATCH, "dispatch") /* runs a kernel: ranges by binding */                                                               \
    WORD(STEP_COPY, "copy")         /* ranges: from, to; of one size, and apart */                                                       \
    WORD(STEP_FILL, "fill")         /* ranges: what is filled with a word */
typedef enum { STEP_KINDS(WORDS_ENUMERATOR) } StepKind;
enum { STEP_KIND_COUNT = 0 STEP_KINDS(WORDS_ONE) };
extern const char *const step_kind_names[STEP_KIND_COUNT];

// What a phase of a program is to one of the document: all of it, or a part of one that accumulates (see accumulate.h).
#define PHASE_PARTS(WORD)                                                                                                                \
    WORD(PART_WHOLE, "whole") WORD(PART_BATCH, "batch") WORD(PART_ADD, "add") WORD(PART_KEEP, "keep") WORD(PART_FINISH, "finish")
typedef enum { PHASE_PARTS(WORDS_ENUMERATOR) } PhasePart;
enum { PHASE_PART_COUNT = 0 PHASE_PARTS(WORDS_ONE) };
extern const char *const phase_part_names[PHASE_PART_COUNT];

#define MEMORY_KINDS(WORD)                                                                                                               \
    WORD(MEMORY_STATE, "state")       /* lives as long as the session; zero at first */                                                  \
    WORD(MEMORY_CONSTANT, "constant") /* constants.bin */                                                                                \
    WORD(MEMORY_SCRATCH, "scratch")   /* planned anew for each phase; nothing survives a repetition */                                   \
    WORD(MEMORY_FEED, "feed")         /* the numbers and the feeds: the host fills a slot, copied here before a repetition */            \
    WORD(MEMORY_RESULT, "result")     /* reports and emits: copied to a slot after a repetition */
typedef enum { MEMORY_KINDS(WORDS_ENUMERATOR) } MemoryKind;
enum { MEMORY_KIND_COUNT = 0 MEMORY_KINDS(WORDS_ONE) };
extern const char *const memory_kind_names[MEMORY_KIND_COUNT];

#define KERNEL_CLASSES(WORD) WORD(KERNEL_MAP, "map") WORD(KERNEL_REDUCE, "reduce") WORD(KERNEL_CONTRACT, "contract") WORD(KERNEL_CHAIN, "chain")
typedef enum { KERNEL_CLASSES(WORDS_ENUMERATOR) } KernelClass;
enum { KERNEL_CLASS_COUNT = 0 KERNEL_CLASSES(WORDS_ONE) };
extern const char *const kernel_class_names[KERNEL_CLASS_COUNT];

#define BINDING_KINDS(WORD)                                                                                                              \
    WORD(BINDING_READ, "read")   /* storage buffer, readonly */                                                                          \
    WORD(BINDING_WRITE, "write") /* storage buffer, written (and maybe read: updates in place) */                                        \
    WORD(BINDING_TEXEL, "texel") /* uniform texel buffer, rgba32f (integer tensors never: those are BINDING_READ) */
typedef enum { BINDING_KINDS(WORDS_ENUMERATOR) } BindingKind;
enum { BINDING_KIND_COUNT = 0 BINDING_KINDS(WORDS_ONE) };
extern const char *const binding_kind_names[BINDING_KIND_COUNT];
