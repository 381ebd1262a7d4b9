"""The installers over real HTTP: what they say, what they give away, and what they never do."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import httpx
import pytest

from hub.app import Hub, running
from hub.frontends.install.address import Address
from hub.settings import Settings
from tests.hub.frontends.install.shells import ran

PUBLIC = "https://hub.example.org"


def site(hub: Hub) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=hub.settings.local_url, timeout=30)


def offer(hub: Hub, name: str, content: bytes = b"a worker") -> str:
    """Put a file into the downloads folder; return its sum."""
    (hub.settings.downloads / name).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


async def test_a_script_names_its_hub_and_the_sums_of_what_it_will_fetch(hub: Hub) -> None:
    told = offer(hub, "deskhand-worker-linux-x86_64-1.0.tar.gz", b"frozen")
    async with site(hub) as http:
        script = (await http.get("/worker.sh")).text
        assert f"hub='{hub.settings.local_url}'" in script
        assert f"linux-x86_64 1.0 deskhand-worker-linux-x86_64-1.0.tar.gz {told} 6" in script
        assert "@" not in script.replace('"$@"', "").replace("python@3.13", "")
        for line in script.splitlines():
            if line.startswith(("wheel=", "lock_slim=", "lock_ml=")):
                name, digest = line.partition("=")[2].strip("'").split()
                file = await http.get(f"/download/{name}")
                assert hashlib.sha256(file.content).hexdigest() == digest


@pytest.mark.parametrize("shell", [["sh", "-n"], ["shellcheck", "-"]], ids=["sh", "shellcheck"])
async def test_the_script_as_it_is_served_is_sound(hub: Hub, shell: list[str]) -> None:
    async with site(hub) as http:
        script = (await http.get("/worker.sh")).content
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    code, said = await ran(shell, script)
    assert code == 0, said


@pytest.mark.parametrize("path", ["/worker.sh", "/worker.ps1", "/download"])
async def test_an_address_that_the_asker_chose_is_never_told(hub: Hub, path: str) -> None:
    async with site(hub) as http:
        for header in ("Host", "X-Forwarded-Host", "Forwarded"):
            answer = await http.get(path, headers={header: "evil.example"})
            assert "evil.example" not in answer.text
            assert ("HUB_PUBLIC_URL" in answer.text) == (header == "Host")
        here = await http.get(path, headers={"Host": f"localhost:{hub.settings.port}"})
        assert "HUB_PUBLIC_URL" not in here.text
        assert hub.settings.local_url in here.text


async def test_the_public_address_is_told_whoever_asks(tmp_path: Path) -> None:
    settings = Settings(port=0, data=tmp_path, public_url=f"{PUBLIC}/")
    async with running(settings) as hub, site(hub) as http:
        for host in ("evil.example", "hub.example.org", f"127.0.0.1:{hub.settings.port}"):
            script = (await http.get("/worker.sh", headers={"Host": host})).text
            assert f"hub='{PUBLIC}'" in script
            assert "evil" not in script


async def test_a_script_without_an_address_says_so_and_does_nothing(
    hub: Hub, tmp_path: Path
) -> None:
    async with site(hub) as http:
        script = (await http.get("/worker.sh", headers={"Host": "192.0.2.7:8765"})).content
    home = tmp_path / "home"
    home.mkdir()
    code, said = await ran(["sh", "-s", "--", "BCDF-GHJK"], script, home)
    assert code == 1
    assert "HUB_PUBLIC_URL" in said
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        (PUBLIC, True),
        (f"{PUBLIC}:8443/deskhand", True),
        ("http://127.0.0.1:8765", True),
        ("http://[::1]:8765", True),
        ("http://hub.example.org", False),
        ("https://hub.example.org/$(reboot)", False),
        ("https://hub.example.org/'; reboot; '", False),
        ("https://hub.example.org/`reboot`", False),
        ("https://hub.example.org/\n", False),
        ("https://me:secret@hub.example.org", False),
    ],
)
def test_only_a_plain_and_safe_address_is_written_into_scripts(url: str, is_good: bool) -> None:
    told = Address(public_url=url, local_url="http://127.0.0.1:1").told_to("anything")
    assert told.url == (url if is_good else "")
    assert bool(told.trouble) == bool(told.mending) == (not is_good)


@pytest.mark.parametrize(
    ("host", "is_same"),
    [
        ("127.0.0.1:8765", True),
        ("localhost:8765", True),
        ("[::1]:8765", True),
        ("127.0.0.1:80", False),
        ("localhost", False),
        ("localhost.evil.example:8765", False),
        ("evil.example@127.0.0.1:8765", False),
        ("127.0.0.1:port", False),
        ("", False),
    ],
)
def test_the_local_address_is_for_those_who_came_by_it(host: str, is_same: bool) -> None:
    address = Address(public_url="", local_url="http://127.0.0.1:8765")
    assert bool(address.told_to(host).url) == is_same


async def test_only_plain_files_directly_in_the_folder_can_be_fetched(
    hub: Hub, tmp_path: Path
) -> None:
    folder = hub.settings.downloads
    offer(hub, "deskhand.deb", b"a package")
    offer(hub, ".secret")
    offer(hub, "half.tar.gz.part")
    (folder / "inner").mkdir()
    (folder / "inner" / "deep.txt").write_text("deep")
    (folder / "key.txt").symlink_to(hub.settings.admin_key_file)
    (folder / "up").symlink_to(hub.settings.data)
    async with site(hub) as http:
        good = await http.get("/download/deskhand.deb")
        assert (good.status_code, good.content) == (200, b"a package")
        assert good.headers["content-disposition"] == 'attachment; filename="deskhand.deb"'
        for path in (
            "..%2Fadmin.key",
            "../admin.key",
            "%2e%2e/admin.key",
            "..%5Cadmin.key",
            "inner",
            "inner/deep.txt",
            "inner%2Fdeep.txt",
            "key.txt",
            "up/admin.key",
            ".secret",
            "half.tar.gz.part",
            "none.txt",
            "-/worker.sh",
            "-/../site.py",
            "%00",
        ):
            gone = await http.get(f"/download/{path}")
            assert gone.status_code == 404, path
        listed = (await http.get("/download")).text
    assert "deskhand.deb" in listed
    for name in ("secret", "half", "inner", "key.txt", "up<"):
        assert name not in listed


async def test_a_broken_off_download_goes_on_where_it_stopped(hub: Hub) -> None:
    digest = offer(hub, "worker.bin", b"0123456789")
    async with site(hub) as http:
        rest = await http.get("/download/worker.bin", headers={"Range": "bytes=4-"})
        assert (rest.status_code, rest.content) == (206, b"456789")
        assert rest.headers["etag"] == f'"{digest}"'


async def test_a_file_that_was_replaced_has_a_new_sum(hub: Hub) -> None:
    async with site(hub) as http:
        for content in (b"first", b"second one"):
            digest = offer(hub, "worker.bin", content)
            assert digest in (await http.get("/download")).text


async def test_scripts_name_the_newest_worker_of_each_system(hub: Hub) -> None:
    for version in ("0.9.0", "0.10.0", "0.10.0rc1", "0.2"):
        offer(hub, f"deskhand-worker-linux-x86_64-{version}.tar.gz")
    offer(hub, "deskhand-worker-windows-x86_64-0.1.zip")
    offer(hub, "deskhand-worker-plan9-x86_64-0.1.tar.gz")
    async with site(hub) as http:
        shell = (await http.get("/worker.sh")).text
        power = (await http.get("/worker.ps1")).text
    assert "linux-x86_64 0.10.0 " in shell
    assert not any(f" {other} " in shell for other in ("0.9.0", "0.10.0rc1", "0.2"))
    assert "windows-x86_64" not in shell
    assert "plan9" not in shell
    assert "windows-x86_64 0.1 " in power


@pytest.mark.parametrize("path", ["/worker.sh", "/worker.ps1", "/download", "/download/none"])
async def test_answers_cannot_be_stored_framed_or_taken_for_something_else(
    hub: Hub, path: str
) -> None:
    async with site(hub) as http:
        answer = await http.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        refused = await http.post(path)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
        head = await http.head(path)
        assert (head.status_code, head.content) == (answer.status_code, b"")


async def test_the_page_reads_without_its_script_and_shows_every_system(hub: Hub) -> None:
    url = hub.settings.local_url
    text = ""
    async with site(hub) as http:
        for agent, first in (
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "windows"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "macos"),
            ("Mozilla/5.0 (X11; Linux x86_64)", "linux"),
            ("Mozilla/5.0 (Linux; Android 15)", ""),
            ("<script>alert(1)</script>", ""),
        ):
            text = (await http.get("/download", headers={"User-Agent": agent})).text
            order = sorted(("linux", "macos", "windows"), key=lambda s: text.index(f'id="{s}"'))
            assert not first or order[0] == first
            assert f"curl -fsSL {url}/worker.sh | sh -s " in text
            assert f"irm {url}/worker.ps1" in text
            assert "alert" not in text
        # The policy allows nothing inline, so nothing inline may be needed.
        assert text.count("<script") == 1
        assert 'style="' not in text
        assert "onclick" not in text
        for part in ("page.css", "page.js"):
            assert (await http.get(f"/download/-/{part}")).status_code == 200


async def test_a_hub_name_is_text_on_the_page(tmp_path: Path) -> None:
    settings = Settings(port=0, data=tmp_path, name="<b>@STEPS@</b>")
    async with running(settings) as hub, site(hub) as http:
        text = (await http.get("/download")).text
    assert "&lt;b&gt;@STEPS@&lt;/b&gt;" in text
    assert "<b>" not in text


async def test_the_page_says_what_the_operator_has_to_set(hub: Hub) -> None:
    async with site(hub) as http:
        text = (await http.get("/download", headers={"Host": "hub.lan"})).text
    assert "This hub does not know the address it is reached at." in text
    assert "HUB_PUBLIC_URL" in text
    assert "worker.sh |" not in text


WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
DEBIAN = "Mozilla/5.0 (X11; Linux x86_64)"


async def test_the_tray_app_for_this_system_is_the_button_and_older_ones_are_files(
    hub: Hub,
) -> None:
    for name in (
        "deskhand_0.9.0_amd64.deb",
        "deskhand_0.10.0_amd64.deb",
        "deskhand-ml_0.10.0_amd64.deb",
        "deskhand_0.10.0_arm64.deb",
        "Deskhand-0.10.0-x86_64.AppImage",
        "Deskhand-0.10.0-x86_64.exe",
        "Deskhand-0.10.0-aarch64.dmg",
    ):
        offer(hub, name, name.encode())
    async with site(hub) as http:
        text = (await http.get("/download", headers={"User-Agent": DEBIAN})).text
        buttons = [part.split('"')[0] for part in text.split('class="button" href="')[1:]]
        assert buttons[0] == "/download/deskhand_0.10.0_amd64.deb"
        assert len([button for button in buttons if button.startswith("/download")]) == 1
        linux, others = text.split('<section id="linux">')[1].split("</section>", maxsplit=1)
        order = ["deskhand_0.10.0_amd64.deb", "deskhand-ml_", "_arm64.deb", ".AppImage"]
        assert sorted(order, key=linux.index) == order
        assert "with machine learning" in linux
        assert ".exe" not in linux
        assert "0.9.0" not in linux, "older ones are in the list of files alone"
        assert "deskhand_0.9.0_amd64.deb" in others
        digest = hashlib.sha256(b"deskhand-ml_0.10.0_amd64.deb").hexdigest()
        assert digest in others, "the sum of each stands in the list"
        windows = (await http.get("/download", headers={"User-Agent": WINDOWS})).text
        assert 'class="button" href="/download/Deskhand-0.10.0-x86_64.exe"' in windows
        fetched = await http.get("/download/Deskhand-0.10.0-aarch64.dmg")
        assert fetched.content == b"Deskhand-0.10.0-aarch64.dmg"


async def test_a_name_that_only_looks_like_a_build_is_an_ordinary_file(hub: Hub) -> None:
    for name in ("deskhand_1_amd64.deb.txt", "Deskhand-evil-x86_64.exe", "deskhand_1.0_mips.deb"):
        offer(hub, name)
    async with site(hub) as http:
        text = (await http.get("/download", headers={"User-Agent": DEBIAN})).text
    assert "Get Deskhand" not in text
    assert "deskhand_1.0_mips.deb" in text
