// Einsum: sums of products named by labels, through diagonals, sums and matrix products of two parts at a time.
#include "compiler/layers/einsum.h"
#include "compiler/ir/type.h"

static uint64_t labels_of(const EinsumPart *part) {
    uint64_t set = 0;
    for (uint32_t i = 0; i < part->rank; i++)
        set |= 1ull << part->labels[i];
    return set;
}

static double elements_of(uint64_t labels, const uint32_t *sizes) {
    double count = 1;
    for (uint32_t label = 0; label < EINSUM_LABELS; label++)
        count *= labels >> label & 1 ? sizes[label] : 1;
    return count;
}

// The labels of a set in ascending order, behind those that are there.
static void append(EinsumPart *part, uint64_t labels) {
    for (uint32_t label = 0; label < EINSUM_LABELS; label++)
        if (labels >> label & 1)
            part->labels[part->rank++] = (uint8_t)label;
}

// The part's axes in the order of `like`, with axes of 1 where it has none of a label.
static Value align(Graph *graph, const EinsumPart *part, const EinsumPart *like, const uint32_t *sizes) {
    uint32_t order[MAX_RANK], dims[MAX_RANK], rank = 0;
    for (uint32_t i = 0; i < like->rank; i++) {
        dims[i] = 1;
        for (uint32_t axis = 0; axis < part->rank; axis++)
            if (part->labels[axis] == like->labels[i]) {
                order[rank++] = axis;
                dims[i] = sizes[like->labels[i]];
            }
    }
    return build_reshape(graph, build_transpose(graph, part->value, order), like->rank, dims);
}

// ---- one part

static void drop_axis(EinsumPart *part, uint32_t axis) {
    memmove(part->labels + axis, part->labels + axis + 1, part->rank - axis - 1u);
    part->rank--;
}

// An axis of 1 that other parts have longer says nothing.
static void drop_ones(Graph *graph, EinsumPart *part, const uint32_t *sizes) {
    for (uint32_t axis = part->rank; axis-- > 0;) {
        Type type = graph_type(graph, part->value);
        if (type.dims[axis] != 1 || sizes[part->labels[axis]] == 1)
            continue;
        memmove(type.dims + axis, type.dims + axis + 1, (type.rank - axis - 1u) * sizeof *type.dims);
        part->value = build_reshape(graph, part->value, type.rank - 1u, type.dims);
        drop_axis(part, axis);
    }
}

// Two axes of one label become their diagonal: as one axis of n n, every (n + 1)-th element.
static void take_diagonal(Graph *graph, EinsumPart *part, uint32_t first, uint32_t second) {
    Type type = graph_type(graph, part->value);
    uint32_t order[MAX_RANK], dims[MAX_RANK], rank = 0, size = type.dims[first];
    uint8_t label = part->labels[first];
    EinsumPart rest = {.rank = 0};
    for (uint32_t axis = 0; axis < type.rank; axis++)
        if (axis != first && axis != second) {
            rest.labels[rest.rank++] = part->labels[axis];
            dims[rank] = type.dims[axis];
            order[rank++] = axis;
        }
    order[rank] = first;
    order[rank + 1] = second;
    dims[rank] = size * size;
    Value flat = build_reshape(graph, build_transpose(graph, part->value, order), rank + 1, dims);
    rest.value = build_slice(graph, flat, rank, 0, (int64_t)size * size, (int64_t)size + 1);
    rest.labels[rest.rank++] = label;
    *part = rest;
}

static void prepare(Graph *graph, EinsumPart *part, const uint32_t *sizes) {
    drop_ones(graph, part, sizes);
    for (bool is_found = true; is_found;) {
        is_found = false;
        for (uint32_t i = 0; i < part->rank && !is_found; i++)
            for (uint32_t k = i + 1; k < part->rank && !is_found; k++)
                if (part->labels[i] == part->labels[k]) {
                    take_diagonal(graph, part, i, k);
                    is_found = true;
                }
    }
}

// Sums over the labels that nothing else has.
static void sum_away(Graph *graph, EinsumPart *part, uint64_t needed) {
    int64_t axes[MAX_RANK];
    uint32_t count = 0;
    for (uint32_t axis = 0; axis < part->rank; axis++)
        if (!(needed >> part->labels[axis] & 1))
            axes[count++] = axis;
    if (!count)
        return;
    part->value = build_reduce(graph, OP_reduce_sum, part->value, axes, count);
    while (count)
        drop_axis(part, (uint32_t)axes[--count]);
}

