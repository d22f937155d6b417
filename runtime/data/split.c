// Split: see split.h.
#include "runtime/data/split.h"
#include "runtime/base/random.h"
#include <string.h>
#include <strings.h>

enum { TEST_SHARE = 10 };

const char *split_name(int split) {
    static const char *const names[SPLIT_COUNT] = {"train", "val", "test"};
    return names[split];
}

int split_of_name(const char *name, size_t size) {
    static const struct {
        const char *name;
        int split;
    } known[] = {{"train", SPLIT_TRAIN}, {"val", SPLIT_VAL}, {"valid", SPLIT_VAL}, {"validation", SPLIT_VAL}, {"test", SPLIT_TEST}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == size && strncasecmp(known[i].name, name, size) == 0)
            return known[i].split;
    return -1;
}

void split_by_hash(const uint64_t *hashes, uint32_t count, uint8_t *splits) {
    uint32_t lowest = 0, highest = 0;
    for (uint32_t i = 0; i < count; i++) {
        splits[i] = hashes[i] < UINT64_MAX / TEST_SHARE ? SPLIT_TEST : SPLIT_TRAIN;
        lowest = hashes[i] < hashes[lowest] ? i : lowest;
        highest = hashes[i] >= hashes[highest] ? i : highest;
    }
    if (count > 1)
        splits[lowest] = SPLIT_TEST;
    if (count > 0)
        splits[highest] = SPLIT_TRAIN;
}

uint64_t split_hash(uint64_t record) {
    RandomWords words = random_element(0, random_name("split"), (uint32_t)(record >> 32), 0, (uint32_t)record);
    return (uint64_t)words.words[1] << 32 | words.words[0];
}
