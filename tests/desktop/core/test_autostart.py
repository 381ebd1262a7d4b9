"""What systems read to start a program at login: the very text, and odd paths that survive it."""

from __future__ import annotations

import plistlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.autostart import (
    RUN_CHARS_MAX,
    desktop_entry,
    entry_name,
    is_hidden,
    launch_agent,
    run_value,
    systemd_unit,
)
from shared.errors import BadInput

PLAIN = ("/opt/deskhand/deskhand", "--headless")
ODD = ("/o d/%h $HOME `id`/desk\\hand", "--home", 'a "b" 100% $x \\', "--headless")
LETTERS = st.characters(
    min_codepoint=32, max_codepoint=0x2FF, exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")
)
PARTS = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=4)


def test_a_unit_restarts_after_a_crash_and_not_after_a_refusal() -> None:
    assert systemd_unit(PLAIN) == (
        "# Written by `deskhand autostart on`; `deskhand autostart off` removes it.\n"
        "[Unit]\nDescription=Deskhand worker\nStartLimitIntervalSec=0\n\n"
        '[Service]\nType=exec\nExecStart="/opt/deskhand/deskhand" "--headless"\n'
        "Restart=on-failure\nRestartSec=30\nRestartPreventExitStatus=3\nKillMode=mixed\n"
        "TimeoutStopSec=20\n\n[Install]\nWantedBy=default.target\n"
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("folder", ["plain", "o d", "50%h", "q'uote", 'd"quote', "$HOME", "b\\s"])
def test_systemd_itself_takes_a_unit_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """It looks for the program as well, so a path that it reads otherwise is not found."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    program = tmp_path / folder / "deskhand"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "deskhand.service"
    unit.write_text(systemd_unit((str(program), *ODD[1:])))
    looked = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (looked.returncode, looked.stderr) == (0, "")


def test_a_path_that_no_unit_can_hold_is_told() -> None:
    with pytest.raises(BadInput) as refused:
        systemd_unit(('/a"b=c/deskhand', "--headless"))
    assert refused.value.code == "path_unusable"


def _systemd_argv(unit: str) -> list[str]:
    """Read ExecStart as systemd.service(5) and systemd.syntax(7) say."""
    (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)
    found = [re.sub(r"\\(.)", r"\1", quoted) or bare for quoted, bare in words]
    first, *rest = [word.replace("%%", "%") for word in found]
    argv = [first, *(word.replace("$$", "$") for word in rest)]
    return argv[1:] if first == "/usr/bin/env" else argv


@given(PARTS)
def test_a_unit_keeps_every_argument(parts: list[str]) -> None:
    try:
        unit = systemd_unit(parts)
    except BadInput:
        assert "=" in parts[0]
        return
    assert _systemd_argv(unit) == parts


def _entry_argv(entry: str) -> list[str]:
    """Read Exec as the Desktop Entry Specification says: a string first, then its quotes."""
    (line,) = re.findall(r"^Exec=(.*)$", entry, re.MULTILINE)
    value = re.sub(r"\\\\", r"\\", line)
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    return [re.sub(r'\\(["`$\\])', r"\1", word).replace("%%", "%") for word in words]


@given(PARTS)
def test_a_desktop_entry_keeps_every_argument(parts: list[str]) -> None:
    assert _entry_argv(desktop_entry(parts)) == parts


def test_a_desktop_entry_is_one_that_desktops_read() -> None:
    lines = desktop_entry(PLAIN).splitlines()
    assert lines[0] == "[Desktop Entry]"
    assert 'Exec="/opt/deskhand/deskhand" "--headless"' in lines
    assert {"Type=Application", "Name=Deskhand", "Terminal=false"} <= set(lines)


@pytest.mark.parametrize(
    "line", ["Hidden=true", "hidden = TRUE", "X-GNOME-Autostart-enabled=false"]
)
def test_an_entry_that_somebody_switched_off_is_seen(line: str) -> None:
    assert not is_hidden(desktop_entry(PLAIN))
    assert is_hidden(desktop_entry(PLAIN) + line + "\n")


@given(PARTS)
def test_a_launch_agent_keeps_every_argument_and_is_not_kept_alive(parts: list[str]) -> None:
    told = plistlib.loads(launch_agent("org.deskhand.worker", parts, "/tmp/log"))
    assert told["ProgramArguments"] == parts
    assert told["RunAtLoad"] is True
    assert "KeepAlive" not in told


def _windows_argv(line: str) -> list[str]:
    """Read a command line by the rules of CommandLineToArgvW, all arguments being quoted."""
    words = re.findall(r'"((?:[^"\\]|\\+"|\\+(?!"))*?(?:\\\\)*)"(?= "|$)', line)
    return [re.sub(r'(\\+)(?="|$)', lambda m: "\\" * (len(m[1]) // 2), w) for w in words]


@pytest.mark.parametrize(
    "parts",
    [
        ["C:\\Program Files\\Deskhand\\deskhand.exe", "--headless"],
        ["C:\\50% off\\d.exe", "--home", "C:\\Users\\Ann a\\", "--headless"],
        ["d.exe", 'say "hi"', 'C:\\q\\"', "\\\\server\\share\\\\"],
    ],
)
def test_a_run_value_keeps_every_argument(parts: list[str]) -> None:
    assert _windows_argv(run_value(parts)) == parts


def test_a_run_value_is_quoted_from_its_first_letter_on() -> None:
    """ "C:\\Program.exe" must not be started in the place of "C:\\Program Files\\…"."""
    value = run_value(("C:\\Program Files\\deskhand.exe", "--headless"))
    assert value == '"C:\\Program Files\\deskhand.exe" "--headless"'


def test_a_command_that_windows_would_cut_is_told() -> None:
    with pytest.raises(BadInput) as refused:
        run_value(("C:\\" + "x" * RUN_CHARS_MAX, "--headless"))
    assert str(RUN_CHARS_MAX) in refused.value.message


@pytest.mark.parametrize("part", ["a\nb", "a\x00b", "a\x1bb", "a\rb", ""])
def test_no_path_writes_lines_of_its_own(part: str) -> None:
    for build in (systemd_unit, desktop_entry, run_value):
        with pytest.raises(BadInput):
            build(("/opt/deskhand", "--home", part))
    with pytest.raises(BadInput):
        launch_agent("org.deskhand.worker", ("/opt/deskhand", part), "/tmp/log")


def test_every_profile_has_an_entry_of_its_own() -> None:
    assert entry_name("") == "deskhand"
    assert entry_name("/a") != entry_name("/b")
    assert re.fullmatch(r"deskhand-[0-9a-f]{8}", entry_name("/a"))
