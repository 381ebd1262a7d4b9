"""A file that was asked for leaves its machine, arrives whole, and nothing else does."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import httpx
import pytest

from desktop.core.link import LinkState
from desktop.core.policy import Policy
from hub.settings import Settings
from shared.ids import JobId
from shared.jobs import JobState, Origin
from shared.kinds import FILE_BYTES_MAX, SENDS_MAX, FileRef, Output
from tests.flows import programs
from tests.flows.ring import PATIENCE_SECONDS, Ring, Worker, a_ring, everything, farewell

pytestmark = pytest.mark.flow


def folder_of(tmp_path: Path) -> Path:
    """The one allowed folder: the worker's own profile lies beside it."""
    folder = tmp_path / "documents"
    folder.mkdir(exist_ok=True)
    return folder


def policy_of(tmp_path: Path, **more: object) -> Policy:
    return everything(tmp_path).model_copy(update={"folders": (str(folder_of(tmp_path)),), **more})


def copies(worker: Worker) -> list[Path]:
    outgoing = worker.setup.paths.outgoing
    return list(outgoing.iterdir()) if outgoing.exists() else []


async def handed_over(ring: Ring, job_id: JobId) -> FileRef:
    card = await ring.until(job_id, JobState.SUCCEEDED)
    (ref,) = Output.model_validate(card.result).sends
    return ref


async def content_of(ring: Ring, job_id: JobId) -> bytes:
    """Wait until what a job handed over is on the hub, and read it."""
    ref = await handed_over(ring, job_id)
    feed = ring.hub.services.feed
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            position = feed.position()
            if "files_arrived" in [fact.type for fact in await ring.history(job_id)]:
                break
            await feed.wait(position)
    path = await ring.hub.services.files.path(ref.sha256)
    return path.read_bytes()


async def failure_of(ring: Ring, job_id: JobId) -> str:
    card = await ring.until(job_id, JobState.FAILED)
    assert card.error is not None
    assert card.error.hint
    return card.error.code


