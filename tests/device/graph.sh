#!/bin/sh
# Every kernel of a shipped graph at its check sizes (or at its own, where it has no such preset), on the device against the double-precision reference, validation layer on.
# Usage: graph.sh GCC-GRAPH GRAPH.json FOLDER [NAME=VALUE of a let]. Exit code 77 (skipped) where there is no Vulkan device.
set -eu
gg=$1 graph=$2 folder=$3 define=${4:-}
"$gg" devices >/dev/null 2>&1 || exit 77
mkdir -p "$folder"
bundle=$folder/$(basename "$graph" .json)$define.ggb
"$gg" compile "$graph" --preset check ${define:+-D "$define"} -o "$bundle" --target 0
size=check
grep -q '"check"' "$graph" || size=full
exec "$gg" verify "$bundle" --size "$size" --validation
