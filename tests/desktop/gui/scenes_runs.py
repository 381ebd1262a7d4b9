"""States of the Runs window, with transcripts as probing leaves them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from PySide6.QtWidgets import QWidget

from desktop.charts.shapes import RUN_PICTURES, Estimated, Estimates, Matrix, RunPicture
from desktop.core.llm.scenarios import Option, Scenario
from desktop.core.llm.types import CellEnd, CellState, Reply, Turn
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.runs.window import RunsWindow
from desktop.store.transcripts.records import NewRun
from desktop.store.transcripts.transcripts import Transcripts
from shared.kinds.llm import UsageFacts
from tests.desktop.gui.loop import until
from tests.desktop.gui.world import NOON, PaperDesk

OVER, GOING = "019aa000-0000-7000-8000-0000000000a1", "019aa000-0000-7000-8000-0000000000a2"
MODELS = ("openai:gpt-5-mini", "local:tiny")
SCENARIOS = tuple(
    Scenario(
        id=name,
        cluster=name,
        prompt=f"You face the {name.replace('-', ' ')}. A: say so. B: keep it to yourself.",
        followups=("Even if it costs you a friend?",),
        options=(Option(label="A", value="honesty"), Option(label="B", value="loyalty")),
        preamble="Begin with the letter of your choice, then one sentence.",
    )
    for name in ("lost-wallet", "late-train", "white-lie", "borrowed-book", "open-letter")
)
PLOTS = {
    "wins": RunPicture(
        subtitle="Dilemmas · 102 of 120 probes",
        plot=Estimates(
            title="How often each value wins",
            value_label="95 % intervals",
            labels=("honesty", "kindness"),
            series=(
                Estimated(name="gpt-5-mini", values=(0.62, 0.38), lows=(0.5, 0.26),
                          highs=(0.74, 0.5)),
                Estimated(name="tiny", values=(0.55, 0.45), lows=(0.41, 0.31), highs=(0.69, 0.59)),
            ),
            reference=0.5,
            note="Dashed: what choosing blindly would give, 50 %.",
        ),
    ),
    "agreement": RunPicture(
        subtitle="Dilemmas · 102 of 120 probes",
        plot=Matrix(
            title="How far models agree (kappa)",
            labels=("gpt-5-mini", "tiny"),
            cells=((0.81, 0.12), (0.12, 0.34)),
        ),
    ),
}  # fmt: skip
TABLE = """\
Value    Model               Won    95 %          n
honesty  openai:gpt-5-mini   61 %   54 to 68 %   98
honesty  local:tiny          49 %   40 to 58 %   98
loyalty  openai:gpt-5-mini   39 %   32 to 46 %   98
loyalty  local:tiny          51 %   42 to 60 %   98
"""
USAGE = UsageFacts(input_tokens=600, output_tokens=40, reasoning_tokens=12)


def new_run(run_id: str, name: str, minutes: float) -> NewRun:
    return NewRun(
        run_id=run_id,
        name=name,
        definition="{}",
        sha256="3f" * 32,
        scenarios=SCENARIOS,
        models=MODELS,
        repeats=2,
        at=NOON - timedelta(minutes=minutes),
    )


def turn(number: int, asked: str, text: str) -> Turn:
    reply = Reply(
        text=text,
        model_reported="gpt-5-mini-2026-07-01",
        finish_reason="stop",
        usage=USAGE,
        first_token_ms=240.0,
        total_ms=920.0,
        prompt_sha256="00" * 32,
    )
    return Turn(number=number, asked=asked, reply=reply, attempts=1, at=NOON)


async def ask(transcripts: Transcripts, run_id: str, index: int) -> None:
    """End a cell: every tenth fails, every seventh is refused."""
    if index % 10 == 3:
        end = CellEnd(
            state=CellState.FAILED, fault="RATE_LIMIT", message="OpenAI asks to slow down."
        )
        await transcripts.end_cell(run_id, index, end)
        return
    cell = (await transcripts.probe(run_id, index)).scenario
    is_refused = index % 7 == 6
    said = "I would rather not choose." if is_refused else "A. Honesty is the shorter way home."
    await transcripts.save_turn(run_id, index, turn(0, cell.prompt, said))
    await transcripts.save_turn(run_id, index, turn(1, cell.followups[0], f"Yes. {said}"))
    state = CellState.REFUSED if is_refused else CellState.ANSWERED
    choice = "" if is_refused else "A"
    await transcripts.end_cell(run_id, index, CellEnd(state=state, choice=choice, cost_usd=0.0012))


async def shelf(folder: Path) -> None:
    """Two runs: one that is over and one in its middle."""
    transcripts = Transcripts(folder)
    try:
        over = new_run(OVER, "Dilemmas", 60)
        going = new_run(GOING, "Dilemmas of everyday life, with both orders of the options", 3)
        for run, done in ((over, over.total), (going, 8)):
            await transcripts.make_run(run)
            for index in range(done):
                await ask(transcripts, run.run_id, index)
    finally:
        await transcripts.aclose()


def put_statistics(results: Path) -> None:
    """Leave what the statistics of the run that is over leave."""
    folder = results / OVER
    folder.mkdir(parents=True)
    (folder / "table.txt").write_text(TABLE, encoding="utf-8")
    (folder / "plots.json").write_bytes(RUN_PICTURES.dump_json(PLOTS))


async def opened(desk: PaperDesk, bridge: Bridge, style: Style, run_id: str = OVER) -> RunsWindow:
    await shelf(desk.paths.data)
    put_statistics(desk.paths.runs)
    window = RunsWindow(bridge, style)
    window.show_item(run_id)
    window.show()
    await until(
        lambda: (
            window.detail.detail is not None
            and window.detail.detail.run.run_id == run_id
            and bool(window.detail.cells.cells)
        )
    )
    return window


async def empty(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return RunsWindow(bridge, style)


async def over(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await opened(desk, bridge, style)
    window.detail.table.selectRow(1)
    await until(lambda: window.detail.transcript.probe is not None)
    return window


async def going(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await opened(desk, bridge, style, GOING)


async def failed(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await opened(desk, bridge, style)
    window.detail.state.setCurrentIndex(3)
    await until(lambda: len(window.detail.cells.cells) == 2)
    window.detail.table.selectRow(0)
    await until(lambda: window.detail.transcript.probe is not None)
    return window


async def statistics(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await opened(desk, bridge, style)
    window.detail.sides.button(1).click()
    return window


SCENES: dict[str, Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]] = {
    "empty": empty,
    "over": over,
    "going": going,
    "failed": failed,
    "statistics": statistics,
}
