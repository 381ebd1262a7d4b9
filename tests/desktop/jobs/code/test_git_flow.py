"""From a remote to a mirror to a clone, and back to the remote as one commit on one branch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.code.forge_keys import Login
from desktop.core.code.repository import parse_repository
from desktop.jobs.code.clones import make_clone
from desktop.jobs.code.delivering import Parcel, push
from desktop.jobs.code.git import Git, Reach
from desktop.jobs.code.identity import Identity
from desktop.jobs.code.mirrors import Mirrors
from desktop.jobs.code.taking import commit, take
from tests.git_servers.http_server import GitServer
from tests.git_servers.repositories import fill, git, write

ANNA = Identity("Anna Ä", "anna@example.org")
LOGIN = Login("oauth2", "s3cret-token")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with GitServer(tmp_path / "remote", logins={LOGIN.user: LOGIN.secret}) as made:
        fill(made.repository("anna/parser"), tmp_path / "first")
        yield made


@pytest.fixture
def runner(tmp_path: Path) -> Git:
    return Git(tmp_path / "home")


async def test_a_change_goes_round_and_arrives_as_one_commit(
    server: GitServer, runner: Git, tmp_path: Path
) -> None:
    repository = parse_repository(f"{server.url}/anna/parser.git")
    mirrors = Mirrors(tmp_path / "mirrors", runner)
    mirror = await mirrors.refreshed(repository, login=LOGIN)
    clone = await make_clone(runner, mirrors, mirror, tmp_path / "job" / "clone", author=ANNA)
    assert clone.base == "main"
    assert git(clone.folder, "status", "--porcelain") == ""
    write(clone.folder, {"parser.py": b"def parse(text):\n    return []\n", "new.py": b"x\n"})
    (clone.folder / "README.md").unlink()
    taken = await take(runner, mirror, clone)
    change = await commit(
        runner, mirror, taken, job="K7Q2", message="Mend it\n", author=ANNA, seconds=1_800_000_000
    )
    assert [(f.path, f.status.value, f.added, f.removed) for f in change.files] == [
        ("README.md", "deleted", 0, 1),
        ("new.py", "added", 1, 0),
        ("parser.py", "changed", 1, 1),
    ]
    assert "+    return []" in change.diff
    reach = Reach(remote=repository, login=LOGIN)
    parcel = Parcel(commit=change.commit, branch="deskhand/K7Q2-mend-it", base="main")
    pushed = await push(runner, mirror.at, reach, parcel)
    assert (pushed.is_new, pushed.is_sent) == (True, True)
    again = await push(runner, mirror.at, reach, parcel)
    assert (again.is_new, again.is_sent) == (False, False)
    bare = tmp_path / "remote" / "anna" / "parser.git"
    told = git(bare, "log", "-2", "--format=%an|%cn|%s", "deskhand/K7Q2-mend-it")
    assert told == "Anna Ä|Deskhand|Mend it\nAnna|Anna|First"
