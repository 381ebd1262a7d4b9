"""Commands that tell: they read the store, whether or not the program runs."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.commands.printing import cells_of, table
from desktop.commands.status import until_when
from desktop.system.paths import find_paths
from shared.errors import AppError
from shared.events import TaskRequested
from shared.ids import TaskId, short
from tests.desktop.command_world import (
    HERE,
    QUESTION,
    STUDIO,
    Profile,
    beside,
    job_id,
    profile,
    running,
)

__all__ = ["profile"]

ROOT = Path(__file__).parents[2]


def test_a_machine_without_a_hub_is_told_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = Profile(find_paths(tmp_path), capsys)
    for command in ("jobs", "questions", "logs", "status", "pause"):
        code, _, complaint = fresh.run(command)
        assert code == 1, command
        assert "belongs to no hub yet" in complaint
    assert json.loads(fresh.answer("status", "--json"))["paired"] is False


def test_the_list_of_jobs_shows_the_newest_first_and_what_came_of_each(profile: Profile) -> None:
    old = profile.queue(1, "churn", minutes=9)
    profile.start(old)
    profile.succeed(old, "AUC 0.85")
    new = profile.queue(2, "sales", minutes=3)
    profile.start(new, STUDIO)
    profile.ask(new)
    lines = profile.answer("jobs").splitlines()
    assert lines[0].split() == ["ID", "STATE", "KIND", "WHAT", "MACHINE", "WHEN"]
    assert lines[1].startswith(f"{short(new)}  asking")
    assert "What should be predicted?" in lines[1]
    assert lines[2].startswith(f"{short(old)}  succeeded")
    assert "AUC 0.85" in lines[2]


def test_parts_of_a_job_are_listed_when_they_are_asked_for(profile: Profile) -> None:
    run = profile.queue(1, "dilemmas", kind="llm.run")
    for number in (2, 3):
        part = job_id(number)
        profile.happens(
            TaskRequested(
                task_id=TaskId(run), job_id=part, kind="llm.probe", title=f"Probe {number - 1}",
                worker_id=HERE, is_kept=True, part_of=run,
            )
        )  # fmt: skip
    profile.succeed(job_id(3), "It chose to wait.")
    assert len(profile.answer("jobs").splitlines()) == 2, "a head, and the run"
    listed = profile.answer("jobs", "--parts", short(run)).splitlines()
    assert [line.split()[0] for line in listed[1:]] == [short(job_id(2)), short(job_id(3))]
    assert "Its parts: 1 queued, 1 succeeded" in profile.answer("job", short(run))
    told = json.loads(profile.answer("jobs", "--parts", run, "--json"))
    assert {one["part_of"] for one in told} == {run}
    assert "has no parts" in profile.answer("jobs", "--parts", job_id(2))


def test_jobs_are_chosen_by_state_words_kind_and_count(profile: Profile) -> None:
    for number in range(1, 5):
        profile.queue(number, f"table {number}", minutes=number)
    one = profile.queue(9, "churn", kind="data.describe")
    profile.start(one)
    profile.log(one, "the needle is here")
    profile.fail(one, "sales.csv is gone.")

    def found(*words: str) -> list[str]:
        return [job["short"] for job in json.loads(profile.answer("jobs", "--json", *words))]

    assert found("--state", "failed") == [short(one)]
    assert found("--search", "needle") == [short(one)]
    assert found("--kind", "data.describe") == [short(one)]
    assert len(found("-n", "3")) == 3
    assert found("--search", "nothing such") == []
    assert "No job fits" in profile.answer("jobs", "--search", "nothing such")


def test_an_empty_list_says_how_to_begin(profile: Profile) -> None:
    assert "deskhand task" in profile.answer("jobs")
    assert profile.answer("questions") == "Nothing is asked.\n"


def test_a_job_is_told_whole(profile: Profile) -> None:
    one = profile.queue(1, "churn")
    profile.start(one)
    profile.log(one, "reading 7,043 rows")
    profile.fail(one, "sales.csv is gone.")
    said = profile.answer("job", f"#{short(one).lower()}")
    for words in ("churn (ml.train) on anna-pc: failed", "please churn", "reading 7,043 rows"):
        assert words in said
    assert "sales.csv is gone. Choose another." in said
    facts = json.loads(profile.answer("job", short(one), "--json"))
    assert facts["id"] == one
    assert facts["error"]["code"] == "file_gone"


def test_a_job_that_is_unknown_is_an_error_in_both_forms(profile: Profile) -> None:
    code, _, complaint = profile.run("job", "ZZZZ")
    assert (code, "deskhand jobs" in complaint) == (1, True)
    code, said, _ = profile.run("job", "ZZZZ", "--json")
    assert (code, json.loads(said)["error"]["code"]) == (1, "job_unknown")


def test_logs_tell_the_end_and_can_be_searched(profile: Profile) -> None:
    one, other = profile.queue(1, "churn"), profile.queue(2, "sales")
    profile.start(one)
    profile.log(one, *(f"line {n}" for n in range(1, 30)))
    profile.start(other)
    profile.log(other, "a needle")
    assert [
        line.split(" ", 1)[1] for line in profile.answer("logs", short(one), "-n", "2").splitlines()
    ] == ["line 28", "line 29"]
    (hit,) = profile.answer("logs", "--search", "needle").splitlines()
    assert hit.endswith(f"#{short(other)} a needle")
    (fact,) = map(json.loads, profile.answer("logs", short(other), "--json").splitlines())
    assert (fact["number"], fact["text"]) == (1, "a needle")


def test_a_log_that_has_ended_is_followed_to_its_end_and_no_further(profile: Profile) -> None:
    one = profile.queue(1, "churn")
    profile.start(one)
    profile.log(one, "first", "last")
    profile.fail(one, "It is gone.")
    assert profile.answer("logs", short(one), "-f", "-n", "1").split()[1:] == ["last"]


def test_what_jobs_say_does_nothing_to_a_terminal(profile: Profile) -> None:
    one = profile.queue(1, "churn\x1b[2J\u202egpj.exe\nsecond")
    profile.start(one)
    profile.log(one, "\x1b]0;title\x07")
    for command in (
        ("jobs",),
        ("job", short(one)),
        ("logs",),
        ("jobs", "--json"),
        ("logs", "--json"),
    ):
        said = profile.answer(*command)
        assert "\x1b" not in said
        assert "\x07" not in said
        assert "\u202e" not in said
    assert len(profile.answer("jobs").splitlines()) == 2


def test_questions_tell_their_answers_and_what_happens_without_one(profile: Profile) -> None:
    one = profile.queue(1, "churn")
    profile.start(one)
    profile.ask(one)
    said = profile.answer("questions")
    assert f"#{short(one)} churn asks: What should be predicted?" in said
    assert "1  Churn" in said
    assert f"deskhand answer {short(one)} VALUE" in said
    (fact,) = json.loads(profile.answer("questions", "--json"))
    assert (fact["id"], fact["choices"][1]["value"]) == (QUESTION, "Tenure")
    assert "1 question waits for you" in profile.answer("status")


async def test_status_tells_what_only_the_running_program_knows(profile: Profile) -> None:
    stopped = json.loads(profile.answer("status", "--json"))
    assert (stopped["running"], stopped["line"]["state"]) == (False, "stopped")
    async with running(profile) as desk:
        await desk.pause()
        _, said, _ = await beside(profile, "status", "--json")
        told = json.loads(said)
        _, sentences, _ = await beside(profile, "status")
    assert (told["running"], told["line"]["state"]) == (True, "online")
    assert told["held_back"]["code"] == "paused"
    assert told["machine"]["name"] == "anna-pc"
    assert str(told["held_back"]["message"]) in sentences


def test_the_policy_is_shown_with_what_the_file_does_not_name(profile: Profile) -> None:
    said = profile.answer("policy")
    assert str(profile.paths.policy) in said
    assert "careful defaults" in said
    facts = json.loads(profile.answer("policy", "--json"))
    assert facts["kinds"]["local"] == ["*"]
    profile.paths.policy.write_text("slots = 'many'")
    code, _, complaint = profile.run("policy")
    assert (code, "slots" in complaint) == (1, True)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_table_fits_the_terminal(width: int) -> None:
    rows = [("K7Q2", "running", "表" * 60, "anna-pc"), ("ABCD", "done", "short", "x" * 60)]
    lines = table(("ID", "STATE", "WHAT", "MACHINE"), rows, wide=2, width=width)
    assert all(cells_of(line) <= width for line in lines)
    assert [line.split()[0] for line in lines] == ["ID", "K7Q2", "ABCD"], "ids stay whole"
    uncut = table(("ID", "STATE", "WHAT", "MACHINE"), rows, wide=2, width=None)
    assert "表" * 60 in uncut[1]


NOW = datetime(2026, 3, 28, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("30m", 1800), ("2h", 7200), ("1d", 86_400), ("90 min", 5400)],
)
def test_a_pause_is_read_as_it_is_said(told: str, seconds: float) -> None:
    until = until_when(told, NOW)
    assert until is not None
    assert (until - NOW).total_seconds() == seconds


def test_a_pause_can_end_at_a_time_of_day() -> None:
    for told in ("18:30", "6:05", "tomorrow"):
        until = until_when(told, NOW)
        assert until is not None
        assert 0 < (until - NOW).total_seconds() <= 48 * 3600
        assert told == "tomorrow" or f"{until.astimezone():%H:%M}" == told.zfill(5)
    assert until_when("", NOW) is None


@pytest.mark.parametrize("told", ["soon", "25:00", "-5m", "0m", "99999h"])
def test_a_pause_that_is_unclear_is_asked_back(told: str) -> None:
    with pytest.raises(AppError, match="no time to pause"):
        until_when(told, NOW)


def test_a_reader_that_has_seen_enough_is_no_error(profile: Profile) -> None:
    one = profile.queue(1, "churn")
    profile.start(one)
    for _ in range(5):
        profile.log(one, *(f"line {n} {'x' * 400}" for n in range(180)))
    ended = subprocess.run(
        f"{sys.executable} -m desktop --home {profile.paths.home} logs -n 900 | head -1",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""


def test_the_help_imports_next_to_nothing() -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "desktop", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for heavy in ("pydantic", "asyncio", "structlog", "sqlite3", "httpx", "websockets"):
        assert f" {heavy}\n" not in ended.stderr, heavy


def test_handing_over_imports_no_worker() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, desktop.commands.tray; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    modules = told.stdout.split()
    for heavy in ("asyncio", "structlog", "sqlite3", "httpx", "websockets", "PySide6"):
        assert heavy not in modules


def test_job_ids_are_found_in_any_form(profile: Profile) -> None:
    one = profile.queue(1, "churn")
    for name in (one, short(one), short(one).lower(), f"#{short(one)}"):
        assert json.loads(profile.answer("job", name, "--json"))["id"] == job_id(1)
