// Pickle write: opcodes of protocol 2 in the order in which Python 2's pickler puts them.
#include "runtime/tensor/pickle_write.h"
#include "runtime/base/text.h"

enum { BATCH = 1000 }; // items of one APPENDS

// Slots of the memo, which later arrays refer to.
enum { MEMO_LIST = 1, MEMO_RECONSTRUCT, MEMO_NDARRAY, MEMO_KIND, MEMO_DTYPE };

typedef struct {
    FileWriter *writer;
    Text bytes; // not yet put
    uint32_t items;
    bool good;
} Pickle;

static void put_byte(Pickle *pickle, uint32_t byte) { text_append_bytes(&pickle->bytes, (const char[]){(char)(unsigned char)byte}, 1); }

static void put_opcode(Pickle *pickle, char opcode) { text_append_bytes(&pickle->bytes, &opcode, 1); }

static void put_little(Pickle *pickle, uint32_t number, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        put_byte(pickle, number >> 8 * i & 255);
}

// BININT1, BININT2, BININT
static void put_int(Pickle *pickle, int32_t number) {
    bool is_byte = number >= 0 && number < 256, is_short = number >= 0 && number < 65536;
    put_opcode(pickle, is_byte ? 'K' : is_short ? 'M' : 'J');
    put_little(pickle, (uint32_t)number, is_byte ? 1 : is_short ? 2 : 4);
}

// SHORT_BINSTRING, BINSTRING; what follows is `size` bytes.
static void put_string_head(Pickle *pickle, size_t size) {
    put_opcode(pickle, size < 256 ? 'U' : 'T');
    put_little(pickle, (uint32_t)size, size < 256 ? 1 : 4);
}

static void put_string(Pickle *pickle, const char *text) {
    put_string_head(pickle, strlen(text));
    text_append(&pickle->bytes, text);
}

static void put_memo(Pickle *pickle, uint32_t slot) { // BINPUT
    put_opcode(pickle, 'q');
    put_byte(pickle, slot);
}

static void get_memo(Pickle *pickle, uint32_t slot) { // BINGET
    put_opcode(pickle, 'h');
    put_byte(pickle, slot);
}

static void flush(Pickle *pickle, Diag *diag) {
    pickle->good = pickle->good && file_put(pickle->writer, pickle->bytes.data, pickle->bytes.length, diag);
    text_clear(&pickle->bytes);
}

static bool begin(Arena *arena, Pickle *pickle, const char *path, Diag *diag) {
    *pickle = (Pickle){.writer = file_create(arena, path, diag), .bytes = text_create(arena), .good = true};
    text_append_bytes(&pickle->bytes, "\x80\x02]", 3); // PROTO 2, EMPTY_LIST
    put_memo(pickle, MEMO_LIST);
    return pickle->writer != NULL;
}

static void begin_item(Pickle *pickle) {
    if (pickle->items % BATCH == 0)
        text_append(&pickle->bytes, pickle->items ? "e(" : "("); // APPENDS, MARK
    pickle->items++;
}

static bool end(Pickle *pickle, Diag *diag) {
    text_append(&pickle->bytes, pickle->items ? "e." : "."); // APPENDS, STOP
    flush(pickle, diag);
    if (pickle->good)
        return file_commit(pickle->writer, diag);
    file_abandon(pickle->writer);
    return false;
}

bool pickle_write_texts(const char *path, const char *const *texts, uint32_t count, Diag *diag) {
    Arena *arena = arena_create();
    Pickle pickle;
    bool good = begin(arena, &pickle, path, diag);
    for (uint32_t i = 0; good && i < count; i++) {
        begin_item(&pickle);
        put_string(&pickle, texts[i]);
    }
    good = good && end(&pickle, diag);
    arena_destroy(&arena);
    return good;
}

bool pickle_write_ints(const char *path, const int32_t *numbers, uint32_t count, Diag *diag) {
    Arena *arena = arena_create();
    Pickle pickle;
    bool good = begin(arena, &pickle, path, diag);
    for (uint32_t i = 0; good && i < count; i++) {
        begin_item(&pickle);
        put_int(&pickle, numbers[i]);
    }
    good = good && end(&pickle, diag);
    arena_destroy(&arena);
    return good;
}

// numpy.core.multiarray._reconstruct(numpy.ndarray, (0,), "b"), then its state: (1, shape, dtype, is Fortran, bytes).
static void put_array_head(Pickle *pickle, const PickleArrays *arrays, size_t size) {
    bool is_first = pickle->items == 1;
    if (is_first) {
        text_append(&pickle->bytes, "cnumpy.core.multiarray\n_reconstruct\n");
        put_memo(pickle, MEMO_RECONSTRUCT);
        text_append(&pickle->bytes, "cnumpy\nndarray\n");
        put_memo(pickle, MEMO_NDARRAY);
    } else {
        get_memo(pickle, MEMO_RECONSTRUCT);
        get_memo(pickle, MEMO_NDARRAY);
    }
    put_int(pickle, 0);
    put_opcode(pickle, '\x85'); // TUPLE1
    if (is_first) {
        put_string(pickle, "b");
        put_memo(pickle, MEMO_KIND);
    } else
        get_memo(pickle, MEMO_KIND);
    text_append(&pickle->bytes, "\x87R("); // TUPLE3, REDUCE, MARK
    put_int(pickle, 1);
    put_int(pickle, (int32_t)arrays->rows);
    put_int(pickle, (int32_t)arrays->columns);
    put_opcode(pickle, '\x86'); // TUPLE2
    if (is_first) {             // dtype("f4", 0, 1) with the state (3, "<", None, None, None, -1, -1, 0)
        text_append(&pickle->bytes, "cnumpy\ndtype\n");
        put_string(pickle, "f4");
        put_int(pickle, 0);
        put_int(pickle, 1);
        text_append(&pickle->bytes, "\x87R");
        put_memo(pickle, MEMO_DTYPE);
        put_opcode(pickle, '(');
        put_int(pickle, 3);
        put_string(pickle, "<");
        text_append(&pickle->bytes, "NNN");
        put_int(pickle, -1);
        put_int(pickle, -1);
        put_int(pickle, 0);
        text_append(&pickle->bytes, "tb"); // TUPLE, BUILD
    } else
        get_memo(pickle, MEMO_DTYPE);
    put_opcode(pickle, '\x89'); // NEWFALSE
    put_string_head(pickle, size);
}

bool pickle_write_arrays(const char *path, const PickleArrays *arrays, Diag *diag) {
    Arena *arena = arena_create();
    Pickle pickle;
    size_t size = sizeof(float) * arrays->rows * arrays->columns;
    float *values = arena_alloc(arena, size);
    bool good = begin(arena, &pickle, path, diag);
    for (uint32_t i = 0; good && i < arrays->count && pickle.good; i++) {
        begin_item(&pickle);
        put_array_head(&pickle, arrays, size);
        arrays->fill(arrays->context, i, values);
        text_append_bytes(&pickle.bytes, (const char *)values, size);
        text_append(&pickle.bytes, "tb");
        flush(&pickle, diag);
    }
    good = good && end(&pickle, diag);
    arena_destroy(&arena);
    return good;
}
