// Columns: see columns.h.
#include "runtime/data/columns.h"
#include "runtime/base/text.h"

enum { LEVELS = 256, CHECKED_MAX = 1 << 22, CHECKED_FIRST = 16, SIDE_MAX = 1 << 16 };

// A field of the graph in one split.
typedef struct {
    const Column *column;
    uint64_t count;                   // numbers of a record
    bool has_channels_last;           // h,w,c is stored, c,h,w is declared
    uint32_t channels, height, width; // of a picture, or where channels come last, as stored
} Match;

typedef struct {
    Match *fields;
    const uint32_t *rows; // of a split by hash: where its records lie; NULL: all, in order
    uint64_t records;     // of the arrays
} Split;

typedef struct {
    Split splits[SPLIT_COUNT];
    float (*levels)[LEVELS]; // by field: what a byte becomes
} ColumnsData;

static uint64_t record_count(const Column *column) {
    uint64_t count = 1;
    for (uint32_t i = 1; i < column->place.rank; i++)
        count *= column->place.dims[i];
    return count;
}

static const char *shape_text(Arena *arena, const Column *column) {
    return arena_format(arena, "%s[%s]", element_name(column->place.type),
                        host_dims_text(arena, column->place.rank - 1, column->place.dims + 1));
}

// ---- numbers

// The bytes of a record: in memory, or read into `scratch`.
static const void *record_bytes(Arena *scratch, const Column *column, uint64_t record, Diag *diag) {
    uint64_t size = record_count(column) * element_bytes(column->place.type), stride = column->stride ? column->stride : size;
    for (uint32_t i = 0; i < column->part_count; record -= column->parts[i++].records) {
        const ColumnPart *part = &column->parts[i];
        if (record >= part->records)
            continue;
        if (part->bytes && !column->place.is_big)
            return part->bytes + record * stride;
        uint8_t *bytes = arena_alloc(scratch, size);
        if (part->bytes)
            memcpy(bytes, part->bytes + record * stride, size);
        else if (!file_read_at(part->view, part->offset + record * stride, bytes, size, diag))
            return NULL;
        if (column->place.is_big)
            npy_swap(column->place.type, bytes, record_count(column));
        return bytes;
    }
    return NULL; // none asks for a record beyond the last one
}

__attribute__((format(printf, 4, 5))) static bool wrong(const Column *column, uint64_t record, Diag *diag, const char *format, ...) {
    char message[256];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    const char *of = column->split == SPLIT_TRAIN  ? " of \"train\""
                     : column->split == SPLIT_VAL  ? " of \"val\""
                     : column->split == SPLIT_TEST ? " of \"test\""
                                                   : "";
    diag_error(diag, &(Place){.file = column->path}, "record %llu%s has %s %s", (unsigned long long)record, of, column->name, message);
    return false;
}

// What the whole numbers of an unsigned type up to its largest become; others are taken as they are.
static double scale_of(ElementType type) { return type == ELEMENT_U8 ? UINT8_MAX : type == ELEMENT_U16 ? UINT16_MAX : 0; }

static bool put_real(const Dataset *dataset, const Match *match, uint32_t field, uint64_t record, double number, float *out, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    *out = (float)number;
    if (!declared->fields[field].has_range)
        return true;
    double low = declared->fields[field].low, high = declared->fields[field].high, most = scale_of(match->column->place.type);
    if (most > 0) {
        *out = (float)low + (float)number * (float)((high - low) / most);
        return true;
    }
    double slack = 1e-6 * (high - low);
    if (number >= low - slack && number <= high + slack)
        return true;
    return wrong(match->column, record, diag, "%g, but the graph declares %s.%s in [%g, %g]; only u8 and u16 are scaled to a range", number,
                 dataset->name, declared->fields[field].name, low, high);
}

static bool put_whole(const Dataset *dataset, const Match *match, uint32_t field, uint64_t record, double number, uint32_t *out,
                      Diag *diag) {
    const ProgramData *declared = dataset->declared;
    ElementType type = declared->fields[field].type;
    if (!(element_round(type, number) == number)) // NaN, too
        return wrong(match->column, record, diag, "%g, which is none of %s", number, element_name(type));
    if (declared->fields[field].below && !(number >= 0 && number < declared->fields[field].below))
        return wrong(match->column, record, diag, "%g, but the graph declares it below %u", number, declared->fields[field].below);
    *out = element_word(type, number);
    return true;
}

