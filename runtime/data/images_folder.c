// Images: which pictures a folder holds, their splits and classes, and which make a pair.
#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include "runtime/data/images_parts.h"
#include "runtime/data/split.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

typedef struct {
    Arena *arena;
    const char *folder, *real; // real: without links
    ImagesListing *out;
    ARRAY(const char *) texts; // paths of files *.txt, without the end
    Diag *diag;
} Walk;

static bool ends_with(const char *name, const char *const *ends, uint32_t count) {
    const char *dot = strrchr(name, '.');
    for (uint32_t i = 0; dot && dot != name && i < count; i++)
        if (strcasecmp(dot, ends[i]) == 0)
            return true;
    return false;
}

static bool is_picture(const char *name) {
    static const char *const ends[] = {".png", ".jpg", ".jpeg", ".webp", ".jpe", ".jfif"};
    return ends_with(name, ends, sizeof ends / sizeof *ends);
}

static bool is_other_picture(const char *name) {
    static const char *const ends[] = {".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif",
                                       ".jp2", ".jxl", ".ppm", ".pgm",  ".tga",  ".psd"};
    return ends_with(name, ends, sizeof ends / sizeof *ends);
}

static bool is_table(const char *name, bool *is_lines) {
    static const char *const names[] = {"metadata.csv", "captions.csv", "metadata.jsonl", "captions.jsonl"};
    for (uint32_t i = 0; i < 4; i++)
        if (strcasecmp(name, names[i]) == 0) {
            *is_lines = i >= 2;
            return true;
        }
    return false;
}

static const char *stem(Arena *arena, const char *path) {
    const char *name = file_name(path), *dot = strrchr(name, '.');
    return dot && dot != name ? arena_copy_bytes(arena, path, (size_t)(dot - path)) : path;
}

static void note_other(Walk *walk, const char *path) { walk->out->other = walk->out->others++ ? walk->out->other : path; }

static void note_link(Walk *walk, const char *path) { walk->out->link = walk->out->links++ ? walk->out->link : path; }

const char *images_inside(Arena *arena, const char *root, const char *path) {
    const char *real = file_real_path(arena, file_join(arena, root, path));
    size_t size = strcmp(root, "/") == 0 ? 0 : strlen(root);
    return real && strncmp(real, root, size) == 0 && real[size] == '/' ? real + size + 1 : NULL;
}

// Where a link leads: a path in the folder, or NULL.
static const char *follow(Walk *walk, const char *path) {
    const char *inside = images_inside(walk->arena, walk->real, path);
    return inside && !file_is_folder(file_join(walk->arena, walk->real, inside)) ? inside : NULL;
}

static void add_file(Walk *walk, const char *path, bool is_link) {
    const char *name = file_name(path);
    bool is_lines = false, picture = is_picture(name);
    if (!picture && is_other_picture(name)) {
        note_other(walk, path);
        return;
    }
    const char *file = is_link ? follow(walk, path) : path;
    if (!file) {
        note_link(walk, path);
        return;
    }
    if (picture)
        array_push(walk->arena, &walk->out->files, ((ImagesFile){.path = path, .file = file}));
    else if (is_table(name, &is_lines))
        array_push(walk->arena, &walk->out->tables, ((ImagesTable){path, is_lines}));
    else if (ends_with(name, (const char *const[]){".txt"}, 1))
        array_push(walk->arena, &walk->texts, stem(walk->arena, path));
}

static int kind_of(DIR *stream, const struct dirent *entry) {
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return DT_UNKNOWN;
    return S_ISREG(status.st_mode) ? DT_REG : S_ISDIR(status.st_mode) ? DT_DIR : S_ISLNK(status.st_mode) ? DT_LNK : DT_UNKNOWN;
}

static bool walk_folder(Walk *walk, const char *path, uint32_t depth) {
    const char *full = *path ? file_join(walk->arena, walk->folder, path) : walk->folder;
    if (depth > DEPTH_MAX) {
        diag_error(walk->diag, &(Place){.file = full}, "folders in folders, more than %d deep", DEPTH_MAX);
        return false;
    }
    DIR *stream = opendir(full);
    if (!stream) {
        diag_error(walk->diag, &(Place){.file = full}, "cannot read this folder: %s", strerror(errno));
        return false;
    }
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(stream));) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "__MACOSX") == 0)
            continue;
        const char *below = *path ? file_join(walk->arena, path, entry->d_name) : arena_copy_text(walk->arena, entry->d_name);
        switch (kind_of(stream, entry)) {
        case DT_DIR:
            ok = walk_folder(walk, below, depth + 1);
            break;
        case DT_REG:
            add_file(walk, below, false);
            break;
        case DT_LNK:
            add_file(walk, below, true);
            break;
        default:
            break;
        }
    }
    closedir(stream);
    return ok;
}

