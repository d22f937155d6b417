// Verify: replays the steps of each phase over byte ranges, and checks every limit of the target. It believes nothing of the planner.
#include "runtime/program/exact.h"
#include "runtime/program/program.h"
#include <stdlib.h>

enum { NOBODY = UINT32_MAX, HOST = UINT32_MAX - 1 }; // instead of a step's number

// Bytes of a memory with one history.
typedef struct {
    uint64_t begin, end;
    uint32_t writer, write_wave; // NOBODY: not written yet in this phase; HOST: written before it
    uint32_t reader, read_wave;  // the last reader since
} Segment;

typedef ARRAY(Segment) Segments;

typedef struct {
    Arena *arena;
    const Program *program;
    Text *problems;
    bool failed;
    const char *where;  // "train/denoise"
    Segments *memories; // sorted and without gaps
} Verifier;

__attribute__((format(printf, 2, 3))) static void fail(Verifier *verifier, const char *format, ...) {
    va_list list;
    va_start(list, format);
    text_format(verifier->problems, "%s: %s\n", verifier->where, arena_format_list(verifier->arena, format, list));
    va_end(list);
    verifier->failed = true;
}

// What `whose` takes of a limit is no more than the target allows.
static bool check_use(Verifier *verifier, const char *whose, Capability capability, uint64_t used) {
    const CapabilityDef *def = capability_def(capability);
    uint64_t allowed = target_value(&verifier->program->target, capability);
    bool is_multiple = def->rule == RULE_MULTIPLE, good = is_multiple ? allowed > 0 && used % allowed == 0 : used <= allowed;
    if (!good)
        fail(verifier, "%s: %s: %llu, but %s %llu is allowed", whose, def->text, (unsigned long long)used, is_multiple ? "a multiple of" : "at most",
             (unsigned long long)allowed);
    return good;
}

static const char *range_text(Verifier *verifier, const Range *range) {
    return arena_format(verifier->arena, "[%u, %llu, %llu]", range->memory, (unsigned long long)range->offset,
                        (unsigned long long)range->size);
}

static MemoryKind kind_of(const Verifier *verifier, const Range *range) { return verifier->program->memories.items[range->memory].kind; }

static bool is_inside(const Verifier *verifier, const Range *range) {
    const Program *program = verifier->program;
    if (range->memory >= program->memories.count || range->size == 0)
        return false;
    uint64_t size = program->memories.items[range->memory].size;
    return range->offset < size && range->size <= size - range->offset;
}

// The index of the segment that begins at `at`, which is cut there if needed.
static uint32_t cut(Verifier *verifier, Segments *segments, uint64_t at) {
    uint32_t low = 0, high = segments->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (segments->items[middle].end <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == segments->count || segments->items[low].begin == at)
        return low;
    Segment upper = segments->items[low];
    upper.begin = at;
    array_push(verifier->arena, segments, upper);
    memmove(&segments->items[low + 2], &segments->items[low + 1], sizeof(Segment) * (segments->count - low - 2));
    segments->items[low].end = at;
    segments->items[low + 1] = upper;
    return low + 1;
}

static void mark(Verifier *verifier, const Range *range, uint32_t writer) {
    Segments *segments = &verifier->memories[range->memory];
    uint32_t first = cut(verifier, segments, range->offset), last = cut(verifier, segments, range->offset + range->size);
    for (uint32_t i = first; i < last; i++)
        segments->items[i].writer = writer;
}

// What a phase finds when it begins: states and constants hold something, feeds where the host copies them, the rest nothing.
static void start_phase(Verifier *verifier, const ProgramEntry *entry, const ProgramPhase *phase) {
    const Program *program = verifier->program;
    verifier->memories = ARENA_NEW(verifier->arena, Segments, program->memories.count);
    for (uint32_t i = 0; i < program->memories.count; i++) {
        MemoryKind kind = program->memories.items[i].kind;
        bool is_filled = kind == MEMORY_STATE || kind == MEMORY_CONSTANT;
        Segment segment = {0, program->memories.items[i].size, is_filled ? HOST : NOBODY, NOBODY, NOBODY, NOBODY};
        array_push(verifier->arena, &verifier->memories[i], segment);
    }
    mark(verifier, &program->numbers, HOST);
    for (uint32_t i = 0; i < entry->inputs.count; i++)
        mark(verifier, &entry->inputs.items[i].tensor.range, HOST);
    for (uint32_t i = 0; i < phase->feeds.count; i++)
        mark(verifier, &phase->feeds.items[i].tensor.range, HOST);
}

