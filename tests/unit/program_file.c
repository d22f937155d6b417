// program.json: what is written reads back and writes the same bytes; damage of every kind is an error and never a crash; the verifier.
#include "runtime/base/file.h"
#include "runtime/program/program.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static const char glsl[] = "// kernel 000_add: map\n#version 450\n  // reads %1\nvoid main() {} // %4 add\n";
static const uint32_t spirv[] = {0x07230203, 0x00010500, 0, 6, 0, 5u << 16 | 129, 1, 5, 3, 4}; // %5 = OpFAdd %3 %4
static const uint32_t exact[] = {0x07230203, 0x00010500, 0, 6, 0, 3u << 16 | 71, 5, 42, 5u << 16 | 129, 1, 5, 3, 4}; // the same, decorated

static ProgramTensor tensor(ElementType type, uint32_t rank, const uint32_t *dims, const uint8_t *order, uint32_t memory, uint64_t offset) {
    ProgramTensor out = {.type = type, .layout = layout_make(rank, dims, order)};
    out.range = (Range){memory, offset, program_tensor_size(&out)};
    return out;
}

static void add_dispatch(Arena *arena, ProgramPhase *phase, uint32_t wave, Range a, Range b, Range to) {
    Step dispatch = {
        .kernel = 0, .groups = {3, 1, 1}, .wave = wave, .label = "%4 add \"x\"", .work_class = WORK_MAP, .flops = 0.1, .bytes = 12e9};
    array_push(arena, &dispatch.ranges, a);
    array_push(arena, &dispatch.ranges, b);
    array_push(arena, &dispatch.ranges, to);
    array_push(arena, &dispatch.push, UINT32_MAX);
    dispatch.values = ARENA_NEW(arena, uint32_t, 1);
    dispatch.values[0] = 4;
    dispatch.value_count = 1;
    array_push(arena, &phase->steps, dispatch);
}

static ProgramPhase make_phase(Arena *arena) {
    const Range state = {0, 0, 64}, constant = {1, 0, 64}, scratch = {2, 256, 64}, x = {3, 256, 64}, result = {4, 0, 64};
    ProgramPhase phase = {.name = "denoise", .repeat = 0, .scratch_size = 512, .scratch_lower_bound = 320};
    ProgramFeed feed = {.name = "x", .data = "images", .field = "image", .split = "train", .shuffled = true, .batch = 2};
    feed.tensor = tensor(ELEMENT_F32, 4, (uint32_t[]){2, 1, 2, 2}, (uint8_t[]){0, 2, 3, 1}, 3, 256);
    feed.tensor.range.size = 128;
    array_push(arena, &phase.feeds, feed);
    add_dispatch(arena, &phase, 0, x, constant, scratch);
    add_dispatch(arena, &phase, 1, scratch, state, state);
    add_dispatch(arena, &phase, 2, scratch, state, result);
    ProgramResult loss = {.name = "loss", .tensor = tensor(ELEMENT_F32, 0, NULL, NULL, 4, 0), .has_condition = true};
    loss.condition = tensor(ELEMENT_BOOL, 0, NULL, NULL, 4, 16);
    array_push(arena, &phase.results, loss);
    return phase;
}

static Program *make_program(Arena *arena) {
    static const char bytes[64] = "constants";
    Program *program = ARENA_NEW(arena, Program, 1);
    *program = (Program){.name = "ddpm", .digest = "12ab", .target = target_default(TARGET_CPU), .numbers = {3, 0, 64}};
    const Memory memories[] = {
        {MEMORY_STATE, 1024}, {MEMORY_CONSTANT, 64}, {MEMORY_SCRATCH, 512}, {MEMORY_FEED, 1024}, {MEMORY_RESULT, 64}};
    for (int i = 0; i < 5; i++)
        array_push(arena, &program->memories, memories[i]);
    program->constants = bytes;
    program->constants_size = sizeof bytes;
    ProgramKernel kernel = {.name = "000_add", .workgroup = {64, 1, 1}, .push_words = 1, .needs_subgroup_ballot = true};
    kernel.digest = program_kernel_digest(arena, glsl, strlen(glsl));
    const BindingKind kinds[] = {BINDING_TEXEL, BINDING_READ, BINDING_WRITE};
    for (int i = 0; i < 3; i++)
        array_push(arena, &kernel.bindings, kinds[i]);
    array_push(arena, &program->kernels, kernel);
    ProgramState weight = {.name = "unet.weight", .kind = STATE_PARAMETERS, .network = "unet", .init = INIT_UNIFORM, .init_a = -0.1, .init_b = 0.1};
    weight.tensor = tensor(ELEMENT_F32, 2, (uint32_t[]){4, 3}, (uint8_t[]){1, 0}, 0, 0);
    weight.tensor.range.size = 64;
    ProgramState average = {.name = "opt.ema.unet.weight", .kind = STATE_EMA, .init = INIT_COPY, .init_copy = "unet.weight"};
    average.tensor = tensor(ELEMENT_F32, 2, (uint32_t[]){4, 3}, NULL, 0, 256);
    array_push(arena, &program->states, weight);
    array_push(arena, &program->states, average);
    ProgramData data = {.name = "images", .batch = 2, .field_count = 1};
    data.fields = arena_alloc(arena, sizeof *data.fields);
    data.fields[0].name = "image";
    data.fields[0].rank = 3;
    data.fields[0].dims[0] = 1;
    data.fields[0].dims[1] = data.fields[0].dims[2] = 2;
    data.fields[0].has_range = true;
    data.fields[0].low = -1;
    data.fields[0].high = 1;
    data.fields[0].below = 10;
    data.has_augment = true;
    data.augment = (ProgramAugment){.resize = {3, 0}, .crop = {2, 2}, .flip = true, .colour = 0.1};
    array_push(arena, &program->data, data);
    ProgramEntry entry = {.name = "train", .training = true, .steps = 100, .requires_count = 1};
    entry.requires_trained = ARENA_NEW(arena, const char *, 1);
    entry.requires_trained[0] = "s1.G";
    static const double defaults[] = {3, 4.5};
    ProgramFeed input = {.name = "z",
                         .batch = 1,
                         .tensor = tensor(ELEMENT_I32, 1, (uint32_t[]){5}, NULL, 3, 512),
                         .has_range = true,
                         .low = -2,
                         .high = 3,
                         .below = 12,
                         .defaults = defaults,
                         .default_count = 2};
    array_push(arena, &entry.inputs, input);
    ProgramPhase phase = make_phase(arena);
    array_push(arena, &entry.phases, phase);
    array_push(arena, &program->entries, entry);
    return program;
}

