// Target's file: the members of a target and of its model in JSON, row by row of capabilities.def and model.def.
#pragma once
#include "runtime/program/field.h"

// Into an object that is open: "class", "device" where there is one, the capabilities that kernels keep to and the figures of the "model"; `whole`:
// all capabilities there are, and the figures only where they were measured.
void target_write(JsonWriter *json, const Target *target, bool whole);
// Out of an object, clamped. `format`: that of a profile, which states every capability that it knows and nothing else; 0: a bundle, which may
// be older or newer than some rows. What a row does not find it takes from the class `any`, figures from
// the target's own class.
Target target_read(Fields *fields, const Json *object, uint32_t format);