static int compare_files(const void *a, const void *b) { return strcmp(((const ImagesFile *)a)->path, ((const ImagesFile *)b)->path); }
static int compare_tables(const void *a, const void *b) { return strcmp(((const ImagesTable *)a)->path, ((const ImagesTable *)b)->path); }
static int compare_names(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void sort(void *items, uint32_t count, size_t size, int (*compare)(const void *, const void *)) {
    if (count > 1)
        qsort(items, count, size, compare);
}

static void find_text_files(Walk *walk) {
    sort(walk->texts.items, walk->texts.count, sizeof *walk->texts.items, compare_names);
    Arena *scratch = arena_create();
    for (uint32_t i = 0; i < walk->out->files.count && walk->texts.count; i++) {
        const char *wanted = stem(scratch, walk->out->files.items[i].path);
        walk->out->files.items[i].has_text_file =
            bsearch(&wanted, walk->texts.items, walk->texts.count, sizeof *walk->texts.items, compare_names) != NULL;
    }
    arena_destroy(&scratch);
}

bool images_list(Arena *arena, const char *folder, ImagesListing *out, Diag *diag) {
    *out = (ImagesListing){0};
    Walk walk = {.arena = arena, .folder = folder, .real = file_real_path(arena, folder), .out = out, .diag = diag};
    if (!walk.real || !file_is_folder(folder)) {
        diag_error(diag, &(Place){.file = folder}, "no such folder");
        return false;
    }
    if (!walk_folder(&walk, "", 0))
        return false;
    if (out->links)
        diag_warning(diag, &(Place){.file = folder}, "%u link%s to folders, or out of this one, %s not followed: %s%s", out->links,
                     out->links == 1 ? "" : "s", out->links == 1 ? "is" : "are", text_printable(arena, out->link),
                     out->links > 1 ? ", …" : "");
    if (out->others)
        diag_warning(diag, &(Place){.file = folder}, "%u picture%s of other formats than PNG, JPEG and WebP %s left out: %s%s", out->others,
                     out->others == 1 ? "" : "s", out->others == 1 ? "is" : "are", text_printable(arena, out->other),
                     out->others > 1 ? ", …" : "");
    if (out->files.count == 0) {
        diag_error(diag, &(Place){.file = folder}, "holds no picture: no file that ends in .png, .jpg, .jpeg or .webp, at any depth");
        return false;
    }
    sort(out->files.items, out->files.count, sizeof *out->files.items, compare_files);
    sort(out->tables.items, out->tables.count, sizeof *out->tables.items, compare_tables);
    find_text_files(&walk);
    return true;
}

// ---- what a path says

typedef struct {
    int split, side;  // -1: it does not say
    const char *rest; // behind what says these
} Parsed;

// The first folder of a path, if it is "A" or "B".
static int side_of(const char *path, const char **rest) {
    if ((path[0] != 'A' && path[0] != 'B') || path[1] != '/')
        return -1;
    *rest = path + 2;
    return path[0] - 'A';
}

// "train/…", "train/A/…", "trainA/…", "train_A/…"; `has_splits`: such folders are splits here.
static Parsed parse(const char *path, bool has_splits, bool has_sides) {
    Parsed out = {.split = -1, .side = -1, .rest = path};
    size_t size = strcspn(path, "/");
    if (path[size] && has_splits) {
        size_t name = size;
        if (has_sides && name > 1 && (path[name - 1] == 'A' || path[name - 1] == 'B')) {
            size_t shorter = name - 1 - (name > 2 && (path[name - 2] == '_' || path[name - 2] == '-'));
            if (split_of_name(path, shorter) >= 0) {
                out.side = path[name - 1] - 'A';
                name = shorter;
            }
        }
        out.split = split_of_name(path, name);
        if (out.split >= 0)
            out.rest = path + size + 1;
    }
    if (has_sides && out.side < 0)
        out.side = side_of(out.rest, &out.rest);
    return out;
}

// Folders are splits where one of them is for training.
static bool has_splits(const ImagesListing *listing, bool has_sides) {
    for (uint32_t i = 0; i < listing->files.count; i++)
        if (parse(listing->files.items[i].path, true, has_sides).split == SPLIT_TRAIN)
            return true;
    return false;
}

bool images_has_pairs(const ImagesListing *listing) {
    bool seen[IMAGES_SIDES] = {false}, splits = has_splits(listing, true);
    for (uint32_t i = 0; i < listing->files.count; i++) {
        int side = parse(listing->files.items[i].path, splits, true).side;
        if (side >= 0)
            seen[side] = true;
    }
    return seen[0] && seen[1];
}

// ---- records

typedef struct {
    int split;
    uint64_t hash;    // where no folder says the split
    const char *stem; // of pairs: what both names have in common
    const char *class;
    const ImagesFile *sides[IMAGES_SIDES];
} Found;

static int compare_found(const void *a, const void *b) {
    const Found *x = a, *y = b;
    int order = x->split != y->split ? x->split - y->split : strcmp(x->stem, y->stem);
    return order ? order : (x->sides[0] == NULL) - (y->sides[0] == NULL);
}

typedef ARRAY(Found) FoundList;

static const char *first_folder(Arena *arena, const char *path) {
    const char *slash = strchr(path, '/');
    return slash ? arena_copy_bytes(arena, path, (size_t)(slash - path)) : NULL;
}

static void add_found(Arena *arena, FoundList *found, const ImagesFile *file, const Parsed *parsed, ImagesMode mode) {
    Found item = {.split = parsed->split, .hash = digest_hash(parsed->rest, strlen(parsed->rest)), .stem = file->path};
    item.class = file->label ? file->label : first_folder(arena, parsed->rest);
    item.sides[0] = item.sides[1] = file;
    if (mode == IMAGES_PAIRS) {
        item.stem = stem(arena, parsed->rest);
        item.hash = digest_hash(item.stem, strlen(item.stem));
        item.sides[1 - parsed->side] = NULL;
    }
    array_push(arena, found, item);
}

// Both of one name become one record; the others are told.
static void join_pairs(FoundList *found, const char *spec, Diag *diag) {
    uint32_t kept = 0, alone = 0;
    const ImagesFile *first = NULL;
    sort(found->items, found->count, sizeof *found->items, compare_found);
    for (uint32_t i = 0; i < found->count; i++) {
        Found *item = &found->items[i], *next = i + 1 < found->count ? item + 1 : NULL;
        bool is_pair = next && item->split == next->split && strcmp(item->stem, next->stem) == 0 && item->sides[0] && next->sides[1] &&
                       !next->sides[0];
        if (is_pair) {
            item->sides[1] = next->sides[1];
            item->class = item->class ? item->class : next->class;
            found->items[kept++] = *item;
            i++;
        } else {
            first = alone++ ? first : item->sides[0] ? item->sides[0] : item->sides[1];
        }
    }
    found->count = kept;
    if (alone) {
        Arena *scratch = arena_create();
        diag_warning(diag, NULL, "%s: %u picture%s no partner of the same name on the other side and %s left out: %s%s", spec, alone,
                     alone == 1 ? " has" : "s have", alone == 1 ? "is" : "are", text_printable(scratch, first->path),
                     alone > 1 ? ", …" : "");
        arena_destroy(&scratch);
    }
}

// A table with labels of some pictures only: folders' names become classes beside them.
static void tell_mixed(const FoundList *found, const char *spec, Diag *diag) {
    uint32_t labelled = 0, others = 0;
    const Found *first = NULL;
    for (uint32_t i = 0; i < found->count; i++) {
        bool is_other = found->items[i].class && !found->items[i].sides[0]->label;
        labelled += found->items[i].sides[0]->label != NULL;
        first = is_other && others++ == 0 ? &found->items[i] : first;
    }
    if (!labelled || !others)
        return;
    Arena *scratch = arena_create();
    diag_warning(diag, NULL, "%s: tables have the labels of %u pictures; the folder is the class of %u: %s is \"%s\"%s", spec, labelled, others,
                 text_printable(scratch, first->sides[0]->path), text_printable(scratch, first->class), others > 1 ? ", …" : "");
    arena_destroy(&scratch);
}

static bool is_number(const char *text, uint64_t *out) {
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == 0 && *out <= INT32_MAX;
}

// Sorted names; labels that are all numbers from a table stand for themselves and have no names.
static bool name_classes(Arena *arena, const FoundList *found, ImagesSplits *out) {
    const char **names = ARENA_NEW(arena, const char *, found->count);
    uint32_t count = 0, kept = 0;
    uint64_t number, most = 0;
    bool are_numbers = true;
    for (uint32_t i = 0; i < found->count; i++) {
        if (!found->items[i].class)
            continue;
        are_numbers &= found->items[i].sides[0]->label && is_number(found->items[i].class, &number);
        most = are_numbers && number > most ? number : most;
        names[count++] = found->items[i].class;
    }
    if (count && are_numbers) {
        out->class_count = (uint32_t)most + 1;
        return true;
    }
    sort(names, count, sizeof *names, compare_names);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
            names[kept++] = names[i];
    out->classes = kept ? names : NULL;
    out->class_count = kept;
    return false;
}

static void fill_split(Arena *arena, const FoundList *found, int split, bool are_numbers, ImagesSplits *out) {
    ImagesSplit *to = &out->splits[out->split_count];
    *to = (ImagesSplit){.name = split_name(split)};
    for (uint32_t i = 0; i < found->count; i++)
        to->count += found->items[i].split == split;
    if (to->count == 0)
        return;
    to->records = ARENA_NEW(arena, ImagesRecord, to->count);
    out->split_count++;
    uint32_t at = 0;
    for (uint32_t i = 0; i < found->count; i++) {
        const Found *item = &found->items[i];
        if (item->split != split)
            continue;
        ImagesRecord *record = &to->records[at++];
        *record = (ImagesRecord){.sides = {item->sides[0], item->sides[1]}, .class = IMAGES_NO_CLASS};
        uint64_t number;
        if (item->class && are_numbers && is_number(item->class, &number))
            record->class = (uint32_t)number;
        else if (item->class) {
            const char **name = bsearch(&item->class, out->classes, out->class_count, sizeof *out->classes, compare_names);
            record->class = (uint32_t)(name - out->classes);
        } else
            out->unclassed_path = out->unclassed++ ? out->unclassed_path : item->sides[0]->path;
    }
}

static void assign_by_hash(Arena *arena, FoundList *found) {
    uint64_t *hashes = ARENA_NEW(arena, uint64_t, found->count);
    uint8_t *splits = ARENA_NEW(arena, uint8_t, found->count);
    for (uint32_t i = 0; i < found->count; i++)
        hashes[i] = found->items[i].hash;
    split_by_hash(hashes, found->count, splits);
    for (uint32_t i = 0; i < found->count; i++)
        found->items[i].split = splits[i];
}

bool images_split(Arena *arena, const char *spec, const ImagesListing *listing, ImagesMode mode, ImagesSplits *out, Diag *diag) {
    FoundList found = {0};
    bool are_pairs = mode == IMAGES_PAIRS, splits = has_splits(listing, are_pairs);
    uint32_t outside = 0;
    const char *first = NULL;
    *out = (ImagesSplits){0};
    for (uint32_t i = 0; i < listing->files.count; i++) {
        const ImagesFile *file = &listing->files.items[i];
        Parsed parsed = parse(file->path, splits, are_pairs);
        if ((splits && parsed.split < 0) || (are_pairs && parsed.side < 0))
            first = outside++ ? first : file->path;
        else
            add_found(arena, &found, file, &parsed, mode);
    }
    if (outside)
        diag_warning(diag, NULL, "%s: %u picture%s outside of %s %s left out: %s%s", spec, outside, outside == 1 ? "" : "s",
                     are_pairs ? "the folders A and B" : "the folders train, val and test", outside == 1 ? "is" : "are",
                     text_printable(arena, first), outside > 1 ? ", …" : "");
    if (are_pairs)
        join_pairs(&found, spec, diag);
    if (found.count == 0) {
        diag_error(diag, NULL, "%s: no picture below A has a partner of the same name below B", spec);
        return false;
    }
    tell_mixed(&found, spec, diag);
    if (!splits)
        assign_by_hash(arena, &found);
    bool are_numbers = name_classes(arena, &found, out);
    for (int split = 0; split < SPLIT_COUNT; split++)
        fill_split(arena, &found, split, are_numbers, out);
    return true;
}
