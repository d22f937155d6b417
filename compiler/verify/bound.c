// Verify bound: carries a bound of the rounding error of each element through the nodes of one kernel.
#include "compiler/verify/bound.h"
#include "compiler/kernel/schedule.h"
#include "compiler/ops/winograd.h"
#include <float.h>
#include <math.h>

static const double unit = 0x1p-24; // half the distance from 1 to the next number of single precision

enum { MAP_ARGS = 3 };

// One node with its arguments and their errors (NULL: exact). Temporary tensors live in `scratch`.
typedef struct {
    Arena *scratch;
    const KernelList *list;
    const Kernel *kernel;
    const VerifySampling *sampling;
    Value value;
    const Node *node;
    const OpDef *def;
    const Tensor **args, **arg_errors;
    bool is_exact; // all arguments are
    const Tensor *result;
    double *out; // the result's errors, zero at first
    uint64_t count;
} Bound;

static Tensor evaluate(const Bound *bound, const Tensor *const *args) {
    return verify_evaluate_node(bound->scratch, bound->list->graph, bound->value, args, bound->sampling);
}

static double error_at(const Bound *bound, uint32_t arg, uint64_t i) { return bound->arg_errors[arg] ? bound->arg_errors[arg]->data[i] : 0; }

// |x| + error x sign
static Tensor magnitudes(const Bound *bound, uint32_t arg, double sign) {
    Tensor out = tensor_create(bound->scratch, &bound->args[arg]->type);
    for (uint64_t i = 0, count = type_count(&out.type); i < count; i++)
        out.data[i] = fabs(bound->args[arg]->data[i]) + sign * error_at(bound, arg, i);
    return out;
}

static Tensor moved(const Bound *bound, uint32_t arg, double sign) {
    Tensor out = tensor_create(bound->scratch, &bound->args[arg]->type);
    for (uint64_t i = 0, count = type_count(&out.type); i < count; i++)
        out.data[i] = bound->args[arg]->data[i] + sign * error_at(bound, arg, i);
    return out;
}

// ---- maps

// What GLSL promises of exp, and what the ops' own functions reach: relative errors of the arguments (the exponent of e^x is x
// log2 e, rounded), besides those of the result. Ops of a few operations are as exact as each of these.
static double argument_error(const OpDef *def) { return def->cost >= 8 ? 4 * unit : 0; }

// Vulkan lets a device round to either neighbour, and GLSL lets a driver regroup sums and products: (x + x) + y with a small x is rounded twice
// as y + x + x.
static double own_error(const Bound *bound, double result) {
    Op op = bound->node->op;
    double relative = fmax(2 * bound->def->cost, 4), absolute = 0;
    if (op == OP_sin || op == OP_cos)
        absolute = 4;
    return unit * (relative * fabs(result) + absolute);
}

// By how much each argument may be off.
static Tensor steps_of(const Bound *bound, uint32_t arg) {
    Tensor steps = tensor_create(bound->scratch, &bound->args[arg]->type);
    double relative = steps.type.dtype == DTYPE_F32 ? argument_error(bound->def) : 0;
    for (uint64_t i = 0, count = type_count(&steps.type); i < count; i++)
        steps.data[i] = error_at(bound, arg, i) + relative * fabs(bound->args[arg]->data[i]);
    return steps;
}

// The op where its arguments are off, at one corner of the box that they may be in; `outside` counts corners outside its domain.
static void add_corner(const Bound *bound, const Tensor *steps, uint32_t corner, double *worst, uint8_t *outside) {
    Tensor off[MAP_ARGS];
    const Tensor *args[MAP_ARGS];
    for (uint32_t k = 0; k < bound->node->arg_count; k++) {
        args[k] = bound->args[k];
        if (!steps[k].data)
            continue;
        off[k] = tensor_create(bound->scratch, &bound->args[k]->type);
        for (uint64_t i = 0, count = type_count(&off[k].type); i < count; i++)
            off[k].data[i] = bound->args[k]->data[i] + ((corner >> k & 1) ? -steps[k].data[i] : steps[k].data[i]);
        args[k] = &off[k];
    }
    Tensor there = evaluate(bound, args);
    for (uint64_t i = 0; i < bound->count; i++) {
        double difference = there.data[i] == bound->result->data[i] ? 0 : fabs(there.data[i] - bound->result->data[i]);
        if (isfinite(difference))
            worst[i] = fmax(worst[i], difference);
        else
            outside[i]++;
    }
}

