// Stamps: timestamps that the device writes between commands. (Not "timer": timer_create is POSIX.)
#pragma once
#include "runtime/vk/device.h"

typedef struct Stamps Stamps;

bool stamps_are_available(const Device *device);
Stamps *stamps_create(Arena *arena, Device *device, uint32_t count, Diag *diag); // of `count` timestamps
void stamps_destroy(Device *device, Stamps **stamps);
uint32_t stamps_count(const Stamps *stamps);
double stamps_seconds(const Device *device, uint64_t begin, uint64_t end); // between two timestamps; 0 where they make no sense
