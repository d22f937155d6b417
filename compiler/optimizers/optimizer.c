// Optimizer: the table of rules and what they share.
#include "compiler/optimizers/optimizer.h"
#include "compiler/optimizers/rules.h"

static const OptimizerRule rules[] = {
#define RULE(name, options, moments, if_momentum, moments_of, function, summary) {#name, summary, options, moments, if_momentum, moments_of, function},
#include "compiler/optimizers/optimizers.def"
#undef RULE
};

const OptimizerRule *optimizer_rules(uint32_t *count) {
    *count = sizeof rules / sizeof *rules;
    return rules;
}

const OptimizerRule *optimizer_rule(const char *name) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!strcmp(rules[i].name, name))
            return &rules[i];
    return NULL;
}

OptimizerOption optimizer_option(const OptimizerStep *step, const char *name, double fallback) {
    for (uint32_t i = 0; i < step->option_count; i++)
        if (!strcmp(step->options[i].name, name))
            return step->options[i];
    return (OptimizerOption){name, true, fallback, {0}};
}

bool optimizer_is_zero(OptimizerOption option) { return option.is_static && option.number == 0; }

static Value scalar(const OptimizerStep *step, OptimizerOption option) {
    return option.is_static ? build_constant(step->graph, DTYPE_F32, option.number) : option.value;
}

OptimizerOption optimizer_scalar(Value value) { return (OptimizerOption){NULL, false, 0, value}; }

OptimizerOption optimizer_one_minus(const OptimizerStep *step, OptimizerOption option) {
    if (option.is_static)
        return (OptimizerOption){NULL, true, 1 - option.number, {0}};
    return optimizer_scalar(build_binary(step->graph, OP_sub, build_constant(step->graph, DTYPE_F32, 1), option.value));
}

OptimizerOption optimizer_times(const OptimizerStep *step, Op op, OptimizerOption a, OptimizerOption b) {
    return optimizer_scalar(build_binary(step->graph, op, scalar(step, a), scalar(step, b)));
}

Value optimizer_scale(const OptimizerStep *step, Op op, Value x, OptimizerOption number) {
    Type type = graph_type(step->graph, x);
    return build_binary(step->graph, op, x, build_broadcast(step->graph, scalar(step, number), &type));
}

Value optimizer_root(const OptimizerStep *step, Value x) {
    return step->is_differentiated ? build_root(step->graph, x) : build_unary(step->graph, OP_sqrt, x);
}

// As torch.optim: (1 - keep) g first, so that the square stays in the range of f32 where its share does.
Value optimizer_mix_square(const OptimizerStep *step, OptimizerOption keep, Value old, Value g) {
    Value part = build_binary(step->graph, OP_mul, optimizer_scale(step, OP_mul, g, optimizer_one_minus(step, keep)), g);
    return build_binary(step->graph, OP_add, optimizer_scale(step, OP_mul, old, keep), part);
}

Value optimizer_mix(const OptimizerStep *step, OptimizerOption keep, Value old, Value x) {
    return build_binary(step->graph, OP_add, optimizer_scale(step, OP_mul, old, keep),
                        optimizer_scale(step, OP_mul, x, optimizer_one_minus(step, keep)));
}
