"""Coding work orders: change or review a repository on the person's own machine, in a sandbox.

The agent's word counts for nothing: the worker runs the tests, looks at the change and delivers it,
as far as the permission level allows. A change stays on the machine until somebody asks for it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.kinds import Inputs, Kind, Output
from shared.kinds.llm import LOCAL_HELP, ModelName, UsageFacts
from shared.plan import OutputType, Permission, PlanFace

INSTRUCTIONS_CHARS_MAX = 20_000
REPOSITORY_CHARS_MAX = 2000
REF_CHARS_MAX = 200
TEST_COMMAND_CHARS_MAX = 2000
FILES_SHOWN_MAX = 200
FINDINGS_MAX = 100
DIFF_CHARS_MAX = 200_000
MINUTES_MAX = 8 * 60.0
AGENT_CHARS_MAX = 50

REPOSITORY_HELP = "A folder in an allowed folder, or the URL of a repository its owner allows."


class Level(StrEnum):
    """How much a job may do without asking its person. The worker's policy caps it."""

    AUTONOMOUS = "autonomous"
    """Just do it; only in a sandbox."""
    SUPERVISED = "supervised"
    """Ask before effects that leave the workspace: network, push, pull request."""
    HUMAN_REQUIRED = "human_required"
    """Ask before starting, too."""

    @property
    def rank(self) -> int:
        """0 asks least."""
        return list(Level).index(self)


class Delivery(StrEnum):
    """What is done with a change that was accepted."""

    PULL_REQUEST = "pull_request"
    """Push a branch and open a pull request, or update the one that is open."""
    BRANCH = "branch"
    """Push a branch."""
    KEEP = "keep"
    """Leave the branch in the machine's own copy."""


class CodeInputs(Inputs):
    """A work order."""

    repository: str | None = Field(
        default=None, max_length=REPOSITORY_CHARS_MAX, description=REPOSITORY_HELP
    )
    instructions: str | None = Field(
        default=None, max_length=INSTRUCTIONS_CHARS_MAX, description="What is to be done."
    )
    base: str | None = Field(
        default=None,
        max_length=REF_CHARS_MAX,
        description="The branch to start from; the repository's own when left out.",
    )
    branch: str | None = Field(
        default=None,
        max_length=REF_CHARS_MAX,
        pattern=r"^deskhand/[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Go on with this branch of an earlier job, and its pull request.",
    )
    """Also when the session of that job is over: the mirror, or the remote, has the branch. What is
    shown and delivered is the whole change from `base`."""
    test_command: str | None = Field(
        default=None,
        max_length=TEST_COMMAND_CHARS_MAX,
        description="How the tests are run; found when left out. Run in the sandbox alone.",
    )
    local: bool = Field(default=False, description=LOCAL_HELP)
    level: Level | None = Field(
        default=None,
        description="autonomous, supervised or human_required; by the kind if not said.",
    )
    delivery: Delivery | None = Field(
        default=None, description="pull_request, branch or keep; asked or by the level if not said."
    )
    agent: str | None = Field(
        default=None,
        max_length=AGENT_CHARS_MAX,
        pattern=r"^[a-z][a-z0-9_-]*$",
        description="Which agent: builtin, claude, codex, gemini, opencode, qwen, goose, ...",
    )
    model: ModelName | None = Field(
        default=None,
        description="A model, as in openai:gpt-5-mini; the owner's choice if not said.",
    )
    specializations: tuple[str, ...] = Field(
        default=(), max_length=8, description="What the worker should be good at: python, rust, ..."
    )
    tokens_max: int | None = Field(
        default=None,
        ge=1000,
        le=1_000_000_000,
        title="Tokens, at most",
        description="Those that models read and write, together.",
    )
    cost_usd_max: float | None = Field(
        default=None, gt=0, le=10_000, title="US dollars, at most", description="What models cost."
    )
    minutes_max: float | None = Field(
        default=None,
        gt=0,
        le=MINUTES_MAX,
        title="Minutes, at most",
        description="Of work; time spent asking is not counted.",
    )


class FileFacts(BaseModel):
    """One file of a change."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str = Field(max_length=500)
    """For people: shortened and without control characters."""
    what: Literal["added", "changed", "deleted", "renamed"] = "changed"
    added: int = Field(default=0, ge=0)
    """Lines; 0 for a binary file."""
    removed: int = Field(default=0, ge=0)
    is_binary: bool = False


class SuiteFacts(BaseModel):
    """One run of the tests, as the worker saw it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    command: str = ""
    is_good: bool | None = None
    """By the exit status; None when there were none to run."""
    passed: int | None = None
    failed: int | None = None
    """None when the output tells no numbers."""
    seconds: float = Field(default=0.0, ge=0)


