// Loader: one thread, a ring of slots. The thread fills slot i mod depth; the caller holds one slot at a time.
#include "runtime/data/loader.h"
#include "runtime/base/random.h"
#include <assert.h>
#include <pthread.h>
#include <signal.h>

enum { DEPTH = 4 };

typedef struct {
    const ProgramFeed *feed;
    const Dataset *dataset; // NULL: a program's input
    uint32_t split, field;
    uint32_t records, batches;
    uint64_t element_count; // of one record
    uint64_t order_name;
    uint32_t *order; // the permutation of epoch `epoch`; NULL for sequential feeds
    uint32_t epoch;
    bool has_order;
} Source;

typedef struct {
    Source *sources; // by feed
    uint32_t source_count, repeats;
} PhaseFeeds;

typedef struct {
    LoaderBatch batch;
    void **buffers;     // by feed, as large as the largest phase needs
    const void **feeds; // of the batch: a buffer, or NULL
} Slot;

struct Loader {
    LoaderOptions options;
    PhaseFeeds *phases;
    uint32_t phase_count;
    uint32_t first_feeding; // phase_count: none feeds
    Slot *slots;
    uint32_t slot_count;
    uint64_t total; // repetitions from first_step to end_step
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    // Guarded by the lock:
    uint64_t produced, released;
    bool is_stopping, has_failed;
    // The caller's:
    uint64_t taken;
    // The thread's until has_failed is set:
    Arena *thread_arena;
    Diag *thread_diag;
};

static uint32_t batch_count(uint32_t records, const ProgramFeed *feed) {
    uint32_t whole = records / feed->batch, rest = records % feed->batch;
    uint32_t count = whole + (feed->pad && rest ? 1 : 0);
    return count ? count : 1; // a split that is smaller than a batch is one batch, padded
}

static bool resolve(Arena *arena, const LoaderOptions *options, const ProgramFeed *feed, Source *source, Diag *diag) {
    *source = (Source){.feed = feed};
    if (!feed->data)
        return true;
    for (uint32_t i = 0; i < options->program->data.count; i++)
        if (strcmp(options->program->data.items[i].name, feed->data) == 0)
            source->dataset = options->datasets[i];
    assert(source->dataset && feed->batch > 0);
    const ProgramData *declared = source->dataset->declared;
    bool has_field = false;
    for (uint32_t i = 0; i < declared->field_count; i++)
        if (strcmp(declared->fields[i].name, feed->field) == 0) {
            source->field = i;
            has_field = true;
        }
    if (!has_field || !dataset_find_split(source->dataset, feed->split, &source->split)) {
        diag_error(diag, NULL, "feed \"%s\": the data set \"%s\" has no field \"%s\" in the split \"%s\"", feed->name, feed->data,
                   feed->field, feed->split);
        return false;
    }
    source->records = source->dataset->splits[source->split].count;
    if (source->records == 0) {
        diag_error(diag, NULL, "feed \"%s\": the split \"%s\" of %s is empty", feed->name, feed->split, source->dataset->spec);
        return false;
    }
    source->batches = batch_count(source->records, feed);
    source->element_count = dataset_field_count(declared, source->field);
    source->order_name = random_name(arena_format(arena, "order/%s", feed->data));
    if (feed->shuffled)
        source->order = ARENA_NEW(arena, uint32_t, source->records);
    return true;
}

static bool resolve_phase(Arena *arena, const LoaderOptions *options, const ProgramPhase *phase, PhaseFeeds *out, Diag *diag) {
    *out =
        (PhaseFeeds){.source_count = phase->feeds.count, .repeats = phase->repeat, .sources = ARENA_NEW(arena, Source, phase->feeds.count)};
    for (uint32_t i = 0; i < phase->feeds.count; i++) {
        if (!resolve(arena, options, &phase->feeds.items[i], &out->sources[i], diag))
            return false;
        if (out->repeats == 0 && out->sources[i].dataset)
            out->repeats = out->sources[i].batches;
    }
    if (out->repeats == 0)
        out->repeats = 1;
    return true;
}

