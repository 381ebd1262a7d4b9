"""Step 1: with a code or a link, with a code that is shown here, or with a hub of its own."""

from __future__ import annotations

from urllib.parse import urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from desktop.core.pair_link import LINK_CHARS_MAX, is_link, parse_link
from desktop.desk.join_steps import Wish, read_wish
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, ROW
from desktop.gui.windows.pairing.offers import Offer, offer_of
from desktop.gui.windows.pairing.page import Page, card, named
from desktop.store.facts import Pairing
from shared.errors import AppError

HUB_CHARS_MAX = 200


class HowPage(Page):
    wished = Signal(object)
    """A Wish that can be asked for."""
    own_wanted = Signal()
    """A hub of this computer's own."""
    leaving = Signal()

    def __init__(self) -> None:
        super().__init__(step=1)
        self._is_showing_code = False
        self._offer: Offer | None = None
        self.code = QLineEdit()
        self.code.setPlaceholderText("BCDF-GHJK")
        self.code.setMaxLength(LINK_CHARS_MAX + 1)
        self.code_label = named(tr("Code or link"), self.code)
        self.paste = button("", self._take_offer, "quiet")
        self.hub = QLineEdit()
        self.hub.setPlaceholderText("https://hub.example.org")
        self.hub.setMaxLength(HUB_CHARS_MAX)
        self.hub_label = named(tr("Address of the hub"), self.hub)
        self.leads_to = label("", "muted")
        self.wrong = label("", "failed")
        self.go_on = button("", self._go_on, "primary")
        self.show_code = button(tr("Show a code here"), self._turn)
        self.own = button(tr("Just this computer"), self.own_wanted.emit)
        self.leave = button(tr("Leave this hub…"), self.leaving.emit, "danger")
        self._fill()
        QGuiApplication.clipboard().dataChanged.connect(self._look_at_clipboard)
        self.code.textChanged.connect(self._look_at_text)
        self.hub.textChanged.connect(self.wrong.hide)
        self.code.returnPressed.connect(self._enter)
        self.hub.returnPressed.connect(self._enter)
        self._arrange()

    def tell_pairing(self, pairing: Pairing | None, *, is_own: bool) -> None:
        """Say what this computer belongs to already."""
        if pairing is None:
            self.say(
                tr("Connect this computer"),
                tr("Work that you ask for in a chat is done here. Your files stay here."),
            )
        elif is_own:
            self.say(
                tr("Connect a chat on your phone"),
                tr(
                    "This computer works for itself now. It can move to a hub that your phone "
                    "reaches; models, files and rules stay."
                ),
            )
        else:
            told = tr("{computer} works for {person} on {hub}. Another hub takes its place.")
            self.say(
                tr("Connect to another hub"),
                told.format(
                    computer=pairing.worker_name, person=pairing.person_name, hub=pairing.hub_name
                ),
            )
        self.leave.setVisible(pairing is not None)
        self.leave.setText(tr("Stop using it…") if is_own else tr("Leave this hub…"))
        self._own_row.setVisible(not is_own)

    def refill(self, wish: Wish | None) -> None:
        """Put in what was tried before, ready to be typed over."""
        if wish is None:
            return
        self.hub.setText(wish.base)
        self.code.setText(wish.code or "")
        self._is_showing_code = wish.code is None
        self._arrange()
        self.code.selectAll()

    def focus(self) -> None:
        (self.hub if self._is_showing_code else self.code).setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look_at_clipboard()

    def _fill(self) -> None:
        heading = QHBoxLayout()
        heading.addWidget(self.code_label, alignment=Qt.AlignmentFlag.AlignBottom)
        heading.addStretch()
        heading.addWidget(self.paste, alignment=Qt.AlignmentFlag.AlignBottom)
        self._heading = QWidget()
        self._heading.setLayout(heading)
        heading.setContentsMargins(0, 0, 0, 0)
        # The button comes and goes; nothing else is to move with it.
        self._heading.setFixedHeight(ROW)
        for widget in (
            self._heading, self.code, self.leads_to, self.hub_label, self.hub, self.wrong,
        ):  # fmt: skip
            self.column.addWidget(widget)
        self.hub_label.setContentsMargins(0, GRID, 0, 0)
        self.column.addSpacing(GRID)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(self.go_on)
        self.column.addLayout(row)
        self.column.addSpacing(2 * GRID)
        self._turn_text = label("", "muted")
        self.column.addWidget(_way(self.show_code, self._turn_text))
        self._own_row = _way(
            self.own,
            label(
                tr("No chat yet: you start work in this program. A phone can be added later."),
                "muted",
            ),
        )
        self.column.addWidget(self._own_row)
        self.put_buttons((self.leave,), ())
        self.wrong.hide()

    def _arrange(self) -> None:
        """Show the fields that the chosen way needs."""
        for widget in (self._heading, self.code):
            widget.setVisible(not self._is_showing_code)
        if self._is_showing_code:
            self.show_code.setText(tr("I have a code"))
            self._turn_text.setText(tr("The chat gave you one: /connect"))
            self.go_on.setText(tr("Get a code"))
        else:
            self.show_code.setText(tr("Show a code here"))
            self._turn_text.setText(tr("The other way round: you send it in the chat with /pair."))
            self.go_on.setText(tr("Connect"))
        for each in (self.show_code, self.go_on):
            each.setAccessibleName(each.text())
        self.wrong.hide()
        self._look_at_text(self.code.text())
        self._look_at_clipboard()

    def _look_at_text(self, text: str) -> None:
        """A link brings its hub; say which. A code needs one."""
        is_link_now = is_link(text) and not self._is_showing_code
        for widget in (self.hub_label, self.hub):
            widget.setVisible(not is_link_now)
        self.leads_to.setVisible(is_link_now)
        self.wrong.hide()
        if is_link_now:
            try:
                host = urlsplit(parse_link(text).base).netloc
                self.leads_to.setText(tr("This link leads to {host}.").format(host=host))
            except AppError as error:
                self.leads_to.setText(error.message)

    def _look_at_clipboard(self) -> None:
        if not self.isVisible():
            return
        self._offer = offer_of(QGuiApplication.clipboard().text())
        is_news = self._offer is not None and self._offer.text != self.code.text()
        self.paste.setVisible(is_news and not self._is_showing_code)
        if self._offer is not None:
            self.paste.setText(self._offer.sentence)
            self.paste.setAccessibleName(self._offer.sentence)

    def _take_offer(self) -> None:
        if self._offer is not None:
            self.code.setText(self._offer.text)
            self.paste.hide()
            (self.go_on if is_link(self._offer.text) else self.hub).setFocus()

    def _turn(self) -> None:
        self._is_showing_code = not self._is_showing_code
        self._arrange()
        self.focus()

    def _enter(self) -> None:
        """Return goes to what is still empty, then on."""
        if not is_link(self.code.text()) and not self.hub.text().strip() and self.code.hasFocus():
            self.hub.setFocus()
        else:
            self._go_on()

    def _go_on(self) -> None:
        given = "" if self._is_showing_code else self.code.text()
        try:
            if not given.strip() and not self._is_showing_code:
                self.code.setFocus()
                self._complain(tr("Type or paste the code that /connect gives you in the chat."))
                return
            wish = read_wish(given, self.hub.text())
        except AppError as error:
            self._complain(f"{error.message}\n{error.hint}")
            is_hubs = error.code.startswith("hub_") and not is_link(given)
            (self.hub if is_hubs else self.code).setFocus()
        else:
            self.wished.emit(wish)

    def _complain(self, words: str) -> None:
        self.wrong.setText(f"⚠ {words}")
        self.wrong.setAccessibleName(words)
        self.wrong.show()


def _way(pressed: QPushButton, text: QLabel) -> QWidget:
    """Lay out another way: its button, and what it is for."""
    frame: QFrame
    frame, column = card()
    row = QHBoxLayout()
    row.setSpacing(2 * GRID)
    row.addWidget(text, 1)
    row.addWidget(pressed)
    column.addLayout(row)
    return frame