class Finding(BaseModel):
    """One thing a review found."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str = Field(max_length=500)
    line: int | None = Field(default=None, ge=1)
    severity: Literal["high", "medium", "low", "note"] = "medium"
    message: str = Field(max_length=2000)
    suggestion: str = Field(default="", max_length=2000)


class CodeOutput(Output):
    repository: str = ""
    """As a work order can name it again; without user and password."""
    base: str = ""
    branch: str = ""
    """Empty when nothing was changed."""
    commit: str = ""
    """Full hexadecimal name."""
    is_pushed: bool = False
    url: str = ""
    """Of the pull request, or of the page that compares the branch."""
    agent: str = ""
    model: str = ""
    level: Level | None = None
    files_changed: tuple[FileFacts, ...] = Field(default=(), max_length=FILES_SHOWN_MAX)
    files_total: int = Field(default=0, ge=0)
    added: int = Field(default=0, ge=0)
    removed: int = Field(default=0, ge=0)
    tests_before: SuiteFacts | None = None
    tests_after: SuiteFacts | None = None
    findings: tuple[Finding, ...] = Field(default=(), max_length=FINDINGS_MAX)
    questions: int = Field(default=0, ge=0)
    """How many questions a person answered on the way."""
    usage: UsageFacts = UsageFacts()
    cost_usd: float | None = None
    seconds: float = Field(default=0.0, ge=0)
    sandbox: str = ""


class DiffInputs(Inputs):
    job: str | None = Field(
        default=None, max_length=64, description="Whose change: a job's id, or four characters."
    )
    file: str | None = Field(default=None, max_length=500, description="Only this file's part.")


class DiffOutput(Output):
    job: str = ""
    repository: str = ""
    base: str = ""
    branch: str = ""
    diff: str = Field(default="", max_length=DIFF_CHARS_MAX)
    """Unified, as git writes it; without colours or control characters."""
    files_changed: tuple[FileFacts, ...] = Field(default=(), max_length=FILES_SHOWN_MAX)
    files_total: int = Field(default=0, ge=0)
    added: int = Field(default=0, ge=0)
    removed: int = Field(default=0, ge=0)
    tests_after: SuiteFacts | None = None
    is_cut: bool = False
    """Too long to be shown whole; the machine has it."""


class AgentsInputs(Inputs):
    fresh: bool = Field(default=False, description="Look again, whatever is remembered.")


class AgentFacts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    title: str = ""
    version: str = ""
    is_ready: bool = False
    sentence: str = ""
    """Why not, or how it is reached."""


class AgentsOutput(Output):
    agents: tuple[AgentFacts, ...] = ()
    sandbox: str = ""
    model: str = ""


def _work(name: str, summary: str) -> Kind:
    return Kind(
        name=name,
        summary=summary,
        inputs=CodeInputs,
        output=CodeOutput,
        idempotent=False,
        resumable=True,
        timeout_seconds=MINUTES_MAX * 60 + 3600,
        is_shared=True,
        is_apart=True,
        names_needs=("agent", "specializations", "local"),
        named_by=("repository", "instructions"),
        words_input="instructions",
        carries=("repository", "base", "branch"),
        planned=PlanFace(
            permission=Permission.EXECUTE,
            words="instructions",
            takes={
                "repository": "The repository: its address, or its folder on the worker.",
                "base": "The branch to begin from; empty for the repository's own.",
                "test_command": "How its tests are run; found when left out.",
            },
            named=("repository", "base", "test_command"),
            gives={
                "headline": OutputType.TEXT,
                "branch": OutputType.TEXT,
                "url": OutputType.TEXT,
                "findings": OutputType.JSON,
            },
            uses_model=True,
        ),
    )


KINDS = (
    _work("code.feature", "Add something to a program: /feature"),
    _work("code.bugfix", "Find and mend a bug: /fix"),
    _work("code.test", "Write tests that are missing: /tests"),
    _work("code.docs", "Write or mend documentation: /docs"),
    _work("code.refactor", "Make code better without changing what it does: /refactor"),
    _work("code.review", "Read code and say what is wrong with it; changes nothing: /review"),
    Kind(
        name="code.diff",
        summary="Show what a coding job changed: /diff",
        inputs=DiffInputs,
        output=DiffOutput,
        idempotent=True,
        timeout_seconds=60,
        takes_slot=False,
        is_shared=True,
        is_offered=False,
    ),
    Kind(
        name="code.agents",
        summary="List the coding agents of a machine: /agents",
        inputs=AgentsInputs,
        output=AgentsOutput,
        idempotent=True,
        timeout_seconds=180,
        takes_slot=False,
        is_shared=True,
        is_offered=False,
    ),
)
