// Idx: the format of MNIST (yann.lecun.com/exdb/mnist): 0 0 TYPE RANK, the axes as big-endian 32-bit numbers, the elements. Plain or gzip.
#include "runtime/data/readers.h"
#include <zlib.h>

enum { RANK_MAX = 4, HEADER_MAX = 4 + 4 * RANK_MAX, TYPE_U8 = 0x08, LEVELS = 256, INFLATE_RATIO_MAX = 1032, GZIP_WINDOW = 15 + 16 };

typedef struct {
    uint32_t rank, dims[RANK_MAX]; // dims[0]: records
    uint64_t record_size;          // bytes
    const uint8_t *bytes;
} IdxFile;

typedef struct {
    IdxFile images, labels; // labels.bytes NULL: not read
} IdxSplit;

typedef struct {
    IdxSplit splits[DATASET_SPLIT_MAX];
    bool *is_label;          // by field
    float (*levels)[LEVELS]; // by field: what a byte becomes
} IdxData;

static const struct { const char *split, *prefix; } SPLITS[] = {{"train", "train"}, {"test", "t10k"}};
enum { SPLIT_COUNT = 2 };

__attribute__((format(printf, 3, 4))) static bool broken(Diag *diag, const char *path, const char *format, ...) {
    char message[256];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    diag_error(diag, &(Place){.file = path}, "%s", message);
    return false;
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Reads the header in `bytes` (of which `size` are there) and says how long header and elements are together.
static bool parse_header(const char *path, const uint8_t *bytes, size_t size, IdxFile *file, uint64_t *header_size, uint64_t *total,
                         Diag *diag) {
    if (size < 4)
        return broken(diag, path, "%zu bytes are no IDX file: truncated?", size);
    if (bytes[0] != 0 || bytes[1] != 0 || bytes[3] == 0 || bytes[3] > RANK_MAX)
        return broken(diag, path, "no IDX file: it begins with %02x%02x%02x%02x, expected 0000 08 and the number of axes (1 to %d)",
                      bytes[0], bytes[1], bytes[2], bytes[3], RANK_MAX);
    if (bytes[2] != TYPE_U8)
        return broken(diag, path, "elements of IDX type 0x%02x; only bytes (0x08) are supported", bytes[2]);
    *file = (IdxFile){.rank = bytes[3], .record_size = 1};
    *header_size = 4 + 4 * (uint64_t)file->rank;
    if (size < *header_size)
        return broken(diag, path, "truncated: the header has %zu of %u bytes", size, (unsigned)*header_size);
    *total = 1;
    for (uint32_t i = 0; i < file->rank; i++) {
        file->dims[i] = big_endian(bytes + 4 + 4 * i);
        if (__builtin_mul_overflow(*total, (uint64_t)file->dims[i], total) || *total > (uint64_t)1 << 48)
            return broken(diag, path, "its header asks for more elements than any file holds");
        if (i > 0)
            file->record_size *= file->dims[i];
    }
    if (*total == 0)
        return broken(diag, path, "it holds no records");
    *total += *header_size;
    return true;
}

static bool inflate_all(const char *path, z_stream *stream, uint8_t *out, uint64_t size, uint64_t *got, Diag *diag) {
    while (*got < size) {
        uint64_t room = size - *got;
        stream->next_out = out + *got;
        stream->avail_out = room > UINT32_MAX ? UINT32_MAX : (uInt)room;
        uInt before = stream->avail_out;
        int result = inflate(stream, Z_NO_FLUSH);
        *got += before - stream->avail_out;
        if (result == Z_STREAM_END)
            return true;
        if (result == Z_BUF_ERROR || (result == Z_OK && stream->avail_in == 0 && stream->avail_out > 0))
            return broken(diag, path, "truncated: the gzip data ends too early");
        if (result != Z_OK)
            return broken(diag, path, "damaged gzip data: %s", stream->msg ? stream->msg : "wrong checksum");
    }
    return true;
}

// After the last expected byte the stream must end, with the right checksum.
static bool inflate_end(const char *path, z_stream *stream, Diag *diag) {
    uint8_t surplus;
    stream->next_out = &surplus;
    stream->avail_out = 1;
    int result = inflate(stream, Z_FINISH);
    if (stream->avail_out == 0)
        return broken(diag, path, "it holds more data than its header says");
    if (result == Z_BUF_ERROR)
        return broken(diag, path, "truncated: the gzip data ends too early");
    if (result != Z_STREAM_END)
        return broken(diag, path, "damaged gzip data: %s", stream->msg ? stream->msg : "wrong checksum");
    return true;
}

static bool gunzip(Arena *arena, const char *path, z_stream *stream, size_t packed, IdxFile *file, Diag *diag) {
    uint8_t head[HEADER_MAX];
    uint64_t got = 0, header_size, total;
    if (!inflate_all(path, stream, head, 4, &got, diag))
        return false;
    uint64_t wanted = got == 4 && head[3] >= 1 && head[3] <= RANK_MAX ? 4 + 4 * (uint64_t)head[3] : got;
    if (!inflate_all(path, stream, head, wanted, &got, diag) || !parse_header(path, head, (size_t)got, file, &header_size, &total, diag))
        return false;
    if (total / INFLATE_RATIO_MAX > packed)
        return broken(diag, path, "truncated: %zu packed bytes cannot hold the %llu that the header asks for", packed,
                      (unsigned long long)total);
    uint8_t *bytes = ARENA_NEW(arena, uint8_t, total);
    memcpy(bytes, head, header_size);
    if (!inflate_all(path, stream, bytes, total, &got, diag))
        return false;
    if (got < total)
        return broken(diag, path, "truncated: %llu of %llu bytes", (unsigned long long)got, (unsigned long long)total);
    file->bytes = bytes + header_size;
    return inflate_end(path, stream, diag);
}

static bool read_file(Arena *arena, const char *path, IdxFile *file, Diag *diag) {
    Arena *scratch = arena_create();
    size_t size;
    const uint8_t *bytes = (const uint8_t *)file_read(scratch, path, &size, diag);
    bool ok = bytes != NULL;
    if (ok && size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
        z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)size};
        ok = size <= UINT32_MAX || broken(diag, path, "a gzip file of more than 4 GiB");
        if (ok && inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
            ok = broken(diag, path, "zlib does not start");
        ok = ok && gunzip(arena, path, &stream, size, file, diag);
        inflateEnd(&stream);
    } else if (ok) {
        uint64_t header_size, total;
        ok = parse_header(path, bytes, size, file, &header_size, &total, diag);
        if (ok && size != total)
            ok = broken(diag, path, "%s: %zu bytes, %llu expected by its header", size < total ? "truncated" : "too long", size,
                        (unsigned long long)total);
        if (ok)
            file->bytes = (const uint8_t *)arena_copy_bytes(arena, bytes + header_size, (size_t)(total - header_size));
    }
    arena_destroy(&scratch);
    return ok;
}

