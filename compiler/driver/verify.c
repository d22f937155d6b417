// `verify`: every kernel on the device against the double-precision reference, at the graph's check sizes and at full size.
#include "compiler/driver/schedules.h"
#include "compiler/verify/report.h"
#include "compiler/verify/run.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"

static const Option options[] = {
    SCHEDULES_OPTION,
    COMMON_DEVICE_OPTIONS,
    {"target", 0, OPTION_TEXT, false, "cpu|gpu|any|all",
     "verifies the kernels of another class of device, or of all (default: the bundle's)"},
    {"program", 0, OPTION_TEXT, false, "NAME", "verifies this program only"},
    {"size", 0, OPTION_TEXT, false, "check|full", "only the preset \"check\", or only the full size (default: both)"},
    {"bisect", 0, OPTION_FLAG, false, NULL, "says whether fusion, a schedule or the driver is to blame for a failure"},
    {"all", 0, OPTION_FLAG, false, NULL, "prints every kernel (default: the worst of each class, and failures)"},
    COMMON_SEED_OPTION,
};

typedef struct {
    Arguments *arguments;
    Device *device;
    const char *bundle;
    const Program *program; // of the bundle
    Schedules schedules;
    uint32_t failed, kernels;
} Work;

static bool has_check_preset(Arguments *arguments, const char *bundle) {
    Json *json = json_read(arguments->arena, file_join(arguments->arena, bundle, "graph.json"), arguments->diag);
    const Json *name = json_get(json, "main"); // the form that a bundle holds: all files of the graph in one
    const Json *document = name ? json_get(json_get(json, "files"), name->string) : json;
    return json_get(json_get(document, "presets"), "check") != NULL;
}

static bool verify_built(Work *work, const Built *built, const Target *target, const VerifyChoice *choice, const char *size) {
    Arguments *arguments = work->arguments;
    VerifyResults results = {0}, failed = {0};
    double start = clock_seconds();
    if (!verify_run(arguments->arena, work->device, built, choice, &results, arguments->activity, arguments->diag))
        return false;
    uint32_t kernels = verify_report_kernels(&results);
    printf("class %s, %s size: %u kernels in %.1f s\n", target_class_name(target->target_class), size, kernels, clock_seconds() - start);
    Text text = text_create(arguments->arena);
    verify_report(&text, &results, arguments_has(arguments, "all"));
    fputs(text.data, stdout); // before the bisection, which takes its time
    text_clear(&text);
    work->kernels += kernels;
    verify_report_failed(arguments->arena, &results, &failed);
    work->failed += failed.count;
    bool good = true;
    if (failed.count > 0 && arguments_has(arguments, "bisect"))
        good = verify_bisect(arguments->arena, work->device, built->module, target, choice, &failed, arguments->activity, &text,
                             arguments->diag);
    fputs(text.data, stdout);
    fflush(stdout);
    return good;
}

// At other sizes than the bundle's, kernels do other work: what was tuned is not for them, but the simplest schedules are.
static bool verify_preset(Work *work, const char *preset, const Target *target, const VerifyChoice *choice, const char *size) {
    Module *module = common_read_preset(work->arguments, work->bundle, preset);
    const char *schedules = work->schedules.text;
    CompileOptions compile = {.target = *target, .reference_schedule = schedules && !strcmp(schedules, "reference"), .progress = activity_progress, .progress_context = work->arguments->activity};
    Built built;
    if (!module || !built_make(work->arguments->arena, module, &compile, &built, work->arguments->diag))
        return false;
    bool good = verify_built(work, &built, target, choice, size);
    return good;
}

