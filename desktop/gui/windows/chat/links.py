"""Addresses in what others wrote: shown as they are, opened only after a person has read them."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget

from desktop.gui.language import tr

LINKS_MAX = 3
LINK_CHARS_MAX = 2000
_LINK = re.compile(r"https?://[^\s<>\"'\ufffd]+", re.IGNORECASE)


def links_in(text: str) -> tuple[str, ...]:
    """Find the first web addresses of a text, each once.

    Hosts of look-alike letters come as "xn--…", so that what is read is what is opened.
    """
    found: dict[str, None] = {}
    for match in _LINK.finditer(text):
        url = QUrl(match[0].rstrip(".,;:!?)]}"), QUrl.ParsingMode.StrictMode)
        if url.isValid() and url.host() and len(match[0]) <= LINK_CHARS_MAX:
            found[bytes(url.toEncoded().data()).decode()] = None
        if len(found) == LINKS_MAX:
            break
    return tuple(found)


def host_of(link: str) -> str:
    """Return where a link leads, as it is looked up."""
    return QUrl(link).host(QUrl.ComponentFormattingOption.FullyEncoded)


def ask_to_open(link: str, parent: QWidget) -> QMessageBox:
    """Show a whole address and open it when the person says so."""
    box = QMessageBox(QMessageBox.Icon.Question, tr("Open this address?"), "", parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(tr("This opens your browser at {host}.").format(host=host_of(link)))
    box.setInformativeText(link)
    opens = box.addButton(tr("Open"), QMessageBox.ButtonRole.AcceptRole)
    stays = box.addButton(tr("Stay here"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stays)
    box.setEscapeButton(stays)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    opens.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(link)))
    box.open()
    return box