static const char *label_of(const ProgramPhase *phase, uint32_t dispatch) {
    return dispatch < phase->steps.count && phase->steps.items[dispatch].label ? phase->steps.items[dispatch].label
                                                                                         : "the host";
}

// The largest alignment of a binding's offset that Vulkan lets a device ask for, whichever device the program was compiled for.
enum { ALIGNMENT_MAX = 256 };

static void check_access(Verifier *verifier, const ProgramPhase *phase, uint32_t number, const Range *range, bool is_write) {
    const Step *dispatch = &phase->steps.items[number];
    Segments *segments = &verifier->memories[range->memory];
    uint32_t first = cut(verifier, segments, range->offset), last = cut(verifier, segments, range->offset + range->size);
    for (uint32_t i = first; i < last; i++) {
        const Segment *segment = &segments->items[i];
        // A gap that only aligns the neighbours on both sides may be read along with them.
        bool is_gap = segment->end - segment->begin < ALIGNMENT_MAX && i > first && i + 1 < last;
        if (!is_write && segment->writer == NOBODY && !is_gap) {
            fail(verifier, "step %u (%s) reads %s, of which nothing has written bytes %llu to %llu", number, label_of(phase, number),
                 range_text(verifier, range), (unsigned long long)segment->begin, (unsigned long long)segment->end);
            return;
        }
        if (segment->writer != NOBODY && segment->write_wave == dispatch->wave && segment->writer != HOST) {
            fail(verifier, "step %u (%s) %s %s, which step %u (%s) writes in the same wave %u", number, label_of(phase, number),
                 is_write ? "writes" : "reads", range_text(verifier, range), segment->writer, label_of(phase, segment->writer),
                 dispatch->wave);
            return;
        }
        if (is_write && segment->reader != NOBODY && segment->read_wave == dispatch->wave) {
            fail(verifier, "step %u (%s) writes %s, which step %u (%s) reads in the same wave %u", number, label_of(phase, number),
                 range_text(verifier, range), segment->reader, label_of(phase, segment->reader), dispatch->wave);
            return;
        }
    }
}

static void note_access(Verifier *verifier, uint32_t number, uint32_t wave, const Range *range, bool is_write) {
    Segments *segments = &verifier->memories[range->memory];
    uint32_t first = cut(verifier, segments, range->offset), last = cut(verifier, segments, range->offset + range->size);
    for (uint32_t i = first; i < last; i++) {
        Segment *segment = &segments->items[i];
        if (is_write) {
            segment->writer = number;
            segment->write_wave = wave;
        } else {
            segment->reader = number;
            segment->read_wave = wave;
        }
    }
}

static bool contains(const Range *a, const Range *b) { return a->offset <= b->offset && b->offset + b->size <= a->offset + a->size; }

// Inside one dispatch a range may be read and written (in place), but not half of it, and no two ranges may write the same bytes. A copy is not
// made in place.
static void check_own_overlaps(Verifier *verifier, const ProgramPhase *phase, uint32_t number) {
    const Step *step = &phase->steps.items[number];
    for (uint32_t i = 0; i < step->ranges.count; i++) {
        if (!program_step_writes(verifier->program, step, i))
            continue;
        for (uint32_t k = 0; k < step->ranges.count; k++) {
            const Range *a = &step->ranges.items[i], *b = &step->ranges.items[k];
            bool both_write = program_step_writes(verifier->program, step, k);
            if (k == i || (both_write && k < i) || !range_overlaps(a, b))
                continue;
            if (both_write || step->kind != STEP_DISPATCH || !(contains(a, b) || contains(b, a)))
                fail(verifier, "step %u (%s): ranges %u and %u overlap: %s and %s", number, label_of(phase, number), i, k,
                     range_text(verifier, a), range_text(verifier, b));
        }
    }
}

