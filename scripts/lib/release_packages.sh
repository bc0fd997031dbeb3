# shellcheck shell=bash
# Packages of a Debian release that this machine may not run. Sourced by the scripts that fetch them.

# mirror: where this machine has its own packages from, by its own configuration.
mirror() {
  local codename
  # shellcheck disable=SC1091  # the file of the machine the script runs on
  codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016  # apt's own variables
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v codename="$codename" '$2 == codename && $3 == "main" { print $1; exit }'
}

# use_lists_of RELEASE FOLDER: has apt keep lists of that release in the folder, beside the machine's own, and sets
# apt_options.
use_lists_of() {
  local uri
  uri=$(mirror)
  [[ -n $uri ]] || return
  mkdir -p "$2/state/lists/partial" "$2/cache/archives/partial"
  # Of no package is one installed: one from elsewhere must not hide the release's.
  : >"$2/status"
  printf 'deb %s %s main\n' "$uri" "$1" >"$2/sources.list"
  apt_options=(
    -o "Dir::Etc::sourcelist=$2/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State=$2/state"
    -o "Dir::State::status=$2/status" -o "Dir::Cache=$2/cache" -o "APT::Sandbox::User=$(id -un)"
    -o Acquire::Languages=none -o Acquire::Retries=3
  )
  apt-get -qq "${apt_options[@]}" update
}
