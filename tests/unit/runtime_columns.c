// Arrays as data sets: .npy, .npz, safetensors, IDX of any type, CIFAR-10 and CSV; what their numbers become, and what is refused.
#include "runtime/base/text.h"
#include "runtime/data/dataset.h"
#include "runtime/data/inflate.h"
#include "runtime/tensor/tensor_file.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>


static const char *in_folder(const char *name) {
    const char *path = file_join(arena, folder, name);
    ck_assert(file_make_folders(file_folder(arena, path), diag));
    return path;
}

static void put(const char *name, const void *bytes, size_t size) { ck_assert(file_write_unsynced(in_folder(name), bytes, size, diag)); }
static void put_text(const char *name, const char *text) { put(name, text, strlen(text)); }

typedef struct {
    const char *name;
    ElementType type;
    uint32_t rank, dims[4], below;
    double low, high; // both 0: no range
} Wanted;

static ProgramData *declare(const Wanted *fields, uint32_t count) {
    ProgramData *data = ARENA_NEW(arena, ProgramData, 1);
    *data = (ProgramData){.name = "d", .batch = 2, .field_count = count, .fields = arena_alloc(arena, count * sizeof *data->fields)};
    for (uint32_t i = 0; i < count; i++) {
        data->fields[i].name = fields[i].name;
        data->fields[i].type = fields[i].type;
        data->fields[i].rank = fields[i].rank;
        memcpy(data->fields[i].dims, fields[i].dims, sizeof fields[i].dims);
        data->fields[i].below = fields[i].below;
        data->fields[i].has_range = fields[i].low != 0 || fields[i].high != 0;
        data->fields[i].low = fields[i].low;
        data->fields[i].high = fields[i].high;
    }
    return data;
}

static const char *spec_of(const char *reader, const char *name) { return arena_format(arena, "%s:%s/%s", reader, folder, name); }

static Dataset *open_all(const char *spec, const Wanted *fields, uint32_t count) {
    Dataset *dataset = dataset_open(arena, spec, declare(fields, count), diag);
    ck_assert_msg(dataset != NULL, "%s", diag_text(diag, arena));
    return dataset;
}

