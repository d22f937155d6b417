// Eval classify: what a classifier says of images.
//
// A classifier is a bundle with a program that feeds one image field, perhaps an integer field of labels with it, and emits rows "logits"
// [n, classes].
#pragma once
#include "runtime/data/dataset.h"
#include "runtime/session/session.h"

enum { EVAL_CLASSES_MAX = 1000 };

typedef struct {
    uint32_t count, classes;
    uint32_t confident;       // largest probability at least 0.9
    uint32_t right, labelled; // where labels are fed
    double entropy;           // of the distribution of predicted classes, in nats
    uint32_t predicted[EVAL_CLASSES_MAX];
} EvalClassify;

typedef struct {
    Session *session; // with the classifier's weights
    const Program *program;
    const ProgramEntry *entry;
    const ProgramPhase *phase;
    uint32_t image, label; // feeds; label UINT32_MAX: none
    uint32_t logits;       // the result
} EvalClassifier;

// Finds feeds and result in the entry. False: reported, with what a classifier needs.
bool eval_classifier_find(const Program *program, const ProgramEntry *entry, EvalClassifier *out, Diag *diag);
// images: [count, …] in the field's shape, f32.
bool eval_classify_images(Arena *arena, const EvalClassifier *classifier, const HostTensor *images, EvalClassify *out, Diag *diag);
// The first `count` records (0: all) of the feed's split.
bool eval_classify_data(Arena *arena, const EvalClassifier *classifier, const Dataset *dataset, uint32_t count, EvalClassify *out,
                        Diag *diag);
