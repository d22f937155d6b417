// Read: program.json to a Program. Nothing in the file is believed: every index, range and size is checked before it is used.
#include "runtime/base/file.h"
#include "runtime/base/name.h"
#include "runtime/base/version.h"
#include "runtime/program/exact.h"
#include "runtime/program/target_file.h"

static bool has_errors(const Fields *fields) { return diag_error_count(fields->diag) > 0; }

static void read_target(Fields *fields, const Json *root) {
    const Json *json = json_get(root, "target");
    if (json)
        fields->program->target = target_read(fields, json, 0);
    else
        field_complain(fields, root, "target is missing");
}

static void read_memories(Fields *fields, const Json *root) {
    const Json *list = field_list(fields, root, "memories");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        Memory memory = {.kind = (MemoryKind)field_named(fields, item, "kind", memory_kind_names, MEMORY_KIND_COUNT),
                         .size = field_size(fields, item, "size")};
        if (memory.size == 0)
            field_complain(fields, item, "size: an empty memory is none");
        array_push(fields->arena, &fields->program->memories, memory);
    }
}

static ProgramKernel read_kernel(Fields *fields, const Json *json) {
    ProgramKernel kernel = {.name = field_name(fields, json, "name"), .digest = field_text(fields, json, "digest")};
    kernel.kernel_class = (KernelClass)field_named(fields, json, "class", kernel_class_names, KERNEL_CLASS_COUNT);
    field_triple(fields, json, "workgroup", kernel.workgroup);
    const Json *list = field_list(fields, json, "bindings");
    for (const Json *item = list ? list->first : NULL; item; item = item->next)
        array_push(fields->arena, &kernel.bindings, (BindingKind)field_choice(fields, item, binding_kind_names, BINDING_KIND_COUNT));
    kernel.push_words = field_word(fields, json, "push_words");
    kernel.needs_subgroup_ballot = field_bool(fields, json, "needs_subgroup_ballot");
    kernel.shared_bytes = json_get(json, "shared_bytes") ? field_word(fields, json, "shared_bytes") : 0;
    kernel.spirv_digest = field_optional_text(fields, json, "spirv_digest");
    return kernel;
}

static void read_kernels(Fields *fields, const Json *root) {
    const Json *list = field_list(fields, root, "kernels");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        ProgramKernel kernel = read_kernel(fields, item);
        array_push(fields->arena, &fields->program->kernels, kernel);
    }
}

// The digests of a kernel's two files, and its SPIR-V.
static void load_kernel(Fields *fields, ProgramKernel *kernel, const char *folder) {
    size_t size;
    const char *path = program_kernel_path(fields->arena, folder, kernel->name, ".comp");
    Arena *scratch = arena_create();
    const char *glsl = file_read(scratch, path, &size, fields->diag);
    if (glsl && strcmp(program_kernel_digest(scratch, glsl, size), kernel->digest) != 0)
        diag_error(fields->diag, NULL, "%s: kernel %s was edited: run gcc-graph compile %s", path, kernel->name, folder);
    arena_destroy(&scratch);
    path = program_kernel_path(fields->arena, folder, kernel->name, ".spv");
    if (!glsl)
        return;
    if (!file_exists(path)) {
        diag_error(fields->diag, NULL, "%s is missing: run gcc-graph compile %s", path, folder);
        return;
    }
    const char *bytes = file_read(fields->arena, path, &size, fields->diag);
    if (!bytes)
        return;
    const uint32_t magic = 0x07230203;
    if (kernel->spirv_digest && strcmp(digest_bytes(fields->arena, bytes, size), kernel->spirv_digest) != 0)
        diag_error(fields->diag, NULL, "%s is not the file that was compiled (damaged?): run gcc-graph compile %s", path, folder);
    else if (size < 20 || size % 4 != 0 || memcmp(bytes, &magic, 4) != 0)
        diag_error(fields->diag, NULL, "%s is not SPIR-V: run gcc-graph compile %s", path, folder);
    else if (fields->program->is_exact && !exact_holds((const uint32_t *)(const void *)bytes, size))
        diag_error(fields->diag, NULL, "%s: the program is exact, but arithmetic of kernel %s may be contracted: compile the graph again",
                   path, kernel->name);
    kernel->spirv = (const uint32_t *)(const void *)bytes;
    kernel->spirv_size = size;
}

