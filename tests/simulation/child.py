"""A job without a process: it follows its script, asks, fails or dies, and leaves its effect."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Protocol

from desktop.core.outcome import Ending, Outcome
from desktop.runner.child import ChildLimits
from desktop.runner.lines import (
    Asked,
    Follow,
    FromChild,
    Logged,
    Offers,
    Order,
    Parts,
    PartsOver,
    Progressed,
    StepDropped,
    StepLine,
    StepOver,
)
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.ids import JobId
from shared.jobs import JobSpec
from shared.kinds import JsonObject
from shared.questions import Asking, Choice, QuestionKind
from tests.simulation.kinds import AFTER, PART, STEPS, Script

PASSING = ErrorBody(code="disk_busy", message="The disk was busy.", retryable=True)
LASTING = ErrorBody(code="file_broken", message="The file is broken.", hint="Mend it.")

POSTPONED_MAX = 5
POSTPONED_SHARE = 0.25


class Place(Protocol):
    """The machine that a child runs on."""

    @property
    def is_up(self) -> bool: ...

    def effect(self, spec: JobSpec) -> None:
        """The job has its visible effect."""

    def used(self, job_id: JobId, key: str, value: str) -> None:
        """The job goes on with this answer."""

    def tries(self, job_id: JobId) -> int:
        """Count this run of a job; return how many there were before."""

    def is_done(self, maker: str, index: int) -> bool:
        """Whether a part of a job has left its mark on this machine's disk."""

    def do(self, maker: str, index: int) -> None:
        """Leave it."""

    def step_told(self, maker: str, index: int, over: StepOver) -> None:
        """A job hears how a step of it came out."""


