// Pickle: a stack machine whose only effects are values in the arena.
#include "runtime/tensor/pickle_parts.h"
#include "runtime/base/bug.h"

enum { DEPTH_MAX = 64, MEMORY_FLOOR = 256 << 20, MEMORY_PER_BYTE = 4, PROTOCOL_MAX = 5 };
#define FILE_MAX (UINT64_C(2) << 30)

__attribute__((format(printf, 2, 3))) bool pickle_broken(PickleReader *reader, const char *format, ...) {
    char message[256];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    diag_error(reader->diag, &(Place){.file = reader->path}, "byte %zu: %s", reader->at, message);
    return false;
}

void *pickle_take(PickleReader *reader, uint64_t size) { // NULL: reported
    if (size + 16 > reader->memory) {
        pickle_broken(reader, "the pickle unfolds into too much memory");
        return NULL;
    }
    reader->memory -= size + 16;
    return arena_alloc(reader->arena, (size_t)size);
}

// ---- the stack

bool pickle_push(PickleReader *reader, const PickleValue *value, PickleRole role) {
    PickleNode *node = pickle_take(reader, sizeof *node);
    if (!node)
        return false;
    *node = (PickleNode){.value = *value, .is_plain = role == PICKLE_ROLE_NONE, .role = role};
    array_push(reader->arena, &reader->stack, node);
    return true;
}

// How many values lie above the last mark: those that an opcode may touch.
static uint32_t available(const PickleReader *reader) {
    return reader->stack.count - (reader->marks.count ? reader->marks.items[reader->marks.count - 1] : 0);
}

PickleNode *pickle_top(PickleReader *reader) { // NULL: reported
    if (available(reader) == 0) {
        pickle_broken(reader, "an opcode needs a value that is not there");
        return NULL;
    }
    return reader->stack.items[reader->stack.count - 1];
}

PickleNode *pickle_pop(PickleReader *reader) {
    PickleNode *node = pickle_top(reader);
    if (node)
        reader->stack.count--;
    return node;
}

// The values above the last mark, which is gone then; they stay valid until the next push.
static bool pop_mark(PickleReader *reader, PickleNode ***nodes, uint32_t *count) {
    if (reader->marks.count == 0)
        return pickle_broken(reader, "an opcode needs a mark that is not there");
    uint32_t mark = reader->marks.items[--reader->marks.count];
    *nodes = reader->stack.items + mark;
    *count = reader->stack.count - mark;
    reader->stack.count = mark;
    return true;
}

// ---- containers

static bool hold(PickleReader *reader, PickleNode *owner, PickleNode *const *nodes, uint32_t count) {
    if (owner->is_held)
        return pickle_broken(reader, "a value grows after another one has taken it");
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i] == owner)
            return pickle_broken(reader, "a value would hold itself");
        if (nodes[i]->depth >= DEPTH_MAX)
            return pickle_broken(reader, "values are nested more than %d deep", DEPTH_MAX);
        if (nodes[i]->depth >= owner->depth)
            owner->depth = (uint8_t)(nodes[i]->depth + 1);
        owner->is_plain &= nodes[i]->is_plain;
        nodes[i]->is_held = true;
    }
    if (!owner->is_plain && owner->value.kind != PICKLE_TUPLE)
        return pickle_broken(reader, "a class, a function or an unfinished array in a %s",
                             owner->value.kind == PICKLE_LIST ? "list" : "dictionary");
    return true;
}

// Lists and dictionaries grow in doubling steps: a place is free where the count is below the next power of two.
static bool extend(PickleReader *reader, PickleNode *owner, PickleNode *const *nodes, uint32_t count) {
    PickleKind kind = owner->value.kind;
    if (!hold(reader, owner, nodes, count))
        return false;
    uint32_t before = owner->value.count, after = before + count;
    uint64_t room = before ? 1 : 0, wanted = 1;
    while (room < before)
        room *= 2;
    while (wanted < after)
        wanted *= 2;
    if (kind == PICKLE_TUPLE)
        wanted = after;
    if (after > room) {
        const PickleValue **items = pickle_take(reader, wanted * sizeof *items);
        if (!items)
            return false;
        if (before)
            memcpy(items, owner->value.items, before * sizeof *items);
        owner->value.items = items;
    }
    for (uint32_t i = 0; i < count; i++)
        owner->value.items[before + i] = &nodes[i]->value;
    owner->value.count = after;
    return true;
}

