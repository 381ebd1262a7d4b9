"""What a run is to ask: the definition and the models that were given, or asked for.

What is not given is asked, with the likely answers as choices; an answer that fits nothing is told
so and asked once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from desktop.core.llm import definition, scenarios
from desktop.core.llm.definition import Definition
from desktop.core.llm.definition_text import TEXT_BYTES_MAX
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.model_name import find_model
from desktop.core.llm.types import Endpoint, Model
from desktop.jobs import wording
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import offers
from desktop.jobs.llm.examples import EXAMPLES, example
from desktop.store.transcripts.records import NewRun
from shared.errors import AppError, BadInput, LimitReached, NotFound, Unavailable
from shared.kinds.llm import CELLS_MAX, MODELS_MAX, RunInputs
from shared.questions import TEXT_CHARS_MAX, Asking, Choice, QuestionKind

T = TypeVar("T")

SUFFIXES = (".yaml", ".yml")
ANSWERS_MAX = 3
"""How often one thing is asked before the run gives up."""
FILES_LOOKED_AT_MAX = 30
FILES_OFFERED_MAX = 8
HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """A definition with what the run's inputs say in its place."""

    definition: Definition
    scenarios: tuple[scenarios.Scenario, ...]
    models: tuple[Model, ...]

    def new_run(self, run_id: str, now: datetime) -> NewRun:
        return NewRun(
            run_id=run_id,
            name=self.definition.name,
            definition=definition.snapshot(self.definition),
            sha256=definition.digest(self.definition),
            scenarios=self.scenarios,
            models=tuple(model.full_name for model in self.models),
            repeats=self.definition.repeats,
            seed=self.definition.sampling.seed,
            at=now,
        )

    def without(self, endpoints: frozenset[str]) -> Plan:
        """Leave out the models of some endpoints."""
        kept = tuple(model for model in self.models if model.endpoint.name not in endpoints)
        return Plan(_with_models(self.definition, kept), self.scenarios, kept)


async def plan(context: SharedContext, inputs: RunInputs) -> Plan:
    """Read the definition and find the models; ask for what was not given.

    Raises:
        BadInput: `definition_unreadable`, `definition_wrong`, and as `SharedContext.find_file`.
        NotFound: `no_definitions`, `file_missing`.
        LimitReached: `definition_too_large`, `run_too_large`.
        LlmFault: UNSUPPORTED_PROVIDER.
    """
    read = await _definition(context, inputs)
    models = await _models(context, inputs.models or read.models)
    wanted = _with_models(read, models)
    if inputs.repeats is not None:
        wanted = wanted.model_copy(update={"repeats": inputs.repeats})
    if inputs.seed is not None:
        sampling = wanted.sampling.model_copy(update={"seed": inputs.seed})
        wanted = wanted.model_copy(update={"sampling": sampling})
    # Texts of megabytes are put together: the other jobs of this process go on meanwhile.
    made = await asyncio.to_thread(scenarios.expand, wanted)
    made = made[: inputs.scenarios_max]
    cells = len(made) * len(models) * wanted.repeats
    if cells > CELLS_MAX:
        raise LimitReached(
            "run_too_large",
            f"{len(made):,} scenarios, {len(models)} models and {wanted.repeats} repeats make"
            f" {cells:,} probes; a run may have {CELLS_MAX:,}.",
            "Ask fewer models or repeats, or only the first scenarios.",
        )
    return Plan(wanted, made, models)


async def answered(
    context: SharedContext, asking: Asking, find: Callable[[str], Awaitable[T]]
) -> T:
    """Ask; an answer that fits nothing is told what is wrong with it and asked once more."""
    told = asking
    for again in range(ANSWERS_MAX - 1):
        try:
            return await find(await context.ask(told))
        except AppError as error:
            told = asking.model_copy(
                update={
                    "key": f"{asking.key}-{again + 2}",
                    "text": f"{error}\n{asking.text}"[:TEXT_CHARS_MAX],
                }
            )
    return await find(await context.ask(told))


