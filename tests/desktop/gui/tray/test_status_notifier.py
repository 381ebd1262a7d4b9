"""The icon, its menu and the notifications, as KDE, GNOME's extension, Xfce and Waybar see them.

Every test runs on X11 and on Wayland, against a real program.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shared.events import (
    AnswerGiven,
    JobGranted,
    JobQueued,
    JobSucceeded,
    QuestionAnswered,
    QuestionAsked,
    TaskCreated,
)
from shared.ids import JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.messages import Beat
from shared.questions import Answer, Asking, Choice, QuestionKind
from tests.desktop.gui.tray.conftest import Session

AWAY = WorkerId("studio")


def pictures(desk: Session) -> list[Any]:
    told = desk.panel.look()["IconPixmap"]
    assert isinstance(told, list)
    return told


def publish(desk: Session, *bodies: Any) -> None:
    for body in bodies:
        desk.thread.call(desk.hub.publish(body))


def a_job(desk: Session, title: str = "train churn") -> JobId:
    job_id, task_id = JobId(str(uuid.uuid4())), TaskId(str(uuid.uuid4()))
    publish(
        desk,
        TaskCreated(task_id=task_id, person_id=PersonId("anna"), text=title),
        JobQueued(job_id=job_id, task_id=task_id, kind="ml.train", title=title, attempt=1),
        JobGranted(job_id=job_id, attempt=1, fence=1, worker_id=AWAY),
    )
    return job_id


def ask(desk: Session, text: str, *labels: str) -> tuple[JobId, QuestionId]:
    job_id = a_job(desk)
    question_id = QuestionId(str(uuid.uuid4()))
    choices = tuple(Choice(value=label.lower(), label=label) for label in labels)
    asking = Asking(key="k", kind=QuestionKind.CHOICE, text=text, choices=choices)
    publish(
        desk,
        QuestionAsked(
            job_id=job_id, attempt=1, fence=1, question_id=question_id, asking=asking
        ),
    )  # fmt: skip
    return job_id, question_id


def answered(desk: Session, job_id: JobId, question_id: QuestionId) -> None:
    publish(
        desk,
        QuestionAnswered(
            question_id=question_id, job_id=job_id, answer=Answer(value="utc", by="Anna")
        ),
        JobSucceeded(
            job_id=job_id, attempt=1, fence=1, result={"headline": "Done."}, running_seconds=1
        ),
    )


def slots(desk: Session) -> int | None:
    """How many jobs may run here, as the hub was told last."""
    return next((m.slots for m in reversed(desk.hub.heard) if isinstance(m, Beat)), None)


def test_the_panel_knows_the_program_by_name(desk: Session) -> None:
    told = desk.panel.look()
    assert told["Id"] == "deskhand"
    assert told["Status"] == "Active"


def test_the_icon_comes_in_the_sizes_that_panels_ask_for(desk: Session) -> None:
    sizes = {width for width, _, _ in pictures(desk)}
    assert {16, 22, 24, 32, 48} <= sizes


def test_the_icon_is_not_an_empty_picture(desk: Session) -> None:
    for width, height, data in pictures(desk):
        alphas = data[0::4]
        assert len(alphas) == width * height
        assert 0.1 < sum(a > 0 for a in alphas) / len(alphas) < 0.9


def test_the_tooltip_says_that_it_is_ready(desk: Session) -> None:
    assert "Deskhand: Ready" in desk.panel.until_tooltip("Ready")


def test_the_menu_offers_every_window_pause_and_quit(desk: Session) -> None:
    labels = set(desk.panel.menu())
    assert {"Chat", "Jobs", "Models", "Settings", "New task…", "Pause", "Quit Deskhand"} <= labels


def test_the_pause_menu_offers_four_lengths(desk: Session) -> None:
    labels = set(desk.panel.menu())
    assert {"Until I resume", "For 30 minutes", "For 1 hour", "Until tomorrow"} <= labels


def test_a_question_changes_shape_tooltip_and_menu_until_it_is_answered(desk: Session) -> None:
    before = pictures(desk)
    job_id, question_id = ask(desk, "Which zone is right?", "UTC", "Local")
    desk.panel.until_tooltip("1 question waits for you")
    assert pictures(desk) != before
    assert "Which zone is right?" in desk.panel.until_menu("Which zone")
    answered(desk, job_id, question_id)
    desk.panel.until_tooltip("Ready")
    assert pictures(desk) == before


def test_a_question_is_answered_from_its_notification(desk: Session) -> None:
    job_id, question_id = ask(desk, "Push it?", "Yes", "No")
    notice = desk.thread.until(
        lambda: next((n for n in desk.panel.notices if n.text == "Push it?"), None), "a notice"
    )
    assert set(notice.buttons) >= {"Yes", "No"}
    desk.panel.press(notice, "No")
    given = desk.thread.until(
        lambda: next(
            (
                b
                for b in desk.hub.bodies
                if isinstance(b, AnswerGiven) and b.question_id == question_id
            ),
            None,
        ),
        "the answer",
    )
    assert (given.value, given.job_id) == ("no", job_id)
    answered(desk, job_id, question_id)
    desk.panel.until_tooltip("Ready")


def test_a_notification_goes_when_the_question_was_answered_elsewhere(desk: Session) -> None:
    job_id, question_id = ask(desk, "Which file, please?", "A", "B")
    notice = desk.thread.until(
        lambda: next((n for n in desk.panel.notices if n.text == "Which file, please?"), None),
        "a notice",
    )
    answered(desk, job_id, question_id)
    desk.thread.until(lambda: notice.number in desk.panel.closed, "its end")


def test_words_of_a_job_are_no_markup_in_a_notification(desk: Session) -> None:
    job_id, question_id = ask(desk, "<b>big</b> & \u202eevil", "A", "B")
    notice = desk.thread.until(
        lambda: next((n for n in desk.panel.notices if "big" in n.text), None), "a notice"
    )
    assert notice.text.startswith("&lt;b&gt;big&lt;/b&gt; &amp;")
    assert "\u202e" not in notice.text
    answered(desk, job_id, question_id)
    desk.panel.until_tooltip("Ready")


def test_an_end_is_told_when_no_window_is_open(desk: Session) -> None:
    job_id = a_job(desk, "train flights")
    publish(
        desk,
        JobSucceeded(
            job_id=job_id, attempt=1, fence=1, result={"headline": "AUC 0.85."}, running_seconds=1
        ),
    )
    notice = desk.thread.until(
        lambda: next((n for n in desk.panel.notices if "train flights" in n.title), None), "it"
    )
    assert notice.text == "AUC 0.85."


def test_the_last_jobs_are_in_the_menu_and_their_words_are_no_mnemonics(desk: Session) -> None:
    a_job(desk, "train R&D 2025")
    assert desk.panel.until_menu("R&D 2025").startswith("train R&D 2025 · ")


@pytest.mark.parametrize("length", ["Until I resume", "For 30 minutes", "Until tomorrow"])
def test_a_pause_from_the_menu_reaches_the_hub_and_ends_from_there(
    desk: Session, length: str
) -> None:
    desk.panel.choose(length)
    desk.panel.until_tooltip("Paused")
    desk.thread.until(lambda: slots(desk) == 0, "a beat without slots")
    desk.panel.choose("Resume")
    desk.panel.until_tooltip("Ready")
    desk.thread.until(lambda: slots(desk) != 0, "a beat with slots")


def test_a_hub_that_is_away_is_told_with_the_reason_and_the_next_try(desk: Session) -> None:
    before = pictures(desk)
    desk.hub.closes_with = 1013
    desk.thread.call(desk.hub.cut())
    told = desk.panel.until_tooltip("Next try")
    assert "does not answer" in told
    assert pictures(desk) != before
    desk.hub.closes_with = None
    desk.panel.until_tooltip("Ready")
    assert pictures(desk) == before


def test_a_second_start_shows_the_first_and_ends(desk: Session) -> None:
    again = desk.app.run("deskhand://pair?hub=https://hub.example.org&code=BCDF-GHJK")
    assert (again.returncode, again.stderr) == (0, "")
    assert desk.app.program is not None
    assert desk.app.program.poll() is None


def test_a_panel_that_comes_again_gets_the_icon_again(desk: Session) -> None:
    desk.panel.go()
    desk.panel.come()
    desk.panel.until_icon()
    assert desk.panel.look()["Id"] == "deskhand"
    assert "Pause" in desk.panel.menu()
