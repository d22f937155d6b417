// Classes: what the numbers of labels mean, by the names that a training's data sets gave to their classes.
#pragma once
#include "runtime/base/json.h"
#include "runtime/program/program.h"

// Of one data set: label i is names[i]. Names are printable UTF-8, whatever a folder is called.
typedef struct {
    const char *data; // "images", as the graph calls it
    const char *const *names;
    uint32_t count;
} Classes;

typedef struct {
    const Classes *items;
    uint32_t count;
} ClassLists;

// As the member "classes" of run.json: { "images": ["cat", "dog"] }. Nothing is written where there are none; absent is none.
void classes_write(JsonWriter *writer, const ClassLists *lists);
bool classes_read(Arena *arena, const Json *json, ClassLists *out, Diag *diag);
// A label means what it meant when the run began: false (reported) where a data set of both now has other classes, or in another order.
bool classes_check(const ClassLists *now, const ClassLists *before, Diag *diag);
// Whose classes an input's numbers are: those of the data set with a field of the input's name, integers with the same bound. NULL: of none.
const Classes *classes_of(const ClassLists *lists, const Program *program, const ProgramFeed *input);
// What a run keeps in its run.json: of RUN itself, or of the folder in which FILE lies. None where there is no run.json.
ClassLists classes_of_run(Arena *arena, const char *run_or_file);
