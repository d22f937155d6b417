#!/bin/sh
# Builds gcc-graph and runs all its tests: ./check.sh [--full]. --full runs every mutation, and families of schedules on more shapes.
set -eu
cd "$(dirname "$0")"
. ./.setup.sh

full=""
for word in "$@"; do
    case "$word" in
    --full) full="--full" ;;
    --help | -h)
        echo "usage: ./check.sh [--full]"
        echo "Installs what is missing, builds (release, then with sanitizers) and runs all tests: about 24 minutes on 2 cores."
        echo "--full runs every mutation instead of a sample, and families of schedules on every shape: an hour more."
        exit 0
        ;;
    *)
        echo "check.sh: unknown option $word; try --help" >&2
        exit 2
        ;;
    esac
done

swiftshader=/usr/lib/chromium/vk_swiftshader_icd.json
cores=$(nproc)
mkdir -p build

gg_stage "Packages: installs what building and testing need" "nothing missing: 1 s, else 1 to 3 minutes"
gg_install $GG_BUILD_PACKAGES $GG_TEST_PACKAGES

gg_stage "Build: release, warnings are errors" "first time 1 to 2 minutes"
gg_build build/release -DCMAKE_BUILD_TYPE=Release -DGG_WERROR=ON

gg_stage "Tests: all, on the default Vulkan driver" "6 minutes"
ctest --test-dir build/release --output-on-failure --no-tests=error -j "$cores"

gg_stage "Tests: those that use a device, all shipped graphs among them, on SwiftShader" "3 minutes"
VK_ICD_FILENAMES="$swiftshader" ctest --test-dir build/release --output-on-failure -j "$cores" -R '^(device/|fuzz/driver|schedules/)'

gg_stage "Build: with AddressSanitizer and UndefinedBehaviorSanitizer" "first time 1 to 2 minutes"
gg_build build/sanitize -DCMAKE_BUILD_TYPE=Debug -DGG_SANITIZE=ON -DGG_WERROR=ON

gg_stage "Tests: without a device, with sanitizers and leak detection" "3 minutes"
ctest --test-dir build/sanitize --output-on-failure --no-tests=error -j "$cores" -E '^(device/|end_to_end/|fuzz/driver|mutation/|schedules/driver_families)'

# A Vulkan driver keeps memory of its own until the process ends, so leaks are not looked for here. lavapipe asks for a few bytes at a time on pages
# of their own, which a quarantine of the usual 256 MiB, counted in bytes asked for, would turn into 20 GiB.
gg_stage "Tests: with a device, with sanitizers (without the shipped graphs)" "9 minutes"
ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=8:thread_local_quarantine_size_kb=64 ctest --test-dir build/sanitize --output-on-failure -j "$cores" -R '^(device/|end_to_end/|fuzz/driver)' -E '^device/graph_|driver_resume'

if [ -x tests/mutation/run.sh ]; then
    if [ -n "$full" ]; then
        gg_stage "Mutations: each one must make a test fail" "all of them: 5 minutes"
    else
        gg_stage "Mutations: each one must make a test fail" "a sample: 1 minute"
    fi
    tests/mutation/run.sh ${full:---sample 3}
fi
if [ -n "$full" ]; then
    gg_stage "Mutations of the shipped graphs' shaders: each one must change a number" "all 15,000: 35 minutes"
    build/release/test_mutation_driver_shaders --full
    seed=$(date +%s)
    gg_stage "Families of schedules: every pair of parameters, lanes and shapes, seed $seed" "on two drivers: 20 minutes"
    build/release/test_schedules_driver_families --full --seed "$seed"
    VK_ICD_FILENAMES="$swiftshader" build/release/test_schedules_driver_families --full --seed "$seed"
fi

gg_stage_end
echo "All tests passed."