// Makes a container of nodes that are no longer on the stack.
static bool push_container(PickleReader *reader, PickleKind kind, PickleNode *const *nodes, uint32_t count) {
    if (kind == PICKLE_DICT && count % 2)
        return pickle_broken(reader, "a dictionary's last key has no value");
    PickleNode *owner = pickle_take(reader, sizeof *owner);
    if (!owner)
        return false;
    *owner = (PickleNode){.value.kind = kind, .is_plain = true};
    if (!extend(reader, owner, nodes, count))
        return false;
    array_push(reader->arena, &reader->stack, owner);
    return true;
}

static bool push_marked(PickleReader *reader, PickleKind kind) {
    PickleNode **nodes = NULL;
    uint32_t count = 0;
    return pop_mark(reader, &nodes, &count) && push_container(reader, kind, nodes, count);
}

static bool push_tuple(PickleReader *reader, uint32_t count) {
    if (available(reader) < count)
        return pickle_broken(reader, "a tuple of %u needs values that are not there", count);
    reader->stack.count -= count;
    return push_container(reader, PICKLE_TUPLE, reader->stack.items + reader->stack.count, count);
}

static bool grow(PickleReader *reader, PickleKind kind, PickleNode *const *nodes, uint32_t count) {
    PickleNode *owner = pickle_top(reader);
    if (!owner)
        return false;
    if (owner->value.kind != kind)
        return pickle_broken(reader, "expected a %s to add to", kind == PICKLE_LIST ? "list" : "dictionary");
    if (kind == PICKLE_DICT && count % 2)
        return pickle_broken(reader, "a dictionary's last key has no value");
    return extend(reader, owner, nodes, count);
}

static bool grow_marked(PickleReader *reader, PickleKind kind) {
    PickleNode **nodes = NULL;
    uint32_t count = 0;
    return pop_mark(reader, &nodes, &count) && grow(reader, kind, nodes, count);
}

static bool grow_by(PickleReader *reader, PickleKind kind, uint32_t count) {
    if (available(reader) <= count)
        return pickle_broken(reader, "an opcode needs values that are not there");
    reader->stack.count -= count;
    return grow(reader, kind, reader->stack.items + reader->stack.count, count);
}

// ---- the memo

static bool remember(PickleReader *reader, uint64_t index) {
    PickleNode *node = pickle_top(reader);
    if (!node)
        return false;
    if (index > reader->size)
        return pickle_broken(reader, "memo place %llu in a file of %zu bytes", (unsigned long long)index, reader->size);
    if (index >= reader->memo_count) {
        uint32_t count = (uint32_t)index + 1 > 2 * reader->memo_count ? (uint32_t)index + 1 : 2 * reader->memo_count;
        PickleNode **memo = pickle_take(reader, count * sizeof *memo);
        if (!memo)
            return false;
        if (reader->memo_count)
            memcpy(memo, reader->memo, reader->memo_count * sizeof *memo);
        reader->memo = memo;
        reader->memo_count = count;
    }
    reader->memo_next += reader->memo[index] == NULL;
    reader->memo[index] = node;
    return true;
}

static bool recall(PickleReader *reader, uint64_t index) {
    if (index >= reader->memo_count || !reader->memo[index])
        return pickle_broken(reader, "nothing was put into memo place %llu", (unsigned long long)index);
    array_push(reader->arena, &reader->stack, reader->memo[index]);
    return true;
}

// ---- the machine

static bool drop(PickleReader *reader) {
    if (available(reader) > 0) {
        reader->stack.count--;
        return true;
    }
    PickleNode **nodes = NULL;
    uint32_t count = 0;
    return pop_mark(reader, &nodes, &count); // as Python's POP: a mark where there is nothing above it
}

static bool push_named(PickleReader *reader) {
    const char *module, *name;
    size_t module_size, name_size;
    return pickle_line(reader, &module, &module_size) && pickle_line(reader, &name, &name_size) &&
           pickle_push_global(reader, module, module_size, name, name_size);
}

