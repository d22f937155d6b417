// Read: program.json to a Program. Nothing in the file is believed: every index, range and size is checked before it is used.
#include "runtime/base/file.h"
#include "runtime/program/program.h"

typedef struct {
    Arena *arena;
    Diag *diag;
    Program *program;
    bool may_be_edited;
} Reader;

static bool has_errors(const Reader *reader) { return diag_error_count(reader->diag) > 0; }

__attribute__((format(printf, 3, 4))) static void complain(Reader *reader, const Json *json, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *message = arena_format_list(reader->arena, format, list);
    va_end(list);
    Place place = json_place(reader->arena, json);
    diag_error(reader->diag, &place, "%s", message);
}

// The getters report what is wrong and then give 0, "" or NULL: reading goes on, and program_read fails at its end.
static uint64_t get_uint(Reader *reader, const Json *object, const char *key, uint64_t most) {
    uint64_t number = 0;
    if (!json_uint(object, key, &number, reader->diag))
        return 0;
    if (number > most) {
        complain(reader, json_get(object, key), "%s: at most %llu is allowed", key, (unsigned long long)most);
        return 0;
    }
    return number;
}

static uint32_t get_word(Reader *reader, const Json *object, const char *key) { return (uint32_t)get_uint(reader, object, key, UINT32_MAX); }

// Sizes and offsets: sums of two of them never overflow, and all are exact in a JSON number.
static uint64_t get_size(Reader *reader, const Json *object, const char *key) { return get_uint(reader, object, key, UINT64_C(1) << 52); }

static const char *get_text(Reader *reader, const Json *object, const char *key) {
    const char *text = NULL;
    return json_text(object, key, &text, reader->diag) ? text : "";
}

static const char *get_optional_text(Reader *reader, const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    return json && json->kind != JSON_NULL ? get_text(reader, object, key) : NULL;
}

static double get_number(Reader *reader, const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    if (json && json->kind == JSON_NUMBER)
        return json->number;
    complain(reader, json ? json : object, "%s: a number is needed", key);
    return 0;
}

static bool get_bool(Reader *reader, const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    if (json && json->kind == JSON_BOOL)
        return json->number != 0.0;
    complain(reader, json ? json : object, "%s: true or false is needed", key);
    return false;
}

// A member that is a list; NULL (reported) otherwise.
static const Json *get_list(Reader *reader, const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    if (json && json->kind == JSON_ARRAY)
        return json;
    complain(reader, json ? json : object, "%s: a list is needed", key);
    return NULL;
}

static bool is_word(const Json *json) {
    return json->kind == JSON_NUMBER && json->number >= 0 && json->number <= (double)UINT32_MAX &&
           json->number == (double)(uint32_t)json->number;
}

static bool is_size(const Json *json) {
    const double most = (double)(UINT64_C(1) << 52);
    return json->kind == JSON_NUMBER && json->number >= 0 && json->number <= most && json->number == (double)(uint64_t)json->number;
}

// At most `most` words of a list into `out`.
static uint32_t get_words(Reader *reader, const Json *object, const char *key, uint32_t *out, uint32_t most) {
    const Json *list = get_list(reader, object, key);
    if (!list)
        return 0;
    if (list->count > most) {
        complain(reader, list, "%s: at most %u numbers are allowed", key, most);
        return 0;
    }
    uint32_t count = 0;
    for (const Json *item = list->first; item; item = item->next, count++) {
        if (!is_word(item)) {
            complain(reader, item, "%s: whole numbers from 0 to 4294967295 are needed", key);
            return 0;
        }
        out[count] = (uint32_t)item->number;
    }
    return count;
}

static uint32_t list_count(const Json *object, const char *key) {
    const Json *list = json_get(object, key);
    return list ? list->count : 0;
}

static uint32_t *get_all_words(Reader *reader, const Json *object, const char *key, uint32_t *count) {
    uint32_t *words = ARENA_NEW(reader->arena, uint32_t, list_count(object, key) + 1u);
    *count = get_words(reader, object, key, words, UINT32_MAX);
    return words;
}

static void get_triple(Reader *reader, const Json *object, const char *key, uint32_t *out) {
    if (get_words(reader, object, key, out, 3) != 3 && json_get(object, key))
        complain(reader, json_get(object, key), "%s: 3 numbers are needed", key);
    for (uint32_t i = 0; i < 3; i++) {
        if (out[i] == 0 && json_get(object, key))
            complain(reader, json_get(object, key), "%s: none of the 3 numbers may be 0", key);
    }
}

