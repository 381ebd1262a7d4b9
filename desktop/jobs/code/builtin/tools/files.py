"""Reading and changing files: line numbers, exact replacements, and bytes left as they were."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from desktop.jobs.code.builtin.tools.folder import FILE_BYTES_MAX, Folder, is_binary, read_bytes
from desktop.jobs.code.builtin.tools.outcome import Change, Outcome, ToolFault

LINES_MAX = 2000
"""Of one reading."""
LINE_CHARS_MAX = 2000
READ_CHARS_MAX = 60_000
PLACES_SHOWN_MAX = 10
HINT_LINES_MAX = 12
BOM = "\ufeff"


def read(folder: Folder, path: str, offset: int = 1, limit: int = LINES_MAX) -> Outcome:
    """Show a file's lines with their numbers.

    Args:
        folder: the working folder.
        path: of the file.
        offset: number of the first line, from 1.
        limit: how many lines.
    """
    found = folder.find(path)
    raw = read_bytes(found, path)
    if is_binary(raw):
        return Outcome(text=f"{path!r} is a binary file of {len(raw)} bytes.")
    text = raw.decode(errors="replace")
    lines = _lines_of(text)
    if not lines:
        return Outcome(text=f"{path!r} is empty.")
    first = max(1, offset)
    if first > len(lines):
        raise ToolFault(f"{path!r} has {len(lines)} lines; there is no line {first}.")
    shown = list(_numbered(lines, first, max(1, min(limit, LINES_MAX))))
    notes = _notes(raw, text, first, len(shown), len(lines))
    return Outcome(text="\n".join([*shown, *notes]))


def _lines_of(text: str) -> list[str]:
    """Split at line ends alone: other marks that Python takes for one stand within a line."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _numbered(lines: list[str], first: int, count: int) -> Iterator[str]:
    chars = 0
    for number, line in enumerate(lines[first - 1 : first - 1 + count], first):
        cut = line if len(line) <= LINE_CHARS_MAX else line[:LINE_CHARS_MAX] + "… [line cut]"
        chars += len(cut) + 8
        if chars > READ_CHARS_MAX and number > first:
            return
        yield f"{number:>6}\t{cut}"


def _notes(raw: bytes, text: str, first: int, count: int, total: int) -> Iterator[str]:
    last = first + count - 1
    if last < total:
        yield f"[lines {first}-{last} of {total}; go on with offset {last + 1}]"
    if b"\r\n" in raw:
        yield "[lines end with CRLF; edit keeps that by itself]"
    if "\ufffd" in text and "\ufffd".encode() not in raw:
        yield "[not all of it is UTF-8: \ufffd stands for other bytes]"
    if not raw.endswith(b"\n"):
        yield "[no line end after the last line]"


def write(folder: Folder, path: str, content: str) -> Change:
    """Prepare to write a whole file."""
    found = folder.find(path, will_write=True)
    if found.is_dir():
        raise ToolFault(f"{path!r} is a folder.")
    _encoded(content)
    return Change(path=str(found), old=_old_text(found, path), new=content)


def _old_text(found: Path, path: str) -> str | None:
    if not found.exists():
        return None
    return read_bytes(found, path).decode(errors="surrogateescape")


def edit(folder: Folder, path: str, old: str, new: str, *, replace_all: bool = False) -> Change:
    """Prepare to replace a piece of a file, which has to be in it once.

    Raises:
        ToolFault: it is not in it, or more than once; says where.
    """
    found = folder.find(path, will_write=True)
    raw = read_bytes(found, path)
    if is_binary(raw):
        raise ToolFault(f"{path!r} is a binary file.")
    if not old:
        raise ToolFault("`old` is empty. To write a whole file use `write`.")
    if old == new:
        raise ToolFault("`old` and `new` are the same: nothing would change.")
    text = raw.decode(errors="surrogateescape")
    old, new = _with_ends(text, old, new)
    count = text.count(old)
    if count == 0:
        raise ToolFault(_not_found(path, text, old))
    if count > 1 and not replace_all:
        raise ToolFault(_many(path, text, old, count))
    changed = text.replace(old, new)
    _encoded(changed)
    return Change(path=str(found), old=text, new=changed)


def _with_ends(text: str, old: str, new: str) -> tuple[str, str]:
    """Give what a model wrote the line ends of the file; models see and write plain ones."""
    if old in text or "\r\n" not in text:
        return old, new
    return tuple(part.replace("\r\n", "\n").replace("\n", "\r\n") for part in (old, new))  # type: ignore[return-value]


def _many(path: str, text: str, old: str, count: int) -> str:
    numbers: list[str] = []
    start = 0
    while len(numbers) < PLACES_SHOWN_MAX and (place := text.find(old, start)) >= 0:
        numbers.append(str(text.count("\n", 0, place) + 1))
        start = place + len(old)
    more = ", …" if count > len(numbers) else ""
    return (
        f"`old` is {count} times in {path!r} (lines {', '.join(numbers)}{more}). Add lines around "
        "it until it is there once, or set replace_all."
    )


def _not_found(path: str, text: str, old: str) -> str:
    """Say what is there instead, if it differs in blanks alone or begins alike."""
    lines, wanted = _lines_of(text), [line.strip() for line in _lines_of(old)]
    stripped = [line.strip() for line in lines]
    said = f"`old` is not in {path!r}."
    size = len(wanted)
    for start in range(len(lines) - size + 1):
        if stripped[start : start + size] == wanted:
            there = "\n".join(lines[start : start + min(size, HINT_LINES_MAX)])
            return f"{said} Only its blanks differ; from line {start + 1} the file has:\n{there}"
    begin = next((line for line in wanted if line), "")
    alike = [str(n) for n, line in enumerate(stripped, 1) if begin and line == begin]
    if alike:
        return (
            f"{said} Its first line is line {', '.join(alike[:PLACES_SHOWN_MAX])}, but what follows"
            " is different. Read the file again."
        )
    return f"{said} Read the file again and copy the lines as they are, without their numbers."


def _encoded(text: str) -> bytes:
    try:
        raw = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise ToolFault("The text has half characters that cannot be written.") from None
    if len(raw) > FILE_BYTES_MAX:
        raise ToolFault(f"The file would have more than {FILE_BYTES_MAX} bytes.")
    return raw


def put(folder: Folder, change: Change) -> Outcome:
    """Write a change: aside, then renamed over the old file, with its mode.

    Raises:
        ToolFault: it cannot be written, or was changed since it was looked at.
    """
    path = Path(change.path)
    shown = folder.shown(path)
    if _old_text(path, shown) != change.old:
        raise ToolFault(f"{shown!r} was changed meanwhile. Read it again.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, _encoded(change.new))
    except OSError as error:
        raise ToolFault(f"{shown!r} cannot be written: {error.strerror}.") from None
    return Outcome(text=_told(shown, change), change=change)


def _replace(path: Path, raw: bytes) -> None:
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()
    aside = path.with_name(f".{path.name[:100]}.{os.getpid()}.new")
    try:
        with aside.open("xb") as file:
            file.write(raw)
        aside.chmod(mode)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now


def _told(shown: str, change: Change) -> str:
    if change.old is None:
        return f"Written: {shown!r} is new, {_count(change.new)} lines."
    before, after = change.old.split("\n"), change.new.split("\n")
    first = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
        min(len(before), len(after)),
    )
    return f"Written: {shown!r} changed from line {first + 1}, {_count(change.new)} lines now."


def _count(text: str) -> int:
    return len(_lines_of(text))
