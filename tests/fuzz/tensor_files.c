// Damaged JSON, .npy and .safetensors: refused with a message or taken, never a crash, a hang or memory that the file does not have.
#include "runtime/base/json.h"
#include "runtime/tensor/tensor_file.h"
#include "tests/fuzz/mutate.h"

// ---- JSON

static uint32_t walk(Fuzzer *fuzzer, Arena *arena, const Json *json) {
    uint32_t nodes = 1, children = 0;
    if (json->line == 0 || json->column == 0)
        fuzz_fail(fuzzer, "%s has no place", json_pointer(arena, json));
    for (const Json *child = json->first; child; child = child->next) {
        if (child->parent != json || child->index != children || (json->kind == JSON_OBJECT) != (child->key != NULL))
            fuzz_fail(fuzzer, "%s hangs wrongly in its tree", json_pointer(arena, child));
        nodes += walk(fuzzer, arena, child);
        children++;
    }
    if (children != json->count)
        fuzz_fail(fuzzer, "%s has %u children, not %u", json_pointer(arena, json), children, json->count);
    return nodes;
}

static bool taste_json(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    const Json *json = json_parse(arena, "fuzz.json", bytes, size, diag);
    if (!json)
        return false;
    walk(fuzzer, arena, json);
    // What was understood can be written and reads back as the same text.
    JsonWriter *writer = json_writer_create(arena);
    json_write_tree(writer, NULL, json);
    const char *text = json_writer_text(writer);
    const Json *again = json_parse(arena, "again.json", text, strlen(text), diag);
    if (!again)
        fuzz_fail(fuzzer, "what was written does not read back: %s", diag_text(diag, arena));
    writer = json_writer_create(arena);
    json_write_tree(writer, NULL, again);
    if (strcmp(text, json_writer_text(writer)))
        fuzz_fail(fuzzer, "writing twice gives two texts:\n%s\n%s", text, json_writer_text(writer));
    return true;
}

static void fuzz_json(FuzzTime time) {
    static const char *const words[] = {
        "null",     "true",    "false", "\\u0000", "\\ud83d\\ude00", "\\ud800", "\xc3\xa9", "\xed\xa0\x80", "1e308", "-0",
        "[[[[[[[[", "{\"a\":", "\"",    "\\",      "\xef\xbb\xbf",   "//",      "1.",       "01",           "NaN"};
    Fuzzer *fuzzer = fuzzer_create("json", words, sizeof words / sizeof *words);
    fuzzer_add_text(
        fuzzer, "a.json",
        "{\"a\": [1, -2.5e-3, true, null, {\"\\u00e9\": \"x\\n\\\"y\\\\\"}], \"b\": {}, \"c\": [], \"d\": \"\xf0\x9f\x98\x80\"}");
    fuzzer_add_text(fuzzer, "b.json", "[[[[[[1]]]]], {\"x\": {\"x\": {\"x\": 9007199254740993}}}, 1e308, -0.0]");
    fuzzer_add_text(fuzzer, "c.json", "  \"text\"\n");
    fuzzer_add_file(fuzzer, GG_SOURCE_DIR "/graphs/unrolled_gan.json");
    fuzzer_run(&fuzzer, taste_json, time.seconds, time.first, time.count);
}

// ---- tensors

static void check_tensor(Fuzzer *fuzzer, const HostTensor *tensor) {
    uint64_t count = 1;
    if (tensor->rank > HOST_RANK_MAX)
        fuzz_fail(fuzzer, "rank %u", tensor->rank);
    for (uint32_t i = 0; i < tensor->rank; i++)
        if (__builtin_mul_overflow(count, tensor->dims[i], &count))
            fuzz_fail(fuzzer, "more elements than 64 bits count");
    if (tensor->size != count * element_bytes(tensor->dtype))
        fuzz_fail(fuzzer, "%zu bytes for %llu elements", tensor->size, (unsigned long long)count);
    uint32_t sum = 0; // every byte is there
    for (size_t i = 0; i < tensor->size; i++)
        sum += ((const uint8_t *)tensor->data)[i];
    if (tensor->size && sum == UINT32_MAX)
        fputc('\n', stderr);
}

static bool taste_npy(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)bytes, (void)size;
    HostTensor tensor;
    if (!npy_read(arena, fuzzer->path, &tensor, diag))
        return false;
    check_tensor(fuzzer, &tensor);
    return true;
}

