"""Test kinds and their executors: each does one thing a real job might do to its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from desktop.jobs.context import Context
from desktop.runner.lines import Handed
from shared.errors import BadInput, Unavailable
from shared.kinds import FileRef, Inputs, Kind, Output
from shared.questions import Asking, Choice, QuestionKind
from tests.flows import play_parts, play_steps


class PlayInputs(Inputs):
    number: int = 0
    text: str = ""


class PlayOutput(Output):
    number: int = 0
    text: str = ""


def _kind(name: str, *, idempotent: bool = True, timeout_seconds: float = 60) -> Kind:
    return Kind(
        name=f"play.{name}",
        summary=f"test: {name}",
        inputs=PlayInputs,
        output=PlayOutput,
        idempotent=idempotent,
        timeout_seconds=timeout_seconds,
    )


KINDS = {
    kind.name: kind
    for kind in (
        _kind("count"),
        _kind("effect", idempotent=False),
        _kind("vanish", idempotent=False),
        _kind("ask"),
        _kind("ask_default"),
        _kind("refuse"),
        _kind("stumble"),
        _kind("crash"),
        _kind("exit"),
        _kind("kill_self"),
        _kind("eat"),
        _kind("tree"),
        _kind("hang"),
        _kind("hang_once", idempotent=False),
        _kind("slow", timeout_seconds=0.5),
        _kind("flood"),
        _kind("garbage"),
        _kind("print_much"),
        _kind("wrong_output"),
        _kind("huge_output"),
        _kind("secrets"),
        _kind("hand"),
        _kind("hand_made"),
        _kind("hand_later"),
        _kind("hand_unasked"),
        _kind("wrote"),
        _kind("note"),
        _kind("steps"),
    )
}
EXECUTORS = {name: f"tests.flows.play:{name.removeprefix('play.')}" for name in KINDS}
KINDS |= {**play_parts.KINDS, **play_steps.KINDS}
EXECUTORS |= play_parts.EXECUTORS | play_steps.EXECUTORS


def count(context: Context, inputs: PlayInputs) -> PlayOutput:
    for done in range(inputs.number):
        context.progress("counting", done + 1, inputs.number)
    context.log(f"counted to {inputs.number}")
    return PlayOutput(headline=f"Counted to {inputs.number}.", number=inputs.number)


def effect(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Leave one visible mark per run in the file named by `text`, then take a moment."""
    with Path(inputs.text).open("a", encoding="utf-8") as marks:
        marks.write(f"{context.workdir.name}\n")
    time.sleep(inputs.number / 1000)
    return PlayOutput(headline="Done.", text=inputs.text)


def vanish(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Have the effect, then be gone without a word."""
    effect(context, inputs)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def ask(context: Context, inputs: PlayInputs) -> PlayOutput:
    asking = Asking(
        key="colour",
        kind=QuestionKind.CHOICE,
        text="Which colour?",
        choices=(Choice(value="red", label="Red"), Choice(value="blue", label="Blue")),
    )
    colour = context.ask(asking)
    again = context.ask(asking)
    assert colour == again, "the same key is asked once"
    return PlayOutput(headline=f"It is {colour}.", text=colour)


def steps(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Ask half way; go on when the folder named by `text` holds a file of the next step's name."""
    folder = Path(inputs.text)
    context.progress("steps", 1, 4)
    _wait_for(folder / "ask")
    asking = Asking(
        key="colour",
        kind=QuestionKind.CHOICE,
        text="Which colour?",
        choices=(Choice(value="red", label="Red"), Choice(value="blue", label="Blue")),
    )
    colour = context.ask(asking)
    context.progress("steps", 3, 4)
    _wait_for(folder / "end")
    return PlayOutput(headline=f"Painted {colour}.", text=colour)


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.02)


def ask_default(context: Context, inputs: PlayInputs) -> PlayOutput:
    asking = Asking(
        key="zone",
        kind=QuestionKind.CLARIFICATION,
        text="Which zone?",
        allow_text=True,
        default="UTC",
    )
    zone = context.ask(asking)
    return PlayOutput(headline=f"Zone {zone}.", text=zone)


def refuse(context: Context, inputs: PlayInputs) -> PlayOutput:
    raise BadInput("file_empty", "sales.csv is empty.", "Choose another file.")


