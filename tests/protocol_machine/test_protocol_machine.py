"""Whatever is cut, doubled, torn, killed or set back: logs arrive whole, effects happen once."""

from __future__ import annotations

import os

import pytest

from tests.protocol_machine.games import play

EXAMPLES = int(os.environ.get("DESKHAND_EXAMPLES", "1000"))
SEED = int(os.environ.get("DESKHAND_SEED", "1"))
SHARES = 4
"""So that two cores share the work."""


@pytest.mark.timeout(60 + EXAMPLES)
@pytest.mark.parametrize("share", range(SHARES))
def test_no_game_loses_doubles_or_blocks_anything(share: int) -> None:
    games = play(EXAMPLES // SHARES, SEED * SHARES + share)
    assert not games.failure, f"{games.failure}\n{games.replay}"
    assert games.faults > games.tried, "games in which nothing goes wrong show nothing"
