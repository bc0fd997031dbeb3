# shellcheck shell=bash
# How a build folder is configured. Sourced by build and check; needs messages.sh and the current folder at the root.

# newest_clang: the version suffix (`-16`, or nothing) of the newest clang++ that reads the standard's coroutines (15 or
# later) and has its sanitizers' runtime beside it; fails where there is none.
newest_clang() {
  local suffix
  for suffix in -{21..15} ''; do
    command -v "clang++$suffix" >/dev/null || continue
    (($("clang++$suffix" -dumpversion | cut -d. -f1) >= 15)) || continue
    [[ -e $("clang++$suffix" -print-file-name="libclang_rt.asan-$(uname -m).a") ||
      -e $("clang++$suffix" -print-file-name=libclang_rt.asan.a) ]] || continue
    printf '%s\n' "$suffix"
    return
  done
  return 1
}

# is_configured PRESET OPTION...: whether build/PRESET is there, and made with these options (-DNAME=VALUE).
is_configured() {
  local option name cache=build/$1/CMakeCache.txt
  [[ -f build/$1/build.ninja ]] || return
  for option in "${@:2}"; do
    name=${option%%=*}
    grep -q "^${name#-D}:[A-Z]*=.*${option#*=}\$" "$cache" || return
  done
}

# configure_preset PRESET: configures build/PRESET, unless it is. The sanitizers' builds take clang where there is one:
# it compiles them in half of GCC's time (cmake/Precompiled.cmake), and the fuzz targets come with them.
configure_preset() {
  local suffix options=()
  if [[ $1 == asan || $1 == tsan || $1 == tidy ]] && suffix=$(newest_clang); then
    options+=("-DCMAKE_C_COMPILER=clang$suffix" "-DCMAKE_CXX_COMPILER=clang++$suffix")
    if [[ $1 == asan ]]; then options+=(-DUSBLOOP_FUZZ=ON); fi
  fi
  if is_configured "$1" "${options[@]}"; then return; fi
  note "configuring build/$1"
  cmake --fresh --preset "$1" "${options[@]}" >&2 || die "CMake could not configure (its own words stand above)"
}
