"""Amounts in US dollars as people read them, alike on every screen."""

from __future__ import annotations

SMALLEST_SHOWN = 0.0001


def dollars(usd: float) -> str:
    """Write an amount: "$1,234.50", "$0.12"; small ones keep two digits that say something."""
    if usd == 0 or usd >= 0.1:
        return f"${usd:,.2f}"
    return f"${usd:.2g}" if usd >= SMALLEST_SHOWN else f"< ${SMALLEST_SHOWN}"
