// Pipeline: compute pipelines from SPIR-V, made in parallel and cached on disk.
#pragma once
#include "runtime/program/program.h"
#include "runtime/vk/device.h"

typedef struct Pipeline Pipeline;

typedef struct {
    const char *name;
    const uint32_t *spirv;
    size_t spirv_size; // bytes
    const BindingKind *bindings;
    uint32_t binding_count, push_words;
    bool is_cut;       // will be dispatched in pieces
    bool is_explained; // the driver keeps what it knows of the machine code, for executable_get: needs has_executables
} PipelineSource;

// Of a kernel whose SPIR-V is loaded, dispatched whole.
PipelineSource pipeline_source(const ProgramKernel *kernel);
// Makes all pipelines, the largest first, in as many threads as there are cores; out[i] belongs to sources[i]. `progress` (may be NULL) is
// called in the caller's thread. After a failure all of `out` is NULL. The driver's cache lies in file_cache_folder()/pipelines; that it
// cannot be read or written is no failure.
bool pipelines_create(Arena *arena, Device *device, const PipelineSource *sources, uint32_t count,
                      void (*progress)(void *context, uint32_t done, uint32_t total), void *context, Pipeline **out, Diag *diag);
// One, in the caller's thread and without that cache. NULL after a failure.
Pipeline *pipeline_create(Arena *arena, Device *device, const PipelineSource *source, Diag *diag);
void pipeline_destroy(Device *device, Pipeline **pipeline);
