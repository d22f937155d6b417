// Update: gradients by parameters, and optimizers' steps on flat parameter sets.
#include "compiler/ir/differentiate.h"
#include "compiler/read/reader.h"
#include <math.h>

// A look-ahead record: what an optimizer's step reads and gives. Arrays are by OptimizerDecl.sets.
struct LookAhead {
    const OptimizerDecl *optimizer;
    Value *parameters, *moments[2], *ema;
    Value count;
    // Of the step that made it, NULL and {0} where none did:
    const Value *gradients; // before clipping
    OptimizerOption lr;
    Value is_finite; // a bool: the gradients of all steps so far; {0}: not asked for
};

// ---- gradients

static bool scalar_expected(Reader *reader, const Json *json, Value *value) {
    if (!value->id)
        return false;
    Type type = graph_type(reader->stage->graph, *value);
    if (type.dtype != DTYPE_F32 || type_count(&type) != 1)
        return reader_error_at(reader, json, "the gradient of a scalar is expected, not of %s", type_text(reader->arena, &type));
    *value = build_reshape(reader->stage->graph, *value, 0, NULL);
    return true;
}

// Zeros where the scalar does not depend on the target; counts where it does.
static Value gradient_by(Reader *reader, Value scalar, const bool *dependence, Value target, uint32_t *dependent) {
    Graph *graph = reader->stage->graph;
    if (reader->stage->kind == STAGE_PHASE && scalar.id && target.id <= scalar.id && dependence[target.id]) {
        ++*dependent;
        return graph_add(graph, OP_gradient, (Value[]){scalar, target}, 2, NULL, 0);
    }
    Type type = graph_type(graph, target);
    return build_full(graph, &type, 0);
}

static bool check_dependent(Reader *reader, const Json *json, uint32_t dependent) {
    return dependent || reader->stage->kind != STAGE_PHASE ||
           reader_error_at(
               reader, json,
               "the value does not depend on what it is differentiated by (was it computed before an update of it, or detached?)");
}

// By the parts of a set, together as a set.
static Value gradient_by_set(Reader *reader, Value scalar, SetValue set, uint32_t *dependent) {
    uint32_t count = reader->module->sets.items[set.set - 1].parts.count;
    Value *parts = ARENA_NEW(reader->arena, Value, count);
    Arena *scratch = arena_create();
    const bool *dependence = dependences(scratch, reader->stage->graph, scalar);
    for (uint32_t i = 0; i < count; i++)
        parts[i] = gradient_by(reader, scalar, dependence, set_part(reader, set, i), dependent);
    arena_destroy(&scratch);
    return set_pack(reader, set.set, parts);
}

Datum node_gradient(Reader *reader, const Json *node, Scope *scope) {
    const Json *of = json_get(node, "of"), *what = json_get(node, "gradient");
    Datum target = evaluate(reader, of, scope);
    Value scalar = evaluate_tensor(reader, what, scope);
    uint32_t dependent = 0;
    if (target.kind == DATUM_ERROR || !scalar_expected(reader, what, &scalar))
        return datum_error();
    if (target.kind == DATUM_TENSOR && graph_type(reader->stage->graph, target.tensor).dtype == DTYPE_F32) {
        Arena *scratch = arena_create();
        Value gradient = gradient_by(reader, scalar, dependences(scratch, reader->stage->graph, scalar), target.tensor, &dependent);
        arena_destroy(&scratch);
        return check_dependent(reader, what, dependent) ? datum_tensor(gradient) : datum_error();
    }
    if (target.kind != DATUM_SET) {
        reader_error_at(reader, of, "a gradient is taken by an f32 tensor or a network, not by %s", datum_word(reader, target));
        return datum_error();
    }
    SetDatum *result = ARENA_NEW(reader->arena, SetDatum, 1);
    for (uint32_t i = 0; i < target.set->items.count; i++) {
        SetValue set = target.set->items.items[i];
        array_push(reader->arena, &result->items, ((SetValue){set.set, gradient_by_set(reader, scalar, set, &dependent)}));
    }
    return check_dependent(reader, what, dependent) ? (Datum){.kind = DATUM_SET, .set = result} : datum_error();
}

// ---- steps

