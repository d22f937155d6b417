// Random graphs: bytes of a counter become ops on values of fitting shapes, with states that are updated in place. Each is compiled fused and
// unfused for several device classes and runs three repetitions; states and results must equal the interpreter's.
// Usage: [first seed [count [PASS]]], which prints what PASS gives; a failure prints the seed that repeats it.
#include "compiler/compile.h"
#include "compiler/ir/differentiate.h"
#include "compiler/ir/interpret.h"
#include "compiler/layers/build.h"
#include "runtime/base/random.h"
#include "runtime/session/session.h"
#include <math.h>
#include <stdlib.h>

enum { FUZZ_STATES = 6, STEPS = 22, REPETITIONS = 3 };

typedef struct {
    Arena *arena;
    uint64_t seed;
    uint32_t draws;
    Module *module;
    Graph *graph;
    ARRAY(Value) values;
    Tensor states[FUZZ_STATES];
} Fuzz;

static uint32_t draw(Fuzz *fuzz, uint32_t below) { return random_below(random_element(fuzz->seed, 77, 0, 0, fuzz->draws++), below); }

static Value any(Fuzz *fuzz) {
    // Later values are likelier, so that graphs grow deep as well as wide.
    uint32_t a = draw(fuzz, fuzz->values.count), b = draw(fuzz, fuzz->values.count);
    return fuzz->values.items[a > b ? a : b];
}

static Value of_rank(Fuzz *fuzz, uint32_t rank) {
    for (int tries = 0; tries < 40; tries++) {
        Value value = any(fuzz);
        if (graph_type(fuzz->graph, value).rank == rank)
            return value;
    }
    return (Value){0};
}

static Value unary(Fuzz *fuzz, Value x) {
    static const Op ops[] = {OP_neg, OP_tanh, OP_sigmoid, OP_abs, OP_sin, OP_exp};
    Op op = ops[draw(fuzz, 6)];
    Value y = build_unary(fuzz->graph, op, x);
    return op == OP_exp ? build_unary(fuzz->graph, OP_tanh, y) : y;
}

static Value binary(Fuzz *fuzz, Value x) {
    static const Op ops[] = {OP_add, OP_sub, OP_mul, OP_maximum, OP_minimum};
    Type type = graph_type(fuzz->graph, x);
    Value y = {0};
    for (int tries = 0; tries < 20 && !y.id; tries++) {
        Value candidate = any(fuzz);
        Type other = graph_type(fuzz->graph, candidate);
        if (type_same_shape(&type, &other) || other.rank == 0)
            y = candidate;
    }
    if (!y.id)
        return build_number(fuzz->graph, OP_mul, x, 0.5 + 0.25 * draw(fuzz, 4));
    Op op = ops[draw(fuzz, 5)];
    Value z = build_binary(fuzz->graph, op, x, y);
    return op == OP_mul ? build_unary(fuzz->graph, OP_tanh, z) : z; // values stay small, or sine and tolerance mean nothing
}

static Value reduce(Fuzz *fuzz, Value x) {
    Type type = graph_type(fuzz->graph, x);
    int64_t axes[MAX_RANK];
    uint32_t count = 0;
    for (uint32_t axis = 0; axis < type.rank; axis++)
        if (draw(fuzz, 2))
            axes[count++] = axis;
    if (type.rank == 0)
        return x;
    if (!count)
        axes[count++] = draw(fuzz, type.rank);
    switch (draw(fuzz, 4)) {
    case 0: return build_reduce(fuzz->graph, OP_reduce_max, x, axes, count);
    case 1: return build_unary(fuzz->graph, OP_tanh, build_reduce(fuzz->graph, OP_logsumexp, x, axes, count));
    case 2: {
        Value moments = build_reduce(fuzz->graph, OP_moments, x, axes, count);
        Type packed = graph_type(fuzz->graph, moments);
        uint32_t which = draw(fuzz, 2);
        Value one = build_reshape(fuzz->graph, build_slice(fuzz->graph, moments, 0, which, which + 1, 1), packed.rank - 1u, packed.dims + 1);
        return build_unary(fuzz->graph, OP_tanh, build_number(fuzz->graph, OP_mul, one, 0.1));
    }
    }
    return build_unary(fuzz->graph, OP_tanh, build_number(fuzz->graph, OP_mul, build_reduce(fuzz->graph, OP_reduce_sum, x, axes, count), 0.1));
}

