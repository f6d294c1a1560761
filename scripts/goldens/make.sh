#!/usr/bin/env bash
# Makes crates/engine/golden again, which the engine's tests compare with. Not part of the tests: torch and
# transformers are some gigabytes, kept in an environment of their own.
source "$(dirname "$0")/../lib.sh"
goldens=$OUTCROP_CACHE/venv-goldens-$(sha256sum scripts/goldens/requirements.txt | cut -c1-12)
if [[ ! -e $goldens/.complete ]]; then
  step "creating the environment for golden files in $goldens"
  rm -rf "$goldens"
  python3 -m venv "$goldens"
  "$goldens/bin/python" -m pip install --quiet --disable-pip-version-check --requirement scripts/goldens/requirements.txt
  touch "$goldens/.complete"
fi
minilm=${OUTCROP_MODELS:-$OUTCROP_CACHE/models}/all-minilm-l6-v2
[[ -e $minilm/model.safetensors ]] || fail "MiniLM is missing: outcrop models pull all-minilm-l6-v2"
step "making crates/engine/golden"
"$goldens/bin/python" scripts/goldens/make.py crates/engine/golden "$minilm"
