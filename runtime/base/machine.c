// Machine: counts the cores that are online.
#include "runtime/base/machine.h"
#include <unistd.h>

uint32_t machine_cores(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (uint32_t)cores : 1;
}
