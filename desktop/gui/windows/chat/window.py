"""The chat window: threads at the left, at the right one of them or the box for a new task."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QHideEvent,
    QKeySequence,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.fresh import Fresh
from desktop.gui.language import tr
from desktop.gui.parts import Banner, EmptyState, button, label
from desktop.gui.strip import Strip
from desktop.gui.style import GRID, Style
from desktop.gui.windows.chat.new_task import NewTask
from desktop.gui.windows.chat.thread_list import ThreadList
from desktop.gui.windows.chat.thread_view import ThreadView
from desktop.store import threads
from shared.ids import TaskId

TICK_MS = 1000
"""Between two looks at countdowns and ages, while the window is visible."""
NEW = "new:"
SIZE = QSize(120 * GRID, 84 * GRID)


class ChatWindow(QWidget):
    """`show_item` opens a thread by the id of a task, a job or a question, or the new-task box."""

    unread_changed = Signal(int)
    """Open questions and what was not read, all together."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self._desk = bridge.desk
        self._unread = -1
        self._seen: dict[str, int] = {}
        self.banner = Banner()
        self.list = ThreadList(bridge, style)
        self.talk = ThreadView(bridge, style)
        self.new_task = NewTask(bridge, style)
        self._stack = QStackedWidget()
        self._empty = EmptyState(
            tr("Ask for something, and follow it here: what runs, what it asks, what came out."),
            button(tr("New task"), self.begin, "primary"),
        )
        for page in (self._empty, self.talk, self.new_task):
            self._stack.addWidget(page)
        self._overlay = self._make_overlay()
        self.strip = Strip(bridge, margin=2 * GRID)
        self._lay_out()
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.setAcceptDrops(True)
        self.list.search.setFocus(Qt.FocusReason.OtherFocusReason)
        self.resize(SIZE)
        self._count = Fresh(
            bridge,
            self,
            lambda: self._desk.look(threads.attention),
            self._tell_unread,
            is_always=True,
        )
        bridge.hears(self, News.JOBS, News.QUESTIONS, News.READ, then=self._count.ask)
        bridge.do(self._desk.begin_reading(), then=lambda _done: self._count.ask())

    def show_item(self, item: str) -> None:
        """Show a thread, by the id of its task, of a job or of a question, or the new-task box."""
        if item.startswith(NEW):
            self.begin(item.removeprefix(NEW))
            return

        def found(task_id: TaskId | None) -> None:
            if task_id is None:
                self.banner.tell(tr("There is no thread of that name here (yet)."))
            else:
                self.show_thread(task_id)

        self._bridge.do(self._desk.look(lambda c: threads.task_of(c, item)), then=found)

    def show_thread(self, task_id: TaskId) -> None:
        """Show a thread, ready to be written to."""
        self.talk.show_thread(task_id)
        self.list.show_current(task_id)
        self._stack.setCurrentWidget(self.talk)
        self.talk.composer.setFocus(Qt.FocusReason.OtherFocusReason)

    def begin(self, typed: str = "") -> None:
        """Open the box for something new."""
        self._stack.setCurrentWidget(self.new_task)
        self.new_task.begin(typed)

    def take_file(self, path: Path) -> None:
        """Offer what can be done with a file that was dropped."""
        self._stack.setCurrentWidget(self.new_task)
        self.new_task.take_file(path)

    def back(self) -> None:
        """Leave the box for the thread, the thread for the list."""
        if self._stack.currentWidget() is self.new_task:
            is_open = self.talk.task_id is not None
            self._stack.setCurrentWidget(self.talk if is_open else self._empty)
            if is_open:
                self.talk.composer.setFocus(Qt.FocusReason.OtherFocusReason)
                return
        self.list.focus()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self.talk.tell_seen()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        self._tick()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _file_of(event) is not None:
            event.acceptProposedAction()
            self._overlay.setGeometry(self.rect())
            self._overlay.show()
            self._overlay.raise_()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._overlay.hide()
        path = _file_of(event)
        if path is not None:
            event.acceptProposedAction()
            self.take_file(path)

    def _make_overlay(self) -> QWidget:
        made = label(tr("Drop the file to use it in a task. It stays on this computer."), "title")
        made.setParent(self)
        made.setAlignment(Qt.AlignmentFlag.AlignCenter)
        made.setAutoFillBackground(True)
        made.hide()
        return made

    def _lay_out(self) -> None:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.strip)
        column.addWidget(self._stack, 1)
        sides = QSplitter(Qt.Orientation.Horizontal)
        sides.setChildrenCollapsible(False)
        sides.setHandleWidth(1)
        sides.addWidget(self.list)
        sides.addWidget(right)
        sides.setStretchFactor(1, 1)
        sides.setSizes([40 * GRID, 80 * GRID])
        self.list.setMinimumWidth(30 * GRID)
        right.setMinimumWidth(46 * GRID)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.banner)
        outer.addWidget(sides, 1)

    def _connect(self) -> None:
        self.list.picked.connect(lambda task_id: self.show_thread(TaskId(task_id)))
        self.list.new_wanted.connect(self.begin)
        self.talk.new_wanted.connect(self.begin)
        self.talk.seen.connect(self._note_seen)
        self.new_task.started.connect(self.show_item)
        self.new_task.left.connect(self.back)
        for keys, deed in (
            ("Ctrl+N", self.begin),
            ("Ctrl+K", self._search),
            ("Ctrl+F", self._search),
            ("Esc", self.back),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(deed)
        for number in range(1, 10):
            made = QShortcut(QKeySequence(f"Alt+{number}"), self)
            made.activated.connect(lambda number=number: self.talk.press(number))

    def _search(self) -> None:
        self.list.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.list.search.selectAll()

    def _note_seen(self, task_id: str, step_id: int) -> None:
        """Write down what was read: only what somebody had before their eyes."""
        is_seen = (
            self.isActiveWindow()
            and self.isVisible()
            and not self.isMinimized()
            and self._stack.currentWidget() is self.talk
        )
        if is_seen and self._seen.get(task_id, 0) < step_id:
            self._seen[task_id] = step_id
            self._bridge.do(self._desk.note_read(TaskId(task_id), step_id))

    def _tell_unread(self, count: int) -> None:
        if count != self._unread:
            self._unread = count
            self.unread_changed.emit(count)

    def _tick(self) -> None:
        self.talk.tick()
        self.list.tick()


def _file_of(event: QDropEvent) -> Path | None:
    """Return the first file of this computer that is being dropped."""
    for url in event.mimeData().urls():
        if url.isLocalFile() and (path := Path(url.toLocalFile())).suffix:
            return path
    return None
