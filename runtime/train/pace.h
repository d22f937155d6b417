// Pace: how fast a training goes, and how long it will take. It is told the time, so that tests can be.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { PACE_SAMPLES = 128, PACE_PHASES = 8 };

// The last kinds are of phases that run in some steps only: PACE_PHASE and the number of the phase, as far as there are so many.
typedef enum { PACE_SAVE, PACE_PREVIEW, PACE_OTHER, PACE_PHASE, PACE_KIND_COUNT = PACE_PHASE + PACE_PHASES } PaceKind;

// Steps of the last minute, of pauses their length by kind. A pause is no step's time.
typedef struct {
    double paused, paused_at; // seconds: of all pauses, when this one began
    bool is_paused;
    PaceKind kind;
    struct {
        uint32_t every_steps; // it comes each so many steps, or
        double every_seconds; // so often; both 0: nobody knows
        double mean;          // seconds of one, the later ones counting more; 0: there was none yet
        uint32_t times;       // of a phase: that it came,
        double last;          // and what it took the last time, so far
    } kinds[PACE_KIND_COUNT];
    struct {
        double time; // without pauses
        uint32_t steps;
    } samples[PACE_SAMPLES]; // a ring
    uint32_t sample_count, steps, first_step;
    double time; // of the last step, without pauses
} Pace;

// Seconds are of any clock that goes on; `step` steps are done. How often pauses come is kept.
void pace_begin(Pace *pace, uint32_t step);
void pace_every(Pace *pace, PaceKind kind, uint32_t steps, double seconds);
void pace_step(Pace *pace, uint32_t steps_done, double now);
void pace_pause(Pace *pace, PaceKind kind, double now);
void pace_resume(Pace *pace, double now);
// A phase of such a kind took so long, for a part of what it does in a step, the first one where it begins.
void pace_phase(Pace *pace, PaceKind kind, double seconds, bool begins);
// Steps a second, over the last minute of steps (over the last two where they are slower). The first step is no measure: in it drivers
// compile. 0: not known yet.
double pace_rate(const Pace *pace);
// Seconds until `end_step`, with the pauses that will come by then. Below 0: not known yet.
double pace_left(const Pace *pace, uint32_t end_step);
