// Reader: what the files of read/ share. Values are in datum.h, names in document.h, the graph being built in stage.h.
#pragma once
#include "compiler/read/expression.h"
#include "compiler/read/read.h"
#include "compiler/read/stage.h"

typedef struct Accumulation Accumulation;

enum { FOR_TIMES_MAX = 10000 }; // of one `for`

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
    Call *call;          // of the network whose nodes are being read, or NULL
    Accumulation *accumulation; // of the phase; NULL: it takes one batch a repetition
    const Json *updated; // the first `update` of the program being read, or NULL
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
    states;              // of documents
    ARRAY(Later *) lets; // own ones, in text order: warned of where never used
    Network *listed;     // whose layers are being listed for `summary`
    // The JSON value being read, and the place in its text.
    const Json *at;
    const char *text;
    uint32_t offset, columns; // in bytes; in characters
    Place place;
    ARRAY(const Tokens *) tokens; // each list once
    ARRAY(bool) state_read; // by index in Module.states
    // What has been spent of the limits.
    uint32_t depth, expression_depth, documents;
    uint32_t turns, steps; // nodes run; parts of expressions evaluated
    uint32_t budget;       // of all graphs' nodes
    bool exhausted;        // a limit was exceeded, and said so: nothing more is read
    bool counting;         // nodes are being counted: what they make has no value
    const Tree **trees;    // of texts that were parsed, by their address
    const char **tree_texts;
    uint32_t tree_count, tree_room;
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
    uint32_t offset, columns;
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
Datum evaluate_name(Reader *reader, const Tree *tree, Scope *scope); // as evaluate_raw, of a name or chain of names
bool evaluate_is_number(const char *name);                           // "step", "pi" …: a name that means a number everywhere
Datum evaluate_resolve(Reader *reader, Datum datum);
const Tree *evaluate_parse(Reader *reader, const Json *json);
Datum datum_reported(Reader *reader, Datum datum);             // a number that is known when compiling as an f32 scalar, others as they are
bool datum_integer(Reader *reader, Datum datum, int64_t *out); // an integral double counts; an error where it is none

// ---- parsed.c: a text of a document is parsed once, however often its node runs
const Tree *parsed_tree(Reader *reader, const char *text, ExpressionProblem *problem);

// ---- arithmetic.c
Datum arithmetic_binary(Reader *reader, Sign sign, Datum a, Datum b);
Datum arithmetic_unary(Reader *reader, Sign sign, Datum x);
Value arithmetic_tensor(Reader *reader, Datum x, const Type *like); // a number as a scalar, or a list, of like's dtype where that can hold it
bool arithmetic_pair(Reader *reader, const char *what, Datum a, Datum b, Value *x, Value *y); // same dtype, same shape
bool arithmetic_broadcast(Reader *reader, const char *what, Value *values, uint32_t count);   // to their common shape, or an error

// ---- literal.c
// A list of numbers, or of such lists of one length, as a tensor: of like's dtype where that can hold it, else bool, i32 or f32. {0}: reported.
Value literal_tensor(Reader *reader, const DatumList *list, const Type *like);
bool literal_is_whole(Datum datum); // no fraction in it, as far as it is known when compiling

// ---- functions.c
Datum function_apply(Reader *reader, const char *name, const Datum *args, uint32_t count);

// ---- network.c: calls, blocks, and the rehearsal that finds a network's parameters
bool network_build(Reader *reader, Network *network, const Json *place);
Datum network_call(Reader *reader, Network *network, const Datum *args, const SetDatum *given, bool training, bool keep, const char *draws);
Datum node_call(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label);
Datum node_block(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label);
Datum node_op(Reader *reader, const Json *node, Scope *scope, const Frame *frame, const char *label);

// By name as a node of the document (within the network, if any) sees it; NULL: none, reported where a place is given.
BlockDecl *network_block(Reader *reader, Document *document, const Network *network, const char *name, const Json *place);

// ---- parameters.c: what networks own, by name, and the sets in which it lies
Network *parameters_owner(Network *network); // itself, or whose parameters it shares
// A node of the network owns this parameter: notes it in the rehearsal; an error where it is not as it was, or not as what the network
// shares or copies.
bool parameters_declare(Reader *reader, Network *network, const char *full, const Type *type, const Init *init);
// By its number in `found`: its value now, or in the sets given to the call.
Value parameters_read(Reader *reader, const Network *network, uint32_t number, const SetDatum *given);
bool parameters_settle(Reader *reader, Network *network); // after the rehearsal: makes the sets of what was found
Datum parameters_named(Reader *reader, Network *network, const char *path); // NETWORK.path
// The same, of a set of the network's parameters.
Datum parameters_of_set(Reader *reader, const SetDatum *set, Network *network, const char *path);
const char *parameters_suggest(Reader *reader, const Network *network, const char *full); // the nearest name

// ---- patterns.c: which parameters an optimizer has
bool patterns_match(const Pattern *pattern, const char *parameter);
// Sets optimizer and row of what is otherwise empty; false where two optimizers want it, which is reported.
bool patterns_claim(Reader *reader, const char *parameter, NetworkSet *out);
bool patterns_gather(Reader *reader, OptimizerDecl *optimizer, OptimizerInfo *info); // its sets; an error for a pattern that finds nothing

