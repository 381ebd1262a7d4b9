"""Questions to real tables, answered by code that a scripted model wrote, in a real box."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.types import Endpoint
from desktop.jobs.analysis.analyze import run
from desktop.jobs.llm.house import House
from shared.errors import AppError
from shared.jobs import Origin
from shared.kinds.data import AnalyzeInputs
from tests.desktop.jobs.data.made import public
from tests.desktop.jobs.fake_shared import FakeShared, shared_of
from tests.desktop.jobs.llm.room import CLOUD, LOCAL, Speaker
from tests.llm_servers.scripted import MODEL, running

boxed = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
pytestmark = [pytest.mark.slow]

CODE = """
```python
by = df.groupby("species")["bill_len"].agg(["mean", "count"]).round(2).reset_index()
out.table("Bill length by species", by)
out.number("Rows without a length", int(df["bill_len"].isna().sum()))
out.bar("Mean bill length by species", by["species"], by["mean"], y_label="mm")
out.scatter("Length and depth", df["bill_len"], df["bill_dep"], x_label="mm", y_label="mm")
```"""
ANSWER = "Chinstraps have the longest bills, 48.83 mm on average; Adelies the shortest, 38.8 mm."


def room(
    tmp_path: Path,
    says: Callable[[str, str], str | LlmFault],
    replies: Mapping[str, str] | None = None,
) -> FakeShared:
    context = shared_of(
        tmp_path, replies, endpoints=(LOCAL, CLOUD), keys={"OPENAI_API_KEY": "sk-1"}
    )
    context.kept[House] = House(lambda: {"OPENAI_API_KEY": "sk-1"}, Speaker(says))
    context.origin = Origin.LOCAL
    table = public("modeldata", "penguins").rename(
        columns={"bill_length_mm": "bill_len", "bill_depth_mm": "bill_dep"}
    )
    table.to_csv(context.folders[0] / "penguins.csv", index=False)
    return context


def scripted(*answers: str) -> Callable[[str, str], str]:
    told: Iterator[str] = iter(answers)
    return lambda model, question: next(told)


INPUTS = AnalyzeInputs(file="penguins.csv", question="Whose bills are longest?", model="local:tiny")


@boxed
async def test_a_question_is_answered_with_tables_and_pictures(tmp_path: Path) -> None:
    context = room(tmp_path, scripted(CODE, ANSWER))
    context.origin = Origin.CHAT
    told = await run(context, INPUTS)
    assert told.text == ANSWER
    assert told.unfounded == ()
    assert told.headline == "local:tiny analyzed 'penguins': 1 table, 1 number, 2 charts."
    (table,) = told.tables
    assert table.columns == ("species", "mean", "count")
    assert table.rows[0] == ("Adelie", 38.79, 151)
    assert told.numbers[0].value == 2
    assert told.files == ("chart-1.png", "chart-2.png")
    assert [name for _, name in context.plain.sent] == ["penguins 1.png", "penguins 2.png"]
    kept = context.data_folder / "analyses" / context.job_id
    assert sorted(one.name for one in kept.iterdir() if one.suffix != ".json") == [
        "chart-1.png", "chart-2.png", "code.py", "table-1.csv",
    ]  # fmt: skip
    assert (kept / "chart-1.png").read_bytes().startswith(b"\x89PNG")
    assert not (context.workdir / "box").exists()


@boxed
async def test_a_model_sees_names_and_a_short_look_and_no_rows(tmp_path: Path) -> None:
    context = room(tmp_path, scripted(CODE, ANSWER))
    await run(context, INPUTS)
    first, second = (asked for _, asked in context.kept[House]._speaker.asked)  # type: ignore[attr-defined]
    assert '"bill_len": number' in first
    assert "344 rows" in first
    assert len(first) < 2_000
    assert "Adelie | 38.79 | 151" in second


@boxed
async def test_what_went_wrong_goes_back_to_the_model(tmp_path: Path) -> None:
    wrong = ["```python\ndf['nothing'].mean()\n```", "```python\nx = 1\n```"]
    context = room(tmp_path, scripted(*wrong, CODE, ANSWER))
    told = await run(context, INPUTS)
    assert told.rounds == 3
    assert "third try" in told.headline
    asked = [text for _, text in context.kept[House]._speaker.asked]  # type: ignore[attr-defined]
    assert "KeyError: 'nothing'" in asked[1]
    assert "line 1: df['nothing'].mean()" in asked[1]
    assert "No table and no number" in asked[2]


@boxed
async def test_after_three_rounds_it_is_given_up(tmp_path: Path) -> None:
    context = room(tmp_path, lambda model, question: "```python\n1 / 0\n```")
    with pytest.raises(AppError) as caught:
        await run(context, INPUTS)
    assert caught.value.code == "analysis_failed"
    assert "ZeroDivisionError" in caught.value.message
    assert not (context.workdir / "box").exists()


@boxed
async def test_figures_that_nobody_computed_are_told(tmp_path: Path) -> None:
    invented = "Chinstraps have 48.83 mm, which is 73 % more than in 1911."
    context = room(tmp_path, scripted(CODE, invented, invented))
    told = await run(context, INPUTS)
    assert told.unfounded == ("73 %", "1911")
    assert told.notes[0] == "⚠ Not among the computed numbers: 73 %, 1911."


@boxed
async def test_figures_are_mended_when_the_model_can(tmp_path: Path) -> None:
    context = room(tmp_path, scripted(CODE, "It is 99.9 mm.", ANSWER))
    told = await run(context, INPUTS)
    assert (told.text, told.unfounded) == (ANSWER, ())


@boxed
async def test_what_is_missing_is_asked(tmp_path: Path) -> None:
    context = room(
        tmp_path, scripted(CODE, ANSWER), {"file": "1", "question": "Whose bills are longest?"}
    )
    told = await run(context, AnalyzeInputs(model="local:tiny"))
    assert told.text == ANSWER


@boxed
async def test_nothing_leaves_without_a_yes(tmp_path: Path) -> None:
    context = room(tmp_path, scripted(), {"may_send": "No"})
    with pytest.raises(AppError) as caught:
        await run(context, INPUTS.model_copy(update={"model": "openai:gpt-5-mini"}))
    assert caught.value.code == "sending_refused"
    (asked,) = context.plain.asked
    assert asked.text.startswith("Column names, a short look at the values of 'penguins', and what")


@boxed
async def test_what_is_to_stay_local_is_asked_of_no_model_elsewhere(tmp_path: Path) -> None:
    context = room(tmp_path, scripted())
    with pytest.raises(AppError) as caught:
        await run(context, INPUTS.model_copy(update={"model": "openai:gpt-5-mini", "local": True}))
    assert caught.value.code == "model_not_local"


async def test_without_a_box_no_code_is_run(tmp_path: Path) -> None:
    context = room(tmp_path, scripted())
    context.code = CodeRules(sandbox=SandboxChoice.NONE)
    with pytest.raises(AppError) as caught:
        await run(context, INPUTS)
    assert caught.value.code == "sandbox_needed"
    assert context.kept[House]._speaker.asked == []  # type: ignore[attr-defined]


@boxed
async def test_several_tables_are_joined(tmp_path: Path) -> None:
    code = """```python
a, b = tables["penguins"], tables["islands"]
out.table("t", a.merge(b, on="island").groupby("sea")["island"].count().rename("n"))
```"""
    context = room(tmp_path, scripted(code, "The north has 124."))
    (context.folders[0] / "islands.csv").write_text(
        "island,sea\nBiscoe,south\nDream,north\nTorgersen,south\n"
    )
    told = await run(context, INPUTS.model_copy(update={"files": ("islands.csv",)}))
    assert told.tables[0].rows == (("north", 124), ("south", 220))
    assert told.unfounded == ()


@boxed
async def test_a_table_that_is_none_is_told(tmp_path: Path) -> None:
    context = room(tmp_path, scripted())
    (context.folders[0] / "broken.xlsx").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(AppError) as caught:
        await run(context, INPUTS.model_copy(update={"file": "broken.xlsx"}))
    assert caught.value.code == "table_unreadable"


@boxed
async def test_over_a_real_line_to_a_scripted_server(tmp_path: Path) -> None:
    context = room(tmp_path, scripted())
    with running({"answer": CODE}, {"answer": ANSWER}) as server:
        here = Endpoint(name="here", base_url=server.openai_url, is_local=True)
        context.endpoints = (here,)
        del context.kept[House]
        told = await run(context, INPUTS.model_copy(update={"model": f"here:{MODEL}"}))
        await context.aclose()
    assert told.text == ANSWER
    assert told.usage.output_tokens > 0


@boxed
async def test_a_result_is_never_too_large_to_be_told(tmp_path: Path) -> None:
    code = """```python
for n in range(12):
    out.table(f"t{n}", pd.DataFrame({f"c{k}": ["x" * 200] * 100 for k in range(10)}))
```"""
    context = room(tmp_path, scripted(code, "Nothing to say."))
    told = await run(context, INPUTS)
    assert len(json.dumps(told.model_dump(mode="json")).encode()) < 64_000
