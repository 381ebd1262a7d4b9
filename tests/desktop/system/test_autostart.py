"""Autostart on and off, twice and again, on each system; and what stands there afterwards."""

from __future__ import annotations

import os
import plistlib
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from desktop.system import login_start
from desktop.system.autostart import autostart_here
from desktop.system.autostart_linux import SystemdUnit, on_linux
from desktop.system.autostart_macos import LaunchAgent
from desktop.system.autostart_windows import APPROVED, RUN, RunKey
from desktop.system.login_start import Program, Ran, run_program
from shared.errors import Unavailable

ROOT = Path(__file__).parents[3]


def a_program(tmp_path: Path, *, home: str = "") -> Program:
    command = ("/opt/desk hand/deskhand", "--headless")
    return Program(command=command, home=home, log=tmp_path / "worker.log")


class System:
    """Answers commands as systemctl, loginctl and launchctl do, and keeps what was asked."""

    def __init__(self, *, manager: str = "running", linger: str = "no") -> None:
        self.asked: list[str] = []
        self.enabled: set[str] = set()
        self.manager = manager
        self.linger = linger
        self.may_linger = True
        self.is_broken = False
        self.disabled = ""

    def __call__(self, command: Sequence[str]) -> Ran:
        asked = " ".join(command)
        self.asked.append(asked)
        match list(command):
            case ["systemctl", "--user", "is-system-running"]:
                return Ran(0, self.manager)
            case ["systemctl", "--user", "is-enabled", unit]:
                return Ran(0, "enabled") if unit in self.enabled else Ran(1, "disabled")
            case ["systemctl", "--user", *_] if self.is_broken:
                return Ran(1, "Failed to connect to bus: No medium found")
            case ["systemctl", "--user", "enable", unit]:
                self.enabled.add(unit)
            case ["systemctl", "--user", "disable", unit]:
                self.enabled.discard(unit)
            case ["loginctl", "show-user", *_]:
                return Ran(0, self.linger)
            case ["loginctl", "enable-linger"]:
                return Ran(0, "") if self.may_linger else Ran(1, "Access denied")
            case ["launchctl", "print-disabled", _]:
                return Ran(0, self.disabled)
            case _:
                pass
        return Ran(0, "")


def on(tmp_path: Path, system: System, **variables: str) -> SystemdUnit:
    found = on_linux(a_program(tmp_path), system, {"XDG_CONFIG_HOME": str(tmp_path), **variables})
    assert isinstance(found, SystemdUnit)
    return found


def test_a_unit_is_written_enabled_and_gone_again(tmp_path: Path) -> None:
    system = System()
    unit = on(tmp_path, system)
    for _ in range(2):
        state = unit.turn_on()
        assert (state.is_on, state.place) == (True, str(tmp_path / "systemd/user/deskhand.service"))
        assert '"/opt/desk hand/deskhand" "--headless"' in unit.file.read_text()
        assert unit.state().is_on
    assert not any(" start " in asked for asked in system.asked), "a worker may run already"
    for _ in range(2):
        assert not unit.turn_off().is_on
        assert list(unit.file.parent.iterdir()) == []
    assert system.enabled == set()
    assert not any("--now" in asked or " stop " in asked for asked in system.asked)


def test_a_service_is_started_at_once_when_asked(tmp_path: Path) -> None:
    system = System()
    on(tmp_path, system).turn_on(is_now=True)
    assert "systemctl --user start deskhand.service" in system.asked


def test_a_unit_of_an_earlier_version_is_written_anew(tmp_path: Path) -> None:
    unit = on(tmp_path, System())
    unit.file.parent.mkdir(parents=True)
    unit.file.write_text("[Service]\nExecStart=/old/deskhand\n")
    unit.turn_on()
    assert "/old/" not in unit.file.read_text()


def test_a_unit_is_not_written_through_a_link(tmp_path: Path) -> None:
    unit = on(tmp_path, System())
    unit.file.parent.mkdir(parents=True)
    mine = tmp_path / "mine"
    mine.write_text("mine")
    unit.file.symlink_to(mine)
    unit.turn_on()
    assert mine.read_text() == "mine"
    assert not unit.file.is_symlink()
    assert stat.S_IMODE(unit.file.stat().st_mode) & 0o022 == 0


def test_a_unit_switched_off_behind_our_back_is_told_as_off(tmp_path: Path) -> None:
    system = System()
    unit = on(tmp_path, system)
    unit.turn_on()
    system.enabled.clear()
    state = unit.state()
    assert not state.is_on
    assert state.notes == ("It was switched off in systemd.",)


@pytest.mark.parametrize(
    ("linger", "may", "words"),
    [("yes", False, "with the machine"), ("no", True, "with the machine"),
     ("no", False, "sudo loginctl enable-linger")],
)  # fmt: skip
def test_without_a_screen_it_is_to_start_with_the_machine(
    tmp_path: Path, linger: str, may: bool, words: str
) -> None:
    system = System(linger=linger)
    system.may_linger = may
    (note,) = on(tmp_path, system).turn_on().notes
    assert words in note


def test_with_a_screen_nobody_is_made_to_linger(tmp_path: Path) -> None:
    system = System()
    assert on(tmp_path, system, DISPLAY=":0").turn_on().notes == ()
    assert not any("linger" in asked for asked in system.asked)


def test_a_systemd_that_refuses_is_quoted(tmp_path: Path) -> None:
    system = System()
    system.is_broken = True
    with pytest.raises(Unavailable) as refused:
        on(tmp_path, system).turn_on()
    assert "Failed to connect to bus" in refused.value.message


