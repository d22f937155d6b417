// The verifiers really reject: kernel lists and programs that the compiler made are tampered with, one mistake at a time.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include <check.h>
#include <stdlib.h>

static const struct {
    const char *path, *preset;
} documents[] = {
    {"tests/golden/norm_silu.json", NULL},          {"tests/golden/state_swap.json", NULL}, {"tests/golden/unrolled_step.json", NULL},
    {"graphs/ring_wgan_gp.json", NULL},             {"graphs/unrolled_gan.json", "check"},
};

enum { DOCUMENT_COUNT = sizeof documents / sizeof *documents };

static Arena *arena;
static const char *document; // whose compilation is at hand

static Compiled *compile(uint32_t number) {
    Diag *diag = diag_create(arena);
    document = documents[number].path;
    const char *path = file_join(arena, GG_SOURCE_DIR, document);
    Module *module = read_document(arena, &(ReadOptions){.path = path, .preset = documents[number].preset}, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    Compiled *compiled = compile_module(arena, module, &(CompileOptions){.target = target_default(TARGET_CPU)}, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    return compiled;
}

static KernelList *kernels_of(const Compiled *compiled) { return (KernelList *)(uintptr_t)compiled->phases[0][0].kernels; }
static ProgramPhase *phase_of(const Compiled *compiled) { return &compiled->program->entries.items[0].phases.items[0]; }

static void set_up(void) { arena = arena_create(); }
static void tear_down(void) { arena_destroy(&arena); }

// `said`: what the problem must say.
static void expect_kernels(const KernelList *list, bool good, const char *said, const char *what) {
    Target target = target_default(TARGET_CPU);
    Text problems = text_create(arena);
    bool correct = kernel_verify(list, &target, true, &problems);
    ck_assert_msg(correct == good, "%s: %s: the verifier says \"%s\"", document, what, problems.data);
    ck_assert_msg(good || strstr(problems.data, said), "%s: %s: \"%s\" is not said: %s", document, what, said, problems.data);
}

static void expect_program(const Program *program, bool good, const char *said, const char *what) {
    Text problems = text_create(arena);
    bool correct = program_verify(program, &problems);
    ck_assert_msg(correct == good, "%s: %s: the verifier says \"%s\"", document, what, problems.data);
    ck_assert_msg(good || strstr(problems.data, said), "%s: %s: \"%s\" is not said: %s", document, what, said, problems.data);
}

START_TEST(untouched_lists_and_programs_pass) {
    Compiled *compiled = compile((uint32_t)_i);
    expect_kernels(kernels_of(compiled), true, "", "untouched");
    expect_program(compiled->program, true, "", "untouched");
}
END_TEST

// ---- kernel lists

static const Kernel *writer_of(const KernelList *list, Value value) {
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].stores.count; i++)
            if (list->kernels.items[k].stores.items[i].id == value.id)
                return &list->kernels.items[k];
    return NULL;
}

// Every load, moved into the wave of its store and before it.
START_TEST(a_load_must_follow_its_store) {
    KernelList *list = kernels_of(compile((uint32_t)_i));
    uint32_t tampered = 0;
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        Kernel *kernel = &list->kernels.items[k];
        uint32_t wave = kernel->wave;
        for (uint32_t i = 0; i < kernel->loads.count; i++) {
            const Kernel *writer = writer_of(list, buffer_root(list, kernel->loads.items[i]));
            if (!writer)
                continue;
            kernel->wave = writer->wave;
            expect_kernels(list, false, "stored in wave", "a load in the wave of its store");
            kernel->wave = wave;
            tampered++;
        }
    }
    ck_assert_uint_gt(tampered, 0);
    expect_kernels(list, true, "", "restored");
}
END_TEST

