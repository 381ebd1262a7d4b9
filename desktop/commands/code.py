"""`deskhand code fix [REPOSITORY] -m "..."`: have an agent work on a repository, and stay with it.

Runs in the program that runs here, else in this process. Exit codes: 0 it is done, 1 it failed,
4 somebody cancelled it, 5 nobody knows how far it came, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from desktop.commands.code_ending import lines
from desktop.commands.code_watch import CodeWatch
from desktop.commands.hosting import hosted
from desktop.commands.printing import say, say_json
from desktop.commands.shapes import of_whole_job
from desktop.commands.watching import ENDS
from desktop.core.policy import Policy
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from shared.errors import BadInput
from shared.kinds import JsonObject, parse_inputs
from shared.kinds.catalogue import kind_named
from shared.kinds.code import INSTRUCTIONS_CHARS_MAX, Delivery

EXIT_STOPPED = 130
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "fix": "code.bugfix",
        "feature": "code.feature",
        "tests": "code.test",
        "docs": "code.docs",
        "refactor": "code.refactor",
        "review": "code.review",
    }
)
"""What a person types, and the kind that it means."""
FROM_STDIN = "-"


def run(paths: Paths, options: argparse.Namespace) -> int:
    """Ask for the work; stay until it has ended."""
    policy = load_policy(paths)
    kind = kind_named(KINDS[options.what])
    inputs = inputs_of(options)
    parse_inputs(kind, inputs)
    try:
        with hosted(paths, _widened(policy, inputs)) as (host, is_own):
            job_id = host.request(kind.name, inputs)
            watch = CodeWatch(paths, host, job_id, is_own=is_own, is_quiet=options.json)
            ended = watch.until_end()
    finally:
        # What is left are last words; who presses Ctrl-C on and on would cut them off.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if options.json:
        say_json(of_whole_job(ended.job, ended.questions))
    else:
        for line in lines(ended.job, is_stopped=ended.is_stopped):
            say(line)
    return EXIT_STOPPED if ended.is_stopped else ENDS.get(ended.job.row.state, EXIT_STOPPED)


def inputs_of(options: argparse.Namespace) -> JsonObject:
    """Return the work order that was typed.

    Raises:
        BadInput: `repository_missing`, `instructions_missing`.
    """
    given: JsonObject = {
        "repository": repository_of(options.repository, Path.cwd()),
        "instructions": _instructions(options.message),
        "base": options.base,
        "test_command": options.test,
        "level": options.level,
        "delivery": _delivery(options),
        "agent": options.agent,
        "model": options.model,
        "minutes_max": options.minutes,
        "cost_usd_max": options.cost_max,
        "tokens_max": options.tokens_max,
    }
    return {name: value for name, value in given.items() if value is not None}


def repository_of(named: str | None, here: Path) -> str:
    """Return the repository that a person means: the one they stand in, a folder, or a URL.

    Raises:
        BadInput: `repository_missing`.
    """
    if named is None:
        found = next((one for one in (here, *here.parents) if (one / ".git").exists()), None)
        if found is None:
            raise BadInput(
                "repository_missing",
                f"{here} is in no git repository.",
                "Go into one, or name a folder or a URL: deskhand code fix FOLDER",
            )
        return str(found.resolve())
    folder = here / Path(named).expanduser()
    return str(folder.resolve()) if folder.is_dir() else named


def _instructions(message: str | None) -> str | None:
    """Return what is to be done; None leaves it to be asked."""
    if message != FROM_STDIN:
        return message
    told = sys.stdin.read(INSTRUCTIONS_CHARS_MAX + 1).strip()
    if not told:
        raise BadInput("instructions_missing", "Nothing was said on standard input.", "Say it.")
    return told


def _delivery(options: argparse.Namespace) -> str | None:
    if options.pr:
        return Delivery.PULL_REQUEST.value
    if options.push:
        return Delivery.BRANCH.value
    return Delivery.KEEP.value if options.keep else None


def _widened(policy: Policy, inputs: JsonObject) -> Policy:
    """Let what runs in this process use the folder that the person named."""
    folder = Path(str(inputs["repository"]))
    if not folder.is_absolute():
        return policy
    return policy.model_copy(update={"folders": (*policy.folders, str(folder))})
