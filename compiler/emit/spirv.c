// Spirv: compiles GLSL with glslang in worker threads and keeps the results in a cache on disk. The only user of glslang.
#include "compiler/emit/spirv.h"
#include "compiler/emit/decorate.h"
#include "runtime/base/pool.h"
#include "runtime/base/text.h"
#include <glslang/build_info.h>
#include <glslang/Include/glslang_c_interface.h>
#include <glslang/Public/resource_limits_c.h>
#include <stdlib.h>
#include <unistd.h>

enum { DIGEST_SIZE = 32, EXCERPTS_MAX = 3, EXCERPT_LINES = 3, SPIRV_MAGIC = 0x07230203 };

// What a worker makes of one job. Arena and Diag belong to the worker's thread until it is joined.
typedef struct {
    Arena *arena;
    Diag *diag;
} JobState;

typedef struct {
    SpirvJob *jobs;
    JobState *states;
    bool debug_info;
    const char *folder; // of the cache; NULL where there is none
    void (*progress)(void *context, const char *what, uint32_t done, uint32_t total);
    void *progress_context;
} Queue;

// ---- the cache: a file holds the digest of the words (guards against damage), then the words

static const char *cache_path(const Queue *queue, Arena *arena, const SpirvJob *job) {
    const char *key =
        arena_format(arena, "glslang %d.%d.%d vulkan1.2 spirv1.5 debug %s%s%s\n%s", GLSLANG_VERSION_MAJOR, GLSLANG_VERSION_MINOR,
                     GLSLANG_VERSION_PATCH, queue->debug_info ? "DebugInfo.100 " : "0", queue->debug_info ? job->name : "", job->is_exact ? " exact" : "", job->source);
    const char *digest = digest_bytes(arena, key, strlen(key));
    return file_join(arena, queue->folder, arena_format(arena, "%s.spv", digest));
}

static bool cache_get(Arena *arena, const char *path, SpirvJob *job) {
    if (!file_exists(path))
        return false;
    size_t size = 0;
    char *bytes = file_read(arena, path, &size, diag_create(arena));
    if (!bytes || size < DIGEST_SIZE + 20 || size % 4 != 0)
        return false;
    size -= DIGEST_SIZE;
    if (memcmp(digest_bytes(arena, bytes + DIGEST_SIZE, size), bytes, DIGEST_SIZE) != 0)
        return false;
    job->words = bytes + DIGEST_SIZE;
    job->size = size;
    job->cached = true;
    return true;
}

// A cache that cannot be written is slower, not wrong: its complaints are dropped.
static void cache_put(Arena *arena, const char *path, const SpirvJob *job) {
    char *bytes = arena_alloc(arena, DIGEST_SIZE + job->size);
    memcpy(bytes, digest_bytes(arena, job->words, job->size), DIGEST_SIZE);
    memcpy(bytes + DIGEST_SIZE, job->words, job->size);
    if (!file_write_unsynced(path, bytes, DIGEST_SIZE + job->size, diag_create(arena)))
        return;
}

// ---- errors

static uint32_t count_lines(const char *source) {
    uint32_t count = 1;
    for (const char *at = source; *at; at++)
        count += *at == '\n';
    return count;
}

static void print_lines(Text *text, const char *source, uint32_t first, uint32_t last, uint32_t marked) {
    uint32_t line = 1;
    for (const char *at = source; *at && line <= last; line++) {
        size_t length = strcspn(at, "\n");
        if (line >= first)
            text_format(text, "\n%s%5u | %.*s", line == marked ? ">" : " ", line, (int)length, at);
        at += length + (at[length] == '\n');
    }
}

// glslang's log names lines as "ERROR: 0:12: …": shows the source around the first few of them.
static void report(Arena *arena, const SpirvJob *job, const char *stage, const char *log, Diag *diag) {
    Text text = text_create(arena);
    uint32_t lines = count_lines(job->source), shown[EXCERPTS_MAX], shown_count = 0;
    for (const char *at = log; (at = strstr(at, "ERROR: ")) && shown_count < EXCERPTS_MAX; at++) {
        unsigned file = 0, line = 0;
        if (sscanf(at, "ERROR: %u:%u:", &file, &line) != 2 || line == 0 || line > lines)
            continue;
        bool again = false;
        for (uint32_t i = 0; i < shown_count; i++)
            again = again || shown[i] == line;
        if (again)
            continue;
        shown[shown_count++] = line;
        print_lines(&text, job->source, line > EXCERPT_LINES ? line - EXCERPT_LINES : 1, line + EXCERPT_LINES, line);
        text_append(&text, "\n       ...");
    }
    size_t length = strlen(log);
    while (length > 0 && log[length - 1] == '\n')
        length--;
    diag_error(diag, NULL, "kernel %s: %s\n%.*s%s", job->name, stage, (int)length, log, text.data);
}

// ---- glslang

