"""What programs need works in a box; what ends a box ends all in it; its limits hold."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import desktop
from desktop.core.code.box import Box, BoxLimits
from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.jobs.code.landlock_box.start import check_signals
from desktop.jobs.code.sandbox import choose_now
from shared.errors import BadInput
from tests.desktop.jobs.code.box_room import HOLDING, Room, rooms

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the boxes of Linux")

PYTHON = (sys.executable, "-I", "-S", "-c")
TIOCSTI = f"""
import fcntl
for letter in b"escaped\\n":
    fcntl.ioctl(0, {0x5412}, bytes([letter]))
"""


@pytest.fixture(params=HOLDING, ids=str)
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    yield from rooms(request.param)


@pytest.fixture(params=[*HOLDING, SandboxChoice.NONE], ids=str)
def any_room(request: pytest.FixtureRequest) -> Iterator[Room]:
    yield from rooms(request.param)


# --- what works ----------------------------------------------------------------------------------


def test_the_command_is_run_in_the_clone_with_its_own_home(any_room: Room) -> None:
    said = any_room.shell('pwd; echo "$HOME"; echo made >kept; ls')

    assert said.split() == [str(any_room.clone), str(any_room.root / "home"), "kept"]
    assert (any_room.clone / "kept").read_text(encoding="utf-8") == "made\n"


def test_the_exit_status_and_both_outputs_come_back(any_room: Room) -> None:
    done = any_room.run("/bin/sh", "-c", "echo out; echo err >&2; exit 7")

    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_a_command_that_is_not_there_says_so(any_room: Room) -> None:
    done = any_room.run("no-such-command-here")

    assert done.returncode != 0
    assert "no-such-command-here" in done.stderr


def test_nothing_of_the_workers_environment_comes_along(
    any_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ours")

    said = any_room.shell("env", any_room.box(env={"AGENT_WORD": "theirs"}))

    assert "sk-ours" not in said
    assert "AGENT_WORD=theirs" in said


def test_the_workers_own_python_and_its_libraries_run(room: Room) -> None:
    code = "import pydantic, desktop.jobs.code; print('ready')"
    box = room.box(env={"PYTHONPATH": str(Path(desktop.__file__).parents[1])})

    done = room.run(sys.executable, "-c", code, box=box)

    assert done.stdout == "ready\n", done.stderr


def test_git_and_a_compiler_run(room: Room) -> None:
    script = """
        git init -q tree && cd tree && git config user.email a@b.c && git config user.name a &&
        echo 'int main(void) { return 0; }' >a.c && git add a.c && git commit -qm one &&
        cp -a a.c b.c && chmod +x b.c && tar cf c.tar b.c && tar xf c.tar && git log --format=%s &&
        if command -v cc >/dev/null; then cc a.c -o a && ./a && echo ran; else echo ran; fi
    """

    assert room.shell(script).split() == ["one", "ran"]


def test_a_clone_reads_its_mirror_and_cannot_write_it(room: Room) -> None:
    mirror = room.root / "mirror"
    mirror.mkdir()
    (mirror / "pack").write_text("objects", encoding="utf-8")

    said = room.run(
        "/bin/sh",
        "-c",
        f"cat {mirror}/pack; echo x >{mirror}/pack",
        box=room.box(read_only=(mirror,)),
    )

    assert said.stdout == "objects"
    assert said.returncode != 0
    assert (mirror / "pack").read_text(encoding="utf-8") == "objects"


def test_programs_have_room_for_what_they_scribble(room: Room) -> None:
    said = room.shell('f=$(mktemp) && echo ok >"$f" && cat "$f"')

    assert said == "ok\n"
    assert not list(room.clone.iterdir())


def test_the_gateway_is_found_on_the_port_and_nothing_else_is(room: Room) -> None:
    with _gateway(room.root / "gateway.sock") as path:
        box = room.box(gateway=path)
        code = (
            "import socket\n"
            f"line = socket.create_connection(('127.0.0.1', {box.port}), timeout=5)\n"
            "line.sendall(b'hello'); print(line.recv(100).decode())\n"
            f"print(socket.socket().connect_ex(('127.0.0.1', {box.port + 1})))\n"
        )
        done = room.run(*PYTHON, code, box=box)

    assert done.stdout.split() == ["HELLO", "111"], done.stderr


# --- what ends -----------------------------------------------------------------------------------

LINGERER = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.environ.clear()
        while True:
            with open("beat", "a") as file:
                file.write("x")
            time.sleep(0.01)
    os._exit(0)
while not os.path.exists("beat"):
    time.sleep(0.01)
print("ready", flush=True)
{then}
"""


def _is_still(room: Room) -> bool:
    beat = room.clone / "beat"
    before = beat.stat().st_size
    time.sleep(0.15)
    return beat.stat().st_size == before


def test_what_a_command_leaves_behind_ends_with_it(room: Room) -> None:
    done = room.run(*PYTHON, LINGERER.format(then=""))

    assert done.stdout == "ready\n", done.stderr
    assert _is_still(room)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=str)
def test_who_ends_the_box_ends_all_in_it(room: Room, number: signal.Signals) -> None:
    with room.start(*PYTHON, LINGERER.format(then="time.sleep(60)")) as process:
        assert process.stdout is not None
        process.stdout.readline()

        os.killpg(process.pid, number)
        process.wait(10)

    assert _eventually(lambda: _is_still(room))


