"""The Bot API's own words, as aiogram has them: what a request may hold, what a reply must hold.

aiogram takes seconds to import, so only tests that talk to Telegram import this.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any, get_args

import aiogram.methods
from aiogram.methods.base import TelegramMethod
from aiogram.types import BufferedInputFile, ResponseParameters, Update
from pydantic import BaseModel, TypeAdapter, ValidationError


class Refused(Exception):
    """An error reply; `description` is Telegram's."""

    def __init__(self, code: int, description: str, *, retry_after: int = 0) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.retry_after = retry_after

    def reply(self) -> dict[str, Any]:
        reply = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after:
            parameters = {"retry_after": self.retry_after}
            ResponseParameters.model_validate(parameters)
            reply["parameters"] = parameters
        return reply


def bad(description: str) -> Refused:
    return Refused(400, f"Bad Request: {description}")


Upload = tuple[str, bytes]
"""Name and content of a file in a multipart request."""

METHODS: dict[str, type[TelegramMethod[Any]]] = {
    name.lower(): getattr(aiogram.methods, name)
    for name in aiogram.methods.__all__
    if isinstance(getattr(getattr(aiogram.methods, name), "__api_method__", None), str)
}


def request_of(
    name: str, fields: Mapping[str, Any], uploads: Mapping[str, Upload]
) -> tuple[str, TelegramMethod[Any]]:
    """Read a request; the method's name as it is written, and its parameters.

    Stricter than Telegram in one thing: an unknown parameter is refused, where Telegram ignores it.

    Raises:
        Refused: no such method, unknown or wrong parameters.
    """
    model = METHODS.get(name.lower())
    if model is None:
        raise Refused(404, "Not Found: method not found")
    unknown = (fields.keys() | uploads.keys()) - model.model_fields.keys()
    unknown -= {name for name in uploads if _is_attached(name, fields)}
    if unknown:
        raise bad(f"unknown parameter {sorted(unknown)} of {name}")
    values: dict[str, Any] = {
        key: _decoded(model, key, value, uploads) for key, value in fields.items()
    }
    for key, (file_name, content) in uploads.items():
        if key in model.model_fields:
            values[key] = BufferedInputFile(content, file_name)
    try:
        request = model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise bad(f"can't parse {where or 'request'}: {first['msg']}") from None
    stray = extras(request)
    if stray:
        raise bad(f"unknown field {stray} in {name}")
    return model.__api_method__, request


def checked(method: str, result: Any) -> Any:
    """Check a result against what the method returns; the result.

    Raises:
        AssertionError: the fake itself was about to say what Telegram never says.
    """
    if method == "getUpdates":
        for update in result:
            check_update(update)
        return result
    value = _returns(method).validate_python(result)
    stray = extras(value)
    assert not stray, f"{method} would answer with {stray}, which Telegram does not have"
    return result


def check_update(update: dict[str, Any]) -> None:
    stray = extras(Update.model_validate(update))
    assert not stray, f"an update would have {stray}, which Telegram does not have"


def extras(value: Any, where: str = "") -> list[str]:
    """What a value holds beyond its schema, as paths."""
    if isinstance(value, list | tuple):
        return [
            path for number, item in enumerate(value) for path in extras(item, f"{where}[{number}]")
        ]
    if not isinstance(value, BaseModel):
        return []
    found = [f"{where}.{name}" for name in value.model_extra or ()]
    for name in type(value).model_fields:
        found += extras(getattr(value, name), f"{where}.{name}")
    return found


@functools.cache
def _returns(method: str) -> TypeAdapter[Any]:
    return TypeAdapter(METHODS[method.lower()].__returning__)


def _is_attached(name: str, fields: Mapping[str, Any]) -> bool:
    return any(f"attach://{name}" in str(value) for value in fields.values())


def _decoded(
    model: type[TelegramMethod[Any]], key: str, value: Any, uploads: Mapping[str, Upload]
) -> Any:
    """A field as its type wants it: forms carry lists and objects as JSON."""
    if not isinstance(value, str):
        return value
    if value.startswith("attach://"):
        upload = uploads.get(value.removeprefix("attach://"))
        if upload is None:
            raise bad(f"can't find file {value} in the request")
        return BufferedInputFile(upload[1], upload[0])
    if value[:1] in ("[", "{") and not _takes_text(model.model_fields[key].annotation):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise bad(f"can't parse {key} JSON object") from None
    return value


def _takes_text(annotation: Any) -> bool:
    return annotation is str or str in get_args(annotation)
