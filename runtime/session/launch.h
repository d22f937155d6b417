// Launch: the first launch of kernels, before the program needs them. Some drivers compile a kernel only then, and one after the other, in the
// thread that computes: a minute of one core before the first step of a large network.
#pragma once
#include "runtime/session/session.h"

// Launches, over no workgroups, those kernels of the session's programs that this machine has not launched yet: in as many threads as there are
// cores, each with a device of its own. What they compile the driver keeps on disk, where the session's own device finds it. Only speed depends
// on it: what fails is not heard, and where there is little to compile, or the driver compiles when pipelines are made, nothing happens.
void session_launch_kernels(Session *session);
