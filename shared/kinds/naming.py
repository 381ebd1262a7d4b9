"""What a job is called, by what is known of it: the same on the hub and on a computer without."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

from shared.errors import BadInput
from shared.ids import SHORT_LENGTH, is_uuid, short
from shared.jobs import TITLE_CHARS_MAX
from shared.kinds import JsonObject, Kind, parse_inputs

FILE_OF_JOB = re.compile(
    rf"#(?P<short>[0-9A-Za-z]{{{SHORT_LENGTH}}})|#(?P<full>[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})"
)
"""A file named by the job that wrote it: only that job's worker knows which one that is."""
WORDS_CHARS_MAX = 120
"""Of one input; a title is no place for a whole text."""
_REPOSITORY = re.compile(r"(?:https?|ssh|git)://\S*?/(?P<name>[^/\s]+?)(?:\.git)?/?")
_FOLDERS = re.compile(r"^(?:/|[A-Za-z]:[\\/]|\\\\).*[\\/]")
_AGAIN = re.compile(r"-\d+$")
"""What a key ends with when the same thing is asked again."""


def title_of(kind: Kind, inputs: JsonObject, answers: Sequence[tuple[str, str]] = ()) -> str:
    """Name a job by what is known of it: "train flights.csv arrival".

    Args:
        kind: its verb begins the title.
        inputs: as they came with the request.
        answers: what was asked since (key) and answered (as people read it), the oldest first; a
            later answer to the same thing counts.
    """
    told = {_AGAIN.sub("", key): label for key, label in answers}
    told |= {name: _brief(value) for name, value in inputs.items() if isinstance(value, str)}
    words = [told[name] for name in kind.named_by or kind.inputs.model_fields if name in told]
    verb = kind.name.rpartition(".")[2]
    named = words if words and kind.is_named_by_words else [verb, *words]
    return " ".join(named)[:TITLE_CHARS_MAX]


def title_for(kind_name: str, inputs: JsonObject, given: str = "") -> str:
    """Name a job that a person asked for: as they said, else by its inputs.

    Args:
        kind_name: one that is not known here lends its last word alone.
        inputs: as they came with the request.
        given: a title that somebody chose; empty for none.
    """
    from shared.kinds.catalogue import BUILT_IN  # all kinds, which few who import this need

    if given:
        return given[:TITLE_CHARS_MAX]
    kind = BUILT_IN.get(kind_name)
    if kind is None:
        return kind_name.rpartition(".")[2][:TITLE_CHARS_MAX]
    with contextlib.suppress(BadInput):  # what the kind cannot take is told by the job's own end
        # As the kind reads them: a number that was typed as text names nothing.
        inputs = parse_inputs(kind, inputs).model_dump(mode="json", exclude_unset=True)
    return title_of(kind, inputs)


def _brief(value: str) -> str:
    found = FILE_OF_JOB.fullmatch(value)
    if found and found["full"]:
        return f"#{short(found['full'])}"
    if is_uuid(value):
        return f"#{short(value)}"
    if found := _REPOSITORY.fullmatch(value):
        return found["name"]
    # A whole path comes from a computer's own windows; its end says enough.
    first = _FOLDERS.sub("", value).strip().partition("\n")[0].rstrip() or value
    return first if len(first) <= WORDS_CHARS_MAX else f"{first[: WORDS_CHARS_MAX - 2].rstrip()} …"
