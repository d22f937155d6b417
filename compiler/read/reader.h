// Reader: what the files of read/ share - values of the language, scopes, documents, and where a node runs.
#pragma once
#include "compiler/layers/layer.h"
#include "compiler/optimizers/optimizer.h"
#include "compiler/read/expression.h"
#include "compiler/read/read.h"
#include "runtime/base/json.h"

typedef struct Reader Reader;
typedef struct Document Document;
typedef struct Scope Scope;
typedef struct Call Call;

// ---- values
typedef enum {
    DATUM_ERROR, // already reported; everything made of it is an error too, silently
    DATUM_NONE,
    DATUM_BOOL,
    DATUM_INT,
    DATUM_NUMBER,
    DATUM_LIST,
    DATUM_TENSOR,
    DATUM_RECORD, // named outputs
    DATUM_FAMILY, // values under indexed names: h[0], h[1] …
    DATUM_SET,    // parameters of networks
    // What a name may stand for, not yet resolved:
    DATUM_NETWORK,
    DATUM_STATE,
    DATUM_TABLE,
    DATUM_LATER,
    DATUM_DOCUMENT,
} DatumKind;

typedef struct Network Network;
typedef struct Later Later;
typedef struct TableDecl TableDecl;
typedef struct LookAhead LookAhead;
typedef struct SetDatum SetDatum;
typedef struct DatumList DatumList;
typedef struct NamedList NamedList;
typedef struct FamilyList FamilyList;

typedef struct {
    uint32_t index; // in Module.states
    Call *call;     // the call that may keep changes to itself, or NULL
} StateRef;

typedef struct {
    DatumKind kind;
    union {
        int64_t integer; // DATUM_BOOL, DATUM_INT
        double number;
        Value tensor;
        const DatumList *list;
        NamedList *record;
        FamilyList *family;
        const SetDatum *set;
        Network *network;
        StateRef state;
        TableDecl *table;
        Later *later;
        Document *document;
    };
} Datum;

struct DatumList {
    ARRAY(Datum) items;
};

typedef struct {
    const char *name;
    Datum datum;
} Named;

struct NamedList {
    ARRAY(Named) items;
};

typedef struct {
    int64_t index;
    Datum datum;
} Indexed;

struct FamilyList {
    ARRAY(Indexed) items;
};

typedef struct {
    uint32_t set; // index + 1 in Module.sets
    Value flat;
} SetValue;

struct SetDatum {
    ARRAY(SetValue) items;
    const LookAhead *record; // of a snapshot or step, else NULL
};

// ---- names
struct Scope {
    Scope *parent;
    Scope *owner; // takes the names given with "as" and the values pushed (a `for` passes them on)
    Document *document;
    NamedList names;
    ARRAY(struct Pushed {
        const char *name;
        DatumList list;
    })
    lists;
};

// A `let`: an expression in the scope in which it was written, or a value that was given.
struct Later {
    const Json *json;
    Scope *scope;
    const char *name;
    Datum given;             // DATUM_ERROR: none
    bool busy, used, is_own; // is_own: of the main document or its programs, warned of where never used
};

struct TableDecl {
    const char *name;
    const Json *json;
    Document *document;
    bool busy, done, failed;
    uint32_t exact, rounded; // index + 1 in Reader.exact's and the module's tables
};

// A value for a let of a document, network or block.
typedef struct {
    const char *name;
    Later *later;
    bool used;
} Given;

typedef struct {
    ARRAY(Given *) items;
} GivenList;

struct Network {
    const char *name; // with the include's prefix
    const Json *json; // of the template
    Document *document;
    GivenList given;
    const Json *declared; // where
    bool built, building, failed;
    Set pending;      // what the rehearsal has found so far
    uint32_t set;     // index + 1 in Module.sets; 0: no parameters
    NetworkInfo info; // what the rehearsal has found so far
    uint32_t state;   // index in Module.states of its parameters, UINT32_MAX: none
};

typedef struct {
    const char *name;
    const Json *json;
    Document *document;
} BlockDecl;

