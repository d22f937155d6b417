// Emitter: values to GLSL statements. Its memory is keyed on (value, index): in w_i * w_j the two loads differ.
#pragma once
#include "compiler/emit/template.h"
#include "compiler/ir/op.h"
#include "compiler/kernel/index.h"
#include "compiler/kernel/schedule.h"

// A value at an index, in a register: GLSL text that may be repeated freely (a name or a literal).
typedef struct {
    const char *text;
    DType dtype;
    bool is_vector; // vec4 along the lane; else a scalar that is the same for all four
} Code;

typedef struct {
    Value value;
    uint32_t rank;
    const Index *index;
    Code code;
} Memo;

typedef struct {
    const Atom *atom;
    const char *name;
} AtomName;

// A factor that an index has by name in the text.
typedef struct {
    const Atom *atom;
    int64_t factor;
    const char *constant;
} AtomFactor;

// A buffer that the shader declares. Numbers (step, seed …) have value {0}.
typedef struct {
    Value value;
    BindingKind kind;
    bool is_numbers, as_vector, as_scalar;
    bool is_read;     // BINDING_WRITE of a chain: later links read what earlier ones wrote
    const char *name; // "in3"
} EmitBinding;

// The vec4s of parameter sets that one dispatch of a map sees: a set may be larger than a binding, so its maps run window by window.
typedef struct {
    uint64_t first, count; // count 0: all
} EmitWindow;

// The chain whose link is being emitted: every workgroup computes one slice, which is one place along an axis of whatever is stored.
typedef struct {
    const Kernel *kernel;
    Index slice;  // which one; constant: there is one
    bool strays;  // a link stores for another slice, or reads what was stored there
} EmitChain;

// What the emitters of one list's kernels share, so that none of them pays for the size of the whole graph.
typedef struct {
    uint8_t *paddings;     // by value id: what is known of a set's padding; see emit_store_vector
    uint32_t *value_names; // by value id: how many registers are already called after it; all 0 between kernels
    bool *seen;            // by value id: for walks; all false between kernels
} EmitTables;

typedef struct Emitter {
    Arena *arena;
    IndexPool *pool;
    EmitTables *tables;
    const KernelList *list;
    const Graph *graph;
    const Kernel *kernel;
    const Target *target;
    EmitWindow window;
    EmitChain *chain; // NULL: none
    Text body;
    uint32_t indent;
    Index lane; // variable 0 … 3: which element of a vec4
    const Atom *lane_atom;
    ARRAY(Memo) memos;       // of the open scopes; leaving a scope forgets its own
    ARRAY(AtomName) atoms;
    ARRAY(AtomFactor) factors;
    ARRAY(EmitBinding) bindings;
    ARRAY(Constant) constants; // before main, or of the template
    ARRAY(Slot) slots;         // of the template that emit_slot has filled
    uint32_t name_count;
    ARRAY(Value) named;      // whose value_names are not 0
    bool uses_random, uses_broadcast, uses_loop_control;
    Text functions;          // helpers of map ops, and shared memory
    uint32_t shared_bytes;   // of that
    uint32_t depth;          // of values being emitted for others
    ARRAY(const char *) files; // of functions that are there already
} Emitter;

typedef struct {
    uint32_t memo_count, atom_count;
} EmitScope;

EmitTables *emit_tables(Arena *arena, const KernelList *list);
void emitter_create(Emitter *emitter, Arena *arena, EmitTables *tables, const KernelList *list, const Kernel *kernel, const Target *target);
void emitter_finish(Emitter *emitter); // leaves the tables as it found them
// Writes one indented line into the body.
__attribute__((format(printf, 2, 3))) void emit_line(Emitter *emitter, const char *format, ...);
// What was written into the body is the text of a slot of the template. What is named there stays known: where other slots do not see it, a scope
// around it must be closed.
void emit_slot(Emitter *emitter, const char *name);
EmitScope emit_open(Emitter *emitter, const char *head); // "for (…) {" ; NULL: no brace
// `for (int NAME = 0; NAME < COUNT; NAME++) {`; turns: how often its body, and the loops in it, would stand in the text that a driver compiles if it
// unrolled them all. Where that is more than the device's figure, it is told not to.
EmitScope emit_open_loop(Emitter *emitter, const char *name, const char *count, uint64_t turns);
// The same of a loop of a contraction, whose head is "for (…) {"; the device's figure is another.
EmitScope emit_open_steps(Emitter *emitter, const char *head, uint64_t turns);
void emit_close(Emitter *emitter, EmitScope scope, bool brace);