static bool push_named_by_stack(PickleReader *reader) {
    const PickleNode *name = pickle_pop(reader), *module = name ? pickle_pop(reader) : NULL;
    if (!module)
        return false;
    if (name->value.kind != PICKLE_TEXT || module->value.kind != PICKLE_TEXT)
        return pickle_broken(reader, "a name that is no text");
    return pickle_push_global(reader, module->value.bytes.start, module->value.bytes.size, name->value.bytes.start, name->value.bytes.size);
}

static bool run_memo(PickleReader *reader, uint8_t opcode) {
    uint64_t index = reader->memo_next;
    switch (opcode) {
    case 'p': // PUT
        return pickle_memo_line(reader, &index) && remember(reader, index);
    case 'q': // BINPUT
        return pickle_number(reader, 1, &index) && remember(reader, index);
    case 'r': // LONG_BINPUT
        return pickle_number(reader, 4, &index) && remember(reader, index);
    case 'g': // GET
        return pickle_memo_line(reader, &index) && recall(reader, index);
    case 'h': // BINGET
        return pickle_number(reader, 1, &index) && recall(reader, index);
    case 'j': // LONG_BINGET
        return pickle_number(reader, 4, &index) && recall(reader, index);
    default: // MEMOIZE
        return remember(reader, index);
    }
}

static bool run_number(PickleReader *reader, uint8_t opcode) {
    uint64_t number;
    switch (opcode) {
    case 'I': // INT
        return pickle_integer_line(reader, false);
    case 'L': // LONG
        return pickle_integer_line(reader, true);
    case 'F': // FLOAT
        return pickle_real_line(reader);
    case 'G': // BINFLOAT
        return pickle_real(reader);
    case 'J': // BININT
        return pickle_number(reader, 4, &number) && pickle_push_integer(reader, (int32_t)(uint32_t)number);
    case 'K': // BININT1
        return pickle_number(reader, 1, &number) && pickle_push_integer(reader, (int64_t)number);
    case 'M': // BININT2
        return pickle_number(reader, 2, &number) && pickle_push_integer(reader, (int64_t)number);
    case 0x8a: // LONG1
        return pickle_long(reader, 1);
    default: // LONG4
        return pickle_long(reader, 4);
    }
}

static bool run_bytes(PickleReader *reader, uint8_t opcode) {
    switch (opcode) {
    case 'S': // STRING
        return pickle_quoted(reader);
    case 'V': // UNICODE
        return pickle_unicode_line(reader);
    case 'U': // SHORT_BINSTRING
    case 'C': // SHORT_BINBYTES
        return pickle_counted(reader, 1, PICKLE_BYTES);
    case 'T': // BINSTRING
    case 'B': // BINBYTES
        return pickle_counted(reader, 4, PICKLE_BYTES);
    case 'X': // BINUNICODE
        return pickle_counted(reader, 4, PICKLE_TEXT);
    case 0x8c: // SHORT_BINUNICODE
        return pickle_counted(reader, 1, PICKLE_TEXT);
    case 0x8d: // BINUNICODE8
        return pickle_counted(reader, 8, PICKLE_TEXT);
    default: // BINBYTES8, BYTEARRAY8
        return pickle_counted(reader, 8, PICKLE_BYTES);
    }
}

static bool run_container(PickleReader *reader, uint8_t opcode) {
    PickleNode **nodes = NULL;
    uint32_t count = 0;
    switch (opcode) {
    case '(': // MARK
        array_push(reader->arena, &reader->marks, reader->stack.count);
        return true;
    case '0': // POP
        return drop(reader);
    case '1': // POP_MARK
        return pop_mark(reader, &nodes, &count);
    case '2': { // DUP
        PickleNode *node = pickle_top(reader);
        if (node)
            array_push(reader->arena, &reader->stack, node);
        return node != NULL;
    }
    case ']': // EMPTY_LIST
        return push_container(reader, PICKLE_LIST, NULL, 0);
    case '}': // EMPTY_DICT
        return push_container(reader, PICKLE_DICT, NULL, 0);
    case ')': // EMPTY_TUPLE
        return push_container(reader, PICKLE_TUPLE, NULL, 0);
    case 'l': // LIST
        return push_marked(reader, PICKLE_LIST);
    case 'd': // DICT
        return push_marked(reader, PICKLE_DICT);
    case 't': // TUPLE
        return push_marked(reader, PICKLE_TUPLE);
    case 0x85: // TUPLE1
    case 0x86: // TUPLE2
    case 0x87: // TUPLE3
        return push_tuple(reader, opcode - 0x84u);
    case 'a': // APPEND
        return grow_by(reader, PICKLE_LIST, 1);
    case 's': // SETITEM
        return grow_by(reader, PICKLE_DICT, 2);
    case 'e': // APPENDS
        return grow_marked(reader, PICKLE_LIST);
    default: // SETITEMS
        return grow_marked(reader, PICKLE_DICT);
    }
}

