"""What a node is started with: options before the environment, and every fault told by its code."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from desktop.core.policy import Policy, parse_policy
from desktop.runner.mouth import load
from desktop.system import hardware
from shared.api.fleet import NODE
from shared.api.transport import checked_url
from shared.errors import AppError, BadInput, NotAllowed, NotFound, Unavailable
from shared.kinds import Kind

PREFIX = "DESKHAND_FLEET_"
KINDS_AT = "desktop.jobs.added:KINDS"
EXECUTORS_AT = "desktop.jobs.added:EXECUTORS"
KEY_HINT = "`deskhand-hub keys create nodes --scope fleet` makes a key; put it into the file."
SLOTS_DEFAULT = 4
SLOTS_MAX = 1000
DRAIN_SECONDS = 600.0
SCHEMES = ("redis", "rediss", "amqp", "amqps")
FILE_BYTES_MAX = 256 * 1024
POOL_CHARS_MAX = 60
INSTANCE_CHARS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSetup:
    """A node, before it runs."""

    hub_url: str
    key: str = field(repr=False)
    broker: str = field(repr=False)
    """It may hold a password."""
    kinds: tuple[str, ...]
    node: str
    slots: int = SLOTS_DEFAULT
    pool: str = ""
    instance: str = ""
    policy: Policy = field(default_factory=Policy)
    metrics: str = ""
    """HOST:PORT where figures are served; empty for nowhere."""
    drain_seconds: float = DRAIN_SECONDS
    """How long jobs in hand may go on once the node is to end."""
    kinds_at: str = KINDS_AT
    """Named by address, because the children import them anew."""
    executors_at: str = EXECUTORS_AT
    provider_keys: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    """Keys of providers by name, as the environment has them."""


def read_setup(given: Mapping[str, str | None], variables: Mapping[str, str]) -> NodeSetup:
    """Put options and environment together; an option counts before its variable.

    Args:
        given: options by name ("key-file"); None where one was left out.
        variables: the environment.

    Raises:
        BadInput: `fleet_setting_missing`, `fleet_setting_invalid`, `hub_url_invalid`,
            `kind_unknown`, `policy_invalid`.
        NotAllowed: `fleet_kind_private`.
        NotFound: `key_file_missing`.
        Unavailable: `kind_unready`, `celery_missing`.
    """

    def told(name: str, default: str = "") -> str:
        variable = PREFIX + name.upper().replace("-", "_")
        value = given.get(name)
        return (variables.get(variable, default) if value is None else value).strip()

    key = told("key-file") or variables.get(PREFIX + "KEY", "").strip()
    needed = {"hub": told("hub"), "key-file": key, "broker": told("broker")}
    needed["kinds"] = ",".join(_listed(told("kinds")))
    if missing := [name for name, value in needed.items() if not value]:
        raise _missing(*missing)
    broker = checked_broker(told("broker"))
    return NodeSetup(
        hub_url=checked_url(told("hub")),
        key=_key(told("key-file"), variables.get(PREFIX + "KEY", "")),
        broker=broker,
        kinds=checked_kinds(_listed(told("kinds"))),
        node=_named("node", told("node") or default_node()),
        slots=_number("slots", told("slots", str(SLOTS_DEFAULT)), SLOTS_MAX),
        pool=told("pool")[:POOL_CHARS_MAX],
        instance=told("instance")[:INSTANCE_CHARS_MAX],
        policy=_policy(told("policy")),
        metrics=told("metrics"),
        drain_seconds=_number("drain-seconds", told("drain-seconds", f"{DRAIN_SECONDS:.0f}")),
        provider_keys=variables,
    )


def default_node() -> str:
    """Name a node after its machine, and unlike any other there."""
    host = re.sub(r"[^0-9A-Za-z._-]", "-", socket.gethostname()).lstrip("._-")[:60]
    return f"{host or 'node'}-{os.getpid()}-{os.urandom(3).hex()}"


def checked_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """Check that the fleet may have these kinds, and that this machine can run them.

    Raises:
        BadInput: `kind_unknown`.
        NotAllowed: `fleet_kind_private`.
        Unavailable: `kind_unready`.
    """
    known: Mapping[str, Kind] = load(KINDS_AT)
    executors: Mapping[str, str] = load(EXECUTORS_AT)
    ready = hardware.kinds_ready(known, executors)
    lacking = {lack.kind: lack.command for lack in hardware.lacking(known, executors, ready)}
    return tuple(_checked_kind(kind, known, ready, lacking) for kind in dict.fromkeys(kinds))


def _checked_kind(
    kind: str, known: Mapping[str, Kind], ready: Collection[str], lacking: Mapping[str, str]
) -> str:
    fit = ", ".join(sorted(one.name for one in known.values() if one.is_for_fleet))
    if kind not in known:
        raise BadInput(
            "kind_unknown", f"There is no kind '{kind[:100]}'.", f"The fleet runs: {fit}."
        )
    if not known[kind].is_for_fleet:
        raise NotAllowed(
            "fleet_kind_private",
            f"{kind} needs a person's own computer; the fleet never runs it.",
            f"The fleet runs: {fit}.",
        )
    if kind not in ready:
        raise Unavailable(
            "kind_unready",
            f"What {kind} needs is not installed here.",
            f"Install it: {lacking.get(kind, '')}".strip(),
        )
    return kind


def checked_broker(url: str) -> str:
    """Check a broker's address.

    Raises:
        BadInput: `fleet_setting_invalid`.
    """
    if urlsplit(url).scheme not in SCHEMES or not urlsplit(url).hostname:
        raise BadInput(
            "fleet_setting_invalid",
            "The broker's address is not one.",
            "As in redis://broker.example.org:6379/0 or amqps://name:password@broker.example.org.",
        )
    return url


def keys_of(names: Iterable[str], variables: Mapping[str, str]) -> dict[str, str]:
    """Return those of a provider's keys that the environment has."""
    return {name: variables[name].strip() for name in names if variables.get(name, "").strip()}


