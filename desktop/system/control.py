"""Talking to the running program of a profile: one JSON line there, one back, over loopback TCP.

The port and a token stand in a file that its owner alone can read; who cannot read it is not let
in. This is the side that asks: it starts fast, for a link that was clicked. The other side is
`desktop.system.control_line`.
"""

from __future__ import annotations

import socket
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.errors import AppError, ErrorBody, Unavailable

JsonObject = dict[str, JsonValue]
LINE_BYTES_MAX = 256 * 1024
ANSWER_SECONDS = 30.0
CONNECT_SECONDS = 2.0
REFUSED = "control_refused"
"""The token of the file is not that of the program which answers."""


class Place(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    port: int = Field(gt=0, lt=65536)
    token: str = Field(min_length=32, max_length=200)


class Order(BaseModel):
    """What is sent: one line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = Field(max_length=200)
    do: str = Field(max_length=40)
    arguments: JsonObject = Field(default_factory=dict)


class Reply(BaseModel):
    """What is answered: one line, with one of both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ok: JsonObject | None = None
    error: ErrorBody | None = None


def call(
    path: Path, do: str, arguments: JsonObject, *, seconds: float = ANSWER_SECONDS
) -> JsonObject:
    """Tell the running program to do something; return its answer.

    Args:
        path: the profile's control file.
        do: what; the handlers' table is in `desktop.desk.control_desk`.
        arguments: as the handler takes them.
        seconds: how long to wait for the answer.

    Raises:
        Unavailable: `not_running`; `control_lost`, when it may have happened or not.
        AppError: as the running program tells it.
    """
    try:
        place = Place.model_validate_json(path.read_text(encoding="utf-8"))
        line = socket.create_connection(("127.0.0.1", place.port), timeout=CONNECT_SECONDS)
    except (OSError, ValueError):  # no file, or one that a crash has left
        raise not_running() from None
    order = Order(token=place.token, do=do, arguments=arguments)
    try:
        with line, line.makefile("rb") as file:
            line.settimeout(seconds)
            line.sendall(order.model_dump_json().encode() + b"\n")
            told = Reply.model_validate_json(file.readline(LINE_BYTES_MAX))
    except (OSError, ValueError) as error:
        raise Unavailable(
            "control_lost",
            "Deskhand did not answer.",
            "Look whether it happened before you try again: deskhand status",
        ) from error
    if told.error is not None:
        if told.error.code == REFUSED:  # another program has got that port since
            raise not_running()
        raise AppError.from_body(told.error)
    return told.ok or {}


def not_running() -> Unavailable:
    return Unavailable(
        "not_running",
        "Deskhand does not run on this computer now.",
        "Start it with: deskhand, or deskhand --headless",
    )