async def until_gone(worker: Worker) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        # A folder has no bell.
        while copies(worker):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_file_arrives_whole_and_the_worker_keeps_no_copy(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (folder_of(tmp_path) / "sales.csv").write_bytes(content)
    async with a_ring(tmp_path) as ring:
        worker = await ring.join(policy=policy_of(tmp_path))
        job_id = await ring.ask_for("hand", text="sales.csv")
        assert await content_of(ring, job_id) == content
        await until_gone(worker)


async def test_a_file_that_the_job_made_for_it_leaves_under_the_name_it_gave(
    tmp_path: Path,
) -> None:
    async with a_ring(tmp_path) as ring:
        await ring.join(policy=policy_of(tmp_path))
        job_id = await ring.ask_for("hand_made", text="a chart")
        assert await content_of(ring, job_id) == b"a chart"
        ref = await handed_over(ring, job_id)
        assert ref.name == "what you asked for.txt"


async def test_what_leaves_is_the_file_as_it_is_when_the_job_has_ended(tmp_path: Path) -> None:
    later = folder_of(tmp_path) / "later.csv"
    async with a_ring(tmp_path) as ring:
        await ring.join(policy=policy_of(tmp_path))
        job_id = await ring.ask_for("hand_later", text=str(later))
        await ring.until(job_id, JobState.RUNNING)
        later.write_text("written after it was asked for")
        assert await content_of(ring, job_id) == b"written after it was asked for"


async def test_a_hostile_job_cannot_make_the_worker_send_what_lies_elsewhere(
    tmp_path: Path,
) -> None:
    folder, secret = folder_of(tmp_path), tmp_path / "token"
    secret.write_text("secret")
    (folder / "link.csv").symlink_to(secret)
    (folder / "deep").mkdir()
    (folder / "deep" / "way").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.csv")
    tried = {
        secret: "file_outside_folders",
        folder / "link.csv": "file_outside_folders",
        folder / ".." / "token": "file_outside_folders",
        folder / "deep" / "way" / "token": "file_outside_folders",
        folder: "file_outside_folders",
        folder / "deep": "file_not_plain",
        folder / "pipe.csv": "file_not_plain",
        folder / "nothing.csv": "file_missing",
        Path("relative.csv"): "file_outside_folders",
    }
    async with a_ring(tmp_path) as ring:
        worker = await ring.join(policy=policy_of(tmp_path))
        for path, code in tried.items():
            job_id = await ring.ask_for("hand_unasked", text=str(path))
            assert await failure_of(ring, job_id) == code, path
        assert copies(worker) == []


async def test_what_a_child_announces_by_itself_does_not_count(tmp_path: Path) -> None:
    sales = folder_of(tmp_path) / "sales.csv"
    sales.write_text("1")
    async with a_ring(tmp_path) as ring:
        await ring.join(policy=policy_of(tmp_path))
        job_id = await ring.ask_for("hand_unasked", text=str(sales))
        ref = await handed_over(ring, job_id)
        assert ref.sha256 == hashlib.sha256(b"1").hexdigest()


async def test_what_no_chat_can_carry_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    with (folder / "huge.csv").open("wb") as huge:
        huge.truncate(FILE_BYTES_MAX + 1)
    (folder / "small.csv").write_text("1")
    async with a_ring(tmp_path) as ring:
        worker = await ring.join(policy=policy_of(tmp_path))
        job_id = await ring.ask_for("hand", text="huge.csv")
        assert await failure_of(ring, job_id) == "file_too_large"
        job_id = await ring.ask_for("hand", text="small.csv", number=SENDS_MAX)
        assert await failure_of(ring, job_id) == "files_too_many"
        assert copies(worker) == []


@pytest.mark.parametrize("kind", ["hand", "hand_unasked"])
async def test_files_leave_only_for_whom_the_owner_lets_them(tmp_path: Path, kind: str) -> None:
    sales = folder_of(tmp_path) / "sales.csv"
    sales.write_text("1")
    policy = policy_of(tmp_path, send_files=Policy().send_files)
    async with a_ring(tmp_path) as ring:
        worker = await ring.join(policy=policy)
        for origin in (Origin.GROUP, Origin.API):
            job_id = await ring.ask_for(kind, origin=origin, text=str(sales))
            assert await failure_of(ring, job_id) == "sending_refused"
        assert copies(worker) == []
        job_id = await ring.ask_for(kind, origin=Origin.CHAT, text=str(sales))
        assert await content_of(ring, job_id) == b"1"


async def test_a_file_named_by_the_job_that_wrote_it_is_found_by_its_worker_alone(
    tmp_path: Path,
) -> None:
    (folder_of(tmp_path) / "written.csv").write_text("1")
    async with a_ring(tmp_path) as ring:
        await ring.join("anna-pc", policy=policy_of(tmp_path))
        await ring.join("attic", policy=policy_of(tmp_path))
        wrote = await ring.ask_for("wrote", worker="attic", text="written.csv")
        await ring.until(wrote, JobState.SUCCEEDED)
        job_id = await ring.ask_for("hand", worker="attic", text=f"#{wrote}")
        assert await content_of(ring, job_id) == b"1"
        job_id = await ring.ask_for("hand", worker="anna-pc", text=f"#{wrote}")
        assert await failure_of(ring, job_id) == "output_unknown"


async def test_a_file_is_brought_once_the_hub_is_back(tmp_path: Path) -> None:
    later = folder_of(tmp_path) / "later.csv"
    async with a_ring(tmp_path) as first:
        worker = await first.join(policy=policy_of(tmp_path))
        port = first.hub.settings.port
        job_id = await first.ask_for("hand_later", text=str(later))
        await first.until(job_id, JobState.RUNNING)
        workers, first.workers = first.workers, []
    later.write_text("1")
    await worker.until_idle()
    assert len(copies(worker)) == 1
    await worker.stop()
    worker.start()
    try:
        async with a_ring(tmp_path, port=port, workers=workers) as again:
            assert await content_of(again, job_id) == b"1"
            await until_gone(worker)
    finally:
        await farewell(workers)


async def test_a_hub_killed_in_the_middle_of_an_upload_gets_it_whole(tmp_path: Path) -> None:
    content = os.urandom(30_000_000)
    (folder_of(tmp_path) / "large.csv").write_bytes(content)
    async with a_ring(tmp_path) as ring:
        worker = await ring.pair("anna-pc", policy=policy_of(tmp_path))
        settings: Settings = ring.hub.settings
        workers, ring.workers = ring.workers, []
    data, port, files = settings.data, settings.port, settings.data / "files"
    hub = programs.start("hub", data, str(port), log=tmp_path / "hub.log")
    worker.start()
    try:
        await worker.until(LinkState.ONLINE)
        await _ask_over_rest(settings, "large.csv")
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The hub is another program: its folder is all that is seen of it.
            while not list(files.glob("*/*.part")):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        programs.kill(hub)
        assert len(copies(worker)) == 1
        hub = programs.start("hub", data, str(port), log=tmp_path / "hub.log")
        await until_gone(worker)
        (whole,) = (path for path in files.rglob("*") if path.is_file())
        assert whole.name == hashlib.sha256(content).hexdigest()
        assert whole.read_bytes() == content
    finally:
        programs.kill(hub)
        await farewell(workers)


async def _ask_over_rest(settings: Settings, file: str) -> None:
    headers = {"Authorization": f"Bearer {settings.admin_key_file.read_text().strip()}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, verify=False) as rest:
        body = {"kind": "play.hand", "inputs": {"text": file}}
        answer = await rest.post(f"{settings.local_url}/api/v1/tasks", json=body)
        assert answer.status_code == 201
