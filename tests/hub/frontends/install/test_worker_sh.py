"""worker.sh, run by real shells against a real hub, in a home of its own."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hub.app import Hub
from tests.hub.frontends.install.shells import packed_worker, ran

CODE = "BCDF-GHJK"
ARCH = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}[
    platform.machine().lower()
]
# fmt: off
TOOLS = (
    "sh", "cat", "cp", "curl", "cut", "df", "awk", "grep", "getent", "id", "ln", "mkdir", "mktemp",
    "mv", "readlink", "rm", "sed", "sha256sum", "tail", "tar", "gzip", "tr", "uname", "env",
)
# fmt: on

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the archives are Linux's")


@dataclass
class Server:
    """A computer that shall become a worker."""

    hub: Hub
    home: Path
    tools: Path
    """Its whole PATH: no Python in it."""

    async def script(self) -> bytes:
        async with httpx.AsyncClient(base_url=self.hub.settings.local_url, timeout=30) as http:
            return (await http.get("/worker.sh")).content

    async def run(
        self, *words: str, script: bytes | None = None, shell: tuple[str, ...] = ("sh",)
    ) -> tuple[int, str]:
        given = await self.script() if script is None else script
        path = {"PATH": str(self.tools)}
        return await ran([*shell, "-s", "--", *words], given, self.home, path)

    def offers(self, version: str, mark: str = "") -> Path:
        """Put a self-contained worker into the hub's folder."""
        place = self.hub.settings.downloads / f"deskhand-worker-linux-{ARCH}-{version}.tar.gz"
        place.write_bytes(packed_worker(mark))
        return place

    def has(self, tool: str, text: str) -> None:
        """Put a program of the test's in place of one of the tools."""
        place = self.tools / tool
        place.unlink(missing_ok=True)
        place.write_text(f"#!/bin/sh\n{text}\n")
        place.chmod(0o755)

    @property
    def program(self) -> Path:
        return self.home / ".local/share/deskhand/program"

    def versions(self) -> list[str]:
        return sorted(p.name.partition("-")[0] for p in self.program.iterdir() if p.is_dir())

    def pairs(self) -> list[str]:
        """What the worker was told when it was to pair."""
        said = self.home / "said"
        lines = said.read_text().splitlines() if said.exists() else []
        return [line.strip() for line in lines if line.startswith("[pair]")]

    def is_untouched(self) -> bool:
        """Whether nothing was installed, not even half."""
        files = [place for place in self.home.rglob("*") if not place.is_dir()]
        return files == [] and not (self.program / "current").is_symlink()


@pytest.fixture
def server(hub: Hub, tmp_path: Path) -> Server:
    home, tools = tmp_path / "home of anna", tmp_path / "tools"
    home.mkdir()
    tools.mkdir()
    for tool in TOOLS:
        place = shutil.which(tool)
        assert place is not None, tool
        (tools / tool).symlink_to(place)
    return Server(hub, home, tools)


@pytest.mark.parametrize("shell", [("sh",), ("dash",), ("bash",), ("busybox", "sh")], ids=" ".join)
async def test_one_line_makes_a_worker_without_any_python(
    server: Server, shell: tuple[str, ...]
) -> None:
    place = shutil.which(shell[0])
    if place is None:
        pytest.skip(f"{shell[0]} is not installed")
    server.offers("1.0")
    words = ("--name", "anna's pc", "bcdfghjk", "--folder", "/a b", "--folder", "/c", "--service")
    code, said = await server.run(*words, shell=(place, *shell[1:]))
    assert code == 0, said
    assert f"becomes a worker of {server.hub.settings.local_url}" in said
    url = server.hub.settings.local_url
    rest = "[--name] [anna's pc] [--folder] [/a b] [--folder] [/c] [--service]"
    assert server.pairs() == [f"[pair] [{CODE}] [--hub] [{url}] {rest}"]
    command = server.home / ".local/bin/deskhand"
    assert command.resolve() == (server.program / "current").resolve() / "deskhand"
    assert not list(server.program.glob(".fresh*"))


async def test_what_it_will_do_is_said_before_anything_is_done(server: Server) -> None:
    server.offers("1.0")
    server.has("mktemp", "exit 1")
    code, said = await server.run(CODE)
    assert code == 1
    assert str(server.program) in said
    assert "no root is needed" in said
    assert server.is_untouched()


