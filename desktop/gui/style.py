"""The look of all windows: palettes made from the colour tokens, sizes, fonts.

Qt's own dark mode depends on the platform's theme, so both palettes are ours and follow the
system's colour scheme (or the person's choice) by themselves.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from shared.jobs import JobState
from shared.look import DARK, LIGHT, Tokens

GRID = 8
"""Pixels; all distances are multiples of it."""
RADIUS = 8
ROW = 36
"""Height of a table's row in pixels."""
SMALL, BODY, TITLE = 13, 15, 20
"""Text sizes in pixels."""
WORDS = 28
"""Of what is compared or copied with the eye."""
TICKS = Path(__file__).parent / "icons"
CONTENT_WIDTH_MAX = 720
"""A form or a thread of text is not wider than this."""

CHEVRON = (Path(__file__).parent / "icons" / "chevron.svg").as_posix()
CHEVRON_UP = (Path(__file__).parent / "icons" / "chevron-up.svg").as_posix()
"""Of a grey that shows on light and dark: a sheet cannot colour a picture."""

STATE_TOKENS = {
    JobState.QUEUED: "waiting",
    JobState.OFFERED: "waiting",
    JobState.GRANTED: "running",
    JobState.RUNNING: "running",
    JobState.ASKING: "asking",
    JobState.SUCCEEDED: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "muted",
    JobState.INTERRUPTED: "failed",
    JobState.DEAD: "failed",
}
"""Which token colours a state; state is always icon, word and colour."""


class Style(QObject):
    """The look in force. One instance per application; `changed` when light turns to dark."""

    changed = Signal()

    def __init__(self, app: QApplication, scheme: str = "system") -> None:
        """Apply the look.

        Args:
            app: whose.
            scheme: "light", "dark", or "system" to follow the desktop.
        """
        super().__init__(app)
        self._app = app
        self._scheme = scheme
        self.tokens: Tokens = LIGHT
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._follow)
        self.choose(scheme)

    @property
    def is_dark(self) -> bool:
        return self.tokens is DARK

    def choose(self, scheme: str) -> None:
        """Use "light", "dark" or "system" from now on."""
        self._scheme = scheme
        self._follow()

    def color(self, token: str) -> QColor:
        """Return a token's colour by its name."""
        return QColor(getattr(self.tokens, token))

    def color_of(self, state: JobState) -> QColor:
        return self.color(STATE_TOKENS[state])

    def _follow(self) -> None:
        system = self._app.styleHints().colorScheme()
        is_dark = self._scheme == "dark" or (
            self._scheme == "system" and system is Qt.ColorScheme.Dark
        )
        self.tokens = DARK if is_dark else LIGHT
        self._app.setPalette(palette(self.tokens))
        self._app.setStyleSheet(sheet(self.tokens))
        self.changed.emit()


def palette(tokens: Tokens) -> QPalette:
    """Make Qt's palette of our tokens."""
    made = QPalette()
    roles = {
        QPalette.ColorRole.Window: tokens.background,
        QPalette.ColorRole.WindowText: tokens.text,
        QPalette.ColorRole.Base: tokens.surface,
        QPalette.ColorRole.AlternateBase: tokens.background,
        QPalette.ColorRole.Text: tokens.text,
        QPalette.ColorRole.Button: tokens.surface,
        QPalette.ColorRole.ButtonText: tokens.text,
        QPalette.ColorRole.PlaceholderText: tokens.muted,
        QPalette.ColorRole.ToolTipBase: tokens.surface,
        QPalette.ColorRole.ToolTipText: tokens.text,
        QPalette.ColorRole.Highlight: tokens.accent,
        QPalette.ColorRole.HighlightedText: tokens.surface,
        QPalette.ColorRole.Link: tokens.accent,
        QPalette.ColorRole.LinkVisited: tokens.accent,
        QPalette.ColorRole.Light: tokens.surface,
        QPalette.ColorRole.Midlight: tokens.line,
        QPalette.ColorRole.Mid: tokens.line,
        QPalette.ColorRole.Dark: tokens.line,
        QPalette.ColorRole.Shadow: tokens.line,
        QPalette.ColorRole.Accent: tokens.accent,
    }
    for role, color in roles.items():
        made.setColor(role, QColor(color))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.muted))
    return made


