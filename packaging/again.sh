#!/usr/bin/env bash
# After `make test` failed: the failed tests once more, alone on the machine.
# What fails again fails. What does not is named: it leans on time, and is to be mended.
# Tests whose every failure counts (random kills, simulated worlds, fuzz) get no second try.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
bin=${1:-.venv/bin}
most=8
# One name a line: pytest keeps them as JSON, whatever stands in them, and a worker's crash among them.
failed() {
  "$bin/python" - <<'PY'
import json, pathlib
path = pathlib.Path(".pytest_cache/v/cache/lastfailed")
print("\n".join(json.loads(path.read_text()) if path.exists() else ()))
PY
}
failed=$(failed) || exit 1
count=$(grep -c . <<<"$failed")
if [ "$count" -eq 0 ] || [ "$count" -gt $most ]; then
  echo "$count tests failed: not tried again (1 to $most are)."
  exit 1
fi
if final=$(grep -E '^tests/(chaos|simulation|power|fuzz|protocol_machine|mutants)/' <<<"$failed"); then
  printf 'Not tried again, since each failure counts:\n%s\n' "$final"
  exit 1
fi
"$bin/pytest" -q -p no:xdist --last-failed --last-failed-no-failures=none || exit 1
# Pytest forgets what it saw pass. A name that is another in each run was not tried again.
if left=$(failed | grep .); then
  printf 'Not found again, so they count as failed:\n%s\n' "$left"
  exit 1
fi
printf 'FLAKY: failed among the others, passed alone:\n%s\n' "$failed"
