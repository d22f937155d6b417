// Loader: the order of records, resuming at any step, padding, failing readers; and which spec serves which data set.
#include "runtime/base/random.h"
#include "runtime/data/loader.h"
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>

static Arena *arena;
static Diag *diag;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
}

static void tear_down(void) { arena_destroy(&arena); }

enum { TRAIN_COUNT = 20, TEST_COUNT = 7, IMAGE_SIZE = 6, DAMAGED = 9 };

static void add_data(Program *program, const char *name) {
    ProgramData data = {.name = name, .batch = 3, .field_count = 2};
    data.fields = arena_alloc(arena, 2 * sizeof *data.fields);
    data.fields[0].name = "image";
    data.fields[0].rank = 2;
    data.fields[0].dims[0] = 2;
    data.fields[0].dims[1] = 3;
    data.fields[1].name = "label";
    data.fields[1].type = ELEMENT_I32;
    array_push(arena, &program->data, data);
}

static Program *make_program(void) {
    Program *program = ARENA_NEW(arena, Program, 1);
    add_data(program, "images");
    return program;
}

// All elements of an image are its record's number, 100 more in the test split; a label is minus that.
static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *to) {
    (void)draw;
    for (uint32_t i = 0; i < IMAGE_SIZE && field == 0; i++)
        ((float *)out)[i] = (float)(record + 100 * split);
    if (field == 1)
        *(int32_t *)out = -(int32_t)(record + 100 * split);
    if (dataset->data && record == DAMAGED)
        diag_error(to, NULL, "record 9 is damaged");
    return !(dataset->data && record == DAMAGED);
}

static Dataset *open_images(const Program *program) {
    Dataset *dataset = ARENA_NEW(arena, Dataset, 1);
    *dataset = (Dataset){.name = "images",
                         .spec = "test",
                         .declared = program->data.items,
                         .splits = {{"train", TRAIN_COUNT}, {"test", TEST_COUNT}},
                         .split_count = 2,
                         .fetch = fetch};
    return dataset;
}

static Loader *start(const Program *program, const ProgramEntry *entry, uint64_t seed, uint32_t first, uint32_t end, uint32_t depth,
                     bool is_damaged) {
    Dataset *dataset = open_images(program), **datasets = ARENA_NEW(arena, Dataset *, 1);
    dataset->data = is_damaged ? dataset : NULL;
    datasets[0] = dataset;
    LoaderOptions options = {.program = program,
                             .entry = entry,
                             .datasets = datasets,
                             .seed = seed,
                             .first_step = first,
                             .end_step = end,
                             .depth = depth,
                             .threads = first % 4};
    Loader *loader = loader_create(arena, &options, diag);
    ck_assert_ptr_nonnull(loader);
    return loader;
}

// Record 5 turns out broken when its image is read, after its label; record 6 takes its place from then on.
static atomic_uint broken_count;

static uint32_t count_broken(const Dataset *dataset, uint32_t split) {
    (void)dataset, (void)split;
    return atomic_load(&broken_count);
}

static bool fetch_breaking(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *to) {
    if (record == 5 && field == 0)
        atomic_store(&broken_count, 1);
    return fetch(dataset, split, record == 5 && atomic_load(&broken_count) ? 6 : record, field, draw, out, to);
}

static ProgramFeed make_feed(const char *name, const char *field, const char *split, bool shuffled, bool pad, uint32_t batch) {
    return (ProgramFeed){.name = name, .data = "images", .field = field, .split = split, .shuffled = shuffled, .pad = pad, .batch = batch};
}

START_TEST(rows_stay_one_record) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "train"};
    ProgramPhase phase = {.name = "fit", .repeat = 1};
    array_push(arena, &phase.feeds, make_feed("y", "label", "train", false, false, 20));
    array_push(arena, &phase.feeds, make_feed("x", "image", "train", false, false, 20));
    array_push(arena, &entry.phases, phase);
    Dataset *dataset = open_images(program);
    dataset->fetch = fetch_breaking;
    dataset->broken = count_broken;
    LoaderOptions options = {.program = program, .entry = &entry, .datasets = &dataset, .end_step = 1, .threads = 2};
    Loader *loader = loader_create(arena, &options, diag);
    LoaderBatch batch;
    ck_assert(loader && loader_next(loader, 0, &batch, diag));
    for (uint32_t i = 0; i < 20; i++) {
        ck_assert_int_eq(((const int32_t *)batch.feeds[0])[i], -(int32_t)(i == 5 ? 6 : i));
        ck_assert_float_eq(((const float *)batch.feeds[1])[i * IMAGE_SIZE], (float)(i == 5 ? 6 : i));
    }
    loader_destroy(&loader);
}
END_TEST

