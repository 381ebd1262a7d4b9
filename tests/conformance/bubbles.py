"""A message as its person sees it, whatever frontend shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Bubble:
    """One message as its person sees it now."""

    ref: str
    text: str
    labels: list[str]
    is_final: bool
    edits: int = 0
