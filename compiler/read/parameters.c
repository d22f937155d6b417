// Parameters: what networks own by name, the flat sets in which it lies, and networks that share another's or begin as a copy of it.
#include "compiler/read/reader.h"

enum { SETS_MAX = UINT16_MAX }; // as Type.set counts them

Network *parameters_owner(Network *network) { return network->owner ? network->owner : network; }

static uint32_t find(const Network *network, const char *full) {
    return network->found.names ? name_table_find(network->found.names, full) : UINT32_MAX;
}

const char *parameters_suggest(Reader *reader, const Network *network, const char *full) {
    enum { SHOWN = 8 };
    ARRAY(const char *) names = {0};
    for (uint32_t i = 0; i < network->found.parts.count; i++)
        array_push(reader->arena, &names, network->found.parts.items[i].name);
    const char *nearest = text_nearest(full, names.items, names.count);
    if (nearest || names.count <= SHOWN)
        return reader_suggest_words(reader, full, names.items, names.count);
    return arena_format(reader->arena, "%s and %u more (gcc-graph summary lists the layers)",
                        text_suggestion(reader->arena, full, names.items, SHOWN), names.count - SHOWN);
}

// ---- what nodes own

// How a parameter of a copy begins; false where what it copies has none such.
static bool copy_part(Reader *reader, const Network *network, const char *full, const Type *type, Init *init) {
    const Network *source = network->source;
    const char *name = arena_format(reader->arena, "%s%s", source->name, full + strlen(network->name));
    uint32_t i = find(source, name);
    *init = (Init){.kind = INIT_COPY, .copy = name};
    if (i == UINT32_MAX)
        reader_error(reader, "\"%s\" begins as a copy of \"%s\", which has no \"%s\" (%s here)%s", network->name, source->name, name,
                     type_text(reader->arena, type), parameters_suggest(reader, source, name));
    else if (!type_equal(&source->found.parts.items[i].type, type))
        reader_error(reader, "\"%s\" begins as a copy of \"%s\": \"%s\" is %s, \"%s\" would be %s", network->name, source->name, name,
                     type_text(reader->arena, &source->found.parts.items[i].type), full, type_text(reader->arena, type));
    else
        return true;
    return false;
}

bool parameters_declare(Reader *reader, Network *network, const char *full, const Type *type, const Init *init) {
    Network *owner = parameters_owner(network);
    Set *set = &owner->found;
    uint32_t i = find(owner, full);
    if (i == UINT32_MAX && network->owner) {
        reader_error(reader, "\"%s\" shares the parameters of \"%s\", which has no \"%s\" (%s here)%s", network->name, owner->name, full,
                     type_text(reader->arena, type), parameters_suggest(reader, owner, full));
        return false;
    }
    if (i == UINT32_MAX && !network->building) {
        reader_error(reader, "the parameter \"%s\" is not always there: it may not depend on the sizes of a call", full);
        return false;
    }
    if (i == UINT32_MAX) {
        Part part = {.name = full, .type = *type, .init = *init, .offset = set->count};
        if (network->source && !copy_part(reader, network, full, type, &part.init))
            return false;
        if (!set->names)
            set->names = name_table_create(reader->arena);
        name_table_add(set->names, full, set->parts.count);
        array_push(reader->arena, &set->parts, part);
        set->count += type_count(type);
        return true;
    }
    if (type_equal(&set->parts.items[i].type, type))
        return true;
    const char *theirs = type_text(reader->arena, &set->parts.items[i].type), *ours = type_text(reader->arena, type);
    if (network->owner)
        reader_error(reader, "\"%s\" shares \"%s\", which is %s; here it would be %s", network->name, full, theirs, ours);
    else
        reader_error(reader, "\"%s\" is %s, here it would be %s: parameters may not depend on the sizes of a call", full, theirs, ours);
    return false;
}

