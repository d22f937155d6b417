// Executable: the machine code that a driver makes of a kernel, as far as it tells (VK_KHR_pipeline_executable_properties).
#pragma once
#include "runtime/vk/pipeline.h"

// What the driver counts, in its own words.
typedef struct {
    const char *name, *text; // "VGPRs", "84"
    double number;           // a truth is 0 or 1
} ExecutableStatistic;

// The kernel on one of its ways through the driver's compiler, as text: "Assembly".
typedef struct {
    const char *name, *text;
} ExecutableText;

// What drivers count under different names.
typedef enum { EXECUTABLE_REGISTERS, EXECUTABLE_SPILLS, EXECUTABLE_SHARED, EXECUTABLE_OCCUPANCY, EXECUTABLE_INSTRUCTIONS, EXECUTABLE_CYCLES, EXECUTABLE_FIGURE_COUNT } ExecutableFigure;

typedef struct {
    uint32_t subgroup_size;
    ARRAY(ExecutableStatistic) statistics;
    ARRAY(ExecutableText) texts;                  // the last is the nearest to the machine
    double figures[EXECUTABLE_FIGURE_COUNT];      // below 0: the driver does not say. Registers: vector registers of a lane; spills: those
                                                  // that did not fit, as the driver counts them; shared: bytes of a workgroup; occupancy:
                                                  // subgroups that a unit of the device can hold at once; cycles: an estimate
} Executable;

// "registers"; the unit or meaning in a few words.
const char *executable_figure_name(ExecutableFigure figure);
const char *executable_figure_text(ExecutableFigure figure);
// Compiles the kernel for this purpose; `source` need not be marked as explained. False (reported): the driver tells nothing, or it made no
// pipeline.
bool executable_get(Arena *arena, Device *device, const PipelineSource *source, Executable *out, Diag *diag);
