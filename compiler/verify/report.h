// Verify report: what was found of kernels, for people.
#pragma once
#include "compiler/verify/kernels.h"

// A table of the worst of each: rows by kernel, or by class of op and, where they failed, by kernel.
void verify_report(Text *out, const VerifyResults *results, bool by_kernel);
uint32_t verify_report_kernels(const VerifyResults *results); // how many different ones there are
// Appends the first failure of each kernel that failed.
void verify_report_failed(Arena *arena, const VerifyResults *results, VerifyResults *failed);
