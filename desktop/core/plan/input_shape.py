"""What an input of a kind takes from a plan: text, a list, a number, yes or no; and how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from shared.kinds import Inputs, Kind

SORTS: Mapping[str, Literal["text", "list", "number", "bool"]] = {
    "string": "text",
    "array": "list",
    "integer": "number",
    "number": "number",
    "boolean": "bool",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputShape:
    """What one input takes."""

    sort: Literal["text", "list", "number", "bool", "other"]
    chars_max: int = 0
    """Of a text; 0 for no bound of its own."""
    choices: tuple[str, ...] = ()
    """The words it takes; empty for any."""

    @property
    def is_text(self) -> bool:
        return self.sort == "text"

    @property
    def is_list(self) -> bool:
        return self.sort == "list"


def shapes_of(kind: Kind) -> Mapping[str, InputShape]:
    """Return the shapes of a kind's inputs by name."""
    return _shapes(kind.inputs)


@lru_cache(256)
def _shapes(inputs: type[Inputs]) -> Mapping[str, InputShape]:
    told = inputs.model_json_schema()
    fields = told.get("properties", {})
    definitions = told.get("$defs", {})
    return {name: _shape(field, definitions) for name, field in fields.items()}


def _shape(
    field: Mapping[str, object], definitions: Mapping[str, Mapping[str, object]]
) -> InputShape:
    options = [field]
    either = field.get("anyOf")
    if isinstance(either, list):
        options = [one for one in either if isinstance(one, dict) and one.get("type") != "null"]
    for option in options:
        reference = option.get("$ref")
        whole = definitions.get(str(reference).rpartition("/")[2], option) if reference else option
        sort = SORTS.get(str(whole.get("type")))
        if sort is not None:
            bound = whole.get("maxLength")
            words = whole.get("enum")
            return InputShape(
                sort=sort,
                chars_max=bound if isinstance(bound, int) else 0,
                choices=tuple(map(str, words)) if isinstance(words, list) else (),
            )
    return InputShape(sort="other")
