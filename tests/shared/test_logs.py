"""A secret that reaches the log leaves it blotted out, whoever logged it and wherever it stood."""

import io
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from shared.logs import configure, redact, tell_many
from shared.redaction import BLOT

CANARIES = [
    "dh_worker_018f_Zm9vYmFyYmF6cXV4",
    "8123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1",
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "ghp_abcdefghijklmnopqrstuvwxyz0123",
    "rk-abcdefghijklmnopqrstuvwx",
    "AIzaabcdefghijklmnopqrstuvwxyz0123456",
    "AQ.abcdefghijklmnopqrstuvwx",
    "xai-abcdefghijklmnopqrstuvwx",
    "github_pat_11AbCdEf0kLmNoPqRsTuVwX",
    "glpat-abcdefghijklmnopqrstuvwx",
    "Bearer abc.def.ghi",
    "rabbit:s3cr3t-of-the-broker",
    ":hunter2-of-redis",
    "anna:p@ss",
    "4711471147114711/AbCdEfGhIjKlMnOpQrStUvWxYz",
    "Basic YW5uYTpodW50ZXIy",
    "abcdefghijklmnop.qrst",
]
AROUND = {
    "AQ.abcdefghijklmnopqrstuvwx": "key={}",
    "abcdefghijklmnop.qrst": "X-API-Key: {}",
    "rabbit:s3cr3t-of-the-broker": "amqps://{}@broker.example.org:5671//",
    ":hunter2-of-redis": "rediss://{}@cache.example.org:6379/0",
    "anna:p@ss": "postgres://{}@db.example.org/deskhand",
    "4711471147114711/AbCdEfGhIjKlMnOpQrStUvWxYz": "https://discord.com/api/webhooks/{}",
    "Basic YW5uYTpodW50ZXIy": "{{'Authorization': '{}'}}",
}
"""Where such a secret stands when it is met."""
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("canary", CANARIES)
def test_a_secret_inside_any_text_is_blotted_out(canary: str) -> None:
    met = AROUND.get(canary, "https://api.example.org/bot{}/getMe").format(canary)
    told = str(redact({"url": met, "list": [f"calling {met}, now"]}))
    assert canary not in told
    assert BLOT in told


def test_a_field_named_like_a_secret_is_blotted_out_whatever_it_holds() -> None:
    assert redact({"token": "harmless", "nested": {"Authorization": "x"}}) == {
        "token": BLOT,
        "nested": {"Authorization": BLOT},
    }


@pytest.mark.parametrize("json_lines", [True, False])
def test_no_canary_reaches_the_stream_through_either_logger(json_lines: bool) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    try:
        configure(json_lines=json_lines, stream=stream)
        for secret in CANARIES:
            canary = AROUND.get(secret, "{}").format(secret)
            structlog.get_logger("test").info("calling", url=f"https://x/{canary}")
            logging.getLogger("foreign").warning("calling %s", canary)
            try:
                raise ValueError(canary)
            except ValueError:
                logging.getLogger("foreign").exception("it broke")
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
    written = stream.getvalue()
    assert "calling" in written
    assert not [canary for canary in CANARIES if canary in written]
    if json_lines:
        assert all(json.loads(line)["event"] for line in written.splitlines())


@pytest.mark.parametrize(
    "harmless",
    [
        TRACE,
        "https://example.org:8080/a@b",
        "https://anna@example.org/",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "the bearer of news",
        "at 12:30, mail bo@example.org",
    ],
)
def test_what_is_no_secret_stays_readable(harmless: str) -> None:
    assert redact({"told": harmless}) == {"told": harmless}


@pytest.mark.parametrize("json_lines", [True, False])
def test_many_events_are_written_as_each_alone_would_be(json_lines: bool) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    alone, together = io.StringIO(), io.StringIO()
    entries: list[dict[str, object]] = [
        {"job_id": "j1", "hub_seq": 7, "worker_id": None, "event": "job_queued"},
        {"token": "harmless", "reason": "two\nlines", "event": "job_died"},
    ]
    for secret in CANARIES:
        reason = AROUND.get(secret, "{}").format(secret)
        entries.append({"reason": reason, "event": "job_failed"})
    try:
        configure(json_lines=json_lines, stream=alone)
        with structlog.contextvars.bound_contextvars(hub="h1"):
            for entry in entries:
                fields = {name: value for name, value in entry.items() if name != "event"}
                structlog.get_logger("hub.x").info(str(entry["event"]), **fields)
        configure(json_lines=json_lines, stream=together)
        with structlog.contextvars.bound_contextvars(hub="h1"):
            tell_many("hub.x", entries)
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
    assert not [canary for canary in CANARIES if canary in together.getvalue()]
    timed = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")
    if json_lines:
        told = [json.loads(line) for line in together.getvalue().splitlines()]
        assert all(timed.fullmatch(line["timestamp"]) for line in told)
        expected = [json.loads(line) for line in alone.getvalue().splitlines()]
        untimed = [{**line, "timestamp": ""} for line in told]
        assert untimed == [{**line, "timestamp": ""} for line in expected]
    else:
        assert timed.sub("", together.getvalue()) == timed.sub("", alone.getvalue())


