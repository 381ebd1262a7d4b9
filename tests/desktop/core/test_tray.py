"""One of seven states, when several things are so at once."""

from __future__ import annotations

import itertools

import pytest

from desktop.core.link import LinkState
from desktop.core.tray import Facts, TrayState, state_of
from shared.errors import ErrorBody

WHY = ErrorBody(code="paused", message="This computer is paused.", hint="")
ONLINE, OFFLINE, REFUSED = LinkState.ONLINE, LinkState.OFFLINE, LinkState.REFUSED


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (Facts(line=None), TrayState.OFFLINE),
        (Facts(line=LinkState.CONNECTING), TrayState.OFFLINE),
        (Facts(line=OFFLINE), TrayState.OFFLINE),
        (Facts(line=OFFLINE, running=2), TrayState.OFFLINE),
        (Facts(line=OFFLINE, held_back=WHY), TrayState.OFFLINE),
        (Facts(line=OFFLINE, questions=1), TrayState.ASKING),
        (Facts(line=REFUSED, questions=1), TrayState.ERROR),
        (Facts(line=ONLINE), TrayState.IDLE),
        (Facts(line=ONLINE, running=1), TrayState.RUNNING),
        (Facts(line=ONLINE, running=1, has_update=True), TrayState.RUNNING),
        (Facts(line=ONLINE, has_update=True), TrayState.UPDATE),
        (Facts(line=ONLINE, held_back=WHY, running=1, has_update=True), TrayState.PAUSED),
        (Facts(line=ONLINE, questions=1, held_back=WHY), TrayState.ASKING),
        (Facts(line=ONLINE, questions=1, trouble=WHY), TrayState.ERROR),
    ],
)
def test_the_state_that_matters_most_is_shown(facts: Facts, state: TrayState) -> None:
    assert state_of(facts) is state


def test_whatever_is_so_there_is_a_state_and_every_state_comes_up() -> None:
    lines: tuple[LinkState | None, ...] = (None, *LinkState)
    all_facts = [
        Facts(line=line, running=n, questions=q, held_back=held, trouble=bad, has_update=new)
        for line, n, q, held, bad, new in itertools.product(
            lines, (0, 1), (0, 1), (None, WHY), (None, WHY), (False, True)
        )
    ]
    assert {state_of(facts) for facts in all_facts} == set(TrayState)
