// Birds: which bird a number is, and the folder of many.
#include "runtime/data/birds.h"
#include "runtime/base/json.h"
#include "runtime/base/pool.h"
#include "runtime/tensor/pickle_write.h"
#include "runtime/base/random.h"
#include "runtime/data/encoder.h"
#include "runtime/data/jpeg.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <unistd.h>

enum { PAIRS = BIRD_COLOURS * BIRD_COLOURS, JPEG_QUALITY = 90, HELD_OUT_SHIFT = 3 };

const BirdColour bird_colours[BIRD_COLOURS] = {
    {"red", {205, 28, 40}},  {"blue", {35, 80, 205}},    {"yellow", {245, 214, 40}}, {"green", {36, 148, 62}},
    {"black", {26, 26, 30}}, {"white", {246, 246, 246}}, {"brown", {118, 70, 34}},   {"orange", {244, 128, 22}},
};
const BirdColour bird_beaks[BIRD_BEAKS] = {{"orange", {235, 125, 30}}, {"black", {30, 30, 32}}, {"yellow", {232, 198, 60}}};
const BirdColour bird_eyes[BIRD_EYES] = {{"black", {25, 20, 20}}, {"red", {190, 30, 30}}, {"yellow", {235, 205, 50}}};
const BirdBackground bird_backgrounds[BIRD_BACKGROUNDS] = {
    {"sky", {"top", {168, 203, 236}}, {"bottom", {208, 226, 241}}},
    {"leaves", {"top", {132, 152, 112}}, {"bottom", {104, 124, 92}}},
    {"sand", {"top", {226, 208, 170}}, {"bottom", {206, 184, 146}}},
    {"water", {"top", {116, 164, 176}}, {"bottom", {84, 134, 150}}},
};
const char *const bird_poses[BIRD_POSES] = {"standing", "sitting", "raising"};

bool bird_is_held_out(uint32_t body, uint32_t wing) { return wing == (body + HELD_OUT_SHIFT) % BIRD_COLOURS; }

typedef struct {
    uint64_t seed;
    uint32_t number, drawn;
} Draws;

static RandomWords next(Draws *draws) { return random_element(draws->seed, random_name("birds.bird"), draws->number, 0, draws->drawn++); }
static uint32_t below(Draws *draws, uint32_t limit) { return random_below(next(draws), limit); }
static double between(Draws *draws, double low, double high) { return low + (high - low) * (double)random_uniform(next(draws)); }

Bird bird_draw(uint64_t seed, uint32_t number, uint32_t size) {
    uint32_t pairs[PAIRS];
    random_permutation(seed, random_name("birds.pairs"), number / PAIRS, pairs, PAIRS);
    Draws draws = {.seed = seed, .number = number};
    uint32_t pair = pairs[number % PAIRS];
    Bird bird = {.body = pair / BIRD_COLOURS, .wing = pair % BIRD_COLOURS, .seed = seed, .number = number};
    bird.belly = below(&draws, BIRD_COLOURS);
    bird.crown = below(&draws, BIRD_COLOURS);
    bird.beak = below(&draws, BIRD_BEAKS);
    bird.eye = below(&draws, BIRD_EYES);
    bird.background = below(&draws, BIRD_BACKGROUNDS);
    bird.pose = below(&draws, BIRD_POSES);
    bird.faces_left = below(&draws, 2);
    bird.has_long_beak = below(&draws, 2);
    bird.has_crest = below(&draws, 4) == 0;
    bird.width = (uint32_t)lround(between(&draws, 0.8, 1.13) * size);
    bird.height = (uint32_t)lround(between(&draws, 0.8, 1.13) * size);
    double side = fmin(bird.width, bird.height);
    bird.scale = side * between(&draws, 0.15, 0.19);
    bird.x = bird.width * between(&draws, 0.47, 0.53);
    bird.y = bird.height * between(&draws, 0.50, 0.56) + (bird.pose == 2 ? 0.25 * bird.scale : 0);
    bird.tilt = bird.pose == 1 ? between(&draws, -0.55, -0.15) : between(&draws, -0.20, 0.10);
    bird.plumpness = between(&draws, 0.92, 1.18);
    bird.head = between(&draws, 0.9, 1.12);
    return bird;
}

