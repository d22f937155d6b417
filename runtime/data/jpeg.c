// Jpeg: libjpeg behind two functions. Its errors end at setjmp in this file.
#include "runtime/data/jpeg.h"
#include "runtime/base/bug.h"
#include "runtime/data/exif.h"
#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>

enum { SIDE_MAX = 16384, PIXELS_MAX = 1 << 26, PIXELS_PER_BYTE_MAX = 4096, SCANS_MAX = 100, CHANNELS = 3 };

typedef struct {
    struct jpeg_error_mgr manager; // first: libjpeg hands this one back
    jmp_buf back;
    char message[JMSG_LENGTH_MAX];
} JpegErrors;

__attribute__((noreturn)) static void leave(j_common_ptr info) {
    JpegErrors *errors = (JpegErrors *)info->err;
    errors->manager.format_message(info, errors->message);
    longjmp(errors->back, 1);
}

// libjpeg shows what is left of a damaged picture and only warns; such a picture is refused here.
static void warn(j_common_ptr info, int level) {
    int code = info->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE))
        leave(info);
}

// Many empty scans in a small file would take hours.
static void watch_scans(j_common_ptr info) {
    if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > SCANS_MAX)
        ERREXIT(info, JERR_BAD_PROGRESSION);
}

static void be_quiet(j_common_ptr info) { (void)info; }

static struct jpeg_error_mgr *use_errors(JpegErrors *errors) {
    jpeg_std_error(&errors->manager);
    errors->manager.error_exit = leave;
    errors->manager.emit_message = warn;
    errors->manager.output_message = be_quiet;
    return &errors->manager;
}

static uint32_t find_orientation(const struct jpeg_decompress_struct *info) {
    enum { NAME = 6 };
    for (const struct jpeg_marker_struct *marker = info->marker_list; marker; marker = marker->next) {
        if (marker->marker != JPEG_APP0 + 1 || marker->data_length < NAME || memcmp(marker->data, "Exif\0", NAME) != 0)
            continue;
        uint32_t orientation = exif_orientation(marker->data + NAME, marker->data_length - NAME);
        if (orientation != 1)
            return orientation;
    }
    return 1;
}

// A row of four inks (cyan, magenta, yellow, black) to red, green, blue, as Pillow's convert("RGB") does it. Adobe stores them inverted.
static void mix_inks(const uint8_t *inks, bool is_inverted, uint32_t width, uint8_t *rgb) {
    for (uint32_t x = 0; x < width; x++)
        for (uint32_t c = 0; c < CHANNELS; c++) {
            uint32_t ink = inks[4 * x + c], black = inks[4 * x + 3];
            uint32_t light = is_inverted ? ink * black : (255 - ink) * (255 - black);
            rgb[CHANNELS * x + c] = (uint8_t)((light + 127) / 255);
        }
}

// Of 1, 2, 4 and 8 the largest by which both sides may be divided.
static uint32_t find_divisor(const struct jpeg_decompress_struct *info, const JpegLeast *least, bool is_turned) {
    uint32_t high = is_turned ? least->width : least->height, wide = is_turned ? least->height : least->width, divisor = 1;
    while (high && wide && divisor < 8 && info->image_height / (2 * divisor) >= high && info->image_width / (2 * divisor) >= wide)
        divisor *= 2;
    return divisor;
}