static void ck_refused(const char *spec, const Wanted *fields, uint32_t count, const char *because) {
    Diag *inner = diag_create(arena);
    ck_assert_ptr_null(dataset_open(arena, spec, declare(fields, count), inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
    ck_assert_msg(strstr(diag_text(inner, arena), because) != NULL, "\"%s\" expected in: %s", because, diag_text(inner, arena));
}

static const float *fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field) {
    float *out = ARENA_NEW(arena, float, 4096);
    ck_assert_msg(dataset->fetch(dataset, split, record, field, 0, out, diag), "%s", diag_text(diag, arena));
    return out;
}

static int32_t fetch_int(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field) {
    int32_t number;
    memcpy(&number, fetch(dataset, split, record, field), sizeof number);
    return number;
}

// A .npy file of `count` elements, header by hand: any type, order and shape.
static Text npy(const char *descr, bool is_fortran, const char *shape, const void *bytes, size_t size) {
    Text text = text_create(arena);
    const char *header =
        arena_format(arena, "{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }\n", descr, is_fortran ? "True" : "False", shape);
    text_append_bytes(&text, "\x93NUMPY\1\0", 8);
    text_append_bytes(&text, (const char[]){(char)strlen(header), 0}, 2);
    text_append(&text, header);
    text_append_bytes(&text, bytes, size);
    return text;
}

static void put_npy(const char *name, const char *descr, bool is_fortran, const char *shape, const void *bytes, size_t size) {
    Text text = npy(descr, is_fortran, shape, bytes, size);
    put(name, text.data, text.length);
}

// 20 pictures of 3 x 2 x 2 bytes, channels first or last: byte = 12*record + 4*channel + place.
static const uint8_t *pictures(bool is_last) {
    uint8_t *out = ARENA_NEW(arena, uint8_t, 240);
    for (uint32_t i = 0; i < 20; i++)
        for (uint32_t c = 0; c < 3; c++)
            for (uint32_t p = 0; p < 4; p++)
                out[12 * i + (is_last ? 3 * p + c : 4 * c + p)] = (uint8_t)(12 * i + 4 * c + p);
    return out;
}

static void put_labels(const char *name, uint32_t count) {
    int64_t *labels = ARENA_NEW(arena, int64_t, count);
    for (uint32_t i = 0; i < count; i++)
        labels[i] = i % 4;
    put_npy(name, "<i8", false, arena_format(arena, "%u,", count), labels, 8 * count);
}

static const Wanted IMAGE = {"image", ELEMENT_F32, 3, {3, 2, 2}, 0, -1, 1}, LABEL = {"label", ELEMENT_I32, 0, {0}, 4, 0, 0};

static void ck_pictures(const Dataset *dataset, uint32_t expected) {
    uint32_t seen = 0;
    for (uint32_t split = 0; split < dataset->split_count; split++)
        for (uint32_t i = 0; i < dataset->splits[split].count; i++, seen++) {
            const float *image = fetch(dataset, split, i, 0);
            uint32_t first = (uint32_t)((image[0] + 1) * 127.5f + 0.5f);
            ck_assert_uint_eq(first % 12, 0);
            for (uint32_t k = 0; k < 12; k++)
                ck_assert_float_eq_tol(image[k], -1 + (float)(first + k) * 2 / 255, 1e-6f);
            if (dataset->declared->field_count > 1)
                ck_assert_int_eq(fetch_int(dataset, split, i, 1), (int32_t)(first / 12 % 4));
        }
    ck_assert_uint_eq(seen, expected);
}

// A folder of arrays without splits: a tenth tests. Channels last are turned, which is told.
START_TEST(npy_folder) {
    put_npy("image.npy", "|u1", false, _i ? "20, 2, 2, 3" : "20, 3, 2, 2", pictures(_i), 240);
    put_labels("label.npy", 20);
    put_text("other.npy", "not asked for");
    const char *spec = spec_of("npy", "");
    Dataset *dataset = open_all(spec, (Wanted[]){IMAGE, LABEL}, 2);
    ck_assert_uint_eq(dataset->split_count, 2);
    ck_pictures(dataset, 20);
    bool is_told =
        strstr(diag_text(diag, arena), "its \"image\" is u8[2,2,3] a record: height, width, channels; turned to image f32[3,2,2]") != NULL;
    ck_assert(is_told == (_i == 1));
    ck_refused(spec, (Wanted[]){{"image", ELEMENT_F32, 3, {3, 2, 4}, 0, -1, 1}}, 1, "its \"image\" is u8[");
    ck_refused(spec, (Wanted[]){{"image", ELEMENT_F32, 3, {3, 2, 4}, 0, -1, 1}}, 1, "but the graph declares d.image f32[3,2,4]");
    ck_refused(spec, (Wanted[]){{"imgae", ELEMENT_F32, 3, {3, 2, 2}, 0, -1, 1}, LABEL}, 2,
               "declares d.imgae, but it has no array of that name; did you mean");
    ck_refused(spec, (Wanted[]){IMAGE, {"label", ELEMENT_I32, 0, {0}, 3, 0, 0}}, 2,
               "record 3 has label 3, but the graph declares it below 3");
    if (!_i)
        ck_pictures(open_all(spec, (Wanted[]){{"image", ELEMENT_F32, 1, {12}, 0, -1, 1}}, 1), 20);
    put_labels("label.npy", 19);
    ck_refused(spec, (Wanted[]){IMAGE, LABEL}, 2, "19 records of \"label\", but 20 of \"image\"");
}
END_TEST

START_TEST(npy_splits) {
    for (uint32_t form = 0; form < 3; form++) {
        static const char *const names[][4] = {{"a/train/image.npy", "a/train/label.npy", "a/test/image.npy", "a/test/label.npy"},
                                               {"b/image_train.npy", "b/label_train.npy", "b/image_val.npy", "b/label_val.npy"},
                                               {"c/train_image.npy", "c/train_label.npy", "c/test-image.npy", "c/test-label.npy"}};
        for (uint32_t half = 0; half < 2; half++) {
            put_npy(names[form][2 * half], "|u1", false, "20, 3, 2, 2", pictures(false), 240);
            put_labels(names[form][2 * half + 1], 20);
        }
        const char *spec = arena_format(arena, "npy:%s/%c", folder, 'a' + form);
        Dataset *dataset = open_all(spec, (Wanted[]){IMAGE, LABEL}, 2);
        ck_assert_str_eq(dataset->splits[0].name, "train");
        ck_assert_str_eq(dataset->splits[1].name, form == 1 ? "val" : "test");
        ck_pictures(dataset, 40);
        const ProgramData *natural = dataset_natural_fields(arena, spec, diag);
        ck_assert_uint_eq(natural->field_count, 2);
        ck_assert_ptr_nonnull(dataset_open(arena, spec, natural, diag));
    }
}
END_TEST

// A single file serves a single field, whatever both are called; any type, order of bytes and of axes.
START_TEST(npy_types) {
    static const struct {
        const char *descr;
        bool is_fortran;
        const char *bytes;
        size_t size;
    } forms[] = {
        {"<f4", false, "\0\0\0\0\0\0\0\x3f\0\0\x80\xbf\0\0\0\0\0\0\x80\x3f\0\0\0\x3e", 24},
        {">f4", false, "\0\0\0\0\x3f\0\0\0\xbf\x80\0\0\0\0\0\0\x3f\x80\0\0\x3e\0\0\0", 24},
        {"<f2", false, "\0\0\0\x38\0\xbc\0\0\0\x3c\0\x30", 12},
        {">f2", true, "\0\0\0\0\x38\0\x3c\0\xbc\0\x30\0", 12},
        {"<f8", true, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe0\x3f\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\xf0\xbf\0\0\0\0\0\0\xc0\x3f",
         48},
    };
    static const float wanted[2][3] = {{0, 0.5f, -1}, {0, 1, 0.125f}};
    for (uint32_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        put_npy("points.npy", forms[i].descr, forms[i].is_fortran, "2, 3", forms[i].bytes, forms[i].size);
        Dataset *dataset = open_all(spec_of("npy", "points.npy"), (Wanted[]){{"x", ELEMENT_F32, 1, {3}, 0, -1, 1}}, 1);
        ck_assert_uint_eq(dataset->split_count, 2); // of two records one each
        const float *first = fetch(dataset, 0, 0, 0), *second = fetch(dataset, 1, 0, 0);
        const float *a = first[1] == 0.5f ? first : second, *b = first[1] == 0.5f ? second : first;
        for (uint32_t k = 0; k < 3; k++)
            ck_assert(a[k] == wanted[0][k] && b[k] == wanted[1][k]);
    }
    ck_refused(spec_of("npy", "points.npy"), (Wanted[]){{"x", ELEMENT_F32, 1, {3}, 0, 0, 1}}, 1,
               "has points -1, but the graph declares d.x in [0, 1]; only u8 and u16 are scaled to a range");
    ck_refused(spec_of("npy", "points.npy"), (Wanted[]){{"x", ELEMENT_I32, 1, {3}, 0, 0, 0}}, 1, "has points 0.5, which is none of i32");
    put_npy("wide.npy", "<u2", false, "2,", "\0\0\xff\xff", 4);
    Dataset *dataset = open_all(spec_of("npy", "wide.npy"), (Wanted[]){{"x", ELEMENT_F32, 0, {0}, 0, -1, 1}}, 1);
    ck_assert_float_eq(fetch(dataset, 0, 0, 0)[0] + fetch(dataset, 1, 0, 0)[0], 0);
    put_npy("nan.npy", "<f4", false, "1,", "\0\0\xc0\x7f", 4);
    ck_refused(spec_of("npy", "nan.npy"), (Wanted[]){{"x", ELEMENT_F32, 0, {0}, 0, -1, 1}}, 1, "nan");
    put_npy("none.npy", "<f4", false, "0, 3", "", 0);
    ck_refused(spec_of("npy", "none.npy"), (Wanted[]){{"x", ELEMENT_F32, 1, {3}, 0, 0, 0}}, 1, "it holds no records");
    ck_refused(spec_of("npy", "missing.npy"), (Wanted[]){{"x", ELEMENT_F32, 1, {3}, 0, 0, 0}}, 1, "missing.npy: cannot read: No such file");
}
END_TEST

// A file that is cut off while it is used: an error that names it, and no crash.
START_TEST(shrinks) {
    put_npy("points.npy", "<f4", false, "2, 3", "\0\0\0\0\0\0\0\x3f\0\0\x80\xbf\0\0\0\0\0\0\x80\x3f\0\0\0\x3e", 24);
    Dataset *dataset = open_all(spec_of("npy", "points.npy"), (Wanted[]){{"x", ELEMENT_F32, 1, {3}, 0, 0, 0}}, 1);
    FILE *file = fopen(in_folder("points.npy"), "wb"); // the same file, empty
    fclose(file);
    float out[3];
    Diag *inner = diag_create(arena);
    ck_assert(!dataset->fetch(dataset, 0, 0, 0, 0, out, inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "points.npy: it has become shorter since it was opened"));
}
END_TEST

// ---- archives

static void put_number(Text *text, uint64_t number, uint32_t size) {
    for (uint32_t i = 0; i < size; i++)
        text_append_bytes(text, (const char[]){(char)(i < 8 ? number >> 8 * i : 0)}, 1);
}

typedef struct {
    const char *name;
    Text bytes;
    bool is_packed, is_wide; // wide: 64-bit numbers, as numpy.savez writes them
} Member;

static Text pack(const Text *plain, int window) {
    Text packed = text_create(arena);
    static uint8_t bytes[1 << 16];
    z_stream stream = {.next_in = (Bytef *)plain->data, .avail_in = (uInt)plain->length, .next_out = bytes, .avail_out = sizeof bytes};
    ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    text_append_bytes(&packed, (const char *)bytes, stream.total_out);
    deflateEnd(&stream);
    return packed;
}

static void put_entry(Text *out, const Member *member, uint64_t packed, bool is_central, uint64_t local) {
    uint32_t extra = member->is_wide ? 4 + 16 + (is_central ? 8 : 0) : 0;
    put_number(out, is_central ? 0x02014b50 : 0x04034b50, 4);
    if (is_central)
        put_number(out, 45, 2);
    put_number(out, 45, 2), put_number(out, 0, 2), put_number(out, member->is_packed ? 8 : 0, 2), put_number(out, 0, 4);
    put_number(out, inflate_checksum(member->bytes.data, member->bytes.length), 4);
    put_number(out, member->is_wide ? UINT32_MAX : packed, 4), put_number(out, member->is_wide ? UINT32_MAX : member->bytes.length, 4);
    put_number(out, strlen(member->name), 2), put_number(out, extra, 2);
    if (is_central)
        put_number(out, 0, 10), put_number(out, member->is_wide ? UINT32_MAX : local, 4);
    text_append(out, member->name);
    if (!member->is_wide)
        return;
    put_number(out, 1, 2), put_number(out, extra - 4, 2), put_number(out, member->bytes.length, 8), put_number(out, packed, 8);
    if (is_central)
        put_number(out, local, 8);
}

static Text zip(const Member *members, uint32_t count) {
    Text out = text_create(arena), directory = text_create(arena);
    for (uint32_t i = 0; i < count; i++) {
        Text packed = members[i].is_packed ? pack(&members[i].bytes, -15) : members[i].bytes;
        put_entry(&directory, &members[i], packed.length, true, out.length);
        put_entry(&out, &members[i], packed.length, false, 0);
        text_append_bytes(&out, packed.data, packed.length);
    }
    uint64_t at = out.length;
    text_append_bytes(&out, directory.data, directory.length);
    put_number(&out, 0x06054b50, 4), put_number(&out, 0, 4), put_number(&out, count, 2), put_number(&out, count, 2);
    put_number(&out, directory.length, 4), put_number(&out, at, 4), put_number(&out, 0, 2);
    return out;
}

static void put_npz(const Member *members, uint32_t count) {
    Text text = zip(members, count);
    put("d.npz", text.data, text.length);
}

START_TEST(npz) {
    Text image = npy("|u1", false, "20, 2, 2, 3", pictures(true), 240), label = npy("|u1", false, "20,", "", 0),
         evil = npy("|u1", false, "1,", "x", 1);
    for (uint32_t i = 0; i < 20; i++)
        text_append_bytes(&label, (const char[]){(char)(i % 4)}, 1);
    bool is_packed = _i & 1, is_wide = _i & 2;
    const Member members[] = {{"image_train.npy", image, is_packed, is_wide}, {"label_train.npy", label, !is_packed, is_wide},
                              {"../../etc/evil.npy", evil, false, false},     {"read.me", evil, false, false},
                              {"image_test.npy", image, false, false},        {"label_test.npy", label, false, false}};
    put_npz(members, 6);
    const char *spec = spec_of("npz", "d.npz");
    ck_pictures(open_all(spec, (Wanted[]){IMAGE, LABEL}, 2), 40);
    const ProgramData *natural = dataset_natural_fields(arena, spec, diag);
    ck_assert_uint_eq(natural->field_count, 2);
    Text text = zip(members, 2);
    for (size_t size = 0; size < text.length; size += 1 + size / 50) { // cut off anywhere
        put("d.npz", text.data, size);
        Diag *inner = diag_create(arena);
        ck_assert_ptr_null(dataset_open(arena, spec, declare((Wanted[]){IMAGE, LABEL}, 2), inner));
        ck_assert_uint_eq(diag_error_count(inner), 1);
    }
    if (is_packed)
        text.data[30 + strlen("image_train.npy") + (is_wide ? 20 : 0) + 40] ^= 0x55; // a packed byte
    put("d.npz", text.data, text.length);
    Diag *inner = diag_create(arena);
    ck_assert((dataset_open(arena, spec, declare((Wanted[]){IMAGE}, 1), inner) == NULL) == is_packed);
}
END_TEST

// Packed and with the first axis the fastest: described without being unpacked, and read.
START_TEST(npz_fortran) {
    Text x = npy("<i2", true, "2, 3", "\1\0\4\0\2\0\5\0\3\0\6\0", 12);
    const Member member = {"x.npy", x, true, false};
    put_npz(&member, 1);
    const char *spec = spec_of("npz", "d.npz");
    const ProgramData *natural = dataset_natural_fields(arena, spec, diag);
    ck_assert_msg(natural != NULL, "%s", diag_text(diag, arena));
    ck_assert_uint_eq(natural->fields[0].dims[0], 3);
    Dataset *dataset = dataset_open(arena, spec, natural, diag);
    ck_assert_int_eq(fetch_int(dataset, 0, 0, 0) + fetch_int(dataset, 1, 0, 0), 1 + 4);
}
END_TEST

// An array of objects beside one of numbers: left out, unless it is the one that is asked for. Too large an array to be turned is refused.
START_TEST(arrays_that_are_none) {
    Text x = npy("<f4", false, "2,", "\0\0\0\0\0\0\0\0", 8), objects = npy("|O", false, "2,", "none", 4);
    put_npz((Member[]){{"x.npy", x, false, false}, {"names.npy", objects, false, false}}, 2);
    put("several/x.npy", x.data, x.length), put("several/names.npy", objects.data, objects.length);
    const char *specs[] = {spec_of("npz", "d.npz"), spec_of("npy", "several")};
    for (uint32_t i = 0; i < 2; i++) {
        Diag *inner = diag_create(arena);
        const ProgramData *natural = dataset_natural_fields(arena, specs[i], inner);
        ck_assert(natural && natural->field_count == 1);
        ck_assert_uint_eq(diag_error_count(inner), 0);
        ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "names.npy: element type \"|O\" is not supported"));
        ck_refused(specs[i], (Wanted[]){{"names", ELEMENT_F32, 0, {0}, 0, 0, 0}}, 1, "element type \"|O\" is not supported");
    }
    Diag *inner = diag_create(arena);
    ck_assert_ptr_null(dataset_natural_fields(arena, spec_of("npy", "several/names.npy"), inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
    Text large = npy("<f4", true, "500000000, 3", "", 0);
    put("large.npy", large.data, large.length);
    ck_assert_int_eq(truncate(in_folder("large.npy"), (off_t)(large.length + UINT64_C(6000000000))), 0); // takes no room on the disk
    ck_refused(spec_of("npy", "large.npy"), (Wanted[]){{"x", ELEMENT_F32, 1, {3}, 0, 0, 0}}, 1, "5.6 GiB in Fortran order");
}
END_TEST

// 8 KiB that claim to unpack to gigabytes, or do unpack to more than they say.
START_TEST(npz_bombs) {
    Text zeros = npy("|u1", false, "1, 1000000", ARENA_NEW(arena, char, 1000000), 1000000);
    const char *spec = spec_of("npz", "d.npz");
    const Wanted x = {"x", ELEMENT_F32, 1, {1000000}, 0, 0, 0};
    const Member member = {"x.npy", zeros, true, false};
    Text text = zip(&member, 1);
    put("d.npz", text.data, text.length);
    ck_assert_ptr_nonnull(open_all(spec, &x, 1));
    size_t directory = text.length - 22 - 46 - strlen("x.npy");
    static const struct {
        uint32_t size;
        const char *because;
    } claims[] = {{0xf0000000, "packed bytes cannot hold 4026531840"}, {5000, "4924 follow the header"}};
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < 4; k++)
            text.data[directory + 24 + k] = (char)(claims[i].size >> 8 * k);
        put("d.npz", text.data, text.length);
        ck_refused(spec, &x, 1, claims[i].because);
    }
    text.data[directory + 8] = 1;
    put("d.npz", text.data, text.length);
    ck_refused(spec, &x, 1, "\"x.npy\" is encrypted");
    put_text("d.npz", "PK");
    ck_refused(spec, &x, 1, "no zip archive, or cut off");
}
END_TEST

