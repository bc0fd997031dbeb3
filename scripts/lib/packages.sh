# shellcheck shell=bash
# What usbloop needs of the system, under Debian's names, and how to see whether it is there. Sourced by install-deps.

# shellcheck disable=SC2034  # for those who source this
declare -A packages_of=(
  # C++20 compiler and build tools, then the libraries in the order of cmake/Dependencies.cmake. doctest is for the tests,
  # which are configured with the programs.
  [build]="
    g++ lld cmake ninja-build pkg-config git ca-certificates
    libssl-dev nlohmann-json3-dev libspdlog-dev libcli11-dev libyaml-cpp-dev libsqlite3-dev libexpected-dev
    prometheus-cpp-dev libturbojpeg0-dev libslirp-dev libcacard-dev
    libusb-1.0-0-dev libusbredirhost-dev libusbredirparser-dev libasio-dev libwebsocketpp-dev libcpp-httplib-dev
    doctest-dev"
  # What unpacks a kernel package and packs an initramfs.
  [guest]="ca-certificates kmod cpio gzip xz-utils zstd util-linux"
  # QEMU; the same; what makes a file system in an image file; what the scripts speak to the loop with.
  [runtime]="
    qemu-system-x86
    ca-certificates kmod cpio gzip xz-utils zstd util-linux
    dosfstools mtools e2fsprogs
    curl openssl procps socat"
  # usbredirect and usbutils are the parts that ours are compared with; strace counts what a message costs; sudo is what
  # an ordinary user installs packages with; perl reads the sources for the checks, which have tests; npm fetches the
  # Kubernetes client for Node.js; tshark reads captures; tinyproxy is a proxy of others (its program alone);
  # libnss3-tools makes the certificates of a smart card.
  [test]="usbredirect usbutils strace sudo python3-kubernetes nodejs npm umockdev perl tshark tinyproxy-bin
    libnss3-tools"
  [check-tools]="perl clang-format clang-tidy shellcheck clang libclang-rt-dev llvm"
)

# The oldest version that will do, where a supported system may have an older one. CMake itself looks for the
# libraries' versions; here they are told before anything is compiled.
declare -A least_version=(
  [cmake]=3.25
  [nlohmann-json3-dev]=3.11
  [libspdlog-dev]=1.10
  # The standard's coroutines are read from this version on.
  [clang-tidy]=15
  [clang]=15
  [libclang-rt-dev]=15
)

# Packages whose version is in their name, where the one without it is too old: the first that is there or can be had.
declare -A other_names=(
  [clang-tidy]="clang-tidy-16 clang-tidy-17 clang-tidy-18 clang-tidy-19 clang-tidy-20 clang-tidy-21 clang-tidy-15"
  [clang]="clang-16 clang-17 clang-18 clang-19 clang-20 clang-21 clang-15"
  [libclang-rt-dev]="libclang-rt-16-dev libclang-rt-17-dev libclang-rt-18-dev libclang-rt-19-dev libclang-rt-20-dev
    libclang-rt-21-dev libclang-rt-15-dev"
)

# Where there is no dpkg: what each package is known by. command NAME, module NAME (of pkg-config), header PATH
# (of the C++ compiler), file PATH.
declare -A sign_of=(
  [g++]='command g++' [cmake]='command cmake' [ninja-build]='command ninja' [pkg-config]='command pkg-config'
  [git]='command git' [ca-certificates]='file /etc/ssl/certs'
  [libssl-dev]='module openssl' [nlohmann-json3-dev]='header nlohmann/json.hpp' [libspdlog-dev]='module spdlog'
  [libcli11-dev]='header CLI/CLI.hpp' [libyaml-cpp-dev]='module yaml-cpp' [libsqlite3-dev]='module sqlite3'
  [libexpected-dev]='header tl/expected.hpp' [prometheus-cpp-dev]='module prometheus-cpp-core'
  [libturbojpeg0-dev]='module libturbojpeg' [libslirp-dev]='header slirp/libslirp.h'
  [libcacard-dev]='header cacard/vcard_emul.h' [libnss3-tools]='command certutil'
  [libusb-1.0-0-dev]='module libusb-1.0' [libusbredirhost-dev]='module libusbredirhost'
  [libusbredirparser-dev]='module libusbredirparser-0.5' [libasio-dev]='header asio.hpp'
  [libwebsocketpp-dev]='header websocketpp/version.hpp' [libcpp-httplib-dev]='module cpp-httplib'
  [kmod]='command modprobe' [cpio]='command cpio' [gzip]='command gzip' [xz-utils]='command xz' [zstd]='command zstd'
  [util-linux]='command flock' [qemu-system-x86]='command qemu-system-x86_64'
  [dosfstools]='command mkfs.vfat' [mtools]='command mcopy' [e2fsprogs]='command mke2fs'
  [curl]='command curl' [openssl]='command openssl' [procps]='command ps' [socat]='command socat'
  [doctest-dev]='header doctest/doctest.h' [lld]='command ld.lld' [usbredirect]='command usbredirect' [usbutils]='command lsusb'
  [strace]='command strace' [sudo]='command sudo' [perl]='command perl'
  [python3-kubernetes]='file /usr/lib/python3/dist-packages/kubernetes'
  [nodejs]='command node' [npm]='command npm' [umockdev]='command umockdev-run' [tshark]='command tshark' [tinyproxy-bin]='command tinyproxy'
  [clang-format]='command clang-format' [clang-tidy]='command clang-tidy' [shellcheck]='command shellcheck'
  [clang]='command clang' [libclang-rt-dev]='runtime asan' [llvm]='command llvm-symbolizer'
)

