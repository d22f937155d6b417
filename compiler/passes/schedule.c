// Needs: kernels. Gives: each kernel's schedule - for contractions the candidate of schedule.def with the least estimated cost on the shape.
#include "compiler/emit/contract.h"
#include "compiler/passes/passes.h"

typedef struct {
    const char *name;
    TargetClass target_class;
    ScheduleKind kind;
    bool texel;
    uint32_t lanes, rows, columns, depth;
} Candidate;

static const Candidate candidates[] = {
#define SCHEDULE(name, target, kind, texel, lanes, rows, columns, depth) {#name, target, kind, texel, lanes, rows, columns, depth},
#include "compiler/passes/schedule.def"
#undef SCHEDULE
};

enum { LINE_TAPS_MAX = 5 }; // more would be too many accumulators

static bool is_outer(ScheduleKind kind) { return kind == SCHEDULE_OUTER || kind == SCHEDULE_OUTER_STRIP; }

static double ceil_div(double a, double b) {
    double q = a / b;
    return (double)(int64_t)q < q ? (double)((int64_t)q + 1) : (double)(int64_t)q;
}

// Multiply-adds issued (the shape rounded up to tiles), plus loads, each worth about two vec4 multiply-adds on texel paths and more on
// storage; and idle cores where there are few workgroups.
static double estimate(const Contract *c, const Candidate *candidate, uint32_t pixels, uint32_t lanes, uint32_t cores) {
    double load = candidate->texel ? 2.5 : 8, place = 2.5, rows = pixels, columns = candidate->columns;
    double vectors = ceil_div(c->columns, 4), parts = (double)c->batch * c->groups;
    double work, groups;
    if (!is_outer(candidate->kind)) {
        bool tiled = candidate->kind == SCHEDULE_TILED;
        double parities = c->kind == ROWS_INPUT ? (double)(c->stride[0] * c->stride[1]) : 1;
        double count = (double)c->images * ceil_div(c->height, c->kind == ROWS_INPUT ? (double)c->stride[0] : 1) *
                       ceil_div(c->width, c->kind == ROWS_INPUT ? (double)c->stride[1] : 1);
        double steps = ceil_div(c->channels, 4) * c->taps_y * c->taps_x / parities;
        if (tiled) {
            // Loads are shared by the workgroup, and cost about a quarter from shared memory.
            double tile_rows = rows * lanes / columns;
            groups = ceil_div(count, tile_rows) * ceil_div(vectors, columns) * parities * parts;
            work = groups * (lanes / 64.0) * (steps * (4 * rows + load / 4 * (rows + 4) + load * (tile_rows + 4 * columns) / lanes + 4) + 8 * rows + 40) * 8;
            return work * ceil_div(groups, cores) * cores / groups;
        }
        groups = ceil_div(count, rows * lanes) * ceil_div(vectors, columns) * parities * parts;
        double taps = c->taps_y * c->taps_x / parities, reads = rows;
        if (candidate->kind == SCHEDULE_STRIP)
            reads = contract_strip_loads(c, pixels) * (double)c->taps_y / (c->kind == ROWS_INPUT ? (double)c->stride[0] : 1) / taps; // a tap's share
        work = groups * (lanes / 8.0) * (steps * (4 * rows * columns + load * (reads + 4 * columns)) + taps * place * reads + 8 * rows * columns + 40);
    } else {
        double steps = (double)c->images / c->slices * c->height * c->width;
        uint32_t taps = candidate->kind == SCHEDULE_OUTER_STRIP ? c->taps_x : 1;
        double reads = rows + columns; // of a lane
        if (candidate->kind == SCHEDULE_OUTER_STRIP)
            reads = contract_outer_loads(c, candidate->rows, candidate->columns, candidate->depth) / (double)candidate->depth;
        groups = (double)contract_outer_grid(c, candidate->rows, candidate->columns, taps, lanes).groups;
        work = groups * (lanes / 8.0) * (steps * (4 * rows * columns * taps + load * reads + 4) + 16 * rows * columns * taps + 40);
    }
    return work * ceil_div(groups, cores) * cores / groups;
}

