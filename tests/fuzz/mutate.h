// Mutate: valid inputs, damaged by seeded random edits, for a given time. A failure prints the seed that repeats it; the input stays where
// it was. Usage of every fuzzer: [seconds [first seed [number of seeds]]].
#pragma once
#include "runtime/base/file.h"
#include "runtime/base/random.h"
#include "runtime/base/text.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    const char *name; // of the file that it is written to
    const char *bytes;
    size_t size;
} Sample;

typedef struct {
    Arena *arena; // lives as long as the fuzzer
    Diag *diag;
    const char *what;   // "json"
    const char *folder; // of its own
    ARRAY(Sample) samples;
    const char *const *words; // spliced in
    uint32_t word_count;
    uint64_t seed; // of the input at hand
    uint32_t draws, accepted, total;
    const char *path; // of the input at hand, when it was written
} Fuzzer;

// Takes one damaged input, written to fuzzer->path; returns whether it was accepted. Everything else that it finds is a failure.
typedef bool (*Taste)(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size);

enum { SECONDS_A_SAMPLE = 600, GROWTH_MAX = 4096 };

static volatile uint64_t fuzz_seed;
static const char *volatile fuzz_what;

static inline void fuzz_number(char *out, uint64_t number) {
    char digits[24];
    int count = 0, at = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0)
        out[at++] = digits[--count];
    out[at] = 0;
}

// Async-signal-safe: says which seed it was.
static inline void fuzz_say(void) {
    char text[24];
    ssize_t ignored = write(2, "fuzzer ", 7);
    ignored = write(2, fuzz_what, strlen(fuzz_what));
    fuzz_number(text, fuzz_seed);
    ignored = write(2, ", seed ", 7);
    ignored = write(2, text, strlen(text));
    ignored = write(2, "\n", 1);
    (void)ignored;
}

static inline void fuzz_signal(int number) {
    fuzz_say();
    signal(number, SIG_DFL);
    raise(number);
}

#ifdef __SANITIZE_ADDRESS__
void __sanitizer_set_death_callback(void (*callback)(void));
#endif

static inline void fuzz_watch(const char *what) {
    fuzz_what = what;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_set_death_callback(fuzz_say);
#else
    // An input of a few KiB that asks for GiBs is a failure, too.
    setrlimit(RLIMIT_AS, &(struct rlimit){UINT64_C(2) << 30, UINT64_C(2) << 30});
    signal(SIGSEGV, fuzz_signal);
#endif
    signal(SIGABRT, fuzz_signal);
    signal(SIGALRM, fuzz_signal);
}

__attribute__((noreturn, format(printf, 2, 3))) static inline void fuzz_fail(const Fuzzer *fuzzer, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "%s; input %s\n", arena_format_list(fuzzer->arena, format, list), fuzzer->path);
    va_end(list);
    abort();
}

static inline uint32_t fuzz_draw(Fuzzer *fuzzer, uint32_t below) {
    return below ? random_below(random_element(fuzzer->seed, 99, 0, 0, fuzzer->draws++), below) : 0;
}

// ---- edits

static inline void fuzz_splice(Text *text, size_t at, size_t removed, const char *piece, size_t size) {
    char *tail = arena_copy_bytes(text->arena, text->data + at + removed, text->length - at - removed);
    size_t tail_size = text->length - at - removed;
    text->length = at;
    text_append_bytes(text, piece, size);
    text_append_bytes(text, tail, tail_size);
}

static inline bool fuzz_is_digit(char c) { return c >= '0' && c <= '9'; }

// A number in the text becomes another one.
static inline void fuzz_edit_number(Fuzzer *fuzzer, Text *text) {
    static const char *const numbers[] = {"0",     "-1",   "1",          "2",          "3",          "4",
                                          "7",     "16",   "255",        "256",        "64",         "-0.",
                                          "1e9",   "0.5",  "2147483647", "2147483648", "4294967295", "18446744073709551615",
                                          "1e400", "65536"};
    size_t start = fuzz_draw(fuzzer, (uint32_t)text->length), at = start, end;
    while (at < text->length && !fuzz_is_digit(text->data[at]))
        at++;
    for (end = at; end < text->length && fuzz_is_digit(text->data[end]);)
        end++;
    const char *number = numbers[fuzz_draw(fuzzer, sizeof numbers / sizeof *numbers)];
    if (end > at)
        fuzz_splice(text, at, end - at, number, strlen(number));
}

