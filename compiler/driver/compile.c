// `compile`: a graph to a bundle; or rebuilds the edited kernels of a bundle.
#include "compiler/compile.h"
#include "compiler/driver/common.h"
#include "compiler/schedules/families.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include <unistd.h>

static const Option options[] = {
    {"output", 'o', OPTION_TEXT, false, "BUNDLE", "the folder to write"},
    COMMON_GRAPH_OPTIONS,
    {"target", 0, OPTION_TEXT, false, "cpu|gpu|any|D|FILE.json",
     "a class, a device here, or a device's profile, whose limits hold (default: the device that would run it)"},
    {"dump", 0, OPTION_TEXT, false, "PASS|all", "prints what a pass gives (names below)"},
    {"stop-after", 0, OPTION_TEXT, false, "PASS", "stops there; nothing is written"},
    {"no-fuse", 0, OPTION_FLAG, false, NULL, "makes every operation a kernel of its own"},
    {"no-chain", 0, OPTION_FLAG, false, NULL, "makes no chains of small kernels that follow each other"},
    {"fuse-operands", 0, OPTION_TEXT, false, "auto|always|never", "computes operands of contractions where they are read, or stores them (default: auto, by the estimate)"},
    {"winograd", 0, OPTION_TEXT, false, "auto|never|2|4", "computes convolutions of 3 x 3 taps by transformed tiles of 2 x 2 or 4 x 4 pixels (default: auto, where it is estimated to take less time)"},
    {"schedule", 0, OPTION_TEXT, true, "K=FAMILY:P=V,..", "computes kernels K by a family of your choice (below); reference: the simplest everywhere"},
    {"debug", 'g', OPTION_FLAG, false, NULL, "puts the GLSL and debug information into the SPIR-V: RenderDoc and Nsight show it"},
};

static bool known_pass(Arguments *arguments, const char *option, const char *name, bool all) {
    uint32_t count = 0;
    const PassInfo *passes = compile_passes(&count);
    const char **known = ARENA_NEW(arguments->arena, const char *, count + 1);
    for (uint32_t i = 0; i < count; i++)
        known[i] = passes[i].name;
    if (all)
        known[count++] = "all";
    for (uint32_t i = 0; name && i < count; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    if (name)
        arguments_wrong(arguments, "--%s: there is no pass \"%s\"%s", option, name, text_suggestion(arguments->arena, name, known, count));
    return !name;
}

static int rebuild(Arguments *arguments, const char *folder) {
    uint32_t rebuilt = 0;
    if (!compile_rebuild(arguments->arena, folder, arguments_has(arguments, "debug"), &rebuilt, arguments->diag))
        return 1;
    printf("%s: %u kernels rebuilt\n", folder, rebuilt);
    return 0;
}

static void print_passes(FILE *stream) {
    uint32_t count = 0;
    const PassInfo *passes = compile_passes(&count);
    fprintf(stream, "The passes, for --dump and --stop-after:\n");
    for (uint32_t i = 0; i < count; i++)
        fprintf(stream, "  %-13s %-8s %s\n", passes[i].name, passes[i].level, passes[i].summary);
}

static bool take_operands(Arguments *arguments, CompileOptions *out) {
    static const char *const words[] = {[OPERANDS_AUTO] = "auto", [OPERANDS_COMPUTED] = "always", [OPERANDS_STORED] = "never"};
    const char *given = arguments_text(arguments, "fuse-operands");
    for (uint32_t i = 0; given && i < sizeof words / sizeof *words; i++)
        if (!strcmp(given, words[i])) {
            out->operands = (OperandChoice)i;
            return true;
        }
    if (given)
        arguments_wrong(arguments, "--fuse-operands is auto, always or never, not \"%s\"", given);
    return !given;
}

static bool take_winograd(Arguments *arguments, CompileOptions *out) {
    static const char *const words[WINOGRAD_CHOICES] = {[WINOGRAD_AUTO] = "auto", [WINOGRAD_NEVER] = "never", [WINOGRAD_TILE_2] = "2", [WINOGRAD_TILE_4] = "4"};
    const char *given = arguments_text(arguments, "winograd");
    for (uint32_t i = 0; given && i < WINOGRAD_CHOICES; i++)
        if (!strcmp(given, words[i])) {
            out->winograd = (WinogradChoice)i;
            return true;
        }
    if (given)
        arguments_wrong(arguments, "--winograd is auto, never, 2 or 4, not \"%s\"", given);
    return !given;
}

// Those for single kernels go on top of `reference`.
static void take_schedules(Arguments *arguments, CompileOptions *out) {
    uint32_t count;
    const char **given = arguments_all(arguments, "schedule", &count), **kept = ARENA_NEW(arguments->arena, const char *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(given[i], "reference"))
            kept[out->schedule_count++] = given[i];
        else
            out->reference_schedule = true;
    }
    out->schedules = kept;
}

