#!/usr/bin/env bash
# Writes requirements/*.txt from pyproject.toml: exact versions, hashes of every published file, no location.
#
# usage: tools/lock.sh UV [--upgrade]
#
# Every lock is cut from one resolution (the first), so that two locks never ask for two versions of one thing.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=$1
shift
whole=$(mktemp)
work=$(mktemp -d)
trap 'rm -rf "$whole" "$work"' EXIT

compile() { # compile OUTPUT ARGUMENT...
    local output=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --output-file "$output" "$@"
}

# what is locked today is kept unless --upgrade says otherwise
cat requirements/dev.txt >"$whole" 2>/dev/null || true
compile "$whole" "$@" --extra blake3 --extra server --group build --group test --group dev pyproject.toml

compile "$work/core.txt" --constraint "$whole" pyproject.toml
compile "$work/build.txt" --constraint "$whole" --group pyproject.toml:build
compile "$work/test.txt" --constraint "$whole" --extra blake3 --extra server --group test pyproject.toml
compile "$work/server.txt" --constraint "$whole" --extra blake3 --extra server pyproject.toml
compile "$work/dev.txt" --constraint "$whole" --extra blake3 --extra server --group build --group test --group dev pyproject.toml
cp requirements/demo.txt requirements/lock.txt requirements/replay.txt requirements/second.txt requirements/adopt*.txt requirements/llama*.txt "$work" 2>/dev/null || true
compile "$work/demo.txt" "$@" --no-deps --group pyproject.toml:demo
compile "$work/lock.txt" "$@" --group pyproject.toml:lock
compile "$work/second.txt" "$@" --constraint "$whole" --group pyproject.toml:second
compile "$work/adopt.txt" "$@" --constraint "$whole" --group pyproject.toml:adopt
compile "$work/adopt-models.txt" "$@" --no-deps --group pyproject.toml:adopt-models
compile "$work/llama.txt" "$@" --no-deps --group pyproject.toml:llama
compile "$work/llama-build.txt" "$@" --group pyproject.toml:llama-build
# the build of PyTorch for the CPU is not on every index; without it these locks stay as they are
for lock in replay adopt-torch; do
    "$uv" pip compile --quiet --python-platform x86_64-manylinux_2_28 --python-version 3.11 --generate-hashes --no-header \
        --no-annotate --no-emit-index-url --no-emit-find-links --constraint "$whole" --constraint "$work/adopt.txt" \
        --output-file "$work/$lock.txt" "$@" --group "pyproject.toml:$lock" || echo "requirements/$lock.txt stays as it is: set UV_FIND_LINKS" >&2
done

if grep -nE 'https?:|file:|--index|--extra-index|--find-links|--trusted' "$work"/*.txt; then
    echo "a lock names a location; nothing was written" >&2
    exit 1
fi
for lock in core build server test dev demo lock replay second adopt adopt-models adopt-torch llama llama-build; do
    cp "$work/$lock.txt" "requirements/$lock.txt"
done
