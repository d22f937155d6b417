#pragma once
#include "compiler/passes/passes.h"

// Convolutions of a graph by value id.
typedef struct {
    ARRAY(uint32_t) ids; // those that became transforms, in the order in which the new graph has their results
    bool *refused;       // must stay as they are
} WinogradMoved;

// The pass; the contract is in winograd.c. moved->refused is read, moved->ids is made anew.
Graph *winograd_graph(Arena *arena, const Graph *from, const PassContext *context, WinogradMoved *moved);
// Refuses those of moved->ids whose products are live where the planned phase takes the most memory; false: none is.
bool winograd_refuse_peak(const KernelList *list, WinogradMoved *moved);
