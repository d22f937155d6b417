// Stage: the graph being built, its states, and what nodes own - parameters, states and draws by their name paths.
#include "compiler/read/reader.h"

Stage *stage_create(Reader *reader, StageKind kind) {
    Stage *stage = ARENA_NEW(reader->arena, Stage, 1);
    stage->kind = kind;
    stage->graph = graph_create(reader->arena, kind == STAGE_TABLE ? reader->exact : reader->module);
    stage->graph->diag = reader->scratch;
    stage->graph->place = reader->place;
    stage->graph->budget = &reader->budget;
    return stage;
}

// ---- states

static void make_room(Reader *reader, Stage *stage, uint32_t state) {
    while (stage->current.count <= state) {
        array_push(reader->arena, &stage->current, ((Value){0}));
        array_push(reader->arena, &stage->initial, ((Value){0}));
    }
}

Value stage_read(Reader *reader, uint32_t state) {
    Stage *stage = reader->stage;
    accumulate_check_read(reader, state);
    make_room(reader, stage, state);
    if (!stage->current.items[state].id) {
        Attr name = attr_text(reader->module->states.items[state].name);
        stage->current.items[state] = stage->initial.items[state] = graph_add(stage->graph, OP_state, NULL, 0, &name, 1);
    }
    return stage->current.items[state];
}

void stage_write(Reader *reader, uint32_t state, Value value) {
    make_room(reader, reader->stage, state);
    reader->stage->current.items[state] = value;
}

Value state_read(Reader *reader, StateRef state) {
    for (uint32_t i = 0; state.call && i < state.call->kept.count; i++)
        if (state.call->kept.items[i].state == state.index)
            return state.call->kept.items[i].value;
    return stage_read(reader, state.index);
}

void state_write(Reader *reader, StateRef state, Value value) {
    if (!state.call || !state.call->keep) {
        stage_write(reader, state.index, value);
        return;
    }
    for (uint32_t i = 0; i < state.call->kept.count; i++)
        if (state.call->kept.items[i].state == state.index) {
            state.call->kept.items[i].value = value;
            return;
        }
    array_push(reader->arena, &state.call->kept, ((struct Kept){state.index, value}));
}

static bool name_twice(Reader *reader, const char *name) {
    return reader_error(reader, "two states would be called \"%s\"; give one of those that make it another name", name), false;
}

uint32_t state_declare(Reader *reader, const char *name, StateKind kind, Type type, Init init, const char *network) {
    if (module_state_index(reader->module, name) != UINT32_MAX && !name_twice(reader, name))
        name = arena_format(reader->arena, "%s (twice)", name); // no further mistakes
    const char *pointer = reader->at ? json_pointer(reader->arena, reader->at) : NULL;
    array_push(reader->arena, &reader->module->states,
               ((State){.name = name, .kind = kind, .type = type, .init = init, .network = network, .pointer = pointer}));
    return reader->module->states.count - 1;
}

// ---- initialisers

static const char *const initial_words[INITIAL_COUNT] = {
    "zeros", "ones", "constant", "normal", "uniform", "kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform", "icnr"};
enum { MAX_ICNR_FACTOR = 64 };
static const char *const part_words[PART_COUNT] = {"weight", "bias", "scale", "shift"};

static bool find_word(const char *word, Initial *out) {
    for (uint32_t i = 0; i < INITIAL_COUNT; i++)
        if (!strcmp(initial_words[i], word)) {
            *out = (Initial)i;
            return true;
        }
    return false;
}

static bool unknown_word(Reader *reader, const Json *json, const char *word) {
    const char *known[INITIAL_COUNT + PART_COUNT];
    memcpy(known, initial_words, sizeof initial_words);
    memcpy(known + INITIAL_COUNT, part_words, sizeof part_words);
    return reader_error_at(reader, json, "unknown init \"%s\"%s", word,
                           reader_suggest_words(reader, word, known, INITIAL_COUNT + PART_COUNT));
}