// ---- other formats

START_TEST(safetensors) {
    float points[20 * 3];
    for (uint32_t i = 0; i < 60; i++)
        points[i] = (float)i;
    const HostTensor tensors[] = {
        {.name = "train.x", .dtype = ELEMENT_F32, .rank = 2, .dims = {20, 3}, .data = points, .size = sizeof points},
        {.name = "test.x", .dtype = ELEMENT_F32, .rank = 2, .dims = {4, 3}, .data = points + 12, .size = 48},
        {.name = "bias", .dtype = ELEMENT_F32, .rank = 0, .data = points, .size = 4}};
    ck_assert(safetensors_write(arena, in_folder("d.safetensors"), tensors, 3, NULL, NULL, 0, diag));
    Dataset *dataset = open_all(spec_of("safetensors", "d.safetensors"), (Wanted[]){{"x", ELEMENT_F32, 1, {3}, 0, 0, 0}}, 1);
    ck_assert_uint_eq(dataset->splits[0].count, 20);
    ck_assert_uint_eq(dataset->splits[1].count, 4);
    ck_assert_float_eq(fetch(dataset, 0, 19, 0)[2], 59);
    ck_assert_float_eq(fetch(dataset, 1, 3, 0)[0], 21);
    ck_assert_uint_eq(dataset_natural_fields(arena, spec_of("safetensors", "d.safetensors"), diag)->field_count, 1);
}
END_TEST