// Every pair of scratch buffers of which one is read while or after the other is written.
START_TEST(live_buffers_must_not_overlap) {
    KernelList *list = kernels_of(compile((uint32_t)_i));
    uint32_t tampered = 0, count = list->graph->nodes.count;
    for (uint32_t a = 1; a < count; a++)
        for (uint32_t b = a + 1; b < count; b++) {
            Buffer *x = &list->buffers[a], *y = &list->buffers[b];
            bool both =
                x->kind == BUFFER_SCRATCH && y->kind == BUFFER_SCRATCH && x->first_wave != UINT32_MAX && y->first_wave != UINT32_MAX;
            if (!both || x->first_wave > y->last_wave || y->first_wave > x->last_wave)
                continue;
            uint64_t offset = y->offset;
            uint32_t last = x->last_wave, first = y->first_wave;
            y->offset = x->offset + (x->size - 1) / 4 * 4;
            expect_kernels(list, false, "overlap", "overlapping live buffers");
            x->last_wave = x->first_wave, y->first_wave = y->last_wave; // a plan that lies about lifetimes is not believed
            expect_kernels(list, false, "overlap", "overlapping live buffers with false lifetimes");
            x->last_wave = last, y->first_wave = first, y->offset = offset;
            tampered++;
        }
    ck_assert(tampered > 0 || list->kernels.count < 4);
    expect_kernels(list, true, "", "restored");
}
END_TEST

static const Output *update_of(const KernelList *list, const char *state) {
    for (uint32_t i = 0; i < list->graph->outputs.count; i++)
        if (list->graph->outputs.items[i].kind == OUTPUT_STATE && !strcmp(list->graph->outputs.items[i].name, state))
            return &list->graph->outputs.items[i];
    return NULL;
}

// Every reader of a state's old value, moved into the wave of the update.
START_TEST(no_update_overtakes_a_reader) {
    uint32_t tampered = 0;
    for (uint32_t d = 0; d < DOCUMENT_COUNT; d++) {
        KernelList *list = kernels_of(compile(d));
        for (uint32_t k = 0; k < list->kernels.count; k++) {
            Kernel *kernel = &list->kernels.items[k];
            uint32_t wave = kernel->wave;
            for (uint32_t i = 0; i < kernel->loads.count; i++) {
                Value root = buffer_root(list, kernel->loads.items[i]);
                const Buffer *buffer = &list->buffers[root.id];
                const Output *update = buffer->kind == BUFFER_STATE && !writer_of(list, root) ? update_of(list, buffer->name) : NULL;
                const Kernel *writer = update ? writer_of(list, buffer_root(list, update->value)) : NULL;
                if (!writer || writer == kernel)
                    continue;
                kernel->wave = writer->wave;
                expect_kernels(list, false, "overwrites", "an update that overtakes a reader");
                kernel->wave = wave;
                tampered++;
            }
        }
        expect_kernels(list, true, "", "restored");
    }
    ck_assert_uint_gt(tampered, 5);
}
END_TEST

START_TEST(stores_must_make_sense) {
    KernelList *list = kernels_of(compile(2));
    Kernel *first = &list->kernels.items[0], *last = &list->kernels.items[list->kernels.count - 1];
    uint32_t count = last->stores.count;
    last->stores.count = 0;
    expect_kernels(list, false, "stores nothing", "no store");
    last->stores.count = count;
    Value value = last->stores.items[0];
    last->stores.items[0] = first->stores.items[0];
    expect_kernels(list, false, "is stored by kernels", "two stores of one value");
    last->stores.items[0] = value;
    BufferKind kind = list->buffers[value.id].kind;
    list->buffers[value.id].kind = BUFFER_NONE;
    expect_kernels(list, false, "has no buffer", "a store without a buffer");
    list->buffers[value.id].kind = kind;
    count = first->stores.count;
    value = first->stores.items[0];
    first->stores.items[0] = (Value){list->graph->nodes.count - 1}; // stored by the last kernel, or by nobody
    expect_kernels(list, false, "nothing stores", "a load that nothing stores");
    first->stores.items[0] = value;
    expect_kernels(list, true, "", "restored");
}
END_TEST

static Kernel *chain_of(const KernelList *list) {
    for (uint32_t k = 0; k < list->kernels.count; k++)
        if (list->kernels.items[k].links.count > 1)
            return &list->kernels.items[k];
    return NULL;
}

