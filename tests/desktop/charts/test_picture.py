"""The picture for a chat is the picture of the window, and no words in it do any harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from desktop.charts.estimates import percent
from desktop.charts.marks import MARKS, colors_of
from desktop.charts.painter import height_of, paint
from desktop.charts.picture import missing, save
from desktop.charts.shapes import (
    SERIES_SHOWN_MAX,
    AnyPlot,
    Bars,
    Curves,
    Estimated,
    Estimates,
    Grid,
    Histogram,
    Matrix,
    Series,
)
from desktop.charts.sheet import WIDTH
from shared.look import DARK, LIGHT, Tokens

BARS = Bars(
    title="B",
    value_label="drop",
    labels=("age", "plan"),
    values=(0.2, -0.1),
    errors=(0.01, 0.02),
    reference=0.15,
)
CURVES = Curves(
    title="C", x_label="x", y_label="y",
    series=(
        Series(name="model", style="line", x=(0, 0.5, 1), y=(0, 0.8, 1), errors=(0.1, 0.1, 0.1)),
        Series(name="guess", style="reference", x=(0, 1), y=(0, 1)),
        Series(name="rows", style="dots", x=(0.2,), y=(0.3,)),
        Series(name="likely", style="band", x=(0, 1), y=(0, 0.5), upper=(0.2, 0.9)),
    ),
)  # fmt: skip
GRID = Grid(title="G", x_label="p", y_label="t", labels=("no", "yes"), counts=((8, 1), (2, 5)))
HISTOGRAM = Histogram(
    title="H", x_label="p", edges=(0, 0.5, 1), series={"a": (3, 1), "b": (0, 2)}, mark=0.4
)
ESTIMATES = Estimates(
    title="E", value_label="share", labels=("safety", "freedom"), reference=0.5, note="n",
    series=(
        Estimated(name="tiny", values=(0.6, 0.4), lows=(0.5, 0.2), highs=(0.7, 0.5)),
        Estimated(name="tiny2", values=(0.3, None), lows=(0.1, None), highs=(None, None)),
    ),
)  # fmt: skip
MATRIX = Matrix(title="M", labels=("a", "b"), cells=((1, -0.2), (-0.2, None)), note="n")
ALL: list[AnyPlot] = [BARS, CURVES, GRID, HISTOGRAM, ESTIMATES, MATRIX]


def image_of(plot: AnyPlot, tokens: Tokens = LIGHT) -> QImage:
    image = QImage(int(WIDTH), int(height_of(plot)), QImage.Format.Format_RGB32)
    image.fill(QColor(tokens.surface))
    painter = QPainter(image)
    try:
        paint(painter, plot, "of a model", tokens)
    finally:
        painter.end()
    return image


@pytest.mark.parametrize("plot", ALL, ids=lambda plot: plot.form)
def test_the_chats_picture_is_the_windows(
    qapp: QGuiApplication, tmp_path: Path, plot: AnyPlot
) -> None:
    save(plot, tmp_path / "plot.png", subtitle="of a model")
    assert QImage(str(tmp_path / "plot.png")).convertToFormat(
        QImage.Format.Format_RGB32
    ) == image_of(plot)


@pytest.mark.parametrize("plot", ALL, ids=lambda plot: plot.form)
def test_something_is_painted_in_both_looks(qapp: QGuiApplication, plot: AnyPlot) -> None:
    for tokens in (LIGHT, DARK):
        image = image_of(plot, tokens)
        colours = {
            image.pixel(x, y) for x in range(0, 1200, 7) for y in range(0, image.height(), 7)
        }
        assert QColor(tokens.surface).rgb() in colours
        assert len(colours) > 10


@pytest.mark.parametrize(
    "plot",
    [
        Bars(title="", value_label="", labels=(), values=()),
        Bars(title="", value_label="", labels=("a",), values=(0.0,)),
        Curves(title="", x_label="", y_label="", series=()),
        Curves(title="", x_label="", y_label="", x_log=True,
               series=(Series(name="", style="line", x=(0.0,), y=(5.0,)),)),
        Grid(title="", x_label="", y_label="", labels=(), counts=()),
        Histogram(title="", x_label="", edges=(), series={}),
        Histogram(title="", x_label="", edges=(1, 1), series={"a": (1,)}),
        Estimates(title="", value_label="", labels=(), series=()),
        Estimates(title="", value_label="", labels=("a",), series=()),
        Estimates(title="", value_label="", labels=("a",), is_share=False,
                  series=(Estimated(name="", values=(None,), lows=(None,), highs=(None,)),)),
        Matrix(title="", labels=(), cells=()),
        Matrix(title="", labels=("a",), cells=((None,),)),
    ],
    ids=lambda plot: plot.form,
)  # fmt: skip
def test_plots_with_almost_nothing_in_them_can_be_painted(
    qapp: QGuiApplication, plot: AnyPlot
) -> None:
    assert not image_of(plot).isNull()


MANY = Estimates(
    title="E", value_label="share", labels=tuple(f"a long name of value {n}" for n in range(40)),
    series=tuple(
        Estimated(name=f"provider/model-{n}" * 4, values=(0.5,) * 40, lows=(0.4,) * 40,
                  highs=(0.6,) * 40)
        for n in range(20)
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("part", "digits", "told"),
    [(0, 1, "0 %"), (0.0001, 1, "<0.1 %"), (0.025, 1, "2.5 %"), (0.002, 0, "<1 %"),
     (0.61, 0, "61 %"), (0.997, 0, ">99 %"), (1, 0, "100 %")],
)  # fmt: skip
def test_only_nothing_is_none_and_only_all_is_a_hundred(
    part: float, digits: int, told: str
) -> None:
    assert percent(part, digits) == told


def test_a_plot_of_very_much_stays_a_picture_and_shows_a_part(qapp: QGuiApplication) -> None:
    assert height_of(MANY) < 4000
    assert not image_of(MANY).isNull()
    large = Matrix(title="M", labels=("m" * 50,) * 40, cells=((0.5,) * 40,) * 40)
    assert height_of(large) < 1200
    assert not image_of(large).isNull()


def test_series_differ_in_more_than_their_colour() -> None:
    for tokens in (LIGHT, DARK):
        assert len(set(colors_of(tokens))) == len(MARKS) == SERIES_SHOWN_MAX
    assert len(set(MARKS)) == SERIES_SHOWN_MAX


@pytest.mark.parametrize("plot", ALL, ids=lambda plot: plot.form)
def test_a_drawing_has_the_size_and_the_words_of_the_picture(
    qapp: QGuiApplication, tmp_path: Path, plot: AnyPlot
) -> None:
    evil = plot.model_copy(update={"title": "<script>alert(1)</script> & \x1b co"})
    save(evil, tmp_path / "plot.svg", subtitle="of a <b>model</b>")
    root = ElementTree.parse(tmp_path / "plot.svg").getroot()
    assert root.get("viewBox") == f"0 0 1200 {round(height_of(plot))}"
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "desc", "defs", "g", "path", "rect", "text", "polyline",
                     "circle", "ellipse", "polygon"}  # fmt: skip
    words = " ".join(element.text or "" for element in root.iter())
    assert "<script>alert(1)</script> &" in words
    assert "of a <b>model</b>" in words


def test_a_drawing_looks_like_the_picture(qapp: QGuiApplication, tmp_path: Path) -> None:
    save(ESTIMATES, tmp_path / "plot.svg", subtitle="of a model")
    drawn = QImage(1200, int(height_of(ESTIMATES)), QImage.Format.Format_RGB32)
    painter = QPainter(drawn)
    QSvgRenderer(str(tmp_path / "plot.svg")).render(painter)
    painter.end()
    painted = image_of(ESTIMATES)
    differing = sum(
        QColor(drawn.pixel(x, y)).lightness() - QColor(painted.pixel(x, y)).lightness() > 100
        for x in range(0, 1200, 5)
        for y in range(0, drawn.height(), 5)
    )
    assert differing < 0.01 * 240 * drawn.height() / 5


def test_the_same_words_look_the_same_on_every_machine(qapp: QGuiApplication) -> None:
    """The font is ours; a machine without any draws letters all the same."""
    from desktop.charts.sheet import font_of

    assert font_of(30).family() == "DejaVu Sans"
    assert font_of(42).bold()


def test_a_job_paints_without_a_display(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from desktop.charts.picture import save\n"
        "from desktop.charts.shapes import Bars\n"
        "save(Bars(title='t', value_label='v', labels=('a',), values=(1.0,)),"
        " Path(sys.argv[1]), subtitle='s')\n"
        "assert 'PySide6.QtWidgets' not in sys.modules\n"
    )
    path = tmp_path / "plot.png"
    environment = {"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": ""}
    subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=True, timeout=30)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_what_painting_lacks_is_said_with_the_way_to_get_it() -> None:
    library = missing(ModuleNotFoundError("No module named 'PySide6'", name="PySide6"))
    assert "deskhand setup ml" in library.hint
    system = missing(
        ImportError("libEGL.so.1: cannot open shared object file", name="PySide6.QtGui")
    )
    assert "libEGL.so.1" in system.message
    assert "apt install libegl1" in system.hint
