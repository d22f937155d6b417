// Compile: runs the pass table on every phase, verifies and dumps after each pass, writes the bundle.
#include "compiler/compile.h"
#include "compiler/given.h"
#include "compiler/emit/spirv.h"
#include "compiler/ir/differentiate.h"
#include "compiler/passes/emit.h"
#include "compiler/passes/expand.h"
#include "compiler/passes/prepare.h"
#include "compiler/passes/simplify.h"
#include "compiler/passes/split.h"
#include "compiler/passes/winograd.h"
#include "runtime/base/bug.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include "runtime/base/folder.h"
#include <math.h>
#include <stdlib.h>

typedef enum { LEVEL_GRAPH, LEVEL_KERNELS, LEVEL_PROGRAM } Level;

typedef enum {
#define PASS(name, level, summary) PASS_##name,
#include "compiler/passes.def"
#undef PASS
    PASS_COUNT
} Pass;

static const PassInfo pass_infos[PASS_COUNT] = {
#define PASS(name, level, summary) {#name, #level, summary},
#include "compiler/passes.def"
#undef PASS
};

const PassInfo *compile_passes(uint32_t *count) {
    *count = PASS_COUNT;
    return pass_infos;
}

typedef struct {
    Arena *arena;
    const Module *module;
    const CompileOptions *options;
    PassContext context;
    GivenSchedules **given; // [program][phase]; NULL: none
    Diag *diag;
    bool stopped;
} Compile;

__attribute__((noreturn)) static void blame(Pass pass, const char *problems, const char *dump) {
    bug("pass %s:\n%s\n%s", pass_infos[pass].name, problems, dump);
}

static bool is_dumped(const Compile *compile, Pass pass) {
    const char *dump = compile->options->dump;
    return dump && (!strcmp(dump, "all") || !strcmp(dump, pass_infos[pass].name));
}

static void dump(const Compile *compile, Pass pass, const char *program, const char *phase, const char *text) {
    if (is_dumped(compile, pass))
        fprintf(compile->options->dump_stream ? compile->options->dump_stream : stdout, "==== %s: %s/%s\n%s", pass_infos[pass].name, program, phase, text);
}

static bool stops(Compile *compile, Pass pass) {
    bool here = compile->options->stop_after && !strcmp(compile->options->stop_after, pass_infos[pass].name);
    compile->stopped |= here;
    return here;
}

static bool check_graph(Compile *compile, Pass pass, const GraphProgram *program, const Phase *phase, const Graph *graph) {
    Text problems = text_create(compile->arena), text = text_create(compile->arena);
    bool correct = graph_verify(graph, &problems);
    if (!correct || is_dumped(compile, pass))
        graph_print(&text, graph);
    if (!correct)
        blame(pass, problems.data, text.data);
    dump(compile, pass, program->name, phase->name, text.data);
    return !stops(compile, pass);
}

static bool check_kernels(Compile *compile, Pass pass, const GraphProgram *program, const Phase *phase, const KernelList *list) {
    Text problems = text_create(compile->arena), text = text_create(compile->arena);
    bool correct = kernel_verify(list, compile->context.target, pass == PASS_plan, &problems);
    if (!correct || is_dumped(compile, pass))
        kernel_print(&text, list);
    if (!correct)
        blame(pass, problems.data, text.data);
    dump(compile, pass, program->name, phase->name, text.data);
    return !stops(compile, pass);
}

// Layout, fuse, schedule and plan; again when plan finds an update that needs a copy.
static KernelList *lower(Compile *compile, const GraphProgram *program, const Phase *phase, const Graph *graph) {
    bool *copied = ARENA_NEW(compile->arena, bool, graph->outputs.count + 1);
    PassContext context = compile->context;
    if (compile->given) {
        const GivenSchedules *given = &compile->given[program - compile->module->programs.items][phase - program->phases.items];
        context.given = given->items, context.given_count = given->count;
    }
    context.copied = copied;
    for (;;) {
        KernelList *list = layout_graph(compile->arena, graph, &context);
        if (!check_graph(compile, PASS_layout, program, phase, list->graph))
            return NULL;
        fuse_kernels(list, &context);
        if (!check_kernels(compile, PASS_fuse, program, phase, list))
            return NULL;
        const char *where = arena_format(compile->arena, "%s: program %s, phase %s", compile->module->name, program->name, phase->name);
        if (!schedule_kernels(list, &context, where, compile->diag) || !check_kernels(compile, PASS_schedule, program, phase, list))
            return NULL;
        if (!chain_kernels(list, &context, where, compile->diag) || !check_kernels(compile, PASS_chain, program, phase, list))
            return NULL;
        uint32_t copy;
        if (plan_kernels(list, &context, &copy))
            return check_kernels(compile, PASS_plan, program, phase, list) ? list : NULL;
        if (copied[copy]) {
            Text text = text_create(compile->arena);
            kernel_print(&text, list);
            blame(PASS_plan, arena_format(compile->arena, "output %u already has a copy and needs one", copy), text.data);
        }
        copied[copy] = true;
    }
}

