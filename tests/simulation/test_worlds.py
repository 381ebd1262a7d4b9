"""Nothing is lost, doubled or stuck in a hundred simulated worlds; a seed is a world.

`make chaos-simulation SEEDS=5000` tries more.

python -m tests.simulation --seeds 5000 --seed 1000
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORLDS = int(os.environ.get("DESKHAND_SIMULATION_SEEDS") or 100)
FIRST = int(os.environ.get("DESKHAND_SIMULATION_SEED") or 1)
CHUNK = 25
ROOT = Path(__file__).parents[2]


def simulate(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    """Try worlds in a process of their own, where nothing but their seeds counts."""
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("start", range(0, WORLDS, CHUNK))
def test_nothing_is_lost_doubled_or_stuck_in_any_world(start: int) -> None:
    count = min(CHUNK, WORLDS - start)
    tried = simulate("--seeds", str(count), "--seed", str(FIRST + start))
    print(tried.stdout.splitlines()[-1] if tried.stdout else tried.stderr)
    assert tried.returncode == 0, tried.stdout + tried.stderr


@pytest.mark.timeout(120)
def test_the_same_seed_is_the_same_world_in_any_process_and_after_any_other_world() -> None:
    alone = simulate("--seed", "4", "--digest", hash_seed="1")
    among_others = simulate("--seed", "2", "--seeds", "4", "--digest")
    [line] = [line for line in alone.stdout.splitlines() if line.startswith("world 4 ")]
    assert digest_of(line) in [digest_of(other) for other in among_others.stdout.splitlines()]


def digest_of(line: str) -> list[str]:
    return line.split()[:3]
