"""What a work order comes to: all that was said, asked for what is missing, capped by the owner."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.core.code.agent_profiles import AgentProfile, profile_of, profiles_of
from desktop.core.code.budget import BudgetLimits
from desktop.core.code.model_apis import check_agent
from desktop.core.code.work_kinds import WORK_KINDS, WorkKind
from desktop.core.code.work_wording import level_note
from desktop.core.llm.model_name import find_model
from desktop.core.llm.types import Model
from desktop.jobs.code.asking import Person
from desktop.jobs.context import SharedContext
from shared.errors import BadInput, NotAllowed, NotFound
from shared.ids import short
from shared.kinds.code import INSTRUCTIONS_CHARS_MAX, REPOSITORY_CHARS_MAX, CodeInputs, Level
from shared.plain_text import plain_line
from shared.questions import TEXT_CHARS_MAX, Asking, Choice, QuestionKind

REPOSITORIES_OFFERED_MAX = 12
FOLDERS_SEEN_MAX = 5000
DEPTH_MAX = 4
LABEL_CHARS_MAX = 200
YES, NO = "yes", "no"
_SKIPPED = frozenset({"node_modules", "__pycache__", "Library", "AppData", "site-packages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A work order that misses nothing."""

    kind: WorkKind
    short: str
    """The job's short id."""
    repository: str
    """As it was named."""
    instructions: str
    level: Level
    profile: AgentProfile
    model: Model
    limits: BudgetLimits
    inputs: CodeInputs
    notes: tuple[str, ...] = ()
    """For the person: what the owner's rules changed."""

    @property
    def job(self) -> str:
        """As people read it: "bugfix #K7Q2"."""
        return f"{self.kind.noun} #{self.short}"


async def resolve(context: SharedContext, inputs: CodeInputs, person: Person) -> Order:
    """Find out what is wanted; ask for what is missing.

    Raises:
        NotAllowed: `code_sending_refused`.
        NotFound: `agent_unknown`, `models_none`.
        BadInput: `agent_needs_api`, `instructions_missing`.
        LlmFault: UNSUPPORTED_PROVIDER.
    """
    rules = context.code
    kind = WORK_KINDS[context.kind]
    asked = inputs.level or kind.level
    level = rules.level_for(asked, context.origin)
    repository, said = await _named(context, inputs)
    repository = repository or await _which_repository(context, person)
    instructions = said or await _what(kind, person)
    profile = profile_of(inputs.agent or rules.agent, profiles_of(rules))
    model = await _which_model(context, inputs.model or rules.model, person)
    check_agent(profile, model.endpoint)
    await _check_sending(context, model, repository, person)
    return Order(
        kind=kind,
        short=short(context.job_id),
        repository=repository,
        instructions=instructions[:INSTRUCTIONS_CHARS_MAX],
        level=level,
        profile=profile,
        model=model,
        limits=BudgetLimits.of(inputs),
        inputs=inputs,
        notes=() if level is asked else (level_note(asked, level),),
    )


async def _named(context: SharedContext, inputs: CodeInputs) -> tuple[str, str]:
    """Tell the repository and the instructions, as far as they were said.

    Who writes "/fix shop The total is wrong" means the repository of that name: only the machine
    that has it can know that the first word is one.
    """
    said = (inputs.instructions or "").strip()
    if inputs.repository or not said:
        return inputs.repository or "", said
    first, *others = said.split(maxsplit=1)
    found = await asyncio.to_thread(lambda: repositories_in(context.folders))
    so_called = [path for path in found if path.name.casefold() == first.casefold()]
    return (str(so_called[0]), "".join(others)) if len(so_called) == 1 else ("", said)


