"""What an executor gets from the worker, and all it may use to talk to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from desktop.core.code.rules import CodeRules
from desktop.core.llm.types import Endpoint
from desktop.core.network_rules import NetworkRules
from desktop.core.web.rules import WebRules
from shared.errors import AppError
from shared.ids import JobId, WorkerId
from shared.jobs import Origin
from shared.kinds import JsonObject
from shared.plan import PlanStage, ShownPlan, StepEnded
from shared.questions import Asking


class Context(Protocol):
    """One attempt's door to the world. Every method may be called from the main thread only."""

    job_id: JobId
    workdir: Path
    """Empty folder of this job, kept between its attempts, deleted after it ended well."""

    @property
    def workspace(self) -> Path:
        """Folder of the job's session, for what helps the jobs that follow in it.

        It is there as long as the session lives and jobs of it run, at the same time, too; nothing
        in it may be needed: the next job may find it empty. The job's own folder without a session.
        """

    origin: Origin
    """Where the job was asked for."""
    models_folder: Path
    """Where this machine keeps its trained models."""
    data_folder: Path
    """The worker's own folder of data: transcripts (`transcripts.db`) and `runs/` are in it."""
    folders: tuple[Path, ...]
    """Folders the machine's owner allows, resolved; files elsewhere are refused."""
    profile: Path | None
    """The folder of a profile apart; None for the person's own."""
    session: Mapping[str, str]
    """Variables of the person's session, for kinds of the machine itself; empty for others."""
    memory_bytes_max: int
    """The watchdog ends the child above this; plan to stay below."""
    threads_max: int
    """How many threads numeric libraries may use; OMP_* are set before the child's imports."""

    def progress(
        self,
        stage: str,
        done: float,
        total: float,
        *,
        eta_seconds: float | None = None,
    ) -> None:
        """Tell how far a stage is. Cheap; the worker coalesces to one a second."""

    def log(self, line: str) -> None:
        """Write one line to the job's log, for people."""

    def ask(self, asking: Asking) -> str:
        """Ask a person and wait for the answer's value.

        An answer given to an earlier attempt of this job under the same key returns at once.
        Waiting is no running time. If the question runs out without a default, the child is
        ended here and the job is parked; it starts again when somebody answers.
        """

    @property
    def is_planned(self) -> bool:
        """Whether this job is a step of a plan of this machine's, approved unless it only reads."""

    def find_file(self, name: str) -> Path:
        """Find an allowed file by path or by name; symlinks and ".." are resolved first.

        Raises:
            NotAllowed: `file_outside_folders`.
            NotFound: `file_missing`, with near misses in the hint.
            BadInput: `file_ambiguous`.
        """

    def place_file(self, name: str) -> Path:
        """Say where a file that is to be written is, or would be; nothing is made.

        A name without a folder belongs into the first allowed folder. A file that is there under
        that name, in whatever case, is that file; folders that are missing are still to be made.

        Raises:
            BadInput: `file_name_invalid`, `file_is_folder`, `file_not_plain`.
            NotAllowed: `file_outside_folders`, `folders_none`; `file_guarded` for what is hidden,
                a setting, or the worker's own.
        """

    def check_sending(self) -> None:
        """See, before anything is asked or read, that files may leave for whoever wants them.

        Raises:
            NotAllowed: `sending_refused`.
        """

    def send(self, path: Path, *, name: str = "") -> None:
        """Hand a file over: it leaves once the job has ended well, if the worker lets it.

        Args:
            path: in an allowed folder, or made in `workdir`; read when the job has ended.
            name: what the person sees; the file's own name when empty.

        Raises:
            NotAllowed: `sending_refused`.
        """

    def wrote(self, path: Path) -> None:
        """Tell which file is this job's product, so that "#" and its id name it later."""

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        """List allowed files with these suffixes (".csv"), the newest first."""


class Postponed(Exception):
    """This attempt cannot go on now; it is begun again later and holds nothing until then.

    An executor of a shared kind raises it for what passes by itself: a limit, an overload, a line
    that is down. What it has done so far it finds again in its own store.
    """

    def __init__(self, error: AppError, seconds: float) -> None:
        super().__init__(str(error))
        self.error = error
        """Why, as it is told if the tries are used up."""
        self.seconds = seconds
        """The earliest useful next try, from now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsEnded:
    """How the parts of a job came out, those of this call alone."""

    succeeded: int
    failed: int
    cancelled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one of the person's workers offers."""

    worker_id: WorkerId
    name: str
    is_here: bool
    """It is the worker that this job runs on."""
    is_online: bool
    kinds: tuple[str, ...]
    """Names of kinds it runs now."""


