#!/bin/sh
# Compares what two commits of gcc-graph make of every shipped graph: each kernel's shader byte for byte, for every class of device; with
# --time also how long compiling and a training step take, in turns. A measurement and a review, made by hand: it is no part of check.sh.
# Usage: commits.sh BEFORE AFTER [--bodies] [--time] [GRAPH...]    BEFORE, AFTER: revisions, or "." for the tree as it stands
#   --bodies   leaves out comments and empty lines: what the shader computes
# Exit code: 0 where all shaders are the same, 1 where not (they are listed; both bundles stay below build/compare for a look), 2 for errors.
set -eu
export GG_SCHEDULE=default # what the commits make, not what was tuned here
cd "$(dirname "$0")/../.."
usage() { sed -n '2,7s/^# //p' "$0" >&2; exit 2; }
before="" after="" bodies="" time="" graphs=""
for word in "$@"; do
    case "$word" in
    --bodies) bodies=1 ;;
    --time) time=1 ;;
    -*) usage ;;
    *) if [ -z "$before" ]; then before=$word; elif [ -z "$after" ]; then after=$word; else graphs="$graphs $word"; fi ;;
    esac
done
[ -n "$after" ] || usage
root=$PWD/build/compare
mkdir -p "$root"

# Builds a revision; prints the program's path.
build() {
    if [ "$1" = . ]; then
        folder=$PWD name=tree
    else
        name=$(git rev-parse --short "$1^{commit}") || exit 2
        folder=$root/$name/source
        [ -d "$folder" ] || { mkdir -p "$folder" && git archive "$name" | tar -x -C "$folder"; }
    fi
    { cmake -S "$folder" -B "$root/$name/build" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$root/$name/build" gcc-graph; } >"$root/$name.log" 2>&1 ||
        { cat "$root/$name.log" >&2; exit 2; }
    echo "$root/$name"
}
one=$(build "$before")
other=$(build "$after")
[ -n "$graphs" ] || graphs=$(ls graphs/*.json | grep -v schema.json)

body() { sed 's,[[:blank:]]*//.*$,,;/^[[:blank:]]*$/d' "$1"; }
same() { if [ -n "$bodies" ]; then [ "$(body "$1")" = "$(body "$2")" ]; else cmp -s "$1" "$2"; fi; }

differences=0 kernels=0
for target in cpu gpu any; do
    for graph in $graphs; do
        name=$(basename "$graph" .json)
        for side in "$one" "$other"; do
            rm -rf "$side/$target/$name"
            mkdir -p "$side/$target"
            "$side/build/gcc-graph" compile "$graph" --target $target -o "$side/$target/$name" >/dev/null 2>"$side/$target/$name.err" || true
        done
        if [ ! -d "$one/$target/$name" ] && [ ! -d "$other/$target/$name" ]; then # a tensor of its default sizes is more than the class can bind
            echo "$target $name: neither compiles: $(head -n 1 "$one/$target/$name.err")"
            continue
        fi
        a=$one/$target/$name/kernels b=$other/$target/$name/kernels
        mkdir -p "$a" "$b"
        for kernel in $( (cd "$a" && ls -- *.comp; cd "$b" && ls -- *.comp) | sort -u); do
            kernels=$((kernels + 1))
            if [ -f "$a/$kernel" ] && [ -f "$b/$kernel" ] && same "$a/$kernel" "$b/$kernel"; then continue; fi
            differences=$((differences + 1))
            if [ ! -f "$b/$kernel" ]; then what="only before"; elif [ ! -f "$a/$kernel" ]; then what="only after"; else what="differs"; fi
            echo "$target $name $kernel: $what"
        done
    done
done
echo "$kernels kernels compared, $differences differ"

# In turns, so that what else the machine does meets both; the least of five is told.
if [ -n "$time" ]; then
    seconds() { /usr/bin/env python3 -c 'import sys,time,subprocess; t=time.time(); subprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL); print(time.time()-t)' "$@"; }
    step() { "$1" bench "$2" --seconds 1 --json 2>/dev/null | sed -n 's/.*"step_ms": *\([0-9.e+-]*\).*/\1/p' | head -1; }
    for graph in $graphs; do
        name=$(basename "$graph" .json)
        for turn in 1 2 3 4 5; do
            for side in one other; do
                eval "path=\$$side"
                echo "$side compile $(seconds "$path/build/gcc-graph" compile "$graph" --target cpu -o "$path/cpu/$name")"
                s=$(step "$path/build/gcc-graph" "$path/cpu/$name" || true)
                [ -z "$s" ] || echo "$side step $s"
            done
        done | awk -v name="$name" '{k=$1" "$2; if(!(k in least)||$3<least[k])least[k]=$3}
            END{printf "%-24s compile %.3f s -> %.3f s (x%.3f)", name, least["one compile"], least["other compile"], least["other compile"]/least["one compile"];
                if("one step" in least && "other step" in least) printf "   step %.4g ms -> %.4g ms (x%.3f)", least["one step"], least["other step"], least["other step"]/least["one step"]; print ""}'
    done
fi
[ "$differences" -eq 0 ]