# system_name: what the system calls itself.
system_name() (
  PRETTY_NAME=''
  # shellcheck disable=SC1091  # the file of the machine the script runs on
  if [[ -r /etc/os-release ]]; then . /etc/os-release; fi
  printf '%s\n' "${PRETTY_NAME:-a system without /etc/os-release}"
)

# has_dpkg: whether this system keeps its packages as Debian does.
has_dpkg() { command -v dpkg-query >/dev/null && [[ -s /var/lib/dpkg/status ]]; }

# has_sign PACKAGE: whether what the package brings can be seen, for systems without dpkg.
has_sign() {
  local kind what
  read -r kind what <<<"${sign_of[$1]}"
  case $kind in
    command) PATH=$PATH:/usr/sbin:/sbin command -v "$what" >/dev/null ;;
    module) pkg-config --exists "$what" 2>/dev/null ;;
    header) printf '#include <%s>\n' "$what" | g++ -std=c++20 -E -x c++ - >/dev/null 2>&1 ;;
    file) [[ -e $what ]] ;;
    runtime) [[ -e $(clang -print-file-name="libclang_rt.$what-$(uname -m).a" 2>/dev/null) ]] ;;
  esac
}

# upstream_version VERSION: without Debian's epoch and revision.
upstream_version() {
  local version=${1#*:}
  printf '%s\n' "${version%-*}"
}

# new_enough PACKAGE VERSION: whether that version of it will do.
new_enough() {
  local least=${least_version[$1]:-}
  [[ -z $least ]] || dpkg --compare-versions "$(upstream_version "$2")" ge "$least"
}

# read_installed: fills installed, the version of each package that is there. What a package says that it provides
# counts too: names move from one package to another between releases.
declare -A installed=()
read_installed() {
  local status package version provides provided
  while IFS='|' read -r status package version provides; do
    [[ $status == installed ]] || continue
    installed[$package]=$version
    while read -r provided _ version; do
      if [[ -n $provided && -z ${installed[$provided]:-} ]]; then installed[$provided]=${version%)}; fi
    done <<<"${provides//, /$'\n'}"
  done < <(dpkg-query -W -f '${db:Status-Status}|${Package}|${Version}|${Provides}\n' 2>/dev/null || true)
}

# is_installed PACKAGE: under its name or one of its other names, in a version that will do. Uses installed.
is_installed() {
  local name
  if [[ -n ${installed[$1]+there} ]] && { [[ -z ${installed[$1]} ]] || new_enough "$1" "${installed[$1]}"; }; then
    return
  fi
  for name in ${other_names[$1]:-}; do
    if [[ -n ${installed[$name]+there} ]]; then return; fi
  done
  return 1
}

# missing_of PACKAGE...: those that are not there, one a line.
missing_of() {
  local package seen=has_sign
  if has_dpkg; then
    seen=is_installed
    read_installed
  fi
  for package in "$@"; do
    "$seen" "$package" || printf '%s\n' "$package"
  done
}

# offered PACKAGE: the version that apt would install; empty where it knows no such package.
offered() {
  LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -v '^(none)$' || true
}

# name_to_install PACKAGE: the name under which apt has it in a version that will do; fails, with the reason on stdout,
# where it has none.
name_to_install() {
  local name version
  version=$(offered "$1")
  if [[ -n $version ]] && new_enough "$1" "$version"; then
    printf '%s\n' "$1"
    return
  fi
  for name in ${other_names[$1]:-}; do
    if [[ -n $(offered "$name") ]]; then
      printf '%s\n' "$name"
      return
    fi
  done
  if [[ -n $version ]]; then
    printf '%s: %s is needed, and this system has %s\n' "$1" "${least_version[$1]}" "$(upstream_version "$version")"
  else
    printf '%s: apt knows no package of this name here\n' "$1"
  fi
  return 1
}
