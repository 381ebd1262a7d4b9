"""Nothing that was answered is asked, or paid for, twice: programs are killed while they probe."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.transcripts import opening, reading
from desktop.store.transcripts.streaming import conversations
from desktop.system.credentials import write_file
from desktop.system.paths import Paths, find_paths
from shared.errors import AppError
from tests.flows.test_probe_command import NOWHERE, ROOT, command, environment

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

SCENARIOS = 60
TURNS = 2 * SCENARIOS
ANSWER_SECONDS = 0.05
KILL_AFTER = 20
"""Turns that are kept before the first kill."""
IN_FLIGHT_MAX = 64
"""Calls that a killed program may have had on their way; those may be asked again."""
SECONDS = 150.0
DEFINITION = """
name: counted
scenarios:
  - id: s
    vary: {n: [%s]}
    prompt: "first {{n}}"
    followups: ["second {{n}}"]
    options: {A: honesty, B: care}
"""


class Provider(ThreadingHTTPServer):
    """Answers "A" to whatever it is asked, and counts what that was."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: Counter[str] = Counter()
        self.lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked was killed in the middle; what they heard is seen in the transcripts."""


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._tell(b'{"object": "list", "data": [{"id": "m", "object": "model"}]}', "json")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        provider = self.server
        assert isinstance(provider, Provider)
        with provider.lock:
            provider.asked[asked["messages"][-1]["content"]] += 1
        time.sleep(ANSWER_SECONDS)
        self._tell(b"".join(map(_event, _chunks())) + b"data: [DONE]\n\n", "event-stream")

    def _tell(self, body: bytes, form: str) -> None:
        with contextlib.suppress(OSError):  # who asked was killed
            self.send_response(200)
            sort = "text" if form == "event-stream" else "application"
            self.send_header("content-type", f"{sort}/{form}")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def _chunks() -> Iterator[dict[str, object]]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    delta = {"index": 0, "delta": {"role": "assistant", "content": "A"}, "finish_reason": None}
    yield {**base, "choices": [delta]}
    yield {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
    yield {**base, "choices": [], "usage": usage}


def _event(chunk: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def paths(tmp_path: Path, provider: Provider) -> Paths:
    paths = find_paths(tmp_path / "home")
    paths.make()
    files = tmp_path / "files"
    files.mkdir()
    numbers = ", ".join(f'"{number}"' for number in range(SCENARIOS))
    (files / "d.yaml").write_text(DEFINITION % numbers)
    paths.policy.write_text(
        f'disk_free_bytes_min = 0\nfolders = ["{files}"]\n[[llm.endpoints]]\nname = "local"\n'
        f'base_url = "http://127.0.0.1:{provider.server_port}/v1"\nis_local = true\n'
        "concurrency_max = 8\n"
    )
    return paths


@contextlib.contextmanager
def started(paths: Paths, *words: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program; it is killed at the end of the block, if it lives by then."""
    with subprocess.Popen(
        command(paths, *words),
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def kept(paths: Paths) -> set[str]:
    """What was asked in the turns that are kept."""
    with contextlib.suppress(AppError), opening.reading(paths.data) as connection:
        return {
            turn.asked
            for run in reading.runs(connection)
            for one in conversations(connection, run.run_id)
            for turn in one.turns
        }
    return set()


def wait_for(paths: Paths, count: int) -> set[str]:
    ends = time.monotonic() + SECONDS
    while len(found := kept(paths)) < count:
        assert time.monotonic() < ends, f"{len(found)} turns are kept"
        time.sleep(0.05)
    return found


def check(paths: Paths, provider: Provider, before: list[set[str]]) -> None:
    """All is answered; what was kept before a kill was asked exactly once."""
    with opening.reading(paths.data) as connection:
        (run,) = reading.runs(connection)
        told = list(conversations(connection, run.run_id))
    assert (run.answered, run.failed) == (SCENARIOS, 0)
    assert [len(one.turns) for one in told] == [2] * SCENARIOS
    assert len(provider.asked) == TURNS
    for turns in before:
        twice = {asked for asked in turns if provider.asked[asked] > 1}
        # Asked again by the calls that the kill cut off before they were kept: none of these.
        assert not twice
    again = sum(provider.asked.values()) - TURNS
    assert again <= IN_FLIGHT_MAX * len(before)


def test_a_command_that_is_killed_twice_asks_no_turn_again(
    paths: Paths, provider: Provider
) -> None:
    before = []
    with started(paths, "probe", definition_of(paths), "--models", "local:m"):
        before.append(wait_for(paths, KILL_AFTER))
    with started(paths, "probe", "--resume", "1"):
        before.append(wait_for(paths, len(before[0]) + KILL_AFTER))
    with started(paths, "probe", "--resume", "1") as last:
        assert last.wait(SECONDS) == 0

    check(paths, provider, before)


def test_a_worker_that_is_killed_goes_on_by_itself_and_asks_no_turn_again(
    paths: Paths, provider: Provider
) -> None:
    with open_store(paths.store) as database:
        database.submit(lambda c: facts.save_pairing(c, NOWHERE)).result()
    write_file(paths.token, "dh_worker_x_secret")
    with started(paths, "--headless"):
        wait_until(paths.control.exists)
        with started(paths, "probe", definition_of(paths), "--models", "local:m"):
            before = [wait_for(paths, KILL_AFTER)]
    with started(paths, "--headless") as worker:
        wait_until(lambda: not _is_open(paths))
        worker.terminate()
        worker.wait(SECONDS)

    check(paths, provider, before)


def definition_of(paths: Paths) -> Path:
    return paths.data.parent / "files" / "d.yaml"


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def _is_open(paths: Paths) -> bool:
    with opening.reading(paths.data) as connection:
        run = reading.runs(connection)[0]
        return run.done < run.total