async def test_half_a_script_does_nothing_wherever_it_was_cut(server: Server) -> None:
    server.offers("1.0")
    script = (await server.script()).rstrip(b"\n")
    cuts = {len(script) * share // 100 for share in range(5, 100, 5)}
    cuts |= set(range(len(script) - 20, len(script)))
    for cut in sorted(cuts):
        await server.run(CODE, script=script[:cut])
        assert list(server.home.iterdir()) == [], f"cut at {cut} of {len(script)}"
    code, said = await server.run(CODE, script=script)
    assert code == 0, said


async def test_a_file_that_is_not_what_the_script_says_is_refused(server: Server) -> None:
    place = server.offers("1.0")
    script = await server.script()
    place.write_bytes(packed_worker("somebody else's"))
    code, said = await server.run(CODE, script=script)
    assert code == 1
    assert "did not arrive as the hub sent it; nothing was installed" in said
    assert server.is_untouched()
    assert server.pairs() == []


async def test_a_file_that_is_gone_leaves_nothing_half_installed(server: Server) -> None:
    place = server.offers("1.0")
    script = await server.script()
    place.unlink()
    code, said = await server.run(CODE, script=script)
    assert code == 1
    assert "could not be fetched" in said
    assert server.is_untouched()


async def test_the_second_run_neither_fetches_nor_pairs_again(server: Server) -> None:
    server.offers("1.0")
    assert (await server.run(CODE))[0] == 0
    script = await server.script()
    (server.hub.settings.downloads / f"deskhand-worker-linux-{ARCH}-1.0.tar.gz").unlink()
    code, said = await server.run("ZZZZ-ZZZZ", script=script)
    assert code == 0, said
    assert "installed already" in said
    assert "paired with" in said
    assert len(server.pairs()) == 1
    code, said = await server.run("ZZZZ-ZZZZ", "--again", script=script)
    assert code == 0, said
    assert len(server.pairs()) == 2


async def test_a_newer_worker_takes_the_place_and_the_former_stays_for_a_while(
    server: Server,
) -> None:
    for version, kept in (("1.0", ["1.0"]), ("1.1", ["1.0", "1.1"]), ("1.2", ["1.1", "1.2"])):
        server.offers(version, mark=version)
        code, said = await server.run(CODE)
        assert code == 0, said
        current = (server.program / "current").resolve()
        assert current.name.startswith(f"{version}-")
        assert version in (current / "deskhand").read_text()
        assert sorted({*server.versions()} - {"current"}) == kept
    assert len(server.pairs()) == 1


async def test_a_worker_that_does_not_start_changes_nothing(server: Server) -> None:
    server.offers("1.0")
    assert (await server.run(CODE))[0] == 0
    before = (server.program / "current").resolve()
    server.offers("1.1", mark="\nexit 3").touch()
    broken = server.hub.settings.downloads / f"deskhand-worker-linux-{ARCH}-1.1.tar.gz"
    broken.write_bytes(packed_worker("\nexit 3"))
    code, said = await server.run(CODE)
    assert code == 1
    assert "does not start on this system" in said
    assert (server.program / "current").resolve() == before


@pytest.mark.parametrize(
    "words",
    [("BCDF-GHJ",), ("1234-5678",), ("BCDF;reboot",), ("--folder",), ("--nonsense",), (CODE, CODE)],
)
async def test_a_command_line_that_means_nothing_changes_nothing(
    server: Server, words: tuple[str, ...]
) -> None:
    server.offers("1.0")
    code, said = await server.run(*words)
    assert code == 2
    assert "Usage: " in said
    assert server.is_untouched()


async def test_a_refused_code_is_told_and_the_next_one_goes_on_from_there(server: Server) -> None:
    server.offers("1.0")
    (server.home / "refuses").touch()
    code, said = await server.run(CODE)
    assert code == 1
    assert "The worker is installed, but it is not paired." in said
    assert "deskhand pair CODE --hub" in said
    (server.home / "refuses").unlink()
    code, said = await server.run(CODE)
    assert (code, "installed already" in said) == (0, True)


async def test_a_full_disk_is_told_before_anything_is_fetched(server: Server) -> None:
    server.offers("1.0")
    server.has("df", "echo head; echo /dev/disk 100 100 1024 99% /")
    code, said = await server.run(CODE)
    assert code == 1
    assert "has 1 MB free" in said
    assert server.is_untouched()


async def test_without_python_and_without_a_worker_it_says_what_to_install(server: Server) -> None:
    code, said = await server.run(CODE)
    assert code == 1
    assert "has no Python 3.11 or newer" in said
    assert server.is_untouched()


async def test_an_old_python_is_no_python(server: Server) -> None:
    server.has("python3", "exit 1")
    server.has("apt-get", "")
    code, said = await server.run(CODE)
    assert code == 1
    assert "apt-get install python3 python3-venv" in said


async def test_a_python_without_venv_is_told_with_the_command(server: Server) -> None:
    server.has("python3", "case $2 in *ensurepip*) exit 1 ;; *print*) echo 3.12 ;; esac")
    code, said = await server.run(CODE)
    assert code == 1
    assert "apt-get install python3.12-venv" in said
    assert server.is_untouched()


async def test_wget_does_where_there_is_no_curl(server: Server) -> None:
    wget = shutil.which("wget")
    if wget is None:
        pytest.skip("wget is not installed")
    (server.tools / "curl").unlink()
    (server.tools / "wget").symlink_to(wget)
    server.offers("1.0")
    code, said = await server.run(CODE)
    assert code == 0, said
    (server.tools / "wget").unlink()
    code, said = await server.run(CODE)
    assert (code, "neither curl nor wget" in said) == (1, True)


async def test_somebody_elses_deskhand_command_is_left_alone(server: Server) -> None:
    command = server.home / ".local/bin/deskhand"
    command.parent.mkdir(parents=True)
    command.write_text("mine")
    server.offers("1.0")
    code, said = await server.run(CODE)
    assert code == 0, said
    assert command.read_text() == "mine"
    assert str(server.program / "current/deskhand") in said


@pytest.mark.slow
@pytest.mark.outside
@pytest.mark.timeout(300)
async def test_with_python_alone_the_wheel_of_the_hub_is_installed(
    server: Server, tmp_path: Path
) -> None:
    invited = await server.hub.services.pairing.invite(
        (await server.hub.services.registry.people())[0].person_id, is_approved=True
    )
    given = await server.script()
    path = {"PATH": os.environ["PATH"]}
    code, said = await ran(
        ["sh", "-s", "--", invited.code, "--slim", "--pip", "--name", "slim-pc"],
        given,
        server.home,
        path,
    )
    assert code == 0, said
    assert "slim-pc now works for me" in said
    status = await ran([str(server.home / ".local/bin/deskhand"), "status"], b"", server.home, path)
    assert f"({server.hub.settings.local_url})" in status[1]