static void decode(Arena *arena, struct jpeg_decompress_struct *info, const char *bytes, size_t size, const JpegLeast *least,
                   JpegImage *out) {
    jpeg_mem_src(info, (const unsigned char *)bytes, (unsigned long)size);
    jpeg_save_markers(info, JPEG_APP0 + 1, UINT16_MAX);
    jpeg_read_header(info, TRUE);
    uint64_t pixels = (uint64_t)info->image_width * info->image_height;
    if (info->image_width > SIDE_MAX || info->image_height > SIDE_MAX || pixels > PIXELS_MAX)
        ERREXIT1(info, JERR_IMAGE_TOO_BIG, SIDE_MAX);
    if (pixels / PIXELS_PER_BYTE_MAX > size)
        ERREXIT(info, JERR_INPUT_EOF);
    bool has_inks = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
    info->out_color_space = has_inks ? JCS_CMYK : JCS_RGB;
    uint32_t orientation = find_orientation(info);
    info->scale_num = 1;
    info->scale_denom = find_divisor(info, least, orientation >= EXIF_TURNED);
    jpeg_start_decompress(info);
    *out = (JpegImage){.width = info->output_width, .height = info->output_height, .orientation = orientation};
    out->pixels = ARENA_NEW(arena, uint8_t, (size_t)out->width * out->height * CHANNELS);
    uint8_t *inks = has_inks ? ARENA_NEW(arena, uint8_t, (size_t)out->width * 4) : NULL;
    while (info->output_scanline < info->output_height) {
        uint8_t *rgb = out->pixels + (size_t)info->output_scanline * out->width * CHANNELS;
        JSAMPROW row = has_inks ? inks : rgb;
        jpeg_read_scanlines(info, &row, 1);
        if (has_inks)
            mix_inks(inks, info->saw_Adobe_marker, out->width, rgb);
    }
    jpeg_finish_decompress(info);
}

bool jpeg_decode(Arena *arena, const char *path, const void *bytes, size_t size, const JpegLeast *least, JpegImage *out, Diag *diag) {
    Arena *scratch = arena_create();
    JpegErrors *errors = ARENA_NEW(scratch, JpegErrors, 1);
    struct jpeg_decompress_struct *info = ARENA_NEW(scratch, struct jpeg_decompress_struct, 1);
    struct jpeg_progress_mgr progress = {.progress_monitor = watch_scans};
    info->err = use_errors(errors);
    Arena *volatile own = scratch;
    bool ok = setjmp(errors->back) == 0;
    if (ok) {
        jpeg_create_decompress(info);
        info->progress = &progress;
        decode(arena, info, bytes, size, least, out);
    } else
        diag_error(diag, &(Place){.file = path}, "no readable JPEG: %s", errors->message);
    jpeg_destroy_decompress(info);
    scratch = own;
    arena_destroy(&scratch);
    return ok;
}

bool jpeg_read(Arena *arena, const char *path, JpegImage *out, Diag *diag) {
    Arena *scratch = arena_create();
    size_t size;
    const char *bytes = file_read(scratch, path, &size, diag);
    bool ok = bytes && jpeg_decode(arena, path, bytes, size, &(JpegLeast){0}, out, diag);
    arena_destroy(&scratch);
    return ok;
}

typedef struct {
    JpegErrors errors;
    struct jpeg_compress_struct info;
    unsigned char *bytes; // libjpeg's, by malloc
    unsigned long size;
} Encoder;

static void encode(Encoder *encoder, const uint8_t *rgb, uint32_t width, uint32_t height, uint32_t quality) {
    struct jpeg_compress_struct *info = &encoder->info;
    jpeg_create_compress(info);
    jpeg_mem_dest(info, &encoder->bytes, &encoder->size);
    info->image_width = width;
    info->image_height = height;
    info->input_components = CHANNELS;
    info->in_color_space = JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, (int)quality, TRUE);
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < info->image_height) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(rgb + (size_t)info->next_scanline * width * CHANNELS);
        jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
}

bool jpeg_write(const char *path, const uint8_t *rgb, uint32_t width, uint32_t height, uint32_t quality, Diag *diag) {
    CHECK(quality >= 1 && quality <= 100);
    Arena *volatile own = arena_create();
    Encoder *encoder = ARENA_NEW(own, Encoder, 1);
    encoder->info.err = use_errors(&encoder->errors);
    bool ok = setjmp(encoder->errors.back) == 0;
    if (ok) {
        encode(encoder, rgb, width, height, quality);
        ok = file_write(path, encoder->bytes, encoder->size, diag);
    } else
        diag_error(diag, &(Place){.file = path}, "cannot be written as JPEG: %s", encoder->errors.message);
    jpeg_destroy_compress(&encoder->info);
    free(encoder->bytes);
    Arena *arena = own;
    arena_destroy(&arena);
    return ok;
}
