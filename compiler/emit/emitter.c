// Emitter: registers, names, scopes, bindings, loads and stores. What each op means: emit_ops.c.
#include "compiler/emit/emitter.h"
#include "compiler/emit/template.h"
#include "runtime/base/bug.h"
#include <math.h>
#include <stdlib.h>

void emitter_create(Emitter *emitter, Arena *arena, EmitTables *tables, const KernelList *list, const Kernel *kernel, const Target *target) {
    *emitter = (Emitter){.arena = arena, .tables = tables, .list = list, .graph = list->graph, .kernel = kernel, .target = target};
    emitter->pool = index_pool_create(arena);
    emitter->body = text_create(arena);
    emitter->functions = text_create(arena);
    emitter->lane = index_variable(emitter->pool, "lane", 0, 3);
    emitter->lane_atom = index_atom(emitter->lane);
}

void emitter_finish(Emitter *emitter) {
    for (uint32_t i = 0; i < emitter->named.count; i++)
        emitter->tables->value_names[emitter->named.items[i].id] = 0;
}

void emit_line(Emitter *emitter, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *line = arena_format_list(emitter->arena, format, list);
    va_end(list);
    text_format(&emitter->body, "%*s%s\n", (int)(4 * emitter->indent), "", line);
}

void emit_slot(Emitter *emitter, const char *name) {
    array_push(emitter->arena, &emitter->slots, ((Slot){name, emitter->body.data}));
    emitter->body = text_create(emitter->arena);
}

EmitScope emit_open(Emitter *emitter, const char *head) {
    if (head) {
        emit_line(emitter, "%s", head);
        emitter->indent++;
    }
    return (EmitScope){emitter->memos.count, emitter->atoms.count};
}

static const char *loop_mark(Emitter *emitter, bool is_long) {
    emitter->uses_loop_control |= is_long;
    return is_long ? "[[dont_unroll]] " : "";
}

EmitScope emit_open_loop(Emitter *emitter, const char *name, const char *count, uint64_t turns) {
    const char *mark = loop_mark(emitter, (double)turns > emitter->target->model.unrolled_turns);
    return emit_open(emitter, arena_format(emitter->arena, "%sfor (int %s = 0; %s < %s; %s++) {", mark, name, name, count, name));
}

EmitScope emit_open_steps(Emitter *emitter, const char *head, uint64_t turns) {
    double most = emitter->target->model.unrolled_steps;
    return emit_open(emitter, arena_format(emitter->arena, "%s%s", loop_mark(emitter, most > 0 && (double)turns > most), head));
}

void emit_close(Emitter *emitter, EmitScope scope, bool brace) {
    emitter->memos.count = scope.memo_count;
    emitter->atoms.count = scope.atom_count;
    if (brace) {
        emitter->indent--;
        emit_line(emitter, "}");
    }
}

const char *emit_constant(Emitter *emitter, const char *name, int64_t value) {
    for (uint32_t i = 0; i < emitter->constants.count; i++)
        if (!strcmp(emitter->constants.items[i].name, name)) {
            if (emitter->constants.items[i].value != value)
                bug("constant %s is %lld and %lld", name, (long long)emitter->constants.items[i].value, (long long)value);
            return emitter->constants.items[i].name;
        }
    array_push(emitter->arena, &emitter->constants, ((Constant){arena_copy_text(emitter->arena, name), value}));
    return emitter->constants.items[emitter->constants.count - 1].name;
}

const char *emit_name(Emitter *emitter, const char *prefix) { return arena_format(emitter->arena, "%s%u", prefix, emitter->name_count++); }

// ---- indices

static const char *atom_name(void *context, const Atom *atom) {
    Emitter *emitter = context;
    for (uint32_t i = 0; i < emitter->atoms.count; i++)
        if (emitter->atoms.items[i].atom == atom)
            return emitter->atoms.items[i].name;
    Text text = text_create(emitter->arena);
    index_print(&text, atom->base, atom_name, emitter);
    const char *name = emit_name(emitter, "i");
    emit_line(emitter, "int %s = (%s) %s %lld;", name, text.data, atom->kind == ATOM_DIVIDE ? "/" : "%", (long long)atom->divisor);
    array_push(emitter->arena, &emitter->atoms, ((AtomName){atom, name}));
    return name;
}