static bool check_range(Verifier *verifier, const ProgramPhase *phase, uint32_t number, uint32_t binding) {
    const Step *dispatch = &phase->steps.items[number];
    const Range *range = &dispatch->ranges.items[binding];
    bool is_dispatch = dispatch->kind == STEP_DISPATCH, is_write = program_step_writes(verifier->program, dispatch, binding);
    bool is_texel = is_dispatch && verifier->program->kernels.items[dispatch->kernel].bindings.items[binding] == BINDING_TEXEL;
    const char *problem = NULL, *whose = arena_format(verifier->arena, "step %u (%s): range %u: %s", number, label_of(phase, number),
                                                      binding, range_text(verifier, range));
    if (!is_inside(verifier, range))
        problem = "is not inside its memory";
    else if (!is_dispatch && range->offset % ELEMENT_WORD != 0)
        problem = "has an offset that is not aligned";
    else if (range->size % ELEMENT_WORD != 0 || (is_texel && range->size % element_vector(ELEMENT_F32) != 0))
        problem = "has a size that is no whole number of elements";
    else if (is_write && kind_of(verifier, range) == MEMORY_CONSTANT)
        problem = "would write a constant";
    else if (is_write && kind_of(verifier, range) == MEMORY_FEED)
        problem = "would write what the host feeds";
    if (problem) {
        fail(verifier, "%s %s", whose, problem);
        return false;
    }
    if (!is_dispatch) // nothing is bound
        return true;
    bool good = check_use(verifier, whose, CAPABILITY_offset_alignment, range->offset);
    return check_use(verifier, whose, is_texel ? CAPABILITY_texel_elements_max : CAPABILITY_storage_range_max,
                     is_texel ? range->size / element_vector(ELEMENT_F32) : range->size) &&
           good;
}

static bool check_dispatch(Verifier *verifier, const ProgramPhase *phase, uint32_t number) {
    const Program *program = verifier->program;
    const Step *dispatch = &phase->steps.items[number];
    if (dispatch->kernel >= program->kernels.count) {
        fail(verifier, "step %u: there is no kernel %u", number, dispatch->kernel);
        return false;
    }
    const ProgramKernel *kernel = &program->kernels.items[dispatch->kernel];
    bool good = dispatch->ranges.count == kernel->bindings.count && dispatch->push.count == kernel->push_words;
    if (!good)
        fail(verifier, "step %u (%s): %u ranges and %u words of push constants, but kernel %s has %u and %u", number,
             label_of(phase, number), dispatch->ranges.count, dispatch->push.count, kernel->name, kernel->bindings.count,
             kernel->push_words);
    const char *whose = arena_format(verifier->arena, "step %u (%s)", number, label_of(phase, number));
    for (uint32_t i = 0; i < 3; i++) {
        if (dispatch->groups[i] == 0)
            fail(verifier, "%s: no workgroups along axis %u", whose, i);
        good = check_use(verifier, whose, CAPABILITY_groups_max, dispatch->groups[i]) && dispatch->groups[i] > 0 && good;
    }
    return good;
}

static bool check_transfer(Verifier *verifier, const ProgramPhase *phase, uint32_t number) {
    const Step *step = &phase->steps.items[number];
    uint32_t wanted = step->kind == STEP_COPY ? 2 : 1;
    if (step->ranges.count != wanted)
        fail(verifier, "step %u (%s): a %s has %u ranges, not %u", number, label_of(phase, number), step_kind_names[step->kind], wanted,
             step->ranges.count);
    else if (step->kind == STEP_COPY && step->ranges.items[0].size != step->ranges.items[1].size)
        fail(verifier, "step %u (%s): %s is copied to %s, which has another size", number, label_of(phase, number),
             range_text(verifier, &step->ranges.items[0]), range_text(verifier, &step->ranges.items[1]));
    else
        return true;
    return false;
}

static bool check_step(Verifier *verifier, const ProgramPhase *phase, uint32_t number) {
    const Step *step = &phase->steps.items[number];
    bool good = step->kind == STEP_DISPATCH ? check_dispatch(verifier, phase, number) : check_transfer(verifier, phase, number);
    if (number > 0 && step->wave < phase->steps.items[number - 1].wave)
        fail(verifier, "step %u (%s): wave %u after wave %u", number, label_of(phase, number), step->wave, phase->steps.items[number - 1].wave);
    for (uint32_t i = 0; good && i < step->ranges.count; i++)
        good = check_range(verifier, phase, number, i);
    return good;
}

static void replay_step(Verifier *verifier, const ProgramPhase *phase, uint32_t number) {
    const Step *step = &phase->steps.items[number];
    check_own_overlaps(verifier, phase, number);
    for (uint32_t i = 0; i < step->ranges.count; i++)
        check_access(verifier, phase, number, &step->ranges.items[i], program_step_writes(verifier->program, step, i));
    for (uint32_t i = 0; i < step->ranges.count; i++)
        note_access(verifier, number, step->wave, &step->ranges.items[i], program_step_writes(verifier->program, step, i));
}

