// Inputs: a module for tests, and numbers for an op's examples.
#include "tests/support/inputs.h"
#include "runtime/base/random.h"
#include <assert.h>
#include <math.h>

static void add_part(Arena *arena, Set *set, const char *name, Type type) {
    array_push(arena, &set->parts, ((Part){.name = name, .type = type, .offset = set->count}));
    set->count += type_count(&type);
}

Module *inputs_module(Arena *arena) {
    static const double table[] = {0.5, -1, 2, 0, 3};
    Module *module = ARENA_NEW(arena, Module, 1);
    Set set = {.network = "net"};
    add_part(arena, &set, "net.a", type_make(DTYPE_F32, 2, (uint32_t[]){2, 3}));
    add_part(arena, &set, "net.b", type_make(DTYPE_F32, 1, (uint32_t[]){4}));
    add_part(arena, &set, "net.c", type_make(DTYPE_F32, 3, (uint32_t[]){1, 2, 2}));
    array_push(arena, &module->sets, set);
    Type flat = {.dtype = DTYPE_F32, .rank = 1, .set = 1, .dims = {(uint32_t)set.count}};
    array_push(arena, &module->states, ((State){.name = "net", .kind = STATE_PARAMETERS, .type = flat}));
    array_push(arena, &module->states, ((State){.name = "s", .kind = STATE_RUNNING, .type = type_make(DTYPE_F32, 2, (uint32_t[]){2, 3})}));
    array_push(arena, &module->tables, ((Table){.name = "t", .type = type_make(DTYPE_F32, 1, (uint32_t[]){5}), .data = table}));
    module->arena = arena;
    module->name = "test";
    return module;
}

static double uniform(uint64_t seed, uint32_t element) {
    return (double)random_uniform(random_element(seed, random_name("test"), 0, 0, element));
}

Tensor inputs_random(Arena *arena, const Type *type, double low, double high, uint64_t seed) {
    Tensor tensor = tensor_create(arena, type);
    for (uint64_t i = 0; i < type_count(type); i++)
        tensor.data[i] = low + (high - low) * uniform(seed, (uint32_t)i);
    return tensor;
}

typedef struct {
    const OpExample *example;
    uint64_t seed;
    uint32_t drawn;
    ARRAY(double) grid; // places `avoid` apart that are still free; empty when there are too few
} Draw;

static void make_grid(Arena *arena, Draw *draw) {
    const OpExample *example = draw->example;
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < example->arg_count; i++)
        wanted += type_count(&example->args[i]);
    for (uint32_t i = 0; example->avoid > 0 && example->low + (i + 0.5) * example->avoid < example->high; i++) {
        double place = example->low + (i + 0.5) * example->avoid;
        if (fabs(place) >= example->avoid)
            array_push(arena, &draw->grid, place);
    }
    if (draw->grid.count < wanted)
        draw->grid.count = 0;
}

static double draw_number(Draw *draw, DType dtype, const Tensor *tensors, uint32_t arg, uint64_t element) {
    const OpExample *example = draw->example;
    if (dtype == DTYPE_F32 && draw->grid.count > 0) {
        uint32_t pick = (uint32_t)(uniform(draw->seed, draw->drawn++) * draw->grid.count);
        double place = draw->grid.items[pick];
        draw->grid.items[pick] = draw->grid.items[--draw->grid.count];
        return place;
    }
    for (uint32_t attempt = 0; attempt < 1000; attempt++) {
        double number = example->low + (example->high - example->low) * uniform(draw->seed, draw->drawn++);
        if (dtype == DTYPE_BOOL)
            return number >= (example->low + example->high) / 2;
        if (dtype != DTYPE_F32)
            number = round(number);
        bool ok = fabs(number) >= example->avoid && (number >= 0 || (dtype != DTYPE_U32 && dtype != DTYPE_U8));
        for (uint32_t other = 0; ok && dtype == DTYPE_F32 && other < arg; other++)
            if (element < type_count(&tensors[other].type))
                ok = fabs(number - tensors[other].data[element]) >= example->avoid;
        if (ok)
            return number;
    }
    assert(!"no number fits the example's range");
    return 0;
}

Tensor *inputs_draw(Arena *arena, const OpExample *example, uint64_t seed) {
    Draw draw = {.example = example, .seed = seed};
    make_grid(arena, &draw);
    Tensor *tensors = ARENA_NEW(arena, Tensor, example->arg_count);
    for (uint32_t arg = 0; arg < example->arg_count; arg++) {
        tensors[arg] = tensor_create(arena, &example->args[arg]);
        for (uint64_t i = 0; i < type_count(&example->args[arg]); i++)
            tensors[arg].data[i] = draw_number(&draw, example->args[arg].dtype, tensors, arg, i);
    }
    return tensors;
}

void inputs_give(Inputs *inputs, const char *name, const Tensor *tensor) {
    assert(inputs->count < 16);
    inputs->names[inputs->count] = name;
    inputs->tensors[inputs->count++] = tensor;
}

static const Tensor *find(void *context, const char *name) {
    const Inputs *inputs = context;
    for (uint32_t i = 0; i < inputs->count; i++)
        if (strcmp(inputs->names[i], name) == 0)
            return inputs->tensors[i];
    return NULL;
}

Sources inputs_sources(const Inputs *inputs) {
    return (Sources){.context = (void *)(uintptr_t)inputs, .state = find, .feed = find, .seed = 1, .step = 3, .steps = 10, .records = 2};
}

Value inputs_source(Graph *graph, const char *name, const Type *type) {
    int64_t dims[MAX_RANK];
    if (type->set)
        return graph_add(graph, OP_state, NULL, 0, (Attr[]){attr_text("net")}, 1);
    for (uint32_t i = 0; i < type->rank; i++)
        dims[i] = type->dims[i];
    return graph_add(graph, OP_feed, NULL, 0, (Attr[]){attr_text(name), attr_text(dtype_name(type->dtype)), attr_ints(dims, type->rank)},
                     3);
}

const char *inputs_name(Arena *arena, const char *stem, uint32_t number) { return arena_format(arena, "%s%u", stem, number); }
