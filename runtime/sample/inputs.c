// Inputs: see inputs.h.
#include "runtime/sample/inputs.h"
#include "runtime/base/text.h"
#include "runtime/data/picture.h"
#include <math.h>
#include <stdlib.h>

static const char EXPECTED[] = "a number, a list of numbers (0,1,2), FILE.npy, a PNG, JPEG or WebP picture, or a folder of pictures";
static const char EXPECTED_TEXT[] = "a text, or FILE.npy with its tokens";

static void set_rows(InputRecords *records) {
    const Layout *layout = &records->input->tensor.layout;
    bool is_one_text = records->input->tokens && layout->rank == 1;
    records->per_run = layout->rank && !is_one_text ? layout->dims[0] : 1;
    records->each = layout_logical_count(layout) / records->per_run;
}

Inputs inputs_create(Arena *arena, const ProgramEntry *entry) {
    Inputs inputs = {ARENA_NEW(arena, InputRecords, entry->inputs.count + 1u), entry->inputs.count};
    for (uint32_t i = 0; i < inputs.count; i++) {
        inputs.items[i].input = &entry->inputs.items[i];
        set_rows(&inputs.items[i]);
    }
    return inputs;
}

void inputs_know(Inputs *inputs, const Program *program, const ClassLists *classes) {
    for (uint32_t i = 0; i < inputs->count; i++)
        inputs->items[i].classes = classes_of(classes, program, inputs->items[i].input);
}

// ---- values

// Are integers whole, and labels below what is declared?
static bool check_values(const char *name, const InputRecords *records, Diag *diag) {
    const ProgramFeed *input = records->input;
    double low = input->tensor.type == ELEMENT_I32 && !input->below ? INT32_MIN : 0,
           high = input->below ? input->below - 1.0 : input->tensor.type == ELEMENT_I32 ? INT32_MAX : UINT32_MAX;
    for (uint64_t i = 0; input->tensor.type != ELEMENT_F32 && i < records->count * records->each; i++) {
        double number = records->values[i];
        if (number >= low && number <= high && number == floor(number))
            continue;
        diag_error(diag, NULL, "%s: element %llu is %.10g, but the graph declares %sfrom %.0f to %.0f", name, (unsigned long long)i, number,
                   number == floor(number) ? "it " : "whole numbers ", low, high);
        return false;
    }
    return true;
}

// A record of equal numbers for each one of a list.
static void fill(Arena *arena, const double *numbers, uint32_t count, InputRecords *out) {
    double *values = ARENA_NEW(arena, double, count *out->each);
    for (uint64_t i = 0; i < count * out->each; i++)
        values[i] = numbers[i / out->each];
    out->values = values;
    out->count = count;
}

// "0.5" or "0,1,2"; NULL: it is neither.
static double *read_numbers(Arena *arena, const char *word, uint32_t *count) {
    double *numbers = ARENA_NEW(arena, double, strlen(word) / 2 + 1);
    *count = 0;
    for (const char *at = word;; at++) {
        char *end;
        double number = strtod(at, &end);
        if (end == at || !isfinite(number) || (*end && *end != ','))
            return NULL;
        numbers[(*count)++] = number;
        if (!*end)
            return numbers;
        at = end;
    }
}

bool inputs_take(Arena *arena, const char *name, const HostTensor *given, InputRecords *out, Diag *diag) {
    const Layout *layout = &out->input->tensor.layout;
    uint64_t dims[LAYOUT_RANK_MAX] = {0}, count = host_count(given);
    bool fits = given->rank == layout->rank && count > 0;
    for (uint32_t i = 0; i < layout->rank; i++) {
        dims[i] = layout->dims[i];
        fits = fits && ((i == 0 && out->per_run == dims[0]) || given->dims[i] == dims[i]);
    }
    bool is_scalar = count == 1 && layout_logical_count(layout) == 1; // [] and [1] are the same number
    if ((!fits && !is_scalar) || count / out->each > UINT32_MAX) {
        diag_error(diag, NULL, "%s: a tensor [%s] is given where %s[%s] is expected", name, host_dims_text(arena, given->rank, given->dims),
                   element_name(out->input->tensor.type), host_dims_text(arena, layout->rank, dims));
        return false;
    }
    double *values = ARENA_NEW(arena, double, count);
    for (uint64_t i = 0; i < count; i++)
        values[i] = host_number(given, i);
    out->values = values;
    out->count = (uint32_t)(count / out->each);
    out->is_given = true;
    out->is_counted = layout->rank > 0;
    return check_values(name, out, diag);
}

// ---- pictures