static void read_states(Fields *fields, const Json *root) {
    const Json *list = field_list(fields, root, "states");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        ProgramState state = {.name = field_name(fields, item, "name"), .kind = (StateKind)field_named(fields, item, "kind", state_kind_names, STATE_KIND_COUNT)};
        state.network = field_optional_name(fields, item, "network");
        state.tensor = field_tensor(fields, item, MEMORY_STATE);
        state.init = (InitKind)field_named(fields, item, "init", init_kind_names, INIT_KIND_COUNT);
        state.init_a = field_number(fields, item, "a");
        state.init_b = field_number(fields, item, "b");
        state.init_factor = json_get(item, "factor") ? field_word(fields, item, "factor") : 0;
        state.init_copy = field_optional_text(fields, item, "copy");
        state.rule = field_optional_text(fields, item, "rule");
        array_push(fields->arena, &fields->program->states, state);
    }
}

// A copy must lead to a state of the same shape that is drawn; the number of states bounds the chain, so a circle is found.
static void check_copies(Fields *fields) {
    const Program *program = fields->program;
    for (uint32_t i = 0; i < program->states.count && !diag_is_full(fields->diag); i++) {
        const ProgramState *state = &program->states.items[i], *root = state;
        for (uint32_t k = 0; root && root->init == INIT_COPY && k <= program->states.count; k++)
            root = root->init_copy ? program_state(program, root->init_copy) : NULL;
        if (!root || root->init == INIT_COPY) {
            diag_error(fields->diag, NULL, "program.json: state %s starts as a copy of nothing", state->name);
            continue;
        }
        const Layout *a = &state->tensor.layout, *b = &root->tensor.layout;
        if (layout_logical_count(a) != layout_logical_count(b) || state->tensor.type != root->tensor.type)
            diag_error(fields->diag, NULL, "program.json: state %s starts as a copy of %s, which has another shape", state->name,
                       root->name);
        if (root->init_factor) {
            uint64_t block = (uint64_t)root->init_factor * root->init_factor;
            if (b->rank == 0 || b->dims[0] % block != 0)
                diag_error(fields->diag, NULL, "program.json: state %s: icnr with factor %u needs a multiple of its square as first axis",
                           root->name, root->init_factor);
        }
    }
}

static void read_range(Fields *fields, const Json *range, bool *has_range, double *low, double *high) {
    if (!range)
        return;
    if (range->kind != JSON_ARRAY || range->count != 2 || range->first->kind != JSON_NUMBER ||
        range->first->next->kind != JSON_NUMBER) {
        field_complain(fields, range, "range: [low, high] is needed");
        return;
    }
    *has_range = true;
    *low = range->first->number;
    *high = range->first->next->number;
}

static void read_sides(Fields *fields, const Json *json, const char *key, uint32_t sides[2]) {
    if (field_words(fields, json, key, sides, 2) != 2 || sides[0] > AUGMENT_SIDE_MAX || sides[1] > AUGMENT_SIDE_MAX)
        field_complain(fields, json, "%s: [height, width] is needed, at most %d each", key, AUGMENT_SIDE_MAX);
}

