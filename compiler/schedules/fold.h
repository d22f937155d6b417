// Fold: what the two families of reductions share.
#pragma once
#include "compiler/schedules/families.h"

// Vec4s along the folded axes that make one result, each as it is read: four of a folded innermost axis at once, else one for four results.
double fold_turns(const KernelView *view);
// Of a result: how many sums are added in the end. Where the innermost axis is folded, four of them run beside each other.
double fold_parts(const KernelView *view);
// The reduction with its elements shared by so many lanes: 1, or those of a workgroup.
Work fold_work(const KernelView *view, const Schedule *schedule, uint32_t shared_by);
