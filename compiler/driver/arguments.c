// Arguments: parses a command's options and operands; prints help and usage errors.
#include "compiler/driver/arguments.h"
#include "runtime/base/bug.h"
#include "runtime/base/text.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

int arguments_wrong(const Arguments *arguments, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "gcc-graph %s: ", arguments->name);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, "\nTry `gcc-graph %s --help`.\n", arguments->name);
    return 2;
}

void arguments_flush(Arguments *arguments) {
    activity_end(arguments->activity);
    fflush(stdout);
    diag_print(arguments->diag, stderr);
    arguments->errors_shown += diag_error_count(arguments->diag);
    arguments->diag = diag_create(arguments->arena);
}

uint32_t arguments_error_count(const Arguments *arguments) { return arguments->errors_shown + diag_error_count(arguments->diag); }

// ---- help

static void print_lines(FILE *stream, const char *text, const char *first, const char *rest) {
    for (const char *prefix = first; *text; prefix = rest) {
        size_t length = strcspn(text, "\n");
        fprintf(stream, "%s%.*s\n", prefix, (int)length, text);
        text += length + (text[length] == '\n');
    }
}

void arguments_help(const Arguments *arguments, FILE *stream) {
    const Command *command = arguments->command;
    const char *program = arena_format(arguments->arena, "gcc-graph %s ", arguments->name);
    print_lines(stream, command->usage, arena_format(arguments->arena, "usage: %s", program),
                arena_format(arguments->arena, "       %s", program));
    fputc('\n', stream);
    print_lines(stream, command->description, "", "");
    if (command->more_help)
        command->more_help(stream);
    fprintf(stream, "\noptions:\n");
    for (uint32_t i = 0; i < command->option_count; i++) {
        const Option *option = &command->options[i];
        char letter[8] = "    ";
        if (option->letter)
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        const char *left = arena_format(arguments->arena, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
                                        option->value ? option->value : "");
        fprintf(stream, "  %-30s %s%s\n", left, option->summary, option->repeated ? " (may be repeated)" : "");
    }
    fprintf(stream, "  %-30s %s\n", "-h, --help", "this text");
    fprintf(stream, "\nexamples:\n");
    print_lines(stream, command->examples, "  gcc-graph ", "  gcc-graph ");
}

// ---- parsing

static const Option *find_option(const Command *command, const char *name, size_t length) {
    for (uint32_t i = 0; i < command->option_count; i++)
        if (strlen(command->options[i].name) == length && memcmp(command->options[i].name, name, length) == 0)
            return &command->options[i];
    return NULL;
}

static const Option *find_letter(const Command *command, char letter) {
    for (uint32_t i = 0; i < command->option_count; i++)
        if (command->options[i].letter == letter)
            return &command->options[i];
    return NULL;
}

static const char *suggestion(const Arguments *arguments, const char *word) {
    const Command *command = arguments->command;
    const char **known = ARENA_NEW(arguments->arena, const char *, command->option_count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < command->option_count; i++)
        known[count++] = arena_format(arguments->arena, "--%s", command->options[i].name);
    known[count++] = "--help";
    const char *nearest = text_nearest(word, known, count);
    return nearest ? arena_format(arguments->arena, "; did you mean %s?", nearest) : "";
}

static bool parse_number(const char *text, OptionKind kind, uint64_t *out) {
    if (*text < '0' || *text > '9')
        return false;
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    *out = number;
    return errno == 0 && *end == 0 && (kind == OPTION_SEED || number <= UINT32_MAX);
}

static bool add(Arguments *arguments, const Option *option, const char *text, int *code) {
    Given given = {.option = option, .text = text};
    if ((option->kind == OPTION_COUNT || option->kind == OPTION_SEED) && !parse_number(text, option->kind, &given.number)) {
        *code = arguments_wrong(arguments, "--%s: \"%s\" is no whole number of %s", option->name, text,
                                option->kind == OPTION_SEED ? "at most 64 bits" : "at most 4294967295");
        return false;
    }
    if (option->kind == OPTION_COUNT && given.number == 0) {
        *code = arguments_wrong(arguments, "--%s: at least 1 expected, not %s", option->name, text);
        return false;
    }
    for (uint32_t i = 0; i < arguments->given.count; i++)
        if (arguments->given.items[i].option == option && !option->repeated && option->kind != OPTION_FLAG) {
            *code = arguments_wrong(arguments, "--%s is given twice", option->name);
            return false;
        }
    array_push(arguments->arena, &arguments->given, given);
    return true;
}