static bool read_augment(Fields *fields, const Json *json, ProgramAugment *out) {
    if (!json)
        return false;
    read_sides(fields, json, "resize", out->resize);
    read_sides(fields, json, "crop", out->crop);
    if ((out->crop[0] == 0) != (out->crop[1] == 0) || (out->resize[0] == 0 && out->resize[1] > 0))
        field_complain(fields, json, "augment: a side of 0 beside one that is not");
    out->flip = field_bool(fields, json, "flip");
    out->colour = field_number(fields, json, "colour");
    if (!(out->colour >= 0 && out->colour <= 1))
        field_complain(fields, json, "colour: a number from 0 to 1 is needed");
    return true;
}

static void read_tokens(Fields *fields, const Json *root) {
    const Json *lists = json_get(root, "tokens") ? field_list(fields, root, "tokens") : NULL;
    for (const Json *item = lists ? lists->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        const Json *list = field_list(fields, item, "words");
        const char **words = ARENA_NEW(fields->arena, const char *, list ? list->count + 1u : 1u);
        uint32_t count = 0;
        for (const Json *word = list ? list->first : NULL; word; word = word->next) {
            if (word->kind != JSON_STRING || count == TOKENS_WORDS_MAX)
                field_complain(fields, word, "words: at most %d texts are needed", TOKENS_WORDS_MAX);
            else
                words[count++] = word->string;
            if (diag_is_full(fields->diag))
                return;
        }
        const Tokens *tokens = tokens_create(fields->arena, field_text(fields, item, "of"), words, count);
        array_push(fields->arena, &fields->tokens, tokens);
    }
}

static void read_data(Fields *fields, const Json *root) {
    const Json *list = field_list(fields, root, "data");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        ProgramData data = {.name = field_name(fields, item, "name"), .batch = field_word(fields, item, "batch")};
        const Json *rows = field_list(fields, item, "fields");
        data.has_augment = read_augment(fields, json_get(item, "augment"), &data.augment);
        data.fields = arena_alloc(fields->arena, sizeof *data.fields * (rows ? rows->count + 1u : 1u));
        for (const Json *field = rows ? rows->first : NULL; field; field = field->next, data.field_count++) {
            const Json *range = json_get(field, "range");
            data.fields[data.field_count].name = field_name(fields, field, "name");
            data.fields[data.field_count].type = field_element_type(fields, field);
            data.fields[data.field_count].rank = field_words(fields, field, "dims", data.fields[data.field_count].dims, LAYOUT_RANK_MAX);
            data.fields[data.field_count].below = json_get(field, "below") ? field_word(fields, field, "below") : 0;
            data.fields[data.field_count].tokens =
                field_tokens(fields, field, data.fields[data.field_count].type, data.fields[data.field_count].below);
            if (data.fields[data.field_count].tokens && data.fields[data.field_count].rank != 1)
                field_complain(fields, field, "tokens: a field of them has one axis");
            read_range(fields, range, &data.fields[data.field_count].has_range, &data.fields[data.field_count].low,
                       &data.fields[data.field_count].high);
        }
        array_push(fields->arena, &fields->program->data, data);
    }
}

static void read_defaults(Fields *fields, const Json *json, ProgramFeed *input) {
    const Json *list = json_get(json, "default") ? field_list(fields, json, "default") : NULL;
    if (!list)
        return;
    if (list->count == 0 || (list->count > 1 && input->tensor.layout.rank == 0)) {
        field_complain(fields, list, "default: a number is needed, or several along the first axis");
        return;
    }
    double *numbers = ARENA_NEW(fields->arena, double, list->count);
    for (const Json *item = list->first; item; item = item->next) {
        if (item->kind != JSON_NUMBER)
            field_complain(fields, item, "default: numbers are needed");
        numbers[input->default_count++] = item->number;
    }
    input->defaults = numbers;
}

