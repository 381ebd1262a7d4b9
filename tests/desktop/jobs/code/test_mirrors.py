"""One mirror a repository: shared, mended when it is damaged, kept while anybody lives from it."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from desktop.core.code.repository import of_folder
from desktop.jobs.code.clones import remove_clone
from desktop.jobs.code.mirrors import Mirrors
from shared.errors import BadInput, NotFound
from tests.git_servers.repositories import git, write
from tests.git_servers.yard import ANNA, Yard

DAY = 24 * 3600.0


def _more(yard: Yard, branch: str = "main", name: str = "more.py") -> str:
    """Push one more commit, as somebody else would."""
    first = yard.folder / "first"
    git(first, "checkout", "-q", "-B", branch)
    write(first, {name: name.encode()})
    git(first, "add", "-A")
    git(first, "commit", "-q", "--allow-empty", "-m", f"Add {name}")
    git(first, "push", "-q", "-f", str(yard.bare), branch)
    return git(first, "rev-parse", "HEAD")


async def test_a_mirror_follows_its_remote(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    assert (await yard.mirror()).commit_of(None) == ("main", yard.first)
    newer = _more(yard)
    other = _more(yard, "other/x")
    mirror = await yard.mirror()
    assert mirror.commit_of(None) == ("main", newer)
    assert mirror.commit_of("other/x") == ("other/x", other)
    git(yard.bare, "branch", "-D", "other/x")
    git(yard.folder / "first", "checkout", "-q", "main")
    git(yard.folder / "first", "branch", "-D", "other/x")
    _more(yard, "other")
    assert {*(await yard.mirror()).branches} == {"main", "other"}


async def test_a_default_branch_of_another_name_is_known(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    _more(yard, "trunk")
    git(yard.bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert (await yard.mirror()).default == "trunk"


async def test_a_missing_branch_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    mirror = await Yard(tmp_path).mirror()
    with pytest.raises(NotFound, match='no branch "man"') as caught:
        mirror.commit_of("man")
    assert "main" in caught.value.hint
    with pytest.raises(BadInput):
        mirror.commit_of("--upload-pack=x")


async def test_an_empty_repository_is_told(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    git(tmp_path, "init", "-q", "--bare", "empty.git")
    with pytest.raises(BadInput) as caught:
        await yard.mirrors.refreshed(of_folder(str(tmp_path / "empty.git")))
    assert caught.value.code == "repository_empty"


async def test_a_clone_is_clean_and_borrows_the_mirrors_objects(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, clone = await yard.clone()
    borrowed = (clone.folder / ".git" / "objects" / "info" / "alternates").read_text().strip()
    assert Path(borrowed) == mirror.git_dir / "objects"
    assert git(clone.folder, "status", "--porcelain", "--branch") == "## main...origin/main"
    assert not [*(clone.folder / ".git").glob("hooks/*")]
    assert git(clone.folder, "config", "user.name") == ANNA.name


async def test_a_clone_made_again_is_as_new(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    _, clone = await yard.clone()
    write(clone.folder, {"parser.py": b"half\n", "junk": b"x"})
    (clone.folder.parent / "clone.new").mkdir()
    _, again = await yard.clone()
    assert git(again.folder, "status", "--porcelain") == ""


# Damage.


def _broken_pack(git_dir: Path) -> None:
    for path in (git_dir / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"")


def _no_objects(git_dir: Path) -> None:
    shutil.rmtree(git_dir / "objects")


def _no_config(git_dir: Path) -> None:
    (git_dir / "config").write_bytes(b"\0\0\0")


def _no_head(git_dir: Path) -> None:
    (git_dir / "HEAD").unlink()


def _broken_ref(git_dir: Path) -> None:
    (git_dir / "refs" / "heads" / "main").write_bytes(b"\0" * 41)


def _gone(git_dir: Path) -> None:
    shutil.rmtree(git_dir)


DAMAGES = [_broken_pack, _no_objects, _no_config, _no_head, _broken_ref, _gone]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_damaged_mirror_is_made_anew(tmp_path: Path, damage: object) -> None:
    yard = Yard(tmp_path)
    mirror = await yard.mirror()
    assert callable(damage)
    damage(mirror.git_dir)
    _, clone = await yard.clone()
    assert git(clone.folder, "rev-parse", "HEAD") == yard.first
    git(mirror.git_dir, "fsck", "--strict")


async def test_what_jobs_committed_comes_along_into_the_new_one(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, clone = await yard.clone()
    write(clone.folder, {"new.py": b"x\n"})
    change = await yard.change(mirror, clone)
    await yard.mirrors.renewed(mirror)
    assert git(mirror.git_dir, "rev-parse", "refs/deskhand/K7Q2") == change.commit
    assert git(mirror.git_dir, "show", f"{change.commit}:new.py") == "x"


async def test_locks_and_halves_that_a_killed_git_left_are_swept(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror = await yard.mirror()
    for left in ("packed-refs.lock", "refs/heads/main.lock", "objects/pack/tmp_pack_x"):
        (mirror.git_dir / left).write_bytes(b"x")
    newer = _more(yard)
    assert (await yard.mirror()).commit_of(None)[1] == newer
    assert git(mirror.git_dir, "rev-parse", "main") == newer
    assert not [*mirror.git_dir.rglob("*.lock"), *mirror.git_dir.rglob("tmp_pack*")]


# Many at once.


async def test_many_at_once_fetch_one_after_the_other(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    all_of_them = [Mirrors(tmp_path / "mirrors", yard.git) for _ in range(5)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.refreshed(yard.repository)) for one in all_of_them]
    assert {task.result().commit_of(None)[1] for task in tasks} == {yard.first}
    git(tasks[0].result().git_dir, "fsck", "--strict")


# Going.


async def test_an_old_mirror_goes_when_nobody_borrows_from_it(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, clone = await yard.clone()
    later = time.time() + 40 * DAY

    async def tidied(**limits: float) -> int:
        return await yard.mirrors.tidy(
            now=later,
            age_seconds=limits.get("age", 30 * DAY),
            bytes_max=int(limits.get("most", 1e12)),
        )

    assert await tidied() == 0
    remove_clone(clone.folder)
    assert await tidied(age=50 * DAY) == 0
    async with yard.mirrors.locked(mirror.folder):
        assert await tidied() == 0
    assert await tidied() == 1
    assert not mirror.git_dir.exists()
    assert (await yard.mirror()).git_dir.exists()


async def test_the_oldest_goes_when_all_are_too_large(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror = await yard.mirror()
    assert await yard.mirrors.tidy(now=time.time(), age_seconds=DAY, bytes_max=1) == 0
    soon = time.time() + 2 * 3600
    assert await yard.mirrors.tidy(now=soon, age_seconds=DAY, bytes_max=1) == 1
    assert not mirror.git_dir.exists()


async def test_removing_a_clone_leaves_nothing_of_it(tmp_path: Path) -> None:
    _, clone = await Yard(tmp_path).clone()
    remove_clone(clone.folder)
    remove_clone(clone.folder)
    assert not [*clone.folder.parent.iterdir()]
