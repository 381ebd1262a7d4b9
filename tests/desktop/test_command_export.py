"""An export is read by another program, which knows `docs/export.md` and nothing of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.events import QuestionAnswered
from shared.questions import Answer
from tests.desktop.command_world import QUESTION, Profile, profile

__all__ = ["profile"]


def read(file: Path) -> dict[str, list[dict[str, object]]]:
    """Read an export as its page tells."""
    records: dict[str, list[dict[str, object]]] = {}
    with file.open(encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines]
    assert told[0]["record"] == "header"
    assert (told[0]["format"], told[0]["version"]) == ("deskhand-export", 1)
    assert told[-1] == {"record": "end"}, "it was not cut off"
    for record in told:
        records.setdefault(record.pop("record"), []).append(record)
    return records


def test_everything_comes_out_as_it_was(profile: Profile, tmp_path: Path) -> None:
    job = profile.queue(1, "train Überblick")
    profile.start(job)
    profile.log(job, "fold 1 of 5", "fold 2 of 5")
    profile.ask(job)
    profile.happens(
        QuestionAnswered(
            question_id=QUESTION, job_id=job, answer=Answer(value="Churn", by="anna on Telegram")
        ),
        device="hub",
    )
    profile.succeed(job, "AUC 0.93")
    file = tmp_path / "all.jsonl"
    said = profile.answer("export", str(file))
    assert str(file) in said
    told = read(file)
    assert told["task"][0]["text"] == "please train Überblick"
    [exported] = told["job"]
    assert (exported["job_id"], exported["state"]) == (job, "succeeded")
    assert exported["result"] == {"headline": "AUC 0.93"}
    assert told["question"][0]["state"] == "answered"
    [answer] = told["answer"]
    assert (answer["value"], answer["by"]) == ("Churn", "anna on Telegram")
    lines = [e["body"]["lines"] for e in told["event"] if e["type"] == "job_logged"]  # type: ignore[index]
    assert lines == [["fold 1 of 5", "fold 2 of 5"]]
    numbers = [event["hub_seq"] for event in told["event"]]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_folder_gets_a_file_with_the_time_in_its_name(profile: Profile, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    profile.answer("export", str(folder))
    [file] = folder.iterdir()
    assert read(file)["header"][0]["person"] == "Anna"
    assert file.stat().st_mode & 0o077 == 0, "for its person alone"


def test_nothing_is_written_over(profile: Profile, tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("mine")
    code, _, complaint = profile.run("export", str(file))
    assert code != 0
    assert "already" in complaint
    assert file.read_text() == "mine"


@pytest.mark.parametrize("secret", ["token", "signature_key", "asked"])
def test_no_secret_is_in_it(profile: Profile, tmp_path: Path, secret: str) -> None:
    from desktop.store import facts
    from desktop.store.database import open_store

    with open_store(profile.paths.store) as database:
        database.submit(lambda c: facts.put(c, secret, "canary-4711")).result()
    file = tmp_path / "all.jsonl"
    profile.answer("export", str(file))
    assert "canary-4711" not in file.read_text()