Value parameters_read(Reader *reader, const Network *network, uint32_t number, const SetDatum *given) {
    PartPlace place = network->places.items[number];
    const NetworkSet *own = network->sets.items[place.set];
    const SetValue *found = given ? set_find(given, own->set) : NULL;
    bool is_other = given && !found; // a record of an optimizer holds no more than it optimizes: the rest is as it is
    for (uint32_t i = 0; given && is_other && i < network->sets.count; i++)
        is_other = !set_find(given, network->sets.items[i]->set);
    if (is_other) {
        reader_error(reader, "the parameter set has no \"%s\"", network->found.parts.items[number].name);
        return (Value){0};
    }
    return set_part(reader, found ? *found : (SetValue){own->set, stage_read(reader, own->state)}, place.part);
}

// ---- sets

static NetworkSet *add_set(Reader *reader, Network *network, const NetworkSet *like) {
    NetworkSet *own = ARENA_NEW(reader->arena, NetworkSet, 1);
    *own = *like;
    own->network = network;
    array_push(reader->arena, &network->sets, own);
    return own;
}

// The state that holds the set's numbers; of a copy, `from` is the one that it begins as.
static void declare_state(Reader *reader, Network *network, NetworkSet *own, const char *from) {
    uint32_t number = network->sets.count - 1;
    const char *name = number ? arena_format(reader->arena, "%s/%u", network->name, number) : network->name;
    uint32_t count = (uint32_t)reader->module->sets.items[own->set - 1].count;
    Type type = {.dtype = DTYPE_F32, .rank = 1, .set = (uint16_t)own->set, .dims = {count}};
    Init init = from ? (Init){.kind = INIT_COPY, .copy = from} : (Init){.kind = INIT_CONSTANT};
    own->state = state_declare(reader, name, STATE_PARAMETERS, type, init, network->name);
    reader->module->states.items[own->state].stem = network->name;
}

// A copy that no optimizer has lies as what it copies does, so that both are mixed set by set.
static bool settle_copy(Reader *reader, Network *network) {
    const Network *source = network->source;
    for (uint32_t i = 0; i < source->found.parts.count; i++) {
        const Part *part = &source->found.parts.items[i];
        const char *name = arena_format(reader->arena, "%s%s", network->name, part->name + strlen(source->name));
        if (find(network, name) == UINT32_MAX)
            return reader_error_at(reader, network->declared, "\"%s\" begins as a copy of \"%s\", but has no \"%s\" (%s there)",
                                   network->name, source->name, name, type_text(reader->arena, &part->type));
    }
    return true;
}

static void lie_as_source(Reader *reader, Network *network) {
    const Network *source = network->source;
    for (uint32_t i = 0; i < source->sets.count; i++) {
        NetworkSet *own = add_set(reader, network, &(NetworkSet){.set = source->sets.items[i]->set});
        declare_state(reader, network, own, reader->module->states.items[source->sets.items[i]->state].name);
    }
    for (uint32_t i = 0; i < network->found.parts.count; i++)
        array_push(reader->arena, &network->places, source->places.items[find(source, network->found.parts.items[i].init.copy)]);
}

// One set for each optimizer and row of its "parts" that has any, and one for what none has.
static void group(Reader *reader, Network *network, const NetworkSet *claims) {
    Set *sets = ARENA_NEW(reader->arena, Set, network->found.parts.count);
    for (uint32_t i = 0; i < network->found.parts.count; i++) {
        Part part = network->found.parts.items[i];
        uint32_t at = 0;
        while (at < network->sets.count &&
               (network->sets.items[at]->optimizer != claims[i].optimizer || network->sets.items[at]->row != claims[i].row))
            at++;
        if (at == network->sets.count) {
            add_set(reader, network, &claims[i]);
            sets[at] = (Set){.network = network->name, .names = name_table_create(reader->arena)};
        }
        name_table_add(sets[at].names, part.name, sets[at].parts.count);
        array_push(reader->arena, &network->places, ((PartPlace){at, sets[at].parts.count}));
        part.offset = sets[at].count;
        array_push(reader->arena, &sets[at].parts, part);
        sets[at].count += type_count(&part.type);
    }
    uint32_t count = network->sets.count;
    for (network->sets.count = 0; network->sets.count < count;) {
        NetworkSet *own = network->sets.items[network->sets.count++];
        array_push(reader->arena, &reader->module->sets, sets[network->sets.count - 1]);
        own->set = reader->module->sets.count;
        declare_state(reader, network, own, NULL);
    }
}

