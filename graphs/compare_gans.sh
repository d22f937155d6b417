#!/bin/sh
# Trains every GAN remedy on a mixture of Gaussians (or on digits), three seeds each, and prints the table that graphs/README.md shows. Can
# be stopped and started again: runs go on where they were. See graphs/compare_gans.sh --help.
set -eu
cd "$(dirname "$0")/.."

program=build/release/gcc-graph
out=""
data=ring
minutes=4
batch=""
steps=""
seeds="0 1 2"
defines=""
jobs=1
classifier=""
chosen=""

# label, graph for points, graph for images, preset (- for none)
remedies="
vanilla            ring_gan              mnist_gan              -
vanilla-minimax    ring_gan              mnist_gan              minimax
minibatch          ring_minibatch        mnist_minibatch        -
unrolled-0         ring_unrolled         -                      plain
unrolled-5         ring_unrolled         mnist_unrolled         -
unrolled-10        ring_unrolled         -                      far
unrolled-5-sgd     ring_unrolled         -                      sgd
mgan               ring_mgan             mnist_mgan             -
spectral-norm      ring_spectral_norm    spectral_norm          -
wgan-clipped       ring_wgan             mnist_wgan             -
wgan-gp            ring_wgan_gp          wgan_gp                -
feature-matching   ring_feature_matching mnist_feature_matching -
ttur               ring_balance          balance                ttur
n-critic           ring_balance          balance                n_critic
rest               ring_balance          -                      rest
rest               -                     balance                -
"

while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h) ;;
    -*) [ $# -gt 1 ] || { echo "compare_gans.sh: $1 wants a value, or is unknown; try --help" >&2 && exit 2; } ;;
    esac
    case "$1" in
    --program) program="$2" && shift ;;
    --out) out="$2" && shift ;;
    --data) data="$2" && shift ;;
    -D) defines="$defines -D $2" && shift ;;
    --jobs) jobs="$2" && shift ;;
    --classifier) classifier="$2" && shift ;;
    --minutes) minutes="$2" && shift ;;
    --batch) batch="$2" && shift ;;
    --steps) steps="$2" && shift ;;
    --seeds) seeds="$2" && shift ;;
    --help | -h)
        echo "usage: graphs/compare_gans.sh [--data ring|grid|mnist] [--minutes N] [--batch N] [--steps N] [--seeds 'S ...']"
        echo "                              [-D NAME=VALUE] [--jobs N] [--classifier RUN] [--out DIR] [--program P] [REMEDY...]"
        echo "Trains each remedy once for each seed, at most N minutes (default 4) for all its seeds together, and prints a table: modes hit and"
        echo "good samples (of points) or digits that a classifier is sure of and the entropy of its answers (of images, with --classifier, a run"
        echo "of graphs/features.json), steps, time, kernels of a step and time of one. --batch (default: 128 points, 64 images) and --steps"
        echo "(default: the graph's) and -D hold for all. --jobs trains several at once, each by one thread: for lavapipe, as many as there are cores,"
        echo "since such small kernels wait longer for a second thread than it saves. Runs with loss curves and samples stay in DIR (default"
        echo "runs/DATA); started again, they go on from there. P is gcc-graph (default build/release/gcc-graph)."
        echo "REMEDY:" $(echo "$remedies" | awk 'NF && !seen[$1]++ { print $1 }')
        exit 0
        ;;
    -*)
        echo "compare_gans.sh: unknown option $1; try --help" >&2
        exit 2
        ;;
    *)
        echo "$remedies" | awk 'NF { print $1 }' | grep -qx "$1" || {
            echo "compare_gans.sh: there is no remedy \"$1\"; try --help" >&2
            exit 2
        }
        chosen="$chosen $1 "
        ;;
    esac
    shift
done
for number in "$minutes" "$jobs"; do
    case "$number" in "" | *[!0-9]* | 0) echo "compare_gans.sh: --minutes and --jobs take whole numbers from 1" >&2 && exit 2 ;; esac
done
[ -x "$program" ] || { echo "compare_gans.sh: $program is not there: ./quickstart.sh builds it, or --program P" >&2 && exit 1; }
case "$data" in
ring | grid) is_images="" columns="modes hit | good samples" ;;
*) is_images=1 columns="sure digits | entropy, nats" ;;
esac
out=${out:-runs/${data%%:*}}
batch=${batch:-$([ "$is_images" ] && echo 64 || echo 128)}
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
    timeout --foreground -s INT "$seconds" "$program" train "$bundle" --out "$run" "$@" >>"$run.log" 2>&1 || status=$?
    [ "$status" = 0 ] || [ "$status" = 124 ] || { tail -3 "$run.log" >&2 && return 1; }
    [ "$status" = 124 ] || touch "$run/done"
}

