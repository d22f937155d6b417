// Classify: batches of images through a classifier, and counts over its answers. A classifier is a bundle with a program that feeds one
// image field, perhaps an integer field of labels with it, and emits rows "logits" [n, classes].
#include "runtime/eval/measure.h"
#include "runtime/session/play.h"
#include <math.h>

enum { CLASSES_MAX = 1000 };

typedef struct {
    uint32_t count, classes;
    uint32_t confident;       // largest probability at least 0.9
    uint32_t right, labelled; // where labels are fed
    double entropy;           // of the distribution of predicted classes, in nats
    uint32_t predicted[CLASSES_MAX];
} Answers;

typedef struct {
    Session *session; // with the classifier's weights
    const Program *program;
    const ProgramEntry *entry;
    const ProgramPhase *phase;
    uint32_t image, label; // feeds; label UINT32_MAX: none
    uint32_t logits;       // the result
} Classifier;

static uint64_t record_size(const ProgramFeed *feed) { // elements of one record
    uint64_t count = 1;
    for (uint32_t i = 1; i < feed->tensor.layout.rank; i++)
        count *= feed->tensor.layout.dims[i];
    return count;
}

// Feeds and result in the entry. False: reported, with what a classifier needs.
static bool find_classifier(const Program *program, const ProgramEntry *entry, Classifier *out, Diag *diag) {
    *out = (Classifier){.program = program, .entry = entry, .image = UINT32_MAX, .label = UINT32_MAX};
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        const ProgramPhase *phase = &entry->phases.items[i];
        for (uint32_t k = 0; k < phase->results.count; k++) {
            const ProgramResult *result = &phase->results.items[k];
            if (result->format != RESULT_ROWS || strcmp(result->name, "logits") != 0 ||
                result->tensor.layout.rank != 2)
                continue;
            out->phase = phase;
            out->logits = k;
        }
    }
    for (uint32_t i = 0; out->phase && i < out->phase->feeds.count; i++)
        if (out->phase->feeds.items[i].tensor.type == ELEMENT_F32)
            out->image = i;
        else
            out->label = i;
    bool good = out->phase && out->image != UINT32_MAX && out->phase->results.items[out->logits].tensor.layout.dims[1] <= CLASSES_MAX;
    if (!good)
        diag_error(diag, NULL,
                   "the program \"%s\" of %s is no classifier: one phase must feed images (f32) and emit \"logits\" as rows [n, classes]",
                   entry->name, program->name);
    return good;
}

static void count_row(const float *logits, uint32_t classes, int64_t label, Answers *out) {
    uint32_t best = 0;
    double sum = 0;
    for (uint32_t i = 1; i < classes; i++)
        best = logits[i] > logits[best] ? i : best;
    for (uint32_t i = 0; i < classes; i++)
        sum += exp((double)logits[i] - (double)logits[best]);
    out->count++;
    out->predicted[best]++;
    out->confident += 1 / sum >= 0.9;
    out->labelled += label >= 0;
    out->right += label == (int64_t)best;
}

typedef struct {
    const Classifier *classifier;
    const void *const *feeds;
    const int32_t *labels; // NULL: none
    uint32_t count;        // real records
    Answers *out;
} Batch;

static bool feed(void *context, PlayTurn *turn, Diag *diag) {
    (void)diag;
    turn->feeds = ((const Batch *)context)->feeds;
    turn->moment.records = ((const Batch *)context)->count;
    return true;
}

static bool take(void *context, const SessionResult *result, Diag *diag) {
    (void)diag;
    const Batch *batch = context;
    Answers *out = batch->out;
    out->classes = batch->classifier->phase->results.items[batch->classifier->logits].tensor.layout.dims[1];
    const float *logits = result->values[batch->classifier->logits];
    for (uint32_t i = 0; i < batch->count; i++)
        count_row(logits + (uint64_t)out->classes * i, out->classes, batch->labels ? batch->labels[i] : -1, out);
    return true;
}

