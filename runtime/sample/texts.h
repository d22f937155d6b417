// Texts: what a text-conditioned program is given - vectors of numbers or tokens, and the captions that they stand for.
//
// A program takes texts by its input "text", which is f32 or declares tokens: [count, size], a text for each image of a run, or [size], one
// for all of them.
#pragma once
#include "runtime/data/dataset.h"
#include "runtime/session/session.h"

typedef struct {
    uint32_t count, size;        // texts; numbers of each
    const void *words;           // [count, size]: floats of vectors, int32_t of tokens
    const char *const *captions; // count; NULL: not known
    const char *encoder;         // that made the vectors; NULL: not known, or tokens
    bool by_run;                 // a run's images all take the same text, the next run the next one
} Texts;

const ProgramFeed *texts_input(const ProgramEntry *entry); // NULL: the program takes none
uint32_t texts_size(const ProgramFeed *input);             // numbers of a text
uint32_t texts_per_run(const ProgramFeed *input);          // texts of one run

// Captions: as the input's tokens, of which a warning tells where one is cut; or by a built-in encoder, NULL being the default one. False
// (reported): no such encoder here, or its vectors have another size.
bool texts_encode(Arena *arena, const char *const *captions, uint32_t count, const char *encoder, const ProgramFeed *input, Texts *out,
                  Diag *diag);
// FILE.npy with vectors, f32 [count, size] or [size].
bool texts_read(Arena *arena, const char *path, const char *encoder, const ProgramFeed *input, Texts *out, Diag *diag);
// Texts of `count` records of a data set, as for nobody draws: of the split "test" if it has one, else of its first. Permuted by the seed,
// or the first ones where `in_order`.
bool texts_of_data(Arena *arena, const Dataset *dataset, uint32_t count, uint64_t seed, bool in_order, const ProgramFeed *input, Texts *out,
                   Diag *diag);
// Of vectors: `count` >= 2 of them on the way from the first of two texts to the second, ends included; one a run. Only the ends have captions.
void texts_interpolate(Arena *arena, const Texts *ends, uint32_t count, Texts *out);

// The field of a data set that holds what the input takes: vectors of its size, or its tokens. UINT32_MAX: there is none.
uint32_t texts_field(const ProgramData *declared, const ProgramFeed *input);
const char *texts_kind(Arena *arena, const ProgramFeed *input); // for messages: "texts of 1024 numbers", "texts as 64 tokens of \"bytes\""
// Do these weights understand these texts? `trained` is the encoder that they were trained with; NULL, and texts->encoder NULL: not known,
// which passes. `where` names the weights.
bool texts_check_encoder(const char *encoder, const char *trained, const char *where, Diag *diag);

// The text of image `row` of a run: the texts in order, then from the first on.
uint32_t texts_index(const Texts *texts, const ProgramFeed *input, uint32_t run, uint32_t row);
bool texts_set(Session *session, const ProgramEntry *entry, const Texts *texts, uint32_t run, Diag *diag); // before the run is submitted