def stumble(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Fail in a way that may pass, until the file named by `text` exists."""
    if Path(inputs.text).exists():
        return PlayOutput(headline="It works now.")
    raise Unavailable("service_away", "The service is away.", "Try later.", retryable=True)


def crash(context: Context, inputs: PlayInputs) -> PlayOutput:
    raise ValueError(f"cannot make sense of this, {inputs.text}")


def exit(context: Context, inputs: PlayInputs) -> PlayOutput:  # noqa: A001
    print("the last words", file=sys.stderr)
    os._exit(9)


def kill_self(context: Context, inputs: PlayInputs) -> PlayOutput:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def eat(context: Context, inputs: PlayInputs) -> PlayOutput:
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1) * 8_000_000))
        time.sleep(0.01)


def tree(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Start a child and a grandchild that ignore a polite request, then hang."""
    program = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "open(sys.argv[1] + str(len(sys.argv)), 'w').write(str(__import__('os').getpid()));"
        "len(sys.argv) < 4 and subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1],"
        " sys.argv[2], 'x'], start_new_session=True); time.sleep(600)"
    )
    subprocess.Popen([sys.executable, "-c", program, inputs.text, program])
    context.progress("hanging", 0, 1)
    time.sleep(600)
    raise AssertionError


def hang(context: Context, inputs: PlayInputs) -> PlayOutput:
    context.progress("hanging", 0, 1)
    time.sleep(600)
    raise AssertionError


def hang_once(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Hang unless the file named by `text` exists: then the second run ends well."""
    mark = Path(inputs.text)
    if mark.exists():
        return PlayOutput(headline="Second time.")
    mark.touch()
    return hang(context, inputs)


slow = hang


def flood(context: Context, inputs: PlayInputs) -> PlayOutput:
    for number in range(20_000):
        context.log(f"line {number}")
        context.progress("flooding", number, 20_000)
    return PlayOutput(headline="Flooded.")


def garbage(context: Context, inputs: PlayInputs) -> PlayOutput:
    for number in range(3, 20):
        try:
            os.write(number, b"this is not a line of the protocol\n")
        except OSError:
            continue
    return hang(context, inputs)


def print_much(context: Context, inputs: PlayInputs) -> PlayOutput:
    for number in range(20_000):
        print("a library that prints", number)
        print("and warns", number, file=sys.stderr)
    return PlayOutput(headline="Printed.")


def wrong_output(context: Context, inputs: PlayInputs) -> Output:
    return Output(headline="Not the type of its kind.")


def huge_output(context: Context, inputs: PlayInputs) -> PlayOutput:
    return PlayOutput(headline="Huge.", text="x" * 200_000)


def secrets(context: Context, inputs: PlayInputs) -> PlayOutput:
    return PlayOutput(headline="Environment.", text=" ".join(sorted(os.environ)))


def hand(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Hand over the file that `text` names, as often as `number` says beyond the first."""
    for _ in range(inputs.number + 1):
        context.send(context.find_file(inputs.text))
    return PlayOutput(headline="On its way.")


def hand_made(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Hand over a file that is made for it; its content is `text`."""
    made = context.workdir / "made.txt"
    made.write_text(inputs.text)
    context.send(made, name="what you asked for.txt")
    return PlayOutput(headline="On its way.")


def hand_later(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Do the same once the file named by `text` exists; hand that over."""
    context.progress("waiting", 0, 1)
    while not Path(inputs.text).exists():
        time.sleep(0.01)
    context.send(Path(inputs.text))
    return PlayOutput(headline="On its way.")


def hand_unasked(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Be hostile: name any path to the worker, and announce what was never copied."""
    context._speak(Handed(path=inputs.text))  # type: ignore[attr-defined]
    ref = FileRef(name="stolen", sha256="ab" * 32, size_bytes=1)
    return PlayOutput(headline="Stolen.", sends=(ref,))


def wrote(context: Context, inputs: PlayInputs) -> PlayOutput:
    context.wrote(context.find_file(inputs.text))
    return PlayOutput(headline="Written.")


def note(context: Context, inputs: PlayInputs) -> PlayOutput:
    """Add a line to the notes of its session; the result is all of them.

    With a `number` it waits first until there is a file "gate" with that number.
    """
    while inputs.number and not (context.folders[0] / f"gate{inputs.number}").exists():
        time.sleep(0.01)
    notes = context.workspace / "notes.txt"
    with notes.open("a", encoding="utf-8") as lines:
        lines.write(f"{inputs.text}\n")
    return PlayOutput(headline="Noted.", text=notes.read_text(encoding="utf-8"))