// ---- two parts

// Batch axes and those of one part stay; those that both have and nothing else needs are summed over.
static EinsumPart contract(Graph *graph, const EinsumPart *a, const EinsumPart *b, uint64_t needed, const uint32_t *sizes) {
    uint64_t in_a = labels_of(a), in_b = labels_of(b), batch = in_a & in_b & needed, sum = in_a & in_b & ~needed, left = in_a & ~in_b, right = in_b & ~in_a;
    EinsumPart result = {.rank = 0}, wide = {.rank = 0}, x = {.rank = 0}, y = {.rank = 0};
    append(&result, batch);
    append(&result, left);
    append(&result, right);
    if (!sum || (!left && !right)) {
        append(&wide, batch);
        append(&wide, left);
        append(&wide, right);
        append(&wide, sum);
        wide.value = build_binary(graph, OP_mul, align(graph, a, &wide, sizes), align(graph, b, &wide, sizes));
        sum_away(graph, &wide, needed);
        return wide;
    }
    append(&x, batch);
    append(&x, left);
    append(&x, sum);
    append(&y, batch);
    append(&y, sum);
    append(&y, right);
    uint32_t m = (uint32_t)elements_of(left, sizes), k = (uint32_t)elements_of(sum, sizes), n = (uint32_t)elements_of(right, sizes),
             count = (uint32_t)elements_of(batch, sizes), dims[MAX_RANK], skip = batch ? 0 : 1;
    Value rows = build_reshape(graph, align(graph, a, &x, sizes), 3 - skip, (uint32_t[]){count, m, k} + skip);
    Value columns = build_reshape(graph, align(graph, b, &y, sizes), 3 - skip, (uint32_t[]){count, k, n} + skip);
    for (uint32_t i = 0; i < result.rank; i++)
        dims[i] = sizes[result.labels[i]];
    result.value = build_reshape(graph, build_matmul(graph, rows, columns), result.rank, dims);
    return result;
}

// What the others and the result need, when two of the parts are one.
static uint64_t needed_beside(const EinsumPart *parts, uint32_t count, uint32_t first, uint32_t second, const EinsumPart *out) {
    uint64_t needed = labels_of(out);
    for (uint32_t i = 0; i < count; i++)
        if (i != first && i != second)
            needed |= labels_of(&parts[i]);
    return needed;
}

// The pair whose product is the least larger than the two together; of such the one with the fewest products.
static void choose(const EinsumPart *parts, uint32_t count, const EinsumPart *out, const uint32_t *sizes, uint32_t *first, uint32_t *second) {
    double least = 0, least_work = 0;
    bool is_first = true;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = i + 1; k < count; k++) {
            uint64_t a = labels_of(&parts[i]), b = labels_of(&parts[k]), kept = (a | b) & needed_beside(parts, count, i, k, out);
            double growth = elements_of(kept, sizes) - elements_of(a, sizes) - elements_of(b, sizes), work = elements_of(a | b, sizes);
            if (!is_first && (growth > least || (growth == least && work >= least_work)))
                continue;
            is_first = false;
            least = growth;
            least_work = work;
            *first = i;
            *second = k;
        }
}

static uint32_t count_labels(uint64_t labels) {
    uint32_t count = 0;
    for (; labels; labels &= labels - 1)
        count++;
    return count;
}

Value einsum_contract(Graph *graph, EinsumPart *parts, uint32_t count, const EinsumPart *out, const uint32_t *sizes, uint32_t *axes) {
    *axes = 0;
    for (uint32_t i = 0; i < count; i++)
        prepare(graph, &parts[i], sizes);
    for (uint32_t i = 0; i < count; i++)
        sum_away(graph, &parts[i], needed_beside(parts, count, i, i, out));
    while (count > 1) {
        uint32_t first = 0, second = 1;
        choose(parts, count, out, sizes, &first, &second);
        uint64_t needed = needed_beside(parts, count, first, second, out), kept = (labels_of(&parts[first]) | labels_of(&parts[second])) & needed;
        if (count_labels(kept) > MAX_RANK) {
            *axes = count_labels(kept);
            return (Value){0};
        }
        parts[first] = contract(graph, &parts[first], &parts[second], needed, sizes);
        parts[second] = parts[--count];
    }
    return align(graph, &parts[0], out, sizes);
}
