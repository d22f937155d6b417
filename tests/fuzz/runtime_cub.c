// Damaged lists, pickles and pictures of a folder of birds: refused, or every record can be fetched, in the range that was declared.
#include "runtime/data/dataset.h"
#include "tests/fuzz/mutate.h"

#define BIRDS GG_SOURCE_DIR "/tests/unit/birds/"
enum { SIDE = 16, NUMBERS = 1024 };

static const ProgramData *declare(Arena *arena) {
    ProgramData *data = ARENA_NEW(arena, ProgramData, 1);
    *data = (ProgramData){.name = "birds", .batch = 2, .field_count = 3, .fields = arena_alloc(arena, 3 * sizeof *data->fields)};
    data->fields[0].name = "image";
    data->fields[0].rank = 3;
    data->fields[0].dims[0] = 3, data->fields[0].dims[1] = data->fields[0].dims[2] = SIDE;
    data->fields[0].has_range = true, data->fields[0].low = -1, data->fields[0].high = 1;
    data->fields[1].name = "text";
    data->fields[1].rank = 1;
    data->fields[1].dims[0] = NUMBERS;
    data->fields[2].name = "label";
    data->fields[2].type = ELEMENT_I32;
    data->fields[2].below = 4;
    return data;
}

static bool taste_cub(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)bytes, (void)size;
    Dataset *dataset = dataset_open(arena, arena_format(arena, "cub:%s/birds", fuzzer->folder), declare(arena), diag);
    if (!dataset)
        return false;
    float values[NUMBERS]; // more than an image has
    for (uint32_t split = 0; split < dataset->split_count; split++)
        for (uint32_t i = 0; i < dataset->splits[split].count; i++)
            for (uint64_t draw = 0; draw < 3; draw++) {
                if (!dataset->fetch(dataset, split, i, 0, draw, values, diag))
                    return false;
                for (uint32_t k = 0; k < 3 * SIDE * SIDE; k++)
                    if (!(values[k] >= -1 && values[k] <= 1))
                        fuzz_fail(fuzzer, "%g is not in -1 … 1", (double)values[k]);
                if (!dataset->fetch(dataset, split, i, 1, draw, values, diag))
                    return false;
                int32_t label;
                if (!dataset->fetch(dataset, split, i, 2, draw, &label, diag))
                    return false;
                if (label < 0 || label >= 4)
                    fuzz_fail(fuzzer, "label %d", label);
                if (dataset->caption)
                    dataset->caption(dataset, arena, split, i, draw, diag);
            }
    return true;
}

static void copy(Fuzzer *fuzzer, const char *name) {
    size_t size;
    const char *bytes = file_read(fuzzer->arena, arena_format(fuzzer->arena, BIRDS "%s", name), &size, fuzzer->diag);
    const char *path = arena_format(fuzzer->arena, "%s/birds/%s", fuzzer->folder, name);
    if (!bytes || !file_make_folders(file_folder(fuzzer->arena, path), fuzzer->diag) || !file_write(path, bytes, size, fuzzer->diag)) {
        diag_print(fuzzer->diag, stderr);
        exit(EXIT_FAILURE);
    }
}

// Only the damaged one of the files is written anew for each input.
static void fuzz_cub(FuzzTime time, const char *damaged, double share) {
    static const char *const files[] = {
        "CUB_200_2011/images.txt",
        "CUB_200_2011/bounding_boxes.txt",
        "CUB_200_2011/images/001.Painted_Bird_A/Painted_0000_944959.jpg",
        "CUB_200_2011/images/001.Painted_Bird_A/Painted_0001_300865.jpg",
        "CUB_200_2011/images/002.Painted_Bird_B/Painted_0002_119963.jpg",
        "CUB_200_2011/images/002.Painted_Bird_B/Painted_0003_445630.jpg",
        "CUB_200_2011/images/003.Painted_Bird_C/Painted_0004_700573.jpg",
        "CUB_200_2011/images/003.Painted_Bird_C/Painted_0005_612926.jpg",
        "text/001.Painted_Bird_A/Painted_0000_944959.txt",
        "train/filenames.pickle",
        "train/class_info.pickle",
        "train/char-CNN-RNN-embeddings.pickle",
        "test/filenames.pickle",
        "test/class_info.pickle",
        "test/char-CNN-RNN-embeddings.pickle",
    };
    Fuzzer *fuzzer = fuzzer_create(file_name(damaged), NULL, 0);
    for (uint32_t i = 0; i < sizeof files / sizeof *files; i++)
        copy(fuzzer, files[i]);
    size_t size;
    const char *bytes = file_read(fuzzer->arena, arena_format(fuzzer->arena, BIRDS "%s", damaged), &size, fuzzer->diag);
    fuzzer_add(fuzzer, arena_format(fuzzer->arena, "birds/%s", damaged), bytes, size);
    fuzzer_run(&fuzzer, taste_cub, time.seconds * share, time.first, time.count);
}

int main(int count, char **arguments) {
    FuzzTime time = fuzz_arguments(count, arguments, 6);
    fuzz_cub(time, "CUB_200_2011/images/003.Painted_Bird_C/Painted_0004_700573.jpg", 0.3); // progressive
    fuzz_cub(time, "CUB_200_2011/images/001.Painted_Bird_A/Painted_0000_944959.jpg", 0.2);
    fuzz_cub(time, "CUB_200_2011/images.txt", 0.1);
    fuzz_cub(time, "CUB_200_2011/bounding_boxes.txt", 0.1);
    fuzz_cub(time, "train/filenames.pickle", 0.1);
    fuzz_cub(time, "train/class_info.pickle", 0.1);
    fuzz_cub(time, "train/char-CNN-RNN-embeddings.pickle", 0.1);
    return EXIT_SUCCESS;
}
