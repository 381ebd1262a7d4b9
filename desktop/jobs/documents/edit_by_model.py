"""A model proposes exact edits of a text; what does not fit goes back to it, up to three times."""

from __future__ import annotations

import secrets
from pathlib import Path

from desktop.core.documents import edit_words
from desktop.core.documents.edits import edited
from desktop.core.llm.types import Sampling
from desktop.jobs.context import SharedContext
from desktop.jobs.llm.ask_wanted import check_leaving
from desktop.jobs.llm.choosing import chosen_model
from desktop.jobs.llm.saying import Saying, check_installed
from shared.errors import BadInput, LimitReached
from shared.kinds import file_name_of
from shared.kinds.files import EditInputs

ROUNDS_MAX = 3
TEXT_CHARS_MAX = 100_000
"""A model has to see all of it at once."""


async def edited_by_model(
    context: SharedContext, inputs: EditInputs, path: Path, text: str, instructions: str
) -> tuple[str, str]:
    """Return the new text, and the name of the model.

    Raises:
        LimitReached: `file_too_large`.
        Unavailable: `models_missing`.
        NotAllowed: `sending_refused`.
        BadInput: what was wrong with the model's last edits.
        Postponed, LlmFault: the model's.
    """
    name = file_name_of(path.name)
    if len(text) > TEXT_CHARS_MAX:
        raise LimitReached(
            "file_too_large",
            f"{name} has {len(text):,} characters; a model changes texts up to {TEXT_CHARS_MAX:,}.",
            "Say exactly what is to be replaced by what, with `edits`.",
        )
    check_installed()
    model = await chosen_model(context, inputs.model, is_local=inputs.local)
    await check_leaving(context, model, f"The text of {name} ({len(text):,} characters)", name)
    # Edits are compared without carriage returns: models do not copy them.
    saying = Saying(context, model)
    messages = edit_words.request(
        name, text.replace("\r\n", "\n"), instructions, secrets.token_hex(8)
    )
    for last in (False,) * (ROUNDS_MAX - 1) + (True,):
        reply = await saying.say(messages, Sampling(response_schema=edit_words.SCHEMA))
        try:
            return edited(text, edit_words.edits_in(reply), name=name), model.full_name
        except BadInput as fault:
            if last:
                raise
            context.log(f"The edits did not fit: {fault.message}")
            messages = (*messages, *edit_words.again(reply, fault))
    raise AssertionError("unreachable")