static bool compile(Arena *arena, SpirvJob *job, bool debug_info, Diag *diag) {
    glslang_messages_t messages = GLSLANG_MSG_SPV_RULES_BIT | GLSLANG_MSG_VULKAN_RULES_BIT;
    if (debug_info)
        messages |= GLSLANG_MSG_DEBUG_INFO_BIT;
    const glslang_input_t input = {
        .language = GLSLANG_SOURCE_GLSL,
        .stage = GLSLANG_STAGE_COMPUTE,
        .client = GLSLANG_CLIENT_VULKAN,
        .client_version = GLSLANG_TARGET_VULKAN_1_2,
        .target_language = GLSLANG_TARGET_SPV,
        .target_language_version = GLSLANG_TARGET_SPV_1_5,
        .code = job->source,
        .default_version = 450,
        .default_profile = GLSLANG_NO_PROFILE,
        .messages = messages,
        .resource = glslang_default_resource(),
    };
    bool made = false;
    glslang_shader_t *shader = glslang_shader_create(&input);
    glslang_program_t *program = glslang_program_create();
    if (!shader || !program) {
        diag_error(diag, NULL, "kernel %s: glslang gave no shader object", job->name);
    } else if (!glslang_shader_preprocess(shader, &input)) {
        report(arena, job, "the preprocessor refuses it", glslang_shader_get_info_log(shader), diag);
    } else if (!glslang_shader_parse(shader, &input)) {
        report(arena, job, "glslang refuses it", glslang_shader_get_info_log(shader), diag);
    } else {
        glslang_program_add_shader(program, shader);
        if (!glslang_program_link(program, (int)messages)) {
            report(arena, job, "glslang cannot link it", glslang_program_get_info_log(program), diag);
        } else {
            glslang_spv_options_t options = {.generate_debug_info = debug_info,
                                             .disable_optimizer = true,
                                             .emit_nonsemantic_shader_debug_info = debug_info, // NonSemantic.Shader.DebugInfo.100
                                             .emit_nonsemantic_shader_debug_source = debug_info};
            if (debug_info) {
                glslang_program_add_source_text(program, GLSLANG_STAGE_COMPUTE, job->source, strlen(job->source));
                glslang_program_set_source_file(program, GLSLANG_STAGE_COMPUTE, arena_format(arena, "%s.comp", job->name));
            }
            glslang_program_SPIRV_generate_with_options(program, GLSLANG_STAGE_COMPUTE, &options);
            job->size = glslang_program_SPIRV_get_size(program) * sizeof(uint32_t);
            job->words = arena_copy_bytes(arena, (const char *)glslang_program_SPIRV_get_ptr(program), job->size);
            made = job->size > 0;
            if (made && job->is_exact)
                job->words = decorate_exact(arena, job->words, &job->size);
            if (!made)
                report(arena, job, "glslang made no SPIR-V of it", "", diag);
        }
    }
    if (program)
        glslang_program_delete(program);
    if (shader)
        glslang_shader_delete(shader);
    return made;
}

bool spirv_workgroup(const void *words, size_t bytes, uint32_t size[3]) {
    enum { HEADER_WORDS = 5, EXECUTION_MODE = 16, LOCAL_SIZE = 17, SPEC_CONSTANT_COMPOSITE = 51 };
    const uint32_t *word = words;
    size_t count = bytes / sizeof *word;
    bool found = false, is_special = false;
    for (size_t at = HEADER_WORDS; at < count && word[at] >> 16; at += word[at] >> 16) {
        uint32_t op = word[at] & 0xFFFF, length = word[at] >> 16;
        is_special |= op == SPEC_CONSTANT_COMPOSITE; // BuiltIn WorkgroupSize of local_size_x_id
        if (op == EXECUTION_MODE && length == 6 && at + length <= count && word[at + 2] == LOCAL_SIZE) {
            memcpy(size, word + at + 3, 3 * sizeof *size);
            found = true;
        }
    }
    return found && !is_special;
}

// The bytes of a type, from those of the types that it is made of; numbers[id] is a constant's value.
static uint64_t type_bytes(const uint32_t *at, uint32_t length, const uint64_t *sizes, const uint64_t *numbers) {
    enum { TYPE_BOOL = 20, TYPE_INT, TYPE_FLOAT, TYPE_VECTOR, TYPE_MATRIX, TYPE_ARRAY = 28, TYPE_STRUCT = 30, TYPE_POINTER = 32, IN_WORKGROUP = 4 };
    uint64_t sum = 0;
    switch (*at & 0xFFFF) {
    case TYPE_BOOL: return 4;
    case TYPE_INT:
    case TYPE_FLOAT: return at[2] / 8;
    case TYPE_VECTOR:
    case TYPE_MATRIX: return sizes[at[2]] * at[3];
    case TYPE_ARRAY: return sizes[at[2]] * numbers[at[3]];
    case TYPE_STRUCT:
        for (uint32_t i = 2; i < length; i++)
            sum += sizes[at[i]];
        return sum;
    case TYPE_POINTER: return at[2] == IN_WORKGROUP ? sizes[at[3]] : 0;
    }
    return 0;
}

