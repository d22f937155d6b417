// Stores: a value is stored where it must be (sums, parts, outputs, operands that are not computed) or where several kernels would repeat more work than a store and
// loads cost.
#include "compiler/cost.h"
#include "compiler/passes/fuse_parts.h"

static bool is_random(const Node *node) { return node->op == OP_random_normal || node->op == OP_random_uniform || node->op == OP_random_integer; }

// ---- which values must be stored

static void require(Fuse *fuse, Value value) {
    uint32_t id = value.id;
    while (fuse_is_alias(fuse, id) && node_at(fuse, id)->op != OP_unpack)
        id = node_at(fuse, id)->args[0].id;
    fuse->required[id] = node_at(fuse, id)->op != OP_unpack && !is_given(node_at(fuse, id));
}

static void find_required(Fuse *fuse) {
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        const Node *node = node_at(fuse, id);
        if (!fuse->reached[id])
            continue;
        OpClass class = class_at(fuse, id);
        if (class == CLASS_CONTRACT || class == CLASS_REDUCE || node->op == OP_merge || (node->op == OP_materialise && attr_of(node, ATTR_copy)->integer))
            fuse->required[id] = true;
        if (node->op == OP_pack)
            for (uint32_t i = 0; i < node->arg_count; i++)
                require(fuse, node->args[i]);
        for (uint32_t i = 0; node->op == OP_merge && i < node->arg_count; i++) // searched, so read many times
            require(fuse, node->args[i]);
        if (node->op == OP_unpack && node_at(fuse, node->args[0].id)->op != OP_pack) // a part is always loaded, never computed
            require(fuse, node->args[0]);
        for (uint32_t i = 0; i < node->arg_count; i++)
            fuse->use_count[node->args[i].id]++;
    }
    for (uint32_t i = 0; i < fuse->graph->outputs.count; i++) {
        require(fuse, fuse->graph->outputs.items[i].value);
        if (fuse->graph->outputs.items[i].at.id)
            require(fuse, fuse->graph->outputs.items[i].at);
    }
}

// ---- inline or store

enum { LANES_APART = 4 }; // loads of a vec4 whose elements do not lie in one

// What layout put into memory since a vec4 of it would be as many loads wherever it is read.
static bool is_apart(const Fuse *fuse, uint32_t id) { return node_at(fuse, id)->op == OP_materialise && operand_is_scattered(fuse->list, (Value){id}); }

// What is loaded from another kernel's buffer, as far as that can be told before it is decided.
static bool is_read(const Fuse *fuse, uint32_t id) {
    return fuse->required[id] || is_given(node_at(fuse, id)) || (fuse->use_count[id] > 1 && class_at(fuse, id) == CLASS_MAP) || is_apart(fuse, id);
}

static void estimate_repeats(Fuse *fuse) {
    const DeviceModel *model = &fuse->context->target->model;
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        const Node *node = node_at(fuse, id);
        double sum = cost_of_node(node);
        for (uint32_t i = 0; i < node->arg_count; i++) {
            uint32_t arg = node->args[i].id;
            bool scalar = node_at(fuse, arg)->type.rank == 0;
            sum += is_read(fuse, arg) ? (scalar ? 1 : model->element_load) : fuse->repeat_cost[arg];
        }
        fuse->repeat_cost[id] = is_apart(fuse, id) ? LANES_APART * sum : sum;
    }
}

static const Need *find_need(const Consumers *consumers, uint32_t consumer, uint32_t place) {
    for (uint32_t i = 0; i < consumers->count; i++)
        if (consumers->items[i].consumer == consumer && consumers->items[i].place == place)
            return &consumers->items[i];
    return NULL;
}

static void consume(Fuse *fuse, uint32_t arg, uint32_t consumer, uint32_t place, double evaluations) {
    Consumers *c = &fuse->consumers[arg];
    const Need *found = find_need(c, consumer, place);
    if (!found && c->count < NEEDS_MAX)
        c->items[c->count++] = (Need){consumer, place, 0};
    Need *use = &c->items[found ? (uint32_t)(found - c->items) : c->count - 1];
    double more = use->consumer != consumer || use->place != place ? evaluations
                  : evaluations > use->evaluations                 ? evaluations - use->evaluations
                                                                   : 0;
    use->evaluations += more;
    c->evaluations += more;
}

// Of the cost of evaluating a map once: the loads of what this kernel has in hand at the same place anyway.
static double spared(const Fuse *fuse, uint32_t id, const Need *use) {
    const Node *node = node_at(fuse, id);
    double sum = 0;
    for (uint32_t i = 0; i < node->arg_count && class_at(fuse, id) == CLASS_MAP; i++) {
        uint32_t arg = node->args[i].id;
        bool is_first = i == 0 || arg != node->args[i - 1].id;
        if (is_first && is_read(fuse, arg) && node_at(fuse, arg)->type.rank > 0 && find_need(&fuse->consumers[arg], use->consumer, use->place))
            sum += fuse->context->target->model.element_load;
    }
    return sum;
}

