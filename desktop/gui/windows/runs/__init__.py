"""The Runs window: what models were asked on this machine, how far it is, and what they said.

Layers: window > detail | run_list > statistics_view > transcript_view | cell_model > saying
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style


def make(bridge: Bridge, style: Style) -> QWidget:
    from desktop.gui.windows.runs.window import RunsWindow

    return RunsWindow(bridge, style)
