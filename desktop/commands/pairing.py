"""`deskhand pair`: join a hub with a code, with a link, or by showing a code of its own."""

from __future__ import annotations

import argparse
import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from desktop.core.hub_address import hub_base
from desktop.core.pair_link import is_link, parse_link
from desktop.core.policy import Policy, write_policy
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.device_key import DeviceKey, load_key, make_key, save_key
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from desktop.system.program import version
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, BadInput, Conflict, NotAllowed, NotFound
from shared.pairing import b64
from shared.plain_text import plain_line

if TYPE_CHECKING:
    from desktop.link.pairing import Introduction

PAIRING_MINUTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a person wants to pair this machine."""

    base: str
    """The hub, as `hub_base` returns it."""
    code: str | None
    """None: the hub gives one, and the person sends it."""
    name: str | None
    """None: what the machine is called."""
    folders: tuple[Path, ...]


def run(paths: Paths, options: argparse.Namespace) -> int:
    wanted = wish(options.code, options.hub, options.name, options.folder, is_sure=options.yes)
    pair(paths, wanted)
    if options.service:
        from desktop.commands.autostart import switch

        try:
            return switch(paths, "on", is_now=True)
        except AppError as error:
            # It is paired all the same, and whoever runs this must not take it for a failed code.
            _say(f"⚠ {error}")
    _say("Start the worker with: deskhand --headless")
    return 0


def wish(
    given: str | None, hub: str | None, name: str | None, folders: list[Path], *, is_sure: bool
) -> Wish:
    """Read what was asked for on the command line; a link is confirmed by the person.

    Raises:
        BadInput: `hub_missing`, `hub_url_invalid`, `pair_link_invalid`.
        NotAllowed: `hub_url_insecure`, `pairing_not_confirmed`.
        NotFound: `folder_missing`.
    """
    code = given
    if given is not None and is_link(given):
        link = parse_link(given)
        base, code = link.base, link.code
        if not is_sure:
            _confirm(base)
    elif hub is None:
        raise BadInput(
            "hub_missing",
            "Which hub?",
            "Name it: deskhand pair CODE --hub https://hub.example.org",
        )
    else:
        base = hub_base(hub)
    chosen = tuple(existing_folder(folder) for folder in folders)
    return Wish(base=base, code=code, name=name, folders=chosen)


def pair(paths: Paths, wanted: Wish) -> None:
    """Pair this machine; every step is told, and what fails says what to do.

    Raises:
        AppError: the hub's no, or what is wrong here.
    """
    from desktop.system.credentials import save_secret
    from desktop.system.single_instance import InstanceLock

    paths.make()
    with InstanceLock(paths.lock):
        policy = policy_with(paths, tuple(map(str, wanted.folders)))
        with open_store(paths.store) as database:
            key = device_key(paths, database)
            pairing, token = _join(wanted, key, database)
            place = save_secret(token, entry=pairing.worker_id, file=paths.token)
            database.submit(lambda c: facts.save_pairing(c, pairing)).result()
    _say(f"{pairing.worker_name} now works for {pairing.person_name} on {pairing.hub_name}.")
    _say(f"Its token is kept in {place}.")
    if policy.folders:
        _say(f"Folders that may be used: {', '.join(policy.folders)}")
    else:
        _say(f"No folder may be used yet. Name some in {paths.policy}, or pair with --folder.")


def _join(wanted: Wish, key: DeviceKey, database: Database) -> tuple[facts.Pairing, str]:
    """Ask the hub, show the words, wait; a hub that says no ends what was asked."""
    from desktop.link.pairing import wait_for_token

    environment = Environment()
    asked = _ask(wanted, key, database, environment)
    try:
        _tell(asked, environment)
        return wait_for_token(asked, key, environment=environment, on_trouble=_tell_trouble)
    except KeyboardInterrupt:
        _say("Stopped. The same command goes on with this pairing until it expires.")
        raise
    except AppError:
        database.submit(lambda c: facts.save_asked(c, None)).result()
        raise


def device_key(paths: Paths, database: Database) -> DeviceKey:
    """Return this machine's key; the first call makes it, and says where it is kept."""
    public = database.submit(facts.public_key).result()
    if public and (known := load_key(public, file=paths.device_key)) is not None:
        return known
    key = make_key()
    place = save_key(key, file=paths.device_key)
    database.submit(lambda c: facts.put(c, "public_key", b64(key.public))).result()
    _say(f"This machine has a key of its own now, kept in {place}.")
    return key