START_TEST(order_of_a_feed) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "train"};
    ProgramPhase phase = {.name = "fit", .repeat = 2};
    array_push(arena, &phase.feeds, make_feed("x", "image", "train", true, false, 3));
    array_push(arena, &phase.feeds, make_feed("z", "image", "train", true, false, 3));
    phase.feeds.items[1].data = NULL; // a program's input
    array_push(arena, &phase.feeds, make_feed("y", "label", "train", true, false, 3));
    array_push(arena, &entry.phases, phase);
    array_push(arena, &entry.phases, ((ProgramPhase){.name = "rest", .repeat = 1}));
    Loader *loader = start(program, &entry, 5, 0, 10, 0, false);
    ck_assert_uint_eq(loader_repeats(loader, 0), 2);
    ck_assert_uint_eq(loader_epoch_steps(loader), 3); // 6 batches of 3 out of 20 records, two a step
    ck_assert_uint_eq(loader_step_records(loader), 6);
    ck_assert_str_eq(loader_position(loader, arena, 4), "images.train: epoch 1, batch 2 of 6");
    for (uint32_t step = 0; step < 10; step++)
        for (uint32_t phase_index = 0; phase_index < 2; phase_index++)
            for (uint32_t r = 0; r < (phase_index ? 1 : 2); r++) {
                LoaderBatch batch;
                ck_assert(loader_next(loader, phase_index, &batch, diag));
                ck_assert_uint_eq(batch.run, step);
                ck_assert_uint_eq(batch.phase, phase_index);
                ck_assert_uint_eq(batch.repetition, r);
                ck_assert_uint_eq(batch.records, phase_index ? 0 : 3);
                if (phase_index)
                    continue;
                uint32_t k = step * 2 + r, order[TRAIN_COUNT];
                random_permutation(5, random_name("order/images"), k / 6, order, TRAIN_COUNT);
                const float *images = batch.feeds[0];
                const int32_t *labels = batch.feeds[2];
                ck_assert_ptr_null(batch.feeds[1]);
                for (uint32_t i = 0; i < 3; i++) {
                    ck_assert_uint_eq((uint32_t)images[i * IMAGE_SIZE], order[k % 6 * 3 + i]);
                    ck_assert_int_eq(labels[i], -(int32_t)order[k % 6 * 3 + i]);
                }
            }
    loader_destroy(&loader);
    ck_assert_ptr_null(loader);
}
END_TEST

// Phases that accumulate take several batches a repetition; the parts that add these take none.
START_TEST(accumulated_batches) {
    Program *program = make_program();
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        ProgramEntry entry = {.name = "train"};
        ProgramPhase phase = {.name = "fit", .repeat = epoch ? 0 : 2, .part = PART_BATCH, .batches = 4};
        ProgramPhase add = {.name = "fit.add.0", .repeat = phase.repeat, .part = PART_ADD, .batches = 4};
        ProgramPhase finish = {.name = "fit.finish", .repeat = phase.repeat, .part = PART_FINISH, .batches = 4};
        array_push(arena, &phase.feeds, make_feed("x", "image", "train", false, true, 2));
        array_push(arena, &entry.phases, phase);
        array_push(arena, &entry.phases, add);
        array_push(arena, &entry.phases, finish);
        array_push(arena, &entry.phases, ((ProgramPhase){.name = "rest", .repeat = 3}));
        Loader *loader = start(program, &entry, 5, 1, 3, 0, false);
        for (uint32_t p = 0; p < 4; p++)
            ck_assert_uint_eq(loader_repeats(loader, p), p == 3 ? 3 : 2); // of 10 batches two groups of four in an epoch
        ck_assert_uint_eq(loader_epoch_steps(loader), 1);
        ck_assert_uint_eq(loader_step_records(loader), 16);
        ck_assert_str_eq(loader_position(loader, arena, 2), "images.train: epoch 1, batch 6 of 10");
        for (uint32_t step = 1; step < 3; step++)
            for (uint32_t i = 0; i < 8; i++) {
                LoaderBatch batch;
                ck_assert(loader_next(loader, 0, &batch, diag));
                ck_assert(batch.run == step && batch.phase == 0 && batch.repetition == i);
                ck_assert_float_eq(*(const float *)batch.feeds[0], (float)((step * 8 + i) % 10 * 2));
            }
        loader_destroy(&loader);
    }
}
END_TEST

