"""One life of the child that many jobs share: a process, from its start to its end.

It is fed, listened to and watched. When it ends before its jobs do, whoever is left in it is
postponed a moment and begun again in the next one (`desktop.runner.shared_child`).
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import structlog

from desktop.core.outcome import Ending, Outcome, child_lost
from desktop.runner.lines import (
    FROM_SHARED,
    Close,
    FromJob,
    Line,
    Ping,
    Pong,
    Shared,
    Supplied,
    ToJob,
    ToRunning,
    write,
)
from desktop.runner.processes import (
    DRAIN_SECONDS,
    TREE_EVERY,
    Tail,
    end_marked,
    keep_to_cores,
    kill_marked,
    kill_tree,
    look_up,
    lower_priority,
    not_started,
    spawn,
    tree_memory_bytes,
)
from desktop.runner.shared_job import SharedJob
from desktop.runner.suspects import Suspects
from shared import trace
from shared.backoff import Backoff
from shared.environment import Environment

log = structlog.get_logger(__name__)

WATCH_SECONDS = 0.5
"""How often its memory and its jobs' times are looked at."""
IDLE_WATCH_SECONDS = 2.0
CLOSE_SECONDS = 10.0
"""How long it may take to close by itself."""
ENDING_SECONDS = 0.01
"""How often its exit is looked for once its output has ended."""
GONE_SECONDS = 1.0
"""How long a process that was killed is waited for."""
LINES_AT_ONCE = 100
"""Lines read before everybody else has a turn."""
LOST = Backoff(first_seconds=0.5, max_seconds=60.0)
"""When a job is begun again that lost its child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a life is let be."""

    idle_seconds: float = 300.0
    """Without a job it is ended after this."""
    close_seconds: float = CLOSE_SECONDS
    """How long it may take to close by itself."""
    ping_every: int = 20
    """Looks between two pings."""
    unheard_looks_max: int = 120
    """Looks without an answer: a minute, more than the slowest import takes on a slow machine."""