typedef struct {
    Arena *arena;
    Diag *diag;
    const char *folder;
} Bundle;

static Bundle write_bundle(void) {
    Bundle bundle = {.arena = arena_create()};
    bundle.diag = diag_create(bundle.arena);
    char *folder = arena_copy_text(bundle.arena, "/tmp/gcc-graph-program-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    bundle.folder = folder;
    const char *kernels = arena_format(bundle.arena, "%s/kernels", folder);
    ck_assert(file_make_folders(kernels, bundle.diag));
    ck_assert(file_write(program_kernel_path(bundle.arena, folder, "000_add", ".comp"), glsl, strlen(glsl), bundle.diag));
    ck_assert(file_write(program_kernel_path(bundle.arena, folder, "000_add", ".spv"), spirv, sizeof spirv, bundle.diag));
    const Program *program = make_program(bundle.arena);
    ck_assert_msg(program_write(program, folder, bundle.diag), "%s", diag_text(bundle.diag, bundle.arena));
    return bundle;
}

static void end_bundle(Bundle *bundle) {
    ck_assert(file_remove_tree(bundle->folder, bundle->diag));
    arena_destroy(&bundle->arena);
}

static char *json_of(Bundle *bundle, size_t *size) {
    return file_read(bundle->arena, file_join(bundle->arena, bundle->folder, "program.json"), size, bundle->diag);
}

static void put_json(Bundle *bundle, const char *text, size_t size) {
    ck_assert(file_write(file_join(bundle->arena, bundle->folder, "program.json"), text, size, bundle->diag));
}

START_TEST(round_trip) {
    Bundle bundle = write_bundle();
    size_t size, again_size;
    const char *first = json_of(&bundle, &size);
    Program *program = program_read(bundle.arena, bundle.folder, bundle.diag);
    ck_assert_msg(program != NULL, "%s", diag_text(bundle.diag, bundle.arena));
    ck_assert_str_eq(program->name, "ddpm");
    ck_assert_str_eq(program->folder, bundle.folder);
    ck_assert_uint_eq(program->kernels.items[0].spirv_size, sizeof spirv);
    ck_assert_uint_eq(program->entries.items[0].phases.items[0].steps.items[1].push.items[0], UINT32_MAX);
    ck_assert_double_eq(program->states.items[0].init_a, -0.1);
    ck_assert_ptr_eq(program_state(program, "unet.weight"), &program->states.items[0]);
    ck_assert_ptr_null(program_entry(program, "none"));
    ck_assert(program_write(program, bundle.folder, bundle.diag));
    ck_assert_str_eq(first, json_of(&bundle, &again_size));
    const ProgramAugment *augment = &program->data.items[0].augment;
    ck_assert(program->data.items[0].has_augment && augment->resize[0] == 3 && augment->resize[1] == 0 && augment->crop[1] == 2);
    ck_assert(augment->flip && augment->colour == 0.1);
    const ProgramFeed *input = &program->entries.items[0].inputs.items[0];
    ck_assert(input->has_range && input->low == -2 && input->high == 3 && input->below == 12);
    ck_assert(input->default_count == 2 && input->defaults[1] == 4.5);
    // One line for each dispatch, kernel and state.
    ck_assert_ptr_nonnull(
        strstr(first, "\n            {\"kind\": \"dispatch\", \"wave\": 1, \"kernel\": \"000_add\", \"groups\": [3, 1, 1], \"ranges\": [[2, 256, 64], "));
    Text plan = text_create(bundle.arena);
    program_print_plan(&plan, program);
    ck_assert_ptr_nonnull(strstr(plan.data, "phase train/denoise: 3 steps in 3 waves"));
    ck_assert_ptr_nonnull(strstr(plan.data, "000_add"));
    end_bundle(&bundle);
}
END_TEST

static void expect_error(Bundle *bundle, const char *part) {
    Diag *diag = diag_create(bundle->arena);
    ck_assert_ptr_null(program_read(bundle->arena, bundle->folder, diag));
    ck_assert_uint_gt(diag_error_count(diag), 0);
    const char *text = diag_text(diag, bundle->arena);
    ck_assert_msg(strstr(text, part) != NULL, "%s is not in: %s", part, text);
}

START_TEST(files) {
    Bundle bundle = write_bundle();
    const char *comp = program_kernel_path(bundle.arena, bundle.folder, "000_add", ".comp");
    const char *spv = program_kernel_path(bundle.arena, bundle.folder, "000_add", ".spv");
    const char *constants = file_join(bundle.arena, bundle.folder, "constants.bin");
    static const char recommented[] = "#version 450\n// another comment\n\nvoid main() {}\n",
                      edited[] = "#version 450\nvoid main() { return; }\n";
    ck_assert(file_write(comp, recommented, strlen(recommented), bundle.diag));
    ck_assert_ptr_nonnull(program_read(bundle.arena, bundle.folder, bundle.diag));
    ck_assert(file_write(comp, edited, strlen(edited), bundle.diag));
    expect_error(&bundle, arena_format(bundle.arena, "kernel 000_add was edited: run gcc-graph compile %s", bundle.folder));
    ck_assert(file_write(comp, glsl, strlen(glsl), bundle.diag));
    ck_assert(file_write(spv, spirv, sizeof spirv - 4, bundle.diag));
    expect_error(&bundle, "is not the file that was compiled");
    ck_assert_int_eq(unlink(spv), 0);
    expect_error(&bundle, ".spv is missing: run gcc-graph compile");
    ck_assert(file_write(spv, spirv, sizeof spirv, bundle.diag));
    ck_assert(file_write(constants, "abc", 3, bundle.diag));
    expect_error(&bundle, "has 3 bytes instead of 64");
    ck_assert(file_write(constants, (char[64]){0}, 64, bundle.diag));
    expect_error(&bundle, "does not fit its digest");
    ck_assert_int_eq(unlink(constants), 0);
    expect_error(&bundle, "constants.bin");
    ck_assert_int_eq(unlink(file_join(bundle.arena, bundle.folder, "program.json")), 0);
    expect_error(&bundle, "is no bundle");
    end_bundle(&bundle);
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    ck_assert_ptr_null(program_read(arena, "/nonexistent", diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
    arena_destroy(&arena);
}
END_TEST

// Replaces the first `from` in program.json.
// A bundle made before inputs could declare anything.
START_TEST(plain_inputs) {
    Bundle bundle = write_bundle();
    size_t size;
    const char *text = json_of(&bundle, &size), *declared = ", \"range\": [-2, 3], \"below\": 12, \"default\": [3, 4.5]";
    const char *at = strstr(text, declared);
    ck_assert_ptr_nonnull(at);
    const char *plain = arena_format(bundle.arena, "%.*s%s", (int)(at - text), text, at + strlen(declared));
    put_json(&bundle, plain, strlen(plain));
    Program *program = program_read(bundle.arena, bundle.folder, bundle.diag);
    ck_assert_msg(program != NULL, "%s", diag_text(bundle.diag, bundle.arena));
    const ProgramFeed *input = &program->entries.items[0].inputs.items[0];
    ck_assert(!input->has_range && input->below == 0 && input->default_count == 0);
    end_bundle(&bundle);
}
END_TEST

static const struct {
    const char *from, *to, *error;
} edits[] = {
    {"\"gcc-graph program\": 5", "\"gcc-graph program\": 6", "format 6 of gcc-graph " GG_VERSION " is newer than this gcc-graph " GG_VERSION
                                                            ", which reads formats 1 to 5: gcc-graph " GG_VERSION " or later reads it"},
    {"\"gcc-graph program\": 5", "\"gcc-graph program\": 0", "format 0 of gcc-graph " GG_VERSION " is none that this gcc-graph"},
    {"\"gcc-graph program\": 5", "\"gcc-graph program\": 1.5", "format 1.5 of gcc-graph " GG_VERSION " is none that this gcc-graph"},
    {"\"gcc-graph program\": 5", "\"other\": 1", "no program of gcc-graph"},
    {"\"exact\": false", "\"exact\": 1", "exact: true or false is needed"},
    {"\"exact\": false", "\"exact\": true", "arithmetic of kernel 000_add may be contracted"},
    {"\"kind\": \"scratch\"", "\"kind\": \"scrtach\"", "did you mean \"scratch\""},
    {"[2, 256, 64]", "[2, 500, 64]", "does not lie inside its memory of 512 bytes"},
    {"[2, 256, 64]", "[9, 256, 64]", "there is no memory 9"},
    {"[2, 256, 64]", "[2, -256, 64]", "a range is [memory, offset, size]"},
    {"[2, 256, 64]", "[2, 256]", "a range is [memory, offset, size]"},
    {"[2, 256, 64]", "[2, 256, 1e300]", "a range is [memory, offset, size]"},
    {"[2, 256, 64]", "[2, 256.5, 64]", "a range is [memory, offset, size]"},
    {"\"order\": [0, 2, 3, 1]", "\"order\": [0, 2, 2, 1]", "a permutation of the 4 axes is needed"},
    {"\"order\": [0, 2, 3, 1]", "\"order\": [0, 2, 3, 99]", "a permutation of the 4 axes is needed"},
    {"\"dims\": [2, 1, 2, 2]", "\"dims\": [2, 0, 2, 2]", "none may be 0"},
    {"\"dims\": [2, 1, 2, 2]", "\"dims\": [2, 1, 2, 2, 1, 1, 1]", "at most 6 numbers"},
    {"\"dims\": [2, 1, 2, 2]", "\"dims\": [4294967295, 4294967295, 4294967295, 4294967295]", "the tensor needs 18446744073709551615 bytes"},
    {"\"kind\": \"dispatch\"", "\"kind\": \"exchange\"",
     "kind: this gcc-graph " GG_VERSION " knows no step \"exchange\"; gcc-graph " GG_VERSION ", which wrote it, runs it"},
    {"\"kind\": \"dispatch\"", "\"kind\": \"\"", "knows no step \"\""},
    {"\"kind\": \"dispatch\"", "\"kind\": \"copy\"", "ranges: a copy has 2"},
    {"\"kind\": \"dispatch\"", "\"kind\": \"fill\"", "ranges: a fill has 1"},
    {"\"kind\": \"dispatch\", ", "", "\"kind\" is missing"},
    {"\"groups\": [3, 1, 1]", "\"groups\": [3, 0, 1]", "none of the 3 numbers may be 0"},
    {"\"groups\": [3, 1, 1]", "\"groups\": [3, 1]", "3 numbers are needed"},
    {"\"push\": [4294967295]", "\"push\": []", "has 1 words of push constants"},
    {"\"push\": [4294967295]", "\"push\": [4294967296]", "whole numbers from 0"},
    {"\"kernel\": \"000_add\"", "\"kernel\": \"001_add\"", "there is no kernel \"001_add\""},
    {"\"name\": \"000_add\"", "\"name\": \"../../etc\"", "name: a name may not begin with a dot"},
    {"\"name\": \"000_add\"", "\"name\": \"a/b\"", "name: a name may not hold '/'"},
    {"\"name\": \"denoise\"", "\"name\": \"a\\\\b\"", "name: a name may not hold '\\'"},
    {"\"name\": \"x\"", "\"name\": \"x/../../y\"", "name: a name may not hold"},
    {"\"name\": \"x\"", "\"name\": \"\"", "name: a name may not be empty"},
    {"\"resize\": [3, 0]", "\"resize\": [3]", "resize: [height, width] is needed, at most 16384 each"},
    {"\"resize\": [3, 0]", "\"resize\": [3, 16385]", "resize: [height, width] is needed"},
    {"\"resize\": [3, 0]", "\"resize\": [0, 3]", "augment: a side of 0 beside one that is not"},
    {"\"crop\": [2, 2]", "\"crop\": [2, 0]", "augment: a side of 0 beside one that is not"},
    {"\"flip\": true", "\"flip\": 1", "flip: true or false is needed"},
    {"\"colour\": 0.1", "\"colour\": 1.1", "colour: a number from 0 to 1 is needed"},
    {"\"data\": \"images\"", "\"data\": \"../images\"", "data: a name may not begin with a dot"},
    {"\"field\": \"image\"", "\"field\": \"im\\u0001age\"", "field: a name may not hold control characters"},
    {"\"split\": \"train\"", "\"split\": \"/etc\"", "split: a name may not hold '/'"},
    {"\"copy\": \"unet.weight\"", "\"copy\": \"opt.ema.unet.weight\"", "starts as a copy of nothing"},
    {"\"init\": \"uniform\"", "\"init\": \"uniform\", \"factor\": 77", "icnr with factor 77"},
    {"\"offset_alignment\": 256", "\"offset_alignment\": 100", "a power of two"},
    {"\"offset_alignment\": 256", "\"offset_alignment\": 8", "offset_alignment: at least 16 is needed"},
    {"\"subgroup_size\": 8", "\"subgroup_size\": 0", "subgroup_size: at least 1 is needed"},
    {"\"storage_bindings_max\": 8", "\"storage_bindings_max\": 1", "storage_bindings_max: at least 5 is needed"},
    {"\"wave\": 0", "\"wave\": 7", "waves must ascend"},
    {"\"kind\": \"feed\"", "\"kind\": \"result\"", "memory of kind \"feed\""},
    {"\"size\": 64, \"digest\"", "\"size\": 65, \"digest\"", "the constant memories have 64 bytes"},
    {"\"shuffled\": true", "\"shuffled\": 1", "true or false is needed"},
    {"\"range\": [-1, 1]", "\"range\": [-1]", "[low, high] is needed"},
    {"\"range\": [-2, 3]", "\"range\": 3", "[low, high] is needed"},
    {"\"below\": 12", "\"below\": -1", "below"},
    {"\"default\": [3, 4.5]", "\"default\": []", "default: a number is needed, or several along the first axis"},
    {"\"default\": [3, 4.5]", "\"default\": [3, null]", "default: numbers are needed"},
    {"\"default\": [3, 4.5]", "\"default\": 3", "default: a list is needed"},
};

START_TEST(damage) {
    Bundle bundle = write_bundle();
    size_t size;
    const char *json = json_of(&bundle, &size), *at = strstr(json, edits[_i].from);
    ck_assert_msg(at != NULL, "%s is not in:\n%s", edits[_i].from, json);
    Text text = text_create(bundle.arena);
    text_append_bytes(&text, json, (size_t)(at - json));
    text_append(&text, edits[_i].to);
    text_append(&text, at + strlen(edits[_i].from));
    put_json(&bundle, text.data, text.length);
    expect_error(&bundle, edits[_i].error);
    end_bundle(&bundle);
}
END_TEST

// Random changes of bytes and numbers: the reader answers, whatever it says; what it accepts goes through verifier and printer.
START_TEST(never_crashes) {
    Bundle bundle = write_bundle();
    size_t size;
    const char *json = json_of(&bundle, &size);
    static const char *const pieces[] = {"0", "-1", "4294967295", "1e18", "null", "[]", "{}", "\"x\"", ",", "]", "}", "true", ""};
    uint32_t random = 1;
    for (int round = 0; round < 4000; round++) {
        Arena *arena = arena_create();
        Diag *diag = diag_create(arena);
        random = random * 1664525u + 1013904223u;
        size_t at = (random >> 8) % size, end = at;
        while (end < size && ((json[end] >= '0' && json[end] <= '9') || end == at))
            end++;
        Text text = text_create(arena);
        text_append_bytes(&text, json, at);
        text_append(&text, pieces[(random >> 4) % (sizeof pieces / sizeof *pieces)]);
        text_append(&text, json + end);
        put_json(&bundle, text.data, text.length);
        Program *program = program_read(arena, bundle.folder, diag);
        ck_assert_int_eq(program == NULL, diag_error_count(diag) > 0);
        if (program) {
            Text out = text_create(arena);
            if (program_verify(program, &out))
                program_print_plan(&out, program);
        }
        arena_destroy(&arena);
    }
    end_bundle(&bundle);
}
END_TEST

// ---- the verifier

static void expect_problem(Program *program, const char *part) {
    Arena *arena = arena_create();
    Text problems = text_create(arena);
    bool good = program_verify(program, &problems);
    ck_assert_msg(good == (part == NULL), "expected: %s; found: %s", part ? part : "nothing", problems.data);
    ck_assert_msg(!part || strstr(problems.data, part), "%s is not in: %s", part ? part : "", problems.data);
    arena_destroy(&arena);
}

static const char *replaced(Arena *arena, const char *text, const char *from, const char *to) {
    Text out = text_create(arena);
    for (const char *at; (at = strstr(text, from)); text = at + strlen(from)) {
        text_append_bytes(&out, text, (size_t)(at - text));
        text_append(&out, to);
    }
    text_append(&out, text);
    return out.data;
}

// Lists of tokens come back with the fields and inputs that name them, each list once.
START_TEST(tokens) {
    Bundle bundle = write_bundle();
    static const char *const words[] = {"a", "\xc3\xa4 \"b\"", "", "a\r"};
    const Tokens *list = tokens_create(bundle.arena, "words.txt", words, 4), *bytes = tokens_create(bundle.arena, TOKENS_BYTES, NULL, 0);
    Program *program = make_program(bundle.arena);
    ProgramData *data = program->data.items;
    data->fields = arena_alloc(bundle.arena, 2 * sizeof *data->fields);
    for (uint32_t i = 0; i < 2; i++) {
        data->fields[i].name = i ? "ids" : "text";
        data->fields[i].type = ELEMENT_I32;
        data->fields[i].rank = 1;
        data->fields[i].dims[0] = 8;
        data->fields[i].tokens = i ? list : bytes;
        data->fields[i].below = i ? 261 : 257;
    }
    data->field_count = 2;
    program->entries.items[0].inputs.items[0].tokens = list;
    program->entries.items[0].inputs.items[0].below = 261;
    ck_assert(program_write(program, bundle.folder, bundle.diag));
    size_t size;
    const char *text = json_of(&bundle, &size);
    Program *back = program_read(bundle.arena, bundle.folder, bundle.diag);
    ck_assert_msg(back != NULL, "%s", diag_text(bundle.diag, bundle.arena));
    const Tokens *again = back->data.items[0].fields[1].tokens;
    ck_assert(again && again == back->entries.items[0].inputs.items[0].tokens && again->count == 4);
    ck_assert(back->data.items[0].fields[0].tokens->count == 0);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_str_eq(again->words[i], words[i]);
    static const struct {
        const char *from, *to, *said;
    } cases[] = {
        {"\"below\": 261", "\"below\": 260", "tokens: those of \"words.txt\" are i32 below 261"},
        {"\"tokens\": \"bytes\"", "\"tokens\": \"bites\"", "tokens: there is no list \"bites\""},
        {"\"dims\": [8]", "\"dims\": [4, 2]", "tokens: a field of them has one axis"},
        {"\"words\": [\"a\"", "\"words\": [1", "words: at most 1048576 texts are needed"},
        {"\"words\": [\"a\"", "\"word\": [\"a\"", "words: a list is needed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Diag *diag = diag_create(bundle.arena);
        const char *wrong = replaced(bundle.arena, text, cases[i].from, cases[i].to);
        put_json(&bundle, wrong, strlen(wrong));
        ck_assert_ptr_null(program_read(bundle.arena, bundle.folder, diag));
        ck_assert_msg(strstr(diag_text(diag, bundle.arena), cases[i].said), "%s", diag_text(diag, bundle.arena));
    }
    end_bundle(&bundle);
}
END_TEST

// Before format 3 a phase has dispatches, without a kind; before format 4 all phases run in each step. What is read is written in today's format.
START_TEST(older_formats) {
    Bundle bundle = write_bundle();
    size_t size;
    const char *today = json_of(&bundle, &size);
    const char *older = replaced(bundle.arena, today, "\"gcc-graph program\": 5", arena_format(bundle.arena, "\"gcc-graph program\": %d", _i));
    if (_i < 3)
        older = replaced(bundle.arena, replaced(bundle.arena, older, "\"steps\": [", "\"dispatches\": ["), "\"kind\": \"dispatch\", ", "");
    ck_assert(strcmp(older, today) != 0);
    put_json(&bundle, older, strlen(older));
    Program *back = program_read(bundle.arena, bundle.folder, bundle.diag);
    ck_assert_msg(back != NULL, "%s", diag_text(bundle.diag, bundle.arena));
    ck_assert(program_write(back, bundle.folder, bundle.diag));
    ck_assert_str_eq(json_of(&bundle, &size), today);
    end_bundle(&bundle);
}
END_TEST

static void add_term(Arena *arena, Program *program, EveryKind kind, int32_t number) {
    array_push(arena, &program->entries.items[0].phases.items[0].every.terms, ((EveryTerm){kind, number}));
}

// When phases run.
START_TEST(turns_are_kept) {
    Bundle bundle = write_bundle();
    size_t size;
    Program *program = make_program(bundle.arena);
    add_term(bundle.arena, program, EVERY_NUMBER, 2);
    add_term(bundle.arena, program, EVERY_EPOCH_STEPS, 0);
    add_term(bundle.arena, program, EVERY_MUL, 0);
    program->entries.items[0].phases.items[0].is_eval = true;
    ck_assert(program_write(program, bundle.folder, bundle.diag));
    const char *json = json_of(&bundle, &size);
    ck_assert_ptr_nonnull(strstr(json, "\"mode\": \"eval\",\n          \"every\": [2, \"epoch_steps\", \"*\"],\n"));
    Program *back = program_read(bundle.arena, bundle.folder, bundle.diag);
    ck_assert_msg(back != NULL, "%s", diag_text(bundle.diag, bundle.arena));
    ck_assert_str_eq(program_turns_text(bundle.arena, &back->entries.items[0].phases.items[0]), ", mode eval, every 2*epoch_steps steps");
    ck_assert(program_write(back, bundle.folder, bundle.diag));
    ck_assert_str_eq(json_of(&bundle, &size), json);
    static const char *const damaged[][2] = {{"[2, \"epoch_steps\"]", "every: no formula"},
                                             {"[2.5]", "every: an integer of 32 bits is needed"},
                                             {"[3000000000]", "every: an integer of 32 bits is needed"},
                                             {"[\"years\"]", "every/0: unknown word; known: steps, epoch_steps, +, -"},
                                             {"7", "every: a list is needed"}};
    for (uint32_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        const char *text = replaced(bundle.arena, json, "[2, \"epoch_steps\", \"*\"]", damaged[i][0]);
        put_json(&bundle, text, strlen(text));
        expect_error(&bundle, damaged[i][1]);
    }
    end_bundle(&bundle);
}
END_TEST

// A program that accumulates three batches in its second phase.
static Program *make_parts(Arena *arena) {
    Program *program = make_program(arena);
    ProgramEntry *entry = &program->entries.items[0];
    ProgramPhase batch = entry->phases.items[0];
    static const struct {
        const char *name;
        PhasePart part;
        uint32_t level;
    } parts[] = {{"denoise.add.0", PART_ADD, 0},   {"denoise.add.1", PART_ADD, 1},    {"denoise.keep.0", PART_KEEP, 0},
                 {"denoise.keep.1", PART_KEEP, 1}, {"denoise.finish", PART_FINISH, 0}};
    entry->phases.items[0].name = "before";
    batch.part = PART_BATCH;
    batch.batches = 3;
    batch.title = batch.name;
    array_push(arena, &entry->phases, batch);
    for (uint32_t i = 0; i < 5; i++)
        array_push(arena, &entry->phases,
                   ((ProgramPhase){.name = parts[i].name, .part = parts[i].part, .level = parts[i].level, .batches = 3, .title = "denoise"}));
    return program;
}

START_TEST(parts_of_phases) {
    Bundle bundle = write_bundle();
    const Program *made = make_parts(bundle.arena);
    ck_assert(program_write(made, bundle.folder, bundle.diag));
    Program *back = program_read(bundle.arena, bundle.folder, bundle.diag);
    ck_assert_msg(back != NULL, "%s", diag_text(bundle.diag, bundle.arena));
    for (uint32_t i = 0; i < 7; i++) {
        const ProgramPhase *a = &made->entries.items[0].phases.items[i], *b = &back->entries.items[0].phases.items[i];
        ck_assert(a->part == b->part && a->batches == b->batches && a->level == b->level);
        ck_assert_str_eq(program_phase_title(b), i ? "denoise" : "before");
        ck_assert_uint_eq(program_phase_times(b), i == 1 ? 3 : 1);
    }
    size_t size;
    const char *text = json_of(&bundle, &size);
    static const struct {
        const char *piece, *other, *problem;
    } damages[] = {{"\"part\": \"batch\"", "\"part\": \"bath\"", "part: unknown word; did you mean \"batch\"?"},
                   {"\"batches\": 3", "\"batches\": 1", "batches: 1 in a phase that is \"batch\""},
                   {"\"batches\": 3", "\"batches\": 70000", "batches: 70000 in a phase"},
                   {"\"part\": \"batch\"", "\"part\": \"keep\"", "part: a phase that is \"keep\" follows a batch, and feeds nothing"}};
    for (uint32_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        const char *damaged = replaced(bundle.arena, text, damages[i].piece, damages[i].other);
        Diag *diag = diag_create(bundle.arena);
        put_json(&bundle, damaged, strlen(damaged));
        ck_assert_ptr_null(program_read(bundle.arena, bundle.folder, diag));
        ck_assert_msg(strstr(diag_text(diag, bundle.arena), damages[i].problem) != NULL, "%s", diag_text(diag, bundle.arena));
    }
    end_bundle(&bundle);
}
END_TEST

START_TEST(order_of_parts) {
    Arena *arena = arena_create();
#define PART(i) (program->entries.items[0].phases.items[i])
#define PARTS(change, problem)                                                                                                             \
    do {                                                                                                                                   \
        Program *program = make_parts(arena);                                                                                              \
        change;                                                                                                                            \
        expect_problem(program, problem);                                                                                                  \
    } while (0)
    PARTS((void)program, NULL);
    PARTS(PART(1).batches = 4, "phase 2 is not what belongs there after the batch denoise: \"add\" of level 0, of 4 batches, without feeds");
    PARTS(PART(1).batches = 1, "1 batches a repetition, where 2 to 65536 may be accumulated");
    PARTS(PART(1).repeat = 1u << 30, "1073741824 repetitions of 3 batches; a step has at most 2147483647 batches of a phase");
    PARTS(PART(3).level = 0, "phase 3 is not what belongs there");
    PARTS(PART(4).title = "noise", "phase 4 is not what belongs there");
    PARTS(PART(5).repeat = 2, "phase 5 is not what belongs there after the batch denoise: \"keep\" of level 1");
    PARTS(program->entries.items[0].phases.count = 6, "phase 6 is not what belongs there after the batch denoise: \"finish\" of level 0");
    PARTS(PART(6).feeds = PART(1).feeds, "phase 6 is not what belongs there");
    PARTS(PART(0).part = PART_FINISH, "\"finish\" follows no batch");
    PARTS((PART(1).part = PART_WHOLE, PART(1).batches = 0), "\"add\" follows no batch");
    PARTS(PART(0).batches = 2, "2 batches a repetition of a phase that does not accumulate");
    arena_destroy(&arena);
}
END_TEST

START_TEST(verifier) {
    Arena *arena = arena_create();
#define PHASE (program->entries.items[0].phases.items[0])
#define DISPATCH(i) (PHASE.steps.items[i])
#define CASE(change, part)                                                                                                                 \
    do {                                                                                                                                   \
        Program *program = make_program(arena);                                                                                            \
        change;                                                                                                                            \
        expect_problem(program, part);                                                                                                     \
    } while (0)
    CASE((void)program, NULL);
    CASE(DISPATCH(1).wave = 0, "reads [2, 256, 64], which step 0 (%4 add \"x\") writes in the same wave 0");
    CASE(DISPATCH(2).wave = 1, "reads [0, 0, 64], which step 1");
    CASE(DISPATCH(1).ranges.items[0].offset = 0, "of which nothing has written bytes 0 to 64");
    CASE((DISPATCH(1).ranges.items[0].size = 128), "of which nothing has written bytes 320 to 384");
    CASE((DISPATCH(1).ranges.items[2] = (Range){2, 256, 64}, DISPATCH(1).ranges.items[0] = (Range){0, 0, 64},
          DISPATCH(2).ranges.items[0] = (Range){0, 0, 64}, DISPATCH(2).wave = 1, DISPATCH(2).ranges.items[2] = (Range){0, 0, 64}),
         "writes [0, 0, 64], which step 1 (%4 add \"x\") reads in the same wave 1");
    CASE(DISPATCH(2).ranges.items[2] = ((Range){2, 0, 64}), "result loss [4, 0, 16]: nothing writes bytes 0 to 16");
    CASE(DISPATCH(1).ranges.items[2] = ((Range){1, 0, 64}), "would write a constant");
    CASE(DISPATCH(1).ranges.items[2] = ((Range){3, 256, 64}), "would write what the host feeds");
    CASE(DISPATCH(1).ranges.items[0].offset = 272, "a binding's offset is a multiple of: 272, but a multiple of 256 is allowed");
    CASE(DISPATCH(1).ranges.items[0].size = 60, "no whole number of elements");
    CASE(DISPATCH(1).ranges.items[0].size = 1000, "is not inside its memory");
    CASE(DISPATCH(1).ranges.items[0].memory = 9, "is not inside its memory");
    CASE(program->target.texel_elements_max = 3, "[3, 256, 64]: texels of one texel binding, none where there are no texel loads: 4, but at most 3 is allowed");
    CASE(program->target.storage_range_max = 32, "range 1: [1, 0, 64]: bytes of one storage binding: 64, but at most 32 is allowed");
    CASE(program->target.has_subgroup_ballot = false, "needs subgroupBroadcast");
    CASE(program->target.groups_max = 2, "step 0 (%4 add \"x\"): workgroups along one axis: 3, but at most 2 is allowed");
    CASE(program->target.allocation_max = 1000, "memory 0 (state): bytes of one allocation: 1024, but at most 1000 is allowed");
    CASE(program->target.workgroup_size_max = 32, "kernel 000_add: invocations of a workgroup: 64, but at most 32 is allowed");
    CASE(program->kernels.items[0].shared_bytes = 65536, "kernel 000_add: bytes that a workgroup shares: 65536, but at most 32768 is allowed");
    CASE(program->target.push_bytes_max = 0, "kernel 000_add: bytes of push constants: 4, but at most 0 is allowed");
    CASE(program->target.storage_bindings_max = 1, "kernel 000_add: storage bindings of a kernel: 2, but at most 1 is allowed");
    CASE(program->target.texel_bindings_max = 0, "kernel 000_add: texel bindings of a kernel: 1, but at most 0 is allowed");
    CASE(program->target.bindings_max = 2, "kernel 000_add: bindings of a kernel, all kinds together: 3, but at most 2 is allowed");
    CASE(program->kernels.items[0].workgroup[2] = 0, "kernel 000_add has empty workgroups");
    CASE(DISPATCH(1).groups[1] = 0, "step 1 (%4 add \"x\"): no workgroups along axis 1");
    CASE(program->memories.items[0].size = 0, "memory 0 (state) is empty");
    CASE(DISPATCH(1).push.count = 0, "3 ranges and 0 words of push constants");
    CASE(DISPATCH(1).kernel = 5, "there is no kernel 5");
    CASE(add_term(arena, program, EVERY_ADD, 0), "denoise: \"every\" is no formula");
    CASE(PHASE.when = "true", "no phase of conditions computes denoise.when");
    CASE(PHASE.when = "true", "there is no state train.runs.denoise to count its runs, one i32");
    CASE(program->entries.items[0].stop = "true", "no phase of conditions computes stop");
    CASE(PHASE.is_conditions = true, "denoise: a phase of conditions is the last one, once a step, and takes no feeds");
#define TRANSFER(i, what, a, b)                                                                                                          \
    (DISPATCH(i).kind = what, DISPATCH(i).ranges.items[0] = a, DISPATCH(i).ranges.items[1] = b, DISPATCH(i).ranges.count = what == STEP_COPY ? 2 : 1)
    const Range scratch = {2, 256, 64}, state = {0, 0, 64}, part = {0, 0, 32}, odd = {0, 4, 64};
    CASE(TRANSFER(1, STEP_COPY, scratch, state), NULL);
    CASE(TRANSFER(1, STEP_COPY, scratch, odd), NULL); // nothing is bound
    CASE(TRANSFER(1, STEP_FILL, state, state), NULL);
    CASE(DISPATCH(1).kind = STEP_COPY, "step 1 (%4 add \"x\"): a copy has 2 ranges, not 3");
    CASE(DISPATCH(1).kind = STEP_FILL, "a fill has 1 ranges, not 3");
    CASE(TRANSFER(1, STEP_COPY, scratch, part), "[2, 256, 64] is copied to [0, 0, 32], which has another size");
    CASE(TRANSFER(1, STEP_COPY, state, state), "ranges 1 and 0 overlap");
    CASE(TRANSFER(1, STEP_COPY, ((Range){2, 0, 64}), state), "reads [2, 0, 64], of which nothing has written bytes 0 to 64");
    CASE((TRANSFER(1, STEP_COPY, scratch, state), DISPATCH(1).wave = 0), "which step 0 (%4 add \"x\") writes in the same wave 0");
    CASE(TRANSFER(1, STEP_FILL, ((Range){1, 0, 64}), state), "would write a constant");
    CASE(TRANSFER(1, STEP_FILL, ((Range){0, 2, 64}), state), "has an offset that is not aligned");
    CASE(program->states.items[1].tensor.range.offset = 16, "states unet.weight and opt.ema.unet.weight overlap");
    CASE(program->states.items[1].tensor.range.memory = 2, "is in a memory of another kind");
    CASE(PHASE.feeds.items[0].tensor.range.offset = 32, "feed x [3, 32, 128] overlaps the numbers");
    CASE(program->entries.items[0].inputs.items[0].tensor.range.offset = 256, "feeds x [3, 256, 128] and z [3, 256, 32] overlap");
    CASE((DISPATCH(2).ranges.items[0] = (Range){2, 256, 64}, DISPATCH(2).ranges.items[1] = (Range){2, 256, 64},
          DISPATCH(1).ranges.items[1] = (Range){0, 0, 128}, DISPATCH(1).ranges.items[2] = (Range){0, 0, 64}),
         NULL);
    CASE((program->target.offset_alignment = 16, DISPATCH(1).ranges.items[1] = (Range){0, 32, 64}), "ranges 2 and 1 overlap");
    arena_destroy(&arena);
}
END_TEST

START_TEST(targets) {
    TargetClass out;
    for (TargetClass i = TARGET_CPU; i <= TARGET_ANY; i++) {
        Target target = target_default(i);
        ck_assert(target_class_parse(target_class_name(i), &out) && out == i && target.target_class == i);
        ck_assert_uint_ge(target.offset_alignment, 16);
    }
    ck_assert(!target_class_parse("tpu", &out));
}
END_TEST

START_TEST(exact_programs_come_back) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Bundle bundle = write_bundle();
    Program *program = make_program(bundle.arena);
    program->is_exact = true;
    program->kernels.items[0].spirv = spirv;
    program->kernels.items[0].spirv_size = sizeof spirv;
    Text problems = text_create(arena);
    ck_assert(!program_verify(program, &problems));
    ck_assert_msg(strstr(problems.data, "kernel 000_add may contract arithmetic of an exact program") != NULL, "%s", problems.data);
    program->kernels.items[0].spirv = exact;
    program->kernels.items[0].spirv_size = sizeof exact;
    ck_assert(program_verify(program, &problems));
    ck_assert(file_write(program_kernel_path(bundle.arena, bundle.folder, "000_add", ".spv"), exact, sizeof exact, diag));
    ck_assert(program_write(program, bundle.folder, bundle.diag));
    const Program *read = program_read(arena, bundle.folder, diag);
    ck_assert_msg(read && read->is_exact, "%s", diag_text(diag, arena));
    Text plan = text_create(arena);
    program_print_plan(&plan, read);
    ck_assert_ptr_nonnull(strstr(plan.data, "ddpm for the class cpu; exact\n"));
    end_bundle(&bundle);
    arena_destroy(&arena);
}
END_TEST

// What a device or a bundle states beyond what can be taken is cut to that, limit by limit; the rest stays.
START_TEST(targets_are_clamped) {
    Target stated = target_default(TARGET_GPU);
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        target_set(&stated, i, UINT64_MAX);
    Target clamped = target_clamp(&stated);
    ck_assert_uint_le(clamped.storage_bindings_max + clamped.texel_bindings_max, TARGET_BINDINGS_MAX);
    for (Capability i = 0; i < CAPABILITY_COUNT; i++) {
        ck_assert_uint_ge(target_value(&clamped, i), capability_def(i)->least);
        ck_assert_uint_le(target_value(&clamped, i), capability_def(i)->most);
    }
    ck_assert_int_eq(clamped.target_class, TARGET_GPU);
    stated.workgroup_size_max = 896;
    ck_assert_uint_eq(target_clamp(&stated).workgroup_size_max, 512);
    for (TargetClass c = TARGET_CPU; c <= TARGET_ANY; c++) {
        Target target = target_default(c), same = target_clamp(&target);
        for (Capability i = 0; i < CAPABILITY_COUNT; i++)
            ck_assert_uint_eq(target_value(&same, i), target_value(&target, i));
    }
}
END_TEST

// Bundles of 0.1.0 and 0.2.0 say nothing of the rows that came later.
START_TEST(later_capabilities_may_be_unsaid) {
    Bundle bundle = write_bundle();
    size_t size;
    const char *json = json_of(&bundle, &size), *at = strstr(json, "\"bindings_max\": 64, ");
    ck_assert_ptr_nonnull(at);
    const char *older = arena_format(bundle.arena, "%.*s%s", (int)(at - json), json, at + strlen("\"bindings_max\": 64, "));
    put_json(&bundle, older, strlen(older));
    const Program *program = program_read(bundle.arena, bundle.folder, bundle.diag);
    ck_assert_msg(program != NULL, "%s", diag_text(bundle.diag, bundle.arena));
    ck_assert_uint_eq(program->target.bindings_max, target_default(TARGET_ANY).bindings_max);
    ck_assert_uint_eq(program->target.texel_bindings_max, 16);
    end_bundle(&bundle);
}
END_TEST

// A bundle from elsewhere states the limits of its maker.
START_TEST(targets_of_bundles_are_clamped) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Bundle bundle = write_bundle();
    Program *program = make_program(bundle.arena);
    program->target.storage_bindings_max = program->target.texel_bindings_max = 1000000;
    program->target.device = "a device elsewhere";
    program->kernels.items[0].shared_bytes = 4096;
    ck_assert(program_write(program, bundle.folder, bundle.diag));
    const Program *read = program_read(arena, bundle.folder, diag);
    ck_assert_msg(read != NULL, "%s", diag_text(diag, arena));
    ck_assert_uint_le(read->target.storage_bindings_max + read->target.texel_bindings_max, TARGET_BINDINGS_MAX);
    ck_assert_uint_eq(read->target.groups_max, program->target.groups_max);
    ck_assert_uint_eq(read->kernels.items[0].shared_bytes, 4096);
    ck_assert_str_eq(target_text(arena, &read->target), "a device elsewhere, a device of the class cpu");
    end_bundle(&bundle);
    arena_destroy(&arena);
}
END_TEST

// A step of `count` dispatches of so many FLOPs each, in a phase that repeats.
static bool suits_one_thread(uint32_t count, double flops, uint32_t repeat, uint32_t cores) {
    Arena *arena = arena_create();
    ProgramEntry entry = {.name = "train"};
    ProgramPhase phase = {.name = "both", .repeat = repeat};
    for (uint32_t i = 0; i < count; i++)
        array_push(arena, &phase.steps, ((Step){.flops = flops, .bytes = flops / 10}));
    array_push(arena, &entry.phases, phase);
    bool suits = program_suits_one_thread(&entry, cores);
    arena_destroy(&arena);
    return suits;
}

START_TEST(small_dispatches_suit_one_thread) {
    ck_assert(suits_one_thread(50, 1e5, 1, 2));
    ck_assert(!suits_one_thread(50, 1e7, 1, 2));
    ck_assert(suits_one_thread(50, 1e5, 5, 2) && !suits_one_thread(50, 1e7, 5, 2)); // their size counts, not their number
    ck_assert(suits_one_thread(50, 1e7, 1, 1)); // there is no other
    ck_assert(suits_one_thread(50, 1.5e6, 1, 2) && !suits_one_thread(50, 1.5e6, 1, 16)); // many cores save more
}
END_TEST

int main(void) {
    Suite *suite = suite_create("program");
    TCase *cases = tcase_create("program");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, round_trip);
    tcase_add_test(cases, plain_inputs);
    tcase_add_test(cases, files);
    tcase_add_loop_test(cases, damage, 0, sizeof edits / sizeof *edits);
    tcase_add_test(cases, never_crashes);
    tcase_add_test(cases, verifier);
    tcase_add_test(cases, parts_of_phases);
    tcase_add_test(cases, order_of_parts);
    tcase_add_test(cases, tokens);
    tcase_add_loop_test(cases, older_formats, 1, 5);
    tcase_add_test(cases, turns_are_kept);
    tcase_add_test(cases, targets);
    tcase_add_test(cases, exact_programs_come_back);
    tcase_add_test(cases, targets_are_clamped);
    tcase_add_test(cases, targets_of_bundles_are_clamped);
    tcase_add_test(cases, later_capabilities_may_be_unsaid);
    tcase_add_test(cases, small_dispatches_suit_one_thread);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
