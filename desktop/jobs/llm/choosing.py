"""Which model a job asks: the one that was named, the only one there is, or what a person says."""

from __future__ import annotations

from desktop.core.llm.model_name import find_model
from desktop.core.llm.types import Model
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import offers
from shared.errors import NotAllowed, NotFound
from shared.questions import Asking, QuestionKind


async def chosen_model(
    context: SharedContext, given: str | None, *, is_local: bool = False
) -> Model:
    """Find the model that was given, or ask for one where several are there.

    Args:
        context: of the job.
        given: a name as a person writes it; None when nobody said.
        is_local: only what is on this machine, or in its own network, will do.

    Raises:
        LlmFault: UNSUPPORTED_PROVIDER.
        NotAllowed: `model_not_local`.
        NotFound: `models_none`.
    """
    if given is not None:
        return _checked(find_model(given, context.endpoints), is_local=is_local)
    choices = await offers.choices(context)
    if is_local:
        known = [(one, find_model(one.value, context.endpoints)) for one in choices]
        choices = tuple(one for one, model in known if model.endpoint.is_local)
    if not choices:
        raise _none(is_local=is_local)
    if len(choices) == 1:
        return find_model(choices[0].value, context.endpoints)
    answer = await context.ask(
        Asking(
            key="model_local" if is_local else "model",
            kind=QuestionKind.CLARIFICATION,
            text="Which model?",
            choices=choices,
            allow_text=True,
        )
    )
    return _checked(find_model(answer, context.endpoints), is_local=is_local)


def _checked(model: Model, *, is_local: bool) -> Model:
    if is_local and not model.endpoint.is_local:
        raise NotAllowed(
            "model_not_local",
            f"{model.full_name} is not on this machine, and this is to be kept local.",
            "Name a local model, as in local:tiny, or leave “local” out.",
        )
    return model


def _none(*, is_local: bool) -> NotFound:
    if is_local:
        return NotFound(
            "models_none",
            "No model on this machine can be asked, and this is to be kept local.",
            "Start a local server (llama.cpp, Ollama); /health tells what is missing.",
        )
    return NotFound(
        "models_none",
        "No model can be asked from this machine.",
        "Start a local server (llama.cpp, Ollama), or keep a provider's key here; /health "
        "tells what is missing.",
    )