static bool run_opcode(PickleReader *reader, uint8_t opcode) {
    static const char memo[] = "pqrghj\x94", numbers[] = "ILFGJKM\x8a\x8b", bytes[] = "SVUCTBX\x8c\x8d\x8e\x96",
                      containers[] = "(012]})ldt\x85\x86\x87"
                                     "aseu";
    uint64_t number;
    if (opcode && strchr(memo, opcode))
        return run_memo(reader, opcode);
    if (opcode && strchr(numbers, opcode))
        return run_number(reader, opcode);
    if (opcode && strchr(bytes, opcode))
        return run_bytes(reader, opcode);
    if (opcode && strchr(containers, opcode))
        return run_container(reader, opcode);
    switch (opcode) {
    case 'N': // NONE
        return pickle_push(reader, &(PickleValue){.kind = PICKLE_NONE}, PICKLE_ROLE_NONE);
    case 0x88: // NEWTRUE
    case 0x89: // NEWFALSE
        return pickle_push_bool(reader, opcode == 0x88);
    case 0x80: // PROTO
        return pickle_number(reader, 1, &number) &&
               (number <= PROTOCOL_MAX || pickle_broken(reader, "protocol %u; 0 to %d are read", (unsigned)number, PROTOCOL_MAX));
    case 0x95: // FRAME
        return pickle_number(reader, 8, &number) &&
               (number <= reader->size - reader->at ||
                pickle_broken(reader, "truncated: a frame of %llu bytes, %zu left", (unsigned long long)number, reader->size - reader->at));
    case 'c': // GLOBAL
        return push_named(reader);
    case 0x93: // STACK_GLOBAL
        return push_named_by_stack(reader);
    case 'R': // REDUCE
        return pickle_reduce(reader);
    case 'b': // BUILD
        return pickle_build(reader);
    default:
        return pickle_broken(reader, "opcode 0x%02x: no pickle, or one of values that are not read here", opcode);
    }
}

static const PickleValue *run(PickleReader *reader) {
    while (reader->at < reader->size) {
        uint8_t opcode = reader->bytes[reader->at++];
        if (opcode == '.') { // STOP
            const PickleNode *result = pickle_pop(reader);
            if (result && !result->is_plain)
                pickle_broken(reader, "the value is a class, a function or an unfinished array");
            return result && result->is_plain ? &result->value : NULL;
        }
        if (!run_opcode(reader, opcode))
            return NULL;
    }
    pickle_broken(reader, "truncated: the pickle does not end");
    return NULL;
}

const PickleValue *pickle_read(Arena *arena, const char *path, Diag *diag) {
    PickleReader reader = {.arena = arena, .diag = diag, .path = path};
    reader.bytes = (const uint8_t *)file_read(arena, path, &reader.size, diag);
    if (!reader.bytes)
        return NULL;
    if (reader.size > FILE_MAX) {
        diag_error(diag, &(Place){.file = path}, "a pickle of more than 2 GiB");
        return NULL;
    }
    reader.memory = MEMORY_FLOOR + MEMORY_PER_BYTE * (uint64_t)reader.size;
    return run(&reader);
}

const char *pickle_text(Arena *arena, const PickleValue *value) {
    if ((value->kind != PICKLE_BYTES && value->kind != PICKLE_TEXT) || memchr(value->bytes.start, 0, value->bytes.size))
        return NULL;
    return arena_copy_bytes(arena, value->bytes.start, value->bytes.size);
}

void pickle_floats(const HostTensor *array, uint64_t first, uint64_t count, float *out) {
    CHECK((size_t)(first + count) * element_bytes(array->dtype) <= array->size);
    for (uint64_t i = 0; i < count; i++)
        out[i] = (float)host_number(array, first + i);
}
