#!/usr/bin/env bash
# Removes what the other scripts keep in the cache, but not the models: they are large and belong to the user.
source "$(dirname "$0")/lib.sh"
step "removing $OUTCROP_CACHE/target and the client environments beside it"
rm -rf "$OUTCROP_CACHE"/target "$OUTCROP_CACHE"/venv-*
