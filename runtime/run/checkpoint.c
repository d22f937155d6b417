// Checkpoint: metadata, numbering, digests. The digest covers every tensor's name, shape and bytes and all other metadata: safetensors
// itself notices a truncated file, but no changed byte.
#include "runtime/run/checkpoint.h"
#include "runtime/base/name.h"
#include "runtime/base/version.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { CHECKPOINT_FORMAT = 1 };
enum {
    KEY_FORMAT,
    KEY_DIGEST,
    KEY_ENTRY,
    KEY_STEP,
    KEY_STEPS,
    KEY_SEED,
    KEY_DATA,
    KEY_SCHEDULES,
    KEY_CONTENTS,
    KEY_NEEDED,
    KEY_ENCODER = KEY_NEEDED,
    KEY_COUNT
};
static const char *const KEYS[KEY_COUNT] = {"gcc-graph", "graph", "program",   "step",     "steps",
                                            "seed",      "data",  "schedules", "contents", "encoder"};

bool checkpoint_keeps(const ProgramState *state) { return state->kind != STATE_PROGRAM && state->kind != STATE_SUM; }

const char *checkpoint_path(Arena *arena, const char *folder, uint32_t step) {
    return file_join(arena, folder, arena_format(arena, "checkpoint-%06u.safetensors", step));
}

bool checkpoint_is_name(const char *name, uint32_t *step) {
    unsigned number;
    int end = 0;
    if (sscanf(name, "checkpoint-%9u.safetensors%n", &number, &end) != 1 || end == 0 || name[end])
        return false;
    *step = number;
    return true;
}

static bool parse_unsigned(const char *text, uint64_t limit, uint64_t *out) {
    if (!text || *text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return !*end && !errno && *out <= limit;
}

static const char *digest_contents(Arena *arena, const HostTensor *tensors, uint32_t tensor_count, const char *const *values) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < KEY_CONTENTS; i++)
        text_format(&text, "%s=%s\n", KEYS[i], values[i]);
    if (values[KEY_ENCODER])
        text_format(&text, "%s=%s\n", KEYS[KEY_ENCODER], values[KEY_ENCODER]);
    for (uint32_t i = 0; i < tensor_count; i++) {
        text_format(&text, "%s %s", tensors[i].name, element_name(tensors[i].dtype));
        for (uint32_t axis = 0; axis < tensors[i].rank; axis++)
            text_format(&text, " %" PRIu64, tensors[i].dims[axis]);
        text_format(&text, " %s\n", digest_bytes(arena, tensors[i].data, tensors[i].size));
    }
    return digest_bytes(arena, text.data, text.length);
}

const uint32_t *checkpoint_list(Arena *arena, const char *folder, uint32_t *count) {
    ARRAY(uint32_t) steps = {0};
    uint32_t name_count = 0;
    // The names are sorted; %06u keeps that order up to a million steps, beyond it is sorted here.
    const char **names = file_is_folder(folder) ? file_list(arena, folder, &name_count, diag_create(arena)) : NULL;
    for (uint32_t i = 0; names && i < name_count; i++) {
        uint32_t step;
        if (!checkpoint_is_name(names[i], &step))
            continue;
        array_push(arena, &steps, step);
        for (uint32_t k = steps.count - 1; k > 0 && steps.items[k - 1] > step; k--) {
            steps.items[k] = steps.items[k - 1];
            steps.items[k - 1] = step;
        }
    }
    *count = steps.count;
    return steps.items;
}

// Does the file say that gcc-graph wrote it? Its metadata stand first; looking at these alone is quick however large it is.
static bool is_ours(const char *path) {
    char head[512] = "";
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(head, 1, sizeof head - 1, file) : 0;
    if (file)
        fclose(file);
    const char *header = size > 8 ? head + 8 : ""; // behind the header's length
    const char *key = strstr(header, "\"gcc-graph\"");
    return key && strstr(key, "\"checkpoint ");
}

