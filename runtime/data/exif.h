// Exif: how a camera was held, from the TIFF structure that JPEG and WebP files carry (Exif 2.3).
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { EXIF_TURNED = 5 }; // from here on rows and columns change places

// The number of tag 274 in the first directory: 1 upright … 8; 1 where nothing readable says so.
uint32_t exif_orientation(const uint8_t *tiff, size_t size);