static void print_families(FILE *stream) {
    uint32_t count;
    const Family *const *families = families_all(&count);
    Arena *arena = arena_create();
    fprintf(stream, "\nThe families, for --schedule; KERNEL is a kernel's name or number as without --schedule, %%12 for the one that makes this value (in every\n"
                    "phase, or train/all/%%12 in one), or a pattern (\"*_conv2d*\"); what is not said stays as estimated:\n");
    for (uint32_t i = 0; i < count; i++) {
        fprintf(stream, "  %-12s %-9s %s\n", families[i]->name, kernel_class_names[families[i]->kernel_class], families[i]->summary);
        for (uint32_t p = PARAM_OWN; p < families[i]->param_count; p++)
            fprintf(stream, "      %-10s %s: %s\n", families[i]->params[p].name, families[i]->params[p].summary, schedule_numbers(arena, &families[i]->params[p]));
    }
    fprintf(stream, "  all have\n");
    for (uint32_t p = 0; p < PARAM_OWN; p++)
        fprintf(stream, "      %-10s %s: %s\n", families[0]->params[p].name, families[0]->params[p].summary, schedule_numbers(arena, &families[0]->params[p]));
    arena_destroy(&arena);
}

static void print_more(FILE *stream) {
    print_passes(stream);
    print_families(stream);
}

static int run(Arguments *arguments) {
    const char *path = arguments->operands.items[0], *output = arguments_text(arguments, "output");
    if (common_is_bundle(path) && !output)
        return rebuild(arguments, path);
    CompileOptions compile = {.no_fuse = arguments_has(arguments, "no-fuse"),
                              .no_chain = arguments_has(arguments, "no-chain"),
                              .debug_info = arguments_has(arguments, "debug"),
                              .dump = arguments_text(arguments, "dump"),
                              .stop_after = arguments_text(arguments, "stop-after"),
                              .dump_stream = stdout,
                              .progress = activity_progress, .progress_context = arguments->activity};
    if (!known_pass(arguments, "dump", compile.dump, true) || !known_pass(arguments, "stop-after", compile.stop_after, false))
        return 2;
    if (!take_operands(arguments, &compile) || !take_winograd(arguments, &compile))
        return 2;
    take_schedules(arguments, &compile);
    if (!output && !compile.stop_after && !compile.dump)
        return arguments_wrong(arguments, "-o BUNDLE is missing: where shall the bundle go?");
    double start = clock_seconds();
    activity_begin(arguments->activity, "compiling %s", path);
    Module *module = common_read_module(arguments, path, false, NULL);
    if (!module || !common_target(arguments, arguments_text(arguments, "target"), &compile.target))
        return 1;
    Compiled *compiled = compile_module(arguments->arena, module, &compile, compile.stop_after ? NULL : output, arguments->diag);
    if (!compiled)
        return compile.stop_after && diag_error_count(arguments->diag) == 0 ? 0 : 1;
    activity_end(arguments->activity);
    uint32_t kernels = compiled->program->kernels.count;
    if (output)
        printf("%s: %u programs, %u kernels (%u from the cache) for %s; %.1f s, of which SPIR-V %.1f s\n", output,
               compiled->program->entries.count, kernels, compiled->cached_count, target_text(arguments->arena, &compile.target),
               clock_seconds() - start, compiled->spirv_seconds);
    return 0;
}

const Command compile_command = {
    .usage = "GRAPH.json -o BUNDLE [-D NAME=VALUE]... [--preset NAME] [--target cpu|gpu|any|DEVICE|PROFILE.json] [options]\n"
             "BUNDLE                 (rebuilds the kernels whose .comp was edited)",
    .description = "Compiles a graph into a bundle, a folder that any Vulkan device with the limits of the target can run. Those of a\n"
                   "class are what its devices are known to have (cpu: lavapipe's), those of a device its own, those of a device elsewhere\n"
                   "in the profile that `gcc-graph devices --profile` makes there. In the folder:\n"
                   "  program.json           buffers, kernels, steps, named inputs and outputs\n"
                   "  kernels/NAME.comp      readable GLSL, with the nodes that each line comes from, and its SPIR-V\n"
                   "  plan.txt, graph.json   the memory map; the graph after includes, presets and -D\n"
                   "A bundle that is there is replaced in one step: killed at any moment, this leaves the old one or the new one.",
    .more_help = print_more,
    .examples = "compile graphs/ddpm_mnist.json -o build/ddpm.ggb\n"
                "compile graphs/ddpm_mnist.json -o build/small.ggb -D batch=16 --target cpu\n"
                "compile graphs/wgan_gp.json --preset check --dump=simplify --stop-after=simplify\n"
                "compile graphs/ddpm_mnist.json -o build/ddpm.ggb --schedule '*_conv2d_add=rows:rows=8,columns=2'\n"
                "compile build/ddpm.ggb",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