static bool check_tensor(Verifier *verifier, const char *what, const char *name, const ProgramTensor *tensor, MemoryKind kind) {
    const char *problem = NULL;
    if (!is_inside(verifier, &tensor->range))
        problem = "is not inside its memory";
    else if (kind_of(verifier, &tensor->range) != kind)
        problem = "is in a memory of another kind";
    else if (tensor->range.offset % element_vector(ELEMENT_F32) != 0)
        problem = "has an offset that is not aligned";
    else if (program_tensor_size(tensor) > tensor->range.size)
        problem = "needs more bytes than its range has";
    if (problem)
        fail(verifier, "%s %s %s %s", what, name, range_text(verifier, &tensor->range), problem);
    return !problem;
}

static void check_written(Verifier *verifier, const char *name, const Range *range) {
    Segments *segments = &verifier->memories[range->memory];
    uint32_t first = cut(verifier, segments, range->offset), last = cut(verifier, segments, range->offset + range->size);
    for (uint32_t i = first; i < last; i++) {
        if (segments->items[i].writer == NOBODY) {
            fail(verifier, "result %s %s: nothing writes bytes %llu to %llu", name, range_text(verifier, range),
                 (unsigned long long)segments->items[i].begin, (unsigned long long)segments->items[i].end);
            return;
        }
    }
}

static void check_disjoint(Verifier *verifier, const ProgramFeed *a, const ProgramFeed *b) {
    if (range_overlaps(&a->tensor.range, &b->tensor.range))
        fail(verifier, "feeds %s %s and %s %s overlap", a->name, range_text(verifier, &a->tensor.range), b->name,
             range_text(verifier, &b->tensor.range));
}

static bool check_feeds(Verifier *verifier, const ProgramFeed *feeds, uint32_t count) {
    bool good = true;
    for (uint32_t i = 0; i < count; i++)
        good = check_tensor(verifier, "feed", feeds[i].name, &feeds[i].tensor, MEMORY_FEED) && good;
    for (uint32_t i = 0; good && i < count; i++) {
        if (range_overlaps(&feeds[i].tensor.range, &verifier->program->numbers))
            fail(verifier, "feed %s %s overlaps the numbers", feeds[i].name, range_text(verifier, &feeds[i].tensor.range));
        for (uint32_t k = 0; k < i; k++)
            check_disjoint(verifier, &feeds[i], &feeds[k]);
    }
    return good;
}

static void verify_phase(Verifier *verifier, const ProgramEntry *entry, const ProgramPhase *phase) {
    verifier->where = arena_format(verifier->arena, "%s/%s", entry->name, phase->name);
    bool good = check_feeds(verifier, phase->feeds.items, phase->feeds.count);
    for (uint32_t i = 0; good && i < phase->feeds.count; i++) {
        for (uint32_t k = 0; k < entry->inputs.count; k++)
            check_disjoint(verifier, &phase->feeds.items[i], &entry->inputs.items[k]);
    }
    for (uint32_t i = 0; i < phase->results.count; i++) {
        const ProgramResult *result = &phase->results.items[i];
        good = check_tensor(verifier, "result", result->name, &result->tensor, MEMORY_RESULT) && good;
        good = (!result->has_condition || check_tensor(verifier, "condition", result->name, &result->condition, MEMORY_RESULT)) && good;
    }
    for (uint32_t i = 0; i < phase->steps.count; i++)
        good = check_step(verifier, phase, i) && good;
    if (!good)
        return;
    start_phase(verifier, entry, phase);
    for (uint32_t i = 0; i < phase->steps.count; i++)
        replay_step(verifier, phase, i);
    for (uint32_t i = 0; i < phase->results.count; i++) {
        const ProgramResult *result = &phase->results.items[i];
        Range written = {result->tensor.range.memory, result->tensor.range.offset, program_tensor_size(&result->tensor)};
        check_written(verifier, result->name, &written);
        if (result->has_condition) // a kernel that stores a scalar need not pad it
            check_written(verifier, result->name, &(Range){result->condition.range.memory, result->condition.range.offset, element_stored(result->condition.type)});
    }
}

