"""What may start on this machine now, by its owner's policy, what is free and what holds it back.

What is free is counted here; what follows from it is decided in `desktop.core.admission`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from desktop.abilities import Abilities
from desktop.agent.line import AgentLine
from desktop.agent.setup import Setup
from desktop.core.admission import AskedHere, Machine, refusal
from desktop.core.attempt import AttemptState
from desktop.core.policy import Policy
from desktop.store.hands import Hands
from desktop.store.minder import Minder
from desktop.system import hardware
from shared.capabilities import Capability
from shared.errors import AppError, ErrorBody, Unavailable
from shared.jobs import LIGHT_MAX, JobSpec, Origin
from shared.kinds import Kind

FROM_ELSEWHERE = (Origin.CHAT, Origin.GROUP, Origin.API)
"""What is said to come from this machine is looked up here first."""


class Admission:
    """One for each worker."""

    def __init__(
        self,
        setup: Setup,
        kinds: Mapping[str, Kind],
        abilities: Abilities,
        hands: Hands,
        minder: Minder,
        line: AgentLine,
    ) -> None:
        self.policy: Policy = setup.policy
        """What the owner allows from now on."""
        self.held_back: ErrorBody | None = None
        """Why nothing may start now, as the desk says."""
        self._data = setup.paths.data
        self._kinds = kinds
        self._light = light_kinds(kinds)
        self._apart = frozenset(name for name, kind in kinds.items() if kind.is_apart)
        self._abilities = abilities
        self._hands = hands
        self._minder = minder
        self._line = line

    @property
    def slots(self) -> int:
        """How many jobs may run at once now, as the hub is told."""
        return 0 if self.held_back or self._minder.trouble else self.policy.slots

    @property
    def slots_busy(self) -> int:
        """How many slots are taken by jobs that run."""
        return sum(
            a.state is AttemptState.RUNNING and a.spec.kind not in self._light
            for a in self._hands.attempts
        )

    def is_light(self, kind: str) -> bool:
        """Whether jobs of a kind take no slot."""
        return kind in self._light

    def with_consent(self, capabilities: Iterable[Capability]) -> tuple[Capability, ...]:
        """Add from where jobs may come that the hub may grant here without an offer."""
        return tuple(
            one.model_copy(update={"unasked": origins})
            if (origins := self._unasked(one.kind))
            else one
            for one in capabilities
        )

    def refusal_of_unasked(self, spec: JobSpec) -> AppError | None:
        """Return why a job that was granted without an offer is not begun here."""
        if spec.origin not in self._unasked(spec.kind):
            return Unavailable(
                "offer_first", "This machine wants to be asked before such a job.", retryable=True
            )
        if self._hands.alive(spec.job_id) is not None:
            # The hub has given it up here, and this machine is still stopping it.
            return Unavailable(
                "attempt_alive", "An older attempt at it is still running here.", retryable=True
            )
        return self.refusal_of_offered(spec, None)

    def _unasked(self, kind: str) -> tuple[Origin, ...]:
        # A grant that is lost on its way is given anew, here or elsewhere; what may not run twice
        # is journalled as accepted before it can be granted.
        if kind not in self._kinds or not self._kinds[kind].may_repeat:
            return ()
        return tuple(origin for origin in FROM_ELSEWHERE if self.policy.allows(kind, origin))

    def refusal_of_offered(self, spec: JobSpec, asked_here: AskedHere | None) -> AppError | None:
        """Return why a job that the hub offers may not start here."""
        slots_free = self.policy.slots - self._hands.slots_taken
        machine = self._machine(slots_free, LIGHT_MAX - self._hands.light_taken, asked_here)
        return refusal(spec, self.policy, machine, self._kinds)

    def refusal_of_own(self, spec: JobSpec) -> AppError | None:
        """Return why a job of this machine's own may not start now, or at all."""
        asked_here = AskedHere(kind=spec.kind, inputs=spec.inputs)
        # What takes no slot is not held up by those that do, and its like is made here by the
        # hundred: nobody counts.
        slots_free = 0 if self.is_light(spec.kind) else self._slots_free_here
        machine = self._machine(slots_free, LIGHT_MAX, asked_here)
        return refusal(spec, self.policy, machine, self._kinds)

    @property
    def _slots_free_here(self) -> int:
        # Whatever was offered by a hub that is away does not start before it is back.
        taken = self.slots_busy if self._line.is_offline else self._hands.slots_taken
        return self.policy.slots - taken

    @property
    def _code_free(self) -> int:
        taken = sum(
            (a.state is AttemptState.RUNNING or (a.takes_slot and not self._line.is_offline))
            and a.spec.kind in self._apart
            for a in self._hands.attempts
        )
        return self.policy.code.concurrent - taken

    def _machine(self, slots_free: int, light_free: int, asked_here: AskedHere | None) -> Machine:
        return Machine(
            slots_free=slots_free,
            light_free=light_free,
            disk_free_bytes=hardware.disk_free_bytes(self._data),
            kinds_ready=self._abilities.ready,
            remedies=self._abilities.remedies,
            code_free=self._code_free,
            held_back=self.held_back or self._minder.trouble,
            asked_here=asked_here,
        )


def light_kinds(kinds: Mapping[str, Kind]) -> frozenset[str]:
    """Return the names of those whose jobs take no slot."""
    return frozenset(name for name, kind in kinds.items() if not kind.takes_slot)
