// Count: how many nodes a list will at least run, found before any is run. Conditions, counts of loops and what blocks are given are
// evaluated as far as they depend on nothing that nodes make; what cannot be known counts nothing, and is met by the limits when it runs.
#include "compiler/read/reader.h"

enum { COUNT_STEPS_MAX = 200000, COUNT_DEPTH_MAX = 100, MEMOS_MAX = 4000 };

typedef struct {
    const Json *json; // of a block or network
    const char *given;
    double count;
} Memo;

typedef struct {
    Reader *reader;
    const Network *network; // within which nodes are counted, or NULL
    uint32_t steps, depth;
    ARRAY(Memo) memos;
    const Json *where; // the first that alone makes too many
    double where_count, total;
    bool is_sum; // too many together with those before
} Count;

static double count_list(Count *count, const Json *nodes, Scope *scope, Document *document, bool *is_exact);

// Evaluates without a word; false where that is not possible, or the value is no number.
static bool number_of(Count *count, const Json *json, Scope *scope, Datum *out) {
    Reader *reader = count->reader;
    *out = evaluate(reader, json, scope);
    reader_flush(reader);
    reader->exhausted = false; // it will be said where it is evaluated in earnest
    return is_static_number(*out);
}

static Memo *memo_of(Count *count, const Json *json, const char *given) {
    for (uint32_t i = 0; given && i < count->memos.count; i++)
        if (count->memos.items[i].json == json && !strcmp(count->memos.items[i].given, given))
            return &count->memos.items[i];
    return NULL;
}

// The nodes of a block or network, once for the same values given. One that is within itself counts nothing: it is refused where it runs.
static double count_inside(Count *count, const Json *json, Scope *scope, Document *document, const char *given, bool *is_exact) {
    Memo *memo = memo_of(count, json, given);
    if (memo)
        return memo->count;
    uint32_t at = count->memos.count;
    bool is_kept = given && at < MEMOS_MAX;
    if (is_kept)
        array_push(count->reader->arena, &count->memos, ((Memo){json, given, 0}));
    double result = count_list(count, json_get(json, "nodes"), scope, document, is_exact);
    if (is_kept)
        count->memos.items[at].count = result;
    return result;
}

static void forget(Count *count, const Json *names, Scope *scope) {
    for (const Json *item = names ? names->first : NULL; item; item = item->next)
        scope_set(count->reader, scope, item->key ? item->key : item->string, datum_error());
}

static double count_block(Count *count, const Json *node, Scope *scope, Document *document, bool *is_exact) {
    Reader *reader = count->reader;
    BlockDecl *block = network_block(reader, document, count->network, json_get(node, "block")->string, NULL);
    if (!block)
        return 0;
    const Json *with = json_get(node, "with");
    Scope *own = scope_create(reader, &block->document->scope, false);
    lets_declare(reader, json_get(block->json, "let"), own, NULL, "", false);
    Text given = text_create(reader->arena);
    for (const Json *item = with ? with->first : NULL; item; item = item->next) {
        Datum value;
        if (number_of(count, item, scope, &value))
            text_format(&given, "%s=%a ", item->key, datum_double(value));
        else
            *is_exact = false;
        scope_set(reader, own, item->key, value);
    }
    forget(count, json_get(block->json, "inputs"), own);
    scope_set(reader, own, "training", datum_error());
    bool is_known = true;
    double result = count_inside(count, block->json, own, block->document, *is_exact ? given.data : NULL, &is_known);
    *is_exact = *is_exact && is_known;
    return result;
}

static double count_network(Count *count, Network *network) {
    Reader *reader = count->reader;
    const Network *outer = count->network;
    Scope *own = scope_create(reader, &network->document->scope, false);
    lets_declare(reader, json_get(network->json, "let"), own, &network->given, "", false);
    forget(count, json_get(network->json, "inputs"), own);
    forget(count, json_get(network->json, "dims"), own);
    scope_set(reader, own, "training", datum_error());
    bool is_exact = true;
    count->network = network;
    double result = count_inside(count, network->json, own, network->document, network->name, &is_exact);
    count->network = outer;
    return result;
}

static double count_call(Count *count, const Json *node, Document *document) {
    const char *name = json_get(node, "call")->string;
    Network *network = document_network(count->reader, document, name, NULL);
    if (!network)
        network = document_network(count->reader, count->reader->main, name, NULL);
    return network ? count_network(count, network) : 0;
}

static double count_for(Count *count, const Json *node, Scope *scope, Document *document, bool *is_exact) {
    Reader *reader = count->reader;
    Datum below;
    if (!number_of(count, json_get(node, "below"), scope, &below)) {
        *is_exact = false;
        return 0;
    }
    double times = datum_double(below), total = 0;
    if (times > FOR_TIMES_MAX) // refused by itself
        return 0;
    const char *variable = json_get(node, "for")->string;
    bool is_alike = true;
    for (double i = -1; i < times; i++) { // first whatever the variable is, which is enough where nothing depends on it
        Scope *inner = scope_create(reader, scope, true);
        scope_set(reader, inner, variable, i < 0 ? datum_error() : datum_int((int64_t)i));
        lets_declare(reader, json_get(node, "let"), inner, NULL, "", false);
        bool is_known = true;
        double once = 1 + count_list(count, json_get(node, "nodes"), inner, document, &is_known);
        if (i < 0 && is_known)
            return times * once;
        is_alike = is_alike && (i < 0 || is_known);
        total += i < 0 ? 0 : once;
        if (count->steps >= COUNT_STEPS_MAX)
            break;
    }
    *is_exact = *is_exact && is_alike && count->steps < COUNT_STEPS_MAX;
    return total;
}

