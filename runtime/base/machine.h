// Machine: what the program runs on.
#pragma once
#include <stdint.h>

uint32_t machine_cores(void); // at least 1
