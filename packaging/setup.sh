#!/usr/bin/env bash
# Make a virtual environment from the hash-locked requirements. Asks for nothing, needs no account.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

"$python" - <<'PY' || { say "Deskhand needs Python 3.11 or newer as '$python'. Set PYTHON=... to name another."; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
PY

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  version=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
  packages="python$version-venv"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "Installing $packages (Debian's Python comes without venv) …"
    apt-get update -qq && apt-get install -y -qq "$packages" >/dev/null
  else
    say "Python's venv is missing. Install it, then try again: sudo apt-get install $packages"
    exit 1
  fi
fi

packaging/system.sh windows

if [ ! -x "$venv/bin/python" ]; then
  "$python" -m venv "$venv"
fi
say "Installing into $venv (about 800 MB, most of it Qt, scikit-learn, pandas and pyarrow) …"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
"$venv/bin/python" -m pip install -q --require-hashes --no-deps -r packaging/locks/dev.txt
"$venv/bin/python" -m pip install -q --no-deps --no-build-isolation -e .
say "Ready."
