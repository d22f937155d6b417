// Augment: see augment.h.
#include "runtime/data/augment.h"
#include "runtime/base/random.h"
#include "runtime/data/resize.h"

// The draws of a record; 3 is CUB's text.
enum { DRAW_X, DRAW_Y, DRAW_MIRROR, DRAW_BRIGHTNESS = 4, DRAW_CONTRAST, DRAW_SATURATION };
enum { COLOURS = 3, RANK_PICTURE = 3 };
#define DRAWS_DEFAULT "augment"

// What is drawn for one picture.
typedef struct {
    uint32_t left, top;
    bool is_mirrored, is_coloured;
    float brightness, contrast, saturation;
} Drawn;

bool augment_create(const ProgramData *declared, uint32_t field, const ProgramAugment *augment, const char *draws, Augment *out) {
    uint32_t rank = declared->fields[field].rank;
    const uint32_t *dims = declared->fields[field].dims;
    if (declared->fields[field].type != ELEMENT_F32 || rank < 2 || rank > RANK_PICTURE)
        return false;
    *out = (Augment){.channels = rank == RANK_PICTURE ? dims[0] : 1, .height = dims[rank - 2], .width = dims[rank - 1]};
    if ((out->channels != 1 && out->channels != COLOURS) || out->height == 0 || out->width == 0 || out->height > AUGMENT_SIDE_MAX ||
        out->width > AUGMENT_SIDE_MAX)
        return false;
    if (augment)
        out->augment = *augment;
    out->cut[0] = out->augment.crop[0] ? out->augment.crop[0] : out->height;
    out->cut[1] = out->augment.crop[1] ? out->augment.crop[1] : out->width;
    out->draws = random_name(draws ? draws : DRAWS_DEFAULT);
    out->low = 0;
    out->scale = 1;
    if (declared->fields[field].has_range) { // in f32 throughout, as NumPy computes low + bytes * ((high - low) / 255) for f32 arrays
        out->low = (float)declared->fields[field].low;
        out->scale = (float)((declared->fields[field].high - declared->fields[field].low) / (AUGMENT_LEVELS - 1));
    }
    for (uint32_t level = 0; level < AUGMENT_LEVELS; level++)
        out->levels[level] = out->low + (float)level * out->scale;
    return true;
}

void augment_channels(Arena *arena, Image *picture, uint32_t channels) {
    if (picture->channels == channels)
        return;
    size_t count = (size_t)picture->height * picture->width;
    uint8_t *out = ARENA_NEW(arena, uint8_t, count * channels);
    const uint8_t *from = picture->pixels;
    for (size_t i = 0; i < count; i++)
        if (channels == COLOURS)
            out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = from[i];
        else
            out[i] = (uint8_t)((from[3 * i] * 19595u + from[3 * i + 1] * 38470u + from[3 * i + 2] * 7471u + 0x8000u) >> 16);
    picture->pixels = out;
    picture->channels = channels;
}