static const char *capital(Arena *arena, const char *word) { return arena_format(arena, "%c%s", word[0] + ('A' - 'a'), word + 1); }

static const char *pair_name(Arena *arena, const Bird *bird) {
    return arena_format(arena, "%s_Bird_With_%s_Wings", capital(arena, bird_colours[bird->body].name),
                        capital(arena, bird_colours[bird->wing].name));
}

static uint32_t class_number(const Bird *bird) { return bird->body * BIRD_COLOURS + bird->wing + 1; }

const char *bird_class(Arena *arena, const Bird *bird) {
    return arena_format(arena, "%03u.%s", class_number(bird), pair_name(arena, bird));
}

const char *bird_name(Arena *arena, const Bird *bird) { return arena_format(arena, "%s_%06u", pair_name(arena, bird), bird->number); }

// ---- the folder

typedef struct {
    Arena *arena;
    const BirdsOptions *options;
    const char *folder; // temporary
    BirdBox *boxes;
    Diag *diag;
} Maker;

static bool put_text(const Maker *maker, const char *path, const Text *text) {
    return file_write(file_join(maker->arena, maker->folder, path), text->data, text->length, maker->diag);
}

static void progress(const Maker *maker, const char *what, uint32_t done, uint32_t total) {
    if (maker->options->progress)
        maker->options->progress(maker->options->progress_context, what, done, total);
}

static bool make_folders(const Maker *maker) {
    static const char *const fixed[] = {"train", "test"};
    Arena *arena = maker->arena;
    bool good = true;
    for (uint32_t i = 0; good && i < 2; i++)
        good = file_make_folders(file_join(arena, maker->folder, fixed[i]), maker->diag);
    for (uint32_t i = 0; good && i < PAIRS; i++) {
        const char *class = bird_class(arena, &(Bird){.body = i / BIRD_COLOURS, .wing = i % BIRD_COLOURS});
        good = file_make_folders(arena_format(arena, "%s/CUB_200_2011/images/%s", maker->folder, class), maker->diag) &&
               file_make_folders(arena_format(arena, "%s/text/%s", maker->folder, class), maker->diag);
    }
    return good;
}

static bool write_bird(const Maker *maker, Arena *scratch, const Bird *bird, Diag *diag) {
    Image image;
    const char *class = bird_class(scratch, bird), *name = bird_name(scratch, bird), *captions[BIRD_CAPTIONS];
    bird_captions(scratch, bird, captions);
    Text text = text_create(scratch);
    for (uint32_t i = 0; i < BIRD_CAPTIONS; i++)
        text_format(&text, "%s\n", captions[i]);
    const char *picture = arena_format(scratch, "%s/CUB_200_2011/images/%s/%s.jpg", maker->folder, class, name);
    return bird_paint(scratch, bird, &image, &maker->boxes[bird->number], diag) &&
           jpeg_write(picture, image.pixels, image.width, image.height, JPEG_QUALITY, diag) &&
           file_write(arena_format(scratch, "%s/text/%s/%s.txt", maker->folder, class, name), text.data, text.length, diag);
}

static bool paint_bird(void *context, uint32_t number, Arena *scratch, Diag *diag) {
    const Maker *maker = context;
    Bird bird = bird_draw(maker->options->seed, number, maker->options->size);
    return write_bird(maker, scratch, &bird, diag);
}

static void tell_birds(void *context, uint32_t done, uint32_t total) { progress(context, "bird", done, total); }

static bool write_birds(Maker *maker) {
    PoolWork work = {
        .count = maker->options->count, .work = paint_bird, .context = maker, .progress = tell_birds, .progress_context = maker};
    return pool_run_once(POOL_WAITS, &work, maker->diag);
}

static bool write_lists(const Maker *maker) {
    Text images = text_create(maker->arena), boxes = text_create(maker->arena);
    Arena *scratch = arena_create();
    for (uint32_t i = 0; i < maker->options->count; i++) {
        Bird bird = bird_draw(maker->options->seed, i, maker->options->size);
        const BirdBox *box = &maker->boxes[i];
        text_format(&images, "%u %s/%s.jpg\n", i + 1, bird_class(scratch, &bird), bird_name(scratch, &bird));
        text_format(&boxes, "%u %.1f %.1f %.1f %.1f\n", i + 1, box->x, box->y, box->width, box->height);
        arena_reset(scratch);
    }
    arena_destroy(&scratch);
    return put_text(maker, "CUB_200_2011/images.txt", &images) && put_text(maker, "CUB_200_2011/bounding_boxes.txt", &boxes);
}

