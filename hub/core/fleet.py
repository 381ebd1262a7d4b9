"""How many nodes a pool of the fleet should have: decided from facts, without looking at anything.

What waits and what runs are counted apart: work that is being done already needs nobody new, and a
node that works is never stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Nodes of one make, for some kinds."""

    name: str
    kinds: tuple[str, ...]
    nodes_min: int = 0
    nodes_max: int = 10
    slots: int = 1
    """Jobs that one node runs at once."""
    waiting_per_node: int = 1
    """So many waiting jobs are worth another node, beyond those that free slots take."""
    up_seconds: float = 10.0
    """Between two steps up."""
    idle_seconds: float = 120.0
    """A node that had nothing to do for so long may go."""
    host: str = "process"
    settings: dict[str, str] = field(default_factory=dict, hash=False)
    """What its host needs: an image, an application, a namespace."""