// As its kernels would be; nothing is shown of them. NULL: it cannot be compiled.
static const KernelList *lower_silently(const Compile *compile, Arena *arena, const GraphProgram *program, const Phase *phase, const Graph *graph) {
    CompileOptions options = {.target = compile->options->target};
    Compile silent = *compile;
    silent.arena = arena, silent.options = &options, silent.given = NULL, silent.diag = diag_create(arena);
    return lower(&silent, program, phase, graph);
}

// Of the memory that a phase takes without transformed tiles: what it may take with them. With no more than that, one U-Net's phase had room for none of
// its transforms; with this, for nearly all, and less than before plan.c let givers wait.
static const double TRANSFORMED_MEMORY = 1.07;

// As an estimate chooses, transformed tiles take little more memory than there is without them, or no more than the cache holds: those that are live where
// most is taken are given up until that is so, and all of them where none is.
static Graph *transform(const Compile *compile, const GraphProgram *program, const Phase *phase, const Graph *graph) {
    WinogradMoved moved = {.refused = ARENA_NEW(compile->arena, bool, graph->nodes.count)};
    Graph *transformed = winograd_graph(compile->arena, graph, &compile->context, &moved);
    Arena *arena = arena_create();
    bool is_free = moved.ids.count && compile->context.winograd == WINOGRAD_AUTO;
    const KernelList *plain = is_free ? lower_silently(compile, arena, program, phase, graph) : NULL, *list;
    double most = plain ? fmax(TRANSFORMED_MEMORY * (double)plain->scratch_size, compile->context.target->model.cache_size) : 0;
    while (plain && moved.ids.count && (list = lower_silently(compile, arena, program, phase, transformed)) && (double)list->scratch_size > most) {
        if (!winograd_refuse_peak(list, &moved))
            memset(moved.refused, true, graph->nodes.count * sizeof *moved.refused);
        transformed = winograd_graph(compile->arena, graph, &compile->context, &moved);
    }
    arena_destroy(&arena);
    return transformed;
}

static KernelList *compile_phase(Compile *compile, const GraphProgram *program, const Phase *phase) {
    if (!check_graph(compile, PASS_read, program, phase, phase->graph))
        return NULL;
    Graph *graph = prepare_graph(compile->arena, phase->graph);
    if (!check_graph(compile, PASS_prepare, program, phase, graph))
        return NULL;
    graph = differentiate_phase(compile->arena, graph, arena_format(compile->arena, "%s/%s", program->name, phase->name), compile->diag);
    if (!graph || !check_graph(compile, PASS_differentiate, program, phase, graph))
        return NULL;
    graph = expand_graph(compile->arena, graph, NULL, NULL);
    if (!check_graph(compile, PASS_expand, program, phase, graph))
        return NULL;
    graph = simplify_graph(compile->arena, graph);
    if (!check_graph(compile, PASS_simplify, program, phase, graph))
        return NULL;
    graph = split_graph(compile->arena, graph, &compile->context);
    if (!check_graph(compile, PASS_split, program, phase, graph))
        return NULL;
    graph = transform(compile, program, phase, graph);
    if (!check_graph(compile, PASS_winograd, program, phase, graph))
        return NULL;
    return lower(compile, program, phase, graph);
}

// A set that a kernel would have to bind as a whole, larger than a binding; none: 0. Maps over sets run window by window.
static Value unbindable_set(const KernelList *list, const Kernel *kernel, const Target *target) {
    if (kernel->kernel_class == KERNEL_MAP && graph_type(list->graph, kernel->stores.items[0]).set)
        return (Value){0};
    for (uint32_t i = 0; i < kernel->loads.count; i++)
        if (graph_type(list->graph, kernel->loads.items[i]).set && list->buffers[kernel->loads.items[i].id].size > target->storage_range_max)
            return kernel->loads.items[i];
    return (Value){0};
}

