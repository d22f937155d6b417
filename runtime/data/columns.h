// Columns: data sets whose records are rows of arrays in files. A reader says which arrays there are; here they meet the fields that a
// graph declares: shapes, ranges, splits, and the numbers themselves, which are read when a record is.
#pragma once
#include "runtime/data/readers.h"
#include "runtime/data/split.h"
#include "runtime/tensor/tensor_file.h"

// Records that lie together in one file, or in memory.
typedef struct {
    const uint8_t *bytes; // NULL: in the file
    const FileView *view;
    uint64_t offset, records;
} ColumnPart;

typedef struct {
    const char *name;  // of the field; where a data set has a single one, any name serves
    const char *path;  // for messages
    int split;         // SPLIT_TRAIN …; -1: not said
    TensorPlace place; // type and shape; the first axis counts the records
    uint64_t stride;   // bytes from record to record; 0: they follow each other
    const ColumnPart *parts;
    uint32_t part_count;
} Column;

typedef struct {
    const char *name;
    int split;
} ColumnName;

typedef struct {
    Column *items; // worth reading
    uint32_t count, capacity;
    ARRAY(ColumnName) known; // all arrays that are there, for messages
    bool is_table;           // an array of several numbers is columns of a table, x_0, x_1 …
} Columns;

// What the name of a file or an array says: "train/x", "train_x", "x_train" and "train.x" are "x" of the split train.
void columns_name(Arena *arena, const char *name, const char **field, int *split);
// Whether an array is worth reading: a field has its name. `declared` NULL: any is.
bool columns_want(const ProgramData *declared, const char *field);
// Whether a graph's single field can only mean the one array that is there, whatever it is called.
bool columns_has_one(const ProgramData *declared, const Columns *columns);
// Appends an array that lies in one piece, at place->offset of the file, or at `bytes`; without either it is only described. In Fortran order it
// is read and turned.
bool columns_add(Arena *arena, Columns *columns, const char *path, const char *name, int split, const TensorPlace *place,
                 const FileView *view, const uint8_t *bytes, Diag *diag);
// What could have been meant by a field, of the arrays of a split, or (NULL) of any; see text_suggestion.
const char *columns_suggestion(Arena *arena, const ProgramData *declared, uint32_t field, const Columns *columns, const int *split);
// An error where none of the arrays that are there was worth reading.
bool columns_found(Arena *arena, const ProgramData *declared, const char *path, const Columns *columns, Diag *diag);
// Fills in the data set. Where no array's split is said, records are shared out by a hash of their number, see split.h.
bool columns_open(Arena *arena, Dataset *dataset, const Columns *columns, Diag *diag);
bool columns_natural(Arena *arena, const char *spec, const Columns *columns, ProgramData *declared, Diag *diag);
