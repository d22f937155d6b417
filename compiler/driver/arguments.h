// Arguments: the command line - what a command accepts, what the user gave, help and usage errors.
#pragma once
#include "runtime/base/activity.h"
#include "runtime/base/diag.h"

typedef enum { OPTION_FLAG, OPTION_TEXT, OPTION_COUNT, OPTION_SEED } OptionKind; // COUNT: 1 or more, 32 bits; SEED: 64 bits

typedef struct {
    const char *name; // "device", given as --device D or --device=D
    char letter;      // 'o': also -o D and -oD; 0: none
    OptionKind kind;
    bool repeated;     // may be given several times
    const char *value; // placeholder in the help text; NULL for a flag
    const char *summary;
} Option;

typedef struct Arguments Arguments;

typedef struct {
    const char *usage;               // a line each, without "gcc-graph NAME"
    const char *description;         // lines
    const char *examples;            // a line each
    void (*more_help)(FILE *stream); // what follows the description; may be NULL
    const Option *options;
    uint32_t option_count;
    uint32_t operands_min, operands_max; // what is no option
    int (*run)(Arguments *arguments);    // exit code: 0 good, 1 failed, 2 wrong usage
} Command;

typedef struct {
    const Option *option;
    const char *text;
    uint64_t number;
} Given;

struct Arguments {
    Arena *arena;
    Diag *diag;         // printed by main when the command ends
    Activity *activity; // on stderr; also the context of activity_progress
    const char *name;
    const Command *command;
    ARRAY(Given) given;
    ARRAY(const char *) operands;
    uint32_t errors_shown; // by arguments_flush
};

// False after --help (exit code 0 in *code) or a mistake (reported on stderr, 2 in *code).
bool arguments_parse(Arguments *arguments, int count, char **words, int *code);
void arguments_help(const Arguments *arguments, FILE *stream);
// A mistake of usage that only the command sees: printed on stderr; returns 2.
__attribute__((format(printf, 2, 3))) int arguments_wrong(const Arguments *arguments, const char *format, ...);
// Prints what was reported so far on stderr; a fresh Diag goes on.
void arguments_flush(Arguments *arguments);
uint32_t arguments_error_count(const Arguments *arguments);

// The option must be one of the command's. The last one given counts.
bool arguments_has(const Arguments *arguments, const char *option);
const char *arguments_text(const Arguments *arguments, const char *option); // NULL when not given
uint32_t arguments_count(const Arguments *arguments, const char *option, uint32_t fallback);
uint64_t arguments_seed(const Arguments *arguments, const char *option, uint64_t fallback);
const char **arguments_all(const Arguments *arguments, const char *option, uint32_t *count); // of a repeated option

#define OPTION_COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof *(array)))
