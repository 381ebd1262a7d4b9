"""What a View becomes in Discord: one message, and more where its files do not fit into one.

Pure: which messages, with which words and files. How they are sent is `sending`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hub.core.view import Button, Tone, View, ViewFile
from hub.frontends.carried import qr_png, safe_name
from hub.frontends.discord.keyboard import BUTTONS_MAX, fits
from hub.frontends.discord.markdown import TEXT_UNITS_MAX, Told, block, told_of
from hub.frontends.layout import laid_out, units
from shared.plain_text import plain

UPLOAD_BYTES_MAX = 10 * 1024 * 1024
"""Where Discord has not told us of more (servers may be boosted)."""
FILES_MAX = 10
"""In one message."""
BLOCK_LINES_MAX = 40
"""A longer sheet is a file: nobody wants to scroll through it in a chat."""
WHOLE_TEXT_NAME = "whole message.txt"
COLOURS = {
    Tone.PLAIN: 0x6B7280,
    Tone.WAITING: 0x6B7280,
    Tone.RUNNING: 0x3B82F6,
    Tone.ASKING: 0xD97706,
    Tone.DONE: 0x2E9E5B,
    Tone.FAILED: 0xDC2626,
}
"""At the edge of a text that is too long for a plain message; the words say the same."""


NOTHING = Told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    name: str
    size_bytes: int
    path: Path | None = None
    content: bytes = b""
    """Of a file that lies nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message."""

    told: Told = NOTHING
    colour: int = 0
    buttons: tuple[Button, ...] = ()
    uploads: tuple[Upload, ...] = ()
    is_quiet: bool = False
    whole: bytes = b""
    """All of a text that is an embed, for where embeds are not allowed."""

    @property
    def without_embed(self) -> Post:
        """The same where the bot may not embed: a beginning, and all of it as a file."""
        upload = Upload(name=WHOLE_TEXT_NAME, size_bytes=len(self.whole), content=self.whole)
        kept = tuple(upload for upload in self.uploads if upload.name != WHOLE_TEXT_NAME)
        return replace(self, told=Told(self.told.brief), uploads=(*kept[: FILES_MAX - 1], upload))


def posts_of(view: View, paths: Mapping[str, Path | None], bytes_max: int) -> list[Post]:
    """Lay a view out as messages.

    Args:
        view: what to show.
        paths: by sha256, where each file lies; None for one that is gone.
        bytes_max: what Discord takes as one upload there.
    """
    view = spelled_out(view, paths, bytes_max)
    told = told_of(view)
    uploads = [_picture(view.qr)] if view.qr else []
    uploads += [
        _upload(file, paths[file.sha256]) for file in view.files if _can_go(file, paths, bytes_max)
    ]
    if view.sheet is not None:
        below = f"{told.content}\n{block(view.sheet.text, view.sheet.language)}"
        is_short = view.sheet.text.count("\n") <= BLOCK_LINES_MAX
        if told.content and is_short and units(below) <= TEXT_UNITS_MAX:
            told = replace(told, content=below)
        else:
            uploads.append(_sheet(view.sheet.name, view.sheet.text))
    if whole := _whole_text(view, told):
        uploads.append(Upload(name=WHOLE_TEXT_NAME, size_bytes=len(whole), content=whole))
    batches = _batches(uploads, bytes_max)
    head = Post(
        told=told,
        colour=COLOURS[view.tone],
        buttons=tuple(button for button in view.buttons if fits(button))[:BUTTONS_MAX],
        uploads=batches[0],
        is_quiet=view.is_quiet or view.is_status,
        whole=plain(view.overflow or laid_out(view)).encode() if told.embed else b"",
    )
    # One sound for one answer; the first message made it.
    return [head, *(Post(uploads=batch, is_quiet=True) for batch in batches[1:])]


def spelled_out(view: View, paths: Mapping[str, Path | None], bytes_max: int) -> View:
    """Say in the text what cannot be a button or a file here."""
    links = [b for b in view.buttons if b.url and not fits(b) and b.url not in view.text]
    lines = [f"{link.label}: {link.url}" for link in links]
    for file in view.files:
        if file.size_bytes > bytes_max:
            size, most = file.size_bytes / 1e6, bytes_max / 1e6
            lines.append(
                f"{file.name} ({size:,.0f} MB) is too large for Discord, which takes "
                f"{most:,.0f} MB here. Your dashboard has it: /web."
            )
        elif file.size_bytes == 0:
            lines.append(f"{file.name} is empty, and Discord takes no empty files.")
        elif paths.get(file.sha256) is None:
            lines.append(f"{file.name} is no longer here. Ask for it again.")
    if not lines:
        return view
    return replace(view, text="\n".join([view.text, *lines]).strip())


def _batches(uploads: list[Upload], bytes_max: int) -> list[tuple[Upload, ...]]:
    """Share files out to messages; the first may have none."""
    batches: list[list[Upload]] = [[]]
    for upload in uploads:
        held = sum(u.size_bytes for u in batches[-1])
        if len(batches[-1]) == FILES_MAX or (batches[-1] and held + upload.size_bytes > bytes_max):
            batches.append([])
        batches[-1].append(upload)
    return [tuple(batch) for batch in batches]


def _can_go(file: ViewFile, paths: Mapping[str, Path | None], bytes_max: int) -> bool:
    return paths.get(file.sha256) is not None and 0 < file.size_bytes <= bytes_max


def _upload(file: ViewFile, path: Path | None) -> Upload:
    return Upload(name=safe_name(file.name), size_bytes=file.size_bytes, path=path)


def _picture(text: str) -> Upload:
    content = qr_png(text)
    return Upload(name="code.png", size_bytes=len(content), content=content)


def _sheet(name: str, text: str) -> Upload:
    content = plain(text).encode()
    return Upload(name=safe_name(name), size_bytes=len(content), content=content)


def _whole_text(view: View, told: Told) -> bytes:
    """All of a text that had to be cut."""
    is_cut = told.is_cut and not view.is_status
    return plain(view.overflow or (laid_out(view) if is_cut else "")).encode()
