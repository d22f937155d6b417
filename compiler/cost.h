// Cost: what computing an op is worth, in additions of one vec4 element, whatever the device. Asked by fuse.
#pragma once
#include "compiler/ir/op.h"

uint32_t cost_of_node(const Node *node); // arithmetic of one element
