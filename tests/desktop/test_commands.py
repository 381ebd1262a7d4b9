"""The command line: pairing by a code, and plain words when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.__main__ import main
from desktop.system.single_instance import InstanceLock
from shared.pairing import check_words, from_b64
from tests.desktop.link.pairing_desk import (
    JOINED,
    NOTED,
    SALT,
    WAITING,
    Answer,
    Desk,
    a_desk,
    problem,
)

ROOT = Path(__file__).parents[2]
LINK = "deskhand://pair?hub={base}&code=BCDF-GHJK"


@pytest.fixture
def desk() -> Iterator[Desk]:
    with a_desk() as desk:
        yield desk


@pytest.fixture(autouse=True)
def _no_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests leave nothing in the safe of whoever runs them."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


def run(home: Path, *arguments: str) -> int:
    return main(["--home", str(home), *arguments])


def test_a_code_becomes_a_worker_with_a_policy_and_a_token_for_its_owner(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, tables = tmp_path / "home", tmp_path / "tables"
    tables.mkdir()
    arguments = ("pair", "BCDF-GHJK", "--hub", desk.base, "--name", "anna-pc")
    assert run(home, *arguments, "--folder", str(tables)) == 0
    said = capsys.readouterr().out
    assert "anna" in said
    assert "our hub" in said
    assert str(tables) in said
    assert "topsecret" not in said
    (asked,) = desk.introductions
    assert (asked["code"], asked["name"]) == ("BCDF-GHJK", "anna-pc")
    words = check_words(from_b64(asked["public_key"], 32), SALT)
    assert f"Asked {desk.base.removeprefix('http://')} to let this computer in." in said
    assert f"Check words: {words}." in said
    assert "anna-pc now works for anna on our hub." in said
    assert stat.S_IMODE((home / "device.key").stat().st_mode) == 0o600
    assert (home / "device.key").read_text() not in said
    assert stat.S_IMODE((home / "token").stat().st_mode) == 0o600
    assert str(tables) in (home / "policy.toml").read_text()
    assert run(home, "status") == 0
    assert "not running" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (
            400,
            {"code": "pairing_code_wrong", "detail": "That code is wrong.", "hint": "/connect"},
            ("That code is wrong.", "/connect"),
        ),
        (
            429,
            {"code": "pairing_paused", "detail": "Too many tries.", "hint": "Wait 15 minutes."},
            ("Too many tries.", "Wait 15 minutes."),
        ),
        (500, {"oops": True}, ("not as a Deskhand hub does", "HTTP 500")),
        (202, {"pairing_id": "x"}, ("not as a Deskhand hub does",)),
        (202, ["a", "list"], ("not as a Deskhand hub does",)),
    ],
)
def test_a_pairing_that_fails_says_why_and_what_next(
    desk: Desk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    status: int,
    answer: object,
    words: tuple[str, ...],
) -> None:
    desk.to_ask[0] = Answer(status, answer)
    assert run(tmp_path, "pair", "WRONG", "--hub", desk.base) == 1
    said = capsys.readouterr().err
    for word in words:
        assert word in said
    assert "Traceback" not in said
    assert not (tmp_path / "token").exists()


def test_an_answer_that_is_no_json_says_so(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.to_ask[0] = Answer(200, b"<html>a captive portal</html>")
    assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 1
    assert "not as a Deskhand hub does" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hub", "words"),
    [
        ("http://127.0.0.1:1", "cannot be reached"),
        ("http://hub.example.org", "without encryption"),
        ("gopher://x", "is not the address of a hub"),
    ],
)
def test_a_hub_that_cannot_be_used_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], hub: str, words: str
) -> None:
    assert run(tmp_path, "pair", "CODE", "--hub", hub) == 1
    assert words in capsys.readouterr().err


def test_a_folder_that_is_missing_is_told_before_the_code_is_spent(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(tmp_path / "nowhere")
    assert run(tmp_path / "home", "pair", "CODE", "--hub", desk.base, "--folder", nowhere) == 1
    assert "nowhere" in capsys.readouterr().err
    assert desk.asked == []


@pytest.mark.parametrize("command", ["status", "--headless"])
def test_a_machine_that_was_never_paired_says_how(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(tmp_path, command) == 1
    said = capsys.readouterr().err
    assert "belongs to no hub yet" in said
    assert "deskhand pair" in said


def test_a_broken_policy_keeps_the_worker_from_starting_and_names_the_line(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 0
    (tmp_path / "policy.toml").write_text("slots = 2\nfoldrs = ['~']\n")
    capsys.readouterr()
    assert run(tmp_path, "--headless") == 1
    said = capsys.readouterr().err
    assert "line 2" in said
    assert "foldrs" in said
    assert run(tmp_path, "doctor") == 1
    assert "line 2" in capsys.readouterr().out


def test_a_machine_is_not_paired_anew_under_its_running_worker(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with InstanceLock(tmp_path / "worker.lock"):
        assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 1
    assert "A worker already runs with this profile." in capsys.readouterr().err
    assert not (tmp_path / "worker.sqlite3").exists()


def test_the_doctor_finds_a_sound_machine_well_and_a_broken_store_not(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, tables = tmp_path / "home", tmp_path / "tables"
    tables.mkdir()
    assert run(home, "pair", "CODE", "--hub", desk.base, "--folder", str(tables)) == 0
    capsys.readouterr()
    assert run(home, "doctor") == 0
    said = capsys.readouterr().out
    assert "SQLite" in said
    assert "All is well." in said
    for left in home.glob("worker.sqlite3*"):
        left.write_bytes(b"this is no database, whatever it was" * 200)
    assert run(home, "doctor") == 1
    assert "is damaged" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        {"worker_name": "x" * 101},
        {"worker_id": "../../outside"},
        {"token": "two\r\nlines"},
        {"token": "t" * 1000},
        {"hub_name": "h" * 100_000},
        {"person_name": 7},
    ],
    ids=str,
)
def test_a_hub_cannot_put_into_a_pairing_what_no_hello_could_carry(
    desk: Desk, tmp_path: Path, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    desk.to_token[0] = Answer(200, {**JOINED, **change})
    assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 1
    assert "not as a Deskhand hub does" in capsys.readouterr().err
    assert not (tmp_path / "token").exists()


def test_an_endless_answer_to_a_pairing_is_not_read_to_its_end(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.to_ask[0] = Answer(202, b" " * (32 * 1024**2) + json.dumps(NOTED).encode())
    assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 1
    assert "not as a Deskhand hub does" in capsys.readouterr().err


def test_a_pairing_goes_to_no_other_address_and_through_no_proxy(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    desk.to_ask[0] = Answer(307, NOTED, {"Location": f"{desk.base}/elsewhere"})
    assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 1
    assert [asked["path"] for asked in desk.asked] == ["/api/v1/pairings"]


def test_a_hub_that_refuses_cannot_steer_the_terminal(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.to_ask[0] = problem(422, "no", "No.\x1b[2J\u202e", hint="\x07")
    assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 1
    said = capsys.readouterr().err
    assert "No." in said
    assert not {"\x1b", "\u202e", "\x07"} & set(said)


def test_samples_never_take_the_place_of_a_persons_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["samples", str(tmp_path)]) == 0
    assert main(["samples", str(tmp_path)]) == 0
    mine = tmp_path / "flights.csv"
    mine.write_text("mine")
    assert main(["samples", str(tmp_path)]) == 1
    assert "nothing of yours is written over" in capsys.readouterr().err
    assert mine.read_text() == "mine"


def test_samples_are_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "flights.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert main(["samples", str(tmp_path)]) == 1
    assert not (tmp_path / "elsewhere.csv").exists()


def test_without_a_code_the_machine_shows_what_to_send(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.to_ask[0] = Answer(202, {**NOTED, "user_code": "WDJB-MJHT", "person_name": ""})
    assert run(tmp_path, "pair", "--hub", desk.base, "--name", "anna-pc") == 0
    said = capsys.readouterr().out
    words = check_words(from_b64(desk.asked[0]["public_key"], 32), SALT)
    assert "Send this to the bot: /pair WDJB-MJHT\n" in said
    assert f"Check words: {words}." in said
    assert "anna-pc now works for anna" in said


def test_a_link_pairs_only_with_a_yes(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = LINK.format(base=desk.base)
    assert run(tmp_path, "pair", link) == 1
    said = capsys.readouterr().err
    assert desk.base.removeprefix("http://") in said
    assert "--yes" in said
    assert desk.asked == []
    assert run(tmp_path, "pair", link, "--yes") == 0
    assert desk.asked[0]["code"] == "BCDF-GHJK"


@pytest.mark.parametrize(("typed", "asks"), [("y\n", 1), ("n\n", 0), ("\n", 0), ("", 0)])
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_somebody_at_a_terminal_is_asked_about_a_link(
    desk: Desk, tmp_path: Path, typed: str, asks: int
) -> None:
    import pty

    keyboard, terminal = pty.openpty()
    os.write(keyboard, typed.encode() or b"\x04")
    ended = subprocess.run(
        [sys.executable, "-m", "desktop", "--home", tmp_path, "pair", LINK.format(base=desk.base)],
        cwd=ROOT, stdin=terminal, capture_output=True, text=True, check=False,
    )  # fmt: skip
    os.close(keyboard)
    os.close(terminal)
    assert len(desk.introductions) == asks, ended.stderr
    assert f"This lets {desk.base.removeprefix('http://')} give work" in ended.stdout
    assert "Traceback" not in ended.stderr
    assert (ended.returncode == 0) == bool(asks)


def test_a_pairing_without_hub_says_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "pair", "BCDF-GHJK") == 1
    assert "--hub https://" in capsys.readouterr().err


def test_a_machine_keeps_its_key_from_pairing_to_pairing(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for code in ("BCDF-GHJK", "MNPQ-RSTV"):
        assert run(tmp_path, "pair", code, "--hub", desk.base) == 0
    one, other = desk.introductions
    assert one["public_key"] == other["public_key"]
    assert capsys.readouterr().out.count("a key of its own") == 1
    (tmp_path / "device.key").write_text("not a key")
    assert run(tmp_path, "pair", "BCDF-GHJK", "--hub", desk.base) == 0
    assert desk.introductions[-1]["public_key"] != one["public_key"]


def test_a_pairing_that_was_stopped_goes_on_where_it_was(desk: Desk, tmp_path: Path) -> None:
    desk.to_token[0] = WAITING
    command = [
        sys.executable, "-m", "desktop", "--home", str(tmp_path),
        "pair", "BCDF-GHJK", "--hub", desk.base,
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert any("Approve it in the chat" in line for line in iter(first.stdout.readline, ""))
        first.send_signal(signal.SIGINT)
        said, complaint = first.communicate(timeout=30)
    assert "The same command goes on" in said
    assert "Traceback" not in complaint
    assert first.returncode == 130
    desk.to_token[0] = Answer(200, JOINED)
    assert run(tmp_path, "pair", "BCDF-GHJK", "--hub", desk.base) == 0
    assert len(desk.introductions) == 1, "the code was spent the first time"


def test_a_pairing_that_was_refused_is_not_gone_on_with(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.to_token[0] = problem(403, "pairing_rejected", "anna did not let this computer in.")
    assert run(tmp_path, "pair", "BCDF-GHJK", "--hub", desk.base) == 1
    assert "anna did not let this computer in." in capsys.readouterr().err
    assert not (tmp_path / "token").exists()
    desk.to_token[0] = Answer(200, JOINED)
    assert run(tmp_path, "pair", "BCDF-GHJK", "--hub", desk.base) == 0
    assert len(desk.introductions) == 2


def test_a_folder_the_policy_does_not_know_is_told_before_the_code_is_spent(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "pair", "BCDF-GHJK", "--hub", desk.base) == 0
    (tmp_path / "more").mkdir()
    more = ("--folder", str(tmp_path / "more"))
    assert run(tmp_path, "pair", "MNPQ-RSTV", "--hub", desk.base, *more) == 1
    assert "not in it" in capsys.readouterr().err
    assert len(desk.introductions) == 1
