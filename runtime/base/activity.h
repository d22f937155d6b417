// Activity: says what goes on. A line that rewrites itself on a terminal, a plain one now and then elsewhere; and where the work itself
// says nothing for a while, a thread of its own does, so that nobody has to wonder.
#pragma once
#include "runtime/base/text.h"
#include <stdio.h>

typedef struct Activity Activity;

// log NULL: silent. after: seconds of silence before the thread speaks; 0: 1 on a terminal, 8 elsewhere. Any thread may call what follows.
Activity *activity_create(Arena *arena, FILE *log, double after);
void activity_destroy(Activity **activity);
bool activity_is_terminal(const Activity *activity);
// What is done from now on, until the next one or activity_end: "loading the data".
__attribute__((format(printf, 2, 3))) void activity_begin(Activity *activity, const char *format, ...);
void activity_count(Activity *activity, const char *what, uint32_t done, uint32_t total); // the same, how far it is, and by that what is left of it
void activity_end(Activity *activity);
// The same; at the end of the work, activity_end. What takes a `progress` function takes these, with the activity as its context.
void activity_progress(void *activity, const char *what, uint32_t done, uint32_t total);
void activity_pipelines(void *activity, uint32_t done, uint32_t total); // of SessionOptions
// A line that the next one takes the place of on a terminal.
void activity_show(Activity *activity, const char *line);
// A line that stays.
void activity_say(Activity *activity, const char *line);
