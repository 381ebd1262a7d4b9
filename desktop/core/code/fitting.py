"""Keeps results of coding jobs within what an event carries: work that was done is always told.

What does not fit is left out from the end; the figures beside it tell how much there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from desktop.core.result_size import RESULT_BYTES_MAX
from shared.kinds.code import CodeOutput, DiffOutput

FILES_BYTES_MAX = 14 * 1024
FINDINGS_BYTES_MAX = 28 * 1024
NOTES_BYTES_MAX = 13 * 1024
DIFF_BYTES_MAX = 40 * 1024
"""As JSON, like the others: together they leave room for names and figures."""
LONG_BYTES_MAX = 2 * 1024
"""One note."""

assert FILES_BYTES_MAX + FINDINGS_BYTES_MAX + NOTES_BYTES_MAX < RESULT_BYTES_MAX - 8 * 1024
assert FILES_BYTES_MAX + DIFF_BYTES_MAX < RESULT_BYTES_MAX - 8 * 1024


def fitting_work(output: CodeOutput) -> CodeOutput:
    """Shorten what a work order came to."""
    files = [file.model_dump_json() for file in output.files_changed]
    findings = [finding.model_dump_json() for finding in output.findings]
    notes = [_start(note, LONG_BYTES_MAX) for note in output.notes]
    return output.model_copy(
        update={
            "notes": tuple(notes[: _count(map(_json, notes), NOTES_BYTES_MAX)]),
            "files_changed": output.files_changed[: _count(files, FILES_BYTES_MAX)],
            "findings": output.findings[: _count(findings, FINDINGS_BYTES_MAX)],
        }
    )


def fitting_diff(output: DiffOutput) -> DiffOutput:
    """Shorten a change that is shown, at the end of a line, and say so."""
    files = [file.model_dump_json() for file in output.files_changed]
    lines = _lines(output.diff)
    kept = _count(map(_json, lines), DIFF_BYTES_MAX)
    return output.model_copy(
        update={
            "files_changed": output.files_changed[: _count(files, FILES_BYTES_MAX)],
            "diff": "".join(lines[:kept]),
            "is_cut": output.is_cut or kept < len(lines),
        }
    )


def _lines(text: str) -> list[str]:
    """Cut a text at line feeds alone, as git does."""
    *whole, rest = text.split("\n")
    return [*(f"{line}\n" for line in whole), *([rest] if rest else [])]


def _count(texts: Iterable[str], bytes_max: int) -> int:
    """Return how many of these, from the first, fit into so many bytes."""
    count = used = 0
    for text in texts:
        used += len(text.encode()) + 1
        if used > bytes_max:
            break
        count += 1
    return count


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _start(text: str, bytes_max: int) -> str:
    return text.encode()[:bytes_max].decode(errors="ignore")
