// Profile: what a device can do, in a file - made on the machine that has it, compiled for on any other.
#pragma once
#include "runtime/base/json.h"
#include "runtime/program/target.h"

typedef struct {
    const char *driver; // "radv Mesa 26.2.6"
    const char *source; // how the profile was made
    Target target;      // target.device: the device's name
} Profile;

// Reads strictly: every member must be known and there, of its type and in its range; a newer format says which version reads it. NULL after an
// error. Capabilities that are younger than the file have the defaults of the class `any`.
Profile *profile_read(Arena *arena, const char *path, Diag *diag);
const char *profile_text(Arena *arena, const Profile *profile);
