#!/usr/bin/env bash
# Makes the virtual environment: setup.sh PYTHON FOLDER [GROUP]. uv if it is there, else venv and pip.
set -euo pipefail
python=$1 venv=$2 group=${3:-dev}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "recode-runtime needs Python 3.11 or newer; $python is $("$python" --version 2>&1 || echo missing)." >&2
    echo "Name another one: make PYTHON=python3.12 demo" >&2
    exit 2
fi

if command -v uv >/dev/null 2>&1; then
    [ -x "$venv/bin/python" ] || uv venv --quiet --python "$python" "$venv"
    uv pip install --quiet --python "$venv/bin/python" --editable '.[all]' --group "$group"
    exit 0
fi

if [ ! -x "$venv/bin/pip" ]; then
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        echo "This Python has no ensurepip; on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 2
    fi
    echo "Making $venv ..."
    "$python" -m venv "$venv"
fi
echo "Installing recode-runtime and its tools into $venv ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' 2>&1 | { grep -v WARNING || true; }
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[all]' --group "$group" 2>&1 | { grep -v WARNING || true; }
