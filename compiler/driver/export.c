// `export`: a run's weights as safetensors under other names; and back.
#include "compiler/driver/arguments.h"
#include "runtime/run/export.h"

static const Option options[] = {
    {"output", 'o', OPTION_TEXT, false, "FILE.safetensors", "the file to write"},
    {"names", 0, OPTION_TEXT, false, "MAP.json", "an object: our name -> the name to write, e.g. graphs/names/… (others keep theirs)"},
    {"ema", 0, OPTION_FLAG, false, NULL, "takes the averaged weights where there are some"},
    {"import", 0, OPTION_FLAG, false, NULL, "reads a file under the map's names and writes ours"},
    {"all", 0, OPTION_FLAG, false, NULL, "writes the optimizers' states, too, and what conditions keep of reports"},
};

static int run(Arguments *arguments) {
    ExportOptions wanted = {.input = arguments->operands.items[0],
                            .output = arguments_text(arguments, "output"),
                            .names = arguments_text(arguments, "names"),
                            .is_import = arguments_has(arguments, "import"),
                            .ema = arguments_has(arguments, "ema"),
                            .all = arguments_has(arguments, "all")};
    if (!wanted.output)
        return arguments_wrong(arguments, "-o FILE.safetensors is missing");
    if (wanted.is_import && !wanted.names)
        return arguments_wrong(arguments, "--import needs --names MAP.json");
    uint32_t tensors = 0;
    uint64_t numbers = 0;
    if (!export_run(arguments->arena, &wanted, &tensors, &numbers, arguments->diag))
        return 1;
    printf("%s: %u tensors, %s numbers\n", wanted.output, tensors, text_thousands(arguments->arena, numbers));
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
