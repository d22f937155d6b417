// Rounding: what a sum by parts may err, from the additions that follow each other in it.
#pragma once
#include "compiler/kernel/schedule.h"

// Of a sum whose parts are running sums of `terms` terms each, and which is a running sum of `parts` of them: in units of 2^-24 and of the sum
// of the terms' magnitudes. Products are rounded, too.
double rounding_of_sum(double terms, double parts, bool of_products);
// Family.error of a contraction whose every element is one running sum of all its products.
double rounding_of_contraction(const KernelView *view, const Schedule *schedule);