# Three numbers of a run: modes hit, of how many, share of good samples; or share of sure digits, 1, entropy (0 1 0 without a classifier).
measure() { # bundle, run
    if [ -z "$is_images" ]; then
        "$program" eval modes "$1" --from "$2" --data "$data" --out "$2/modes" --json >"$2/modes.json"
        echo "$(number hit <"$2/modes.json") $(number modes <"$2/modes.json") $(number good_share <"$2/modes.json")"
        return
    fi
    "$program" sample "$1" --from "$2" --out "$2/samples" --force --count 256 --tensors --seed 1 >/dev/null
    if [ -z "$classifier" ]; then echo 0 1 0 && return; fi
    "$program" eval classify "$out/classifier.ggb" --from "$classifier" --images "$2/samples/samples.npy" --data "$data" --json \
        >"$2/classes.json"
    echo "$(number confident <"$2/classes.json") 1 $(number entropy <"$2/classes.json")"
}

# The remedies that were asked for, as lines "label graph preset".
chosen_remedies() {
    echo "$remedies" | while read -r label points images preset; do
        case "$chosen" in "") ;; *" $label "*) ;; *) continue ;; esac
        graph=$points
        if [ "$is_images" ]; then graph=$images; fi
        [ -z "$label" ] || [ "$graph" = - ] || echo "$label $graph $preset"
    done
}

if [ "$is_images" ] && [ "$classifier" ]; then "$program" compile graphs/features.json -o "$out/classifier.ggb" >/dev/null; fi
chosen_remedies | while read -r label graph preset; do
    if [ "$preset" = - ]; then preset=""; fi
    "$program" compile "graphs/$graph.json" ${preset:+--preset "$preset"} -D "batch=$batch" $defines -o "$out/$label.ggb" >/dev/null
done

# Worker k of N trains every N-th run; all runs may take equally long.
seed_count=$(echo "$seeds" | wc -w)
if [ "$jobs" -gt 1 ]; then export LP_NUM_THREADS=0; fi
worker=0
workers=""
while [ "$worker" -lt "$jobs" ]; do
    chosen_remedies | while read -r label graph preset; do for seed in $seeds; do echo "$label $seed"; done; done |
        awk -v k="$worker" -v n="$jobs" 'NR % n == k' | while read -r label seed; do
        echo "training $label, seed $seed" >&2
        train "$out/$label.ggb" "$out/$label-$seed" "$seed" $((minutes * 60 * jobs / seed_count)) </dev/null
    done &
    workers="$workers $!"
    worker=$((worker + 1))
done
failed=""
for worker in $workers; do wait "$worker" || failed=1; done
[ -z "$failed" ] || { echo "compare_gans.sh: a training failed (above); its log is in $out beside its folder. Started again, the others go on." >&2 && exit 1; }

echo "| Remedy | $columns | steps | minutes | kernels a step | us a kernel |"
echo "|---|---|---|---|---|---|---|"
chosen_remedies | while read -r label graph preset; do
    bundle="$out/$label.ggb"
    : >"$out/$label.found"
    for seed in $seeds; do
        run="$out/$label-$seed"
        done_steps=$(ls "$run" | sed -n 's/^checkpoint-0*\([0-9]*\)\.safetensors$/\1/p' | tail -1)
        found="$(measure "$bundle" "$run" </dev/null)"
        echo "$found $done_steps $(seconds "$run/metrics.jsonl")" >>"$out/$label.found"
    done
    kernel_count=$(kernels "$bundle")
    first=$(awk '{ print $1 }' "$out/$label.found" | median)
    second=$(awk '{ print $3 }' "$out/$label.found" | median)
    awk -v label="$label" -v first="$first" -v second="$second" -v kernels="$kernel_count" -v is_images="$is_images" '
        { of = $2; all = all (NR > 1 ? ", " : "") $1; steps += $4; seconds += $5 }
        END {
            if (is_images) printf "| %s | %.1f %% | %.2f |", label, 100 * first, second
            else printf "| %s | %s of %s%s | %.1f %% |", label, first, of, (NR > 1 ? " (" all ")" : ""), 100 * second
            printf " %d | %.1f | %d | %.0f |\n", steps / NR, seconds / 60, kernels, 1e6 * seconds / steps / kernels
        }' "$out/$label.found"
done
