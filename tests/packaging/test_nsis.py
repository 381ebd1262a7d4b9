"""The Windows installer, built with a stand-in payload and run by wine on a screen of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "packaging" / "windows" / "deskhand.nsi"
PROGRAMS = ("deskhand.exe", "deskhandw.exe", "deskhand-job.exe", "deskhand-hub.exe")
UNINSTALL = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Deskhand"
RUN = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"
SCHEME = r"HKCU\Software\Classes\deskhand"
WINE = shutil.which("wine64") or shutil.which("wine") or ""
pytestmark = [
    pytest.mark.outside,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not os.environ.get("DESKHAND_PACKAGING"), reason="slow: make build does it"),
    pytest.mark.skipif(not shutil.which("makensis"), reason="makensis is not installed"),
]

STAND_IN = """\
OutFile "{output}"
Target amd64-unicode
SilentInstall silent
RequestExecutionLevel user
Section
  FileOpen $0 "$EXEDIR\\called.txt" a
  FileSeek $0 0 END
  FileWrite $0 "{name} $CMDLINE$\\r$\\n"
  FileClose $0
SectionEnd
"""


def makensis(script: Path, *defines: str) -> None:
    told = subprocess.run(
        ["makensis", "-V2", "-WX", *defines, str(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


@dataclass
class Windows:
    """A throw-away Windows."""

    folder: Path
    display: str

    def run(self, *command: str, is_expected: bool = True) -> str:
        told = subprocess.run(
            [WINE, *command], env=self.environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        if is_expected:
            assert told.returncode == 0, told.stdout + told.stderr[-2000:]
        subprocess.run(
            [shutil.which("wineserver") or "wineserver", "-w"],
            env=self.environment,
            timeout=60,
            check=False,
        )
        return told.stdout

    def server(self, switch: str) -> None:
        """Wait for all its programs to end (-w), or end them (-k)."""
        path = self.environment["PATH"]
        command = [shutil.which("wineserver", path=path) or "wineserver", switch]
        subprocess.run(command, env=self.environment, timeout=60, check=False)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{os.environ['PATH']}:/usr/lib/wine",
            "HOME": str(self.folder),
            "WINEPREFIX": str(self.folder / "prefix"),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree=;mshtml=",
            "DISPLAY": self.display,
        }

    def registered(self, key: str, value: str) -> str | None:
        """Read a value of the registry; None when it is not there."""
        asked = ["/ve"] if not value else ["/v", value]
        told = self.run("reg", "query", key, *asked, is_expected=False)
        for line in told.splitlines():
            if "REG_" in line:
                return line.split("REG_", maxsplit=1)[1].partition(" ")[2].strip()
        return None

    @property
    def program_folder(self) -> Path:
        users = self.folder / "prefix" / "drive_c" / "users"
        person = next(place for place in users.iterdir() if place.name != "Public")
        return person / "AppData" / "Local" / "Programs" / "Deskhand"


@pytest.fixture(scope="module")
def installers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two versions, the older one with a library that the newer one has not."""
    folder = tmp_path_factory.mktemp("installers")
    made = {}
    for version in ("0.1.0", "0.2.0"):
        payload = folder / version
        (payload / "_internal").mkdir(parents=True)
        (payload / "_internal" / f"of-{version}.dll").write_text("a library")
        for name in PROGRAMS:
            script = folder / f"{name}.nsi"
            script.write_text(STAND_IN.format(output=payload / name, name=name))
            makensis(script)
        made[version] = folder / f"Deskhand-{version}-x86_64.exe"
        defines = {"VERSION": version, "PAYLOAD": payload, "OUTPUT": made[version]}
        makensis(SCRIPT, *(f"-D{name}={value}" for name, value in defines.items()))
    return made


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Windows]:
    if not WINE:
        pytest.skip("wine64 is not installed")
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading) as told:
        made = Windows(tmp_path_factory.mktemp("wine"), f":{told.readline().strip()}")
    made.run("wineboot", "--init")
    yield made
    made.server("-k")
    screen.terminate()
    screen.wait(10)


def test_the_script_compiles_without_a_warning(installers: dict[str, Path]) -> None:
    assert all(file.read_bytes()[:2] == b"MZ" for file in installers.values())


def test_it_installs_for_this_person_alone_and_starts_nothing_at_login(
    windows: Windows, installers: dict[str, Path]
) -> None:
    windows.run(str(installers["0.1.0"]), "/S")
    folder = windows.program_folder
    assert {file.name for file in folder.iterdir()} == {*PROGRAMS, "_internal", "uninstall.exe"}
    assert windows.registered(UNINSTALL, "DisplayVersion") == "0.1.0"
    opened = windows.registered(rf"{SCHEME}\shell\open\command", "")
    assert opened is not None
    assert opened.endswith(r'\Programs\Deskhand\deskhandw.exe" "%1"')
    assert windows.registered(SCHEME, "URL Protocol") == ""
    assert windows.registered(RUN, "Deskhand") is None
    assert list(folder.parents[4].rglob("Deskhand.lnk")), "no entry in the start menu"


def test_a_newer_one_asks_the_running_one_to_quit_and_takes_its_place(
    windows: Windows, installers: dict[str, Path]
) -> None:
    windows.run(str(installers["0.2.0"]), "/S", "/AUTOSTART=1")
    folder = windows.program_folder
    assert "deskhand.exe" in (folder / "called.txt").read_text()
    assert "quit" in (folder / "called.txt").read_text()
    assert [file.name for file in (folder / "_internal").iterdir()] == ["of-0.2.0.dll"]
    assert windows.registered(UNINSTALL, "DisplayVersion") == "0.2.0"
    started = windows.registered(RUN, "Deskhand")
    assert started is not None
    assert started.endswith(r'deskhandw.exe" --background')


def test_removing_it_leaves_what_somebody_else_put_there_and_nothing_of_ours(
    windows: Windows,
) -> None:
    folder = windows.program_folder
    (folder / "called.txt").unlink(missing_ok=True)
    (folder / "mine.txt").write_text("not Deskhand's")
    # Without _?= it would copy itself aside and return before it is done.
    windows.run(str(folder / "uninstall.exe"), "/S", f"_?={windows_path(folder)}")
    left = {file.name for file in folder.iterdir()} - {"uninstall.exe", "called.txt"}
    assert left == {"mine.txt"}
    for key, value in ((UNINSTALL, "DisplayName"), (SCHEME, ""), (RUN, "Deskhand")):
        assert windows.registered(key, value) is None, key
    assert not list(folder.parents[4].rglob("Deskhand.lnk"))


def windows_path(folder: Path) -> str:
    inside = folder.parts[folder.parts.index("drive_c") + 1 :]
    return "C:\\" + "\\".join(inside)
