"""A workspace goes when its session is over, and never under a running job."""

from __future__ import annotations

import pytest

from desktop.core.workspace import LEFT_SECONDS, may_go


@pytest.mark.parametrize(
    ("is_over", "is_in_hand", "untouched", "goes"),
    [
        (True, False, 0.0, True),
        (True, True, 0.0, False),
        (False, False, 0.0, False),
        (False, False, LEFT_SECONDS, False),
        (False, False, LEFT_SECONDS + 1, True),
        (False, True, 10 * LEFT_SECONDS, False),
        (True, True, 10 * LEFT_SECONDS, False),
    ],
)
def test_it_goes_when_nobody_can_need_it(
    is_over: bool, is_in_hand: bool, untouched: float, goes: bool
) -> None:
    assert may_go(is_over=is_over, is_in_hand=is_in_hand, untouched_seconds=untouched) is goes
