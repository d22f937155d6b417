// Emits: see emits.h.
#include "runtime/sample/emits.h"
#include "runtime/show/draw.h"
#include "runtime/show/grid.h"

enum { TEXTS_MAX = 16 };

// One repetition's value.
typedef struct {
    uint32_t run, repetition, rows; // rows: that count, of format "rows"
    const void *values;
} Piece;

typedef struct {
    const ProgramPhase *phase;
    const ProgramResult *result;
    ARRAY(Piece) pieces;
    uint32_t runs, times; // times: most pieces of one run
} Emit;

struct Emits {
    Arena *arena;
    ARRAY(Emit) items;
};

Emits *emits_create(Arena *arena) {
    Emits *emits = ARENA_NEW(arena, Emits, 1);
    emits->arena = arena;
    return emits;
}

static Emit *find(Emits *emits, const ProgramPhase *phase, const ProgramResult *result) {
    for (uint32_t i = 0; i < emits->items.count; i++)
        if (emits->items.items[i].result == result)
            return &emits->items.items[i];
    Emit emit = {.phase = phase, .result = result};
    array_push(emits->arena, &emits->items, emit);
    return &emits->items.items[emits->items.count - 1];
}

void emits_add(Emits *emits, const SessionResult *result, uint32_t run, uint32_t records) {
    for (uint32_t i = 0; i < result->phase->results.count; i++) {
        const ProgramResult *item = &result->phase->results.items[i];
        if (item->format == RESULT_REPORT || !result->values[i])
            continue;
        Emit *emit = find(emits, result->phase, item);
        uint32_t rows = item->tensor.layout.rank ? item->tensor.layout.dims[0] : 1;
        Piece piece = {run, result->moment.repetition, records && records < rows ? records : rows,
                       arena_copy_bytes(emits->arena, result->values[i], layout_logical_count(&item->tensor.layout) * ELEMENT_WORD)};
        array_push(emits->arena, &emit->pieces, piece);
        uint32_t times = 0;
        for (uint32_t k = emit->pieces.count; k > 0 && emit->pieces.items[k - 1].run == run; k--)
            times++;
        emit->times = times > emit->times ? times : emit->times;
        emit->runs = run + 1 > emit->runs ? run + 1 : emit->runs;
    }
}

bool emits_is_empty(const Emits *emits) { return emits->items.count == 0; }

// The most records of a format that a run makes; 0: none. Rows of repetitions lie below each other.
static uint32_t most_of(const ProgramEntry *entry, ResultFormat format, const uint32_t *repeats) {
    uint64_t most = 0;
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t i = 0; i < entry->phases.items[p].results.count; i++) {
            const ProgramResult *result = &entry->phases.items[p].results.items[i];
            if (result->format != format)
                continue;
            uint64_t count = (uint64_t)(result->tensor.layout.rank ? result->tensor.layout.dims[0] : 1) *
                             (repeats ? repeats[p] * program_phase_times(&entry->phases.items[p]) : 1);
            most = count > most ? count : most;
        }
    return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

uint32_t emits_images_per_run(const ProgramEntry *entry) {
    uint32_t count = most_of(entry, RESULT_IMAGE, NULL);
    return count ? count : 1;
}

uint32_t emits_records_per_run(const ProgramEntry *entry, const uint32_t *repeats) {
    uint32_t count = most_of(entry, RESULT_IMAGE, NULL);
    count = count ? count : most_of(entry, RESULT_ROWS, repeats);
    count = count ? count : most_of(entry, RESULT_TENSOR, NULL);
    return count ? count : 1;
}

bool emits_any(const ProgramEntry *entry, ResultFormat format) { return most_of(entry, format, NULL) > 0; }

static const char *output_path(Arena *arena, const EmitsOutput *output, const char *name, const char *extension) {
    return file_join(arena, output->folder, arena_format(arena, "%s%s%s", output->prefix ? output->prefix : "", name, extension));
}

static bool say(const EmitsOutput *output, const char *path, bool ok) {
    if (ok && output->log)
        fprintf(output->log, "%s\n", path);
    return ok;
}