// FOLDER/train-images-idx3-ubyte, also .idx3-ubyte, also .gz; NULL when there is none.
static const char *find_file(Arena *arena, const char *folder, const char *prefix, const char *what) {
    for (uint32_t rank = 1; rank <= RANK_MAX; rank++)
        for (uint32_t form = 0; form < 4; form++) {
            const char *name = arena_format(arena, "%s-%s%cidx%u-ubyte%s", prefix, what, form & 1 ? '.' : '-', rank, form & 2 ? ".gz" : "");
            const char *path = file_join(arena, folder, name);
            if (file_exists(path))
                return path;
        }
    return NULL;
}

static bool read_split(Arena *arena, const char *folder, const char *prefix, bool with_labels, IdxSplit *split, Diag *diag) {
    const char *images = find_file(arena, folder, prefix, "images"), *labels = find_file(arena, folder, prefix, "labels");
    if (!images) {
        diag_error(diag, &(Place){.file = folder}, "no %s-images-idx3-ubyte (or .gz) in this folder", prefix);
        return false;
    }
    if (!read_file(arena, images, &split->images, diag))
        return false;
    if (split->images.rank < 3)
        return broken(diag, images, "images have 3 axes (records, height, width) or 4, not %u", split->images.rank);
    if (!with_labels)
        return true;
    if (!labels) {
        diag_error(diag, &(Place){.file = folder}, "no %s-labels-idx1-ubyte (or .gz) in this folder, but the graph wants \"label\"",
                   prefix);
        return false;
    }
    if (!read_file(arena, labels, &split->labels, diag))
        return false;
    if (split->labels.rank != 1)
        return broken(diag, labels, "labels have 1 axis, not %u", split->labels.rank);
    if (split->labels.dims[0] != split->images.dims[0])
        return broken(diag, labels, "%u labels for the %u images of %s", split->labels.dims[0], split->images.dims[0], file_name(images));
    return true;
}