static inline void fuzz_edit(Fuzzer *fuzzer, Text *text) {
    static const unsigned char bytes[] = {0, 1, 2, 4, 8, 0x7f, 0x80, 0xff, '"', '{', '}', '[', ']', ',', ':', '\\', ' ', '-', 'e', '.'};
    uint32_t length = (uint32_t)text->length;
    if (length == 0)
        return;
    // Formats have their fields in front: half of the edits happen there.
    size_t at = fuzz_draw(fuzzer, 2) ? fuzz_draw(fuzzer, length) : fuzz_draw(fuzzer, length < 256 ? length : 256);
    size_t left = text->length - at, size = 1 + fuzz_draw(fuzzer, left < 24 ? (uint32_t)left : 24);
    size = size < left ? size : left;
    switch (fuzz_draw(fuzzer, 9)) {
    case 0:
        text->data[at] = (char)(text->data[at] ^ (1 << fuzz_draw(fuzzer, 8)));
        break;
    case 1:
        text->data[at] = (char)bytes[fuzz_draw(fuzzer, sizeof bytes)];
        break;
    case 2:
        fuzz_splice(text, at, size, "", 0);
        break;
    case 3:
        fuzz_splice(text, fuzz_draw(fuzzer, length), 0, arena_copy_bytes(text->arena, text->data + at, size), size);
        break;
    case 4:
        fuzz_edit_number(fuzzer, text);
        break;
    case 5: {
        const Sample *other = &fuzzer->samples.items[fuzz_draw(fuzzer, fuzzer->samples.count)];
        size_t from = fuzz_draw(fuzzer, (uint32_t)other->size), most = other->size - from;
        fuzz_splice(text, at, 0, other->bytes + from, most < 60 ? most : 60);
        break;
    }
    case 6:
        if (fuzz_draw(fuzzer, 8) == 0)
            text->length = at;
        text->data[text->length] = 0;
        break;
    case 7:
    case 8:
        if (fuzzer->word_count) {
            const char *word = fuzzer->words[fuzz_draw(fuzzer, fuzzer->word_count)];
            fuzz_splice(text, at, fuzz_draw(fuzzer, 2) ? size : 0, word, strlen(word));
        } else {
            text->data[at] = (char)fuzz_draw(fuzzer, 256);
        }
        break;
    }
}

// ---- the loop

static inline void fuzz_write(Fuzzer *fuzzer, const char *name, const char *bytes, size_t size) {
    fuzzer->path = file_join(fuzzer->arena, fuzzer->folder, name);
    FILE *file = fopen(fuzzer->path, "wb"); // file_write waits for the disk
    if (!file || (size && fwrite(bytes, 1, size, file) != size) || fclose(file) != 0) {
        perror(fuzzer->path);
        exit(EXIT_FAILURE);
    }
}

