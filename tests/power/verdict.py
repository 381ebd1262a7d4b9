"""What is wrong with a store after a power cut."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Verdict:
    lost: list[str] = field(default_factory=list)
    """What was acknowledged and is not there, or holds no longer together."""
    doubled: list[str] = field(default_factory=list)
    """What stands there twice, or would be done twice."""
    stuck: list[str] = field(default_factory=list)
    """What will not go on by itself; a store that does not open above all."""

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.stuck)

    def demand(self, is_so: object, what: str) -> None:
        if not is_so:
            self.lost.append(what)
