"""A worker that fetches its work over REST, as somebody else's program would be one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx

from tests.flows.ring import PATIENCE_SECONDS

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A job in hand."""

    job_id: str
    attempt: int
    fence: int
    spec: Json

    @property
    def grant(self) -> Json:
        return {"attempt": self.attempt, "fence": self.fence}

    @property
    def held(self) -> Json:
        return {"job_id": self.job_id, **self.grant}


@dataclass
class Fetcher:
    """Speaks plain HTTP with the key of one worker."""

    http: httpx.AsyncClient
    worker_id: str
    key: str
    done: list[str] = field(default_factory=list)

    async def call(
        self, method: str, path: str, body: Json | None = None, **query: object
    ) -> httpx.Response:
        return await self.http.request(
            method,
            f"/api/v1{path}",
            json=body,
            params=query,  # type: ignore[arg-type]
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=PATIENCE_SECONDS,
        )

    async def claim(self, wait_seconds: float = 20.0, **more: object) -> Fetched | None:
        answer = await self.call("POST", "/queue/claim", {"wait_seconds": wait_seconds, **more})
        if answer.status_code == 204:
            return None
        assert answer.status_code == 200, answer.text
        told = answer.json()
        return Fetched(told["job"]["job_id"], told["attempt"], told["fence"], told["job"])

    async def fetch(self) -> Fetched:
        fetched = await self.claim()
        assert fetched is not None
        return fetched

    async def tell(self, job: Fetched, what: str, **body: object) -> httpx.Response:
        return await self.call("POST", f"/queue/jobs/{job.job_id}/{what}", {**job.grant, **body})

    async def complete(self, job: Fetched, text: str = "") -> httpx.Response:
        return await self.tell(job, "complete", result={"headline": "Done.", "text": text})

    async def beat(self, *held: Fetched, **more: object) -> Json:
        body = {"held": [job.held for job in held], **more}
        answer = await self.call("POST", f"/workers/{self.worker_id}/heartbeat", body)
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told

    async def work(self) -> None:
        """Fetch and complete until nothing comes any more."""
        while (job := await self.claim(wait_seconds=0.5)) is not None:
            assert (await self.complete(job)).status_code == 200
            self.done.append(job.job_id)


@dataclass
class Owner:
    """The person whose hub it is, by the operator's key."""

    http: httpx.AsyncClient
    key: str

    async def call(
        self, method: str, path: str, body: Json | None = None, **query: object
    ) -> httpx.Response:
        answer = await self.http.request(
            method,
            f"/api/v1{path}",
            json=body,
            params=query,  # type: ignore[arg-type]
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=PATIENCE_SECONDS,
        )
        assert answer.is_success, answer.text
        return answer

    async def register(self, name: str, *kinds: str, slots: int = 1) -> Fetcher:
        body: Json = {
            "name": name,
            "capabilities": [{"kind": f"play.{kind}"} for kind in kinds],
            "slots": slots,
        }
        told = (await self.call("POST", "/workers", body)).json()
        return Fetcher(self.http, told["worker_id"], told["key"])

    async def ask_for(self, kind: str, **more: object) -> str:
        answer = await self.call("POST", "/queue/jobs", {"kind": f"play.{kind}", **more})
        return str(answer.json()["job_id"])

    async def job(self, job_id: str) -> Json:
        told: Json = (await self.call("GET", f"/jobs/{job_id}")).json()
        return told

    async def until(self, job_id: str, *states: str) -> Json:
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The API has no bell for one job alone.
            while (job := await self.job(job_id))["state"] not in states:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return job

    async def types(self, job_id: str) -> list[str]:
        told = (await self.call("GET", f"/jobs/{job_id}/events")).json()
        return [event["type"] for event in told["events"]]