void emit_name_factor(Emitter *emitter, Index index, int64_t factor, const char *constant) {
    const Atom *atom = index_atom(index);
    bool is_new = atom && atom->name && factor > 1;
    for (uint32_t i = 0; is_new && i < emitter->factors.count; i++)
        is_new = emitter->factors.items[i].atom != atom || emitter->factors.items[i].factor != factor;
    if (is_new)
        array_push(emitter->arena, &emitter->factors, ((AtomFactor){atom, factor, constant}));
}

// Terms whose factors have names become atoms that are called so.
static Index with_factors(Emitter *emitter, Index index) {
    IndexTerm *terms = ARENA_NEW(emitter->arena, IndexTerm, index.count + 1);
    for (uint32_t i = 0; i < index.count; i++) {
        terms[i] = index.terms[i];
        for (uint32_t k = 0; k < emitter->factors.count; k++) {
            const AtomFactor *known = &emitter->factors.items[k];
            if (known->atom != index.terms[i].atom || known->factor != index.terms[i].coefficient)
                continue;
            const char *text = arena_format(emitter->arena, "%s * %s", emit_constant(emitter, known->constant, known->factor), known->atom->name);
            terms[i] = (IndexTerm){1, index_atom(index_opaque(emitter->pool, text, 0, known->factor * (known->atom->high + 1)))};
            break;
        }
    }
    return (Index){index.constant, index.count, terms};
}

const char *emit_index(Emitter *emitter, Index index) {
    Text text = text_create(emitter->arena);
    index_print(&text, with_factors(emitter, index), atom_name, emitter);
    return text.data;
}

Index emit_opaque_index(Emitter *emitter, const char *expression, int64_t low, int64_t high) {
    const char *name = emit_name(emitter, "i");
    emit_line(emitter, "int %s = %s;", name, expression);
    return index_opaque(emitter->pool, name, low, high);
}

Index emit_offset(Emitter *emitter, const Layout *layout, const Index *index) {
    uint32_t strides[LAYOUT_RANK_MAX];
    layout_strides(layout, strides);
    Index offset = index_constant(0);
    for (uint32_t axis = 0; axis < layout->rank; axis++)
        offset = index_add(emitter->pool, offset, index_scale(emitter->pool, index[axis], strides[axis]));
    return offset;
}

void emit_unravel(Emitter *emitter, const Layout *layout, Index vector, Index *index) {
    for (uint32_t place = layout->rank; place-- > 0;) {
        uint32_t axis = layout->order[place], extent = layout->dims[axis];
        bool inner = place == layout->rank - 1u;
        uint32_t steps = inner ? (extent + 3) / 4 : extent;
        Index part = place == 0 ? vector : index_modulo(emitter->pool, vector, steps);
        if (place)
            vector = index_divide(emitter->pool, vector, steps);
        index[axis] = inner ? index_add(emitter->pool, index_scale(emitter->pool, part, 4), emitter->lane) : part;
    }
}

// ---- types and literals

const char *glsl_type(DType dtype, bool is_vector) {
    const ElementRow *row = element_row(dtype_element(dtype));
    return is_vector ? row->glsl.vector : row->glsl.one;
}

// How the value lies in memory.
static const ElementRow *stored_row(const Emitter *emitter, Value value) { return element_row(emitter->list->buffers[value.id].element); }

// A load or store of elements.def; `place`: which of those that share a uint.
static const char *with_element(Emitter *emitter, const ElementRow *row, const char *pattern, const char *text, const char *place) {
    if (row->glsl.functions)
        emit_functions(emitter, row->glsl.functions);
    if (!strcmp(pattern, "$"))
        return text;
    Text out = text_create(emitter->arena);
    for (const char *at = pattern; *at; at++) {
        if (*at == '$' || *at == '#')
            text_append(&out, *at == '$' ? text : place);
        else
            text_append_bytes(&out, at, 1);
    }
    return out.data;
}