// One option at words[*i], its value there or in the next word.
static bool parse_option(Arguments *arguments, int count, char **words, int *i, int *code) {
    const char *word = words[*i], *text = NULL;
    const Option *option = NULL;
    if (word[1] == '-') {
        size_t length = strcspn(word + 2, "=");
        option = find_option(arguments->command, word + 2, length);
        text = word[2 + length] == '=' ? word + 2 + length + 1 : NULL;
    } else {
        option = find_letter(arguments->command, word[1]);
        text = word[2] ? word + 2 : NULL;
    }
    if (!option) {
        const char *name = arena_copy_bytes(arguments->arena, word, strcspn(word, "="));
        *code = arguments_wrong(arguments, "there is no option %s%s", name, suggestion(arguments, name));
        return false;
    }
    if (option->kind == OPTION_FLAG) {
        if (text) {
            *code = arguments_wrong(arguments, "--%s takes no value", option->name);
            return false;
        }
        return add(arguments, option, "", code);
    }
    if (!text && *i + 1 < count)
        text = words[++*i];
    if (!text) {
        *code = arguments_wrong(arguments, "--%s needs a value: %s", option->name, option->value);
        return false;
    }
    return add(arguments, option, text, code);
}

bool arguments_parse(Arguments *arguments, int count, char **words, int *code) {
    bool only_operands = false;
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], "--") == 0) {
            break;
        } else if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
            arguments_help(arguments, stdout);
            *code = 0;
            return false;
        }
    for (int i = 0; i < count; i++) {
        if (!only_operands && strcmp(words[i], "--") == 0)
            only_operands = true;
        else if (!only_operands && words[i][0] == '-' && words[i][1]) {
            if (!parse_option(arguments, count, words, &i, code))
                return false;
        } else
            array_push(arguments->arena, &arguments->operands, words[i]);
    }
    const Command *command = arguments->command;
    if (arguments->operands.count < command->operands_min || arguments->operands.count > command->operands_max) {
        bool few = arguments->operands.count < command->operands_min;
        size_t first = strcspn(command->usage, "\n");
        *code = few ? arguments_wrong(arguments, "something is missing: gcc-graph %s %.*s", arguments->name, (int)first, command->usage)
                    : arguments_wrong(arguments, "\"%s\" is too much", arguments->operands.items[command->operands_max]);
        return false;
    }
    return true;
}

// ---- what was given

static const Given *find_given(const Arguments *arguments, const char *name) {
    CHECK(find_option(arguments->command, name, strlen(name)));
    for (uint32_t i = arguments->given.count; i > 0; i--)
        if (strcmp(arguments->given.items[i - 1].option->name, name) == 0)
            return &arguments->given.items[i - 1];
    return NULL;
}

bool arguments_has(const Arguments *arguments, const char *option) { return find_given(arguments, option) != NULL; }

const char *arguments_text(const Arguments *arguments, const char *option) {
    const Given *given = find_given(arguments, option);
    return given ? given->text : NULL;
}

uint32_t arguments_count(const Arguments *arguments, const char *option, uint32_t fallback) {
    const Given *given = find_given(arguments, option);
    return given ? (uint32_t)given->number : fallback;
}

uint64_t arguments_seed(const Arguments *arguments, const char *option, uint64_t fallback) {
    const Given *given = find_given(arguments, option);
    return given ? given->number : fallback;
}

const char **arguments_all(const Arguments *arguments, const char *option, uint32_t *count) {
    const char **all = ARENA_NEW(arguments->arena, const char *, arguments->given.count + 1);
    *count = 0;
    for (uint32_t i = 0; i < arguments->given.count; i++)
        if (strcmp(arguments->given.items[i].option->name, option) == 0)
            all[(*count)++] = arguments->given.items[i].text;
    return all;
}
