// Inputs: what a user gives a program - numbers, .npy files, pictures - and what each of its runs begins with.
//
// An input is a batch of records along its first axis, an input without axes one record; of pictures, an input [channels, height, width]
// takes one a run. What is given is a list of records: run k takes its share from where run k - 1 ended, from the first on again at its end.
#pragma once
#include "runtime/run/classes.h"
#include "runtime/session/session.h"

typedef struct {
    const ProgramFeed *input;
    const double *values;    // [count, each]; NULL: not given
    uint32_t count, per_run; // records given; records that one run takes
    uint64_t each;           // numbers of a record
    bool is_given;           // not the default
    const Classes *classes;  // what its numbers mean; NULL: not known
    bool is_counted;         // pictures or the rows of a file: as many results are wanted as there are records. Numbers only repeat
} InputRecords;

// By index in the entry's inputs.
typedef struct {
    InputRecords *items;
    uint32_t count;
} Inputs;

Inputs inputs_create(Arena *arena, const ProgramEntry *entry);
// Inputs whose numbers are labels of these classes may be given by names, and grids show them.
void inputs_know(Inputs *inputs, const Program *program, const ClassLists *classes);
// What --set NAME=WORD gives; `name` is for messages. WORD is a number (fills), a list 0,1,2 (repeats along the first axis), FILE.npy, a PNG
// or JPEG, or a folder of them, in the order of their names; a text where the input takes tokens, and where its numbers are known labels the
// name of a class, or a list of names and numbers.
bool inputs_read(Arena *arena, const char *name, const char *word, InputRecords *out, Diag *diag);
bool inputs_take(Arena *arena, const char *name, const HostTensor *given, InputRecords *out, Diag *diag); // the same of a tensor
// All of --set NAME=WORD; NAME is an input's, or PROGRAM.INPUT.
bool inputs_read_all(Arena *arena, const ProgramEntry *entry, const char *const *specs, uint32_t count, Inputs *inputs, Diag *diag);
// Takes the defaults of what is not given. An error for what has none, but for `other` (NULL: none), which is given in another way; a
// warning for what is given and not used by the program.
bool inputs_complete(Arena *arena, const ProgramEntry *entry, const ProgramFeed *other, Inputs *inputs, Diag *diag);

uint32_t inputs_wanted(const Inputs *inputs);  // counted records, the most of an input; 0: none counts
uint32_t inputs_per_run(const Inputs *inputs); // of them in one run, at least 1
// For a program that begins only once: an error where more records are given than it takes.
bool inputs_fit_one_run(const Inputs *inputs, Diag *diag);
// What run `run` is given: f64 for f32 inputs, else the input's own type.
HostTensor inputs_tensor(Arena *arena, const InputRecords *records, uint32_t run);
bool inputs_set(Session *session, const ProgramEntry *entry, const Inputs *inputs, uint32_t run, Diag *diag);
