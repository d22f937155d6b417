// Bug: ends the program where it contradicts itself, in release builds as well; no user or machine can be to blame.
#pragma once

// Prints `gcc-graph: bug: FILE:LINE: message` to stderr and aborts. Where a node of a graph is to blame: graph_bug (compiler/ir/graph.h).
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
// What must hold; else its text is the message. Evaluated once, in every build.
#define CHECK(condition) ((condition) ? (void)0 : bug("%s", "it does not hold that " #condition))

__attribute__((noreturn, cold, format(printf, 3, 4))) void bug_at(const char *file, int line, const char *format, ...);
