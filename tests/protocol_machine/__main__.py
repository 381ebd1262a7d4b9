"""Play many games and print one line: tried, faults, lost, doubled, stuck."""

from __future__ import annotations

import argparse
import sys

from tests.protocol_machine.games import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.protocol_machine")
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--as-found", action="store_true", help="look for no shorter game")
    asked = parser.parse_args()
    games = play(asked.examples, asked.seed, is_shrunk=not asked.as_found)
    print(games.line)
    if games.failure:
        print(games.failure, file=sys.stderr)
        print(games.replay, file=sys.stderr)
    return 1 if games.failure else 0


if __name__ == "__main__":
    sys.exit(main())
