// Made feeds: random batches.
#include "runtime/bench/made_feeds.h"
#include "runtime/base/random.h"

typedef struct {
    bool has_range;
    double low, high;
    uint32_t below;
} Limits;

static Limits limits_of(const Program *program, const ProgramFeed *feed) {
    for (uint32_t i = 0; feed->data && i < program->data.count; i++) {
        const ProgramData *data = &program->data.items[i];
        for (uint32_t k = 0; strcmp(data->name, feed->data) == 0 && k < data->field_count; k++)
            if (strcmp(data->fields[k].name, feed->field) == 0)
                return (Limits){data->fields[k].has_range, data->fields[k].low, data->fields[k].high, data->fields[k].below};
    }
    return (Limits){feed->has_range, feed->low, feed->high, feed->below ? feed->below : 2};
}

static uint64_t count_of(const Layout *layout) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < layout->rank; i++)
        count *= layout->dims[i];
    return count;
}

static void *made(Arena *arena, const Program *program, const ProgramFeed *feed, uint64_t seed) {
    Limits limits = limits_of(program, feed);
    uint64_t count = count_of(&feed->tensor.layout), name = random_name(feed->name);
    uint32_t *out = ARENA_NEW(arena, uint32_t, count);
    for (uint64_t i = 0; i < count; i++) {
        RandomWords words = random_element(seed, name, 0, 0, (uint32_t)i);
        double low = limits.has_range ? limits.low : -1, high = limits.has_range ? limits.high : 1;
        float number = (float)(low + (high - low) * random_uniform(words));
        uint32_t below = feed->tensor.type == ELEMENT_U8 ? 256 : feed->tensor.type == ELEMENT_BOOL || !limits.below ? 2 : limits.below;
        if (feed->tensor.type == ELEMENT_F32)
            memcpy(&out[i], &number, sizeof number);
        else
            out[i] = random_below(words, below);
    }
    return out;
}

const void *const *made_feeds(Arena *arena, const Program *program, const ProgramPhase *phase, uint64_t seed) {
    const void **feeds = ARENA_NEW(arena, const void *, phase->feeds.count + 1);
    for (uint32_t i = 0; i < phase->feeds.count; i++)
        feeds[i] = made(arena, program, &phase->feeds.items[i], seed);
    return feeds;
}

bool made_inputs(Arena *arena, Session *session, const Program *program, const ProgramEntry *entry, uint64_t seed, Diag *diag) {
    for (uint32_t i = 0; i < entry->inputs.count; i++) {
        const ProgramFeed *input = &entry->inputs.items[i];
        const Layout *layout = &input->tensor.layout;
        HostTensor tensor = {.name = input->name,
                             .dtype = element_row(input->tensor.type)->word,
                             .rank = layout->rank,
                             .data = made(arena, program, input, seed),
                             .size = ELEMENT_WORD * count_of(layout)};
        for (uint32_t k = 0; k < layout->rank; k++)
            tensor.dims[k] = layout->dims[k];
        if (!session_set(session, input->name, &tensor, diag))
            return false;
    }
    return true;
}
