# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are those of build-guest, which sources this
# The guest's initramfs: busybox, the kernel's modules, and the files of guest/root. Sourced by build-guest, whose
# variables it uses.

# module_files NAME: the files of a module and of all that it depends on, as paths below the modules' directory.
# Fails when the kernel has no such module; prints nothing when it is built in.
module_files() {
  modprobe -C /dev/null -d "$work/kernel" -S "$version" --show-depends "$1" 2>/dev/null >"$work/depends" || return
  sed -n "s|^insmod $modules/\([^ ]*\).*|\1|p" "$work/depends"
}

# install_module PATH: into the initramfs, uncompressed, as busybox reads only that.
install_module() {
  local target=$tree/lib/modules/$version/${1%.[xgz]z*}
  mkdir -p "${target%/*}"
  case $1 in
    *.ko) cp "$modules/$1" "$target" ;;
    *.ko.xz) xz -dc "$modules/$1" >"$target" ;;
    *.ko.zst) zstd -dcq "$modules/$1" >"$target" ;;
    *.ko.gz) gzip -dc "$modules/$1" >"$target" ;;
    *) die "module $1 has an unknown form" ;;
  esac
}

install_modules() {
  local name path
  depmod -b "$work/kernel" "$version"
  while read -r name; do
    case $name in
      '' | '#'*) ;;
      '?'*) module_files "${name#\?}" || true ;;
      *) module_files "$name" || die "guest/modules: kernel $version has no module $name" ;;
    esac
  done <"$root/guest/modules" >"$work/module_files"
  sort -u "$work/module_files" >"$work/module_files.sorted"
  while read -r path; do install_module "$path"; done <"$work/module_files.sorted"
  cp "$modules"/modules.{builtin,builtin.modinfo,order} "$tree/lib/modules/$version/"
  depmod -b "$tree" "$version"
}

install_busybox() {
  local programs=("$work"/busybox/{bin,usr/bin}/busybox) program applet
  mkdir "$work/busybox"
  dpkg-deb -x "$busybox_deb" "$work/busybox"
  for program in "${programs[@]}"; do
    if [[ -f $program ]]; then cp "$program" "$tree/bin/busybox"; fi
  done
  [[ -x $tree/bin/busybox ]] || die "$busybox_deb holds no busybox"
  while read -r applet; do
    if [[ ! -e $tree/bin/$applet ]]; then ln -s busybox "$tree/bin/$applet"; fi
  done < <("$tree/bin/busybox" --list)
  ln -s bin/busybox "$tree/init"
  ln -s bin "$tree/sbin"
}

# install_program NAME: that of guest/NAME.hex behind the least that makes an ELF file of it: one segment, loaded whole.
install_program() {
  local code size header
  code=$(sed -e 's/#.*//' "$root/guest/$1.hex" | tr -d ' \n')
  [[ $code =~ ^([0-9a-f]{2})+$ ]] || die "guest/$1.hex holds something else than bytes"
  printf -v size '%02x00000000000000' $((120 + ${#code} / 2))
  # The file's header; then the segment's, with the addresses of both and the size in the file and in memory.
  header=7f454c4602010100000000000000000002003e00010000007800400000000000
  header+=40000000000000000000000000000000000000004000380001000000000000000100000005000000
  header+=000000000000000000004000000000000000400000000000$size${size}0010000000000000
  # shellcheck disable=SC2059,SC2001  # the escapes are what matters; bash has no & in a replacement before 5.2
  printf "$(sed -e 's/../\\x&/g' <<<"$header$code")" >"$tree/lib/usbloop/$1"
  chmod 755 "$tree/lib/usbloop/$1"
}

make_tree() {
  mkdir -p "$tree"/{bin,dev,etc,lib,mnt,proc,root,run,sys,tmp}
  cp -R "$root/guest/root/." "$tree/"
  install_program renew
  install_program listen
  install_busybox
  install_modules
}

# pack_tree: owned by root whoever packs it, and the same bytes from the same input. Device nodes need no place in
# it: the kernel makes /dev/console itself, and devtmpfs the others.
pack_tree() {
  find "$tree" -exec touch -h -d @0 {} +
  (cd "$tree" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
    cpio --null --create --format=newc --owner=0:0 --reproducible --quiet) | gzip -n -6 >"$out/initramfs.cpio.gz"
}
