"""Settings, Appearance and language."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox

from desktop.gui import language
from desktop.gui.bridge import Bridge
from desktop.gui.language import tr
from desktop.gui.parts import label
from desktop.gui.style import Style
from desktop.gui.windows.settings.section import Section, named, row

SCHEME, LANGUAGE = "scheme", "language"


class Looks(Section):
    language_chosen = Signal()
    """Another language is spoken from now on."""

    def __init__(self, bridge: Bridge, style: Style) -> None:
        super().__init__(bridge, style, tr("Appearance and language"), "")

    def build(self) -> None:
        self.scheme = QComboBox()
        names = {"system": tr("As the system"), "light": tr("Light"), "dark": tr("Dark")}
        for value, name in names.items():
            self.scheme.addItem(name, value)
        self.scheme.activated.connect(self._scheme_chosen)
        self.language = QComboBox()
        self.language.addItem(tr("As the system"), "")
        for value, name in language.LANGUAGES.items():
            self.language.addItem(name, value)
        self.language.activated.connect(self._language_chosen)
        inside = self.card()
        inside.addLayout(row(named(self.scheme, tr("&Colours")), None, self.scheme))
        inside.addLayout(row(named(self.language, tr("&Language")), None, self.language))
        told = tr("Windows that are open change their language when Deskhand starts anew.")
        inside.addWidget(label(told, "muted"))

    def refresh(self) -> None:
        self.do(self._read(), then=self._show)

    async def _read(self) -> tuple[str, str]:
        return await self.desk.settings.value(SCHEME), await self.desk.settings.value(LANGUAGE)

    def _show(self, told: tuple[str, str]) -> None:
        self.scheme.setCurrentIndex(max(0, self.scheme.findData(told[0] or "system")))
        self.language.setCurrentIndex(max(0, self.language.findData(told[1])))

    def _scheme_chosen(self) -> None:
        chosen = str(self.scheme.currentData())
        self.look.choose(chosen)
        self.put(SCHEME, chosen)

    def _language_chosen(self) -> None:
        chosen = str(self.language.currentData())
        language.choose(chosen)
        self.put(LANGUAGE, chosen, then=self.language_chosen.emit)