static bool write_picture(const EmitsOutput *output, const char *path, const Image *image, const char *name, Diag *diag) {
    ImageText texts[TEXTS_MAX];
    uint32_t count = 0;
    for (; count < output->text_count && count < TEXTS_MAX - 1; count++)
        texts[count] = output->texts[count];
    texts[count++] = (ImageText){"name", name};
    return image_write(path, image, texts, count, diag);
}

// `words`: dense, see element.h.
static bool write_tensor(Arena *arena, const char *path, ElementType type, uint32_t rank, const uint64_t *dims, const void *words,
                         Diag *diag) {
    HostTensor tensor = {.name = file_name(path), .dtype = element_row(type)->host, .rank = rank, .data = words};
    size_t count = 1;
    for (uint32_t i = 0; i < rank; i++)
        count *= tensor.dims[i] = dims[i];
    tensor.size = count * element_bytes(tensor.dtype);
    if (element_bytes(tensor.dtype) < ELEMENT_WORD) {
        char *data = arena_alloc(arena, tensor.size);
        for (size_t i = 0; i < count; i++)
            element_put(tensor.dtype, data, i, element_word_number(type, ((const uint32_t *)words)[i]));
        tensor.data = data;
    }
    return npy_write(path, &tensor, diag);
}

// All images as [images, times, channels, height, width], run after run, at most `limit` of them; where a run has fewer pieces, zeros.
static float *gather_images(Arena *arena, const Emit *emit, uint32_t limit, uint32_t *count) {
    const Layout *layout = &emit->result->tensor.layout;
    size_t each = (size_t)layout->dims[1] * layout->dims[2] * layout->dims[3];
    *count = layout->dims[0] * emit->runs;
    *count = limit && limit < *count ? limit : *count;
    float *values = ARENA_NEW(arena, float, each * emit->times * *count);
    for (uint32_t p = 0, run = UINT32_MAX, time = 0; p < emit->pieces.count; p++, time++) {
        const Piece *piece = &emit->pieces.items[p];
        time = piece->run == run ? time : 0;
        run = piece->run;
        for (uint32_t i = 0; i < layout->dims[0] && run * layout->dims[0] + i < *count; i++)
            memcpy(values + (((size_t)run * layout->dims[0] + i) * emit->times + time) * each, (const float *)piece->values + i * each,
                   each * sizeof *values);
    }
    return values;
}

uint32_t emits_pictures(Arena *arena, const Emits *emits, uint32_t limit, EmitsPictures **out) {
    uint32_t count = 0;
    *out = ARENA_NEW(arena, EmitsPictures, emits->items.count + 1);
    for (uint32_t i = 0; i < emits->items.count; i++) {
        const Emit *emit = &emits->items.items[i];
        const uint32_t *dims = emit->result->tensor.layout.dims;
        if (emit->result->format != RESULT_IMAGE)
            continue;
        EmitsPictures *pictures = &(*out)[count++];
        *pictures =
            (EmitsPictures){.name = emit->result->name, .times = emit->times, .channels = dims[1], .height = dims[2], .width = dims[3]};
        pictures->values = gather_images(arena, emit, limit, &pictures->count);
    }
    return count;
}

static bool write_singles(Arena *arena, const Emit *emit, const EmitsOutput *output, const float *values, uint32_t count, Diag *diag) {
    const uint32_t *dims = emit->result->tensor.layout.dims;
    const char *folder = output_path(arena, output, emit->result->name, "");
    bool ok = file_make_folders(folder, diag);
    for (uint32_t i = 0; ok && i < count; i++) {
        Image image =
            image_grid(arena, values + (size_t)i * dims[1] * dims[2] * dims[3], 1, dims[1], dims[2], dims[3], &(ImageGrid){.zoom = 1});
        ok = write_picture(output, file_join(arena, folder, arena_format(arena, "%04u.png", i + 1)), &image, emit->result->name, diag);
    }
    return say(output, folder, ok);
}

static bool draw_times(Arena *arena, const Emit *emit, const float *values, uint32_t count, Image *image, Diag *diag) {
    const uint32_t *dims = emit->result->tensor.layout.dims;
    const char **captions = ARENA_NEW(arena, const char *, emit->times);
    for (uint32_t p = 0, time = 0; p < emit->pieces.count && time < emit->times; p++, time++) {
        if (p > 0 && emit->pieces.items[p].run != emit->pieces.items[p - 1].run)
            time = 0;
        captions[time] = arena_format(arena, "%u", emit->pieces.items[p].repetition);
    }
    DrawStrip strip = {.title = arena_format(arena, "%s, by repetition of %s", emit->result->name, program_phase_title(emit->phase)),
                       .values = values,
                       .rows = count,
                       .columns = emit->times,
                       .channels = dims[1],
                       .height = dims[2],
                       .width = dims[3],
                       .column_captions = captions};
    return draw_strip(arena, &strip, image, diag);
}

