// Names: a map from our names of tensors to another program's (PyTorch's), to export weights and to take foreign ones.
// A JSON object, our name -> the other; a '*' on both sides stands for one step of a path: "G.r.*.conv2d.weight": "residual.*.0.weight".
#pragma once
#include "runtime/base/diag.h"
#include "runtime/tensor/tensor_file.h"

typedef struct {
    const char *ours, *theirs;
    Place place;
} NamesRow;

typedef struct {
    const char *path;
    ARRAY(NamesRow) rows;
} Names;

bool names_read(Arena *arena, const char *path, Names *out, Diag *diag);
// A name that no row gives is the same on both sides.
const char *names_theirs(Arena *arena, const Names *names, const char *ours);
const char *names_ours(Arena *arena, const Names *names, const char *theirs);
// Every row must have a tensor in a file (under their names, or ours). A map may be of several networks, and a file of one: the rows of a
// network (what begins with the same step) of which it has nothing are passed over, if it has some of another.
bool names_check(Arena *arena, const Names *names, const TensorFile *file, bool is_theirs, Diag *diag);
