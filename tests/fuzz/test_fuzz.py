"""No nonsense crashes a reader, blocks a log, grows without bound or changes what is another's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fuzz.campaign import CORPUS, TARGETS, Campaign, kept

FRAMES = int(os.environ.get("DESKHAND_FRAMES", "20000"))
SEED = int(os.environ.get("DESKHAND_SEED", "1"))
KEPT = sorted(CORPUS.glob("*.json"))


@pytest.mark.timeout(60 + FRAMES // 50)
@pytest.mark.parametrize("name", TARGETS)
def test_no_frame_does_harm(name: str) -> None:
    shares = sum(share for _, _, share in TARGETS.values())
    campaign = Campaign()
    campaign.run(-(-FRAMES * TARGETS[name][2] // shares), SEED, (name,))
    assert not campaign.told, "\n".join(campaign.told)
    assert campaign.refused > 0, "nothing was refused: nothing was wrong with it"


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_what_did_harm_once_does_none_any_more(path: Path) -> None:
    campaign = Campaign()
    campaign.play(kept(path), 0)
    assert not campaign.told, "\n".join(campaign.told)
