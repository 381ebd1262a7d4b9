"""A file that was asked for in a task's thread comes into that thread, and can be fetched there."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from hub.frontends.webchat import conversation_of
from hub.services.requests import Request
from tests.flows.ring import PATIENCE_SECONDS, Ring, a_ring

pytestmark = pytest.mark.flow


async def signed_in(ring: Ring, http: httpx.AsyncClient) -> None:
    link = await ring.hub.services.sign_ins.link(ring.person_id)
    await http.post(f"/in/{link.secret}")


async def arrived(ring: Ring) -> None:
    feed = ring.hub.services.feed
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "files_arrived" not in [fact.type for fact in await feed.after(0, 10_000)]:
            await feed.wait(feed.position())


async def test_a_file_comes_into_its_thread_and_is_fetched_by_its_person_alone(
    tmp_path: Path,
) -> None:
    async with a_ring(tmp_path) as ring:
        await ring.join()
        request = Request(
            person_id=ring.person_id,
            kind="play.hand_made",
            inputs={"text": "what the chart says"},
            conversation=conversation_of(ring.person_id),
        )
        card = (await ring.hub.services.intake.request(request)).card
        await arrived(ring)
        url = ring.hub.settings.local_url
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
            await signed_in(ring, http)
            thread = (await http.get(f"/chat/{card.job.task_id}")).text
            assert "what you asked for.txt" in thread
            [path] = set(re.findall(r'href="(/files/[0-9a-f]{64})"', thread))
            fetched = await http.get(path)
            assert fetched.text == "what the chart says"
            assert fetched.headers["content-disposition"].startswith("attachment;")
            assert "sandbox" in fetched.headers["content-security-policy"]
            # It is kept for as long as it may be: looking at it is not having it.
            assert (await http.get(path)).status_code == httpx.codes.OK
            async with asyncio.timeout(PATIENCE_SECONDS):
                while path not in (await http.get("/chat/desk")).text:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

        boris = await ring.hub.services.registry.add_person("boris")
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as other:
            link = await ring.hub.services.sign_ins.link(boris.person_id)
            await other.post(f"/in/{link.secret}")
            assert (await other.get(path)).status_code == httpx.codes.NOT_FOUND
