// Functions: the table, the call, and the functions of single elements.
#include "compiler/read/functions.h"
#include "compiler/ir/op.h"
#include "compiler/layers/build.h"
#include "compiler/layers/layer.h"
#include "compiler/layers/spec.h"
#include "compiler/read/function_impl.h"
#include <math.h>

typedef Datum (*FunctionImpl)(Reader *reader, const char *name, const Datum *args);

static Datum function_map(Reader *reader, const char *name, const Datum *args);

#define ROW_INTERNAL(op, word, arguments, summary)
#define ROW_OPERATOR(op, word, arguments, summary)
#define ROW_OWN(op, word, arguments, summary)
#define ROW_WHOLE ROW_FUNCTION
#define MAP1(op, kind, word, operands, result, summary, ...) ROW_##kind(op, word, "x", summary)
#define MAP2(op, kind, word, order, operands, result, summary, ...) ROW_##kind(op, word, "a b", summary)
#define MAP3(op, kind, word, operands, result, summary, ...) ROW_##kind(op, word, "a b c", summary)

static const FunctionInfo infos[] = {
#define ROW_FUNCTION(op, word, arguments, summary) {word, arguments, summary, OP_##op},
#include "compiler/ir/elementwise.def"
#undef ROW_FUNCTION
#define FUNCTION(name, arguments, impl, summary) {#name, arguments, summary, OP_NONE},
#include "compiler/read/functions.def"
#undef FUNCTION
};

static const FunctionImpl impls[] = {
#define ROW_FUNCTION(op, word, arguments, summary) function_map,
#include "compiler/ir/elementwise.def"
#undef ROW_FUNCTION
#define FUNCTION(name, arguments, impl, summary) function_##impl,
#include "compiler/read/functions.def"
#undef FUNCTION
};

enum { FUNCTION_COUNT = sizeof infos / sizeof *infos, MAX_ARGUMENTS = 5 };

const FunctionInfo *function_list(uint32_t *count) {
    *count = FUNCTION_COUNT;
    return infos;
}

const FunctionInfo *function_find(const char *name) {
    for (uint32_t i = 0; i < FUNCTION_COUNT; i++)
        if (!strcmp(infos[i].name, name))
            return &infos[i];
    return NULL;
}

bool function_is_op(const FunctionInfo *info) { return !layer_find(info->name); }

const char *function_options(Arena *arena, const char *name) {
    const FunctionInfo *info = function_find(name);
    if (!info)
        return NULL;
    Text text = text_create(arena);
    const char *at = info->arguments;
    SpecItem item;
    for (bool is_first = true; spec_next(&at, &item); is_first = false)
        if (!is_first)
            text_format(&text, "%s%.*s%s%s%.*s", text.length ? " " : "", (int)item.length, item.name, item.is_optional ? "" : "!",
                        item.kinds ? ":" : "", (int)item.kinds_length, item.kinds ? item.kinds : "");
    return text.data;
}

static void count_arguments(const char *arguments, uint32_t *low, uint32_t *high) {
    SpecItem item;
    for (*low = *high = 0; spec_next(&arguments, &item); ++*high)
        *low += !item.is_optional;
}

static bool argument_item(const FunctionInfo *info, uint32_t place, SpecItem *item) {
    const char *at = info->arguments;
    for (uint32_t i = 0; spec_next(&at, item); i++)
        if (i == place)
            return true;
    return false;
}

bool function_chooses(const FunctionInfo *info, uint32_t place) {
    SpecItem item;
    return info && argument_item(info, place, &item) && spec_is_word(&item);
}

bool function_takes_word(const FunctionInfo *info, uint32_t place, const char *word) {
    SpecItem item;
    for (uint32_t i = place; info && argument_item(info, i, &item); i++)
        if (spec_is_word(&item) && spec_takes(&item, word))
            return true;
    return false;
}