static void verify_condition(Verifier *verifier, const ProgramEntry *entry, const ProgramPhase *phase) {
    const ProgramResult *result = program_condition(verifier->arena, entry, phase);
    if (!result)
        fail(verifier, "no phase of conditions computes %s%s", phase ? phase->name : "", phase ? ".when" : "stop");
    else if (result->format != RESULT_REPORT || layout_logical_count(&result->tensor.layout) != 1)
        fail(verifier, "the condition %s is no scalar", result->name);
}

// When phases run: what the host will ask is there.
static void verify_turns(Verifier *verifier, const ProgramEntry *entry) {
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        const ProgramPhase *phase = &entry->phases.items[i];
        if (phase->every.terms.count && !every_is_whole(&phase->every))
            fail(verifier, "%s: \"every\" is no formula", phase->name);
        if (phase->is_conditions && (i + 1 < entry->phases.count || phase->repeat != 1 || phase->feeds.count || phase->when))
            fail(verifier, "%s: a phase of conditions is the last one, once a step, and takes no feeds", phase->name);
        if (!phase->when)
            continue;
        verify_condition(verifier, entry, phase);
        const char *name = program_runs_name(verifier->arena, entry, phase);
        const ProgramState *runs = program_state(verifier->program, name);
        if (!runs || runs->tensor.type != ELEMENT_I32 || layout_logical_count(&runs->tensor.layout) != 1)
            fail(verifier, "%s: there is no state %s to count its runs, one i32", phase->name, name);
    }
    if (entry->stop)
        verify_condition(verifier, entry, NULL);
}

// The parts of an accumulating phase stand in a row behind its batch, all of one title: adds and keeps of each level, and one finish.
static void verify_parts(Verifier *verifier, const ProgramEntry *entry, uint32_t first) {
    const ProgramPhase *batch = &entry->phases.items[first];
    uint32_t levels = accumulate_levels(batch->batches), at = first + 1;
    PhasePart wanted[] = {PART_ADD, PART_KEEP, PART_FINISH};
    if (batch->batches < 2 || batch->batches > ACCUMULATE_MAX) {
        fail(verifier, "%u batches a repetition, where 2 to %d may be accumulated", batch->batches, ACCUMULATE_MAX);
        return;
    }
    if ((uint64_t)batch->repeat * batch->batches > INT32_MAX) {
        fail(verifier, "%u repetitions of %u batches; a step has at most %d batches of a phase", batch->repeat, batch->batches, INT32_MAX);
        return;
    }
    for (uint32_t k = 0; k < 3; k++)
        for (uint32_t level = 0; level < (wanted[k] == PART_FINISH ? 1 : levels); level++, at++) {
            const ProgramPhase *part = at < entry->phases.count ? &entry->phases.items[at] : NULL;
            bool fits = part && part->part == wanted[k] && part->level == level && part->batches == batch->batches &&
                        part->repeat == batch->repeat && strcmp(program_phase_title(part), program_phase_title(batch)) == 0;
            if (fits && part->feeds.count == 0)
                continue;
            fail(verifier, "phase %u is not what belongs there after the batch %s: \"%s\" of level %u, of %u batches, without feeds", at,
                 batch->name, phase_part_names[wanted[k]], level, batch->batches);
            return;
        }
}

// Phases as such: whole ones, and batches with what belongs to them.
static void verify_order(Verifier *verifier, const ProgramEntry *entry) {
    for (uint32_t i = 0; i < entry->phases.count && !verifier->failed; i++) {
        const ProgramPhase *phase = &entry->phases.items[i];
        verifier->where = arena_format(verifier->arena, "%s/%s", entry->name, phase->name);
        PhasePart before = i == 0 ? PART_WHOLE : entry->phases.items[i - 1].part;
        if (phase->part == PART_BATCH)
            verify_parts(verifier, entry, i);
        else if (accumulate_is_led(phase->part) && (before == PART_WHOLE || before == PART_FINISH))
            fail(verifier, "\"%s\" follows no batch", phase_part_names[phase->part]);
        else if (phase->part == PART_WHOLE && phase->batches > 0)
            fail(verifier, "%u batches a repetition of a phase that does not accumulate", phase->batches);
    }
}

