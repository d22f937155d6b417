// Readers: the functions that datasets.def names, and what readers share.
#pragma once
#include "runtime/data/dataset.h"

bool idx_open_mnist(Arena *arena, const char *argument, Dataset *dataset, Diag *diag);
bool idx_open_fashion(Arena *arena, const char *argument, Dataset *dataset, Diag *diag);
bool idx_open_folder(Arena *arena, const char *argument, Dataset *dataset, Diag *diag);
bool idx_natural_mnist(Arena *arena, const char *argument, ProgramData *declared, Diag *diag);
bool idx_natural_fashion(Arena *arena, const char *argument, ProgramData *declared, Diag *diag);
bool idx_natural_folder(Arena *arena, const char *argument, ProgramData *declared, Diag *diag);
bool ring_open_ring(Arena *arena, const char *argument, Dataset *dataset, Diag *diag);
bool ring_open_grid(Arena *arena, const char *argument, Dataset *dataset, Diag *diag);
bool ring_natural(Arena *arena, const char *argument, ProgramData *declared, Diag *diag);
bool random_open(Arena *arena, const char *argument, Dataset *dataset, Diag *diag);
bool random_natural(Arena *arena, const char *argument, ProgramData *declared, Diag *diag);
bool cub_open(Arena *arena, const char *argument, Dataset *dataset, Diag *diag);
bool cub_natural(Arena *arena, const char *argument, ProgramData *declared, Diag *diag);

// Appends a field; its range and bound are the caller's to set.
void dataset_add_field(Arena *arena, ProgramData *declared, const char *name, ElementType type, uint32_t rank, const uint32_t *dims);
const char *dataset_field_text(Arena *arena, const ProgramData *declared, uint32_t field); // "image f32[1,28,28]"
