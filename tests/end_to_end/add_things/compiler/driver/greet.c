// `greet`: says hello.
#include "compiler/driver/common.h"

static const Option options[] = {{"loud", 0, OPTION_FLAG, false, NULL, "louder"}};

static int run(Arguments *arguments) {
    printf("hello, %s%s\n", arguments->operands.items[0], arguments_has(arguments, "loud") ? "!" : "");
    return 0;
}

const Command greet_command = {
    .usage = "NAME [--loud]",
    .description = "Says hello to somebody.",
    .examples = "greet Ada",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
