// Metrics: what the phases of a training report, as JSON Lines, as CSV and as a curve.
//   metrics.jsonl  {"step": 0, "epoch": 0, "phase": "denoise", "repetition": 0, "loss": 1.02, "seconds": 3.1}
//   metrics.csv    step,epoch,phase,repetition,loss - no times: two equal runs have equal files
#pragma once
#include "runtime/session/session.h"

typedef struct Metrics Metrics;

// Opens both files in `folder`. Rows of first_step and later (and a last line that is cut off) are dropped: they will come again.
// `entry` says which columns there are.
Metrics *metrics_open(Arena *arena, const char *folder, const ProgramEntry *entry, uint32_t first_step, Diag *diag);
void metrics_close(Metrics **metrics);
// A row for one repetition of a phase that reports something; `seconds` since the run began, resumes included. Buffered until metrics_flush.
bool metrics_add(Metrics *metrics, const SessionResult *result, double seconds, Diag *diag);
bool metrics_flush(Metrics *metrics, Diag *diag); // a full disk shows here
// A PNG: every reported value of all rows so far, over the steps (the mean over a step's repetitions). Losses ("loss", "loss_d" …) and other
// reports have panels of their own, and so have curves of very different size.
bool metrics_draw(const Metrics *metrics, const char *title, const char *subtitle, const char *path, Diag *diag);

Metrics *metrics_copy(Arena *arena, const Metrics *metrics); // its points as they are now, for metrics_draw alone

double metrics_seconds(const Metrics *metrics); // of the last row that was there when they were opened; 0: none

double metrics_value(const SessionResult *result, uint32_t index); // a report's value, which must be there

// Columns are the reports by phase: "loss", or "critic.loss" where two phases report a loss.
uint32_t metrics_column_count(const Metrics *metrics);
const char *metrics_column(const Metrics *metrics, uint32_t column);
double metrics_recent(const Metrics *metrics, uint32_t column, uint32_t steps); // mean over the run's last steps, or of the last one that it has; NaN: it has none
