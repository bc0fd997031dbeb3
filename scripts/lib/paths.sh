# shellcheck shell=bash
# Where this user's caches and loops are. Sourced after messages.sh.
# shellcheck source=scripts/lib/disk.sh
. "$(dirname "${BASH_SOURCE[0]}")/disk.sh"

# A service of systemd and some cron jobs have no HOME: what loops share is then in the loop's own folder.
if [[ -n ${USBLOOP_CACHE:-} ]]; then
  usbloop_cache=$USBLOOP_CACHE
elif [[ -n ${XDG_CACHE_HOME:-${HOME:-}} ]]; then
  usbloop_cache=${XDG_CACHE_HOME:-$HOME/.cache}/usbloop
elif [[ -n ${USBLOOP_HOME:-} ]]; then
  usbloop_cache=$USBLOOP_HOME/cache
else
  die "neither HOME nor USBLOOP_HOME is set: where shall the loop live? For example: USBLOOP_HOME=/var/lib/usbloop $0"
fi
# shellcheck disable=SC2034  # for those who source this
usbloop_home=${USBLOOP_HOME:-$usbloop_cache/home}
