#!/usr/bin/env bash
# Installs the gateways that ours is measured beside, each at the version that the figures name, into one folder
# (OUTCROP_PEERS, else ~/.cache/outcrop/peers). litellm-rs is built from source, which takes minutes.
set -euo pipefail
peers=${OUTCROP_PEERS:-$HOME/.cache/outcrop/peers}
mkdir -p "$peers"
cd "$peers"

npm install --silent --prefix portkey @portkey-ai/gateway@1.15.2

[ -x litellm/bin/litellm ] || python3 -m venv litellm
litellm/bin/pip install --quiet 'litellm[proxy]==1.106.2'

# As it comes, but for thin LTO: it asks for fat LTO in one unit, which takes an hour on two cores.
[ -x litellm-rs/bin/gateway ] || CARGO_PROFILE_RELEASE_LTO=thin cargo install litellm-rs --version 0.9.0 --locked \
  --no-default-features --features storage,sqlite,metrics,tracing --bin gateway \
  --root "$PWD/litellm-rs" --target-dir "$PWD/litellm-rs-target"
