"""The machine itself: how the worker on it is started."""

from __future__ import annotations

from typing import Literal

from shared.kinds import Inputs, Kind, Output


class AutostartInputs(Inputs):
    switch: Literal["on", "off", "status"] = "status"


class AutostartOutput(Output):
    is_on: bool


KINDS = (
    Kind(
        name="machine.autostart",
        summary="Start the worker when its person logs in, or no longer",
        inputs=AutostartInputs,
        output=AutostartOutput,
        idempotent=True,
        timeout_seconds=120,
    ),
)
