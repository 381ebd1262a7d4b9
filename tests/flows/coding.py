"""A hub, a worker, a git server with a forge, and a scripted model: whole coding jobs over sockets.

The kinds, the agent, the sandbox and git are the product's own; the worker's children are real.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.agent.setup import EXECUTORS_AT, KINDS_AT, Seams
from desktop.core.code.forge_keys import key_name
from desktop.core.code.rules import CodeRules
from desktop.core.llm.rules import LlmRules
from desktop.core.llm.types import Endpoint
from desktop.core.policy import Policy
from desktop.jobs.code.samples import till
from desktop.jobs.code.samples.building import build, git
from desktop.system.paths import Paths
from hub.app import running
from hub.services.requests import Request
from hub.settings import Settings
from shared.ids import JobId, TaskId
from shared.jobs import Origin
from shared.kinds.code import Level
from tests.flows.ring import Ring, Worker, everything, farewell
from tests.git_servers.forge_double import ForgeDouble
from tests.git_servers.http_server import GitServer
from tests.llm_servers.scripted import ScriptedModel
from tests.llm_servers.scripted import running as model_running

TOKEN = "forge-token-0123456789"
SUITE = "python3 -m unittest discover -s tests -t ."
MODEL = "scripted:scripted"


@dataclass
class Coding:
    """The ring, and what stands around it."""

    ring: Ring
    worker: Worker
    model: ScriptedModel
    server: GitServer
    forge: ForgeDouble
    bare: Path
    url: str

    async def order(
        self,
        kind: str,
        *,
        task_id: TaskId | None = None,
        origin: Origin = Origin.API,
        **more: object,
    ) -> JobId:
        """Order work on the till, as any frontend does."""
        inputs = {
            "repository": self.url,
            "instructions": till.INSTRUCTIONS,
            "test_command": SUITE,
            **more,
        }
        receipt = await self.ring.hub.services.intake.request(
            Request(
                person_id=self.ring.person_id,
                kind=kind,
                inputs=inputs,  # type: ignore[arg-type]
                task_id=task_id,
                origin=origin,
            )
        )
        return receipt.card.job_id

    def branches(self) -> dict[str, str]:
        """Return the branches of the server besides the one that was there."""
        told = git(
            self.bare, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"
        )
        found = dict(line.split(" ", 1) for line in told.splitlines())
        del found["main"]
        return found

    def pushes(self) -> int:
        """Count the times that something was sent to the server."""
        return sum(
            one.method == "POST" and one.target.endswith("/git-receive-pack")
            for one in self.server.seen
        )


def policy_of(folder: Path, model: ScriptedModel, server: GitServer, *, slots: int = 4) -> Policy:
    endpoint = Endpoint(name="scripted", base_url=model.openai_url, is_local=True)
    return everything(folder).model_copy(
        update={
            "slots": slots,
            "llm": LlmRules(endpoints=(endpoint,)),
            "code": CodeRules(
                model=MODEL,
                repositories=(f"{server.url}/anna/*",),
                concurrent=slots,
                level_max=dict.fromkeys(Origin, Level.AUTONOMOUS),
            ),
        }
    )


def seed(folder: Path, server: GitServer) -> tuple[Path, str]:
    """Put the till on the server; return its bare repository and its URL."""
    bare = server.repository("anna/till")
    folder.mkdir(parents=True)
    made = build(folder, till.NAME, till.FILES)
    git(made.folder, "push", "--quiet", str(bare), "main")
    return bare, f"{server.url}/anna/till.git"


@contextlib.asynccontextmanager
async def a_coding_ring(
    folder: Path, steps: Iterable[Mapping[str, object]] = till.STEPS, *, slots: int = 4
) -> AsyncIterator[Coding]:
    """A hub and one worker that can code, on their own folders below `folder`."""
    remotes = folder / "remotes"
    forge = ForgeDouble(sort="gitea", folder=remotes, token=TOKEN)
    with (
        GitServer(remotes, logins={"oauth2": TOKEN}, forge=forge) as server,
        model_running(*steps) as model,
    ):
        forge.web = server.url
        bare, url = seed(folder / "seed", server)
        settings = Settings(data=folder / "hub", port=0, host="127.0.0.1")
        async with running(settings) as hub:
            (owner,) = await hub.services.registry.people()
            ring = Ring(folder=folder, hub=hub, person_id=owner.person_id)
            try:
                worker = await ring.pair(
                    "anna-pc", policy=policy_of(folder, model, server, slots=slots)
                )
                equip(worker, server)
                worker.start()
                yield Coding(ring, worker, model, server, forge, bare, url)
            finally:
                await farewell(ring.workers)


def equip(worker: Worker, server: GitServer) -> None:
    """Give a worker the product's kinds, and the server's key in its safe."""
    keys = {key_name(server.netloc): TOKEN}

    def read_keys(names: Iterable[str], paths: Paths) -> Mapping[str, str]:
        return {name: keys[name] for name in names if name in keys}

    worker.setup = replace(
        worker.setup,
        kinds_at=KINDS_AT,
        executors_at=EXECUTORS_AT,
        seams=Seams(read_keys=read_keys),
    )
