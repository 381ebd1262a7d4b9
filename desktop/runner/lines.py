"""What a child and its worker say to each other: one JSON object a line, typed.

worker → child (standard input): order (first line), answered
child → worker (standard output): progress, logged, asked, handed, wrote, result, failed
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from shared.errors import ErrorBody
from shared.events import LINE_CHARS_MAX
from shared.jobs import JobSpec
from shared.questions import Asking

LINE_BYTES_MAX = 4 * 1024**2
"""One line of a child; results beyond this belong into a file."""


class Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Order(Line):
    """All a child needs to begin; written only after `job_started` is committed."""

    type: Literal["order"] = "order"
    spec: JobSpec
    executor: str
    """ "module:function"."""
    kinds_at: str
    """ "module:attribute" of the kinds' mapping."""
    workdir: str
    workspace: str
    """The folder of the job's session; not made yet, maybe."""
    models_folder: str
    data_folder: str = ""
    """The worker's own folder of data, where transcripts and the results of runs stand."""
    folders: tuple[str, ...]
    profile: str = ""
    """The folder of a profile apart."""
    session: dict[str, str] = {}
    memory_bytes_max: int
    threads_max: int
    may_send: bool = False
    """Whether the owner lets files leave for whoever asked; told so that it need not try."""
    known_files: dict[str, str] = Field(default_factory=dict)
    """Files that are named by the job that wrote them ("#…"), and their paths."""


class Answered(Line):
    type: Literal["answered"] = "answered"
    key: str
    value: str


class Progressed(Line):
    type: Literal["progress"] = "progress"
    stage: str = Field(max_length=200)
    done: float = Field(ge=0)
    total: float = Field(ge=0)
    eta_seconds: float | None = Field(default=None, ge=0)


class Logged(Line):
    type: Literal["logged"] = "logged"
    line: str = Field(max_length=LINE_CHARS_MAX)


class Asked(Line):
    type: Literal["asked"] = "asked"
    asking: Asking


class Handed(Line):
    """It wants a file to leave for its person; the worker decides once the child is gone."""

    type: Literal["handed"] = "handed"
    path: str = Field(max_length=4096)
    name: str = Field(default="", max_length=255)


class Wrote(Line):
    """It wrote a file for its person, who may ask for it by the job's id."""

    type: Literal["wrote"] = "wrote"
    path: str = Field(max_length=4096)


class Result(Line):
    type: Literal["result"] = "result"
    output: dict[str, JsonValue]


class Failed(Line):
    type: Literal["failed"] = "failed"
    error: ErrorBody


ToChild = Order | Answered
FromChild = Progressed | Logged | Asked | Handed | Wrote | Result | Failed

TO_CHILD: TypeAdapter[ToChild] = TypeAdapter(Annotated[ToChild, Field(discriminator="type")])
FROM_CHILD: TypeAdapter[FromChild] = TypeAdapter(Annotated[FromChild, Field(discriminator="type")])


def write(line: ToChild | FromChild) -> bytes:
    return line.model_dump_json().encode() + b"\n"