// Numbers that may be equal: no corner shows that.
static void add_equals(const Bound *bound) {
    for (uint64_t i = 0; i < bound->count && !bound->is_exact; i++) {
        double errors = error_at(bound, 0, i) + error_at(bound, 1, i);
        if (errors > 0 && fabs(bound->args[0]->data[i] - bound->args[1]->data[i]) <= errors)
            bound->out[i] = 1;
    }
}

static void bound_map(const Bound *bound) {
    Tensor steps[MAP_ARGS] = {0};
    uint32_t off = 0, corners = 0;
    for (uint32_t k = 0; k < bound->node->arg_count; k++)
        if (bound->arg_errors[k] || (argument_error(bound->def) > 0 && bound->args[k]->type.dtype == DTYPE_F32)) {
            steps[k] = steps_of(bound, k);
            off |= 1u << k;
        }
    uint8_t *outside = ARENA_NEW(bound->scratch, uint8_t, bound->count + 1);
    for (uint32_t corner = 0; off && corner < 1u << bound->node->arg_count; corner++) {
        if (corner & ~off) // of an argument that is exact there is one side
            continue;
        Bound here = *bound;
        here.scratch = arena_create();
        add_corner(&here, steps, corner, bound->out, outside);
        arena_destroy(&here.scratch);
        corners++;
    }
    for (uint64_t i = 0; i < bound->count; i++)
        if (corners && outside[i] > (isinf(bound->result->data[i]) ? 0 : corners - 1))
            bound->out[i] = INFINITY;
    if (bound->node->op == OP_eq || bound->node->op == OP_ne)
        add_equals(bound);
    for (uint64_t i = 0; i < bound->count && bound->result->type.dtype == DTYPE_F32; i++)
        bound->out[i] += isinf(bound->result->data[i]) ? 0 : own_error(bound, bound->result->data[i]);
}

// ---- views

// Where the order of two numbers is uncertain, so is that of all that lie between them: the whole row's places.
static void bound_merge(const Bound *bound) {
    double count = bound->result->type.dims[bound->result->type.rank - 1];
    for (uint64_t i = 0; i < bound->count; i++)
        bound->out[i] = count;
}

// An index along an axis that may be another one may fetch any number: they lie no farther apart than twice the largest.
static void add_spread(const Bound *bound) {
    double most = 0;
    for (uint64_t i = 0, count = type_count(&bound->args[0]->type); i < count; i++)
        most = fmax(most, fabs(bound->args[0]->data[i]));
    for (uint64_t i = 0; i < bound->count; i++)
        bound->out[i] += bound->arg_errors[1]->data[i] > 0 ? 2 * most : 0;
}