static void remove_old(Arena *arena, const char *folder, uint32_t step, uint32_t keep, Diag *diag) {
    uint32_t count;
    const uint32_t *steps = checkpoint_list(arena, folder, &count);
    uint32_t kept = 0;
    for (uint32_t i = count; i-- > 0;) {
        const char *path = checkpoint_path(arena, folder, steps[i]);
        if (steps[i] > step || !is_ours(path)) // later: damaged ones of an interrupted run, overwritten when their step comes
            continue;
        if (kept++ < keep || !keep)
            continue;
        Diag *inner = diag_create(arena);
        if (!file_remove_tree(path, inner))
            diag_warning(diag, NULL, "an old checkpoint stays: %s", diag_text(inner, arena));
    }
}

// Beside the keys above and outside of their digest, so that former versions read on.
static const char *rule_key(Arena *arena, const char *count) { return arena_format(arena, "rule of %s", count); }

const char *checkpoint_rule(const Checkpoint *checkpoint, const char *count) {
    Arena *arena = arena_create();
    const char *rule = tensor_file_metadata(&checkpoint->file, rule_key(arena, count));
    arena_destroy(&arena);
    return rule;
}

bool checkpoint_write(const char *folder, const CheckpointInfo *info, const HostTensor *tensors, uint32_t tensor_count, uint32_t keep,
                      Diag *diag) {
    Arena *arena = arena_create();
    const char *values[KEY_COUNT] = {
        arena_format(arena, "checkpoint %d", CHECKPOINT_FORMAT),
        info->digest,
        info->entry,
        arena_format(arena, "%u", info->step),
        arena_format(arena, "%u", info->steps),
        arena_format(arena, "%" PRIu64, info->seed),
        info->data_position ? info->data_position : "",
        info->schedules ? info->schedules : "",
    };
    values[KEY_ENCODER] = info->encoder;
    values[KEY_CONTENTS] = digest_contents(arena, tensors, tensor_count, values);
    uint32_t states = info->program ? info->program->states.count : 0, count = 0;
    const char **keys = ARENA_NEW(arena, const char *, KEY_COUNT + states), **texts = ARENA_NEW(arena, const char *, KEY_COUNT + states);
    for (uint32_t i = 0; i < KEY_COUNT; i++)
        if (values[i]) {
            keys[count] = KEYS[i];
            texts[count++] = values[i];
        }
    for (uint32_t i = 0; i < states; i++)
        if (info->program->states.items[i].rule) {
            keys[count] = rule_key(arena, info->program->states.items[i].name);
            texts[count++] = info->program->states.items[i].rule;
        }
    const char *path = checkpoint_path(arena, folder, info->step);
    bool ok = safetensors_write(arena, path, tensors, tensor_count, keys, texts, count, diag);
    if (ok)
        remove_old(arena, folder, info->step, keep, diag);
    arena_destroy(&arena);
    return ok;
}

