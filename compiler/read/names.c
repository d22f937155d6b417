// Names: what a name or a chain of names in an expression stands for - values, numbers of the run, networks, optimizers, lets - and its value.
#include "compiler/read/reader.h"
#include <math.h>

// Whether "records" is one number in the phase that is read.
static bool has_records(Reader *reader) {
    const Feed *first = NULL;
    for (uint32_t i = 0; reader->phase && i < reader->phase->feeds.count; i++) {
        const Feed *feed = &reader->phase->feeds.items[i];
        if (first && first->batch != feed->batch) {
            reader_error(reader, "\"records\" is how many of a batch were fed, and \"%s\" takes %u a batch, \"%s\" %u", first->name,
                         first->batch, feed->name, feed->batch);
            return false;
        }
        first = feed;
    }
    if (!first && reader->phase)
        reader_error(reader, "\"records\" is how many of a batch were fed, and the phase \"%s\" feeds nothing", reader->phase->name);
    return first || !reader->phase;
}

// What a name stands for; while nodes are counted, only what none of them makes.
static Datum named(const Reader *reader, Datum datum) {
    bool is_known = is_static_number(datum) || datum.kind == DATUM_NONE || datum.kind == DATUM_LATER || datum.kind == DATUM_DOCUMENT;
    return reader->counting && !is_known ? datum_error() : datum;
}

static const char *const numbers[] = {"step", "steps", "epoch", "epoch_steps", "records"};

bool evaluate_is_number(const char *name) {
    bool is_found = !strcmp(name, "pi") || !strcmp(name, "inf");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        is_found = is_found || !strcmp(numbers[i], name);
    return is_found;
}

static Datum number_named(Reader *reader, const char *name) {
    if (!strcmp(name, "pi"))
        return datum_number(M_PI);
    if (!strcmp(name, "inf"))
        return datum_number(INFINITY);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(numbers[i], name))
            continue;
        if (reader->stage->kind == STAGE_TABLE)
            return reader_error(reader, "\"%s\" is known at run time only; a table, a shape and a state are made when compiling", name);
        if (!strcmp(name, "records") && !has_records(reader))
            return datum_error();
        if (!strcmp(name, "records") && accumulate_finish(reader) == reader->stage)
            return reader_error(reader, "\"records\" is of a batch, and this is done after the last one: give what you mean a name before");
        return datum_tensor(graph_add(reader->stage->graph, OP_number, NULL, 0, (Attr[]){attr_text(name)}, 1));
    }
    return datum_none();
}

static Datum optimizer_named(const Document *document, const char *name) {
    for (uint32_t i = 0; document && i < document->optimizers.count; i++)
        if (!strcmp(document->optimizers.items[i].name, name))
            return (Datum){.kind = DATUM_OPTIMIZER, .optimizer = document->optimizers.items[i].optimizer};
    return datum_none();
}

static Datum attribute(Reader *reader, Datum base, const char *name) {
    if (base.kind == DATUM_ERROR)
        return base;
    if (base.kind == DATUM_DOCUMENT) {
        Datum *found = scope_find(&base.document->scope, name);
        Datum optimizer = optimizer_named(base.document, name);
        return found ? named(reader, *found)
               : optimizer.kind == DATUM_OPTIMIZER ? named(reader, optimizer)
                     : reader_error(reader, "no \"%s\" in the included document%s", name, scope_names(reader, &base.document->scope, name));
    }
    if (base.kind == DATUM_OPTIMIZER)
        return measures_read(reader, base.optimizer, name);
    if (base.kind != DATUM_RECORD)
        return reader_error(reader, "no \"%s\" in %s", name, datum_word(reader, base));
    ARRAY(const char *) names = {0};
    for (uint32_t i = 0; i < base.record->items.count; i++) {
        if (!strcmp(base.record->items.items[i].name, name))
            return accumulate_inner(reader, base, name, base.record->items.items[i].datum);
        array_push(reader->arena, &names, base.record->items.items[i].name);
    }
    return reader_error(reader, "no output \"%s\"%s", name, reader_suggest_words(reader, name, names.items, names.count));
}

