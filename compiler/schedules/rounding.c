// Rounding: the rounding error of a sum.
#include "compiler/schedules/rounding.h"
#include <math.h>

// Of a running sum, in units of 2^-24 and of the sum of the terms' magnitudes. Each addition errs by at most a unit of the partial sum that
// it gives, and no partial sum exceeds the magnitudes: never more than `additions` (Higham, Accuracy and Stability of Numerical Algorithms,
// 2nd ed., section 4.2). That takes partial sums as large as the last one from the beginning on, all rounded to one side. Terms that are
// alike are rounded to one side, but their partial sums grow: at worst 3/8 of the additions (in each binade half a unit of its lower end a
// term). Others are rounded to either side, which grows like the root of the additions (section 2.8). Short sums are allowed twice their
// bound: Vulkan lets a device round to either neighbour, and GLSL lets a driver add in another order.
static double running_error(double additions) { return fmin(2 * additions, additions / 2 + 4 * sqrt(additions)); }

double rounding_of_sum(double terms, double parts, bool of_products) { return running_error(terms) + running_error(parts) + (of_products ? 1 : 0); }

double rounding_of_contraction(const KernelView *view, const Schedule *schedule) {
    (void)schedule;
    return rounding_of_sum(contract_terms(&view->contract), 1, true);
}
