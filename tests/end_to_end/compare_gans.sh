#!/bin/sh
# graphs/compare_gans.sh in miniature: rows for points and for images, runs that are not trained a second time, errors.
# Usage: compare_gans.sh GCC-GRAPH FOLDER. Exit code 77 (skipped) where there is no Vulkan device.
set -eu
gg=$1 folder=$2
"$gg" devices >/dev/null 2>&1 || exit 77
rm -rf "$folder"
mkdir -p "$folder"
compare() { graphs/compare_gans.sh --program "$gg" --minutes 60 --steps 3 --seeds '0 1' --jobs 2 "$@"; }
fail() { echo "$*" >&2 && exit 1; }

compare --batch 8 -D width=8 --out "$folder/ring" vanilla ttur >"$folder/table" 2>"$folder/log"
grep -Eq '^\| vanilla \| [0-8](\.5)? of 8 \([0-8], [0-8]\) \| [0-9.]+ % \| 3 \| [0-9.]+ \| [0-9]+ \| [0-9]+ \|$' "$folder/table" || fail "no row of points: $(cat "$folder/table")"
grep -q '^| ttur | ' "$folder/table" || fail "the second remedy has no row"
[ -e "$folder/ring/ttur-1/checkpoint-000003.safetensors" ] || fail "the second seed was not trained"
ls -l --time-style=full-iso "$folder"/ring/*/metrics.jsonl >"$folder/before"
compare --batch 8 -D width=8 --out "$folder/ring" vanilla ttur >"$folder/again" 2>>"$folder/log"
ls -l --time-style=full-iso "$folder"/ring/*/metrics.jsonl | cmp - "$folder/before" || fail "finished runs were trained again"
cmp "$folder/table" "$folder/again" || fail "the same runs gave another table"

compare --data random:32 --batch 4 -D width=4 --out "$folder/images" vanilla >"$folder/table" 2>>"$folder/log"
grep -Eq '^\| vanilla \| 0\.0 % \| 0\.00 \| 3 \|' "$folder/table" || fail "no row of images: $(cat "$folder/table")"
[ -e "$folder/images/vanilla-0/samples/samples.png" ] || fail "no pictures"

for words in "--minutes 0" "--steps" "--no-such-option" "no-such-remedy"; do
    status=0
    graphs/compare_gans.sh --program "$gg" --out "$folder/bad" $words >/dev/null 2>&1 || status=$?
    [ "$status" = 2 ] || fail "$words: exit code $status, not 2"
done

status=0
compare --data "idx:$folder/nowhere" --batch 4 -D width=4 --out "$folder/failed" vanilla >"$folder/table" 2>"$folder/log" || status=$?
[ "$status" = 1 ] || fail "a training that fails: exit code $status, not 1: $(cat "$folder/log")"
grep -q 'a training failed' "$folder/log" || fail "nothing says that a training failed: $(cat "$folder/log")"
[ ! -s "$folder/table" ] || fail "a table although a training failed"
