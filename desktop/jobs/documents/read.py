"""files.read: a file, or those of a folder, as text. files.list: what is in a folder."""

from __future__ import annotations

import fnmatch
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.jobs import wording
from desktop.jobs.asking import file_of
from desktop.jobs.data.encoding import encoding_of, fingerprint
from desktop.jobs.documents.conversion import SUFFIXES, converted, too_large
from shared.errors import AppError, BadInput, NotAllowed, NotFound
from shared.kinds import file_name_of
from shared.kinds.files import (
    LISTED_MAX,
    READ_FILES_MAX,
    FileText,
    ListedFile,
    ListInputs,
    ListOutput,
    ReadInputs,
    ReadOutput,
)
from shared.plain_text import plain, plain_line

if TYPE_CHECKING:
    from desktop.jobs.context import Context

TEXT_FILE_BYTES_MAX = 20 * 1000 * 1000
RESULT_BYTES_MAX = 48_000
"""Of the text in a result, which may have 64 kB in all."""
FILES_SEEN_MAX = 20_000
DEPTH_MAX = 6
NAMES_BYTES_MAX = 40_000
NAME_CHARS_MAX = 300
READABLE = (
    ".md", ".txt", ".csv", ".tsv", ".json", ".yaml", ".yml", ".toml", ".py", ".html", ".xml",
    ".rst", ".tex", ".log", ".ini", ".sql", ".js", ".ts", ".css", ".sh", ".c", ".h", ".cpp",
    ".java", ".go", ".rs", *SUFFIXES,
)  # fmt: skip
"""What is read of a folder, and offered."""
TABLES = (".csv", ".tsv", ".xlsx")


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    name: str
    """With the allowed folder's own name before it."""


def run(context: Context, inputs: ReadInputs) -> ReadOutput:
    """Read a file, or those of a folder.

    Raises:
        AppError: as `file_of`, `converted` and `folder_of`; `file_binary`, `file_too_large`,
            `files_none`.
    """
    if inputs.folder is None or inputs.file is not None:
        path = file_of(context, inputs.file, suffixes=READABLE)
        text = text_of(path)
        told = FileText(name=_shown(context, path), sort=_sort(path), chars=len(text))
        return _output(text, (told,), inputs, file_name_of(path.name))
    folder = folder_of(context, inputs.folder)
    found = [one for one in _files(folder, inputs.pattern) if one.path.suffix.lower() in READABLE]
    if not found:
        raise NotFound(
            "files_none",
            f"No file that can be read fits {plain_line(inputs.pattern)} in {folder.name}.",
            "Look what is there with /files.",
        )
    parts, told_all, notes = _read_all(context, found[:READ_FILES_MAX])
    if len(found) > READ_FILES_MAX:
        notes.append(f"⚠ The first {READ_FILES_MAX} of {len(found):,} files were read.")
    return _output("\n\n".join(parts), tuple(told_all), inputs, f"{folder.name}", notes)


def _read_all(context: Context, found: list[_Found]) -> tuple[list[str], list[FileText], list[str]]:
    parts: list[str] = []
    told: list[FileText] = []
    notes: list[str] = []
    for number, one in enumerate(found, start=1):
        shown = plain_line(one.name)[:NAME_CHARS_MAX]
        try:
            text = text_of(one.path)
        except AppError as error:
            notes.append(f"⚠ {shown}: {error.message}")
            continue
        parts.append(f"=== {shown} ===\n{text}")
        told.append(FileText(name=shown, sort=_sort(one.path), chars=len(text)))
        context.progress("reading", number, len(found))
    return parts, told, notes[:10]


def text_of(path: Path) -> str:
    """Return the text of a file, made harmless for whoever shows it.

    Raises:
        BadInput: `file_binary`, `file_broken`.
        AppError: as `converted`; `file_unreadable`.
    """
    name = file_name_of(path.name)
    if path.suffix.lower() in SUFFIXES:
        return plain(converted(path).replace("\r\n", "\n").replace("\f", "\n")).strip()
    try:
        if path.stat().st_size > TEXT_FILE_BYTES_MAX:
            raise too_large(name)
        encoding = encoding_of(fingerprint(path), name)
        text = path.read_bytes().decode(encoding, errors="replace")
    except BadInput:
        raise BadInput(
            "file_binary",
            f"{name} is no text that can be read.",
            f"Text, code, tables and {', '.join(SUFFIXES)} can be.",
        ) from None
    except OSError as error:
        raise NotAllowed(
            "file_unreadable", f"{name} cannot be read ({error.strerror}).", ""
        ) from error
    return plain(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))