static uint32_t get_choice(Reader *reader, const Json *json, const char *const *names, uint32_t count) {
    for (uint32_t i = 0; json && json->kind == JSON_STRING && i < count; i++) {
        if (strcmp(json->string, names[i]) == 0)
            return i;
    }
    if (json)
        complain(reader, json, "unknown word%s", text_suggestion(reader->arena, json->kind == JSON_STRING ? json->string : "", names, count));
    return 0;
}

static uint32_t get_named(Reader *reader, const Json *object, const char *key, const char *const *names, uint32_t count) {
    const Json *json = json_get(object, key);
    if (!json)
        complain(reader, object, "%s is missing", key);
    return get_choice(reader, json, names, count);
}

static ElementType get_element_type(Reader *reader, const Json *object) {
    const char *names[] = {"f32", "i32", "u32", "bool", "u8"}; // in the order of ElementType
    return (ElementType)get_named(reader, object, "type", names, 5);
}

static Range read_range(Reader *reader, const Json *json) {
    Range range = {0};
    const Json *memory = json_at(json, 0), *offset = json_at(json, 1), *size = json_at(json, 2);
    if (json->kind != JSON_ARRAY || json->count != 3 || !is_word(memory) || !is_size(offset) || !is_size(size)) {
        complain(reader, json, "a range is [memory, offset, size]");
        return range;
    }
    range = (Range){(uint32_t)memory->number, (uint64_t)offset->number, (uint64_t)size->number};
    if (range.memory >= reader->program->memories.count) {
        complain(reader, json, "there is no memory %u", range.memory);
        return (Range){0};
    }
    if (range.size == 0 || range.offset + range.size > reader->program->memories.items[range.memory].size) {
        complain(reader, json, "the range does not lie inside its memory of %llu bytes",
                 (unsigned long long)reader->program->memories.items[range.memory].size);
        return (Range){0};
    }
    return range;
}

static bool is_permutation(const uint32_t *order, uint32_t count) {
    uint32_t seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (order[i] >= count)
            return false;
        seen |= 1u << order[i];
    }
    return seen == (1u << count) - 1;
}

static ProgramTensor read_tensor(Reader *reader, const Json *object, MemoryKind kind) {
    ProgramTensor tensor = {.type = get_element_type(reader, object)};
    uint32_t dims[LAYOUT_RANK_MAX] = {0}, words[LAYOUT_RANK_MAX] = {0};
    uint32_t rank = get_words(reader, object, "dims", dims, LAYOUT_RANK_MAX);
    uint8_t order[LAYOUT_RANK_MAX] = {0};
    if (get_words(reader, object, "order", words, LAYOUT_RANK_MAX) != rank || !is_permutation(words, rank)) {
        complain(reader, object, "order: a permutation of the %u axes is needed", rank);
        return tensor;
    }
    for (uint32_t i = 0; i < rank; i++) {
        order[i] = (uint8_t)words[i];
        if (dims[i] == 0) {
            complain(reader, object, "dims: none may be 0");
            return tensor;
        }
    }
    tensor.layout = layout_make(rank, dims, order);
    const Json *at = json_get(object, "at");
    if (!at) {
        complain(reader, object, "at is missing");
        return tensor;
    }
    tensor.range = read_range(reader, at);
    if (tensor.range.size == 0)
        return tensor;
    if (layout_size(&tensor.layout) > tensor.range.size)
        complain(reader, at, "the tensor needs %llu bytes", (unsigned long long)layout_size(&tensor.layout));
    if (reader->program->memories.items[tensor.range.memory].kind != kind)
        complain(reader, at, "the tensor must lie in a memory of kind \"%s\"", memory_kind_name(kind));
    return tensor;
}