def policy_with(paths: Paths, folders: tuple[str, ...]) -> Policy:
    """Write the policy at the first pairing; later its owner's file is only added to by hand.

    Raises:
        Conflict: `policy_exists`, when a folder is not in it.
    """
    if not paths.policy.exists():
        paths.policy.write_text(write_policy(Policy(folders=folders)), encoding="utf-8")
    policy = load_policy(paths)
    missing = [folder for folder in folders if folder not in policy.folders]
    if missing:
        raise Conflict(
            "policy_exists",
            f"This machine has a policy already; {', '.join(missing)} is not in it.",
            f"Add it to `folders` in {paths.policy}.",
        )
    return policy


def existing_folder(folder: Path) -> Path:
    resolved = folder.expanduser().resolve()
    if not resolved.is_dir():
        raise NotFound(
            "folder_missing", f"There is no folder {folder}.", "Name one that exists with --folder."
        )
    return resolved


def _ask(wanted: Wish, key: DeviceKey, database: Database, environment: Environment) -> facts.Asked:
    """Ask the hub, or go on with what was asked before this program was stopped."""
    from desktop.link.pairing import ask

    before = database.submit(facts.asked).result()
    if (
        before is not None
        and (before.hub_url, before.code) == (wanted.base, wanted.code or "")
        and before.public_key == b64(key.public)
        and before.expires_at > environment.now()
    ):
        return before
    asked = ask(wanted.base, wanted.code, _introduction(wanted), key)
    database.submit(lambda c: facts.save_asked(c, asked)).result()
    return asked


def _introduction(wanted: Wish) -> Introduction:
    from desktop.agent import EXECUTORS_AT, KINDS_AT
    from desktop.link.pairing import Introduction
    from desktop.runner.inside import load
    from desktop.system import hardware

    ready = hardware.kinds_ready(load(KINDS_AT), load(EXECUTORS_AT))
    return Introduction(
        name=wanted.name or hardware.machine_name(),
        platform=hardware.platform_name(),
        app_version=version(),
        capabilities=hardware.capabilities(ready),
    )


def _tell(asked: facts.Asked, environment: Environment) -> None:
    seconds = (asked.expires_at - environment.now()).total_seconds()
    minutes = min(max(1, round(seconds / 60)), PAIRING_MINUTES)
    if asked.user_code:
        _say(f"Send this to the bot: /pair {asked.user_code}")
        _say(f"Check words: {asked.words}.")
    else:
        host = urlsplit(asked.hub_url).netloc
        _say(f"Asked {host} to let this computer in. Check words: {asked.words}.")
    _say(f"Approve it in the chat if it shows the same two words ({_minutes(minutes)}).")


def _minutes(count: int) -> str:
    return "1 minute" if count == 1 else f"{count} minutes"


def _tell_trouble(error: AppError) -> None:
    _say(f"{error.message} It is tried again by itself; Ctrl-C stops.")


def _confirm(base: str) -> None:
    """Ask the person whether a link may be followed: any page can hold one.

    Raises:
        NotAllowed: `pairing_not_confirmed`.
    """
    host = urlsplit(base).netloc
    if sys.stdin.isatty():
        _say(f"This lets {host} give work to this computer.")
        with contextlib.suppress(EOFError):
            if input("Pair with it? [y/N] ").strip().lower() in ("y", "yes"):
                return
        raise NotAllowed("pairing_not_confirmed", "Nothing was changed.")
    raise NotAllowed(
        "pairing_not_confirmed",
        f"This link would pair the computer with {host}, and nobody was there to say yes.",
        "Run it in a terminal, or add --yes.",
    )


def _say(line: str) -> None:
    print(plain_line(line), flush=True)
