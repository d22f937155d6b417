#!/bin/sh
# What drivers make of all shipped graphs, compiled for the class gpu: each compiles every kernel without a spilled register, as far as it tells
# (inspect --isa); one that executes also computes them at their check sizes (verify). Prints a line for each graph and device.
# Usage: drivers.sh [FILE] [--only NAME] [--table] [GRAPH.json...]
#   FILE     a line for each device: NAME, `executes` or `compiles`, and a command that takes gcc-graph's arguments, such as
#            `radv compiles env RADV_FORCE_FAMILY=navi21 VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/radeon_icd.x86_64.json build/release/gcc-graph`;
#            a # begins a comment (default: tests/drivers.txt). What a command names that is not here is skipped.
#   --only   this device alone
#   --table  prints, of all devices that tell, a table of families and devices instead (shaders/DRIVERS.md)
# GCC_GRAPH: the program that compiles the graphs, and that `gcc-graph` in FILE stands for (default build/release/gcc-graph).
set -eu
cd "$(dirname "$0")/.."
file="" only="" table="" graphs=""
while [ $# -gt 0 ]; do
    case "$1" in
    --only) only=$2 && shift ;;
    --table) table=yes ;;
    -*) sed -n '2,11s/^# //p' "$0" >&2 && exit 2 ;;
    *.json) graphs="$graphs $1" ;;
    *) file=$1 ;;
    esac
    shift
done
gcc_graph=${GCC_GRAPH:-build/release/gcc-graph}
[ -n "$graphs" ] || graphs=$(grep -l '"programs"' graphs/*.json | grep -v schema.json)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
grep -v '^ *\(#\|$\)' "${file:-tests/drivers.txt}" | { [ -z "$only" ] && cat || grep "^$only[[:space:]]"; } >"$folder/devices" || { echo "drivers.sh: no device $only" >&2 && exit 2; }
failed=0

# Whether all files that the command names are here.
is_here() {
    for word in $1; do
        path=${word#*=}
        case "$path" in /*) [ -e "$path" ] || return 1 ;; esac
    done
}

# ask COMMAND ARGUMENTS...: what the device's gcc-graph says, in $folder/said.
ask() {
    command=$1
    shift
    # shellcheck disable=SC2086
    $command "$@" >"$folder/said" 2>"$folder/wrong" </dev/null
}

# look NAME KIND COMMAND GRAPH BUNDLE CHECK-BUNDLE
look() {
    name=$1 kind=$2 command=$3 graph=$4 bundle=$5 check=$6
    told="does not tell of spills" good=yes
    if ask "$command" inspect "$bundle" --isa; then
        told=$(tail -n 1 "$folder/said")
        grep -q ': 0 spills in 0 of them$' "$folder/said" || grep -q 'does not say what spills' "$folder/said" || good=""
        [ -n "$table" ] && sed -n "s/^\([0-9][0-9]*_[^ ]* .*\)/$name \1/p" "$folder/said" >>"$folder/kernels"
    elif ! grep -q 'tells nothing of its machine code' "$folder/wrong"; then
        told=$(tail -n 1 "$folder/wrong") good=""
    fi
    if [ "$kind" = executes ] && [ -n "$good" ] && [ -z "$table" ]; then
        if ask "$command" verify "$check"; then
            told="$told; $(tail -n 1 "$folder/said")"
        else
            told="$told; $(tail -n 1 "$folder/wrong")" good=""
        fi
    fi
    mark=""
    [ -n "$good" ] || { failed=$((failed + 1)) && mark="FAILED "; }
    [ -n "$table" ] || printf '%-12s %-32s %s%s\n' "$name" "$(basename "$graph")" "$mark" "$told"
}

for graph in $graphs; do
    bundle="$folder/$(basename "$graph" .json).ggb"
    "$gcc_graph" compile "$graph" --target gpu -o "$bundle" >/dev/null
    check=$bundle
    if grep -q '"check"' "$graph"; then
        check="$folder/check_$(basename "$graph" .json).ggb"
        "$gcc_graph" compile "$graph" --preset check --target gpu -o "$check" >/dev/null
    fi
    while read -r name kind command; do
        command=$(printf '%s' "$command" | sed "s#\(^\| \)gcc-graph\( \|\$\)#\1$gcc_graph\2#")
        is_here "$command" || { [ -n "$table" ] || echo "$name is not here: $command" >&2 && continue; }
        look "$name" "$kind" "$command" "$graph" "$bundle" "$check"
    done <"$folder/devices"
    rm -rf "$bundle" "$check"
done

# Of a family on a device: its kernels, the most registers, the least occupancy, and the median share of multiply-adds where its loops have any.
if [ -n "$table" ]; then
    printf '| family | device | kernels | most registers | least occupancy | spills | multiply-adds of the loop, median |\n|---|---|---|---|---|---|---|\n'
    sort -b -k3,3 -k1,1 -k11,11n "$folder/kernels" | awk '
        function row() {
            if (count) printf "| %s | %s | %d | %s | %s | %d | %s |\n", family, device, count, most < 0 ? "-" : most, least < 0 ? "-" : least, spills, shares ? share[int((shares + 1) / 2)] " %" : "-"
        }
        { if ($3 != family || $1 != device) { row(); family = $3; device = $1; count = shares = spills = 0; most = least = -1 }
          count++
          if ($4 != "-" && $4 > most) most = $4
          if ($5 != "-") spills += $5
          if ($7 != "-" && (least < 0 || $7 < least)) least = $7
          if ($11 != "-" && $11 > 0) share[++shares] = $11 }
        END { row() }'
fi
[ "$failed" -eq 0 ] || { echo "$failed of the graphs and devices failed" >&2 && exit 1; }
