# Shared by quickstart.sh, check.sh and .ci/run (sourced, not run): the list of Debian packages, their installation, and stages that say what they do.

# Everything that building and running needs. Names are Debian 12's and 13's.
GG_BUILD_PACKAGES="build-essential cmake ninja-build pkg-config libvulkan-dev mesa-vulkan-drivers glslang-dev glslang-tools spirv-tools \
libpng-dev libjpeg-dev libcjson-dev libcairo2-dev libpango1.0-dev zlib1g-dev libxxhash-dev fonts-dejavu-core"
# What the tests need beyond that: chromium brings SwiftShader, the second Vulkan driver; libwebp is optional.
GG_TEST_PACKAGES="check libsubunit-dev libwebp-dev vulkan-validationlayers chromium"

GG_STAGE_NAME=""
GG_STAGE_START=0

gg_stage_end() {
    if [ -n "$GG_STAGE_NAME" ]; then
        echo "    done in $(( $(date +%s) - GG_STAGE_START )) s"
    fi
    GG_STAGE_NAME=""
}

# gg_stage NAME HOW_LONG: ends the stage before and says what comes next.
gg_stage() {
    gg_stage_end
    GG_STAGE_NAME="$1"
    GG_STAGE_START=$(date +%s)
    echo "==> $1 ($2)"
}

gg_is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# gg_install PACKAGES…: installs what is missing. As root at once; else it asks, and uses sudo; where it cannot, it prints the command and fails.
gg_install() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "    this is no Debian system; these packages (or what corresponds to them) are needed:"
        echo "    $*"
        return 0
    fi
    missing=""
    for package in "$@"; do
        gg_is_installed "$package" || missing="$missing $package"
    done
    if [ -z "$missing" ]; then
        echo "    all packages are there"
        return 0
    fi
    command="apt-get install -y --no-install-recommends$missing"
    echo "    missing:$missing"
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        log=$(mktemp)
        DEBIAN_FRONTEND=noninteractive $command >"$log" 2>&1 || {
            tail -20 "$log" >&2
            rm -f "$log"
            return 1
        }
        rm -f "$log"
        return 0
    fi
    if command -v sudo >/dev/null && [ -t 0 ]; then
        printf '    run "sudo %s"? [y/N] ' "$command"
        read -r answer
        case "$answer" in
        y | Y | yes)
            sudo apt-get update -qq && sudo DEBIAN_FRONTEND=noninteractive $command
            return
            ;;
        esac
    fi
    echo "Please install the missing packages, then start again:" >&2
    echo "    sudo $command" >&2
    return 1
}

# gg_indented COMMAND…: what it prints is indented; its exit code stays (a pipe would hide it).
gg_indented() {
    gg_status=0
    "$@" >build/.printed || gg_status=$?
    sed 's/^/    /' build/.printed
    rm -f build/.printed
    return "$gg_status"
}

# gg_build FOLDER OPTIONS…: configures and builds.
gg_build() {
    folder="$1"
    shift
    cmake -S . -B "$folder" -G Ninja "$@" >"$folder.log" 2>&1 && ninja -C "$folder" >>"$folder.log" 2>&1 || {
        tail -40 "$folder.log" >&2
        echo "the build failed; the whole log is in $folder.log" >&2
        return 1
    }
}