def test_a_desktop_without_systemd_gets_an_entry(tmp_path: Path) -> None:
    variables = {"XDG_CONFIG_HOME": str(tmp_path), "DISPLAY": ":0"}
    found = on_linux(a_program(tmp_path), System(manager="offline"), variables)
    assert found is not None
    entry = tmp_path / "autostart" / "deskhand.desktop"
    for _ in range(2):
        state = found.turn_on()
        assert (state.is_on, state.place) == (True, str(entry))
    entry.write_text(entry.read_text() + "Hidden=true\n")
    assert not found.state().is_on
    assert "switched off" in found.state().notes[0]
    assert found.turn_on().is_on, "somebody asked for it anew"
    assert not found.turn_off().is_on
    assert not found.turn_off().is_on
    assert not entry.exists()


def test_a_worker_that_is_started_at_once_writes_its_words_into_a_file(tmp_path: Path) -> None:
    done = tmp_path / "done"
    os.mkfifo(done)
    code = f"print('here I am', flush=True); open({str(done)!r}, 'w').close()"
    log = tmp_path / "data" / "worker.log"
    program = Program(command=(sys.executable, "-c", code), home="", log=log)
    variables = {"XDG_CONFIG_HOME": str(tmp_path), "DISPLAY": ":0"}
    found = on_linux(program, System(manager="offline"), variables)
    assert found is not None
    found.turn_on(is_now=True)
    done.read_text()  # waits for its other end
    login_start._STARTED.pop().wait()
    assert log.read_text() == "here I am\n"


@pytest.mark.parametrize("manager", ["offline", "", "Failed to connect to bus: No medium found"])
def test_a_system_that_starts_nothing_says_so(tmp_path: Path, manager: str) -> None:
    variables = {"XDG_CONFIG_HOME": str(tmp_path)}
    with pytest.raises(Unavailable) as refused:
        autostart_here(
            a_program(tmp_path), run=System(manager=manager), variables=variables, platform="linux"
        )
    assert refused.value.code == "autostart_impossible"
    assert "container" in refused.value.hint


def test_two_profiles_do_not_share_an_entry(tmp_path: Path) -> None:
    variables = {"XDG_CONFIG_HOME": str(tmp_path)}
    one = on_linux(a_program(tmp_path, home="/a"), System(), variables)
    other = on_linux(a_program(tmp_path, home="/b"), System(), variables)
    assert one is not None
    assert other is not None
    one.turn_on()
    other.turn_on()
    other.turn_off()
    assert Path(one.turn_on().place).exists()


def test_a_launch_agent_is_written_and_gone_again(tmp_path: Path) -> None:
    system = System()
    agent = LaunchAgent(a_program(tmp_path), system, tmp_path)
    for _ in range(2):
        assert agent.turn_on().is_on
    told = plistlib.loads(agent.file.read_bytes())
    assert told["ProgramArguments"] == ["/opt/desk hand/deskhand", "--headless"]
    assert not any("bootstrap" in asked for asked in system.asked)
    agent.turn_on(is_now=True)
    assert system.asked[-2].startswith("launchctl bootstrap gui/")
    system.disabled = f'"{agent.label}" => disabled'
    assert not agent.state().is_on
    for _ in range(2):
        assert not agent.turn_off().is_on
    assert not any("bootout" in asked for asked in system.asked[-2:]), "what runs goes on"


class Registry(dict[tuple[str, str], str | bytes]):
    """The registry as a mapping: what there is, is there."""

    def read(self, key: str, name: str) -> str | bytes | None:
        return self.get((key, name))

    def write(self, key: str, name: str, value: str) -> None:
        self[key, name] = value

    def delete(self, key: str, name: str) -> None:
        self.pop((key, name), None)


def test_a_run_key_is_written_and_gone_again(tmp_path: Path) -> None:
    registry = Registry()
    entry = RunKey(a_program(tmp_path), registry)
    for _ in range(2):
        assert entry.turn_on().is_on
    assert registry == {(RUN, "Deskhand"): '"/opt/desk hand/deskhand" "--headless"'}
    registry[APPROVED, "Deskhand"] = bytes([3, 0, 0, 0])
    state = entry.state()
    assert not state.is_on
    assert "Task Manager" in state.notes[0]
    registry[APPROVED, "Deskhand"] = bytes([2, 0, 0, 0])
    assert entry.state().is_on
    for _ in range(2):
        assert not entry.turn_off().is_on
    assert registry == {}


def test_a_program_of_the_system_that_is_missing_is_a_failure_like_others() -> None:
    assert run_program(("no-such-program-at-all",)).code == 127
    assert run_program((sys.executable, "-c", "print(5)")) == Ran(0, "5")


@pytest.mark.skipif(sys.platform != "linux", reason="the desktop entry is Linux's")
def test_the_command_line_says_which_file_it_wrote(tmp_path: Path) -> None:
    """The real program, and a desktop that has no systemd: none answers in an empty PATH."""
    tools = tmp_path / "bin"
    tools.mkdir()
    environment = {
        **os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "DISPLAY": ":0",
        "PATH": str(tools),
    }  # fmt: skip

    def said(switch: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "desktop", "--home", tmp_path / "o w", "autostart", switch],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    assert said("status") == "The worker does not start at login.\n"
    (entry,) = [line for line in said("on").splitlines() if "This does it: " in line]
    written = Path(entry.removeprefix("This does it: ")).read_text()
    assert f'"--home" "{tmp_path / "o w"}" "--headless"' in written
    assert said("status").startswith("The worker starts at login.")
    assert said("off") == said("status") == "The worker does not start at login.\n"
    assert list((tmp_path / "config" / "autostart").iterdir()) == []
