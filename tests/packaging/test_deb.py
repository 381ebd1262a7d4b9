"""The Debian package: installed aside, run as a person would, removed. `make build` runs this.

DESKHAND_DEB names the package. It is installed into a root of its own, so nothing of this
machine's changes; the frozen hub in it is the counterpart.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.desktop.gui.tray.panel import Panel, Thread
from tests.desktop.gui.tray.programs import a_bus, a_screen, need, plain, running, wait_for

DEB = os.environ.get("DESKHAND_DEB", "")
pytestmark = [
    pytest.mark.outside,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not DEB, reason="no package was built: make build"),
]
CODE = re.compile(r"\b[A-Z]{4}-[A-Z]{4}\b")
ANSWER_SECONDS = 60.0


@dataclass
class Machine:
    """A computer with the package on it, and the home of somebody who uses it."""

    root: Path
    home: Path
    name: str

    def dpkg(self, *arguments: str) -> None:
        as_root = [] if os.geteuid() == 0 else ["fakeroot"]
        command = [*as_root, "dpkg", f"--root={self.root}", "--force-depends", *arguments]
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        told = subprocess.run(
            command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stderr

    @property
    def files(self) -> set[str]:
        """What is installed, without the list of packages itself."""
        return {
            place.relative_to(self.root).as_posix()
            for place in self.root.rglob("*")
            if "var/lib/dpkg" not in place.as_posix() and not place.is_dir()
        }

    def program(self, name: str) -> str:
        """Find a program behind its link in /usr/bin, as a shell on that computer would."""
        link = self.root / "usr" / "bin" / name
        return f"{self.root}{link.readlink()}"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    need("dpkg", "Xvfb", "openbox", "dbus-daemon")
    root, home = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    for place in ("info", "updates"):
        (root / "var" / "lib" / "dpkg" / place).mkdir(parents=True)
    (root / "var" / "lib" / "dpkg" / "status").touch()
    name = subprocess.run(
        ["dpkg-deb", "--field", DEB, "Package"], capture_output=True, text=True, check=True
    ).stdout.strip()
    made = Machine(root=root, home=home, name=name)
    made.dpkg("--install", DEB)
    yield made
    shutil.rmtree(root, ignore_errors=True)


@dataclass
class Desk:
    """A session on that computer with a hub, and the tray app online."""

    machine: Machine
    environment: dict[str, str]
    panel: Panel
    app: subprocess.Popen[str]

    def says(self, text: str) -> str:
        """Send lines to the hub's chat; return all that was answered."""
        hub = self.machine.program("deskhand-hub")
        return subprocess.run(
            [hub, "chat"], env=self.environment, input=text, capture_output=True, text=True,
            timeout=ANSWER_SECONDS, check=True,
        ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def desk(machine: Machine) -> Iterator[Desk]:
    files = machine.home / "files"
    files.mkdir()
    shutil.copy(Path(__file__).parents[2] / "desktop/jobs/data/samples/flights.csv", files)
    with ExitStack() as stack:
        address = stack.enter_context(a_bus())
        variables = stack.enter_context(a_screen(address))
        thread = Thread()
        stack.callback(thread.close)
        environment = person(machine, address) | variables
        base = f"http://127.0.0.1:{environment['HUB_PORT']}"
        stack.enter_context(running([machine.program("deskhand-hub"), "serve"], environment))
        wait_for(lambda: answers(f"{base}/api/v1/health"), "the hub")
        invited = run(environment, machine.program("deskhand-hub"), "invite", "--yes")
        code = CODE.search(invited)
        assert code is not None, invited
        deskhand = machine.program("deskhand")
        run(environment, deskhand, "pair", code[0], "--hub", base, "--folder", str(files))
        panel = Panel(thread, address)
        stack.callback(panel.go)
        panel.come()
        app = stack.enter_context(running([deskhand, "--background"], environment))
        panel.until_icon()
        panel.until_tooltip("Ready")
        yield Desk(machine=machine, environment=environment, panel=panel, app=app)


def person(machine: Machine, address: str) -> dict[str, str]:
    """The environment of somebody who has never heard of Python."""
    kept = {name: value for name, value in plain(address).items() if name != "PYTHONPATH"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ours = {"HOME": str(machine.home), "PATH": "/usr/bin:/bin", "HUB_PORT": str(port)}
    return kept | ours | {"HUB_DATA": str(machine.home / "hub")}


def run(environment: dict[str, str], *command: str) -> str:
    told = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as told:
            return bool(told.status == 200)
    except OSError:
        return False


def test_a_package_brings_a_menu_entry_for_its_links_and_nothing_that_starts_by_itself(
    machine: Machine,
) -> None:
    entry = (machine.root / "usr/share/applications/deskhand.desktop").read_text()
    assert "MimeType=x-scheme-handler/deskhand;" in entry
    assert "StartupWMClass=deskhand" in entry
    if shutil.which("desktop-file-validate"):
        place = machine.root / "usr/share/applications/deskhand.desktop"
        run(dict(os.environ), "desktop-file-validate", str(place))
    assert "usr/share/icons/hicolor/scalable/apps/deskhand.svg" in machine.files
    assert not [file for file in machine.files if "autostart" in file or "systemd" in file]
    assert not list((machine.root / "var/lib/dpkg/info").glob("*inst")), "no scripts run as root"


def test_no_library_of_the_system_is_brought_along_and_each_missing_one_is_depended_upon(
    machine: Machine,
) -> None:
    need("objdump")
    inside = machine.root / "opt/deskhand/_internal"
    libraries = [file for file in inside.rglob("*.so*") if file.is_file()]
    names = {file.name for file in libraries}
    foreign = ("libgtk", "libgio", "libglib", "libwayland", "libX11", "libxcb", "libGL", "libEGL",
               "libdbus", "libfontconfig", "libfreetype", "libstdc++")  # fmt: skip
    assert not [name for name in names if name.startswith(foreign)]
    needed: set[str] = set()
    for file in libraries:
        told = run(dict(os.environ), "objdump", "-p", str(file))
        needed |= {line.split()[1] for line in told.splitlines() if " NEEDED " in line}
    depends = run(dict(os.environ), "dpkg-deb", "--field", DEB, "Depends")
    unknown = [name for name in needed - names if not package_of(name, depends)]
    assert unknown == []


def package_of(library: str, depends: str) -> bool:
    """Whether one of the packages holds a library, on the machine that builds."""
    glibc = ("libc.", "libm.", "libdl.", "librt.", "libpthread.", "ld-linux", "libresolv.")
    if library.startswith(glibc):
        return "libc6" in depends
    told = subprocess.run(
        ["dpkg", "--search", f"*/{library}"], capture_output=True, text=True, check=False
    ).stdout
    owners = {line.split(":")[0] for line in told.splitlines()}
    packages = {name.split(" ")[0] for part in depends.split(", ") for name in part.split(" | ")}
    return bool(owners & {name.strip() for name in packages})


def test_a_person_pairs_it_and_it_does_a_job(desk: Desk) -> None:
    if desk.machine.name == "deskhand-ml":
        assert "flights.csv" in desk.says("/describe flights.csv\n")
        return
    assert "flights.csv" in desk.says("/send flights.csv\n")
    got = desk.machine.home / "got"
    got.mkdir()
    run(
        desk.environment, desk.machine.program("deskhand-hub"), "get", "flights.csv", "-o", str(got)
    )
    original = desk.machine.home / "files" / "flights.csv"
    assert (got / "flights.csv").read_bytes() == original.read_bytes()


def test_a_second_start_shows_the_one_that_runs(desk: Desk) -> None:
    run(desk.environment, desk.machine.program("deskhand"))
    assert desk.app.poll() is None


def test_quit_in_its_menu_ends_it(desk: Desk) -> None:
    desk.panel.choose("Quit")
    assert desk.app.wait(15) == 0


def test_removing_it_leaves_nothing_but_what_is_the_persons(desk: Desk, machine: Machine) -> None:
    assert desk.app.poll() is not None
    machine.dpkg("--purge", machine.name)
    assert machine.files == set()
    assert (machine.home / ".local/share/deskhand").is_dir(), "their jobs and models stay"
    assert not list((machine.home / ".config").glob("autostart/*"))
    assert not [file for file in machine.home.rglob("*") if file.suffix == ".service"]
