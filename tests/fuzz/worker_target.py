"""A real agent with its link, hands and store under a hostile hub, without a network or children.

After each round an honest hub takes the hostile one's place: the worker must hear it out and tell
it what its person asks for.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from websockets.exceptions import ConnectionClosedError

from desktop.agent.agent import Agent
from desktop.agent.setup import Seams, Setup
from desktop.core.link import LinkStatus
from desktop.core.outcome import Ending, Outcome
from desktop.core.policy import Policy
from desktop.runner.child import ChildLimits
from desktop.runner.lines import FromChild, Offers, Order, PartsOver, StepOver
from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.system.paths import Paths
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.events import CancelAsked
from shared.ids import JobId, WorkerId
from shared.jobs import Origin
from shared.messages import Hello, Metrics, Push, Seen
from shared.protocol import HubEnd
from tests.fuzz import samples
from tests.fuzz.saying import Voice
from tests.fuzz.targets import PATIENCE_SECONDS, Round, Trouble, in_memory
from tests.makers import NOON
from tests.shared.protocol.worlds import numbered

DEVICE = WorkerId("0192f000-0000-7000-8000-000000000001")
POOL = (DEVICE, "0192f000-0000-7000-8000-00000000abcd", "job-1", "q-1", "task-1", "hub")
HUB_EPOCH = "h"


class Line:
    """A line to nobody: what the round says comes in, what the worker says is kept."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.close_code: int | None = None
        self.own_address = "127.0.0.1"
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.idle = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def recv(self) -> str | bytes:
        if self._inbox.empty():
            self.idle.set()
        frame = None if self.close_code is not None else await self._inbox.get()
        if frame is None:
            self.abort()
            raise ConnectionClosedError(None, None)
        return frame

    async def send(self, frame: str, /) -> None:
        if self.close_code is not None:
            raise ConnectionClosedError(None, None)
        self.heard.append(frame)

    async def close(self, code: int = 1000) -> None:
        if self.close_code is None:
            self.close_code = code
            self._inbox.put_nowait(None)
            self.idle.set()

    def abort(self) -> None:
        if self.close_code is None:
            self.close_code = 1006
            self._inbox.put_nowait(None)
        self.idle.set()

    def say(self, frame: str | bytes) -> None:
        if self.close_code is None:
            self.idle.clear()
            self._inbox.put_nowait(frame)


class Idler:
    """A child that does nothing until it is ended."""

    def __init__(
        self,
        _order: Order,
        _limits: ChildLimits,
        _environment: Environment,
        _say: Callable[[FromChild], None],
    ) -> None:
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    async def run(self) -> Outcome:
        return Outcome(ending=await self._ending)

    def answer(self, _key: str, _value: str) -> None:
        self.end(Ending.GONE)

    def parts_ended(self, _over: PartsOver) -> None:
        pass

    def step_ended(self, _over: StepOver) -> None:
        return

    def offered(self, _offers: Offers) -> None:
        return

    def end(self, ending: Ending) -> None:
        if not self._ending.done():
            self._ending.set_result(ending)

    def refuse(self, _error: ErrorBody) -> None:
        self.end(Ending.GONE)


