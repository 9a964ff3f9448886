# shellcheck shell=bash
# Configures and builds CMake presets; sourced by scripts/demo and scripts/test.

# What the compiler cache has from another checkout serves this one too.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# build_preset PRESET [TARGET]: configures when there is no build tree yet or the presets are newer
# than it (Ninja reruns CMake by itself for everything else), then builds.
build_preset() {
  local preset=$1 configured=build/$1/configured began=$SECONDS
  if [ ! -e "$configured" ] || [ CMakePresets.json -nt "$configured" ]; then
    say "configuring preset $preset"
    cmake --preset "$preset"
    touch "$configured"
  fi
  say "building preset $preset${2:+ (target $2)}"
  cmake --build --preset "$preset" ${2:+--target "$2"}
  say "preset $preset is built after $((SECONDS - began)) s"
}
