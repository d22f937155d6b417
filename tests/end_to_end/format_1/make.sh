#!/bin/sh
# How digits.tar.gz was made: ./make.sh GCC_GRAPH, with a gcc-graph of the formats that this folder's name says. It stays as it is,
# whatever later versions write: it stands for the bundles and runs of those who trained with that version.
#   digits.ggb   the bundle    run     a training that was stopped halfway    images   what it was trained with
#   ended        the checkpoint and the metrics of the same training when it runs through
set -e
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"
mkdir images
# 18 pictures of 4x4 to train with, 4 to test: IDX files.
pixels() { awk -v n="$1" 'BEGIN { for (i = 0; i < n * 16; i++) printf "\\%03o", (i * 37 + int(i / 16) * 11) % 256 }'; }
header() { printf '\\000\\000\\010\\003\\000\\000\\000\\%03o\\000\\000\\000\\004\\000\\000\\000\\004' "$1"; }
write() { { printf "$(header "$2")"; printf "$(pixels "$2")"; } > "images/$1-images-idx3-ubyte"; }
write train 18
write t10k 4
"$program" compile "$here/digits.json" -o digits.ggb --target any
"$program" train digits.ggb --data idx:images --out run --seed 3 --stop-at 6
"$program" train digits.ggb --data idx:images --out ended --seed 3
rm -rf ended/previews ended/loss.png ended/run.json ended/architecture.txt ended/metrics.jsonl run/loss.png
tar --sort=name --owner=0 --group=0 --mtime=@0 -czf "$here/digits.tar.gz" digits.ggb run ended images
rm -rf "$work"
