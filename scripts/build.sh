#!/usr/bin/env bash
# The release binary at target/release/outcrop, and the default models in the user's cache.
source "$(dirname "$0")/lib.sh"
bash scripts/setup.sh

step "building outcrop (the first time takes several minutes: the engine's C++)"
cargo build --release --locked --package outcrop-cli
built=$CARGO_TARGET_DIR/release/outcrop
binary=target/release/outcrop
mkdir -p target/release
# `install` replaces the file instead of writing into it: a running server keeps its own.
cmp --silent "$built" "$binary" || install -m 755 "$built" "$binary"

step "pulling the default models"
"$binary" models pull
step "ready: $binary"