static Value view(Fuzz *fuzz, Value x) {
    Type type = graph_type(fuzz->graph, x);
    if (type.rank == 0)
        return x;
    uint32_t axis = draw(fuzz, type.rank);
    switch (draw(fuzz, 7)) {
    case 0: {
        uint32_t order[MAX_RANK];
        for (uint32_t i = 0; i < type.rank; i++)
            order[i] = (i + 1 + axis) % type.rank;
        return build_transpose(fuzz->graph, x, order);
    }
    case 1: {
        uint32_t stop = 1 + draw(fuzz, type.dims[axis]), start = draw(fuzz, stop);
        return build_slice(fuzz->graph, x, axis, start, stop, 1 + draw(fuzz, 2));
    }
    case 2: {
        int64_t low[MAX_RANK] = {0}, high[MAX_RANK] = {0}, interior[MAX_RANK] = {0};
        low[axis] = draw(fuzz, 5), high[axis] = draw(fuzz, 5), interior[axis] = draw(fuzz, 2);
        return type.dims[axis] < 12 ? build_pad(fuzz->graph, x, low, high, interior) : x;
    }
    case 3: { // also of what divides its indices
        int64_t axes[1] = {axis};
        uint32_t flat[2] = {(uint32_t)(type_count(&type) / type.dims[type.rank - 1]), type.dims[type.rank - 1]}, kind = draw(fuzz, 3);
        if (kind == 0 && type.rank == 4)
            return build_flip(fuzz->graph, pool_upsample(fuzz->graph, x, (int64_t[]){2, 3}), axes, 1);
        axes[0] = kind == 1 ? 0 : axis;
        return build_flip(fuzz->graph, kind == 1 ? build_reshape(fuzz->graph, x, 2, flat) : x, axes, 1);
    }
    case 4: {
        Value parts[2] = {x, unary(fuzz, x)};
        return type.dims[axis] < 12 ? build_concat(fuzz->graph, parts, 2, axis) : x;
    }
    case 5: {
        uint32_t flat[2] = {type.dims[0], (uint32_t)(type_count(&type) / type.dims[0])};
        return build_reshape(fuzz->graph, x, 2, flat);
    }
    }
    if (type.rank == 2) {
        uint32_t image[4] = {type.dims[0], type.dims[1], 1, 1};
        for (uint32_t side = 2; side <= 4; side++)
            if (type.dims[1] % (side * side) == 0)
                image[1] = type.dims[1] / (side * side), image[2] = image[3] = side;
        return build_reshape(fuzz->graph, x, 4, image);
    }
    return x;
}

static Value convolve(Fuzz *fuzz) {
    Value x = of_rank(fuzz, 4), w = of_rank(fuzz, 4);
    if (!x.id || !w.id)
        return (Value){0};
    Type image = graph_type(fuzz->graph, x), kernel = graph_type(fuzz->graph, w);
    if (draw(fuzz, 3) == 0) { // as the pass `prepare` rewrites it
        x = pool_upsample(fuzz->graph, x, (int64_t[]){1 + draw(fuzz, 2), 1 + draw(fuzz, 3)});
        image = graph_type(fuzz->graph, x);
    }
    int64_t pad = draw(fuzz, 2), stride[2] = {1 + draw(fuzz, 2), 1 + draw(fuzz, 2)}, pads[2] = {pad, pad}, dilation[2] = {1, 1};
    if (kernel.dims[1] != image.dims[1] || kernel.dims[2] > image.dims[2] + 2 * pad || kernel.dims[3] > image.dims[3] + 2 * pad)
        return (Value){0};
    Attr attrs[4] = {attr_ints(stride, 2), attr_ints(pads, 2), attr_ints(dilation, 2), attr_int(1)};
    Value args[2] = {x, w};
    Value y = graph_add(fuzz->graph, OP_conv2d, args, 2, attrs, 4);
    return build_unary(fuzz->graph, OP_tanh, build_number(fuzz->graph, OP_mul, y, 0.3));
}

