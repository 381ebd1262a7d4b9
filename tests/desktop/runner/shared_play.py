"""Toy shared kinds: each does one thing that a job may do to those it shares a child with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from desktop.core.child_mark import mark_of
from desktop.jobs.context import Postponed, SharedContext
from shared.errors import BadInput, Unavailable
from shared.kinds import Inputs, Kind, Output
from shared.questions import Asking, Choice, QuestionKind

PATIENCE_SECONDS = 300.0


class Wish(Inputs):
    index: int = 0
    number: int = 0
    text: str = ""


class Told(Output):
    value: str = ""
    number: int = 0


async def add(context: SharedContext, inputs: Wish) -> Told:
    await asyncio.sleep(0)
    return Told(headline="Added.", number=inputs.number + 1, value=str(os.getpid()))


async def ask(context: SharedContext, inputs: Wish) -> Told:
    asking = Asking(
        key="colour",
        kind=QuestionKind.APPROVAL,
        text="Which colour?",
        choices=(Choice(value="red", label="Red"), Choice(value="blue", label="Blue")),
    )
    first, again = await asyncio.gather(context.ask(asking), context.ask(asking))
    assert first == again, "the same key is asked once"
    return Told(headline=f"It is {first}.", value=first)


async def hang(context: SharedContext, inputs: Wish) -> Told:
    context.log(f"hanging in {os.getpid()}")
    await asyncio.sleep(PATIENCE_SECONDS)
    return Told(headline="Nobody came.")


async def deaf(context: SharedContext, inputs: Wish) -> Told:
    """Go on whatever it is told."""
    context.log("deaf")
    while True:
        try:
            await asyncio.sleep(PATIENCE_SECONDS)
        except asyncio.CancelledError:
            continue


async def stuck(context: SharedContext, inputs: Wish) -> Told:
    """Let nobody else have a turn."""
    context.log("stuck")
    await asyncio.sleep(0.3)
    time.sleep(PATIENCE_SECONDS)  # noqa: ASYNC251 (the fault that it plays)
    return Told(headline="Nobody came.")


async def scatter(context: SharedContext, inputs: Wish) -> Told:
    """Start programs as agents do: in groups of their own, one of them nobody's child."""
    program = [sys.executable, "-S", "-c", f"import time; time.sleep({PATIENCE_SECONDS})"]
    below = await asyncio.create_subprocess_exec(*program, start_new_session=True)
    run_away = (
        "import os, subprocess, sys; "
        "none = subprocess.DEVNULL; "
        "gone = subprocess.Popen(sys.argv[1:], start_new_session=True, stdout=none, stderr=none); "
        "print(gone.pid, flush=True)"
    )
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", run_away, *program),
        stdout=asyncio.subprocess.PIPE,
        env=mark_of(os.environ),
    )
    told, _ = await starter.communicate()
    context.log(f"scattered {os.getpid()} {below.pid} {told.decode().strip()}")
    if inputs.text == "done":
        return Told(headline="Done, and left them behind.")
    if inputs.text == "deaf":
        return await deaf(context, inputs)
    await asyncio.sleep(PATIENCE_SECONDS)
    return Told(headline="Nobody came.")


async def talk_rubbish(context: SharedContext, inputs: Wish) -> Told:
    """Write what is no line of ours where the worker listens."""
    for number in range(3, 20):
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                os.write(number, b"rubbish\n")
    await asyncio.sleep(PATIENCE_SECONDS)
    return Told(headline="Never.")


async def eat_below(context: SharedContext, inputs: Wish) -> Told:
    """Have a program of its own eat the memory."""
    eat = "import time; x = b'x' * 400 * 1024**2; time.sleep(300)"
    eater = await asyncio.create_subprocess_exec(sys.executable, "-c", eat, start_new_session=True)
    context.log(f"eater {eater.pid}")
    await eater.wait()
    return Told(headline="Never.")


async def crash(context: SharedContext, inputs: Wish) -> Told:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_fail())
    return Told(headline="Never.")


async def _fail() -> None:
    raise ValueError("the reason")


async def refuse(context: SharedContext, inputs: Wish) -> Told:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_refuse())
    return Told(headline="Never.")


async def _refuse() -> None:
    raise BadInput("odd", "That is odd.", "Say it otherwise.")


async def leave(context: SharedContext, inputs: Wish) -> Told:
    raise SystemExit("a library that calls exit")


async def postpone(context: SharedContext, inputs: Wish) -> Told:
    """Ask for another moment as often as `number` says."""
    if context.tries < inputs.number:
        raise Postponed(Unavailable("busy", "It is busy.", "Wait."), float(inputs.text or "0.05"))
    return Told(headline="At last.", number=context.tries)


