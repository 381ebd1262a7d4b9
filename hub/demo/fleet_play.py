"""The play of the fleet: five hundred jobs, a broker, and nodes that come and go with the work.

The scaler starts nodes as processes of this machine; its own log tells each step and why. The model
is a small server that takes its time, as real ones do, so neither a key nor a network is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from pydantic import JsonValue

from hub.core.pool import Pool
from hub.demo.programs import DemoFailed, free_port
from hub.demo.stage import START_SECONDS, Stage
from hub.hosts.process import ProcessHost, Settings
from shared.api.client import Client
from shared.api.fleet import FleetShown
from shared.api.fleet_client import FleetClient
from shared.api.keys import KeyScope, NewKey
from shared.api.parts import PAGE_MAX
from shared.api.tasks import NewTask
from shared.errors import AppError

SAMPLES = "desktop.jobs.plan.samples"
KIND = "llm.probe"
MODEL = "demo:scripted"
JOBS = 500
NODES_MAX = 3
SLOTS = 8
MODEL_SECONDS = 0.25
EVERY_SECONDS = 1.0
WORK_SECONDS = 120.0
DOWN_SECONDS = 60.0
BROKER, SCALER = "broker", "scaler"
POLICY = """\
[[llm.endpoints]]
name = "demo"
base_url = "http://127.0.0.1:{port}/v1"
models = ["scripted"]
"""
POOLS = """\
[[pools]]
name = "here"
kinds = ["{kind}"]
nodes_min = 0
nodes_max = {nodes_max}
slots = {slots}
waiting_per_node = 40
up_seconds = 3
idle_seconds = 6
start_seconds = 60
host = "process"

