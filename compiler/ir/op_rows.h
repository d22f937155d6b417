// The rows of the table of ops, each defined by its op's file in compiler/ops.
#pragma once
#include "compiler/ir/op.h"

#define OP(name, ...) extern const OpDef op_##name;
#include "compiler/ir/op_names.def"
#undef OP
