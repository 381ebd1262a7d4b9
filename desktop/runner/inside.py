"""Main of the child: reads its order, imports the executor, runs it, tells how it went.

Standard output belongs to the protocol; whatever a library prints goes to standard error. When
standard input ends, the worker is gone and the child ends with everything it started
(`desktop.runner.guard` sees to that where this process is too busy to notice). A child that many
jobs share begins here, too, and goes on in `desktop.runner.shared_inside`.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from pydantic import BaseModel

from desktop.runner.child_log import logged_as
from desktop.runner.door import Door
from desktop.runner.guard import end_strays
from desktop.runner.lines import (
    LINE_BYTES_MAX,
    TO_CHILD,
    Answered,
    Asked,
    Failed,
    Order,
    Result,
    Shared,
)
from desktop.runner.mouth import (
    Mouth,
    crash,
    failure,
    load,
    no_memory,
    output_told,
    sayable_in,
    take_standard_output,
)
from shared.errors import AppError
from shared.kinds import Inputs, parse_inputs
from shared.kinds.catalogue import kind_named
from shared.questions import Asking

EXIT_WORKER_GONE = 70


def main() -> NoReturn:
    """Run the one job that standard input orders, or many in turn, and end the process."""
    speak = Mouth(take_standard_output())
    incoming = sys.stdin.buffer
    order = TO_CHILD.validate_json(incoming.readline(LINE_BYTES_MAX))
    if isinstance(order, Shared):
        from desktop.runner.shared_inside import serve

        serve(order, speak, incoming, leave)
    else:
        assert isinstance(order, Order)
        _serve(order, speak, incoming)
    sys.stdout.flush()
    sys.stderr.flush()
    # An ordinary end would wait for the listener, which waits for the worker.
    os._exit(0)


def _serve(order: Order, speak: Mouth, incoming: BinaryIO) -> None:
    answers: queue.SimpleQueue[Answered] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(incoming, answers), daemon=True).start()
    try:
        speak(Result(output=_run(order, speak, answers)))
    except AppError as error:
        speak(Failed(error=failure(error)))
    except MemoryError:
        speak(Failed(error=no_memory(order.memory_bytes_max)))
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        speak(Failed(error=crash(error)))


class ChildContext(Door):
    """The executor's door to the world (`desktop.jobs.context.Context`)."""

    def __init__(self, order: Order, speak: Mouth, answers: queue.SimpleQueue[Answered]) -> None:
        super().__init__(order, speak)
        self.workdir = Path(order.workdir)
        self.models_folder = Path(order.models_folder)
        self.profile = Path(order.profile) if order.profile else None
        self.session = order.session
        self.memory_bytes_max = order.memory_bytes_max
        self.threads_max = order.threads_max
        self._answers = answers

    def ask(self, asking: Asking) -> str:
        if asking.key in self._given:
            return self._given[asking.key]
        self._speak(Asked(asking=Asking.model_validate(sayable_in(asking.model_dump()))))
        while True:
            answered = self._answers.get()
            self._given[answered.key] = answered.value
            if answered.key == asking.key:
                return answered.value


def _run(order: Order, speak: Mouth, answers: queue.SimpleQueue[Answered]) -> dict[str, Any]:
    kind = kind_named(order.spec.kind, load(order.kinds_at))
    inputs = parse_inputs(kind, order.spec.inputs)
    executor: Callable[[ChildContext, Inputs], BaseModel] = load(order.executor)
    with logged_as(order):
        output = executor(ChildContext(order, speak, answers), inputs)
    return output_told(kind, order.executor, output)


def _listen(incoming: BinaryIO, answers: queue.SimpleQueue[Answered]) -> None:
    while line := incoming.readline(LINE_BYTES_MAX):
        told = TO_CHILD.validate_json(line)
        if isinstance(told, Answered):
            answers.put(told)
    leave()


def leave() -> NoReturn:
    """The worker is gone: take everything down that was started here, this process included."""
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        end_strays(os.getpid())
        os.killpg(0, signal.SIGKILL)
    os._exit(EXIT_WORKER_GONE)