static bool verify_target(Work *work, const Target *target) {
    Arguments *arguments = work->arguments;
    const char *size = arguments_text(arguments, "size");
    VerifyChoice choice = {
        .seed = arguments_seed(arguments, "seed", 0), .flops_max = 3e8, .only_program = arguments_text(arguments, "program")};
    VerifyChoice check = choice, full = choice;
    check.modes[VERIFY_CAPTURED] = check.modes[VERIFY_EDGES] = true;
    full.modes[VERIFY_DEVICE] = true;
    bool has_check = has_check_preset(arguments, work->bundle);
    if (!has_check && size && strcmp(size, "check") == 0) {
        diag_error(arguments->diag, &(Place){.file = work->bundle}, "the graph has no preset \"check\", which --size check asks for");
        return false;
    }
    if (!has_check && !size)
        diag_warning(arguments->diag, &(Place){.file = work->bundle},
                     "the graph has no preset \"check\", so only its full size is verified");
    if (has_check && (!size || strcmp(size, "check") == 0) && !verify_preset(work, "check", target, &check, "check"))
        return false;
    if (size && strcmp(size, "full") != 0)
        return true;
    if (target->target_class != work->program->target.target_class)
        return verify_preset(work, NULL, target, &full, "full");
    Built built = work->schedules.built;
    if (built.compiled)
        return verify_built(work, &built, target, &full, "full");
    return built_look(arguments->arena, work->bundle, work->program, &built, arguments->diag) && verify_built(work, &built, target, &full, "full");
}

static bool verify_targets(Work *work, const char *wanted) {
    const Target *own = &work->program->target;
    if (!wanted)
        return verify_target(work, own);
    for (TargetClass target_class = TARGET_CPU; target_class <= TARGET_ANY; target_class++) {
        if (strcmp(wanted, "all") != 0 && strcmp(wanted, target_class_name(target_class)) != 0)
            continue;
        Target target = own->target_class == target_class ? *own : target_default(target_class);
        if (!verify_target(work, &target))
            return false;
    }
    return true;
}

static int run(Arguments *arguments) {
    const char *wanted = arguments_text(arguments, "target"), *size = arguments_text(arguments, "size");
    TargetClass target_class;
    if (wanted && strcmp(wanted, "all") != 0 && !target_class_parse(wanted, &target_class))
        return arguments_wrong(arguments, "--target: \"%s\" is unknown; known: cpu, gpu, any, all", wanted);
    if (size && strcmp(size, "check") != 0 && strcmp(size, "full") != 0)
        return arguments_wrong(arguments, "--size: \"%s\" is unknown; known: check, full", size);
    Work work = {.arguments = arguments, .bundle = arguments->operands.items[0]};
    work.program = common_read_bundle(arguments, work.bundle);
    if (!work.program ||
        (arguments_has(arguments, "program") && !common_entry(arguments, work.program, arguments_text(arguments, "program"), false)))
        return 1;
    if (!schedules_open(arguments, work.program, arguments_text(arguments, "program"), NULL, &work.schedules))
        return 1;
    work.device = common_device(arguments, NULL);
    bool good = work.device != NULL;
    if (good) {
        printf("%s on %s\n", work.bundle, device_info(work.device)->name);
        good = verify_targets(&work, wanted);
        common_check_validation(arguments, work.device);
    }
    device_destroy(&work.device);
    if (good && work.failed > 0)
        diag_error(arguments->diag, NULL, "%u of %u kernels do not compute what the reference computes", work.failed, work.kernels);
    else if (good)
        printf("all %u kernels agree with the reference\n", work.kernels);
    return good && work.failed == 0 ? 0 : 1;
}

const Command verify_command = {
    .usage = "BUNDLE [--device D] [--target cpu|gpu|any|all] [--bisect]",
    .description =
        "Runs each kernel of the bundle alone on the device and compares every number that it stores with the double-precision\n"
        "reference: at the sizes of the graph's preset \"check\" with inputs captured from the interpreter and with edge values mixed\n"
        "in, and at full size with the inputs that earlier kernels left on the device (large contractions at sampled elements).\n"
        "Outputs are surrounded by guard words; padding must be zero; a NaN on either side is a failure. Each number is allowed the error\n"
        "that rounding explains: of a sum, by the magnitudes of its own terms and by the additions that the kernel makes one after the\n"
        "other (not by the tensor's largest number, nor by the result, which may be a small rest of large terms). The table shows the\n"
        "number that comes closest to what it is allowed.",
    .examples =
        "verify build/ddpm.ggb\nverify build/ddpm.ggb --target all --bisect\nverify build/ddpm.ggb --size check --device SwiftShader",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
