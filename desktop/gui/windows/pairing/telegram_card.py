"""A chat for the hub of this computer: the bot's token goes in, the way to the bot comes out."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout

from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID
from desktop.gui.windows.pairing.page import named
from shared.errors import AppError

TOKEN_CHARS_MAX = 100
LINK_START = "https://t.me/"
"""What a link has to begin with to be opened; a hub's word alone is not enough."""


class TelegramCard(QFrame):
    """Hidden where there is no own hub."""

    def __init__(self, bridge: Bridge, connect: Callable[[str], Coroutine[Any, Any, str]]) -> None:
        """Lay out the card.

        Args:
            bridge: runs what takes time.
            connect: gives the token to the hub, returns the link to the bot, good once.
        """
        super().__init__()
        self.setProperty("look", "card")
        self._bridge = bridge
        self._connect = connect
        self._link = ""
        self.token = QLineEdit()
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setPlaceholderText("123456789:AA…")
        self.token.setMaxLength(TOKEN_CHARS_MAX)
        self.token.returnPressed.connect(self._go)
        self.go = button(tr("Connect Telegram"), self._go)
        self.told = label("", "muted")
        self.link = label("")
        self.open = button(tr("Open Telegram"), self._open)
        self.copy = button(tr("Copy the link"), self._copy, "quiet")
        self._fill()

    def _fill(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(
            label(
                tr(
                    "Connect Telegram (optional): write /newbot to @BotFather, and paste the token "
                    "it gives you. It stays on this computer."
                )
            )
        )
        column.addWidget(named(tr("Token of the bot"), self.token))
        row = QHBoxLayout()
        row.addWidget(self.token, 1)
        row.addWidget(self.go)
        column.addLayout(row)
        column.addWidget(self.told)
        column.addWidget(self.link)
        row = QHBoxLayout()
        row.addWidget(self.open)
        row.addWidget(self.copy)
        row.addStretch()
        column.addLayout(row)
        for widget in (self.told, self.link, self.open, self.copy):
            widget.hide()

    def _go(self) -> None:
        token = self.token.text().strip()
        if not token:
            self.token.setFocus()
            return
        self.go.setEnabled(False)
        self._tell(tr("Asking Telegram …"), "muted")
        self._bridge.do(self._connect(token), then=self._show_link, failed=self._show_error)

    def _show_link(self, link: str) -> None:
        self.go.setEnabled(True)
        self.token.clear()
        if not link.startswith(LINK_START):
            self._tell(tr("⚠ The hub told no link that Telegram opens."), "failed")
            return
        self._link = link
        self._tell(
            tr(
                "Open this link within 10 minutes and tap Start; it works once. On a phone you may "
                "write to your bot instead:"
            ),
            "muted",
        )
        self.link.setText(f"/start {link.rpartition('=')[2]}")
        self.link.setToolTip(link)
        for widget in (self.link, self.open, self.copy):
            widget.show()

    def _show_error(self, error: AppError) -> None:
        self.go.setEnabled(True)
        self._tell(f"⚠ {error.message} {error.hint}".strip(), "failed")

    def _tell(self, words: str, look: str) -> None:
        self.told.setProperty("look", look)
        self.told.style().unpolish(self.told)
        self.told.style().polish(self.told)
        self.told.setText(words)
        self.told.show()

    def _open(self) -> None:
        QDesktopServices.openUrl(QUrl(self._link))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._link)
