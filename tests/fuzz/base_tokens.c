// Damaged lists of tokens, and texts of any bytes by them: refused with a message, or numbers from which the text can be told again.
#include "runtime/base/tokens.h"
#include "tests/fuzz/mutate.h"

enum { TEXT_MAX = 400 };

// Bytes of any kind, some of them the list's own lines.
static const char *any_text(Arena *arena, uint64_t *random, const char *const *words, uint32_t count) {
    Text text = text_create(arena);
    while (text.length < TEXT_MAX && ((*random = *random * 6364136223846793005u + 1442695040888963407u) >> 60) != 0) {
        uint32_t draw = (uint32_t)(*random >> 32);
        const char byte[2] = {(char)(draw % 255 + 1), 0};
        const char *word = count && draw % 3 ? words[draw % count] : byte;
        text_append(&text, word);
    }
    return text.data;
}

static void check_text(Fuzzer *fuzzer, const Tokens *tokens, const char *text) {
    uint32_t size = TEXT_MAX * 3, count;
    int32_t *out = ARENA_NEW(fuzzer->arena, int32_t, size), shorter[7];
    Text back = text_create(fuzzer->arena);
    count = tokens_encode(tokens, text, size, out);
    for (uint32_t i = 0; i < size; i++) {
        if (out[i] < 0 || (uint32_t)out[i] >= tokens_below(tokens) || (out[i] == 0) != (i >= count))
            fuzz_fail(fuzzer, "token %u of %u is %d", i, count, out[i]);
        const char byte = (char)(out[i] - 1);
        if (i >= count)
            continue;
        if (out[i] < TOKENS_WORDS_FIRST)
            text_append_bytes(&back, &byte, 1);
        else
            text_append(&back, tokens->words[out[i] - TOKENS_WORDS_FIRST]);
    }
    if (strncmp(back.data, text, back.length) != 0 || (count < size && text[back.length]))
        fuzz_fail(fuzzer, "\"%s\" became \"%s\"", text, back.data);
    tokens_encode(tokens, text, 7, shorter);
    if (memcmp(shorter, out, sizeof shorter) != 0)
        fuzz_fail(fuzzer, "the first tokens depend on how many there are");
}

static bool taste_list(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    uint32_t count = 0;
    const char **words = tokens_lines(arena, "words.txt", bytes, size, &count, diag);
    if (!words)
        return false;
    const Tokens *tokens = tokens_create(arena, "words.txt", words, count);
    Fuzzer local = *fuzzer;
    local.arena = arena;
    uint64_t random = fuzzer->seed;
    for (int i = 0; i < 4; i++)
        check_text(&local, tokens, any_text(arena, &random, words, count));
    return true;
}

int main(int count, char **arguments) {
    static const char *const words[] = {"\n", "\r\n", "\n\n", " ", "\xef\xbb\xbf", "\xc3\xa4", "bird", "\xff", "a"};
    static const char *const samples[] = {"a\nbird\nbirds\n a\n", "\xef\xbb\xbf"
                                                                  "a \r\n\r\n\xc3\xa4\r\nbird",
                                          "x\nx\nxx\nxxx\nxxxx\n\n\n"};
    FuzzTime time = fuzz_arguments(count, arguments, 2);
    Fuzzer *fuzzer = fuzzer_create("tokens", words, sizeof words / sizeof *words);
    for (uint32_t i = 0; i < sizeof samples / sizeof *samples; i++)
        fuzzer_add_text(fuzzer, "words.txt", samples[i]);
    fuzzer_run(&fuzzer, taste_list, time.seconds, time.first, time.count);
    return EXIT_SUCCESS;
}
