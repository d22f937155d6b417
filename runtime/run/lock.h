// Run lock: one process at a time writes in a run's folder. RUN/lock says who; the system lets go of it when that process ends, however
// it ends, so what a killed one left there is no hindrance.
#pragma once
#include "runtime/base/diag.h"

typedef struct RunLock RunLock;

// NULL (reported) while another process has it: the message names it. A file system without locks is a warning.
RunLock *run_lock_take(Arena *arena, const char *folder, Diag *diag);
void run_lock_release(RunLock **lock); // removes the file
bool run_lock_is_its_file(const char *name); // in a run's folder