// A word where the argument is one, and one of those that it may be.
static bool check_choice(Reader *reader, const FunctionInfo *info, uint32_t place, Datum arg) {
    SpecItem item;
    if (!function_chooses(info, place) || arg.kind == DATUM_NONE)
        return true;
    argument_item(info, place, &item);
    if (arg.kind == DATUM_TEXT && spec_takes(&item, arg.text))
        return true;
    reader_error(reader, "%s: \"%.*s\" is %s, not %s", info->name, (int)item.length, item.name, spec_words(reader->arena, &item),
                 datum_word(reader, arg));
    return false;
}

// A text that stands first, as PyTorch has it, goes behind the list of what follows.
static void put_text_last(Reader *reader, const Datum **args, uint32_t *count) {
    if (*count < 2 || (*args)[0].kind != DATUM_TEXT)
        return;
    Datum *turned = ARENA_NEW(reader->arena, Datum, 2);
    turned[0] = (*args)[1];
    turned[1] = (*args)[0];
    if (*count > 2 || turned[0].kind != DATUM_LIST) {
        DatumList *list = ARENA_NEW(reader->arena, DatumList, 1);
        for (uint32_t i = 1; i < *count; i++)
            array_push(reader->arena, &list->items, (*args)[i]);
        turned[0] = (Datum){.kind = DATUM_LIST, .list = list};
    }
    *args = turned;
    *count = 2;
}

// resize(x, size, 'bicubic'): a word goes on to the argument that takes it, past those that may be left out. How many there are then.
static uint32_t leave_out(const FunctionInfo *info, const Datum *args, uint32_t count, uint32_t high, Datum *out) {
    uint32_t at = 0;
    SpecItem item;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = at;
        if (args[i].kind == DATUM_TEXT)
            while (place < high && !function_chooses(info, place) && argument_item(info, place, &item) && item.is_optional)
                place++;
        if (place + count - i > high || (place != at && !function_chooses(info, place)))
            place = at;
        while (at < place)
            out[at++] = datum_none();
        out[at++] = args[i];
    }
    return at;
}

Datum function_apply(Reader *reader, const char *name, const Datum *args, uint32_t count) {
    const FunctionInfo *info = function_find(name);
    if (!info) {
        const char *names[FUNCTION_COUNT + 1];
        for (uint32_t i = 0; i < FUNCTION_COUNT; i++)
            names[i] = infos[i].name;
        names[FUNCTION_COUNT] = "pop";
        return reader_error(reader, "unknown function \"%s\"%s", name, reader_suggest_words(reader, name, names, FUNCTION_COUNT + 1));
    }
    uint32_t low, high;
    put_text_last(reader, &args, &count);
    count_arguments(info->arguments, &low, &high);
    if (count < low || count > high)
        return reader_error(reader, "%s takes %u%s argument%s (%s), not %u", name, low,
                            high > low ? arena_format(reader->arena, " to %u", high) : "", high == 1 ? "" : "s",
                            spec_shown(reader->arena, info->arguments, " "), count);
    Datum own[MAX_ARGUMENTS], moved[MAX_ARGUMENTS];
    for (uint32_t i = 0; i < MAX_ARGUMENTS; i++)
        own[i] = datum_none();
    count = leave_out(info, args, count, high, moved);
    args = moved;
    for (uint32_t i = 0; i < count; i++) {
        if (args[i].kind == DATUM_ERROR)
            return datum_error();
        if (i && args[i].kind == DATUM_SET)
            return reader_error(reader, "%s: a parameter set stands first", name);
        if (!check_choice(reader, info, i, args[i]))
            return datum_error();
        own[i] = args[i];
    }
    if (count && args[0].kind == DATUM_SET)
        return !strcmp(name, "norm") && count == 1 ? set_norm(reader, args[0].set) : set_map(reader, name, args, count);
    return impls[info - infos](reader, name, own);
}

// ---- arguments

