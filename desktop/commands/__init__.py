"""What each command of the worker does. Answers go to standard output, logs to standard error."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import filecmp
import shutil
import signal
from pathlib import Path

from desktop.core.link import LinkState, LinkStatus
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.paths import Paths, find_paths
from desktop.system.policy_file import load_policy
from desktop.system.program import version
from shared.database import Database, peek
from shared.errors import AppError, Conflict, NotFound, Unavailable
from shared.plain_text import plain_line

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_REFUSED = 3
"""The hub does not know this worker any more: starting it again would not help."""


def run(options: argparse.Namespace) -> int:  # noqa: PLR0911 - one row for each command
    """Carry out a parsed command line; return the exit code.

    Raises:
        AppError: what went wrong, for the person at the terminal.
    """
    paths = find_paths(options.home)
    match options.command:
        case "pair":
            from desktop.commands import pairing

            return pairing.run(paths, options)
        case "autostart":
            from desktop.commands.autostart import switch

            return switch(paths, options.switch)
        case "setup":
            from desktop.commands.setup import setup

            return setup(is_dry=options.dry_run)
        case "status":
            return status(paths)
        case "quit":
            from desktop.commands.tray import quit_running

            return quit_running(paths)
        case "unlock":
            return unlock(paths)
        case "doctor":
            from desktop.doctor import examine

            return examine(paths)
        case "samples":
            return samples(options.folder)
        case _ if options.headless:
            return headless(paths, json_logs=options.json_logs, debug=options.debug)
        case _:
            from desktop.commands.tray import tray

            return tray(paths, options.link, is_background=options.background)


def headless(paths: Paths, *, json_logs: bool, debug: bool) -> int:
    """Run the worker until it is stopped or the hub refuses it."""
    from desktop.system.single_instance import InstanceLock
    from shared import logs

    logs.configure(json_lines=json_logs, level="DEBUG" if debug else "INFO")
    paths.make()
    with InstanceLock(paths.lock), open_store(paths.store) as database:
        pairing = database.submit(facts.pairing).result()
        if pairing is None:
            raise not_paired()
        return asyncio.run(_work(paths, database, pairing, _token(paths, pairing)))


def _token(paths: Paths, pairing: facts.Pairing) -> str:
    from desktop.system.credentials import load_secret

    token = load_secret(entry=pairing.worker_id, file=paths.token)
    if token is None:
        raise Unavailable(
            "token_missing",
            "The token this machine got when it was paired cannot be read: it is gone, or the "
            "system's safe is locked.",
            "Log in to unlock the safe, or pair again: deskhand pair CODE --hub URL",
        )
    return token


async def _work(paths: Paths, database: Database, pairing: facts.Pairing, token: str) -> int:
    from desktop.agent import Agent, Setup
    from desktop.system.status import StatusFile, sentence

    report = StatusFile(paths.status)

    def note(status: LinkStatus) -> None:
        is_news = status.state is not report.last.state or status.state is LinkState.CONNECTING
        if is_news and status.state is not LinkState.REFUSED:  # that ends the program, and is told
            print(plain_line(sentence(status, pairing)), flush=True)
        report.write(status)

    setup = Setup(
        paths=paths,
        pairing=pairing,
        token=token,
        policy=load_policy(paths),
        app_version=version(),
    )
    agent = Agent(setup, database, note)
    serving = asyncio.ensure_future(agent.run())  # noqa: TID251 (signals cancel it from outside)
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no handlers in the loop
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    if report.last.state is LinkState.REFUSED:
        assert report.last.error is not None
        raise Refused(report.last)
    report.stopped()
    return EXIT_OK


class Refused(AppError):
    """The hub does not know this worker any more."""

    def __init__(self, status: LinkStatus) -> None:
        assert status.error is not None
        super().__init__(status.error.code, status.error.message, status.error.hint)


def exit_code(error: AppError) -> int:
    return EXIT_REFUSED if isinstance(error, Refused) else EXIT_FAILED


def unlock(paths: Paths) -> int:
    """Let chats start things for this machine's person again, after /lock."""
    from desktop.link.hub_post import post

    pairing = _pairing(paths)
    told = post(pairing.hub_url, "/unlock", {}, token=_token(paths, pairing))
    print(plain_line(f"Unlocked: chats can start work for {told.get('name', 'you')} again."))
    return EXIT_OK


def _pairing(paths: Paths) -> facts.Pairing:
    """Read which hub this machine belongs to, beside a worker that may be running."""
    if not paths.store.exists():
        raise not_paired()
    with peek(paths.store) as connection:
        pairing = facts.pairing(connection)
    if pairing is None:
        raise not_paired()
    return pairing


def status(paths: Paths) -> int:
    from desktop.system.status import tell

    pairing = _pairing(paths)
    with peek(paths.store) as connection:
        for line in tell(paths.status, pairing, connection):
            print(plain_line(line))
    return EXIT_OK


def samples(folder: Path) -> int:
    from desktop.jobs.data.samples import new_rows_file, training_file

    folder.mkdir(parents=True, exist_ok=True)
    for sample in (training_file(), new_rows_file()):
        place = folder / sample.name
        if place.is_symlink() or (place.exists() and not filecmp.cmp(sample, place, shallow=False)):
            raise Conflict(
                "file_in_the_way",
                f"There is another {place.name} in {folder} already.",
                "Name a folder without one: nothing of yours is written over.",
            )
        print(shutil.copyfile(sample, place))
    return EXIT_OK


def not_paired() -> NotFound:
    return NotFound(
        "not_paired",
        "This machine belongs to no hub yet.",
        "Ask your hub for a code (/connect in the chat), then: deskhand pair CODE --hub URL",
    )
