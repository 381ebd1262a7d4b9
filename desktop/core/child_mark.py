"""How the processes of one child are known, wherever they stand by now.

Whoever starts a program in a job with an environment of its own hands the mark on; one that ran
away from its group and lost its parents is found by nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

MARK = "DESKHAND_CHILD"
"""An environment variable that all processes of one child inherit."""


def mark_of(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the mark alone, to be handed on; nothing where there is none."""
    return {MARK: variables[MARK]} if MARK in variables else {}