class Baited:
    """A worker, and the hub's end of whatever line it opens."""

    def __init__(self, folder: Path, played: Round) -> None:
        self.played = played
        self.voice = Voice(played, POOL)
        self.paths = Paths(data=folder, config=folder)
        self.paths.make()
        self.database = open_store(self.paths.store)
        self.line: Line | None = None
        self.dialled = asyncio.Event()
        self.statuses: list[LinkStatus] = []
        self.accepted: list[dict[str, object]] = []
        """What the worker said yes to."""
        self.hub_seq = 0
        self.agent: Agent
        self.running: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        pairing = Pairing(
            hub_url="http://hub.test",
            worker_id=DEVICE,
            worker_name="anna-pc",
            hub_name="hub",
            person_name="anna",
        )
        await self.database.write(lambda c: facts.save_pairing(c, pairing))
        self.setup = Setup(
            paths=self.paths,
            pairing=pairing,
            token="token",
            policy=Policy(slots=4, kinds=dict.fromkeys(Origin, ("hard.*",)), disk_free_bytes_min=0),
            app_version="test",
            kinds_at="tests.desktop.runner.hard_executors:KINDS",
            executors_at="tests.desktop.runner.hard_executors:EXECUTORS",
            seams=Seams(dial=self.dial, make_child=Idler, measure=lambda _path: _METRICS),
        )

    async def dial(
        self, _base: str, _token: str, _proxy: str | None, _trust: ssl.SSLContext | None
    ) -> Line:
        self.line = Line()
        self.dialled.set()
        return self.line

    async def up(self, tasks: asyncio.TaskGroup) -> Line:
        """Have a line on which the worker has said hello."""
        while True:
            if self.running is None or self.running.done():
                if self.running is not None:
                    self.running.result()
                self.dialled.clear()
                self.agent = Agent(self.setup, self.database, self.statuses.append)
                self.running = tasks.create_task(self.agent.run())
            line = self.line
            if line is not None and line.close_code is None and line.heard:
                return line
            if line is None or line.close_code is not None:
                self.agent.hurry()
            await asyncio.sleep(0)

    async def play(self, tasks: asyncio.TaskGroup, count: int) -> None:
        line = await self.welcomed(tasks)
        for frame in self.voice.frames(count, self.some_frame):
            if line.close_code is not None:
                self.played.refused += 1
                line = await self.welcomed(tasks)
            line.say(frame)
            async with self.patience("the worker reads no more"):
                await line.idle.wait()
            self.look_at_offers(line)

    async def welcomed(self, tasks: asyncio.TaskGroup) -> Line:
        """Open a line and say an honest welcome; what comes then is not."""
        async with self.patience("the worker calls no more"):
            line = await self.up(tasks)
        hello = json.loads(line.heard[0])
        welcome = {
            "type": "welcome",
            "protocol": 1,
            "hub_epoch": HUB_EPOCH,
            "acked_seq": 0,
            "time": NOON.isoformat(),
            "limits": {
                "frame_bytes_max": 2**18,
                "batch_events_max": 100,
                "beat_seconds": 15,
                "dead_seconds": 45,
            },
        }
        self.hub_seq = hello["hub_seq"] if hello["hub_epoch"] == HUB_EPOCH else 0
        line.say(json.dumps(welcome))
        await line.idle.wait()
        return line

    def some_frame(self) -> str | bytes:
        voice = self.voice
        if voice.rng.random() < 0.5:
            return voice.any_of(samples.FROM_HUB)
        if self.accepted and voice.rng.random() < 0.5:
            return voice.say(json.dumps({"type": "grant", "fence": 1, **self.accepted.pop()}))
        if voice.rng.random() < 0.3:
            return voice.say(json.dumps(self.some_offer()))
        events = [voice.maker.event() for _ in range(voice.rng.randint(1, 3))]
        upto = self.hub_seq + len(events)
        entries = [
            {"hub_seq": self.hub_seq + n, "event": event} for n, event in enumerate(events, 1)
        ]
        document = {"type": "events", "after": self.hub_seq, "upto": upto, "events": entries}
        self.hub_seq = upto
        is_bent = voice.rng.random() < 0.5
        return voice.bent(document) if is_bent else voice.say(json.dumps(document))

    def some_offer(self) -> dict[str, object]:
        rng = self.voice.rng
        return {
            "type": "offer",
            "attempt": rng.randint(1, 3),
            "expires_in_seconds": 30,
            "job": {
                "job_id": rng.choice(POOL),
                "task_id": "task-1",
                "kind": "hard.hang",
                "title": "x",
                "origin": "chat",
            },
        }

    def look_at_offers(self, line: Line) -> None:
        for frame in line.heard[1:]:
            told = json.loads(frame)
            if told["type"] == "accept":
                self.accepted.append({n: told[n] for n in ("job_id", "attempt")})
            elif told["type"] == "seen":
                self.hub_seq = told["hub_seq"]
            elif told["type"] == "decline" and not told["error"]["code"]:
                raise Trouble("crash", "a refusal has no code")
        del line.heard[1:]

    async def check(self, tasks: asyncio.TaskGroup) -> None:
        """An honest hub is heard, and hears what the person here wants now."""
        if self.line is not None:
            self.line.abort()
        async with self.patience("the worker calls no more"):
            await self.up(tasks)
        await self.agent.say(CancelAsked(job_id=JobId("last")))
        async with self.patience("an honest hub is not heard, or hears nothing", kind="lost"):
            is_heard_out = False
            while not is_heard_out:
                # It may have been told of events it never wrote, and begin an epoch of its own.
                is_heard_out = await self.hears_out(await self.up(tasks))

    async def hears_out(self, line: Line) -> bool:
        """Be an honest hub on a line; False when the worker leaves to begin a new epoch."""
        end, seen, heard = HubEnd(0.0), False, False
        while not (seen and heard):
            if line.close_code is not None:
                return False
            for frame in line.heard:
                match end.receive(frame, 0.0):
                    case Hello():
                        self.greet(end)
                    case Seen():
                        seen = True
                    case Push(events=events):
                        heard |= any(e.body.get("job_id") == "last" for e in events)
                        end.committed(events[-1].seq)
                    case _:
                        pass
            line.heard.clear()
            for frame in end.frames_to_send():
                line.say(frame)
            if end.close_error is not None:
                if end.close_error.code != "worker_restored":
                    raise Trouble("lost", f"an honest hub was left: {end!r}")
                line.abort()
                return False
            await asyncio.sleep(0)
        return True

    def greet(self, end: HubEnd) -> None:
        """A hub that nobody knows: its log begins, and it has nothing of the worker's."""
        end.welcome(hub_epoch="honest", acked_seq=0, hub_seq=0, time=NOON, verdicts=())
        end.send_events([numbered(1)], 1)

    def patience(self, what: str, kind: str = "stuck") -> Patience:
        return Patience(kind, what)

    async def close(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait([self.running])


class Patience:
    """Waits for a while, and says what was waited for in vain."""

    def __init__(self, kind: str, what: str) -> None:
        self._kind, self._what = kind, what
        self._timeout = asyncio.timeout(PATIENCE_SECONDS)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise Trouble(self._kind, self._what) from None


_METRICS = Metrics(cpu_share=0, memory_used_bytes=1, memory_total_bytes=2, disk_free_bytes=10**12)


def baited(played: Round, count: int) -> None:
    """A hostile hub crashes no worker and keeps it from no honest one."""
    asyncio.run(_baited(played, count))


async def _baited(played: Round, count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="deskhand-fuzz-", dir=in_memory()) as folder:
        worker = Baited(Path(folder), played)
        try:
            with structlog.testing.capture_logs() as logs:
                async with asyncio.TaskGroup() as tasks:
                    await worker.prepare()
                    await worker.play(tasks, count)
                    await worker.check(tasks)
                    await worker.close()
            for entry in logs:
                if entry["log_level"] in ("error", "critical"):
                    raise Trouble("crash", repr(entry)[:2000])
        finally:
            worker.database.close()
