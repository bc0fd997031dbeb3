# shellcheck shell=bash
# How the scripts speak: what a person is to read goes to stderr, results go to stdout. Sourced, never run.

# note TEXT...: one line of progress.
note() {
  printf '%s\n' "$*" >&2
}

# die TEXT...: says why the script cannot go on, and ends it.
die() {
  printf '%s: error: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# wrong_usage TEXT...: like die, for a command line that cannot be understood.
wrong_usage() {
  printf '%s: %s\nTry: %s --help\n' "${0##*/}" "$*" "$0" >&2
  exit 2
}

# now_ms: milliseconds of a clock good enough to time steps with.
now_ms() {
  printf '%s\n' "$((${EPOCHREALTIME/[.,]/} / 1000))"
}

# seconds_since MILLISECONDS: the time since a now_ms, as "1.2 s".
seconds_since() {
  local passed=$(($(now_ms) - $1))
  printf '%d.%d s' "$((passed / 1000))" "$((passed % 1000 / 100))"
}

# timed TEXT COMMAND...: runs the command and says what was done and how long it took.
timed() {
  local text=$1 started
  shift
  started=$(now_ms)
  "$@" || return
  note "$(printf '  %-52s %8s' "$text" "$(seconds_since "$started")")"
}