static void read_target(Reader *reader, const Json *root) {
    Target *target = &reader->program->target;
    const Json *json = json_get(root, "target");
    if (!json) {
        complain(reader, root, "target is missing");
        return;
    }
    const char *const names[] = {"cpu", "gpu", "any"}; // in the order of TargetClass
    target->target_class = (TargetClass)get_named(reader, json, "class", names, 3);
    target->subgroup_size = get_word(reader, json, "subgroup_size");
    target->has_subgroup_ballot = get_bool(reader, json, "has_subgroup_ballot");
    target->storage_range_max = get_size(reader, json, "storage_range_max");
    target->allocation_max = get_size(reader, json, "allocation_max");
    target->texel_elements_max = get_size(reader, json, "texel_elements_max");
    target->offset_alignment = get_word(reader, json, "offset_alignment");
    target->storage_bindings_max = get_word(reader, json, "storage_bindings_max");
    target->texel_bindings_max = get_word(reader, json, "texel_bindings_max");
    target->push_bytes_max = get_word(reader, json, "push_bytes_max");
    target->workgroup_size_max = get_word(reader, json, "workgroup_size_max");
    target->groups_max = get_word(reader, json, "groups_max");
    target->shared_bytes_max = get_word(reader, json, "shared_bytes_max");
    uint32_t alignment = target->offset_alignment;
    if (alignment < 16 || (alignment & (alignment - 1)) != 0)
        complain(reader, json, "offset_alignment: a power of two, at least 16, is needed");
}

static void read_memories(Reader *reader, const Json *root) {
    const char *const names[] = {"state", "constant", "scratch", "feed", "result"}; // in the order of MemoryKind
    const Json *list = get_list(reader, root, "memories");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        Memory memory = {.kind = (MemoryKind)get_named(reader, item, "kind", names, MEMORY_KIND_COUNT), .size = get_size(reader, item, "size")};
        if (memory.size == 0)
            complain(reader, item, "size: an empty memory is none");
        array_push(reader->arena, &reader->program->memories, memory);
    }
}

// The name becomes part of a path.
static bool is_file_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    return name[0] && name[0] != '.' && strlen(name) < 200 && strspn(name, letters) == strlen(name);
}

static ProgramKernel read_kernel(Reader *reader, const Json *json) {
    const char *const classes[] = {"map", "reduce", "contract"};  // in the order of KernelClass
    const char *const bindings[] = {"read", "write", "texel"};    // in the order of BindingKind
    ProgramKernel kernel = {.name = get_text(reader, json, "name"), .digest = get_text(reader, json, "digest")};
    if (!is_file_name(kernel.name))
        complain(reader, json, "name: letters, digits, '_', '-' and '.' are needed");
    kernel.kernel_class = (KernelClass)get_named(reader, json, "class", classes, 3);
    get_triple(reader, json, "workgroup", kernel.workgroup);
    const Json *list = get_list(reader, json, "bindings");
    for (const Json *item = list ? list->first : NULL; item; item = item->next)
        array_push(reader->arena, &kernel.bindings, (BindingKind)get_choice(reader, item, bindings, 3));
    kernel.push_words = get_word(reader, json, "push_words");
    kernel.needs_subgroup_ballot = get_bool(reader, json, "needs_subgroup_ballot");
    kernel.spirv_digest = get_optional_text(reader, json, "spirv_digest");
    return kernel;
}

static void read_kernels(Reader *reader, const Json *root) {
    const Json *list = get_list(reader, root, "kernels");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        ProgramKernel kernel = read_kernel(reader, item);
        array_push(reader->arena, &reader->program->kernels, kernel);
    }
}

// The digests of a kernel's two files, and its SPIR-V.
static void load_kernel(Reader *reader, ProgramKernel *kernel, const char *folder) {
    size_t size;
    const char *path = program_kernel_path(reader->arena, folder, kernel->name, ".comp");
    Arena *scratch = arena_create();
    const char *glsl = file_read(scratch, path, &size, reader->diag);
    if (glsl && strcmp(program_kernel_digest(scratch, glsl, size), kernel->digest) != 0)
        diag_error(reader->diag, NULL, "%s: kernel %s was edited: run gcc-graph compile %s", path, kernel->name, folder);
    arena_destroy(&scratch);
    path = program_kernel_path(reader->arena, folder, kernel->name, ".spv");
    if (!glsl)
        return;
    if (!file_exists(path)) {
        diag_error(reader->diag, NULL, "%s is missing: run gcc-graph compile %s", path, folder);
        return;
    }
    const char *bytes = file_read(reader->arena, path, &size, reader->diag);
    if (!bytes)
        return;
    const uint32_t magic = 0x07230203;
    if (kernel->spirv_digest && strcmp(digest_bytes(reader->arena, bytes, size), kernel->spirv_digest) != 0)
        diag_error(reader->diag, NULL, "%s is not the file that was compiled (damaged?): run gcc-graph compile %s", path, folder);
    else if (size < 20 || size % 4 != 0 || memcmp(bytes, &magic, 4) != 0)
        diag_error(reader->diag, NULL, "%s is not SPIR-V: run gcc-graph compile %s", path, folder);
    kernel->spirv = (const uint32_t *)(const void *)bytes;
    kernel->spirv_size = size;
}

