# shellcheck shell=bash
# What a person wants to know of a build of images that takes minutes: where it is. Sourced after messages.sh.

# How often the compiler's progress is worth a line, in milliseconds.
build_steps_pause=20000

# show_steps: reads the output of either of Docker's builders, and says which steps it works on: those that it takes from
# its cache are left out. Within a step, how far the compiler is.
show_steps() {
  local line number held='' started said
  declare -A steps=()
  started=$(now_ms)
  said=$started
  # What only describes the image or names its base takes no time.
  show_step() {
    if [[ $1 =~ ^step\ [^:]*:\ (RUN|COPY|ADD)\  ]]; then say "$1"; fi
  }
  say() {
    local words
    # A command over several lines comes with the blanks of all of them.
    read -ra words <<<"$1"
    note "    $(printf '%7s' "$(seconds_since "$started")")  $(cut -c1-90 <<<"${words[*]}")"
  }
  while IFS= read -r line; do
    line=${line%$'\r'}
    # The older builder: "Step 4/9 : RUN ...", and then " ---> Using cache" or something else.
    if [[ -n $held && $line != ' ---> Using cache' ]]; then show_step "$held"; fi
    held=
    if [[ $line =~ ^Step\ ([0-9]+/[0-9]+)\ :\ (.*)$ ]]; then
      held="step ${BASH_REMATCH[1]}: ${BASH_REMATCH[2]}"
    # BuildKit: "#12 [build 4/9] RUN ...", and later "#12 CACHED", "#12 DONE 0.1s" or "#12 0.345 what it prints".
    elif [[ $line =~ ^#([0-9]+)\ \[(.*\ [0-9]+/[0-9]+)\]\ (.*)$ ]]; then
      steps[${BASH_REMATCH[1]}]="step ${BASH_REMATCH[2]}: ${BASH_REMATCH[3]}"
    elif [[ $line =~ ^#([0-9]+)\ CACHED ]]; then
      unset "steps[${BASH_REMATCH[1]}]"
    elif [[ $line =~ ^#([0-9]+)\ (DONE|[0-9.]+\ ) && -n ${steps[${BASH_REMATCH[1]}]:-} ]]; then
      number=${BASH_REMATCH[1]}
      show_step "${steps[$number]}"
      unset "steps[$number]"
    fi
    if [[ $line =~ ^(#[0-9]+\ [0-9.]+\ )?\[([0-9]+)/([0-9]+)\]\ Building ]] && (($(now_ms) - said >= build_steps_pause)); then
      said=$(now_ms)
      say "compiled ${BASH_REMATCH[2]} of ${BASH_REMATCH[3]} files"
    fi
  done
  if [[ -n $held ]]; then show_step "$held"; fi
}
