// Eval classify: batches of images through a classifier, and counts over its answers.
#include "runtime/eval/classify.h"
#include <math.h>

static uint64_t record_size(const ProgramFeed *feed) { // elements of one record
    uint64_t count = 1;
    for (uint32_t i = 1; i < feed->tensor.layout.rank; i++)
        count *= feed->tensor.layout.dims[i];
    return count;
}

bool eval_classifier_find(const Program *program, const ProgramEntry *entry, EvalClassifier *out, Diag *diag) {
    *out = (EvalClassifier){.program = program, .entry = entry, .image = UINT32_MAX, .label = UINT32_MAX};
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        const ProgramPhase *phase = &entry->phases.items[i];
        for (uint32_t k = 0; k < phase->results.count; k++) {
            const ProgramResult *result = &phase->results.items[k];
            if (!result->format || strcmp(result->format, "rows") != 0 || strcmp(result->name, "logits") != 0 ||
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
    bool good = out->phase && out->image != UINT32_MAX && out->phase->results.items[out->logits].tensor.layout.dims[1] <= EVAL_CLASSES_MAX;
    if (!good)
        diag_error(diag, NULL,
                   "the program \"%s\" of %s is no classifier: one phase must feed images (f32) and emit \"logits\" as rows [n, classes]",
                   entry->name, program->name);
    return good;
}

static void count_row(const float *logits, uint32_t classes, int64_t label, EvalClassify *out) {
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

// One batch: `count` real records of `images`; the rest of the batch repeats the last.
static bool run_batch(Arena *arena, const EvalClassifier *classifier, const float *images, const int32_t *labels, uint32_t count,
                      EvalClassify *out, Diag *diag) {
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
    Moment moment = {.steps = 1, .epoch_steps = 1, .records = count};
    SessionResult result;
    bool got = false;
    if (!session_submit(classifier->session, classifier->entry, classifier->phase, &moment, feeds, 0, diag) ||
        !session_take(classifier->session, true, &result, &got, diag))
        return false;
    out->classes = classifier->phase->results.items[classifier->logits].tensor.layout.dims[1];
    const float *logits = result.values[classifier->logits];
    for (uint32_t i = 0; i < count; i++)
        count_row(logits + (uint64_t)out->classes * i, out->classes, labels ? labels[i] : -1, out);
    return true;
}

static void finish(EvalClassify *out) {
    for (uint32_t i = 0; i < out->classes; i++) {
        double share = (double)out->predicted[i] / out->count;
        out->entropy -= share > 0 ? share * log(share) : 0;
    }
}

bool eval_classify_images(Arena *arena, const EvalClassifier *classifier, const HostTensor *images, EvalClassify *out, Diag *diag) {
    const ProgramFeed *image = &classifier->phase->feeds.items[classifier->image];
    uint64_t size = record_size(image), given = images->dims[0] ? images->size / 4 / images->dims[0] : 0;
    memset(out, 0, sizeof *out);
    if (images->dtype != HOST_F32 || images->rank < 2 || given != size || images->dims[0] == 0) {
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

bool eval_classify_data(Arena *arena, const EvalClassifier *classifier, const Dataset *dataset, uint32_t count, EvalClassify *out,
                        Diag *diag) {
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
