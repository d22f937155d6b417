// Target: what a bundle is compiled for - a device class, the capabilities that its kernels keep to (the rows of capabilities.def
// make them), and how fast it is.
#pragma once
#include "runtime/base/arena.h"
#include "runtime/program/model.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TARGET_BINDINGS_MAX = 64 }; // of one kernel, all kinds together: the runtime's arrays
#define TARGET_BYTES_MAX (UINT64_C(1) << 52) // sums of two such sizes never overflow, and all are exact in a JSON number

typedef struct {
    TargetClass target_class;
    const char *device; // whose capabilities these are, by name; NULL: the class's
    DeviceModel model;
#define LIMIT(type, name, ...) type name;
#define FEATURE(name, ...) bool name;
#include "runtime/program/capabilities.def"
} Target;

// ---- the rows

typedef enum {
#define LIMIT(type, name, ...) CAPABILITY_##name,
#define FEATURE(name, ...) CAPABILITY_##name,
#include "runtime/program/capabilities.def"
    CAPABILITY_COUNT
} Capability;

typedef enum { RULE_AT_MOST, RULE_MULTIPLE, RULE_SAME, RULE_FEATURE } CapabilityRule;
typedef enum { USE_KERNELS, USE_RUNTIME, USE_DEMANDED } CapabilityUse; // of limits: KERNELS
typedef enum { UNIT_COUNT, UNIT_BYTES, UNIT_BOOL } CapabilityUnit;

typedef struct {
    const char *name, *text; // "shared_bytes_max", "bytes that a workgroup shares"
    CapabilityRule rule;
    CapabilityUse use;
    CapabilityUnit unit;
    uint32_t since;       // 0: stated since there are bundles; else the format of profiles that states it first
    size_t offset, size;  // in Target
    uint64_t least, most;
    const char *extension; // of the device, that it needs; NULL: none
} CapabilityDef;

const CapabilityDef *capability_def(Capability capability);
uint64_t target_value(const Target *target, Capability capability); // of a feature: 0 or 1
void target_set(Target *target, Capability capability, uint64_t value);
uint32_t capabilities_format(void); // the newest format of profiles: that of the row that came last
// Whether a device with `own` does what is compiled for `wanted` needs of this capability, if that needs all that it may.
bool capability_suffices(Capability capability, const Target *own, const Target *wanted);

// A class's defaults: the Vulkan 1.2 minima where the class says nothing better.
Target target_default(TargetClass target_class);
// The target with each limit at most what the compiler and the runtime can take, and workgroups rounded down to a power of two: what
// devices, bundles and callers state passes through here before it is relied upon.
Target target_clamp(const Target *stated);
// "the class cpu", or "llvmpipe (LLVM 15.0.6, 256 bits), a device of the class cpu".
const char *target_text(Arena *arena, const Target *target);
const char *target_class_name(TargetClass target_class);
bool target_class_parse(const char *name, TargetClass *out);
