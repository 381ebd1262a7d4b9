"""Settings, Keys: the person's own keys to makers of models. No value is ever shown."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.core.news import News
from desktop.core.providers import PROVIDERS, KeyVerdict, Provider
from desktop.core.safe import MISSING
from desktop.desk.keys import KeyState
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import button, label
from desktop.gui.style import Style
from desktop.gui.windows.settings.section import Line, Section, card, row, show_page, words_of
from shared.errors import AppError


class Keys(Section):
    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(
            bridge,
            style,
            tr("Keys"),
            tr(
                "Your own keys to makers of language models. They stay on this computer, in the "
                "system's safe; the hub never sees them, and they are never shown again."
            ),
        )
        bridge.hears(self, News.SETTINGS, then=self._show_safe)

    def build(self) -> None:
        self._safe, inside = card()
        self._trouble = Line(button(tr("Try again"), self._again))
        inside.addWidget(self._trouble)
        self._safe.hide()
        self.column.addWidget(self._safe)
        box = self.card()
        self.rows = {provider.key_name: KeyRow(self, provider) for provider in PROVIDERS}
        for one in self.rows.values():
            box.addWidget(one)
        told = tr(
            "“Test” asks the maker for its list of models with your key, which costs nothing."
        )
        self.column.addWidget(label(told, "muted"))

    def refresh(self) -> None:
        self.do(self.desk.keys.states(), then=self.show_states, failed=self.banner.tell)

    def show_states(self, states: Mapping[str, KeyState]) -> None:
        for name, state in states.items():
            self.rows[name].show_state(state)
        self._show_safe()

    def _show_safe(self) -> None:
        trouble = self.desk.keys.trouble
        self._safe.setVisible(trouble is not None)
        if trouble is not None:
            is_calm = trouble.code == MISSING
            color = self.look.tokens.muted if is_calm else self.look.tokens.failed
            self._trouble.tell(trouble.message, trouble.hint, sign="⚠", color=color)

    def _again(self) -> None:
        self.do(self.desk.try_safe(), then=lambda _: self.refresh())


class KeyRow(QWidget):
    """One maker: whether its key is set; set, replace, test, remove."""

    def __init__(self, section: Keys, provider: Provider) -> None:
        super().__init__()
        self._section = section
        self._provider = provider
        name = provider.name
        self.set_button = button(tr("Set…"), self._edit, "quiet", name=tr("Set key: ") + name)
        self.test_button = button(tr("Test"), self._test, "quiet", name=tr("Test key: ") + name)
        self.remove_button = button(
            tr("Remove"), self._remove, "quiet", name=tr("Remove key: ") + name
        )
        self.line = Line(self.set_button, self.test_button, self.remove_button)
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setAccessibleName(tr("Key of {name}").format(name=name))
        self.field.setPlaceholderText(tr("Paste the key here"))
        self.field.returnPressed.connect(self._keep)
        self.keep_button = button(tr("Keep"), self._keep, name=tr("Keep key: ") + name)
        self.page_button = button(
            tr("Get one"),
            lambda: show_page(provider.keys_page),
            "quiet",
            name=tr("Get a key: ") + name,
        )
        self._form = QWidget()
        form = row(self.field, self.keep_button, self.page_button, stretch=0)
        form.setContentsMargins(0, 0, 0, 0)
        self._form.setLayout(form)
        self._form.hide()
        whole, inside = card()
        whole.setProperty("look", "")
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.line)
        inside.addWidget(self._form)
        self.setLayout(inside)
        self.show_state(KeyState(is_set=False, is_in_file=False))

    def show_state(self, state: KeyState) -> None:
        tokens = self._section.look.tokens
        self.test_button.setVisible(state.is_set)
        self.remove_button.setVisible(state.is_set)
        self.set_button.setText(tr("Replace…") if state.is_set else tr("Set…"))
        if state.is_in_file:
            told = tr("Set, in a file that only you can read")
            self.line.tell(self._provider.name, told, sign="⚠", color=tokens.waiting)
        elif state.is_set:
            self.line.tell(self._provider.name, tr("Set"), sign="✓", color=tokens.done)
        else:
            self.line.tell(self._provider.name, tr("Not set"), sign="–", color=tokens.muted)

    def show_verdict(self, verdict: KeyVerdict) -> None:
        tokens = self._section.look.tokens
        sign, color = {
            True: ("✓", tokens.done),
            False: ("✕", tokens.failed),
            None: ("⚠", tokens.waiting),
        }[verdict.is_good]
        self.test_button.setEnabled(True)
        self.line.tell(self._provider.name, verdict.sentence, sign=sign, color=color)

    def _edit(self) -> None:
        self._form.setVisible(not self._form.isVisible())
        self.field.clear()
        self.field.setFocus()

    def _keep(self) -> None:
        text = self.field.text()
        self.field.clear()
        self._section.do(
            self._section.desk.keys.keep(self._provider, text),
            then=self._kept,
            failed=self._section.banner.tell,
        )

    def _kept(self, _place: str) -> None:
        self._form.hide()
        self._section.banner.hide()
        self._section.refresh()

    def _test(self) -> None:
        self.test_button.setEnabled(False)
        self.line.tell(self._provider.name, tr("Asking {name} …").format(name=self._provider.name))
        self._section.do(
            self._section.desk.keys.try_out(self._provider),
            then=self.show_verdict,
            failed=self._test_failed,
        )

    def _test_failed(self, error: AppError) -> None:
        self.show_verdict(KeyVerdict(is_good=None, sentence=words_of(error.body)))

    def _remove(self) -> None:
        self._section.do(
            self._section.desk.keys.remove(self._provider),
            then=lambda _: self._removed(),
            failed=self._section.banner.tell,
        )

    def _removed(self) -> None:
        self._section.undo.offer(
            tr("The key of {name} was removed.").format(name=self._provider.name),
            lambda: self._section.do(
                self._section.desk.keys.take_back(self._provider),
                then=lambda _: self._section.refresh(),
                failed=self._section.banner.tell,
            ),
        )
        self._section.refresh()
