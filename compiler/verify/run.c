// Verify run: sessions for the phases of a program, and the bisection of failures.
#include "compiler/verify/run.h"

static const GraphProgram *entry_of(const Module *module, const char *name) { return module_program(module, name); }

static const Phase *phase_of(const GraphProgram *entry, const char *name) {
    for (uint32_t i = 0; i < entry->phases.count; i++)
        if (strcmp(entry->phases.items[i].name, name) == 0)
            return &entry->phases.items[i];
    return NULL;
}

enum { ATTEMPTS = 8 };

static bool is_wild(const VerifyResults *results) {
    for (uint32_t i = 0; i < results->count; i++)
        if (results->items[i].is_wild)
            return true;
    return false;
}

// Invented states may lie outside an op's domain: then others are invented. What every attempt shows is the graph's own.
static bool run_mode(Arena *arena, const VerifyRun *run, VerifyPhase *phase, VerifyMode mode, VerifyResults *results, Diag *diag) {
    VerifyResults found = {0};
    for (phase->attempt = 0; phase->attempt < ATTEMPTS; phase->attempt++) {
        found.count = phase->names.count = phase->tensors.count = 0;
        if (!verify_kernels(run, phase, mode, &found, diag))
            return false;
        if (!is_wild(&found))
            break;
    }
    for (uint32_t i = 0; i < found.count; i++)
        array_push(arena, results, found.items[i]);
    return true;
}

// What a run of phases is made of.
typedef struct {
    Arena *arena; // of the results
    Session *session;
    const Built *built;
    const VerifyChoice *choice;
    VerifyResults *results;
    Activity *activity;
    Diag *diag;
} Phases;

static bool run_phase(const Phases *phases, uint32_t entry_index, uint32_t phase_index) {
    const Built *built = phases->built;
    const VerifyChoice *choice = phases->choice;
    const ProgramEntry *planned = &built->program->entries.items[entry_index];
    const GraphProgram *entry = entry_of(built->module, planned->name);
    Arena *arena = arena_create();
    VerifyPhase phase = {.arena = arena,
                         .module = built->module,
                         .program = built->program,
                         .entry = entry,
                         .phase = phase_of(entry, planned->phases.items[phase_index].name),
                         .compiled = &built->compiled->phases[entry_index][phase_index],
                         .planned = &planned->phases.items[phase_index],
                         .seed = choice->seed};
    VerifyRun run = {.arena = phases->arena,
                     .session = phases->session,
                     .flops_max = choice->flops_max,
                     .elements_max = UINT64_C(1) << 27,
                     .only = choice->only,
                     .only_count = choice->only_count,
                     .progress = activity_progress,
                     .progress_context = phases->activity};
    bool good = true;
    for (VerifyMode mode = 0; mode < VERIFY_MODES && good; mode++)
        if (choice->modes[mode])
            good = run_mode(phases->arena, &run, &phase, mode, phases->results, phases->diag);
    arena_destroy(&arena);
    return good;
}

bool verify_run(Arena *arena, Device *device, const Built *built, const VerifyChoice *choice, VerifyResults *results, Activity *activity,
                Diag *diag) {
    SessionOptions options = {.seed = choice->seed, .only_entry = choice->only_program, .guards = true};
    Session *session = session_create(arena, device, built->program, &options, diag);
    Phases phases = {.arena = arena, .session = session, .built = built, .choice = choice, .results = results, .activity = activity, .diag = diag};
    bool good = session != NULL;
    for (uint32_t i = 0; good && i < built->program->entries.count; i++) {
        const ProgramEntry *entry = &built->program->entries.items[i];
        if (choice->only_program && strcmp(entry->name, choice->only_program) != 0)
            continue;
        for (uint32_t k = 0; good && k < entry->phases.count; k++)
            good = run_phase(&phases, i, k);
    }
    session_destroy(&session);
    return good;
}

// ---- who is to blame

enum { FAILED_MAX = 16 };

// What is compiled again.
typedef enum { VARIANT_SAME, VARIANT_NO_FUSE, VARIANT_REFERENCE, VARIANT_BOTH, VARIANTS } Variant;

typedef enum { VALUE_MISSING, VALUE_GOOD, VALUE_BAD } Outcome;

static Outcome outcome_of(const VerifyResults *results, const VerifyResult *failed) {
    Outcome outcome = VALUE_MISSING;
    for (uint32_t i = 0; i < results->count; i++) {
        const VerifyResult *result = &results->items[i];
        if (strcmp(result->program, failed->program) != 0 || strcmp(result->phase, failed->phase) != 0 || result->skipped)
            continue;
        if (result->problem && result->value.id == failed->value.id)
            return VALUE_BAD;
        outcome = VALUE_GOOD;
    }
    return outcome;
}

static const char *verdict(const Outcome *outcomes) {
    bool unfused = outcomes[VARIANT_NO_FUSE] != VALUE_BAD, reference = outcomes[VARIANT_REFERENCE] != VALUE_BAD;
    if (outcomes[VARIANT_SAME] == VALUE_GOOD)
        return "the bundle: it is right when compiled anew, so its kernel was edited";
    if (unfused && reference)
        return "fusion and schedule together: it is right without either of them";
    if (reference)
        return "the schedule: it is right with the reference schedule";
    if (unfused)
        return "fusion: it is right without fusion";
    if (outcomes[VARIANT_BOTH] != VALUE_BAD)
        return "fusion and schedule both: it is right only without both";
    return "the driver, or the op itself (its GLSL or its reference): it is wrong in the simplest form, too";
}

bool verify_bisect(Arena *arena, Device *device, const Module *module, const Target *target, const VerifyChoice *choice,
                   const VerifyResults *failed, Activity *activity, Text *out, Diag *diag) {
    Value values[FAILED_MAX];
    VerifyChoice again = *choice;
    again.only = values;
    for (uint32_t i = 0; i < failed->count && again.only_count < FAILED_MAX; i++)
        values[again.only_count++] = failed->items[i].value;
    VerifyResults results[VARIANTS] = {0};
    for (Variant i = 0; i < VARIANTS; i++) {
        CompileOptions options = {.target = *target,
                                  .no_fuse = i == VARIANT_NO_FUSE || i == VARIANT_BOTH,
                                  .reference_schedule = i == VARIANT_REFERENCE || i == VARIANT_BOTH,
                                  .progress = activity_progress,
                                  .progress_context = activity};
        Built built;
        if (!built_make(arena, module, &options, &built, diag))
            return false;
        bool good = verify_run(arena, device, &built, &again, &results[i], activity, diag);
        if (!good)
            return false;
    }
    for (uint32_t i = 0; i < failed->count && i < FAILED_MAX; i++) {
        Outcome outcomes[VARIANTS];
        for (uint32_t k = 0; k < VARIANTS; k++)
            outcomes[k] = outcome_of(&results[k], &failed->items[i]);
        text_format(out, "  %%%u (%s): to blame is %s\n", failed->items[i].value.id, failed->items[i].kernel, verdict(outcomes));
    }
    return true;
}
