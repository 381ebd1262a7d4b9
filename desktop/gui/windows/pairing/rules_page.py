"""Step 3: what may be done on this computer. The owner's rules, as far as a beginner needs them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel

from desktop.core.families import Family, allowed, with_families
from desktop.core.policy import Policy
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import GRID
from desktop.gui.windows.pairing.folder_list import FolderList
from desktop.gui.windows.pairing.page import Page
from desktop.store.facts import Pairing
from desktop.system.login_start import State
from shared.errors import AppError


class RulesPage(Page):
    done = Signal()

    def __init__(self) -> None:
        super().__init__(step=3)
        self._policy = Policy()
        self._was_at_login = False
        self.folders = FolderList()
        self.add_folder = button(tr("Add a folder…"), self.folders.ask)
        self.empty = label(
            tr("⚠ No folder is ticked: nothing can be read here until one is."), "muted"
        )
        self.families = {family: QCheckBox(text) for family, text in _families().items()}
        self.at_login = QCheckBox(tr("Start Deskhand when I log in"))
        self.at_login_note = label("", "muted")
        self.wrong = label("", "failed")
        self.finish = button(tr("Done"), self.done.emit, "primary")
        self._fill()
        self.folders.changed.connect(self._look_at_folders)

    def tell(self, pairing: Pairing | None) -> None:
        """Say whose rules they are; nothing can be kept before they were read."""
        name = pairing.worker_name if pairing else tr("this computer")
        self.say(
            tr("What may be done on {computer}?").format(computer=name),
            tr("It is connected. These are your rules; change them at any time in Settings."),
        )

    def show_policy(self, policy: Policy) -> None:
        """Fill in the rules as they are now."""
        self._policy = policy
        suggested = () if policy.folders else suggestions()
        self.folders.fill(policy.folders, suggested)
        on = allowed(policy)
        for family, box in self.families.items():
            box.setChecked(family in on)
        self.wrong.hide()
        self.finish.setEnabled(True)
        self._look_at_folders()

    def show_login(self, state: State) -> None:
        """Fill in how start at login stands on this system."""
        self._was_at_login = state.is_on
        self.at_login.setChecked(state.is_on)
        self.at_login.setEnabled(True)
        self._note_login("")

    def no_login(self, error: AppError) -> None:
        """Nothing starts programs at login here."""
        self._was_at_login = False
        self.at_login.setChecked(False)
        self.at_login.setEnabled(False)
        self._note_login(error.message)

    def _note_login(self, note: str) -> None:
        self.at_login_note.setText(note)
        self.at_login_note.setVisible(bool(note))

    @property
    def policy(self) -> Policy:
        """The rules as they are ticked; what this page does not show stays as it was."""
        wanted = frozenset(family for family, box in self.families.items() if box.isChecked())
        return with_families(self._policy, wanted).model_copy(
            update={"folders": self.folders.ticked}
        )

    @property
    def login_wish(self) -> bool | None:
        """Whether to start at login from now on; None when that is as it was."""
        wanted = self.at_login.isChecked()
        return None if wanted == self._was_at_login else wanted

    def complain(self, words: str) -> None:
        self.wrong.setText(f"⚠ {words}")
        self.wrong.show()

    def _fill(self) -> None:
        row = QHBoxLayout()
        row.addWidget(_heading(tr("Folders whose files may be used")), 1)
        row.addWidget(self.add_folder)
        self.column.addLayout(row)
        self.column.addWidget(self.folders)
        self.column.addWidget(self.empty)
        self.column.addSpacing(GRID)
        self.column.addWidget(_heading(tr("Work that chats and programs may ask for")))
        for box in self.families.values():
            box.setAccessibleName(box.text())
            self.column.addWidget(box)
        self.column.addSpacing(GRID)
        self.column.addWidget(_heading(tr("At login")))
        self.at_login.setAccessibleName(self.at_login.text())
        self.column.addWidget(self.at_login)
        self.column.addWidget(self.at_login_note)
        self.column.addWidget(self.wrong)
        self.wrong.hide()
        self.at_login_note.hide()
        self.finish.setEnabled(False)
        self.put_buttons((), (self.finish,))

    def _look_at_folders(self) -> None:
        self.empty.setVisible(not self.folders.ticked)


def suggestions() -> tuple[str, ...]:
    """Return folders that a person may mean; the system says where they are."""
    import platformdirs

    documents = platformdirs.user_documents_path()
    return (str(documents),) if documents.is_dir() and documents != Path.home() else ()


def _families() -> dict[Family, str]:
    return {
        Family.DATA: tr("Describe tables: columns, gaps, first impressions"),
        Family.ML: tr("Train models and predict with them"),
        Family.CODE: tr("Change and review your repositories, in a sandbox"),
        Family.LLM: tr("Probe language models, and ask them about texts"),
        Family.WEB: tr("Search the web and read pages"),
        Family.FILES: tr("Show and send me files that I ask for"),
        Family.MACHINE: tr("Turn start at login on and off"),
    }


def _heading(text: str) -> QLabel:
    return label(text, "heading")