// One batch: `count` real records of `images`; the rest of the batch repeats the last.
static bool run_batch(Arena *arena, const Classifier *classifier, const float *images, const int32_t *labels, uint32_t count,
                      Answers *out, Diag *diag) {
    const ProgramFeed *image = &classifier->phase->feeds.items[classifier->image];
    uint64_t size = record_size(image);
    const void **feeds = ARENA_NEW(arena, const void *, classifier->phase->feeds.count);
    float *batch = ARENA_NEW(arena, float, size * image->batch);
    int32_t *batch_labels = ARENA_NEW(arena, int32_t, image->batch);
    for (uint32_t i = 0; i < image->batch; i++) {
        uint32_t from = i < count ? i : count - 1;
        memcpy(batch + size * i, images + size * from, sizeof *batch * size);
        batch_labels[i] = labels ? labels[from] : 0;
    }
    for (uint32_t i = 0; i < classifier->phase->feeds.count; i++)
        feeds[i] = i == classifier->image ? (const void *)batch : batch_labels;
    Batch given = {classifier, feeds, labels, count, out};
    uint32_t index = (uint32_t)(classifier->phase - classifier->entry->phases.items);
    uint32_t *repeats = ARENA_NEW(arena, uint32_t, index + 1u);
    repeats[index] = 1;
    Play play = {.session = classifier->session,
                 .entry = classifier->entry,
                 .repeats = repeats,
                 .steps = 1,
                 .feed = feed,
                 .take = take,
                 .context = &given};
    return session_play_phase(&play, 0, index, diag) && session_play_finish(&play, diag);
}

static void finish(Answers *out) {
    for (uint32_t i = 0; i < out->classes; i++) {
        double share = (double)out->predicted[i] / out->count;
        out->entropy -= share > 0 ? share * log(share) : 0;
    }
}

// images: [count, …] in the field's shape, f32.
static bool classify_images(Arena *arena, const Classifier *classifier, const HostTensor *images, Answers *out, Diag *diag) {
    const ProgramFeed *image = &classifier->phase->feeds.items[classifier->image];
    uint64_t size = record_size(image), given = images->dims[0] ? host_count(images) / images->dims[0] : 0;
    memset(out, 0, sizeof *out);
    if (images->dtype != ELEMENT_F32 || images->rank < 2 || given != size || images->dims[0] == 0) {
        diag_error(diag, NULL, "%s holds no images for this classifier: expected f32 of [n, …] with %llu numbers an image",
                   images->name ? images->name : "the file", (unsigned long long)size);
        return false;
    }
    for (uint64_t first = 0; first < images->dims[0]; first += image->batch) {
        uint64_t left = images->dims[0] - first;
        uint32_t count = left < image->batch ? (uint32_t)left : image->batch;
        if (!run_batch(arena, classifier, (const float *)images->data + size * first, NULL, count, out, diag))
            return false;
    }
    finish(out);
    return true;
}

static bool find_field(const ProgramData *data, const char *name, uint32_t *out) {
    for (*out = 0; *out < data->field_count; ++*out)
        if (strcmp(data->fields[*out].name, name) == 0)
            return true;
    return false;
}

// The first `count` records (0: all) of the feed's split.
static bool classify_data(Arena *arena, const Classifier *classifier, const Dataset *dataset, uint32_t count, Answers *out, Diag *diag) {
    const ProgramFeed *image = &classifier->phase->feeds.items[classifier->image];
    const ProgramFeed *label = classifier->label == UINT32_MAX ? NULL : &classifier->phase->feeds.items[classifier->label];
    uint32_t split = 0, image_field = 0, label_field = 0;
    uint64_t size = record_size(image);
    memset(out, 0, sizeof *out);
    if (!dataset_find_split(dataset, image->split, &split) || !find_field(dataset->declared, image->field, &image_field) ||
        (label && !find_field(dataset->declared, label->field, &label_field))) {
        diag_error(diag, NULL, "%s has no split \"%s\" with the fields of the classifier", dataset->spec, image->split);
        return false;
    }
    uint32_t records = dataset->splits[split].count, wanted = count && count < records ? count : records;
    float *images = ARENA_NEW(arena, float, size * image->batch);
    int32_t *labels = ARENA_NEW(arena, int32_t, image->batch);
    for (uint32_t first = 0; first < wanted; first += image->batch) {
        uint32_t batch = wanted - first < image->batch ? wanted - first : image->batch;
        for (uint32_t i = 0; i < batch; i++)
            if (!dataset->fetch(dataset, split, first + i, image_field, 0, images + size * i, diag) ||
                (label && !dataset->fetch(dataset, split, first + i, label_field, 0, &labels[i], diag)))
                return false;
        if (!run_batch(arena, classifier, images, label ? labels : NULL, batch, out, diag))
            return false;
    }
    finish(out);
    return true;
}