// A loader that begins at step n gives what one that began at 0 gives from there on, whatever its depth.
START_TEST(resume) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "train"};
    ProgramPhase critic = {.name = "critic", .repeat = 3}, generator = {.name = "generator", .repeat = 1};
    array_push(arena, &critic.feeds, make_feed("x", "image", "train", true, false, 4));
    array_push(arena, &generator.feeds, make_feed("x", "image", "train", true, true, 7));
    array_push(arena, &generator.feeds, make_feed("y", "label", "test", false, true, 4));
    array_push(arena, &entry.phases, critic);
    array_push(arena, &entry.phases, generator);
    for (uint32_t first = 1; first < 12; first++) {
        Loader *all = start(program, &entry, 1, 0, 13, 1, false), *rest = start(program, &entry, 1, first, 13, first % 3 + 1, false);
        LoaderBatch a, b;
        for (uint32_t i = 0; i < first * 4; i++)
            ck_assert(loader_next(all, i % 4 == 3, &a, diag));
        for (uint32_t i = 0; i < (13 - first) * 4; i++) {
            ck_assert(loader_next(all, i % 4 == 3, &a, diag) && loader_next(rest, i % 4 == 3, &b, diag));
            ck_assert_uint_eq(a.run, b.run);
            ck_assert_uint_eq(a.phase, b.phase);
            ck_assert_mem_eq(a.feeds[0], b.feeds[0], (a.phase ? 7 : 4) * sizeof(float) * IMAGE_SIZE);
            if (a.phase)
                ck_assert_mem_eq(a.feeds[1], b.feeds[1], 4 * 4);
        }
        loader_destroy(&all);
        loader_destroy(&rest);
    }
}
END_TEST

// "steps // 3" or so; the first of the formula's terms is a number, the second a length of the run.
static Every every_of(int32_t number, EveryKind length, EveryKind sign) {
    Every every = {0};
    array_push(arena, &every.terms, ((EveryTerm){.kind = EVERY_NUMBER, .number = number}));
    if (sign)
        array_push(arena, &every.terms, ((EveryTerm){.kind = length}));
    if (sign)
        array_push(arena, &every.terms, ((EveryTerm){.kind = sign}));
    return every;
}

// A phase that runs at times takes the batches of its own runs, one after the other, also where it has a `when` whose runs are counted; and
// those of the others lie ready whatever it does.
START_TEST(own_runs) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "train", .training = true};
    ProgramPhase fit = {.name = "fit", .repeat = 1}, lazy = {.name = "lazy", .repeat = 2}, rare = {.name = "rare", .repeat = 1, .when = "fit.loss > 1"};
    lazy.every = every_of(5, EVERY_EPOCH_STEPS, EVERY_MIN); // min(5, epoch_steps): 20 records in batches of 4
    array_push(arena, &fit.feeds, make_feed("x", "image", "train", false, false, 4));
    array_push(arena, &lazy.feeds, make_feed("x", "image", "train", false, false, 2));
    array_push(arena, &rare.feeds, make_feed("x", "image", "test", false, false, 1));
    array_push(arena, &entry.phases, fit);
    array_push(arena, &entry.phases, lazy);
    array_push(arena, &entry.phases, rare);
    ProgramPhase conditions = {.name = "conditions", .repeat = 1, .is_conditions = true};
    array_push(arena, &conditions.results, (ProgramResult){.name = "rare.when"});
    array_push(arena, &entry.phases, conditions);
    for (uint32_t first = 0; first < 12; first++) {
        const uint32_t runs[] = {0, 0, first / 2, 0}; // rare ran in every other step, say
        Dataset **datasets = ARENA_NEW(arena, Dataset *, program->data.count);
        LoaderOptions options = {.program = program, .entry = &entry, .datasets = datasets, .first_step = first, .end_step = 17, .runs = runs, .depth = 1};
        datasets[0] = open_images(program);
        Loader *loader = loader_create(arena, &options, diag);
        ck_assert_ptr_nonnull(loader);
        LoaderBatch batch;
        uint32_t rare_runs = first / 2;
        for (uint32_t step = first; step < 17; step++) {
            ck_assert(loader_next(loader, 0, &batch, diag));
            ck_assert_uint_eq(batch.run, step);
            ck_assert_uint_eq((uint32_t)*(const float *)batch.feeds[0], step % 5 * 4);
            for (uint32_t r = 0; r < 2 && step % 5 == 0; r++) {
                ck_assert(loader_next(loader, 1, &batch, diag));
                ck_assert(batch.run == step / 5 && batch.repetition == r);
                ck_assert_uint_eq((uint32_t)*(const float *)batch.feeds[0], (step / 5 * 2 + r) % 10 * 2);
            }
            if (step % 7 == 3)
                continue;
            ck_assert(loader_next(loader, 2, &batch, diag));
            ck_assert_uint_eq(batch.run, rare_runs);
            ck_assert_uint_eq((uint32_t)*(const float *)batch.feeds[0], 100 + rare_runs++ % TEST_COUNT);
        }
        ck_assert_ptr_nonnull(strstr(loader_position(loader, arena, 17), arena_format(arena, "images.test: epoch %u, batch %u of %u", rare_runs / TEST_COUNT, rare_runs % TEST_COUNT, TEST_COUNT)));
        loader_destroy(&loader);
    }
}
END_TEST

