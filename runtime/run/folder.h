// Run folder: what lies in RUN, who may write there, and what may be removed: only what gcc-graph wrote.
#pragma once
#include "runtime/run/lock.h"

typedef struct {
    const char *path;
    RunLock *lock;
    bool is_new; // it was not there
} RunFolder;

// Makes the folder where needed and locks it (run_lock.h). Unless the caller goes on with a run, none may have begun there since it looked.
bool run_folder_take(RunFolder *folder, Arena *arena, const char *path, bool goes_on, Diag *diag);
// Removes what a killed training was writing: it was never put in place.
void run_folder_remove_unfinished(const RunFolder *folder);
void run_folder_leave(RunFolder *folder); // a new folder into which nothing came is removed; of one that was not taken: nothing

bool run_folder_is_unfinished(const char *name); // is it what a killed training was writing? Names of others are never ours
// Is nothing in it but, maybe, what a run left that was killed before its run.json was in place?
bool run_folder_is_empty(const char *path);