static bool picture_shape(Arena *arena, const char *name, InputRecords *out, PictureShape *shape, Diag *diag) {
    const ProgramFeed *input = out->input;
    const Layout *layout = &input->tensor.layout;
    const uint32_t *last = layout->dims + (layout->rank - 3);
    if (input->tensor.type != ELEMENT_F32 || layout->rank < 3 || layout->rank > 4 || (last[0] != 1 && last[0] != 3)) {
        uint64_t dims[LAYOUT_RANK_MAX];
        for (uint32_t i = 0; i < layout->rank; i++)
            dims[i] = layout->dims[i];
        diag_error(diag, NULL, "%s: pictures are f32[count,1 or 3,height,width] or f32[1 or 3,height,width]; the input is %s[%s]", name,
                   element_name(input->tensor.type), host_dims_text(arena, layout->rank, dims));
        return false;
    }
    if (!input->has_range) {
        diag_error(diag, NULL,
                   "%s: the graph does not say what black and white are: declare the input as { \"shape\": …, \"range\": [-1, 1] } and "
                   "compile it again",
                   name);
        return false;
    }
    out->per_run = layout->rank == 4 ? layout->dims[0] : 1;
    out->each = (uint64_t)last[0] * last[1] * last[2];
    *shape = (PictureShape){last[0], last[1], last[2], input->low, input->high};
    return true;
}

static bool read_pictures(Arena *arena, const char *name, const char *const *paths, uint32_t count, InputRecords *out, Diag *diag) {
    PictureShape shape;
    if (!picture_shape(arena, name, out, &shape, diag))
        return false;
    double *values = ARENA_NEW(arena, double, count *out->each);
    uint32_t stretched = 0;
    PictureSize size, first = {0};
    const char *first_path = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (!picture_read(paths[i], &shape, values + i * out->each, &size, diag))
            return false;
        double proportion = (double)size.width * shape.height / ((double)size.height * shape.width);
        if (proportion > 0.98 && proportion < 1.02)
            continue;
        first = stretched ? first : size;
        first_path = stretched ? first_path : paths[i];
        stretched++;
    }
    if (stretched)
        diag_warning(diag, NULL, "%s: %u of %u pictures do not have the proportions of %u x %u pixels and are stretched to them (%s: %u x %u)",
                     name, stretched, count, shape.width, shape.height, first_path, first.width, first.height);
    out->values = values;
    out->count = count;
    out->is_given = out->is_counted = true;
    return true;
}

static bool read_folder(Arena *arena, const char *name, const char *folder, InputRecords *out, Diag *diag) {
    uint32_t count = 0, pictures = 0, others = 0;
    const char **names = file_list(arena, folder, &count, diag), *other = NULL;
    if (!names)
        return false;
    const char **paths = ARENA_NEW(arena, const char *, count + 1u);
    for (uint32_t i = 0; i < count; i++) {
        paths[pictures] = file_join(arena, folder, names[i]);
        if (picture_is(paths[pictures])) {
            pictures++;
            continue;
        }
        other = other ? other : names[i];
        others++;
    }
    if (pictures == 0) {
        diag_error(diag, &(Place){.file = folder}, "holds no PNG, JPEG or WebP picture for %s", name);
        return false;
    }
    if (others)
        diag_warning(diag, &(Place){.file = folder}, "files that are no pictures are left out: %u (%s)", others, other);
    return read_pictures(arena, name, paths, pictures, out, diag);
}

// ---- what is given

static bool read_file(Arena *arena, const char *name, const char *path, InputRecords *out, Diag *diag) {
    HostTensor tensor;
    if (picture_is(path))
        return read_pictures(arena, name, &path, 1, out, diag);
    if (text_ends_with(path, ".npy") || file_exists(path))
        return npy_read(arena, path, &tensor, diag) && inputs_take(arena, name, &tensor, out, diag);
    diag_error(diag, NULL, "%s=%s: there is no such file; %s is expected", name, path, EXPECTED);
    return false;
}

// A text for an input of tokens; one that ends with ".npy" is a file of them.
static void read_text(Arena *arena, const char *name, const char *text, InputRecords *out, Diag *diag) {
    const Tokens *tokens = out->input->tokens;
    uint32_t size = (uint32_t)out->each;
    int32_t *words = ARENA_NEW(arena, int32_t, size + 1u);
    double *values = ARENA_NEW(arena, double, size);
    if (tokens_encode(tokens, text, size + 1, words) > size)
        diag_warning(diag, NULL, "%s: the text is cut: the network reads %u tokens of it", name, size);
    for (uint32_t i = 0; i < size; i++)
        values[i] = words[i];
    out->values = values;
    out->count = 1;
    out->is_given = true;
}

