// Name: what may name a network, an emit, a kernel and the like. Names become names of files, and may not lead out of their folder.
#pragma once

enum { NAME_LENGTH_MAX = 200 }; // bytes; a file's name has room for an ending

// NULL where the text may be a name: UTF-8, not empty, not too long, without a dot in front, two dots in a row, '/', '\' and control
// characters. Else what is wrong with it: "a name may not hold '/'".
const char *name_mistake(const char *name);
