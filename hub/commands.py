"""What the commands of `deskhand-hub` do: each imports its own code, once it is chosen."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import BadInput, NotAllowed
from shared.lean import import_structlog, uncollected

if TYPE_CHECKING:
    from hub.settings import Settings
    from shared.api.client import Client


def version() -> str:
    """Tell this program's version; "from source" where none was installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("deskhand")
    except PackageNotFoundError:
        return "from source"


def _settings(options: argparse.Namespace) -> Settings:
    from hub.settings import load_settings

    names = ("host", "port", "data")
    return load_settings({n: v for n in names if (v := getattr(options, n, None)) is not None})


def serve(options: argparse.Namespace) -> int:
    with uncollected():
        import_structlog()
        settings = _settings(options)
        from hub.app import serve
        from hub.server import spare_collector, stop_with_input

    spare_collector()
    if options.until_input_ends:
        stop_with_input(sys.stdin.fileno())
    serve(settings)
    return 0


def invite(options: argparse.Namespace) -> int:
    from hub.invite import invite, invite_to_web

    if options.web:
        return invite_to_web(_client(options), person=options.person)
    return invite(_client(options), person=options.person, is_approved=options.yes)


def approve(options: argparse.Namespace) -> int:
    from hub.invite import decide_named, list_waiting

    if options.id == "list":
        return list_waiting(_client(options))
    return decide_named(_client(options), options.id, is_approved=not options.no)


def chat(options: argparse.Namespace) -> int:
    from hub.terminal import chat

    hub_url, key = _address(options)
    chat(hub_url, key)
    return 0


def doctor(options: argparse.Namespace) -> int:
    from hub.doctor import examine

    return examine(_settings(options), options.hub, _given_key(options))


def get(options: argparse.Namespace) -> int:
    place = _client(options).get_file(options.name, options.output.expanduser())
    print(place)
    return 0


def unlock(options: argparse.Namespace) -> int:
    from hub.doctor import unlock

    return unlock(_client(options), options.name or "")


def dead(options: argparse.Namespace) -> int:
    from hub.dead import Wanted, run

    wanted = Wanted(
        names=tuple(options.ids),
        kind=options.kind,
        worker=options.worker,
        is_fleet=options.fleet,
        since=options.since,
        as_json=options.as_json,
        is_sure=getattr(options, "yes", False),
    )
    return run(_client(options), options.action, wanted)


def fleet(options: argparse.Namespace) -> int:
    from hub.fleet import show

    return show(_client(options), as_json=options.as_json)


def list_keys(options: argparse.Namespace) -> int:
    from hub.keys import list_keys

    return list_keys(_client(options))


def create_key(options: argparse.Namespace) -> int:
    from hub.keys import create

    return create(
        _client(options),
        options.name,
        scope=options.scope,
        kinds=options.kinds,
        days=options.days,
        person=options.person,
    )


def rotate_key(options: argparse.Namespace) -> int:
    from hub.keys import rotate

    return rotate(_client(options), options.id, hours=options.hours)


def revoke_key(options: argparse.Namespace) -> int:
    from hub.keys import revoke

    return revoke(_client(options), options.id)


def backup(options: argparse.Namespace) -> int:
    from hub.backup import back_up

    if options.keep is not None and options.keep < 1:
        raise BadInput("keep_invalid", "At least one backup must be kept.", "Try --keep 7.")
    return back_up(_settings(options), options.file, options.keep, version())


def restore(options: argparse.Namespace) -> int:
    from hub.restore import restore

    return restore(_settings(options), options.file, is_latest=options.latest)


def scaler(options: argparse.Namespace) -> int:
    from hub.scaler.program import plan, run

    if options.key_file is not None:
        options.key = _key_in(options.key_file)
    hub_url, key = _address(options)
    if options.action == "plan":
        return plan(options.pools, hub_url, key, as_json=options.as_json)
    if not 0.1 <= options.every <= 3600:
        raise BadInput("every_invalid", "Between looks lie 0.1 to 3,600 seconds.", "Try --every 5.")
    return run(options.pools, hub_url, key, every_seconds=options.every, as_json=options.as_json)


def _key_in(file: Path) -> str:
    try:
        return file.expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            "key_file_unreadable", f"The key file {file} cannot be read.", "Name another."
        ) from None


def demo(options: argparse.Namespace) -> int:
    from hub.demo import Scene, run_demo

    return run_demo(Scene(options.scene), as_json=options.as_json, jobs=options.jobs)


def _client(options: argparse.Namespace) -> Client:
    from shared.api.client import Client

    hub_url, key = _address(options)
    return Client(hub_url, key)


def _address(options: argparse.Namespace) -> tuple[str, str]:
    """The hub to talk to and the key to show it."""
    settings = _settings(options)
    hub_url = options.hub or settings.local_url
    key = _given_key(options)
    if not key and settings.admin_key_file.exists():
        key = settings.admin_key_file.read_text().strip()
    if not key:
        raise NotAllowed(
            "key_missing",
            f"There is no key for {hub_url}.",
            "Start the hub on this machine first (`deskhand-hub serve`), or give --key.",
        )
    return hub_url, key


def _given_key(options: argparse.Namespace) -> str:
    return str(options.key or os.environ.get("HUB_KEY", ""))
