// Device: a Vulkan device with one compute queue - choice, limits, memory left. The folder runtime/vk is the only user of Vulkan.
#pragma once
#include "runtime/base/clock.h"
#include "runtime/base/diag.h"
#include "runtime/program/target.h"

typedef struct Device Device;

typedef struct {
    uint32_t index;
    char name[256];   // "llvmpipe (LLVM 15.0.6, 256 bits)"
    char driver[256]; // "llvmpipe Mesa 22.3.6"
    char uuid[37];
    bool is_cpu, is_discrete, usable; // usable: Vulkan 1.2 or newer with a compute queue
    uint32_t vulkan_major, vulkan_minor;
    uint32_t vendor_id, device_id, driver_version;
    uint64_t memory_total, memory_left; // of the largest device-local heap; left: VK_EXT_memory_budget, else 0; a CPU's are the machine's
    Target target;                      // class and limits; target.device is the name above
    bool compiles_at_launch;            // a pipeline is compiled when a kernel of it is launched first, and kept on disk by the driver
    const char *warning;                // a driver that is known to be bad, and what happens with it; NULL otherwise
} DeviceInfo;

// All devices of the machine. False (reported, with the package that brings a driver) when there is no Vulkan or no device.
bool device_list(Arena *arena, DeviceInfo **infos, uint32_t *count, Diag *diag);

// choice: NULL (the first discrete GPU, else the first GPU, else the first device), an index, a UUID or a part of a name.
// validation: turns the validation layer on with core and synchronisation checks; messages count as failures.
typedef struct {
    const char *choice;
    bool validation;
    bool trace;                    // every Vulkan call's text on stderr
    bool one_thread;               // llvmpipe computes by one thread, unless LP_NUM_THREADS is set; other drivers have no such choice
    bool discrete;                 // tests: as if kernels' memory were not visible to the host
    uint32_t *validation_messages; // where to count them too, those of device_destroy included (objects that were left); may be NULL
} DeviceOptions;
Device *device_create(Arena *arena, const DeviceOptions *options, Diag *diag);
// Another one of the same hardware and instance, with a queue of its own: for a thread beside the first's. It ends before the first does.
Device *device_create_twin(Arena *arena, const Device *device, Diag *diag);
void device_destroy(Device **device);
const DeviceInfo *device_info(const Device *device);
uint32_t device_validation_messages(const Device *device);
const char *device_validation_text(const Device *device); // the first messages

// What goes through memory, by how much of it is read: nothing, a half, two thirds, nearly all.
typedef enum { PEAK_WRITE, PEAK_COPY, PEAK_ADD, PEAK_READ, PEAK_STREAM_COUNT } PeakStream;
enum { PEAK_SIZES = 8, PEAK_SIZE_MIN = 16 << 10 }; // working sets of 16 KiB, 64 KiB … 256 MiB: each cache has its own speed

typedef struct {
    double gflops; // fp32 multiply-add peak: the best of 4 to 32 accumulators, scalar and vec4
    double gbps;   // copy of the largest working set that the device takes, bytes read + written
    double tile_gflops, broadcast_gflops; // what two kinds of tiles of contractions reach of that: see shaders/peak_tile.comp
    double storage_reads, texel_reads; // GB/s, the best of all sizes
    double streams[PEAK_STREAM_COUNT][PEAK_SIZES]; // GB/s, read + written; 0: too large for the device
} DevicePeaks;
// Raises *peaks to what is measured now: zero it first, and measure again beside what is compared with it, since clocks change. A second or
// two; after the deadline (NULL: there is none) no further sample begins, and what was not measured stays. Its kernels are SPIR-V made at
// build time from shaders/peak_*.comp: the runtime has no shader compiler.
bool device_measure_peaks(Device *device, const Deadline *deadline, DevicePeaks *peaks, Diag *diag);
// GB/s that the device reached with a working set of so many bytes or a larger one, and with this mix of reads and writes: the better of the
// two streams that it lies between, which is told.
double device_peak_gbps(const DevicePeaks *peaks, double read, double written, PeakStream *stream);
const char *device_stream_name(PeakStream stream); // "copy"

bool device_is_lost(const Device *device);
// Bytes that are left now (VK_EXT_memory_budget), or the size of the largest device-local heap where the driver does not say.
uint64_t device_memory_left(const Device *device);

// Test hook: the n-th Vulkan call that can fail from now on fails (0: none).
void device_fail_at(uint32_t n);
