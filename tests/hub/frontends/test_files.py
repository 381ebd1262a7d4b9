"""Files on their way through a real hub: announced, brought, shown, fetched, and gone again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import JsonValue

from shared.api.client import Client
from shared.environment import Environment
from shared.errors import AppError
from shared.kinds import FILE_BYTES_MAX, JsonObject
from tests.hub.frontends.world import HastyClock, PuppetWorker, World, open_world, until

TABLE = b"row,predicted\n1,yes\n"
HOUR = 3600.0


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def ref_of(content: bytes, name: str = "new.predictions.csv") -> JsonObject:
    return {
        "name": name,
        "sha256": sha256(content),
        "size_bytes": len(content),
        "media_type": "text/csv",
    }


async def announce(world: World, worker: PuppetWorker, *refs: JsonObject) -> None:
    """Ask for a file as a person does, and let the worker say that it comes."""
    answer = await world.rest.post("/tasks", json={"kind": "files.send", "inputs": {"file": "x"}})
    grant = await worker.grant_of(answer.json()["job_id"])
    await worker.starts(grant)
    result: JsonObject = {"headline": "It is on its way.", "sends": list(refs)}
    await worker.succeeds(grant, result)
    await until(lambda: worker.acked == len(worker.log))


async def bring(
    world: World, worker: PuppetWorker, content: bytes | AsyncIterator[bytes], digest: str = ""
) -> httpx.Response:
    digest = digest or (sha256(content) if isinstance(content, bytes) else "")
    headers = {"Authorization": f"Bearer {worker.token}"}
    return await world.rest.put(f"/files/{digest}", content=content, headers=headers)


async def ask(world: World, worker: PuppetWorker, digest: str) -> int:
    headers = {"Authorization": f"Bearer {worker.token}"}
    return (await world.rest.head(f"/files/{digest}", headers=headers)).status_code


async def arrivals(world: World) -> int:
    """How often it was told that the files of the newest job are here."""
    (job,) = (await world.rest.get("/jobs?limit=1")).json()["jobs"]
    events = (await world.rest.get(f"/jobs/{job['job_id']}/events")).json()["events"]
    return [event["type"] for event in events].count("files_arrived")


def kept(world: World) -> list[Path]:
    return [path for path in (world.hub.settings.data / "files").rglob("*") if path.is_file()]


async def test_a_file_is_told_after_its_job_and_fetched_by_its_first_digits(tmp_path: Path) -> None:
    async with open_world(tmp_path / "hub") as world, world.chat() as chat:
        worker = await world.pair()
        async with worker.online():
            await chat.say("/send new.predictions.csv")
            grant = await worker.any_grant()
            await worker.starts(grant)
            result: JsonObject = {"headline": "It is on its way.", "sends": [ref_of(TABLE)]}
            await worker.succeeds(grant, result)
            last_word = await chat.view(lambda view: view.final)
            assert last_word.text == "It is on its way."
            assert (await bring(world, worker, TABLE)).status_code == 201
            digits = sha256(TABLE)[:8]
            shown = await chat.view(lambda view: "deskhand-hub get" in view.text)
            assert shown.text == (
                f"From anna-pc:\nnew.predictions.csv · 20 bytes: deskhand-hub get {digits}"
            )
        client = Client(world.url, world.admin_key)
        first = await asyncio.to_thread(client.get_file, digits, tmp_path)
        second = await asyncio.to_thread(client.get_file, "NEW.predictions.csv", tmp_path)
        assert (first.name, first.read_bytes()) == ("new.predictions.csv", TABLE)
        assert (second.name, second.read_bytes()) == ("new-2.predictions.csv", TABLE)


async def test_only_what_a_result_announced_is_taken_in(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            answer = await bring(world, worker, TABLE)
            assert (answer.status_code, answer.json()["code"]) == (404, "file_unannounced")
            assert await ask(world, worker, sha256(TABLE)) == 404
            assert kept(world) == []


async def test_what_is_not_what_was_announced_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            await announce(world, worker, ref_of(TABLE))
            for wrong in (b"x" * len(TABLE), TABLE[:-1], TABLE + b"more", b""):
                answer = await bring(world, worker, wrong, sha256(TABLE))
                assert (answer.status_code, answer.json()["code"]) == (422, "file_mismatch")
            assert kept(world) == []
            assert await ask(world, worker, sha256(TABLE)) == 204
            assert (await bring(world, worker, TABLE)).status_code == 201
            assert await ask(world, worker, sha256(TABLE)) == 200


async def test_an_endless_upload_is_cut_at_the_announced_size(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < FILE_BYTES_MAX:
                sent += 65536
                yield b"x" * 65536

        async with worker.online():
            await announce(world, worker, ref_of(TABLE))
            try:
                answer = await bring(world, worker, endless(), sha256(TABLE))
            except httpx.TransportError:
                pass  # The hub hung up on it, which is an answer, too.
            else:
                assert answer.status_code == 422
            assert kept(world) == []
            assert sent < FILE_BYTES_MAX


async def test_a_result_that_announces_too_much_is_no_result(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            huge = {**ref_of(TABLE), "size_bytes": FILE_BYTES_MAX + 1}
            await announce(world, worker, huge)
            assert await ask(world, worker, sha256(TABLE)) == 404


@pytest.mark.parametrize("name", ["../../.bashrc", "a\\b.csv", "cod\u202evsc.exe", "", "a\nb"])
async def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            await announce(world, worker, ref_of(TABLE, name))
            jobs = (await world.rest.get("/jobs")).json()["jobs"]
            assert [job["error"]["code"] for job in jobs] == ["result_invalid"]


async def test_a_browser_saves_a_file_and_runs_nothing_of_it(tmp_path: Path) -> None:
    page = b"<script>alert(1)</script>"
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            name = '<b>"quoted"; x=y</b>.html'.replace("/", "")
            await announce(world, worker, ref_of(page, name) | {"media_type": "text/html"})
            await bring(world, worker, page)
        answer = await world.rest.get(f"/files/{sha256(page)}")
        assert answer.content == page
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename*=UTF-8''%3Cb%3E%22quoted%22%3B%20x")


async def test_nobody_gets_what_another_person_s_worker_brought(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        ben = (await world.rest.post("/people", json={"name": "ben"})).json()
        async with worker.online():
            await announce(world, worker, ref_of(TABLE))
            await bring(world, worker, TABLE)
        headers = {"Authorization": f"Bearer {ben['key']}"}
        answer = await world.rest.get(f"/files/{sha256(TABLE)}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "file_unknown")


async def test_a_person_s_key_brings_no_file_and_a_worker_s_fetches_none(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            await announce(world, worker, ref_of(TABLE))
            answer = await world.rest.put(f"/files/{sha256(TABLE)}", content=TABLE)
            assert (answer.status_code, answer.json()["code"]) == (403, "key_scope")
            headers = {"Authorization": f"Bearer {worker.token}"}
            answer = await world.rest.get(f"/files/{sha256(TABLE)}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "key_scope")


async def test_several_files_of_a_job_are_told_once_all_are_here(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, world.chat() as chat:
        worker = await world.pair()
        async with worker.online():
            await chat.say("/send x")
            grant = await worker.any_grant()
            await worker.starts(grant)
            refs: list[JsonValue] = [ref_of(TABLE, "one.csv"), ref_of(b"two", "two.csv")]
            await worker.succeeds(grant, {"headline": "Two files.", "sends": refs})
            await until(lambda: worker.acked == len(worker.log))
            await bring(world, worker, b"two")
            assert await arrivals(world) == 0
            await bring(world, worker, TABLE)
            assert await arrivals(world) == 1
            shown = await chat.view(lambda view: "deskhand-hub get" in view.text)
            assert [line.partition(" ·")[0] for line in shown.text.splitlines()[1:]] == [
                "one.csv",
                "two.csv",
            ]


async def test_a_file_is_kept_for_a_day_and_then_gone(tmp_path: Path) -> None:
    clock = HastyClock()
    async with open_world(tmp_path, Environment(clock=clock)) as world:
        worker = await world.pair()
        async with worker.online():
            await announce(world, worker, ref_of(TABLE))
            await bring(world, worker, TABLE)
            clock.ahead_seconds += 23 * HOUR
            await world.hub.services.files.sweep()
            assert len(kept(world)) == 1
            clock.ahead_seconds += 2 * HOUR
            await world.hub.services.files.sweep()
            assert kept(world) == []
            assert await ask(world, worker, sha256(TABLE)) == 410
            with pytest.raises(AppError) as caught:
                await world.hub.services.files.path(sha256(TABLE))
            assert caught.value.code == "file_gone"


async def test_a_file_that_never_comes_is_told_after_a_day(tmp_path: Path) -> None:
    clock = HastyClock()
    async with open_world(tmp_path, Environment(clock=clock)) as world, world.chat() as chat:
        worker = await world.pair()
        async with worker.online():
            await chat.say("/send x")
            grant = await worker.any_grant()
            await worker.starts(grant)
            await worker.succeeds(grant, {"headline": "Coming.", "sends": [ref_of(TABLE)]})
            await chat.view(lambda view: view.final)
            clock.ahead_seconds += 25 * HOUR
            await world.hub.services.files.sweep()
            told = await chat.view(lambda view: "within a day" in view.text)
            assert told.text.startswith("⚠ new.predictions.csv did not come from anna-pc")


async def test_what_a_killed_hub_left_half_written_is_removed(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            await announce(world, worker, ref_of(TABLE))
            await bring(world, worker, TABLE)
        (whole,) = kept(world)
    (whole.parent / "0123456789abcdef.part").write_bytes(b"half")
    async with open_world(tmp_path) as world:
        assert kept(world) == [whole]
        path = await world.hub.services.files.path(sha256(TABLE))
        assert path.read_bytes() == TABLE


async def test_only_a_start_tidies_for_later_a_file_may_be_coming(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        coming = tmp_path / "files" / "somebody" / "0123456789abcdef.part"
        coming.parent.mkdir(parents=True)
        coming.write_bytes(b"half")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):  # its loop has no end; one round is enough
                await world.hub.services.files.run()
        assert kept(world) == [coming]


async def test_what_a_frontend_has_sent_is_removed_unless_it_is_due_elsewhere(
    tmp_path: Path,
) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            await announce(world, worker, ref_of(TABLE))
            await announce(world, worker, ref_of(TABLE, "again.csv"))
            await bring(world, worker, TABLE)
            jobs = (await world.rest.get("/jobs")).json()["jobs"]
            first, second = (job["job_id"] for job in jobs)
            await world.hub.services.files.shown(first)
            assert len(kept(world)) == 1
            await world.hub.services.files.shown(second)
            assert kept(world) == []
