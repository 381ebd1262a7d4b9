"""Who may use the fleet, for what: the owner's setting, and what no setting can give away.

The fleet is machines of the hub's owner, or rented ones: whatever needs a person's folders, or the
log of one worker, stays on that person's own computers, and so does what they want kept local.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from hub.core.access import Person, Role
from hub.core.job import Job
from shared.capabilities import Capability
from shared.errors import BadInput, Conflict
from shared.ids import PersonId
from shared.kinds import JsonObject, Kind

FLEET_NAME = "fleet"
FLEET_SLOTS = 1000
"""Jobs of one person that are in the fleet's hands at once, waiting in the broker or running. What
is beyond waits at the hub, where that person's own computers can still take it."""
SCHEMES = frozenset({"redis", "rediss", "amqp", "amqps"})
NUMBERED = frozenset({"redis", "rediss"})
"""Where the path is a database's number."""
LOCAL = "local"
"""The need that keeps a job on its person's computers."""
EVERYBODY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRules:
    """The owner's setting, checked."""

    kinds: tuple[str, ...] = ()
    people: frozenset[str] = frozenset()
    """Names in small letters, or ids; "*" for everybody; empty for the hub's owners."""

    def users(self, people: Iterable[Person], using: Collection[PersonId]) -> frozenset[PersonId]:
        """Whose jobs may be given to the fleet.

        Everybody chooses their own name: one that several have counts for whoever uses the fleet
        already, else for the first of them. An id is nobody else's.

        Args:
            people: of this hub.
            using: who could use it until now.
        """
        if not self.kinds:
            return frozenset()
        if not self.people:
            return frozenset(one.person_id for one in people if one.role is Role.OWNER)
        first: dict[str, PersonId] = {}
        for one in sorted(people, key=lambda one: (one.person_id not in using, one.person_id)):
            if EVERYBODY in self.people or one.person_id in self.people:
                first[one.person_id] = one.person_id
            elif (name := one.name.casefold()) in self.people:
                first.setdefault(name, one.person_id)
        return frozenset(first.values())

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What the worker that stands for the fleet can do."""
        return tuple(Capability(kind=kind) for kind in self.kinds)


def read_rules(kinds: str, people: str, known: Mapping[str, Kind]) -> FleetRules:
    """Check the owner's setting.

    Args:
        kinds: names, separated by commas.
        people: names or ids, separated by commas.
        known: kinds of this hub.

    Raises:
        BadInput: `fleet_kind_unknown`, `fleet_kind_private`.
    """
    for name in (named := _listed(kinds)):
        kind = known.get(name)
        fit = ", ".join(sorted(one.name for one in known.values() if one.is_for_fleet))
        if kind is None:
            raise BadInput(
                "fleet_kind_unknown",
                f"HUB_FLEET_KINDS names '{name[:100]}', which is no kind of this hub.",
                f"The fleet runs: {fit}.",
            )
        if not kind.is_for_fleet:
            raise BadInput(
                "fleet_kind_private",
                f"HUB_FLEET_KINDS names {name}, which needs a person's own computer.",
                f"The fleet runs: {fit}.",
            )
    names = frozenset(one.casefold() for one in _listed(people))
    return FleetRules(kinds=tuple(dict.fromkeys(named)), people=names)


def checked_broker(url: str) -> str:
    """Make sure that a broker's address is one.

    Raises:
        BadInput: `fleet_broker_invalid`; what is said does not hold the address's password.
    """
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
        (parts.hostname or "").encode("idna")  # as whoever connects does
        if parts.scheme in NUMBERED and not (parts.path.strip("/") or "0").isdecimal():
            is_good = False
    except ValueError:
        is_good = False
    if not is_good:
        raise BadInput(
            "fleet_broker_invalid",
            "HUB_FLEET_BROKER is no address of a broker.",
            "Write it like redis://:password@host:6379/0 or amqps://user:password@host//.",
        )
    return url


def broker_place(url: str) -> str:
    """Where a broker is, for people: without user and password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def may_leave(job: Job) -> bool:
    """Say whether a job may go to the fleet, as far as can be said without its inputs.

    Steps of a plan stay: what they carry may come from a person's files.
    """
    return job.part_of is None and LOCAL not in job.tools


def why_stays(kind: Kind | None, inputs: JsonObject) -> str:
    """Say why a job's inputs keep it off the fleet, as a sentence; nothing when they do not."""
    if kind is None or not kind.is_for_fleet:
        return "This is not for the fleet."
    if any(inputs.get(name) for name in (LOCAL, *kind.home_inputs)):
        return "What it works on stays on your own computers."
    return ""


def fleet_stays(name: str) -> Conflict:
    """Say that what stands for the fleet cannot be shown out: it belongs to the hub."""
    return Conflict(
        "fleet_stays",
        f"{name} is no computer of yours but the fleet of this hub, and cannot be shown out.",
        "Pause it, and nothing more of yours goes there.",
    )


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
