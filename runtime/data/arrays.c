// Arrays: see arrays.h.
#include "runtime/data/arrays.h"
#include "runtime/base/file.h"
#include "runtime/tensor/tensor_file.h"

static bool write_field(Arena *arena, const Dataset *dataset, uint32_t split, uint32_t count, uint32_t field, const char *path, Diag *diag) {
    uint64_t size = ELEMENT_WORD * dataset_field_count(dataset->declared, field);
    char *bytes = arena_alloc(arena, size * count);
    for (uint32_t i = 0; i < count; i++)
        if (!dataset->fetch(dataset, split, i, field, 0, bytes + size * i, diag))
            return false;
    HostTensor tensor = {.name = dataset->declared->fields[field].name,
                         .dtype = element_row(dataset->declared->fields[field].type)->word,
                         .rank = dataset->declared->fields[field].rank + 1,
                         .dims = {count},
                         .data = bytes,
                         .size = size * count};
    for (uint32_t i = 1; i < tensor.rank; i++)
        tensor.dims[i] = dataset->declared->fields[field].dims[i - 1];
    return npy_write(path, &tensor, diag);
}

bool arrays_write(Arena *arena, const Dataset *dataset, const char *split, uint32_t count, const char *folder, FILE *log, Diag *diag) {
    uint32_t index = 0;
    if (!dataset_need_split(dataset, split, &index, diag) || !file_make_folders(folder, diag))
        return false;
    uint32_t records = dataset->splits[index].count;
    for (uint32_t i = 0; i < dataset->declared->field_count; i++) {
        const char *path = file_join(arena, folder, arena_format(arena, "%s.npy", dataset->declared->fields[i].name));
        if (!write_field(arena, dataset, index, count && count < records ? count : records, i, path, diag))
            return false;
        if (log)
            fprintf(log, "%s\n", path);
    }
    return true;
}
