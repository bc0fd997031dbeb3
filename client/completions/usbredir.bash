# bash completion for usbredir. The words come from the program itself; see `usbredir completion --help`.
# shellcheck shell=bash
_usbredir() {
  local line=${COMP_LINE:0:COMP_POINT} begun answer candidate directive breaks head=
  local -a words
  # COMP_WORDS is split at colons and equals signs, which ids and flags have.
  read -ra words <<<"$line"
  if [[ $line == *[[:space:]] ]]; then words+=(""); fi
  begun=${words[-1]}
  answer=$("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null) || return
  directive=${answer##*:}
  COMPREPLY=()
  if [[ $directive == 0 ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "${begun##*=}")
    compopt -o filenames
    return
  fi
  while IFS= read -r candidate; do
    if [[ $candidate != :* ]]; then COMPREPLY+=("${candidate%%$'\t'*}"); fi
  done <<<"$answer"
  # What readline takes for the word begins behind the last of these.
  breaks=${COMP_WORDBREAKS//[^:=]/}
  if [[ -n $breaks ]]; then head=${begun%"${begun##*["$breaks"]}"}; fi
  COMPREPLY=("${COMPREPLY[@]#"$head"}")
  if (((directive & 2) != 0)); then compopt -o nospace; fi
}
complete -F _usbredir usbredir kubectl-usbredir
