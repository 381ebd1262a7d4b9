"""What is kept local reaches nobody else: not a byte, from any door, in a real child."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.core.llm.locality import NotLocal, kept_local
from desktop.core.llm.types import Endpoint, Message, Model, Sampling
from desktop.core.outcome import Outcome
from desktop.jobs.llm.house import House
from desktop.jobs.llm.reach import look_at
from desktop.jobs.llm.speaker import Speaker
from desktop.runner.child import ChildLimits
from desktop.runner.lines import Order, Supplied
from desktop.system.way import Way
from shared.environment import Environment
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec, Origin
from shared.kinds import JsonObject
from tests.desktop.runner.shared_trial import BOUND_SECONDS, trial

ENVIRONMENT = Environment()
MESSAGES = (Message("user", "Why?"),)


@dataclass
class Elsewhere:
    """A place that is not local, though it listens here, and counts who comes."""

    endpoint: Endpoint
    came: int = 0


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place.came += 1
        # Closed with words unread, a line is reset, and who asked may never see the reply.
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        place = Elsewhere(Endpoint(name="far", base_url=f"http://127.0.0.1:{port}/v1"))
        yield place


async def test_no_door_of_the_llm_layer_lets_a_byte_out(elsewhere: Elsewhere) -> None:
    (barred,) = kept_local([elsewhere.endpoint])
    speaker = Speaker()
    house = House(dict, speaker)
    with pytest.raises(NotLocal):
        await speaker.say(Model(barred, "m"), MESSAGES, Sampling())
    with pytest.raises(NotLocal):
        await house.call(Model(barred, "m"), MESSAGES, Sampling())
    assert not (await look_at(barred, "", Way())).is_answering
    await house.aclose()
    assert elsewhere.came == 0


async def test_the_same_place_is_called_when_nothing_is_kept_local(elsewhere: Elsewhere) -> None:
    await look_at(elsewhere.endpoint, "", Way())
    assert elsewhere.came == 1


async def asked(tmp_path: Path, supplied: Supplied, inputs: JsonObject) -> Outcome:
    """Run `llm.ask` in a real shared child."""
    async with trial(tmp_path, supplied=supplied) as child:
        order = Order(
            spec=JobSpec(
                job_id=JobId(ENVIRONMENT.new_id()),
                task_id=TaskId(ENVIRONMENT.new_id()),
                kind="llm.ask",
                title="Why?",
                origin=Origin.LOCAL,
                inputs=inputs,
            ),
            executor="desktop.jobs.llm.ask:run",
            kinds_at="shared.kinds.catalogue:BUILT_IN",
            workdir=str(tmp_path / "w"),
            workspace=str(tmp_path / "w"),
            models_folder=str(tmp_path),
            data_folder=str(tmp_path),
            folders=(),
            memory_bytes_max=2**31,
            threads_max=1,
        )
        limits = ChildLimits(memory_bytes_max=2**31, running_seconds_max=BOUND_SECONDS)
        async with asyncio.timeout(BOUND_SECONDS):
            return await child.child.job(order, limits, lambda _line: None).run()


ASK: JsonObject = {"question": "Why?", "task": "reason", "model": "far:m"}


@pytest.mark.parametrize("said_by", ["the task", "the owner"])
async def test_a_job_that_is_kept_local_ends_before_anything_is_sent(
    said_by: str, tmp_path: Path, elsewhere: Elsewhere
) -> None:
    endpoints = (elsewhere.endpoint,)
    if said_by == "the owner":
        supplied = Supplied(endpoints=kept_local(endpoints))
        outcome = await asked(tmp_path, supplied, ASK)
    else:
        outcome = await asked(tmp_path, Supplied(endpoints=endpoints), ASK | {"local": True})
    assert outcome.error is not None
    assert outcome.error.code == "model_not_local"
    assert elsewhere.came == 0


async def test_the_same_job_goes_there_when_it_is_not_kept_local(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    outcome = await asked(tmp_path, Supplied(endpoints=(elsewhere.endpoint,)), ASK)
    assert outcome.error is not None
    assert outcome.error.code == "bad_request"
    assert elsewhere.came == 1
