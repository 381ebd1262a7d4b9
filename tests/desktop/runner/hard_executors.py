"""Executors for the hard cases: what the ordinary test executors do not dare."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from desktop.jobs.context import Context
from shared.kinds import Inputs, Kind, Output
from shared.questions import Asking, Choice, QuestionKind

PATIENCE_SECONDS = 300.0
"""Longer than any test: what still sleeps then was forgotten."""


class Wish(Inputs):
    count: int = 3


class Told(Output):
    value: str = ""


def litter(context: Context, inputs: Wish) -> Told:
    """End well and leave a process behind."""
    code = f"import time; time.sleep({PATIENCE_SECONDS})"
    left = subprocess.Popen([sys.executable, "-c", code])
    return Told(headline="Gone.", value=str(left.pid))


def litter_apart(context: Context, inputs: Wish) -> Told:
    """End badly and leave a process behind that has left the group."""
    code = f"import time; time.sleep({PATIENCE_SECONDS})"
    left = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    context.log(f"left {left.pid}")
    raise ValueError("the way out")


def crowd(context: Context, inputs: Wish) -> Told:
    """Start processes that start processes, as fast as they can, a few levels deep."""
    code = (
        "import subprocess, sys, time\n"
        "level = int(sys.argv[2])\n"
        "if level:\n"
        "    for _ in range(2):\n"
        "        subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[1],"
        " str(level - 1), sys.argv[3]])\n"
        f"time.sleep({PATIENCE_SECONDS})\n"
    )
    subprocess.Popen([sys.executable, "-c", code, code, "3", f"crowd of {context.workdir}"])
    context.log("started")
    time.sleep(PATIENCE_SECONDS)
    return Told(headline="Nobody came.")


def eat_below(context: Context, inputs: Wish) -> Told:
    """Take memory in a process of its own."""
    code = "import time\ne = []\nwhile True:\n e.append(b'x' * 4194304)\n time.sleep(0.01)"
    subprocess.run([sys.executable, "-c", code], check=False)
    return Told(headline="Somebody ended it.")


def huge_line(context: Context, inputs: Wish) -> Told:
    """Write a line without an end to the pipe that belongs to the protocol."""
    data = b'{"type":"logged","line":"' + b"x" * (16 * 1024**2)
    for descriptor in range(3, 20):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        if stat.S_ISFIFO(mode):
            while data:
                data = data[os.write(descriptor, data) :]
            time.sleep(PATIENCE_SECONDS)
    raise AssertionError("found no pipe to write to")


def odd_text(context: Context, inputs: Wish) -> Told:
    """Say what no encoding can say: a file name that was not UTF-8."""
    context.progress("reading \udcff", 1, 2)
    context.log("file \udcff read")
    return Told(headline="Read \udcff.", value="\udcff")


def not_a_number(context: Context, inputs: Wish) -> Told:
    """Tell progress that is no number: a loss that went wrong."""
    context.progress("fitting", float("nan"), float("inf"), eta_seconds=float("nan"))
    context.progress("x" * 1000, -1, -2, eta_seconds=-3)
    return Told(headline="Fitted.")


def long_lines(context: Context, inputs: Wish) -> Told:
    """Log as much as a line may hold, over and over, in letters of three bytes."""
    for _ in range(inputs.count):
        context.log("€" * 2000)
    return Told(headline="Long.")


def surroundings(context: Context, inputs: Wish) -> Told:
    """Tell where the child is, how nice it is, and where it imports from."""
    facts = (str(Path.cwd()), str(os.nice(0)), os.environ.get("OMP_WAIT_POLICY", ""))
    return Told(headline="Here.", value="|".join(facts), notes=tuple(sys.path))


def _pipes() -> list[int]:
    """Find the pipes that belong to the protocol, as hostile code would."""
    found = []
    for descriptor in range(3, 20):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                found.append(descriptor)
        except OSError:
            continue
    return found


def lingers(context: Context, inputs: Wish) -> Told:
    """Say the last word past the protocol, and stay."""
    os.write(_pipes()[0], b'{"type":"result","output":{"headline":"Done."}}\n')
    time.sleep(PATIENCE_SECONDS)
    return Told(headline="Nobody came.")


def long_failure(context: Context, inputs: Wish) -> Told:
    """Fail with more words than any frame carries."""
    words = b"x" * 1024**2
    line = b'{"type":"failed","error":{"code":"' + words + b'","message":"' + words + b'"}}\n'
    while line:
        line = line[os.write(_pipes()[0], line) :]
    os._exit(0)


def noisy_exit(context: Context, inputs: Wish) -> Told:
    raise SystemExit("a library that calls exit")


def hang(context: Context, inputs: Wish) -> Told:
    context.log(f"hanging as {os.getpid()}")
    time.sleep(PATIENCE_SECONDS)
    return Told(headline="Nobody came.")


def brief(context: Context, inputs: Wish) -> Told:
    return Told(headline="Done.")


def colour(context: Context, inputs: Wish) -> Told:
    value = context.ask(
        Asking(
            key="colour",
            kind=QuestionKind.APPROVAL,
            text="Which colour?",
            choices=(Choice(value="red", label="Red"), Choice(value="blue", label="Blue")),
        )
    )
    return Told(headline=f"It is {value}.", value=value)


def grandchildren(context: Context, inputs: Wish) -> Told:
    """Hang with processes below, all told by id."""
    code = f"import time; time.sleep({PATIENCE_SECONDS})"
    below = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(inputs.count)]
    context.log(" ".join(str(p) for p in (os.getpid(), *(b.pid for b in below))))
    time.sleep(PATIENCE_SECONDS)
    return Told(headline="Nobody came.")


def busy(context: Context, inputs: Wish) -> Told:
    """Hang in one long call of the interpreter that lets no other thread run."""
    context.log(f"busy as {os.getpid()}")
    return Told(headline=str(sum(range(10**12)))[:10])


_NAMES = (
    "litter",
    "litter_apart",
    "crowd",
    "eat_below",
    "huge_line",
    "odd_text",
    "not_a_number",
    "long_lines",
    "surroundings",
    "lingers",
    "long_failure",
    "noisy_exit",
    "hang",
    "grandchildren",
    "busy",
    "brief",
    "colour",
    "missing",
)
KINDS: Mapping[str, Kind] = {
    f"hard.{name}": Kind(
        name=f"hard.{name}",
        summary=name,
        inputs=Wish,
        output=Told,
        idempotent=True,
        timeout_seconds=120,
    )
    for name in _NAMES
} | {
    "hard.hang_once": Kind(
        name="hard.hang_once",
        summary="hang, and never run twice",
        inputs=Wish,
        output=Told,
        idempotent=False,
        timeout_seconds=120,
    )
}
EXECUTORS: Mapping[str, str] = {f"hard.{name}": f"{__name__}:{name}" for name in _NAMES} | {
    "hard.hang_once": f"{__name__}:hang"
}
KINDS_AT = f"{__name__}:KINDS"