def test_many_events_are_not_written_where_nobody_hears_them() -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    try:
        configure(json_lines=True, stream=stream, level="WARNING")
        tell_many("hub.x", [{"event": "job_queued"}])
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
        for own in ("desktop", "hub", "shared", "tests"):
            logging.getLogger(own).setLevel(logging.NOTSET)
        structlog.reset_defaults()
    assert stream.getvalue() == ""


def program(body: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own that logs as JSON."""
    head = "import logging, threading, warnings, structlog\nfrom shared.logs import configure\n"
    return subprocess.run(
        [sys.executable, "-c", f"{head}configure(json_lines=True, level='DEBUG')\n{body}"],
        capture_output=True,
        text=True,
        check=False,
    )


LIBRARIES = (
    "amqp", "asyncio", "celery", "celery.app.trace", "docker", "hikari", "httpx", "kombu",
    "kubernetes.client.rest", "nio", "opentelemetry", "redis", "telegram", "urllib3", "uvicorn",
    "uvicorn.error", "websockets",
)  # fmt: skip


def test_everything_that_a_program_tells_is_one_json_object_a_line() -> None:
    body = f"""
for name in {LIBRARIES}:
    logging.getLogger(name).debug("sent the words of anna")
    logging.getLogger(name).warning("lost amqp://anna:hunter2@host//, %s", "sk-" + "a" * 30)
    logging.getLogger(name).error("broke", exc_info=ValueError("two\\nlines"))
logging.getLogger("foreign").warning("%d of it", "hunter2")
warnings.warn("old amqp://anna:hunter2@host//")
structlog.get_logger("hub.x").debug("step", what=object(), deep={{"password": "hunter2"}})
thread = threading.Thread(target=lambda: 1 / 0)
thread.start(); thread.join()
raise RuntimeError("the end of redis://:hunter2@host/0")
"""
    told = program(body)
    lines = [json.loads(line) for line in told.stderr.splitlines()]
    assert "hunter2" not in told.stderr
    assert "words of anna" not in told.stderr
    assert {line["logger"] for line in lines} >= set(LIBRARIES)
    events = [line["event"] for line in lines]
    assert events.count("uncaught") == 2
    assert any("a log line could not be written" in event for event in events)
    assert any(event.startswith("UserWarning: old amqp://[redacted]@host") for event in events)
    assert "ZeroDivisionError" in "".join(line.get("exception", "") for line in lines)
    assert "step" in events
    assert told.returncode == 1


def test_a_line_bears_the_trace_of_what_is_being_done() -> None:
    body = f"""
from shared import trace
with trace.carried(trace.parse({TRACE!r})):
    structlog.get_logger("hub.x").info("in", traceparent={TRACE!r})
    logging.getLogger("foreign").warning("in, too")
structlog.get_logger("hub.x").info("out")
"""
    told = [json.loads(line) for line in program(body).stderr.splitlines()]
    assert [line.get("trace_id") for line in told] == [TRACE.split("-")[1]] * 2 + [None]
    assert told[0]["traceparent"] == TRACE


@pytest.mark.parametrize(
    ("module", "arguments", "code"),
    [
        ("hub", ["serve", "--data", "/dev/null/x"], "data_folder_unusable"),
        ("desktop", ["--headless", "--json-logs"], "not_paired"),
    ],
)
def test_what_ends_a_program_is_a_line_like_any_other(
    tmp_path: Path, module: str, arguments: list[str], code: str
) -> None:
    home = ["--home", str(tmp_path)] if module == "desktop" else []
    told = subprocess.run(
        [sys.executable, "-m", module, *home, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HUB_LOG_FORMAT": "json", "HUB_PORT": "0"},
    )
    [line] = [json.loads(line) for line in told.stderr.splitlines()]
    assert (line["event"], line["code"]) == ("program ended", code)
    assert told.returncode != 0


def test_libraries_that_log_whole_urls_are_quiet() -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        configure(json_lines=True, stream=io.StringIO())
        assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
        assert not logging.getLogger("httpcore").isEnabledFor(logging.INFO)
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
