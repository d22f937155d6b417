// Data make: the command line of painted birds.
#include "compiler/driver/data_make.h"
#include "compiler/driver/common.h"
#include "runtime/data/birds.h"
#include <inttypes.h>

enum { COUNT_DEFAULT = 6000 };

int data_make_birds(Arguments *arguments) {
    Arena *arena = arguments->arena;
    BirdsOptions options = {.folder = arguments_text(arguments, "out"),
                            .count = arguments_count(arguments, "count", COUNT_DEFAULT),
                            .size = arguments_count(arguments, "size", BIRD_SIZE_DEFAULT),
                            .seed = arguments_seed(arguments, "seed", 0),
                            .progress = activity_progress, .progress_context = arguments->activity};
    if (arguments_has(arguments, "split"))
        return arguments_wrong(arguments, "data make birds makes all splits: --split is too much");
    if (!options.folder)
        options.folder =
            file_join(arena, file_cache_folder(arena), arena_format(arena, "data/birds-%u-%" PRIu64, options.count, options.seed));
    if (!birds_write(&options, arguments->diag))
        return 1;
    printf("%s birds are in %s; train with --data cub:%s\n", text_thousands(arena, options.count), options.folder, options.folder);
    return 0;
}
