// Index: canonical sums, and the rules by which quotients and remainders vanish.
#include "compiler/kernel/index.h"
#include "runtime/base/bug.h"

IndexPool *index_pool_create(Arena *arena) {
    IndexPool *pool = ARENA_NEW(arena, IndexPool, 1);
    pool->arena = arena;
    return pool;
}

Index index_constant(int64_t number) { return (Index){.constant = number}; }

static int64_t floor_quotient(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }
static int64_t floor_remainder(int64_t a, int64_t b) { return a - floor_quotient(a, b) * b; }

static int64_t greatest_divisor(int64_t a, int64_t b) {
    a = a < 0 ? -a : a;
    b = b < 0 ? -b : b;
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static Index of_atom(IndexPool *pool, const Atom *atom) {
    IndexTerm *term = ARENA_NEW(pool->arena, IndexTerm, 1);
    *term = (IndexTerm){1, atom};
    return (Index){0, 1, term};
}

bool index_equal(Index a, Index b) {
    if (a.constant != b.constant || a.count != b.count)
        return false;
    for (uint32_t i = 0; i < a.count; i++)
        if (a.terms[i].atom != b.terms[i].atom || a.terms[i].coefficient != b.terms[i].coefficient)
            return false;
    return true;
}

void index_bounds(Index a, int64_t *low, int64_t *high) {
    *low = *high = a.constant;
    for (uint32_t i = 0; i < a.count; i++) {
        int64_t c = a.terms[i].coefficient;
        *low += c * (c > 0 ? a.terms[i].atom->low : a.terms[i].atom->high);
        *high += c * (c > 0 ? a.terms[i].atom->high : a.terms[i].atom->low);
    }
}

static Index intern(IndexPool *pool, Atom wanted) {
    if (wanted.low == wanted.high)
        return index_constant(wanted.low);
    for (uint32_t i = 0; i < pool->atoms.count; i++) {
        const Atom *atom = pool->atoms.items[i];
        if (atom->kind != wanted.kind)
            continue;
        bool named = wanted.kind == ATOM_VARIABLE || wanted.kind == ATOM_OPAQUE;
        if (named ? !strcmp(atom->name, wanted.name) : atom->divisor == wanted.divisor && index_equal(atom->base, wanted.base))
            return of_atom(pool, atom);
    }
    Atom *atom = ARENA_NEW(pool->arena, Atom, 1);
    *atom = wanted;
    atom->id = pool->atoms.count;
    array_push(pool->arena, &pool->atoms, atom);
    return of_atom(pool, atom);
}

Index index_variable(IndexPool *pool, const char *name, int64_t low, int64_t high) {
    return intern(pool, (Atom){.kind = ATOM_VARIABLE, .name = name, .low = low, .high = high});
}

Index index_opaque(IndexPool *pool, const char *name, int64_t low, int64_t high) {
    return intern(pool, (Atom){.kind = ATOM_OPAQUE, .name = name, .low = low, .high = high});
}

static Index without(IndexPool *pool, Index sum, uint32_t first, uint32_t second) {
    IndexTerm *terms = ARENA_NEW(pool->arena, IndexTerm, sum.count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < sum.count; i++)
        if (i != first && i != second)
            terms[count++] = sum.terms[i];
    return (Index){sum.constant, count, terms};
}

// x / c * c + x % c = x: where the sum holds k*c of a quotient and k of its remainder, both become k*x.
static bool rejoin(IndexPool *pool, Index sum, Index *out) {
    for (uint32_t i = 0; i < sum.count; i++) {
        const Atom *quotient = sum.terms[i].atom;
        if (quotient->kind != ATOM_DIVIDE)
            continue;
        for (uint32_t j = 0; j < sum.count; j++) {
            const Atom *rest = sum.terms[j].atom;
            if (rest->kind != ATOM_MODULO || rest->divisor != quotient->divisor || !index_equal(rest->base, quotient->base) ||
                sum.terms[i].coefficient != sum.terms[j].coefficient * quotient->divisor)
                continue;
            *out = index_add(pool, without(pool, sum, i, j), index_scale(pool, quotient->base, sum.terms[j].coefficient));
            return true;
        }
    }
    return false;
}

// (x / a) % b * a + x % a = x % (a*b).
static bool rejoin_remainder(IndexPool *pool, Index sum, Index *out) {
    for (uint32_t i = 0; i < sum.count; i++) {
        const Atom *upper = sum.terms[i].atom;
        if (upper->kind != ATOM_MODULO || upper->base.count != 1 || upper->base.constant || upper->base.terms[0].coefficient != 1 ||
            upper->base.terms[0].atom->kind != ATOM_DIVIDE)
            continue;
        const Atom *quotient = upper->base.terms[0].atom;
        for (uint32_t j = 0; j < sum.count; j++) {
            const Atom *rest = sum.terms[j].atom;
            if (rest->kind != ATOM_MODULO || rest->divisor != quotient->divisor || !index_equal(rest->base, quotient->base) ||
                sum.terms[i].coefficient != sum.terms[j].coefficient * quotient->divisor)
                continue;
            Index joined = index_modulo(pool, quotient->base, quotient->divisor * upper->divisor);
            *out = index_add(pool, without(pool, sum, i, j), index_scale(pool, joined, sum.terms[j].coefficient));
            return true;
        }
    }
    return false;
}

Index index_add(IndexPool *pool, Index a, Index b) {
    IndexTerm *terms = ARENA_NEW(pool->arena, IndexTerm, a.count + b.count + 1);
    uint32_t count = 0, i = 0, j = 0;
    while (i < a.count || j < b.count) {
        if (j == b.count || (i < a.count && a.terms[i].atom->id < b.terms[j].atom->id)) {
            terms[count++] = a.terms[i++];
        } else if (i == a.count || b.terms[j].atom->id < a.terms[i].atom->id) {
            terms[count++] = b.terms[j++];
        } else {
            int64_t sum = a.terms[i].coefficient + b.terms[j].coefficient;
            if (sum)
                terms[count++] = (IndexTerm){sum, a.terms[i].atom};
            i++, j++;
        }
    }
    Index sum = {a.constant + b.constant, count, terms}, joined;
    if (rejoin(pool, sum, &joined) || rejoin_remainder(pool, sum, &joined))
        return joined;
    return sum;
}

Index index_add_constant(IndexPool *pool, Index a, int64_t number) {
    (void)pool;
    a.constant += number;
    return a;
}

Index index_scale(IndexPool *pool, Index a, int64_t factor) {
    if (factor == 0)
        return index_constant(0);
    if (factor == 1)
        return a;
    IndexTerm *terms = ARENA_NEW(pool->arena, IndexTerm, a.count + 1);
    for (uint32_t i = 0; i < a.count; i++)
        terms[i] = (IndexTerm){a.terms[i].coefficient * factor, a.terms[i].atom};
    return (Index){a.constant * factor, a.count, terms};
}

// Splits a = divisor * whole + rest by the divisibility of each coefficient.
static void split_by_divisor(IndexPool *pool, Index a, int64_t divisor, Index *whole, Index *rest) {
    IndexTerm *wholes = ARENA_NEW(pool->arena, IndexTerm, a.count + 1), *rests = ARENA_NEW(pool->arena, IndexTerm, a.count + 1);
    uint32_t whole_count = 0, rest_count = 0;
    for (uint32_t i = 0; i < a.count; i++) {
        int64_t c = a.terms[i].coefficient, q = floor_quotient(c, divisor), r = c - q * divisor;
        if (r == 0)
            wholes[whole_count++] = (IndexTerm){q, a.terms[i].atom};
        else
            rests[rest_count++] = a.terms[i];
    }
    *whole = (Index){floor_quotient(a.constant, divisor), whole_count, wholes};
    *rest = (Index){floor_remainder(a.constant, divisor), rest_count, rests};
    int64_t low, high; // GLSL divides by cutting off: no rest may be negative, as that of a flipped index would be
    index_bounds(*rest, &low, &high);
    int64_t lift = low < 0 ? -floor_quotient(low, divisor) : 0;
    whole->constant -= lift;
    rest->constant += lift * divisor;
}

// Finds g > 1 dividing the divisor such that rest = g * multiples + small with 0 <= small < g: then rest / divisor = multiples / (divisor / g).
static bool find_grain(IndexPool *pool, Index rest, int64_t divisor, int64_t *grain, Index *multiples, Index *small) {
    for (uint32_t i = 0; i < rest.count; i++) {
        int64_t g = greatest_divisor(rest.terms[i].coefficient, divisor);
        if (g <= 1)
            continue;
        Index whole, left;
        split_by_divisor(pool, rest, g, &whole, &left);
        int64_t low, high;
        index_bounds(left, &low, &high);
        if (low >= 0 && high < g && whole.count) {
            *grain = g;
            *multiples = whole;
            *small = left;
            return true;
        }
    }
    return false;
}

static Index divide_atom(IndexPool *pool, Index a, int64_t divisor) {
    if (a.count == 1 && a.constant == 0 && a.terms[0].coefficient == 1 && a.terms[0].atom->kind == ATOM_DIVIDE)
        return index_divide(pool, a.terms[0].atom->base, a.terms[0].atom->divisor * divisor);
    if (a.count == 1 && a.constant == 0 && a.terms[0].coefficient == 1 && a.terms[0].atom->kind == ATOM_MODULO && a.terms[0].atom->divisor % divisor == 0)
        return index_modulo(pool, index_divide(pool, a.terms[0].atom->base, divisor), a.terms[0].atom->divisor / divisor);
    int64_t low, high;
    index_bounds(a, &low, &high);
    return intern(pool, (Atom){.kind = ATOM_DIVIDE, .base = a, .divisor = divisor, .low = floor_quotient(low, divisor), .high = floor_quotient(high, divisor)});
}

Index index_divide(IndexPool *pool, Index a, int64_t divisor) {
    CHECK(divisor > 0);
    if (divisor == 1)
        return a;
    Index whole, rest, multiples, small;
    split_by_divisor(pool, a, divisor, &whole, &rest);
    int64_t low, high, grain;
    index_bounds(rest, &low, &high);
    if (low >= 0 && high < divisor)
        return whole;
    if (find_grain(pool, rest, divisor, &grain, &multiples, &small))
        return index_add(pool, whole, index_divide(pool, multiples, divisor / grain));
    return index_add(pool, whole, divide_atom(pool, rest, divisor));
}

Index index_modulo(IndexPool *pool, Index a, int64_t divisor) {
    CHECK(divisor > 0);
    if (divisor == 1)
        return index_constant(0);
    Index whole, rest, multiples, small;
    split_by_divisor(pool, a, divisor, &whole, &rest);
    int64_t low, high, grain;
    index_bounds(rest, &low, &high);
    if (low >= 0 && high < divisor)
        return rest;
    if (find_grain(pool, rest, divisor, &grain, &multiples, &small))
        return index_add(pool, index_scale(pool, index_modulo(pool, multiples, divisor / grain), grain), small);
    if (rest.count == 1 && rest.constant == 0 && rest.terms[0].coefficient == 1 && rest.terms[0].atom->kind == ATOM_MODULO &&
        rest.terms[0].atom->divisor % divisor == 0)
        return index_modulo(pool, rest.terms[0].atom->base, divisor);
    return intern(pool, (Atom){.kind = ATOM_MODULO, .base = rest, .divisor = divisor, .low = 0, .high = divisor - 1});
}

bool index_is_constant(Index a, int64_t *number) {
    *number = a.constant;
    return a.count == 0;
}

bool index_mentions(Index a, const Atom *atom) {
    for (uint32_t i = 0; i < a.count; i++)
        if (a.terms[i].atom == atom || index_mentions(a.terms[i].atom->base, atom))
            return true;
    return false;
}

Index index_substitute(IndexPool *pool, Index a, const Atom *variable, Index by) {
    if (!index_mentions(a, variable))
        return a;
    Index sum = index_constant(a.constant);
    for (uint32_t i = 0; i < a.count; i++) {
        const Atom *atom = a.terms[i].atom;
        Index part;
        if (atom == variable)
            part = by;
        else if (atom->kind == ATOM_DIVIDE)
            part = index_divide(pool, index_substitute(pool, atom->base, variable, by), atom->divisor);
        else if (atom->kind == ATOM_MODULO)
            part = index_modulo(pool, index_substitute(pool, atom->base, variable, by), atom->divisor);
        else
            part = of_atom(pool, atom);
        sum = index_add(pool, sum, index_scale(pool, part, a.terms[i].coefficient));
    }
    return sum;
}

const Atom *index_atom(Index variable) {
    return variable.count == 1 && variable.constant == 0 && variable.terms[0].coefficient == 1 ? variable.terms[0].atom : NULL;
}

bool index_split(IndexPool *pool, Index a, const Atom *lane, int64_t *stride, Index *rest) {
    *stride = 0;
    IndexTerm *terms = ARENA_NEW(pool->arena, IndexTerm, a.count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < a.count; i++) {
        if (a.terms[i].atom == lane)
            *stride = a.terms[i].coefficient;
        else if (index_mentions(a.terms[i].atom->base, lane))
            return false;
        else
            terms[count++] = a.terms[i];
    }
    *rest = (Index){a.constant, count, terms};
    return true;
}

bool index_is_multiple(Index a, int64_t factor) {
    if (a.constant % factor)
        return false;
    for (uint32_t i = 0; i < a.count; i++)
        if (a.terms[i].coefficient % factor)
            return false;
    return true;
}

void index_print(Text *text, Index a, const char *(*name_of)(void *context, const Atom *atom), void *context) {
    if (a.count == 0) {
        text_format(text, "%lld", (long long)a.constant);
        return;
    }
    for (uint32_t i = 0; i < a.count; i++) {
        int64_t c = a.terms[i].coefficient;
        const Atom *atom = a.terms[i].atom;
        if (i)
            text_append(text, c < 0 ? " - " : " + ");
        else if (c < 0)
            text_append(text, "-");
        if (c != 1 && c != -1)
            text_format(text, "%lld * ", (long long)(c < 0 ? -c : c));
        const char *name = atom->name ? atom->name : name_of ? name_of(context, atom) : NULL;
        if (name) {
            text_append(text, name);
        } else {
            text_append(text, "((");
            index_print(text, atom->base, name_of, context);
            text_format(text, ") %s %lld)", atom->kind == ATOM_DIVIDE ? "/" : "%", (long long)atom->divisor);
        }
    }
    if (a.constant)
        text_format(text, " %c %lld", a.constant < 0 ? '-' : '+', (long long)(a.constant < 0 ? -a.constant : a.constant));
}
