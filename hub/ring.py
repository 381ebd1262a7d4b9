"""What data goes round in, put together: the store's services and the engine of the sockets.

A hub has it (`hub.app`), and so has a simulated one.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from functools import partial
from pathlib import Path

from hub.core.board import Board
from hub.core.fleet_rules import checked_broker, read_rules
from hub.core.webhook_target import NOWHERE, Allowed
from hub.engines.celery_engine import CeleryEngine
from hub.engines.celery_line import CeleryLine
from hub.engines.fleet_nodes import FleetNodes
from hub.engines.sockets import SocketEngine
from hub.frontends.scheduled import read_words
from hub.services import Services
from hub.services.absences import Absences
from hub.services.admissions import Admissions
from hub.services.chats import Chats
from hub.services.chronicle import Chronicle
from hub.services.deeds import Deeds
from hub.services.dispatcher import Dispatcher
from hub.services.feed import Feed
from hub.services.files import Files
from hub.services.fleet import Fleet
from hub.services.gauge import Gauge
from hub.services.intake import Intake
from hub.services.keys import Keys
from hub.services.machines import Machines
from hub.services.once import Once
from hub.services.pairing import Pairing
from hub.services.pullers import Pullers
from hub.services.recorder import Recorder
from hub.services.registry import Registry
from hub.services.rescuer import Rescuer
from hub.services.runs import Runs
from hub.services.schedule_deeds import ScheduleDeeds
from hub.services.schedules import Schedules
from hub.services.sessions import Sessions
from hub.services.sign_ins import SignIns
from hub.services.views import Views
from hub.services.webhook_lanes import WebhookLanes
from hub.services.webhooks import Webhooks
from hub.settings import Settings
from hub.store.ledger import Entry, Ledger
from shared.database import Database
from shared.environment import Environment
from shared.events import TaskPurged
from shared.kinds import Kind
from shared.protocol import Beats

TASK_PURGED: str = TaskPurged.model_fields["type"].default


def ring_of(
    ledger: Ledger,
    kinds: Mapping[str, Kind],
    pepper: bytes,
    files: Path,
    *,
    beats: Beats | None = None,
    allowed: Allowed = NOWHERE,
    hub_zone: str = "UTC",
) -> tuple[Services, SocketEngine]:
    """Put together what data goes round in, without frontends or a server."""
    light = frozenset(name for name, kind in kinds.items() if not kind.takes_slot)
    services = _services(ledger, Board(light), kinds, pepper, files, allowed, hub_zone)
    engine = SocketEngine(
        services,
        hub_epoch=ledger.hub_epoch,
        lineage=ledger.lineage,
        environment=ledger.environment,
        beats=beats,
    )
    services.dispatcher.add_engine(engine)
    ledger.listeners.append(partial(_scrub_after_purge, ledger.database))
    return services, engine


def fleet_of(
    settings: Settings,
    services: Services,
    environment: Environment,
    kinds: Mapping[str, Kind],
    nodes: FleetNodes,
) -> CeleryEngine | None:
    """Make the engine of the fleet, if there is a broker for it.

    Raises:
        BadInput: `fleet_broker_invalid`, `fleet_kind_unknown`, `fleet_kind_private`.
        Unavailable: `fleet_tools_missing`.
    """
    rules = read_rules(settings.fleet_kinds, settings.fleet_people, kinds)
    broker = settings.fleet_broker.get_secret_value()
    if not broker:
        return None
    line = CeleryLine(checked_broker(broker))
    engine = CeleryEngine(services, environment, rules=rules, kinds=kinds, line=line, nodes=nodes)
    services.dispatcher.add_engine(engine)
    return engine


def _services(
    ledger: Ledger,
    board: Board,
    kinds: Mapping[str, Kind],
    pepper: bytes,
    files: Path,
    allowed: Allowed,
    hub_zone: str,
) -> Services:
    keys = Keys(ledger)
    registry = Registry(ledger, board)
    # Whoever is shown out must not come in again on a key that is still remembered.
    pairing = Pairing(ledger, pepper)
    registry.revocation_listeners.append(keys.forget_worker)
    pairing.token_listeners.append(keys.forget)
    feed = Feed(ledger)
    doing = Deeds(ledger.environment, board, kinds)
    scheduling = ScheduleDeeds(ledger.environment, doing, read_words, hub_zone=hub_zone)
    recorder = Recorder(ledger, board, kinds, scheduling)
    dispatcher = Dispatcher(ledger, board)
    return Services(
        feed=feed,
        intake=Intake(ledger, board, kinds, dispatcher.stir),
        once=Once(ledger, pepper),
        views=Views(ledger, board),
        keys=keys,
        pairing=pairing,
        admissions=Admissions(ledger),
        registry=registry,
        sign_ins=SignIns(ledger),
        pullers=Pullers(ledger, board, kinds),
        dispatcher=dispatcher,
        recorder=recorder,
        fleet=Fleet(ledger, board, kinds, recorder),
        rescuer=Rescuer(ledger, board, kinds),
        absences=Absences(ledger, board),
        sessions=Sessions(ledger),
        schedules=Schedules(ledger, scheduling),
        runs=Runs(ledger, feed),
        files=Files(ledger, files),
        chats=Chats(ledger),
        machines=Machines(ledger, board),
        gauge=Gauge(ledger, board),
        chronicle=Chronicle(ledger),
        webhooks=Webhooks(ledger, pepper, allowed),
        webhook_lanes=WebhookLanes(ledger, pepper),
    )


async def rebuild(services: Services) -> None:
    """Read back from the store what services keep in memory."""
    await services.dispatcher.rebuild()
    await services.rescuer.rebuild()
    await services.absences.rebuild()
    await services.sessions.rebuild()
    await services.schedules.rebuild()
    await services.files.rebuild()


def loops_of(services: Services, engine: SocketEngine) -> list[Coroutine[None, None, None]]:
    """What runs for as long as a hub does."""
    return [
        services.dispatcher.run(),
        services.rescuer.run(),
        services.absences.run(),
        services.sessions.run(),
        services.schedules.run(),
        services.registry.run(),
        services.keys.run(),
        services.pairing.run(),
        services.files.run(),
        services.gauge.run(),
        engine.run(),
    ]


def _scrub_after_purge(database: Database, entry: Entry) -> None:
    """What was forgotten must not stand in the store's write-ahead log either."""
    if any(fact.type == TASK_PURGED for fact in entry.facts):
        database.scrub()
