# shellcheck shell=bash
# Docker Compose, as it is here. Sourced after messages.sh.
: "${root:?the folder of the checkout}"

# choose_compose NAME: sets compose to the words of Compose 2 or Compose 1, whichever is here, for docker-compose.yml.
# Ends the script with 77 and the reason where there is neither, or no engine answers.
choose_compose() {
  local said
  if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
  elif command -v docker-compose >/dev/null; then
    compose=(docker-compose)
  else
    note "$1: no 'docker compose' and no 'docker-compose' here"
    exit 77
  fi
  if ! said=$(docker info 2>&1 >/dev/null); then
    note "$1: no Docker engine answers: $(tail -n 1 <<<"$said")"
    exit 77
  fi
  compose+=(--project-directory "$root" --file "$root/docker-compose.yml")
}

# use_demo_images PROJECT: a project with the demo's images and a port of its own, so that a loop that runs here already
# keeps its containers, volume, images and port.
use_demo_images() {
  compose+=(--project-name "$1")
  export USBLOOP_TAG=demo USBLOOP_PORT=
  if [[ -z ${USBLOOP_COMMIT:-} ]]; then
    USBLOOP_COMMIT=$(git -C "$root" describe --always --abbrev=7 --exclude='*' --dirty 2>/dev/null || true)
  fi
  export USBLOOP_COMMIT
}

# engine_bytes: what images and build layers take in the engine.
engine_bytes() {
  docker system df --format '{{.Type}}\t{{.Size}}' | awk -F '\t' '
    $1 == "Images" || $1 == "Build Cache" {
      factor = 1
      if ($2 ~ /kB$/) factor = 1e3
      if ($2 ~ /MB$/) factor = 1e6
      if ($2 ~ /GB$/) factor = 1e9
      if ($2 ~ /TB$/) factor = 1e12
      sum += $2 * factor
    }
    END { printf "%.0f\n", sum }'
}

# as_size BYTES: for a person.
as_size() {
  awk -v bytes="$1" 'BEGIN { if (bytes >= 1e9) printf "%.2f GB\n", bytes / 1e9; else printf "%.0f MB\n", bytes / 1e6 }'
}
