// `ops`: the reference of ops, layers, optimizers and functions.
#include "compiler/driver/arguments.h"
#include "compiler/vocabulary.h"

static int run(Arguments *arguments) {
    Text text = text_create(arguments->arena);
    const char *name = arguments->operands.count ? arguments->operands.items[0] : NULL;
    bool found = !name || vocabulary_explain(&text, name);
    if (!name)
        vocabulary_list(&text);
    if (!found)
        diag_error(arguments->diag, NULL, "there is no op, layer, function or optimizer \"%s\"%s", name,
                   vocabulary_suggestion(arguments->arena, name));
    fputs(text.data, stdout);
    return found ? 0 : 1;
}

const Command ops_command = {
    .usage = "[NAME]",
    .description =
        "Lists the ops of the compiler by class, and the layers, functions and optimizers of the graph language (graphs/README.md) that\n"
        "expand to them; or explains one of these: options of a layer or optimizer; arguments, attributes, gradient, GLSL and examples of an op.",
    .examples = "ops\nops conv2d\nops adam",
    .operands_min = 0,
    .operands_max = 1,
    .run = run,
};
