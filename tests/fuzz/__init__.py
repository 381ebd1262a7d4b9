"""Nonsense and malice for every reader of bytes: frames, events and requests (rung T4).

A round is one target, one seed and some frames; it starts from nothing, so that its seed replays
it. What a round found once stands in `corpus/` and is played by the tests.

    python -m tests.fuzz --frames 20000 --seed 1
    python -m tests.fuzz --target hub --round 4711 --frames 100   one round again
    python -m tests.fuzz.guided -atheris_runs=1000000              guided by coverage
"""
