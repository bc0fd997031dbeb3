# shellcheck shell=bash
# What the tests of the checks that read sources share: one source, planted in a tree of its own. Sourced.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/lib/messages.sh
. "$root/scripts/lib/messages.sh"

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/common/net" "$tree/build"

# plant TEXT: the tree's one source has it below a line of another kind. \n begins a line.
plant() {
  printf '%b\n' "#pragma once\n$1" >"$tree/common/net/file.h"
}

# check_finds CHECK EXPECTED TEXT: of TEXT, scripts/lib/CHECK says EXPECTED behind the file's name, and nothing else.
check_finds() {
  local said
  plant "$3"
  if said=$("$root/scripts/lib/$1" "$tree"); then die "$1 finds no fault in: $3"; fi
  [[ $said == "common/net/file.h:$2" ]] || die "of '$3' $1 says: $said"
}

# check_allows CHECK TEXT
check_allows() {
  local said
  plant "$2"
  said=$("$root/scripts/lib/$1" "$tree") || die "of '$2' $1 says: $said"
}

# check_clean CHECK: it finds nothing in this checkout.
check_clean() {
  "$root/scripts/lib/$1" "$root" || die "the checkout has faults (above)"
}
