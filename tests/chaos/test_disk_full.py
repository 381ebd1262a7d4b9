"""Disks that are full: refused by name, nothing damaged, and it goes on when there is room."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import httpx
import pytest

from shared.ballast import Ballast
from shared.database import Database
from shared.errors import Unavailable
from shared.store_file import Care
from tests.chaos import disks
from tests.chaos.disks import Filler, small_disk
from tests.chaos.failing_disks import BALLAST_BYTES, a_world
from tests.chaos.world import World
from tests.flows.programs import BALLAST, ROOT

DISK = "12m"
SMALL = ("env", f"{BALLAST}={BALLAST_BYTES}")

pytestmark = [disks.is_root, pytest.mark.timeout(180)]


def create(connection: sqlite3.Connection) -> None:
    connection.execute("create table item(text text)")


def add(connection: sqlite3.Connection) -> None:
    connection.execute("insert into item(text) values (?)", ("x" * 3000,))


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select count(*) from item").fetchone()[0])


def test_a_store_on_a_full_disk_keeps_what_it_told_and_goes_on(tmp_path: Path) -> None:
    care = Care(ballast_bytes=256 * 1024, ballast_seconds=0.01, tend_seconds=0.05)
    with small_disk(tmp_path / "disk", "3m") as disk:
        filler = Filler(disk)
        with Database(disk / "store", [create], care=care) as database:
            ballast = Ballast(disk / "store", care.ballast_bytes)
            while not ballast.is_there:
                database.submit(count).result(10)
            told, code = add_until_refused(database)
            assert code == "disk_full"
            assert database.trouble is not None
            database.submit(add).result(10)  # the ballast has made room
            filler.fill()
            more, code = add_until_refused(database)
            assert code == "disk_full"
            assert database.submit(count).result(10) == told + 1 + more
            filler.free()
            database.submit(add).result(10)
            assert database.submit(count).result(10) == told + 2 + more
            assert database.submit(integrity).result(10) == "ok"


def test_a_log_that_has_filled_the_disk_is_given_back(tmp_path: Path) -> None:
    care = Care(ballast_bytes=256 * 1024, ballast_seconds=0.01, tend_seconds=0.05)
    with (
        small_disk(tmp_path / "disk", "3m") as disk,
        Database(disk / "store", [create], care=care) as database,
    ):
        database.submit(add).result(10)
        is_over = threading.Event()
        database.trouble_listeners.append(lambda: is_over.set() if not database.trouble else None)
        refused = 0
        for number in range(3000):
            try:
                database.submit(partial(change, number=number)).result(10)
            except Unavailable:
                refused += 1
                assert is_over.wait(10), "nobody else could make room"
                is_over.clear()
        assert refused, "the log never filled the disk"
        assert database.submit(count).result(10) == 1


def change(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("update item set text = ?", (f"{number:03000}",))


def add_until_refused(database: Database) -> tuple[int, str]:
    """Write until the disk is full; return how often it was not, and what was said then."""
    for told in range(10_000):
        try:
            database.submit(add).result(10)
        except Unavailable as error:
            return told, error.code
    raise AssertionError("the disk is larger than it should be")


def integrity(connection: sqlite3.Connection) -> str:
    return str(connection.execute("pragma integrity_check").fetchone()[0])


def test_a_hub_on_a_full_disk_refuses_by_name_and_takes_up_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "hub", DISK) as disk, a_world(tmp_path, 1, SMALL) as world:
        start(world)
        going = world.ask_for("going", "play.effect", text=str(world.marks), number=4000)
        doomed = world.ask_for("doomed", "play.count", number=10**9)
        for job_id in (going, doomed):
            until_state(world, job_id, "running")
        filler = Filler(disk)
        filler.fill()
        refused = until_refused(world)
        assert refused["code"] == "disk_full"
        assert "The disk of the hub is full" in str(refused)
        assert "The disk of the hub is full" in said_in_chat(world, "/connect")
        world.post(f"/jobs/{doomed}/cancel", {})  # what ends work is taken all the same
        world.wait_for("the job has ended", lambda: going in world.marks.read_text())
        assert state_of(world, going) == "running", "its end was not acknowledged"
        assert world.get("/health")["workers_online"] == 1, "the line is kept"
        filler.free()
        world.ask_for("afterwards", "play.count", number=5)
        world.wait_for("the job was cancelled", lambda: state_of(world, doomed) == "cancelled")
        del world.asked["doomed"]
        disks.settle(world)
        disks.judge(world)
        disks.judge_stores(world)


def test_a_worker_on_a_full_disk_tells_the_truth_and_takes_jobs_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "anna-pc", DISK) as disk, a_world(tmp_path, 1, SMALL) as world:
        start(world)
        first = world.ask_for("first", "play.effect", text=str(world.marks), number=2500)
        second = world.ask_for("second", "play.effect", text=str(world.marks), number=9000)
        for job_id in (first, second):
            until_state(world, job_id, "running")
        filler = Filler(disk)
        filler.fill()
        # The ballast is room enough to tell how it ended …
        world.wait_for("the end is told", lambda: state_of(world, first) == "succeeded")
        filler.fill()
        # … and without it, it is told when there is room again.
        third = world.ask_for("third", "play.count", number=5)
        world.wait_for("nothing can be written", lambda: "disk_full" in words(world, "anna-pc"))
        assert state_of(world, third) == "queued", "a full worker takes no more jobs"
        filler.free()
        disks.settle(world)
        disks.judge(world)
        disks.judge_stores(world)


def start(world: World) -> None:
    world.start_hub()
    world.pair("anna-pc")
    world.start_worker("anna-pc")
    for name in ("hub/hub.sqlite3", "anna-pc/worker.sqlite3"):
        ballast = Ballast(world.folder / name, BALLAST_BYTES)
        world.wait_for(f"{name} has its ballast", partial(_is_there, ballast))


def _is_there(ballast: Ballast) -> bool:
    return ballast.is_there


def state_of(world: World, job_id: str) -> str:
    return str(world.get(f"/jobs/{job_id}")["state"])


def until_state(world: World, job_id: str, state: str) -> None:
    world.wait_for(f"{job_id} is {state}", lambda: state_of(world, job_id) == state)


def until_refused(world: World) -> dict[str, object]:
    """Ask for jobs until one is refused; those that were taken count."""
    key = (world.folder / "hub" / "admin.key").read_text().strip()
    for number in range(100):
        answer = httpx.post(
            f"{world.url}/tasks",
            json={"kind": "play.count", "inputs": {"number": 1}},
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
        )
        told: dict[str, object] = answer.json()
        if answer.status_code == 503:
            return told
        assert answer.status_code in (200, 201), answer.text
        world.asked[f"filling {number}"] = str(told["job_id"])
    raise AssertionError("a full disk took everything")


def said_in_chat(world: World, text: str) -> str:
    """Say something in the hub's own chat; return what it answers."""
    key = (world.folder / "hub" / "admin.key").read_text().strip()
    url = world.url.removesuffix("/api/v1")
    chat = subprocess.run(
        [sys.executable, "-m", "hub", "chat", "--hub", url, "--key", key],
        cwd=ROOT,
        input=f"{text}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return chat.stdout + chat.stderr


def words(world: World, name: str) -> str:
    return world.log(name).read_text()
