"""What is wrong with a hub, and what mends it, for the command line."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hub.core.fleet_rules import checked_broker, read_rules
from hub.core.view import size
from hub.frontends.figures import moment, plural
from hub.frontends.install.downloads import Downloads, frozen_workers
from hub.store.backup_folder import backups_in
from hub.store.database import CARE, STORE_NAME
from shared.api.client import Client
from shared.api.status import StatusShown
from shared.api.workers import WorkerShown
from shared.database import peek
from shared.errors import STORE_CORRUPT, AppError, NotFound
from shared.fleet import FLEET_PLATFORM
from shared.kinds.catalogue import BUILT_IN
from shared.plain_text import plain_line
from shared.store_file import check, sqlite_note

if TYPE_CHECKING:
    from hub.settings import Settings

BACKUP_AGE_MAX = timedelta(days=2)
DISK_FREE_BYTES_MIN = 500_000_000


class Findings:
    """Prints each finding as it is made; counts the bad ones."""

    def __init__(self) -> None:
        self.faults = 0

    def good(self, text: str) -> None:
        sys.stdout.write(f"✓ {plain_line(text)}\n")

    def bad(self, text: str, hint: str) -> None:
        self.faults += 1
        told = f"⚠ {plain_line(text)}\n"
        sys.stdout.write(f"{told}  {plain_line(hint)}\n" if hint else told)


def examine(settings: Settings, hub_url: str | None, key: str) -> int:
    """Look at everything; 0 when all is well."""
    findings = Findings()
    if hub_url is None:
        _look_at_folder(settings, findings)
        _look_at_backups(settings, findings)
        _look_at_downloads(settings, findings)
        _look_at_fleet_settings(settings, findings)
    key_file = settings.admin_key_file
    if not key and hub_url is None and key_file.exists():
        key = key_file.read_text().strip()
    _look_at_hub(Client(hub_url or settings.local_url, key), findings, has_key=bool(key))
    return 1 if findings.faults else 0


def _look_at_folder(settings: Settings, findings: Findings) -> None:
    folder = settings.data
    if not folder.exists():
        findings.bad(
            f"There is no data folder at {folder} yet.",
            "`deskhand-hub serve` makes it at its first start.",
        )
        return
    if not os.access(folder, os.W_OK):
        findings.bad(f"The data folder {folder} cannot be written.", "Give this user the folder.")
        return
    free = shutil.disk_usage(folder).free
    if free < DISK_FREE_BYTES_MIN:
        findings.bad(f"Only {free / 1e6:.0f} MB are free at {folder}.", "Free some space.")
    else:
        findings.good(f"Data folder {folder}, {free / 1e9:.0f} GB free")
    _look_at_store(folder / STORE_NAME, findings)
    key_file = settings.admin_key_file
    if key_file.exists() and os.name == "posix" and key_file.stat().st_mode & 0o077:
        findings.bad(f"Others may read {key_file}.", f"Run: chmod 600 {key_file}")


def _look_at_backups(settings: Settings, findings: Findings) -> None:
    """How much would be lost with this machine's disk as it is now."""
    found, now = backups_in(settings.data), datetime.now(UTC)
    if found and now - found[-1][0] < BACKUP_AGE_MAX:
        findings.good(f"Newest backup: {moment(found[-1][0], now)}, {len(found)} in all")
    elif settings.backups and now - _set_up_at(settings) > BACKUP_AGE_MAX:
        told = f"the newest is of {moment(found[-1][0], now)}" if found else "there is none"
        findings.bad(
            f"No backup of the last two days; {told}.",
            "A hub makes one a day while it runs; `deskhand-hub backup` makes one now.",
        )


def _set_up_at(settings: Settings) -> datetime:
    key_file = settings.admin_key_file
    seconds = key_file.stat().st_mtime if key_file.exists() else time.time()
    return datetime.fromtimestamp(seconds, UTC)


def _look_at_store(path: Path, findings: Findings) -> None:
    """Read all of the store, beside a hub that may be using it."""
    if path.exists():
        try:
            with peek(path) as connection:
                check(connection, path, CARE)
        except AppError as error:
            hint = CARE.repair_hint if error.code == STORE_CORRUPT else error.hint
            findings.bad(error.message, hint)
        else:
            findings.good(f"Store is sound ({path.name})")
    findings.good(sqlite_note())


def _look_at_fleet_settings(settings: Settings, findings: Findings) -> None:
    """What would keep a hub with a fleet from starting."""
    broker = settings.fleet_broker.get_secret_value()
    try:
        read_rules(settings.fleet_kinds, settings.fleet_people, BUILT_IN)
        if broker:
            checked_broker(broker)
    except AppError as error:
        findings.bad(error.message, error.hint)
    if broker and find_spec("celery") is None:
        findings.bad(
            "HUB_FLEET_BROKER is set, and Celery is not installed.",
            "Install it: pip install 'deskhand[fleet]'; or leave HUB_FLEET_BROKER empty.",
        )


