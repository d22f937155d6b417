// Loader: a ring of slots for each phase that is fed. One thread fills the slots of whichever ring has least to give; a pool reads the rows of a
// batch. The caller holds one slot of each ring at a time.
#include "runtime/data/loader.h"
#include "runtime/base/bug.h"
#include "runtime/base/pool.h"
#include "runtime/base/random.h"

enum { DEPTH = 4, THREADS_MAX = 8, PORTIONS = 4 };

typedef struct {
    const ProgramFeed *feed;
    const Dataset *dataset; // NULL: a program's input
    uint32_t split, field;
    uint32_t records, batches;
    uint64_t element_count; // of one record
    uint64_t order_name, draw_name;
    uint32_t *order; // the permutation of epoch `epoch`; NULL for sequential feeds
    uint32_t epoch;
    bool has_order;
} Source;

typedef struct Slot Slot;

typedef struct {
    Source *sources; // by feed
    uint32_t source_count;
    uint32_t repeats; // in a step
    uint32_t batches; // that each takes: several where the phase accumulates
    bool is_fed;
    Slot *slots;    // NULL: it is not fed
    const void **nothing; // what is fed then: NULL for each feed
    uint64_t first; // batch since step 0: the number of the first one
    uint64_t total; // of batches, at most
    uint64_t produced, released; // guarded by the loader's lock
    uint64_t taken;              // the caller's
} PhaseFeeds;

struct Slot {
    LoaderBatch batch;
    void **buffers;     // by feed
    const void **feeds; // of the batch: a buffer, or NULL
    LoaderOrigin *origins;
    uint32_t **records; // by feed: of the origins
    Arena *arena;       // what readers warned of
    Diag *diag;
};

struct Loader {
    LoaderOptions options;
    PhaseFeeds *phases;
    uint32_t phase_count;
    uint32_t first_feeding; // phase_count: none feeds
    Turns *turns;           // where first_step stands; NULL: there are no steps
    uint32_t slot_count;    // of a ring
    Pool *pool;                  // of those that read rows; the ordering thread is one of them
    PoolThread thread;           // which orders the work
    pthread_mutex_t lock;
    pthread_cond_t changed; // produced, released
    // Guarded by the lock:
    bool is_stopping, has_failed;
    // The ordering thread's until has_failed is set:
    Arena *thread_arena;
    Diag *thread_diag;
};

static bool resolve(Arena *arena, const LoaderOptions *options, const ProgramFeed *feed, Source *source, Diag *diag) {
    *source = (Source){.feed = feed};
    if (!feed->data)
        return true;
    for (uint32_t i = 0; i < options->program->data.count; i++)
        if (strcmp(options->program->data.items[i].name, feed->data) == 0)
            source->dataset = options->datasets[i];
    CHECK(source->dataset && feed->batch > 0);
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
    source->batches = dataset_batches(source->records, feed->batch, feed->pad);
    if (source->batches == 0) {
        diag_error(diag, NULL,
                   "feed \"%s\": the split \"%s\" of %s has %u records, fewer than a batch of %u, and the last batch is dropped: nothing would "
                   "be left. Compile the graph with a batch of %u or less, or write \"last\": \"pad\" in the feed and count with "
                   "\"records\"",
                   feed->name, feed->split, source->dataset->spec, source->records, feed->batch, source->records);
        return false;
    }
    source->element_count = dataset_field_count(declared, source->field);
    source->order_name = random_name(arena_format(arena, "order/%s", feed->data));
    source->draw_name = random_name(arena_format(arena, "draw/%s", feed->data));
    if (feed->shuffled)
        source->order = ARENA_NEW(arena, uint32_t, source->records);
    return true;
}

