// Session: a program on a device. Everything is created here once; afterwards only numbers move and command buffers are submitted.
#pragma once
#include "runtime/tensor/tensor_file.h"
#include "runtime/program/program.h"
#include "runtime/vk/device.h"

typedef struct Session Session;

typedef struct {
    uint64_t seed;
    const char *only_entry;      // create the pipelines and commands of this program only; NULL: all
    const char *also_entry;      // … and of this one (previews)
    bool profile;                // timestamps around every dispatch
    bool guards;                 // fill scratch with NaN first (tests)
    uint32_t slots;              // repetitions in flight; 0: 3
    uint32_t segment_dispatches; // dispatches of one submission at most; 0: as the model has it. After a lost device: fewer
    uint32_t piece_groups;       // workgroups of one dispatch at most, above which it is cut; 0: by the seconds that its work takes, as the model has it
    uint64_t launch_bytes;       // SPIR-V from which kernels are launched ahead (launch.h); 0: what takes a driver about a second. For tests
    const DeviceModel *model;    // of the device; NULL: what was measured of it and kept, else its class's
    void (*progress)(void *context, uint32_t done, uint32_t total); // of pipeline creation; may be NULL
    void *progress_context;
} SessionOptions;

// NULL after an error: not enough memory (says what is needed, what is left), a limit of the device, a driver's refusal.
Session *session_create(Arena *arena, Device *device, const Program *program, const SessionOptions *options, Diag *diag);
void session_destroy(Session **session);

// States and inputs, by name ("unet.conv2d.weight"; an input as "z" or "sample.z"), in logical layout (dense row-major; f64 and f32
// convert, so do integers). Waits for what is in flight.
bool session_set(Session *session, const char *name, const HostTensor *tensor, Diag *diag);
bool session_get(Session *session, Arena *arena, const char *name, HostTensor *out, Diag *diag);
// Initial values of all states, drawn from the seed by name; inputs that have a default get it.
bool session_initialise(Session *session, Diag *diag);
// Program states ("sample.x") of an entry back to their initial values.
bool session_reset_entry(Session *session, const char *entry, Diag *diag);

typedef struct {
    uint32_t step, steps, epoch, epoch_steps;
    uint32_t repetition; // of the phase, in its step; of an accumulating phase's batches: the number of the batch in its step
    uint32_t index;      // repetition as the document counts
    uint32_t records; // of the batch, without those that fill it up; 0: all of the phase's batch
} Moment;

// Queues one repetition of a phase. feeds[i] is the batch of the phase's i-th feed: dense logical words (see element.h), copied
// before the call returns. Blocks only while all slots are in flight. `tag` comes back with the result.
bool session_submit(Session *session, const ProgramEntry *entry, const ProgramPhase *phase, const Moment *moment, const void *const *feeds,
                    uint64_t tag, Diag *diag);

typedef struct {
    const ProgramEntry *entry;
    const ProgramPhase *phase;
    Moment moment;
    uint64_t tag;
    double device_seconds; // 0 where unknown
    // By index in phase->results: dense logical words; NULL where the condition is false. Valid until the next session_take.
    const void *const *values;
} SessionResult;

// The oldest submitted repetition that was not taken yet. wait false: *got is false when it is still running.
bool session_take(Session *session, bool wait, SessionResult *out, bool *got, Diag *diag);
uint32_t session_in_flight(const Session *session); // submitted and not taken
bool session_finish(Session *session, Diag *diag);  // waits for everything; results stay to be taken

// Runs single dispatches for verify and bench: writes given bytes into ranges, runs dispatch i of a phase alone `times` times, reads ranges
// back. `seconds` (may be NULL) is the best run's. `moment` NULL: the numbers stay what they are.
bool session_write_range(Session *session, const Range *range, const void *bytes, Diag *diag);
bool session_read_range(Session *session, const Range *range, void *bytes, Diag *diag);
bool session_run_dispatch(Session *session, const ProgramPhase *phase, uint32_t dispatch, const Moment *moment, uint32_t times,
                          double *seconds, Diag *diag);
// Seconds of each dispatch of the phase, summed since the session began (profile only); count = phase->steps.count.
const double *session_profile(const Session *session, const ProgramPhase *phase, uint32_t *runs);
bool session_is_lost(const Session *session); // the device was lost; destroy and create anew
