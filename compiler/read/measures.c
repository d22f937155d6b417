// Measures: what a phase may report of its optimizers' updates - OPT.lr, OPT.norm, OPT.skipped.
#include "compiler/read/reader.h"

static UpdateMeasure *find(Stage *stage, const OptimizerDecl *optimizer) {
    for (uint32_t i = 0; i < stage->measures.count; i++)
        if (stage->measures.items[i].optimizer == optimizer)
            return &stage->measures.items[i];
    return NULL;
}

void measures_note(Reader *reader, const UpdateMeasure *of_update) {
    Stage *stage = reader->stage;
    UpdateMeasure *old = find(stage, of_update->optimizer);
    if (!old) {
        array_push(reader->arena, &stage->measures, *of_update);
        return;
    }
    Value skipped = of_update->skipped;
    if (old->skipped.id && skipped.id)
        skipped = build_binary(stage->graph, OP_add, old->skipped, skipped);
    *old = *of_update;
    old->skipped = skipped;
}

Value measures_finite(Reader *reader, const Value *gradients, uint32_t count) {
    Graph *graph = reader->stage->graph;
    Value wild = {0};
    for (uint32_t i = 0; i < count; i++) {
        Value is_wild = build_unary(graph, OP_logical_not, build_unary(graph, OP_is_finite, gradients[i]));
        Value part = build_reduce(graph, OP_reduce_sum, build_cast(graph, is_wild, DTYPE_F32), NULL, 0);
        wild = wild.id ? build_binary(graph, OP_add, wild, part) : part;
    }
    return build_binary(graph, OP_eq, wild, build_constant(graph, DTYPE_F32, 0));
}

Value measures_squares(Reader *reader, const Value *gradients, uint32_t count) {
    Graph *graph = reader->stage->graph;
    Value sum = {0};
    for (uint32_t i = 0; i < count; i++) {
        Value part = build_reduce(graph, OP_reduce_sum, build_binary(graph, OP_mul, gradients[i], gradients[i]), NULL, 0);
        sum = sum.id ? build_binary(graph, OP_add, sum, part) : part;
    }
    return sum;
}

Datum measures_read(Reader *reader, const OptimizerDecl *optimizer, const char *name) {
    static const char *const known[] = {"lr", "norm", "skipped"};
    uint32_t at = 0;
    while (at < 3 && strcmp(known[at], name))
        at++;
    if (at == 3)
        return reader_error(reader, "no \"%s\" in an optimizer%s", name, reader_suggest_words(reader, name, known, 3));
    Graph *graph = reader->stage->graph;
    const UpdateMeasure *measure = reader->stage->kind == STAGE_PHASE ? find(reader->stage, optimizer) : NULL;
    if (!measure && accumulate_check_measure(reader, optimizer->name, name))
        return datum_error();
    if (!measure)
        return reader_error(reader, "\"%s\" is not updated before this in this phase: its %s is of an update", optimizer->name, name);
    if (!measure->gradients) // reported
        return datum_error();
    if (at == 0)
        return datum_tensor(measure->lr.is_static ? build_constant(graph, DTYPE_F32, measure->lr.number) : measure->lr.value);
    if (at == 1)
        return datum_tensor(build_unary(graph, OP_sqrt, measures_squares(reader, measure->gradients, optimizer->sets.count)));
    return datum_tensor(measure->skipped.id ? measure->skipped : build_constant(graph, DTYPE_F32, 0));
}

void measures_report(Reader *reader) {
    Graph *graph = reader->stage->graph;
    for (uint32_t i = 0; i < reader->stage->measures.count; i++) {
        const UpdateMeasure *measure = &reader->stage->measures.items[i];
        Output output = {.kind = OUTPUT_REPORT,
                         .name = arena_format(reader->arena, "%s.skipped", measure->optimizer->name),
                         .value = measure->skipped,
                         .counts_skips = true};
        if (!output.value.id)
            continue;
        uint32_t at = 0;
        while (at < graph->outputs.count && strcmp(graph->outputs.items[at].name, output.name))
            at++;
        if (at < graph->outputs.count)
            graph->outputs.items[at].counts_skips = true;
        else
            graph_output(graph, output);
    }
}
