# shellcheck shell=bash
# What the tests of the scripts share. Sourced; the test has `set -euo pipefail`.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/lib/messages.sh
. "$root/scripts/lib/messages.sh"

work=$(mktemp -d)
failures=0

# skip TEXT: ends the test, which could not run here.
skip() {
  note "${0##*/}: skipped: $*"
  exit 77
}

# case_is TEXT: what the checks that follow are about.
case_is() {
  the_case=$*
  note "-- $the_case"
}

# check TEXT COMMAND...: the command has to succeed; the test goes on all the same.
check() {
  local text=$1
  shift
  if "$@"; then return; fi
  note "FAILED: $the_case: $text"
  note "$(sed 's/^/    /' "$work/said" 2>/dev/null || true)"
  failures=$((failures + 1))
}

# run COMMAND...: with its output in $work/said and its exit code in `status`.
run() {
  status=0
  "$@" >"$work/said" 2>&1 </dev/null || status=$?
}

status_is() { [[ $status == "$1" ]]; }
says() { grep -qF -- "$1" "$work/said"; }
says_not() { ! grep -qF -- "$1" "$work/said"; }

finish() {
  if ((failures > 0)); then die "$failures checks failed"; fi
}