static bool find_class(const Classes *classes, const char *name, double *out) {
    for (uint32_t i = 0; i < classes->count; i++)
        if (strcmp(classes->names[i], name) == 0) {
            *out = i;
            return true;
        }
    return false;
}

// A class that is called by another one's number: a folder "10" is the second of "1", "10", "2".
static void tell_number(const Classes *classes, const char *name, const char *item, double class, Diag *diag) {
    char *end;
    double number = strtod(item, &end);
    if (end != item && !*end && number != class && number >= 0 && number < classes->count)
        diag_warning(diag, NULL, "%s: %s is taken for the class of that name, which is number %.0f", name, item, class);
}

// "cat", or "cat,dog,3": names of classes, and numbers that are none. NULL (reported): it is neither.
static double *read_classes(Arena *arena, const char *name, const char *word, const Classes *classes, uint32_t *count, Diag *diag) {
    double *numbers = ARENA_NEW(arena, double, strlen(word) + 1);
    *count = 1;
    if (strchr(word, ',') && find_class(classes, word, numbers)) // a comma may be part of a name
        return numbers;
    char *rest = arena_copy_text(arena, word);
    for (*count = 0; rest; (*count)++) {
        const char *item = strsep(&rest, ",");
        char *end;
        if (find_class(classes, item, &numbers[*count])) {
            tell_number(classes, name, item, numbers[*count], diag);
            continue;
        }
        numbers[*count] = strtod(item, &end);
        if (end != item && !*end)
            continue;
        diag_error(diag, NULL, "%s: there is no class \"%s\"%s", name, item, text_suggestion(arena, item, classes->names, classes->count));
        return NULL;
    }
    return numbers;
}

bool inputs_read(Arena *arena, const char *name, const char *word, InputRecords *out, Diag *diag) {
    uint32_t count;
    if (out->input->tokens && !text_ends_with(word, ".npy")) {
        read_text(arena, name, word, out, diag);
        return true;
    }
    bool has_classes = out->classes && !text_ends_with(word, ".npy");
    double *numbers = has_classes ? read_classes(arena, name, word, out->classes, &count, diag) : read_numbers(arena, word, &count);
    if (has_classes && !numbers)
        return false;
    if (!numbers)
        return file_is_folder(word) ? read_folder(arena, name, word, out, diag) : read_file(arena, name, word, out, diag);
    if (count > 1 && out->input->tensor.layout.rank == 0) {
        diag_error(diag, NULL, "%s=%s: %u numbers for one", name, word, count);
        return false;
    }
    fill(arena, numbers, count, out);
    out->is_given = true;
    return check_values(name, out, diag);
}

// "x" or "sample.x".
static bool is_named(const ProgramEntry *entry, const ProgramFeed *input, const char *name) {
    size_t program = strlen(entry->name);
    if (strncmp(name, entry->name, program) == 0 && name[program] == '.' && strcmp(name + program + 1, input->name) == 0)
        return true;
    return strcmp(name, input->name) == 0;
}

bool inputs_read_all(Arena *arena, const ProgramEntry *entry, const char *const *specs, uint32_t count, Inputs *inputs, Diag *diag) {
    const char **known = ARENA_NEW(arena, const char *, inputs->count + 1u);
    for (uint32_t i = 0; i < inputs->count; i++)
        known[i] = inputs->items[i].input->name;
    for (uint32_t s = 0; s < count; s++) {
        const char *equals = strchr(specs[s], '=');
        if (!equals) {
            diag_error(diag, NULL, "--set %s: NAME=VALUE is expected, where VALUE is %s", specs[s], EXPECTED);
            return false;
        }
        const char *name = arena_copy_bytes(arena, specs[s], (size_t)(equals - specs[s]));
        InputRecords *found = NULL;
        for (uint32_t i = 0; i < inputs->count; i++)
            if (is_named(entry, inputs->items[i].input, name))
                found = &inputs->items[i];
        if (!found) {
            diag_error(diag, NULL, "--set %s: the program \"%s\" has no input of that name%s", name, entry->name,
                       inputs->count ? text_suggestion(arena, name, known, inputs->count) : "; it takes none");
            return false;
        }
        if (found->is_given) {
            diag_error(diag, NULL, "--set %s is given twice", name);
            return false;
        }
        if (!inputs_read(arena, arena_format(arena, "--set %s", name), equals + 1, found, diag))
            return false;
    }
    return true;
}

static bool is_used(const ProgramEntry *entry, const Range *range) {
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t d = 0; d < entry->phases.items[p].steps.count; d++) {
            const Step *dispatch = &entry->phases.items[p].steps.items[d];
            for (uint32_t r = 0; r < dispatch->ranges.count; r++) {
                if (range_overlaps(&dispatch->ranges.items[r], range))
                    return true;
            }
        }
    return false;
}

