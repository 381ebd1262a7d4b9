"""Questions that web jobs ask people, and the model that research asks."""

from __future__ import annotations

from urllib.parse import urlsplit

from desktop.core.llm.model_name import find_model
from desktop.core.llm.types import Model
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import offers
from desktop.jobs.llm.choosing import chosen_model
from shared.errors import NotFound
from shared.questions import Asking, Choice, QuestionKind

YES, NO = "yes", "no"


async def said(context: SharedContext, key: str, text: str) -> str:
    """Ask for what is missing, in the person's words."""
    asking = Asking(key=key, kind=QuestionKind.CLARIFICATION, text=text, allow_text=True)
    return (await context.ask(asking)).strip()


async def model_for(context: SharedContext, given: str | None, *, is_local: bool) -> Model | None:
    """Return the model that reads; None when this machine has none that may.

    A step of a plan asks nobody: the first that is offered is taken, which is a local one where
    there is one.

    Raises:
        LlmFault: UNSUPPORTED_PROVIDER.
        NotAllowed: `model_not_local`.
    """
    try:
        if given is None and context.is_planned and not is_local:
            choices = await offers.choices(context)
            return find_model(choices[0].value, context.endpoints) if choices else None
        return await chosen_model(context, given, is_local=is_local)
    except NotFound:
        return None


async def may_leave(context: SharedContext, model: Model, hosts: tuple[str, ...]) -> bool:
    """Say whether texts of the owner's own network may go to a model; their owner decides."""
    if not hosts or model.endpoint.is_local or context.may_send_text:
        return True
    place = model.endpoint.label or model.endpoint.name
    where = urlsplit(model.endpoint.base_url).hostname or ""
    answer = await context.ask(
        Asking(
            key="may_send_inside",
            kind=QuestionKind.APPROVAL,
            text=f"What {', '.join(hosts)[:1000]} says is not public. It would leave this machine "
            f"for {place} ({where}). May it?",
            choices=(Choice(value=YES, label="Yes, this once"), Choice(value=NO, label="No")),
        )
    )
    return answer == YES