// ---- parts.c: of what plan joined, the invocations from number `first` on. Drivers that run both sides of a branch, and jump over nothing but loops,
// get a loop of one turn or none; the note says so, once before them.
void emit_parts_note(Emitter *emitter);
EmitScope emit_open_part(Emitter *emitter, uint64_t first, uint64_t count);

// ---- chain.c: links of a chain. Their invocations, as many as they would have alone, are shared out among slices, and those of a slice among lanes.
EmitScope emit_open_link(Emitter *emitter, uint64_t invocations, Index *number);
// Notes, of a load or store of what a link stores, whether it is of the workgroup's own slice.
void emit_check_slice(Emitter *emitter, Value value, const Index *index);
bool emit_is_linked(const Emitter *emitter, Value value); // an earlier link stores it, or what it is a view of

// Gives a number of the kernel a name that means the same all over the shader; returns it.
const char *emit_constant(Emitter *emitter, const char *name, int64_t value);
const char *emit_name(Emitter *emitter, const char *prefix); // a fresh name: prefix with a number
const char *emit_index(Emitter *emitter, Index index);       // GLSL of an index without lane; quotients get names
// Lets `factor * index` be `OUT_ROW * index` in the text, where the index is one atom and the factor more than 1; else does nothing.
void emit_name_factor(Emitter *emitter, Index index, int64_t factor, const char *constant);
Index emit_opaque_index(Emitter *emitter, const char *expression, int64_t low, int64_t high); // `int i7 = expression;`

// The value at the index (one entry an axis; a set has one axis, physical). Vector when the index mentions the lane in a way that matters.
Code emit_value(Emitter *emitter, Value value, const Index *index);
// Says what a value is at an index, e.g. an accumulator.
void emit_remember(Emitter *emitter, Value value, const Index *index, Code code);
Code emit_vector(Emitter *emitter, Code code);                                // splat where needed
const char *glsl_type(DType dtype, bool is_vector);
const char *glsl_number(Arena *arena, DType dtype, double number);            // a literal; finite
// A literal, or emit_special of what is not finite.
const char *emit_number_text(Emitter *emitter, DType dtype, double number);
// An f32 that the driver's compiler does not get to see, so that it cannot fold it: infinities, NaN, a zero that divides or is a factor.
const char *emit_special(Emitter *emitter, double number);
// Puts the functions of a file of shaders/ before main, once, after those that it includes (lines `//@include FILE`).
void emit_functions(Emitter *emitter, const char *file);

uint32_t emit_binding(Emitter *emitter, Value value, BindingKind kind);       // declares it, or finds it
uint32_t emit_numbers(Emitter *emitter);
bool emit_reads_texels(const Emitter *emitter, Value value);
// vec4 read of a buffer's value at a vec4 offset (GLSL int expression); f32 only.
const char *emit_vector_load(Emitter *emitter, Value value, const char *offset);
// Stores a value's vec4 at a physical index whose offset is a multiple of 4, lanes beyond the logical extent as zero.
void emit_store_vector(Emitter *emitter, Value value, const Index *index, Code code);
// `vec4 there`: 1 where the vec4 number `vector` (GLSL) of a set holds elements, 0 in padding and in gaps between parts. Returns its name.
const char *emit_set_mask(Emitter *emitter, uint32_t set, const char *vector);
bool emit_set_has_gaps(const Emitter *emitter, uint32_t set); // between parts, which hold anything
void emit_store_scalar(Emitter *emitter, Value value, const char *offset, Code code);
// Physical offset in elements.
Index emit_offset(Emitter *emitter, const Layout *layout, const Index *index);
// Axis indices from the number of a vec4 in physical order (with the lane on the innermost axis).
void emit_unravel(Emitter *emitter, const Layout *layout, Index vector, Index *index);
// Declarations of all bindings, with the values' names and types as comments.
void emit_declarations(Emitter *emitter, Text *out);

// Declares a register for a value: `vec4 v12 = expression; // %12 mul /networks/g/nodes/0`.
Code emit_register(Emitter *emitter, Value value, DType dtype, bool is_vector, const char *expression);
// A value that a buffer holds: one vec4 load where the four elements lie in one vec4, four loads elsewhere.
Code emit_load(Emitter *emitter, Value value, const Index *index);
