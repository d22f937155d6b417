// Feeding: a play's batches from a loader.
#pragma once
#include "runtime/data/loader.h"
#include "runtime/session/play.h"

// Repeats and epochs as the loader has them.
void feeding_prepare(Play *play, Arena *arena, const Loader *loader);
// For Play.feed: the loader's next batch of the turn's phase, which must be this turn's. It is the caller's to begin the loader at the play's
// first step, after as many runs.
bool feeding_next(Loader *loader, PlayTurn *turn, Diag *diag);