def sheet(tokens: Tokens) -> str:
    """Write what a palette cannot say: shapes and distances. Set properties, not more sheets.

    `widget.setProperty("look", "primary" | "quiet" | "danger" | "chip")` on a button; "title",
    "heading", "words", "muted" and "failed" on a label; "card" on a frame.
    """
    tick = (TICKS / f"tick-{'dark' if tokens is DARK else 'light'}.svg").as_posix()
    dash = tick.replace("tick-", "dash-")
    return f"""
    QWidget {{ font-size: {BODY}px; }}
    QLabel[look="title"] {{ font-size: {TITLE}px; font-weight: 600; }}
    QLabel[look="muted"] {{ color: {tokens.muted}; font-size: {SMALL}px; }}
    QLabel[look="heading"] {{ font-weight: 600; }}
    QLabel[look="words"] {{ font-size: {WORDS}px; font-weight: 600; }}
    QLabel[look="failed"] {{ color: {tokens.failed}; }}
    QLabel[look="waiting"] {{ color: {tokens.waiting}; font-size: {SMALL}px; }}
    QFrame[look="card"] {{ background: {tokens.surface}; border: 1px solid {tokens.line};
        border-radius: {RADIUS}px; }}
    QPushButton {{ background: {tokens.surface}; border: 1px solid {tokens.line};
        border-radius: {RADIUS}px; padding: 7px 16px; min-height: 20px; }}
    QPushButton:hover {{ border-color: {tokens.muted}; }}
    QPushButton:focus {{ border: 2px solid {tokens.accent}; padding: 6px 15px; }}
    QPushButton:disabled {{ color: {tokens.muted}; }}
    QPushButton[look="primary"] {{ background: {tokens.accent}; color: {tokens.surface};
        border-color: {tokens.accent}; font-weight: 600; }}
    QPushButton[look="primary"]:focus {{ border-color: {tokens.text}; }}
    QPushButton[look="primary"]:disabled {{ background: {tokens.line}; color: {tokens.muted};
        border-color: {tokens.line}; }}
    QPushButton[look="quiet"] {{ background: transparent; border-color: transparent;
        color: {tokens.accent}; }}
    QPushButton[look="quiet"]:hover {{ border-color: {tokens.line}; }}
    QPushButton[look="danger"] {{ color: {tokens.failed}; }}
    QPushButton[look="danger"]:disabled {{ color: {tokens.muted}; }}
    QPushButton[look="chip"] {{ color: {tokens.muted}; font-size: {SMALL}px;
        border-radius: 14px; padding: 3px 12px; min-height: 20px; }}
    QPushButton[look="chip"]:focus {{ border: 2px solid {tokens.accent}; padding: 2px 11px; }}
    QPushButton[look="chip"]:checked {{ background: {tokens.text}; color: {tokens.surface};
        border-color: {tokens.text}; }}
    QPushButton[look="chip"]:checked:focus {{ border-color: {tokens.accent}; }}
    QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox, QTimeEdit {{
        background: {tokens.surface}; border: 1px solid {tokens.line};
        border-radius: {RADIUS}px; padding: 6px 10px; selection-background-color: {tokens.accent};
        selection-color: {tokens.surface}; }}
    QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus {{
        border: 2px solid {tokens.accent}; padding: 5px 9px; }}
    QTableView, QListView, QTreeView {{ background: {tokens.surface};
        border: 1px solid {tokens.line}; border-radius: {RADIUS}px; outline: 0; }}
    QTableView::item:selected, QListView::item:selected {{ background: {tokens.line};
        color: {tokens.text}; }}
    QListView[look="sections"], QListView[look="sections"]:focus {{ background: transparent;
        border: 0; padding: 0; }}
    QListView[look="choices"]::item {{ padding: 0 12px; }}
    QListView[look="sections"]::item {{ padding: 0 12px; height: {ROW}px;
        border-radius: {RADIUS}px; }}
    QListView[look="sections"]::item:focus {{ border: 2px solid {tokens.accent};
        padding: 0 10px; }}
    QComboBox::drop-down {{ border: 0; width: 24px; }}
    QComboBox::down-arrow {{ image: url("{CHEVRON}"); width: 12px; height: 12px; }}
    QSpinBox:focus, QTimeEdit:focus {{ border: 2px solid {tokens.accent}; padding: 5px 9px; }}
    QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled, QTimeEdit:disabled {{
        color: {tokens.muted}; background: {tokens.background}; }}
    QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: 0; width: 22px; }}
    QAbstractSpinBox::up-arrow {{ image: url("{CHEVRON_UP}"); width: 10px; height: 10px; }}
    QAbstractSpinBox::down-arrow {{ image: url("{CHEVRON}"); width: 10px; height: 10px; }}
    QHeaderView::section {{ background: {tokens.surface}; color: {tokens.muted}; border: 0;
        border-bottom: 1px solid {tokens.line}; padding: 8px; font-size: {SMALL}px; }}
    QHeaderView::up-arrow, QHeaderView::down-arrow {{ subcontrol-origin: border;
        subcontrol-position: top center; width: 10px; height: 10px; }}
    QToolTip {{ background: {tokens.surface}; color: {tokens.text};
        border: 1px solid {tokens.line}; padding: 6px; }}
    QMenu {{ background: {tokens.surface}; border: 1px solid {tokens.line}; padding: 4px 0; }}
    QMenu::item {{ padding: 5px 28px 5px 16px; color: {tokens.text}; }}
    QMenu::item:selected {{ background: {tokens.line}; }}
    QMenu::item:disabled {{ color: {tokens.muted}; background: transparent; }}
    QMenu::separator {{ height: 1px; background: {tokens.line}; margin: 4px 0; }}
    QMessageBox QLabel#qt_msgbox_label {{ font-weight: 600; }}
    QCheckBox {{ spacing: {GRID}px; }}
    QCheckBox::indicator, QListView::indicator, QTreeView::indicator, QTableView::indicator {{
        width: 16px; height: 16px; border: 1px solid {tokens.muted}; border-radius: 4px;
        background: {tokens.surface}; }}
    QCheckBox:focus {{ color: {tokens.accent}; }}
    QCheckBox::indicator:focus {{ border: 2px solid {tokens.accent}; width: 14px; height: 14px; }}
    QCheckBox::indicator:checked, QListView::indicator:checked, QTreeView::indicator:checked,
    QTableView::indicator:checked {{ background: {tokens.accent}; border-color: {tokens.accent};
        image: url("{tick}"); }}
    QCheckBox::indicator:indeterminate {{ background: {tokens.muted};
        border-color: {tokens.muted}; image: url("{dash}"); }}
    QCheckBox::indicator:checked:disabled, QCheckBox::indicator:indeterminate:disabled {{
        background: {tokens.muted}; }}
    QCheckBox::indicator:disabled {{ border-color: {tokens.line}; }}
    QCheckBox:disabled {{ color: {tokens.muted}; }}
    QProgressBar {{ background: {tokens.line}; border: 0; border-radius: 4px; height: 8px;
        text-align: center; }}
    QProgressBar::chunk {{ background: {tokens.running}; border-radius: 4px; }}
    QScrollBar:vertical {{ background: transparent; width: 12px; margin: 2px; }}
    QScrollBar::handle:vertical {{ background: {tokens.line}; border-radius: 4px;
        min-height: 32px; }}
    QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 2px; }}
    QScrollBar::handle:horizontal {{ background: {tokens.line}; border-radius: 4px;
        min-width: 32px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    """


def tabular(font: QFont) -> QFont:
    """Return a font whose figures are all of one width, for tables and clocks."""
    made = QFont(font)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made
