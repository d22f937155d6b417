// Scan: strict check of JSON text (RFC 8259) and the position of every value. Internal to json.c.
#pragma once
#include "runtime/base/diag.h"

typedef struct {
    uint32_t line, column;         // of the value's first character
    uint32_t key_line, key_column; // of its key's opening quote, in an object
    uint32_t start, size;          // bytes of the value in the text
} JsonSpot;

typedef ARRAY(JsonSpot) JsonSpots;

enum { JSON_DEPTH_MAX = 200 };

// The spots of all values in text order, a container before its children. The text begins at line `line`. Reports the first mistake with line and column.
bool json_scan(Arena *arena, const char *file, uint32_t line, const char *text, size_t length, JsonSpots *spots, Diag *diag);
