// Conditions: phases that run at times only, and programs that end by what they report - "mode", "every", "when" and "stop".
#pragma once
#include "compiler/read/reader.h"

// A report that a condition of the program reads, or a later phase: it becomes a state, so that a resumed run goes on with it.
typedef struct {
    const char *phase, *name; // "validate", "loss"
    const Json *place;        // the first that reads it
    bool is_kept, is_truth;   // the phase was read, and `state` holds it; a truth is kept as a number
    bool is_for_nodes;        // nodes of a later phase read it
    uint32_t state;           // in Module.states
} ConditionReport;

typedef struct {
    GraphProgram *program;
    const Json *json; // of the program
    Scope *scope;
    ARRAY(ConditionReport) reports;
    bool is_there; // the program has a "when" or "stop"
    bool is_wrong; // reported
} Conditions;

// Which reports the conditions of a program read, and nodes of later phases; before its phases are. False: reported.
bool conditions_find(Reader *reader, const Json *json, GraphProgram *program, Scope *scope, Conditions *out);
// "mode", "every" and "when" of a phase whose stage is the reader's. False: reported.
bool conditions_turns(Reader *reader, const Json *json, const GraphProgram *program, Scope *scope, Phase *out);
// Before a phase's nodes: what they read of the reports of phases before it, by name.
void conditions_show(Reader *reader, const Conditions *conditions, Scope *scope);
// At the end of a phase's nodes: what conditions read of its reports, and how often it ran, are stored. A report that a phase makes in several
// repetitions is their mean where it is f32, else the last one.
void conditions_keep(Reader *reader, Conditions *conditions, const Phase *phase);
// After the phases: one more, which computes all conditions of the program.
void conditions_build(Reader *reader, Conditions *conditions);