static uint32_t at_least(uint64_t value, uint32_t least) {
    return value < least ? least : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

// The smallest size in the proportions of height x width that covers high x wide.
static void cover(uint32_t height, uint32_t width, uint32_t high, uint32_t wide, uint32_t *out_height, uint32_t *out_width) {
    bool is_height = (uint64_t)high * width >= (uint64_t)wide * height;
    *out_height = is_height ? high : at_least((uint64_t)wide * height / width, high);
    *out_width = is_height ? at_least((uint64_t)high * width / height, wide) : wide;
}

void augment_size(const Augment *augment, uint32_t height, uint32_t width, uint32_t *out_height, uint32_t *out_width) {
    const uint32_t *resize = augment->augment.resize;
    if (resize[1] > 0) {
        *out_height = resize[0];
        *out_width = resize[1];
        return;
    }
    if (resize[0] == 0 && augment->augment.crop[0] == 0) {
        cover(height, width, augment->height, augment->width, out_height, out_width);
        return;
    }
    *out_height = height;
    *out_width = width;
    if (resize[0] > 0)
        cover(height, width, resize[0], resize[0], out_height, out_width);
    if (*out_height < augment->cut[0] || *out_width < augment->cut[1])
        cover(height, width, augment->cut[0], augment->cut[1], out_height, out_width);
}

void augment_least(const Augment *augment, uint32_t *height, uint32_t *width) {
    const uint32_t *resize = augment->augment.resize;
    *height = *width = 0;
    if (resize[0] == 0 && augment->augment.crop[0] > 0)
        return;
    *height = resize[0] > augment->cut[0] ? resize[0] : augment->cut[0];
    uint32_t wide = resize[1] > 0 ? resize[1] : resize[0];
    *width = wide > augment->cut[1] ? wide : augment->cut[1];
}

static uint32_t draw_below(const Augment *augment, uint64_t draw, uint32_t record, uint32_t which, uint32_t below) {
    return random_below(random_element(draw, augment->draws, 0, which, record), below);
}

static float draw_factor(const Augment *augment, uint64_t draw, uint32_t record, uint32_t which) {
    float share = 2 * random_uniform(random_element(draw, augment->draws, 0, which, record)) - 1;
    return 1 + (float)augment->augment.colour * share;
}

static Drawn draw_all(const Augment *augment, uint32_t height, uint32_t width, uint32_t record, uint64_t draw) {
    uint32_t slack_x = width - augment->cut[1], slack_y = height - augment->cut[0];
    Drawn drawn = {.left = slack_x / 2, .top = slack_y / 2};
    if (draw == 0)
        return drawn;
    if (augment->augment.crop[0] > 0) {
        drawn.left = draw_below(augment, draw, record, DRAW_X, slack_x + 1);
        drawn.top = draw_below(augment, draw, record, DRAW_Y, slack_y + 1);
    }
    drawn.is_mirrored = augment->augment.flip && draw_below(augment, draw, record, DRAW_MIRROR, 2) == 1;
    drawn.is_coloured = augment->augment.colour > 0;
    if (drawn.is_coloured) {
        drawn.brightness = draw_factor(augment, draw, record, DRAW_BRIGHTNESS);
        drawn.contrast = draw_factor(augment, draw, record, DRAW_CONTRAST);
        drawn.saturation = draw_factor(augment, draw, record, DRAW_SATURATION);
    }
    return drawn;
}

// ---- colours, of levels 0 … 255 in f32

// As torchvision's adjust_brightness, _contrast and _saturation: what is blended with, and how much of it.
static float blend(float level, float with, float factor) {
    float mixed = factor * level + (1 - factor) * with;
    return mixed < 0 ? 0 : mixed > AUGMENT_LEVELS - 1 ? AUGMENT_LEVELS - 1 : mixed;
}

// Rec. 601's luma.
static float grey(const float *levels, uint32_t count, uint32_t channels, uint32_t i) {
    return channels == 1 ? levels[i] : 0.299f * levels[i] + 0.587f * levels[count + i] + 0.114f * levels[2 * count + i];
}

static void colour(const Drawn *drawn, uint32_t channels, uint32_t count, float *levels) {
    double sum = 0;
    for (uint32_t i = 0; i < channels * count; i++)
        levels[i] = blend(levels[i], 0, drawn->brightness);
    for (uint32_t i = 0; i < count; i++)
        sum += (double)grey(levels, count, channels, i);
    for (uint32_t i = 0; i < channels * count; i++)
        levels[i] = blend(levels[i], (float)(sum / count), drawn->contrast);
    for (uint32_t i = 0; i < count && channels == COLOURS; i++) {
        float with = grey(levels, count, channels, i);
        for (uint32_t c = 0; c < COLOURS; c++)
            levels[c * count + i] = blend(levels[c * count + i], with, drawn->saturation);
    }
}

// ---- the field's numbers

// One row of one channel: `count` bytes that are `stride` apart, or mirrored with a negative one, each as its level says.
static void look_up(const uint8_t *from, ptrdiff_t stride, uint32_t count, const float *levels, float *out) {
    for (uint32_t x = 0; x < count; x++, from += stride)
        out[x] = levels[*from];
}

// What is cut out in the field's size: the part of `picture` that `drawn` says, or in the arena.
static const Image *cut_out(Arena *arena, const Augment *augment, const Image *picture, Drawn *drawn) {
    if (augment->cut[0] == augment->height && augment->cut[1] == augment->width)
        return picture;
    ResizeBox box = {drawn->left, drawn->top, drawn->left + augment->cut[1], drawn->top + augment->cut[0]};
    Image *sized = ARENA_NEW(arena, Image, 1);
    *sized = image_create(arena, augment->width, augment->height, picture->channels);
    resize_picture(picture, &box, sized);
    drawn->left = drawn->top = 0;
    return sized;
}

static void change_colours(const Augment *augment, const Drawn *drawn, float *levels) {
    uint32_t count = augment->height * augment->width;
    colour(drawn, augment->channels, count, levels);
    for (uint32_t i = 0; i < augment->channels * count; i++)
        levels[i] = augment->low + levels[i] * augment->scale;
}

static void fill(const Augment *augment, const Image *picture, const Drawn *drawn, float *out) {
    uint32_t count = augment->height * augment->width, channels = augment->channels;
    float plain[AUGMENT_LEVELS];
    for (uint32_t level = 0; level < AUGMENT_LEVELS; level++)
        plain[level] = (float)level;
    uint32_t first = drawn->left + (drawn->is_mirrored ? augment->width - 1 : 0);
    ptrdiff_t stride = drawn->is_mirrored ? -(ptrdiff_t)channels : (ptrdiff_t)channels;
    for (uint32_t y = 0; y < augment->height; y++)
        for (uint32_t c = 0; c < channels; c++)
            look_up(picture->pixels + ((size_t)(y + drawn->top) * picture->width + first) * channels + c, stride, augment->width,
                    drawn->is_coloured ? plain : augment->levels, out + (size_t)c * count + (size_t)y * augment->width);
    if (drawn->is_coloured)
        change_colours(augment, drawn, out);
}

void augment_cut(const Augment *augment, const Image *picture, uint32_t record, uint64_t draw, float *out) {
    Drawn drawn = draw_all(augment, picture->height, picture->width, record, draw);
    Arena *scratch = arena_create();
    fill(augment, cut_out(scratch, augment, picture, &drawn), &drawn, out);
    arena_destroy(&scratch);
}

void augment_cut_numbers(const Augment *augment, const float *numbers, uint32_t height, uint32_t width, uint32_t record, uint64_t draw,
                         float *out) {
    Drawn drawn = draw_all(augment, height, width, record, draw);
    uint32_t count = augment->height * augment->width, channels = augment->channels;
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t y = 0; y < augment->height; y++)
            for (uint32_t x = 0; x < augment->width; x++)
                out[(size_t)c * count + (size_t)y * augment->width + x] =
                    numbers[((size_t)c * height + y + drawn.top) * width + drawn.left + (drawn.is_mirrored ? augment->width - 1 - x : x)];
    if (!drawn.is_coloured)
        return;
    for (uint32_t i = 0; i < channels * count; i++)
        out[i] = (out[i] - augment->low) / augment->scale;
    change_colours(augment, &drawn, out);
}