static Value multiply(Fuzz *fuzz) {
    Value x = of_rank(fuzz, 2), y = of_rank(fuzz, 2);
    if (!x.id || !y.id)
        return (Value){0};
    Type a = graph_type(fuzz->graph, x), b = graph_type(fuzz->graph, y);
    uint32_t swap[2] = {1, 0};
    if (a.dims[1] != b.dims[0] && a.dims[1] == b.dims[1])
        y = build_transpose(fuzz->graph, y, swap);
    else if (a.dims[1] != b.dims[0] && a.dims[0] == b.dims[0])
        x = build_transpose(fuzz->graph, x, swap);
    else if (a.dims[1] != b.dims[0])
        return (Value){0};
    return build_unary(fuzz->graph, OP_tanh, build_number(fuzz->graph, OP_mul, build_matmul(fuzz->graph, x, y), 0.3));
}

// The gradient of the mean of a value by another: whole chains of new ops.
static Value derive(Fuzz *fuzz) {
    Value y = any(fuzz), x = any(fuzz);
    if (x.id >= y.id)
        return (Value){0};
    Value args[2] = {build_reduce(fuzz->graph, OP_reduce_sum, y, NULL, 0), x};
    Value g = graph_add(fuzz->graph, OP_gradient, args, 2, NULL, 0);
    return build_unary(fuzz->graph, OP_tanh, g);
}

static void grow(Fuzz *fuzz) {
    Value next = {0}, x = any(fuzz);
    switch (draw(fuzz, 10)) {
    case 0:
    case 1: next = unary(fuzz, x); break;
    case 2:
    case 3: next = binary(fuzz, x); break;
    case 4: next = reduce(fuzz, x); break;
    case 5: next = view(fuzz, x); break;
    case 6: next = convolve(fuzz); break;
    case 7: next = multiply(fuzz); break;
    case 8: next = derive(fuzz); break;
    case 9: {
        Type type = graph_type(fuzz->graph, x), target = graph_type(fuzz->graph, any(fuzz));
        if (type.rank <= target.rank && type.rank && type.dims[type.rank - 1] == target.dims[target.rank - 1] && type.rank == 1)
            next = build_broadcast(fuzz->graph, x, &target);
        else
            next = view(fuzz, x);
        break;
    }
    }
    if (next.id && type_count(&graph_node(fuzz->graph, next)->type) < 60000)
        array_push(fuzz->arena, &fuzz->values, next);
}

static void begin_states(Fuzz *fuzz) {
    uint32_t n = 2 + draw(fuzz, 3), c = 1 + draw(fuzz, 9), h = 3 + draw(fuzz, 5), w = 3 + draw(fuzz, 5), o = 1 + draw(fuzz, 9);
    const uint32_t shapes[FUZZ_STATES][4] = {{n, c, h, w}, {o, c, 1 + 2 * draw(fuzz, 2), 3}, {n, c + o}, {c + o}, {n, c, h, w}, {n, c + o}};
    static const uint32_t ranks[FUZZ_STATES] = {4, 4, 2, 1, 4, 2};
    for (uint32_t i = 0; i < FUZZ_STATES; i++) {
        State state = {.name = arena_format(fuzz->arena, "s%u", i), .kind = STATE_RUNNING, .type = type_make(DTYPE_F32, ranks[i], shapes[i]), .init = {.kind = INIT_NORMAL, .b = 0.7}};
        array_push(fuzz->arena, &fuzz->module->states, state);
        Attr name = attr_text(state.name);
        Value value = graph_add(fuzz->graph, OP_state, NULL, 0, &name, 1);
        array_push(fuzz->arena, &fuzz->values, value);
        fuzz->states[i] = tensor_create(fuzz->arena, &state.type);
        init_fill(&state.init, &state.type, state.name, 5, fuzz->states[i].data);
    }
}

// A state's own numbers in another order.
static Value shuffle(Fuzz *fuzz, uint32_t state) {
    Type type = fuzz->module->states.items[state].type;
    uint32_t order[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++)
        order[i] = (i + 1) % type.rank;
    return build_reshape(fuzz->graph, build_transpose(fuzz->graph, fuzz->values.items[state], order), type.rank, type.dims);
}

