// Fork: see fork.h.
#include "runtime/train/fork.h"
#include "runtime/sample/texts.h"
#include "runtime/sample/weights.h"
#include <inttypes.h>

enum { SHOWN = 8 };

typedef struct {
    const ProgramState *state;
    const HostTensor *tensor; // NULL: not there
    bool fits;
    const char *why; // NULL: name and shape say why it does not fit
} Match;

typedef struct {
    Arena *arena;
    const Program *program;
    const Checkpoint *checkpoint;
    ARRAY(Match) matches;            // by the states that a checkpoint keeps
    ARRAY(const char *) left_behind; // tensors that this graph has no state for
    uint32_t taken;
} Fork;

bool fork_find(Arena *arena, const char *run_or_file, RunFork *out, Diag *diag) {
    Arena *scratch = arena_create();
    Checkpoint checkpoint;
    bool ok = checkpoint_read_from(scratch, run_or_file, &checkpoint, diag);
    if (ok) {
        const char *path = file_real_path(arena, checkpoint.path);
        *out = (RunFork){.checkpoint = path ? path : arena_copy_text(arena, checkpoint.path),
                         .step = checkpoint.info.step,
                         .digest = arena_copy_text(arena, checkpoint.info.digest ? checkpoint.info.digest : "")};
    }
    arena_destroy(&scratch);
    return ok;
}

// Which moment of the optimizer that counts in "opt.count" is called `name`: 'm' of "opt.m.f.linear.weight"; 0: none.
static char moment_letter(const char *name, const char *count) {
    size_t length = strlen(count) - strlen("count");
    bool is_moment = strncmp(name, count, length) == 0 && name[length] >= 'a' && name[length] <= 'z' && name[length + 1] == '.';
    return is_moment ? name[length] : 0;
}

// The moments that the checkpoint has of an optimizer, as a set of letters. Each is of a parameter that is there too.
static uint32_t moments_there(const Fork *fork, const char *count) {
    uint32_t letters = 0;
    for (uint32_t i = 0; i < fork->checkpoint->file.tensors.count; i++) {
        const char *name = fork->checkpoint->file.tensors.items[i].name;
        char letter = moment_letter(name, count);
        if (letter && tensor_file_find(&fork->checkpoint->file, name + strlen(count) - strlen("count") + strlen("m.")))
            letters |= 1u << (letter - 'a');
    }
    return letters;
}

static void begin_anew(Match *match, const char *why) {
    match->fits = false;
    match->why = match->tensor ? why : NULL;
}

// What one rule calls m is not what another calls so (Adam's average, SGD's sum), and by its count Adam corrects what all of its moments
// began with: of another rule, or where they are not the same kinds, all begin anew; and a count with the last of its moments. (Checkpoints
// of 0.1.0 do not name the rule.)
static void match_optimizer(Fork *fork, Match *count) {
    uint32_t here = 0, there = moments_there(fork, count->state->name), fitting = 0;
    const char *rule = count->state->rule, *former = checkpoint_rule(fork->checkpoint, count->state->name);
    ARRAY(Match *) moments = {0};
    for (uint32_t i = 0; i < fork->matches.count; i++) {
        Match *match = &fork->matches.items[i];
        char letter = match->state->kind == STATE_MOMENT ? moment_letter(match->state->name, count->state->name) : 0;
        if (!letter)
            continue;
        here |= 1u << (letter - 'a');
        fitting += match->fits;
        array_push(fork->arena, &moments, match);
    }
    bool is_other = here != there || (rule && former && strcmp(rule, former) != 0);
    for (uint32_t i = 0; i < moments.count && is_other; i++)
        begin_anew(moments.items[i], "of another rule");
    if (is_other)
        begin_anew(count, "of another rule");
    else if (here && !fitting)
        begin_anew(count, "of moments that do not fit");
}

static void match_all(Fork *fork) {
    Diag *quiet = diag_create(fork->arena);
    for (uint32_t i = 0; i < fork->program->states.count; i++) {
        Match match = {.state = &fork->program->states.items[i]};
        if (!checkpoint_keeps(match.state))
            continue;
        match.tensor = tensor_file_find(&fork->checkpoint->file, match.state->name);
        match.fits = match.tensor && checkpoint_fits(match.tensor, match.state, fork->checkpoint->path, quiet);
        array_push(fork->arena, &fork->matches, match);
    }
    for (uint32_t i = 0; i < fork->matches.count; i++)
        if (fork->matches.items[i].state->kind == STATE_COUNT)
            match_optimizer(fork, &fork->matches.items[i]);
        else if (fork->matches.items[i].state->kind == STATE_CONDITION)
            begin_anew(&fork->matches.items[i], "of another run's conditions");
    for (uint32_t i = 0; i < fork->matches.count; i++)
        fork->taken += fork->matches.items[i].fits;
    for (uint32_t i = 0; i < fork->checkpoint->file.tensors.count; i++) {
        const char *name = fork->checkpoint->file.tensors.items[i].name;
        const ProgramState *state = program_state(fork->program, name);
        if (!state || !checkpoint_keeps(state))
            array_push(fork->arena, &fork->left_behind, name);
    }
}

static const Match *find_match(const Fork *fork, const char *name) {
    for (uint32_t i = 0; i < fork->matches.count; i++)
        if (strcmp(fork->matches.items[i].state->name, name) == 0)
            return &fork->matches.items[i];
    return NULL;
}

// What a program calls it that requires it; "": its optimizer's, which nothing requires.
static const char *required_name(const ProgramState *state) {
    bool is_weight = state->kind == STATE_PARAMETERS || state->kind == STATE_RUNNING;
    return !state->network ? state->name : is_weight ? state->network : "";
}

