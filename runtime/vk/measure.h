// Measure: how fast a device is, measured once for each device and driver and kept on disk.
#pragma once
#include "runtime/vk/device.h"

// Where the measurement of this device is kept: in file_cache_folder()/devices, named by device and driver, and by LP_NUM_THREADS where that is set,
// which a CPU driver computes by.
const char *measure_path(Arena *arena, const DeviceInfo *info);
// The model of the device's class with what was measured of the device and kept. False: nothing was, or what is there is damaged or of something
// else, which is then said in a warning.
bool measure_kept(Arena *arena, const DeviceInfo *info, DeviceModel *out, Diag *diag);
// The same, measured now and kept; that it cannot be kept is a warning. After the deadline - NULL: MEASURE_SECONDS from now - no further sample
// begins, each being a small part of a second on a machine that is not busy: a warning says so, and what was not measured by then stays as it
// was kept before, or as the class has it.
enum { MEASURE_SECONDS = 4 };
bool measure_device(Arena *arena, Device *device, const Deadline *deadline, DeviceModel *out, Diag *diag);
// Keeps peaks that were measured already, and what dispatches cost, measured now: over what is kept, each figure with the time of its measurement.
bool measure_keep(Arena *arena, Device *device, const DevicePeaks *peaks, DeviceModel *out, Diag *diag);