// Images under, beside or below the names of their classes, wherever whole columns, rows or all have one. False, *is_named false: none have.
static bool draw_named(Arena *arena, const Emit *emit, const EmitsOutput *output, const float *values, uint32_t count, uint32_t columns,
                       Image *image, bool *is_named, Diag *diag) {
    const uint32_t *dims = emit->result->tensor.layout.dims;
    uint32_t rows = (count - 1) / columns + 1;
    GridNames names = grid_names(arena, output->classes, count, columns);
    *is_named = names.all || names.columns || names.rows;
    if (!*is_named)
        return false;
    size_t each = (size_t)dims[1] * dims[2] * dims[3];
    float *padded = ARENA_NEW(arena, float, each *rows *columns);
    memcpy(padded, values, each * count * sizeof *padded);
    for (size_t i = each * count; i < each * rows * columns; i++)
        padded[i] = 1; // white
    DrawStrip strip = {.title = names.all,
                       .values = padded,
                       .rows = rows,
                       .columns = columns,
                       .channels = dims[1],
                       .height = dims[2],
                       .width = dims[3],
                       .column_captions = names.columns,
                       .row_captions = names.rows};
    return draw_strip(arena, &strip, image, diag);
}

static bool write_images(Arena *arena, const Emit *emit, const EmitsOutput *output, Diag *diag) {
    const uint32_t *dims = emit->result->tensor.layout.dims;
    uint32_t count;
    const float *values = gather_images(arena, emit, output->count, &count);
    const char *path = output_path(arena, output, emit->result->name, ".png");
    Image image;
    bool is_by_class = dims[0] == output->records_per_run, is_named = false;
    uint32_t by_class = is_by_class ? output->by_class : 0,
             columns = output->columns ? output->columns : by_class ? by_class : grid_near_square(count);
    if (emit->times == 1 && is_by_class && output->classes &&
        !draw_named(arena, emit, output, values, count, columns, &image, &is_named, diag) && is_named)
        return false;
    if (emit->times == 1 && !is_named)
        image = image_grid(arena, values, count, dims[1], dims[2], dims[3], &(ImageGrid){.columns = columns, .gap = 2, .background = 255});
    else if (!is_named && !draw_times(arena, emit, values, count, &image, diag))
        return false;
    bool ok = say(output, path, write_picture(output, path, &image, emit->result->name, diag));
    if (ok && output->singles && emit->times == 1)
        ok = write_singles(arena, emit, output, values, count, diag);
    if (ok && output->tensors) {
        uint64_t shape[5] = {count, emit->times, dims[1], dims[2], dims[3]};
        if (emit->times == 1)
            memmove(shape + 1, shape + 2, 3 * sizeof *shape);
        path = output_path(arena, output, emit->result->name, ".npy");
        ok = say(output, path, write_tensor(arena, path, ELEMENT_F32, emit->times == 1 ? 4 : 5, shape, values, diag));
    }
    return ok;
}

// All repetitions and runs below each other.
static bool write_rows(Arena *arena, const Emit *emit, const EmitsOutput *output, Diag *diag) {
    const Layout *layout = &emit->result->tensor.layout;
    uint64_t dims[LAYOUT_RANK_MAX + 1] = {0}, count = layout_logical_count(layout), row_size = layout->rank ? count / layout->dims[0] : 1;
    // Of rows that are not a run's records (a summary beside its images) none are left out.
    bool is_records = output->count && (layout->rank ? layout->dims[0] : 1) * (uint64_t)emit->times == output->records_per_run;
    uint64_t rows = 0, most = is_records ? output->count : UINT64_MAX;
    uint32_t rank = layout->rank ? layout->rank : 1;
    for (uint32_t i = 1; i < layout->rank; i++)
        dims[i] = layout->dims[i];
    uint32_t *words = ARENA_NEW(arena, uint32_t, count *emit->pieces.count);
    for (uint32_t p = 0; p < emit->pieces.count && rows < most; p++) {
        const Piece *piece = &emit->pieces.items[p];
        uint64_t some = piece->rows < most - rows ? piece->rows : most - rows;
        memcpy(words + rows * row_size, piece->values, some * row_size * sizeof *words);
        rows += some;
    }
    dims[0] = rows;
    if (is_records && rows < output->count)
        diag_warning(diag, NULL, "%s: only %llu of the %u rows that were asked for came out", emit->result->name, (unsigned long long)rows,
                     output->count);
    const char *path = output_path(arena, output, emit->result->name, ".npy");
    return say(output, path, write_tensor(arena, path, emit->result->tensor.type, rank, dims, words, diag));
}

