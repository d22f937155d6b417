// Stage: the graph being built, its states, and the place of a node in name paths.
#pragma once
#include "compiler/read/document.h"

typedef enum { STAGE_PHASE, STAGE_REHEARSAL, STAGE_TABLE } StageKind;

// The last update of an optimizer in a phase.
typedef struct {
    const OptimizerDecl *optimizer;
    OptimizerOption lr;
    const Value *gradients; // by OptimizerDecl.sets, before clipping; NULL: the update could not be made
    Value skipped;          // of all its updates in the phase, how many changed nothing; {0}: none could
} UpdateMeasure;

// A graph being built, and the states' values at this point of the text.
typedef struct {
    StageKind kind;
    Graph *graph;
    ARRAY(Value) current, initial; // by index in Module.states; {0}: not read yet
    ARRAY(UpdateMeasure) measures;
} Stage;

// One call of a network (or one phase).
struct Call {
    Network *network;      // NULL: a phase
    const SetDatum *given; // "weights", or NULL
    bool training, keep;
    NameTable *touched; // owned names; NULL: none yet
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

// ---- sets.c: parameter sets
Datum set_of_network(Reader *reader, Network *network);
// The same numbers as parameters of another network, whose parts have the same paths and shapes; NULL, reported: they have not.
const SetDatum *set_as(Reader *reader, const SetDatum *set, const SetDatum *like);
const SetDatum *set_for(Reader *reader, const SetDatum *set, Network *network); // as the network's; as it is where it has some of it
Value set_part(Reader *reader, SetValue set, uint32_t part);
Value set_repack(Reader *reader, SetValue set); // the same through its parts, so that gradients by parts see what is done with it
Value set_pack(Reader *reader, uint32_t set, const Value *parts);
Value set_scalar(Reader *reader, uint32_t set, Value scalar); // a scalar spread over the set
Datum set_binary(Reader *reader, Sign sign, Datum a, Datum b);
Datum set_map(Reader *reader, const char *function, const Datum *args, uint32_t count);
Datum set_norm(Reader *reader, const SetDatum *set);
const SetValue *set_find(const SetDatum *set, uint32_t id);

// ---- tables.c
Datum table_read(Reader *reader, TableDecl *table);
bool table_numbers(Reader *reader, const Json *json, Scope *scope, const double **out, uint32_t *count); // one, or several as a list or vector
Value table_internal(Reader *reader, const char *name, const double *data, uint32_t count);