static void read_states(Reader *reader, const Json *root) {
    const char *const inits[] = {"constant", "normal", "uniform", "icnr", "copy"};
    const Json *list = get_list(reader, root, "states");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        ProgramState state = {.name = get_text(reader, item, "name"), .kind = get_text(reader, item, "kind")};
        state.network = get_optional_text(reader, item, "network");
        state.tensor = read_tensor(reader, item, MEMORY_STATE);
        state.init = inits[get_named(reader, item, "init", inits, 5)];
        state.init_a = get_number(reader, item, "a");
        state.init_b = get_number(reader, item, "b");
        state.init_factor = json_get(item, "factor") ? get_word(reader, item, "factor") : 0;
        state.init_copy = get_optional_text(reader, item, "copy");
        array_push(reader->arena, &reader->program->states, state);
    }
}

// A copy must lead to a state of the same shape that is drawn; the number of states bounds the chain, so a circle is found.
static void check_copies(Reader *reader) {
    const Program *program = reader->program;
    for (uint32_t i = 0; i < program->states.count && !diag_is_full(reader->diag); i++) {
        const ProgramState *state = &program->states.items[i], *root = state;
        for (uint32_t k = 0; root && strcmp(root->init, "copy") == 0 && k <= program->states.count; k++)
            root = root->init_copy ? program_state(program, root->init_copy) : NULL;
        if (!root || strcmp(root->init, "copy") == 0) {
            diag_error(reader->diag, NULL, "program.json: state %s starts as a copy of nothing", state->name);
            continue;
        }
        const Layout *a = &state->tensor.layout, *b = &root->tensor.layout;
        if (layout_logical_count(a) != layout_logical_count(b) || state->tensor.type != root->tensor.type)
            diag_error(reader->diag, NULL, "program.json: state %s starts as a copy of %s, which has another shape", state->name, root->name);
        if (strcmp(root->init, "icnr") == 0) {
            uint64_t block = (uint64_t)root->init_factor * root->init_factor;
            if (block == 0 || b->rank == 0 || b->dims[0] % block != 0)
                diag_error(reader->diag, NULL, "program.json: state %s: icnr with factor %u needs a multiple of its square as first axis",
                           root->name, root->init_factor);
        }
    }
}

static void read_data(Reader *reader, const Json *root) {
    const Json *list = get_list(reader, root, "data");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        ProgramData data = {.name = get_text(reader, item, "name"), .batch = get_word(reader, item, "batch")};
        const Json *fields = get_list(reader, item, "fields");
        data.fields = arena_alloc(reader->arena, sizeof *data.fields * (fields ? fields->count + 1u : 1u));
        for (const Json *field = fields ? fields->first : NULL; field; field = field->next, data.field_count++) {
            const Json *range = json_get(field, "range");
            data.fields[data.field_count].name = get_text(reader, field, "name");
            data.fields[data.field_count].type = get_element_type(reader, field);
            data.fields[data.field_count].rank = get_words(reader, field, "dims", data.fields[data.field_count].dims, LAYOUT_RANK_MAX);
            data.fields[data.field_count].below = json_get(field, "below") ? get_word(reader, field, "below") : 0;
            if (!range)
                continue;
            if (range->kind != JSON_ARRAY || range->count != 2 || range->first->kind != JSON_NUMBER || range->first->next->kind != JSON_NUMBER) {
                complain(reader, range, "range: [low, high] is needed");
                continue;
            }
            data.fields[data.field_count].has_range = true;
            data.fields[data.field_count].low = range->first->number;
            data.fields[data.field_count].high = range->first->next->number;
        }
        array_push(reader->arena, &reader->program->data, data);
    }
}

static ProgramFeed read_feed(Reader *reader, const Json *json) {
    ProgramFeed feed = {.name = get_text(reader, json, "name")};
    feed.data = get_optional_text(reader, json, "data");
    feed.field = get_optional_text(reader, json, "field");
    feed.split = get_optional_text(reader, json, "split");
    feed.shuffled = get_bool(reader, json, "shuffled");
    feed.pad = get_bool(reader, json, "pad");
    feed.batch = get_word(reader, json, "batch");
    feed.tensor = read_tensor(reader, json, MEMORY_FEED);
    return feed;
}

