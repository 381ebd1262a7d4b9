"""Workers that fetch their work over REST: a real hub program, and plain HTTP clients."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from hub.demo.programs import free_port
from shared.api.client import Client
from shared.errors import AppError
from shared.ids import JobId
from tests.flows import programs
from tests.flows.desks import a_desk, row
from tests.flows.fetching import Fetcher, Owner
from tests.flows.ring import PATIENCE_SECONDS, a_ring

pytestmark = pytest.mark.flow

JOBS = 200
CLIENTS = 20
BEAT_SECONDS, SILENT_SECONDS = 0.3, 1.5
REVOKED_SECONDS = 5.0
"""Who waits would wait for longer than this; a busy machine takes its time."""


class HubProgram:
    """A hub in a process of its own; killed and started as wanted."""

    def __init__(self, folder: Path, *, is_restless: bool = False) -> None:
        """Take a folder; a restless hub takes whoever is silent for a moment for gone."""
        self._folder = folder
        self._port = free_port()
        self._beats = f"{BEAT_SECONDS} {SILENT_SECONDS}" if is_restless else ""
        self.start()

    def start(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(programs.BEATS, self._beats)
            self._process = programs.start(
                "hub", self._folder / "data", str(self._port), log=self._folder / "hub.log"
            )
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while not self._is_up():
            assert time.monotonic() < ends_at, "the hub did not start"
            time.sleep(0.05)

    def kill(self) -> None:
        programs.kill(self._process)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def _is_up(self) -> bool:
        try:
            return bool(Client(self.url).get_health())
        except AppError:
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def key(self) -> str:
        return (self._folder / "data" / "admin.key").read_text().strip()


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    hub = HubProgram(tmp_path_factory.mktemp("patient"))
    yield hub
    hub.kill()


@pytest.fixture(scope="module")
def restless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProgram]:
    hub = HubProgram(tmp_path_factory.mktemp("restless"), is_restless=True)
    yield hub
    hub.kill()


@contextlib.asynccontextmanager
async def somebody(hub: HubProgram) -> AsyncIterator[Owner]:
    """A person of their own for each test, so that none sees another's jobs."""
    # A hub closes a line that was quiet for 5 s: one must not be taken again at that moment.
    limits = httpx.Limits(max_connections=100, keepalive_expiry=2)
    async with httpx.AsyncClient(
        base_url=hub.url, trust_env=False, verify=False, limits=limits
    ) as http:
        told = await Owner(http, hub.key).call("POST", "/people", {"name": "anna"})
        yield Owner(http, told.json()["key"])


@pytest.fixture
async def owner(patient: HubProgram) -> AsyncIterator[Owner]:
    async with somebody(patient) as owner:
        yield owner


@pytest.fixture
async def hurried(restless: HubProgram) -> AsyncIterator[Owner]:
    """A person of the restless hub."""
    async with somebody(restless) as owner:
        yield owner


