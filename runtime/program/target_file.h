// Target's file: the members of a target in JSON, row by row of capabilities.def.
#pragma once
#include "runtime/program/field.h"

// Into an object that is open: "class", "device" where there is one, and the capabilities that kernels keep to; `whole`: all there are.
void target_write(JsonWriter *json, const Target *target, bool whole);
// Out of an object, clamped. `format`: that of a profile, which states every capability that it knows and nothing else; 0: a bundle, which may
// be older or newer than some rows. What a row does not find it takes from the class `any`.
Target target_read(Fields *fields, const Json *object, uint32_t format);
