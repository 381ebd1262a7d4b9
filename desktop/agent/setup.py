"""What a worker is made of, and which of it a simulation replaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.policy import Policy
from desktop.link.dialling import Dial, dial
from desktop.runner.child import Child
from desktop.runner.ports import MakeChild
from desktop.store.facts import Pairing
from desktop.system import hardware
from desktop.system.paths import Paths
from desktop.system.provider_keys import read_keys
from shared.environment import Environment
from shared.messages import Metrics
from shared.signatures import Sign

KINDS_AT = "desktop.jobs.added:KINDS"
EXECUTORS_AT = "desktop.jobs.added:EXECUTORS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What of a worker a simulation replaces; everything else runs as it is."""

    dial: Dial = dial
    make_child: MakeChild = Child
    measure: Callable[[Path], Metrics] = hardware.metrics
    read_keys: Callable[[Iterable[str], Paths], Mapping[str, str]] = read_keys
    has_snapshots: bool = True
    """Without, all of the hub's log comes over the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker is made of; tests and simulations bring their own."""

    paths: Paths
    pairing: Pairing
    token: str
    policy: Policy
    app_version: str
    environment: Environment = field(default_factory=Environment)
    kinds_at: str = KINDS_AT
    """Named by address, because the child imports them anew."""
    executors_at: str = EXECUTORS_AT
    seams: Seams = field(default_factory=Seams)
    sign: Sign | None = None
    """The key that this machine paired with, at work; None when it has none, or has lost it."""