class Life:
    """One process, from its start to its end."""

    def __init__(
        self,
        first: SharedJob,
        environment: Environment,
        suspects: Suspects,
        patience: Patience,
        *,
        is_for_one: bool = False,
    ) -> None:
        self.is_for_one = is_for_one
        self.pid: int | None = None
        self.is_leaving = False
        """Whether it takes no more jobs: it closes, or is gone."""
        self._first = first
        self._limits = first.limits
        self._environment = environment
        self._suspects = suspects
        self._patience = patience
        self._unheard_looks: int | None = None
        """How often was looked since a ping that nobody has answered; None without one."""
        self._process: asyncio.subprocess.Process | None = None
        self._unsent: list[bytes] = []
        """What is to be said as soon as somebody is there to hear it."""
        self._supplied: Supplied | None = None
        self._jobs: dict[int, SharedJob] = {}
        self._tail = Tail()
        self._has_hung_up = asyncio.Event()
        self._hung_up_at: float | None = None
        self._mark = environment.new_id()
        self._quiet_since = environment.monotonic()
        self._is_too_large = False
        self._is_unreadable = False

    def supply(self, supplied: Supplied) -> None:
        """Tell what its jobs work with, if that is news."""
        if supplied != self._supplied:
            self._supplied = supplied
            self._write(supplied)

    def begin(self, number: int, job: SharedJob) -> None:
        self._limits = job.limits
        self._jobs[number] = job
        self._tail.log.expect(job.order)
        self._write(ToJob(number=number, line=job.order))

        def tell(line: ToRunning) -> None:
            self._write(ToJob(number=number, line=line))

        job.started(tell)

    def close(self) -> None:
        """Let it end by itself."""
        if not self.is_leaving:
            self.is_leaving = True
            self._quiet_since = self._environment.monotonic()
            self._write(Close())

    def kill(self) -> None:
        self.is_leaving = True
        if self._process is not None:
            kill_tree(self._process.pid)

    async def run(self) -> None:
        """Start the process, serve it, outlive it; never raises for what it does."""
        # It is nobody's, the first job's no more.
        structlog.contextvars.unbind_contextvars("job_id", "attempt")
        trace.leave()
        order = self._first.order
        # The jobs' folders come and go; the one that they are in stays.
        workdir = Path(order.workdir).parent
        try:
            workdir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._process = process = await spawn(
                str(workdir),
                order.threads_max,
                self._mark,
                order.traceparent if self.is_for_one else "",
            )
        except OSError as error:
            self._lose(Outcome(ending=Ending.REFUSED, error=not_started(error)))
            return
        try:
            await self._serve(process)
        finally:
            self.kill()
            if self.is_for_one and process.returncode is None:
                # What has left the tree is found by its mark alone, and no worker may be there
                # to look for it a moment later.
                kill_marked(self._mark)
            # The loop may be closed next, and its pipes would be closed after it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GONE_SECONDS):
                    await process.wait()
        self._lose(self._outcome(process.returncode))

    async def _serve(self, process: asyncio.subprocess.Process) -> None:
        self._welcome(process)
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.TaskGroup() as tasks:
            readers = [
                tasks.create_task(self._read(process.stdout)),
                tasks.create_task(self._tail.read(process.stderr)),
            ]
            await self._watch(process)
            self.kill()  # what it left behind would hold our pipes open
            await end_marked(self._mark)
            await asyncio.wait(readers, timeout=DRAIN_SECONDS)
            for reader in readers:
                reader.cancel()

    def _welcome(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        log.info("shared child started", pid=process.pid)
        if self.is_leaving:  # killed while it was being started
            self.kill()
        lower_priority(process.pid)
        if self._limits.cores_max is not None:
            keep_to_cores(process.pid, self._limits.cores_max)
        opening = Shared(memory_bytes_max=self._limits.memory_bytes_max)
        self._unsent.insert(0, write(opening))
        self._flush()

    def _write(self, line: Line) -> None:
        """Say a line, together with all that is said in this turn of the loop."""
        if self._process is not None and not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(write(line))

    def _flush(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        data, self._unsent = b"".join(self._unsent), []
        # A child that is gone needs no line; its end is told elsewhere.
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(data)

    async def _read(self, lines: asyncio.StreamReader) -> None:
        turn = 0
        while True:
            try:
                raw = await lines.readline()
                if not raw:
                    break
                told = FROM_SHARED.validate_json(raw)
            except ValueError:  # no line of ours (pydantic's is one), or longer than one may be
                log.warning("shared child not understood")
                self._is_unreadable = True
                self.kill()
                break
            self._take(told)
            turn += 1
            if turn % LINES_AT_ONCE == 0:
                await asyncio.sleep(0)
        self._hung_up_at = self._environment.monotonic()
        self._has_hung_up.set()

    def _take(self, told: FromJob | Pong) -> None:
        if isinstance(told, Pong):
            self._unheard_looks = None
        elif (job := self._jobs.get(told.number)) is not None:
            job.take(told.line)
            if job.is_over:
                del self._jobs[told.number]
                self._suspects.ended(job.job_id)
                self._quiet_since = self._environment.monotonic()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Hold the process and its jobs to their limits until it is gone.

        `Process.wait` would also wait for everybody who has inherited the pipes.
        """
        looks = 0
        root = look_up(process.pid)
        while process.returncode is None:
            await self._pause()
            looks += 1
            for job in list(self._jobs.values()):
                job.check_time()
                if job.is_overdue:
                    log.warning("shared child ended: a job does not stop", job_id=job.job_id)
                    self.kill()
            if root is not None and self._is_full(root, whole=looks % TREE_EVERY == 0):
                self._is_too_large = True
                self.kill()
            if self._hung_up_at is not None and self._since(self._hung_up_at) > DRAIN_SECONDS:
                self.kill()  # nobody can hear it any more
            self._listen(looks)
            self._close_if_idle()

    def _listen(self, looks: int) -> None:
        """Ask now and then whether its loop is well; one job may let no other have a turn."""
        if self._unheard_looks is not None:
            # Looks are counted, not seconds: the machine may have slept.
            self._unheard_looks += 1
            if self._unheard_looks > self._patience.unheard_looks_max:
                log.warning("shared child ended: its loop stands still")
                self.kill()
        elif self._jobs and looks % self._patience.ping_every == 0:
            self._unheard_looks = 0
            self._write(Ping())

    def _since(self, moment: float) -> float:
        return self._environment.monotonic() - moment

    def _is_full(self, root: psutil.Process, *, whole: bool) -> bool:
        return tree_memory_bytes(root, whole=whole) > self._limits.memory_bytes_max

    def _close_if_idle(self) -> None:
        quiet_seconds = self._since(self._quiet_since)
        if self._jobs:
            pass
        elif not self.is_leaving and quiet_seconds >= self._patience.idle_seconds:
            self.close()
        elif self.is_leaving and quiet_seconds > self._patience.close_seconds:
            self.kill()

    async def _pause(self) -> None:
        if self._has_hung_up.is_set():
            await asyncio.sleep(ENDING_SECONDS)
            return
        seconds = (
            WATCH_SECONDS if self._jobs else min(IDLE_WATCH_SECONDS, self._patience.idle_seconds)
        )
        # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._has_hung_up.wait()

    def _outcome(self, exit_code: int | None) -> Outcome:
        """How whoever is still in it lost it."""
        tail = self._tail.lines
        log.info("shared child ended", exit_code=exit_code, jobs=len(self._jobs))
        if self.is_for_one and not self._is_too_large:
            ending = Ending.BROKE_PROTOCOL if self._is_unreadable else Ending.GONE
            return Outcome(ending=ending, exit_code=exit_code, tail=tail)
        if self._is_too_large and len(self._jobs) == 1:
            return Outcome(ending=Ending.OUT_OF_MEMORY, tail=tail)
        error = child_lost(exit_code, tail, is_too_large=self._is_too_large)
        return Outcome(ending=Ending.POSTPONED, error=error, tail=tail)

    def _lose(self, outcome: Outcome) -> None:
        self.is_leaving = True
        jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            wait = LOST.wait_seconds(job.order.tries + 1, self._environment.random())
            if outcome.ending is Ending.POSTPONED:
                self._suspects.lost(job.job_id)
            job.lose(replace(outcome, seconds=wait))
