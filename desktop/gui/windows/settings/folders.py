"""Settings, Folders: whose files jobs may use. Everything else stays out of their sight."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.core.news import News
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import Style
from desktop.gui.windows.settings.broken import BrokenPolicy
from desktop.gui.windows.settings.section import Line, Rows, Section, row, show_file
from shared.plain_text import plain_line


class Folders(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Folders"),
            tr(
                "Jobs may read files in these folders and everything below them, and write their "
                "results beside them. Nothing leaves this computer unless you ask for it."
            ),
        )
        self.setAcceptDrops(True)
        bridge.hears(self, News.POLICY, then=self.refresh)

    def build(self) -> None:
        self._broken = BrokenPolicy(self.desk)
        self.column.addWidget(self._broken)
        inside = self.card()
        self.rows = Rows()
        self._empty = label(
            tr("No folder yet. Jobs cannot read any of your files until you add one."), "muted"
        )
        self.add_button = button(tr("Add a folder…"), self._choose, "primary")
        inside.addWidget(self._empty)
        inside.addLayout(self.rows)
        inside.addLayout(row(self.add_button, None))
        inside.addWidget(label(tr("You can also drop folders here."), "muted"))

    def refresh(self) -> None:
        folders = self.desk.policy.folders
        self._broken.refresh()
        self.add_button.setEnabled(self.desk.policy_error is None)
        self.do(asyncio.to_thread(_there, folders), then=self._show)

    def add(self, folders: list[Path]) -> None:
        """Let jobs use more folders; one that lies in another is not named twice."""
        policy = self.desk.policy
        known = [Path(folder).expanduser() for folder in policy.folders]
        new = [f for f in folders if not any(f == k or k in f.parents for k in known)]
        if len(new) < len(folders):
            self.banner.tell(tr("That folder may be used already."))
        if new and self.desk.policy_error is None:
            wanted = (*policy.folders, *(_short(folder) for folder in new))
            self.change_policy(policy.model_copy(update={"folders": wanted}))

    def remove(self, folder: str) -> None:
        policy = self.desk.policy
        wanted = tuple(one for one in policy.folders if one != folder)
        self.change_policy(
            policy.model_copy(update={"folders": wanted}),
            undo=tr("Jobs may not use {folder} any more.").format(folder=plain_line(folder)),
        )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if folders := _dropped(event):
            self.add(folders)
            event.acceptProposedAction()

    def _choose(self) -> None:
        dialog = QFileDialog(self, tr("Which folder may jobs use?"), str(Path.home()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda chosen: self.add([Path(chosen)]))
        # Not `exec`: that loop would stand still within ours.
        dialog.open()

    def _show(self, there: dict[str, bool]) -> None:
        self._empty.setVisible(not there)
        self.rows.fill([self._line(folder, is_there) for folder, is_there in there.items()])

    def _line(self, folder: str, is_there: bool) -> QWidget:  # noqa: FBT001
        told = plain_line(folder)
        opens = button(
            tr("Open"),
            lambda: show_file(Path(folder).expanduser()),
            "quiet",
            name=tr("Open {folder}").format(folder=told),
        )
        removes = button(
            tr("Remove"),
            lambda: self.remove(folder),
            "quiet",
            name=tr("Remove {folder}").format(folder=told),
        )
        opens.setEnabled(is_there)
        removes.setEnabled(self.desk.policy_error is None)
        line = Line(opens, removes)
        if is_there:
            line.tell(told, sign="✓", color=self.look.tokens.done)
        else:
            detail = tr("It is not there now. A disk that is not plugged in comes back by itself.")
            line.tell(told, detail, sign="⚠", color=self.look.tokens.waiting)
        return line


def _there(folders: tuple[str, ...]) -> dict[str, bool]:
    return {folder: Path(folder).expanduser().is_dir() for folder in folders}


def _dropped(event: QDropEvent) -> list[Path]:
    urls = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in urls if path.is_dir()]


def _short(folder: Path) -> str:
    try:
        return str(Path("~") / folder.relative_to(Path.home()))
    except ValueError:
        return str(folder)
