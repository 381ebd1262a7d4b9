"""The one way in which git is run: a list of words, no shell, and no configuration but ours.

Hooks, monitors, filters, helpers and signing programs come from configuration; git sees none that
somebody else wrote: not the system's, not the person's (name and address are read apart, in
`identity`), and never an agent's. Which protocols it may speak is said for each run.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.core.code.forge_keys import Login
from desktop.core.code.git_fault import fault_of
from desktop.core.code.repository import Repository, Scheme
from desktop.jobs.code.git_process import REMOTE_SECONDS_MAX, Limits, Progress, Ran, ran
from desktop.system.way import Way
from shared.errors import Unavailable
from shared.file_lock import FileLock

VERSION_MIN = (2, 30)
NO_LIMITS = Limits()
ENV_KEPT = (
    "PATH", "TMPDIR", "TEMP", "TMP", "USER", "LOGNAME", "SYSTEMROOT", "WINDIR", "COMSPEC",
    "USERPROFILE", "PATHEXT", "DESKHAND_CHILD",
)  # fmt: skip
"""The last one is the mark by which the worker finds what a job has left behind."""

_CONFIG = (
    f"core.hooksPath={os.devnull}",
    f"core.attributesFile={os.devnull}",
    f"core.excludesFile={os.devnull}",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.askPass=",
    "core.pager=cat",
    "core.quotePath=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.sshCommand=",
    "credential.helper=",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "push.gpgSign=false",
    "diff.external=",
    "diff.ignoreSubmodules=all",
    "diff.suppressBlankEmpty=false",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "push.recurseSubmodules=no",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.followRedirects=initial",
    "http.lowSpeedLimit=500",
    "http.lowSpeedTime=90",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "transfer.bundleURI=false",
    "init.defaultBranch=main",
)
_SSH_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=20",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
)
_VERSION = re.compile(r"git version (\d+)\.(\d+)")
_ASKPASS = """\
#!/bin/sh
# Answers git for one host, and nobody else, with what its own environment holds.
case "$1" in
  "Username for '$DESKHAND_GIT_PLACE': ") printf '%s\\n' "$DESKHAND_GIT_USER" ;;
  "Password for '$DESKHAND_GIT_USER_PLACE': ") printf '%s\\n' "$DESKHAND_GIT_SECRET" ;;
  *) exit 1 ;;
esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where git works. It looks for nothing by itself."""

    git_dir: Path
    """One of ours."""
    work_tree: Path | None = None
    """Whose files are read or written."""
    index: Path | None = None
    """Another than the one in `git_dir`."""
    lock: FileLock | None = None
    """Held by git, too: it may outlive this process by a moment, and goes on writing till then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What git may fetch from or push to; without it no protocol is open."""

    remote: Repository
    login: Login | None = None
    """What is shown to the remote's host, alone."""
    progress: Progress | None = None
    """Hears how far it is, when the command is told `--progress`."""


