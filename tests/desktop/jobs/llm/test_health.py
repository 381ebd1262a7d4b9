"""The health check against real servers, and against what stands in for broken ones."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from desktop.core.llm.endpoints import BUILT_IN
from desktop.core.llm.types import Endpoint, Format
from desktop.jobs.llm.health import Checked, Health, run
from desktop.jobs.llm.reach import MODELS_MAX, Look, headers_with, look_at, models_in
from desktop.system.way import Way
from shared.kinds.llm import HealthInputs, HealthLine
from tests.desktop.jobs.llm.shared_context import child
from tests.llm_servers.fixtures import KEY
from tests.llm_servers.llamacpp import LlamaServer

CANARY = "sk-canary-2f6a9c"


def place(base_url: str, name: str = "house", **more: object) -> Endpoint:
    return Endpoint.model_validate({"name": name, "base_url": base_url, **more})


async def checked(
    tmp_path: Path,
    *endpoints: Endpoint,
    models: tuple[str, ...] | None = None,
    keys: Mapping[str, str] | None = None,
    health: Health | None = None,
) -> dict[str, HealthLine]:
    asked = Checked(
        endpoints=endpoints, keys=keys or {}, data_folder=tmp_path, way=Way(), models=models
    )
    async with asyncio.timeout(10):
        lines = await (health or Health()).check(asked)
    return {line.name: line for line in lines}


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield listening.getsockname()[1]


@contextlib.asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Answer every request with these bytes; yields the port and what was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        yield server.sockets[0].getsockname()[1], asked


def http(status: str, body: str, *headers: str) -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
    return f"{head}\r\nConnection: close\r\n\r\n{body}".encode()


async def test_a_server_that_runs_is_well_and_the_model_is_there(
    llama: LlamaServer, tmp_path: Path
) -> None:
    house = place(llama.base_url, is_local=True)
    lines = await checked(tmp_path, house, models=("house:tiny", "house:tiny2"))
    assert lines["house"].is_good
    assert "'house' answers" in lines["house"].sentence
    assert {lines[name].is_good for name in ("python", "packages", "disk", "tokenizer")} == {True}


async def test_anthropics_format_is_looked_at_in_its_own_way(
    llama: LlamaServer, tmp_path: Path
) -> None:
    house = place(llama.address, is_local=True, format=Format.ANTHROPIC)
    lines = await checked(tmp_path, house, models=("house:tiny",))
    assert lines["house"].is_good, lines["house"].sentence


async def test_a_model_that_is_not_there_is_told_with_the_nearest(
    llama: LlamaServer, tmp_path: Path
) -> None:
    house = place(llama.base_url, is_local=True)
    lines = await checked(tmp_path, house, models=("house:tinny",))
    assert lines["house"].is_good is False
    assert "no model “tinny”" in lines["house"].sentence
    assert "tiny" in lines["house"].sentence


async def test_a_wrong_key_is_told_without_the_key(
    llama_with_key: LlamaServer, tmp_path: Path
) -> None:
    house = place(llama_with_key.base_url, key_name="HOUSE_KEY")
    wrong = await checked(tmp_path, house, models=("house:tiny",), keys={"HOUSE_KEY": CANARY})
    assert wrong["house"].is_good is False
    assert "does not accept the key" in wrong["house"].sentence
    assert not any(CANARY in str(line) for line in wrong.values())
    right = await checked(tmp_path, house, models=("house:tiny",), keys={"HOUSE_KEY": KEY})
    assert right["house"].is_good, right["house"].sentence


async def test_a_missing_key_is_told_by_its_name_where_it_is_needed(tmp_path: Path) -> None:
    needed = await checked(tmp_path, *BUILT_IN, models=("openai:gpt-5-mini",))
    assert needed["openai"].is_good is False
    assert "OPENAI_API_KEY" in needed["openai"].sentence
    assert "mistral" not in needed


async def test_keys_that_nobody_asked_for_are_no_fault(tmp_path: Path) -> None:
    lines = await checked(tmp_path, place("https://a.example.org/v1", key_name="A_KEY"))
    assert lines["house"].is_good is None
    assert lines["house"].sentence == "No key A_KEY is kept here."


async def test_a_model_that_nobody_knows_is_told_at_once(tmp_path: Path) -> None:
    lines = await checked(tmp_path, *BUILT_IN, models=("opnai:gpt-5",))
    assert lines["model"].is_good is False
    assert "opnai" in lines["model"].sentence


async def test_nothing_listens(dead_port: int, tmp_path: Path) -> None:
    house = place(f"http://127.0.0.1:{dead_port}/v1", is_local=True)
    lines = await checked(tmp_path, house, models=("house:tiny",))
    assert lines["house"].is_good is False
    assert "nothing answers at that port" in lines["house"].sentence
    lines = await checked(tmp_path, house)
    assert lines["house"].is_good is None


async def test_places_that_never_answer_hold_nobody_up(black_hole: int, tmp_path: Path) -> None:
    holes = [
        place(f"http://127.0.0.1:{black_hole}/v1", name=f"hole{n}", is_local=n < 5)
        for n in range(10)
    ]
    began = time.perf_counter()
    lines = await checked(tmp_path, *holes, models=tuple(f"{hole.name}:m" for hole in holes))
    assert time.perf_counter() - began < 5  # each of them waits for 1.5 s
    assert [lines[hole.name].is_good for hole in holes] == [False] * 5 + [None] * 5
    assert "no answer within 1.5 s" in lines["hole0"].sentence


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (timedelta(minutes=-15), "15 minutes ahead"),
        (timedelta(minutes=40), "40 minutes behind"),
        (timedelta(seconds=20), "The clock is right"),
    ],
)
async def test_a_clock_that_is_off_is_told(tmp_path: Path, off: timedelta, words: str) -> None:
    date = format_datetime(datetime.now(UTC) + off, usegmt=True)
    async with answering(http("200 OK", '{"data": []}', f"Date: {date}")) as (port, _):
        lines = await checked(tmp_path, place(f"http://127.0.0.1:{port}/v1"))
    assert words in lines["clock"].sentence
    assert lines["clock"].is_good is (abs(off) < timedelta(minutes=2))


async def test_without_an_endpoint_elsewhere_the_clock_is_not_compared(
    llama: LlamaServer, tmp_path: Path
) -> None:
    lines = await checked(tmp_path, place(llama.base_url, is_local=True))
    assert lines["clock"].is_good is None


async def test_a_redirect_is_not_followed_with_the_key(tmp_path: Path) -> None:
    async with answering(http("200 OK", '{"data": []}')) as (other, stolen):
        moved = http("302 Found", "", f"Location: http://127.0.0.1:{other}/v1/models")
        async with answering(moved) as (port, asked):
            house = place(f"http://127.0.0.1:{port}/v1", key_name="A_KEY")
            await checked(tmp_path, house, models=("house:m",), keys={"A_KEY": CANARY})
    assert CANARY.encode() in asked[0]
    assert stolen == []


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        http("200 OK", "<html>"),
        http("200 OK", '{"data": 3}'),
        http("200 OK", "[" * 100_000),
        http("404 Not Found", "nope"),
        http("500 Oh", "\x1b[31mred"),
        http("200 OK", "{}", "Date: yesterday"),
    ],
    ids=["ssh", "page", "odd", "deep", "none", "broken", "undated"],
)
async def test_whatever_answers_harms_nobody(tmp_path: Path, answer: bytes) -> None:
    async with answering(answer) as (port, _):
        house = place(f"http://127.0.0.1:{port}/v1", is_local=True)
        lines = await checked(tmp_path, house, models=("house:m",))
    assert "\x1b" not in lines["house"].sentence


class Looks:
    """Looks that are counted."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.count = 0
        self.now = 0.0

    async def __call__(self, endpoint: Endpoint, key: str, way: Way) -> Look:
        self.count += 1
        return self.look


