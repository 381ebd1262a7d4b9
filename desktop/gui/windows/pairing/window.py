"""The assistant's window: it shows how far the desk has come with joining, and forgets nothing.

What is under way lives in `desk.joining`; this window may be closed and opened at any time.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QMessageBox, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.news import News
from desktop.core.pair_link import PairLink, is_link, parse_link
from desktop.desk import login
from desktop.desk.join_steps import Wish
from desktop.desk.joining import Step
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import Banner
from desktop.gui.style import GRID, Style
from desktop.gui.windows.pairing.done_page import DonePage
from desktop.gui.windows.pairing.how_page import HowPage
from desktop.gui.windows.pairing.link_page import LinkPage
from desktop.gui.windows.pairing.page import Page
from desktop.gui.windows.pairing.rules_page import RulesPage
from desktop.gui.windows.pairing.telegram_card import TelegramCard
from desktop.gui.windows.pairing.words_page import TroublePage, WordsPage
from shared.errors import AppError

WIDTH, HEIGHT = 560, 680


class PairingWindow(QWidget):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self._desk = bridge.desk
        self._joining = bridge.desk.joining
        self._offered: PairLink | None = None
        self._is_done = False
        self._is_looking_back = False
        self._shown_rules = False
        self.banner = Banner()
        self.how = HowPage()
        self.link = LinkPage()
        self.words = WordsPage(bridge.desk.environment, style)
        self.trouble = TroublePage()
        self.rules = RulesPage()
        self.end = DonePage(TelegramCard(bridge, bridge.desk.joining.connect_telegram))
        self.pages = QStackedWidget()
        self._lay_out()
        self._wire()
        bridge.hears(self, News.PAIRING, then=self._heard)
        bridge.do(self._joining.resume())
        self._refresh()

    @property
    def is_own(self) -> bool:
        """Whether this computer belongs to the hub that it runs itself."""
        pairing = self._desk.pairing
        return pairing is not None and pairing.hub_url == self._desk.local_hub.url

    def show_item(self, item: str) -> None:
        """Offer a link that was followed, or put a code into its field. Nothing is sent."""
        if self._joining.is_under_way:
            self.banner.tell(tr("A computer is being connected already. Cancel that first."))
            return
        if not is_link(item):
            self._start_over()
            self.how.code.setText(item[:20])
            return
        try:
            self._offered = parse_link(item)
        except AppError as error:
            self.banner.tell(error)
        self._is_done = False
        self._refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._escape()
        else:
            super().keyPressEvent(event)

    def _lay_out(self) -> None:
        self.resize(WIDTH, HEIGHT)
        self.setMinimumSize(WIDTH - 8 * GRID, 60 * GRID)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.pages, 1)
        for page in (self.how, self.link, self.words, self.trouble, self.rules, self.end):
            self.pages.addWidget(page)

    def _wire(self) -> None:
        for wished in (self.how.wished, self.link.wished):
            wished.connect(self._join)
        self.how.own_wanted.connect(self._join_own)
        self.how.leaving.connect(self._ask_to_leave)
        self.link.declined.connect(self._decline)
        self.words.stopped.connect(self._ask_to_stop)
        self.trouble.again.connect(self._try_again)
        self.trouble.back.connect(self._to_start)
        self.rules.done.connect(self._keep_rules)
        self.end.back.connect(self._look_back)
        self.end.closed.connect(self.close)
        self.end.task_wanted.connect(self._open_task)

    # What is shown.

    def _heard(self) -> None:
        was_shown = self._shown_rules
        self._refresh()
        if self._shown_rules and not was_shown and not self.isVisible():
            # The yes came while nobody looked: the last step is still to be taken.
            self._bridge.opened.emit("pairing", "")

    def _refresh(self) -> None:
        page = self._page()
        if page is not self.rules:
            self._shown_rules = False
        elif not self._shown_rules:
            self._shown_rules = True
            self.rules.finish.setEnabled(False)
            self._bridge.do(
                self._joining.rules(), then=self.rules.show_policy, failed=self.banner.tell
            )
            self._bridge.do(
                login.state(self._desk.paths),
                then=self.rules.show_login,
                failed=self.rules.no_login,
            )
        if page is self.how:
            self.how.tell_pairing(self._desk.pairing, is_own=self.is_own)
        elif page is self.link and self._offered is not None:
            self.link.ask_about(self._offered, self._desk.pairing)
        elif page is self.words:
            self.words.tell(self._joining.stand)
        elif page is self.trouble:
            self.trouble.tell(self._joining.stand)
        elif page is self.rules:
            self.rules.tell(self._desk.pairing)
        elif page is self.end:
            self.end.tell(self._desk.pairing, is_own=self.is_own)
        self._turn_to(page)

    def _page(self) -> Page:
        stand = self._joining.stand
        match stand.step:
            case Step.STARTING | Step.ASKING | Step.WAITING:
                return self.words
            case Step.RULES:
                return self.rules
            case Step.HOW:
                if self._offered is not None:
                    return self.link
                if stand.error is not None:
                    return self.trouble
                if self._is_looking_back:
                    return self.rules
                return self.end if self._is_done else self.how

    def _turn_to(self, page: Page) -> None:
        if self.pages.currentWidget() is page:
            return
        self.pages.setCurrentWidget(page)
        if page is self.how:
            self.how.focus()
        elif page is self.words:
            self.words.stop.setFocus()
        elif page is self.rules:
            self.rules.folders.setFocus()

    # What the person does.

    def _join(self, wish: Wish) -> None:
        if not self._joining.is_under_way:
            self._offered = None
            self.banner.hide()
            self._bridge.do(self._joining.join(wish))

    def _join_own(self) -> None:
        if not self._joining.is_under_way:
            self.banner.hide()
            self._bridge.do(self._joining.join_own())

    def _try_again(self) -> None:
        stand = self._joining.stand
        if stand.wish is not None and not stand.is_local:
            self._join(stand.wish)
        else:
            self._join_own()

    def _to_start(self) -> None:
        wish = self._joining.stand.wish
        self._joining.cancel()
        self._start_over()
        self.how.refill(wish)
        self.how.focus()

    def _decline(self) -> None:
        self._start_over()
        self._refresh()

    def _start_over(self) -> None:
        self._offered, self._is_done, self._is_looking_back = None, False, False
        self.banner.hide()
        self._refresh()

    def _keep_rules(self) -> None:
        self.rules.finish.setEnabled(False)
        wish = self.rules.login_wish
        if wish is not None:
            self._bridge.do(login.turn(self._desk.paths, is_on=wish), failed=self.banner.tell)
        self._bridge.do(
            self._desk.change_policy(self.rules.policy),
            then=lambda _: self._finished(),
            failed=self._rules_refused,
        )

    def _rules_refused(self, error: AppError) -> None:
        self.rules.finish.setEnabled(True)
        self.rules.complain(f"{error.message} {error.hint}")

    def _finished(self) -> None:
        self.rules.finish.setEnabled(True)
        self._is_done, self._is_looking_back = True, False
        self._joining.finish()
        self._refresh()

    def _look_back(self) -> None:
        self._is_looking_back = True
        self._refresh()

    def _open_task(self) -> None:
        self.close()
        self._bridge.opened.emit("chat", "new:")

    def _escape(self) -> None:
        if self._page() is self.words:
            self._ask_to_stop()
        else:
            self.close()

    def _ask_to_stop(self) -> None:
        box = self._question(
            tr("Stop connecting this computer?"),
            tr("The same code goes on with it for a few minutes."),
            tr("Stop"),
            tr("Go on waiting"),
        )
        box.accepted.connect(self._to_start)

    def _ask_to_leave(self) -> None:
        box = self._question(
            tr("Leave this hub?"),
            tr(
                "Jobs that run here are stopped, and the list of jobs is emptied. Models, files "
                "and rules stay. In the chat, /worker shows this computer out for good."
            ),
            tr("Leave"),
            tr("Stay"),
        )
        box.accepted.connect(self._leave)

    def _leave(self) -> None:
        self._bridge.do(self._desk.leave(), then=lambda _: self._start_over())

    def _question(self, title: str, text: str, yes: str, no: str) -> QMessageBox:
        """Ask within the window; `accepted` is the yes, and Escape and Return are the no."""
        box = QMessageBox(QMessageBox.Icon.Question, tr("Deskhand"), title, parent=self)
        box.setInformativeText(text)
        agreeing = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        declining = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
        for each in (agreeing, declining):
            each.setAccessibleName(each.text())
        box.setDefaultButton(declining)
        box.setEscapeButton(declining)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # Not `exec`: that loop would stand still within ours.
        box.open()
        return box

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._is_done and not self._joining.is_under_way:
            self._is_done = self._is_looking_back = False
            self._refresh()
        super().closeEvent(event)