// ---- what is said

static void print_answers(Text *out, const char *what, const Answers *result) {
    if (result->count == 0)
        return;
    text_format(out, "%s: %u images, confidence >= 0.9 in %.3f, entropy of predicted classes %.2f nats", what, result->count,
           (double)result->confident / result->count, result->entropy);
    if (result->labelled > 0)
        text_format(out, ", %.2f %% right", 100.0 * result->right / result->labelled);
    text_format(out, "\n  predicted:");
    for (uint32_t i = 0; i < result->classes; i++)
        text_format(out, " %u", result->predicted[i]);
    text_append(out, "\n");
}

static void write_answers(JsonWriter *json, const char *key, const Answers *result) {
    if (result->count == 0)
        return;
    json_begin_object(json, key);
    json_write_uint(json, "count", result->count);
    json_write_number(json, "confident", (double)result->confident / result->count);
    json_write_number(json, "entropy", result->entropy);
    if (result->labelled > 0)
        json_write_number(json, "accuracy", (double)result->right / result->labelled);
    json_begin_array(json, "predicted");
    for (uint32_t i = 0; i < result->classes; i++)
        json_write_uint(json, NULL, result->predicted[i]);
    json_end_array(json);
    json_end_object(json);
}

// ---- the measure

typedef struct {
    Classifier classifier;
    const Dataset *dataset; // NULL: none was given
    HostTensor images;      // rank 0: none were given
    Answers samples, real;
} Classify;

static const char *mistake(const MeasureOptions *options) {
    if (!options->from)
        return "--from RUN is missing: the classifier's weights";
    return options->images || options->data_count ? NULL : "neither --images nor --data: there is nothing to classify";
}

static bool open_data(Measuring *measuring, Classify *classify) {
    const MeasureOptions *options = measuring->options;
    const Program *program = measuring->program;
    if (options->data_count == 0)
        return true;
    Dataset **datasets =
        dataset_open_all(measuring->arena, program, measuring->entry, options->data, options->data_count, measuring->diag);
    const char *name = classify->classifier.phase->feeds.items[classify->classifier.image].data;
    for (uint32_t i = 0; datasets && i < program->data.count; i++)
        if (strcmp(program->data.items[i].name, name) == 0)
            classify->dataset = datasets[i];
    return classify->dataset != NULL;
}

static bool read_images(Measuring *measuring, Classify *classify) {
    const char *path = measuring->options->images;
    if (!path)
        return true;
    if (!npy_read(measuring->arena, path, &classify->images, measuring->diag))
        return false;
    classify->images.name = path;
    return true;
}

static bool prepare(Measuring *measuring) {
    Classify *classify = ARENA_NEW(measuring->arena, Classify, 1);
    measuring->own = classify;
    return find_classifier(measuring->program, measuring->entry, &classify->classifier, measuring->diag) &&
           read_images(measuring, classify) && open_data(measuring, classify);
}

static bool run(Measuring *measuring) {
    Classify *classify = measuring->own;
    Classifier *classifier = &classify->classifier;
    classifier->session = measuring->session;
    return (!measuring->options->images ||
            classify_images(measuring->arena, classifier, &classify->images, &classify->samples, measuring->diag)) &&
           (!classify->dataset || classify_data(measuring->arena, classifier, classify->dataset, measuring->options->count,
                                                &classify->real, measuring->diag));
}

static void print(const Measuring *measuring, Text *out) {
    const Classify *classify = measuring->own;
    print_answers(out, "samples", &classify->samples);
    print_answers(out, "real", &classify->real);
}

static void write(const Measuring *measuring, JsonWriter *json) {
    const Classify *classify = measuring->own;
    write_answers(json, "samples", &classify->samples);
    write_answers(json, "real", &classify->real);
}

const Measure classify_measure = {
    .name = "classify", .program = "classify", .mistake = mistake, .prepare = prepare, .run = run, .print = print, .write = write};