static uint32_t find_kernel(Reader *reader, const Json *json) {
    const char *name = get_text(reader, json, "kernel");
    // A dispatch's kernel is mostly near the previous one's, but lists are short enough for a plain search.
    for (uint32_t i = 0; i < reader->program->kernels.count; i++) {
        if (strcmp(reader->program->kernels.items[i].name, name) == 0)
            return i;
    }
    complain(reader, json, "kernel: there is no kernel \"%s\"", name);
    return UINT32_MAX;
}

static Dispatch read_dispatch(Reader *reader, const Json *json) {
    Dispatch dispatch = {.kernel = find_kernel(reader, json), .wave = get_word(reader, json, "wave")};
    get_triple(reader, json, "groups", dispatch.groups);
    const Json *list = get_list(reader, json, "ranges");
    for (const Json *item = list ? list->first : NULL; item; item = item->next) {
        Range range = read_range(reader, item);
        array_push(reader->arena, &dispatch.ranges, range);
    }
    dispatch.push.items = get_all_words(reader, json, "push", &dispatch.push.count);
    dispatch.push.capacity = dispatch.push.count;
    dispatch.label = get_text(reader, json, "label");
    dispatch.op_class = get_text(reader, json, "op_class");
    dispatch.flops = get_number(reader, json, "flops");
    dispatch.bytes = get_number(reader, json, "bytes");
    dispatch.values = get_all_words(reader, json, "values", &dispatch.value_count);
    if (dispatch.kernel == UINT32_MAX)
        return dispatch;
    const ProgramKernel *kernel = &reader->program->kernels.items[dispatch.kernel];
    if (dispatch.ranges.count != kernel->bindings.count)
        complain(reader, json, "ranges: kernel %s has %u bindings", kernel->name, kernel->bindings.count);
    if (dispatch.push.count != kernel->push_words)
        complain(reader, json, "push: kernel %s has %u words of push constants", kernel->name, kernel->push_words);
    return dispatch;
}

static ProgramResult read_result(Reader *reader, const Json *json) {
    ProgramResult result = {.name = get_text(reader, json, "name"), .format = get_optional_text(reader, json, "format")};
    result.tensor = read_tensor(reader, json, MEMORY_RESULT);
    const Json *condition = json_get(json, "condition");
    if (!condition)
        return result;
    result.has_condition = true;
    result.condition = read_tensor(reader, condition, MEMORY_RESULT);
    return result;
}

static ProgramPhase read_phase(Reader *reader, const Json *json) {
    ProgramPhase phase = {.name = get_text(reader, json, "name"), .repeat = get_word(reader, json, "repeat")};
    phase.scratch_size = get_size(reader, json, "scratch_size");
    phase.scratch_lower_bound = get_size(reader, json, "scratch_lower_bound");
    const Json *list = get_list(reader, json, "feeds");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        ProgramFeed feed = read_feed(reader, item);
        array_push(reader->arena, &phase.feeds, feed);
    }
    list = get_list(reader, json, "dispatches");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        Dispatch dispatch = read_dispatch(reader, item);
        if (phase.dispatches.count && dispatch.wave < phase.dispatches.items[phase.dispatches.count - 1].wave)
            complain(reader, item, "wave: waves must ascend");
        array_push(reader->arena, &phase.dispatches, dispatch);
    }
    list = get_list(reader, json, "results");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        ProgramResult result = read_result(reader, item);
        array_push(reader->arena, &phase.results, result);
    }
    return phase;
}

static ProgramEntry read_entry(Reader *reader, const Json *json) {
    ProgramEntry entry = {.name = get_text(reader, json, "name"), .training = get_bool(reader, json, "training")};
    entry.steps = get_word(reader, json, "steps");
    const Json *list = get_list(reader, json, "requires");
    entry.requires_trained = ARENA_NEW(reader->arena, const char *, list ? list->count + 1u : 1u);
    for (const Json *item = list ? list->first : NULL; item; item = item->next) {
        if (item->kind == JSON_STRING)
            entry.requires_trained[entry.requires_count++] = item->string;
        else
            complain(reader, item, "requires: names are needed");
    }
    list = get_list(reader, json, "inputs");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        ProgramFeed feed = read_feed(reader, item);
        array_push(reader->arena, &entry.inputs, feed);
    }
    list = get_list(reader, json, "phases");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        ProgramPhase phase = read_phase(reader, item);
        array_push(reader->arena, &entry.phases, phase);
    }
    return entry;
}

