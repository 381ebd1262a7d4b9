"""A person's machine in small, with what an attacker may want, and eyes for what it got."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.desktop.jobs.code.escape.attempts import ATTEMPTS

ROOT = Path(__file__).resolve().parents[5]
SECONDS_MAX = 90
SUID_ID = 65533
SETTLE_SECONDS_MAX = 20.0
LAST = b"that was all"
VICTIM = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
token = os.environ["TOKEN"].encode()
kept = ctypes.create_string_buffer(token, 64)
file = os.open(sys.argv[1], os.O_RDONLY)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0, 4096, 0o1600)
ctypes.memmove(libc.shmat(segment, None, 0), token, len(token))
print(ctypes.addressof(kept), file, segment, flush=True)
sys.stdin.read()
"""
SLEEPER = "import sys; sys.stdin.read()"
EFFECTS = {
    "write_a_file_of_the_person": "notes.txt",
    "start_with_the_persons_next_login": ".bashrc",
    "write_through_a_symlink_of_a_folder": "by-symlink",
    "bring_a_file_out_by_a_hard_link": "by-link",
    "bring_a_file_out_by_renaming": "by-rename",
}
"""Attempts that leave this file in the person's home, or change it."""
MODES = {
    "open_a_file_to_all_by_its_mode": "mode",
    "open_a_file_to_all_by_a_descriptor": "fmode",
    "change_a_mode_by_the_long_way_round": "linkmode",
    "change_a_mode_by_way_of_proc": "procmode",
    "change_a_mode_in_a_race": "racemode",
}
HEARD = {
    "connect_to_a_server": "tcp",
    "connect_by_ipv6": "tcp6",
    "connect_to_the_gateways_port_elsewhere": "elsewhere",
    "connect_without_waiting": "tcp_async",
    "connect_by_multipath_tcp": "mptcp",
    "connect_by_sending_first": "fastopen",
    "send_a_datagram": "udp",
    "ask_the_name_server": "udp_dns",
    "connect_to_an_abstract_socket": "abstract",
    "connect_to_the_container_engine": "docker.sock",
    "connect_to_the_ssh_agent": "agent",
    "send_to_the_journal": "journal",
    "send_to_the_journal_without_connecting": "journal2",
    "connect_to_the_gateway_of_another_job": "other",
}
"""Attempts that succeed when this listener hears from them."""


