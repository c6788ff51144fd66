#!/bin/sh
# Print the path of a Python 3.13 that can make virtual environments: one on PATH, of pyenv or of uv, else one uv fetches.
set -eu

suits() {
    [ -n "$1" ] && "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1
}

for candidate in "$(command -v python3.13 || true)" \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 \
    "$(command -v python3 || true)" \
    "$(uv python find --no-project 3.13 2>/dev/null || true)"; do
    if suits "$candidate"; then
        "$candidate" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done

echo "No Python 3.13 here: uv fetches one." >&2
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    python3 -m venv .venv-uv && .venv-uv/bin/python -m pip install -qq --disable-pip-version-check "uv==0.13.9"
    uv=.venv-uv/bin/uv
fi >&2
"$uv" python install 3.13 >&2
"$uv" python find --no-project --managed-python 3.13
