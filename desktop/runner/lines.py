"""What a child and its worker say to each other: one JSON object a line, typed.

worker → child (standard input): order (first line), answered
child → worker (standard output): progress, logged, asked, handed, wrote, result, failed

The child that many jobs share opens with `shared`. Its jobs' lines are the same ones and some
more, each with the number of its order around it:

worker → child: shared (first), supplied, ping, close; a job's: order, answered, end, parts_ended,
step_ended, offers
child → worker: pong; a job's: all of the above and postponed, parts, follow, step, step_dropped,
planned, left
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter

from desktop.core.code.rules import CodeRules
from desktop.core.llm.types import Endpoint
from desktop.core.network_rules import NetworkRules
from desktop.core.web.rules import WebRules
from shared.errors import ErrorBody
from shared.events import LINE_CHARS_MAX
from shared.ids import JobId, WorkerId
from shared.jobs import TITLE_CHARS_MAX, JobSpec, Origin
from shared.kinds.llm import CELLS_MAX
from shared.late import LateModel
from shared.plan import PlanStage, ShownPlan
from shared.questions import Asking

LINE_BYTES_MAX = 4 * 1024**2
"""One line of a child; results beyond this belong into a file."""
PARTS_MAX = CELLS_MAX
"""Part jobs of one call; more come in further calls."""
WORDS_MAX = 20


class Line(LateModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


STEPS_MAX = 10_000
"""Numbers of one job's steps."""


class Offered(Line):
    """What one of the person's workers offers."""

    worker_id: WorkerId
    name: str
    is_here: bool
    is_online: bool
    kinds: tuple[str, ...]


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
    session: dict[str, str] = Field(default_factory=dict)
    memory_bytes_max: int
    threads_max: int
    may_send: bool = False
    """Whether the owner lets files leave for whoever asked; told so that it need not try."""
    known_files: dict[str, str] = Field(default_factory=dict)
    """Files that are named by the job that wrote them ("#…"), and their paths."""
    traceparent: str = Field(default="", max_length=64)
    """The attempt's place in its trace; the job's own stands in `spec`."""
    attempt: int = Field(default=0, ge=0)
    worker_id: str = ""
    is_timed: bool = False
    """Whether somebody collects spans of what it does."""
    is_quiet: bool = False
    """Parts are many: that one begins is no line in a log."""
    tries: int = Field(default=0, ge=0)
    """How often this attempt was begun before, after it was postponed."""
    is_planned: bool = False
    """Whether it is a step of a plan in this worker's own hands."""
    offers: tuple[Offered, ...] = ()
    """What the person's workers offer, for a job that has steps."""


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
    words: tuple[str, ...] = Field(default=(), max_length=WORDS_MAX)
    """What it would have written to standard error, in a child that many jobs share."""


class Shared(Line):
    """This child is the one that many jobs share; orders follow."""

    type: Literal["shared"] = "shared"
    memory_bytes_max: int


class Supplied(Line):
    """What all jobs of the child work with; told before the first order, and when it changed."""

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["supplied"] = "supplied"
    keys: dict[str, str] = Field(default_factory=dict, repr=False)
    """Keys of providers, by name; a coding job's child gets those of forges, too."""
    endpoints: tuple[Endpoint, ...] = ()
    send_text: tuple[Origin, ...] = ()
    """For whom a file's text may go to a model elsewhere without a question."""
    network: NetworkRules = Field(default=NetworkRules(), repr=False)
    code: CodeRules = CodeRules()
    """What the owner says about coding jobs."""
    web: WebRules = WebRules()
    """How the web is searched and read."""


class Close(Line):
    """No order comes any more: end, and leave nothing open."""

    type: Literal["close"] = "close"


class Ping(Line):
    """Is your loop well?"""

    type: Literal["ping"] = "ping"


class Pong(Line):
    """It is: whatever the jobs do, each gets its turn."""

    type: Literal["pong"] = "pong"


class End(Line):
    """Stop this job; the others go on."""

    type: Literal["end"] = "end"