// Links in another order, a slice more, a store and a load that the chain does not know of.
START_TEST(links_must_fit_their_chain) {
    KernelList *list = kernels_of(compile(0));
    Kernel *chain = chain_of(list);
    ck_assert_ptr_nonnull(chain);
    Kernel *first = &chain->links.items[0], *last = &chain->links.items[chain->links.count - 1], kept = *first;
    *first = *last, *last = kept;
    expect_kernels(list, false, "which no link before it stores", "links in another order");
    *last = *first, *first = kept;
    uint32_t count = chain->loads.count;
    chain->loads.count = 0;
    expect_kernels(list, false, "the chain does not load", "a load that is the link's alone");
    chain->loads.count = count;
    count = chain->stores.count--;
    expect_kernels(list, false, "the chain does not", "a store that is the link's alone");
    chain->stores.count = count;
    chain->slices += 1;
    expect_kernels(list, false, "is not cut into", "a slice too many");
    chain->slices -= 1;
    expect_kernels(list, true, "", "restored");
}
END_TEST

// ---- programs

static bool conflict(const Program *program, const Step *first, const Step *second) {
    for (uint32_t i = 0; i < first->ranges.count; i++)
        for (uint32_t k = 0; k < second->ranges.count; k++)
            if ((program_step_writes(program, first, i) || program_step_writes(program, second, k)) &&
                range_overlaps(&first->ranges.items[i], &second->ranges.items[k]))
                return true;
    return false;
}

// Any two steps of which one writes what the other touches, with no barrier between them: a read of what was just written, an update
// of what was just read, two writes.
START_TEST(conflicts_need_a_barrier) {
    Compiled *compiled = compile((uint32_t)_i);
    ProgramPhase *phase = phase_of(compiled);
    uint32_t tampered = 0, *waves = ARENA_NEW(arena, uint32_t, phase->steps.count + 1);
    for (uint32_t i = 0; i < phase->steps.count; i++)
        waves[i] = phase->steps.items[i].wave;
    for (uint32_t i = 0; i < phase->steps.count; i++)
        for (uint32_t k = i + 1; k < phase->steps.count; k++) {
            if (!conflict(compiled->program, &phase->steps.items[i], &phase->steps.items[k]))
                continue;
            ck_assert_uint_lt(waves[i], waves[k]);
            for (uint32_t between = i + 1; between <= k; between++)
                phase->steps.items[between].wave = waves[i];
            expect_program(compiled->program, false, "same wave", "a conflict without a barrier");
            for (uint32_t between = i + 1; between <= k; between++)
                phase->steps.items[between].wave = waves[between];
            tampered++;
        }
    ck_assert_uint_gt(tampered, 0);
    expect_program(compiled->program, true, "", "restored");
}
END_TEST

// Each step left out: somebody reads, or a result shows, what nobody has written. A state keeps its old value, which no verifier can
// tell.
START_TEST(nothing_unwritten_is_read) {
    Compiled *compiled = compile((uint32_t)_i);
    Program *program = compiled->program;
    ProgramPhase *phase = phase_of(compiled);
    uint32_t count = phase->steps.count, tampered = 0;
    Step *all = phase->steps.items, *some = ARENA_NEW(arena, Step, count);
    for (uint32_t left_out = 0; left_out < count; left_out++) {
        bool is_seen = false;
        for (uint32_t i = 0; i < all[left_out].ranges.count; i++) {
            const Range *range = &all[left_out].ranges.items[i];
            bool is_written = program_step_writes(program, &all[left_out], i);
            is_seen = is_seen || (is_written && program->memories.items[range->memory].kind == MEMORY_RESULT);
        }
        for (uint32_t i = 0, to = 0; i < count; i++)
            if (i != left_out)
                some[to++] = all[i];
        phase->steps.items = some, phase->steps.count = count - 1;
        if (is_seen) {
            expect_program(program, false, "nothing writes", "a result that nothing writes");
            tampered++;
        }
        phase->steps.items = all, phase->steps.count = count;
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < all[i].ranges.count; k++) {
            Range *range = &all[i].ranges.items[k], kept = *range;
            Memory *memory = &program->memories.items[range->memory];
            if (memory->kind != MEMORY_SCRATCH || program_step_writes(program, &all[i], k))
                continue;
            uint64_t size = memory->size, grain = program->target.offset_alignment;
            range->offset = (size + grain - 1) / grain * grain;
            memory->size = range->offset + range->size;
            expect_program(program, false, "nothing has written", "a read of fresh memory");
            *range = kept, memory->size = size;
            tampered++;
        }
    ck_assert_uint_gt(tampered, 0);
    expect_program(program, true, "", "restored");
}
END_TEST

