// Template files: the texts of shaders/, made into a table by compiler/emit/embed.cmake. Used by template.c and the tests.
#pragma once
#include <stdint.h>

typedef struct {
    const char *name;          // "map.comp"
    const unsigned char *text; // 0-terminated
} TemplateFile;

extern const TemplateFile template_files[]; // sorted by name
extern const uint32_t template_file_count;