// Number i of a record, in the order in which the field is declared.
static uint64_t place_of(const Match *match, uint64_t i) {
    if (!match->has_channels_last)
        return i;
    uint64_t plane = (uint64_t)match->height * match->width;
    return i % plane * match->channels + i / plane;
}

static bool convert(const Dataset *dataset, const Match *match, uint32_t field, uint64_t record, void *out, Diag *diag) {
    const ColumnsData *data = dataset->data;
    const Column *column = match->column;
    ElementType type = column->place.type;
    bool is_real = dataset->declared->fields[field].type == ELEMENT_F32, ok = true;
    Arena *scratch = arena_create();
    const void *bytes = record_bytes(scratch, column, record, diag);
    if (!bytes)
        ok = false;
    else if (is_real && type == ELEMENT_U8)
        for (uint64_t i = 0; i < match->count; i++)
            ((float *)out)[i] = data->levels[field][((const uint8_t *)bytes)[place_of(match, i)]];
    else if (is_real && type == ELEMENT_F32 && !match->has_channels_last && !dataset->declared->fields[field].has_range)
        memcpy(out, bytes, match->count * sizeof(float));
    else
        for (uint64_t i = 0; ok && i < match->count; i++) {
            double number = element_number(type, bytes, place_of(match, i));
            ok = is_real ? put_real(dataset, match, field, record, number, (float *)out + i, diag)
                         : put_whole(dataset, match, field, record, number, (uint32_t *)out + i, diag);
        }
    arena_destroy(&scratch);
    return ok;
}

static uint64_t row_of(const Split *split, uint32_t record) { return split->rows ? split->rows[record] : record; }

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    (void)draw;
    const ColumnsData *data = dataset->data;
    return convert(dataset, &data->splits[split].fields[field], field, row_of(&data->splits[split], record), out, diag);
}

// Of bytes: a picture in memory, for what the graph wants done with it.
static bool picture(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint32_t field, const PictureWanted *wanted,
                    Image *out, Diag *diag) {
    const ColumnsData *data = dataset->data;
    const Match *match = &data->splits[split].fields[field];
    const uint8_t *bytes = record_bytes(arena, match->column, row_of(&data->splits[split], record), diag);
    if (!bytes)
        return false;
    *out = image_create(arena, match->width, match->height, wanted->channels);
    for (uint64_t pixel = 0, plane = (uint64_t)match->height * match->width; pixel < plane; pixel++)
        for (uint32_t c = 0; c < match->channels; c++)
            out->pixels[pixel * match->channels + c] = bytes[match->has_channels_last ? pixel * match->channels + c : c * plane + pixel];
    return true;
}

// ---- shapes

// The same shape, but for axes of length 1, or one of both flattened.
static bool fits(const uint64_t *have, uint32_t have_rank, const uint32_t *want, uint32_t want_rank) {
    uint64_t have_count = 1, want_count = 1;
    for (uint32_t i = 0; i < have_rank; i++)
        have_count *= have[i];
    for (uint32_t i = 0; i < want_rank; i++)
        want_count *= want[i];
    if (have_count == want_count && (want_rank == 1 || have_rank == 1))
        return true;
    uint32_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < have_rank && have[i] == 1)
            i++;
        while (j < want_rank && want[j] == 1)
            j++;
        if (i == have_rank || j == want_rank)
            return i == have_rank && j == want_rank;
        if (have[i] != want[j])
            return false;
    }
}

