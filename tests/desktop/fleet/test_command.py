"""`deskhand-fleet`, started for real: what is wrong is told by its code, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from tests.brokers.redis import RedisServer
from tests.brokers.server import free_port
from tests.desktop.fleet.fake_hub import KEY, FakeHub, a_fake_hub

PATIENCE_SECONDS = 50.0


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with a_fake_hub() as fake:
        yield fake


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "broker")
    server.start_blocking()
    yield server
    server.close()


@contextmanager
def a_program(
    hub: str, broker: str, folder: Path, key: str = KEY
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "desktop.fleet", "worker", "--hub", hub, "--kinds", "llm.ask"],
        env={
            **os.environ,
            "DESKHAND_FLEET_KEY": key,
            "DESKHAND_FLEET_BROKER": broker,
            "TMPDIR": str(folder),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_broker_that_is_not_there_is_told_without_its_password(
    hub: FakeHub, tmp_path: Path
) -> None:
    broker = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    with a_program(hub.url, broker, tmp_path) as process:
        told, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 1
    assert "broker_unreachable" in told
    assert "hunter2" not in told
    assert hub.beats == []


def test_a_password_that_the_broker_refuses_is_told(
    hub: FakeHub, redis: RedisServer, tmp_path: Path
) -> None:
    with Redis.from_url(redis.url) as line:
        line.config_set("requirepass", "another")
    broker = redis.url.replace("redis://", "redis://:hunter2@")
    with a_program(hub.url, broker, tmp_path) as process:
        told, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 1
    assert "broker_unreachable" in told
    assert "hunter2" not in told


def test_a_key_that_the_hub_refuses_has_an_exit_code_of_its_own(
    hub: FakeHub, redis: RedisServer, tmp_path: Path
) -> None:
    with a_program(hub.url, redis.url, tmp_path, key="dhf_" + "x" * 43) as process:
        told, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 3
    assert "key_invalid" in told


def test_a_signal_drains_it_and_nothing_is_left(
    hub: FakeHub, redis: RedisServer, tmp_path: Path
) -> None:
    folder = tmp_path / "temp"
    folder.mkdir()
    with a_program(hub.url, redis.url, folder) as process:
        with hub.bell:
            assert hub.bell.wait_for(lambda: hub.beats, PATIENCE_SECONDS)
        assert list(folder.glob("deskhand-fleet-*"))
        assert process.stdout is not None
        while "node is ready" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0
    assert hub.beats[-1].is_draining
    assert list(folder.glob("deskhand-fleet-*")) == []