static double count_node(Count *count, const Json *node, Scope *scope, Document *document, bool *is_exact) {
    const Json *condition = json_get(node, "if"), *as = json_get(node, "as");
    Datum wanted = datum_bool(true);
    double result = 0;
    if (condition && !number_of(count, condition, scope, &wanted))
        *is_exact = false;
    else if (datum_double(wanted) != 0) {
        NodeKind kind = check_node_kind(node);
        result = 1 + (kind == NODE_BLOCK  ? count_block(count, node, scope, document, is_exact)
                      : kind == NODE_CALL ? count_call(count, node, document)
                      : kind == NODE_FOR  ? count_for(count, node, scope, document, is_exact)
                                          : 0);
    }
    if (as) // from here on it is what this node makes, not what was called so before
        scope_set(count->reader, scope->owner, as->string, datum_error());
    return result;
}

static double count_list(Count *count, const Json *nodes, Scope *scope, Document *document, bool *is_exact) {
    double total = 0;
    if (count->depth == COUNT_DEPTH_MAX)
        *is_exact = false;
    else {
        count->depth++;
        for (const Json *node = nodes->first; node; node = node->next) {
            if (count->steps++ >= COUNT_STEPS_MAX) {
                *is_exact = false;
                break;
            }
            double more = count_node(count, node, scope, document, is_exact);
            total += more;
            if (more > GRAPH_NODES_MAX && !count->where) {
                count->where = node;
                count->where_count = more;
            }
        }
        count->depth--;
    }
    return total;
}

static void add(Count *count, const Json *place, double more) {
    count->total += more;
    if (count->total <= GRAPH_NODES_MAX || count->where)
        return;
    count->where = place;
    count->where_count = count->total;
    count->is_sum = true;
}

// What is given to a program's lets, apart from what will be given when it is read in earnest.
static GivenList copy_given(Reader *reader, const GivenList *given) {
    GivenList copy = {0};
    for (uint32_t i = 0; i < given->items.count; i++) {
        Given *one = ARENA_NEW(reader->arena, Given, 1);
        *one = *given->items.items[i];
        one->later = ARENA_NEW(reader->arena, Later, 1);
        *one->later = *given->items.items[i]->later;
        array_push(reader->arena, &copy.items, one);
    }
    return copy;
}

static void count_program(Count *count, const Json *program) {
    Reader *reader = count->reader;
    Document *document = reader->main;
    GivenList given = copy_given(reader, &document->given);
    Scope *scope = scope_create(reader, &document->scope, false);
    lets_declare(reader, json_get(program, "let"), scope, &given, arena_format(reader->arena, "%s.", program->key), false);
    scope_set(reader, scope, "training", datum_error());
    forget(count, json_get(program, "state"), scope);
    forget(count, json_get(program, "inputs"), scope);
    for (const Json *phase = json_get(program, "phases")->first; phase && !count->where; phase = phase->next) {
        Scope *own = scope_create(reader, scope, false);
        const Json *index = json_get(phase, "index");
        bool is_exact = true;
        if (index)
            scope_set(reader, own, index->string, datum_error());
        forget(count, json_get(phase, "feed"), own);
        add(count, phase, count_list(count, json_get(phase, "nodes"), own, document, &is_exact));
    }
}

bool count_document(Reader *reader) {
    Count count = {.reader = reader};
    Document *document = reader->main;
    Diag *outer = reader->diag;
    Stage *stage = reader->stage;
    uint32_t told = reader->told.count;
    reader->diag = diag_create(reader->arena);
    reader->stage = stage_create(reader, STAGE_TABLE);
    reader->counting = true;
    for (uint32_t i = 0; i < document->networks.count && !count.where; i++) { // each is rehearsed twice
        Network *network = document->networks.items[i].network;
        add(&count, network->declared, 2 * count_network(&count, network));
    }
    for (uint32_t p = 0; p < document->programs.count && !count.where; p++)
        if (program_is_wanted(reader, document->programs.items[p]))
            count_program(&count, document->programs.items[p]);
    reader->counting = false;
    reader->stage = stage;
    reader->diag = outer;
    reader->told.count = told;
    if (!count.where)
        return true;
    const char *many = count.where_count < 1e15 ? text_thousands(reader->arena, (uint64_t)count.where_count)
                                                : arena_format(reader->arena, "%.3g", count.where_count);
    reader->exhausted = true;
    return reader_error_at(reader, count.where, "this makes %s nodes%s; a document may have %s", many,
                           count.is_sum ? " with those before it" : "", text_thousands(reader->arena, GRAPH_NODES_MAX));
}