async def kill(context: SharedContext, inputs: Wish) -> Told:
    """Take the whole child down, the first time, or as often as `number` says."""
    if context.tries < max(1, inputs.number):
        os.kill(os.getpid(), signal.SIGKILL)
    return Told(headline="Alive.", number=context.tries, value=str(os.getpid()))


async def curse(context: SharedContext, inputs: Wish) -> Told:
    """Take the child down, however often it is begun."""
    context.log("cursing")
    await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGSEGV)
    return Told(headline="Never.")


async def eat(context: SharedContext, inputs: Wish) -> Told:
    eaten = []
    while True:
        eaten.append(b"x" * 8 * 1024**2)
        await asyncio.sleep(0.005)


async def print_much(context: SharedContext, inputs: Wish) -> Told:
    for _ in range(1000):
        print("this goes elsewhere " * 20)
    return Told(headline="Printed.")


async def huge(context: SharedContext, inputs: Wish) -> Told:
    return Told(headline="Huge.", value="x" * 5 * 1024**2)


async def flood(context: SharedContext, inputs: Wish) -> Told:
    for done in range(inputs.number):
        context.progress("flooding", done + 1, inputs.number)
        context.log(f"line {done}")
    return Told(headline="Flooded.")


async def slow(context: SharedContext, inputs: Wish) -> Told:
    await asyncio.sleep(PATIENCE_SECONDS)
    return Told(headline="Nobody came.")


async def parts(context: SharedContext, inputs: Wish) -> Told:
    ended = await context.parts("shared.add", {"text": "part"}, range(inputs.number))
    context.follow("shared.add", {"number": 7})
    return Told(headline="Whole.", number=ended.succeeded)


async def rules(context: SharedContext, inputs: Wish) -> Told:
    return Told(
        headline="By the owner's word.",
        number=context.may_send_text,
        value=context.network.proxy,
    )


async def key(context: SharedContext, inputs: Wish) -> Told:
    """Wait for a key of a name, and tell how long it is, and what else is there."""
    while inputs.text not in context.keys:  # noqa: ASYNC110 (nobody rings for a key)
        await asyncio.sleep(0.01)
    return Told(
        headline="Found.",
        number=len(context.keys[inputs.text]),
        value=context.endpoints[0].name if context.endpoints else "",
    )


async def agent(context: SharedContext, inputs: Wish) -> Told:
    return Told(headline="By the owner's word.", value=context.code.agent)


async def names(context: SharedContext, inputs: Wish) -> Told:
    return Told(headline="Told.", value=" ".join(sorted(context.keys)))


async def put_down(context: SharedContext, inputs: Wish) -> Told:
    """Work until it is stopped, and note how far it came; go on from there."""
    note = context.workdir / "note"
    if note.exists():
        return Told(headline="Went on.", value=note.read_text())
    context.log(f"working in {os.getpid()}")
    try:
        await asyncio.sleep(PATIENCE_SECONDS)
    finally:
        note.write_text("put down")
    return Told(headline="Never.")


class Room:
    """What the jobs of a child keep between them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.visits = 0

    async def aclose(self) -> None:
        (self._folder / "closed").touch()


async def visit(context: SharedContext, inputs: Wish) -> Told:
    room = context.shared(Room, lambda: Room(context.data_folder))
    room.visits += 1
    return Told(headline="Been there.", number=room.visits)


_NAMES = (
    "add", "ask", "ask_soon", "hang", "deaf", "stuck", "crash", "refuse", "leave", "postpone",
    "kill", "curse", "eat",
    "print_much", "huge", "flood", "slow", "parts", "key", "visit", "rules",
    "agent", "names", "put_down", "scatter", "eat_below", "talk_rubbish",
)  # fmt: skip
KINDS: Mapping[str, Kind] = {
    f"shared.{name}": Kind(
        name=f"shared.{name}",
        summary=name,
        inputs=Wish,
        output=Told,
        idempotent=True,
        timeout_seconds=1 if name in ("slow", "ask_soon") else 120,
        takes_slot=False,
        makes=("shared.add", "shared.postpone") if name == "parts" else (),
        is_shared=True,
    )
    for name in _NAMES
}
EXECUTORS: Mapping[str, str] = {f"shared.{name}": f"{__name__}:{name}" for name in _NAMES} | {
    "shared.ask_soon": f"{__name__}:ask"
}
KINDS_APART: Mapping[str, Kind] = {
    f"apart.{name}": replace(
        KINDS[f"shared.{name}"],
        name=f"apart.{name}",
        idempotent=False,
        resumable=True,
        takes_slot=True,
        makes=(),
        is_apart=True,
    )
    for name in _NAMES
}
EXECUTORS_APART: Mapping[str, str] = {
    name.replace("shared.", "apart."): at for name, at in EXECUTORS.items()
}
KINDS_AT = f"{__name__}:KINDS"
EXECUTORS_AT = f"{__name__}:EXECUTORS"
