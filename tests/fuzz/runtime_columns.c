// Damaged arrays as data sets - .npy, .npz, safetensors, CIFAR-10, CSV: refused with one error, or every record can be fetched, in the
// range that was declared.
#include "runtime/data/dataset.h"
#include "runtime/data/inflate.h"
#include "runtime/tensor/tensor_file.h"
#include "tests/fuzz/mutate.h"
#include <zlib.h>

enum { RECORDS = 12, NUMBERS = 6, SHOWN = 200 };

typedef struct {
    const char *reader, *file; // of the spec
} Spot;

static Spot target;
static uint32_t channels = 1; // 3: the field is a picture of 3 x 1 x 2

static const ProgramData *declare(Arena *arena, Fuzzer *fuzzer) {
    ProgramData *data = ARENA_NEW(arena, ProgramData, 1);
    bool is_cifar = strcmp(target.reader, "cifar10") == 0;
    *data = (ProgramData){.name = "d", .batch = 3, .field_count = 2, .fields = arena_alloc(arena, 2 * sizeof *data->fields)};
    data->fields[0].name = is_cifar ? "image" : "x";
    data->fields[0].rank = 3;
    data->fields[0].dims[0] = is_cifar || channels == 3 ? 3 : 1;
    data->fields[0].dims[1] = is_cifar ? 32 : channels == 3 ? 1 : 2;
    data->fields[0].dims[2] = is_cifar ? 32 : channels == 3 ? 2 : 3;
    data->fields[0].has_range = true, data->fields[0].low = -1, data->fields[0].high = 1;
    data->has_augment = fuzz_draw(fuzzer, 4) == 0;
    data->fields[1].name = "label";
    data->fields[1].type = ELEMENT_I32;
    data->fields[1].below = 10;
    return data;
}

static bool check_record(Fuzzer *fuzzer, const Dataset *dataset, uint32_t split, uint32_t record, uint64_t draw, Diag *diag) {
    float values[3 * 32 * 32];
    int32_t label;
    if (!dataset->fetch(dataset, split, record, 0, draw, values, diag) || !dataset->fetch(dataset, split, record, 1, draw, &label, diag))
        return false;
    for (uint32_t k = 0; k < dataset_field_count(dataset->declared, 0); k++)
        if (!(values[k] >= -1.01f && values[k] <= 1.01f))
            fuzz_fail(fuzzer, "%g is not in -1 … 1", (double)values[k]);
    if (label < 0 || label >= 10)
        fuzz_fail(fuzzer, "label %d", label);
    return true;
}

static bool taste(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)bytes, (void)size;
    const char *spec = arena_format(arena, "%s:%s", target.reader, file_join(arena, fuzzer->folder, target.file));
    Diag *unheard = diag_create(arena);
    const ProgramData *natural = dataset_natural_fields(arena, spec, unheard);
    if ((natural == NULL) != (diag_error_count(unheard) > 0))
        fuzz_fail(fuzzer, "natural fields: %u errors", diag_error_count(unheard));
    Dataset *dataset = dataset_open(arena, spec, declare(arena, fuzzer), diag);
    for (uint32_t split = 0; dataset && split < dataset->split_count; split++)
        for (uint32_t i = 0; i < dataset->splits[split].count && i < SHOWN; i++)
            if (!check_record(fuzzer, dataset, split, i, i % 3, diag))
                return false;
    return dataset != NULL;
}

static Text npy(Arena *arena, const char *descr, bool is_fortran, const char *shape, const void *bytes, size_t size) {
    Text text = text_create(arena);
    const char *header =
        arena_format(arena, "{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }\n", descr, is_fortran ? "True" : "False", shape);
    text_append_bytes(&text, "\x93NUMPY\1\0", 8);
    text_append_bytes(&text, (const char[]){(char)strlen(header), 0}, 2);
    text_append(&text, header);
    text_append_bytes(&text, bytes, size);
    return text;
}

static Text x_bytes(Arena *arena, bool is_fortran) {
    uint8_t bytes[RECORDS * NUMBERS];
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 3);
    return npy(arena, "|u1", is_fortran, channels == 3 ? "12, 1, 2, 3" : "12, 2, 3", bytes, sizeof bytes);
}

static Text x_floats(Arena *arena, const char *descr) {
    float numbers[RECORDS * NUMBERS];
    for (uint32_t i = 0; i < RECORDS * NUMBERS; i++)
        numbers[i] = (float)i / (RECORDS * NUMBERS);
    if (descr[0] == '>')
        npy_swap(ELEMENT_F32, numbers, RECORDS * NUMBERS);
    return npy(arena, descr, false, "12, 6", numbers, sizeof numbers);
}