async def test_what_was_well_is_remembered_for_ten_minutes_and_this_key(tmp_path: Path) -> None:
    looks = Looks(Look(is_answering=True, models=("m",)))
    health = Health(looks, lambda: looks.now)
    house = place("https://a.example.org/v1", key_name="A_KEY")
    for now, key, count in ((0, CANARY, 1), (599, CANARY, 1), (599, "sk-2", 2), (601, CANARY, 3)):
        looks.now = now
        await checked(tmp_path, house, keys={"A_KEY": key}, health=health)
        assert looks.count == count
    assert CANARY not in repr(vars(health))


async def test_what_was_not_well_is_looked_at_again_at_once(tmp_path: Path) -> None:
    looks = Looks(Look(is_answering=False, reason="away"))
    health = Health(looks, lambda: 0.0)
    house = place("http://127.0.0.1:9/v1", is_local=True)
    for count in (1, 2):
        await checked(tmp_path, house, health=health)
        assert looks.count == count


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('{"data": [{"id": "a"}, {"id": "b"}]}', ("a", "b")),
        ('{"models": [{"name": "models/gemini-2.5-flash"}]}', ("gemini-2.5-flash",)),
        ('{"data": [{"id": "a"}], "has_more": true}', None),
        ('{"models": [], "nextPageToken": "x"}', None),
        ('{"data": [{"id": 3}, "b", null, {"id": "\\u001b[31m"}]}', ("\ufffd[31m",)),
        ("nothing", None),
    ],
)
def test_lists_of_models_are_read_in_each_format(body: str, names: tuple[str, ...] | None) -> None:
    assert models_in(body.encode()) == names