// Two folders of different length cannot belong together; one picture goes with all.
static bool check_counts(const Inputs *inputs, Diag *diag) {
    const InputRecords *first = NULL;
    for (uint32_t i = 0; i < inputs->count; i++) {
        const InputRecords *records = &inputs->items[i];
        if (!records->is_counted || records->count == 1 || records->per_run == 0)
            continue;
        if (first && first->count * (uint64_t)records->per_run != records->count * (uint64_t)first->per_run) {
            diag_error(diag, NULL, "%u records are given for the input \"%s\" and %u for \"%s\": give as many of each, or one for all",
                       first->count, first->input->name, records->count, records->input->name);
            return false;
        }
        first = first ? first : records;
    }
    return true;
}

bool inputs_complete(Arena *arena, const ProgramEntry *entry, const ProgramFeed *other, Inputs *inputs, Diag *diag) {
    bool ok = true;
    for (uint32_t i = 0; i < inputs->count; i++) {
        InputRecords *records = &inputs->items[i];
        const ProgramFeed *input = records->input;
        if (records->is_given && !is_used(entry, &input->tensor.range))
            diag_warning(diag, NULL, "the input \"%s\" is given, but nothing in the program \"%s\" uses it", input->name, entry->name);
        if (records->is_given || input == other)
            continue;
        if (input->default_count)
            fill(arena, input->defaults, input->default_count, records);
        else {
            diag_error(diag, NULL, "nothing is given for the input \"%s\" of the program \"%s\": --set %s=VALUE, where VALUE is %s",
                       input->name, entry->name, input->name, input->tokens ? EXPECTED_TEXT : EXPECTED);
            ok = false;
        }
    }
    return ok && check_counts(inputs, diag);
}

static const InputRecords *longest(const Inputs *inputs) {
    const InputRecords *found = NULL;
    for (uint32_t i = 0; i < inputs->count; i++)
        if (inputs->items[i].is_counted && (!found || inputs->items[i].count > found->count))
            found = &inputs->items[i];
    return found;
}

uint32_t inputs_wanted(const Inputs *inputs) { return longest(inputs) ? longest(inputs)->count : 0; }

uint32_t inputs_per_run(const Inputs *inputs) { return longest(inputs) ? longest(inputs)->per_run : 1; }

bool inputs_fit_one_run(const Inputs *inputs, Diag *diag) {
    for (uint32_t i = 0; i < inputs->count; i++) {
        const InputRecords *records = &inputs->items[i];
        if (records->is_given && records->count > records->per_run) {
            diag_error(diag, NULL, "%u records are given for the input \"%s\", which takes %u; `gcc-graph sample` takes more in several runs",
                       records->count, records->input->name, records->per_run);
            return false;
        }
    }
    return true;
}

HostTensor inputs_tensor(Arena *arena, const InputRecords *records, uint32_t run) {
    const Layout *layout = &records->input->tensor.layout;
    ElementType type = records->input->tensor.type;
    uint64_t count = records->per_run * records->each;
    HostTensor tensor = {.name = records->input->name, .rank = layout->rank};
    for (uint32_t i = 0; i < layout->rank; i++)
        tensor.dims[i] = layout->dims[i];
    double *values = ARENA_NEW(arena, double, count);
    for (uint32_t i = 0; i < records->per_run; i++) {
        uint64_t record = ((uint64_t)run * records->per_run + i) % records->count;
        memcpy(values + i * records->each, records->values + record * records->each, sizeof *values * records->each);
    }
    ElementType word = element_row(type)->word;
    tensor.dtype = word == ELEMENT_F32 ? ELEMENT_F64 : word;
    tensor.size = count * element_bytes(tensor.dtype);
    tensor.data = values;
    if (word == ELEMENT_F32)
        return tensor;
    uint32_t *words = ARENA_NEW(arena, uint32_t, count);
    for (uint64_t i = 0; i < count; i++)
        words[i] = element_word(type, values[i]);
    tensor.data = words;
    return tensor;
}

bool inputs_set(Session *session, const ProgramEntry *entry, const Inputs *inputs, uint32_t run, Diag *diag) {
    Arena *arena = arena_create();
    bool ok = true;
    for (uint32_t i = 0; ok && i < inputs->count; i++) {
        if (!inputs->items[i].values)
            continue;
        HostTensor tensor = inputs_tensor(arena, &inputs->items[i], run);
        ok = session_set(session, arena_format(arena, "%s.%s", entry->name, tensor.name), &tensor, diag);
    }
    arena_destroy(&arena);
    return ok;
}