async def test_of_two_hundred_jobs_each_is_fetched_once_by_twenty_clients(
    owner: Owner,
) -> None:
    fetchers = [await owner.register(f"box {n}", "count", slots=2) for n in range(CLIENTS // 2)]
    # Two clients of one worker race with each other, too.
    waiting = [asyncio.create_task(f.work()) for f in fetchers for _ in range(2)]  # noqa: TID251
    jobs = await asyncio.gather(*(owner.ask_for("count") for _ in range(JOBS)))
    await asyncio.gather(*waiting)
    await asyncio.gather(*(fetcher.work() for fetcher in fetchers))
    done = Counter(job_id for fetcher in fetchers for job_id in fetcher.done)
    assert done == Counter(jobs)
    told = await owner.call("GET", "/events", types="job_granted", after=0, limit=JOBS)
    granted = Counter(event["body"]["job_id"] for event in told.json()["events"])
    assert granted == Counter(jobs)
    depth = (await owner.call("GET", "/queue")).json()
    assert (depth["waiting"], depth["running"]) == (0, 0)


async def test_a_fetched_job_is_reported_on_asks_and_ends(owner: Owner) -> None:
    box = await owner.register("box", "count", "ask")
    assert await box.claim(wait_seconds=0) is None
    job_id = await owner.ask_for("ask")
    job = await box.fetch()
    assert (job.job_id, job.attempt, job.fence) == (job_id, 1, 1)
    assert (await box.tell(job, "progress", stage="fold", done=1, total=2)).json() == {"stop": ""}
    assert (await box.tell(job, "log", lines=["one", "two"])).json() == {"stop": ""}
    asking = {
        "key": "file",
        "kind": "choice",
        "text": "Which?",
        "choices": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}],
    }
    asked = (await box.tell(job, "ask", asking=asking)).json()["question_id"]
    assert (await owner.job(job_id))["state"] == "asking"
    # While it asks its slot is free.
    other = await owner.ask_for("count")
    second = await box.fetch()
    assert second.job_id == other
    assert (await box.complete(second)).status_code == 200

    waiting = asyncio.create_task(box.call("GET", f"/queue/questions/{asked}"))  # noqa: TID251
    await owner.call("POST", f"/questions/{asked}/answer", {"reply": "B"})
    answer = (await waiting).json()
    assert (answer["state"], answer["answer"]["value"]) == ("answered", "b")
    assert (await owner.job(job_id))["state"] == "running"

    wrong = await box.tell(job, "complete", result={"number": "many"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "result_invalid")
    assert (await owner.job(job_id))["state"] == "running"
    for _ in range(2):  # the first answer may have been lost on the way
        assert (await box.complete(job, "b")).status_code == 200
    ended = await owner.job(job_id)
    assert (ended["state"], ended["result"]) == (
        "succeeded", {"headline": "Done.", "text": "b"},
    )  # fmt: skip
    assert await owner.types(job_id) == [
        "job_queued", "job_granted", "job_started", "job_logged", "question_asked",
        "question_answered", "job_resumed", "job_succeeded",
    ]  # fmt: skip


async def test_a_failure_is_tried_again_and_a_parked_job_starts_again_with_its_answer(
    owner: Owner,
) -> None:
    box = await owner.register("box", "count")
    lasting = await owner.ask_for("count")
    job = await box.fetch()
    broken = {"code": "file_broken", "message": "The file is broken."}
    assert (await box.tell(job, "fail", error=broken)).status_code == 200
    failed = await owner.job(lasting)
    assert (failed["state"], failed["error"]["code"]) == ("failed", "file_broken")  # type: ignore[index]

    parked = await owner.ask_for("count")
    job = await box.fetch()
    asking = {"key": "file", "kind": "clarification", "text": "Which?", "allow_text": True}
    asked = (await box.tell(job, "ask", asking=asking)).json()["question_id"]
    assert (await box.tell(job, "park", question_id=asked)).status_code == 200
    assert await box.claim(wait_seconds=0) is None
    await owner.call("POST", f"/questions/{asked}/answer", {"reply": "sales.csv"})
    again = await box.fetch()
    assert (again.job_id, again.fence) == (parked, 2)
    assert again.spec["answers"] == {"file": "sales.csv"}


async def test_a_silent_worker_loses_its_job_and_its_late_word_is_kept_beside(
    hurried: Owner,
) -> None:
    owner = hurried
    silent, other = await owner.register("silent", "count"), await owner.register("other", "count")
    job_id = await owner.ask_for("count")
    lost = await silent.fetch()
    taken = await other.fetch()  # waits for as long as the first is only quiet
    assert (taken.job_id, taken.fence) == (job_id, 2)
    for what, body in (
        ("progress", {"done": 1}),
        ("log", {"lines": ["still here"]}),
        ("fail", {"error": {"code": "x", "message": "It broke."}}),
        ("complete", {"result": {"headline": "Late."}}),
    ):
        late = await silent.tell(lost, what, **body)
        assert (late.status_code, late.json()["code"]) == (409, "fence_stale"), what
    told = await silent.beat(lost)
    assert [stop["job_id"] for stop in told["stop"]] == [job_id]  # type: ignore[attr-defined]
    assert (await other.complete(taken, "other")).status_code == 200
    ended = await owner.job(job_id)
    assert ended["result"] == {"headline": "Done.", "text": "other"}
    assert (await owner.types(job_id)).count("late_result") == 1


async def test_who_is_back_before_anybody_else_took_the_job_goes_on_with_it(
    hurried: Owner,
) -> None:
    owner = hurried
    box = await owner.register("box", "count")
    job_id = await owner.ask_for("count")
    job = await box.fetch()
    await owner.until(job_id, "queued")
    assert (await box.beat(job))["stop"] == []
    assert (await owner.job(job_id))["state"] == "running"
    assert (await box.complete(job)).status_code == 200


async def test_heartbeats_keep_a_job_and_what_they_leave_out_is_lost(
    hurried: Owner,
) -> None:
    owner = hurried
    box = await owner.register("box", "count", "effect", slots=2)
    kept, forgotten = await owner.ask_for("effect"), await owner.ask_for("count")
    jobs = {job.job_id: job for job in (await box.fetch(), await box.fetch())}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await owner.job(forgotten))["attempt"] == 1:
            await box.beat(jobs[kept])
            await asyncio.sleep(BEAT_SECONDS)
    started = time.monotonic()
    while time.monotonic() - started < SILENT_SECONDS * 1.5:
        await box.beat(jobs[kept])
        await asyncio.sleep(BEAT_SECONDS)
    assert (await owner.job(kept))["state"] == "running"
    assert (await box.complete(jobs[kept])).status_code == 200


