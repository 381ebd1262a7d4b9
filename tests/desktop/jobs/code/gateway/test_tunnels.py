"""Package registries through the gateway: real pip and npm, hosts by list or by a person's word."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.jobs.code.gateway import tunnels
from desktop.jobs.code.gateway.outside import Outside
from desktop.system.way import Way
from shared.errors import AppError
from shared.questions import QuestionKind
from tests.desktop.jobs.code.gateway import registry
from tests.desktop.jobs.code.gateway.registry import Registry
from tests.desktop.jobs.code.gateway.stand import Job, Stand, endpoint_at, reached, stand

NOWHERE = endpoint_at("http://127.0.0.1:9", local=True)
PIP = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check")
ASKS_PYPI = "A program in the sandbox wants to reach the Python package index"
ASKS_NPM = "A program in the sandbox wants to reach npm.example.org"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry.serving(tmp_path_factory.mktemp("registry")) as made:
        yield made


async def run(here: Stand, folder: Path, *command: str, **env: str) -> tuple[int, str]:
    """Run a program as in a box: with no way but the gateway."""
    async with reached(here) as port:
        told = {"PATH": os.environ["PATH"], "HOME": str(folder), **here.gateway.env(port), **env}
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=told,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()


async def install(here: Stand, packages: Registry, folder: Path) -> tuple[int, str]:
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    words = ("install", "--no-cache-dir", "--retries", "0", "--cert", str(packages.ca))
    return await run(here, folder, *PIP, *words, "--target", "made", "tiny-thing")


async def knock(here: Stand, target: str) -> int:
    """Ask for a tunnel; return the status."""
    answer = await here.raw(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    return int(answer.split(b" ", 2)[1])


async def greet(here: Stand, host: str, name: str, ca: Path) -> str:
    """Open a tunnel to a host and say hello to a name there; returns what came of it."""
    reader, writer = await asyncio.open_unix_connection(here.gateway.socket)
    writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head:
        writer.close()
        return head.split(b"\r\n")[0].decode()
    try:
        await writer.start_tls(ssl.create_default_context(cafile=ca), server_hostname=name)
        writer.write(b"GET /tiny-thing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return (await reader.readline()).decode().strip()
    except (ssl.SSLError, ConnectionError) as error:
        return type(error).__name__
    finally:
        writer.transport.abort()


async def test_pip_installs_from_hosts_that_the_owner_lists(
    packages: Registry, tmp_path: Path
) -> None:
    allowed = ("pypi.org", "*.pythonhosted.org")
    async with stand(tmp_path, NOWHERE, registries=allowed, open_host=packages.open) as here:
        status, said = await install(here, packages, tmp_path / "w")
        hosts = here.gateway.hosts
    assert status == 0, said
    assert (tmp_path / "w" / "made" / "tiny_thing.py").is_file()
    assert here.job.asked == []
    assert set(hosts) == {"pypi.org", "files.pythonhosted.org"}
    assert all(use.fetched_bytes > 500 and use.sent_bytes > 100 for use in hosts.values())


async def test_pip_gets_through_when_a_person_says_so_once(
    packages: Registry, tmp_path: Path
) -> None:
    job = Job(answers={ASKS_PYPI: "allow"})
    async with stand(tmp_path, NOWHERE, open_host=packages.open, job=job) as here:
        status, said = await install(here, packages, tmp_path / "w")
    assert status == 0, said
    (asking,) = job.asked  # one question for both hosts
    assert asking.kind is QuestionKind.APPROVAL
    assert asking.default == "deny"


async def test_pip_is_told_no_when_a_person_says_so(packages: Registry, tmp_path: Path) -> None:
    job = Job(answers={ASKS_PYPI: "deny"})
    before = len(packages.asked)
    async with stand(tmp_path, NOWHERE, open_host=packages.open, job=job) as here:
        status, _ = await install(here, packages, tmp_path / "w")
        told = await here.raw(b"CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\n\r\n")
    assert status != 0
    assert told.startswith(b"HTTP/1.1 403 Deskhand: pypi.org was refused for this job\r\n")
    assert len(job.asked) == 1
    assert len(packages.asked) == before


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.parametrize("is_alone", [True, False], ids=["alone", "shown"])
async def test_npm_installs_when_a_person_says_so(
    is_alone: bool, packages: Registry, tmp_path: Path
) -> None:
    job = Job(answers={ASKS_NPM: "allow"})
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "package.json").write_text('{"name": "own", "version": "1.0.0"}')
    words = ("npm", "install", "tiny-thing", "--no-audit", "--no-fund", "--no-update-notifier")
    env = {
        "npm_config_registry": "https://npm.example.org/",
        "npm_config_cafile": str(packages.ca),
        "npm_config_userconfig": str(folder / "none"),
        "npm_config_globalconfig": str(folder / "none2"),
        "npm_config_fetch_retries": "0",
    }
    async with stand(
        tmp_path, NOWHERE, open_host=packages.open, job=job, is_alone=is_alone
    ) as here:
        status, said = await run(here, folder, *words, **env)
    assert status == 0, said
    assert (folder / "node_modules" / "tiny-thing" / "index.js").is_file()
    assert len(job.asked) == 1


@pytest.mark.parametrize(
    "target",
    [
        "pypi.org:80",
        "pypi.org:22",
        "pypi.org",
        "pypi.org:443:443",
        "[::1]:443",
        "metadata.google.internal:443",
        "169.254.169.254:443",
        "2130706433:443",
        "0x7f.1:443",
        "printer.local:443",
        "a_b.example.org.:443",
        "user@pypi.org:443",
        "pypi.org/x:443",
        f"{'a' * 250}.org:443",
        "statsig.example.com:443",
        "api.anthropic.com:443",
    ],
)
async def test_other_hosts_are_refused_without_a_question(target: str, tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE, registries=("*.org", "*")) as here:
        assert await knock(here, target) == 403
    assert here.job.asked == []


async def test_a_refused_host_is_told_once_in_the_jobs_log(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        for _ in range(3):
            await knock(here, "statsig.example.com:443")
    (line,) = here.job.lines
    assert "statsig.example.com" in line


async def test_a_person_who_is_slow_is_waited_for_by_the_next_try(
    packages: Registry, tmp_path: Path
) -> None:
    async with stand(tmp_path, NOWHERE, ask_seconds_max=0.05, open_host=packages.open) as here:
        assert await knock(here, "pypi.org:443") == 403
        here.job.answer(ASKS_PYPI, "allow")
        told = await greet(here, "pypi.org", "pypi.org", packages.ca)
    assert told == "HTTP/1.1 200 OK"
    assert len(here.job.asked) == 1


async def test_names_that_are_tried_one_after_another_bring_few_questions(
    tmp_path: Path,
) -> None:
    job = Job(answers={"": "deny"})
    async with stand(tmp_path, NOWHERE, job=job) as here:
        for number in range(20):
            assert await knock(here, f"pypi.evil{number}.org:443") == 403
    assert len(job.asked) == tunnels.REGISTRIES_ASKED_MAX


async def test_a_tunnel_is_for_the_host_that_was_allowed(
    packages: Registry, tmp_path: Path
) -> None:
    allowed = ("pypi.org",)
    async with stand(tmp_path, NOWHERE, registries=allowed, open_host=packages.open) as here:
        good = await greet(here, "pypi.org", "pypi.org", packages.ca)
        before = len(packages.asked)
        fronted = await greet(here, "pypi.org", "packages.example.org", packages.ca)
        plain = await here.raw(
            b"CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\n\r\n"
            b"POST /collect HTTP/1.1\r\n\r\nsecret"
        )
    assert good == "HTTP/1.1 200 OK"
    assert "HTTP" not in fronted
    assert plain.count(b"HTTP/1.1") == 1
    assert len(packages.asked) == before


async def test_what_resolves_to_somebodys_own_network_is_not_called() -> None:
    with pytest.raises(AppError) as caught:
        await Outside(_NoProxy()).open("localhost")
    assert caught.value.code == "host_not_public"


async def test_plain_http_is_told_that_only_https_leads_out(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        answer = await here.raw(
            b"GET http://localhost/simple/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
    assert b"https_only" in answer


async def test_the_owners_proxy_is_gone_through_with_its_password() -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        ok = b"Proxy-Authorization: Basic bmFtZTpw" in heads[-1]
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello" if ok else b"HTTP/1.1 407 No\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        good = Outside(_Proxied(f"http://name:p@127.0.0.1:{port}"))
        reader, writer = await good.open("pypi.org")
        assert await reader.read(5) == b"hello"
        writer.close()
        with pytest.raises(AppError) as caught:
            await Outside(_Proxied(f"http://127.0.0.1:{port}")).open("pypi.org")
    assert heads[0].startswith(b"CONNECT pypi.org:443 HTTP/1.1\r\n")
    assert "407" in caught.value.message


class _NoProxy(Way):
    def proxy_for(self, base: str) -> str | None:
        return None


class _Proxied(Way):
    def __init__(self, proxy: str) -> None:
        super().__init__()
        self._proxy = proxy

    def proxy_for(self, base: str) -> str | None:
        return self._proxy