typedef struct {
    const char *name; // with the include's prefix
    const char *key;
    const Json *json;
    Document *document;
    const OptimizerRule *rule;
    bool ready, failed, has_ema;
    ARRAY(Network *) networks;  // those with parameters
    ARRAY(uint32_t) moments[2]; // by network, in Module.states; empty: not kept
    ARRAY(uint32_t) ema;
    uint32_t count;
} OptimizerDecl;

typedef struct {
    const char *name;
    const Json *json;
    Document *document;
    uint32_t index; // in Module.data
} DataDecl;

struct Document {
    const char *name; // its path relative to the main document: its key in Module.resolved's files
    const char *prefix;
    const Json *json;
    Scope scope;
    ARRAY(BlockDecl) blocks;
    ARRAY(struct NamedNetwork {
        const char *name;
        Network *network;
    })
    networks;
    ARRAY(struct NamedOptimizer {
        const char *name;
        OptimizerDecl *optimizer;
    })
    optimizers;
    ARRAY(DataDecl) data;
    ARRAY(struct NamedDocument {
        const char *name;
        Document *document;
    })
    children;
    GivenList given; // what is asked of its lets and programs
    const Document *includer;
    ARRAY(const char *) known; // lets that may be given, for suggestions
};

// ---- where nodes run
typedef enum { STAGE_PHASE, STAGE_REHEARSAL, STAGE_TABLE } StageKind;

// A graph being built, and the states' values at this point of the text.
typedef struct {
    StageKind kind;
    Graph *graph;
    ARRAY(Value) current, initial; // by index in Module.states; {0}: not read yet
} Stage;

// One call of a network (or one phase).
struct Call {
    Network *network;      // NULL: a phase
    const SetDatum *given; // "weights", or NULL
    bool training, keep;
    ARRAY(const char *) touched; // owned names
    ARRAY(struct Kept {
        uint32_t state;
        Value value;
    })
    kept;
};

// A node's place: name paths of parameters and of draws (each ends in '.'), and the initialisers that reach it.
typedef struct {
    Call *call;
    Document *document; // whose blocks are seen
    const char *path, *draws;
    InitialiserSet init;
} Frame;

struct Reader {
    Arena *arena;
    Diag *diag;
    Diag *scratch; // of graphs; moved to diag, each message once
    const ReadOptions *options;
    Module *module;
    Module *exact; // tables in double, for tables that read tables
    Document *main;
    Stage *stage;
    Phase *phase;
    const Json *bundle; // "files" of a bundle's graph.json, or NULL
    const char *folder; // of the main document
    ARRAY(const char *) told;
    ARRAY(struct SourceFile {
        const char *name;
        const Json *json;
    })
    files;
    ARRAY(struct StateDecl {
        const char *name;
        const Json *json;
        Document *document;
        uint32_t index;
    })
    states;                // of documents
    ARRAY(Later *) lets;   // own ones, in text order: warned of where never used
    const Network *listed; // whose layers are being listed for `summary`
    // The JSON value being read, and the place in its text.
    const Json *at;
    const char *text;
    uint32_t offset;
    Place place;
    ARRAY(bool) state_read; // by index in Module.states
};

// ---- reader.c: errors, scopes, small helpers
__attribute__((format(printf, 2, 3))) Datum reader_error(Reader *reader, const char *format, ...); // at the current place
__attribute__((format(printf, 3, 4))) bool reader_error_at(Reader *reader, const Json *json, const char *format, ...);
bool reader_stopped(const Reader *reader); // enough errors
void reader_flush(Reader *reader);         // what graphs reported becomes the reader's
// Goes on at another JSON value; returns what reader_leave needs to come back.
typedef struct {
    const Json *at;
    const char *text;
    uint32_t offset;
    Place place;
} ReaderPlace;
ReaderPlace reader_enter(Reader *reader, const Json *json, const char *text);
void reader_offset(Reader *reader, uint32_t offset);
void reader_leave(Reader *reader, ReaderPlace place);
const char *reader_suggest_words(Reader *reader, const char *word, const char *const *words, uint32_t count);
Scope *scope_create(Reader *reader, Scope *parent, bool is_for);
Datum *scope_find(Scope *scope, const char *name);
void scope_set(Reader *reader, Scope *scope, const char *name, Datum datum);
bool scope_end(Reader *reader, Scope *scope, const Json *json);          // an error where pushed values are left
const char *scope_names(Reader *reader, Scope *scope, const char *word); // suggestion
const char *datum_word(Reader *reader, Datum datum);                     // "a number", "f32[2,3]"

