"""One job in the child that many share, as the runner sees it: worked like any other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from desktop.core.outcome import Ending, Outcome
from desktop.runner.child import ChildLimits
from desktop.runner.lines import (
    Answered,
    Asked,
    End,
    Failed,
    FromChild,
    FromShared,
    Left,
    Offers,
    Order,
    Parts,
    PartsOver,
    PostponedLine,
    Result,
    StepDropped,
    StepLine,
    StepOver,
    ToRunning,
)
from desktop.runner.stopwatch import Stopwatch
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.ids import JobId

END_SECONDS = 10.0
"""How long a job may take to stop before the whole child goes."""


Begin = Callable[["SharedJob"], Awaitable[None]]
"""Has a job run; it is settled when it is over."""
Tell = Callable[[ToRunning], None]
"""Says something to a job that runs."""


class SharedJob:
    """A running job. `run` returns when its coroutine is over, or the whole child is."""

    def __init__(
        self,
        order: Order,
        limits: ChildLimits,
        environment: Environment,
        on_line: Callable[[FromChild], None],
        begin: Begin,
        *,
        is_maker: bool = False,
        end_seconds: float = END_SECONDS,
    ) -> None:
        """Make it; nothing has begun. `is_maker`: it may wait for other jobs."""
        self.is_maker = is_maker
        self._end_seconds = end_seconds
        self.order = order
        self.limits = limits
        self._environment = environment
        self._on_line = on_line
        self._begin = begin
        self._tell: Tell | None = None
        self._watch = Stopwatch(environment.monotonic)
        self._ending: Ending | None = None
        self._refused: ErrorBody | None = None
        self._ended_at: float | None = None
        self._steps: set[int] = set()
        """Those that it waits for."""
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    @property
    def job_id(self) -> JobId:
        return self.order.spec.job_id

    @property
    def is_over(self) -> bool:
        return self._outcome.done()

    @property
    def is_overdue(self) -> bool:
        """Whether it was told to stop and has not."""
        since = self._ended_at
        return since is not None and self._environment.monotonic() - since > self._end_seconds

    async def over(self) -> None:
        """Wait until it is over."""
        await asyncio.wait([self._outcome])

    async def run(self) -> Outcome:
        """Work; returns when nothing of it is left."""
        if not self.is_over:
            await self._begin(self)
        return await self._outcome

    def started(self, tell: Tell) -> None:
        """Its order is out: its time runs, and it can be spoken to."""
        self._tell = tell
        self._watch.start()

    def answer(self, key: str, value: str) -> None:
        self._watch.go_on()
        self._say(Answered(key=key, value=value))

    def parts_ended(self, over: PartsOver) -> None:
        """None of its parts is open any more."""
        self._watch.go_on()
        self._say(over)

    def step_ended(self, over: StepOver) -> None:
        """A step that it waits for is over."""
        self._wait_less(over.number)
        self._say(over)

    def offered(self, offers: Offers) -> None:
        """What the person's workers offer has changed."""
        self._say(offers)

    def end(self, ending: Ending) -> None:
        """Stop it; the first reason given is the one that counts."""
        if self._ending is not None:
            return
        self._ending = ending
        self._ended_at = self._environment.monotonic()
        if self._tell is None:
            self._settle(Ending.GONE)  # it never began
        else:
            self._say(End())

    def refuse(self, error: ErrorBody) -> None:
        if self._ending is None:
            self._refused = error
        self.end(Ending.REFUSED)

    def check_time(self) -> None:
        """Stop it when it has run for longer than its kind may."""
        if self._watch.seconds > self.limits.running_seconds_max:
            self.end(Ending.TIMED_OUT)

    def take(self, line: FromShared) -> None:
        """Take what its coroutine says."""
        match line:
            case Result():
                self._settle(Ending.RESULT, output=line)
            case Failed():
                self._settle(Ending.REFUSED, error=line.error, tail=line.words)
            case PostponedLine():
                self._settle(Ending.POSTPONED, error=line.error, seconds=line.seconds)
            case Left():
                self._settle(Ending.GONE)
            case _ if self._ending is not None:
                pass
            case Asked() | Parts():
                self._watch.wait()
                self._on_line(line)
            case StepLine():
                if line.number not in self._steps:
                    self._steps.add(line.number)
                    self._watch.wait()
                self._on_line(line)
            case StepDropped():
                self._wait_less(line.number)
                self._on_line(line)
            case _:
                self._on_line(line)

    def lose(self, outcome: Outcome) -> None:
        """The child is gone; this is how, if the job was not to stop anyway."""
        self._settle(
            outcome.ending,
            error=outcome.error,
            exit_code=outcome.exit_code,
            tail=outcome.tail,
            seconds=outcome.seconds,
        )

    def _wait_less(self, number: int) -> None:
        if number in self._steps:
            self._steps.discard(number)
            self._watch.go_on()

    def _say(self, line: ToRunning) -> None:
        if self._tell is not None and not self.is_over:
            self._tell(line)

    def _settle(
        self,
        ending: Ending,
        *,
        output: Result | None = None,
        error: ErrorBody | None = None,
        exit_code: int | None = None,
        tail: tuple[str, ...] = (),
        seconds: float = 0.0,
    ) -> None:
        if self._outcome.done():
            return
        wanted = self._ending
        is_memory = wanted is None and ending is Ending.OUT_OF_MEMORY
        limits = self.limits
        self._outcome.set_result(
            Outcome(
                ending=wanted or ending,
                output=output.output if output is not None and wanted is None else None,
                error=self._refused if wanted is not None else error,
                exit_code=exit_code,
                tail=tail,
                running_seconds=self._watch.seconds,
                seconds=seconds,
                limit=limits.memory_bytes_max if is_memory else limits.running_seconds_max,
            )
        )
