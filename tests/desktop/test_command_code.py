"""`deskhand code` and `deskhand diff`: what is typed becomes a work order, and its end is told."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.__main__ import _parser, main
from desktop.commands import diff
from desktop.commands.code import inputs_of, repository_of
from desktop.commands.code_ending import lines
from desktop.commands.status_line import StatusLine
from desktop.jobs.code.diff import changes_of
from desktop.jobs.code.kept import KeptFacts
from desktop.store.copied import Job, JobRow
from desktop.system.paths import Paths, find_paths
from shared.errors import BadInput, NotFound
from shared.ids import JobId, TaskId, WorkerId, short
from shared.jobs import JobState
from shared.kinds import JsonObject
from shared.kinds.code import FileFacts

JOB = JobId("01900000-0000-7000-8000-00000000abcd")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DIFF = "diff --git a/add.py b/add.py\n--- a/add.py\n+++ b/add.py\n-return a - b\n+return a + b\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "calc"
    (folder / ".git").mkdir(parents=True)
    (folder / "src").mkdir()
    return folder


def typed(*words: str) -> JsonObject:
    return inputs_of(_parser().parse_args(["code", *words]))


def test_where_one_stands_is_the_repository(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "src")
    assert typed("fix", "-m", "mend it") == {
        "repository": str(repository.resolve()),
        "instructions": "mend it",
    }


def test_a_folder_is_a_whole_path_and_a_url_stays(repository: Path) -> None:
    here = repository.parent
    assert repository_of("calc", here) == str(repository.resolve())
    assert repository_of("https://example.org/a/b", here) == "https://example.org/a/b"
    assert repository_of("anna/calc", here) == "anna/calc"
    with pytest.raises(BadInput) as caught:
        repository_of(None, here)
    assert caught.value.code == "repository_missing"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--pr",), {"delivery": "pull_request"}),
        (("--push",), {"delivery": "branch"}),
        (("--keep", "--level", "autonomous"), {"delivery": "keep", "level": "autonomous"}),
        (("--agent", "codex", "--model", "a:b"), {"agent": "codex", "model": "a:b"}),
        (("--test", "make t", "--base", "dev"), {"test_command": "make t", "base": "dev"}),
        (
            ("--minutes", "5", "--cost-max", "0.5", "--tokens-max", "2000"),
            {"minutes_max": 5.0, "cost_usd_max": 0.5, "tokens_max": 2000},
        ),
    ],
    ids=["pr", "push", "keep", "agent", "test", "budget"],
)
def test_options_become_the_work_order(words: tuple[str, ...], wanted: JsonObject) -> None:
    assert typed("review", "https://example.org/a/b", *words) == {
        "repository": "https://example.org/a/b",
        **wanted,
    }


def test_instructions_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("mend\nit\n"))
    assert typed("fix", "https://example.org/a", "-m", "-")["instructions"] == "mend\nit"
    monkeypatch.setattr(sys, "stdin", io.StringIO("  \n"))
    with pytest.raises(BadInput):
        typed("fix", "https://example.org/a", "-m", "-")


def job(state: JobState, result: JsonObject | None) -> Job:
    row = JobRow(
        job_id=JOB,
        task_id=TaskId("01900000-0000-7000-8000-00000000abce"),
        kind="code.bugfix",
        title="fix",
        state=state,
        attempt=1,
        created_at=NOON,
        updated_at=NOON,
        number=1,
        worker_id=WorkerId(""),
        machine="",
        started_at=None,
        ended_at=None,
        not_before=None,
        error=None,
        cancel_by="",
        is_ours=True,
        headline="",
        asks="",
    )
    return Job(row=row, text="", inputs={}, result=result, running_seconds=1.0)


def test_the_end_tells_files_branch_cost_and_how_to_see_it() -> None:
    told = list(
        lines(
            job(
                JobState.SUCCEEDED,
                {
                    "headline": "Fixed.",
                    "branch": "deskhand/abcd-fix",
                    "is_pushed": True,
                    "url": "https://example.org/pull/1",
                    "agent": "builtin",
                    "model": "local:tiny",
                    "sandbox": "bubblewrap",
                    "cost_usd": 0.5,
                    "usage": {"input_tokens": 1000, "output_tokens": 234},
                    "files_changed": [
                        {"path": "add.py", "what": "changed", "added": 1, "removed": 1},
                        {"path": "a.png", "what": "added", "is_binary": True},
                    ],
                    "files_total": 5,
                },
            ),
            is_stopped=False,
        )
    )
    assert told == [
        "Fixed.",
        "  ~ add.py  +1 -1",
        "  + a.png  binary",
        "  … and 3 more",
        "Branch deskhand/abcd-fix (pushed): https://example.org/pull/1",
        "builtin with local:tiny, 1,234 tokens, $0.50, sandbox bubblewrap.",
        f"See it: deskhand diff {short(JOB)}",
    ]


def test_a_review_tells_its_findings() -> None:
    findings: JsonObject = {
        "headline": "One finding.",
        "findings": [{"file": "a.py", "line": 3, "severity": "high", "message": "Off by one."}],
    }
    assert list(lines(job(JobState.SUCCEEDED, findings), is_stopped=False)) == [
        "One finding.",
        "  high    a.py:3  Off by one.",
    ]


def test_who_stopped_it_is_told_that_it_is_stopped() -> None:
    told = list(lines(job(JobState.CANCELLED, None), is_stopped=True))
    assert told == [f"Stopped. #{short(JOB)} is cancelled."]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = find_paths(tmp_path / "home")
    paths.make()
    facts = KeptFacts(
        job=JOB,
        branch="deskhand/fix",
        files=(FileFacts(path="add.py", added=1, removed=1),),
        files_total=1,
        added=1,
        removed=1,
    )
    changes_of(paths.data).keep(facts, DIFF + "\x1b]0;evil\x07\n")
    return paths


@pytest.mark.parametrize("name", [None, short(JOB), f"#{short(JOB)}", JOB])
def test_a_change_is_found_by_its_job_and_the_last_one_without(
    paths: Paths, name: str | None
) -> None:
    facts, text = diff.change_named(paths, name)
    assert facts.branch == "deskhand/fix"
    assert text.startswith("diff --git")


def test_no_change_says_where_changes_are_kept(paths: Paths) -> None:
    with pytest.raises(NotFound) as caught:
        diff.change_named(paths, "ZZZZ")
    assert caught.value.code == "change_missing"


def test_what_an_agent_wrote_does_not_act_on_the_terminal(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--home", str(paths.home), "diff"]) == 0
    shown = capsys.readouterr().out
    assert "+return a + b" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown

    assert main(["--home", str(paths.home), "diff", "--stat"]) == 0
    assert "add.py" in capsys.readouterr().out
    assert main(["--home", str(paths.home), "diff", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["branch"] == "deskhand/fix"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_is_drawn_anew_and_lines_above_it() -> None:
    stream = Terminal()
    line = StatusLine(stream)
    line.show("working", 3.0)
    line.above("a line \x1b[2J of the log")
    line.show("testing", 4.0)

    shown = stream.getvalue()
    assert "\rworking · 3 s" in shown
    assert "\x1b" not in shown
    assert shown.index("of the log\n") < shown.index("testing")


def test_without_a_terminal_each_stage_is_a_line_told_once() -> None:
    stream = io.StringIO()
    line = StatusLine(stream)
    for seconds in (1.0, 2.0):
        line.show("working", seconds)
    line.show("testing", 3.0)
    assert stream.getvalue() == "working\ntesting\n"


@pytest.mark.flow
def test_without_a_model_the_person_is_told_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "calc"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    words = ("--home", str(tmp_path / "home"), "code", "fix", str(folder), "-m", "x", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "desktop", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["state"] == "failed"
    assert "model" in told["error"]["message"]
