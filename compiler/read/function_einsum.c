// Einsum as a function: reads the equation, and says where it and the tensors do not fit.
#include "compiler/layers/einsum.h"
#include "compiler/read/function_impl.h"
#include <ctype.h>

enum { LETTERS = 52 }; // A-Z a-z; behind them the axes of "...", the last of which is the last label

typedef struct {
    Reader *reader;
    const char *name, *equation;
    EinsumPart parts[EINSUM_PARTS_MAX];
    uint32_t count, sizes[EINSUM_LABELS], uses[EINSUM_LABELS], size_of[EINSUM_LABELS]; // size_of: the part that says it
    uint32_t most_dots; // axes that "..." stands for, at most
} Einsum;

static bool fail(const Einsum *einsum, const char *problem) {
    reader_error(einsum->reader, "%s '%s': %s", einsum->name, einsum->equation, problem);
    return false;
}

static const char *label_text(Arena *arena, uint32_t label) {
    return label >= LETTERS ? arena_format(arena, "axis %d of \"...\"", (int)label - EINSUM_LABELS)
                            : arena_format(arena, "%c", label < 26 ? 'A' + (int)label : 'a' + (int)label - 26);
}

// The labels of one term into a part of `rank` axes (UINT32_MAX: of the result, where dots stand for all there are). `at` goes behind it.
static bool read_term(Einsum *einsum, const char **at, EinsumPart *part, uint32_t rank) {
    Arena *arena = einsum->reader->arena;
    uint32_t letters = 0;
    bool has_dots = false, is_result = rank == UINT32_MAX;
    for (const char *c = *at; *c && *c != ',' && strncmp(c, "->", 2); c++)
        letters += isalpha((unsigned char)*c) != 0;
    for (part->rank = 0; **at && **at != ',' && strncmp(*at, "->", 2); ++*at) {
        if (**at == ' ')
            continue;
        uint32_t dots = is_result ? einsum->most_dots : rank > letters ? rank - letters : 0;
        bool is_dots = !strncmp(*at, "...", 3), is_letter = isalpha((unsigned char)**at) != 0 && (unsigned char)**at < 128;
        if (!is_letter && (!is_dots || has_dots))
            return fail(einsum, is_dots ? "\"...\" stands twice in a term"
                                        : arena_format(arena, "\"%.*s\" is no label: letters, \"...\", \",\" and \"->\" expected",
                                                       (int)text_utf8_size(*at, strlen(*at)), *at));
        if (part->rank + (is_dots ? dots : 1) > MAX_RANK)
            return fail(einsum, arena_format(arena, "more than %d axes in a term", MAX_RANK));
        for (uint32_t i = 0; is_dots && i < dots; i++)
            part->labels[part->rank++] = (uint8_t)(EINSUM_LABELS - dots + i);
        if (is_letter)
            part->labels[part->rank++] = (uint8_t)(isupper((unsigned char)**at) ? **at - 'A' : **at - 'a' + 26);
        has_dots = has_dots || is_dots;
        einsum->most_dots = is_dots && dots > einsum->most_dots ? dots : einsum->most_dots;
        *at += is_dots ? 2 : 0;
    }
    return true;
}

static bool check_sizes(Einsum *einsum, uint32_t index) {
    Reader *reader = einsum->reader;
    const EinsumPart *part = &einsum->parts[index];
    Type type = graph_type(reader->stage->graph, part->value);
    if (part->rank != type.rank)
        return fail(einsum, arena_format(reader->arena, "part %u is %s, its term has %u label%s", index, type_text(reader->arena, &type), part->rank, part->rank == 1 ? "" : "s"));
    for (uint32_t axis = 0; axis < part->rank; axis++) {
        uint32_t label = part->labels[axis], *size = &einsum->sizes[label];
        einsum->uses[label]++;
        if (*size > 1 && type.dims[axis] > 1 && *size != type.dims[axis]) {
            Type other = graph_type(reader->stage->graph, einsum->parts[einsum->size_of[label]].value);
            return fail(einsum, arena_format(reader->arena, "%s is %u in part %u, %s, and %u in part %u, %s", label_text(reader->arena, label), *size,
                                             einsum->size_of[label], type_text(reader->arena, &other), type.dims[axis], index, type_text(reader->arena, &type)));
        }
        if (type.dims[axis] > *size) {
            *size = type.dims[axis];
            einsum->size_of[label] = index;
        }
    }
    return true;
}

