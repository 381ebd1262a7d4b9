"""What `llm.ask` is to do: what was said with the request, and questions for what was not.

A file's text goes to a model elsewhere only when its person says so, or the machine's owner has
said it for good.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from desktop.core.llm.asking import Task, fields_in
from desktop.core.llm.types import Model
from desktop.jobs.context import SharedContext
from desktop.jobs.llm.choosing import chosen_model
from shared.errors import BadInput, LimitReached, NotAllowed, NotFound
from shared.kinds.llm import AskInputs
from shared.plain_text import plain_line
from shared.questions import Asking, Choice, QuestionKind

FILE_BYTES_MAX = 8 * 1024**2
TEXT_CHARS_MAX = 4_000_000
SUFFIXES = (".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".yaml", ".log", ".html", ".xml")
FILES_OFFERED_MAX = 8
LABEL_CHARS_MAX = 200
YES, NO = "yes", "no"

_TASKS = (
    Choice(value=Task.SUMMARIZE, label="Summarize"),
    Choice(value=Task.ANALYZE, label="Analyze"),
    Choice(value=Task.REASON, label="Answer a question"),
    Choice(value=Task.EXTRACT, label="Extract values"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that is needed to ask."""

    task: Task
    model: Model
    text: str = ""
    """The material; empty for a question on its own."""
    name: str = ""
    """Of the file that the text is of; empty for text that came with the request."""
    question: str = ""
    fields: tuple[str, ...] = ()


async def wanted(context: SharedContext, inputs: AskInputs) -> Wanted:
    """Find out what is wanted; ask for what is missing.

    Raises:
        LlmFault: UNSUPPORTED_PROVIDER.
        NotAllowed: `file_outside_folders`, `sending_refused`.
        NotFound: `file_missing`, `models_none`.
        BadInput: `file_binary`, `file_empty`, `file_ambiguous`, `fields_missing`.
        LimitReached: `file_too_large`.
    """
    task = Task(inputs.task) if inputs.task else None
    question, text = (inputs.question or "").strip(), inputs.text or ""
    file: Path | None = None
    if inputs.file is None and not text and _is_text_itself(task, question):
        text, question = question, ""
    if inputs.file is not None or (not text and not question):
        file = context.find_file(inputs.file or await _which_file(context))
        text = await asyncio.to_thread(read_text, file)
    if task is None:
        task = Task.REASON if question else await _which_task(context)
    if task is Task.REASON and not question:
        question = await _which_question(context)
    fields = await _fields(context, task, inputs.fields, question)
    if task is Task.EXTRACT and inputs.fields is None:
        question = ""
    model = await chosen_model(context, inputs.model, is_local=inputs.local)
    if file is not None:
        await _check_sending(context, model, file, text)
    name = file.name if file else ""
    return Wanted(task=task, model=model, text=text, name=name, question=question, fields=fields)


def _is_text_itself(task: Task | None, question: str) -> bool:
    """Without a file, what follows "/ask summarize" is the text."""
    return bool(question) and task in (Task.SUMMARIZE, Task.ANALYZE)


def read_text(file: Path) -> str:
    """Read a file as text, whatever its encoding.

    Raises:
        BadInput: `file_binary`, `file_empty`.
        LimitReached: `file_too_large`.
        NotFound: `file_missing`.
    """
    from desktop.jobs.data.encoding import encoding_of, fingerprint

    try:
        size = file.stat().st_size
        if size > FILE_BYTES_MAX:
            raise LimitReached(
                "file_too_large",
                f"{file.name} has {size / 1e6:,.1f} MB; at most {FILE_BYTES_MAX / 1e6:.0f} MB can "
                "be put to a model.",
                "Choose a smaller one, or a part of it.",
            )
        encoding = encoding_of(fingerprint(file), file.name)
        text = file.read_bytes().decode(encoding, errors="replace")
    except OSError as error:
        raise NotFound(
            "file_missing",
            f"{file.name} cannot be read ({error.strerror}).",
            "Check its name and who may read it.",
        ) from error
    if not text.strip():
        raise BadInput("file_empty", f"{file.name} has no text in it.", "Choose another file.")
    if len(text) > TEXT_CHARS_MAX:
        raise LimitReached(
            "file_too_large",
            f"{file.name} has {len(text):,} characters; at most {TEXT_CHARS_MAX:,} can be put to a"
            " model.",
            "Choose a smaller one, or a part of it.",
        )
    return text


async def _which_file(context: SharedContext) -> str:
    recent = context.recent_files(SUFFIXES, count_max=FILES_OFFERED_MAX)
    choices = tuple(
        Choice(value=str(file)[:4000], label=plain_line(file.name)[:LABEL_CHARS_MAX])
        for file in recent
    )
    return await context.ask(
        Asking(
            key="file",
            kind=QuestionKind.CLARIFICATION,
            text="Which file?" if choices else "Which file? Its name, in a folder you allow.",
            choices=choices,
            allow_text=True,
        )
    )


async def _which_task(context: SharedContext) -> Task:
    return Task(
        await context.ask(
            Asking(
                key="task",
                kind=QuestionKind.CHOICE,
                text="What is to be done with it?",
                choices=_TASKS,
            )
        )
    )


async def _which_question(context: SharedContext) -> str:
    asking = Asking(
        key="question",
        kind=QuestionKind.CLARIFICATION,
        text="What do you want to know?",
        allow_text=True,
    )
    return await context.ask(asking)


async def _fields(
    context: SharedContext, task: Task, given: tuple[str, ...] | None, question: str
) -> tuple[str, ...]:
    """Return what is to be extracted: what follows "/ask extract" names it, too."""
    if task is not Task.EXTRACT:
        return ()
    fields = fields_in("\n".join(given)) if given is not None else fields_in(question)
    if not fields:
        asking = Asking(
            key="fields",
            kind=QuestionKind.CLARIFICATION,
            text="What is to be looked for? Write names with commas between them.",
            allow_text=True,
        )
        fields = fields_in(await context.ask(asking))
    if not fields:
        raise BadInput(
            "fields_missing", "There is nothing to look for.", "Name it, as in: sum, date, sender"
        )
    return fields


async def _check_sending(context: SharedContext, model: Model, file: Path, text: str) -> None:
    name = plain_line(file.name)[:LABEL_CHARS_MAX]
    await check_leaving(context, model, f"The text of {name} ({len(text):,} characters)", name)


async def check_leaving(context: SharedContext, model: Model, what: str, name: str) -> None:
    """Have the person say that what is read from a file may leave this machine.

    Args:
        context: of the job.
        model: that is to read it.
        what: begins the sentence that they are asked, "The text of a.txt (12 characters)".
        name: of the file.

    Raises:
        NotAllowed: `sending_refused`.
    """
    if model.endpoint.is_local or context.may_send_text:
        return
    place = model.endpoint.label or model.endpoint.name
    host = urlsplit(model.endpoint.base_url).hostname or ""
    answer = await context.ask(
        Asking(
            key="may_send",
            kind=QuestionKind.APPROVAL,
            text=f"{what} would leave this machine for {place} ({host}). May it?",
            choices=(Choice(value=YES, label="Yes, this once"), Choice(value=NO, label="No")),
        )
    )
    if answer != YES:
        raise NotAllowed(
            "sending_refused",
            f"{name} was not sent to {place}.",
            "A model on this machine may read it: name one, as in model=local:tiny.",
        )
