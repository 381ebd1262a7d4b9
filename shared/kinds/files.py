"""Files of a machine: handed over, looked into, read, written, changed, and changes taken back."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.kinds import FILE_HELP, Inputs, Kind, Output
from shared.kinds.llm import LOCAL_HELP, MODEL_HELP, ModelName
from shared.plan import OutputType, Permission, PlanFace

_FILE_HELP = FILE_HELP + ' Or "#" and the id of a job: the file that job wrote there.'
NAME_CHARS_MAX = 4096
PATTERN_CHARS_MAX = 100
READ_CHARS_MAX = 40_000
"""Of one result; a longer text is read in parts."""
READ_CHARS_DEFAULT = 20_000
READ_FILES_MAX = 50
LISTED_MAX = 200
WRITE_CHARS_MAX = 1_000_000
EDITS_MAX = 100
DIFF_CHARS_MAX = 20_000
SHA256 = r"^[0-9a-f]{64}$"

FormatName = Literal["md", "txt", "docx", "pdf", "csv", "json"]


class SendInputs(Inputs):
    file: str | None = Field(default=None, description=_FILE_HELP)


class SendOutput(Output):
    pass


class HeadInputs(Inputs):
    file: str | None = Field(default=None, description=_FILE_HELP)


class HeadOutput(Output):
    pass


class ReadInputs(Inputs):
    file: str | None = Field(default=None, max_length=NAME_CHARS_MAX, description=_FILE_HELP)
    folder: str | None = Field(
        default=None,
        max_length=NAME_CHARS_MAX,
        description="Instead of one file: an allowed folder, or one below it.",
    )
    pattern: str = Field(
        default="*",
        max_length=PATTERN_CHARS_MAX,
        description="Which files of the folder, as in *.md; those of folders below it, too.",
    )
    start: int = Field(default=0, ge=0, description="The first character, for a text in parts.")
    chars_max: int = Field(
        default=READ_CHARS_DEFAULT, ge=1, le=READ_CHARS_MAX, description="Characters at most."
    )


class FileText(BaseModel):
    """What was read of one file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    """Below the allowed folder it is in, with that folder's name."""
    sort: str
    """text, table, pdf, docx, xlsx or pptx."""
    chars: int = Field(ge=0)
    """Of its whole text."""


class ReadOutput(Output):
    text: str
    """Of several files: each under a line with its name."""
    read: tuple[FileText, ...] = Field(default=(), max_length=READ_FILES_MAX)
    next_start: int | None = None
    """Where to go on; None at the end."""


class ListInputs(Inputs):
    folder: str | None = Field(
        default=None,
        max_length=NAME_CHARS_MAX,
        description="An allowed folder, or one below it; all allowed folders when left out.",
    )
    pattern: str = Field(
        default="*", max_length=PATTERN_CHARS_MAX, description="Which files, as in *.pdf."
    )


class ListedFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    """Below the allowed folder it is in, with that folder's name."""
    size_bytes: int = Field(ge=0)
    changed: str
    """The day, "2026-11-21", in the machine's own zone."""


class ListOutput(Output):
    entries: tuple[ListedFile, ...] = Field(default=(), max_length=LISTED_MAX)
    """The newest first."""
    total: int = Field(default=0, ge=0)


class WriteInputs(Inputs):
    file: str | None = Field(
        default=None,
        max_length=NAME_CHARS_MAX,
        description="The name of the document, or its path in an allowed folder.",
    )
    text: str | None = Field(
        default=None, max_length=WRITE_CHARS_MAX, description="What is in it; Markdown."
    )
    format: FormatName | None = Field(
        default=None, description="By the name's ending when left out; md when it has none."
    )
    overwrite: bool = Field(
        default=False,
        description="Take the place of a file of that name; else a free name beside it is taken.",
    )


class WriteOutput(Output):
    file: str
    """Its path on the worker."""
    sha256: str = Field(pattern=SHA256)
    size_bytes: int = Field(ge=0)
    is_new: bool = True
    added: int = Field(default=0, ge=0)
    """Lines; of a document that is no plain text, those of its Markdown."""
    removed: int = Field(default=0, ge=0)


def _told_edits(value: object) -> object:
    """Take JSON as people and plans write it for the list that it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


class Edit(BaseModel):
    """One exact replacement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old: str = Field(min_length=1, max_length=WRITE_CHARS_MAX)
    """Stands exactly once in the file."""
    new: str = Field(max_length=WRITE_CHARS_MAX)