def test_the_end_of_the_worker_ends_all_in_it(room: Room) -> None:
    launch = room.sandbox.launch(room.box(), (*PYTHON, LINGERER.format(then="time.sleep(60)")))
    worker = subprocess.Popen(
        [*PYTHON, "import subprocess, sys; subprocess.run(sys.argv[1:])", *launch.argv],
        env=dict(launch.env), cwd=launch.cwd, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with worker:
        assert worker.stdout is not None
        worker.stdout.readline()

        worker.kill()
        worker.wait(10)

        assert _eventually(lambda: _is_still(room))


# --- what is held --------------------------------------------------------------------------------


def test_nothing_is_typed_into_the_terminal_of_who_started_it(room: Room) -> None:
    assert _typed(room.sandbox.launch(room.box(), (*PYTHON, TIOCSTI)).argv) == b""


def test_without_a_box_something_would_be_typed() -> None:
    setting = Path("/proc/sys/dev/tty/legacy_tiocsti")
    if not setting.exists() or setting.read_text(encoding="utf-8").strip() != "1":
        pytest.skip("this kernel does not let terminals be typed into")

    assert b"escaped" in _typed((*PYTHON, TIOCSTI))


def test_a_file_cannot_grow_above_its_limit(any_room: Room) -> None:
    box = any_room.box(limits=BoxLimits(file_bytes_max=100_000))

    any_room.run("/bin/sh", "-c", "head -c 1000000 /dev/zero >big", box=box)

    assert (any_room.clone / "big").stat().st_size <= 100_000


def test_only_so_many_files_are_open_at_once(any_room: Room) -> None:
    code = "import os\nfiles = [os.open('/dev/null', 0) for _ in range(500)]"

    done = any_room.run(*PYTHON, code, box=any_room.box(limits=BoxLimits(open_files_max=100)))

    assert "Too many open files" in done.stderr


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root has no such limit")
def test_a_fork_bomb_runs_into_its_limit(room: Room) -> None:
    code = (
        "import os, time\n"
        "try:\n"
        "    for n in range(5000):\n"
        "        if os.fork() == 0: time.sleep(60)\n"
        "except BlockingIOError: print('held')\n"
    )

    assert (
        room.run(*PYTHON, code, box=room.box(limits=BoxLimits(processes_max=50))).stdout == "held\n"
    )


def test_scratch_space_is_bounded_where_it_is_memory() -> None:
    for room in rooms(SandboxChoice.BUBBLEWRAP):
        box = room.box(limits=BoxLimits(scratch_bytes_max=1024**2))

        said = room.shell(
            "for d in /tmp /dev/shm; do head -c 9000000 /dev/zero >$d/f; wc -c <$d/f; done", box
        )

        assert [int(word) for word in said.split()] == [1024**2, 1024**2]


def test_whatever_memory_is_short_for_the_box_goes_first(room: Room) -> None:
    assert room.shell("cat /proc/self/oom_score_adj") == "1000\n"


# --- what a box may not be given -----------------------------------------------------------------


def test_a_box_is_not_given_what_uncovers_the_worker(any_room: Room) -> None:
    guarded = any_room.root / "data"
    (guarded / "clone").mkdir(parents=True)
    sandbox = choose_now(CodeRules(sandbox=SandboxChoice(any_room.sandbox.name)), guarded=[guarded])

    for path in (guarded, any_room.root, Path("/"), Path.home(), Path("/usr")):
        with pytest.raises(BadInput) as caught:
            sandbox.launch(Box(workdir=path, home=any_room.root / "home"), ("true",))
        assert caught.value.code == "box_path"


def test_a_socket_or_a_mirror_that_the_last_job_could_replace_is_refused(any_room: Room) -> None:
    inside = any_room.clone / "gateway.sock"

    for box in (any_room.box(gateway=inside), any_room.box(read_only=(any_room.clone / "mirror",))):
        with pytest.raises(BadInput):
            any_room.sandbox.launch(box, ("true",))


@contextlib.contextmanager
def _gateway(path: Path) -> Iterator[Path]:
    """Answer each connection in capital letters."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = listener.accept()
                    with line:
                        line.sendall(line.recv(100).upper())

        threading.Thread(target=answer, daemon=True).start()
        yield path


def _typed(argv: tuple[str, ...]) -> bytes:
    """Run a command on a terminal of its own; return what can be read there that nobody typed."""
    ours, theirs = pty.openpty()
    script = "import fcntl, os, sys\nfcntl.ioctl(0, 0x540E, 0)\nos.execv(sys.argv[1], sys.argv[1:])"
    with contextlib.ExitStack() as closing:
        closing.callback(os.close, ours)
        closing.callback(os.close, theirs)
        subprocess.run(
            [*PYTHON, script, *argv], stdin=theirs, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, timeout=20, check=False,
        )  # fmt: skip
        os.set_blocking(theirs, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(theirs, 100)
    return b""


def _eventually(happens: Callable[[], bool], seconds_max: float = 5) -> bool:
    end = time.monotonic() + seconds_max
    while not happens():
        if time.monotonic() > end:
            return False
    return True


def test_a_wall_that_lets_signals_through_is_none() -> None:
    with pytest.raises(OSError, match="signals are not held back"):
        check_signals(os.getpid())