def test_a_list_without_an_end_is_cut() -> None:
    body = '{"data": [' + ",".join(f'{{"id": "m{n}"}}' for n in range(MODELS_MAX + 10)) + "]}"
    assert len(models_in(body.encode()) or ()) == MODELS_MAX


def test_no_key_is_shown_where_there_is_none() -> None:
    assert "" not in {value for form in Format for value in headers_with(form, "").values()}


async def test_the_key_is_in_a_header_and_never_in_the_address() -> None:
    for form in Format:
        async with answering(http("200 OK", "{}")) as (port, asked):
            await look_at(place(f"http://127.0.0.1:{port}", format=form), CANARY, Way())
        first, _, rest = asked[0].partition(b"\r\n")
        assert CANARY.encode() not in first
        assert CANARY.encode() in rest


async def test_the_job_looks_once_and_then_remembers(llama: LlamaServer, tmp_path: Path) -> None:
    house = place(llama.base_url, is_local=True)
    async with child(tmp_path, house) as worker:
        looks = Looks(await look_at(house, "", Way()))
        worker.kept[Health] = Health(looks)
        for fresh, count in ((False, 1), (False, 1), (True, 2)):
            told = await run(worker.job(), HealthInputs(models=("house:tiny",), fresh=fresh))
            assert looks.count == count
            assert told.headline == "Models can be asked."
            names = {line.name for line in told.lines}
            assert names >= {"python", "packages", "disk", "clock", "house"}


async def test_the_job_says_the_one_thing_that_is_wrong(dead_port: int, tmp_path: Path) -> None:
    house = place(f"http://127.0.0.1:{dead_port}/v1", is_local=True)
    async with child(tmp_path, house) as worker:
        told = await run(worker.job(), HealthInputs(models=("house:tiny",)))
        both = await run(worker.job(), HealthInputs(models=("house:tiny", "nobody:x")))
    assert not told.is_good
    assert "does not answer" in told.headline
    assert both.headline == "2 things are in the way of asking models."


@pytest.mark.parametrize("key", ["“sk-abc”", "sk-abc def", "sk-abc\nx-evil: 1"])
async def test_what_can_be_no_key_is_told_and_sent_to_nobody(tmp_path: Path, key: str) -> None:
    async with answering(http("200 OK", '{"data": []}')) as (port, asked):
        house = place(f"http://127.0.0.1:{port}/v1", key_name="A_KEY")
        lines = await checked(tmp_path, house, models=("house:m",), keys={"A_KEY": key})
    assert lines["house"].is_good is False
    assert "A_KEY is no key" in lines["house"].sentence
    assert "sk-abc" not in lines["house"].sentence
    assert asked == []