// The types of IDX, all big-endian, in any rank; and a gzip file of two members.
START_TEST(idx_types) {
    static const struct {
        const char *head;
        size_t head_size;
        const char *bytes;
        size_t size;
    } types[] = {
        {"\0\0\x09\2\0\0\0\2\0\0\0\2", 12, "\1\xfe\3\4", 4},
        {"\0\0\x0b\2\0\0\0\2\0\0\0\2", 12, "\0\1\xff\xfe\0\3\0\4", 8},
        {"\0\0\x0c\2\0\0\0\2\0\0\0\2", 12, "\0\0\0\1\xff\xff\xff\xfe\0\0\0\3\0\0\0\4", 16},
        {"\0\0\x0d\2\0\0\0\2\0\0\0\2", 12, "\x3f\x80\0\0\xc0\0\0\0\x40\x40\0\0\x40\x80\0\0", 16},
        {"\0\0\x0e\2\0\0\0\2\0\0\0\2", 12, "\x3f\xf0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0\x40\x08\0\0\0\0\0\0\x40\x10\0\0\0\0\0\0", 32},
    };
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++)
        for (uint32_t is_packed = 0; is_packed < 2; is_packed++) {
            Text text = text_create(arena), first = text_create(arena), second = text_create(arena);
            text_append_bytes(&first, types[i].head, types[i].head_size);
            text_append_bytes(&second, types[i].bytes, types[i].size);
            Text one = is_packed ? pack(&first, 31) : first, two = is_packed ? pack(&second, 31) : second;
            text_append_bytes(&text, one.data, one.length);
            text_append_bytes(&text, two.data, two.length);
            if (is_packed)
                text_append_bytes(&text, "\0\0\0", 3); // padding
            const char *name = is_packed ? "i/train-points-idx2-x.gz" : "i/train-points.idx2-x";
            put(name, text.data, text.length);
            Dataset *dataset = open_all(spec_of("idx", "i"), (Wanted[]){{"points", ELEMENT_F32, 1, {2}, 0, 0, 0}}, 1);
            ck_assert(fetch(dataset, 0, 0, 0)[0] == 1 && fetch(dataset, 0, 0, 0)[1] == -2);
            ck_assert(fetch(dataset, 0, 1, 0)[0] == 3 && fetch(dataset, 0, 1, 0)[1] == 4);
            ck_assert(file_remove_tree(in_folder("i"), diag));
            text_append(&text, "rest");
            put(name, text.data, text.length);
            ck_refused(spec_of("idx", "i"), (Wanted[]){{"points", ELEMENT_F32, 1, {2}, 0, 0, 0}}, 1,
                       is_packed ? "follow the gzip data" : "too long");
            ck_assert(file_remove_tree(in_folder("i"), diag));
        }
}
END_TEST

