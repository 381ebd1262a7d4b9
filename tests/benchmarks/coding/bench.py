"""How soon a coding job works, and what its sandbox and its gateway cost, beside doing without.

python -m tests.benchmarks.coding.bench [--quick] [--out FILE]
"""

from __future__ import annotations

import asyncio
import platform
import subprocess
import tempfile
from pathlib import Path

from tests.benchmarks import program
from tests.benchmarks.coding import gateway, sandbox
from tests.benchmarks.coding.repositories import FILES
from tests.benchmarks.coding.starts import Start, Yard, a_yard
from tests.benchmarks.machine import WORK
from tests.benchmarks.report import OURS, Part

COMMITS, QUICK_COMMITS = 2_000, 300
JOBS, QUICK_JOBS = 6, 2
BOXES, QUICK_BOXES = 20, 6
CALLS, QUICK_CALLS = 100, 30
WARM_CALLS = 10
GOAL_PROMPTED_SECONDS = 2.0
BARE, DIRECT, SHALLOW = "bare subprocess", "direct call", "git clone --depth 1"
CASES = (
    ("short", 100, False),
    ("200 kB asked", gateway.CONVERSATION_CHARS, False),
    (f"{gateway.PIECES} pieces streamed", 100, True),
)


def main() -> None:
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    part = Part(
        "coding",
        "Start of coding jobs",
        about=f"A repository of {FILES} files behind HTTP on loopback, which "
        "gains a commit before each start; a job is a whole one of the built-in agent in its "
        "sandbox, with a scripted model. The server answers calls at once.",
        versions={"git": git.split()[2], "Python": platform.python_version()},
    )
    program.run(part, starts, boxes, calls)


def starts(part: Part, quick: bool) -> None:
    with (
        tempfile.TemporaryDirectory(dir=WORK) as folder,
        a_yard(Path(folder), QUICK_COMMITS if quick else COMMITS) as yard,
    ):
        asyncio.run(yard.start())  # what is imported once a worker; its mirror is fetched anew
        yard.forget()
        add_start(part, "first job on it", asyncio.run(yard.start()), yard.shallow())
        for _ in range(QUICK_JOBS if quick else JOBS):
            add_start(part, "mirror kept", asyncio.run(yard.start()), yard.shallow())
        told_fetch(part, yard)
    prompted = part.figure("mirror kept: job start to agent prompted", "s")
    prompted.judge_limit(GOAL_PROMPTED_SECONDS, keeps_prompt(part))


def add_start(part: Part, case: str, found: Start, shallow: tuple[float, float]) -> None:
    ready = part.figure(f"{case}: job start to workspace ready", "s", better="less")
    ready.add(OURS, found.workspace, stands="fetched, cloned, a sandbox chosen")
    ready.add(SHALLOW, shallow[0])
    fetched = part.figure(f"{case}: fetched from the remote", "kB", better="less")
    fetched.add(OURS, found.fetched_kb)
    fetched.add(SHALLOW, shallow[1])
    goal = f"less than {GOAL_PROMPTED_SECONDS:.0f}" if case == "mirror kept" else ""
    prompted = part.figure(f"{case}: job start to agent prompted", "s", better="less", goal=goal)
    prompted.add(OURS, found.prompted)


def keeps_prompt(part: Part) -> str:
    ready = part.figure("mirror kept: job start to workspace ready", "s").median()
    return f"{ready:.2f} s of it are git and the look for a sandbox, the rest the agent's own start"


def told_fetch(part: Part, yard: Yard) -> None:
    """Say what a job has that the shallow clone has not."""
    log = ["git", "-C", str(yard.source), "rev-list", "--count", "main"]
    count = int(subprocess.run(log, capture_output=True, text=True, check=True).stdout)
    part.notes.append(
        f"A job's workspace has the whole history ({count:,} commits), the shallow clone one. Both "
        "check all files out; loopback hides what fetching them again costs on a network, which "
        "the kB tell. Seconds of a job are inside of a warm worker, from its first line."
    )


def boxes(part: Part, quick: bool) -> None:
    starts_each = QUICK_BOXES if quick else BOXES
    with sandbox.all_ways() as ways:
        for command, argv in sandbox.COMMANDS.items():
            taken = sandbox.measured(ways, argv, starts_each)
            add_boxes(part, command, taken)


def add_boxes(part: Part, command: str, taken: dict[str, list[float]]) -> None:
    """Add starts of one command; ours is the best sandbox that works here, as a job takes it."""
    plain = taken.pop(sandbox.PLAIN)
    if not taken:
        part.notes.append("No sandbox works on this machine, so none was measured.")
        return
    chosen = next(name for name in taken if name.endswith(sandbox.RELAY))
    figure = part.figure(f"start of {command} in the sandbox", "ms", better="less")
    figure.add(OURS, *taken[chosen], stands=chosen)
    figure.add(BARE, *plain)
    goal = f"less than {sandbox.GOAL_MS:.0f}"
    more = part.figure(f"what the sandbox adds to {command}", "ms", better="less", goal=goal)
    # Each beside the plain start right before it.
    more.add(OURS, *(one - bare for one, bare in zip(taken[chosen], plain, strict=True)))
    more.judge_limit(sandbox.GOAL_MS, "the box and its relay are two more programs to start")


def calls(part: Part, quick: bool) -> None:
    asyncio.run(called(part, QUICK_CALLS if quick else CALLS))


async def called(part: Part, count: int) -> None:
    """Call by both ways in turn, call by call."""
    async with gateway.ways() as clients:
        ours, direct = clients["relay + gateway"], clients["direct"]
        for case, chars, stream in CASES:
            figure = part.figure(f"model call, {case}", "ms", better="less")
            added = part.figure(f"what the gateway adds, {case}", "ms", better="less")
            for number in range(WARM_CALLS + count):
                bare = await gateway.timed(direct, chars=chars, stream=stream)
                own = await gateway.timed(ours, chars=chars, stream=stream)
                if number >= WARM_CALLS:
                    figure.add(OURS, own, stands="from a box: relay, key, counts, budget")
                    figure.add(DIRECT, bare)
                    added.add(OURS, own - bare)


if __name__ == "__main__":
    main()
