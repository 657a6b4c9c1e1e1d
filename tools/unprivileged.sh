#!/usr/bin/env bash
# The tests of the wall on lesser machines: as an ordinary user, and without user namespaces.
#
#     unprivileged.sh VENV [PYTEST ARGUMENT ...]
#
# An ordinary user may not be able to read the checkout or its interpreter; then both are copied.
set -euo pipefail
venv=$1
shift
user=("$(command -v setpriv)" --reuid 12345 --regid 12345 --clear-groups)
tests=(tests/guest tests/escapes tests/sandboxes)

if [ "$(id -u)" -ne 0 ]; then
    echo "Only root can be another user, so run this as root; as a user, 'make test' is enough." >&2
    exit 2
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
mkdir -m 777 "$folder/home"
# The command itself is still looked up as root.
starts='import recode_runtime, subprocess, sys; subprocess.run([sys.executable, "-c", ""], check=True)'
if "${user[@]}" "$venv/bin/python" -c "$starts" 2>/dev/null; then
    python=$PWD/$venv/bin/python
else
    mkdir "$folder/checkout"
    tar --create --exclude="$venv" --exclude=.git --exclude='.*_cache' --exclude=__pycache__ . |
        tar --extract --no-same-owner --directory="$folder/checkout"
    chmod -R go=u-w "$folder/checkout"
    cd "$folder/checkout"
    bash tools/setup.sh /usr/bin/python3 "$folder/venv"
    python=$folder/venv/bin/python
fi
export HOME=$folder/home TMPDIR=$folder/home PYTHONDONTWRITEBYTECODE=1
export HYPOTHESIS_STORAGE_DIRECTORY=$folder/home/hypothesis
pytest=("$python" -m pytest "${tests[@]}" "$@")

# A user namespace with all users, in which the kernel allows no other; nothing else is taken away.
alone=("$python" tests/support/lesser.py root_without_user_namespaces)

# What fails is run once more by itself, as in .ci/run.
tested() {
    local name=$1
    shift
    echo "-- $name"
    local cache=(-o "cache_dir=$folder/home/$name")
    "$@" "${pytest[@]}" "${cache[@]}" || {
        echo "-- $name, once more what has failed"
        "$@" "${pytest[@]}" "${cache[@]}" --last-failed --last-failed-no-failures none
    }
}

export RECODE_REQUIRE=namespaces,libseccomp,landlock
tested "as an ordinary user" "${user[@]}"
export RECODE_REQUIRE=libseccomp,landlock
tested "as an ordinary user without user namespaces" "${alone[@]}" "${user[@]}"
tested "as root without user namespaces" "${alone[@]}"
