#!/usr/bin/env bash
# Builds llama.cpp's own benchmark programs and its server, for comparison only; nothing of it is part of the product.
#
#   bench/llama_bench.sh [FOLDER OF LLAMA.CPP'S SOURCES]
#
# Without a folder it takes the copy in the source package of llama-cpp-python. The options are those of the engine's
# own llama.cpp (no -march=native, no OpenMP); NATIVE=1 builds what llama.cpp's own defaults give instead, beside it.
set -euo pipefail

work=${LLAMA_BENCH_DIR:-${TMPDIR:-/tmp}/outcrop-llama-bench}
mkdir -p "$work"
sources=${1:-}
if [ -z "$sources" ]; then
  if ! compgen -G "$work/llama_cpp_python-*/" >/dev/null; then
    python3 -m pip download --quiet --no-deps --no-binary llama-cpp-python --dest "$work" llama-cpp-python
    tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work"
  fi
  sources=$(echo "$work"/llama_cpp_python-*/vendor/llama.cpp)
fi

options=(-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF
  -DLLAMA_BUILD_SERVER=ON -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_BUILD_TOOLS=ON -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF)
if [ "${NATIVE:-0}" = 1 ]; then
  build=$work/native
else
  build=$work/same
  options+=(-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF)
  if [ "$(uname -m)" = x86_64 ]; then
    options+=(-DCMAKE_C_FLAGS=-march=x86-64 -DCMAKE_CXX_FLAGS=-march=x86-64)
    options+=(-DGGML_SSE42=ON -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_BMI2=ON -DGGML_FMA=ON -DGGML_F16C=ON)
  fi
fi
cmake -S "$sources" -B "$build" "${options[@]}" >"$build.log"
cmake --build "$build" --parallel "$(nproc)" --target llama-bench llama-batched-bench llama-server >>"$build.log" 2>&1
echo "$build/bin"
