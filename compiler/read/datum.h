// Datum: a value of the language, and what a name may stand for.
#pragma once
#include "compiler/ir/graph.h"

typedef struct Reader Reader;
typedef struct Document Document;
typedef struct Scope Scope;
typedef struct Call Call;

typedef enum {
    DATUM_ERROR, // already reported; everything made of it is an error too, silently
    DATUM_NONE,
    DATUM_BOOL,
    DATUM_INT,
    DATUM_NUMBER,
    DATUM_TEXT, // one of the words that an argument may be, or of an einsum
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
    DATUM_OPTIMIZER,
} DatumKind;

typedef struct Network Network;
typedef struct Later Later;
typedef struct TableDecl TableDecl;
typedef struct OptimizerDecl OptimizerDecl;
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
    bool is_of_batches; // of a record or a family: its values are still to be crossed (see accumulate_cross)
    union {
        int64_t integer; // DATUM_BOOL, DATUM_INT
        double number;
        const char *text;
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
        const OptimizerDecl *optimizer;
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

static inline Datum datum_error(void) { return (Datum){.kind = DATUM_ERROR}; }
static inline Datum datum_none(void) { return (Datum){.kind = DATUM_NONE}; }
static inline Datum datum_int(int64_t integer) { return (Datum){.kind = DATUM_INT, .integer = integer}; }
static inline Datum datum_bool(bool truth) { return (Datum){.kind = DATUM_BOOL, .integer = truth}; }
static inline Datum datum_number(double number) { return (Datum){.kind = DATUM_NUMBER, .number = number}; }
static inline Datum datum_text(const char *text) { return (Datum){.kind = DATUM_TEXT, .text = text}; }
static inline Datum datum_tensor(Value tensor) { return tensor.id ? (Datum){.kind = DATUM_TENSOR, .tensor = tensor} : datum_error(); }
static inline bool is_static_number(Datum datum) {
    return datum.kind == DATUM_BOOL || datum.kind == DATUM_INT || datum.kind == DATUM_NUMBER;
}
static inline double datum_double(Datum datum) { return datum.kind == DATUM_NUMBER ? datum.number : (double)datum.integer; }
