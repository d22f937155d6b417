// Spirv: reads and amends the words of a shader, as far as the runtime needs.
#pragma once
#include "runtime/base/arena.h"
#include <stdbool.h>

// Whether the shader asks how many workgroups there are: then it must not be cut, since each piece has its own number.
bool spirv_reads_group_count(const uint32_t *spirv, size_t size);
// The shader without what has no meaning: sets of instructions called NonSemantic.* (debug information, see `compile -g`) and the extension
// that allows them, SPV_KHR_non_semantic_info, for devices without VK_KHR_shader_non_semantic_info. The words themselves where there are none, or
// where they are damaged.
const uint32_t *spirv_strip_non_semantic(Arena *arena, const uint32_t *spirv, size_t *size);
// The shader with the execution mode SignedZeroInfNanPreserve for 32 bits (SPV_KHR_float_controls, part of SPIR-V 1.4), which forbids the driver
// to compute as if there were no NaN, no infinities and one zero. Only for devices with shaderSignedZeroInfNanPreserveFloat32: so it is asked
// for when a pipeline is made, and a bundle runs on others too. Returns the words themselves where they are damaged, or have the mode.
const uint32_t *spirv_preserve_specials(Arena *arena, const uint32_t *spirv, size_t *size);