class PartsOver(Line):
    """None of the parts that a job asked for is open any more."""

    type: Literal["parts_ended"] = "parts_ended"
    succeeded: int = Field(ge=0)
    failed: int = Field(ge=0)
    cancelled: int = Field(ge=0)


class Parts(Line):
    """The job wants one part job per index, and waits until none of them is open."""

    type: Literal["parts"] = "parts"
    kind: str = Field(max_length=100)
    inputs: dict[str, JsonValue]
    indexes: tuple[int, ...] = Field(max_length=PARTS_MAX)


class StepLine(Line):
    """The job wants a part of some kind, and waits for it; several at once, by their numbers."""

    type: Literal["step"] = "step"
    number: int = Field(ge=0, lt=STEPS_MAX)
    kind: str = Field(max_length=100)
    inputs: dict[str, JsonValue]
    title: str = Field(max_length=TITLE_CHARS_MAX)


class StepDropped(Line):
    """The job waits for a step no more: it is to be stopped."""

    type: Literal["step_dropped"] = "step_dropped"
    number: int = Field(ge=0, lt=STEPS_MAX)


class StepOver(Line):
    """How a step that a job waits for came out."""

    type: Literal["step_ended"] = "step_ended"
    number: int
    job_id: JobId
    state: Literal["succeeded", "failed", "cancelled"]
    output: dict[str, JsonValue] | None = None
    error: str = ""
    code: str = ""
    seconds: float = 0.0


class Offers(Line):
    """What the person's workers offer has changed."""

    type: Literal["offers"] = "offers"
    offers: tuple[Offered, ...]


class Planned(Line):
    """The job tells people its plan."""

    type: Literal["planned"] = "planned"
    stage: PlanStage
    plan: ShownPlan


class Follow(Line):
    """When this job ends well, a job of this kind is made in the same moment."""

    type: Literal["follow"] = "follow"
    kind: str = Field(max_length=100)
    inputs: dict[str, JsonValue]


class PostponedLine(Line):
    """The job cannot go on now; it wants to be begun again later."""

    type: Literal["postponed"] = "postponed"
    error: ErrorBody
    seconds: float = Field(ge=0)


class Left(Line):
    """The job was stopped and is over, without a word of its own."""

    type: Literal["left"] = "left"


ToChild = Order | Shared | Answered
FromChild = (
    Progressed | Logged | Asked | Handed | Wrote | Result | Failed | Parts | Follow | StepLine
    | StepDropped | Planned
)  # fmt: skip
FromShared = FromChild | PostponedLine | Left
ToRunning = Answered | End | PartsOver | StepOver | Offers
"""What is said to a job of the shared child that runs."""


class ToJob(Line):
    """A line for one job of the shared child."""

    type: Literal["job"] = "job"
    number: int
    """Of its order, counted by the worker as long as the child lives."""
    line: Annotated[Order | ToRunning, Field(discriminator="type")]


class FromJob(Line):
    """A line of one job of the shared child."""

    type: Literal["job"] = "job"
    number: int
    line: Annotated[FromShared, Field(discriminator="type")]


ToShared = Supplied | Ping | Close | ToJob

LATE = ConfigDict(defer_build=True)
"""No process reads all of these."""
TO_CHILD: TypeAdapter[ToChild] = TypeAdapter(
    Annotated[ToChild, Field(discriminator="type")], config=LATE
)
FROM_CHILD: TypeAdapter[FromChild] = TypeAdapter(
    Annotated[FromChild, Field(discriminator="type")], config=LATE
)
FROM_SHARED: TypeAdapter[FromJob | Pong] = TypeAdapter(
    Annotated[FromJob | Pong, Field(discriminator="type")], config=LATE
)
TO_SHARED: TypeAdapter[ToShared] = TypeAdapter(
    # A line that does not fit is told without what is in it: keys may be.
    Annotated[ToShared, Field(discriminator="type")],
    config=ConfigDict(hide_input_in_errors=True, defer_build=True),
)


def write(line: Line) -> bytes:
    return line.model_dump_json().encode() + b"\n"
