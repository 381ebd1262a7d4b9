"""Job kinds: what each takes, what it gives back, and what a worker may do with a second try.

Only words live here. The executor of a kind is named by the desktop (`desktop.jobs`) and is
imported in the child process alone; the hub knows a kind without being able to run it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from shared.errors import BadInput
from shared.late import LateModel
from shared.plain_text import plain_line
from shared.plan import PlanFace

JsonObject = dict[str, JsonValue]
SENDS_MAX = 10
"""Files one job may hand over."""
FILE_BYTES_MAX = 50 * 1000 * 1000
"""One file on its way into a chat; Telegram takes no larger one from a bot (Bot API, sendDocument).
"""
FILE_NAME_CHARS_MAX = 200
EVERY_PLANNED = "*"
"""Among the kinds that a kind may have made: all that plans are made of."""
FILE_HELP = "A path in an allowed folder, or a file name that is found there."


class Inputs(LateModel):
    """Inputs of a kind. Every field has a default: what is missing becomes a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def file_name_of(text: str) -> str:
    """Make a name that is safe to show and to save: no folder, nothing that acts, not too long."""
    shown = plain_line(text).replace("/", "\ufffd").replace("\\", "\ufffd").strip(" .")
    if len(shown) > FILE_NAME_CHARS_MAX:
        stem, dot, ending = shown.rpartition(".")
        tail = dot + ending if stem and len(ending) <= 10 else ""
        shown = (shown[: FILE_NAME_CHARS_MAX - len(tail)] + tail).strip(" .")
    return shown or "file"


def _checked_name(name: str) -> str:
    if file_name_of(name) != name:
        raise ValueError("is no plain file name")
    return name


class FileRef(BaseModel):
    """A file that a job hands over; its content travels apart from the result."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, AfterValidator(_checked_name)]
    """Without a folder; see `file_name_of`."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the content."""
    size_bytes: int = Field(ge=0, le=FILE_BYTES_MAX)
    media_type: str = Field(
        default="application/octet-stream", pattern=r"^[a-z]+/[a-z0-9.+-]{1,80}$"
    )


class Output(LateModel):
    """Result of a kind: the sentences a person reads, then the typed facts of its subclass."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    headline: str
    """One sentence that could stand alone in a chat."""
    notes: tuple[str, ...] = ()
    """Further sentences, the most useful first; a leading "⚠ " marks a warning."""
    files: tuple[str, ...] = ()
    """Names (not paths) of files the job wrote for the person; they stay on the worker."""
    sends: tuple[FileRef, ...] = Field(default=(), max_length=SENDS_MAX)
    """Files that leave the worker because a person asked for them. The worker fills this in from
    what its policy let pass; what an executor writes here does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of job."""

    name: str
    """Dotted: family.verb, as in "ml.train"."""
    summary: str
    """What it does, as help text."""
    inputs: type[Inputs]
    output: type[Output]
    idempotent: bool
    """A second run harms nothing: after a crash it is granted again without asking."""
    resumable: bool = False
    """A second run continues from what the first left in its workdir."""
    timeout_seconds: float
    """The child is stopped after this much running time (time spent asking not counted)."""
    retries: bool = True
    """Whether retryable failures are tried again by themselves."""
    takes_slot: bool = True
    """Whether it fills one of its machine's slots; what mostly waits for others takes none."""
    makes: tuple[str, ...] = ()
    """The kinds of the jobs that one of this kind may have made: as its parts, or after it. "*"
    stands for all that plans are made of."""
    is_shared: bool = False
    """Run as a coroutine in the one long-lived child that all such kinds of a worker share."""
    is_apart: bool = False
    """With `is_shared`: a coroutine like those, in a child of its own that ends with it."""
    named_by: tuple[str, ...] = ()
    """The inputs that name such a job in lists, in their order; all that are text when empty."""
    is_named_by_words: bool = False
    """Its words alone are its title, without the verb."""
    words_input: str = ""
    """The input that plain words about such a job fill, when somebody goes on with it: the other
    inputs are taken over. Empty when words alone do not say what comes next."""
    carries: tuple[str, ...] = ()
    """Results that are inputs of the same name for whoever goes on with such a job by words."""
    names_needs: tuple[str, ...] = ()
    """Inputs whose words are what its worker must have: names of tools, or specializations. One
    that is yes or no, and is yes, means the tool of its own name."""
    is_for_fleet: bool = False
    """Whether machines of the hub's owner may run it: it needs no folder of its person's, and no
    log of the worker's."""
    home_inputs: tuple[str, ...] = ()
    """With `is_for_fleet`: inputs that name something on the person's own computers. A job in which
    one is set stays there."""
    is_offered: bool = True
    """Whether people are offered it; what only other work asks for is not."""
    planned: PlanFace | None = None
    """What it is in a plan; None for what plans are not made of."""

    @property
    def may_repeat(self) -> bool:
        """Whether a job of it may be given out again though nobody knows if it has begun."""
        return self.idempotent or self.resumable

    @property
    def has_steps(self) -> bool:
        """Whether a job of it has steps: parts of all kinds that plans are made of."""
        return EVERY_PLANNED in self.makes


FAULTS_SHOWN_MAX = 3
NEEDS_MAX = 16


def needs_named(kind: Kind, inputs: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Return what a job's worker must have because the job's inputs name it, in small letters."""
    words: list[str] = []
    for name in kind.names_needs:
        told = inputs.get(name)
        several = told if isinstance(told, list | tuple) else [told]
        words += [word.strip().casefold() for word in several if isinstance(word, str)]
        words += [name] if told is True else []
    return tuple(dict.fromkeys(word for word in words if word))[:NEEDS_MAX]


def parse_inputs(kind: Kind, raw: Mapping[str, JsonValue]) -> Inputs:
    """Check raw inputs against their kind.

    Raises:
        BadInput: `inputs_invalid`, naming the fields that are wrong.
    """
    try:
        return kind.inputs.model_validate(dict(raw))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'input'}: {fault['msg']}"
            for fault in error.errors(include_url=False)[:FAULTS_SHOWN_MAX]
        )
        known = ", ".join(kind.inputs.model_fields)
        raise BadInput(
            "inputs_invalid",
            f"{kind.name} cannot take these inputs: {faults}.",
            f"It takes: {known}." if known else "It takes no inputs.",
        ) from None
