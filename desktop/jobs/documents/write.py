"""files.write: a new document from Markdown, in the format that its name or its person says.

A name that is taken is left alone: a free one beside it is used, unless the file is to be
overwritten, which its person has to agree to where they are not at the machine.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.core.documents.format import Format, format_of
from desktop.core.documents.new_name import free_beside, with_ending
from desktop.jobs import wording
from desktop.jobs.documents import telling
from desktop.jobs.documents.changes import (
    AFTER,
    BEFORE,
    GONE,
    Change,
    Changes,
    changed_since,
    read_bytes,
    sha256,
)
from shared.errors import BadInput, Unavailable
from shared.kinds import file_name_of
from shared.kinds.files import WriteInputs, WriteOutput
from shared.questions import Asking, QuestionKind

if TYPE_CHECKING:
    from desktop.jobs.context import Context

NAMES_LOOKED_AT_MAX = 20_000
CSV_LINES_CHECKED_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Made:
    content: bytes
    notes: tuple[str, ...] = ()


def run(context: Context, inputs: WriteInputs) -> WriteOutput:
    """Write a document once, whatever happens in between.

    Raises:
        AppError: as `place_file` and `Changes`; `change_refused`, `format_unlike`,
            `json_invalid`, `documents_missing`.
    """
    changes = Changes(context.data_folder)
    begun = changes.find(context.job_id)
    if begun is None:
        begun = _begun(context, inputs, changes)
    path = Path(begun.path)
    done = changes.carry_out(begun, check=lambda: _check(context, path))
    context.wrote(path)
    return _output(changes, done)


def _begun(context: Context, inputs: WriteInputs, changes: Changes) -> Change:
    name = inputs.file if inputs.file is not None else _asked(context, "file", "What name?")
    form = format_of(name, inputs.format)
    path = context.place_file(with_ending(name.strip(), form.ending))
    text = inputs.text if inputs.text is not None else _asked(context, "text", "What is in it?")
    made = made_of(text, form, context)
    before = read_bytes(path) if path.exists() else None
    note = list(made.notes)
    if before is not None and not inputs.overwrite:
        note.insert(0, f"{file_name_of(path.name)} was there already, so this has another name.")
        path, before = path.with_name(free_beside(path.name, _names(path.parent))), None
    if before is not None:
        if before == made.content:
            note.insert(0, "It was the same already.")
        elif telling.must_ask(context.origin, is_planned=context.is_planned):
            _agree(context, path, before, made.content)
    _check(context, path)
    return changes.begin(
        context.job_id, path, before, made.content, now=time.time(), note="\n".join(note)
    )


def _agree(context: Context, path: Path, before: bytes, after: bytes) -> None:
    name = file_name_of(path.name)
    change = telling.difference(before, after, path)
    # What is packed into a document differs with the clock: an answer is for its words alone.
    asking = telling.asking(name, "overwrite", change, sha256(before + change.text.encode()))
    telling.check_answer(context.ask(asking), name)


def _check(context: Context, path: Path) -> None:
    """See that a place is still one that may be written to."""
    if context.place_file(str(path)) != path:
        raise changed_since(file_name_of(path.name))


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry, _ in zip(entries, range(NAMES_LOOKED_AT_MAX), strict=False)]


def made_of(text: str, form: Format, context: Context) -> Made:
    """Make the content of a document.

    Raises:
        BadInput: `json_invalid`, `csv_invalid`, `text_empty`.
        Unavailable: `documents_missing`.
    """
    if not text.strip():
        raise BadInput("text_empty", "There is nothing to write.", "Say what is in it.")
    match form:
        case Format.JSON:
            return Made(_json(text))
        case Format.CSV:
            return Made(_csv(text))
        case Format.MD | Format.TXT:
            return Made(_plain(text))
        case Format.DOCX | Format.PDF:
            return _document(text, form, context)


def _plain(text: str) -> bytes:
    ended = text if text.endswith("\n") else f"{text}\n"
    return ended.encode("utf-8", "replace")


def _json(text: str) -> bytes:
    try:
        told = json.loads(_unfenced(text))
        return _plain(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False))
    except (ValueError, RecursionError) as error:
        raise BadInput("json_invalid", f"That is no JSON: {error}.", "Mend it.") from None


def _csv(text: str) -> bytes:
    """Take CSV as it is, or the first table of Markdown; no cell begins a formula."""
    plain = _unfenced(text)
    rows = _markdown_table(plain) or list(csv.reader(io.StringIO(plain, newline="")))
    rows = [row for row in rows if row]
    if not rows or max(map(len, rows)) < 1:
        raise BadInput("csv_invalid", "There is no table in that text.", "Write rows with commas.")
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\n").writerows([[_cell(cell) for cell in row] for row in rows])
    return made.getvalue().encode("utf-8", "replace")


def _cell(cell: str) -> str:
    """Let no cell begin a formula (OWASP, "CSV Injection"); a number may begin with a sign."""
    if cell[:1] in ("=", "@", "\t", "\r"):
        return f"'{cell}"
    if cell[:1] in ("+", "-"):
        try:
            float(cell.replace(",", "").replace("%", ""))
        except ValueError:
            return f"'{cell}" if len(cell) > 1 else cell
    return cell


def _markdown_table(text: str) -> list[list[str]]:
    lines = text.strip().splitlines()
    if not any(line.lstrip().startswith("|") for line in lines):
        return []
    try:
        from desktop.core.documents import markdown

        blocks = markdown.read(text)
    except ImportError as error:
        raise _missing(error) from error
    table = next((block for block in blocks if isinstance(block, markdown.Table)), None)
    if table is None:
        return []
    return [[markdown.words(cell) for cell in row] for row in (table.head, *table.rows)]


def _unfenced(text: str) -> str:
    """Take the inside of ``` fences, which models put around data."""
    lines = text.strip().splitlines()
    is_fenced = len(lines) > 2 and lines[0].startswith("```") and lines[-1].strip() == "```"
    return "\n".join(lines[1:-1]) if is_fenced else text


def _document(text: str, form: Format, context: Context) -> Made:
    try:
        from desktop.core.documents import markdown
        from desktop.jobs.documents.pictures import Pictures

        blocks = markdown.read(text)
        pictures = Pictures(context.find_file)
        notes: list[str] = []
        if form is Format.DOCX:
            from desktop.jobs.documents.docx_file import write_docx

            content = write_docx(blocks, pictures)
        else:
            from desktop.jobs.documents.fonts import told_lacking
            from desktop.jobs.documents.pdf_file import write_pdf

            content, lacking = write_pdf(blocks, pictures)
            notes += [told_lacking(lacking)] if lacking else []
    except ImportError as error:
        raise _missing(error) from error
    if pictures.left_out:
        shown = wording.listed(pictures.left_out)
        notes.append(f"⚠ Left out, for only PNG and JPEG files of allowed folders go in: {shown}.")
    return Made(content, tuple(notes))


def _missing(error: ImportError) -> Unavailable:
    return Unavailable(
        "documents_missing",
        f"This machine lacks what such documents are written with ({error.name}).",
        "Run there: deskhand setup web. Without it, md, txt, csv and json can be written.",
    )


def _output(changes: Changes, done: Change) -> WriteOutput:
    path = Path(done.path)
    content = changes.content(done, AFTER) or b""
    before = changes.content(done, BEFORE)
    made = telling.difference(before, content, path)
    size = wording.size(len(content))
    name = file_name_of(path.name)
    is_new = done.before == GONE
    changed = f" in place of the one before: {telling.signed(made)}" if made.text else ""
    where = path.parent.name
    headline = (
        f"{name} ({size}) is written to {where}."
        if is_new
        else f"{name} ({size}) is written{changed}."
    )
    notes = [line for line in done.note.split("\n") if line]
    if not is_new and done.before != done.after:
        notes.append("It can be taken back for 30 days: /undo.")
    return WriteOutput(
        headline=headline,
        notes=tuple(notes),
        file=done.path,
        files=(name,),
        sha256=done.after,
        size_bytes=len(content),
        is_new=is_new,
        added=made.added,
        removed=made.removed,
    )


def _asked(context: Context, key: str, text: str) -> str:
    asking = Asking(key=key, kind=QuestionKind.CLARIFICATION, text=text, allow_text=True)
    return context.ask(asking)