// What the target cannot bind, said before anything is written.
static bool fits_target(Compile *compile, const GraphProgram *program, const Phase *phase, const KernelList *list) {
    const Target *target = compile->context.target;
    bool fits = true;
    for (uint32_t id = 1; id < list->graph->nodes.count; id++) {
        const Buffer *buffer = &list->buffers[id];
        if (buffer->kind == BUFFER_NONE || graph_node(list->graph, buffer->value)->type.set || buffer->size <= target->storage_range_max)
            continue;
        Type type = graph_type(list->graph, buffer->value);
        const char *pointer = graph_node(list->graph, buffer->value)->origin.pointer;
        diag_error(compile->diag, NULL, "%s: program %s, phase %s: %s at %s needs %s in one binding, the target allows %s; a smaller batch (-D batch=…) makes it smaller, and \"accumulate\" makes a large one of several",
                   compile->module->name, program->name, phase->name, type_text(compile->arena, &type), pointer ? pointer : "?", text_bytes(compile->arena, buffer->size),
                   text_bytes(compile->arena, target->storage_range_max));
        fits = false;
    }
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        Value set = unbindable_set(list, &list->kernels.items[k], target);
        const char *pointer = set.id ? graph_node(list->graph, list->kernels.items[k].root)->origin.pointer : NULL;
        if (set.id)
            diag_error(compile->diag, NULL, "%s: program %s, phase %s: %s folds a parameter set of %s, the target binds %s at once: split the optimizer's networks, or choose another --target",
                       compile->module->name, program->name, phase->name, pointer ? pointer : "an op", text_bytes(compile->arena, list->buffers[set.id].size),
                       text_bytes(compile->arena, target->storage_range_max));
        fits &= set.id == 0;
    }
    return fits;
}

static bool make_spirv(Compile *compile, Compiled *out, const Emitted *emitted) {
    Program *program = emitted->program;
    SpirvJob *jobs = ARENA_NEW(compile->arena, SpirvJob, program->kernels.count + 1);
    double begin = clock_seconds();
    for (uint32_t k = 0; k < program->kernels.count; k++)
        jobs[k] = (SpirvJob){.name = program->kernels.items[k].name, .source = emitted->sources.items[k], .is_exact = program->is_exact};
    if (!spirv_compile(compile->arena, jobs, program->kernels.count, compile->options->debug_info, compile->options->progress, compile->options->progress_context, compile->diag))
        return false;
    for (uint32_t k = 0; k < program->kernels.count; k++) {
        ProgramKernel *kernel = &program->kernels.items[k];
        out->cached_count += jobs[k].cached;
        kernel->spirv = jobs[k].words;
        kernel->spirv_size = jobs[k].size;
        kernel->spirv_digest = digest_bytes(compile->arena, jobs[k].words, jobs[k].size);
    }
    out->spirv_seconds = clock_seconds() - begin;
    return true;
}

static bool write_kernels(Compile *compile, const Program *program, const Emitted *emitted, const char *folder) {
    Arena *arena = compile->arena;
    const char *kernels = file_join(arena, folder, "kernels");
    if (!file_make_folders(kernels, compile->diag))
        return false;
    for (uint32_t k = 0; k < program->kernels.count; k++) {
        const ProgramKernel *kernel = &program->kernels.items[k];
        const char *source = emitted->sources.items[k];
        if (!file_write_unsynced(file_join(arena, kernels, arena_format(arena, "%s.comp", kernel->name)), source, strlen(source), compile->diag) ||
            !file_write_unsynced(file_join(arena, kernels, arena_format(arena, "%s.spv", kernel->name)), kernel->spirv, kernel->spirv_size, compile->diag))
            return false;
    }
    return true;
}

static bool write_bundle(Compile *compile, const Program *program, const Emitted *emitted, const char *folder) {
    static const char *const entries[] = {"program.json", "constants.bin", "graph.json", "kernels", "plan.txt"};
    Arena *arena = compile->arena;
    FolderWriter *writer = folder_create(arena, folder, entries, sizeof entries / sizeof *entries, compile->diag);
    if (!writer)
        return false;
    Text plan = text_create(arena);
    program_print_plan(&plan, program);
    const char *graph = compile->module->resolved, *fresh = folder_fresh(writer);
    bool written = write_kernels(compile, program, emitted, fresh) && file_write_unsynced(file_join(arena, fresh, "plan.txt"), plan.data, plan.length, compile->diag) &&
                   file_write_unsynced(file_join(arena, fresh, "graph.json"), graph, strlen(graph), compile->diag) && program_write_unsynced(program, fresh, compile->diag);
    if (written)
        return folder_commit(writer, compile->diag);
    folder_abandon(writer);
    return false;
}