async def test_a_drained_worker_is_given_nothing_and_ends_what_it_has(
    owner: Owner,
) -> None:
    box = await owner.register("box", "count", slots=2)
    await owner.ask_for("count")
    job = await box.fetch()
    await owner.call("POST", f"/workers/{box.worker_id}/drain")
    waiting = await owner.ask_for("count")
    assert await box.claim(wait_seconds=0.3) is None
    assert (await box.beat(job))["is_paused"] is True
    assert (await box.complete(job)).status_code == 200
    assert (await owner.job(waiting))["waiting"] == "paused"
    await owner.call("POST", f"/workers/{box.worker_id}/resume")
    assert (await box.fetch()).job_id == waiting


async def test_a_cancelled_job_is_stopped_by_the_next_word_and_ends_cancelled(
    owner: Owner,
) -> None:
    box = await owner.register("box", "count")
    job_id = await owner.ask_for("count")
    job = await box.fetch()
    await owner.call("POST", f"/jobs/{job_id}/cancel")
    stop = (await box.tell(job, "progress", done=1)).json()["stop"]
    assert stop.startswith("Cancelled by")
    assert [s["job_id"] for s in (await box.beat(job))["stop"]] == [job_id]  # type: ignore[attr-defined]
    stopped = {"code": "stopped", "message": "Stopped as asked."}
    assert (await box.tell(job, "fail", error=stopped)).status_code == 200
    assert (await owner.job(job_id))["state"] == "cancelled"


async def test_a_worker_that_is_shown_out_is_cut_off_within_a_second(
    owner: Owner,
) -> None:
    box, other = await owner.register("box", "count", slots=2), await owner.register("b2", "count")
    job_id = await owner.ask_for("count")
    await box.fetch()
    waiting = asyncio.create_task(box.call("POST", "/queue/claim", {}))  # noqa: TID251
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.2)
    before = time.monotonic()
    await owner.call("DELETE", f"/workers/{box.worker_id}")
    assert (await waiting).status_code == 401
    assert time.monotonic() - before < REVOKED_SECONDS
    assert (await box.call("POST", "/queue/claim", {})).status_code == 401
    assert (await other.fetch()).job_id == job_id


async def test_a_key_that_is_revoked_ends_what_waits_by_it_and_another_goes_on(
    owner: Owner,
) -> None:
    box = await owner.register("box", "count", "ask", slots=2)
    await owner.ask_for("ask")
    job = await box.fetch()
    asking = {"key": "file", "kind": "clarification", "text": "Which?", "allow_text": True}
    asked = (await box.tell(job, "ask", asking=asking)).json()["question_id"]
    listed = (await owner.call("GET", "/keys")).json()["keys"]
    [own] = [key for key in listed if key["worker_id"] == box.worker_id]
    path = f"/keys/{own['key_id']}"
    new = (await owner.call("POST", f"{path}/rotate", {"overlap_seconds": 60})).json()
    waiting = asyncio.gather(
        box.call("POST", "/queue/claim", {}), box.call("GET", f"/queue/questions/{asked}")
    )
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.2)
    before = time.monotonic()
    await owner.call("DELETE", path)
    assert [answer.status_code for answer in await waiting] == [401, 401]
    assert time.monotonic() - before < REVOKED_SECONDS
    box.key = new["key"]
    await owner.call("POST", f"/questions/{asked}/answer", {"reply": "sales.csv"})
    answer = (await box.call("GET", f"/queue/questions/{asked}")).json()
    assert answer["answer"]["value"] == "sales.csv"
    assert (await box.complete(job)).status_code == 200


