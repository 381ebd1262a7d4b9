"""What an agent leaves in a clone is taken as bytes of files; nothing it planted ever runs."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.core.code.change import Change
from desktop.jobs.code.sorting import FILE_BYTES_MAX, FILES_MAX
from desktop.jobs.code.taking import changed
from shared.errors import LimitReached
from tests.git_servers.repositories import git, work_copy, write
from tests.git_servers.yard import Yard


def _program(path: Path, trace: Path) -> Path:
    """Write a program that leaves a trace when it runs, and lets everything pass."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch {trace}\nexec cat\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def _paths(change: Change) -> list[str]:
    return [file.path for file in change.files]


async def _worked(tmp_path: Path, work: Callable[[Path], None]) -> Change:
    yard = Yard(tmp_path)
    mirror, clone = await yard.clone()
    work(clone.folder)
    return await yard.change(mirror, clone)


# Nothing planted runs.


def _fsmonitor(clone: Path, trace: Path) -> None:
    git(clone, "config", "core.fsmonitor", str(_program(clone / ".git" / "evil", trace)))


def _hooks(clone: Path, trace: Path) -> None:
    for hook in ("pre-commit", "post-commit", "reference-transaction", "post-index-change"):
        _program(clone / ".git" / "hooks" / hook, trace)
    git(clone, "config", "core.hooksPath", str(clone / ".git" / "hooks"))


def _filter(clone: Path, trace: Path) -> None:
    evil = _program(clone / "evil.sh", trace)
    for what in ("clean", "smudge", "process"):
        git(clone, "config", f"filter.evil.{what}", str(evil))
    git(clone, "config", "diff.evil.textconv", str(evil))
    git(clone, "config", "diff.evil.command", str(evil))
    write(clone, {".gitattributes": b"* diff=evil\nparser.py filter=evil\n"})


def _git_file(clone: Path, trace: Path) -> None:
    """Put another .git in its place, whose configuration is worse."""
    shutil.rmtree(clone / ".git")
    other = work_copy(clone.parent / "other")
    git(other, "config", "core.fsmonitor", str(_program(other / "evil", trace)))
    (clone / ".git").write_text(f"gitdir: {other / '.git'}\n")


def _nested(clone: Path, trace: Path) -> None:
    inner = work_copy(clone / "lib" / "inner")
    git(inner, "config", "core.fsmonitor", str(_program(inner / ".git" / "evil", trace)))
    _program(inner / ".git" / "hooks" / "post-index-change", trace)