static LookAhead *record_create(Reader *reader, const OptimizerDecl *optimizer) {
    LookAhead *record = ARENA_NEW(reader->arena, LookAhead, 1);
    uint32_t count = optimizer->sets.count;
    record->optimizer = optimizer;
    record->parameters = ARENA_NEW(reader->arena, Value, count);
    record->ema = ARENA_NEW(reader->arena, Value, count);
    record->moments[0] = ARENA_NEW(reader->arena, Value, count);
    record->moments[1] = ARENA_NEW(reader->arena, Value, count);
    return record;
}

// The values of now.
static LookAhead *record_now(Reader *reader, const OptimizerDecl *optimizer) {
    LookAhead *record = record_create(reader, optimizer);
    for (uint32_t i = 0; i < optimizer->sets.count; i++) {
        record->parameters[i] = stage_read(reader, optimizer->sets.items[i]->state);
        for (uint32_t k = 0; k < 2; k++)
            if (optimizer_keeps(optimizer, k, i))
                record->moments[k][i] = stage_read(reader, optimizer->moments[k].items[i]);
        if (optimizer->has_ema)
            record->ema[i] = stage_read(reader, optimizer->ema.items[i]);
    }
    record->count = stage_read(reader, optimizer->count);
    return record;
}

static Value kept(Reader *reader, Value when, Value new, uint32_t state) {
    Graph *graph = reader->stage->graph;
    if (when.id) {
        Value old = stage_read(reader, state), spread = when;
        Type type = graph_type(graph, old);
        spread = build_broadcast(graph, when, &type);
        new = build_select(graph, spread, new, old);
    }
    return graph_type(graph, new).dtype == DTYPE_F32 ? graph_add(graph, OP_detach, &new, 1, NULL, 0) : new;
}

// Makes a record the current values, where `when` is true ({0}: always).
static void record_store(Reader *reader, const LookAhead *record, Value when) {
    const OptimizerDecl *optimizer = record->optimizer;
    Graph *graph = reader->stage->graph;
    Value skipped = {0};
    if (record->is_finite.id) {
        Value is_wild = build_unary(graph, OP_logical_not, record->is_finite);
        skipped = build_cast(graph, when.id ? build_binary(graph, OP_logical_and, when, is_wild) : is_wild, DTYPE_F32);
        when = when.id ? build_binary(graph, OP_logical_and, when, record->is_finite) : record->is_finite;
    }
    if (record->gradients)
        measures_note(reader, &(UpdateMeasure){optimizer, record->lr, record->gradients, skipped});
    for (uint32_t i = 0; i < optimizer->sets.count; i++) {
        uint32_t state = optimizer->sets.items[i]->state;
        stage_write(reader, state, kept(reader, when, record->parameters[i], state));
        for (uint32_t k = 0; k < 2; k++)
            if (optimizer_keeps(optimizer, k, i))
                stage_write(reader, optimizer->moments[k].items[i],
                            kept(reader, when, record->moments[k][i], optimizer->moments[k].items[i]));
        if (optimizer->has_ema)
            stage_write(reader, optimizer->ema.items[i], kept(reader, when, record->ema[i], optimizer->ema.items[i]));
    }
    stage_write(reader, optimizer->count, kept(reader, when, record->count, optimizer->count));
    for (uint32_t i = 0; i < reader->phase->updates.count; i++)
        if (!strcmp(reader->phase->updates.items[i], optimizer->name))
            return;
    array_push(reader->arena, &reader->phase->updates, optimizer->name);
}

// 1 - beta^count: read from a table that is as long as it differs from 1 in f32, or -(e^(count log beta) - 1) where that is too long, and of a beta
// that is known at run time only.
static Value bias_correction(void *context, const OptimizerOption *beta, Value count) {
    Reader *reader = context;
    Graph *graph = reader->stage->graph;
    enum { LENGTH_MAX = 1 << 16 };
    uint32_t length = 1;
    while (beta->is_static && length < LENGTH_MAX && (float)(1 - pow(beta->number, length - 1)) != 1.0f)
        length++;
    if (!beta->is_static || length == LENGTH_MAX) {
        Value rate = beta->is_static ? build_constant(graph, DTYPE_F32, log(beta->number)) : build_unary(graph, OP_log, beta->value);
        return build_unary(graph, OP_neg, build_unary(graph, OP_expm1, build_binary(graph, OP_mul, build_cast(graph, count, DTYPE_F32), rate)));
    }
    double *data = ARENA_NEW(reader->arena, double, length);
    for (uint32_t i = 0; i < length; i++)
        data[i] = 1 - pow(beta->number, i);
    return build_gather(graph, table_internal(reader, arena_format(reader->arena, "1 - %.17g^n", beta->number), data, length), count);
}