// Height, width and channels of an array that can be a picture of the declared field's channels, in a size of its own.
static bool find_picture(const uint64_t *have, uint32_t have_rank, const uint32_t *want, uint32_t want_rank, Match *match) {
    uint32_t channels = want_rank == 3 ? want[0] : 1;
    bool is_first = have_rank == 3 && have[0] == channels, is_last = have_rank == 3 && have[2] == channels;
    if ((want_rank != 2 && want_rank != 3) || (channels != 1 && channels != 3))
        return false;
    if (have_rank == 3 ? !is_first && !is_last : have_rank != 2 || channels != 1)
        return false;
    uint64_t height = have[is_first ? 1 : 0], width = have[is_first ? 2 : 1];
    if (height > SIDE_MAX || width > SIDE_MAX)
        return false;
    match->has_channels_last = have_rank == 3 && !is_first;
    match->channels = channels;
    match->height = (uint32_t)height;
    match->width = (uint32_t)width;
    return true;
}

static bool match_shape(Arena *arena, const Dataset *dataset, uint32_t field, Match *match, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    const Column *column = match->column;
    const uint32_t *want = declared->fields[field].dims, want_rank = declared->fields[field].rank, have_rank = column->place.rank - 1;
    const uint64_t *have = column->place.dims + 1;
    match->count = record_count(column);
    bool is_same = fits(have, have_rank, want, want_rank);
    bool is_turned = !is_same && have_rank == 3 && want_rank == 3 && have[2] == want[0] && have[0] == want[1] && have[1] == want[2];
    if (is_same || is_turned) {
        match->has_channels_last = is_turned;
        if (want_rank == 2 || want_rank == 3) {
            match->channels = want_rank == 3 ? want[0] : 1;
            match->height = want[want_rank - 2];
            match->width = want[want_rank - 1];
        }
        return true;
    }
    bool can_change =
        declared->has_augment && declared->fields[field].type == ELEMENT_F32 && (want_rank == 3 || column->place.type == ELEMENT_U8);
    if (can_change && find_picture(have, have_rank, want, want_rank, match)) // whether it becomes the field is frames.h's to judge
        return true;
    diag_error(diag, &(Place){.file = column->path}, "its \"%s\" is %s a record, but the graph declares %s.%s", column->name,
               shape_text(arena, column), declared->name, dataset_field_text(arena, declared, field));
    return false;
}

// ---- fields and splits

static const Column *find_column(const Columns *columns, int split, const char *name, uint32_t field_count) {
    const Column *only = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < columns->count; i++) {
        if (columns->items[i].split != split)
            continue;
        if (strcmp(columns->items[i].name, name) == 0)
            return &columns->items[i];
        only = &columns->items[i];
        count++;
    }
    return count == 1 && field_count == 1 ? only : NULL;
}

static bool report_missing(Arena *arena, const Dataset *dataset, const Columns *columns, int split, uint32_t field, Diag *diag) {
    diag_error(diag, NULL, "%s: the graph declares %s.%s, but %s%s%s has no array of that name%s", dataset->spec, dataset->name,
               dataset->declared->fields[field].name, split >= 0 ? "\"" : "it", split >= 0 ? split_name(split) : "", split >= 0 ? "\"" : "",
               columns_suggestion(arena, dataset->declared, field, columns, &split));
    return false;
}

static bool match_split(Arena *arena, const Dataset *dataset, const Columns *columns, int which, Split *split, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    const Column *first = NULL;
    *split = (Split){.fields = ARENA_NEW(arena, Match, declared->field_count)};
    for (uint32_t i = 0; i < declared->field_count; i++) {
        Match *match = &split->fields[i];
        match->column = find_column(columns, which, declared->fields[i].name, declared->field_count);
        if (!match->column)
            return report_missing(arena, dataset, columns, which, i, diag);
        if (!match_shape(arena, dataset, i, match, diag))
            return false;
        first = first ? first : match->column;
        if (first->place.dims[0] != match->column->place.dims[0]) {
            diag_error(diag, &(Place){.file = match->column->path}, "%llu records of \"%s\", but %llu of \"%s\"",
                       (unsigned long long)match->column->place.dims[0], match->column->name, (unsigned long long)first->place.dims[0],
                       first->name);
            return false;
        }
    }
    split->records = first ? first->place.dims[0] : 0;
    return true;
}

