// Print: plan.txt, the memory map and the order of work, for people.
#include "runtime/program/program.h"

static void print_range(Text *text, const Range *range) {
    text_format(text, "%u:%llu+%llu", range->memory, (unsigned long long)range->offset, (unsigned long long)range->size);
}

static void print_tensor(Text *text, const ProgramTensor *tensor) {
    text_format(text, "%s[", element_name(tensor->type));
    for (uint32_t i = 0; i < tensor->layout.rank; i++)
        text_format(text, "%s%u", i ? "," : "", tensor->layout.dims[i]);
    text_append(text, "]");
    for (uint32_t i = 0; i < tensor->layout.rank; i++) {
        if (tensor->layout.order[i] == i)
            continue;
        text_append(text, " order ");
        for (uint32_t k = 0; k < tensor->layout.rank; k++)
            text_format(text, "%u", tensor->layout.order[k]);
        break;
    }
    text_append(text, " at ");
    print_range(text, &tensor->range);
}

static void print_step(Text *text, const Program *program, const Step *step) {
    bool is_dispatch = step->kind == STEP_DISPATCH;
    const char *size = is_dispatch ? arena_format(text->arena, "%ux%ux%u", step->groups[0], step->groups[1], step->groups[2]) : "";
    text_format(text, "    %-32s %s ", program_step_name(program, step), size);
    for (uint32_t i = 0; i < step->ranges.count; i++) {
        bool is_texel = is_dispatch && program->kernels.items[step->kernel].bindings.items[i] == BINDING_TEXEL;
        text_append(text, program_step_writes(program, step, i) ? " >" : is_texel ? " ~" : " ");
        print_range(text, &step->ranges.items[i]);
    }
    if (step->kind == STEP_FILL)
        text_format(text, "  0x%08x", step->word);
    if (step->flops > 0)
        text_format(text, "  %.3g MFLOP", step->flops * 1e-6);
    text_format(text, "  %.3g MB  %s ; %s\n", step->bytes * 1e-6, step->schedule ? step->schedule : "", step->label ? step->label : "");
}

static void print_phase(Text *text, const Program *program, const ProgramEntry *entry, const ProgramPhase *phase) {
    Arena *arena = text->arena;
    uint32_t count = phase->steps.count, waves = 0;
    for (uint32_t i = 0; i < count; i++)
        waves += i == 0 || phase->steps.items[i].wave != phase->steps.items[i - 1].wave;
    text_format(text, "\nphase %s/%s: %u steps in %u waves, ", entry->name, phase->name, count, waves);
    if (phase->repeat)
        text_format(text, "repeated %u times", phase->repeat);
    else
        text_append(text, "repeated for an epoch");
    text_format(text, "%s\n", program_turns_text(arena, phase));
    if (phase->part != PART_WHOLE)
        text_format(text, "  %u times in each repetition of %s, which accumulates %u batches\n", program_phase_times(phase),
                    program_phase_title(phase), phase->batches);
    double share = phase->scratch_lower_bound ? (double)phase->scratch_size / (double)phase->scratch_lower_bound : 1;
    text_format(text, "  scratch %s, lower bound %s (x %.2f)\n", text_bytes(arena, phase->scratch_size),
                text_bytes(arena, phase->scratch_lower_bound), share);
    for (uint32_t i = 0; i < phase->feeds.count; i++) {
        text_format(text, "  feed %s ", phase->feeds.items[i].name);
        print_tensor(text, &phase->feeds.items[i].tensor);
        text_append(text, "\n");
    }
    for (uint32_t i = 0; i < count; i++) {
        const Step *step = &phase->steps.items[i];
        if (i == 0 || step->wave != phase->steps.items[i - 1].wave)
            text_format(text, "  wave %u\n", step->wave);
        print_step(text, program, step);
    }
    for (uint32_t i = 0; i < phase->results.count; i++) {
        text_format(text, "  %s %s ", result_format_names[phase->results.items[i].format], phase->results.items[i].name);
        print_tensor(text, &phase->results.items[i].tensor);
        text_append(text, "\n");
    }
}

void program_print_plan(Text *text, const Program *program) {
    Arena *arena = text->arena;
    text_format(text, "%s for %s%s\n", program->name, target_text(arena, &program->target), program->is_exact ? "; exact" : "");
    for (ModelFigure i = 0; program->target.model.is_measured && i < FIGURE_COUNT; i++)
        text_format(text, "measured %-22s %12.4g  %s\n", figure_def(i)->name, model_figure(&program->target.model, i), figure_def(i)->unit);
    text_append(text, "ranges are MEMORY:OFFSET+BYTES; > written, ~ read as texels; orders are of axes, outermost first\n\n");
    uint64_t total = 0;
    for (uint32_t i = 0; i < program->memories.count; i++) {
        const Memory *memory = &program->memories.items[i];
        text_format(text, "memory %u  %-8s  %12s bytes  %s\n", i, memory_kind_names[memory->kind], text_thousands(arena, memory->size),
                    text_bytes(arena, memory->size));
        total += memory->size;
    }
    text_format(text, "in all              %12s bytes  %s\n\n", text_thousands(arena, total), text_bytes(arena, total));
    for (uint32_t i = 0; i < program->states.count; i++) {
        text_format(text, "state %-40s ", program->states.items[i].name);
        print_tensor(text, &program->states.items[i].tensor);
        text_format(text, "  ; %s\n", state_kind_names[program->states.items[i].kind]);
    }
    for (uint32_t i = 0; i < program->entries.count; i++) {
        const ProgramEntry *entry = &program->entries.items[i];
        for (uint32_t k = 0; k < entry->phases.count; k++)
            print_phase(text, program, entry, &entry->phases.items[k]);
    }
}