Value argument_tensor(Reader *reader, const char *name, Datum arg) {
    if (arg.kind == DATUM_TENSOR || arg.kind == DATUM_LIST || is_static_number(arg))
        return arithmetic_tensor(reader, arg, NULL);
    if (arg.kind != DATUM_ERROR)
        reader_error(reader, "%s: a tensor expected, not %s", name, datum_word(reader, arg));
    return (Value){0};
}

Value argument_float(Reader *reader, const char *name, Datum arg) {
    Type type = type_scalar(DTYPE_F32);
    if (arg.kind == DATUM_LIST && !(arg = datum_tensor(literal_tensor(reader, arg.list, &type))).tensor.id)
        return (Value){0};
    if (is_static_number(arg))
        return arithmetic_tensor(reader, arg.kind == DATUM_BOOL ? datum_int(arg.integer) : arg, &type);
    Value x = argument_tensor(reader, name, arg);
    if (!x.id)
        return x;
    type = graph_type(reader->stage->graph, x);
    if (type.dtype == DTYPE_F32)
        return x;
    reader_error(reader, "%s: an f32 tensor expected, not %s; convert it with f32(…)", name, type_text(reader->arena, &type));
    return (Value){0};
}

// Part i; numbers and lists are as the first tensor among the parts.
static Value argument_like(Reader *reader, const char *name, const DatumList *parts, uint32_t i) {
    Datum part = parts->items.items[i];
    for (uint32_t k = 0; part.kind != DATUM_TENSOR && k < parts->items.count; k++)
        if (parts->items.items[k].kind == DATUM_TENSOR) {
            Type like = graph_type(reader->stage->graph, parts->items.items[k].tensor);
            return part.kind == DATUM_LIST || is_static_number(part) ? arithmetic_tensor(reader, part, &like) : argument_tensor(reader, name, part);
        }
    return argument_tensor(reader, name, part);
}

Value *argument_parts(Reader *reader, const char *name, Datum arg, uint32_t *count) {
    if (arg.kind != DATUM_LIST || !arg.list->items.count) {
        reader_error(reader, "%s: a list of tensors expected, not %s", name, datum_word(reader, arg));
        return NULL;
    }
    *count = arg.list->items.count;
    Value *parts = ARENA_NEW(reader->arena, Value, *count);
    for (uint32_t i = 0; i < *count; i++) {
        parts[i] = argument_like(reader, name, arg.list, i);
        if (!parts[i].id)
            return NULL;
    }
    return parts;
}

bool argument_integer(Reader *reader, const char *name, const char *what, Datum arg, int64_t low, int64_t *out) {
    if (!datum_integer(reader, arg, out))
        return false;
    if (*out < low || *out > INT32_MAX) {
        reader_error(reader, "%s: \"%s\" is %lld, an integer of %s expected", name, what, (long long)*out,
                     text_bound(reader->arena, *out, low, INT32_MAX));
        return false;
    }
    return true;
}

bool argument_integers(Reader *reader, const char *name, const char *what, Datum arg, uint32_t limit, int64_t *out, uint32_t *count) {
    *count = arg.kind == DATUM_LIST ? arg.list->items.count : 1;
    if (*count > limit) {
        reader_error(reader, "%s: \"%s\" has %u numbers, at most %u expected", name, what, *count, limit);
        return false;
    }
    for (uint32_t i = 0; i < *count; i++)
        if (!datum_integer(reader, arg.kind == DATUM_LIST ? arg.list->items.items[i] : arg, &out[i]))
            return false;
    return true;
}

bool argument_axes(Reader *reader, const char *name, Datum arg, uint32_t rank, int64_t *axes, uint32_t *count) {
    bool taken[MAX_RANK] = {false};
    int64_t given[MAX_RANK];
    *count = 0;
    if (arg.kind != DATUM_NONE && !argument_integers(reader, name, "axes", arg, MAX_RANK, given, count))
        return false;
    if (arg.kind == DATUM_NONE || *count == 0) {
        for (*count = 0; *count < rank; ++*count)
            axes[*count] = *count;
        return true;
    }
    for (uint32_t i = 0; i < *count; i++) {
        if (given[i] < -(int64_t)rank || given[i] >= (int64_t)rank) {
            reader_error(reader, "%s: no axis %lld in a tensor of %u axes", name, (long long)given[i], rank);
            return false;
        }
        taken[given[i] < 0 ? given[i] + rank : given[i]] = true;
    }
    *count = 0;
    for (uint32_t i = 0; i < rank; i++)
        if (taken[i])
            axes[(*count)++] = i;
    return true;
}