static void verify_kernel(Verifier *verifier, const ProgramKernel *kernel) {
    const char *whose = arena_format(verifier->arena, "kernel %s", kernel->name);
    uint32_t texels = 0, count = kernel->bindings.count;
    for (uint32_t k = 0; k < count; k++)
        texels += kernel->bindings.items[k] == BINDING_TEXEL;
    uint64_t plane = (uint64_t)kernel->workgroup[0] * kernel->workgroup[1], depth = kernel->workgroup[2];
    uint64_t invocations = depth > 0 && plane > UINT64_MAX / depth ? UINT64_MAX : plane * depth;
    check_use(verifier, whose, CAPABILITY_storage_bindings_max, count - texels);
    check_use(verifier, whose, CAPABILITY_texel_bindings_max, texels);
    check_use(verifier, whose, CAPABILITY_bindings_max, count);
    check_use(verifier, whose, CAPABILITY_push_bytes_max, (uint64_t)kernel->push_words * ELEMENT_WORD);
    check_use(verifier, whose, CAPABILITY_workgroup_size_max, invocations);
    check_use(verifier, whose, CAPABILITY_shared_bytes_max, kernel->shared_bytes);
    if (invocations == 0)
        fail(verifier, "%s has empty workgroups", whose);
    if (verifier->program->is_exact && kernel->spirv && !exact_holds(kernel->spirv, kernel->spirv_size))
        fail(verifier, "%s may contract arithmetic of an exact program", whose);
    if (kernel->needs_subgroup_ballot && !verifier->program->target.has_subgroup_ballot)
        fail(verifier, "%s needs %s, which the target has not", whose, capability_def(CAPABILITY_has_subgroup_ballot)->text);
}

static int compare_ranges(const void *a, const void *b) {
    const Range *x = &(*(const ProgramState *const *)a)->tensor.range, *y = &(*(const ProgramState *const *)b)->tensor.range;
    if (x->memory != y->memory)
        return x->memory < y->memory ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static void verify_states(Verifier *verifier) {
    const Program *program = verifier->program;
    bool good = true;
    const ProgramState **sorted = ARENA_NEW(verifier->arena, const ProgramState *, program->states.count + 1u);
    for (uint32_t i = 0; i < program->states.count; i++) {
        sorted[i] = &program->states.items[i];
        good = check_tensor(verifier, "state", sorted[i]->name, &sorted[i]->tensor, MEMORY_STATE) && good;
    }
    if (!good)
        return;
    qsort(sorted, program->states.count, sizeof *sorted, compare_ranges);
    for (uint32_t i = 1; i < program->states.count; i++) {
        if (range_overlaps(&sorted[i - 1]->tensor.range, &sorted[i]->tensor.range))
            fail(verifier, "states %s and %s overlap", sorted[i - 1]->name, sorted[i]->name);
    }
}

bool program_verify(const Program *program, Text *problems) {
    Verifier verifier = {.arena = arena_create(), .program = program, .problems = problems, .where = "program"};
    uint64_t constants = 0;
    for (uint32_t i = 0; i < program->memories.count; i++) {
        const Memory *memory = &program->memories.items[i];
        const char *whose = arena_format(verifier.arena, "memory %u (%s)", i, memory_kind_names[memory->kind]);
        check_use(&verifier, whose, CAPABILITY_allocation_max, memory->size);
        if (memory->size == 0)
            fail(&verifier, "%s is empty", whose);
        if (memory->kind == MEMORY_CONSTANT)
            constants += memory->size;
    }
    if (constants != program->constants_size)
        fail(&verifier, "the constant memories have %llu bytes, the constants %llu", (unsigned long long)constants,
             (unsigned long long)program->constants_size);
    bool has_numbers = is_inside(&verifier, &program->numbers) && kind_of(&verifier, &program->numbers) == MEMORY_FEED &&
                       program->numbers.size >= NUMBER_COUNT * ELEMENT_WORD;
    if (!has_numbers)
        fail(&verifier, "the numbers %s are no %d bytes of a feed memory", range_text(&verifier, &program->numbers), NUMBER_COUNT * ELEMENT_WORD);
    for (uint32_t i = 0; i < program->kernels.count; i++)
        verify_kernel(&verifier, &program->kernels.items[i]);
    verify_states(&verifier);
    for (uint32_t i = 0; i < program->entries.count && !verifier.failed; i++) {
        const ProgramEntry *entry = &program->entries.items[i];
        verifier.where = entry->name;
        if (!check_feeds(&verifier, entry->inputs.items, entry->inputs.count))
            break;
        verify_turns(&verifier, entry);
        verify_order(&verifier, entry);
        for (uint32_t k = 0; k < entry->phases.count; k++)
            verify_phase(&verifier, entry, &entry->phases.items[k]);
    }
    bool good = !verifier.failed;
    arena_destroy(&verifier.arena);
    return good;
}