typedef struct {
    const Maker *maker;
    uint32_t *numbers; // of the birds
    uint32_t count;
} Split;

static Split split_of(const Maker *maker, bool is_test) {
    Split split = {.maker = maker, .numbers = ARENA_NEW(maker->arena, uint32_t, maker->options->count)};
    for (uint32_t i = 0; i < maker->options->count; i++) {
        Bird bird = bird_draw(maker->options->seed, i, maker->options->size);
        if (bird_is_held_out(bird.body, bird.wing) == is_test)
            split.numbers[split.count++] = i;
    }
    return split;
}

static Bird split_bird(const Split *split, uint32_t index) {
    return bird_draw(split->maker->options->seed, split->numbers[index], split->maker->options->size);
}

static void encode_captions(const void *context, uint32_t index, float *out) {
    const Split *split = context;
    const TextEncoder *encoder = encoder_default();
    Arena *scratch = arena_create();
    const char *captions[BIRD_CAPTIONS];
    Bird bird = split_bird(split, index);
    bird_captions(scratch, &bird, captions);
    for (uint32_t i = 0; i < BIRD_CAPTIONS; i++)
        encoder->encode(captions[i], out + (size_t)encoder->size * i);
    arena_destroy(&scratch);
    progress(split->maker, "captions", index + 1, split->count);
}

static bool write_split(const Maker *maker, const char *name, const Split *split) {
    Arena *arena = maker->arena;
    const char **names = ARENA_NEW(arena, const char *, split->count), *folder = file_join(arena, maker->folder, name);
    int32_t *classes = ARENA_NEW(arena, int32_t, split->count);
    for (uint32_t i = 0; i < split->count; i++) {
        Bird bird = split_bird(split, i);
        names[i] = arena_format(arena, "%s/%s", bird_class(arena, &bird), bird_name(arena, &bird));
        classes[i] = (int32_t)class_number(&bird);
    }
    const PickleArrays arrays = {split->count, BIRD_CAPTIONS, encoder_default()->size, encode_captions, split};
    return pickle_write_texts(file_join(arena, folder, "filenames.pickle"), names, split->count, maker->diag) &&
           pickle_write_ints(file_join(arena, folder, "class_info.pickle"), classes, split->count, maker->diag) &&
           pickle_write_arrays(file_join(arena, folder, "char-CNN-RNN-embeddings.pickle"), &arrays, maker->diag);
}

static void write_rgb(JsonWriter *json, const char *key, const BirdColour *colour) {
    json_begin_array(json, key);
    for (uint32_t i = 0; i < 3; i++)
        json_write_uint(json, NULL, colour->rgb[i]);
    json_end_array(json);
}

static void write_palette(JsonWriter *json, const char *key, const BirdColour *colours, uint32_t count) {
    json_begin_object(json, key);
    for (uint32_t i = 0; i < count; i++)
        write_rgb(json, colours[i].name, &colours[i]);
    json_end_object(json);
}

static void write_palettes(JsonWriter *json) {
    write_palette(json, "colours", bird_colours, BIRD_COLOURS);
    write_palette(json, "beaks", bird_beaks, BIRD_BEAKS);
    write_palette(json, "eyes", bird_eyes, BIRD_EYES);
    json_begin_object(json, "backgrounds");
    for (uint32_t i = 0; i < BIRD_BACKGROUNDS; i++) {
        json_begin_object(json, bird_backgrounds[i].name);
        write_rgb(json, "top", &bird_backgrounds[i].top);
        write_rgb(json, "bottom", &bird_backgrounds[i].bottom);
        json_end_object(json);
    }
    json_end_object(json);
    json_begin_array(json, "held_out");
    for (uint32_t i = 0; i < PAIRS; i++)
        if (bird_is_held_out(i / BIRD_COLOURS, i % BIRD_COLOURS)) {
            json_begin_object(json, NULL);
            json_write_text(json, "body", bird_colours[i / BIRD_COLOURS].name);
            json_write_text(json, "wing", bird_colours[i % BIRD_COLOURS].name);
            json_end_object(json);
        }
    json_end_array(json);
}

