// Compile curve: what compiling costs as graphs grow - nodes, seconds, peak memory - for several kinds of graphs, written in the graph
// language and unrolled by its `for`. A measurement, no test:  bench_compile_curve GCC_GRAPH [KIND|all [NODES...]]
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HEAD "{\"gcc-graph\": 1, \"name\": \"curve\", "
#define NETWORK(nodes) HEAD "\"networks\": {\"f\": {\"dims\": [\"n\"], \"inputs\": {\"x\": [\"n\", 16]}, \"nodes\": [" nodes "]}}, "
#define LAYERS(nodes) NETWORK("{\"for\": \"i\", \"below\": %u, \"nodes\": [" nodes "]}")
#define STATE "\"state\": {\"x\": {\"shape\": [4, 16], \"init\": {\"normal\": [0, 1]}}}, "
#define PROGRAM(mode, nodes) "\"programs\": {\"run\": {\"mode\": \"" mode "\", " STATE "\"phases\": [{\"name\": \"all\", \"nodes\": [" nodes "], \"report\": [\"loss\"]}]}}}"
#define TRAINED                                                                                                                            \
    "\"optimizers\": {\"opt\": {\"of\": \"f\", \"adam\": {\"lr\": 0.001}}}, " PROGRAM(                                                      \
        "train", "{\"call\": \"f\", \"in\": \"x\"}, {\"expr\": \"mean($^2)\", \"as\": \"loss\"}, {\"update\": \"opt\", \"minimize\": \"loss\"}")

static const struct {
    const char *name, *what;
    double nodes_each; // about, of a turn of the loop
    const char *graph; // %u: the turns
} kinds[] = {
    {"chain", "elementwise nodes one after the other", 20, HEAD PROGRAM("eval", "{\"expr\": \"x\"}, {\"for\": \"i\", \"below\": %u, \"nodes\": [{\"for\": \"j\", \"below\": 10, \"nodes\": [{\"expr\": \"tanh($ + x)\"}]}]}, {\"expr\": \"mean($)\", \"as\": \"loss\"}")},
    {"mlp", "a deep perceptron, trained by Adam", 15.5, LAYERS("{\"op\": \"linear\", \"features\": 16}, {\"op\": \"relu\"}") TRAINED},
    {"blocks", "equal blocks of layer norm, linear and residual", 29,
     LAYERS("{\"op\": \"layer_norm\", \"as\": \"h[i]\"}, {\"op\": \"linear\", \"features\": 16}, {\"expr\": \"silu($) + h[i]\"}") PROGRAM("eval", "{\"call\": \"f\", \"in\": \"x\"}, {\"expr\": \"mean($^2)\", \"as\": \"loss\"}")},
    {"recurrence", "one cell unrolled in time, and its gradient", 10.5,
     NETWORK("{\"parameter\": \"w\", \"shape\": [16, 16]}, {\"expr\": \"x\"}, {\"for\": \"i\", \"below\": %u, \"nodes\": [{\"expr\": \"tanh(matmul($, w) + x)\"}]}") TRAINED},
    {"fan", "branches of one value, summed", 24,
     HEAD PROGRAM("eval", "{\"expr\": \"0\", \"as\": \"total[0]\"}, {\"for\": \"i\", \"below\": %u, \"nodes\": [{\"expr\": \"sum(sin(x*(4*i + 2))) + sum(sin(x*(4*i + 3))) + sum(sin(x*(4*i + 4))) + sum(sin(x*(4*i + 5)))\", \"as\": \"b[i]\"}, {\"expr\": \"total[i] + b[i]\", \"as\": \"total[i + 1]\"}]}, {\"expr\": \"$\", \"as\": \"loss\"}")},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static char folder[] = "/tmp/gg_curve_XXXXXX";
static char graph_path[64], bundle_path[64];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint32_t write_graph(uint32_t kind, uint32_t turns) {
    FILE *file = fopen(graph_path, "w");
    if (!file)
        return 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    fprintf(file, kinds[kind].graph, turns);
#pragma GCC diagnostic pop
    return fclose(file) == 0 ? turns : 0;
}

// Nodes that are scheduled: the lines of the dump after `layout`.
static uint32_t count_nodes(const char *program) {
    char command[512];
    snprintf(command, sizeof command, "%s compile %s --target cpu --stop-after=layout --dump=layout", program, graph_path);
    FILE *dump = popen(command, "r");
    uint32_t lines = 0;
    for (int c = dump ? fgetc(dump) : EOF, before = '\n'; c != EOF; before = c, c = fgetc(dump))
        lines += before == '\n' && c == '%';
    return dump && pclose(dump) == 0 ? lines : 0;
}

static int compile(const char *program, struct rusage *usage) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(127);
        execl(program, program, "compile", graph_path, "--target", "cpu", "-o", bundle_path, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    return child > 0 && wait4(child, &status, 0, usage) == child ? status : -1;
}

static int measure(const char *program, uint32_t kind, uint32_t nodes) {
    uint32_t turns = (uint32_t)(nodes / kinds[kind].nodes_each);
    if (!write_graph(kind, turns ? turns : 1))
        return 1;
    uint32_t count = count_nodes(program);
    struct rusage usage = {0};
    double begin = seconds_now();
    int status = compile(program, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    printf("%-11s %8u %9.2f %9.2f %9.0f%s\n", kinds[kind].name, count, seconds_now() - begin, cpu, (double)usage.ru_maxrss / 1024, status ? "  failed" : "");
    return status != 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s GCC_GRAPH [KIND|all [NODES...]]\n", argv[0]);
        for (uint32_t k = 0; k < KIND_COUNT; k++)
            fprintf(stderr, "  %-11s %s\n", kinds[k].name, kinds[k].what);
        return 2;
    }
    static const uint32_t sizes[] = {12500, 25000, 50000, 100000};
    int failed = 0;
    if (!mkdtemp(folder))
        return 1;
    snprintf(graph_path, sizeof graph_path, "%s/graph.json", folder);
    snprintf(bundle_path, sizeof bundle_path, "%s/bundle.ggb", folder);
    printf("%-11s %8s %9s %9s %9s\n", "kind", "nodes", "seconds", "CPU s", "peak MiB");
    for (uint32_t k = 0; k < KIND_COUNT; k++) {
        if (argc > 2 && strcmp(argv[2], "all") != 0 && strcmp(argv[2], kinds[k].name) != 0)
            continue;
        for (int i = 0; i < (argc > 3 ? argc - 3 : 4); i++)
            failed |= measure(argv[1], k, argc > 3 ? (uint32_t)strtoul(argv[3 + i], NULL, 10) : sizes[i]);
    }
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}