static Schedule for_contraction(const KernelList *list, const Kernel *kernel, const PassContext *context) {
    const Target *target = context->target;
    Schedule reference = {.kind = SCHEDULE_REFERENCE, .name = "reference", .lanes = target->target_class == TARGET_CPU ? 8 : 64, .texel = target->target_class == TARGET_CPU};
    if (context->reference_schedule || !contract_is_tileable(list, kernel->root))
        return reference;
    Contract c = contract_of(list, kernel->root);
    double best = 0;
    Schedule chosen = reference;
    for (uint32_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        const Candidate *candidate = &candidates[i];
        if (candidate->target_class != target->target_class || is_outer(candidate->kind) != c.is_outer)
            continue;
        if (candidate->kind == SCHEDULE_OUTER_STRIP && (c.taps_x < 2 || c.taps_x > LINE_TAPS_MAX))
            continue;
        uint32_t lanes = candidate->lanes ? candidate->lanes : target->subgroup_size;
        uint32_t rows = candidate->kind == SCHEDULE_STRIP ? contract_strip_pixels(&c, candidate->rows) : candidate->rows;
        if (!rows)
            continue;
        double cost = estimate(&c, candidate, rows, lanes, target->target_class == TARGET_GPU ? 64 : 2);
        if (chosen.kind == SCHEDULE_REFERENCE || cost < best) {
            best = cost;
            chosen = (Schedule){.kind = candidate->kind, .name = candidate->name, .texel = candidate->texel && target->texel_elements_max > 0, .lanes = lanes,
                                .rows = rows, .columns = candidate->columns, .depth = candidate->depth};
        }
    }
    return chosen;
}

// Few results of many elements: a workgroup each, whose lanes share the elements.
static Schedule for_reduction(const KernelList *list, const Kernel *kernel, const PassContext *context) {
    bool gpu = context->target->target_class == TARGET_GPU, texel = context->target->target_class == TARGET_CPU;
    uint32_t lanes = gpu ? 64 : context->target->subgroup_size;
    Value arg = graph_node(list->graph, kernel->root)->args[0];
    double results = (double)layout_count(&list->layouts[kernel->root.id]) / 4, elements = (double)layout_count(&list->layouts[arg.id]) / 4;
    bool power_of_two = (lanes & (lanes - 1)) == 0 && lanes > 1;
    // Elements that one invocation would fold: the innermost axis goes by vec4s where it is folded, else four results do.
    double turns = elements / results;
    bool tree = power_of_two && !context->reference_schedule && turns >= 4 * lanes && (gpu ? results < 65536 : results < 16);
    if (gpu && turns >= 2048)
        lanes = 256;
    if (tree || turns * 2 > LOOP_TURNS_MAX) {
        uint32_t shared_lanes = context->target->shared_bytes_max / SCHEDULE_TREE_BYTES_MAX;
        uint32_t most = shared_lanes < context->target->workgroup_size_max ? shared_lanes : context->target->workgroup_size_max;
        while (turns * 2 / lanes > LOOP_TURNS_MAX && lanes * 2 <= most)
            lanes *= 2;
        return (Schedule){.kind = SCHEDULE_TREE, .name = "tree", .texel = texel, .lanes = lanes};
    }
    return (Schedule){.kind = SCHEDULE_REFERENCE, .name = "fold", .texel = texel, .lanes = lanes};
}

void schedule_kernels(KernelList *list, const PassContext *context) {
    const Target *target = context->target;
    bool cpu = target->target_class == TARGET_CPU;
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        Kernel *kernel = &list->kernels.items[k];
        switch (kernel->kernel_class) {
        case KERNEL_MAP: kernel->schedule = (Schedule){.kind = SCHEDULE_REFERENCE, .name = "elements", .texel = cpu, .lanes = target->target_class == TARGET_GPU ? 256 : 64}; break;
        case KERNEL_REDUCE: kernel->schedule = for_reduction(list, kernel, context); break;
        case KERNEL_CONTRACT: kernel->schedule = for_contraction(list, kernel, context); break;
        }
        if (kernel->schedule.lanes > target->workgroup_size_max)
            kernel->schedule.lanes = target->workgroup_size_max;
    }
}
