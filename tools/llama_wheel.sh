#!/usr/bin/env bash
# Builds the wheel of llama-cpp-python from its source, whose hash is locked, once for a machine's user, and says where it lies.
#
# usage: tools/llama_wheel.sh PYTHON FOLDER
#
# There is no wheel of it on PyPI. The build takes three minutes of two cores, so that it is kept in the user's cache, by version, Python and machine. It is not
# for this processor alone: a build for the native one does not run on others, and on some virtual machines it runs and computes something else.
set -euo pipefail
python=$1
work=$2
lock=requirements/llama.txt
version=$(sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' "$lock")
switches="-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_CURL=OFF -DLLAMA_HTTPLIB=OFF"
switches+=" -DCMAKE_PROJECT_llama.cpp_INCLUDE=$PWD/tools/llama.cmake"
kind=$(uname -m)
if [ "$kind" = x86_64 ] && ! grep -qw avx2 /proc/cpuinfo 2>/dev/null; then # it is what a build has by itself
    switches+=" -DGGML_AVX=OFF -DGGML_AVX2=OFF -DGGML_FMA=OFF -DGGML_F16C=OFF -DGGML_BMI2=OFF"
    kind+=-plain
fi
tag=$("$python" -c 'import sys; print(f"cp{sys.version_info[0]}{sys.version_info[1]}")')
kept="${XDG_CACHE_HOME:-$HOME/.cache}/openvet/wheels/llama-cpp-python-$version-$tag-$kind"
if ! compgen -G "$kept/*.whl" >/dev/null; then
    command -v g++ >/dev/null || { echo "a C++ compiler is needed to build llama-cpp-python (apt-get install g++)" >&2; exit 1; }
    echo "openvet: llama-cpp-python $version is built, which takes minutes, and kept in $kept" >&2
    bash tools/venv.sh "$python" "$work/build"
    pip=("$work/build/bin/python" -m pip --disable-pip-version-check --no-input)
    "${pip[@]}" install --quiet --require-hashes --no-deps -r requirements/llama-build.txt
    mkdir -p "$kept" "$work/out"
    # the tools of the build are those of the lock, found by the path
    PATH="$PWD/$work/build/bin:$PATH" CMAKE_ARGS="$switches" CMAKE_BUILD_PARALLEL_LEVEL=${JOBS:-2} nice \
        "${pip[@]}" wheel --quiet --require-hashes --no-deps --no-build-isolation --no-binary llama-cpp-python --wheel-dir "$work/out" -r "$lock"
    mv "$work"/out/*.whl "$kept/" # whole or not at all
    rm -rf "$work/build" "$work/out"
fi
ls "$kept"/*.whl
