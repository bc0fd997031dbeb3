# shellcheck shell=bash
# The home of one loop: its programs, the processes that `up` started there, and the lock of those who change them.
# Sourced after messages.sh.
# shellcheck source=scripts/lib/paths.sh
. "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

# programs_dir ROOT: the folder of the built programs; USBLOOP_BIN says it where there is no build tree.
programs_dir() {
  printf '%s\n' "${USBLOOP_BIN:-$1/build/release/bin}"
}

# start_time PID: the kernel's start time of a process, which tells it from a later one with the same number.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  cut -d' ' -f20 <<<"$stat"
}

# remember PIDFILE PID: records a process that we started.
remember() {
  write_file "$1" "$2 $(start_time "$2")"
}

# running PIDFILE: prints the pid when the very process that was remembered still runs. A process that has ended and waits
# to be reaped still has its number and start time, and does not count.
running() {
  local pid started
  [[ -r $1 ]] || return 1
  read -r pid started <"$1" || return 1
  [[ -n ${started:-} && $(start_time "$pid" || true) == "$started" ]] || return 1
  if is_gone "$pid"; then return 1; fi
  printf '%s\n' "$pid"
}

# is_gone PID: true when the process has ended; one that only waits to be reaped counts as ended.
is_gone() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  [[ ${stat##*) } == Z* ]]
}

# stop_pid PID SECONDS: SIGTERM, then SIGKILL when it has not ended in time.
stop_pid() {
  local until=$(($(now_ms) + $2 * 1000))
  kill -TERM "$1" 2>/dev/null || return 0
  until is_gone "$1"; do
    if (($(now_ms) > until)); then
      note "$(basename "$0"): process $1 did not end within $2 s and is killed"
      kill -KILL "$1" 2>/dev/null || true
      return 0
    fi
    sleep 0.05
  done
}

# wait_for SECONDS COMMAND...: repeats the command until it succeeds; fails when the time is over.
wait_for() {
  local until=$(($(now_ms) + $1 * 1000))
  shift
  until "$@"; do
    if (($(now_ms) > until)); then return 1; fi
    sleep 0.05
  done
}

# lock_home SECONDS: waits until nobody else starts or stops the loop, and keeps others out until the script ends. It locks
# the folder itself, so no lock file is left behind or deleted under others. Start programs with 9<&-.
# Fails when there is no such folder, and ends the script when the time is over.
lock_home() {
  while { exec 9<"$usbloop_home"; } 2>/dev/null; do
    flock -w "$1" 9 || die "another scripts/up or scripts/down has been at work on $usbloop_home for $1 s"
    # `down --purge` may have deleted it while we waited, and another `up` have made it anew.
    if [[ /proc/self/fd/9 -ef $usbloop_home ]]; then return; fi
  done
  return 1
}
