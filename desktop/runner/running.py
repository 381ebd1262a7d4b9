"""A running attempt, and what its child has said that nobody was told yet."""

from __future__ import annotations

import asyncio

from desktop.core.attempt import Attempt
from desktop.core.outcome import Following, PartsWanted
from desktop.core.sending import Wish
from desktop.core.steps import StepWanted
from desktop.runner.lines import (
    Asked,
    Follow,
    FromChild,
    Handed,
    Logged,
    Parts,
    Planned,
    Progressed,
    StepDropped,
    StepLine,
    Wrote,
)
from desktop.runner.ports import Worked
from shared.kinds import SENDS_MAX
from shared.messages import Progress
from shared.questions import Asking

FOLLOWS_MAX = 10
"""Jobs that may follow one; more are not made."""
PLANS_MAX = 1000
"""Of one attempt, that people are told; what is said beyond is left out."""
LOG_LINES_MAX = 10_000
"""Lines of one attempt that reach its log; the rest is counted and left out."""


class Running:
    """A running attempt and what its child said that nobody was told yet."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.child: Worked
        self.task: asyncio.Task[None]
        self.is_silent = False
        self.wishes: tuple[Wish, ...] = ()
        self.wrote = ""
        self.follows: tuple[Following, ...] = ()
        self.wanted: PartsWanted | None = None
        """Parts that it waits for and nobody was told of yet."""
        self.steps: list[StepWanted | StepDropped] = []
        """The same, one by one, and those that it waits for no more."""
        self.plans: list[Planned] = []
        self._plans_seen = 0
        self.news = asyncio.Event()
        self.urgent = asyncio.Event()
        self._progress: Progress | None = None
        self._lines: list[str] = []
        self._asking: Asking | None = None
        self._lines_seen = 0

    @property
    def is_told(self) -> bool:
        return not (self._lines or self._asking or self.wanted or self.steps or self.plans)

    def take(self, line: FromChild) -> None:
        """Note a line of the child."""
        match line:
            case Progressed():
                self._progress = Progress(
                    job_id=self.attempt.spec.job_id,
                    attempt=self.attempt.number,
                    stage=line.stage,
                    done=line.done,
                    total=line.total,
                    eta_seconds=line.eta_seconds,
                )
            case Logged():
                self._note(line.line)
            case Asked():
                self._asking = line.asking
                self.urgent.set()
            case Handed():
                # One too many is enough to be refused.
                self.wishes = (*self.wishes, Wish(line.path, line.name))[: SENDS_MAX + 1]
            case Wrote():
                self.wrote = line.path
            case Parts() | StepLine() | StepDropped() | Planned():
                self._take_wanted(line)
            case Follow():
                following = Following(line.kind, line.inputs)
                self.follows = (*self.follows, following)[:FOLLOWS_MAX]
            case _:
                raise AssertionError(line)
        self.news.set()

    def _take_wanted(self, line: Parts | StepLine | StepDropped | Planned) -> None:
        self.urgent.set()
        match line:
            case Parts():
                self.wanted = PartsWanted(line.kind, line.inputs, line.indexes)
            case StepLine():
                self.steps.append(StepWanted(**line.model_dump(exclude={"type"})))
            case StepDropped():
                self.steps.append(line)
            case Planned():
                self._plans_seen += 1
                if self._plans_seen <= PLANS_MAX:
                    self.plans.append(line)

    def take_news(self) -> tuple[Progress | None, list[str], Asking | None]:
        news = self._progress, self._lines, self._asking
        self._progress, self._lines, self._asking = None, [], None
        return news

    def _note(self, line: str) -> None:
        self._lines_seen += 1
        if self._lines_seen <= LOG_LINES_MAX:
            self._lines.append(line)
        elif self._lines_seen == LOG_LINES_MAX + 1:
            self._lines.append(f"… more than {LOG_LINES_MAX:,} lines; the rest is left out")
