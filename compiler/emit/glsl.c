// Glsl: chooses the template of a kernel's class, writes its header (what, whence, why), folds the grid.
#include "compiler/emit/glsl.h"
#include "compiler/emit/template.h"

static const char *header(Arena *arena, const KernelList *list, const Kernel *kernel, const KernelIndices *marked, const Emitter *emitter) {
    Text text = text_create(arena);
    text_format(&text, "// %s, schedule %s%s%s; fused from\n", kernel_class_names[kernel->kernel_class], schedule_text(arena, &kernel->schedule),
                kernel->runner_up.family ? "; runner-up " : "", kernel->runner_up.family ? schedule_text(arena, &kernel->runner_up) : "");
    for (uint32_t i = 0; i < marked->count; i++) {
        uint32_t id = marked->items[i];
        const Node *node = &list->graph->nodes.items[id];
        if (node->op == OP_constant)
            continue;
        text_format(&text, "//   %%%u %s : %s  %s%s%s%s\n", id, op_def(node->op)->name, type_text(arena, &node->type), node->origin.pointer ? node->origin.pointer : "",
                    node->origin.maker ? " (" : "", node->origin.maker ? node->origin.maker : "", node->origin.maker ? ")" : "");
    }
    if (list->graph->module->is_exact)
        text_append(&text, "// exact: in SPIR-V all float arithmetic is decorated NoContraction\n");
    text_format(&text, "// because %s\n", kernel->reason ? kernel->reason : "it stands alone");
    for (uint32_t i = 0; i < emitter->bindings.count; i++) {
        const EmitBinding *binding = &emitter->bindings.items[i];
        if (binding->is_numbers)
            continue;
        Type type = graph_type(list->graph, binding->value);
        const Buffer *buffer = &list->buffers[binding->value.id];
        bool is_other = buffer->element != dtype_element(type.dtype);
        text_format(&text, "// %s %%%u %s%s%s%s%s\n", binding->kind != BINDING_WRITE ? "reads" : binding->is_read ? "writes, then reads" : "writes", binding->value.id, type_text(arena, &type),
                    is_other ? " as " : "", is_other ? element_name(buffer->element) : "", buffer->name ? " " : "", buffer->name ? buffer->name : "");
    }
    return text.data;
}

// "conv2d_add_mul": the root's op, then those of maps fused after it, at most four words.
static const char *name_of(Arena *arena, const KernelList *list, const Kernel *kernel, const KernelIndices *marked) {
    Text text = text_create(arena);
    if (kernel->kernel_class != KERNEL_MAP)
        text_append(&text, op_def(graph_node(list->graph, kernel->root)->op)->name);
    uint32_t words = text.length ? 1 : 0;
    const char *last = "";
    for (uint32_t i = marked->count; i-- > 0 && words < 3;) {
        uint32_t id = marked->items[i];
        const Node *node = &list->graph->nodes.items[id];
        const OpDef *def = op_def(node->op);
        bool shown = def->op_class == CLASS_MAP || (!words && kernel->kernel_class == KERNEL_MAP && def->op_class != CLASS_META && node->op != OP_constant);
        if (!shown || !strcmp(def->name, last) || (kernel->kernel_class != KERNEL_MAP && id < kernel->root.id))
            continue;
        text_format(&text, "%s%s", words ? "_" : "", def->name);
        last = def->name;
        words++;
    }
    return text.length ? text.data : "copy";
}

