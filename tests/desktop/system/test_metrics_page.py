"""A worker's figures as Prometheus reads them: off by default, for this machine, naming nobody."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from desktop.core.figures import Figures, Tally
from desktop.system.metrics_page import parse_address, serving, written
from shared.errors import AppError, Unavailable
from shared.histogram import Histogram

COMMITS = Histogram((0.01, 0.1))
COMMITS.note(0.005)
COMMITS.note(0.05)
COMMITS.note(5.0)
FIGURES = Figures(
    link="online",
    reconnects=2,
    running=1,
    waiting=3,
    asking=4,
    tally=Tally(begun=9, ends=Counter({"result": 7, "timed_out": 1}), children=8),
    memory_bytes=50_000_000,
    outbox_events=5,
    outbox_oldest_seconds=1.5,
    behind_events=0,
    commits=COMMITS,
    more={"deskhand_node_slots": 4.0},
)


async def read() -> Figures:
    return FIGURES


def samples(text: str) -> Mapping[str, float]:
    return {
        sample.name + "".join(f"|{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def get(port: int, path: str = "/metrics", method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.request(method, f"http://127.0.0.1:{port}{path}")


async def test_figures_are_served_in_prometheus_own_format() -> None:
    async with serving("127.0.0.1:0", read) as port:
        answer = await get(port)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    told = samples(answer.text)
    prefix = "deskhand_worker_"
    wanted = {
        "link|online": 1, "link|offline": 0, "reconnects_total": 2, "jobs|waiting": 3,
        "jobs|asking": 4, "attempts_total|result": 7, "attempts_total|timed_out": 1,
        "attempts_total|cancelled": 0, "child_starts_total": 8, "memory_bytes": 50_000_000,
        "outbox_events": 5, "outbox_oldest_seconds": 1.5, "sync_behind_events": 0,
        "commit_seconds_bucket|0.01": 1, "commit_seconds_bucket|0.1": 2,
        "commit_seconds_bucket|+Inf": 3, "commit_seconds_count": 3,
    }  # fmt: skip
    assert {name: told.get(prefix + name) for name in wanted} == wanted
    assert told["deskhand_node_slots"] == 4


def test_a_node_that_keeps_no_log_tells_nothing_of_one() -> None:
    told = samples(written(Figures()).decode())
    assert not [name for name in told if "outbox" in name or "commit" in name]
    assert told["deskhand_worker_link|none"] == 1


async def test_there_is_one_path_and_one_method() -> None:
    async with serving("127.0.0.1:0", read) as port:
        assert (await get(port, "/")).status_code == 404
        assert (await get(port, method="POST")).status_code == 405
        assert (await get(port, "/metrics?x=1")).status_code == 200


async def test_nonsense_and_endless_heads_disturb_nothing() -> None:
    async with serving("127.0.0.1:0", read) as port:
        for nonsense in (b"\x00\xff\r\n\r\n", b"x" * 20_000, b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(nonsense)
            writer.write_eof()
            assert b"deskhand_worker" not in await reader.read()
            writer.close()
        assert (await get(port)).status_code == 200


async def test_a_store_that_cannot_be_read_is_told_as_such() -> None:
    async def broken() -> Figures:
        raise Unavailable("store_closed", "The store is closed.")

    async with serving("127.0.0.1:0", broken) as port:
        assert (await get(port)).status_code == 503


async def test_other_machines_are_let_in_only_with_a_warning() -> None:
    with capture_logs() as logged:
        async with serving("127.0.0.1:0", read):
            pass
        assert not logged
        async with serving("0.0.0.0:0", read):
            pass
    assert [line["log_level"] for line in logged] == ["warning"]


async def test_a_port_that_is_taken_is_named() -> None:
    async with serving("127.0.0.1:0", read) as port:
        with pytest.raises(Unavailable, match=str(port)) as caught:
            async with serving(f"127.0.0.1:{port}", read):
                pass
    assert caught.value.code == "metrics_port_taken"


async def test_without_the_library_the_command_that_adds_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(Unavailable) as caught:
        async with serving("127.0.0.1:0", read):
            pass
    assert caught.value.code == "metrics_missing"
    assert "deskhand[metrics]" in caught.value.hint


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("9464", ("127.0.0.1", 9464)),
        (":9464", ("127.0.0.1", 9464)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_addresses_are_read(told: str, address: tuple[str, int]) -> None:
    assert parse_address(told) == address


@pytest.mark.parametrize("told", ["", "host", "host:", "h:70000", "h:-1", "h:٣"])
def test_what_is_no_address_is_refused(told: str) -> None:
    with pytest.raises(AppError) as caught:
        parse_address(told)
    assert caught.value.code == "metrics_address_invalid"


def test_nobody_imports_the_libraries_of_figures_and_spans_unasked() -> None:
    program = (
        "import sys, desktop.commands.headless, desktop.desk.desk, desktop.agent.agent,"
        " desktop.system.metrics_page, hub.app, shared.logs\n"
        "named = ('prometheus_client', 'opentelemetry')\n"
        "print([name for name in sys.modules if name.split('.')[0] in named])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert told.stdout.strip() == b"[]"