// ---- limit.c: each false where a limit is reached, which is then reported, and reader->exhausted
bool limit_enter(Reader *reader, const char *what); // a list of nodes within others, or an included document
void limit_leave(Reader *reader);
bool limit_turn(Reader *reader); // runs one more node, or a loop once more
bool limit_document(Reader *reader, const Json *place); // includes one more; limit_leave follows
bool limit_enter_expression(Reader *reader); // a part of an expression, or a let that it uses
void limit_leave_expression(Reader *reader);
bool limit_step(Reader *reader);

// ---- count.c
// False where the networks and the programs that are wanted make more nodes than a document may have: reported before any is made.
bool count_document(Reader *reader);

// ---- nodes.c
void nodes_run(Reader *reader, const Json *nodes, Scope *scope, const Frame *frame);

// ---- optimizer.c: what an optimizer has
bool optimizer_prepare(Reader *reader, OptimizerDecl *optimizer); // declares its states; false where it is wrong
bool optimizer_keeps(const OptimizerDecl *optimizer, uint32_t moment, uint32_t set);
Datum optimizer_ema(Reader *reader, Network *network); // where an optimizer has no more than a part of the network, the rest is as it is now
// An option as a number known when compiling or a scalar; false after an error.
bool optimizer_number(Reader *reader, const Json *json, Scope *scope, OptimizerOption *out);
// The options of the rule, and those that a row gives instead or besides; false after an error.
bool optimizer_numbers(Reader *reader, const OptimizerDecl *optimizer, const OptimizerRow *row, OptimizerStep *step);

// ---- update.c: gradients and optimizers
Datum node_gradient(Reader *reader, const Json *node, Scope *scope);
void node_update(Reader *reader, const Json *node, Scope *scope);
Datum node_snapshot(Reader *reader, const Json *node);
Datum node_step(Reader *reader, const Json *node, Scope *scope);
void node_commit(Reader *reader, const Json *node, Scope *scope);

// ---- measures.c: what a phase may report of its updates
void measures_note(Reader *reader, const UpdateMeasure *of_update);
Value measures_finite(Reader *reader, const Value *gradients, uint32_t count); // a bool: every element of all of them
Value measures_squares(Reader *reader, const Value *gradients, uint32_t count); // the sum of all elements' squares
Datum measures_read(Reader *reader, const OptimizerDecl *optimizer, const char *name);
void measures_report(Reader *reader); // the skipped updates, where some could be

// ---- tokens.c
// "tokens" of a field or an input whose name, type and bound are known, with at most this many axes: the list, and the bound that follows.
bool tokens_read(Reader *reader, const Json *json, uint32_t most, Field *out);
// ---- accumulate.c: phases of several batches a repetition. What is done for each is built in the stage of the phase; updates and reports,
// which are done once after the last, in a stage of their own.
Accumulation *accumulate_create(Reader *reader, uint32_t batches, const char *path); // path: "train.denoise."
bool accumulate_is_batch(const Reader *reader);         // a node of each batch is being read
void accumulate_note(Reader *reader, const Json *node); // the phase's node that is read now: mistakes inside of networks are told there
void accumulate_enter(Reader *reader);                  // what is read from now on is done after the last batch …
void accumulate_leave(Reader *reader);                  // … until this
Stage *accumulate_finish(const Reader *reader);         // NULL: there is none
bool accumulate_is_empty(const Reader *reader);         // nothing is done after the last batch
void accumulate_change(Reader *reader, uint32_t state, const Json *node); // its value after `node` is known after the last batch only
bool accumulate_is_changed(const Reader *reader, Datum target); // a state or a network: some of it was, by a node before
// True: it needs what is known after the last batch only (or `is_late` says so), was evaluated there, and that is where the reader is now.
bool accumulate_evaluate(Reader *reader, const Json *json, Scope *scope, bool is_late, Datum *out);
void accumulate_check_read(Reader *reader, uint32_t state); // an error where each batch reads what has changed so
bool accumulate_check_measure(Reader *reader, const char *optimizer, const char *name); // the same of a measure: true where it was one
Value *accumulate_gradients(Reader *reader, const OptimizerDecl *optimizer, const Value *gradients); // their means, at the end
// Where the end is read: what a name of the batches stands for there. Lists are crossed as a whole, records and families value by value: of
// one that was, or that the end made itself, `inner` is what accumulate_inner gives.
Datum accumulate_cross(Reader *reader, const char *name, Datum datum);
Datum accumulate_inner(Reader *reader, Datum outer, const char *name, Datum inner);
void accumulate_report(Reader *reader, const Json *report, Scope *scope);
void accumulate_phases(Reader *reader, GraphProgram *program, const Phase *phase); // adds all parts

// ---- program.c
void program_declare(Reader *reader, const Json *json);
Value program_feed(Reader *reader, const Feed *feed); // in the graph being built
bool program_is_wanted(const Reader *reader, const Json *json);
void data_read(Reader *reader);

// ---- pictures.c: the "augment" of a data set whose fields are read
bool pictures_read(Reader *reader, const Json *augment, Scope *scope, DataSet *out);
bool pictures_check(Reader *reader, const Json *augment, const DataSet *data); // the result is every picture field's shape
