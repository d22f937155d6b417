// Executable: what the driver tells of a pipeline, and which of its words mean what.
#include "runtime/vk/executable.h"
#include "runtime/vk/objects.h"

static const struct {
    const char *name, *text;
} figures[EXECUTABLE_FIGURE_COUNT] = {
    [EXECUTABLE_REGISTERS] = {"registers", "vector registers of a lane"},
    [EXECUTABLE_SPILLS] = {"spills", "registers that did not fit, or moves of them, as the driver counts them"},
    [EXECUTABLE_SHARED] = {"shared", "bytes that a workgroup shares"},
    [EXECUTABLE_OCCUPANCY] = {"occupancy", "subgroups that a unit of the device can hold at once"},
    [EXECUTABLE_INSTRUCTIONS] = {"instructions", "of the machine, in the whole kernel"},
    [EXECUTABLE_CYCLES] = {"cycles", "the driver's estimate, with loop counts that it guesses"},
};

const char *executable_figure_name(ExecutableFigure figure) { return figures[figure].name; }
const char *executable_figure_text(ExecutableFigure figure) { return figures[figure].text; }

// A driver's word for a figure; of several that it says, those are added up that `adds`.
static const struct {
    ExecutableFigure figure;
    const char *word;
    bool adds;
} words[] = {
#define WORD(figure, word, adds) {EXECUTABLE_##figure, word, adds},
#include "runtime/vk/executable.def"
};

static void note_figure(Executable *executable, const ExecutableStatistic *statistic) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        double *figure = &executable->figures[words[i].figure];
        if (strcmp(words[i].word, statistic->name) != 0 || (*figure >= 0 && !words[i].adds))
            continue;
        *figure = (*figure > 0 ? *figure : 0) + statistic->number;
    }
}

static ExecutableStatistic statistic_of(Arena *arena, const VkPipelineExecutableStatisticKHR *told) {
    ExecutableStatistic statistic = {.name = arena_copy_text(arena, told->name)};
    switch (told->format) {
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR:
        statistic.number = told->value.b32;
        statistic.text = told->value.b32 ? "true" : "false";
        break;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR:
        statistic.number = (double)told->value.i64;
        statistic.text = arena_format(arena, "%lld", (long long)told->value.i64);
        break;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR:
        statistic.number = (double)told->value.u64;
        statistic.text = arena_format(arena, "%llu", (unsigned long long)told->value.u64);
        break;
    default:
        statistic.number = told->value.f64;
        statistic.text = arena_format(arena, "%g", told->value.f64);
    }
    return statistic;
}

static bool get_statistics(Arena *arena, Device *device, const VkPipelineExecutableInfoKHR *info, Executable *out, Diag *diag) {
    uint32_t count = 0;
    VK(device->api.GetPipelineExecutableStatisticsKHR(device->handle, info, &count, NULL));
    VkPipelineExecutableStatisticKHR *told = ARENA_NEW(arena, VkPipelineExecutableStatisticKHR, count + 1u);
    for (uint32_t i = 0; i < count; i++)
        told[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
    VK(device->api.GetPipelineExecutableStatisticsKHR(device->handle, info, &count, told));
    for (uint32_t i = 0; i < count; i++) {
        ExecutableStatistic statistic = statistic_of(arena, &told[i]);
        array_push(arena, &out->statistics, statistic);
        note_figure(out, &statistic);
    }
    return true;
fail:
    return false;
}

static bool get_texts(Arena *arena, Device *device, const VkPipelineExecutableInfoKHR *info, Executable *out, Diag *diag) {
    uint32_t count = 0;
    VK(device->api.GetPipelineExecutableInternalRepresentationsKHR(device->handle, info, &count, NULL));
    VkPipelineExecutableInternalRepresentationKHR *told = ARENA_NEW(arena, VkPipelineExecutableInternalRepresentationKHR, count + 1u);
    for (uint32_t i = 0; i < count; i++)
        told[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR;
    VK(device->api.GetPipelineExecutableInternalRepresentationsKHR(device->handle, info, &count, told)); // their sizes
    for (uint32_t i = 0; i < count; i++)
        told[i].pData = arena_alloc(arena, told[i].dataSize + 1);
    VK(device->api.GetPipelineExecutableInternalRepresentationsKHR(device->handle, info, &count, told));
    for (uint32_t i = 0; i < count; i++)
        if (told[i].isText && told[i].dataSize > 0)
            array_push(arena, &out->texts, ((ExecutableText){arena_copy_text(arena, told[i].name), told[i].pData}));
    return true;
fail:
    return false;
}

// A compute pipeline is one executable.
static bool get_all(Arena *arena, Device *device, const Pipeline *pipeline, Executable *out, Diag *diag) {
    VkPipelineInfoKHR asked = {.sType = VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, .pipeline = pipeline->handle};
    VkPipelineExecutablePropertiesKHR properties = {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR};
    uint32_t count = 1;
    VK(device->api.GetPipelineExecutablePropertiesKHR(device->handle, &asked, &count, &properties));
    if (count == 0) {
        diag_error(diag, NULL, "%s: the driver tells nothing of its machine code", device->info.name);
        return false;
    }
    out->subgroup_size = properties.subgroupSize;
    VkPipelineExecutableInfoKHR info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, .pipeline = pipeline->handle};
    return get_statistics(arena, device, &info, out, diag) && get_texts(arena, device, &info, out, diag);
fail:
    return false;
}

bool executable_get(Arena *arena, Device *device, const PipelineSource *source, Executable *out, Diag *diag) {
    *out = (Executable){0};
    for (ExecutableFigure i = 0; i < EXECUTABLE_FIGURE_COUNT; i++)
        out->figures[i] = -1;
    if (!device->info.target.has_executables) {
        diag_error(diag, NULL, "%s: the driver tells nothing of its machine code: it has no VK_KHR_pipeline_executable_properties", device->info.name);
        return false;
    }
    PipelineSource explained = *source;
    explained.is_explained = true;
    Pipeline *pipeline = pipeline_create(arena, device, &explained, diag);
    bool good = pipeline && get_all(arena, device, pipeline, out, diag);
    pipeline_destroy(device, &pipeline);
    return good;
}
