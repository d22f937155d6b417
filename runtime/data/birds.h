// Birds: painted pictures of birds with captions, in the layout of CUB-200-2011 as StackGAN's code reads it. Colours and backgrounds are
// known, so that it can be measured whether a network listens to its captions. A bird is a pure function of seed and number.
//
//   DIR/CUB_200_2011/{images.txt, bounding_boxes.txt, images/CLASS/NAME.jpg}    DIR/text/CLASS/NAME.txt     ten captions, a line each
//   DIR/{train,test}/{filenames,class_info,char-CNN-RNN-embeddings}.pickle     DIR/encoder.json            {"encoder": NAME}
//   DIR/attributes.json   what each bird is, in the order of the pickles; the colours; the pairs that only the test split has
//
// A class is a pair of body and wing colours. Eight of the 64 pairs are held out of training: each body colour and each wing colour once,
// none with wings like the body. In every 64 birds from number 0 on each pair occurs once.
#pragma once
#include "runtime/show/image.h"

enum { BIRD_COLOURS = 8, BIRD_BACKGROUNDS = 4, BIRD_POSES = 3, BIRD_BEAKS = 3, BIRD_EYES = 3, BIRD_CAPTIONS = 10 };
enum { BIRD_SIZE_DEFAULT = 300, BIRD_SIZE_MIN = 64, BIRD_SIZE_MAX = 2000, BIRD_COUNT_MAX = 1000000 };

typedef struct {
    const char *name; // as captions say it
    uint8_t rgb[3];   // sRGB
} BirdColour;

typedef struct {
    const char *name;
    BirdColour top, bottom; // of its gradient
} BirdBackground;

extern const BirdColour bird_colours[BIRD_COLOURS]; // of body, wing, belly and crown
extern const BirdColour bird_beaks[BIRD_BEAKS], bird_eyes[BIRD_EYES];
extern const BirdBackground bird_backgrounds[BIRD_BACKGROUNDS];
extern const char *const bird_poses[BIRD_POSES];

typedef struct {
    uint32_t body, wing, belly, crown, beak, eye; // indices of colours
    uint32_t background, pose;
    bool faces_left, has_long_beak, has_crest;
    uint32_t width, height;   // pixels
    double scale, x, y, tilt; // pixels of half a body; its centre; radians
    double plumpness, head;   // shares of the mean
    uint64_t seed;            // of what is drawn besides
    uint32_t number;
} Bird;

typedef struct {
    double x, y, width, height; // pixels
} BirdBox;

bool bird_is_held_out(uint32_t body, uint32_t wing);
// size: of a side in pixels in the mean; sides are 0.8 to 1.13 of it.
Bird bird_draw(uint64_t seed, uint32_t number, uint32_t size);
const char *bird_class(Arena *arena, const Bird *bird); // "014.Blue_Bird_With_Orange_Wings"
const char *bird_name(Arena *arena, const Bird *bird);  // "Blue_Bird_With_Orange_Wings_000123", unique for a seed
// ---- birds_paint.c: the picture, and the smallest box around the bird.
bool bird_paint(Arena *arena, const Bird *bird, Image *out, BirdBox *box, Diag *diag);
// ---- birds_text.c: all name the body's colour; most name wings and belly, some crown, beak and background.
void bird_captions(Arena *arena, const Bird *bird, const char *out[BIRD_CAPTIONS]);

typedef struct {
    const char *folder; // must not exist; appears when all is written
    uint32_t count, size;
    uint64_t seed;
    void (*progress)(void *context, const char *what, uint32_t done, uint32_t total); // may be NULL
    void *progress_context;
} BirdsOptions;

bool birds_write(const BirdsOptions *options, Diag *diag);

// What DIR/attributes.json says of one split's records, in their order.
typedef struct {
    const char *name; // "CLASS/NAME"
    uint32_t body, wing, belly, crown, background;
} BirdRecord;

typedef struct {
    uint32_t colour_count, background_count;
    const BirdColour *colours;
    const BirdBackground *backgrounds;
    const BirdRecord *records;
    uint32_t record_count;
} BirdAttributes;

// `folder`: DIR. False: reported, such as for real photographs, which have no such file.
bool bird_attributes_read(Arena *arena, const char *folder, const char *split, BirdAttributes *out, Diag *diag);