static bool resolve_phase(Arena *arena, const LoaderOptions *options, const ProgramPhase *phase, PhaseFeeds *out, Diag *diag) {
    *out =
        (PhaseFeeds){.source_count = phase->feeds.count, .repeats = phase->repeat, .sources = ARENA_NEW(arena, Source, phase->feeds.count),
                     .nothing = ARENA_NEW(arena, const void *, phase->feeds.count)};
    for (uint32_t i = 0; i < phase->feeds.count; i++) {
        if (!resolve(arena, options, &phase->feeds.items[i], &out->sources[i], diag))
            return false;
        out->is_fed = out->is_fed || out->sources[i].dataset;
        if (out->repeats == 0 && out->sources[i].dataset)
            out->repeats = out->sources[i].batches;
    }
    out->batches = phase->part == PART_BATCH ? phase->batches : 1;
    if (phase->repeat == 0 && out->batches > 1)
        out->repeats /= out->batches;
    if (out->repeats == 0)
        out->repeats = 1;
    return true;
}

// Batches of one step.
static uint32_t step_batches(const PhaseFeeds *phase) { return phase->repeats * phase->batches; }

static uint64_t draw_of(uint64_t seed, const Source *source, uint32_t epoch) {
    if (!source->order)
        return 0;
    RandomWords words = random_element(seed, source->draw_name, epoch, 0, 0);
    uint64_t draw = (uint64_t)words.words[1] << 32 | words.words[0];
    return draw ? draw : 1;
}

// Which records one feed's batch takes; gives the number of real ones.
static uint32_t choose(const Loader *loader, Source *source, uint64_t k, LoaderOrigin *origin, uint32_t *records) {
    const ProgramFeed *feed = source->feed;
    uint32_t epoch = (uint32_t)(k / source->batches), first = (uint32_t)(k % source->batches) * feed->batch;
    if (source->order && (!source->has_order || source->epoch != epoch)) {
        random_permutation(loader->options.seed, source->order_name, epoch, source->order, source->records);
        source->has_order = true;
        source->epoch = epoch;
    }
    uint32_t left = source->records - first, real = left < feed->batch ? left : feed->batch;
    for (uint32_t i = 0; i < feed->batch; i++) {
        uint32_t place = first + (i < real ? i : real - 1);
        records[i] = source->order ? source->order[place] : place;
    }
    *origin = (LoaderOrigin){source->dataset, source->split, draw_of(loader->options.seed, source, epoch), records};
    return real;
}

static bool read_row(const PhaseFeeds *phase, Slot *slot, uint32_t row, Diag *diag) {
    for (uint32_t i = 0; i < phase->source_count; i++) {
        const Source *source = &phase->sources[i];
        const LoaderOrigin *origin = &slot->origins[i];
        if (!source->dataset || row >= source->feed->batch || (row > 0 && origin->records[row] == origin->records[row - 1]))
            continue; // the last record, repeated: copied later
        void *place = (char *)slot->buffers[i] + source->element_count * ELEMENT_WORD * row;
        if (!source->dataset->fetch(source->dataset, source->split, origin->records[row], source->field, origin->draw, place, diag))
            return false;
    }
    return true;
}

static uint64_t count_broken(const PhaseFeeds *phase) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < phase->source_count; i++) {
        const Source *source = &phase->sources[i];
        if (source->dataset && source->dataset->broken)
            count += source->dataset->broken(source->dataset, source->split);
    }
    return count;
}

// Rows of all feeds: what belongs together is read by one thread, and again where meanwhile a record turned out broken: another may have
// taken its place in some fields only.
static bool read_rows(const PhaseFeeds *phase, Slot *slot, uint32_t first, uint32_t end, Diag *diag) {
    for (uint32_t row = first; row < end; row++)
        for (uint64_t before = UINT64_MAX, now = count_broken(phase); before != now; now = count_broken(phase)) {
            before = now;
            if (!read_row(phase, slot, row, diag))
                return false;
        }
    return true;
}

// A batch, and how much of it is read at a time.
typedef struct {
    const PhaseFeeds *phase;
    Slot *slot;
    uint32_t rows, portion;
} Reading;

static bool read_portion(void *context, uint32_t item, Arena *scratch, Diag *diag) {
    (void)scratch;
    const Reading *reading = context;
    uint32_t first = item * reading->portion, left = reading->rows - first;
    return read_rows(reading->phase, reading->slot, first, first + (left < reading->portion ? left : reading->portion), diag);
}

