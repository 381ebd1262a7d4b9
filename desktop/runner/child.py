"""One child process: started, fed, listened to, watched, and ended as a whole tree."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from desktop.core.outcome import Ending, Outcome
from desktop.runner.lines import (
    FROM_CHILD,
    Answered,
    Asked,
    Failed,
    FromChild,
    Offers,
    Order,
    PartsOver,
    Result,
    StepOver,
    write,
)
from desktop.runner.processes import (
    DRAIN_SECONDS,
    TREE_EVERY,
    Tail,
    end_marked,
    keep_to_cores,
    kill_tree,
    look_up,
    lower_priority,
    not_started,
    spawn,
    tree_memory_bytes,
)
from shared.environment import Environment
from shared.errors import ErrorBody

WATCH_SECONDS = 0.1
"""How often the memory of a child is looked at."""
ENDING_SECONDS = 0.01
"""The same once its output has ended: its exit is a moment away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    memory_bytes_max: int
    running_seconds_max: float
    """Time spent asking does not count."""
    leaving_seconds_max: float = 10.0
    """How long it may stay after its last word."""
    cores_max: int | None = None
    """How many cores it and all it starts may use; None for all."""


class Child:
    """A running job. `run` returns when the whole tree is gone."""

    def __init__(
        self,
        order: Order,
        limits: ChildLimits,
        environment: Environment,
        on_line: Callable[[FromChild], None],
    ) -> None:
        self._order = order
        self._limits = limits
        self._environment = environment
        self._on_line = on_line
        self._process: asyncio.subprocess.Process | None = None
        self._ending: Ending | None = None
        self._last: Result | Failed | None = None
        self._last_at: float | None = None
        self._tail = Tail()
        self._running_seconds = 0.0
        self._running_since: float | None = None
        self._has_hung_up = asyncio.Event()
        self._mark = environment.new_id()
        self._tail.log.expect(order)

    async def run(self) -> Outcome:
        """Start, serve and outlive the child; never raises for what the child does."""
        try:
            self._process = process = await spawn(
                self._order.workdir,
                self._order.threads_max,
                self._mark,
                self._order.traceparent,
            )
        except OSError as error:
            return Outcome(ending=Ending.REFUSED, error=not_started(error))
        self._running_since = self._environment.monotonic()
        if self._ending is not None:  # cancelled while it was being started
            self._kill()
        lower_priority(process.pid)
        if self._limits.cores_max is not None:
            keep_to_cores(process.pid, self._limits.cores_max)
        self._write(write(self._order))
        try:
            async with asyncio.TaskGroup() as tasks:
                assert process.stderr is not None
                readers = [
                    tasks.create_task(self._read_lines()),
                    tasks.create_task(self._tail.read(process.stderr)),
                ]
                exit_code = await self._watch(process)
                self._stop_watch()
                # Whatever it left behind goes with it, or it would hold our pipes open.
                self._kill()
                await end_marked(self._mark)
                await asyncio.wait(readers, timeout=DRAIN_SECONDS)
                for reader in readers:
                    reader.cancel()
        finally:
            self._kill()
        return self._outcome(exit_code)

    def answer(self, key: str, value: str) -> None:
        """Give the child its answer and let its time run again."""
        if self._running_since is None:
            self._running_since = self._environment.monotonic()
        self._write(write(Answered(key=key, value=value)))

    def parts_ended(self, over: PartsOver) -> None:
        """Tell the child that none of its parts is open."""
        self._write(write(over))

    def step_ended(self, over: StepOver) -> None:
        """Tell the child that a step of it is over."""
        self._write(write(over))

    def offered(self, offers: Offers) -> None:
        """Tell the child what workers offer now."""
        self._write(write(offers))

    def end(self, ending: Ending) -> None:
        """End the whole tree at once; the first reason given is the one that counts."""
        if self._ending is None:
            self._ending = ending
        self._kill()

    def refuse(self, error: ErrorBody) -> None:
        """End the whole tree because of what it wants, as if it had failed with this error."""
        if self._ending is None:
            self._last = Failed(error=error)
        self.end(Ending.REFUSED)

    def _write(self, data: bytes) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            # A child that is gone needs no answer; its end is told elsewhere.
            with contextlib.suppress(ConnectionError, RuntimeError):
                process.stdin.write(data)

    async def _read_lines(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while True:
            try:
                raw = await self._process.stdout.readline()
            except ValueError:  # longer than LINE_BYTES_MAX
                return self.end(Ending.BROKE_PROTOCOL)
            if not raw:
                self._has_hung_up.set()
                return None
            try:
                line = FROM_CHILD.validate_json(raw)
            except ValidationError:
                return self.end(Ending.BROKE_PROTOCOL)
            self._take(line)

    def _take(self, line: FromChild) -> None:
        if self._ending is not None:
            return
        match line:
            case Result() | Failed():
                self._last = line
                self._last_at = self._last_at or self._environment.monotonic()
                self._stop_watch()
            case Asked():
                self._stop_watch()
                self._on_line(line)
            case _:
                self._on_line(line)

    async def _watch(self, process: asyncio.subprocess.Process) -> int:
        """Hold the child to its limits until it is gone; return its exit code.

        `Process.wait` would also wait for everybody who has inherited the pipes.
        """
        looks = 0
        root = look_up(process.pid)
        while process.returncode is None:
            await self._pause()
            looks += 1
            if self._has_overstayed():
                self._kill()
            if root is None:
                continue
            used = tree_memory_bytes(root, whole=looks % TREE_EVERY == 0)
            if used > self._limits.memory_bytes_max:
                self.end(Ending.OUT_OF_MEMORY)
            elif self._seconds() > self._limits.running_seconds_max:
                self.end(Ending.TIMED_OUT)
        return process.returncode

    async def _pause(self) -> None:
        if self._has_hung_up.is_set():
            await asyncio.sleep(ENDING_SECONDS)
        else:
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._has_hung_up.wait()

    def _has_overstayed(self) -> bool:
        """Whether it has said its last word and keeps its slot all the same."""
        since = self._last_at
        limit = self._limits.leaving_seconds_max
        return since is not None and self._environment.monotonic() - since > limit

    def _seconds(self) -> float:
        since = self._running_since
        now = self._environment.monotonic()
        return self._running_seconds + (now - since if since is not None else 0.0)

    def _stop_watch(self) -> None:
        self._running_seconds = self._seconds()
        self._running_since = None

    def _kill(self) -> None:
        if self._process is not None:
            kill_tree(self._process.pid)

    def _outcome(self, exit_code: int) -> Outcome:
        ending = self._ending
        if ending is None:
            match self._last:
                case Result():
                    ending = Ending.RESULT
                case Failed():
                    ending = Ending.REFUSED
                case None:
                    ending = Ending.GONE
        return Outcome(
            ending=ending,
            exit_code=exit_code,
            output=self._last.output if isinstance(self._last, Result) else None,
            error=self._last.error if isinstance(self._last, Failed) else None,
            tail=self._tail.lines,
            running_seconds=self._running_seconds,
            limit=(
                self._limits.memory_bytes_max
                if ending is Ending.OUT_OF_MEMORY
                else self._limits.running_seconds_max
            ),
        )