class EditInputs(Inputs):
    file: str | None = Field(default=None, max_length=NAME_CHARS_MAX, description=_FILE_HELP)
    edits: Annotated[tuple[Edit, ...] | None, BeforeValidator(_told_edits)] = Field(
        default=None,
        max_length=EDITS_MAX,
        description='Exact replacements: [{"old": "…", "new": "…"}]; each old stands once.',
    )
    text: str | None = Field(
        default=None, max_length=WRITE_CHARS_MAX, description="The whole new text, instead."
    )
    instructions: str | None = Field(
        default=None, max_length=20_000, description="What a model is to change, instead."
    )
    model: ModelName | None = Field(default=None, description=MODEL_HELP)
    local: bool = Field(default=False, description=LOCAL_HELP)


class ChangeOutput(Output):
    """What became of a file, as a unified diff."""

    file: str
    """Its path on the worker."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """Of the file now; empty when it is gone."""
    diff: str = Field(default="", max_length=2 * DIFF_CHARS_MAX)
    is_cut: bool = False
    """The diff is longer than what is told."""
    added: int = Field(default=0, ge=0)
    removed: int = Field(default=0, ge=0)


class EditOutput(ChangeOutput):
    model: str = ""
    """The one that made the change, "endpoint:model"; empty when none did."""


class UndoInputs(Inputs):
    file: str | None = Field(
        default=None,
        max_length=NAME_CHARS_MAX,
        description='"#" and the id of the job whose change is taken back, or the file itself: '
        "its last change here.",
    )


class UndoOutput(ChangeOutput):
    undone: str = ""
    """Id of the job whose change was taken back."""


_A_FILE = "A path in an allowed folder, or a file name that is found there."
KINDS = (
    Kind(
        name="files.send",
        summary="Send a file of this machine into the chat: /send FILE",
        inputs=SendInputs,
        output=SendOutput,
        idempotent=True,
        timeout_seconds=600,
    ),
    Kind(
        name="files.head",
        summary="Show the first rows of a table as text",
        inputs=HeadInputs,
        output=HeadOutput,
        idempotent=True,
        timeout_seconds=600,
    ),
    Kind(
        name="files.list",
        summary="List the files of a folder: /files FOLDER",
        inputs=ListInputs,
        output=ListOutput,
        idempotent=True,
        timeout_seconds=60,
        planned=PlanFace(
            permission=Permission.READ,
            takes={
                "folder": "An allowed folder, or one below it; all of them when left out.",
                "pattern": "Which files, as in *.pdf.",
            },
            gives={"entries": OutputType.JSON},
        ),
    ),
    Kind(
        name="files.read",
        summary="Read a file as text, documents too: /read FILE",
        inputs=ReadInputs,
        output=ReadOutput,
        idempotent=True,
        timeout_seconds=600,
        named_by=("file", "folder", "pattern"),
        planned=PlanFace(
            permission=Permission.READ,
            takes={
                "file": _A_FILE,
                "folder": "Instead of one file: an allowed folder, or one below it.",
                "pattern": "With a folder: which of its files, as in *.md.",
                "chars_max": f"How many characters at most, up to {READ_CHARS_MAX}.",
            },
            gives={"text": OutputType.TEXT},
        ),
    ),
    Kind(
        name="files.write",
        summary="Write a document from Markdown: md, txt, docx, pdf, csv or json: /write FILE TEXT",
        inputs=WriteInputs,
        output=WriteOutput,
        idempotent=True,
        resumable=True,
        timeout_seconds=600,
        named_by=("file",),
        planned=PlanFace(
            permission=Permission.WRITE,
            takes={
                "file": "The name of the document, with its ending.",
                "text": "What is in it, in Markdown; outputs of several steps may fill it.",
                "format": "md, txt, docx, pdf, csv or json; by the name's ending when left out.",
                "overwrite": "true to take the place of a file of that name.",
            },
            named=("file", "format", "overwrite"),
            gives={"file": OutputType.FILE},
            joins=("text",),
        ),
    ),
    Kind(
        name="files.edit",
        summary="Change a text file, by exact replacements or as a model is told: /edit FILE WORDS",
        inputs=EditInputs,
        output=EditOutput,
        # What was written is known by its hash: a second run finds it done.
        idempotent=True,
        resumable=True,
        timeout_seconds=3600,
        takes_slot=False,
        is_shared=True,
        named_by=("file", "instructions"),
        words_input="instructions",
        planned=PlanFace(
            permission=Permission.WRITE,
            words="instructions",
            takes={
                "file": "The text file that is changed.",
                "text": "The whole new text, when a step before has written it.",
            },
            named=("file",),
            gives={"file": OutputType.FILE, "diff": OutputType.TEXT},
            uses_model=True,
        ),
    ),
    Kind(
        name="files.undo",
        summary="Take back what a job wrote or changed in a file: /undo",
        inputs=UndoInputs,
        output=UndoOutput,
        idempotent=True,
        resumable=True,
        timeout_seconds=60,
    ),
)
