"""States of the Models window, with models as training leaves them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from desktop.desk.models import Models
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.models.compare import Comparison
from desktop.gui.windows.models.window import ModelsWindow
from desktop.jobs.ml.manifest import Source
from shared.events import JobStarted, JobSucceeded, TaskRequested
from shared.ids import JobId
from shared.messages import Progress
from tests.desktop.gui.loop import until
from tests.desktop.gui.world import HERE, PaperDesk
from tests.desktop.jobs.fake_context import FakeContext
from tests.desktop.jobs.ml.test_show import plots_of, stored

CSV = "age,plan,churn,probability\n" + "".join(f"{20 + n},basic,no,0.{n}\n" for n in range(1, 9))


def shelf(desk: PaperDesk) -> None:
    """Put three models where training would, and one that is broken."""
    context = FakeContext(desk.paths.data / "files", desk.paths.data)
    assert context.models_folder == desk.paths.models
    source = Source(name="churn.csv", size_bytes=812_000, sha256="3f" * 32)
    stored(context, hours=50, name="Prices of houses", task="regression")
    stored(context, hours=3, name="Churn", plots=plots_of("binary", columns=4))
    stored(
        context, hours=1, name="Churn of the second quarter", source=source,
        warnings=("column `customerID` looks like an id and was left out",),
        plots=plots_of("binary", columns=9), seconds=41.2,
    )  # fmt: skip
    broken = desk.paths.models / "old-one" / "20240101-000000-aaaaaa"
    broken.mkdir(parents=True)
    (broken / "manifest.json").write_text("{}", encoding="utf-8")


def put(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


async def opened(desk: PaperDesk, bridge: Bridge, style: Style) -> ModelsWindow:
    shelf(desk)
    window = ModelsWindow(bridge, style)
    window.show()
    await until(lambda: window.detail.detail is not None)
    return window


async def empty(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = ModelsWindow(bridge, style)
    window.read()
    return window


async def detail(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await opened(desk, bridge, style)


async def plots(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await opened(desk, bridge, style)
    window.resize(1080, 3000)
    return window


async def broken(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await opened(desk, bridge, style)
    window.view.setCurrentIndex(window.list.index(3, 0))
    return window


async def compare(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    shelf(desk)
    models = Models(desk.paths.models)
    first, second = [e.model_id for e in (await models.entries())[:2]]
    return Comparison(style, await models.detail(first), await models.detail(second))


async def predicting(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await opened(desk, bridge, style)
    job_id = await asked(window, desk)
    await desk.happens(JobStarted(job_id=job_id, attempt=1, fence=1), device=HERE)
    progress = Progress(job_id=job_id, attempt=1, stage="predicting", done=812, total=1409)
    desk._note_progress(progress)
    await until(lambda: window.predicting.bar.maximum() > 0)
    return window


async def predicted(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await opened(desk, bridge, style)
    job_id = await asked(window, desk)
    put(desk.paths.data / "new.predictions.csv", CSV)
    result = {
        "headline": "1,409 rows predicted: new.predictions.csv next to your file.",
        "notes": ["12 rows have values never seen in training."],
        "written": "new.predictions.csv",
    }
    await desk.happens(
        JobStarted(job_id=job_id, attempt=1, fence=1),
        JobSucceeded(job_id=job_id, attempt=1, fence=1, result=result, running_seconds=2),
        device=HERE,
    )
    await until(lambda: window.predicting.table.rowCount() > 0)
    return window


async def deleted(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await opened(desk, bridge, style)
    window.detail.wants.emit("remove")
    await until(window.undo.isVisible)
    await until(lambda: len(window.list.shown) == 3)
    return window


async def asked(window: ModelsWindow, desk: PaperDesk) -> JobId:
    """Ask for the prediction of a file in an allowed folder."""
    file = put(desk.paths.data / "new.csv", "age,plan\n21,basic\n")
    desk.policy = desk.policy.model_copy(update={"folders": (str(desk.paths.data),)})
    window.predict(file)
    await until(lambda: bool(desk.said))
    body = desk.said[-1]
    assert isinstance(body, TaskRequested)
    return body.job_id


SCENES: dict[str, Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]] = {
    "empty": empty,
    "detail": detail,
    "plots": plots,
    "broken": broken,
    "compare": compare,
    "predicting": predicting,
    "predicted": predicted,
    "deleted": deleted,
}