const char *glsl_number(Arena *arena, DType dtype, double number) {
    if (dtype == DTYPE_BOOL)
        return number != 0 ? "true" : "false";
    if (dtype == DTYPE_I32)
        return number <= -2147483648.0 ? "(-2147483647 - 1)" : arena_format(arena, number < 0 ? "(%d)" : "%d", (int)number);
    if (dtype == DTYPE_U32 || dtype == DTYPE_U8)
        return arena_format(arena, "%uu", (uint32_t)number);
    float rounded = (float)number;
    CHECK(isfinite(rounded));
    const char *text = NULL;
    for (int digits = 1; digits <= 9; digits++) {
        text = arena_format(arena, "%.*g", digits, (double)rounded);
        if (strtof(text, NULL) == rounded)
            break;
    }
    if (!strpbrk(text, ".e"))
        text = arena_format(arena, "%s.0", text);
    return rounded < 0 || (rounded == 0 && signbit(rounded)) ? arena_format(arena, "(%s)", text) : text;
}

void emit_functions(Emitter *emitter, const char *file) {
    static const char INCLUDE[] = "//@include ";
    for (uint32_t i = 0; i < emitter->files.count; i++)
        if (!strcmp(emitter->files.items[i], file))
            return;
    array_push(emitter->arena, &emitter->files, file);
    Text own = text_create(emitter->arena);
    for (const char *at = template_source(file); *at;) {
        size_t length = strcspn(at, "\n"), mark = sizeof INCLUDE - 1;
        if (!strncmp(at, INCLUDE, mark))
            emit_functions(emitter, arena_copy_bytes(emitter->arena, at + mark, length - mark));
        else
            text_append_bytes(&own, at, length + (at[length] == '\n'));
        at += length + (at[length] == '\n');
    }
    text_append(&emitter->functions, own.data);
}

const char *emit_special(Emitter *emitter, double number) {
    float rounded = (float)number;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    emit_functions(emitter, "map_special.glsl");
    return arena_format(emitter->arena, "special(0x%08xu)", isnan(number) ? 0x7fc00000u : bits);
}

const char *emit_number_text(Emitter *emitter, DType dtype, double number) {
    return dtype == DTYPE_F32 && !isfinite((float)number) ? emit_special(emitter, number) : glsl_number(emitter->arena, dtype, number);
}

Code emit_vector(Emitter *emitter, Code code) {
    if (!code.is_vector)
        code = (Code){arena_format(emitter->arena, "%s(%s)", glsl_type(code.dtype, true), code.text), code.dtype, true};
    return code;
}

// ---- memory of registers

void emit_remember(Emitter *emitter, Value value, const Index *index, Code code) {
    uint32_t rank = graph_type(emitter->graph, value).rank;
    Index *copy = ARENA_NEW(emitter->arena, Index, rank + 1);
    for (uint32_t i = 0; i < rank; i++)
        copy[i] = index[i];
    array_push(emitter->arena, &emitter->memos, ((Memo){value, rank, copy, code}));
}

// ---- bindings

bool emit_reads_texels(const Emitter *emitter, Value value) {
    return kernel_reads_texels(emitter->list, emitter->kernel, emitter->target, value);
}

uint32_t emit_binding(Emitter *emitter, Value value, BindingKind kind) {
    value = buffer_base(emitter->list, value); // one memory is bound once, whatever shapes it is read in
    for (uint32_t i = 0; i < emitter->bindings.count; i++)
        if (!emitter->bindings.items[i].is_numbers && emitter->bindings.items[i].value.id == value.id &&
            (emitter->bindings.items[i].kind == BINDING_WRITE) == (kind == BINDING_WRITE))
            return i;
    EmitBinding binding = {.value = value, .kind = kind};
    binding.name = arena_format(emitter->arena, "%s%u", kind == BINDING_WRITE ? "out" : "in", emitter->bindings.count);
    array_push(emitter->arena, &emitter->bindings, binding);
    return emitter->bindings.count - 1;
}

