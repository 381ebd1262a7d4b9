"""One line of the ladder: what was tried, how many faults, what was lost, doubled or stuck."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMBERS = ("tried", "faults", "lost", "doubled", "stuck")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """What a rung has found."""

    name: str
    tried: int = 0
    faults: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0

    @property
    def is_clean(self) -> bool:
        return self.lost == self.doubled == self.stuck == 0

    def __add__(self, other: Rung) -> Rung:
        sums = {name: getattr(self, name) + getattr(other, name) for name in NUMBERS}
        return Rung(name=self.name, **sums)

    def line(self) -> str:
        """The rung in aligned columns."""
        numbers = "  ".join(f"{name} {getattr(self, name):>9,}" for name in NUMBERS)
        return f"{self.name:<10}  {numbers}"


def read_rung(name: str, line: str) -> Rung | None:
    """Read a rung's last line, with the numbers before or behind their words; None if it is none.

    What a line does not tell counts as nothing.
    """
    found: dict[str, int] = {}
    for word in NUMBERS:
        match = re.search(rf"\b{word}\b\s*[=:]?\s*(\d[\d,]*)", line) or re.search(
            rf"(\d[\d,]*)\s+{word}\b", line
        )
        if match:
            found[word] = int(match[1].replace(",", ""))
    if (known := re.search(r"\bfound\s+(\d+)", line)) and "tried" in found:
        # Of planted bugs, those are lost that nobody found.
        found |= {"faults": found["tried"], "lost": found["tried"] - int(known[1])}
    return Rung(name=name, **found) if "tried" in found else None