static Text labels(Arena *arena) {
    int64_t numbers[RECORDS];
    for (uint32_t i = 0; i < RECORDS; i++)
        numbers[i] = i % 10;
    return npy(arena, "<i8", false, "12,", numbers, sizeof numbers);
}

static const char *const npy_words[] = {"'descr'", "'shape'", "'fortran_order'", "True",     "<f2", ">f8", "|b1",
                                        "<u8",     "(12,",    "99999999999",     "\x93NUMPY"};
enum { NPY_WORDS = sizeof npy_words / sizeof *npy_words };

static void fuzz_npy(FuzzTime time, double share) {
    target = (Spot){"npy", ""};
    Fuzzer *fuzzer = fuzzer_create("npy", npy_words, NPY_WORDS);
    Text label = labels(fuzzer->arena), samples[] = {x_bytes(fuzzer->arena, false), x_bytes(fuzzer->arena, true),
                                                     x_floats(fuzzer->arena, "<f4"), x_floats(fuzzer->arena, ">f4")};
    fuzz_write(fuzzer, "label.npy", label.data, label.length);
    for (uint32_t i = 0; i < 4; i++)
        fuzzer_add(fuzzer, "x.npy", samples[i].data, samples[i].length);
    fuzzer_run(&fuzzer, taste, time.seconds * share, time.first, time.count);
}

// ---- archives

static void put_number(Text *text, uint64_t number, uint32_t size) {
    for (uint32_t i = 0; i < size; i++)
        text_append_bytes(text, (const char[]){(char)(i < 8 ? number >> 8 * i : 0)}, 1);
}

static Text pack(Arena *arena, const Text *plain) {
    Text packed = text_create(arena);
    uint8_t bytes[4096];
    z_stream stream = {.next_in = (Bytef *)plain->data, .avail_in = (uInt)plain->length, .next_out = bytes, .avail_out = sizeof bytes};
    if (deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&stream, Z_FINISH) != Z_STREAM_END)
        exit(EXIT_FAILURE);
    text_append_bytes(&packed, (const char *)bytes, stream.total_out);
    deflateEnd(&stream);
    return packed;
}

typedef struct {
    const char *name;
    const Text *plain, *stored;
    bool is_wide; // 64-bit numbers
} Member;

static void put_entry(Text *out, const Member *member, bool is_central, uint64_t local) {
    uint32_t extra = member->is_wide ? 4 + 16 + (is_central ? 8 : 0) : 0;
    put_number(out, is_central ? 0x02014b50 : 0x04034b50, 4);
    if (is_central)
        put_number(out, 45, 2);
    put_number(out, 45, 2), put_number(out, 0, 2), put_number(out, member->plain != member->stored ? 8 : 0, 2), put_number(out, 0, 4);
    put_number(out, inflate_checksum(member->plain->data, member->plain->length), 4);
    put_number(out, member->is_wide ? UINT32_MAX : member->stored->length, 4),
        put_number(out, member->is_wide ? UINT32_MAX : member->plain->length, 4);
    put_number(out, strlen(member->name), 2), put_number(out, extra, 2);
    if (is_central)
        put_number(out, 0, 10), put_number(out, member->is_wide ? UINT32_MAX : local, 4);
    text_append(out, member->name);
    if (!member->is_wide)
        return;
    put_number(out, 1, 2), put_number(out, extra - 4, 2), put_number(out, member->plain->length, 8),
        put_number(out, member->stored->length, 8);
    if (is_central)
        put_number(out, local, 8);
}

static Text zip(Arena *arena, const Member *members, uint32_t count) {
    Text out = text_create(arena), directory = text_create(arena);
    for (uint32_t i = 0; i < count; i++) {
        put_entry(&directory, &members[i], true, out.length);
        put_entry(&out, &members[i], false, 0);
        text_append_bytes(&out, members[i].stored->data, members[i].stored->length);
    }
    uint64_t at = out.length;
    text_append_bytes(&out, directory.data, directory.length);
    put_number(&out, 0x06054b50, 4), put_number(&out, 0, 4), put_number(&out, count, 2), put_number(&out, count, 2);
    put_number(&out, directory.length, 4), put_number(&out, at, 4), put_number(&out, 0, 2);
    return out;
}

