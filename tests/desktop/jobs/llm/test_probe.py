"""Probes of a run and probes on their own, with real transcripts and a real llama.cpp server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from desktop.core.llm.definition import parse
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.scenarios import expand
from desktop.core.llm.types import CellEnd, CellState, Endpoint
from desktop.jobs.context import Postponed
from desktop.jobs.llm import probe
from desktop.jobs.llm.keeping import transcripts_of
from desktop.jobs.llm.probe import BROKEN_CALLS_MAX, CALLS_MAX
from desktop.store.transcripts.records import NewRun
from desktop.store.transcripts.transcripts import Transcripts
from shared.errors import BadInput, NotFound
from shared.ids import JobId
from shared.kinds import JsonObject
from shared.kinds.llm import ProbeInputs, ProbeOutput
from tests.desktop.jobs.llm.raw_answers import answered, chunk, streamed
from tests.desktop.jobs.llm.scripted import Scripted, scripted
from tests.desktop.jobs.llm.shared_context import ENVIRONMENT, Child, child
from tests.llm_servers.llamacpp import LlamaServer

DEFINITION: JsonObject = {
    "name": "levers",
    "preamble": "Be brief.",
    "options": {"A": "save", "B": "let"},
    "scenarios": [
        {"id": "lever", "prompt": "Do you pull the lever?", "followups": ["Why?", "Sure?"]},
        {"id": "promise", "prompt": "Do you keep the promise?"},
    ],
}
BUSY = answered(
    {"error": {"message": "slow down", "code": "rate_limit_exceeded"}},
    status="429 Slow",
    headers=["Retry-After: 7"],
)
DOWN = answered({"error": {"message": "oops"}}, status="500 Oops")
NO_KEY = answered({"error": {"message": "no", "code": "invalid_api_key"}}, status="401 No")
FILTERED = answered({"error": {"message": "no", "code": "content_filter"}}, status="400 No")


def said(text: str) -> bytes:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    last = {**chunk({}), "choices": [], "usage": usage}
    return streamed(chunk({"content": text}), chunk({}, "stop"), last, "[DONE]")


@pytest.fixture
async def script() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


@pytest.fixture
async def family(tmp_path: Path, script: Scripted) -> AsyncIterator[Child]:
    place = Endpoint(name="here", base_url=script.base_url, key_name="HERE_KEY", timeout_seconds=10)
    async with child(tmp_path, place, HERE_KEY="sk-here") as made:
        yield made


async def run_of(kept: Transcripts, model: str = "here:m") -> str:
    definition = parse(DEFINITION)
    run_id = ENVIRONMENT.new_id()
    await kept.make_run(
        NewRun(
            run_id=run_id,
            name=definition.name,
            definition="{}",
            sha256="0",
            scenarios=expand(definition),
            models=(model,),
            at=datetime.now(UTC),
        )
    )
    return run_id


async def asked(family: Child, run_id: str, index: int = 0, *, tries: int = 0) -> ProbeOutput:
    job = family.job(tries=tries)
    return await probe.run(job, ProbeInputs(run=run_id, index=index))


async def postponed(family: Child, run_id: str, index: int = 0, *, tries: int = 0) -> Postponed:
    with pytest.raises(Postponed) as told:
        await asked(family, run_id, index, tries=tries)
    return told.value


async def failed(family: Child, run_id: str, index: int = 0) -> LlmFault:
    with pytest.raises(LlmFault) as told:
        await asked(family, run_id, index)
    return told.value


@pytest.fixture
async def kept(family: Child) -> Transcripts:
    return transcripts_of(family.job())


async def test_a_cell_is_asked_to_its_end_and_told_in_facts(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(said("B) I would not."), said("Because."), said("Yes, B."))
    run_id = await run_of(kept)
    output = await asked(family, run_id)
    assert (output.state, output.choice, output.turns) == ("answered", "B", 3)
    assert (output.scenario, output.model, output.model_reported) == (
        "lever",
        "here:m",
        "m-2026-11-01",
    )
    assert (output.usage.input_tokens, output.usage.output_tokens) == (30, 15)
    assert "I would not" not in output.model_dump_json()
    end = (await kept.probe(run_id, 0)).end
    assert end is not None
    assert (end.state, end.choice) == (CellState.ANSWERED, "B")


async def test_a_cell_that_has_ended_is_told_again_without_a_call(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(said("A"))
    run_id = await run_of(kept)
    first = await asked(family, run_id, 1)
    assert await asked(family, run_id, 1) == first
    assert len(script.heard) == 1


async def test_a_limit_in_the_middle_costs_no_turn_twice(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(said("B"), BUSY, said("Because."), said("Yes."))
    run_id = await run_of(kept)
    told = await postponed(family, run_id)
    assert told.seconds >= 7
    assert told.error.code == "rate_limit"
    assert [turn.reply.text for turn in await kept.turns(run_id, 0)] == ["B"]
    family.kept.clear()  # the same as another child: nothing is remembered but what is on the disk
    await kept.aclose()
    output = await asked(family, run_id, tries=1)
    assert (output.choice, output.turns, output.attempts) == ("B", 3, 2)
    assert [len(body["messages"]) for body in script.heard] == [2, 4, 4, 6]


async def test_calls_that_failed_are_counted_for_their_turn(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(DOWN, DOWN, said("A"))
    run_id = await run_of(kept)
    await postponed(family, run_id, 1)
    await postponed(family, run_id, 1, tries=1)
    await asked(family, run_id, 1, tries=2)
    assert [turn.attempts for turn in await kept.turns(run_id, 1)] == [3]


async def test_while_the_other_side_wants_no_call_none_is_made_and_none_is_counted(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(BUSY)
    run_id = await run_of(kept)
    await postponed(family, run_id, 1)
    for tries in range(1, CALLS_MAX + 5):
        assert (await postponed(family, run_id, 1, tries=tries)).seconds > 5
    assert len(script.heard) == 1
    assert (await kept.probe(run_id, 1)).end is None


async def test_errors_without_end_come_to_an_end(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(*[DOWN] * BROKEN_CALLS_MAX)
    run_id = await run_of(kept)
    for tries in range(BROKEN_CALLS_MAX - 1):
        await postponed(family, run_id, 1, tries=tries)
    told = await failed(family, run_id, 1)
    assert told.fault is FaultClass.SERVER
    assert not told.retryable
    end = (await kept.probe(run_id, 1)).end
    assert end is not None
    assert (end.state, end.fault) == (CellState.FAILED, "SERVER")


async def test_a_refused_key_fails_the_cell_and_the_next_is_not_even_asked(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(NO_KEY)
    run_id = await run_of(kept)
    assert (await failed(family, run_id, 0)).fault is FaultClass.AUTH_ERROR
    assert (await failed(family, run_id, 1)).fault is FaultClass.AUTH_ERROR
    assert len(script.heard) == 1
    assert await kept.open_cells(run_id) == []


async def test_a_failed_cell_tells_its_fault_again(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    run_id = await run_of(kept)
    await kept.end_cell(
        run_id, 1, CellEnd(state=CellState.FAILED, fault="QUOTA", message="Nothing is left.")
    )
    told = await failed(family, run_id, 1)
    assert (told.fault, told.message, told.retryable) == (
        FaultClass.QUOTA,
        "Nothing is left.",
        False,
    )
    assert script.heard == []


async def test_what_a_filter_refuses_is_a_result(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(FILTERED)
    run_id = await run_of(kept)
    output = await asked(family, run_id, 1)
    assert (output.state, output.turns) == ("refused", 0)
    end = (await kept.probe(run_id, 1)).end
    assert end is not None
    assert (end.state, end.fault) == (CellState.REFUSED, "CONTENT_FILTER")


async def test_two_answers_that_are_none_fail_the_cell_at_once(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(said(""), said(" "))
    run_id = await run_of(kept)
    assert (await failed(family, run_id, 1)).fault is FaultClass.INVALID_RESPONSE
    assert len(script.heard) == 2


async def test_a_missing_key_and_an_unknown_model_name_what_to_do(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    family.keys.clear()
    told = await failed(family, await run_of(kept), 1)
    assert told.fault is FaultClass.MISSING_API_KEY
    told = await failed(family, await run_of(kept, "nobody knows"), 1)
    assert told.fault is FaultClass.UNSUPPORTED_PROVIDER
    assert script.heard == []


async def test_a_probe_that_is_stopped_leaves_its_cell_open(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    run_id = await run_of(kept)
    task = asyncio.get_running_loop().create_task(asked(family, run_id, 1))
    async with asyncio.timeout(10):
        await script.was_asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await kept.open_cells(run_id) == [0, 1]
    script.answers(said("A"))
    assert (await asked(family, run_id, 1)).choice == "A"


async def test_a_scenario_on_its_own_is_a_run_of_one(
    family: Child, kept: Transcripts, script: Scripted
) -> None:
    script.answers(DOWN, said("B"))
    job = family.job()
    scenario: dict[str, Any] = {"prompt": "Do you?", "options": {"A": "yes", "B": "no"}}
    inputs = ProbeInputs(scenario=scenario, model="here:m")
    with pytest.raises(Postponed):
        await probe.run(job, inputs)
    output = await probe.run(replace(job, tries=1), inputs)
    assert (output.run, output.index, output.choice) == (job.job_id, 0, "B")
    assert (await kept.run(job.job_id)).total == 1


async def test_a_probe_of_nothing_says_what_is_missing(family: Child) -> None:
    with pytest.raises(BadInput) as told:
        await probe.run(family.job(), ProbeInputs(model="here:m"))
    assert told.value.code == "probe_of_nothing"
    with pytest.raises(NotFound):
        await asked(family, JobId(ENVIRONMENT.new_id()))


async def test_many_probes_at_once_against_a_real_server(
    tmp_path: Path, llama: LlamaServer
) -> None:
    place = Endpoint(name="local", base_url=llama.base_url, is_local=True, concurrency_max=8)
    async with child(tmp_path, place) as family:
        kept = transcripts_of(family.job())
        run_ids = [await run_of(kept, model) for model in ("local:tiny", "local:tiny2")]
        cells = [(run_id, index) for run_id in run_ids for index in (0, 1)] * 2
        outputs = await asyncio.gather(*(asked(family, *cell) for cell in cells))
        assert {output.cost_usd for output in outputs} == {0.0}
        for run_id in run_ids:
            assert (await kept.run(run_id)).done == 2
            assert len(await kept.turns(run_id, 0)) == 3
