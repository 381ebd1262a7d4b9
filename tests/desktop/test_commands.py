"""The command line: pairing by a code, and plain words when something is wrong."""

from __future__ import annotations

import contextlib
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from desktop.__main__ import main
from desktop.system.single_instance import InstanceLock

JOINED = {
    "worker_id": "0192f000-0000-7000-8000-000000000001",
    "token": "dh_worker_0192f000-0000-7000-8000-000000000001_topsecret",
    "hub_name": "our hub",
    "person_name": "anna",
}


class Desk:
    """What the hub answers to a pairing, and what it was asked."""

    def __init__(self) -> None:
        self.status = 201
        self.answer: bytes = json.dumps(JOINED).encode()
        self.asked: list[dict[str, object]] = []
        self.location = ""
        self.base = ""


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            desk.asked.append({"path": self.path} | json.loads(self.rfile.read(length)))
            self.send_response(desk.status)
            if desk.location:
                self.send_header("Location", desk.location)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # it may have read enough
                self.wfile.write(desk.answer)

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield desk
    server.shutdown()
    thread.join()
    server.server_close()


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
    (asked,) = desk.asked
    assert (asked["path"], asked["code"]) == ("/api/v1/pairings", "BCDF-GHJK")
    assert asked["name"] == "anna-pc"
    assert stat.S_IMODE((home / "token").stat().st_mode) == 0o600
    assert str(tables) in (home / "policy.toml").read_text()
    assert run(home, "status") == 0
    assert "not running" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "problem", "words"),
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
        (201, {"token": "x"}, ("not as a Deskhand hub does",)),
        (201, ["a", "list"], ("not as a Deskhand hub does",)),
    ],
)
def test_a_pairing_that_fails_says_why_and_what_next(
    desk: Desk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    status: int,
    problem: object,
    words: tuple[str, ...],
) -> None:
    desk.status, desk.answer = status, json.dumps(problem).encode()
    assert run(tmp_path, "pair", "WRONG", "--hub", desk.base) == 1
    said = capsys.readouterr().err
    for word in words:
        assert word in said
    assert "Traceback" not in said
    assert not (tmp_path / "token").exists()


def test_an_answer_that_is_no_json_says_so(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.answer = b"<html>a captive portal</html>"
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
    assert "cannot be read" in capsys.readouterr().out


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
    desk.answer = json.dumps(JOINED | change).encode()
    assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 1
    assert "not as a Deskhand hub does" in capsys.readouterr().err
    assert not (tmp_path / "token").exists()


def test_an_endless_answer_to_a_pairing_is_not_read_to_its_end(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.answer = b" " * (32 * 1024**2) + desk.answer
    assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 1
    assert "not as a Deskhand hub does" in capsys.readouterr().err


def test_a_pairing_goes_to_no_other_address_and_through_no_proxy(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    desk.status, desk.location = 307, f"{desk.base}/elsewhere"
    assert run(tmp_path, "pair", "CODE", "--hub", desk.base) == 1
    assert [asked["path"] for asked in desk.asked] == ["/api/v1/pairings"]


def test_a_hub_that_refuses_cannot_steer_the_terminal(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.status = 422
    desk.answer = json.dumps({"code": "no", "detail": "No.\x1b[2J\u202e", "hint": "\x07"}).encode()
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
