"""machine.autostart: the worker at login, switched from a chat. What runs now goes on."""

from __future__ import annotations

import os

from desktop.jobs.context import Context
from desktop.system.login_choice import login_of
from desktop.system.paths import find_paths
from shared.kinds.machine import AutostartInputs, AutostartOutput


def run(context: Context, inputs: AutostartInputs) -> AutostartOutput:
    """Turn it on or off, or read how it stands.

    Raises:
        AppError: as `login_of` and what it returns.
    """
    session = {**os.environ, **context.session}
    here = login_of(find_paths(context.profile), is_tray=False, variables=session)
    switches = {"on": here.turn_on, "off": here.turn_off, "status": here.state}
    state = switches[inputs.switch]()
    place = (f"This does it: {state.place}",) if state.is_on else ()
    return AutostartOutput(
        headline="The worker starts at login."
        if state.is_on
        else "The worker does not start at login.",
        notes=(*place, *state.notes),
        is_on=state.is_on,
    )