static void write_records(JsonWriter *json, const char *key, Arena *arena, const Split *split) {
    json_begin_array(json, key);
    for (uint32_t i = 0; i < split->count; i++) {
        Bird bird = split_bird(split, i);
        json_begin_object(json, NULL);
        json_write_text(json, "name", arena_format(arena, "%s/%s", bird_class(arena, &bird), bird_name(arena, &bird)));
        json_write_text(json, "body", bird_colours[bird.body].name);
        json_write_text(json, "wing", bird_colours[bird.wing].name);
        json_write_text(json, "belly", bird_colours[bird.belly].name);
        json_write_text(json, "crown", bird_colours[bird.crown].name);
        json_write_text(json, "beak", bird_beaks[bird.beak].name);
        json_write_text(json, "eye", bird_eyes[bird.eye].name);
        json_write_text(json, "background", bird_backgrounds[bird.background].name);
        json_write_text(json, "pose", bird_poses[bird.pose]);
        json_end_object(json);
    }
    json_end_array(json);
}

static bool write_about(const Maker *maker, const Split *train, const Split *test) {
    JsonWriter *encoder = json_writer_create(maker->arena), *json = json_writer_create(maker->arena);
    json_begin_object(encoder, NULL);
    json_write_text(encoder, "encoder", encoder_default()->name);
    json_end_object(encoder);
    const char *text = json_writer_text(encoder);
    if (!file_write(file_join(maker->arena, maker->folder, "encoder.json"), text, strlen(text), maker->diag))
        return false;
    json_begin_object(json, NULL);
    json_write_text(json, "made_by", "gcc-graph data make birds");
    json_write_uint(json, "count", maker->options->count);
    json_write_uint(json, "size", maker->options->size);
    json_write_text(json, "seed", arena_format(maker->arena, "%" PRIu64, maker->options->seed));
    write_palettes(json);
    write_records(json, "train", maker->arena, train);
    write_records(json, "test", maker->arena, test);
    json_end_object(json);
    text = json_writer_text(json);
    return file_write(file_join(maker->arena, maker->folder, "attributes.json"), text, strlen(text), maker->diag);
}

static bool write_all(Maker *maker) {
    Split train = split_of(maker, false), test = split_of(maker, true);
    return make_folders(maker) && write_birds(maker) && write_lists(maker) && write_split(maker, "train", &train) &&
           write_split(maker, "test", &test) && write_about(maker, &train, &test);
}

static bool check_options(const BirdsOptions *options, Diag *diag) {
    uint32_t before = diag_error_count(diag);
    if (options->count < PAIRS || options->count > BIRD_COUNT_MAX)
        diag_error(diag, NULL, "%u birds cannot be made: %d (each pair of body and wing colours once) to %d can", options->count, PAIRS,
                   BIRD_COUNT_MAX);
    if (options->size < BIRD_SIZE_MIN || options->size > BIRD_SIZE_MAX)
        diag_error(diag, NULL, "birds of %u pixels cannot be made: %d to %d can", options->size, BIRD_SIZE_MIN, BIRD_SIZE_MAX);
    if (file_exists(options->folder))
        diag_error(diag, &(Place){.file = options->folder}, "is there already, and nothing is written over it");
    return diag_error_count(diag) == before;
}

bool birds_write(const BirdsOptions *options, Diag *diag) {
    if (!check_options(options, diag))
        return false;
    Arena *arena = arena_create();
    size_t length = strlen(options->folder);
    while (length > 1 && options->folder[length - 1] == '/')
        length--;
    const char *folder = arena_copy_bytes(arena, options->folder, length);
    Maker maker = {.arena = arena,
                   .options = options,
                   .folder = arena_format(arena, "%s.%ld.tmp", folder, (long)getpid()),
                   .boxes = ARENA_NEW(arena, BirdBox, options->count),
                   .diag = diag};
    bool good = file_make_folders(file_folder(arena, folder), diag) && write_all(&maker);
    if (good && rename(maker.folder, folder) != 0) {
        diag_error(diag, &(Place){.file = folder}, "cannot be made: %s", strerror(errno));
        good = false;
    }
    if (!good)
        file_remove_tree(maker.folder, diag);
    arena_destroy(&arena);
    return good;
}

// ---- reading

