// Spirv: GLSL text to SPIR-V through glslang's C interface, in parallel, with a cache on disk. spirv.c is the only user of glslang.
#pragma once
#include "runtime/base/file.h"

typedef struct {
    const char *name;   // "007_conv2d_add", for messages
    const char *source; // GLSL
    bool is_exact;      // its float arithmetic is decorated: see decorate.h
    bool cached;        // result: was in the cache
    const void *words;  // result: SPIR-V in the arena
    size_t size;        // bytes
} SpirvJob;

// A compute shader's workgroup (execution mode LocalSize); false where it has none that is constant.
bool spirv_workgroup(const void *words, size_t bytes, uint32_t size[3]);
// Bytes of its variables that a workgroup shares, without what a driver adds between them.
uint64_t spirv_shared_bytes(const void *words, size_t bytes);

// Compiles all jobs (largest source first, one thread a core; the cache is file_cache_folder()/spirv/DIGEST.spv, keyed by source, exactness,
// debug flag and glslang's version; a damaged or unwritable cache is no error). On a glslang error reports its log and the numbered source
// lines around it.
bool spirv_compile(Arena *arena, SpirvJob *jobs, uint32_t count, bool debug_info,
                   void (*progress)(void *context, const char *what, uint32_t done, uint32_t total), void *progress_context, Diag *diag);
