// Glsl: one kernel to its shader - the text with provenance, the dispatch's size, and which buffers it binds.
#pragma once
#include "compiler/emit/emitter.h"

typedef struct {
    const char *source;           // complete GLSL
    const char *name;             // "conv2d_add_silu": from the ops that it computes
    uint32_t workgroup[3], groups[3];
    ARRAY(EmitBinding) bindings;  // in binding order
    bool needs_subgroup_ballot;
    uint32_t shared_bytes;        // of a workgroup
    EmitWindow window;            // of the sets that it binds
    double flops, bytes;
    WorkClass work_class;
} Shader;

// In how many windows a kernel runs: 1, or more for a map over parameter sets larger than the target's binding.
uint32_t glsl_window_count(const KernelList *list, const Kernel *kernel, const Target *target);
// The kernel for one window; whole buffers are bound but for sets, of which shader.window is. The tables are the list's.
void glsl_kernel(Arena *arena, EmitTables *tables, const KernelList *list, const Kernel *kernel, const Target *target, uint32_t window, Shader *out);

enum { TREE_LANE_BYTES_MAX = 32 }; // of shared memory, for each lane of a tree: a vec4, and positions beside it

// The body of a reduction; tree: a workgroup folds one result (or four neighbouring ones), else an invocation does. Returns how many results
// (or fours) there are.
uint64_t emit_reduce_kernel(Emitter *emitter, bool tree);
// The same as a link of emitter->chain.
void emit_reduce_link(Emitter *emitter);
// What emit_reduce_kernel returns of a reduction without parts that is no tree.
uint64_t emit_reduce_invocations(const KernelList *list, const Kernel *kernel);