static bool is_worth_storing(Fuse *fuse, uint32_t id) {
    const Node *node = node_at(fuse, id);
    const Consumers *c = &fuse->consumers[id];
    OpClass class = class_at(fuse, id);
    if (fuse->required[id] || fuse->computed[id])
        return fuse->required[id];
    if ((class != CLASS_MAP && !is_random(node) && !op_chooses(node->op) && node->op != OP_materialise) || node->op == OP_unpack)
        return false;
    if (fuse->context->no_fuse)
        return true;
    const DeviceModel *model = &fuse->context->target->model;
    double own = (double)type_count(&node->type), once = fuse->repeat_cost[id];
    double inlined = 0;
    for (uint32_t i = 0; i < c->count; i++)
        inlined += c->items[i].evaluations * (once - spared(fuse, id, &c->items[i]));
    double kept = own * (once + model->element_store) + c->evaluations * model->element_load + (c->evaluations > 2 * own ? model->dispatch_elements / 4.0 : 0);
    if (inlined > kept)
        array_push(fuse->list->arena, &fuse->list->decisions,
                   arena_format(fuse->list->arena, "%%%u is stored: computed in the kernels of all that need it, %u, it would cost %.1f times as much", id,
                                c->count, inlined / kept));
    return inlined > kept;
}

enum { OPERAND_TURNS_MAX = 64 }; // times that a value below an operand that is computed, whatever it takes, may be computed for one element of it

// At how many indices a value is computed for one element of the operand above it: maps need it at one, each view at another. Running sums, which are
// views of views, need three times as many at each of their steps.
static void add_turns(const Fuse *fuse, double *turns, uint32_t id) {
    const Node *node = node_at(fuse, id);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        double *below = &turns[node->args[i].id];
        if (class_at(fuse, id) == CLASS_VIEW)
            *below += turns[id];
        else
            *below = turns[id] > *below ? turns[id] : *below;
    }
}

// Where a value needs its arguments that is needed at `place` itself.
static uint32_t place_below(const Fuse *fuse, uint32_t id, uint32_t place) {
    return class_at(fuse, id) == CLASS_VIEW ? place * 65599 + id : place;
}

static void decide(Fuse *fuse) {
    double *turns = ARENA_NEW(fuse->list->arena, double, fuse->graph->nodes.count);
    for (uint32_t id = fuse->graph->nodes.count; id-- > 1;) {
        if (!fuse->reached[id])
            continue;
        const Node *node = node_at(fuse, id);
        bool too_often = fuse->computed[id] && turns[id] > OPERAND_TURNS_MAX && class_at(fuse, id) == CLASS_MAP;
        if (too_often) {
            fuse->computed[id] = false;
            array_push(fuse->list->arena, &fuse->list->decisions,
                       arena_format(fuse->list->arena, "%%%u is stored: one element of an operand that is computed would need it at %.0f places", id, turns[id]));
        }
        fuse->stored[id] = too_often || is_worth_storing(fuse, id);
        const Consumers *c = &fuse->consumers[id];
        double own = (double)type_count(&node->type);
        bool all = fuse->computed[id] && !fuse->required[id] && fuse->context->operands == OPERANDS_COMPUTED;
        turns[id] = turns[id] > 1 ? turns[id] : 1;
        if (all)
            add_turns(fuse, turns, id);
        for (uint32_t i = 0; i < node->arg_count; i++) {
            uint32_t arg = node->args[i].id;
            fuse->computed[arg] |= all; // down to what must be stored
            if (class_at(fuse, id) == CLASS_CONTRACT) {
                consume(fuse, arg, id, UINT32_MAX - i, fuse->operand_reads[2 * id + i]);
            } else if (fuse->stored[id]) {
                double reads = class_at(fuse, id) == CLASS_REDUCE ? (double)type_count(&node_at(fuse, arg)->type) : own;
                consume(fuse, arg, id, place_below(fuse, id, 0), reads);
            } else {
                for (uint32_t k = 0; k < c->count; k++)
                    consume(fuse, arg, c->items[k].consumer, place_below(fuse, id, c->items[k].place), c->items[k].evaluations);
            }
        }
    }
}

void fuse_choose_stores(Fuse *fuse) {
    find_required(fuse);
    fuse_choose_operands(fuse);
    estimate_repeats(fuse);
    decide(fuse);
}
