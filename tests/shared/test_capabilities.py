"""A job goes only to a worker that can do it."""

import pytest

from shared.capabilities import Capability, Needs, fits
from shared.ids import WorkerId

ANNA = WorkerId("anna")
HAS = (Capability(kind="ml.train"), Capability(kind="code.bugfix", tools=("git", "ruff")))


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        (Needs(kind="ml.train"), True),
        (Needs(kind="ml.predict"), False),
        (Needs(kind="code.bugfix", tools=("git",)), True),
        (Needs(kind="code.bugfix", tools=("git", "docker")), False),
        (Needs(kind="ml.train", worker_id=ANNA), True),
        (Needs(kind="ml.train", worker_id=WorkerId("bert")), False),
    ],
)
def test_kind_tools_and_pin_must_fit(needs: Needs, expected: bool) -> None:
    assert fits(ANNA, HAS, needs) is expected