static void fuzz_npz(FuzzTime time, double share) {
    static const char *const words[] = {"x.npy",  "label.npy", "../x.npy", "/x_train.npy", "PK\1\2",
                                        "PK\3\4", "PK\5\6",    "PK\6\6",   "PK\6\7",       "\xff\xff\xff\xff"};
    target = (Spot){"npz", "d.npz"};
    Fuzzer *fuzzer = fuzzer_create("npz", words, sizeof words / sizeof *words);
    Text label = labels(fuzzer->arena), packed_label = pack(fuzzer->arena, &label);
    for (uint32_t form = 0; form < 8; form++) {
        Text x = x_bytes(fuzzer->arena, form & 4), packed_x = pack(fuzzer->arena, &x);
        const Member members[] = {{"x.npy", &x, form & 1 ? &packed_x : &x, form & 2},
                                  {"label.npy", &label, form & 1 ? &packed_label : &label, form & 2}};
        Text text = zip(fuzzer->arena, members, 2);
        fuzzer_add(fuzzer, "d.npz", text.data, text.length);
    }
    fuzzer_run(&fuzzer, taste, time.seconds * share, time.first, time.count);
}

// ---- other formats

static void fuzz_safetensors(FuzzTime time, double share) {
    static const char *const words[] = {"\"x\"",    "\"label\"", "\"dtype\"", "\"shape\"", "\"data_offsets\"",
                                        "\"BF16\"", "\"F16\"",   "train.",    "[12,6]"};
    target = (Spot){"safetensors", "d.safetensors"};
    Fuzzer *fuzzer = fuzzer_create("safetensors", words, sizeof words / sizeof *words);
    float numbers[RECORDS * NUMBERS] = {0};
    int32_t classes[RECORDS] = {0, 1, 2, 3, 9};
    const HostTensor tensors[] = {
        {.name = "x", .dtype = ELEMENT_F32, .rank = 3, .dims = {RECORDS, 2, 3}, .data = numbers, .size = sizeof numbers},
        {.name = "label", .dtype = ELEMENT_I32, .rank = 1, .dims = {RECORDS}, .data = classes, .size = sizeof classes}};
    const char *path = file_join(fuzzer->arena, fuzzer->folder, "d.safetensors");
    if (!safetensors_write(fuzzer->arena, path, tensors, 2, NULL, NULL, 0, fuzzer->diag))
        exit(EXIT_FAILURE);
    fuzzer_add_file(fuzzer, path);
    fuzzer_run(&fuzzer, taste, time.seconds * share, time.first, time.count);
}

static void fuzz_csv(FuzzTime time, double share) {
    static const char *const words[] = {"x_0",  "x_5", "label", "\"",    "\"\"",         ",",    ";",   "\t",
                                        "\r\n", "nan", "inf",   "1e400", "\xEF\xBB\xBF", "\n\n", "x_1,"};
    target = (Spot){"csv", "t.csv"};
    Fuzzer *fuzzer = fuzzer_create("csv", words, sizeof words / sizeof *words);
    fuzzer_add_text(fuzzer, "t.csv", "x_0,x_1,x_2,x_3,x_4,x_5,label\n0,0.5,-1,1,1e-3,.25,3\n\n1,1,1,1,1,1,0\n\"0\",0,0,0,0,0,9\n");
    fuzzer_add_text(fuzzer, "t.csv",
                    "\xEF\xBB\xBFname;label;x_5;x_4;x_3;x_2;x_1;x_0\r\n\"a;\"\"b\"\"\n\";1;0;0;0;0;0;0\r\nb;2;1;1;1;1;1;1");
    fuzzer_run(&fuzzer, taste, time.seconds * share, time.first, time.count);
}

static void fuzz_cifar(FuzzTime time, double share) {
    target = (Spot){"cifar10", ""};
    Fuzzer *fuzzer = fuzzer_create("cifar10", NULL, 0);
    char *bytes = ARENA_NEW(fuzzer->arena, char, 2 * 3073);
    bytes[3073] = 9;
    fuzz_write(fuzzer, "batches.meta.txt", "a\nb\n", 4);
    fuzzer_add(fuzzer, "data_batch_2.bin", bytes, 2 * 3073);
    fuzzer_run(&fuzzer, taste, time.seconds * share, time.first, time.count);
}

int main(int count, char **arguments) {
    FuzzTime time = fuzz_arguments(count, arguments, 5);
    fuzz_npy(time, 0.2);
    channels = 3; // turned, where they come last
    fuzz_npy(time, 0.1);
    channels = 1;
    fuzz_npz(time, 0.3);
    fuzz_safetensors(time, 0.15);
    fuzz_csv(time, 0.2);
    fuzz_cifar(time, 0.05);
    return EXIT_SUCCESS;
}
