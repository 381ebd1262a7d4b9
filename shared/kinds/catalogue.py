"""The kinds Deskhand ships with. A new kind is added to its family's module and shows up here."""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import BadInput
from shared.kinds import Kind, code, data, files, llm, machine, ml, plan, web

BUILT_IN: Mapping[str, Kind] = {
    kind.name: kind
    for family in (code, data, files, llm, machine, ml, plan, web)
    for kind in family.KINDS
}


def kind_named(name: str, kinds: Mapping[str, Kind] = BUILT_IN) -> Kind:
    """Find a kind.

    Raises:
        BadInput: `kind_unknown`.
    """
    kind = kinds.get(name)
    if kind is None:
        raise BadInput(
            "kind_unknown",
            f"There is no kind of work called '{name[:100]}'.",
            f"Known kinds: {', '.join(sorted(kinds))}.",
        )
    return kind