static ProgramFeed read_feed(Fields *fields, const Json *json) {
    ProgramFeed feed = {.name = field_name(fields, json, "name")};
    feed.data = field_optional_name(fields, json, "data");
    feed.field = field_optional_name(fields, json, "field");
    feed.split = field_optional_name(fields, json, "split");
    feed.shuffled = field_bool(fields, json, "shuffled");
    feed.pad = field_bool(fields, json, "pad");
    feed.batch = field_word(fields, json, "batch");
    feed.tensor = field_tensor(fields, json, MEMORY_FEED);
    feed.below = json_get(json, "below") ? field_word(fields, json, "below") : 0;
    feed.tokens = field_tokens(fields, json, feed.tensor.type, feed.below);
    if (feed.tokens && (feed.tensor.layout.rank < 1 || feed.tensor.layout.rank > 2))
        field_complain(fields, json, "tokens: an input of them has one axis or two");
    read_range(fields, json_get(json, "range"), &feed.has_range, &feed.low, &feed.high);
    read_defaults(fields, json, &feed);
    return feed;
}

static uint32_t find_kernel(Fields *fields, const Json *json) {
    const char *name = field_text(fields, json, "kernel");
    // A dispatch's kernel is mostly near the previous one's, but lists are short enough for a plain search.
    for (uint32_t i = 0; i < fields->program->kernels.count; i++) {
        if (strcmp(fields->program->kernels.items[i].name, name) == 0)
            return i;
    }
    field_complain(fields, json, "kernel: there is no kernel \"%s\"", name);
    return UINT32_MAX;
}

static ElementType *read_value_types(Fields *fields, const Json *json, uint32_t count) {
    const Json *list = json_get(json, "value_types") ? field_list(fields, json, "value_types") : NULL;
    if (!list)
        return NULL;
    if (list->count != count) {
        field_complain(fields, list, "value_types: %u of them for %u values", (uint32_t)list->count, count);
        return NULL;
    }
    ElementType *types = ARENA_NEW(fields->arena, ElementType, count + 1u);
    uint32_t i = 0;
    for (const Json *item = list->first; item; item = item->next)
        types[i++] = field_element(fields, item);
    return types;
}

// Before format 3 all steps are dispatches.
static StepKind read_step_kind(Fields *fields, const Json *json) {
    const char *kind = fields->format < 3 ? step_kind_names[STEP_DISPATCH] : field_text(fields, json, "kind");
    for (uint32_t i = 0; i < STEP_KIND_COUNT; i++)
        if (strcmp(kind, step_kind_names[i]) == 0)
            return (StepKind)i;
    const char *writer = fields->program->version;
    if (json_get(json, "kind") && json_get(json, "kind")->kind == JSON_STRING)
        field_complain(fields, json, "kind: this gcc-graph " GG_VERSION " knows no step \"%.40s\"; gcc-graph %.40s, which wrote it, runs it", kind,
                       writer ? writer : "of another version");
    return STEP_DISPATCH;
}

static void read_kernel_of_step(Fields *fields, const Json *json, Step *step) {
    step->kernel = find_kernel(fields, json);
    field_triple(fields, json, "groups", step->groups);
    step->push.items = field_all_words(fields, json, "push", &step->push.count);
    step->push.capacity = step->push.count;
    if (step->kernel == UINT32_MAX)
        return;
    const ProgramKernel *kernel = &fields->program->kernels.items[step->kernel];
    if (step->ranges.count != kernel->bindings.count)
        field_complain(fields, json, "ranges: kernel %s has %u bindings", kernel->name, kernel->bindings.count);
    if (step->push.count != kernel->push_words)
        field_complain(fields, json, "push: kernel %s has %u words of push constants", kernel->name, kernel->push_words);
}