static bool read_rgb(const Json *json, BirdColour *out, Diag *diag) {
    Arena *arena = arena_create();
    bool good = json && json->kind == JSON_ARRAY && json->count == 3;
    for (uint32_t i = 0; good && i < 3; i++) {
        const Json *part = json_at(json, i);
        good = part->kind == JSON_NUMBER && part->number >= 0 && part->number <= 255;
        out->rgb[i] = (uint8_t)(good ? part->number : 0);
    }
    Place place = json ? json_place(arena, json) : (Place){0};
    if (!good)
        diag_error(diag, &place, "a colour is three numbers from 0 to 255");
    arena_destroy(&arena);
    return good;
}

static bool read_palettes(Arena *arena, const Json *root, BirdAttributes *out, Diag *diag) {
    const Json *colours = json_get(root, "colours"), *backgrounds = json_get(root, "backgrounds");
    if (!colours || colours->kind != JSON_OBJECT || colours->count == 0 || !backgrounds || backgrounds->kind != JSON_OBJECT ||
        backgrounds->count == 0) {
        diag_error(diag, &(Place){.file = root->file}, "has no objects \"colours\" and \"backgrounds\"");
        return false;
    }
    BirdColour *palette = ARENA_NEW(arena, BirdColour, colours->count);
    BirdBackground *kinds = ARENA_NEW(arena, BirdBackground, backgrounds->count);
    for (const Json *at = colours->first; at; at = at->next) {
        palette[out->colour_count].name = at->key;
        if (!read_rgb(at, &palette[out->colour_count++], diag))
            return false;
    }
    for (const Json *at = backgrounds->first; at; at = at->next) {
        BirdBackground *kind = &kinds[out->background_count++];
        *kind = (BirdBackground){.name = at->key, .top.name = "top", .bottom.name = "bottom"};
        if (!read_rgb(json_get(at, "top"), &kind->top, diag) || !read_rgb(json_get(at, "bottom"), &kind->bottom, diag))
            return false;
    }
    out->colours = palette;
    out->backgrounds = kinds;
    return true;
}

static bool read_index(Arena *arena, const Json *record, const char *key, const BirdAttributes *attributes, uint32_t *out, Diag *diag) {
    const char *name = NULL;
    bool is_background = strcmp(key, "background") == 0;
    uint32_t count = is_background ? attributes->background_count : attributes->colour_count;
    if (!json_text(record, key, &name, diag))
        return false;
    for (*out = 0; *out < count; ++*out)
        if (strcmp(is_background ? attributes->backgrounds[*out].name : attributes->colours[*out].name, name) == 0)
            return true;
    Place place = json_place(arena, record);
    diag_error(diag, &place, "%s: there is no colour \"%s\"", key, name);
    return false;
}

static bool read_record(Arena *arena, const Json *json, const BirdAttributes *attributes, BirdRecord *out, Diag *diag) {
    return json_text(json, "name", &out->name, diag) && read_index(arena, json, "body", attributes, &out->body, diag) &&
           read_index(arena, json, "wing", attributes, &out->wing, diag) &&
           read_index(arena, json, "belly", attributes, &out->belly, diag) &&
           read_index(arena, json, "crown", attributes, &out->crown, diag) &&
           read_index(arena, json, "background", attributes, &out->background, diag);
}

bool bird_attributes_read(Arena *arena, const char *folder, const char *split, BirdAttributes *out, Diag *diag) {
    memset(out, 0, sizeof *out);
    const char *path = file_join(arena, folder, "attributes.json");
    if (!file_exists(path)) {
        diag_error(diag, &(Place){.file = path},
                   "is not there: colours are known of painted birds only, which `gcc-graph data make birds` makes");
        return false;
    }
    const Json *root = json_read(arena, path, diag), *records = root ? json_get(root, split) : NULL;
    if (!root || !read_palettes(arena, root, out, diag))
        return false;
    if (!records || records->kind != JSON_ARRAY) {
        diag_error(diag, &(Place){.file = path}, "has no array \"%s\" of records", split);
        return false;
    }
    BirdRecord *list = ARENA_NEW(arena, BirdRecord, records->count + 1);
    for (const Json *at = records->first; at; at = at->next)
        if (!read_record(arena, at, out, &list[out->record_count++], diag))
            return false;
    out->records = list;
    return true;
}