static inline Datum datum_error(void) { return (Datum){.kind = DATUM_ERROR}; }
static inline Datum datum_none(void) { return (Datum){.kind = DATUM_NONE}; }
static inline Datum datum_int(int64_t integer) { return (Datum){.kind = DATUM_INT, .integer = integer}; }
static inline Datum datum_bool(bool truth) { return (Datum){.kind = DATUM_BOOL, .integer = truth}; }
static inline Datum datum_number(double number) { return (Datum){.kind = DATUM_NUMBER, .number = number}; }
static inline Datum datum_tensor(Value tensor) { return tensor.id ? (Datum){.kind = DATUM_TENSOR, .tensor = tensor} : datum_error(); }
static inline bool is_static_number(Datum datum) {
    return datum.kind == DATUM_BOOL || datum.kind == DATUM_INT || datum.kind == DATUM_NUMBER;
}
static inline double datum_double(Datum datum) { return datum.kind == DATUM_NUMBER ? datum.number : (double)datum.integer; }

// ---- check.c: the keys and kinds of a whole document, before anything is computed
bool check_document(Reader *reader, const Json *json);
bool check_object(Reader *reader, const Json *json, const char *allowed); // see check.c
typedef enum {
    NODE_OP,
    NODE_EXPR,
    NODE_CALL,
    NODE_BLOCK,
    NODE_FOR,
    NODE_RANDOM,
    NODE_GRADIENT,
    NODE_PARAMETER,
    NODE_STATE,
    NODE_SET,
    NODE_UPDATE,
    NODE_SNAPSHOT,
    NODE_STEP,
    NODE_COMMIT,
    NODE_EMIT,
    NODE_KIND_COUNT
} NodeKind;
const char *node_kind_name(NodeKind kind);
NodeKind check_node_kind(const Json *node); // NODE_KIND_COUNT: none

// ---- document.c
Document *document_load(Reader *reader, const Json *place, const char *name, const GivenList *given, const char *prefix,
                        const Document *includer, const char *preset);
bool document_states(Reader *reader); // declares what `state` of the documents says
Network *document_network(Reader *reader, Document *document, const char *name, const Json *place); // "s1.G"; NULL: reported
OptimizerDecl *document_optimizer(Reader *reader, Document *document, const char *name, const Json *place);
BlockDecl *document_block(Reader *reader, Document *document, const char *name, const Json *place, bool report);
const char *document_resolved(Reader *reader, const char *preset, const GivenList *defines);
// Names `let` of `object` in the scope: those in `given` win.
// `path` ("sample." or "") stands before the names in `given`.
void lets_declare(Reader *reader, const Json *let, Scope *scope, const GivenList *given, const char *path, bool is_own);
Later *later_create(Reader *reader, const char *name, const Json *json, Scope *scope);
Given *given_find(const GivenList *given, const char *name);

// ---- evaluate.c: values of JSON and of expressions
Datum evaluate(Reader *reader, const Json *json, Scope *scope);
Datum evaluate_static(Reader *reader, const Json *json, Scope *scope);
bool evaluate_integer(Reader *reader, const Json *json, Scope *scope, int64_t low, int64_t *out);
bool evaluate_dims(Reader *reader, const Json *json, Scope *scope, uint32_t *rank, uint32_t *dims);
bool evaluate_truth(Reader *reader, const Json *json, Scope *scope, bool *out);
Value evaluate_tensor(Reader *reader, const Json *json, Scope *scope); // a number becomes a scalar; {0}: reported
// A name or chain of names, not resolved (network, state …).
Datum evaluate_raw(Reader *reader, const Json *json, Scope *scope);
Datum evaluate_tree(Reader *reader, const Tree *tree, Scope *scope);
Datum evaluate_resolve(Reader *reader, Datum datum);
const Tree *evaluate_parse(Reader *reader, const Json *json);
bool datum_integer(Reader *reader, Datum datum, int64_t *out); // an integral double counts; an error where it is none