// Fills one feed's batch; gives the number of real records.
static bool fill(const Loader *loader, Source *source, uint64_t k, void *out, uint32_t *real, Diag *diag) {
    const ProgramFeed *feed = source->feed;
    uint32_t epoch = (uint32_t)(k / source->batches), first = (uint32_t)(k % source->batches) * feed->batch;
    if (source->order && (!source->has_order || source->epoch != epoch)) {
        random_permutation(loader->options.seed, source->order_name, epoch, source->order, source->records);
        source->has_order = true;
        source->epoch = epoch;
    }
    uint32_t left = source->records - first;
    *real = left < feed->batch ? left : feed->batch;
    char *place = out;
    size_t size = source->element_count * 4;
    for (uint32_t i = 0; i < *real; i++, place += size) {
        uint32_t record = source->order ? source->order[first + i] : first + i;
        if (!source->dataset->fetch(source->dataset, source->split, record, source->field, 0, place, diag))
            return false;
    }
    for (uint32_t i = *real; i < feed->batch; i++, place += size)
        memcpy(place, place - size, size);
    return true;
}

static bool produce(Loader *loader, Slot *slot, uint32_t step, uint32_t phase_index, uint32_t repetition) {
    PhaseFeeds *phase = &loader->phases[phase_index];
    slot->batch = (LoaderBatch){.step = step, .phase = phase_index, .repetition = repetition, .feeds = slot->feeds};
    uint64_t k = (uint64_t)step * phase->repeats + repetition;
    for (uint32_t i = 0; i < phase->source_count; i++) {
        slot->feeds[i] = NULL;
        if (!phase->sources[i].dataset)
            continue;
        uint32_t real;
        if (!fill(loader, &phase->sources[i], k, slot->buffers[i], &real, loader->thread_diag))
            return false;
        slot->feeds[i] = slot->buffers[i];
        if (slot->batch.records == 0 || real < slot->batch.records)
            slot->batch.records = real;
    }
    return true;
}

static void *run(void *argument) {
    Loader *loader = argument;
    uint32_t step = loader->options.first_step, phase = 0, repetition = 0;
    for (uint64_t i = 0; i < loader->total; i++) {
        pthread_mutex_lock(&loader->lock);
        while (!loader->is_stopping && i >= loader->released + loader->slot_count)
            pthread_cond_wait(&loader->changed, &loader->lock);
        bool is_stopping = loader->is_stopping;
        pthread_mutex_unlock(&loader->lock);
        if (is_stopping)
            break;
        bool ok = produce(loader, &loader->slots[i % loader->slot_count], step, phase, repetition);
        pthread_mutex_lock(&loader->lock);
        loader->produced += ok;
        loader->has_failed = !ok;
        pthread_cond_signal(&loader->changed);
        pthread_mutex_unlock(&loader->lock);
        if (!ok)
            break;
        if (++repetition == loader->phases[phase].repeats) {
            repetition = 0;
            phase = (phase + 1) % loader->phase_count;
            step += phase == 0;
        }
    }
    return NULL;
}

static void make_slots(Arena *arena, Loader *loader) {
    uint32_t feed_count = 0;
    for (uint32_t p = 0; p < loader->phase_count; p++)
        feed_count = loader->phases[p].source_count > feed_count ? loader->phases[p].source_count : feed_count;
    loader->slots = ARENA_NEW(arena, Slot, loader->slot_count);
    for (uint32_t s = 0; s < loader->slot_count; s++) {
        loader->slots[s].feeds = ARENA_NEW(arena, const void *, feed_count);
        loader->slots[s].buffers = ARENA_NEW(arena, void *, feed_count);
    }
    for (uint32_t f = 0; f < feed_count; f++) {
        size_t size = 0;
        for (uint32_t p = 0; p < loader->phase_count; p++) {
            const PhaseFeeds *phase = &loader->phases[p];
            if (f >= phase->source_count || !phase->sources[f].dataset)
                continue;
            size_t needed = (size_t)phase->sources[f].element_count * 4 * phase->sources[f].feed->batch;
            size = needed > size ? needed : size;
        }
        for (uint32_t s = 0; s < loader->slot_count; s++)
            loader->slots[s].buffers[f] = arena_alloc(arena, size);
    }
}

