// Dump: .npy files in and out, by name or by folder.
#include "compiler/reference/dump.h"
#include "runtime/base/file.h"
#include <math.h>

static const char *const in_kinds[] = {"before", "feeds", "draws"};
enum { IN_KINDS = sizeof in_kinds / sizeof *in_kinds };

static bool add_given(Dump *files, const char *name, const char *path) {
    DumpFile file = {.name = name, .path = path, .is_word = !text_ends_with(path, ".npy")};
    if (!file.is_word && !npy_read(files->arena, path, &file.tensor, files->diag))
        return false;
    array_push(files->arena, &files->given, file);
    return true;
}

static bool add_given_folder(Dump *files, const char *folder) {
    bool any = false;
    for (uint32_t k = 0; k < IN_KINDS; k++) {
        const char *inner = file_join(files->arena, folder, in_kinds[k]);
        if (!file_is_folder(inner))
            continue;
        uint32_t count = 0;
        const char **names = file_list(files->arena, inner, &count, files->diag);
        if (!names)
            return false;
        for (uint32_t i = 0; i < count; i++) {
            if (!text_ends_with(names[i], ".npy"))
                continue;
            const char *name = arena_format(files->arena, "%s/%.*s", in_kinds[k], (int)strlen(names[i]) - 4, names[i]);
            if (!add_given(files, name, file_join(files->arena, inner, names[i])))
                return false;
            any = true;
        }
    }
    if (!any)
        diag_error(files->diag, &(Place){.file = folder}, "holds no before/NAME.npy, feeds/NAME.npy or draws/NAME.npy");
    return any;
}

// "NAME=FILE" apart; a word without "=" is a folder.
static const char *split(Dump *files, const char *word, const char **path) {
    const char *equals = strchr(word, '=');
    *path = equals ? equals + 1 : word;
    return equals ? arena_copy_bytes(files->arena, word, (size_t)(equals - word)) : NULL;
}

bool dump_open(Arena *arena, const DumpWords *given, const DumpWords *wanted, Dump *files, Diag *diag) {
    *files = (Dump){.arena = arena, .diag = diag};
    const char *path = NULL;
    bool good = true;
    for (uint32_t i = 0; i < given->count; i++) {
        const char *name = split(files, given->items[i], &path);
        good = (name ? add_given(files, name, path) : add_given_folder(files, path)) && good;
    }
    for (uint32_t i = 0; i < wanted->count; i++) {
        const char *name = split(files, wanted->items[i], &path);
        if (name)
            array_push(files->arena, &files->wanted, ((DumpFile){.name = name, .path = path}));
        else
            files->folder = path;
    }
    return good;
}

// Is `wanted` a way of saying KIND/NAME@MOMENT? All of it, without moment, without kind, or NAME's last step alone.
static bool is_named(const char *wanted, const char *kind, const char *name, const char *moment) {
    size_t kind_length = strlen(kind), name_length = strlen(name);
    if (strncmp(wanted, kind, kind_length) == 0 && wanted[kind_length] == '/')
        wanted += kind_length + 1;
    const char *at = strrchr(wanted, '@');
    size_t length = at ? (size_t)(at - wanted) : strlen(wanted);
    if (at && (!moment || strcmp(at + 1, moment) != 0))
        return false;
    if (length > name_length || strncmp(wanted, name + name_length - length, length) != 0)
        return false;
    return length == name_length || (length > 0 && name[name_length - length - 1] == '.' && moment != NULL);
}

static DumpFile *find(Dump *files, const char *kind, const char *name, const char *moment) {
    DumpFile *found = NULL;
    for (uint32_t i = 0; i < files->given.count; i++) {
        DumpFile *file = &files->given.items[i];
        if (!is_named(file->name, kind, name, moment))
            continue;
        bool exact = strchr(file->name, '@') != NULL;
        if (!found || exact) // one repetition's own tensor goes before one for all
            found = file;
    }
    return found;
}

const HostTensor *dump_find(Dump *files, const char *kind, const char *name, const char *moment) {
    DumpFile *found = find(files, kind, name, moment);
    if (!found || found->is_word)
        return NULL;
    found->used = true;
    return &found->tensor;
}

bool dump_inputs(Dump *files, const Program *program, const ProgramEntry *entry, const ClassLists *classes, Inputs *out) {
    Arena *arena = files->arena;
    *out = inputs_create(arena, entry);
    inputs_know(out, program, classes);
    for (uint32_t i = 0; i < out->count; i++) {
        InputRecords *records = &out->items[i];
        DumpFile *file = find(files, "feeds", arena_format(arena, "%s.%s", entry->name, records->input->name), "0.0");
        if (!file)
            continue;
        file->used = true;
        const char *name = arena_format(arena, "--set %s", file->name);
        if (!(file->is_word ? inputs_read(arena, name, file->path, records, files->diag)
                            : inputs_take(arena, name, &file->tensor, records, files->diag)))
            return false;
        if (!file->is_word && records->count != records->per_run) {
            diag_error(files->diag, NULL, "%s: its first axis is %u, but the program takes %u", name, records->count, records->per_run);
            return false;
        }
    }
    return inputs_complete(arena, entry, NULL, out, files->diag) && inputs_fit_one_run(out, files->diag);
}

bool dump_has_kind(const Dump *files, const char *kind) {
    for (uint32_t i = 0; i < files->given.count; i++)
        if (text_starts_with(files->given.items[i].name, kind) && files->given.items[i].name[strlen(kind)] == '/')
            return true;
    return false;
}