// Errors go where their numbers go; an index that may be another one (of gather) may fetch any neighbour of its number.
static void bound_view(const Bound *bound) {
    const Tensor **args = ARENA_NEW(bound->scratch, const Tensor *, bound->node->arg_count + 1);
    for (uint32_t k = 0; k < bound->node->arg_count; k++) {
        Tensor *errors = ARENA_NEW(bound->scratch, Tensor, 1);
        *errors = tensor_create(bound->scratch, &bound->args[k]->type);
        args[k] = bound->arg_errors[k] ? bound->arg_errors[k] : errors;
    }
    if (bound->node->op == OP_merge) {
        bound_merge(bound);
        return;
    }
    bool has_index = bound->node->op == OP_gather || bound->node->op == OP_take_along;
    if (has_index)
        args[1] = bound->args[1];
    Tensor errors = evaluate(bound, args);
    memcpy(bound->out, errors.data, sizeof *bound->out * bound->count);
    if (bound->node->op == OP_take_along && bound->arg_errors[1]) {
        add_spread(bound);
        return;
    }
    for (int side = 0; has_index && bound->arg_errors[1] && side < 2; side++) {
        Tensor index = moved(bound, 1, side ? 1 : -1);
        Tensor there = evaluate(bound, (const Tensor *const[]){bound->args[0], &index});
        for (uint64_t i = 0; i < bound->count; i++)
            bound->out[i] += fabs(there.data[i] - bound->result->data[i]);
    }
}

// ---- sums

// sum |x| |w|, and what the factors' errors make of it
static void bound_contraction(const Bound *bound) {
    Tensor x = magnitudes(bound, 0, 0), w = magnitudes(bound, 1, 0), sum = evaluate(bound, (const Tensor *const[]){&x, &w});
    double rounding = unit * schedule_error(bound->list, bound->kernel, bound->value);
    for (uint64_t i = 0; i < bound->count; i++)
        bound->out[i] = rounding * sum.data[i];
    if (bound->is_exact)
        return;
    Tensor more_x = magnitudes(bound, 0, 1), more_w = magnitudes(bound, 1, 1);
    Tensor more = evaluate(bound, (const Tensor *const[]){&more_x, &more_w});
    for (uint64_t i = 0; i < bound->count; i++)
        bound->out[i] += fmax(more.data[i] - sum.data[i], 0);
}

// Transforms multiply by constants: what they make of magnitudes is far more than what they make of numbers that nearly cancel.
static void bound_transform(const Bound *bound) {
    Tensor x = magnitudes(bound, 0, 0), sum = tensor_create(bound->scratch, &bound->result->type);
    winograd_magnitudes(bound->list->graph, bound->node, &x, &sum);
    double rounding = unit * schedule_error(bound->list, bound->kernel, bound->value);
    for (uint64_t i = 0; i < bound->count; i++)
        bound->out[i] = rounding * sum.data[i];
    if (bound->is_exact)
        return;
    winograd_magnitudes(bound->list->graph, bound->node, bound->arg_errors[0], &sum);
    for (uint64_t i = 0; i < bound->count; i++)
        bound->out[i] += sum.data[i];
}

static void bound_sum(const Bound *bound) {
    Tensor x = magnitudes(bound, 0, 0), sum = evaluate(bound, (const Tensor *const[]){&x});
    double rounding = unit * schedule_error(bound->list, bound->kernel, bound->value);
    for (uint64_t i = 0; i < bound->count; i++)
        bound->out[i] = rounding * sum.data[i];
    Tensor more = bound->is_exact ? (Tensor){0} : evaluate(bound, bound->arg_errors);
    for (uint64_t i = 0; more.data && i < bound->count; i++)
        bound->out[i] += more.data[i];
}

// Of a maximum, or of the logarithm of a sum of exponentials: both grow with every term.
static void add_monotone(const Bound *bound) {
    for (int side = 0; !bound->is_exact && side < 2; side++) {
        Tensor arg = moved(bound, 0, side ? 1 : -1), there = evaluate(bound, (const Tensor *const[]){&arg});
        for (uint64_t i = 0; i < bound->count; i++)
            if (there.data[i] != bound->result->data[i])
                bound->out[i] = fmax(bound->out[i], fabs(there.data[i] - bound->result->data[i]));
    }
}

// Each exponential e^(x - largest) errs by a few units and by those of its exponent, which make sum p |x - largest| <= 1 + log n of the
// whole; the logarithm turns relative errors into absolute ones.
static void bound_logsumexp(const Bound *bound) {
    double terms = (double)type_count(&bound->args[0]->type) / (double)bound->count;
    double rounding = unit * (schedule_error(bound->list, bound->kernel, bound->value) + 16 + 4 * (1 + log(terms)) + 8);
    add_monotone(bound);
    for (uint64_t i = 0; i < bound->count; i++)
        bound->out[i] += isfinite(bound->result->data[i]) ? rounding + unit * (2 * fabs(bound->result->data[i]) + log(terms)) : 0;
}