static bool check(const Fork *fork, const char *const *needed, uint32_t needed_count, Diag *diag) {
    const Place place = {.file = fork->checkpoint->path};
    if (!fork->taken) {
        diag_error(diag, &place, "none of its %u tensors is a state of this graph, by name and shape", fork->checkpoint->file.tensors.count);
        return false;
    }
    bool ok = true;
    for (uint32_t i = 0; i < fork->matches.count; i++) {
        const Match *match = &fork->matches.items[i];
        for (uint32_t k = 0; k < needed_count && !match->fits; k++) {
            if (strcmp(required_name(match->state), needed[k]) != 0)
                continue;
            diag_error(diag, &place, "\"%s\" must be trained before, and \"%s\" %s", needed[k], match->state->name,
                       match->tensor ? "has another shape there" : "is not there");
            ok = false;
        }
    }
    return ok;
}

// Whose tensor a state takes: its own, else that of what it begins as a copy of, which may not be there either. NULL: none.
static const Match *source_of(const Fork *fork, const Match *match) {
    const Match *from = match;
    for (uint32_t k = 0; k < fork->matches.count && from && !from->fits; k++)
        from = from->state->init == INIT_COPY && from->state->init_copy ? find_match(fork, from->state->init_copy) : NULL;
    return from && from->fits ? from : NULL;
}

static bool store(const Fork *fork, Session *session, Diag *diag) {
    for (uint32_t i = 0; i < fork->matches.count; i++) {
        const Match *match = &fork->matches.items[i], *from = source_of(fork, match);
        if (from && !session_set(session, match->state->name, from->tensor, diag))
            return false;
    }
    return true;
}

static const char *misfit_text(Arena *arena, const Fork *fork, const Match *match) {
    uint64_t dims[HOST_RANK_MAX] = {0};
    const Layout *layout = &match->state->tensor.layout;
    for (uint32_t i = 0; i < layout->rank && i < LAYOUT_RANK_MAX; i++)
        dims[i] = layout->dims[i];
    const char *shape = host_dims_text(arena, layout->rank, dims);
    if (match->why)
        return arena_format(arena, "%s [%s], there %s", match->state->name, shape, match->why);
    const Match *from = source_of(fork, match);
    if (!match->tensor)
        return arena_format(arena, "%s [%s]%s%s", match->state->name, shape, from ? " as " : "", from ? from->state->name : "");
    return arena_format(arena, "%s [%s], there [%s]", match->state->name, shape,
                        host_dims_text(arena, match->tensor->rank, match->tensor->dims));
}

typedef ARRAY(const char *) NameList;

static void list_names(Text *to, const char *title, const NameList *names, uint32_t shown) {
    if (!names->count)
        return;
    text_format(to, "\n%s (%u): ", title, names->count);
    for (uint32_t i = 0; i < names->count && i < shown; i++)
        text_format(to, "%s%s", i ? "; " : "", names->items[i]);
    if (names->count > shown)
        text_format(to, "; and %u more", names->count - shown);
}

static void count_kinds(Text *to, const Fork *fork) {
    const char *separator = " (";
    for (uint32_t i = 0; i < fork->matches.count; i++) {
        StateKind kind = fork->matches.items[i].state->kind;
        uint32_t first = 0, count = 0;
        while (fork->matches.items[first].state->kind != kind)
            first++;
        for (uint32_t k = i; first == i && k < fork->matches.count; k++)
            count += fork->matches.items[k].fits && fork->matches.items[k].state->kind == kind;
        if (!count)
            continue;
        text_format(to, "%s%u of kind %s", separator, count, state_kind_names[kind]);
        separator = ", ";
    }
    text_append(to, ")");
}

static void make_report(const Fork *fork, Arena *arena, ForkReport *report) {
    NameList anew = {0}, taken = {0}, left = {0};
    for (uint32_t i = 0; i < fork->matches.count; i++) {
        const Match *match = &fork->matches.items[i];
        if (match->fits)
            array_push(arena, &taken, match->state->name);
        else
            array_push(arena, &anew, misfit_text(arena, fork, match));
    }
    for (uint32_t i = 0; i < fork->left_behind.count; i++)
        array_push(arena, &left, fork->left_behind.items[i]);
    Text head = text_create(arena), list = text_create(arena);
    text_format(&head, "forked from %s, step %u: %u of %u states taken", fork->checkpoint->path, fork->checkpoint->info.step, fork->taken,
                fork->matches.count);
    count_kinds(&head, fork);
    text_append(&list, head.data);
    list_names(&head, "begin anew", &anew, SHOWN);
    list_names(&head, "left behind, this graph has no such state", &left, SHOWN);
    list_names(&list, "begin anew", &anew, UINT32_MAX);
    list_names(&list, "left behind, this graph has no such state", &left, UINT32_MAX);
    list_names(&list, "taken", &taken, UINT32_MAX);
    text_append(&list, "\n");
    *report = (ForkReport){head.data, list.data};
}

bool fork_take(Session *session, const Program *program, const RunFork *from, const char *encoder, const char *const *needed,
               uint32_t needed_count, Arena *arena, ForkReport *report, Diag *diag) {
    Arena *scratch = arena_create();
    Checkpoint checkpoint;
    Fork fork = {.arena = scratch, .program = program, .checkpoint = &checkpoint};
    bool ok = checkpoint_read(scratch, from->checkpoint, &checkpoint, diag) &&
              texts_check_encoder(encoder, checkpoint.info.encoder, from->checkpoint, diag);
    if (ok) {
        match_all(&fork);
        ok = check(&fork, needed, needed_count, diag) && store(&fork, session, diag);
    }
    if (ok)
        make_report(&fork, arena, report);
    arena_destroy(&scratch);
    return ok;
}
