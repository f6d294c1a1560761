#!/usr/bin/env bash
# What the generated contract costs to build, dev profile: CPU seconds, seconds, and the largest compiler's memory, from
# clean and after an edit of one line of the crate. Works on a copy of the last commit. Needs GNU time.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
cd "$copy"
export CARGO_TARGET_DIR=$copy/target
line=crates/api/src/operation.rs

measure() { # name, cargo command
  local name=$1
  shift
  /usr/bin/time -f "%U %S %e %M" -o "$copy/time" cargo "$@" --quiet --locked -p outcrop-api
  awk -v name="$name" '{ printf "| %s | %.1f CPU-s, %.1f s, %.2f GB |\n", name, $1 + $2, $3, $4 / 1e6 }' "$copy/time"
}

edit() { # An expression more or less in the body of one method, so that the code and not only a comment changes.
  if grep -q 'default_status() + 0' "$line"; then
    sed -i 's/default_status() + 0/default_status()/' "$line"
  else
    sed -i 's/map_or(kind.default_status()/map_or(kind.default_status() + 0/' "$line"
  fi
}

printf '| outcrop-api, dev profile | |\n|---|---|\n'
for command in check build; do
  cargo "$command" --quiet --locked -p outcrop-api # its dependencies
  for round in 1 2 3; do
    cargo clean --quiet -p outcrop-api
    measure "\`cargo $command\` from clean, $round" "$command"
    edit
    measure "\`cargo $command\` after an edit, $round" "$command"
  done
done