// Walks the argument of a reduction in memory order: `target` is the element of the result that element `number` goes to.
typedef struct {
    const Type *type;
    uint32_t index[MAX_RANK];
    uint64_t strides[MAX_RANK], target;
} Walk;

static Walk walk_start(const Bound *bound) {
    Walk walk = {.type = &bound->args[0]->type};
    const Node *node = bound->node;
    uint64_t stride = 1;
    for (uint32_t axis = walk.type->rank; axis-- > 0;) {
        bool folded = op_folds(node, axis);
        walk.strides[axis] = folded ? 0 : stride;
        stride *= folded ? 1 : walk.type->dims[axis];
    }
    return walk;
}

static void walk_next(Walk *walk) {
    for (uint32_t axis = walk->type->rank; axis-- > 0;) {
        walk->target += walk->strides[axis];
        if (++walk->index[axis] < walk->type->dims[axis])
            return;
        walk->target -= walk->strides[axis] * walk->type->dims[axis];
        walk->index[axis] = 0;
    }
}

// What the argument's errors do to a sum, and to a sum of squared deviations from its mean.
typedef struct {
    double first, errors, spread;
    bool seen;
} Moment2;

static Moment2 *walk_moments(const Bound *bound, uint64_t half) {
    Moment2 *moments = ARENA_NEW(bound->scratch, Moment2, half);
    Walk walk = walk_start(bound);
    for (uint64_t i = 0, count = type_count(walk.type); i < count; i++, walk_next(&walk)) {
        Moment2 *one = &moments[walk.target];
        double x = bound->args[0]->data[i], error = error_at(bound, 0, i);
        if (!one->seen)
            one->first = x, one->seen = true;
        one->errors += error;
        one->spread += (2 * fabs(x - bound->result->data[walk.target]) + error) * error;
    }
    return moments;
}

// Kernels sum differences from c and their squares. c is the first element where the sum of its squares is at most 4/3 of that of deviations
// from the mean; else the sums are taken again from c = the mean of the first time, which is off by `shift`.
static void bound_moments(const Bound *bound) {
    uint64_t half = bound->count / 2;
    double n = (double)type_count(&bound->args[0]->type) / (double)half, k = schedule_error(bound->list, bound->kernel, bound->value);
    const Moment2 *moments = walk_moments(bound, half);
    for (uint64_t i = 0; i < half; i++) {
        double mean = bound->result->data[i], deviation = sqrt(bound->result->data[half + i]), far = fabs(mean - moments[i].first);
        double shift = unit * (k * (deviation + far) + 4 * (fabs(mean) + fabs(moments[i].first)));
        double around = sqrt(4.0 / 3) * deviation + shift;
        bound->out[i] = moments[i].errors / n + unit * ((k + 4) * around + 2 * fabs(mean));
        bound->out[half + i] = moments[i].spread / n + unit * (2 * k + 10) * around * around;
    }
}

// Two elements that may both be the largest make the position uncertain.
static void bound_argmax(const Bound *bound) {
    if (bound->is_exact)
        return;
    double *least = ARENA_NEW(bound->scratch, double, bound->count);
    double extent = bound->args[0]->type.dims[attr_of(bound->node, ATTR_axis)->integer];
    uint32_t *rivals = ARENA_NEW(bound->scratch, uint32_t, bound->count);
    for (uint64_t i = 0; i < bound->count; i++)
        least[i] = -INFINITY;
    Walk walk = walk_start(bound);
    uint64_t count = type_count(walk.type);
    for (uint64_t i = 0; i < count; i++, walk_next(&walk))
        least[walk.target] = fmax(least[walk.target], bound->args[0]->data[i] - error_at(bound, 0, i));
    walk = walk_start(bound);
    for (uint64_t i = 0; i < count; i++, walk_next(&walk))
        rivals[walk.target] += bound->args[0]->data[i] + error_at(bound, 0, i) >= least[walk.target];
    for (uint64_t i = 0; i < bound->count; i++)
        bound->out[i] = rivals[i] > 1 ? extent : 0;
}