// What an included document's own optimizers have is trained by that document alone.
static bool is_of_main(const Reader *reader, const OptimizerDecl *optimizer) {
    for (uint32_t i = 0; i < reader->main->optimizers.count; i++)
        if (reader->main->optimizers.items[i].optimizer == optimizer)
            return true;
    return false;
}

bool parameters_settle(Reader *reader, Network *network) {
    network->info.count = network->found.count;
    network->info.shares = network->owner ? network->owner->name : NULL;
    network->info.copy = network->source ? network->source->name : NULL;
    uint32_t count = network->found.parts.count;
    if (network->source && !settle_copy(reader, network))
        return false;
    if (!count)
        return true;
    if (network->found.count > UINT32_MAX)
        return reader_error_at(reader, network->declared, "%s parameters; a network has at most %s",
                               text_thousands(reader->arena, network->found.count), text_thousands(reader->arena, UINT32_MAX));
    NetworkSet *claims = ARENA_NEW(reader->arena, NetworkSet, count);
    bool is_optimized = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!patterns_claim(reader, network->found.parts.items[i].name, &claims[i]))
            return false;
        is_optimized = is_optimized || claims[i].optimizer;
        network->info.optimized += is_of_main(reader, claims[i].optimizer) ? type_count(&network->found.parts.items[i].type) : 0;
    }
    if (network->source && !is_optimized)
        lie_as_source(reader, network);
    else
        group(reader, network, claims);
    return reader->module->sets.count <= SETS_MAX ||
           reader_error_at(reader, network->declared, "more than %s networks and parts of optimizers have parameters",
                           text_thousands(reader->arena, SETS_MAX));
}

// ---- by name

static Datum unknown(Reader *reader, const Network *owner, const char *full) {
    return reader_error(reader, "no parameter \"%s\"%s%s", full, owner->building ? " before this" : "",
                        parameters_suggest(reader, owner, full));
}

Datum parameters_named(Reader *reader, Network *network, const char *path) {
    Call *call = reader->call;
    if (reader->stage->kind == STAGE_TABLE)
        return reader_error(reader, "parameters are known at run time only");
    if (call && call->network && call->network->json == network->json) // by its template's name a network means itself
        network = call->network;
    Network *owner = parameters_owner(network);
    if (!network_build(reader, owner, reader->at))
        return datum_error();
    const char *full = arena_format(reader->arena, "%s.%s", owner->name, path);
    uint32_t number = find(owner, full);
    if (number == UINT32_MAX)
        return unknown(reader, owner, full);
    if (!owner->building) {
        const SetDatum *given = call ? call->given : NULL;
        bool is_given = false; // where a call is given sets of other networks, this one's are as they are
        for (uint32_t i = 0; given && i < owner->sets.count; i++)
            is_given = is_given || set_find(given, owner->sets.items[i]->set);
        return datum_tensor(parameters_read(reader, owner, number, is_given ? given : NULL));
    }
    Type type = owner->found.parts.items[number].type;
    int64_t ints[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++)
        ints[i] = type.dims[i];
    return datum_tensor(
        graph_add(reader->stage->graph, OP_feed, NULL, 0, (Attr[]){attr_text(full), attr_text("f32"), attr_ints(ints, type.rank)}, 3));
}

Datum parameters_of_set(Reader *reader, const SetDatum *set, Network *network, const char *path) {
    Network *owner = parameters_owner(network);
    const char *full = arena_format(reader->arena, "%s.%s", owner->name, path);
    uint32_t number = find(owner, full);
    return number == UINT32_MAX ? unknown(reader, owner, full) : datum_tensor(parameters_read(reader, owner, number, set));
}
