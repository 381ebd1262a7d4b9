"""llm.stats as the worker runs it: from the transcripts to files, words and pictures."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.charts.shapes import RUN_PICTURES
from desktop.core.llm.types import CellEnd, CellState
from desktop.jobs.llm.statistics import run
from desktop.jobs.llm.stats.report import Report
from desktop.store.transcripts import forgetting, opening, writing
from shared.errors import NotFound
from shared.jobs import Origin
from shared.kinds.llm import StatsInputs
from shared.times import to_ms
from tests.desktop.jobs.fake_context import FakeContext, context_of
from tests.desktop.store.transcripts.world import NOW, RUN, failed, new_run, turn

pytestmark = pytest.mark.usefixtures("qapp")
PNG = b"\x89PNG\r\n\x1a\n"
SECRET = "because my neighbour told me so"


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    """A worker whose transcripts hold one run: 80 cells, of which three failed."""
    made = context_of(tmp_path)
    database = opening.open_to_write(made.data_folder, NOW)

    def fill(connection: object) -> None:
        new = new_run(scenarios=20, repeats=2)
        writing.make_run(connection, new)  # type: ignore[arg-type]
        for index in range(new.total):
            end = CellEnd(state=CellState.ANSWERED, choice="A" if index % 3 else "B")
            end = failed() if index < 3 else end
            writing.save_turn(connection, RUN, index, turn(text=SECRET))  # type: ignore[arg-type]
            writing.end_cell(connection, RUN, index, end, to_ms(NOW))  # type: ignore[arg-type]

    database.submit(fill).result()
    database.close()
    return made


def results(context: FakeContext) -> Path:
    return opening.results_of(context.data_folder, RUN)


def test_a_run_becomes_a_sentence_files_and_pictures(context: FakeContext) -> None:
    output = run(context, StatsInputs(run=RUN))

    assert output.headline.startswith("dilemmas: 77 of 80 answered; ")
    assert (output.run, output.n, output.total) == (RUN, 77, 80)
    assert any("rest on 77 of 80" in note for note in output.notes)
    assert {path.name for path in results(context).iterdir()} == set(output.files)
    report = Report.model_validate_json((results(context) / "report.json").read_bytes())
    assert report.counts.failed == 3
    shown = RUN_PICTURES.validate_json((results(context) / "plots.json").read_bytes())
    assert shown["wins"].subtitle.startswith("dilemmas · 77 of 80")
    for name in output.files:
        if name.endswith(".png"):
            assert (results(context) / name).read_bytes().startswith(PNG)
        if name.endswith(".svg"):
            assert "<svg" in (results(context) / name).read_text()
    assert {"wins.png", "rates.svg", "agreement.png"} <= set(output.files)
    assert "value wins" in output.table
    assert context.stages == ["reckoning", "drawing"]


def test_the_result_has_win_rates_with_their_intervals(context: FakeContext) -> None:
    wins = run(context, StatsInputs(run=RUN)).wins
    assert {one.value for one in wins} == {"honesty", "care"}
    for one in wins:
        assert one.rate.low <= one.rate.share <= one.rate.high
        assert one.rate.count == round(one.rate.share * one.rate.n)


def test_what_models_said_is_in_no_file_and_no_word(context: FakeContext) -> None:
    output = run(context, StatsInputs(run=RUN))
    assert SECRET not in output.model_dump_json()
    for path in results(context).iterdir():
        assert SECRET.encode() not in path.read_bytes()


def test_a_second_time_writes_the_same(context: FakeContext) -> None:
    first = run(context, StatsInputs(run=RUN))
    before = {path.name: path.read_bytes() for path in results(context).iterdir()}
    second = run(context, StatsInputs(run=RUN))
    assert second == first
    assert {path.name: path.read_bytes() for path in results(context).iterdir()} == before


def test_without_a_name_it_is_the_newest_run(context: FakeContext) -> None:
    assert run(context, StatsInputs()).run == RUN


@pytest.mark.parametrize("origin", [Origin.CHAT, Origin.GROUP])
def test_who_asked_in_a_chat_gets_pictures(context: FakeContext, origin: Origin) -> None:
    context.origin = origin
    run(context, StatsInputs(run=RUN))
    assert [name for _, name in context.sent] == [
        "dilemmas wins.png", "dilemmas agreement.png", "dilemmas rates.png"
    ]  # fmt: skip
    for path, _ in context.sent:
        assert path.parent == context.workdir
        assert path.read_bytes().startswith(PNG)


def test_a_picture_of_no_failures_is_not_worth_a_message(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    database = opening.open_to_write(context.data_folder, NOW)
    database.submit(lambda connection: writing.make_run(connection, new_run())).result()
    database.close()
    run(context, StatsInputs(run=RUN))
    assert not context.sent


@pytest.mark.parametrize("origin", [Origin.LOCAL, Origin.API])
def test_nobody_else_has_files_leave(context: FakeContext, origin: Origin) -> None:
    context.origin = origin
    run(context, StatsInputs(run=RUN))
    assert not context.sent


def test_an_owner_who_lets_nothing_leave_is_obeyed_and_named(context: FakeContext) -> None:
    context.may_send = False
    output = run(context, StatsInputs(run=RUN))
    assert not context.sent
    assert "lets no files leave" in output.notes[-1]


def test_a_run_that_is_not_there_is_told(context: FakeContext) -> None:
    with pytest.raises(NotFound) as caught:
        run(context, StatsInputs(run="nobody"))
    assert caught.value.code == "run_unknown"


def test_a_purged_run_leaves_no_figures(context: FakeContext) -> None:
    run(context, StatsInputs(run=RUN))
    assert forgetting.forget(context.data_folder, [RUN], NOW) == 1
    assert not results(context).exists()


def test_a_run_in_which_nothing_was_answered_has_figures_all_the_same(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    database = opening.open_to_write(context.data_folder, NOW)
    new = dataclasses.replace(new_run(), name="=cmd()\x1b[31m")
    database.submit(lambda connection: writing.make_run(connection, new)).result()
    database.close()

    output = run(context, StatsInputs(run=RUN))

    assert "none of 6 probes was answered" in output.headline
    assert "\x1b" not in output.headline
    assert json.loads((results(context) / "report.json").read_text())["counts"]["open"] == 6


def test_it_needs_nothing_heavy() -> None:
    """Pictures need Qt, figures numpy; scipy, pandas and a provider's library would be a second."""
    code = (
        "import sys, desktop.jobs.llm.statistics\n"
        "heavy = {'scipy', 'pandas', 'pydantic_ai', 'openai', 'yaml', 'PySide6', 'sklearn'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == ""