Loader *loader_create(Arena *arena, const LoaderOptions *options, Diag *diag) {
    Loader *loader = ARENA_NEW(arena, Loader, 1);
    loader->options = *options;
    loader->phase_count = options->entry->phases.count;
    loader->first_feeding = loader->phase_count;
    loader->phases = ARENA_NEW(arena, PhaseFeeds, loader->phase_count);
    uint64_t per_step = 0;
    for (uint32_t p = 0; p < loader->phase_count; p++) {
        if (!resolve_phase(arena, options, &options->entry->phases.items[p], &loader->phases[p], diag))
            return NULL;
        per_step += loader->phases[p].repeats;
        for (uint32_t i = 0; i < loader->phases[p].source_count; i++)
            if (loader->phases[p].sources[i].dataset && loader->first_feeding == loader->phase_count)
                loader->first_feeding = p;
    }
    loader->total = per_step * (options->end_step > options->first_step ? options->end_step - options->first_step : 0);
    loader->slot_count = (options->depth ? options->depth : DEPTH) + 1; // one is the caller's
    make_slots(arena, loader);
    loader->thread_arena = arena_create();
    loader->thread_diag = diag_create(loader->thread_arena);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->changed, NULL);
    // Signals are the main thread's, where the training loop waits for Ctrl-C.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&loader->thread, NULL, run, loader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    loader->has_thread = error == 0;
    if (error) {
        diag_error(diag, NULL, "cannot start a thread for the data: %s", strerror(error));
        loader_destroy(&loader);
    }
    return loader;
}

void loader_destroy(Loader **pointer) {
    Loader *loader = *pointer;
    *pointer = NULL;
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->is_stopping = true;
    pthread_cond_signal(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    if (loader->has_thread)
        pthread_join(loader->thread, NULL);
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->lock);
    arena_destroy(&loader->thread_arena);
}

bool loader_next(Loader *loader, LoaderBatch *out, Diag *diag) {
    assert(loader->taken < loader->total);
    pthread_mutex_lock(&loader->lock);
    loader->released = loader->taken;
    pthread_cond_signal(&loader->changed);
    while (!loader->has_failed && loader->produced == loader->taken)
        pthread_cond_wait(&loader->changed, &loader->lock);
    bool ok = loader->produced > loader->taken;
    pthread_mutex_unlock(&loader->lock);
    if (!ok) {
        diag_merge(diag, loader->thread_diag);
        return false;
    }
    *out = loader->slots[loader->taken++ % loader->slot_count].batch;
    return true;
}

uint32_t loader_repeats(const Loader *loader, uint32_t phase) { return loader->phases[phase].repeats; }

static const Source *first_source(const Loader *loader) {
    if (loader->first_feeding == loader->phase_count)
        return NULL;
    const PhaseFeeds *phase = &loader->phases[loader->first_feeding];
    for (uint32_t i = 0; i < phase->source_count; i++)
        if (phase->sources[i].dataset)
            return &phase->sources[i];
    return NULL;
}

uint32_t loader_epoch_steps(const Loader *loader) {
    const Source *source = first_source(loader);
    uint32_t steps = source ? source->batches / loader->phases[loader->first_feeding].repeats : 1;
    return steps ? steps : 1;
}

uint32_t loader_step_records(const Loader *loader) {
    const Source *source = first_source(loader);
    return source ? source->feed->batch * loader->phases[loader->first_feeding].repeats : 0;
}

const char *loader_position(const Loader *loader, Arena *arena, uint32_t step) {
    Text text = text_create(arena);
    for (uint32_t p = 0; p < loader->phase_count; p++) {
        const PhaseFeeds *phase = &loader->phases[p];
        for (uint32_t i = 0; i < phase->source_count; i++) {
            const Source *source = &phase->sources[i];
            bool is_known = !source->dataset;
            for (uint32_t j = 0; j < i; j++)
                is_known |= phase->sources[j].dataset == source->dataset && phase->sources[j].split == source->split;
            if (is_known)
                continue;
            uint64_t k = (uint64_t)step * phase->repeats;
            text_format(&text, "%s%s.%s: epoch %u, batch %u of %u", text.length ? "; " : "", source->feed->data, source->feed->split,
                        (uint32_t)(k / source->batches), (uint32_t)(k % source->batches), source->batches);
        }
    }
    return text.data;
}
