"""The assistant that connects this computer: how, the words, what may be done here."""

from __future__ import annotations

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.pairing.window import PairingWindow


def make(bridge: Bridge, style: Style) -> PairingWindow:
    return PairingWindow(bridge, style)