// An interval of no steps is refused with the formula and what it was of.
START_TEST(no_interval) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "train", .training = true};
    ProgramPhase phase = {.name = "fit", .repeat = 1, .every = every_of(100, EVERY_STEPS, EVERY_FLOOR_DIV)};
    EveryTerm number = phase.every.terms.items[0];
    phase.every.terms.items[0] = phase.every.terms.items[1];
    phase.every.terms.items[1] = number;
    array_push(arena, &phase.feeds, make_feed("x", "image", "train", false, false, 4));
    array_push(arena, &entry.phases, phase);
    Dataset **datasets = ARENA_NEW(arena, Dataset *, program->data.count);
    datasets[0] = open_images(program);
    LoaderOptions options = {.program = program, .entry = &entry, .datasets = datasets, .end_step = 99};
    ck_assert_ptr_null(loader_create(arena, &options, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "every 0 steps: \"steps // 100\" with steps = 99 and epoch_steps = 5"));
}
END_TEST

START_TEST(sequential_epoch) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "features"};
    ProgramPhase phase = {.name = "extract", .repeat = 0};
    array_push(arena, &phase.feeds, make_feed("x", "image", "test", false, true, 3));
    array_push(arena, &entry.phases, phase);
    Loader *loader = start(program, &entry, 0, 0, 1, 2, false);
    ck_assert_uint_eq(loader_repeats(loader, 0), 3);
    ck_assert_uint_eq(loader_epoch_steps(loader), 1);
    for (uint32_t r = 0; r < 3; r++) {
        LoaderBatch batch;
        ck_assert(loader_next(loader, 0, &batch, diag));
        ck_assert_uint_eq(batch.records, r < 2 ? 3 : 1);
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t record = r * 3 + i < TEST_COUNT ? r * 3 + i : TEST_COUNT - 1;
            ck_assert_uint_eq((uint32_t)((const float *)batch.feeds[0])[i * IMAGE_SIZE], 100 + record);
        }
    }
    loader_destroy(&loader);
    entry.phases.items[0].feeds.items[0] = make_feed("x", "image", "test", true, true, 50); // a batch larger than the split
    loader = start(program, &entry, 0, 0, 1, 2, false);
    LoaderBatch batch;
    ck_assert(loader_next(loader, 0, &batch, diag));
    ck_assert_uint_eq(batch.records, TEST_COUNT);
    loader_destroy(&loader);
    loader = start(program, &entry, 0, 0, 1, 2, false); // ends before anything is taken
    loader_destroy(&loader);
    loader_destroy(&loader);
}
END_TEST

// An image's first element tells the record, the second and third the draw; record 9 is warned of in the train split.
static bool fetch_draw(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *to) {
    uint32_t *words = out;
    words[0] = record;
    if (field == 0) {
        words[1] = (uint32_t)draw;
        words[2] = (uint32_t)(draw >> 32);
        if (record == DAMAGED && split == 0)
            diag_warning(to, NULL, "record 9 of %s", dataset->name);
    }
    return true;
}

static Loader *start_draws(const Program *program, const ProgramEntry *entry, uint64_t seed, uint32_t threads) {
    Dataset *dataset = ARENA_NEW(arena, Dataset, 1), **datasets = ARENA_NEW(arena, Dataset *, 1);
    *dataset = (Dataset){.name = "images",
                         .spec = "test",
                         .declared = program->data.items,
                         .splits = {{"train", TRAIN_COUNT}, {"test", TEST_COUNT}},
                         .split_count = 2,
                         .fetch = fetch_draw};
    datasets[0] = dataset;
    LoaderOptions options = {.program = program, .entry = entry, .datasets = datasets, .seed = seed, .end_step = 12, .threads = threads};
    return loader_create(arena, &options, diag);
}