// Two states of one shape: each one's next value is made of the other's present one.
static void exchange(Fuzz *fuzz, uint32_t a, uint32_t b) {
    Value next[2] = {binary(fuzz, fuzz->values.items[b]), binary(fuzz, fuzz->values.items[a])};
    for (int i = 0; i < 2; i++)
        array_push(fuzz->arena, &fuzz->values, next[i]);
}

// Every state that some value fits is updated by one of the last such values.
static void end_states(Fuzz *fuzz) {
    graph_output(fuzz->graph, (Output){.kind = OUTPUT_VALUE, .name = "named", .value = any(fuzz)}); // which the compiler drops
    if (draw(fuzz, 2))
        exchange(fuzz, 0, 4);
    if (draw(fuzz, 2))
        exchange(fuzz, 2, 5);
    for (uint32_t i = 0; i < FUZZ_STATES; i++)
        if (draw(fuzz, 8) == 0)
            array_push(fuzz->arena, &fuzz->values, shuffle(fuzz, i));
    for (uint32_t i = 0; i < FUZZ_STATES; i++) {
        const State *state = &fuzz->module->states.items[i];
        uint32_t skip = draw(fuzz, 3);
        for (uint32_t v = fuzz->values.count; v-- > 0;) {
            Type type = graph_type(fuzz->graph, fuzz->values.items[v]);
            if (!type_equal(&type, &state->type) || skip-- > 0)
                continue;
            graph_output(fuzz->graph, (Output){.kind = OUTPUT_STATE, .name = state->name, .value = fuzz->values.items[v]});
            break;
        }
    }
    for (uint32_t i = 0; i < 3; i++)
        graph_output(fuzz->graph, (Output){.kind = OUTPUT_EMIT, .name = arena_format(fuzz->arena, "y%u", i), .format = RESULT_TENSOR, .value = any(fuzz)});
    Value sum = build_reduce(fuzz->graph, OP_reduce_sum, any(fuzz), NULL, 0);
    graph_output(fuzz->graph, (Output){.kind = OUTPUT_REPORT, .name = "sum", .value = sum});
}

static const Tensor *state_of(void *context, const char *name) {
    Fuzz *fuzz = context;
    return &fuzz->states[name[1] - '0'];
}

// What the interpreter says of each repetition: results by output, then the states.
static Tensor *expect(Fuzz *fuzz, Diag *diag, const Graph *graph, uint32_t repetition) {
    Sources sources = {.context = fuzz, .state = state_of, .seed = 5, .repetition = (int32_t)repetition};
    Tensor *values = interpret(fuzz->arena, graph, &sources, NULL, diag);
    Tensor *out = ARENA_NEW(fuzz->arena, Tensor, graph->outputs.count);
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        out[i] = values[graph->outputs.items[i].value.id];
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        if (graph->outputs.items[i].kind == OUTPUT_STATE)
            fuzz->states[graph->outputs.items[i].name[1] - '0'] = out[i];
    return out;
}

static bool equal(const char *what, const char *variant, uint64_t seed, uint32_t repetition, const Tensor *expected, const float *got) {
    double scale = 1;
    uint64_t count = type_count(&expected->type);
    for (uint64_t i = 0; i < count; i++)
        scale = fmax(scale, fabs(expected->data[i]));
    for (uint64_t i = 0; i < count; i++)
        if (!(fabs(got[i] - expected->data[i]) <= 3e-4 * scale)) {
            fprintf(stderr, "seed %llu (%s), repetition %u, %s: element %llu is %.9g, expected %.9g\n", (unsigned long long)seed, variant, repetition, what, (unsigned long long)i,
                    (double)got[i], expected->data[i]);
            return false;
        }
    return true;
}

static const char *dumped; // a pass to print