static void add_npy(Fuzzer *fuzzer, const char *name, const char *header, uint32_t bytes) {
    Text text = text_create(fuzzer->arena);
    uint16_t length = (uint16_t)(strlen(header) + 1);
    text_append_bytes(&text, "\x93NUMPY\x01\x00", 8);
    text_append_bytes(&text, (const char[]){(char)(length & 255), (char)(length >> 8)}, 2);
    text_format(&text, "%s\n", header);
    for (uint32_t i = 0; i < bytes; i++)
        text_append_bytes(&text, (const char[]){(char)i}, 1);
    fuzzer_add(fuzzer, name, text.data, text.length);
}

static void fuzz_npy(FuzzTime time) {
    static const char *const words[] = {"<f4",   "<f8", "<f2", "<i8", "|b1", "|u1",  ">f4",      "<u8",      "True",
                                        "False", "(",   ")",   ",",   "()",  "(3,)", "'shape':", "'descr':", "99999999999"};
    Fuzzer *fuzzer = fuzzer_create("npy", words, sizeof words / sizeof *words);
    add_npy(fuzzer, "a.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24);
    add_npy(fuzzer, "b.npy", "{'descr': '<i8', 'fortran_order': True, 'shape': (2, 1, 3), }", 48);
    add_npy(fuzzer, "c.npy", "{'descr': '|b1', 'fortran_order': False, 'shape': (), }", 1);
    add_npy(fuzzer, "d.npy", "{'descr': '<f2', 'fortran_order': False, 'shape': (5,), }", 10);
    fuzzer_run(&fuzzer, taste_npy, time.seconds, time.first, time.count);
}

static bool taste_safetensors(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)bytes, (void)size;
    TensorFile file;
    if (!safetensors_read(arena, fuzzer->path, &file, diag))
        return false;
    for (uint32_t i = 0; i < file.tensors.count; i++) {
        const HostTensor *tensor = &file.tensors.items[i];
        check_tensor(fuzzer, tensor);
        if (tensor_file_find(&file, tensor->name) != tensor)
            fuzz_fail(fuzzer, "two tensors are named %s", tensor->name);
    }
    for (uint32_t i = 0; i < file.metadata_count; i++)
        if (!file.keys[i] || !file.values[i])
            fuzz_fail(fuzzer, "metadata without text");
    return true;
}

static void add_safetensors(Fuzzer *fuzzer, const char *name, const char *header, uint32_t bytes) {
    Text text = text_create(fuzzer->arena);
    uint64_t length = strlen(header);
    text_append_bytes(&text, (const char *)&length, 8);
    text_append(&text, header);
    for (uint32_t i = 0; i < bytes; i++)
        text_append_bytes(&text, (const char[]){(char)i}, 1);
    fuzzer_add(fuzzer, name, text.data, text.length);
}

static void fuzz_safetensors(FuzzTime time) {
    static const char *const words[] = {"\"F32\"",
                                        "\"F64\"",
                                        "\"BF16\"",
                                        "\"F16\"",
                                        "\"I64\"",
                                        "\"BOOL\"",
                                        "\"U8\"",
                                        "[]",
                                        "[0]",
                                        "[0,0]",
                                        "[4,0]",
                                        "\"data_offsets\"",
                                        "\"shape\"",
                                        "\"dtype\"",
                                        "18446744073709551615",
                                        "\"__metadata__\":{\"a\":\"b\"},"};
    Fuzzer *fuzzer = fuzzer_create("safetensors", words, sizeof words / sizeof *words);
    add_safetensors(fuzzer, "a.safetensors",
                    "{\"__metadata__\":{\"step\":\"7\"},\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},\"n\":{\"dtype\":"
                    "\"I64\",\"shape\":[],\"data_offsets\":[24,32]}}",
                    32);
    add_safetensors(fuzzer, "b.safetensors",
                    "{\"h\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[0,6]},\"b\":{\"dtype\":\"BOOL\",\"shape\":[2,1],\"data_"
                    "offsets\":[6,8]},\"e\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[8,8]}}",
                    8);
    add_safetensors(fuzzer, "c.safetensors", "{}", 0);
    fuzzer_run(&fuzzer, taste_safetensors, time.seconds, time.first, time.count);
}

int main(int count, char **arguments) {
    FuzzTime time = fuzz_arguments(count, arguments, 3);
    fuzz_json(time);
    fuzz_npy(time);
    fuzz_safetensors(time);
    return EXIT_SUCCESS;
}
