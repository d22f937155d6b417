#!/bin/sh
# Trains every GAN remedy on a mixture of Gaussians, three seeds each, and prints the table that graphs/README.md shows. Can be stopped and
# started again: runs go on where they were. See graphs/compare_rings.sh --help.
set -eu
cd "$(dirname "$0")/.."

program=build/release/gcc-graph
out=runs/rings
data=ring
minutes=60
batch=128
steps=""
seeds="0 1 2"
chosen=""

# label, graph, preset (- for none)
remedies="
vanilla            ring_gan              -
vanilla-minimax    ring_gan              minimax
minibatch          ring_minibatch        -
unrolled-0         ring_unrolled         plain
unrolled-5         ring_unrolled         -
unrolled-10        ring_unrolled         far
unrolled-5-sgd     ring_unrolled         sgd
mgan               ring_mgan             -
spectral-norm      ring_spectral_norm    -
wgan-clipped       ring_wgan             -
wgan-gp            ring_wgan_gp          -
feature-matching   ring_feature_matching -
ttur               ring_balance          ttur
n-critic           ring_balance          n_critic
rest               ring_balance          rest
"

while [ $# -gt 0 ]; do
    case "$1" in
    --program) program="$2" && shift ;;
    --out) out="$2" && shift ;;
    --data) data="$2" && shift ;;
    --minutes) minutes="$2" && shift ;;
    --batch) batch="$2" && shift ;;
    --steps) steps="$2" && shift ;;
    --seeds) seeds="$2" && shift ;;
    --help | -h)
        echo "usage: graphs/compare_rings.sh [--data ring|grid] [--minutes N] [--batch N] [--steps N] [--seeds 'S ...'] [--out DIR] [--program P] [REMEDY...]"
        echo "Trains each remedy once for each seed, at most N minutes (default 60) for all its seeds together, and prints a table of modes hit, good"
        echo "samples, steps, time, kernels of a step and time of one. --batch (default 128) and --steps (default: the graph's) hold for all."
        echo "Runs stay in DIR (default runs/rings); started again, they go on from there. P is gcc-graph (default build/release/gcc-graph)."
        echo "REMEDY:" $(echo "$remedies" | awk 'NF { print $1 }')
        exit 0
        ;;
    -*)
        echo "compare_rings.sh: unknown option $1; try --help" >&2
        exit 2
        ;;
    *)
        echo "$remedies" | awk 'NF { print $1 }' | grep -qx "$1" || {
            echo "compare_rings.sh: there is no remedy \"$1\"; try --help" >&2
            exit 2
        }
        chosen="$chosen $1 "
        ;;
    esac
    shift
done
[ -x "$program" ] || { echo "compare_rings.sh: $program is not there: ./quickstart.sh builds it, or --program P" >&2 && exit 1; }
mkdir -p "$out"

# The number after "KEY": in JSON from standard input.
number() { sed -n "s/.*\"$1\": \([-0-9.e+]*\).*/\1/p" | head -1; }
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# Time of training of all goes at a run: each begins at 0 again.
seconds() { awk -F '"seconds": ' '{ t = $2 + 0; if (t < last) sum += last; last = t } END { print sum + last }' "$1"; }

# Kernels of a step: each phase's dispatches times its repetitions, from the summary's JSON.
kernels() {
    "$program" summary "$1" --json | awk '
        /"name": "train"/ { training = 1 } /"name": "sample"/ { training = 0 }
        training && /"name": "/ { split($0, part, "\""); phase = part[4] }
        training && /"repeat": / { gsub(/[^0-9]/, ""); repeat[phase] = $0 }
        /"program": "train"/ { planned = 1 } /"program": "sample"/ { planned = 0 }
        planned && /"phase": "/ { split($0, part, "\""); phase = part[4] }
        planned && /"dispatches": / { gsub(/[^0-9]/, ""); sum += $0 * (repeat[phase] ? repeat[phase] : 1) }
        END { print sum }'
}

# Trains one seed until the total, or until the seconds are used up; a run that was stopped goes on.
train() { # bundle, run, seed, seconds
    if [ -e "$2/done" ]; then return 0; fi
    if [ -e "$2/run.json" ]; then set -- "$@" --resume; else set -- "$@" --data "$data" --seed "$3" ${steps:+--steps "$steps"}; fi
    bundle=$1 run=$2 seconds=$4
    shift 4
    status=0
    timeout -s INT "$seconds" "$program" train "$bundle" --out "$run" "$@" >>"$run.log" 2>&1 || status=$?
    [ "$status" = 0 ] || [ "$status" = 124 ] || { tail -3 "$run.log" >&2 && return 1; }
    [ "$status" = 124 ] || touch "$run/done"
}

echo "| Remedy | modes hit | good samples | steps | minutes | kernels a step | us a kernel |"
echo "|---|---|---|---|---|---|---|"
echo "$remedies" | while read -r label graph preset; do
    [ -n "$label" ] || continue
    case "$chosen" in "") ;; *" $label "*) ;; *) continue ;; esac
    bundle="$out/$label.ggb"
    if [ "$preset" = - ]; then preset=""; fi
    "$program" compile "graphs/$graph.json" ${preset:+--preset "$preset"} -D "batch=$batch" --target any -o "$bundle" >/dev/null
    count=$(echo "$seeds" | wc -w)
    : >"$out/$label.found"
    for seed in $seeds; do
        run="$out/$label-$seed"
        train "$bundle" "$run" "$seed" $((minutes * 60 / count)) </dev/null
        "$program" eval modes "$bundle" --from "$run" --data "$data" --out "$run/modes" --json >"$run/modes.json" </dev/null
        done_steps=$(ls "$run" | sed -n 's/^checkpoint-0*\([0-9]*\)\.safetensors$/\1/p' | tail -1)
        seconds=$(seconds "$run/metrics.jsonl")
        echo "$(number hit <"$run/modes.json") $(number modes <"$run/modes.json") $(number good_share <"$run/modes.json") $done_steps $seconds" >>"$out/$label.found"
    done
    kernel_count=$(kernels "$bundle")
    hit=$(awk '{ print $1 }' "$out/$label.found" | median)
    good=$(awk '{ print 100 * $3 }' "$out/$label.found" | median)
    awk -v label="$label" -v hit="$hit" -v good="$good" -v kernels="$kernel_count" '
        { modes = $2; all = all (NR > 1 ? ", " : "") $1; steps += $4; seconds += $5 }
        END { printf "| %s | %s of %s (%s) | %.1f %% | %d | %.1f | %d | %.0f |\n", label, hit, modes, all, good, steps / NR, seconds / 60, kernels,
              1e6 * seconds / steps / kernels }' "$out/$label.found"
done