START_TEST(cifar10) {
    enum { RECORD = 3073 };
    uint8_t *bytes = ARENA_NEW(arena, uint8_t, 3 * RECORD);
    for (uint32_t batch = 1; batch <= 5; batch++) {
        for (uint32_t i = 0; i < 3; i++) {
            bytes[i * RECORD] = (uint8_t)((3 * batch + i) % 10);
            for (uint32_t k = 0; k < 3072; k++)
                bytes[i * RECORD + 1 + k] = (uint8_t)(batch * 3 + i + k / 1024 * 50);
        }
        put(arena_format(arena, "c/cifar-10-batches-bin/data_batch_%u.bin", batch), bytes, 3 * RECORD);
    }
    put("c/cifar-10-batches-bin/test_batch.bin", bytes, 2 * RECORD);
    put_text("c/cifar-10-batches-bin/batches.meta.txt", "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
    Dataset *dataset = open_all(spec_of("cifar10", "c"),
                                (Wanted[]){{"image", ELEMENT_F32, 3, {3, 32, 32}, 0, 0, 255}, {"label", ELEMENT_I32, 0, {0}, 10, 0, 0}}, 2);
    ck_assert_uint_eq(dataset->splits[0].count, 15);
    ck_assert_uint_eq(dataset->splits[1].count, 2);
    ck_assert_str_eq(dataset->class_names[9], "truck");
    for (uint32_t i = 0; i < 15; i++) {
        const float *image = fetch(dataset, 0, i, 0);
        ck_assert_int_eq(fetch_int(dataset, 0, i, 1), (int32_t)((3 + i) % 10));
        ck_assert(image[0] == (float)(3 + i) && image[1023] == (float)(3 + i) && image[1024] == (float)(53 + i) &&
                  image[3071] == (float)(103 + i));
    }
    ck_assert_str_eq(diag_text(diag, arena), "");
    ck_assert_int_eq(unlink(in_folder("c/cifar-10-batches-bin/data_batch_3.bin")), 0);
    ck_assert_uint_eq(open_all(spec_of("cifar10", "c"), (Wanted[]){{"label", ELEMENT_I32, 0, {0}, 10, 0, 0}}, 1)->splits[0].count, 12);
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "of CIFAR-10's files these are missing: data_batch_3.bin\n"));
    put("c/cifar-10-batches-bin/data_batch_3.bin", bytes, 3 * RECORD - 1);
    ck_refused(spec_of("cifar10", "c"), (Wanted[]){{"label", ELEMENT_I32, 0, {0}, 10, 0, 0}}, 1,
               "9218 bytes; expected records of 3073 bytes each");
    ck_refused(spec_of("cifar10", "none"), (Wanted[]){LABEL}, 1, "no such folder");
}
END_TEST

