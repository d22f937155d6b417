// Birds text: captions in the manner of those that people wrote for CUB-200-2011 (Reed et al. 2016).
#include "runtime/base/random.h"
#include "runtime/base/text.h"
#include "runtime/data/birds.h"

// {B} body, {W} wing, {L} belly, {C} crown, {K} beak, {E} eye, {S} the beak's length, {G} background, {P} pose; {aX}: with its article.
static const char *const templates[] = {
    "this bird is {B} with {aL} belly and {W} wings.",
    "this {B} bird has {W} wings and {aL} belly.",
    "{aB} bird with {W} wings, {aL} belly and {aS} {K} beak.",
    "the bird has {aB} body, {W} wings and {aL} belly.",
    "this is {aB} bird whose wings are {W} and whose belly is {L}.",
    "this {B} bird has {aC} crown and {aS} {K} bill, and its wings are {W}.",
    "{aB} bird {G}, with {W} wings and {aL} belly.",
    "the body of the bird is {B} while its wings are {W} and its belly is {L}.",
    "this particular bird has a belly that is {L} and a body that is {B}.",
    "{aB} colored bird with {aC} crown, {E} eyes and {aL} belly.",
    "this bird {G} is {B}, it has {W} wings and {aK} beak.",
    "a bird with {aB} body and breast, {aL} belly and {W} wings.",
    "{aB} bird {P}, with {aL} belly and {W} wings.",
    "the wings of this {B} bird are {W}, its crown is {C} and its belly is {L}.",
};
enum { TEMPLATES = sizeof templates / sizeof *templates };

static const char *const background_phrases[BIRD_BACKGROUNDS] = {"in front of the sky", "among the leaves", "on the sand", "at the water"};
static const char *const pose_phrases[BIRD_POSES] = {"standing on the ground", "sitting on a branch", "raising its wings"};

static const char *word_of(const Bird *bird, char letter) {
    switch (letter) {
    case 'B':
        return bird_colours[bird->body].name;
    case 'W':
        return bird_colours[bird->wing].name;
    case 'L':
        return bird_colours[bird->belly].name;
    case 'C':
        return bird_colours[bird->crown].name;
    case 'K':
        return bird_beaks[bird->beak].name;
    case 'E':
        return bird_eyes[bird->eye].name;
    case 'S':
        return bird->has_long_beak ? "long" : "short";
    case 'G':
        return background_phrases[bird->background];
    default:
        return pose_phrases[bird->pose];
    }
}

static const char *fill(Arena *arena, const Bird *bird, const char *template) {
    Text text = text_create(arena);
    for (const char *at = template; *at; at++) {
        if (*at != '{') {
            text_append_bytes(&text, at, 1);
            continue;
        }
        bool has_article = at[1] == 'a';
        const char *word = word_of(bird, at[has_article ? 2 : 1]);
        if (has_article)
            text_append(&text, strchr("aeiou", word[0]) ? "an " : "a ");
        text_append(&text, word);
        at += has_article ? 3 : 2;
    }
    return text.data;
}

void bird_captions(Arena *arena, const Bird *bird, const char *out[BIRD_CAPTIONS]) {
    uint32_t order[TEMPLATES];
    random_permutation(bird->seed, random_name("birds.captions"), bird->number, order, TEMPLATES);
    for (uint32_t i = 0; i < BIRD_CAPTIONS; i++)
        out[i] = fill(arena, bird, templates[order[i]]);
}
