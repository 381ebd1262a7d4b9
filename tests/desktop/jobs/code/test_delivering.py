"""A push reaches its own branch or nothing, once, and never over somebody else's work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desktop.core.code.repository import of_folder, parse_repository
from desktop.jobs.code.delivering import Parcel, push
from desktop.jobs.code.git import Reach
from desktop.jobs.code.mirrors import Mirror
from shared.errors import AppError, Conflict
from tests.git_servers.http_server import GitServer, Seen
from tests.git_servers.repositories import fill, git, write
from tests.git_servers.yard import Yard

BRANCH = "deskhand/K7Q2-mend"
REF = f"refs/heads/{BRANCH}"


async def _ready(yard: Yard, content: bytes = b"x\n") -> tuple[Mirror, Parcel]:
    mirror, clone = await yard.clone()
    write(clone.folder, {"new.py": content})
    change = await yard.change(mirror, clone)
    return mirror, Parcel(commit=change.commit, branch=BRANCH, base="main")


async def test_somebody_elses_commit_on_the_branch_is_never_overwritten(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, parcel = await _ready(yard)
    git(tmp_path / "first", "commit", "-q", "--allow-empty", "-m", "Somebody else")
    git(tmp_path / "first", "push", "-q", str(yard.bare), f"HEAD:{REF}")
    theirs = git(yard.bare, "rev-parse", REF)
    with pytest.raises(Conflict, match="Somebody else has changed") as caught:
        await push(yard.git, mirror.at, Reach(remote=yard.repository), parcel)
    assert caught.value.code == "push_rejected"
    assert git(yard.bare, "rev-parse", REF) == theirs


async def test_our_own_earlier_commit_is_replaced(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, first = await _ready(yard)
    reach = Reach(remote=yard.repository)
    await push(yard.git, mirror.at, reach, first)
    mirror, second = await _ready(yard, b"y\n")
    with pytest.raises(Conflict):
        await push(yard.git, mirror.at, reach, second)
    again = Parcel(commit=second.commit, branch=BRANCH, base="main", ours=(first.commit,))
    pushed = await push(yard.git, mirror.at, reach, again)
    assert not pushed.is_new
    assert git(yard.bare, "rev-parse", REF) == second.commit


@pytest.mark.parametrize("branch", ["main", "deskhand/../main", "deskhand/x:refs/heads/main", "x"])
async def test_no_branch_but_our_own_can_be_meant(tmp_path: Path, branch: str) -> None:
    yard = Yard(tmp_path)
    mirror, parcel = await _ready(yard)
    meant = Parcel(commit=parcel.commit, branch=branch, base="main")
    with pytest.raises(AssertionError):
        await push(yard.git, mirror.at, Reach(remote=yard.repository), meant)
    assert git(yard.bare, "rev-parse", "main") == yard.first


async def test_hooks_of_a_folder_do_not_run_here(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, parcel = await _ready(yard)
    trace = tmp_path / "pwned"
    for hook in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction"):
        path = yard.bare / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {trace}\n")
        path.chmod(0o755)
    git(yard.bare, "config", "core.alternateRefsCommand", f"touch {trace}; true")
    git(yard.bare, "config", "core.fsmonitor", f"touch {trace}")
    (yard.bare / "objects" / "info" / "alternates").write_text(f"{mirror.git_dir}/objects\n")
    await push(yard.git, mirror.at, Reach(remote=yard.repository), parcel)
    assert git(yard.bare, "rev-parse", REF) == parcel.commit
    assert not trace.exists()


async def test_the_hooks_would_have_run(tmp_path: Path) -> None:
    """The trap is real: a plain push springs it."""
    yard = Yard(tmp_path)
    (yard.bare / "hooks" / "post-receive").write_text(f"#!/bin/sh\ntouch {tmp_path / 'pwned'}\n")
    (yard.bare / "hooks" / "post-receive").chmod(0o755)
    git(tmp_path / "first", "push", "-q", str(yard.bare), "main:other")
    assert (tmp_path / "pwned").exists()


async def test_a_refusal_of_the_remote_is_told_in_its_words(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    with GitServer(tmp_path / "http") as server:
        bare = server.repository("x")
        fill(bare, tmp_path / "again")
        hook = bare / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\necho 'GH006: Protected branch' >&2\nexit 1\n")
        hook.chmod(0o755)
        mirror, parcel = await _ready(yard)
        remote = parse_repository(f"{server.url}/x.git")
        with pytest.raises(Conflict, match="pre-receive hook declined") as caught:
            await push(yard.git, mirror.at, Reach(remote=remote), parcel)
        assert caught.value.code == "push_rejected"


async def test_a_push_whose_answer_is_lost_is_found_done(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    with GitServer(tmp_path / "http") as server:
        bare = server.repository("x")
        fill(bare, tmp_path / "again")
        mirror, parcel = await _ready(yard)
        git(bare, "fetch", "-q", str(mirror.git_dir), "refs/deskhand/K7Q2")

        def lost(seen: Seen) -> tuple[int, dict[str, str], bytes] | None:
            if not seen.target.endswith("/git-receive-pack"):
                return None
            git(bare, "update-ref", REF, parcel.commit)
            return 502, {}, b""

        server.before = lost
        remote = parse_repository(f"{server.url}/x.git")
        pushed = await push(yard.git, mirror.at, Reach(remote=remote), parcel)
        assert pushed.is_sent
        server.before = None
        again = await push(yard.git, mirror.at, Reach(remote=remote), parcel)
        assert not again.is_sent


async def test_somebody_who_pushes_in_the_last_moment_wins(tmp_path: Path) -> None:
    """Between our look and our push another commit arrives: the lease keeps it."""
    yard = Yard(tmp_path)
    with GitServer(tmp_path / "http") as server:
        bare = server.repository("x")
        first = fill(bare, tmp_path / "again")
        mirror, parcel = await _ready(yard)

        def hurried(seen: Seen) -> None:
            if "receive-pack" in seen.target and seen.method == "GET":
                git(bare, "update-ref", REF, first)

        server.before = hurried
        with pytest.raises(AppError) as caught:
            await push(
                yard.git, mirror.at, Reach(remote=parse_repository(f"{server.url}/x.git")), parcel
            )
        assert caught.value.code == "push_rejected"
        assert git(bare, "rev-parse", REF) == first


async def test_large_bodies_arrive_in_pieces(tmp_path: Path) -> None:
    """More than git's post buffer is sent chunked: the test's server, and ours, cope."""
    yard = Yard(tmp_path)
    with GitServer(tmp_path / "http") as server:
        bare = server.repository("x")
        fill(bare, tmp_path / "again")
        mirror, parcel = await _ready(yard, os.urandom(3 * 1024**2))
        remote = parse_repository(f"{server.url}/x.git")
        await push(yard.git, mirror.at, Reach(remote=remote), parcel)
        assert git(bare, "rev-parse", REF) == parcel.commit
        assert any("chunked" in seen.headers.get("transfer-encoding", "") for seen in server.seen)


async def test_push_options_arrive_as_single_lines(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    told = tmp_path / "told"
    with GitServer(tmp_path / "http") as server:
        bare = server.repository("x")
        fill(bare, tmp_path / "again")
        hook = bare / "hooks" / "pre-receive"
        hook.write_text(f'#!/bin/sh\nprintf "%s\\n" "$GIT_PUSH_OPTION_0" > {told}\n')
        hook.chmod(0o755)
        mirror, parcel = await _ready(yard)
        options = ("merge_request.title=Mend\nmerge_request.merge_when_pipeline_succeeds",)
        meant = Parcel(commit=parcel.commit, branch=BRANCH, base="main", options=options)
        remote = parse_repository(f"{server.url}/x.git")
        await push(yard.git, mirror.at, Reach(remote=remote), meant)
    title = "merge_request.title=Mend merge_request.merge_when_pipeline_succeeds"
    assert told.read_text() == f"{title}\n"


async def test_a_server_that_takes_no_options_gets_the_branch_without_them(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, parcel = await _ready(yard)
    meant = Parcel(commit=parcel.commit, branch=BRANCH, base="main", options=("x=y",))
    await push(yard.git, mirror.at, Reach(remote=yard.repository), meant)
    assert git(yard.bare, "rev-parse", REF) == parcel.commit


async def test_a_branch_arrives_in_a_folder_without_touching_its_files(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    mirror, parcel = await _ready(yard)
    own = tmp_path / "first"
    write(own, {"parser.py": b"not done yet\n"})
    await push(yard.git, mirror.at, Reach(remote=of_folder(str(own))), parcel)
    assert git(own, "rev-parse", REF) == parcel.commit
    assert git(own, "status", "--porcelain") == "M parser.py"
