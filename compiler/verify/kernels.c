// Verify kernels: one dispatch at a time, with inputs written, guards around outputs, and every stored element compared.
#include "compiler/verify/kernels.h"
#include "runtime/base/bug.h"
#include "compiler/verify/bound.h"
#include <math.h>

enum { GUARD_SIZE = 64 };                            // bytes on either side of a stored range, where no other range of the dispatch lies
static const uint32_t GUARD_WORD = 0x7FC0DEADu;      // a NaN
static const double FILL = 0.37, OTHER_FILL = -1.71; // of elements that sampling leaves out
static const double TINY = 1e-36;                    // products below FLT_MIN, of which a device makes zero, in a sum

const char *verify_mode_name(VerifyMode mode) {
    switch (mode) {
    case VERIFY_CAPTURED:
        return "captured inputs";
    case VERIFY_EDGES:
        return "edge values";
    case VERIFY_DEVICE:
        return "full size";
    case VERIFY_DEVICE_EDGES:
        return "full size, edge values";
    case VERIFY_MODES:
        break;
    }
    bug("there is no mode %d of verification", (int)mode);
}

// Whether the phase runs in order, with inputs as they lie on the device.
static bool runs_in_order(VerifyMode mode) { return mode == VERIFY_DEVICE || mode == VERIFY_DEVICE_EDGES; }

// One dispatch with everything that belongs to it. Lives in `arena`, which is reset after each.
typedef struct {
    const VerifyRun *run;
    VerifyPhase *phase;
    VerifyMode mode;
    uint32_t index; // of the dispatch
    const Step *dispatch;
    Arena *arena;
    const Cone *cone;
    const Tensor *base;    // values of loads and sources, as interpreted
    Tensor *exact, *other; // other: exact with another fill, to find what was sampled
    Tensor *errors;        // what rounding explains; data NULL: none
    Moment moment;
    VerifyResult *result;
} Case;

static const Kernel *kernel_of(const VerifyPhase *phase, const Step *dispatch) {
    const KernelList *list = phase->compiled->kernels;
    for (uint32_t i = 0; i < list->kernels.count; i++)
        for (uint32_t k = 0; k < list->kernels.items[i].stores.count; k++)
            if (dispatch->value_count > 0 && list->kernels.items[i].stores.items[k].id == dispatch->values[0])
                return &list->kernels.items[i];
    return NULL;
}

static Moment moment_of(const Sources *sources) {
    return (Moment){.step = (uint32_t)sources->step,
                    .steps = (uint32_t)sources->steps,
                    .epoch = (uint32_t)sources->epoch,
                    .epoch_steps = (uint32_t)sources->epoch_steps,
                    .repetition = (uint32_t)sources->repetition,
                    .index = (uint32_t)sources->index,
                    .records = (uint32_t)sources->records};
}

static void problem(Case *test, Value value, const char *text) {
    if (test->result->problem)
        return;
    test->result->problem = arena_copy_text(test->run->arena, text);
    test->result->value = value;
}

// ---- inputs

// The host fills constants; kernels' other inputs are written by us.
static bool is_written(const VerifyPhase *phase, Value value) { return !verify_is_constant(phase, value); }

static void mix_edges(Tensor *tensor, uint64_t seed) {
    static const double edges[] = {0, -0.0, 1, -1, 1e-20F, -1e-20F};
    uint64_t count = type_count(&tensor->type);
    double low = INFINITY, high = -INFINITY;
    if (tensor->type.dtype != DTYPE_F32)
        return;
    for (uint64_t i = 0; i < count; i++) {
        low = tensor->data[i] < low ? tensor->data[i] : low;
        high = tensor->data[i] > high ? tensor->data[i] : high;
    }
    for (uint64_t i = 0; i < count; i++) {
        double noise = verify_noise(seed, i);
        if (noise < 0.5)
            continue;
        uint32_t choice = (uint32_t)((noise - 0.5) * 16); // 0 … 7
        double edge = choice == 6 ? low : choice >= 7 ? high : edges[choice];
        if (edge >= low && edge <= high)
            tensor->data[i] = edge;
    }
}

static Tensor copy_rounded(Arena *arena, const Tensor *tensor) {
    Tensor copy = tensor_create(arena, &tensor->type);
    memcpy(copy.data, tensor->data, sizeof *copy.data * type_count(&copy.type));
    verify_round(&copy);
    return copy;
}

static void round_as_stored(ElementType stored, Tensor *tensor) {
    for (uint64_t i = 0, count = type_count(&tensor->type); element_row(stored)->unit > 0 && i < count; i++)
        tensor->data[i] = element_round(stored, tensor->data[i]);
}