class SimulatedChild:
    """As `desktop.runner.child.Child`, without a process."""

    def __init__(
        self,
        place: Place,
        chance: random.Random,
        order: Order,
        _limits: ChildLimits,
        _environment: Environment,
        on_line: Callable[[FromChild], None],
    ) -> None:
        self._place, self._chance, self._on_line = place, chance, on_line
        self._spec = order.spec
        self._postponed = order.tries
        self._script = Script.model_validate(order.spec.inputs)
        self._answers = dict(order.spec.answers)
        self._ending: Ending | None = None
        self._error: ErrorBody | None = None
        self._bell = asyncio.Event()
        self._over: list[PartsOver] = []
        self._steps: dict[int, StepOver] = {}

    async def run(self) -> Outcome:
        before = self._place.tries(self._spec.job_id)
        outcome = await self._work(self._script.fails if before < self._script.times else "")
        if self._ending is None:
            return outcome
        # Ending a tree of processes takes a moment.
        await asyncio.sleep(self._chance.uniform(0.01, 0.5))
        return Outcome(ending=self._ending, error=self._error, exit_code=-9)

    def answer(self, key: str, value: str) -> None:
        self._answers.setdefault(key, value)
        self._bell.set()

    def end(self, ending: Ending) -> None:
        self._ending = self._ending or ending
        self._bell.set()

    def refuse(self, error: ErrorBody) -> None:
        self._error = self._error or error
        self.end(Ending.REFUSED)

    def parts_ended(self, over: PartsOver) -> None:
        self._over.append(over)
        self._bell.set()

    def step_ended(self, over: StepOver) -> None:
        self._steps[over.number] = over
        self._place.step_told(self._spec.job_id, over.number, over)
        self._bell.set()

    def offered(self, _offers: Offers) -> None:
        return

    async def _work(self, failure: str) -> Outcome:
        died = Outcome(ending=Ending.GONE, exit_code=-9)
        is_part = self._spec.kind == PART.name
        if is_part and self._place.is_done(self._script.of, self._script.index):
            return Outcome(ending=Ending.RESULT, output={"headline": "done before"})
        if (later := self._postponement()) is not None:
            await self._pass(0.1)
            return later
        for number in range(self._script.asks):
            await self._pass(self._script.seconds / (self._script.asks + 1))
            await self._ask(f"q{number}")
        await self._pass(self._script.seconds / (self._script.asks + 1))
        if self._script.parts:
            await self._have_parts()
        if self._script.steps:
            await self._have_steps()
        if failure == "passing" or failure == "lasting":
            return Outcome(
                ending=Ending.REFUSED, error=PASSING if failure == "passing" else LASTING
            )
        if failure == "gone" and self._chance.random() < 0.5:
            return died
        if self._ending is None and self._place.is_up:
            self._place.effect(self._spec)
            if is_part:
                self._place.do(self._script.of, self._script.index)
        await self._pass(self._chance.uniform(0.0, 0.3))
        if failure == "gone":
            return died
        return Outcome(ending=Ending.RESULT, output={"headline": "done"}, running_seconds=1.0)

    def _postponement(self) -> Outcome | None:
        """A run and its parts cannot go on, now and then: a limit, or a child that was lost."""
        has_parts = self._script.parts or self._script.steps
        is_whole = not (self._spec.kind == PART.name or has_parts)
        # Dice of its own: what other jobs do stays as it was.
        dice = random.Random(f"{self._spec.job_id} {self._postponed}")
        if is_whole or self._postponed >= POSTPONED_MAX or dice.random() > POSTPONED_SHARE:
            return None
        seconds = dice.uniform(0.1, 90.0)
        return Outcome(ending=Ending.POSTPONED, error=PASSING, seconds=seconds)

    async def _pass(self, seconds: float) -> None:
        """Work for a while, or until it is ended."""
        if self._ending is not None:
            return
        self._say(Progressed(stage="working", done=0, total=1))
        if self._chance.random() < 0.3:
            self._say(Logged(line=f"worked on {self._spec.title}"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._ending is None:
                    self._bell.clear()
                    await self._bell.wait()

    async def _have_parts(self) -> None:
        """Have made what is not done yet, until nothing is left, and then what follows."""
        job_id = self._spec.job_id
        inputs: JsonObject = {"of": job_id, "seconds": self._script.seconds}
        while self._ending is None:
            every = range(self._script.parts)
            left = [n for n in every if not self._place.is_done(job_id, n)]
            await self._wait_for(Parts(kind=PART.name, inputs=inputs, indexes=tuple(left)))
            if not left:
                break
        if self._ending is None:
            self._say(Follow(kind=AFTER.name, inputs={"seconds": 0.1}))

    async def _have_steps(self) -> None:
        """Have all steps made at once; give one up now and then. It keeps no notes of its own."""
        dice = random.Random(f"{self._spec.job_id} steps")
        for number in range(self._script.steps):
            fails = dice.choice(("", "", "", "passing", "lasting", "gone"))
            inputs: JsonObject = {
                "of": self._spec.job_id, "index": number, "fails": fails, "times": 1,
                "seconds": self._script.seconds, "asks": int(dice.random() < 0.15),
            }  # fmt: skip
            kind = STEPS[(number + dice.randint(0, 1)) % len(STEPS)]
            self._say(StepLine(number=number, kind=kind.name, inputs=inputs, title=f"s{number}"))
        dropped = {n for n in range(self._script.steps) if dice.random() < 0.1}
        if dropped:
            await self._pass(self._script.seconds)
        for number in dropped - self._steps.keys():
            self._say(StepDropped(number=number))
        wanted = set(range(self._script.steps)) - dropped
        while not wanted <= self._steps.keys() and self._ending is None:
            self._bell.clear()
            await self._bell.wait()

    async def _wait_for(self, wanted: Parts) -> None:
        self._over.clear()
        self._say(wanted)
        while not self._over and self._ending is None:
            self._bell.clear()
            await self._bell.wait()

    async def _ask(self, key: str) -> None:
        if key not in self._answers and self._ending is None:
            self._say(Asked(asking=asking_of(key, self._script.default)))
        while key not in self._answers and self._ending is None:
            self._bell.clear()
            await self._bell.wait()
        if self._ending is None and self._place.is_up:
            self._place.used(self._spec.job_id, key, self._answers[key])

    def _say(self, line: FromChild) -> None:
        if self._place.is_up:
            self._on_line(line)


def asking_of(key: str, default: str | None) -> Asking:
    return Asking(
        key=key,
        kind=QuestionKind.CHOICE,
        text=f"{key}: left or right?",
        choices=(Choice(value="left", label="Left"), Choice(value="right", label="Right")),
        default=default,
    )
