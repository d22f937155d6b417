// Dump: the tensors that `run` takes and gives - single .npy files by name, or a whole folder named as a dump:
//   before/STATE  feeds/PROGRAM.PHASE.FEED@STEP.REPETITION  draws/…  ->  after/STATE  report/…  values/…  gradients/…  emits/…
#pragma once
#include "compiler/ir/interpret.h"
#include "runtime/sample/inputs.h"

typedef struct {
    const char *name, *path; // path: the file
    HostTensor tensor;       // of a given one
    bool is_word;            // path is no .npy file but a number, a list or pictures, for an input
    bool used;               // was asked for, or came out
} DumpFile;

typedef struct {
    Arena *arena;
    Diag *diag;
    ARRAY(DumpFile) given, wanted;
    const char *folder;       // of --get DIR; NULL: none
    ARRAY(const char *) seen; // names that came out, for messages
} Dump;

// What a command line says, "NAME=FILE" or a folder each.
typedef struct {
    const char **items;
    uint32_t count;
} DumpWords;

// Reads what is given and notes what is wanted. The dump reports through `diag` from now on.
bool dump_open(Arena *arena, const DumpWords *given, const DumpWords *wanted, Dump *files, Diag *diag);
// "feeds/train.denoise.x0@0.0"; also found under "train.denoise.x0" and "x0". NULL: not given.
const HostTensor *dump_find(Dump *files, const char *kind, const char *name, const char *moment);
// What is given for a program's inputs, defaults included, for one run of it. False: reported.
bool dump_inputs(Dump *files, const Program *program, const ProgramEntry *entry, const ClassLists *classes, Inputs *out);
bool dump_has_kind(const Dump *files, const char *kind); // is something of "draws" given?
bool dump_wants_values(const Dump *files);               // values/ or gradients/, or a folder
// Writes the tensor where it is wanted. moment: "3.0", or NULL for states.
bool dump_put(Dump *files, const char *kind, const char *name, const char *moment, const HostTensor *tensor);
// At the end: errors for what was given and not used, and what was wanted and did not come.
bool dump_close(Dump *files);

// Whether all labels of a tensor that is given for a field are below what the graph declares (0: anything goes); else reported.
bool dump_labels_fit(const char *name, const HostTensor *given, uint32_t below, Diag *diag);
// A tensor of the interpreter from a file's, and back (f64, or the integer's own type). False: another shape (reported).
bool dump_tensor_from(Arena *arena, const char *name, const HostTensor *given, const Type *type, Tensor *out, Diag *diag);
HostTensor dump_tensor_to(Arena *arena, const Tensor *tensor);