class Outside:
    """The machine around one box; `attack` says which attempts succeeded."""

    def __init__(self, folder: Path, *, user: int | None, port: int) -> None:
        self.folder = folder
        self.user = user
        self.token = secrets.token_hex(16)
        self.heard: set[str] = set()
        self._settled: set[str] = set()
        self._listeners: dict[str, tuple[socket.socket, int]] = {}
        self._closing = contextlib.ExitStack()
        self._told: dict[str, str] = {"token": self.token, "port": str(port)}
        self._victims: dict[str, subprocess.Popen[str]] = {}
        self.person = folder / "person"
        self.data = folder / "data"
        self.clone = self.data / "sessions" / "ours" / "clone"

    def __enter__(self) -> Outside:
        with contextlib.ExitStack() as stack:
            self._closing = stack
            self._make_files()
            self._make_processes()
            self._make_listeners()
            self._closing = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    # --- what there is ------------------------------------------------------------------------

    def _make_files(self) -> None:
        person, data = self.person, self.data
        other = data / "sessions" / "other"
        home = self.clone.parent / "home"
        mirror = data / "code" / "mirrors" / "sample.git"
        tool = self.folder / "tool"
        sockets = self.folder / "run"
        for path in (person / ".ssh", data / "keys", self.clone, home, other / "clone", sockets,
                     tool / "bin", mirror.parent):  # fmt: skip
            path.mkdir(parents=True)
        secret = (person / ".ssh/id_ed25519", data / "keys/OPENAI_API_KEY", data / "transcripts.db")
        for path in (*secret, other / "clone/secret.py", person / self.token):
            path.write_text(self.token, encoding="utf-8")
        for name in ("notes.txt", ".bashrc", "doomed", "long", "mode", "fmode", "linkmode",
                     "time", "time2", "procmode", "racemode", "attribute", "owner"):  # fmt: skip
            (person / name).write_text("as it was", encoding="utf-8")
            (person / name).chmod(0o600)
        os.mkfifo(person / "fifo")
        subprocess.run(["git", "init", "-q", "--bare", str(mirror)], check=True)
        (tool / "bin/python").write_text("#!/bin/sh\n", encoding="utf-8")
        shutil.copy("/usr/bin/id", tool / "bin/runs-as-another")
        shm = Path("/dev/shm") / f"deskhand-{secrets.token_hex(8)}"
        shm.write_text(self.token, encoding="utf-8")
        self._closing.callback(shm.unlink, missing_ok=True)
        if self.user is not None:
            shutil.chown(shm, self.user)
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, self.user, self.user, follow_symlinks=False)
        suid = tool / "bin/runs-as-another"
        if os.geteuid() == 0:
            os.chown(suid, SUID_ID, SUID_ID)
            suid.chmod(0o4755)
        self._fifo = os.open(person / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        self._closing.callback(os.close, self._fifo)
        self._told |= {
            "person": str(person), "data": str(data), "clone": str(self.clone), "home": str(home),
            "other": str(other), "mirror": str(mirror), "tool": str(tool), "sockets": str(sockets),
            "shm": shm.name, "suid": str(suid), "suid_id": str(SUID_ID),
            "inode": str((person / ".ssh/id_ed25519").stat().st_ino),
        }  # fmt: skip

    def _make_processes(self) -> None:
        for name in ("victim", "doomed", "doomed_group", "limited"):
            program = [VICTIM, str(self.person / ".ssh/id_ed25519")]
            code = program if name == "victim" else [SLEEPER]
            process = subprocess.Popen(
                [python_for(self.user), "-I", "-S", "-c", *code],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, user=self.user,
                env={"TOKEN": self.token}, start_new_session=True,
            )  # fmt: skip
            self._closing.callback(_end, process)
            self._victims[name] = process
            self._told[name] = str(process.pid)
        out = self._victims["victim"].stdout
        assert out is not None
        address, file, segment = out.readline().split()
        self._told |= {"address": address, "victim_fd": file, "segment": segment}
        self._closing.callback(ctypes.CDLL(None).shmctl, int(segment), 0, None)

    def _make_listeners(self) -> None:
        unix, stream, datagram = socket.AF_UNIX, socket.SOCK_STREAM, socket.SOCK_DGRAM
        inet = socket.AF_INET
        agent = Path(tempfile.mkdtemp(prefix="dh-agent-"))
        self._closing.callback(shutil.rmtree, agent, ignore_errors=True)
        agent.chmod(0o755)
        elsewhere = "127." + ".".join(str(secrets.randbelow(250) + 2) for _ in range(3))
        self._told |= {
            "abstract": f"deskhand-{secrets.token_hex(8)}",
            "agent_socket": str(agent / "agent.1"),
            "elsewhere": elsewhere,
        }
        places: dict[str, tuple[int, int, object]] = {
            "tcp": (inet, stream, ("127.0.0.1", 0)),
            "tcp6": (socket.AF_INET6, stream, ("::1", 0)),
            "tcp_async": (inet, stream, ("127.0.0.1", 0)),
            "mptcp": (inet, stream, ("127.0.0.1", 0)),
            "fastopen": (inet, stream, ("127.0.0.1", 0)),
            "udp": (inet, datagram, ("127.0.0.1", 0)),
            "udp_dns": (inet, datagram, ("127.0.0.1", 0)),
            "elsewhere": (inet, stream, (elsewhere, int(self._told["port"]))),
            "abstract": (unix, stream, "\0" + self._told["abstract"]),
            "agent": (unix, stream, self._told["agent_socket"]),
            "docker.sock": (unix, stream, str(self.folder / "run/docker.sock")),
            "journal": (unix, datagram, str(self.folder / "run/journal")),
            "journal2": (unix, datagram, str(self.folder / "run/journal2")),
            "other": (unix, stream, self._told["other"] + "/gateway.sock"),
        }
        for name, (family, kind, address) in places.items():
            listener = socket.socket(family, kind)
            self._closing.enter_context(listener)
            listener.bind(address)  # type: ignore[arg-type]
            if family == unix and not str(address).startswith("\0"):
                Path(str(address)).chmod(0o777)
            if family != unix:
                self._told[name if name != "elsewhere" else "_"] = str(listener.getsockname()[1])
            if kind == stream:
                listener.listen()
            self._listeners[name] = (listener, kind)
            threading.Thread(target=self._listen, args=(name, listener, kind), daemon=True).start()
        self._told["elsewhere"] = elsewhere

    def _listen(self, name: str, listener: socket.socket, kind: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                if kind == socket.SOCK_DGRAM:
                    said = listener.recv(1000)
                else:
                    line, _ = listener.accept()
                    with line:
                        line.settimeout(2)
                        said = line.recv(1000)
                if b"escaped" in said:
                    self.heard.add(name)
                if said == LAST:
                    self._settled.add(name)

    def _settle(self) -> None:
        """Wait until every listener has heard what was said before."""
        for listener, kind in self._listeners.values():
            with socket.socket(listener.family, kind) as line:
                line.connect(listener.getsockname())
                line.send(LAST)
        end = time.monotonic() + SETTLE_SECONDS_MAX
        while self._settled != self._listeners.keys() and time.monotonic() < end:
            time.sleep(0.005)
        assert self._settled == self._listeners.keys()
        self._settled.clear()

    def _call(self, over: threading.Event) -> None:
        """Connect from outside to whoever in the clone wants to be called."""
        wish = self.clone / "call-me"
        while not over.wait(0.02):
            with contextlib.suppress(OSError, ValueError):
                port = int(wish.read_text(encoding="utf-8"))
                with socket.create_connection(("127.0.0.1", port), timeout=0.2) as line:
                    line.sendall(self.token.encode())
                    over.wait(0.2)
                return

    # --- what came of it ------------------------------------------------------------------------

    def attack(self, sandbox: str, *only: str) -> dict[str, str]:
        """Run the attempts in a sandbox ("none": outside of any); return what each said."""
        told = self.folder / "world.json"
        told.write_text(json.dumps(self._told), encoding="utf-8")
        told.chmod(0o644)
        over = threading.Event()
        caller = threading.Thread(target=self._call, args=(over,), daemon=True)
        caller.start()
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        done = subprocess.run(
            [python_for(self.user), "-m", "tests.desktop.jobs.code.escape.start", sandbox,
             str(told), *only],
            env={"PATH": os.environ["PATH"], "HOME": str(self.person), "LANG": "C.UTF-8",
                 "PYTHONPATH": f"{ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX,
            user=self.user, check=False,
        )  # fmt: skip
        over.set()
        caller.join()
        assert done.returncode == 0, done.stderr[-3000:]
        self._settle()
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {line["name"]: line["said"] for line in lines}

    def succeeded(self, name: str, said: str) -> bool:
        """See whether an attempt got through, by what came out and what it left."""
        if name in HEARD:
            return HEARD[name] in self.heard
        if name in EFFECTS:
            path = self.person / EFFECTS[name]
            return path.exists() and path.read_text(encoding="utf-8") != "as it was"
        if name in MODES:
            return (self.person / MODES[name]).stat().st_mode & 0o777 != 0o600
        trace = self._traces().get(name)
        return trace() if trace is not None else self.token in said

    def _traces(self) -> dict[str, Callable[[], bool]]:
        person, clone = self.person, self.clone
        limited = int(self._told["limited"])
        mirror = Path(self._told["mirror"])
        return {
            "make_a_file_beside_the_clone": (clone.parent / "evil").exists,
            "delete_a_file_of_the_person": lambda: not (person / "doomed").exists(),
            "truncate_a_file_of_the_person": lambda: (person / "long").stat().st_size == 0,
            "change_a_time_from_an_open_place": lambda: (person / "time2").stat().st_mtime < 10,
            "change_the_time_of_a_file": lambda: (person / "time").stat().st_mtime < 10,
            "write_an_attribute_of_a_file": lambda: bool(os.listxattr(person / "attribute")),
            "give_a_file_to_another_group": lambda: (
                (person / "owner").stat().st_gid != person.stat().st_gid
            ),
            "write_into_the_mirror": (mirror / "objects/evil").exists,
            "plant_a_hook_in_the_mirror": (mirror / "hooks/post-update").exists,
            "write_into_the_tools_of_every_box": lambda: (
                "escaped" in Path(self._told["tool"], "bin/python").read_text(encoding="utf-8")
            ),
            "write_into_a_fifo_of_the_person": lambda: b"escaped" in _drain(self._fifo),
            "leave_a_program_that_runs_as_its_owner": lambda: _is_set_id(clone / "owned"),
            "make_a_program_that_runs_as_its_owner": lambda: _is_set_id(clone / "born"),
            "kill_a_process": lambda: self._victims["doomed"].poll() is not None,
            "kill_everything": lambda: self._victims["doomed_group"].poll() is not None,
            "starve_a_process_of_its_limits": lambda: (
                "files 5 " in " ".join(Path(f"/proc/{limited}/limits").read_text().split())
            ),
            "slow_a_process_down": lambda: os.getpriority(os.PRIO_PROCESS, limited) == 19,
            "keep_a_process_to_one_core": lambda: os.sched_getaffinity(limited) == {0},
        }


def python_for(user: int | None) -> str:
    """Return a Python that this user can start: the test's own, or the system's."""
    return sys.executable if user is None else "/usr/bin/python3"


def can_be_another(user: int) -> bool:
    """Say whether the worker's code can be run as another user on this machine."""
    if os.geteuid() != 0 or not Path("/usr/bin/python3").exists():
        return False
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    done = subprocess.run(
        ["/usr/bin/python3", "-c", "import desktop.jobs.code.sandbox"],
        env={"PYTHONPATH": f"{ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/", capture_output=True, user=user, check=False,
    )  # fmt: skip
    return done.returncode == 0


def new_folder() -> Iterator[Path]:
    """Make a folder whose paths are short enough for sockets, and that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="dh-")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _drain(end: int) -> bytes:
    with contextlib.suppress(BlockingIOError):
        return os.read(end, 1000)
    return b""


def _is_set_id(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & 0o6000)


assert not (set(EFFECTS) | set(MODES) | set(HEARD)) - set(ATTEMPTS)
