"""Settings: what this machine may do, when, with which keys, and how the program behaves.

One file per section; `window` holds them together, `section` is what they are made of.
"""

from __future__ import annotations

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.settings.window import SettingsWindow


def make(bridge: Bridge, style: Style) -> SettingsWindow:
    return SettingsWindow(bridge, style)
