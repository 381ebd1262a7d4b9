"""One thing the doctor looked at, and what to do when it is not well."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    """What was looked at, in one stable word."""
    is_well: bool
    sentence: str
    hint: str = ""
    """The next step; only where it is not well."""

    def __str__(self) -> str:
        told = f"{'✓' if self.is_well else '⚠'} {self.sentence}"
        return f"{told}\n  {self.hint}" if self.hint else told

    def facts(self) -> dict[str, str | bool]:
        return asdict(self)


def well(check: str, sentence: str) -> Finding:
    return Finding(check, is_well=True, sentence=sentence)


def wrong(check: str, sentence: str, hint: str = "") -> Finding:
    return Finding(check, is_well=False, sentence=sentence, hint=hint)
