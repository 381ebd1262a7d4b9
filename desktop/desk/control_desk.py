"""What the running program does for other programs of the same person, over the control line."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from desktop.desk.desk import Desk
from desktop.system.control_line import Handler
from desktop.system.program import version
from shared.errors import BadInput, ErrorBody, Unavailable
from shared.ids import JobId, QuestionId, ScheduleId, TaskId, WorkerId
from shared.kinds import JsonObject
from shared.late import LateModel
from shared.schedules import WHEN_CHARS_MAX, WORDS_CHARS_MAX, ScheduleAction

A = TypeVar("A", bound=BaseModel)


class _Arguments(LateModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Nothing(_Arguments):
    pass


class _Pause(_Arguments):
    until: AwareDatetime | None = None


class _Request(_Arguments):
    kind: str = Field(max_length=100)
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    text: str = Field(default="", max_length=4000)
    title: str = Field(default="", max_length=200)
    worker_id: str = Field(default="", max_length=64)


class _Answer(_Arguments):
    question_id: str
    job_id: str
    value: str


class _Job(_Arguments):
    job_id: str


class _Task(_Arguments):
    task_id: str


class _File(_Arguments):
    file: str = Field(min_length=1, max_length=4000)


class _Schedule(_Arguments):
    action: ScheduleAction
    schedule_id: str = Field(default="", max_length=64)
    """Of any but a new one."""
    words: str = Field(default="", max_length=WORDS_CHARS_MAX)
    when: str = Field(default="", max_length=WHEN_CHARS_MAX)


class _Open(_Arguments):
    window: str = Field(default="", max_length=40)
    """Empty for the one that was open last."""
    item: str = Field(default="", max_length=1000)


class ControlDesk:
    """The handlers of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.opener: Callable[[str, str], None] | None = None
        """Opens a window and shows an item in it; None where there are no windows."""
        self.quitter: Callable[[], None] | None = None
        """Ends the program; None where something else keeps it running, such as systemd."""

    @property
    def handlers(self) -> dict[str, Handler]:
        return {
            "ping": self._ping,
            "status": self._status,
            "leave": self._leave,
            "hurry": self._hurry,
            "diagnostics": self._diagnostics,
            "pause": self._pause,
            "resume": self._resume,
            "request": self._request,
            "answer": self._answer,
            "cancel": self._cancel,
            "retry": self._retry,
            "resync": self._resync,
            "purge": self._purge,
            "schedule": self._schedule,
            "open": self._open,
            "quit": self._quit,
        }

    async def _ping(self, arguments: JsonObject) -> JsonObject:
        _read(_Nothing, arguments)
        return {"windows": self.opener is not None}

    async def _status(self, arguments: JsonObject) -> JsonObject:
        """Tell what only the running program knows; the rest stands in the store."""
        _read(_Nothing, arguments)
        desk = self._desk
        line: JsonObject = {
            "state": desk.link.state.value if desk.link else "none",
            "error": _body(desk.link.error if desk.link else None),
            "next_try_at": _moment(desk.next_try_at),
        }
        return {
            "pid": os.getpid(),
            "version": version(),
            "windows": self.opener is not None,
            "line": line,
            "held_back": _body(desk.held_back),
            "running": desk.running_count,
            "progress": [p.model_dump(mode="json") for p in desk.progress.values()],
            "safe": _body(desk.safe.trouble),
        }

    async def _leave(self, arguments: JsonObject) -> JsonObject:
        _read(_Nothing, arguments)
        await self._desk.leave()
        return {}

    async def _diagnostics(self, arguments: JsonObject) -> JsonObject:
        from desktop.desk import diagnostics

        wanted = _read(_File, arguments)
        return {"file": str(await diagnostics.save(self._desk, Path(wanted.file)))}

    async def _purge(self, arguments: JsonObject) -> JsonObject:
        await self._desk.requests.purge(TaskId(_read(_Task, arguments).task_id))
        return {}

    async def _schedule(self, arguments: JsonObject) -> JsonObject:
        wanted = _read(_Schedule, arguments)
        if wanted.action == "create":
            made = await self._desk.requests.make_schedule(wanted.words, wanted.when)
            return {"schedule_id": made}
        await self._desk.requests.change_schedule(ScheduleId(wanted.schedule_id), wanted.action)
        return {}

    async def _resync(self, arguments: JsonObject) -> JsonObject:
        _read(_Nothing, arguments)
        await self._desk.resync()
        return {}

    async def _hurry(self, arguments: JsonObject) -> JsonObject:
        """Call the hub now instead of when the wait is over."""
        _read(_Nothing, arguments)
        self._desk.hurry()
        return {}

    async def _pause(self, arguments: JsonObject) -> JsonObject:
        until: datetime | None = _read(_Pause, arguments).until
        await self._desk.pause(until)
        return {}

    async def _resume(self, arguments: JsonObject) -> JsonObject:
        _read(_Nothing, arguments)
        await self._desk.resume()
        return {}

    async def _request(self, arguments: JsonObject) -> JsonObject:
        wanted = _read(_Request, arguments)
        worker_id = WorkerId(wanted.worker_id) if wanted.worker_id else None
        job_id = await self._desk.requests.make(
            wanted.kind,
            wanted.inputs,
            text=wanted.text,
            title=wanted.title,
            worker_id=worker_id,
        )
        return {"job_id": job_id}

    async def _answer(self, arguments: JsonObject) -> JsonObject:
        told = _read(_Answer, arguments)
        await self._desk.requests.answer(
            QuestionId(told.question_id), JobId(told.job_id), told.value
        )
        return {}

    async def _cancel(self, arguments: JsonObject) -> JsonObject:
        await self._desk.requests.cancel(JobId(_read(_Job, arguments).job_id))
        return {}

    async def _retry(self, arguments: JsonObject) -> JsonObject:
        await self._desk.requests.retry(JobId(_read(_Job, arguments).job_id))
        return {}

    async def _open(self, arguments: JsonObject) -> JsonObject:
        wanted = _read(_Open, arguments)
        if self.opener is None:
            raise Unavailable(
                "window_missing",
                "Deskhand runs without windows here.",
                "Stop it, then start it with: deskhand",
            )
        self.opener(wanted.window, wanted.item)
        return {}

    async def _quit(self, arguments: JsonObject) -> JsonObject:
        _read(_Nothing, arguments)
        if self.quitter is None:
            raise Unavailable(
                "quit_elsewhere",
                "Deskhand runs without windows here; what started it keeps it running.",
                "Stop it there: deskhand autostart off, or systemctl --user stop deskhand",
            )
        self.quitter()
        return {}


def _body(error: ErrorBody | None) -> JsonObject | None:
    return error.model_dump(mode="json", include={"code", "message", "hint"}) if error else None


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _read(shape: type[A], arguments: JsonObject) -> A:
    try:
        return shape.model_validate(arguments)
    except ValidationError as error:
        names = ", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:3])
        raise BadInput(
            "control_invalid", f"These arguments do not fit: {names}.", "Update both programs."
        ) from None
