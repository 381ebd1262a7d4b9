"""Replies of one `llm.ask`, kept in its job's folder until it has ended well.

A line a reply, under the hash of what was asked of which model. A line that a crash cut off is
no reply: it is asked again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from desktop.core.llm.types import Message, Model, Reply

FILE_NAME = "replies.jsonl"
_REPLY = TypeAdapter(Reply)


class KeptReplies:
    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME
        self._known = dict(self._read())

    def reply(self, request: tuple[Message, ...], model: Model) -> Reply | None:
        return self._known.get(_key(request, model))

    def keep(self, request: tuple[Message, ...], model: Model, reply: Reply) -> None:
        """Remember it beyond this process, as far as that can be done cheaply."""
        key = _key(request, model)
        self._known[key] = reply
        line = json.dumps({"key": key, "reply": _REPLY.dump_python(reply, mode="json")})
        # A full disk costs a call that is made twice, and not the answer.
        with contextlib.suppress(OSError), self._file.open("a", encoding="utf-8") as file:
            file.write(f"\n{line}")

    def _read(self) -> Iterator[tuple[str, Reply]]:
        try:
            text = self._file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        for line in filter(None, text.split("\n")):
            try:
                told = json.loads(line)
                yield str(told["key"]), _REPLY.validate_python(told["reply"])
            except (ValueError, KeyError, TypeError, ValidationError):
                continue


def _key(request: tuple[Message, ...], model: Model) -> str:
    told = [model.full_name, model.endpoint.base_url, *([m.role, m.text] for m in request)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
