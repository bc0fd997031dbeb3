# shellcheck shell=bash
# The cluster of the loop as a shell sees it: its API by curl, its guests by their serial consoles. Sourced
# after home.sh.
: "${usbloop_home:?}"

# Where the VMIs of the default namespace are.
vmis=/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances

# api METHOD PATH [BODY]: one request to the API server as the administrator; the answer on stdout.
api() {
  local method=$1 path=$2 body=${3:-} kubeconfig=$usbloop_home/kubeconfig server token
  server=$(awk '$1 == "server:" { print $2; exit }' "$kubeconfig")
  token=$(awk '$1 == "token:" { print $2; exit }' "$kubeconfig")
  # The token goes in by a file descriptor: the command line is for everybody to read.
  curl --silent --show-error --fail-with-body --max-time 30 --request "$method" \
    --cacert "$usbloop_home/apiserver/pki/ca.crt" --header @<(printf 'Authorization: Bearer %s\n' "${token//\"/}") \
    --header 'Content-Type: application/json' ${body:+--data "$body"} "$server$path"
}

# vmi_field NAME KEY: one string field of a VMI's JSON, found by its key; its owner's uid is not its own.
vmi_field() {
  api GET "$vmis/$1" | tr -d '\n' | sed 's/"ownerReferences": *\[[^]]*\]//' | grep -o "\"$2\": *\"[^\"]*\"" | head -n 1 | cut -d'"' -f4
}

vmi_is_running() { [[ $(vmi_field "$1" phase 2>/dev/null) == Running ]]; }
vmi_is_gone() { ! api GET "$vmis/$1" >/dev/null 2>&1; }

# guest_directory NAME: the folder of a VMI's guest on the node.
guest_directory() {
  printf '%s/node-a/%s\n' "$usbloop_home" "$(vmi_field "$1" uid)"
}

# guest_said DIRECTORY TEXT: whether the guest's console has shown the text.
guest_said() {
  grep -qa -- "$2" "$1/serial.log" 2>/dev/null
}

# guest_run DIRECTORY SECONDS COMMAND: runs a command line in the guest's shell and prints what it answered. Fails when
# the command fails or the time is over.
#
# Others write to the console too. The guest's own event lines are whole lines between ours, for each of ours is one
# write. The kernel breaks into lines: it is told to be silent while the answer, kept in a file until then, is printed.
# The answer has a sum, and is printed again if it came broken all the same.
guest_run() {
  local directory=$1 seconds=$2 command=$3 mark heard try status
  mark=usbloop_$RANDOM$RANDOM
  # What comes through the socket counts: while its reader is behind, QEMU writes bytes into serial.log twice.
  heard=$(mktemp)
  # The connection stays open until the answer is there: QEMU drops what it has not handed to the guest when it closes.
  # shellcheck disable=SC2094 # to read the file while it is being written is meant
  {
    guest_lines "$mark" "$command"
    for try in 1 2 3 4 5; do
      if ((try > 1)); then printf ' %s_say %d\n' "$mark" "$try"; fi
      wait_for "$seconds" grep -qa "$mark.$try-end [0-9]* [0-9a-f]*"$'\r' "$heard" || break
      if answer_is_whole "$heard" "$mark.$try"; then break; fi
    done
  } | socat -t 0 - "UNIX-CONNECT:$directory/virt-serial0" >"$heard" || true
  try=$(grep -ao "$mark\.[1-5]-end [0-9]* " "$heard" | tail -n 1) || true
  status=${try#*-end }
  try=${try%%-end *}
  if [[ -z $try ]]; then
    note "no answer of the guest within $seconds s; the end of what it said: $(tail -c 300 "$heard" | tr -d '\r')"
    status=1
  elif ! answer_is_whole "$heard" "$try"; then
    note "the guest's answer came broken, five times"
    status=1
  else
    answer_lines "$heard" "$try" | sed -e '${/^$/d}'
  fi
  rm -f "$heard"
  return "${status% }"
}

# guest_lines MARK COMMAND: what is typed to define what prints the answer, and to run the command and print it once. The
# marks are put together in the guest, so that the echo of what is typed does not look like them. The command and what
# follows are one line, for a command may read what is typed behind it. It gets a shell of its own, so that one that
# cannot be understood, exits or goes on behind an & leaves the console as it was.
# shellcheck disable=SC2016 # what is not to be expanded here is for the guest's shell
guest_lines() {
  local file=/tmp/$1
  printf ' rm -f /tmp/usbloop_*; %s_say() { read -r level rest </proc/sys/kernel/printk; dmesg -n 1; echo; ' "$1"
  printf 'while IFS= read -r l; do printf "%%s\\n" "%s"".$1=$l"; done <%s; ' "$1" "$file"
  printf 'printf "%%s\\n" "%s"".$1-end $(cat %s.status) $(md5sum <%s | cut -c1-32)"; dmesg -n "$level"; }\n' "$1" "$file" "$file"
  printf " sh -c '%s' >%s.raw 2>&1; echo \$? >%s.status; " "${2//\'/\'\\\'\'}" "$file" "$file"
  printf 'while IFS= read -r l || [ -n "$l" ]; do printf "%%s\\n" "$l"; done <%s.raw | tr -d "\\r" >%s; %s_say 1\n' \
    "$file" "$file" "$1"
}

# answer_lines HEARD MARK: what the guest has printed behind the mark; the kernel's last word may stand before it.
answer_lines() { tr -d '\r' <"$1" | sed -n "s/^.*$2=//p"; }

answer_is_whole() {
  local sum
  sum=$(grep -ao "$2-end [0-9]* [0-9a-f]*" "$1" | tail -n 1)
  [[ $(answer_lines "$1" "$2" | md5sum | cut -c1-32) == "${sum##* }" ]]
}
