"""Kinds that other packages bring to workers: their names, and what a hub knows of one.

A hub cannot have every worker's packages. It queues such a job by its kind's name and hands the
inputs on as they came; the worker, which has the package, checks them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import ConfigDict, JsonValue

from shared.capabilities import family_of
from shared.kinds import Inputs, Kind, Output
from shared.kinds.catalogue import BUILT_IN, kind_named
from shared.plan import Permission, PlanFace

NAME_CHARS_MAX = 100
TIMEOUT_SECONDS = 24 * 3600.0
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
OWN_FAMILIES = frozenset(map(family_of, BUILT_IN))
"""Families of Deskhand's own; what a policy says of one must mean nobody else's kind."""


class ForeignInputs(Inputs):
    """Whatever came; its worker knows better."""

    model_config = ConfigDict(frozen=True, extra="allow")

    __pydantic_extra__: dict[str, JsonValue]


def is_foreign_name(name: str) -> bool:
    """Say whether a name can be that of a kind of another package: family.verb, all its own."""
    if len(name) > NAME_CHARS_MAX or not _NAME.fullmatch(name):
        return False
    return family_of(name) not in OWN_FAMILIES


def kind_for(name: str, kinds: Mapping[str, Kind]) -> Kind:
    """Find a kind; one that may be another package's is known by its name alone.

    Whether anybody offers it is another question.

    Raises:
        BadInput: `kind_unknown`.
    """
    if name in kinds or not is_foreign_name(name):
        return kind_named(name, kinds)
    return Kind(
        name=name,
        summary="A kind of work that a worker brings",
        inputs=ForeignInputs,
        output=Output,
        idempotent=False,
        timeout_seconds=TIMEOUT_SECONDS,
        planned=PlanFace(permission=Permission.EXTERNAL),
    )
