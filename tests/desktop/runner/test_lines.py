"""Lines between a worker and its children."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from desktop.runner.lines import TO_SHARED

KEY = "Canary.sings"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(f'{{"type":"supplied","keys":"{KEY}"}}', id="keys of another shape"),
        pytest.param(f'{{"type":"supplied","keys":{{"a":["{KEY}"]}}}}', id="a key of another"),
        pytest.param(f'{{"keys":{{"a":"{KEY}"}}}}', id="no type"),
        pytest.param(f'{{"keys":{{"a":"{KEY}"', id="cut off"),
    ],
)
def test_a_line_that_does_not_fit_is_told_without_the_keys_in_it(line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TO_SHARED.validate_json(line.encode())

    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value)
