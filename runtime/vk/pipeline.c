// Pipeline: creation in threads, the cache on disk.
#include "runtime/base/file.h"
#include "runtime/base/pool.h"
#include "runtime/vk/objects.h"
#include "runtime/vk/spirv.h"
#include <stdlib.h>

// ---- the cache on disk

static const char *cache_path(Arena *arena, const Device *device) {
    return arena_format(arena, "%s/pipelines/%s-%08x.bin", file_cache_folder(arena), device->info.uuid, device->info.driver_version);
}

static uint32_t word_at(const char *bytes, size_t index) {
    uint32_t word;
    memcpy(&word, bytes + 4 * index, sizeof word);
    return word;
}

// The header that Vulkan prescribes; a driver should refuse another's data by itself, but not all do.
static bool fits_device(const Device *device, const char *bytes, size_t size) {
    enum { HEADER_SIZE = 32 };
    return size >= HEADER_SIZE && word_at(bytes, 0) == HEADER_SIZE && word_at(bytes, 1) == 1 &&
           word_at(bytes, 2) == device->info.vendor_id && word_at(bytes, 3) == device->info.device_id &&
           memcmp(bytes + 16, device->cache_uuid, VK_UUID_SIZE) == 0;
}

static bool cache_create(Device *device, VkPipelineCache *out, size_t *loaded, Diag *diag) {
    Arena *arena = arena_create();
    Diag *unheard = diag_create(arena);
    const char *path = cache_path(arena, device);
    size_t size = 0;
    const char *bytes = file_exists(path) ? file_read(arena, path, &size, unheard) : NULL;
    if (!bytes || !fits_device(device, bytes, size))
        size = 0;
    *loaded = size;
    VkPipelineCacheCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, .initialDataSize = size, .pInitialData = bytes};
    VK(device->api.CreatePipelineCache(device->handle, &info, NULL, out));
    arena_destroy(&arena);
    return true;
fail:
    arena_destroy(&arena);
    return false;
}

static void cache_save(Device *device, VkPipelineCache cache, size_t loaded) {
    Arena *arena = arena_create();
    Diag *unheard = diag_create(arena);
    const char *path = cache_path(arena, device);
    size_t size = 0;
    bool good = device->api.GetPipelineCacheData(device->handle, cache, &size, NULL) == VK_SUCCESS && size > 32 && size != loaded;
    char *bytes = good ? arena_alloc(arena, size) : NULL;
    if (good && device->api.GetPipelineCacheData(device->handle, cache, &size, bytes) == VK_SUCCESS &&
        file_make_folders(file_folder(arena, path), unheard))
        good = file_write(path, bytes, size, unheard);
    arena_destroy(&arena);
}

// ---- one pipeline

PipelineSource pipeline_source(const ProgramKernel *kernel) {
    return (PipelineSource){.name = kernel->name,
                            .spirv = kernel->spirv,
                            .spirv_size = kernel->spirv_size,
                            .bindings = kernel->bindings.items,
                            .binding_count = kernel->bindings.count,
                            .push_words = kernel->push_words};
}

static VkDescriptorType descriptor_type(BindingKind kind) {
    return kind == BINDING_TEXEL ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

static bool create_layout(Device *device, const PipelineSource *source, Pipeline *pipeline, Diag *diag) {
    VkDescriptorSetLayoutBinding bindings[TARGET_BINDINGS_MAX];
    const Target *target = &device->info.target;
    if (source->binding_count > target->bindings_max || source->push_words * 4 > target->push_bytes_max) {
        diag_error(diag, NULL, "%s: kernel %s has %u bindings and %u words of push constants, more than the device takes",
                   device->info.name, source->name, source->binding_count, source->push_words);
        goto fail;
    }
    for (uint32_t i = 0; i < source->binding_count; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){.binding = i,
                                                     .descriptorType = descriptor_type(source->bindings[i]),
                                                     .descriptorCount = 1,
                                                     .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo set_info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = source->binding_count, .pBindings = bindings};
    VK(device->api.CreateDescriptorSetLayout(device->handle, &set_info, NULL, &pipeline->set_layout));
    VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = source->push_words * 4};
    VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                       .setLayoutCount = 1,
                                       .pSetLayouts = &pipeline->set_layout,
                                       .pushConstantRangeCount = source->push_words ? 1 : 0,
                                       .pPushConstantRanges = &range};
    VK(device->api.CreatePipelineLayout(device->handle, &info, NULL, &pipeline->layout));
    return true;
fail:
    return false;
}

