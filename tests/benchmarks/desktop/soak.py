"""Whether the tray app grows: thousands of cut lines and of jobs in minutes instead of weeks.

    python -m tests.benchmarks.desktop.soak [--times 10000]

The program is the real one on a real screen; only its waits between two tries are shortened (the
`--child` end of this module does that). The hub is the tests' double, which cuts the line without
a goodbye as soon as it stands, then tells of jobs that start, log and end.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from shared.events import EventBody, JobLogged, JobQueued, JobStarted, JobSucceeded, TaskCreated
from shared.ids import JobId, PersonId, TaskId
from shared.protocol import HubEnd
from tests.benchmarks.desktop.__main__ import end, family, pss_mib
from tests.desktop.gui.tray.conftest import Session, a_session

TIMES = 10_000
WARM_UP = 500
"""Caches and pools fill in the first ones; growth is counted from there."""
STEPS = 5
JOBS_AT_ONCE = 50
SETTLE_SECONDS = 3.0


def main() -> None:
    options = arguments()
    if options.child:
        child(options.child)
        return
    with a_session("xcb") as session:
        session.paired()
        session.panel.come()
        command = [sys.executable, "-m", "tests.benchmarks.desktop.soak", "--child"]
        with Path(tempfile.gettempdir(), "deskhand-soak.log").open("w") as log:
            program = subprocess.Popen(
                [*command, str(session.app.home)],
                env=session.app.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            try:
                session.panel.until_icon()
                session.panel.until_tooltip("Ready")
                soak(session, program.pid, options.times)
            finally:
                end(program)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help="reconnects, then as many jobs")
    parser.add_argument("--child", metavar="HOME", help=argparse.SUPPRESS)
    return parser.parse_args()


def child(home: str) -> None:
    """Be the tray app, in a hurry."""
    import shared.backoff as backoff

    # Before anybody has taken the name from there.
    backoff.RECONNECT = backoff.FullJitter(min_seconds=0.001, max_seconds=0.002)
    from desktop.__main__ import main as deskhand

    sys.exit(deskhand(["--home", home, "--background"]))


def soak(session: Session, pid: int, times: int) -> None:
    print("| what | times | seconds | own memory before, MiB | after | growth |")
    print("|---|---|---|---|---|---|")
    for name, work in (("jobs", jobs), ("reconnects", reconnects)):
        session.thread.call(work(session, 0, WARM_UP), 600)
        before, begin = settled(pid), time.monotonic()
        curve = [before]
        for step in range(STEPS):
            first = WARM_UP + step * times // STEPS
            session.thread.call(work(session, first, times // STEPS), 3600)
            curve.append(settled(pid))
        seconds = time.monotonic() - begin
        print(
            f"| {name} | {times:,} | {seconds:.0f} | {before:.1f} | {curve[-1]:.1f} "
            f"| {curve[-1] - before:+.1f} ({' '.join(f'{at:.1f}' for at in curve)}) |"
        )


def settled(pid: int) -> float:
    time.sleep(SETTLE_SECONDS)
    # Not all of the PSS: a share of a library grows when somebody else who used it ends.
    return sum(pss_mib(one, "Pss_Anon") for one in family(pid))


async def reconnects(session: Session, _first: int, count: int) -> None:
    """Cut the line as soon as it stands, again and again."""
    hub = session.hub
    for _ in range(count):
        cut = hub.end
        await hub.cut()
        await until(lambda cut=cut: has_come_back(session, cut))  # type: ignore[misc]
        # The double keeps all it heard for tests to look at.
        hub.heard.clear()
        hub.events.clear()
        hub.closings.clear()


def has_come_back(session: Session, cut: HubEnd | None) -> bool:
    """Whether another line stands than the one that was cut."""
    now = session.hub.end
    return now is not None and now is not cut and now.may_send_events


async def jobs(session: Session, first: int, count: int) -> None:
    """Let jobs of another machine come, log and end."""
    for number in range(first, first + count):
        for body in life(number):
            await session.hub.publish(body)
        if number % JOBS_AT_ONCE == 0:
            # No faster than they are written down: what would be measured is the queue.
            end_ = session.hub.end
            assert end_ is not None
            await until(lambda at=end_: at.seen_hub_seq == at.sent_hub_seq)  # type: ignore[misc]
            # What was sent is not sent again: the double would look through all of it each time.
            session.hub._log.clear()


def life(number: int) -> tuple[EventBody, ...]:
    one = JobId(f"01900000-0000-7000-8000-{number:012d}")
    task = TaskId(one)
    return (
        TaskCreated(task_id=task, person_id=PersonId("p"), text="please train churn"),
        JobQueued(job_id=one, task_id=task, kind="ml.train", title=f"churn {number}", attempt=1),
        JobStarted(job_id=one, attempt=1, fence=1),
        JobLogged(job_id=one, attempt=1, fence=1, lines=("reading", "fitting", "done")),
        JobSucceeded(job_id=one, attempt=1, fence=1, result={}, running_seconds=1.0),
    )


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.001)


if __name__ == "__main__":
    main()