// Fills the template of the kernel's family: its slots, which are one, "body", where the family names none, and constants. Those that are not the
// template's go before functions and shared memory.
static const char *fill(Emitter *emitter, const char *head) {
    Arena *arena = emitter->arena;
    const char *template = emitter->kernel->schedule.family->template_name;
    Text declarations = text_create(arena), before = text_create(arena), source = text_create(arena);
    emit_declarations(emitter, &declarations);
    ARRAY(Constant) own = {0};
    for (uint32_t i = 0; i < emitter->constants.count; i++) {
        Constant constant = emitter->constants.items[i];
        if (template_has_constant(template, constant.name))
            array_push(arena, &own, constant);
        else
            text_format(&before, "const int %s = %lld;\n", constant.name, (long long)constant.value);
    }
    text_append(&before, emitter->functions.data);
    if (!emitter->slots.count)
        emit_slot(emitter, "body");
    Slot common[] = {{"header", head},
                     {"workgroup", arena_format(arena, "%s%slayout(local_size_x = %u) in;", emitter->uses_broadcast ? "#extension GL_KHR_shader_subgroup_ballot : require\n" : "",
                                               emitter->uses_loop_control ? "#extension GL_EXT_control_flow_attributes : require\n" : "", schedule_lanes(&emitter->kernel->schedule))},
                     {"declarations", declarations.data},
                     {"functions", before.data}};
    for (uint32_t i = 0; i < sizeof common / sizeof *common; i++)
        array_push(arena, &emitter->slots, common[i]);
    template_fill(&source, template, emitter->slots.items, emitter->slots.count, own.items, own.count);
    return source.data;
}

static uint64_t window_vectors(const Target *target) {
    return target->storage_range_max / target->offset_alignment * target->offset_alignment / element_vector(SET_ELEMENT);
}

uint32_t glsl_window_count(const KernelList *list, const Kernel *kernel, const Target *target) {
    const Buffer *buffer = &list->buffers[kernel->stores.items[0].id];
    bool is_set = kernel->kernel_class == KERNEL_MAP && graph_type(list->graph, kernel->stores.items[0]).set;
    uint64_t vectors = is_set ? buffer->size / element_vector(SET_ELEMENT) : 0, most = window_vectors(target);
    return vectors > most ? (uint32_t)((vectors + most - 1) / most) : 1;
}

static EmitWindow window_of(const KernelList *list, const Kernel *kernel, const Target *target, uint32_t number) {
    if (glsl_window_count(list, kernel, target) == 1)
        return (EmitWindow){0};
    uint64_t vectors = list->buffers[kernel->stores.items[0].id].size / element_vector(SET_ELEMENT), most = window_vectors(target), first = number * most;
    return (EmitWindow){first, vectors - first < most ? vectors - first : most};
}

void glsl_kernel(Arena *arena, EmitTables *tables, const KernelList *list, const Kernel *kernel, const Target *target, uint32_t window, Shader *out) {
    Emitter emitter;
    emitter_create(&emitter, arena, tables, list, kernel, target);
    emitter.window = window_of(list, kernel, target, window);
    uint64_t groups = kernel->schedule.family->emit(&emitter);
    uint32_t lanes = schedule_lanes(&kernel->schedule);
    *out = (Shader){.workgroup = {lanes, 1, 1}, .window = emitter.window};
    uint64_t most = target->groups_max;
    out->groups[0] = (uint32_t)(groups > most ? most : groups);
    out->groups[1] = (uint32_t)((groups + out->groups[0] - 1) / out->groups[0]);
    out->groups[2] = 1;
    KernelIndices marked = {0};
    kernel_values(arena, list, kernel, tables->seen, &marked);
    if (emitter.uses_random)
        emit_functions(&emitter, "random.glsl");
    out->source = fill(&emitter, header(arena, list, kernel, &marked, &emitter));
    out->name = name_of(arena, list, kernel, &marked);
    out->shared_bytes = emitter.shared_bytes;
    out->needs_subgroup_ballot = emitter.uses_broadcast;
    for (uint32_t i = 0; i < emitter.bindings.count; i++) {
        array_push(arena, &out->bindings, emitter.bindings.items[i]);
        Value value = emitter.bindings.items[i].value;
        bool windowed = out->window.count && !emitter.bindings.items[i].is_numbers && graph_type(list->graph, value).set;
        if (!emitter.bindings.items[i].is_numbers)
            out->bytes += windowed ? (double)element_vector(SET_ELEMENT) * (double)out->window.count : (double)list->buffers[value.id].size;
    }
    out->work_class = kernel->kernel_class == KERNEL_CONTRACT ? contract_class(list->graph, kernel->root) : kernel->roots.count ? WORK_REDUCE : WORK_MAP;
    out->flops = kernel->kernel_class == KERNEL_CONTRACT ? contract_flops(list->graph, kernel->root) : 0;
    emitter_finish(&emitter);
}