static VkPipelineCreateFlags pipeline_flags(const PipelineSource *source) {
    VkPipelineCreateFlags explained =
        VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR | VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR;
    return (source->is_cut ? VK_PIPELINE_CREATE_DISPATCH_BASE_BIT : 0) | (source->is_explained ? explained : 0);
}

static bool create_pipeline(Device *device, VkPipelineCache cache, const PipelineSource *source, Pipeline *pipeline, Diag *diag) {
    VkShaderModule module = VK_NULL_HANDLE;
    Arena *arena = arena_create();
    if (!create_layout(device, source, pipeline, diag))
        goto fail;
    size_t size = source->spirv_size;
    const uint32_t *words = device->info.target.has_non_semantic ? source->spirv : spirv_strip_non_semantic(arena, source->spirv, &size);
    if (device->info.target.has_preserved_specials)
        words = spirv_preserve_specials(arena, words, &size);
    VkShaderModuleCreateInfo module_info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = size, .pCode = words};
    VK(device->api.CreateShaderModule(device->handle, &module_info, NULL, &module));
    VkComputePipelineCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                        .flags = pipeline_flags(source),
                                        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                  .module = module,
                                                  .pName = "main"},
                                        .layout = pipeline->layout};
    VK(device->api.CreateComputePipelines(device->handle, cache, 1, &info, NULL, &pipeline->handle));
    device->api.DestroyShaderModule(device->handle, module, NULL);
    API_NAME(device, PIPELINE, pipeline->handle, source->name);
    arena_destroy(&arena);
    return true;
fail:
    arena_destroy(&arena);
    device->api.DestroyShaderModule(device->handle, module, NULL);
    diag_error(diag, NULL, "kernel %s: the driver made no pipeline of it", source->name);
    return false;
}

Pipeline *pipeline_create(Arena *arena, Device *device, const PipelineSource *source, Diag *diag) {
    Pipeline *pipeline = ARENA_NEW(arena, Pipeline, 1);
    if (!create_pipeline(device, VK_NULL_HANDLE, source, pipeline, diag))
        pipeline_destroy(device, &pipeline);
    return pipeline;
}

void pipeline_destroy(Device *device, Pipeline **pipeline) {
    if (!pipeline || !*pipeline)
        return;
    device->api.DestroyPipeline(device->handle, (*pipeline)->handle, NULL);
    device->api.DestroyPipelineLayout(device->handle, (*pipeline)->layout, NULL);
    device->api.DestroyDescriptorSetLayout(device->handle, (*pipeline)->set_layout, NULL);
    *pipeline = NULL;
}

// ---- many of them

typedef struct {
    Device *device;
    VkPipelineCache cache;
    const PipelineSource *sources;
    Pipeline **out;
} Work;

static bool work_item(void *context, uint32_t index, Arena *scratch, Diag *diag) {
    (void)scratch;
    const Work *work = context;
    return create_pipeline(work->device, work->cache, &work->sources[index], work->out[index], diag);
}

typedef struct {
    size_t size;
    uint32_t index;
} Sized;

static int compare_sizes(const void *a, const void *b) {
    const Sized *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

static uint32_t *largest_first(Arena *arena, const PipelineSource *sources, uint32_t count) {
    Sized *sized = ARENA_NEW(arena, Sized, count);
    uint32_t *order = ARENA_NEW(arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++)
        sized[i] = (Sized){sources[i].spirv_size, i};
    if (count > 0)
        qsort(sized, count, sizeof *sized, compare_sizes);
    for (uint32_t i = 0; i < count; i++)
        order[i] = sized[i].index;
    return order;
}

bool pipelines_create(Arena *arena, Device *device, const PipelineSource *sources, uint32_t count,
                      void (*progress)(void *context, uint32_t done, uint32_t total), void *context, Pipeline **out, Diag *diag) {
    Work work = {.device = device, .sources = sources, .out = out};
    size_t loaded;
    memset(out, 0, sizeof *out * count);
    if (!cache_create(device, &work.cache, &loaded, diag))
        return false;
    for (uint32_t i = 0; i < count; i++)
        out[i] = ARENA_NEW(arena, Pipeline, 1);
    PoolWork pool_work = {.count = count,
                          .order = largest_first(arena, sources, count),
                          .work = work_item,
                          .context = &work,
                          .progress = progress,
                          .progress_context = context};
    bool good = pool_run_once(POOL_COMPUTES, &pool_work, diag);
    if (good)
        cache_save(device, work.cache, loaded);
    device->api.DestroyPipelineCache(device->handle, work.cache, NULL);
    for (uint32_t i = 0; i < count && !good; i++)
        pipeline_destroy(device, &out[i]);
    return good;
}