START_TEST(csv) {
    put_text("t.csv", "\xEF\xBB\xBFname, x_1 ,x_0,label\r\n\"a, \"\"b\"\"\",2,1e0,0\r\n\r\nb,-4,\"3\",1\r\nc,6,5,2");
    const Wanted x = {"x", ELEMENT_F32, 1, {2}, 0, 0, 0}, label = {"label", ELEMENT_I32, 0, {0}, 3, 0, 0};
    Dataset *dataset = open_all(spec_of("csv", "t.csv"), (Wanted[]){x, label}, 2);
    ck_assert_uint_eq(dataset->splits[0].count + dataset->splits[1].count, 3);
    for (uint32_t split = 0; split < 2; split++)
        for (uint32_t i = 0; i < dataset->splits[split].count; i++) {
            int32_t row = fetch_int(dataset, split, i, 1);
            const float *numbers = fetch(dataset, split, i, 0);
            ck_assert(numbers[0] == (float)(2 * row + 1) && numbers[1] == (row == 1 ? -4 : (float)(2 * row + 2)));
        }
    const ProgramData *natural = dataset_natural_fields(arena, spec_of("csv", "t.csv"), diag);
    ck_assert_uint_eq(natural->field_count, 2); // names are no numbers
    ck_refused(spec_of("csv", "t.csv"), (Wanted[]){{"name", ELEMENT_F32, 0, {0}, 0, 0, 0}, x}, 2,
               "t.csv:2: column \"name\": \"a, \"b\"\" is no number");
    ck_refused(spec_of("csv", "t.csv"), (Wanted[]){{"labe", ELEMENT_F32, 0, {0}, 0, 0, 0}}, 1,
               "no array here is called so; did you mean \"label\"?");
    ck_refused(spec_of("csv", "t.csv"), (Wanted[]){{"x", ELEMENT_F32, 1, {3}, 0, 0, 0}}, 1,
               "its \"x\" is f64[2] a record, but the graph declares d.x f32[3]");
    put_text("t.csv", "a,b,label\n1,2,0\n3,4,1\n");
    ck_refused(spec_of("csv", "t.csv"), &x, 1, "no array here is called so; known: a, b, label; its 2 numbers are the columns x_0 … x_1");
    ck_refused(spec_of("csv", "t.csv"), (Wanted[]){x, label}, 2, "; its 2 numbers are the columns x_0 … x_1");
    put_text("t.csv", "x_0,x_2\n1,2\n");
    ck_refused(spec_of("csv", "t.csv"), &x, 1, "x_1 is missing");
    put_text("t.csv", "x_0,x_1\n");
    ck_refused(spec_of("csv", "t.csv"), &x, 1, "it holds no records");
    put_text("f/train.csv", "x_0;x_1\n1;2\n3;4\n"), put_text("f/test.csv", "x_0\tx_1\n5\t6\n");
    dataset = open_all(spec_of("csv", "f"), &x, 1);
    ck_assert_uint_eq(dataset->splits[0].count, 2);
    ck_assert_float_eq(fetch(dataset, 1, 0, 0)[1], 6);
}
END_TEST

