// Run files: the tensors that `run` takes and gives - single .npy files by name, or a whole folder named as a dump:
//   before/STATE  feeds/PROGRAM.PHASE.FEED@STEP.REPETITION  draws/…  ->  after/STATE  report/…  values/…  gradients/…  emits/…
#pragma once
#include "compiler/driver/arguments.h"
#include "compiler/ir/interpret.h"
#include "runtime/inputs.h"

typedef struct {
    const char *name, *path; // path: the file
    HostTensor tensor;       // of a given one
    bool is_word;            // path is no .npy file but a number, a list or pictures, for an input
    bool used;               // was asked for, or came out
} RunFile;

typedef struct {
    Arena *arena;
    Diag *diag;
    ARRAY(RunFile) given, wanted;
    const char *folder;       // of --get DIR; NULL: none
    ARRAY(const char *) seen; // names that came out, for messages
} RunFiles;

// Reads what --set gives and notes what --get wants.
bool run_files_open(RunFiles *files, Arguments *arguments);
// "feeds/train.denoise.x0@0.0"; also found under "train.denoise.x0" and "x0". NULL: not given.
const HostTensor *run_files_find(RunFiles *files, const char *kind, const char *name, const char *moment);
// What is given for a program's inputs, defaults included, for one run of it. False: reported.
bool run_files_inputs(RunFiles *files, const ProgramEntry *entry, Inputs *out);
bool run_files_has_kind(const RunFiles *files, const char *kind); // is something of "draws" given?
bool run_files_wants_values(const RunFiles *files);               // values/ or gradients/, or a folder
// Writes the tensor where it is wanted. moment: "3.0", or NULL for states.
bool run_files_put(RunFiles *files, const char *kind, const char *name, const char *moment, const HostTensor *tensor);
// At the end: errors for what was given and not used, and what was wanted and did not come.
bool run_files_close(RunFiles *files);

// Whether all labels of a tensor that is given for a field are below what the graph declares (0: anything goes); else reported.
bool run_labels_fit(const char *name, const HostTensor *given, uint32_t below, Diag *diag);
// A tensor of the interpreter from a file's, and back (f64, or the integer's own type). False: another shape (reported).
bool run_tensor_from(Arena *arena, const char *name, const HostTensor *given, const Type *type, Tensor *out, Diag *diag);
HostTensor run_tensor_to(Arena *arena, const Tensor *tensor);
