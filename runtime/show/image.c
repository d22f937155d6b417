// Image: libpng writes into and reads from memory; files are base/file's business. libpng reports errors by longjmp only: the two functions
// that call setjmp keep everything that must survive it in a Stream.
#include "runtime/show/image.h"
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>

enum { SIDE_MAX = 16384, PIXELS_PER_BYTE_MAX = 8 * 1032 /* a bit each, packed as well as deflate can */, GRID_TILE = 56, ROW_IMAGES_MAX = 8 };

typedef struct {
    Arena *arena;
    char *bytes;
    size_t size, capacity, position;
    char message[160];
    jmp_buf failed;
} Stream;

static void on_error(png_structp png, png_const_charp message) {
    Stream *stream = png_get_error_ptr(png);
    snprintf(stream->message, sizeof stream->message, "%s", message);
    longjmp(stream->failed, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void put(png_structp png, png_bytep bytes, size_t size) {
    Stream *stream = png_get_io_ptr(png);
    if (stream->size + size > stream->capacity) {
        size_t capacity = 2 * (stream->size + size);
        char *grown = realloc(stream->bytes, capacity);
        if (!grown)
            png_error(png, "out of host memory");
        stream->bytes = grown;
        stream->capacity = capacity;
    }
    memcpy(stream->bytes + stream->size, bytes, size);
    stream->size += size;
}

static void take(png_structp png, png_bytep bytes, size_t size) {
    Stream *stream = png_get_io_ptr(png);
    if (size > stream->size - stream->position)
        png_error(png, "the file ends too early");
    memcpy(bytes, stream->bytes + stream->position, size);
    stream->position += size;
}

static void flush(png_structp png) { (void)png; }

Image image_create(Arena *arena, uint32_t width, uint32_t height, uint32_t channels) {
    return (Image){width, height, channels, ARENA_NEW(arena, uint8_t, (size_t)width * height * channels)};
}

static void encode(png_structp png, png_infop info, const Image *image, const ImageText *texts, uint32_t text_count) {
    png_set_IHDR(png, info, image->width, image->height, 8, image->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (uint32_t i = 0; i < text_count; i++) {
        if (!texts[i].text)
            continue;
        // png_text's members are not const, but png_set_text copies them.
        png_text chunk = {.compression = PNG_TEXT_COMPRESSION_NONE,
                          .key = (char *)(uintptr_t)texts[i].key,
                          .text = (char *)(uintptr_t)texts[i].text,
                          .text_length = strlen(texts[i].text)};
        png_set_text(png, info, &chunk, 1);
    }
    png_write_info(png, info);
    for (uint32_t y = 0; y < image->height; y++)
        png_write_row(png, image->pixels + (size_t)y * image->width * image->channels);
    png_write_end(png, info);
}

const char *image_encode(Arena *arena, const char *path, const Image *image, const ImageText *texts, uint32_t text_count, size_t *size,
                         Diag *diag) {
    Stream stream = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &stream, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool done = false;
    if (!info)
        snprintf(stream.message, sizeof stream.message, "libpng does not start");
    else if (setjmp(stream.failed) == 0) {
        png_set_write_fn(png, &stream, put, flush);
        encode(png, info, image, texts, text_count);
        done = true;
    }
    if (!done)
        diag_error(diag, &(Place){.file = path}, "cannot make the PNG: %s", stream.message);
    png_destroy_write_struct(&png, &info);
    const char *bytes = done ? arena_copy_bytes(arena, stream.bytes, stream.size) : NULL;
    *size = stream.size;
    free(stream.bytes);
    return bytes;
}

bool image_write(const char *path, const Image *image, const ImageText *texts, uint32_t text_count, Diag *diag) {
    Arena *arena = arena_create();
    size_t size = 0;
    const char *bytes = image_encode(arena, path, image, texts, text_count, &size, diag);
    bool written = bytes && file_write(path, bytes, size, diag);
    arena_destroy(&arena);
    return written;
}

void image_lay_on(uint32_t ground, const uint8_t *from, size_t count, uint32_t channels, uint8_t *to) {
    for (size_t i = 0; i < count; i++, from += channels + 1)
        for (uint32_t c = 0; c < channels; c++)
            *to++ = (uint8_t)((from[c] * from[channels] + ground * (255u - from[channels]) + 127) / 255);
}

static void decode(png_structp png, png_infop info, Stream *stream, uint8_t ground, Image *out) {
    png_set_user_limits(png, SIDE_MAX, SIDE_MAX);
    png_read_info(png, info);
    png_set_expand(png);
    png_set_scale_16(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    uint32_t width = png_get_image_width(png, info), height = png_get_image_height(png, info), stored = png_get_channels(png, info);
    if (stored < 1 || stored > 4)
        png_error(png, "neither grey nor colour");
    if ((uint64_t)width * height / PIXELS_PER_BYTE_MAX > stream->size)
        png_error(png, "the file ends too early");
    Image whole = image_create(stream->arena, width, height, stored);
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < height; y++)
            png_read_row(png, whole.pixels + (size_t)y * width * stored, NULL);
    png_read_end(png, info);
    if (stored == 1 || stored == 3) {
        *out = whole;
        return;
    }
    *out = image_create(stream->arena, width, height, stored - 1);
    image_lay_on(ground, whole.pixels, (size_t)width * height, stored - 1, out->pixels);
}

static void copy_texts(Arena *arena, png_structp png, png_infop info, ImageText **texts, uint32_t *text_count) {
    png_textp chunks = NULL;
    int count = 0;
    png_get_text(png, info, &chunks, &count);
    *text_count = (uint32_t)count;
    *texts = ARENA_NEW(arena, ImageText, count);
    for (int i = 0; i < count; i++)
        (*texts)[i] = (ImageText){arena_copy_text(arena, chunks[i].key), arena_copy_text(arena, chunks[i].text)};
}

// Whether every chunk lies in the file. libpng asks for as much memory as a chunk claims to be long before it looks.
static bool has_whole_chunks(const Stream *stream) {
    enum { SIGNATURE = 8, FRAME = 12 }; // a chunk's length, type and checksum
    const uint8_t *bytes = (const uint8_t *)stream->bytes;
    for (size_t at = SIGNATURE; at < stream->size;) {
        size_t left = stream->size - at, length = left < FRAME ? SIZE_MAX : (size_t)png_get_uint_32(bytes + at);
        if (left < FRAME || length > left - FRAME)
            return false;
        if (memcmp(bytes + at + 4, "IEND", 4) == 0)
            return true;
        at += FRAME + length;
    }
    return stream->size < SIGNATURE; // libpng says what it is instead
}

static bool decode_all(Stream *stream, const char *path, uint8_t ground, Image *out, ImageText **texts, uint32_t *text_count, Diag *diag) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, stream, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool done = false;
    if (!info)
        snprintf(stream->message, sizeof stream->message, "libpng does not start");
    else if (png_sig_cmp((png_const_bytep)stream->bytes, 0, stream->size < 8 ? stream->size : 8) == 0 && !has_whole_chunks(stream))
        snprintf(stream->message, sizeof stream->message, "the file ends too early");
    else if (setjmp(stream->failed) == 0) {
        png_set_read_fn(png, stream, take);
        decode(png, info, stream, ground, out);
        if (texts)
            copy_texts(stream->arena, png, info, texts, text_count);
        done = true;
    }
    png_destroy_read_struct(&png, &info, NULL);
    if (!done)
        diag_error(diag, &(Place){.file = path}, "no valid PNG: %s", stream->message);
    return done;
}

bool image_decode(Arena *arena, const char *path, const void *bytes, size_t size, uint8_t ground, Image *out, Diag *diag) {
    Stream stream = {.arena = arena, .bytes = (char *)(uintptr_t)bytes, .size = size}; // which are only read
    return decode_all(&stream, path, ground, out, NULL, NULL, diag);
}

bool image_read(Arena *arena, const char *path, Image *out, ImageText **texts, uint32_t *text_count, Diag *diag) {
    Stream stream = {.arena = arena};
    stream.bytes = file_read(arena, path, &stream.size, diag);
    return stream.bytes && decode_all(&stream, path, 0, out, texts, text_count, diag);
}

uint8_t image_level(float value) {
    float level = (value + 1) * 127.5f;
    return !(level > 0) ? 0 : level >= 255 ? 255 : (uint8_t)lrintf(level);
}

static void paste(Image *image, const float *values, uint32_t height, uint32_t width, uint32_t left, uint32_t top, uint32_t zoom) {
    for (uint32_t y = 0; y < height * zoom; y++)
        for (uint32_t x = 0; x < width * zoom; x++)
            for (uint32_t c = 0; c < image->channels; c++)
                image->pixels[(((size_t)top + y) * image->width + left + x) * image->channels + c] =
                    image_level(values[((size_t)c * height + y / zoom) * width + x / zoom]);
}

Image image_grid(Arena *arena, const float *values, uint32_t count, uint32_t channels, uint32_t height, uint32_t width,
                 const ImageGrid *grid) {
    uint32_t columns = grid->columns ? grid->columns : count <= ROW_IMAGES_MAX ? count : (uint32_t)ceil(sqrt((double)count));
    columns = columns ? columns : 1;
    uint32_t side = width > height ? width : height;
    uint32_t zoom = grid->zoom ? grid->zoom : side >= GRID_TILE || side == 0 ? 1 : (GRID_TILE + side - 1) / side;
    uint32_t rows = count ? (count + columns - 1) / columns : 1;
    uint32_t step_x = width * zoom + grid->gap, step_y = height * zoom + grid->gap;
    Image image = image_create(arena, columns * step_x + grid->gap, rows * step_y + grid->gap, channels);
    memset(image.pixels, grid->background, (size_t)image.width * image.height * channels);
    for (uint32_t i = 0; i < count; i++)
        paste(&image, values + (size_t)i * channels * height * width, height, width, grid->gap + i % columns * step_x,
              grid->gap + i / columns * step_y, zoom);
    return image;
}
