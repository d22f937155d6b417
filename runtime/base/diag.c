// Diag: messages in the order in which they came.
#include "runtime/base/diag.h"
#include "runtime/base/text.h"

typedef struct {
    bool is_error;
    const char *text;
} Message;

struct Diag {
    Arena *arena;
    ARRAY(Message) messages;
    uint32_t error_count, warning_count; // with those not shown
};

Diag *diag_create(Arena *arena) {
    Diag *diag = ARENA_NEW(arena, Diag, 1);
    diag->arena = arena;
    return diag;
}

static const char *place_text(Arena *arena, const Place *place) {
    Text text = text_create(arena);
    if (!place)
        return text.data;
    if (place->file)
        text_append(&text, text_printable(arena, place->file));
    if (place->line) {
        text_format(&text, "%s%u", place->file ? ":" : "line ", place->line);
        if (place->column)
            text_format(&text, ":%u", place->column);
    }
    if (text.length)
        text_append(&text, ": ");
    if (place->pointer && place->pointer[0])
        text_format(&text, "%s: ", place->pointer);
    return text.data;
}

static void add(Diag *diag, bool is_error, const Place *place, const char *format, va_list list) {
    uint32_t *count = is_error ? &diag->error_count : &diag->warning_count;
    if ((*count)++ >= DIAG_ERRORS_SHOWN)
        return;
    const char *message = arena_format_list(diag->arena, format, list);
    Message item = {is_error, arena_format(diag->arena, "%s%s", place_text(diag->arena, place), message)};
    array_push(diag->arena, &diag->messages, item);
}

void diag_error(Diag *diag, const Place *place, const char *format, ...) {
    va_list list;
    va_start(list, format);
    add(diag, true, place, format, list);
    va_end(list);
}

bool diag_refuse_file(Diag *diag, const char *path, const char *format, ...) {
    va_list list;
    va_start(list, format);
    add(diag, true, &(Place){.file = path}, format, list);
    va_end(list);
    return false;
}

void diag_warning(Diag *diag, const Place *place, const char *format, ...) {
    va_list list;
    va_start(list, format);
    add(diag, false, place, format, list);
    va_end(list);
}

uint32_t diag_error_count(const Diag *diag) { return diag->error_count; }

bool diag_is_full(const Diag *diag) { return diag->error_count >= DIAG_ERRORS_SHOWN; }

static void append_dropped(Text *text, uint32_t count, const char *what) {
    if (count > DIAG_ERRORS_SHOWN)
        text_format(text, "… and %u more %s%s\n", count - DIAG_ERRORS_SHOWN, what, count - DIAG_ERRORS_SHOWN == 1 ? "" : "s");
}

const char *diag_text(const Diag *diag, Arena *arena) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < diag->messages.count; i++) {
        const Message *message = &diag->messages.items[i];
        text_append(&text, message->is_error ? "error: " : "warning: ");
        text_append(&text, message->text);
        text_append(&text, "\n");
    }
    append_dropped(&text, diag->error_count, "error");
    append_dropped(&text, diag->warning_count, "warning");
    return text.data;
}

void diag_print(const Diag *diag, FILE *stream) {
    Arena *arena = arena_create();
    fputs(diag_text(diag, arena), stream);
    arena_destroy(&arena);
}

void diag_merge(Diag *to, const Diag *from) {
    uint32_t errors_left = from->error_count, warnings_left = from->warning_count;
    for (uint32_t i = 0; i < from->messages.count; i++) {
        const Message *message = &from->messages.items[i];
        if (message->is_error) {
            errors_left--;
            diag_error(to, NULL, "%s", message->text);
        } else {
            warnings_left--;
            diag_warning(to, NULL, "%s", message->text);
        }
    }
    // Those that `from` only counted have no text: they may not take a place that is shown.
    to->error_count += errors_left;
    to->warning_count += warnings_left;
}