bool argument_axis(Reader *reader, const char *name, Datum arg, uint32_t rank, uint32_t *axis) {
    int64_t axes[MAX_RANK];
    uint32_t count;
    if (arg.kind == DATUM_NONE || arg.kind == DATUM_LIST) {
        reader_error(reader, "%s: one axis expected, not %s", name, datum_word(reader, arg));
        return false;
    }
    if (!argument_axes(reader, name, arg, rank, axes, &count))
        return false;
    *axis = (uint32_t)axes[0];
    return count == 1;
}

// ---- single elements

// Of numbers known when compiling: what the op's reference gives. Integers stay integers where the op takes them.
static Datum static_map(Reader *reader, const FunctionInfo *info, const Datum *args) {
    const OpDef *def = op_def(info->op);
    double numbers[MAX_ARGUMENTS], result = 0;
    Tensor tensors[MAX_ARGUMENTS], out = {type_scalar(DTYPE_F32), &result};
    const Tensor *given[MAX_ARGUMENTS];
    Text text = text_create(reader->arena);
    bool is_whole = def->operands >> DTYPE_I32 & 1, is_out_of_range = true;
    for (uint32_t i = 0; i < def->arg_count; i++) {
        numbers[i] = datum_double(args[i]);
        tensors[i] = (Tensor){type_scalar(DTYPE_F32), &numbers[i]};
        given[i] = &tensors[i];
        is_whole = is_whole && args[i].kind != DATUM_NUMBER;
        is_out_of_range = is_out_of_range && !isinf(numbers[i]);
        text_format(&text, "%s%.10g", i ? ", " : "", numbers[i]);
    }
    def->reference(NULL, &(Node){.op = info->op, .arg_count = (uint16_t)def->arg_count, .type = out.type}, given, &out);
    if (def->result == RESULT_BOOL)
        return datum_bool(result != 0);
    if (isnan(result) || (isinf(result) && is_out_of_range))
        return reader_error(reader, "%s(%s) is no number", info->name, text.data);
    return is_whole || (def->word_kind == WORD_WHOLE && fabs(result) < 9e15) ? datum_int((int64_t)result) : datum_number(result);
}

// The arguments as the op takes them: of one shape, and f32 but where it takes other dtypes too.
static bool map_arguments(Reader *reader, const FunctionInfo *info, const Datum *args, Value *values) {
    const OpDef *def = op_def(info->op);
    bool takes_integers = def->operands >> DTYPE_I32 & 1;
    if (def->arg_count == 2 && takes_integers)
        return arithmetic_pair(reader, info->name, args[0], args[1], &values[0], &values[1]);
    for (uint32_t i = 0; i < def->arg_count; i++) {
        values[i] = takes_integers ? argument_tensor(reader, info->name, args[i]) : argument_float(reader, info->name, args[i]);
        if (values[i].id && !(def->operands >> graph_type(reader->stage->graph, values[i]).dtype & 1))
            values[i] = argument_float(reader, info->name, args[i]);
        if (!values[i].id)
            return false;
    }
    return arithmetic_broadcast(reader, info->name, values, def->arg_count);
}

static Datum function_map(Reader *reader, const char *name, const Datum *args) {
    const FunctionInfo *info = function_find(name);
    uint32_t count = op_def(info->op)->arg_count;
    bool is_static = true;
    for (uint32_t i = 0; i < count; i++)
        is_static = is_static && is_static_number(args[i]);
    if (is_static)
        return static_map(reader, info, args);
    Value values[MAX_ARGUMENTS];
    if (!map_arguments(reader, info, args, values))
        return datum_error();
    return datum_tensor(graph_add(reader->stage->graph, info->op, values, count, NULL, 0));
}

