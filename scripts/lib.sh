# Shared by the scripts of this folder: where things are kept, and how a step is said. Source it, do not run it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

OUTCROP_CACHE=${OUTCROP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/outcrop}
# Outside the clone, so that a second clone does not pay for the embedded engine's C++ again.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$OUTCROP_CACHE/target}

# The name carries the pins: other pins, another environment, and a finished one is never touched again.
REQUIREMENTS=(conformance/requirements.txt scripts/requirements.txt)
VENV=$OUTCROP_CACHE/venv-$(cat "${REQUIREMENTS[@]}" | sha256sum | cut -c1-12)
PY=$VENV/bin/python
# The package client with which `outcrop models pull` fetches weights.
export OUTCROP_PYTHON=${OUTCROP_PYTHON:-$PY}

step() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
