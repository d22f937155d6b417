// Optimizer: what one has - sets of parameters, moments, an average, a count - and the numbers of its options.
#include "compiler/read/reader.h"

bool optimizer_number(Reader *reader, const Json *json, Scope *scope, OptimizerOption *out) {
    Datum datum = evaluate(reader, json, scope);
    if (datum.kind == DATUM_ERROR)
        return false;
    *out = (OptimizerOption){.name = json->key, .is_static = is_static_number(datum)};
    if (out->is_static) {
        out->number = datum_double(datum);
        return true;
    }
    if (datum.kind != DATUM_TENSOR || graph_type(reader->stage->graph, datum.tensor).rank ||
        graph_type(reader->stage->graph, datum.tensor).dtype == DTYPE_BOOL)
        return reader_error_at(reader, json, "a number expected, not %s", datum_word(reader, datum));
    out->value = build_cast(reader->stage->graph, datum.tensor, DTYPE_F32);
    return true;
}

bool optimizer_numbers(Reader *reader, const OptimizerDecl *optimizer, const OptimizerRow *row, OptimizerStep *step) {
    const Json *options = json_get(optimizer->json, optimizer->rule->name);
    OptimizerOption *given = ARENA_NEW(reader->arena, OptimizerOption, options->count + (row ? row->json->count : 0) + 1);
    step->options = given;
    step->option_count = 0;
    for (const Json *option = options->first; option; option = option->next)
        if ((!row || !json_get(row->json, option->key)) &&
            !optimizer_number(reader, option, &optimizer->document->scope, &given[step->option_count++]))
            return false;
    for (const Json *option = row ? row->json->first : NULL; option; option = option->next)
        if (strcmp(option->key, "of") && strcmp(option->key, "doc") &&
            !optimizer_number(reader, option, &optimizer->document->scope, &given[step->option_count++]))
            return false;
    return true;
}

// As the row of the set says, else as the rule.
static const Json *option_of(const OptimizerDecl *optimizer, const NetworkSet *set, const char *name) {
    const Json *own = set->row ? json_get(set->row->json, name) : NULL;
    return own ? own : json_get(json_get(optimizer->json, optimizer->rule->name), name);
}

static bool has_momentum(Reader *reader, const OptimizerDecl *optimizer, const NetworkSet *set) {
    const Json *momentum = option_of(optimizer, set, "momentum");
    OptimizerOption option;
    Stage *outer = reader->stage;
    if (!momentum)
        return false;
    reader->stage = stage_create(reader, STAGE_REHEARSAL); // it may be known at run time only
    bool is_kept = !optimizer_number(reader, momentum, &optimizer->document->scope, &option) || !option.is_static || option.number != 0;
    reader->stage = outer;
    return is_kept;
}

static uint32_t declare(Reader *reader, const OptimizerDecl *optimizer, const char *what, StateKind kind, const NetworkSet *set) {
    const char *prefix = arena_format(reader->arena, "%s.%s.", optimizer->name, what);
    const State parameters = reader->module->states.items[set->state];
    Init init = kind == STATE_EMA ? (Init){.kind = INIT_COPY, .copy = parameters.name} : (Init){.kind = INIT_CONSTANT};
    uint32_t index = state_declare(reader, arena_format(reader->arena, "%s%s", prefix, parameters.name), kind, parameters.type, init,
                                   set->network->name);
    reader->module->states.items[index].stem = arena_format(reader->arena, "%s%s", prefix, set->network->name);
    return index;
}

static void declare_moments(Reader *reader, OptimizerDecl *optimizer) {
    for (uint32_t k = 0; optimizer->rule->moments[k]; k++) {
        char letter[] = {optimizer->rule->moments[k], 0};
        bool is_conditional = strstr(optimizer->rule->if_momentum, letter) != NULL;
        for (uint32_t i = 0; i < optimizer->sets.count; i++) {
            const NetworkSet *set = optimizer->sets.items[i];
            bool is_kept = !is_conditional || has_momentum(reader, optimizer, set);
            uint32_t index = is_kept ? declare(reader, optimizer, letter, STATE_MOMENT, set) : UINT32_MAX;
            array_push(reader->arena, &optimizer->moments[k], index);
        }
    }
}