uint64_t spirv_shared_bytes(const void *words, size_t bytes) {
    enum { BOUND_AT = 3, HEADER_WORDS = 5, FIRST_TYPE = 19, LAST_TYPE = 32, CONSTANT = 43, VARIABLE = 59, IN_WORKGROUP = 4 };
    const uint32_t *word = words;
    size_t count = bytes / sizeof *word;
    if (count <= HEADER_WORDS || word[BOUND_AT] > count)
        return 0;
    Arena *arena = arena_create();
    uint64_t *sizes = ARENA_NEW(arena, uint64_t, word[BOUND_AT]), *numbers = ARENA_NEW(arena, uint64_t, word[BOUND_AT]), sum = 0;
    for (size_t at = HEADER_WORDS; at < count && word[at] >> 16; at += word[at] >> 16) {
        uint32_t op = word[at] & 0xFFFF, length = word[at] >> 16;
        if (op >= FIRST_TYPE && op <= LAST_TYPE)
            sizes[word[at + 1]] = type_bytes(word + at, length, sizes, numbers);
        else if (op == CONSTANT)
            numbers[word[at + 2]] = word[at + 3];
        else if (op == VARIABLE && word[at + 3] == IN_WORKGROUP)
            sum += sizes[word[at + 1]];
    }
    arena_destroy(&arena);
    return sum;
}

// ---- workers

// A source that is wrong does not keep the others from being tried: a job's messages are its own.
static bool run_job(void *context, uint32_t index, Arena *scratch, Diag *diag) {
    (void)scratch;
    (void)diag;
    const Queue *queue = context;
    SpirvJob *job = &queue->jobs[index];
    JobState *state = &queue->states[index];
    state->arena = arena_create();
    state->diag = diag_create(state->arena);
    const char *path = queue->folder ? cache_path(queue, state->arena, job) : NULL;
    if (path && cache_get(state->arena, path, job))
        return true;
    if (compile(state->arena, job, queue->debug_info, state->diag) && path)
        cache_put(state->arena, path, job);
    return true;
}

typedef struct {
    size_t size;
    uint32_t index;
} Sized;

static int by_size(const void *a, const void *b) {
    const Sized *x = a, *y = b;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static const uint32_t *largest_first(Arena *arena, const SpirvJob *jobs, uint32_t count) {
    Sized *sized = ARENA_NEW(arena, Sized, count);
    uint32_t *order = ARENA_NEW(arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++)
        sized[i] = (Sized){strlen(jobs[i].source), i};
    qsort(sized, count, sizeof *sized, by_size);
    for (uint32_t i = 0; i < count; i++)
        order[i] = sized[i].index;
    return order;
}

static const char *cache_folder(Arena *arena) {
    const char *root = file_cache_folder(arena);
    const char *folder = root ? file_join(arena, root, "spirv") : NULL;
    return folder && file_make_folders(folder, diag_create(arena)) ? folder : NULL;
}

static void tell(void *context, uint32_t done, uint32_t total) {
    const Queue *queue = context;
    queue->progress(queue->progress_context, "compiling shaders", done, total);
}

bool spirv_compile(Arena *arena, SpirvJob *jobs, uint32_t count, bool debug_info,
                   void (*progress)(void *context, const char *what, uint32_t done, uint32_t total), void *progress_context, Diag *diag) {
    if (count == 0)
        return true;
    for (uint32_t i = 0; i < count; i++) {
        jobs[i].cached = false;
        jobs[i].words = NULL;
        jobs[i].size = 0;
    }
    if (!glslang_initialize_process()) {
        diag_error(diag, NULL, "glslang cannot be initialised");
        return false;
    }
    Queue queue = {.jobs = jobs,
                   .states = ARENA_NEW(arena, JobState, count),
                   .debug_info = debug_info,
                   .folder = cache_folder(arena),
                   .progress = progress,
                   .progress_context = progress_context};
    PoolWork work = {.count = count,
                     .order = largest_first(arena, jobs, count),
                     .work = run_job,
                     .context = &queue,
                     .progress = progress ? tell : NULL,
                     .progress_context = &queue};
    bool good = pool_run_once(POOL_COMPUTES, &work, diag);
    glslang_finalize_process();
    for (uint32_t i = 0; i < count; i++) { // in the caller's order, so that messages do not depend on timing
        good = good && diag_error_count(queue.states[i].diag) == 0;
        diag_merge(diag, queue.states[i].diag);
        if (jobs[i].words)
            jobs[i].words = arena_copy_bytes(arena, jobs[i].words, jobs[i].size);
        arena_destroy(&queue.states[i].arena);
    }
    return good;
}
