"""What a View becomes in Matrix: one message of words, and one more for each file.

Pure: which messages, in which order, with which words. Commands begin with "!" here, since
programs such as Element keep words that begin with "/" to themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hub.core.view import Sheet, View, ViewFile, size
from hub.frontends.carried import qr_png, safe_name
from hub.frontends.commands import BY_NAME
from hub.frontends.html import block, marked
from hub.frontends.layout import laid_out
from hub.frontends.matrix.marks import Mark
from shared.kinds import JsonObject
from shared.plain_text import plain

TEXT_CHARS_MAX = 4096
CONTENT_BYTES_MAX = 40_000
"""An event holds 65,536 bytes at most (spec.matrix.org, client-server API, 4.2); what is encrypted
grows by a third, and its envelope comes on top."""
FALLBACK_CHARS_MAX = 300
"""Of an edit, for programs that know no edits."""
BLOCK_LINES_MAX = 40
"""A longer sheet is a file: nobody wants to scroll through it in a chat."""
BUTTONS_MAX = 40
WHOLE_TEXT_NAME = "whole message.txt"
CODE_NAME = "code.png"
HTML = "org.matrix.custom.html"

_NAMES = "|".join(sorted((re.escape(name) for name in BY_NAME), key=len, reverse=True))
_COMMAND = re.compile(rf"(?<![\w/.:!])/((?:{_NAMES})\b|(?<=command /)\w+)(?![/\w])")
"""A command that is there, or the one that is said not to be; never a part of a path."""
_MENU = re.compile(r"(?m)^(!\w+) – ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes along as a message of its own."""

    name: str
    media_type: str
    path: Path | None = None
    content: bytes = b""
    """Of a file that lies nowhere."""

    @property
    def is_picture(self) -> bool:
        return self.media_type in ("image/png", "image/jpeg")


def spoken(text: str) -> str:
    """Write commands as they are said here."""
    return _COMMAND.sub(r"!\1", text)


def words_of(view: View, marks: Sequence[Mark]) -> JsonObject:
    """The content of a view's message of words; of bounded size, never empty."""
    text = spoken(laid_out(view))
    lines = [spoken(mark.line) for mark in marks]
    body = "\n".join([text, *(["", *lines] if lines else [])])
    shown = _MENU.sub(r"<b>\1</b> – ", marked(text, view))
    chosen = "".join(f"<br>{_escaped_line(line)}" for line in lines)
    html = shown.replace("\n", "<br>") + (f"<br>{chosen}" if chosen else "")
    if view.sheet is not None and is_block(view.sheet):
        body = f"{body}\n\n{plain(view.sheet.text).rstrip()}"
        html += block(view.sheet.text, view.sheet.language)
    content: JsonObject = {
        "msgtype": "m.notice" if view.is_quiet or view.is_status else "m.text",
        "body": body,
        "m.mentions": {},
    }
    return fitted({**content, "format": HTML, "formatted_body": html})


def _escaped_line(line: str) -> str:
    return marked(line, View(text=line))


def fitted(content: JsonObject) -> JsonObject:
    """Bring a content to a size that an event can have: without its looks, then cut."""
    if written_bytes(content) <= CONTENT_BYTES_MAX:
        return content
    told = {k: v for k, v in content.items() if k not in ("format", "formatted_body")}
    body = str(told["body"])
    while written_bytes(told) > CONTENT_BYTES_MAX:
        body = body[: len(body) * 3 // 4]
        told["body"] = f"{body} …"
    return told


def written_bytes(content: JsonObject) -> int:
    """How large a content is on its way, where every letter beyond ASCII takes six bytes."""
    return len(json.dumps(content, separators=(",", ":")))


def edit_content(content: JsonObject, event_id: str) -> JsonObject:
    """The same content, to stand in the place of an earlier message's."""
    return {
        "msgtype": content["msgtype"],
        "body": f"* {str(content['body'])[:FALLBACK_CHARS_MAX]}",
        "m.mentions": {},
        "m.new_content": content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
    }


def in_thread(content: JsonObject, root: str) -> JsonObject:
    """The same content, in the thread that hangs on an event."""
    relation: JsonObject = {
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": root},
    }
    return {**content, "m.relates_to": relation}


def spelled_out(view: View, paths: Mapping[str, Path | None], bytes_max: int) -> View:
    """Say in the text what cannot be tapped, or sent as a file, here."""
    links = [b for b in view.buttons if b.url and b.url not in view.text]
    lines = [f"{link.label}: {link.url}" for link in links]
    for file in view.files:
        if file.size_bytes > bytes_max:
            lines.append(
                f"{file.name} ({size(file.size_bytes)}) is too large for this homeserver, which "
                f"takes {size(bytes_max)}."
            )
        elif paths.get(file.sha256) is None:
            lines.append(f"{file.name} is no longer here. Ask for it again.")
    return replace(view, text="\n".join([view.text, *lines]).strip()) if lines else view


def attachments_of(
    view: View, paths: Mapping[str, Path | None], bytes_max: int
) -> list[Attachment]:
    """The files that go along with a view, in their order."""
    found = []
    if view.qr:
        found.append(Attachment(name=CODE_NAME, media_type="image/png", content=qr_png(view.qr)))
    found += [
        Attachment(
            name=safe_name(file.name),
            media_type=file.media_type,
            path=paths[file.sha256],
        )
        for file in view.files
        if can_go(file, paths, bytes_max)
    ]
    if view.sheet is not None and not is_block(view.sheet):
        found.append(_text_file(view.sheet.text, view.sheet.name))
    if view.overflow:
        found.append(_text_file(view.overflow, WHOLE_TEXT_NAME))
    return found


def can_go(file: ViewFile, paths: Mapping[str, Path | None], bytes_max: int) -> bool:
    """Whether a file is here, and the homeserver takes one of its size."""
    return paths.get(file.sha256) is not None and file.size_bytes <= bytes_max


def is_block(sheet: Sheet) -> bool:
    """Whether a sheet is short enough to be read in the message itself."""
    return sheet.text.count("\n") <= BLOCK_LINES_MAX and len(sheet.text) <= TEXT_CHARS_MAX


def _text_file(text: str, name: str) -> Attachment:
    return Attachment(name=safe_name(name), media_type="text/plain", content=plain(text).encode())


def file_content(
    attachment: Attachment, size_bytes: int, address: str, keys: JsonObject | None
) -> JsonObject:
    """The content of a file's message.

    Args:
        attachment: the file.
        size_bytes: of it.
        address: where it was uploaded to.
        keys: what opens it there, in rooms that are encrypted.
    """
    info: JsonObject = {"mimetype": attachment.media_type, "size": size_bytes}
    content: JsonObject = {
        "msgtype": "m.image" if attachment.is_picture else "m.file",
        "body": attachment.name,
        "filename": attachment.name,
        "info": info,
        "m.mentions": {},
    }
    if keys is None:
        return {**content, "url": address}
    return {**content, "file": {**keys, "url": address, "mimetype": attachment.media_type}}
