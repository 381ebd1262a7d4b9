"""One search for a trace id shows a request's whole way, in the logs of real programs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from hub.demo.actor import Actor
from hub.demo.programs import Programs, free_port
from hub.demo.stage import Stage
from hub.frontends.console_client import open_chat
from hub.frontends.transcript import Transcript
from tests.flows.ring import PATIENCE_SECONDS
from tests.otlp import Collector, Taken, collecting

pytestmark = [pytest.mark.flow, pytest.mark.timeout(120)]

Line = dict[str, object]


class Logging(Programs):
    """Programs that log as JSON; only what they log is kept. The worker shows its figures."""

    def __init__(self, folder: Path, figures: str, collector: str) -> None:
        super().__init__(folder)
        self._collector = collector
        self._figures = figures

    def launch(
        self, name: str, command: Sequence[str], *, settings: Mapping[str, str] | None = None
    ) -> None:
        options = ["--json-logs", "--metrics", self._figures] if name == "worker" else []
        with self.log_of(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={
                    **os.environ,
                    **(settings or {}),
                    "HUB_LOG_FORMAT": "json",
                    "HUB_LOG_LEVEL": "DEBUG",
                    "OTEL_EXPORTER_OTLP_ENDPOINT": self._collector,
                },
                start_new_session=True,
            )


def lines(file: Path) -> list[Line]:
    """Read a log; every line of it is one JSON object."""
    read = [json.loads(line) for line in file.read_text().splitlines()]
    assert all(isinstance(line, dict) for line in read)
    assert all({"event", "level", "timestamp"} <= line.keys() for line in read)
    return read


async def test_a_trace_id_shows_the_way_from_the_chat_message_to_the_child(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "sales.csv").write_text("day,sold\n1,2\n2,3\n")
    words = (tmp_path / "words").open("w")
    transcript = Transcript(words)
    figures_at = f"127.0.0.1:{free_port()}"
    with words, collecting() as collector, Logging(tmp_path, figures_at, collector.url) as programs:
        stage = Stage(tmp_path, programs, transcript, free_port())
        await stage.start_hub()
        async with (
            open_chat(stage.hub_url, stage.admin_key) as chat,
            Actor(chat, transcript) as anna,
        ):
            await stage.pair(anna, files)
            await stage.connect_worker()
            await anna.say(f"/describe {files / 'sales.csv'}")
            await anna.until_final(PATIENCE_SECONDS)
        trail = await until_trailed(tmp_path)
        async with httpx.AsyncClient(trust_env=False) as http:
            figures = (await http.get(f"http://{figures_at}/metrics")).text
        await until_collected(collector, str(trail["trace_id"]))
    hub, worker = lines(tmp_path / "hub.log"), lines(tmp_path / "worker.log")
    job_id, trace_id = trail["job_id"], trail["trace_id"]

    way = [line["event"] for line in hub if line.get("trace_id") == trace_id]
    assert way[:4] == ["message_heard", "job_queued", "job_granted", "job_started"]
    there = [line for line in worker if line.get("trace_id") == trace_id]
    assert [line["event"] for line in there] == ["job started", "job began in child", "job ended"]
    assert {line["job_id"] for line in there} == {job_id}
    assert len({line["worker_id"] for line in there}) == 1
    [child] = [line for line in there if line.get("by") == "desktop.child"]
    assert child["child_pid"] not in (None, os.getpid())
    heard = [line for line in hub if line["event"] == "message_heard"]
    assert len({line["trace_id"] for line in heard}) == len(heard), "one trace a message"
    assert "sales" not in (tmp_path / "hub.log").read_text()
    check_spans([span for span in collector.taken if span.trace_id == trace_id])
    assert "sales" not in str(collector.taken)
    for told in (
        'deskhand_worker_link{state="online"} 1.0',
        'deskhand_worker_attempts_total{end="result"} 1.0',
        "deskhand_worker_child_starts_total",
        "deskhand_worker_outbox_oldest_seconds",
        "deskhand_worker_commit_seconds_bucket",
    ):
        assert told in figures
    for name in ("sales", "anna", job_id, str(tmp_path)):
        assert str(name) not in figures


async def until_trailed(folder: Path) -> Line:
    """Wait for the end of a job in the hub's log; a file has no bell."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for line in lines(folder / "hub.log"):
                if line["event"] == "job_succeeded":
                    return line
            await asyncio.sleep(0.05)


SPANS = {
    "message": ("deskhand-hub", ""),
    "job": ("deskhand-hub", "message"),
    "queue": ("deskhand-hub", "job"),
    "grant": ("deskhand-hub", "job"),
    "attempt": ("deskhand-hub", "job"),
    "delivery": ("deskhand-hub", "job"),
    "run": ("deskhand-worker", "attempt"),
    "executor": ("deskhand-worker", "attempt"),
}
"""Which program tells each, and to which it belongs."""


def check_spans(taken: list[Taken]) -> None:
    by_name = {span.name: span for span in taken}
    assert by_name.keys() == SPANS.keys()
    names = {span.span_id: span.name for span in taken}
    told = {name: (span.service, names.get(span.parent, "")) for name, span in by_name.items()}
    assert told == SPANS
    assert all(span.start <= span.end for span in taken)
    assert by_name["queue"].end == by_name["grant"].start
    assert by_name["grant"].end == by_name["attempt"].start
    assert by_name["attempt"].start <= by_name["executor"].start
    assert not any(span.is_failed for span in taken)


async def until_collected(collector: Collector, trace_id: str) -> None:
    """Wait until all spans of a trace have come; they are sent once a second."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        # A collector has no bell.
        while len({s.name for s in collector.taken if s.trace_id == trace_id}) < len(SPANS):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
