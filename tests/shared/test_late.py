"""Models that are made when they are first used: none is wrong, and threads do not meet in one."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema

import desktop.desk.control_desk
import desktop.runner.lines
import shared.kinds.catalogue
from shared.late import LateModel

THREADS = 4
MEETING_SECONDS = 0.3
LOADED = (desktop.desk.control_desk, desktop.runner.lines, shared.kinds.catalogue)


def below(model: type[LateModel]) -> Iterator[type[LateModel]]:
    for child in model.__subclasses__():
        yield child
        yield from below(child)


def test_every_model_that_is_made_late_can_be_made() -> None:
    found = [model for model in below(LateModel) if model.__module__.startswith(("desktop", "sha"))]
    assert len(found) > 80
    for model in found:
        model.model_rebuild()
        assert model.__pydantic_complete__, model


def test_reading_all_kinds_makes_no_model_of_theirs() -> None:
    code = (
        "from shared.kinds.catalogue import BUILT_IN\n"
        "both = [m for kind in BUILT_IN.values() for m in (kind.inputs, kind.output)]\n"
        "print([m.__name__ for m in both if m.__pydantic_complete__])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_what_is_made_late_checks_as_strictly() -> None:
    class Strict(LateModel):
        model_config = ConfigDict(extra="forbid")
        number: int

    with pytest.raises(ValidationError, match="extra_forbidden"):
        Strict.model_validate({"number": 1, "more": 2})
    assert Strict.model_validate_json('{"number": 1}').model_dump() == {"number": 1}


def test_threads_that_come_at_once_make_a_model_once() -> None:
    meeting = threading.Barrier(2)
    made = []

    class Meeting:
        """Waits, while its model is made, for another thread that makes it as well."""

        def __get_pydantic_core_schema__(
            self, source: Any, handler: GetCoreSchemaHandler
        ) -> CoreSchema:
            made.append(threading.get_ident())
            with contextlib.suppress(threading.BrokenBarrierError):  # nobody came
                meeting.wait(MEETING_SECONDS)
            return handler(source)

    class Met(LateModel):
        number: Annotated[int, Meeting()]

    read: list[Met] = []
    threads = [
        threading.Thread(target=lambda: read.append(Met.model_validate({"number": 1})))
        for _ in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.number for one in read] == [1] * THREADS
    assert len(made) == 1