static Step read_step(Fields *fields, const Json *json) {
    uint32_t errors = diag_error_count(fields->diag);
    Step step = {.kind = read_step_kind(fields, json), .kernel = UINT32_MAX, .wave = field_word(fields, json, "wave")};
    if (diag_error_count(fields->diag) > errors)
        return step;
    const Json *list = field_list(fields, json, "ranges");
    for (const Json *item = list ? list->first : NULL; item; item = item->next) {
        Range range = field_range(fields, item);
        array_push(fields->arena, &step.ranges, range);
    }
    if (step.kind == STEP_DISPATCH)
        read_kernel_of_step(fields, json, &step);
    else if (step.ranges.count != (step.kind == STEP_COPY ? 2 : 1))
        field_complain(fields, json, "ranges: a %s has %d", step_kind_names[step.kind], step.kind == STEP_COPY ? 2 : 1);
    if (step.kind == STEP_FILL)
        step.word = field_word(fields, json, "word");
    step.label = field_text(fields, json, "label");
    step.schedule = field_optional_text(fields, json, "schedule");
    step.work_class = (WorkClass)field_named(fields, json, "op_class", work_class_names, WORK_CLASS_COUNT);
    step.flops = field_number(fields, json, "flops");
    step.bytes = field_number(fields, json, "bytes");
    step.values = field_all_words(fields, json, "values", &step.value_count);
    step.value_types = read_value_types(fields, json, step.value_count);
    return step;
}

static ProgramResult read_result(Fields *fields, const Json *json) {
    ProgramResult result = {.name = field_text(fields, json, "name")};
    const Json *format = json_get(json, "format");
    if (format && format->kind != JSON_NULL)
        result.format = (ResultFormat)(RESULT_IMAGE + field_choice(fields, format, &result_format_names[RESULT_IMAGE], RESULT_FORMAT_COUNT - RESULT_IMAGE));
    const char *kinds[] = {"values/", "gradients/"}, *name = result.name, *mistake;
    for (uint32_t i = 0; i < 2; i++)
        name += name == result.name && text_starts_with(name, kinds[i]) ? strlen(kinds[i]) : 0;
    if (result.format && (mistake = name_mistake(name))) // a report's name is an expression
        field_complain(fields, json_get(json, "name"), "name: %s", mistake);
    result.tensor = field_tensor(fields, json, MEMORY_RESULT);
    if (json_get(json, "counts_skips"))
        result.counts_skips = field_bool(fields, json, "counts_skips");
    const Json *condition = json_get(json, "condition");
    if (!condition)
        return result;
    result.has_condition = true;
    result.condition = field_tensor(fields, condition, MEMORY_RESULT);
    return result;
}

static void read_every(Fields *fields, const Json *json, Every *out) {
    const Json *list = json_get(json, "every") ? field_list(fields, json, "every") : NULL;
    for (const Json *item = list ? list->first : NULL; item && out->terms.count <= EVERY_TERMS_MAX; item = item->next) {
        EveryTerm term = {.kind = EVERY_NUMBER};
        if (item->kind != JSON_NUMBER)
            term.kind = (EveryKind)(1 + field_choice(fields, item, &every_kind_names[1], EVERY_KIND_COUNT - 1));
        else if (item->is_integer && item->number >= INT32_MIN && item->number <= INT32_MAX)
            term.number = (int32_t)item->number;
        else
            field_complain(fields, item, "every: an integer of 32 bits is needed");
        array_push(fields->arena, &out->terms, term);
    }
    if (list && !every_is_whole(out))
        field_complain(fields, list, "every: no formula, numbers and what is done with them");
}

static void read_turns(Fields *fields, const Json *json, ProgramPhase *phase) {
    static const char *const modes[] = {"train", "eval"};
    phase->is_eval = json_get(json, "mode") && field_named(fields, json, "mode", modes, 2) == 1;
    read_every(fields, json, &phase->every);
    phase->when = field_optional_text(fields, json, "when");
    phase->is_conditions = json_get(json, "conditions") && field_bool(fields, json, "conditions");
}