[pools.settings]
hub = "{hub}"
folder = "{folder}/nodes"
secrets_file = "{folder}/fleet.env"
policy = "{folder}/fleet-policy.toml"
"""


@dataclass(slots=True)
class FleetPlay(Stage):
    """One performance."""

    jobs: int = JOBS
    _nodes_most: int = field(init=False, default=0)
    _log_read: int = field(init=False, default=0)
    _steps: list[dict[str, JsonValue]] = field(init=False, default_factory=list)
    """What the scaler decided to change, in its own words."""

    async def perform(self) -> dict[str, JsonValue]:
        """Play all scenes; return the summary."""
        broker = await self._start_broker()
        model_port = free_port()
        arguments = ["model", str(model_port), "--seconds", str(MODEL_SECONDS)]
        self.programs.start("model", SAMPLES, arguments)
        await self.start_hub({"HUB_FLEET_BROKER": broker, "HUB_FLEET_KINDS": KIND})
        rest = Client(self.hub_url, self.admin_key)
        self._write_files(rest, broker, model_port)
        async with self._scaled():
            asked_at = time.monotonic()
            await self._ask(rest)
            await self._watch(self._all_done, WORK_SECONDS, "The jobs were not done in time.")
            seconds = time.monotonic() - asked_at
            self.transcript.note("Nothing waits or runs any more; the nodes may go.")
            await self._watch(self._all_gone, DOWN_SECONDS, "The nodes did not go.")
        return await asyncio.to_thread(self._summary, rest, seconds)

    # What is started.

    async def _start_broker(self) -> str:
        program = shutil.which("redis-server")
        if program is None:
            raise DemoFailed(
                "redis-server is not installed; sudo apt-get install redis-server brings it."
            )
        port = free_port()
        folder = self.folder / BROKER
        folder.mkdir()
        words = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        self.programs.launch(BROKER, [program, *words])
        self.transcript.note(f"A broker: redis-server on port {port} of this machine.")

        await self.programs.until(
            lambda: "Ready to accept" in self.programs.log_of(BROKER).read_text(),
            START_SECONDS,
            "redis-server did not start.",
        )
        return f"redis://127.0.0.1:{port}/0"

    def _write_files(self, rest: Client, broker: str, model_port: int) -> None:
        """Write down what the fleet's owner would: pools, secrets, and where a model answers."""
        key = rest.create_key(NewKey(name="the fleet", scope=KeyScope.FLEET)).key
        secrets = self.folder / "fleet.env"
        secrets.touch(mode=0o600)
        secrets.write_text(f"DESKHAND_FLEET_KEY={key}\nDESKHAND_FLEET_BROKER={broker}\n")
        (self.folder / "fleet-policy.toml").write_text(POLICY.format(port=model_port))
        pools = POOLS.format(
            kind=KIND, nodes_max=NODES_MAX, slots=SLOTS, hub=self.hub_url, folder=self.folder
        )
        (self.folder / "fleet.toml").write_text(pools)

    @contextlib.asynccontextmanager
    async def _scaled(self) -> AsyncIterator[None]:
        """Run the scaler inside the block; no node outlives it."""
        pools = str(self.folder / "fleet.toml")
        most = f"0 to {NODES_MAX} nodes of {SLOTS} slots"
        self.transcript.note(f"$ deskhand-hub scaler run --pools fleet.toml   ({most})")
        command = ["scaler", "run", "--pools", pools, "--hub", self.hub_url, "--json"]
        command += ["--data", str(self.folder / "hub"), "--every", str(EVERY_SECONDS)]
        # What nodes leave in the system's folder for what does not last is thrown away with ours.
        scratch = self.folder / "scratch"
        scratch.mkdir()
        self.programs.start(SCALER, "hub", command, settings={"TMPDIR": str(scratch)})
        try:
            yield
        finally:
            await self.programs.kill(SCALER)
            await self._end_nodes()

    async def _end_nodes(self) -> None:
        """End the nodes that are still there, as when the play was stopped in the middle."""
        settings = Settings(
            hub=self.hub_url,
            folder=str(self.folder / "nodes"),
            secrets_file=str(self.folder / "fleet.env"),
            stop_seconds=1,
        )
        pool = Pool(name="here", kinds=(KIND,))
        host = ProcessHost(settings)
        while left := await host.instances(pool):
            await host.stop(pool, [instance.name for instance in left])
        await host.close()

    # What is asked for.

    async def _ask(self, rest: Client) -> None:
        self.transcript.note(f"{self.jobs} probes are asked for over REST, each a job of its own.")
        self.transcript.note(
            "The bar is what waits; what the scaler decides has its reason beside it."
        )
        asked = 0
        while asked < self.jobs:
            batch = range(asked, min(asked + 25, self.jobs))
            await asyncio.to_thread(self._ask_batch, rest, batch)
            asked = batch.stop
            await self._tell()

    @staticmethod
    def _ask_batch(rest: Client, numbers: range) -> None:
        for number in numbers:
            scenario: JsonValue = {
                "id": f"probe-{number + 1}",
                "prompt": f"Which is more, {number} or {number + 1}? One word.",
            }
            inputs: dict[str, JsonValue] = {"model": MODEL, "scenario": scenario}
            rest.enqueue_job(
                NewTask(kind=KIND, inputs=inputs, title=f"Probe {number + 1}"),
                idempotency_key=f"probe-{number + 1}",
            )

    # What is seen.

    async def _watch(
        self, is_over: Callable[[FleetShown], bool], seconds: float, complaint: str
    ) -> None:
        """Tell how it goes, until it is over.

        Raises:
            DemoFailed: it was not in time.
        """
        until = time.monotonic() + seconds
        while True:
            shown = await self._tell()
            if shown is not None and is_over(shown):
                return
            if time.monotonic() > until:
                raise DemoFailed(complaint)
            await asyncio.sleep(EVERY_SECONDS)

    @staticmethod
    def _all_done(shown: FleetShown) -> bool:
        return not any(queue.waiting or queue.running for queue in shown.queues)

    def _all_gone(self, shown: FleetShown) -> bool:
        del shown
        return not list((self.folder / "nodes").glob("*.node"))

    async def _tell(self) -> FleetShown | None:
        """Pass on what the scaler says, then one line of figures."""
        self._tell_steps()
        try:
            shown = await asyncio.to_thread(FleetClient(self.hub_url, self.admin_key).get_fleet)
        except AppError:
            return None
        waiting = sum(queue.waiting for queue in shown.queues)
        running = sum(queue.running for queue in shown.queues)
        nodes = len(list((self.folder / "nodes").glob("*.node")))
        self._nodes_most = max(self._nodes_most, nodes)
        seconds = time.monotonic() - self.started_at
        bar = "#" * round(40 * waiting / max(1, self.jobs))
        self.transcript.note(
            f"{seconds:5.1f} s  waiting {waiting:4}  running {running:3}  nodes {nodes}  {bar}"
        )
        return shown

    def _tell_steps(self) -> None:
        """Tell what the scaler has decided since, with its reasons."""
        lines = self.programs.log_of(SCALER).read_text().splitlines()
        for line in lines[self._log_read :]:
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if said.get("event") == "decided":
                    self._tell_step(said)
                elif said.get("level") == "warning":
                    self.transcript.note(f"         scaler: {said.get('why', said['event'])}")
        self._log_read = len(lines)

    def _tell_step(self, said: dict[str, JsonValue]) -> None:
        if said["start"] or said["drain"] or said["stop"]:
            self._steps.append(said)
        self.transcript.note(f"         scaler: {said['reason']}")

    # What came of it.

    def _summary(self, rest: Client, seconds: float) -> dict[str, JsonValue]:
        """Count what happened, from the hub's own events.

        Raises:
            DemoFailed: a job did not succeed, or one did more than once.
        """
        started: Counter[str] = Counter()
        succeeded: Counter[str] = Counter()
        after: int | None = 0
        while True:
            types = ("job_started", "job_succeeded")
            page = rest.list_events(types=types, after=after, limit=PAGE_MAX)
            for event in page.events:
                counted = started if event.type == "job_started" else succeeded
                counted[str(event.body["job_id"])] += 1
            if not page.events:
                break
            after = page.events[-1].hub_seq
        twice = sum(count > 1 for count in succeeded.values())
        if len(succeeded) != self.jobs or twice:
            raise DemoFailed(
                f"{len(succeeded)} of {self.jobs} jobs succeeded, {twice} of them more than once."
            )
        return {
            "ok": True,
            "jobs": self.jobs,
            "succeeded_once": len(succeeded),
            "started": sum(started.values()),
            "seconds": round(seconds, 1),
            "jobs_per_second": round(self.jobs / seconds, 1),
            "nodes_most": self._nodes_most,
            "steps_up": sum(bool(step["start"]) for step in self._steps),
            "steps_down": sum(bool(step["drain"]) for step in self._steps),
            "seconds_in_all": round(time.monotonic() - self.started_at, 1),
        }

    def tell(self, summary: dict[str, JsonValue]) -> None:
        """Write the last words."""
        self.transcript.note("")
        self.transcript.note(
            f"{summary['succeeded_once']} of {summary['jobs']} jobs succeeded, each once "
            f"({summary['started']} starts), in {summary['seconds']} s: "
            f"{summary['jobs_per_second']} a second."
        )
        self.transcript.note(
            f"Nodes at once, at most: {summary['nodes_most']}. Steps up: {summary['steps_up']}, "
            f"down: {summary['steps_down']}. No node is left."
        )
