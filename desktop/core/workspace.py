"""A workspace: the folder that the jobs of one session share on this machine, and when it goes.

It goes when the hub says that the session is over, never while a job of it is in this machine's
hands. What a crash, or a hub that has forgotten the session, left behind goes at a later start.
"""

from __future__ import annotations

LEFT_SECONDS = 24 * 3600.0
"""No session lives that long: a folder that nobody touched since then was forgotten."""


def may_go(*, is_over: bool, is_in_hand: bool, untouched_seconds: float = 0.0) -> bool:
    """Say whether a workspace may be removed.

    Args:
        is_over: the hub has ended its session.
        is_in_hand: this machine holds an attempt of a job of it.
        untouched_seconds: since something in it changed last.
    """
    return not is_in_hand and (is_over or untouched_seconds > LEFT_SECONDS)