// What a graph wants done with pictures is done with arrays, too.
START_TEST(augmented) {
    put_npy("image.npy", "|u1", false, "20, 2, 2, 3", pictures(true), 240);
    ProgramData *declared = declare((Wanted[]){{"image", ELEMENT_F32, 3, {3, 4, 4}, 0, 0, 255}}, 1);
    declared->has_augment = true;
    Dataset *dataset = dataset_open(arena, spec_of("npy", "image.npy"), declared, diag);
    ck_assert_msg(dataset != NULL, "%s", diag_text(diag, arena));
    const float *image = fetch(dataset, 0, 0, 0);
    ck_assert_float_eq(image[5], (float)((uint32_t)image[0] / 12 * 12 + 1)); // bilinear, between places 0 … 3
    ck_assert_float_eq(image[16] - image[0], 4);                             // the next channel
    put_npy("image.npy", "<f4", false, "1, 3, 2, 2", ARENA_NEW(arena, float, 12), 48);
    ck_assert_ptr_null(dataset_open(arena, spec_of("npy", "image.npy"), declared, diag)); // numbers are not resized
}
END_TEST

int main(void) {
    Suite *suite = suite_create("columns");
    TCase *tests = tcase_create("columns");
    tcase_add_checked_fixture(tests, folder_set_up, folder_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, npy_folder, 0, 2);
    tcase_add_test(tests, npy_splits);
    tcase_add_test(tests, npy_types);
    tcase_add_test(tests, shrinks);
    tcase_add_loop_test(tests, npz, 0, 4);
    tcase_add_test(tests, npz_fortran);
    tcase_add_test(tests, arrays_that_are_none);
    tcase_add_test(tests, npz_bombs);
    tcase_add_test(tests, safetensors);
    tcase_add_test(tests, idx_types);
    tcase_add_test(tests, cifar10);
    tcase_add_test(tests, csv);
    tcase_add_test(tests, augmented);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