def _look_at_downloads(settings: Settings, findings: Findings) -> None:
    """What the one line for servers would install, and from where it would be fetched."""
    if settings.public_url:
        findings.good(f"Computers are told to come to {settings.hub_url}")
    else:
        findings.good(
            f"Computers are told to come to {settings.hub_url}, which only this machine reaches; "
            "HUB_PUBLIC_URL names another address"
        )
    frozen = frozen_workers(Downloads(settings.downloads).files())
    for worker in frozen:
        what = f"{worker.system}-{worker.arch} {worker.version}, {size(worker.file.size_bytes)}"
        findings.good(f"Self-contained worker to download: {what}")
    if not frozen:
        findings.good(f"No self-contained worker in {settings.downloads}: computers need Python")


def _look_at_hub(client: Client, findings: Findings, *, has_key: bool) -> None:
    try:
        health = client.get_health()
    except AppError as error:
        findings.bad(error.message, error.hint)
        return
    findings.good(f"Hub at {client.hub_url}, version {health.version}")
    if not has_key:
        findings.bad(
            "There is no key to look further.", "Give --key, or run it where the hub runs."
        )
        return
    try:
        status, workers = client.get_status(), client.list_workers().workers
    except AppError as error:
        findings.bad(error.message, error.hint)
        return
    _look_at_frontends(status, findings)
    _look_at_workers([one for one in workers if not _is_fleet(one)], findings)
    _look_at_fleet(client, findings)
    _look_at_queue(status, findings)


def _look_at_frontends(status: StatusShown, findings: Findings) -> None:
    for frontend in status.frontends:
        if frontend.state in ("ok", "starting"):
            findings.good(f"Frontend {frontend.name}: {frontend.state}")
        else:
            findings.bad(
                f"Frontend {frontend.name}: {frontend.state}. {frontend.error}".strip(),
                frontend.hint,
            )


def _look_at_workers(workers: Sequence[WorkerShown], findings: Findings) -> None:
    if not workers:
        findings.bad("No computer is connected yet.", "`deskhand-hub invite` makes a code for one.")
    for worker in workers:
        if worker.is_paused:
            findings.good(f"Computer {worker.name}: paused")
        elif worker.is_online:
            told = f"connected, {worker.free} of {worker.slots} slots free"
            findings.good(f"Computer {worker.name}: {told}")
        else:
            # In this machine's time.
            then = moment(worker.last_seen_at, datetime.now(UTC))
            findings.bad(
                f"Computer {worker.name}: asleep or offline, last seen {then}.",
                "Start its program." if worker.pulls else "Start it there: deskhand --headless",
            )


def _is_fleet(worker: WorkerShown) -> bool:
    """Whether it stands for the fleet, which is looked at apart: it is nobody's computer."""
    return worker.pulls and worker.platform == FLEET_PLATFORM


def _look_at_fleet(client: Client, findings: Findings) -> None:
    try:
        fleet = client.get_fleet()
    except AppError:
        return  # a key that may not look, or a hub from before there were fleets
    if not fleet.is_configured:
        return
    waiting = sum(queue.waiting for queue in fleet.queues)
    if not fleet.is_broker_up:
        findings.bad(
            fleet.broker_error or "The fleet's broker was not reached yet.",
            "Nothing is lost: jobs are handed over once it is back. See that it runs.",
        )
    elif not fleet.kinds:
        findings.bad("The fleet may run nothing.", "Name kinds of work in HUB_FLEET_KINDS.")
    elif waiting and not fleet.nodes:
        findings.bad(
            f"{plural(waiting, 'job')} for the fleet, and no node is here.",
            "Start one: deskhand-fleet worker; or see that `deskhand-hub scaler run` runs.",
        )
    else:
        findings.good(f"Fleet: broker up, {plural(len(fleet.nodes), 'node')}, {waiting} waiting")


def _look_at_queue(status: StatusShown, findings: Findings) -> None:
    waiting = sum(status.waiting.values())
    findings.good(f"Queue: {waiting} waiting, {status.running} running, {status.asking} asking")
    if status.dead:
        findings.bad(f"{status.dead} ran out of tries.", "`deskhand-hub dead` tells why.")


def unlock(client: Client, name: str) -> int:
    """Let chats start things again for one person, or for everybody.

    Raises:
        NotFound: `person_unknown`.
    """
    people = client.list_people().people
    chosen = [p for p in people if not name or p.name.casefold() == name.casefold()]
    if not chosen:
        known = ", ".join(plain_line(person.name) for person in people)
        raise NotFound(
            "person_unknown", f"Nobody here is called '{name[:40]}'.", f"This hub knows: {known}."
        )
    locked = [person for person in chosen if person.is_locked]
    if not locked:
        sys.stdout.write("Nobody is locked.\n")
    for person in locked:
        client.unlock_person(person.person_id)
        sys.stdout.write(plain_line(f"{person.name} is unlocked.") + "\n")
    return 0
