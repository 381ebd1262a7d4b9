"""Main of the child: reads its order, imports the executor, runs it, tells how it went.

Standard output belongs to the protocol; whatever a library prints goes to standard error. When
standard input ends, the worker is gone and the child ends with everything it started
(`desktop.runner.guard` sees to that where this process is too busy to notice).
"""

from __future__ import annotations

import importlib
import io
import math
import os
import queue
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from pydantic import BaseModel

from desktop.core.sending import sending_refused
from desktop.runner.folders import AllowedFolders
from desktop.runner.lines import (
    LINE_BYTES_MAX,
    TO_CHILD,
    Answered,
    Asked,
    Failed,
    FromChild,
    Handed,
    Logged,
    Order,
    Progressed,
    Result,
    Wrote,
    write,
)
from shared.errors import AppError, ErrorBody, NotFound
from shared.events import LINE_CHARS_MAX
from shared.kinds import Inputs, file_name_of, parse_inputs
from shared.kinds.catalogue import kind_named
from shared.questions import Asking

EXIT_WORKER_GONE = 70
MESSAGE_CHARS_MAX = 2000
FILE_OF_JOB = re.compile(r"#[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def main() -> NoReturn:
    """Run the one job that standard input orders, and end the process."""
    speak = Mouth(_take_standard_output())
    incoming = sys.stdin.buffer
    order = TO_CHILD.validate_json(incoming.readline(LINE_BYTES_MAX))
    assert isinstance(order, Order)
    answers: queue.SimpleQueue[Answered] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(incoming, answers), daemon=True).start()
    try:
        speak(Result(output=_run(order, speak, answers)))
    except AppError as error:
        speak(Failed(error=_body(error)))
    except MemoryError:
        speak(Failed(error=_no_memory(order)))
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        speak(Failed(error=_crash(error)))
    sys.stdout.flush()
    sys.stderr.flush()
    # An ordinary end would wait for the listener, which waits for the worker.
    os._exit(0)


class Mouth:
    """The child's only way to speak; a lock keeps lines whole if an executor uses threads."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def __call__(self, line: FromChild) -> None:
        with self._lock:
            self._out.write(write(line))
            self._out.flush()


class ChildContext:
    """The executor's door to the world (`desktop.jobs.context.Context`)."""

    def __init__(self, order: Order, speak: Mouth, answers: queue.SimpleQueue[Answered]) -> None:
        self.workdir = Path(order.workdir)
        self._workspace = Path(order.workspace)
        self.models_folder = Path(order.models_folder)
        self.data_folder = Path(order.data_folder)
        self.profile = Path(order.profile) if order.profile else None
        self.session = order.session
        self.memory_bytes_max = order.memory_bytes_max
        self.threads_max = order.threads_max
        self._allowed = AllowedFolders(tuple(Path(folder) for folder in order.folders))
        self.folders = self._allowed.folders
        self._known_files = order.known_files
        self._origin = order.spec.origin
        self._may_send = order.may_send
        self._given = dict(order.spec.answers)
        self._speak = speak
        self._answers = answers

    @property
    def workspace(self) -> Path:
        # Made by whoever wants it first: most jobs leave nothing for others.
        self._workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._workspace

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        eta = None if eta_seconds is None or math.isnan(eta_seconds) else _finite(eta_seconds)
        self._speak(
            Progressed(
                stage=sayable(stage)[:200],
                done=_finite(done),
                total=_finite(total),
                eta_seconds=eta,
            )
        )

    def log(self, line: str) -> None:
        for part in sayable(line).splitlines() or [""]:
            self._speak(Logged(line=part[:LINE_CHARS_MAX]))

    def ask(self, asking: Asking) -> str:
        if asking.key in self._given:
            return self._given[asking.key]
        self._speak(Asked(asking=Asking.model_validate(sayable_in(asking.model_dump()))))
        while True:
            answered = self._answers.get()
            self._given[answered.key] = answered.value
            if answered.key == asking.key:
                return answered.value

    def find_file(self, name: str) -> Path:
        if FILE_OF_JOB.fullmatch(name):
            known = self._known_files.get(name)
            if known is None:
                raise NotFound(
                    "output_unknown",
                    "This machine does not remember a file that this job wrote.",
                    "Name the file instead, as in /send sales.predictions.csv.",
                )
            name = known
        return self._allowed.find(name)

    def check_sending(self) -> None:
        if not self._may_send:
            raise sending_refused(self._origin)

    def send(self, path: Path, *, name: str = "") -> None:
        self.check_sending()
        self._speak(Handed(path=str(path.resolve()), name=file_name_of(sayable(name or path.name))))

    def wrote(self, path: Path) -> None:
        self._speak(Wrote(path=sayable(str(path.resolve()))))

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        return self._allowed.recent(suffixes, count_max=count_max)