def _module(clone: Path, trace: Path) -> None:
    """Plant a submodule whose own configuration would run at a look at its state."""
    _nested(clone, trace)
    write(clone, {".gitmodules": b'[submodule "x"]\n\tpath = lib/inner\n\turl = ext::sh -c id\n'})
    git(clone, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib/inner")


def _signing(clone: Path, trace: Path) -> None:
    git(clone, "config", "commit.gpgSign", "true")
    git(clone, "config", "gpg.program", str(_program(clone / ".git" / "evil", trace)))
    git(clone, "config", "core.editor", str(clone / ".git" / "evil"))
    git(clone, "config", "core.pager", str(clone / ".git" / "evil"))


def _alternates(clone: Path, trace: Path) -> None:
    git(clone, "config", "core.alternateRefsCommand", str(_program(clone / ".git" / "e", trace)))
    (clone / ".git" / "objects" / "info" / "alternates").write_text("/etc\n")


@pytest.mark.parametrize(
    "plant",
    [_fsmonitor, _hooks, _filter, _git_file, _nested, _module, _signing, _alternates],
    ids=lambda plant: plant.__name__,
)
async def test_nothing_that_an_agent_planted_runs(
    tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    trace = tmp_path / "pwned"

    def work(clone: Path) -> None:
        write(clone, {"parser.py": b"mended\n", "new.py": b"new\n"})
        plant(clone, trace)

    change = await _worked(tmp_path, work)
    assert not trace.exists()
    assert "new.py" in _paths(change)
    assert not [path for path in _paths(change) if "inner" in path or ".git/" in path]


async def test_the_planted_monitor_would_have_run_in_the_clone(tmp_path: Path) -> None:
    """The attacks are real: git, run where the agent was, falls for them."""
    trace = tmp_path / "pwned"
    _, clone = await Yard(tmp_path).clone()
    _fsmonitor(clone.folder, trace)
    git(clone.folder, "status")
    assert trace.exists()


# What is taken, and what is not.


async def test_nothing_changed_is_no_commit(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        os.utime(clone / "parser.py", (1, 1))
        git(clone, "commit", "-q", "--allow-empty", "-m", "I did all you wanted")

    change = await _worked(tmp_path, work)
    assert change.is_empty
    assert change.commit == change.base


async def test_an_agents_own_commits_become_one_of_the_person(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        for number in range(3):
            write(clone, {f"new{number}.py": b"x\n"})
            git(clone, "add", "-A")
            git(clone, "commit", "-q", "-m", f"Step {number}")

    yard = Yard(tmp_path)
    mirror, clone = await yard.clone()
    work(clone.folder)
    change = await yard.change(mirror, clone)
    log = git(mirror.git_dir, "log", "--format=%an %s", change.commit)
    assert log == "Anna Work\nAnna First"
    assert _paths(change) == ["new0.py", "new1.py", "new2.py"]


async def test_the_same_work_is_the_same_commit(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, clone = await yard.clone()
    write(clone.folder, {"new.py": b"x\n"})
    first = await yard.change(mirror, clone)
    assert (await yard.change(mirror, clone)).commit == first.commit


async def test_locks_of_a_try_that_was_killed_stop_nothing(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, clone = await yard.clone()
    write(clone.folder, {"new.py": b"x\n"})
    first = await yard.change(mirror, clone)
    clone.index.with_name("clone.taken.lock").touch()
    (mirror.git_dir / "refs" / "deskhand" / "K7Q2.lock").touch()
    write(clone.folder, {"newer.py": b"x\n"})
    assert (await yard.change(mirror, clone)).commit != first.commit


async def test_a_link_that_leads_out_is_left_out(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        (clone / "keys").symlink_to("/etc/passwd")
        (clone / "up").symlink_to("../../secret")
        (clone / "tests" / "readme").symlink_to("../README.md")

    change = await _worked(tmp_path, work)
    assert _paths(change) == ["tests/readme"]
    assert change.files[0].is_link
    assert "leads out" in change.notes[0]
    assert "keys" in change.notes[0]


async def test_a_folder_that_became_a_link_is_a_folder_that_is_gone(tmp_path: Path) -> None:
    """Files behind the link are not the repository's, whatever they are called."""
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere, {"test_parser.py": b"the person's own secret\n"})

    def work(clone: Path) -> None:
        shutil.rmtree(clone / "tests")
        (clone / "tests").symlink_to(elsewhere)

    change = await _worked(tmp_path, work)
    assert [(file.path, file.status.value) for file in change.files] == [
        ("tests/test_parser.py", "deleted")
    ]
    assert "secret" not in change.diff


async def test_pipes_and_sockets_hold_nothing_up(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        os.mkfifo(clone / "pipe")
        (clone / ".gitignore").unlink()
        os.mkfifo(clone / ".gitignore")
        os.mkfifo(clone / "tests" / ".gitattributes")
        with socket.socket(socket.AF_UNIX) as server:
            here = Path.cwd()
            os.chdir(clone)
            server.bind("sock")
            os.chdir(here)
        write(clone, {"new.py": b"x\n"})

    async with asyncio.timeout(20):
        change = await _worked(tmp_path, work)
    assert _paths(change) == [".gitignore", "new.py"]


async def test_modes_and_renames_are_told(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        (clone / "parser.py").chmod(0o755)
        (clone / "README.md").rename(clone / "READ.md")

    change = await _worked(tmp_path, work)
    files = {file.path: file for file in change.files}
    assert files["parser.py"].is_mode_changed
    assert files["READ.md"].old_path == "README.md"


async def test_a_file_became_a_folder_and_a_folder_a_file(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        (clone / "parser.py").unlink()
        write(clone, {"parser.py/core.py": b"x\n"})
        shutil.rmtree(clone / "tests")
        write(clone, {"tests": b"none\n"})

    change = await _worked(tmp_path, work)
    assert sorted(_paths(change)) == [
        "parser.py",
        "parser.py/core.py",
        "tests",
        "tests/test_parser.py",
    ]


@pytest.mark.parametrize(
    "name", ["-rf", "--output=x", "a\nb", "ü", "a b", ":(top)x", "*", '"q"', "\\"]
)
async def test_odd_names_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    change = await _worked(tmp_path, lambda clone: write(clone, {name: b"x\n"}))
    assert _paths(change) == [name.replace("\n", " ")]


async def test_names_that_are_no_text_are_taken(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        Path(os.fsdecode(os.fsencode(clone) + b"/\xff\xfe")).write_bytes(b"x\n")

    assert len((await _worked(tmp_path, work)).files) == 1


async def test_what_tests_leave_behind_is_not_taken(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        write(
            clone,
            {
                "__pycache__/parser.cpython-311.pyc": b"x",
                "tests/.pytest_cache/x": b"x",
                "node_modules/left-pad/index.js": b"x",
                "build/out": b"x",
                "new.py": b"x\n",
            },
        )

    assert _paths(await _worked(tmp_path, work)) == ["new.py"]


async def test_a_nested_repository_is_named_and_left_out(tmp_path: Path) -> None:
    change = await _worked(tmp_path, lambda clone: _nested(clone, tmp_path / "no"))
    assert change.is_empty
    assert "lib/inner" in change.notes[0]


def _is_worked_in(folder: Path) -> None:
    write(folder, {"y": b"x\n"})


def _is_a_file(folder: Path) -> None:
    folder.rmdir()
    folder.write_bytes(b"no submodule any more\n")


def _is_gone(folder: Path) -> None:
    folder.rmdir()


def _is_a_link(folder: Path) -> None:
    folder.rmdir()
    folder.symlink_to("../README.md")


@pytest.mark.parametrize(
    "work", [_is_worked_in, _is_a_file, _is_gone, _is_a_link], ids=lambda work: work.__name__
)
async def test_a_submodule_stays_as_it_is(tmp_path: Path, work: Callable[[Path], None]) -> None:
    yard = Yard(tmp_path)
    first = tmp_path / "first"
    git(first, "update-index", "--add", "--cacheinfo", f"160000,{yard.first},vendor/x")
    git(first, "commit", "-q", "-m", "A submodule")
    git(first, "push", "-q", str(yard.bare), "main")
    mirror, clone = await yard.clone()
    work(clone.folder / "vendor" / "x")
    write(clone.folder, {"new.py": b"x\n"})
    change = await yard.change(mirror, clone)
    assert _paths(change) == ["new.py"]


async def test_what_git_lfs_would_have_to_write_is_left_out(tmp_path: Path) -> None:
    yard = Yard(tmp_path, {".gitattributes": b"*.bin filter=lfs\n", "a.bin": b"version 1\n"})
    mirror, clone = await yard.clone()
    assert any("LFS" in note for note in clone.notes)
    write(clone.folder, {"a.bin": b"raw\n", "new.py": b"x\n"})
    change = await yard.change(mirror, clone)
    assert _paths(change) == ["new.py"]
    assert "a.bin" in change.notes[0]


async def test_line_ends_are_as_the_repository_wants_them(tmp_path: Path) -> None:
    yard = Yard(tmp_path, {".gitattributes": b"* text eol=crlf\n", "a.txt": b"1\r\n2\r\n"})
    mirror, clone = await yard.clone()
    assert (clone.folder / "a.txt").read_bytes() == b"1\r\n2\r\n"
    write(clone.folder, {"a.txt": b"1\r\n2\r\n3\r\n"})
    change = await yard.change(mirror, clone)
    assert (change.added, change.removed) == (1, 0)


async def test_a_huge_file_is_left_out_and_named(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        with (clone / "core.dump").open("wb") as file:
            file.truncate(FILE_BYTES_MAX + 1)
        write(clone, {"new.py": b"x\n"})

    change = await _worked(tmp_path, work)
    assert _paths(change) == ["new.py"]
    assert "larger than 10 MB: core.dump" in change.notes[0]


async def test_too_many_files_are_refused(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        for number in range(FILES_MAX + 1):
            (clone / f"f{number}").touch()

    with pytest.raises(LimitReached, match="2,001 files") as caught:
        await _worked(tmp_path, work)
    assert caught.value.code == "change_too_large"


async def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        for number in range(7):
            with (clone / f"f{number}").open("wb") as file:
                file.truncate(8 * 1024**2)

    with pytest.raises(LimitReached, match="MB") as caught:
        await _worked(tmp_path, work)
    assert caught.value.code == "change_too_large"


async def test_a_long_diff_is_cut_and_says_so(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, clone = await yard.clone()
    write(clone.folder, {"new.py": b"line\n" * 10_000})
    whole = await yard.change(mirror, clone)
    cut = await changed(yard.git, mirror, whole.base, whole.commit, diff_bytes_max=1000)
    assert not whole.is_diff_cut
    assert cut.is_diff_cut
    assert len(cut.diff) == 1000
    assert cut.added == 10_000


async def test_files_that_make_others_run_something_are_worth_a_look(tmp_path: Path) -> None:
    change = await _worked(
        tmp_path, lambda clone: write(clone, {".github/workflows/ci.yml": b"on: push\n"})
    )
    assert any("Worth a look" in note and "ci.yml" in note for note in change.notes)


async def test_an_agent_that_ruins_its_git_folder_harms_itself_alone(tmp_path: Path) -> None:
    def work(clone: Path) -> None:
        write(clone, {"new.py": b"x\n"})
        shutil.rmtree(clone / ".git")
        (clone / ".git").symlink_to("/")

    assert _paths(await _worked(tmp_path, work)) == ["new.py"]