static void read_part(Fields *fields, const Json *json, ProgramPhase *phase) {
    if (!json_get(json, "part"))
        return;
    phase->part = (PhasePart)field_named(fields, json, "part", phase_part_names, PHASE_PART_COUNT);
    phase->title = field_name(fields, json, "title");
    phase->batches = field_word(fields, json, "batches");
    phase->level = field_word(fields, json, "level");
    bool fits = phase->part == PART_WHOLE ? phase->batches == 0 : phase->batches > 1 && phase->batches <= ACCUMULATE_MAX;
    if (!fits)
        field_complain(fields, json, "batches: %u in a phase that is \"%s\"", phase->batches, phase_part_names[phase->part]);
}

static ProgramPhase read_phase(Fields *fields, const Json *json) {
    ProgramPhase phase = {.name = field_name(fields, json, "name"), .repeat = field_word(fields, json, "repeat")};
    read_turns(fields, json, &phase);
    read_part(fields, json, &phase);
    phase.scratch_size = field_size(fields, json, "scratch_size");
    phase.scratch_lower_bound = field_size(fields, json, "scratch_lower_bound");
    const Json *list = field_list(fields, json, "feeds");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        ProgramFeed feed = read_feed(fields, item);
        array_push(fields->arena, &phase.feeds, feed);
    }
    list = field_list(fields, json, fields->format < 3 ? "dispatches" : "steps");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        Step step = read_step(fields, item);
        if (phase.steps.count && step.wave < phase.steps.items[phase.steps.count - 1].wave)
            field_complain(fields, item, "wave: waves must ascend");
        array_push(fields->arena, &phase.steps, step);
    }
    list = field_list(fields, json, "results");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        ProgramResult result = read_result(fields, item);
        array_push(fields->arena, &phase.results, result);
    }
    return phase;
}

static ProgramEntry read_entry(Fields *fields, const Json *json) {
    ProgramEntry entry = {.name = field_name(fields, json, "name"), .training = field_bool(fields, json, "training")};
    entry.steps = field_word(fields, json, "steps");
    entry.stop = field_optional_text(fields, json, "stop");
    static const char *const not_finite[] = {"stop", "skip"};
    entry.skips = json_get(json, "not_finite") && field_named(fields, json, "not_finite", not_finite, 2) == 1;
    const Json *list = field_list(fields, json, "requires");
    entry.requires_trained = ARENA_NEW(fields->arena, const char *, list ? list->count + 1u : 1u);
    for (const Json *item = list ? list->first : NULL; item; item = item->next) {
        if (item->kind == JSON_STRING)
            entry.requires_trained[entry.requires_count++] = item->string;
        else
            field_complain(fields, item, "requires: names are needed");
    }
    list = field_list(fields, json, "inputs");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        ProgramFeed feed = read_feed(fields, item);
        array_push(fields->arena, &entry.inputs, feed);
    }
    list = field_list(fields, json, "phases");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        ProgramPhase phase = read_phase(fields, item);
        if (accumulate_is_led(phase.part) && (phase.feeds.count || !entry.phases.count))
            field_complain(fields, item, "part: a phase that is \"%s\" follows a batch, and feeds nothing", phase_part_names[phase.part]);
        array_push(fields->arena, &entry.phases, phase);
    }
    return entry;
}

static void read_constants(Fields *fields, const Json *root, const char *folder) {
    Program *program = fields->program;
    const Json *json = json_get(root, "constants");
    if (!json) {
        field_complain(fields, root, "constants is missing");
        return;
    }
    uint64_t needed = 0;
    for (uint32_t i = 0; i < program->memories.count; i++)
        needed += program->memories.items[i].kind == MEMORY_CONSTANT ? program->memories.items[i].size : 0;
    program->constants_size = field_size(fields, json, "size");
    const char *digest = field_text(fields, json, "digest"), *path = file_join(fields->arena, folder, "constants.bin");
    if (program->constants_size != needed) {
        field_complain(fields, json, "size: the constant memories have %llu bytes", (unsigned long long)needed);
        return;
    }
    size_t size;
    const char *bytes = file_read(fields->arena, path, &size, fields->diag);
    if (!bytes)
        return;
    if (size != program->constants_size)
        diag_error(fields->diag, NULL, "%s has %zu bytes instead of %llu: it is damaged", path, size,
                   (unsigned long long)program->constants_size);
    else if (strcmp(digest_bytes(fields->arena, bytes, size), digest) != 0)
        diag_error(fields->diag, NULL, "%s does not fit its digest: it is damaged", path);
    program->constants = bytes;
}

