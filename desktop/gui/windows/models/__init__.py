"""The Models window: what was trained on this machine, how good it is, and predictions with it.

Layers: window > detail | compare | predicting | model_list > pieces
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style


def make(bridge: Bridge, style: Style) -> QWidget:
    from desktop.gui.windows.models.window import ModelsWindow

    return ModelsWindow(bridge, style)
