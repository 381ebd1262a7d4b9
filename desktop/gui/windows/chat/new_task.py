"""The box for something new: a verb, what is known of it, and the computer that shall do it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import Banner, button, label
from desktop.gui.style import CONTENT_WIDTH_MAX, GRID, ROW, Style
from desktop.gui.windows.chat.fields import Fields
from desktop.gui.windows.chat.kinds import (
    FOR_A_FILE,
    FOR_A_TABLE,
    TABLE_SUFFIXES,
    inputs_of,
    kinds_for,
    line_of,
    said,
    summary_of,
    verb_of,
)
from desktop.gui.windows.chat.places import may_use
from desktop.store import copied
from desktop.store.copied import Worker
from shared.errors import AppError, NotAllowed
from shared.ids import JobId, WorkerId
from shared.kinds import Kind
from shared.kinds.catalogue import BUILT_IN
from shared.plain_text import plain_line

ANYWHERE = ""


class NewTask(QWidget):
    """Asks for nothing that it need not: what is missing will be asked by the job."""

    started = Signal(str)
    """A job's id."""
    left = Signal()

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__()
        self._bridge = bridge
        self._desk = bridge.desk
        self._style = style
        self._kind: Kind | None = None
        self._file: Path | None = None
        self._line = QLineEdit()
        self._line.setPlaceholderText(tr("For example: train sales.csv revenue"))
        self._line.setAccessibleName(tr("What shall be done?"))
        self._line.textChanged.connect(self._typed)
        self._line.returnPressed.connect(self._enter)
        self._line.installEventFilter(self)
        self._told = label("", "muted")
        self._list = self._make_list()
        self._fields = Fields()
        self._fields.browsed.connect(self._browse)
        self._fields.entered.connect(self._start)
        self._machines = QComboBox()
        self._machines.setObjectName("machines")
        self._machines.setAccessibleName(tr("Which computer does it"))
        self._banner = Banner()
        self._settings = button(
            tr("Open settings"), lambda: bridge.opened.emit("settings", "folders")
        )
        self._go = button(tr("Start"), self._start, "primary")
        self._rest = QWidget()
        self._lay_out()
        bridge.hears(self, News.WORKERS, News.PAIRING, then=self._look_for_machines)
        self._show_machines(())
        self._look_for_machines()
        self._typed("")

    @property
    def kind(self) -> Kind | None:
        return self._kind

    @property
    def is_refused(self) -> bool:
        """Whether it says why this cannot be asked for."""
        return self._banner.isVisibleTo(self)

    @property
    def told(self) -> str:
        """What it says below the line."""
        return self._told.text()

    def begin(self, typed: str = "") -> None:
        """Begin anew.

        Args:
            typed: a line as the person wrote it ("/train sales.csv"), or a kind's name.
        """
        self._file = None
        self._banner.hide()
        self._settings.hide()
        self._kind = None
        kind = BUILT_IN.get(typed)
        self._line.setText(verb_of(kind) if kind is not None else typed)
        self._typed(self._line.text())
        self._line.setFocus(Qt.FocusReason.OtherFocusReason)
        self._line.setCursorPosition(len(self._line.text()))

    def take_file(self, path: Path) -> None:
        """Offer what can be done with a file of this computer."""
        self.begin()
        self._file = path
        self._offer(_fitting(path))
        self._told.setText(tr("What shall be done with {file}?").format(file=plain_line(path.name)))
        self._machines.setCurrentIndex(0)
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)
        self._bridge.do(self._check(str(path)), then=self._judge)

    def pick(self, kind_name: str) -> None:
        """Choose a kind; what is known already stays filled in."""
        self._line.setText(f"{verb_of(BUILT_IN[kind_name])} ")
        self._fields.focus_first_empty()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down leads from the line into the list."""
        if (
            watched is self._line
            and isinstance(event, QKeyEvent)
            and event.type() is QEvent.Type.KeyPress
            and event.key() == Qt.Key.Key_Down
            and self._list.isVisible()
        ):
            self._list.setFocus()
            return True
        return super().eventFilter(watched, event)

    def _make_list(self) -> QListWidget:
        made = QListWidget()
        made.setAccessibleName(tr("What can be done"))
        made.setTextElideMode(Qt.TextElideMode.ElideRight)
        made.setProperty("look", "choices")
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.itemActivated.connect(self._pick)
        made.itemClicked.connect(self._pick)
        return made

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setMaximumWidth(CONTENT_WIDTH_MAX)
        column = QVBoxLayout(inner)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        column.setSpacing(GRID + GRID // 2)
        column.addWidget(label(tr("New task"), "title"))
        column.addWidget(self._line)
        column.addWidget(self._told)
        column.addWidget(self._list)
        rest = QVBoxLayout(self._rest)
        rest.setContentsMargins(0, 0, 0, 0)
        rest.setSpacing(GRID)
        rest.addWidget(self._fields)
        rest.addWidget(label(tr("Computer"), "muted"))
        rest.addWidget(self._machines)
        rest.addWidget(label(tr("What you leave empty will be asked."), "muted"))
        column.addWidget(self._rest)
        column.addWidget(self._banner)
        column.addWidget(self._settings, alignment=Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._buttons())
        column.addStretch()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(inner)
        area.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self._settings.hide()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(button(tr("Cancel"), self.left.emit, "quiet"))
        row.addWidget(self._go)
        return row

    def _typed(self, typed: str) -> None:
        """Follow what is typed: a verb that is complete shows its fields."""
        heard = said(typed)
        if heard.kind is not None:
            self._choose(heard.kind, dict(heard.values))
            return
        self._choose(None, {})
        found = kinds_for(typed)
        if typed.strip() and (not found or " " in typed.strip()):
            self._told.setText(
                tr("Say it in a sentence, or begin with one of these; what is missing is asked.")
            )
            found = kinds_for("")
        else:
            self._told.setText(tr("What can be done:"))
        self._offer(found)

    def _offer(self, kinds: tuple[Kind, ...]) -> None:
        self._list.clear()
        for kind in kinds:
            item = QListWidgetItem(f"{verb_of(kind)}  –  {summary_of(kind)}")
            item.setData(Qt.ItemDataRole.UserRole, kind.name)
            item.setSizeHint(QSize(0, ROW))
            self._list.addItem(item)
        self._list.setFixedHeight(len(kinds) * ROW + GRID)
        if kinds:
            self._list.setCurrentRow(0)

    def _enter(self) -> None:
        if self._kind is not None:
            self._start()
        elif (item := self._list.currentItem()) is not None and not self._is_plain():
            self._pick(item)

    def _is_plain(self) -> bool:
        return " " in self._line.text().strip()

    def _pick(self, item: QListWidgetItem) -> None:
        self.pick(item.data(Qt.ItemDataRole.UserRole))

    def _choose(self, kind: Kind | None, values: dict[str, str]) -> None:
        is_new = kind is not self._kind
        self._kind = kind
        self._list.setVisible(kind is None)
        self._rest.setVisible(kind is not None)
        self._go.setEnabled(kind is not None)
        if kind is None:
            return
        if self._file is not None:
            values.setdefault("file", str(self._file))
        self._told.setText(summary_of(kind))
        self._fields.show_kind(kind, values, is_new=is_new)

    def _look_for_machines(self) -> None:
        self._bridge.do(self._desk.look(copied.workers), then=self._show_machines)

    def _show_machines(self, workers: tuple[Worker, ...]) -> None:
        chosen = self._machines.currentData()
        here = self._desk.pairing.worker_id if self._desk.pairing else None
        self._machines.clear()
        if here is not None and self._desk.pairing is not None:
            name = plain_line(self._desk.pairing.worker_name)
            self._machines.addItem(tr("This computer ({name})").format(name=name), here)
        for worker in workers:
            if worker.worker_id != here and worker.state != "revoked":
                self._machines.addItem(_machine(worker), worker.worker_id)
        self._machines.addItem(tr("Any computer of mine"), ANYWHERE)
        index = self._machines.findData(chosen) if chosen is not None else 0
        self._machines.setCurrentIndex(max(0, index))

    def _browse(self) -> None:
        from PySide6.QtWidgets import QFileDialog

        folders = self._desk.policy.folders
        start = str(Path(folders[0]).expanduser()) if folders else ""
        patterns = " ".join(f"*{suffix}" for suffix in TABLE_SUFFIXES)
        box = QFileDialog(
            self, tr("Choose a table"), start,
            f"{tr('Tables')} ({patterns});;{tr('All files')} (*)",
        )  # fmt: skip
        box.setFileMode(QFileDialog.FileMode.ExistingFile)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.fileSelected.connect(self._fields.fill_file)
        box.open()

    def _start(self) -> None:
        if self._kind is None:
            return
        self._banner.hide()
        self._settings.hide()
        self._go.setEnabled(False)
        self._bridge.do(self._request(self._kind), then=self._done, failed=self._refuse)

    async def _request(self, kind: Kind) -> JobId:
        inputs = inputs_of(kind, self._fields.texts)
        machine = self._machines.currentData()
        here = self._desk.pairing.worker_id if self._desk.pairing else None
        file = inputs.get("file")
        if isinstance(file, str) and machine == here and not await self._check(file):
            raise outside(file)
        return await self._desk.requests.make(
            kind.name,
            inputs,
            text=line_of(kind, inputs),
            worker_id=WorkerId(machine) if machine else None,
        )

    async def _check(self, file: str) -> bool:
        return await asyncio.to_thread(may_use, file, self._desk.policy.folders)

    def _judge(self, may_be_used: bool) -> None:  # noqa: FBT001 - a callback's result
        if not may_be_used and self._file is not None:
            self._refuse(outside(str(self._file)))

    def _done(self, job_id: JobId) -> None:
        self._go.setEnabled(True)
        self._file = None
        self._line.clear()
        self.started.emit(job_id)

    def _refuse(self, error: AppError) -> None:
        self._go.setEnabled(self._kind is not None)
        self._banner.tell(error)
        self._settings.setVisible(error.code == "file_outside_folders")


def outside(file: str) -> NotAllowed:
    return NotAllowed(
        "file_outside_folders",
        tr("{file} is outside the folders Deskhand may use on this computer.").format(
            file=plain_line(Path(file).name)
        ),
        tr("Allow its folder in the settings, or move the file."),
    )


def _machine(worker: Worker) -> str:
    name = plain_line(worker.name)
    return tr("{name} (away)").format(name=name) if worker.state == "lost" else name


def _fitting(path: Path) -> tuple[Kind, ...]:
    is_table = path.suffix.casefold() in TABLE_SUFFIXES
    return tuple(BUILT_IN[name] for name in (*(FOR_A_TABLE if is_table else ()), *FOR_A_FILE))