// Notes in `next` what is known of the step; `gradients` will be changed.
static void note_step(Reader *reader, const LookAhead *from, const OptimizerStep *step, const Value *gradients, LookAhead *next) {
    uint32_t count = from->optimizer->sets.count;
    Value *kept_gradients = ARENA_NEW(reader->arena, Value, count);
    memcpy(kept_gradients, gradients, count * sizeof *gradients);
    next->gradients = kept_gradients;
    next->lr = optimizer_option(step, "lr", 0);
    if (reader->stage->kind != STAGE_PHASE || !reader->phase->skips)
        return;
    next->is_finite = measures_finite(reader, gradients, count);
    if (from->is_finite.id)
        next->is_finite = build_binary(reader->stage->graph, OP_logical_and, from->is_finite, next->is_finite);
}

static bool clip_gradients(Reader *reader, const OptimizerDecl *optimizer, const OptimizerStep *step, Value *gradients) {
    const Json *by_value = json_get(optimizer->json, "clip_value"), *by_norm = json_get(optimizer->json, "clip_norm");
    Graph *graph = reader->stage->graph;
    uint32_t count = optimizer->sets.count;
    OptimizerOption limit;
    if (by_value) {
        if (!optimizer_number(reader, by_value, &optimizer->document->scope, &limit))
            return false;
        OptimizerOption low = limit;
        low.number = -limit.number;
        if (!limit.is_static)
            low.value = build_unary(graph, OP_neg, limit.value);
        for (uint32_t i = 0; i < count; i++)
            gradients[i] = optimizer_scale(step, OP_minimum, optimizer_scale(step, OP_maximum, gradients[i], low), limit);
    }
    if (by_norm) {
        if (!optimizer_number(reader, by_norm, &optimizer->document->scope, &limit))
            return false;
        Value sum = measures_squares(reader, gradients, count);
        Value above = limit.is_static ? build_constant(graph, DTYPE_F32, limit.number) : limit.value;
        Value scale = build_binary(graph, OP_div, above, build_number(graph, OP_add, optimizer_root(step, sum), 1e-6));
        scale = build_number(graph, OP_minimum, scale, 1);
        for (uint32_t i = 0; i < count; i++)
            gradients[i] = optimizer_scale(step, OP_mul, gradients[i], optimizer_scalar(scale));
    }
    return true;
}

// One step from a record. NULL after an error.
static LookAhead *advance(Reader *reader, const LookAhead *from, Value *gradients, bool is_differentiated) {
    const OptimizerDecl *optimizer = from->optimizer;
    const Json *ema = json_get(optimizer->json, "ema");
    OptimizerOption keep = {0};
    OptimizerStep step = {.graph = reader->stage->graph,
                          .is_differentiated = is_differentiated,
                          .context = reader,
                          .bias_correction = bias_correction};
    if (!optimizer_numbers(reader, optimizer, NULL, &step) ||
        (ema && !optimizer_number(reader, ema, &optimizer->document->scope, &keep)))
        return NULL;
    LookAhead *next = record_create(reader, optimizer);
    next->count = step.count = build_number(reader->stage->graph, OP_add, from->count, 1);
    note_step(reader, from, &step, gradients, next);
    if (!clip_gradients(reader, optimizer, &step, gradients))
        return NULL;
    for (uint32_t i = 0; i < optimizer->sets.count; i++) {
        SetValue set = {optimizer->sets.items[i]->set, from->parameters[i]};
        OptimizerState state = {.parameters = is_differentiated ? set_repack(reader, set) : set.flat,
                                .gradient = gradients[i],
                                .moments = {from->moments[0][i], from->moments[1][i]}};
        OptimizerStep own = step;
        if (optimizer->sets.items[i]->row && !optimizer_numbers(reader, optimizer, optimizer->sets.items[i]->row, &own))
            return NULL;
        optimizer->rule->advance(&own, &state);
        next->parameters[i] = state.parameters;
        next->moments[0][i] = state.moments[0];
        next->moments[1][i] = state.moments[1];
        if (ema)
            next->ema[i] = optimizer_mix(&step, keep, from->ema[i], state.parameters);
    }
    return next;
}

