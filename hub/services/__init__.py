"""The doers of the hub. Each use case loads, decides (in core), saves in one transaction, rings.

Reading this folder's names in order of a job's way: intake, dispatcher, recorder, rescuer; beside
it registry, absences, pairing, admissions (with the steps they share in arrivals), keys, views,
files, sessions, schedules, runs, and the feed that wakes whoever reads along.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.services.absences import Absences
from hub.services.admissions import Admissions
from hub.services.chats import Chats
from hub.services.chronicle import Chronicle
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
from hub.services.schedules import Schedules
from hub.services.sessions import Sessions
from hub.services.sign_ins import SignIns
from hub.services.views import Views
from hub.services.webhook_lanes import WebhookLanes
from hub.services.webhooks import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What frontends and engines are given."""

    feed: Feed
    intake: Intake
    once: Once
    views: Views
    keys: Keys
    pairing: Pairing
    admissions: Admissions
    registry: Registry
    sign_ins: SignIns
    pullers: Pullers
    dispatcher: Dispatcher
    recorder: Recorder
    rescuer: Rescuer
    absences: Absences
    sessions: Sessions
    schedules: Schedules
    runs: Runs
    files: Files
    fleet: Fleet
    machines: Machines
    gauge: Gauge
    chronicle: Chronicle
    webhooks: Webhooks
    webhook_lanes: WebhookLanes
    chats: Chats