bool checkpoint_read(Arena *arena, const char *path, Checkpoint *out, Diag *diag) {
    *out = (Checkpoint){.path = arena_copy_text(arena, path)};
    if (!safetensors_read(arena, path, &out->file, diag))
        return false;
    const char *values[KEY_COUNT];
    uint32_t found = 0;
    for (uint32_t i = 0; i < KEY_COUNT; i++) {
        values[i] = tensor_file_metadata(&out->file, KEYS[i]);
        found += i < KEY_NEEDED && values[i];
    }
    // Only a file that says nothing of us at all may be another program's: a damaged key must not turn a checkpoint into one.
    if (!values[KEY_FORMAT] && !values[KEY_CONTENTS] && found < KEY_NEEDED / 2)
        return true;
    unsigned format = 0;
    if (values[KEY_FORMAT] && sscanf(values[KEY_FORMAT], "checkpoint %9u", &format) != 1)
        return diag_refuse_file(diag, path, "a file of format \"%s\", which is no checkpoint",
                       text_excerpt(arena, values[KEY_FORMAT], 0));
    const char *misfit = values[KEY_FORMAT] ? version_misfit(arena, format, CHECKPOINT_FORMAT, CHECKPOINT_FORMAT, NULL) : NULL;
    if (misfit)
        return diag_refuse_file(diag, path, "a checkpoint of another version: %s", misfit);
    if (found < KEY_NEEDED)
        return diag_refuse_file(diag, path, "damaged: its metadata is not complete");
    uint64_t step, steps;
    if (!parse_unsigned(values[KEY_STEP], UINT32_MAX, &step) || !parse_unsigned(values[KEY_STEPS], UINT32_MAX, &steps) ||
        !parse_unsigned(values[KEY_SEED], UINT64_MAX, &out->info.seed))
        return diag_refuse_file(diag, path, "damaged: step, steps or seed is no number");
    if (strcmp(values[KEY_CONTENTS], digest_contents(arena, out->file.tensors.items, out->file.tensors.count, values)) != 0)
        return diag_refuse_file(diag, path, "damaged: its contents do not fit their digest");
    const char *mistake = name_mistake(values[KEY_ENTRY]);
    for (uint32_t i = 0; !mistake && i < out->file.tensors.count; i++)
        mistake = name_mistake(out->file.tensors.items[i].name);
    if (mistake)
        return diag_refuse_file(diag, path, "it names a program or a state as none can be called: %s", mistake);
    out->info.digest = values[KEY_DIGEST];
    out->info.entry = values[KEY_ENTRY];
    out->info.step = (uint32_t)step;
    out->info.steps = (uint32_t)steps;
    out->info.data_position = values[KEY_DATA];
    out->info.schedules = values[KEY_SCHEDULES];
    out->info.encoder = values[KEY_ENCODER];
    return true;
}

bool checkpoint_read_latest(Arena *arena, const char *folder, Checkpoint *out, Diag *diag) {
    uint32_t count;
    const uint32_t *steps = checkpoint_list(arena, folder, &count);
    for (uint32_t i = count; i-- > 0;) {
        const char *path = checkpoint_path(arena, folder, steps[i]);
        Diag *inner = diag_create(arena);
        if (checkpoint_read(arena, path, out, inner) && out->info.digest && out->info.step == steps[i])
            return true;
        const char *why = diag_error_count(inner) ? diag_text(inner, arena) : "it is no checkpoint of that step\n";
        diag_warning(diag, &(Place){.file = path}, "skipped, an older one is taken: %.*s", (int)strcspn(why, "\n"), why);
    }
    diag_error(diag, &(Place){.file = folder}, count ? "none of its checkpoints can be read" : "there is no checkpoint in it");
    return false;
}

bool checkpoint_read_from(Arena *arena, const char *run_or_file, Checkpoint *out, Diag *diag) {
    return file_is_folder(run_or_file) ? checkpoint_read_latest(arena, run_or_file, out, diag)
                                       : checkpoint_read(arena, run_or_file, out, diag);
}

bool checkpoint_fits(const HostTensor *tensor, const ProgramState *state, const char *path, Diag *diag) {
    const Layout *layout = &state->tensor.layout;
    ElementType dtype = element_row(state->tensor.type)->host;
    bool fits = tensor->rank == layout->rank && tensor->dtype == dtype;
    for (uint32_t i = 0; fits && i < layout->rank; i++)
        fits = tensor->dims[i] == layout->dims[i];
    if (fits)
        return true;
    Arena *arena = arena_create();
    uint64_t dims[LAYOUT_RANK_MAX] = {0};
    for (uint32_t i = 0; i < layout->rank; i++)
        dims[i] = layout->dims[i];
    diag_error(diag, &(Place){.file = path}, "\"%s\" is %s[%s] there, and \"%s\" %s[%s] in this graph", tensor->name,
               element_name(tensor->dtype), host_dims_text(arena, tensor->rank, tensor->dims), state->name, element_name(dtype),
               host_dims_text(arena, layout->rank, dims));
    arena_destroy(&arena);
    return false;
}

static bool is_needed(const ProgramState *state, CheckpointMatch match) {
    return checkpoint_keeps(state) &&
           (match == CHECKPOINT_EXACT || (state->kind != STATE_MOMENT && state->kind != STATE_COUNT && state->kind != STATE_CONDITION));
}

