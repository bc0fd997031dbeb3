# shellcheck shell=bash
# How an ordinary user's script does what only root may. Sourced after messages.sh.

# become_root COMMAND: sets as_root, the words before a command that run it as root. It lets sudo run something to see
# whether sudo wants a password: `sudo -v` asks for one as soon as a single rule of the user's wants it. COMMAND is what
# root is to type instead, for the message when nothing else works.
# shellcheck disable=SC2034  # as_root is for those who source this
become_root() {
  local by_hand=$1
  as_root=()
  if ((EUID == 0)); then return; fi
  command -v sudo >/dev/null || die "installing packages needs root, and there is no sudo. As root: $by_hand"
  as_root=(sudo -n)
  if sudo -n true 2>/dev/null; then return; fi
  [[ -t 0 ]] || die "sudo wants a password and there is no terminal to ask on. As root: $by_hand"
  as_root=(sudo)
  note "packages are installed as root, for which sudo wants your password"
  sudo true || die "without sudo nothing can be installed. As root: $by_hand"
}