uint32_t emit_numbers(Emitter *emitter) {
    for (uint32_t i = 0; i < emitter->bindings.count; i++)
        if (emitter->bindings.items[i].is_numbers)
            return i;
    array_push(emitter->arena, &emitter->bindings, ((EmitBinding){.kind = BINDING_READ, .is_numbers = true, .name = "numbers"}));
    return emitter->bindings.count - 1;
}

static EmitBinding *writing(Emitter *emitter, Value value) {
    uint32_t binding = emit_binding(emitter, value, BINDING_WRITE);
    return &emitter->bindings.items[binding];
}

static EmitBinding *reading(Emitter *emitter, Value value) {
    if (emit_is_linked(emitter, value)) {
        EmitBinding *shared = writing(emitter, value);
        shared->is_read = true;
        return shared;
    }
    uint32_t binding = emit_binding(emitter, value, emit_reads_texels(emitter, value) ? BINDING_TEXEL : BINDING_READ);
    return &emitter->bindings.items[binding];
}

const char *emit_vector_load(Emitter *emitter, Value value, const char *offset) {
    EmitBinding *binding = reading(emitter, value);
    const ElementRow *row = stored_row(emitter, value);
    binding->as_vector = true;
    if (binding->kind == BINDING_TEXEL)
        return arena_format(emitter->arena, "texelFetch(%s, %s)", binding->name, offset);
    return with_element(emitter, row, row->glsl.load_vector, arena_format(emitter->arena, "%s[%s]", binding->name, offset), NULL);
}

static const char *scalar_load(Emitter *emitter, Value value, Index offset) {
    EmitBinding *binding = reading(emitter, value);
    const ElementRow *row = stored_row(emitter, value);
    const char *name = binding->name, *text, *place = NULL;
    if (binding->kind != BINDING_TEXEL) {
        uint32_t shared = element_shared(emitter->list->buffers[value.id].element);
        binding->as_scalar = true;
        text = emit_index(emitter, offset);
        if (shared > 1)
            place = arena_format(emitter->arena, "(%s) %% %u", text, shared), text = arena_format(emitter->arena, "(%s) / %u", text, shared);
        return with_element(emitter, row, row->glsl.load_one, arena_format(emitter->arena, "%ss[%s]", name, text), place);
    }
    int64_t constant;
    if (index_is_constant(offset, &constant))
        return arena_format(emitter->arena, "texelFetch(%s, %lld)[%lld]", name, (long long)(constant / 4), (long long)(constant % 4));
    text = emit_index(emitter, offset);
    return arena_format(emitter->arena, "texelFetch(%s, (%s) >> 2)[(%s) & 3]", name, text, text);
}

void emit_declarations(Emitter *emitter, Text *out) {
    for (uint32_t i = 0; i < emitter->bindings.count; i++) {
        const EmitBinding *binding = &emitter->bindings.items[i];
        if (binding->is_numbers) {
            text_format(out, "layout(set = 0, binding = %u) readonly buffer Numbers { uint numbers[]; };\n", i);
            continue;
        }
        Type type = graph_type(emitter->graph, binding->value);
        const char *note = arena_format(emitter->arena, "// %%%u %s", binding->value.id, type_text(emitter->arena, &type));
        if (binding->kind == BINDING_TEXEL) {
            text_format(out, "layout(set = 0, binding = %u) uniform textureBuffer %s; %s\n", i, binding->name, note);
            continue;
        }
        const char *access = binding->kind == BINDING_READ ? "readonly" : binding->is_read ? "coherent" : "writeonly";
        if (binding->as_vector)
            text_format(out, "layout(set = 0, binding = %u) %s buffer Vector%u { %s %s[]; }; %s\n", i, access, i,
                        stored_row(emitter, binding->value)->glsl.memory_vector, binding->name, note);
        if (binding->as_scalar)
            text_format(out, "layout(set = 0, binding = %u) %s buffer Scalar%u { %s %ss[]; }; %s\n", i, access, i,
                        stored_row(emitter, binding->value)->glsl.memory_one, binding->name, note);
    }
}

