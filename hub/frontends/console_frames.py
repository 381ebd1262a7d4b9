"""The frames of the chat socket, `/api/v1/chat/ws`: what a chat client and the hub say.

client → hub: say, seen
hub → client: greeting, message, answered, error

A message with a `ref` the client has already shown takes the place of that one. The client
says `seen` for each numbered message; until then the hub keeps it and sends it again.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hub.core.view import View
from shared.errors import BadInput, ErrorBody, LimitReached

FRAME_BYTES_MAX = 64 * 1024


class Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Say(Frame):
    """A person's words."""

    type: Literal["say"] = "say"
    id: str = Field(min_length=1, max_length=64)
    """Made by the client; the same id twice is the same words once."""
    text: str


class Seen(Frame):
    """The message with this number has been shown."""

    type: Literal["seen"] = "seen"
    number: int = Field(ge=1)


class Greeting(Frame):
    """First frame of the hub."""

    type: Literal["greeting"] = "greeting"
    hub: str
    person: str
    version: str


class Message(Frame):
    """Show this."""

    type: Literal["message"] = "message"
    number: int = Field(ge=0)
    """0: needs no `seen`."""
    ref: str
    """Names the message; the same again replaces what was shown under it."""
    view: View


class Answered(Frame):
    """All immediate answers to these words have been sent."""

    type: Literal["answered"] = "answered"
    id: str


class Fault(Frame):
    """The last frame, or the connection, could not be used."""

    type: Literal["error"] = "error"
    error: ErrorBody


FromClient = Say | Seen
FromHub = Greeting | Message | Answered | Fault

_FROM_CLIENT: TypeAdapter[FromClient] = TypeAdapter(
    Annotated[FromClient, Field(discriminator="type")]
)
_FROM_HUB: TypeAdapter[FromHub] = TypeAdapter(Annotated[FromHub, Field(discriminator="type")])


def read_from_client(frame: str | bytes | None) -> FromClient:
    """Read a client's frame.

    Raises:
        LimitReached: `frame_too_large`.
        BadInput: `frame_invalid`.
    """
    if not isinstance(frame, str):
        raise BadInput("frame_invalid", "The chat speaks text frames of JSON, this was binary.")
    if len(frame) > FRAME_BYTES_MAX:
        raise LimitReached(
            "frame_too_large", f"That was longer than {FRAME_BYTES_MAX // 1024} KiB.", "Say less."
        )
    try:
        return _FROM_CLIENT.validate_json(frame)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        told = f"{where}: {fault['msg']}" if where else fault["msg"]
        raise BadInput(
            "frame_invalid",
            f"That is no frame of this chat: {told[:200]}.",
            'Send {"type": "say", "id": "1", "text": "/help"}.',
        ) from None


def read_from_hub(frame: str | bytes) -> FromHub:
    """Read a hub's frame.

    Raises:
        BadInput: `hub_unknown`: whatever answers there is no hub of this version.
    """
    try:
        return _FROM_HUB.validate_json(frame)
    except ValidationError:
        raise BadInput(
            "hub_unknown",
            "Whatever answers there does not talk like a hub of this version.",
            "Check the address, and update the older of the two.",
        ) from None