// ---- nodes

static OptimizerDecl *find(Reader *reader, const Json *name) {
    OptimizerDecl *optimizer = document_optimizer(reader, reader->main, name->string, name);
    return optimizer && optimizer_prepare(reader, optimizer) ? optimizer : NULL;
}

static bool in_phase(Reader *reader, const Json *node) {
    return reader->stage->kind == STAGE_PHASE || reader_error_at(reader, node, "a look-ahead belongs to a phase, not to a network");
}

// By all parameters of a record. NULL after an error.
static Value *gradients_of(Reader *reader, const Json *minimize, Scope *scope, const LookAhead *record) {
    Value loss = evaluate_tensor(reader, minimize, scope);
    if (!scalar_expected(reader, minimize, &loss))
        return NULL;
    uint32_t count = record->optimizer->sets.count, dependent = 0;
    Value *gradients = ARENA_NEW(reader->arena, Value, count);
    for (uint32_t i = 0; i < count; i++)
        gradients[i] =
            gradient_by_set(reader, loss, (SetValue){record->optimizer->sets.items[i]->set, record->parameters[i]}, &dependent);
    return check_dependent(reader, minimize, dependent) ? gradients : NULL;
}

static void show_gradients(Reader *reader, const OptimizerDecl *optimizer, const Value *gradients) {
    Graph *graph = reader->stage->graph;
    for (uint32_t i = 0; i < optimizer->sets.count; i++) {
        const Set *set = &reader->module->sets.items[optimizer->sets.items[i]->set - 1];
        for (uint32_t k = 0; k < set->parts.count; k++) {
            Output output = {.kind = OUTPUT_VALUE,
                             .name = arena_format(reader->arena, "gradients/%s.%s", optimizer->name, set->parts.items[k].name),
                             .value = build_unpack(graph, gradients[i], k),
                             .origin = graph->origin};
            uint32_t at = 0;
            while (at < graph->outputs.count && strcmp(graph->outputs.items[at].name, output.name))
                at++;
            if (at < graph->outputs.count)
                graph->outputs.items[at] = output; // of the last update
            else
                graph_output(graph, output);
        }
    }
}

// False after an error. `is_never`: known to be false when compiling.
static bool read_when(Reader *reader, const Json *when, Scope *scope, bool *is_never, Value *condition) {
    Graph *graph = reader->stage->graph;
    Datum datum = evaluate(reader, when, scope);
    if (datum.kind == DATUM_ERROR)
        return false;
    *is_never = is_static_number(datum) && datum_double(datum) == 0;
    if (is_static_number(datum))
        return true;
    Type type = datum.kind == DATUM_TENSOR ? graph_type(graph, datum.tensor) : (Type){.rank = 1};
    if (type.rank != 0)
        return reader_error_at(reader, when, "true or false expected, not %s", datum_word(reader, datum));
    *condition = build_cast(graph, datum.tensor, DTYPE_BOOL);
    return true;
}

// What an update changes, after the last batch.
static void change_all(Reader *reader, const OptimizerDecl *optimizer, const Json *update) {
    for (uint32_t i = 0; i < optimizer->sets.count; i++) {
        accumulate_change(reader, optimizer->sets.items[i]->state, update);
        for (uint32_t k = 0; k < 2; k++)
            if (optimizer->moments[k].count && optimizer->moments[k].items[i] != UINT32_MAX)
                accumulate_change(reader, optimizer->moments[k].items[i], update);
        if (optimizer->has_ema)
            accumulate_change(reader, optimizer->ema.items[i], update);
    }
    accumulate_change(reader, optimizer->count, update);
}