static bool run_variant(Fuzz *fuzz, Device *device, Diag *diag, const CompileOptions *options, const char *variant, Tensor *const *expected, const Tensor *final) {
    CompileOptions shown = *options;
    shown.dump = dumped;
    Compiled *compiled = compile_module(fuzz->arena, fuzz->module, &shown, NULL, diag);
    Session *session = compiled ? session_create(fuzz->arena, device, compiled->program, &(SessionOptions){.seed = 5, .guards = true}, diag) : NULL;
    if (!session || !session_initialise(session, diag)) {
        diag_print(diag, stderr);
        return false;
    }
    const ProgramEntry *entry = &compiled->program->entries.items[0];
    const ProgramPhase *phase = &entry->phases.items[0];
    bool correct = true;
    for (uint32_t r = 0; r < REPETITIONS; r++)
        correct &= session_submit(session, entry, phase, &(Moment){.repetition = r}, NULL, r, diag);
    for (uint32_t r = 0; r < REPETITIONS && correct; r++) {
        SessionResult result;
        bool got;
        correct = session_take(session, true, &result, &got, diag) && got;
        for (uint32_t i = 0, o = 0; correct && i < fuzz->graph->outputs.count; i++)
            if (fuzz->graph->outputs.items[i].kind == OUTPUT_REPORT || fuzz->graph->outputs.items[i].kind == OUTPUT_EMIT)
                correct &= equal(fuzz->graph->outputs.items[i].name, variant, fuzz->seed, r, &expected[r][i], result.values[o++]);
    }
    for (uint32_t i = 0; correct && i < FUZZ_STATES; i++) {
        HostTensor tensor;
        correct = session_get(session, fuzz->arena, fuzz->module->states.items[i].name, &tensor, diag) &&
                  equal(fuzz->module->states.items[i].name, variant, fuzz->seed, REPETITIONS, &final[i], tensor.data);
    }
    session_destroy(&session);
    return correct;
}

static bool run_seed(Device *device, uint64_t seed) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Fuzz fuzz = {.arena = arena, .seed = seed, .module = ARENA_NEW(arena, Module, 1)};
    *fuzz.module = (Module){.arena = arena, .name = "fuzz", .resolved = "{}"};
    fuzz.graph = graph_create(arena, fuzz.module);
    begin_states(&fuzz);
    for (int i = 0; i < STEPS; i++)
        grow(&fuzz);
    end_states(&fuzz);
    Phase phase = {.name = "run", .repeat = 1, .graph = fuzz.graph};
    GraphProgram program = {.name = "fuzz"};
    array_push(arena, &program.phases, phase);
    array_push(arena, &fuzz.module->programs, program);
    Graph *derived = differentiate_graph(arena, fuzz.graph);
    Tensor *expected[REPETITIONS];
    for (uint32_t r = 0; r < REPETITIONS; r++)
        expected[r] = expect(&fuzz, diag, derived, r);
    Target cpu = device_info(device)->target, gpu = cpu, any = target_default(TARGET_ANY);
    cpu.target_class = TARGET_CPU, gpu.target_class = TARGET_GPU;
    bool correct = run_variant(&fuzz, device, diag, &(CompileOptions){.target = cpu}, "cpu", expected, fuzz.states) &&
                   run_variant(&fuzz, device, diag, &(CompileOptions){.target = gpu}, "gpu", expected, fuzz.states) &&
                   run_variant(&fuzz, device, diag, &(CompileOptions){.target = any, .no_fuse = true}, "any, no fusion", expected, fuzz.states);
    arena_destroy(&arena);
    return correct;
}

int main(int count, char **arguments) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Device *device = device_create(arena, &(DeviceOptions){.validation = true}, diag);
    if (!device) {
        diag_print(diag, stderr);
        return 77;
    }
    dumped = count > 3 ? arguments[3] : NULL;
    uint64_t first = count > 1 ? strtoull(arguments[1], NULL, 10) : 1, seeds = count > 2 ? strtoull(arguments[2], NULL, 10) : 20;
    uint32_t failures = 0;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        failures += !run_seed(device, seed);
    if (device_validation_messages(device))
        fprintf(stderr, "%s\n", device_validation_text(device));
    failures += device_validation_messages(device) > 0;
    device_destroy(&device);
    arena_destroy(&arena);
    printf("%llu graphs, %u failures\n", (unsigned long long)seeds, failures);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
