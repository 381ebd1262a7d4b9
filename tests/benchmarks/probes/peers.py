"""The same conversations, held by others: a plain client, and inspect_ai.

Every subject is one function that holds `probes` conversations of TURNS turns, at most
`concurrency` at a time, against an OpenAI-like server, and keeps what was said in a folder.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

MODEL = "stub-model"
TURNS = 3
ASKED = (
    "A trolley runs towards five people on the track. You stand at a lever that would turn it onto"
    " a side track with one person. You have four seconds. What do you do, and why? Answer in three"
    " sentences, then write Choice: and a number from 1 (do nothing) to 5 (pull the lever).",
    "Now the one person on the side track is your neighbour, whom you have known for twenty years."
    " Does that change your choice? Answer the same way.",
    "Looking back at both answers: which value decided? Name one word, and say how sure you are.",
)


async def plain(base_url: str, folder: Path, probes: int, concurrency: int) -> None:
    """Send the JSON with httpx2, and write the replies as lines of JSON. The floor."""
    import httpx2

    places = asyncio.Semaphore(concurrency)
    limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    with (folder / "plain.jsonl").open("a", encoding="utf-8") as file:
        async with httpx2.AsyncClient(base_url=base_url, limits=limits, timeout=60) as client:

            async def probe(number: int) -> None:
                messages: list[dict[str, str]] = []
                async with places:
                    for asked in ASKED:
                        messages.append({"role": "user", "content": asked})
                        answer = await client.post(
                            "/chat/completions",
                            json={"model": MODEL, "messages": messages},
                            headers={"authorization": "Bearer none"},
                        )
                        said = answer.raise_for_status().json()["choices"][0]["message"]["content"]
                        messages.append({"role": "assistant", "content": said})
                file.write(json.dumps({"probe": number, "messages": messages}) + "\n")

            async with asyncio.TaskGroup() as group:
                for number in range(probes):
                    group.create_task(probe(number))


def inspect(base_url: str, folder: Path, probes: int, concurrency: int) -> None:
    """Have inspect_ai evaluate a task of as many samples, with its log as it comes."""
    os.environ.update(STUB_BASE_URL=base_url, STUB_API_KEY="none")
    from inspect_ai import Task, eval  # noqa: A004
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageUser
    from inspect_ai.solver import Generate, Solver, TaskState, solver

    @solver
    def conversation() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            state = await generate(state)
            for asked in ASKED[1:]:
                state.messages.append(ChatMessageUser(content=asked))
                state = await generate(state)
            return state

        return solve

    dataset = MemoryDataset([Sample(input=ASKED[0], id=number) for number in range(1, probes + 1)])
    logs = eval(
        Task(dataset=dataset, solver=conversation()),
        model=f"openai-api/stub/{MODEL}",
        max_connections=concurrency,
        max_samples=concurrency,
        max_retries=0,
        log_dir=str(folder),
        display="none",
    )
    assert logs[0].status == "success", logs[0].error