async def test_a_fetch_whose_answer_was_lost_is_answered_again(owner: Owner) -> None:
    box = await owner.register("box", "effect", slots=2)
    jobs = [await owner.ask_for("effect"), await owner.ask_for("effect")]
    headers = {"Authorization": f"Bearer {box.key}", "Idempotency-Key": "fetch-1"}
    told = [
        (await owner.http.post("/api/v1/queue/claim", json={}, headers=headers)).json()
        for _ in range(2)
    ]
    assert told[0] == told[1], told
    assert told[0]["job"]["job_id"] == jobs[0]
    assert (await box.fetch()).job_id == jobs[1]


async def test_a_hub_that_stops_answers_whoever_waits(tmp_path: Path) -> None:
    hub = HubProgram(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(hub.kill)
        owner = await stack.enter_async_context(somebody(hub))
        box = await owner.register("box", "count")
        waiting = asyncio.create_task(box.call("POST", "/queue/claim", {}))  # noqa: TID251
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.2)
        before = time.monotonic()
        hub.stop()
        assert (await waiting).status_code == 204
        assert time.monotonic() - before < PATIENCE_SECONDS / 3


async def test_a_client_that_hung_up_is_not_given_a_job(patient: HubProgram, owner: Owner) -> None:
    hub = patient
    box = await owner.register("box", "effect")
    async with httpx.AsyncClient(base_url=hub.url, trust_env=False, verify=False) as http:
        gone = Fetcher(http, box.worker_id, box.key)
        with pytest.raises(httpx.ReadTimeout):
            await http.post(
                "/api/v1/queue/claim",
                json={},
                headers={"Authorization": f"Bearer {gone.key}"},
                timeout=0.5,
            )
    job_id = await owner.ask_for("effect")
    job = await box.fetch()
    assert (job.job_id, job.fence) == (job_id, 1)


async def test_a_hub_that_was_killed_knows_who_holds_what(tmp_path: Path) -> None:
    hub = HubProgram(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(hub.kill)
        owner = await stack.enter_async_context(somebody(hub))
        box = await owner.register("box", "count", "effect", slots=2)
        jobs = [await owner.ask_for("effect"), await owner.ask_for("count")]
        held = [await box.fetch(), await box.fetch()]
        waiting = asyncio.create_task(box.claim())  # noqa: TID251
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.2)
        hub.kill()
        with pytest.raises(httpx.TransportError):
            await waiting
        hub.start()
        assert (await box.complete(held[0])).status_code == 200
        assert (await box.beat(held[1]))["stop"] == []
        assert (await box.complete(held[1])).status_code == 200
        for job_id in jobs:
            assert (await owner.job(job_id))["state"] == "succeeded"
            assert (await owner.types(job_id)).count("job_granted") == 1


async def test_a_persons_computers_read_what_such_a_worker_reports(tmp_path: Path) -> None:
    async with (
        a_ring(tmp_path) as ring,
        a_desk(ring) as desk,
        httpx.AsyncClient(
            base_url=ring.hub.settings.local_url, trust_env=False, verify=False
        ) as http,
    ):
        owner = Owner(http, ring.hub.settings.admin_key_file.read_text().strip())
        box = await owner.register("gpu-box", "effect")
        job_id = JobId(await owner.ask_for("effect", worker="gpu-box"))
        job = await box.fetch()
        assert (await box.complete(job, "by the box")).status_code == 200
        shown = await row(desk, job_id, "succeeded")
        _, worker_id, result, _ = shown
        assert worker_id == box.worker_id
        assert "by the box" in result
