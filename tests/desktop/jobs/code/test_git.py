"""Git is run in one way: nobody's configuration counts, and it ends when it is told to."""

from __future__ import annotations

import asyncio
import base64
import os
import stat
from pathlib import Path

import psutil
import pytest

from desktop.core.code.forge_keys import Login
from desktop.core.code.repository import of_folder, parse_repository
from desktop.jobs.code.git import At, Git, Reach
from desktop.jobs.code.git_process import Limits
from shared.errors import AppError, Conflict, LimitReached, NotAllowed, NotFound, Unavailable
from shared.file_lock import FileLock
from tests.desktop.core.code.hostile_names import BRANCHES, REPOSITORIES
from tests.desktop.runner.hard_children import all_gone
from tests.git_servers.http_server import GitServer
from tests.git_servers.repositories import fill, git, work_copy

BOUND_SECONDS = 60.0
"""For what is done at once, on a machine that has much else to do."""
LOGIN = Login("oauth2", "s3cret-token-of-anna")


def _script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def _waiting(pid_file: Path) -> str:
    """A program that waits for long, once its id is written down whole."""
    return f"echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 600"


def _files(folder: Path, pattern: str) -> list[Path]:
    return [*folder.rglob(pattern)]


async def test_git_is_there_and_new_enough(tmp_path: Path) -> None:
    assert await Git(tmp_path / "home").check() >= (2, 30)


async def test_a_missing_git_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="not installed") as caught:
        await Git(tmp_path / "home", environment={"PATH": str(tmp_path)}).check()
    assert caught.value.code == "git_missing"