class Git:
    """Runs git. One for all jobs of a process; it holds no state but its home."""

    def __init__(
        self,
        home: Path,
        *,
        way: Way | None = None,
        ca_file: str = "",
        ssh: str = "ssh",
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Take a folder of its own, which is made: it is git's home, and has nothing in it.

        Args:
            home: absolute; holds the small program that tells git a password.
            way: the owner's way to other machines, for the proxy.
            ca_file: certificates that the owner trusts besides.
            ssh: the program that ssh URLs are reached by.
            environment: what is passed on is taken from here.
        """
        self._home = home
        self._way = way or Way()
        self._ca_file = str(Path(ca_file).expanduser()) if ca_file else ""
        self._ssh = ssh
        self._environment = environment
        self._askpass = home / "askpass.sh"

    async def check(self) -> tuple[int, int]:
        """Return git's version.

        Raises:
            Unavailable: `git_missing`, `git_too_old`.
        """
        program = shutil.which("git", path=self._environment.get("PATH"))
        if program is None:
            raise Unavailable(
                "git_missing", "Git is not installed here.", "Install git 2.30 or later."
            )
        told = (await self.run("version")).line
        found = _VERSION.match(told)
        version = (int(found[1]), int(found[2])) if found else (0, 0)
        if version < VERSION_MIN:
            raise Unavailable(
                "git_too_old",
                f'The git of this machine is too old ("{told[:40]}").',
                "Install git 2.30 or later.",
            )
        return version

    async def run(
        self,
        *words: str,
        at: At | None = None,
        reach: Reach | None = None,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits = NO_LIMITS,
        where: str = "the repository",
    ) -> Ran:
        """Run git and see that it ended well; `where` names the repository in errors.

        Raises:
            AppError: as `fault_of` and `attempt`.
        """
        told = await self.attempt(*words, at=at, reach=reach, stdin=stdin, env=env, limits=limits)
        if told.status != 0 and not told.is_cut:
            raise fault_of(told.words, reach.remote.shown if reach else where)
        return told

    async def attempt(
        self,
        *words: str,
        at: At | None = None,
        reach: Reach | None = None,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits = NO_LIMITS,
    ) -> Ran:
        """Run git to its end, whatever its exit status.

        Args:
            words: the command and its arguments; whoever puts an outside word among them has
                checked it, and put "--" before.
            at: where; nothing is looked for in the working folder.
            reach: what it may fetch from or push to.
            stdin: what it reads.
            env: further variables, such as an author's name.
            limits: of time and output.

        Raises:
            Unavailable: `git_missing`, `git_slow`.
            LimitReached: `git_output_too_large`.
        """
        variables = self._variables(reach) | dict(env or {})
        if at is not None and at.index is not None:
            variables["GIT_INDEX_FILE"] = str(at.index)
        if limits.seconds is None and reach is not None:
            limits = replace(limits, seconds=REMOTE_SECONDS_MAX)
        return await ran(
            ["git", *self._options(reach), *_places(at), *words],
            cwd=self._prepared(),
            variables=variables,
            stdin=stdin,
            limits=limits,
            progress=reach.progress if reach else None,
            lock=at.lock if at else None,
        )

    def _options(self, reach: Reach | None) -> list[str]:
        told = [*_CONFIG]
        if reach is not None:
            scheme = reach.remote.scheme
            name = "file" if scheme is Scheme.FOLDER else scheme.value
            told.append(f"protocol.{name}.allow=always")
            if self._ca_file:
                told.append(f"http.sslCAInfo={self._ca_file}")
        return ["--no-pager", *(word for one in told for word in ("-c", one))]

    def _variables(self, reach: Reach | None) -> dict[str, str]:
        kept = {name: self._environment[name] for name in ENV_KEPT if name in self._environment}
        return {
            **kept,
            "HOME": str(self._home),
            "XDG_CONFIG_HOME": str(self._home),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": str(self._askpass),
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_EDITOR": ":",
            **(self._of_remote(reach.remote, reach.login) if reach is not None else {}),
        }

    def _of_remote(self, remote: Repository, login: Login | None) -> dict[str, str]:
        """Tell what the way to a repository takes; keys of one kind never go along with another."""
        match remote.scheme:
            case Scheme.FOLDER:
                return {}
            case Scheme.SSH:
                options = " ".join(f"-o {option}" for option in _SSH_OPTIONS)
                agent = self._environment.get("SSH_AUTH_SOCK")
                told = {"GIT_SSH_COMMAND": f"{self._ssh} {options}", "GIT_SSH_VARIANT": "ssh"}
                return told | ({"SSH_AUTH_SOCK": agent} if agent else {})
            case Scheme.HTTP | Scheme.HTTPS:
                place = f"{remote.scheme}://{remote.netloc}"
                proxy = self._way.proxy_for(place) or ""
                told = {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": "" if proxy else "*"}
                return told | (_login(remote, login) if login else {})

    def _prepared(self) -> Path:
        if not self._askpass.exists():
            self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = self._home / f"askpass.{os.getpid()}"
            fresh.write_text(_ASKPASS)
            fresh.chmod(stat.S_IRWXU)
            fresh.replace(self._askpass)
        return self._home


def _login(remote: Repository, login: Login) -> dict[str, str]:
    place = f"{remote.scheme}://{remote.netloc}"
    return {
        "DESKHAND_GIT_PLACE": place,
        "DESKHAND_GIT_USER_PLACE": f"{remote.scheme}://{login.user}@{remote.netloc}",
        "DESKHAND_GIT_USER": login.user,
        "DESKHAND_GIT_SECRET": login.secret,
    }


def _places(at: At | None) -> list[str]:
    if at is None:
        return []
    told = [f"--git-dir={at.git_dir}"]
    return told if at.work_tree is None else [*told, f"--work-tree={at.work_tree}"]