def _key(file: str, told: str) -> str:
    if not file:
        return told.strip()
    try:
        key = Path(file).expanduser().read_bytes()[:FILE_BYTES_MAX].decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(
            "key_file_missing",
            f"The key file {file} cannot be read.",
            KEY_HINT,
        ) from error
    if not key:
        raise NotFound("key_file_missing", f"The key file {file} is empty.", KEY_HINT)
    return key


def _policy(file: str) -> Policy:
    if not file:
        return Policy()
    try:
        return parse_policy(Path(file).expanduser().read_bytes()[:FILE_BYTES_MAX].decode())
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "policy_invalid",
            f"The policy file {file} cannot be read.",
            "Name another, or none: then only providers that are built in are asked.",
        ) from error


def _number(name: str, told: str, most: int = 10**6) -> int:
    if not told.isdecimal() or not 1 <= int(told) <= most:
        raise _invalid(name, told, f"a whole number from 1 to {most:,}")
    return int(told)


def _named(name: str, told: str) -> str:
    if len(told) > 100 or not re.fullmatch(NODE, told):
        raise _invalid(name, told, "up to 100 letters, digits, '.', '_' and '-'")
    return told


def _listed(told: str) -> list[str]:
    return [word.strip() for word in told.split(",") if word.strip()]


def _missing(*names: str) -> AppError:
    """Name all that is missing at once: nobody wants to be told one by one."""
    options = [f"--{name}" for name in names]
    told = " and ".join([", ".join(options[:-1]), options[-1]] if len(options) > 1 else options)
    variables = [PREFIX + name.removesuffix("-file").upper().replace("-", "_") for name in names]
    return BadInput(
        "fleet_setting_missing",
        f"{told} {'is' if len(options) == 1 else 'are'} missing.",
        f"Say so, or set {', '.join(variables)}; deskhand-fleet worker --help explains each.",
    )


def _invalid(name: str, told: str, wanted: str) -> AppError:
    return BadInput(
        "fleet_setting_invalid", f"--{name} is '{told[:100]}'.", f"It has to be {wanted}."
    )