static bool read_value(Case *test, Value value, Tensor *out, Diag *diag) {
    Range range = verify_range(test->phase, value);
    void *bytes = arena_alloc(test->arena, range.size);
    if (!session_read_range(test->run->session, &range, bytes, diag))
        return false;
    Type type = graph_type(test->phase->compiled->graph, value);
    uint64_t bad_padding = 0;
    *out = tensor_create(test->arena, &type);
    verify_unpack(test->phase, value, bytes, out, &bad_padding);
    return true;
}

// values[id] of loads and sources for this dispatch.
static bool gather_inputs(Case *test, Tensor *values, Diag *diag) {
    const Kernel *kernel = test->cone->kernel;
    for (uint32_t i = 0; i < test->cone->node_count; i++)
        values[test->cone->nodes[i].id] = test->base[test->cone->nodes[i].id];
    for (uint32_t i = 0; i < kernel->loads.count; i++) {
        Value value = kernel->loads.items[i];
        bool lies_there = runs_in_order(test->mode) && is_written(test->phase, value);
        if (lies_there && !read_value(test, value, &values[value.id], diag))
            return false;
        if (lies_there && test->mode == VERIFY_DEVICE)
            continue;
        if (!lies_there)
            values[value.id] = copy_rounded(test->arena, &test->base[value.id]);
        if (test->mode != VERIFY_CAPTURED && is_written(test->phase, value))
            mix_edges(&values[value.id], test->phase->seed + value.id);
        round_as_stored(verify_stored(test->phase, value), &values[value.id]);
    }
    return true;
}

static bool is_free(const Case *test, const Range *range) {
    const Kernel *kernel = test->cone->kernel;
    if (range->memory >= test->phase->program->memories.count ||
        range->offset + range->size > test->phase->program->memories.items[range->memory].size)
        return false;
    for (uint32_t i = 0; i < kernel->loads.count + kernel->stores.count; i++) {
        Range other =
            verify_range(test->phase, i < kernel->loads.count ? kernel->loads.items[i] : kernel->stores.items[i - kernel->loads.count]);
        if (range_overlaps(range, &other))
            return false;
    }
    return true;
}

// The free ranges before and after a stored one.
static uint32_t guards_of(const Case *test, Value value, Range guards[2]) {
    Range range = verify_range(test->phase, value);
    Range before = {range.memory, range.offset - GUARD_SIZE, GUARD_SIZE}, after = {range.memory, range.offset + range.size, GUARD_SIZE};
    uint32_t count = 0;
    if (runs_in_order(test->mode)) // the neighbours are other values' business there
        return 0;
    if (range.offset >= GUARD_SIZE && is_free(test, &before))
        guards[count++] = before;
    if (is_free(test, &after))
        guards[count++] = after;
    return count;
}

static bool fill_guard(const Case *test, const Range *range, Diag *diag) {
    uint32_t *words = arena_alloc(test->arena, range->size);
    for (uint64_t i = 0; i < range->size / sizeof *words; i++)
        words[i] = GUARD_WORD;
    return session_write_range(test->run->session, range, words, diag);
}

static bool is_also_loaded(const Case *test, Value value) {
    Range range = verify_range(test->phase, value);
    for (uint32_t i = 0; i < test->cone->kernel->loads.count; i++) {
        Range other = verify_range(test->phase, test->cone->kernel->loads.items[i]);
        if (range_overlaps(&range, &other))
            return true;
    }
    return false;
}

// NaN into what will be stored and around it, then the inputs (a store may be in place).
static bool write_inputs(const Case *test, const Tensor *values, Diag *diag) {
    const Kernel *kernel = test->cone->kernel;
    for (uint32_t i = 0; i < kernel->stores.count; i++) {
        Range range = verify_range(test->phase, kernel->stores.items[i]), guards[2];
        if (!is_also_loaded(test, kernel->stores.items[i]) && !fill_guard(test, &range, diag))
            return false;
        for (uint32_t k = 0, count = guards_of(test, kernel->stores.items[i], guards); k < count; k++)
            if (!fill_guard(test, &guards[k], diag))
                return false;
    }
    for (uint32_t i = 0; i < kernel->loads.count && test->mode != VERIFY_DEVICE; i++) {
        Value value = kernel->loads.items[i];
        if (!is_written(test->phase, value))
            continue;
        Range range = verify_range(test->phase, value);
        void *bytes = arena_alloc(test->arena, range.size);
        verify_pack(test->phase, value, &values[value.id], bytes);
        if (!session_write_range(test->run->session, &range, bytes, diag))
            return false;
    }
    return true;
}