static void read_constants(Reader *reader, const Json *root, const char *folder) {
    Program *program = reader->program;
    const Json *json = json_get(root, "constants");
    if (!json) {
        complain(reader, root, "constants is missing");
        return;
    }
    uint64_t needed = 0;
    for (uint32_t i = 0; i < program->memories.count; i++)
        needed += program->memories.items[i].kind == MEMORY_CONSTANT ? program->memories.items[i].size : 0;
    program->constants_size = get_size(reader, json, "size");
    const char *digest = get_text(reader, json, "digest"), *path = file_join(reader->arena, folder, "constants.bin");
    if (program->constants_size != needed) {
        complain(reader, json, "size: the constant memories have %llu bytes", (unsigned long long)needed);
        return;
    }
    size_t size;
    const char *bytes = file_read(reader->arena, path, &size, reader->diag);
    if (!bytes)
        return;
    if (size != program->constants_size)
        diag_error(reader->diag, NULL, "%s has %zu bytes instead of %llu: it is damaged", path, size,
                   (unsigned long long)program->constants_size);
    else if (strcmp(digest_bytes(reader->arena, bytes, size), digest) != 0)
        diag_error(reader->diag, NULL, "%s does not fit its digest: it is damaged", path);
    program->constants = bytes;
}

static void read_all(Reader *reader, const Json *root, const char *folder) {
    Program *program = reader->program;
    program->name = get_text(reader, root, "name");
    program->digest = get_text(reader, root, "digest");
    read_target(reader, root);
    read_memories(reader, root);
    read_kernels(reader, root);
    if (has_errors(reader))
        return;
    const Json *numbers = json_get(root, "numbers");
    if (numbers)
        program->numbers = read_range(reader, numbers);
    else
        complain(reader, root, "numbers is missing");
    if (numbers && program->numbers.size > 0 &&
        (program->numbers.size < NUMBER_COUNT * 4 || program->memories.items[program->numbers.memory].kind != MEMORY_FEED))
        complain(reader, numbers, "numbers: %d bytes in a memory of kind \"feed\" are needed", NUMBER_COUNT * 4);
    read_states(reader, root);
    read_data(reader, root);
    const Json *list = get_list(reader, root, "programs");
    for (const Json *item = list ? list->first : NULL; item && !diag_is_full(reader->diag); item = item->next) {
        ProgramEntry entry = read_entry(reader, item);
        array_push(reader->arena, &program->entries, entry);
    }
    if (has_errors(reader))
        return;
    check_copies(reader);
    read_constants(reader, root, folder);
    for (uint32_t i = 0; !reader->may_be_edited && i < program->kernels.count && !diag_is_full(reader->diag); i++)
        load_kernel(reader, &program->kernels.items[i], folder);
}

static Program *read_program(Arena *arena, const char *folder, bool may_be_edited, Diag *diag) {
    // A Diag of its own: whether this file has errors must not depend on what the caller's already holds.
    Reader reader = {.arena = arena, .diag = diag_create(arena), .program = ARENA_NEW(arena, Program, 1), .may_be_edited = may_be_edited};
    const char *path = file_join(arena, folder, "program.json");
    const Json *root = NULL;
    if (file_is_folder(folder) && !file_exists(path))
        diag_error(reader.diag, NULL, "%s is no bundle: it holds no program.json", folder);
    else
        root = json_read(arena, path, reader.diag);
    if (root && !has_errors(&reader)) {
        const Json *format = json_get(root, "gcc-graph program");
        if (!format || format->kind != JSON_NUMBER)
            complain(&reader, root, "this is no program of gcc-graph");
        else if (format->number != PROGRAM_FORMAT)
            complain(&reader, format, "format %g is not the format %d of this gcc-graph: compile the graph again", format->number, PROGRAM_FORMAT);
        else
            read_all(&reader, root, folder);
    }
    reader.program->folder = arena_copy_text(arena, folder);
    diag_merge(diag, reader.diag);
    return root && !has_errors(&reader) ? reader.program : NULL;
}

Program *program_read(Arena *arena, const char *folder, Diag *diag) { return read_program(arena, folder, false, diag); }

Program *program_read_edited(Arena *arena, const char *folder, Diag *diag) { return read_program(arena, folder, true, diag); }
