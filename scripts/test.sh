#!/usr/bin/env bash
# Everything that must hold, cheapest first; stops at the first step that fails.
source "$(dirname "$0")/lib.sh"
bash scripts/setup.sh
export PATH=$VENV/bin:$PATH
# The generator reads the service models out of the pinned botocore.
OUTCROP_BOTOCORE=$("$PY" -c 'import botocore, pathlib; print(pathlib.Path(botocore.__file__).parent / "data")')
export OUTCROP_BOTOCORE
export OUTCROP_BIN=${OUTCROP_BIN:-$CARGO_TARGET_DIR/ci/outcrop}
export OUTCROP_COVERAGE=${OUTCROP_COVERAGE:-$CARGO_TARGET_DIR/conformance-coverage.txt}
# What an incremental build keeps for the next one doubles the disk that a run needs, and a run builds everything once.
export CARGO_INCREMENTAL=0
# One profile for check, lints, docs, tests and the server: the engine's C++ is built once.
profile=(--profile ci --locked)

step "fetching dependencies"
cargo fetch --locked --quiet

step "format"
cargo fmt --all -- --check

# All of it at once: a package built alone has other features of what it depends on, and builds all of that anew.
step "building everything ($OUTCROP_BIN)"
cargo build --workspace --all-targets "${profile[@]}"
xtask=$CARGO_TARGET_DIR/ci/xtask

step "generated code is fresh"
"$xtask" codegen --check

step "lints"
cargo clippy --workspace --all-targets "${profile[@]}" -- -D warnings

step "licences, duplicate versions, sources"
cargo deny --offline check licenses bans sources

step "documentation builds"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps "${profile[@]}"

step "pulling the default models"
"$OUTCROP_BIN" models pull

step "unit and integration tests"
if command -v cargo-nextest >/dev/null; then
  cargo nextest run --workspace --cargo-profile ci --locked
else
  cargo test --workspace --lib --bins --tests "${profile[@]}"
fi
cargo test --workspace --doc "${profile[@]}"

step "the guardrails' weights are those of their hashes"
(cd crates/guard/weights && sha256sum --check --quiet SHA256SUMS)

step "training the guardrails' classifiers on a seeded subset"
# The labelled texts are public and no part of the repository; crates/guard/weights/README.md says where they are from.
if [[ -d ${OUTCROP_GUARDRAIL_DATA:-} ]]; then
  "$xtask" train-guardrails --quick --data "$OUTCROP_GUARDRAIL_DATA"
else
  note "skipped: OUTCROP_GUARDRAIL_DATA names no folder of labelled texts (crates/guard/weights/README.md)"
fi

step "conformance"
"$PY" -m pytest conformance

step "acceptance programs"
acceptance() { (note "$*" && "$PY" "conformance/acceptance/$1" "${@:2}"); }
acceptance seeds.py inference
acceptance seeds.py gateway
acceptance seeds.py guardrails
acceptance guardrails.py
acceptance seeds.py knowledge
acceptance retriever.py
acceptance clients.py
acceptance probe.py 12 '^(Converse|ConverseStream|InvokeModel|InvokeModelWithResponseStream|CountTokens|ListFoundationModels|GetFoundationModel|GetFoundationModelAvailability|CreateInferenceProfile|GetInferenceProfile|ListInferenceProfiles|DeleteInferenceProfile)$'

step "all passed; coverage by operation in $OUTCROP_COVERAGE"