// ---- arithmetic.c
Datum arithmetic_binary(Reader *reader, Sign sign, Datum a, Datum b);
Datum arithmetic_unary(Reader *reader, Sign sign, Datum x);
Value arithmetic_tensor(Reader *reader, Datum x, const Type *like); // a number as a scalar, of like's dtype where that can hold it
bool arithmetic_pair(Reader *reader, const char *what, Datum a, Datum b, Value *x, Value *y); // same dtype, same shape
bool arithmetic_broadcast(Reader *reader, const char *what, Value *values, uint32_t count);   // to their common shape, or an error

// ---- sets.c: parameter sets
Datum set_of_network(Reader *reader, Network *network);
Value set_part(Reader *reader, SetValue set, uint32_t part);
Value set_repack(Reader *reader, SetValue set); // the same through its parts, so that gradients by parts see what is done with it
Value set_pack(Reader *reader, uint32_t set, const Value *parts);
Value set_scalar(Reader *reader, uint32_t set, Value scalar); // a scalar spread over the set
Datum set_binary(Reader *reader, Sign sign, Datum a, Datum b);
Datum set_map(Reader *reader, const char *function, const Datum *args, uint32_t count);
Datum set_norm(Reader *reader, const SetDatum *set);
const SetValue *set_find(const SetDatum *set, uint32_t id);
const char *set_network(const Reader *reader, uint32_t set);

// ---- functions.c
Datum function_apply(Reader *reader, const char *name, const Datum *args, uint32_t count);

// ---- tables.c
Datum table_read(Reader *reader, TableDecl *table);
Value table_internal(Reader *reader, const char *name, const double *data, uint32_t count);

// ---- stage.c: states and what a node owns
Stage *stage_create(Reader *reader, StageKind kind);
Value stage_read(Reader *reader, uint32_t state);
void stage_write(Reader *reader, uint32_t state, Value value);
Value state_read(Reader *reader, StateRef state);
void state_write(Reader *reader, StateRef state, Value value);
uint32_t state_declare(Reader *reader, const char *name, StateKind kind, Type type, Init init,
                       const char *network); // index in Module.states
bool initialiser_read(Reader *reader, const Json *json, Scope *scope, Initialiser *out);
bool initialisers_read(Reader *reader, const Json *json, Scope *scope, InitialiserSet *out); // adds to what is there
Frame frame_at(Reader *reader, const Frame *frame, const char *label);
Value frame_parameter(Reader *reader, const Frame *frame, const char *name, const Init *init, uint32_t rank, const uint32_t *dims);
bool frame_state(Reader *reader, const Frame *frame, const char *name, const Init *init, uint32_t rank, const uint32_t *dims,
                 StateRef *out);
Value frame_draw(Reader *reader, const Frame *frame, Op op, uint32_t rank, const uint32_t *dims, int64_t below);

// ---- network.c: calls, blocks, and the rehearsal that finds a network's parameters
bool network_build(Reader *reader, Network *network, const Json *place);
Datum network_call(Reader *reader, Network *network, const Datum *args, const SetDatum *given, bool training, bool keep, const char *draws);
Datum node_call(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label);
Datum node_block(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label);
Datum node_op(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label);

// ---- nodes.c
void nodes_run(Reader *reader, const Json *nodes, Scope *scope, const Frame *frame);

// ---- update.c: gradients and optimizers
Datum node_gradient(Reader *reader, const Json *node, Scope *scope);
void node_update(Reader *reader, const Json *node, Scope *scope);
Datum node_snapshot(Reader *reader, const Json *node);
Datum node_step(Reader *reader, const Json *node, Scope *scope);
void node_commit(Reader *reader, const Json *node, Scope *scope);
bool optimizer_prepare(Reader *reader, OptimizerDecl *optimizer);
Datum optimizer_ema(Reader *reader, Network *network);

// ---- program.c
void program_declare(Reader *reader, const Json *json);
void data_read(Reader *reader);
