// Target: what a bundle is compiled for - a device class and the limits that its kernels respect.
#pragma once
#include "runtime/base/arena.h"
#include <stdbool.h>
#include <stdint.h>

// cpu: software drivers - texel loads, register tiles, no shared memory or barriers. gpu: shared-memory tiles. any: storage loads, smallest
// limits.
typedef enum { TARGET_CPU, TARGET_GPU, TARGET_ANY } TargetClass;

enum { TARGET_BINDINGS_MAX = 64 }; // of one kernel, all kinds together: the runtime's arrays
#define TARGET_BYTES_MAX (UINT64_C(1) << 52) // sums of two such sizes never overflow, and all are exact in a JSON number

// target.def has the limits' bounds.
typedef struct {
    TargetClass target_class;
    const char *device;            // whose limits these are, by name; NULL: the class's
    uint32_t subgroup_size;        // lanes of a workgroup in cpu schedules; 8 where unknown
    bool has_subgroup_ballot;      // subgroupBroadcast in compute
    uint64_t storage_range_max;    // bytes of one storage-buffer binding
    uint64_t allocation_max;       // bytes of one allocation
    uint64_t texel_elements_max;   // of one texel buffer; 0: no texel loads
    uint32_t offset_alignment;     // of every binding's offset: a power of two, at least 16
    uint32_t storage_bindings_max; // of one kernel
    uint32_t texel_bindings_max;
    uint32_t push_bytes_max;
    uint32_t workgroup_size_max; // invocations
    uint32_t groups_max;         // along one axis
    uint32_t shared_bytes_max;
} Target;

// A class's defaults: the Vulkan 1.2 minima where the class says nothing better.
Target target_default(TargetClass target_class);
// The target with each limit at most what the compiler and the runtime can take, and workgroups rounded down to a power of two: what
// devices, bundles and callers state passes through here before it is relied upon.
Target target_clamp(const Target *stated);
// "the class cpu", or "llvmpipe (LLVM 15.0.6, 256 bits), a device of the class cpu".
const char *target_text(Arena *arena, const Target *target);
const char *target_class_name(TargetClass target_class);
bool target_class_parse(const char *name, TargetClass *out);
