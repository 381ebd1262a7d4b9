"""Step 2: the words to compare, while somebody has to say yes; and what went wrong, if it did."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout

from desktop.desk.joining import Stand, Step
from desktop.gui.language import tr, trn
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, Style, tabular
from desktop.gui.windows.pairing.page import Page, card
from desktop.gui.windows.pairing.spinner import Spinner
from desktop.store.facts import Asked
from shared.environment import Environment
from shared.errors import AppError
from shared.plain_text import plain_line


class WordsPage(Page):
    stopped = Signal()
    """The person wants to wait no longer."""

    def __init__(self, environment: Environment, style: Style) -> None:
        super().__init__(step=2)
        self._environment = environment
        self._asked: Asked | None = None
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tell_time)
        self.send_text = label(tr("Send this in the chat:"))
        self.command = label("", "words")
        self.copy = button(tr("Copy"), self._copy)
        self.words_text = label(tr("Check words"), "muted")
        self.words = label("", "words")
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.spinner = Spinner(style)
        self.waiting = label("", "muted")
        self.waiting.setFont(tabular(self.waiting.font()))
        self.trouble = label("", "failed")
        self.note = label(tr("You can close this window; the wait goes on."), "muted")
        self.stop = button(tr("Cancel"), self.stopped.emit)
        self._fill()

    def tell(self, stand: Stand) -> None:
        """Show how far it has come."""
        self._asked = stand.asked
        asked = stand.asked
        self._send_card.setVisible(asked is not None and bool(asked.user_code))
        self._words_card.setVisible(asked is not None)
        self.note.setVisible(asked is not None)
        if asked is None:
            self._tell_beginning(stand)
        else:
            self._tell_words(asked)
        self.trouble.setVisible(stand.trouble is not None)
        if stand.trouble is not None:
            told = tr("⚠ {message} It is tried again by itself.")
            self.trouble.setText(told.format(message=plain_line(stand.trouble.message)))
        self._tell_time()

    def showEvent(self, event: QShowEvent) -> None:
        self._clock.start()
        self._tell_time()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._clock.stop()
        super().hideEvent(event)

    def _fill(self) -> None:
        self._send_card, column = card()
        column.addWidget(self.send_text)
        row = QHBoxLayout()
        row.addWidget(self.command, 1)
        row.addWidget(self.copy)
        column.addLayout(row)
        self.column.addWidget(self._send_card)
        self._words_card, column = card()
        column.addWidget(self.words_text, alignment=Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.words)
        self.column.addWidget(self._words_card)
        self.column.addSpacing(GRID)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.spinner)
        row.addWidget(self.waiting, 1)
        self.column.addLayout(row)
        self.column.addWidget(self.trouble)
        self.column.addSpacing(GRID)
        self.column.addWidget(self.note)
        self.put_buttons((), (self.stop,))

    def _tell_beginning(self, stand: Stand) -> None:
        if stand.step is Step.STARTING:
            self.say(
                tr("Starting a hub on this computer"),
                tr("It listens to this computer alone, and ends with this program."),
            )
            self.waiting.setText(tr("Starting …"))
        else:
            host = urlsplit(stand.wish.base).netloc if stand.wish else ""
            self.say(tr("Asking {host}").format(host=host), "")
            self.waiting.setText(tr("Waiting for its answer …"))

    def _tell_words(self, asked: Asked) -> None:
        host = urlsplit(asked.hub_url).netloc
        self.say(
            tr("Compare these words"),
            tr("{host} asks you in the chat. Approve it there if it shows the same words.").format(
                host=host
            )
            if not asked.user_code
            else tr("After that the chat asks you. Approve it if it shows the same words."),
        )
        self.command.setText(f"/pair {asked.user_code}")
        if self.words.text() != asked.words:
            spoken = tr("Check words: {words}").format(words=asked.words)
            self.words.setText(asked.words)
            self.words.setAccessibleName(spoken)
            self.announce(spoken)

    def _tell_time(self) -> None:
        if self._asked is not None:
            left = seconds_left(self._asked.expires_at, self._environment.now())
            self.waiting.setText(
                tr("Waiting for your yes in the chat · {time}").format(time=time_left(left))
            )

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command.text())
        self.copy.setText(tr("Copied"))


def seconds_left(expires_at: datetime, now: datetime) -> int:
    return max(0, round((expires_at - now).total_seconds()))


def time_left(seconds: int) -> str:
    """Say how long a code is still good."""
    minutes = seconds // 60
    if minutes >= 1:
        return trn("{count} minute left", "{count} minutes left", min(minutes, 99))
    return trn("{count} second left", "{count} seconds left", seconds)


class TroublePage(Page):
    """A try came to nothing: why, and what next."""

    again = Signal()
    """The same once more."""
    back = Signal()

    def __init__(self) -> None:
        super().__init__(step=2)
        self.reason = label("")
        self.hint = label("", "muted")
        frame, column = card()
        column.addWidget(self.reason)
        column.addWidget(self.hint)
        self.column.addWidget(frame)
        self.to_start = button(tr("Back"), self.back.emit)
        self.retry = button("", self._go, "primary")
        self._is_same = False
        self.put_buttons((), (self.to_start, self.retry))

    def tell(self, stand: Stand) -> None:
        """Show why it failed. A code that is spent or wrong is not worth a second try."""
        assert stand.error is not None
        error: AppError = stand.error
        self.say(tr("That did not work"), "")
        self.reason.setText(f"⚠ {error.message}")
        self.hint.setText(error.hint)
        self.hint.setVisible(bool(error.hint))
        self.announce(f"{error.message} {error.hint}")
        self._is_same = is_worth_another_try(stand)
        self.retry.setText(tr("Try again") if self._is_same else tr("Enter another code"))
        self.retry.setAccessibleName(self.retry.text())

    def showEvent(self, event: QShowEvent) -> None:
        self.retry.setFocus()
        super().showEvent(event)

    def _go(self) -> None:
        (self.again if self._is_same else self.back).emit()


def is_worth_another_try(stand: Stand) -> bool:
    """Say whether the very same may work the next time."""
    assert stand.error is not None
    is_codeless = stand.wish is not None and stand.wish.code is None
    is_unheard = stand.error.code in ("hub_unreachable", "hub_odd_answer")
    return stand.error.retryable or stand.is_local or is_codeless or is_unheard
