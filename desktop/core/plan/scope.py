"""What a plan is held to: which kinds are offered where, how much it may do, what is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from desktop.core.plan.spending import Budget, Spent
from shared.kinds import Kind
from shared.plan import Permission, PlanFace, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """All that the rules look at beside the plan itself."""

    kinds: Mapping[str, Kind]
    """By name; those without a face in plans may be among them."""
    here: frozenset[str]
    """Names of kinds that this worker runs now."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Kinds that other workers of the person run now -> a worker's name."""
    cap: Permission = Permission.EXTERNAL
    """The most that whoever asked may have done."""
    budget: Budget
    spent: Spent = field(default_factory=Spent)
    """So far: what is left is what a plan may use."""
    is_local: bool = False
    """No model that is not local may be used."""
    done: Mapping[str, Step] = field(default_factory=dict)
    """Steps of an earlier plan that are done; a plan may build on them and makes none of them anew.
    """

    def face(self, capability: str) -> PlanFace | None:
        """Return what an offered kind is in plans; None when it is not offered, or is nothing."""
        kind = self.kinds.get(capability)
        if kind is None or not (capability in self.here or capability in self.elsewhere):
            return None
        if kind.name == "plan":
            return None
        return kind.planned

    @property
    def offered(self) -> tuple[str, ...]:
        """Names of the kinds that steps may be of, sorted."""
        names = sorted(self.here | self.elsewhere.keys())
        return tuple(name for name in names if self.face(name) is not None)

    def where(self, capability: str) -> str:
        """Return the name of the worker that a step goes to; empty for this one."""
        return "" if capability in self.here else self.elsewhere.get(capability, "")
