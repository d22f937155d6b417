// Weights: states from a session into checkpoints and back.
#pragma once
#include "runtime/run/checkpoint.h"
#include "runtime/run/names.h"
#include "runtime/session/session.h"

// All states that a checkpoint keeps, read from the device. A network's or optimizer's value that is not finite is an error which names it.
bool weights_get(Session *session, const Program *program, Arena *arena, HostTensor **tensors, uint32_t *tensor_count, Diag *diag);
// Writes a checkpoint's tensors into the states (after checkpoint_match); the others stay as they are.
bool weights_set(Session *session, const Program *program, const Checkpoint *checkpoint, CheckpointMatch match, Diag *diag);
// "--init NAME=RUN|FILE": a network's weights from elsewhere. An EMA of it that an optimizer keeps starts as a copy of them.
bool weights_init(Session *session, const Program *program, const char *spec, Diag *diag);
// The same from a file under another program's names, by a map (names.h); `names` NULL: none. `encoder`: of the texts that
// they will see; weights that were trained with another one's are refused. NULL: there are no texts.
bool weights_init_named(Session *session, const Program *program, const char *spec, const Names *names, const char *encoder, Diag *diag);
// Does one of the specs NAME=… give `name`?
bool weights_spec_names(const char *const *specs, uint32_t spec_count, const char *name);
