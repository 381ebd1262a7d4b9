"""The bubbles of one thread, one below the other: follows what is new unless somebody reads above.

Only the bubbles of the pages at hand are made; what comes into view at either end is asked for.
"""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop.gui.language import tr
from desktop.gui.parts import button
from desktop.gui.style import CONTENT_WIDTH_MAX, GRID
from desktop.gui.windows.chat.bubble_view import Around, BubbleView
from desktop.gui.windows.chat.bubbles import Bubble, Side

NEAR = 6 * GRID
"""Pixels from the bottom within which somebody follows."""
AHEAD = 50 * GRID
"""Pixels from an end at which the next page is asked for."""
FILLED_TO = 40
"""With fewer bubbles a tall window asks for more of them by itself."""
DELETED_AT_ONCE = 4
"""Bubbles."""


class Timeline(QScrollArea):
    """Shows bubbles; `tell` brings it to another set of them with the least change."""

    older_wanted = Signal()
    newer_wanted = Signal()
    end_wanted = Signal()
    """The newest bubble is wanted, and is not among those at hand."""
    retried = Signal(str)
    shows_change = Signal(str)
    bottom_seen = Signal()
    """The newest bubble came into view."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Messages"))
        self._views: dict[str, BubbleView] = {}
        self._order: list[str] = []
        self._follows = True
        self._anchor: tuple[QWidget, int] | None = None
        self._is_settling = False
        self._gone: list[BubbleView] = []
        self._sweep = QTimer(self)
        self._sweep.setInterval(0)
        self._sweep.timeout.connect(self._delete_some)
        self._ends: tuple[bool, bool] = (False, False)
        self._body = QWidget()
        self._column = self._make_column()
        self.pill = button(tr("↓ New messages"), self.follow, "primary")
        self.pill.setParent(self)
        self.pill.hide()
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._settle)
        bar.valueChanged.connect(self._moved)
        self._tail: QWidget | None = None

    @property
    def views(self) -> tuple[BubbleView, ...]:
        """From the top."""
        return tuple(self._views[key] for key in self._order)

    @property
    def is_following(self) -> bool:
        return self._follows

    def clear(self) -> None:
        """Begin another thread, at its end."""
        for key in self._order:
            self._drop(key)
        self._order = []
        self._follows, self._anchor = True, None
        self.pill.hide()

    def tell(
        self, bubbles: tuple[Bubble, ...], around: Around, *, has_older: bool, has_newer: bool
    ) -> None:
        """Show these bubbles: what stays the same stays in place."""
        newest = self._order[-1] if self._order else ""
        self._remember()
        self._ends = (has_older, has_newer)
        wanted = {bubble.key: bubble for bubble in bubbles}
        for key in [k for k in self._order if k not in wanted]:
            self._drop(key)
        for place, bubble in enumerate(bubbles):
            self._put(place, bubble, around)
        self._order = list(wanted)
        is_news = bool(newest) and bool(bubbles) and bubbles[-1].key != newest
        if is_news and not has_newer:
            self._announce(bubbles[-1], around)
        QTimer.singleShot(0, self._settle)

    def _announce(self, bubble: Bubble, around: Around) -> None:
        """Tell of a new bubble: to screen readers, and to whoever reads further up."""
        if not self._follows:
            self.pill.show()
            self._place_pill()
        if bubble.side is not Side.PERSON and self.isVisible():
            words = bubble.spoken(around.now)
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    def set_tail(self, tail: QWidget | None) -> None:
        """Show something below the last bubble, or nothing any more."""
        if self._tail is not None and self._tail is not tail:
            self._column.removeWidget(self._tail)
            self._tail.hide()
        self._tail = tail
        if tail is not None and self._column.indexOf(tail) < 0:
            self._column.addWidget(tail)
            tail.show()

    def tick(self, now: datetime) -> None:
        """Bring countdowns up to date."""
        for view in self._views.values():
            if view.question is not None and view.question.is_open:
                view.question.tick(now)

    def follow(self) -> None:
        """Go to the newest bubble and stay there."""
        if self._ends[1]:
            self.end_wanted.emit()
        self.stay_at_end()

    def stay_at_end(self) -> None:
        """Keep the newest bubble in view, also when more of them come."""
        self._follows, self._anchor = True, None
        self.pill.hide()
        self._settle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_pill()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Bring a button that gets the keyboard into view."""
        if event.type() is QEvent.Type.FocusIn and isinstance(watched, QWidget):
            self.ensureWidgetVisible(watched, 0, 2 * GRID)
        return super().eventFilter(watched, event)

    def _make_column(self) -> QVBoxLayout:
        inner = QWidget()
        inner.setMaximumWidth(CONTENT_WIDTH_MAX)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID + GRID // 2)
        outer = QVBoxLayout(self._body)
        outer.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        outer.addStretch()
        row = QHBoxLayout()
        row.addWidget(inner)
        outer.addLayout(row)
        self.setWidget(self._body)
        return column

    def _put(self, place: int, bubble: Bubble, around: Around) -> None:
        known = self._views.get(bubble.key)
        if known is not None and known.bubble == bubble and not _is_stale(known, around):
            if self._column.indexOf(known) != place:
                self._column.insertWidget(place, known)
            return
        if known is not None:
            self._drop(bubble.key)
        made = BubbleView(bubble, around)
        made.retried.connect(self.retried)
        made.shows_change.connect(self.shows_change)
        self._views[bubble.key] = made
        self._column.insertWidget(place, made)

    def _drop(self, key: str) -> None:
        view = self._views.pop(key)
        if self._anchor is not None and self._anchor[0] is view:
            self._anchor = None
        self._column.removeWidget(view)
        view.hide()
        self._gone.append(view)
        self._sweep.start()

    def _delete_some(self) -> None:
        """Delete a few of the bubbles that are gone; a page of them at once could be felt."""
        for view in self._gone[:DELETED_AT_ONCE]:
            view.deleteLater()
        del self._gone[:DELETED_AT_ONCE]
        if not self._gone:
            self._sweep.stop()

    def _remember(self) -> None:
        """Note which bubble stands where, to keep it there while others come above it."""
        if self._follows:
            self._anchor = None
            return
        top = self.verticalScrollBar().value()
        for key in self._order:
            view = self._views[key]
            y = view.mapTo(self._body, view.rect().topLeft()).y()
            if y + view.height() > top:
                self._anchor = (view, y - top)
                return

    def _settle(self) -> None:
        self._is_settling = True
        bar = self.verticalScrollBar()
        if self._follows:
            bar.setValue(bar.maximum())
        elif self._anchor is not None:
            view, offset = self._anchor
            bar.setValue(view.mapTo(self._body, view.rect().topLeft()).y() - offset)
        self._is_settling = False
        # Only scrolling takes in so many that the newest ones are let go.
        if self._ends[0] and bar.value() < AHEAD and len(self._order) < FILLED_TO:
            self.older_wanted.emit()

    def _moved(self, value: int) -> None:
        bar = self.verticalScrollBar()
        if not self._is_settling:
            # Only a person's own scrolling decides: half laid out, any place may look like the end.
            self._anchor = None
            self._follows = value >= bar.maximum() - NEAR and not self._ends[1]
        if self._follows:
            self.pill.hide()
            self.bottom_seen.emit()
        if value < AHEAD and self._ends[0]:
            self.older_wanted.emit()
        if value > bar.maximum() - AHEAD and self._ends[1]:
            self.newer_wanted.emit()

    def _place_pill(self) -> None:
        size = self.pill.sizeHint()
        self.pill.setGeometry(
            (self.width() - size.width()) // 2,
            self.height() - size.height() - 2 * GRID,
            size.width(),
            size.height(),
        )
        self.pill.raise_()


def _is_stale(view: BubbleView, around: Around) -> bool:
    """Whether a question moved into the form or out of it, or its answer's way opened or closed."""
    question = view.question
    if question is None:
        return False
    if question.is_open:
        return question.is_in_form != around.is_in_form
    return question.is_pending and question.place != around.place