// { "icnr": factor, "of": initialiser }: of what the channels are drawn, here as the layer's default would be.
static bool read_icnr(Reader *reader, const Json *json, Scope *scope, Initialiser *out) {
    const Json *factor = json_get(json, "icnr"), *of = json_get(json, "of");
    int64_t number = 0;
    for (const Json *item = json->first; item; item = item->next)
        if (item != factor && item != of)
            return reader_error_at(reader, item, "\"icnr\" may have \"of\" beside it, not \"%s\"", item->key);
    if (!evaluate_integer(reader, factor, scope, 1, &number))
        return false;
    if (number > MAX_ICNR_FACTOR)
        return reader_error_at(reader, factor, "a factor of at most %d expected, not %lld", MAX_ICNR_FACTOR, (long long)number);
    if (of && !initialiser_read(reader, of, scope, out))
        return false;
    if (of && out->factor)
        return reader_error_at(reader, of, "an icnr of an icnr");
    out->word = of ? out->word : INITIAL_ICNR;
    out->factor = (uint32_t)number;
    return true;
}

bool initialiser_read(Reader *reader, const Json *json, Scope *scope, Initialiser *out) {
    bool is_word = json->kind == JSON_STRING;
    *out = (Initialiser){0};
    if (json->kind == JSON_OBJECT && json_get(json, "icnr"))
        return read_icnr(reader, json, scope, out);
    if (!is_word && (json->kind != JSON_OBJECT || json->count != 1))
        return reader_error_at(reader, json, "an initialiser is a word (\"zeros\") or an object of one ({ \"normal\": [0, 0.02] })");
    const char *word = is_word ? json->string : json->first->key;
    if (!find_word(word, &out->word))
        return unknown_word(reader, is_word ? json : json->first, word);
    uint32_t wanted = out->word == INITIAL_NORMAL || out->word == INITIAL_UNIFORM  ? 2
                      : out->word == INITIAL_CONSTANT || out->word == INITIAL_ICNR ? 1
                                                                                   : 0;
    if (is_word)
        return wanted == 0 || reader_error_at(reader, json, "\"%s\" needs %u number%s: { \"%s\": %s }", word, wanted, wanted > 1 ? "s" : "",
                                              word, wanted > 1 ? "[a, b]" : "a");
    Datum given = evaluate_static(reader, json->first, scope);
    if (given.kind == DATUM_ERROR)
        return false;
    uint32_t count = given.kind == DATUM_LIST ? given.list->items.count : is_static_number(given) ? 1 : 0;
    if (count != wanted && wanted)
        return reader_error_at(reader, json->first, "\"%s\" needs %u number%s, not %s", word, wanted, wanted > 1 ? "s" : "",
                               datum_word(reader, given));
    for (uint32_t i = 0; i < wanted; i++) {
        Datum number = given.kind == DATUM_LIST ? given.list->items.items[i] : given;
        if (!is_static_number(number))
            return reader_error_at(reader, json->first, "a number expected, not %s", datum_word(reader, number));
        *(i ? &out->b : &out->a) = datum_double(number);
    }
    return true;
}

bool initialisers_read(Reader *reader, const Json *json, Scope *scope, InitialiserSet *out) {
    bool is_by_part = json->kind == JSON_OBJECT;
    for (const Json *item = is_by_part ? json->first : NULL; item; item = item->next) {
        bool is_part = false;
        for (uint32_t i = 0; i < PART_COUNT; i++)
            is_part = is_part || !strcmp(item->key, part_words[i]);
        is_by_part = is_by_part && is_part;
    }
    if (!is_by_part) {
        Initialiser plain;
        if (!initialiser_read(reader, json, scope, &plain))
            return false;
        for (uint32_t i = 0; i < PART_COUNT; i++) {
            out->given[i] = true;
            out->parts[i] = i == PART_WEIGHT || i == PART_SCALE ? plain : (Initialiser){.word = INITIAL_ZEROS};
        }
        return true;
    }
    for (uint32_t i = 0; i < PART_COUNT; i++) {
        const Json *part = json_get(json, part_words[i]);
        if (part && !initialiser_read(reader, part, scope, &out->parts[i]))
            return false;
        out->given[i] = out->given[i] || part;
    }
    return true;
}

// ---- what a node owns

Frame frame_at(Reader *reader, const Frame *frame, const char *label) {
    Frame inner = *frame;
    inner.path = arena_format(reader->arena, "%s%s.", frame->path, label);
    inner.draws = arena_format(reader->arena, "%s%s.", frame->draws, label);
    return inner;
}

static bool touch(Reader *reader, Call *call, const char *name) {
    if (!call->touched)
        call->touched = name_table_create(reader->arena);
    return name_table_add(call->touched, name, 0);
}

