"""Pushes a job's commit to its own branch: never another, never by force, never twice.

The remote is asked before anything is sent, so a push that was cut off is found done or not done;
and it is told what it has to have there, so nothing that somebody else has pushed is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from desktop.core.code.git_fault import fault_of
from desktop.core.code.refs import HEADS, is_own
from desktop.core.code.repository import Repository, Scheme
from desktop.jobs.code.git import At, Git, Reach
from shared.errors import Conflict

OPTION_CHARS_MAX = 2_000
_NO_OPTIONS = "does not support push options"
RECEIVE = (
    "git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.alternateRefsCommand=true"
    " -c receive.autogc=false -c gc.auto=0 -c receive.denyCurrentBranch=refuse receive-pack"
)
"""In a folder of this machine: what its configuration names would run here, outside of every box.
Git hands this to a shell, so it holds no outside word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    branch: str
    commit: str
    is_new: bool
    """Whether the branch was not there before."""
    is_sent: bool
    """False when the remote had the commit already: an earlier try came through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is to be where."""

    commit: str
    """Its full hexadecimal name."""
    branch: str
    """One of Deskhand's own (`refs.job_branch`)."""
    base: str
    """The branch that the work began from."""
    ours: Sequence[str] = ()
    """Commits that earlier deliveries of the same work have put there; they may be replaced."""
    options: Sequence[str] = ()
    """Push options for the forge, as in "merge_request.create"."""


async def push(git: Git, at: At, reach: Reach, parcel: Parcel) -> Pushed:
    """Have a remote's branch be a commit.

    Args:
        git: as everywhere.
        at: the mirror that has the commit.
        reach: the remote, checked against the policy by the caller, and the login for its host.
        parcel: commit and branch.

    Raises:
        Conflict: `push_rejected`: somebody else's commit stands there.
        AppError: as `fault_of`.
    """
    branch, commit = parcel.branch, parcel.commit
    assert is_own(branch), branch
    assert branch != parcel.base
    there = await _there(git, reach, branch)
    if there == commit:
        return Pushed(branch=branch, commit=commit, is_new=False, is_sent=False)
    if there and there not in parcel.ours and not await _is_below(git, at, there, commit):
        raise Conflict(
            "push_rejected",
            f"Somebody else has changed the branch {branch} of {reach.remote.shown}.",
            "Look at what was changed there; rename or delete that branch, then deliver again.",
        )
    ran = await git.attempt(*_words(reach.remote, parcel, there), at=at, reach=reach)
    if parcel.options and _NO_OPTIONS in ran.words:
        parcel = replace(parcel, options=())
        ran = await git.attempt(*_words(reach.remote, parcel, there), at=at, reach=reach)
    # A push may have come through although its answer was lost.
    if ran.status != 0 and await _there(git, reach, branch) != commit:
        raise fault_of(f"{ran.words}\n{ran.line}", reach.remote.shown)
    return Pushed(branch=branch, commit=commit, is_new=not there, is_sent=True)


def _words(remote: Repository, parcel: Parcel, there: str) -> list[str]:
    told = [f"--push-option={_flat(option)}" for option in parcel.options]
    if remote.scheme is Scheme.FOLDER:
        told.append(f"--receive-pack={RECEIVE}")
    ref = f"{HEADS}{parcel.branch}"
    return [
        "push", "--porcelain", "--progress", "--no-verify", "--no-follow-tags", "--no-signed",
        "--recurse-submodules=no", f"--force-with-lease={ref}:{there}", *told,
        "--", remote.url, f"{parcel.commit}:{ref}",
    ]  # fmt: skip


def _flat(option: str) -> str:
    """Push options are lines."""
    return " ".join(option.split())[:OPTION_CHARS_MAX]


async def _there(git: Git, reach: Reach, branch: str) -> str:
    """Return the commit that a branch of the remote is now; empty when there is none."""
    words = ("ls-remote", "--heads", "--", reach.remote.url, f"{HEADS}{branch}")
    for line in (await git.run(*words, reach=reach)).line.split("\n"):
        value, _, name = line.partition("\t")
        if name == f"{HEADS}{branch}":
            return value
    return ""


async def _is_below(git: Git, at: At, older: str, newer: str) -> bool:
    """Say whether one commit is an ancestor of another; not if it is not known here."""
    words = ("merge-base", "--is-ancestor", older, newer)
    return (await git.attempt(*words, at=at)).status == 0
