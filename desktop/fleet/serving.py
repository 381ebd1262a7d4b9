"""A node put together on a loop: its line to the hub, its runner and what it deletes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import NoReturn

from desktop.core.figures import Figures
from desktop.core.link import LinkState
from desktop.core.llm.endpoints import with_built_in
from desktop.core.llm.locality import kept_local
from desktop.core.policy import MEMORY_SHARE_DEFAULT
from desktop.core.run_policy import cores_max
from desktop.core.web.rules import search_keys
from desktop.fleet.hub_line import HubLine
from desktop.fleet.leaving import Leftovers
from desktop.fleet.node import Node
from desktop.fleet.setup import NodeSetup, keys_of
from desktop.runner.lines import Supplied
from desktop.runner.mouth import load
from desktop.runner.runner import Runner
from desktop.runner.shared_child import SharedChild
from desktop.runner.supplies import Supplies
from desktop.runner.workshop import Workshop
from desktop.runner.workspaces import Workspaces
from desktop.system import hardware
from desktop.system.metrics_page import Read
from desktop.system.metrics_page import serving as page
from desktop.system.paths import Paths
from desktop.system.way import Way
from shared.environment import Environment
from shared.errors import AppError, first_of


@asynccontextmanager
async def serving(
    setup: NodeSetup,
    paths: Paths,
    environment: Environment,
    on_drain: Callable[[], None] = lambda: None,
) -> AsyncIterator[Node]:
    """Run a node for a block that its hub lets in; all its children are gone afterwards.

    `on_drain` is called once, when nothing more is to be taken.

    Raises:
        NotAllowed: `key_invalid`, `key_scope`.
        Unavailable: `hub_unreachable`.
        AppError: the way to the hub cannot be gone, figures cannot be served.
    """
    leftovers = Leftovers(paths, environment)
    measure = partial(hardware.metrics, paths.data)
    async with HubLine(setup.hub_url, setup.key, Way(setup.policy.network)) as line:
        try:
            async with asyncio.TaskGroup() as tasks:
                node = Node(setup, line, environment, tasks, leftovers.ended, measure)
                supplies = Supplies(partial(supplied, setup), environment, tasks)
                shared = SharedChild(environment, tasks, supplies)
                runner = Runner(workshop(setup, paths), node, environment, tasks, shared)
                node.use(runner)
                node.on_drain = on_drain
                await node.beating.come()
                tasks.create_task(node.beating.run(), name="beats")
                tasks.create_task(leftovers.run(), name="leftovers")
                try:
                    async with _measured(setup.metrics, partial(figures, node, runner)):
                        yield node
                finally:
                    runner.end_all()
                leave()
        except* _OverError:
            pass
        except* AppError as errors:
            raise first_of(errors) from None


@asynccontextmanager
async def _measured(address: str, read: Read) -> AsyncIterator[None]:
    """Serve figures, if that is asked for."""
    if not address:
        yield
        return
    async with page(address, read):
        yield


async def figures(node: Node, runner: Runner) -> Figures:
    """Tell how a node is."""
    begun = [work for work in node.works if work.attempt is not None]
    asking = sum(work.question_id is not None for work in begun)
    return Figures(
        link=LinkState.ONLINE if node.beating.is_reached else LinkState.OFFLINE,
        reconnects=node.beating.reconnects,
        running=len(begun) - asking,
        waiting=node.held - len(begun),
        asking=asking,
        tally=runner.tally,
        memory_bytes=hardware.own_memory_bytes(),
    )


def workshop(setup: NodeSetup, paths: Paths) -> Workshop:
    """What every job of a node is run with: no folder of anybody's."""
    memory = setup.policy.memory_bytes_max
    return Workshop(
        kinds=load(setup.kinds_at),
        kinds_at=setup.kinds_at,
        executors=load(setup.executors_at),
        jobs_folder=paths.jobs,
        workspaces=Workspaces(paths.sessions),
        models_folder=paths.models,
        data_folder=paths.data,
        profile=paths.home,
        folders=(),
        memory_bytes_max=memory or int(hardware.memory_total_bytes() * MEMORY_SHARE_DEFAULT),
        threads_max=1,
        cores_max=cores_max(setup.policy.run, hardware.cores()),
    )


def supplied(setup: NodeSetup) -> Supplied:
    """What jobs work with; keys are the environment's that the node was started with."""
    policy = setup.policy
    endpoints = with_built_in(policy.llm.endpoints)
    if policy.llm.local_only:
        endpoints = kept_local(endpoints)
    wanted = {one.key_name for one in endpoints if one.key_name and not one.is_barred}
    return Supplied(
        keys=keys_of(wanted.union(search_keys(policy.web)), setup.provider_keys),
        endpoints=endpoints,
        send_text=policy.llm.send_text,
        network=policy.network,
        code=policy.code,
        web=policy.web,
    )


class _OverError(Exception):
    """Nothing more is to be done: whatever still waits is nobody's."""


def leave() -> NoReturn:
    """End the group of tasks that this is called in, and all of them."""
    raise _OverError
