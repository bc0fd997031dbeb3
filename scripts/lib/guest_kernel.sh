# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are those of build-guest, which sources this
# The guest's kernel out of its packages. Sourced by build-guest, whose variables it uses.

# number_at FILE OFFSET BYTES: a little-endian number of the file.
number_at() {
  od -An -v -j "$2" -N "$3" -t "u$3" --endian=little "$1" | tr -d ' '
}

# extract_vmlinux BZIMAGE OUTPUT: the kernel proper. QEMU boots it directly (PVH), which under TCG saves the
# seconds that the kernel takes to unpack itself. Offsets: the kernel's Documentation/arch/x86/boot.rst.
extract_vmlinux() {
  local image=$1 start length magic
  [[ $(head -c 518 "$image" | tail -c 4) == HdrS ]] || die "$image is no x86 kernel image"
  start=$((($(number_at "$image" 497 1) + 1) * 512 + $(number_at "$image" 584 4)))
  length=$(number_at "$image" 588 4)
  magic=$(od -An -v -j "$start" -N 4 -t x1 "$image" | tr -d ' ')
  # After the compressed data stand four bytes with the size of what is in it; gzip's are part of its format.
  case $magic in
    fd377a58) unpack_payload "$((length - 4))" xz -dc ;;
    28b52ffd) unpack_payload "$((length - 4))" zstd -dcq ;;
    1f8b*) unpack_payload "$length" gzip -dc ;;
    *) die "$image: its payload begins with $magic, which is none of xz, zstd and gzip" ;;
  esac <"$image" >"$2"
  [[ $(head -c 4 "$2") == $'\x7fELF' ]] || die "$image: no ELF kernel in it"
  [[ $(stat -c %s "$2") == $(number_at "$image" $((start + length - 4)) 4) ]] || die "$image: not unpacked whole"
}

# unpack_payload LENGTH COMMAND...: of the image on stdin, from start on. Uses the caller's start.
unpack_payload() {
  local length=$1
  shift
  { tail -c +$((start + 1)) || true; } | head -c "$length" | "$@"
}

unpack_kernel() {
  mkdir "$work/kernel"
  # Graphics and network drivers are half of the package, and the guest has none of that hardware.
  local deb image=
  for deb in "${kernel_debs[@]}"; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/kernel" --no-same-owner --exclude='*/drivers/gpu' \
      --exclude='*/drivers/net/ethernet' --exclude='*/drivers/net/wireless' --exclude='*/drivers/infiniband' \
      --exclude='*/doc'
  done
  # Newer packages have their modules in /usr/lib, and the newest the kernel beside them.
  mkdir -p "$work/kernel/lib"
  if [[ -d $work/kernel/usr/lib/modules ]]; then mv "$work/kernel/usr/lib/modules" "$work/kernel/lib/modules"; fi
  for image in "$work"/kernel/boot/vmlinuz-* "$work"/kernel/lib/modules/*/vmlinuz; do
    if [[ -f $image ]]; then break; fi
  done
  [[ -f $image ]] || die "no kernel is in ${kernel_debs[*]##*/}"
  case $image in
    */boot/*) version=${image##*/vmlinuz-} ;;
    *) version=$(basename "${image%/vmlinuz}") ;;
  esac
  extract_vmlinux "$image" "$out/vmlinux"
  modules=$work/kernel/lib/modules/$version
  [[ -d $modules/kernel ]] || die "no modules of $version are in ${kernel_debs[*]##*/}"
}
