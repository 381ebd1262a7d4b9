"""The worker without a window goes by the same rules as the one with it, and says so."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.system.credentials import write_file
from desktop.system.paths import Paths, find_paths
from shared.ids import WorkerId

ROOT = Path(__file__).parents[2]
NOWHERE = Pairing(
    hub_url="http://127.0.0.1:1",
    worker_id=WorkerId("01900000-0000-7000-8000-00000000aaaa"),
    worker_name="anna-pc",
    hub_name="hub",
    person_name="Anna",
)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A machine that was paired with a hub which is not there now."""
    paths = find_paths(tmp_path)
    paths.make()
    with open_store(paths.store) as database:
        database.submit(lambda c: facts.save_pairing(c, NOWHERE)).result()
    write_file(paths.token, "dh_worker_x_secret")
    return paths


@contextlib.contextmanager
def headless(paths: Paths) -> Iterator[subprocess.Popen[str]]:
    command = (sys.executable, "-m", "desktop", "--home", str(paths.home), "--headless")
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    ) as worker:  # fmt: skip
        try:
            yield worker
        finally:
            worker.kill()


def hears(worker: subprocess.Popen[str], words: str) -> bool:
    assert worker.stdout is not None
    return any(words in line for line in iter(worker.stdout.readline, ""))


def test_a_pause_holds_a_worker_without_a_window_too(paths: Paths) -> None:
    with open_store(paths.store) as database:
        database.submit(lambda c: facts.put(c, "paused_until", "until resumed")).result()
    with headless(paths) as worker:
        assert hears(worker, "This computer is paused.")
        assert hears(worker, "cannot be reached")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    assert not paths.status.exists()


def test_a_policy_that_is_broken_at_the_start_ends_it_with_its_line(paths: Paths) -> None:
    paths.policy.write_text("slots = 'many'\n")
    with headless(paths) as worker:
        _, complaint = worker.communicate(timeout=30)
    assert worker.returncode == 1
    assert "slots has to be a whole number (at line 1)" in complaint
    assert "Traceback" not in complaint


def test_a_token_that_cannot_be_read_is_no_reason_never_to_start_again(paths: Paths) -> None:
    paths.token.unlink()
    with headless(paths) as worker:
        _, complaint = worker.communicate(timeout=30)
    assert worker.returncode == 1, "3 would keep the service manager from trying later"
    assert "token" in complaint