static void tell_turned(Arena *arena, const Dataset *dataset, const Split *split, Diag *diag) {
    for (uint32_t i = 0; i < dataset->declared->field_count; i++)
        if (split->fields[i].has_channels_last)
            diag_warning(diag, NULL, "%s: its \"%s\" is %s a record: height, width, channels; turned to %s", dataset->spec,
                         split->fields[i].column->name, shape_text(arena, split->fields[i].column),
                         dataset_field_text(arena, dataset->declared, i));
}

static void add_split(Dataset *dataset, const char *name, uint32_t count) {
    dataset->splits[dataset->split_count].name = name;
    dataset->splits[dataset->split_count++].count = count;
}

// One array of records becomes two splits.
static void share_out(Arena *arena, Dataset *dataset, ColumnsData *data) {
    uint32_t count = (uint32_t)data->splits[0].records;
    Arena *scratch = arena_create();
    uint64_t *hashes = ARENA_NEW(scratch, uint64_t, count);
    uint8_t *splits = ARENA_NEW(scratch, uint8_t, count);
    for (uint32_t i = 0; i < count; i++)
        hashes[i] = split_hash(i);
    split_by_hash(hashes, count, splits);
    Split whole = data->splits[0];
    for (int which = SPLIT_TRAIN; which < SPLIT_COUNT; which++) {
        uint32_t *rows = ARENA_NEW(arena, uint32_t, count), kept = 0;
        for (uint32_t i = 0; i < count; i++)
            if (splits[i] == which)
                rows[kept++] = i;
        if (kept == 0)
            continue;
        data->splits[dataset->split_count] = whole;
        data->splits[dataset->split_count].rows = rows;
        add_split(dataset, split_name(which), kept);
    }
    arena_destroy(&scratch);
}

// Integers of all records where they are few, else of the first ones; the others are checked when they are read.
static bool check_values(Arena *arena, const Dataset *dataset, const ColumnsData *data, Diag *diag) {
    for (uint32_t s = 0; s < dataset->split_count; s++)
        for (uint32_t i = 0; i < dataset->declared->field_count; i++) {
            const Match *match = &data->splits[s].fields[i];
            bool is_whole = dataset->declared->fields[i].type != ELEMENT_F32;
            uint64_t records = data->splits[s].records,
                     checked = is_whole && records * match->count <= CHECKED_MAX ? records : CHECKED_FIRST;
            void *out = ARENA_NEW(arena, uint32_t, match->count);
            for (uint64_t k = 0; k < checked && k < records; k++)
                if (!convert(dataset, match, i, k, out, diag))
                    return false;
        }
    return true;
}

// Bytes are pictures, and other numbers larger than declared, where the graph says what becomes of them.
static void offer_pictures(Arena *arena, Dataset *dataset, const ColumnsData *data) {
    uint32_t count = dataset->declared->field_count;
    bool *is_picture = ARENA_NEW(arena, bool, count);
    uint32_t(*stored)[2] = arena_alloc(arena, sizeof *stored * (count + 1));
    for (uint32_t i = 0; i < count && dataset->declared->has_augment; i++) {
        const Match *match = &data->splits[0].fields[i];
        uint32_t rank = dataset->declared->fields[i].rank;
        if ((match->channels != 1 && match->channels != 3) || dataset->declared->fields[i].type != ELEMENT_F32 || (rank != 2 && rank != 3))
            continue;
        is_picture[i] = match->column->place.type == ELEMENT_U8;
        stored[i][0] = match->height;
        stored[i][1] = match->width;
    }
    dataset->is_picture = is_picture;
    dataset->picture = picture;
    dataset->stored = (const uint32_t(*)[2])stored;
}

static void fill_levels(Arena *arena, const Dataset *dataset, ColumnsData *data) {
    data->levels = arena_alloc(arena, sizeof *data->levels * (dataset->declared->field_count + 1));
    for (uint32_t i = 0; i < dataset->declared->field_count; i++) {
        // In f32 throughout, as NumPy computes low + bytes * ((high - low) / 255) for f32 arrays.
        float low = 0, scale = 1;
        if (dataset->declared->fields[i].has_range) {
            low = (float)dataset->declared->fields[i].low;
            scale = (float)((dataset->declared->fields[i].high - dataset->declared->fields[i].low) / (LEVELS - 1));
        }
        for (uint32_t level = 0; level < LEVELS; level++)
            data->levels[i][level] = low + (float)level * scale;
    }
}

