// Damaged pickles of all protocols: refused, or a tree of values that ends everywhere.
#include "runtime/tensor/pickle.h"
#include "tests/fuzz/mutate.h"

#define BIRDS GG_SOURCE_DIR "/tests/unit/birds/"
enum { DEPTH_MAX = 64, VISITS_MAX = 1 << 20, SLICE = 64 };

// Values may be shared many times over: only so many are looked at.
static void visit(Fuzzer *fuzzer, Arena *arena, const PickleValue *value, uint32_t depth, uint32_t *visits) {
    if (++*visits > VISITS_MAX)
        return;
    if (depth > DEPTH_MAX + 1)
        fuzz_fail(fuzzer, "values are nested too deep");
    uint8_t sum = 0;
    float values[SLICE];
    uint64_t count = 1;
    switch (value->kind) {
    case PICKLE_LIST:
    case PICKLE_TUPLE:
    case PICKLE_DICT:
        for (uint32_t i = 0; i < value->count; i++)
            visit(fuzzer, arena, value->items[i], depth + 1, visits);
        if (value->kind == PICKLE_DICT && value->count % 2)
            fuzz_fail(fuzzer, "a key without a value");
        break;
    case PICKLE_BYTES:
    case PICKLE_TEXT:
        for (size_t i = 0; i < value->bytes.size && i < SLICE; i++)
            sum = (uint8_t)(sum + (uint8_t)value->bytes.start[i] + (uint8_t)value->bytes.start[value->bytes.size - 1 - i]);
        if (sum == 255)
            pickle_text(arena, value);
        break;
    case PICKLE_ARRAY:
        for (uint32_t i = 0; i < value->array->rank; i++)
            count *= value->array->dims[i];
        if (count * element_bytes(value->array->dtype) != value->array->size)
            fuzz_fail(fuzzer, "%llu elements in %zu bytes", (unsigned long long)count, value->array->size);
        if (count > SLICE)
            pickle_floats(value->array, count - SLICE, SLICE, values);
        pickle_floats(value->array, 0, count < SLICE ? count : SLICE, values);
        break;
    case PICKLE_NONE:
    case PICKLE_BOOL:
    case PICKLE_INTEGER:
    case PICKLE_REAL:
        break;
    case PICKLE_INTERNAL:
        fuzz_fail(fuzzer, "a class or function in the result");
    }
}

static bool taste_pickle(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)bytes, (void)size;
    const PickleValue *value = pickle_read(arena, fuzzer->path, diag);
    uint32_t visits = 0;
    if (value)
        visit(fuzzer, arena, value, 0, &visits);
    return value != NULL;
}

int main(int count, char **arguments) {
    static const char *const files[] = {"train/filenames.pickle", "train/class_info.pickle", "test/filenames.pickle",
                                        "test/class_info.pickle", "test/embeddings.fortran_f64.pickle"};
    static const char *const words[] = {"]q\001",
                                        "h\001",
                                        "a",
                                        "e",
                                        "(",
                                        "t",
                                        "\x85",
                                        "\x86",
                                        "\x87",
                                        "R",
                                        "b",
                                        "}",
                                        "s",
                                        "u",
                                        "c_codecs\nencode\n",
                                        "cnumpy\nndarray\n",
                                        "cnumpy\ndtype\n",
                                        "cnumpy.core.multiarray\nscalar\n",
                                        "X\002",
                                        "U\004",
                                        "p1\n",
                                        "g1\n",
                                        "\x94",
                                        "\x93",
                                        "\x8c\005numpy",
                                        "\x96",
                                        "2",
                                        "0",
                                        "1",
                                        "."};
    FuzzTime time = fuzz_arguments(count, arguments, 4);
    Fuzzer *fuzzer = fuzzer_create("pickle", words, sizeof words / sizeof *words);
    for (uint32_t i = 0; i < sizeof files / sizeof *files; i++)
        fuzzer_add_file(fuzzer, arena_format(fuzzer->arena, BIRDS "%s", files[i]));
    // As Python 3 writes them, in protocols 2, 4 and 5: arrays of two numbers.
    static const char second[] = "\x80\002]q\000cnumpy.core.multiarray\n_reconstruct\nq\001cnumpy\nndarray\nq\002K\000\x85q\003c_codecs\n"
                                 "encode\nq\004X\001\0\0\0bq\005X\006\0\0\0latin1q\006\x86q\007Rq\010\x87q\011Rq\012(K\001K\002\x85q\013"
                                 "cnumpy\ndtype\nq\014X\002\0\0\0f4q\015\x89\x88\x87q\016Rq\017(K\003X\001\0\0\0<q\020NNNJ\xff\xff\xff\xff"
                                 "J\xff\xff\xff\xffK\000tq\021b\x89h\004X\010\0\0\0abcdefghh\006\x86q\022Rq\023tq\024ba.";
    static const char fifth[] =
        "\x80\005\x95\x5a\0\0\0\0\0\0\0]\x94\x8c\022numpy.core.numeric\x94\x8c\013_frombuffer\x94\x93\x94(\x96\020\0"
        "\0\0\0\0\0\0abcdefghijklmnop\x94\x8c\005numpy\x94\x8c\005dtype\x94\x93\x94\x8c\002f4\x94\x89\x88\x87\x94R"
        "\x94(K\003\x8c\001<\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\000t\x94"
        "bK\002K\002\x86\x94\x8c\001F\x94t\x94R\x94"
        "a.";
    fuzzer_add(fuzzer, "second.pickle", second, sizeof second - 1);
    fuzzer_add(fuzzer, "fifth.pickle", fifth, sizeof fifth - 1);
    fuzzer_run(&fuzzer, taste_pickle, time.seconds, time.first, time.count);
    return EXIT_SUCCESS;
}