static bool own(Reader *reader, const Frame *frame, const char *name, const char **full) {
    Call *call = frame->call;
    if (!call->network) {
        reader_error(reader, "weights and layer state belong to a network: move this node into one");
        return false;
    }
    *full = arena_format(reader->arena, "%s.%s%s", parameters_owner(call->network)->name, frame->path, name);
    if (touch(reader, call, *full))
        return true;
    reader_error(reader, "two nodes own \"%s\"; name one with \"as\"", *full);
    return false;
}

Value frame_parameter(Reader *reader, const Frame *frame, const char *name, const Init *init, uint32_t rank, const uint32_t *dims) {
    const char *full;
    Network *network = frame->call->network;
    Type type = type_make(DTYPE_F32, rank, dims);
    if (!own(reader, frame, name, &full) || !parameters_declare(reader, network, full, &type, init))
        return (Value){0};
    if (reader->stage->kind == STAGE_REHEARSAL && !frame->call->given) { // a value of the right type stands in for it
        int64_t ints[MAX_RANK];
        for (uint32_t i = 0; i < rank; i++)
            ints[i] = dims[i];
        return graph_add(reader->stage->graph, OP_feed, NULL, 0, (Attr[]){attr_text(full), attr_text("f32"), attr_ints(ints, rank)}, 3);
    }
    network = parameters_owner(network);
    return parameters_read(reader, network, name_table_find(network->found.names, full), frame->call->given);
}

// A phase's own state: of a training's it is kept as long as the weights are, else it begins anew with each run.
static bool own_of_phase(Reader *reader, const Frame *frame, const char *name, const char **full) {
    *full = arena_format(reader->arena, "%s%s", frame->draws, name);
    if (touch(reader, frame->call, *full))
        return true;
    reader_error(reader, "two nodes own \"%s\"; name one with \"as\"", *full);
    return false;
}

bool frame_state(Reader *reader, const Frame *frame, const char *name, const Init *init, uint32_t rank, const uint32_t *dims,
                 StateRef *out) {
    const char *full;
    Type type = type_make(DTYPE_F32, rank, dims);
    Network *network = frame->call->network;
    if (!(network ? own : own_of_phase)(reader, frame, name, &full))
        return false;
    uint32_t index = module_state_index(reader->module, full);
    if (index == UINT32_MAX && network && network->owner) {
        reader_error(reader, "\"%s\" shares the states of \"%s\", which has no \"%s\" (%s here)", network->name, network->owner->name, full,
                     type_text(reader->arena, &type));
        return false;
    }
    if (index == UINT32_MAX) {
        bool is_kept = network || reader->phase->trains;
        const char *from = network && network->source ? arena_format(reader->arena, "%s%s", network->source->name, full + strlen(network->name)) : NULL;
        const State *source = from ? module_state(reader->module, from) : NULL;
        bool is_copy = source && type_equal(&source->type, &type);
        Init copy = {.kind = INIT_COPY, .copy = from};
        index = state_declare(reader, full, is_kept ? STATE_RUNNING : STATE_PROGRAM, type, is_copy ? copy : *init, network ? network->name : NULL);
        if (network)
            network->info.state_count += type_count(&type);
    }
    const State *state = &reader->module->states.items[index];
    if (state->kind == STATE_CONDITION || state->kind == STATE_SUM)
        return name_twice(reader, full);
    if (!type_equal(&state->type, &type)) {
        reader_error(reader, "\"%s\" is %s, here it would be %s", full, type_text(reader->arena, &state->type),
                     type_text(reader->arena, &type));
        return false;
    }
    *out = (StateRef){index, frame->call};
    return true;
}

Value frame_draw(Reader *reader, const Frame *frame, Op op, uint32_t rank, const uint32_t *dims, int64_t below) {
    Call *call = frame->call;
    const char *name = arena_copy_bytes(reader->arena, frame->draws, strlen(frame->draws) - 1);
    if (!touch(reader, call, frame->draws)) {
        reader_error(reader, "two draws are called \"%s\"; name one with \"as\"", name);
        return (Value){0};
    }
    int64_t ints[MAX_RANK];
    for (uint32_t i = 0; i < rank; i++)
        ints[i] = dims[i];
    Attr attrs[] = {attr_text(name), attr_ints(ints, rank), attr_int(below)};
    return graph_add(reader->stage->graph, op, NULL, 0, attrs, op == OP_random_integer ? 3 : 2);
}
