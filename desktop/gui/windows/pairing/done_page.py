"""The end of the assistant: it works, and what to try first."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent

from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.windows.pairing.page import Page, card
from desktop.gui.windows.pairing.telegram_card import TelegramCard
from desktop.store.facts import Pairing


class DonePage(Page):
    task_wanted = Signal()
    back = Signal()
    closed = Signal()

    def __init__(self, telegram: TelegramCard) -> None:
        super().__init__(step=0)
        self.telegram = telegram
        self.hint = label("")
        frame, column = card()
        column.addWidget(self.hint)
        self.column.addWidget(frame)
        self.column.addWidget(telegram)
        self.to_rules = button(tr("Back"), self.back.emit)
        self.close_it = button(tr("Close"), self.closed.emit)
        self.new_task = button(tr("New task"), self.task_wanted.emit, "primary")
        self.put_buttons((self.to_rules,), (self.close_it, self.new_task))

    def tell(self, pairing: Pairing | None, *, is_own: bool) -> None:
        """Say that it is done, by name."""
        name = pairing.worker_name if pairing else tr("This computer")
        self.say(
            tr("✓ {computer} is ready").format(computer=name),
            tr("Deskhand stays in the tray and shows when it works or needs an answer."),
        )
        if is_own:
            self.hint.setText(
                tr(
                    "Start work with New task. No phone reaches this computer until a chat is "
                    "connected."
                )
            )
        else:
            self.hint.setText(tr("Try /train in the chat, or New task here."))
        self.telegram.setVisible(is_own)

    def showEvent(self, event: QShowEvent) -> None:
        self.new_task.setFocus()
        super().showEvent(event)
