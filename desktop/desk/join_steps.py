"""The steps of joining and of leaving a hub, one after the other; they block, and print nothing.

The command goes through them on its terminal, the assistant in threads (`desktop.desk.joining`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop.core.hub_address import hub_base
from desktop.core.pair_link import is_code, is_link, parse_link
from desktop.core.policy import Policy, write_policy
from desktop.store import facts
from desktop.system.credentials import forget_secret, save_secret
from desktop.system.device_key import DeviceKey, load_key, make_key, save_key
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from desktop.system.program import version
from desktop.system.way import Way
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, BadInput
from shared.pairing import b64

if TYPE_CHECKING:
    from desktop.link.pairing import Introduction


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a person wants to pair this machine."""

    base: str
    """The hub, as `hub_base` returns it."""
    code: str | None = None
    """None: the hub gives one, and the person sends it."""
    name: str | None = None
    """None: what the machine is called."""


def read_wish(given: str, hub: str) -> Wish:
    """Read what a person typed into the assistant: a link, or a code and a hub's address.

    Args:
        given: empty for "show a code here".
        hub: looked at only without a link, which brings its own.

    Raises:
        BadInput: `pair_link_invalid`, `pairing_code_invalid`, `hub_missing`, `hub_url_invalid`.
        NotAllowed: `hub_url_insecure`.
    """
    given, hub = given.strip(), hub.strip()
    if is_link(given):
        link = parse_link(given)
        return Wish(base=link.base, code=link.code)
    if given and not is_code(given):
        raise BadInput(
            "pairing_code_invalid",
            "That is neither a code nor a link that pairs a computer.",
            "A code has eight letters, as in BCDF-GHJK. /connect in the chat gives one.",
        )
    if not hub:
        raise BadInput(
            "hub_missing",
            "Which hub is it?",
            "Give its address, as in https://hub.example.org. The chat shows it beside the code.",
        )
    return Wish(base=hub_base(hub), code=given.upper() or None)


def device_key(
    paths: Paths, database: Database, on_made: Callable[[str], None] = lambda _place: None
) -> DeviceKey:
    """Return this machine's key; the first call makes it, and tells where it is kept."""
    public = database.submit(facts.public_key).result()
    if public and (known := load_key(public, file=paths.device_key)) is not None:
        return known
    key = make_key()
    place = save_key(key, file=paths.device_key)
    database.submit(lambda c: facts.put(c, "public_key", b64(key.public))).result()
    on_made(place)
    return key


def ask(
    wish: Wish,
    key: DeviceKey,
    database: Database,
    environment: Environment,
    way: Way | None = None,
) -> facts.Asked:
    """Ask the hub, or go on with what was asked before: the code is spent by asking.

    Raises:
        AppError: the hub's no, or why it could not be asked.
    """
    from desktop.link import pairing

    before = still_asked(key, database, environment)
    if before is not None and (before.hub_url, before.code) == (wish.base, wish.code or ""):
        return before
    asked = pairing.ask(wish.base, wish.code, introduction(wish.name), key, way)
    database.submit(lambda c: facts.save_asked(c, asked)).result()
    return asked


def way_of(paths: Paths) -> Way:
    """Return how the owner wants hubs to be reached.

    Raises:
        BadInput: `policy_invalid`.
    """
    return Way(load_policy(paths).network)


def still_asked(key: DeviceKey, database: Database, environment: Environment) -> facts.Asked | None:
    """Return what a hub was asked with this key and may still say yes to."""
    before = database.submit(facts.asked).result()
    is_good = (
        before is not None
        and before.public_key == b64(key.public)
        and before.expires_at > environment.now()
    )
    return before if is_good else None


def wait(
    asked: facts.Asked,
    key: DeviceKey,
    database: Database,
    *,
    environment: Environment,
    sleep: Callable[[float], None] | None = None,
    on_trouble: Callable[[AppError], None] = lambda _error: None,
    on_calm: Callable[[], None] = lambda: None,
    way: Way | None = None,
) -> tuple[facts.Pairing, str]:
    """Wait for the person's decision; return the pairing and the token.

    A hub that says no ends what was asked; a program that is stopped does not.

    Raises:
        AppError: as the hub tells it (`pairing_rejected`, `pairing_expired`, …).
    """
    import time

    from desktop.link.pairing import wait_for_token

    try:
        return wait_for_token(
            asked,
            key,
            environment=environment,
            sleep=sleep or time.sleep,
            on_trouble=on_trouble,
            on_calm=on_calm,
            way=way,
        )
    except AppError:
        database.submit(lambda c: facts.save_asked(c, None)).result()
        raise


def keep_token(paths: Paths, pairing: facts.Pairing, token: str) -> str:
    """Put the token where secrets are kept; return where, in words.

    It comes before `facts.save_pairing`: a machine that knows its hub has its token, too.
    """
    return save_secret(token, entry=pairing.worker_id, file=paths.token)


def first_policy(paths: Paths, folders: tuple[str, ...] = ()) -> Policy:
    """Write the careful defaults where its owner has no policy yet; return what is in force.

    Raises:
        BadInput: `policy_invalid`.
    """
    if not paths.policy.exists():
        paths.policy.write_text(write_policy(Policy(folders=folders)), encoding="utf-8")
    return load_policy(paths)


def leave(paths: Paths, database: Database) -> facts.Pairing | None:
    """Forget the hub and the token for it; return which it was. Models, files and policy stay.

    Only while no worker runs with this profile (`Desk.leave` sees to it). The hub goes on
    listing this machine, offline, until somebody there shows it out.
    """
    before = database.submit(facts.pairing).result()
    if before is not None:
        forget_secret(entry=before.worker_id, file=paths.token)
    database.submit(facts.forget_pairing).result()
    return before


def introduction(name: str | None) -> Introduction:
    """Say what this machine is, for the person who lets it in."""
    from desktop.agent.setup import EXECUTORS_AT, KINDS_AT
    from desktop.link.pairing import Introduction
    from desktop.runner.mouth import load
    from desktop.system import hardware

    ready = hardware.kinds_ready(load(KINDS_AT), load(EXECUTORS_AT))
    return Introduction(
        name=name or hardware.machine_name(),
        platform=hardware.platform_name(),
        app_version=version(),
        capabilities=hardware.capabilities(ready),
    )
