// Damaged program.json: refused with a message, or a program that the verifier can look at and that writes itself again.
#include "runtime/program/program.h"
#include "tests/fuzz/mutate.h"

static const char GLSL[] = "#version 450\nvoid main() {}\n";
static const uint32_t SPIRV[] = {0x07230203, 0x00010500, 0, 1, 0};

static ProgramTensor tensor(uint32_t rank, const uint32_t *dims, uint32_t memory, uint64_t offset) {
    ProgramTensor out = {.type = ELEMENT_F32, .layout = layout_make(rank, dims, NULL)};
    out.range = (Range){memory, offset, program_tensor_size(&out)};
    return out;
}

static void add_dispatch(Arena *arena, ProgramPhase *phase, uint32_t wave, Range from, Range to) {
    Step dispatch = {.groups = {3, 1, 1}, .wave = wave, .label = "%4 add \"x\"", .work_class = WORK_MAP, .flops = 0.1, .bytes = 12e9};
    array_push(arena, &dispatch.ranges, from);
    array_push(arena, &dispatch.ranges, to);
    array_push(arena, &dispatch.push, UINT32_MAX);
    dispatch.values = ARENA_NEW(arena, uint32_t, 1);
    dispatch.value_count = 1;
    array_push(arena, &phase->steps, dispatch);
}

// A program with one of everything, all of it valid.
static Program *make_program(Arena *arena) {
    static const char constants[64] = "constants";
    Program *program = ARENA_NEW(arena, Program, 1);
    *program = (Program){.name = "p",
                         .digest = "12ab",
                         .target = target_default(TARGET_CPU),
                         .numbers = {3, 0, 64},
                         .constants = constants,
                         .constants_size = 64};
    const Memory memories[] = {
        {MEMORY_STATE, 1024}, {MEMORY_CONSTANT, 64}, {MEMORY_SCRATCH, 512}, {MEMORY_FEED, 1024}, {MEMORY_RESULT, 64}};
    for (int i = 0; i < 5; i++)
        array_push(arena, &program->memories, memories[i]);
    ProgramKernel kernel = {
        .name = "000_add", .workgroup = {64, 1, 1}, .push_words = 1, .digest = program_kernel_digest(arena, GLSL, sizeof GLSL - 1)};
    array_push(arena, &kernel.bindings, BINDING_READ);
    array_push(arena, &kernel.bindings, BINDING_WRITE);
    array_push(arena, &program->kernels, kernel);
    ProgramState weight = {.name = "f.w",
                           .kind = STATE_PARAMETERS,
                           .network = "f",
                           .init = INIT_UNIFORM,
                           .init_a = -0.1,
                           .init_b = 0.1,
                           .tensor = tensor(2, (uint32_t[]){4, 3}, 0, 0)};
    ProgramState average = {
        .name = "o.ema.f.w", .kind = STATE_EMA, .init = INIT_COPY, .init_copy = "f.w", .tensor = tensor(2, (uint32_t[]){4, 3}, 0, 256)};
    array_push(arena, &program->states, weight);
    array_push(arena, &program->states, average);
    ProgramData data = {.name = "images", .batch = 2, .field_count = 1, .fields = arena_alloc(arena, sizeof *data.fields)};
    data.fields[0].name = "image";
    data.fields[0].rank = 3;
    data.fields[0].dims[0] = 1, data.fields[0].dims[1] = data.fields[0].dims[2] = 2;
    data.fields[0].has_range = true, data.fields[0].high = 1;
    array_push(arena, &program->data, data);
    ProgramPhase phase = {.name = "fit", .repeat = 1, .scratch_size = 512, .scratch_lower_bound = 320};
    static const EveryTerm every[] = {{.kind = EVERY_NUMBER, .number = 2}, {.kind = EVERY_EPOCH_STEPS}, {.kind = EVERY_MUL}};
    for (int i = 0; i < 3; i++)
        array_push(arena, &phase.every.terms, every[i]);
    ProgramFeed feed = {.name = "x",
                        .data = "images",
                        .field = "image",
                        .split = "train",
                        .shuffled = true,
                        .batch = 2,
                        .tensor = tensor(4, (uint32_t[]){2, 1, 2, 2}, 3, 256)};
    array_push(arena, &phase.feeds, feed);
    add_dispatch(arena, &phase, 0, (Range){3, 256, 64}, (Range){2, 0, 64});
    add_dispatch(arena, &phase, 1, (Range){2, 0, 64}, (Range){0, 0, 64});
    add_dispatch(arena, &phase, 2, (Range){0, 0, 64}, (Range){4, 0, 64});
    ProgramResult loss = {.name = "loss", .tensor = tensor(0, NULL, 4, 0), .has_condition = true, .condition = tensor(0, NULL, 4, 16)};
    array_push(arena, &phase.results, loss);
    ProgramEntry entry = {.name = "train", .training = true, .steps = 100};
    ProgramFeed input = {.name = "z", .batch = 1, .tensor = tensor(1, (uint32_t[]){5}, 3, 512)};
    array_push(arena, &entry.inputs, input);
    static const char *const listed[] = {"a", "", "bird"};
    ProgramFeed text = {.name = "text", .batch = 1, .tensor = tensor(1, (uint32_t[]){5}, 3, 768), .below = TOKENS_WORDS_FIRST + 3};
    text.tensor.type = ELEMENT_I32;
    text.tokens = tokens_create(arena, "words.txt", listed, 3);
    array_push(arena, &entry.inputs, text);
    array_push(arena, &entry.phases, phase);
    array_push(arena, &program->entries, entry);
    return program;
}

