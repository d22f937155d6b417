// Compare: tensors within tolerances, and gradients with central differences.
#include "tests/support/compare.h"
#include <math.h>

static bool is_near(double got, double wanted, double tolerance) {
    if (isnan(got) || isnan(wanted))
        return isnan(got) && isnan(wanted);
    return got == wanted || fabs(got - wanted) <= tolerance * (1 + fabs(wanted));
}

bool compare_tensors(const Tensor *got, const Tensor *wanted, double tolerance, Text *problem) {
    if (!type_equal(&got->type, &wanted->type)) {
        text_format(problem, "%s instead of %s", type_text(problem->arena, &got->type), type_text(problem->arena, &wanted->type));
        return false;
    }
    for (uint64_t i = 0; i < type_count(&got->type); i++)
        if (!is_near(got->data[i], wanted->data[i], tolerance)) {
            text_format(problem, "element %llu is %.17g instead of %.17g", (unsigned long long)i, got->data[i], wanted->data[i]);
            return false;
        }
    return true;
}

static double evaluate(const Graph *graph, Value scalar, const Inputs *inputs) {
    Arena *scratch = arena_create();
    bool *needed = ARENA_NEW(scratch, bool, graph->nodes.count);
    needed[scalar.id] = true;
    Sources sources = inputs_sources(inputs);
    Tensor *values = interpret(scratch, graph, &sources, needed, diag_create(scratch));
    double number = values ? values[scalar.id].data[0] : NAN;
    arena_destroy(&scratch);
    return number;
}

static const Tensor *find(const Inputs *inputs, const char *name) {
    for (uint32_t i = 0; i < inputs->count; i++)
        if (strcmp(inputs->names[i], name) == 0)
            return inputs->tensors[i];
    return NULL;
}

bool compare_gradients(Arena *arena, Graph *graph, Value scalar, const Value *targets, const char *const *names, uint32_t target_count,
                       const Inputs *inputs, Text *problem) {
    Value *gradients = ARENA_NEW(arena, Value, target_count);
    differentiate(graph, scalar, targets, target_count, gradients);
    bool *needed = ARENA_NEW(arena, bool, graph->nodes.count);
    for (uint32_t i = 0; i < target_count; i++)
        needed[gradients[i].id] = true;
    Sources sources = inputs_sources(inputs);
    Tensor *values = interpret(arena, graph, &sources, needed, diag_create(arena));
    for (uint32_t i = 0; i < target_count; i++) {
        Tensor numeric = tensor_create(arena, &values[gradients[i].id].type);
        double *data = find(inputs, names[i])->data;
        for (uint64_t element = 0; element < type_count(&numeric.type); element++) {
            double kept = data[element], h = 1e-5 * fmax(1, fabs(kept));
            data[element] = kept + h;
            double above = evaluate(graph, scalar, inputs);
            data[element] = kept - h;
            double below = evaluate(graph, scalar, inputs);
            data[element] = kept;
            numeric.data[element] = (above - below) / (2 * h);
        }
        text_clear(problem);
        text_format(problem, "gradient by %s: ", names[i]);
        if (!compare_tensors(&values[gradients[i].id], &numeric, 1e-6, problem))
            return false;
    }
    return true;
}
