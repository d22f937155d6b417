// Inflate: see inflate.h.
#include "runtime/data/inflate.h"
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, RAW_WINDOW = -15, PIECE_MAX = 1 << 30 };

struct Inflater {
    const char *path;
    InflateKind kind;
    z_stream stream;
    const uint8_t *rest; // behind what the stream was given
    size_t rest_size;
    bool has_ended;
};

bool inflate_is_gzip(const void *bytes, size_t size) {
    const uint8_t *b = bytes;
    return size >= 2 && b[0] == 0x1f && b[1] == 0x8b;
}

static void end_stream(void *context) { inflateEnd(&((Inflater *)context)->stream); }

Inflater *inflater_create(Arena *arena, const char *path, InflateKind kind, const void *bytes, size_t size, Diag *diag) {
    Inflater *inflater = ARENA_NEW(arena, Inflater, 1);
    *inflater = (Inflater){.path = arena_copy_text(arena, path), .kind = kind, .rest = bytes, .rest_size = size};
    if (inflateInit2(&inflater->stream, kind == INFLATE_GZIP ? GZIP_WINDOW : RAW_WINDOW) != Z_OK) {
        diag_refuse_file(diag, inflater->path, "zlib does not start");
        return NULL;
    }
    arena_at_end(arena, end_stream, inflater);
    return inflater;
}

static void refill(Inflater *inflater) {
    if (inflater->stream.avail_in || inflater->rest_size == 0)
        return;
    size_t piece = inflater->rest_size < PIECE_MAX ? inflater->rest_size : PIECE_MAX;
    inflater->stream.next_in = (Bytef *)(uintptr_t)inflater->rest;
    inflater->stream.avail_in = (uInt)piece;
    inflater->rest += piece;
    inflater->rest_size -= piece;
}

// At a member's end: another one, padding with zeros, or nothing.
static bool next_member(Inflater *inflater, Diag *diag) {
    const uint8_t *left = inflater->stream.next_in;
    size_t size = inflater->stream.avail_in + inflater->rest_size; // the rest lies behind it
    inflater->has_ended = inflater->kind == INFLATE_RAW || size == 0;
    if (inflater->has_ended)
        return size == 0 || diag_refuse_file(diag, inflater->path, "%zu bytes follow the packed data", size);
    if (inflate_is_gzip(left, size))
        return inflateReset(&inflater->stream) == Z_OK || diag_refuse_file(diag, inflater->path, "zlib does not start again");
    for (size_t i = 0; i < size; i++)
        if (left[i])
            return diag_refuse_file(diag, inflater->path, "%zu bytes follow the gzip data and are none", size);
    inflater->has_ended = true;
    return true;
}

bool inflater_take(Inflater *inflater, void *out, uint64_t size, uint64_t *got, Diag *diag) {
    z_stream *stream = &inflater->stream;
    *got = 0;
    while (*got < size && !inflater->has_ended) {
        uint64_t room = size - *got;
        refill(inflater);
        stream->next_out = (Bytef *)out + *got;
        stream->avail_out = room > PIECE_MAX ? PIECE_MAX : (uInt)room;
        uInt before = stream->avail_out;
        int result = inflate(stream, Z_NO_FLUSH);
        *got += before - stream->avail_out;
        if (result == Z_STREAM_END) {
            if (!next_member(inflater, diag))
                return false;
        } else if (result == Z_BUF_ERROR || (result == Z_OK && stream->avail_in == 0 && inflater->rest_size == 0 && stream->avail_out > 0))
            return diag_refuse_file(diag, inflater->path, "truncated: the packed data ends too early");
        else if (result != Z_OK)
            return diag_refuse_file(diag, inflater->path, "damaged packed data: %s", stream->msg ? stream->msg : "wrong checksum");
    }
    return true;
}

bool inflater_end(Inflater *inflater, Diag *diag) {
    uint8_t surplus;
    uint64_t got;
    if (!inflater_take(inflater, &surplus, 1, &got, diag))
        return false;
    return got == 0 || diag_refuse_file(diag, inflater->path, "it holds more data than its header says");
}

uint32_t inflate_checksum(const void *bytes, size_t size) { return (uint32_t)crc32_z(0, bytes, size); }