// ---- loads and stores

static const char *register_name(Emitter *emitter, Value value) {
    uint32_t again = emitter->tables->value_names[value.id]++;
    if (!again)
        array_push(emitter->arena, &emitter->named, value);
    return again ? arena_format(emitter->arena, "v%u_%u", value.id, again) : arena_format(emitter->arena, "v%u", value.id);
}

// `vec4 v12 = expression;  // %12 mul /networks/g/nodes/0`
Code emit_register(Emitter *emitter, Value value, DType dtype, bool is_vector, const char *expression) {
    const Node *node = graph_node(emitter->graph, value);
    const char *name = register_name(emitter, value);
    emit_line(emitter, "%s %s = %s; // %%%u %s %s", glsl_type(dtype, is_vector), name, expression, value.id, op_def(node->op)->name,
              node->origin.pointer ? node->origin.pointer : "");
    return (Code){name, dtype, is_vector};
}

// Where a set's vec4 lies in what is bound of it.
static const char *in_window(const Emitter *emitter, Value value, const char *vector) {
    if (!graph_type(emitter->graph, value).set || emitter->window.first == 0)
        return vector;
    return arena_format(emitter->arena, "%s - %llu", vector, (unsigned long long)emitter->window.first);
}

// Four loads, or fewer where lanes have elements in common; one where they all have the same.
static Code load_lanes(Emitter *emitter, Value value, const Layout *layout, Index offset) {
    DType dtype = graph_type(emitter->graph, value).dtype;
    const char *parts[4];
    Index own[4];
    int first_of[4], users[4] = {0};
    int64_t low, high, last = (int64_t)layout_count(layout) - 1;
    for (int lane = 0; lane < 4; lane++) {
        own[lane] = index_substitute(emitter->pool, offset, emitter->lane_atom, index_constant(lane));
        first_of[lane] = 0;
        while (!index_equal(own[first_of[lane]], own[lane]))
            first_of[lane]++;
        users[first_of[lane]]++;
    }
    for (int lane = 0; lane < 4; lane++) {
        if (first_of[lane] < lane) {
            parts[lane] = parts[first_of[lane]];
            continue;
        }
        Index one = own[lane];
        index_bounds(one, &low, &high);
        // Lanes of padding may lie beyond the tensor: they are masked when stored, but must not be fetched from there.
        if (low < 0 || high > last)
            one = emit_opaque_index(emitter, arena_format(emitter->arena, "clamp(%s, 0, %lld)", emit_index(emitter, one), (long long)last), 0,
                                    last);
        parts[lane] = scalar_load(emitter, value, one);
        if (users[lane] == 4)
            return emit_register(emitter, value, dtype, false, parts[lane]);
        if (users[lane] == 1)
            continue;
        const char *name = emit_name(emitter, "same");
        emit_line(emitter, "%s %s = %s;", glsl_type(dtype, false), name, parts[lane]);
        parts[lane] = name;
    }
    return emit_register(emitter, value, dtype, true,
                         arena_format(emitter->arena, "%s(%s, %s, %s, %s)", glsl_type(dtype, true), parts[0], parts[1], parts[2], parts[3]));
}

// A buffer's value. The lane is a vec4 load where the four elements lie in one vec4, four loads elsewhere.
Code emit_load(Emitter *emitter, Value value, const Index *index) {
    const Layout *layout = &emitter->list->layouts[value.id];
    DType dtype = graph_type(emitter->graph, value).dtype;
    emit_check_slice(emitter, value, index);
    Index offset = emit_offset(emitter, layout, index), rest;
    int64_t stride;
    bool simple = index_split(emitter->pool, offset, emitter->lane_atom, &stride, &rest);
    if (simple && stride == 0)
        return emit_register(emitter, value, dtype, false, scalar_load(emitter, value, offset));
    if (simple && stride == 1 && index_is_multiple(rest, 4)) {
        const char *text = emit_index(emitter, index_divide(emitter->pool, rest, 4));
        return emit_register(emitter, value, dtype, true, emit_vector_load(emitter, value, in_window(emitter, value, text)));
    }
    return load_lanes(emitter, value, layout, offset);
}