// Without "->": the axes of "...", then what stands once, in the order of the alphabet.
static bool imply_result(Einsum *einsum, EinsumPart *out) {
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t label = pass ? 0 : LETTERS; label < (pass ? LETTERS : EINSUM_LABELS); label++) {
            bool is_kept = pass ? einsum->uses[label] == 1 : einsum->uses[label] > 0;
            if (is_kept && out->rank == MAX_RANK)
                return fail(einsum, arena_format(einsum->reader->arena, "the result would have more than %d axes", MAX_RANK));
            if (is_kept)
                out->labels[out->rank++] = (uint8_t)label;
        }
    return true;
}

static bool check_result(Einsum *einsum, const EinsumPart *out) {
    Arena *arena = einsum->reader->arena;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < out->rank; i++) {
        uint32_t label = out->labels[i];
        if (!einsum->uses[label])
            return fail(einsum, arena_format(arena, "the result has %s, which no part has", label_text(arena, label)));
        if (seen >> label & 1)
            return fail(einsum, arena_format(arena, "the result has %s twice", label_text(arena, label)));
        seen |= 1ull << label;
    }
    for (uint32_t label = LETTERS; label < EINSUM_LABELS; label++)
        if (einsum->uses[label] && !(seen >> label & 1))
            return fail(einsum, "\"...\" is missing in the result: write it there, or name the axes");
    return true;
}

static bool read_equation(Einsum *einsum, EinsumPart *out) {
    const char *at = einsum->equation;
    uint32_t terms = 0;
    for (const char *c = at; *c && strncmp(c, "->", 2); c++)
        terms += *c == ',';
    if (terms + 1 != einsum->count)
        return fail(einsum, arena_format(einsum->reader->arena, "%u term%s for %u tensor%s", terms + 1, terms ? "s" : "", einsum->count, einsum->count == 1 ? "" : "s"));
    for (uint32_t i = 0; i < einsum->count; i++, at += *at == ',') {
        Type type = graph_type(einsum->reader->stage->graph, einsum->parts[i].value);
        if (!read_term(einsum, &at, &einsum->parts[i], type.rank) || !check_sizes(einsum, i))
            return false;
    }
    if (!*at)
        return imply_result(einsum, out);
    at += 2;
    if (!read_term(einsum, &at, out, UINT32_MAX))
        return false;
    return *at ? fail(einsum, "one result expected behind \"->\"") : check_result(einsum, out);
}

Datum function_einsum(Reader *reader, const char *name, const Datum *args) {
    Datum one = args[0];
    DatumList single = {.items = {.items = &one, .count = 1}};
    const DatumList *list = args[0].kind == DATUM_LIST ? args[0].list : &single;
    if (args[1].kind != DATUM_TEXT)
        return reader_error(reader, "%s: an equation such as 'ij,jk->ik' expected, not %s", name, datum_word(reader, args[1]));
    Einsum *einsum = ARENA_NEW(reader->arena, Einsum, 1);
    *einsum = (Einsum){.reader = reader, .name = name, .equation = args[1].text, .count = list->items.count};
    if (list->items.count > EINSUM_PARTS_MAX || !list->items.count)
        return reader_error(reader, "%s of %u tensors; 1 to %d expected", name, list->items.count, EINSUM_PARTS_MAX);
    for (uint32_t i = 0; i < einsum->count; i++) {
        einsum->parts[i].value = argument_float(reader, name, list->items.items[i]);
        if (!einsum->parts[i].value.id)
            return datum_error();
    }
    EinsumPart out = {.rank = 0};
    uint32_t axes;
    if (!read_equation(einsum, &out))
        return datum_error();
    Value value = einsum_contract(reader->stage->graph, einsum->parts, einsum->count, &out, einsum->sizes, &axes);
    if (axes)
        fail(einsum, arena_format(reader->arena, "a product of two parts would have %u axes, a tensor has at most %d", axes, MAX_RANK));
    return datum_tensor(value);
}
