"""`deskhand pair`: join a hub with a code, with a link, or by showing a code of its own."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from urllib.parse import urlsplit

from desktop.core.hub_address import hub_base
from desktop.core.pair_link import is_link, parse_link
from desktop.core.policy import Policy
from desktop.desk import join_steps
from desktop.desk.join_steps import Wish
from desktop.store import facts
from desktop.store.salvage import open_own_store
from desktop.system.paths import Paths
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, BadInput, Conflict, NotAllowed, NotFound
from shared.plain_text import plain_line

PAIRING_MINUTES = 10


def run(paths: Paths, options: argparse.Namespace) -> int:
    wanted = wish(options.code, options.hub, options.name, is_sure=options.yes)
    pair(paths, wanted, tuple(existing_folder(folder) for folder in options.folder))
    if options.service:
        from desktop.commands.autostart import switch

        try:
            return switch(paths, "on", is_now=True)
        except AppError as error:
            # It is paired all the same, and whoever runs this must not take it for a failed code.
            _say(f"⚠ {error}")
    _say("Start the worker with: deskhand --headless")
    return 0


def wish(given: str | None, hub: str | None, name: str | None, *, is_sure: bool) -> Wish:
    """Read what was asked for on the command line; a link is confirmed by the person.

    Raises:
        BadInput: `hub_missing`, `hub_url_invalid`, `pair_link_invalid`.
        NotAllowed: `hub_url_insecure`, `pairing_not_confirmed`.
    """
    if given is not None and is_link(given):
        link = parse_link(given)
        if not is_sure:
            _confirm(link.base)
        return Wish(base=link.base, code=link.code, name=name)
    if hub is None:
        raise BadInput(
            "hub_missing",
            "Which hub?",
            "Name it: deskhand pair CODE --hub https://hub.example.org",
        )
    return Wish(base=hub_base(hub), code=given, name=name)


def pair(paths: Paths, wanted: Wish, folders: tuple[Path, ...]) -> None:
    """Pair this machine; every step is told, and what fails says what to do.

    Raises:
        AppError: the hub's no, or what is wrong here.
    """
    from desktop.system.single_instance import InstanceLock

    paths.make()
    with InstanceLock(paths.lock):
        policy = policy_with(paths, tuple(map(str, folders)))
        with open_own_store(paths.store) as database:
            pairing, token = _join(paths, wanted, database)
            place = join_steps.keep_token(paths, pairing, token)
            database.submit(lambda c: facts.save_pairing(c, pairing)).result()
    _say(f"{pairing.worker_name} now works for {pairing.person_name} on {pairing.hub_name}.")
    _say(f"Its token is kept in {place}.")
    if policy.folders:
        _say(f"Folders that may be used: {', '.join(policy.folders)}")
    else:
        _say(f"No folder may be used yet. Name some in {paths.policy}, or pair with --folder.")


def _join(paths: Paths, wanted: Wish, database: Database) -> tuple[facts.Pairing, str]:
    """Ask the hub, show the words, wait."""
    environment = Environment()
    key = join_steps.device_key(paths, database, on_made=_tell_key)
    way = join_steps.way_of(paths)
    asked = join_steps.ask(wanted, key, database, environment, way)
    try:
        _tell(asked, environment)
        return join_steps.wait(
            asked, key, database, environment=environment, on_trouble=_tell_trouble, way=way
        )
    except KeyboardInterrupt:
        _say("Stopped. The same command goes on with this pairing until it expires.")
        raise


def policy_with(paths: Paths, folders: tuple[str, ...]) -> Policy:
    """Write the policy at the first pairing; later its owner's file is only added to by hand.

    Raises:
        Conflict: `policy_exists`, when a folder is not in it.
    """
    policy = join_steps.first_policy(paths, folders)
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


def _tell_key(place: str) -> None:
    _say(f"This machine has a key of its own now, kept in {place}.")


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
