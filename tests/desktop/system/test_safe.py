"""The system's safe: a real GNOME keyring, open and locked, and every way to be broken."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.safe import BROKEN, LOCKED, MISSING, SILENT, SafeTrouble
from desktop.system.credentials import bring_home, load_secret, remove_secret, save_secret
from desktop.system.safe import Safe

ROOT = Path(__file__).parents[3]
SECRET = "dh_worker_canary_0123456789"

needs_keyring = pytest.mark.skipif(
    not (shutil.which("gnome-keyring-daemon") and shutil.which("dbus-run-session")),
    reason="needs gnome-keyring and dbus",
)

PROGRAM = """
import sys, time
from pathlib import Path
from desktop.core.safe import SafeTrouble
from desktop.system.credentials import bring_home, load_secret, remove_secret, save_secret
from desktop.system.safe import Safe

file = Path(sys.argv[1])
"""


def in_session(home: Path, program: str, *, unlock: bool) -> str:
    """Run a program in a session with a keyring of its own; return what it printed."""
    start = "gnome-keyring-daemon --components=secrets --daemonize >/dev/null 2>&1"
    if unlock:
        start = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1"
    file = home / "token"
    script = f'{start}; exec "$0" -c "$1" "$2"'
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "PYTHONPATH": str(ROOT),
        "LC_ALL": "C.UTF-8",
    }
    command = ("dbus-run-session", "--", "sh", "-c", script, sys.executable, PROGRAM + program)
    ran = subprocess.run(
        (*command, str(file)),
        capture_output=True, text=True, timeout=50, check=False, env=environment,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@needs_keyring
def test_an_open_keyring_keeps_gives_and_drops_a_secret(tmp_path: Path) -> None:
    said = in_session(
        tmp_path,
        f"""
print(save_secret({SECRET!r}, entry="x", file=file))
print(file.exists(), load_secret(entry="x", file=file) == {SECRET!r})
remove_secret(entry="x", file=file)
remove_secret(entry="x", file=file)
print(load_secret(entry="x", file=file))
""",
        unlock=True,
    )
    assert said.splitlines() == ["the system's safe (SecretService)", "False True", "None"]


@needs_keyring
def test_a_locked_keyring_is_a_file_for_now_and_asks_only_once(tmp_path: Path) -> None:
    said = in_session(
        tmp_path,
        f"""
safe = Safe(seconds=10)
begun = time.monotonic()
print(save_secret({SECRET!r}, entry="x", file=file, safe=safe))
print(safe.trouble.code, safe.may_open())
asked = []
safe._backend = lambda: asked.append(1)
print(load_secret(entry="y", file=file.with_name("none"), safe=safe), asked)
print(load_secret(entry="x", file=file, safe=safe) == {SECRET!r}, time.monotonic() - begun < 15)
""",
        unlock=False,
    )
    place, trouble, not_asked, kept = said.splitlines()
    assert "readable by you alone; the system's safe for secrets is locked" in place
    assert trouble == "safe_locked False"
    assert not_asked == "None []"
    assert kept == "True True"
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


@needs_keyring
def test_what_lay_in_a_file_moves_into_a_keyring_that_works_again(tmp_path: Path) -> None:
    said = in_session(
        tmp_path,
        f"""
from desktop.system.credentials import write_file
write_file(file, {SECRET!r})
print(bring_home(entry="x", file=file), file.exists(), bring_home(entry="x", file=file))
print(load_secret(entry="x", file=file) == {SECRET!r})
""",
        unlock=True,
    )
    assert said.splitlines() == ["True False False", "True"]


class Faulty:
    """A backend that fails in one way."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.kept: dict[str, str] = {}
        self.released = threading.Event()
        self.is_hanging = False

    def _fail(self) -> None:
        if self.is_hanging:
            self.released.wait(30)
        if self.error is not None:
            raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail()
        self.kept[username] = password

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        return self.kept.get(username)

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        del self.kept[username]


def named(name: str) -> Exception:
    error: Exception = type(name, (Exception,), {})("inside")
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (named("KeyringLocked"), LOCKED),
        (named("InitError"), LOCKED),
        (named("NoKeyringError"), MISSING),
        (named("DBusErrorResponse"), BROKEN),
        (ValueError("whatever"), BROKEN),
    ],
)
def test_a_safe_that_fails_falls_back_to_a_file_and_says_why(
    tmp_path: Path, error: Exception, code: str
) -> None:
    safe = Safe(lambda: Faulty(error))
    file = tmp_path / "token"
    place = save_secret(SECRET, entry="x", file=file, safe=safe)
    assert safe.trouble is not None
    assert safe.trouble.code == code
    assert SECRET not in place
    assert load_secret(entry="x", file=file, safe=safe) == SECRET
    assert not bring_home(entry="x", file=file, safe=safe)
    assert file.exists()
    with pytest.raises(SafeTrouble):
        remove_secret(entry="x", file=file, safe=safe)
    assert not file.exists()


def test_no_backend_is_no_safe(tmp_path: Path) -> None:
    safe = Safe(lambda: None)
    assert load_secret(entry="x", file=tmp_path / "token", safe=safe) is None
    assert safe.trouble is not None
    assert safe.trouble.code == MISSING


@pytest.fixture
def hanging() -> Iterator[Faulty]:
    backend = Faulty()
    backend.is_hanging = True
    yield backend
    backend.released.set()


def test_a_password_window_nobody_answers_is_waited_for_once(
    tmp_path: Path, hanging: Faulty
) -> None:
    safe = Safe(lambda: hanging, seconds=0.2)
    file = tmp_path / "token"
    save_secret(SECRET, entry="x", file=file, safe=safe)
    assert safe.trouble is not None
    assert safe.trouble.code == SILENT
    count = threading.active_count()
    assert load_secret(entry="y", file=tmp_path / "other", safe=safe) is None
    assert threading.active_count() == count, "no second question while the first one waits"
    assert not safe.may_open()
    hanging.released.set()
    hanging.is_hanging = False
    late = safe._late
    assert late is not None
    late.join(5)
    assert safe.may_open()
    assert bring_home(entry="x", file=file, safe=safe)
    assert hanging.kept["x"] == SECRET


def test_a_safe_that_forgets_what_it_is_given_is_not_trusted(tmp_path: Path) -> None:
    class Forgetful(Faulty):
        def set_password(self, service: str, username: str, password: str) -> None:
            pass

    safe = Safe(Forgetful)
    save_secret(SECRET, entry="x", file=tmp_path / "token", safe=safe)
    assert safe.trouble is not None
    assert safe.trouble.code == BROKEN
    assert load_secret(entry="x", file=tmp_path / "token", safe=safe) == SECRET
