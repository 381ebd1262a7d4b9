#!/usr/bin/env bash
# Write packaging/locks/*.txt anew: versions and hashes for every platform, no index address.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${1:-.venv/bin}

lock() {
  local name=$1
  shift
  "$bin/uv" pip compile -q --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate -c packaging/locks/constraints.txt "$@" -o "packaging/locks/$name.txt"
  echo "packaging/locks/$name.txt: $(grep -c '==' "packaging/locks/$name.txt") packages"
}

lock dev --extra dev pyproject.toml
# What is shipped is what is tested: the same versions, or the lock cannot be written.
lock hub --extra hub --extra discord --extra matrix -c packaging/locks/dev.txt pyproject.toml
lock worker --extra desktop -c packaging/locks/dev.txt pyproject.toml
lock worker-ml --extra desktop --extra ml -c packaging/locks/dev.txt pyproject.toml
lock worker-llm --extra desktop --extra llm -c packaging/locks/dev.txt pyproject.toml
lock worker-web --extra desktop --extra web -c packaging/locks/dev.txt pyproject.toml
lock hub-fleet --extra hub --extra discord --extra matrix --extra fleet --extra scaler --extra otel -c packaging/locks/dev.txt pyproject.toml
lock fleet --extra desktop --extra llm --extra fleet --extra metrics -c packaging/locks/dev.txt pyproject.toml
# What makes the wheel for the containers' images.
lock build -c packaging/locks/dev.txt - <<<hatchling
