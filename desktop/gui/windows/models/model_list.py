"""The list of models: two lines each, filtered and sorted in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import QAbstractListModel, QObject, Qt

from desktop.desk.models import Entry, Manifest
from desktop.gui.language import tr
from desktop.gui.two_lines import Index, Line
from desktop.gui.windows.models import saying
from shared.plain_text import plain_line

ENTRY_ROLE = Qt.ItemDataRole.UserRole


def sorts() -> dict[str, str]:
    """Name the orders a list can have."""
    return {"newest": tr("Newest first"), "name": tr("By name"), "score": tr("Best first")}


class ModelList(QAbstractListModel):
    def __init__(self, now: Callable[[], datetime], parent: QObject) -> None:
        super().__init__(parent)
        self._now = now
        self._all: tuple[Entry, ...] = ()
        self._shown: list[Entry] = []
        self._words = ""
        self._order = "newest"

    @property
    def shown(self) -> Sequence[Entry]:
        return self._shown

    @property
    def is_empty(self) -> bool:
        """There is no model at all, filtered or not."""
        return not self._all

    def show(self, entries: tuple[Entry, ...]) -> None:
        self._all = entries
        self._arrange()

    def narrow(self, words: str) -> None:
        """Show only models whose name, target or file holds the words."""
        self._words = words.casefold().strip()
        self._arrange()

    def order(self, order: str) -> None:
        """Show them in one of `sorts`."""
        self._order = order
        self._arrange()

    def row_of(self, model_id: str) -> int:
        return next((n for n, e in enumerate(self._shown) if e.model_id == model_id), -1)

    def _arrange(self) -> None:
        found = [e for e in self._all if self._words in _haystack(e)]
        match self._order:
            case "name":
                found.sort(key=lambda e: e.name.casefold())
            case "score":
                found.sort(key=_gain, reverse=True)
            case _:
                pass
        if found == self._shown:
            return
        self.beginResetModel()
        self._shown = found
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self._shown[index.row()]
        if role == ENTRY_ROLE:
            return entry
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{plain_line(entry.name)}. {self.second_line(entry)}"
        return None

    def second_line(self, entry: Entry) -> str:
        """Say what matters most of a model."""
        if not isinstance(entry, Manifest):
            return tr("Cannot be used: {reason}").format(reason=plain_line(entry.reason))
        old = saying.old(entry, self._now())
        return f"{saying.score(entry.metrics[0])} · {plain_line(entry.target)} · {old}"

    def lines(self, index: Index) -> tuple[Line, Line]:
        """What stands in a row."""
        entry: Entry = index.data(ENTRY_ROLE)
        is_whole = isinstance(entry, Manifest)
        return (
            Line(entry.name, "text" if is_whole else "muted"),
            Line(self.second_line(entry), "muted" if is_whole else "failed"),
        )


def _haystack(entry: Entry) -> str:
    if not isinstance(entry, Manifest):
        return entry.name.casefold()
    source = entry.source.name if entry.source else ""
    return f"{entry.name} {entry.target} {source}".casefold()


def _gain(entry: Entry) -> float:
    """How much better than guessing a model is, so that different metrics can be put in a row."""
    if not isinstance(entry, Manifest):
        return float("-inf")
    first = entry.metrics[0]
    gain = first.mean - (first.baseline or 0.0)
    return gain if first.higher_is_better else -gain