static inline void fuzz_one(Fuzzer *fuzzer, uint64_t seed, Taste taste, bool is_damaged) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    fuzzer->seed = fuzz_seed = seed;
    fuzzer->draws = 0;
    const Sample *sample = &fuzzer->samples.items[is_damaged ? fuzz_draw(fuzzer, fuzzer->samples.count) : seed];
    Text text = text_create(arena);
    text_append_bytes(&text, sample->bytes, sample->size);
    for (uint32_t edits = is_damaged ? 1 + fuzz_draw(fuzzer, 1u << fuzz_draw(fuzzer, 4)) : 0;
         edits > 0 && text.length < sample->size + GROWTH_MAX; edits--)
        fuzz_edit(fuzzer, &text);
    fuzz_write(fuzzer, sample->name, text.data, text.length);
    alarm(SECONDS_A_SAMPLE);
    bool accepted = taste(fuzzer, arena, diag, text.data, text.length);
    alarm(0);
    if (accepted != (diag_error_count(diag) == 0))
        fuzz_fail(fuzzer, "%s, seed %llu: %s, but %u errors were reported\n%s", fuzzer->what, (unsigned long long)seed,
                  accepted ? "accepted" : "refused", diag_error_count(diag), diag_text(diag, arena));
    if (!is_damaged && !accepted)
        fuzz_fail(fuzzer, "%s: the valid sample %s is refused: %s", fuzzer->what, sample->name, diag_text(diag, arena));
    fuzzer->accepted += is_damaged && accepted;
    fuzzer->total += is_damaged;
    arena_destroy(&arena);
}

static inline double fuzz_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline Fuzzer *fuzzer_create(const char *what, const char *const *words, uint32_t word_count) {
    Arena *arena = arena_create();
    Fuzzer *fuzzer = ARENA_NEW(arena, Fuzzer, 1);
    *fuzzer = (Fuzzer){.arena = arena, .diag = diag_create(arena), .what = what, .words = words, .word_count = word_count};
    // In memory where there is such a folder: thousands of small files a second.
    char memory[] = "/dev/shm/gg_fuzz_XXXXXX", disk[] = "/tmp/gg_fuzz_XXXXXX";
    const char *folder = mkdtemp(memory) ? memory : mkdtemp(disk);
    if (!folder) {
        perror(disk);
        exit(EXIT_FAILURE);
    }
    fuzzer->folder = arena_copy_text(arena, folder);
    return fuzzer;
}

static inline void fuzzer_add(Fuzzer *fuzzer, const char *name, const void *bytes, size_t size) {
    array_push(fuzzer->arena, &fuzzer->samples, ((Sample){name, arena_copy_bytes(fuzzer->arena, bytes, size), size}));
}

static inline void fuzzer_add_text(Fuzzer *fuzzer, const char *name, const char *text) { fuzzer_add(fuzzer, name, text, strlen(text)); }

// A file, under its own name.
static inline void fuzzer_add_file(Fuzzer *fuzzer, const char *path) {
    size_t size;
    const char *bytes = file_read(fuzzer->arena, path, &size, fuzzer->diag);
    if (!bytes) {
        diag_print(fuzzer->diag, stderr);
        exit(EXIT_FAILURE);
    }
    fuzzer_add(fuzzer, file_name(path), bytes, size);
}

// All samples as they are, then damaged ones until the time is up. Frees the fuzzer.
static inline void fuzzer_run(Fuzzer **fuzzer, Taste taste, double seconds, uint64_t first, uint64_t count) {
    fuzz_watch((*fuzzer)->what);
    for (uint32_t i = 0; i < (*fuzzer)->samples.count; i++)
        fuzz_one(*fuzzer, i, taste, false);
    double begin = fuzz_now();
    for (uint64_t seed = first; seed - first < count && fuzz_now() - begin < seconds; seed++)
        fuzz_one(*fuzzer, seed, taste, true);
    printf("%s: %u inputs, %u accepted\n", (*fuzzer)->what, (*fuzzer)->total, (*fuzzer)->accepted);
    file_remove_tree((*fuzzer)->folder, (*fuzzer)->diag);
    Arena *arena = (*fuzzer)->arena;
    *fuzzer = NULL;
    arena_destroy(&arena);
}

typedef struct {
    double seconds;
    uint64_t first, count;
} FuzzTime;

static inline FuzzTime fuzz_arguments(int count, char **arguments, double seconds) {
    FuzzTime time = {seconds, 1, UINT64_MAX};
    if (count > 1)
        time.seconds = strtod(arguments[1], NULL);
    if (count > 2)
        time.first = strtoull(arguments[2], NULL, 10);
    if (count > 3)
        time.count = strtoull(arguments[3], NULL, 10);
    return time;
}