// The same shape, but for axes of length 1, or flattened.
static bool fits(const uint32_t *have, uint32_t have_rank, uint64_t have_count, const uint32_t *want, uint32_t want_rank) {
    if (want_rank == 1 && want[0] == have_count)
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

static bool check_field(Arena *arena, const Dataset *dataset, const IdxData *data, uint32_t field, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    for (uint32_t s = 0; s < dataset->split_count; s++) {
        const IdxFile *file = data->is_label[field] ? &data->splits[s].labels : &data->splits[s].images;
        if (!fits(file->dims + 1, file->rank - 1, file->record_size, declared->fields[field].dims, declared->fields[field].rank)) {
            Text have = text_create(arena);
            for (uint32_t i = 1; i < file->rank; i++)
                text_format(&have, i > 1 ? ",%u" : "%u", file->dims[i]);
            diag_error(diag, NULL, "%s: its %s are [%s], but the graph declares %s.%s", dataset->spec,
                       data->is_label[field] ? "labels" : "images", have.data, declared->name, dataset_field_text(arena, declared, field));
            return false;
        }
        uint32_t below = declared->fields[field].below;
        for (uint64_t i = 0; below && declared->fields[field].type != ELEMENT_F32 && i < file->record_size * file->dims[0]; i++)
            if (file->bytes[i] >= below) {
                diag_error(diag, NULL, "%s: record %llu of \"%s\" has %s %u, but the graph declares it below %u", dataset->spec,
                           (unsigned long long)(i / file->record_size), dataset->splits[s].name, declared->fields[field].name,
                           file->bytes[i], below);
                return false;
            }
    }
    return true;
}

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    (void)diag, (void)draw;
    const IdxData *data = dataset->data;
    const IdxFile *file = data->is_label[field] ? &data->splits[split].labels : &data->splits[split].images;
    const uint8_t *bytes = file->bytes + (size_t)record * file->record_size;
    float *reals = out;
    uint32_t *integers = out;
    ElementType type = dataset->declared->fields[field].type;
    for (uint64_t i = 0; i < file->record_size; i++)
        if (type == ELEMENT_F32)
            reals[i] = data->levels[field][bytes[i]];
        else
            integers[i] = element_word(type, bytes[i]);
    return true;
}

static bool name_fields(const Dataset *dataset, IdxData *data, bool *with_labels, Diag *diag) {
    for (uint32_t i = 0; i < dataset->declared->field_count; i++) {
        const char *name = dataset->declared->fields[i].name;
        data->is_label[i] = strcmp(name, "label") == 0;
        *with_labels |= data->is_label[i];
        if (!data->is_label[i] && strcmp(name, "image") != 0) {
            diag_error(diag, NULL, "%s has the fields \"image\" and \"label\", but the graph declares %s.%s", dataset->spec, dataset->name,
                       name);
            return false;
        }
        // In f32 throughout, as NumPy computes low + bytes * ((high - low) / 255) for f32 arrays.
        float low = 0, scale = 1;
        if (dataset->declared->fields[i].has_range) {
            low = (float)dataset->declared->fields[i].low;
            scale = (float)((dataset->declared->fields[i].high - dataset->declared->fields[i].low) / 255);
        }
        for (uint32_t level = 0; level < LEVELS; level++)
            data->levels[i][level] = low + (float)level * scale;
    }
    return true;
}

