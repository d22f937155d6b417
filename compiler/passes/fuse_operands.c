// Operands: of each value that contractions read, whether it is stored for them or computed wherever they read it. The device's model says what
// the latter adds to the contractions, by the family that each would be computed by, and what a store saves.
#include "compiler/passes/fuse_parts.h"

// Computing must cost no more than this share of what it saves, and save no less than a dispatch takes: both are estimates, and kernels that compute
// their operands are equal to others less often. On lavapipe, training was neither faster nor slower with shares up to a half.
static const double ADDED_SHARE_MAX = 0.25;

typedef struct {
    uint32_t contraction, operand; // which: 0 or 1
} Use;

typedef ARRAY(Use) Uses;

typedef struct {
    Fuse *fuse;
    Uses *uses;       // by value id: contractions that read the value's memory
    bool *is_shared;  // by value id: other kernels need it, too
    uint32_t *levels; // by value id: kernels behind one another that make it, were all operands stored
    uint32_t top;     // the value in question
} Operands;

static uint32_t base_of(const Fuse *fuse, uint32_t id) {
    while (fuse_is_alias(fuse, id) && node_at(fuse, id)->op != OP_unpack)
        id = node_at(fuse, id)->args[0].id;
    return id;
}

// Can be computed anywhere, and nothing but contractions asks that it be stored.
static bool is_open(const Fuse *fuse, uint32_t id) {
    const Node *node = node_at(fuse, id);
    return !fuse->required[id] && !node->type.set && node->type.dtype == DTYPE_F32 && (class_at(fuse, id) == CLASS_MAP || node->op == OP_materialise);
}

static void find_uses(Operands *operands) {
    Fuse *fuse = operands->fuse;
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        const Node *node = node_at(fuse, id);
        bool alias = fuse_is_alias(fuse, id);
        for (uint32_t i = 0; i < node->arg_count && fuse->reached[id] && !alias; i++) {
            uint32_t base = base_of(fuse, node->args[i].id);
            if (class_at(fuse, id) == CLASS_CONTRACT)
                array_push(fuse->list->arena, &operands->uses[base], ((Use){id, i}));
            else
                operands->is_shared[base] = true;
        }
    }
}

static void find_levels(Operands *operands) {
    const Fuse *fuse = operands->fuse;
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        const Node *node = node_at(fuse, id);
        for (uint32_t i = 0; i < node->arg_count; i++) {
            uint32_t below = operands->levels[node->args[i].id];
            operands->levels[id] = below > operands->levels[id] ? below : operands->levels[id];
        }
        operands->levels[id] += fuse->required[id] || operands->uses[id].count > 0;
    }
}

// What is in memory whatever is decided of the value in question.
static bool is_kept(const Operands *operands, Value value) {
    const Fuse *fuse = operands->fuse;
    const Node *node = node_at(fuse, value.id);
    return fuse->required[value.id] || is_given(node) || node->op == OP_pack || node->op == OP_unpack || node->type.set ||
           (value.id != operands->top && operands->uses[value.id].count);
}

// What would be in memory were the value computed: also, as fuse_store.c has it, maps that several need.
static bool in_memory(const void *context, Value value) {
    const Operands *operands = context;
    const Fuse *fuse = operands->fuse;
    return is_kept(operands, value) || (value.id != operands->top && fuse->use_count[value.id] > 1 && class_at(fuse, value.id) == CLASS_MAP);
}

// Whether the value, were it stored, would need no kernel of its own: the latest of what it is made of is one value, at the same element.
typedef struct {
    uint32_t latest, level;
    bool in_place;
} Latest;

static void find_latest(const Operands *operands, uint32_t id, bool in_place, Latest *latest) {
    Fuse *fuse = operands->fuse;
    const Node *node = node_at(fuse, id);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        uint32_t arg = node->args[i].id;
        bool keeps = in_place && class_at(fuse, id) == CLASS_MAP;
        if (operands->levels[arg] < latest->level || !fuse_visit(fuse, arg, keeps ? 1 : 2))
            continue;
        if (!is_kept(operands, (Value){arg})) {
            find_latest(operands, arg, keeps, latest);
        } else if (operands->levels[arg] > latest->level) {
            *latest = (Latest){arg, operands->levels[arg], keeps};
        } else if (arg != latest->latest || !keeps) {
            latest->in_place = false;
        }
    }
}

static bool follows_another(const Operands *operands, uint32_t id) {
    Latest latest = {0};
    operands->fuse->visit++;
    find_latest(operands, id, true, &latest);
    const Layout *layouts = operands->fuse->list->layouts;
    return latest.level > 0 && latest.in_place && layout_equal(&layouts[latest.latest], &layouts[id]);
}

