"""Every event has its words, and the words are the ones of the stories."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from hub.core.placement import Waiting, WaitingReason
from hub.core.view import FrontendCapabilities, Progress, Tone, degraded
from hub.frontends.facts import Facts
from hub.frontends.history import sentence
from hub.frontends.question_words import question_view
from hub.frontends.wording import error_view, progress_view, view_of
from shared.capabilities import Lacking
from shared.errors import BadInput, ErrorBody
from shared.events import (
    AccountLinked,
    AnswerGiven,
    AnswerSuperseded,
    BrowserSignedIn,
    BrowserSignedOut,
    CancelAsked,
    EndedBecause,
    EventBody,
    FilesArrived,
    FilesMissed,
    JobCancelled,
    JobCancelRequested,
    JobDied,
    JobFailed,
    JobGranted,
    JobInterrupted,
    JobLogged,
    JobParked,
    JobPlanned,
    JobQueued,
    JobResumed,
    JobStarted,
    JobSucceeded,
    JoinRequested,
    JoinSettled,
    KeyMade,
    KeyRevoked,
    LateResult,
    MessageSaid,
    PairingPaused,
    PartSettled,
    PersonAdmitted,
    PersonLocked,
    PersonUnlocked,
    PurgeAsked,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    RequestRefused,
    RetryAsked,
    RoleChanged,
    ScheduleAsked,
    ScheduleChanged,
    ScheduleMissed,
    ScheduleRan,
    SessionEnded,
    SessionOpened,
    SettingChanged,
    TaskChanged,
    TaskCreated,
    TaskPurged,
    TaskRequested,
    WebhookChanged,
    WorkerBack,
    WorkerLost,
    WorkerMistrusted,
    WorkerOffers,
    WorkerPaired,
    WorkerRevoked,
)
from shared.ids import (
    ConversationId,
    JobId,
    PersonId,
    QuestionId,
    ScheduleId,
    SessionId,
    TaskId,
    WebhookId,
    WorkerId,
    short,
)
from shared.jobs import JobState
from shared.kinds import FileRef, JsonObject
from shared.plan import PlanStage, ShownPlan, ShownStep, StepState
from shared.questions import Answer, Asking, Choice, QuestionKind
from shared.schedules import ScheduleFacts

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
JOB = JobId("019aa000-0000-7000-8000-000000000001")
TASK = TaskId("019aa000-0000-7000-8000-000000000002")
QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
JOIN = "019aa000-0000-7000-8000-00000000000a"
PART = JobId("019aa000-0000-7000-8000-0000000000ee")
WORKER = WorkerId("019aa000-0000-7000-8000-000000000004")
HOOK = WebhookId("019aa000-0000-7000-8000-00000000000b")
FILE = Asking(
    key="file",
    kind=QuestionKind.CLARIFICATION,
    text="Which file?",
    choices=(
        Choice(value="/d/sales.csv", label="sales.csv", detail="2.1 MB · yesterday"),
        Choice(value="/d/churn.xlsx", label="churn.xlsx"),
    ),
)
FAILURE = ErrorBody(
    code="worker_lost", message="The disk is full.", hint="Free some space.", retryable=True
)
FACTS = Facts(
    now=NOW,
    job_id=JOB,
    kind="ml.train",
    title="train churn.csv",
    machine="anna-pc",
    asking=FILE,
    failure=FAILURE,
    reader="anna",
    zone=UTC,
)
RESULT: JsonObject = {
    "headline": "Churn model ready: AUC 0.85 ± 0.01 (always guessing: 0.50).",
    "notes": ["Strongest: Contract, tenure."],
    "model": {
        "model_id": "m1", "name": "churn", "task": "binary", "target": "Churn", "metric": "AUC",
        "score": 0.85, "score_spread": 0.01, "baseline": 0.5, "rows": 7043, "columns": 19,
        "created_at": "2026-11-21T14:30:00Z", "seconds": 41, "complete": True,
    },
}  # fmt: skip


PLAN = ShownPlan(
    goal="Sum up the report",
    steps=(
        ShownStep(id="read", number=1, title="Read the report", kind="files.read", worker="anna-pc",
                  state=StepState.DONE),
        ShownStep(id="sum", number=2, title="Sum it up", kind="llm.ask", depends_on=("read",),
                  state=StepState.RUNNING),
    ),
    seconds=180,
    cost_usd=0.4,
)  # fmt: skip
SESSION = SessionId("019aa000-0000-7000-8000-00000000000c")
ENDS: tuple[tuple[EndedBecause, str], ...] = (
    ("idle", ""), ("age", ""), ("person", ""), ("person", "anna on Telegram"),
    ("worker_lost", ""), ("worker_revoked", "anna on Telegram"), ("task_purged", "anna"),
)  # fmt: skip
SENT = FileRef(
    name="churn_new.predictions.csv", sha256="ab12cd34" * 8, size_bytes=54_321,
    media_type="text/csv",
)  # fmt: skip


def queued(reason: str, **more: object) -> JobQueued:
    return JobQueued.model_validate(
        {"job_id": JOB, "task_id": TASK, "kind": "ml.train", "title": "t", "attempt": 1,
         "reason": reason, **more}
    )  # fmt: skip


PLANNED = ScheduleFacts(
    schedule_id=ScheduleId("0198f3c2-7a10-7c3e-9d41-5b2f6a7c8d91"), words="/predict churn new.csv",
    when="every weekday at 8:00", cron="0 8 * * 1-5", zone="Europe/Vienna",
    next_at=NOW + timedelta(days=1),
)  # fmt: skip
HELD = PLANNED.model_copy(
    update={"next_at": None, "paused": "failing", "why": "It failed 3 times in a row."}
)
EVENTS: list[EventBody] = [
    TaskCreated(task_id=TASK, person_id=PersonId("p"), text="/train"),
    *(queued(reason) for reason in ("new", "retry", "requeued", "lost", "answered", "declined")),
    JobGranted(job_id=JOB, attempt=1, fence=1, worker_id=WORKER),
    JobStarted(job_id=JOB, attempt=1, fence=1),
    JobLogged(job_id=JOB, attempt=1, fence=1, lines=("reading",)),
    QuestionAsked(job_id=JOB, attempt=1, fence=1, question_id=QUESTION, asking=FILE),
    QuestionAnswered(
        question_id=QUESTION, job_id=JOB, answer=Answer(value="/d/sales.csv", by="anna on Telegram")
    ),
    QuestionParked(question_id=QUESTION, job_id=JOB),
    JobResumed(job_id=JOB, attempt=1, fence=1, question_id=QUESTION),
    JobParked(job_id=JOB, attempt=1, fence=1, question_id=QUESTION),
    JobSucceeded(job_id=JOB, attempt=1, fence=1, result=RESULT, running_seconds=41.2),
    JobFailed(job_id=JOB, attempt=1, fence=1, error=FAILURE),
    JobFailed(job_id=JOB, attempt=1, fence=1,
              error=ErrorBody(code="x", message="It has 1 column.", hint="Add one.")),
    JobDied(job_id=JOB, error=FAILURE),
    JobCancelRequested(job_id=JOB, by="anna on Telegram"),
    JobCancelled(job_id=JOB, attempt=1, fence=1),
    JobInterrupted(job_id=JOB, attempt=1, fence=1, reason="It was killed",
                   touched=("It may have pushed.",)),
    LateResult(job_id=JOB, attempt=1, outcome="succeeded"),
    WorkerPaired(worker_id=WORKER, name="anna-pc"),
    FilesArrived(job_id=JOB, files=(SENT,)),
    FilesMissed(job_id=JOB, files=(SENT,)),
    WorkerLost(worker_id=WORKER, name="anna-pc", since=NOW - timedelta(minutes=28)),
    WorkerLost(worker_id=WORKER, name="anna-pc", since=NOW - timedelta(days=1), was_stopped=True,
               jobs=1),
    WorkerLost(worker_id=WORKER, name="anna-pc", since=NOW, jobs=3),
    WorkerBack(worker_id=WORKER, name="anna-pc", since=NOW - timedelta(minutes=28), until=NOW),
    JoinRequested(join_id=JOIN, kind="worker", name="anna-pc", platform="Windows 11",
                  kinds=("ml.train", "ml.predict", "tea.brew"), words="amber falcon"),
    JoinRequested(join_id=JOIN, kind="account", name="Boris", frontend="telegram", account="4711"),
    JoinSettled(join_id=JOIN, kind="worker", name="anna-pc", state="approved",
                by="anna on Telegram"),
    JoinSettled(join_id=JOIN, kind="worker", name="anna-pc", state="rejected",
                by="anna on Telegram"),
    JoinSettled(join_id=JOIN, kind="worker", name="anna-pc", state="expired"),
    WorkerRevoked(worker_id=WORKER, name="studio-mac", by="anna on Telegram"),
    AccountLinked(frontend="telegram", account="4711", name="Anna",
                  conversation=ConversationId("telegram:4711")),
    PersonAdmitted(frontend="telegram", conversation=ConversationId("telegram:4711")),
    PairingPaused(tries=30, addresses=7, minutes=15),
    queued("moved"),
    PersonLocked(person_id=PersonId("p"), by="anna on Telegram"),
    PersonUnlocked(person_id=PersonId("p"), by="the hub's owner"),
    TaskRequested(task_id=TASK, job_id=JOB, kind="ml.train", text="train it"),
    AnswerGiven(question_id=QUESTION, job_id=JOB, value="/d/sales.csv"),
    CancelAsked(job_id=JOB),
    RetryAsked(job_id=JOB),
    RequestRefused(job_id=JOB, request="retry_asked", error=FAILURE, by=WORKER),
    AnswerSuperseded(question_id=QUESTION, job_id=JOB, value="/d/sales.csv",
                     by="anna on Telegram",
                     counted=Answer(value="/d/churn.csv", by="anna on anna-pc")),
    SettingChanged(name="language", value="en"),
    PurgeAsked(task_id=TASK),
    TaskPurged(task_id=TASK, job_ids=(JOB,), by="anna on anna-pc"),
    WorkerMistrusted(worker_id=WORKER, name="anna-pc", code="event_forged"),
    MessageSaid(task_id=TASK, job_id=JOB, text="Take the newer one next time.",
                by="anna on the web", where="web"),
    *(WebhookChanged(webhook_id=HOOK, host="hooks.example.org", change=change,
                     by="anna on Telegram")
      for change in ("created", "updated", "rotated", "deleted")),
    WebhookChanged(webhook_id=HOOK, host="hooks.example.org", change="stopped", reason="gone"),
    WebhookChanged(webhook_id=HOOK, host="hooks.example.org", change="stopped", reason="failing"),
    KeyMade(key_id=JOIN, name="ci", scope="enqueue", by="anna on the web"),
    KeyRevoked(key_id=JOIN, name="ci", scope="enqueue", by="anna on the web"),
    BrowserSignedIn(sign_in_id=JOIN, browser="Firefox on Linux", address="192.0.2.7"),
    BrowserSignedOut(sign_in_id=JOIN, browser="Firefox on Linux", by="anna on the web"),
    RoleChanged(person_id=PersonId("p"), role="owner", by="anna on the web"),
    SessionOpened(session_id=SESSION, task_id=TASK, worker_id=WORKER),
    *(SessionEnded(session_id=SESSION, task_id=TASK, worker_id=WORKER, reason=reason, by=by)
      for reason, by in ENDS),
    TaskChanged(task_id=TASK, title="another title", by="anna on the web"),
    ScheduleAsked(schedule_id=PLANNED.schedule_id, action="pause"),
    *(ScheduleChanged(schedule=PLANNED, change=change, by="anna on the web")
      for change in ("created", "paused", "resumed", "deleted")),
    ScheduleChanged(schedule=HELD, change="paused"),
    ScheduleRan(schedule=PLANNED, task_id=TASK, due_at=NOW),
    ScheduleRan(schedule=PLANNED, task_id=TASK, due_at=NOW, by="anna on the web"),
    ScheduleRan(schedule=PLANNED, task_id=TASK, due_at=NOW, missed=3,
                because="hub_off"),
    ScheduleRan(schedule=PLANNED, task_id=TASK, due_at=NOW, missed=1,
                because="running"),
    ScheduleMissed(schedule=PLANNED, reason="hub_off", missed=2),
    ScheduleMissed(schedule=PLANNED, reason="running"),
    ScheduleMissed(schedule=PLANNED, reason="refused", error=FAILURE),
    *(JobPlanned(job_id=JOB, attempt=1, fence=1, stage=stage, plan=PLAN) for stage in PlanStage),
    PartSettled(job_id=PART, part_of=JOB, state=JobState.DEAD, error=FAILURE),
    WorkerOffers(worker_id=WORKER, name="anna-pc", kinds=("plan", "llm.ask")),
]  # fmt: skip


def test_the_table_of_events_is_complete() -> None:
    assert {type(body) for body in EVENTS} == set(get_args(EventBody))


@pytest.mark.parametrize("body", EVENTS, ids=lambda body: body.type)
def test_every_event_has_a_line_in_the_history(body: EventBody) -> None:
    told = sentence(body, FACTS)
    assert told
    assert "!" not in told
    assert JOB not in told


@pytest.mark.parametrize("body", EVENTS, ids=lambda body: body.type)
def test_what_a_chat_is_told_has_no_ids_and_no_excitement(body: EventBody) -> None:
    view = view_of(body, FACTS)
    if view is not None:
        for text in (view.text, view.settles):
            assert JOB not in text
            assert "!" not in text
            assert text == text.strip()
            assert "  " not in text
            assert ".." not in text


SAID = [
    (EVENTS[4], "anna-pc restarted while training. Training again from the start (it changes "
                "nothing else)."),
    (queued("retry", not_before=NOW + timedelta(seconds=20)),
     "Training on anna-pc failed: The disk is full. Trying again in 20 s."),
    (EVENTS[11], "Which file?\nAnswered by you on Telegram: sales.csv"),
    (EVENTS[15], "Churn model ready: AUC 0.85 ± 0.01 (always guessing: 0.50).\n"
                 "Strongest: Contract, tenure."),
    (EVENTS[17], "⚠ Training on anna-pc failed. It has 1 column. Add one."),
    (EVENTS[18], "⚠ Training on anna-pc failed after 3 tries. The disk is full. Free some space."),
    (EVENTS[20], f"Cancelled: train churn.csv #{short(JOB)}."),
    (EVENTS[21], "anna-pc stopped while training. It was killed. It may have pushed."),
    (EVENTS[23], "✓ anna-pc is ready. Say what you want in your own words, or try /train; /help "
     "lists the rest."),
    (EVENTS[24], "From anna-pc:"),
    (EVENTS[25], "⚠ churn_new.predictions.csv did not come from anna-pc within a day. "
                 "Ask again when it is online."),
    (EVENTS[26], "anna-pc is asleep or offline since 14:02. /jobs keeps what is queued."),
    (EVENTS[27], "anna-pc was stopped (yesterday 14:30). /jobs keeps what is queued. "
                 "1 job stays with it; the result comes when it is back."),
    (EVENTS[28], "anna-pc is asleep or offline since 14:30. /jobs keeps what is queued. "
                 "3 jobs stay with it; the results come when it is back."),
    (EVENTS[29], "anna-pc is back (was away 14:02 to 14:30)."),
    (EVENTS[30], "anna-pc (Windows 11; can train, predict) wants to join. "
                 "Check words: amber falcon."),
    (EVENTS[31], "Boris (4711 on Telegram) wants to use this hub."),
    (EVENTS[32], "✓ anna-pc was let in by you on Telegram."),
    (EVENTS[33], "anna-pc was turned away by you on Telegram."),
    (EVENTS[34], "anna-pc was not let in: nobody answered in time."),
    (EVENTS[35], "studio-mac was shown out by you on Telegram. /connect pairs it anew."),
    (EVENTS[36], "Anna now speaks for you on Telegram."),
    (EVENTS[37], "You were let in. /start says what this is, /connect adds a computer."),
    (EVENTS[38], "⚠ Somebody tries pairing codes: 30 wrong ones in a minute from 7 addresses. "
                 "Pairing by code is paused for 15 minutes; connected computers are not touched."),
    (EVENTS[51], "⚠ anna-pc sends reports with a wrong signature: somebody else may use its token. "
                 "They are not counted. Show it out with /disconnect, and pair it anew with "
                 "/connect."),
    (EVENTS[52], f"About train churn.csv #{short(JOB)}, you on the web: "
                 "Take the newer one next time."),
    (WorkerPaired(worker_id=WORKER, name="fleet", pulls=True, is_fleet=True),
     "You may use this hub's fleet now: what your own computers have no room for may run there. "
     "/worker fleet tells what it can do."),
    (WorkerRevoked(worker_id=WORKER, name="fleet", by="the hub's settings", is_fleet=True),
     "This hub's settings let you use its fleet no more; your computers stay."),
]  # fmt: skip


@pytest.mark.parametrize(("body", "text"), SAID, ids=lambda value: getattr(value, "type", ""))
def test_events_are_told_in_these_words(body: EventBody, text: str) -> None:
    view = view_of(body, FACTS)
    assert view is not None
    assert view.text == text


WAITS = [
    (Waiting(reason=WaitingReason.WORKER_OFFLINE, kind="ml.train", worker="anna-pc",
             since=NOW - timedelta(minutes=28)),
     "anna-pc is asleep or offline (last seen 14:02). Queued; starts when it is back."),
    (Waiting(reason=WaitingReason.PAUSED, kind="ml.train", worker="anna pc"),
     'anna pc is paused. Queued; /worker "anna pc" resume lets it start.'),
    (Waiting(reason=WaitingReason.NO_WORKER, kind="ml.train"),
     "No computer is connected. Queued; starts when one is. /connect pairs one."),
    (Waiting(reason=WaitingReason.KIND_MISSING, kind="ml.train", worker="anna-pc",
             lacking=Lacking(kind="ml.train", command="deskhand setup ml", download_mb=150)),
     "anna-pc has no training tools. On anna-pc run: deskhand setup ml (about 150 MB). Queued "
     "until then."),
    (Waiting(reason=WaitingReason.KIND_MISSING, kind="x.y", worker="anna-pc",
             alternatives=("studio-mac",), lacking=Lacking(kind="x.y", command="get y")),
     "anna-pc has no tools for x.y. On anna-pc run: get y. Queued until then."),
    (Waiting(reason=WaitingReason.KIND_MISSING, kind="ml.train"),
     "None of your computers can do this (ml.train). Queued until one can."),
    (Waiting(reason=WaitingReason.TOOLS_MISSING, kind="code.bugfix", worker="anna-pc",
             missing=("codex", "rust"), had=("builtin", "git", "python")),
     "This asks for codex and rust, which anna-pc does not have; it has builtin, git, python. "
     "On anna-pc, deskhand agents tells how to get it. Queued until then."),
    (Waiting(reason=WaitingReason.BUSY, kind="ml.train", worker="anna-pc", ahead=2),
     "Queued, behind 2 other jobs; starts when anna-pc has room."),
    (Waiting(reason=WaitingReason.BUSY, kind="ml.train", worker="anna-pc", ahead=0),
     "Queued; starts when anna-pc has room."),
    (Waiting(reason=WaitingReason.ALL_OFFLINE, kind="ml.train", worker="anna-pc",
             since=NOW - timedelta(days=1)),
     "None of your computers is online. anna-pc was seen last, yesterday 14:30. Queued; starts "
     "when one is back."),
]  # fmt: skip


@pytest.mark.parametrize(("waiting", "text"), WAITS, ids=lambda value: getattr(value, "reason", ""))
def test_a_queued_job_says_what_it_waits_for(waiting: Waiting, text: str) -> None:
    view = view_of(queued("new"), replace(FACTS, waiting=waiting))
    assert view is not None
    assert view.text == text
    moves = [f"/move {JOB} {name}" for name in waiting.alternatives]
    assert [button.says for button in view.buttons] == [*moves, f"/cancel {JOB}"]


@pytest.mark.parametrize("reason", WaitingReason)
def test_every_reason_to_wait_is_a_sentence(reason: WaitingReason) -> None:
    waiting = Waiting(reason=reason, kind="ml.train", worker="anna-pc", detail="It is on battery.")
    view = view_of(queued("new"), replace(FACTS, waiting=waiting))
    assert view is not None
    assert view.text[0].isupper() or view.text.startswith("anna-pc")
    assert view.text.endswith((".", "…"))


def test_a_refusal_is_told_once_nobody_else_can_take_the_job() -> None:
    assert view_of(queued("declined"), FACTS) is None
    starting = Waiting(reason=WaitingReason.STARTING, kind="ml.train", worker="bob-pc")
    assert view_of(queued("declined"), replace(FACTS, waiting=starting)) is None
    refused = Waiting(
        reason=WaitingReason.DECLINED,
        kind="ml.train",
        worker="anna-pc",
        detail="The owner of this machine does not allow ml.train from group.",
    )
    view = view_of(queued("declined"), replace(FACTS, waiting=refused))
    assert view is not None
    assert view.text == (
        "anna-pc cannot take it now. The owner of this machine does not allow ml.train from "
        "group. Queued."
    )


PROGRESS = [
    (Progress(stage="models", done=3, total=5, eta_seconds=18),
     "Training on anna-pc ▓▓▓░░ 3 of 5 models, 18 s left"),
    (Progress(stage="fitting boosting", done=3, total=5),
     "Training on anna-pc ▓▓▓░░ fitting boosting, 60 %"),
    (Progress(stage="reading churn.csv", done=0.4, total=1),
     "Training on anna-pc ▓▓░░░ reading churn.csv, 40 %"),
    (Progress(stage="reading", done=0, total=0), "Training on anna-pc: reading"),
    (Progress(stage="", done=0, total=0), "Training on anna-pc"),
]  # fmt: skip


@pytest.mark.parametrize(("progress", "text"), PROGRESS)
def test_progress_is_one_line(progress: Progress, text: str) -> None:
    view = progress_view(progress, FACTS)
    assert view.text == text
    assert view.subject == f"job:{JOB}"
    assert not view.final


def test_a_question_carries_its_choices_as_buttons_that_answer_it() -> None:
    view = question_view(QUESTION, FILE, FACTS)
    assert view.text == "Which file?"
    assert [button.label for button in view.buttons] == [
        "sales.csv · 2.1 MB · yesterday",
        "churn.xlsx",
    ]
    assert view.buttons[0].says == f"/answer {QUESTION} /d/sales.csv"
    assert view.tone is Tone.ASKING


def test_of_several_open_questions_each_says_whose_it_is() -> None:
    view = question_view(QUESTION, FILE, replace(FACTS, questions_open=2))
    assert view.text == f"train churn.csv #{short(JOB)} asks: Which file?"


def test_without_buttons_the_choices_become_numbered_lines() -> None:
    plain = degraded(question_view(QUESTION, FILE, FACTS), FrontendCapabilities())
    assert plain.text == "Which file?\n1. sales.csv · 2.1 MB · yesterday\n2. churn.xlsx"


def test_a_question_about_a_change_offers_to_show_it_and_its_numbers_still_answer() -> None:
    asking = FILE.model_copy(update={"more": "code.diff"})
    view = question_view(QUESTION, asking, FACTS)
    assert (view.buttons[-1].label, view.buttons[-1].says) == ("Show diff", f"/diff {JOB}")
    plain = degraded(view, FrontendCapabilities())
    assert plain.text.splitlines()[1:] == [
        "1. sales.csv · 2.1 MB · yesterday",
        "2. churn.xlsx",
        f"Show diff: /diff {short(JOB)}",
    ]


def test_a_kind_that_shows_nothing_gets_no_button() -> None:
    asking = FILE.model_copy(update={"more": "files.send"})
    assert len(question_view(QUESTION, asking, FACTS).buttons) == len(FILE.choices)


def test_without_buttons_other_offers_become_commands_to_type() -> None:
    view = view_of(EVENTS[18], FACTS)
    assert view is not None
    plain = degraded(view, FrontendCapabilities())
    assert plain.text.endswith(f"Free some space.\nTry again: /retry {short(JOB)}")


def test_somebody_elses_answer_names_them() -> None:
    body = QuestionAnswered(
        question_id=QUESTION, job_id=JOB, answer=Answer(value="/d/churn.xlsx", by="ben on Discord")
    )
    view = view_of(body, FACTS)
    assert view is not None
    assert view.text == "Which file?\nAnswered by ben on Discord: churn.xlsx"
    assert view.subject == f"question:{QUESTION}"


def test_the_last_word_is_a_message_of_its_own_and_settles_the_status() -> None:
    view = view_of(EVENTS[15], FACTS)
    assert view is not None
    assert (view.final, view.tone, view.subject) == (True, Tone.DONE, f"job:{JOB}")
    assert view.settles == "✓ Training on anna-pc took 41 s."
    assert [button.says for button in view.buttons] == ["/model m1 plot", "/predict m1"]


def test_a_result_of_a_kind_nobody_knows_is_shown_by_its_headline() -> None:
    body = JobSucceeded(
        job_id=JOB, attempt=1, fence=1, result={"headline": "Brewed 2 cups."}, running_seconds=3
    )
    told = view_of(body, replace(FACTS, kind="tea.brew"))
    assert told is not None
    assert told.text == "Brewed 2 cups."
    empty = view_of(body.model_copy(update={"result": {}}), FACTS)
    assert empty is not None
    assert empty.text == f"Done: train churn.csv #{short(JOB)}."


def test_a_prediction_offers_its_file_by_the_name_of_the_job_and_no_path() -> None:
    result: JsonObject = {
        "headline": "2 rows predicted → new.predictions.csv next to your file.",
        "model_id": "m1", "rows": 2, "written": "new.predictions.csv",
    }  # fmt: skip
    body = JobSucceeded(job_id=JOB, attempt=1, fence=1, result=result, running_seconds=3)
    view = view_of(body, replace(FACTS, kind="ml.predict"))
    assert view is not None
    assert [(button.label, button.says) for button in view.buttons] == [
        ("Send me the file", f"/send #{JOB}"),
        ("First 5 rows", f"/head #{JOB}"),
    ]


def test_files_that_arrived_are_a_message_of_their_own() -> None:
    view = view_of(EVENTS[24], FACTS)
    assert view is not None
    assert (view.subject, view.final, view.job_id) == ("", False, JOB)
    assert [(file.name, file.sha256) for file in view.files] == [(SENT.name, SENT.sha256)]
    assert degraded(view, FrontendCapabilities(files=True)).files == view.files


def test_where_files_cannot_be_sent_a_line_says_how_to_get_them() -> None:
    view = view_of(EVENTS[24], FACTS)
    assert view is not None
    plain = degraded(view, FrontendCapabilities())
    assert plain.text == (
        "From anna-pc:\nchurn_new.predictions.csv · 54 kB: deskhand-hub get ab12cd34"
    )
    assert plain.files == ()


def test_an_error_says_what_happened_and_what_next() -> None:
    view = error_view(BadInput("x", "There is no command /trian.", "Did you mean /train?"))
    assert view.text == "⚠ There is no command /trian. Did you mean /train?"
    assert view.tone is Tone.FAILED


def test_what_took_no_time_is_not_said_to_have_taken_0_s() -> None:
    body = JobSucceeded(job_id=JOB, attempt=1, fence=1, result=RESULT, running_seconds=0.2)
    view = view_of(body, FACTS)
    assert view is not None
    assert view.settles == "✓ Training on anna-pc took less than a second."
