"""files.edit: change a text file, by exact replacements, a whole new text, or a model's edits.

What is to be written is kept in the job's folder before anybody is asked, so that a yes counts for
what was shown, also after a crash.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from desktop.core.documents.edits import Replacement, edited, with_ends_of
from desktop.jobs.context import SharedContext
from desktop.jobs.documents import telling
from desktop.jobs.documents.changes import AFTER, BEFORE, Change, Changes, changed_since, hash_of
from desktop.jobs.documents.text_file import TextFile, read_text_file
from shared.errors import BadInput
from shared.kinds import file_name_of
from shared.kinds.files import EditInputs, EditOutput
from shared.plain_text import plain_line
from shared.questions import Asking, Choice, QuestionKind

SUFFIXES = (".md", ".txt", ".csv", ".json", ".yaml", ".toml", ".py", ".html", ".tex", ".rst")
FILES_OFFERED_MAX = 8
LABEL_CHARS_MAX = 200
PROPOSAL = "proposal.json"


class Proposal(BaseModel):
    """What would be written, kept until it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    before: str
    """Hash of what the file was when this was made."""
    after_hex: str
    model: str = ""


async def run(context: SharedContext, inputs: EditInputs) -> EditOutput:
    """Change a file once, whatever happens in between.

    Raises:
        AppError: as `find_file`, `place_file`, `read_text_file`, `edited` and `Changes`;
            `change_refused`, `nothing_changes`.
        Postponed, LlmFault: a model's.
    """
    changes = Changes(context.data_folder)
    begun = await asyncio.to_thread(changes.find, context.job_id)
    if begun is None:
        proposal = _kept(context.workdir) or await _proposed(context, inputs)
        begun = await _agreed(context, changes, proposal)
    done = await asyncio.to_thread(
        changes.carry_out, begun, check=lambda: _check(context, Path(begun.path))
    )
    context.wrote(Path(done.path))
    return await asyncio.to_thread(_output, changes, done)


async def _proposed(context: SharedContext, inputs: EditInputs) -> Proposal:
    name = inputs.file if inputs.file is not None else await _which_file(context)
    path = context.find_file(name)
    _check(context, path)
    file = await asyncio.to_thread(read_text_file, path)
    text, model = await _new_text(context, inputs, path, file)
    shown = file_name_of(path.name)
    if text == file.text:
        raise BadInput("nothing_changes", f"That changes nothing in {shown}.", "")
    after = file.encoded(text, shown)
    proposal = Proposal(path=str(path), before=file.sha256, after_hex=after.hex(), model=model)
    _keep(context.workdir, proposal)
    return proposal


async def _new_text(
    context: SharedContext, inputs: EditInputs, path: Path, file: TextFile
) -> tuple[str, str]:
    """Return the file's new text, and the model that made it."""
    if inputs.edits:
        edits = [Replacement(edit.old, edit.new) for edit in inputs.edits]
        return edited(file.text, edits, name=file_name_of(path.name)), ""
    if inputs.text is not None:
        return with_ends_of(inputs.text, file.text), ""
    from desktop.jobs.documents.edit_by_model import edited_by_model

    instructions = inputs.instructions or await _what(context, path)
    return await edited_by_model(context, inputs, path, file.text, instructions)


async def _agreed(context: SharedContext, changes: Changes, proposal: Proposal) -> Change:
    """Write the change down, once its person agrees where they have to."""
    path, after = Path(proposal.path), bytes.fromhex(proposal.after_hex)
    name = file_name_of(path.name)
    file = await asyncio.to_thread(read_text_file, path)
    if file.sha256 != proposal.before:
        raise changed_since(name)
    if telling.must_ask(context.origin, is_planned=context.is_planned):
        change = await asyncio.to_thread(telling.difference, file.content, after, path)
        asking = telling.asking(name, "change", change, hash_of(after))
        telling.check_answer(await context.ask(asking), name)
    _check(context, path)
    return await asyncio.to_thread(
        lambda: changes.begin(
            context.job_id, path, file.content, after, now=time.time(), note=proposal.model
        )
    )


def _check(context: SharedContext, path: Path) -> None:
    """See that a file is one that jobs may change, and still where it was.

    Raises:
        NotAllowed, BadInput: as `place_file`.
    """
    if context.place_file(str(path)) != path:
        raise changed_since(file_name_of(path.name))


def _output(changes: Changes, done: Change) -> EditOutput:
    path = Path(done.path)
    name = file_name_of(path.name)
    made = telling.difference(changes.content(done, BEFORE), changes.content(done, AFTER), path)
    by = f" as {done.note} proposed" if done.note else ""
    return EditOutput(
        headline=f"{name} was changed{by}: {telling.signed(made)}.",
        notes=("It can be taken back for 30 days: /undo.",),
        file=done.path,
        sha256=done.after,
        diff=made.text,
        is_cut=made.is_cut,
        added=made.added,
        removed=made.removed,
        model=done.note,
    )


def _kept(workdir: Path) -> Proposal | None:
    try:
        return Proposal.model_validate_json((workdir / PROPOSAL).read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None


def _keep(workdir: Path, proposal: Proposal) -> None:
    part = workdir / f"{PROPOSAL}.part"
    part.write_text(proposal.model_dump_json(), encoding="utf-8")
    part.replace(workdir / PROPOSAL)


async def _which_file(context: SharedContext) -> str:
    recent = context.recent_files(SUFFIXES, count_max=FILES_OFFERED_MAX)
    return await context.ask(
        Asking(
            key="file",
            kind=QuestionKind.CLARIFICATION,
            text="Which file is to be changed?",
            choices=tuple(
                Choice(value=str(file)[:4000], label=plain_line(file.name)[:LABEL_CHARS_MAX])
                for file in recent
            ),
            allow_text=True,
        )
    )


async def _what(context: SharedContext, path: Path) -> str:
    return await context.ask(
        Asking(
            key="instructions",
            kind=QuestionKind.CLARIFICATION,
            text=f"What is to be changed in {file_name_of(path.name)}?",
            allow_text=True,
        )
    )
