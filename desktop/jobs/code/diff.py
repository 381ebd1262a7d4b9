"""Shows what a coding job changed, because a person asked for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from desktop.core.code.fitting import fitting_diff
from desktop.jobs import wording
from desktop.jobs.code.kept import KeptChanges, KeptFacts
from desktop.jobs.context import SharedContext
from shared.errors import NotFound
from shared.kinds.code import DIFF_CHARS_MAX, DiffInputs, DiffOutput
from shared.plain_text import plain, plain_line

FILE_START = "diff --git "
NAME_CHARS_MAX = 100
LONGER = "It is longer than is shown here; the file has all that is kept."


def changes_of(data_folder: Path) -> KeptChanges:
    """Return where a machine keeps the changes of its coding jobs."""
    return KeptChanges(data_folder / "code" / "changes")


async def run(context: SharedContext, inputs: DiffInputs) -> DiffOutput:
    """Read a change as it was kept.

    Raises:
        NotFound: `change_missing`, `change_file_missing`.
        NotAllowed: `sending_refused`.
    """
    # What was changed leaves the machine with the answer, as a file would.
    context.check_sending()
    output, whole = await asyncio.to_thread(_read, context.data_folder, inputs)
    if output.is_cut:
        # What does not fit into a chat comes as a file.
        path = context.workdir / f"{output.branch.rpartition('/')[2] or 'change'}.diff"
        await asyncio.to_thread(path.write_text, whole, encoding="utf-8")
        context.send(path)
    return output


def _read(data_folder: Path, inputs: DiffInputs) -> tuple[DiffOutput, str]:
    """Return what is shown of a change, and all that is kept of it."""
    changes = changes_of(data_folder)
    name = inputs.job or changes.newest()
    found = changes.find(name) if name else None
    if found is None:
        told = f"of a job {plain_line(name)[:NAME_CHARS_MAX]}" if name else "of any job"
        raise NotFound(
            "change_missing",
            f"No change {told} is kept on this machine.",
            "Name a coding job of this machine by its four characters.",
        )
    facts, diff = found
    part = _part_of(diff, inputs.file) if inputs.file else diff
    shown = fitting_diff(_output(facts, plain(part), is_part=bool(inputs.file)))
    notes = (LONGER,) if shown.is_cut else ()
    return shown.model_copy(update={"notes": notes}), part


def _output(facts: KeptFacts, shown: str, *, is_part: bool) -> DiffOutput:
    return DiffOutput(
        headline=_headline(facts),
        job=facts.job,
        repository=facts.repository,
        base=facts.base,
        branch=facts.branch,
        diff=_cut(shown),
        files_changed=facts.files,
        files_total=facts.files_total,
        added=facts.added,
        removed=facts.removed,
        tests_after=facts.tests_after,
        is_cut=(facts.is_cut and not is_part) or len(shown) > DIFF_CHARS_MAX,
    )


def _headline(facts: KeptFacts) -> str:
    lines = f"+{facts.added:,} −{facts.removed:,}"
    place = f" on {facts.branch}" if facts.branch else ""
    return f"{wording.count(facts.files_total, 'file')}, {lines}{place}."


def _cut(text: str) -> str:
    """Shorten at the end of a line, so that no line is shown as another."""
    if len(text) <= DIFF_CHARS_MAX:
        return text
    whole, _, _ = text[:DIFF_CHARS_MAX].rpartition("\n")
    return f"{whole}\n"


def _part_of(diff: str, file: str) -> str:
    """Return one file's part.

    Raises:
        NotFound: `change_file_missing`.
    """
    parts = [f"{FILE_START}{part}" for part in f"\n{diff}".split(f"\n{FILE_START}")[1:]]
    for part in parts:
        head = plain(part.partition("\n@@ ")[0])
        if f" b/{file}\n" in f"{head}\n" or f" a/{file} " in head:
            return part if part.endswith("\n") else f"{part}\n"
    raise NotFound(
        "change_file_missing",
        f"The change has no file {plain_line(file)[:NAME_CHARS_MAX]}.",
        "Leave the file out to see all of it.",
    )