static bool taste_program(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)bytes, (void)size;
    Program *program = program_read(arena, fuzzer->folder, diag);
    Diag *edited = diag_create(arena);
    Program *without = program_read_edited(arena, fuzzer->folder, edited);
    if (program && !without)
        fuzz_fail(fuzzer, "refused only without the kernels' files: %s", diag_text(edited, arena));
    if (!program)
        return false;
    Text problems = text_create(arena), plan = text_create(arena);
    bool is_valid = program_verify(program, &problems);
    if (is_valid != (problems.length == 0))
        fuzz_fail(fuzzer, "the verifier is %s and says: %s", is_valid ? "content" : "not content", problems.data);
    program_print_plan(&plan, program);
    // Written again elsewhere it is the same program.
    Diag *writing = diag_create(arena);
    const char *other = file_join(arena, fuzzer->folder, "again");
    if (!program_write(program, other, writing))
        fuzz_fail(fuzzer, "what was read cannot be written: %s", diag_text(writing, arena));
    Text again_plan = text_create(arena);
    const Program *again = program_read_edited(arena, other, writing);
    if (!again)
        fuzz_fail(fuzzer, "what was written does not read back: %s", diag_text(writing, arena));
    program_print_plan(&again_plan, again);
    if (strcmp(plan.data, again_plan.data))
        fuzz_fail(fuzzer, "it reads back as another program:\n%s\n%s", plan.data, again_plan.data);
    return true;
}

int main(int count, char **arguments) {
    static const char *const words[] = {"\"f32\"",  "\"u8\"",   "\"scratch\"", "\"state\"", "\"write\"",  "\"texel\"",
                                        "null",     "[]",       "{}",          "-1",        "4294967295", "18446744073709551615",
                                        "[9,0,64]", "[2,0,64]", "\"../../x\"", "1e30",      "\"map\"",    "\"tokens\": \"words.txt\", ",
                                        "\"//\"",   "\"max\"",  "\"when\": \"fit.loss > 1\",", "\"stop\": \"x\",", "\"conditions\": true,", "\"mode\": \"eval\","};
    FuzzTime time = fuzz_arguments(count, arguments, 4);
    Fuzzer *fuzzer = fuzzer_create("program", words, sizeof words / sizeof *words);
    const char *kernels = file_join(fuzzer->arena, fuzzer->folder, "kernels"), *again = file_join(fuzzer->arena, fuzzer->folder, "again");
    bool good = file_make_folders(kernels, fuzzer->diag) && file_make_folders(again, fuzzer->diag) &&
                file_write(file_join(fuzzer->arena, kernels, "000_add.comp"), GLSL, sizeof GLSL - 1, fuzzer->diag) &&
                file_write(file_join(fuzzer->arena, kernels, "000_add.spv"), SPIRV, sizeof SPIRV, fuzzer->diag) &&
                program_write(make_program(fuzzer->arena), fuzzer->folder, fuzzer->diag);
    if (!good) {
        diag_print(fuzzer->diag, stderr);
        return EXIT_FAILURE;
    }
    fuzzer_add_file(fuzzer, file_join(fuzzer->arena, fuzzer->folder, "program.json"));
    fuzzer_run(&fuzzer, taste_program, time.seconds, time.first, time.count);
    return EXIT_SUCCESS;
}
