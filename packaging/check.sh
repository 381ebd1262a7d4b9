#!/usr/bin/env bash
# The gate: all checks run, then the verdict; types and the quick tests share the two cores.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
bin=${1:-.venv/bin}
failed=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

types() {
  "$bin/mypy" -n 2 >"$logs/types" 2>&1 && return
  # On a machine that is too busy its two processes give each other up; that says nothing of types.
  grep -q "connection with worker" "$logs/types" && "$bin/mypy" >"$logs/types" 2>&1
}
types &
types=$!
for step in "ruff format --check -q ." "ruff check -q ." "lint-imports --no-cache"; do
  # shellcheck disable=SC2086 # a step is a program and its arguments
  if ! out=$("$bin"/$step 2>&1); then
    printf -- '--- %s\n%s\n' "$step" "$out"
    failed=1
  fi
done
"$bin/pytest" -q --hypothesis-profile=quick -m "not flow and not chaos and not slow" tests/shared tests/hub/core tests/desktop/core \
  >"$logs/tests" 2>&1 || { printf -- '--- quick tests\n'; tail -n 40 "$logs/tests"; failed=1; }
wait $types || { printf -- '--- mypy\n'; tail -n 30 "$logs/types"; failed=1; }
tail -n 1 "$logs/tests"
tail -n 1 "$logs/types"
[ $failed = 0 ] && echo "All checks passed."
exit $failed
