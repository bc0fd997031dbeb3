# shellcheck shell=bash
# Files and folders that say what is wrong when they cannot be written. Sourced after messages.sh.

# free_space PATH: what is free where the path is or would be, for a person.
free_space() {
  local path=$1 bytes inodes mounted
  until [[ -e $path || $path != */* ]]; do path=${path%/*}; done
  read -r bytes inodes mounted < <(df --output=avail,iavail,target -B1 -- "${path:-/}" 2>/dev/null | tail -n 1) || return 0
  printf '%s free (%s more files) on the file system at %s' "$(numfmt --to=iec --suffix=B "$bytes")" "$inodes" "$mounted"
}

# full_disk_hint PATH: a sentence when there is (almost) no room where the path is; nothing otherwise.
full_disk_hint() {
  local path=$1 bytes inodes
  until [[ -e $path || $path != */* ]]; do path=${path%/*}; done
  read -r bytes inodes < <(df --output=avail,iavail -B1 -- "${path:-/}" 2>/dev/null | tail -n 1) || return 0
  if ((bytes < 16 << 20)) || [[ $inodes == 0 ]]; then
    printf '\nThe disk is full: %s, where %s is' "$(free_space "$1")" "$1"
  fi
}

# cannot_write PATH [CAUSE]: ends the script with what could not be written, and the space that is left there.
cannot_write() {
  die "cannot write $1${2:+: $2}; $(free_space "$1")"
}

# make_folder PATH...: with those above it.
make_folder() {
  local said
  said=$(mkdir -p -- "$@" 2>&1) || cannot_write "${!#}" "${said##*: }"
}

# write_file PATH TEXT: one line; the file holds it whole, or the script ends.
write_file() {
  local said
  # A redirection that fails is the shell's own error: a group of its own catches that too.
  said=$({ printf '%s\n' "$2" >"$1"; } 2>&1) || cannot_write "$1" "${said##*: }"
}
