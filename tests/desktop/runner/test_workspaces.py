"""Folders of sessions: a path only for what is an id, gone when over, swept at the start."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from desktop.core.workspace import LEFT_SECONDS
from desktop.runner.workspaces import Workspaces
from shared.environment import Environment
from shared.ids import SessionId


def new_id() -> SessionId:
    return SessionId(Environment().new_id())


def names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def nobody() -> set[SessionId]:
    return set()


def made(folder: Path, session_id: str, *, age_seconds: float = 0.0) -> Path:
    place = folder / session_id
    place.mkdir(parents=True)
    (place / "notes.txt").write_text("kept")
    then = time.time() - age_seconds
    for one in (place / "notes.txt", place):
        os.utime(one, (then, then))
    return place


@pytest.mark.parametrize("told", ["", "..", "../../x", "a/b", "/etc", "not-an-id"])
def test_what_is_no_id_names_no_folder(tmp_path: Path, told: str) -> None:
    workdir = tmp_path / "job"
    assert Workspaces(tmp_path / "sessions").path(SessionId(told), workdir) == workdir


async def test_the_end_of_what_is_no_id_removes_nothing(tmp_path: Path) -> None:
    place = made(tmp_path, "elsewhere")
    await Workspaces(tmp_path / "sessions").ended([SessionId("../elsewhere")], nobody)
    assert place.is_dir()


async def test_it_is_removed_when_its_session_ends_or_once_its_job_is_over(tmp_path: Path) -> None:
    spaces = Workspaces(tmp_path)
    idle, busy = new_id(), new_id()
    in_hand = {busy}
    for one in (idle, busy):
        made(tmp_path, one)
    await spaces.ended([idle, busy], lambda: in_hand)
    assert names(tmp_path) == {busy}
    await spaces.settle(lambda: in_hand)
    assert names(tmp_path) == {busy}
    in_hand.clear()
    await spaces.settle(lambda: in_hand)
    assert names(tmp_path) == set()


async def test_a_start_removes_what_is_over_or_forgotten_and_nothing_else(tmp_path: Path) -> None:
    over, living, forgotten, over_and_busy = (new_id() for _ in range(4))
    for one in (over, living, over_and_busy):
        made(tmp_path, one)
    made(tmp_path, forgotten, age_seconds=LEFT_SECONDS + 60)
    made(tmp_path, "no-session")
    in_hand = {over_and_busy}

    async def is_over(session_id: SessionId) -> bool:
        return session_id in (over, over_and_busy)

    spaces = Workspaces(tmp_path)
    await spaces.sweep(is_over, lambda: in_hand)
    assert names(tmp_path) == {living, over_and_busy, "no-session"}
    in_hand.clear()
    await spaces.settle(lambda: in_hand)
    assert not (tmp_path / over_and_busy).exists()


async def test_a_start_without_any_folder_is_no_trouble(tmp_path: Path) -> None:
    async def is_over(_: SessionId) -> bool:
        raise AssertionError

    await Workspaces(tmp_path / "none").sweep(is_over, nobody)
