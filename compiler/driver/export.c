// `export`: a run's weights as safetensors under other names; and back.
#include "compiler/driver/arguments.h"
#include "runtime/run/checkpoint.h"
#include "runtime/run/names.h"

static const Option options[] = {
    {"output", 'o', OPTION_TEXT, false, "FILE.safetensors", "the file to write"},
    {"names", 0, OPTION_TEXT, false, "MAP.json", "an object: our name -> the name to write, e.g. graphs/names/… (others keep theirs)"},
    {"ema", 0, OPTION_FLAG, false, NULL, "takes the averaged weights where there are some"},
    {"import", 0, OPTION_FLAG, false, NULL, "reads a file under the map's names and writes ours"},
    {"all", 0, OPTION_FLAG, false, NULL, "writes the optimizers' states, too"},
};

typedef struct {
    Arena *arena;
    Diag *diag;
    const TensorFile *file;
    const Names *names; // NULL: no map
    bool is_import;
} Work;

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

// PyTorch's batch norms count their steps, which nothing here asks for.
static bool is_left_out(const Work *work, const char *name, bool all) {
    return work->is_import ? text_ends_with(name, ".num_batches_tracked") : !all && optimizer_prefix(work, name) > 0;
}

static bool is_named_twice(const Work *work, const HostTensor *tensors, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(tensors[i].name, name) == 0) {
            diag_error(work->diag, &(Place){.file = work->names ? work->names->path : NULL}, "two tensors would be called \"%s\"", name);
            return true;
        }
    return false;
}

static int run(Arguments *arguments) {
    const char *output = arguments_text(arguments, "output"), *names = arguments_text(arguments, "names");
    if (!output)
        return arguments_wrong(arguments, "-o FILE.safetensors is missing");
    Checkpoint checkpoint = {0};
    const char *input = arguments->operands.items[0];
    bool is_import = arguments_has(arguments, "import");
    if (is_import && !names)
        return arguments_wrong(arguments, "--import needs --names MAP.json");
    // A foreign file's metadata is not ours to understand.
    if (is_import ? !safetensors_read(arguments->arena, input, &checkpoint.file, arguments->diag)
                  : !checkpoint_read_from(arguments->arena, input, &checkpoint, arguments->diag))
        return 1;
    Work work = {.arena = arguments->arena, .diag = arguments->diag, .file = &checkpoint.file, .is_import = is_import};
    Names map;
    if (names && (!names_read(work.arena, names, &map, work.diag) || !names_check(work.arena, &map, work.file, is_import, work.diag)))
        return 1;
    work.names = names ? &map : NULL;
    ARRAY(HostTensor) tensors = {0};
    uint64_t count = 0;
    for (uint32_t i = 0; i < work.file->tensors.count; i++) {
        HostTensor tensor = work.file->tensors.items[i];
        if (is_left_out(&work, tensor.name, arguments_has(arguments, "all")))
            continue;
        const HostTensor *average = arguments_has(arguments, "ema") ? average_of(&work, tensor.name) : NULL;
        const char *name = renamed(&work, tensor.name);
        if (is_named_twice(&work, tensors.items, tensors.count, name))
            return 1;
        tensor = average ? *average : tensor;
        tensor.name = name;
        count += tensor.size / host_dtype_size(tensor.dtype);
        array_push(arguments->arena, &tensors, tensor);
    }
    static const char *const keys[] = {"made_by"}, *const values[] = {"gcc-graph"};
    if (!safetensors_write(arguments->arena, output, tensors.items, tensors.count, keys, values, 1, arguments->diag))
        return 1;
    printf("%s: %u tensors, %s numbers\n", output, tensors.count, text_thousands(arguments->arena, count));
    return 0;
}

const Command export_command = {
    .usage = "RUN|FILE.safetensors -o FILE.safetensors [--names MAP.json] [--ema] [--all]\n"
             "FILE.safetensors --import --names MAP.json -o FILE.safetensors",
    .description =
        "Writes the parameters and running statistics of a run's newest checkpoint (or of a file), in the layout that PyTorch has. With\n"
        "--import the same map turns a foreign file into one that `train --init` and `sample --from` take; `train --init --names` does "
        "both.",
    .examples = "export runs/ddpm -o ddpm.safetensors --ema\nexport runs/ddpm -o torch.safetensors --names names.json\n"
                "export runs/stage1 -o netG_netD.safetensors --names graphs/names/stackgan_stage1_pytorch.json\n"
                "export torch.safetensors --import --names names.json -o ours.safetensors",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
