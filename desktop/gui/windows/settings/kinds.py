"""Settings, Kinds and permissions: which work may be asked for from where."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QCheckBox, QGridLayout, QPlainTextEdit, QSpinBox, QVBoxLayout

from desktop.core.families import Family
from desktop.core.news import News
from desktop.core.permissions import (
    Permission,
    others,
    permission,
    with_permission,
    with_sending,
)
from desktop.core.policy import write_policy
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID, Style
from desktop.gui.windows.settings.broken import BrokenPolicy
from desktop.gui.windows.settings.section import Section, named, row, show_file, spin
from desktop.system.policy_file import policy_text
from shared.errors import AppError
from shared.jobs import Origin
from shared.plain_text import plain_line

FILE_HEIGHT = 220


def families() -> dict[Family, tuple[str, str]]:
    """Say what each family is: its name and what it does."""
    return {
        Family.DATA: (tr("Look at tables"), tr("Describe columns, find odd values, compare")),
        Family.ML: (tr("Train and predict"), tr("Make models of tables, and use them")),
        Family.CODE: (tr("Programming"), tr("Change and review repositories, in a sandbox")),
        Family.LLM: (tr("Language models"), tr("Probe them, ask them about texts and files")),
        Family.WEB: (tr("The web"), tr("Search it, read pages, name the sources")),
        Family.FILES: (tr("Files"), tr("List, show the first lines, send when asked")),
        Family.MACHINE: (tr("This computer"), tr("How it is, start at login")),
    }


def origins() -> dict[Origin, str]:
    """Name where a wish comes from."""
    return {
        Origin.LOCAL: tr("This computer"),
        Origin.CHAT: tr("Your chats"),
        Origin.GROUP: tr("Groups"),
        Origin.API: tr("Programs"),
    }


class Kinds(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Kinds and permissions"),
            tr(
                "Only you decide this, on this computer. No hub and no chat can change it, "
                "whatever they say."
            ),
        )
        bridge.hears(self, News.POLICY, then=self.refresh)

    def build(self) -> None:
        self._broken = BrokenPolicy(self.desk)
        self.column.addWidget(self._broken)
        self.boxes: dict[tuple[Family | None, Origin], QCheckBox] = {}
        inside = self.card(tr("What may be asked for, and from where"))
        inside.addLayout(self._table())
        self._others = label("", "muted")
        inside.addWidget(self._others)
        many = self.card(tr("How many jobs at once"))
        self.slots = spin(QSpinBox(), tr("Jobs at once"))
        self.slots.setRange(0, 64)
        self.slots.setSpecialValueText(tr("none"))
        self.slots.valueChanged.connect(self._slots_chosen)
        many.addLayout(row(named(self.slots, tr("&Jobs at once")), self.slots, None))
        self._build_file()

    def refresh(self) -> None:
        policy, is_sound = self.desk.policy, self.desk.policy_error is None
        self._broken.refresh()
        for (family, origin), box in self.boxes.items():
            state = Qt.CheckState.Unchecked
            if family is None:
                if origin in policy.send_files:
                    state = Qt.CheckState.Checked
            else:
                state = {
                    Permission.ALL: Qt.CheckState.Checked,
                    Permission.SOME: Qt.CheckState.PartiallyChecked,
                    Permission.NONE: Qt.CheckState.Unchecked,
                }[permission(policy, family, origin)]
            box.setCheckState(state)
            box.setEnabled(is_sound)
        self.slots.blockSignals(True)  # noqa: FBT003 - Qt's own
        self.slots.setValue(policy.slots)
        self.slots.blockSignals(False)  # noqa: FBT003
        self.slots.setEnabled(is_sound)
        rest = [f"{origins()[origin]}: {plain_line(p)}" for origin, p in others(policy)]
        self._others.setVisible(bool(rest))
        told = tr("The file also names single kinds: {rules}. A half-ticked box stands for them.")
        self._others.setText(told.format(rules=", ".join(rest)))
        self.do(
            asyncio.to_thread(policy_text, self.desk.paths), then=self._show_file, failed=_quiet
        )

    def _table(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID + GRID // 2)
        grid.setColumnStretch(0, 1)
        for column, name in enumerate(origins().values(), start=1):
            grid.addWidget(label(name, "muted", wraps=False), 0, column, _CENTER)
        rows: list[tuple[Family | None, tuple[str, str]]] = [*families().items()]
        sending = tr("A file leaves only when it is asked for, and is told in the chat")
        rows.append((None, (tr("Send files away"), sending)))
        for number, (family, (name, why)) in enumerate(rows, start=1):
            words = QVBoxLayout()
            words.setSpacing(2)
            words.addWidget(label(name))
            words.addWidget(label(why, "muted"))
            grid.addLayout(words, number, 0)
            for column, (origin, whose) in enumerate(origins().items(), start=1):
                box = QCheckBox()
                box.setAccessibleName(f"{name}: {whose}")
                box.setToolTip(f"{name}: {whose}")
                box.clicked.connect(
                    lambda _is_on, family=family, origin=origin: self._tick(family, origin)
                )
                self.boxes[family, origin] = box
                grid.addWidget(box, number, column, _CENTER)
        return grid

    def _build_file(self) -> None:
        inside = self.card(
            tr("The policy file"),
            tr(
                "Everything above is kept in this file. Edit it for finer rules: “ml.*” means "
                "every kind whose name begins with “ml.”, “*” means every kind. What you save "
                "there counts at once."
            ),
        )
        self.file = QPlainTextEdit()
        self.file.setReadOnly(True)
        self.file.setTabChangesFocus(True)
        self.file.setAccessibleName(tr("The policy file as it is"))
        self.file.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.file.setFixedHeight(FILE_HEIGHT)
        self.file.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        inside.addWidget(label(str(self.desk.paths.policy), "muted"))
        inside.addWidget(self.file)
        inside.addLayout(row(button(tr("Open in an editor"), self._open), None))

    def _tick(self, family: Family | None, origin: Origin) -> None:
        """Turn a box: what was half ticked is allowed whole."""
        policy = self.desk.policy
        if family is None:
            is_allowed = origin not in policy.send_files
            wanted = with_sending(policy, origin, is_allowed=is_allowed)
        else:
            is_allowed = permission(policy, family, origin) is not Permission.ALL
            wanted = with_permission(policy, family, origin, is_allowed=is_allowed)
        self.change_policy(wanted, undo=tr("Saved. The last change can be taken back."))

    def _slots_chosen(self, count: int) -> None:
        self.change_policy(self.desk.policy.model_copy(update={"slots": count}))

    def _open(self) -> None:
        if self.desk.paths.policy.exists():
            show_file(self.desk.paths.policy)
        else:  # the careful defaults are in force, and stand in no file yet
            self.do(
                self.desk.change_policy(self.desk.policy),
                then=lambda _: show_file(self.desk.paths.policy),
                failed=self.banner.tell,
            )

    def _show_file(self, text: str) -> None:
        told = text or write_policy(self.desk.policy)
        if told != self.file.toPlainText():
            self.file.setPlainText(told)


_CENTER = Qt.AlignmentFlag.AlignCenter


def _quiet(_error: AppError) -> None:
    """A file that cannot be read is told by the card above."""
