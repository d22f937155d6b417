// Winners: the digest of a kernel's work, and the list as text.
#include "compiler/kernel/winners.h"
#include "compiler/ir/op.h"
#include "runtime/base/file.h"

typedef struct {
    const KernelList *list;
    const Kernel *kernel;
    uint32_t *numbers; // by value id: 0: not met; else its number in the kernel
    uint32_t count;
    Text text;
} Digest;

static void put_layout(Digest *digest, const Layout *layout) {
    for (uint32_t i = 0; i < layout->rank; i++)
        text_format(&digest->text, "%c%u", i ? ',' : ' ', layout->order[i]);
}

static void put_buffer(Digest *digest, Value value) {
    const Buffer *buffer = &digest->list->buffers[value.id];
    Type type = graph_type(digest->list->graph, value);
    text_format(&digest->text, " %s %s %llu", type_text(digest->list->arena, &type), element_name(buffer->element), (unsigned long long)buffer->size);
    put_layout(digest, &buffer->layout);
}

static int load_of(const Kernel *kernel, Value value) {
    for (uint32_t i = 0; i < kernel->loads.count; i++)
        if (kernel->loads.items[i].id == value.id)
            return (int)i;
    return -1;
}

// The node and, before it, what it is computed from; values are numbered in the order in which they are met, whatever the graph calls them.
static void put_value(Digest *digest, Value value) {
    const KernelList *list = digest->list;
    const Node *node = graph_node(list->graph, value);
    int load = load_of(digest->kernel, value);
    if (digest->numbers[value.id])
        return;
    if (load >= 0) {
        digest->numbers[value.id] = ++digest->count;
        text_format(&digest->text, "%u load%s", digest->count, digest->kernel->in_place.items[load] ? " in place" : "");
        put_buffer(digest, value);
        text_append(&digest->text, "\n");
        return;
    }
    for (uint32_t i = 0; i < node->arg_count; i++)
        put_value(digest, node->args[i]);
    digest->numbers[value.id] = ++digest->count;
    text_format(&digest->text, "%u %s", digest->count, op_def(node->op)->name);
    for (uint32_t i = 0; i < node->arg_count; i++)
        text_format(&digest->text, " %%%u", digest->numbers[node->args[i].id]);
    for (uint32_t i = 0; i < node->attr_count; i++) {
        AttrName name = op_attr(node->op, i);
        if (name == ATTR_name) // of a state or a feed
            continue;
        text_format(&digest->text, " %s=", attr_name(name));
        attr_print(&digest->text, &node->attrs[i]);
    }
    text_format(&digest->text, " %s", type_text(list->arena, &node->type));
    put_layout(digest, &list->layouts[value.id]);
    text_append(&digest->text, "\n");
}

const char *winners_digest(const KernelList *list, const Kernel *kernel, const Target *target) {
    Arena *scratch = arena_create();
    Digest digest = {.list = list, .kernel = kernel, .numbers = ARENA_NEW(scratch, uint32_t, list->graph->nodes.count), .text = text_create(scratch)};
    text_format(&digest.text, "%s %s%s\n", target_class_name(target->target_class), kernel_class_names[kernel->kernel_class],
                list->graph->module && list->graph->module->is_exact ? " exact" : "");
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        put_value(&digest, kernel->stores.items[i]);
    for (uint32_t i = 0; i < kernel->roots.count; i++)
        put_value(&digest, kernel->roots.items[i]);
    put_value(&digest, kernel->root);
    text_format(&digest.text, "root %u", digest.numbers[kernel->root.id]);
    for (uint32_t i = 0; i < kernel->stores.count; i++) {
        text_format(&digest.text, "\nstore %u", digest.numbers[kernel->stores.items[i].id]);
        put_buffer(&digest, kernel->stores.items[i]);
    }
    const char *out = digest_bytes(list->arena, digest.text.data, digest.text.length);
    arena_destroy(&scratch);
    return out;
}

const char *winners_find(const Winners *winners, const char *work) {
    for (uint32_t i = 0; i < winners->count; i++)
        if (!strcmp(winners->items[i].work, work))
            return winners->items[i].schedule;
    return NULL;
}

void winners_set(Arena *arena, Winners *winners, const char *work, const char *schedule) {
    for (uint32_t i = 0; i < winners->count; i++)
        if (!strcmp(winners->items[i].work, work)) {
            winners->items[i].schedule = schedule;
            return;
        }
    array_push(arena, winners, ((Winner){work, schedule}));
}

const char *winners_text(Arena *arena, const Winners *winners) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < winners->count; i++)
        text_format(&text, "%s %s\n", winners->items[i].work, winners->items[i].schedule);
    return text.data;
}

enum { DIGEST_LENGTH = 32 };

bool winners_parse(Arena *arena, const char *file, const char *text, Winners *out, Diag *diag) {
    for (uint32_t line = 1; *text; line++) {
        size_t length = strcspn(text, "\n"), word = strspn(text, "0123456789abcdef");
        if (length && *text != '#') {
            if (word != DIGEST_LENGTH || text[word] != ' ' || word + 1 >= length) {
                diag_error(diag, &(Place){.file = file, .line = line}, "is no winner: DIGEST FAMILY:PARAM=VALUE,... as `gcc-graph tune -o FILE` writes them");
                return false;
            }
            winners_set(arena, out, arena_copy_bytes(arena, text, word), arena_copy_bytes(arena, text + word + 1, length - word - 1));
        }
        text += length + (text[length] == '\n');
    }
    return true;
}
