"""The same conversations as the shared child holds them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from desktop.core.llm.types import Endpoint, Message, Model, Sampling
from desktop.jobs.llm.speaker import Speaker
from tests.benchmarks.probes_peers import ASKED, MODEL


async def ours(base_url: str, folder: Path, probes: int, concurrency: int) -> None:
    """Hold them with our speaker, and write the replies as lines of JSON."""
    endpoint = Endpoint(
        name="stub", base_url=base_url, is_local=True, concurrency_max=max(64, concurrency)
    )
    places = asyncio.Semaphore(concurrency)
    speaker = Speaker()
    with (folder / "ours.jsonl").open("a", encoding="utf-8") as file:

        async def probe(number: int) -> None:
            messages: list[Message] = []
            async with places:
                for asked in ASKED:
                    messages.append(Message("user", asked))
                    reply = await speaker.say(Model(endpoint, MODEL), messages, Sampling())
                    messages.append(Message("assistant", reply.text))
            file.write(json.dumps({"probe": number, "said": [m.text for m in messages]}) + "\n")

        async with asyncio.TaskGroup() as group:
            for number in range(probes):
                group.create_task(probe(number))
    await speaker.aclose()