async def test_an_old_git_is_told(tmp_path: Path) -> None:
    _script(tmp_path / "bin" / "git", "echo git version 2.20.1")
    old = Git(tmp_path / "home", environment={"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
    with pytest.raises(Unavailable, match=r"2\.20\.1") as caught:
        await old.check()
    assert caught.value.code == "git_too_old"


async def test_nobodys_configuration_and_environment_count(tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / ".gitconfig").write_text("[user]\n\tname = Mallory\n[alias]\n\tx = !touch pwned\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(evil),
        "GIT_CONFIG_GLOBAL": str(evil / ".gitconfig"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "user.email",
        "GIT_CONFIG_VALUE_0": "mallory@example.org",
        "GIT_DIR": str(evil),
        "GIT_SSH_COMMAND": "touch pwned",
        "GIT_EXTERNAL_DIFF": "touch pwned",
        "GIT_TRACE": str(tmp_path / "trace"),
    }
    told = (await Git(tmp_path / "home", environment=environment).run("config", "--list")).line
    assert "mallory" not in told.lower()
    assert "alias" not in told
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:9/x", "ext::sh -c id", "/", "ssh://127.0.0.1:9/x", "git://h/x"]
)
async def test_no_protocol_is_open_without_a_remote(tmp_path: Path, url: str) -> None:
    ran = await Git(tmp_path / "home").attempt("ls-remote", "--", url)
    assert ran.status != 0
    assert "not allowed" in ran.words


async def test_only_the_remotes_own_protocol_is_open(tmp_path: Path) -> None:
    reach = Reach(remote=parse_repository("https://h.example/x"))
    for url in (str(work_copy(tmp_path / "x")), "ext::sh -c id", "http://127.0.0.1:9/x"):
        ran = await Git(tmp_path / "home").attempt("ls-remote", "--", url, reach=reach)
        assert "not allowed" in ran.words


async def test_no_hostile_name_ever_starts_git_or_a_program(tmp_path: Path) -> None:
    """Even if one came past the parser: behind "--", and with one protocol, it is a bad name."""
    evil = tmp_path / "home"
    runner = Git(evil)
    reach = Reach(remote=parse_repository("https://h.example.invalid/x"))
    for name in REPOSITORIES[:: len(REPOSITORIES) // 25]:
        if "\0" in name or "http" in name.lower() or not name.strip():
            continue
        ran = await runner.attempt("ls-remote", "--", name, reach=reach)
        assert ran.status != 0, name
    for name in BRANCHES[:: len(BRANCHES) // 10]:
        if "\0" not in name:
            ran = await runner.attempt("check-ref-format", f"refs/heads/{name}")
    assert not _files(tmp_path, "pwned")


async def test_a_run_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    ssh = _script(tmp_path / "ssh", _waiting(pid_file))
    runner = Git(tmp_path / "home", ssh=str(ssh))
    reach = Reach(remote=parse_repository("git@h.example:a/b"))
    for seconds in (1, 10, 60):
        limits = Limits(seconds=seconds)
        with pytest.raises(Unavailable) as caught:
            await runner.run("ls-remote", "--", reach.remote.url, reach=reach, limits=limits)
        assert caught.value.code == "git_slow"
        if pid_file.exists():
            break  # a busy machine may not have come to start it within a second
    assert all_gone(int(pid_file.read_text()))


async def test_a_cancelled_run_leaves_no_process(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    ssh = _script(tmp_path / "ssh", _waiting(pid_file))
    runner = Git(tmp_path / "home", ssh=str(ssh))
    reach = Reach(remote=parse_repository("git@h.example:a/b"))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(runner.run("ls-remote", "--", reach.remote.url, reach=reach))
        async with asyncio.timeout(BOUND_SECONDS):
            while not pid_file.exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.01)
        task.cancel()
    assert task.cancelled()
    assert all_gone(int(pid_file.read_text()))


async def test_a_run_may_be_cancelled_at_any_moment_of_its_start(tmp_path: Path) -> None:
    """A shell in git's place has a child at once; asyncio alone would leave it behind."""
    _script(tmp_path / "bin" / "git", "sleep 600 & wait")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    runner = Git(tmp_path / "home", environment={"PATH": path})
    others = {one.pid for one in psutil.Process().children(recursive=True)}
    for turns in (*range(12), 50, 200):
        async with asyncio.timeout(BOUND_SECONDS), asyncio.TaskGroup() as group:
            task = group.create_task(runner.run("version"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
        left = {one.pid for one in psutil.Process().children(recursive=True)} - others
        assert all_gone(*left)


async def test_what_made_itself_independent_of_a_cancelled_run_holds_nobody_up(
    tmp_path: Path,
) -> None:
    """A daemon that git started has git's outputs open, and is not git's to be ended."""
    pid_file = tmp_path / "pid"
    daemon = _script(tmp_path / "daemon", _waiting(pid_file))
    _script(tmp_path / "bin" / "git", f"(setsid {daemon} &)\nexec sleep 600")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    runner = Git(tmp_path / "home", environment={"PATH": path})
    async with asyncio.timeout(BOUND_SECONDS), asyncio.TaskGroup() as group:
        task = group.create_task(runner.run("version"))
        while not pid_file.exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
        task.cancel()
    left = psutil.Process(int(pid_file.read_text()))
    left.kill()
    assert task.cancelled()


async def test_what_starts_one_program_after_another_is_ended_with_all_of_them(
    tmp_path: Path,
) -> None:
    """A list of what it has started is old before its end, unless it stands still meanwhile."""
    seconds = str(70_000 + os.getpid())
    _script(
        tmp_path / "bin" / "git", f"n=0; while [ $((n+=1)) -lt 300 ]; do sleep {seconds} & done"
    )
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    runner = Git(tmp_path / "home", environment={"PATH": path})
    for wait_seconds in (0.01, 0.02, 0.04):
        async with asyncio.timeout(BOUND_SECONDS), asyncio.TaskGroup() as group:
            task = group.create_task(runner.run("version"))
            await asyncio.sleep(wait_seconds)
            task.cancel()
        left = [one for one in psutil.process_iter() if _words_of(one)[-1:] == [seconds]]
        for one in left:
            one.kill()
        assert not left


def _words_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


async def test_a_lock_stands_as_long_as_the_git_that_works_under_it(tmp_path: Path) -> None:
    """Whoever is killed lets go of a lock; a git that it started may still be writing."""
    pid_file, taken = tmp_path / "pid", Conflict("taken", "Taken.")
    ssh = _script(tmp_path / "ssh", _waiting(pid_file))
    runner = Git(tmp_path / "home", ssh=str(ssh))
    reach = Reach(remote=parse_repository("git@h.example:a/b"))
    lock = FileLock(tmp_path / "lock", taken)
    at = At(git_dir=work_copy(tmp_path / "x") / ".git", lock=lock)
    async with asyncio.TaskGroup() as group:
        words = ("ls-remote", "--", reach.remote.url)
        task = group.create_task(runner.run(*words, at=at, reach=reach))
        async with asyncio.timeout(BOUND_SECONDS):
            while not pid_file.exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.01)
        lock.release()
        with pytest.raises(Conflict):
            FileLock(tmp_path / "lock", taken)
        task.cancel()
    FileLock(tmp_path / "lock", taken).release()


async def test_ssh_asks_nobody_and_trusts_no_unknown_host(tmp_path: Path) -> None:
    told = tmp_path / "told"
    ssh = _script(tmp_path / "ssh", f'printf "%s\\n" "$@" > {told}; env >> {told}; exit 255')
    environment = {"PATH": os.environ["PATH"], "SSH_AUTH_SOCK": "/run/agent", "SECRET": "x"}
    runner = Git(tmp_path / "home", ssh=str(ssh), environment=environment)
    reach = Reach(remote=parse_repository("git@h.example:a/b"), login=LOGIN)
    with pytest.raises(AppError):
        await runner.run("ls-remote", "--", reach.remote.url, reach=reach)
    words = told.read_text()
    assert "BatchMode=yes" in words
    assert "StrictHostKeyChecking=yes" in words
    assert "SSH_AUTH_SOCK=/run/agent" in words
    assert "SECRET" not in words
    assert LOGIN.secret not in words


async def test_more_output_than_wanted_is_an_error_or_cut(tmp_path: Path) -> None:
    runner = Git(tmp_path / "home")
    folder = work_copy(tmp_path / "x", {"big": b"x" * 300_000})
    at = At(git_dir=folder / ".git")
    words = ("cat-file", "blob", "HEAD:big")
    cut = await runner.run(*words, at=at, limits=Limits(out_bytes_max=10, is_cuttable=True))
    assert (cut.out, cut.is_cut) == (b"x" * 10, True)
    with pytest.raises(LimitReached):
        await runner.run(*words, at=at, limits=Limits(out_bytes_max=10))


# Passwords.


async def test_the_token_opens_its_own_host(tmp_path: Path) -> None:
    with GitServer(tmp_path / "r", logins={LOGIN.user: LOGIN.secret}) as server:
        commit = fill(server.repository("x"), tmp_path / "first")
        remote = parse_repository(f"{server.url}/x.git")
        reach = Reach(remote=remote, login=LOGIN)
        told = await Git(tmp_path / "home").run("ls-remote", "--", remote.url, reach=reach)
        assert commit in told.line
        assert not any(LOGIN.secret in seen.target for seen in server.seen)


@pytest.mark.parametrize("login", [None, Login("oauth2", "wrong-one")], ids=["none", "wrong"])
async def test_a_closed_door_says_what_to_do(tmp_path: Path, login: Login | None) -> None:
    with GitServer(tmp_path / "r", logins={LOGIN.user: LOGIN.secret}) as server:
        server.repository("x")
        reach = Reach(remote=parse_repository(f"{server.url}/x.git"), login=login)
        with pytest.raises(NotAllowed) as caught:
            await Git(tmp_path / "home").run("ls-remote", "--", reach.remote.url, reach=reach)
    assert caught.value.code == "repository_auth"
    assert "deskhand keys" in caught.value.hint
    assert "wrong-one" not in str(caught.value)


@pytest.mark.parametrize("user", ["", "oauth2@"])
async def test_the_token_does_not_follow_a_redirect_to_another_host(
    tmp_path: Path, user: str
) -> None:
    """With a name in the new address, git asks for the password alone."""
    with (
        GitServer(tmp_path / "evil", logins={"nobody": "x"}) as evil,
        GitServer(tmp_path / "r") as server,
    ):
        place = evil.url.replace("://", f"://{user}") + "/x.git/info/refs?service=git-upload-pack"
        server.before = lambda seen: (302, {"Location": place}, b"")
        reach = Reach(remote=parse_repository(f"{server.url}/x.git"), login=LOGIN)
        with pytest.raises(AppError):
            await Git(tmp_path / "home").run("ls-remote", "--", reach.remote.url, reach=reach)
        asked = [seen.headers.get("authorization", "") for seen in evil.seen]
    assert asked
    assert not any(LOGIN.secret in base64.b64decode(told[6:]).decode() for told in asked)


async def test_the_token_is_in_no_word_and_no_file(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    real = os.environ["PATH"]
    _script(tmp_path / "bin" / "git", f'printf "%s\\n" "$@" >> {seen}; PATH={real} exec git "$@"')
    runner = Git(tmp_path / "home", environment={"PATH": f"{tmp_path / 'bin'}:{real}"})
    with GitServer(tmp_path / "r", logins={LOGIN.user: LOGIN.secret}) as server:
        fill(server.repository("x"), tmp_path / "first")
        reach = Reach(remote=parse_repository(f"{server.url}/x.git"), login=LOGIN)
        await runner.run("ls-remote", "--", reach.remote.url, reach=reach)
    assert "ls-remote" in seen.read_text()
    for path in _files(tmp_path, "*"):
        assert path.is_dir() or LOGIN.secret.encode() not in path.read_bytes(), path


# Failures.


async def test_failures_are_told_in_the_persons_words(tmp_path: Path) -> None:
    runner = Git(tmp_path / "home")
    gone = Reach(remote=of_folder(str(tmp_path / "none")))
    with pytest.raises(NotFound) as caught:
        await runner.run("ls-remote", "--", gone.remote.url, reach=gone)
    assert caught.value.code == "repository_not_found"
    with GitServer(tmp_path / "r") as server:
        closed = parse_repository(f"{server.url}/x.git")
        with pytest.raises(NotFound):
            await runner.run("ls-remote", "--", closed.url, reach=Reach(remote=closed))
        server.before = lambda seen: (503, {}, b"")
        with pytest.raises(Unavailable) as busy:
            await runner.run("ls-remote", "--", closed.url, reach=Reach(remote=closed))
        assert busy.value.retryable
    with pytest.raises(Unavailable) as away:
        await runner.run("ls-remote", "--", closed.url, reach=Reach(remote=closed))
    assert away.value.code == "repository_unreachable"
    assert away.value.retryable


async def test_progress_is_heard(tmp_path: Path) -> None:
    heard: list[tuple[str, float, float]] = []
    with GitServer(tmp_path / "r") as server:
        files = {f"f{number}": os.urandom(2000) for number in range(50)}
        fill(server.repository("x"), tmp_path / "first", files)
        remote = parse_repository(f"{server.url}/x.git")
        git(tmp_path, "init", "-q", "--bare", "to")
        reach = Reach(remote=remote, progress=lambda *told: heard.append(told))
        words = ("fetch", "--progress", "--", remote.url, "+refs/heads/*:refs/heads/*")
        await Git(tmp_path / "home").run(*words, at=At(git_dir=tmp_path / "to"), reach=reach)
    assert heard
    assert all(0 <= done <= total for _, done, total in heard)
