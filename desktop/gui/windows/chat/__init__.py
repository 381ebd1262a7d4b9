"""The chat window: every task as a thread of what was said, asked, answered and made.

`window` puts the parts together; `bubbles` and `saying` say what happened without any widget;
`timeline` shows bubbles, `thread_view` one thread, `thread_list` all of them; `new_task` is the
box for something new.
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.chat.window import ChatWindow


def make(bridge: Bridge, style: Style) -> QWidget:
    """Make the window; it offers `show_item`."""
    return ChatWindow(bridge, style)
