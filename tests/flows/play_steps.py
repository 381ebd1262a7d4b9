"""Toy kinds of plans: one that has steps as its inputs say, and what its steps are made of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from desktop.jobs.context import Context, SharedContext
from shared.errors import BadInput, Unavailable
from shared.kinds import EVERY_PLANNED, Inputs, JsonObject, Kind, Output
from shared.plan import Permission, PlanFace, PlanStage, ShownPlan, ShownStep
from shared.questions import Asking, Choice, QuestionKind

LOOK_SECONDS = 0.01
FACE = PlanFace(permission=Permission.WRITE, words="text")


class PlanInputs(Inputs):
    text: str = ""
    """The folder where its steps leave their marks."""
    kinds: tuple[str, ...] = ()
    """One for each step; all of them at once."""
    drops: tuple[int, ...] = ()
    """Steps that are waited for no more once the file "drop" is in the folder."""


class TurnsInputs(Inputs):
    of: str = ""
    number: int = 0
    """How many steps, one after the other."""


class StepInputs(Inputs):
    text: str = ""
    """The folder."""
    index: int = 0


class PlanOutput(Output):
    states: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()


class TurnsOutput(Output):
    wanted: tuple[float, ...] = ()
    """When each step was wanted, in seconds of the wall clock."""
    begun: tuple[float, ...] = ()
    """When its executor ran."""
    jobs: tuple[str, ...] = ()


class StepOutput(Output):
    text: str = ""


async def plan(context: SharedContext, inputs: PlanInputs) -> PlanOutput:
    """Have all its steps made at once; tell how each came out."""
    folder = Path(inputs.text)
    shown = tuple(
        ShownStep(id=f"s{n}", number=n + 1, title=f"Step {n}", kind=kind)
        for n, kind in enumerate(inputs.kinds)
    )
    context.show_plan(PlanStage.APPROVED, ShownPlan(goal="Play", steps=shown))
    tasks = []
    async with asyncio.TaskGroup() as group:
        for number, kind in enumerate(inputs.kinds):
            told: JsonObject = {"text": inputs.text, "index": number}
            step = context.step(number, kind, told, title=f"Step {number}")
            tasks.append(group.create_task(step))
        while inputs.drops and not (folder / "drop").exists():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        for number in inputs.drops:
            tasks[number].cancel()
    ends = [task.result() for task in tasks if not task.cancelled()]
    return PlanOutput(
        headline=f"{len(ends)} steps are over.",
        states=tuple(end.state for end in ends),
        codes=tuple(end.code for end in ends),
        texts=tuple(str((end.output or {}).get("text", "")) for end in ends),
        offers=tuple(
            f"{offer.name} {offer.is_online} {len(offer.kinds)}" for offer in context.offers
        ),
    )


async def turns(context: SharedContext, inputs: TurnsInputs) -> TurnsOutput:
    """Have steps made one after the other; tell how long each took to begin."""
    wanted, ends = [], []
    for number in range(inputs.number):
        wanted.append(time.time())
        ends.append(await context.step(number, inputs.of, {}, title=f"Turn {number}"))
    return TurnsOutput(
        headline="Done.",
        wanted=tuple(wanted),
        begun=tuple(float(str((end.output or {})["text"])) for end in ends),
        jobs=tuple(end.job_id for end in ends),
    )


async def clock(context: SharedContext, inputs: StepInputs) -> StepOutput:
    """Tell when it began."""
    return StepOutput(headline="Now.", text=str(time.time()))


async def tell(context: SharedContext, inputs: StepInputs) -> StepOutput:
    """Leave a mark, in a coroutine that takes no slot."""
    while (Path(inputs.text) / "gate").exists():  # noqa: ASYNC110 (a file rings for nobody)
        await asyncio.sleep(LOOK_SECONDS)
    _mark(inputs, context.workdir.name)
    return StepOutput(headline="Told.", text=f"told {inputs.index} {context.is_planned}")


def stride(context: Context, inputs: StepInputs) -> StepOutput:
    """Leave a mark that must not be left twice, in a process that takes a slot."""
    _mark(inputs, context.workdir.name)
    while (Path(inputs.text) / "gate").exists():
        time.sleep(LOOK_SECONDS)
    with (context.workspace / "strides").open("a", encoding="utf-8") as marks:
        marks.write(f"{inputs.index}\n")
    count = len((context.workspace / "strides").read_text().split())
    return StepOutput(headline="Done.", text=f"strode {inputs.index} {context.is_planned} {count}")


def wonder(context: Context, inputs: StepInputs) -> StepOutput:
    choices = (Choice(value="red", label="Red"), Choice(value="blue", label="Blue"))
    colour = context.ask(
        Asking(key="colour", kind=QuestionKind.CHOICE, text="Which colour?", choices=choices)
    )
    return StepOutput(headline=f"It is {colour}.", text=colour)


def stumble(context: Context, inputs: StepInputs) -> StepOutput:
    """Fail once in a way that passes."""
    if not (Path(inputs.text) / f"done{inputs.index}").exists():
        _mark(inputs, context.workdir.name)
        raise Unavailable(
            "service_away",
            "The service is away.",
            "Later.",
            retryable=True,
            retry_after_seconds=0.1,
        )
    return StepOutput(headline="It works now.", text="at last")


def refuse(context: Context, inputs: StepInputs) -> StepOutput:
    raise BadInput("file_empty", "sales.csv is empty.", "Choose another file.")


def _mark(inputs: StepInputs, job_id: str) -> None:
    with (Path(inputs.text) / f"done{inputs.index}").open("a", encoding="utf-8") as marks:
        marks.write(f"{job_id}\n")


def _kind(name: str, *, is_shared: bool = False, idempotent: bool = True) -> Kind:
    return Kind(
        name=f"play.{name}",
        summary=f"test: {name}",
        inputs=StepInputs,
        output=StepOutput,
        idempotent=idempotent,
        timeout_seconds=60,
        takes_slot=not is_shared,
        is_shared=is_shared,
        planned=FACE,
    )


PLAN = Kind(
    name="play.plan",
    summary="test: plan",
    inputs=PlanInputs,
    output=PlanOutput,
    idempotent=False,
    resumable=True,
    timeout_seconds=600,
    makes=(EVERY_PLANNED,),
    takes_slot=False,
    is_shared=True,
)
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        PLAN,
        replace(PLAN, name="play.turns", inputs=TurnsInputs, output=TurnsOutput),
        _kind("step_clock", is_shared=True),
        _kind("step_tell", is_shared=True),
        _kind("step_stride", idempotent=False),
        _kind("step_wonder"),
        _kind("step_stumble"),
        _kind("step_refuse"),
    )
}
EXECUTORS = {
    name: f"{__name__}:{name.removeprefix('play.').removeprefix('step_')}" for name in KINDS
}