bool idx_open_folder(Arena *arena, const char *folder, Dataset *dataset, Diag *diag) {
    if (!file_is_folder(folder)) {
        diag_error(diag, &(Place){.file = folder}, "no such folder");
        return false;
    }
    IdxData *data = ARENA_NEW(arena, IdxData, 1);
    uint32_t field_count = dataset->declared->field_count;
    data->is_label = ARENA_NEW(arena, bool, field_count);
    data->levels = arena_alloc(arena, sizeof *data->levels * field_count);
    bool with_labels = false;
    if (!name_fields(dataset, data, &with_labels, diag))
        return false;
    for (uint32_t i = 0; i < SPLIT_COUNT; i++) {
        if (i > 0 && !find_file(arena, folder, SPLITS[i].prefix, "images"))
            continue; // a folder without test images serves programs that want none
        if (!read_split(arena, folder, SPLITS[i].prefix, with_labels, &data->splits[dataset->split_count], diag))
            return false;
        dataset->splits[dataset->split_count].name = SPLITS[i].split;
        dataset->splits[dataset->split_count].count = data->splits[dataset->split_count].images.dims[0];
        dataset->split_count++;
    }
    for (uint32_t i = 0; i < field_count; i++)
        if (!check_field(arena, dataset, data, i, diag))
            return false;
    dataset->fetch = fetch;
    dataset->data = data;
    return true;
}

static const char *cached_folder(Arena *arena, const char *name, const char *system_folder) {
    const char *folder = file_join(arena, file_join(arena, file_cache_folder(arena), "data"), name);
    return find_file(arena, folder, "train", "images") || !system_folder || !file_is_folder(system_folder) ? folder : system_folder;
}

static const char *known_folder(Arena *arena, const char *name, const char *system_folder, const char *how, Diag *diag) {
    const char *folder = cached_folder(arena, name, system_folder);
    if (find_file(arena, folder, "train", "images"))
        return folder;
    diag_error(diag, NULL, "%s is not in %s; get it with %s", name, folder, how);
    return NULL;
}

static const char *mnist_folder(Arena *arena, Diag *diag) {
    return known_folder(arena, "mnist", NULL, "`gcc-graph data fetch mnist`, or use --data idx:DIR or --data fashion-mnist", diag);
}

static const char *fashion_folder(Arena *arena, Diag *diag) {
    return known_folder(arena, "fashion-mnist", "/usr/share/datasets/fashion-mnist",
                        "`apt install dataset-fashion-mnist`, or use --data idx:DIR", diag);
}

bool idx_open_mnist(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)argument;
    const char *folder = mnist_folder(arena, diag);
    return folder && idx_open_folder(arena, folder, dataset, diag);
}

bool idx_open_fashion(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)argument;
    const char *folder = fashion_folder(arena, diag);
    return folder && idx_open_folder(arena, folder, dataset, diag);
}

bool idx_natural_folder(Arena *arena, const char *folder, ProgramData *declared, Diag *diag) {
    Arena *scratch = arena_create();
    IdxSplit split = {0};
    bool has_labels = find_file(scratch, folder, SPLITS[0].prefix, "labels") != NULL;
    bool ok = read_split(scratch, folder, SPLITS[0].prefix, has_labels, &split, diag);
    if (ok) {
        const uint32_t *dims = split.images.dims;
        uint32_t shape[3] = {split.images.rank == 4 ? dims[1] : 1, dims[split.images.rank - 2], dims[split.images.rank - 1]};
        dataset_add_field(arena, declared, "image", ELEMENT_F32, 3, shape);
        declared->fields[0].has_range = true;
        declared->fields[0].low = -1;
        declared->fields[0].high = 1;
        if (has_labels)
            dataset_add_field(arena, declared, "label", ELEMENT_I32, 0, NULL);
    }
    arena_destroy(&scratch);
    return ok;
}

bool idx_natural_mnist(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    (void)argument;
    const char *folder = mnist_folder(arena, diag);
    return folder && idx_natural_folder(arena, folder, declared, diag);
}

bool idx_natural_fashion(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    (void)argument;
    const char *folder = fashion_folder(arena, diag);
    return folder && idx_natural_folder(arena, folder, declared, diag);
}
