"""What the chat makes of a typed line, of files, links and times: tables, without a window."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.desk.standing import Whereabouts
from desktop.gui.windows.chat import saying
from desktop.gui.windows.chat.bubbles import Side, bubbles_of
from desktop.gui.windows.chat.kinds import (
    Shape,
    fields_of,
    inputs_of,
    kinds_for,
    line_of,
    said,
)
from desktop.gui.windows.chat.links import host_of, links_in
from desktop.gui.windows.chat.places import is_allowed, locate, may_use
from desktop.gui.windows.chat.replies import reply_to
from desktop.gui.windows.chat.times import clock, countdown, span
from desktop.store.copied import QuestionRow, Step
from desktop.store.threads import Message, Talk
from shared.errors import BadInput
from shared.events import EventBody, JobQueued, JobStarted, JobSucceeded, MessageSaid
from shared.ids import JobId, QuestionId, TaskId
from shared.kinds.catalogue import BUILT_IN, kind_named
from shared.questions import Asking, Choice, QuestionKind
from tests.desktop.gui.scenes_chat import PUSH, ZONE

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TRAIN = kind_named("ml.train")


def row_of(asking: Asking, *, given: str = "", state: str = "open", value: str = "") -> QuestionRow:
    return QuestionRow(
        question_id=QuestionId("q"),
        job_id=JobId("j"),
        asking=asking,
        state=state,
        asked_at=NOON,
        expires_at=NOON + timedelta(minutes=30),
        value=value,
        answered_by="anna on Telegram" if value else "",
        answered_at=NOON if value else None,
        given=given,
    )


@pytest.mark.parametrize(
    ("typed", "kind", "values"),
    [
        ("/train flights.csv arrival", "ml.train", {"file": "flights.csv", "target": "arrival"}),
        ("train arrival flights.csv", "ml.train", {"file": "flights.csv", "target": "arrival"}),
        ("TRAIN 'my table.csv'", "ml.train", {"file": "my table.csv"}),
        ("predict 3 new.csv", "ml.predict", {"model": "3", "file": "new.csv"}),
        ("predict file=new.csv", "ml.predict", {"file": "new.csv"}),
        ("model 2 plot", "ml.model", {"model": "2", "plot": "true"}),
        ("train seed=7 a.csv", "ml.train", {"seed": "7", "file": "a.csv"}),
        (r"train C:\tables\a.csv", "ml.train", {"file": r"C:\tables\a.csv"}),
        ("train 'an open quote", "ml.train", {"file": "'an", "target": "open",
                                             "budget_seconds": "quote"}),
        ("data.describe a.csv", "data.describe", {"file": "a.csv"}),
    ],
)  # fmt: skip
def test_a_typed_line_is_a_verb_and_what_it_needs(
    typed: str, kind: str, values: dict[str, str]
) -> None:
    heard = said(typed)
    assert heard.kind is not None
    assert (heard.kind.name, dict(heard.values)) == (kind, values)


@pytest.mark.parametrize(
    "typed",
    ["summarize the report", "describe what happened in sales last year", "какие риски видны?"],
)
def test_a_sentence_is_a_task_to_be_planned(typed: str) -> None:
    heard = said(typed)
    assert heard.kind is not None
    assert (heard.kind.name, dict(heard.values)) == ("plan", {"task": typed})


def test_a_command_with_many_words_stays_one() -> None:
    heard = said("train sales.csv Revenue budget_seconds=60 name=x seed=3")
    assert heard.kind is not None
    assert heard.kind.name == "ml.train"


@pytest.mark.parametrize("typed", ["", "/", "trainer x", "'"])
def test_a_line_without_a_verb_asks_for_nothing(typed: str) -> None:
    assert said(typed).kind is None


def test_verbs_are_found_by_their_beginning_before_other_words() -> None:
    assert kinds_for("/tra")[0].name == "ml.train"
    assert kinds_for("xyzzy") == ()
    assert kinds_for("") == tuple(kind for kind in BUILT_IN.values() if kind.is_offered)


def test_every_field_of_every_kind_can_be_shown() -> None:
    for kind in BUILT_IN.values():
        for field in fields_of(kind):
            assert field.label
            assert (field.shape is Shape.CHOICE) == bool(field.choices)


def test_only_what_was_filled_in_becomes_an_input() -> None:
    texts = {"file": " a.csv ", "target": "", "budget_seconds": "30", "seed": "0", "name": ""}
    inputs = inputs_of(TRAIN, texts)
    assert inputs == {"file": "a.csv", "budget_seconds": 30.0}
    assert line_of(TRAIN, inputs) == "train a.csv"
    assert inputs_of(kind_named("ml.model"), {"model": "2", "plot": "true"}) == {
        "model": "2", "plot": True,
    }  # fmt: skip


def test_an_input_that_cannot_be_is_refused_before_it_is_asked_for() -> None:
    with pytest.raises(BadInput, match="budget_seconds"):
        inputs_of(TRAIN, {"budget_seconds": "soon"})


@pytest.mark.parametrize(
    ("text", "value"),
    [("Push and open a pull request", "push_pr"), ("only PUSH", "push"), ("push", None),
     ("1", None), ("Push and", None), ("yes", None)],
)  # fmt: skip
def test_consent_is_never_guessed(text: str, value: str | None) -> None:
    reply = reply_to((row_of(PUSH),), text)
    assert (reply.value if reply.row else None) == value


def test_a_line_answers_only_where_one_question_is_open() -> None:
    one = row_of(ZONE)
    assert reply_to((one,), "local").value == "local"
    assert reply_to((), "local").row is None
    assert reply_to((one, one), "local").row is None


def test_what_was_asked_without_a_hub_was_asked_before_it_began() -> None:
    """The hub that adopts it writes down when it heard of it."""
    began = Step(
        step_id=1, job_id=JobId("j"), at=NOON, device="pc", machine="pc", type="job_started",
        body=JobStarted(job_id=JobId("j"), attempt=1, fence=1),
    )  # fmt: skip
    talk = Talk(
        task_id=TaskId("t"), text="train", said_at=NOON + timedelta(minutes=2), jobs=(),
        messages=(Message(step=began, question=None),), has_older=False, has_newer=False, open=(),
        last_step=1,
    )  # fmt: skip
    assert bubbles_of(talk, Whereabouts())[0].at == NOON


@pytest.mark.parametrize(
    ("asking", "minutes", "told"),
    [
        (ZONE, 2, "Takes UTC in 28 min."),
        (ZONE, 31, "Its time is up: it takes UTC."),
        (PUSH, 2, "In 28 min it is put aside and waits for you."),
        (PUSH, 31, "It waits for you, without taking up a computer."),
    ],
)
def test_a_deadline_says_what_happens_then(asking: Asking, minutes: int, told: str) -> None:
    assert saying.deadline(row_of(asking), NOON + timedelta(minutes=minutes)) == told


def test_labels_of_answers_lose_what_acts() -> None:
    asking = Asking(
        key="k", kind=QuestionKind.CHOICE, text="?",
        choices=(Choice(value="a", label="A\u202e\x1b\nB"),),
    )  # fmt: skip
    assert saying.label_of(asking, "a") == "A\ufffd\ufffd B"


def step(body: EventBody) -> Step:
    return Step(
        step_id=1, job_id=JobId("j"), at=NOON, device="w", machine="anna-pc", type=body.type,
        body=body,
    )  # fmt: skip


def test_a_result_that_fits_no_shape_is_told_all_the_same() -> None:
    odd = JobSucceeded.model_validate(
        {
            "job_id": "j", "attempt": 1, "fence": 1, "running_seconds": 1,
            "result": {"headline": 7, "notes": "no list", "files": [1, "a.csv"]},
        }
    )  # fmt: skip
    output = saying.result_of(odd)
    assert (output.headline, output.notes, output.files) == ("Done", (), ("a.csv",))
    assert saying.sentence(step(odd)) == "Done"


def test_why_a_job_waits_and_where_it_runs_is_said() -> None:
    def queued(reason: str, at: datetime | None = None) -> str:
        body = JobQueued.model_validate(
            {
                "job_id": "j", "task_id": TaskId("t"), "kind": "k", "title": "t", "attempt": 2,
                "reason": reason, "not_before": at,
            }
        )  # fmt: skip
        return saying.sentence(step(body))

    assert queued("new") == "Queued"
    assert queued("retry") == "Queued again, try 2"
    assert queued("retry", NOON + timedelta(minutes=3)).startswith("Try 2 comes at ")
    assert queued("moved") == "Given to another computer"
    again = JobStarted(job_id=JobId("j"), attempt=2, fence=1)
    assert saying.sentence(step(again)) == "Runs on anna-pc, try 2"
    unknown = replace(step(again), body=None)
    assert "update" in saying.sentence(unknown)


@pytest.mark.parametrize(
    ("seconds", "told", "counted"),
    [(0, "0 s", "0 s"), (59, "59 s", "59 s"), (61, "1 min", "2 min"), (1680, "28 min", "28 min"),
     (7200, "2 h", "2 h"), (200_000, "2 d", "2 d")],
)  # fmt: skip
def test_spans_are_told_in_their_largest_unit(seconds: int, told: str, counted: str) -> None:
    assert span(seconds) == told
    assert countdown(seconds) == counted


def test_moments_are_told_by_the_clock_today_and_with_their_day_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert clock(NOON, NOON + timedelta(hours=3)) == "12:00"
    assert clock(NOON, NOON + timedelta(days=1)) == "2026-11-20 12:00"


def test_links_are_web_addresses_as_they_are_looked_up() -> None:
    text = "see https://example.org/a?b=1. javascript:alert(1) file:///etc http://аррӏе.com/x"
    found = links_in(text)
    assert found[0] == "https://example.org/a?b=1"
    assert len(found) == 2
    assert host_of(found[1]).startswith("xn--")
    assert links_in("https:// http://") == ()


def test_files_of_results_are_found_only_by_plain_names_in_allowed_folders(
    tmp_path: Path,
) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    for folder in (allowed / "deep", other):
        folder.mkdir(parents=True)
    for path in (allowed / "deep" / "a.csv", allowed / "top.csv", other / "b.csv"):
        path.write_text("x", encoding="utf-8")
    (allowed / "link.csv").symlink_to(other / "b.csv")
    names = ("a.csv", "top.csv", "b.csv", "link.csv", "../other/b.csv", "gone.csv")
    hints = (str(allowed / "deep" / "in.csv"), str(other / "in.csv"), "//server/x/in.csv", "\0")
    assert locate(names, hints, (str(allowed),)) == {
        "a.csv": allowed / "deep" / "a.csv", "top.csv": allowed / "top.csv",
    }  # fmt: skip
    assert locate(("a.csv",), ("deep/in.csv",), (str(allowed),)).keys() == {"a.csv"}


def test_a_file_may_be_used_when_it_lies_in_an_allowed_folder(tmp_path: Path) -> None:
    folder = tmp_path / "allowed"
    folder.mkdir()
    assert is_allowed(folder / "x" / ".." / "a.csv", (str(folder),))
    assert not is_allowed(folder / ".." / "a.csv", (str(folder),))
    assert may_use("sales.csv", ())
    assert not may_use(str(folder / "a.csv"), ())


def test_what_was_said_elsewhere_on_a_task_is_a_message_of_its_person() -> None:
    body = MessageSaid(
        task_id=TaskId("t"), job_id=JobId("j"), text="Take the newer one.",
        by="anna on the web", where="web",
    )  # fmt: skip
    talk = Talk(
        task_id=TaskId("t"), text="", said_at=None, jobs=(),
        messages=(Message(step=step(body), question=None),),
        has_older=False, has_newer=False, open=(), last_step=1,
    )  # fmt: skip
    [bubble] = bubbles_of(talk, Whereabouts())
    assert (bubble.side, bubble.who, bubble.text) == (
        Side.PERSON, "anna on the web", "Take the newer one.",
    )  # fmt: skip
