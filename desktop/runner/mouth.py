"""What every child needs to speak: a pipe of its own, words that fit it, and its end in words."""

from __future__ import annotations

import importlib
import io
import os
import sys
import threading
from typing import Any, BinaryIO

from pydantic import BaseModel

from desktop.runner.lines import Line, write
from shared.errors import AppError, ErrorBody
from shared.kinds import Kind

MESSAGE_CHARS_MAX = 2000


class Mouth:
    """The child's only way to speak; a lock keeps lines whole if an executor uses threads."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def __call__(self, line: Line) -> None:
        self.put(write(line))

    def put(self, data: bytes) -> None:
        """Say a line that is written already."""
        with self._lock:
            self._out.write(data)
            self._out.flush()


def take_standard_output() -> BinaryIO:
    """Keep standard output for the protocol and send everybody else's prints to stderr."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = io.TextIOWrapper(
        os.fdopen(os.dup(2), "wb"), "utf-8", "backslashreplace", line_buffering=True
    )
    return out


def load(address: str) -> Any:
    """Import what "module:attribute" names."""
    module, _, attribute = address.partition(":")
    return getattr(importlib.import_module(module), attribute)


def output_told(kind: Kind, executor: str, output: BaseModel) -> dict[str, Any]:
    """Return what an executor gave back as it is told."""
    assert isinstance(output, kind.output), f"{executor} returned {type(output).__name__}"
    told: dict[str, Any] = sayable_in(output.model_dump())
    return kind.output.model_validate(told).model_dump(mode="json")


def sayable(text: str) -> str:
    """Replace what no encoding can say: parts of file names that are not UTF-8."""
    return text.encode("utf-8", "replace").decode()


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


def failure(error: AppError) -> ErrorBody:
    """Return what is told of an expected failure: sayable, and no longer than people read."""
    body = error.body
    return body.model_copy(
        update={
            "message": sayable(body.message)[:MESSAGE_CHARS_MAX],
            "hint": sayable(body.hint)[:MESSAGE_CHARS_MAX],
        }
    )


def no_memory(memory_bytes_max: int) -> ErrorBody:
    return AppError(
        "out_of_memory",
        f"There was not enough memory; this job may use {memory_bytes_max / 1024**3:.1f} GB.",
        "Use a smaller file, or raise memory_bytes_max in the machine's policy.",
    ).body


def crash(error: BaseException) -> ErrorBody:
    told = sayable(str(error)).strip().splitlines()
    what = f"{type(error).__name__}: {told[0][:300]}" if told else type(error).__name__
    return AppError(
        "job_crashed",
        f"The job met something it does not know how to deal with ({what}).",
        "Its log on that machine has the details; please report it if it repeats.",
    ).body
