// Feeding: see feeding.h.
#include "runtime/sample/feeding.h"
#include "runtime/base/bug.h"

void feeding_prepare(Play *play, Arena *arena, const Loader *loader) {
    uint32_t *repeats = ARENA_NEW(arena, uint32_t, play->entry->phases.count + 1u);
    for (uint32_t i = 0; i < play->entry->phases.count; i++)
        repeats[i] = loader_repeats(loader, i);
    play->repeats = repeats;
    play->epoch_steps = loader_epoch_steps(loader);
}

bool feeding_next(Loader *loader, PlayTurn *turn, Diag *diag) {
    LoaderBatch batch;
    if (!loader_next(loader, turn->phase, &batch, diag))
        return false;
    CHECK(batch.repetition == turn->moment.repetition);
    turn->feeds = batch.feeds;
    turn->moment.records = batch.records;
    return true;
}
