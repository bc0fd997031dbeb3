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
guest_run() {
  local directory=$1 seconds=$2 command=$3 mark heard answer
  mark=usbloop-$RANDOM$RANDOM
  # What comes through the socket counts: while its reader is behind, QEMU writes bytes into serial.log twice.
  heard=$(mktemp)
  # The marks are put together in the guest, so that the echo of the line we type does not look like them. The
  # connection stays open until the answer is there: QEMU drops what it has not handed to the guest when it closes.
  # shellcheck disable=SC2094 # to read the file while it is being written is meant
  {
    # The end has a line of its own, also behind a file that ends without a line end.
    printf ' echo %s""-begin; %s; printf "\\n%%s\\n" %s""-end\\ $?\n' "$mark" "$command" "$mark"
    wait_for "$seconds" grep -qa "^$mark-end [0-9]*"$'\r' "$heard"
  } | socat -t 0 - "UNIX-CONNECT:$directory/virt-serial0" >"$heard" || {
    note "no answer of the guest within $seconds s; the end of what it said: $(tail -c 300 "$heard" | tr -d '\r')"
    rm -f "$heard"
    return 1
  }
  answer=$(tr -d '\r' <"$heard" | sed -n "/^$mark-begin\$/,/^$mark-end /p")
  rm -f "$heard"
  sed -e 1d -e '$d' -e '/^usbloop-guest: /d' -e '/^\[ *[0-9.]*\] /d' <<<"$answer" | sed -e '${/^$/d}'
  return "${answer##*"$mark-end "}"
}