// Where the last batch is dropped and there is no other, nothing would be fed: what to do is said.
START_TEST(fewer_records_than_a_batch) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "train"};
    ProgramPhase phase = {.name = "fit", .repeat = 1};
    array_push(arena, &phase.feeds, make_feed("x", "image", "test", true, false, TEST_COUNT + 1));
    array_push(arena, &entry.phases, phase);
    ck_assert_ptr_null(start_draws(program, &entry, 0, 1));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "the split \"test\" of test has 7 records, fewer than a batch of 8, and the last batch "
                                                         "is dropped: nothing would be left. Compile the graph with a batch of 7 or less, or "
                                                         "write \"last\": \"pad\" in the feed"));
    entry.phases.items[0].feeds.items[0].batch = TEST_COUNT;
    Loader *loader = start_draws(program, &entry, 0, 1);
    ck_assert_ptr_nonnull(loader);
    ck_assert_str_eq(loader_describe(loader, arena), "images.test: 7 records in batches of 7: 1 step an epoch");
    loader_destroy(&loader);
}
END_TEST

START_TEST(what_an_epoch_is) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "train"};
    ProgramPhase fit = {.name = "fit", .repeat = 2}, look = {.name = "look", .repeat = 1};
    array_push(arena, &fit.feeds, make_feed("x", "image", "train", true, false, 3));
    array_push(arena, &fit.feeds, make_feed("y", "label", "train", true, false, 3));
    array_push(arena, &look.feeds, make_feed("x", "image", "test", false, true, 3));
    array_push(arena, &entry.phases, fit);
    array_push(arena, &entry.phases, look);
    Loader *loader = start(program, &entry, 5, 0, 10, 0, false);
    ck_assert_str_eq(loader_describe(loader, arena),
                     "images.train: 20 records in batches of 3: 6 batches, 3 steps an epoch, 2 left out of each\n"
                     "images.test: 7 records in batches of 3: 3 steps an epoch, the last batch with 1 record, filled up with copies of its last one");
    loader_destroy(&loader);
    ck_assert_str_eq(dataset_epoch_text(arena, 60000, 128, false, 1), "60,000 records in batches of 128: 468 steps an epoch, 96 left out of each");
    ck_assert_str_eq(dataset_epoch_text(arena, 10, 64, false, 1),
                     "10 records in batches of 64: not one batch, unless the last is filled up (\"last\": \"pad\")");
}
END_TEST

