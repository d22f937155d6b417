// Measure: what can be measured of a network's samples. A file each, and a row of measures.def.
#pragma once
#include "runtime/base/activity.h"
#include "runtime/base/json.h"
#include "runtime/sample/sample.h"

// What a person asks for; NULL and 0: not given.
typedef struct {
    const char *from;    // the weights: a run or a file
    const char *program; // its name
    const char *images;  // FILE.npy
    const char **data;
    uint32_t data_count;
    uint32_t count;
    uint64_t seed;
    const char *out; // a folder
} MeasureOptions;

// One measuring, while it goes on.
typedef struct {
    Arena *arena;
    const MeasureOptions *options;
    const Program *program;
    const ProgramEntry *entry;
    Activity *activity;
    Diag *diag;
    Session *session;      // with its weights; NULL outside `run`
    SampleWeights weights; // of the session
    void *own;             // what `prepare` makes and the others go on with
} Measuring;

typedef struct Measure Measure;
struct Measure {
    const char *name;
    const char *program;                // measured where none is named; NULL: the first that evaluates
    const char *(*mistake)(const MeasureOptions *options); // what is wrong with them, or NULL
    bool (*prepare)(Measuring *measuring);                 // looks at program and data before a device is opened. False: reported
    bool (*run)(Measuring *measuring);                     // False: reported
    void (*print)(const Measuring *measuring, Text *out);
    void (*write)(const Measuring *measuring, JsonWriter *json);        // members of an object
    bool (*draw)(const Measuring *measuring, const char *folder); // pictures, beside the JSON; NULL: none
};

#define MEASURE(name, usage, summary) extern const Measure name##_measure;
#include "runtime/eval/measures.def"
#undef MEASURE

// Measures on a device by a prepared measuring: a session with the weights of options->from, what the measure makes of it, and NAME.json
// with its pictures in options->out. False: reported.
bool measure_run(const Measure *measure, Measuring *measuring, Device *device);
const char *measure_json(const Measure *measure, const Measuring *measuring);
