// Checkpoint: all states of a program as a safetensors file in logical layout. Files and their checks; weights.h moves them to a session.
#pragma once
#include "runtime/tensor/tensor_file.h"
#include "runtime/program/program.h"

typedef struct {
    const char *digest;   // of the graph
    const char *entry;    // program that was trained
    uint32_t step, steps; // steps done; the run's total
    uint64_t seed;
    const char *data_position; // for people: where it stands is a function of the step
    const char *schedules;     // the run's winning schedules as text; "" when the tables decided
    const char *encoder;       // of the texts it was trained with (data/encoder.h); NULL: there were none
    const Program *program;    // whose optimizers' rules are noted with the moments; NULL: none are. Only written
} CheckpointInfo;

typedef struct {
    const char *path;
    CheckpointInfo info; // digest NULL: a file that is not ours, weights only
    TensorFile file;
} Checkpoint;

// Is a state kept? All but those that belong to one program ("sample.x").
bool checkpoint_keeps(const ProgramState *state);

// Writes FOLDER/checkpoint-000120.safetensors in one step, then removes all but the newest `keep` (0: none is removed) up to this one;
// a file of such a name that no gcc-graph wrote stays and does not count.
// On failure all older ones are still there.
bool checkpoint_write(const char *folder, const CheckpointInfo *info, const HostTensor *tensors, uint32_t tensor_count, uint32_t keep,
                      Diag *diag);
const char *checkpoint_path(Arena *arena, const char *folder, uint32_t step);
bool checkpoint_is_name(const char *name, uint32_t *step); // of a file in a run's folder
// Steps of the checkpoints in a folder, ascending. A folder that does not exist has none.
const uint32_t *checkpoint_list(Arena *arena, const char *folder, uint32_t *count);

// Reads one file; where it is a checkpoint of ours, its digest must fit: damage anywhere in tensors or metadata is an error.
bool checkpoint_read(Arena *arena, const char *path, Checkpoint *out, Diag *diag);
// The newest one of a run that is whole; damaged ones are skipped with a warning. False (reported) when there is none.
bool checkpoint_read_latest(Arena *arena, const char *folder, Checkpoint *out, Diag *diag);
// Whose moments the optimizer of a count ("opt.count") kept, ProgramState.rule; NULL: not said.
const char *checkpoint_rule(const Checkpoint *checkpoint, const char *count);
// RUN or FILE.safetensors.
bool checkpoint_read_from(Arena *arena, const char *run_or_file, Checkpoint *out, Diag *diag);

typedef enum {
    CHECKPOINT_EXACT,   // to go on training: the same states, no more and no fewer
    CHECKPOINT_WEIGHTS, // to use it: optimizers' moments and counts may be missing, other tensors may be there
} CheckpointMatch;
// Names, shapes and dtypes against the program's states; every difference is an error.
bool checkpoint_match(const Checkpoint *checkpoint, const Program *program, CheckpointMatch match, Diag *diag);
bool checkpoint_fits(const HostTensor *tensor, const ProgramState *state, const char *path, Diag *diag);

// A network's (or, as in "G.ca", a part of it: a named block's or layer's) parameters and running statistics, or a state by its name, in a
// checkpoint of maybe another graph: `name` "s1.G" is looked for as "s1.G" and, where that is absent, as "G". Pairs of program state and
// tensor; false (reported) when something is missing.
typedef struct {
    const ProgramState *state;
    HostTensor tensor; // with the state's name
} CheckpointPair;
bool checkpoint_select(Arena *arena, const Checkpoint *checkpoint, const Program *program, const char *name, CheckpointPair **pairs,
                       uint32_t *pair_count, Diag *diag);
