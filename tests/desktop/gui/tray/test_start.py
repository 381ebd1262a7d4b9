"""What the tray app reads on its way to the icon and the hub: time and memory at rest go by it."""

from __future__ import annotations

import re

from tests.desktop.gui.tray.conftest import Session

MODULES_MAX = 690
"""It is 30 modules more than were needed when this was written."""
NOT_NEEDED = (
    "cryptography.x509", "desktop.charts", "desktop.doctor", "desktop.gui.windows",
    "desktop.jobs.code", "desktop.jobs.llm", "desktop.jobs.ml", "httpx", "numpy", "pandas",
    "pygments", "rich.console", "sklearn", "twisted.logger",
)  # fmt: skip
"""Windows, the doctor and the executors of jobs come when they are wanted; the others never."""


def test_at_rest_only_what_keeps_the_line_and_the_icon_is_in_memory(xcb: Session) -> None:
    xcb.app.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    xcb.panel.come()
    xcb.app.start("--background")
    xcb.panel.until_icon()
    xcb.panel.until_tooltip("Ready")
    told = (xcb.app.home / "errors.txt").read_text(encoding="utf-8")
    read = set(re.findall(r"^import time:.*\| +(\S+)$", told, re.MULTILINE))
    assert {"desktop.agent", "desktop.gui.tray", "structlog.stdlib", "PySide6.QtWidgets"} <= read
    assert sorted(name for name in read if f"{name}.".startswith(_DOTTED)) == []
    assert len(read) <= MODULES_MAX


_DOTTED = tuple(f"{name}." for name in NOT_NEEDED)
