#!/usr/bin/env bash
# Makes a virtual environment, or says in one sentence why it cannot.
#
# usage: tools/venv.sh PYTHON FOLDER
set -euo pipefail

python=$1
folder=$2

fail() {
    echo "openvet: $1" >&2
    exit 1
}

if [ -x "$folder/bin/python" ] && "$folder/bin/python" -c 'import pip' 2>/dev/null; then
    exit 0
fi
command -v "$python" >/dev/null || fail "there is no '$python'. Install Python 3.11 or later, or name one: make PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "'$python' is $("$python" --version). OpenVet needs 3.11 or later; name another: make PYTHON=/path/to/python3"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "'$python' cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"
"$python" -m venv --clear "$folder"
