"""The Jobs window: `make(bridge, style)`; its widget has `show_item(job_id)`."""

from __future__ import annotations

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.jobs.window import JobsWindow


def make(bridge: Bridge, style: Style) -> JobsWindow:
    return JobsWindow(bridge, style)