static bool names_any(const OptimizerDecl *optimizer) {
    for (uint32_t i = 0; i < optimizer->of.items.count; i++) {
        const Pattern *pattern = &optimizer->of.items.items[i];
        if (pattern->is_glob || (pattern->network && parameters_owner(pattern->network)->found.parts.count))
            return true;
    }
    return false;
}

static bool prepare(Reader *reader, OptimizerDecl *optimizer) {
    const Json *of = json_get(optimizer->json, "of");
    OptimizerInfo info = {.name = optimizer->name};
    uint32_t count;
    const OptimizerRule *rules = optimizer_rules(&count);
    for (uint32_t i = 0; i < count; i++)
        if (json_get(optimizer->json, rules[i].name))
            optimizer->rule = &rules[i];
    if (!patterns_gather(reader, optimizer, &info))
        return false;
    if (!optimizer->sets.count)
        return reader_error_at(reader, of, names_any(optimizer) ? "all parameters that it names have another optimizer, of a document that includes this one"
                                                                : "there are no parameters to optimize");
    optimizer->has_ema = json_get(optimizer->json, "ema") != NULL;
    declare_moments(reader, optimizer);
    for (uint32_t i = 0; optimizer->has_ema && i < optimizer->sets.count; i++)
        array_push(reader->arena, &optimizer->ema, declare(reader, optimizer, "ema", STATE_EMA, optimizer->sets.items[i]));
    optimizer->count = state_declare(reader, arena_format(reader->arena, "%s.count", optimizer->name), STATE_COUNT, type_scalar(DTYPE_I32),
                                     (Init){.kind = INIT_CONSTANT}, NULL);
    reader->module->states.items[optimizer->count].rule = optimizer->rule->moments_of;
    info.rule = optimizer->rule->name;
    info.has_ema = optimizer->has_ema;
    array_push(reader->arena, &reader->module->optimizers, info);
    return true;
}

bool optimizer_prepare(Reader *reader, OptimizerDecl *optimizer) {
    if (!optimizer->ready) {
        ReaderPlace old = reader_enter(reader, optimizer->json, NULL);
        optimizer->ready = true;
        optimizer->failed = !prepare(reader, optimizer);
        reader_leave(reader, old);
    }
    return !optimizer->failed;
}

bool optimizer_keeps(const OptimizerDecl *optimizer, uint32_t k, uint32_t set) {
    return set < optimizer->moments[k].count && optimizer->moments[k].items[set] != UINT32_MAX;
}

Datum optimizer_ema(Reader *reader, Network *network) {
    network = parameters_owner(network);
    SetDatum *set = ARENA_NEW(reader->arena, SetDatum, 1);
    bool is_kept = false;
    if (!network_build(reader, network, reader->at))
        return datum_error();
    if (network->building)
        return reader_error(reader, "the parameters of \"%s\" are not yet known inside it", network->name);
    if (reader->stage->kind == STAGE_TABLE)
        return reader_error(reader, "parameters are known at run time only");
    for (uint32_t i = 0; i < network->sets.count; i++) {
        const NetworkSet *own = network->sets.items[i];
        OptimizerDecl *optimizer = own->optimizer;
        uint32_t state = own->state;
        bool has_ema = optimizer && json_get(optimizer->json, "ema");
        if (has_ema && !optimizer_prepare(reader, optimizer))
            return datum_error();
        for (uint32_t k = 0; has_ema && k < optimizer->sets.count; k++)
            if (optimizer->sets.items[k] == own) {
                state = optimizer->ema.items[k];
                is_kept = true;
            }
        array_push(reader->arena, &set->items, ((SetValue){own->set, stage_read(reader, state)}));
    }
    if (!is_kept)
        return reader_error(reader, "no optimizer keeps an \"ema\" of \"%s\"", network->name);
    return (Datum){.kind = DATUM_SET, .set = set};
}
