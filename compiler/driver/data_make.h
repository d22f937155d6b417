// Data make: data sets that are painted here instead of fetched.
#pragma once
#include "compiler/driver/arguments.h"

#define DATA_MAKE_OPTIONS                                                                                                                  \
    {"seed", 0, OPTION_SEED, false, "S", "make birds: another seed, other birds (default 0)"}, {                                           \
        "size", 0, OPTION_COUNT, false, "PIXELS", "make birds: of a picture's side in the mean (default 300)"                              \
    }

// Makes `name` by the command's --out, --count, --seed and --size. An exit code.
int data_make_birds(Arguments *arguments);
