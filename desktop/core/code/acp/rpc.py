"""JSON-RPC 2.0, one message a line, as agents write it: with noise between the messages.

Source: https://www.jsonrpc.org/specification; ACP v1, "Transports".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    # The built-in agent reads and writes by this, too, and starts without pydantic.
    from pydantic import JsonValue

    from shared.kinds import JsonObject

LINE_BYTES_MAX = 64 * 1024 * 1024
"""Of one message. Agents send whole files, old and new text, in one line."""
ERROR_CHARS_MAX = 2000
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REQUEST_CANCELLED = -32800
AUTH_REQUIRED = -32000

RequestId = int | str


@dataclass(frozen=True, slots=True)
class Request:
    """Wants a reply."""

    id: RequestId
    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True)
class Notice:
    """Wants none."""

    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True)
class Returned:
    id: RequestId
    result: JsonValue


@dataclass(frozen=True, slots=True)
class Failed:
    id: RequestId
    code: int
    message: str


Frame = Request | Notice | Returned | Failed


def read(line: bytes) -> Frame | None:
    """Read one line; None for whatever is no message: banners, warnings, half a line."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return _frame_of(found) if isinstance(found, dict) else None


def _frame_of(found: JsonObject) -> Frame | None:
    number, method = found.get("id"), found.get("method")
    if isinstance(method, str):
        params = record(found.get("params"))
        return Request(number, method, params) if _is_id(number) else Notice(method, params)
    if not _is_id(number):
        return None
    if "error" in found:
        error = record(found["error"])
        code = error.get("code")
        return Failed(number, code if isinstance(code, int) else INTERNAL_ERROR, _message_of(error))
    return Returned(number, found["result"]) if "result" in found else None


def _is_id(value: JsonValue) -> TypeGuard[RequestId]:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _message_of(error: JsonObject) -> str:
    """Tell an error's message; with its details, which often hold the only fact."""
    message = text(error, "message") or "no reason given"
    data = error.get("data")
    details = data if isinstance(data, str) else text(record(data), "details", "message")
    return f"{message}: {details}"[:ERROR_CHARS_MAX] if details else message[:ERROR_CHARS_MAX]


def request(number: int, method: str, params: JsonObject) -> bytes:
    return _line({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def notice(method: str, params: JsonObject) -> bytes:
    return _line({"jsonrpc": "2.0", "method": method, "params": params})


def result(number: RequestId, value: JsonValue) -> bytes:
    return _line({"jsonrpc": "2.0", "id": number, "result": value})


def failure(number: RequestId, code: int, message: str) -> bytes:
    return _line({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}})


def _line(message: JsonObject) -> bytes:
    # ASCII alone: half characters of a hostile name go back as they came.
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def record(value: JsonValue) -> JsonObject:
    """Take a JSON value for an object; what is none is an empty one."""
    return value if isinstance(value, dict) else {}


def records(value: JsonValue) -> list[JsonObject]:
    """Take a JSON value for a list of objects, leaving out what is none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(found: JsonObject, *names: str) -> str:
    """Return the first of these fields that is a text with something in it, or an empty one."""
    for name in names:
        value = found.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def count(found: JsonObject, name: str) -> int:
    """Return a field that is a number of things; 0 for anything else."""
    value = found.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
