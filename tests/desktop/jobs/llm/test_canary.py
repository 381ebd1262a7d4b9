"""A key goes to the server it is for and nowhere else: not into files, lines, errors, addresses.

Six providers' keys, in the real shared child, with good answers and with servers that put the key
that they were shown into everything they say.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import pytest

from desktop.core.llm.endpoints import PROVIDER_ENDPOINTS
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.types import Endpoint, Format, Message, Model, Sampling
from desktop.core.outcome import Ending, Outcome
from desktop.jobs.llm.speaker import Speaker
from desktop.runner.child import ChildLimits
from desktop.runner.lines import FromChild, Order, Supplied
from desktop.runner.shared_child import SharedChild
from shared import logs
from shared.environment import Environment
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec, Origin
from tests.desktop.jobs.llm.raw_answers import answered, chat, chunk, claude, gemini, streamed
from tests.desktop.jobs.llm.scripted import scripted

ENVIRONMENT = Environment()
BOUND_SECONDS = 50.0
MEMORY_BYTES = 2 << 30
MARK = "Canary"
PROVIDERS = [endpoint.name for endpoint in PROVIDER_ENDPOINTS]
FIRST = ("good", "talks", "away", "400")
LAST = ("cut", "stream", "500", "401")
CASES = FIRST + LAST


def key_of(provider: str) -> str:
    """A key that looks like nobody's: only who knows it can blot it out."""
    return f"{MARK}.{provider}.sings"


@dataclass
class Server:
    """Says back whatever key it is shown."""

    address: str = ""
    lines: list[str] = field(default_factory=list)
    """What was asked for, without headers."""
    keys: list[str] = field(default_factory=list)
    _together: dict[str, asyncio.Barrier] = field(
        default_factory=lambda: {key_of(name): asyncio.Barrier(len(LAST)) for name in PROVIDERS}
    )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            size = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(size[1]) if size else 0)
            self.lines.append(unquote(head.split("\r\n", 1)[0]))
            shown = re.findall(rf"({MARK}\.\w+\.sings)", head)
            self.keys += shown
            answer = self._answer(head, body, " ".join(shown))
            if self.keys.count(shown[0]) > len(FIRST):
                await self._together[shown[0]].wait()
            writer.write(answer)
            await writer.drain()
        finally:
            writer.close()

    def _answer(self, head: str, body: bytes, key: str) -> bytes:
        path = head.split(" ", 2)[1]
        in_path = re.search(r"/models/([^/:?]+):", path)
        case = in_path[1] if in_path else json.loads(body)["model"]
        format_ = (
            Format.GOOGLE if in_path else Format.ANTHROPIC if "/messages" in path else Format.OPENAI
        )
        error = {"error": {"message": f"You showed {key}", "type": key, "code": key}}
        ids = [f"x-request-id: {key}"]
        match case:
            case "good":
                return _reply(format_, "B) It is right.")
            case "talks":
                return _reply(format_, f"B) Your key is {key}.", key)
            case "cut":
                return answered("{" + key)[:-3]
            case "stream":
                return streamed(error, named=False)
            case "away":
                to = f"Location: {self.address}/else?key={key}"
                return answered("", status="307 Else", headers=[to])
            case _:
                return answered(error, status=f"{case} Bad {key}", headers=ids)


def _reply(format_: Format, text: str, more: str = "") -> bytes:
    match format_:
        case Format.GOOGLE:
            told = {**gemini(text), "modelVersion": f"m{more}", "responseId": f"r{more}"}
            return streamed(told)
        case Format.ANTHROPIC:
            start = {**claude(None), "stop_reason": None, "model": f"m{more}"}
            block = {"type": "text", "text": ""}
            return streamed(
                {"type": "message_start", "message": start},
                {"type": "content_block_start", "index": 0, "content_block": block},
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "text_delta", "text": text},
                },
                {"type": "content_block_stop", "index": 0},
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                    "usage": {"output_tokens": 5},
                },
                {"type": "message_stop"},
                named=True,
            )
        case Format.OPENAI:
            named = {**chunk({"content": text}), "model": f"m{more}", "system_fingerprint": more}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            last = {**chat(), "choices": [], "usage": usage, "object": "chat.completion.chunk"}
            return streamed(named, chunk({}, "stop"), last, "[DONE]")


@asynccontextmanager
async def echoing() -> AsyncIterator[Server]:
    made = Server()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


def supplied(address: str) -> Supplied:
    def here(endpoint: Endpoint) -> Endpoint:
        path = "/v1" if endpoint.format is Format.OPENAI else ""
        return endpoint.model_copy(update={"base_url": f"{address}{path}", "timeout_seconds": 20.0})

    return Supplied(
        keys={one.key_name: key_of(one.name) for one in PROVIDER_ENDPOINTS},
        endpoints=tuple(map(here, PROVIDER_ENDPOINTS)),
    )


