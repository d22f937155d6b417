// Verify report: see report.h.
#include "compiler/verify/report.h"
#include <math.h>

typedef struct {
    const VerifyResult *worst; // by error over what is allowed
    uint32_t runs, skipped;
    uint64_t unjudged;
} Row;

static double badness(const VerifyResult *result) { return result->problem ? INFINITY : result->share; }

// 12 %, 0.3 %, 4e5 %
static const char *percent(Arena *arena, double share) {
    if (!isfinite(share))
        return "-";
    return arena_format(arena, share >= 0.0995 && share < 100 ? "%.0f %%" : share == 0 || share >= 1e-3 ? "%.1f %%" : "%.0e %%", 100 * share);
}

static void print_row(Text *out, const char *name, const Row *row) {
    const VerifyResult *worst = row->worst;
    if (!worst) {
        text_format(out, "  %-44s %5u  too large to interpret, or outside its domain: not compared\n", name, row->skipped);
        return;
    }
    bool is_rest = worst->allowed > 1e-3 * fabs(worst->wanted) && worst->error > 0;
    text_format(out, "  %-44s %5u  %8s  %9.2e  %9.2e  %10.3e  %%%-6u %s/%s, %s%s%s\n", name, row->runs,
                percent(out->arena, worst->share), worst->error, worst->allowed, worst->wanted, worst->value.id, worst->program,
                worst->phase, verify_mode_name(worst->mode), is_rest ? " (terms cancel)" : "", worst->problem ? "  FAILED" : "");
    if (row->unjudged > 0)
        text_format(out,
                    "      %llu numbers not compared: too large for single precision, or rounding may take an argument out of an op's "
                    "domain\n",
                    (unsigned long long)row->unjudged);
    if (worst->problem)
        text_format(out, "      %s\n      %s\n", worst->label, worst->problem);
}

static void print_legend(Text *out, bool by_kernel) {
    text_format(out,
                "Of each %s the number whose error is the largest share of what rounding allows this number (above 100 %%: wrong), and "
                "what it\n"
                "should be. \"(terms cancel)\": it is the small rest of large terms, whose rounding is what is allowed.\n"
                "  %-44s %5s  %8s  %9s  %9s  %10s  where\n",
                by_kernel ? "kernel" : "class of kernels", by_kernel ? "kernel" : "class", "runs", "share", "error", "allowed",
                "reference");
}

void verify_report(Text *out, const VerifyResults *results, bool by_kernel) {
    const char **names = ARENA_NEW(out->arena, const char *, results->count + 1);
    Row *rows = ARENA_NEW(out->arena, Row, results->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < results->count; i++) {
        const VerifyResult *result = &results->items[i];
        const char *name = by_kernel || result->problem ? result->kernel : work_class_names[result->work_class];
        uint32_t at = 0;
        while (at < count && strcmp(names[at], name) != 0)
            at++;
        if (at == count)
            names[count++] = name;
        if (result->skipped) {
            rows[at].skipped++;
            continue;
        }
        rows[at].runs++;
        rows[at].unjudged += result->unjudged;
        if (!rows[at].worst || badness(result) > badness(rows[at].worst))
            rows[at].worst = result;
    }
    print_legend(out, by_kernel);
    for (uint32_t i = 0; i < count; i++)
        print_row(out, names[i], &rows[i]);
}

void verify_report_failed(Arena *arena, const VerifyResults *results, VerifyResults *failed) {
    for (uint32_t i = 0; i < results->count; i++) {
        bool known = false;
        for (uint32_t k = 0; k < failed->count; k++)
            known = known || strcmp(failed->items[k].kernel, results->items[i].kernel) == 0;
        if (results->items[i].problem && !known)
            array_push(arena, failed, results->items[i]);
    }
}

uint32_t verify_report_kernels(const VerifyResults *results) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < results->count; i++) {
        bool first = true;
        for (uint32_t k = 0; k < i && first; k++)
            first = strcmp(results->items[k].kernel, results->items[i].kernel) != 0;
        count += first;
    }
    return count;
}
