#compdef usbredir kubectl-usbredir
# zsh completion for usbredir. The words come from the program itself; see `usbredir completion --help`.
_usbredir() {
  local line directive
  local -a lines candidates
  lines=("${(@f)$("${(Q)${words[1]/#\~/$HOME}}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  directive=${lines[-1]#:}
  if [[ $directive == 0 ]]; then
    compset -P '*='
    _files
    return
  fi
  for line in "${(@)lines[1,-2]}"; do
    if [[ $line == *$'\t'* ]]; then
      candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    elif [[ -n $line ]]; then
      candidates+=("${line//:/\\:}")
    fi
  done
  if (( directive & 2 )); then
    _describe usbredir candidates -S ''
  else
    _describe usbredir candidates
  fi
}
if [[ $funcstack[1] == _usbredir ]]; then
  _usbredir "$@"
else
  compdef _usbredir usbredir kubectl-usbredir
fi
