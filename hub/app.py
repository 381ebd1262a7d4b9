"""The hub, put together: store, services, engine, frontends, one server, one TaskGroup.

Nothing else knows how the parts fit. Whoever needs a hub (the command line, the demo, a test)
gets it from `running`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from hub.core.access import Scope
from hub.core.fleet_rules import FleetRules
from hub.core.view import Sender
from hub.core.webhook_target import parse_allowed
from hub.engines.celery_engine import CeleryEngine
from hub.engines.fleet_desk import FleetDesk
from hub.engines.fleet_nodes import FleetNodes
from hub.engines.pull import PullEngine
from hub.engines.pull_desk import PullDesk
from hub.engines.sockets import SocketEngine
from hub.frontends.console import ConsoleFrontend
from hub.frontends.host import Host
from hub.frontends.inbox import ChatInbox
from hub.frontends.makers import BUILT_IN as FRONTENDS
from hub.frontends.makers import NEEDED, built_in, plug_ins, settings_of
from hub.frontends.metrics.loop_lag import LoopLag
from hub.frontends.metrics.sources import Watch
from hub.frontends.outbox import Outbox
from hub.frontends.sse import Streams
from hub.frontends.tracing import Traced
from hub.frontends.webchat import WebFrontend
from hub.frontends.webhooks.sender import WebhookSender
from hub.ports import FrontendSetup, Taps
from hub.ring import fleet_of, loops_of, rebuild, ring_of
from hub.routes import made_api, made_install, made_metrics, made_web, program_version, routed
from hub.server import App, LateApi, Server, listen, loop_factory, on_signals, server_of
from hub.services import Services
from hub.services.backups import Backups
from hub.services.census import Census
from hub.services.counts import Counts
from hub.services.deliveries import Deliveries
from hub.services.restored import Restored
from hub.services.retention import Retention
from hub.services.snapshots import Snapshots
from hub.services.spans import SpanMaker
from hub.services.taps import TapNames
from hub.services.trail import Trail
from hub.settings import Settings
from hub.store.database import CARE, open_store
from hub.store.ledger import Ledger
from hub.store.lock import lock_hub
from hub.zone import zone_name
from shared import spans
from shared.database import Database
from shared.environment import Environment
from shared.errors import STORE_CORRUPT, AppError, NotAllowed, Unavailable, first_of
from shared.kinds import Kind
from shared.kinds.catalogue import BUILT_IN
from shared.logs import configure
from shared.otel import exported
from shared.protocol import Beats
from shared.store_file import Care

if TYPE_CHECKING:
    from hub.frontends.api.parts import About

log = structlog.get_logger()

OWNER = "me"
"""The person at the hub's own machine, until they choose a name."""
PEPPER_BYTES = 32
STORE_LOOK_SECONDS = 1.0
FILES_FOLDER = "files"
"""In the data folder: what people asked for, until it was sent."""
SNAPSHOTS_FOLDER = "snapshots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Everything, put together."""

    settings: Settings
    environment: Environment
    database: Database
    ledger: Ledger
    services: Services
    engine: SocketEngine
    pulling: PullEngine
    fleet: CeleryEngine | None
    fleet_desk: FleetDesk
    console: ConsoleFrontend
    chat: WebFrontend
    host: Host
    outbox: Outbox
    inbox: ChatInbox
    streams: Streams
    api: LateApi
    app: App
    hub_epoch: str
    restored: Restored
    backups: Backups
    watch: Watch
    retention: Retention
    webhooks: WebhookSender
    trail: Trail
    spans: SpanMaker | None
    """None when nobody collects spans."""


