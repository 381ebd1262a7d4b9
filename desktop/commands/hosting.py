"""Who does a command's job: the program that runs here, else an agent in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from desktop.commands.deeds import running
from desktop.commands.worker import pairing_of
from desktop.core.policy import Policy
from desktop.store.facts import Pairing
from desktop.system import control
from desktop.system.paths import Paths
from shared import logs
from shared.errors import AppError
from shared.ids import JobId, QuestionId
from shared.kinds import JsonObject
from shared.messages import Progress


class Host(Protocol):
    """What a command needs of whoever does its job."""

    @property
    def store(self) -> Path:
        """Where the job and its questions can be read."""

    def request(self, kind: str, inputs: JsonObject) -> JobId:
        """Have a job done here, with the rights of the person at this machine."""

    def answer(self, question_id: QuestionId, job_id: JobId, value: str) -> None:
        """Answer what it asks."""

    def cancel(self, job_id: JobId) -> None:
        """Stop it."""

    def progress(self, job_id: JobId) -> Progress | None:
        """How far it is; None when that is not known."""

    def check(self) -> None:
        """See that it goes on.

        Raises:
            AppError: it does not.
        """


class Running:
    """The program that runs."""

    def __init__(self, paths: Paths, pairing: Pairing) -> None:
        self._paths = paths
        self._pairing = pairing

    @property
    def store(self) -> Path:
        return self._paths.store

    def request(self, kind: str, inputs: JsonObject) -> JobId:
        told = self._tell(
            "request", {"kind": kind, "inputs": inputs, "worker_id": self._pairing.worker_id}
        )
        return JobId(str(told["job_id"]))

    def answer(self, question_id: QuestionId, job_id: JobId, value: str) -> None:
        self._tell("answer", {"question_id": question_id, "job_id": job_id, "value": value})

    def cancel(self, job_id: JobId) -> None:
        self._tell("cancel", {"job_id": job_id})

    def progress(self, job_id: JobId) -> Progress | None:
        with contextlib.suppress(AppError):
            told = self._tell("status", {}).get("progress")
            for one in told if isinstance(told, list) else ():
                progress = Progress.model_validate(one)
                if progress.job_id == job_id:
                    return progress
        return None

    def check(self) -> None:
        """It may end and start again: the job goes on then."""

    def _tell(self, order: str, arguments: JsonObject) -> JsonObject:
        return control.call(self._paths.control, order, arguments)


@contextlib.contextmanager
def hosted(paths: Paths, policy: Policy) -> Iterator[tuple[Host, bool]]:
    """Find or make who does a job; also whether it is this process.

    Args:
        paths: of the profile.
        policy: the owner's; what this process does goes by it.
    """
    if (found := _running(paths)) is not None:
        yield found, False
        return
    # What an agent notes is for its own log; here it would tear the bar.
    logs.configure(json_lines=False, level="ERROR")
    from desktop.desk.solo import Solo

    with Solo(paths, policy) as solo:
        yield solo, True


def _running(paths: Paths) -> Running | None:
    """The program that runs and belongs to a hub; one without a hub has no worker."""
    if running(paths, "ping") is None:
        return None
    try:
        return Running(paths, pairing_of(paths))
    except AppError:
        return None
