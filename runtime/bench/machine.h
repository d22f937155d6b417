// Machine: what a driver's compiler makes of a program's kernels - registers, spills, how the loop is made up that the work is done in.
#pragma once
#include "runtime/bench/mix.h"
#include "runtime/vk/executable.h"

typedef struct {
    const ProgramKernel *kernel;
    const char *schedule; // of its first dispatch; NULL: not said
    Executable executable;
    Mix mix;
    bool has_mix; // there is a loop, and its assembler is known
} MachineKernel;

// Compiles the program's kernel on the device. False: reported.
bool machine_look(Arena *arena, Device *device, const Program *program, uint32_t kernel, MachineKernel *out, Diag *diag);
// A line for each kernel, and what spills of all.
void machine_report(Text *out, const DeviceInfo *info, const MachineKernel *kernels, uint32_t count);
// All that the driver says of one: its counts, the loop, the machine code.
void machine_report_kernel(Text *out, const DeviceInfo *info, const MachineKernel *kernel);
