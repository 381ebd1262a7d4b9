"""A link was followed: any page or mail can hold one, so a person says yes before it is used."""

from __future__ import annotations

from urllib.parse import urlsplit

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent

from desktop.core.pair_link import PairLink
from desktop.desk.join_steps import Wish
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.windows.pairing.page import Page, card
from desktop.store.facts import Pairing


class LinkPage(Page):
    wished = Signal(object)
    """The link's Wish; the person said yes."""
    declined = Signal()

    def __init__(self) -> None:
        super().__init__(step=1)
        self._link: PairLink | None = None
        self.host = label("", "words")
        self.warning = label("")
        self.no = button(tr("Not now"), self.declined.emit)
        self.yes = button("", self._agree, "primary")
        frame, column = card()
        column.addWidget(self.host)
        column.addWidget(
            label(
                tr("could give work to this computer, within the rules that you set in a moment.")
            )
        )
        self.column.addWidget(frame)
        self.column.addWidget(self.warning)
        self.column.addWidget(label(tr("Go on only if you asked for this link."), "muted"))
        self.put_buttons((), (self.no, self.yes))

    def ask_about(self, link: PairLink, pairing: Pairing | None) -> None:
        """Show where a link leads; nothing is sent."""
        self._link = link
        host = urlsplit(link.base).netloc
        self.say(tr("Follow this link?"), tr("A link asks to connect this computer to a hub."))
        self.host.setText(host)
        self.yes.setText(tr("Connect to it"))
        self.yes.setAccessibleName(tr("Connect to {host}").format(host=host))
        self.warning.setVisible(pairing is not None)
        if pairing is not None:
            told = tr("⚠ This computer works for {person} on {hub}. That would end.")
            self.warning.setText(told.format(person=pairing.person_name, hub=pairing.hub_name))

    def showEvent(self, event: QShowEvent) -> None:
        # Return must not say yes to what came from somewhere else.
        self.no.setFocus()
        super().showEvent(event)

    def _agree(self) -> None:
        if self._link is not None:
            self.wished.emit(Wish(base=self._link.base, code=self._link.code))