class Closing(Protocol):
    """What the jobs of the shared child keep between them."""

    async def aclose(self) -> None:
        """Leave nothing open; called once, when the child ends by itself."""


Kept = TypeVar("Kept", bound=Closing)


class SharedContext(Protocol):
    """The door of one attempt among many in the shared child; all of it in that child's loop."""

    job_id: JobId
    kind: str
    """The kind of job that this is."""
    origin: Origin
    tries: int
    """How often this attempt was begun before, after it was postponed."""
    data_folder: Path
    """The worker's own folder of data: the transcripts (`transcripts.db`) and `runs/` are in it."""
    folders: tuple[Path, ...]

    @property
    def workdir(self) -> Path:
        """As `Context.workdir`; made when it is first wanted."""

    @property
    def keys(self) -> Mapping[str, str]:
        """Keys of providers by name ("OPENAI_API_KEY"); never to be written or told anywhere.

        In the child of a coding job those of forges are among them
        (`desktop.core.code.forge_keys`).

        As they are now: they may change while the child lives.
        """

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Those of the machine's policy, then the built-in ones; the first of a name counts."""

    @property
    def may_send_text(self) -> bool:
        """Whether the owner lets a file's text go to models elsewhere without being asked."""

    @property
    def network(self) -> NetworkRules:
        """How other machines are reached from here, by the owner's word."""

    @property
    def code(self) -> CodeRules:
        """What the owner says about coding jobs, as it is now."""

    @property
    def web(self) -> WebRules:
        """How the web is searched and read, and where to it may be gone, by the owner's word."""

    def shared(self, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        """Return the one object of a class that all jobs of this child share.

        Made when it is first wanted, closed (`aclose`) when the child ends; the last made first.
        """

    @property
    def workspace(self) -> Path:
        """As `Context.workspace`."""

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        """As `Context.progress`."""

    def log(self, line: str) -> None:
        """As `Context.log`."""

    async def ask(self, asking: Asking) -> str:
        """As `Context.ask`; other jobs of the child go on meanwhile."""

    @property
    def is_planned(self) -> bool:
        """As `Context.is_planned`."""

    def find_file(self, name: str) -> Path:
        """As `Context.find_file`."""

    def place_file(self, name: str) -> Path:
        """As `Context.place_file`."""

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        """As `Context.recent_files`."""

    def wrote(self, path: Path) -> None:
        """As `Context.wrote`."""

    def check_sending(self) -> None:
        """As `Context.check_sending`."""

    def send(self, path: Path, *, name: str = "") -> None:
        """As `Context.send`."""

    async def parts(self, kind: str, inputs: JsonObject, indexes: Sequence[int]) -> PartsEnded:
        """Have one part job per index, with `inputs` and "index"; return when none is open.

        A part that is open, or has ended well, is not made again, so that a job that starts anew
        after a crash may ask for the same; whatever else of its parts is open then is waited for,
        too, so that even with nothing left to ask for it is worth the call: parts that are open
        when their job ends are cancelled. Parts are jobs of this worker, of this job's task,
        session and origin.
        """

    def follow(self, kind: str, inputs: JsonObject) -> None:
        """Have a job made of this kind in the same moment in which this one ends well."""

    async def step(self, number: int, kind: str, inputs: JsonObject, *, title: str) -> StepEnded:
        """Have one part made, of any kind that plans may be made of; return how it came out.

        Several may be wanted at once. The same number asked for again, after a crash, is the same
        part: open, it is waited for; ended well, its output is returned at once; failed, it is
        made anew. This worker keeps it when it runs the kind itself, else the hub finds another of
        the person's workers. What ends badly is an outcome and raises nothing; cancelling the call
        cancels the part.

        Args:
            number: from 0; its own number among all steps of this job.
            kind: with a `Kind.planned`.
            inputs: of that kind.
            title: what people read.
        """

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What this person's workers offer, as far as this one knows; itself first."""

    def show_plan(self, stage: PlanStage, plan: ShownPlan) -> None:
        """Tell the plan to people, as the event `job_planned`.

        Told when its stage changes and, as RUNNING, whenever the state of a step does: the steps of
        `plan` carry their states, so that whoever draws it needs nothing else.
        """
