"""Main of the child that many jobs share: each is a coroutine, and none harms another.

Everything happens on one loop, except that a thread reads standard input: when that ends, the
worker is gone, however busy the loop is. Lines of a job carry the number of its order.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn, TypeVar, cast

from pydantic import BaseModel, ValidationError

from desktop.core.code.rules import CodeRules
from desktop.core.llm.locality import LOCAL, kept_local
from desktop.core.llm.types import Endpoint
from desktop.core.network_rules import NetworkRules
from desktop.core.web.rules import WebRules
from desktop.jobs.context import Closing, Kept, Offer, PartsEnded, Postponed
from desktop.runner.child_log import logged_as
from desktop.runner.door import Door
from desktop.runner.lines import (
    LINE_BYTES_MAX,
    TO_SHARED,
    WORDS_MAX,
    Answered,
    Asked,
    Close,
    End,
    Failed,
    Follow,
    FromJob,
    FromShared,
    Left,
    Offers,
    Order,
    Parts,
    PartsOver,
    Ping,
    Planned,
    Pong,
    PostponedLine,
    Progressed,
    Result,
    Shared,
    StepDropped,
    StepLine,
    StepOver,
    Supplied,
    ToJob,
    ToRunning,
    ToShared,
    write,
)
from desktop.runner.mouth import (
    Mouth,
    crash,
    failure,
    load,
    no_memory,
    output_told,
    sayable,
    sayable_in,
)
from desktop.runner.sparing import spare_collector
from shared.errors import AppError
from shared.jobs import TITLE_CHARS_MAX
from shared.kinds import Inputs, JsonObject, parse_inputs
from shared.kinds.catalogue import kind_named
from shared.plan import PlanStage, ShownPlan, StepEnded
from shared.questions import Asking

PROGRESS_SECONDS = 0.1
"""Progress of a job leaves the child at most this often."""
CLOSE_SECONDS = 5.0
"""How long what the jobs shared may take to close."""
WORD_CHARS_MAX = 500

T = TypeVar("T")
Executor = Callable[["JobContext", Inputs], Awaitable[BaseModel]]


def serve(opening: Shared, speak: Mouth, incoming: BinaryIO, leave: Callable[[], NoReturn]) -> None:
    """Run what is ordered until the worker closes the child; `leave` when the worker is gone."""
    spare_collector()
    asyncio.run(Jobs(opening, speak).run(incoming, leave))


class Jobs:
    """All jobs of this process."""

    def __init__(self, opening: Shared, speak: Mouth) -> None:
        self.supplied = Supplied()
        self._opening = opening
        self._breath = Breath(speak)
        self._closing = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._contexts: dict[int, JobContext] = {}
        self._kept: dict[type[Closing], Closing] = {}

    async def run(self, incoming: BinaryIO, leave: Callable[[], NoReturn]) -> None:
        """Serve until told to close; nothing is left open then."""
        loop = asyncio.get_running_loop()

        def listen() -> None:
            try:
                while line := incoming.readline(LINE_BYTES_MAX):
                    loop.call_soon_threadsafe(self.take, TO_SHARED.validate_json(line))
            except (ValidationError, RuntimeError):
                traceback.print_exc()
            leave()

        async with self._group:
            threading.Thread(target=listen, daemon=True).start()
            await self._closing.wait()
            for task in self._tasks.values():
                task.cancel()
        self._breath.let_out()
        await self._close()

    def take(self, line: ToShared) -> None:
        """Do what a line of the worker says."""
        match line:
            case Supplied():
                self.supplied = line
            case Ping():
                self._breath.put(write(Pong()))
            case Close():
                self._closing.set()
            case ToJob():
                self._take(line.number, line.line)

    def _take(self, number: int, line: Order | ToRunning) -> None:
        match line:
            case Order():
                voice = Voice(number, self._breath)
                self._contexts[number] = context = JobContext(line, voice, self)
                task = self._group.create_task(self._work(line, context, voice))
                self._tasks[number] = task
                task.add_done_callback(lambda done: self._ended(number, voice, done))
            case End():
                if task_to_end := self._tasks.get(number):
                    task_to_end.cancel()
            case _:
                if waiting := self._contexts.get(number):
                    waiting.hear(line)

    def shared(self, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        """See `SharedContext.shared`."""
        if kind not in self._kept:
            self._kept[kind] = make()
        return cast("Kept", self._kept[kind])

    async def _work(self, order: Order, context: JobContext, voice: Voice) -> None:
        last = await self._last_line(order, context)
        try:
            voice(last)
        except AppError as error:  # its result is too large to be told
            voice(Failed(error=failure(error)))

    def _ended(self, number: int, voice: Voice, task: asyncio.Task[None]) -> None:
        if task.cancelled():  # before it began
            voice(Left())
        voice.close()
        del self._tasks[number], self._contexts[number]

    async def _last_line(self, order: Order, context: JobContext) -> FromShared:
        try:
            return Result(output=await _run(order, context))
        except asyncio.CancelledError:
            return Left()
        except MemoryError:
            return Failed(error=no_memory(self._opening.memory_bytes_max))
        except (Exception, SystemExit) as error:
            return _told(error)

    async def _close(self) -> None:
        for kept in reversed(self._kept.values()):
            # One that does not close must not keep the next from it.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await kept.aclose()


class Breath:
    """What the jobs say in one turn of the loop, said at once."""

    def __init__(self, speak: Mouth) -> None:
        self._speak = speak
        self._lines: list[bytes] = []

    def put(self, data: bytes) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.let_out)
        self._lines.append(data)

    def let_out(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            self._speak.put(b"".join(lines))


class Voice:
    """How one job speaks: newest progress only, and every line with its number."""

    def __init__(self, number: int, breath: Breath) -> None:
        self._number = number
        self._breath = breath
        self._progress: Progressed | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, line: FromShared) -> None:
        """Say a line.

        Raises:
            AppError: `line_too_large`.
        """
        if isinstance(line, Progressed):
            self._progress = line
            if self._timer is None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(PROGRESS_SECONDS, self._tell_progress)
            return
        self._tell_progress()
        self._put(line)

    def close(self) -> None:
        """Say nothing more."""
        self._progress = None
        self._tell_progress()

    def _tell_progress(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        line, self._progress, self._timer = self._progress, None, None
        if line is not None:
            self._put(line)

    def _put(self, line: FromShared) -> None:
        data = write(FromJob(number=self._number, line=line))
        if len(data) > LINE_BYTES_MAX:
            raise AppError(
                "line_too_large",
                f"The job has {len(data):,} bytes to tell at once; {LINE_BYTES_MAX:,} are taken.",
                "It has to write them into a file instead.",
            )
        self._breath.put(data)


class JobContext(Door):
    """The door of one job to the world (`desktop.jobs.context.SharedContext`)."""

    def __init__(self, order: Order, voice: Voice, jobs: Jobs) -> None:
        super().__init__(order, voice)
        self._workdir = Path(order.workdir)
        self.job_id = order.spec.job_id
        self.kind = order.spec.kind
        self.tries = order.tries
        self._jobs = jobs
        self._voice = voice
        self._asking = asyncio.Lock()
        """Held while a person is asked: a job waits for one answer at a time."""
        self._parting = asyncio.Lock()
        self._answer: tuple[str, asyncio.Future[str]] | None = None
        self._over: asyncio.Future[PartsEnded] | None = None
        self._steps: dict[int, asyncio.Future[StepEnded]] = {}
        """Those that somebody waits for, by their numbers."""
        self._offers = order.offers
        self._is_local = False

    def keep_to(self, inputs: Inputs) -> None:
        """Hold the job to what it was asked for with: one that is kept local calls no others."""
        self._is_local = getattr(inputs, LOCAL, False) is True

    @property
    def workdir(self) -> Path:
        self._workdir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._workdir

    @property
    def keys(self) -> Mapping[str, str]:
        return self._jobs.supplied.keys

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        known = self._jobs.supplied.endpoints
        return kept_local(known) if self._is_local else known

    @property
    def may_send_text(self) -> bool:
        return self.origin in self._jobs.supplied.send_text

    @property
    def network(self) -> NetworkRules:
        return self._jobs.supplied.network

    @property
    def code(self) -> CodeRules:
        return self._jobs.supplied.code

    @property
    def web(self) -> WebRules:
        return self._jobs.supplied.web

    def shared(self, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        return self._jobs.shared(kind, make)

    async def ask(self, asking: Asking) -> str:
        async with self._asking:
            if asking.key not in self._given:
                future = asyncio.get_running_loop().create_future()
                self._answer = asking.key, future
                self._voice(Asked(asking=Asking.model_validate(sayable_in(asking.model_dump()))))
                self._given[asking.key] = await future
            return self._given[asking.key]

    async def parts(self, kind: str, inputs: JsonObject, indexes: Sequence[int]) -> PartsEnded:
        async with self._parting:
            self._over = asyncio.get_running_loop().create_future()
            self._voice(Parts(kind=kind, inputs=sayable_in(inputs), indexes=tuple(indexes)))
            return await self._over

    def follow(self, kind: str, inputs: JsonObject) -> None:
        self._voice(Follow(kind=kind, inputs=sayable_in(inputs)))

    async def step(self, number: int, kind: str, inputs: JsonObject, *, title: str) -> StepEnded:
        if number in self._steps:
            raise ValueError(f"step {number} is wanted already")
        future: asyncio.Future[StepEnded] = asyncio.get_running_loop().create_future()
        self._steps[number] = future
        try:
            said = {"kind": kind, "inputs": sayable_in(inputs)}
            title = sayable(title)[:TITLE_CHARS_MAX]
            self._voice(StepLine.model_validate({**said, "number": number, "title": title}))
            return await future
        except asyncio.CancelledError:
            self._voice(StepDropped(number=number))
            raise
        finally:
            del self._steps[number]

    @property
    def offers(self) -> tuple[Offer, ...]:
        return tuple(Offer(**one.model_dump()) for one in self._offers)

    def show_plan(self, stage: PlanStage, plan: ShownPlan) -> None:
        told = ShownPlan.model_validate(sayable_in(plan.model_dump()))
        self._voice(Planned(stage=stage, plan=told))

    def hear(self, told: ToRunning) -> None:
        """Take what the job waits for; what it does not wait for any more says nothing."""
        match told:
            case Answered(key=key, value=value):
                if self._answer is not None and self._answer[0] == key:
                    _settle(self._answer[1], value)
            case PartsOver():
                ended = PartsEnded(
                    succeeded=told.succeeded, failed=told.failed, cancelled=told.cancelled
                )
                if self._over is not None:
                    _settle(self._over, ended)
            case StepOver():
                if (waiting := self._steps.get(told.number)) is not None:
                    _settle(waiting, StepEnded(**told.model_dump(exclude={"type", "number"})))
            case Offers():
                self._offers = told.offers
            case End():
                raise AssertionError(told)


def _settle(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


async def _run(order: Order, context: JobContext) -> JsonObject:
    kind = kind_named(order.spec.kind, load(order.kinds_at))
    inputs = parse_inputs(kind, order.spec.inputs)
    context.keep_to(inputs)
    executor: Executor = load(order.executor)
    with logged_as(order):
        return output_told(kind, order.executor, await executor(context, inputs))


def _told(error: BaseException) -> FromShared:
    """Return the last line of a job that ended with an error."""
    while isinstance(error, BaseExceptionGroup):
        # A job that has tasks of its own: the expected one of their failures says most.
        expected = error.subgroup((Postponed, AppError)) or error
        error = expected.exceptions[0]
    match error:
        case Postponed():
            seconds = error.seconds if math.isfinite(error.seconds) else 0.0
            return PostponedLine(error=failure(error.error), seconds=max(0.0, seconds))
        case AppError():
            return Failed(error=failure(error))
        case _:
            words = "".join(traceback.format_exception(error)).splitlines()[-WORDS_MAX:]
            shown = tuple(sayable(word)[:WORD_CHARS_MAX] for word in words)
            return Failed(error=crash(error), words=shown)
