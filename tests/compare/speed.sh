#!/bin/sh
# What kernels and whole steps reach on a device, as a share of the multiply-add peak that is measured in the same run: counted are the
# multiply-adds that the plain definition takes, without padding, however they are computed; the time is that of the whole step.
# A measurement, made by hand with nothing else running (it is no part of check.sh).
# Usage: speed.sh [--seconds N] [--device D] [--schedule default|tuned] [ROW...]    a ROW is a part of the first column, such as "weight 3x3"
# Another driver: VK_ICD_FILENAMES=FILE. GCC_GRAPH: the program (default build/release/gcc-graph).
set -eu
cd "$(dirname "$0")/../.."
gcc_graph=${GCC_GRAPH:-build/release/gcc-graph}
seconds=1 device="" schedule="" rows=""
while [ $# -gt 0 ]; do
    case "$1" in
    --seconds) seconds=$2 && shift ;;
    --device) device="--device $2" && shift ;;
    --schedule) schedule="--schedule $2" && shift ;;
    -*) sed -n '2,7s/^# //p' "$0" >&2 && exit 2 ;;
    *) rows="$rows$1
" ;;
    esac
    shift
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

is_asked() {
    [ -n "$rows" ] || return 0
    printf '%s' "$rows" >"$folder/rows"
    printf '%s\n' "$1" | grep -qFf "$folder/rows"
}

# line NAME GRAPH PROGRAM GFLOP OPTIONS...: compiles, measures, prints a row. GFLOP "-": as bench counts it.
line() {
    name=$1 graph=$2 program=$3 gflop=$4
    shift 4
    is_asked "$name" || return 0
    # shellcheck disable=SC2086
    "$gcc_graph" compile "$graph" "$@" -o "$folder/bundle" >"$folder/log" 2>&1 &&
        "$gcc_graph" bench "$folder/bundle" --program "$program" --seconds "$seconds" $device $schedule >"$folder/bench" 2>"$folder/log" ||
        { printf '%-44s failed: %s\n' "$name" "$(tail -n 1 "$folder/log")" && return 0; }
    plan=$(sed -n "s|^phase $program/\([^:]*\): \([0-9]*\) steps in \([0-9]*\) waves.*|\1 \2 in \3|p" "$folder/bundle/plan.txt" | tr '\n' ' ')
    awk -v name="$name" -v gflop="$gflop" -v plan="$plan" '
        /: peak / { for (i = 1; i < NF; i++) if ($i == "peak") peak = $(i + 1) }
        /a step takes/ {
            for (i = 1; i < NF; i++) { if ($i == "takes") ms = $(i + 1); if ($(i + 1) == "GFLOP") counted = $i }
            if (gflop == "-") gflop = counted
            printf "%-44s %10.3f ms %9.3f GFLOP %8.1f GFLOP/s %6.1f %% of %.1f  %s\n", name, ms, gflop, gflop / ms * 1000, gflop / ms * 1e5 / peak, peak, plan
        }' "$folder/bench"
}

# convolution BATCH CHANNELS SIZE KERNEL: its three programs.
convolution() {
    # Taps that meet the picture, of a kernel k on n pixels, along an axis: k n - 2 (1 + 2 + ... + k//2).
    count=$(awk -v b="$1" -v c="$2" -v n="$3" -v k="$4" 'BEGIN { h = int(k / 2); taps = k * n - h * (h + 1); printf "%.9f", 2e-9 * b * c * c * taps * taps }')
    for program in forward input weight; do
        line "$program $4x$4 $2->$2@$3, batch $1" tests/bench/convolution.json $program "$count" -D batch="$1" -D channels="$2" -D size="$3" -D kernel="$4"
    done
}

# product BATCH ROWS INNER COLUMNS
product() {
    line "product $1 of [$2,$3]x[$3,$4]" tests/bench/product.json product "$(awk "BEGIN { printf \"%.9f\", 2e-9 * $1 * $2 * $3 * $4 }")" \
        -D batch="$1" -D rows="$2" -D inner="$3" -D columns="$4"
}

"$gcc_graph" devices | sed -n '1,2p'
convolution 32 64 32 3
convolution 32 128 16 3
convolution 32 256 8 3
convolution 64 64 14 3
convolution 64 128 7 3
convolution 32 96 13 3
convolution 64 128 14 1
product 1 1024 1024 1024
product 1 256 576 16384
product 64 64 48 192
product 256 49 48 49
line "step ddpm_mnist" graphs/ddpm_mnist.json train -
line "step stackgan_stage1, small" graphs/stackgan_stage1.json train - --preset small
line "step ring_gan" graphs/ring_gan.json train -
