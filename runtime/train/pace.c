// Pace: see pace.h.
#include "runtime/train/pace.h"

static const double WINDOW_SECONDS = 60, SPACING_SECONDS = 0.5; // of the rate; of samples: PACE_SAMPLES of them span the window

void pace_begin(Pace *pace, uint32_t step) {
    pace->sample_count = 0;
    pace->steps = pace->first_step = step;
}

void pace_every(Pace *pace, PaceKind kind, uint32_t steps, double seconds) {
    pace->kinds[kind].every_steps = steps;
    pace->kinds[kind].every_seconds = seconds;
}

static uint32_t at(uint32_t number) { return number % PACE_SAMPLES; }

void pace_step(Pace *pace, uint32_t steps_done, double now) {
    pace->time = now - pace->paused;
    pace->steps = steps_done;
    uint32_t count = pace->sample_count;
    // The newest sample stands for the steps since; the two newest are always kept apart by a step.
    if (count >= 2 && pace->time - pace->samples[at(count - 1)].time < SPACING_SECONDS)
        return;
    pace->samples[at(count)].time = pace->time;
    pace->samples[at(count)].steps = steps_done;
    pace->sample_count++;
}

void pace_pause(Pace *pace, PaceKind kind, double now) {
    pace->paused_at = now;
    pace->kind = kind;
    pace->is_paused = true;
}

void pace_resume(Pace *pace, double now) {
    if (!pace->is_paused)
        return;
    double length = now - pace->paused_at, mean = pace->kinds[pace->kind].mean;
    pace->kinds[pace->kind].mean = mean > 0 ? mean + (length - mean) / 2 : length;
    pace->paused += length;
    pace->is_paused = false;
}

void pace_phase(Pace *pace, PaceKind kind, double seconds, bool begins) {
    double last = pace->kinds[kind].last, mean = pace->kinds[kind].mean;
    if (begins) {
        pace->kinds[kind].mean = mean > 0 ? mean + (last - mean) / 2 : last;
        pace->kinds[kind].last = 0;
        pace->kinds[kind].times++;
    }
    pace->kinds[kind].last += seconds;
    pace->paused += seconds;
}

double pace_rate(const Pace *pace) {
    uint32_t count = pace->sample_count, kept = count < PACE_SAMPLES ? count : PACE_SAMPLES;
    uint32_t first = count - kept;
    while (first + 1 < count && pace->time - pace->samples[at(first)].time > WINDOW_SECONDS &&
           pace->samples[at(first + 1)].steps < pace->steps)
        first++;
    if (kept == 0 || pace->steps <= pace->samples[at(first)].steps)
        return 0;
    double seconds = pace->time - pace->samples[at(first)].time;
    return seconds > 0 ? (pace->steps - pace->samples[at(first)].steps) / seconds : 0;
}

// How often it comes until `end_step`. Phases come in steps that `every_steps` divides, other pauses after them; of a phase that comes when
// something holds, as often as it did.
static double times_left(const Pace *pace, int kind, uint32_t end_step, double work) {
    uint32_t steps = pace->kinds[kind].every_steps;
    double seconds = pace->kinds[kind].every_seconds;
    bool is_phase = kind >= PACE_PHASE;
    if (is_phase && !steps)
        return pace->steps > pace->first_step ? (double)pace->kinds[kind].times * (end_step - pace->steps) / (pace->steps - pace->first_step) : 0;
    if (steps)
        return is_phase ? (end_step + steps - 1) / steps - (pace->steps + steps - 1) / steps : end_step / steps - pace->steps / steps;
    return seconds > 0 ? work / seconds : 0;
}

double pace_left(const Pace *pace, uint32_t end_step) {
    double rate = pace_rate(pace);
    if (rate <= 0 || end_step < pace->steps)
        return -1;
    double work = (end_step - pace->steps) / rate, left = work;
    for (int kind = 0; kind < PACE_KIND_COUNT; kind++)
        left += times_left(pace, kind, end_step, work) * (pace->kinds[kind].times == 1 ? pace->kinds[kind].last : pace->kinds[kind].mean);
    return left;
}
