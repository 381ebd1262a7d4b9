"""Where work stands without a hub: what is decided of a job and an answer, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desktop.core.link import LinkState, unreachable
from desktop.desk.holding import paused
from desktop.desk.standing import Line, Whereabouts
from desktop.gui import standing
from desktop.gui.windows.chat.bubbles import bubbles_of
from desktop.store.copied import JobRow, QuestionRow
from desktop.store.copies import LOST
from desktop.store.database import CARE
from desktop.store.pending import Pending
from desktop.store.threads import Talk
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.jobs import JobState
from shared.store_file import disk_full
from tests.desktop.gui.scenes_chat import ZONE
from tests.desktop.gui.world import ELSEWHERE, HERE, NOON

AWAY = Whereabouts(here=HERE, line=LinkState.OFFLINE, hub="Anna's hub")
ONLINE = replace(AWAY, line=LinkState.ONLINE)
WITHOUT_HUB = "Without the hub; it is told later."
KEPT = JobRow(
    number=1,
    job_id=JobId("01900000-0000-7000-8000-000000000001"),
    task_id=TaskId("t"),
    kind="ml.train",
    title="train churn.csv",
    state=JobState.RUNNING,
    attempt=1,
    worker_id=HERE,
    machine="anna-pc",
    created_at=NOON,
    updated_at=NOON,
    started_at=NOON,
    ended_at=None,
    not_before=None,
    error=None,
    cancel_by="",
    is_ours=True,
    headline="",
    asks="",
    is_kept=True,
    is_told=False,
)
TOLD = replace(KEPT, is_told=True)
WAITS = replace(KEPT, state=JobState.QUEUED)
FOR_HUB = replace(WAITS, is_kept=False, machine="", worker_id=WorkerId(""))
FOR_MAC = replace(FOR_HUB, machine="studio-mac", worker_id=ELSEWHERE)
ON_MAC = replace(TOLD, is_kept=False, machine="studio-mac", worker_id=ELSEWHERE)
ENDED = replace(KEPT, state=JobState.SUCCEEDED)


def asked(
    *, given: str = "", state: str = "open", value: str = "", used: bool = False
) -> QuestionRow:
    return QuestionRow(
        question_id=QuestionId("q"),
        job_id=JobId("j"),
        asking=ZONE,
        state=state,
        asked_at=NOON,
        expires_at=NOON + timedelta(minutes=30),
        value=value,
        answered_by="anna on Telegram" if value else "",
        answered_at=NOON if value else None,
        given=given,
        is_used=used,
    )


@pytest.mark.parametrize(
    ("row", "place", "told"),
    [
        (KEPT, AWAY, WITHOUT_HUB),
        (KEPT, ONLINE, ""),
        (TOLD, AWAY, ""),
        (replace(KEPT, state=JobState.ASKING), AWAY, WITHOUT_HUB),
        (ENDED, AWAY, WITHOUT_HUB),
        (ENDED, ONLINE, ""),
        (replace(ENDED, is_told=True), AWAY, ""),
        (WAITS, AWAY, "Waits here until this computer can take it."),
        (WAITS, replace(AWAY, is_full=True), "Waits here until another job has ended."),
        (WAITS, replace(AWAY, held_back=paused(None)), "Waits here. This computer is paused."),
        (replace(WAITS, is_told=True), ONLINE, "Waits here until this computer can take it."),
        (replace(WAITS, worker_id=ELSEWHERE, is_ours=False), AWAY, ""),
        (FOR_HUB, AWAY, "Waits for the hub."),
        (FOR_HUB, ONLINE, "On its way to the hub."),
        (FOR_MAC, AWAY, "For studio-mac, once the hub is back."),
        (replace(FOR_MAC, is_told=True), AWAY, ""),
        (replace(ON_MAC, cancel_by="you"), AWAY, "Stops when studio-mac hears of it."),
        (replace(ON_MAC, cancel_by="you"), ONLINE, "Stops when studio-mac hears of it."),
        (replace(KEPT, cancel_by="you"), AWAY, "Is being stopped."),
        (replace(FOR_MAC, cancel_by="you"), AWAY, "Stops once the hub is back."),
        (replace(FOR_MAC, cancel_by="you"), ONLINE, "Is being stopped."),
        (replace(TOLD, state=JobState.CANCELLED, cancel_by="you"), AWAY, ""),
        (replace(TOLD, state=JobState.INTERRUPTED, replaced_by=JobId("x" * 32 + "0000")), AWAY,
         "Tried again as "),
    ],
    ids=range(23),
)  # fmt: skip
def test_what_a_jobs_state_does_not_say_is_said(row: JobRow, place: Whereabouts, told: str) -> None:
    said = standing.of_job(row, place)
    assert said.startswith(told) if told else not said


@pytest.mark.parametrize(
    ("row", "value", "place", "told"),
    [
        (asked(given="utc"), "utc", ONLINE, "sent, waiting for the hub"),
        (asked(given="utc"), "utc", AWAY, "waits here for the hub"),
        (asked(given="utc", state="parked"), "utc", AWAY, "waits here for the hub"),
        (asked(given="utc", used=True), "utc", AWAY, "used here already, the hub is told later"),
        (asked(given="utc", used=True), "utc", ONLINE, "used here already"),
        (asked(state="answered", value="utc"), "utc", ONLINE, ""),
        (asked(state="answered", value="utc"), "local", ONLINE,
         "came second; UTC by anna on Telegram counts"),
        (asked(state="closed"), "utc", ONLINE, "not needed any more"),
        (asked(), "utc", ONLINE, "not counted"),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_became_of_an_answer_is_said(
    row: QuestionRow, value: str, place: Whereabouts, told: str
) -> None:
    assert standing.of_answer(row, value, place) == told


def line(**given: object) -> Line:
    usual = {"state": LinkState.OFFLINE, "hub": "Anna's hub"}
    return Line(**{**usual, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (line(), "Offline: Anna's hub does not answer. Work goes on here."),
        (line(waiting=1),
         "Offline: Anna's hub does not answer. Work goes on here; 1 change waits."),
        (line(waiting=3, running=2),
         "Offline: Anna's hub does not answer. 2 jobs go on here; 3 changes wait."),
        (line(running=1), "Offline: Anna's hub does not answer. 1 job goes on here."),
        (line(state=LinkState.CONNECTING, waiting=2),
         "Connecting to Anna's hub. Work goes on here; 2 changes wait."),
        (line(next_try_at=datetime(2026, 11, 20, 12, 15, 20, tzinfo=UTC).astimezone()),
         "Offline: Anna's hub does not answer. Work goes on here. Next try at "),
    ],
    ids=range(6),
)  # fmt: skip
def test_a_line_that_is_down_says_what_goes_on_and_what_waits(line: Line, told: str) -> None:
    (notice,) = standing.notices(line, Pending())
    assert notice.text.startswith(told)
    assert notice.action == "Try now"
    assert not notice.window, "its button calls the hub"


def test_nothing_is_said_while_all_is_well() -> None:
    assert not standing.notices(line(state=LinkState.ONLINE, waiting=3), Pending(changes=3))


def test_a_refusal_leads_to_connecting_again() -> None:
    error = unreachable("hub.example.org", "nothing answers at that port")
    (notice,) = standing.notices(line(state=LinkState.REFUSED, error=error), Pending())
    assert notice.window == "pairing"
    assert error.message in notice.text


def test_what_a_newer_program_wrote_leads_to_updates() -> None:
    (notice,) = standing.notices(line(state=LinkState.ONLINE), Pending(newer=2))
    assert notice.text == "2 things here need a newer Deskhand."
    assert (notice.action, notice.window, notice.item) == (
        "Look for updates", "settings", "updates",
    )  # fmt: skip


def test_a_job_that_a_restored_hub_forgot_is_said_at_its_end_and_can_be_tried_again() -> None:
    forgotten = replace(ON_MAC, state=JobState.INTERRUPTED, error=LOST)
    talk = Talk(
        task_id=TaskId("t"), text="train", said_at=NOON, jobs=(TOLD, forgotten), messages=(),
        has_older=False, has_newer=False, open=(), last_step=1,
    )  # fmt: skip
    last = bubbles_of(talk, ONLINE)[-1]
    assert last.text == standing.of_lost(forgotten) != ""
    assert (last.job_id, last.can_retry) == (forgotten.job_id, True)
    assert not standing.of_lost(TOLD)


def test_a_store_in_trouble_is_said_before_anything_else() -> None:
    trouble = disk_full(CARE).body
    first, second = standing.notices(line(trouble=trouble), Pending())
    assert first.text.startswith(trouble.message)
    assert not first.action
    assert second.action == "Try now"
