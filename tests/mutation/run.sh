#!/bin/sh
# Mutations: breaks the program in one place after the other, in a copy; each time a test must fail. A mutation that survives is a test that
# proves nothing. tests/mutation/run.sh [--full] [--seed N] [--sample N] [--only WORD]: only those whose row holds the word.
set -eu
cd "$(dirname "$0")/../.."
full=""
only=""
sample=6
seed=$(git rev-parse HEAD 2>/dev/null | cksum | cut -d' ' -f1)
while [ $# -gt 0 ]; do
    case "$1" in
    --full) full=yes ;;
    --seed) seed="$2" && shift ;;
    --sample) sample="$2" && shift ;;
    --only) only="$2" && full=yes && shift ;;
    *) echo "run.sh: unknown option $1" >&2 && exit 2 ;;
    esac
    shift
done

root=$(pwd)/build/mutation
copy=$root/source
mkdir -p "$copy"
# Only files that changed are touched, so that a second run builds little.
find . -path ./build -prune -o -path ./.git -prune -o -path ./runs -prune -o -type f -print | while read -r file; do
    cmp -s "$file" "$copy/$file" || { mkdir -p "$copy/$(dirname "$file")" && cp "$file" "$copy/$file"; }
done
# And those that have moved away are gone.
(cd "$copy" && find . -type f -print) | while read -r file; do
    [ -e "$file" ] || rm "$copy/$file"
done
cmake -S "$copy" -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-O1 >"$root/log" 2>&1

# The table, and for every rule of simplify.def one that adds 1 to what it gives.
say() { printf '    %s/%s  %-9s %s\n' "$number" "$total" "$1" "$2"; }
tab=$(printf '\t')
{
    grep -v '^#' tests/mutation/mutations.txt
    sed -n 's/^RULE( *\([a-z_0-9]*\),.*/\1/p' compiler/passes/simplify.def | while read -r rule; do
        printf '%s\t%s\t%s\n' compiler/passes/simplify.def "/^RULE( *$rule,/s/^\\([^\"]*\"[^\"]*\"[^\"]*\\)\"\\([^\"]*\\)\"/\\1\"(add \\2 1)\"/" rules/kernel_rules
    done
} >"$root/all"
# A row whose text has moved away mutates nothing: all rows are asked, whichever are run.
stale=0
while IFS="$tab" read -r file script test; do
    sed "$script" "$file" | cmp -s - "$file" || continue
    echo "    STALE $file: $script ($test)" >&2
    stale=$((stale + 1))
done <"$root/all"
[ "$stale" -eq 0 ] || exit 1
if [ -n "$full" ]; then
    grep -F -- "$only" "$root/all" >"$root/chosen"
else
    awk -v seed="$seed" 'BEGIN { srand(seed % 2147483647) } { printf "%.9f\t%s\n", rand(), $0 }' "$root/all" | sort | head -n "$sample" | cut -f2- >"$root/chosen"
fi

total=$(wc -l <"$root/chosen")
number=0
survived=0
while IFS="$tab" read -r file script test; do
    number=$((number + 1))
    sed "$script" "$file" >"$root/mutated"
    target=test_$(echo "$test" | tr / _)
    cp "$root/mutated" "$copy/$file"
    if ! ninja -C "$root/build" "$target" >"$root/log" 2>&1; then
        say NO_BUILD "$file: $script"
        survived=$((survived + 1))
    elif ctest --test-dir "$root/build" -R "^$test\$" --no-tests=error >"$root/log" 2>&1; then
        say SURVIVED "$test passes with $file: $script"
        survived=$((survived + 1))
    else
        say caught "by $test: $file: $script"
    fi
    cp "$file" "$copy/$file"
done <"$root/chosen"
if [ "$survived" -gt 0 ]; then
    echo "$survived of $total mutations were not caught" >&2
    exit 1
fi
echo "    all $total mutations were caught (seed $seed)"
