# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are those of build-guest, which sources this
# The packages that the guest is made of. Sourced by build-guest, whose variables it uses.

# use_own_package_lists: has apt fetch lists for this build alone. For a machine whose lists are missing or old:
# renewing the machine's own would need root.
use_own_package_lists() {
  local state=$work/apt
  mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial"
  apt_options=(
    -o "Dir::State=$state/state" -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$state/cache"
    -o "APT::Sandbox::User=$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3
    -o "Dir::Cache::pkgcache=$state/pkgcache.bin" -o "Dir::Cache::srcpkgcache=$state/srcpkgcache.bin"
  )
  timed "package lists" apt-get -qq "${apt_options[@]}" update >&2 ||
    die "apt-get could not fetch the package lists (its own words stand above)"
}

# kernel_packages NAME: the packages that make up the kernel, one a line. linux-image-amd64 has no files, it depends on the
# package of a version. That one holds the kernel and its modules (Debian 12 and 13) or depends on those that do:
# linux-binary-…, linux-base-… and linux-modules-… (Debian after 13), linux-modules-… and linux-modules-extra-… (Ubuntu).
kernel_packages() {
  local names=("$1") seen=' ' name records
  # A level at a time: a call of apt may take a second.
  while ((${#names[@]} > 0)); do
    records=$(apt-cache "${apt_options[@]}" show --no-all-versions "${names[@]}" 2>/dev/null) || return
    for name in "${names[@]}"; do
      seen+="$name "
      if [[ $name == linux-*-[0-9]* ]]; then printf '%s\n' "$name"; fi
    done
    mapfile -t names < <(sed -n 's/^Depends: //p' <<<"$records" | sed 's/[,|]/\n/g' | sed 's/^ *//; s/ .*//' | sort -u |
      grep -E '^linux-(image|image-unsigned|binary|base|modules|modules-extra)-[0-9]' |
      while read -r name; do [[ $seen == *" $name "* ]] || printf '%s\n' "$name"; done)
  done
}

# choose_packages: sets packages: busybox, and those of the kernel.
choose_packages() {
  local name candidates=("$kernel") found=()
  packages=()
  if [[ $busybox != *.deb ]]; then packages+=("$busybox"); fi
  if [[ $kernel == *.deb ]]; then return; fi
  if [[ $kernel == default ]]; then candidates=(linux-image-amd64 linux-image-generic); fi
  for name in "${candidates[@]}"; do
    mapfile -t found < <(kernel_packages "$name")
    if ((${#found[@]} > 0)); then break; fi
  done
  packages+=("${found[@]}")
  ((${#found[@]} > 0))
}

# fetch_packages: sets kernel_debs and busybox_deb. What is in the package cache, whole, is not fetched again: apt checks
# the files against the hashes in the signed lists.
fetch_packages() {
  local name names=()
  make_folder "$cache/packages"
  choose_packages || return
  kernel_debs=() busybox_deb=$busybox
  if [[ $kernel == *.deb ]]; then kernel_debs=("$kernel"); fi
  if ((${#packages[@]} == 0)); then return; fi
  mapfile -t names < <(apt-get "${apt_options[@]}" download --print-uris "${packages[@]}" 2>/dev/null | cut -d ' ' -f 2)
  ((${#names[@]} == ${#packages[@]})) || return
  (cd "$cache/packages" && apt-get -qq "${apt_options[@]}" download "${packages[@]}") >&2 2>"$work/download.log" || return
  for name in "${names[@]}"; do
    case $name in
      "$busybox"_*) busybox_deb=$cache/packages/$name ;;
      *) kernel_debs+=("$cache/packages/$name") ;;
    esac
  done
}

fetch_packages_or_die() {
  apt_options=(-o "APT::Sandbox::User=$(id -un)")
  # Images for containers have apt keep no cache of its lists: each call would read all of them.
  if [[ ! -s /var/cache/apt/pkgcache.bin ]]; then
    apt_options+=(-o "Dir::Cache::pkgcache=$work/pkgcache.bin" -o "Dir::Cache::srcpkgcache=$work/srcpkgcache.bin")
  fi
  if ((rebuild)) || ! fetch_packages; then
    use_own_package_lists
    fetch_packages || {
      cat "$work/download.log" >&2 2>/dev/null || true
      die "cannot fetch the kernel (${kernel/#default/linux-image-amd64 or linux-image-generic}) and $busybox"
    }
  fi
}