static double silu(double x) { return x / (1 + exp(-x)); }
static double gelu(double x) { return x * (1 + erf(x * M_SQRT1_2)) / 2; }
static double mish(double x) { return x * tanh(log1p(exp(x))); }
static double relu(double x) { return x > 0 ? x : 0; }

Datum function_activation(Reader *reader, const char *name, const Datum *args) {
    static const struct {
        const char *name;
        double (*number)(double x);
        Value (*build)(Graph *graph, Value x);
    } rows[] = {{"relu", relu, activation_relu}, {"silu", silu, activation_silu}, {"gelu", gelu, activation_gelu}, {"mish", mish, activation_mish}};
    uint32_t row = 0;
    while (strcmp(rows[row].name, name))
        row++;
    if (is_static_number(args[0]))
        return datum_number(rows[row].number(datum_double(args[0])));
    Value x = argument_float(reader, name, args[0]);
    return x.id ? datum_tensor(rows[row].build(reader->stage->graph, x)) : datum_error();
}

Datum function_leaky(Reader *reader, const char *name, const Datum *args) {
    bool is_elu = !strcmp(name, "elu");
    Value x = argument_float(reader, name, args[0]);
    if (args[1].kind != DATUM_NONE && !is_static_number(args[1]))
        return reader_error(reader, "%s: a number known when compiling expected, not %s", name, datum_word(reader, args[1]));
    double slope = args[1].kind == DATUM_NONE ? (is_elu ? 1 : 0.01) : datum_double(args[1]);
    return datum_tensor(is_elu ? activation_elu(reader->stage->graph, x, slope) : activation_leaky_relu(reader->stage->graph, x, slope));
}

Datum function_cast(Reader *reader, const char *name, const Datum *args) {
    DType dtype = DTYPE_F32;
    dtype_parse(name, &dtype);
    if (is_static_number(args[0])) {
        double number = datum_double(args[0]);
        if (dtype == DTYPE_F32)
            return datum_number(number);
        double low = dtype == DTYPE_U32 ? 0 : INT32_MIN, high = dtype == DTYPE_U32 ? UINT32_MAX : INT32_MAX;
        number = number < low ? low : number > high ? high : number; // as at run time
        return dtype == DTYPE_BOOL ? datum_bool(number != 0) : datum_int(isnan(number) ? 0 : (int64_t)number);
    }
    Value x = argument_tensor(reader, name, args[0]);
    return datum_tensor(build_cast(reader->stage->graph, x, dtype));
}

Datum function_clip(Reader *reader, const char *name, const Datum *args) {
    (void)name;
    Datum low = function_map(reader, "max", (Datum[]){args[0], args[1]});
    return low.kind == DATUM_ERROR ? low : function_map(reader, "min", (Datum[]){low, args[2]});
}

Datum function_choose(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    if (is_static_number(args[0]))
        return datum_double(args[0]) != 0 ? args[1] : args[2];
    Datum condition = args[0].kind == DATUM_LIST ? datum_tensor(literal_tensor(reader, args[0].list, NULL)) : args[0];
    if (condition.kind == DATUM_ERROR)
        return condition;
    if (condition.kind != DATUM_TENSOR || graph_type(graph, condition.tensor).dtype != DTYPE_BOOL)
        return reader_error(reader, "%s: a bool expected first, not %s", name, datum_word(reader, condition));
    Datum first = args[1];
    if (args[1].kind == DATUM_LIST && args[2].kind != DATUM_TENSOR)
        first = datum_tensor(literal_tensor(reader, args[1].list, literal_is_whole(args[2]) ? NULL : &(Type){.dtype = DTYPE_F32}));
    if (is_static_number(args[1]) && is_static_number(args[2])) {
        bool is_float = args[1].kind == DATUM_NUMBER || args[2].kind == DATUM_NUMBER;
        first = datum_tensor(arithmetic_tensor(reader, is_float ? datum_number(datum_double(args[1])) : args[1], NULL));
    }
    Value values[3] = {condition.tensor};
    if (!arithmetic_pair(reader, name, first, args[2], &values[1], &values[2]) || !arithmetic_broadcast(reader, name, values, 3))
        return datum_error();
    return datum_tensor(build_select(graph, values[0], values[1], values[2]));
}