// Seconds that a store of the value takes. Small kernels of one wave are joined: what each adds is no dispatch.
static double store_seconds(const Operands *operands, uint32_t id, const Operand *operand) {
    const Fuse *fuse = operands->fuse;
    Type type = node_at(fuse, id)->type;
    double own = (double)type_count(&type), bytes = own * element_stored(dtype_element(type.dtype));
    bool follows = follows_another(operands, id);
    Work work = {.all_multiply_adds = own * operand->adds, .bytes = bytes * (follows ? 1 : 1 + operand->loads), .dispatches = follows || own <= fuse->context->target->model.small_elements ? 0 : 1};
    return model_seconds(&work, &fuse->context->target->model);
}

// Seconds that computing adds to all contractions that read the value; negative: one of them cannot.
static double added_seconds(Operands *operands, uint32_t id, const Operand *operand) {
    Fuse *fuse = operands->fuse;
    double added = 0;
    for (uint32_t i = 0; i < operands->uses[id].count; i++) {
        Use use = operands->uses[id].items[i];
        Operand both[2] = {0}, none[2] = {0}, probe[2] = {0};
        both[use.operand] = *operand;
        probe[use.operand].is_computed = true;
        Work loaded, computed, without;
        if (!schedule_estimate(fuse->list, (Value){use.contraction}, none, fuse->context, &loaded) || !schedule_estimate(fuse->list, (Value){use.contraction}, both, fuse->context, &computed) ||
            !schedule_estimate(fuse->list, (Value){use.contraction}, probe, fuse->context, &without))
            return -1;
        double reads = loaded.tile_loads + loaded.storage_loads - without.tile_loads - without.storage_loads;
        fuse->operand_reads[2 * use.contraction + use.operand] = 4 * loaded.groups * loaded.lanes * (reads > 0 ? reads : 0);
        added += model_seconds(&computed, &fuse->context->target->model) - model_seconds(&loaded, &fuse->context->target->model);
    }
    return added > 0 ? added : 0;
}

static void log_choice(Fuse *fuse, uint32_t id, const char *text) {
    array_push(fuse->list->arena, &fuse->list->decisions, arena_format(fuse->list->arena, "%%%u, an operand, %s", id, text));
}

static bool is_worth_computing(Operands *operands, uint32_t id) {
    Fuse *fuse = operands->fuse;
    Arena *arena = fuse->list->arena;
    operands->top = id;
    if (operands->is_shared[id]) {
        log_choice(fuse, id, "is stored: other kernels than contractions need it, too");
        return false;
    }
    Operand operand = operand_count(fuse->list, (Value){id}, in_memory, operands);
    double added = operand.nodes < OPERAND_NODES_MAX ? added_seconds(operands, id, &operand) : -1, saved = store_seconds(operands, id, &operand);
    if (added < 0) {
        log_choice(fuse, id, "is stored: a contraction that reads it is, or would be, computed by reference, which reads each element again and again");
        return false;
    }
    bool good = added <= saved * ADDED_SHARE_MAX && saved >= fuse->context->target->model.dispatch_seconds;
    log_choice(fuse, id, arena_format(arena, "is %s: computed where %u contractions read it, it would add %.1f us; a store takes %.1f us", good ? "computed" : "stored",
                                      operands->uses[id].count, added * 1e6, saved * 1e6));
    return good;
}

void fuse_choose_operands(Fuse *fuse) {
    Arena *arena = fuse->list->arena;
    uint32_t count = fuse->graph->nodes.count;
    const PassContext *context = fuse->context;
    Operands operands = {.fuse = fuse, .uses = ARENA_NEW(arena, Uses, count), .is_shared = ARENA_NEW(arena, bool, count), .levels = ARENA_NEW(arena, uint32_t, count)};
    find_uses(&operands);
    find_levels(&operands);
    bool never = context->operands == OPERANDS_STORED || context->no_fuse || (context->operands == OPERANDS_AUTO && context->reference_schedule);
    for (uint32_t id = count; id-- > 1;) {
        if (!operands.uses[id].count || is_given(node_at(fuse, id)))
            continue;
        bool computed = !never && is_open(fuse, id) && (context->operands == OPERANDS_COMPUTED || is_worth_computing(&operands, id));
        fuse->computed[id] = computed;
        fuse->required[id] |= !computed && node_at(fuse, id)->op != OP_unpack;
    }
}