bool checkpoint_match(const Checkpoint *checkpoint, const Program *program, CheckpointMatch match, Diag *diag) {
    uint32_t errors = diag_error_count(diag);
    Place place = {.file = checkpoint->path};
    for (uint32_t i = 0; i < program->states.count && !diag_is_full(diag); i++) {
        const ProgramState *state = &program->states.items[i];
        const HostTensor *tensor = checkpoint_keeps(state) ? tensor_file_find(&checkpoint->file, state->name) : NULL;
        if (tensor)
            checkpoint_fits(tensor, state, checkpoint->path, diag);
        else if (is_needed(state, match))
            diag_error(diag, &place, "it has no \"%s\", which this graph needs", state->name);
    }
    for (uint32_t i = 0; match == CHECKPOINT_EXACT && i < checkpoint->file.tensors.count && !diag_is_full(diag); i++) {
        const ProgramState *state = program_state(program, checkpoint->file.tensors.items[i].name);
        if (!state || !checkpoint_keeps(state))
            diag_error(diag, &place, "this graph has no state \"%s\"", checkpoint->file.tensors.items[i].name);
    }
    return diag_error_count(diag) == errors;
}

// "s1.G.conv2d.weight" as the source calls it, when network "s1.G" is its "G".
static const char *source_name(const ProgramState *state) {
    const char *dot = state->network ? strrchr(state->network, '.') : NULL;
    return dot ? state->name + (dot + 1 - state->network) : state->name;
}

static bool belongs(const ProgramState *state, const char *name) {
    if (strcmp(state->name, name) == 0)
        return checkpoint_keeps(state);
    bool is_weight = state->kind == STATE_PARAMETERS || state->kind == STATE_RUNNING;
    if (!is_weight || !state->network)
        return false;
    size_t length = strlen(name), network = strlen(state->network);
    bool is_part = length > network && strncmp(name, state->network, network) == 0 && strncmp(state->name, name, length) == 0 &&
                   state->name[length] == '.';
    return is_part || strcmp(state->network, name) == 0;
}

// The networks that have states, each once.
static const char *const *owners(Arena *arena, const Program *program, uint32_t *count) {
    const char **names = ARENA_NEW(arena, const char *, program->states.count + 1);
    *count = 0;
    for (uint32_t i = 0; i < program->states.count; i++) {
        const char *network = program->states.items[i].network;
        bool is_there = !network;
        for (uint32_t k = 0; k < *count && !is_there; k++)
            is_there = strcmp(names[k], network) == 0;
        if (!is_there)
            names[(*count)++] = network;
    }
    return names;
}

bool checkpoint_select(Arena *arena, const Checkpoint *checkpoint, const Program *program, const char *name, CheckpointPair **pairs,
                       uint32_t *pair_count, Diag *diag) {
    uint32_t errors = diag_error_count(diag);
    ARRAY(CheckpointPair) found = {0};
    for (uint32_t i = 0; i < program->states.count; i++) {
        const ProgramState *state = &program->states.items[i];
        if (!belongs(state, name))
            continue;
        const HostTensor *tensor = tensor_file_find(&checkpoint->file, state->name);
        if (!tensor)
            tensor = tensor_file_find(&checkpoint->file, source_name(state));
        if (!tensor)
            diag_error(diag, &(Place){.file = checkpoint->path}, "it has no \"%s\", which --init %s needs", state->name, name);
        if (!tensor || !checkpoint_fits(tensor, state, checkpoint->path, diag))
            continue;
        CheckpointPair pair = {state, *tensor};
        pair.tensor.name = state->name;
        array_push(arena, &found, pair);
    }
    *pairs = found.items;
    *pair_count = found.count;
    if (!found.count && diag_error_count(diag) == errors) {
        uint32_t count;
        const char *const *names = owners(arena, program, &count);
        diag_error(diag, NULL, "--init %s: this graph has no network of that name with parameters of its own, and no such state%s", name,
                   text_suggestion(arena, name, names, count));
    }
    return diag_error_count(diag) == errors;
}