def order(folder: Path, model: str) -> Order:
    job_id = JobId(ENVIRONMENT.new_id())
    workdir = folder / "jobs" / job_id
    workdir.mkdir(parents=True)
    return Order(
        spec=JobSpec(
            job_id=job_id,
            task_id=TaskId(ENVIRONMENT.new_id()),
            kind="llm.probe",
            title="probe",
            origin=Origin.LOCAL,
            inputs={
                "model": model,
                "scenario": {"prompt": "Is it right?", "options": {"A": "no", "B": "yes"}},
            },
        ),
        executor="desktop.jobs.llm.probe:run",
        kinds_at="shared.kinds.catalogue:BUILT_IN",
        workdir=str(workdir),
        workspace=str(workdir),
        models_folder=str(folder),
        data_folder=str(folder),
        folders=(),
        memory_bytes_max=MEMORY_BYTES,
        threads_max=1,
    )


class Child:
    """The real shared child, and every word that came out of it."""

    def __init__(self, folder: Path, tasks: asyncio.TaskGroup, supplies: Supplied) -> None:
        self.folder = folder
        self.frames: list[str] = []
        self.outcomes: dict[str, Outcome] = {}
        self.process = b""
        self._supplies = supplies
        self._child = SharedChild(ENVIRONMENT, tasks, self._supply)

    async def _supply(self) -> Supplied:
        return self._supplies

    async def run(self, model: str) -> Outcome:
        def hear(line: FromChild) -> None:
            self.frames.append(line.model_dump_json())

        limits = ChildLimits(memory_bytes_max=MEMORY_BYTES, running_seconds_max=60)
        outcome = await self._child.job(order(self.folder, model), limits, hear).run()
        self.outcomes[model] = outcome
        self._look()
        return outcome

    def _look(self) -> None:
        """Note what everybody on this machine can see of the process."""
        if sys.platform == "linux" and self._child.pid is not None:
            for name in ("environ", "cmdline"):
                self.process += Path(f"/proc/{self._child.pid}/{name}").read_bytes()

    def end(self) -> None:
        self._child.end()


@pytest.mark.timeout(120)
async def test_a_key_is_nowhere_but_at_its_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure(json_lines=True, level="DEBUG", stream=sys.stderr)
    caplog.set_level(logging.DEBUG)
    async with (
        asyncio.timeout(BOUND_SECONDS * 2),
        echoing() as server,
        asyncio.TaskGroup() as tasks,
    ):
        child = Child(tmp_path, tasks, supplied(server.address))
        for case in FIRST:
            await asyncio.gather(*(child.run(f"{provider}:{case}") for provider in PROVIDERS))
        # All in flight at once: after one of these the pace has everybody wait for seconds.
        ends = [f"{provider}:{case}" for provider in PROVIDERS for case in LAST]
        await asyncio.gather(*map(child.run, ends))
        child.end()

    _all_was_tried(child, server)
    written = content_of(tmp_path)
    assert b"It is right." in written, "the transcripts were looked at"
    said = {
        "files": written.decode("latin-1"),
        "frames": "\n".join(child.frames),
        "outcomes": repr(child.outcomes),
        "addresses": "\n".join(server.lines),
        "logs": caplog.text,
        "output": "".join(capfd.readouterr()),
        "process": child.process.decode("latin-1"),
    }
    assert [where for where, text in said.items() if MARK.lower() in text.lower()] == []


def _all_was_tried(child: Child, server: Server) -> None:
    """A key that was never shown proves nothing."""
    for provider in PROVIDERS:
        assert server.keys.count(key_of(provider)) >= len(CASES)
        endings = {case: child.outcomes[f"{provider}:{case}"].ending for case in CASES}
        assert endings["good"] is endings["talks"] is Ending.RESULT, child.outcomes
        assert endings["401"] is endings["400"] is endings["away"] is Ending.REFUSED
        assert endings["500"] is endings["cut"] is Ending.POSTPONED


@pytest.mark.parametrize("endpoint", PROVIDER_ENDPOINTS, ids=PROVIDERS)
async def test_what_the_environment_holds_for_others_is_sent_to_nobody(
    monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint
) -> None:
    for name in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{name}_CUSTOM_HEADERS", f"x-gateway: {MARK}")
        monkeypatch.setenv(f"{name}_API_KEY", MARK)
    for name in ("ORG_ID", "PROJECT_ID", "ADMIN_KEY"):
        monkeypatch.setenv(f"OPENAI_{name}", MARK)
    monkeypatch.setenv("GOOGLE_API_KEY", MARK)
    async with scripted() as server:
        speaker = Speaker()
        here = endpoint.model_copy(
            update={"base_url": server.base_url.removesuffix("/v1"), "timeout_seconds": 10.0}
        )
        server.answers(answered("", status="500 No"))
        with pytest.raises(LlmFault):
            await speaker.say(Model(here, "m"), [Message("user", "Hi")], Sampling(), key="sk-1-2-3")
        await speaker.aclose()
    assert "sk-1-2-3" in server.heads[0]
    assert MARK.lower() not in server.heads[0].lower()


def content_of(folder: Path) -> bytes:
    """All names and bytes below a folder."""
    found = sorted(folder.rglob("*"))
    return b"".join(
        str(path).encode() + (path.read_bytes() if path.is_file() else b"") for path in found
    )


def test_a_key_that_is_written_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "transcripts.db").write_bytes(b"\0" + key_of("openai").encode())
    assert MARK.encode() in content_of(tmp_path)