static void bound_reduction(const Bound *bound) {
    if (bound->node->op == OP_moments)
        bound_moments(bound);
    else if (bound->node->op == OP_argmax)
        bound_argmax(bound);
    else if (bound->node->op == OP_logsumexp)
        bound_logsumexp(bound);
    else if (bound->node->op == OP_reduce_max)
        add_monotone(bound);
    else if (bound->result->type.dtype == DTYPE_F32)
        bound_sum(bound);
}

// ---- all ops

// Uniform and whole random numbers are the same bit for bit; normal ones go through a logarithm and a cosine.
static void bound_source(const Bound *bound) {
    for (uint64_t i = 0; i < bound->count && bound->node->op == OP_random_normal; i++)
        bound->out[i] = 16 * unit * fmax(fabs(bound->result->data[i]), 1);
}

static void bound_node(const Bound *bound) {
    switch (bound->def->op_class) {
    case CLASS_SOURCE: bound_source(bound); break;
    case CLASS_MAP: bound_map(bound); break;
    case CLASS_REDUCE: bound_reduction(bound); break;
    case CLASS_CONTRACT: winograd_is(bound->node->op) ? bound_transform(bound) : bound_contraction(bound); break;
    case CLASS_VIEW:
    case CLASS_SET:
        if (!bound->is_exact)
            bound_view(bound);
        break;
    case CLASS_COMPOSITE:
    case CLASS_META: break;
    }
    for (uint64_t i = 0; i < bound->count && bound->result->type.dtype == DTYPE_F32; i++) {
        double magnitude = fabs(bound->result->data[i]);
        if (magnitude < FLT_MIN) // may be flushed to zero
            bound->out[i] += magnitude;
        else if ((magnitude > FLT_MAX && !isinf(magnitude)) || isnan(bound->out[i])) // overflows
            bound->out[i] = INFINITY;
    }
}

void verify_bounds(Arena *arena, const KernelList *list, const Cone *cone, const Tensor *values, Tensor *errors,
                   const VerifySampling *sampling) {
    for (uint32_t i = 0; i < cone->node_count; i++) {
        Value value = cone->nodes[i];
        Bound bound = {.scratch = arena_create(),
                       .list = list,
                       .kernel = cone->kernel,
                       .sampling = sampling,
                       .value = value,
                       .node = graph_node(list->graph, value),
                       .result = &values[value.id]};
        bound.def = op_def(bound.node->op);
        bound.count = type_count(&bound.result->type);
        bound.args = ARENA_NEW(bound.scratch, const Tensor *, bound.node->arg_count + 1);
        bound.arg_errors = ARENA_NEW(bound.scratch, const Tensor *, bound.node->arg_count + 1);
        bound.is_exact = true;
        for (uint32_t k = 0; k < bound.node->arg_count; k++) {
            bound.args[k] = &values[bound.node->args[k].id];
            bound.arg_errors[k] = errors[bound.node->args[k].id].data ? &errors[bound.node->args[k].id] : NULL;
            bound.is_exact = bound.is_exact && !bound.arg_errors[k];
        }
        Tensor out = tensor_create(arena, &bound.result->type);
        bound.out = out.data;
        bound_node(&bound);
        bool is_exact = true;
        for (uint64_t e = 0; e < bound.count && is_exact; e++)
            is_exact = out.data[e] == 0;
        errors[value.id] = is_exact ? (Tensor){0} : out;
        arena_destroy(&bound.scratch);
    }
}
