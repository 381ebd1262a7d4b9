"""Whether a run's models can be asked, told and settled with a person before the first probe."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.core.llm.broken import missing_key
from desktop.core.llm.types import Model
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import health
from shared.errors import AppError, Unavailable
from shared.kinds.llm import HealthLine
from shared.questions import TEXT_CHARS_MAX, Asking, Choice, QuestionKind

OF_THE_MACHINE = frozenset({"python", "packages", "disk"})
"""Lines of health without which no model at all can be asked."""
AGAIN, WITHOUT, STOP = "again", "without", "stop"
LOOKS_MAX = 20
SHOWN_MAX = 5


async def ready(context: SharedContext, models: Sequence[Model]) -> frozenset[str]:
    """Look, and ask about what is not in order as long as a person mends it.

    Returns:
        Names of endpoints that are to be left out.

    Raises:
        LlmFault: MISSING_API_KEY, when that is what keeps every model from being asked.
        Unavailable: `not_ready`, when no model can be asked, or a person says to stop.
    """
    names = tuple(model.full_name for model in models)
    for look in range(1, LOOKS_MAX + 1):
        lines = await health.check(context, names, is_fresh=look > 1)
        bad = [line for line in lines if line.is_good is False]
        for line in bad:
            context.log(line.sentence)
        broken = [line for line in bad if line.name in OF_THE_MACHINE]
        if broken:
            raise _not_ready(broken)
        away = {line.name: line for line in bad if line.name in _endpoints(models)}
        if not away:
            return frozenset()
        if away.keys() >= _endpoints(models):
            raise _none(context, models, list(away.values()))
        answer = await context.ask(_asking(list(away.values()), look))
        if answer == WITHOUT:
            return frozenset(away)
        if answer == STOP:
            raise _not_ready(list(away.values()))
    return frozenset()


def _endpoints(models: Sequence[Model]) -> set[str]:
    return {model.endpoint.name for model in models}


def _asking(away: list[HealthLine], look: int) -> Asking:
    told = "\n".join(line.sentence for line in away[:SHOWN_MAX])
    names = ", ".join(line.name for line in away)[:100]
    return Asking(
        key=f"ready-{look}",
        kind=QuestionKind.CHOICE,
        text=f"Not every model can be asked.\n{told}"[:TEXT_CHARS_MAX],
        choices=(
            Choice(value=AGAIN, label="Look again"),
            Choice(value=WITHOUT, label=f"Go on without {names}"),
            Choice(value=STOP, label="Stop"),
        ),
        default=WITHOUT,
    )


def _none(context: SharedContext, models: Sequence[Model], away: list[HealthLine]) -> AppError:
    for model in models:
        endpoint = model.endpoint
        if endpoint.key_name and not endpoint.is_local and endpoint.key_name not in context.keys:
            return missing_key(endpoint)
    return _not_ready(away)


def _not_ready(lines: list[HealthLine]) -> Unavailable:
    return Unavailable(
        "not_ready",
        " ".join(line.sentence for line in lines[:SHOWN_MAX]),
        "Nothing was asked yet; run it again when that is mended.",
    )
