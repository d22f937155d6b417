// Document: scopes, lets and what a document declares.
#pragma once
#include "compiler/layers/layer.h"
#include "compiler/optimizers/optimizer.h"
#include "compiler/read/datum.h"
#include "compiler/read/node_kind.h"
#include "runtime/base/json.h"

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

// Parameters of a network that lie in one flat set, as they are updated alike.
typedef struct {
    const Network *network;
    uint32_t set, state;            // index + 1 in Module.sets, of their shape; index in Module.states
    OptimizerDecl *optimizer;       // that has them, or NULL
    const struct OptimizerRow *row; // of its "parts", or NULL
} NetworkSet;

typedef struct {
    uint32_t set, part; // in Network.sets; in that set
} PartPlace;

struct Network {
    const char *name; // with the include's prefix
    const Json *json; // of the template
    Document *document;
    GivenList given;
    const Json *declared; // where
    bool built, building, failed;
    Network *owner;   // whose parameters and states are its own too ("share"), or NULL
    Network *source;  // as a copy of whose parameters its own begin ("copy"), or NULL
    Set found;        // its parameters, as far as the rehearsal has found them
    NetworkInfo info; // what the rehearsal has found so far
    ARRAY(NetworkSet *) sets; // once it is built; none where it has no parameters of its own
    ARRAY(PartPlace) places;  // by part of `found`
};

typedef struct {
    const char *name;
    const Json *json;
    Document *document;
} BlockDecl;

// "enc", "enc.l" or "*.bias": parameters by their names.
typedef struct {
    const Json *json;
    const char *text; // with the include's prefix
    bool is_glob;
    Network *network; // that a pattern without '*' begins with, or NULL
} Pattern;

typedef struct {
    ARRAY(Pattern) items;
} PatternList;

// One of an optimizer's "parts".
typedef struct OptimizerRow {
    const Json *json;
    PatternList of;
} OptimizerRow;

struct OptimizerDecl {
    const char *name; // with the include's prefix
    const char *key;
    const Json *json;
    Document *document;
    const OptimizerRule *rule;
    bool ready, failed, has_ema;
    bool resolved; // `of` and `rows` are there
    PatternList of;
    ARRAY(OptimizerRow *) rows;
    ARRAY(const NetworkSet *) sets; // that it has, of one network after the other
    ARRAY(uint32_t) moments[2];     // by `sets`, in Module.states; UINT32_MAX: not kept
    ARRAY(uint32_t) ema;
    uint32_t count;
};

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
    ARRAY(const Json *) programs; // those taken from plain includes by name, then its own
    GivenList given;              // what is asked of its lets and programs
    const Document *includer;
    ARRAY(const char *) known; // lets that may be given, for suggestions
};

// ---- check.c: the keys and kinds of a whole document, before anything is computed
bool check_document(Reader *reader, const Json *json);
bool check_object(Reader *reader, const Json *json, const char *allowed); // see check.c
NodeKind check_node_kind(const Json *node); // NODE_KIND_COUNT: none

// ---- document.c
Document *document_load(Reader *reader, const Json *place, const char *name, const GivenList *given, const char *prefix,
                        const Document *includer, const char *preset);
bool document_states(Reader *reader); // declares what `state` of the documents says
// A text file that is no document, by its path from the file in which the text `path` stands. It goes into the bundle's graph.json with
// the documents, under *name, its path from the main document's folder. NULL: reported at `path`, where there is no such file with what could
// be meant instead.
const Json *document_text(Reader *reader, const Json *path, const char *instead, const char **name);
const char *document_resolved(Reader *reader, const char *preset, const GivenList *defines);
// Names `let` of `object` in the scope: those in `given` win.
// `path` ("sample." or "") stands before the names in `given`.
void lets_declare(Reader *reader, const Json *let, Scope *scope, const GivenList *given, const char *path, bool is_own);
Later *later_create(Reader *reader, const char *name, const Json *json, Scope *scope);
Given *given_find(const GivenList *given, const char *name);

// ---- lookup.c: by names such as "G" or "s1.G"; NULL where there is none, reported where a place is given
Network *document_network(Reader *reader, Document *document, const char *name, const Json *place);
OptimizerDecl *document_optimizer(Reader *reader, Document *document, const char *name, const Json *place);
BlockDecl *document_block(Reader *reader, Document *document, const char *name, const Json *place);
const Json *document_program(Reader *reader, const Document *document, const char *name, const Json *place); // of this document alone
