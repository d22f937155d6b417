// Cost: what storing, loading and arithmetic are worth on a device class, in additions of one vec4 element. Asked by fuse.
#pragma once
#include "compiler/ir/op.h"
#include "runtime/program/target.h"

typedef struct {
    uint32_t load, store; // of one element
    uint32_t dispatch;    // not per element: how many elements' worth a dispatch costs
    uint32_t small;       // not per element: a map that stores values of up to so many takes about as long as its dispatch
} Cost;

Cost cost_of(TargetClass target_class);
uint32_t cost_of_node(const Node *node); // arithmetic of one element
