"""A conversation on a terminal and in a pipe, byte by byte."""

from __future__ import annotations

import io

import pytest

from hub.core.view import Button, Progress, Tone, View
from hub.frontends.transcript import Transcript
from shared.ids import JobId, QuestionId

JOB = JobId("019aa000-0000-7000-8000-000000000001")
QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
ASKED = View(
    text="Which file?",
    tone=Tone.ASKING,
    buttons=(Button(label="a.csv · 2 MB", says="/answer q a"), Button(label="b.csv", says="b")),
    subject=f"question:{QUESTION}",
    question_id=QUESTION,
)
ANSWERED = View(text="Which file?\nAnswered by you: a.csv", tone=Tone.DONE, subject=ASKED.subject)


class Screen(io.StringIO):
    """A terminal that remembers what was written to it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


def running(done: float, stage: str = "models") -> View:
    return View(
        text=f"Training on anna-pc {done:.0f} of 10 {stage}",
        tone=Tone.RUNNING,
        buttons=(Button(label="Stop", says=f"/cancel {JOB}"),),
        subject=f"job:{JOB}",
        progress=Progress(stage=stage, done=done, total=10),
        job_id=JOB,
    )


def test_a_pipe_gets_labels_and_numbered_choices() -> None:
    pipe = io.StringIO()
    transcript = Transcript(pipe)
    transcript.say("you", "/train")
    transcript.show("m1", ASKED)
    assert pipe.getvalue() == (
        "\nyou ▸ /train\nhub ▸ Which file?\n      1. a.csv · 2 MB\n      2. b.csv\n"
    )


def test_a_pipe_gets_no_escape_sequences_and_only_steps_that_matter() -> None:
    pipe = io.StringIO()
    transcript = Transcript(pipe)
    for done in range(11):
        transcript.show("m1", running(done))
    transcript.show("m1", running(0, "plots"))
    lines = pipe.getvalue().splitlines()
    assert "\x1b" not in pipe.getvalue()
    assert [line.split()[5] for line in lines] == ["0", "3", "6", "9", "0"]


def test_a_terminal_rewrites_the_last_message_in_place() -> None:
    screen = Screen()
    transcript = Transcript(screen)
    transcript.show("m1", running(1))
    transcript.show("m1", running(2))
    first, second = screen.getvalue().split("\x1b[1A\x1b[J")
    assert "1 of 10" in first
    assert "2 of 10" in second
    assert "stops it" in second


def test_a_terminal_does_not_rewrite_what_is_further_up() -> None:
    screen = Screen()
    transcript = Transcript(screen)
    transcript.show("m1", running(1))
    transcript.show("m2", View(text="Something else."))
    transcript.show("m1", running(2))
    assert "\x1b[1A" not in screen.getvalue()


def test_what_a_person_typed_stays_where_it_is() -> None:
    screen = Screen()
    transcript = Transcript(screen)
    transcript.show("m1", running(1))
    transcript.spoken()
    transcript.show("m1", running(2))
    assert "\x1b[1A" not in screen.getvalue()


def test_ones_own_answer_is_not_echoed_but_anothers_is_told() -> None:
    pipe = io.StringIO()
    transcript = Transcript(pipe)
    transcript.show("m1", ASKED)
    transcript.say("you", "a.csv")
    transcript.show("m1", ANSWERED)
    assert "Answered by" not in pipe.getvalue()
    transcript.show("m2", ASKED)
    transcript.show("m2", ANSWERED)
    assert "Answered by" in pipe.getvalue()


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured, plain = Screen(), Screen()
    Transcript(coloured).show("m1", ASKED)
    monkeypatch.setenv("NO_COLOR", "1")
    Transcript(plain).show("m1", ASKED)
    assert "\x1b[35mhub ▸\x1b[0m Which file?" in coloured.getvalue()
    assert "\x1b[35m" not in plain.getvalue()


def test_long_lines_are_wrapped_under_their_first() -> None:
    pipe = io.StringIO()
    Transcript(pipe).show("m1", View(text="word " * 40))
    lines = pipe.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert all(line.startswith("      word") for line in lines[1:])


def test_words_of_others_cannot_steer_the_terminal() -> None:
    screen = Screen()
    evil = "sales\x1b]0;owned\x07\x1b[2J\u202efdp.csv"
    view = View(
        text=f"Which file?\n{evil}",
        tone=Tone.ASKING,
        buttons=(Button(label=f"{evil}\n 2. b.csv", says="/answer q a"),),
        question_id=QUESTION,
    )
    Transcript(screen).show("one", view)
    Transcript(screen).note(evil)
    written = screen.getvalue()
    assert "]0;owned" in written
    assert not {"\x07", "\u202e"} & set(written)
    assert "\x1b]" not in written
    assert "\x1b[2J" not in written
    assert "\n 2. b.csv" not in written


def test_the_line_of_progress_goes_when_a_job_ends_badly() -> None:
    screen = Screen()
    transcript = Transcript(screen)
    transcript.show("m1", running(1))
    settled = View(text="Training has ended.", tone=Tone.FAILED, subject=f"job:{JOB}", job_id=JOB)
    transcript.show("m1", settled)
    assert "has ended" not in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[1A\x1b[J")
