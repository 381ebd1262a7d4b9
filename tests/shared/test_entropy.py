"""Randomness for ids: each byte once, in every thread and every process."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.entropy import STRETCH_BYTES, IdEntropy, for_ids
from shared.environment import Environment
from tests.makers import hand_environment


def test_no_draw_is_told_twice_whoever_asks() -> None:
    entropy = IdEntropy()
    with ThreadPoolExecutor(8) as threads:
        drawn = list(threads.map(lambda _: entropy(10), range(5000)))
    assert len(set(drawn)) == 5000
    assert {len(one) for one in drawn} == {10}


def test_a_stretch_is_fetched_once_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    monkeypatch.setattr(os, "urandom", counted)
    entropy = IdEntropy()
    for _ in range(STRETCH_BYTES // 10):
        entropy(10)
    assert asked == [STRETCH_BYTES]
    entropy(10)
    assert asked == [STRETCH_BYTES] * 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_forked_process_draws_its_own() -> None:
    for_ids(10)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, for_ids(10))
        os._exit(0)
    mine = for_ids(10)
    os.waitpid(child, 0)
    assert os.read(reading, 10) != mine
    os.close(reading)
    os.close(writing)


def test_ids_of_a_simulated_world_are_its_own() -> None:
    first, second = hand_environment()[0], hand_environment()[0]
    assert [first.new_id() for _ in range(3)] == [second.new_id() for _ in range(3)]
    assert Environment().id_entropy is for_ids