def compose(
    settings: Settings,
    environment: Environment | None = None,
    kinds: Mapping[str, Kind] = BUILT_IN,
    beats: Beats | None = None,
    care: Care = CARE,
) -> Hub:
    """Open the store and put a hub together around it; nothing runs yet.

    Raises:
        Unavailable: `store_unreadable`, `store_newer`, `data_folder_unusable`.
    """
    environment = environment or Environment()
    _make_folder(settings.data)
    database = open_store(settings.data, care=care)
    ledger = Ledger(database, environment)
    pepper = _secret_file(settings.pepper_file, lambda: environment.entropy(PEPPER_BYTES).hex())
    services, engine = ring_of(
        ledger,
        kinds,
        pepper.encode(),
        settings.data / FILES_FOLDER,
        beats=beats,
        allowed=parse_allowed(settings.webhook_allow),
        hub_zone=zone_name(),
    )
    pulling = PullEngine(services, environment, beats)
    services.dispatcher.add_engine(pulling)
    desk = PullDesk(services, environment, pulling)
    nodes = FleetNodes(environment, beats)
    fleet = fleet_of(settings, services, environment, kinds, nodes)
    fleet_desk = FleetDesk(services, nodes, fleet)
    deliveries = Deliveries(database, environment)
    outbox = Outbox(services=services, deliveries=deliveries, environment=environment)
    console = ConsoleFrontend(
        services=services,
        environment=environment,
        hub_name=settings.hub_name,
        version=program_version(),
        arrival=outbox.arrived,
    )
    inbox = ChatInbox(
        services=services,
        deliveries=deliveries,
        environment=environment,
        hub_url=settings.hub_url,
        ring=outbox.ring,
    )
    host = Host(inbox=inbox, outbox=outbox, environment=environment)
    chat = WebFrontend(services=services, environment=environment)
    host.adopt(console)
    host.adopt(chat)
    taps = TapNames(database, environment, pepper.encode())
    _plan_frontends(host, settings, environment, outbox, taps, services)
    snapshots = Snapshots(ledger, settings.data / SNAPSHOTS_FOLDER)
    streams = Streams(services)
    api = LateApi(
        lambda: made_api(
            services,
            snapshots,
            _about(settings, ledger.hub_epoch, host, streams, desk, fleet_desk, chat),
        )
    )
    install = LateApi(lambda: made_install(settings))
    trail = Trail(ledger)
    backups = Backups(settings.data, environment, keep=settings.backups, version=program_version())
    web = LateApi(
        lambda: made_web(
            settings,
            services,
            environment,
            streams,
            chat,
            host,
            backups,
            fleet_desk,
        )
    )
    watch = Watch(counts=Counts(ledger, kinds), census=Census(ledger, backups.look), lag=LoopLag())
    metrics = LateApi(
        lambda: made_metrics(
            services,
            engine,
            host,
            watch,
            fleet_desk,
            environment=environment,
            commit_seconds=database.commit_seconds,
            version=program_version(),
        )
    )
    return Hub(
        settings=settings,
        environment=environment,
        database=database,
        ledger=ledger,
        services=services,
        engine=engine,
        pulling=pulling,
        fleet=fleet,
        fleet_desk=fleet_desk,
        console=console,
        chat=chat,
        host=host,
        outbox=outbox,
        inbox=inbox,
        streams=streams,
        api=api,
        app=routed(
            engine,
            console,
            host,
            Traced(api, environment),
            install,
            metrics,
            Traced(web, environment),
        ),
        hub_epoch=ledger.hub_epoch,
        restored=Restored(ledger, kinds),
        backups=backups,
        watch=watch,
        retention=Retention(ledger, log_days=settings.log_days),
        webhooks=WebhookSender(services, environment, version=program_version()),
        trail=trail,
        spans=_spans(ledger, trail, deliveries),
    )


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    environment: Environment | None = None,
    kinds: Mapping[str, Kind] = BUILT_IN,
    beats: Beats | None = None,
    care: Care = CARE,
) -> AsyncIterator[Hub]:
    """Run a hub; inside the block it listens, at the block's end it drains and stops.

    With port 0 the settings of the hub that is yielded name the port that was found.

    Raises:
        Unavailable: `port_taken`, or as `compose`.
        Conflict: `hub_running`, on the same data folder.
    """
    listener = listen(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    try:
        _make_folder(settings.data)
        with lock_hub(settings.data):
            hub = compose(settings, environment, kinds, beats, care)
            try:
                await _prepare(hub)
                async with asyncio.TaskGroup() as tasks:
                    loops = [tasks.create_task(loop) for loop in _loops(hub)]
                    server = server_of(hub.settings, hub.app)
                    serving = tasks.create_task(server.serve(sockets=[listener]))
                    try:
                        # A server that cannot start ends its task, and with it this group.
                        await server.is_up.wait()
                        loops.append(tasks.create_task(_warm(hub)))
                        yield hub
                    finally:
                        await _drain(hub, server, serving)
                        for loop in loops:
                            loop.cancel()
            finally:
                hub.database.close()
    finally:
        listener.close()


def serve(settings: Settings) -> None:
    """Run a hub until it is told to stop (SIGTERM, SIGINT).

    Raises:
        Unavailable: as `running`.
    """
    configure(json_lines=settings.log_format == "json", level=settings.log_level)
    with (
        exported("deskhand-hub", program_version()),
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        try:
            runner.run(_serve(settings))
        except* AppError as failures:
            raise first_of(failures) from None


def _spans(ledger: Ledger, trail: Trail, deliveries: Deliveries) -> SpanMaker | None:
    if not spans.is_wanted():
        return None
    maker = SpanMaker(ledger, trail)
    deliveries.listeners.append(maker.delivered)
    return maker


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    on_signals(stop.set)
    async with running(settings) as hub:
        log.info("hub_listening", url=hub.settings.local_url, data=str(hub.settings.data))
        await stop.wait()
        log.info("hub_stopping")


def _plan_frontends(
    host: Host,
    settings: Settings,
    environment: Environment,
    outbox: Outbox,
    taps: Taps,
    services: Services,
) -> None:
    """Name the frontends to be made: the hub's own that are set up, and all plug-ins."""

    async def knows(sender: Sender) -> bool:
        return await services.registry.person_of(sender) is not None

    def setup(name: str, told: Mapping[str, str]) -> FrontendSetup:
        return FrontendSetup(
            environment=environment,
            hub_name=settings.hub_name,
            hub_url=settings.hub_url,
            settings=told,
            folder=settings.data / "frontends" / name,
            taps=taps,
            files=services.files,
            arrived=outbox.arrived,
            knows=knows,
        )

    for name in FRONTENDS:
        told = settings.of_frontend(name)
        if told[NEEDED[name]]:
            host.plan(built_in(name), setup(name, told))
    for maker in plug_ins():
        host.plan(maker, setup(maker.name, settings_of(maker.name, os.environ)))


def _about(
    settings: Settings,
    hub_epoch: str,
    host: Host,
    streams: Streams,
    pulling: PullDesk,
    fleet: FleetDesk,
    chat: WebFrontend,
) -> About:
    from hub.frontends.api.parts import About

    return About(
        hub_name=settings.hub_name,
        hub_epoch=hub_epoch,
        version=program_version(),
        hub_url=settings.hub_url,
        frontends=host.statuses,
        chat_links=host.chat_links,
        streams=streams,
        pulling=pulling,
        fleet=fleet,
        chat=chat,
    )


async def _prepare(hub: Hub) -> None:
    await hub.restored.settle()
    await rebuild(hub.services)
    await _admit_owner(hub)
    if hub.fleet is None:
        await hub.services.fleet.settle(FleetRules())  # no job waits for what is off
    else:
        await hub.fleet.prepare()
    await hub.host.begin()


async def _admit_owner(hub: Hub) -> None:
    """Make sure that the commands of this machine have a key that works."""
    key_file = hub.settings.admin_key_file
    if key_file.exists():
        with contextlib.suppress(NotAllowed):
            await hub.services.keys.check(key_file.read_text())
            return
        key_file.unlink()
    people = await hub.services.registry.people()
    owner = people[0] if people else await hub.services.registry.add_person(OWNER)
    key = await hub.services.keys.issue(
        owner.person_id, Scope.ADMIN, name="commands of the hub's machine"
    )
    _secret_file(key_file, lambda: key)


def _loops(hub: Hub) -> list[Coroutine[None, None, None]]:
    return [
        *loops_of(hub.services, hub.engine),
        hub.pulling.run(),
        *([hub.fleet.run()] if hub.fleet is not None else []),
        hub.backups.run(),
        hub.watch.lag.run(),
        hub.retention.run(),
        hub.outbox.run(),
        hub.host.run(),
        hub.webhooks.run(),
        hub.trail.run(),
        *([hub.spans.run()] if hub.spans is not None else []),
        _mind_store(hub.database),
    ]


async def _mind_store(database: Database) -> None:
    """End the hub when its store turns out to be damaged: what it would tell may be wrong.

    Raises:
        AppError: `store_corrupt`.
    """
    while True:
        await asyncio.sleep(STORE_LOOK_SECONDS)
        if database.trouble is not None and database.trouble.code == STORE_CORRUPT:
            raise database.trouble


async def _warm(hub: Hub) -> None:
    await hub.api.ready()


async def _drain(hub: Hub, server: Server, serving: asyncio.Task[None]) -> None:
    """Say goodbye to workers and terminals, finish requests, write down what is in memory."""
    hub.services.pairing.close()
    hub.pulling.close()
    hub.fleet_desk.close()
    if hub.fleet is not None:
        await hub.fleet.drain()
    await hub.engine.drain()
    await hub.host.stop()
    hub.streams.close()
    server.should_exit = True
    await asyncio.wait([serving])
    with contextlib.suppress(Unavailable):
        await hub.services.registry.write_seen()
        await hub.services.keys.write_used()
    await hub.trail.finish()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Unavailable(
            "data_folder_unusable",
            f"The data folder {folder} cannot be made: {error.strerror}.",
            "Choose another with HUB_DATA.",
        ) from error


def _secret_file(path: Path, make: Callable[[], str]) -> str:
    """Read a secret, or make it; only the hub's user can read it."""
    if path.exists():
        return path.read_text().strip()
    secret = make()
    path.touch(mode=0o600)
    path.write_text(secret + "\n")
    return secret
