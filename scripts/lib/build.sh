# shellcheck shell=bash
# Configures and builds CMake presets; sourced by scripts/demo and scripts/test.

# build_preset PRESET [TARGET]: configures when there is no build tree yet or the presets are newer
# than it (Ninja reruns CMake by itself for everything else), then builds.
build_preset() {
  local preset=$1 tree=build/$1
  if [ ! -e "$tree/build.ninja" ] || [ CMakePresets.json -nt "$tree/CMakeCache.txt" ]; then
    say "configuring preset $preset"
    cmake --preset "$preset"
    touch "$tree/CMakeCache.txt"
  fi
  say "building preset $preset ${2:+(target $2)}"
  cmake --build --preset "$preset" ${2:+--target "$2"}
}
