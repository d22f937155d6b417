// Export: see export.h.
#include "runtime/run/export.h"
#include "runtime/run/checkpoint.h"
#include "runtime/run/names.h"

typedef struct {
    Arena *arena;
    Diag *diag;
    const TensorFile *file;
    const char *entry;  // the program that was trained; NULL: not known
    const Names *names; // NULL: no map
    bool is_import;
} Work;

typedef ARRAY(HostTensor) Tensors;

// An optimizer is what has a count: "opt.count".
static bool is_optimizer(const Work *work, const char *name, size_t length) {
    return tensor_file_find(work->file, arena_format(work->arena, "%.*s.count", (int)length, name)) != NULL;
}

// The length of "opt.m." in "opt.m.unet.weight", of "opt.ema." and so on; of the whole "opt.count". 0: no state of an optimizer.
static size_t optimizer_prefix(const Work *work, const char *name) {
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        if (!is_optimizer(work, name, (size_t)(dot - name)))
            continue;
        const char *next = strchr(dot + 1, '.');
        return next ? (size_t)(next + 1 - name) : strlen(name);
    }
    return 0;
}

// The average of a parameter, or NULL.
static const HostTensor *average_of(const Work *work, const char *name) {
    for (uint32_t i = 0; i < work->file->tensors.count; i++) {
        const HostTensor *tensor = &work->file->tensors.items[i];
        size_t prefix = optimizer_prefix(work, tensor->name);
        if (prefix > 5 && memcmp(tensor->name + prefix - 5, ".ema.", 5) == 0 && strcmp(tensor->name + prefix, name) == 0)
            return tensor;
    }
    return NULL;
}

static const char *renamed(const Work *work, const char *name) {
    if (!work->names)
        return name;
    return work->is_import ? names_ours(work->arena, work->names, name) : names_theirs(work->arena, work->names, name);
}

// What the conditions of a training keep of its reports: "train.report.validate.loss", "train.runs.refresh".
static bool is_condition(const Work *work, const HostTensor *tensor) {
    size_t length = work->entry ? strlen(work->entry) : 0;
    return length && tensor->rank == 0 && text_starts_with(tensor->name, work->entry) &&
           (text_starts_with(tensor->name + length, ".report.") || text_starts_with(tensor->name + length, ".runs."));
}

// PyTorch's batch norms count their steps, which nothing here asks for.
static bool is_left_out(const Work *work, const HostTensor *tensor, bool all) {
    if (work->is_import)
        return text_ends_with(tensor->name, ".num_batches_tracked");
    return !all && (optimizer_prefix(work, tensor->name) > 0 || is_condition(work, tensor));
}

static bool is_named_twice(const Work *work, const HostTensor *tensors, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(tensors[i].name, name) == 0) {
            diag_error(work->diag, &(Place){.file = work->names ? work->names->path : NULL}, "two tensors would be called \"%s\"", name);
            return true;
        }
    return false;
}

static bool collect(const Work *work, const ExportOptions *options, Tensors *out, uint64_t *numbers) {
    *numbers = 0;
    for (uint32_t i = 0; i < work->file->tensors.count; i++) {
        HostTensor tensor = work->file->tensors.items[i];
        if (is_left_out(work, &tensor, options->all))
            continue;
        const HostTensor *average = options->ema ? average_of(work, tensor.name) : NULL;
        const char *name = renamed(work, tensor.name);
        if (is_named_twice(work, out->items, out->count, name))
            return false;
        tensor = average ? *average : tensor;
        tensor.name = name;
        *numbers += tensor.size / element_bytes(tensor.dtype);
        array_push(work->arena, out, tensor);
    }
    return true;
}

bool export_run(Arena *arena, const ExportOptions *options, uint32_t *count, uint64_t *numbers, Diag *diag) {
    Checkpoint checkpoint = {0};
    // A foreign file's metadata is not ours to understand.
    if (options->is_import ? !safetensors_read(arena, options->input, &checkpoint.file, diag)
                           : !checkpoint_read_from(arena, options->input, &checkpoint, diag))
        return false;
    Work work = {.arena = arena, .diag = diag, .file = &checkpoint.file, .entry = checkpoint.info.entry, .is_import = options->is_import};
    Names map;
    if (options->names && (!names_read(arena, options->names, &map, diag) ||
                           !names_check(arena, &map, work.file, options->is_import, diag)))
        return false;
    work.names = options->names ? &map : NULL;
    Tensors tensors = {0};
    static const char *const keys[] = {"made_by"}, *const values[] = {"gcc-graph"};
    if (!collect(&work, options, &tensors, numbers))
        return false;
    *count = tensors.count;
    return safetensors_write(arena, options->output, tensors.items, tensors.count, keys, values, 1, diag);
}