static bool can_allocate(Compile *compile, const Program *program) {
    const Target *target = compile->context.target;
    bool fits = true;
    for (uint32_t m = 0; m < program->memories.count; m++) {
        const Memory *memory = &program->memories.items[m];
        if (memory->size <= target->allocation_max)
            continue;
        diag_error(compile->diag, NULL, "%s: needs %s of %s memory in one piece, the target allocates %s at once; a smaller batch (-D batch=…) makes it smaller, and \"accumulate\" makes a large one of several",
                   compile->module->name, text_bytes(compile->arena, memory->size), memory_kind_names[memory->kind], text_bytes(compile->arena, target->allocation_max));
        fits = false;
    }
    return fits;
}

static bool finish(Compile *compile, Compiled *out, KernelList *const *const *phases, const char *folder) {
    Emitted emitted = {0};
    emit_program(compile->arena, compile->module, phases, &compile->context, &emitted);
    Program *program = emitted.program;
    program->digest = digest_bytes(compile->arena, compile->module->resolved, strlen(compile->module->resolved));
    for (uint32_t k = 0; k < program->kernels.count; k++)
        program->kernels.items[k].digest = program_kernel_digest(compile->arena, emitted.sources.items[k], strlen(emitted.sources.items[k]));
    out->program = program;
    out->sources = emitted.sources.items;
    if (!can_allocate(compile, program))
        return false;
    Text problems = text_create(compile->arena);
    if (!program_verify(program, &problems)) {
        Text plan = text_create(compile->arena);
        program_print_plan(&plan, program);
        blame(PASS_emit, problems.data, plan.data);
    }
    if (is_dumped(compile, PASS_emit)) {
        Text plan = text_create(compile->arena);
        program_print_plan(&plan, program);
        dump(compile, PASS_emit, "program", program->name, plan.data);
    }
    for (uint32_t k = 0; k < program->kernels.count; k++)
        dump(compile, PASS_emit, "kernel", program->kernels.items[k].name, emitted.sources.items[k]);
    if (stops(compile, PASS_emit))
        return false;
    if (compile->options->no_spirv)
        return true;
    return make_spirv(compile, out, &emitted) && (!folder || write_bundle(compile, program, &emitted, folder));
}

// Kernels are named as they are without --schedule, so they are made so first.
static bool find_given(Compile *compile, Arena *arena) {
    const CompileOptions *options = compile->options;
    if (options->like)
        compile->given = given_by_program(arena, options->like);
    if (!options->schedule_count)
        return true;
    CompileOptions plain = {.target = options->target, .no_fuse = options->no_fuse, .no_chain = options->no_chain, .reference_schedule = options->reference_schedule, .operands = options->operands, .winograd = options->winograd, .no_spirv = true};
    Compiled *compiled = compile_module(arena, compile->module, &plain, NULL, compile->diag);
    compile->given = compiled ? given_by_options(arena, compiled->program, options->schedules, options->schedule_count, compile->diag) : NULL;
    return compile->given != NULL;
}

Compiled *compile_module(Arena *arena, const Module *module, const CompileOptions *options, const char *folder, Diag *diag) {
    Compile compile = {.arena = arena, .module = module, .options = options, .diag = diag};
    Target target = target_clamp(&options->target);
    compile.context = (PassContext){.module = module, .target = &target, .no_fuse = options->no_fuse, .no_chain = options->no_chain, .stored_as = options->stored_as, .stored_context = options->stored_context, .reference_schedule = options->reference_schedule, .operands = options->operands, .winners = options->winners, .winograd = options->winograd};
    compile.context.sets = layout_sets(arena, module, &target);
    if (!find_given(&compile, arena))
        return NULL;
    Compiled *out = ARENA_NEW(arena, Compiled, 1);
    double begin = clock_seconds();
    KernelList ***phases = ARENA_NEW(arena, KernelList **, module->programs.count + 1);
    out->phases = ARENA_NEW(arena, CompiledPhase *, module->programs.count + 1);
    bool fits = true;
    for (uint32_t p = 0; p < module->programs.count; p++) {
        const GraphProgram *program = &module->programs.items[p];
        phases[p] = ARENA_NEW(arena, KernelList *, program->phases.count + 1);
        out->phases[p] = ARENA_NEW(arena, CompiledPhase, program->phases.count + 1);
        for (uint32_t i = 0; i < program->phases.count; i++) {
            phases[p][i] = compile_phase(&compile, program, &program->phases.items[i]);
            fits &= phases[p][i] || compile.stopped;
            if (!phases[p][i])
                continue; // --stop-after: the other phases are still dumped
            fits &= fits_target(&compile, program, &program->phases.items[i], phases[p][i]);
            out->phases[p][i] = (CompiledPhase){phases[p][i]->graph, phases[p][i]};
        }
    }
    out->pass_seconds = clock_seconds() - begin;
    if (!fits || compile.stopped)
        return NULL;
    return finish(&compile, out, (KernelList *const *const *)phases, folder) ? out : NULL;
}