async def _which_repository(context: SharedContext, person: Person) -> str:
    found = await asyncio.to_thread(lambda: repositories_in(context.folders))
    choices = tuple(
        Choice(
            value=str(path),
            label=plain_line(path.name)[:LABEL_CHARS_MAX],
            detail=plain_line(str(path.parent))[:LABEL_CHARS_MAX],
        )
        for path in found
    )
    asking = Asking(
        key="repository",
        kind=QuestionKind.CLARIFICATION,
        text="Which repository?" if choices else "Which repository? A folder, or a URL.",
        choices=choices,
        allow_text=True,
    )
    return (await person.ask(asking))[:REPOSITORY_CHARS_MAX]


async def _what(kind: WorkKind, person: Person) -> str:
    told = await person.ask(
        Asking(
            key="instructions",
            kind=QuestionKind.CLARIFICATION,
            text="What is to be looked at?" if not kind.changes else "What is to be done?",
            allow_text=True,
        )
    )
    if not told.strip():
        raise BadInput("instructions_missing", "Nothing is to be done.", "Say what you want.")
    return told


async def _which_model(context: SharedContext, named: str, person: Person) -> Model:
    """Take the one that is named, or the only one of this machine, or ask."""
    if named:
        return find_model(named, context.endpoints)
    from desktop.jobs.llm import offers

    choices = await offers.choices(context)
    here = [choice for choice in choices if choice.detail == offers.HERE]
    if len(here) == 1:
        return find_model(here[0].value, context.endpoints)
    if not choices:
        raise NotFound(
            "models_none",
            "There is no language model that the agent could work with.",
            "Start one on this machine, give a provider's key to `deskhand keys`, or name one "
            "under [code] in the policy.",
        )
    asking = Asking(
        key="model",
        kind=QuestionKind.CLARIFICATION,
        text="Which model is the agent to work with?",
        choices=choices,
        allow_text=True,
    )
    return find_model(await person.ask(asking), context.endpoints)


async def _check_sending(
    context: SharedContext, model: Model, repository: str, person: Person
) -> None:
    """Have somebody say that code may leave this machine for a model elsewhere.

    The owner's `[code] model` is consent to that very model, and `[llm] send_text` to any.
    """
    is_owners = bool(context.code.model) and model == find_model(
        context.code.model, context.endpoints
    )
    if model.endpoint.is_local or is_owners or context.may_send_text:
        return
    place = model.endpoint.label or model.endpoint.name
    named = plain_line(repository)[:LABEL_CHARS_MAX]
    asking = Asking(
        key=f"may_send:{model.full_name}"[:100],
        kind=QuestionKind.APPROVAL,
        text=f"Code of {named} would leave this machine for {place} ({model.full_name}). May it?"[
            :TEXT_CHARS_MAX
        ],
        choices=(Choice(value=YES, label="Yes, for this job"), Choice(value=NO, label="No")),
        default=NO,
    )
    if await person.ask(asking) != YES:
        raise NotAllowed(
            "code_sending_refused",
            f"Code was not sent to {place}.",
            "Name a model on this machine, as in model=local:tiny.",
        )


def repositories_in(folders: Iterable[Path]) -> list[Path]:
    """Find git repositories in folders, those that were used last first."""
    found = list(dict.fromkeys(_walk(folders)))
    found.sort(key=_used, reverse=True)
    return found[:REPOSITORIES_OFFERED_MAX]


def _walk(folders: Iterable[Path]) -> Iterator[Path]:
    seen = 0
    for top in folders:
        for root, below, names in os.walk(top, followlinks=False):
            seen += 1
            if seen > FOLDERS_SEEN_MAX:
                return
            here = Path(root)
            if ".git" in below or ".git" in names or _is_bare(below, names):
                yield here
                below.clear()
            elif len(here.relative_to(top).parts) >= DEPTH_MAX:
                below.clear()
            below[:] = sorted(n for n in below if not n.startswith(".") and n not in _SKIPPED)


def _is_bare(below: list[str], names: list[str]) -> bool:
    return "HEAD" in names and {"objects", "refs"} <= set(below)


def _used(repository: Path) -> float:
    for name in (".git/index", ".git/HEAD", "HEAD"):
        try:
            return (repository / name).stat().st_mtime
        except OSError:
            continue
    return 0.0
