#!/bin/sh
# README's "How to add things", row by row on a copy of the tree: a file where the table wants one and a row, nothing else. The copy is built,
# the tests that belong to each run, and each is used.
# Usage: add_things.sh SOURCE FOLDER. Exit code 77 (skipped) where there is no Vulkan device.
set -eu
source=$1 folder=$2
files=$source/tests/end_to_end/add_things
tree=$folder/tree build=$folder/build gg=$folder/build/gcc-graph
fail() { echo "$*" >&2 && exit 1; }

mkdir -p "$folder"
rm -rf "$tree" "$folder/out"
mkdir -p "$tree" "$folder/out"
(cd "$source" && tar -cf - CMakeLists.txt compiler runtime graphs shaders tests) | tar -xf - -C "$tree"

# row FILE ROW: before the file's last "// clang-format on", or at its end.
row() {
    grep -qF "\`$1\`" "$source/README.md" || fail "README's table does not name $1"
    awk -v row="$2" '{ lines[NR] = $0 } /^\/\/ clang-format on/ { at = NR } END { for (i = 1; i <= NR; i++) { if (i == at) print row; print lines[i] } if (!at) print row }' \
        "$tree/$1" >"$folder/rows"
    cp "$folder/rows" "$tree/$1"
}
file() { cp "$files/$1" "$tree/$1"; }

row compiler/ir/elementwise.def 'MAP1(cube, FUNCTION, "cube", FLOAT, SAME, "x to the third power", x * x * x, "$x * $x * $x", NULL, 2, FINITE, B(mul, grad, N(mul, B(mul, x, x), 3)), (-2, 2, 0))'
file compiler/ops/centre.c
row compiler/ir/ops.def 'STRUCTURED(centre, A(axis)) // x less its mean along an axis'
file compiler/layers/gate.c
row compiler/layers/layers.def 'LAYER(gate, "strength", "x sigmoid(strength x)")'
file compiler/optimizers/sign_descent.c
row compiler/optimizers/optimizers.def 'RULE(sign_descent, "lr!", "", "", "sign_descent", sign_descent_advance, "signSGD (Bernstein et al. 2018)")'
file compiler/schedules/plain.c
row compiler/schedules/schedules.def 'FAMILY( plain )'
file runtime/data/spiral.c
row runtime/data/datasets.def 'DATASET( "spiral", NULL, false, spiral_open, spiral_natural, "points on a spiral" )'
file runtime/eval/spread.c
row runtime/eval/measures.def 'MEASURE(spread, "BUNDLE --from RUN [--json]", "How far rows lie from 0 in the mean.")'
file compiler/driver/greet.c
row compiler/driver/commands.def 'COMMAND( greet, "says hello" )'
row runtime/program/capabilities.def 'FEATURE( has_byte_storage, 1, RUNTIME, true, true, false, NULL, features12.storageBuffer8BitAccess, true, "stores single bytes" )'

tests="test_ops_ir_matrix test_device_driver_ops test_unit_read_schema test_unit_base_layers test_unit_runtime_dataset
test_unit_program_file test_unit_vk_capabilities"
cmake -S "$tree" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O0 -DGG_WERROR=ON >"$folder/out/configure"
ninja -C "$build" gcc-graph $tests >"$folder/out/build" 2>&1 || fail "the copy does not build: $(tail -40 "$folder/out/build")"
"$gg" devices >/dev/null 2>&1 || exit 77

# ---- the tests that belong to each
GG_UPDATE_GOLDEN=1 && export GG_UPDATE_GOLDEN
(cd "$tree" && "$build/test_unit_read_schema") >"$folder/out/schema" 2>&1 || fail "the schema: $(tail -5 "$folder/out/schema")"
unset GG_UPDATE_GOLDEN
for test in $tests; do
    (cd "$tree" && "$build/$test") >"$folder/out/$test" 2>&1 || fail "$test: $(grep -v "may not include\|is not written" "$folder/out/$test" | tail -20)"
done

# ---- each of them in use
said() { # WORDS, COMMAND ...
    words=$1
    shift
    "$gg" "$@" >"$folder/out/said" 2>&1 || fail "$*: $(cat "$folder/out/said")"
    grep -qF -- "$words" "$folder/out/said" || fail "$*: no \"$words\" in $(cat "$folder/out/said")"
}
graph=$files/graphs/spiral.json bundle=$folder/out/spiral.ggb
said "x to the third power" ops cube
said "x less its mean along an axis" ops centre
said "strength" ops gate
said "signSGD" ops sign_descent
said "test   200 records" data describe spiral
said "points on a spiral" data list
said "says hello" --help
said "--loud" greet --help
said "stores single bytes" devices
said "hello, Ada!" greet Ada --loud
said "How far rows lie from 0 in the mean." eval --help
for target in cpu gpu any; do
    "$gg" compile "$graph" --target $target -o "$bundle" >"$folder/out/compile" 2>&1 || fail "$(cat "$folder/out/compile")"
    grep -l "schedule plain" "$bundle"/kernels/*.comp >/dev/null || fail "no kernel for $target is of the new family"
done
said "agree with the reference" verify "$bundle" --target all
said "done: " train "$bundle" --data spiral --out "$folder/out/run"
said "spread: 0." eval spread "$bundle" --from "$folder/out/run"
said '"spread": 0.' eval spread "$bundle" --from "$folder/out/run" --json
said "spread: 0." eval spread "$bundle" --from "$folder/out/run" --out "$folder/out/spread"
grep -q '"spread": 0\.' "$folder/out/spread/spread.json" || fail "no spread.json"
