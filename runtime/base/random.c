// Random: Philox4x32-10 and the draws made of its words.
#include "runtime/base/random.h"
#include <math.h>

RandomWords random_philox(const uint32_t counter[4], const uint32_t key[2]) {
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k[2] = {key[0], key[1]};
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = (uint64_t)0xD2511F53u * c[0], product1 = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t c1 = c[1], c3 = c[3];
        c[0] = (uint32_t)(product1 >> 32) ^ c1 ^ k[0];
        c[1] = (uint32_t)product1;
        c[2] = (uint32_t)(product0 >> 32) ^ c3 ^ k[1];
        c[3] = (uint32_t)product0;
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    return (RandomWords){{c[0], c[1], c[2], c[3]}};
}

uint64_t random_name(const char *path) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * 0x100000001B3u;
    return hash;
}

RandomWords random_element(uint64_t seed, uint64_t name, uint32_t step, uint32_t repetition, uint32_t element) {
    uint64_t mixed = seed ^ name;
    const uint32_t counter[4] = {element, step, repetition, 0}, key[2] = {(uint32_t)mixed, (uint32_t)(mixed >> 32)};
    return random_philox(counter, key);
}

float random_uniform(RandomWords words) { return (float)(words.words[0] >> 8) * 0x1p-24f; }

uint32_t random_below(RandomWords words, uint32_t below) { return (uint32_t)(((uint64_t)words.words[0] * below) >> 32); }

double random_normal(RandomWords words) {
    double u = (double)((words.words[0] >> 8) + 1) * 0x1p-24, v = (double)(words.words[1] >> 8) * 0x1p-24;
    return sqrt(-2.0 * log(u)) * cos(2.0 * 3.14159265358979323846 * v);
}

void random_permutation(uint64_t seed, uint64_t name, uint32_t epoch, uint32_t *order, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = random_below(random_element(seed, name, epoch, 0, i - 1), i);
        uint32_t other = order[j];
        order[j] = order[i - 1];
        order[i - 1] = other;
    }
}
