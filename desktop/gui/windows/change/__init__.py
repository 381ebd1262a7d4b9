"""The Change window: what a coding job changed, its files beside their lines.

Layers: window > file_list | diff_view > diff_delegate > diff_model > rows
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style


def make(bridge: Bridge, style: Style) -> QWidget:
    from desktop.gui.windows.change.window import ChangeWindow

    return ChangeWindow(bridge, style)
