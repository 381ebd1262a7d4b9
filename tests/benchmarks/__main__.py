"""Every figure beside its peer, in one run; `make bench`.

    python -m tests.benchmarks [PART...] [--quick] [--page docs/benchmarks.md]

A part is a program of its own (`python -m tests.benchmarks.PART.bench --out FILE [--quick]`) that
writes what it found as `report.Part`; here they are run one after another, each within its time,
and told as one table. A part that fails or takes too long is named, and costs no other. With
--page the page is written anew, and its JSON beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import machine, report
from tests.benchmarks.report import Part

PARTS: dict[str, float] = {
    "queue": 360,
    "scale": 300,
    "sync": 120,
    "desktop": 120,
    "ml": 150,
    "probes": 100,
    "coding": 60,
    "plans": 60,
}
"""How many seconds each may take on an idle machine; three times as many before it is ended."""
PATIENCE = 3
HEAD = """\
# Numbers beside the peers

`make bench` wrote this page; `make bench ARGS="queue --quick"` runs one part of it. Every figure
was measured beside its peers in the same run, on the same work, in turn; a value is the median,
with the range of its rounds. *Times better* is a ratio of medians: above 1 Deskhand is ahead.
Times are the machine's as much as ours; ratios and CPU are sturdier.
"""


def run(name: str, *, quick: bool) -> Part:
    """Run one part as a process of its own and return what it found, or that it did not."""
    out = machine.WORK / f"{name}.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"tests.benchmarks.{name}.bench", "--out", str(out)]
    begun = time.monotonic()
    process = subprocess.Popen([*command, *(["--quick"] if quick else [])], start_new_session=True)
    ended = "it was stopped"
    try:
        status = process.wait(PARTS[name] * PATIENCE)
        ended = f"it ended with status {status}" if status else ""
    except subprocess.TimeoutExpired:
        ended = f"it took longer than {PARTS[name] * PATIENCE:.0f} s"
    finally:
        _end(process)
    try:
        part = report.load(out)
    except (OSError, ValueError, TypeError, KeyError) as error:
        part = Part(name, name.capitalize())
        ended = ended or f"what it wrote cannot be read ({error})"
    if ended:
        part.notes.append(f"**Not measured to its end**: {ended}.")
    part.seconds = time.monotonic() - begun
    return part


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a part with all that it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def page(parts: list[Part], facts: dict[str, str], at: str) -> str:
    """All of it as Markdown."""
    told = ", ".join(f"{name} {value}" for name, value in facts.items())
    lines = [HEAD, f"{at[:10]}. {told}.", ""]
    goals = [one for part in parts for one in part.figures if one.goal and one.is_met is not None]
    grown = [one.exponent <= one.goal for part in parts for one in part.growths]
    met = sum(bool(one.is_met) for one in goals) + sum(grown)
    lines += [f"**{met} of {len(goals) + len(grown)} goals are met.** Missed:", ""]
    lines += [f"- {one.name}: {one.why}" for one in goals if not one.is_met]
    lines += [
        f"- growth of {one.name}: exponent {one.exponent:.2f}"
        for part in parts
        for one in part.growths
        if one.exponent > one.goal
    ]
    for part in parts:
        mood = ", ".join(f"{name} {report.number(value)}" for name, value in part.mood.items())
        lines += [
            "",
            report.table(part),
            f"Machine at its start: {mood}. It took {part.seconds:.0f} s.",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all, when none is named")
    parser.add_argument("--quick", action="store_true", help="less of everything, to see it work")
    parser.add_argument("--page", type=Path, help="a page to write, with its JSON beside it")
    asked = parser.parse_args()
    machine.WORK.mkdir(exist_ok=True)
    facts, at = machine.facts(), datetime.now(UTC).isoformat(timespec="seconds")
    parts = []
    for name in asked.parts or PARTS:
        part = run(name, quick=asked.quick)
        parts.append(part)
        print(report.table(part), flush=True)
    whole = {"at": at, "machine": facts, "parts": [asdict(part) for part in parts]}
    text = json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
    (machine.WORK / "benchmarks.json").write_text(text, "utf-8")
    if asked.page is not None:
        asked.page.write_text(page(parts, facts, at), "utf-8")
        asked.page.with_suffix(".json").write_text(text, "utf-8")
    if any("Not measured" in note for part in parts for note in part.notes):
        raise SystemExit("A part was not measured to its end; it is named above.")


if __name__ == "__main__":
    main()