// ---- outputs

static bool check_guards(Case *test, Value value, Diag *diag) {
    Range guards[2];
    for (uint32_t i = 0, count = guards_of(test, value, guards); i < count; i++) {
        uint32_t words[GUARD_SIZE / sizeof(uint32_t)];
        if (!session_read_range(test->run->session, &guards[i], words, diag))
            return false;
        for (uint32_t k = 0; k < GUARD_SIZE / sizeof *words; k++)
            if (words[k] != GUARD_WORD)
                problem(test, value, "it writes outside its output");
    }
    return true;
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static const char *element_text(const Case *test, const Type *type, uint64_t number, double got, double wanted) {
    Text text = text_create(test->run->arena);
    uint32_t index[MAX_RANK];
    for (uint32_t axis = type->rank; axis > 0; axis--) {
        index[axis - 1] = (uint32_t)(number % type->dims[axis - 1]);
        number /= type->dims[axis - 1];
    }
    text_append(&text, "element [");
    for (uint32_t axis = 0; axis < type->rank; axis++)
        text_format(&text, "%s%u", axis ? "," : "", index[axis]);
    text_format(&text, "] is %.9g, reference %.9g", got, wanted);
    return text.data;
}

static VerifySampling sampling_of(const Case *test, double fill) {
    return (VerifySampling){.seed = test->phase->seed, .flops_max = runs_in_order(test->mode) ? test->run->flops_max : 0, .fill = fill};
}

static Tensor *evaluate(Case *test, const Tensor *values, double fill) {
    uint32_t count = test->phase->compiled->graph->nodes.count;
    VerifySampling sampling = sampling_of(test, fill);
    Tensor *out = ARENA_NEW(test->arena, Tensor, count);
    memcpy(out, values, sizeof *out * count);
    verify_evaluate(test->arena, test->phase->compiled->graph, test->cone, out, &sampling);
    return out;
}

static void bound_errors(Case *test) {
    VerifySampling sampling = sampling_of(test, FILL);
    test->errors = ARENA_NEW(test->arena, Tensor, test->phase->compiled->graph->nodes.count);
    verify_bounds(test->arena, test->phase->compiled->kernels, test->cone, test->exact, test->errors, &sampling);
}

// The number that used most of what it is allowed stands for all that the dispatch stores.
static void keep_worst(VerifyResult *result, Value value, double error, double allowed, double wanted) {
    double share = error > 0 ? error / allowed : 0;
    if (result->share >= 0 && !(share > result->share))
        return;
    result->share = share;
    result->error = error;
    result->allowed = allowed;
    result->wanted = wanted;
    if (!result->problem)
        result->value = value;
}

// Compares one stored value. Elements that sampling left out differ between `exact` and `other`; of those whose error has no bound nothing can
// be said. False: that is all of them.
static bool compare(Case *test, Value value, const Tensor *got) {
    const Tensor *exact = &test->exact[value.id], *other = test->other ? &test->other[value.id] : NULL, *errors = &test->errors[value.id];
    uint64_t count = type_count(&exact->type), wrong = 0, first_wrong = 0, compared = 0;
    ElementType stored = verify_stored(test->phase, value);
    const ElementRow *row = element_row(stored);
    for (uint64_t i = 0; i < count; i++) {
        double wanted = exact->data[i], allowed = (errors->data ? errors->data[i] + TINY : 0) + row->unit * fabs(wanted) + row->tiny;
        if (other && !same(wanted, other->data[i]))
            continue;
        test->result->is_wild = test->result->is_wild || isnan(wanted);
        bool is_beyond = isfinite(wanted) && isinf(element_round(stored, wanted));
        if ((isinf(allowed) || is_beyond) && !isnan(wanted)) {
            test->result->unjudged++;
            continue;
        }
        compared++;
        double error = got->data[i] == wanted ? 0 : fabs(got->data[i] - wanted);
        bool bad = isnan(wanted) || isnan(got->data[i]) || !(error <= allowed);
        if (bad && wrong++ == 0)
            first_wrong = i;
        keep_worst(test->result, value, isnan(error) ? INFINITY : error, allowed, wanted);
    }
    if (wrong > 0)
        problem(test, value,
                arena_format(test->arena, "%llu of %llu elements are wrong; %s", (unsigned long long)wrong, (unsigned long long)compared,
                             element_text(test, &exact->type, first_wrong, got->data[first_wrong], exact->data[first_wrong])));
    return compared > 0;
}

static bool check_output(Case *test, Value value, Diag *diag) {
    Range range = verify_range(test->phase, value);
    void *bytes = arena_alloc(test->arena, range.size);
    if (!session_read_range(test->run->session, &range, bytes, diag))
        return false;
    Tensor got = tensor_create(test->arena, &test->exact[value.id].type);
    uint64_t bad_padding = 0;
    verify_unpack(test->phase, value, bytes, &got, &bad_padding);
    if (compare(test, value, &got))
        test->result->skipped = false;
    if (bad_padding > 0)
        problem(test, value, arena_format(test->arena, "%llu padding elements are not zero", (unsigned long long)bad_padding));
    return check_guards(test, value, diag);
}

// Whether all that a stored value is computed from inside the kernel is a number. Edge values may leave an op's domain (a logarithm of zero):
// then there is nothing to compare, in this value; what else the kernel stores is compared all the same.
static bool has_only_numbers(const Case *test, Value value) {
    const Graph *graph = test->phase->compiled->graph;
    bool *inside = ARENA_NEW(test->arena, bool, graph->nodes.count);
    inside[value.id] = true;
    for (uint32_t i = test->cone->node_count; i > 0; i--) {
        Value inner = test->cone->nodes[i - 1];
        const Tensor *tensor = &test->exact[inner.id];
        if (!inside[inner.id])
            continue;
        for (uint64_t k = 0, count = type_count(&tensor->type); k < count; k++)
            if (!isfinite(tensor->data[k]))
                return false;
        const Node *node = graph_node(graph, inner);
        for (uint32_t k = 0; k < node->arg_count; k++)
            inside[node->args[k].id] = true;
    }
    return true;
}

// Whether both are the same kernel's, of different windows of the sets that it stores.
static bool same_kernel(const Step *a, const Step *b) { return a->value_count > 0 && b->value_count > 0 && a->values[0] == b->values[0]; }

static bool is_later_window(const VerifyPhase *phase, uint32_t index) {
    const Step *steps = phase->planned->steps.items;
    for (uint32_t i = 0; i < index; i++)
        if (same_kernel(&steps[i], &steps[index]))
            return true;
    return false;
}

// All windows of the kernel: each stores a part, perhaps over what it was computed from.
static bool run_windows(const Case *test, Diag *diag) {
    const ProgramPhase *planned = test->phase->planned;
    for (uint32_t i = test->index; i < planned->steps.count; i++)
        if (same_kernel(&planned->steps.items[i], test->dispatch) &&
            !session_run_dispatch(test->run->session, planned, i, &test->moment, 1, NULL, diag))
            return false;
    return true;
}

static bool run_case(Case *test, Diag *diag) {
    Tensor *values = ARENA_NEW(test->arena, Tensor, test->phase->compiled->graph->nodes.count);
    if (!gather_inputs(test, values, diag))
        return false;
    test->exact = evaluate(test, values, FILL);
    bound_errors(test);
    bool sampled = runs_in_order(test->mode) && test->cone->flops > test->run->flops_max;
    test->other = sampled ? evaluate(test, values, OTHER_FILL) : NULL;
    if (!write_inputs(test, values, diag) || !run_windows(test, diag))
        return false;
    test->result->skipped = true;
    for (uint32_t i = 0; i < test->dispatch->value_count; i++) {
        Value value = {test->dispatch->values[i]};
        if ((test->mode == VERIFY_EDGES || test->mode == VERIFY_DEVICE_EDGES) && !has_only_numbers(test, value))
            continue;
        if (!check_output(test, value, diag))
            return false;
    }
    return true;
}

// ---- the phase

// The device's memory as at the beginning of a repetition.
static bool write_beginning(const VerifyRun *run, VerifyPhase *phase, Diag *diag) {
    const Graph *graph = phase->compiled->graph;
    const Buffer *buffers = phase->compiled->kernels->buffers;
    bool good = true;
    for (uint32_t id = 1; id < graph->nodes.count && good; id++) {
        const Node *node = &graph->nodes.items[id];
        if ((node->op != OP_state && node->op != OP_feed) || buffers[id].kind == BUFFER_NONE)
            continue;
        Arena *scratch = arena_create();
        const char *name = attr_of(node, ATTR_name)->text;
        const Tensor *tensor = node->op == OP_state ? verify_state(phase, name) : verify_feed(phase, name);
        Range range = verify_range(phase, (Value){id});
        void *bytes = arena_alloc(scratch, range.size);
        verify_pack(phase, (Value){id}, tensor, bytes);
        good = session_write_range(run->session, &range, bytes, diag);
        arena_destroy(&scratch);
    }
    return good;
}

// What the interpreter must give: everything that kernels load (or, on the device, only the sources that are computed inside kernels).
static Tensor *interpret_inputs(VerifyPhase *phase, const Cone *cones, const bool *used, VerifyMode mode, Arena *arena, Diag *diag) {
    const Graph *graph = phase->compiled->graph;
    const KernelList *list = phase->compiled->kernels;
    bool *needed = ARENA_NEW(arena, bool, graph->nodes.count);
    Graph view = *graph;
    memset(&view.outputs, 0, sizeof view.outputs);
    for (uint32_t i = 0; i < list->kernels.count; i++)
        if (used[i])
            verify_mark(list, &cones[i], needed);
    for (uint32_t id = 1; id < graph->nodes.count; id++) {
        if (runs_in_order(mode) && op_def(graph->nodes.items[id].op)->op_class != CLASS_SOURCE)
            needed[id] = false;
        if (needed[id])
            array_push(arena, &view.outputs, ((Output){.kind = OUTPUT_VALUE, .name = "needed", .value = {id}}));
    }
    Sources sources = verify_sources(phase);
    return interpret(arena, &view, &sources, needed, diag);
}

static bool is_wanted(const VerifyRun *run, const Step *dispatch) {
    for (uint32_t i = 0; run->only && i < run->only_count; i++)
        for (uint32_t k = 0; k < dispatch->value_count; k++)
            if (dispatch->values[k] == run->only[i].id)
                return true;
    return !run->only;
}

static bool run_dispatch(const VerifyRun *run, VerifyPhase *phase, VerifyMode mode, uint32_t index, const Cone *cone, const Tensor *base,
                         VerifyResults *results, Diag *diag) {
    const Step *dispatch = &phase->planned->steps.items[index];
    Sources sources = verify_sources(phase);
    VerifyResult result = {.kernel = program_step_name(phase->program, dispatch),
                           .label = dispatch->label,
                           .work_class = dispatch->work_class,
                           .program = phase->entry->name,
                           .phase = phase->planned->name,
                           .mode = mode,
                           .share = -1};
    Arena *arena = arena_create();
    Case test = {.run = run,
                 .phase = phase,
                 .mode = mode,
                 .index = index,
                 .dispatch = dispatch,
                 .arena = arena,
                 .cone = cone,
                 .base = base,
                 .moment = moment_of(&sources),
                 .result = &result};
    bool good = true;
    if (cone->elements_max > run->elements_max || !is_wanted(run, dispatch)) {
        result.skipped = true; // but the kernels after it need what it computes
        good = run_windows(&test, diag);
    } else {
        good = run_case(&test, diag);
    }
    if (good)
        array_push(run->arena, results, result);
    arena_destroy(&arena);
    return good;
}

bool verify_kernels(const VerifyRun *run, VerifyPhase *phase, VerifyMode mode, VerifyResults *results, Diag *diag) {
    const KernelList *list = phase->compiled->kernels;
    Arena *arena = arena_create();
    Cone *cones = ARENA_NEW(arena, Cone, list->kernels.count + 1);
    bool *used = ARENA_NEW(arena, bool, list->kernels.count + 1), good = true;
    for (uint32_t i = 0; i < list->kernels.count; i++)
        cones[i] = verify_cone(arena, list, &list->kernels.items[i]);
    for (uint32_t i = 0; i < phase->planned->steps.count; i++) {
        const Kernel *kernel = kernel_of(phase, &phase->planned->steps.items[i]);
        if (kernel && (runs_in_order(mode) || is_wanted(run, &phase->planned->steps.items[i])))
            used[kernel - list->kernels.items] = true;
    }
    Tensor *base = interpret_inputs(phase, cones, used, mode, arena, diag);
    good = base && (!runs_in_order(mode) || write_beginning(run, phase, diag));
    for (uint32_t i = 0; good && i < phase->planned->steps.count; i++) {
        const Kernel *kernel = kernel_of(phase, &phase->planned->steps.items[i]);
        if (run->progress)
            run->progress(run->progress_context, "verifying: kernel", i + 1, phase->planned->steps.count);
        if (kernel && used[kernel - list->kernels.items] && !is_later_window(phase, i))
            good = run_dispatch(run, phase, mode, i, &cones[kernel - list->kernels.items], base, results, diag);
    }
    arena_destroy(&arena);
    return good;
}
