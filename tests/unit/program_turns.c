// Turns: how often phases run, in which steps, and what conditions change of that.
#include "runtime/program/turns.h"
#include <check.h>
#include <stdlib.h>

// A formula by its terms: numbers, and the words of every.h.
static Every formula(Arena *arena, const char *words) {
    Every every = {0};
    for (const char *at = words; *at;) {
        size_t length = strcspn(at, " ");
        const char *word = arena_copy_bytes(arena, at, length);
        char *end;
        EveryTerm term = {.kind = EVERY_NUMBER, .number = (int32_t)strtol(word, &end, 10)};
        for (uint32_t i = 1; end == word && i < EVERY_KIND_COUNT; i++)
            if (!strcmp(word, every_kind_names[i]))
                term.kind = (EveryKind)i;
        array_push(arena, &every.terms, term);
        at += length + (at[length] == ' ');
    }
    return every;
}

// Values are Python's, of steps = 1000 and epoch_steps = 7.
static const struct {
    const char *words, *text;
    int64_t value;
} formulas[] = {
    {"16", "16", 16},
    {"epoch_steps", "epoch_steps", 7},
    {"2 epoch_steps *", "2*epoch_steps", 14},
    {"1 steps 20 // max", "max(1, steps // 20)", 50},
    {"steps epoch_steps // 3 +", "steps // epoch_steps + 3", 145},
    {"steps epoch_steps %", "steps % epoch_steps", 6},
    {"steps 1 + 2 *", "(steps + 1)*2", 2002},
    {"steps 5 3 - -", "steps - (5 - 3)", 998},
    {"steps 5 - 3 -", "steps - 5 - 3", 992},
    {"steps 10 3 // //", "steps // (10 // 3)", 333},
    {"-7 2 //", "(-7) // 2", -4},
    {"-7 2 %", "(-7) % 2", 1},
    {"7 -2 %", "7 % (-2)", -1},
    {"steps 0 //", "steps // 0", 0},
    {"steps 0 %", "steps % 0", 0},
    {"steps epoch_steps min 4 max", "max(min(steps, epoch_steps), 4)", 7},
    {"2147483647 2147483647 * 2147483647 * 2147483647 *", "2147483647*2147483647*2147483647*2147483647", INT64_MAX},
    {"2147483647 2147483647 * 2147483647 * -2147483647 *", "2147483647*2147483647*2147483647*(-2147483647)", INT64_MIN},
};

START_TEST(formulas_are_the_languages) {
    Arena *arena = arena_create();
    Every every = formula(arena, formulas[_i].words);
    ck_assert(every_is_whole(&every));
    ck_assert_int_eq(every_value(&every, 1000, 7), formulas[_i].value);
    ck_assert_str_eq(every_text(arena, &every), formulas[_i].text);
    arena_destroy(&arena);
}
END_TEST

static const char *const broken[] = {"+", "1 +", "1 2", "1 2 + +", "1 2 + 3"};

START_TEST(what_is_no_formula) {
    Arena *arena = arena_create();
    Every every = formula(arena, broken[_i]), empty = {0}, deep = {0}, longest = {0};
    ck_assert(!every_is_whole(&every) && !every_is_whole(&empty));
    for (uint32_t i = 0; i <= EVERY_DEPTH_MAX; i++)
        array_push(arena, &deep.terms, (EveryTerm){0});
    for (uint32_t i = 0; i < EVERY_DEPTH_MAX; i++)
        array_push(arena, &deep.terms, (EveryTerm){.kind = EVERY_ADD});
    ck_assert(!every_is_whole(&deep));
    array_push(arena, &longest.terms, (EveryTerm){0});
    for (uint32_t i = 0; i < EVERY_TERMS_MAX / 2; i++) {
        array_push(arena, &longest.terms, (EveryTerm){0});
        array_push(arena, &longest.terms, (EveryTerm){.kind = EVERY_ADD});
    }
    ck_assert(!every_is_whole(&longest));
    arena_destroy(&arena);
}
END_TEST

// fit in each step, lazy every 4, rare when something holds, slow every 3 when something else holds; then the conditions.
enum { FIT, LAZY, RARE, SLOW, CONDITIONS, PHASES };