// What is known of a set's padding: nothing, that it is finite, also that one may divide by it, that it is zero. A set's state and pack have
// zeros there.
typedef enum { PADDING_ANY = 1, PADDING_FINITE, PADDING_DIVISOR, PADDING_ZERO } Padding;

static Padding least(Padding a, Padding b) { return a < b ? a : b; }

static Padding padding_of_map(const uint8_t *paddings, const Node *node) {
    Padding x = (Padding)paddings[node->args[0].id], y = node->arg_count > 1 ? (Padding)paddings[node->args[1].id] : x;
    Padding z = node->arg_count > 2 ? (Padding)paddings[node->args[2].id] : y;
    switch (op_def(node->op)->padding) {
    case MAP_NONZERO: break;
    case MAP_ZERO: return least(least(x, y), z) == PADDING_ZERO ? PADDING_ZERO : PADDING_ANY;
    case MAP_FINITE: return least(least(x, y), z);
    case MAP_PRODUCT: return least(x, y) != PADDING_ANY && (x == PADDING_ZERO || y == PADDING_ZERO) ? PADDING_ZERO : least(x, y);
    case MAP_QUOTIENT: return x == PADDING_ZERO && y == PADDING_DIVISOR ? PADDING_ZERO : PADDING_ANY;
    case MAP_CHOSEN: return least(y, z);
    }
    return PADDING_ANY;
}

static Padding padding_of_node(const uint8_t *paddings, const Node *node) {
    if (node->op == OP_state || node->op == OP_pack)
        return PADDING_ZERO;
    if (node->op == OP_materialise)
        return (Padding)paddings[node->args[0].id];
    if (op_def(node->op)->op_class == CLASS_MAP && node->type.set)
        return padding_of_map(paddings, node);
    return PADDING_DIVISOR; // a number spread over the set
}

EmitTables *emit_tables(Arena *arena, const KernelList *list) {
    uint32_t count = list->graph->nodes.count;
    EmitTables *tables = ARENA_NEW(arena, EmitTables, 1);
    *tables = (EmitTables){ARENA_NEW(arena, uint8_t, count), ARENA_NEW(arena, uint32_t, count), ARENA_NEW(arena, bool, count)};
    for (uint32_t id = 1; id < count; id++) {
        Padding padding = padding_of_node(tables->paddings, &list->graph->nodes.items[id]);
        bool is_stored = list->buffers[id].kind != BUFFER_NONE; // with zeros in its padding, by which other kernels cannot divide
        tables->paddings[id] = (uint8_t)(is_stored && padding == PADDING_DIVISOR ? PADDING_FINITE : padding);
    }
    return tables;
}

bool emit_set_has_gaps(const Emitter *emitter, uint32_t set) {
    const SetLayout *places = &emitter->list->sets[set - 1];
    uint64_t end = 0;
    for (uint32_t p = 0; p < emitter->graph->module->sets.items[set - 1].parts.count; p++) {
        if (places->offsets[p] != end)
            return true;
        end += layout_size(&places->layouts[p], SET_ELEMENT);
    }
    return false;
}