static bool read_all(Loader *loader, const PhaseFeeds *phase, Slot *slot, uint32_t rows) {
    uint32_t portion = rows / ((pool_helpers(loader->pool) + 1) * PORTIONS) + 1;
    Reading reading = {phase, slot, rows, portion};
    PoolWork work = {.count = (rows - 1) / portion + 1, .work = read_portion, .context = &reading};
    if (pool_run(loader->pool, &work, slot->diag))
        return true;
    diag_merge(loader->thread_diag, slot->diag);
    return false;
}

// Batch k of a phase, counted since step 0.
static LoaderBatch batch_at(const Loader *loader, const PhaseFeeds *phase, uint64_t k) {
    uint32_t batches = step_batches(phase);
    return (LoaderBatch){.run = (uint32_t)(k / batches), .phase = (uint32_t)(phase - loader->phases), .repetition = (uint32_t)(k % batches)};
}

static bool produce(Loader *loader, PhaseFeeds *phase, Slot *slot, uint64_t k) {
    slot->batch = batch_at(loader, phase, k);
    slot->batch.feeds = slot->feeds;
    slot->batch.origins = slot->origins;
    arena_reset(slot->arena);
    slot->diag = diag_create(slot->arena);
    uint32_t rows = 0;
    for (uint32_t i = 0; i < phase->source_count; i++) {
        Source *source = &phase->sources[i];
        slot->feeds[i] = NULL;
        slot->origins[i] = (LoaderOrigin){0};
        if (!source->dataset)
            continue;
        uint32_t real = choose(loader, source, k, &slot->origins[i], slot->records[i]);
        slot->feeds[i] = slot->buffers[i];
        rows = source->feed->batch > rows ? source->feed->batch : rows;
        if (slot->batch.records == 0 || real < slot->batch.records)
            slot->batch.records = real;
    }
    if (rows > 0 && !read_all(loader, phase, slot, rows))
        return false;
    for (uint32_t i = 0; i < phase->source_count; i++) {
        const Source *source = &phase->sources[i];
        size_t size = (size_t)source->element_count * ELEMENT_WORD;
        for (uint32_t row = 1; source->dataset && row < source->feed->batch; row++)
            if (slot->records[i][row] == slot->records[i][row - 1])
                memcpy((char *)slot->buffers[i] + size * row, (char *)slot->buffers[i] + size * (row - 1), size);
    }
    return true;
}

// The ring with a free slot that has least to give; NULL: none has one, and *is_done where none ever will. Under the lock.
static PhaseFeeds *hungriest(Loader *loader, bool *is_done) {
    PhaseFeeds *found = NULL;
    *is_done = true;
    for (uint32_t p = 0; p < loader->phase_count; p++) {
        PhaseFeeds *phase = &loader->phases[p];
        if (!phase->slots || phase->produced == phase->total)
            continue;
        *is_done = false;
        uint64_t filled = phase->produced - phase->released;
        if (filled < loader->slot_count && (!found || filled < found->produced - found->released))
            found = phase;
    }
    return found;
}

static void *run(void *argument) {
    Loader *loader = argument;
    for (bool ok = true, is_done = false; ok;) {
        pthread_mutex_lock(&loader->lock);
        PhaseFeeds *phase = hungriest(loader, &is_done);
        while (!loader->is_stopping && !phase && !is_done) {
            pthread_cond_wait(&loader->changed, &loader->lock);
            phase = hungriest(loader, &is_done);
        }
        bool is_stopping = loader->is_stopping || is_done;
        pthread_mutex_unlock(&loader->lock);
        if (is_stopping)
            break;
        ok = produce(loader, phase, &phase->slots[phase->produced % loader->slot_count], phase->first + phase->produced);
        pthread_mutex_lock(&loader->lock);
        phase->produced += ok;
        loader->has_failed = !ok;
        pthread_cond_signal(&loader->changed);
        pthread_mutex_unlock(&loader->lock);
    }
    return NULL;
}