static uint32_t binding_of(const Program *program, const Step *dispatch, bool is_write) {
    const ProgramKernel *kernel = &program->kernels.items[dispatch->kernel];
    for (uint32_t i = 0; i < kernel->bindings.count; i++)
        if ((kernel->bindings.items[i] == BINDING_WRITE) == is_write)
            return i;
    ck_abort_msg("no such binding");
    return 0;
}

static uint32_t memory_of_kind(const Program *program, MemoryKind kind) {
    for (uint32_t i = 0; i < program->memories.count; i++)
        if (program->memories.items[i].kind == kind)
            return i;
    ck_abort_msg("no such memory");
    return 0;
}

START_TEST(every_dispatch_keeps_the_limits) {
    Program *program = compile((uint32_t)_i)->program;
    ProgramPhase *phase = &program->entries.items[0].phases.items[0];
    for (uint32_t d = 0; d < phase->steps.count; d++) {
        Step *dispatch = &phase->steps.items[d], kept = *dispatch;
        if (dispatch->kind != STEP_DISPATCH)
            continue;
        Range *written = &dispatch->ranges.items[binding_of(program, dispatch, true)], range = *written;
        dispatch->kernel = program->kernels.count;
        expect_program(program, false, "there is no kernel", "a kernel that is not there");
        *dispatch = kept;
        dispatch->groups[d % 3] = 0;
        expect_program(program, false, "workgroups along axis", "no workgroups");
        dispatch->groups[d % 3] = program->target.groups_max + 1;
        expect_program(program, false, "workgroups along one axis", "too many workgroups");
        *dispatch = kept;
        dispatch->push.count++;
        expect_program(program, false, "push constants", "one push constant too many");
        *dispatch = kept;
        dispatch->ranges.count--;
        expect_program(program, false, "ranges", "one range too few");
        *dispatch = kept;
        written->offset += 4, written->size -= 4;
        expect_program(program, false, "a binding's offset is a multiple of", "an unaligned range");
        *written = range;
        written->offset = program->memories.items[range.memory].size;
        expect_program(program, false, "not inside its memory", "a range behind its memory");
        *written = range;
        written->size = UINT64_MAX - range.offset + 1;
        expect_program(program, false, "not inside its memory", "a size that wraps around");
        *written = (Range){memory_of_kind(program, MEMORY_FEED), 0, 64};
        expect_program(program, false, "would write what the host feeds", "a write into a feed");
        *written = range;
    }
    expect_program(program, true, "", "restored");
}
END_TEST

START_TEST(tensors_must_lie_apart) {
    Program *program = compile(2)->program;
    ck_assert_uint_ge(program->states.count, 2);
    ProgramState *a = &program->states.items[0], *b = &program->states.items[1];
    Range range = b->tensor.range;
    b->tensor.range.offset = a->tensor.range.offset;
    expect_program(program, false, "overlap", "two states in one place");
    b->tensor.range = range;
    b->tensor.range.size = 4;
    expect_program(program, false, "needs more bytes", "a state too small");
    b->tensor.range = range;
    Range numbers = program->numbers;
    program->numbers = program->states.items[0].tensor.range;
    expect_program(program, false, "numbers", "numbers in a state's memory");
    program->numbers = numbers;
    expect_program(program, true, "", "restored");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kernel_verify");
    TCase *tests = tcase_create("tampering");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, untouched_lists_and_programs_pass, 0, DOCUMENT_COUNT);
    tcase_add_loop_test(tests, a_load_must_follow_its_store, 0, DOCUMENT_COUNT);
    tcase_add_loop_test(tests, live_buffers_must_not_overlap, 0, DOCUMENT_COUNT);
    tcase_add_test(tests, no_update_overtakes_a_reader);
    tcase_add_test(tests, stores_must_make_sense);
    tcase_add_test(tests, links_must_fit_their_chain);
    tcase_add_loop_test(tests, conflicts_need_a_barrier, 0, DOCUMENT_COUNT);
    tcase_add_loop_test(tests, nothing_unwritten_is_read, 0, DOCUMENT_COUNT);
    tcase_add_loop_test(tests, every_dispatch_keeps_the_limits, 0, DOCUMENT_COUNT);
    tcase_add_test(tests, tensors_must_lie_apart);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