static void read_all(Fields *fields, const Json *root, const char *folder) {
    Program *program = fields->program;
    program->name = field_text(fields, root, "name");
    program->digest = field_text(fields, root, "digest");
    program->version = field_optional_text(fields, root, "version");
    program->is_exact = json_get(root, "exact") && field_bool(fields, root, "exact");
    read_target(fields, root);
    read_memories(fields, root);
    read_kernels(fields, root);
    if (has_errors(fields))
        return;
    const Json *numbers = json_get(root, "numbers");
    if (numbers)
        program->numbers = field_range(fields, numbers);
    else
        field_complain(fields, root, "numbers is missing");
    if (numbers && program->numbers.size > 0 &&
        (program->numbers.size < NUMBER_COUNT * ELEMENT_WORD || program->memories.items[program->numbers.memory].kind != MEMORY_FEED))
        field_complain(fields, numbers, "numbers: %d bytes in a memory of kind \"feed\" are needed", NUMBER_COUNT * ELEMENT_WORD);
    read_states(fields, root);
    read_tokens(fields, root);
    read_data(fields, root);
    const Json *list = field_list(fields, root, "programs");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(fields->diag); item = item->next) {
        ProgramEntry entry = read_entry(fields, item);
        array_push(fields->arena, &program->entries, entry);
    }
    if (has_errors(fields))
        return;
    check_copies(fields);
    read_constants(fields, root, folder);
    for (uint32_t i = 0; !fields->may_be_edited && i < program->kernels.count && !diag_is_full(fields->diag); i++)
        load_kernel(fields, &program->kernels.items[i], folder);
}

static const char *misfit_of(Arena *arena, const Json *root, double format) {
    const Json *writer = json_get(root, "version");
    return version_misfit(arena, format, PROGRAM_FORMAT_OLDEST, PROGRAM_FORMAT,
                          writer && writer->kind == JSON_STRING ? writer->string : NULL);
}

static Program *read_program(Arena *arena, const char *folder, bool may_be_edited, Diag *diag) {
    // A Diag of its own: whether this file has errors must not depend on what the caller's already holds.
    Fields fields = {.arena = arena, .diag = diag_create(arena), .program = ARENA_NEW(arena, Program, 1), .may_be_edited = may_be_edited};
    const char *path = file_join(arena, folder, "program.json");
    const Json *root = NULL;
    if (file_is_folder(folder) && !file_exists(path))
        diag_error(fields.diag, NULL, "%s is no bundle: it holds no program.json", folder);
    else
        root = json_read(arena, path, fields.diag);
    if (root && !has_errors(&fields)) {
        const Json *format = json_get(root, "gcc-graph program");
        if (!format || format->kind != JSON_NUMBER)
            field_complain(&fields, root, "this is no program of gcc-graph");
        else if (misfit_of(arena, root, format->number))
            field_complain(&fields, format, "%s; or compile the graph again", misfit_of(arena, root, format->number));
        else {
            fields.format = (uint32_t)format->number;
            read_all(&fields, root, folder);
        }
    }
    fields.program->folder = arena_copy_text(arena, folder);
    diag_merge(diag, fields.diag);
    return root && !has_errors(&fields) ? fields.program : NULL;
}

Program *program_read(Arena *arena, const char *folder, Diag *diag) { return read_program(arena, folder, false, diag); }

Program *program_read_edited(Arena *arena, const char *folder, Diag *diag) { return read_program(arena, folder, true, diag); }