bool dump_wants_values(const Dump *files) {
    for (uint32_t i = 0; i < files->wanted.count; i++)
        if (text_starts_with(files->wanted.items[i].name, "values/") || text_starts_with(files->wanted.items[i].name, "gradients/"))
            return true;
    return files->folder != NULL;
}

// The name as a part of a path: a report is called as its expression is, "loss/2". What no name may begin with or hold is written %2F.
static const char *as_file_name(Arena *arena, const char *name) {
    Text text = text_create(arena);
    for (const char *at = name; *at; at++)
        if (*at == '/' || *at == '\\' || *at == '%' || (unsigned char)*at < ' ' || (*at == '.' && (at == name || at[1] == '.')))
            text_format(&text, "%%%02X", (unsigned char)*at);
        else
            text_append_bytes(&text, at, 1);
    return text.data;
}

bool dump_put(Dump *files, const char *kind, const char *name, const char *moment, const HostTensor *tensor) {
    Arena *arena = files->arena;
    const char *full = moment ? arena_format(arena, "%s/%s@%s", kind, name, moment) : arena_format(arena, "%s/%s", kind, name);
    array_push(arena, &files->seen, full);
    for (uint32_t i = 0; i < files->wanted.count; i++) {
        DumpFile *file = &files->wanted.items[i];
        if (!is_named(file->name, kind, name, moment))
            continue;
        file->used = true;
        if (!file_make_folders(file_folder(arena, file->path), files->diag) || !npy_write(file->path, tensor, files->diag))
            return false;
    }
    if (!files->folder)
        return true;
    const char *file = arena_format(arena, "%s%s%s.npy", as_file_name(arena, name), moment ? "@" : "", moment ? moment : "");
    const char *path = file_join(arena, file_join(arena, files->folder, as_file_name(arena, kind)), file);
    return file_make_folders(file_folder(arena, path), files->diag) && npy_write(path, tensor, files->diag);
}

bool dump_close(Dump *files) {
    bool good = true;
    for (uint32_t i = 0; i < files->given.count; i++) {
        const DumpFile *file = &files->given.items[i];
        bool spare =
            text_starts_with(file->name, "before/") || text_starts_with(file->name, "feeds/") || text_starts_with(file->name, "draws/");
        if (!file->used && !spare) { // a dump may hold more than one program needs
            diag_error(files->diag, NULL,
                       file->is_word ? "--set %s=%s: no input of this program has that name; a state, feed or draw takes FILE.npy"
                                     : "--set %s: no state, input, feed or draw of this program has that name",
                       file->name, file->path);
            good = false;
        }
    }
    for (uint32_t i = 0; i < files->wanted.count; i++) {
        const DumpFile *file = &files->wanted.items[i];
        if (file->used)
            continue;
        diag_error(files->diag, NULL, "--get %s: nothing of that name came out%s", file->name,
                   text_suggestion(files->arena, file->name, files->seen.items, files->seen.count < 24 ? files->seen.count : 24));
        good = false;
    }
    return good;
}

// ---- tensors

bool dump_labels_fit(const char *name, const HostTensor *given, uint32_t below, Diag *diag) {
    for (uint64_t i = 0, count = host_count(given); below && i < count; i++)
        if (!(host_number(given, i) >= 0 && host_number(given, i) < below)) {
            diag_error(diag, NULL, "%s: element %llu is %.10g, but the graph declares it from 0 to %u", name, (unsigned long long)i,
                       host_number(given, i), below - 1);
            return false;
        }
    return true;
}

bool dump_tensor_from(Arena *arena, const char *name, const HostTensor *given, const Type *type, Tensor *out, Diag *diag) {
    uint64_t count = type_count(type), given_count = 1;
    bool same = given->rank == type->rank;
    for (uint32_t i = 0; i < given->rank; i++) {
        given_count *= given->dims[i];
        same = same && given->dims[i] == type->dims[i];
    }
    if (!same && !(count == 1 && given_count == 1)) {
        Text text = text_create(arena);
        for (uint32_t i = 0; i < given->rank; i++)
            text_format(&text, "%s%llu", i ? "," : "", (unsigned long long)given->dims[i]);
        diag_error(diag, NULL, "%s: a tensor [%s] is given where %s is expected", name, text.data, type_text(arena, type));
        return false;
    }
    *out = tensor_create(arena, type);
    for (uint64_t i = 0; i < count; i++)
        out->data[i] = host_number(given, i);
    return true;
}

HostTensor dump_tensor_to(Arena *arena, const Tensor *tensor) {
    uint64_t count = type_count(&tensor->type);
    ElementType type = dtype_element(tensor->type.dtype);
    HostTensor out = {.rank = tensor->type.rank, .dtype = type == ELEMENT_F32 ? ELEMENT_F64 : element_row(type)->host, .data = tensor->data};
    out.size = element_bytes(out.dtype) * count;
    for (uint32_t i = 0; i < out.rank; i++)
        out.dims[i] = tensor->type.dims[i];
    if (type == ELEMENT_F32)
        return out;
    unsigned char *bytes = arena_alloc(arena, out.size);
    for (uint64_t i = 0; i < count; i++)
        element_put(out.dtype, bytes, i, tensor->data[i]);
    out.data = bytes;
    return out;
}