def _output(
    text: str,
    read: tuple[FileText, ...],
    inputs: ReadInputs,
    name: str,
    notes: list[str] | None = None,
) -> ReadOutput:
    part = bounded(text[inputs.start : inputs.start + inputs.chars_max], RESULT_BYTES_MAX)
    end = inputs.start + len(part)
    is_cut = end < len(text)
    size = wording.count(len(text), "character")
    files = f"{wording.count(len(read), 'file')} of {name}" if len(read) != 1 else name
    told = list(notes or ())
    if is_cut or inputs.start:
        told.insert(0, f"Characters {inputs.start:,} to {end:,} of {len(text):,} are shown.")
    return ReadOutput(
        headline=f"{files}: {size}." if text.strip() else f"{files} holds no text.",
        notes=tuple(told),
        text=part,
        read=read,
        next_start=end if is_cut else None,
    )


def bounded(text: str, bytes_max: int) -> str:
    """Cut a text so that it is no larger than this as JSON, for which a sign may be six bytes."""
    size = 0
    for place, letter in enumerate(text):
        size += len(letter.encode("utf-8", "replace")) + (letter in '"\\\n\t')
        if size > bytes_max:
            return text[:place]
    return text


def list_files(context: Context, inputs: ListInputs) -> ListOutput:
    """List the files of a folder, the newest first.

    Raises:
        AppError: as `folder_of`.
    """
    folders = context.folders if inputs.folder is None else (folder_of(context, inputs.folder),)
    found = [one for folder in folders for one in _files(folder, inputs.pattern)]
    entries = sorted(_entries(context, found), key=lambda pair: -pair[0])
    shown: list[ListedFile] = []
    size = 0
    for _, entry in entries[:LISTED_MAX]:
        size += len(entry.model_dump_json())
        if size > NAMES_BYTES_MAX:
            break
        shown.append(entry)
    where = folders[0].name if len(folders) == 1 else "the allowed folders"
    notes = (f"The newest {len(shown)} are listed.",) if len(shown) < len(entries) else ()
    return ListOutput(
        headline=f"{wording.count(len(entries), 'file')} in {where}.",
        notes=notes,
        entries=tuple(shown),
        total=len(entries),
    )


def _entries(context: Context, found: list[_Found]) -> Iterator[tuple[float, ListedFile]]:
    for one in found:
        try:
            facts = one.path.stat()
        except OSError:
            continue
        day = time.strftime("%Y-%m-%d", time.localtime(facts.st_mtime))
        name = plain_line(one.name)[:NAME_CHARS_MAX]
        yield facts.st_mtime, ListedFile(name=name, size_bytes=facts.st_size, changed=day)


def folder_of(context: Context, given: str) -> Path:
    """Find an allowed folder, or one below it, by path or by the allowed folder's own name.

    Raises:
        NotAllowed: `file_outside_folders`.
        NotFound: `folder_missing`.
    """
    name = given.strip().rstrip("/\\") or "/"
    for folder in context.folders:
        for wanted in (Path(name).expanduser(), folder / name, folder.parent / name):
            real = wanted.resolve() if wanted.is_absolute() and "\x00" not in name else None
            if real is None or not real.is_dir():
                continue
            if any(real.is_relative_to(allowed) for allowed in context.folders):
                return real
    if Path(name).is_absolute() or ".." in Path(name).parts:
        allowed = ", ".join(folder.name for folder in context.folders) or "none so far"
        raise NotAllowed(
            "file_outside_folders",
            f"{file_name_of(name)} is outside the folders Deskhand may use on this machine.",
            f"Allowed: {allowed}.",
        )
    raise NotFound("folder_missing", f"There is no folder {file_name_of(name)}.", "Check its name.")


def _files(folder: Path, pattern: str) -> list[_Found]:
    """Find the files below a folder whose name, or path below it, fits; links are not followed."""
    found: list[_Found] = []
    seen = 0
    wanted = pattern.strip().casefold() or "*"
    for here, below, names in os.walk(folder, followlinks=False):
        depth = len(Path(here).relative_to(folder).parts)
        below[:] = [] if depth >= DEPTH_MAX else sorted(d for d in below if d[0] != ".")
        for name in sorted(names):
            seen += 1
            if seen > FILES_SEEN_MAX:
                return found
            path = Path(here) / name
            if name.startswith(".") or path.is_symlink() or not path.is_file():
                continue
            inside = path.relative_to(folder).as_posix()
            if any(fnmatch.fnmatchcase(one.casefold(), wanted) for one in (name, inside)):
                found.append(_Found(path, f"{folder.name}/{inside}"))
    return found


def _shown(context: Context, path: Path) -> str:
    for folder in context.folders:
        if path.is_relative_to(folder):
            return plain_line(f"{folder.name}/{path.relative_to(folder).as_posix()}")[
                :NAME_CHARS_MAX
            ]
    return file_name_of(path.name)


def _sort(path: Path) -> str:
    ending = path.suffix.lower()
    if ending in TABLES and ending != ".xlsx":
        return "table"
    return ending.removeprefix(".") if ending in SUFFIXES else "text"
