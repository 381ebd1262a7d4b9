"""Play a campaign, or one round again; prints one line, and how to replay what was found."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz.campaign import TARGETS, Campaign, kept
from tests.fuzz.targets import Round


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=sorted(TARGETS), help="this one alone")
    parser.add_argument("--round", type=int, help="one round of a target, by its seed")
    parser.add_argument("--replay", type=Path, help="a round that was kept as a file")
    asked = parser.parse_args()
    campaign = Campaign()
    if asked.replay:
        campaign.play(kept(asked.replay), 0)
    elif asked.round is not None:
        campaign.play(Round(asked.target, asked.round), asked.frames)
    else:
        campaign.run(asked.frames, asked.seed, (asked.target,) if asked.target else tuple(TARGETS))
    print(campaign.line)
    for told in campaign.told:
        print(told, file=sys.stderr)
    return 1 if campaign.told else 0


if __name__ == "__main__":
    sys.exit(main())