START_TEST(failing_reader) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "train"};
    ProgramPhase phase = {.name = "fit", .repeat = 1};
    array_push(arena, &phase.feeds, make_feed("x", "image", "train", false, false, 4));
    array_push(arena, &entry.phases, phase);
    Loader *loader = start(program, &entry, 0, 0, 100, 0, true);
    LoaderBatch batch;
    ck_assert(loader_next(loader, 0, &batch, diag) && loader_next(loader, 0, &batch, diag));
    ck_assert(!loader_next(loader, 0, &batch, diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
    loader_destroy(&loader);
}
END_TEST

START_TEST(which_spec_serves) {
    Program *program = make_program();
    add_data(program, "other");
    ProgramEntry one = {.name = "one"}, both = {.name = "both"};
    ProgramPhase phase = {.name = "p", .repeat = 1};
    array_push(arena, &phase.feeds, make_feed("x", "image", "train", true, false, 3));
    array_push(arena, &one.phases, phase);
    array_push(arena, &both.phases, phase);
    ProgramPhase second = {.name = "q", .repeat = 1};
    array_push(arena, &second.feeds, make_feed("y", "image", "train", true, false, 3));
    second.feeds.items[0].data = "other";
    array_push(arena, &both.phases, second);
    const struct {
        const ProgramEntry *entry;
        uint32_t count;
        const char *specs[2], *error;
    } cases[] = {
        {&one, 1, {"random"}, NULL},
        {&one, 1, {"images=random"}, NULL},
        {&one, 0, {NULL}, "--data images="},
        {&one, 1, {"other=random"}, "--data images="},
        {&one, 1, {"imagse=random"}, "did you mean \"images\"?"},
        {&both, 1, {"random"}, "say where it is"},
        {&both, 2, {"random", "other=random:9"}, NULL},
        {&both, 2, {"images=random", "other=random:9"}, NULL},
        {&both, 2, {"random", "random:9"}, "needs a name"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Diag *inner = diag_create(arena);
        Dataset **datasets = dataset_open_all(arena, program, cases[i].entry, cases[i].specs, cases[i].count, inner);
        ck_assert_msg((datasets != NULL) == (cases[i].error == NULL), "case %u: %s", i, diag_text(inner, arena));
        if (cases[i].error)
            ck_assert_msg(strstr(diag_text(inner, arena), cases[i].error) != NULL, "case %u: %s", i, diag_text(inner, arena));
        else
            ck_assert((datasets[1] != NULL) == (cases[i].entry == &both));
    }
    both.phases.items[1].feeds.items[0].split = "validation";
    const char *both_specs[] = {"images=random", "other=random"};
    ck_assert_ptr_null(dataset_open_all(arena, program, &both, both_specs, 2, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "validation"));
}
END_TEST

static uint64_t draw_of(const LoaderBatch *batch, uint32_t feed, uint32_t row) {
    const uint32_t *words = (const uint32_t *)batch->feeds[feed] + (size_t)row * IMAGE_SIZE;
    return (uint64_t)words[2] << 32 | words[1];
}

// A draw is one of an epoch and a seed, the same for all feeds, and 0 for sequential ones; no number of threads changes it.
START_TEST(draw_of_an_epoch) {
    Program *program = make_program();
    ProgramEntry entry = {.name = "train"};
    ProgramPhase phase = {.name = "fit", .repeat = 1};
    array_push(arena, &phase.feeds, make_feed("x", "image", "train", true, true, 10));
    array_push(arena, &phase.feeds, make_feed("again", "image", "train", true, true, 10));
    array_push(arena, &phase.feeds, make_feed("y", "image", "test", false, true, 4));
    array_push(arena, &entry.phases, phase);
    uint64_t draws[12] = {0};
    for (uint32_t threads = 1; threads <= 9; threads++) {
        Loader *loader = start_draws(program, &entry, 5, threads);
        Diag *warnings = diag_create(arena);
        for (uint32_t step = 0; step < 12; step++) {
            LoaderBatch batch;
            ck_assert(loader_next(loader, 0, &batch, warnings));
            for (uint32_t row = 0; row < 10; row++) {
                uint64_t draw = draw_of(&batch, 0, row);
                ck_assert(draw != 0 && draw == draw_of(&batch, 1, row));
                ck_assert_uint_eq(((const uint32_t *)batch.feeds[0])[row * IMAGE_SIZE], batch.origins[0].records[row]);
                ck_assert(batch.origins[0].draw == draw);
                if (threads == 1 && row == 0)
                    draws[step] = draw;
                ck_assert(draw == draws[step]);
            }
            ck_assert(draws[step] == draws[step / 2 * 2]);
            for (uint32_t before = 0; before < step / 2 * 2; before++)
                ck_assert(draws[step] != draws[before]);
            for (uint32_t row = 0; row < 4; row++) {
                ck_assert(draw_of(&batch, 2, row) == 0);
                uint32_t expected = step % 2 * 4 + row;
                ck_assert_uint_eq(batch.origins[2].records[row], expected < TEST_COUNT ? expected : TEST_COUNT - 1);
            }
        }
        ck_assert_uint_eq(diag_error_count(warnings), 0);
        ck_assert_ptr_nonnull(strstr(diag_text(warnings, arena), "warning: record 9 of images"));
        loader_destroy(&loader);
    }
    Loader *loader = start_draws(program, &entry, 6, 1);
    LoaderBatch batch;
    ck_assert(loader_next(loader, 0, &batch, diag));
    ck_assert(draw_of(&batch, 0, 0) != draws[0]);
    loader_destroy(&loader);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("loader");
    TCase *tests = tcase_create("loader");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, rows_stay_one_record);
    tcase_add_test(tests, order_of_a_feed);
    tcase_add_test(tests, accumulated_batches);
    tcase_add_test(tests, resume);
    tcase_add_test(tests, own_runs);
    tcase_add_test(tests, no_interval);
    tcase_add_test(tests, sequential_epoch);
    tcase_add_test(tests, fewer_records_than_a_batch);
    tcase_add_test(tests, what_an_epoch_is);
    tcase_add_test(tests, failing_reader);
    tcase_add_test(tests, draw_of_an_epoch);
    tcase_add_test(tests, which_spec_serves);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
