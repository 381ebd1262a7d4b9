"""`deskhand autostart on|off|status`: the worker at login, and which file or key says so."""

from __future__ import annotations

import argparse

from desktop.system.login_choice import login_of
from desktop.system.login_start import State
from desktop.system.paths import Paths
from shared.plain_text import plain_line


def run(paths: Paths, options: argparse.Namespace) -> int:
    return switch(paths, options.switch)


def switch(paths: Paths, wanted: str, *, is_now: bool = False) -> int:
    """Turn it on or off, or read how it stands; tell which file or key that is.

    Args:
        paths: whose worker.
        wanted: "on", "off" or "status".
        is_now: with "on", start it now as well.

    Raises:
        AppError: this system cannot, or did not.
    """
    here = login_of(paths, is_tray=False)
    match wanted:
        case "on":
            paths.make()
            state = here.turn_on(is_now=is_now)
            if is_now:
                print("The worker was started.")
        case "off":
            state = here.turn_off()
        case _:
            state = here.state()
    for line in told(state):
        print(plain_line(line))
    return 0


def told(state: State) -> tuple[str, ...]:
    if state.is_on:
        return ("The worker starts at login.", f"This does it: {state.place}", *state.notes)
    return ("The worker does not start at login.", *state.notes)