const char *emit_set_mask(Emitter *emitter, uint32_t set, const char *vector) {
    const SetLayout *places = &emitter->list->sets[set - 1];
    const Set *parts = &emitter->graph->module->sets.items[set - 1];
    const char *name = emit_name(emitter, "there");
    uint64_t bytes = element_vector(SET_ELEMENT);
    emit_line(emitter, "vec4 %s = vec4(1.0);", name);
    for (uint32_t p = 0; p < parts->parts.count; p++) {
        const Layout *layout = &places->layouts[p];
        uint64_t first = places->offsets[p] / bytes, end = first + layout_count(layout) / 4, next = (p + 1 < parts->parts.count ? places->offsets[p + 1] : places->size) / bytes;
        uint32_t inner = layout->rank ? layout->dims[layout->order[layout->rank - 1]] : 1;
        if (inner % 4)
            emit_line(emitter, "if (%s >= %llu && %s < %llu && (%s - %llu) %% %u == %u) %s = vec4(lessThan(ivec4(0, 1, 2, 3), ivec4(%u)));", vector, (unsigned long long)first,
                      vector, (unsigned long long)end, vector, (unsigned long long)first, layout_inner(layout) / 4, layout_inner(layout) / 4 - 1, name, inner % 4);
        if (next > end)
            emit_line(emitter, "if (%s >= %llu && %s < %llu) %s = vec4(0.0);", vector, (unsigned long long)end, vector, (unsigned long long)next, name);
    }
    return name;
}

// Lanes beyond the tensor's, and padding of sets, as zero. NULL: there are none.
static const char *store_mask(Emitter *emitter, Value value, const Index *index, Index rest, const char **set_mask) {
    const Layout *layout = &emitter->list->layouts[value.id];
    *set_mask = NULL;
    if (layout->rank == 0)
        return "bvec4(true, false, false, false)";
    uint32_t axis = layout->order[layout->rank - 1], extent = layout->dims[axis], set = graph_type(emitter->graph, value).set;
    int64_t stride;
    Index inner;
    if (set && emitter->tables->paddings[value.id] != PADDING_ZERO)
        *set_mask = arena_format(emitter->arena, "notEqual(%s, vec4(0.0))", emit_set_mask(emitter, set, emit_index(emitter, index_divide(emitter->pool, rest, 4))));
    if (extent % 4 == 0)
        return NULL;
    index_split(emitter->pool, index[axis], emitter->lane_atom, &stride, &inner);
    return arena_format(emitter->arena, "lessThan(ivec4(%s) + ivec4(0, 1, 2, 3), ivec4(%u))", emit_index(emitter, inner), extent);
}

void emit_store_vector(Emitter *emitter, Value value, const Index *index, Code code) {
    const Layout *layout = &emitter->list->layouts[value.id];
    const ElementRow *row = stored_row(emitter, value);
    code = emit_vector(emitter, code);
    emit_check_slice(emitter, value, index);
    EmitBinding *binding = writing(emitter, value);
    binding->as_vector = true;
    Index rest = index_constant(0);
    int64_t stride;
    if (layout->rank && !index_split(emitter->pool, emit_offset(emitter, layout, index), emitter->lane_atom, &stride, &rest))
        graph_bug(emitter->graph, value, "a store's lane is not simple");
    // Lanes that share words are masked before they are packed.
    bool is_packed = row->stored < ELEMENT_WORD;
    const char *name = binding->name, *masks[2], *text = is_packed ? code.text : with_element(emitter, row, row->glsl.store_vector, code.text, NULL);
    masks[1] = store_mask(emitter, value, index, rest, &masks[0]);
    for (uint32_t i = 0; i < 2; i++)
        if (masks[i])
            text = arena_format(emitter->arena, "mix(%s(0), %s, %s)", is_packed ? row->glsl.vector : row->glsl.memory_vector, text, masks[i]);
    if (is_packed)
        text = with_element(emitter, row, row->glsl.store_vector, text, NULL);
    const char *at = layout->rank ? in_window(emitter, value, emit_index(emitter, index_divide(emitter->pool, rest, 4))) : "0";
    emit_line(emitter, "%s[%s] = %s;", name, at, text);
}

void emit_store_scalar(Emitter *emitter, Value value, const char *offset, Code code) {
    EmitBinding *binding = writing(emitter, value);
    binding->as_scalar = true;
    const ElementRow *row = stored_row(emitter, value);
    if (!row->glsl.store_one)
        graph_bug(emitter->graph, value, "elements that share a word are stored one by one");
    emit_line(emitter, "%ss[%s] = %s;", binding->name, offset, with_element(emitter, row, row->glsl.store_one, code.text, NULL));
}
