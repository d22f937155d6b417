#!/bin/sh
# What `tune` finds for whole steps of shipped graphs on a device: each is compiled and tuned, then measured with its own schedules and with
# the tuned ones in turns, five times, unless nothing was found. A row has the median of the five ratios (tuned / own, below 1 is faster), the least and the greatest.
# A measurement, made by hand with nothing else running (it is no part of check.sh). The cache of the user is left alone.
# Usage: tuned.sh [--minutes N] [--device D] [GRAPH...]    N: of each search (default 1); a GRAPH is the name of one of those below
# Another driver: VK_ICD_FILENAMES=FILE. GCC_GRAPH: the program (default build/release/gcc-graph).
set -eu
cd "$(dirname "$0")/../.."
gcc_graph=${GCC_GRAPH:-build/release/gcc-graph}
minutes=1 device="" graphs=""
while [ $# -gt 0 ]; do
    case "$1" in
    --minutes) minutes=$2 && shift ;;
    --device) device="--device $2" && shift ;;
    -*) sed -n '2,7s/^# //p' "$0" >&2 && exit 2 ;;
    *) graphs="$graphs $1" ;;
    esac
    shift
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_CACHE_HOME="$folder/cache"

# step SCHEDULE: milliseconds of a step.
step() {
    # shellcheck disable=SC2086
    "$gcc_graph" bench "$folder/bundle" --step --seconds 1 --schedule "$1" --json $device 2>"$folder/log" | sed -n 's/.*"step_ms": *\([0-9.]*\).*/\1/p' | head -n 1
}

# line GRAPH OPTIONS...: compiles, tunes, measures, prints a row.
line() {
    name=$1
    shift
    case " $graphs " in "  " | *" $name "*) ;; *) return 0 ;; esac
    # shellcheck disable=SC2086
    "$gcc_graph" compile "graphs/$name.json" "$@" -o "$folder/bundle" >"$folder/log" 2>&1 &&
        "$gcc_graph" tune "$folder/bundle" --minutes "$minutes" $device >"$folder/tune" 2>"$folder/log" ||
        { printf '%-28s failed: %s\n' "$name" "$(tail -n 1 "$folder/log")" && return 0; }
    if tail -n 1 "$folder/tune" | grep -q ': nothing makes'; then # the same kernels with either
        printf '%-28s %5.3f  %s\n' "$name" 1 "$(tail -n 1 "$folder/tune")"
        return 0
    fi
    : >"$folder/pairs"
    for _ in 1 2 3 4 5; do
        own=$(step default)
        echo "$own $(step tuned)" >>"$folder/pairs"
    done
    awk '{ print $2 / $1, $1, $2 }' "$folder/pairs" | sort -n | awk -v name="$name" -v found="$(grep -c 'instead of' "$folder/tune")" '
        { ratio[NR] = $1; own[NR] = $2; tuned[NR] = $3 }
        END { printf "%-28s %5.3f  (%.3f-%.3f)  %.3f -> %.3f ms in the median pair; other schedules for %s kinds of kernels\n", name, ratio[3], ratio[1], ratio[5], own[3], tuned[3], found }'
}

"$gcc_graph" devices | sed -n '1,2p'
line ddpm_mnist
line ddpm_images -D batch=2
line latent_diffusion
line stackgan_stage1 --preset small
line mnist_wgan
line wgan_gp
line unrolled_gan
line ring_gan