static bool says_splits(const Columns *columns) {
    for (uint32_t i = 0; i < columns->count; i++)
        if (columns->items[i].split >= 0)
            return true;
    return false;
}

static bool has_split(const Columns *columns, int split) {
    for (uint32_t i = 0; i < columns->count; i++)
        if (columns->items[i].split == split)
            return true;
    return false;
}

bool columns_open(Arena *arena, Dataset *dataset, const Columns *columns, Diag *diag) {
    ColumnsData *data = ARENA_NEW(arena, ColumnsData, 1);
    if (columns->count == 0) {
        diag_error(diag, NULL, "%s holds no records", dataset->spec);
        return false;
    }
    dataset->data = data;
    fill_levels(arena, dataset, data);
    if (!says_splits(columns)) {
        if (!match_split(arena, dataset, columns, -1, &data->splits[0], diag))
            return false;
        share_out(arena, dataset, data);
    }
    for (int which = SPLIT_TRAIN; which < SPLIT_COUNT && says_splits(columns); which++) {
        if (!has_split(columns, which))
            continue;
        Split *split = &data->splits[dataset->split_count];
        if (!match_split(arena, dataset, columns, which, split, diag))
            return false;
        add_split(dataset, split_name(which), (uint32_t)split->records);
    }
    if (!check_values(arena, dataset, data, diag))
        return false;
    tell_turned(arena, dataset, &data->splits[0], diag);
    offer_pictures(arena, dataset, data);
    dataset->fetch = fetch;
    return true;
}

// ---- what a graph could declare

static void add_natural(Arena *arena, const Column *column, ProgramData *declared) {
    uint32_t rank = column->place.rank - 1, dims[HOST_RANK_MAX] = {0};
    for (uint32_t i = 0; i < rank; i++)
        dims[i] = (uint32_t)column->place.dims[i + 1];
    bool is_byte = column->place.type == ELEMENT_U8, is_real = column->place.type == ELEMENT_F32 || column->place.type == ELEMENT_F16 ||
                                                               column->place.type == ELEMENT_F64 || column->place.type == ELEMENT_BF16;
    bool is_picture = is_byte && (rank == 2 || rank == 3);
    if (is_picture && rank == 3 && dims[0] != 1 && dims[0] != 3 && (dims[2] == 1 || dims[2] == 3)) { // channels last
        uint32_t channels = dims[2];
        dims[2] = dims[1], dims[1] = dims[0], dims[0] = channels;
    } else if (is_picture && rank == 2) {
        dims[2] = dims[1], dims[1] = dims[0], dims[0] = 1;
        rank = 3;
    }
    dataset_add_field(arena, declared, arena_copy_text(arena, column->name), is_picture || is_real ? ELEMENT_F32 : ELEMENT_I32, rank, dims);
    if (!is_picture)
        return;
    declared->fields[declared->field_count - 1].has_range = true;
    declared->fields[declared->field_count - 1].low = -1;
    declared->fields[declared->field_count - 1].high = 1;
}

bool columns_natural(Arena *arena, const char *spec, const Columns *columns, ProgramData *declared, Diag *diag) {
    const Column *first = NULL; // of the first split, and the records that its fields share
    for (int split = -1; split < SPLIT_COUNT && !first; split++)
        for (uint32_t i = 0; i < columns->count && !first; i++)
            first = columns->items[i].split == split && (split >= 0 || !says_splits(columns)) ? &columns->items[i] : NULL;
    for (uint32_t i = 0; i < columns->count; i++) {
        const Column *column = &columns->items[i];
        bool is_small = column->place.rank <= LAYOUT_RANK_MAX + 1;
        for (uint32_t axis = 1; axis < column->place.rank; axis++)
            is_small &= column->place.dims[axis] <= UINT32_MAX;
        if (is_small && column->split == first->split && column->place.dims[0] == first->place.dims[0])
            add_natural(arena, column, declared);
    }
    if (declared->field_count)
        return true;
    diag_error(diag, NULL, "%s holds no records", spec);
    return false;
}