static ProgramEntry make_entry(Arena *arena) {
    ProgramEntry entry = {.name = "train", .training = true, .stop = "slow.done"};
    ProgramPhase phases[PHASES] = {{.name = "fit"},
                                   {.name = "lazy", .every = formula(arena, "steps 4 //")},
                                   {.name = "rare", .when = "fit.loss > 1"},
                                   {.name = "slow", .every = formula(arena, "3"), .when = "fit.loss > 2"},
                                   {.name = "conditions", .is_conditions = true}};
    static const char *const names[] = {"stop", "slow.when", "rare.when"};
    for (uint32_t i = 0; i < 3; i++)
        array_push(arena, &phases[CONDITIONS].results, ((ProgramResult){.name = names[i], .tensor.type = i ? ELEMENT_BOOL : ELEMENT_F32}));
    for (uint32_t i = 0; i < PHASES; i++) {
        phases[i].repeat = 1;
        array_push(arena, &entry.phases, phases[i]);
    }
    return entry;
}

static void give(Turns *turns, float stop, uint32_t slow, uint32_t rare) {
    uint32_t words[3] = {0, slow, rare};
    memcpy(words, &stop, sizeof stop);
    turns_take(turns, (const void *[]){&words[0], &words[1], &words[2]});
}

START_TEST(each_phase_has_its_turns) {
    Arena *arena = arena_create();
    ProgramEntry entry = make_entry(arena);
    Turns *turns = turns_create(arena, &entry, 16, 1, NULL, diag_create(arena));
    ck_assert_ptr_nonnull(turns);
    uint32_t runs[PHASES] = {0};
    for (uint32_t step = 0; step < 16; step++) {
        bool rare = step % 5 < 2, slow = step % 2 == 0; // as the step before said
        if (step > 0)
            give(turns, 0, slow, rare);
        ck_assert(turns_has(turns, step, FIT) && !turns_has(turns, step, CONDITIONS));
        ck_assert_int_eq(turns_has(turns, step, LAZY), step % 4 == 0);
        ck_assert_int_eq(turns_has(turns, step, RARE), step == 0 || rare);
        ck_assert_int_eq(turns_has(turns, step, SLOW), step % 3 == 0 && (step == 0 || slow));
        for (uint32_t phase = 0; phase < CONDITIONS; phase++) {
            ck_assert_uint_eq(turns_before(turns, step, phase), runs[phase]);
            if (!turns_has(turns, step, phase))
                continue;
            turns_count(turns, phase);
            runs[phase]++;
        }
    }
    ck_assert(runs[FIT] == 16 && runs[LAZY] == 4 && runs[RARE] == 7 && runs[SLOW] == 3);
    ck_assert(!turns->is_stopped);
    give(turns, 0.5f, 0, 0);
    ck_assert(turns->is_stopped);
    arena_destroy(&arena);
}
END_TEST

// A resumed run counts on; how often a phase can run at most says how much is to be read.
START_TEST(turns_go_on) {
    Arena *arena = arena_create();
    ProgramEntry entry = make_entry(arena);
    const uint32_t runs[PHASES] = {0, 0, 5, 2, 0};
    Turns *turns = turns_create(arena, &entry, 16, 1, runs, diag_create(arena));
    ck_assert_uint_eq(turns_before(turns, 9, LAZY), 3);
    ck_assert_uint_eq(turns_before(turns, 9, RARE), 5);
    ck_assert_uint_eq(turns_before_end(turns, 9, 16, FIT), 16);
    ck_assert_uint_eq(turns_before_end(turns, 9, 16, LAZY), 4);      // step 12
    ck_assert_uint_eq(turns_before_end(turns, 9, 16, RARE), 5 + 7);
    ck_assert_uint_eq(turns_before_end(turns, 9, 16, SLOW), 2 + 3); // steps 9, 12 and 15
    ck_assert_uint_eq(turns_before_end(turns, 9, 9, SLOW), 2);
    ck_assert(turns_has(NULL, 3, LAZY) && turns_before(NULL, 3, LAZY) == 3 && turns_before_end(NULL, 3, 8, LAZY) == 8);
    Diag *diag = diag_create(arena);
    ck_assert_ptr_null(turns_create(arena, &entry, 3, 1, runs, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "phase \"lazy\" of program \"train\" would run every 0 steps: \"steps // 4\""));
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("turns");
    TCase *tests = tcase_create("turns");
    tcase_add_loop_test(tests, formulas_are_the_languages, 0, sizeof formulas / sizeof *formulas);
    tcase_add_loop_test(tests, what_is_no_formula, 0, sizeof broken / sizeof *broken);
    tcase_add_test(tests, each_phase_has_its_turns);
    tcase_add_test(tests, turns_go_on);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