async def _definition(context: SharedContext, inputs: RunInputs) -> Definition:
    if inputs.inline is not None:
        # What comes with the job has no lines, but the limits of a file.
        return await asyncio.to_thread(definition.read, json.dumps(inputs.inline).encode())
    if inputs.definition is not None:
        return await _read(context, inputs.definition)
    choices = await asyncio.to_thread(_offered, context)
    asking = Asking(
        key="definition",
        kind=QuestionKind.CLARIFICATION,
        text="Which definition should I run?",
        choices=choices,
        allow_text=True,
    )
    return await answered(context, asking, lambda name: _read(context, name))


async def _read(context: SharedContext, name: str) -> Definition:
    raw = await asyncio.to_thread(_content, context, name)
    return await asyncio.to_thread(definition.read, raw)


def _content(context: SharedContext, name: str) -> bytes:
    try:
        path = context.find_file(name)
    except NotFound:
        found = example(name)
        if found is None:
            raise
        path = found
    try:
        with path.open("rb") as file:
            # One byte more than there may be shows that it is too large.
            return file.read(TEXT_BYTES_MAX + 1)
    except OSError as error:
        raise Unavailable(
            "file_unreadable",
            f"{path.name} cannot be read: {error.strerror}.",
            "Look at the file and its rights.",
        ) from None


def _offered(context: SharedContext) -> tuple[Choice, ...]:
    """Offer the newest files that look like definitions, then an example."""
    found = context.recent_files(SUFFIXES, count_max=FILES_LOOKED_AT_MAX)
    files = [path for path in found if _looks_like_one(path)][:FILES_OFFERED_MAX]
    return (
        *map(_choice_of, files),
        *(
            Choice(value=name, label=name.capitalize(), detail="the example that comes along")
            for name in EXAMPLES
            if example(name) is not None
        ),
    )


def _looks_like_one(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"scenarios:" in file.read(HEAD_BYTES)
    except OSError:
        return False


def _choice_of(path: Path) -> Choice:
    try:
        facts = path.stat()
    except OSError:
        # Deleted since it was listed: choosing it tells so.
        detail = ""
    else:
        age = wording.age(max(0.0, time.time() - facts.st_mtime))
        detail = f"{wording.size(facts.st_size)} · {age}"
    return Choice(value=str(path)[:TEXT_CHARS_MAX], label=path.name[:200], detail=detail)


async def _models(context: SharedContext, given: tuple[str, ...]) -> tuple[Model, ...]:
    if given:
        return _found(given, context.endpoints)
    asking = Asking(
        key="models",
        kind=QuestionKind.CLARIFICATION,
        text="Which models should I ask? Write several with commas between them.",
        choices=await _offered_models(context),
        allow_text=True,
    )

    async def find(text: str) -> tuple[Model, ...]:
        names = tuple(name.strip() for name in text.split(",") if name.strip())
        return _found(names, context.endpoints)

    return await answered(context, asking, find)


def _found(names: tuple[str, ...], endpoints: tuple[Endpoint, ...]) -> tuple[Model, ...]:
    found = {model.full_name: model for model in (find_model(n, endpoints) for n in names)}
    if not found:
        raise BadInput("models_missing", "No model was named.", "Name one, as in local:tiny.")
    if len(found) > MODELS_MAX:
        raise LimitReached(
            "run_too_large",
            f"{len(found)} models are too many for one run; it may have {MODELS_MAX}.",
            "Make several runs of it.",
        )
    return tuple(found.values())


def known(names: Sequence[str], endpoints: tuple[Endpoint, ...]) -> dict[str, Model]:
    """Find the models of a run; those that the policy has no place for any more are left out."""
    found: dict[str, Model] = {}
    for name in names:
        with contextlib.suppress(LlmFault):
            found[name] = find_model(name, endpoints)
    return found


async def _offered_models(context: SharedContext) -> tuple[Choice, ...]:
    """Offer what endpoints list; those of this machine, which cost nothing, also all together."""
    choices = await offers.choices(context)
    local = [choice.value for choice in choices if choice.detail == offers.HERE]
    together = ", ".join(local)
    if len(local) < 2 or len(together) > offers.LABEL_CHARS_MAX:
        return choices
    return (Choice(value=together, label=together, detail=offers.HERE), *choices)


def _with_models(read: Definition, models: tuple[Model, ...]) -> Definition:
    return read.model_copy(update={"models": tuple(model.full_name for model in models)})
