"""Bodies take what JSON means, and nothing that it does not."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.api.keys import KeyRotation
from shared.api.parts import Moment

MOMENT: TypeAdapter[object] = TypeAdapter(Moment)


@pytest.mark.parametrize("written", [4, 4.0])
def test_a_whole_number_may_have_a_point(written: float) -> None:
    assert KeyRotation.model_validate({"overlap_seconds": written}).overlap_seconds == 4


@pytest.mark.parametrize("written", [4.5, "4", True, None, float("inf")])
def test_what_is_no_whole_number_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        KeyRotation.model_validate({"overlap_seconds": written})


@pytest.mark.parametrize("written", ["2026-11-21T14:02:00Z", "2026-11-21t14:02:00.5+01:00"])
def test_a_moment_is_spelled_as_rfc_3339_does(written: str) -> None:
    MOMENT.validate_python(written)


@pytest.mark.parametrize(
    "written",
    ["0.5", "1763733720", "2026-11-21", "2026-11-21T14:02:00", "2026-11-21 14:02:00Z",
     "٢026-11-21T14:02:00Z"],
)  # fmt: skip
def test_other_spellings_of_a_moment_are_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(written)