static void make_slot(Arena *arena, const PhaseFeeds *phase, Slot *slot) {
    *slot = (Slot){.feeds = ARENA_NEW(arena, const void *, phase->source_count),
                   .buffers = ARENA_NEW(arena, void *, phase->source_count),
                   .origins = ARENA_NEW(arena, LoaderOrigin, phase->source_count),
                   .records = ARENA_NEW(arena, uint32_t *, phase->source_count),
                   .arena = arena_create()};
    for (uint32_t f = 0; f < phase->source_count; f++) {
        const Source *source = &phase->sources[f];
        if (!source->dataset)
            continue;
        slot->buffers[f] = arena_alloc(arena, (size_t)source->element_count * ELEMENT_WORD * source->feed->batch);
        slot->records[f] = ARENA_NEW(arena, uint32_t, source->feed->batch);
    }
}

static void make_slots(Arena *arena, Loader *loader) {
    for (uint32_t p = 0; p < loader->phase_count; p++) {
        PhaseFeeds *phase = &loader->phases[p];
        if (!phase->is_fed || phase->total == 0)
            continue;
        phase->slots = ARENA_NEW(arena, Slot, loader->slot_count);
        for (uint32_t s = 0; s < loader->slot_count; s++)
            make_slot(arena, phase, &phase->slots[s]);
    }
}

static bool has_steps(const LoaderOptions *options) { return options->end_step > options->first_step; }

// The first phase that is fed, in each step if there is one.
static uint32_t first_fed(const Loader *loader) {
    uint32_t first = loader->phase_count;
    for (uint32_t p = 0; p < loader->phase_count; p++) {
        const ProgramPhase *phase = &loader->options.entry->phases.items[p];
        if (!loader->phases[p].is_fed)
            continue;
        if (!phase->every.terms.count && !phase->when)
            return p;
        first = first < loader->phase_count ? first : p;
    }
    return first;
}

// Which repetitions each phase can have at most.
static bool find_turns(Arena *arena, Loader *loader, Diag *diag) {
    const LoaderOptions *options = &loader->options;
    if (!has_steps(options))
        return true;
    uint32_t steps = options->steps ? options->steps : options->end_step;
    if (!options->is_plain && !(loader->turns = turns_create(arena, options->entry, steps, loader_epoch_steps(loader), options->runs, diag)))
        return false;
    for (uint32_t p = 0; p < loader->phase_count; p++) {
        PhaseFeeds *phase = &loader->phases[p];
        uint32_t first = turns_before(loader->turns, options->first_step, p),
                 end = turns_before_end(loader->turns, options->first_step, options->end_step, p);
        phase->first = (uint64_t)first * step_batches(phase);
        phase->total = (uint64_t)(end - first) * step_batches(phase);
    }
    return true;
}

static uint32_t wanted_threads(const LoaderOptions *options) {
    uint32_t count = options->threads ? options->threads : pool_workers(POOL_COMPUTES) - 1; // one is the device's
    return count < 1 ? 1 : count > THREADS_MAX ? THREADS_MAX : count;
}

Loader *loader_create(Arena *arena, const LoaderOptions *options, Diag *diag) {
    Loader *loader = ARENA_NEW(arena, Loader, 1);
    loader->options = *options;
    loader->phase_count = options->entry->phases.count;
    loader->phases = ARENA_NEW(arena, PhaseFeeds, loader->phase_count);
    for (uint32_t p = 0; p < loader->phase_count; p++) {
        if (!resolve_phase(arena, options, &options->entry->phases.items[p], &loader->phases[p], diag))
            return NULL;
        if (accumulate_is_led(options->entry->phases.items[p].part) && p > 0)
            loader->phases[p].repeats = loader->phases[p - 1].repeats; // as often as what leads it
    }
    loader->first_feeding = first_fed(loader);
    if (!find_turns(arena, loader, diag))
        return NULL;
    loader->slot_count = (options->depth ? options->depth : DEPTH) + 1; // one is the caller's
    make_slots(arena, loader);
    loader->thread_arena = arena_create();
    loader->thread_diag = diag_create(loader->thread_arena);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->changed, NULL);
    loader->pool = pool_create(arena, wanted_threads(options) - 1);
    int error = pool_thread_start(&loader->thread, run, loader);
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
    pool_thread_join(&loader->thread);
    pool_destroy(&loader->pool);
    for (uint32_t p = 0; p < loader->phase_count; p++)
        for (uint32_t s = 0; loader->phases[p].slots && s < loader->slot_count; s++)
            arena_destroy(&loader->phases[p].slots[s].arena);
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->lock);
    arena_destroy(&loader->thread_arena);
}

