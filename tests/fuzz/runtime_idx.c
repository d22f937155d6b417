// Damaged IDX files, plain and packed, through the data set reader: refused, or every record can be fetched.
#include "runtime/data/dataset.h"
#include "tests/fuzz/mutate.h"
#include <zlib.h>

enum { RECORDS = 12, HEIGHT = 4, WIDTH = 3 };

static void put(Text *text, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        text_append_bytes(text, (const char[]){(char)(value >> shift)}, 1);
}

static Text images(Arena *arena) {
    Text text = text_create(arena);
    put(&text, 0x803), put(&text, RECORDS), put(&text, HEIGHT), put(&text, WIDTH);
    for (uint32_t i = 0; i < RECORDS * HEIGHT * WIDTH; i++)
        text_append_bytes(&text, (const char[]){(char)i}, 1);
    return text;
}

static Text labels(Arena *arena) {
    Text text = text_create(arena);
    put(&text, 0x801), put(&text, RECORDS);
    for (uint32_t i = 0; i < RECORDS; i++)
        text_append_bytes(&text, (const char[]){(char)(i % 10)}, 1);
    return text;
}

static Text pack(Arena *arena, const Text *plain) {
    uint8_t bytes[4096];
    z_stream stream = {.next_in = (Bytef *)plain->data, .avail_in = (uInt)plain->length, .next_out = bytes, .avail_out = sizeof bytes};
    Text packed = text_create(arena);
    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&stream, Z_FINISH) != Z_STREAM_END)
        exit(EXIT_FAILURE);
    text_append_bytes(&packed, (const char *)bytes, stream.total_out);
    deflateEnd(&stream);
    return packed;
}

static const ProgramData *declare(Arena *arena) {
    ProgramData *data = ARENA_NEW(arena, ProgramData, 1);
    *data = (ProgramData){.name = "images", .batch = 3, .field_count = 2, .fields = arena_alloc(arena, 2 * sizeof *data->fields)};
    data->fields[0].name = "image";
    data->fields[0].rank = 3;
    data->fields[0].dims[0] = 1, data->fields[0].dims[1] = HEIGHT, data->fields[0].dims[2] = WIDTH;
    data->fields[0].has_range = true, data->fields[0].low = -1, data->fields[0].high = 1;
    data->fields[1].name = "label";
    data->fields[1].type = ELEMENT_I32;
    data->fields[1].below = 10;
    return data;
}

static bool taste_idx(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)bytes, (void)size;
    const char *spec = arena_format(arena, "idx:%s", file_folder(arena, fuzzer->path));
    const ProgramData *natural = dataset_natural_fields(arena, spec, diag_create(arena));
    const ProgramData *declared = declare(arena);
    Dataset *dataset = dataset_open(arena, spec, declared, diag);
    if (!dataset)
        return false;
    if (!natural)
        fuzz_fail(fuzzer, "opens, but has no fields of its own");
    float record[HEIGHT * WIDTH];
    for (uint32_t split = 0; split < dataset->split_count; split++)
        for (uint32_t i = 0; i < dataset->splits[split].count; i++)
            for (uint32_t field = 0; field < declared->field_count; field++) {
                if (!dataset->fetch(dataset, split, i, field, 0, record, diag))
                    return false;
                for (uint32_t k = 0; field == 0 && k < HEIGHT * WIDTH; k++)
                    if (!(record[k] >= -1 && record[k] <= 1))
                        fuzz_fail(fuzzer, "%g is not in -1 … 1", (double)record[k]);
                int32_t label;
                memcpy(&label, record, sizeof label);
                if (field == 1 && (label < 0 || label >= 10))
                    fuzz_fail(fuzzer, "label %d", label);
            }
    return true;
}

// One file of four is damaged.
static void fuzz_idx(FuzzTime time, bool is_packed, bool damages_labels) {
    static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                        "t10k-labels-idx1-ubyte"};
    Fuzzer *fuzzer = fuzzer_create(is_packed ? "idx.gz" : "idx", NULL, 0);
    for (uint32_t i = 0; i < 4; i++) {
        Text plain = i % 2 ? labels(fuzzer->arena) : images(fuzzer->arena), packed = pack(fuzzer->arena, &plain);
        const Text *text = is_packed ? &packed : &plain;
        const char *name = arena_format(fuzzer->arena, "%s%s", names[i], is_packed ? ".gz" : "");
        fuzz_write(fuzzer, name, text->data, text->length);
        if (i == damages_labels)
            fuzzer_add(fuzzer, name, text->data, text->length);
    }
    fuzzer_run(&fuzzer, taste_idx, time.seconds / 3, time.first, time.count);
}

int main(int count, char **arguments) {
    FuzzTime time = fuzz_arguments(count, arguments, 4);
    fuzz_idx(time, false, false);
    fuzz_idx(time, false, true);
    fuzz_idx(time, true, false);
    return EXIT_SUCCESS;
}