def sayable(text: str) -> str:
    """Replace what no encoding can say: parts of file names that are not UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _finite(number: float) -> float:
    """Bring a number a person could read: a loss that went wrong is 0."""
    return max(0.0, number) if math.isfinite(number) else 0.0


def load(address: str) -> Any:
    """Import what "module:attribute" names."""
    module, _, attribute = address.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _run(order: Order, speak: Mouth, answers: queue.SimpleQueue[Answered]) -> dict[str, Any]:
    kind = kind_named(order.spec.kind, load(order.kinds_at))
    inputs = parse_inputs(kind, order.spec.inputs)
    executor: Callable[[ChildContext, Inputs], BaseModel] = load(order.executor)
    output = executor(ChildContext(order, speak, answers), inputs)
    assert isinstance(output, kind.output), f"{order.executor} returned {type(output).__name__}"
    told: dict[str, Any] = sayable_in(output.model_dump())
    return kind.output.model_validate(told).model_dump(mode="json")


def _take_standard_output() -> BinaryIO:
    """Keep standard output for the protocol and send everybody else's prints to stderr."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = io.TextIOWrapper(
        os.fdopen(os.dup(2), "wb"), "utf-8", "backslashreplace", line_buffering=True
    )
    return out


def _listen(incoming: BinaryIO, answers: queue.SimpleQueue[Answered]) -> None:
    while line := incoming.readline(LINE_BYTES_MAX):
        told = TO_CHILD.validate_json(line)
        if isinstance(told, Answered):
            answers.put(told)
    # The worker is gone. Take everything down that this job started, itself included.
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(EXIT_WORKER_GONE)


def _no_memory(order: Order) -> ErrorBody:
    return AppError(
        "out_of_memory",
        f"There was not enough memory; this job may use {order.memory_bytes_max / 1024**3:.1f} GB.",
        "Use a smaller file, or raise memory_bytes_max in the machine's policy.",
    ).body


def sayable_in(value: Any) -> Any:
    """Do the same for every text in a value of any shape."""
    match value:
        case str():
            return sayable(value)
        case dict():
            return {sayable_in(key): sayable_in(held) for key, held in value.items()}
        case list() | tuple():
            return [sayable_in(held) for held in value]
        case _:
            return value


def _body(error: AppError) -> ErrorBody:
    """Return what is told of an expected failure: sayable, and no longer than people read."""
    body = error.body
    return body.model_copy(
        update={
            "message": sayable(body.message)[:MESSAGE_CHARS_MAX],
            "hint": sayable(body.hint)[:MESSAGE_CHARS_MAX],
        }
    )


def _crash(error: BaseException) -> ErrorBody:
    told = sayable(str(error)).strip().splitlines()
    what = f"{type(error).__name__}: {told[0][:300]}" if told else type(error).__name__
    return AppError(
        "job_crashed",
        f"The job met something it does not know how to deal with ({what}).",
        "Its log on that machine has the details; please report it if it repeats.",
    ).body
