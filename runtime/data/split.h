// Split: the names of a data set's parts, and the parts of one that comes whole.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST, SPLIT_COUNT };

const char *split_name(int split); // "train", "val", "test"
// The split that a file, a folder or an array is named after - train, val, valid, validation, test, in either case -, or -1.
int split_of_name(const char *name, size_t size);
// Of records by a hash of what each is: those in the lowest tenth of all hashes are the test's, the others train. A record's split depends
// on nothing but its hash, but that no split stays empty where there are two records or more: the lowest one tests, the highest one trains.
void split_by_hash(const uint64_t *hashes, uint32_t count, uint8_t *splits);
// The hash of a record that has no name, by its number.
uint64_t split_hash(uint64_t record);