static bool may_update(Reader *reader, const Json *node) {
    return !reader->phase || !reader->phase->is_eval ||
           reader_error_at(reader, node, "the phase \"%s\" has \"mode\": \"eval\", and updates nothing", reader->phase->name);
}

void node_update(Reader *reader, const Json *node, Scope *scope) {
    reader->updated = reader->updated ? reader->updated : node;
    const Json *when = json_get(node, "when");
    if (reader->stage->kind != STAGE_PHASE || !may_update(reader, node))
        return;
    OptimizerDecl *optimizer = find(reader, json_get(node, "update"));
    if (!optimizer)
        return;
    LookAhead *now = record_now(reader, optimizer), *next = NULL;
    Value *gradients = gradients_of(reader, json_get(node, "minimize"), scope, now), condition = {0};
    bool is_never = false;
    if (gradients && accumulate_is_batch(reader)) {
        gradients = accumulate_gradients(reader, optimizer, gradients);
        accumulate_enter(reader);
        now = record_now(reader, optimizer);
    }
    if (gradients && reader->options->keep_values)
        show_gradients(reader, optimizer, gradients);
    if (gradients && (!when || read_when(reader, when, scope, &is_never, &condition)))
        next = advance(reader, now, gradients, false);
    if (next && is_never) // it can be reported as one that is false at run time
        measures_note(reader, &(UpdateMeasure){.optimizer = optimizer, .lr = next->lr, .gradients = next->gradients});
    else if (next)
        record_store(reader, next, condition);
    else
        measures_note(reader, &(UpdateMeasure){.optimizer = optimizer}); // so that reports of it are no further mistakes
    if (accumulate_finish(reader) == reader->stage) {
        accumulate_leave(reader);
        change_all(reader, optimizer, node);
    }
}

static Datum record_datum(Reader *reader, const LookAhead *record) {
    SetDatum *set = ARENA_NEW(reader->arena, SetDatum, 1);
    for (uint32_t i = 0; i < record->optimizer->sets.count; i++)
        array_push(reader->arena, &set->items, ((SetValue){record->optimizer->sets.items[i]->set, record->parameters[i]}));
    set->record = record;
    return (Datum){.kind = DATUM_SET, .set = set};
}

Datum node_snapshot(Reader *reader, const Json *node) {
    OptimizerDecl *optimizer = in_phase(reader, node) ? find(reader, json_get(node, "snapshot")) : NULL;
    return optimizer ? record_datum(reader, record_now(reader, optimizer)) : datum_error();
}

static const LookAhead *read_record(Reader *reader, const Json *json, Scope *scope) {
    Datum datum = evaluate(reader, json, scope);
    if (datum.kind == DATUM_SET && datum.set->record)
        return datum.set->record;
    if (datum.kind != DATUM_ERROR)
        reader_error_at(reader, json, "what \"snapshot\" or \"step\" gave is expected, not %s", datum_word(reader, datum));
    return NULL;
}

Datum node_step(Reader *reader, const Json *node, Scope *scope) {
    const Json *name = json_get(node, "step"), *from = json_get(node, "from");
    OptimizerDecl *optimizer = in_phase(reader, node) ? find(reader, name) : NULL;
    const LookAhead *record = optimizer ? read_record(reader, from, scope) : NULL;
    if (record && record->optimizer != optimizer) {
        reader_error_at(reader, from, "this is a record of the optimizer \"%s\", not of \"%s\"", record->optimizer->name, optimizer->name);
        return datum_error();
    }
    Value *gradients = record ? gradients_of(reader, json_get(node, "minimize"), scope, record) : NULL;
    const LookAhead *next = gradients ? advance(reader, record, gradients, true) : NULL;
    return next ? record_datum(reader, next) : datum_error();
}

void node_commit(Reader *reader, const Json *node, Scope *scope) {
    const LookAhead *record = in_phase(reader, node) && may_update(reader, node) ? read_record(reader, json_get(node, "commit"), scope) : NULL;
    if (record && accumulate_is_batch(reader))
        reader_error_at(reader, node,
                        "this phase accumulates batches, and steps of each of them have no mean to commit: use \"update\", or take "
                        "\"accumulate\" away");
    else if (record)
        record_store(reader, record, (Value){0});
}