Datum function_finite(Reader *reader, const char *name, const Datum *args) {
    (void)name;
    return function_map(reader, "is_finite", args);
}

Datum function_detach(Reader *reader, const char *name, const Datum *args) {
    if (is_static_number(args[0]))
        return args[0];
    Value x = argument_tensor(reader, name, args[0]);
    if (x.id && graph_type(reader->stage->graph, x).dtype != DTYPE_F32)
        return args[0];
    return datum_tensor(graph_add(reader->stage->graph, OP_detach, &x, 1, NULL, 0));
}

// ---- schedules of learning rates

// clip(step / count, 0, 1): how far a schedule is. A warm-up of no steps has ended; a decay of none would turn training off.
static Datum schedule_part(Reader *reader, const char *name, Datum step, Datum count) {
    Datum one = datum_number(1);
    double least = strcmp(name, "warmup") ? 1 : 0;
    if (is_static_number(count) && datum_double(count) < least)
        return reader_error(reader, "%s: %g steps; at least %g expected", name, datum_double(count), least);
    if (is_static_number(count) && datum_double(count) == 0)
        return one;
    Datum part = arithmetic_binary(reader, SIGN_DIV, step, count);
    if (count.kind == DATUM_TENSOR && part.kind != DATUM_ERROR)
        part = function_choose(reader, "select", (Datum[]){arithmetic_binary(reader, SIGN_GREATER, count, datum_int(0)), part, one});
    return part.kind == DATUM_ERROR ? part : function_clip(reader, name, (Datum[]){part, datum_number(0), one});
}

Datum function_schedule(Reader *reader, const char *name, const Datum *args) {
    Datum one = datum_number(1), part;
    if (!strcmp(name, "exponential"))
        return arithmetic_binary(reader, SIGN_POW, args[1].kind == DATUM_INT ? datum_number((double)args[1].integer) : args[1], args[0]);
    if (!strcmp(name, "step_decay")) {
        if (is_static_number(args[1]) && datum_double(args[1]) <= 0)
            return reader_error(reader, "step_decay: every %g steps; more than 0 expected", datum_double(args[1]));
        Datum times = arithmetic_binary(reader, SIGN_FLOOR_DIV, args[0], args[1]);
        if (args[1].kind == DATUM_TENSOR && times.kind != DATUM_ERROR) // every 0 steps: never
            times = function_choose(reader, "select", (Datum[]){arithmetic_binary(reader, SIGN_GREATER, args[1], datum_int(0)), times, datum_int(0)});
        return arithmetic_binary(reader, SIGN_POW, args[2].kind == DATUM_INT ? datum_number((double)args[2].integer) : args[2], times);
    }
    Datum step = strcmp(name, "warmup") ? args[0] : arithmetic_binary(reader, SIGN_ADD, args[0], datum_int(1));
    part = schedule_part(reader, name, step, args[1]);
    if (part.kind == DATUM_ERROR || !strcmp(name, "warmup"))
        return part;
    if (!strcmp(name, "polynomial"))
        return arithmetic_binary(reader, SIGN_POW, arithmetic_binary(reader, SIGN_SUB, one, part), args[2]);
    Datum turned = arithmetic_binary(reader, SIGN_MUL, part, datum_number(M_PI));
    if (turned.kind == DATUM_ERROR)
        return turned;
    Datum wave = function_map(reader, "cos", &turned);
    return arithmetic_binary(reader, SIGN_DIV, arithmetic_binary(reader, SIGN_ADD, one, wave), datum_number(2));
}
