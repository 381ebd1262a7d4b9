"""Toy kinds that have parts: a run, which remembers in files what its parts have done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from desktop.jobs.context import SharedContext
from shared.errors import BadInput
from shared.kinds import Inputs, Kind, Output

LOOK_SECONDS = 0.01


class RunInputs(Inputs):
    number: int = 0
    """How many parts."""
    text: str = ""
    """The folder where its parts leave what they have done."""
    fails: int = -1
    """A part that fails, once."""


class PartInputs(RunInputs):
    index: int = 0


class Ended(Output):
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0


async def run(context: SharedContext, inputs: RunInputs) -> Ended:
    """Have made what is not done yet, as often as it takes, and then something that follows."""
    folder = Path(inputs.text)
    told = inputs.model_dump()
    left = [0]
    while left:
        left = [n for n in range(inputs.number) if not (folder / f"done{n}").exists()]
        # Also with nothing left: what is done may not be told yet.
        ended = await context.parts("play.part", told, left)
        if ended.cancelled:
            return Ended(headline="Stopped.", cancelled=ended.cancelled)
        context.log(f"{ended.succeeded} of {len(left)} went well")
    context.follow("play.after", {"text": inputs.text, "number": inputs.number})
    return Ended(headline="All parts are done.", succeeded=inputs.number)


async def part(context: SharedContext, inputs: PartInputs) -> Ended:
    """Leave a mark, which nobody else may have left; wait before that while there is a gate."""
    folder = Path(inputs.text)
    if (folder / f"done{inputs.index}").exists():
        return Ended(headline="It was done already.")
    while (folder / "gate").exists():  # noqa: ASYNC110 (a file rings for nobody)
        await asyncio.sleep(LOOK_SECONDS)
    failed = folder / f"failed{inputs.index}"
    if inputs.index == inputs.fails and not failed.exists():
        failed.touch()
        raise BadInput("part_odd", "This part is odd.", "Try again.")
    await asyncio.sleep(LOOK_SECONDS)
    with (folder / f"done{inputs.index}").open("x", encoding="utf-8") as mark:
        mark.write(context.job_id)
    return Ended(headline="Done.")


async def greedy(context: SharedContext, inputs: RunInputs) -> Ended:
    """Want what its kind may not have made."""
    ended = await context.parts("play.effect", {"text": inputs.text}, range(3))
    return Ended(headline="Never.", succeeded=ended.succeeded)


async def after(context: SharedContext, inputs: RunInputs) -> Ended:
    with (Path(inputs.text) / "after").open("a", encoding="utf-8") as marks:
        marks.write(f"{context.job_id}\n")
    return Ended(headline=f"After {inputs.number} parts.")


def _kind(name: str, inputs: type[Inputs], makes: tuple[str, ...] = ()) -> Kind:
    return Kind(
        name=f"play.{name}",
        summary=f"test: {name}",
        inputs=inputs,
        output=Ended,
        idempotent=True,
        resumable=True,
        timeout_seconds=600,
        makes=makes,
        takes_slot=False,
        is_shared=True,
    )


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind("run", RunInputs, ("play.part", "play.after")),
        _kind("part", PartInputs),
        _kind("after", RunInputs),
        _kind("greedy", RunInputs, ("play.part",)),
    )
}
EXECUTORS = {name: f"{__name__}:{name.removeprefix('play.')}" for name in KINDS}