// [times, records, …] of tensors whose first axis is a run's records: the runs' lie below each other.
static bool write_records(Arena *arena, const Emit *emit, const EmitsOutput *output, Diag *diag) {
    const Layout *layout = &emit->result->tensor.layout;
    uint64_t dims[LAYOUT_RANK_MAX + 1] = {emit->times}, all = (uint64_t)layout->dims[0] * emit->runs;
    uint64_t records = output->count && output->count < all ? output->count : all, each = layout_logical_count(layout) / layout->dims[0];
    uint32_t *words = ARENA_NEW(arena, uint32_t, emit->times *records *each);
    for (uint32_t p = 0, run = UINT32_MAX, time = 0; p < emit->pieces.count; p++, time++) {
        const Piece *piece = &emit->pieces.items[p];
        time = piece->run == run ? time : 0;
        run = piece->run;
        uint64_t first = (uint64_t)run * layout->dims[0];
        if (first >= records)
            break;
        uint64_t some = records - first < layout->dims[0] ? records - first : layout->dims[0];
        memcpy(words + (time * records + first) * each, piece->values, some * each * sizeof *words);
    }
    dims[1] = records;
    for (uint32_t i = 1; i < layout->rank; i++)
        dims[i + 1] = layout->dims[i];
    uint32_t skipped = emit->times == 1; // no axis for time
    const char *path = output_path(arena, output, emit->result->name, ".npy");
    return say(output, path,
               write_tensor(arena, path, emit->result->tensor.type, layout->rank + 1 - skipped, dims + skipped, words, diag));
}

static bool write_stack(Arena *arena, const Emit *emit, const EmitsOutput *output, Diag *diag) {
    const Layout *layout = &emit->result->tensor.layout;
    uint64_t dims[LAYOUT_RANK_MAX + 1], count = layout_logical_count(layout);
    uint32_t rank = 0;
    if (emit->pieces.count > 1)
        dims[rank++] = emit->pieces.count;
    for (uint32_t i = 0; i < layout->rank; i++)
        dims[rank++] = layout->dims[i];
    uint32_t *words = ARENA_NEW(arena, uint32_t, count *emit->pieces.count);
    for (uint32_t p = 0; p < emit->pieces.count; p++)
        memcpy(words + p * count, emit->pieces.items[p].values, count * sizeof *words);
    const char *path = output_path(arena, output, emit->result->name, ".npy");
    return say(output, path, write_tensor(arena, path, emit->result->tensor.type, rank, dims, words, diag));
}

static bool write_emit(Arena *arena, const Emit *emit, const EmitsOutput *output, Diag *diag) {
    const Layout *layout = &emit->result->tensor.layout;
    if (emit->result->format == RESULT_IMAGE)
        return write_images(arena, emit, output, diag);
    if (emit->result->format == RESULT_ROWS)
        return write_rows(arena, emit, output, diag);
    bool is_records = layout->rank > 0 && layout->dims[0] == output->records_per_run;
    return (is_records ? write_records : write_stack)(arena, emit, output, diag);
}

bool emits_write(const Emits *emits, const EmitsOutput *output, Diag *diag) {
    bool ok = file_make_folders(output->folder, diag);
    for (uint32_t i = 0; ok && i < emits->items.count; i++) {
        Arena *arena = arena_create();
        const Emit *emit = &emits->items.items[i];
        ok = write_emit(arena, emit, output, diag);
        arena_destroy(&arena);
    }
    return ok;
}