// An edited shader may share more in a workgroup, or have another local_size. Where invocations are numbered through gl_WorkGroupSize, as many workgroups are dispatched as
// cover those that there were; elsewhere a workgroup is a tile of the work, of which there are as many as before.
static bool renew_workgroup(Program *program, uint32_t index, const SpirvJob *job, Diag *diag) {
    ProgramKernel *kernel = &program->kernels.items[index];
    uint32_t size[3];
    if (!spirv_workgroup(job->words, job->size, size)) {
        diag_error(diag, NULL, "kernel %s: its workgroup's size is no constant; write layout(local_size_x = %u) in;", kernel->name, kernel->workgroup[0]);
        return false;
    }
    uint64_t shared = spirv_shared_bytes(job->words, job->size);
    kernel->shared_bytes = shared < UINT32_MAX ? (uint32_t)shared : UINT32_MAX;
    if (!memcmp(size, kernel->workgroup, sizeof size))
        return true;
    bool counts_invocations = strstr(job->source, "gl_WorkGroupSize") != NULL;
    if (counts_invocations && (size[1] != 1 || size[2] != 1)) {
        diag_error(diag, NULL, "kernel %s: it numbers its invocations along x, but local_size is %u x %u x %u", kernel->name, size[0], size[1], size[2]);
        return false;
    }
    for (uint32_t p = 0; p < program->entries.count && counts_invocations; p++)
        for (uint32_t i = 0; i < program->entries.items[p].phases.count; i++)
            for (uint32_t d = 0; d < program->entries.items[p].phases.items[i].steps.count; d++) {
                Step *dispatch = &program->entries.items[p].phases.items[i].steps.items[d];
                if (dispatch->kernel != index)
                    continue;
                uint64_t invocations = (uint64_t)dispatch->groups[0] * dispatch->groups[1] * kernel->workgroup[0], most = program->target.groups_max,
                         groups = (invocations + size[0] - 1) / size[0];
                dispatch->groups[0] = (uint32_t)(groups > most ? most : groups);
                dispatch->groups[1] = (uint32_t)((groups + dispatch->groups[0] - 1) / dispatch->groups[0]);
            }
    memcpy(kernel->workgroup, size, sizeof size);
    return true;
}

// What an edited shader asks for must still fit the target.
static bool is_whole(Arena *arena, const Program *program, Diag *diag) {
    Text problems = text_create(arena);
    if (program_verify(program, &problems))
        return true;
    diag_error(diag, NULL, "the edited kernels do not fit the bundle:\n%s", problems.data);
    return false;
}

bool compile_rebuild(Arena *arena, const char *folder, bool debug_info, uint32_t *rebuilt, Diag *diag) {
    *rebuilt = 0;
    Program *program = program_read_edited(arena, folder, diag);
    if (!program)
        return false;
    SpirvJob *jobs = ARENA_NEW(arena, SpirvJob, program->kernels.count + 1);
    ARRAY(uint32_t) changed = {0};
    for (uint32_t k = 0; k < program->kernels.count; k++) {
        ProgramKernel *kernel = &program->kernels.items[k];
        size_t size;
        const char *source = file_read(arena, file_join(arena, folder, arena_format(arena, "kernels/%s.comp", kernel->name)), &size, diag);
        if (!source)
            return false;
        const char *digest = program_kernel_digest(arena, source, size);
        if (!strcmp(digest, kernel->digest))
            continue;
        kernel->digest = digest;
        jobs[changed.count] = (SpirvJob){.name = kernel->name, .source = source, .is_exact = program->is_exact};
        array_push(arena, &changed, k);
    }
    if (!spirv_compile(arena, jobs, changed.count, debug_info, NULL, NULL, diag))
        return false;
    for (uint32_t i = 0; i < changed.count; i++)
        if (!renew_workgroup(program, changed.items[i], &jobs[i], diag))
            return false;
    if (!is_whole(arena, program, diag))
        return false;
    for (uint32_t i = 0; i < changed.count; i++) {
        ProgramKernel *kernel = &program->kernels.items[changed.items[i]];
        kernel->spirv_digest = digest_bytes(arena, jobs[i].words, jobs[i].size);
        if (!file_write(file_join(arena, folder, arena_format(arena, "kernels/%s.spv", kernel->name)), jobs[i].words, jobs[i].size, diag))
            return false;
    }
    *rebuilt = changed.count;
    return program_write(program, folder, diag);
}
