"""docs/protocol.md tells enough: a worker written from it pairs with a real hub and does a job."""

from __future__ import annotations

import ast
import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.app import Hub, running
from hub.settings import Settings
from shared.pairing import check_words
from shared.words import ADJECTIVES, NOUNS
from tests.flows import other_client
from tests.flows.other_client import PAGE, OtherWorker, lists_of_words

pytestmark = pytest.mark.flow


@dataclass
class Owner:
    """The hub's person, through the REST API."""

    hub: Hub
    http: httpx.AsyncClient

    async def get(self, path: str) -> Any:
        answer = await self.http.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = await self.http.post(f"/api/v1{path}", json=body or {})
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def decide(self, worker: OtherWorker, decision: str) -> None:
        """Say yes or no, but only to the words that the worker shows."""
        listed = (await self.get("/pairings"))["pairings"]
        [asked] = [p for p in listed if p["pairing_id"] == worker.pairing["pairing_id"]]
        assert asked["words"] == worker.words
        await self.post(f"/pairings/{asked['pairing_id']}/{decision}")


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[Owner]:
    settings = Settings(data=tmp_path, port=0, host="127.0.0.1")
    async with running(settings) as hub:
        key = settings.admin_key_file.read_text().strip()
        async with httpx.AsyncClient(
            base_url=hub.settings.local_url, headers={"Authorization": f"Bearer {key}"}
        ) as http:
            yield Owner(hub, http)


@contextlib.asynccontextmanager
async def paired(owner: Owner) -> AsyncIterator[OtherWorker]:
    worker = OtherWorker(owner.hub.settings.local_url)
    await worker.ask((await owner.post("/invitations", {"is_approved": True}))["code"])
    await worker.fetch_token()
    yield worker


def test_the_other_client_is_written_from_the_page_alone() -> None:
    tree = ast.parse(Path(other_client.__file__).read_text())
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not {name.split(".")[0] for name in imported} & {"shared", "desktop", "hub", "tests"}


def test_the_page_has_the_words_and_an_example_that_is_true() -> None:
    assert lists_of_words() == (list(ADJECTIVES), list(NOUNS))
    assert f'"{check_words(bytes(range(32)), bytes(range(16)))}"' in PAGE.read_text()


async def test_a_worker_from_the_page_pairs_and_does_a_job(owner: Owner) -> None:
    worker = OtherWorker(owner.hub.settings.local_url)
    told = await worker.ask((await owner.post("/invitations"))["code"])
    assert told["user_code"] == ""
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(worker.fetch_token())
        await owner.decide(worker, "approve")
    joined = waiting.result()
    assert joined["worker_name"] == "other"
    async with worker.line() as socket:
        job = await owner.post("/tasks", {"kind": "data.describe", "inputs": {"file": "a.csv"}})
        offered = await worker.serve_one(socket, "a.csv: 3 rows.")
        assert (offered["job_id"], offered["inputs"]) == (job["job_id"], {"file": "a.csv"})
    card = await owner.get(f"/jobs/{job['job_id']}")
    assert (card["state"], card["result"]["headline"]) == ("succeeded", "a.csv: 3 rows.")


async def test_the_other_direction_shows_a_code_for_the_person_to_send(owner: Owner) -> None:
    worker = OtherWorker(owner.hub.settings.local_url)
    told = await worker.ask()
    assert told["person_name"] == ""
    [person] = await owner.hub.services.registry.people()
    await owner.hub.services.pairing.adopt(person.person_id, told["user_code"], "")
    await owner.decide(worker, "approve")
    assert (await worker.fetch_token())["person_name"] == person.name


async def test_a_no_is_the_end(owner: Owner) -> None:
    worker = OtherWorker(owner.hub.settings.local_url)
    await worker.ask((await owner.post("/invitations"))["code"])
    await owner.decide(worker, "reject")
    assert (await worker.fetch_token())["code"] == "pairing_rejected"


async def test_a_code_is_spent_by_asking(owner: Owner) -> None:
    code = (await owner.post("/invitations"))["code"]
    await OtherWorker(owner.hub.settings.local_url).ask(code)
    late = await OtherWorker(owner.hub.settings.local_url).ask(code)
    assert late["code"] == "pairing_code_wrong"


async def test_the_same_key_stays_the_same_worker(owner: Owner) -> None:
    async with paired(owner) as worker:
        first = worker.joined
        async with worker.line():
            pass
        await worker.ask((await owner.post("/invitations", {"is_approved": True}))["code"])
        again = await worker.fetch_token()
    assert again["worker_id"] == first["worker_id"]
    assert again["token"] != first["token"]


async def test_a_newer_line_ends_the_older_one(owner: Owner) -> None:
    async with paired(owner) as worker, worker.line() as older, worker.line():
        assert (await worker.goodbye(older))["code"] == "connection_replaced"


async def test_a_revoked_worker_is_told_at_once_and_not_let_in_again(owner: Owner) -> None:
    async with paired(owner) as worker:
        async with worker.line() as socket:
            async with asyncio.timeout(1):
                await owner.http.delete(f"/api/v1/workers/{worker.joined['worker_id']}")
                assert (await worker.goodbye(socket))["code"] == "worker_revoked"
        with pytest.raises(Exception, match="HTTP 401"):
            async with worker.line():
                pass