// What the rest of a chain behind a network's name stands for: its EMA, one of its parameters, or one of its EMA's.
static Datum network_attribute(Reader *reader, Network *network, const Tree *const *chain, uint32_t count) {
    Text path = text_create(reader->arena);
    for (uint32_t i = count; i-- > 0;)
        text_format(&path, "%s%s", path.length ? "." : "", chain[i]->name);
    if (count == 1 && strcmp(path.data, "ema") && text_nearest(path.data, (const char *const[]){"ema"}, 1))
        return reader_error(reader, "no \"%s\" in a network; did you mean \"ema\"?", path.data);
    if (strcmp(chain[count - 1]->name, "ema"))
        return parameters_named(reader, network, path.data);
    Datum ema = optimizer_ema(reader, network);
    return count == 1 || ema.kind != DATUM_SET ? ema : parameters_of_set(reader, ema.set, network, path.data + strlen("ema."));
}

static Datum evaluate_chain(Reader *reader, const Tree *tree, Scope *scope) {
    ARRAY(const Tree *) chain = {0}; // the last name first
    for (; tree->kind == TREE_ATTR; tree = tree->children.items[0])
        array_push(reader->arena, &chain, tree);
    Datum datum = evaluate_name(reader, tree, scope);
    while (chain.count) {
        reader_offset(reader, chain.items[chain.count - 1]->offset);
        if (datum.kind == DATUM_NETWORK)
            return network_attribute(reader, datum.network, chain.items, chain.count);
        datum = attribute(reader, datum, chain.items[--chain.count]->name);
    }
    return datum;
}

Datum evaluate_name(Reader *reader, const Tree *tree, Scope *scope) {
    if (tree->kind == TREE_ATTR)
        return evaluate_chain(reader, tree, scope);
    if (tree->kind != TREE_NAME)
        return evaluate_tree(reader, tree, scope);
    reader_offset(reader, tree->offset);
    Datum *found = scope_find(scope, tree->name);
    if (found)
        return accumulate_cross(reader, tree->name, named(reader, *found));
    Datum number = number_named(reader, tree->name);
    if (number.kind != DATUM_NONE)
        return number;
    Datum optimizer = optimizer_named(scope->document, tree->name);
    if (optimizer.kind == DATUM_OPTIMIZER)
        return named(reader, optimizer);
    if (!strcmp(tree->name, "$"))
        return reader_error(
            reader, "there is no previous result here: \"$\" is the result of the node before, or a block's or network's first input");
    return reader_error(reader, "unknown name \"%s\"%s", tree->name, scope_names(reader, scope, tree->name));
}

Datum evaluate_raw(Reader *reader, const Json *json, Scope *scope) {
    ReaderPlace old = reader_enter(reader, json, json->string);
    const Tree *tree = evaluate_parse(reader, json);
    Datum datum = tree ? evaluate_name(reader, tree, scope) : datum_error();
    reader_leave(reader, old);
    return datum;
}

static Datum resolve_later(Reader *reader, Later *later) {
    later->used = true;
    if (later->given.kind != DATUM_ERROR)
        return later->given;
    if (later->busy) {
        reader_error_at(reader, later->json, "let \"%s\" depends on itself", later->name);
        return datum_error();
    }
    if (!limit_enter_expression(reader))
        return datum_error();
    later->busy = true;
    Datum datum = evaluate(reader, later->json, later->scope);
    later->busy = false;
    limit_leave_expression(reader);
    if (datum.kind == DATUM_NONE) {
        reader_error_at(reader, later->json, "let \"%s\" has no value here: it must be given (\"with\", a preset or -D %s=…)", later->name,
                        later->name);
        return datum_error();
    }
    return datum;
}

Datum evaluate_resolve(Reader *reader, Datum datum) {
    switch (datum.kind) {
    case DATUM_LATER:
        return resolve_later(reader, datum.later);
    case DATUM_TABLE:
        return table_read(reader, datum.table);
    case DATUM_STATE: {
        while (reader->state_read.count <= datum.state.index)
            array_push(reader->arena, &reader->state_read, false);
        reader->state_read.items[datum.state.index] = true;
        if (reader->stage->kind == STAGE_TABLE)
            return reader_error(reader, "a state is known at run time only");
        return datum_tensor(state_read(reader, datum.state));
    }
    case DATUM_NETWORK:
        return set_of_network(reader, datum.network);
    case DATUM_DOCUMENT:
        return reader_error(reader, "an included document is no value; write NAME.something");
    case DATUM_OPTIMIZER:
        return reader_error(reader, "an optimizer is no value; its last update has %s.lr, %s.norm and %s.skipped", datum.optimizer->name,
                            datum.optimizer->name, datum.optimizer->name);
    default:
        return datum;
    }
}