bool loader_next(Loader *loader, uint32_t index, LoaderBatch *out, Diag *diag) {
    PhaseFeeds *phase = &loader->phases[index];
    CHECK(phase->taken < phase->total);
    if (!phase->slots) {
        *out = batch_at(loader, phase, phase->first + phase->taken++);
        out->feeds = phase->nothing;
        return true;
    }
    pthread_mutex_lock(&loader->lock);
    phase->released = phase->taken;
    pthread_cond_signal(&loader->changed);
    while (!loader->has_failed && phase->produced == phase->taken)
        pthread_cond_wait(&loader->changed, &loader->lock);
    bool ok = phase->produced > phase->taken;
    pthread_mutex_unlock(&loader->lock);
    if (!ok) {
        diag_merge(diag, loader->thread_diag);
        return false;
    }
    const Slot *slot = &phase->slots[phase->taken++ % loader->slot_count];
    *out = slot->batch;
    diag_merge(diag, slot->diag);
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
    uint32_t steps = source ? source->batches / step_batches(&loader->phases[loader->first_feeding]) : 1;
    return steps ? steps : 1;
}

// Of the feeds that take from one split, batch by batch alike, the first one stands for all.
static bool is_first(const Loader *loader, uint32_t phase, uint32_t index) {
    const Source *source = &loader->phases[phase].sources[index];
    for (uint32_t p = 0; p <= phase && source->dataset; p++)
        for (uint32_t i = 0; i < (p < phase ? loader->phases[p].source_count : index); i++) {
            const Source *other = &loader->phases[p].sources[i];
            if (other->dataset == source->dataset && other->split == source->split && other->feed->batch == source->feed->batch &&
                other->feed->pad == source->feed->pad && step_batches(&loader->phases[p]) == step_batches(&loader->phases[phase]))
                return false;
        }
    return source->dataset != NULL;
}

uint32_t loader_step_records(const Loader *loader) {
    const Source *source = first_source(loader);
    return source ? source->feed->batch * step_batches(&loader->phases[loader->first_feeding]) : 0;
}

const char *loader_describe(const Loader *loader, Arena *arena) {
    Text text = text_create(arena);
    for (uint32_t p = 0; p < loader->phase_count; p++) {
        const PhaseFeeds *phase = &loader->phases[p];
        for (uint32_t i = 0; i < phase->source_count; i++) {
            const Source *source = &phase->sources[i];
            if (!is_first(loader, p, i))
                continue;
            text_format(&text, "%s%s.%s: %s", text.length ? "\n" : "", source->feed->data, source->feed->split,
                        dataset_epoch_text(arena, source->records, source->feed->batch, source->feed->pad, step_batches(phase)));
        }
    }
    return text.data;
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
            bool is_counted = loader->turns && loader->turns->when[p] != UINT32_MAX; // else the step says it
            uint64_t k = is_counted ? phase->first + phase->taken : (uint64_t)turns_before(loader->turns, step, p) * step_batches(phase);
            text_format(&text, "%s%s.%s: epoch %u, batch %u of %u", text.length ? "; " : "", source->feed->data, source->feed->split,
                        (uint32_t)(k / source->batches), (uint32_t)(k % source->batches), source->batches);
        }
    }
    return text.data;
}
