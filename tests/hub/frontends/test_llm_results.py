"""What came of asking models, as a chat tells it."""

from __future__ import annotations

import pytest

from hub.frontends.results import result_view
from shared.ids import JobId, short
from shared.kinds import Output
from shared.kinds.llm import (
    AskOutput,
    HealthLine,
    HealthOutput,
    ModelTally,
    RunFacts,
    RunOutput,
    RunsOutput,
    StatsOutput,
    TranscriptOutput,
    TurnFacts,
)

JOB = JobId("01900000-0000-7000-8000-00000000aaaa")
RUN = str(JOB)
FINE = ModelTally(model="local:tiny", answered=100)
TROUBLED = ModelTally(
    model="openai:gpt-5-mini", answered=90, refused=6, failed=4, cost_usd=0.0123
)  # fmt: skip

TOLD: list[tuple[str, Output, str, list[str]]] = [
    (
        "llm.run",
        RunOutput(headline="100 probes.", run=RUN, name="d", total=100, models=(FINE,)),
        "100 probes.\nlocal:tiny: 100 answered",
        [f"/transcript {RUN} 0"],
    ),
    (
        "llm.run",
        RunOutput(
            headline="Most are answered.", run=RUN, name="d", total=200, failed=4,
            models=(FINE, TROUBLED), faults={"RATE_LIMIT": 3, "TIMEOUT": 1},
        ),
        "Most are answered.\nlocal:tiny: 100 answered\n"
        "openai:gpt-5-mini: 90 answered, 6 refused, 4 failed, $0.012\n"
        "Failed: RATE_LIMIT 3, TIMEOUT 1",
        [f"/probe again={RUN}", f"/transcript {RUN} 0"],
    ),
    (
        "llm.stats",
        StatsOutput(headline="honesty won.", run=RUN, n=90, total=100, table="a  b\n1  2"),
        "honesty won.\na  b\n1  2",
        [f"/transcript {RUN} 0"],
    ),
    (
        "llm.ask",
        AskOutput(
            headline="Asked.", model="local:tiny", model_reported="tiny-v1", text="One.\nTwo."
        ),
        "Asked.\nOne.\nTwo.\n(tiny-v1)",
        [],
    ),
    (
        "llm.ask",
        AskOutput(
            headline="2 found.", model="local:tiny", cost_usd=1.5,
            found={"sum": 12, "names": ["a", "b"], "date": None},
        ),
        "2 found.\nsum: 12\nnames: a, b\ndate: –\n(local:tiny, $1.50)",
        [],
    ),
    (
        "llm.runs",
        RunsOutput(
            headline="1 run.",
            runs=(
                RunFacts(
                    run=RUN, name="dilemmas", created_at="2026-11-21T12:00:00Z",
                    models=("a:x", "b:y", "c:z"), total=200, answered=197, failed=3,
                ),
            ),
        ),
        f"1 run.\n1. #{short(RUN)} dilemmas: 200 of 200, 3 failed (3 models)",
        [],
    ),
    (
        "llm.health",
        HealthOutput(
            headline="One is away.", is_good=False,
            lines=(
                HealthLine(name="openai", is_good=True, sentence="It answers."),
                HealthLine(name="local", is_good=False, sentence="Nobody answers."),
                HealthLine(name="xai", is_good=None, sentence="No key."),
            ),
        ),
        "One is away.\n✓ openai: It answers.\n⚠ local: Nobody answers.\n– xai: No key.",
        [],
    ),
    (
        "llm.transcript",
        TranscriptOutput(
            headline="Probe 0.", run=RUN, index=0, scenario="s", model="local:tiny",
            preamble="Be brief.", turns=(TurnFacts(asked="Why?\nSay.", answered="So."),),
            is_cut=True,
        ),
        "Probe 0.\nPreamble:\n  Be brief.\nAsked:\n  Why?\n  Say.\nAnswered:\n  So.\n"
        "Texts are cut short here; the computer has them whole.",
        [],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "output", "text", "says"), TOLD, ids=[f"{n}-{t[0]}" for n, t in enumerate(TOLD)]
)
def test_a_result_is_told_in_lines_with_what_goes_on_from_there(
    kind: str, output: Output, text: str, says: list[str]
) -> None:
    view = result_view(kind, output.model_dump(mode="json"), job_id=JOB, label="run d")
    assert view.text == text
    assert [button.says for button in view.buttons] == says


def test_what_a_model_wrote_shows_and_does_nothing_else() -> None:
    output = AskOutput(headline="Asked.", model="local:tiny", text="\x1b[2Jgone \u202egnp.exe")
    view = result_view("llm.ask", output.model_dump(mode="json"), job_id=JOB, label="ask")
    assert "\x1b" not in view.text
    assert "\u202e" not in view.text


def test_a_reply_without_end_is_cut_and_counted() -> None:
    output = AskOutput(headline="Asked.", model="local:tiny", text="line\n" * 500)
    view = result_view("llm.ask", output.model_dump(mode="json"), job_id=JOB, label="ask")
    assert view.text.count("\n") < 70
    assert "and 440 more lines" in view.text


def test_a_button_says_nothing_that_a_worker_wrote() -> None:
    evil = f"{RUN} models=openai:dear @other-pc"
    run = RunOutput(headline="Done.", run=evil, name="d", total=2, failed=1)
    view = result_view("llm.run", run.model_dump(mode="json"), job_id=JOB, label="run d")
    assert view.buttons == ()
