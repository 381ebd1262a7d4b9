"""States of the tray: its menu with each, the marks on light and dark panels, and the two boxes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop.core.link import LinkState, LinkStatus
from desktop.core.tray import Facts, TrayState
from desktop.gui import boxes, icons
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.tray_menu import JOBS_SHOWN, Listed, TrayMenu
from desktop.store import copied, pending
from shared.errors import ErrorBody
from shared.look import DARK, LIGHT
from tests.desktop.gui.scenes_jobs import fill
from tests.desktop.gui.world import NOON, PaperDesk

SIZES = (16, 22, 24, 32, 64)
GAP = 12
PANELS = (("#F0F0F0", LIGHT, False), ("#1B1B1D", DARK, False), ("#FFFFFF", LIGHT, True))


async def menu(desk: PaperDesk, bridge: Bridge, *, running: int = 0) -> QWidget:
    """Make the menu of this moment a window, to be looked at."""
    listed = await desk.look(
        lambda c: Listed(copied.newest(c, JOBS_SHOWN), copied.open_questions(c), pending.read(c))
    )
    facts = Facts(
        line=desk.link.state if desk.link else None,
        running=running,
        waiting=listed.pending.changes,
        newer=listed.pending.newer,
        questions=len(listed.questions),
        held_back=desk.held_back,
        trouble=desk.policy_error,
    )
    made = TrayMenu(bridge)
    made.show(facts, listed)
    made.menu.setWindowFlag(Qt.WindowType.Popup, on=False)
    made.menu.resize(made.menu.sizeHint())
    return made.menu


async def ready(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await menu(desk, bridge)


async def asking(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await fill(desk)
    return await menu(desk, bridge)


async def offline(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    why = ErrorBody(code="hub_unreachable", message="The network does not answer.", hint="")
    desk.link = LinkStatus(state=LinkState.OFFLINE, error=why)
    desk.next_try_at = NOON
    return await menu(desk, bridge)


async def paused(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await desk.pause(NOON.replace(year=2999))
    return await menu(desk, bridge)


async def broken(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    message = "Line 7 of policy.toml cannot be read: a value is missing."
    desk.policy_error = ErrorBody(code="policy_invalid", message=message, hint="")
    return await menu(desk, bridge)


async def unpaired(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    desk.pairing, desk.link = None, None
    return await menu(desk, bridge)


async def quitting(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return boxes.ask_to_quit(2, lambda: None, lambda: None)


async def fault(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    try:
        raise LookupError("no such row: token=dh_worker_x_secret")
    except LookupError as error:
        return boxes.tell_fault(type(error), error, error.__traceback__, lambda: None)


class Sheet(QWidget):
    """Every mark in every size, on panels of both kinds and in one ink."""

    def __init__(self) -> None:
        super().__init__()
        self._width = sum(SIZES) + GAP * (len(SIZES) + 1)
        self._row = SIZES[-1] + GAP
        self.resize(self._width * len(PANELS), self._row * (len(TrayState) + 1) + GAP)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        scale = self.devicePixelRatioF()
        for column, (ground, tokens, is_mask) in enumerate(PANELS):
            left = column * self._width
            painter.fillRect(QRect(left, 0, self._width, self.height()), QColor(ground))
            for row, state in enumerate(TrayState):
                x = left + GAP
                for size in SIZES:
                    drawn = icons.pixmap(state, round(size * scale), tokens, is_mask=is_mask)
                    painter.drawPixmap(QRect(x, row * self._row + GAP, size, size), drawn)
                    x += size + GAP
            x = left + GAP
            for size in SIZES:
                drawn = icons.app_pixmap(round(size * scale))
                painter.drawPixmap(QRect(x, len(TrayState) * self._row + GAP, size, size), drawn)
                x += size + GAP
        painter.end()


async def marks(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return Sheet()


SCENES: dict[str, Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]] = {
    "ready": ready,
    "asking": asking,
    "offline": offline,
    "paused": paused,
    "broken": broken,
    "unpaired": unpaired,
    "quitting": quitting,
    "fault": fault,
    "marks": marks,
}
