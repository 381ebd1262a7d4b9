"""Text frames <-> messages: the only place where bytes from outside become typed values.

A frame is one JSON object of at most `FRAME_BYTES_MAX` bytes. Anything else is a ProtocolError
with a code, and the WebSocket close code that belongs to it (RFC 6455, section 7.4.1).
"""

from __future__ import annotations

import json
import re
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.errors import AppError
from shared.messages import FromHub, FromHubFrame, FromWorker, FromWorkerFrame, Message

FRAME_BYTES_MAX = 256 * 1024
DEPTH_MAX = 32
"""Levels of nesting in a frame; deeper JSON is an attack on the reader's stack."""

FAULTS_SHOWN_MAX = 3
_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+"?')
"""Possessive, so that an unclosed string costs one pass and not one per quote."""
_BRACKETS = re.compile(r"[\[\]{}]")

CLOSE_PROTOCOL = 1002
CLOSE_NOT_UTF8 = 1007
CLOSE_POLICY = 1008
CLOSE_TOO_BIG = 1009

AnyMessage = TypeVar("AnyMessage", FromWorker, FromHub)

FROM_WORKER: TypeAdapter[FromWorker] = TypeAdapter(FromWorkerFrame)
FROM_HUB: TypeAdapter[FromHub] = TypeAdapter(FromHubFrame)


class ProtocolError(AppError):
    """The other side broke the protocol; the connection ends with `close_code`."""

    def __init__(
        self, code: str, message: str, hint: str = "", *, close_code: int = CLOSE_PROTOCOL
    ) -> None:
        super().__init__(code, message, hint)
        self.close_code = close_code


def encode(message: Message) -> str:
    """Write a message as one frame.

    Raises:
        ProtocolError: `frame_too_large`; the caller must split its batch.
    """
    frame = message.model_dump_json(exclude_defaults=False)
    if (size := _bytes_of(frame)) > FRAME_BYTES_MAX:
        raise too_large(size)
    return frame


def decode(frame: str | bytes, readable: TypeAdapter[AnyMessage]) -> AnyMessage:
    """Read one frame.

    Raises:
        ProtocolError: `frame_too_large`, `frame_not_text`, `frame_malformed`, `frame_too_deep`,
            `message_unknown` or `message_invalid`.
    """
    if isinstance(frame, bytes):
        raise ProtocolError(
            "frame_not_text", "A binary frame came where text frames are spoken.", close_code=1003
        )
    # The cheap bound comes first: a character is at least one byte.
    if len(frame) > FRAME_BYTES_MAX or _bytes_of(frame) > FRAME_BYTES_MAX:
        raise too_large(_bytes_of(frame))
    if depth_exceeds(frame, DEPTH_MAX):
        raise ProtocolError(
            "frame_too_deep",
            f"A frame nests deeper than {DEPTH_MAX} levels.",
            close_code=CLOSE_POLICY,
        )
    try:
        return readable.validate_json(frame)
    except ValidationError as error:
        raise _explain(frame, error) from None


def _bytes_of(frame: str) -> int:
    return len(frame) if frame.isascii() else len(frame.encode(errors="replace"))


def too_large(size_bytes: int) -> ProtocolError:
    return ProtocolError(
        "frame_too_large",
        f"A frame of {size_bytes:,} bytes is over the limit of {FRAME_BYTES_MAX:,}.",
        "Send larger bodies over HTTPS.",
        close_code=CLOSE_TOO_BIG,
    )


def depth_exceeds(text: str, depth_max: int) -> bool:
    """Say whether brackets outside strings nest deeper than allowed."""
    if text.count("[") + text.count("{") <= depth_max:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > depth_max:
            return True
    return False


def _explain(frame: str, error: ValidationError) -> ProtocolError:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    if faults[0]["type"] == "json_invalid" or not _is_object(frame):
        return ProtocolError(
            "frame_malformed", "A frame is not one JSON object.", close_code=CLOSE_NOT_UTF8
        )
    if faults[0]["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return ProtocolError(
            "message_unknown",
            "A message of a type this side does not know arrived.",
            "The two programs may be of different versions; update the older one.",
            close_code=CLOSE_POLICY,
        )
    shown = "; ".join(
        f"{'.'.join(str(part)[:40] for part in fault['loc'])}: {fault['msg'][:120]}"
        for fault in faults[:FAULTS_SHOWN_MAX]
    )
    return ProtocolError(
        "message_invalid", f"A message does not fit its type: {shown}.", close_code=CLOSE_POLICY
    )


def _is_object(frame: str) -> bool:
    try:
        return isinstance(json.loads(frame), dict)
    except (ValueError, RecursionError):
        return False
