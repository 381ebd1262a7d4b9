"""The same conversations as the shared child holds them: at its pace, in its transcripts.

What a job's own way through the worker costs is measured by `probes.ring`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from desktop.core.llm.scenarios import Scenario
from desktop.core.llm.types import CellEnd, Endpoint, Message, Model, Reply, Turn
from desktop.jobs.llm.conversation import Calls, converse, outcome
from desktop.jobs.llm.house import House
from desktop.jobs.llm.speaker import Speaker
from desktop.store.transcripts.records import NewRun
from desktop.store.transcripts.transcripts import Transcripts
from tests.benchmarks.probes.peers import ASKED, MODEL

RUN = "bench"


def new_run(probes: int) -> NewRun:
    """Return a run of as many cells: one scenario, repeated."""
    scenario = Scenario(id="trolley", cluster="trolley", prompt=ASKED[0], followups=ASKED[1:])
    return NewRun(
        run_id=RUN,
        name="bench",
        definition="{}",
        sha256="0" * 64,
        scenarios=(scenario,),
        models=(f"stub:{MODEL}",),
        repeats=probes,
        at=datetime.now(UTC),
    )


async def ours(base_url: str, folder: Path, probes: int, concurrency: int) -> None:
    """Hold them through the house; each turn is committed before the next is asked."""
    endpoint = Endpoint(name="stub", base_url=base_url, is_local=True, concurrency_max=concurrency)
    model = Model(endpoint, MODEL)
    house = House(dict, Speaker())
    transcripts = Transcripts(folder)
    await transcripts.make_run(new_run(probes))
    places = asyncio.Semaphore(concurrency)

    async def probe(index: int) -> None:
        async with places:
            found = await transcripts.probe(RUN, index)
            scenario = found.scenario

            async def ask(said: Sequence[Message]) -> Reply:
                return await house.call(model, said, scenario.sampler)

            async def keep(turn: Turn) -> None:
                await transcripts.save_turn(RUN, index, turn)

            turns = await converse(scenario, found.turns, ask=ask, keep=keep, calls=Calls())
            came = outcome(scenario, turns)
            await transcripts.end_cell(RUN, index, CellEnd(state=came.state, choice=came.choice))

    async with asyncio.TaskGroup() as group:
        for index in range(probes):
            group.create_task(probe(index))
    run = await transcripts.run(RUN)
    assert run.done == probes
    await house.aclose()
    await transcripts.aclose()
