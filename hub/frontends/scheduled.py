"""Reads what a schedule says as if its person had said it: a command, or plain words."""

from __future__ import annotations

from hub.frontends.call import inputs_of
from hub.frontends.parsing import parse
from hub.frontends.planning import is_task
from hub.services.schedule_steps import Said
from shared.errors import BadInput
from shared.kinds import JsonObject
from shared.kinds.plan import PLAN

TASK = "task"


def read_words(words: str) -> Said:
    """Say which job some words ask for.

    Raises:
        BadInput: `schedule_makes_no_job`, or as `parse`.
        LimitReached: `text_too_long`.
    """
    spoken = parse(words)
    if spoken is None:
        return _planned(words)
    if spoken.command.name == TASK:
        text = spoken.values["text"]
        if text.startswith("/"):
            return read_words(text)
        return _planned(text, is_local="local" in spoken.values, worker=spoken.worker)
    if not spoken.command.kind:
        raise BadInput(
            "schedule_makes_no_job",
            f"/{spoken.command.name} is answered at once, and asks no computer for anything.",
            "A schedule takes plain words, or a command such as /predict churn new.csv.",
        )
    return Said(kind=spoken.command.kind, inputs=inputs_of(spoken), worker=spoken.worker)


def _planned(words: str, *, is_local: bool = False, worker: str = "") -> Said:
    """Words that a worker is to plan."""
    if not is_task(words):
        raise BadInput(
            "schedule_words_short",
            f"'{words.strip()[:40]}' is too little to plan from.",
            "Say in a sentence what is to be done then, or a command such as /predict.",
        )
    inputs: JsonObject = {"task": words.strip()} | ({"local": True} if is_local else {})
    return Said(kind=PLAN, inputs=inputs, worker=worker)
