// Common: what several commands share - reading graphs and bundles, choosing device and target, progress, tables.
#pragma once
#include "compiler/compile.h"
#include "compiler/driver/arguments.h"
#include "compiler/read/read.h"
#include "runtime/program/profile.h"
#include "runtime/program/program.h"
#include "runtime/vk/device.h"

#define COMMON_GRAPH_OPTIONS                                                                                                               \
    {"define", 'D', OPTION_TEXT, true, "NAME=VALUE", "overrides a let of the graph"}, {                                                    \
        "preset", 0, OPTION_TEXT, false, "NAME", "takes the lets of a preset of the graph"                                                 \
    }
#define COMMON_DEVICE_OPTIONS                                                                                                              \
    {"device", 0, OPTION_TEXT, false, "D", "index, UUID or part of the name of a Vulkan device (see gcc-graph devices)"},                  \
        {"validation", 0, OPTION_FLAG, false, NULL, "turns the Vulkan validation layer on; its messages count as failures"}, {             \
        "trace", 0, OPTION_FLAG, false, NULL, "prints every Vulkan call on stderr"                                                         \
    }
#define COMMON_SEED_OPTION                                                                                                                 \
    { "seed", 0, OPTION_SEED, false, "S", "seed of all random numbers (default 0)" }

// What --set NAME=VALUE takes for a program's input.
#define COMMON_INPUT_HELP                                                                                                                  \
    "The VALUE of an input is a number (fills it), a list 0,1,2 (repeats along its\n"                                                       \
    "first axis), FILE.npy, a PNG, JPEG or WebP picture, or a folder of them in the order of their names: each is resized to the input's\n"        \
    "height and width, made grey or coloured as it has channels, and mapped to its \"range\"; a text where the graph reads it as tokens; the name of a class\n"  \
    "(or cat,dog) where the run knows it. Inputs with a \"default\" may be left out."

bool common_is_bundle(const char *path); // a folder
// A graph, or the graph inside a bundle, with --define and --preset where the command has them. `program` NULL: all programs.
Module *common_read_module(Arguments *arguments, const char *path, bool keep_values, const char *program);
// The same with a preset that the caller chooses.
Module *common_read_preset(Arguments *arguments, const char *path, const char *preset);
// Says what to do when the path is a graph instead of a bundle.
Program *common_read_bundle(Arguments *arguments, const char *path);
// A program by name, with the known names in the error. `name` NULL: the first whose `training` is as asked.
const ProgramEntry *common_entry(Arguments *arguments, const Program *program, const char *name, bool training);

Device *common_device(Arguments *arguments, const ProgramEntry *entry); // by --device, --validation and --trace; entry: all that will run, if known
// After the work: reports the messages of the validation layer as an error.
void common_check_validation(Arguments *arguments, const Device *device);
// Warns when the bundle was compiled for another class of device than this one's.
void common_check_class(Arguments *arguments, const Program *program, const Device *device);
// "cpu", "gpu", "any", a device here, or the profile of one elsewhere (FILE.json); NULL: the device that would run it, or `any` (with a warning) where there is none.
bool common_target(Arguments *arguments, const char *wanted, Target *out);
