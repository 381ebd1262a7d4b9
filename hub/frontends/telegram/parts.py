"""What a View becomes in Telegram: one message, and one more for each further file.

Pure: which messages, in which order, with which words. How they are sent is `sending`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from hub.core.view import Button, Sheet, View, ViewFile
from hub.frontends.carried import safe_name
from hub.frontends.html import block
from hub.frontends.layout import laid_out, units
from hub.frontends.telegram.html import CAPTION_UNITS_MAX, TEXT_UNITS_MAX, html_of
from hub.frontends.telegram.keyboard import fits
from shared.plain_text import plain

UPLOAD_BYTES_MAX = 50 * 1000 * 1000
PHOTO_BYTES_MAX = 10 * 1000 * 1000
PHOTO_TYPES = ("image/png", "image/jpeg")
BUTTONS_MAX = 40
BLOCK_LINES_MAX = 40
"""A longer sheet is a file: nobody wants to scroll through it in a chat."""
WHOLE_TEXT_NAME = "whole message.txt"


class Sort(StrEnum):
    TEXT = "text"
    QR = "qr"
    PHOTO = "photo"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message."""

    sort: Sort
    html: str = ""
    buttons: tuple[Button, ...] = ()
    qr: str = ""
    path: Path | None = None
    content: bytes = b""
    """Of a document that lies nowhere."""
    name: str = ""
    is_quiet: bool = False


def parts_of(view: View, paths: Mapping[str, Path | None]) -> list[Part]:
    """Lay a view out as messages.

    Args:
        view: what to show.
        paths: by sha256, where each file lies; None for one that is gone.
    """
    view = spelled_out(view, paths)
    buttons = tuple(button for button in view.buttons if fits(button))[:BUTTONS_MAX]
    is_quiet = view.is_quiet or view.is_status
    files = [_file_part(file, paths[file.sha256]) for file in view.files if can_go(file, paths)]
    is_caption = units(laid_out(view)) <= CAPTION_UNITS_MAX
    if is_caption and view.qr:
        head = Part(sort=Sort.QR, qr=view.qr)
    elif is_caption and len(files) == 1:
        head = files.pop()
    else:
        head = Part(sort=Sort.TEXT)
    html = html_of(view) if view.text.strip() or head.sort is Sort.TEXT else ""
    if view.sheet is not None:
        if head.sort is Sort.TEXT and _is_block(view, view.sheet):
            html = f"{html}\n{block(view.sheet.text, view.sheet.language)}"
        else:
            files.append(_sheet_part(view.sheet))
    head = replace(head, html=html, buttons=buttons, is_quiet=is_quiet)
    if whole := _whole_text(view):
        files.append(Part(sort=Sort.DOCUMENT, content=whole, name=WHOLE_TEXT_NAME, is_quiet=True))
    return [head, *files]


def _is_block(view: View, sheet: Sheet) -> bool:
    """Whether a sheet is short enough to be read in the message itself."""
    if sheet.text.count("\n") > BLOCK_LINES_MAX:
        return False
    return units(laid_out(view)) + units(sheet.text) + 1 <= TEXT_UNITS_MAX


def _sheet_part(sheet: Sheet) -> Part:
    content = plain(sheet.text).encode()
    return Part(sort=Sort.DOCUMENT, content=content, name=safe_name(sheet.name), is_quiet=True)


def _whole_text(view: View) -> bytes:
    """All of a text that had to be cut; Telegram counts units, so it may be cut here at last."""
    is_cut = units(laid_out(view)) > TEXT_UNITS_MAX and not view.is_status
    return plain(view.overflow or (view.text if is_cut else "")).encode()


def spelled_out(view: View, paths: Mapping[str, Path | None]) -> View:
    """Say in the text what cannot be a button or a file here."""
    links = [b for b in view.buttons if b.url and not fits(b) and b.url not in view.text]
    lines = [f"{link.label}: {link.url}" for link in links]
    for file in view.files:
        if file.size_bytes > UPLOAD_BYTES_MAX:
            size = f"{file.size_bytes / 1e6:,.0f} MB"
            lines.append(f"{file.name} ({size}) is too large for Telegram, which takes 50 MB.")
        elif file.size_bytes == 0:
            lines.append(f"{file.name} is empty, and Telegram takes no empty files.")
        elif paths.get(file.sha256) is None:
            lines.append(f"{file.name} is no longer here. Ask for it again.")
    if not lines:
        return view
    return replace(view, text="\n".join([view.text, *lines]).strip())


def can_go(file: ViewFile, paths: Mapping[str, Path | None]) -> bool:
    """Whether a file is here, and Telegram takes one of its size."""
    return paths.get(file.sha256) is not None and 0 < file.size_bytes <= UPLOAD_BYTES_MAX


def _file_part(file: ViewFile, path: Path | None) -> Part:
    is_photo = file.media_type in PHOTO_TYPES and file.size_bytes <= PHOTO_BYTES_MAX
    return Part(
        sort=Sort.PHOTO if is_photo else Sort.DOCUMENT,
        path=path,
        name=safe_name(file.name),
        # One sound for one answer; the message before it made it.
        is_quiet=True,
    )
