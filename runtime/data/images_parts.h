// Parts of the reader of folders of pictures. Internal to images.c (records' fields), images_folder.c (which pictures there are, what split
// and class they are of, and which belong together) and images_texts.c (what is written about them).
#pragma once
#include "runtime/data/readers.h"

enum { IMAGES_SIDES = 2 };
#define IMAGES_NO_CLASS UINT32_MAX

// A picture in the folder.
typedef struct {
    const char *path;         // in the folder: "train/cat/1.png"
    const char *file;         // where it lies: `path`, or, of a link, what it leads to in the folder
    const char *const *texts; // of tables; NULL: none
    uint32_t text_count;
    bool has_text_file; // NAME.txt beside it
    const char *label;  // of a table; NULL: none
} ImagesFile;

// A file about pictures.
typedef struct {
    const char *path; // in the folder
    bool is_lines;    // JSON Lines, else CSV
} ImagesTable;

typedef struct {
    ARRAY(ImagesFile) files;   // sorted by path
    ARRAY(ImagesTable) tables; // sorted by path
    uint32_t others;           // files that look like pictures of formats that are not read
    const char *other;         // one of them
    uint32_t links;            // that lead out of the folder, or to folders: left out
    const char *link;
} ImagesListing;

// What a record is.
typedef struct {
    const ImagesFile *sides[IMAGES_SIDES]; // of pairs both; else the same one twice
    uint32_t class;                        // IMAGES_NO_CLASS: none
} ImagesRecord;

typedef struct {
    const char *name;
    ImagesRecord *records;
    uint32_t count;
} ImagesSplit;

typedef enum {
    IMAGES_SINGLE, // a record is a picture
    IMAGES_PAIRS,  // two pictures of one name, below A/ and B/
    IMAGES_HALVES, // the left and the right half of a picture
} ImagesMode;

typedef struct {
    ImagesSplit splits[DATASET_SPLIT_MAX];
    uint32_t split_count;
    const char **classes; // sorted
    uint32_t class_count;
    uint32_t unclassed; // pictures without a class
    const char *unclassed_path;
} ImagesSplits;

// All pictures below the folder, however deep: PNG, JPEG and WebP by the ends of their names. Hidden files and folders are passed over.
bool images_list(Arena *arena, const char *folder, ImagesListing *out, Diag *diag);
// Where a path in the folder `root` (absolute, without links) leads to in it; NULL: out of it, or nowhere.
const char *images_inside(Arena *arena, const char *root, const char *path);
// Whether there are pictures below A/ and B/ (behind the splits' folders).
bool images_has_pairs(const ImagesListing *listing);
bool images_split(Arena *arena, const char *spec, const ImagesListing *listing, ImagesMode mode, ImagesSplits *out, Diag *diag);
// Reads the tables into the listing. *count: pictures with texts, also of files beside them.
bool images_read_tables(Arena *arena, const char *folder, ImagesListing *listing, uint32_t *count, Diag *diag);
// One of the picture's texts, in the arena; `pick` says which of `count`. NULL: it has none, or (reported) its file is none that is read.
const char *images_text(Arena *arena, const char *folder, const ImagesFile *file, uint32_t (*pick)(void *context, uint32_t count),
                        void *context, Diag *diag);
