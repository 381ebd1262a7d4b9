"""A job's plan in its detail: the small graph where there is room, and every step in words."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from desktop.gui.language import tr
from desktop.gui.parts import label
from desktop.gui.plan_words import TONES, bounds, state_word, step_about, step_line
from desktop.gui.style import GRID, Style
from shared.events import JobPlanned
from shared.plain_text import plain_line
from shared.plan import PlanStage
from shared.plan_graph import Graph, Line, Node, graph_of

SCALE_MIN = 0.7
"""Drawn smaller than this nobody could read it; the list says the same."""
PADDING = 12.0


class PlanGraph(QWidget):
    """Draws a plan, as wide as there is room; hidden where that is too little."""

    def __init__(self, graph: Graph, style: Style) -> None:
        super().__init__()
        self._graph, self._style = graph, style
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("The plan, drawn; the list below says the same"))
        style.changed.connect(self.update)

    @property
    def scale(self) -> float:
        return min(1.0, self.width() / max(1.0, self._graph.width))

    def sizeHint(self) -> QSize:
        return QSize(round(self._graph.width), self._height())

    def resizeEvent(self, event: object) -> None:
        del event
        self.setFixedHeight(self._height())

    def _height(self) -> int:
        is_legible = self.scale >= SCALE_MIN
        return round(self._graph.height * self.scale) if is_legible else 0

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self.scale, self.scale)
        painter.setPen(QPen(self._style.color("muted"), 1.5))
        for line in self._graph.lines:
            painter.drawPath(_path(line))
        for number, node in enumerate(self._graph.nodes, start=1):
            self._draw(painter, node, number)
        painter.end()

    def _draw(self, painter: QPainter, node: Node, number: int) -> None:
        tone = TONES[node.step.state]
        box = QRectF(node.x, node.y, node.width, node.height)
        painter.setPen(QPen(self._style.color("line" if tone == "muted" else tone), 1.5))
        painter.setBrush(self._style.color("surface"))
        painter.drawRoundedRect(box, 8, 8)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inside = box.adjusted(PADDING, 5, -PADDING, -5)
        title = QFont(self.font())
        title.setPixelSize(12)
        title.setBold(True)
        shown = QFontMetricsF(title).elidedText(
            f"{number} {plain_line(node.step.title)}", Qt.TextElideMode.ElideRight, inside.width()
        )
        painter.setFont(title)
        painter.setPen(self._style.color("text"))
        painter.drawText(inside, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, shown)
        state = QFont(self.font())
        state.setPixelSize(11)
        painter.setFont(state)
        painter.setPen(self._style.color(tone))
        below = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
        painter.drawText(inside, below, state_word(node.step.state))


def plan_card(told: JobPlanned, style: Style) -> QFrame:
    """Show how a plan stands."""
    card = QFrame()
    card.setProperty("look", "card")
    column = QVBoxLayout(card)
    column.setContentsMargins(2 * GRID, GRID + GRID // 2, 2 * GRID, GRID + GRID // 2)
    column.setSpacing(GRID // 2)
    column.addWidget(label(_head(told.stage)))
    column.addWidget(label(bounds(told.plan), "muted"))
    if len(told.plan.steps) > 1:
        column.addWidget(PlanGraph(graph_of(told.plan), style))
    column.addSpacing(GRID // 2)
    for number, step in enumerate(told.plan.steps, start=1):
        line = label(step_line(step, number))
        line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        about = label(step_about(step), "failed" if TONES[step.state] == "failed" else "muted")
        about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        about.setIndent(2 * GRID)
        column.addWidget(line)
        column.addWidget(about)
    return card


def _head(stage: PlanStage) -> str:
    match stage:
        case PlanStage.PROPOSED:
            return tr("The plan, waiting for a yes")
        case PlanStage.REJECTED:
            return tr("The plan that was rejected")
        case _:
            return tr("The plan")


def _path(line: Line) -> QPainterPath:
    """Curves between columns, level through them."""
    first, *rest = line.points
    path = QPainterPath(QPointF(*first))
    before = first
    for number, (x, y) in enumerate(rest):
        if number % 2:
            path.lineTo(x, y)
        else:
            middle = (before[0] + x) / 2
            path.cubicTo(middle, before[1], middle, y, x, y)
        before = x, y
    return path
